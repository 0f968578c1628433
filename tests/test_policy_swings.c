/* Swings beyond what less power does: who sleeps for them, and how much of them is filled. */
#include "policy/foretell.h"
#include "policy/internal.h"
#include "tests/policy_play.h"

#define LEAST_W 1800                    /* at the least power, of RIG_MINER_W at most: six tenths */

static void open_swinging_play(struct play *play, int64_t gpus_w)
{
	open_partial_play(play, gpus_w, LEAST_W);
	play->rig.conf.prefer = PREFER_HASH;
}

/* What is left for the miners swings between about 60 and 260 kW, those that are awake at 60 kW draw 100 kW at most. */
static int64_t deep_waves(int64_t ms)
{
	double t = (double)ms / SEC;
	return (int64_t)(790 * KW + 80 * KW * sin(t / 7) + 20 * KW * sin(t / 3.2));
}

static void what_power_does_is_filled_and_nobody_sleeps_for_the_rest(void **unused)
{
	static struct play play;
	open_swinging_play(&play, 790 * KW);
	run(&play, deep_waves, 0, 30 * MIN);
	uint32_t sleeps = play.rig.sleeps;
	int64_t least_w = INT64_MAX, most_w = 0;
	for (int64_t ms = 30 * MIN; ms < 50 * MIN; ms += RIG_STEP_MS) {
		run(&play, deep_waves, ms, ms + RIG_STEP_MS);
		least_w = min64(least_w, rig_miners_w(&play.rig));
		most_w = max64(most_w, rig_miners_w(&play.rig));
		assert_int_equal(play.over_ms, 0);
	}
	assert_int_equal(play.rig.state.chosen_hold, HOLD_FORETOLD);
	assert_in_range(least_w, 58 * KW, 64 * KW);
	assert_in_range(most_w, 92 * KW, 100 * KW);
	assert_in_range(play.rig.sleeps - sleeps, 0, 6);        /* what the waves leave at least is never the same twice */
	(void)unused;
}

static int64_t falls(int64_t ms)
{
	return ms < 30 * MIN ? deep_waves(ms) : 560 * KW;
}

static void what_is_told_of_the_plan_is_of_the_one_in_use(void **unused)
{
	static struct play play;
	const struct picture *told = &play.rig.out.picture;
	open_swinging_play(&play, 790 * KW);
	run(&play, falls, 0, 30 * MIN);
	assert_int_equal(told->hold_ms, 0);
	assert_int_equal(told->rise_w, play.rig.state.holds[HOLD_FORETOLD].reserve_w);
	run(&play, falls, 30 * MIN, 30 * MIN + 10 * SEC);       /* as it never rose: it may be a dip */
	assert_int_equal(play.rig.state.chosen_hold, HOLD_FORETOLD);
	assert_int_equal(told->hold_ms, POLICY_LOADS * POLICY_SLOT_MS);
	assert_int_equal(told->rise_w, play.rig.state.holds[HOLD_LONGEST].reserve_w);
	assert_in_range(told->swing_w, 1, 200 * KW);
	(void)unused;
}

static int64_t beats_to_w, beats_by_w;

static int64_t beats(int64_t ms)
{
	return beats_to_w - (ms % (40 * SEC) < 20 * SEC ? 0 : beats_by_w);
}

/* Such a rhythm is soon foretold; but what miners may not follow is no plan. */
static void a_plan_that_a_ramp_or_a_window_forbids_is_not_used(void **unused)
{
	for (int by_window = 0; by_window < 2; by_window++) {
		static struct play play;
		beats_to_w = by_window ? 880 * KW : 860 * KW;
		beats_by_w = by_window ? 50 * KW : 80 * KW;
		open_swinging_play(&play, beats_to_w);
		if (by_window)
			play.rig.conf.windows[play.rig.conf.n_windows++] = (struct policy_window){ 5 * SEC, 10 * KW };
		else
			play.rig.conf.ramp_down_w_per_min = 10 * KW;
		run(&play, beats, 0, 20 * MIN);
		uint32_t sleeps = play.rig.sleeps;
		run(&play, beats, 20 * MIN, 50 * MIN);
		assert_true(play.rig.state.moved.held_back_ms);
		assert_int_equal(play.over_ms, 0);
		assert_in_range(play.rig.sleeps - sleeps, 0, 10);
	}
	(void)unused;
}

