/* What mulletsim --fast measures, on series of which the answer is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/fast_main.h"

#define NEAR(a, b, by) assert_true(fabs((a) - (b)) <= (by))

/* ---- spectrum ---- */

/* Begins and ends at a crest, so that with its mirror image it is one whole wave. */
static void wave(double *x, size_t n, double step_s, double period_s, double amplitude)
{
	for (size_t i = 0; i < n; i++)
		x[i] = amplitude * cos(2 * M_PI * ((double)i + 0.5) * step_s / period_s);
}

static void a_wave_lies_in_its_band_whole(void **unused)
{
	static const double periods_s[] = { 4, 30, 200, 1200 };
	(void)unused;
	for (int p = 0; p < FAST_BANDS; p++) {
		static double x[18000];
		struct spectrum s;
		wave(x, 18000, 0.2, periods_s[p], 1000);
		spectrum_make(&s, x, 18000, 0.2);
		for (int b = 0; b < FAST_BANDS; b++) {
			double rms = spectrum_rms(&s, fast_band_s[b], fast_band_s[b + 1]);
			if (b == p)
				NEAR(rms, 1000 / sqrt(2), 0.1);
			else
				NEAR(rms, 0, 0.1);
		}
		spectrum_free(&s);
	}
}

static void the_bands_add_up_to_the_variance(void **unused)
{
	static double x[1000];
	double mean = 0, variance = 0;
	struct spectrum s;
	(void)unused;
	srand(1);
	for (int i = 0; i < 1000; i++)
		mean += (x[i] = rand() % 1000 + i) / 1000;
	for (int i = 0; i < 1000; i++)
		variance += (x[i] - mean) * (x[i] - mean) / 1000;
	spectrum_make(&s, x, 1000, 1);
	NEAR(spectrum_rms(&s, 0, INFINITY), sqrt(variance), 1e-6 * sqrt(variance));
	spectrum_free(&s);
}

/* 997 is prime: a few values at the end are left out, and no more. */
static void any_length_will_do(void **unused)
{
	static double x[997];
	struct spectrum s;
	(void)unused;
	wave(x, 997, 1, 20, 10);
	spectrum_make(&s, x, 997, 1);
	NEAR(spectrum_rms(&s, 10, 60), 10 / sqrt(2), 0.2);
	assert_int_equal(s.n, 973);             /* 972 = 2² 3⁵ */
	spectrum_free(&s);
}

static void a_drift_is_no_fast_movement(void **unused)
{
	static double x[18000];
	struct spectrum s;
	(void)unused;
	for (int i = 0; i < 18000; i++)
		x[i] = i;
	spectrum_make(&s, x, 18000, 0.2);
	NEAR(spectrum_rms(&s, 600, INFINITY), 18000 / sqrt(12), 20);
	assert_true(spectrum_rms(&s, 2, 10) < 1);
	spectrum_free(&s);
}

/* ---- largest change ---- */

static void the_largest_change_is_within_its_window(void **unused)
{
	static const double x[] = { 0, 1, 2, 3, 4, 5, 5, 5, 9, 5, 5, -2, 5 };
	(void)unused;
	NEAR(fast_largest_change(x, 13, 1), 7, 0);
	NEAR(fast_largest_change(x, 13, 2), 7, 0);
	NEAR(fast_largest_change(x, 13, 3), 11, 0);
	NEAR(fast_largest_change(x, 6, 3), 3, 0);
	NEAR(fast_largest_change(x, 13, 100), 11, 0);
	NEAR(fast_largest_change(x, 1, 5), 0, 0);
}

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

struct bed { struct fast_case of; struct limits limits; struct fast_run run; };

static void open_bed(struct bed *bed, const char *kind, size_t n)
{
	char why[200];
	struct fast_file file = { .name = "bed", .load = "constant", .seed = 1, .peak_w = 1000000, .lasts_ms = 1200000, .share_permille = 300,
		.n_fleets = 1 };
	snprintf(file.fleets[0].kind, sizeof file.fleets[0].kind, "%s", kind);
	file.fleets[0].n = 300;
	*bed = (struct bed){ 0 };
	assert_int_equal(fast_case_make(&bed->of, &file, 0, "", why, sizeof why), 0);
	limits_make(&bed->limits, &bed->of);
	bed->run = (struct fast_run){ .n = n };
	bed->run.site_w = calloc(n, sizeof(double));
	bed->run.hpc_w = calloc(n, sizeof(double));
	bed->run.miners_w = calloc(n, sizeof(double));
	bed->run.limit_w = calloc(n, sizeof(double));
	bed->run.setpoint_w = calloc(n, sizeof(double));
}

