/* What is foretold: exact for what stands, soon right after a step, better than holding on to the last value for what comes
 * again, and no band of periods the worse for it, whatever the noise; sane for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/fit.h"
#include "policy/foretell.h"
#include "sim/dice.h"
#include "tests/policy_rig.h"

#define KW 1000.0
#define MINUTE 120                      /* half-seconds */
#define HOUR (60 * MINUTE)

static const struct policy_response usual = { 2000, 8000 };

static void see(struct policy_foretell *f, double w, const struct policy_response *response)
{
	struct following by = following_of(response);
	foretell_see(f, &(struct foretell_slot){ .mean_w = w, .highest_w = w, .most_w = 1e12, .cap_w = 1e12 }, &by);
}

struct noise { uint64_t seed, n; };

/* About normal, of mean 0 and deviation 1. */
static double bell(struct noise *noise)
{
	double sum = 0;
	for (int i = 0; i < 12; i++)
		sum += (double)(dice(noise->seed, noise->n++, 0) >> 11) / 9007199254740992.0;
	return sum - 6;
}

static double sum_of_taps(const struct policy_filter *filter)
{
	double sum = 0;
	for (int k = 0; k < FORETELL_TAPS; k++)
		sum += filter->taps[k];
	return sum;
}

static int64_t level_w(const struct policy_foretell *f)
{
	return foretell_level_w(f, FORETELL_DIPS);
}

static int32_t left_permille(const struct policy_foretell *f, int b)
{
	double power = f->equations[b].power;
	return power > 0 ? (int32_t)(1000 * fit_left(&f->equations[b], f->filters[FORETELL_FLAT].taps) / power) : 1000;
}

static void assert_sane(const struct policy_foretell *f)
{
	assert_true(isfinite(f->mean_w));
	for (int which = 0; which < N_FORETELLS; which++)
		for (int k = 0; k < FORETELL_TAPS; k++)
			assert_true(isfinite(f->filters[which].taps[k]) && fabs(f->filters[which].taps[k]) < 100);
}

static void assert_about(double got, double want, double most)
{
	if (!(fabs(got - want) <= most))
		fail_msg("%.1f is not within %.1f of %.1f", got, most, want);
}

/* ---- what stands, and steps ---- */

static void a_load_that_stands_is_foretold_as_itself(void **unused)
{
	static const double loads_w[] = { 0, 1, 123457, 890123.5, 5e9, -3000 };
	for (size_t i = 0; i < sizeof(loads_w) / sizeof(*loads_w); i++) {
		static struct policy_foretell f;
		f = (struct policy_foretell){ 0 };
		for (int n = 0; n < 40 * MINUTE; n++) {
			see(&f, loads_w[i], &usual);
			assert_int_equal(foretell_knows(&f) && level_w(&f) != (int64_t)loads_w[i], false);
		}
		assert_true(foretell_knows(&f));
		assert_sane(&f);
	}
	(void)unused;
}

/* Whatever was before it: the taps sum to one, so that nothing of it lasts once it is out of their sight. */
static void taps_sum_to_one(void **unused)
{
	static struct policy_foretell f;
	struct noise noise = { 1, 0 };
	double red = 0;
	f = (struct policy_foretell){ 0 };
	for (int n = 0; n < HOUR; n++) {
		red += (bell(&noise) - red) / 20;
		see(&f, 800 * KW + 300 * KW * red + 10 * KW * bell(&noise), &usual);
		if (foretell_knows(&f) && n % 97 == 0)
			for (int which = 0; which < N_FORETELLS; which++)
				assert_about(sum_of_taps(&f.filters[which]), 1, 0.01);
	}
	for (int n = 0; n < 3 * MINUTE; n++)
		see(&f, 500 * KW, &usual);
	assert_about((double)level_w(&f), 500 * KW, 3 * KW);
	(void)unused;
}

static void a_step_is_followed(void **unused)
{
	static struct policy_foretell f;
	struct noise noise = { 2, 0 };
	double step_w = 200 * KW, at_w = 700 * KW;
	f = (struct policy_foretell){ 0 };
	for (int n = 0; n < 2 * HOUR; n++) {    /* it has seen some, at times that nobody knows */
		if (dice(3, (uint64_t)n, 0) % (4 * MINUTE) == 0)
			at_w = at_w < 800 * KW ? 900 * KW : 700 * KW;
		see(&f, at_w + KW * bell(&noise), &usual);
	}
	for (int n = 0; n < 3 * MINUTE; n++)
		see(&f, 700 * KW, &usual);
	for (int n = 1; n <= 4 * MINUTE; n++) {
		see(&f, 700 * KW + step_w, &usual);
		double off_w = (double)level_w(&f) - (700 * KW + step_w);
		assert_true(fabs(off_w) < step_w);      /* the right way, at once */
		if (n > 2 * MINUTE)
			assert_about(off_w, 0, step_w / 50);
	}
	(void)unused;
}

/* ---- what comes again ---- */

