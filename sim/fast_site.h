/* sim/fast_site.h - a site that steps in virtual time: its truth, what its devices say, and the policy's memory. */
#ifndef SIM_FAST_SITE_H
#define SIM_FAST_SITE_H

#include "policy/notices.h"
#include "policy/refresh.h"
#include "sim/fast.h"
#include "sim/truth.h"

enum {
	FAST_BEGIN_MS = 5000000,        /* the monotonic clock where the site's time is 0 */
	FAST_METER_MS = 10,             /* from what a meter measured to the step */
	FAST_ANSWER_MS = 60,            /* from what a miner saw to the step */
	FAST_ORDER_MS = 40,             /* from the step to the miner */
	FAST_PDU_EVERY_MS = 1000, FAST_MINER_EVERY_MS = 30000, FAST_WATCH_EVERY_MS = 1000,
	FAST_AWAY_MS = 5000,            /* from a controller's end to its next begin */
};

struct fast_site {
	const struct fast_case *of;
	struct truth truth;
	/* the policy's */
	struct policy_conf conf;
	struct policy_meter_group meter_groups[2];
	struct policy_miner_group miner_groups[FAST_TYPES];
	uint16_t *meter_group, *miner_group;
	struct policy_state *state;
	struct miner_track *tracks;
	struct meter_reading *meters;
	struct refresh refresh;         /* of the site's meter */
	struct miner_seen *miners;
	struct candidate *scratch;
	struct command *commands_room;
	struct order_book *book;
	struct demand demand;
	bool listens;                   /* to the GPU scheduler; else its notices are lost */
	struct notice_book notices;
	size_t n_told;                  /* of the case's notices, so far */
	uint64_t came_true, came_false;
	int64_t sleep_ms, wake_ms;      /* of the slowest */
	/* the devices */
	int64_t *next_poll_ms;          /* of each miner */
	enum modbus_fault *meter_faults;        /* of each meter; 0 is the site's */
	int32_t *meter_factors;         /* per mille, where it is scaled */
	int64_t *frozen_w;
	int64_t register_w;             /* what the site's meter last measured */
	int64_t sums_w[FAST_AVERAGED_MS / FAST_STEP_MS + 1];    /* of the site over all turns, until each of the newest */
	uint64_t turns;
	bool *happened;                 /* of each event */
	bool away;                      /* the controller, that is started anew */
	/* this turn */
	int64_t site_w, hpc_w, miners_w, limit_w, setpoint_w, miners_limit_w, told_target_w;
	uint64_t commands;
};

void fast_site_open(struct fast_site *, const struct fast_case *, const struct fast_wear *);    /* zero to start */
void fast_site_close(struct fast_site *);
void fast_site_turn(struct fast_site *, int64_t now_ms);        /* what happens, what is measured, what is asked for */
void fast_site_step(struct fast_site *, int64_t now_ms);        /* the policy, and its orders */

#endif
