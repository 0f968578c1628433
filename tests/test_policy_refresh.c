/* A meter's registers change every so often: how old a value is when it is read, and what the control law makes of it. */
#include "tests/policy_says.h"

#define KW 1000
#define ALL RIG_MINERS
#define ASK_MS 200

static int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }

/* Asked every 200 ms, a meter measures every refresh_ms what `of` says of the time. Returns the oldest that a value became,
 * once it is known how old that is; *wrong_ms: how far the answers were off then, at most. */
static int64_t oldest_ms(int64_t refresh_ms, int64_t (*of)(int64_t ms), int64_t *wrong_ms)
{
	struct refresh refresh = { 0 };
	int64_t oldest = 0;
	*wrong_ms = 0;
	for (int64_t ms = 1000; ms < 300000; ms += ASK_MS) {
		int64_t measured_ms = ms - ms % refresh_ms, age_ms = refresh_age_ms(&refresh, of(measured_ms), ms);
		int64_t seen_ms = (measured_ms + ASK_MS - 1) / ASK_MS * ASK_MS;
		if (ms < 200000)
			continue;
		oldest = max_of(oldest, age_ms);
		*wrong_ms = max_of(*wrong_ms, age_ms > ms - seen_ms ? age_ms - (ms - seen_ms) : ms - seen_ms - age_ms);
	}
	return oldest;
}

static int64_t restless(int64_t ms) { return ms * 7919 % 100003; }
/* Still for a minute, then restless for two. */
static int64_t now_and_then(int64_t ms) { return ms % 180000 < 60000 ? 4711 : restless(ms); }
static int64_t never(int64_t ms) { return 4711 * (ms > 0); }

static void a_value_is_as_old_as_it_has_stood(void **unused)
{
	int64_t wrong_ms;
	assert_int_equal(oldest_ms(1000, restless, &wrong_ms), 800);
	assert_int_equal(wrong_ms, 0);
	assert_int_equal(oldest_ms(3000, restless, &wrong_ms), 2800);
	assert_int_equal(wrong_ms, 0);
	(void)unused;
}

static void a_meter_that_is_quicker_than_it_is_asked_is_never_old(void **unused)
{
	int64_t wrong_ms;
	assert_int_equal(oldest_ms(200, restless, &wrong_ms), 0);
	assert_int_equal(oldest_ms(50, restless, &wrong_ms), 0);
	(void)unused;
}

static void what_stands_still_is_no_older_than_other_values_become(void **unused)
{
	int64_t wrong_ms;
	assert_int_equal(oldest_ms(1000, now_and_then, &wrong_ms), 800);
	assert_int_equal(oldest_ms(100, now_and_then, &wrong_ms), 0);
	assert_int_equal(oldest_ms(100, never, &wrong_ms), REFRESH_MOST_MS);
	(void)unused;
}

static void until_enough_were_seen_the_same_value_is_an_old_one(void **unused)
{
	struct refresh refresh = { 0 };
	for (int64_t n = 0; n < REFRESH_ENOUGH; n++) {
		assert_int_equal(refresh_age_ms(&refresh, n, 1000 + n * 1000), 0);
		assert_int_equal(refresh_every_ms(&refresh), 0);
		assert_int_equal(refresh_age_ms(&refresh, n, 1000 + n * 1000 + 900), 900);
	}
	assert_int_equal(refresh_age_ms(&refresh, REFRESH_ENOUGH, 1000 + REFRESH_ENOUGH * 1000), 0);
	assert_int_equal(refresh_every_ms(&refresh), 900);
	(void)unused;
}

/* Answers lost in between say nothing of how long a value stood. */
static void a_gap_ages_nothing(void **unused)
{
	struct refresh refresh = { 0 };
	for (int64_t n = 0; n < 4 * REFRESH_ENOUGH; n++) {
		refresh_age_ms(&refresh, n, 1000 + n * 20000);
		refresh_age_ms(&refresh, n, 1000 + n * 20000 + 500);
	}
	assert_int_equal(refresh_every_ms(&refresh), 500);
	(void)unused;
}

/* How far off the load is taken to be while 20 miners fall asleep, at most, by the site's meter alone. */
static int64_t load_off_w(int64_t refresh_ms, bool told)
{
	struct rig rig;
	int64_t off_w = 0;
	begin(&rig, ALL);
	rig.conf.n_meters = rig.conf.n_meter_groups = 1;
	rig.refresh_ms = refresh_ms;
	for (int64_t k = 0, gpus_w = rig.gpus_w; k < 60000 / RIG_STEP_MS; k++) {
		rig.gpus_w = gpus_w - restless(k) % 200;
		rig_step(&rig);
	}
	rig.demand.setpoint_w = rig.gpus_w + rig_miners_w(&rig) - 60 * KW;
	for (int k = 0; k < 60; k++) {
		rig.now_ms += RIG_STEP_MS;
		rig_read(&rig);
		if (!told)
			rig.meters[RIG_MAIN].age_ms = 0;
		rig_decide(&rig);
		off_w = max_of(off_w, rig.out.picture.load_w > rig.gpus_w ? rig.out.picture.load_w - rig.gpus_w :
		                                                            rig.gpus_w - rig.out.picture.load_w);
	}
	assert_true(rig.sleeps >= 19);
	return off_w;
}

