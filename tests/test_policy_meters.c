/* The control law by example, where meters are silent, late or wrong: doubt is paid for in miners. */
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

/* Stopped for so long, a step finds all readings old, for nobody was asked: so much is nobody's silence. */
static void a_pause_of_ours_is_no_silence_of_theirs(void **unused)
{
	static const int64_t pauses_ms[] = { 1500, 2500, 4000, 9000, 60000, 3600000 };
	for (size_t p = 0; p < sizeof pauses_ms / sizeof *pauses_ms; p++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.now_ms += pauses_ms[p];
		rig_decide(&rig);
		assert_nothing(&rig);
		assert_int_equal(rig.out.picture.site_known, pauses_ms[p] <= 2000);     /* what it said is old all the same */
		assert_false(rig.out.picture.failsafe);
		assert_int_equal(rig.out.picture.doubt_w, 0);
		rig.now_ms += 100;      /* the site's meter is asked first */
		rig_read_meter(&rig, RIG_MAIN, rig.gpus_w + rig_miners_w(&rig));
		rig_decide(&rig);
		assert_nothing(&rig);
		rig_run(&rig, 60000);
		assert_int_equal(rig.sleeps + rig.wakes, 0);
	}
	(void)unused;
}

static void an_order_is_obeyed_right_after_a_pause(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.now_ms += 4000;
	rig.demand.miners_w = rig.demand.miners_soon_w = 0;
	rig.demand.shed = true;
	rig_decide(&rig);
	assert_int_equal(rig.sleeps, ALL);
	(void)unused;
}

/* The site's meter, at once; of the GPUs' the last values are good for no longer than they would be otherwise. */
static void who_is_silent_after_a_pause_counts_as_silent(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.now_ms += 4000;
	rig.mute[RIG_PDU_1] = true;
	rig_run(&rig, 3250);
	assert_int_equal(rig.out.picture.doubt_w, 0);
	rig_step(&rig);
	assert_int_equal(rig.out.picture.doubt_w, 500 * KW - rig.gpus_w / 2);
	begin(&rig, ALL);
	rig.now_ms += 4000;
	rig.mute[RIG_MAIN] = rig.mute[RIG_PDU_1] = true;
	rig_run(&rig, 2000);
	assert_int_equal(rig.sleeps, 0);
	rig_run(&rig, 2000);
	assert_true(rig.out.picture.failsafe);
	assert_int_equal(rig.sleeps, ALL);
	(void)unused;
}

/* A host that stalls again and again hides no meter that is lost, and delays no order for longer than one pause would. */
static void stalls_hide_nothing(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.mute[RIG_MAIN] = true;
	for (int k = 0; k < 5; k++) {
		rig_run(&rig, 800);
		rig.now_ms += 1200;
	}
	rig.gpus_w += 100 * KW;
	for (int k = 0; k < 2; k++) {
		rig_run(&rig, 800);
		rig.now_ms += 1200;
	}
	assert_true(rig.sleeps > 30);
	rig.demand.limit_w = rig.demand.limit_soon_w = 900 * KW;
	rig_run(&rig, 500);
	assert_int_equal(rig.sleeps, ALL);
	(void)unused;
}

/* A meter that may be silent for long gets no such time after a pause: an order is not to wait for it. */
static void nothing_waits_for_long_after_a_pause(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.meter_groups[RIG_SITE].stale_ms = 30000;
	rig.now_ms += 40000;
	rig.mute[RIG_MAIN] = true;
	rig.demand.limit_w = rig.demand.limit_soon_w = 900 * KW;
	rig_run(&rig, 3250);
	assert_int_equal(rig.sleeps, 0);
	rig_step(&rig);
	assert_true(rig.sleeps > 30);
	(void)unused;
}

