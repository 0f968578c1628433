/* Set points that move every few seconds: foretold where they can be, followed by the policy, within the windows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/setpoint.h"
#include "sim/fast_score.h"
#include "tests/policy_says.h"

#define KW 1000
#define EVERY_MS 4000

/* Tells it n set points of `at`, in steps of 250 ms. Returns the last time. */
static int64_t tell(struct policy_setpoint *sp, double (*at)(int64_t k), int64_t n)
{
	int64_t now_ms = 0;
	for (int64_t k = 0; k < n; k++)
		for (int i = 0; i < EVERY_MS / 250; i++, now_ms += 250)
			setpoint_look(sp, (int64_t)at(k), 100 * KW, 5000, now_ms);
	return now_ms - 250;
}

static double waves(int64_t k) { return 500e3 + 100e3 * sin((double)k / 5) + 30e3 * sin((double)k / 3); }
static double still(int64_t k) { return k < 3 ? 400e3 + 1e3 * (double)k : 500e3; }
static double stairs(int64_t k) { return 500e3 + 50e3 * (double)(k / 40 % 3); }
static double jitter(int64_t k) { return 500e3 + 100e3 * ((double)((uint64_t)k * 2654435761u % 1000) / 1000); }
static double zigzag(int64_t k) { return 500e3 + 100e3 * (double)(k % 2); }

static void what_stands_still_does_not_move(void **unused)
{
	struct policy_setpoint sp = { 0 };
	assert_false(setpoint_moves(&sp, 0));
	assert_false(setpoint_moves(&sp, tell(&sp, still, 100)));
	setpoint_look(&sp, POLICY_NONE, 0, 5000, 1000000);
	assert_false(setpoint_moves(&sp, 1000000));
	(void)unused;
}

static void a_signal_at_its_stop_moves_for_two_minutes(void **unused)
{
	struct policy_setpoint sp = { 0 };
	int64_t now_ms = tell(&sp, waves, 100);
	int64_t w = sp.told_w;
	assert_true(setpoint_moves(&sp, now_ms));
	for (int i = 0; i < 480; i++)
		setpoint_look(&sp, w, 100 * KW, 5000, now_ms += 250);
	assert_false(setpoint_moves(&sp, now_ms));
	setpoint_look(&sp, POLICY_NONE, 0, 5000, now_ms);
	setpoint_look(&sp, w, 100 * KW, 5000, now_ms + 250);
	assert_int_equal(sp.n, 0);
	(void)unused;
}

static void what_repeats_is_foretold(void **unused)
{
	struct policy_setpoint sp = { 0 };
	tell(&sp, waves, 300);
	assert_in_range(sp.every_ms, 3990, 4010);
	assert_true(fabs((double)setpoint_ahead_w(&sp, 4000) - waves(300)) < 1e3);
	assert_true(fabs((double)setpoint_ahead_w(&sp, 8000) - waves(301)) < 3e3);
	assert_int_equal(setpoint_ahead_w(&sp, 1000), setpoint_ahead_w(&sp, 4000));     /* no nearer than the next */
	/* One that comes and goes every time: up ahead of the next, which is high, and told again to be low after that. */
	struct policy_setpoint zig = { 0 };
	tell(&zig, zigzag, 101);
	assert_true(labs(setpoint_ahead_w(&zig, 4000) - 600 * KW) < 2 * KW);
	assert_true(labs(setpoint_ahead_w(&zig, 8000) - 500 * KW) < 4 * KW);
	(void)unused;
}

static void what_cannot_be_foretold_is_taken_as_told(void **unused)
{
	struct policy_setpoint steps = { 0 }, few = { 0 };
	tell(&steps, stairs, 300);
	assert_int_equal(setpoint_ahead_w(&steps, 4000), steps.told_w);
	tell(&few, waves, 20);                  /* too soon to trust */
	assert_int_equal(setpoint_ahead_w(&few, 4000), few.told_w);
	(void)unused;
}

