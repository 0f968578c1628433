#include "daemon/signals.h"

#include <stdio.h>
#include <string.h>

#include "daemon/signal_json.h"
#include "daemon/signals_inside.h"
#include "daemon/xalloc.h"

static char *joined(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *s = xcalloc(1, size);
	snprintf(s, size, "%s%s%s", a, b, c);
	return s;
}

static void signal_init(struct signal *signal, const struct signal_conf *conf, const char *prefix, struct instant now)
{
	*signal = (struct signal){
		.name = xstrdup(conf->name),
		.topic = conf->topic ? xstrdup(conf->topic) : joined(prefix, "/order/", conf->name),
		.alarm = joined("signal/", conf->name, ""),
		.format = conf->format, .stale_after_ms = conf->stale_after_ms, .when_stale = conf->when_stale,
		.heard_ms = now.mono_ms,
	};
}

static void signal_clean(struct signal *signal)
{
	free(signal->name);
	free(signal->topic);
	free(signal->alarm);
	*signal = (struct signal){ .name = NULL };
}

struct signals *signals_new(const struct signals_conf *conf, struct sink *sink, struct alarms *alarms, struct instant now)
{
	struct signals *signals = xcalloc(1, sizeof(*signals));
	int64_t miss_after_ms = conf->sleep_ms * 10 > 60000 ? conf->sleep_ms * 10 : 60000;
	signals->sink = sink;
	signals->alarms = alarms;
	signals->cap_w = conf->cap_w;
	signals->nominal_w = conf->nominal_w;
	signals->asleep_w = conf->asleep_w;
	signals->sleep_ms = conf->sleep_ms;
	signals->wake_ms = conf->wake_ms;
	signals->rules = (struct event_rules){ miss_after_ms, conf->asleep_w, conf->nominal_w / 50 };
	signals->site_w = signals->miners_w = POLICY_NONE;
	signals->ahead_ms = now.utc_ms - now.mono_ms;
	orders_resolve(&signals->book, now.utc_ms, 0, 0, &signals->demand);
	signals->signals[OPERATOR].name = xstrdup("operator");
	for (size_t i = 0; i < conf->n_signals && i < SIGNALS_MOST; i++) {
		struct signal *signal = &signals->signals[signals->n++];
		signal_init(signal, &conf->signals[i], conf->prefix, now);
		alarms_declare(alarms, signal->alarm, signal->name, now);
		if (signal->format == SIGNAL_TARGET)
			set_level(signals, signal);
	}
	return signals;
}

void signals_free(struct signals *signals)
{
	if (!signals)
		return;
	for (size_t i = 0; i < ORDERS_SIGNALS; i++)
		signal_clean(&signals->signals[i]);
	json_free(&signals->json);
	free(signals);
}

size_t signals_count(const struct signals *signals)
{
	return signals->n;
}

const char *signals_topic(const struct signals *signals, size_t i)
{
	return signals->signals[i].topic;
}

bool reserved(const struct signals *signals, const char *id)
{
	for (size_t i = 0; i < signals->n; i++)
		if (signals->signals[i].format == SIGNAL_TARGET && strcmp(signals->signals[i].name, id) == 0)
			return true;
	return strncmp(id, "operator", 8) == 0;
}

/* One that is stale as well is so anew with the next turn, which says it again. */
void signals_subscribed(struct signals *signals, const char *topic, bool granted, struct instant now)
{
	char why[256];
	snprintf(why, sizeof(why), SIGNALS_REFUSED, topic);
	for (size_t i = 0; i < signals->n; i++) {
		struct signal *signal = &signals->signals[i];
		if (strcmp(signal->topic, topic) != 0 || signal->refused == !granted)
			continue;
		signal->refused = !granted;
		signal->stale = false;
		if (granted)
			alarms_clear(signals->alarms, signal->alarm, now);
		else
			raise_signal(signals, signal, SEVERITY_CRITICAL, why, now);
	}
}

static void take_order_message(struct signals *signals, const struct signal *signal, const char *text, size_t len,
                               bool retained, struct instant now)
{
	struct order order;
	struct signal_fault fault;
	if (!signal_order_parse(text, len, &order, &fault)) {
		raise_signal(signals, signal, SEVERITY_WARNING, fault.why, now);
		refuse_order(signals, signal, fault.id, fault.why, now);
		return;
	}
	alarms_clear(signals->alarms, signal->alarm, now);
	if (reserved(signals, order.id)) {
		static const char why[] = "its id is kept for events of other origin";
		refuse_order(signals, signal, order.id, why, now);
		log_refusal(signals, signal, order.id, why, now);
		return;
	}
	order.signal = (uint8_t)(signal - signals->signals);
	take_order(signals, &order, retained, now);
}

static void take_message(struct signals *signals, struct signal *signal, const char *text, size_t len, bool retained,
                         struct instant now)
{
	char why[80];
	if (text && signal->format == SIGNAL_TARGET) {
		take_target(signals, signal, text, len, retained, now);
	} else if (text) {
		take_order_message(signals, signal, text, len, retained, now);
	} else {
		snprintf(why, sizeof(why), "%zu bytes are more than %d", len, SIGNAL_MOST_BYTES);
		raise_signal(signals, signal, SEVERITY_WARNING, why, now);
		if (signal->format == SIGNAL_ORDER)
			refuse_order(signals, signal, "", why, now);
	}
}

