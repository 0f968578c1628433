#include "config/settings.h"

#define WINDOW(member, kind, key, min, max, help) FIELD(policy_window, member, kind, key, min, max, NULL, help)
static const struct field window_fields[] = {
	WINDOW(within_ms, KIND_DURATION, "within", "1 s",   "1 min", "in any so long a time"),
	WINDOW(change_w,  KIND_POWER,    "change", "10 kW", "5 GW",  "the most that the draw is moved on purpose, either way"),
};
static const struct table window_table = TABLE(window_fields, NULL);

static const struct field site_fields[] = {
	FIELD(config, site_name,           KIND_NAME,          "name",      NULL,      NULL,   NULL,   "part of every topic"),
	FIELD(config, cap_w,               KIND_POWER,         "cap",       "1 kW",    "5 GW", NULL,   "most the site may draw at its meter"),
	FIELD(config, target_w,            KIND_POWER_OR_AUTO, "target",    "1 kW",    "5 GW", "auto", "draw to hold; auto: the cap less the reserve"),
	FIELD(config, reserve_w,           KIND_POWER_OR_AUTO, "reserve",   "0 W",     "5 GW", "auto", "kept free under the cap for swings faster than miners follow; auto: learned"),
	CHOICE(config, prefer, KIND_CHOICE, "prefer", "balanced|hash|flat", "balanced", "what a flat site may cost in hash, with reserve auto: a little, nothing, or more"),
	FIELD(config, forecast,            KIND_BOOLEAN,       "forecast",  NULL,      NULL,   "true", "the miners may go by what the load's own past foretells; false: only by what it has been"),
	FIELD(config, ramp_up_w_per_min,   KIND_RAMP_OR_NONE,  "ramp_up",   "1 W/min", "5 GW/min", "none", "fastest rise of the site's draw made on purpose"),
	FIELD(config, ramp_down_w_per_min, KIND_RAMP_OR_NONE,  "ramp_down", "1 W/min", "5 GW/min", "none", "fastest fall made on purpose; never delays a shed"),
	FIELD(config, connections,         KIND_INTEGER,       "connections", "16",    "60000", "",    "to miners at a time, of which polls get half; default: what descriptors allow, at most 4096"),
	LIST(config, windows, n_windows, policy_window, "windows", "4", &window_table, "", "limits on shorter scales than a minute, such as {within: 15 s, change: 5 MW}; no shed waits for them"),
};
static const struct table site_table = TABLE(site_fields, site_finish);

#define PAGE(member, kind, key, min, max, preset, help) \
	FIELD(prometheus_conf, member, kind, key, min, max, preset, help)
static const struct field prometheus_fields[] = {
	PAGE(metric,             KIND_TEXT,     "metric",          NULL,  NULL,     NULL,       "whose samples are added up, such as DCGM_FI_DEV_POWER_USAGE"),
	{.key = "labels", .kind = KIND_LABELS, .preset = "", .help = "only samples with all of these, such as {Hostname: gpu-01}",
	 MEMBER(prometheus_conf, labels), .count = offsetof(struct prometheus_conf, n_labels)},
	PAGE(expect,             KIND_INTEGER,  "expect",          "1",   "100000", NULL,       "how many samples that must be; else the page counts as none, for a GPU that vanished is no less load"),
	CHOICE(prometheus_conf, unit, KIND_LETTER, "unit", "W|kW|MW|mW", NULL, "of sample times scale"),
	PAGE(scale,              KIND_NUMBER,   "scale",           NULL,  NULL,     "1",        "value = sample times scale"),
	PAGE(collected_every_ms, KIND_DURATION, "collected_every", "0 s", "10 min", "30 s",     "how old what is on the page may be: dcgm-exporter's --collect-interval"),
	PAGE(averaged_over_ms,   KIND_DURATION, "averaged_over",   "0 s", "1 min",  "1 s",      "of what time a sample is the mean"),
	PAGE(path,               KIND_TEXT,     "path",            NULL,  NULL,     "/metrics", "of the page"),
	CHOICE(prometheus_conf, https, KIND_CHOICE, "scheme", "http|https", "http", "https: who answers is checked"),
	PAGE(ca,                 KIND_FILE,     "ca",              NULL,  NULL,     "",         "https only: whom to trust; default: whom the system trusts"),
};
static const struct table prometheus_table = TABLE(prometheus_fields, prometheus_finish);

#define METER(member, kind, key, min, max, preset, help) \
	FIELD(meter_group_conf, member, kind, key, min, max, preset, help)
