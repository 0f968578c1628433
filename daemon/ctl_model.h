/* daemon/ctl_model.h - what mulletctl knows of the daemon: its answers as plain data, and the last minutes of them.
 *
 * A figure that the daemon did not tell is FIGURE_UNKNOWN, a text that it did not tell is empty. Nothing is assumed
 * about the answers' shape: they come from another process, perhaps of another version. */
#ifndef DAEMON_CTL_MODEL_H
#define DAEMON_CTL_MODEL_H

#include <cjson/cJSON.h>

#include "daemon/ctl_quantity.h"

enum shown_phase {
	SHOWN_AWAKE, SHOWN_PARTIAL, SHOWN_WAKING, SHOWN_FALLING, SHOWN_ASLEEP, SHOWN_UNREACHABLE, SHOWN_FAULTY,
	N_SHOWN
};

struct shown_decision {
	int64_t seq, sleeps, wakes, powers;
	char time[32], reason[16], why[640];
	bool dry_run;
};

struct shown_alarm {
	char name[64], since[32], why[256];
	bool critical;
};

struct shown_order {                    /* an order, a hold or a shed that is in force */
	char id[64], kind[16], end[32];
	int64_t limit_w;
	bool end_known;                 /* end may be empty all the same: there is none */
};

struct sample { int64_t at_ms, site_w, hpc_w, miners_w, cap_w, target_w; };

#define MODEL_SAMPLES 1024              /* at two a second: eight minutes */
#define MODEL_DECISIONS 32
#define MODEL_ALARMS 8
#define MODEL_ORDERS 4

struct ctl_model {                      /* zero to start */
	bool heard;                     /* a status has come, ever */
	char trouble[200];              /* why there is no answer now; empty: there is one */
	int64_t now_ms;                 /* monotonic: the right edge of the chart */

	char site[64], state[16], state_why[256], since[32], version[24], broker[16], time[32], cap_from[64];
	bool dry_run;
	int64_t uptime_ms, site_w, hpc_w, miners_w, other_w, cap_w, target_w, reserve_w, headroom_w;
	int64_t curtailable_w, restorable_w, nominal_miners_w, load_w, planned_w, doubt_w;
	int64_t announced_w, hpc_limit_w;
	int64_t frequency_mhz, n_decisions, n_commands;
	int64_t site_wh, hpc_wh, miners_wh;
	int64_t phases[N_SHOWN];
	bool has_partial;               /* miners awake are told apart: at full power, at less */
	char stale[200];                /* the first names */
	int n_stale;

	struct shown_decision decisions[MODEL_DECISIONS];       /* oldest first */
	int n_seen_decisions;
	struct shown_alarm alarms[MODEL_ALARMS];        /* those raised */
	int n_alarms;                   /* may be more than there is room for */

	struct shown_order orders[MODEL_ORDERS];
	int n_orders;

	struct sample samples[MODEL_SAMPLES];           /* a ring */
	int n_samples, newest;
};

void model_status(struct ctl_model *, const cJSON *status, int64_t now_ms);     /* also takes a sample */
void model_clear_decisions(struct ctl_model *);
void model_add_decision(struct ctl_model *, const cJSON *decision);     /* the oldest makes room */
void model_clear_alarms(struct ctl_model *);
void model_add_alarm(struct ctl_model *, const cJSON *alarm);           /* one not raised is passed over */
bool model_wants_ends(const struct ctl_model *);        /* of an order it is not known when it ends: model_add_event tells */
void model_add_event(struct ctl_model *, const cJSON *event);
const struct sample *model_sample(const struct ctl_model *, int back);  /* 0: the newest; NULL: no more */

/* Members of an answer, for whoever reads one. */
int64_t json_figure(const cJSON *object, const char *key);      /* rounded */
int64_t json_scaled(const cJSON *object, const char *key, double factor);
const char *json_text(const cJSON *object, const char *key);    /* "" where there is none; lent */

const char *clock_of(const char *rfc3339, char buf[9]);         /* "05:04:03"; "--:--:--" of what is no time */

#endif
