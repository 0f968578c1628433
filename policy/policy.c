#include "policy/follow.h"
#include "policy/internal.h"
#include "policy/setpoint.h"

#include <string.h>

#define PATIENCE_AT_START_MS 30000      /* how long a miner not heard from holds up the waking of others */
#define WATCHED_MS           10000      /* of load that must have been seen before a miner is woken */
#define DEAD_BAND_PER_MILLE  1          /* of the cap, plus half a miner */
#define SPARE_PART           100        /* of the cap, woken to be raised later, at a time */
#define FOLLOW_SPARE_PART    10         /* the same where a set point moves */
#define FOLLOW_SPARE_MS      30000      /* by what it climbs in so long, at most, those awake should be able to rise */
#define BORNE_MS             30000      /* by the error of a message for each of these that waking takes, … */
#define MOST_BORNE_MS        120000     /* … and of so long at most, too much is borne before miners go to sleep for it */
#define GUARD_PER_MILLE      1          /* of the cap: so near to the limit is over it, for the load may go on rising */
#define BUDGET_MS            15000      /* a ramp not used is saved up for so long */
#define STANDS_MS            5000       /* what is foretold comes and goes: before anybody wakes for it, it has stood so long */
#define BORNE_PART           4          /* of the reserve that may be used up before miners go to sleep for it */

static int64_t dead_band(const struct step *step)
{
	int64_t smallest_w = POLICY_NONE;
	for (size_t g = 0; g < step->conf->n_miner_groups; g++) {
		const struct policy_miner_group *group = &step->conf->miner_groups[g];
		smallest_w = min64(smallest_w, group->partial_w ? group->nominal_w / 8 : group->nominal_w);
	}
	return (smallest_w == POLICY_NONE ? 0 : smallest_w / 2) + step->conf->cap_w / 1000 * DEAD_BAND_PER_MILLE;
}

struct wish { int64_t miners_w; enum binding binding; };

static void lower(struct wish *wish, int64_t miners_w, enum binding binding)
{
	if (miners_w < wish->miners_w)
		*wish = (struct wish){ miners_w, binding };
}

/* The set point in force: the grid's or the operator's stands before the file's. */
static int64_t setpoint_in_force(const struct step *step)
{
	return step->seen->demand.setpoint_w != POLICY_NONE ? step->seen->demand.setpoint_w : step->conf->target_w;
}

/* The most the miners may draw under these limits, held by the highest load of late. */
static struct wish most_under(const struct step *step, int64_t limit_w, int64_t miners_limit_w)
{
	struct wish wish = { POLICY_NONE, BINDING_NONE };
	if (step->failsafe) {
		int64_t left_w = step->metered.has_hpc ? limit_w - step->reserve_w - step->load_w : 0;
		lower(&wish, min64(left_w, step->tracked.settled_w), BINDING_METER_LOST);
	} else {
		int64_t load_w = max64(step->planned_w + step->reserve_w, step->rising_to_w);
		lower(&wish, limit_w - step->doubt_w - load_w, BINDING_RESERVE);
	}
	lower(&wish, miners_limit_w, BINDING_MINERS_LIMIT);
	wish.miners_w = max64(wish.miners_w, 0);
	return wish;
}

/* Mean times of the group that moves soonest: a set point is followed by those. */
struct quickest { int64_t sleep_ms, wake_ms; const struct policy_response *both_ways; };

static struct quickest quickest(const struct policy_conf *conf)
{
	struct quickest quick = { INT64_MAX / 4, INT64_MAX / 4, NULL };
	for (size_t g = 0; g < conf->n_miner_groups; g++) {
		const struct policy_miner_group *group = &conf->miner_groups[g];
		const struct policy_response *sleep = group->partial_w ? &group->power : &group->sleep;
		const struct policy_response *wake = group->partial_w ? &group->power : &group->wake;
		int64_t sleep_ms = sleep->delay_ms + sleep->ramp_ms / 2, wake_ms = wake->delay_ms + wake->ramp_ms / 2;
		if (sleep_ms + wake_ms < quick.sleep_ms + quick.wake_ms)
			quick = (struct quickest){ sleep_ms, wake_ms, group->partial_w ? &group->power : NULL };
	}
	return quick;
}

