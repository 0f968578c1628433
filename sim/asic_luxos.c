/* sim/asic_luxos.c - LuxOS: keys in alphabetical order at every level, sessions for whatever changes something. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/asic_request.h"

#define VERSION "2025.10.2.120000-5f3a1c0d"

enum { STEP_MHZ = 25, TOP_MHZ = 590 };

static void put_status(struct text *reply, int64_t utc_s, char status, int code, const char *msg)
{
	text_put(reply, "\"STATUS\":[{\"Code\":%d,\"Description\":\"LUXminer " VERSION "\",\"Msg\":", code);
	text_put_string(reply, msg);
	text_put(reply, ",\"STATUS\":\"%c\",\"When\":%lld}]", status, (long long)utc_s);
}

/* payload is what stands between the brackets; freed. */
static void answer(struct asic_call *call, int code, const char *msg, const char *key, struct text *payload)
{
	struct text *reply = call->reply;
	bool before = strcmp(key, "STATUS") < 0;
	text_put(reply, "{");
	if (before)
		text_put(reply, "\"%s\":[%s],", key, payload->at);
	put_status(reply, call->room->utc_s, 'S', code, msg);
	if (!before)
		text_put(reply, ",\"%s\":[%s]", key, payload->at);
	text_put(reply, ",\"id\":1}");
	text_free(payload);
}

static void fail(struct asic_call *call, int code, const char *msg)
{
	text_put(call->reply, "{");
	put_status(call->reply, call->room->utc_s, 'E', code, msg);
	text_put(call->reply, ",\"id\":1}");
}

static void refuse(struct asic_call *call, const char *parameter, int code, const char *msg)
{
	asic_tell(call, parameter, 'E', code, false);
	fail(call, code, msg);
}

/* ---- profiles: 25 MHz apart; watts fall a little faster than hashrate, because voltage goes down too ---- */

static double clock_share(unsigned profile)
{
	int mhz = TOP_MHZ - STEP_MHZ * (ASIC_PROFILES - 1 - (int)profile);
	return (double)mhz / TOP_MHZ;
}

static int32_t profile_w(const struct plant_miner_type *type, unsigned profile)
{
	double share = clock_share(profile);
	return (int32_t)lround(type->full_w * (0.45 * share + 0.55 * share * share));
}

static int profile_mhz(unsigned profile)
{
	return TOP_MHZ - STEP_MHZ * (ASIC_PROFILES - 1 - (int)profile);
}

/* This unit's limit under its profile; 0: the default, as much as it can. */
static int32_t limit_w(const struct asic_call *call)
{
	const struct plant_miner *unit = call->unit;
	if (call->asic->profile == ASIC_PROFILES - 1)
		return 0;
	return (int32_t)((int64_t)profile_w(unit->type, call->asic->profile) * unit->full_w / unit->type->full_w);
}

static void profiles(struct asic_call *call)
{
	const struct plant_miner_type *type = call->unit->type;
	struct text list = { 0 };
	for (unsigned p = 0; p < ASIC_PROFILES; p++)
		text_put(&list, "%s{\"CanRestore\":true,\"Frequency\":%d,\"HasOverrides\":false,\"Hashrate\":%.1f,"
		         "\"IsDynamic\":true,\"IsTuned\":%s,\"Profile Name\":\"%dMHz\",\"Step\":\"%d\",\"Voltage\":%.2f,"
		         "\"Watts\":%d}", p ? "," : "", profile_mhz(p), type->hashrate_ghs * clock_share(p) / 1000,
		         p == call->asic->profile ? "true" : "false", profile_mhz(p), (int)p - (ASIC_PROFILES - 1),
		         11.9 + 0.15 * p, profile_w(type, p));
	answer(call, 323, "Profiles", "PROFILES", &list);
}