/* What is left of the load about its mean, by what miners told the level take off: its rms. */
struct left { double foretold, held; };

static double followed(const double *level, int n)      /* 2 s of dead time, an 8 s ramp, 0.6 s to be told */
{
	double sum = 0;
	for (int age = 5; age < 22; age++)
		sum += level[(n - age + 64) % 64] / 17;
	return sum;
}

static struct left leaves(double (*load)(int n), int hours)
{
	static struct policy_foretell f;
	double foretold[64] = { 0 }, held[64] = { 0 }, sum_f = 0, sum_h = 0;
	f = (struct policy_foretell){ 0 };
	int count = 0;
	for (int n = 0; n < hours * HOUR; n++) {
		double w = load(n);
		if (n >= HOUR) {
			double off_f = w - followed(foretold, n), off_h = w - followed(held, n);
			sum_f += off_f * off_f;
			sum_h += off_h * off_h;
			count++;
		}
		see(&f, w, &usual);
		foretold[n % 64] = (double)level_w(&f);
		held[n % 64] = w;
	}
	return (struct left){ sqrt(sum_f / count), sqrt(sum_h / count) };
}

static double swings_of_60_s(int n) { return 800 * KW + 100 * KW * sin(n * 2 * M_PI / 120); }
static double swings_of_100_s(int n) { return 800 * KW + 100 * KW * sin(n * 2 * M_PI / 200); }
static double jobs_of_90_s(int n) { return n % 180 < 110 ? 900 * KW : 700 * KW; }
static double two_at_a_time(int n) { return 800 * KW + 60 * KW * sin(n * 2 * M_PI / 170) + 60 * KW * sin(n * 2 * M_PI / 410 + 1); }

