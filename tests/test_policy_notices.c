/* What the control law makes of rises that are told beforehand: true ones, false ones, and everything between. */
#include "tests/notices_play.h"

#include "policy/internal.h"

static void an_unannounced_rise_is_over_the_cap_for_a_while(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	move(&play, AT, 100 * KW, 2 * SEC);
	run_to(&play, 60 * SEC);
	assert_true(play.over_ms >= 2 * SEC);
	(void)unused;
}

static void announced_it_never_is(void **unused)
{
	static const int64_t over_ms[] = { 0, 2 * SEC, 10 * SEC, 60 * SEC };
	for (size_t i = 0; i < 4; i++) {
		struct play play;
		open_play(&play, ALL);
		notice(&play, "job-77", AT, 100 * KW, over_ms[i]);
		move(&play, AT, 100 * KW, over_ms[i]);
		run_to(&play, AT - 13 * SEC);
		assert_int_equal(play.rig.sleeps, 0);   /* no hash is lost before its time */
		run_to(&play, 180 * SEC);
		assert_int_equal(play.over_ms, 0);
		assert_int_equal(play.trues, 1);
		assert_int_equal(play.falses, 0);
		assert_in_range(play.rig.out.picture.site_w, ROOM_W - 4 * KW, ROOM_W + 3 * KW);
	}
	(void)unused;
}

/* 50 kW are told of, and another job comes with them: it is seen as it would be if nobody had told anything. */
static void what_comes_on_top_is_news(void **unused)
{
	enum { BEGIN = 12 * 60 * SEC };         /* a reserve has been learned by then */
	int64_t over_ms[2];
	for (int told = 0; told < 2; told++) {
		struct play play;
		open_play(&play, ALL);
		play.rig.conf.reserve_w = POLICY_NONE;
		move(&play, BEGIN, 50 * KW, 60 * SEC);
		move(&play, BEGIN + 10 * SEC, 100 * KW, 5 * SEC);
		run_to(&play, BEGIN - 30 * SEC);
		if (told)
			notice(&play, "job-77", BEGIN, 50 * KW, 60 * SEC);
		run_to(&play, BEGIN + 120 * SEC);
		over_ms[told] = play.over_ms;
	}
	assert_in_range(over_ms[1], SEC, over_ms[0] + SEC / 2);
	(void)unused;
}

static void the_decision_says_that_it_was_announced(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "job-77", AT, 100 * KW, 0);
	while (!play.rig.out.n_commands)
		turn(&play);
	assert_did(&play.rig, -102 * KW, REASON_CAP, BINDING_PLAN);
	assert_int_equal(play.rig.out.picture.announced_w, 100 * KW);
	assert_string_equal(binding_name(play.rig.out.binding), "plan");
	(void)unused;
}

static void miners_are_not_down_long_before_it(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "job-77", AT, 100 * KW, 0);
	run_to(&play, AT - 11 * SEC);
	assert_int_equal(play.rig.sleeps, 0);
	run_to(&play, AT);
	assert_in_range(rig_miners_w(&play.rig), 192 * KW - 103 * KW, 192 * KW - 100 * KW);
	(void)unused;
}

static void a_slow_fleet_is_told_sooner(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	play.rig.miner_groups[1].sleep = (struct policy_response){ 10 * SEC, 10 * SEC };
	notice(&play, "job-77", AT, 100 * KW, 0);
	move(&play, AT, 100 * KW, 0);
	run_to(&play, AT - 20 * SEC);
	assert_in_range(play.rig.sleeps, 33, 35);
	run_to(&play, 120 * SEC);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

static void one_that_does_not_come_costs_its_size_for_a_while(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "job-77", AT, 100 * KW, 10 * SEC);
	run_to(&play, AT + 29 * SEC);
	assert_int_equal(play.falses, 0);
	assert_in_range(play.least_miners_w, 192 * KW - 103 * KW, 192 * KW - 97 * KW);
	run_to(&play, AT + 41 * SEC);
	assert_int_equal(play.falses, 1);
	run_to(&play, AT + 80 * SEC);
	assert_int_equal(rig_miners_w(&play.rig), 192 * KW);
	assert_int_equal(play.over_ms, 0);
	assert_in_range(play.rig.sleeps, 33, 35);
	assert_int_equal(play.rig.wakes, play.rig.sleeps);
	(void)unused;
}

static void early_and_late_ones_count(void **unused)
{
	static const int64_t off_ms[] = { -4 * SEC, 0, 10 * SEC, 25 * SEC };
	for (size_t i = 0; i < 4; i++) {
		struct play play;
		open_play(&play, ALL);
		notice(&play, "job-77", AT, 100 * KW, 2 * SEC);
		move(&play, AT + off_ms[i], 100 * KW, 2 * SEC);
		run_to(&play, 180 * SEC);
		assert_int_equal(play.over_ms, 0);
		assert_int_equal(play.trues, 1);
	}
	(void)unused;
}

