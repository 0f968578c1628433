/* Orders over a restart: kept as text, taken up by another daemon that knows nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/kept.h"
#include "daemon/signals.h"
#include "daemon/xalloc.h"
#include "tests/signals_written.h"

#define T0 1795323843000LL              /* 2026-11-22T05:04:03Z */
#define MW 1000000LL
#define ISSUED "\"issued\":\"2026-11-22T05:04:03Z\","

struct bench {
	struct sink sink;
	struct json said;               /* all since it was reset: topic, text, a line each */
	struct alarms *alarms;
	struct signals *signals;
	struct signals_recalled recalled;
	struct instant now;
	struct demand demand;
};

static void put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	struct bench *b = (struct bench *)(void *)sink;
	(void)delivery;
	json_raw(&b->said, NULL, topic, strlen(topic));
	json_raw(&b->said, NULL, text, len);
	json_newline(&b->said);
}

static const struct signal_conf confs[] = {
	{ .name = "qse", .format = SIGNAL_ORDER }, { .name = "utility", .format = SIGNAL_ORDER },
};

static void start(struct bench *b, const struct signal_conf *signals, size_t n)
{
	struct signals_conf conf = {
		.prefix = "mullet/x", .signals = signals, .n_signals = n, .cap_w = 20 * MW,
		.nominal_w = 10 * MW, .asleep_w = 100000, .sleep_ms = 8000, .wake_ms = 120000,
	};
	b->alarms = alarms_new(&b->sink, (struct alarms_user){ 0 });
	b->signals = signals_new(&conf, &b->sink, b->alarms, b->now);
	json_reset(&b->said);
}

static void stop(struct bench *b)
{
	signals_free(b->signals);
	alarms_free(b->alarms);
}

static int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	b->sink.put = put;
	b->now = (struct instant){ .mono_ms = 50000000, .utc_ms = T0 };
	start(b, confs, 2);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	stop(b);
	json_free(&b->said);
	free(b);
	return 0;
}

static void pass(struct bench *b, int64_t ms)
{
	b->now.mono_ms += ms;
	b->now.utc_ms += ms;
}

static void look(struct bench *b, int64_t site_w)
{
	struct decision decided = { .n_commands = 0 };
	signals_demand(b->signals, b->now, &b->demand);
	signals_observe(b->signals, b->now, site_w, 5 * MW, &decided);
}

static const char *order(struct bench *b, const char *signal, const char *text)
{
	char topic[100];
	snprintf(topic, sizeof(topic), "mullet/x/order/%s", signal);
	json_reset(&b->said);
	assert_true(signals_message(b->signals, topic, text, strlen(text), false, b->now));
	return b->said.text;
}

/* On a machine that was switched on a minute ago, when its clock shows that so much has passed. */
static void restart_from(struct bench *b, const char *text, int64_t away_ms, const struct signal_conf *signals, size_t n)
{
	struct kept kept;
	char why[200];
	if (!kept_parse(text, strlen(text), "x", &kept, why, sizeof(why)))
		fail_msg("%s", why);
	stop(b);
	b->now = (struct instant){ .mono_ms = 60000, .utc_ms = b->now.utc_ms + away_ms };
	start(b, signals, n);
	b->recalled = signals_recall(b->signals, &kept.orders, b->now);
	kept_free(&kept);
	b->demand = (struct demand){ 0 };
}

static void restart(struct bench *b, int64_t away_ms)
{
	char *text = signals_written(b->signals, b->now);
	restart_from(b, text, away_ms, confs, 2);
	free(text);
}

static bool hold(struct bench *b, int64_t watts, int64_t for_ms)
{
	char why[200];
	return signals_operator_hold(b->signals, watts, for_ms, b->now, why, sizeof(why));
}

static bool shed(struct bench *b)
{
	char why[200];
	return signals_operator_shed(b->signals, b->now, why, sizeof(why));
}

static bool release(struct bench *b)
{
	char why[200];
	return signals_operator_release(b->signals, b->now, why, sizeof(why));
}

static void said(const struct bench *b, const char *what)
{
	if (!b->said.text || !strstr(b->said.text, what))
		fail_msg("not said: %s, but: %s", what, b->said.text);
}

