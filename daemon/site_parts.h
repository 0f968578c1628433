/* daemon/site_parts.h - what a site is made of; only for daemon/site*.c. */
#ifndef DAEMON_SITE_PARTS_H
#define DAEMON_SITE_PARTS_H

#include "daemon/record.h"
#include "daemon/site.h"

struct site_meter_state {
	struct site *site;
	struct meter *meter;
	struct meter_reading newest;    /* the newest value, or why there never was one */
	enum fault fault;               /* of the newest answer */
	int64_t next_ms, asked_ms;
	int64_t worst_answer_ms, worst_late_ms; /* from poll to answer; a poll behind its schedule */
	uint64_t polls, faults;
	bool polling, alarmed;
};

struct site_miner_state {
	struct site *site;
	struct miner *miner;
	enum fault fault;               /* of the newest answer */
	int64_t next_ms;
	uint64_t seq;                   /* of the decision whose command is under way; 0: none */
	int64_t asked_ms, told_ms;
	int64_t worst_answer_ms, worst_order_ms;        /* from poll, from order to answer */
	uint64_t polls, faults;
	uint32_t orders_out;            /* given to the driver and not yet answered */
	bool polling;
};

#define OUTCOMES 256                    /* decisions whose commands are under way */
#define DECISIONS_KEPT 200

struct outcome {
	uint64_t seq;                   /* 0: free */
	int64_t caused_ms, answered_ms;
	uint32_t sent, ended, confirmed, n_failures;
	struct outcome_failure *failures;       /* room for sent, at most RECORD_COMMANDS */
};

struct site {
	const struct site_conf *conf;
	struct site_rooms rooms;
	struct site_user user;
	struct site_meter_state *meters;
	struct site_miner_state *miners;
	struct miner_seen *seen_miners; /* of the snapshot */
	struct meter_reading *seen_meters;
	struct policy_state state;
	struct miner_track *tracks;
	uint32_t *scratch;
	struct decision decision;
	struct command *commands;
	size_t open_devices;
	struct instant opened;
	int64_t prompted_ms;            /* what caused a step, before it was taken */
	uint64_t seq;                   /* of the newest decision */
	uint64_t n_commands;
	struct outcome outcomes[OUTCOMES];
	size_t n_outcomes;
	char *decisions[DECISIONS_KEPT];        /* JSON, newest at seq % DECISIONS_KEPT */
	struct json json;
	struct energy energy;
	int64_t told_ms;                /* telemetry */
	int64_t energy_ms;
	int64_t over_ms;                /* last seen over the limit */
	const char *told_state;
	char state_why[160];
	struct instant state_since;
	int64_t dry_ms, dry_wanted_w;   /* dry run: what was published last */
	enum reason dry_reason;
	uint32_t jitter;
	bool closing;
};

static inline const char *site_miner_name(const void *self, uint32_t miner)
{
	return ((const struct site *)self)->conf->miners[miner].name;
}

/* ---- site_outcome.c ---- */
void outcome_begin(struct site *, uint64_t seq, const struct decision *, int64_t caused_ms);
void outcome_answered(struct site *, uint32_t miner, enum fault, int64_t now_ms);
/* Commands that have ended since the last step, by their watts; publishes what is complete. */
void outcomes_settle(struct site *, struct instant now);
void outcomes_give_up(struct site *);   /* publishes the rest as it stands */
void outcomes_free(struct site *);

/* ---- site_tell.c ---- */
void tell_decision(struct site *, struct instant now);
void tell_telemetry(struct site *, struct instant now);
void tell_state(struct site *, struct instant now);
void tell_alarms(struct site *, struct instant now);
const char *fault_text(enum fault);

#endif
