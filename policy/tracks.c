#include "policy/internal.h"

#include <string.h>

#define DAY_MS   (24LL * 3600 * 1000)
#define RETRY_MS 5000           /* one that refused is left alone for so long */
#define LOST_MS  30000          /* one that heard none of its orders is asked again after this */
#define OBEYS_PERCENT 80        /* of the way: it does what it was told */
#define THERE_PERCENT 97        /* of the way: it has done it */
#define MOST_W 100000           /* no miner draws more, whatever it says */

static int32_t asleep_w(const struct policy_miner_group *group)
{
	return group->asleep_w;
}

static const struct policy_response *response(const struct policy_miner_group *group, bool hash)
{
	return hash ? &group->wake : &group->sleep;
}

/* When an order that has not shown in the watts by then has changed nothing. */
static int64_t patience_ms(const struct policy_miner_group *group, bool hash)
{
	const struct policy_response *r = response(group, hash);
	int64_t spread_ms = hash ? group->wake_spread_ms : group->sleep_spread_ms;
	return (r->delay_ms + r->ramp_ms) * 5 / 4 + 1000 + 3 * spread_ms;
}

/* The model: dead time, then linear; `percent` of the times the config tells. */
int32_t track_drawn_w(const struct policy_miner_group *group, const struct miner_track *track, int64_t at_ms,
                      int64_t percent)
{
	if (!track->under_way)
		return track->drawn_w;
	const struct policy_response *r = response(group, track->told_hash);
	int64_t ramp_ms = r->ramp_ms * percent / 100;
	int64_t moving_ms = at_ms - track->told_ms - r->delay_ms * percent / 100;
	if (moving_ms <= 0)
		return track->from_w;
	if (moving_ms >= ramp_ms)
		return track->to_w;
	return track->from_w + (int32_t)((int64_t)(track->to_w - track->from_w) * moving_ms / ramp_ms);
}

static bool overdue(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms)
{
	return now_ms - track->told_ms > patience_ms(group, track->told_hash);
}

int32_t track_settled_w(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms)
{
	if (track->under_way) {
		if (!track->told_hash && !track->answers && overdue(group, track, now_ms))
			return track->from_w;
		return track->to_w;
	}
	if (track->phase == PHASE_WAKING)       /* on its own, after a restart */
		return track->awake_w > track->drawn_w ? track->awake_w : track->drawn_w;
	return track->drawn_w;
}

int32_t track_unseen_w(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms)
{
	bool unseen = track->under_way && !track->told_hash && track->answers && overdue(group, track, now_ms);
	return unseen ? track->from_w - track->to_w : 0;
}

static void settle(struct miner_track *track, enum miner_phase phase, int64_t now_ms)
{
	if (track->phase == phase)
		return;
	/* Found so at start: its wear is not known, and not held against it. After a silence: what was known stands. */
	if (track->phase != PHASE_UNKNOWN && track->phase != PHASE_UNREACHABLE)
		track->settled_ms = now_ms;
	track->phase = phase;
}

/* Of the way from its draw when told to what it was told, in per cent. */
static int64_t percent_there(const struct miner_track *track)
{
	int64_t way_w = (int64_t)track->to_w - track->from_w;
	return way_w == 0 ? 100 : ((int64_t)track->drawn_w - track->from_w) * 100 / way_w;
}

static void give_up_order(struct miner_track *track, enum miner_phase seen_in, int64_t now_ms)
{
	track->under_way = false;
	settle(track, track->tries >= POLICY_MAX_TRIES ? PHASE_FAULTY : seen_in, now_ms);
	if (track->phase == PHASE_FAULTY)
		track->settled_ms = now_ms;
}

static bool knows_power(const struct miner_reading *r)
{
	return r->knows_power && r->power_w >= 0 && r->power_w <= MOST_W;
}

static int32_t told_awake_w(const struct miner_reading *r)
{
	return r->awake_w > 0 && r->awake_w <= MOST_W ? r->awake_w : 0;
}

