/* policy/verdict.c - which meter does not agree with the others, and what follows from it. */
#include "policy/internal.h"

#include <string.h>

#define HPC_PERCENT   95        /* of what GPU meters say is there for certain */
#define NAMED_PERCENT 115       /* of their nameplates: they say too much */
#define LOW_MS        15000     /* so long the site's meter shows too little … */
#define LOW_LATES     2         /* … and so many times of the slowest GPU meters, before it is said */
#define FRESH_MS      30000     /* a block as old as this tells of just before … */
#define FRESH_LATES   8         /* … or as so many times */
#define MUTE_MS       (5 * 60000)       /* miners that are silent for so long draw nothing, where the site draws so much less */
#define ALIKE_PERCENT 3         /* of what two show, and a third of that of the cap: they show the same … */
#define THEN_PERCENT  6         /* … and what the other showed before */
#define MOVES_MINERS  3         /* of the miners, that tell of a scale */
#define GPUS_LOW      700       /* per mille: beyond these it is no cooling, or loss, that follows the load … */
#define GPUS_HIGH     1400
#define PART_LEAST    400       /* that GPU meters show of what GPUs move, to go by it */
#define MINERS_LOW    600       /* … and no error of miners' own figures */
#define MINERS_HIGH   1500
#define AGAIN_LOW     750       /* within these the moves agree again */
#define AGAIN_HIGH    1330
#define STILL_MS      15000     /* GPU meters stand still for so long, and … */
#define STILL_PART    25        /* … the site has moved by this part of the cap */
#define LIVELY        800       /* per mille of the seconds before, in which they did not */
#define LEAPS_MS      (5 * 60000)       /* FUSION_LEAPS within this are a verdict; none for so long, and it falls */
#define HIDES_PART    10        /* of the cap: the rest of the site, that may hide miners */
#define CALM_MS       60000     /* the figures have agreed for so long, doubled at each relapse … */
#define MOST_RELAPSES 5
#define FORGIVEN_MS   (60 * 60000)      /* … that comes within this */

static bool suspected(const struct fusion_verdict *verdict)
{
	return verdict->lie != LIE_NONE;
}

/* GPU meters that may show what is not there. Those of which all that is held against them is that the site moves farther than
 * they say show at least nothing too much. */
static bool hpc_may_exceed(const struct fusion *f)
{
	return suspected(&f->on_hpc) && (f->on_hpc.lie != LIE_SCALED || f->on_hpc.permille >= 1000);
}

int32_t fusion_hpc_part(const struct fusion *f)
{
	const struct fusion_verdict *hpc = &f->on_hpc;
	bool part = hpc->lie == LIE_SCALED && hpc->by_moves && hpc->permille >= PART_LEAST && hpc->permille < 1000;
	return part ? hpc->permille : 0;
}

bool fusion_distrusts_site(const struct policy_state *state)
{
	return suspected(&state->fusion.on_site) && state->fusion.on_site.lie != LIE_FROZEN;
}

bool fusion_doubts(const struct policy_state *state)
{
	const struct fusion *f = &state->fusion;
	return f->gap.opens || (f->low_ms && !hpc_may_exceed(f));
}

static size_t group_of(const struct policy_conf *conf, enum measures measures)
{
	for (size_t g = 0; g < conf->n_meter_groups; g++)
		if (conf->meter_groups[g].measures == measures && conf->meter_groups[g].backup_of < 0)
			return g;
	return 0;
}

/* ---- pronouncing, and taking back ---- */

static void pronounce(struct step *step, struct fusion_verdict *verdict, const struct fusion_verdict *as)
{
	struct fusion *f = &step->state->fusion;
	int64_t now_ms = step->seen->now_ms;
	if (f->lapsed_ms && now_ms - f->lapsed_ms > FORGIVEN_MS)
		f->relapses = 0;
	*verdict = *as;
	verdict->since_ms = now_ms;
	f->gpus = f->miners = (struct fusion_slope){ 0 };
	f->agree_ms = 0;
	/* What was learned of the rest since is the lie's doing. */
	if (f->other_known) {
		step->state->other_w = f->other_w;
		step->state->other_at_w = f->other_at_w;
		step->state->measured_miners_w = f->then_miners_w;
	}
	if (verdict == &f->on_hpc && fusion_hpc_part(f))
		step->state->other_known = false;
}