/* default, +1, -3, 2800W, 2.8kW, or a name; -1: none of them. */
static int profile_asked(const struct asic_call *call, const char *text)
{
	char *end;
	double value = strtod(text, &end);
	if (strcmp(text, "default") == 0)
		return ASIC_PROFILES - 1;
	if ((text[0] == '+' || text[0] == '-') && end != text && !*end) {
		double p = call->asic->profile + value;
		return p >= 0 && p < ASIC_PROFILES ? (int)p : -1;
	}
	if (end != text && (strcmp(end, "W") == 0 || strcmp(end, "kW") == 0)) {
		double watts = *end == 'k' ? value * 1000 : value;
		int best = -1;
		for (int p = 0; p < ASIC_PROFILES && profile_w(call->unit->type, (unsigned)p) <= watts; p++)
			best = p;
		return best;
	}
	for (int p = 0; p < ASIC_PROFILES; p++)
		if (end != text && strcmp(end, "MHz") == 0 && lround(value) == profile_mhz((unsigned)p))
			return p;
	return -1;
}

/* ---- reports ---- */

static bool told_awake(const struct asic_call *call)
{
	return plant_miner_state(call->room->plant, call->miner, call->now_ms) != MINER_ASLEEP;
}

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

static void version(struct asic_call *call)
{
	struct text body = { 0 };
	text_put(&body, "{\"API\":\"3.7\",\"CompileTime\":\"Thu Oct  2 12:00:00 UTC 2025\",\"LUXminer\":\"" VERSION
	         "\",\"Miner\":\"2025.10.2.120000\",\"Type\":\"Antminer %s\"}",
	         call->unit->type == &plant_luxos_s21 ? "S21" : "S19k Pro");
	answer(call, 22, "LUXminer versions", "VERSION", &body);
}

static void power(struct asic_call *call)
{
	struct text body = { 0 };
	text_put(&body, "{\"PSU\":true,\"Watts\":%d}", plant_miner_told_w(call->room->plant, call->miner, call->now_ms));
	answer(call, 311, "Power usage", "POWER", &body);
}

static void config(struct asic_call *call)
{
	struct text body = { 0 };
	bool awake = told_awake(call);
	text_put(&body, "{\"ASC Count\":3,\"ActualPowerTarget\":0,\"ControlBoardType\":\"cvitek\",\"Cooling\":\"Air\","
	         "\"CurtailMode\":\"%s\",\"DHCP\":true,\"Hostname\":\"miner-%zu\",\"IdealPowerTarget\":0,"
	         "\"ImmersionMode\":false,\"IsAtmEnabled\":%s,\"IsPowerSupplyOn\":%s,\"IsPowerTargetEnabled\":false,"
	         "\"IsPowerTargetSupported\":false,\"IsSingleVoltage\":true,\"IsTuning\":false,",
	         awake ? "None" : "Sleep", call->miner, json_bool(call->asic->atm), json_bool(awake));
	text_put(&body, "\"Model\":\"Antminer %s\",\"NameplateTHS\":%.1f,\"OS\":\"LuxOS\",\"PGA Count\":0,\"Pool Count\":1,"
	         "\"PowerLimit\":0,\"Profile\":\"%dMHz\",\"ProfileStep\":\"%d\",\"RampMode\":\"Standard\","
	         "\"SystemStatus\":\"Normal\"}", call->unit->type == &plant_luxos_s21 ? "S21" : "S19k Pro",
	         call->unit->type->hashrate_ghs / 1000.0, profile_mhz(call->asic->profile),
	         call->asic->profile - (ASIC_PROFILES - 1));
	answer(call, 33, "LUXminer config", "CONFIG", &body);
}

static void summary(struct asic_call *call)
{
	struct text body = { 0 };
	int32_t ghs = plant_miner_hashrate_ghs(call->room->plant, call->miner, call->now_ms);
	text_put(&body, "{\"Accepted\":0,\"Best Share\":0,\"Elapsed\":%lld,\"Found Blocks\":0,\"GHS 15m\":%d.0,\"GHS 1m\":%d.0,"
	         "\"GHS 30m\":%d.0,\"GHS 5m\":%d.0,\"GHS 5s\":%d.0,\"GHS av\":%d.0,\"Hardware Errors\":0,\"Rejected\":0,"
	         "\"Stale\":0,\"Utility\":0.0}", (long long)(call->now_ms / 1000), ghs, ghs, ghs, ghs, ghs, ghs);
	answer(call, 11, "Summary", "SUMMARY", &body);
}

