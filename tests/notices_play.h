/* tests/notices_play.h - plays of loads that move as the GPU scheduler's notices told, or do not. */
#ifndef TESTS_NOTICES_PLAY_H
#define TESTS_NOTICES_PLAY_H

#include <stdio.h>

#include "policy/notices.h"
#include "tests/policy_says.h"

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

static inline int64_t moved_by(const struct load_move *move, int64_t t_ms)
{
	int64_t on_ms = t_ms - move->at_ms;
	if (on_ms <= 0)
		return 0;
	return on_ms >= move->over_ms ? move->delta_w : move->delta_w * on_ms / move->over_ms;
}

static inline int64_t at_of(const struct play *play) { return play->rig.now_ms - play->begin_ms; }

static inline void open_play(struct play *play, uint32_t awake)
{
	*play = (struct play){ .least_miners_w = INT64_MAX };
	begin(&play->rig, awake);
	play->begin_ms = play->rig.now_ms;
	play->base_w = play->rig.gpus_w;
}

static inline void notice(struct play *play, const char *id, int64_t at_ms, int64_t delta_w, int64_t over_ms)
{
	struct notice n = { .at_ms = play->begin_ms + at_ms, .delta_w = delta_w, .over_ms = over_ms };
	snprintf(n.id, sizeof(n.id), "%s", id);
	assert_true(notices_take(&play->book, &n, play->rig.now_ms) <= NOTICE_UNKNOWN);
}

static inline void move(struct play *play, int64_t at_ms, int64_t delta_w, int64_t over_ms)
{
	size_t i = 0;
	while (play->moves[i].delta_w)
		i++;
	play->moves[i] = (struct load_move){ at_ms, delta_w, over_ms };
}

static inline void see(struct play *play)
{
	const struct picture *p = &play->rig.out.picture;
	struct notice ended;
	bool came_true;
	notices_see(&play->book, play->rig.now_ms, p->planned_w - p->announced_w, p->recent_w, p->present_w);
	while (notices_pop(&play->book, play->rig.now_ms, &ended, &came_true))
		*(came_true ? &play->trues : &play->falses) += 1;
}

static inline void turn(struct play *play)
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

static inline void run_to(struct play *play, int64_t t_ms)
{
	while (at_of(play) < t_ms)
		turn(play);
}

#endif
