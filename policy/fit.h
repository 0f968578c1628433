/* policy/fit.h - the weights of a filter that foretells the load (policy/foretell.h), from what the load has done.
 *
 * A plan by it costs what it keeps from the miners: its own mean, and over that the most it misses by. It brings a flat site.
 * So the weights leave the least of both together, the site's moves at what they are worth, with no band moved by more than
 * the load itself. That is a convex problem of a few unknowns, but for the top of a plan that goes no higher.
 *
 * A maximum has corners, and one moment alone says too much: it is rounded off (the least over t of t + sum((miss - t)+^2) /
 * 2s; Nesterov, Smooth minimization of non-smooth functions, Math. Program. 103, 2005), so that the worst minute or so counts.
 * Then Newton's steps with halving, from the weights of before (Boyd and Vandenberghe, Convex Optimization, 9.5). */
#ifndef POLICY_FIT_H
#define POLICY_FIT_H

#include "policy/following.h"

extern const uint8_t foretell_lags[FORETELL_TAPS];      /* half-seconds; the last is the longest */
extern const double fit_first[FORETELL_TAPS];           /* weights to begin with */

#define FIT_AT_ONCE 16u /* half-seconds: beyond the longest lag there are no fewer of them to be foretold */

/* Once for each half-second, in order of time; about the load's mean, W. From the first on there is past enough. */
struct fit_past {
	const struct following *by;
	uint32_t first, n;
	float seen[POLICY_REPLAYED], highest[POLICY_REPLAYED];
	float told[POLICY_REPLAYED];    /* no less is planned for */
};
/* The aim of a filter gets nearer to the best. top: no more is planned for; least_w: so much is kept over it in any case. */
void fit_taps(struct policy_foretell *, enum foretell, const struct fit_past *, double top, double least_w);
/* What these weights would have foretold, in each of its half-seconds from the longest lag on; and no less than was told. */
void fit_foretell(const struct fit_past *, const double taps[FORETELL_TAPS], float planned[POLICY_REPLAYED]);
/* What is left in a band of what the load moves in it, as its power is summed up. */
double fit_left(const struct policy_normal *, const double taps[FORETELL_TAPS]);

#endif
