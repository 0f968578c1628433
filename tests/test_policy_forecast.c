/* When the plan goes by what the load's own past foretells, and when it does not. */
#include "policy/foretell.h"
#include "policy/internal.h"
#include "tests/policy_play.h"

static int64_t waves(int64_t ms)
{
	double t = (double)ms / SEC;
	return (int64_t)(800 * KW + 60 * KW * sin(t / 30) + 20 * KW * sin(t / 7.3));
}

static void by_the_file_it_never_does(void **unused)
{
	static struct play play;
	open_partial_play(&play, 800 * KW, 1000);
	run(&play, waves, 0, 25 * MIN);
	assert_true(load_is_foretold(&play.rig.state));
	play.rig.conf.no_forecast = true;
	for (int64_t ms = 25 * MIN; ms < 40 * MIN; ms += RIG_STEP_MS) {
		run(&play, waves, ms, ms + RIG_STEP_MS);
		assert_false(load_is_foretold(&play.rig.state));
	}
	play.rig.conf.no_forecast = false;              /* it went on learning */
	run(&play, waves, 40 * MIN, 40 * MIN + 2 * SEC);
	assert_true(load_is_foretold(&play.rig.state));
	(void)unused;
}

/* Far down for a minute and a half every four, and back in an instant: longer than any hold. */
static int64_t long_dips(int64_t ms)
{
	return ms % (4 * MIN) < 90 * SEC ? 700 * KW : 820 * KW;
}

/* With a reserve of 20 kW: how long it was over the cap for the ends of five dips, after so many. */
static int64_t over_at_ends_ms(int64_t dips, bool no_forecast)
{
	static struct play play;
	open_play(&play, 820 * KW);
	play.rig.conf.reserve_w = 20 * KW;
	play.rig.conf.no_forecast = no_forecast;
	run(&play, long_dips, 0, dips * 4 * MIN);
	run(&play, long_dips, dips * 4 * MIN, (dips + 5) * 4 * MIN);
	return play.over_ms;
}

/* A reserve that the file sets is not for such rises; a rhythm that has proved right has miners asleep in time. */
static void a_rhythm_spares_a_small_reserve_the_ends_of_dips(void **unused)
{
	assert_true(over_at_ends_ms(1, false) >= 5 * 2 * SEC);
	assert_int_equal(over_at_ends_ms(12, false), 0);
	assert_true(over_at_ends_ms(12, true) >= 5 * 2 * SEC);
	(void)unused;
}

/* Down and up again at the same pace, every minute and a half: each height is a rhythm of its own. */
static int64_t slopes(int64_t ms)
{
	int64_t at_ms = ms % (90 * SEC);
	return 820 * KW - (at_ms < 45 * SEC ? at_ms : 90 * SEC - at_ms) * 4;
}

static void check_no_rhythm_is_told(course *gpus, int64_t lasts_ms)
{
	static struct play play;
	open_play(&play, 820 * KW);
	for (int64_t ms = 0; ms < lasts_ms; ms += RIG_STEP_MS) {
		run(&play, gpus, ms, ms + RIG_STEP_MS);
		assert_int_equal(play.rig.out.picture.returns_to_w, 0);
		assert_true(ms < 10 * MIN || play.over_ms == 0);
	}
}

/* A learned reserve is for just these rises, and for how far a load climbs that climbs all the time. */
static void what_the_reserve_is_for_no_rhythm_tells(void **unused)
{
	check_no_rhythm_is_told(long_dips, 70 * MIN);
	check_no_rhythm_is_told(slopes, 40 * MIN);
	(void)unused;
}

/* ---- in a rise ---- */

static void foretold_is_cheapest(struct policy_state *state)
{
	memset(state, 0, sizeof(*state));
	state->n_loads = POLICY_LOADS;
	state->foretell.n = 10000;
	for (uint32_t h = 0; h < POLICY_HOLDS; h++) {
		state->holds[h].n_tried = 3000;
		state->holds[h].kept_w = (h == HOLD_FORETOLD ? 800 : h < HOLD_FORETOLD ? 900 : 1000) * KW;
	}
	state->chosen_hold = HOLD_LONGEST;
	for (uint32_t i = 0; i < POLICY_LOADS; i++)
		state->loads_w[i] = 700 * KW;
}

static uint32_t chosen_at(struct policy_state *state, int64_t load_w)
{
	static const struct policy_conf conf = { .cap_w = 1000 * KW };
	reserve_choose(&conf, state, load_w, 50);
	return state->chosen_hold;
}

static void no_foretold_plan_begins_in_a_rise(void **unused)
{
	static struct policy_state state;
	foretold_is_cheapest(&state);
	assert_int_equal(chosen_at(&state, 730 * KW), HOLD_LONGEST);
	assert_int_equal(chosen_at(&state, 715 * KW), HOLD_FORETOLD);
	assert_int_equal(chosen_at(&state, 730 * KW), HOLD_FORETOLD);   /* one that is in use stays */
	(void)unused;
}

/* Before all is known of it, a climb in many steps to where it never was: as much as ever is kept free, more than there is. */
static int64_t climb(int64_t ms)
{
	int64_t since_ms = ms - 7 * MIN;
	return since_ms < 0 ? 300 * KW : 700 * KW + min64(since_ms, 30 * SEC) * 2;
}

static void what_was_kept_once_does_not_end_it(void **unused)
{
	static struct play play;
	int64_t highest_w = 0;
	open_partial_play(&play, 300 * KW, 1000);
	const struct policy_hold *hold = &play.rig.state.holds[HOLD_FORETOLD];
	for (int64_t ms = 0; ms < 9 * MIN; ms += RIG_STEP_MS) {
		run(&play, climb, ms, ms + RIG_STEP_MS);
		highest_w = max64(highest_w, hold->asked_w);
	}
	assert_true(highest_w >= RIG_CAP_W);
	assert_true(hold->least_kept_w < 800 * KW);
	assert_true(hold->reached_w < RIG_CAP_W * 9 / 10);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_file_it_never_does),
		cmocka_unit_test(a_rhythm_spares_a_small_reserve_the_ends_of_dips),
		cmocka_unit_test(what_the_reserve_is_for_no_rhythm_tells),
		cmocka_unit_test(no_foretold_plan_begins_in_a_rise),
		cmocka_unit_test(what_was_kept_once_does_not_end_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