static bool calm(const struct fusion *f, int64_t since_ms, int64_t now_ms)
{
	uint32_t times = f->relapses < MOST_RELAPSES ? f->relapses : MOST_RELAPSES;
	return since_ms && now_ms - since_ms >= CALM_MS << times;
}

/* A frozen site's meter is the law's business. */
static bool moves_again(const struct fusion *f, size_t group, int64_t now_ms)
{
	const struct fusion_still *still = &f->still[group < FUSION_METERS ? group : 0];
	return now_ms - still->since_ms < STILL_MS && calm(f, still->moves_ms, now_ms);
}

static bool moves_agree(const struct fusion *f)
{
	return slope_known(&f->gpus, FUSION_MOVES_GPUS) && !slope_beyond(&f->gpus, AGAIN_LOW, AGAIN_HIGH);
}

static bool is_over(const struct fusion *f, const struct fusion_verdict *verdict, const struct fusion_taken *taken,
                    int64_t now_ms)
{
	switch ((enum lie)verdict->lie) {
	case LIE_NONE:
		return false;
	case LIE_FROZEN:
		return moves_again(f, verdict->group, now_ms);
	case LIE_JUMPING:
		return now_ms - taken->leaps_ms[0] > LEAPS_MS && !taken->held;
	case LIE_SCALED:
	case LIE_SWAPPED:
		return verdict->by_moves ? moves_agree(f) : !f->low_ms && calm(f, f->agree_ms, now_ms);
	case N_LIES:
		break;
	}
	return true;
}

static void take_back(struct fusion *f, struct fusion_verdict *verdict, const struct fusion_taken *taken, int64_t now_ms)
{
	if (!is_over(f, verdict, taken, now_ms))
		return;
	*verdict = (struct fusion_verdict){ .lie = LIE_NONE };
	f->relapses++;
	f->lapsed_ms = now_ms;
}

static int64_t other_w(const struct fusion *f)
{
	return f->other_known ? max64(f->other_w, 0) : 0;
}

/* Where hardly any miner is awake it may be that none would be shown. */
static void take_back_site(struct step *step)
{
	struct fusion *f = &step->state->fusion;
	bool level = (f->on_site.lie == LIE_SCALED && !f->on_site.by_moves) || f->on_site.lie == LIE_SWAPPED;
	take_back(f, &f->on_site, &f->site, step->seen->now_ms);
	bool hidden = f->last.miners_w < step->conf->cap_w / FUSION_ODD_PART && other_w(f) >= step->conf->cap_w / HIDES_PART;
	if (level && hidden && !suspected(&f->on_site))
		gap_begin(f, &(struct fusion_block){ .ms = 0 }, &f->last, step->tracked.settled_w);
}

/* ---- leaps ---- */

static void judge_leaps(struct step *step, struct fusion_verdict *verdict, const struct fusion_taken *t, size_t group)
{
	int64_t now_ms = step->seen->now_ms, first_ms = t->leaps_ms[FUSION_LEAPS - 1];
	if (suspected(verdict) || !first_ms || now_ms - first_ms > LEAPS_MS)
		return;
	pronounce(step, verdict, &(struct fusion_verdict){ .lie = LIE_JUMPING, .group = (uint16_t)group, .from_ms = first_ms,
		.shows_w = t->leap_w, .others_w = t->w });
}

/* ---- GPU meters that stand still ---- */

static void stand_from(struct fusion_still *still, int64_t site_w, int64_t miners_w, int64_t now_ms)
{
	still->since_ms = now_ms;
	still->site_w = site_w;
	still->miners_w = miners_w;
}

