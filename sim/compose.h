/* sim/compose.h - loads for whole sites: a measured trace played by many jobs at once, and shapes that need no trace. */
#ifndef SIM_COMPOSE_H
#define SIM_COMPOSE_H

#include "sim/load.h"

/* n jobs of equal size, each at a random place of the trace (n 1: from begin_ms on), looped, over lasts_ms; the sum
 * scaled to peak_w. The unit jitter within a job (a tenth of a second) is left out: traces are no finer than a second. */
struct load_trace compose_trace(const struct load_trace *, size_t n, int64_t begin_ms, int64_t lasts_ms, int64_t peak_w,
                                uint64_t seed);

/* Where in the trace job j of n is at the begin. */
int64_t compose_place_ms(const struct load_trace *, size_t n, size_t j, int64_t begin_ms, uint64_t seed);

/* Shapes between floor_w and peak_w, over lasts_ms. */
struct compose_span { int64_t floor_w, peak_w, lasts_ms; };
struct load_trace compose_constant(const struct compose_span *);
struct load_trace compose_square(const struct compose_span *, int64_t period_ms);       /* edges of half a second */
struct load_trace compose_triangle(const struct compose_span *, int64_t period_ms);
/* Another level at random times, every_ms apart on average, reached within two seconds. */
struct load_trace compose_steps(const struct compose_span *, int64_t every_ms, uint64_t seed);
/* Jobs that begin one after the other: a step of two seconds every_ms after the last, from the floor to the peak. */
struct load_trace compose_stairs(const struct compose_span *, int64_t every_ms);
/* Jobs that fail at random times, after every_ms on average: gone at once, for one to four sixths of that, then back within half
 * a minute. */
struct load_trace compose_failures(const struct compose_span *, int64_t every_ms, uint64_t seed);
/* A first-order process of that correlation time, a sixth of the span its standard deviation. */
struct load_trace compose_noise(const struct compose_span *, int64_t tau_ms, uint64_t seed);

#endif
