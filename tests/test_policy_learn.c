/* What is learned of the miners: how they really follow, whatever the configuration declares. */
#include "policy/internal.h"
#include "tests/policy_says.h"

#define KW 1000
#define ALL RIG_MINERS

/* The rig's groups are the truth; these are what the configuration says of them. */
struct declared { struct policy_miner_group groups[2]; };

static void begin_declared(struct rig *rig, struct declared *declared, struct policy_response sleep, struct policy_response wake)
{
	begin(rig, ALL);
	memcpy(declared->groups, rig->miner_groups, sizeof(declared->groups));
	for (int g = 0; g < 2; g++) {
		declared->groups[g].sleep = sleep;
		declared->groups[g].wake = wake;
	}
	rig->miner_groups[1].priority = declared->groups[1].priority = 90;
	rig->conf.miner_groups = declared->groups;
}

/* Puts 20 miners of the first group to sleep and wakes them again. */
static void cycle(struct rig *rig)
{
	rig->demand.miners_w = rig->demand.miners_soon_w = (ALL - 20) * RIG_MINER_W;
	rig_run(rig, 50000);
	rig->demand = rig_no_demand();
	rig_run(rig, 100000);
}

static void assert_near(int64_t is, int64_t should, int64_t by)
{
	assert_in_range(is, should - by, should + by);
}

static void learns_from_the_site_what_is_faster_than_declared(void **unused)
{
	struct rig rig;
	struct declared declared;
	begin_declared(&rig, &declared, (struct policy_response){ 5000, 10000 }, (struct policy_response){ 10000, 30000 });
	const struct policy_actuator *down = &rig.state.actuators[0][DEED_SLEEP], *up = &rig.state.actuators[0][DEED_WAKE];
	for (int i = 0; i < 4; i++) {
		cycle(&rig);
		assert_int_equal(down->basis, BASIS_DECLARED);
		assert_int_equal(down->used.ramp_ms, 10000);
	}
	for (int i = 0; i < 4; i++)
		cycle(&rig);
	assert_int_equal(down->basis, BASIS_LEARNED);
	assert_near(down->used.delay_ms, 2000, 500);
	assert_near(down->used.ramp_ms, 3000, 600);
	assert_int_equal(up->basis, BASIS_LEARNED);
	assert_near(up->used.delay_ms, 5000, 700);
	assert_near(up->used.ramp_ms, 10000, 1000);
	assert_int_equal(rig.state.actuators[1][DEED_SLEEP].basis, BASIS_DECLARED);
	assert_true(down->works.n >= 100 && down->works.mean > 0.99F);
	assert_true(up->watts.n > 100 && up->watts.mean > RIG_MINER_W * 0.99F && up->watts.mean < RIG_MINER_W * 1.01F);
	(void)unused;
}

static void believes_the_miners_only_that_they_are_slower(void **unused)
{
	static const struct { struct policy_response truth; enum policy_basis basis; } rows[] = {
		{ { 1000, 1000 }, BASIS_DECLARED }, { { 4000, 8000 }, BASIS_LEARNED },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		struct declared declared;
		begin_declared(&rig, &declared, (struct policy_response){ 2000, 3000 }, (struct policy_response){ 5000, 10000 });
		rig.miner_groups[0].sleep = rows[i].truth;
		for (int k = 0; k < 2; k++)
			cycle(&rig);
		const struct policy_actuator *down = &rig.state.actuators[0][DEED_SLEEP];
		assert_int_equal(down->basis, rows[i].basis);
		bool learned = rows[i].basis == BASIS_LEARNED;
		assert_near(down->used.delay_ms, learned ? 4000 : 2000, 400);
		assert_near(down->used.ramp_ms, learned ? 8000 : 3000, 800);
	}
	(void)unused;
}

static void nothing_is_learned_while_the_gpus_swing(void **unused)
{
	struct rig rig;
	struct declared declared;
	begin_declared(&rig, &declared, (struct policy_response){ 5000, 10000 }, (struct policy_response){ 10000, 30000 });
	for (int k = 0; k < 8; k++) {
		rig.demand.miners_w = rig.demand.miners_soon_w = (ALL - 20) * RIG_MINER_W;
		for (int s = 0; s < 160; s++) {
			rig.gpus_w += s / 4 % 2 ? -20 * KW : 20 * KW;
			rig_step(&rig);
		}
		rig.demand = rig_no_demand();
		rig_run(&rig, 60000);
	}
	assert_int_equal(rig.state.actuators[0][DEED_SLEEP].by_site.end_ms.n, 0);
	assert_int_equal(rig.state.actuators[0][DEED_SLEEP].basis, BASIS_DECLARED);
	(void)unused;
}

