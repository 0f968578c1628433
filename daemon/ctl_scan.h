/* daemon/ctl_scan.h - looks through a list of addresses for miners: at a bounded rate, only so many at a time. */
#ifndef DAEMON_CTL_SCAN_H
#define DAEMON_CTL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <uv.h>

#include "drivers/cgminer_probe.h"

#define SCAN_TICK_MS 20

struct scan_conf {                      /* lent for the life of the scan */
	const char *const *hosts;
	size_t n;
	uint16_t port;
	uint32_t rate_per_s;            /* most addresses begun in any second, at least 1 */
	uint32_t timeout_ms;            /* of one exchange */
	uint32_t most_at_once;
};

/* How many may begin now: those that have come due since the last call, never more than two ticks bring. Pure. */
struct pace { int64_t last_ms; int64_t credit; };       /* thousandths of an address; zero to start */
uint32_t pace_due(struct pace *, uint32_t rate_per_s, int64_t now_ms);

struct scan_user {                      /* called from the loop, never from inside a call to the scan */
	void *self;
	void (*on_found)(void *self, size_t host, enum fault, const struct miner_identity *);  /* not where it is silent */
	void (*on_tick)(void *self);    /* each SCAN_TICK_MS */
	void (*on_closed)(void *self);  /* all are asked, or it was stopped; the scan is gone */
};

struct probing;
struct scan {
	struct scan_user user;
	struct scan_conf conf;
	struct pace pace;
	struct miner_room *room;
	uv_timer_t tick;
	size_t n_begun, n_ended;        /* of conf.n */
	size_t under_way, most_under_way;       /* the latter: so far */
	bool stopping;
	LIST_HEAD(, probing) probes;
};

void scan_open(struct scan *, uv_loop_t *, const struct scan_conf *, struct scan_user);
void scan_stop(struct scan *);          /* breaks off; may be called again */

#endif
