/* policy/foretell.h - where the load will be when miners told now have followed, as far as its own past tells.
 *
 * Two linear filters of the last minute, one for each plan that goes by them, with weights from what the load has done
 * (policy/fit.h): its worst moments in the last hour, for what is missed must be kept free, and what it leaves of the load
 * once the miners' dead time and ramp have passed (Wiener; normal equations with forgetting, Haykin, Adaptive Filter Theory,
 * ch. 2 and 9). With a dead time whatever is taken off slow swings comes back in quicker ones (Bode). So the load is taken
 * apart into bands of periods, and what is left above the break-even period is the least that leaves no band the worse.
 *
 * Once for each half-second; plain data, zero to start. */
#ifndef POLICY_FORETELL_H
#define POLICY_FORETELL_H

#include "policy/following.h"

/* Of a half-second. told_w: no less was planned for, as it was announced, or it did not fall further; most_w: the highest that
 * anybody plans for who trusts the load to go no higher; kept_w: what he keeps free over what is foretold in any case; cap_w:
 * what goes on to beyond it, no reserve would have helped against. */
struct foretell_slot { double mean_w, highest_w, told_w, most_w, kept_w, cap_w; };
/* by: how miners follow, both ways. */
void foretell_see(struct policy_foretell *, const struct foretell_slot *, const struct following *by);
bool foretell_tries(const struct policy_foretell *);    /* it has seen enough to be tried on paper … */
bool foretell_knows(const struct policy_foretell *);    /* … and to be believed */
int64_t foretell_level_w(const struct policy_foretell *, enum foretell);
/* The most by which the load came over that, or over what was told, or would have, had it been foretold as now (replay.h);
 * FORETELL_DIPS: where no more than the slots' most_w is planned for. */
int64_t foretell_missed_w(const struct policy_foretell *, enum foretell);
double foretell_power(const struct policy_foretell *, int band);        /* W², mean square of what the load moves in a band */

#endif