static const struct field meter_fields[] = {
	CHOICE(meter_group_conf, measures, KIND_CHOICE, "measures", "site|hpc|other", NULL, "what stands behind it"),
	FIELD_AT(meter_group_conf, driver, driver_at, KIND_NAME, "driver", NULL, NULL, NULL, "modbus for Modbus TCP, modbus-rtu for serial lines, snmp for most rack PDUs, prometheus for pages of metrics"),
	{.key = "host", .kind = KIND_HOSTS, .help = "address, name or device file; ranges as in 10.21.[0-1].[1-125]",
	 MEMBER(meter_group_conf, hosts), .count = offsetof(struct meter_group_conf, n_hosts),
	 .mark = offsetof(struct meter_group_conf, host_at)},
	METER(port,           KIND_INTEGER,  "port",        "1",      "65535",   "",    "TCP or UDP port; default 502, snmp 161, prometheus 9400"),
	METER(unit,           KIND_INTEGER,  "unit",        "0",      "255",     "1",   "Modbus unit, or slave address on a serial line"),
	FIELD_AT(meter_group_conf, registers, registers_at, KIND_REGISTERS, "registers", NULL, NULL, "", "Modbus: a map of the catalogue, or one in place"),
	FIELD_AT(meter_group_conf, oids, oids_at, KIND_OIDS, "oids", NULL, NULL, "", "snmp: OIDs of the catalogue, or a map in place"),
	SECTION(offsetof(struct meter_group_conf, snmp), "snmp", &snmp_table, "", "snmp: how the devices let us in"),
	SECTION(offsetof(struct meter_group_conf, prometheus), "prometheus", &prometheus_table, "", "prometheus: what to read of a page of metrics"),
	METER(every_ms,       KIND_DURATION, "every",       "100 ms", "1 h",     "1 s", "time between readings"),
	METER(timeout_ms,     KIND_DURATION, "timeout",     "20 ms",  "1 min",   "",    "longest wait for one reading; default 1 s, or `every` if that is shorter"),
	METER(stale_after_ms, KIND_DURATION, "stale_after", "200 ms", "1 h",     "",    "older readings count as none; default 2 s, or three times `every` if that is longer, and what a page of metrics may be late"),
	METER(averaged_over_ms, KIND_DURATION, "averaged_over", "0 s", "1 min",  "0 s", "site: of what time each value is the mean; 0 s: of an instant"),
	METER(nameplate_w,    KIND_POWER,    "nameplate",   "1 W",    "5 GW",    "",    "what one of them is taken to draw while it is silent"),
	METER(backup_of,      KIND_NAME,     "backup_of",   NULL,     NULL,      "",    "the group it stands in for while that is stale"),
	METER(baud,           KIND_INTEGER,  "baud",        "300",    "4000000", "",    "speed of a serial line"),
	CHOICE(meter_group_conf, parity, KIND_LETTER, "parity", "none|even|odd", "", "parity of a serial line"),
};
static const struct table meter_table = TABLE(meter_fields, meter_finish);

#define MINER(member, kind, key, min, max, preset, help) \
	FIELD(miner_group_conf, member, kind, key, min, max, preset, help)
static const struct field response_fields[] = {
	MINER(sleep_delay_ms, KIND_DURATION_OR_TYPICAL, "sleep_delay", "0 s", "1 h", "typical", "from the order to the first watt less"),
	MINER(sleep_ramp_ms,  KIND_DURATION_OR_TYPICAL, "sleep_ramp",  "0 s", "1 h", "typical", "from there to asleep"),
	MINER(wake_delay_ms,  KIND_DURATION_OR_TYPICAL, "wake_delay",  "0 s", "1 h", "typical", "from the order to the first watt more"),
	MINER(wake_ramp_ms,   KIND_DURATION_OR_TYPICAL, "wake_ramp",   "0 s", "1 h", "typical", "from there to full power"),
	MINER(power_delay_ms, KIND_DURATION_OR_TYPICAL, "power_delay", "0 s", "1 h", "typical", "with partial: from the order for another power to the first watt less or more"),
	MINER(power_ramp_ms,  KIND_DURATION_OR_TYPICAL, "power_ramp",  "0 s", "1 h", "typical", "from there to that power"),
};
static const struct table response_table = TABLE(response_fields, NULL);

