#include "daemon/signals_inside.h"

#include <stdio.h>
#include <string.h>

#include "daemon/signal_json.h"

#define ALL_PPM 1000000
#define DAY_MS (24 * 3600 * 1000LL)

static size_t index_of(const struct signals *signals, const struct signal *signal)
{
	return (size_t)(signal - signals->signals);
}

static struct event *event_of(struct signals *signals, const struct signal *signal)
{
	return &signals->events[ORDERS_LIVE + index_of(signals, signal)];
}

void raise_signal(struct signals *signals, const struct signal *signal, enum severity severity, const char *why,
                  struct instant now)
{
	if (severity == SEVERITY_WARNING)
		alarms_raise_passing(signals->alarms, signal->alarm, signal->name, now, "%s", why);
	else
		alarms_raise(signals->alarms, signal->alarm, severity, signal->name, now, "%s", why);
}

static int64_t share_w(const struct signals *signals, int32_t share_ppm)
{
	return share_ppm >= ALL_PPM ? POLICY_NONE : signals->nominal_w / ALL_PPM * share_ppm +
	                                            signals->nominal_w % ALL_PPM * share_ppm / ALL_PPM;
}

/* Before its first message nothing is known: miners stay as they are, but none is woken that may have to sleep. */
void set_level(struct signals *signals, const struct signal *signal)
{
	struct order_level *level = &signals->book.levels[index_of(signals, signal)];
	bool release = signal->when_stale == WHEN_STALE_RELEASE;
	*level = (struct order_level){ .set = true, .miners_w = POLICY_NONE, .miners_soon_w = POLICY_NONE };
	if (signal->stale && release)
		return;
	if (signal->stale && signal->when_stale == WHEN_STALE_CURTAIL)
		level->miners_w = 0;
	else if (signal->heard)
		level->miners_w = share_w(signals, signal->share_ppm);
	if (!release && (!signal->heard || signal->unsure) && level->miners_w != 0)
		level->miners_soon_w = 0;
}

void tell_level(struct signals *signals, const struct signal *signal, const char *why, struct instant now)
{
	struct event *event = event_of(signals, signal);
	int64_t miners_w = signals->book.levels[index_of(signals, signal)].miners_w;
	struct order order = { .kind = EVENT_SHARE, .watts = miners_w, .end_ms = ORDER_NO_END };
	if (miners_w == POLICY_NONE) {
		if (event->alive)
			finish_event(signals, event, signal->stale, why, now);
		return;
	}
	if (event->alive && event->limit_w == miners_w)
		return;
	snprintf(order.id, sizeof(order.id), "%s", signal->name);
	event_begin(event, &order, signal->name, now);
	event_activate(event, &signals->history, now);
	snprintf(event->why, sizeof(event->why), "%s", why);
	publish_event(signals, event);
}

/* True if the message counts. Once the signal is stale, an earlier timestamp that is fresh by our clock counts too:
 * a sender whose clock was ahead must not stay shut out until it gets there again. */
static bool check(struct signals *signals, const struct signal *signal, const struct target_message *message,
                  bool retained, struct instant now)
{
	char why[160];
	int64_t age_ms = now.utc_ms - message->at_ms;
	bool fresh = age_ms < signal->stale_after_ms && age_ms > -signal->stale_after_ms;
	if (age_ms > DAY_MS || age_ms < -DAY_MS)
		snprintf(why, sizeof(why), "ignored: its timestamp is %lld s off", (long long)(age_ms / 1000));
	else if (signal->heard && message->at_ms < signal->last_at_ms && !(signal->stale && fresh))
		snprintf(why, sizeof(why), "ignored: its timestamp is %lld s older than the last one",
		         (long long)((signal->last_at_ms - message->at_ms) / 1000));
	else if (retained && age_ms >= signal->stale_after_ms)
		snprintf(why, sizeof(why), "ignored: delivered retained, %lld s after it was sent", (long long)(age_ms / 1000));
	else
		return true;
	raise_signal(signals, signal, SEVERITY_WARNING, why, now);
	return false;
}

/* Of those that say the same it is enough to know within a third of stale_after when the last came. */
static void note_target(struct signals *signals, struct signal *signal, int32_t share_ppm, int64_t heard_ms)
{
	bool same = signal->heard && !signal->stale && share_ppm == signal->share_ppm;
	if (same && heard_ms - signal->noted_ms < signal->stale_after_ms / 3)
		return;
	signals->changes++;
	signal->noted_ms = heard_ms;
}

void take_target(struct signals *signals, struct signal *signal, const char *text, size_t len, bool retained,
                 struct instant now)
{
	struct target_message message;
	struct signal_fault fault;
	char why[80];
	if (!signal_target_parse(text, len, &message, &fault)) {
		raise_signal(signals, signal, SEVERITY_WARNING, fault.why, now);
		return;
	}
	if (!check(signals, signal, &message, retained, now))
		return;
	int64_t age_ms = retained && now.utc_ms > message.at_ms ? now.utc_ms - message.at_ms : 0;
	note_target(signals, signal, message.share_ppm, now.mono_ms - age_ms);
	signal->heard = true;
	signal->stale = signal->unsure = false;
	signal->heard_ms = now.mono_ms - age_ms;
	signal->last_at_ms = message.at_ms;
	signal->share_ppm = message.share_ppm;
	alarms_clear(signals->alarms, signal->alarm, now);
	set_level(signals, signal);
	snprintf(why, sizeof(why), "target %d.%02d %%", message.share_ppm / 10000, message.share_ppm % 10000 / 100);
	tell_level(signals, signal, why, now);
}

static void go_stale(struct signals *signals, struct signal *signal, struct instant now)
{
	static const char *const what[] = {
		[WHEN_STALE_CURTAIL] = "its miners are curtailed", [WHEN_STALE_HOLD] = "its last target holds",
		[WHEN_STALE_RELEASE] = "it is released",
	};
	char why[160];
	signal->stale = true;
	signal->unsure = false;
	signals->changes += signal->heard;
	snprintf(why, sizeof(why), "no message for %lld s%s: %s", (long long)((now.mono_ms - signal->heard_ms) / 1000),
	         signal->refused ? ", for the broker refuses its topic" : "", what[signal->when_stale]);
	raise_signal(signals, signal, SEVERITY_CRITICAL, why, now);
	set_level(signals, signal);
	tell_level(signals, signal, why, now);
}

void check_targets(struct signals *signals, struct instant now)
{
	for (size_t i = 0; i < signals->n; i++) {
		struct signal *signal = &signals->signals[i];
		if (signal->format == SIGNAL_TARGET && !signal->stale && now.mono_ms - signal->heard_ms >= signal->stale_after_ms)
			go_stale(signals, signal, now);
	}
}
