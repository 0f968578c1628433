/* daemon/signals_inside.h - what the files of signals.h share; nobody else includes it. */
#ifndef DAEMON_SIGNALS_INSIDE_H
#define DAEMON_SIGNALS_INSIDE_H

#include "daemon/answers.h"
#include "daemon/events.h"
#include "daemon/refused.h"
#include "daemon/signals.h"

#define OPERATOR SIGNALS_MOST           /* its place among the signals */
#define EVENTS (ORDERS_LIVE + ORDERS_SIGNALS)
#define ENDED 32                        /* lately ended events, for mulletctl */

struct signal {
	char *name, *topic, *alarm;     /* NULL: no signal here */
	enum signal_format format;
	int64_t stale_after_ms;
	enum when_stale when_stale;
	bool refused;                   /* its topic, by the broker */
	bool heard, stale;              /* of a target signal, as is all below */
	int64_t heard_ms;               /* monotonic; before the first message: when we started to listen */
	int64_t noted_ms;               /* monotonic, of the message that was noted as a change last */
	int64_t last_at_ms;             /* UTC, the newest timestamp */
	int32_t share_ppm;
	bool unsure;                    /* of an earlier run, and stale by the wall clock: nobody listened since */
};

struct signals {
	struct signal signals[ORDERS_SIGNALS];
	size_t n;                       /* without the operator */
	int64_t cap_w, nominal_w, asleep_w, sleep_ms, wake_ms;
	struct event_rules rules;
	struct sink *sink;
	struct alarms *alarms;
	struct order_book book;
	int64_t hold_until_ms;          /* monotonic, of the operator's hold; 0: until released */
	int64_t ahead_ms;               /* the wall clock of the monotonic, at the last look */
	uint64_t changes;               /* of what is alive */
	struct answers answers;
	struct event events[EVENTS];    /* as a demand's ..._from counts */
	struct event ended[ENDED];
	uint32_t next_ended;
	struct refused refused;
	struct site_history history;
	struct demand demand;           /* the last one given out */
	int64_t site_w, miners_w;       /* as last observed; POLICY_NONE: not known */
	struct line_budget { int64_t since_ms; uint32_t n; } accepted_lines, refused_lines;     /* in the log, this minute */
	struct json json;
};

/* Ids that event/ID keeps for others: the level signals' names, and what the operator's orders are called. */
bool reserved(const struct signals *, const char *id);
void describe_order(const struct order *, struct instant now, char *text, size_t size);        /* for the log */
/* Answers one order of a signal, publishes ack and event. Whether it was accepted. */
bool take_order(struct signals *, const struct order *, bool retained, struct instant now);
/* Why an order was not taken, in the log; where an alarm does not say so already. */
void log_refusal(struct signals *, const struct signal *, const char *id, const char *why, struct instant now);
/* A message or order that the book never saw. id empty: not known. */
void refuse_order(struct signals *, const struct signal *, const char *id, const char *why, struct instant now);
/* The place of the operator's own of that kind, or -1. */
int operators(const struct signals *, enum order_kind);
/* Ends what has ended, begins what has started. why: said of what was released. */
void settle_orders(struct signals *, const char *why, struct instant now);
/* The same each turn, with an alarm where the wall clock was set since the last one. */
void settle_by_clock(struct signals *, struct instant now);
void publish_event(struct signals *, const struct event *);
void finish_event(struct signals *, struct event *, bool cancelled, const char *why, struct instant now);

/* Takes a message of a target signal; its faults become the signal's alarm. */
void take_target(struct signals *, struct signal *, const char *text, size_t len, bool retained, struct instant now);
/* Notices signals that have fallen silent. */
void check_targets(struct signals *, struct instant now);
/* What the signal's share means in watts, anew. */
void set_level(struct signals *, const struct signal *);
/* Tells a change of level as an event: one ends where all is allowed again, another begins with each new bound. */
void tell_level(struct signals *, const struct signal *, const char *why, struct instant now);
void raise_signal(struct signals *, const struct signal *, enum severity, const char *why, struct instant now);

#endif
