#include "policy/internal.h"

#include <string.h>

#define DAY_MS   (24LL * 3600 * 1000)
#define RETRY_MS 5000           /* one that refused is left alone for so long */
#define LOST_MS  30000          /* one that heard none of its orders is asked again after this; any, where nobody else is left */
#define OBEYS_PERCENT 80        /* of the way: it does what it was told */
#define THERE_PERCENT 97        /* of the way: it has done it */
#define LOW_MS   (60 * 60000)   /* one that did not rise three times is not told to for so long */
#define MOST_FALLS 3            /* by itself, within as long, from where it was raised to: likewise … */
#define FALL_PART 8             /* … by this part of nominal_w at least */
#define MOST_W 100000           /* no miner draws more, whatever it says */

static int32_t asleep_w(const struct policy_miner_group *group)
{
	return group->asleep_w;
}

enum deed move_deed(enum move move)
{
	switch (move) {
	case MOVE_SLEEP: return DEED_SLEEP;
	case MOVE_WAKE:  return DEED_WAKE;
	case MOVE_LOWER:
	case MOVE_RAISE: break;
	}
	return DEED_POWER;
}

const struct policy_response *deed_response(const struct policy_miner_group *group, enum deed deed)
{
	switch (deed) {
	case DEED_WAKE:  return &group->wake;
	case DEED_POWER: return &group->power;
	case DEED_SLEEP:
	case N_DEEDS:    break;
	}
	return &group->sleep;
}

static int64_t spread_ms(const struct policy_miner_group *group, enum deed deed)
{
	switch (deed) {
	case DEED_WAKE:  return group->wake_spread_ms;
	case DEED_POWER: return group->power_spread_ms;
	case DEED_SLEEP:
	case N_DEEDS:    break;
	}
	return group->sleep_spread_ms;
}

/* When an order that has not shown in the watts by then has changed nothing. */
static int64_t patience_ms(const struct policy_miner_group *group, enum deed deed)
{
	const struct policy_response *r = deed_response(group, deed);
	return whole_ms(r) * 5 / 4 + 1000 + 3 * spread_ms(group, deed);
}

/* Of the way from its draw when told to what it was told, in per cent. */
static int64_t percent_there(const struct miner_track *track)
{
	int64_t way_w = (int64_t)track->to_w - track->from_w;
	return way_w == 0 ? 100 : ((int64_t)track->drawn_w - track->from_w) * 100 / way_w;
}

/* The model: dead time, then linear; `percent` of the times the config tells. */
int32_t track_drawn_w(const struct policy_miner_group *group, const struct miner_track *track, int64_t at_ms,
                      int64_t percent)
{
	if (!track->under_way)
		return track->drawn_w;
	if (track->tries >= POLICY_MAX_TRIES && track->to_w < track->from_w && percent_there(track) < TRACK_BEGUN_PERCENT)
		return track->from_w;           /* it did not follow twice: its watts have to show it */
	const struct policy_response *r = deed_response(group, track->deed);
	int64_t ramp_ms = r->ramp_ms * percent / 100;
	int64_t moving_ms = at_ms - track->told_ms - r->delay_ms * percent / 100;
	if (moving_ms <= 0)
		return track->from_w;
	if (moving_ms >= ramp_ms)
		return track->to_w;
	return track->from_w + (int32_t)((int64_t)(track->to_w - track->from_w) * moving_ms / ramp_ms);
}

/* How far along a ramp it is on average between two instants, counted from the ramp's begin. */
static double mean_share(int64_t from_ms, int64_t to_ms, int64_t ramp_ms)
{
	double from = (double)from_ms, to = (double)to_ms, ramp = (double)max64(ramp_ms, 1);
	double a = from < 0 ? 0 : from < ramp ? from : ramp, b = to < 0 ? 0 : to < ramp ? to : ramp;
	double at_the_end = to > ramp ? to - (from > ramp ? from : ramp) : 0;
	return ((b * b - a * a) / 2 / ramp + at_the_end) / (to - from);
}

double response_share(const struct policy_response *response, int64_t told_ms, int64_t from_ms, int64_t to_ms)
{
	int64_t begin_ms = told_ms + response->delay_ms;
	return to_ms > from_ms ? mean_share(from_ms - begin_ms, to_ms - begin_ms, response->ramp_ms) : 0;
}

