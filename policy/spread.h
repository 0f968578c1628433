/* policy/spread.h - miners that are told something are spread over circuits, so that no feeder and no phase moves alone. */
#ifndef POLICY_SPREAD_H
#define POLICY_SPREAD_H

#include "policy/internal.h"

#define POLICY_CIRCUITS 8192            /* of more, neighbours count as one */

/* Writes the turn of each candidate, and puts these in another order. Of equal priority, efficiency and about equal wear the
 * one with the lowest turn is told first: it stands on the circuit of which the smallest share is asleep or at less power
 * already (awake, or at its most, where they are to rise), those about to be told included. round: moves on with each
 * decision, so that what does not go around is not always the same circuits'. Does nothing where circuits are not told. */
void spread_turns(const struct pick *, int64_t round);

#endif
