/* sim/asic_luxos.c - LuxOS: keys in alphabetical order at every level, sessions for whatever changes something. */
#include <stdio.h>
#include <string.h>

#include "sim/asic_luxos.h"

static void put_status(struct text *reply, int64_t utc_s, char status, int code, const char *msg)
{
	text_put(reply, "\"STATUS\":[{\"Code\":%d,\"Description\":\"LUXminer " LUXOS_VERSION "\",\"Msg\":", code);
	text_put_string(reply, msg);
	text_put(reply, ",\"STATUS\":\"%c\",\"When\":%lld}]", status, (long long)utc_s);
}

void luxos_answer(struct asic_call *call, int code, const char *msg, const char *key, struct text *payload)
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
	luxos_answer(call, code, msg, "SESSION", &body);
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
	luxos_answer(call, 318, "Session killed", "SESSION", &body);
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
	luxos_answer(call, 317, "Session terminated", "SESSION", &body);
}

/* ---- what changes something ---- */

static void curtailed(struct asic_call *call, const char *asked, const char *action, bool moves)
{
	struct text body = { 0 };
	asic_tell(call, asked, 'S', 335, moves);
	text_put(&body, "{\"Action\":\"%s\"}", action);
	luxos_answer(call, 335, "Curtailment command sent", "CURTAIL", &body);
}

static void wake_up(struct asic_call *call, const char *asked)
{
	struct plant *plant = call->room->plant;
	bool unsafe = strstr(asked, "mode=unsafe");
	if (luxos_told_awake(call))
		refuse(call, asked, 336, "Miner is already awake");
	else if (unsafe && call->unit->was_off)
		refuse(call, asked, 337, "Unsafe wake up is not allowed after a restart");
	else if (unsafe)
		curtailed(call, asked, "wake up", plant_wake_unsafe(plant, call->miner, call->now_ms, luxos_limit_w(call)));
	else
		curtailed(call, asked, "wake up", plant_order(plant, call->miner, call->now_ms, true, luxos_limit_w(call)));
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
	else if (!luxos_told_awake(call))
		refuse(call, asked, 336, "Miner is already in sleep mode");
	else
		curtailed(call, asked, "sleep mode", plant_order(call->room->plant, call->miner, call->now_ms, false, 0));
}

static void profileset(struct asic_call *call)
{
	const char *asked = with_session(call);
	if (!asked)
		return;
	int profile = luxos_profile_asked(call, asked);
	if (profile < 0) {
		refuse(call, asked, 322, "Profile not found");
		return;
	}
	struct text body = { 0 };
	bool moves = false;
	if (!call->asic->atm)
		call->asic->profile = (uint8_t)profile;
	if (!call->asic->atm && luxos_told_awake(call))
		moves = plant_order(call->room->plant, call->miner, call->now_ms, true, luxos_limit_w(call));
	asic_tell(call, asked, 'S', 321, moves);
	text_put(&body, "{\"Board\":\"all\",\"FrequencyStep\":5,\"Profile\":\"%dMHz\",\"VoltageStep\":0.05}",
	         luxos_profile_mhz((unsigned)profile));
	luxos_answer(call, 321, "Set profile", "PROFILE", &body);
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
	text_put(&body, "{\"Enabled\":%s}", call->asic->atm ? "true" : "false");
	luxos_answer(call, 340, "ATM configuration updated", "ATM", &body);
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
	luxos_answer(call, 342, "Rebooting", "REBOOT", &body);
}

static const struct asic_verb verbs[] = {
	{ "version", true, luxos_version }, { "power", true, luxos_power }, { "config", true, luxos_config },
	{ "summary", true, luxos_summary }, { "devs", true, luxos_devs }, { "profiles", true, luxos_profiles },
	{ "atm", true, luxos_atm }, { "session", true, session },
	{ "logon", false, logon }, { "logoff", false, logoff }, { "kill", false, kill_session },
	{ "curtail", false, curtail }, { "profileset", false, profileset }, { "atmset", false, atmset },
	{ "rebootdevice", false, rebootdevice },
};

const struct asic_dialect_of asic_luxos = { verbs, sizeof verbs / sizeof *verbs, fail };
