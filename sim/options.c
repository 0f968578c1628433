#include "sim/options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "sim/units.h"

const char options_help[] =
"usage: mulletsim [OPTION]…\n"
"\n"
"Serves a simulated site on loopback: a site meter and PDUs over Modbus TCP, PDUs over SNMP, miners that speak\n"
"LuxOS and CGMiner and take real time to fall asleep and wake. Runs until SIGINT or SIGTERM.\n"
"\n"
"The GPU load\n"
"  --pattern NAME         constant, idle, training, inference (default training)\n"
"  --trace FILE           a measured load, CSV t_s,power_w, scaled to --peak; begins again at its end\n"
"  --hold                 … or holds its last value there\n"
"  --peak POWER           of the load at the begin (default 1 MW); jobs add to it\n"
"  --house POWER          what neither GPUs nor miners draw (default 20 kW)\n"
"  --house-share PERCENT  … and this much of the GPU load (default 0 %)\n"
"The devices\n"
"  --miners TYPE:N,…      luxos-s21, luxos-s19kpro, cgminer-s19\n"
"                         (default luxos-s21:160,luxos-s19kpro:100,cgminer-s19:40)\n"
"  --pdus N               (default 60)\n"
"  --snmp-pdus N          so many of them, the last ones, speak SNMP v2c (default 0): half APC, half Raritan\n"
"  --port N               of the Modbus meters, 127.20.0.5 and 127.21.x.y (default 1502)\n"
"  --snmp-port N          of the SNMP PDUs, 127.22.x.y and 127.23.x.y (default 1161)\n"
"  --miner-port N         of the miners, 127.30.x.y and on (default 4028)\n"
"  --meter-refresh TIME   how often the site meter's registers change (default 100 ms)\n"
"  --pdu-refresh TIME     (default 1 s)\n"
"  --latency TIME         of a miner's answer (default 20 ms)\n"
"  --seed N               decides all that is left to chance (default 1)\n"
"What goes wrong\n"
"  --faults FAULT=PERCENT,…   of the miners: silent, refusing, lying, garbled, slow, busy, dead\n"
"  --pdu-faults FAULT=N,…     silent, trickling, garbage, wrong-tid, wrong-unit, wrong-length, exception, stalling,\n"
"                             refusing, duplicating, late, frozen, absurd, closing, scaled, jumping, swapped; or each:\n"
"                             one PDU of every kind.\n"
"                             Over SNMP trickling is late, closing answers that there is no such object\n"
"  --held-sessions PERCENT    LuxOS miners somebody logged on to and left\n"
"  --at TIME:WHAT         job=POWER[/TIME], meter=FAULT, pdu=FAULT:N, miner=FAULT:N or FAULT:PERCENT;\n"
"                         a meter can be scaled*FACTOR (default 0.5); the fault \"sound\" ends one. May be repeated\n"
"  --scenario FILE        such entries, one a line\n"
"What it writes\n"
"  --log FILE             the truth every 100 ms: t_s,site_w,hpc_w,miners_w\n"
"  --commands FILE        every command a miner received, with the answer\n"
"  --print-config         prints mulletd's site file for this site, and ends\n"
"  --name NAME, --cap POWER, --mqtt HOST:PORT, --min-asleep TIME      go into that file\n"
"  --no-partial           … in which no miner runs at partial power: else LuxOS miners may, down to their lowest profile\n"
"  --stop-after TIME      ends by itself\n"
"Judging a run\n"
"  --report               with the options of that run: reads its --log and --commands back, and prints how well it was\n"
"                         held; exit code 1 where a miner received a command that no published decision names\n"
"  --bus FILE             what mosquitto_sub -q 1 -t 'mullet/#' -F '%U %t %p' recorded\n"
"  --svg FILE             writes a plot of it\n"
"  --flat-from TIME       flatness is judged from then on (default 0 s)\n"
"\n"
"  --fast                 comes first: the control law in virtual time, with options of its own: --fast --help\n"
"  --help, --version\n"
"\n"
"Exit codes: 0 stopped, 1 failed at run time, 2 the command line is wrong.\n";

enum option_key {
	OPT_PATTERN = 256, OPT_TRACE, OPT_HOLD, OPT_PEAK, OPT_HOUSE, OPT_HOUSE_SHARE, OPT_MINERS, OPT_PDUS, OPT_SNMP_PDUS,
	OPT_PORT, OPT_SNMP_PORT, OPT_MINER_PORT, OPT_METER_REFRESH, OPT_PDU_REFRESH, OPT_LATENCY, OPT_SEED, OPT_FAULTS, OPT_PDU_FAULTS, OPT_HELD,
	OPT_AT, OPT_SCENARIO, OPT_LOG, OPT_COMMANDS, OPT_PRINT_CONFIG, OPT_NAME, OPT_CAP, OPT_MQTT, OPT_MIN_ASLEEP, OPT_WHOLE,
	OPT_STOP_AFTER,
	OPT_REPORT, OPT_BUS, OPT_SVG, OPT_FLAT_FROM, OPT_FAST, OPT_HELP, OPT_VERSION,
};

