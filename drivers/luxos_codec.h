/* drivers/luxos_codec.h - what LuxOS answers to its reads. Pure: from text to facts.
 * Source: docs.luxor.tech, firmware API, and recorded replies of 2025.4 and 2026.9. */
#ifndef DRIVERS_LUXOS_CODEC_H
#define DRIVERS_LUXOS_CODEC_H

#include "drivers/cgminer_codec.h"

#define LUXOS_NAME 24                   /* of a profile, NUL included; longer ones can not be chosen */
#define LUXOS_MOST_RUNGS 64

struct luxos_seen {                     /* of one poll; zero to start */
	bool denied;                    /* something was refused */
	bool knows_power, knows_config, knows_rate;
	bool can_curtail;               /* it tells a CurtailMode, so it has the command */
	bool curtailed;
	bool knows_supply, supply_on;
	bool atm;                       /* it moves its profile by itself */
	double power_w, ghs;
	char profile[LUXOS_NAME];       /* empty: not told */
	uint64_t fingerprint;           /* of firmware, model and profile; 0: not told */
	uint64_t firmware;              /* of firmware and model alone; 0: not told */
	uint64_t identity;              /* of the machine; 0: not told */
};

/* Adds what one reply to power, config, summary, or to several of them joined, says. FAULT_NONE also where the reply
 * is a refusal; FAULT_GARBLED: not JSON. *nothing: no such section was in it. */
enum fault luxos_decode(const char *text, struct luxos_seen *, bool *nothing);

struct luxos_rung {
	int32_t power_w;
	bool over;                      /* above the model's own step 0 */
	char name[LUXOS_NAME];
};

struct luxos_tables {                   /* replies to version and profiles; zero to start */
	bool knows_version, is_luxos, knows_profiles;
	uint16_t n;
	struct luxos_rung rungs[LUXOS_MOST_RUNGS];      /* power_w: the model's table, for a unit with all its boards */
};
enum fault luxos_decode_tables(const char *text, struct luxos_tables *, bool *nothing);

/* What the present profile draws when hashing; 0: not in the table. */
int32_t luxos_profile_w(const struct luxos_rung *, size_t n, const char *name);
/* Of the rungs that can be named in a command the highest that draws no more than limit_w, or else the lowest: what it
 * draws then tells that it can do no less. NULL: none. */
const struct luxos_rung *luxos_rung_under(const struct luxos_rung *, size_t n, int32_t limit_w);
/* Full power: the profile `own` that it had before anybody curtailed it, unless that is below what nominal_w tells: the
 * rung nearest to that, for what a miner measures is 5 to 12 % off its table; never above step 0. NULL: none. */
const struct luxos_rung *luxos_rung_full(const struct luxos_rung *, size_t n, int32_t nominal_w, const char *own);

/* What it comes to, drawing at most 3 times usual_w (0: 50 kW in all); steerable, awake_w and at_ms are the caller's. */
enum fault luxos_judge(const struct luxos_seen *, int32_t usual_w, struct miner_reading *);

#endif
