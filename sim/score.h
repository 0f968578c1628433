/* sim/score.h - how well a site was held: over the cap, and flat. From the ground truth, at even steps of time. */
#ifndef SIM_SCORE_H
#define SIM_SCORE_H

#include <stddef.h>
#include <stdint.h>

struct score_series {                   /* watts, one value each step_ms; arrays are lent */
	const double *site_w, *hpc_w;
	size_t n;
	int64_t step_ms;
};

struct score {
	double seconds_over, wh_over, most_over_w;      /* the cap */
	/* Root mean square of what moves in periods longer and shorter than split_ms, each about its own mean. */
	double site_slow_w, site_fast_w, hpc_slow_w, hpc_fast_w;
};

/* limit_w: of each step; NULL: cap_w for all. */
void score_series(const struct score_series *, double cap_w, const double *limit_w, int64_t split_ms, struct score *);

/* The part of x that lies in periods longer than `split` steps, by its Fourier components, and the rest. */
void score_bands(const double *x, size_t n, double split, double *slow_rms, double *fast_rms);

#endif
