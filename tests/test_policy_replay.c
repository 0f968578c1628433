/* What foretelling missed by, as it is now: what it has learned since is no reason for a reserve; nor is what was told, or
 * what no reserve would have helped against. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdlib.h>
#include <cmocka.h>

#include "policy/fit.h"
#include "policy/replay.h"
#include "sim/dice.h"

#define KW     1000.0
#define MINUTE 120                      /* half-seconds */
#define HOUR   (60 * MINUTE)

static const struct policy_response usual = { 2000, 2000 };
enum { FIRST = 5, LAST = 10 };          /* 2 s, a 2 s ramp, 0.6 s to be told: the half-seconds before that have been followed */

static struct policy_foretell f;
static double loads[3 * HOUR];
static int n_seen;

static void begin(void)
{
	f = (struct policy_foretell){ 0 };
	n_seen = 0;
}

static void see(double w, double told_w, double most_w, double cap_w)
{
	loads[n_seen++] = w;
	struct following by = following_of(&usual);
	foretell_see(&f, &(struct foretell_slot){ .mean_w = w, .highest_w = w, .told_w = told_w, .most_w = most_w,
	                                          .cap_w = cap_w }, &by);
}

static double noise_w(int n)
{
	return (double)(dice(11, (uint64_t)n, 0) % 2000) - 1000;
}

static double swing_w(int n) { return 800 * KW + 100 * KW * sin(n * 2 * M_PI / 120) + noise_w(n); }
static double jobs_w(int n) { return (n % 180 < 110 ? 900 * KW : 700 * KW) + noise_w(n); }

/* By its taps as they are. */
static double level_w(enum foretell which, int n)
{
	double w = f.mean_w;
	for (int k = 0; k < FORETELL_TAPS; k++)
		w += f.filters[which].taps[k] * (loads[n - foretell_lags[k]] - f.mean_w);
	return w;
}

/* The most that the load was over what miners had followed by then, with so much kept over it but no more than most_w. */
static double over_w(enum foretell which, int from, double kept_w, double most_w)
{
	double most = -1e18;
	for (int n = from; n < n_seen; n++) {
		double sum = 0, whole = 0;
		for (int age = FIRST; age < LAST; age++) {
			double begins = fmax(age - 0.5, 5.2), ends = fmin(age + 0.5, 9.2);
			sum += (ends - begins) * fmin(level_w(which, n - age) + kept_w, most_w);
			whole += ends - begins;
		}
		most = fmax(most, loads[n] - sum / whole);
	}
	return most;
}

static void what_was_missed_before_it_was_learned_is_forgotten(void **unused)
{
	begin();
	for (int n = 0; n < HOUR; n++)
		see(swing_w(n), 0, 1e9, 1e9);
	double rises_w = 2 * 100 * KW * sin(M_PI * 4.6 / 60);   /* within what miners take to follow */
	assert_true(foretell_missed_w(&f, FORETELL_FLAT) < rises_w / 4);
	assert_true(foretell_missed_w(&f, FORETELL_FLAT) >= noise_w(0));
	(void)unused;
}

static void it_is_what_the_filter_would_miss_by_now(void **unused)
{
	double (*const kinds[])(int n) = { swing_w, jobs_w };
	for (int kind = 0; kind < 2; kind++) {
		begin();
		for (int n = 0; n < HOUR; n++)
			see(kinds[kind](n), 0, 1e9, 1e9);
		double would_w = over_w(FORETELL_FLAT, 200, 0, 1e18);
		assert_true(foretell_missed_w(&f, FORETELL_FLAT) > would_w * 0.9);
		assert_true((double)foretell_missed_w(&f, FORETELL_FLAT) < fmax(would_w * 1.2, would_w + 10 * KW));
	}
	(void)unused;
}

/* And never less than it came to of late, whatever has been learned from it. */
static void what_really_came_counts_for_an_hour(void **unused)
{
	begin();
	for (int n = 0; n < HOUR; n++)
		see(800 * KW + noise_w(n), 0, 1e9, 1e9);
	for (int n = 0; n < MINUTE; n++)
		see(1000 * KW + noise_w(n), 0, 1e9, 1e9);
	assert_true(foretell_missed_w(&f, FORETELL_FLAT) > 190 * KW);
	for (int n = 0; n < HOUR / 2; n++)
		see(1000 * KW + noise_w(n), 0, 1e9, 1e9);
	assert_true(foretell_missed_w(&f, FORETELL_FLAT) > 190 * KW);
	(void)unused;
}

/* Each ten minutes a job of five. */
static double missed_of_jobs_w(double told_before, double cap_w)
{
	begin();
	for (int n = 0; n < HOUR; n++) {
		bool on = n % (10 * MINUTE) >= 5 * MINUTE, soon = (n + 10) % (10 * MINUTE) >= 5 * MINUTE;
		see((on ? 1000 : 800) * KW + noise_w(n), on || soon ? told_before : 0, 1e9, cap_w);
	}
	return (double)foretell_missed_w(&f, FORETELL_FLAT);
}

static void what_was_told_is_not_missed(void **unused)
{
	assert_true(missed_of_jobs_w(0, 1e9) > 180 * KW);
	assert_true(missed_of_jobs_w(1001 * KW, 1e9) < 10 * KW);
	(void)unused;
}

static void what_no_reserve_helps_against_is_not_missed(void **unused)
{
	assert_true(missed_of_jobs_w(0, 990 * KW) < 10 * KW);
	(void)unused;
}

/* Miners on their way while the load rises are not there yet: what is kept over a plan that goes no higher than the peak
 * must make up for that. */
static void no_more_than_the_peak_is_enough_with_what_is_kept_for_it(void **unused)
{
	double most_w = 905 * KW;
	begin();
	for (int n = 0; n < HOUR; n++)
		see(jobs_w(n), 0, most_w, 1e9);
	assert_true((double)foretell_missed_w(&f, FORETELL_DIPS) >= over_w(FORETELL_DIPS, 200, 0, 1e18) - 1);
	assert_true(over_w(FORETELL_DIPS, 200, (double)foretell_missed_w(&f, FORETELL_DIPS), most_w) < 5 * KW);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_missed_before_it_was_learned_is_forgotten),
		cmocka_unit_test(it_is_what_the_filter_would_miss_by_now),
		cmocka_unit_test(what_really_came_counts_for_an_hour),
		cmocka_unit_test(what_was_told_is_not_missed),
		cmocka_unit_test(what_no_reserve_helps_against_is_not_missed),
		cmocka_unit_test(no_more_than_the_peak_is_enough_with_what_is_kept_for_it),
	};
	return cmocka_run_group_tests_name("policy_replay", tests, NULL, NULL);
}
