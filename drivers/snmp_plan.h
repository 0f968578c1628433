/* drivers/snmp_plan.h - which requests a map of OIDs takes, and what the answers make of a meter. Pure. */
#ifndef DRIVERS_SNMP_PLAN_H
#define DRIVERS_SNMP_PLAN_H

#include "drivers/snmp_map.h"
#include "policy/reading.h"

enum {
	SNMP_QUANTITIES = 3,            /* power, energy, frequency */
	SNMP_MOST_ASKED = 3 * SNMP_QUANTITIES,  /* value, digits and status of each */
	SNMP_MOST_VALUES = 36,          /* in one answer: they fit a datagram of 1,472 bytes */
	SNMP_MOST_ROWS = 512,           /* in a column that is added up */
};

struct snmp_ask {
	bool walk;                      /* the rows that follow `oids`; else these very instances */
	uint8_t n;
	uint8_t rows;                   /* of a walk: as many at a time */
	struct snmp_oid oids[SNMP_MOST_ASKED];
};

struct snmp_plan {                      /* begins as zero; the map is lent for its life */
	const struct snmp_map *map;
	unsigned step, n_steps;
	const struct snmp_field *walks[1 + SNMP_QUANTITIES];    /* of each step; NULL: the instances of all others */
	struct snmp_ask ask;            /* what to ask now */
	unsigned n_rows;                /* of the walk under way */
	int64_t sum;
	bool hole;                      /* a row of it is absent */
};

void snmp_plan_start(struct snmp_plan *, const struct snmp_map *);

enum snmp_taken {
	SNMP_TAKEN,                     /* there is more: `ask` says what */
	SNMP_TAKEN_ALL,
	SNMP_NOT_ASKED,                 /* the answer does not fit the question: garbled */
};
/* Puts what `ask` brought into the reading, which is all zero before the first. The power comes first: absent, or beyond
 * most_w (0: beyond 1 TW), makes it FAULT_ABSURD and ends the plan; energy and frequency that are absent, or cannot
 * be true, are only not known. A sum with an absent row is absent. Leaves at_ms alone. */
enum snmp_taken snmp_plan_take(struct snmp_plan *, const struct snmp_value *, size_t n, int64_t most_w, struct meter_reading *);

#endif
