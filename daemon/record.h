/* daemon/record.h - decisions, outcomes and telemetry as the bus carries them (contract, section 3). Pure. */
#ifndef DAEMON_RECORD_H
#define DAEMON_RECORD_H

#include "daemon/clock.h"
#include "daemon/json.h"
#include "policy/policy.h"

#define RECORD_COMMANDS 1000            /* of a decision, in one message */
#define RECORD_WHY_SIZE 640

struct record_names {
	const char *(*miner)(const void *self, uint32_t miner);
	const void *self;
};

/* One sentence for a person, with the figures. event: NULL where no grid event stands behind it. */
void record_why(const struct decision *, const char *event, char *why, size_t size);

struct decision_record {
	uint64_t seq;
	struct instant at;
	const struct decision *decision;
	const char *event;              /* NULL: none */
	const char *why;                /* record_why's; NULL: to be made up */
	bool dry_run;
};
uint32_t record_parts(const struct decision *);
/* part counts from 1; 0: without commands but with their number, for mulletctl. */
void record_decision(const struct decision_record *, uint32_t part, const struct record_names *, struct json *);

struct outcome_failure { uint32_t miner; const char *error; };
struct outcome_record {
	uint64_t seq;
	struct instant at;
	uint32_t sent, confirmed, failed;
	int64_t elapsed_ms;
	const struct outcome_failure *failures;         /* the first n_failures of `failed` */
	uint32_t n_failures;
};
void record_outcome(const struct outcome_record *, const struct record_names *, struct json *);

struct energy { double site_wh, hpc_wh, miners_wh; };
struct telemetry_record {
	struct instant at;
	const struct picture *picture;
	int64_t partial;                /* miners awake and told less than full power; POLICY_NONE: none ever is */
	const char *cap_from;           /* "site", or an event's id */
	int32_t frequency_mhz;          /* 0: not known */
	struct energy energy;
	const char *const *stale;       /* names of meters */
	size_t n_stale;
};
void record_telemetry(const struct telemetry_record *, struct json *);          /* members of an object already open */
void record_phases(const uint32_t phases[N_PHASES], struct json *);    /* one member, "miners" */

#endif
