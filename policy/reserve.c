#include "policy/internal.h"

#define WIDTH_PER_MILLE 10              /* of a bin, in the cap: 64 bins reach 64 % */
#define MEMORY_SLOTS    3600.0          /* half-seconds that are remembered: half an hour, fading */
#define PEAK_SLOTS      28800.0         /* the peak fades in four hours */
#define NEWS_PER_MILLE  30              /* so far a load may rise over all it has shown of late */
#define EXCEEDED        0.005           /* share of time in which a rise may be larger: a job start each half hour is */
#define LEAST_PER_MILLE 15              /* never less than 1.5 % of the cap: meters and miners are no better */

/* A share of the whole memory, not of what it holds so far: else the first job start would look like a habit. */
static int64_t quantile_w(const struct policy_state *state, int64_t cap_w)
{
	double above = 0;
	for (int bin = POLICY_RISES - 1; bin >= 0; bin--) {
		above += state->rises[bin];
		if (above > MEMORY_SLOTS * EXCEEDED)
			return cap_w / 1000 * WIDTH_PER_MILLE * (bin == 0 ? 0 : bin + 1);
	}
	return 0;
}

void reserve_learn(struct policy_state *state, int64_t rise_w, int64_t cap_w)
{
	int64_t width_w = max64(cap_w / 1000 * WIDTH_PER_MILLE, 1);
	for (int bin = 0; bin < POLICY_RISES; bin++)
		state->rises[bin] *= 1 - 1 / MEMORY_SLOTS;
	state->rises[clamp64(rise_w / width_w, 0, POLICY_RISES - 1)] += 1;
	state->reserve_w = max64(quantile_w(state, cap_w), cap_w / 1000 * LEAST_PER_MILLE);
}

void reserve_see(struct policy_state *state, int64_t load_w)
{
	if (load_w > state->peak_w)
		state->peak_w = load_w;
	else
		state->peak_w -= (int64_t)((double)(state->peak_w - load_w) / PEAK_SLOTS);
}

int64_t reserve_over(const struct policy_state *state, int64_t planned_w, int64_t cap_w)
{
	return min64(state->reserve_w, max64(state->peak_w - planned_w, 0) + cap_w / 1000 * NEWS_PER_MILLE);
}