/* Whatever it was told, what is foretold lies no further than the largest move of late, a message. */
static void no_forecast_runs_away(void **unused)
{
	double (*const signals[])(int64_t) = { waves, stairs, jitter, zigzag };
	for (size_t s = 0; s < sizeof(signals) / sizeof(*signals); s++) {
		struct policy_setpoint sp = { 0 };
		int64_t now_ms = tell(&sp, signals[s], 2000);
		for (int k = 0; k < 300; k++) {
			setpoint_look(&sp, 500 * KW + (k % 7 == 0 ? rand() % (900 * KW) : 0), 100 * KW, 5000, now_ms += EVERY_MS);
			for (int h = 1; h < POLICY_AHEAD; h++)
				assert_true(labs(setpoint_ahead_w(&sp, h * EVERY_MS) - sp.told_w) <= h * (int64_t)sp.largest_w + 1);
		}
	}
	(void)unused;
}

static void what_is_wanted_again_soon_does_not_go(void **unused)
{
	struct policy_setpoint sp = { 0 };
	int64_t now_ms = tell(&sp, zigzag, 101);        /* told 500; 600 comes next, then 500 */
	assert_true(setpoint_moves(&sp, now_ms));
	int64_t load_w = (int64_t)sp.load_w, high_w = 600 * KW - load_w, low_w = 500 * KW - load_w;
	/* Both ways as quick as a message: heads for 600. */
	assert_true(labs(setpoint_leaves_w(&sp, low_w, 4000, 4000) - high_w) < 3 * KW);
	/* Waking takes two: those that are low by then need not wake, those that are high need not go. */
	assert_true(labs(setpoint_leaves_w(&sp, low_w, 4000, 8000) - low_w) < 5 * KW);
	assert_true(labs(setpoint_leaves_w(&sp, high_w, 4000, 8000) - high_w) < 5 * KW);
	/* More than either goes at once. */
	assert_true(labs(setpoint_leaves_w(&sp, high_w + 50 * KW, 4000, 8000) - high_w) < 5 * KW);
	/* Told 600: 500 comes next, for too short a time to be back at 600 after it. */
	setpoint_look(&sp, 600 * KW, (int64_t)sp.load_w, 5000, now_ms += EVERY_MS);
	assert_true(labs(setpoint_leaves_w(&sp, high_w + 50 * KW, 4000, 8000) - high_w) < 5 * KW);
	assert_true(labs(setpoint_leaves_w(&sp, high_w + 50 * KW, 4000, 4000) - low_w) < 5 * KW);
	(void)unused;
}

/* ---- the policy in virtual time ---- */

/* Half of a mixed fleet wakes in two minutes; the other half follows, and does as well alone. */
static void an_hour_of_set_points_is_followed_by(const char *fleet)
{
	struct fast_file *file = malloc(sizeof(*file));
	struct fast_case played;
	struct fast_run run;
	struct fast_score score;
	struct limits limits;
	char why[200];
	const struct fast_wear lifted = { 0 };
	assert_non_null(file);
	assert_int_equal(fast_file_read(file, "sim/scenarios/setpoint-ercot.txt", why, sizeof(why)), 0);
	size_t small = file->n_fleets - 1;
	assert_int_equal(file->fleets[small].n, 300);
	snprintf(file->fleets[small].kind, sizeof(file->fleets[small].kind), "%s", fleet);
	assert_int_equal(fast_case_make(&played, file, small, ".", why, sizeof(why)), 0);
	limits_make(&limits, &played);
	fast_run(&played, FAST_POLICY, &lifted, &run);
	fast_score(&played, &limits, &run, &score);
	/* 1.5 % is asked for, 3 % is the rule; with a miner of 0.5 % of the set point half of it is to be had. */
	assert_true(score.error_permille < 8);
	assert_true(score.over_s == 0);
	fast_run_free(&run);
	limits_free(&limits);
	fast_case_free(&played);
	free(file);
}

static void an_hour_of_set_points_is_followed(void **unused)
{
	an_hour_of_set_points_is_followed_by("fast");
	an_hour_of_set_points_is_followed_by("mixed");
	(void)unused;
}

