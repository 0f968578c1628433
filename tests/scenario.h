/* tests/scenario.h - a whole site in virtual time: the real site_step against the plant, minutes in milliseconds. */
#ifndef TESTS_SCENARIO_H
#define TESTS_SCENARIO_H

#include "daemon/site.h"
#include "sim/devices.h"
#include "sim/score.h"

struct scenario_conf {
	struct sim_world_conf world;
	const struct plant_miner_type *type;    /* NULL: plant_luxos_s21 */
	size_t n_miners;
	size_t n_asleep;                        /* of them, at start */
	int64_t cap_w, target_w, reserve_w;     /* the last two 0: auto */
	int64_t setpoint_ramp_w_per_min;        /* told with every set point order; 0: none */
	int64_t ramp_up_w_per_min, ramp_down_w_per_min;
	int64_t pdu_nameplate_w;
	int32_t partial_w;                      /* the least power that miners are run at; 0: on or off */
	int64_t min_awake_ms, min_asleep_ms;
	int32_t cycles_per_day;
	bool no_site_meter;                     /* only GPU meters */
	int64_t averaged_ms;                    /* the site's meter is said to tell means */
	bool dry_run;
	bool plan;                              /* takes the GPU scheduler's notices */
};

#define SCENARIO_SAMPLE_MS 500

struct scenario {
	struct scenario_conf conf;
	struct sim_world *world;
	uv_loop_t loop;
	struct manual_clock clock;
	struct sink sink;
	struct alarms *alarms;
	struct signals *signals;
	struct plan *plan;
	struct site *site;
	struct site_conf site_conf;
	struct policy_meter_group meter_groups[2];
	struct policy_miner_group miner_group;
	const struct kept *recalled;            /* what a restart finds; NULL: nothing */
	bool step_now, closed;
	int64_t next_step_ms, next_poll_ms, next_sample_ms;
	/* what happened */
	double *site_w, *hpc_w, *limit_w;
	size_t n_samples, room;
	struct json trace;                      /* a line a decision */
	uint32_t n_decisions, n_sleeps, n_wakes, n_powers;
	char last_state[32];
	char last_outcome[2048];
	char last_ack[512], last_event[2048], last_limit[512];         /* hpc/limit */
	uint32_t n_limits;
	struct json alarms_seen;                /* a line a change */
	struct json groups_seen;                /* a line a message on group/NAME: its topic, the message */
};

void scenario_open(struct scenario *, const struct scenario_conf *);
void scenario_run(struct scenario *, int64_t ms);
void scenario_close(struct scenario *);
/* Closes the site and opens a new one, that knows nothing but what is recalled, on the same world `away_ms` later. */
void scenario_restart(struct scenario *, int64_t away_ms);
/* As a reload of the file does: a new site takes over what the old one knows. The conf is lent for good. */
void scenario_reload(struct scenario *, const struct site_conf *);
void scenario_shift_utc(struct scenario *, int64_t by_ms);      /* somebody sets the clock */
int64_t scenario_now(const struct scenario *);          /* since the begin */
/* Adds a line to the trace: what happens now. */
void scenario_note(struct scenario *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A message on the order topic of the one signal there is, "grid". start_in_ms 0: at once. */
void scenario_order(struct scenario *, const char *kind, const char *id, int64_t watts, int64_t start_in_ms, int64_t end_in_ms);
/* All to sleep and awake again, within 110 s: a shed asks for no wear, and counts. */
void scenario_cycle(struct scenario *);
/* "The GPUs are about to draw so much more": on hpc/plan. */
void scenario_notice(struct scenario *, const char *id, int64_t in_ms, int64_t delta_w, int64_t over_s);
void scenario_score(const struct scenario *, int64_t from_ms, struct score *);

#endif
