#include "daemon/wire.h"

#include <stdio.h>
#include <string.h>

#include "daemon/xalloc.h"
#include "daemon/wire_circuits.h"
#include "daemon/wire_snmp.h"
#include "drivers/prometheus.h"

#define MINER_STALE_POLLS 3
#define SURE_TIMES        3             /* a meter that shows so many times what can be is not believed */

/* ---- meters ---- */

static void check_register(const struct register_conf *conf, const char *path, const char *quantity,
                           struct fault_list *faults)
{
	char where[160];
	if (!conf->type[0] || register_type_named(conf->type) != REGISTER_NONE)
		return;
	snprintf(where, sizeof(where), "%s.%s.type", path, quantity);
	fault_list_add(faults, conf->at, where, "no such type \"%s\"; there are %s", conf->type, register_type_names());
}

static struct register_field field_of(const struct register_conf *conf)
{
	return (struct register_field){
		.type = conf->type[0] ? register_type_named(conf->type) : REGISTER_NONE,
		.function = conf->function, .address = conf->address, .low_word_first = conf->low_word_first,
		.absent = (uint8_t)((conf->absent_all_ones ? ABSENT_ALL_ONES : 0) |
		                    (conf->absent_largest ? ABSENT_LARGEST : 0) |
		                    (conf->absent_smallest ? ABSENT_SMALLEST : 0)),
		.scale = conf->scale,
	};
}

static struct register_map map_of(const struct register_map_conf *conf)
{
	return (struct register_map){
		.power = field_of(&conf->power), .energy = field_of(&conf->energy),
		.frequency = field_of(&conf->frequency), .max_read = conf->max_read, .no_gaps = conf->no_gaps,
	};
}

_Static_assert(CONFIG_MAX_LABELS <= PROMETHEUS_MOST_LABELS, "what config takes must fit");
static struct prometheus_page page_of(const struct prometheus_conf *conf)
{
	struct prometheus_page page = {
		.query = { .metric = conf->metric, .n_labels = conf->n_labels, .expect = conf->expect, .scale = conf->scale },
		.path = conf->path, .https = conf->https, .ca = conf->ca,
		.collected_every_ms = conf->collected_every_ms, .averaged_over_ms = conf->averaged_over_ms,
	};
	for (size_t i = 0; i < conf->n_labels; i++)
		page.query.labels[i] = (struct prometheus_label){ conf->labels[i].name, conf->labels[i].value };
	return page;
}

/* What a driver reads must be told, and nothing that it does not. */
static void check_reads(const struct meter_group_conf *group, const struct meter_driver *driver, struct fault_list *faults)
{
	const struct { const char *key; struct mark at; enum meter_reads reads; const char *what; } parts[] = {
		{ "registers", group->registers_at, METER_READS_REGISTERS, "a map of the catalogue, or one in place" },
		{ "oids", group->oids_at, METER_READS_OIDS, "a map of the catalogue, or one in place" },
		{ "snmp", group->snmp.at, METER_READS_OIDS, "how the devices let us in, as in {version: 2c, community: public}" },
		{ "prometheus", group->prometheus.at, METER_READS_PAGE, "what to read of the page of metrics" },
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		char path[160];
		bool told = parts[i].at.line > 0, wanted = driver->reads == parts[i].reads;
		snprintf(path, sizeof(path), "meters.%s.%s", group->name, parts[i].key);
		if (wanted && !told)
			fault_list_add(faults, group->at, path, "missing; it is needed with driver: %s: %s", driver->name, parts[i].what);
		if (told && !wanted)
			fault_list_add(faults, parts[i].at, path, "driver: %s does not read it; leave it out", driver->name);
	}
}

static const struct meter_driver *check_meter_group(const struct meter_group_conf *group, struct fault_list *faults)
{
	char path[160];
	snprintf(path, sizeof(path), "meters.%s.driver", group->name);
	const struct meter_driver *driver = meter_driver_named(group->driver);
	if (!driver)
		fault_list_add(faults, group->driver_at, path, "no such driver \"%s\"; there are %s", group->driver,
		               meter_driver_names());
	if (driver && !driver->serial && (group->baud || group->parity)) {
		snprintf(path, sizeof(path), "meters.%s", group->name);
		fault_list_add(faults, group->at, path, "baud and parity belong to a serial line, driver: modbus-rtu; leave them out");
	}
	if (driver)
		check_reads(group, driver, faults);
	snprintf(path, sizeof(path), "meters.%s.registers", group->name);
	check_register(&group->registers.power, path, "power", faults);
	check_register(&group->registers.energy, path, "energy", faults);
	check_register(&group->registers.frequency, path, "frequency", faults);
	return driver;
}

