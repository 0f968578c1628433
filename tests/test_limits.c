/* What physics leaves over, with and without a forecast, on series of which the answer is known. */
#include "tests/fast_bed.h"

/* ---- r(f): the table of published figures: dead time, lag, r at 0.2 Hz and at 1 Hz, break-even ---- */

static void the_bound_is_the_published_one(void **unused)
{
	static const struct { double dead_s, lag_s, r02, r1, even_s; } rows[] = {
		{ 0.2, 0.05, 0.31, 1.38, 1.5 }, { 1, 0.3, 1.40, 0.88, 7.6 }, { 2, 1, 1.61, 0.99, 17 }, { 10, 3, 0.97, 1.00, 76 },
	};
	(void)unused;
	for (int i = 0; i < 4; i++) {
		struct limits_path path = { rows[i].dead_s, rows[i].lag_s };
		struct limits limits = { .down = path, .up = path };
		NEAR(limits_left(&limits, 0.2), rows[i].r02, 0.006);
		NEAR(limits_left(&limits, 1), rows[i].r1, 0.006);
		NEAR(limits_break_even_s(&path, &path), rows[i].even_s, 0.02 * rows[i].even_s);
	}
}

static void up_and_down_count_half_each(void **unused)
{
	struct limits limits = { .down = { 2, 1 }, .up = { 10, 3 } };
	(void)unused;
	double down = 1.61, up = 0.97;
	NEAR(limits_left(&limits, 0.2), sqrt((down * down + up * up) / 2), 0.01);
	NEAR(limits_break_even_s(&limits.down, &limits.up), 76, 1);
}

/* ---- a fleet's own limits, over the limit, foresight: of the 300 quick miners ---- */

/* 2 s and 2 s as an exponential of four time constants: 0.46 s of lag. 5 s and 5 s up: 3 s, less the overshoot. */
static void the_plant_tells_the_paths(void **unused)
{
	struct bed bed;
	(void)unused;
	open_bed(&bed, "fast", 10);
	NEAR(bed.limits.down.dead_s, 2.2, 0.01);
	NEAR(bed.limits.down.lag_s, 0.5, 0.1);
	NEAR(bed.limits.up.dead_s, 5.2, 0.01);
	NEAR(bed.limits.up.lag_s, 3, 0.3);
	close_bed(&bed);
	open_bed(&bed, "slow", 10);
	NEAR(bed.limits.up.lag_s, 68, 2);
	close_bed(&bed);
}

static void acting_at_once_is_the_least(void **unused)
{
	struct bed bed;
	struct limits_over over;
	(void)unused;
	open_bed(&bed, "fast", 200);
	jump(&bed, 0);
	limits_over(&bed.limits, &bed.run, 0, &over);
	NEAR(over.wh, over.least_wh, 1e-6);
	NEAR(over.most_w, 400000, 1);
	assert_true(over.seconds >= 2 && over.seconds < 3);
	NEAR(over.wh, 400000 * over.seconds / 3600, 400000 * 0.5 / 3600);
	NEAR(over.excused_s, over.seconds, 1e-9);       /* nothing of the kind was seen before */
	close_bed(&bed);
}

static void a_second_late_costs_a_second(void **unused)
{
	struct bed bed;
	struct limits_over over;
	(void)unused;
	open_bed(&bed, "fast", 200);
	jump(&bed, 5);
	limits_over(&bed.limits, &bed.run, 0, &over);
	NEAR((over.wh - over.least_wh) * 3600, 400000, 1000);
	close_bed(&bed);
}

/* One sample late, and no more of them than it takes: 400 kW of the 1 MW. */
static void who_senses_first_and_sheds_what_it_takes_is_exact(void **unused)
{
	struct bed bed;
	struct limits_over over;
	(void)unused;
	open_bed(&bed, "fast", 200);
	jump(&bed, LIMITS_SENSE_MS / FAST_STEP_MS);
	for (size_t i = 0; i < bed.run.n; i++) {
		bed.run.miners_w[i] = 600000 + 0.4 * bed.run.miners_w[i];
		bed.run.site_w[i] = bed.run.hpc_w[i] + bed.run.miners_w[i];
	}
	limits_over(&bed.limits, &bed.run, 0, &over);
	NEAR(over.exact_wh, over.wh, 1e-6);
	assert_true(over.exact_wh > 1.15 * over.least_wh);
	close_bed(&bed);
}

static void a_rise_seen_before_excuses_nothing(void **unused)
{
	struct bed bed;
	struct limits_over over;
	(void)unused;
	open_bed(&bed, "fast", 200);
	jump(&bed, 0);
	for (size_t i = 10; i < 40; i++)                /* the same jump before, without miners in the way */
		bed.run.hpc_w[i] = 1500000, bed.run.miners_w[i] = 0, bed.run.site_w[i] = 1500000;
	limits_over(&bed.limits, &bed.run, 0, &over);
	assert_true(over.seconds >= 2);
	NEAR(over.excused_s, 0, 1e-9);
	limits_over(&bed.limits, &bed.run, 150, &over);
	NEAR(over.seconds, 0, 1e-9);
	close_bed(&bed);
}

