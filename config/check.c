#include <ctype.h>
#include <string.h>

#include "config/settings.h"

#define URL_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._~!$&'()*+,;=:@?%"

/* The value of KEY, if it was told and nothing is wrong with it. */
static const struct node *told(const struct node *map, const char *key)
{
	const struct node *node = node_child(map, key);
	return node && !node->bad ? node : NULL;
}

static bool bad(const struct node *map, const char *key)
{
	const struct node *node = node_child(map, key);
	return node && node->bad;
}

void site_finish(struct reading *r, struct node *map, void *owner)
{
	const struct config *config = owner;
	const struct node *cap = told(map, "cap"), *target = told(map, "target"), *reserve = told(map, "reserve");
	if (cap && target && config->target_w != POLICY_NONE && config->target_w > config->cap_w)
		reading_fault(r, target->at, "target", "%s is above the cap; at most %s will do", target->text, cap->text);
	if (cap && reserve && config->reserve_w != POLICY_NONE && config->reserve_w >= config->cap_w)
		reading_fault(r, reserve->at, "reserve", "%s leaves nothing under the cap; less than %s will do",
		              reserve->text, cap->text);
}

static const char **device_names(struct reading *r, const char *group, size_t n)
{
	const char **names = arena_take(r->memory, (n + 1) * sizeof *names);
	for (size_t i = 0; i < n; i++)
		names[i] = n == 1 ? group : arena_format(r->memory, "%s/%zu", group, i + 1);
	return names;
}

/* A reading must have ended before the next begins. */
static void timeout_check(struct reading *r, struct node *map, int64_t every_ms, int64_t timeout_ms, const char *preset)
{
	const struct node *every = told(map, "every"), *timeout = told(map, "timeout");
	if (bad(map, "every") || bad(map, "timeout") || timeout_ms <= every_ms)
		return;
	reading_fault(r, timeout ? timeout->at : every->at, timeout ? "timeout" : "every",
	              timeout ? "%s is longer than `every`, %s; that or less will do"
	                      : "%s is shorter than `timeout`, %s; that or more will do",
	              timeout ? timeout->text : every->text, !timeout || !every ? preset : every->text);
}

static uint16_t default_port(const char *driver)
{
	if (driver && strcmp(driver, "prometheus") == 0)
		return 9400;
	return driver && strcmp(driver, "snmp") == 0 ? 161 : 502;
}

/* How long ago what a reading shows may have been, besides its own age: only a page of metrics has such a delay. */
static int64_t late_ms(const struct meter_group_conf *group)
{
	return group->prometheus.at.line ? group->prometheus.collected_every_ms + group->prometheus.averaged_over_ms : 0;
}

static void stale_check(struct reading *r, struct node *map, const struct meter_group_conf *group)
{
	const struct node *stale = told(map, "stale_after"), *page = node_child(map, "prometheus");
	int64_t least_ms = group->every_ms + group->timeout_ms + late_ms(group);
	if (!stale || bad(map, "every") || bad(map, "timeout") ||
	    (page && (page->bad || bad(page, "collected_every") || bad(page, "averaged_over"))) ||
	    group->timeout_ms > group->every_ms || group->stale_after_ms >= least_ms)
		return;
	reading_fault(r, stale->at, "stale_after", "%s is shorter than `every` and `timeout` %stogether, %lld ms: "
	              "a healthy meter would be stale; that or more will do", stale->text,
	              late_ms(group) ? "and prometheus `collected_every` and `averaged_over` " : "", (long long)least_ms);
}

/* A serial line is a file, all else is asked over the network. */
static void files_check(struct reading *r, const struct node *map, const char *driver, const char **hosts, size_t n)
{
	const struct node *host = told(map, "host");
	bool serial = driver && strcmp(driver, "modbus-rtu") == 0;
	for (size_t i = 0; host && i < n; i++) {
		if (serial == (hosts[i][0] == '/'))
			continue;
		reading_fault(r, host->at, "host", serial ? "%s is not a serial line; its file, such as /dev/ttyUSB0, belongs here"
		              : driver ? "%s is a file; an address or a name belongs here, and a serial line to driver: modbus-rtu"
		              : "%s is a file; an address or a name belongs here", shown(r->memory, hosts[i]));
		return;
	}
}

/* Beside the site's value is held what the miners drew when it was measured; when that was matters of no other. */
static void averaged_check(struct reading *r, struct node *map, const struct meter_group_conf *group)
{
	const struct node *averaged = told(map, "averaged_over");
	if (!averaged)
		return;
	if (node_child(map, "prometheus"))
		reading_fault(r, averaged->at, "averaged_over", "a page of metrics has that in `prometheus`");
	else if (told(map, "measures") && group->measures != MEASURES_SITE)
		reading_fault(r, averaged->at, "averaged_over", "it is for what measures the site; leave it out here");
}

void meter_finish(struct reading *r, struct node *map, void *owner)
{
	struct meter_group_conf *group = owner;
	const struct node *measures = told(map, "measures");
	group->names = device_names(r, group->name, group->n_hosts);
	group->backup_of_index = -1;
	group->parity = (char)toupper((unsigned char)group->parity);
	if (group->port == 0)
		group->port = default_port(group->driver);
	if (group->timeout_ms == 0)
		group->timeout_ms = group->every_ms < 1000 ? group->every_ms : 1000;
	if (group->stale_after_ms == 0)
		group->stale_after_ms = (group->every_ms * 3 > 2000 ? group->every_ms * 3 : 2000) + late_ms(group);
	timeout_check(r, map, group->every_ms, group->timeout_ms, "1 s");
	stale_check(r, map, group);
	averaged_check(r, map, group);
	if (told(map, "driver"))
		files_check(r, map, group->driver, group->hosts, group->n_hosts);
	if (measures && group->measures != MEASURES_SITE && !node_child(map, "backup_of") && !node_child(map, "nameplate"))
		reading_fault(r, map->key_at, "nameplate", "missing; it is needed where not the site is measured: "
		              "what one of them is taken to draw while it is silent");
}