/* A stand-in without a nameplate of its own is taken at what it stands in for. */
static int64_t nameplate_of(const struct config *config, const struct meter_group_conf *group)
{
	if (group->nameplate_w || group->backup_of_index < 0 || !group->n_hosts)
		return group->nameplate_w;
	const struct meter_group_conf *of = &config->meters[group->backup_of_index];
	return of->nameplate_w * (int64_t)of->n_hosts / (int64_t)group->n_hosts;
}

static int64_t most_of(const struct config *config, const struct meter_group_conf *group)
{
	int64_t nameplate_w = nameplate_of(config, group);
	return SURE_TIMES * (nameplate_w ? nameplate_w : config->cap_w);
}

static void wire_meters(struct wired *wired, struct fault_list *faults)
{
	const struct config *config = wired->config;
	size_t n = 0, at = 0;
	for (size_t g = 0; g < config->n_meters; g++)
		n += config->meters[g].n_hosts;
	struct site_meter *meters = xcalloc(n, sizeof(*meters));
	uint16_t *meter_group = xcalloc(n, sizeof(*meter_group));
	struct policy_meter_group *groups = xcalloc(config->n_meters, sizeof(*groups));
	wired->maps = xcalloc(config->n_meters, sizeof(*wired->maps));
	wired->pages = xcalloc(config->n_meters, sizeof(*wired->pages));
	wired->snmp = xcalloc(config->n_meters, sizeof(*wired->snmp));
	for (size_t g = 0; g < config->n_meters; g++) {
		const struct meter_group_conf *group = &config->meters[g];
		const struct meter_driver *driver = check_meter_group(group, faults);
		wired->maps[g] = map_of(&group->registers);
		wired->pages[g] = page_of(&group->prometheus);
		wire_snmp(&wired->snmp[g], group, faults);
		groups[g] = (struct policy_meter_group){
			.measures = group->measures, .backup_of = group->backup_of_index,
			.nameplate_w = nameplate_of(config, group), .stale_ms = group->stale_after_ms,
		};
		for (size_t h = 0; h < group->n_hosts; h++, at++) {
			meter_group[at] = (uint16_t)g;
			meters[at] = (struct site_meter){ group->names[h], driver, {
				.host = group->hosts[h], .port = group->port, .unit = group->unit,
				.timeout_ms = (uint32_t)group->timeout_ms, .map = &wired->maps[g], .most_w = most_of(config, group),
				.baud = group->baud, .parity = group->parity, .page = &wired->pages[g],
				.oids = &wired->snmp[g].map, .access = &wired->snmp[g].access },
				group->every_ms, group->averaged_over_ms };
		}
	}
	wired->site.meters = meters;
	wired->site.policy.meter_group = meter_group;
	wired->site.policy.meter_groups = groups;
	wired->site.policy.n_meters = n;
	wired->site.policy.n_meter_groups = config->n_meters;
}

/* ---- miners ---- */

static void check_wake(const struct miner_group_conf *group, const struct miner_driver *driver,
                       struct fault_list *faults)
{
	char path[160], words[160] = "";
	if (!group->wake)
		return;
	snprintf(path, sizeof(path), "miners.%s.wake", group->name);
	for (const char *const *w = driver->wakes; w && *w; w++) {
		if (!strcmp(*w, group->wake))
			return;
		size_t used = strlen(words);
		snprintf(words + used, sizeof(words) - used, "%s%s", used ? ", " : "", *w);
	}
	if (words[0])
		fault_list_add(faults, group->wake_at, path, "%s cannot wake \"%s\"; it knows %s", group->driver, group->wake,
		               words);
	else
		fault_list_add(faults, group->wake_at, path, "%s has no choice of how to wake; leave the key out",
		               group->driver);
}