/* Half of the load is gone for four minutes, and back within some seconds. */
static int64_t back_within_ms;

static int64_t in_step(int64_t ms)
{
	int64_t at = ms % (8 * MIN), low_w = 400 * KW;
	return 880 * KW - (at < 4 * MIN ? low_w : max64(low_w - low_w * (at - 4 * MIN) / back_within_ms, 0));
}

/* Those whose power takes longer to fall than sleep does: what less power does not do must not come too late. */
static void what_returns_is_made_room_for_in_time(void **unused)
{
	for (back_within_ms = 4 * SEC; back_within_ms <= 12 * SEC; back_within_ms += 4 * SEC) {
		static struct play play;
		open_swinging_play(&play, 480 * KW);
		run(&play, in_step, 0, 35 * MIN);
		run(&play, in_step, 35 * MIN, 50 * MIN);
		assert_int_equal(play.over_ms, 0);
	}
	(void)unused;
}

/* Rises of 150 kW within three seconds, every other minute; at last two of them, one upon the other. */
static int64_t rises(int64_t ms)
{
	int64_t at = ms % (2 * MIN), low_w = at < MIN ? 150 * KW : max64(150 * KW - 150 * KW * (at - MIN) / (3 * SEC), 0);
	int64_t more_w = ms < 31 * MIN ? 0 : min64(90 * KW * (ms - 31 * MIN) / (3 * SEC), 90 * KW);
	return 860 * KW - (ms < 30 * MIN ? low_w : 0) + more_w;
}

/* Nobody knew of it: but that it goes on as others did is more likely than that it ends right there. */
static void beyond_its_peak_a_rise_goes_on_as_others_did(void **unused)
{
	static struct play play;
	open_play(&play, 860 * KW);
	run(&play, rises, 0, 31 * MIN);
	int64_t over_w_ms = 0;
	for (int64_t ms = 31 * MIN; ms < 32 * MIN; ms += RIG_STEP_MS) {
		run(&play, rises, ms, ms + RIG_STEP_MS);
		over_w_ms += max64(play.rig.gpus_w + HOUSE_W + rig_miners_w(&play.rig) - RIG_CAP_W, 0) * RIG_STEP_MS;
	}
	assert_true(over_w_ms < 215 * KW * SEC);                /* 236 kJ, told of each watt as it comes */
	(void)unused;
}

/* From 500 kW on, within two seconds, where the load has been at 900 kW before. Returns what it is taken to rise to. */
static int64_t rises_to_w(int64_t load_w, int64_t site_w)
{
	static struct policy_state state;
	struct policy_conf conf = { .cap_w = RIG_CAP_W, .reserve_w = POLICY_NONE };
	struct step step = { .conf = &conf, .state = &state, .site_usable = true, .load_w = load_w, .limit_w = RIG_CAP_W,
		.reserve_w = 400 * KW, .metered.site_w = site_w, .tracked = { .settled_w = 950 * KW - load_w, .slowest_sleep_ms = 4000 } };
	state = (struct policy_state){ .n_loads = POLICY_LOADS, .chosen_hold = HOLD_LONGEST, .peaks_w = { 900 * KW } };
	for (int i = 0; i < POLICY_LOADS; i++)
		state.loads_w[i] = 500 * KW;
	rise_see(&step);
	return step.is_over ? step.rising_to_w : 0;
}

static void a_rise_is_met_by_what_its_peak_asks_for_while_the_limit_holds(void **unused)
{
	assert_int_equal(rises_to_w(650 * KW, 950 * KW), 0);                    /* less than half of the reserve */
	assert_in_range(rises_to_w(820 * KW, 950 * KW), 900 * KW, 920 * KW);
	assert_in_range(rises_to_w(820 * KW, 1001 * KW), 1220 * KW, 1220 * KW);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_power_does_is_filled_and_nobody_sleeps_for_the_rest),
		cmocka_unit_test(what_is_told_of_the_plan_is_of_the_one_in_use),
		cmocka_unit_test(a_plan_that_a_ramp_or_a_window_forbids_is_not_used),
		cmocka_unit_test(what_returns_is_made_room_for_in_time),
		cmocka_unit_test(a_rise_is_met_by_what_its_peak_asks_for_while_the_limit_holds),
		cmocka_unit_test(beyond_its_peak_a_rise_goes_on_as_others_did),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
