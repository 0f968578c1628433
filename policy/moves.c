#include "policy/internal.h"
#include "policy/setpoint.h"
#include "policy/spread.h"
#include "policy/windows.h"

#include <string.h>

#define WAKING_PER_MILLE 100            /* of the cap, at most under way upwards at a time */
#define CLASSES          512            /* of watts per second, in steps of 12 %; those told again come last */

static const struct policy_miner_group *group_of(const struct step *step, uint32_t miner)
{
	return &step->conf->miner_groups[step->conf->miner_group[miner]];
}

static enum move move_of(const struct step *step, const struct candidate *one)
{
	return (enum move)step->tracks[one->miner].move;
}

/* Returns what it gains by it. */
static int64_t set_move(struct step *step, uint32_t miner, enum move move, int32_t limit_w)
{
	struct miner_track *track = &step->tracks[miner];
	track->move = (uint8_t)move;
	track->trim_w = limit_w;
	return track_gain_w(group_of(step, miner), track, move, limit_w, step->seen->now_ms);
}

static int64_t gained_w(const struct step *step, uint32_t n)
{
	int64_t sum_w = 0;
	for (uint32_t i = 0; i < n; i++)
		sum_w += step->scratch[i].gain_w;
	return sum_w;
}

/* ---- telling ---- */

static struct command tell(struct step *step, uint32_t miner)
{
	struct miner_track *track = &step->tracks[miner];
	track_tell(group_of(step, miner), track, (enum move)track->move, track->trim_w, step->seen->now_ms);
	track->step = step->state->step;
	step->out->n_repeats += track->tries > 1;
	return (struct command){ .miner = miner, .deed = (enum deed)track->deed, .hash = track->told_hash,
	                         .limit_w = track->limit_w, .try_number = track->tries, .from_w = track->from_w,
	                         .to_w = track->to_w };
}

/* How soon the watts fall: 0 is the soonest. Logarithmic, for the figures are no better than a tenth. */
static uint32_t class_of(const struct step *step, const struct candidate *one)
{
	const struct miner_track *track = &step->tracks[one->miner];
	if (move_is_up((enum move)track->move))
		return 0;
	const struct policy_response *r = deed_response(group_of(step, one->miner), move_deed((enum move)track->move));
	int64_t ms = max64(whole_ms(r), 1);
	uint64_t w_per_s = (uint64_t)clamp64((int64_t)one->gain_w * 1000 / ms, 8, UINT32_MAX);
	uint32_t octave = 63 - (uint32_t)__builtin_clzll(w_per_s);
	uint32_t rate = octave * 8 + (uint32_t)(w_per_s >> (octave - 3) & 7);
	return CLASSES / 2 - 1 - rate + (track->tries ? CLASSES / 2 : 0);
}

/* Gives the order to those picked: by class, within one by number. */
static void tell_picked(struct step *step, uint32_t n)
{
	uint32_t ends[CLASSES] = { 0 }, end = step->out->n_commands;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t class = class_of(step, &step->scratch[i]);
		step->tracks[step->scratch[i].miner].place = (uint16_t)(class + 1);
		ends[class]++;
	}
	for (uint32_t c = 0; c < CLASSES; c++) {
		uint32_t count = ends[c];
		ends[c] = end;
		end += count;
	}
	for (uint32_t i = 0; n && i < step->conf->n_miners; i++)
		if (step->tracks[i].place) {
			step->out->commands[ends[step->tracks[i].place - 1]++] = tell(step, i);
			step->tracks[i].place = 0;
		}
	step->out->n_commands = end;
}

/* ---- who may be told ---- */

static bool may(const struct step *step, uint32_t miner, enum move move, bool at_once, enum binding *forbidden)
{
	const struct policy_miner_group *group = group_of(step, miner);
	const struct miner_track *track = &step->tracks[miner];
	int64_t now_ms = step->seen->now_ms;
	if (!track_may_be_told(group, track, move, at_once, now_ms))
		return false;
	enum binding wear = at_once ? BINDING_NONE : track_wear(group, track, move, now_ms);
	if (wear != BINDING_NONE)
		*forbidden = wear;
	return wear == BINDING_NONE;
}

/* What must fall at once falls as fast as it can; and where the site is over its limit already, nothing is as fast as
 * sleep: half of its way is done in the first moments. */
