/* policy/fusion.c - what the meters and the miners say, in means that can be compared, and how they moved from one to the next. */
#include "policy/internal.h"

#include <string.h>

_Static_assert(FUSION_MINERS == POLICY_GROUPS, "each group of miners has its bias");

#define SAMPLE_MS   1000        /* so often all miners are looked at */
#define BLOCK_MS    10000       /* means are over so long at least */
#define PAUSE_MS    3000        /* a gap between two steps that spoils a block */
#define STALE_LAST  3           /* blocks: older, one says nothing of just before */
#define LEVEL_PART  100         /* of the cap: the site hardly moved */
#define LEVEL_FAR_MS 60000      /* between two levels compared */
#define MOVE_PART   50          /* of the cap: a move of the miners worth comparing, whose own figures are coarse … */
#define GPUS_PART   100         /* … and one of the GPUs */
#define LEAP_PART   20          /* of the cap: one of the two moved so far alone */
#define STIR_PART   200         /* of the cap, on their way: the miners are as good as at rest */
#define SILENT_PART 20          /* of the nameplates: with more silent, their sum is not compared */

/* ---- the miners, by their own figures ---- */

/* It draws that at least, and says so; one that does not tell its watts says nothing. */
static int64_t least_w(const struct miner_track *track)
{
	if (!track->under_way)
		return track->drawn_w;
	return min64(track->from_w, track->to_w);
}

static void look_at_miners(const struct step *step, struct fusion *f)
{
	const struct policy_conf *conf = step->conf;
	int64_t least_of[FUSION_MINERS], now_ms = step->seen->now_ms;
	for (size_t g = 0; g < FUSION_MINERS; g++)
		least_of[g] = bias_least_permille(step->state, g);
	f->fleet_w = f->miners_w = f->heard_w = f->again_w = f->least_w = f->mute_w = f->moving_w = 0;
	memset(f->of_w, 0, sizeof(f->of_w));
	for (size_t i = 0; i < conf->n_miners; i++) {
		const struct miner_track *track = &step->tracks[i];
		const struct miner_reading *r = &step->seen->miners[i].reading;
		size_t g = conf->miner_group[i];
		const struct policy_miner_group *group = &conf->miner_groups[g];
		int64_t drawn_w = track_drawn_w(group, track, now_ms, 100);
		f->fleet_w += max64(track->awake_w, group->nominal_w);
		f->miners_w += drawn_w;
		f->of_w[g < FUSION_MINERS ? g : FUSION_MINERS] += drawn_w;
		f->moving_w += track->under_way ? abs64((int64_t)track->to_w - track->from_w) : 0;
		f->least_w += least_w(track);
		f->mute_w += track->answers && track->read_ms > f->short_ms ? 0 : least_w(track);
		if (!track->answers || !r->knows_power)
			continue;
		int64_t certain_w = least_w(track) * (g < FUSION_MINERS ? least_of[g] : 700) / 1000;
		f->heard_w += certain_w;
		f->again_w += track->read_ms > f->low_ms ? certain_w : 0;
	}
}

/* ---- moves, from block to block ---- */

static bool is_clean(const struct step *step)
{
	const struct metered *m = &step->metered;
	return m->site_known && !step->state->frozen && !step->state->fusion.site.held && !step->state->fusion.hpc.held &&
	       m->has_hpc && !m->hpc_waited_for && m->hpc_silent_w <= m->hpc_nameplate_w / SILENT_PART &&
	       !step->tracked.unheard;
}

