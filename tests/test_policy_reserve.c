/* The reserve that learns: what the load has shown is kept free, no more and no longer than it takes. */
#include "policy/internal.h"
#include "tests/policy_play.h"

static int64_t at_rest(int64_t ms)
{
	(void)ms;
	return 780 * KW;
}

static void a_quiet_load_needs_little(void **unused)
{
	struct play play;
	open_play(&play, 780 * KW);
	run(&play, at_rest, 0, 9 * MIN);
	assert_int_equal(play.rig.out.picture.reserve_w, 15 * KW);      /* it may just have been quiet */
	run(&play, at_rest, 0, 3 * MIN);
	assert_int_equal(play.rig.out.picture.reserve_w, 3 * KW);
	assert_int_equal(play.rig.out.picture.rise_w, 0);
	assert_int_equal(play.rig.out.picture.peak_w, 820 * KW);
	(void)unused;
}

/* Up by 80 kW in one step, every five minutes, for two. */
static int64_t jobs(int64_t ms)
{
	return (ms % (5 * MIN) < 3 * MIN ? 700 : 780) * KW;
}

static void what_came_once_does_not_exceed_again(void **unused)
{
	struct play play;
	open_play(&play, 700 * KW);
	run(&play, jobs, 0, 5 * MIN);
	assert_in_range(play.over_ms, 1, 6 * SEC);              /* nobody could know */
	run(&play, jobs, 5 * MIN, 120 * MIN);
	assert_int_equal(play.over_ms, 0);
	assert_in_range(play.rig.out.picture.rise_w, 80 * KW, 90 * KW);
	(void)unused;
}

static void a_reserve_shrinks_when_nothing_comes(void **unused)
{
	struct play play;
	open_play(&play, 700 * KW);
	run(&play, jobs, 0, 15 * MIN);
	/* At the top of all it has shown not much more is to be expected, and less and less: 1 % of the cap for a record that has
	 * stood for 12½ minutes, half of it for one of 25. */
	run(&play, at_rest, 0, 30 * SEC);
	assert_in_range(play.rig.out.picture.reserve_w, 9500, 10500);
	run(&play, at_rest, 0, 12 * MIN + 30 * SEC);
	assert_in_range(play.rig.out.picture.reserve_w, 4500, 5500);
	run(&play, at_rest, 0, 17 * MIN);
	assert_int_equal(play.rig.out.picture.reserve_w, 3 * KW);       /* the least */
	assert_in_range(play.rig.out.picture.rise_w, 75 * KW, 90 * KW);
	run(&play, at_rest, 0, 180 * MIN);
	assert_in_range(play.rig.out.picture.rise_w, 0, 8 * KW);
	(void)unused;
}

static int64_t slow_wave(int64_t ms)
{
	int64_t t = ms % (10 * MIN);
	return 780 * KW + (t < 5 * MIN ? t : 10 * MIN - t) * 150 * KW / (5 * MIN);
}

static int64_t fast_wave(int64_t ms)
{
	return (ms % (12 * SEC) < 6 * SEC ? 780 : 720) * KW;
}

/* What is slower than the miners is followed at once; what is faster is not answered at all. */
static void slow_swings_are_followed_and_fast_ones_left(void **unused)
{
	struct play slow, fast;
	open_play(&slow, 780 * KW);
	open_play(&fast, 780 * KW);
	run(&slow, slow_wave, 0, 30 * MIN);
	run(&fast, fast_wave, 0, 30 * MIN);
	assert_true(slow.rig.out.picture.hold_ms <= 5 * SEC);
	assert_true(fast.rig.out.picture.hold_ms >= 20 * SEC);
	run(&slow, slow_wave, 30 * MIN, 60 * MIN);
	run(&fast, fast_wave, 30 * MIN, 60 * MIN);
	assert_true(slow.moves > 200);
	assert_int_equal(slow.over_ms, 0);
	assert_in_range(fast.moves, 0, 6);
	assert_int_equal(fast.over_ms, 0);
	(void)unused;
}

static int64_t one_dip(int64_t ms)
{
	return ms < 35 * MIN ? slow_wave(ms) : ms < 35 * MIN + 25 * SEC ? 870 * KW : 930 * KW;
}

