/* The weights that foretell: nothing nearby costs less, no band is lifted for them, and under a top dips are planned deeper
 * than without, and each rise in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/fit.h"
#include "policy/foretell.h"
#include "sim/dice.h"

#define KW     1000.0
#define MINUTE 120                      /* half-seconds */
#define HOUR   (60 * MINUTE)

static const struct policy_response quick = { 2000, 2000 };
static struct policy_foretell f;
static double loads[2 * HOUR];
static int n_seen;

static void see(double w, double most_w, double kept_w)
{
	struct following by = following_of(&quick);
	loads[n_seen++] = w;
	foretell_see(&f, &(struct foretell_slot){ .mean_w = w, .highest_w = w, .most_w = most_w, .kept_w = kept_w,
	                                          .cap_w = 1400 * KW }, &by);
}

static double bell(uint64_t seed, uint64_t n)
{
	double sum = 0;
	for (uint64_t i = 0; i < 12; i++)
		sum += (double)(dice(seed, 12 * n + i, 0) >> 11) / 9007199254740992.0;
	return sum - 6;
}

/* Noise of some seconds on a swing of half a minute. */
static double waves_w(int n)
{
	static double red;
	red = n ? red * 0.9 + bell(7, (uint64_t)n) : 0;
	return 800 * KW + 60 * KW * sin(n * 2 * M_PI / 64) + 2 * KW * red;
}

static void begin(double (*load)(int n), int slots, double most_w, double kept_w)
{
	f = (struct policy_foretell){ 0 };
	n_seen = 0;
	for (int n = 0; n < slots; n++)
		see(load(n), most_w, kept_w);
}

static int falling(const void *a, const void *b)
{
	return (*(const double *)a < *(const double *)b) - (*(const double *)a > *(const double *)b);
}

static double level_w(const double *taps, int n)
{
	double w = f.mean_w;
	for (int k = 0; k < FORETELL_TAPS; k++)
		w += taps[k] * (loads[n - foretell_lags[k]] - f.mean_w);
	return w;
}

/* The mean of so many of the worst half-seconds, each as if it came one sooner. */
static double missed_w(const double *taps, int worst)
{
	static double missed[2 * HOUR];
	struct following by = following_of(&quick);
	int count = 0;
	for (int n = 200; n < n_seen; n++) {
		double planned_w = 0;
		for (uint32_t a = 0; a < by.n; a++)
			planned_w += by.share[a] * level_w(taps, n - (int)by.first - (int)a);
		missed[count++] = fmax(loads[n], loads[n + 1 < n_seen ? n + 1 : n]) - planned_w;
	}
	qsort(missed, (size_t)count, sizeof *missed, falling);
	double sum = 0;
	for (int i = 0; i < worst; i++)
		sum += missed[i];
	return sum / worst;
}

static double left_w(const double *taps)
{
	double left = 0;
	for (int b = 0; b < FORETELL_BANDS; b++)
		left += fit_left(&f.equations[b], taps);
	return sqrt(left / f.counted);
}

static const double *flat(void)
{
	return f.filters[FORETELL_FLAT].taps;
}

static void the_worst_is_far_less_than_by_the_first_weights(void **unused)
{
	begin(waves_w, HOUR, 1e9, 0);
	assert_true(missed_w(flat(), 1) < 0.6 * missed_w(fit_first, 1));
	assert_true(missed_w(flat(), 1) < 40 * KW);     /* of waves of 120 */
	(void)unused;
}

/* As far as a maximum that is rounded off is the mean of the worst twenty seconds. */
static void no_weights_nearby_cost_less(void **unused)
{
	begin(waves_w, HOUR, 1e9, 0);
	double cost_w = missed_w(flat(), 40) + left_w(flat());
	for (uint64_t t = 0; t < 100; t++) {
		double taps[FORETELL_TAPS], sum = 0;
		for (int k = 0; k < FORETELL_TAPS; k++)
			sum += taps[k] = 0.02 * bell(t, (uint64_t)k);
		for (int k = 0; k < FORETELL_TAPS; k++)
			taps[k] += flat()[k] - sum / FORETELL_TAPS;
		assert_true(missed_w(taps, 40) + left_w(taps) > 0.98 * cost_w);
	}
	(void)unused;
}