static void what_comes_again_is_foretold(void **unused)
{
	static const struct { double (*load)(int n); double part; } rows[] = {
		{ swings_of_60_s, 0.6 }, { swings_of_100_s, 0.5 }, { jobs_of_90_s, 0.95 }, { two_at_a_time, 0.6 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct left left = leaves(rows[i].load, 2);
		print_message("%zu: %.1f kW are left, held %.1f kW\n", i, left.foretold / KW, left.held / KW);
		assert_true(left.foretold < rows[i].part * left.held);
	}
	(void)unused;
}

/* ---- bands ---- */

static double colour(struct noise *noise, double *state, int which)
{
	double white = bell(noise);
	static const double slots[] = { 0, 4, 20, 120, 1200 };  /* correlated for so many half-seconds … */
	if (which < 5) {
		*state = slots[which] > 0 ? *state * exp(-1 / slots[which]) + white : white;
		return *state;
	}
	*state += (bell(noise) - *state) / 200;                 /* … or that and white; or on and off */
	return which == 5 ? 30 * *state + white : dice(noise->seed, noise->n, 1) % 60 == 0 ? (*state = *state > 0 ? -1 : 1) : *state;
}

/* The weights follow what is seen, so for a moment there may be more: not for long, and never by much. */
static void no_band_is_left_above_its_own(void **unused)
{
	static const struct policy_response responses[] = { { 2000, 8000 }, { 1000, 3000 }, { 4000, 12000 } };
	for (int which = 0; which < 7; which++)
		for (int r = 0; r < (which < 2 ? 2 : 3); r++) {         /* nearly white noise is beyond the slowest */
			static struct policy_foretell f;
			struct noise noise = { (uint64_t)(100 + which), 0 };
			double state = 0, sum[FORETELL_BANDS] = { 0 };
			int32_t highest = 0, count = 0;
			f = (struct policy_foretell){ 0 };
			for (int n = 0; n < 45 * MINUTE; n++) {
				see(&f, 800 * KW + 20 * KW * colour(&noise, &state, which), &responses[r]);
				if (n < 30 * MINUTE || n % 61)
					continue;
				count++;
				for (int b = 0; b < FORETELL_BANDS; b++) {
					int32_t left = left_permille(&f, b);
					sum[b] += left;
					highest = left > highest ? left : highest;
				}
			}
			for (int b = 0; b < FORETELL_BANDS; b++)
				assert_true(sum[b] / count < 1100);
			assert_true(highest < 1150);
			assert_sane(&f);
		}
	(void)unused;
}

/* ---- sanity ---- */

static double wild(struct noise *noise, int n)
{
	uint64_t lot = dice(noise->seed, noise->n++, 0);
	switch (n / 5000 % 6) {
	case 0: return 0;
	case 1: return 8e5;
	case 2: return lot % 50 == 0 ? 1e10 : 8e5;
	case 3: return lot % 2 ? 1e10 : -1e10;
	case 4: return 8e5 + (double)(lot % 100000);
	}
	return (double)(n % 1000) * 1e7;
}

static void many_steps_are_borne(void **unused)
{
	static struct policy_foretell f;
	struct noise noise = { 5, 0 };
	f = (struct policy_foretell){ 0 };
	for (int n = 0; n < 60000; n++) {
		see(&f, wild(&noise, n), &usual);
		if (n % 101)
			continue;
		assert_sane(&f);
		assert_true(llabs(level_w(&f)) < 10 * 10000000000LL);
		for (int b = 0; b < FORETELL_BANDS; b++)
			left_permille(&f, b);
	}
	(void)unused;
}

/* A load that stands still for weeks leaves so little of what was before it that no figure may be divided by it. */
static void what_fades_away_leaves_no_trace(void **unused)
{
	static struct policy_foretell f;
	struct noise noise = { 6, 0 };
	for (int power = -140; power > -170; power--) {
		f = (struct policy_foretell){ 0 };
		for (int n = 0; n < 20 * MINUTE; n++)
			see(&f, bell(&noise) * pow(10, power), &usual);
		assert_sane(&f);
		assert_int_equal(level_w(&f), 0);
	}
	(void)unused;
}

static void any_response_is_borne(void **unused)
{
	static const struct policy_response responses[] = { { 0, 0 }, { 0, 600000 }, { 600000, 0 }, { 79000, 1000 }, { 1, 1 } };
	for (size_t r = 0; r < sizeof(responses) / sizeof(*responses); r++) {
		static struct policy_foretell f;
		struct noise noise = { 7, 0 };
		f = (struct policy_foretell){ 0 };
		for (int n = 0; n < 20 * MINUTE; n++)
			see(&f, 8e5 + 1e4 * bell(&noise), n % 7 ? &responses[r] : &usual);
		assert_sane(&f);
	}
	(void)unused;
}

/* It is plain data: a copy of it, taken at any time, goes on as it would have. */
static void a_copy_goes_on_as_the_original(void **unused)
{
	static struct policy_foretell f, copy;
	struct noise noise = { 8, 0 };
	f = (struct policy_foretell){ 0 };
	for (int n = 0; n < 12 * MINUTE; n++)
		see(&f, 8e5 + 1e4 * bell(&noise), &usual);
	memcpy(&copy, &f, sizeof(f));
	for (int n = 0; n < 3 * MINUTE; n++) {
		double w = 8e5 + 1e4 * bell(&noise);
		see(&f, w, &usual);
		see(&copy, w, &usual);
		assert_int_equal(level_w(&f), level_w(&copy));
	}
	assert_memory_equal(&f, &copy, sizeof(f));
	(void)unused;
}

/* The site's meter is silent now and then, and the clock stands still: half-seconds are missing. */
static void gaps_are_borne(void **unused)
{
	static struct rig rig;
	struct noise noise = { 9, 0 };
	rig_init(&rig, 700000, RIG_MINERS);
	rig_partial(&rig, 0, 1000);
	rig_partial(&rig, 1, 1000);
	rig.conf.reserve_w = POLICY_NONE;
	for (int i = 0; i < 6000; i++) {
		rig.gpus_w = 700000 + (int64_t)(10000 * sin(i / 40.0) + 3000 * bell(&noise));
		rig.mute[RIG_MAIN] = i % 700 > 600;
		rig.now_ms += i % 500 == 0 ? 600000 : 0;
		rig_step(&rig);
		assert_true(rig.out.picture.planned_w > 500000 && rig.out.picture.planned_w < 900000);
	}
	assert_true(foretell_knows(&rig.state.foretell));
	assert_sane(&rig.state.foretell);
	(void)unused;
}

/* Others sleep and wake sooner than those at partial power change theirs: these are foretold for all the same. Once nobody is run
 * at partial power, what was is forgotten: there would be a gap in it. */
static void miners_that_sleep_sooner_stop_no_foretelling(void **unused)
{
	static struct rig rig;
	rig_init(&rig, 700000, RIG_MINERS);
	rig_partial(&rig, 0, 1000);
	rig.miner_groups[0].power = (struct policy_response){ 2000, 20000 };
	rig.conf.reserve_w = POLICY_NONE;
	for (int i = 0; i < 1600; i++) {
		rig.gpus_w = 700000 + (int64_t)(10000 * sin(i / 40.0));
		rig_step(&rig);
	}
	assert_true(foretell_knows(&rig.state.foretell));
	rig_partial(&rig, 0, 0);
	rig_run(&rig, 1000);
	assert_int_equal(rig.state.foretell.n, 0);
	rig_run(&rig, 60000);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_load_that_stands_is_foretold_as_itself),
		cmocka_unit_test(taps_sum_to_one),
		cmocka_unit_test(a_step_is_followed),
		cmocka_unit_test(what_comes_again_is_foretold),
		cmocka_unit_test(no_band_is_left_above_its_own),
		cmocka_unit_test(many_steps_are_borne),
		cmocka_unit_test(what_fades_away_leaves_no_trace),
		cmocka_unit_test(any_response_is_borne),
		cmocka_unit_test(a_copy_goes_on_as_the_original),
		cmocka_unit_test(gaps_are_borne),
		cmocka_unit_test(miners_that_sleep_sooner_stop_no_foretelling),
	};
	return cmocka_run_group_tests_name("policy_foretell", tests, NULL, NULL);
}