/* A PDU that was silent before the pause is so after it. */
static void a_pause_excuses_no_older_silence(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.mute[RIG_PDU_1] = true;
	rig_run(&rig, 10000);
	uint32_t sleeps = rig.sleeps;
	assert_true(sleeps > 0);
	rig.now_ms += 4000;
	rig_run(&rig, 250);
	assert_int_equal(rig.out.picture.doubt_w, 500 * KW - rig.gpus_w / 2);
	rig_run(&rig, 30000);
	assert_int_equal(rig.wakes, 0);
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

/* Another one after a reload, or at another address. */
static void a_site_meter_that_is_new_gets_its_time_to_answer(void **unused)
{
	for (int gpu_meters = 0; gpu_meters < 2; gpu_meters++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.conf.n_meters = gpu_meters ? 3 : 1;
		rig.conf.n_meter_groups = gpu_meters ? 2 : 1;
		rig_run(&rig, 60000);
		rig.sleeps = 0;
		policy_forget_meters(&rig.state);
		rig.mute[RIG_MAIN] = true;
		rig.meters[RIG_MAIN] = (struct meter_reading){ .at_ms = rig.now_ms };
		rig_run(&rig, 1500);
		assert_int_equal(rig.sleeps, 0);
		assert_false(rig.out.picture.failsafe);
		rig.mute[RIG_MAIN] = false;
		rig_run(&rig, 10000);
		assert_int_equal(rig.sleeps, 0);
		policy_forget_meters(&rig.state);
		rig.mute[RIG_MAIN] = true;      /* this one does not answer */
		rig.meters[RIG_MAIN] = (struct meter_reading){ .at_ms = rig.now_ms };
		rig_run(&rig, 5000);
		assert_int_equal(rig.out.picture.failsafe, !gpu_meters);
		assert_true(rig.sleeps > 0);
	}
	(void)unused;
}

/* Two feeders: what one of them shows is not the site. */
static void a_site_is_the_sum_of_its_feeders_or_unknown(void **unused)
{
	struct rig rig;
	rig_init(&rig, 300 * KW, 20);
	rig.meter_group[RIG_SPARE] = RIG_SITE;
	rig.conf.n_meters = 4;
	rig_run(&rig, 5000);
	assert_int_equal(rig.out.picture.site_w, 2 * 300 * KW + 60 * KW);
	rig.mute[RIG_SPARE] = true;
	rig_run(&rig, 2250);
	assert_false(rig.out.picture.site_known);
	assert_int_equal(rig.out.picture.site_w, POLICY_NONE);
	rig_init(&rig, 300 * KW, 20);
	rig.meter_group[RIG_SPARE] = RIG_SITE;
	rig.conf.n_meters = 4;
	rig.mute[RIG_MAIN] = true;              /* never heard */
	rig_run(&rig, 5000);
	assert_false(rig.out.picture.site_known);
	(void)unused;
}

static void without_the_site_meter_nothing_is_woken(void **unused)
{
	struct rig rig;
	begin(&rig, 10);
	rig.gpus_w -= 200 * KW;
	rig_run(&rig, 2000);
	rig.mute[RIG_MAIN] = true;
	rig_run(&rig, 200000);
	assert_int_equal(rig.wakes, 0);
	assert_false(rig.out.picture.site_known);
	assert_int_equal(rig.out.picture.site_w, POLICY_NONE);
	rig.gpus_w += 230 * KW;                 /* the GPU meters still tell */
	rig_step(&rig);
	assert_string_equal(reason_name(rig.out.reason), "cap");
	assert_int_equal(rig.sleeps, 10);
	rig.gpus_w -= 230 * KW;
	rig_run(&rig, 70000);
	rig.mute[RIG_MAIN] = false;
	rig_run(&rig, 9500);                    /* it must have been watched for a while */
	assert_int_equal(rig.wakes, 0);
	rig_run(&rig, 70000);
	assert_true(rig.wakes > 0);
	(void)unused;
}

/* What is neither GPUs nor miners is as learned, and a fifth more; so much is unsure, too, of what miners moved since. */
static void the_figures_of_a_site_without_its_meter(void **unused)
{
	struct rig rig;
	rig_init(&rig, 600 * KW, 20);
	rig.house_w = 30 * KW;
	rig.conf.target_w = 690 * KW;
	rig_run(&rig, 75000);
	assert_int_equal(rig.out.picture.other_w, 30 * KW);
	rig.mute[RIG_MAIN] = true;
	rig_run(&rig, 2250);
	assert_int_equal(rig.out.picture.load_w, 630 * KW + 30 * KW / 5);
	assert_string_equal(binding_name(rig.out.binding), "target");
	assert_int_equal(rig.sleeps, 2);
	rig_run(&rig, 20000);
	assert_int_equal(rig.out.picture.load_w, 630 * KW + 30 * KW / 5 + (int64_t)rig.sleeps * RIG_MINER_W / 5);
	rig_init(&rig, 600 * KW, 20);           /* never measured: a fifth of all */
	rig.mute[RIG_MAIN] = true;
	rig_run(&rig, 2500);
	assert_int_equal(rig.out.picture.load_w, 600 * KW + 60 * KW / 5);
	(void)unused;
}

static void failsafe_is_the_cap_less_all_nameplates(void **unused)
{
	static const struct { int64_t nameplate_w; uint32_t left; } rows[] = { { 450 * KW, 80 / 3 }, { 489 * KW, 0 }, { 600 * KW, 0 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.meter_groups[RIG_PDU].nameplate_w = rows[i].nameplate_w;
		rig.mute[RIG_MAIN] = true;
		rig_run(&rig, 4000);
		assert_false(rig.out.picture.failsafe);
		assert_int_equal(rig.sleeps, 0);
		rig.mute[RIG_PDU_2] = true;
		rig_run(&rig, 3250);
		assert_string_equal(reason_name(rig.out.reason), "failsafe");
		assert_string_equal(binding_name(rig.out.binding), "meter_lost");
		assert_true(rig.out.picture.failsafe);
		assert_int_equal(rig.sleeps, ALL - rows[i].left);
		rig_run(&rig, 60000);
		assert_int_equal(rig.wakes, 0);
		rig.mute[RIG_MAIN] = rig.mute[RIG_PDU_2] = false;
		rig_step(&rig);
		assert_false(rig.out.picture.failsafe);
	}
	(void)unused;
}

static void failsafe_without_gpu_meters_is_no_miner(void **unused)
{
	struct rig rig;
	rig_init(&rig, 100 * KW, ALL);
	rig.conf.n_meter_groups = rig.conf.n_meters = 1;
	rig_run(&rig, 20000);
	assert_int_equal(rig.sleeps, 0);
	rig.mute[RIG_MAIN] = true;
	rig_run(&rig, 2250);
	assert_int_equal(rig.sleeps, ALL);
	assert_string_equal(reason_name(rig.out.reason), "failsafe");
	(void)unused;
}

static void a_frozen_site_meter_is_no_meter(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	int64_t frozen_w = rig.out.picture.site_w;
	for (int64_t ms = 0; ms < 60000; ms += RIG_STEP_MS) {
		if (ms == 20000)
			rig.gpus_w += 40 * KW;
		rig.now_ms += RIG_STEP_MS;
		rig_read(&rig);
		rig.meters[RIG_MAIN].import_w = frozen_w;
		rig_decide(&rig);
		assert_int_equal(rig.out.picture.site_known, ms < 20000 + RIG_STEP_MS);   /* told again since the rest moved */
	}
	assert_in_range(rig.sleeps, 14, 40);
	assert_int_equal(rig.wakes, 0);
	(void)unused;
}

/* Asked every eleven seconds, it says the same for eleven seconds, whatever the GPUs do. */
static void a_meter_that_is_asked_seldom_is_not_frozen(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.meter_groups[RIG_SITE].stale_ms = 30000;
	int64_t gpus_w = rig.gpus_w;
	for (int64_t k = 0; k < 1200000 / RIG_STEP_MS; k++) {
		int64_t ms = k * RIG_STEP_MS;
		rig.gpus_w = gpus_w - (ms / 60000 % 2 ? 60 * KW : 0) - k * 7919 % 401;
		rig.mute[RIG_MAIN] = ms % 11000 >= RIG_STEP_MS;
		rig_step(&rig);
		assert_false(rig.state.frozen);
	}
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

/* A value that stands still proves nothing for ten seconds, nor does what the GPU meters bring in late. */
static void a_still_site_is_no_frozen_meter(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.gpus_w -= 90 * KW;
	rig_step(&rig);
	int64_t still_w = rig.out.picture.site_w;
	for (int64_t ms = 0; ms < 30000; ms += RIG_STEP_MS) {
		rig.now_ms += RIG_STEP_MS;
		rig_read(&rig);
		rig.meters[RIG_MAIN].import_w = still_w;
		if (ms < 2000)                  /* they still show what was before */
			rig.meters[RIG_PDU_1].import_w += 45 * KW;
		if (ms >= 5000 && ms < 9000)    /* and this is one's moment of madness */
			rig.meters[RIG_PDU_1].import_w += 45 * KW;
		rig_decide(&rig);
		assert_true(rig.out.picture.site_known);
	}
	(void)unused;
}

/* Miners that make up for the GPUs hold it still, and at start the rest comes in bit by bit. */
static void a_site_held_still_is_no_frozen_meter(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig_run(&rig, 15000);
	rig.gpus_w += 10 * RIG_MINER_W;
	for (uint32_t m = 0; m < 10; m++) {
		rig.miners[m].hash = false;
		rig.miners[m].to_w = 0;
	}
	for (int i = 0; i < 80; i++) {
		rig_step(&rig);
		assert_true(rig.out.picture.site_known);
	}
	rig_init(&rig, 900 * KW, 0);
	for (int i = 0; i < 80; i++) {
		rig.now_ms += RIG_STEP_MS;
		rig_read(&rig);
		for (uint32_t m = 0; m < 20 && i < 48; m++)
			rig.seen[m].reading.fault = FAULT_NEVER;
		rig_decide(&rig);
		assert_true(rig.out.picture.site_known);
	}
	(void)unused;
}

/* While the site's meter is late the GPU meters carry it forward. */
static void a_late_site_meter_is_carried_forward(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.house_w = 10;
	rig_step(&rig);
	rig.mute[RIG_MAIN] = true;
	rig.gpus_w += 60 * KW;
	rig_run(&rig, 1000);
	assert_int_equal(rig.sleeps, 0);
	rig_step(&rig);
	assert_true(rig.out.picture.site_known);
	assert_int_equal(rig.sleeps, 20);
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

/* ---- start ---- */

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

/* A site's meter that is read every few seconds: miners that have followed since are still in what it showed. */
static void what_was_measured_before_miners_fell_is_no_load(void **unused)
{
	for (int every = 4; every <= 20; every *= 2) {
		struct rig rig;
		int64_t most_w = 0;
		begin(&rig, ALL);
		rig.meter_groups[RIG_SITE].stale_ms = 15000;
		rig.gpus_w += 150 * KW;
		for (int k = 0; k < 240; k++) {
			rig.mute[RIG_MAIN] = k % every != 0;
			rig_step(&rig);
			most_w = rig.out.picture.load_w > most_w ? rig.out.picture.load_w : most_w;
		}
		assert_in_range(most_w, rig.gpus_w, rig.gpus_w + 5 * KW);
		assert_in_range(rig.sleeps, 50, 52);
		assert_true(rig_miners_w(&rig) + rig.gpus_w <= RIG_CAP_W);
	}
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_pdu_is_taken_at_its_nameplate),
		cmocka_unit_test(a_pdu_never_heard_is_doubted_whole),
		cmocka_unit_test(a_pdu_that_is_new_gets_its_time_to_answer),
		cmocka_unit_test(a_pause_of_ours_is_no_silence_of_theirs),
		cmocka_unit_test(an_order_is_obeyed_right_after_a_pause),
		cmocka_unit_test(who_is_silent_after_a_pause_counts_as_silent),
		cmocka_unit_test(stalls_hide_nothing),
		cmocka_unit_test(nothing_waits_for_long_after_a_pause),
		cmocka_unit_test(a_pause_excuses_no_older_silence),
		cmocka_unit_test(a_nameplate_below_the_truth_lowers_nothing),
		cmocka_unit_test(a_backup_stands_in_while_it_is_whole),
		cmocka_unit_test(a_backup_of_a_backup_stands_in_for_both),
		cmocka_unit_test(a_site_meter_that_is_new_gets_its_time_to_answer),
		cmocka_unit_test(a_site_is_the_sum_of_its_feeders_or_unknown),
		cmocka_unit_test(without_the_site_meter_nothing_is_woken),
		cmocka_unit_test(the_figures_of_a_site_without_its_meter),
		cmocka_unit_test(failsafe_is_the_cap_less_all_nameplates),
		cmocka_unit_test(failsafe_without_gpu_meters_is_no_miner),
		cmocka_unit_test(a_frozen_site_meter_is_no_meter),
		cmocka_unit_test(a_meter_that_is_asked_seldom_is_not_frozen),
		cmocka_unit_test(what_cannot_be_true_counts_as_silence),
		cmocka_unit_test(a_still_site_is_no_frozen_meter),
		cmocka_unit_test(a_site_held_still_is_no_frozen_meter),
		cmocka_unit_test(a_late_site_meter_is_carried_forward),
		cmocka_unit_test(ages_are_of_the_oldest_reading_used),
		cmocka_unit_test(what_was_measured_before_miners_fell_is_no_load),
		cmocka_unit_test(at_start_meters_come_in_one_by_one),
		cmocka_unit_test(at_start_meters_get_their_time),
		cmocka_unit_test(at_start_it_sheds_at_once_but_wakes_none_unheard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
