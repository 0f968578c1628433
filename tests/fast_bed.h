/* tests/fast_bed.h - a case of 300 miners, its limits, and a run to be filled in. */
#ifndef TESTS_FAST_BED_H
#define TESTS_FAST_BED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/fast_main.h"

#define NEAR(a, b, by) assert_true(fabs((a) - (b)) <= (by))

/* Begins and ends at a crest, so that with its mirror image it is one whole wave. */
static inline void wave(double *x, size_t n, double step_s, double period_s, double amplitude)
{
	for (size_t i = 0; i < n; i++)
		x[i] = amplitude * cos(2 * M_PI * ((double)i + 0.5) * step_s / period_s);
}

struct bed { struct fast_case of; struct limits limits; struct fast_run run; };

static inline void open_bed(struct bed *bed, const char *kind, size_t n)
{
	char why[200];
	struct fast_file file = { .name = "bed", .load = "constant", .seed = 1, .peak_w = 1000000, .lasts_ms = 1200000, .share_permille = 300,
		.n_fleets = 1 };
	snprintf(file.fleets[0].kind, sizeof file.fleets[0].kind, "%s", kind);
	file.fleets[0].n = 300;
	*bed = (struct bed){ 0 };
	assert_int_equal(fast_case_make(&bed->of, &file, 0, "", why, sizeof why), 0);
	limits_make(&bed->limits, &bed->of);
	bed->run = (struct fast_run){ .n = n };
	bed->run.site_w = calloc(n, sizeof(double));
	bed->run.hpc_w = calloc(n, sizeof(double));
	bed->run.miners_w = calloc(n, sizeof(double));
	bed->run.limit_w = calloc(n, sizeof(double));
	bed->run.setpoint_w = calloc(n, sizeof(double));
}

static inline void close_bed(struct bed *bed)
{
	fast_run_free(&bed->run);
	limits_free(&bed->limits);
	fast_case_free(&bed->of);
}

/* The load jumps at step 100 while 1 MW of miners hash; those that react at once make it the least there can be. */
static inline void jump(struct bed *bed, size_t late_steps)
{
	for (size_t i = 0; i < bed->run.n; i++) {
		size_t since = i > 100 + late_steps ? (i - 100 - late_steps) * FAST_STEP_MS / LIMITS_STEP_MS : 0;
		double done = since < bed->limits.n_down ? bed->limits.done_down[since] : 1;
		double load_w = i < 100 ? 1000000 : 1500000;
		bed->run.miners_w[i] = 1000000 * (1 - done);
		bed->run.hpc_w[i] = load_w;
		bed->run.site_w[i] = load_w + bed->run.miners_w[i];
		bed->run.limit_w[i] = 2100000;
	}
}

#endif
