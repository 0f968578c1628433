/* What the daemon remembers over a restart: when it is written, and how it is taken up again. */
#include <limits.h>
#include <stdio.h>

#include "daemon/log.h"
#include "daemon/service.h"
#include "daemon/xalloc.h"

#define LOOK_MS 5000
#define KEEP_MS (2 * 60000)             /* at least this between two writes … */
#define BLOCK   1000                    /* … but for numbers of decisions: so many are reserved at a time; … */
#define SOON_MS 1000                    /* … and for orders, but no sooner, … */
#define DISK_BYTES_PER_MS 100           /* … nor, for set points, with more than this for long: they may come every 4 s */

static struct instant now(void)
{
	return system_clock.now(&system_clock);
}

/* ---- writing ---- */

static bool keeps(const struct service *service)
{
	return service->state_file.path && !service->conf->dry_run;
}

/* With the orders as they are now; ends `kept`. */
static char *text_with_orders(const struct service *service, struct kept *kept)
{
	struct json json = { 0 };
	signals_keep(service->signals, now(), &kept->orders);
	kept_format(kept, service->wired->site.name, &json);
	kept_free(kept);
	return json.text;
}

static char *text_of(const struct service *service, uint64_t *reserved)
{
	struct kept kept;
	site_keep(service->site, now(), &kept);
	*reserved = kept.seq_reserved += BLOCK;
	return text_with_orders(service, &kept);
}

static void on_written(void *self, int error)
{
	struct service *service = self;
	const char *path = service->state_file.path;
	if (!error) {
		service->seq_reserved = service->seq_asked;
	} else {
		free(service->kept_text);       /* the same is not on the disk */
		service->kept_text = NULL;
		service->orders_kept.others = UINT64_MAX;
	}
	if (error && service->stopping)
		log_error("%s: cannot be written: %s", path, uv_strerror(error));
	else if (error)
		alarms_raise(service->alarms, "state_file", SEVERITY_WARNING, path, now(),
		             "cannot be written: %s; a restart will not know what was learned and ordered", uv_strerror(error));
	else if (!service->stopping)
		alarms_clear(service->alarms, "state_file", now());
}

static void write_down(struct service *service, char *text, uint64_t reserved, int64_t now_ms)
{
	service->seq_asked = reserved;
	service->kept_ms = now_ms;
	service->orders_kept = signals_changes(service->signals);
	service->operated = false;
	free(service->kept_text);
	service->kept_text = text;
	state_file_write(&service->state_file, text, strlen(text));
}

/* Somebody has seen to it. */
static void on_aside_looked(uv_fs_t *look)
{
	struct service *service = look->data;
	bool gone = look->result == UV_ENOENT;
	uv_fs_req_cleanup(look);
	service->aside_looking = false;
	if (!gone || service->stopping)
		return;
	free(service->aside);
	service->aside = NULL;
	alarms_clear(service->alarms, "state_discarded", now());
}

static void look_aside(struct service *service)
{
	if (!service->aside || service->aside_looking)
		return;
	service->aside_look.data = service;
	service->aside_looking = uv_fs_stat(&service->loop, &service->aside_look, service->aside, on_aside_looked) == 0;
}

/* A number that was given is never given again, whenever the power fails: those up to the reserved one count as given.
 * Should the disk not take it for so long that all of them are, decisions do not wait for it. */
static void on_keep_timer(uv_timer_t *timer)
{
	struct service *service = timer->data;
	int64_t now_ms = now().mono_ms;
	if (!service->stopping)
		look_aside(service);
	bool short_of_numbers = site_seq(service->site) + BLOCK / 2 > service->seq_reserved;
	bool due = short_of_numbers || now_ms - service->kept_ms >= KEEP_MS;
	if (service->stopping || !due || state_file_busy(&service->state_file))
		return;
	uint64_t reserved;
	char *text = text_of(service, &reserved);
	if (!short_of_numbers && service->kept_text && !strcmp(text, service->kept_text))
		free(text);
	else
		write_down(service, text, reserved, now_ms);
}

/* Set points that come every few seconds are to write no more than the disk is given; a limit does not wait for them. */
static bool is_due(const struct service *service, int64_t now_ms)
{
	struct signals_changes changes = signals_changes(service->signals);
	if (service->kept_ms && now_ms - service->kept_ms < SOON_MS)
		return false;
	if (service->operated || changes.others != service->orders_kept.others)
		return true;
	int64_t disk_ms = service->kept_text ? (int64_t)strlen(service->kept_text) / DISK_BYTES_PER_MS : 0;
	return changes.setpoints != service->orders_kept.setpoints &&
	       (!service->orders_kept_ms || now_ms - service->orders_kept_ms >= disk_ms);
}

