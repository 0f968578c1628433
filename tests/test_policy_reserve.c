/* The reserve that learns: what the load has shown is kept free, no more and no longer than it takes. */
#include <math.h>

#include "tests/policy_says.h"

#define KW 1000
#define SEC 1000
#define MIN 60000
#define HOUSE_W (40 * KW)

typedef int64_t course(int64_t ms);     /* what the GPUs draw */

struct play { struct rig rig; int64_t over_ms; uint32_t moves; };

static void open_play(struct play *play, int64_t gpus_w)
{
	*play = (struct play){ 0 };
	rig_init(&play->rig, gpus_w, RIG_MINERS);
	play->rig.house_w = HOUSE_W;
	play->rig.conf.reserve_w = POLICY_NONE;
}

static void open_partial_play(struct play *play, int64_t gpus_w, enum prefer prefer)
{
	open_play(play, gpus_w);
	rig_partial(&play->rig, 0, 1000);
	rig_partial(&play->rig, 1, 1000);
	play->rig.conf.prefer = prefer;
}

static void run(struct play *play, course *gpus, int64_t from_ms, int64_t to_ms)
{
	play->over_ms = play->moves = 0;
	for (int64_t ms = from_ms; ms < to_ms; ms += RIG_STEP_MS) {
		play->rig.gpus_w = gpus(ms);
		rig_step(&play->rig);
		play->over_ms += play->rig.gpus_w + HOUSE_W + rig_miners_w(&play->rig) > RIG_CAP_W ? RIG_STEP_MS : 0;
		play->moves += play->rig.out.n_commands;
	}
}

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
	run(&play, at_rest, 0, 30 * MIN);
	assert_in_range(play.rig.out.picture.rise_w, 75 * KW, 90 * KW);
	/* At the top of all it has shown not much more is to be expected. */
	assert_in_range(play.rig.out.picture.reserve_w, 10 * KW, 15 * KW);
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

/* Waves of some minutes, and of 46 s: cheap to fill. */
static int64_t waves(int64_t ms)
{
	double t = (double)ms / SEC;
	return (int64_t)(800 * KW + 60 * KW * sin(t / 30) + 20 * KW * sin(t / 7.3));
}

/* Slower ones, and every 97 s a dip that is gone in an instant: dear. */
static int64_t waves_and_dips(int64_t ms)
{
	double t = (double)ms / SEC;
	return (int64_t)(780 * KW + 60 * KW * sin(t / 60) - (ms / SEC % 97 < 40 ? 60 * KW : 0));
}

struct held { double rms_w, miners_w; };        /* after 20 minutes: of the site about its mean; on average */