/* 30,000 miners asked every half a minute for 50 days: no count comes round, and what is learned goes on. */
static void counts_end_before_they_come_round(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	struct policy_quantity *watts = &rig.state.actuators[0][DEED_WAKE].watts;
	assert_true(watts->n > 0);
	watts->n = UINT32_MAX - 3;
	rig.miners[0].own_error_permille = 200;
	rig_run(&rig, 60000);
	assert_true(watts->n >= POLICY_QUANTITY_MOST);
	assert_in_range((int64_t)watts->mean, RIG_MINER_W, RIG_MINER_W * 11 / 10);
	watts->n = POLICY_QUANTITY_MOST - 1;
	rig_run(&rig, 60000);
	assert_int_equal(watts->n, POLICY_QUANTITY_MOST);
	(void)unused;
}

static void a_new_firmware_is_learned_anew(void **unused)
{
	struct rig rig;
	struct declared declared;
	begin_declared(&rig, &declared, (struct policy_response){ 2000, 3000 }, (struct policy_response){ 5000, 10000 });
	rig.miner_groups[0].sleep = (struct policy_response){ 4000, 6000 };
	for (int k = 0; k < 6; k++)
		cycle(&rig);
	const struct policy_actuator *down = &rig.state.actuators[0][DEED_SLEEP];
	assert_near(down->used.ramp_ms, 6000, 800);
	rig.miner_groups[0].sleep = (struct policy_response){ 8000, 16000 };
	for (int k = 0; k < 16; k++)
		cycle(&rig);
	assert_int_equal(down->basis, BASIS_LEARNED);
	assert_near(down->used.delay_ms, 8000, 1000);
	assert_near(down->used.ramp_ms, 16000, 2000);
	policy_forget(&rig.state, 0);
	rig_step(&rig);
	assert_int_equal(down->basis, BASIS_DECLARED);
	assert_int_equal(down->used.ramp_ms, 3000);
	(void)unused;
}

static void miners_that_do_not_agree_are_taken_at_their_worst(void **unused)
{
	struct rig rig;
	struct declared declared;
	begin_declared(&rig, &declared, (struct policy_response){ 1000, 1000 }, (struct policy_response){ 5000, 10000 });
	for (int k = 0; k < 8; k++) {
		int64_t ms = k % 2 ? 3000 : 500;
		rig.miner_groups[0].sleep = (struct policy_response){ ms, ms };
		cycle(&rig);
	}
	const struct policy_actuator *down = &rig.state.actuators[0][DEED_SLEEP];
	assert_int_equal(down->basis, BASIS_WORST);
	assert_true(down->used.delay_ms + down->used.ramp_ms > 5000);
	(void)unused;
}

/* GPUs that fall by 100 kW for 70 s and come back: room is kept for that while they are down, and not above their top. */
static void the_reserve_ends_where_the_load_has_been(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.conf.reserve_w = POLICY_NONE;
	for (int k = 0; k < 20; k++) {
		rig.gpus_w -= 100 * KW;
		rig_run(&rig, 70000);
		const struct picture *down = &rig.out.picture;
		/* As it always comes back after as long, it is planned for as soon as it may. */
		int64_t down_w = down->reserve_w - down->swing_w + down->planned_w - down->load_w;
		rig.gpus_w += 100 * KW;
		rig_run(&rig, 70000);
		int64_t top_w = rig.out.picture.reserve_w - rig.out.picture.swing_w;
		assert_true(top_w >= 3 * KW && top_w <= 31 * KW);
		assert_true(k < 4 || down_w >= 90 * KW);
	}
	(void)unused;
}

/* Whether an answer shows of an order for less power how long that took. */
static bool shows_power(int64_t told_ms, int64_t earlier_ms, int64_t settled_ms, int64_t last_read_ms, int64_t read_ms)
{
	static const struct policy_miner_group group = { .nominal_w = 3500 };
	struct policy_actuator actuators[N_DEEDS] = { [DEED_WAKE] = { .used = { 10000, 120000 } } };
	struct miner_track before = { .under_way = true, .told_hash = true, .deed = DEED_POWER, .phase = PHASE_AWAKE,
		.from_w = 3400, .to_w = 1800, .awake_w = 3500, .drawn_w = 2600, .told_ms = told_ms, .read_ms = last_read_ms,
		.settled_ms = settled_ms, .earlier_cs = (uint16_t)(earlier_ms / 10), .begun_cs = earlier_ms ? 0 : 300 };
	struct miner_track after = before;
	struct miner_reading reading = { .fault = FAULT_NONE, .at_ms = read_ms, .knows_power = true, .power_w = 1850 };
	after.read_ms = read_ms;
	after.drawn_w = reading.power_w;
	learn_from_poll(actuators, &group, &before, &after, &reading);
	return actuators[DEED_POWER].by_polls.end_ms.n > 0;
}