static const struct field miner_fields[] = {
	FIELD_AT(miner_group_conf, driver, driver_at, KIND_NAME, "driver", NULL, NULL, NULL, "luxos or cgminer"),
	{.key = "host", .kind = KIND_HOSTS, .help = "address or name; ranges as in 10.30.[0-7].[1-254]",
	 MEMBER(miner_group_conf, hosts), .count = offsetof(struct miner_group_conf, n_hosts)},
	MINER(port,                 KIND_INTEGER,    "port",           "1",      "65535",    "4028",   "TCP port"),
	MINER(nominal_w,            KIND_POWER,      "nominal",        "10 W",   "100 kW",   "",       "draw of one miner; needed with partial, and where it cannot tell"),
	FIELD_AT(miner_group_conf, partial_w, partial_at, KIND_POWER, "partial", "10 W", "100 kW", "", "least power one miner is run at while hashing, or its lowest profile where that is more; default: it is on or off"),
	MINER(asleep_w,             KIND_POWER,      "asleep",         "0 W",    "10 kW",    "25 W",   "draw of one miner asleep"),
	MINER(efficiency_mj_per_th, KIND_EFFICIENCY, "efficiency",     "1 J/TH", "500 J/TH", "",       "within a priority the worst is curtailed first"),
	MINER(priority,             KIND_INTEGER,    "priority",       "0",      "1000",     "50",     "lower is curtailed first"),
	FIELD_AT(miner_group_conf, per_circuit, per_circuit_at, KIND_INTEGER, "per_circuit", "1", "100000", "", "so many in a row stand on one circuit, such as a PDU; equal miners are told in turn over circuits"),
	MINER(feeder,               KIND_TEXT,       "feeder",         NULL,     NULL,       "",       "instead: all of them stand on the circuit of this name, which groups may share"),
	MINER(min_awake_ms,         KIND_DURATION,   "min_awake",      "0 s",    "1 d",      "10 min", "least time from a wake to the next sleep; a shed ignores it"),
	MINER(min_asleep_ms,        KIND_DURATION,   "min_asleep",     "0 s",    "1 d",      "3 min",  "least time from a sleep to the next wake"),
	MINER(cycles_per_day,       KIND_INTEGER,    "cycles_per_day", "0",      "1000",     "12",     "most sleeps a day; 0: no bound"),
	MINER(every_ms,             KIND_DURATION,   "every",          "1 s",    "1 h",      "30 s",   "how often each miner is read"),
	MINER(timeout_ms,           KIND_DURATION,   "timeout",        "100 ms", "1 min",    "3 s",    "longest wait for one answer"),
	FIELD_AT(miner_group_conf, wake, wake_at, KIND_NAME, "wake", NULL, NULL, "", "how to wake, in the driver's words"),
	CHOICE(miner_group_conf, session, KIND_CHOICE, "session", "keep|on-demand", "keep", "of firmwares that want one for orders; keep: held, so that an order costs one connection"),
	MINER(steer,                KIND_BOOLEAN,    "steer",          NULL,     NULL,       "",       "false: watched, never commanded; default true where the miner tells its watts"),
	SECTION(0, "response", &response_table, "", "how it follows an order; typical: as the driver knows it"),
	LATER("breakeven", "price above which it sleeps"),
};
static const struct table miner_table = TABLE(miner_fields, miner_finish);

static const struct field tls_fields[] = {
	FIELD(mqtt_conf, tls_ca,   KIND_FILE, "ca",   NULL, NULL, NULL, "whom to trust"),
	FIELD(mqtt_conf, tls_cert, KIND_FILE, "cert", NULL, NULL, "",   "who we are"),
	FIELD(mqtt_conf, tls_key,  KIND_FILE, "key",  NULL, NULL, "",   "and the proof"),
};
static const struct table tls_table = TABLE(tls_fields, tls_finish);

static const struct field mqtt_fields[] = {
	FIELD(mqtt_conf, host,          KIND_HOST,    "host",          NULL, NULL,    NULL,     "the broker"),
	FIELD(mqtt_conf, port,          KIND_INTEGER, "port",          "1",  "65535", "",       "TCP port; default 1883, with tls 8883"),
	SECTION(0, "tls", &tls_table, "", "without it: plain TCP"),
	FIELD(mqtt_conf, username,      KIND_TEXT,    "username",      NULL, NULL,    "",       "as the broker knows us"),
	FIELD(mqtt_conf, password_file, KIND_FILE,    "password_file", NULL, NULL,    "",       "or the file of that name in $CREDENTIALS_DIRECTORY"),
	FIELD(mqtt_conf, prefix,        KIND_TOPIC,   "prefix",        NULL, NULL,    "mullet", "all topics are PREFIX/SITE/..."),
};
static const struct table mqtt_table = TABLE(mqtt_fields, mqtt_finish);

static const struct field signal_fields[] = {
	{.key = "format", .kind = KIND_CHOICE, .choices = "order|target", .later = "openadr3",
	 .help = "how its messages are written", MEMBER(signal_conf, format)},
	FIELD(signal_conf, topic,          KIND_TOPIC,    "topic",       NULL,  NULL,  "",     "where it speaks; default of order: PREFIX/SITE/order/NAME"),
	FIELD(signal_conf, stale_after_ms, KIND_DURATION, "stale_after", "1 s", "1 d", "90 s", "target only: silent for so long it is stale"),
	CHOICE(signal_conf, when_stale,    KIND_CHOICE,   "when_stale",  "curtail|hold|release", "curtail", "target only: what to do then"),
};
static const struct table signal_table = TABLE(signal_fields, signal_finish);

