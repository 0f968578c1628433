/* Notices of the GPU scheduler as messages: what they may say, and what becomes of the alarms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan.h"
#include "daemon/signal_json.h"
#include "daemon/xalloc.h"

#define T0 1795323843000LL              /* 2026-11-22T05:04:03Z */
#define MONO 5000000
#define TOPIC "mullet/pecos-1/hpc/plan"
#define AT "\"at\":\"2026-11-22T05:05:03.500Z\""        /* a minute and a half second on */

struct bench {
	struct sink sink;
	char last[600];                 /* alarm, as published */
	struct alarms *alarms;
	struct plan *plan;
	struct instant now;
};

static void put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	struct bench *b = (struct bench *)(void *)sink;
	assert_int_equal(delivery, DELIVER_STATE);
	snprintf(b->last, sizeof(b->last), "%s %.*s", topic, (int)len, text);
}

static int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	b->sink.put = put;
	b->now = (struct instant){ .mono_ms = MONO, .utc_ms = T0 };
	b->alarms = alarms_new(&b->sink, (struct alarms_user){ 0 });
	b->plan = plan_new("mullet/pecos-1", b->alarms, b->now);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	plan_free(b->plan, b->now);
	alarms_free(b->alarms);
	free(b);
	return 0;
}

static void say(struct bench *b, const char *text)
{
	assert_true(plan_message(b->plan, TOPIC, text, strlen(text), false, b->now));
}

static const struct notice *only(const struct bench *b)
{
	size_t n;
	const struct notice *notices = plan_notices(b->plan, &n);
	assert_int_equal(n, 1);
	return notices;
}

static size_t count(const struct bench *b)
{
	size_t n;
	plan_notices(b->plan, &n);
	return n;
}

/* ---- what they say ---- */

static void a_notice_is_read(void **state)
{
	struct bench *b = *state;
	say(b, "{\"id\":\"job-77\"," AT ",\"delta_w\":2000000.9,\"over_s\":10.5,\"partition\":\"gpu\"}");
	const struct notice *notice = only(b);
	assert_string_equal(notice->id, "job-77");
	assert_int_equal(notice->at_ms, MONO + 60500);
	assert_int_equal(notice->delta_w, 2000000);
	assert_int_equal(notice->over_ms, 10500);
	assert_int_equal(alarms_count(b->alarms), 0);
}

static void a_fall_without_a_duration(void **state)
{
	struct bench *b = *state;
	say(b, "{\"id\":\"job-77\",\"at\":\"2026-11-22T00:04:33-05:00\",\"delta_w\":-5e9}");
	assert_int_equal(only(b)->delta_w, -ORDER_MOST_W);
	assert_int_equal(only(b)->at_ms, MONO + 30000);
	assert_int_equal(only(b)->over_ms, 0);
}

static void the_same_id_replaces_and_zero_withdraws(void **state)
{
	struct bench *b = *state;
	say(b, "{\"id\":\"a\"," AT ",\"delta_w\":1000,\"over_s\":1}");
	say(b, "{\"id\":\"b\"," AT ",\"delta_w\":1000,\"over_s\":1}");
	say(b, "{\"id\":\"a\"," AT ",\"delta_w\":-2000,\"over_s\":0}");
	assert_int_equal(count(b), 2);
	say(b, "{\"id\":\"b\",\"delta_w\":0}");
	assert_int_equal(only(b)->delta_w, -2000);
	say(b, "{\"id\":\"b\",\"delta_w\":0}");
	say(b, "{\"id\":\"a\"," AT ",\"delta_w\":0.4}");
	assert_int_equal(count(b), 0);
	assert_int_equal(alarms_count(b->alarms), 0);
}