static void follow_order(const struct policy_miner_group *group, struct miner_track *track,
                         const struct miner_reading *r, enum miner_phase seen_in, int64_t now_ms)
{
	int64_t there = percent_there(track), since_ms = r->at_ms - track->told_ms;
	const struct policy_response *due = response(group, track->told_hash);
	int64_t due_ms = due->delay_ms + due->ramp_ms;
	/* Its own figure may run ahead of its draw, and its state does: neither is believed before the watts can have moved. */
	bool done = knows_power(r) ? there >= THERE_PERCENT && since_ms >= due_ms * TRACK_FAST_PERCENT / 100 :
	            seen_in == (track->told_hash ? PHASE_AWAKE : PHASE_ASLEEP) && since_ms >= due_ms;
	if (there >= OBEYS_PERCENT && overdue(group, track, r->at_ms))
		done = true;            /* what is left of the way is an error of the figures */
	if (track->told_hash && r->state == MINER_HASHING && there >= 40 && overdue(group, track, r->at_ms))
		done = true;            /* awake, at less than it used to draw: another profile, a board gone */
	if (done) {
		track->under_way = false;
		track->tries = 0;
		settle(track, track->told_hash ? PHASE_AWAKE : PHASE_ASLEEP, now_ms);
		track->settled_ms = now_ms;
		return;
	}
	if (!overdue(group, track, r->at_ms))
		return;
	bool still_ramping = track->told_hash && (r->state == MINER_RAMPING || there >= 10);
	if (still_ramping && now_ms - track->told_ms < POLICY_FAULTY_MS)
		return;
	give_up_order(track, seen_in, now_ms);
}

/* Watts before words: a miner that says it sleeps and draws as if it did not is awake. */
static enum miner_phase phase_seen(const struct policy_miner_group *group, const struct miner_track *track,
                                   const struct miner_reading *r)
{
	int32_t half_w = asleep_w(group) + (track->awake_w - asleep_w(group)) / 2;
	bool draws = knows_power(r) && r->power_w >= half_w;
	switch (r->state) {
	case MINER_ASLEEP:  return draws ? PHASE_AWAKE : PHASE_ASLEEP;
	case MINER_RAMPING: return PHASE_WAKING;
	case MINER_HASHING: return PHASE_AWAKE;
	case MINER_UNKNOWN: break;
	}
	return draws || !knows_power(r) ? PHASE_AWAKE : PHASE_ASLEEP;
}

static void take_reading(const struct policy_miner_group *group, struct miner_track *track,
                         const struct miner_reading *r, int64_t now_ms)
{
	bool before_order = track->under_way && r->at_ms <= track->told_ms;
	track->read_ms = r->at_ms;
	track->steerable = r->steerable;
	if (before_order)
		return;
	if (!track->awake_w)
		track->awake_w = told_awake_w(r) ? told_awake_w(r) : group->nominal_w;
	enum miner_phase seen_in = phase_seen(group, track, r);
	if (knows_power(r))
		track->drawn_w = r->power_w;
	else
		track->drawn_w = seen_in == PHASE_ASLEEP ? asleep_w(group) : group->nominal_w;
	if (track->under_way) {
		follow_order(group, track, r, seen_in, now_ms);
		return;
	}
	/* Far below its profile it is on its way, or short of a board: what it draws when woken is not less for that. */
	int32_t profile_w = told_awake_w(r) ? told_awake_w(r) : track->awake_w;
	if (seen_in == PHASE_AWAKE && knows_power(r) && r->power_w >= profile_w / 2)
		track->awake_w = r->power_w;
	else if (seen_in != PHASE_AWAKE && told_awake_w(r))
		track->awake_w = told_awake_w(r);       /* a new profile since it last hashed */
	if (track->phase == PHASE_FAULTY) {
		bool obeys = seen_in == (track->told_hash ? PHASE_AWAKE : PHASE_ASLEEP);
		if (!obeys && now_ms - track->settled_ms < (track->lost ? LOST_MS : POLICY_FAULTY_MS))
			return;
		track->tries = 0;
	}
	settle(track, seen_in, now_ms);
}

static void lose(const struct policy_miner_group *group, struct miner_track *track)
{
	int32_t allowed_w = track->told_ms && !track->told_hash ? asleep_w(group) : track->awake_w;
	if (track->read_ms == 0)
		track->drawn_w = track->awake_w = group->nominal_w;
	else if (track->told_ms && allowed_w > track->drawn_w)
		track->drawn_w = allowed_w;
	else if (track->phase == PHASE_WAKING)
		track->drawn_w = track->awake_w;
	track->under_way = false;
	track->phase = PHASE_UNREACHABLE;
}

