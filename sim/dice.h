/* sim/dice.h - chance that is a pure function of a seed and of what it is for: splitmix64 of both, so that
 * asking twice gives the same answer and no order of asking matters. */
#ifndef SIM_DICE_H
#define SIM_DICE_H

#include <stdint.h>

static inline uint64_t dice(uint64_t seed, uint64_t what, uint64_t when)
{
	uint64_t x = seed + what * 0x9E3779B97F4A7C15u + when * 0xD1B54A32D192ED03u + 0x632BE59BD9B4E019u;
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
	return x ^ (x >> 31);
}

/* 0 up to, never, 1. */
static inline double dice_share(uint64_t seed, uint64_t what, uint64_t when)
{
	return (double)(dice(seed, what, when) >> 11) / 9007199254740992.0;
}

/* -1 … 1, the middle likelier than the ends. */
static inline double dice_spread(uint64_t seed, uint64_t what, uint64_t when)
{
	return dice_share(seed, what, when) + dice_share(seed, what, when + (1ull << 62)) - 1.0;
}

/* -n … n per mille of value. */
static inline int64_t dice_about(int64_t value, int32_t permille, double spread)
{
	double off = (double)value * permille / 1000.0 * spread;
	return value + (int64_t)(off < 0 ? off - 0.5 : off + 0.5);
}

#endif