/* "All miners off until release" is until release. */
static void the_operators_shed_lasts(void **state)
{
	struct bench *b = *state;
	assert_true(shed(b));
	for (int i = 0; i < 3; i++) {
		restart(b, i * 3600000LL * 24 * 400);
		said(b, "\"signal\":\"operator\",\"kind\":\"shed\",\"status\":\"active\"");
		look(b, 15 * MW);
		assert_true(b->demand.shed);
		assert_int_equal(b->demand.miners_w, 0);
		assert_int_equal(b->recalled.alive, 1);
		assert_true(shed(b));                   /* it is in force already */
	}
	assert_true(release(b));
	look(b, 15 * MW);
	assert_false(b->demand.shed);
	restart(b, 1000);
	assert_int_equal(b->recalled.alive, 0);
	look(b, 15 * MW);
	assert_int_equal(b->demand.miners_w, POLICY_NONE);
}

static void expect_hold(struct bench *b, int64_t ms)
{
	pass(b, ms - 1);
	look(b, 9 * MW);
	assert_int_equal(b->demand.setpoint_w, 9 * MW);
	assert_true(b->demand.by_operator);
	pass(b, 1);
	look(b, 9 * MW);
	assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
}

static void a_hold_lasts_as_long_as_was_said(void **state)
{
	struct bench *b = *state;
	assert_true(hold(b, 9 * MW, 600000));
	pass(b, 100000);
	restart(b, 60000);
	expect_hold(b, 440000);
	assert_true(hold(b, 9 * MW, 600000));
	restart(b, 60000);
	expect_hold(b, 540000);
	assert_true(hold(b, 9 * MW, 600000));
	pass(b, 100000);
	restart(b, -3600000);                   /* the clock was set back: no longer than what was left */
	expect_hold(b, 500000);
	assert_true(hold(b, 9 * MW, 600000));
	restart(b, 600000);
	assert_int_equal(b->recalled.ended, 1);
	said(b, "\"why\":\"it ended while mulletd was not running\"");
	look(b, 9 * MW);
	assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
	assert_true(hold(b, 9 * MW, 0));
	restart(b, 1LL << 40);
	pass(b, 1LL << 40);
	look(b, 9 * MW);
	assert_int_equal(b->demand.setpoint_w, 9 * MW);
}

/* A hold whose end is at the very instant that the machine was switched on is no hold without an end. */
static void a_hold_may_end_at_the_begin_of_all_time(void **state)
{
	struct bench *b = *state;
	assert_true(hold(b, 9 * MW, 600000));
	restart(b, 660000);
	assert_int_equal(b->recalled.ended, 1);
	look(b, 9 * MW);
	assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
}

#define CAP "{\"id\":\"cap\",\"kind\":\"cap\",\"limit_w\":12000000," ISSUED "\"end\":\"2026-11-22T05:34:03Z\"}"
#define LATER "{\"id\":\"later\",\"kind\":\"cap\",\"limit_w\":7000000," ISSUED "\"start\":\"2026-11-22T05:24:03Z\",\"end\":\"2026-11-22T05:34:03Z\"}"
#define POINT "{\"id\":\"point\",\"kind\":\"setpoint\",\"setpoint_w\":11000000,\"ramp_w_per_min\":60000,\"priority\":3," ISSUED "\"end\":\"2026-11-22T05:34:03Z\"}"

static void orders_of_the_grid_stay_in_force(void **state)
{
	struct bench *b = *state;
	for (int i = 0; i < 100; i++) {
		look(b, 15 * MW);
		pass(b, 1000);
	}
	order(b, "qse", CAP);
	order(b, "qse", LATER);
	order(b, "utility", POINT);
	pass(b, 4000);
	look(b, 12 * MW);
	pass(b, 96000);
	restart(b, 10000);
	assert_int_equal(b->recalled.alive, 3);
	said(b, "{\"id\":\"cap\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"met\",\"limit_w\":12000000,"
	        "\"received\":\"2026-11-22T05:05:43.000Z\",\"start\":\"2026-11-22T05:05:43.000Z\",\"end\":\"2026-11-22T05:34:03.000Z\","
	        "\"first_command\":null,\"met_at\":\"2026-11-22T05:05:47.000Z\",\"response_s\":4.000,\"before_w\":15000000");
	said(b, "{\"id\":\"later\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"scheduled\",\"limit_w\":7000000,");
	look(b, 12 * MW);
	assert_int_equal(b->demand.limit_w, 12 * MW);
	assert_string_equal(signals_event_id(b->signals, b->demand.limit_from), "cap");
	assert_int_equal(b->demand.setpoint_w, 11 * MW);
	assert_int_equal(b->demand.setpoint_ramp_w_per_min, 60000);
	assert_non_null(strstr(order(b, "qse", CAP), "\"result\":\"duplicate\""));
	assert_non_null(strstr(order(b, "qse", "{\"id\":\"old\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:04:02Z\",\"end\":\"2026-11-22T05:34:03Z\"}"), "\"stale\""));
	pass(b, T0 + 1200000 - b->now.utc_ms);
	look(b, 12 * MW);
	assert_int_equal(b->demand.limit_w, 7 * MW);
	assert_non_null(strstr(order(b, "qse", "{\"id\":\"r\",\"kind\":\"release\"," ISSUED "\"releases\":\"later\"}"), "\"accepted\""));
	look(b, 12 * MW);
	assert_int_equal(b->demand.limit_w, 12 * MW);
	restart(b, 1000);                       /* what was released is not in force again, though it is sent again */
	assert_int_equal(b->recalled.alive, 2);
	pass(b, T0 + 1800000 - b->now.utc_ms);
	look(b, 12 * MW);
	said(b, "{\"id\":\"cap\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"completed\"");
	assert_int_equal(b->demand.limit_w, POLICY_NONE);
}