static void close_bed(struct bed *bed)
{
	fast_run_free(&bed->run);
	limits_free(&bed->limits);
	fast_case_free(&bed->of);
}

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

/* The load jumps at step 100 while 1 MW of miners hash; those that react at once make it the least there can be. */
static void jump(struct bed *bed, size_t late_steps)
{
	for (size_t i = 0; i < bed->run.n; i++) {
		size_t since = i > 100 + late_steps ? (i - 100 - late_steps) * FAST_STEP_MS / LIMITS_STEP_MS : 0;
		double done = since < bed->limits.n_down ? bed->limits.done_down[since] : 1;
		double load_w = i < 100 ? 1000000 : 1500000;
		bed->run.miners_w[i] = 1000000 * (1 - done);
		bed->run.hpc_w[i] = load_w;
		bed->run.site_w[i] = load_w + bed->run.miners_w[i];
		bed->run.limit_w[i] = 2100000;
	}
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

/* 400 kW too much for who had no more free; who had seen it might have had. */
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

/* ---- bars ---- */

static void a_picture_names_the_bound_where_it_means_something(void **unused)
{
	struct bed bed;
	struct fast_score scores[N_FAST_CONTROLS] = { [FAST_POLICY] = { .flat = true, .slow_w = 13000, .bound_w = 10000 } };
	(void)unused;
	open_bed(&bed, "fast", 200);
	jump(&bed, 0);
	bed.run.told_target_w = calloc(200, sizeof(double));
	for (int k = 0; k < 3; k++) {
		char *text;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		assert_non_null(out);
		scores[FAST_POLICY].flat = k != 1;
		scores[FAST_POLICY].bound_w = k == 2 ? 900 : 10000;
		fast_plot(&bed.of, &bed.run, scores, out);
		fclose(out);
		assert_true((strstr(text, "(1.30 of the bound)") != NULL) == (k == 0));
		assert_true(strstr(text, "slow rms 0.013 MW") && !strstr(text, "nan") && !strstr(text, "inf<"));
		assert_string_equal(text + size - 7, "</svg>\n");
		free(text);
	}
	close_bed(&bed);
}

static void a_bar_is_met_missed_or_beyond(void **unused)
{
	double figure;
	struct fast_result result = { .name = "x" };
	struct fast_score *s = &result.of[FAST_POLICY];
	(void)unused;
	*s = (struct fast_score){ .flat = true, .least_ratio = 1.2, .slow_w = 13000, .bound_w = 10000, .reach_w = 12000,
		.site_w = { 500, 20080, 9000 }, .hpc_w = { 100, 20000, 10000 }, .kept = 0.48, .foresight = 0.5, .causal = 0.49,
		.flat_kept = -1 };
	assert_int_equal(fast_bar(&result, BAR_ODD, &figure), BAR_EMPTY);       /* not played */
	result.played[FAST_POLICY] = true;
	assert_int_equal(fast_bar(&result, BAR_ODD, &figure), BAR_MET);
	assert_int_equal(fast_bar(&result, BAR_LEAST, &figure), BAR_MISSED);
	NEAR(figure, 1.2, 0);
	assert_int_equal(fast_bar(&result, BAR_SLOW, &figure), BAR_MISSED);
	NEAR(figure, 1.3, 1e-9);
	assert_int_equal(fast_bar(&result, BAR_REACH, &figure), BAR_MET);
	assert_int_equal(fast_bar(&result, BAR_BAND, &figure), BAR_MET);        /* below a kilowatt nothing counts */
	NEAR(figure, 1.004, 1e-9);
	assert_int_equal(fast_bar(&result, BAR_KEPT, &figure), BAR_MISSED);
	assert_int_equal(fast_bar(&result, BAR_CAUSAL, &figure), BAR_MET);
	assert_int_equal(fast_bar(&result, BAR_ERROR, &figure), BAR_EMPTY);
	assert_int_equal(fast_bar(&result, BAR_CYCLES_12, &figure), BAR_EMPTY);
	s->flat_kept = 0.47;    /* 97 % of 0.49 are more */
	assert_int_equal(fast_bar(&result, BAR_SLOW, &figure), BAR_BEYOND);
	s->flat_kept = 0.48;
	assert_int_equal(fast_bar(&result, BAR_SLOW, &figure), BAR_MISSED);
	s->best_w = 12600;
	s->causal = 0.48;
	assert_int_equal(fast_bar(&result, BAR_SLOW, &figure), BAR_BEYOND);
	assert_int_equal(fast_bar(&result, BAR_KEPT, &figure), BAR_BEYOND);
	s->site_w[1] = 21000;
	assert_int_equal(fast_bar(&result, BAR_BAND, &figure), BAR_MISSED);
	s->falls_w[1] = 20200;  /* no less to be back under the limit */
	assert_int_equal(fast_bar(&result, BAR_BAND, &figure), BAR_BEYOND);
	s->falls_w[1] = 20000;
	s->slow_w = 12000;      /* the other bar is met, which excludes this one */
	assert_int_equal(fast_bar(&result, BAR_BAND, &figure), BAR_BEYOND);
	s->set_point = s->quick = true;
	s->error_permille = 16;
	assert_int_equal(fast_bar(&result, BAR_BAND, &figure), BAR_EMPTY);
	assert_int_equal(fast_bar(&result, BAR_ERROR, &figure), BAR_MISSED);
	result.played[FAST_12] = true;
	result.of[FAST_12].days = 1;
	result.of[FAST_12].most_sleeps = 13;
	assert_int_equal(fast_bar(&result, BAR_CYCLES_12, &figure), BAR_MISSED);
	result.of[FAST_12].most_sleeps = 12;
	assert_int_equal(fast_bar(&result, BAR_CYCLES_12, &figure), BAR_MET);
	result.of[FAST_12].days = 1.0 / 24;             /* in an hour three at once, and three eighths of one */
	result.of[FAST_12].most_sleeps = 4;
	assert_int_equal(fast_bar(&result, BAR_CYCLES_12, &figure), BAR_MISSED);
	result.of[FAST_12].most_sleeps = 3;
	assert_int_equal(fast_bar(&result, BAR_CYCLES_12, &figure), BAR_MET);
}

/* ---- the whole score, of a site that swings by a known sine ---- */

static void what_was_not_played_is_not_told(void **unused)
{
	char *text;
	size_t size;
	struct fast_result result = { .name = "x", .played = { [FAST_POLICY] = true, [FAST_TOLD] = true } };
	FILE *out = open_memstream(&text, &size);
	(void)unused;
	assert_non_null(out);
	fast_print_gains(&result, 1, out);              /* of a site that is not to be flat, and may not hash */
	fast_print_bars(&result, 1, out);
	result.played[FAST_48] = true;
	fclose(out);
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "  0 of   0"));
	assert_null(strstr(text, "violations"));
	free(text);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	fast_print_bars(&result, 1, out);
	fclose(out);
	assert_non_null(strstr(text, "  1 of   1  48 cycles a day: no such second"));
	assert_non_null(strstr(text, "Wear limits: 0 violations"));
	free(text);
}

