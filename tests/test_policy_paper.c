/* What a plan would leave the site to move, on paper; and the plan that is eased: at once up, by and by down. */
#include <math.h>

#include "policy/internal.h"
#include "policy/paper.h"
#include "tests/policy_play.h"

#define HALF_HOUR 3600                  /* half-seconds */

static const struct policy_response quick = { 2000, 2000 };
static struct policy_foretell foretell;
static struct policy_paper paper;

typedef double wave(double t);          /* W at t seconds */

static double moves_w(wave *load, wave *kept)
{
	struct following by = following_of(&quick);
	foretell = (struct policy_foretell){ 0 };
	paper = (struct policy_paper){ 0 };
	for (int n = 0; n < 2 * HALF_HOUR; n++) {
		double w = load(n / 2.0);
		foretell_see(&foretell, &(struct foretell_slot){ .mean_w = w, .highest_w = w, .most_w = 1e12, .cap_w = 1e12 }, &by);
		paper_see(&paper, w, kept(n / 2.0), &by);
	}
	return paper_moves_w(&paper, &foretell);
}

static double still(double t) { return t < 0 ? 0 : 500 * KW; }
static double slow(double t) { return 500 * KW + 50 * KW * sin(2 * M_PI * t / 200); }
static double fast(double t) { return 500 * KW + 50 * KW * sin(2 * M_PI * t / 6); }
static double nearly_still(double t) { return 500 * KW + KW * sin(2 * M_PI * t / 2400); }
static double given_up(double t) { return 500 * KW + 40 * KW * exp(-t / 1200); }

static void assert_about(double w, double right_w)
{
	assert_true(w > 0.93 * right_w && w < 1.07 * right_w);
}

static void a_plan_that_stands_still_leaves_the_load(void **unused)
{
	assert_about(moves_w(slow, still), 50 * KW / sqrt(2));
	assert_about(moves_w(fast, still), 50 * KW / sqrt(2));
	(void)unused;
}

static void a_plan_that_follows_takes_off_what_is_slow(void **unused)
{
	double late_s = 3.5, left = 2 * sin(M_PI * late_s / 200);
	assert_about(moves_w(slow, slow), left * 50 * KW / sqrt(2));
	(void)unused;
}

/* Waves of 6 s are followed half a wave late: what is added to them counts once more. */
static void what_is_added_to_seconds_counts_twice(void **unused)
{
	double own_w = 50 * KW / sqrt(2), ramped = sin(M_PI * 2 / 6) / (M_PI * 2 / 6);
	double left_w = own_w * (1 + ramped);
	double w = moves_w(fast, fast);
	assert_true(w > left_w + 0.7 * (left_w - own_w) && w < left_w + 1.3 * (left_w - own_w));
	(void)unused;
}

static void a_reserve_that_is_given_up_is_no_swing(void **unused)
{
	assert_true(moves_w(nearly_still, given_up) < 3 * KW);
	(void)unused;
}

/* ---- the eased plan ---- */

static struct walk { uint64_t seed; double w, kick_w, back_ms, base_w; } walk;

/* Wanders about its base: what it did says nothing of what it will do. */
static int64_t wandering(int64_t ms)
{
	(void)ms;
	walk.seed = walk.seed * 6364136223846793005u + 1442695040888963407u;
	walk.w += ((double)(walk.seed >> 33) / (double)(1u << 30) - 1) * walk.kick_w - walk.w * RIG_STEP_MS / walk.back_ms;
	return (int64_t)(walk.base_w + walk.w);
}

static struct play play;

static void open_wandering_play(struct walk as)
{
	walk = as;
	open_play(&play, (int64_t)as.base_w);
	for (int g = 0; g < 2; g++)
		rig_partial(&play.rig, g, 1000);
}

static void a_load_that_wanders_is_followed_as_it_is(void **unused)
{
	open_wandering_play((struct walk){ 7, 0, 1400, 3 * MIN, 820 * KW });
	run(&play, wandering, 0, 30 * MIN);
	assert_int_equal(play.rig.state.chosen_hold, HOLD_EASED);
	const struct policy_hold *holds = play.rig.state.holds;
	assert_true(holds[HOLD_EASED].kept_w < holds[HOLD_FORETOLD].kept_w - 2 * KW);
	uint32_t sleeps = play.rig.sleeps;
	run(&play, wandering, 30 * MIN, 60 * MIN);
	assert_int_equal(play.over_ms, 0);
	assert_int_equal(play.rig.sleeps, sleeps);
	(void)unused;
}

static int64_t from_w, to_w;

static int64_t climbing(int64_t ms)     /* within a minute */
{
	return from_w + (to_w - from_w) * min64(ms, MIN) / MIN;
}

