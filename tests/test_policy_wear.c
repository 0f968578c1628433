/* The control law by example: what is moved on purpose keeps to wear and ramps, what must be is not held up by them. */
#include "tests/policy_says.h"

#define KW 1000
#define ALL RIG_MINERS

static void wear_delays_a_target_not_a_limit(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	for (int g = 0; g < 2; g++)
		rig.miner_groups[g].min_awake_ms = 100000;
	for (uint32_t m = 0; m < ALL; m++)
		rig.tracks[m].settled_ms = rig.now_ms;
	rig.conf.target_w = 950 * KW;
	rig_step(&rig);
	assert_nothing(&rig);
	assert_int_equal(rig.out.binding, BINDING_MIN_AWAKE);
	assert_int_equal(rig.out.wanted_miners_w, 162 * KW);
	rig_run(&rig, 99500);
	assert_int_equal(rig.sleeps, 0);
	rig_step(&rig);
	assert_did(&rig, -30 * KW, REASON_STARTUP, BINDING_TARGET);
	for (uint32_t m = 0; m < ALL; m++)
		rig.tracks[m].settled_ms = rig.now_ms;
	rig.demand.limit_w = rig.demand.limit_soon_w = 900 * KW;
	rig_step(&rig);
	assert_did(&rig, -72 * KW, REASON_EVENT, BINDING_LIMIT);
	(void)unused;
}

static void a_day_has_only_so_many_cycles(void **unused)
{
	struct rig rig;
	begin(&rig, 1);
	rig.miner_groups[0].cycles_per_day = 8;         /* a quarter of them at once, the other six over the day */
	for (uint32_t m = 1; m < ALL; m++)
		rig.miners[m].stubborn = true;
	for (int cycle = 0; cycle < 3; cycle++) {
		rig.conf.target_w = 975 * KW;
		rig_run(&rig, 80000);
		rig.conf.target_w = POLICY_NONE;
		rig_run(&rig, 80000);
	}
	assert_int_equal(rig.sleeps, 2);
	rig.conf.target_w = 975 * KW;
	rig_step(&rig);
	assert_int_equal(rig.out.binding, BINDING_CYCLES);
	rig.now_ms += 4 * 3600000;              /* one is paid for */
	rig_run(&rig, 500);
	assert_int_equal(rig.sleeps, 3);
	(void)unused;
}

/* Sheds ask for no cycles and take them all the same; but a day later they are forgiven, however many there were. */
static void sheds_are_held_against_nobody_for_longer_than_a_day(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	for (int g = 0; g < 2; g++)
		rig.miner_groups[g].cycles_per_day = 12;
	for (int k = 0; k < 40; k++) {
		rig.demand.miners_w = 0;
		rig.demand.shed = true;
		rig_run(&rig, 60000);
		rig.demand = rig_no_demand();
		rig_run(&rig, 120000);
	}
	assert_int_equal(rig.sleeps, 40 * ALL);
	assert_int_equal(track_cycles_left_milli(&rig.miner_groups[0], &rig.tracks[0], rig.now_ms), 0);
	rig.conf.target_w = 950 * KW;
	rig_run(&rig, 10000);
	assert_int_equal(rig.sleeps, 40 * ALL);
	assert_int_equal(rig.out.binding, BINDING_CYCLES);
	rig.now_ms += 24 * 3600000;
	rig_run(&rig, 10000);
	assert_int_equal(rig.sleeps, 40 * ALL + 10);
	assert_int_equal(track_cycles_left_milli(&rig.miner_groups[0], &rig.tracks[ALL - 1], rig.now_ms), 3000);
	(void)unused;
}

static void min_asleep_delays_a_wake(void **unused)
{
	struct rig rig;
	begin(&rig, 10);
	rig.miner_groups[0].min_asleep_ms = 200000;
	rig.miners[40].mute = true;             /* those of the other half are not in the way */
	for (uint32_t m = 10; m < ALL; m++)
		rig.miners[m].stubborn = true;
	rig.gpus_w += 30 * KW;
	rig_run(&rig, 10000);
	assert_int_equal(rig.sleeps, 10);
	rig.gpus_w -= 30 * KW;
	rig_run(&rig, 150000);
	assert_nothing(&rig);
	assert_int_equal(rig.out.binding, BINDING_MIN_ASLEEP);
	rig_run(&rig, 60000);
	assert_int_equal(rig.wakes, 10);
	(void)unused;
}

