#include "policy/internal.h"

/* Sums over miners that stand still and hide nothing: by far the most, so they get by with two lines of memory each. */
struct still {
	int64_t awake_w, asleep_w, curtailable_w, restorable_w, raisable_w, lowerable_w, oldest_ms, least_wake_w;
	uint32_t awake, asleep;
};

static bool stands_still(const struct policy_miner_group *group, const struct miner_track *track,
                         const struct miner_seen *seen, int64_t now_ms)
{
	return !track->under_way && !track->tries && track->answers && track->steerable &&
	       (track->phase == PHASE_AWAKE || track->phase == PHASE_ASLEEP) &&
	       seen->reading.fault == FAULT_NONE && seen->reading.at_ms == track->read_ms &&
	       now_ms - track->read_ms <= group->stale_ms;
}

/* What power alone may add and take. */
static void add_power(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms, struct still *sum)
{
	if (track_may_be_told(group, track, MOVE_RAISE, false, now_ms))
		sum->raisable_w += track_gain_w(group, track, MOVE_RAISE, 0, now_ms);
	if (track_may_be_told(group, track, MOVE_LOWER, false, now_ms))
		sum->lowerable_w += track_gain_w(group, track, MOVE_LOWER, 0, now_ms);
}

static void add_still(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms, struct still *sum)
{
	sum->oldest_ms = min64(sum->oldest_ms, track->read_ms);
	if (group->partial_w && track->phase == PHASE_AWAKE)
		add_power(group, track, now_ms, sum);
	if (track->phase == PHASE_AWAKE) {
		sum->awake++;
		sum->awake_w += track->drawn_w;
		sum->curtailable_w += max64(0, (int64_t)track->drawn_w - group->asleep_w);
		return;
	}
	int64_t gain_w = max64(0, (int64_t)track->awake_w - track->drawn_w);
	sum->asleep++;
	sum->asleep_w += track->drawn_w;
	sum->restorable_w += gain_w;
	if (gain_w)
		sum->least_wake_w = min64(sum->least_wake_w, track_gain_w(group, track, MOVE_WAKE, group->partial_w, now_ms));
}

static void take_over(struct tracked *sum, const struct still *still)
{
	int64_t drawn_w = still->awake_w + still->asleep_w;
	sum->drawn_w += drawn_w;
	sum->now_w += drawn_w;
	sum->settled_w += drawn_w;
	sum->least_w += drawn_w;
	sum->most_w += drawn_w;
	sum->phases[PHASE_AWAKE] += still->awake;
	sum->phases[PHASE_ASLEEP] += still->asleep;
	sum->curtailable_w += still->curtailable_w;
	sum->restorable_w += still->restorable_w;
	sum->oldest_ms = min64(sum->oldest_ms, still->oldest_ms);
	sum->least_wake_w = min64(sum->least_wake_w, still->least_wake_w);
	sum->raisable_w += still->raisable_w;
	sum->lowerable_w += still->lowerable_w;
}

static void add_draw(const struct policy_miner_group *group, const struct miner_track *track, int64_t at_ms,
                     struct tracked *sum)
{
	sum->drawn_w += track_drawn_w(group, track, at_ms, 100);
	bool by_power = track->under_way && track->deed == DEED_POWER;
	int32_t fast_w = track_drawn_w(group, track, at_ms, by_power ? TRACK_STEADY_FAST_PERCENT : TRACK_FAST_PERCENT);
	int32_t slow_w = track_drawn_w(group, track, at_ms, by_power ? TRACK_STEADY_SLOW_PERCENT : TRACK_SLOW_PERCENT);
	sum->least_w += min64(fast_w, slow_w);
	sum->most_w += max64(fast_w, slow_w);
}

static void add_one(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms,
                    int64_t at_ms, struct tracked *sum)
{
	int64_t now_w = track_drawn_w(group, track, now_ms, 100), settled_w = track_settled_w(group, track, now_ms);
	add_draw(group, track, at_ms, sum);
	sum->now_w += now_w;
	sum->settled_w += settled_w;
	sum->unseen_w += track_unseen_w(group, track, now_ms);
	enum miner_phase phase = track_phase(track);
	sum->phases[phase]++;
	bool by_power = track->under_way && track->deed == DEED_POWER;
	sum->changing += by_power;
	if (by_power)
		sum->lowering_w += max64(0, now_w - settled_w);
	if (group->partial_w && track->under_way && track->told_hash) {
		sum->raisable_soon_w += max64(0, (int64_t)track->awake_w - track->to_w);
		sum->lowerable_soon_w += max64(0, (int64_t)track->to_w - group->partial_w);
	}
	if (phase == PHASE_WAKING)
		sum->waking_w += max64(0, settled_w - now_w);
	if (track_may_be_told(group, track, MOVE_SLEEP, true, now_ms))
		sum->curtailable_w += max64(0, settled_w - group->asleep_w);
	if (track_may_be_told(group, track, MOVE_WAKE, false, now_ms)) {
		int64_t gain_w = max64(0, track_gain_w(group, track, MOVE_WAKE, 0, now_ms));
		int64_t least_w = track_gain_w(group, track, MOVE_WAKE, group->partial_w, now_ms);
		sum->restorable_w += gain_w;
		if (gain_w)
			sum->least_wake_w = min64(sum->least_wake_w, least_w);
	}
	if (track->read_ms && phase != PHASE_UNREACHABLE)
		sum->oldest_ms = min64(sum->oldest_ms, track->read_ms);
}