/* Boards come in no order. One that sleeps still says Alive, at 0 MHS. */
static void devs(struct asic_call *call)
{
	static const int order[ASIC_BOARDS] = { 2, 0, 1 };
	struct text body = { 0 };
	enum miner_state state = plant_miner_state(call->room->plant, call->miner, call->now_ms);
	double mhs = plant_miner_hashrate_ghs(call->room->plant, call->miner, call->now_ms) * 1000.0 / ASIC_BOARDS;
	for (int b = 0; b < ASIC_BOARDS; b++)
		text_put(&body, "%s{\"ASC\":%d,\"Accepted\":0,\"Board\":\"BHB56903\",\"Enabled\":\"Y\",\"ID\":%d,\"IsRamping\":%s,"
		         "\"IsUserShutdown\":false,\"MHS 5s\":%.1f,\"MHS av\":%.1f,\"Name\":\"\",\"Nominal MHS\":%.1f,"
		         "\"Profile\":\"%dMHz\",\"Status\":\"Alive\",\"Temperature\":%.1f}", b ? "," : "", order[b], order[b],
		         json_bool(state == MINER_RAMPING), mhs, mhs, call->unit->type->hashrate_ghs * 1000.0 / ASIC_BOARDS,
		         profile_mhz(call->asic->profile), state == MINER_ASLEEP ? 30.0 : 55.0);
	answer(call, 9, "3 ASC(s)", "DEVS", &body);
}

static void atm(struct asic_call *call)
{
	struct text body = { 0 };
	text_put(&body, "{\"Enabled\":%s,\"MaxProfile\":\"\",\"MinProfile\":\"\",\"PostRampMinutes\":5,\"StartupMinutes\":5,"
	         "\"TempWindow\":3.0}", json_bool(call->asic->atm));
	answer(call, 339, "ATM configuration values", "ATM", &body);
}

/* ---- sessions ---- */

static void expire(struct asic_call *call)
{
	if (call->now_ms - call->asic->session_used_ms >= ASIC_SESSION_MS)
		call->asic->session[0] = '\0';
	if (call->unit->fault == PLANT_BUSY)            /* somebody else logs on again and again */
		asic_hold_session(call->asic, call->now_ms);
}

static void answer_session(struct asic_call *call, int code, const char *msg)
{
	struct text body = { 0 };
	text_put(&body, "{\"SessionID\":\"%s\"}", call->asic->session);
	answer(call, code, msg, "SESSION", &body);
}

static void logon(struct asic_call *call)
{
	struct asic *asic = call->asic;
	expire(call);
	if (asic->session[0]) {
		refuse(call, "", 402, "Another session is active");
		return;
	}
	uint64_t mixed = (call->miner + 1) * 0x9E3779B97F4A7C15u ^ (uint64_t)++asic->sessions * 0xD1B54A32D192ED03u;
	for (size_t c = 0; c < 8; c++, mixed >>= 5)
		asic->session[c] = "abcdefghijkmnpqrstuvwxyzABCDEFGH"[mixed & 31];
	asic->session[8] = '\0';
	asic->session_used_ms = call->now_ms;
	asic_tell(call, "", 'S', 316, false);
	answer_session(call, 316, "Session created");
}

static void session(struct asic_call *call)
{
	expire(call);
	answer_session(call, 319, "Session ID");
}

static void kill_session(struct asic_call *call)
{
	struct text body = { 0 };
	call->asic->session[0] = '\0';
	asic_tell(call, "", 'S', 318, false);
	text_put(&body, "{\"SessionID\":\"\"}");
	answer(call, 318, "Session killed", "SESSION", &body);
}

/* The parameter after the session, if that is the one in force; else NULL, and the refusal is told. */
static const char *with_session(struct asic_call *call)
{
	size_t n = strcspn(call->parameter, ",");
	const char *rest = call->parameter[n] ? call->parameter + n + 1 : "";
	expire(call);
	if (n == 0 || n != strlen(call->asic->session) || strncmp(call->parameter, call->asic->session, n) != 0) {
		refuse(call, rest, 401, n ? "Invalid session id" : "Session id is required");
		return NULL;
	}
	call->asic->session_used_ms = call->now_ms;
	return rest;
}

