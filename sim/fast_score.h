/* sim/fast_score.h - what is measured of a run. All from the ten minutes on in which the policy learns, unless it says so. */
#ifndef SIM_FAST_SCORE_H
#define SIM_FAST_SCORE_H

#include "sim/limits.h"

enum { FAST_BANDS = 4, FAST_WINDOWS = 3 };
extern const double fast_band_s[FAST_BANDS + 1];        /* periods: 2, 10, 60, 600 s, all longer */
extern const int64_t fast_window_ms[FAST_WINDOWS];      /* 5, 15, 60 s */

struct fast_score {
	double all_over_s, all_over_wh; /* from the begin */
	double over_s, over_wh, most_over_w;
	double unexcused_s;             /* over, and not just after a rise larger than any seen before */
	double least_ratio;             /* over_wh by what physics allows; 1 where both are nothing */
	double exact_ratio;             /* the same of a law that senses first and sheds no more than it takes */
	bool flat;                      /* nobody asks it to move but its set point: then the bands and the bound mean something */
	double break_even_s;
	double slow_w, bound_w;         /* rms in periods longer than break-even: of the site about its target, and what r(f)
	                                 * leaves of the GPUs about that target */
	double reach_w;                 /* bound_w, and what the load moves further than the fleet does */
	double best_w, lag_w;           /* the case's */
	double site_w[FAST_BANDS], hpc_w[FAST_BANDS];   /* rms in bands; site: about its target */
	double falls_w[FAST_BANDS];     /* … of the site if its miners did no more than its crossings make them (limits_falls) */
	double kept, foresight, causal; /* share of the fleet's watts: hashing, with perfect foresight, and with none */
	double flat_kept;               /* the case's */
	double error_permille, fleet_error_permille;    /* mean absolute error of 4 s means, of the mean set point; of the fleet */
	double cycles, most_cycles;     /* a miner and day, from less than a day mostly; of the miner with most */
	double most_sleeps, days;       /* of that miner, not by the day; how long it was judged */
	double notices_true, notices_false;
	bool set_point, quick;          /* it follows one; all its miners wake in seconds */
	double commands;
	double change_w[FAST_WINDOWS], hpc_change_w[FAST_WINDOWS];      /* largest within any such window */
};
/* What a site aims at is its set point, else a limit below its cap; else it is to be flat: its own mean. The first makes of
 * any run what is the same however the case is controlled; the second adds what is not. */
void fast_score_load(const struct fast_case *, const struct limits *, const struct fast_run *, struct fast_score *);
void fast_score_run(const struct fast_case *, const struct limits *, const struct fast_run *, struct fast_score *);
void fast_score(const struct fast_case *, const struct limits *, const struct fast_run *, struct fast_score *);         /* both */

/* Largest less smallest in any window of so many steps. */
double fast_largest_change(const double *x, size_t n, size_t window);

#endif
