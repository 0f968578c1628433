#include "daemon/signals_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"

#define LINES_A_MINUTE 200              /* two days of quarter hours at once; what is wild must not fill the journal */

void publish_event(struct signals *signals, const struct event *event)
{
	char topic[ORDER_ID_SIZE + 8];
	snprintf(topic, sizeof(topic), "event/%s", event->id);
	json_reset(&signals->json);
	event_json(event, &signals->json, NULL);
	signals->sink->put(signals->sink, topic, DELIVER_STATE, signals->json.text, signals->json.len);
}

void finish_event(struct signals *signals, struct event *event, bool cancelled, const char *why, struct instant now)
{
	event_end(event, cancelled, why, now);
	publish_event(signals, event);
	signals->ended[signals->next_ended] = *event;
	signals->next_ended = (signals->next_ended + 1) % ENDED;
}

/* An operator says for how long, not until when: if the clock is set, the end is set with it. */
static void move_end_of_hold(struct signals *signals, struct instant now)
{
	int place = operators(signals, ORDER_SETPOINT);
	if (place < 0 || !signals->hold_until_ms)
		return;
	struct event *event = &signals->events[place];
	int64_t end_ms = now.utc_ms + signals->hold_until_ms - now.mono_ms, moved_ms = end_ms - event->end_utc_ms;
	signals->book.live[place].end_ms = end_ms;
	if (!event->alive || (moved_ms > -1000 && moved_ms < 1000))
		return;
	event->end_utc_ms = end_ms;
	publish_event(signals, event);
}