static int64_t slowest_wake_ms(const struct policy_conf *conf)
{
	int64_t slowest_ms = 0;
	for (size_t g = 0; g < conf->n_miner_groups; g++)
		slowest_ms = max64(slowest_ms, conf->miner_groups[g].wake.delay_ms + conf->miner_groups[g].wake.ramp_ms);
	return slowest_ms;
}

static int64_t quickest_wake_ms(const struct policy_conf *conf)
{
	int64_t quickest_ms = INT64_MAX;
	for (size_t g = 0; g < conf->n_miner_groups; g++)
		quickest_ms = min64(quickest_ms, conf->miner_groups[g].wake.delay_ms + conf->miner_groups[g].wake.ramp_ms);
	return quickest_ms;
}

static int64_t dip_w(const struct policy_state *state)
{
	return reserve_slots(state->hold) ? (int64_t)state->holds[state->hold].dip_w : 0;
}

/* What the set point leaves the miners: one that moves is followed, any other held on average. POLICY_NONE: there is none. */
static int64_t left_by_setpoint_w(const struct step *step)
{
	const struct policy_state *state = step->state;
	int64_t setpoint_w = setpoint_in_force(step);
	if (setpoint_moves(&state->setpoint, step->seen->now_ms)) {
		struct quickest quick = quickest(step->conf);
		if (step->follows)
			return step->tracked.settled_w + step->follow_w;
		return setpoint_leaves_w(&state->setpoint, step->tracked.settled_w, quick.sleep_ms, quick.wake_ms);
	}
	return setpoint_w == POLICY_NONE ? POLICY_NONE :
	       setpoint_w - (step->planned_w - step->forecast.fall_w - dip_w(state));
}

/* What they should draw. Without the site's meter they never draw more. */
static struct wish wish_under(const struct step *step, int64_t limit_w, int64_t miners_limit_w)
{
	struct wish wish = most_under(step, limit_w, miners_limit_w);
	if (step->failsafe)
		return wish;
	/* What must not be exceeded is not gone to within the error of the figures: each watt over it is answered by sleep. */
	if (step->has_partial && wish.binding == BINDING_MINERS_LIMIT)
		wish.miners_w -= dead_band(step);
	lower(&wish, left_by_setpoint_w(step), step->seen->demand.setpoint_w != POLICY_NONE ? BINDING_SETPOINT : BINDING_TARGET);
	if (!step->site_usable)
		lower(&wish, step->tracked.settled_w, BINDING_METER_LOST);
	wish.miners_w = max64(wish.miners_w, 0);
	return wish;
}

/* ---- the decision ---- */

static enum reason reason_for(const struct step *step, const struct wish *wish, bool over)
{
	const struct demand *demand = &step->seen->demand;
	bool by_event = demand->limit_w < step->conf->cap_w;
	if (step->failsafe)
		return REASON_FAILSAFE;
	if (wish->binding == BINDING_MINERS_LIMIT)
		return demand->shed ? REASON_SHED : REASON_EVENT;
	if (over)
		return by_event ? REASON_EVENT : REASON_CAP;
	if (wish->binding == BINDING_SETPOINT)
		return demand->by_operator ? REASON_OPERATOR : REASON_EVENT;
	return by_event ? REASON_EVENT : REASON_TARGET;
}

static void conclude(struct step *step, enum reason reason, enum binding binding)
{
	struct decision *out = step->out;
	bool ramped = binding == BINDING_RAMP_UP || binding == BINDING_RAMP_DOWN || binding == BINDING_WINDOW;
	out->binding = binding;
	if (!out->n_commands)
		return;
	if (step->state->decisions++ == 0 && reason == REASON_TARGET)
		reason = REASON_STARTUP;
	else if (ramped && reason == REASON_TARGET)
		reason = REASON_RAMP;
	out->reason = reason;
}

enum haste { BY_POWER_ONLY, AT_EASE, AT_ONCE };

