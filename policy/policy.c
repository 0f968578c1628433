#include "policy/follow.h"
#include "policy/internal.h"
#include "policy/setpoint.h"

#include <string.h>

#define BORNE_MS             30000      /* by the error of a message for each of these that waking takes, … */
#define MOST_BORNE_MS        120000     /* … and of so long at most, too much is borne before miners go to sleep for it */
#define HELD_BACK_MS         3600000    /* so long a plan that a ramp or a window kept miners from is not used */
#define PATIENCE_AT_START_MS 30000      /* how long a miner not heard from holds up others */
#define PAUSE_MS             1000       /* no step for so long: no meter was asked either */
#define PATIENCE_MS          3000       /* … and the site's gets no longer to answer after it */
#define BUDGET_MS            15000      /* a ramp not used is saved up for so long */

static int64_t stricter(int64_t a, int64_t b)
{
	return !a ? b : !b ? a : min64(a, b);
}

/* What a step is too short for goes over to the next, in W ms. */
static void fill(int64_t *budget_w, int64_t *rest, int64_t rate_w_per_min, int64_t unit_w, int64_t elapsed_ms)
{
	/* What was moved while no ramp was in force is not held against a later one. */
	int64_t saved_w = *budget_w > 0 ? *budget_w : 0, gained = *rest + rate_w_per_min * min64(elapsed_ms, BUDGET_MS);
	int64_t gained_w = gained / 60000;
	*rest = gained % 60000;
	*budget_w = min64(saved_w + gained_w, max64(rate_w_per_min * BUDGET_MS / 60000, unit_w));
}

static void fill_budgets(struct step *step, int64_t elapsed_ms)
{
	struct policy_state *state = step->state;
	int64_t unit_w = 0;
	for (size_t g = 0; g < step->conf->n_miner_groups; g++)
		unit_w = max64(unit_w, step->conf->miner_groups[g].watched ? 0 : 2 * (int64_t)step->conf->miner_groups[g].nominal_w);
	int64_t up = stricter(step->conf->ramp_up_w_per_min, step->seen->demand.setpoint_ramp_w_per_min);
	int64_t down = stricter(step->conf->ramp_down_w_per_min, step->seen->demand.setpoint_ramp_w_per_min);
	fill(&state->moved.up_budget_w, &state->moved.up_rest, up, unit_w, elapsed_ms);
	fill(&state->moved.down_budget_w, &state->moved.down_rest, down, unit_w, elapsed_ms);
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
	if (elapsed_ms > PAUSE_MS) {
		state->away_ms = state->last_ms;
		state->back_ms = now_ms;
	}
	state->last_ms = now_ms;
	return elapsed_ms;
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
	int64_t borne_w = setpoint_error_w(sp) * min64(fleet_quickest_wake_ms(step->conf), MOST_BORNE_MS) / BORNE_MS;
	int64_t beyond_w = floor_w - borne_w - setpoint_level_w(sp, power->delay_ms + power->ramp_ms / 2);
	int64_t move_w = follow_move_w(sp, step->conf, step->tracks, power, step->seen->now_ms);
	step->follow_w = clamp64(move_w, -tracked->lowerable_w - max64(beyond_w, 0), tracked->raisable_w);
}

static int64_t least_percent(const struct policy_conf *conf)
{
	int64_t percent = 0;
	for (size_t g = 0; g < conf->n_miner_groups; g++)
		if (conf->miner_groups[g].partial_w && !conf->miner_groups[g].watched)
			percent = max64(percent, 100 * (int64_t)conf->miner_groups[g].partial_w / conf->miner_groups[g].nominal_w);
	return percent;
}

/* A plan is worth what it says if miners follow it. */
static bool is_held_back(const struct step *step)
{
	int64_t held_back_ms = step->state->moved.held_back_ms;
	return held_back_ms && step->seen->now_ms - held_back_ms <= HELD_BACK_MS;
}

/* All miners that could be awake, at their most. */
static int64_t most_w(const struct tracked *tracked)
{
	return tracked->settled_w + tracked->raisable_w + tracked->raisable_soon_w + tracked->restorable_w;
}