void settle_orders(struct signals *signals, const char *why, struct instant now)
{
	struct order order;
	int place;
	move_end_of_hold(signals, now);
	orders_begin(&signals->book, now.utc_ms);
	while (orders_pop_ended(&signals->book, now.utc_ms, &order, &place)) {
		signals->changes++;
		if (signals->events[place].alive)
			finish_event(signals, &signals->events[place], order.cancelled,
			             order.gave_way ? "a newer one leaves nothing to it, and there was no more room" :
			             order.cancelled ? why : NULL, now);
	}
	for (place = 0; place < ORDERS_LIVE; place++) {
		struct event *event = &signals->events[place];
		if (!event->alive || event->status != EVENT_SCHEDULED || !signals->book.live[place].begun)
			continue;
		signals->changes++;
		event_activate(event, &signals->history, now);
		publish_event(signals, event);
	}
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void partly(struct ack *ack, int64_t effective_w, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void partly(struct ack *ack, int64_t effective_w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(ack->why, sizeof(ack->why), format, args);
	va_end(args);
	ack->result = ACK_PARTIAL;
	ack->effective_w = effective_w;
}

/* What the site would still draw with all miners asleep; 0 if that is not known. */
static int64_t floor_of(const struct signals *signals)
{
	bool known = signals->site_w != POLICY_NONE && signals->miners_w != POLICY_NONE;
	return known ? signals->site_w - signals->miners_w + signals->asleep_w : 0;
}

static void judge_site(const struct signals *signals, const struct order *order, const struct demand *demand, struct ack *ack)
{
	const char *binding = demand->limit_from < 0 ? "site" : signals_event_id(signals, demand->limit_from);
	int64_t limit_w = least(demand->limit_w, signals->cap_w), floor_w = floor_of(signals);
	int64_t effective_w = order->kind == ORDER_CAP ? limit_w : least(demand->setpoint_w, limit_w);
	bool outranked = order->kind == ORDER_SETPOINT && demand->setpoint_w != order->watts;
	if (demand->limit_w > signals->cap_w)
		binding = "site";
	ack->effective_w = effective_w;
	if (effective_w < floor_w)
		partly(ack, floor_w, "firm_load_floor: without its miners the site still draws %lld W", (long long)floor_w);
	else if (outranked)
		partly(ack, effective_w, "higher_priority: set point %s comes first",
		       signals_event_id(signals, demand->setpoint_from));
	else if (effective_w < order->watts && order->kind == ORDER_SETPOINT)
		partly(ack, effective_w, "limit of %lld W in force, from %s", (long long)limit_w, binding);
	else if (effective_w < order->watts)
		snprintf(ack->why, sizeof(ack->why), "a lower limit is in force, from %s", binding);
}

/* How long it takes from its start: nothing if it holds already. */
static int64_t eta_of(const struct signals *signals, const struct order *order, int64_t effective_w)
{
	bool known = signals->site_w != POLICY_NONE;
	switch ((enum order_kind)order->kind) {
	case ORDER_CAP:
		return known && signals->site_w <= effective_w ? 0 : signals->sleep_ms;
	case ORDER_SETPOINT:
		return known && signals->site_w > effective_w ? signals->sleep_ms : signals->wake_ms;
	case ORDER_SHED:
		return signals->sleep_ms;
	case ORDER_RELEASE:
		break;
	}
	return 0;
}

static void judge(const struct signals *signals, const struct order *order, struct ack *ack, struct instant now)
{
	int64_t start_ms = order->start_ms > now.utc_ms ? order->start_ms : now.utc_ms;
	struct demand demand;
	ack->result = ACK_ACCEPTED;
	orders_resolve(&signals->book, start_ms, 0, 0, &demand);
	if (order->kind == ORDER_CAP || order->kind == ORDER_SETPOINT)
		judge_site(signals, order, &demand, ack);
	if (order->kind == ORDER_SHED)
		ack->effective_w = demand.miners_w;
	ack->eta_ms = order->kind == ORDER_RELEASE ? 0 : start_ms - now.utc_ms + eta_of(signals, order, ack->effective_w);
}

/* ---- the log ---- */

static bool may_log(struct line_budget *lines, const char *what, struct instant now)
{
	if (now.mono_ms - lines->since_ms >= 60000) {
		if (lines->n > LINES_A_MINUTE)
			log_notice("%u more orders were %s in a minute", (unsigned)(lines->n - LINES_A_MINUTE), what);
		*lines = (struct line_budget){ .since_ms = now.mono_ms };
	}
	return ++lines->n <= LINES_A_MINUTE;
}

/* "cap of 12.000 MW, in 3600 s, for 900 s" */
void describe_order(const struct order *order, struct instant now, char *text, size_t size)
{
	static const char *const kinds[] = { [ORDER_CAP] = "cap of", [ORDER_SETPOINT] = "set point of",
	                                     [ORDER_SHED] = "shed to" };
	int64_t start_ms = order->start_ms > now.utc_ms ? order->start_ms : now.utc_ms;
	char begin[40] = "", end[40] = "until released";
	if (order->kind == ORDER_RELEASE) {
		snprintf(text, size, "release of %s", order->releases[0] ? order->releases : "all");
		return;
	}
	if (start_ms > now.utc_ms)
		snprintf(begin, sizeof(begin), "in %lld s, ", (long long)(start_ms - now.utc_ms) / 1000);
	if (order->end_ms != ORDER_NO_END)
		snprintf(end, sizeof(end), "for %lld s", (long long)(order->end_ms - start_ms) / 1000);
	snprintf(text, size, "%s %.3f MW, %s%s", kinds[order->kind], (double)order->watts / 1e6, begin, end);
}

static void log_accepted(struct signals *signals, const struct order *order, const struct ack *ack, struct instant now)
{
	char what[160];
	const char *but = ack->result == ACK_PARTIAL ? "; in part: " : ack->why[0] ? "; " : "";
	describe_order(order, now, what, sizeof(what));
	if (order->by_operator)
		log_notice("the operator: %s%s%s", what, but, ack->why);
	else if (may_log(&signals->accepted_lines, "accepted", now))
		log_info("order %s of %s: accepted, %s%s%s", order->id, signals->signals[order->signal].name, what, but, ack->why);
}

void log_refusal(struct signals *signals, const struct signal *signal, const char *id, const char *why, struct instant now)
{
	if (may_log(&signals->refused_lines, "refused", now))
		log_warning("order %s of %s: refused, %s", id, signal->name, why);
}

/* ---- answers ---- */

static void begin_event(struct signals *signals, const struct order *order, const char *name, struct instant now)
{
	struct event *event = &signals->events[orders_find(&signals->book, order->id)];
	event_begin(event, order, name, now);
	settle_orders(signals, NULL, now);
	if (event->status == EVENT_SCHEDULED)
		publish_event(signals, event);
}

static struct event note_refused(struct signals *signals, const struct order *order, const char *name, const char *why,
                                 struct instant now)
{
	struct event event;
	event_begin(&event, order, name, now);
	event.status = EVENT_REJECTED;
	event.alive = false;
	snprintf(event.why, sizeof(event.why), "%s", why);
	refused_add(&signals->refused, &event, now);
	return event;
}

static void answer(struct signals *signals, const struct signal *signal, const struct ack *ack, struct instant now)
{
	if (signal != &signals->signals[OPERATOR])
		ack_publish(ack, signal->name, now, &signals->json, signals->sink);
}

static bool accept(struct signals *signals, const struct order *order, bool again, struct ack *ack, struct instant now)
{
	const struct signal *signal = &signals->signals[order->signal];
	char why[120];
	int place = orders_find(&signals->book, order->id);
	if (place >= 0)                         /* so that judging can name it */
		memcpy(signals->events[place].id, order->id, sizeof(order->id));
	signals->changes++;
	judge(signals, order, ack, now);
	if (again && !ack->why[0])
		snprintf(ack->why, sizeof(ack->why), "taken anew: a clock that was ahead had ended it before its time");
	answers_keep(&signals->answers, ack);
	answer(signals, signal, ack, now);
	log_accepted(signals, order, ack, now);
	snprintf(why, sizeof(why), "released by %s", order->id);
	if (order->kind == ORDER_RELEASE)
		settle_orders(signals, why, now);
	else
		begin_event(signals, order, signal->name, now);
	return true;
}

static void answer_again(struct signals *signals, const struct order *order, const struct ack *before, struct ack *ack,
                         struct instant now)
{
	if (before)
		*ack = *before;
	ack->result = ACK_DUPLICATE;
	if (!ack->why[0])
		snprintf(ack->why, sizeof(ack->why), "answered before; nothing is done again");
	answer(signals, &signals->signals[order->signal], ack, now);
}

/* An order met before is not told again as an event: that would cover up what became of the first one. */
static void reject(struct signals *signals, const struct order *order, struct order_answer given,
                   const struct ack *before, struct ack *ack, struct instant now)
{
	const struct signal *signal = &signals->signals[order->signal];
	bool ours = given.refusal != REFUSAL_RETAINED && given.refusal != REFUSAL_ID_TAKEN;
	ack->result = given.verdict == VERDICT_STALE ? ACK_STALE : ACK_REJECTED;
	snprintf(ack->why, sizeof(ack->why), "%s", refusal_text(given.refusal));
	answer(signals, signal, ack, now);
	if (before)
		return;
	log_refusal(signals, signal, order->id, ack->why, now);
	struct event event = note_refused(signals, order, signal->name, ack->why, now);
	if (!ours)
		return;
	answers_keep(&signals->answers, ack);
	if (order->kind != ORDER_RELEASE)
		publish_event(signals, &event);
}

bool take_order(struct signals *signals, const struct order *order, bool retained, struct instant now)
{
	const struct ack *before = answers_find(&signals->answers, order->id);
	struct order_answer given = orders_take(&signals->book, order, now.utc_ms, retained);
	struct ack ack = { .effective_w = POLICY_NONE, .eta_ms = -1 };
	memcpy(ack.id, order->id, sizeof(ack.id));
	switch (given.verdict) {
	case VERDICT_ACCEPTED:
		return accept(signals, order, before != NULL, &ack, now);
	case VERDICT_DUPLICATE:
		answer_again(signals, order, before, &ack, now);
		return false;
	case VERDICT_STALE:
	case VERDICT_REJECTED:
		reject(signals, order, given, before, &ack, now);
		return false;
	}
	return false;
}

void refuse_order(struct signals *signals, const struct signal *signal, const char *id, const char *why, struct instant now)
{
	struct ack ack = { .result = ACK_REJECTED, .effective_w = POLICY_NONE, .eta_ms = -1 };
	struct order order = { .kind = EVENT_UNREAD, .watts = POLICY_NONE, .end_ms = ORDER_NO_END };
	snprintf(order.id, sizeof(order.id), "%s", id);
	note_refused(signals, &order, signal->name, why, now);
	snprintf(ack.id, sizeof(ack.id), "%s", id);
	snprintf(ack.why, sizeof(ack.why), "%s", why);
	answer(signals, signal, &ack, now);
}