static void decide_down(struct step *step, const struct wish *wish, enum haste haste, bool over)
{
	enum binding binding = wish->binding;
	bool at_once = haste == AT_ONCE;
	if (over && binding == BINDING_RESERVE)
		binding = step->out->serves = step->seen->demand.limit_w < step->conf->cap_w ? BINDING_LIMIT : BINDING_CAP;
	int64_t need_w = step->tracked.settled_w - wish->miners_w;
	bool by_load = binding == BINDING_RESERVE || binding == BINDING_CAP || binding == BINDING_LIMIT;
	/* Nearly all of it: the load as it is may add a few watts. */
	if (by_load && need_w - need_w / 10 <= step->announced_w)
		binding = step->out->serves = BINDING_PLAN;
	enum binding forbidden = BINDING_NONE;
	int64_t shed_w = move_down(step, need_w, at_once, haste == BY_POWER_ONLY, &forbidden);
	if (forbidden != BINDING_NONE && shed_w < need_w && !at_once)
		binding = forbidden;
	else if (!shed_w && haste != BY_POWER_ONLY)
		binding = BINDING_NO_MINERS;
	step->tracked.settled_w -= shed_w;
	conclude(step, reason_for(step, wish, over), binding);
}

static bool may_go_up(const struct step *step)
{
	int64_t now_ms = step->seen->now_ms;
	bool heard = !step->tracked.unheard || now_ms - step->state->started_ms > PATIENCE_AT_START_MS;
	return step->site_usable && heard && step->metered.site_w <= step->limit_w && !step->seen->futile &&
	       !fusion_doubts(step->state) && now_ms - step->state->usable_since_ms >= WATCHED_MS;
}

/* While miners fall the load is not known well enough to wake others into what they leave. */
static bool may_wake(const struct step *step)
{
	return !step->tracked.phases[PHASE_FALLING] || setpoint_moves(&step->state->setpoint, step->seen->now_ms);
}

static bool room_stands(const struct step *step, const struct wish *wish)
{
	bool is_forecast = wish->binding == BINDING_RESERVE && load_is_foretold(step->state) &&
	                   reserve_is_known(step->conf, step->state);
	return !is_forecast || step->seen->now_ms - step->state->room_since_ms >= STANDS_MS;
}

/* Raising is done in seconds, known to the watt and undone as soon: it need not wait for what is under way, and takes what
 * there is now. One woken has paid off only after a while: it takes what there will be until then. */
static void decide_up(struct step *step, const struct wish *now)
{
	const struct demand *demand = &step->seen->demand;
	int64_t announced_w = step->announced_soon_w - step->announced_w;
	struct wish soon = wish_under(step, min64(step->limit_w, demand->limit_soon_w) - announced_w,
	                              min64(demand->miners_w, demand->miners_soon_w));
	bool ramped = step->conf->ramp_up_w_per_min || demand->setpoint_ramp_w_per_min;
	enum binding forbidden = BINDING_NO_MINERS;
	int64_t room_w = now->miners_w - step->tracked.settled_w, soon_w = soon.miners_w - step->tracked.settled_w;
	int64_t more_w = room_w > dead_band(step) ? move_raise(step, room_w, ramped, &forbidden) : 0;
	if (may_wake(step) && room_stands(step, now))
		more_w += move_wake(step, soon_w - more_w, step->spare_w > 0, ramped, &forbidden);
	step->tracked.settled_w += more_w;
	bool by_now = soon.miners_w >= now->miners_w || more_w > soon_w;
	enum binding binding = by_now ? now->binding : announced_w ? BINDING_PLAN : BINDING_LIMIT;
	step->out->wanted_miners_w = max64(soon.miners_w, step->tracked.settled_w);
	step->out->serves = binding;
	if (forbidden != BINDING_NO_MINERS && soon_w - more_w > dead_band(step))
		binding = forbidden;
	conclude(step, reason_for(step, by_now ? now : &soon, false), binding);
}

/* Nothing that is in force, or soon will be, takes away what is woken now. */
static bool may_spare(const struct step *step)
{
	const struct demand *demand = &step->seen->demand;
	bool limited = min64(demand->limit_soon_w, step->limit_w) < step->limit_w || demand->miners_w != POLICY_NONE ||
	               demand->miners_soon_w != POLICY_NONE || step->announced_soon_w > 0;
	bool ramped = step->minute_down_w && step->state->down_budget_w <= 0;
	return !limited && !ramped && may_go_up(step) && may_wake(step);
}

/* Wakes some to the least power, for others to be lowered by as much, so that more can be raised in seconds. Not for the
 * last few watts of it, no more at a time than the reserve bears, and none for which others would have to sleep: above_w,
 * what the miners draw too much, is taken from the same that may be lowered. */
