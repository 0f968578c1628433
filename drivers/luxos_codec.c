#include "drivers/luxos_codec.h"

#include <string.h>
#include <strings.h>

#define MOST_UNTOLD_W 50000             /* no single miner is built for more */
#define MOST_GHS 10e6
#define FNV_BASIS UINT64_C(14695981039346656037)

/* FNV-1a; a 0 between the texts keeps "ab","c" and "a","bc" apart. */
static uint64_t mix(uint64_t hash, const char *text)
{
	for (const char *c = text ? text : "";; c++) {
		hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
		if (!*c)
			return hash;
	}
}

static void take_power(const cJSON *member, struct luxos_seen *seen, bool *nothing)
{
	bool empty;
	const cJSON *power = cgminer_section(member, "POWER", &empty);
	if (power)
		*nothing = false;
	if (cgminer_json_number(power, "Watts", &seen->power_w))
		seen->knows_power = true;
}

/* Older builds also have a mode "idle"; only "None" is awake. */
static bool is_curtailed(const char *mode)
{
	return strncasecmp(mode, "sleep", 5) == 0 || strncasecmp(mode, "idle", 4) == 0;
}

/* The control board's MAC; without one, or where it is masked, the serial number. */
static uint64_t identity_of(const cJSON *config)
{
	const char *mac = cgminer_json_text(config, "MACAddr"), *serial = cgminer_json_text(config, "SerialNumber");
	if (mac && strspn(mac, "0:-") < strlen(mac))
		return mix(FNV_BASIS, mac);
	return serial && strpbrk(serial, "123456789") ? mix(FNV_BASIS, serial) : 0;
}

static void take_config(const cJSON *member, struct luxos_seen *seen, bool *nothing)
{
	bool empty;
	const cJSON *config = cgminer_section(member, "CONFIG", &empty);
	if (!config)
		return;
	*nothing = false;
	seen->knows_config = true;
	const char *mode = cgminer_json_text(config, "CurtailMode");
	const char *profile = cgminer_json_text(config, "Profile");
	seen->can_curtail = mode != NULL;
	seen->curtailed = mode && is_curtailed(mode);
	seen->knows_supply = cgminer_json_bool(config, "IsPowerSupplyOn", &seen->supply_on);
	cgminer_json_bool(config, "IsAtmEnabled", &seen->atm);
	if (profile && strlen(profile) < sizeof seen->profile)
		memcpy(seen->profile, profile, strlen(profile) + 1);
	struct cgminer_status status = cgminer_status(member);
	seen->fingerprint = mix(FNV_BASIS, status.description);
	seen->fingerprint = mix(seen->fingerprint, cgminer_json_text(config, "Model"));
	seen->firmware = status.description[0] ? seen->fingerprint : 0;
	seen->fingerprint = mix(seen->fingerprint, profile);
	seen->identity = identity_of(config);
}

static void take_summary(const cJSON *member, struct luxos_seen *seen, bool *nothing)
{
	bool empty;
	const cJSON *summary = cgminer_section(member, "SUMMARY", &empty);
	if (!summary)
		return;
	*nothing = false;
	seen->knows_rate = cgminer_rate_ghs(summary, &seen->ghs);
}

enum fault luxos_decode(const char *text, struct luxos_seen *seen, bool *nothing)
{
	cJSON *tree = cgminer_json_parse(text);
	*nothing = true;
	if (cJSON_IsObject(tree)) {
		struct cgminer_status whole = cgminer_status(tree);
		seen->denied |= cgminer_failed(&whole);
		take_power(cgminer_member(tree, "power"), seen, nothing);
		take_config(cgminer_member(tree, "config"), seen, nothing);
		take_summary(cgminer_member(tree, "summary"), seen, nothing);
	}
	enum fault fault = cJSON_IsObject(tree) ? FAULT_NONE : FAULT_GARBLED;
	cJSON_Delete(tree);
	return fault;
}

static void take_rung(const cJSON *item, struct luxos_tables *tables)
{
	const char *name = cgminer_json_text(item, "Profile Name");
	double watts, step;
	if (tables->n == LUXOS_MOST_RUNGS || !name || !name[0] || strlen(name) >= LUXOS_NAME ||
	    !cgminer_json_number(item, "Watts", &watts) || watts < 1 || watts > MOST_UNTOLD_W)
		return;
	struct luxos_rung *rung = &tables->rungs[tables->n++];
	rung->power_w = (int32_t)(watts + 0.5);
	rung->over = cgminer_json_number(item, "Step", &step) && step > 0;
	memcpy(rung->name, name, strlen(name) + 1);
}

