/* policy/following.h - how much of what miners were told in each half-second before they have done by now. */
#ifndef POLICY_FOLLOWING_H
#define POLICY_FOLLOWING_H

#include "policy/policy.h"

/* Of the half-seconds before, from the `first` on: what part each has in it. In all it is 1. */
struct following { uint32_t first, n; double share[FORETELL_PAST]; };

/* Dead time, then a ramp. */
struct following following_of(const struct policy_response *);
/* What they have come to that were told what is in the ring, the newest of it now. */
double following_w(const struct following *, const double ring[FORETELL_PAST], uint32_t newest);

#endif
