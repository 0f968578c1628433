/* The control law by example, where the GPUs' meters are silent, late or wrong, and at start: doubt is paid for in miners. */
#include "tests/policy_says.h"

#define KW 1000
#define ALL RIG_MINERS

static void a_silent_pdu_is_taken_at_its_nameplate(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.mute[RIG_PDU_1] = true;
	rig_run(&rig, 3000);
	assert_int_equal(rig.out.picture.doubt_w, 0);
	rig_step(&rig);
	int64_t doubt_w = 500 * KW - rig.gpus_w / 2;
	assert_int_equal(rig.out.picture.doubt_w, doubt_w);
	assert_int_equal(rig.out.picture.hpc_w, 500 * KW + rig.gpus_w - rig.gpus_w / 2);
	assert_int_equal(rig.sleeps, (doubt_w + RIG_MINER_W - 1) / RIG_MINER_W);
	assert_string_equal(reason_name(rig.out.reason), "cap");
	assert_false(rig.out.picture.hpc_whole);
	rig_run(&rig, 120000);
	assert_int_equal(rig.wakes, 0);
	rig.mute[RIG_PDU_1] = false;
	rig_run(&rig, 60000);
	assert_int_equal(rig.wakes, rig.sleeps);
	(void)unused;
}

/* It may stand before nothing and draw its nameplate any moment; but at start it gets its time to answer. */
static void a_pdu_never_heard_is_doubted_whole(void **unused)
{
	struct rig rig;
	rig_init(&rig, 400 * KW, ALL);
	rig.mute[RIG_PDU_1] = true;
	rig_run(&rig, 3250);
	assert_int_equal(rig.out.picture.doubt_w, 0);
	rig_step(&rig);
	assert_int_equal(rig.out.picture.doubt_w, 500 * KW);
	assert_int_equal(rig.sleeps, (400 + 500 + 192 - 980 + 2) / 3);
	(void)unused;
}

/* A reload brings it, hours after the start: it gets the same time, from when it was first asked. */
static void a_pdu_that_is_new_gets_its_time_to_answer(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.meter_groups[RIG_BACKUP].backup_of = -1;
	rig.mute[RIG_SPARE] = true;
	rig.meters[RIG_SPARE] = (struct meter_reading){ .at_ms = rig.now_ms };
	rig.conf.n_meters = RIG_METERS;
	rig.conf.n_meter_groups = 3;
	policy_forget_meters(&rig.state);
	rig_run(&rig, 3000);
	assert_int_equal(rig.out.picture.doubt_w, 0);
	assert_int_equal(rig.sleeps, 0);
	rig_step(&rig);
	assert_int_equal(rig.out.picture.doubt_w, 1000 * KW);
	(void)unused;
}

static void a_nameplate_below_the_truth_lowers_nothing(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.meter_groups[RIG_PDU].nameplate_w = 100 * KW;
	rig.mute[RIG_PDU_1] = true;
	rig_run(&rig, 10000);
	assert_int_equal(rig.out.picture.doubt_w, 0);
	assert_int_equal(rig.sleeps + rig.wakes, 0);
	(void)unused;
}

static void a_backup_stands_in_while_it_is_whole(void **unused)
{
	struct rig rig;
	rig_init(&rig, ROOM_W - ALL * RIG_MINER_W, ALL);
	rig.conf.n_meters = 4;
	rig.conf.n_meter_groups = 3;
	rig_run(&rig, 10000);
	assert_int_equal(rig.out.picture.hpc_w, rig.gpus_w);    /* counted once */
	rig.mute[RIG_PDU_2] = true;
	rig_run(&rig, 10000);
	assert_int_equal(rig.out.picture.doubt_w, 0);
	assert_int_equal(rig.out.picture.stale_meters, 1);
	assert_true(rig.out.picture.hpc_whole);
	assert_int_equal(rig.sleeps, 0);
	rig.mute[RIG_SPARE] = true;
	rig_run(&rig, 4000);
	assert_int_equal(rig.out.picture.doubt_w, 500 * KW - rig.gpus_w / 2);
	assert_true(rig.sleeps > 0);
	(void)unused;
}

/* The PDUs' backup is silent, too; its own is not. */
static void a_backup_of_a_backup_stands_in_for_both(void **unused)
{
	static struct policy_meter_group groups[4];
	static uint16_t group_of[5];
	struct meter_reading meters[5];
	struct rig rig;
	rig_init(&rig, ROOM_W - ALL * RIG_MINER_W, ALL);
	memcpy(groups, rig.meter_groups, sizeof(rig.meter_groups));
	memcpy(group_of, rig.meter_group, sizeof(rig.meter_group));
	groups[3] = groups[RIG_BACKUP];
	groups[3].backup_of = RIG_BACKUP;
	group_of[4] = 3;
	rig.conf.meter_groups = groups;
	rig.conf.meter_group = group_of;
	rig.conf.n_meters = 5;
	rig.conf.n_meter_groups = 4;
	rig.mute[RIG_PDU_2] = rig.mute[RIG_SPARE] = true;
	for (int i = 0; i < 40; i++) {
		rig.now_ms += RIG_STEP_MS;
		rig_read(&rig);
		memcpy(meters, rig.meters, sizeof(rig.meters));
		meters[4] = (struct meter_reading){ .fault = FAULT_NONE, .at_ms = rig.now_ms, .import_w = rig.gpus_w };
		struct snapshot seen = { .now_ms = rig.now_ms, .demand = rig.demand, .meters = meters, .miners = rig.seen };
		rig.out.commands = rig.commands;
		policy_step(&rig.conf, &rig.state, rig.tracks, &seen, rig.scratch, &rig.out);
	}
	assert_int_equal(rig.out.picture.hpc_w, rig.gpus_w);
	assert_true(rig.out.picture.hpc_whole);
	(void)unused;
}

