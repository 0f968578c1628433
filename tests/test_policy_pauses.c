/* The control law by example, after pauses of its own: they are no silence of the meters', and hide none. */
#include "tests/policy_says.h"

#define KW 1000
#define ALL RIG_MINERS

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pause_of_ours_is_no_silence_of_theirs),
		cmocka_unit_test(an_order_is_obeyed_right_after_a_pause),
		cmocka_unit_test(who_is_silent_after_a_pause_counts_as_silent),
		cmocka_unit_test(stalls_hide_nothing),
		cmocka_unit_test(nothing_waits_for_long_after_a_pause),
		cmocka_unit_test(a_pause_excuses_no_older_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
