/* Targets for the miners' share: levels, timestamps, and what silence means. */
#include "tests/signals_bench.h"

static void test_target_levels(void **state)
{
	struct bench *b = *state;
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.miners_w, POLICY_NONE);
	assert_int_equal(b->demand.miners_soon_w, 0);   /* not heard yet: none is woken that may have to sleep */
	target(b, "50", T0);
	SAID(b, "event/maestro state {\"id\":\"maestro\",\"signal\":\"maestro\",\"kind\":\"share\",\"status\":\"active\",\"limit_w\":5000000,"
	     "\"received\":\"2026-11-22T05:04:03.000Z\",\"start\":\"2026-11-22T05:04:03.000Z\",\"end\":null,"
	     "\"first_command\":null,\"met_at\":null,\"response_s\":null,\"before_w\":15000000,\"mean_w\":null,\"max_w\":null,"
	     "\"delivered_w\":null,\"not_drawn_wh\":null,\"why\":\"target 50.00 %\"}");
	look(b, 15000000, 9000000, 2);
	assert_int_equal(b->demand.miners_w, 5000000);
	assert_int_equal(b->demand.miners_soon_w, 5000000);
	assert_false(b->demand.shed);
	assert_string_equal(signals_event_id(b->signals, b->demand.miners_from), "maestro");
	pass(b, 30000);
	target(b, "50", T0 + 30000);
	NOTHING_SAID(b);                                /* the same again is no news */
	look(b, 11000000, 5300001, 0);
	NOTHING_SAID(b);
	look(b, 11000000, 5300000, 0);                  /* 5 MW, 100 kW asleep, and 2 % */
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "\"status\":\"met\""));
	assert_non_null(strstr(b->lines[0], "\"first_command\":\"2026-11-22T05:04:03.000Z\""));
	b->n = 0;
	target(b, "33.3333", T0 + 30000);
	assert_non_null(strstr(b->lines[0], "\"status\":\"active\",\"limit_w\":3333330"));
	b->n = 0;
	target(b, "100", T0 + 31000);
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "\"status\":\"missed\""));
	assert_non_null(strstr(b->lines[0], "\"why\":\"target 100.00 %\""));
	look(b, 11000000, 5300000, 0);
	assert_int_equal(b->demand.miners_w, POLICY_NONE);
	assert_int_equal(b->demand.miners_soon_w, POLICY_NONE);
}

static void test_target_timestamps(void **state)
{
	struct bench *b = *state;
	target(b, "0", T0 - 86401000);
	assert_non_null(strstr(b->lines[0], "ignored: its timestamp is 86401 s off"));
	target(b, "50", T0 + 10000);
	b->n = 0;
	target(b, "100", T0 + 9000);
	SAID(b, "alarm/signal/maestro state {\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"ignored: its timestamp is 1 s older than the last one\",\"severity\":\"warning\",\"subject\":\"maestro\"}");
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 5000000);
	b->n = 0;
	target(b, "40", T0 + 10000);
	assert_non_null(strstr(b->lines[0], "alarm/signal/maestro state {\"raised\":false"));
	b->n = 0;
	target(b, "0", T0 + 86401000);
	assert_non_null(strstr(b->lines[0], "ignored: its timestamp is -86401 s off"));
	target(b, "0", T0 - 86401000);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 4000000);
	target(b, "30", T0 + 86400000);                 /* a day off, to the second, will do */
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 3000000);
}

static void test_target_retained(void **state)
{
	struct bench *b = *state;
	char text[100];
	snprintf(text, sizeof(text), "{\"target\":100,\"timestamp\":%lld}", (T0 - 90000) / 1000);
	assert_true(signals_message(b->signals, "maestro/target", text, strlen(text), true, b->now));
	assert_non_null(strstr(b->lines[0], "delivered retained, 90 s after it was sent"));
	snprintf(text, sizeof(text), "{\"target\":20,\"timestamp\":%lld}", (T0 - 80000) / 1000);
	signals_message(b->signals, "maestro/target", text, strlen(text), true, b->now);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 2000000);
	pass(b, 9000);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 2000000);
	pass(b, 1000);                                  /* its age counts */
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 0);
}

