#include "daemon/ctl_scan.h"

#include "daemon/xalloc.h"

struct probing {
	LIST_ENTRY(probing) link;
	struct scan *scan;
	struct cgminer_probe probe;
	size_t host;
	bool closing;
};

uint32_t pace_due(struct pace *pace, uint32_t rate_per_s, int64_t now_ms)
{
	int64_t most = (int64_t)rate_per_s * 2 * SCAN_TICK_MS + 999;    /* and the part of one that was left over */
	if (pace->last_ms)
		pace->credit += (now_ms - pace->last_ms) * rate_per_s;
	if (pace->credit > most)
		pace->credit = most;
	pace->last_ms = now_ms;
	uint32_t due = (uint32_t)(pace->credit / 1000);
	pace->credit -= (int64_t)due * 1000;
	return due;
}

static void tick_closed(uv_handle_t *handle)
{
	struct scan *scan = handle->data;
	scan->user.on_closed(scan->user.self);
}

static void end_if_done(struct scan *scan)
{
	bool done = scan->stopping || scan->n_ended == scan->conf.n;
	if (!done || scan->under_way > 0 || uv_is_closing((uv_handle_t *)&scan->tick))
		return;
	miner_room_close(scan->room);
	uv_close((uv_handle_t *)&scan->tick, tick_closed);
}

static void close_probe(struct probing *probing)
{
	if (probing->closing)
		return;
	probing->closing = true;
	cgminer_probe_close(&probing->probe);
}

static void on_probed(void *self, enum fault fault, const struct miner_identity *identity)
{
	struct probing *probing = self;
	struct scan *scan = probing->scan;
	scan->n_ended++;
	if (fault != FAULT_SILENT)
		scan->user.on_found(scan->user.self, probing->host, fault, identity);
	close_probe(probing);
}

static void on_probe_closed(void *self)
{
	struct probing *probing = self;
	struct scan *scan = probing->scan;
	LIST_REMOVE(probing, link);
	scan->under_way--;
	free(probing);
	end_if_done(scan);
}

static void begin(struct scan *scan)
{
	struct probing *probing = xcalloc(1, sizeof(*probing));
	probing->scan = scan;
	probing->host = scan->n_begun++;
	LIST_INSERT_HEAD(&scan->probes, probing, link);
	if (++scan->under_way > scan->most_under_way)
		scan->most_under_way = scan->under_way;
	cgminer_probe_open(&probing->probe, scan->room, scan->conf.hosts[probing->host], scan->conf.port,
	                   scan->conf.timeout_ms, (struct cgminer_probe_user){ probing, on_probed, on_probe_closed });
}

static void on_tick(uv_timer_t *tick)
{
	struct scan *scan = tick->data;
	uint32_t due = pace_due(&scan->pace, scan->conf.rate_per_s, (int64_t)uv_now(tick->loop));
	while (due-- > 0 && !scan->stopping && scan->n_begun < scan->conf.n && scan->under_way < scan->conf.most_at_once)
		begin(scan);
	scan->user.on_tick(scan->user.self);
	end_if_done(scan);
}

void scan_open(struct scan *scan, uv_loop_t *loop, const struct scan_conf *conf, struct scan_user user)
{
	*scan = (struct scan){ .user = user, .conf = *conf };
	LIST_INIT(&scan->probes);
	scan->room = miner_room_open(loop, 2 * conf->most_at_once);     /* polls, as these are, get half of them */
	uv_timer_init(loop, &scan->tick);
	scan->tick.data = scan;
	uv_timer_start(&scan->tick, on_tick, 0, SCAN_TICK_MS);
}

void scan_stop(struct scan *scan)
{
	struct probing *probing;
	scan->stopping = true;
	LIST_FOREACH(probing, &scan->probes, link)
		close_probe(probing);
}
