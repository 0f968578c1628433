/* What the daemon remembers over a restart: when it is written, and how it is taken up again. */
#include <limits.h>
#include <stdio.h>

#include "daemon/log.h"
#include "daemon/service.h"
#include "daemon/xalloc.h"

#define LOOK_MS 5000
#define KEEP_MS (2 * 60000)             /* at least this between two writes of what is learned … */
#define BLOCK   1000                    /* … but for numbers of decisions: so many are reserved at a time */
#define SOON_MS 1000                    /* between two writes of orders, … */
#define DISK_BYTES_PER_MS 100           /* … or longer, where that is more than this for long */

static struct instant now(void)
{
	return system_clock.now(&system_clock);
}

/* ---- writing ---- */

static bool keeps(const struct service *service, const struct kept_file *kept)
{
	return kept->file.path && !service->conf->dry_run;
}

static char *text_of_learned(const struct service *service, uint64_t *reserved)
{
	struct kept kept;
	struct json json = { 0 };
	site_keep(service->site, now(), &kept);
	*reserved = kept.seq_reserved += BLOCK;
	kept_format(&kept, service->wired->site.name, &json);
	kept_free(&kept);
	return json.text;
}

static char *text_of_orders(const struct service *service)
{
	struct kept_orders orders;
	struct json json = { 0 };
	signals_keep(service->signals, now(), &orders);
	kept_format_orders(&orders, service->wired->site.name, &json);
	kept_orders_free(&orders);
	return json.text;
}

static void write_down(struct kept_file *kept, char *text)
{
	kept->written_ms = now().mono_ms;
	free(kept->text);
	kept->text = text;
	state_file_write(&kept->file, text, strlen(text));
}

static void write_learned(struct service *service, char *text, uint64_t reserved)
{
	service->seq_asked = reserved;
	write_down(&service->learned, text);
}

static void write_orders(struct service *service)
{
	struct kept_file *kept = &service->orders;
	char *text = text_of_orders(service);
	service->orders_kept = signals_changes(service->signals);
	if (kept->text && !strcmp(text, kept->text)) {
		kept->written_ms = now().mono_ms;
		free(text);
	} else {
		write_down(kept, text);
	}
}

/* Somebody has seen to it. */
static void on_looked(uv_fs_t *look)
{
	struct kept_file *kept = look->data;
	bool gone = look->result == UV_ENOENT;
	uv_fs_req_cleanup(look);
	kept->looking = false;
	if (!gone || kept->service->stopping)
		return;
	free(kept->aside);
	kept->aside = NULL;
	alarms_clear(kept->service->alarms, kept->discarded, now());
}

static void look_aside(struct kept_file *kept)
{
	if (!kept->aside || kept->looking)
		return;
	kept->look.data = kept;
	kept->looking = uv_fs_stat(&kept->service->loop, &kept->look, kept->aside, on_looked) == 0;
}

/* A number that was given is never given again, whenever the power fails: those up to the reserved one count as given.
 * Should the disk not take it for so long that all of them are, decisions do not wait for it. The first time orders go
 * before it, for an earlier version had them in the same file. */
static void keep_learned(struct service *service)
{
	struct kept_file *kept = &service->learned;
	bool short_of_numbers = site_seq(service->site) + BLOCK / 2 > service->seq_reserved;
	bool due = short_of_numbers || !kept->text || now().mono_ms - kept->written_ms >= KEEP_MS;
	if (!keeps(service, kept) || !due || state_file_busy(&kept->file) ||
	    (!kept->text && state_file_busy(&service->orders.file)))
		return;
	uint64_t reserved;
	char *text = text_of_learned(service, &reserved);
	if (!short_of_numbers && kept->text && !strcmp(text, kept->text))
		free(text);
	else
		write_learned(service, text, reserved);
}

/* What came of them changes all the time: that may be as old as what is learned. */
static bool orders_due(const struct service *service)
{
	const struct kept_file *kept = &service->orders;
	int64_t since_ms = now().mono_ms - kept->written_ms;
	int64_t disk_ms = kept->text ? (int64_t)strlen(kept->text) / DISK_BYTES_PER_MS : 0;
	if (kept->written_ms && since_ms < (disk_ms > SOON_MS ? disk_ms : SOON_MS))
		return false;
	return !kept->text || signals_changes(service->signals) != service->orders_kept || since_ms >= KEEP_MS;
}

void service_keep_orders(struct service *service)
{
	const struct kept_file *kept = &service->orders;
	if (keeps(service, kept) && !service->stopping && !state_file_busy(&kept->file) && orders_due(service))
		write_orders(service);
}

static void on_keep_timer(uv_timer_t *timer)
{
	struct service *service = timer->data;
	if (service->stopping)
		return;
	look_aside(&service->learned);
	look_aside(&service->orders);
	keep_learned(service);
}

static void on_written(void *self, int error)
{
	struct kept_file *kept = self;
	struct service *service = kept->service;
	const char *path = kept->file.path;
	if (error) {
		free(kept->text);
		kept->text = NULL;
	} else if (kept == &service->learned) {
		service->seq_reserved = service->seq_asked;
	}
	if (error && service->stopping)
		log_error("%s: cannot be written: %s", path, uv_strerror(error));
	else if (error)
		alarms_raise(service->alarms, kept->unwritten, SEVERITY_WARNING, path, now(),
		             "cannot be written: %s; a restart will not know what was %s", uv_strerror(error), kept->what);
	else if (!service->stopping)
		alarms_clear(service->alarms, kept->unwritten, now());
	if (kept == &service->orders && !service->learned.text && !service->stopping)
		keep_learned(service);
}

