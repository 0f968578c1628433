#include "policy/orders.h"

#include <string.h>

/* The room may use no string functions of the C library. */
static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static struct order_seen *find_seen(struct order_book *book, const char *id)
{
	for (int i = 0; i < ORDERS_REMEMBERED; i++)
		if (same(book->seen[i].id, id))
			return &book->seen[i];
	return NULL;
}

/* seen: where it was met before; NULL: it was not. */
static void remember(struct order_book *book, struct order_seen *seen, const struct order *order, struct order_answer answer)
{
	if (!seen) {
		seen = &book->seen[book->next_seen % ORDERS_REMEMBERED];
		book->next_seen = (book->next_seen + 1) % ORDERS_REMEMBERED;
	}
	memcpy(seen->id, order->id, sizeof(seen->id));
	seen->signal = order->signal;
	seen->answer = answer;
	seen->end_ms = order->kind == ORDER_RELEASE ? 0 : order->end_ms;
}

int orders_find(const struct order_book *book, const char *id)
{
	for (int i = 0; i < ORDERS_LIVE; i++)
		if (*id && same(book->live[i].id, id))
			return i;
	return -1;
}

static int free_place(const struct order_book *book)
{
	for (int i = 0; i < ORDERS_LIVE; i++)
		if (!book->live[i].id[0])
			return i;
	return -1;
}

/* Nobody can take the places that are another signal's own, so there is a free one wherever this finds room. */
static enum order_refusal refuse_room(const struct order_book *book, uint8_t signal)
{
	int n[ORDERS_SIGNALS] = { 0 }, common = 0;
	for (int i = 0; i < ORDERS_LIVE; i++)
		if (book->live[i].id[0] && ++n[book->live[i].signal] > ORDERS_OWN)
			common++;
	if (n[signal] >= ORDERS_SHARE)
		return REFUSAL_SHARE;
	return n[signal] < ORDERS_OWN || common < ORDERS_COMMON ? REFUSAL_NONE : REFUSAL_FULL;
}

static bool alive(const struct order *order)
{
	return order->id[0] && !order->cancelled;
}

/* Highest priority, then newest; of equals the lower draw, so that the answer does not hang on who came first. */
static bool outranks(const struct order *a, const struct order *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->issued_ms != b->issued_ms)
		return a->issued_ms > b->issued_ms;
	return a->watts < b->watts;
}

/* From now on nothing comes of the old one that does not come of the new one. */
static bool makes_void(const struct order *order, const struct order *old, int64_t now_ms)
{
	if (old->signal != order->signal || old->kind != order->kind || old->end_ms > order->end_ms ||
	    (order->start_ms > now_ms && order->start_ms > old->start_ms))
		return false;
	return order->kind == ORDER_SETPOINT ? outranks(order, old) : order->watts <= old->watts;
}

/* The one issued first of those that would give way to it, or -1. */
static int who_gives_way(const struct order_book *book, const struct order *order, int64_t now_ms)
{
	int first = -1;
	for (int i = 0; i < ORDERS_LIVE; i++)
		if (alive(&book->live[i]) && makes_void(order, &book->live[i], now_ms) &&
		    (first < 0 || book->live[i].issued_ms < book->live[first].issued_ms))
			first = i;
	return free_place(book) >= 0 ? first : -1;
}

static bool in_range(const struct order *order)
{
	if (order->issued_ms < 0 || order->kind == ORDER_RELEASE)
		return order->issued_ms >= 0;
	return order->kind < ORDER_RELEASE && order->priority >= 0 &&
	       order->watts >= 0 && order->watts <= ORDER_MOST_W &&
	       order->ramp_w_per_min >= 0 && order->ramp_w_per_min <= ORDER_MOST_W &&
	       order->start_ms >= 0 && order->end_ms >= 0;
}

static bool too_far(int64_t at_ms, int64_t now_ms)
{
	return at_ms != ORDER_NO_END && at_ms - ORDER_MOST_AHEAD_MS > now_ms;
}

static enum order_refusal refuse_period(const struct order *order, int64_t now_ms)
{
	int64_t start_ms = order->start_ms ? order->start_ms : now_ms;
	if (order->end_ms <= now_ms)
		return REFUSAL_ENDED;
	if (order->end_ms <= start_ms)
		return REFUSAL_BACKWARDS;
	return too_far(start_ms, now_ms) || too_far(order->end_ms, now_ms) ? REFUSAL_RANGE : REFUSAL_NONE;
}

static enum order_refusal refuse_release(const struct order_book *book, const struct order *order)
{
	if (!order->releases[0])
		return REFUSAL_NONE;
	int place = orders_find(book, order->releases);
	bool ours = place >= 0 && book->live[place].signal == order->signal;
	return ours && alive(&book->live[place]) ? REFUSAL_NONE : REFUSAL_UNKNOWN;
}

