/* Alarms by name: what lasts, and what passes by itself; and which of the signals' alarms are of which kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/alarms.h"
#include "daemon/signals.h"
#include "daemon/xalloc.h"

#define MIN 60000LL
#define T0 1795323843000LL              /* 2026-11-22T05:04:03Z */

struct bench {
	struct sink sink;
	int n;
	char last[600];                 /* topic and text */
	int changes;
	bool raised;                    /* as told last to the log */
	struct alarms *alarms;
	struct instant now;
};

static void put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	struct bench *b = (struct bench *)(void *)sink;
	(void)delivery;
	snprintf(b->last, sizeof(b->last), "%s %.*s", topic, (int)len, text);
	b->n++;
}

static void on_change(void *self, const char *name, bool raised, enum severity severity, const char *why)
{
	struct bench *b = self;
	(void)name, (void)severity, (void)why;
	b->changes++;
	b->raised = raised;
}

static int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	b->sink.put = put;
	b->now = (struct instant){ .mono_ms = 5000, .utc_ms = T0 };
	b->alarms = alarms_new(&b->sink, (struct alarms_user){ b, on_change });
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	alarms_free(b->alarms);
	free(b);
	return 0;
}

static void pass(struct bench *b, int64_t ms)
{
	b->now.mono_ms += ms;
	b->now.utc_ms += ms;
	alarms_pass(b->alarms, b->now);
}

static void what_happened_is_cleared_an_hour_after_the_last_time(void **state)
{
	struct bench *b = *state;
	alarms_raise_passing(b->alarms, "signal/qse", "qse", b->now, "not JSON");
	assert_non_null(strstr(b->last, "{\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"not JSON\",\"severity\":\"warning\""));
	pass(b, 50 * MIN);
	alarms_raise_passing(b->alarms, "signal/qse", "qse", b->now, "not JSON");
	assert_int_equal(b->n, 1);
	pass(b, 60 * MIN - 1);
	assert_true(alarms_raised(b->alarms, "signal/qse"));
	pass(b, 1);
	assert_false(alarms_raised(b->alarms, "signal/qse"));
	assert_non_null(strstr(b->last, "alarm/signal/qse {\"raised\":false,\"since\":\"2026-11-22T06:54:03.000Z\""));
	pass(b, 600 * MIN);
	assert_int_equal(b->n, 2);
}

static void what_lasts_does_not_pass(void **state)
{
	struct bench *b = *state;
	alarms_raise_passing(b->alarms, "signal/maestro", "maestro", b->now, "not JSON");
	alarms_raise(b->alarms, "signal/maestro", SEVERITY_CRITICAL, "maestro", b->now, "no message");
	alarms_raise_passing(b->alarms, "signal/maestro", "maestro", b->now, "not JSON");
	assert_non_null(strstr(b->last, "not JSON"));
	pass(b, 600 * MIN);
	assert_true(alarms_raised(b->alarms, "signal/maestro"));
	alarms_clear(b->alarms, "signal/maestro", b->now);
	alarms_raise_passing(b->alarms, "signal/maestro", "maestro", b->now, "not JSON");
	pass(b, 60 * MIN);
	assert_false(alarms_raised(b->alarms, "signal/maestro"));
}

static void at_the_end_all_are_cleared(void **state)
{
	struct bench *b = *state;
	alarms_raise(b->alarms, "cap", SEVERITY_CRITICAL, "site", b->now, "over");
	alarms_raise(b->alarms, "failsafe", SEVERITY_CRITICAL, "site", b->now, "blind");
	alarms_clear(b->alarms, "failsafe", b->now);
	alarms_declare(b->alarms, "signal/qse", "qse", b->now);
	b->n = 0;
	alarms_clear_all(b->alarms, b->now);
	assert_int_equal(b->n, 1);
	assert_int_equal(alarms_count(b->alarms), 0);
	assert_non_null(strstr(b->last, "alarm/cap {\"raised\":false"));
}

/* A sender gone wild, wrong and right in turn: the bus is told of each change, the log of some, and how it ended. */
static void one_alarm_does_not_fill_the_log(void **state)
{
	struct bench *b = *state;
	for (int i = 0; i < 500; i++) {
		alarms_raise_passing(b->alarms, "signal/qse", "qse", b->now, "wrong");
		alarms_clear(b->alarms, "signal/qse", b->now);
		pass(b, 10);
	}
	alarms_raise_passing(b->alarms, "signal/qse", "qse", b->now, "kind \"%c\" is not known", 'a');
	assert_int_equal(b->n, 1001);
	assert_in_range(b->changes, 10, 20);
	int changes = b->changes;
	alarms_raise(b->alarms, "cap", SEVERITY_CRITICAL, "site", b->now, "over");
	assert_int_equal(b->changes, changes + 1);      /* which nobody else has to suffer for */
	alarms_clear(b->alarms, "cap", b->now);
	assert_false(b->raised);
	pass(b, MIN);
	assert_int_equal(b->changes, changes + 3);
	assert_true(b->raised);
	pass(b, 50 * MIN);
	assert_int_equal(b->changes, changes + 3);
}

static void say(struct bench *b, struct signals *signals, const char *topic, const char *text)
{
	struct demand demand;
	assert_true(signals_message(signals, topic, text, strlen(text), false, b->now));
	signals_demand(signals, b->now, &demand);
}

/* A message that is malformed is over when it was told; a signal that has fallen silent is not. */
static void of_signals_messages_pass_and_silence_lasts(void **state)
{
	static const struct signal_conf confs[] = {
		{ .name = "qse", .format = SIGNAL_ORDER },
		{ .name = "maestro", .format = SIGNAL_TARGET, .topic = "maestro/target", .stale_after_ms = 90000, .when_stale = WHEN_STALE_HOLD },
	};
	struct bench *b = *state;
	struct signals_conf conf = { .prefix = "mullet/pecos-1", .signals = confs, .n_signals = 2, .cap_w = 20000000, .nominal_w = 10000000 };
	struct signals *signals = signals_new(&conf, &b->sink, b->alarms, b->now);
	say(b, signals, "mullet/pecos-1/order/qse", "hello");
	say(b, signals, "maestro/target", "hello");
	assert_int_equal(alarms_count(b->alarms), 2);
	pass(b, 2 * MIN);
	say(b, signals, "maestro/target", "hello");
	pass(b, 60 * MIN);
	assert_false(alarms_raised(b->alarms, "signal/qse"));
	assert_true(alarms_raised(b->alarms, "signal/maestro"));
	signals_free(signals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_happened_is_cleared_an_hour_after_the_last_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_lasts_does_not_pass, set_up, tear_down),
		cmocka_unit_test_setup_teardown(at_the_end_all_are_cleared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_alarm_does_not_fill_the_log, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_signals_messages_pass_and_silence_lasts, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("alarms", tests, NULL, NULL);
}
