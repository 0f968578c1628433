/* daemon/group_record.h - what is known of a group of miners, as the bus carries it on group/NAME. Pure.
 *
 * Everything but counts may be unknown: POLICY_NONE, null in JSON. */
#ifndef DAEMON_GROUP_RECORD_H
#define DAEMON_GROUP_RECORD_H

#include "daemon/clock.h"
#include "daemon/json.h"
#include "policy/policy.h"

#define SLEEP_HOURS 24                  /* for so long it is counted how often miners were put to sleep */

/* Where the times that are planned with come from. */
enum group_basis {
	GROUP_DECLARED,                 /* the site file */
	GROUP_TYPICAL,                  /* the driver */
	GROUP_BY_SITE, GROUP_BY_POLLS,  /* learned at the site's meter, by the miners' own figures */
	GROUP_WORST,                    /* the miners do not agree */
};

struct group_way {                      /* to sleep, to wake, or to another power */
	enum group_basis basis;
	int64_t dead_ms, ramp_ms;       /* from the order; a ramp follows */
	int64_t spread_ms;              /* standard deviation of single miners */
	int64_t moves, answers;         /* seen at the site's meter; of single miners */
	int64_t works_permille, orders; /* the share that moved the watts, of so many that ended */
	int64_t each_w, readings;       /* what one that got there draws, from so many of its own figures */
};

struct group_record {
	const char *name, *driver;      /* lent */
	uint32_t phases[N_PHASES];
	int64_t n;
	int64_t power_w;                /* all together, now */
	int64_t hashrate_ghs;           /* of those that tell */
	int64_t efficiency_mj_per_th;   /* of those that hash and tell both */
	int64_t partial_w;              /* the least one is run at while hashing; POLICY_NONE: on or off, and nothing is known of `power` */
	struct group_way sleep, wake, power;
	struct policy_bias bias;        /* what the meters show of its moves, of what its miners say */
	int64_t sleeps;                 /* of all its miners, in the last counted_h hours */
	int64_t counted_h;              /* at most SLEEP_HOURS; the last one is not yet full */
	int64_t cycles_per_day;         /* the most a miner may; POLICY_NONE: as many as it takes */
	int64_t cycles_left_milli;      /* of that, on average, now */
};

/* Whether somebody who knows `told` is to be told. */
bool group_record_news(const struct group_record *told, const struct group_record *now);
/* An object. */
void group_record_format(const struct group_record *, struct instant now, struct json *);

/* Which of the two sources the policy's line goes through, and who said what where it learned nothing. */
enum group_basis group_basis_of(const struct policy_actuator *, bool declared);
struct group_way group_way_of(const struct policy_actuator *, bool declared);

#endif