static enum order_refusal refuse(const struct order_book *book, const struct order *order, int64_t now_ms, bool again)
{
	if (!in_range(order))
		return REFUSAL_RANGE;
	/* The operator speaks now, whatever the clock said before. */
	if (!order->by_operator && order->issued_ms - 60000 > now_ms)
		return REFUSAL_FUTURE;
	if (!order->by_operator && !again && order->issued_ms < book->newest_issued_ms[order->signal])
		return REFUSAL_STALE;
	if (order->kind == ORDER_RELEASE)
		return refuse_release(book, order);
	enum order_refusal refusal = refuse_period(order, now_ms);
	if (refusal != REFUSAL_NONE)
		return refusal;
	refusal = refuse_room(book, order->signal);
	return refusal == REFUSAL_NONE || who_gives_way(book, order, now_ms) >= 0 ? REFUSAL_NONE : refusal;
}

static void release(struct order_book *book, const struct order *order)
{
	for (int i = 0; i < ORDERS_LIVE; i++) {
		struct order *live = &book->live[i];
		if (live->signal == order->signal && (!order->releases[0] || same(live->id, order->releases)))
			live->cancelled = true;
	}
	for (int i = 0; i < ORDERS_REMEMBERED; i++) {
		struct order_seen *seen = &book->seen[i];
		if (seen->signal == order->signal && (!order->releases[0] || same(seen->id, order->releases)))
			seen->end_ms = 0;
	}
}

static void keep(struct order_book *book, const struct order *order, int64_t now_ms)
{
	if (refuse_room(book, order->signal) != REFUSAL_NONE) {
		struct order *old = &book->live[who_gives_way(book, order, now_ms)];
		struct order_seen *seen = find_seen(book, old->id);
		old->cancelled = old->gave_way = true;
		if (seen)
			seen->end_ms = 0;       /* no clock ended it */
	}
	struct order *live = &book->live[free_place(book)];
	*live = *order;
	live->begun = live->cancelled = live->gave_way = false;
	if (live->start_ms == 0)
		live->start_ms = now_ms;
}

static struct order_answer answer_again(uint8_t signal, struct order_answer answer, const struct order *order)
{
	if (signal != order->signal)
		return (struct order_answer){ VERDICT_REJECTED, REFUSAL_ID_TAKEN };
	if (answer.verdict == VERDICT_ACCEPTED)
		return (struct order_answer){ VERDICT_DUPLICATE, REFUSAL_NONE };
	return answer;
}

/* By a clock that was ahead for a while: by its own end it would still be alive, and nobody released it. */
static bool ended_early(const struct order_book *book, const struct order_seen *seen, int64_t now_ms)
{
	return seen->answer.verdict == VERDICT_ACCEPTED && now_ms < seen->end_ms && orders_find(book, seen->id) < 0;
}

struct order_answer orders_take(struct order_book *book, const struct order *order, int64_t now_ms, bool retained)
{
	if (!order->id[0] || order->signal >= ORDERS_SIGNALS)
		return (struct order_answer){ VERDICT_REJECTED, REFUSAL_RANGE };
	struct order_seen *seen = find_seen(book, order->id);
	bool again = seen && seen->signal == order->signal && ended_early(book, seen, now_ms);
	if (seen && !again)
		return answer_again(seen->signal, seen->answer, order);
	int place = orders_find(book, order->id);
	if (place >= 0)                         /* it has lived for longer than its id is remembered */
		return answer_again(book->live[place].signal, (struct order_answer){ VERDICT_ACCEPTED, REFUSAL_NONE }, order);
	/* Not remembered: what the broker kept says nothing about the order itself, it may still come alive. */
	if (retained)
		return (struct order_answer){ VERDICT_REJECTED, REFUSAL_RETAINED };
	enum order_refusal refusal = refuse(book, order, now_ms, again);
	struct order_answer answer = {
		.verdict = refusal == REFUSAL_NONE ? VERDICT_ACCEPTED :
		           refusal == REFUSAL_STALE ? VERDICT_STALE : VERDICT_REJECTED,
		.refusal = refusal,
	};
	if (!again || refusal == REFUSAL_NONE)
		remember(book, seen, order, answer);
	if (refusal != REFUSAL_NONE)
		return answer;
	if (order->issued_ms > book->newest_issued_ms[order->signal])
		book->newest_issued_ms[order->signal] = order->issued_ms;
	if (order->kind == ORDER_RELEASE)
		release(book, order);
	else
		keep(book, order, now_ms);
	return answer;
}

int orders_put_back(struct order_book *book, const struct order *order)
{
	bool possible = order->id[0] && order->signal < ORDERS_SIGNALS && order->kind < ORDER_RELEASE && in_range(order) &&
	                order->start_ms > 0 && (order->begun || order->end_ms > order->start_ms);
	if (!possible || orders_find(book, order->id) >= 0 || refuse_room(book, order->signal) != REFUSAL_NONE)
		return -1;
	int place = free_place(book);
	book->live[place] = *order;
	book->live[place].cancelled = book->live[place].gave_way = false;
	if (order->issued_ms > book->newest_issued_ms[order->signal])
		book->newest_issued_ms[order->signal] = order->issued_ms;
	return place;
}