/* Far off its time it helps nobody, and is no worse than none. */
static void one_far_off_is_no_worse_than_none(void **unused)
{
	static const int64_t off_ms[] = { -20 * SEC, -12 * SEC, -8 * SEC, 33 * SEC, 60 * SEC };
	for (size_t i = 0; i < 5; i++) {
		struct play with, without;
		open_play(&with, ALL);
		open_play(&without, ALL);
		notice(&with, "job-77", AT, 100 * KW, 2 * SEC);
		move(&with, AT + off_ms[i], 100 * KW, 2 * SEC);
		move(&without, AT + off_ms[i], 100 * KW, 2 * SEC);
		run_to(&with, 300 * SEC);
		run_to(&without, 300 * SEC);
		assert_true(with.over_ms <= without.over_ms);
		assert_true(with.most_site_w <= without.most_site_w);
		assert_int_equal(with.book.n, 0);
	}
	(void)unused;
}

static void half_of_it_is_not_it(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "job-77", AT, 100 * KW, 2 * SEC);
	move(&play, AT, 50 * KW, 2 * SEC);
	run_to(&play, 180 * SEC);
	assert_int_equal(play.over_ms, 0);
	assert_int_equal(play.falses, 1);
	assert_in_range(rig_miners_w(&play.rig), 192 * KW - 54 * KW, 192 * KW - 48 * KW);
	(void)unused;
}

static void ten_at_once_add_up(void **unused)
{
	struct play play;
	char id[16];
	open_play(&play, ALL);
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof(id), "job-%d", i);
		notice(&play, id, AT, 15 * KW, 2 * SEC);
	}
	move(&play, AT, 150 * KW, 2 * SEC);
	run_to(&play, AT + 35 * SEC);
	assert_int_equal(play.over_ms, 0);
	assert_int_equal(play.trues, 10);
	(void)unused;
}

static void of_ten_as_many_come_true_as_did(void **unused)
{
	struct play play;
	char id[16];
	open_play(&play, ALL);
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof(id), "job-%d", i);
		notice(&play, id, AT, 15 * KW, 2 * SEC);
	}
	move(&play, AT, 60 * KW, 2 * SEC);
	run_to(&play, AT + 35 * SEC);
	assert_int_equal(play.over_ms, 0);
	assert_int_equal(play.trues, 4);
	assert_int_equal(play.falses, 6);
	(void)unused;
}

static void one_after_the_other(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "b", AT + 15 * SEC, 50 * KW, 2 * SEC);
	notice(&play, "a", AT, 60 * KW, 2 * SEC);
	move(&play, AT, 60 * KW, 2 * SEC);
	move(&play, AT + 15 * SEC, 50 * KW, 2 * SEC);
	run_to(&play, 180 * SEC);
	assert_int_equal(play.over_ms, 0);
	assert_int_equal(play.trues, 2);
	(void)unused;
}

static void a_huge_one_sheds_all_and_lets_go(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "huge", AT, ORDER_MOST_W, NOTICE_MOST_OVER_MS);
	notice(&play, "huger", AT, ORDER_MOST_W, 0);
	run_to(&play, AT + 29 * SEC);
	assert_int_equal(rig_miners_w(&play.rig), 0);
	run_to(&play, AT + 3600 * SEC);
	assert_int_equal(play.falses, 2);
	assert_int_equal(rig_miners_w(&play.rig), 192 * KW);
	assert_int_equal(play.over_ms, 0);
	assert_true(play.rig.sleeps <= 2 * ALL);
	(void)unused;
}

/* A job of an hour's ramp that never starts is dropped when it should be a quarter there, and costs no more. */
static void a_long_ramp_is_dropped_on_its_way(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "slow", AT, 100 * KW, 400 * SEC);
	run_to(&play, AT + 129 * SEC);
	assert_int_equal(play.falses, 0);
	assert_true(play.least_miners_w >= 192 * KW - 40 * KW);
	run_to(&play, AT + 132 * SEC);
	assert_int_equal(play.falses, 1);
	(void)unused;
}

static void no_miner_is_woken_for_a_minute(void **unused)
{
	struct play play;
	open_play(&play, 0);
	play.base_w -= 60 * KW;
	run_to(&play, 55 * SEC);
	notice(&play, "job", 85 * SEC, 60 * KW, 0);
	move(&play, 85 * SEC, 60 * KW, 0);
	run_to(&play, 140 * SEC);
	assert_int_equal(play.rig.wakes, 0);
	assert_int_equal(play.over_ms, 0);
	(void)unused;
}

static void the_reserve_learns_nothing_of_what_was_announced(void **unused)
{
	for (int told = 0; told < 2; told++) {
		struct play play;
		open_play(&play, ALL);
		play.rig.conf.reserve_w = POLICY_NONE;
		for (int i = 0; i < 12; i++) {
			int64_t at_ms = AT + i * 200 * SEC;
			play.moves[0] = (struct load_move){ at_ms, 100 * KW, 0 };
			play.moves[1] = (struct load_move){ at_ms + 60 * SEC, -100 * KW, 0 };
			if (told)
				notice(&play, "job", at_ms, 100 * KW, 0);
			run_to(&play, at_ms + 150 * SEC);
		}
		if (told)
			assert_true(play.rig.out.picture.rise_w < 40 * KW);
		else
			assert_true(play.rig.out.picture.rise_w > 80 * KW);
	}
	(void)unused;
}

