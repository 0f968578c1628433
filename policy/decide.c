/* policy/decide.c - what is told for it: down at once where a limit is at stake, at ease for the target, up slowly. */
#include "policy/internal.h"
#include "policy/setpoint.h"

#define WATCHED_MS           10000      /* of load that must have been seen before a miner is woken */
#define SPARE_PART           100        /* of the cap, woken to be raised later, at a time */
#define FOLLOW_SPARE_PART    10         /* the same where a set point moves */
#define FOLLOW_SPARE_MS      30000      /* by what it climbs in so long, at most, those awake should be able to rise */
#define GUARD_PER_MILLE      1          /* of the cap: so near to the limit is over it, for the load may go on rising */
#define STANDS_MS            5000       /* what is foretold comes and goes: before anybody wakes for it, it has stood so long */
#define BORNE_PART           4          /* of the reserve that may be used up before miners go to sleep for it */

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

/* What those told just now would shed who were faulty: it does not count before it shows. */
static int64_t faulty_shed_w(const struct step *step, uint32_t first)
{
	int64_t sum_w = 0;
	for (uint32_t c = first; c < step->out->n_commands; c++) {
		const struct miner_track *track = &step->tracks[step->out->commands[c].miner];
		sum_w += track_phase(track) == PHASE_FAULTY ? track->from_w - track->to_w : 0;
	}
	return sum_w;
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
	uint32_t n_before = step->out->n_commands;
	int64_t shed_w = move_down(step, need_w, at_once, haste == BY_POWER_ONLY, &forbidden);
	if (forbidden != BINDING_NONE && shed_w < need_w && !at_once)
		binding = forbidden;
	else if (!shed_w && haste != BY_POWER_ONLY)
		binding = BINDING_NO_MINERS;
	step->tracked.settled_w -= shed_w - faulty_shed_w(step, n_before);
	conclude(step, reason_for(step, wish, over), binding);
}

static bool may_go_up(const struct step *step)
{
	int64_t now_ms = step->seen->now_ms;
	return step->site_usable && !step->finds_miners && step->metered.site_w <= step->limit_w && !step->seen->futile &&
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
	int64_t more_w = room_w > wish_dead_band_w(step) ? move_raise(step, room_w, ramped, &forbidden) : 0;
	/* Nobody wakes for the few watts that raising others leaves until they are more. */
	bool is_rest = step->tracked.raisable_w > more_w && soon_w - more_w <= wish_dead_band_w(step);
	if (!is_rest && may_wake(step) && room_stands(step, now))
		more_w += move_wake(step, soon_w - more_w, step->spare_w > 0, ramped, &forbidden);
	step->tracked.settled_w += more_w;
	bool by_now = soon.miners_w >= now->miners_w || more_w > soon_w;
	enum binding binding = by_now ? now->binding : announced_w ? BINDING_PLAN : BINDING_LIMIT;
	step->out->wanted_miners_w = max64(soon.miners_w, step->tracked.settled_w);
	step->out->serves = binding;
	if (forbidden != BINDING_NO_MINERS && soon_w - more_w > wish_dead_band_w(step))
		binding = forbidden;
	conclude(step, reason_for(step, by_now ? now : &soon, false), binding);
}

/* Nothing that is in force, or soon will be, takes away what is woken now. */
static bool may_spare(const struct step *step)
{
	const struct demand *demand = &step->seen->demand;
	bool limited = min64(demand->limit_soon_w, step->limit_w) < step->limit_w || demand->miners_w != POLICY_NONE ||
	               demand->miners_soon_w != POLICY_NONE || step->announced_soon_w > 0;
	bool ramped = step->minute_down_w && step->state->moved.down_budget_w <= 0;
	return !limited && !ramped && may_go_up(step) && may_wake(step);
}

/* Wakes some to the least power, for others to be lowered by as much, so that more can be raised in seconds. Not for the
 * last few watts of it, no more at a time than that part of the cap, and none for which others would have to sleep: above_w,
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

/* A ramp, or a window. */
static bool is_paced(enum binding binding)
{
	return binding == BINDING_RAMP_DOWN || binding == BINDING_WINDOW;
}

static bool is_held_back(enum binding binding)
{
	return is_paced(binding) || binding == BINDING_MIN_AWAKE || binding == BINDING_CYCLES;
}

/* Wear, a ramp or a window may hold back what serves the target. Where half of the reserve is gone for that, it is a shed:
 * before the limit is crossed, not after. And what is foretold is no plan where miners may not follow it. */
static void see_what_is_held_back(struct step *step, const struct wish *wish, int64_t risk_w)
{
	enum binding by = step->out->binding;
	bool lags = step->tracked.settled_w > wish->miners_w + step->reserve_w / 2;
	if (lags && is_paced(by) && load_is_foretold(step->state))
		step->state->moved.held_back_ms = step->seen->now_ms;
	if (!is_held_back(by) || risk_w + step->doubt_w + step->tracked.settled_w <= step->limit_w - step->reserve_w / 2)
		return;
	struct wish most = wish_most(step, step->limit_w, step->seen->demand.miners_w);
	step->out->serves = most.binding;
	if (step->tracked.settled_w > most.miners_w)
		decide_down(step, &most, AT_ONCE, true);
}

