/* sim/load.h - what GPUs draw, as a pure function of time: a pattern or a measured trace, times the level that the
 * jobs running set, split over PDUs.
 *
 * Training after a published 512-GPU run: dips of 9-13 % every 10.93 s (step), 10-30 % for 13 s every 142 s
 * (evaluation). MLCommons training_results_v4.0, 64xSMC-H100-SXM-80GB/gpt3. */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum load_pattern { LOAD_CONSTANT, LOAD_IDLE, LOAD_TRAINING, LOAD_INFERENCE, LOAD_TRACE, N_LOAD_PATTERNS };
enum load_pattern load_pattern_named(const char *);     /* N_LOAD_PATTERNS if unknown; "trace" is none to name */

struct load_point { int64_t t_ms, power_w; };
struct load_trace {                     /* at least one point, times rising */
	struct load_point *points;
	size_t n;
	int64_t peak_w;                 /* the highest point */
};
/* Reads "t_s,power_w" lines, a header allowed. 0, or a negative libuv code with *line the place (0: the file). */
int load_trace_read(struct load_trace *, const char *path, size_t *line);
void load_trace_free(struct load_trace *);
int64_t load_trace_w(const struct load_trace *, int64_t t_ms, bool loop);       /* linear between points */

struct load_job { int64_t at_ms, delta_w, over_ms; };   /* a start (or, negative, an end) of that much more level */

#define LOAD_JOBS 64
struct load {
	uint64_t seed;
	enum load_pattern pattern;
	int64_t peak_w;                 /* the level at the begin: what the pattern's top amounts to */
	struct load_trace trace;        /* LOAD_TRACE only; lent */
	bool hold;                      /* after its end the trace holds its last value; otherwise it begins again */
	struct load_job jobs[LOAD_JOBS];
	size_t n_jobs;
};
bool load_add_job(struct load *, struct load_job);      /* false: no more room */
int64_t load_w(const struct load *, int64_t t_ms);

/* Shares of PDUs: unequal, and each wanders against a neighbour, so that the sum stays the load. */
struct load_split { uint64_t seed; double *share; size_t n; };
void load_split_init(struct load_split *, size_t n, uint64_t seed);
void load_split_free(struct load_split *);
int64_t load_split_w(const struct load_split *, int64_t load_w, size_t i, int64_t t_ms);

#endif