static bool lowering_is_quick(const struct step *step, const struct policy_miner_group *group)
{
	int64_t sleep_ms = whole_ms(&group->sleep);
	return !step->is_over && whole_ms(&group->power) <= sleep_ms * 5 / 4;
}

static struct pick pick_of(struct step *step, bool up, bool at_once)
{
	return (struct pick){ .conf = step->conf, .tracks = step->tracks, .up = up, .at_once = at_once, .list = step->scratch,
	                      .quick_first = setpoint_moves(&step->state->setpoint, step->seen->now_ms) };
}

static void add(struct step *step, struct pick *pick, uint32_t miner, enum move move, int32_t limit_w)
{
	int64_t gain_w = set_move(step, miner, move, limit_w);
	if (gain_w > 0)
		pick_add(pick, miner, move, gain_w);
}

/* Those that may be told, wear included unless it is ignored; `forbidden` is the last reason why one may not. */
static struct pick candidates_down(struct step *step, bool at_once, bool lower_only, enum binding *forbidden)
{
	struct pick pick = pick_of(step, false, at_once);
	for (uint32_t i = 0; i < step->conf->n_miners; i++) {
		const struct policy_miner_group *group = group_of(step, i);
		bool lowers = group->partial_w && (!at_once || lowering_is_quick(step, group));
		const struct miner_track *track = &step->tracks[i];
		bool told_now = track->under_way && track->told_ms == step->seen->now_ms && track->step == step->state->step;
		if (told_now)                           /* in this very step, for others to be lowered, or at ease */
			continue;
		if (lowers && may(step, i, MOVE_LOWER, at_once, forbidden))
			add(step, &pick, i, MOVE_LOWER, 0);
		else if (!lower_only && may(step, i, MOVE_SLEEP, at_once, forbidden))
			add(step, &pick, i, MOVE_SLEEP, 0);
	}
	spread_turns(&pick, step->state->decisions);
	return pick;
}

static struct pick candidates_up(struct step *step, enum move move, bool sparing, enum binding *forbidden)
{
	struct pick pick = pick_of(step, true, false);
	for (uint32_t i = 0; i < step->conf->n_miners; i++)
		if (may(step, i, move, false, forbidden))
			add(step, &pick, i, move, sparing ? group_of(step, i)->partial_w : 0);
	spread_turns(&pick, step->state->decisions);
	return pick;
}

/* ---- limits on what is moved on purpose ---- */

static int64_t windows_leave_w(const struct step *step, const struct policy_window *windows, size_t n_windows, bool up)
{
	const struct policy_conf *conf = step->conf;
	int64_t allowed_w = POLICY_NONE;
	for (size_t g = 0; n_windows && g < conf->n_miner_groups; g++) {
		const struct policy_miner_group *group = &conf->miner_groups[g];
		const struct policy_response *response = up ? &group->wake : &group->sleep;
		if (group->watched)
			continue;
		struct policy_course *course = &step->state->moved.course;
		allowed_w = min64(allowed_w, windows_allow_w(course, windows, n_windows, response, up, step->seen->now_ms));
		if (group->partial_w)
			allowed_w = min64(allowed_w, windows_allow_w(course, windows, n_windows, &group->power, up, step->seen->now_ms));
	}
	return allowed_w;
}

/* Lowers what is allowed to what windows and ramp leave, and says which did: a ramp's budget says how soon, its minute
 * that what was saved up does not come on top. */
static int64_t under_limits_w(const struct step *step, int64_t allowed_w, bool ramped, bool up, enum binding *binding)
{
	struct policy_window minute = { 60000, up ? step->minute_up_w : step->minute_down_w };
	int64_t budget_w = up ? step->state->moved.up_budget_w : step->state->moved.down_budget_w;
	int64_t windows_w = windows_leave_w(step, step->conf->windows, step->conf->n_windows, up);
	int64_t ramp_w = ramped ? min64(budget_w, windows_leave_w(step, &minute, minute.change_w > 0, up)) : POLICY_NONE;
	if (min64(windows_w, ramp_w) >= allowed_w)
		return allowed_w;
	*binding = windows_w < ramp_w ? BINDING_WINDOW : up ? BINDING_RAMP_UP : BINDING_RAMP_DOWN;
	return min64(windows_w, ramp_w);
}