void service_keep_site(struct service *service)
{
	if (keeps(service, &service->learned))
		site_keep(service->site, now(), &service->left);
}

/* On the pool, too: the loop lives until it is done. */
void service_keep(struct service *service)
{
	struct json json = { 0 };
	if (keeps(service, &service->orders))
		write_orders(service);
	if (!keeps(service, &service->learned))
		return;
	uint64_t reserved = service->left.seq_reserved;
	kept_format(&service->left, service->wired->site.name, &json);
	kept_free(&service->left);
	write_learned(service, json.text, reserved);
}

bool service_keep_busy(const struct service *service)
{
	return state_file_busy(&service->learned.file) || state_file_busy(&service->orders.file);
}

static void close_file(struct kept_file *kept)
{
	state_file_free(&kept->file);
	free(kept->text);
	free(kept->aside);
}

void service_keep_free(struct service *service)
{
	close_file(&service->learned);
	close_file(&service->orders);
}

/* ---- reading ---- */

/* Where it could not be saved from being overwritten, nothing is written. A dry run is to leave it where it is. */
static void put_aside(struct kept_file *kept, const char *why)
{
	char to[PATH_MAX] = "";
	struct service *service = kept->service;
	const char *path = kept->file.path;
	if (service->conf->dry_run) {
		log_warning("%s: ignored, %s", path, why);
		return;
	}
	int rc = state_file_put_aside(&kept->file, to, sizeof(to));
	if (rc)
		alarms_raise(service->alarms, kept->discarded, SEVERITY_WARNING, path, now(),
		             "ignored, %s; it cannot be put aside (%s), so nothing is written", why, uv_strerror(rc));
	else
		alarms_raise(service->alarms, kept->discarded, SEVERITY_WARNING, path, now(),
		             "ignored, and kept as %s; what was %s before is not known: %s", to, kept->what, why);
	if (rc)
		state_file_free(&kept->file);
	else
		kept->aside = xstrdup(to);
}

/* NULL: there is none, or none that can be read. */
static char *read_file(struct kept_file *kept)
{
	char *text = NULL;
	size_t len;
	int rc = state_file_read(&kept->file, KEPT_BYTES, &text, &len);
	if (!rc && strlen(text) != len)
		rc = UV_EILSEQ;
	if (rc && rc != UV_ENOENT)
		put_aside(kept, uv_strerror(rc));
	if (rc)
		free(text);
	return rc ? NULL : text;
}

static void recall_learned(struct service *service, const char *text)
{
	struct kept kept;
	char why[256];
	const char *path = service->learned.file.path;
	if (!kept_parse(text, strlen(text), service->wired->site.name, &kept, why, sizeof(why))) {
		put_aside(&service->learned, why);
		return;
	}
	struct recalled known = site_recall(service->site, now(), &kept);
	log_notice("%s: knows %zu of %zu groups of miners, and how worn %zu miners are; decisions go on after %llu",
	           path, known.groups, service->wired->site.policy.n_miner_groups, known.miners,
	           (unsigned long long)kept.seq_reserved);
	if (known.peak_w)
		log_notice("%s: the load was up to %.3f MW lately, and rises as it did", path, (double)known.peak_w / 1e6);
	if (known.groups < kept.n_groups)
		log_notice("%s: %zu groups have another driver or response now, or are gone: learned anew", path,
		           kept.n_groups - known.groups);
	kept_free(&kept);
}

static void recall_orders(struct service *service, const char *path, const char *text)
{
	struct kept kept;
	char why[256];
	if (!kept_parse_orders(text, strlen(text), service->wired->site.name, &kept, why, sizeof(why))) {
		if (path == service->orders.file.path)
			put_aside(&service->orders, why);
		return;
	}
	const struct kept_orders *orders = &kept.orders;
	struct signals_recalled recalled = signals_recall(service->signals, orders, now());
	if (orders->fault)
		log_error("%s: of its orders %zu cannot be read and are ignored: %s", path, orders->n_lost, orders->fault);
	if (orders->n)
		log_notice("%s: %zu orders go on, %zu ended meanwhile, %zu have no signal or no room now", path, recalled.alive,
		           recalled.ended, recalled.lost);
	kept_free(&kept);
}

static void open_file(struct service *service, struct kept_file *kept, const char *name)
{
	kept->service = service;
	state_file_init(&kept->file, &service->loop, service->conf->state, name, (struct state_file_user){ kept, on_written });
}

/* Earlier versions had orders in the one file. */
static void recall_files(struct service *service)
{
	char *learned = read_file(&service->learned), *orders = read_file(&service->orders);
	if (orders)
		recall_orders(service, service->orders.file.path, orders);
	else if (learned)
		recall_orders(service, service->learned.file.path, learned);
	if (learned)
		recall_learned(service, learned);
	free(learned);
	free(orders);
}

void service_recall(struct service *service)
{
	if (!service->conf->state) {
		log_notice("neither --state nor $STATE_DIRECTORY: a restart will not know what was learned of the miners, and ordered");
		return;
	}
	service->learned = (struct kept_file){ .unwritten = "state_file", .discarded = "state_discarded", .what = "learned" };
	service->orders = (struct kept_file){ .unwritten = "orders_file", .discarded = "orders_discarded", .what = "ordered" };
	open_file(service, &service->learned, "state.json");
	open_file(service, &service->orders, "orders.json");
	recall_files(service);
	/* A dry run learns next to nothing, and may stand beside the daemon whose file it is. */
	if (!service->conf->dry_run)
		uv_timer_start(&service->keep_timer, on_keep_timer, 0, LOOK_MS);
}