static void what_shows_nothing_of_an_order_teaches_nothing(void **unused)
{
	assert_true(shows_power(500000, 0, 100000, 503000, 504000));
	/* It was hardly awake: the last of its way up was yet to come. */
	assert_false(shows_power(500000, 0, 490000, 503000, 504000));
	/* Told again and not looked at since the first time: it may long have done it. */
	assert_false(shows_power(500000, 30000, 100000, 465000, 501000));
	assert_true(shows_power(500000, 30000, 100000, 499900, 501000));
	(void)unused;
}

/* GPUs that swing by 60 kW each half-minute; returns for how long the site was over its cap after ten seconds of a rise. */
static int64_t swings(struct rig *rig, int n)
{
	int64_t over_ms = 0;
	for (int k = 0; k < n; k++) {
		rig->gpus_w += 60 * KW;
		for (int64_t ms = 0; ms < 30000; ms += RIG_STEP_MS) {
			rig_step(rig);
			over_ms += ms > 10000 && rig->out.picture.site_w > RIG_CAP_W ? RIG_STEP_MS : 0;
		}
		rig->gpus_w -= 60 * KW;
		rig_run(rig, 30000);
	}
	return over_ms;
}

static void begin_at_partial(struct rig *rig, int32_t declared_w, int32_t least_w, int32_t own_error_permille)
{
	rig_init(rig, 750 * KW, ALL);
	for (int g = 0; g < 2; g++)
		rig_partial(rig, g, declared_w);
	for (uint32_t i = 0; i < ALL; i++) {
		rig->miners[i].least_w = least_w;
		rig->miners[i].own_error_permille = own_error_permille;
	}
	rig_run(rig, 60000);
}

/* Told a power that they cannot go down to, miners stop on the way: neither are they slow, nor are their watts counted on. */
static void the_least_power_is_learned_where_it_is_above_what_is_declared(void **unused)
{
	struct rig rig;
	begin_at_partial(&rig, 1000, 1800, 0);
	swings(&rig, 5);
	assert_near(policy_partial_w(&rig.state, &rig.conf, 0), 1800, 20);
	const struct policy_response *used = &rig.state.actuators[0][DEED_POWER].used;
	assert_true(used->delay_ms + used->ramp_ms <= 7000);
	assert_int_equal(swings(&rig, 10), 0);
	assert_true(used->delay_ms + used->ramp_ms <= 7000);
	/* Nearly on or off: some of a way is left to power. */
	begin_at_partial(&rig, 1000, 2900, 0);
	swings(&rig, 5);
	assert_near(policy_partial_w(&rig.state, &rig.conf, 0), RIG_MINER_W * 7 / 8, 20);
	assert_int_equal(swings(&rig, 10), 0);
	(void)unused;
}

/* One that is told from 3 kW to `to_w`, as it was looked at last, and what an answer so long after the order shows. */
static struct policy_actuator one_answers(struct miner_track before, int64_t after_ms, int32_t power_w, bool under_way)
{
	static const struct policy_miner_group group = { .nominal_w = 3000, .partial_w = 1000 };
	struct policy_actuator actuators[N_DEEDS] = { [DEED_POWER] = { .used = { 2000, 4000 } } };
	before.phase = PHASE_AWAKE;
	before.told_hash = true;
	before.awake_w = 3000;
	before.told_ms = 500000;
	before.settled_ms = 100000;
	before.read_ms = before.told_ms + after_ms - 1000;
	struct miner_track after = before;
	struct miner_reading reading = { .fault = FAULT_NONE, .at_ms = before.told_ms + after_ms, .knows_power = true, .power_w = power_w };
	after.read_ms = reading.at_ms;
	after.drawn_w = power_w;
	after.under_way = under_way;
	learn_from_poll(actuators, &group, &before, &after, &reading);
	return actuators[DEED_POWER];
}

#define LOWERED(w) .under_way = true, .deed = DEED_POWER, .from_w = 3000, .to_w = w, .limit_w = w

