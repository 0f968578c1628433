/* daemon/events.h - the life of one order or level signal, as told on event/ID: what was asked, when, what came of it.
 *
 * Met: a cap when the site draws at most its limit, a set point when the site is within 2 % of it, a shed or share
 * when the miners draw at most what is left to them and what they draw asleep, and 2 % of their nominal power. */
#ifndef DAEMON_EVENTS_H
#define DAEMON_EVENTS_H

#include "daemon/clock.h"
#include "daemon/json.h"
#include "policy/orders.h"

#define EVENT_SHARE 4                   /* the kind of a level signal, beside enum order_kind, */
#define EVENT_UNREAD 5                  /* and of an order that could not be read */

enum event_status {
	EVENT_SCHEDULED, EVENT_ACTIVE, EVENT_MET, EVENT_MISSED,         /* alive */
	EVENT_COMPLETED, EVENT_CANCELLED, EVENT_REJECTED,               /* over; also EVENT_MISSED at its end */
};

#define HISTORY_BUCKETS 91
struct site_history {                   /* the site's draw over the last 15 min, in steps of 10 s; zero to start */
	struct { int64_t step, sum_w, n; } buckets[HISTORY_BUCKETS];
};
void history_add(struct site_history *, int64_t mono_ms, int64_t site_w);

struct event_rules {                    /* the same for all events of a site */
	int64_t miss_after_ms;          /* an event not met for so long is missed */
	int64_t asleep_w, slack_w;      /* what miners may draw beyond what is left to them */
};

struct event {                          /* POLICY_NONE and 0: not known */
	char id[ORDER_ID_SIZE];         /* stays after the end, until the place is needed; empty: not known */
	char signal[ORDER_ID_SIZE];     /* its name */
	bool alive;
	uint8_t kind;
	enum event_status status;
	int64_t limit_w;                /* the order's own figure: limit_w, setpoint_w, keep_w */
	int64_t received_utc_ms, start_utc_ms, end_utc_ms;
	int64_t first_command_utc_ms, met_utc_ms;
	int64_t response_ms;            /* -1: not met yet */
	int64_t before_w, max_w;
	int64_t from_ms;                /* monotonic: the later of receipt and start */
	int64_t failing_since_ms;       /* monotonic: not met from then on; -1: it is met */
	int64_t seen_ms, seen_w;        /* monotonic: the last look at the site */
	int64_t energy_ws, energy_wms;  /* drawn while active; and what is less than 1 Ws of it */
	int64_t known_ms;               /* for how long that was known */
	char why[200];
};

void event_begin(struct event *, const struct order *, const char *signal, struct instant now);  /* scheduled */
void event_activate(struct event *, const struct site_history *, struct instant now);
/* Whether the status changed. */
bool event_observe(struct event *, const struct event_rules *, struct instant now, int64_t site_w, int64_t miners_w);
void event_end(struct event *, bool cancelled, const char *why, struct instant now);
void event_json(const struct event *, struct json *, const char *key);

#endif
