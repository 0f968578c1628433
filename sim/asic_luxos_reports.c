/* sim/asic_luxos_reports.c - what LuxOS tells without a session. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/asic_luxos.h"

enum { STEP_MHZ = 25, TOP_MHZ = 590 };

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

int luxos_profile_mhz(unsigned profile)
{
	return TOP_MHZ - STEP_MHZ * (ASIC_PROFILES - 1 - (int)profile);
}

/* This unit's limit under its profile; 0: the default, as much as it can. */
int32_t luxos_limit_w(const struct asic_call *call)
{
	const struct plant_miner *unit = call->unit;
	if (call->asic->profile == ASIC_PROFILES - 1)
		return 0;
	return (int32_t)((int64_t)profile_w(unit->type, call->asic->profile) * unit->full_w / unit->type->full_w);
}

int32_t asic_luxos_least_w(const struct plant_miner_type *type)
{
	unsigned profile = 0;
	while (profile < ASIC_PROFILES - 1 && profile_w(type, profile) < type->least_w)
		profile++;
	return profile_w(type, profile);
}

void luxos_profiles(struct asic_call *call)
{
	const struct plant_miner_type *type = call->unit->type;
	struct text list = { 0 };
	for (unsigned p = 0; p < ASIC_PROFILES; p++)
		text_put(&list, "%s{\"CanRestore\":true,\"Frequency\":%d,\"HasOverrides\":false,\"Hashrate\":%.1f,"
		         "\"IsDynamic\":true,\"IsTuned\":%s,\"Profile Name\":\"%dMHz\",\"Step\":\"%d\",\"Voltage\":%.2f,"
		         "\"Watts\":%d}", p ? "," : "", luxos_profile_mhz(p), type->hashrate_ghs * clock_share(p) / 1000,
		         p == call->asic->profile ? "true" : "false", luxos_profile_mhz(p), (int)p - (ASIC_PROFILES - 1),
		         11.9 + 0.15 * p, profile_w(type, p));
	luxos_answer(call, 323, "Profiles", "PROFILES", &list);
}

/* default, +1, -3, 2800W, 2.8kW, or a name; -1: none of them. */
int luxos_profile_asked(const struct asic_call *call, const char *text)
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
		if (end != text && strcmp(end, "MHz") == 0 && lround(value) == luxos_profile_mhz((unsigned)p))
			return p;
	return -1;
}

/* ---- reports ---- */

bool luxos_told_awake(const struct asic_call *call)
{
	return plant_miner_state(call->room->plant, call->miner, call->now_ms) != MINER_ASLEEP;
}

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

void luxos_version(struct asic_call *call)
{
	struct text body = { 0 };
	text_put(&body, "{\"API\":\"3.7\",\"CompileTime\":\"Thu Oct  2 12:00:00 UTC 2025\",\"LUXminer\":\"" LUXOS_VERSION
	         "\",\"Miner\":\"2025.10.2.120000\",\"Type\":\"Antminer %s\"}",
	         call->unit->type == &plant_luxos_s21 ? "S21" : "S19k Pro");
	luxos_answer(call, 22, "LUXminer versions", "VERSION", &body);
}

void luxos_power(struct asic_call *call)
{
	struct text body = { 0 };
	text_put(&body, "{\"PSU\":true,\"Watts\":%d}", plant_miner_told_w(call->room->plant, call->miner, call->now_ms));
	luxos_answer(call, 311, "Power usage", "POWER", &body);
}

void luxos_config(struct asic_call *call)
{
	struct text body = { 0 };
	bool awake = luxos_told_awake(call);
	text_put(&body, "{\"ASC Count\":3,\"ActualPowerTarget\":0,\"ControlBoardType\":\"cvitek\",\"Cooling\":\"Air\","
	         "\"CurtailMode\":\"%s\",\"DHCP\":true,\"Hostname\":\"miner-%zu\",\"IdealPowerTarget\":0,"
	         "\"ImmersionMode\":false,\"IsAtmEnabled\":%s,\"IsPowerSupplyOn\":%s,\"IsPowerTargetEnabled\":false,"
	         "\"IsPowerTargetSupported\":false,\"IsSingleVoltage\":true,\"IsTuning\":false,",
	         awake ? "None" : "Sleep", call->miner, json_bool(call->asic->atm), json_bool(awake));
	text_put(&body, "\"Model\":\"Antminer %s\",\"NameplateTHS\":%.1f,\"OS\":\"LuxOS\",\"PGA Count\":0,\"Pool Count\":1,"
	         "\"PowerLimit\":0,\"Profile\":\"%dMHz\",\"ProfileStep\":\"%d\",\"RampMode\":\"Standard\","
	         "\"SystemStatus\":\"Normal\"}", call->unit->type == &plant_luxos_s21 ? "S21" : "S19k Pro",
	         call->unit->type->hashrate_ghs / 1000.0, luxos_profile_mhz(call->asic->profile),
	         call->asic->profile - (ASIC_PROFILES - 1));
	luxos_answer(call, 33, "LUXminer config", "CONFIG", &body);
}

void luxos_summary(struct asic_call *call)
{
	struct text body = { 0 };
	int32_t ghs = plant_miner_hashrate_ghs(call->room->plant, call->miner, call->now_ms);
	text_put(&body, "{\"Accepted\":0,\"Best Share\":0,\"Elapsed\":%lld,\"Found Blocks\":0,\"GHS 15m\":%d.0,\"GHS 1m\":%d.0,"
	         "\"GHS 30m\":%d.0,\"GHS 5m\":%d.0,\"GHS 5s\":%d.0,\"GHS av\":%d.0,\"Hardware Errors\":0,\"Rejected\":0,"
	         "\"Stale\":0,\"Utility\":0.0}", (long long)(call->now_ms / 1000), ghs, ghs, ghs, ghs, ghs, ghs);
	luxos_answer(call, 11, "Summary", "SUMMARY", &body);
}

/* Boards come in no order. One that sleeps still says Alive, at 0 MHS. */
void luxos_devs(struct asic_call *call)
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
		         luxos_profile_mhz(call->asic->profile), state == MINER_ASLEEP ? 30.0 : 55.0);
	luxos_answer(call, 9, "3 ASC(s)", "DEVS", &body);
}

void luxos_atm(struct asic_call *call)
{
	struct text body = { 0 };
	text_put(&body, "{\"Enabled\":%s,\"MaxProfile\":\"\",\"MinProfile\":\"\",\"PostRampMinutes\":5,\"StartupMinutes\":5,"
	         "\"TempWindow\":3.0}", json_bool(call->asic->atm));
	luxos_answer(call, 339, "ATM configuration values", "ATM", &body);
}