static void what_was_released_is_stale(void **state)
{
	struct bench *b = *state;
	order(b, "qse", CAP);
	order(b, "qse", "{\"id\":\"r\",\"kind\":\"release\",\"issued\":\"2026-11-22T05:04:04Z\"}");
	restart(b, 1000);
	assert_non_null(strstr(order(b, "qse", CAP), "\"stale\""));
	/* A file that tells of a future does not shut the signal out. */
	char text[] = "{\"version\":1,\"site\":\"x\",\"decisions\":0,\"decisions_reserved\":0,\"commands\":0,\"energy_wh\":{\"site\":0,"
	              "\"hpc\":0,\"miners\":0},\"groups\":[],\"orders\":{\"alive\":[],\"newest\":[[\"qse\",4000000000000],[\"gone\",1]]}}";
	restart_from(b, text, 0, confs, 2);
	assert_non_null(strstr(order(b, "qse", CAP), "\"stale\""));
	assert_non_null(strstr(order(b, "qse", "{\"id\":\"now\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:05:04Z\",\"end\":\"2026-11-22T05:34:03Z\"}"), "\"accepted\""));
}

static void what_ended_meanwhile_is_told(void **state)
{
	struct bench *b = *state;
	order(b, "qse", CAP);
	order(b, "qse", LATER);
	look(b, 11 * MW);
	restart(b, 1800000);
	assert_int_equal(b->recalled.alive, 0);
	assert_int_equal(b->recalled.ended, 2);
	said(b, "{\"id\":\"cap\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"completed\"");
	said(b, "{\"id\":\"later\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"missed\"");
	said(b, "\"why\":\"it ended while mulletd was not running\"");
	look(b, 15 * MW);
	assert_int_equal(b->demand.limit_w, POLICY_NONE);
	restart(b, 0);
	assert_int_equal(b->recalled.ended, 0);
}

static void orders_without_their_signal_are_cancelled(void **state)
{
	struct bench *b = *state;
	static const struct signal_conf level = { .name = "qse", .format = SIGNAL_TARGET, .topic = "t", .stale_after_ms = 90000 };
	order(b, "qse", CAP);
	order(b, "utility", POINT);
	char *text = signals_written(b->signals, b->now);
	restart_from(b, text, 0, &level, 1);
	free(text);
	assert_int_equal(b->recalled.lost, 2);
	said(b, "{\"id\":\"cap\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"cancelled\"");
	said(b, "{\"id\":\"point\",\"signal\":\"utility\",\"kind\":\"setpoint\",\"status\":\"cancelled\"");
	said(b, "\"why\":\"its signal is no longer configured\"");
	look(b, 15 * MW);
	assert_int_equal(b->demand.limit_w, POLICY_NONE);
}

/* A machine without a clock of its own begins in 1970, until it hears what time it is. */
static void what_has_begun_binds_whatever_the_clock_says(void **state)
{
	struct bench *b = *state;
	order(b, "qse", CAP);
	assert_true(hold(b, 9 * MW, 600000));
	assert_true(shed(b));
	restart(b, 1000 - T0);
	look(b, 15 * MW);
	assert_int_equal(b->demand.limit_w, 12 * MW);
	assert_true(b->demand.shed);
	assert_int_equal(b->demand.setpoint_w, 9 * MW);
	pass(b, 100000);
	b->now.utc_ms = T0 + 120000;
	look(b, 15 * MW);
	assert_int_equal(b->demand.limit_w, 12 * MW);
	assert_int_equal(b->demand.setpoint_w, 9 * MW);
	pass(b, 500000);
	look(b, 15 * MW);
	assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
}

