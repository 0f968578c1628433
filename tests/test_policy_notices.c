/* What the control law makes of the GPU scheduler's notices, in virtual time: true ones, false ones, and everything
 * between. The same load is played with and without them. */
#include "tests/policy_says.h"

#include <stdio.h>

#include "policy/internal.h"
#include "policy/notices.h"

#define KW 1000
#define SEC 1000
#define ALL RIG_MINERS
#define AT (30 * SEC)                   /* of most notices, from the begin */

struct load_move { int64_t at_ms, delta_w, over_ms; };

struct play {
	struct rig rig;
	struct notice_book book;
	int64_t begin_ms, base_w;
	struct load_move moves[4];
	/* what happened */
	int64_t over_ms, off_wms;       /* over the cap; far from ROOM_W, summed */
	int64_t least_miners_w, most_site_w;
	int trues, falses;
};

static int64_t moved_by(const struct load_move *move, int64_t t_ms)
{
	int64_t on_ms = t_ms - move->at_ms;
	if (on_ms <= 0)
		return 0;
	return on_ms >= move->over_ms ? move->delta_w : move->delta_w * on_ms / move->over_ms;
}

static int64_t at_of(const struct play *play) { return play->rig.now_ms - play->begin_ms; }

static void open_play(struct play *play, uint32_t awake)
{
	*play = (struct play){ .least_miners_w = INT64_MAX };
	begin(&play->rig, awake);
	play->begin_ms = play->rig.now_ms;
	play->base_w = play->rig.gpus_w;
}

static void notice(struct play *play, const char *id, int64_t at_ms, int64_t delta_w, int64_t over_ms)
{
	struct notice n = { .at_ms = play->begin_ms + at_ms, .delta_w = delta_w, .over_ms = over_ms };
	snprintf(n.id, sizeof(n.id), "%s", id);
	assert_true(notices_take(&play->book, &n, play->rig.now_ms) <= NOTICE_UNKNOWN);
}

static void move(struct play *play, int64_t at_ms, int64_t delta_w, int64_t over_ms)
{
	size_t i = 0;
	while (play->moves[i].delta_w)
		i++;
	play->moves[i] = (struct load_move){ at_ms, delta_w, over_ms };
}

static void see(struct play *play)
{
	const struct picture *p = &play->rig.out.picture;
	struct notice ended;
	bool came_true;
	notices_see(&play->book, play->rig.now_ms, p->planned_w - p->announced_w, p->recent_w, p->present_w);
	while (notices_pop(&play->book, play->rig.now_ms, &ended, &came_true))
		*(came_true ? &play->trues : &play->falses) += 1;
}

static void turn(struct play *play)
{
	struct rig *rig = &play->rig;
	int64_t gpus_w = play->base_w;
	for (size_t i = 0; i < 4; i++)
		gpus_w += moved_by(&play->moves[i], at_of(play) + RIG_STEP_MS);
	rig->gpus_w = gpus_w;
	rig->notices = play->book.notices;
	rig->n_notices = play->book.n;
	rig_step(rig);
	see(play);
	int64_t site_w = rig->gpus_w + rig->house_w + rig_miners_w(rig), off_w = site_w - ROOM_W;
	play->over_ms += site_w > rig->conf.cap_w ? RIG_STEP_MS : 0;
	play->off_wms += (off_w < 0 ? -off_w : off_w) * RIG_STEP_MS;
	play->least_miners_w = rig_miners_w(rig) < play->least_miners_w ? rig_miners_w(rig) : play->least_miners_w;
	play->most_site_w = site_w > play->most_site_w ? site_w : play->most_site_w;
}

static void run_to(struct play *play, int64_t t_ms)
{
	while (at_of(play) < t_ms)
		turn(play);
}

/* ---- rises ---- */

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

static void withdrawn_and_moved(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "gone", AT, 100 * KW, 0);
	notice(&play, "later", AT, 60 * KW, 0);
	run_to(&play, 5 * SEC);
	notice(&play, "gone", AT, 0, 0);
	notice(&play, "later", AT + 60 * SEC, 60 * KW, 0);
	notice(&play, "never told", AT, 0, 0);
	run_to(&play, AT + 45 * SEC);
	assert_int_equal(play.rig.sleeps, 0);
	assert_int_equal(play.book.n, 1);
	run_to(&play, AT + 60 * SEC);
	assert_in_range(rig_miners_w(&play.rig), 192 * KW - 63 * KW, 192 * KW - 60 * KW);
	notice(&play, "later", AT, 0, 0);
	run_to(&play, AT + 90 * SEC);
	assert_int_equal(rig_miners_w(&play.rig), 192 * KW);
	assert_int_equal(play.trues + play.falses, 0);
	(void)unused;
}

static void told_twice_is_told_once(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "job", AT, 100 * KW, 0);
	move(&play, AT, 100 * KW, 0);
	run_to(&play, AT + 10 * SEC);
	notice(&play, "job", AT, 100 * KW, 0);
	assert_int_equal(play.book.n, 1);
	assert_int_equal(play.book.notices[0].moved_w, 100 * KW);
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

/* ---- falls ---- */

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

/* ---- dips: a fall, and the rise that ends it ---- */

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

/* ---- anything ---- */

static uint32_t drawn(uint32_t *lot)
{
	*lot = *lot * 1664525 + 1013904223;
	return *lot >> 8;
}

