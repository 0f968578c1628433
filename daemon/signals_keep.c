/* Orders over a restart: what of them is kept, and how it is taken up again. */
#include <stdio.h>
#include <string.h>

#include "daemon/kept.h"
#include "daemon/log.h"
#include "daemon/signals_inside.h"
#include "daemon/xalloc.h"

#define MOST_AHEAD_MS 60000             /* no order is accepted that was issued later than this */

struct signals_changes signals_changes(const struct signals *signals)
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

void signals_keep(const struct signals *signals, struct instant now, struct kept_orders *kept)
{
	*kept = (struct kept_orders){ .alive = xcalloc(ORDERS_LIVE, sizeof(*kept->alive)) };
	for (int place = 0; place < ORDERS_LIVE; place++)
		if (signals->book.live[place].id[0] && !signals->book.live[place].cancelled)
			kept->alive[kept->n++] = keep_order(signals, place, now);
	for (size_t i = 0; i < signals->n; i++)
		if (signals->book.newest_issued_ms[i])
			kept->newest[kept->n_newest++] =
				(struct kept_newest){ signals->signals[i].name, signals->book.newest_issued_ms[i] };
}

/* ---- recalled ---- */

/* -1: no such signal gives orders now. */
static int signal_of(const struct signals *signals, const char *name)
{
	if (!name)
		return OPERATOR;
	for (size_t i = 0; i < signals->n; i++)
		if (signals->signals[i].format == SIGNAL_ORDER && strcmp(signals->signals[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* What has happened to it goes on being told; whether it is met has to be seen anew. */
static void recall_event(struct event *event, const struct kept_order *kept, const struct order *order, const char *signal,
                         struct instant now)
{
	const struct event *before = &kept->event;
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
	recall_event(&event, kept, &kept->order, kept->signal, now);
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
	int signal = signal_of(signals, kept->signal), place = -1;
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
	recall_event(event, kept, &order, signals->signals[signal].name, now);
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
	int signal = signal_of(signals, newest->signal);
	int64_t issued_ms = newest->issued_ms < now.utc_ms + MOST_AHEAD_MS ? newest->issued_ms : now.utc_ms + MOST_AHEAD_MS;
	if (signal >= 0 && issued_ms > signals->book.newest_issued_ms[signal])
		signals->book.newest_issued_ms[signal] = issued_ms;
}

struct signals_recalled signals_recall(struct signals *signals, const struct kept_orders *kept, struct instant now)
{
	struct signals_recalled recalled = { 0 };
	for (size_t i = 0; i < kept->n; i++)
		recall_order(signals, &kept->alive[i], now, &recalled);
	for (size_t i = 0; i < kept->n_newest; i++)
		recall_newest(signals, &kept->newest[i], now);
	settle_orders(signals, NULL, now);
	return recalled;
}