static void check_partial(const struct miner_group_conf *group, const struct miner_driver *driver,
                          struct fault_list *faults)
{
	char path[160];
	if (!group->partial_w || driver->step_w)
		return;
	snprintf(path, sizeof(path), "miners.%s.partial", group->name);
	fault_list_add(faults, group->partial_at, path, "%s knows only on and off, no power in between; leave the key out",
	               group->driver);
}

static const struct miner_driver *check_miner_group(const struct miner_group_conf *group, struct fault_list *faults)
{
	char path[160];
	snprintf(path, sizeof(path), "miners.%s", group->name);
	const struct miner_driver *driver = miner_driver_named(group->driver);
	if (!driver) {
		snprintf(path, sizeof(path), "miners.%s.driver", group->name);
		fault_list_add(faults, group->driver_at, path, "no such driver \"%s\"; there are %s", group->driver,
		               miner_driver_names());
		return NULL;
	}
	check_wake(group, driver, faults);
	check_partial(group, driver, faults);
	if (!group->nominal_w && !driver->tells_power)
		fault_list_add(faults, group->at, path, "%s does not tell what a miner draws; add nominal: 3.5 kW, or what it is",
		               group->driver);
	return driver;
}

static int64_t or_typical(int64_t told_ms, uint32_t typical_ms)
{
	return told_ms >= 0 ? told_ms : typical_ms;
}

static bool steers(const struct miner_group_conf *group, const struct miner_driver *driver)
{
	return group->steer_told ? group->steer : driver->tells_power;
}

static struct policy_miner_group policy_group(const struct miner_group_conf *group, const struct miner_driver *driver)
{
	return (struct policy_miner_group){
		.priority = (int16_t)group->priority, .efficiency_mj_per_th = (int32_t)group->efficiency_mj_per_th,
		.nominal_w = group->nominal_w ? (int32_t)group->nominal_w : ASSUMED_NOMINAL_W,
		.asleep_w = (int32_t)group->asleep_w, .cycles_per_day = (int32_t)group->cycles_per_day,
		.min_awake_ms = group->min_awake_ms, .min_asleep_ms = group->min_asleep_ms,
		.stale_ms = MINER_STALE_POLLS * group->every_ms + group->timeout_ms,
		.sleep = { or_typical(group->sleep_delay_ms, driver->sleep.delay_ms),
		           or_typical(group->sleep_ramp_ms, driver->sleep.ramp_ms) },
		.wake = { or_typical(group->wake_delay_ms, driver->wake.delay_ms),
		          or_typical(group->wake_ramp_ms, driver->wake.ramp_ms) },
		.watched = !steers(group, driver),
		.partial_w = (int32_t)group->partial_w, .step_w = group->partial_w ? driver->step_w : 0,
		.power = { or_typical(group->power_delay_ms, driver->power.delay_ms),
		           or_typical(group->power_ramp_ms, driver->power.ramp_ms) },
	};
}

static void wire_miners(struct wired *wired, struct fault_list *faults)
{
	const struct config *config = wired->config;
	size_t n = 0, at = 0;
	for (size_t g = 0; g < config->n_miners; g++)
		n += config->miners[g].n_hosts;
	struct site_miner *miners = xcalloc(n, sizeof(*miners));
	uint16_t *miner_group = xcalloc(n, sizeof(*miner_group));
	struct policy_miner_group *groups = xcalloc(config->n_miners, sizeof(*groups));
	const char **names = xcalloc(config->n_miners, sizeof(*names));
	struct site_told *told = xcalloc(config->n_miners, sizeof(*told));
	for (size_t g = 0; g < config->n_miners; g++) {
		const struct miner_group_conf *group = &config->miners[g];
		const struct miner_driver *driver = check_miner_group(group, faults);
		names[g] = group->name;
		if (!driver)
			continue;
		groups[g] = policy_group(group, driver);
		told[g] = (struct site_told){ .sleep = group->sleep_delay_ms >= 0 || group->sleep_ramp_ms >= 0,
		                              .wake = group->wake_delay_ms >= 0 || group->wake_ramp_ms >= 0,
		                              .power = group->power_delay_ms >= 0 || group->power_ramp_ms >= 0 };
		for (size_t h = 0; h < group->n_hosts; h++, at++) {
			miner_group[at] = (uint16_t)g;
			miners[at] = (struct site_miner){ group->names[h], driver, {
				.host = group->hosts[h], .port = group->port, .timeout_ms = (uint32_t)group->timeout_ms,
				.nominal_w = groups[g].nominal_w, .wake = group->wake, .steer = steers(group, driver),
				.keep_session = group->session == SESSION_KEEP }, group->every_ms };
		}
	}
	wired->site.miners = miners;
	wired->site.miner_groups = names;
	wired->site.told = told;
	wired->site.policy.miner_group = miner_group;
	wired->site.policy.miner_groups = groups;
	wired->site.policy.n_miners = n;
	wired->site.policy.n_miner_groups = config->n_miners;
}