static void wake_spare(struct step *step, int64_t above_w)
{
	int64_t part_w = step->conf->cap_w / (step->follows ? FOLLOW_SPARE_PART : SPARE_PART);
	int64_t least_w = step->follows ? part_w / 20 : part_w / 2;
	int64_t most_w = min64(part_w - step->tracked.waking_w, step->tracked.lowerable_w - max64(above_w, 0));
	if (step->spare_w < least_w || most_w < step->tracked.least_wake_w || !may_spare(step))
		return;
	enum binding forbidden = BINDING_NONE;
	bool ramped = step->conf->ramp_up_w_per_min || step->seen->demand.setpoint_ramp_w_per_min;
	int64_t wanted_w = min64(most_w, max64(step->spare_w / 2, step->tracked.least_wake_w));
	int64_t woken_w = move_wake(step, wanted_w, true, ramped, &forbidden);
	step->tracked.settled_w += woken_w;
	step->tracked.waking_w += woken_w;
}

static bool is_worn(enum binding binding)
{
	return binding == BINDING_MIN_AWAKE || binding == BINDING_CYCLES;
}

/* Wear may hold back what serves the target. Where half of the reserve is gone for that, it is a shed: before the limit is
 * crossed, not after. */
static void decide_worn(struct step *step)
{
	struct wish most = most_under(step, step->limit_w, step->seen->demand.miners_w);
	step->out->serves = most.binding;
	if (step->tracked.settled_w > most.miners_w)
		decide_down(step, &most, AT_ONCE, true);
}

/* To fall asleep and to wake again takes longer than many a rise lasts, which the reserve is there for. What less power
 * does not do is left to it until it lasts as long, or takes more than a part of it. */
static bool is_borne(const struct step *step, const struct wish *wish, int64_t drawn_w)
{
	bool by_reserve = wish->binding == BINDING_RESERVE && step->has_partial && reserve_is_known(step->conf, step->state);
	bool lasts = step->seen->now_ms - step->state->above_since_ms > slowest_wake_ms(step->conf);
	return by_reserve && !lasts && drawn_w <= step->limit_w - step->reserve_w + step->reserve_w / BORNE_PART;
}

/* A set point is followed within the time that waking takes, or as far as power alone has to do until then. */
static void see_wish(struct step *step, int64_t wish_w)
{
	struct policy_state *state = step->state;
	int64_t now_ms = step->seen->now_ms;
	if (step->follows != state->setpoint.followed)
		spare_forget(state);
	state->setpoint.followed = step->follows;
	if (step->follows) {
		spare_see(state, setpoint_level_w(&state->setpoint, 0), min64(quickest_wake_ms(step->conf), FOLLOW_SPARE_MS), now_ms);
		step->spare_w = spare_lacking_to_follow_w(state, &step->tracked);
	} else {
		spare_see(state, wish_w, slowest_wake_ms(step->conf), now_ms);
		step->spare_w = spare_lacking_w(state, &step->tracked);
	}
}

static void decide(struct step *step)
{
	const struct demand *demand = &step->seen->demand;
	struct wish wish = wish_under(step, step->limit_w, demand->miners_w);
	if (step->has_partial && step->site_usable)
		see_wish(step, wish.miners_w);
	/* Over now, or as soon as the load is where it was within the last minute. */
	int64_t risk_w = load_is_foretold(step->state) ? max64(step->load_w, step->state->announced_w) : step->planned_w;
	int64_t guard_w = load_is_foretold(step->state) ? step->conf->cap_w / 1000 * GUARD_PER_MILLE : 0;
	int64_t drawn_w = risk_w + step->doubt_w + step->tracked.settled_w;
	bool over = !step->failsafe && drawn_w > step->limit_w - guard_w;
	rise_see(step);
	over |= step->is_over;
	struct wish most = { demand->miners_w, BINDING_MINERS_LIMIT };
	if (over || step->failsafe)
		most = most_under(step, step->limit_w, demand->miners_w);
	if (step->is_unheard_of)
		lower(&most, rise_leaves_w(step, most.miners_w), BINDING_RISE);
	bool at_once = step->tracked.settled_w > max64(most.miners_w, 0);
	step->out->wanted_miners_w = wish.miners_w;
	step->out->serves = step->out->binding = wish.binding;
	if (!at_once && step->has_partial)
		wake_spare(step, step->tracked.settled_w - wish.miners_w);
	int64_t above_w = step->tracked.settled_w - wish.miners_w;
	if (above_w <= dead_band(step))
		step->state->above_since_ms = step->seen->now_ms;
	if (-above_w <= dead_band(step))
		step->state->room_since_ms = step->seen->now_ms;
	if (at_once) {
		step->out->serves = most.binding;
		decide_down(step, &most, AT_ONCE, over);
	} else if (above_w > dead_band(step) && !step->seen->futile) {
		decide_down(step, &wish, is_borne(step, &wish, drawn_w) ? BY_POWER_ONLY : AT_EASE, false);
		drawn_w = risk_w + step->doubt_w + step->tracked.settled_w;
		if (is_worn(step->out->binding) && drawn_w > step->limit_w - step->reserve_w / 2)
			decide_worn(step);
	} else if (above_w < 0 && may_go_up(step)) {
		decide_up(step, &wish);
	}
	if (step->out->n_commands && step->out->reason == REASON_NONE)
		conclude(step, REASON_TARGET, BINDING_RUNNING_RESERVE);
	step->out->cap_unreachable = over && !step->tracked.unheard &&
	                             step->load_w + step->tracked.settled_w > step->limit_w;
}

