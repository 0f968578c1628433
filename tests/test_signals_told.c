/* What is told of signals to who asks: events, those refused, what was drawn before, and alarms. */
#include "daemon/refused.h"
#include "tests/signals_bench.h"

static void test_events_listed(void **state)
{
	struct bench *b = *state;
	struct json json = { .text = NULL };
	order(b, CAP_A);
	order(b, "{\"id\":\"b\",\"kind\":\"cap\",\"limit_w\":13000000," REST);
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"releases\":\"a\",\"issued\":\"2026-11-22T05:04:03Z\"}");
	signals_events_json(b->signals, &json, NULL);
	char *alive = strstr(json.text, "\"id\":\"b\""), *ended = strstr(json.text, "\"id\":\"a\"");
	assert_true(alive && ended && alive < ended);
	assert_null(strstr(json.text, "\"id\":\"r\""));
	json_free(&json);
}

/* Orders begin and end by the wall clock: who asks why one did finds that it was set. */
static void test_clock_set(void **state)
{
	struct bench *b = *state;
	order(b, CAP_A);
	order(b, "{\"id\":\"b\",\"kind\":\"cap\",\"limit_w\":13000000,\"start\":\"2026-11-22T05:09:00Z\"," REST);
	order(b, "{\"id\":\"c\",\"kind\":\"cap\",\"limit_w\":13000000,\"start\":\"2026-11-22T05:50:00Z\"," REST);
	for (int i = 0; i < 100; i++) {         /* slowly corrected */
		look(b, 15000000, 9000000, 0);
		pass(b, 250);
		b->now.utc_ms += 50;
		b->n = 0;
	}
	b->now.utc_ms -= 1999;
	look(b, 15000000, 9000000, 0);
	assert_false(alarms_raised(b->alarms, "clock"));
	b->n = 0;
	b->now.utc_ms += 300000;
	look(b, 15000000, 9000000, 0);
	assert_non_null(strstr(b->lines[b->n - 1], "alarm/clock state {\"raised\":true,"));
	assert_non_null(strstr(b->lines[b->n - 1], "\"why\":\"it was set forward by 300 s: of 3 orders alive 1 began and 1 ended with that\",\"severity\":\"warning\""));
	int changes = b->changes;
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->changes, changes);
	b->n = 0;
	b->now.utc_ms += 2000;                  /* once more: said anew */
	look(b, 15000000, 9000000, 0);
	assert_true(b->changes > changes);
	assert_non_null(strstr(b->lines[b->n - 1], "set forward by 2 s: of 2 orders alive 0 began and 0 ended"));
	b->now.utc_ms -= 3600000;
	look(b, 15000000, 9000000, 0);
	assert_non_null(strstr(b->lines[b->n - 1], "set back by 3600 s: of 2 orders alive 0 began and 0 ended"));
	b->n = 0;
	b->now.mono_ms += ALARMS_PASSING_MS;
	b->now.utc_ms += ALARMS_PASSING_MS;
	alarms_pass(b->alarms, b->now);
	assert_false(alarms_raised(b->alarms, "clock"));
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;
	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

/* Who asks what happened is to find it there, with its reason. */
static void test_refused_listed(void **state)
{
	static const char old[] = "{\"id\":\"old\",\"kind\":\"shed\",\"keep_w\":7,\"issued\":\"2026-11-22T05:04:02Z\",\"end\":\"2026-11-22T06:00:00Z\"}";
	struct bench *b = *state;
	struct json json = { .text = NULL };
	order(b, CAP_A);
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"releases\":null," REST);
	order(b, old);
	order(b, old);                          /* answered before */
	pass(b, 1000);
	signals_message(b->signals, ORDER_TOPIC, CAP_A, strlen(CAP_A), true, b->now);
	order(b, "{\"id\":\"x\",\"kind\":\"cap\",\"limit_w\":-5," REST);
	order(b, "{\"id\":\"maestro\",\"kind\":\"cap\",\"limit_w\":5," REST);
	order(b, "{\"id\":\"r9\",\"kind\":\"release\",\"releases\":\"nobody\"," REST);
	b->n = 0;
	assert_true(signals_message(b->signals, ORDER_TOPIC, NULL, 70000, false, b->now));
	signals_events_json(b->signals, &json, NULL);
	assert_int_equal(count(json.text, "\"status\":\"rejected\""), 5);
	static const char *const there[] = {
		"\"id\":\"a\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"cancelled\"",
		("{\"id\":null,\"signal\":\"qse\",\"kind\":null,\"status\":\"rejected\",\"limit_w\":null,\"received\":\"2026-11-22T05:04:04.000Z\","
			"\"start\":\"2026-11-22T05:04:04.000Z\",\"end\":null,"),
		"\"why\":\"70000 bytes are more than 65536\"}", "{\"id\":\"r9\",\"signal\":\"qse\",\"kind\":\"release\",",
		"\"why\":\"no such order of this signal is alive\"}", "{\"id\":\"maestro\",", "kept for events of other origin\"}",
		"{\"id\":\"x\",", "limit_w is out of range: -5",
		"{\"id\":\"old\",\"signal\":\"qse\",\"kind\":\"shed\",\"status\":\"rejected\",\"limit_w\":7,\"received\":\"2026-11-22T05:04:03.000Z\"",
		"\"why\":\"older than the newest order of its signal\"}",
	};
	const char *at = json.text;
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
		at = strstr(at, there[i]);
		if (!at)
			fail_msg("not there, or not in its place: %s in %s", there[i], json.text);
	}
	json_free(&json);
}