static void a_score_of_a_known_run(void **unused)
{
	struct bed bed;
	struct fast_score score;
	size_t n = 1200000 / FAST_STEP_MS;
	(void)unused;
	open_bed(&bed, "fast", n);
	for (size_t i = 0; i < n; i++) {
		double s = (double)i * 0.2, quick_w = 10000 * sin(2 * M_PI * s / 5), slow_w = 40000 * sin(2 * M_PI * s / 120);
		bed.run.hpc_w[i] = 700000 + quick_w + slow_w;
		bed.run.miners_w[i] = (double)bed.of.fleet_w / 4 - slow_w / 2;
		bed.run.site_w[i] = bed.run.hpc_w[i] + bed.run.miners_w[i];
		bed.run.limit_w[i] = (double)bed.of.cap_w;
	}
	bed.run.commands = 1200;
	bed.run.sleeps = 600;
	bed.run.most_sleeps = 3;
	fast_score(&bed.of, &bed.limits, &bed.run, &score);
	NEAR(score.site_w[0] / score.hpc_w[0], 1, 0.01);
	NEAR(score.site_w[2] / score.hpc_w[2], 0.5, 0.01);
	NEAR(score.falls_w[2] / score.hpc_w[2], 1, 0.01);       /* nothing makes them move */
	NEAR(score.slow_w, 20000 / sqrt(2), 300);
	NEAR(score.bound_w, 40000 / sqrt(2) * limits_left(&bed.limits, 1 / 120.0), 600);
	NEAR(score.kept, 0.25, 0.001);
	NEAR(score.cycles, 600 / 300.0 * 144, 1e-6);    /* 144 times 10 minutes are a day */
	NEAR(score.most_cycles, 3 * 144, 1e-6);
	NEAR(score.hpc_change_w[0], 20000 + 40000 * 2 * M_PI / 120 * 2.5, 4000);
	NEAR(score.hpc_change_w[2], 100000, 3000);
	NEAR(score.error_permille, 0, 0);
	close_bed(&bed);
}