static void miners_that_move_are_no_move_of_the_load(void **unused)
{
	assert_in_range(load_off_w(0, true), 0, 1 * KW);
	assert_in_range(load_off_w(1000, true), 0, 1 * KW);
	assert_in_range(load_off_w(3000, true), 0, 1 * KW);
	assert_true(load_off_w(1000, false) > 10 * KW);
	(void)unused;
}

/* The second feeder stands by at nothing, for ever: the first one tells how old the sum is. */
static void a_feeder_that_stands_still_ages_nobody(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.conf.n_meters = 2;
	rig.conf.n_meter_groups = 1;
	rig.meter_group[1] = RIG_SITE;
	struct refresh still = { 0 };
	for (int64_t k = 0, gpus_w = rig.gpus_w; k < 400; k++) {
		rig.gpus_w = gpus_w - restless(k) % 200;
		if (k == 200)
			rig.demand.setpoint_w = rig.gpus_w + rig_miners_w(&rig) - 60 * KW;
		rig.now_ms += RIG_STEP_MS;
		rig_read(&rig);
		rig.meters[1] = (struct meter_reading){ .fault = FAULT_NONE, .at_ms = rig.now_ms };
		rig.meters[1].age_ms = refresh_age_ms(&still, 0, rig.now_ms);
		rig_decide(&rig);
		assert_int_equal(rig.out.picture.load_w, rig.gpus_w);
	}
	assert_int_equal(rig.sleeps, 20);
	(void)unused;
}

/* A meter that is slow to measure has spoken all the same: it is not lost, and it is not told to be old. */
static void a_slow_meter_is_not_stale(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.refresh_ms = 4000;          /* its stale_after is 2 s */
	for (int64_t k = 0, gpus_w = rig.gpus_w; k < 400; k++) {
		rig.gpus_w = gpus_w - restless(k) % 200;
		rig_step(&rig);
		assert_true(rig.out.picture.site_known);
		assert_int_equal(rig.out.picture.site_age_ms, 0);
	}
	(void)unused;
}

/* A chiller goes off behind a meter whose values are old: what the GPUs' meters carry forward until the next is not the load
 * that moves. */
static void the_rest_is_learned_from_old_values(void **unused)
{
	struct rig rig;
	rig_init(&rig, 700 * KW, 20);
	rig.house_w = 50 * KW;
	rig.refresh_ms = 2000;
	rig_run(&rig, 120000);
	assert_int_equal(rig.out.picture.other_w, 50 * KW);
	rig.house_w = 20 * KW;
	rig_run(&rig, 120000);
	assert_in_range(rig.out.picture.other_w, 20 * KW, 20 * KW + 100);
	assert_in_range(rig.out.picture.load_w, 720 * KW, 720 * KW + 100);
	(void)unused;
}

/* Half of the GPUs had no meter; now all have. */
static void what_a_reload_meters_is_no_rest(void **unused)
{
	struct rig rig;
	rig_init(&rig, 600 * KW, 20);
	rig.refresh_ms = 2000;
	rig.conf.n_meters = 2;
	rig_run(&rig, 120000);
	assert_int_equal(rig.out.picture.other_w, 300 * KW);
	rig.conf.n_meters = 3;
	policy_forget_meters(&rig.state);
	for (int i = 0; i < 100; i++) {
		rig_step(&rig);
		assert_in_range(rig.out.picture.load_w, 600 * KW, 600 * KW + 100);
	}
	assert_int_equal(rig.sleeps, 0);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_as_old_as_it_has_stood),
		cmocka_unit_test(a_meter_that_is_quicker_than_it_is_asked_is_never_old),
		cmocka_unit_test(what_stands_still_is_no_older_than_other_values_become),
		cmocka_unit_test(until_enough_were_seen_the_same_value_is_an_old_one),
		cmocka_unit_test(a_gap_ages_nothing),
		cmocka_unit_test(miners_that_move_are_no_move_of_the_load),
		cmocka_unit_test(a_feeder_that_stands_still_ages_nobody),
		cmocka_unit_test(a_slow_meter_is_not_stale),
		cmocka_unit_test(the_rest_is_learned_from_old_values),
		cmocka_unit_test(what_a_reload_meters_is_no_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