/* Of jobs that begin and end as told nothing is learned for the reserve; but that the load falls as far as it rose is. */
static void a_fall_as_far_as_told_rises_is_no_unknown_dip(void **unused)
{
	struct play play;
	uint32_t wary = 0;
	open_play(&play, ALL);
	play.rig.conf.reserve_w = POLICY_NONE;
	for (int i = 0; i < 12; i++) {
		int64_t at_ms = AT + i * 120 * SEC;
		play.moves[0] = (struct load_move){ at_ms, 100 * KW, 0 };
		play.moves[1] = (struct load_move){ at_ms + 60 * SEC, -100 * KW, 0 };
		notice(&play, "begin", at_ms, 100 * KW, 0);
		run_to(&play, at_ms + 40 * SEC);
		notice(&play, "end", at_ms + 60 * SEC, -100 * KW, 0);
		run_to(&play, at_ms + 65 * SEC);
		wary = play.rig.state.wary_slots;
		run_to(&play, at_ms + 90 * SEC);
	}
	assert_true(play.rig.out.picture.rise_w < 40 * KW);
	assert_int_equal(wary, 0);
	(void)unused;
}

/* Four jobs, one after the other, each to where the load never was: no room is kept for a fifth where each was told. */
static void jobs_that_are_told_are_no_stairs(void **unused)
{
	enum { BEGIN = 12 * 60 * SEC, EVERY = 180 * SEC };
	for (int told = 0; told < 2; told++) {
		static struct play play;
		open_play(&play, ALL);
		play.rig.conf.reserve_w = POLICY_NONE;
		for (int i = 0; i < 4; i++)
			move(&play, BEGIN + i * EVERY, 40 * KW, 2 * SEC);
		for (int i = 0; i < 4; i++) {
			run_to(&play, BEGIN + i * EVERY - 30 * SEC);
			if (told)
				notice(&play, "job", BEGIN + i * EVERY, 40 * KW, 2 * SEC);
		}
		run_to(&play, BEGIN + 4 * EVERY);
		if (told)
			assert_in_range(play.rig.state.stairs.second_w, 0, 4 * KW);
		else
			assert_in_range(play.rig.state.stairs.second_w, 36 * KW, 40 * KW);
	}
	(void)unused;
}

/* What has come stands in the plan for a while where the plan itself is lower, and nobody is raised into it meanwhile. */
static void what_has_come_stands_for_a_while(void **unused)
{
	static struct policy_state state;
	struct step step = { .state = &state, .load_w = 990 * KW, .planned_w = 820 * KW,
		.forecast = { .risen_w = 400 * KW, .dipped_to_w = INT64_MAX, .fallen_to_w = INT64_MAX } };
	memset(&state, 0, sizeof(state));
	state.lately_w = 989 * KW;
	foresee_rises(&step);
	assert_int_equal(step.announced_w, 169 * KW);
	assert_int_equal(step.announced_soon_w, 169 * KW);
	step.forecast.rise_soon_w = 30 * KW;
	foresee_rises(&step);
	assert_int_equal(step.announced_soon_w, 200 * KW);
	step.forecast = (struct forecast){ .dipped_to_w = INT64_MAX, .fallen_to_w = INT64_MAX };
	foresee_rises(&step);
	assert_int_equal(step.announced_w + step.announced_soon_w + state.announced_w, 0);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unannounced_rise_is_over_the_cap_for_a_while),
		cmocka_unit_test(announced_it_never_is),
		cmocka_unit_test(what_comes_on_top_is_news),
		cmocka_unit_test(the_decision_says_that_it_was_announced),
		cmocka_unit_test(miners_are_not_down_long_before_it),
		cmocka_unit_test(a_slow_fleet_is_told_sooner),
		cmocka_unit_test(one_that_does_not_come_costs_its_size_for_a_while),
		cmocka_unit_test(early_and_late_ones_count),
		cmocka_unit_test(one_far_off_is_no_worse_than_none),
		cmocka_unit_test(half_of_it_is_not_it),
		cmocka_unit_test(ten_at_once_add_up),
		cmocka_unit_test(of_ten_as_many_come_true_as_did),
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(a_huge_one_sheds_all_and_lets_go),
		cmocka_unit_test(a_long_ramp_is_dropped_on_its_way),
		cmocka_unit_test(no_miner_is_woken_for_a_minute),
		cmocka_unit_test(the_reserve_learns_nothing_of_what_was_announced),
		cmocka_unit_test(a_fall_as_far_as_told_rises_is_no_unknown_dip),
		cmocka_unit_test(jobs_that_are_told_are_no_stairs),
		cmocka_unit_test(what_has_come_stands_for_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
