/* sim/farm_config.c - the site file that describes a simulated site to mulletd. */
#include <math.h>

#include "sim/farm.h"

static int64_t most_hpc_w(const struct load *load)
{
	int64_t level_w = load->peak_w, most_w = level_w;
	for (size_t j = 0; j < load->n_jobs; j++) {
		level_w += load->jobs[j].delta_w;
		most_w = level_w > most_w ? level_w : most_w;
	}
	return most_w;
}

/* A PDU's share of the load is at most 1.3 of 0.7, its wandering 3 % of that; rounded up to hundreds. */
static int64_t nameplate_w(const struct farm_conf *conf)
{
	double mean_w = (double)most_hpc_w(&conf->truth.load) / (double)conf->truth.n_pdus;
	return (int64_t)ceil(mean_w * 1.4 / 100) * 100;
}

static void print_meters(const struct farm_conf *conf, const struct layout *pdus, struct text *out)
{
	char hosts[64];
	text_put(out, "meters:\n  main:\n    measures: site\n    driver: modbus\n    host: " FARM_SITE_HOST "\n    port: %u\n"
	         "    registers:\n"
	         "      power:     {function: 4, address: 52, type: float32, unit: W}\n"
	         "      frequency: {function: 4, address: 70, type: float32, unit: Hz}\n"
	         "      energy:    {function: 4, address: 72, type: float32, unit: kWh}\n"
	         "    every: 200 ms\n    timeout: 200 ms\n    stale_after: 2 s\n", conf->modbus_port);
	for (size_t g = 0; g < pdus->n_groups; g++) {
		const struct snmp_make *make = farm_make_of(pdus->groups[g].net);
		layout_hostlist(&pdus->groups[g], hosts, sizeof hosts);
		text_put(out, "  %s:\n    measures: hpc\n    driver: %s\n    host: %s\n    port: %u\n", pdus->groups[g].name,
		         make ? "snmp" : "modbus", hosts, make ? conf->snmp_port : conf->modbus_port);
		if (make)
			text_put(out, "    oids: %s\n    snmp: {version: 2c, community: public}\n", make->oids);
		else
			text_put(out, "    registers:\n"
			         "      power:     {function: 3, address: 12306, type: float32, unit: W}\n"
			         "      frequency: {function: 3, address: 12322, type: float32, unit: Hz}\n");
		text_put(out, "    every: 1 s\n    timeout: 500 ms\n    stale_after: 3 s\n    nameplate: %lld W\n",
		         (long long)nameplate_w(conf));
	}
}

static void print_group(const struct farm_conf *conf, const struct layout_group *group,
                        const struct plant_miner_type *type, struct text *out)
{
	char hosts[64];
	bool cgminer = type == &plant_cgminer_s19;
	layout_hostlist(group, hosts, sizeof hosts);
	text_put(out, "  %s:\n    driver: %s\n    host: %s\n    port: %u\n    nominal: %d W\n    asleep: %d W\n"
	         "    efficiency: %.1f J/TH\n    every: 10 s\n    timeout: 1500 ms\n",
	         group->name, cgminer ? "cgminer" : "luxos", hosts, conf->miner_port, type->full_w, type->asleep_w,
	         type->full_w * 1000.0 / type->hashrate_ghs);
	if (!cgminer && type->least_w && !conf->whole)
		text_put(out, "    partial: %d W\n", asic_luxos_least_w(type));
	if (conf->min_asleep_ms)
		text_put(out, "    min_asleep: %lld ms\n", (long long)conf->min_asleep_ms);
	if (cgminer)                            /* no driver can know that here a disabled board draws nothing */
		text_put(out, "    steer: true\n"
		         "    response: {sleep_delay: %d ms, sleep_ramp: %d ms, wake_delay: %d ms, wake_ramp: %d ms}\n",
		         type->sleep_dead_ms * 6 / 5, type->sleep_fall_ms * 6 / 5, type->wake_dead_ms * 6 / 5,
		         type->wake_ramp_ms * 6 / 5);
}

int64_t farm_cap_w(const struct farm_conf *conf)
{
	int64_t full_w = 0;
	for (size_t t = 0; t < conf->n_types; t++)
		full_w += (int64_t)conf->n_of[t] * conf->types[t]->full_w;
	if (conf->cap_w)
		return conf->cap_w;
	return most_hpc_w(&conf->truth.load) * 105 / 100 + conf->truth.house_w + full_w * 7 / 10;
}

void farm_print_config(const struct farm_conf *conf, struct text *out)
{
	struct layout pdus, miners;
	farm_layout(conf, &pdus, &miners);
	text_put(out, "site:\n  name: %s\n  cap: %lld W\n", conf->site_name, (long long)farm_cap_w(conf));
	print_meters(conf, &pdus, out);
	if (miners.n_groups)
		text_put(out, "miners:\n");
	for (size_t g = 0; g < miners.n_groups; g++)
		print_group(conf, &miners.groups[g], conf->types[miners.groups[g].net - FARM_NET_MINER], out);
	text_put(out, "mqtt:\n  host: %s\n  port: %u\n", conf->mqtt_host, conf->mqtt_port);
	text_put(out, "grid:\n  signals:\n    qse: {format: order}\n");
}
