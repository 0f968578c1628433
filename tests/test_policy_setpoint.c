/* Set points that move every few seconds: foretold where they can be, followed by the policy, within the windows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/follow.h"
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
			setpoint_look(sp, (int64_t)at(k), 100 * KW, 400 * KW, 5000, now_ms);
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
	setpoint_look(&sp, POLICY_NONE, 0, 0, 5000, 1000000);
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
		setpoint_look(&sp, w, 100 * KW, 400 * KW, 5000, now_ms += 250);
	assert_false(setpoint_moves(&sp, now_ms));
	setpoint_look(&sp, POLICY_NONE, 0, 0, 5000, now_ms);
	setpoint_look(&sp, w, 100 * KW, 400 * KW, 5000, now_ms + 250);
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
			setpoint_look(&sp, 500 * KW + (k % 7 == 0 ? rand() % (900 * KW) : 0), 100 * KW, 400 * KW, 5000, now_ms += EVERY_MS);
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
	setpoint_look(&sp, 600 * KW, (int64_t)sp.load_w, 400 * KW, 5000, now_ms += EVERY_MS);
	assert_true(labs(setpoint_leaves_w(&sp, high_w + 50 * KW, 4000, 8000) - high_w) < 5 * KW);
	assert_true(labs(setpoint_leaves_w(&sp, high_w + 50 * KW, 4000, 4000) - low_w) < 5 * KW);
	(void)unused;
}

/* ---- which orders ---- */

enum { FEW = 200 };

/* A fleet at rest half way between its least and its most, beside a load of 100 kW. */
struct few {
	struct policy_setpoint sp;
	struct policy_miner_group group;
	struct policy_conf conf;
	struct miner_track tracks[FEW];
	uint16_t of[FEW];
	int64_t now_ms;
};

static void few_begin(struct few *few, double (*at)(int64_t k), int64_t n)
{
	*few = (struct few){ .group = { .nominal_w = 3500, .partial_w = 1800, .power = { 2000, 2000 }, .wake = { 5000, 5000 } } };
	few->conf = (struct policy_conf){ .miner_groups = &few->group, .n_miner_groups = 1, .miner_group = few->of, .n_miners = FEW };
	few->now_ms = tell(&few->sp, at, n);
	for (int i = 0; i < FEW; i++)
		few->tracks[i] = (struct miner_track){ .phase = PHASE_AWAKE, .drawn_w = 2650, .awake_w = 3500 };
}

static int64_t few_move_w(struct few *few)
{
	return follow_move_w(&few->sp, &few->conf, few->tracks, &few->group.power, few->now_ms);
}

/* All by as much. */
static void few_tell(struct few *few, int64_t move_w)
{
	for (int i = 0; i < FEW; i++) {
		struct miner_track *track = &few->tracks[i];
		track->from_w = track->drawn_w;
		track->to_w = track->drawn_w + (int32_t)(move_w / FEW);
		track->under_way = true;
		track->deed = DEED_POWER;
		track->told_ms = few->now_ms;
	}
}

static void pass(struct few *few, int64_t ms, int64_t setpoint_w)
{
	for (int64_t end_ms = few->now_ms + ms; few->now_ms < end_ms;) {
		few->now_ms += 250;
		setpoint_look(&few->sp, setpoint_w, 100 * KW, fleet_mean_w(&few->conf, few->tracks, few->now_ms, few->now_ms + 1), 5000,
		              few->now_ms);
	}
}

/* Half a kilowatt up and down about 630 kW, which is what load and miners draw. */
static double flat(int64_t k) { return 630e3 + (k % 2 ? 500 : -500); }

static void only_quick_power_follows(void **unused)
{
	struct few few;
	few_begin(&few, flat, 20);
	struct policy_miner_group groups[2] = { few.group, few.group };
	assert_true(follow_may(&few.sp, &few.conf, &few.group.power, few.now_ms));
	assert_false(follow_may(&few.sp, &few.conf, NULL, few.now_ms));
	assert_false(follow_may(&few.sp, &few.conf, &(struct policy_response){ 5000, 3001 }, few.now_ms));
	assert_false(follow_may(&few.sp, &few.conf, &few.group.power, few.now_ms + 120001));
	few.conf.miner_groups = groups;
	few.conf.n_miner_groups = 2;
	groups[1].partial_w = 0;                /* it may only sleep */
	assert_false(follow_may(&few.sp, &few.conf, &few.group.power, few.now_ms));
	(void)unused;
}

