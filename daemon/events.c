#include "daemon/events.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STEP_MS 10000

void history_add(struct site_history *history, int64_t mono_ms, int64_t site_w)
{
	int64_t step = mono_ms / STEP_MS;
	size_t i = (size_t)step % HISTORY_BUCKETS;
	if (history->buckets[i].step != step || history->buckets[i].n == 0) {
		history->buckets[i].step = step;
		history->buckets[i].sum_w = history->buckets[i].n = 0;
	}
	history->buckets[i].sum_w += site_w;
	history->buckets[i].n++;
}

/* POLICY_NONE: nothing known. */
static int64_t history_mean(const struct site_history *history, int64_t mono_ms)
{
	int64_t oldest = mono_ms / STEP_MS - (HISTORY_BUCKETS - 1), sum_w = 0, n = 0;
	for (size_t i = 0; i < HISTORY_BUCKETS; i++) {
		if (history->buckets[i].n == 0 || history->buckets[i].step < oldest)
			continue;
		sum_w += history->buckets[i].sum_w;
		n += history->buckets[i].n;
	}
	return n ? sum_w / n : POLICY_NONE;
}

void event_begin(struct event *event, const struct order *order, const char *signal, struct instant now)
{
	*event = (struct event){
		.alive = true, .kind = order->kind, .status = EVENT_SCHEDULED, .limit_w = order->watts,
		.received_utc_ms = now.utc_ms,
		.start_utc_ms = order->start_ms ? order->start_ms : now.utc_ms,
		.end_utc_ms = order->end_ms,
		.response_ms = -1, .before_w = POLICY_NONE, .max_w = POLICY_NONE, .seen_w = POLICY_NONE,
	};
	memcpy(event->id, order->id, sizeof(event->id));
	snprintf(event->signal, sizeof(event->signal), "%s", signal);
}

void event_activate(struct event *event, const struct site_history *history, struct instant now)
{
	event->status = EVENT_ACTIVE;
	event->from_ms = event->failing_since_ms = now.mono_ms;
	event->before_w = history_mean(history, now.mono_ms);
}

static bool holds(const struct event *event, const struct event_rules *rules, int64_t site_w, int64_t miners_w)
{
	int64_t off_w;
	switch (event->kind) {
	case ORDER_CAP:
		return site_w != POLICY_NONE && site_w <= event->limit_w;
	case ORDER_SETPOINT:
		off_w = site_w == POLICY_NONE ? POLICY_NONE : site_w - event->limit_w;
		return (off_w < 0 ? -off_w : off_w) <= event->limit_w / 50;
	default:
		return miners_w != POLICY_NONE && miners_w <= event->limit_w + rules->asleep_w + rules->slack_w;
	}
}

static void measure(struct event *event, struct instant now, int64_t site_w)
{
	if (event->seen_w != POLICY_NONE) {
		int64_t passed_ms = now.mono_ms - event->seen_ms;
		event->energy_wms += event->seen_w * passed_ms;
		event->energy_ws += event->energy_wms / 1000;
		event->energy_wms %= 1000;
		event->known_ms += passed_ms;
	}
	event->seen_ms = now.mono_ms;
	event->seen_w = site_w;
	if (site_w != POLICY_NONE && (event->max_w == POLICY_NONE || site_w > event->max_w))
		event->max_w = site_w;
}

static void note_met(struct event *event, struct instant now)
{
	if (event->status == EVENT_MISSED)
		event->why[0] = '\0';
	event->status = EVENT_MET;
	event->failing_since_ms = -1;
	if (event->response_ms >= 0)
		return;
	event->met_utc_ms = now.utc_ms;
	event->response_ms = now.mono_ms - event->from_ms;
}

static void note_missed(struct event *event, struct instant now)
{
	event->status = EVENT_MISSED;
	snprintf(event->why, sizeof(event->why), "not met for %lld s",
	         (long long)((now.mono_ms - event->failing_since_ms) / 1000));
}