/* ---- signals, and the whole ---- */

static void wire_signals(struct wired *wired)
{
	const struct config *config = wired->config;
	const struct policy_conf *policy = &wired->site.policy;
	struct signals_conf *signals = &wired->signals;
	*signals = (struct signals_conf){ .prefix = wired->topic_prefix, .signals = config->signals,
	                                  .n_signals = config->n_signals, .cap_w = config->cap_w };
	for (size_t i = 0; i < policy->n_miners; i++) {
		if (!wired->site.miners[i].conf.steer)
			continue;
		signals->nominal_w += policy->miner_groups[policy->miner_group[i]].nominal_w;
		signals->asleep_w += policy->miner_groups[policy->miner_group[i]].asleep_w;
	}
	for (size_t g = 0; g < policy->n_miner_groups; g++) {
		const struct policy_miner_group *group = &policy->miner_groups[g];
		if (group->watched)
			continue;
		int64_t sleep_ms = group->sleep.delay_ms + group->sleep.ramp_ms;
		int64_t wake_ms = group->wake.delay_ms + group->wake.ramp_ms;
		int64_t power_ms = group->partial_w ? group->power.delay_ms + group->power.ramp_ms : 0;
		if (sleep_ms < power_ms)        /* a limit may be met by less power, too: then it has to begin sooner */
			sleep_ms = power_ms;
		signals->sleep_ms = signals->sleep_ms > sleep_ms ? signals->sleep_ms : sleep_ms;
		signals->wake_ms = signals->wake_ms > wake_ms ? signals->wake_ms : wake_ms;
	}
}

static char *join_prefix(const struct config *config)
{
	const char *above = config->mqtt.present ? config->mqtt.prefix : "mullet";
	size_t size = strlen(above) + strlen(config->site_name) + 2;
	char *prefix = xcalloc(size, 1);
	snprintf(prefix, size, "%s/%s", above, config->site_name);
	return prefix;
}

struct wired *wire(struct config *config, struct fault_list *faults)
{
	struct wired *wired = xcalloc(1, sizeof(*wired));
	size_t before = faults->n;
	wired->config = config;
	wired->topic_prefix = join_prefix(config);
	wired->site.name = config->site_name;
	wired->site.policy.cap_w = config->cap_w;
	wired->site.policy.target_w = config->target_w;
	wired->site.policy.reserve_w = config->reserve_w;
	wired->site.policy.prefer = config->prefer;
	wired->site.policy.no_forecast = !config->forecast;
	wired->site.policy.ramp_up_w_per_min = config->ramp_up_w_per_min;
	wired->site.policy.ramp_down_w_per_min = config->ramp_down_w_per_min;
	memcpy(wired->site.policy.windows, config->windows, sizeof(config->windows));
	wired->site.policy.n_windows = config->n_windows;
	wire_meters(wired, faults);
	wire_miners(wired, faults);
	wire_circuits(config, &wired->site.policy, faults);
	wire_signals(wired);
	if (faults->n == before)
		return wired;
	fault_list_sort(faults);
	wired_free(wired);
	return NULL;
}

void wired_free(struct wired *wired)
{
	const struct policy_conf *policy = &wired->site.policy;
	free((void *)wired->site.meters);
	free((void *)wired->site.miners);
	free((void *)wired->site.miner_groups);
	free((void *)wired->site.told);
	free((void *)policy->meter_group);
	free((void *)policy->meter_groups);
	free((void *)policy->miner_group);
	free((void *)policy->miner_groups);
	free((void *)policy->circuit);
	free(wired->maps);
	free(wired->pages);
	for (size_t g = 0; wired->snmp && g < wired->config->n_meters; g++)
		wired_snmp_free(&wired->snmp[g]);
	free(wired->snmp);
	free(wired->topic_prefix);
	config_free(wired->config);
	free(wired);
}