/* ---- the frame ---- */

static int64_t stricter(int64_t a, int64_t b)
{
	return !a ? b : !b ? a : min64(a, b);
}

static void fill(int64_t *budget_w, int64_t rate_w_per_min, int64_t unit_w, int64_t elapsed_ms)
{
	/* What was moved while no ramp was in force is not held against a later one. */
	int64_t saved_w = *budget_w > 0 ? *budget_w : 0;
	int64_t gained_w = rate_w_per_min * min64(elapsed_ms, BUDGET_MS) / 60000;
	*budget_w = min64(saved_w + gained_w, max64(rate_w_per_min * BUDGET_MS / 60000, unit_w));
}

static void fill_budgets(struct step *step, int64_t elapsed_ms)
{
	struct policy_state *state = step->state;
	int64_t unit_w = 0;
	for (size_t g = 0; g < step->conf->n_miner_groups; g++)
		unit_w = max64(unit_w, 2 * (int64_t)step->conf->miner_groups[g].nominal_w);
	int64_t up = stricter(step->conf->ramp_up_w_per_min, step->seen->demand.setpoint_ramp_w_per_min);
	int64_t down = stricter(step->conf->ramp_down_w_per_min, step->seen->demand.setpoint_ramp_w_per_min);
	fill(&state->up_budget_w, up, unit_w, elapsed_ms);
	fill(&state->down_budget_w, down, unit_w, elapsed_ms);
	step->minute_up_w = up ? max64(up, unit_w) : 0;
	step->minute_down_w = down ? max64(down, unit_w) : 0;
}

static int64_t elapsed(struct policy_state *state, int64_t now_ms)
{
	if (!state->started) {
		state->started = true;
		state->started_ms = state->last_ms = state->usable_since_ms = now_ms;
	}
	int64_t elapsed_ms = max64(now_ms - state->last_ms, 0);
	state->last_ms = now_ms;
	return elapsed_ms;
}

static int64_t longest_stale_ms(const struct policy_conf *conf)
{
	int64_t stale_ms = 0;
	for (size_t g = 0; g < conf->n_meter_groups; g++)
		if (conf->meter_groups[g].measures == MEASURES_SITE)
			stale_ms = max64(stale_ms, conf->meter_groups[g].stale_ms);
	return stale_ms;
}

/* A set point that moves is followed by power alone, up and down. Only what all of it cannot do is left to sleep: the
 * longer that takes to take back, the more must be missing for it. */
static void follow(struct step *step, const struct policy_response *power)
{
	struct policy_setpoint *sp = &step->state->setpoint;
	const struct tracked *tracked = &step->tracked;
	step->follows = step->site_usable && follow_may(sp, step->conf, power, step->seen->now_ms);
	if (!step->follows || !follow_is_due(sp, step->seen->now_ms))
		return;
	int64_t floor_w = tracked->settled_w - tracked->lowerable_w - tracked->lowerable_soon_w;
	int64_t borne_w = setpoint_error_w(sp) * min64(quickest_wake_ms(step->conf), MOST_BORNE_MS) / BORNE_MS;
	int64_t beyond_w = floor_w - borne_w - setpoint_level_w(sp, power->delay_ms + power->ramp_ms / 2);
	int64_t move_w = follow_move_w(sp, step->conf, step->tracks, power, step->seen->now_ms);
	step->follow_w = clamp64(move_w, -tracked->lowerable_w - max64(beyond_w, 0), tracked->raisable_w);
}

