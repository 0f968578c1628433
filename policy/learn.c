#include "policy/internal.h"

#define MEMORY      50          /* answers of miners that weigh … */
#define TRIALS      10          /* … and moves seen at the site: another firmware is learned in about as many */
#define ENOUGH      5           /* of them, before they are used */
#define ALIKE       0.35F       /* standard deviation by the mean: more, and they do not agree */
#define FLOOR_MS    500.0F      /* but so much is nothing: polls and meters are no finer */
#define COARSE_MS   1500        /* an answer so long after the last shows nothing of when … */
#define NEARER      5           /* per cent of the way: less is the tremble of its figure */
#define COARSE_PART 4           /* … nor one later than by this part of the time since the order */
#define ABOVE_PERCENT 130       /* of what they were told: their own figures are off by no more than 20 % */
#define LEAST_PART  8           /* of nominal_w: so much there is between the least and the most in any case */
#define TRIAL_PART  200         /* of the cap, at least: less drowns in what the GPUs do */
#define TRIAL_MS    600000

static void observe(struct policy_quantity *q, float value, int64_t memory)
{
	q->n += q->n < POLICY_QUANTITY_MOST;
	float off = value - q->mean, part = 1.0F / (float)min64(q->n, memory);
	q->mean += off * part;
	q->variance = (1 - part) * (q->variance + part * off * off);
}

static bool agrees(const struct policy_quantity *q)
{
	float most = ALIKE * q->mean;
	return q->n >= ENOUGH && q->variance <= most * most + FLOOR_MS * FLOOR_MS;
}

/* ---- by the miners' own figures ---- */

static int64_t percent_at(const struct miner_track *order, int32_t drawn_w)
{
	int64_t way_w = (int64_t)order->to_w - order->from_w;
	return way_w ? ((int64_t)drawn_w - order->from_w) * 100 / way_w : 0;
}

struct look { int64_t at_ms, percent; };

/* When it was there, between two looks; from the order on. */
static int64_t crossed_ms(struct look before, struct look after, int64_t percent)
{
	if (before.percent >= percent || after.percent <= before.percent)
		return before.at_ms;
	return before.at_ms + (after.at_ms - before.at_ms) * (percent - before.percent) / (after.percent - before.percent);
}

/* One that is given up half way would have arrived at the pace that it had while it came nearer: if it is slow, until now. */
static void observe_end(struct policy_motion *motion, const struct miner_track *order, struct look last, struct look now)
{
	int64_t begin_ms = (int64_t)order->begun_cs * 10, end_ms = crossed_ms(last, now, 90);
	if (now.percent < 90)
		end_ms = begin_ms + ((int64_t)order->nearer_cs * 10 - begin_ms) * 80 / max64(order->nearest - 10, 1);
	observe(&motion->begin_ms, (float)begin_ms, MEMORY);
	observe(&motion->end_ms, (float)end_ms, MEMORY);
}

static void observe_way(struct policy_motion *motion, const struct miner_track *before, struct miner_track *after,
                        const struct miner_reading *r)
{
	int64_t told_ms = before->told_ms - (int64_t)before->earlier_cs * 10;
	/* Told again, it was not looked at then: what it did may have been done before. */
	struct look last = { max64(before->read_ms, told_ms) - told_ms, 0 }, now = { r->at_ms - told_ms, 0 };
	last.percent = before->read_ms > before->told_ms ? percent_at(before, before->drawn_w) : 0;
	now.percent = percent_at(before, r->power_w);
	bool coarse = now.at_ms - last.at_ms > max64(COARSE_MS, last.at_ms / COARSE_PART);
	if (!before->begun_cs && now.percent >= 10)
		after->begun_cs = coarse ? UINT16_MAX : (uint16_t)clamp64(crossed_ms(last, now, 10) / 10, 1, UINT16_MAX - 1);
	if (now.percent >= before->nearest + NEARER) {
		after->nearest = (uint8_t)min64(now.percent, UINT8_MAX);
		after->nearer_cs = (uint16_t)clamp64(now.at_ms / 10, 0, UINT16_MAX);
	}
	bool ended = now.percent >= 90 || (!after->under_way && now.percent >= 20);
	/* One turned round on its way up had not much of a way to go. */
	int32_t way_w = before->deed == DEED_POWER ? before->awake_w / 4 : before->awake_w / 2;
	bool whole_way = abs64((int64_t)before->to_w - before->from_w) >= way_w;
	if (ended && !coarse && whole_way && after->begun_cs != UINT16_MAX)
		observe_end(motion, after, last, now);
	if (ended)
		after->begun_cs = UINT16_MAX;
}

