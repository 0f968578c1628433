/* daemon/retained.h - what is retained at the broker in the site's name: told again where it may be lost, put right where
 * an earlier run left it.
 *
 * A sink before the bus. Of each topic that tells a state it remembers the newest text. What the broker hands back of
 * alarm/NAME and event/ID, and this run has not said, is of a run that was killed, or of before a file was changed: an
 * alarm is cleared, an event cancelled; an event goes a day after its end, or after it was rejected. */
#ifndef DAEMON_RETAINED_H
#define DAEMON_RETAINED_H

#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/clock.h"
#include "daemon/sink.h"

#define RETAINED_EVENTS 768             /* of a run, more than can be alive; of more, those that are over go first, at the broker too */
#define RETAINED_MS     (24 * 3600 * 1000LL)

TAILQ_HEAD(retained_texts, retained_text);

struct retained {
	struct sink sink;
	struct sink *to;                /* lent; NULL: nowhere */
	struct retained_texts texts;    /* that said longest ago first */
	size_t n_events;
	bool aside;                     /* the owner's to set: another speaks in the site's name, and nothing but
	                                   decisions goes out */
};

void retained_init(struct retained *, struct sink *to);
void retained_free(struct retained *);

void retained_repeat(struct retained *);                /* all of it, to a broker that was away */
/* What the broker had when it was asked; topic is below PREFIX/SITE/, text lent. Anything may stand there. */
void retained_found(struct retained *, const char *topic, const char *text, size_t len, struct instant now);

#endif
