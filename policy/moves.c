#include "policy/internal.h"
#include "policy/setpoint.h"
#include "policy/windows.h"

#include <string.h>

#define WAKING_PER_MILLE 100            /* of the cap, at most under way upwards at a time */
#define CLASSES          512            /* of watts per second, in steps of 12 %; those told again come last */

static const struct policy_miner_group *group_of(const struct step *step, uint32_t miner)
{
	return &step->conf->miner_groups[step->conf->miner_group[miner]];
}

static struct command tell(struct step *step, uint32_t miner, bool hash)
{
	struct miner_track *track = &step->tracks[miner];
	track_tell(group_of(step, miner), track, hash, step->seen->now_ms);
	step->out->n_repeats += track->tries > 1;
	return (struct command){ .miner = miner, .deed = hash ? DEED_WAKE : DEED_SLEEP, .hash = hash, .try_number = track->tries,
	                         .from_w = track->from_w, .to_w = track->to_w };
}

/* How soon the watts fall: 0 is the soonest. Logarithmic, for the figures are no better than a tenth. */
static uint32_t class_of(const struct step *step, uint32_t miner, bool hash)
{
	if (hash)
		return 0;
	const struct policy_miner_group *group = group_of(step, miner);
	const struct miner_track *track = &step->tracks[miner];
	int64_t ms = max64(group->sleep.delay_ms + group->sleep.ramp_ms, 1);
	uint64_t w_per_s = (uint64_t)clamp64(track_gain_w(group, track, false, step->seen->now_ms) * 1000 / ms, 8, UINT32_MAX);
	uint32_t octave = 63 - (uint32_t)__builtin_clzll(w_per_s);
	uint32_t rate = octave * 8 + (uint32_t)(w_per_s >> (octave - 3) & 7);
	return CLASSES / 2 - 1 - rate + (track->tries ? CLASSES / 2 : 0);
}

/* Gives the order to those picked: by class, within one by number. */
static void tell_picked(struct step *step, uint32_t n, bool hash)
{
	uint32_t ends[CLASSES] = { 0 }, end = step->out->n_commands;
	for (uint32_t i = 0; i < n; i++) {
		step->tracks[step->scratch[i]].picked = true;
		ends[class_of(step, step->scratch[i], hash)]++;
	}
	for (uint32_t c = 0; c < CLASSES; c++) {
		uint32_t count = ends[c];
		ends[c] = end;
		end += count;
	}
	for (uint32_t i = 0; i < step->conf->n_miners; i++)
		if (step->tracks[i].picked) {
			uint32_t place = ends[class_of(step, i, hash)]++;
			step->out->commands[place] = tell(step, i, hash);
			step->tracks[i].picked = false;
		}
	step->out->n_commands = end;
}

/* Those that may be told, wear included unless it is ignored; `forbidden` is the last reason why one may not. */
static struct pick candidates(struct step *step, bool hash, bool at_once, enum binding *forbidden)
{
	struct pick pick = { .conf = step->conf, .tracks = step->tracks, .now_ms = step->seen->now_ms, .hash = hash, .at_once = at_once,
	                     .quick_first = setpoint_moves(&step->state->setpoint, step->seen->now_ms), .index = step->scratch };
	for (uint32_t i = 0; i < step->conf->n_miners; i++) {
		const struct policy_miner_group *group = group_of(step, i);
		const struct miner_track *track = &step->tracks[i];
		if (!track_may_be_told(group, track, hash, at_once, pick.now_ms) || track_gain_w(group, track, hash, pick.now_ms) <= 0)
			continue;
		enum binding wear = track_wear(group, track, hash, pick.now_ms);
		if (wear != BINDING_NONE && !at_once)
			*forbidden = wear;
		else
			step->scratch[pick.n++] = i;
	}
	return pick;
}

static int64_t gained_w(const struct step *step, uint32_t n, bool hash)
{
	int64_t sum_w = 0;
	for (uint32_t i = 0; i < n; i++)
		sum_w += track_gain_w(group_of(step, step->scratch[i]), &step->tracks[step->scratch[i]], hash, step->seen->now_ms);
	return sum_w;
}

static bool ramps_down(const struct step *step)
{
	return step->conf->ramp_down_w_per_min || step->seen->demand.setpoint_ramp_w_per_min;
}

/* What windows leave of a move this way, whichever groups make it. */
static int64_t windows_leave_w(const struct step *step, const struct policy_window *windows, size_t n_windows, bool up)
{
	const struct policy_conf *conf = step->conf;
	int64_t allowed_w = POLICY_NONE;
	for (size_t g = 0; n_windows && g < conf->n_miner_groups; g++) {
		const struct policy_response *response = up ? &conf->miner_groups[g].wake : &conf->miner_groups[g].sleep;
		allowed_w = min64(allowed_w, windows_allow_w(&step->state->course, windows, n_windows, response, up,
		                                             step->seen->now_ms));
	}
	return allowed_w;
}