int32_t track_mean_w(const struct policy_miner_group *group, const struct miner_track *track, int64_t from_ms, int64_t to_ms)
{
	if (!track->under_way)
		return track->drawn_w;
	double share = response_share(deed_response(group, track->deed), track->told_ms, from_ms, to_ms);
	return track->from_w + (int32_t)((track->to_w - track->from_w) * share);
}

static bool overdue(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms)
{
	return now_ms - track->told_ms > patience_ms(group, track->deed);
}

enum miner_phase track_phase(const struct miner_track *track)
{
	bool moves = track->phase != PHASE_FAULTY || percent_there(track) >= TRACK_BEGUN_PERCENT;
	if (!track->under_way || track->deed == DEED_POWER || !moves)
		return (enum miner_phase)track->phase;
	return track->deed == DEED_SLEEP ? PHASE_FALLING : PHASE_WAKING;
}

int32_t track_settled_w(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms)
{
	if (track->under_way) {
		bool unanswered = track->to_w < track->from_w && !track->answers && overdue(group, track, now_ms);
		return unanswered || track_phase(track) == PHASE_FAULTY ? track->from_w : track->to_w;
	}
	if (track->phase == PHASE_WAKING)       /* on its own, after a restart */
		return track->awake_w > track->drawn_w ? track->awake_w : track->drawn_w;
	return track->drawn_w;
}

