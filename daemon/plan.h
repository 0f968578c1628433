/* daemon/plan.h - the GPU scheduler's notices, on PREFIX/hpc/plan: taken, watched until their time has come, told of.
 *
 * A message that says nothing good changes nothing and raises the alarm signal/hpc-plan until a good one comes. A
 * notice that does not come true raises the alarm plan, until one does. Either is cleared by itself after an hour. */
#ifndef DAEMON_PLAN_H
#define DAEMON_PLAN_H

#include "daemon/alarms.h"
#include "daemon/clock.h"
#include "policy/notices.h"

struct plan;
struct plan *plan_new(const char *prefix, struct alarms *, struct instant now);         /* "mullet/pecos-1" */
void plan_free(struct plan *, struct instant now);      /* clears its alarms */

const char *plan_topic(const struct plan *);    /* to subscribe to */
/* True if the topic is its own. text NULL: the message was too long to be handed on. */
bool plan_message(struct plan *, const char *topic, const char *text, size_t len, bool retained, struct instant now);

const struct notice *plan_notices(const struct plan *, size_t *n);      /* valid until the next call */
/* After each step, with what it made of the site. */
void plan_observe(struct plan *, const struct picture *, struct instant now);

#endif