bool event_observe(struct event *event, const struct event_rules *rules, struct instant now, int64_t site_w, int64_t miners_w)
{
	enum event_status before = event->status;
	if (!event->alive || before == EVENT_SCHEDULED)
		return false;
	measure(event, now, site_w);
	if (holds(event, rules, site_w, miners_w)) {
		if (event->failing_since_ms >= 0)
			note_met(event, now);
	} else if (event->failing_since_ms < 0) {
		event->failing_since_ms = now.mono_ms;
	} else if (before != EVENT_MISSED && now.mono_ms - event->failing_since_ms >= rules->miss_after_ms) {
		note_missed(event, now);
	}
	return event->status != before;
}

void event_end(struct event *event, bool cancelled, const char *why, struct instant now)
{
	if (event->status != EVENT_SCHEDULED)
		measure(event, now, POLICY_NONE);
	bool met = event->status == EVENT_MET;
	event->status = cancelled ? EVENT_CANCELLED : met ? EVENT_COMPLETED : EVENT_MISSED;
	event->alive = false;
	if (why)
		snprintf(event->why, sizeof(event->why), "%s", why);
	else if (!met && !event->why[0])
		snprintf(event->why, sizeof(event->why), "it ended before it was met");
}

static const char *status_name(enum event_status status)
{
	switch (status) {
	case EVENT_SCHEDULED: return "scheduled";
	case EVENT_ACTIVE:    return "active";
	case EVENT_MET:       return "met";
	case EVENT_MISSED:    return "missed";
	case EVENT_COMPLETED: return "completed";
	case EVENT_CANCELLED: return "cancelled";
	case EVENT_REJECTED:  return "rejected";
	}
	return "";
}

static const char *kind_name(uint8_t kind)
{
	static const char *const names[] = { "cap", "setpoint", "shed", "release", "share" };
	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

/* Both in two parts, so that a year of gigawatts does not overflow. */
static int64_t mean_of(const struct event *event)
{
	int64_t ws = event->energy_ws, ms = event->known_ms;
	return ws / ms * 1000 + (ws % ms * 1000 + event->energy_wms) / ms;
}

static int64_t saved_wh(const struct event *event)
{
	int64_t s = event->known_ms / 1000, ms = event->known_ms % 1000;
	return (event->before_w * s + event->before_w * ms / 1000 - event->energy_ws) / 3600;
}

static void write_results(const struct event *event, struct json *json)
{
	bool known = event->known_ms > 0, compared = known && event->before_w != POLICY_NONE;
	int64_t mean_w = known ? mean_of(event) : POLICY_NONE;
	int64_t delivered_w = compared ? event->before_w - mean_w : POLICY_NONE;
	int64_t not_drawn_wh = compared ? saved_wh(event) : POLICY_NONE;
	json_int_or_null(json, "before_w", event->before_w, POLICY_NONE);
	json_int_or_null(json, "mean_w", mean_w, POLICY_NONE);
	json_int_or_null(json, "max_w", event->max_w, POLICY_NONE);
	json_int_or_null(json, "delivered_w", delivered_w, POLICY_NONE);
	json_int_or_null(json, "not_drawn_wh", not_drawn_wh, POLICY_NONE);
}

void event_json(const struct event *event, struct json *json, const char *key)
{
	json_open(json, key);
	json_string(json, "id", event->id[0] ? event->id : NULL);
	json_string(json, "signal", event->signal);
	json_string(json, "kind", kind_name(event->kind));
	json_string(json, "status", status_name(event->status));
	json_int_or_null(json, "limit_w", event->kind == ORDER_RELEASE ? POLICY_NONE : event->limit_w, POLICY_NONE);
	json_time(json, "received", event->received_utc_ms);
	json_time(json, "start", event->start_utc_ms);
	json_time(json, "end", event->end_utc_ms == ORDER_NO_END ? 0 : event->end_utc_ms);
	json_time(json, "first_command", event->first_command_utc_ms);
	json_time(json, "met_at", event->met_utc_ms);
	json_number(json, "response_s", event->response_ms < 0 ? NAN : (double)event->response_ms / 1000, 3);
	write_results(event, json);
	json_string(json, "why", event->why[0] ? event->why : NULL);
	json_close(json);
}