/* A few that do not know less power are no reason to let the others run higher. Nor is a figure that is off. */
static void what_few_hold_or_all_but_say_is_not_learned(void **unused)
{
	for (int wrong = 0; wrong < 2; wrong++) {
		struct rig rig;
		begin_at_partial(&rig, 1000, 0, wrong ? 200 : 0);
		for (uint32_t i = 0; i < ALL && !wrong; i += 8)
			rig.miners[i].least_w = 2900;
		swings(&rig, 4);
		rig.conf.target_w = 830 * KW;           /* for all of them the least that power does */
		rig_run(&rig, 120000);
		assert_true(rig.state.actuators[0][DEED_POWER].least.n >= 5);
		assert_int_equal(policy_partial_w(&rig.state, &rig.conf, 0), 1000);
	}
	(void)unused;
}

static void what_shows_the_least_power(void **unused)
{
	static const struct { const char *what; struct miner_track track; int64_t after_ms; int32_t power_w; bool under_way, shows; } rows[] = {
		{ "it stopped on its way", { LOWERED(1000), .begun_cs = 250, .nearer_cs = 400, .nearest = 60 }, 9000, 1800, false, true },
		{ "it may go on", { LOWERED(1000), .begun_cs = 250, .nearer_cs = 400, .nearest = 60 }, 9000, 1800, true, false },
		{ "it is slow", { LOWERED(1000), .begun_cs = 250, .nearer_cs = 800, .nearest = 60 }, 9000, 1800, false, false },
		{ "it is deaf", { LOWERED(1000) }, 12000, 2900, false, false },
		{ "it did as told", { LOWERED(1000), .begun_cs = 250, .nearer_cs = 400, .nearest = 100 }, 9000, 1010, false, true },
		{ "it may be told less", { LOWERED(1300), .begun_cs = 250, .nearer_cs = 400, .nearest = 60 }, 9000, 1800, false, false },
		{ "it stands there", { .deed = DEED_WAKE, .from_w = 0, .to_w = 1000, .limit_w = 1000 }, 12000, 1800, false, true },
		{ "it is just up", { .deed = DEED_WAKE, .from_w = 0, .to_w = 1000, .limit_w = 1000 }, 11000, 1800, false, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct policy_actuator power = one_answers(rows[i].track, rows[i].after_ms, rows[i].power_w, rows[i].under_way);
		if (power.least.n != rows[i].shows)
			fail_msg("%s", rows[i].what);
		assert_true(!rows[i].shows || power.least.mean == (float)rows[i].power_w);
	}
	(void)unused;
}

/* Given up half way, a slow one would have arrived at its pace; one that stopped was no slower for the time it stood there. */
static void who_stops_half_way_is_not_slow(void **unused)
{
	struct miner_track slow = { LOWERED(1000), .drawn_w = 2100, .begun_cs = 300, .nearer_cs = 2000, .nearest = 45 };
	struct miner_track stopped = { LOWERED(1000), .drawn_w = 2000, .begun_cs = 300, .nearer_cs = 500, .nearest = 50 };
	struct policy_actuator power = one_answers(slow, 21000, 2000, false);
	assert_int_equal(power.by_polls.end_ms.n, 1);
	assert_near((int64_t)power.by_polls.end_ms.mean, 39000, 10);    /* 18 s for 40 of 80 per cent */
	power = one_answers(stopped, 21000, 2000, false);
	assert_int_equal(power.by_polls.end_ms.n, 1);
	assert_near((int64_t)power.by_polls.end_ms.mean, 7000, 10);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns_from_the_site_what_is_faster_than_declared),
		cmocka_unit_test(believes_the_miners_only_that_they_are_slower),
		cmocka_unit_test(nothing_is_learned_while_the_gpus_swing),
		cmocka_unit_test(counts_end_before_they_come_round),
		cmocka_unit_test(a_new_firmware_is_learned_anew),
		cmocka_unit_test(miners_that_do_not_agree_are_taken_at_their_worst),
		cmocka_unit_test(the_least_power_is_learned_where_it_is_above_what_is_declared),
		cmocka_unit_test(what_few_hold_or_all_but_say_is_not_learned),
		cmocka_unit_test(what_shows_the_least_power),
		cmocka_unit_test(who_stops_half_way_is_not_slow),
		cmocka_unit_test(the_reserve_ends_where_the_load_has_been),
		cmocka_unit_test(what_shows_nothing_of_an_order_teaches_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
