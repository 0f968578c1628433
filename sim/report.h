/* sim/report.h - judges a recorded run: over the limit, flat, by published decisions only; for a person, and as a plot. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "sim/farm.h"
#include "sim/report_run.h"
#include "sim/score.h"

#define REPORT_SPLIT_MS 60000           /* flatness is told for periods longer and shorter than this */

struct report_over {                    /* time above a limit, since control began */
	double seconds, wh, most_w;
	double excused_s, excused_wh;   /* of it: see report_judge */
	int64_t most_ms;                /* when it was worst */
};
struct report_episode { int64_t begin_ms, end_ms; double over_s, late_s, most_w; };     /* late: and not excused */

enum { REPORT_EPISODES = 64 };
struct report {
	int64_t cap_w, full_w;          /* the file's cap; all miners together, nominal */
	int64_t response_ms;            /* dead time and fall of the slowest unit of the slowest sort of miner there is */
	struct report_over limit, cap;          /* over the limit in force; over the file's cap */
	struct report_over left_limit, left_cap;        /* the same site with all miners left hashing */
	struct report_episode episodes[REPORT_EPISODES];        /* the first ones over the limit in force */
	size_t n_episodes;
	struct score score;             /* from flat_ms on: its bands */
	double left_slow_w, left_fast_w;        /* the bands with all miners left hashing */
	double off_target_w, left_off_target_w; /* rms of the site less the target in force; likewise left hashing */
	int64_t flat_ms;
	double miners_wh, full_wh;
	uint32_t sent, confirmed, failed, told[N_DEEDS];
	int64_t median_ms, p99_ms, worst_ms;    /* of outcomes: from the reading to the last answer; -1: none */
	size_t *strays, n_strays;       /* received commands that no published decision names; owned */
};

/* An episode begins when the site crosses the limit, and ends when it has been under it for response_ms. Excused is
 * what is over within response_ms of an episode's begin, or of a further fall of the limit in it: there no controller
 * that reacts could have kept the site under by putting miners to sleep. Nothing else is excused.
 *
 * A received command is a stray unless the newest decision that names its miner says the same and is not older than
 * a minute. To wake and to hash at another power count as the same: a wake brings its power along, and a miner that
 * sleeps where another power was decided is woken to it. */
void report_judge(struct report *, const struct run *, const struct farm_conf *, int64_t flat_ms);
void report_print(const struct report *, const struct run *, const struct farm_conf *, FILE *);
void report_free(struct report *);

/* The limit in force; the file's cap before any was told. */
int64_t report_limit_w(const struct report *, const struct run *, int64_t at_ms);

struct report_files { const char *truth, *commands, *bus, *svg; };      /* svg is written; NULL: no plot */
/* All of it, to stdout; an exit code: 1 also where a miner received what no decision names. */
int report_make(const struct report_files *, const struct farm_conf *, int64_t flat_ms);

#endif