static void watch_still(struct fusion_still *still, int64_t w, int64_t site_w, int64_t miners_w, int64_t now_ms)
{
	bool moves = w != still->w;
	/* While it stands still it is not the less lively for that. */
	if (moves || now_ms - still->since_ms < STILL_MS / 5)
		still->lively_permille = (uint32_t)((int32_t)still->lively_permille + ((moves ? 1000 : 0) - (int32_t)still->lively_permille) / 30);
	if (!moves)
		return;
	if (now_ms - still->since_ms > STILL_MS)
		still->moves_ms = now_ms;
	still->w = w;
	stand_from(still, site_w, miners_w, now_ms);
}

static void judge_still(struct step *step, size_t g)
{
	struct fusion *f = &step->state->fusion;
	const struct metered *m = &step->metered;
	struct fusion_still *still = &f->still[g];
	int64_t now_ms = step->seen->now_ms, cap_w = step->conf->cap_w;
	if (m->silent >> g % 64 & 1) {          /* what does not speak does not stand still */
		stand_from(still, m->site_w, f->miners_w, now_ms);
		return;
	}
	watch_still(still, m->group_w[g], m->site_w, f->miners_w, now_ms);
	int64_t miners_w = f->miners_w - still->miners_w, moved_w = abs64(m->site_w - still->site_w - miners_w);
	int64_t stands_ms = STILL_MS + meters_stale_ms(step->conf, MEASURES_HPC);
	bool stands = now_ms - still->since_ms >= stands_ms && still->lively_permille >= LIVELY && still->w >= cap_w / FUSION_ODD_PART;
	if (suspected(&f->on_hpc) || !stands || moved_w < cap_w / STILL_PART + abs64(miners_w) * 3 / 10)
		return;
	pronounce(step, &f->on_hpc, &(struct fusion_verdict){ .lie = LIE_FROZEN, .group = (uint16_t)g,
		.from_ms = still->since_ms, .shows_w = still->w, .others_w = moved_w });
}

static void judge_all_still(struct step *step)
{
	const struct policy_conf *conf = step->conf;
	const struct fusion *f = &step->state->fusion;
	bool comparable = step->metered.site_known && !step->state->frozen && !suspected(&f->on_site) && !f->site.held &&
	                  !step->tracked.unheard && !step->metered.hpc_waited_for;
	for (size_t g = 0; comparable && g < conf->n_meter_groups && g < FUSION_METERS; g++)
		if (conf->meter_groups[g].measures == MEASURES_HPC && conf->meter_groups[g].backup_of < 0)
			judge_still(step, g);
}

/* ---- the site's meter shows too little ---- */

static int64_t fresh_ms(const struct policy_conf *conf)
{
	return max64(FRESH_MS, FRESH_LATES * meters_stale_ms(conf, MEASURES_HPC));
}

/* What is there for certain: the GPUs, and the miners however wrong their own figures are. */
static bool shows_too_little(const struct step *step, int64_t heard_w)
{
	const struct metered *m = &step->metered;
	int64_t least_w = m->hpc_fresh_w / 100 * HPC_PERCENT + heard_w - m->fed_w - step->conf->cap_w / FUSION_ODD_PART;
	return m->site_known && m->has_hpc && m->site_w < least_w;
}

/* It shows less than it did, although GPUs and miners draw no less: by more than all the rest that may have been there, and
 * all that these figures may be off by. mute_w: of miners that may have gone with their feeder. */
static bool has_fallen_short(const struct step *step, int64_t mute_w)
{
	const struct fusion *f = &step->state->fusion;
	const struct metered *m = &step->metered;
	const struct fusion_block *was = f->short_ms ? &f->before : &f->last;
	bool fresh = !suspected(&f->on_site) && step->seen->now_ms - was->ms <= fresh_ms(step->conf);
	bool comparable = was->ms && (f->short_ms || fresh) && m->has_hpc && m->site_known && !step->state->frozen &&
	                  m->stood_for == f->stood_for && !hpc_may_exceed(f);
	int64_t hpc_w = m->hpc_last_w - was->hpc_w - m->hpc_silent_w, miners_w = f->least_w - was->miners_w - mute_w;
	int64_t rest_w = max64(was->site_w - was->hpc_w - was->miners_w, max64(f->other_w, 0)) + m->fed_w;
	int64_t told_w = was->miners_w + abs64(f->least_w - was->miners_w);
	int64_t off_w = step->conf->cap_w / FUSION_ODD_PART + was->moving_w + was->span_w / FUSION_BLOCK_LATES +
	                told_w * bias_doubt_permille(step->conf, step->state) / 1000;
	return comparable && m->site_w < was->site_w + hpc_w + miners_w - rest_w - off_w;
}

