/* policy/gap.c - the site's meter fell alone: did what has no meter stop, or does it not show all any more? Or it was distrusted,
 * and is believed again while no miner draws. */
#include "policy/internal.h"

#define WIDE_PART   10          /* of the cap: a fall that is doubted … */
#define TRUE_PERCENT 120        /* … unless one of nearly the size was true */
#define LOT_PART    25          /* of the cap: so far miners move, down and up again, for the site to show it … */
#define LOT_STIRS   3           /* … and by as many times of what the GPUs move meanwhile … */
#define LOTS        3           /* … but by no more of the least */
#define TOLD_PART   50          /* of the cap: a move that tells … */
#define MOVES       3           /* … and so many of them do */
#define SHOWN_PERMILLE 800      /* of what the site showed of miners' moves before, or they say: less is a lie, … */
#define HARDLY_PERMILLE 300     /* … and this as good as nothing */
#define MOST_MS     (30 * 60000)        /* where moves do not tell for so long, they will not */

/* What the site draws less by its meter, but for miners, and for what has a meter of its own. */
static int64_t fallen_w(const struct fusion_block *was, const struct fusion_block *is, int32_t per_gpu_permille)
{
	int64_t told_w = (is->hpc_w - was->hpc_w) * per_gpu_permille / 1000 + is->miners_w - was->miners_w;
	return told_w + is->others_w - was->others_w - (is->site_w - was->site_w);
}

static int32_t per_gpu_permille(const struct fusion *f)
{
	return slope_known(&f->gpus, FUSION_MOVES_GPUS) ? slope_permille(&f->gpus) : 1000;
}

bool gap_opens(const struct fusion *f, int64_t cap_w, const struct fusion_block *was, const struct fusion_block *is)
{
	int64_t wide_w = fallen_w(was, is, per_gpu_permille(f));
	int64_t off_w = abs64(is->hpc_w - was->hpc_w) / 2 + abs64(is->miners_w - was->miners_w) * BIAS_UNKNOWN_PERMILLE / 1000;
	bool fell = was->ms && was->site_w - is->site_w >= wide_w / 2;  /* and not the GPUs' meters rose */
	return fell && wide_w - off_w >= cap_w / WIDE_PART && wide_w > f->gap.true_w * TRUE_PERCENT / 100;
}

void gap_begin(struct fusion *f, const struct fusion_block *was, const struct fusion_block *is, int64_t settled_w)
{
	struct fusion_gap *gap = &f->gap;
	gap->since_ms = is->ms;
	gap->idle_ms = 0;
	gap->before = *was;
	gap->per_gpu_permille = per_gpu_permille(f);
	gap->wide_w = was->ms ? fallen_w(was, is, gap->per_gpu_permille) : 0;
	gap->miners_w = settled_w;
	gap->least_permille = slope_known(&f->miners, MOVES) ? slope_permille(&f->miners) * SHOWN_PERMILLE / 1000 : SHOWN_PERMILLE;
}

/* From one rest of the miners to the next. */
static void observe(struct fusion *f, int64_t cap_w, const struct fusion_block *is)
{
	const struct fusion_block *was = &f->rest;
	int64_t told_w = is->miners_w - was->miners_w, hpc_w = is->hpc_w - was->hpc_w;
	bool comparable = is->rest && was->ms > f->gap.since_ms && is->ms - was->ms <= FUSION_REST_FAR_MS;
	if (comparable)
		f->gap.stir_w = max64(f->gap.stir_w / 8 * 7, abs64(hpc_w));
	if (comparable && abs64(told_w) >= cap_w / TOLD_PART && abs64(hpc_w) <= abs64(told_w) / 2)
		slope_observe(&f->gap.miners, told_w, told_w - fallen_w(was, is, f->gap.per_gpu_permille));
}

/* The slope of n moves is off by what they do not agree on, and more certain the more there are. */
static double slope_off_permille(const struct fusion_slope *s)
{
	double agree = s->both * s->both / (s->told * s->shown);
	return slope_permille(s) * root_of((1 / agree - 1) / s->n);
}

/* The moves agree on either side of the least, or that they are not shown at all. */
static bool is_told(const struct fusion_gap *gap)
{
	const struct fusion_slope *miners = &gap->miners;
	int32_t permille = slope_permille(miners);
	bool agree = slope_known(miners, MOVES) && abs64(permille - gap->least_permille) > 2 * slope_off_permille(miners);
	return gap->since_ms && (agree || (miners->n > MOVES && permille < HARDLY_PERMILLE));
}

bool gap_is_lie(const struct fusion_gap *gap)
{
	return is_told(gap) && slope_permille(&gap->miners) < gap->least_permille;
}

void gap_forget(struct fusion_gap *gap)
{
	*gap = (struct fusion_gap){ .true_w = gap->true_w };
}

void gap_see(struct fusion *f, const struct policy_conf *conf, const struct fusion_block *was, const struct fusion_block *is,
             int64_t settled_w)
{
	struct fusion_gap *gap = &f->gap;
	if (!gap->since_ms) {
		if (gap_opens(f, conf->cap_w, was, is))
			gap_begin(f, was, is, settled_w);
		return;
	}
	observe(f, conf->cap_w, is);
	int64_t wide_w = gap->before.ms ? fallen_w(&gap->before, is, gap->per_gpu_permille) : 0;
	gap->wide_w = max64(gap->wide_w, wide_w);
	bool is_true = is_told(gap) && !gap_is_lie(gap);
	if (is_true)
		gap->true_w = max64(gap->true_w, gap->wide_w);
	if (settled_w < gap_most_w(conf, f) - conf->cap_w / TOLD_PART && f->last.ms)     /* held lower, they tell nothing */
		gap->idle_ms += is->ms - f->last.ms;
	if (is_true || is->ms - gap->since_ms - gap->idle_ms > MOST_MS)
		gap_forget(gap);
	else if (wide_w < gap->wide_w / 3)      /* it has closed; what miners told of it stays told */
		gap->since_ms = 0;
}

int64_t gap_most_w(const struct policy_conf *conf, const struct fusion *f)
{
	const struct fusion_gap *gap = &f->gap;
	int64_t lot_w = clamp64(LOT_STIRS * gap->stir_w, conf->cap_w / LOT_PART, LOTS * conf->cap_w / LOT_PART);
	if (!gap->since_ms)
		return POLICY_NONE;
	for (size_t g = 0; g < conf->n_miner_groups; g++)
		lot_w = max64(lot_w, 2 * (int64_t)conf->miner_groups[g].nominal_w);
	bool rested = f->rest.ms > gap->since_ms, moves = rested && gap->miners.n % 2 == 0, down = gap->miners_w >= lot_w;
	return gap->miners_w + (!moves ? 0 : down ? -lot_w : lot_w);
}