static int64_t largest_change_w(const int64_t *draw_w, int64_t n, int64_t within)
{
	int64_t most_w = 0;
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = i - within < 0 ? 0 : i - within; k < i; k++)
			most_w = labs(draw_w[i] - draw_w[k]) > most_w ? labs(draw_w[i] - draw_w[k]) : most_w;
	return most_w;
}

/* A set point that jumps by half of the fleet every minute: what the meter sees stays within both windows. */
static void windows_hold_on_the_meter(void **unused)
{
	enum { STEPS = 600000 / RIG_STEP_MS };
	static int64_t draw_w[STEPS];
	static struct rig rig;
	uint32_t bound = 0;
	begin(&rig, RIG_MINERS);
	rig.conf.windows[0] = (struct policy_window){ 15000, 45 * KW };
	rig.conf.windows[1] = (struct policy_window){ 5000, 20 * KW };
	rig.conf.n_windows = 2;
	for (int64_t i = 0; i < STEPS; i++) {
		rig.demand.setpoint_w = i * RIG_STEP_MS / 60000 % 2 ? ROOM_W : ROOM_W - 96 * KW;
		rig_step(&rig);
		draw_w[i] = rig_miners_w(&rig);
		bound += rig.out.binding == BINDING_WINDOW;
		if (rig.out.n_commands && rig.out.binding == BINDING_WINDOW)
			assert_true(rig.out.reason != REASON_CAP);
	}
	assert_true(bound > 10);
	assert_true(rig.sleeps > 100 && rig.wakes > 100);
	assert_true(largest_change_w(draw_w, STEPS, 5000 / RIG_STEP_MS) <= 20 * KW);
	assert_true(largest_change_w(draw_w, STEPS, 15000 / RIG_STEP_MS) <= 45 * KW);
	/* Neither is kept by moving little. */
	assert_true(largest_change_w(draw_w, STEPS, 15000 / RIG_STEP_MS) >= 36 * KW);
	(void)unused;
}

/* What was saved up while nothing moved does not come on top. */
static void a_ramp_holds_in_any_minute(void **unused)
{
	enum { STEPS = 900000 / RIG_STEP_MS };
	static int64_t draw_w[STEPS];
	static struct rig rig;
	begin(&rig, RIG_MINERS);
	rig.conf.ramp_up_w_per_min = rig.conf.ramp_down_w_per_min = 36 * KW;
	for (int64_t i = 0; i < STEPS; i++) {
		rig.demand.setpoint_w = i * RIG_STEP_MS / 300000 % 2 ? ROOM_W : ROOM_W - 120 * KW;
		rig_step(&rig);
		draw_w[i] = rig_miners_w(&rig);
	}
	assert_true(rig.sleeps >= 80 && rig.wakes >= 40);       /* all the way within five minutes */
	assert_in_range(largest_change_w(draw_w, STEPS, 60000 / RIG_STEP_MS), 33 * KW, 36 * KW);
	(void)unused;
}

static void no_shed_waits_for_a_window(void **unused)
{
	struct rig rig;
	begin(&rig, RIG_MINERS);
	rig.conf.windows[0] = (struct policy_window){ 15000, 10 * KW };
	rig.conf.n_windows = 1;
	rig.gpus_w += 100 * KW;
	rig_step(&rig);
	assert_true(moved_w(&rig) <= -80 * KW);
	assert_int_equal(rig.out.reason, REASON_CAP);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stands_still_does_not_move),
		cmocka_unit_test(a_signal_at_its_stop_moves_for_two_minutes),
		cmocka_unit_test(what_repeats_is_foretold),
		cmocka_unit_test(what_cannot_be_foretold_is_taken_as_told),
		cmocka_unit_test(no_forecast_runs_away),
		cmocka_unit_test(what_is_wanted_again_soon_does_not_go),
		cmocka_unit_test(an_hour_of_set_points_is_followed),
		cmocka_unit_test(windows_hold_on_the_meter),
		cmocka_unit_test(a_ramp_holds_in_any_minute),
		cmocka_unit_test(no_shed_waits_for_a_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
