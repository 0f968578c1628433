#include "policy/internal.h"
#include "policy/setpoint.h"

/* A miner that hashes below its most power rises in seconds; one that sleeps takes far longer to wake. How many should be
 * awake at less than they could draw follows from how far what is left for the miners climbs while a wake would take:
 * the most of it of late, fading. It costs no watt: two miners at half their power draw what one does, and hash more. */
#define FADES 0.9994            /* a half-second: half of it is forgotten in ten minutes */
#define LOWEST_SLOTS 60         /* half-seconds */

static int64_t lowest_wish_w(const struct policy_state *state, int64_t slots)
{
	int64_t lowest_w = INT64_MAX;
	for (uint32_t age = 0; age < state->n_wishes && age <= slots; age++)
		lowest_w = min64(lowest_w, state->wishes_w[(state->newest_wish + POLICY_LOADS - age) % POLICY_LOADS]);
	return lowest_w;
}

void spare_see(struct policy_state *state, int64_t wish_w, int64_t wake_ms, int64_t now_ms)
{
	if (state->n_wishes && now_ms - state->wish_ms < POLICY_SLOT_MS)
		return;
	state->low_wish_w += ((double)wish_w - state->low_wish_w) * (1 - FADES);
	if (!state->n_wishes || (double)wish_w < state->low_wish_w)
		state->low_wish_w = (double)wish_w;
	bool late = !state->n_wishes || now_ms - state->wish_ms >= 2 * POLICY_SLOT_MS;
	state->wish_ms = late ? now_ms : state->wish_ms + POLICY_SLOT_MS;
	state->newest_wish = (state->newest_wish + 1) % POLICY_LOADS;
	state->wishes_w[state->newest_wish] = wish_w;
	if (state->n_wishes < POLICY_LOADS)
		state->n_wishes++;
	double climbed_w = (double)(wish_w - lowest_wish_w(state, wake_ms / POLICY_SLOT_MS));
	state->climb_w *= FADES;
	if (climbed_w > state->climb_w)
		state->climb_w = climbed_w;
}

void spare_forget(struct policy_state *state)
{
	state->n_wishes = 0;
	state->climb_w = 0;
}

int64_t spare_lacking_w(const struct policy_state *state, const struct tracked *tracked)
{
	int64_t lowest_w = (int64_t)state->low_wish_w, floor_w = tracked->settled_w - tracked->lowerable_w;
	int64_t wanted_w = lowest_w + (int64_t)state->climb_w - tracked->settled_w;
	int64_t lacking_w = wanted_w - tracked->raisable_w - tracked->raisable_soon_w;
	/* More awake than fit at their least power would only be sent to sleep again. */
	return min64(lacking_w, lowest_w - floor_w);
}

/* What it climbs while a wake takes is wanted beyond where it is, as far as those awake fit at their least power under its
 * lowest of late. What they lack already is, in any case. */
int64_t spare_lacking_to_follow_w(const struct policy_state *state, const struct tracked *tracked)
{
	int64_t floor_w = tracked->settled_w - tracked->lowerable_w - tracked->lowerable_soon_w;
	int64_t most_w = tracked->settled_w + tracked->raisable_w + tracked->raisable_soon_w;
	int64_t lacking_w = state->wishes_w[state->newest_wish] - most_w;
	int64_t spare_w = (int64_t)state->climb_w + setpoint_error_w(&state->setpoint);
	return max64(lacking_w, min64(lacking_w + spare_w, lowest_wish_w(state, LOWEST_SLOTS) - floor_w));
}