/* Told another power on the last of its way up, it gets there when it would have been up, no sooner. */
static bool hardly_awake(const struct policy_actuator actuators[N_DEEDS], const struct miner_track *order)
{
	return order->told_ms - order->settled_ms < actuators[DEED_WAKE].used.ramp_ms / 4;
}

/* Told again, or read too seldom, nobody knows when it moved: then it stands still when twice what a move takes has passed. */
static bool stands_still(const struct policy_actuator *power, const struct miner_track *track, int64_t at_ms)
{
	int64_t since_ms = at_ms - track->told_ms, nearer_ms = (int64_t)track->nearer_cs * 10, begun_ms = (int64_t)track->begun_cs * 10;
	if (track->begun_cs && track->begun_cs != UINT16_MAX)
		return since_ms - nearer_ms >= nearer_ms - begun_ms;
	return since_ms >= 2 * whole_ms(&power->used);
}

/* What one draws that was told the least power and no longer moves. One that did not move at all is deaf. */
static void observe_least(struct policy_actuator *power, const struct policy_miner_group *group, const struct miner_track *before,
                          const struct miner_track *after, const struct miner_reading *r)
{
	bool told_least = group->partial_w && before->told_hash && before->limit_w == group->partial_w;
	bool moved = before->deed != DEED_POWER || percent_at(before, r->power_w) >= TRACK_BEGUN_PERCENT;
	if (told_least && moved && !after->under_way && after->phase == PHASE_AWAKE && stands_still(power, before, r->at_ms))
		observe(&power->least, (float)r->power_w, TRIALS);
}

void learn_from_poll(struct policy_actuator actuators[N_DEEDS], const struct policy_miner_group *group,
                     const struct miner_track *before, struct miner_track *after, const struct miner_reading *r)
{
	enum deed deed = before->under_way ? (enum deed)before->deed : after->phase == PHASE_AWAKE ? DEED_WAKE : DEED_SLEEP;
	if (!before->under_way && deed == DEED_WAKE && after->limit_w && after->drawn_w < after->awake_w)
		deed = DEED_POWER;
	struct policy_actuator *actuator = &actuators[deed];
	bool news = r->fault == FAULT_NONE && after->read_ms > before->read_ms;
	if (before->under_way && !after->under_way)
		observe(&actuator->works, after->tries == 0 ? 1.0F : 0.0F, MEMORY);
	if (!news || !r->knows_power || r->power_w < 0)
		return;
	observe_least(&actuators[DEED_POWER], group, before, after, r);
	if (before->under_way && r->at_ms > before->told_ms && !(deed == DEED_POWER && hardly_awake(actuators, before)))
		observe_way(&actuator->by_polls, before, after, r);
	else if (!after->under_way && after->phase == (deed == DEED_SLEEP ? PHASE_ASLEEP : PHASE_AWAKE))
		observe(&actuator->watts, (float)r->power_w, MEMORY);
}

/* ---- by the site's meter ---- */

void learn_begin(const struct policy_conf *conf, struct policy_state *state, const struct metered *metered,
                 const struct decision *decision, int64_t now_ms, bool undisturbed)
{
	const struct command *commands = decision->commands;
	uint16_t group = conf->miner_group[commands[0].miner];
	struct policy_trial trial = { .on = undisturbed && metered->has_hpc && metered->hpc_whole && group < POLICY_GROUPS,
		.deed = commands[0].deed, .group = group, .told_ms = now_ms, .seen_ms = now_ms,
		.before_w = metered->site_w - metered->hpc_last_w, .hpc_w = metered->hpc_last_w };
	for (uint32_t c = 0; c < decision->n_commands && trial.on; c++) {
		bool up = commands[c].to_w > commands[c].from_w;
		trial.on = conf->miner_group[commands[c].miner] == group && commands[c].deed == trial.deed &&
		           up == (commands[0].to_w > commands[0].from_w);
		trial.way_w += (int64_t)commands[c].to_w - commands[c].from_w;
	}
	trial.seen_w = trial.before_w;
	trial.on &= !decision->n_repeats && abs64(trial.way_w) >= conf->cap_w / TRIAL_PART;
	state->moved.trial = trial;
}

static void see(struct policy_state *state, struct policy_trial *trial, int64_t site_ms, int64_t rest_w)
{
	struct look last = { trial->seen_ms - trial->told_ms, (trial->seen_w - trial->before_w) * 100 / trial->way_w };
	struct look now = { site_ms - trial->told_ms, (rest_w - trial->before_w) * 100 / trial->way_w };
	struct policy_motion *motion = &state->actuators[trial->group][trial->deed].by_site;
	if (!trial->begin_ms && now.percent >= 10)
		trial->begin_ms = max64(crossed_ms(last, now, 10), 1);
	if (now.percent >= 85) {
		observe(&motion->begin_ms, (float)trial->begin_ms, TRIALS);
		observe(&motion->end_ms, (float)crossed_ms(last, now, 85), TRIALS);
		trial->on = false;
	}
	trial->seen_ms = site_ms;
	trial->seen_w = rest_w;
}