/* From its highest level ever the load rises as it did before from lower ones: a peak that wanders is no limit. */
static void rise_from_the_peak(enum prefer prefer)
{
	open_wandering_play((struct walk){ 7, 0, 2200, MIN, 800 * KW });
	play.rig.conf.prefer = prefer;
	run(&play, wandering, 0, 45 * MIN);
	assert_int_equal(play.rig.state.chosen_hold, HOLD_EASED);
	from_w = play.rig.gpus_w;
	to_w = reserve_peak_w(&play.rig.state) - HOUSE_W;
	run(&play, climbing, 0, 75 * SEC);
	int64_t reserve_w = play.rig.state.holds[HOLD_EASED].reserve_w;
	assert_true(reserve_w > 15 * KW);
	to_w += reserve_w - KW;
	from_w = to_w;
	run(&play, climbing, 0, 20 * SEC);
	assert_int_equal(play.over_ms, 0);
}

static void its_peak_is_not_relied_on(void **unused)
{
	rise_from_the_peak(PREFER_BALANCED);
	rise_from_the_peak(PREFER_HASH);
	(void)unused;
}

/* A minute that stands, then 60 kW more, then as before. */
static int64_t bump(int64_t ms)
{
	return ms >= 60 * SEC && ms < 70 * SEC ? 860 * KW : 800 * KW;
}

static void it_comes_up_at_once_and_down_by_and_by(void **unused)
{
	open_wandering_play((struct walk){ .base_w = 800 * KW });
	const struct policy_hold *eased = &play.rig.state.holds[HOLD_EASED];
	run(&play, bump, 0, 62 * SEC);
	assert_true(eased->levels_w[play.rig.state.newest] >= 860 * KW + HOUSE_W);
	run(&play, bump, 62 * SEC, 73 * SEC);
	int64_t over_w = eased->levels_w[play.rig.state.newest] - play.rig.state.loads_w[play.rig.state.newest];
	assert_in_range(over_w, 15 * KW, 40 * KW);
	run(&play, bump, 73 * SEC, 90 * SEC);
	over_w = eased->levels_w[play.rig.state.newest] - play.rig.state.loads_w[play.rig.state.newest];
	assert_in_range(over_w, 0, KW);
	(void)unused;
}

/* Nobody wakes for the few watts that raising others leaves: each of them would have to sleep for the next rise. */
static void nobody_wakes_for_a_rest(void **unused)
{
	open_wandering_play((struct walk){ 7, 0, 1400, MIN, 880 * KW });
	run(&play, wandering, 0, 30 * MIN);
	uint32_t wakes = play.rig.wakes;
	assert_true(play.rig.sleeps > 0);
	run(&play, wandering, 30 * MIN, 60 * MIN);
	assert_in_range(play.rig.wakes - wakes, 0, 4);
	(void)unused;
}

/* Of its dips as much is filled as those awake do by power alone, at their most where they are at their least at its peaks. */
static void its_dips_are_filled_by_power(void **unused)
{
	open_wandering_play((struct walk){ 7, 0, 1400, 3 * MIN, 820 * KW });
	for (int g = 0; g < 2; g++)
		rig_partial(&play.rig, g, 2000);
	run(&play, wandering, 0, 30 * MIN);
	uint32_t at_most = 0;
	for (int64_t ms = 30 * MIN; ms < 60 * MIN; ms += RIG_STEP_MS) {
		run(&play, wandering, ms, ms + RIG_STEP_MS);
		const struct policy_hold *hold = &play.rig.state.holds[HOLD_EASED];
		const struct picture *picture = &play.rig.out.picture;
		if (play.rig.state.chosen_hold != HOLD_EASED)
			continue;
		assert_true(picture->planned_w + picture->reserve_w >= hold->least_kept_w - KW);
		at_most += picture->planned_w + picture->reserve_w < hold->least_kept_w + KW;
	}
	assert_true(at_most > 0);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_that_stands_still_leaves_the_load),
		cmocka_unit_test(a_plan_that_follows_takes_off_what_is_slow),
		cmocka_unit_test(what_is_added_to_seconds_counts_twice),
		cmocka_unit_test(a_reserve_that_is_given_up_is_no_swing),
		cmocka_unit_test(a_load_that_wanders_is_followed_as_it_is),
		cmocka_unit_test(its_peak_is_not_relied_on),
		cmocka_unit_test(it_comes_up_at_once_and_down_by_and_by),
		cmocka_unit_test(nobody_wakes_for_a_rest),
		cmocka_unit_test(its_dips_are_filled_by_power),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
