/* daemon/kept.h - what is worth knowing after a restart, as JSON: written by one version, read by the same. Pure.
 *
 * Room for more: whatever else is to be kept joins as a member, with a new version where an old reader would err. */
#ifndef DAEMON_KEPT_H
#define DAEMON_KEPT_H

#include <cjson/cJSON.h>

#include "daemon/events.h"
#include "daemon/group_record.h"
#include "daemon/record.h"
#include "drivers/miner.h"

#define KEPT_VERSION 1
#define KEPT_GROUPS POLICY_GROUPS
#define KEPT_BYTES (32 << 20)           /* no such file is larger: 100,000 miners by long names take less */

/* What was learned of a group holds for these words and figures of the site file, and for this firmware. */
struct kept_group {
	const char *name, *driver;      /* lent */
	const char *wake;               /* how it is woken, in the driver's words; NULL: the driver's default */
	struct policy_response sleep, wakes;    /* declared, or typical of the driver */
	uint64_t firmware;              /* of most of its miners; 0: not told */
	struct policy_actuator down, up;        /* but what a step makes of them: used, spread_ms, basis */
	bool partial;                   /* it is run at partial power, and so there is: */
	struct policy_response powers;  /* likewise declared */
	struct policy_actuator power;
};

/* How worn a miner is, and what its owner set. It is known again by its group and host, unless it says that it is another
 * machine. */
struct kept_miner {
	const char *host;               /* lent */
	uint64_t identity;              /* 0: not told */
	uint32_t sleeps;                /* how often it was put to sleep */
	int64_t worn_ms;                /* its cycles are paid for in so long; 0: they are */
	int64_t settled_ms;             /* awake or asleep for so long; -1: not known */
	bool owned;                     /* and so there is: */
	struct miner_own own;
};

struct kept_wear {                      /* of a group, at wear_utc_ms */
	const char *group;              /* lent */
	uint32_t sleeps[SLEEP_HOURS];   /* of all its miners, in each hour, the newest first */
	size_t n_hours;                 /* for so many of them it was counted */
	struct kept_miner *miners;      /* owned; those of which anything is known */
	size_t n_miners;
};

/* An order alive, and what came of it so far. */
struct kept_order {
	const char *signal;             /* lent; NULL: it is the operator's */
	struct order order;             /* but for the number of its signal */
	int64_t left_ms;                /* of a time that the operator told, when this was written; 0: none was told */
	struct event event;             /* only: when received, first commanded and met, with which response; before_w, max_w;
	                                 * energy_ws and known_ms; its status, if it is EVENT_MET */
};

/* The last message of a target signal, and its event, if there is one alive. */
struct kept_target {
	const char *signal;             /* lent */
	int64_t heard_utc_ms, at_utc_ms;        /* when it came, and its timestamp */
	int64_t share_ppm;
	bool stale;                     /* when this was written */
	struct event event;             /* as above, and: whether it is alive, and with which limit_w */
};

struct kept_newest { const char *signal; int64_t issued_ms; };          /* of the orders accepted from it */

struct kept_orders {
	struct kept_order *alive;       /* owned */
	size_t n;
	struct kept_newest newest[ORDERS_SIGNALS];
	size_t n_newest;
	struct kept_target *targets;    /* owned */
	size_t n_targets;
	size_t n_lost;                  /* could not be read; */
	const char *fault;              /* the first thing wrong with them; NULL: nothing is */
};

struct kept {
	uint64_t seq;                   /* of the newest decision */
	uint64_t seq_reserved;          /* what may have been given after this was written: the next one is higher */
	uint64_t n_commands;
	struct energy energy;
	size_t n_groups;
	struct kept_group groups[KEPT_GROUPS];
	int64_t wear_utc_ms;
	struct kept_wear *wear;         /* owned, of each group, however many there are; NULL: not kept */
	size_t n_wear;
	int64_t shown_utc_ms;           /* when it was so; 0: not kept */
	struct policy_shown shown;      /* by the load */
	struct kept_orders orders;
	cJSON *tree;                    /* whose texts the groups and orders lend, where it was parsed */
};

/* The same group, declared the same way; the firmware may differ, and whether and how it is run at partial power. */
bool kept_same_group(const struct kept_group *, const struct kept_group *);
bool kept_same_power(const struct kept_group *, const struct kept_group *);     /* both at partial power, declared alike */

void kept_format(const struct kept *, const char *site, struct json *);
/* False, with why, unless all of it but orders is of this site and version, whole and possible. True: kept_free ends it. */
bool kept_parse(const char *text, size_t len, const char *site, struct kept *, char *why, size_t why_size);
/* Orders have a file of their own, for they change often; earlier versions kept them with the rest, and it is read there, too.
 * False, with why: it is no JSON, or of another site or version. */
void kept_format_orders(const struct kept_orders *, const char *site, struct json *);
bool kept_parse_orders(const char *text, size_t len, const char *site, struct kept *, char *why, size_t why_size);
void kept_free(struct kept *);

/* ---- kept_wear.c: the member "wear" ---- */
void kept_wear_format(const struct kept *, struct json *);
/* NULL, or what is wrong with it; what was read until then is kept_free's. */
const char *kept_wear_parse(const cJSON *wear, struct kept *);
void kept_wear_free(struct kept *);

/* ---- kept_shown.c: the member "load" ---- */
void kept_shown_format(const struct kept *, struct json *);
const char *kept_shown_parse(const cJSON *load, struct kept *);         /* likewise */

/* ---- kept_orders.c: the member "orders" ---- */
void kept_orders_format(const struct kept_orders *, struct json *);
void kept_orders_parse(const cJSON *orders, struct kept_orders *);     /* what cannot be read is counted */
void kept_orders_free(struct kept_orders *);

#endif