static void watch_gap(struct step *step, struct fusion *f)
{
	const struct metered *m = &step->metered;
	struct fusion_block now = { .site_w = m->site_w, .hpc_w = m->hpc_last_w, .miners_w = f->least_w, .others_w = m->others_w };
	bool comparable = m->site_known && m->has_hpc && !step->state->frozen && m->stood_for == f->stood_for &&
	                  step->seen->now_ms - f->last.ms <= fresh_ms(step->conf);
	f->gap.opens = comparable && gap_opens(f, step->conf->cap_w, &f->last, &now);
}

/* That it has fallen short counts once all GPU meters have been read since. */
static void watch_level(struct step *step, struct fusion *f)
{
	int64_t now_ms = step->seen->now_ms;
	bool low = shows_too_little(step, f->heard_w), fell = has_fallen_short(step, 0);
	if (!low && !fell) {
		f->low_ms = f->short_ms = 0;
		return;
	}
	if (!f->short_ms && !suspected(&f->on_site) && !hpc_may_exceed(f)) {
		f->before = f->last;
		if (now_ms - f->last.ms > fresh_ms(step->conf))
			f->before.ms = 0;
		f->short_ms = now_ms;
	}
	if (!f->low_ms && (low || now_ms - f->short_ms > meters_stale_ms(step->conf, MEASURES_HPC)))
		f->low_ms = now_ms;
}

static bool alike(int64_t a_w, int64_t b_w, int64_t percent, int64_t cap_w)
{
	return abs64(a_w - b_w) <= (abs64(b_w) + cap_w / 3) / 100 * percent;
}

static int32_t permille_of(int64_t w, int64_t of_w)
{
	return of_w > 0 ? (int32_t)clamp64(w * 1000 / of_w, 0, 1000000) : 0;
}

static struct fusion_verdict site_shows_a_part(const struct step *step, int64_t from_ms)
{
	const struct fusion *f = &step->state->fusion;
	return (struct fusion_verdict){ .lie = LIE_SCALED, .from_ms = from_ms, .shows_w = step->metered.site_w,
		.others_w = step->metered.hpc_last_w + f->miners_w + other_w(f),
		.group = (uint16_t)group_of(step->conf, MEASURES_SITE) };
}

/* Who moved when they fell apart; if that is not known, the site's meter, unless the GPUs' say more than can be. */
static void accuse(struct step *step)
{
	struct fusion *f = &step->state->fusion;
	const struct policy_conf *conf = step->conf;
	const struct metered *m = &step->metered;
	const struct fusion_block *was = &f->before;
	int64_t site_w = m->site_w - was->site_w, hpc_w = m->hpc_last_w - was->hpc_w, miners_w = f->miners_w - was->miners_w;
	int64_t fell_w = hpc_w + miners_w - site_w;
	bool exchanged = was->ms && alike(m->site_w, was->hpc_w, THEN_PERCENT, conf->cap_w) &&
	                 alike(m->hpc_last_w, was->site_w, THEN_PERCENT, conf->cap_w);
	/* Where the others moved as well, nobody knows whose move was wrong: then it is the site's meter, whose lie does harm. */
	bool alone = was->ms && hpc_w >= fell_w * 2 / 3 && abs64(site_w) + abs64(miners_w) <= fell_w / 2;
	bool by_hpc = m->hpc_fresh_w > m->hpc_nameplate_w / 100 * NAMED_PERCENT || alone;
	struct fusion_verdict verdict = site_shows_a_part(step, f->low_ms);
	if (was->ms && !exchanged && !by_hpc && miners_w >= fell_w * 2 / 3)
		return;                         /* miners that say they wake, and the site does not show it */
	if (by_hpc && !exchanged) {
		verdict.group = (uint16_t)group_of(conf, MEASURES_HPC);
		verdict.shows_w = m->hpc_last_w;
		verdict.others_w = max64(m->site_w - f->miners_w - other_w(f), 0);
	} else if (exchanged || alike(m->site_w, m->hpc_last_w, ALIKE_PERCENT, conf->cap_w)) {
		verdict.lie = LIE_SWAPPED;
	}
	verdict.permille = permille_of(verdict.shows_w, verdict.others_w);
	pronounce(step, by_hpc && !exchanged ? &f->on_hpc : &f->on_site, &verdict);
}