static const struct option long_options[] = {
	{ "pattern", 1, NULL, OPT_PATTERN }, { "trace", 1, NULL, OPT_TRACE }, { "hold", 0, NULL, OPT_HOLD },
	{ "peak", 1, NULL, OPT_PEAK }, { "house", 1, NULL, OPT_HOUSE }, { "house-share", 1, NULL, OPT_HOUSE_SHARE },
	{ "miners", 1, NULL, OPT_MINERS }, { "pdus", 1, NULL, OPT_PDUS }, { "snmp-pdus", 1, NULL, OPT_SNMP_PDUS },
	{ "port", 1, NULL, OPT_PORT }, { "snmp-port", 1, NULL, OPT_SNMP_PORT },
	{ "miner-port", 1, NULL, OPT_MINER_PORT }, { "meter-refresh", 1, NULL, OPT_METER_REFRESH },
	{ "pdu-refresh", 1, NULL, OPT_PDU_REFRESH }, { "latency", 1, NULL, OPT_LATENCY }, { "seed", 1, NULL, OPT_SEED },
	{ "faults", 1, NULL, OPT_FAULTS }, { "pdu-faults", 1, NULL, OPT_PDU_FAULTS },
	{ "held-sessions", 1, NULL, OPT_HELD }, { "at", 1, NULL, OPT_AT }, { "scenario", 1, NULL, OPT_SCENARIO },
	{ "log", 1, NULL, OPT_LOG }, { "commands", 1, NULL, OPT_COMMANDS }, { "print-config", 0, NULL, OPT_PRINT_CONFIG },
	{ "name", 1, NULL, OPT_NAME }, { "cap", 1, NULL, OPT_CAP }, { "mqtt", 1, NULL, OPT_MQTT }, { "min-asleep", 1, NULL, OPT_MIN_ASLEEP },
	{ "no-partial", 0, NULL, OPT_WHOLE }, { "stop-after", 1, NULL, OPT_STOP_AFTER }, { "fast", 0, NULL, OPT_FAST },
	{ "report", 0, NULL, OPT_REPORT }, { "bus", 1, NULL, OPT_BUS }, { "svg", 1, NULL, OPT_SVG },
	{ "flat-from", 1, NULL, OPT_FLAT_FROM }, { "help", 0, NULL, OPT_HELP },
	{ "version", 0, NULL, OPT_VERSION }, { NULL, 0, NULL, 0 },
};

/* Walks "a=1,b=2" (or with another sign between): each name and value to `each`. */
static bool each_pair(const char *list, char sign, bool (*each)(struct farm_conf *, const char *, const char *),
                      struct farm_conf *conf)
{
	char text[512], *rest = text;
	if (snprintf(text, sizeof text, "%s", list) >= (int)sizeof text)
		return false;
	for (char *item; (item = strsep(&rest, ","));) {
		char *value = strchr(item, sign);
		if (value)
			*value++ = '\0';
		if (!each(conf, item, value))
			return false;
	}
	return true;
}

static bool add_type(struct farm_conf *conf, const char *name, const char *count)
{
	static const struct plant_miner_type *const types[] = { &plant_luxos_s21, &plant_luxos_s19kpro, &plant_cgminer_s19 };
	int64_t n;
	if (!count || !units_count(count, LAYOUT_MOST / 3, &n) || conf->n_types == FARM_TYPES)
		return false;
	for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
		if (strcmp(types[t]->name, name) != 0)
			continue;
		for (size_t seen = 0; seen < conf->n_types; seen++)
			if (conf->types[seen] == types[t])
				return false;
		conf->types[conf->n_types] = types[t];
		conf->n_of[conf->n_types++] = (size_t)n;
		return true;
	}
	return false;
}

static bool set_types(struct farm_conf *conf, const char *list)
{
	conf->n_types = 0;
	return each_pair(list, ':', add_type, conf);
}

static bool add_fault(struct farm_conf *conf, const char *name, const char *share)
{
	enum plant_fault fault = plant_fault_named(name, strlen(name));
	return share && fault != N_PLANT_FAULTS && units_permille(share, &conf->fault_permille[fault]);
}

