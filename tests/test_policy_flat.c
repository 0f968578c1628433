/* The reserve over what is foretold, where miners may be told their power: what a flat site may cost, and who sleeps for what. */
#include "policy/foretell.h"
#include "policy/internal.h"
#include "tests/policy_play.h"

static void open_preferring_play(struct play *play, int64_t gpus_w, enum prefer prefer)
{
	open_partial_play(play, gpus_w, 1000);
	play->rig.conf.prefer = prefer;
}

/* Waves of some minutes, and of 46 s: cheap to fill. */
static int64_t waves(int64_t ms)
{
	double t = (double)ms / SEC;
	return (int64_t)(800 * KW + 60 * KW * sin(t / 30) + 20 * KW * sin(t / 7.3));
}

/* Slower ones, and every 167 s a dip that is gone in an instant: dear. */
static int64_t waves_and_dips(int64_t ms)
{
	double t = (double)ms / SEC;
	return (int64_t)(780 * KW + 50 * KW * sin(t / 60) - (ms / SEC % 167 < 40 ? 60 * KW : 0));
}

struct held { double rms_w, miners_w; };        /* after 20 minutes: of the site about its mean; on average */

static struct held held_by(course *gpus, enum prefer prefer)
{
	struct play play;
	double sum = 0, squares = 0, miners_w = 0, n = 0;
	open_preferring_play(&play, 800 * KW, prefer);
	for (int64_t ms = 0; ms < 40 * MIN; ms += RIG_STEP_MS) {
		play.rig.gpus_w = gpus(ms);
		rig_step(&play.rig);
		double drawn_w = (double)rig_miners_w(&play.rig), site_w = (double)(play.rig.gpus_w + HOUSE_W) + drawn_w;
		if (ms < 20 * MIN)
			continue;
		assert_true(site_w <= RIG_CAP_W);
		sum += site_w;
		squares += site_w * site_w;
		miners_w += drawn_w;
		n++;
	}
	return (struct held){ sqrt(squares / n - sum / n * sum / n), miners_w / n };
}

static void a_flat_site_is_paid_for_as_preferred(void **unused)
{
	struct held free = held_by(waves, PREFER_HASH);
	assert_true(free.rms_w < 0.3 * 60 * KW / sqrt(2));      /* nothing is to be paid for those */
	struct held hash = held_by(waves_and_dips, PREFER_HASH), balanced = held_by(waves_and_dips, PREFER_BALANCED);
	struct held flat = held_by(waves_and_dips, PREFER_FLAT);
	assert_true(balanced.rms_w < 0.97 * hash.rms_w && flat.rms_w < 0.85 * balanced.rms_w);
	assert_true(balanced.miners_w < 0.97 * hash.miners_w && flat.miners_w < 0.97 * balanced.miners_w);
	assert_true(flat.miners_w > 0.7 * hash.miners_w);
	(void)unused;
}

/* Down for half of each minute by more than power alone can fill. */
static int64_t deep_squares(int64_t ms)
{
	return (ms % MIN < 30 * SEC ? 880 : 780) * KW;
}

/* However much that is preferred: to sleep and wake in each of its swings is not flat, and wears the miners. */
static void nobody_sleeps_by_the_minute_for_a_flat_site(void **unused)
{
	static struct play play;
	open_preferring_play(&play, 740 * KW, PREFER_FLAT);
	run(&play, deep_squares, 0, 20 * MIN);
	play.rig.sleeps = 0;
	run(&play, deep_squares, 20 * MIN, 40 * MIN);
	assert_int_equal(play.over_ms, 0);
	assert_true(play.rig.sleeps < RIG_MINERS);
	(void)unused;
}

/* Nearly still, once the miners have come down: what was before that is no move of the load. */
static int64_t at_rest_from_then(int64_t ms)
{
	return ms > 3 * SEC && ms < 8 * SEC ? 680 * KW : 780 * KW + (int64_t)(KW / 5 * sin((double)ms / SEC / 30));
}

static void where_nothing_moves_nothing_is_paid_for(void **unused)
{
	struct play play;
	open_preferring_play(&play, 780 * KW, PREFER_BALANCED);
	run(&play, at_rest_from_then, 0, 14 * MIN);
	int64_t reserve_w = play.rig.out.picture.reserve_w;
	assert_true(reserve_w >= 3 * KW && reserve_w < 5 * KW);         /* the least, and half a step of a miner's power */
	(void)unused;
}