/* Who is still over when the miners could long have fallen. */
static void a_new_rise_excuses_no_longer_than_a_fall(void **unused)
{
	struct bed bed;
	struct limits_over over;
	(void)unused;
	open_bed(&bed, "fast", 200);
	jump(&bed, 25);         /* 5 s late: over from 20 s to 27 s or so */
	limits_over(&bed.limits, &bed.run, 0, &over);
	assert_true(over.seconds > 7);
	NEAR(over.excused_s, (double)bed.limits.n_down * LIMITS_STEP_MS / 1000, 0.3);
	close_bed(&bed);
}

/* 400 kW too much for who had no more free; who had seen it might have had. */
static void a_new_rise_takes_a_fall(void **unused)
{
	struct bed bed;
	double site_w[200];
	(void)unused;
	open_bed(&bed, "fast", 200);
	jump(&bed, 0);
	limits_falls(&bed.limits, &bed.run, 0, site_w);
	NEAR(site_w[99], 1000000, 1e-6);
	NEAR(site_w[101], 1500000, 1000);
	NEAR(site_w[199], 1100000, 1);
	limits_falls(&bed.limits, &bed.run, 150, site_w);
	NEAR(site_w[199], 1500000, 1e-6);
	for (size_t i = 10; i < 40; i++)
		bed.run.hpc_w[i] = 1500000, bed.run.miners_w[i] = 0, bed.run.site_w[i] = 1500000;
	limits_falls(&bed.limits, &bed.run, 0, site_w);
	NEAR(site_w[199], 1500000, 1e-6);
	close_bed(&bed);
}

static void the_last_price_stands(void **unused)
{
	static double prices[] = { 50, 30 };
	struct bed bed;
	(void)unused;
	open_bed(&bed, "fast", 100);
	bed.of.price = (struct fast_series){ prices, 2, 2000 };
	bed.of.breakeven = 40;
	for (size_t i = 0; i < 100; i++)
		bed.run.limit_w[i] = 500000;
	NEAR(limits_allowed_w(&bed.of, &bed.run, 5), 0, 0);
	NEAR(limits_allowed_w(&bed.of, &bed.run, 15), 500000, 0);
	NEAR(limits_allowed_w(&bed.of, &bed.run, 25), 500000, 0);
	bed.of.price = (struct fast_series){ 0 };
	close_bed(&bed);
}

/* The limit leaves the fleet half, then all of it: foresight has it there in time, and never sooner. */
static void foresight_keeps_what_the_limit_leaves(void **unused)
{
	struct bed bed;
	(void)unused;
	open_bed(&bed, "fast", 1000);
	double fleet_w = (double)bed.of.fleet_w;
	for (size_t i = 0; i < 1000; i++) {
		bed.run.site_w[i] = 1000000;
		bed.run.limit_w[i] = 1000000 + fleet_w / 2;
	}
	NEAR(limits_foresight(&bed.limits, &bed.of, &bed.run, 0), 0.5, 1e-9);
	for (size_t i = 500; i < 1000; i++)
		bed.run.limit_w[i] += fleet_w;
	double ramp_s = fleet_w / 2 / bed.limits.rise_w_per_s;
	NEAR(limits_foresight(&bed.limits, &bed.of, &bed.run, 0), 0.75 - ramp_s / 2 / 200 / 2, 0.002);
	for (size_t i = 0; i < 1000; i++)
		bed.run.setpoint_w[i] = 1000000 + fleet_w / 4;
	NEAR(limits_foresight(&bed.limits, &bed.of, &bed.run, 0), 0.25, 1e-9);
	close_bed(&bed);
}

/* The other way round it is down in time. */
static void foresight_falls_before_the_limit_does(void **unused)
{
	struct bed bed;
	(void)unused;
	open_bed(&bed, "fast", 100);
	double fleet_w = (double)bed.of.fleet_w, ramp_s = fleet_w / 2 / bed.limits.fall_w_per_s;
	assert_true(ramp_s >= 0.5);
	for (size_t i = 0; i < 100; i++) {
		bed.run.site_w[i] = 1000000;
		bed.run.limit_w[i] = 1000000 + (i < 50 ? fleet_w : fleet_w / 2);
	}
	NEAR(limits_foresight(&bed.limits, &bed.of, &bed.run, 0), 0.75 - ramp_s / 2 / 20 / 2, 0.003);
	close_bed(&bed);
}

/* ---- without a forecast ---- */

static void set_load(struct bed *bed, size_t i, double load_w, double limit_w)
{
	bed->run.site_w[i] = bed->run.hpc_w[i] = load_w;
	bed->run.limit_w[i] = limit_w;
}

static void nothing_that_moves_needs_no_forecast(void **unused)
{
	struct bed bed;
	(void)unused;
	open_bed(&bed, "fast", 1000);
	for (size_t i = 0; i < 1000; i++)
		set_load(&bed, i, 1000000, 1000000 + (double)bed.of.fleet_w / 2);
	NEAR(limits_causal(&bed.limits, &bed.of, &bed.run, 0), 0.5, 1e-9);
	close_bed(&bed);
}