static void an_error_is_that_of_four_second_means(void **unused)
{
	struct bed bed;
	struct fast_score score;
	size_t n = 1200000 / FAST_STEP_MS;
	double told = 0;
	(void)unused;
	open_bed(&bed, "fast", n);
	bed.of.setpoint = (struct fast_series){ &told, 1, 4000 };
	for (size_t i = 0; i < n; i++) {
		bed.run.setpoint_w[i] = 1000000;
		bed.run.limit_w[i] = (double)bed.of.cap_w;
		bed.run.site_w[i] = 1000000 + (i / 20 % 2 ? 30000 : -10000) + (i % 2 ? 5000 : -5000);
	}
	fast_score(&bed.of, &bed.limits, &bed.run, &score);
	NEAR(score.error_permille, 20, 1e-6);
	NEAR(score.fleet_error_permille, 1000 * 20000 / (double)bed.of.fleet_w, 1e-6);
	bed.of.setpoint = (struct fast_series){ 0 };
	close_bed(&bed);
}

/* ---- the run ---- */

static void a_run_is_the_same_every_time(void **unused)
{
	struct bed bed;
	struct fast_run a, b;
	static const struct fast_wear lifted;
	(void)unused;
	open_bed(&bed, "mixed", 1);
	bed.of.lasts_ms = 120000;
	fast_run(&bed.of, FAST_POLICY, &lifted, &a);
	fast_run(&bed.of, FAST_POLICY, &lifted, &b);
	assert_true(a.commands > 50);
	assert_memory_equal(a.site_w, b.site_w, a.n * sizeof(double));
	for (size_t i = 0; i < a.n; i++)
		assert_true(a.site_w[i] >= a.hpc_w[i] + a.miners_w[i]);
	assert_true(a.site_w[a.n - 1] <= (double)bed.of.cap_w);
	fast_run_free(&a);
	fast_run_free(&b);
	fast_run(&bed.of, FAST_LEFT, &lifted, &a);
	assert_int_equal(a.commands, 0);
	NEAR(a.miners_w[a.n - 1], a.miners_w[0], 0);
	fast_run_free(&a);
	fast_run(&bed.of, FAST_THRESHOLD, &lifted, &a);
	assert_true(a.commands > 50 && a.site_w[a.n - 1] <= (double)bed.of.cap_w);
	fast_run_free(&a);
	close_bed(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wave_lies_in_its_band_whole),
		cmocka_unit_test(the_bands_add_up_to_the_variance),
		cmocka_unit_test(any_length_will_do),
		cmocka_unit_test(a_drift_is_no_fast_movement),
		cmocka_unit_test(the_largest_change_is_within_its_window),
		cmocka_unit_test(the_bound_is_the_published_one),
		cmocka_unit_test(up_and_down_count_half_each),
		cmocka_unit_test(the_plant_tells_the_paths),
		cmocka_unit_test(acting_at_once_is_the_least),
		cmocka_unit_test(a_second_late_costs_a_second),
		cmocka_unit_test(who_senses_first_and_sheds_what_it_takes_is_exact),
		cmocka_unit_test(a_rise_seen_before_excuses_nothing),
		cmocka_unit_test(a_new_rise_excuses_no_longer_than_a_fall),
		cmocka_unit_test(a_new_rise_takes_a_fall),
		cmocka_unit_test(foresight_keeps_what_the_limit_leaves),
		cmocka_unit_test(foresight_falls_before_the_limit_does),
		cmocka_unit_test(the_last_price_stands),
		cmocka_unit_test(nothing_that_moves_needs_no_forecast),
		cmocka_unit_test(a_jump_may_come_at_any_moment),
		cmocka_unit_test(a_rise_lasts_as_long_as_the_dead_time),
		cmocka_unit_test(what_the_fleet_covers_is_left_as_r_has_it),
		cmocka_unit_test(what_lies_beyond_the_fleet_stays),
		cmocka_unit_test(a_picture_names_the_bound_where_it_means_something),
		cmocka_unit_test(a_bar_is_met_missed_or_beyond),
		cmocka_unit_test(what_was_not_played_is_not_told),
		cmocka_unit_test(a_score_of_a_known_run),
		cmocka_unit_test(an_error_is_that_of_four_second_means),
		cmocka_unit_test(a_run_is_the_same_every_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
