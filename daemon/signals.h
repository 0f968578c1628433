/* daemon/signals.h - grid signals and the operator's hand: messages in, a demand for the policy out, and the
 * life of every order told on ack/SIGNAL and event/ID (contract, sections 3 and 4).
 *
 * Each turn: signals_message for what arrived, signals_demand before the policy steps, signals_observe after. */
#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

#include "config/config.h"
#include "daemon/alarms.h"
#include "daemon/clock.h"
#include "daemon/json.h"
#include "daemon/sink.h"
#include "policy/policy.h"

struct signals_conf {                   /* copied */
	const char *prefix;             /* "mullet/pecos-1": a signal without a topic is on PREFIX/order/NAME */
	const struct signal_conf *signals;      /* at most SIGNALS_MOST */
	size_t n_signals;
	int64_t cap_w;
	int64_t nominal_w, asleep_w;    /* of all miners that may be steered */
	int64_t sleep_ms, wake_ms;      /* the slowest of them: dead time and ramp; sleep_ms: or to less power */
};

#define SIGNALS_MOST 63                 /* and the operator */

struct signals;
struct signals *signals_new(const struct signals_conf *, struct sink *, struct alarms *, struct instant now);
void signals_free(struct signals *);
/* Takes over from `old`, which is left empty and to be freed: the orders of signals of the same name and format,
 * the operator's too. Others are cancelled. */
void signals_adopt(struct signals *, struct signals *old, struct instant now);

/* ---- over a restart ---- */
struct kept_orders;                     /* daemon/kept.h */
void signals_keep(const struct signals *, struct instant now, struct kept_orders *);   /* kept_orders_free; lends names */
uint64_t signals_changes(const struct signals *);      /* another number: orders or targets have come, begun or gone since */
struct signals_recalled { size_t alive, ended, lost; }; /* orders: go on; ended meanwhile; cannot go on */
/* At the start, before the first demand. */
struct signals_recalled signals_recall(struct signals *, const struct kept_orders *, struct instant now);

size_t signals_count(const struct signals *);
const char *signals_topic(const struct signals *, size_t i);    /* to subscribe to */

/* What the broker answered; where it refuses a topic, that is the signal's alarm until it grants it. */
void signals_subscribed(struct signals *, const char *topic, bool granted, struct instant now);
#define SIGNALS_REFUSED "the broker refuses the topic %s: no order sent there arrives; it should allow mulletd to read it"

/* True if the topic was one of its own. text NULL: the message was too long to be handed on. An empty one, with which MQTT
 * clears what is retained, says nothing. */
bool signals_message(struct signals *, const char *topic, const char *text, size_t len, bool retained, struct instant now);

void signals_demand(struct signals *, struct instant now, struct demand *);
/* After each step: what the site and the miners draw (POLICY_NONE: not known) and what was decided. */
void signals_observe(struct signals *, struct instant now, int64_t site_w, int64_t miners_w, const struct decision *);
/* Whose is demand.limit_from, setpoint_from or miners_from: an event's id until the next signals_demand; NULL: nobody's. */
const char *signals_event_id(const struct signals *, int16_t from);

/* The operator's hand. False, with why, where nothing is done. duration_ms 0: until released, else monotonic. A newer hold
 * replaces the older. */
bool signals_operator_hold(struct signals *, int64_t watts, int64_t duration_ms, struct instant now, char *why, size_t size);
bool signals_operator_shed(struct signals *, struct instant now, char *why, size_t why_size);
bool signals_operator_release(struct signals *, struct instant now, char *why, size_t why_size);

void signals_events_json(const struct signals *, struct json *, const char *key);       /* an array: alive, lately ended, lately refused */

#endif