static bool have_one_priority(const struct policy_conf *conf)
{
	const struct policy_miner_group *first = NULL;
	for (size_t g = 0; g < conf->n_miner_groups; g++) {
		const struct policy_miner_group *group = &conf->miner_groups[g];
		if (group->watched)
			continue;
		if (first && group->priority != first->priority)
			return false;
		first = group;
	}
	return true;
}

/* To fall asleep and to wake again takes longer than many a rise lasts, which the reserve is there for. What less power
 * does not do is left to it until it lasts as long, or takes more than a part of it. */
static bool is_borne(const struct step *step, int64_t drawn_w)
{
	bool lasts = step->seen->now_ms - step->state->above_since_ms > fleet_slowest_wake_ms(step->conf);
	int64_t reserve_w = reserve_rise_w(step->state);
	return !lasts && drawn_w <= step->limit_w - reserve_w + reserve_w / BORNE_PART;
}

/* Nobody sleeps for what power will do, though some be still on their way to another, or not heard from yet; nor for how a rise
 * may go on beyond all there has been. Not where miners differ in priority: those of a higher one would be lowered before those
 * of a lower one sleep. */
static void come_down(struct step *step, const struct wish *wish, int64_t drawn_w)
{
	const struct tracked *tracked = &step->tracked;
	struct wish asleep = *wish;
	if (step->has_partial && step->finds_miners) {
		decide_down(step, wish, BY_POWER_ONLY, false);
		return;
	}
	if (wish->binding == BINDING_RESERVE && step->has_partial && have_one_priority(step->conf) &&
	    reserve_is_known(step->conf, step->state)) {
		int64_t load_w = max64(reserve_most_w(step->state, step->conf->cap_w), step->planned_w + step->reserve_w);
		int64_t least_w = tracked->settled_w - tracked->lowerable_w - tracked->lowerable_soon_w;
		asleep.miners_w = max64(wish->miners_w, step->limit_w - step->doubt_w - load_w);
		if (is_borne(step, drawn_w) || least_w <= asleep.miners_w + wish_dead_band_w(step)) {
			decide_down(step, wish, BY_POWER_ONLY, false);
			return;
		}
	}
	decide_down(step, &asleep, AT_EASE, false);
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
		spare_see(state, setpoint_level_w(&state->setpoint, 0), min64(fleet_quickest_wake_ms(step->conf), FOLLOW_SPARE_MS), now_ms);
		step->spare_w = spare_lacking_to_follow_w(state, &step->tracked);
	} else {
		spare_see(state, wish_w, fleet_slowest_wake_ms(step->conf), now_ms);
		step->spare_w = spare_lacking_w(state, &step->tracked);
	}
}

/* Those that did not follow may by now; there is nobody else. */
static void ask_faulty_again(const struct step *step)
{
	for (size_t i = 0; i < step->conf->n_miners; i++)
		track_ask_again(&step->tracks[i], step->seen->now_ms);
}

void decide(struct step *step)
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
		most = wish_most(step, step->limit_w, demand->miners_w);
	if (step->is_unheard_of)
		wish_lower(&most, rise_leaves_w(step, most.miners_w), BINDING_RISE);
	bool at_once = step->tracked.settled_w > max64(most.miners_w, 0);
	step->out->wanted_miners_w = wish.miners_w;
	step->out->serves = step->out->binding = wish.binding;
	if (!at_once && step->has_partial)
		wake_spare(step, step->tracked.settled_w - wish.miners_w);
	int64_t above_w = step->tracked.settled_w - wish.miners_w;
	if (above_w <= wish_dead_band_w(step))
		step->state->above_since_ms = step->seen->now_ms;
	if (-above_w <= wish_dead_band_w(step))
		step->state->room_since_ms = step->seen->now_ms;
	if (at_once) {
		step->out->serves = most.binding;
		decide_down(step, &most, AT_ONCE, over);
	} else if (above_w > wish_dead_band_w(step) && !step->seen->futile) {
		come_down(step, &wish, drawn_w);
		see_what_is_held_back(step, &wish, risk_w);
	} else if (above_w < 0 && may_go_up(step)) {
		decide_up(step, &wish);
	}
	if (step->out->n_commands && step->out->reason == REASON_NONE)
		conclude(step, REASON_TARGET, BINDING_RUNNING_RESERVE);
	step->out->cap_unreachable = over && !step->tracked.unheard &&
	                             step->load_w + step->tracked.settled_w > step->limit_w;
	if (step->out->cap_unreachable)
		ask_faulty_again(step);
}
