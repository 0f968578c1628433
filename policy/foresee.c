/* policy/foresee.c - what the GPU scheduler's notices (policy/notices.h) mean for the plan. */
#include "policy/internal.h"

#define LATELY_MS 5000                  /* dips of training steps are shorter */

void foresee(struct step *step, int64_t wake_ms)
{
	struct policy_response slowest = { 0 };
	int64_t sleep_ms = step->tracked.slowest_sleep_ms, now_ms = step->seen->now_ms;
	step->forecast = (struct forecast){ .dipped_to_w = INT64_MAX, .fallen_to_w = INT64_MAX };
	if (!step->seen->n_notices)
		return;
	for (size_t g = 0; g < step->conf->n_miner_groups; g++) {
		const struct policy_response *wake = &step->conf->miner_groups[g].wake;
		if (!step->conf->miner_groups[g].watched && whole_ms(wake) > whole_ms(&slowest))
			slowest = *wake;
	}
	struct forecast_times times = { .sleep_ms = sleep_ms, .wake_ms = slowest.delay_ms + slowest.ramp_ms / 2,
		.fill_ms = 2 * (sleep_ms + wake_ms),
		.soon_ms = 2 * (sleep_ms + whole_ms(&slowest)) };
	step->forecast = notices_forecast(step->seen->notices, step->seen->n_notices, now_ms, &times);
	if (step->forecast.fallen_to_w != INT64_MAX && step->site_usable)
		load_forget(step->state, step->load_w, step->forecast.fallen_to_w);
}

/* What has come was credited after the last step, so the rest of it goes on top of the load as it was then. */
void foresee_rises(struct step *step)
{
	const struct forecast *forecast = &step->forecast;
	int64_t from_w = min64(step->state->lately_w, forecast->dipped_to_w);
	step->state->lately_w = load_within(step->state, step->load_w, LATELY_MS);
	step->announced_w = step->state->announced_w = 0;
	/* One that has come stands for a while. */
	if (forecast->rise_w || forecast->risen_w > reserve_rise_w(step->state)) {
		step->state->announced_w = from_w + forecast->rise_w;
		step->announced_w = max64(step->state->announced_w - step->planned_w, 0);
	}
	step->announced_soon_w = step->announced_w;
	if (forecast->rise_soon_w)
		step->announced_soon_w = max64(from_w + forecast->rise_soon_w - step->planned_w, step->announced_w);
}
