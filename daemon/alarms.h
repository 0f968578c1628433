/* daemon/alarms.h - what is wrong now, by name: published retained on alarm/NAME whenever it changes. */
#ifndef DAEMON_ALARMS_H
#define DAEMON_ALARMS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/clock.h"
#include "daemon/json.h"
#include "daemon/sink.h"

#define ALARMS_MOST 4096                /* names; more are neither kept nor published */
#define ALARMS_PASSING_MS (60 * 60000)

enum severity { SEVERITY_WARNING, SEVERITY_CRITICAL };

struct alarms_user {                    /* for the log: called from inside raise, clear and pass, on a change only; of more than ten
	                                   of one alarm in a minute the newest is told when that is over */
	void *self;
	void (*on_change)(void *self, const char *name, bool raised, enum severity, const char *why);   /* may be NULL */
};

struct alarms;
struct alarms *alarms_new(struct sink *, struct alarms_user);   /* the sink is lent for life */
void alarms_free(struct alarms *);

/* Publishes "not raised", so that nothing an earlier run left at the broker stays. Not a change. */
void alarms_declare(struct alarms *, const char *name, const char *subject, struct instant now);

/* Raising what is raised changes it only if severity or why differ in more than their figures: a why may tell
 * what is measured now. subject: the device, group or signal meant; NULL: none. */
void alarms_raise(struct alarms *, const char *name, enum severity, const char *subject, struct instant now,
                  const char *format, ...) __attribute__((format(printf, 6, 7)));
/* A warning of what happened and is over, as a message that was wrong: cleared an hour after the last one. Over what lasts
 * it changes the words, and lasts as well. */
void alarms_raise_passing(struct alarms *, const char *name, const char *subject, struct instant now,
                          const char *format, ...) __attribute__((format(printf, 5, 6)));
void alarms_pass(struct alarms *, struct instant now);  /* to be called again and again: clears those whose hour is over, and tells what waits */
void alarms_clear(struct alarms *, const char *name, struct instant now);       /* nothing happens if it is not raised */
void alarms_clear_all(struct alarms *, struct instant now);

bool alarms_raised(const struct alarms *, const char *name);
size_t alarms_count(const struct alarms *);             /* raised now */
void alarms_json(const struct alarms *, struct json *, const char *key);        /* an array of those raised, oldest first */

#endif
