/* policy/wish.c - what the miners should draw, by the limits, the set point and the meters; and what asks for it. */
#include "policy/internal.h"
#include "policy/setpoint.h"

#define DEAD_BAND_PER_MILLE  1          /* of the cap, plus half a miner */

int64_t wish_dead_band_w(const struct step *step)
{
	int64_t smallest_w = POLICY_NONE;
	for (size_t g = 0; g < step->conf->n_miner_groups; g++) {
		const struct policy_miner_group *group = &step->conf->miner_groups[g];
		if (!group->watched)
			smallest_w = min64(smallest_w, group->partial_w ? group->nominal_w / 8 : group->nominal_w);
	}
	return (smallest_w == POLICY_NONE ? 0 : smallest_w / 2) + step->conf->cap_w / 1000 * DEAD_BAND_PER_MILLE;
}

void wish_lower(struct wish *wish, int64_t miners_w, enum binding binding)
{
	if (miners_w < wish->miners_w)
		*wish = (struct wish){ miners_w, binding };
}

int64_t wish_setpoint_w(const struct step *step)
{
	return step->seen->demand.setpoint_w != POLICY_NONE ? step->seen->demand.setpoint_w : step->conf->target_w;
}

/* The most the miners may draw under these limits, held by the highest load of late. */
struct wish wish_most(const struct step *step, int64_t limit_w, int64_t miners_limit_w)
{
	struct wish wish = { POLICY_NONE, BINDING_NONE };
	if (step->failsafe) {
		int64_t left_w = step->metered.has_hpc ? limit_w - step->reserve_w - step->load_w : 0;
		wish_lower(&wish, min64(left_w, step->tracked.settled_w), BINDING_METER_LOST);
	} else {
		int64_t load_w = max64(step->planned_w + step->reserve_w, step->rising_to_w);
		wish_lower(&wish, limit_w - step->doubt_w - load_w, BINDING_RESERVE);
	}
	wish_lower(&wish, miners_limit_w, BINDING_MINERS_LIMIT);
	wish.miners_w = max64(wish.miners_w, 0);
	return wish;
}

/* What the set point leaves the miners: one that moves is followed, any other held on average. POLICY_NONE: there is none. */
int64_t wish_by_setpoint_w(const struct step *step)
{
	const struct policy_state *state = step->state;
	int64_t setpoint_w = wish_setpoint_w(step);
	if (setpoint_moves(&state->setpoint, step->seen->now_ms)) {
		struct quickest quick = fleet_quickest(step->conf);
		if (step->follows)
			return step->tracked.settled_w + step->follow_w;
		return setpoint_leaves_w(&state->setpoint, step->tracked.settled_w, quick.sleep_ms, quick.wake_ms);
	}
	return setpoint_w == POLICY_NONE ? POLICY_NONE :
	       setpoint_w - (step->planned_w - step->forecast.fall_w - reserve_dip_w(state));
}

/* What they should draw. Without the site's meter they never draw more. */
struct wish wish_under(const struct step *step, int64_t limit_w, int64_t miners_limit_w)
{
	struct wish wish = wish_most(step, limit_w, miners_limit_w);
	if (step->failsafe)
		return wish;
	/* What must not be exceeded is not gone to within the error of the figures: each watt over it is answered by sleep. */
	if (step->has_partial && wish.binding == BINDING_MINERS_LIMIT)
		wish.miners_w -= wish_dead_band_w(step);
	wish_lower(&wish, wish_by_setpoint_w(step), step->seen->demand.setpoint_w != POLICY_NONE ? BINDING_SETPOINT : BINDING_TARGET);
	wish_lower(&wish, gap_most_w(step->conf, &step->state->fusion), BINDING_METER_GAP);
	if (!step->site_usable)
		wish_lower(&wish, step->tracked.settled_w, BINDING_METER_LOST);
	wish.miners_w = max64(wish.miners_w, 0);
	return wish;
}