static void look(struct step *step)
{
	const struct policy_conf *conf = step->conf;
	int64_t now_ms = step->seen->now_ms;
	meters_add_up(conf, step->seen, now_ms - step->state->started_ms, &step->metered);
	sift_site(conf, step->state, &step->metered, now_ms);
	int64_t at_ms = step->metered.site_known ? step->metered.site_ms : now_ms;
	fleet_look(conf, step->state, step->tracks, step->seen, at_ms, &step->tracked);
	bool believed = fusion_judge(step);
	learn_from_site(step->state, &step->metered);
	bool frozen = load_site_frozen(conf, step->state, &step->metered, &step->tracked, now_ms);
	step->site_usable = step->metered.site_known && !frozen;
	step->failsafe = !step->site_usable && !step->metered.hpc_whole;
	step->site_usable &= believed;
	step->limit_w = min64(conf->cap_w, step->seen->demand.limit_w);
	/* Those that should sleep by now and were not looked at since: the site's meter would tell if they did not. */
	if (!step->site_usable || step->metered.site_w > step->limit_w)
		step->tracked.settled_w += step->tracked.unseen_w;
	step->doubt_w = step->metered.doubt_w;
	step->load_w = load_estimate(conf, step->state, &step->metered, &step->tracked, step->site_usable, now_ms);
	if (step->failsafe && step->metered.has_hpc)
		step->load_w = max64(step->metered.hpc_nameplate_w, step->metered.hpc_w) + max64(step->state->other_w, 0);
	struct quickest quick = quickest(conf);
	foresee(step, quick.wake_ms);
	if (!step->site_usable)
		step->state->usable_since_ms = now_ms;
	else
		load_remember(step->state, step->load_w,
		              &(struct load_timing){ now_ms, step->tracked.slowest_sleep_ms, quick.wake_ms, quick.both_ways }, conf->cap_w);
	if (step->site_usable) {
		ripple_see(&step->state->site_ripple, step->metered.site_w, now_ms);
		ripple_see(&step->state->load_ripple, step->load_w, now_ms);
	} else {
		step->state->site_ripple.n = step->state->load_ripple.n = 0;
	}
	if (conf->reserve_w == POLICY_NONE)
		reserve_choose(step->state, step->has_partial, conf->prefer, conf->cap_w);
	else
		step->state->hold = HOLD_LONGEST;
	step->planned_w = load_planned(step->state, step->load_w);
	/* Only what makes the plan higher is believed of a rhythm: if the load does not come back it has cost no more than that.
	 * What is foretold knows the rhythms of a minute itself. */
	step->returns_to_w = 0;
	if (step->site_usable && !load_is_foretold(step->state))
		step->returns_to_w = rhythm_rise(&step->state->rhythm, now_ms + step->tracked.slowest_sleep_ms);
	step->planned_w = max64(step->planned_w, step->returns_to_w);
	foresee_rises(step);
	step->planned_w += step->announced_w;
	step->reserve_w = conf->reserve_w;
	if (step->reserve_w == POLICY_NONE)
		step->reserve_w = reserve_over(step->state, step->planned_w, dead_band(step), conf->cap_w);
	step->state->planned_w = step->planned_w;
	step->rising_to_w = max64(step->load_w, step->state->announced_w);
	if (load_is_foretold(step->state))
		step->rising_to_w += rise_kept_w(step);
	setpoint_look(&step->state->setpoint, step->seen->demand.setpoint_w, step->load_w, step->tracked.now_w,
	              (quick.sleep_ms + quick.wake_ms) / 2, now_ms);
	follow(step, quick.both_ways);
}

static int64_t age_of(int64_t at_ms, int64_t now_ms)
{
	return at_ms == INT64_MAX ? POLICY_NONE : now_ms - at_ms;
}

/* What the plan leaves the miners beyond what they will draw; negative: what they have to give. */
static int64_t headroom(const struct step *step)
{
	int64_t left_w = step->limit_w - step->reserve_w - step->doubt_w - step->planned_w;
	return min64(left_w, left_by_setpoint_w(step)) - step->tracked.settled_w;
}