int32_t track_unseen_w(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms)
{
	bool unseen = track->under_way && track->answers && overdue(group, track, now_ms) && track_phase(track) != PHASE_FAULTY;
	return unseen && track->to_w < track->from_w ? track->from_w - track->to_w : 0;
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

static void give_up_order(struct miner_track *track, enum miner_phase seen_in, int64_t now_ms)
{
	track->under_way = false;
	if (track->deed == DEED_POWER) {        /* it may still sleep and wake as it should */
		track->stuck_ms = now_ms + (track->tries >= POLICY_MAX_TRIES ? POLICY_FAULTY_MS : RETRY_MS);
		track->limit_w = 0;
		if (track->tries >= POLICY_MAX_TRIES)
			track->tries = 0;
		settle(track, seen_in, now_ms);
		return;
	}
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

/* As far as it was told; what it was told before a restart only its profile tells. */
static bool at_full(const struct policy_miner_group *group, const struct miner_track *track, const struct miner_reading *r)
{
	return track->limit_w >= group->nominal_w || (!track->limit_w && told_awake_w(r) >= group->nominal_w);
}

/* It hashes on at less than it was raised to, and nobody told it so: too hot, by its own protection. Left to it the third time
 * within an hour. What goes on to fall, or trembles, is not one more. */
static void see_fall(const struct policy_miner_group *group, struct miner_track *track, int32_t from_w, int64_t now_ms)
{
	if (!track->risen || from_w - track->drawn_w <= group->nominal_w / FALL_PART)
		return;
	if (now_ms - track->fell_ms > LOW_MS)
		track->falls = 0;
	if (track->falls++ == 0)
		track->fell_ms = now_ms;
	track->risen = false;
	if (track->falls >= MOST_FALLS)
		track->low_until_ms = now_ms + LOW_MS;
}

static void follow_order(const struct policy_miner_group *group, struct miner_track *track,
                         const struct miner_reading *r, enum miner_phase seen_in, int64_t now_ms)
{
	int64_t there = percent_there(track), since_ms = r->at_ms - track->told_ms;
	const struct policy_response *due = deed_response(group, track->deed);
	int64_t due_ms = whole_ms(due);
	/* Its own figure may run ahead of its draw, and its state does: neither is believed before the watts can have moved. */
	if (track->deed == DEED_POWER && seen_in == PHASE_ASLEEP && since_ms >= due_ms) {
		give_up_order(track, seen_in, now_ms);
		return;
	}
	bool done = knows_power(r) ? there >= THERE_PERCENT && since_ms >= due_ms * TRACK_FAST_PERCENT / 100 :
	            seen_in == (track->told_hash ? PHASE_AWAKE : PHASE_ASLEEP) && since_ms >= due_ms;
	if (there >= OBEYS_PERCENT && overdue(group, track, r->at_ms))
		done = true;            /* what is left of the way is an error of the figures */
	/* A small step drowns in the error of its own figure: the site's meter has to tell. */
	int64_t off_w = abs64((int64_t)track->to_w - track->drawn_w);
	if (track->deed == DEED_POWER && since_ms >= due_ms && off_w <= group->nominal_w / TRACK_COARSE_PART)
		done = true;
	if (track->told_hash && r->state == MINER_HASHING && there >= 40 && overdue(group, track, r->at_ms))
		done = true;            /* awake, at less than it used to draw: another profile, a board gone */
	if (done) {
		track->risen = track->told_hash && track->to_w > track->from_w;
		track->under_way = false;
		track->tries = 0;
		settle(track, track->told_hash ? PHASE_AWAKE : PHASE_ASLEEP, now_ms);
		if (track->deed == DEED_POWER)
			track->moved_ms = now_ms;
		else
			track->settled_ms = now_ms;
		if (group->partial_w && track->told_hash && at_full(group, track, r) && knows_power(r))
			track->awake_w = r->power_w;
		return;
	}
	if (!overdue(group, track, r->at_ms))
		return;
	bool still_ramping = track->deed == DEED_WAKE && (r->state == MINER_RAMPING || there >= TRACK_BEGUN_PERCENT);
	if (still_ramping && now_ms - track->told_ms < POLICY_FAULTY_MS)
		return;
	/* It hashes at no more: its owner's limit, a board gone. */
	bool never_rises = track->deed == DEED_POWER && track->to_w > track->from_w && track->tries >= POLICY_MAX_TRIES;
	if (never_rises && knows_power(r) && seen_in == PHASE_AWAKE)
		track->low_until_ms = now_ms + LOW_MS;
	give_up_order(track, seen_in, now_ms);
}

/* Watts before words: a miner that says it sleeps and draws as if it did not is awake. */
static enum miner_phase phase_seen(const struct policy_miner_group *group, const struct miner_track *track,
                                   const struct miner_reading *r)
{
	int32_t least_w = group->partial_w ? group->partial_w : track->awake_w;
	int32_t half_w = asleep_w(group) + (least_w - asleep_w(group)) / 2;
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
	/* Where the power may be told, the profile is what it was told last, and nominal_w the most. */
	int32_t told_w = group->partial_w ? 0 : told_awake_w(r);
	if (!track->awake_w)
		track->awake_w = told_w ? told_w : group->nominal_w;
	enum miner_phase seen_in = phase_seen(group, track, r);
	int32_t before_w = track->drawn_w;
	if (knows_power(r))
		track->drawn_w = r->power_w;
	else
		track->drawn_w = seen_in == PHASE_ASLEEP ? asleep_w(group) : group->nominal_w;
	if (track->under_way) {
		follow_order(group, track, r, seen_in, now_ms);
		return;
	}
	/* Far below its profile it is on its way, or short of a board: what it draws when woken is not less for that. */
	int32_t profile_w = told_w ? told_w : track->awake_w;
	int32_t least_w = group->partial_w ? profile_w : profile_w / 2;
	if (group->partial_w && at_full(group, track, r))
		least_w = (int32_t)min64(profile_w, (int64_t)group->nominal_w * 3 / 4);
	if (seen_in == PHASE_AWAKE && knows_power(r) && r->power_w >= least_w)
		track->awake_w = r->power_w;
	else if (seen_in != PHASE_AWAKE && told_w)
		track->awake_w = told_w;        /* a new profile since it last hashed */
	/* It did as told while nobody heard of it. */
	bool obeys = seen_in == (track->told_hash ? PHASE_AWAKE : PHASE_ASLEEP);
	if (track->tries && obeys && percent_there(track) >= THERE_PERCENT)
		track->tries = 0;
	if (track->phase == PHASE_UNREACHABLE && track->tries >= POLICY_MAX_TRIES)
		track->phase = PHASE_FAULTY;    /* as it was before */
	if (track->phase == PHASE_FAULTY) {
		if (!obeys && now_ms - track->settled_ms < (track->lost ? LOST_MS : POLICY_FAULTY_MS))
			return;
		track->tries = 0;
	}
	if (group->partial_w && knows_power(r) && seen_in == PHASE_AWAKE && track->phase == PHASE_AWAKE)
		see_fall(group, track, before_w, now_ms);
	settle(track, seen_in, now_ms);
}

static void lose(const struct policy_miner_group *group, struct miner_track *track)
{
	int32_t most_w = track->limit_w && track->limit_w < track->awake_w ? track->limit_w : track->awake_w;
	int32_t allowed_w = track->told_ms && !track->told_hash ? asleep_w(group) : most_w;
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
	bool heard = track->under_way && seen->heard != FAULT_NEVER && seen->heard_ms >= track->told_ms;
	/* Whether one did as told that gave no answer, the next reading tells: until then, do not count on what it sheds, but on
	 * what it would draw. */
	bool may_rise = seen->heard != FAULT_REFUSED && track->to_w > track->from_w;
	if (heard && seen->heard != FAULT_NONE && !may_rise) {
		give_up_order(track, track->deed == DEED_WAKE ? PHASE_ASLEEP : PHASE_AWAKE, now_ms);
		track->lost = seen->heard == FAULT_SILENT;
	}
	if (track->phase != PHASE_UNREACHABLE && now_ms - track->read_ms > group->stale_ms &&
	    (track->read_ms || r->fault != FAULT_NEVER))
		lose(group, track);
	if (track->phase == PHASE_UNKNOWN && !track->read_ms)
		track->drawn_w = track->awake_w = group->nominal_w;
}

/* ---- what it may be told, and is ---- */

static bool may_change_power(const struct policy_miner_group *group, const struct miner_track *track, bool up, bool at_once,
                             int64_t now_ms)
{
	if (!group->partial_w || track->phase != PHASE_AWAKE || now_ms < track->stuck_ms)
		return false;
	if (track->under_way)           /* one on its way up is turned round where it matters */
		return !up && at_once && track->deed == DEED_POWER && track->to_w > track->from_w;
	if (up && now_ms < track->low_until_ms)
		return false;
	int32_t way_w = up ? track->awake_w - track->drawn_w : track->drawn_w - group->partial_w;
	return way_w > group->nominal_w / TRACK_COARSE_PART;
}

bool track_may_be_told(const struct policy_miner_group *group, const struct miner_track *track, enum move move,
                       bool at_once, int64_t now_ms)
{
	bool hash = move != MOVE_SLEEP;
	if (!track->steerable || !track->answers)
		return false;
	if (move == MOVE_LOWER || move == MOVE_RAISE)
		return may_change_power(group, track, move == MOVE_RAISE, at_once, now_ms);
	bool refused_just_now = !track->under_way && track->tries && now_ms - track->told_ms < RETRY_MS;
	/* What was lost on the way is worth sending again where it matters; what was refused is not. */
	if (refused_just_now && track->deed == move_deed(move) && !(at_once && track->lost))
		return false;
	/* Turning round one that is waking is allowed, and where less power is not enough it is sleep; one that falls asleep must
	 * land first. */
	bool may_sleep = track->deed == DEED_WAKE || (track->deed == DEED_POWER && track->to_w < track->from_w);
	if (track->under_way)
		return !hash && track->told_hash && (at_once || may_sleep);
	switch ((enum miner_phase)track->phase) {
	case PHASE_AWAKE:
	case PHASE_WAKING:
		return !hash && track->drawn_w > asleep_w(group);
	case PHASE_ASLEEP:
		return hash;
	case PHASE_FAULTY:              /* asked again (track_ask_again) */
		return !hash && track->tries < POLICY_MAX_TRIES && track->drawn_w > asleep_w(group);
	case PHASE_UNKNOWN:
	case PHASE_FALLING:
	case PHASE_UNREACHABLE:
	case N_PHASES:
		break;
	}
	return false;
}

/* A quarter of them may follow each other at once, the rest come back over the day: so in no 24 hours there are more. */
static int64_t cycles_at_once(const struct policy_miner_group *group)
{
	return max64(group->cycles_per_day / 4, 1);
}

static int64_t cycle_ms(const struct policy_miner_group *group)
{
	return DAY_MS / max64(group->cycles_per_day - cycles_at_once(group), 1);
}

int64_t track_cycles_left_milli(const struct policy_miner_group *group, const struct miner_track *track, int64_t now_ms)
{
	return max64(cycles_at_once(group) * 1000 - max64(track->wear_ms - now_ms, 0) * 1000 / cycle_ms(group), 0);
}

enum binding track_wear(const struct policy_miner_group *group, const struct miner_track *track, enum move move,
                        int64_t now_ms)
{
	int64_t since_ms = track->settled_ms ? now_ms - track->settled_ms : DAY_MS;
	if (move == MOVE_LOWER || move == MOVE_RAISE)
		return BINDING_NONE;
	if (move == MOVE_WAKE)
		return since_ms < group->min_asleep_ms ? BINDING_MIN_ASLEEP : BINDING_NONE;
	if (since_ms < group->min_awake_ms)
		return BINDING_MIN_AWAKE;
	return group->cycles_per_day && track_cycles_left_milli(group, track, now_ms) < 1000 ? BINDING_CYCLES : BINDING_NONE;
}

/* The limit that goes with a move, and what the miner draws under it. */
static int32_t limit_of(const struct policy_miner_group *group, enum move move, int32_t limit_w)
{
	if (move == MOVE_SLEEP || !group->partial_w)
		return 0;
	if (!limit_w)
		return move == MOVE_LOWER ? group->partial_w : group->nominal_w;
	return (int32_t)clamp64(limit_w, group->partial_w, group->nominal_w);
}

static int32_t goal_w(const struct policy_miner_group *group, const struct miner_track *track, enum move move, int32_t limit_w)
{
	int32_t limited_w = limit_of(group, move, limit_w);
	if (move == MOVE_SLEEP)
		return asleep_w(group);
	return limited_w && limited_w < group->nominal_w && limited_w < track->awake_w ? limited_w : track->awake_w;
}

void track_tell(const struct policy_miner_group *group, struct miner_track *track, enum move move, int32_t limit_w,
                int64_t now_ms)
{
	bool hash = move != MOVE_SLEEP;
	int32_t to_w = goal_w(group, track, move, limit_w);
	bool same_way = track->deed != DEED_POWER || (to_w > track->drawn_w) == (track->to_w > track->from_w);
	bool again = track->tries && track->deed == move_deed(move) && same_way;
	track->from_w = track_drawn_w(group, track, now_ms, 100);
	track->to_w = to_w;
	track->tries = again ? (uint8_t)(track->tries + 1) : 1;
	track->told_hash = hash;
	track->deed = (uint8_t)move_deed(move);
	track->limit_w = limit_of(group, move, limit_w);
	/* It may just be slow: then what it does now is the first order's doing. */
	int64_t since_first_cs = track->earlier_cs + (now_ms - track->told_ms) / 10;
	track->earlier_cs = again && !track->begun_cs ? (uint16_t)min64(since_first_cs, UINT16_MAX) : 0;
	track->begun_cs = again && track->begun_cs ? UINT16_MAX : 0;
	track->nearer_cs = 0;
	track->nearest = 0;
	track->told_ms = now_ms;
	track->under_way = true;
	track->lost = false;
	if (!hash && !again) {
		track->sleeps++;
		/* Sheds do not ask what is left: after a day without one all is forgiven. */
		if (group->cycles_per_day)
			track->wear_ms = min64(max64(track->wear_ms, now_ms) + cycle_ms(group), now_ms + DAY_MS);
	}
}

void track_ask_again(struct miner_track *track, int64_t now_ms)
{
	if (track->phase == PHASE_FAULTY && !track->told_hash && !track->under_way && now_ms - track->settled_ms >= LOST_MS)
		track->tries = POLICY_MAX_TRIES - 1;
}

int64_t track_gain_w(const struct policy_miner_group *group, const struct miner_track *track, enum move move,
                     int32_t limit_w, int64_t now_ms)
{
	int64_t goal = goal_w(group, track, move, limit_w);
	if (move_is_up(move))
		return goal - track->drawn_w;
	return (int64_t)track_settled_w(group, track, now_ms) - goal;
}