static void compare_gpus(struct fusion *f, const struct fusion_block *was, const struct fusion_block *is, int64_t cap_w)
{
	int64_t told_w = is->hpc_w - was->hpc_w, miners_w = is->miners_w - was->miners_w;
	int64_t shown_w = is->site_w - was->site_w - miners_w;
	int64_t most_w = max64(abs64(told_w), abs64(shown_w));
	/* GPU meters are read later: what swings within a block shows a little in one that it does not in the other. */
	if (most_w < cap_w / GPUS_PART || most_w < max64(was->span_w, is->span_w) / 2 || abs64(miners_w) > most_w)
		return;
	slope_observe(&f->gpus, told_w, shown_w);
	struct fusion_leap leap = { is->ms, was->hpc_w, was->site_w, told_w, shown_w };
	int64_t apart_w = abs64(shown_w - told_w), apart_then_w = abs64(f->leapt.shown_w - f->leapt.told_w);
	if (apart_w >= cap_w / LEAP_PART && (apart_w >= apart_then_w || is->ms - f->leapt.ms > FUSION_LEAPT_MS))
		f->leapt = leap;
}

/* One group moved, and hardly another: what the site shows of it, the others as far as they are known. */
static void compare_group(struct fusion *f, const struct fusion_block *was, const struct fusion_block *is, int64_t shown_w,
                          int64_t cap_w)
{
	int64_t all_w = 0, most_w = 0;
	size_t most = 0;
	for (size_t g = 0; g < FUSION_MINERS; g++) {
		int64_t told_w = is->of_w[g] - was->of_w[g];
		all_w += abs64(told_w);
		if (abs64(told_w) <= abs64(most_w))
			continue;
		most_w = told_w;
		most = g;
	}
	if (abs64(most_w) < cap_w / MOVE_PART || abs64(most_w) < all_w / 10 * 9)
		return;
	for (size_t g = 0; g < FUSION_SUMS; g++)
		if (g != most)
			shown_w -= is->of_w[g] - was->of_w[g];
	bias_observe(&f->bias[most], most_w, shown_w);
}

static void compare_miners(struct fusion *f, const struct fusion_block *was, const struct fusion_block *is, int64_t cap_w)
{
	int64_t hpc_w = is->hpc_w - was->hpc_w, told_w = is->miners_w - was->miners_w;
	int64_t shown_w = is->site_w - was->site_w - hpc_w;
	if (abs64(told_w) < max64(cap_w / MOVE_PART, max64(was->span_w, is->span_w)) || abs64(hpc_w) > abs64(told_w) * 3 / 2)
		return;
	slope_observe(&f->miners, told_w, shown_w);
	if (!f->low_ms && f->on_site.lie == LIE_NONE && f->on_hpc.lie == LIE_NONE)
		compare_group(f, was, is, shown_w, cap_w);
}

static struct fusion_block mean_of(const struct fusion_sums *sums, int64_t moving_w, int64_t now_ms)
{
	struct fusion_block block = {
		.ms = now_ms, .rest = !sums->moving, .span_w = sums->highest_w - sums->lowest_w, .moving_w = moving_w,
		.site_w = sums->site_w / sums->n, .hpc_w = sums->hpc_w / sums->n,
		.miners_w = sums->miners_w / sums->n_miners, .others_w = sums->others_w / sums->n,
	};
	for (size_t g = 0; g < FUSION_SUMS; g++)
		block.of_w[g] = sums->of_w[g] / sums->n_miners;
	return block;
}

static int64_t rest_w(const struct fusion_block *block)
{
	return block->site_w - block->hpc_w - block->miners_w;
}

/* The rest of the site is what it was before they disagreed, as far as the miners' figures can tell. */
static bool as_before(const struct policy_conf *conf, const struct policy_state *state, const struct fusion_block *now)
{
	const struct fusion_block *before = &state->fusion.before;
	int64_t moved_w = abs64(now->miners_w - before->miners_w);
	int64_t off_w = conf->cap_w / FUSION_ODD_PART + moved_w * bias_doubt_permille(conf, state) / 1000;
	return !before->ms || rest_w(now) >= rest_w(before) - off_w;
}