static void note_for_windows(struct step *step, uint32_t n)
{
	const struct policy_conf *conf = step->conf;
	int64_t moved_w[POLICY_GROUPS][N_DEEDS] = { { 0 } };
	if (!conf->n_windows && !step->minute_up_w && !step->minute_down_w)
		return;
	for (uint32_t i = 0; i < n; i++) {
		const struct candidate *one = &step->scratch[i];
		enum move move = move_of(step, one);
		int64_t change_w = move_is_up(move) ? one->gain_w : -one->gain_w;
		moved_w[min64(conf->miner_group[one->miner], POLICY_GROUPS - 1)][move_deed(move)] += change_w;
	}
	for (size_t g = 0; g < POLICY_GROUPS; g++)
		for (enum deed deed = 0; deed < N_DEEDS; deed++)
			if (moved_w[g][deed])
				windows_note(&step->state->moved.course, deed_response(&conf->miner_groups[g], deed), moved_w[g][deed],
				             step->seen->now_ms);
}

/* ---- exact amounts ---- */

static bool can_trim(const struct step *step, const struct candidate *one, int64_t left_w)
{
	const struct policy_miner_group *group = group_of(step, one->miner);
	int64_t least_w = move_of(step, one) == MOVE_WAKE ? group->partial_w - group->asleep_w : group->step_w;
	least_w = max64(least_w, group->nominal_w / TRACK_COARSE_PART);
	return group->partial_w && move_of(step, one) != MOVE_SLEEP && left_w > least_w && one->gain_w > left_w;
}

/* One more miner at a power in between: what it gains is left_w, or less by a part of its step. */
static bool trim_one(struct step *step, struct candidate *one, int64_t left_w)
{
	struct miner_track *track = &step->tracks[one->miner];
	const struct policy_miner_group *group = group_of(step, one->miner);
	int64_t step_w = max64(group->step_w, 1);
	int64_t limit_w = move_is_up((enum move)track->move) ? track->drawn_w + left_w :
	                  track_settled_w(group, track, step->seen->now_ms) - left_w + step_w - 1;
	int32_t whole_w = track->trim_w;
	int64_t gain_w = set_move(step, one->miner, move_of(step, one), (int32_t)(limit_w - limit_w % step_w));
	if (gain_w <= left_w && gain_w > group->nominal_w / TRACK_COARSE_PART) {
		one->gain_w = (int32_t)gain_w;
		return true;
	}
	track->trim_w = whole_w;        /* it draws more than its most, or nobody could tell whether it did it */
	return false;
}

static bool trims_before(const struct pick *by, const struct candidate *a, const struct candidate *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return by->tracks[a->miner].moved_ms < by->tracks[b->miner].moved_ms;
}

/* What whole moves leave is made up for by the one that comes first of those that can. Returns the number picked. */
static uint32_t trim(struct step *step, const struct pick *pick, uint32_t n, int64_t left_w)
{
	uint32_t best = pick->n;
	for (uint32_t place = n; place < pick->n; place++) {
		if (!can_trim(step, &pick->list[place], left_w))
			continue;
		if (best == pick->n || trims_before(pick, &pick->list[place], &pick->list[best]))
			best = place;
	}
	if (best == pick->n || !trim_one(step, &pick->list[best], left_w))
		return n;
	pick_swap(pick->list, n, best);
	return n + 1;
}

/* As near to amount_w as it goes without exceeding it, unless it may by half a miner. Whose turn it is is trimmed; where
 * that cannot be, smaller ones fill up what it leaves. */
static uint32_t choose_amount(struct step *step, struct pick *pick, int64_t amount_w, bool may_exceed)
{
	if (!step->has_partial)
		return pick_amount(pick, amount_w, may_exceed);
	uint32_t n = pick_first(pick, amount_w);
	int64_t gain_w = gained_w(step, n);
	if (gain_w <= amount_w)
		return n;
	struct candidate *next = &pick->list[n - 1];
	int64_t left_w = amount_w - (gain_w - next->gain_w);
	if (can_trim(step, next, left_w) && trim_one(step, next, left_w))
		return n;
	if (move_deed(move_of(step, next)) == DEED_POWER && left_w <= group_of(step, next->miner)->nominal_w / 16)
		return n - 1;
	n = pick_amount(pick, amount_w, false);
	left_w = amount_w - gained_w(step, n);
	return left_w > 0 ? trim(step, pick, n, left_w) : n;
}