/* It fell as it never rose: it may be back at once, and that has not been seen yet. */
static void a_dip_like_none_before_is_left_alone(void **unused)
{
	struct play play;
	open_play(&play, 780 * KW);
	run(&play, one_dip, 0, 35 * MIN);
	assert_true(play.rig.out.picture.hold_ms <= 5 * SEC);
	uint32_t wakes = play.rig.wakes;
	run(&play, one_dip, 35 * MIN, 36 * MIN);
	assert_int_equal(play.rig.wakes, wakes);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

/* Another job ends for good after a while. Every quarter of an hour this one is gone at once for four minutes, and takes one
 * to come back. */
static int64_t failures(int64_t ms)
{
	int64_t on_ms = ms % (15 * MIN) - 10 * MIN, others_w = ms < 5 * MIN ? 300 * KW : 0;
	if (on_ms < 0)
		return 600 * KW + others_w;
	return on_ms < 4 * MIN ? 350 * KW : 350 * KW + 250 * KW * (on_ms - 4 * MIN) / MIN;
}

/* Once it was seen to come back slowly from such a fall, the next is no dip to be left alone. */
static void a_fall_it_came_back_from_slowly_is_followed(void **unused)
{
	struct play play;
	open_play(&play, 900 * KW);
	play.rig.conf.cap_w = 700 * KW;
	run(&play, failures, 0, 10 * MIN + 40 * SEC);
	uint32_t wakes = play.rig.wakes;
	run(&play, failures, 10 * MIN + 40 * SEC, 25 * MIN);
	assert_true(play.rig.wakes > wakes);
	wakes = play.rig.wakes;
	run(&play, failures, 25 * MIN, 25 * MIN + 40 * SEC);
	assert_true(play.rig.wakes > wakes);
	run(&play, failures, 25 * MIN + 40 * SEC, 60 * MIN);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

/* Jobs that begin one after the other, every four minutes, each with 50 kW. */
static int64_t stairs(int64_t ms)
{
	int64_t begun = ms < 10 * MIN ? 0 : (ms - 6 * MIN) / (4 * MIN);
	return 700 * KW + min64(begun, 4) * 50 * KW;
}

/* The first two took it to where it never was: room is kept for a third, and a fourth. */
static void a_load_that_climbs_by_stairs_climbs_on(void **unused)
{
	struct play play;
	open_play(&play, 700 * KW);
	run(&play, stairs, 0, 15 * MIN);
	assert_true(play.over_ms > 0);
	run(&play, stairs, 15 * MIN, 30 * MIN);
	assert_int_equal(play.over_ms, 0);
	assert_in_range(play.rig.out.picture.reserve_w, 50 * KW, 60 * KW);
	run(&play, stairs, 30 * MIN, 240 * MIN);
	assert_in_range(play.rig.out.picture.reserve_w, 0, 20 * KW);    /* they have not come for hours */
	(void)unused;
}

static int64_t beyond(int64_t ms)
{
	return ms < 12 * MIN || ms > 13 * MIN ? 780 * KW : 1080 * KW;
}

/* No reserve would have helped: it is no reason for one that keeps all miners asleep. */
static void what_no_reserve_would_hold_makes_none(void **unused)
{
	struct play play;
	open_play(&play, 780 * KW);
	run(&play, beyond, 0, 13 * MIN);
	assert_true(play.over_ms > 50 * SEC && play.rig.out.cap_unreachable);
	run(&play, beyond, 13 * MIN + SEC, 20 * MIN);
	assert_in_range(play.rig.out.picture.settled_miners_w, 150 * KW, 177 * KW);
	assert_in_range(play.rig.out.picture.rise_w, 0, 10 * KW);
	(void)unused;
}

static int64_t ramp(int64_t ms)
{
	return 600 * KW + (ms < 11 * MIN ? 0 : ms < 14 * MIN ? (ms - 11 * MIN) : 180000);
}

/* A load that goes on climbing beyond all it has shown is met by its own pace. */
static void a_climb_is_met_by_its_pace(void **unused)
{
	struct play play;
	open_play(&play, 600 * KW);
	run(&play, ramp, 0, 11 * MIN + 30 * SEC);
	run(&play, ramp, 11 * MIN + 30 * SEC, 16 * MIN);
	assert_int_equal(play.over_ms, 0);
	assert_true(play.moves > 0);
	(void)unused;
}

static int64_t spikes(int64_t ms)
{
	return (ms % (10 * SEC) == 3 * SEC ? 800 : ms % MIN == 30 * SEC ? 700 : 780) * KW;
}

/* What is told of the ripple, with the miners and without. */
static void a_ripple_is_told(void **unused)
{
	struct play play;
	open_play(&play, 600 * KW);
	play.rig.conf.reserve_w = RIG_RESERVE_W;
	run(&play, spikes, 0, 4 * SEC);
	assert_int_equal(play.rig.out.picture.ripple_w[RIPPLE_5_S], POLICY_NONE);
	run(&play, spikes, 4 * SEC, 5 * MIN + 9 * SEC);
	const struct picture *p = &play.rig.out.picture;
	assert_int_equal(p->hpc_ripple_w[RIPPLE_5_S], 0);
	assert_int_equal(p->hpc_ripple_w[RIPPLE_15_S], 20 * KW);
	assert_int_equal(p->hpc_ripple_w[RIPPLE_60_S], 100 * KW);
	assert_int_equal(p->ripple_w[RIPPLE_60_S], 100 * KW);   /* the miners stand still */
	play.rig.mute[RIG_MAIN] = true;
	run(&play, spikes, 0, 5 * SEC);
	assert_int_equal(play.rig.out.picture.ripple_w[RIPPLE_5_S], POLICY_NONE);
	(void)unused;
}

/* All but at rest for half an hour, then up by 20 kW a second to what there was at the start. */
static int64_t slope(int64_t ms)
{
	int64_t on_ms = ms - 30 * MIN, ripple_w = (int64_t)(2 * KW * sin((double)ms / (5 * SEC)));
	if (ms < 2 * MIN || on_ms > 6 * SEC)
		return 900 * KW;
	return 780 * KW + ripple_w + (on_ms > 0 ? 20 * KW * on_ms / SEC : 0);
}

/* One second of the slope takes the whole reserve. Told watt by watt as they come, the miners would be seconds behind. */
static void a_rise_that_uses_up_the_reserve_goes_on(void **unused)
{
	struct play play;
	int64_t over_j = 0;
	open_play(&play, 900 * KW);
	run(&play, slope, 0, 30 * MIN);
	assert_in_range(play.rig.out.picture.reserve_w, 0, 20 * KW);
	for (int64_t ms = 30 * MIN; ms < 32 * MIN; ms += RIG_STEP_MS) {
		play.rig.gpus_w = slope(ms);
		rig_step(&play.rig);
		int64_t over_w = play.rig.gpus_w + HOUSE_W + rig_miners_w(&play.rig) - RIG_CAP_W;
		over_j += over_w > 0 ? over_w * RIG_STEP_MS / SEC : 0;
	}
	assert_in_range(over_j, 1, 300 * KW);
	(void)unused;
}

/* At rest for 12 minutes, and then up by ten times the reserve. */
static int64_t news(int64_t ms)
{
	return (ms < 12 * MIN ? 780 : 810) * KW;
}

/* All take as long to fall: the more of them, the sooner the site is back under its limit. They come back. */
static void a_rise_like_none_before_takes_most_along(void **unused)
{
	struct play play;
	const struct decision *out = &play.rig.out;
	open_play(&play, 780 * KW);
	run(&play, news, 0, 12 * MIN);
	int64_t before_w = out->picture.settled_miners_w, over_w = 810 * KW + HOUSE_W + before_w - RIG_CAP_W;
	run(&play, news, 12 * MIN, 12 * MIN + RIG_STEP_MS);
	assert_string_equal(reason_name(out->reason), "cap");
	assert_string_equal(binding_name(out->binding), "rise");
	int64_t needed_w = over_w + out->picture.reserve_w, others_w = before_w - needed_w;
	assert_in_range(-moved_w(&play.rig), needed_w + others_w * 2 / 3, needed_w + others_w * 2 / 3 + 2 * RIG_MINER_W);
	run(&play, news, 12 * MIN + RIG_STEP_MS, 14 * MIN);
	int64_t left_w = RIG_CAP_W - 810 * KW - HOUSE_W - out->picture.reserve_w;
	assert_in_range(rig_miners_w(&play.rig), left_w - 2 * RIG_MINER_W, left_w + RIG_MINER_W);
	(void)unused;
}

static int64_t climb_w_per_s;

/* At rest for 12 minutes, and then up by 96 kW: by less than the reserve with each step of the law. */
static int64_t climb(int64_t ms)
{
	int64_t climbed_w = (ms - 12 * MIN) / SEC * climb_w_per_s + (ms - 12 * MIN) % SEC * climb_w_per_s / SEC;
	return 780 * KW + (ms < 12 * MIN ? 0 : climbed_w < 96 * KW ? climbed_w : 96 * KW);
}

/* Shed as it comes, step by step, the site would be over for as long as it climbs, at whatever pace. */
static void a_climb_like_none_before_is_not_followed_step_by_step(void **unused)
{
	for (climb_w_per_s = 4 * KW; climb_w_per_s <= 20 * KW; climb_w_per_s += KW) {
		struct play play;
		open_play(&play, 780 * KW);
		run(&play, climb, 0, 12 * MIN);
		run(&play, climb, 12 * MIN, 13 * MIN);
		assert_in_range(play.over_ms, 1, 5 * SEC);
	}
	(void)unused;
}

/* High at first, for 11 minutes at rest, and then up by as much as might go on to beyond the cap. */
static int64_t news_below(int64_t ms)
{
	return (ms < MIN ? 870 : ms < 12 * MIN ? 780 : 820) * KW;
}

static void below_the_limit_no_more_fall_than_it_takes(void **unused)
{
	struct play play;
	const struct decision *out = &play.rig.out;
	open_play(&play, 870 * KW);
	play.rig.conf.target_w = 930 * KW;
	run(&play, news_below, 0, 12 * MIN);
	int64_t before_w = out->picture.settled_miners_w;
	assert_in_range(before_w, 105 * KW, 115 * KW);
	run(&play, news_below, 12 * MIN, 12 * MIN + RIG_STEP_MS);
	assert_string_equal(reason_name(out->reason), "cap");
	assert_string_equal(binding_name(out->binding), "cap");
	assert_in_range(-moved_w(&play.rig), 10 * KW, 60 * KW);
	(void)unused;
}

static int64_t kept_by_w(uint32_t hold, int64_t missed_w, int64_t without_w, int64_t rose_w, int half_seconds)
{
	static struct policy_state state;
	memset(&state, 0, sizeof(state));
	for (int i = 0; i < half_seconds; i++)
		reserve_learn(&state, 0, rose_w, RIG_CAP_W);
	for (int which = 0; which < N_FORETELLS; which++)
		state.foretell.filters[which].missed_w = (double)missed_w;
	state.holds[0].reserve_w = without_w;
	reserve_foretold(&state, hold, RIG_CAP_W);
	return state.holds[hold].reserve_w;
}

static int64_t kept_over_w(int64_t missed_w, int64_t without_w)
{
	return kept_by_w(HOLD_FLAT, missed_w, without_w, 0, 0);
}

/* 15 % of what was missed and of 0.3 % of the cap; but of the cap no more than 0.8 % on top, or than without a forecast. */
static void what_is_kept_over_what_was_missed(void **unused)
{
	assert_int_equal(kept_over_w(20 * KW, 30 * KW), 26450);
	assert_int_equal(kept_over_w(100 * KW, 50 * KW), 108 * KW);
	assert_int_equal(kept_over_w(100 * KW, 112 * KW), 115 * KW);
	assert_int_equal(kept_over_w(100 * KW, 150 * KW), 118450);
	assert_int_equal(kept_over_w(20 * KW, 200 * KW), 130 * KW);     /* a rhythm may fail: two thirds of it in any case, or so */
	(void)unused;
}

/* A rise lasts about eight half-seconds. What was learned of one says little of the next; of five, as much as ever. */
static void rises_are_foretold_once_they_have_come_again(void **unused)
{
	static const struct { int64_t rose_w, least_w, most_w; int half_seconds; } seen[] = {
		{ 0, 200 * KW, 200 * KW, 0 }, { 200 * KW, 185 * KW, 187 * KW, 8 }, { 200 * KW, 171 * KW, 173 * KW, 16 },
		{ 200 * KW, 130 * KW, 130 * KW, 41 }, { 125 * KW, 130 * KW, 130 * KW, 41 }, { 100 * KW, 200 * KW, 200 * KW, 400 },
	};
	for (size_t k = 0; k < sizeof(seen) / sizeof(*seen); k++)
		assert_in_range(kept_by_w(HOLD_FORETOLD, 20 * KW, 200 * KW, seen[k].rose_w, seen[k].half_seconds),
		                seen[k].least_w, seen[k].most_w);
	assert_in_range(kept_by_w(HOLD_FORETOLD, 250 * KW, 200 * KW, 200 * KW, 41), 251 * KW, 265 * KW);
	assert_int_equal(kept_by_w(HOLD_FLAT, 20 * KW, 200 * KW, 200 * KW, 8), 130 * KW);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_load_needs_little),
		cmocka_unit_test(what_came_once_does_not_exceed_again),
		cmocka_unit_test(a_reserve_shrinks_when_nothing_comes),
		cmocka_unit_test(slow_swings_are_followed_and_fast_ones_left),
		cmocka_unit_test(a_dip_like_none_before_is_left_alone),
		cmocka_unit_test(a_fall_it_came_back_from_slowly_is_followed),
		cmocka_unit_test(a_load_that_climbs_by_stairs_climbs_on),
		cmocka_unit_test(what_no_reserve_would_hold_makes_none),
		cmocka_unit_test(a_ripple_is_told),
		cmocka_unit_test(a_climb_is_met_by_its_pace),
		cmocka_unit_test(a_rise_that_uses_up_the_reserve_goes_on),
		cmocka_unit_test(a_rise_like_none_before_takes_most_along),
		cmocka_unit_test(a_climb_like_none_before_is_not_followed_step_by_step),
		cmocka_unit_test(below_the_limit_no_more_fall_than_it_takes),
		cmocka_unit_test(what_is_kept_over_what_was_missed),
		cmocka_unit_test(rises_are_foretold_once_they_have_come_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