static void orders_are_due_twice_a_message(void **unused)
{
	struct few few;
	uint32_t due = 0;
	few_begin(&few, flat, 20);
	follow_is_due(&few.sp, few.now_ms);
	for (int k = 0; k < 10 * EVERY_MS / 250; k++) {
		pass(&few, 250, (int64_t)flat(20 + k / (EVERY_MS / 250)));
		bool is = follow_is_due(&few.sp, few.now_ms);
		assert_true(!is || (few.now_ms - few.sp.told_ms) % (EVERY_MS / 2) == 0);
		due += is;
	}
	assert_int_equal(due, 20);
	(void)unused;
}

/* Told 30 kW more than was to be expected: more than that is ordered, for a quarter of an order shows in the message. The
 * rest goes back half way, unless it was to be expected to go on. */
static void what_was_not_foretold_is_made_up_for(void **unused)
{
	struct few few;
	few_begin(&few, flat, 20);
	pass(&few, 250, 630 * KW);
	assert_true(labs(few_move_w(&few)) < 3 * KW);
	pass(&few, 3750, 630 * KW);
	pass(&few, 250, 660 * KW);
	int64_t up_w = few_move_w(&few);
	assert_in_range(up_w, 36 * KW, 120 * KW);
	few_tell(&few, up_w);
	pass(&few, 2000, 660 * KW);
	int64_t back_w = few_move_w(&few);
	assert_in_range(-back_w, 5 * KW, 90 * KW);
	assert_in_range(up_w + back_w, 10 * KW, 60 * KW);
	(void)unused;
}

/* What is under way is not ordered again. */
static void what_is_under_way_counts(void **unused)
{
	struct few few;
	few_begin(&few, flat, 20);
	pass(&few, 2000, 630 * KW);
	pass(&few, 2000, 650 * KW);
	int64_t before_w = few_move_w(&few);
	assert_in_range(before_w, 10 * KW, 40 * KW);
	few_tell(&few, before_w);
	assert_true(labs(few_move_w(&few)) < 10 * KW);
	(void)unused;
}

/* The site has been seen all along, though it is known only half way that the same was told again. */
static void what_is_told_again_lacks_nothing(void **unused)
{
	struct few few;
	few_begin(&few, flat, 20);
	few.group.power = (struct policy_response){ 500, 500 };
	for (int i = 0; i < 10 * EVERY_MS / 250; i++) {
		pass(&few, 250, 630 * KW);
		assert_true(labs(few_move_w(&few)) < 5 * KW);
	}
	(void)unused;
}

static void an_order_shows_in_shares_that_add_up(void **unused)
{
	const struct policy_response power = { 2000, 2000 };
	assert_true(fabs(response_share(&power, 0, 0, 4000) - 0.25) < 1e-9);
	assert_true(fabs(response_share(&power, 2000, 4000, 8000) - 0.75) < 1e-9);
	assert_true(fabs(response_share(&power, 0, 3000, 4000) - 0.75) < 1e-9);
	assert_true(response_share(&power, 0, 0, 2000) == 0 && response_share(&power, 0, 4000, 9000) == 1);
	assert_true(response_share(&power, 0, 3000, 3000) == 0);
	(void)unused;
}

