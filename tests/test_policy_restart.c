/* After a restart: what the load has shown before is kept free, and miners that are not heard from yet are no reason to shed. */
#include "policy/foretell.h"
#include "policy/internal.h"
#include "tests/policy_play.h"

#define FOUND_MS (6 * SEC)      /* within so long all miners have answered */

/* Up by 80 kW in one step, every five minutes, for two. */
static int64_t jobs(int64_t ms)
{
	return (ms % (5 * MIN) < 3 * MIN ? 700 : 780) * KW;
}

static int64_t at_the_top(int64_t ms)
{
	(void)ms;
	return 780 * KW;
}

static void forget(struct rig *rig)
{
	memset(&rig->state, 0, sizeof rig->state);
	memset(rig->tracks, 0, sizeof rig->tracks);
	memset(rig->seen, 0, sizeof rig->seen);
	memset(rig->meters, 0, sizeof rig->meters);
	rig->sleeps = rig->wakes = rig->powers = 0;
}

static void restart(struct rig *rig, int64_t away_ms)
{
	struct policy_shown shown;
	policy_keep_shown(&rig->state, rig->conf.cap_w, &shown);
	forget(rig);
	rig->now_ms += away_ms;
	policy_recall_shown(&rig->state, &shown, rig->conf.cap_w, away_ms);
}

/* So many are heard from, in no order. */
static void step_with(struct rig *rig, int64_t n_heard, int64_t gpus_w)
{
	rig->now_ms += RIG_STEP_MS;
	rig->gpus_w = gpus_w;
	rig_read(rig);
	for (int64_t n = n_heard; n < RIG_MINERS; n++)
		rig->seen[n * 29 % RIG_MINERS].reading = (struct miner_reading){ 0 };
	rig_decide(rig);
}

/* Miners answer one after the other. */
static void find(struct play *play, course *gpus)
{
	for (int64_t ms = RIG_STEP_MS; ms <= FOUND_MS; ms += RIG_STEP_MS)
		step_with(&play->rig, RIG_MINERS * ms / FOUND_MS, gpus(ms));
}

static void show(struct play *play, struct policy_shown *shown)
{
	open_play(play, 700 * KW);
	run(play, jobs, 0, 61 * MIN);
	policy_keep_shown(&play->rig.state, RIG_CAP_W, shown);
}

