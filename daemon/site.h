/* daemon/site.h - where the pieces meet: meters and miners polled, the policy stepped, orders handed out, all of it told.
 *
 * A scenario in virtual time runs the very same code as the daemon: with a manual clock and simulated drivers. */
#ifndef DAEMON_SITE_H
#define DAEMON_SITE_H

#include "daemon/alarms.h"
#include "daemon/clock.h"
#include "daemon/json.h"
#include "daemon/plan.h"
#include "daemon/kept.h"
#include "daemon/signals.h"
#include "daemon/sink.h"
#include "drivers/meter.h"
#include "drivers/miner.h"
#include "policy/policy.h"

struct site_meter {
	const char *name;
	const struct meter_driver *driver;
	struct meter_conf conf;
	int64_t every_ms;
	int64_t averaged_ms;            /* each value is the mean of so long before it; 0: of an instant */
};

struct site_miner {
	const char *name;
	const struct miner_driver *driver;
	struct miner_conf conf;
	int64_t every_ms;
};

struct site_told { bool sleep, wake, power; };  /* whether the file declares how it follows; else that is typical of the driver */

struct site_conf {                      /* lent for the life of the site, with all it points at */
	const char *name;
	struct policy_conf policy;      /* meters and miners stand in the same order there and here */
	const struct site_meter *meters;
	const struct site_miner *miners;
	const char *const *miner_groups;        /* names, as in policy.miner_groups */
	const struct site_told *told;   /* of each group of miners; NULL: all of it */
	bool dry_run;
};

struct site_rooms {                     /* lent for the life of the site */
	const struct clock *clock;      /* to date what devices answer between two steps */
	struct meter_room *meters;
	struct miner_room *miners;
	struct sink *sink;
	struct alarms *alarms;
	struct signals *signals;
	struct plan *plan;              /* NULL: no notices are taken */
};

struct site;

struct site_user {
	void *self;
	void (*on_changed)(void *self);         /* from the loop: the site's meter has spoken, step at once */
	void (*on_closed)(void *self);          /* ends what site_close began: the site is gone */
};
struct site *site_new(const struct site_conf *, const struct site_rooms *, struct site_user, struct instant now);
/* Before the start: takes over what `old` knows of meters of the same name and host, of miners at the same host and port, of
 * groups of the same name, its load history, counters and decisions, and the orders that it has no answer to. */
void site_adopt(struct site *, const struct site *old);
struct recalled { size_t groups, miners; int64_t peak_w; };     /* of how many something is known; the load's highest, 0: not */
/* Before the start: goes on where an earlier run ended. */
struct recalled site_recall(struct site *, struct instant now, const struct kept *);
/* What is worth keeping, numbers beyond the newest decision's not reserved; its texts are lent for as long as the site's
 * conf. kept_free ends it. */
void site_keep(const struct site *, struct instant now, struct kept *);
uint64_t site_seq(const struct site *);                 /* of the newest decision; 0: none */
void site_start(struct site *, struct instant now);    /* opens every device */
/* Before the close at the end of the process, after the last step: what is asked of the GPU side is withdrawn. */
void site_leave(struct site *, struct instant now);
void site_close(struct site *);                        /* after the start: closes every device, then frees the site */

/* Polls who is due. Returns when to call again, monotonic. */
int64_t site_poll(struct site *, struct instant now);
/* Polls who is due, freezes a snapshot, steps the policy, hands out orders, tells about it. */
void site_step(struct site *, struct instant now);
/* A message came that may change what is wanted: its time is the cause of the next decision. */
void site_prompted(struct site *, struct instant now);

bool site_busy(const struct site *);                    /* orders not yet answered by their miners */
const struct decision *site_last_step(const struct site *);

/* For mulletctl; JSON lines. */
void site_status_json(const struct site *, struct instant now, struct json *);          /* one open object, members only */
void site_meters_json(const struct site *, struct instant now, struct json *);
bool site_miners_json(const struct site *, const char *group, struct instant now, struct json *);       /* NULL: all */
void site_groups_json(const struct site *, struct instant now, struct json *);
void site_decisions_json(const struct site *, size_t n, struct json *);

#endif