/* Up and down they are told their power; but to sleep takes them longer than the load is remembered. */
static void those_slow_to_sleep_follow_what_is_foretold_too(void **unused)
{
	static struct play play;
	open_preferring_play(&play, 800 * KW, PREFER_BALANCED);
	for (int g = 0; g < 2; g++)
		play.rig.miner_groups[g].sleep = (struct policy_response){ 2000, 43000 };
	run(&play, waves, 0, 8 * MIN);
	assert_true(foretell_knows(&play.rig.state.foretell));
	(void)unused;
}

/* Waves; every other ten seconds 50 kW more are announced, and do not come. */
static void run_told(struct play *play, bool told, int64_t to_ms)
{
	struct notice notice = { .delta_w = 50 * KW };
	for (int64_t ms = 0; ms < to_ms; ms += RIG_STEP_MS) {
		notice.at_ms = play->rig.now_ms + 2 * SEC;
		play->rig.notices = &notice;
		play->rig.n_notices = told && ms / (10 * SEC) % 2;
		run(play, waves, ms, ms + RIG_STEP_MS);
	}
}

/* A plan that makes room for them is not flat, whatever follows the load, and costs what it keeps for them. */
static void where_notices_move_the_site_it_is_not_flat(void **unused)
{
	static struct play told, alone;
	open_preferring_play(&alone, 800 * KW, PREFER_BALANCED);
	alone.rig.conf.cap_w += 10 * KW;
	run_told(&alone, false, 25 * MIN);
	assert_true(alone.rig.state.chosen_hold >= HOLD_FLAT);
	open_preferring_play(&told, 800 * KW, PREFER_BALANCED);
	told.rig.conf.cap_w += 10 * KW;
	run_told(&told, true, 25 * MIN);
	assert_true(told.rig.state.chosen_hold < HOLD_FLAT);
	assert_true(told.rig.state.holds[HOLD_FLAT].kept_w > alone.rig.state.holds[HOLD_FLAT].kept_w + 25 * KW);
	(void)unused;
}

/* 120 kW less for half of each 90 s, gone and back within 2 s: foretold after ten minutes. */
static int64_t plateaus(int64_t ms)
{
	int64_t at = ms % (90 * SEC), since = at % (45 * SEC), low_w = at < 45 * SEC ? 120 * KW : 0;
	int64_t before_w = 120 * KW - low_w;
	return 820 * KW - (since < 2 * SEC ? before_w + (low_w - before_w) * since / (2 * SEC) : low_w);
}