static bool is_metric(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
	return n > 0 && n <= 200 && !name[n] && !isdigit((unsigned char)*name);
}

static double in_watts(char unit)
{
	return unit == 'k' ? 1e3 : unit == 'M' ? 1e6 : unit == 'm' ? 1e-3 : 1;
}

void prometheus_finish(struct reading *r, struct node *map, void *owner)
{
	struct prometheus_conf *page = owner;
	const struct node *metric = told(map, "metric"), *path = told(map, "path"), *ca = told(map, "ca");
	page->at = map->key_at;
	page->scale *= in_watts(page->unit);
	if (metric && !is_metric(page->metric))
		reading_fault(r, metric->at, "metric", "%s is not the name of a metric; letters, digits, _ and : will do, no digit "
		              "first", shown(r->memory, metric->text));
	if (path && (*page->path != '/' || strspn(page->path, URL_LETTERS) != strlen(page->path)))
		reading_fault(r, path->at, "path", "%s is not the path of a URL; one such as /metrics belongs here",
		              shown(r->memory, path->text));
	if (ca && !bad(map, "scheme") && !page->https)
		reading_fault(r, ca->at, "ca", "only with scheme: https; leave it out");
}

/* Between asleep and nominal; and no times for what it is never told. */
static void partial_check(struct reading *r, const struct node *map, const struct miner_group_conf *group)
{
	static const char *const power_only[] = {"power_delay", "power_ramp"};
	const struct node *partial = told(map, "partial"), *nominal = node_child(map, "nominal"), *response = node_child(map, "response");
	for (size_t i = 0; i < 2 && !node_child(map, "partial"); i++) {
		const struct node *node = response ? node_child(response, power_only[i]) : NULL;
		if (node)
			reading_fault(r, node->key_at, arena_format(r->memory, "response.%s", power_only[i]),
			              "only with partial, the least power of a miner that hashes; leave it out");
	}
	if (!partial)
		return;
	if (!nominal)
		reading_fault(r, map->key_at, "nominal", "missing; it is needed with partial: the full power of one miner");
	else if (!nominal->bad && group->partial_w >= group->nominal_w)
		reading_fault(r, partial->at, "partial", "%s is not less than the nominal %s; less will do", partial->text,
		              nominal->text);
	if (!bad(map, "asleep") && group->partial_w <= group->asleep_w)
		reading_fault(r, partial->at, "partial", "%s is not more than what it draws asleep, %s; more will do", partial->text,
		              node_child(map, "asleep") ? node_child(map, "asleep")->text : "25 W");
}

static void circuit_check(struct reading *r, const struct node *map)
{
	const struct node *feeder = node_child(map, "feeder");
	if (feeder && node_child(map, "per_circuit"))
		reading_fault(r, feeder->key_at, "feeder", "per_circuit tells of circuits already; one of the two will do");
}

void miner_finish(struct reading *r, struct node *map, void *owner)
{
	struct miner_group_conf *group = owner;
	const struct node *asleep = node_child(map, "asleep"), *nominal = told(map, "nominal");
	group->names = device_names(r, group->name, group->n_hosts);
	group->steer_told = node_child(map, "steer");
	circuit_check(r, map);
	files_check(r, map, NULL, group->hosts, group->n_hosts);
	timeout_check(r, map, group->every_ms, group->timeout_ms, node_child(map, "every") ? "3 s" : "30 s");
	if (nominal && !bad(map, "asleep") && group->asleep_w >= group->nominal_w)
		reading_fault(r, asleep ? asleep->at : nominal->at, asleep ? "asleep" : "nominal",
		              asleep ? "%s is not less than the nominal %s; less will do"
		                     : "%s is not more than what it draws asleep, %s; more will do",
		              asleep ? asleep->text : nominal->text, asleep ? nominal->text : "25 W");
	partial_check(r, map, group);
}

void tls_finish(struct reading *r, struct node *map, void *owner)
{
	static const char *const both[] = {"cert", "key"};
	(void)owner;
	for (size_t i = 0; i < 2; i++)
		if (node_child(map, both[i]) && !node_child(map, both[1 - i]))
			reading_fault(r, map->key_at, both[1 - i], "missing; it is needed with %s", both[i]);
}

void mqtt_finish(struct reading *r, struct node *map, void *owner)
{
	struct mqtt_conf *mqtt = owner;
	mqtt->present = true;
	mqtt->at = map->key_at;
	if (mqtt->port == 0)
		mqtt->port = node_child(map, "tls") ? 8883 : 1883;
	if (node_child(map, "password_file") && !node_child(map, "username"))
		reading_fault(r, map->key_at, "username", "missing; it is needed with password_file");
}

void signal_finish(struct reading *r, struct node *map, void *owner)
{
	const struct signal_conf *signal = owner;
	if (!told(map, "format"))
		return;
	if (signal->format == SIGNAL_TARGET && !node_child(map, "topic"))
		reading_fault(r, map->key_at, "topic", "missing; it is needed with format target: where it speaks");
	static const char *const target_only[] = {"stale_after", "when_stale"};
	for (size_t i = 0; i < 2; i++) {
		const struct node *node = node_child(map, target_only[i]);
		if (signal->format == SIGNAL_ORDER && node)
			reading_fault(r, node->key_at, target_only[i],
			              "only for format target; an order says itself how long it holds: leave it out");
	}
}