static void judge_level(struct step *step)
{
	struct fusion *f = &step->state->fusion;
	int64_t patience_ms = LOW_MS + LOW_LATES * meters_stale_ms(step->conf, MEASURES_HPC);
	bool long_enough = f->low_ms && step->seen->now_ms - f->low_ms >= patience_ms;
	if (!long_enough || suspected(&f->on_site) || hpc_may_exceed(f))
		return;
	/* Miners that have fallen silent together, as on a dead feeder, are no witnesses; and when they have been for long, the
	 * site draws as little as its meter shows. */
	if (shows_too_little(step, f->again_w) || has_fallen_short(step, f->mute_w))
		accuse(step);
	else if (step->seen->now_ms - f->low_ms >= MUTE_MS && !shows_too_little(step, f->heard_w))
		f->low_ms = f->short_ms = 0;
}

/* ---- by how far they move ---- */

static int32_t scale_of(const struct fusion *f, bool site)
{
	int32_t permille = slope_permille(&f->gpus);
	return site ? permille : permille ? 1000000 / permille : 0;
}

/* A meter's scale begins with a leap from what it showed to so many times that, alone; how many is seen only by and by. */
static bool began(const struct fusion *f, bool site, int64_t now_ms)
{
	const struct fusion_leap *leap = &f->leapt;
	int64_t leapt_w = site ? leap->shown_w : leap->told_w, other_w = site ? leap->told_w : leap->shown_w;
	int64_t due_w = (site ? leap->site_w : leap->hpc_w) * (scale_of(f, site) - 1000) / 1000;
	bool alone = abs64(other_w) <= abs64(leapt_w) / 4, far = due_w < 0 ? leapt_w <= due_w / 2 : leapt_w >= due_w / 2;
	return leap->ms && now_ms - leap->ms < FUSION_LEAPT_MS && alone && far;
}

/* The site moves farther (1) or less far (-1) than the GPUs' meters say. If it does so for the miners, it is the site's
 * meter; if these are not known, the one with which it began, or else the one whose lie would do harm: where the site moves
 * farther, GPUs that have no meter may move along with those that have. */
static bool site_is_scaled(const struct fusion *f, int gpus, int64_t now_ms)
{
	if (slope_known(&f->miners, MOVES_MINERS))
		return slope_beyond(&f->miners, MINERS_LOW, MINERS_HIGH) == gpus;
	if (began(f, true, now_ms))
		return true;
	return gpus < 0 && !began(f, false, now_ms);
}

/* What moves since it was pronounced tell is not mixed with what was before. */
static void refine(const struct fusion *f, struct fusion_verdict *verdict, bool site)
{
	if (verdict->by_moves && slope_known(&f->gpus, FUSION_MOVES_GPUS / 2))
		verdict->permille = scale_of(f, site);
}

static void judge_moves(struct step *step)
{
	struct fusion *f = &step->state->fusion;
	int gpus = slope_beyond(&f->gpus, GPUS_LOW, GPUS_HIGH);
	if (!slope_known(&f->gpus, FUSION_MOVES_GPUS) || !gpus || suspected(&f->on_site) || suspected(&f->on_hpc))
		return;
	bool site = site_is_scaled(f, gpus, step->seen->now_ms);
	if ((f->low_ms || f->gap.since_ms) && !site)    /* the site's meter is doubted: its fall is no move of the GPUs */
		return;
	struct fusion_verdict verdict = { .lie = LIE_SCALED, .by_moves = true, .from_ms = step->seen->now_ms,
		.group = (uint16_t)group_of(step->conf, site ? MEASURES_SITE : MEASURES_HPC),
		.shows_w = site ? step->metered.site_w : step->metered.hpc_last_w };
	verdict.permille = scale_of(f, site);
	pronounce(step, site ? &f->on_site : &f->on_hpc, &verdict);
}