static bool add_pdu_fault(struct farm_conf *conf, const char *name, const char *count)
{
	enum modbus_fault fault = modbus_fault_named(name, strlen(name));
	int64_t n = 1;
	for (unsigned f = MODBUS_SOUND + 1; strcmp(name, "each") == 0 && f < N_MODBUS_FAULTS; f++)
		conf->pdu_faults[f] = 1;
	if (strcmp(name, "each") == 0)
		return !count;
	if (fault == N_MODBUS_FAULTS || (count && !units_count(count, LAYOUT_MOST, &n)))
		return false;
	conf->pdu_faults[fault] = (size_t)n;
	return true;
}

static bool set_port(const char *text, uint16_t *port)
{
	int64_t n;
	if (!units_count(text, 65535, &n) || n == 0)
		return false;
	*port = (uint16_t)n;
	return true;
}

static bool set_count(const char *text, int64_t most, size_t *count)
{
	int64_t n;
	bool ok = units_count(text, most, &n);
	if (ok)
		*count = (size_t)n;
	return ok;
}

static bool set_positive_ms(const char *text, int64_t *ms)
{
	return units_ms(text, ms) && *ms > 0;
}

static bool set_latency(const char *text, int32_t *latency_ms)
{
	int64_t ms;
	if (!units_ms(text, &ms) || ms > 60000)
		return false;
	*latency_ms = (int32_t)ms;
	return true;
}

static bool set_seed(const char *text, uint64_t *seed)
{
	int64_t n;
	if (!units_count(text, INT64_MAX, &n))
		return false;
	*seed = (uint64_t)n;
	return true;
}

/* HOST:PORT; cuts HOST off in place. */
static bool set_mqtt(struct farm_conf *conf, char *text)
{
	char *colon = strrchr(text, ':');
	if (!colon || colon == text || !set_port(colon + 1, &conf->mqtt_port))
		return false;
	*colon = '\0';
	conf->mqtt_host = text;
	return true;
}

static bool set_name(struct farm_conf *conf, const char *text)
{
	conf->site_name = text;
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool set_pattern(struct farm_conf *conf, const char *text)
{
	conf->truth.load.pattern = load_pattern_named(text);
	return conf->truth.load.pattern != N_LOAD_PATTERNS;
}

static int read_trace(struct farm_conf *conf, const char *path, char *why, size_t size)
{
	size_t line;
	load_trace_free(&conf->truth.load.trace);
	int err = load_trace_read(&conf->truth.load.trace, path, &line);
	if (!err)
		conf->truth.load.pattern = LOAD_TRACE;
	else if (line)
		snprintf(why, size, "%s:%zu: not t_s,power_w with rising times", path, line);
	else
		snprintf(why, size, "%s: %s", path, uv_strerror(err));
	return err ? 1 : 0;
}

static int read_scenario(struct options *options, const char *path, char *why, size_t size)
{
	char text[16384], told[200];
	FILE *file = fopen(path, "re");
	if (!file) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return 1;
	}
	size_t n = fread(text, 1, sizeof text - 1, file);
	bool whole = feof(file) != 0, broken = ferror(file) != 0;
	int why_broken = errno;
	fclose(file);
	text[n] = '\0';
	if (broken) {
		snprintf(why, size, "%s: %s", path, strerror(why_broken));
		return 1;
	}
	if (whole && timeline_read(&options->farm, text, told, sizeof told))
		return 0;
	snprintf(why, size, "%s: %s", path, whole ? told : "too long for a scenario");
	return 2;
}

