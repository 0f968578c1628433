/* The control law by example, where the site's own meter is silent, late, frozen or new. */
#include "tests/policy_says.h"

#define KW 1000
#define ALL RIG_MINERS

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
		cmocka_unit_test(a_site_meter_that_is_new_gets_its_time_to_answer),
		cmocka_unit_test(a_site_is_the_sum_of_its_feeders_or_unknown),
		cmocka_unit_test(without_the_site_meter_nothing_is_woken),
		cmocka_unit_test(the_figures_of_a_site_without_its_meter),
		cmocka_unit_test(failsafe_is_the_cap_less_all_nameplates),
		cmocka_unit_test(failsafe_without_gpu_meters_is_no_miner),
		cmocka_unit_test(a_frozen_site_meter_is_no_meter),
		cmocka_unit_test(a_meter_that_is_asked_seldom_is_not_frozen),
		cmocka_unit_test(a_still_site_is_no_frozen_meter),
		cmocka_unit_test(a_site_held_still_is_no_frozen_meter),
		cmocka_unit_test(a_late_site_meter_is_carried_forward),
		cmocka_unit_test(what_was_measured_before_miners_fell_is_no_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