static void what_cannot_be_true_counts_as_silence(void **unused)
{
	static const int64_t absurd[] = { INT64_MAX, INT64_MIN, 10000000001LL, -10000000001LL };
	for (size_t i = 0; i < sizeof(absurd) / sizeof(*absurd); i++) {
		struct rig rig;
		begin(&rig, ALL);
		for (int k = 0; k < 20; k++) {
			rig.now_ms += RIG_STEP_MS;
			rig_read(&rig);
			rig.meters[RIG_MAIN].import_w = rig.meters[RIG_PDU_1].import_w = absurd[i];
			rig.seen[3].reading.power_w = rig.seen[3].reading.awake_w = (int32_t)(absurd[i] < 0 ? INT32_MIN : INT32_MAX);
			rig_decide(&rig);
		}
		assert_true(rig.out.picture.failsafe);
		assert_int_equal(rig.out.picture.hpc_w, 500 * KW + rig.gpus_w - rig.gpus_w / 2);
	}
	(void)unused;
}

static void ages_are_of_the_oldest_reading_used(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.mute[RIG_PDU_2] = true;
	rig.miners[7].mute = true;
	rig_run(&rig, 2000);
	assert_int_equal(rig.out.picture.site_age_ms, 0);
	assert_int_equal(rig.out.picture.hpc_age_ms, 2000);
	assert_int_equal(rig.out.picture.miners_age_ms, 2000);
	rig_run(&rig, 2000);
	assert_int_equal(rig.out.picture.hpc_age_ms, 0);        /* the silent one is no longer used */
	rig_run(&rig, 60000);
	assert_int_equal(rig.out.picture.phases[PHASE_UNREACHABLE], 1);
	assert_int_equal(rig.out.picture.miners_age_ms, 0);
	rig_init(&rig, 700 * KW, 0);
	rig.conf.n_meters = rig.conf.n_meter_groups = 1;
	rig_run(&rig, 5000);
	assert_int_equal(rig.out.picture.hpc_age_ms, POLICY_NONE);
	assert_int_equal(rig.out.picture.hpc_w, POLICY_NONE);
	assert_int_equal(rig.out.picture.other_w, POLICY_NONE);
	(void)unused;
}

/* GPU meters that are heard one after the other are no rise of the load. */
static void at_start_meters_come_in_one_by_one(void **unused)
{
	struct rig rig;
	rig_init(&rig, 830 * KW, ALL);
	rig.mute[RIG_PDU_1] = rig.mute[RIG_PDU_2] = true;
	rig_run(&rig, 2500);
	rig.mute[RIG_PDU_1] = false;
	rig_run(&rig, 250);
	rig.mute[RIG_PDU_2] = false;
	rig_run(&rig, 20000);
	assert_int_equal(rig.sleeps, (830 + 192 - 980 + 2) / 3);
	(void)unused;
}

static void at_start_meters_get_their_time(void **unused)
{
	struct rig rig;
	rig_init(&rig, 900 * KW, ALL);
	rig.mute[RIG_MAIN] = true;
	rig.mute[RIG_PDU_1] = true;
	rig_run(&rig, 2250);
	assert_int_equal(rig.sleeps, 0);
	assert_false(rig.out.picture.failsafe);
	rig_step(&rig);
	assert_true(rig.out.picture.failsafe);
	assert_int_equal(rig.sleeps, ALL);
	(void)unused;
}

static void at_start_it_sheds_at_once_but_wakes_none_unheard(void **unused)
{
	struct rig rig;
	rig_init(&rig, 900 * KW, ALL);
	rig_step(&rig);
	assert_int_equal(rig.sleeps, (900 + 192 - 980 + 2) / 3);
	rig_init(&rig, 700 * KW, 10);
	for (int64_t ms = 0; ms < 45000; ms += RIG_STEP_MS) {
		rig.now_ms += RIG_STEP_MS;
		rig_read(&rig);
		rig.seen[60].reading = (struct miner_reading){ .fault = FAULT_NEVER };
		rig_decide(&rig);
		if (ms < 30000)
			assert_int_equal(rig.wakes, 0);
	}
	assert_true(rig.wakes > 0);             /* nobody waits for ever for one */
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_pdu_is_taken_at_its_nameplate),
		cmocka_unit_test(a_pdu_never_heard_is_doubted_whole),
		cmocka_unit_test(a_pdu_that_is_new_gets_its_time_to_answer),
		cmocka_unit_test(a_nameplate_below_the_truth_lowers_nothing),
		cmocka_unit_test(a_backup_stands_in_while_it_is_whole),
		cmocka_unit_test(a_backup_of_a_backup_stands_in_for_both),
		cmocka_unit_test(what_cannot_be_true_counts_as_silence),
		cmocka_unit_test(ages_are_of_the_oldest_reading_used),
		cmocka_unit_test(at_start_meters_come_in_one_by_one),
		cmocka_unit_test(at_start_meters_get_their_time),
		cmocka_unit_test(at_start_it_sheds_at_once_but_wakes_none_unheard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