/* What the meters and the miners show, and how far they are believed. */
static void look(struct step *step)
{
	const struct policy_conf *conf = step->conf;
	struct policy_state *state = step->state;
	struct metered *metered = &step->metered;
	struct tracked *tracked = &step->tracked;
	int64_t now_ms = step->seen->now_ms;
	meters_add_up(conf, state, step->seen, metered);
	sift_site(conf, state, metered, now_ms);
	fleet_look(conf, state, step->tracks, step->seen, metered->site_known ? metered->site_ms : now_ms, tracked);
	step->finds_miners = tracked->unheard && now_ms - state->started_ms <= PATIENCE_AT_START_MS;
	if (step->finds_miners)
		state->finding_ms = now_ms;
	if (metered->site_known)
		load_measured(state, metered, tracked);
	bool believed = fusion_judge(step);
	learn_from_site(state, metered);
	bool frozen = load_site_frozen(conf, state, metered, tracked, now_ms);
	bool usable = metered->site_known && !frozen;
	step->failsafe = !usable && !metered->hpc_whole && !metered->hpc_part_permille;
	step->site_usable = usable && believed;
	if (!step->site_usable)
		state->usable_since_ms = now_ms;
	step->limit_w = min64(conf->cap_w, step->seen->demand.limit_w);
	/* Those that should sleep by now and were not looked at since: the site's meter would tell if they did not. */
	if (!step->site_usable || metered->site_w > step->limit_w)
		tracked->settled_w += tracked->unseen_w;
	step->doubt_w = metered->doubt_w;
}

/* The load as it is, and what is to be remembered of it. */
static void see_load(struct step *step, const struct quickest *quick)
{
	const struct policy_conf *conf = step->conf;
	struct policy_state *state = step->state;
	int64_t now_ms = step->seen->now_ms;
	step->load_w = load_estimate(conf, state, &step->metered, &step->tracked, step->site_usable, now_ms);
	if (step->failsafe && step->metered.has_hpc)
		step->load_w = max64(step->metered.hpc_nameplate_w, step->metered.hpc_w) + max64(state->other_w, 0);
	foresee(step, quick->wake_ms);
	if (!step->site_usable) {
		state->site_ripple.n = state->load_ripple.n = 0;
		return;
	}
	struct load_timing timing = { now_ms, step->tracked.slowest_sleep_ms, quick->wake_ms, fleet_power(conf),
	                              least_percent(conf), most_w(&step->tracked) };
	load_remember(state, step->load_w, &timing, conf->cap_w);
	ripple_see(&state->site_ripple, step->metered.site_w, now_ms);
	ripple_see(&state->load_ripple, step->load_w, now_ms);
}

static int64_t kept_free_w(const struct step *step)
{
	int64_t hidden_w = step->finds_miners ? step->tracked.unheard_w : 0;
	if (step->conf->reserve_w != POLICY_NONE)
		return step->conf->reserve_w;
	return reserve_over(step->state, step->planned_w + hidden_w, wish_dead_band_w(step), step->conf->cap_w);
}

/* Only what is more than the reserve is for is believed of a rhythm: if the load does not come back it has cost no more than
 * that. What is foretold knows the rhythms of a minute itself. */
static int64_t returns_to_w(const struct step *step)
{
	const struct policy_state *state = step->state;
	if (!step->site_usable || step->conf->no_forecast || load_is_foretold(state))
		return 0;
	int64_t kept_w = kept_free_w(step);
	int64_t to_w = rhythm_rise(&state->rhythm, kept_w, step->tracked.slowest_sleep_ms, step->seen->now_ms);
	return to_w > step->planned_w + kept_w ? to_w : 0;
}

/* The load to plan for, and what is kept free over it. */
static void plan(struct step *step)
{
	const struct policy_conf *conf = step->conf;
	struct policy_state *state = step->state;
	if (conf->reserve_w == POLICY_NONE)
		reserve_choose(conf, state, step->load_w, is_held_back(step) ? 0 : least_percent(conf));
	else
		state->chosen_hold = HOLD_LONGEST;
	step->planned_w = load_planned(state, step->load_w);
	step->returns_to_w = returns_to_w(step);
	step->planned_w = max64(step->planned_w, step->returns_to_w);
	foresee_rises(step);
	step->planned_w += step->announced_w;
	step->reserve_w = kept_free_w(step);
	step->rising_to_w = max64(step->load_w, state->announced_w);
	if (load_is_foretold(state))
		step->rising_to_w += rise_kept_w(step);
}