/* Lies of any kind beside a load that stands still: never over the cap, and in the end everybody is awake again. */
static void lies_never_cost_the_cap(void **unused)
{
	for (uint32_t seed = 1; seed <= 60; seed++) {
		struct play play;
		uint32_t lot = seed;
		char id[16];
		open_play(&play, ALL - 20);
		play.rig.conf.target_w = seed % 3 == 0 ? ROOM_W - 30 * KW : POLICY_NONE;
		for (int i = 0; i < 40; i++) {
			snprintf(id, sizeof(id), "job-%u", drawn(&lot) % 12);
			int64_t delta_w = ((int64_t)(drawn(&lot) % 801) - 400) * KW;
			int64_t at_ms = at_of(&play) + drawn(&lot) % 60000, over_ms = drawn(&lot) % 20000;
			notice(&play, id, at_ms, delta_w, over_ms);
			run_to(&play, at_of(&play) + drawn(&lot) % 10000);
		}
		assert_int_equal(play.over_ms, 0);
		run_to(&play, at_of(&play) + 300 * SEC);
		assert_int_equal(play.book.n, 0);
		assert_true(rig_miners_w(&play.rig) >= (ALL - 20) * RIG_MINER_W - (seed % 3 == 0 ? 33 * KW : 3 * KW));
	}
	(void)unused;
}

static void the_book_has_an_end(void **unused)
{
	struct notice_book book = { .n = 0 };
	struct notice n = { .id = "a", .at_ms = 100 * SEC, .delta_w = KW };
	assert_int_equal(notices_take(&book, &n, 130 * SEC), NOTICE_OVER);
	assert_int_equal(notices_take(&book, &n, 130 * SEC - 1), NOTICE_TAKEN);
	assert_int_equal(notices_take(&book, &n, 130 * SEC - 1), NOTICE_KNOWN);
	n.at_ms += NOTICE_MOST_AHEAD_MS;
	assert_int_equal(notices_take(&book, &n, 100 * SEC - 1), NOTICE_FAR);
	for (int i = 1; i < NOTICES_MOST; i++) {
		snprintf(n.id, sizeof(n.id), "n%d", i);
		n.at_ms = (300 - i) * SEC;
		assert_int_equal(notices_take(&book, &n, 0), NOTICE_TAKEN);
	}
	for (size_t i = 1; i < book.n; i++)
		assert_true(book.notices[i - 1].at_ms <= book.notices[i].at_ms);
	snprintf(n.id, sizeof(n.id), "one more");
	n.at_ms = book.notices[NOTICES_MOST - 1].at_ms;         /* no sooner than the last */
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_FULL);
	snprintf(n.id, sizeof(n.id), "n7");
	n.at_ms = SEC;
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_TAKEN);
	assert_string_equal(book.notices[0].id, "n7");
	assert_int_equal(book.n, NOTICES_MOST);
	(void)unused;
}

/* What comes in a minute is not kept out by what comes in days, but what is due already stays. */
static void in_a_full_book_the_last_gives_way_to_one_sooner(void **unused)
{
	struct notice_book book = { .n = 0 };
	struct notice n = { .delta_w = KW };
	for (int i = 0; i < NOTICES_MOST; i++) {
		snprintf(n.id, sizeof(n.id), "far%d", i);
		n.at_ms = (24 + i) * 3600 * SEC;
		assert_int_equal(notices_take(&book, &n, 0), NOTICE_TAKEN);
	}
	n = (struct notice){ .id = "job", .at_ms = 60 * SEC, .delta_w = 5000 * KW };
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_INSTEAD);
	assert_int_equal(book.n, NOTICES_MOST);
	assert_string_equal(book.notices[0].id, "job");
	assert_string_equal(book.notices[NOTICES_MOST - 1].id, "far62");
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_KNOWN);
	book.notices[NOTICES_MOST - 1].due = true;
	n = (struct notice){ .id = "job2", .at_ms = 120 * SEC, .delta_w = KW };
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_FULL);
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
		cmocka_unit_test(withdrawn_and_moved),
		cmocka_unit_test(told_twice_is_told_once),
		cmocka_unit_test(no_miner_is_woken_for_a_minute),
		cmocka_unit_test(the_reserve_learns_nothing_of_what_was_announced),
		cmocka_unit_test(a_fall_as_far_as_told_rises_is_no_unknown_dip),
		cmocka_unit_test(an_announced_fall_is_filled_sooner),
		cmocka_unit_test(a_fall_that_does_not_come_wakes_nobody),
		cmocka_unit_test(a_dip_at_that_time_is_no_fall),
		cmocka_unit_test(what_has_come_stands_for_a_while), cmocka_unit_test(an_announced_dip_moves_nobody),
		cmocka_unit_test(a_rise_after_a_fall_that_did_not_come_is_planned_for),
		cmocka_unit_test(a_rise_beyond_the_dip_is_planned_for), cmocka_unit_test(between_announced_dips_miners_are_woken),
		cmocka_unit_test(a_set_point_is_held_through_a_fall),
		cmocka_unit_test(a_set_point_is_missed_by_a_false_fall_but_never_the_cap),
		cmocka_unit_test(what_cancels_out_came_true),
		cmocka_unit_test(of_two_that_contradict_the_rise_is_planned_for),
		cmocka_unit_test(lies_never_cost_the_cap),
		cmocka_unit_test(the_book_has_an_end),
		cmocka_unit_test(in_a_full_book_the_last_gives_way_to_one_sooner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
