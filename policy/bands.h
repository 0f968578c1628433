/* policy/bands.h - a signal of half-seconds taken apart into bands of periods: 2 to 10 s, 10 to 60 s, 1 to 10 min, longer. */
#ifndef POLICY_BANDS_H
#define POLICY_BANDS_H

#include "policy/policy.h"

/* What the newest has in one of them; once for each band and half-second. */
double bands_pass(struct policy_bands *, int band, double x);

#endif
