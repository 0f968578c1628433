/* Orders over a restart: what of them is kept, and how it is taken up again. */
#include <stdio.h>
#include <string.h>

#include "daemon/kept.h"
#include "daemon/log.h"
#include "daemon/signals_inside.h"
#include "daemon/xalloc.h"

#define MOST_AHEAD_MS 60000             /* no order is accepted that was issued later than this */

uint64_t signals_changes(const struct signals *signals)
{
	return signals->changes;
}

/* ---- kept ---- */

static struct kept_order keep_order(const struct signals *signals, int place, struct instant now)
{
	const struct order *order = &signals->book.live[place];
	struct kept_order kept = { .order = *order, .event = signals->events[place] };
	int64_t left_ms = signals->hold_until_ms - now.mono_ms;
	if (!order->by_operator)
		kept.signal = signals->signals[order->signal].name;
	else if (order->kind == ORDER_SETPOINT && signals->hold_until_ms)
		kept.left_ms = left_ms > 0 ? left_ms : 1;
	return kept;
}

static struct kept_target keep_target(const struct signals *signals, size_t i, struct instant now)
{
	const struct signal *signal = &signals->signals[i];
	return (struct kept_target){
		.signal = signal->name, .heard_utc_ms = now.utc_ms - (now.mono_ms - signal->heard_ms),
		.at_utc_ms = signal->last_at_ms, .share_ppm = signal->share_ppm, .stale = signal->stale,
		.event = signals->events[ORDERS_LIVE + i],
	};
}

void signals_keep(const struct signals *signals, struct instant now, struct kept_orders *kept)
{
	*kept = (struct kept_orders){ .alive = xcalloc(ORDERS_LIVE, sizeof(*kept->alive)),
	                              .targets = xcalloc(ORDERS_SIGNALS, sizeof(*kept->targets)) };
	for (int place = 0; place < ORDERS_LIVE; place++)
		if (signals->book.live[place].id[0] && !signals->book.live[place].cancelled)
			kept->alive[kept->n++] = keep_order(signals, place, now);
	for (size_t i = 0; i < signals->n; i++)
		if (signals->book.newest_issued_ms[i])
			kept->newest[kept->n_newest++] =
				(struct kept_newest){ signals->signals[i].name, signals->book.newest_issued_ms[i] };
	for (size_t i = 0; i < signals->n; i++)
		if (signals->signals[i].heard)
			kept->targets[kept->n_targets++] = keep_target(signals, i, now);
}

/* ---- recalled ---- */

