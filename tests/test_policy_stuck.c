/* Partial power by example: miners that do not rise to what they are told, or lower themselves again. */
#include "tests/policy_says.h"

#define KW 1000
#define SEC 1000
#define ALL RIG_MINERS

static void set_up(struct rig *rig)
{
	rig_init(rig, 700 * KW, ALL);
	rig_partial(rig, 0, 1000);
	rig_partial(rig, 1, 1000);
}

/* Half of them. */
static void hash_at(struct rig *rig, int32_t watts)
{
	for (uint32_t m = 0; m < ALL / 2; m++)
		rig->miners[m].from_w = rig->miners[m].to_w = watts;
}

/* GPUs that are never quite still. */
static void run_restless(struct rig *rig, int64_t ms)
{
	int64_t gpus_w = rig->gpus_w;
	for (int64_t end_ms = rig->now_ms + ms; rig->now_ms < end_ms; rig_step(rig))
		rig->gpus_w = gpus_w - rig->now_ms * 7919 % 401;
	rig->gpus_w = gpus_w;
}

/* Its owner's limit, or a board gone: it is told three times an hour, and else counts as what it draws, until that is more. */
static void who_hashes_at_no_more_is_not_asked_for_ever(void **unused)
{
	struct rig rig;
	set_up(&rig);
	for (uint32_t m = 0; m < ALL / 2; m++)
		rig.miners[m].deaf_to_power = true;
	hash_at(&rig, 2 * KW);
	run_restless(&rig, 50 * 60 * SEC);
	assert_int_equal(rig.powers, 3 * ALL / 2);
	assert_in_range(rig.out.picture.headroom_w, 119 * KW, 121 * KW);
	assert_int_equal(rig.state.fusion.on_hpc.lie, LIE_NONE);
	run_restless(&rig, 60 * 60 * SEC);
	assert_int_equal(rig.powers, 2 * 3 * ALL / 2);
	hash_at(&rig, 3 * KW);
	run_restless(&rig, 60 * SEC);
	for (uint32_t m = 0; m < ALL / 2; m++)
		assert_int_equal(rig.tracks[m].awake_w, 3 * KW);
	(void)unused;
}

/* Too hot at its full power, it lowers itself half a minute after it was raised: three times an hour, not a hundred. */
static void who_lowers_itself_is_left_where_it_is(void **unused)
{
	struct rig rig;
	set_up(&rig);
	rig_run(&rig, 60 * SEC);
	for (int k = 0; k < 45; k++) {
		hash_at(&rig, 2 * KW);
		for (uint32_t m = 0; m < ALL / 2; m++)
			rig.miners[m].hash = true;
		run_restless(&rig, 30 * SEC);
		assert_true(rig.powers <= 3 * ALL / 2);
	}
	assert_int_equal(rig.powers, 3 * ALL / 2);
	assert_int_equal(rig.state.fusion.on_hpc.lie, LIE_NONE);
	run_restless(&rig, 60 * 60 * SEC);
	assert_int_equal(rig.powers, 4 * ALL / 2);
	assert_int_equal(rig_miners_w(&rig), ALL * RIG_MINER_W);
	(void)unused;
}

/* Told to sleep meanwhile, it has cooled: what it is woken into is what it may draw, not what it drew when it was hot. So counts
 * one that falls silent. */
static void who_lowered_itself_is_woken_for_its_most(void **unused)
{
	struct rig rig;
	set_up(&rig);
	rig_run(&rig, 60 * SEC);
	for (int k = 0; k < 4; k++) {
		hash_at(&rig, 1200);
		run_restless(&rig, 30 * SEC);
	}
	assert_int_equal(rig.powers, 3 * ALL / 2);
	assert_int_equal(rig.tracks[0].awake_w, RIG_MINER_W);
	rig.miners[0].mute = true;
	run_restless(&rig, 70 * SEC);
	assert_int_equal(rig.tracks[0].phase, PHASE_UNREACHABLE);
	assert_int_equal(rig.tracks[0].drawn_w, RIG_MINER_W);
	rig.demand.miners_w = rig.demand.miners_soon_w = 0;
	rig.demand.shed = true;
	run_restless(&rig, 30 * SEC);
	rig.demand = rig_no_demand();
	rig.gpus_w = 860 * KW;
	for (int k = 0; k < 240; k++) {
		run_restless(&rig, SEC);
		assert_true(rig.gpus_w + rig_miners_w(&rig) <= ROOM_W + 3 * KW);
	}
	assert_true(rig.wakes > 30);
	(void)unused;
}

/* Down it goes as any: nobody sleeps for what less power does. */
static void who_does_not_rise_is_lowered_all_the_same(void **unused)
{
	struct rig rig;
	set_up(&rig);
	rig_run(&rig, 60 * SEC);
	for (int k = 0; k < 4; k++) {
		hash_at(&rig, 2 * KW);
		run_restless(&rig, 30 * SEC);
	}
	assert_int_equal(rig_miners_w(&rig), ALL / 2 * (2 + 3) * KW);
	rig.conf.target_w = 700 * KW + ALL * KW;
	run_restless(&rig, 60 * SEC);
	assert_int_equal(rig.sleeps, 0);
	assert_in_range(rig_miners_w(&rig), ALL * KW, ALL * KW + 500);
	(void)unused;
}

/* It took orders again before it was asked: nothing of it is lost for longer than an hour. */
static void who_rises_again_is_used_again(void **unused)
{
	struct rig rig;
	set_up(&rig);
	for (uint32_t m = 0; m < ALL / 2; m++)
		rig.miners[m].deaf_to_power = true;
	hash_at(&rig, 2 * KW);
	run_restless(&rig, 5 * 60 * SEC);
	for (uint32_t m = 0; m < ALL / 2; m++)
		rig.miners[m].deaf_to_power = false;
	run_restless(&rig, 30 * 60 * SEC);
	assert_int_equal(rig_miners_w(&rig), ALL / 2 * (2 + 3) * KW);
	run_restless(&rig, 30 * 60 * SEC);
	assert_int_equal(rig_miners_w(&rig), ALL * RIG_MINER_W);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_hashes_at_no_more_is_not_asked_for_ever),
		cmocka_unit_test(who_lowers_itself_is_left_where_it_is),
		cmocka_unit_test(who_lowered_itself_is_woken_for_its_most),
		cmocka_unit_test(who_does_not_rise_is_lowered_all_the_same),
		cmocka_unit_test(who_rises_again_is_used_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
