/* sim/limits.h - what physics leaves over: how a fleet moves, and what no controller can do better, with and without a forecast.
 *
 * A fleet told at one instant has covered the share done(t) of its way t later; the plant says how, units' spread and
 * all. Its dead time Td is the type's, and its lag tau what makes Td + tau the mean delay: the area over done(t), which
 * is what decides the energy of a step. Sensing and telling adds LIMITS_SENSE_MS to Td.
 *
 * Left over of a swing at frequency f is at best r(f) = |1 - e^(-j 2 pi f Td) / (1 + j 2 pi f tau)|, with Td and tau
 * down while the load rises and up while it falls: half the time each, so that r² is the mean of the two squares. A
 * swing is only followed by miners that also come back in time: the break-even period is the longest at which either
 * way has r = 1. Where a fleet has several types, the quickest counts: the others stand still, or do what is slow.
 *
 * All of this is of miners that are on or off. Those that know partial power come up in the time of another power instead of
 * a wake: for them r(f) is a yardstick they can be below, and fleets slow to wake can keep more than is told here. Were all
 * of sim/scenarios to rise so fast, limits_causal would be 1.3 points higher at most, and one bar of one case less out of
 * reach: "by r" of steps-2min slow-300. */
#ifndef SIM_LIMITS_H
#define SIM_LIMITS_H

#include "sim/fast.h"
#include "sim/spectrum.h"

enum { LIMITS_SENSE_MS = 200, LIMITS_STEP_MS = 100 };

struct limits_path { double dead_s, lag_s; };
struct limits {
	struct limits_path down, up;    /* of the quickest type */
	double *done_down;              /* of the whole fleet, at i LIMITS_STEP_MS; 1 at the end; owned */
	size_t n_down;
	double rise_w_per_s, fall_w_per_s;      /* of the whole fleet at once */
	double reach_w;                 /* between all awake and all asleep */
	double break_even_s;
};
void limits_make(struct limits *, const struct fast_case *);
void limits_free(struct limits *);

double limits_left(const struct limits *, double hz);   /* r(f) */
double limits_break_even_s(const struct limits_path *down, const struct limits_path *up);
/* Root mean square that r(f) leaves of a spectrum in periods longer than break-even. */
double limits_rms(const struct limits *, const struct spectrum *);

/* The same where the fleet cannot move as far as the load: r(f) of what it covers, and all of the rest. task_w is the load
 * about what the site aims at. A site that holds `level` covers the load from reach_w below it up to the level itself;
 * with NULL the level is that below highest_w which leaves least over. The two parts are added by their squares: while
 * something is left over, the part that is covered stands still. */
double limits_reach(const struct limits *, const double *task_w, size_t n, const double *level_w, double highest_w);

double limits_done_down(const struct limits *, size_t steps);   /* the share of the way, so many FAST_STEP_MS after the order */

/* Energy over the limit, and the least there could have been, from the step `from` on. At each instant in which the
 * site crosses its limit, after having been under it for the whole time miners take to fall, perfect action after the
 * fact tells all miners to sleep: from there on they draw what they drew, fallen along done_down. What the site with
 * such miners is over the limit, until the crossing's end, is the least. The sum over the crossings is compared.
 *
 * All of them fall quicker than those that are needed, and where these need minutes to wake no site tells them all for it.
 * Exact is what is over where no more are told than bring the site to its limit, known in hindsight, and told as long after
 * the crossing as sensing takes: no bound, for more may be told than it takes, but what such a law comes to. */
struct limits_over {
	double seconds, wh, least_wh, exact_wh, most_w;
	double excused_s;               /* of it, until the miners' fall is over after a rise, as quick as that, larger than any before */
};
void limits_over(const struct limits *, const struct fast_run *, size_t from, struct limits_over *);

/* The site, but for what its miners draw at the begin, if they stood still except in crossings after a rise larger than any
 * before, which no law could have kept more free for: then as many fall as bring the site to its limit, at once and as fast as
 * they can, and none come back. site_w: at each step of the run. */
void limits_falls(const struct limits *, const struct fast_run *, size_t from, double *site_w);

/* What the miners may draw at step i: what limit, set point, shed and price leave beside the load, at most the fleet. */
double limits_allowed_w(const struct fast_case *, const struct fast_run *, size_t i);

/* The most that miners with perfect foresight draw on average from the step `from` on, as a share of fleet_w: as much
 * as the limit, and the set point, leave beside the load, at most the fleet, rising and falling no faster than the whole
 * fleet's ramp. The greatest such course is the greatest at each instant, so two passes solve that linear program. It
 * stands in where the finer one of tests/foresight/, which knows each ramp's shape, has not been solved. */
double limits_foresight(const struct limits *, const struct fast_case *, const struct fast_run *, size_t from);

/* The most that a law without a forecast keeps if it is to be under the limit whatever comes, as a share of fleet_w. It
 * is taken to know: the load L now, without delay; how far this load ever rises within any time tau, R(tau), and its
 * peak, both of the whole run in hindsight; limits, set points and prices ahead of their time. It knows nothing else:
 * no rhythm, and not what the load did before. What miners draw once their dead time d is over, t + d, has been decided at
 * t, and from then on they fall no faster than done_down. So for every tau >= d
 *     m(t + d) (1 - done(tau)) <= limit(t + tau) - min(peak, L(t) + R(tau)),
 * and they rise no faster than the whole fleet's ramp. Any law that draws more is over its limit on some load that nothing
 * it knows excludes; a real one keeps less, for it must learn R and the peak, sees the load late, and wakes with a dead
 * time. One that foretells the load from its past may keep more (by the last 20 s and R alone, up to 2 % more of the
 * measured loads here); so may one that is lucky, or over the limit for a while. most: watts at each step of the run. */
void limits_causal_w(const struct limits *, const struct fast_case *, const struct fast_run *, double *most);
double limits_causal(const struct limits *, const struct fast_case *, const struct fast_run *, size_t from);

#endif
