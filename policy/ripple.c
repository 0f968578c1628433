#include "policy/internal.h"

void ripple_see(struct policy_ripple *ripple, int64_t w, int64_t now_ms)
{
	struct policy_span *span = &ripple->spans[ripple->newest];
	if (!ripple->n || now_ms - ripple->slot_ms >= POLICY_SLOT_MS) {
		ripple->newest = (ripple->newest + 1) % POLICY_RIPPLES;
		ripple->n += ripple->n < POLICY_RIPPLES;
		ripple->slot_ms = now_ms;
		span = &ripple->spans[ripple->newest];
		*span = (struct policy_span){ w, w };
	}
	span->highest_w = max64(span->highest_w, w);
	span->lowest_w = min64(span->lowest_w, w);
}

int64_t ripple_w(const struct policy_ripple *ripple, int64_t within_ms)
{
	uint32_t n = (uint32_t)(within_ms / POLICY_SLOT_MS);
	struct policy_span all = { INT64_MIN, INT64_MAX };
	if (ripple->n < n)
		return POLICY_NONE;
	for (uint32_t age = 0; age < n; age++) {
		const struct policy_span *span = &ripple->spans[(ripple->newest + POLICY_RIPPLES - age) % POLICY_RIPPLES];
		all.highest_w = max64(all.highest_w, span->highest_w);
		all.lowest_w = min64(all.lowest_w, span->lowest_w);
	}
	return all.highest_w - all.lowest_w;
}