void learn_from_site(struct policy_state *state, const struct metered *metered)
{
	struct policy_trial *trial = &state->moved.trial;
	if (!trial->on)
		return;
	/* The GPUs' meters are read later than the site's: what they do meanwhile would pass for the miners' doing. */
	bool disturbed = abs64(metered->hpc_last_w - trial->hpc_w) > abs64(trial->way_w) / 10;
	if (!metered->site_known || !metered->hpc_whole || disturbed || metered->site_ms - trial->told_ms > TRIAL_MS)
		trial->on = false;
	else if (metered->site_ms > trial->seen_ms)
		see(state, trial, metered->site_ms, metered->site_w - metered->hpc_last_w);
}

/* ---- what is made of it ---- */

/* A straight line through both. */
static struct policy_response line(const struct policy_motion *motion, int64_t percent_at_end)
{
	int64_t begin_ms = (int64_t)motion->begin_ms.mean, end_ms = max64((int64_t)motion->end_ms.mean, begin_ms);
	int64_t ramp_ms = (end_ms - begin_ms) * 100 / (percent_at_end - 10);
	return (struct policy_response){ max64(begin_ms - ramp_ms / 10, 0), ramp_ms };
}

static void make_use(struct policy_actuator *a, const struct policy_response *declared)
{
	struct policy_response polled = line(&a->by_polls, 90);
	bool by_site = agrees(&a->by_site.begin_ms) && agrees(&a->by_site.end_ms);
	a->used = by_site ? line(&a->by_site, 85) : *declared;
	bool slower = a->by_polls.end_ms.n >= ENOUGH && whole_ms(&polled) > whole_ms(&a->used) * 9 / 8 + 250;
	a->spread_ms = slower || by_site ? (int64_t)root_of(a->by_polls.end_ms.variance) : 0;
	a->basis = by_site || slower ? BASIS_LEARNED : BASIS_DECLARED;
	if (!slower)
		return;
	a->used = polled;
	if (agrees(&a->by_polls.begin_ms) && agrees(&a->by_polls.end_ms))
		return;
	a->used.ramp_ms += 2 * a->spread_ms;
	a->basis = BASIS_WORST;
}

int32_t policy_partial_w(const struct policy_state *state, const struct policy_conf *conf, size_t g)
{
	const struct policy_miner_group *declared = &conf->miner_groups[g];
	const struct policy_quantity *least = &state->actuators[g < POLICY_GROUPS ? g : 0][DEED_POWER].least;
	bool above = (int64_t)least->mean > (int64_t)declared->partial_w * ABOVE_PERCENT / 100;
	if (g >= POLICY_GROUPS || !declared->partial_w || !agrees(least) || !above)
		return declared->partial_w;
	int64_t most_w = declared->nominal_w - declared->nominal_w / LEAST_PART;
	return (int32_t)max64(declared->partial_w, min64((int64_t)least->mean, most_w));
}

void learn_apply(const struct policy_conf *conf, struct policy_state *state, struct policy_miner_group *out)
{
	for (size_t g = 0; g < conf->n_miner_groups; g++) {
		struct policy_actuator *learned = state->actuators[g];
		out[g] = conf->miner_groups[g];
		make_use(&learned[DEED_SLEEP], &out[g].sleep);
		make_use(&learned[DEED_WAKE], &out[g].wake);
		make_use(&learned[DEED_POWER], &out[g].power);
		out[g].sleep = learned[DEED_SLEEP].used;
		out[g].sleep_spread_ms = learned[DEED_SLEEP].spread_ms;
		out[g].wake = learned[DEED_WAKE].used;
		out[g].wake_spread_ms = learned[DEED_WAKE].spread_ms;
		out[g].power = learned[DEED_POWER].used;
		out[g].power_spread_ms = learned[DEED_POWER].spread_ms;
		out[g].partial_w = policy_partial_w(state, conf, g);
	}
}

void policy_forget(struct policy_state *state, size_t group)
{
	if (group >= POLICY_GROUPS)
		return;
	for (int deed = 0; deed < N_DEEDS; deed++)
		state->actuators[group][deed] = (struct policy_actuator){ 0 };
	state->fusion.bias[group] = (struct fusion_ratio){ 0 };
	if (state->moved.trial.group == group)
		state->moved.trial.on = false;
}

void policy_forget_meters(struct policy_state *state)
{
	fusion_forget(&state->fusion);
	state->moved.trial.on = false;
	state->other_known = false;
	state->frozen_since_ms = 0;
	state->away_ms = state->back_ms = state->last_ms;       /* those it was told to ask only now get the time to answer */
}