bool signals_message(struct signals *signals, const char *topic, const char *text, size_t len, bool retained,
                     struct instant now)
{
	bool ours = false;
	for (size_t i = 0; i < signals->n; i++) {
		if (strcmp(signals->signals[i].topic, topic) != 0)
			continue;
		if (len > 0)
			take_message(signals, &signals->signals[i], text, len, retained, now);
		ours = true;
	}
	return ours;
}

/* A limit must hold at its start, so it binds as long before as miners take to fall asleep; and a miner woken now
 * should get to draw for as long again as its waking and its falling asleep take. */
void signals_demand(struct signals *signals, struct instant now, struct demand *demand)
{
	settle_by_clock(signals, now);
	check_targets(signals, now);
	orders_resolve(&signals->book, now.utc_ms, signals->sleep_ms, 2 * (signals->sleep_ms + signals->wake_ms),
	               &signals->demand);
	*demand = signals->demand;
}

static void note_commands(struct signals *signals, int16_t from, struct instant now)
{
	if (from < 0 || from >= EVENTS)
		return;
	struct event *event = &signals->events[from];
	if (event->alive && event->first_command_utc_ms == 0)
		event->first_command_utc_ms = now.utc_ms;
}

void signals_observe(struct signals *signals, struct instant now, int64_t site_w, int64_t miners_w,
                     const struct decision *decided)
{
	signals->site_w = site_w;
	signals->miners_w = miners_w;
	if (site_w != POLICY_NONE)
		history_add(&signals->history, now.mono_ms, site_w);
	if (decided && decided->n_commands > decided->n_repeats) {
		note_commands(signals, signals->demand.limit_from, now);
		note_commands(signals, signals->demand.setpoint_from, now);
		note_commands(signals, signals->demand.miners_from, now);
	}
	for (size_t i = 0; i < EVENTS; i++)
		if (event_observe(&signals->events[i], &signals->rules, now, site_w, miners_w))
			publish_event(signals, &signals->events[i]);
}

const char *signals_event_id(const struct signals *signals, int16_t from)
{
	return from >= 0 && from < EVENTS && signals->events[from].id[0] ? signals->events[from].id : NULL;
}

static bool operate(struct signals *signals, struct order *order, struct instant now, char *why, size_t why_size)
{
	int64_t number = now.utc_ms;
	do {                                    /* two orders of one millisecond are two orders */
		snprintf(order->id, sizeof(order->id), "operator-%lld", (long long)number++);
	} while (answers_find(&signals->answers, order->id) || orders_find(&signals->book, order->id) >= 0);
	order->signal = OPERATOR;
	order->by_operator = true;
	order->issued_ms = now.utc_ms;
	if (take_order(signals, order, false, now))
		return true;
	snprintf(why, why_size, "%s", answers_find(&signals->answers, order->id)->why);
	return false;
}

int operators(const struct signals *signals, enum order_kind kind)
{
	for (int i = 0; i < ORDERS_LIVE; i++) {
		const struct order *order = &signals->book.live[i];
		if (order->id[0] && order->by_operator && order->kind == kind)
			return i;
	}
	return -1;
}

static bool may_hold(const struct signals *signals, int64_t watts, int64_t duration_ms, char *why, size_t why_size)
{
	if (watts < 0 || watts > signals->cap_w)
		snprintf(why, why_size, "%.9g MW is not from 0 to the site's cap of %.9g MW", (double)watts / 1e6,
		         (double)signals->cap_w / 1e6);
	else if (duration_ms < 0 || duration_ms > ORDER_MOST_AHEAD_MS)
		snprintf(why, why_size, "nothing is held for more than ten years, or less than no time");
	else
		return true;
	return false;
}

bool signals_operator_hold(struct signals *signals, int64_t watts, int64_t duration_ms, struct instant now, char *why,
                           size_t why_size)
{
	struct order hold = { .kind = ORDER_SETPOINT, .watts = watts };
	if (!may_hold(signals, watts, duration_ms, why, why_size))
		return false;
	hold.end_ms = duration_ms ? now.utc_ms + duration_ms : ORDER_NO_END;
	int place = operators(signals, ORDER_SETPOINT);
	if (place >= 0) {
		signals->book.live[place].cancelled = true;
		settle_orders(signals, "a newer hold took its place", now);
	}
	signals->hold_until_ms = duration_ms ? now.mono_ms + duration_ms : 0;
	return operate(signals, &hold, now, why, why_size);
}

bool signals_operator_shed(struct signals *signals, struct instant now, char *why, size_t why_size)
{
	struct order shed = { .kind = ORDER_SHED, .end_ms = ORDER_NO_END };
	return operators(signals, ORDER_SHED) >= 0 || operate(signals, &shed, now, why, why_size);
}

bool signals_operator_release(struct signals *signals, struct instant now, char *why, size_t why_size)
{
	struct order release = { .kind = ORDER_RELEASE };
	return operate(signals, &release, now, why, why_size);
}

void signals_events_json(const struct signals *signals, struct json *json, const char *key)
{
	json_open_array(json, key);
	for (size_t i = 0; i < EVENTS; i++)
		if (signals->events[i].alive)
			event_json(&signals->events[i], json, NULL);
	for (size_t i = 1; i <= ENDED; i++) {
		const struct event *event = &signals->ended[(signals->next_ended + ENDED - i) % ENDED];
		if (event->id[0])
			event_json(event, json, NULL);
	}
	refused_json(&signals->refused, json);
	json_close_array(json);
}