/* It jumps by 500 kW at any moment: while it is down the miners may not have more than while it is up. Foresight has. */
static void a_jump_may_come_at_any_moment(void **unused)
{
	struct bed bed;
	(void)unused;
	open_bed(&bed, "fast", 1000);
	double fleet_w = (double)bed.of.fleet_w;
	for (size_t i = 0; i < 1000; i++)
		set_load(&bed, i, i / 250 % 2 ? 1500000 : 1000000, 1500000 + fleet_w / 4);
	NEAR(limits_causal(&bed.limits, &bed.of, &bed.run, 20), 0.25, 1e-9);    /* who begins has decided nothing yet */
	assert_true(limits_foresight(&bed.limits, &bed.of, &bed.run, 0) > 0.4);
	close_bed(&bed);
}

/* It rises by 10 kW/s without end, so until miners begin to fall, 2 s less the quickest of them, it is as much higher; and
 * no higher than its peak. */
static void a_rise_lasts_as_long_as_the_dead_time(void **unused)
{
	struct bed bed;
	size_t dead = 0;
	(void)unused;
	open_bed(&bed, "fast", 1000);
	double fleet_w = (double)bed.of.fleet_w;
	while (limits_done_down(&bed.limits, dead + 1) <= 0.005)
		dead++;
	assert_true(dead >= 8 && dead <= 10);
	for (size_t i = 0; i < 1000; i++)
		set_load(&bed, i, 1000000 + 2000.0 * (double)i, 1000000 + 2000.0 * (double)i + fleet_w / 2);
	NEAR(limits_causal(&bed.limits, &bed.of, &bed.run, 0), 0.5, 1e-6);      /* the limit rises along */
	for (size_t i = 0; i < 1000; i++)
		set_load(&bed, i, i < 500 ? 1000000 : i < 600 ? 1000000 + 2000.0 * (double)(i - 500) : 1200000, 1200000 + fleet_w / 2);
	double kept = limits_causal(&bed.limits, &bed.of, &bed.run, 0), low = 0.5 + (200000 - 2000 * (double)dead) / fleet_w;
	NEAR(kept, 0.5 * low + 0.4 * 0.5 + 0.1 * (low + 0.5) / 2, 0.004);
	close_bed(&bed);
}

/* ---- within the fleet's reach ---- */

static void what_the_fleet_covers_is_left_as_r_has_it(void **unused)
{
	struct bed bed;
	struct spectrum s;
	static double x[12000];
	(void)unused;
	open_bed(&bed, "fast", 10);
	NEAR(bed.limits.reach_w, 300 * 3475, 1);
	wave(x, 12000, 0.2, 240, 400000);
	spectrum_make(&s, x, 12000, 0.2);
	NEAR(limits_reach(&bed.limits, x, 12000, NULL, 1e9), limits_rms(&bed.limits, &s), 1);
	spectrum_free(&s);
	close_bed(&bed);
}

/* Up and down by three times the fleet's watts, each ten minutes: two thirds of it are nobody's to cover. */
static void what_lies_beyond_the_fleet_stays(void **unused)
{
	struct bed bed;
	static double x[12000];
	static const double top_level, low_level = -5e6;
	(void)unused;
	open_bed(&bed, "fast", 10);
	for (size_t i = 0; i < 12000; i++)
		x[i] = i / 3000 % 2 ? 0 : -3 * bed.limits.reach_w;
	NEAR(limits_reach(&bed.limits, x, 12000, NULL, 1e9), bed.limits.reach_w, 0.03 * bed.limits.reach_w);
	NEAR(limits_reach(&bed.limits, x, 12000, &top_level, 1e9), bed.limits.reach_w, 0.03 * bed.limits.reach_w);
	NEAR(limits_reach(&bed.limits, x, 12000, &low_level, 1e9), 1.5 * bed.limits.reach_w, 0.03 * bed.limits.reach_w);
	close_bed(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bound_is_the_published_one),
		cmocka_unit_test(up_and_down_count_half_each),
		cmocka_unit_test(the_plant_tells_the_paths),
		cmocka_unit_test(acting_at_once_is_the_least),
		cmocka_unit_test(a_second_late_costs_a_second),
		cmocka_unit_test(who_senses_first_and_sheds_what_it_takes_is_exact),
		cmocka_unit_test(a_rise_seen_before_excuses_nothing),
		cmocka_unit_test(a_new_rise_excuses_no_longer_than_a_fall),
		cmocka_unit_test(a_new_rise_takes_a_fall),
		cmocka_unit_test(the_last_price_stands),
		cmocka_unit_test(foresight_keeps_what_the_limit_leaves),
		cmocka_unit_test(foresight_falls_before_the_limit_does),
		cmocka_unit_test(nothing_that_moves_needs_no_forecast),
		cmocka_unit_test(a_jump_may_come_at_any_moment),
		cmocka_unit_test(a_rise_lasts_as_long_as_the_dead_time),
		cmocka_unit_test(what_the_fleet_covers_is_left_as_r_has_it),
		cmocka_unit_test(what_lies_beyond_the_fleet_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