static int64_t age_of(int64_t at_ms, int64_t now_ms)
{
	return at_ms == INT64_MAX ? POLICY_NONE : now_ms - at_ms;
}

/* What the plan leaves the miners beyond what they will draw; negative: what they have to give. */
static int64_t headroom(const struct step *step)
{
	int64_t left_w = step->limit_w - step->reserve_w - step->doubt_w - step->planned_w;
	return min64(left_w, wish_by_setpoint_w(step)) - step->tracked.settled_w;
}

static void draw_picture(const struct step *step, struct picture *picture)
{
	int64_t now_ms = step->seen->now_ms;
	const struct metered *metered = &step->metered;
	const struct tracked *tracked = &step->tracked;
	/* Learned, it is told as what the site keeps free on average: the plan goes by the highest load, the target by the mean. */
	int64_t reserve_w = step->reserve_w + (step->conf->reserve_w == POLICY_NONE ? reserve_dip_w(step->state) : 0);
	int64_t target_w = min64(step->limit_w - reserve_w, wish_setpoint_w(step));
	*picture = (struct picture){
		.site_w = metered->site_known ? metered->site_w : POLICY_NONE,
		.hpc_w = metered->has_hpc ? metered->hpc_w : POLICY_NONE,
		.miners_w = tracked->now_w,
		.other_w = step->state->other_known ? step->state->other_w : POLICY_NONE,
		.site_age_ms = metered->site_known ? age_of(metered->site_heard_ms, now_ms) : POLICY_NONE,
		.hpc_age_ms = age_of(metered->hpc_ms, now_ms),
		.miners_age_ms = age_of(tracked->oldest_ms, now_ms),
		.load_w = step->load_w, .planned_w = step->planned_w, .announced_w = step->announced_w, .returns_to_w = step->returns_to_w,
		.recent_w = load_within(step->state, step->load_w, NOTICE_LASTS_MS),
		.present_w = load_within(step->state, step->load_w, NOTICE_SEEN_MS), .doubt_w = step->doubt_w,
		.swing_w = reserve_dip_w(step->state),
		.hold_ms = (int64_t)reserve_slots(reserve_hold(step->state)) * POLICY_SLOT_MS,
		.rise_w = reserve_rise_w(step->state), .peak_w = reserve_peak_w(step->state),
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

/* At start the meters get the time to answer that they always have, and after a pause one that was not silent before it gets a
 * little; but what miners are told to shed then needs no meter. */
static bool is_waiting(const struct step *step)
{
	const struct policy_state *state = step->state;
	int64_t now_ms = step->seen->now_ms, stale_ms = meters_stale_ms(step->conf, MEASURES_SITE);
	if (step->site_usable)
		return false;
	if (!state->n_loads && !state->slot_n)
		return now_ms - state->started_ms <= stale_ms;
	bool shed = step->seen->demand.miners_w < step->tracked.settled_w;
	return step->metered.site_waited_for && !shed && now_ms - state->back_ms <= min64(stale_ms, PATIENCE_MS);
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
		step.has_partial |= conf->miner_groups[g].partial_w > 0 && !conf->miner_groups[g].watched;
	*out = (struct decision){ .commands = room };
	int64_t elapsed_ms = elapsed(state, seen->now_ms);
	state->step++;
	look(&step);
	struct quickest quick = fleet_quickest(step.conf);
	see_load(&step, &quick);
	plan(&step);
	setpoint_look(&state->setpoint, seen->demand.setpoint_w, step.load_w, step.tracked.now_w,
	              (quick.sleep_ms + quick.wake_ms) / 2, seen->now_ms);
	follow(&step, quick.both_ways);
	fill_budgets(&step, elapsed_ms);
	bool waiting = is_waiting(&step);
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
