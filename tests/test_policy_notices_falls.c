/* What the control law makes of falls that are told beforehand, and of dips: a fall, and the rise that ends it. */
#include "tests/notices_play.h"

static void an_announced_fall_is_filled_sooner(void **unused)
{
	struct play with, without;
	open_play(&with, 20);
	open_play(&without, 20);
	notice(&with, "end", AT, -100 * KW, 2 * SEC);
	move(&with, AT, -100 * KW, 2 * SEC);
	move(&without, AT, -100 * KW, 2 * SEC);
	run_to(&with, 180 * SEC);
	run_to(&without, 180 * SEC);
	assert_int_equal(with.over_ms, 0);
	assert_int_equal(with.trues, 1);
	assert_true(with.off_wms < without.off_wms * 2 / 3);
	assert_in_range(rig_miners_w(&with.rig), 60 * KW + 96 * KW, 60 * KW + 100 * KW);
	(void)unused;
}

static void a_fall_that_does_not_come_wakes_nobody(void **unused)
{
	struct play play;
	open_play(&play, 20);
	notice(&play, "end", AT, -100 * KW, 2 * SEC);
	run_to(&play, 180 * SEC);
	assert_int_equal(play.rig.wakes, 0);
	assert_int_equal(play.falses, 1);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

static void a_dip_at_that_time_is_no_fall(void **unused)
{
	struct play play;
	open_play(&play, 20);
	notice(&play, "end", AT, -100 * KW, 2 * SEC);
	move(&play, AT, -100 * KW, SEC);
	move(&play, AT + 13 * SEC, 100 * KW, SEC);
	run_to(&play, 180 * SEC);
	assert_int_equal(play.rig.wakes, 0);
	assert_int_equal(play.falses, 1);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

static void announce_dip(struct play *play, int64_t at_ms, int64_t lasts_ms, int64_t falls_w, int64_t rises_w)
{
	notice(play, "pause", at_ms, -falls_w, SEC);
	notice(play, "resume", at_ms + lasts_ms, rises_w, SEC);
}

/* The load only comes back to where it was: nobody is sent to sleep for it, and nobody is woken who would have to go again. */
static void an_announced_dip_moves_nobody(void **unused)
{
	static const int64_t lasts_ms[] = { 9 * SEC, 14 * SEC, 20 * SEC, 30 * SEC };
	for (size_t i = 0; i < sizeof(lasts_ms) / sizeof(*lasts_ms); i++)
		for (uint32_t awake = 20; awake <= ALL; awake += ALL - 20) {
			struct play play;
			open_play(&play, awake);
			announce_dip(&play, AT, lasts_ms[i], 100 * KW, 100 * KW);
			move(&play, AT, -100 * KW, SEC);
			move(&play, AT + lasts_ms[i], 100 * KW, SEC);
			run_to(&play, 180 * SEC);
			assert_int_equal(play.rig.sleeps + play.rig.wakes, 0);
			assert_int_equal(play.trues, 2);
			assert_int_equal(play.over_ms, 0);
		}
	(void)unused;
}

/* It is waited for whether the fall comes, but no longer than it takes to be down before the rise. */
static void a_rise_after_a_fall_that_did_not_come_is_planned_for(void **unused)
{
	for (int64_t lasts_ms = SEC; lasts_ms <= 40 * SEC; lasts_ms += 500) {
		struct play play;
		open_play(&play, ALL);
		announce_dip(&play, AT, lasts_ms, 100 * KW, 100 * KW);
		move(&play, AT + lasts_ms, 100 * KW, SEC);
		run_to(&play, 180 * SEC);
		assert_int_equal(play.over_ms, 0);
		assert_true(play.most_site_w <= RIG_CAP_W);
	}
	(void)unused;
}

static void a_rise_beyond_the_dip_is_planned_for(void **unused)
{
	for (int64_t lasts_ms = 3 * SEC; lasts_ms <= 40 * SEC; lasts_ms += 500) {
		struct play play;
		open_play(&play, ALL);
		announce_dip(&play, AT, lasts_ms, 40 * KW, 100 * KW);
		move(&play, AT, -40 * KW, SEC);
		move(&play, AT + lasts_ms, 100 * KW, SEC);
		run_to(&play, 180 * SEC);
		assert_int_equal(play.over_ms, 0);
	}
	(void)unused;
}

/* Dips told one after the other are no reason to leave miners asleep for ever. */
static void between_announced_dips_miners_are_woken(void **unused)
{
	struct play play;
	open_play(&play, 20);
	play.base_w -= 100 * KW;
	for (int i = 0; i < 6; i++) {
		int64_t at_ms = AT + i * 40 * SEC;
		announce_dip(&play, at_ms, 9 * SEC, 60 * KW, 60 * KW);
		play.moves[0] = (struct load_move){ at_ms, -60 * KW, SEC };
		play.moves[1] = (struct load_move){ at_ms + 9 * SEC, 60 * KW, SEC };
		run_to(&play, at_ms + 20 * SEC);
	}
	assert_in_range(rig_miners_w(&play.rig), 60 * KW + 96 * KW, 60 * KW + 100 * KW);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

/* Where the target leaves room under the cap, miners come up while the GPUs go down. */
static void a_set_point_is_held_through_a_fall(void **unused)
{
	struct play plays[2];
	for (int told = 0; told < 2; told++) {
		struct play *play = &plays[told];
		open_play(play, 20);
		play->rig.conf.target_w = ROOM_W;
		play->rig.conf.cap_w = RIG_CAP_W + 200 * KW;
		if (told)
			notice(play, "end", AT, -60 * KW, 10 * SEC);
		move(play, AT, -60 * KW, 10 * SEC);
		run_to(play, 180 * SEC);
		assert_true(play->most_site_w <= ROOM_W + 60 * KW);
	}
	assert_true(plays[1].off_wms < plays[0].off_wms / 3);
	(void)unused;
}

static void a_set_point_is_missed_by_a_false_fall_but_never_the_cap(void **unused)
{
	struct play play;
	open_play(&play, 20);
	play.rig.conf.target_w = ROOM_W;
	play.rig.conf.cap_w = RIG_CAP_W + 40 * KW;
	notice(&play, "end", AT, -150 * KW, 2 * SEC);
	run_to(&play, AT + 100 * SEC);
	assert_int_equal(play.over_ms, 0);
	assert_true(play.most_site_w > ROOM_W && play.most_site_w <= RIG_CAP_W + 40 * KW - RIG_RESERVE_W);
	assert_in_range(rig_miners_w(&play.rig), 55 * KW, 62 * KW);
	(void)unused;
}

/* One job ends where another begins: both told, and nothing moves. */
static void what_cancels_out_came_true(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "end", AT, -100 * KW, 2 * SEC);
	notice(&play, "begin", AT + 5 * SEC, 90 * KW, 2 * SEC);
	run_to(&play, 180 * SEC);
	assert_int_equal(play.trues, 2);
	assert_int_equal(play.over_ms, 0);
	assert_true(play.least_miners_w >= 192 * KW - 93 * KW);
	assert_int_equal(rig_miners_w(&play.rig), 192 * KW);
	(void)unused;
}

/* Nobody saw them at their time: but the rise may yet come, and the fall may not. */
static void a_late_rise_whose_fall_fails_never_costs_the_cap(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "end", AT, -100 * KW, 2 * SEC);
	notice(&play, "begin", AT + 1 * SEC, 100 * KW, 2 * SEC);
	move(&play, AT + 20 * SEC, 100 * KW, 2 * SEC);
	run_to(&play, 180 * SEC);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

static void of_two_that_contradict_the_rise_is_planned_for(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "end", AT, -100 * KW, 2 * SEC);
	notice(&play, "begin", AT, 100 * KW, 2 * SEC);
	move(&play, AT, 100 * KW, 2 * SEC);
	run_to(&play, 180 * SEC);
	assert_int_equal(play.over_ms, 0);
	assert_int_equal(play.trues, 1);
	assert_int_equal(play.falses, 1);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_announced_fall_is_filled_sooner),
		cmocka_unit_test(a_fall_that_does_not_come_wakes_nobody),
		cmocka_unit_test(a_dip_at_that_time_is_no_fall),
		cmocka_unit_test(an_announced_dip_moves_nobody),
		cmocka_unit_test(a_rise_after_a_fall_that_did_not_come_is_planned_for),
		cmocka_unit_test(a_rise_beyond_the_dip_is_planned_for),
		cmocka_unit_test(between_announced_dips_miners_are_woken),
		cmocka_unit_test(a_set_point_is_held_through_a_fall),
		cmocka_unit_test(a_set_point_is_missed_by_a_false_fall_but_never_the_cap),
		cmocka_unit_test(what_cancels_out_came_true),
		cmocka_unit_test(a_late_rise_whose_fall_fails_never_costs_the_cap),
		cmocka_unit_test(of_two_that_contradict_the_rise_is_planned_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