static struct bench *rebuilt(struct bench *b, enum when_stale when_stale)
{
	struct signal_conf conf = signal_confs[1];
	conf.when_stale = when_stale;
	signals_free(b->signals);
	alarms_free(b->alarms);
	memset(b, 0, sizeof(*b));
	build(b, &conf, 1);
	return b;
}

static void test_target_goes_stale(void **state)
{
	static const struct { enum when_stale when; int64_t before_w, after_w; const char *why, *status; } cases[] = {
		{ WHEN_STALE_CURTAIL, 5000000, 0, "no message for 90 s: its miners are curtailed", "\"status\":\"active\",\"limit_w\":0" },
		{ WHEN_STALE_HOLD, 5000000, 5000000, "no message for 90 s: its last target holds", NULL },
		{ WHEN_STALE_RELEASE, 5000000, POLICY_NONE, "no message for 90 s: it is released", "\"status\":\"cancelled\"" },
	};
	for (size_t i = 0; i < 3; i++) {
		struct bench *b = rebuilt(*state, cases[i].when);
		target(b, "50", T0);
		pass(b, 89999);
		look(b, 15000000, 9000000, 0);
		assert_int_equal(b->demand.miners_w, cases[i].before_w);
		b->n = 0;
		pass(b, 1);
		look(b, 15000000, 9000000, 0);
		assert_int_equal(b->demand.miners_w, cases[i].after_w);
		assert_non_null(strstr(b->lines[0], cases[i].why));
		assert_non_null(strstr(b->lines[0], "\"severity\":\"critical\""));
		assert_int_equal(b->n, cases[i].status ? 2 : 1);
		if (cases[i].status)
			assert_non_null(strstr(b->lines[1], cases[i].status));
		pass(b, 1000000);
		look(b, 15000000, 9000000, 0);
		b->n = 0;
		target(b, "60", b->now.utc_ms);
		assert_non_null(strstr(b->lines[0], "alarm/signal/maestro state {\"raised\":false"));
		look(b, 15000000, 9000000, 0);
		assert_int_equal(b->demand.miners_w, 6000000);
	}
}

static void test_target_never_heard(void **state)
{
	static const struct { enum when_stale when; int64_t soon_w, miners_w, later_w; } cases[] = {
		{ WHEN_STALE_CURTAIL, 0, 0, 0 }, { WHEN_STALE_HOLD, 0, POLICY_NONE, 0 },
		{ WHEN_STALE_RELEASE, POLICY_NONE, POLICY_NONE, POLICY_NONE },
	};
	for (size_t i = 0; i < 3; i++) {
		struct bench *b = rebuilt(*state, cases[i].when);
		look(b, 1, 1, 0);
		assert_int_equal(b->demand.miners_w, POLICY_NONE);
		assert_int_equal(b->demand.miners_soon_w, cases[i].soon_w);
		pass(b, 90000);
		look(b, 1, 1, 0);
		assert_int_equal(b->demand.miners_w, cases[i].miners_w);
		assert_int_equal(b->demand.miners_soon_w, cases[i].later_w);
		assert_true(alarms_raised(b->alarms, "signal/maestro"));
	}
}

/* A sender whose clock was hours ahead and has been set right is heard again once its signal is stale. */
static void test_target_clock_set_back(void **state)
{
	struct bench *b = *state;
	target(b, "50", T0 + 7200000);
	target(b, "60", T0);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 5000000);
	pass(b, 90000);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 0);
	target(b, "100", T0);                           /* as old as staleness allows: still no */
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 0);
	target(b, "60", T0 + 60000);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 6000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_target_levels), TEST(test_target_timestamps), TEST(test_target_retained),
		TEST(test_target_goes_stale), TEST(test_target_never_heard), TEST(test_target_clock_set_back),
	};
	return cmocka_run_group_tests_name("signals target", tests, NULL, NULL);
}
