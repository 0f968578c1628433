/* sim/fast.h - the control law against the plant in virtual time: policy_step on what simulated meters and miners say,
 * its orders carried out with the plant's dead times and ramps. No sockets, no daemon, the same result every time.
 *
 * As in the daemon: the site's meter answers every 200 ms and each answer causes a step, PDUs are read every second,
 * miners every 30 s, and every second while an order to them is under way. An order arrives 40 ms after its step. */
#ifndef SIM_FAST_H
#define SIM_FAST_H

#include "sim/fast_case.h"

enum fast_control {
	FAST_LEFT,                      /* no control: all miners hash all the time */
	FAST_THRESHOLD,                 /* every 30 s as many asleep as the site is over, as many woken as leave 2 % free */
	FAST_POLICY,
	FAST_NO_FORECAST,               /* the policy by what the load has been, not by what that foretells */
	FAST_TOLD,                      /* the policy, with the GPU scheduler's notices */
	FAST_48, FAST_12,               /* the policy, with so many cycles a day */
	N_FAST_CONTROLS
};

struct fast_wear { int32_t cycles_per_day; int64_t min_awake_ms, min_asleep_ms; };      /* zero: lifted */

#define FAST_STEP_MS 200
#define FAST_LEARN_MS 600000            /* from then on it is judged */

/* The truth, a value each FAST_STEP_MS; arrays are owned. */
struct fast_run {
	size_t n;
	double *site_w, *hpc_w, *miners_w;
	double *limit_w, *setpoint_w;           /* in force; setpoint_w 0: none */
	double *told_target_w;                  /* what the policy said it aims at; 0: not told */
	uint64_t commands;
	uint64_t sleeps;                        /* after FAST_LEARN_MS, if it lasts longer */
	uint32_t most_sleeps;                   /* of one miner */
	uint64_t came_true, came_false;         /* of the notices */
};

struct fast_wear fast_wear_of(int32_t cycles_per_day);          /* with 10 min awake and 3 min asleep */
void fast_run(const struct fast_case *, enum fast_control, const struct fast_wear *, struct fast_run *);
void fast_run_free(struct fast_run *);

#endif