const char *refusal_text(enum order_refusal refusal)
{
	switch (refusal) {
	case REFUSAL_NONE:      return "accepted";
	case REFUSAL_STALE:     return "older than the newest order of its signal";
	case REFUSAL_RETAINED:  return "delivered retained: orders must be published without the retain flag";
	case REFUSAL_FUTURE:    return "issued more than 60 s in the future: check both clocks";
	case REFUSAL_ENDED:     return "already ended";
	case REFUSAL_BACKWARDS: return "ends before it starts";
	case REFUSAL_RANGE:     return "out of range";
	case REFUSAL_SHARE:     return "its signal has as many orders alive as one may have; release some first";
	case REFUSAL_FULL:      return "the book of orders is full; release some first";
	case REFUSAL_ID_TAKEN:  return "its id is another signal's";
	case REFUSAL_UNKNOWN:   return "no such order of this signal is alive";
	}
	return "";
}

void orders_begin(struct order_book *book, int64_t now_ms)
{
	for (int i = 0; i < ORDERS_LIVE; i++)
		if (book->live[i].id[0] && book->live[i].start_ms <= now_ms)
			book->live[i].begun = true;
}

bool orders_pop_ended(struct order_book *book, int64_t now_ms, struct order *out, int *place)
{
	for (int i = 0; i < ORDERS_LIVE; i++) {
		struct order *live = &book->live[i];
		if (!live->id[0] || (!live->cancelled && now_ms < live->end_ms))
			continue;
		*out = *live;
		*place = i;
		memset(live, 0, sizeof(*live));
		return true;
	}
	return false;
}

static bool in_force(const struct order *order, int64_t now_ms, int64_t ahead_ms)
{
	return alive(order) && now_ms < order->end_ms && (order->begun || order->start_ms - ahead_ms <= now_ms);
}

static void lower(int64_t *least, int64_t watts)
{
	if (watts < *least)
		*least = watts;
}

static void resolve_order(const struct order_book *book, int i, int64_t now_ms, int64_t lead_ms,
                          int64_t horizon_ms, struct demand *demand)
{
	const struct order *order = &book->live[i];
	bool now = in_force(order, now_ms, order->kind == ORDER_SETPOINT ? 0 : lead_ms);
	bool soon = now || in_force(order, now_ms, horizon_ms);
	switch ((enum order_kind)order->kind) {
	case ORDER_CAP:
		if (now && order->watts < demand->limit_w) {
			demand->limit_w = order->watts;
			demand->limit_from = (int16_t)i;
		}
		if (soon)
			lower(&demand->limit_soon_w, order->watts);
		break;
	case ORDER_SHED:
		if (now && order->watts < demand->miners_w) {
			demand->miners_w = order->watts;
			demand->miners_from = (int16_t)i;
			demand->shed = true;
		}
		if (soon)
			lower(&demand->miners_soon_w, order->watts);
		break;
	case ORDER_SETPOINT:
		if (now && (demand->setpoint_from < 0 || outranks(order, &book->live[demand->setpoint_from])))
			demand->setpoint_from = (int16_t)i;
		break;
	case ORDER_RELEASE:
		break;
	}
}

static void resolve_level(const struct order_book *book, int signal, struct demand *demand)
{
	const struct order_level *level = &book->levels[signal];
	if (!level->set)
		return;
	if (level->miners_w < demand->miners_w) {
		demand->miners_w = level->miners_w;
		demand->miners_from = (int16_t)(ORDERS_LIVE + signal);
		demand->shed = false;
	}
	lower(&demand->miners_soon_w, level->miners_w);
	lower(&demand->miners_soon_w, level->miners_soon_w);
}

void orders_resolve(const struct order_book *book, int64_t now_ms, int64_t lead_ms, int64_t horizon_ms,
                    struct demand *demand)
{
	*demand = (struct demand){
		.limit_w = POLICY_NONE, .limit_soon_w = POLICY_NONE, .setpoint_w = POLICY_NONE,
		.miners_w = POLICY_NONE, .miners_soon_w = POLICY_NONE,
		.limit_from = -1, .setpoint_from = -1, .miners_from = -1,
	};
	for (int i = 0; i < ORDERS_LIVE; i++)
		if (book->live[i].id[0])
			resolve_order(book, i, now_ms, lead_ms, horizon_ms, demand);
	for (int signal = 0; signal < ORDERS_SIGNALS; signal++)
		resolve_level(book, signal, demand);
	if (demand->setpoint_from < 0)
		return;
	const struct order *setpoint = &book->live[demand->setpoint_from];
	demand->setpoint_w = setpoint->watts;
	demand->setpoint_ramp_w_per_min = setpoint->ramp_w_per_min;
	demand->by_operator = setpoint->by_operator;
}
