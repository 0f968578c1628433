/* sim/fast_main.h - mulletsim --fast: scenarios in virtual time, a table, JSON and pictures. */
#ifndef SIM_FAST_MAIN_H
#define SIM_FAST_MAIN_H

#include <stdio.h>

#include "sim/fast_score.h"

struct fast_result {                    /* of one case */
	char name[80];
	char skipped[200];              /* why it was not played; empty: it was */
	bool played[N_FAST_CONTROLS];
	struct fast_score of[N_FAST_CONTROLS];
};

struct fast_options {
	const char *const *paths;       /* scenario files */
	size_t n_paths;
	const char *traces, *json_file, *svg_dir, *only;        /* only: cases whose name contains it; NULL: all */
	struct fast_wear wear;          /* of all; unless it is zero FAST_48 and FAST_12 are not played */
	unsigned controls;              /* bits of enum fast_control; 0: all */
	int threads;
	bool quiet;                     /* no table */
	bool whole;                     /* no miner runs at partial power */
	enum prefer prefer;
};

/* Plays all cases of the scenarios. Results in their order, to be freed; NULL and why if a scenario cannot be read. */
struct fast_result *fast_play(const struct fast_options *, size_t *n, char *why, size_t size);

void fast_print_table(const struct fast_result *, size_t n, FILE *);
/* Of fast_print_table: what forecasts gain, and which bars are met by which cases. */
void fast_print_gains(const struct fast_result *, size_t n, FILE *);
void fast_print_bars(const struct fast_result *, size_t n, FILE *);

/* What a law is to reach. */
enum fast_bar {
	BAR_ODD, BAR_LEAST, BAR_SLOW, BAR_REACH, BAR_BAND, BAR_KEPT, BAR_CAUSAL, BAR_ERROR, BAR_ODD_48, BAR_BAND_48,
	BAR_CYCLES_48, BAR_ODD_12, BAR_BAND_12, BAR_CYCLES_12,
	N_FAST_BARS
};
enum fast_verdict {
	BAR_EMPTY,                      /* says nothing of this case, or it was not played */
	BAR_MET, BAR_MISSED,
	BAR_BEYOND                      /* missed, and shown to cost another bar, or to be more than no forecast allows */
};
enum fast_verdict fast_bar(const struct fast_result *, enum fast_bar, double *figure);

/* One line a case and control, keys with units. */
void fast_print_json(const struct fast_result *, size_t n, FILE *);
void fast_plot(const struct fast_case *, const struct fast_run *, const struct fast_score *, FILE *);

/* The directory of measured traces: $MULLET_SHARED/traces or ../shared/traces. */
const char *fast_traces(char *path, size_t size);

/* argv[0] is --fast; an exit code. */
int fast_main(int argc, char **argv);

#endif