/* -1: there is no such signal of this format now. */
static int signal_of(const struct signals *signals, const char *name, enum signal_format format)
{
	if (!name)
		return OPERATOR;
	for (size_t i = 0; i < signals->n; i++)
		if (signals->signals[i].format == format && strcmp(signals->signals[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* What has happened to it goes on being told; whether it is met has to be seen anew. */
static void recall_event(struct event *event, const struct event *before, const struct order *order, const char *signal,
                         struct instant now)
{
	int64_t since_ms = order->start_ms > before->received_utc_ms ? order->start_ms : before->received_utc_ms;
	event_begin(event, order, signal, now);
	event->received_utc_ms = before->received_utc_ms;
	event->first_command_utc_ms = before->first_command_utc_ms;
	event->met_utc_ms = before->met_utc_ms;
	event->response_ms = before->response_ms;
	event->before_w = before->before_w;
	event->max_w = before->max_w;
	event->energy_ws = before->energy_ws;
	event->known_ms = before->known_ms;
	if (!order->begun)
		return;
	event->status = before->status;
	event->failing_since_ms = now.mono_ms;
	event->from_ms = now.mono_ms - (now.utc_ms > since_ms ? now.utc_ms - since_ms : 0);
}

/* The time away counts, by the wall clock; but nothing is held for longer than the operator said. */
static void recall_hold(struct signals *signals, const struct kept_order *kept, struct order *order, struct instant now)
{
	signals->hold_until_ms = 0;
	if (!kept->left_ms)
		return;
	if (order->end_ms > now.utc_ms + kept->left_ms)
		order->end_ms = now.utc_ms + kept->left_ms;
	signals->hold_until_ms = now.mono_ms + order->end_ms - now.utc_ms;
	if (!signals->hold_until_ms)
		signals->hold_until_ms = 1;     /* 0 would be: until released */
}

/* It never gets into the book: only its event is left to be ended. */
static void tell_gone(struct signals *signals, const struct kept_order *kept, struct instant now)
{
	struct event event;
	recall_event(&event, &kept->event, &kept->order, kept->signal, now);
	finish_event(signals, &event, true, "its signal is no longer configured", now);
}

static bool may_be(const struct signals *signals, const struct order *order)
{
	if (!order->by_operator)
		return !reserved(signals, order->id);
	return (order->kind == ORDER_SETPOINT || order->kind == ORDER_SHED) && operators(signals, order->kind) < 0;
}

static void log_recalled(const struct order *order, struct instant now)
{
	char what[160];
	describe_order(order, now, what, sizeof(what));
	log_notice("the operator's %s, goes on", what);
}

static void recall_order(struct signals *signals, const struct kept_order *kept, struct instant now,
                         struct signals_recalled *recalled)
{
	struct order order = kept->order;
	int signal = signal_of(signals, kept->signal, SIGNAL_ORDER), place = -1;
	if (signal < 0)
		tell_gone(signals, kept, now);
	order.signal = (uint8_t)(signal < 0 ? 0 : signal);
	if (signal >= 0 && may_be(signals, &order)) {
		if (order.by_operator && order.kind == ORDER_SETPOINT)
			recall_hold(signals, kept, &order, now);
		place = orders_put_back(&signals->book, &order);
	}
	if (place < 0) {
		recalled->lost++;
		return;
	}
	struct event *event = &signals->events[place];
	recall_event(event, &kept->event, &order, signals->signals[signal].name, now);
	if (order.end_ms <= now.utc_ms) {
		recalled->ended++;
		snprintf(event->why, sizeof(event->why), "it ended while mulletd was not running");
		return;
	}
	recalled->alive++;
	publish_event(signals, event);
	if (order.by_operator)
		log_recalled(&order, now);
}

static void recall_newest(struct signals *signals, const struct kept_newest *newest, struct instant now)
{
	int signal = signal_of(signals, newest->signal, SIGNAL_ORDER);
	int64_t issued_ms = newest->issued_ms < now.utc_ms + MOST_AHEAD_MS ? newest->issued_ms : now.utc_ms + MOST_AHEAD_MS;
	if (signal >= 0 && issued_ms > signals->book.newest_issued_ms[signal])
		signals->book.newest_issued_ms[signal] = issued_ms;
}

static void recall_level(struct signals *signals, const struct signal *signal, struct event *event,
                         const struct event *before, const char *why, struct instant now)
{
	struct order order = { .kind = EVENT_SHARE, .begun = true, .watts = before->limit_w,
	                       .start_ms = before->received_utc_ms, .end_ms = ORDER_NO_END };
	snprintf(order.id, sizeof(order.id), "%s", signal->name);
	recall_event(event, before, &order, signal->name, now);
	snprintf(event->why, sizeof(event->why), "%s", why);
	publish_event(signals, event);
}

/* Its silence counts from when it came, by the wall clock, but for what of it nobody listened to: unless it was stale before,
 * half of the time that it may be silent is left to it now. If it should be stale already, nobody is woken for it meanwhile. */
static void recall_target(struct signals *signals, const struct kept_target *kept, struct instant now)
{
	int i = signal_of(signals, kept->signal, SIGNAL_TARGET);
	char why[80];
	if (i < 0)
		return;
	struct signal *signal = &signals->signals[i];
	int64_t age_ms = now.utc_ms > kept->heard_utc_ms ? now.utc_ms - kept->heard_utc_ms : 0;
	signal->heard = true;
	signal->unsure = age_ms >= signal->stale_after_ms;
	if (!kept->stale && age_ms > signal->stale_after_ms / 2)
		age_ms = signal->stale_after_ms / 2;
	else if (kept->stale && age_ms < signal->stale_after_ms)
		age_ms = signal->stale_after_ms;        /* by a clock that was set back, or by another stale_after */
	signal->heard_ms = signal->noted_ms = now.mono_ms - age_ms;
	signal->last_at_ms = kept->at_utc_ms;
	signal->share_ppm = (int32_t)kept->share_ppm;
	set_level(signals, signal);
	snprintf(why, sizeof(why), "target %d.%02d %%", signal->share_ppm / 10000, signal->share_ppm % 10000 / 100);
	if (kept->event.alive)
		recall_level(signals, signal, &signals->events[ORDERS_LIVE + i], &kept->event, why, now);
	tell_level(signals, signal, why, now);
	if (age_ms < signal->stale_after_ms)
		log_notice("the %s of %s is in force again", why, signal->name);
}

struct signals_recalled signals_recall(struct signals *signals, const struct kept_orders *kept, struct instant now)
{
	struct signals_recalled recalled = { 0 };
	for (size_t i = 0; i < kept->n; i++)
		recall_order(signals, &kept->alive[i], now, &recalled);
	for (size_t i = 0; i < kept->n_newest; i++)
		recall_newest(signals, &kept->newest[i], now);
	for (size_t i = 0; i < kept->n_targets; i++)
		recall_target(signals, &kept->targets[i], now);
	check_targets(signals, now);
	settle_orders(signals, NULL, now);
	return recalled;
}
