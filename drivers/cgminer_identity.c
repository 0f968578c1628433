#include "drivers/cgminer_identity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST_W   50000                  /* no single miner is built for more */
#define MOST_GHS 10e6

static const struct { const char *name, *driver; } firmwares[] = {
	[FIRMWARE_UNKNOWN]    = { "unknown", NULL },
	[FIRMWARE_LUXOS]      = { "LuxOS", "luxos" },
	[FIRMWARE_CGMINER]    = { "CGMiner", "cgminer" },
	[FIRMWARE_ANTMINER]   = { "Antminer", "cgminer" },
	[FIRMWARE_BRAIINS]    = { "Braiins", NULL },
	[FIRMWARE_VNISH]      = { "VNish", NULL },
	[FIRMWARE_WHATSMINER] = { "WhatsMiner", NULL },
	[FIRMWARE_AVALON]     = { "Avalon", NULL },
	[FIRMWARE_AURADINE]   = { "Auradine", NULL },
};

const char *firmware_name(enum firmware firmware)
{
	return firmwares[firmware].name;
}

const char *firmware_driver(enum firmware firmware)
{
	return firmwares[firmware].driver;
}

static const char *const requests[] = {
	[ASK_JOINED] = "version+power+config+summary+profiles",
	[ASK_VERSION] = "version", [ASK_GET_VERSION] = "get_version", [ASK_SUMMARY] = "summary", [ASK_POWER] = "power",
	[ASK_CONFIG] = "config", [ASK_PROFILES] = "profiles", [ASK_DEVDETAILS] = "devdetails", [ASK_STATS] = "stats",
	[ASK_TUNER] = "tunerstatus", [ASK_NOTHING] = NULL,
};

const char *identity_request(enum identity_read read)
{
	return requests[read];
}

#define BIT(read) (1u << (read))

static unsigned of_use(const struct miner_inquiry *about)
{
	switch (about->is.firmware) {
	case FIRMWARE_UNKNOWN:
		return BIT(ASK_JOINED) | BIT(ASK_VERSION) | BIT(ASK_GET_VERSION) | BIT(ASK_SUMMARY);
	case FIRMWARE_LUXOS:
		return BIT(ASK_SUMMARY) | BIT(ASK_POWER) | BIT(ASK_CONFIG) | BIT(ASK_PROFILES);
	case FIRMWARE_CGMINER:
	case FIRMWARE_ANTMINER:
	case FIRMWARE_VNISH:
	case FIRMWARE_AURADINE:
		return BIT(ASK_SUMMARY);
	case FIRMWARE_WHATSMINER:
		return BIT(ASK_SUMMARY) | BIT(ASK_GET_VERSION) | BIT(ASK_DEVDETAILS);
	case FIRMWARE_AVALON:
		return BIT(ASK_SUMMARY) | BIT(ASK_STATS);
	case FIRMWARE_BRAIINS:
		return BIT(ASK_SUMMARY) | BIT(ASK_DEVDETAILS) | BIT(ASK_TUNER);
	}
	return 0;
}

enum identity_read identity_next(struct miner_inquiry *about)
{
	unsigned left = of_use(about) & ~(unsigned)about->asked & ~(unsigned)about->told;
	for (enum identity_read read = ASK_JOINED; read < ASK_NOTHING; read++) {
		if (!(left & BIT(read)))
			continue;
		about->asked |= (uint16_t)BIT(read);
		return read;
	}
	return ASK_NOTHING;
}

/* ---- facts ---- */

static void keep_text(char *to, size_t size, const char *text)
{
	size_t n = 0;
	text += text ? strspn(text, " '\t\r\n") : 0;
	for (; text && *text && n < size - 1; text++)
		to[n++] = *text > 0 && isprint((unsigned char)*text) ? *text : '?';
	while (n > 0 && strchr(" '", to[n - 1]))
		n--;
	if (n > 0)
		to[n] = '\0';
}
#define KEEP(member, text) keep_text(member, sizeof member, text)

static void keep_mac(struct miner_inquiry *about, const char *text)
{
	if (!text || strlen(text) != sizeof about->is.mac - 1 || strspn(text, "0123456789abcdefABCDEF:") != sizeof about->is.mac - 1)
		return;
	for (size_t i = 0; text[i]; i++)
		about->is.mac[i] = (char)tolower((unsigned char)text[i]);
}

static void keep_power(struct miner_inquiry *about, const cJSON *object, const char *key)
{
	double watts;
	if (!cgminer_json_number(object, key, &watts) || watts <= 0 || watts > MOST_W)
		return;
	about->is.knows_power = true;
	about->is.power_w = (int32_t)(watts + 0.5);
}

