#include "policy/refresh.h"

#include "policy/internal.h"

/* The middle one of them: what stands still for once shows long ones, a change between two answers short ones. */
int64_t refresh_every_ms(const struct refresh *refresh)
{
	int64_t sorted[REFRESH_STANDS];
	if (refresh->n < REFRESH_ENOUGH)
		return 0;
	for (uint32_t i = 0; i < refresh->n; i++) {
		uint32_t at = i;
		for (; at > 0 && sorted[at - 1] > refresh->stood_ms[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = refresh->stood_ms[i];
	}
	return min64(sorted[(refresh->n - 1) / 2], REFRESH_MOST_MS);
}

static void note_stand(struct refresh *refresh, int64_t ms)
{
	refresh->newest = (refresh->newest + 1) % REFRESH_STANDS;
	refresh->stood_ms[refresh->newest] = ms;
	refresh->n += refresh->n < REFRESH_STANDS;
}

int64_t refresh_age_ms(struct refresh *refresh, int64_t w, int64_t at_ms)
{
	bool first = !refresh->last_ms;
	if (!first && w != refresh->w)
		note_stand(refresh, refresh->last_ms - refresh->first_ms);
	if (first || w != refresh->w)
		refresh->first_ms = at_ms;
	refresh->w = w;
	refresh->last_ms = at_ms;
	return min64(at_ms - refresh->first_ms, refresh->n < REFRESH_ENOUGH ? REFRESH_MOST_MS : refresh_every_ms(refresh));
}