/* Whether one option's value will do. */
static bool take(struct options *options, int key, char *value)
{
	struct farm_conf *conf = &options->farm;
	struct truth_conf *truth = &conf->truth;
	switch ((enum option_key)key) {
	case OPT_PATTERN:       return set_pattern(conf, value);
	case OPT_HOLD:          return truth->load.hold = true;
	case OPT_PEAK:          return units_watts(value, &truth->load.peak_w) && truth->load.peak_w > 0;
	case OPT_HOUSE:         return units_watts(value, &truth->house_w) && truth->house_w >= 0;
	case OPT_HOUSE_SHARE:   return units_permille(value, &truth->house_permille);
	case OPT_MINERS:        return set_types(conf, value);
	case OPT_PDUS:          return set_count(value, LAYOUT_MOST, &truth->n_pdus) && truth->n_pdus > 0;
	case OPT_SNMP_PDUS:     return set_count(value, LAYOUT_MOST, &conf->n_snmp_pdus);
	case OPT_PORT:          return set_port(value, &conf->modbus_port);
	case OPT_SNMP_PORT:     return set_port(value, &conf->snmp_port);
	case OPT_MINER_PORT:    return set_port(value, &conf->miner_port);
	case OPT_METER_REFRESH: return set_positive_ms(value, &conf->meter_refresh_ms);
	case OPT_PDU_REFRESH:   return set_positive_ms(value, &conf->pdu_refresh_ms);
	case OPT_LATENCY:       return set_latency(value, &conf->latency_ms);
	case OPT_SEED:          return set_seed(value, &truth->seed);
	case OPT_FAULTS:        return each_pair(value, '=', add_fault, conf);
	case OPT_PDU_FAULTS:    return each_pair(value, '=', add_pdu_fault, conf);
	case OPT_HELD:          return units_permille(value, &conf->held_permille);
	case OPT_LOG:           return (conf->log_file = value);
	case OPT_COMMANDS:      return (conf->commands_file = value);
	case OPT_PRINT_CONFIG:  return options->print_config = true;
	case OPT_NAME:          return set_name(conf, value);
	case OPT_CAP:           return units_watts(value, &conf->cap_w) && conf->cap_w > 0;
	case OPT_MQTT:          return set_mqtt(conf, value);
	case OPT_MIN_ASLEEP:    return set_positive_ms(value, &conf->min_asleep_ms);
	case OPT_WHOLE:         return conf->whole = true;
	case OPT_STOP_AFTER:    return set_positive_ms(value, &options->stop_ms);
	case OPT_REPORT:        return options->report = true;
	case OPT_BUS:           return (options->bus_file = value);
	case OPT_SVG:           return (options->svg_file = value);
	case OPT_FLAT_FROM:     return units_ms(value, &options->flat_ms);
	case OPT_FAST:          return options->fast = true;
	case OPT_HELP:          return options->help = true;
	case OPT_VERSION:       return options->version = true;
	case OPT_AT:
	case OPT_TRACE:
	case OPT_SCENARIO:
		break;
	}
	return false;
}

static int take_any(struct options *options, int key, int index, char *why, size_t size)
{
	const char *name = long_options[index].name;
	char told[200];
	if (key == OPT_TRACE)
		return read_trace(&options->farm, optarg, why, size);
	if (key == OPT_SCENARIO)
		return read_scenario(options, optarg, why, size);
	if (key == OPT_AT) {
		bool ok = timeline_add(&options->farm, optarg, told, sizeof told);
		if (!ok)
			snprintf(why, size, "--at %s: %s", optarg, told);
		return ok ? 0 : 2;
	}
	if (take(options, key, optarg))
		return 0;
	snprintf(why, size, "--%s: \"%s\" will not do; see --help", name, optarg ? optarg : "");
	return 2;
}

static void set_defaults(struct options *options)
{
	*options = (struct options){ .farm = {
		.truth = { .seed = 1, .load = { .pattern = LOAD_TRAINING, .peak_w = 1000000 }, .n_pdus = 60,
		           .house_w = 20000, .house_permille = 0 },
		.types = { &plant_luxos_s21, &plant_luxos_s19kpro, &plant_cgminer_s19 }, .n_of = { 160, 100, 40 }, .n_types = 3,
		.modbus_port = 1502, .snmp_port = 1161, .miner_port = 4028, .meter_refresh_ms = 100, .pdu_refresh_ms = 1000,
		.latency_ms = 20, .speed = 1,
		.site_name = "sim", .mqtt_host = "127.0.0.1", .mqtt_port = 1883,
	} };
}

int options_read(struct options *options, int argc, char **argv, char *why, size_t size)
{
	int key, index = 0, err = 0;
	struct layout pdus, miners;
	set_defaults(options);
	opterr = 0;
	optind = 0;                     /* anew, also for a second command line */
	while (!err && (key = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (key != '?')
			err = take_any(options, key, index, why, size);
		else
			err = 2, snprintf(why, size, "%s: unknown, ambiguous, or its value is missing", argv[optind - 1]);
	}
	if (!err && optind < argc)
		err = 2, snprintf(why, size, "%s: not an option", argv[optind]);
	if (!err && options->report && !(options->farm.log_file && options->farm.commands_file && options->bus_file))
		err = 2, snprintf(why, size, "--report reads --log, --commands and --bus: name all three");
	if (!err && !options->report && (options->bus_file || options->svg_file))
		err = 2, snprintf(why, size, "--bus and --svg go with --report");
	if (!err && options->farm.n_snmp_pdus > options->farm.truth.n_pdus)
		err = 2, snprintf(why, size, "--snmp-pdus %zu of --pdus %zu", options->farm.n_snmp_pdus, options->farm.truth.n_pdus);
	if (!err && farm_layout(&options->farm, &pdus, &miners) != 0)
		err = 2, snprintf(why, size, "too many devices");
	if (!err && !timeline_fits(&options->farm, pdus.n, miners.n, why, size))
		err = 2;
	return err;
}

void options_free(struct options *options)
{
	load_trace_free(&options->farm.truth.load.trace);
}