enum fault luxos_decode_tables(const char *text, struct luxos_tables *tables, bool *nothing)
{
	bool empty;
	cJSON *tree = cgminer_json_parse(text);
	const cJSON *version = cgminer_section(cgminer_member(tree, "version"), "VERSION", &empty);
	const cJSON *profiles = cgminer_json_get(cgminer_member(tree, "profiles"), "PROFILES"), *item;
	if (version) {
		tables->knows_version = true;
		tables->is_luxos = cgminer_json_text(version, "LUXminer") != NULL;
	}
	if (cJSON_IsArray(profiles)) {
		tables->knows_profiles = true;
		tables->n = 0;
		cJSON_ArrayForEach(item, profiles)
			take_rung(item, tables);
	}
	*nothing = !version && !cJSON_IsArray(profiles);
	enum fault fault = cJSON_IsObject(tree) ? FAULT_NONE : FAULT_GARBLED;
	cJSON_Delete(tree);
	return fault;
}

int32_t luxos_profile_w(const struct luxos_rung *rungs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rungs[i].name, name) == 0)
			return rungs[i].power_w;
	}
	return 0;
}

/* profileset takes a first field 0 to 3 for a board, and a sign for a step from where it is. Commas part fields. */
static bool can_be_named(const char *name)
{
	if (strchr("+-", name[0]) || (strchr("0123", name[0]) && !name[1]))
		return false;
	for (const char *c = name; *c; c++) {
		if (*c <= ' ' || *c > '~' || strchr(",=\"\\|", *c))
			return false;
	}
	return true;
}

const struct luxos_rung *luxos_rung_under(const struct luxos_rung *rungs, size_t n, int32_t limit_w)
{
	const struct luxos_rung *best = NULL, *lowest = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct luxos_rung *rung = &rungs[i];
		if (!can_be_named(rung->name))
			continue;
		if (rung->power_w <= limit_w && (!best || rung->power_w > best->power_w))
			best = rung;
		if (!lowest || rung->power_w < lowest->power_w)
			lowest = rung;
	}
	return best ? best : lowest;
}

static int32_t off_by_w(const struct luxos_rung *rung, int32_t w)
{
	return rung->power_w > w ? rung->power_w - w : w - rung->power_w;
}

const struct luxos_rung *luxos_rung_full(const struct luxos_rung *rungs, size_t n, int32_t nominal_w, const char *own)
{
	const struct luxos_rung *nearest = NULL, *mine = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!can_be_named(rungs[i].name))
			continue;
		if (strcmp(rungs[i].name, own) == 0)
			mine = &rungs[i];
		if (!rungs[i].over && (!nearest || off_by_w(&rungs[i], nominal_w) < off_by_w(nearest, nominal_w)))
			nearest = &rungs[i];
	}
	return mine && (!nearest || mine->power_w >= nearest->power_w) ? mine : nearest;
}

/* Boards may call themselves alive while it sleeps, and rates outlast the hashing: CurtailMode goes before both. */
static enum miner_state state_of(const struct luxos_seen *seen, int32_t usual_w)
{
	if (seen->curtailed || (seen->knows_supply && !seen->supply_on))
		return MINER_ASLEEP;
	if (seen->knows_rate && seen->ghs > 0)
		return MINER_HASHING;
	if (!seen->knows_config)        /* hashing nothing on next to nothing is asleep */
		return seen->knows_rate && seen->knows_power && seen->power_w * 10 < usual_w ? MINER_ASLEEP : MINER_UNKNOWN;
	return seen->knows_rate ? MINER_RAMPING : seen->knows_supply ? MINER_HASHING : MINER_UNKNOWN;
}

enum fault luxos_judge(const struct luxos_seen *seen, int32_t usual_w, struct miner_reading *reading)
{
	double most_w = usual_w > 0 ? 3.0 * usual_w : MOST_UNTOLD_W;
	if (!seen->knows_config && !seen->knows_rate)
		return seen->denied ? FAULT_REFUSED : FAULT_GARBLED;
	if (seen->knows_power && (seen->power_w < 0 || seen->power_w > most_w))
		return FAULT_ABSURD;
	if (seen->knows_rate && (seen->ghs < 0 || seen->ghs > MOST_GHS))
		return FAULT_ABSURD;
	reading->state = state_of(seen, usual_w);
	reading->identity = seen->identity;
	reading->firmware = seen->firmware;
	reading->knows_power = seen->knows_power;
	reading->power_w = seen->knows_power ? (int32_t)(seen->power_w + 0.5) : 0;
	reading->hashrate_ghs = seen->knows_rate ? (int32_t)(seen->ghs + 0.5) : 0;
	return FAULT_NONE;
}