static void no_band_is_lifted_for_it(void **unused)
{
	begin(waves_w, HOUR, 1e9, 0);
	for (int b = 0; b < FORETELL_BANDS; b++)
		assert_true(fit_left(&f.equations[b], flat()) < 1.02 * f.equations[b].power);
	(void)unused;
}

static double square_w(int n)
{
	return (n % 120 < 60 ? 1000 : 700) * KW + KW * bell(3, (uint64_t)n);
}

/* What a plan keeps from the miners, on average, with so much over what is foretold and no more than the top. */
static double kept_w(const double *taps, double over_w, double top_w)
{
	double sum = 0;
	for (int n = 200; n < n_seen; n++)
		sum += fmin(level_w(taps, n) + over_w, top_w);
	return sum / (n_seen - 200);
}

static void under_a_top_dips_are_planned_deeper(void **unused)
{
	double top_w = 1015 * KW, over_w = 150 * KW;
	begin(square_w, HOUR, top_w, over_w);
	assert_true(kept_w(f.filters[FORETELL_DIPS].taps, over_w, top_w) < kept_w(flat(), over_w, top_w) - 5 * KW);
	(void)unused;
}

/* And not so late that miners who are half a second slower would have the site over its cap, or nearly. */
static void a_rise_under_a_top_is_planned_half_a_second_before(void **unused)
{
	double top_w = 1015 * KW, most_w = -1e9;
	struct following by = following_of(&quick);
	begin(square_w, HOUR, top_w, 150 * KW);
	double over_w = fmax((double)foretell_missed_w(&f, FORETELL_DIPS), 150 * KW);
	for (int n = 600; n + 1 < n_seen; n++) {
		double planned_w = 0;
		for (uint32_t a = 0; a < by.n; a++)
			planned_w += by.share[a] * fmin(level_w(f.filters[FORETELL_DIPS].taps, n - (int)by.first - (int)a) + over_w, top_w);
		most_w = fmax(most_w, loads[n + 1] - planned_w);
	}
	assert_true(most_w < -2 * KW);
	(void)unused;
}

/* Where it is nearer to the load than miners are known, nothing that is kept free helps: it grows to the cap and no further. */
static void under_a_top_too_near_no_more_than_the_cap_is_kept(void **unused)
{
	begin(square_w, HOUR, 1001 * KW, 150 * KW);
	assert_in_range(foretell_missed_w(&f, FORETELL_DIPS), 301 * KW, 1400 * KW);
	(void)unused;
}

/* What is kept free in any case, half of it, may be missed by for nothing: the site is the flatter for it. */
static void what_is_kept_free_anyway_may_be_missed_by(void **unused)
{
	begin(waves_w, HOUR, 1e9, 0);
	double without_w = left_w(flat()), missed_without_w = missed_w(flat(), 1);
	begin(waves_w, HOUR, 1e9, 3 * missed_without_w);
	assert_true(left_w(flat()) < 0.97 * without_w);
	assert_true(missed_w(flat(), 1) < 1.6 * missed_without_w);
	(void)unused;
}

static void what_does_not_move_changes_nothing(void **unused)
{
	begin(waves_w, 0, 1e9, 0);
	for (int n = 0; n < 10 * MINUTE; n++)
		see(500 * KW, 1e9, 0);
	assert_memory_equal(flat(), fit_first, sizeof fit_first);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worst_is_far_less_than_by_the_first_weights),
		cmocka_unit_test(no_weights_nearby_cost_less),
		cmocka_unit_test(no_band_is_lifted_for_it),
		cmocka_unit_test(under_a_top_dips_are_planned_deeper),
		cmocka_unit_test(a_rise_under_a_top_is_planned_half_a_second_before),
		cmocka_unit_test(under_a_top_too_near_no_more_than_the_cap_is_kept),
		cmocka_unit_test(what_is_kept_free_anyway_may_be_missed_by),
		cmocka_unit_test(what_does_not_move_changes_nothing),
	};
	return cmocka_run_group_tests_name("policy_fit", tests, NULL, NULL);
}