static void draw_picture(const struct step *step, struct picture *picture)
{
	int64_t now_ms = step->seen->now_ms;
	const struct metered *metered = &step->metered;
	const struct tracked *tracked = &step->tracked;
	/* Learned, it is told as what the site keeps free on average: the plan goes by the highest load, the target by the mean. */
	int64_t reserve_w = step->reserve_w + (step->conf->reserve_w == POLICY_NONE ? dip_w(step->state) : 0);
	int64_t target_w = min64(step->limit_w - reserve_w, setpoint_in_force(step));
	*picture = (struct picture){
		.site_w = metered->site_known ? metered->site_w : POLICY_NONE,
		.hpc_w = metered->has_hpc ? metered->hpc_w : POLICY_NONE,
		.miners_w = tracked->now_w,
		.other_w = step->state->other_known ? step->state->other_w : POLICY_NONE,
		.site_age_ms = metered->site_known ? age_of(metered->site_ms, now_ms) : POLICY_NONE,
		.hpc_age_ms = age_of(metered->hpc_ms, now_ms),
		.miners_age_ms = age_of(tracked->oldest_ms, now_ms),
		.load_w = step->load_w, .planned_w = step->planned_w, .announced_w = step->announced_w, .returns_to_w = step->returns_to_w,
		.recent_w = load_within(step->state, step->load_w, NOTICE_LASTS_MS),
		.present_w = load_within(step->state, step->load_w, NOTICE_SEEN_MS), .doubt_w = step->doubt_w,
		.swing_w = dip_w(step->state),
		.hold_ms = (int64_t)reserve_slots(step->state->hold) * POLICY_SLOT_MS,
		.rise_w = step->state->holds[step->state->hold].reserve_w, .peak_w = reserve_peak_w(step->state),
		.limit_w = step->limit_w, .target_w = target_w, .reserve_w = reserve_w,
		.settled_miners_w = tracked->settled_w,
		.headroom_w = headroom(step),
		.curtailable_w = tracked->curtailable_w, .restorable_w = tracked->restorable_w,
		.stale_meters = metered->stale,
		.site_known = step->site_usable, .hpc_whole = metered->hpc_whole, .failsafe = step->failsafe,
	};
	static const int64_t within_ms[N_RIPPLES] = { 5000, 15000, 60000 };
	for (int r = 0; r < N_RIPPLES; r++) {
		picture->ripple_w[r] = ripple_w(&step->state->site_ripple, within_ms[r]);
		picture->hpc_ripple_w[r] = ripple_w(&step->state->load_ripple, within_ms[r]);
	}
	memcpy(picture->phases, tracked->phases, sizeof(picture->phases));
}

static void use_learned(struct step *step)
{
	if (step->conf->n_miner_groups > POLICY_GROUPS)
		return;
	learn_apply(step->conf, step->state, step->groups);
	step->learned = *step->conf;
	step->learned.miner_groups = step->groups;
	step->conf = &step->learned;
}

void policy_step(const struct policy_conf *conf, struct policy_state *state, struct miner_track *tracks,
                 const struct snapshot *seen, struct candidate *scratch, struct decision *out)
{
	struct step step = { .conf = conf, .state = state, .tracks = tracks, .seen = seen, .scratch = scratch, .out = out };
	struct command *room = out->commands;
	use_learned(&step);
	for (size_t g = 0; g < conf->n_miner_groups; g++)
		step.has_partial |= conf->miner_groups[g].partial_w > 0;
	*out = (struct decision){ .commands = room };
	int64_t elapsed_ms = elapsed(state, seen->now_ms);
	state->step++;
	look(&step);
	fill_budgets(&step, elapsed_ms);
	/* At start the meters get the time to answer that they always have. */
	bool waiting = !step.site_usable && !state->n_loads && !state->slot_n &&
	               seen->now_ms - state->started_ms <= longest_stale_ms(conf);
	if (waiting)
		step.failsafe = false;
	draw_picture(&step, &out->picture);
	bool still = step.site_usable && !step.tracked.phases[PHASE_FALLING] && !step.tracked.phases[PHASE_WAKING] &&
	             !step.tracked.changing;
	if (!waiting)
		decide(&step);
	if (out->n_commands)
		learn_begin(conf, state, &step.metered, out, seen->now_ms, still);
	out->expected_site_w = step.load_w + step.tracked.settled_w;
}
