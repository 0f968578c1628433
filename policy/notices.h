/* policy/notices.h - the GPU scheduler's notices: its load is about to move by so much (contract, section 4).
 *
 * A rise is planned for as soon as miners told now would be down no earlier than the GPUs are up; a fall is counted on
 * only where a set point asks for less than the limits allow, and for the limits once it has been seen to last. A rise
 * that ends a fall brings the load back, no further: it is not planned for on top as long as the fall may still be seen in
 * time. So one that does not come true costs at most its own size, until NOTICE_LATE_MS after its time, and never the
 * limit.
 * Times are monotonic. A book is plain data, zero to start. */
#ifndef POLICY_NOTICES_H
#define POLICY_NOTICES_H

#include "policy/orders.h"

#define NOTICES_MOST       64
#define NOTICE_EARLY_MS    10000        /* a move so long before its time still is the one announced … */
#define NOTICE_LATE_MS     30000        /* … and so long after it should be done */
#define NOTICE_LASTS_MS    15000        /* a fall counts when the load has stayed below for so long: dips of training are
                                         * 2 to 13 s long */
#define NOTICE_SEEN_MS     1500         /* before that it is seen when it has for so long */
#define NOTICE_TRUE_PERCENT 60          /* of what was announced must come */
#define NOTICE_MOST_AHEAD_MS (7LL * 24 * 3600 * 1000)
#define NOTICE_MOST_OVER_MS  3600000

struct notice {
	char id[ORDER_ID_SIZE];
	int64_t at_ms, over_ms;         /* it begins, and takes so long */
	int64_t delta_w;
	/* the book's own: */
	bool due;                       /* what the load moves now may be its doing */
	int64_t base_w;                 /* the load planned for when it became due */
	int64_t moved_w;                /* of it that has come, without its sign */
	bool dipped;                    /* a fall that has been seen, but not yet to last */
	bool returned;                  /* the load fell and came back, as this one and another told */
};

struct notice_book {
	struct notice notices[NOTICES_MOST];    /* the soonest first */
	size_t n;
	int64_t highest_w, lowest_w;    /* so far the load's moves have been credited to notices that are due */
};

enum notice_answer {
	NOTICE_TAKEN, NOTICE_KNOWN, NOTICE_WITHDRAWN, NOTICE_UNKNOWN, NOTICE_OVER, NOTICE_FAR, NOTICE_FULL,
	NOTICE_INSTEAD,                 /* taken; the last one of a full book gave way */
};

/* The same id again takes the place of the old one; with delta_w 0 it withdraws it. In a full book one that comes later,
 * and is not due, gives way to one that comes sooner. */
enum notice_answer notices_take(struct notice_book *, const struct notice *, int64_t now_ms);
/* After each step. planned_w: the highest load of late, without what notices add; recent_w, present_w: the highest of the
 * last NOTICE_LASTS_MS and NOTICE_SEEN_MS. Moves are credited to the soonest first; a fall and the rise that ends it before
 * it has lasted, to each other. */
void notices_see(struct notice_book *, int64_t now_ms, int64_t planned_w, int64_t recent_w, int64_t present_w);
/* Takes one out that has ended, call until false: *came_true, or it was for nothing. A rise and a fall that were to
 * cancel out, and did, came true both. */
bool notices_pop(struct notice_book *, int64_t now_ms, struct notice *, bool *came_true);

struct forecast {
	int64_t rise_w;                 /* still to come within sleep_ms and a margin, over the load as it lately was, or … */
	int64_t dipped_to_w;            /* … over the bottom of a dip, as announced; INT64_MAX: there is none */
	int64_t risen_w;                /* has come of rises in force */
	int64_t rise_soon_w;            /* still to come within soon_ms */
	int64_t fall_w;                 /* still to come within wake_ms; not to be counted on for a limit */
	int64_t fallen_to_w;            /* INT64_MAX, or: the load has fallen to this, or below, for long enough to be filled */
};
/* How long miners take: to fall; until the last are awake; until a fall that ends within fill_ms is not worth filling;
 * soon_ms: twice until the slowest are asleep and awake again. */
struct forecast_times { int64_t sleep_ms, wake_ms, fill_ms, soon_ms; };
struct forecast notices_forecast(const struct notice *, size_t n, int64_t now_ms, const struct forecast_times *);

#endif