static void ramps_pace_what_is_done_on_purpose(void **unused)
{
	static const struct { bool up, by_setpoint; enum binding binding; } rows[] = {
		{ true, false, BINDING_RAMP_UP }, { true, true, BINDING_RAMP_UP },
		{ false, false, BINDING_RAMP_DOWN }, { false, true, BINDING_RAMP_DOWN },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		rig_init(&rig, 700 * KW, rows[i].up ? 0 : ALL);
		rig.conf.target_w = rows[i].up ? 700 * KW : ROOM_W;
		rig_run(&rig, 75000);
		if (rows[i].by_setpoint)
			rig.demand.setpoint_ramp_w_per_min = 12 * KW;
		else
			rig.conf.ramp_up_w_per_min = rig.conf.ramp_down_w_per_min = 12 * KW;
		rig_run(&rig, 500);
		rig.conf.target_w = rows[i].up ? 880 * KW : 700 * KW;
		rig_step(&rig);
		assert_int_equal(rig.out.binding, rows[i].binding);
		rig_run(&rig, 120000);          /* 24 kW, and what was saved up: 15 s of it or two miners, whichever is more */
		assert_in_range(rows[i].up ? rig.wakes : rig.sleeps, 8, 10);
		uint32_t before = rig.sleeps;
		rig.gpus_w += 200 * KW;         /* and a shed knows no ramp */
		rig_step(&rig);
		if (!rows[i].up)
			assert_in_range(rig.sleeps - before, 24, 42);
	}
	(void)unused;
}

/* 200 W a minute is less than a watt a step. */
static void a_slow_ramp_is_not_lost_in_short_steps(void **unused)
{
	struct rig rig;
	begin(&rig, 10);
	rig.conf.ramp_up_w_per_min = 200;
	rig.gpus_w -= 100 * KW;
	rig_run(&rig, 3600000);
	assert_in_range(rig.wakes, 3, 6);       /* two of them at once */
	(void)unused;
}

/* What climbs faster than miners may be moved uses up the reserve; where half of it is gone they fall as for a shed, before the
 * site is over its cap. */
static void neither_ramp_nor_window_lets_a_climb_cross_the_cap(void **unused)
{
	for (int by_window = 0; by_window < 2; by_window++) {
		struct rig rig;
		rig_init(&rig, ROOM_W - 50 * RIG_MINER_W, 50);
		if (by_window)
			rig.conf.windows[rig.conf.n_windows++] = (struct policy_window){ 60000, 12 * KW };
		else
			rig.conf.ramp_down_w_per_min = 12 * KW;
		rig_run(&rig, 75000);
		for (int k = 0; k < 100 * 1000 / RIG_STEP_MS; k++) {
			rig.gpus_w += KW * RIG_STEP_MS / 1000;
			rig_step(&rig);
			assert_true(rig.out.picture.site_w <= RIG_CAP_W);
			assert_true(rig.out.reason != REASON_CAP || rig.out.picture.site_w > RIG_CAP_W - RIG_RESERVE_W / 2);
		}
		assert_in_range(rig.sleeps, 28, 36);
	}
	(void)unused;
}

/* A ramp of less than a miner in 15 s is saved up for one, and never for more than two. */
static void a_slow_ramp_still_moves_whole_miners(void **unused)
{
	struct rig rig;
	rig_init(&rig, 700 * KW, 0);
	rig.conf.target_w = 700 * KW;
	rig.conf.ramp_up_w_per_min = 1200;
	rig_run(&rig, 20 * 60000);
	rig.conf.target_w = 800 * KW;
	rig_step(&rig);
	assert_int_equal(rig.wakes, 2);
	rig_run(&rig, 140000);
	assert_int_equal(rig.wakes, 2);
	rig_run(&rig, 20000);
	assert_int_equal(rig.wakes, 3);
	(void)unused;
}

/* What was woken while there was no ramp does not hold up a set point that comes with one. */
static void a_ramp_starts_without_debts(void **unused)
{
	struct rig rig;
	rig_init(&rig, 700 * KW, 0);
	rig.conf.target_w = 800 * KW;
	rig_run(&rig, 180000);
	assert_in_range(rig.wakes, 32, 34);
	rig.demand.setpoint_w = 850 * KW;
	rig.demand.setpoint_ramp_w_per_min = 12 * KW;
	rig_run(&rig, 31000);
	assert_in_range(rig.wakes, 34, 37);
	assert_int_equal(rig.out.binding, BINDING_RAMP_UP);
	rig.demand.setpoint_w = 800 * KW;
	rig_run(&rig, 180000);
	assert_in_range(rig.sleeps, 1, 3);
	(void)unused;
}

/* A move at ease stops nearest to what is wanted; within the dead band there is none. */
static void small_things_are_left_alone(void **unused)
{
	static const struct { int64_t lower_w; uint32_t sleeps; } rows[] = { { 2400, 0 }, { 2600, 1 }, { 4400, 1 }, { 4600, 2 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.conf.target_w = ROOM_W - rows[i].lower_w;
		rig_run(&rig, 30000);
		assert_int_equal(rig.sleeps, rows[i].sleeps);
	}
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_ramp_is_not_lost_in_short_steps),
		cmocka_unit_test(wear_delays_a_target_not_a_limit),
		cmocka_unit_test(a_day_has_only_so_many_cycles),
		cmocka_unit_test(sheds_are_held_against_nobody_for_longer_than_a_day),
		cmocka_unit_test(min_asleep_delays_a_wake),
		cmocka_unit_test(ramps_pace_what_is_done_on_purpose),
		cmocka_unit_test(neither_ramp_nor_window_lets_a_climb_cross_the_cap),
		cmocka_unit_test(a_slow_ramp_still_moves_whole_miners),
		cmocka_unit_test(a_ramp_starts_without_debts),
		cmocka_unit_test(small_things_are_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
