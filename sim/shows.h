/* sim/shows.h - what a meter shows that answers in time and in form, and lies. */
#ifndef SIM_SHOWS_H
#define SIM_SHOWS_H

#include "sim/dice.h"

enum shows {
	SHOWS_TRUTH,
	SHOWS_FROZEN,           /* what it showed when that began: the caller's business */
	SHOWS_SCALED,           /* times a factor: a wrong transformer ratio, a phase that is missing */
	SHOWS_JUMPING,          /* now and then ten times as much, or nothing, for one value */
	SHOWS_SWAPPED,          /* what another meter should show */
};

enum { SHOWS_FACTOR_PERMILLE = 500, SHOWS_DICE = 4000, SHOWS_ONE_IN = 40 };

/* swapped_w: what the other meter should show; slot: the number of the value since the begin. */
static inline double shows_w(enum shows shows, double true_w, double swapped_w, int32_t factor_permille, uint64_t seed,
                             uint64_t meter, uint64_t slot)
{
	uint64_t chance = dice(seed, SHOWS_DICE + meter, slot);
	switch (shows) {
	case SHOWS_TRUTH:
	case SHOWS_FROZEN:
		break;
	case SHOWS_SCALED:
		return true_w * (factor_permille ? factor_permille : SHOWS_FACTOR_PERMILLE) / 1000;
	case SHOWS_JUMPING:
		return chance % SHOWS_ONE_IN ? true_w : chance / SHOWS_ONE_IN % 2 ? 10 * true_w : 0;
	case SHOWS_SWAPPED:
		return swapped_w;
	}
	return true_w;
}

#endif
