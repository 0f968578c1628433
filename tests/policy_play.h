/* tests/policy_play.h - plays of many minutes: what the GPUs draw as time goes on, and how long the site is over its cap. */
#ifndef TESTS_POLICY_PLAY_H
#define TESTS_POLICY_PLAY_H

#include <math.h>

#include "tests/policy_says.h"

#define KW 1000
#define SEC 1000
#define MIN 60000
#define HOUSE_W (40 * KW)

typedef int64_t course(int64_t ms);     /* what the GPUs draw */

struct play { struct rig rig; int64_t over_ms; uint32_t moves; };

static inline void open_play(struct play *play, int64_t gpus_w)
{
	*play = (struct play){ 0 };
	rig_init(&play->rig, gpus_w, RIG_MINERS);
	play->rig.house_w = HOUSE_W;
	play->rig.conf.reserve_w = POLICY_NONE;
}

/* Where the miners may be told their power, down to so much. */
static inline void open_partial_play(struct play *play, int64_t gpus_w, int32_t least_w)
{
	open_play(play, gpus_w);
	rig_partial(&play->rig, 0, least_w);
	rig_partial(&play->rig, 1, least_w);
}

static inline void run(struct play *play, course *gpus, int64_t from_ms, int64_t to_ms)
{
	play->over_ms = play->moves = 0;
	for (int64_t ms = from_ms; ms < to_ms; ms += RIG_STEP_MS) {
		play->rig.gpus_w = gpus(ms);
		rig_step(&play->rig);
		play->over_ms += play->rig.gpus_w + HOUSE_W + rig_miners_w(&play->rig) > play->rig.conf.cap_w ? RIG_STEP_MS : 0;
		play->moves += play->rig.out.n_commands;
	}
}

#endif