void service_keep_orders(struct service *service)
{
	int64_t now_ms = now().mono_ms;
	if (!keeps(service) || service->stopping || state_file_busy(&service->state_file) ||
	    !is_due(service, now_ms))
		return;
	uint64_t reserved;
	service->orders_kept_ms = now_ms;
	char *text = text_of(service, &reserved);
	write_down(service, text, reserved, now_ms);
}

void service_keep_site(struct service *service)
{
	if (keeps(service))
		site_keep(service->site, now(), &service->left);
}

/* On the pool, too: the loop lives until it is done. */
void service_keep(struct service *service)
{
	uint64_t reserved = service->left.seq_reserved;
	if (keeps(service))
		write_down(service, text_with_orders(service, &service->left), reserved, now().mono_ms);
}

/* ---- reading ---- */

/* False where the old file could not be saved from being overwritten. A dry run is to leave it where it is. */
static bool put_aside(struct service *service, const char *why)
{
	char to[PATH_MAX] = "";
	const char *path = service->state_file.path;
	if (service->conf->dry_run) {
		log_warning("%s: ignored, %s", path, why);
		return true;
	}
	int rc = state_file_put_aside(&service->state_file, to, sizeof(to));
	if (rc)
		alarms_raise(service->alarms, "state_discarded", SEVERITY_WARNING, path, now(),
		             "ignored, %s; it cannot be put aside (%s), so nothing is written", why, uv_strerror(rc));
	else
		alarms_raise(service->alarms, "state_discarded", SEVERITY_WARNING, path, now(),
		             "ignored, and kept as %s; all is learned anew: %s", to, why);
	service->aside = rc ? NULL : xstrdup(to);
	return rc == 0;
}

static void recall_orders(struct service *service, const struct kept_orders *orders)
{
	const char *path = service->state_file.path;
	struct signals_recalled recalled = signals_recall(service->signals, orders, now());
	service->orders_kept = signals_changes(service->signals);
	if (orders->fault)
		log_error("%s: of its orders %zu cannot be read and are ignored: %s", path, orders->n_lost, orders->fault);
	if (orders->n)
		log_notice("%s: %zu orders go on, %zu ended meanwhile, %zu have no signal or no room now", path, recalled.alive,
		           recalled.ended, recalled.lost);
}

/* What is wrong with a number of the miners is no reason to wake them against an order. */
static void recall_orders_alone(struct service *service, const char *text, size_t len)
{
	struct kept kept;
	if (!kept_parse_orders(text, len, service->wired->site.name, &kept)) {
		log_warning("%s: what was ordered before is not known", service->state_file.path);
		return;
	}
	recall_orders(service, &kept.orders);
	kept_free(&kept);
}

static bool recall_text(struct service *service, const char *text, size_t len)
{
	struct kept kept;
	char why[256];
	if (!kept_parse(text, len, service->wired->site.name, &kept, why, sizeof(why))) {
		recall_orders_alone(service, text, len);
		return put_aside(service, why);
	}
	struct recalled known = site_recall(service->site, now(), &kept);
	log_notice("%s: knows %zu of %zu groups of miners, and how worn %zu miners are; decisions go on after %llu",
	           service->state_file.path, known.groups, service->wired->site.policy.n_miner_groups, known.miners,
	           (unsigned long long)kept.seq_reserved);
	if (known.peak_w)
		log_notice("%s: the load was up to %.3f MW lately, and rises as it did", service->state_file.path,
		           (double)known.peak_w / 1e6);
	if (known.groups < kept.n_groups)
		log_notice("%s: %zu groups have another driver or response now, or are gone: learned anew",
		           service->state_file.path, kept.n_groups - known.groups);
	recall_orders(service, &kept.orders);
	kept_free(&kept);
	return true;
}

static bool recall_file(struct service *service)
{
	char *text = NULL;
	size_t len = 0;
	int rc = state_file_read(&service->state_file, KEPT_BYTES, &text, &len);
	if (rc == UV_ENOENT)
		return true;
	if (rc)
		return put_aside(service, uv_strerror(rc));
	bool may_write = recall_text(service, text, len);
	free(text);
	return may_write;
}

void service_recall(struct service *service)
{
	if (!service->conf->state) {
		log_notice("neither --state nor $STATE_DIRECTORY: a restart will not know what was learned of the miners, and ordered");
		return;
	}
	state_file_init(&service->state_file, &service->loop, service->conf->state,
	                (struct state_file_user){ service, on_written });
	if (!recall_file(service))
		state_file_free(&service->state_file);
	/* A dry run learns next to nothing, and may stand beside the daemon whose file it is. */
	else if (!service->conf->dry_run)
		uv_timer_start(&service->keep_timer, on_keep_timer, 0, LOOK_MS);
}