static void logoff(struct asic_call *call)
{
	struct text body = { 0 };
	if (!with_session(call))
		return;
	call->asic->session[0] = '\0';
	asic_tell(call, "", 'S', 317, false);
	text_put(&body, "{\"SessionID\":\"\"}");
	answer(call, 317, "Session terminated", "SESSION", &body);
}

/* ---- what changes something ---- */

static void curtailed(struct asic_call *call, const char *asked, const char *action, bool moves)
{
	struct text body = { 0 };
	asic_tell(call, asked, 'S', 335, moves);
	text_put(&body, "{\"Action\":\"%s\"}", action);
	answer(call, 335, "Curtailment command sent", "CURTAIL", &body);
}

static void wake_up(struct asic_call *call, const char *asked)
{
	struct plant *plant = call->room->plant;
	bool unsafe = strstr(asked, "mode=unsafe");
	if (told_awake(call))
		refuse(call, asked, 336, "Miner is already awake");
	else if (unsafe && call->unit->was_off)
		refuse(call, asked, 337, "Unsafe wake up is not allowed after a restart");
	else if (unsafe)
		curtailed(call, asked, "wake up", plant_wake_unsafe(plant, call->miner, call->now_ms));
	else
		curtailed(call, asked, "wake up", plant_order(plant, call->miner, call->now_ms, true, limit_w(call)));
}

static void curtail(struct asic_call *call)
{
	const char *asked = with_session(call);
	if (!asked)
		return;
	if (strncmp(asked, "wakeup", 6) == 0 && (!asked[6] || asked[6] == ','))
		wake_up(call, asked);
	else if (strcmp(asked, "sleep") != 0)
		refuse(call, asked, 338, "Invalid curtail mode");
	else if (!told_awake(call))
		refuse(call, asked, 336, "Miner is already in sleep mode");
	else
		curtailed(call, asked, "sleep mode", plant_order(call->room->plant, call->miner, call->now_ms, false, 0));
}

static void profileset(struct asic_call *call)
{
	const char *asked = with_session(call);
	if (!asked)
		return;
	int profile = profile_asked(call, asked);
	if (profile < 0) {
		refuse(call, asked, 322, "Profile not found");
		return;
	}
	struct text body = { 0 };
	bool moves = false;
	if (!call->asic->atm)
		call->asic->profile = (uint8_t)profile;
	if (!call->asic->atm && told_awake(call))
		moves = plant_order(call->room->plant, call->miner, call->now_ms, true, limit_w(call));
	asic_tell(call, asked, 'S', 321, moves);
	text_put(&body, "{\"Board\":\"all\",\"FrequencyStep\":5,\"Profile\":\"%dMHz\",\"VoltageStep\":0.05}",
	         profile_mhz((unsigned)profile));
	answer(call, 321, "Set profile", "PROFILE", &body);
}

static void atmset(struct asic_call *call)
{
	const char *asked = with_session(call);
	if (!asked)
		return;
	if (strncmp(asked, "enabled=", 8) == 0)
		call->asic->atm = strcmp(asked + 8, "true") == 0;
	asic_tell(call, asked, 'S', 340, false);
	struct text body = { 0 };
	text_put(&body, "{\"Enabled\":%s}", json_bool(call->asic->atm));
	answer(call, 340, "ATM configuration updated", "ATM", &body);
}

static void rebootdevice(struct asic_call *call)
{
	struct text body = { 0 };
	if (!with_session(call))
		return;
	plant_reboot(call->room->plant, call->miner, call->now_ms);
	call->asic->session[0] = '\0';
	asic_tell(call, "", 'S', 342, true);
	text_put(&body, "{\"Reboot\":true}");
	answer(call, 342, "Rebooting", "REBOOT", &body);
}

static const struct asic_verb verbs[] = {
	{ "version", true, version }, { "power", true, power }, { "config", true, config }, { "summary", true, summary },
	{ "devs", true, devs }, { "profiles", true, profiles }, { "atm", true, atm }, { "session", true, session },
	{ "logon", false, logon }, { "logoff", false, logoff }, { "kill", false, kill_session },
	{ "curtail", false, curtail }, { "profileset", false, profileset }, { "atmset", false, atmset },
	{ "rebootdevice", false, rebootdevice },
};

const struct asic_dialect_of asic_luxos = { verbs, sizeof verbs / sizeof *verbs, fail };