static int64_t slowest_sleep_ms(const struct policy_conf *conf)
{
	int64_t slowest_ms = 0;
	for (size_t g = 0; g < conf->n_miner_groups; g++) {
		const struct policy_miner_group *group = &conf->miner_groups[g];
		if (group->watched)
			continue;
		slowest_ms = max64(slowest_ms, whole_ms(&group->sleep));
		if (group->partial_w)   /* that is how they fall, where it is not at once */
			slowest_ms = max64(slowest_ms, whole_ms(&group->power));
	}
	return slowest_ms;
}

static void take_in(const struct policy_conf *conf, struct policy_state *state, struct miner_track *track,
                    const struct snapshot *seen, size_t i)
{
	size_t g = conf->miner_group[i];
	struct miner_track before = *track;
	track_take_in(&conf->miner_groups[g], track, &seen->miners[i], seen->now_ms);
	if (g < POLICY_GROUPS)
		learn_from_poll(state->actuators[g], &conf->miner_groups[g], &before, track, &seen->miners[i].reading);
}

void fleet_look(const struct policy_conf *conf, struct policy_state *state, struct miner_track *tracks,
                const struct snapshot *seen, int64_t at_ms, struct tracked *sum)
{
	struct still still = { .oldest_ms = INT64_MAX, .least_wake_w = INT64_MAX };
	*sum = (struct tracked){ .oldest_ms = INT64_MAX, .least_wake_w = INT64_MAX,
	                         .slowest_sleep_ms = slowest_sleep_ms(conf) };
	for (size_t i = 0; i < conf->n_miners; i++) {
		const struct policy_miner_group *group = &conf->miner_groups[conf->miner_group[i]];
		if (stands_still(group, &tracks[i], &seen->miners[i], seen->now_ms)) {
			add_still(group, &tracks[i], seen->now_ms, &still);
			continue;
		}
		take_in(conf, state, &tracks[i], seen, i);
		add_one(group, &tracks[i], seen->now_ms, at_ms, sum);
		if (group->partial_w && !tracks[i].under_way && tracks[i].phase == PHASE_AWAKE)
			add_power(group, &tracks[i], seen->now_ms, &still);
		if (tracks[i].phase == PHASE_UNKNOWN && seen->miners[i].reading.fault == FAULT_NEVER) {
			sum->unheard++;
			sum->unheard_w += tracks[i].drawn_w;
		}
	}
	take_over(sum, &still);
}

int64_t fleet_mean_w(const struct policy_conf *conf, const struct miner_track *tracks, int64_t from_ms, int64_t to_ms)
{
	int64_t sum_w = 0;
	for (size_t i = 0; i < conf->n_miners; i++)
		sum_w += track_mean_w(&conf->miner_groups[conf->miner_group[i]], &tracks[i], from_ms, to_ms);
	return sum_w;
}

static int64_t mean_ms(const struct policy_response *r)
{
	return r->delay_ms + r->ramp_ms / 2;
}

const struct policy_response *fleet_power(const struct policy_conf *conf)
{
	const struct policy_response *soonest = NULL;
	for (size_t g = 0; g < conf->n_miner_groups; g++) {
		const struct policy_miner_group *group = &conf->miner_groups[g];
		if (group->partial_w && !group->watched && (!soonest || mean_ms(&group->power) < mean_ms(soonest)))
			soonest = &group->power;
	}
	return soonest;
}

struct quickest fleet_quickest(const struct policy_conf *conf)
{
	struct quickest quick = { INT64_MAX / 4, INT64_MAX / 4, NULL };
	for (size_t g = 0; g < conf->n_miner_groups; g++) {
		const struct policy_miner_group *group = &conf->miner_groups[g];
		if (group->watched)
			continue;
		const struct policy_response *sleep = group->partial_w ? &group->power : &group->sleep;
		const struct policy_response *wake = group->partial_w ? &group->power : &group->wake;
		int64_t sleep_ms = mean_ms(sleep), wake_ms = mean_ms(wake);
		if (sleep_ms + wake_ms < quick.sleep_ms + quick.wake_ms)
			quick = (struct quickest){ sleep_ms, wake_ms, group->partial_w ? &group->power : NULL };
	}
	return quick;
}

int64_t fleet_slowest_wake_ms(const struct policy_conf *conf)
{
	int64_t slowest_ms = 0;
	for (size_t g = 0; g < conf->n_miner_groups; g++)
		if (!conf->miner_groups[g].watched)
			slowest_ms = max64(slowest_ms, whole_ms(&conf->miner_groups[g].wake));
	return slowest_ms;
}

int64_t fleet_quickest_wake_ms(const struct policy_conf *conf)
{
	int64_t quickest_ms = INT64_MAX;
	for (size_t g = 0; g < conf->n_miner_groups; g++)
		if (!conf->miner_groups[g].watched)
			quickest_ms = min64(quickest_ms, whole_ms(&conf->miner_groups[g].wake));
	return quickest_ms;
}