static struct held held_by(course *gpus, enum prefer prefer)
{
	struct play play;
	double sum = 0, squares = 0, miners_w = 0, n = 0;
	open_partial_play(&play, 800 * KW, prefer);
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
	struct held balanced = held_by(waves, PREFER_BALANCED), hash = held_by(waves, PREFER_HASH);
	assert_true(balanced.rms_w < 0.7 * hash.rms_w);
	balanced = held_by(waves_and_dips, PREFER_BALANCED);
	struct held flat = held_by(waves_and_dips, PREFER_FLAT);
	assert_true(flat.rms_w < 0.8 * balanced.rms_w);
	assert_true(flat.miners_w < 0.95 * balanced.miners_w && flat.miners_w > 0.7 * balanced.miners_w);
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
	open_partial_play(&play, 820 * KW, PREFER_FLAT);
	run(&play, plateaus, 0, 20 * MIN);
	uint32_t sleeps = play.rig.sleeps;
	run(&play, plateaus, 20 * MIN, 40 * MIN);
	assert_int_equal(play.rig.sleeps, sleeps);
	assert_int_equal(play.over_ms, 0);
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
	open_partial_play(&play, 800 * KW, PREFER_FLAT);
	run(&play, climb, 0, 22 * MIN);
	assert_int_equal(play.rig.out.picture.hold_ms, 0);
	run(&play, climb, 22 * MIN, 23 * MIN);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

/* Anywhere within 40 kW, somewhere else every 5 s, for ever. */
static int64_t restless(int64_t ms)
{
	int64_t n = ms / (5 * SEC), from_w = dice_w(n, 40 * KW);
	return 870 * KW + from_w + (dice_w(n + 1, 40 * KW) - from_w) * (ms % (5 * SEC)) / (5 * SEC);
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
	return step_up(ms, 6 * KW);
}

static int64_t larger_step(int64_t ms)
{
	return step_up(ms, 12 * KW);
}

static int64_t step_down(int64_t ms)
{
	return step_up(ms, -15 * KW);
}

/* Until all that is awake can only sleep, for a reserve that is known. Returns how many have been put to sleep. */
static uint32_t open_restless_play(struct play *play, course *gpus)
{
	open_partial_play(play, 890 * KW, PREFER_FLAT);
	rig_partial(&play->rig, 0, RIG_MINER_W - 100);
	rig_partial(&play->rig, 1, RIG_MINER_W - 100);
	run(play, gpus, 0, 14 * MIN);
	assert_in_range(play->rig.out.picture.reserve_w, 24 * KW, 28 * KW);
	assert_in_range(play->rig.out.picture.settled_miners_w, 45 * KW, 49 * KW);
	return play->rig.sleeps;
}

/* A sleep and the wake after it take longer than many a rise lasts: the reserve is there for those. */
static void a_quarter_of_the_reserve_is_borne_for_as_long_as_a_wake_takes(void **unused)
{
	struct play play;
	uint32_t before = open_restless_play(&play, small_step);
	run(&play, small_step, 14 * MIN, 14 * MIN + SEC);
	assert_in_range(play.rig.out.wanted_miners_w, 0, play.rig.out.picture.settled_miners_w - 5 * KW);
	assert_string_equal(binding_name(play.rig.out.binding), "reserve");
	run(&play, small_step, 14 * MIN + SEC, 14 * MIN + 30 * SEC);
	assert_int_equal(play.rig.sleeps, before);
	run(&play, small_step, 14 * MIN + 30 * SEC, 15 * MIN);
	assert_in_range(play.rig.sleeps, before + 1, before + 3);
	before = open_restless_play(&play, larger_step);
	run(&play, larger_step, 14 * MIN, 14 * MIN + SEC);
	assert_in_range(play.rig.sleeps, before + 4, before + 7);
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
	assert_in_range(play.rig.out.picture.settled_miners_w, 58 * KW, 64 * KW);
	assert_in_range(play.rig.wakes, wakes + 4, wakes + 6);
	assert_int_equal(play.rig.sleeps, sleeps);
	(void)unused;
}

/* What is held of a few seconds rises by more than its small reserve within two of them, as it always did: what counts is
 * how far that is over what was planned for when miners told then would have followed. */
static void what_always_came_is_no_rise_like_none_before(void **unused)
{
	struct play play;
	open_partial_play(&play, 890 * KW, PREFER_BALANCED);
	play.rig.conf.cap_w = RIG_CAP_W + 40 * KW;
	run(&play, restless, 0, 20 * MIN);
	assert_in_range(play.rig.out.picture.hold_ms, 500, 20 * SEC);
	uint32_t sleeps = play.rig.sleeps;
	for (int64_t ms = 20 * MIN; ms < 40 * MIN; ms += RIG_STEP_MS) {
		run(&play, restless, ms, ms + RIG_STEP_MS);
		assert_int_not_equal(play.rig.out.serves, BINDING_RISE);
	}
	assert_in_range(play.rig.sleeps - sleeps, 0, 80);
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
		cmocka_unit_test(what_no_reserve_would_hold_makes_none),
		cmocka_unit_test(a_ripple_is_told),
		cmocka_unit_test(a_climb_is_met_by_its_pace),
		cmocka_unit_test(a_flat_site_is_paid_for_as_preferred),
		cmocka_unit_test(what_was_foretold_is_no_news),
		cmocka_unit_test(a_rise_that_uses_up_the_reserve_goes_on),
		cmocka_unit_test(a_rise_like_none_before_takes_most_along),
		cmocka_unit_test(below_the_limit_no_more_fall_than_it_takes),
		cmocka_unit_test(more_is_kept_over_a_load_that_climbs),
		cmocka_unit_test(a_quarter_of_the_reserve_is_borne_for_as_long_as_a_wake_takes),
		cmocka_unit_test(nobody_wakes_for_what_comes_and_goes),
		cmocka_unit_test(what_always_came_is_no_rise_like_none_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