/* Awake are as many as bear the level and its climb, and fit under its lowest; what lacks already lacks in any case. */
static void the_running_reserve_of_a_set_point(void **unused)
{
	static struct policy_state state;
	struct tracked tracked = { .settled_w = 400 * KW, .raisable_w = 30 * KW, .raisable_soon_w = 10 * KW,
	                           .lowerable_w = 90 * KW, .lowerable_soon_w = 10 * KW };
	memset(&state, 0, sizeof(state));
	for (int k = 0; k < 200; k++)
		spare_see(&state, (k < 100 ? 350 : 400) * KW, 10000, 1 + k * POLICY_SLOT_MS);
	/* It climbed by 50, and 40 are there. */
	assert_in_range(spare_lacking_to_follow_w(&state, &tracked), 5 * KW, 10 * KW);
	/* All at their least power draw 396: those woken would only be sent to sleep again. */
	tracked.lowerable_w = 0;
	tracked.lowerable_soon_w = 4 * KW;
	assert_in_range(spare_lacking_to_follow_w(&state, &tracked), 3 * KW, 4 * KW);
	/* 20 are lacking now. */
	spare_see(&state, 460 * KW, 10000, 1 + 200 * POLICY_SLOT_MS);
	assert_int_equal(spare_lacking_to_follow_w(&state, &tracked), 20 * KW);
	spare_forget(&state);
	spare_see(&state, 300 * KW, 10000, 1 + 201 * POLICY_SLOT_MS);
	assert_int_equal(spare_lacking_to_follow_w(&state, &tracked), -140 * KW);
	(void)unused;
}

/* Told something else every four seconds, about `level_w` by chance and by a few kilowatts, for five minutes. Returns how
 * many went to sleep. */
static uint32_t sleeps_about(int64_t level_w)
{
	struct rig rig;
	uint32_t lot = 7;
	rig_init(&rig, 700 * KW, 40);
	for (int g = 0; g < 2; g++) {
		rig_partial(&rig, g, 1000);
		rig.miner_groups[g].power = (struct policy_response){ 1000, 1000 };
	}
	for (int k = 0; k < 75; k++) {
		lot = lot * 1664525 + 1013904223;
		rig.demand.setpoint_w = level_w + (int64_t)(lot >> 16) % (16 * KW) - 8 * KW;
		rig_run(&rig, EVERY_MS);
	}
	return rig.sleeps;
}

/* All at their least power draw 40 kW: what lacks then is borne for as long as one that sleeps would be missed. */
static void little_beyond_the_least_power_is_borne(void **unused)
{
	uint32_t within = sleeps_about(748 * KW), beyond = sleeps_about(742 * KW), far = sleeps_about(700 * KW);
	printf("%u went to sleep for 748 kW, %u for 742 kW, %u for 700 kW\n", within, beyond, far);
	assert_int_equal(within, 0);
	assert_in_range(beyond, 0, 7);
	assert_in_range(far, 30, 50);
	(void)unused;
}

/* ---- the policy in virtual time ---- */

static void an_hour_of_set_points_is_followed_by(const char *fleet, double permille, double cycles)
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
	assert_true(score.error_permille < permille);
	assert_true(score.cycles < cycles);
	assert_true(score.over_s == 0);
	fast_run_free(&run);
	limits_free(&limits);
	fast_case_free(&played);
	free(file);
}

static void an_hour_of_set_points_is_followed(void **unused)
{
	/* 1.5 % is asked for, 3 % is the rule; a third of that is to be had. */
	an_hour_of_set_points_is_followed_by("fast", 5, 22);
	/* Half of a mixed fleet wakes in two minutes; the other half follows, and does as well alone. */
	an_hour_of_set_points_is_followed_by("mixed", 5, 22);
	an_hour_of_set_points_is_followed_by("slow", 23, 27);
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
		cmocka_unit_test(only_quick_power_follows),
		cmocka_unit_test(orders_are_due_twice_a_message),
		cmocka_unit_test(what_was_not_foretold_is_made_up_for),
		cmocka_unit_test(what_is_under_way_counts),
		cmocka_unit_test(what_is_told_again_lacks_nothing),
		cmocka_unit_test(an_order_shows_in_shares_that_add_up),
		cmocka_unit_test(the_running_reserve_of_a_set_point),
		cmocka_unit_test(little_beyond_the_least_power_is_borne),
		cmocka_unit_test(an_hour_of_set_points_is_followed),
		cmocka_unit_test(windows_hold_on_the_meter),
		cmocka_unit_test(a_ramp_holds_in_any_minute),
		cmocka_unit_test(no_shed_waits_for_a_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