static bool has(const cJSON *object, const char *key)
{
	return cgminer_json_get(object, key) != NULL;
}

static bool says(const cJSON *object, const char *key, const char *word)
{
	const char *text = cgminer_json_text(object, key);
	return text && strcasestr(text, word);
}

static enum firmware firmware_of(const cJSON *version)
{
	if (has(version, "LUXminer"))
		return FIRMWARE_LUXOS;
	if (has(version, "BOSminer") || has(version, "BOSminer+") || has(version, "BOSer"))
		return FIRMWARE_BRAIINS;
	if (has(version, "GCMiner"))
		return FIRMWARE_AURADINE;
	if (says(version, "PROD", "avalon") || (has(version, "DNA") && has(version, "HWTYPE")))
		return FIRMWARE_AVALON;
	if (says(version, "Type", "vnish") || says(version, "Miner", "vnish") || says(version, "CompileTime", "vnish"))
		return FIRMWARE_VNISH;
	if (has(version, "BMMiner") || says(version, "Type", "antminer"))
		return FIRMWARE_ANTMINER;
	return FIRMWARE_CGMINER;
}

static void take_version(struct miner_inquiry *about, const cJSON *member)
{
	static const char *const versions[][4] = {
		[FIRMWARE_UNKNOWN] = { "API" },
		[FIRMWARE_LUXOS] = { "LUXminer" }, [FIRMWARE_CGMINER] = { "CGMiner", "Miner", "SGMiner" },
		[FIRMWARE_ANTMINER] = { "Miner", "BMMiner", "CGMiner" }, [FIRMWARE_VNISH] = { "Miner", "CGMiner" },
		[FIRMWARE_BRAIINS] = { "BOSer", "BOSminer+", "BOSminer" }, [FIRMWARE_AURADINE] = { "GCMiner" },
		[FIRMWARE_AVALON] = { "LVERSION", "VERSION", "CGMiner" }, [FIRMWARE_WHATSMINER] = { "CGMiner" },
	};
	bool empty;
	const cJSON *version = cgminer_section(member, "VERSION", &empty);
	if (!version)
		return;
	about->told |= BIT(ASK_VERSION);
	about->is.firmware = firmware_of(version);
	for (const char *const *key = versions[about->is.firmware]; *key && !about->is.version[0]; key++)
		KEEP(about->is.version, cgminer_json_text(version, *key));
	KEEP(about->is.model, cgminer_json_text(version, about->is.firmware == FIRMWARE_AVALON ? "PROD" : "Type"));
	keep_mac(about, cgminer_json_text(version, "MAC"));
}

static void take_get_version(struct miner_inquiry *about, const cJSON *reply)
{
	const cJSON *msg = cgminer_json_get(reply, "Msg");
	if (!has(msg, "api_ver") && !has(msg, "fw_ver"))
		return;
	about->told |= BIT(ASK_GET_VERSION);
	about->is.firmware = FIRMWARE_WHATSMINER;
	KEEP(about->is.version, cgminer_json_text(msg, "fw_ver"));
	KEEP(about->is.model, cgminer_json_text(msg, "miner_type"));
}

/* btminer moved its summary from SUMMARY[0] into Msg, and is told apart from other cgminers by what it adds. */
static void take_summary(struct miner_inquiry *about, const cJSON *member)
{
	bool empty;
	double ghs;
	const cJSON *summary = cgminer_section(member, "SUMMARY", &empty), *msg = cgminer_json_get(member, "Msg");
	struct cgminer_status status = cgminer_status(member);
	if (!summary && has(msg, "Elapsed"))
		summary = msg;
	if (!summary && (!empty || cgminer_failed(&status)))
		return;
	about->told |= BIT(ASK_SUMMARY);
	if (has(summary, "Power Limit") || has(summary, "HS RT") || has(summary, "Hash Stable")) {
		about->is.firmware = FIRMWARE_WHATSMINER;
		KEEP(about->is.version, cgminer_json_text(summary, "Firmware Version"));
		keep_power(about, summary, "Power");
		keep_power(about, summary, "Power_RT");
		keep_mac(about, cgminer_json_text(summary, "MAC"));
	}
	about->is.state = empty ? MINER_ASLEEP : MINER_UNKNOWN;       /* stock Antminers asleep have an empty one */
	if (!cgminer_rate_ghs(summary, &ghs) || ghs < 0 || ghs > MOST_GHS)
		return;
	about->is.knows_rate = true;
	about->is.hashrate_ghs = (int32_t)(ghs + 0.5);
	about->is.state = about->is.hashrate_ghs > 0 ? MINER_HASHING : MINER_UNKNOWN;
}