/* Lowers what is allowed to what windows and ramp leave, and says which did: a ramp's budget says how soon, its minute
 * that what was saved up does not come on top. */
static int64_t under_limits_w(const struct step *step, int64_t allowed_w, bool ramped, bool up, enum binding *binding)
{
	struct policy_window minute = { 60000, up ? step->minute_up_w : step->minute_down_w };
	int64_t budget_w = up ? step->state->up_budget_w : step->state->down_budget_w;
	int64_t windows_w = windows_leave_w(step, step->conf->windows, step->conf->n_windows, up);
	int64_t ramp_w = ramped ? min64(budget_w, windows_leave_w(step, &minute, minute.change_w > 0, up)) : POLICY_NONE;
	if (min64(windows_w, ramp_w) >= allowed_w)
		return allowed_w;
	*binding = windows_w < ramp_w ? BINDING_WINDOW : up ? BINDING_RAMP_UP : BINDING_RAMP_DOWN;
	return min64(windows_w, ramp_w);
}

static void note_for_windows(struct step *step, uint32_t n, bool hash)
{
	int64_t moved_w[POLICY_GROUPS] = { 0 };
	const struct policy_conf *conf = step->conf;
	if (!conf->n_windows && !step->minute_up_w && !step->minute_down_w)
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t miner = step->scratch[i];
		moved_w[min64(conf->miner_group[miner], POLICY_GROUPS - 1)] +=
			track_gain_w(group_of(step, miner), &step->tracks[miner], hash, step->seen->now_ms);
	}
	for (size_t g = 0; g < POLICY_GROUPS; g++)
		if (moved_w[g])
			windows_note(&step->state->course, hash ? &conf->miner_groups[g].wake : &conf->miner_groups[g].sleep,
			             hash ? moved_w[g] : -moved_w[g], step->seen->now_ms);
}

/* What must be shed is no move on purpose: it costs ramp and windows nothing. */
int64_t move_down(struct step *step, int64_t need_w, bool at_once, enum binding *forbidden)
{
	if (!step->tracked.curtailable_w)
		return 0;
	struct pick pick = candidates(step, false, at_once, forbidden);
	uint32_t n = at_once ? pick_first(&pick, need_w) : pick_amount(&pick, need_w, true);
	int64_t shed_w = gained_w(step, n, false);
	enum binding held = BINDING_NONE;
	int64_t allowed_w = at_once ? shed_w : under_limits_w(step, shed_w, ramps_down(step), false, &held);
	if (shed_w > allowed_w) {
		*forbidden = held;
		n = pick_amount(&pick, allowed_w, false);
		shed_w = gained_w(step, n, false);
	}
	if (!at_once) {
		step->state->down_budget_w -= shed_w;
		note_for_windows(step, n, false);
	}
	tell_picked(step, n, false);
	return shed_w;
}

/* What may be woken now, and what holds it at that. */
static int64_t allowed_up_w(const struct step *step, int64_t room_w, int64_t pace_w, bool ramped, enum binding *binding)
{
	int64_t allowed_w = room_w;
	if (pace_w < allowed_w) {
		allowed_w = pace_w;
		*binding = BINDING_WAKES_IN_FLIGHT;
	}
	return under_limits_w(step, allowed_w, ramped, true, binding);
}

int64_t move_up(struct step *step, int64_t room_w, bool ramped, enum binding *forbidden)
{
	int64_t full_w = step->conf->cap_w / 1000 * WAKING_PER_MILLE, pace_w = full_w - step->tracked.waking_w;
	bool first = step->tracked.phases[PHASE_WAKING] == 0;
	if (room_w < step->tracked.least_wake_w)
		return 0;
	if (!first && room_w > pace_w && pace_w < full_w / 4) {         /* by the dozen, not one by one */
		*forbidden = BINDING_WAKES_IN_FLIGHT;
		return 0;
	}
	if (first)                      /* one always may, however large */
		pace_w = max64(pace_w, step->tracked.least_wake_w);
	enum binding held = *forbidden;
	int64_t allowed_w = allowed_up_w(step, room_w, pace_w, ramped, &held);
	if (allowed_w < step->tracked.least_wake_w) {
		*forbidden = held;
		return 0;
	}
	struct pick pick = candidates(step, true, false, forbidden);
	uint32_t n = pick_amount(&pick, allowed_w, false);
	int64_t woken_w = gained_w(step, n, true);
	if (n < pick.n && allowed_w < room_w)
		*forbidden = held;
	step->state->up_budget_w -= woken_w;
	note_for_windows(step, n, true);
	tell_picked(step, n, true);
	return woken_w;
}