static void close_block(const struct step *step, struct fusion *f)
{
	struct fusion_block block = mean_of(&f->sums, f->moving_w, step->seen->now_ms);
	int64_t cap_w = step->conf->cap_w;
	/* Over a step that falls into a block, from the level before it to the one after. */
	bool level = block.span_w <= cap_w / LEVEL_PART;
	const struct fusion_block *was = level && block.ms - f->level.ms <= LEVEL_FAR_MS ? &f->level : &f->last;
	if (f->on_site.lie == LIE_NONE)
		gap_see(f, step->conf, was, &block, step->tracked.settled_w);
	else
		gap_forget(&f->gap);
	if (was->ms && was->ms != f->gap.before.ms)     /* a fall into a gap is no move of the GPUs */
		compare_gpus(f, was, &block, cap_w);
	if (level)
		f->level = block;
	if (block.rest && f->rest.ms && block.ms - f->rest.ms <= FUSION_REST_FAR_MS)
		compare_miners(f, &f->rest, &block, cap_w);
	if (block.rest)
		f->rest = block;
	f->last = block;
	bool agree = !f->low_ms && as_before(step->conf, step->state, &block);
	f->agree_ms = !agree ? 0 : f->agree_ms ? f->agree_ms : block.ms;
	if (f->low_ms || f->gap.since_ms || f->on_site.lie != LIE_NONE || (f->on_hpc.lie != LIE_NONE && !fusion_hpc_part(f)))
		return;
	f->other_w = step->state->other_w;
	f->other_at_w = step->state->other_at_w;
	f->other_known = step->state->other_known;
	f->then_miners_w = step->state->measured_miners_w;
}

static void add_to_block(const struct step *step, struct fusion *f, bool sampled, int64_t block_ms)
{
	struct fusion_sums *sums = &f->sums;
	int64_t now_ms = step->seen->now_ms;
	sums->spoilt |= !is_clean(step) || now_ms - f->step_ms > PAUSE_MS;
	f->step_ms = now_ms;
	sums->site_w += step->metered.site_w;
	sums->hpc_w += step->metered.hpc_last_w;
	sums->others_w += step->metered.others_w;
	sums->lowest_w = sums->n ? min64(sums->lowest_w, step->metered.site_w) : step->metered.site_w;
	sums->highest_w = sums->n ? max64(sums->highest_w, step->metered.site_w) : step->metered.site_w;
	sums->n++;
	if (sampled) {
		sums->miners_w += f->miners_w;
		sums->n_miners++;
		sums->moving |= f->moving_w > step->conf->cap_w / STIR_PART;
		for (size_t g = 0; g < FUSION_SUMS; g++)
			sums->of_w[g] += f->of_w[g];
	}
	if (now_ms - sums->begin_ms < block_ms && now_ms >= sums->begin_ms)
		return;
	if (!sums->spoilt && sums->n_miners)
		close_block(step, f);
	else
		f->last.ms = now_ms - f->last.ms > STALE_LAST * block_ms ? 0 : f->last.ms;
	*sums = (struct fusion_sums){ .begin_ms = now_ms };
}

/* Another meter may be off by something else. */
static void meet_backups(const struct step *step, struct fusion *f)
{
	if (step->metered.stood_for == f->stood_for)
		return;
	f->stood_for = step->metered.stood_for;
	f->last.ms = f->level.ms = f->rest.ms = 0;
	f->sums.spoilt = true;
	if (f->on_site.lie == LIE_NONE)
		f->short_ms = 0;
}

bool fusion_look(const struct step *step, struct fusion *f)
{
	int64_t now_ms = step->seen->now_ms, block_ms = max64(BLOCK_MS, FUSION_BLOCK_LATES * meters_stale_ms(step->conf, MEASURES_HPC));
	meet_backups(step, f);
	bool due = now_ms - f->sample_ms >= SAMPLE_MS || now_ms < f->sample_ms || !f->sample_ms;
	if (due) {
		look_at_miners(step, f);
		f->sample_ms = now_ms;
	}
	add_to_block(step, f, due, block_ms);
	return due;
}