static void take_config(struct miner_inquiry *about, const cJSON *member)
{
	bool empty;
	const cJSON *config = cgminer_section(member, "CONFIG", &empty);
	if (!config)
		return;
	about->told |= BIT(ASK_CONFIG);
	keep_mac(about, cgminer_json_text(config, "MACAddr"));
	KEEP(about->is.serial, cgminer_json_text(config, "SerialNumber"));
	KEEP(about->is.model, cgminer_json_text(config, "Model"));
}

static void take_devdetails(struct miner_inquiry *about, const cJSON *member)
{
	bool empty;
	const cJSON *first = cgminer_section(member, "DEVDETAILS", &empty);
	if (!first)
		return;
	about->told |= BIT(ASK_DEVDETAILS);
	KEEP(about->is.model, cgminer_json_text(first, "Model"));
}

static void take_tuner(struct miner_inquiry *about, const cJSON *member)
{
	bool empty;
	const cJSON *tuner = cgminer_section(member, "TUNERSTATUS", &empty);
	if (!tuner)
		return;
	about->told |= BIT(ASK_TUNER);
	keep_power(about, tuner, "ApproximateMinerPowerConsumption");
}

/* Avalon packs all into strings of KEY[value …]: what stands in the brackets behind KEY; NULL: no such key. */
static const char *packed(const char *text, const char *key)
{
	size_t n = strlen(key);
	for (const char *c = text; (c = strstr(c, key)); c += n) {
		if ((c == text || !isalnum((unsigned char)c[-1])) && c[n] == '[')
			return c + n + 1;
	}
	return NULL;
}

/* PS[error control-V hash-V A out-W set-V wall-W]; older ones end before the last. */
static void take_packed(struct miner_inquiry *about, const char *text)
{
	const char *supply = packed(text, "PS"), *wall = packed(text, "WALLPOWER"), *off = packed(text, "SoftOFF");
	long field[7] = { 0 };
	char *end;
	for (int i = 0; i < 7 && supply && *supply != ']'; i++, supply = end) {
		field[i] = strtol(supply, &end, 10);
		if (end == supply)
			break;
	}
	long watts = wall ? strtol(wall, NULL, 10) : field[6] > 0 ? field[6] : field[4];
	if (packed(text, "Ver"))
		about->told |= BIT(ASK_STATS);
	if (watts > 0 && watts <= MOST_W) {
		about->is.knows_power = true;
		about->is.power_w = (int32_t)watts;
	}
	if (off && strtol(off, NULL, 10) != 0)
		about->is.state = MINER_ASLEEP;
}

static void take_luxos(struct miner_inquiry *about, const char *text)
{
	bool nothing;
	struct miner_reading reading = { 0 };
	luxos_decode(text, &about->luxos, &nothing);
	luxos_decode_tables(text, &about->tables, &nothing);
	about->told |= (uint16_t)(about->luxos.knows_power ? BIT(ASK_POWER) : 0);
	about->told |= (uint16_t)(about->tables.knows_profiles ? BIT(ASK_PROFILES) : 0);
	about->is.can_curtail = about->luxos.can_curtail;
	about->is.atm = about->luxos.atm;
	about->is.n_profiles = about->tables.n;
	about->is.awake_w = luxos_profile_w(about->tables.rungs, about->tables.n, about->luxos.profile);
	if (luxos_judge(&about->luxos, 0, &reading) != FAULT_NONE)
		return;
	about->is.state = reading.state;
	about->is.knows_power = reading.knows_power;
	about->is.power_w = reading.power_w;
}

enum fault identity_take(struct miner_inquiry *about, enum identity_read read, const char *text)
{
	cJSON *tree = cgminer_json_parse(text);
	if (!cJSON_IsObject(tree)) {
		cJSON_Delete(tree);
		return FAULT_GARBLED;
	}
	take_version(about, cgminer_member(tree, "version"));
	take_get_version(about, tree);
	take_summary(about, cgminer_member(tree, "summary"));
	if (about->is.firmware == FIRMWARE_LUXOS) {
		take_config(about, cgminer_member(tree, "config"));
		take_luxos(about, text);
	}
	take_devdetails(about, cgminer_member(tree, "devdetails"));
	take_tuner(about, cgminer_member(tree, "tunerstatus"));
	if (read == ASK_STATS)
		take_packed(about, text);
	bool speaks = about->told || cgminer_status(tree).letter;
	cJSON_Delete(tree);
	return speaks ? FAULT_NONE : FAULT_GARBLED;
}
