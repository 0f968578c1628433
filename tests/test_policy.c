/* The control law by example: what is known, and the decision it must lead to. Reason and binding are part of it. */
#include "tests/policy_says.h"

#define KW 1000
#define ALL RIG_MINERS

/* ---- down ---- */

static void over_the_cap_exactly_enough_is_shed_at_once(void **unused)
{
	static const struct { int64_t rise_w, shed_w; } rows[] = {
		{ 10000, 0 }, { 10001, 12000 }, { 20000, 21000 }, { 30000, 30000 }, { 30001, 33000 }, { 100000, 102000 }, { 192000, 192000 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.conf.ramp_down_w_per_min = 1;
		for (int g = 0; g < 2; g++) {
			rig.miner_groups[g].min_awake_ms = 3600000;
			rig.miner_groups[g].cycles_per_day = 1;
		}
		for (uint32_t m = 0; m < ALL; m++) {
			rig.tracks[m].settled_ms = rig.now_ms - 1000;
			rig.tracks[m].wear_ms = rig.now_ms + 24 * 3600000;
		}
		rig.gpus_w += rows[i].rise_w;
		rig_step(&rig);
		if (rows[i].shed_w)
			assert_did(&rig, -rows[i].shed_w, REASON_CAP, BINDING_CAP);
		else
			assert_nothing(&rig);
		assert_false(rig.out.cap_unreachable);
	}
	(void)unused;
}

static void what_falls_is_not_told_again(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.gpus_w += 60 * KW;
	rig_run(&rig, 20000);
	assert_int_equal(rig.sleeps, 20);
	assert_int_equal(rig.tracks[0].sleeps, 1);
	assert_int_equal(rig.out.picture.phases[PHASE_ASLEEP], 20);
	assert_int_equal(rig.out.picture.site_w, ROOM_W);
	rig.now_ms += RIG_STEP_MS;
	rig_read(&rig);
	for (uint32_t m = 0; m < 20; m++)
		rig.seen[m].reading.power_w = 100;
	rig_decide(&rig);
	assert_int_equal(rig.out.picture.restorable_w, 20 * (RIG_MINER_W - 100));
	assert_int_equal(rig.out.picture.curtailable_w, 44 * RIG_MINER_W);
	(void)unused;
}

/* The load rises for 2 s while the first miners fall already: all in all as much is shed as it rose. */
static void a_job_start_is_shed_once(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	for (int i = 0; i < 8; i++) {
		rig.gpus_w += 15 * KW;
		rig_step(&rig);
	}
	rig_run(&rig, 30000);
	assert_in_range(rig.sleeps, 40, 42);
	(void)unused;
}

static void more_than_all_miners_says_so(void **unused)
{
	struct rig rig;
	begin(&rig, 10);
	rig.gpus_w += 60 * KW;
	rig_step(&rig);
	assert_did(&rig, -30 * KW, REASON_CAP, BINDING_CAP);
	assert_true(rig.out.cap_unreachable);
	rig_run(&rig, 20000);
	assert_nothing(&rig);
	assert_true(rig.out.cap_unreachable);
	rig.gpus_w -= 60 * KW;
	rig_step(&rig);
	assert_false(rig.out.cap_unreachable);
	(void)unused;
}

/* In a dip the site is under a new limit, and will not be when the dip is over: the miners need the time. */
static void a_limit_is_met_for_the_load_to_come(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.miner_groups[0].min_awake_ms = rig.miner_groups[1].min_awake_ms = 3600000;
	for (uint32_t m = 0; m < ALL; m++)
		rig.tracks[m].settled_ms = rig.now_ms - 1000;
	rig.gpus_w -= 90 * KW;
	rig_step(&rig);
	rig.demand.limit_w = rig.demand.limit_soon_w = 920 * KW;
	rig_step(&rig);
	assert_did(&rig, -81 * KW, REASON_EVENT, BINDING_LIMIT);
	(void)unused;
}

/* ---- who ---- */

/* The group that falls sooner is told first, whatever its priority; which are told is a matter of priority. */
static void tells_first_what_falls_soonest(void **unused)
{
	for (uint32_t soon = 0; soon < 2; soon++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.miner_groups[0].priority = 10;
		rig.miner_groups[soon].sleep = (struct policy_response){ 500, 500 };
		rig.demand.miners_w = rig.demand.miners_soon_w = RIG_MINER_W * 16;
		rig.demand.shed = true;
		rig_step(&rig);
		assert_int_equal(rig.out.n_commands, 48);
		uint32_t at[2] = { soon ? 16 : 0, soon ? 0 : 32 }, n[2] = { 32, 16 }, next[2] = { 0, 32 };
		for (uint32_t g = 0; g < 2; g++)
			for (uint32_t c = 0; c < n[g]; c++) {
				assert_int_equal(rig.miner_group[rig.commands[at[g] + c].miner], g);
				assert_true(rig.commands[at[g] + c].miner >= next[g]);
				next[g] = rig.commands[at[g] + c].miner + 1;
			}
	}
	(void)unused;
}

/* 3 kW and 1 kW: what the large ones leave the small ones make up, whichever come first. */
static void moves_exact_amounts(void **unused)
{
	for (int small = 0; small < 2; small++)
		for (int64_t kw = 4; kw <= 96; kw++) {
			struct rig rig;
			begin(&rig, ALL);
			rig.miner_groups[1].nominal_w = KW;
			rig.miner_groups[small].priority = 10;
			for (uint32_t m = 32; m < ALL; m++) {
				rig.miners[m].from_w = rig.miners[m].to_w = KW;
				rig.tracks[m].awake_w = KW;
			}
			rig_run(&rig, 1000);
			int64_t before_w = rig.out.picture.settled_miners_w;
			assert_int_equal(before_w, 128 * KW);
			rig.demand.setpoint_w = rig.gpus_w + before_w - kw * KW;
			rig_step(&rig);
			int64_t shed_w = rig.out.picture.load_w + before_w - rig.out.expected_site_w;
			uint32_t told[2] = { 0, 0 };
			for (uint32_t c = 0; c < rig.out.n_commands; c++)
				told[rig.miner_group[rig.commands[c].miner]]++;
			if (!small || kw <= 32)
				assert_int_equal(shed_w, kw * KW);
			else                    /* all the small ones are used up */
				assert_in_range(shed_w, (kw - 1) * KW, (kw + 1) * KW);
			/* Those that go first, but for what makes it exact. */
			assert_true(small ? told[1] >= (kw < 31 ? kw : 31) : told[1] <= 2);
		}
	(void)unused;
}

static void picks_by_priority_then_efficiency_then_wear(void **unused)
{
	static const struct { int priority[2], efficiency[2]; bool worn; uint32_t first_asleep, first_awake; } rows[] = {
		{ { 10, 20 }, { 15000, 30000 }, false, 0, 32 },
		{ { 20, 10 }, { 30000, 15000 }, false, 32, 0 },
		{ { 10, 10 }, { 15000, 30000 }, false, 32, 0 },
		{ { 10, 10 }, { 30000, 15000 }, false, 0, 32 },
		{ { 10, 10 }, { 15000, 15000 }, true, 5, 5 },
		{ { 10, 10 }, { 15000, 15000 }, false, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		begin(&rig, ALL);
		for (int g = 0; g < 2; g++) {
			rig.miner_groups[g].priority = (int16_t)rows[i].priority[g];
			rig.miner_groups[g].efficiency_mj_per_th = rows[i].efficiency[g];
		}
		for (uint32_t m = 0; m < ALL && rows[i].worn; m++)
			rig.tracks[m].sleeps = m == 5 ? 1 : 2;
		rig.conf.target_w = ROOM_W - RIG_MINER_W;
		rig_step(&rig);
		assert_int_equal(rig.out.n_commands, 1);
		assert_int_equal(rig.commands[0].miner, rows[i].first_asleep);
		rig.demand.miners_w = rig.demand.miners_soon_w = 0;
		rig.demand.shed = true;
		rig_run(&rig, 70000);
		assert_int_equal(rig.sleeps, ALL);
		rig.demand = rig_no_demand();
		rig.demand.miners_w = rig.demand.miners_soon_w = RIG_MINER_W;
		rig_step(&rig);
		assert_int_equal(rig.out.n_commands, 1);
		assert_int_equal(rig.commands[0].miner, rows[i].first_awake);
	}
	(void)unused;
}

/* ---- up ---- */

static void wakes_only_beside_the_highest_load_of_the_last_minute(void **unused)
{
	struct rig rig;
	begin(&rig, 10);
	rig.gpus_w -= 60 * KW;
	rig_run(&rig, 60000);
	assert_int_equal(rig.wakes, 0);
	rig.gpus_w += 30 * KW;
	rig_run(&rig, 3500);
	assert_int_equal(rig.wakes, 0);
	rig_run(&rig, 3000);
	assert_int_equal(rig.wakes, 10);        /* beside what was the highest since */
	rig_run(&rig, 60000);
	assert_int_equal(rig.wakes, 10);
	assert_int_equal(rig.sleeps, 0);
	(void)unused;
}

static void wakes_beside_limits_that_come_soon(void **unused)
{
	struct rig rig;
	begin(&rig, 0);
	rig.demand.limit_soon_w = 950 * KW;
	rig.gpus_w -= 80 * KW;
	rig_run(&rig, 70000);
	assert_int_equal(rig.wakes, 10);
	assert_int_equal(rig.out.binding, BINDING_LIMIT);
	rig.demand.limit_soon_w = POLICY_NONE;
	rig.demand.miners_soon_w = 33 * KW;
	rig_run(&rig, 20000);
	assert_int_equal(rig.wakes, 11);
	(void)unused;
}

static void wakes_at_a_pace(void **unused)
{
	struct rig rig;
	begin(&rig, 0);
	rig.gpus_w -= 180 * KW;
	rig_run(&rig, 65000);
	assert_int_equal(rig.wakes, 33);        /* 10 % of the cap at a time */
	assert_int_equal(rig.out.binding, BINDING_WAKES_IN_FLIGHT);
	rig_run(&rig, 3000);
	assert_int_equal(rig.wakes, 33);
	rig_run(&rig, 100000);
	assert_int_equal(rig.wakes, 60);
	assert_int_equal(rig.out.picture.site_w, ROOM_W);
	(void)unused;
}

static void one_miner_above_the_pace_may_wake_alone(void **unused)
{
	struct rig rig;
	rig_init(&rig, 5 * KW, 0);
	rig.conf.cap_w = 25 * KW;
	rig.conf.reserve_w = 0;
	rig_run(&rig, 10000);
	assert_int_equal(rig.wakes, 0);
	rig_run(&rig, 2000);
	assert_int_equal(rig.wakes, 1);
	rig_run(&rig, 10000);
	assert_int_equal(rig.wakes, 1);
	rig_run(&rig, 10000);
	assert_int_equal(rig.wakes, 2);
	(void)unused;
}

static void a_waking_miner_is_turned_round(void **unused)
{
	struct rig rig;
	begin(&rig, 0);
	rig.gpus_w -= 30 * KW;
	rig_run(&rig, 66000);
	assert_int_equal(rig.out.picture.phases[PHASE_WAKING], 10);
	rig.gpus_w += 60 * KW;
	rig_step(&rig);
	assert_int_equal(rig.sleeps, 10);
	assert_int_equal(rig.commands[0].hash, false);
	assert_string_equal(reason_name(rig.out.reason), "cap");
	rig_run(&rig, 2000);
	rig.gpus_w -= 60 * KW;                  /* one that falls must land first, and the load be seen for a minute */
	rig_run(&rig, 2000);
	assert_int_equal(rig.wakes, 10);
	(void)unused;
}

/* A miner that is still on its last fifth of the way is not taken at what it draws now. */
static void the_last_of_the_way_counts(void **unused)
{
	struct rig rig;
	begin(&rig, 0);
	rig.gpus_w -= 48 * KW;
	for (int64_t i = 0; i < 90000; i += RIG_STEP_MS) {
		rig_step(&rig);
		assert_true(rig.out.picture.settled_miners_w <= 48 * KW);
	}
	assert_int_equal(rig.wakes, 16);
	assert_int_equal(rig.sleeps, 0);
	(void)unused;
}

/* ---- orders ---- */

static void limit_before_set_point_before_target(void **unused)
{
	static const struct { int64_t limit_w, setpoint_w, target_w, shed_w; bool by_operator; enum reason reason; enum binding binding; } rows[] = {
		{ 950 * KW, POLICY_NONE, POLICY_NONE, 51 * KW, false, REASON_EVENT, BINDING_LIMIT },
		{ 950 * KW, 970 * KW, POLICY_NONE, 51 * KW, false, REASON_EVENT, BINDING_LIMIT },
		{ 950 * KW, 910 * KW, POLICY_NONE, 51 * KW, false, REASON_EVENT, BINDING_LIMIT },
		{ POLICY_NONE, 950 * KW, 920 * KW, 30 * KW, false, REASON_EVENT, BINDING_SETPOINT },
		{ POLICY_NONE, 950 * KW, 990 * KW, 30 * KW, true, REASON_OPERATOR, BINDING_SETPOINT },
		{ POLICY_NONE, POLICY_NONE, 950 * KW, 30 * KW, false, REASON_STARTUP, BINDING_TARGET },
		{ 2000 * KW, POLICY_NONE, 950 * KW, 30 * KW, false, REASON_STARTUP, BINDING_TARGET },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.demand.limit_w = rig.demand.limit_soon_w = rows[i].limit_w;
		rig.demand.setpoint_w = rows[i].setpoint_w;
		rig.demand.by_operator = rows[i].by_operator;
		rig.conf.target_w = rows[i].target_w;
		rig_step(&rig);
		assert_did(&rig, -rows[i].shed_w, rows[i].reason, rows[i].binding);
	}
	(void)unused;
}

static void shed_and_share_bind_the_miners_themselves(void **unused)
{
	static const struct { bool shed; int64_t miners_w; int64_t moved_w; enum reason reason; } rows[] = {
		{ true, 0, -192 * KW, REASON_SHED }, { true, 100 * KW, -93 * KW, REASON_SHED }, { false, 96 * KW, -96 * KW, REASON_EVENT },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.miner_groups[0].min_awake_ms = rig.miner_groups[1].min_awake_ms = 3600000;
		for (uint32_t m = 0; m < ALL; m++)
			rig.tracks[m].settled_ms = rig.now_ms;
		rig.demand.miners_w = rig.demand.miners_soon_w = rows[i].miners_w;
		rig.demand.shed = rows[i].shed;
		rig_step(&rig);
		assert_did(&rig, rows[i].moved_w, rows[i].reason, BINDING_MINERS_LIMIT);
	}
	(void)unused;
}

/* A limit holds for the highest of the load, a set point for its mean: dips of 40 kW every other 5 s make 20 kW. */
static void a_set_point_is_held_on_average(void **unused)
{
	struct rig rig;
	rig_init(&rig, 700 * KW, 30);
	rig.demand.setpoint_w = 800 * KW;
	double sum_w = 0;
	int n = 0;
	for (int i = 0; i < 160; i++) {
		rig.gpus_w = i % 2 ? 700 * KW : 660 * KW;
		for (int k = 0; k < 20; k++, n += i >= 120) {
			rig_step(&rig);
			sum_w += i >= 120 ? (double)rig.out.picture.site_w : 0;
		}
	}
	assert_in_range((int64_t)(sum_w / n), 795 * KW, 805 * KW);
	assert_int_equal(rig.out.picture.target_w, 800 * KW);
	(void)unused;
}

/* A job's end is no dip once it is older than the plan: the set point is not overrun for it. */
static void a_job_stop_is_no_dip_for_long(void **unused)
{
	struct rig rig;
	rig_init(&rig, 700 * KW, 30);
	rig.demand.setpoint_w = 790 * KW;
	rig_run(&rig, 75000);
	rig.gpus_w -= 60 * KW;
	rig_run(&rig, 120000);
	assert_in_range(rig.out.picture.site_w, 785 * KW, 793 * KW);
	assert_in_range(rig_miners_w(&rig), 147 * KW, 150 * KW);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_the_cap_exactly_enough_is_shed_at_once),
		cmocka_unit_test(what_falls_is_not_told_again),
		cmocka_unit_test(a_job_start_is_shed_once),
		cmocka_unit_test(more_than_all_miners_says_so),
		cmocka_unit_test(a_limit_is_met_for_the_load_to_come),
		cmocka_unit_test(picks_by_priority_then_efficiency_then_wear),
		cmocka_unit_test(tells_first_what_falls_soonest),
		cmocka_unit_test(moves_exact_amounts),
		cmocka_unit_test(wakes_only_beside_the_highest_load_of_the_last_minute),
		cmocka_unit_test(wakes_beside_limits_that_come_soon),
		cmocka_unit_test(wakes_at_a_pace),
		cmocka_unit_test(one_miner_above_the_pace_may_wake_alone),
		cmocka_unit_test(a_waking_miner_is_turned_round),
		cmocka_unit_test(the_last_of_the_way_counts),
		cmocka_unit_test(limit_before_set_point_before_target),
		cmocka_unit_test(shed_and_share_bind_the_miners_themselves),
		cmocka_unit_test(a_set_point_is_held_on_average),
		cmocka_unit_test(a_job_stop_is_no_dip_for_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