/* ---- it fell alone, and does not show what the miners do ---- */

static void judge_gap(struct step *step)
{
	struct fusion *f = &step->state->fusion;
	if (suspected(&f->on_site) || !gap_is_lie(&f->gap))
		return;
	struct fusion_verdict verdict = site_shows_a_part(step, f->gap.since_ms);
	verdict.permille = permille_of(verdict.shows_w, verdict.others_w);
	if (f->gap.before.ms)
		f->before = f->gap.before;
	pronounce(step, &f->on_site, &verdict);
}

/* ---- what follows ---- */

/* The law has its own verdict on a frozen site's meter, and acts on it; here it is told of. */
static void tell_frozen(struct step *step)
{
	const struct policy_state *state = step->state;
	struct fusion_verdict *verdict = &step->state->fusion.on_site;
	if (verdict->lie != LIE_NONE && verdict->lie != LIE_FROZEN)
		return;
	if (!state->frozen) {
		if (verdict->lie == LIE_FROZEN)
			*verdict = (struct fusion_verdict){ .lie = LIE_NONE };
		return;
	}
	int64_t since_ms = verdict->lie == LIE_FROZEN ? verdict->since_ms : step->seen->now_ms;
	int64_t moved_w = abs64(step->metered.hpc_last_w + step->tracked.now_w - state->frozen_beside_w);
	*verdict = (struct fusion_verdict){ .lie = LIE_FROZEN, .group = (uint16_t)group_of(step->conf, MEASURES_SITE),
		.since_ms = since_ms, .from_ms = state->frozen_since_ms, .shows_w = state->frozen_w, .others_w = moved_w };
}

/* What shows a part of what GPUs move still tells what they draw, once the rest has been learned beside it. */
static void judge_hpc(struct step *step, struct metered *m)
{
	const struct fusion *f = &step->state->fusion;
	int32_t part = fusion_hpc_part(f);
	m->hpc_suspect = suspected(&f->on_hpc) && !part;
	m->hpc_part_permille = m->hpc_whole && step->state->other_known ? part : 0;
	m->hpc_whole &= !suspected(&f->on_hpc);
	/* With both in doubt nothing is known. */
	if (suspected(&f->on_hpc) && !m->hpc_part_permille && fusion_distrusts_site(step->state))
		m->site_known = false;
}

bool fusion_judge(struct step *step)
{
	struct fusion *f = &step->state->fusion;
	int64_t now_ms = step->seen->now_ms;
	sift_hpc(step->conf, step->state, &step->metered, meters_stale_ms(step->conf, MEASURES_HPC), now_ms);
	if (!f->site.held) {
		watch_level(step, f);
		watch_gap(step, f);
	}
	if (fusion_look(step, f))
		judge_all_still(step);
	judge_leaps(step, &f->on_site, &f->site, group_of(step->conf, MEASURES_SITE));
	judge_leaps(step, &f->on_hpc, &f->hpc, group_of(step->conf, MEASURES_HPC));
	judge_level(step);
	judge_moves(step);
	judge_gap(step);
	refine(f, &f->on_site, true);
	refine(f, &f->on_hpc, false);
	take_back_site(step);
	take_back(f, &f->on_hpc, &f->hpc, now_ms);
	tell_frozen(step);
	judge_hpc(step, &step->metered);
	return !fusion_distrusts_site(step->state);
}

void fusion_forget(struct fusion *f)
{
	struct fusion_ratio bias[FUSION_MINERS];
	memcpy(bias, f->bias, sizeof(bias));
	*f = (struct fusion){ 0 };
	memcpy(f->bias, bias, sizeof(bias));
}
