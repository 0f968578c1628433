#include "policy/following.h"

#include "policy/internal.h"

#define SENSE_MS 600                    /* a half-second is told at its end, and holds until the next */

/* The mean of what was between dead time and ramp. A half-second stands for the time around its middle. */
struct following following_of(const struct policy_response *response)
{
	struct following by = { 0 };
	double from = (double)clamp64(response->delay_ms + SENSE_MS, 500, (FORETELL_PAST - 4) * 500) / 500;
	double to = (double)clamp64(whole_ms(response) + SENSE_MS, 1000, (FORETELL_PAST - 2) * 500) / 500;
	double whole = 0;
	by.first = (uint32_t)(from + 0.5);
	for (uint32_t age = by.first; (double)age - 0.5 < to; age++) {
		double begin = (double)age - 0.5 > from ? (double)age - 0.5 : from, end = (double)age + 0.5 < to ? (double)age + 0.5 : to;
		by.share[by.n] = end > begin ? end - begin : 0;
		whole += by.share[by.n++];
	}
	for (uint32_t k = 0; k < by.n && whole > 0; k++)
		by.share[k] /= whole;
	return by;
}

double following_w(const struct following *by, const double ring[FORETELL_PAST], uint32_t newest)
{
	double sum_w = 0;
	for (uint32_t k = 0; k < by->n; k++)
		sum_w += by->share[k] * ring[(newest + FORETELL_PAST - by->first - k) % FORETELL_PAST];
	return sum_w;
}