static const struct { const char *text, *why; } bad[] = {
	{ " ", "not JSON" },
	{ "job-77", "not JSON" },
	{ "[]", "not a JSON object" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":1} x", "something follows" },
	{ "{" AT ",\"delta_w\":1}", "id is missing" },
	{ "{\"id\":7," AT ",\"delta_w\":1}", "id is not a string" },
	{ "{\"id\":\"a b\"," AT ",\"delta_w\":1}", "id must be 1 to 64 of" },
	{ "{\"id\":\"\"," AT ",\"delta_w\":1}", "id must be 1 to 64 of" },
	{ "{\"id\":\"a\"," AT "}", "a: delta_w is missing" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":null}", "delta_w is missing" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":\"1\"}", "delta_w is not a number" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":1,\"delta_w\":2}", "delta_w is there twice" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":1e999}", "delta_w is not finite" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":5000000001}", "delta_w is out of range" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":-5000000001}", "delta_w is out of range" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":NaN}", "not JSON" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":1,\"over_s\":-1}", "over_s is out of range" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":1,\"over_s\":3601}", "over_s is out of range" },
	{ "{\"id\":\"a\"," AT ",\"delta_w\":1,\"over_s\":\"10\"}", "over_s is not a number" },
	{ "{\"id\":\"a\",\"delta_w\":1}", "at is missing" },
	{ "{\"id\":\"a\",\"at\":\"soon\",\"delta_w\":1}", "at is not a time" },
	{ "{\"id\":\"a\",\"at\":1795323843,\"delta_w\":1}", "at is not a string" },
	{ "{\"id\":\"a\",\"at\":\"2026-11-22T05:03:33Z\",\"delta_w\":1}", "a: its time is over already" },
	{ "{\"id\":\"a\",\"at\":\"2026-11-22T05:02:33Z\",\"delta_w\":1,\"over_s\":60}", "its time is over already" },
	{ "{\"id\":\"a\",\"at\":\"1970-01-01T00:00:00Z\",\"delta_w\":1}", "its time is over already" },
	{ "{\"id\":\"a\",\"at\":\"2026-11-29T05:04:04Z\",\"delta_w\":1}", "it lies more than a week ahead" },
	{ "{\"id\":\"a\",\"at\":\"9999-12-31T23:59:59Z\",\"delta_w\":1}", "it lies more than a week ahead" },
	{ "{\"a\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", "nested" },
};

static void bad_ones_change_nothing_and_say_why(void **state)
{
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		say(b, "{\"id\":\"good\"," AT ",\"delta_w\":1000,\"over_s\":1}");
		assert_int_equal(alarms_count(b->alarms), 0);
		say(b, bad[i].text);
		assert_string_equal(only(b)->id, "good");
		if (!strstr(b->last, "alarm/signal/hpc-plan {\"raised\":true") || !strstr(b->last, bad[i].why))
			fail_msg("%s: %s", bad[i].text, b->last);
		say(b, "{\"id\":\"good\"," AT ",\"delta_w\":2000,\"over_s\":1}");
		assert_int_equal(only(b)->delta_w, 2000);
	}
}

/* A scheduler clears what it had left retained. */
static void an_empty_one_says_nothing(void **state)
{
	struct bench *b = *state;
	say(b, "{\"id\":\"good\"," AT ",\"delta_w\":1000,\"over_s\":1}");
	b->last[0] = '\0';
	say(b, "");
	assert_true(plan_message(b->plan, TOPIC, "", 0, true, b->now));
	assert_string_equal(b->last, "");
	assert_string_equal(only(b)->id, "good");
	say(b, "{}");
	say(b, "");
	assert_true(alarms_raised(b->alarms, "signal/hpc-plan"));
}

static void too_long_retained_or_elsewhere(void **state)
{
	struct bench *b = *state;
	const char *text = "{\"id\":\"a\"," AT ",\"delta_w\":1}";
	assert_true(plan_message(b->plan, TOPIC, NULL, 70000, false, b->now));
	assert_non_null(strstr(b->last, "70000 bytes are more than 65536"));
	assert_true(plan_message(b->plan, TOPIC, text, strlen(text), true, b->now));
	assert_non_null(strstr(b->last, "a: it was delivered retained"));
	assert_false(plan_message(b->plan, "mullet/pecos-1/hpc/limit", text, strlen(text), false, b->now));
	assert_int_equal(count(b), 0);
	char *padded = xcalloc(1, 65538);
	memset(padded, ' ', 65537);
	memcpy(padded, text, strlen(text));
	assert_true(plan_message(b->plan, TOPIC, padded, 65537, false, b->now));
	assert_int_equal(count(b), 0);
	assert_true(plan_message(b->plan, TOPIC, padded, 65536, false, b->now));
	assert_int_equal(count(b), 1);
	free(padded);
}