/* ---- down ---- */

/* Where all less power is not enough, those lowered go to sleep instead, as many as it takes. */
static void send_to_sleep(struct step *step, struct pick *pick, uint32_t n, int64_t need_w, bool at_once,
                          enum binding *forbidden)
{
	struct pick rest = *pick;
	rest.n = 0;
	for (uint32_t place = 0; place < n; place++) {
		struct candidate one = pick->list[place];
		bool whole = move_of(step, &one) == MOVE_LOWER && !step->tracks[one.miner].trim_w;
		if (!whole || !may(step, one.miner, MOVE_SLEEP, at_once, forbidden))
			continue;
		one.gain_w = group_of(step, one.miner)->partial_w - group_of(step, one.miner)->asleep_w;
		pick->list[place] = pick->list[rest.n];
		pick->list[rest.n++] = one;
	}
	uint32_t m = at_once ? pick_first(&rest, need_w) : pick_amount(&rest, need_w, false);
	for (uint32_t place = 0; place < rest.n; place++)
		pick->list[place].gain_w = (int32_t)set_move(step, pick->list[place].miner, place < m ? MOVE_SLEEP : MOVE_LOWER, 0);
}

static uint32_t choose_down(struct step *step, int64_t need_w, bool at_once, bool lower_only, bool may_exceed,
                            enum binding *forbidden)
{
	struct pick pick = candidates_down(step, at_once, lower_only, forbidden);
	uint32_t n = at_once ? pick_first(&pick, need_w) : choose_amount(step, &pick, need_w, may_exceed);
	int64_t left_w = need_w - gained_w(step, n);
	if (n == pick.n && left_w > 0 && step->has_partial && !lower_only)
		send_to_sleep(step, &pick, n, left_w, at_once, forbidden);
	return n;
}

static bool ramps_down(const struct step *step)
{
	return step->conf->ramp_down_w_per_min || step->seen->demand.setpoint_ramp_w_per_min;
}

/* What must be shed is no move on purpose: it costs ramp and windows nothing. */
int64_t move_down(struct step *step, int64_t need_w, bool at_once, bool lower_only, enum binding *forbidden)
{
	if (!step->tracked.curtailable_w)
		return 0;
	uint32_t n = choose_down(step, need_w, at_once, lower_only, true, forbidden);
	int64_t shed_w = gained_w(step, n);
	enum binding held = BINDING_NONE;
	int64_t allowed_w = at_once ? shed_w : under_limits_w(step, shed_w, ramps_down(step), false, &held);
	if (shed_w > allowed_w) {
		*forbidden = held;
		n = choose_down(step, allowed_w, at_once, lower_only, false, forbidden);
		shed_w = gained_w(step, n);
	}
	if (!at_once) {
		step->state->moved.down_budget_w -= shed_w;
		note_for_windows(step, n);
	}
	tell_picked(step, n);
	return shed_w;
}

/* ---- up ---- */

static void go_up(struct step *step, uint32_t n, int64_t gain_w)
{
	step->state->moved.up_budget_w -= gain_w;
	note_for_windows(step, n);
	tell_picked(step, n);
}

int64_t move_raise(struct step *step, int64_t room_w, bool ramped, enum binding *forbidden)
{
	if (!step->tracked.raisable_w || room_w <= 0)
		return 0;
	enum binding held = *forbidden;
	int64_t allowed_w = under_limits_w(step, room_w, ramped, true, &held);
	struct pick pick = candidates_up(step, MOVE_RAISE, false, forbidden);
	uint32_t n = choose_amount(step, &pick, allowed_w, false);
	int64_t raised_w = gained_w(step, n);
	if (n < pick.n && allowed_w < room_w)
		*forbidden = held;
	go_up(step, n, raised_w);
	return raised_w;
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

int64_t move_wake(struct step *step, int64_t room_w, bool sparing, bool ramped, enum binding *forbidden)
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
	struct pick pick = candidates_up(step, MOVE_WAKE, sparing, forbidden);
	uint32_t n = choose_amount(step, &pick, allowed_w, false);
	int64_t woken_w = gained_w(step, n);
	if (n < pick.n && allowed_w < room_w)
		*forbidden = held;
	go_up(step, n, woken_w);
	return woken_w;
}