static void a_full_book_is_kept_whole(void **state)
{
	struct bench *b = *state;
	char text[300];
	for (int i = 0; i < 2 * ORDERS_SHARE; i++) {
		snprintf(text, sizeof(text), "{\"id\":\"q-%d\",\"kind\":\"shed\",\"keep_w\":%d," ISSUED "\"end\":\"2026-11-23T05:34:03Z\"}", i, i + 1);
		order(b, i % 2 ? "qse" : "utility", text);
	}
	assert_true(shed(b) && hold(b, 9 * MW, 0));
	restart(b, 1000);
	assert_int_equal(b->recalled.alive, 2 * ORDERS_SHARE + 2);
	assert_true(release(b));
	look(b, 15 * MW);
	assert_int_equal(b->demand.miners_w, 1);
}

/* Of a file that lies as much is taken as can be. */
static void what_cannot_be_is_left_out(void **state)
{
	struct bench *b = *state;
	static const struct signal_conf two[] = {
		{ .name = "qse", .format = SIGNAL_ORDER }, { .name = "level", .format = SIGNAL_TARGET, .topic = "t", .stale_after_ms = 90000 },
	};
	static const char rest[] = "\"priority\":0,\"begun\":true,\"met\":false,\"watts\":%d,\"issued_ms\":5,\"start_ms\":5,\"received_ms\":5}";
	static const char *const begins[] = {
		"{\"id\":\"operator-1\",\"signal\":null,\"kind\":\"setpoint\",", "{\"id\":\"operator-2\",\"signal\":null,\"kind\":\"setpoint\",",
		"{\"id\":\"operator-3\",\"signal\":null,\"kind\":\"cap\",", "{\"id\":\"a\",\"signal\":\"qse\",\"kind\":\"cap\",",
		"{\"id\":\"a\",\"signal\":\"qse\",\"kind\":\"cap\",", "{\"id\":\"level\",\"signal\":\"qse\",\"kind\":\"cap\",",
	};
	char text[4000];
	int n = snprintf(text, sizeof(text), "{\"version\":1,\"site\":\"x\",\"decisions\":0,\"decisions_reserved\":0,\"commands\":0,"
	                 "\"energy_wh\":{\"site\":0,\"hpc\":0,\"miners\":0},\"groups\":[],\"orders\":{\"newest\":[],\"alive\":[");
	for (int i = 0; i < 6; i++) {
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", i ? "," : "", begins[i]);
		n += snprintf(text + n, sizeof(text) - (size_t)n, rest, 100 + i);
	}
	snprintf(text + n, sizeof(text) - (size_t)n, "]}}");
	restart_from(b, text, 0, two, 2);
	assert_int_equal(b->recalled.alive, 2);
	assert_int_equal(b->recalled.lost, 4);
	look(b, 15 * MW);
	assert_int_equal(b->demand.setpoint_w, 100);
	assert_int_equal(b->demand.limit_w, 103);
	assert_true(release(b));
	look(b, 15 * MW);
	assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
}

static void each_change_can_be_noticed(void **state)
{
	struct bench *b = *state;
	uint64_t before = signals_changes(b->signals);
#define CHANGED() ({ uint64_t was = before; before = signals_changes(b->signals); was != before; })
	look(b, 15 * MW);
	assert_false(CHANGED());
	order(b, "qse", CAP);
	assert_true(CHANGED());
	order(b, "qse", CAP);
	look(b, 15 * MW);
	assert_false(CHANGED());
	order(b, "qse", LATER);
	assert_true(CHANGED());
	assert_true(hold(b, 9 * MW, 1000));
	assert_true(CHANGED());
	pass(b, 999);
	look(b, 15 * MW);
	assert_false(CHANGED());
	pass(b, 1);
	look(b, 15 * MW);
	assert_true(CHANGED());
	pass(b, T0 + 1200000 - b->now.utc_ms);
	look(b, 15 * MW);
	assert_true(CHANGED());                 /* the one has begun */
	assert_true(release(b));
	assert_true(CHANGED());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_operators_shed_lasts), TEST(a_hold_lasts_as_long_as_was_said), TEST(a_hold_may_end_at_the_begin_of_all_time),
		TEST(orders_of_the_grid_stay_in_force), TEST(what_was_released_is_stale), TEST(what_ended_meanwhile_is_told),
		TEST(orders_without_their_signal_are_cancelled), TEST(what_has_begun_binds_whatever_the_clock_says),
		TEST(a_full_book_is_kept_whole), TEST(what_cannot_be_is_left_out), TEST(each_change_can_be_noticed),
	};
	return cmocka_run_group_tests_name("signals_keep", tests, NULL, NULL);
}
