/* policy/orders.h - the order book: which grid orders are in force, and what they add up to (contract, section 4).
 *
 * The lowest limit wins; among set points the highest priority (0), then the newest issued. A book is plain data,
 * zero to start. Times are UTC, ms since 1970; what has ended is gone, whatever the clock does later, unless it is sent
 * again before its end. */
#ifndef POLICY_ORDERS_H
#define POLICY_ORDERS_H

#include "policy/policy.h"

#define ORDERS_SIGNALS 64
#define ORDERS_OWN 2                    /* places kept for each signal, whatever the others do: the operator's hold and shed */
#define ORDERS_COMMON 384               /* beside those, for who comes first: four days of quarter hours … */
#define ORDERS_SHARE (ORDERS_OWN + 192) /* … of which one signal may take two */
#define ORDERS_MOST (ORDERS_SIGNALS * ORDERS_OWN + ORDERS_COMMON)      /* scheduled and in force at a time; … */
#define ORDERS_LIVE (ORDERS_MOST + 1)   /* … and one that gave way, until it is popped */
#define ORDERS_REMEMBERED 512           /* ids known as answered */
#define ORDER_ID_SIZE 65
#define ORDER_NO_END INT64_MAX          /* until released */
#define ORDER_MOST_W 5000000000LL       /* 5 GW: nothing beyond is meant */
#define ORDER_MOST_AHEAD_MS (10LL * 366 * 24 * 3600 * 1000)    /* of start and end, but for ORDER_NO_END */

enum order_kind {
	ORDER_CAP,                      /* the site draws at most watts */
	ORDER_SETPOINT,                 /* the site draws watts */
	ORDER_SHED,                     /* the miners draw at most watts */
	ORDER_RELEASE,                  /* ends the order named, or all of its signal */
};

struct order {
	char id[ORDER_ID_SIZE];
	char releases[ORDER_ID_SIZE];   /* of a release; empty: all of its signal */
	uint8_t signal;                 /* below ORDERS_SIGNALS */
	uint8_t kind;                   /* enum order_kind */
	bool by_operator;
	bool begun, cancelled, gave_way;        /* the book's own; gave_way: cancelled for a newer one */
	int32_t priority;               /* 0 is highest */
	int64_t watts;
	int64_t ramp_w_per_min;         /* of a set point; 0: none told */
	int64_t issued_ms;
	int64_t start_ms;               /* 0: on receipt */
	int64_t end_ms;
};

struct order_level {                    /* what a level signal allows until its next message */
	bool set;
	int64_t miners_w, miners_soon_w;        /* POLICY_NONE: free */
};

enum order_verdict { VERDICT_ACCEPTED, VERDICT_DUPLICATE, VERDICT_STALE, VERDICT_REJECTED };
enum order_refusal {
	REFUSAL_NONE, REFUSAL_STALE, REFUSAL_RETAINED, REFUSAL_FUTURE, REFUSAL_ENDED, REFUSAL_BACKWARDS,
	REFUSAL_RANGE, REFUSAL_SHARE, REFUSAL_FULL, REFUSAL_ID_TAKEN, REFUSAL_UNKNOWN,
};
struct order_answer { enum order_verdict verdict; enum order_refusal refusal; };

struct order_seen {
	char id[ORDER_ID_SIZE];
	uint8_t signal;
	struct order_answer answer;
	int64_t end_ms;                 /* of one accepted; 0: of a release, or it was released */
};

struct order_book {
	struct order live[ORDERS_LIVE]; /* an empty id: free; an order keeps its place while it lives */
	struct order_level levels[ORDERS_SIGNALS];
	struct order_seen seen[ORDERS_REMEMBERED];
	uint32_t next_seen;
	int64_t newest_issued_ms[ORDERS_SIGNALS];       /* of orders accepted */
};

/* Answers an order and, if accepted, keeps it or does its release. An id answered before is not acted on again:
 * VERDICT_DUPLICATE if it was accepted then, else the answer of then; but one that a clock ahead of time ended before its
 * end is taken anew, though newer ones have come since.
 *
 * Where there is no room for it, an older one of its signal and kind that it makes void gives way: a limit or shed that is no
 * lower, a set point that it outranks, and either of them over no later than it is. So who tells a new set point every few
 * seconds, each for hours, is followed. It does not come back when the newer one is released. Pop it before the next is taken. */
struct order_answer orders_take(struct order_book *, const struct order *, int64_t now_ms, bool retained);
const char *refusal_text(enum order_refusal);

/* Of an earlier run: what was accepted then is not judged again, but has to be possible, and to find room. Its place, or -1. */
int orders_put_back(struct order_book *, const struct order *);

/* The index of a demand's limit_from, setpoint_from, miners_from: below ORDERS_LIVE an order's place in
 * live, from there on ORDERS_LIVE + the signal whose level it is. */
int orders_find(const struct order_book *, const char *id);     /* place in live, or -1 */

void orders_begin(struct order_book *, int64_t now_ms); /* notes which have started: they stay so if the clock goes back */
/* Takes one order out that has ended, was released or gave way: call until false. place: where it was. */
bool orders_pop_ended(struct order_book *, int64_t now_ms, struct order *out, int *place);

/* lead_ms: how long before its start a limit must bind already, since miners take as long to fall asleep;
 * horizon_ms: how far ahead limit_soon_w and miners_soon_w look. The site's own cap is not in it. */
void orders_resolve(const struct order_book *, int64_t now_ms, int64_t lead_ms, int64_t horizon_ms, struct demand *);

#endif