/* The return of what was foretold puts nobody to sleep, though it is more than the reserve. */
static void what_was_foretold_is_no_news(void **unused)
{
	struct play play;
	open_preferring_play(&play, 820 * KW, PREFER_FLAT);
	run(&play, plateaus, 0, 20 * MIN);
	uint32_t sleeps = play.rig.sleeps;
	run(&play, plateaus, 20 * MIN, 40 * MIN);
	assert_int_equal(play.rig.sleeps, sleeps);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

/* As it was, but that the last comes back 12 s before its time. */
static int64_t too_early(int64_t ms)
{
	return plateaus(ms < 27 * MIN + 21 * SEC ? ms : ms + 12 * SEC);
}

/* A rhythm is not relied on whole: most of what the load rises by is free all the same, and miners fall in time for the rest. */
static void a_rhythm_that_fails_costs_seconds(void **unused)
{
	static struct play play;
	int64_t over_ms = 0, most_w = 0;
	open_preferring_play(&play, 820 * KW, PREFER_BALANCED);
	run(&play, too_early, 0, 27 * MIN);
	assert_true(load_is_foretold(&play.rig.state));
	assert_true(play.rig.state.holds[play.rig.state.chosen_hold].reserve_w >= play.rig.state.holds[0].reserve_w / 2);
	assert_true(play.rig.state.holds[0].reserve_w > 80 * KW);
	for (int64_t ms = 27 * MIN; ms < 28 * MIN; ms += RIG_STEP_MS) {
		run(&play, too_early, ms, ms + RIG_STEP_MS);
		over_ms += play.over_ms;
		most_w = max64(most_w, play.rig.gpus_w + HOUSE_W + rig_miners_w(&play.rig) - RIG_CAP_W);
	}
	assert_in_range(over_ms, 1, 4 * SEC);
	assert_in_range(most_w, 1, 120 * KW / 2);
	run(&play, too_early, 28 * MIN, 32 * MIN);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

/* The same in a third of the time: a fall is expected while the load is still at its peak. */
static int64_t beats(int64_t ms)
{
	return plateaus(ms * 3);
}

/* What the load does by its rhythm is neither news nor a reason to keep more free than for its peak; while miners follow, the
 * peak alone is not enough. */
static void check_rhythm(course *gpus)
{
	static struct play play;
	open_preferring_play(&play, 820 * KW, PREFER_HASH);
	run(&play, gpus, 0, 24 * MIN);
	const struct policy_state *state = &play.rig.state;
	assert_int_equal(state->chosen_hold, HOLD_FORETOLD);
	assert_true(state->holds[HOLD_FORETOLD].reserve_w > state->holds[HOLD_FLAT].reserve_w);
	int64_t least_w = RIG_CAP_W - reserve_peak_w(state) - RIG_CAP_W / 50 - 2 * KW;
	for (int64_t ms = 24 * MIN; ms < 30 * MIN; ms += RIG_STEP_MS) {
		run(&play, gpus, ms, ms + RIG_STEP_MS);
		assert_true(play.rig.out.wanted_miners_w >= least_w);
		assert_int_not_equal(play.rig.out.serves, BINDING_CAP);
	}
}

static void a_rhythm_keeps_no_more_free_than_its_peak(void **unused)
{
	check_rhythm(plateaus);
	check_rhythm(beats);
	(void)unused;
}

static int64_t dice_w(int64_t n, int64_t most_w)
{
	return (int64_t)((uint32_t)(n + 1) * 2654435761U >> 16) * most_w / 65536;
}

/* For 20 minutes anywhere within 60 kW, somewhere else every 5 s: to be foretold only to come back to the middle. Two
 * minutes at rest there; then up by 4 kW a second, and past all it has shown. */
static int64_t climb(int64_t ms)
{
	int64_t n = ms / (5 * SEC), from_w = dice_w(n, 60 * KW), on_ms = ms - 22 * MIN;
	if (ms < 20 * MIN)
		return 770 * KW + from_w + (dice_w(n + 1, 60 * KW) - from_w) * (ms % (5 * SEC)) / (5 * SEC);
	return 800 * KW + (on_ms < 0 ? 0 : on_ms > 15 * SEC ? 60 * KW : on_ms * 4 * KW / SEC);
}

/* What is told by the load as it is follows too late while it climbs, wherever it was foretold to be. */
static void more_is_kept_over_a_load_that_climbs(void **unused)
{
	struct play play;
	open_preferring_play(&play, 800 * KW, PREFER_FLAT);
	run(&play, climb, 0, 22 * MIN);
	assert_int_equal(play.rig.out.picture.hold_ms, 0);
	run(&play, climb, 22 * MIN, 23 * MIN);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

/* Anywhere within 36 kW, somewhere else every 5 s, for ever. */
static int64_t restless(int64_t ms)
{
	int64_t n = ms / (5 * SEC), from_w = dice_w(n, 36 * KW);
	return 872 * KW + from_w + (dice_w(n + 1, 36 * KW) - from_w) * (ms % (5 * SEC)) / (5 * SEC);
}

/* Restless for 12 minutes, then at rest for two, then up for good. */
static int64_t step_up(int64_t ms, int64_t by_w)
{
	if (ms < 12 * MIN)
		return restless(ms);
	return 885 * KW + (ms >= 14 * MIN ? by_w : 0);
}

static int64_t small_step(int64_t ms)
{
	return step_up(ms, 4500);
}

static int64_t larger_step(int64_t ms)
{
	return step_up(ms, 8 * KW);
}

static int64_t step_down(int64_t ms)
{
	return step_up(ms, -15 * KW);
}

/* Until all that is awake can only sleep, for a reserve that is known. Returns how many have been put to sleep. */
static uint32_t open_restless_play(struct play *play, course *gpus)
{
	open_preferring_play(play, 890 * KW, PREFER_FLAT);
	play->rig.miner_groups[1].partial_w = 0;        /* and all but one, that is not heard from, are of that group */
	for (int i = 0; i < RIG_MINERS; i++)
		play->rig.miner_group[i] = i > 0;
	play->rig.miners[0].mute = true;
	run(play, gpus, 0, 14 * MIN);
	assert_in_range(play->rig.out.picture.reserve_w, 13 * KW, 16 * KW);
	assert_in_range(play->rig.out.picture.settled_miners_w, 58 * KW, 62 * KW);
	return play->rig.sleeps;
}

/* A sleep and the wake after it take longer than many a rise lasts: the reserve is there for those. */
static void a_quarter_of_the_reserve_is_borne_for_as_long_as_a_wake_takes(void **unused)
{
	struct play play;
	uint32_t before = open_restless_play(&play, small_step);
	run(&play, small_step, 14 * MIN, 14 * MIN + SEC);
	assert_in_range(play.rig.out.wanted_miners_w, 0, play.rig.out.picture.settled_miners_w - 3 * KW);
	assert_string_equal(binding_name(play.rig.out.binding), "reserve");
	run(&play, small_step, 14 * MIN + SEC, 14 * MIN + 30 * SEC);
	assert_int_equal(play.rig.sleeps, before);
	run(&play, small_step, 14 * MIN + 30 * SEC, 15 * MIN);
	assert_in_range(play.rig.sleeps, before + 1, before + 3);
	before = open_restless_play(&play, larger_step);
	run(&play, larger_step, 14 * MIN, 14 * MIN + SEC);
	assert_in_range(play.rig.sleeps, before + 2, before + 4);
	/* Those of a lower priority sleep before any of a higher one is lowered. */
	open_restless_play(&play, small_step);
	play.rig.miner_groups[0].priority = 10;
	before = play.rig.sleeps;
	run(&play, small_step, 14 * MIN, 14 * MIN + SEC);
	assert_in_range(play.rig.sleeps, before + 1, before + 3);
	/* A reserve that was told is kept whole. */
	before = open_restless_play(&play, small_step);
	play.rig.conf.reserve_w = play.rig.out.picture.reserve_w;
	run(&play, small_step, 14 * MIN, 14 * MIN + SEC);
	assert_in_range(play.rig.sleeps, before + 1, before + 3);
	(void)unused;
}

/* What is foretold of a fall at first swings up and down by more than it: only what stands is woken for. */
static void nobody_wakes_for_what_comes_and_goes(void **unused)
{
	struct play play;
	uint32_t sleeps = open_restless_play(&play, step_down), wakes = play.rig.wakes;
	run(&play, step_down, 14 * MIN, 14 * MIN + SEC);
	assert_true(play.rig.out.wanted_miners_w > play.rig.out.picture.settled_miners_w + 4 * RIG_MINER_W);
	run(&play, step_down, 14 * MIN + SEC, 14 * MIN + 14 * SEC);
	assert_int_equal(play.rig.wakes, wakes);
	run(&play, step_down, 14 * MIN + 14 * SEC, 16 * MIN);
	assert_in_range(play.rig.out.picture.settled_miners_w, 72 * KW, 76 * KW);
	assert_in_range(play.rig.wakes, wakes + 4, wakes + 6);
	assert_int_equal(play.rig.sleeps, sleeps);
	(void)unused;
}

/* What is held of a few seconds rises by more than its small reserve within two of them, as it always did: what counts is
 * how far that is over what was planned for when miners told then would have followed. */
static void what_always_came_is_no_rise_like_none_before(void **unused)
{
	struct play play;
	open_preferring_play(&play, 890 * KW, PREFER_BALANCED);
	play.rig.conf.cap_w = RIG_CAP_W + 40 * KW;
	for (int g = 0; g < 2; g++) {           /* nothing is foretold for those that know only on and off */
		play.rig.miner_groups[g].partial_w = 0;
		play.rig.miner_groups[g].wake = (struct policy_response){ 500, 500 };
	}
	run(&play, restless, 0, 20 * MIN);
	assert_in_range(play.rig.out.picture.hold_ms, 500, 20 * SEC);
	for (int64_t ms = 20 * MIN; ms < 40 * MIN; ms += RIG_STEP_MS) {
		run(&play, restless, ms, ms + RIG_STEP_MS);
		assert_int_not_equal(play.rig.out.serves, BINDING_RISE);
	}
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flat_site_is_paid_for_as_preferred),
		cmocka_unit_test(nobody_sleeps_by_the_minute_for_a_flat_site),
		cmocka_unit_test(where_nothing_moves_nothing_is_paid_for),
		cmocka_unit_test(those_slow_to_sleep_follow_what_is_foretold_too),
		cmocka_unit_test(where_notices_move_the_site_it_is_not_flat),
		cmocka_unit_test(what_was_foretold_is_no_news),
		cmocka_unit_test(a_rhythm_that_fails_costs_seconds),
		cmocka_unit_test(a_rhythm_keeps_no_more_free_than_its_peak),
		cmocka_unit_test(more_is_kept_over_a_load_that_climbs),
		cmocka_unit_test(a_quarter_of_the_reserve_is_borne_for_as_long_as_a_wake_takes),
		cmocka_unit_test(nobody_wakes_for_what_comes_and_goes),
		cmocka_unit_test(what_always_came_is_no_rise_like_none_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