void track_take_in(const struct policy_miner_group *group, struct miner_track *track, const struct miner_seen *seen,
                   int64_t now_ms)
{
	const struct miner_reading *r = &seen->reading;
	track->answers = r->fault == FAULT_NONE && now_ms - r->at_ms <= group->stale_ms;
	if (r->fault == FAULT_NONE && r->at_ms > track->read_ms)
		take_reading(group, track, r, now_ms);
	bool refused = track->under_way && seen->heard != FAULT_NEVER && seen->heard != FAULT_NONE &&
	               seen->heard_ms >= track->told_ms;
	if (refused) {                  /* whatever it did, do not count on it; the next reading tells */
		give_up_order(track, track->told_hash ? PHASE_ASLEEP : PHASE_AWAKE, now_ms);
		track->lost = seen->heard == FAULT_SILENT;
	}
	if (track->phase != PHASE_UNREACHABLE && now_ms - track->read_ms > group->stale_ms &&
	    (track->read_ms || r->fault != FAULT_NEVER))
		lose(group, track);
	if (track->phase == PHASE_UNKNOWN && !track->read_ms)
		track->drawn_w = track->awake_w = group->nominal_w;
}

bool track_may_be_told(const struct policy_miner_group *group, const struct miner_track *track, bool hash,
                       bool at_once, int64_t now_ms)
{
	if (!track->steerable || !track->answers)
		return false;
	bool refused_just_now = !track->under_way && track->tries && now_ms - track->told_ms < RETRY_MS;
	/* What was lost on the way is worth sending again where it matters; what was refused is not. */
	if (refused_just_now && track->told_hash == hash && !(at_once && track->lost))
		return false;
	if (track->under_way)           /* turning round one that is waking is allowed, one that falls must land first */
		return !hash && track->told_hash;
	switch ((enum miner_phase)track->phase) {
	case PHASE_AWAKE:
	case PHASE_WAKING:
		return !hash && track->drawn_w > asleep_w(group);
	case PHASE_ASLEEP:
		return hash;
	case PHASE_UNKNOWN:
	case PHASE_FALLING:
	case PHASE_UNREACHABLE:
	case PHASE_FAULTY:
	case N_PHASES:
		break;
	}
	return false;
}

enum binding track_wear(const struct policy_miner_group *group, const struct miner_track *track, bool hash,
                        int64_t now_ms)
{
	int64_t since_ms = track->settled_ms ? now_ms - track->settled_ms : DAY_MS;
	if (hash)
		return since_ms < group->min_asleep_ms ? BINDING_MIN_ASLEEP : BINDING_NONE;
	if (since_ms < group->min_awake_ms)
		return BINDING_MIN_AWAKE;
	if (group->cycles_per_day) {
		int64_t cycle_ms = DAY_MS / group->cycles_per_day;
		if (max64(track->wear_ms - now_ms, 0) + cycle_ms > DAY_MS)
			return BINDING_CYCLES;
	}
	return BINDING_NONE;
}

void track_tell(const struct policy_miner_group *group, struct miner_track *track, bool hash, int64_t now_ms)
{
	bool again = track->tries && track->told_hash == hash;
	track->from_w = track_drawn_w(group, track, now_ms, 100);
	track->to_w = hash ? track->awake_w : asleep_w(group);
	track->tries = again ? (uint8_t)(track->tries + 1) : 1;
	track->told_hash = hash;
	/* It may just be slow: then what it does now is the first order's doing. */
	int64_t since_first_cs = track->earlier_cs + (now_ms - track->told_ms) / 10;
	track->earlier_cs = again && !track->begun_cs ? (uint16_t)min64(since_first_cs, UINT16_MAX) : 0;
	track->begun_cs = again && track->begun_cs ? UINT16_MAX : 0;
	track->told_ms = now_ms;
	track->under_way = true;
	track->lost = false;
	if (!hash && !again) {
		track->sleeps++;
		if (group->cycles_per_day)
			track->wear_ms = max64(track->wear_ms, now_ms) + DAY_MS / group->cycles_per_day;
	}
}

int64_t track_gain_w(const struct policy_miner_group *group, const struct miner_track *track, bool hash, int64_t now_ms)
{
	if (hash)
		return (int64_t)track->awake_w - track->drawn_w;
	return (int64_t)track_settled_w(group, track, now_ms) - asleep_w(group);
}