static void what_came_before_does_not_exceed_after(void **unused)
{
	struct play play;
	for (int recalls = 0; recalls < 2; recalls++) {
		open_play(&play, 700 * KW);
		run(&play, jobs, 0, 61 * MIN);
		if (recalls)
			restart(&play.rig, 5 * SEC);
		else
			forget(&play.rig);
		run(&play, jobs, 61 * MIN, 65 * MIN);
		assert_true(recalls ? !play.over_ms : play.over_ms > SEC);
	}
	assert_in_range(play.rig.out.picture.rise_w, 80 * KW, 90 * KW);
	assert_int_equal(play.rig.out.picture.peak_w, 820 * KW);
	run(&play, jobs, 65 * MIN, 125 * MIN);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

/* Down by 80 kW for 50 s, every two minutes. */
static int64_t dips(int64_t ms)
{
	return (ms % (2 * MIN) < 70 * SEC ? 780 : 700) * KW;
}

/* A minute's highest load is planned for, and little is kept free over that. After a restart a dip may have begun before. */
static void a_dip_may_end_right_after(void **unused)
{
	struct play play;
	open_play(&play, 700 * KW);
	run(&play, dips, 0, 63 * MIN + 15 * SEC);
	restart(&play.rig, 5 * SEC);
	run(&play, dips, 63 * MIN + 20 * SEC, 70 * MIN);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

/* How long the peak has stood is known as well: no more is kept free beyond it than before. */
static void a_peak_goes_on_standing(void **unused)
{
	struct play play;
	open_play(&play, 700 * KW);
	run(&play, jobs, 0, 64 * MIN);
	int64_t before_w = play.rig.out.picture.reserve_w - play.rig.out.picture.swing_w;
	assert_in_range(before_w, 3 * KW, 5 * KW);
	restart(&play.rig, 5 * SEC);
	run(&play, jobs, 64 * MIN + 5 * SEC, 64 * MIN + 45 * SEC);
	assert_in_range(play.rig.out.picture.reserve_w - play.rig.out.picture.swing_w, 3 * KW, before_w + KW);
	(void)unused;
}

/* A reload takes awake miners out that go on drawing, or puts some in that were there before: that is no rise, nor a fall, of the
 * load, and what it showed before is known. */
static void other_miners_are_no_move_of_the_load(void **unused)
{
	struct play play;
	open_play(&play, 700 * KW);
	run(&play, jobs, 0, 31 * MIN);
	struct rig *rig = &play.rig;
	int64_t shown_w = rig->state.holds[0].reserve_w;
	for (int turn = 0; turn < 2; turn++) {
		bool out = turn == 0;
		int64_t before_w = rig_miners_w(rig);
		rig->conf.n_miners = out ? 20 : RIG_MINERS;
		rig->house_w = HOUSE_W + (out ? before_w - rig_miners_w(rig) : 0);
		policy_change_miners(&rig->state, RIG_CAP_W);
		run(&play, jobs, 35 * MIN, 38 * MIN);
		assert_int_equal(rig->state.holds[0].reserve_w, shown_w);
		assert_true(rig->state.stairs.largest_w < KW);
	}
	(void)unused;
}

static void what_is_hours_old_is_forgotten(void **unused)
{
	struct play play;
	struct policy_shown shown;
	show(&play, &shown);
	struct policy_state later = { 0 }, much_later = { 0 }, fresh = { 0 };
	assert_int_equal(policy_recall_shown(&later, &shown, RIG_CAP_W, 170 * MIN), 820 * KW);
	assert_int_equal(later.n_peak_slots, (shown.n_peak_slots + 170 * 120) % (20 * 120));
	assert_int_equal(policy_recall_shown(&much_later, &shown, RIG_CAP_W, 250 * MIN), 0);
	assert_memory_equal(&much_later, &fresh, sizeof fresh);
	policy_keep_shown(&fresh, RIG_CAP_W, &shown);           /* nothing was seen */
	assert_int_equal(policy_recall_shown(&much_later, &shown, RIG_CAP_W, 0), 0);
	assert_memory_equal(&much_later, &fresh, sizeof fresh);
	(void)unused;
}

/* A site may feed in, and miners that are not heard from make a load look smaller than it is. */
static void a_load_below_nothing_is_not_known(void **unused)
{
	struct policy_state was = { .peaks_w = { -5 * KW, 300 * KW } }, is = { 0 };
	struct policy_shown shown;
	policy_keep_shown(&was, RIG_CAP_W, &shown);
	assert_int_equal(shown.peaks_w[0], 0);
	assert_int_equal(policy_recall_shown(&is, &shown, RIG_CAP_W, 0), 300 * KW);
	(void)unused;
}

static void rises_are_watts_whatever_the_cap(void **unused)
{
	struct play play;
	struct policy_shown shown;
	show(&play, &shown);
	for (int64_t cap_w = 800 * KW; cap_w <= 1200 * KW; cap_w += 100 * KW) {
		struct policy_state state = { 0 }, reloaded = play.rig.state;
		policy_recall_shown(&state, &shown, cap_w, 0);
		policy_change_cap(&reloaded, RIG_CAP_W, cap_w);
		for (uint32_t h = 0; h <= HOLD_LONGEST; h++) {
			int64_t was_w = play.rig.state.holds[h].reserve_w, is_w = state.holds[h].reserve_w;
			assert_in_range(is_w, was_w * (cap_w == RIG_CAP_W ? 1000 : 920) / 1000, was_w * 1085 / 1000);
			assert_true(cap_w != RIG_CAP_W || is_w == was_w);
			assert_in_range(reloaded.holds[h].reserve_w, is_w * 99 / 100, is_w * 101 / 100);
		}
	}
	(void)unused;
}

static void every_rise_is_kept_but_the_rarest(void **unused)
{
	struct policy_state was = { .peaks_w = { 800 * KW } }, is = { 0 };
	struct policy_shown shown;
	was.holds[0].rises[0] = 7.5;
	was.holds[0].rises[41] = 0.5;
	was.holds[HOLD_EASED].rises[POLICY_RISES - 1] = 2;
	was.holds[HOLD_EASED].rises[1] = 1e-4;
	policy_keep_shown(&was, RIG_CAP_W, &shown);
	policy_recall_shown(&is, &shown, RIG_CAP_W, 0);
	was.holds[HOLD_EASED].rises[1] = 0;
	for (uint32_t h = 0; h < POLICY_HOLDS; h++)
		assert_memory_equal(is.holds[h].rises, was.holds[h].rises, sizeof was.holds[h].rises);
	(void)unused;
}

/* What foretelling missed by is kept free after a restart, too, though it begins anew. */
static void what_was_foretold_wrong_is_known(void **unused)
{
	struct policy_state was = { .peaks_w = { 800 * KW } }, is = { 0 };
	struct policy_shown shown;
	was.foretell.filters[FORETELL_DIPS].missed_w = 70000;
	was.foretell.filters[FORETELL_FLAT].came_w = 90000;
	policy_keep_shown(&was, RIG_CAP_W, &shown);
	policy_recall_shown(&is, &shown, RIG_CAP_W, 0);
	assert_int_equal(foretell_missed_w(&is.foretell, FORETELL_DIPS), 70000);
	assert_int_equal(foretell_missed_w(&is.foretell, FORETELL_FLAT), 90000);
	(void)unused;
}

/* Most of them sleep under the load's peak. That is not known at once, and the load seems as much lower: neither is that a
 * reason to keep free what it would then rise by, nor does it rise when they are found. */
static void miners_not_heard_from_are_no_reason_to_shed(void **unused)
{
	struct play play;
	open_play(&play, 700 * KW);
	run(&play, jobs, 0, 64 * MIN);
	int64_t drawn_w = rig_miners_w(&play.rig);
	assert_true(drawn_w > 140 * KW && drawn_w < 180 * KW);
	play.rig.conf.cap_w = 900 * KW;         /* since an hour ago, say */
	run(&play, at_the_top, 0, 20 * MIN);
	drawn_w = rig_miners_w(&play.rig);
	assert_true(drawn_w > 30 * KW && drawn_w < 80 * KW);
	restart(&play.rig, 5 * SEC);
	find(&play, at_the_top);
	run(&play, at_the_top, 0, 10 * SEC);
	assert_true(play.rig.sleeps <= 5);
	assert_true(rig_miners_w(&play.rig) >= drawn_w - 15 * KW);
	(void)unused;
}

/* For the reserve less power will do, as soon as the others are found: until then nobody sleeps for it. */
static void nobody_sleeps_before_all_are_heard(void **unused)
{
	static struct play play;
	open_play(&play, 700 * KW);
	rig_partial(&play.rig, 0, RIG_MINER_W / 3);
	rig_partial(&play.rig, 1, RIG_MINER_W / 3);
	run(&play, jobs, 0, 64 * MIN);
	restart(&play.rig, 5 * SEC);
	play.rig.conf.reserve_w = 100 * KW;
	find(&play, at_the_top);
	run(&play, at_the_top, 0, 20 * SEC);
	assert_int_equal(play.rig.sleeps, 0);
	assert_true(play.rig.powers > 5);
	assert_true(rig_miners_w(&play.rig) + 820 * KW <= RIG_CAP_W - 99 * KW);
	(void)unused;
}

/* Who does not answer at all counts as awake, as ever; and the reserve is whole. */
static void nobody_is_waited_for_for_long(void **unused)
{
	struct play play;
	struct policy_shown shown;
	show(&play, &shown);
	restart(&play.rig, 5 * SEC);
	for (int64_t ms = 0; ms < 45 * SEC; ms += RIG_STEP_MS) {
		int64_t reserve_w = play.rig.out.picture.reserve_w;
		step_with(&play.rig, RIG_MINERS - 20, 700 * KW);
		if (ms > SEC && ms < 29 * SEC)
			assert_in_range(reserve_w, 22 * KW, 50 * KW);
		if (ms > 31 * SEC)
			assert_in_range(reserve_w, 80 * KW, 90 * KW);
	}
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_before_does_not_exceed_after),
		cmocka_unit_test(a_dip_may_end_right_after),
		cmocka_unit_test(a_peak_goes_on_standing),
		cmocka_unit_test(other_miners_are_no_move_of_the_load),
		cmocka_unit_test(what_is_hours_old_is_forgotten),
		cmocka_unit_test(a_load_below_nothing_is_not_known),
		cmocka_unit_test(rises_are_watts_whatever_the_cap),
		cmocka_unit_test(every_rise_is_kept_but_the_rarest),
		cmocka_unit_test(what_was_foretold_wrong_is_known),
		cmocka_unit_test(miners_not_heard_from_are_no_reason_to_shed),
		cmocka_unit_test(nobody_sleeps_before_all_are_heard),
		cmocka_unit_test(nobody_is_waited_for_for_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
