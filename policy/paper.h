/* policy/paper.h - what a plan would leave the site to move, had miners followed it all the time. Plain data, zero to start. */
#ifndef POLICY_PAPER_H
#define POLICY_PAPER_H

#include "policy/foretell.h"

/* Once for each half-second: the load's mean, and what the plan keeps from the miners. */
void paper_see(struct policy_paper *, double load_w, double kept_w, const struct following *);
/* Its root mean square, by half an hour that fades, with what a band has more than the load's own counted twice: what is
 * taken off minutes at the cost of seconds. Beyond ten minutes no more counts than the load has: that is what was learned. */
double paper_moves_w(const struct policy_paper *, const struct policy_foretell *);

#endif