/* One sender is wild for ten minutes: what it pushes out is its own, and neither the others nor what ended. */
static void test_refused_without_end(void **state)
{
	static const struct signal_conf confs[] = { { .name = "qse", .format = SIGNAL_ORDER }, { .name = "wild", .format = SIGNAL_ORDER } };
	struct bench *b = *state;
	struct json json = { .text = NULL };
	struct signals_conf conf = conf_with(confs, 2);
	signals_free(b->signals);
	b->signals = signals_new(&conf, &b->sink, b->alarms, b->now);
	order(b, CAP_A);
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"releases\":null," REST);
	order(b, "nonsense");
	for (int i = 0; i < 6000; i++) {
		pass(b, 100);
		b->n = 0;
		assert_true(message(b, "mullet/pecos-1/order/wild", "[]"));
	}
	signals_events_json(b->signals, &json, NULL);
	assert_int_equal(count(json.text, "\"signal\":\"wild\""), REFUSED_MOST - 1);
	assert_int_equal(count(json.text, "\"signal\":\"qse\""), 2);
	assert_int_equal(count(json.text, "; and 590 more of this signal within a minute\""), 4);
	pass(b, 60000);
	b->n = 0;
	for (int i = 0; i < 20; i++)
		order(b, "nonsense");
	json_reset(&json);
	signals_events_json(b->signals, &json, NULL);
	assert_int_equal(count(json.text, "\"status\":\"rejected\",") , REFUSED_MOST);
	assert_int_equal(count(json.text, "\"signal\":\"qse\""), 12);
	assert_int_equal(count(json.text, "; and 10 more of this signal within a minute\""), 1);
	json_free(&json);
}

static void test_before_is_the_last_quarter_hour(void **state)
{
	struct bench *b = *state;
	look_for(b, 900000, 10000000, 5000000);
	look_for(b, 450000, 20000000, 5000000);
	order(b, "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":12000000,\"issued\":\"2026-11-22T05:26:33Z\",\"end\":\"2026-11-22T06:09:03Z\"}");
	char *before = strstr(b->lines[b->n - 1], "\"before_w\":");
	assert_non_null(before);
	assert_in_range(atoi(before + 11), 14900000, 15100000);
	pass(b, 1200000);                               /* nothing known for 20 min: what was before is too old */
	look(b, 9000000, 5000000, 0);
	order(b, "{\"id\":\"b\",\"kind\":\"cap\",\"limit_w\":12000000,\"issued\":\"2026-11-22T05:26:33Z\",\"end\":\"2026-11-22T06:09:03Z\"}");
	assert_non_null(strstr(b->lines[b->n - 1], "\"before_w\":9000000"));
}

static void test_alarms(void **state)
{
	struct bench *b = *state;
	struct json json = { .text = NULL };
	alarms_raise(b->alarms, "cap", SEVERITY_WARNING, NULL, b->now, "%d kW over", 12);
	SAID(b, "alarm/cap state {\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"12 kW over\",\"severity\":\"warning\",\"subject\":null}");
	pass(b, 1000);
	alarms_raise(b->alarms, "cap", SEVERITY_WARNING, NULL, b->now, "%.1f kW over", 113.5);
	NOTHING_SAID(b);
	alarms_raise(b->alarms, "cap", SEVERITY_CRITICAL, NULL, b->now, "%d kW over", 13);
	SAID(b, "alarm/cap state {\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"13 kW over\",\"severity\":\"critical\",\"subject\":null}");
	alarms_raise(b->alarms, "meter/main", SEVERITY_WARNING, "main", b->now, "silent");
	b->n = 0;
	alarms_json(b->alarms, &json, NULL);
	assert_string_equal(json.text, "[{\"name\":\"cap\",\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"13 kW over\",\"severity\":\"critical\",\"subject\":null},"
	                    "{\"name\":\"meter/main\",\"raised\":true,\"since\":\"2026-11-22T05:04:04.000Z\",\"why\":\"silent\",\"severity\":\"warning\",\"subject\":\"main\"}]");
	json_free(&json);
	assert_int_equal(alarms_count(b->alarms), 2);
	alarms_clear(b->alarms, "cap", b->now);
	SAID(b, "alarm/cap state {\"raised\":false,\"since\":\"2026-11-22T05:04:04.000Z\",\"why\":null,\"severity\":\"critical\",\"subject\":null}");
	alarms_clear(b->alarms, "cap", b->now);
	alarms_clear(b->alarms, "never", b->now);
	NOTHING_SAID(b);
	assert_int_equal(b->changes, 4);
	assert_int_equal(alarms_count(b->alarms), 1);
	alarms_declare(b->alarms, "meter/main", "main", b->now);
	NOTHING_SAID(b);                                /* raised stays raised */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_events_listed), TEST(test_clock_set), TEST(test_refused_listed), TEST(test_refused_without_end),
		TEST(test_before_is_the_last_quarter_hour), TEST(test_alarms),
	};
	return cmocka_run_group_tests_name("signals told", tests, NULL, NULL);
}
