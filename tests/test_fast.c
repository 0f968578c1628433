/* What mulletsim --fast measures of a run, and makes of it. */
#include "tests/fast_bed.h"

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

static void what_was_not_played_is_not_told(void **unused)
{
	char *text;
	size_t size;
	struct fast_result result = { .name = "x", .played = { [FAST_POLICY] = true, [FAST_NO_FORECAST] = true, [FAST_TOLD] = true } };
	FILE *out = open_memstream(&text, &size);
	(void)unused;
	assert_non_null(out);
	result.of[FAST_TOLD].commands = 1;
	fast_print_gains(&result, 1, out);              /* of a site that is not to be flat, and may not hash */
	fast_print_bars(&result, 1, out);
	result.played[FAST_48] = true;
	fclose(out);
	assert_non_null(strstr(text, "by its own past gains, without and with"));
	assert_non_null(strstr(text, "  0 of 1, the others are the same"));
	assert_non_null(strstr(text, "  1 of 1, the others are the same"));
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

/* ---- the whole score, of a site that swings by a known sine ---- */

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
		cmocka_unit_test(a_picture_names_the_bound_where_it_means_something),
		cmocka_unit_test(a_bar_is_met_missed_or_beyond),
		cmocka_unit_test(what_was_not_played_is_not_told),
		cmocka_unit_test(a_score_of_a_known_run),
		cmocka_unit_test(an_error_is_that_of_four_second_means),
		cmocka_unit_test(a_run_is_the_same_every_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
