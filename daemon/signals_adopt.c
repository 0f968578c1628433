#include "daemon/signals_inside.h"

#include <string.h>

#define GONE -1

/* Where an old signal lives on; GONE: nowhere. */
static int heir_of(const struct signals *new, const struct signals *old, size_t i)
{
	if (i == OPERATOR)
		return OPERATOR;
	for (size_t j = 0; i < old->n && j < new->n; j++)
		if (new->signals[j].format == old->signals[i].format &&
		    strcmp(new->signals[j].name, old->signals[i].name) == 0)
			return (int)j;
	return GONE;
}

static void adopt_orders(struct signals *new, const struct signals *old, const int *heirs)
{
	for (int i = 0; i < ORDERS_LIVE; i++) {
		if (!old->book.live[i].id[0])
			continue;
		new->book.live[i] = old->book.live[i];
		new->book.live[i].signal = (uint8_t)heirs[old->book.live[i].signal];
		new->events[i] = old->events[i];
	}
}

static void adopt_memory(struct signals *new, const struct signals *old, const int *heirs)
{
	memcpy(new->book.seen, old->book.seen, sizeof(new->book.seen));
	for (int i = 0; i < ORDERS_REMEMBERED; i++) {
		int heir = heirs[old->book.seen[i].signal];
		new->book.seen[i].signal = (uint8_t)(heir == GONE ? OPERATOR : heir);
	}
	new->book.next_seen = old->book.next_seen;
	for (int i = 0; i < ORDERS_SIGNALS; i++)
		if (heirs[i] != GONE)
			new->book.newest_issued_ms[heirs[i]] = old->book.newest_issued_ms[i];
	new->hold_until_ms = old->hold_until_ms;
	new->changes = old->changes + 1;
	new->answers = old->answers;
	new->history = old->history;
	memcpy(new->ended, old->ended, sizeof(new->ended));
	new->next_ended = old->next_ended;
	new->refused = old->refused;
	new->site_w = old->site_w;
	new->miners_w = old->miners_w;
}

static void adopt_target(struct signals *new, const struct signals *old, size_t from, size_t to, struct instant now)
{
	struct signal *signal = &new->signals[to];
	const struct signal *before = &old->signals[from];
	signal->heard = before->heard;
	signal->stale = before->stale;
	signal->heard_ms = before->heard_ms;
	signal->noted_ms = before->noted_ms;
	signal->unsure = before->unsure;
	signal->last_at_ms = before->last_at_ms;
	signal->share_ppm = before->share_ppm;
	new->events[ORDERS_LIVE + to] = old->events[ORDERS_LIVE + from];
	set_level(new, signal);
	tell_level(new, signal, "the configuration changed", now);
}

/* What has no heir ends in the old book, while that can still tell its event. */
static void end_orphans(struct signals *old, const int *heirs, struct instant now)
{
	static const char why[] = "its signal is no longer configured";
	for (int i = 0; i < ORDERS_LIVE; i++)
		if (old->book.live[i].id[0] && heirs[old->book.live[i].signal] == GONE)
			old->book.live[i].cancelled = true;
	settle_orders(old, why, now);
	for (size_t i = 0; i < old->n; i++) {
		if (heirs[i] != GONE)
			continue;
		alarms_clear(old->alarms, old->signals[i].alarm, now);
		if (old->events[ORDERS_LIVE + i].alive)
			finish_event(old, &old->events[ORDERS_LIVE + i], true, why, now);
	}
}

void signals_adopt(struct signals *new, struct signals *old, struct instant now)
{
	int heirs[ORDERS_SIGNALS];
	for (size_t i = 0; i < ORDERS_SIGNALS; i++)
		heirs[i] = heir_of(new, old, i);
	end_orphans(old, heirs, now);
	adopt_orders(new, old, heirs);
	adopt_memory(new, old, heirs);
	for (size_t i = 0; i < old->n; i++)
		if (heirs[i] != GONE)
			new->signals[heirs[i]].refused = old->signals[i].refused;
	for (size_t i = 0; i < old->n; i++)
		if (heirs[i] != GONE && old->signals[i].format == SIGNAL_TARGET)
			adopt_target(new, old, i, (size_t)heirs[i], now);
	memset(&old->book, 0, sizeof(old->book));
	memset(old->events, 0, sizeof(old->events));
}