static void sixty_four_are_enough(void **state)
{
	struct bench *b = *state;
	char text[160];
	for (int i = 0; i < 65; i++) {
		assert_int_equal(alarms_count(b->alarms), 0);
		snprintf(text, sizeof(text), "{\"id\":\"job-%d\"," AT ",\"delta_w\":1000}", i);
		say(b, text);
	}
	assert_non_null(strstr(b->last, "job-64: there are 64 notices already"));
	assert_int_equal(count(b), 64);
	say(b, "{\"id\":\"urgent\",\"at\":\"2026-11-22T05:04:33Z\",\"delta_w\":5000000}");
	assert_non_null(strstr(b->last, "job-63: forgotten: there are 64 notices, and urgent comes sooner"));
	assert_int_equal(count(b), 64);
	assert_string_equal(plan_notices(b->plan, &(size_t){ 0 })[0].id, "urgent");
	say(b, "{\"id\":\"job-7\",\"delta_w\":0}");
	assert_int_equal(alarms_count(b->alarms), 0);
}

/* ---- what becomes of them ---- */

/* The site draws this; one step each quarter of a second. */
static void watch(struct bench *b, int64_t load_w, int64_t ms)
{
	for (int64_t end_ms = b->now.mono_ms + ms; b->now.mono_ms < end_ms; b->now.mono_ms += 250, b->now.utc_ms += 250) {
		struct picture picture = { .planned_w = load_w + 77, .announced_w = 77, .recent_w = load_w, .present_w = load_w };
		plan_observe(b->plan, &picture, b->now);
	}
}

static void false_ones_raise_an_alarm_until_one_comes_true(void **state)
{
	struct bench *b = *state;
	say(b, "{\"id\":\"liar\"," AT ",\"delta_w\":2000000,\"over_s\":0}");
	watch(b, 1000000, 90500);
	assert_int_equal(count(b), 1);
	watch(b, 1000000, 250);
	assert_int_equal(count(b), 0);
	assert_non_null(strstr(b->last, "alarm/plan {\"raised\":true"));
	assert_non_null(strstr(b->last, "liar did not come true: it announced 2000.0 kW more and 0.0 kW came"));
	say(b, "{\"id\":\"honest\",\"at\":\"2026-11-22T05:06:03Z\",\"delta_w\":-500000,\"over_s\":0}");
	watch(b, 1000000, 20000);
	watch(b, 500000, 60000);
	assert_int_equal(count(b), 0);
	assert_non_null(strstr(b->last, "alarm/plan {\"raised\":false"));
}

/* Whoever sets the clock moves no notice. */
static void the_clock_is_asked_once(void **state)
{
	struct bench *b = *state;
	say(b, "{\"id\":\"a\"," AT ",\"delta_w\":2000000}");
	b->now.utc_ms -= 3600000;
	watch(b, 1000000, 91000);
	assert_int_equal(count(b), 0);
}

static void in_failsafe_nobody_judges(void **state)
{
	struct bench *b = *state;
	struct picture blind = { .failsafe = true };
	say(b, "{\"id\":\"a\"," AT ",\"delta_w\":2000000}");
	b->now.mono_ms += 1000000;
	plan_observe(b->plan, &blind, b->now);
	assert_int_equal(alarms_count(b->alarms), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_notice_is_read), TEST(a_fall_without_a_duration), TEST(the_same_id_replaces_and_zero_withdraws),
		TEST(bad_ones_change_nothing_and_say_why), TEST(an_empty_one_says_nothing),
		TEST(too_long_retained_or_elsewhere), TEST(sixty_four_are_enough),
		TEST(false_ones_raise_an_alarm_until_one_comes_true), TEST(the_clock_is_asked_once),
		TEST(in_failsafe_nobody_judges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