static const struct field grid_fields[] = {
	GROUPS(config, signals, n_signals, signal_conf, "signals", &signal_table, "", "who may steer the site"),
	LATER("simple_levels", "miner power left at OpenADR SIMPLE levels"),
	LATER("frequency", "shedding by grid frequency"),
};
static const struct table grid_table = TABLE(grid_fields, NULL);

static const struct field hpc_fields[] = {
	FIELD(config, hpc_plan, KIND_BOOLEAN, "plan", NULL, NULL, "false", "take the GPU scheduler's notices, on PREFIX/SITE/hpc/plan"),
};
static const struct table hpc_table = TABLE(hpc_fields, NULL);

static const struct field file_fields[] = {
	SECTION(0, "site", &site_table, NULL, "the site"),
	GROUPS(config, meters, n_meters, meter_group_conf, "meters", &meter_table, NULL, "power meters and PDUs"),
	GROUPS(config, miners, n_miners, miner_group_conf, "miners", &miner_table, "", "what is commanded"),
	SECTION(offsetof(struct config, mqtt), "mqtt", &mqtt_table, "", "the broker"),
	SECTION(0, "grid", &grid_table, "", "the outside"),
	SECTION(0, "hpc", &hpc_table, "", "the GPU side"),
	LATER("journal", "decisions that outlive a restart"),
};
const struct table site_file = TABLE(file_fields, config_finish);

#define REGISTER(member, kind, key, min, max, preset, help) \
	FIELD(register_row, member, kind, key, min, max, preset, help)
#define REGISTER_FIELDS(units) \
	REGISTER(conf.function, KIND_INTEGER, "function", "3", "4", NULL, "3: holding registers, 4: input registers"), \
	REGISTER(conf.address, KIND_ADDRESS, "address", "0", "65535", NULL, "0-based, as on the wire"), \
	REGISTER(type, KIND_NAME, "type", NULL, NULL, NULL, "int16 to float64"), \
	CHOICE(register_row, conf.low_word_first, KIND_CHOICE, "word_order", "big|little", "big", \
	       "big: the most significant register first"), \
	CHOICE(register_row, unit, KIND_LETTER, "unit", units, NULL, "of value times scale"), \
	REGISTER(conf.scale, KIND_NUMBER, "scale", NULL, NULL, "1", "value = register times scale"), \
	CHOICE(register_row, absent, KIND_CHOICES, "absent", "all-ones|largest|smallest", "", \
	       "bit patterns that mean not available")

static const struct field power_fields[] = {REGISTER_FIELDS("W|kW|MW")};
static const struct field energy_fields[] = {REGISTER_FIELDS("Wh|kWh|MWh")};
static const struct field frequency_fields[] = {REGISTER_FIELDS("Hz|mHz")};
static const struct table power_table = TABLE(power_fields, NULL);
static const struct table energy_table = TABLE(energy_fields, NULL);
static const struct table frequency_table = TABLE(frequency_fields, NULL);

static const struct field map_fields[] = {
	{.key = "power", .kind = KIND_REGISTER, .preset = NULL, .table = &power_table, MEMBER(register_map_conf, power),
	 .help = "power drawn; negative when feeding in"},
	{.key = "energy", .kind = KIND_REGISTER, .preset = "", .table = &energy_table, MEMBER(register_map_conf, energy),
	 .help = "lifetime counter of energy drawn"},
	{.key = "frequency", .kind = KIND_REGISTER, .preset = "", .table = &frequency_table, MEMBER(register_map_conf, frequency),
	 .help = "of the grid"},
	FIELD(register_map_conf, max_read, KIND_INTEGER, "max_read", "4",  "125", "125",   "most registers the device gives in one reply"),
	FIELD(register_map_conf, no_gaps,  KIND_BOOLEAN, "no_gaps",  NULL, NULL,  "false", "reads must not cross registers that are not in the map"),
};
const struct table register_map = TABLE(map_fields, NULL);

static const struct field catalogue_fields[] = {
	FIELD(catalogue_entry, name,   KIND_NAME, "name",   NULL, NULL, NULL, "as the site file says it; the file's name too"),
	FIELD(catalogue_entry, device, KIND_TEXT, "device", NULL, NULL, NULL, "make and models"),
	FIELD(catalogue_entry, source, KIND_TEXT, "source", NULL, NULL, NULL, "where the addresses were read"),
	FIELD(catalogue_entry, note,   KIND_TEXT, "note",   NULL, NULL, "",   "what to set or check on the device"),
	SECTION(offsetof(struct catalogue_entry, map), "registers", &register_map, NULL, "the map"),
};
const struct table catalogue_file = TABLE(catalogue_fields, NULL);
