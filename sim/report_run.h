/* sim/report_run.h - one recorded run, read back: the truth, the commands that miners received, and the bus.
 *
 * Times are milliseconds of the site's time, 0 where mulletsim began. The bus is what this recorded, a message a
 * line; retained messages of before the run do no harm:
 *     mosquitto_sub -q 1 -t 'mullet/#' -F '%U %t %p'        (or '%U %r %t %p') */
#ifndef SIM_REPORT_RUN_H
#define SIM_REPORT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define RUN_NEVER INT64_MAX

struct run_command { int64_t at_ms; enum deed deed; char miner[48]; };
struct run_view { int64_t at_ms, limit_w, target_w; };          /* what mulletd held in force; target 0: not told */
struct run_decision { int64_t at_ms; uint32_t told[N_DEEDS]; char reason[16]; };       /* told: to how many miners */
struct run_outcome { uint32_t sent, confirmed, failed; int64_t elapsed_ms; };
struct run_alarm { int64_t raised_ms, cleared_ms; char name[48], why[200]; };   /* RUN_NEVER: not cleared */
struct run_order {                      /* the newest that was said of it */
	char id[48], kind[16], status[16], ack[16];
	int64_t asked_ms, ack_ms;       /* on the bus; RUN_NEVER: not seen */
	int64_t start_ms, end_ms, limit_w, delivered_w;         /* limit_w -1: none; delivered_w: INT64_MIN: not told */
	double response_s;              /* negative: not met */
};

struct run {                            /* lists are owned */
	double *site_w, *hpc_w, *miners_w;      /* the truth, each step_ms from truth_ms */
	size_t n_truth;
	int64_t truth_ms, step_ms;
	int64_t begin_utc_ms;           /* of the site's time 0 */
	int64_t control_ms;             /* when mulletd first told what the site draws; RUN_NEVER */
	struct run_command *received, *published;
	size_t n_received, n_published;
	struct run_view *views;         /* in order of time */
	size_t n_views;
	struct run_decision *decisions;
	size_t n_decisions;
	struct run_outcome *outcomes;
	size_t n_outcomes;
	struct run_order *orders;
	size_t n_orders;
	struct run_alarm *alarms;
	size_t n_alarms;
	size_t bad_lines;               /* of the bus, that are no messages of mulletd's */
};

/* 0, or -1 and why. run: zero to start; the truth first, then the commands, then the bus. */
int run_read_truth(struct run *, const char *path, char *why, size_t size);
int run_read_commands(struct run *, const char *path, char *why, size_t size);
int run_read_bus(struct run *, const char *path, char *why, size_t size);
void run_free(struct run *);

/* Room for one more at the end of a list of n; the list may move. */
void *run_room(void *list, size_t n, size_t size);
/* "2026-11-22T05:04:03.021Z" in ms since 1970; -1: it is none. */
int64_t run_utc_ms(const char *text);

#endif
