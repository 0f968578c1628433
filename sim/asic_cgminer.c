/* sim/asic_cgminer.c - classic CGMiner: reports without watts, and boards that can be disabled one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/asic_request.h"

static void put_status(struct asic_call *call, char status, int code, const char *msg)
{
	text_put(call->reply, "\"STATUS\":[{\"STATUS\":\"%c\",\"When\":%lld,\"Code\":%d,\"Msg\":", status,
	         (long long)call->room->utc_s, code);
	text_put_string(call->reply, msg);
	text_put(call->reply, ",\"Description\":\"cgminer 4.11.1\"}]");
}

static void begin(struct asic_call *call, char status, int code, const char *msg)
{
	text_put(call->reply, "{");
	put_status(call, status, code, msg);
}

static void end(struct asic_call *call)
{
	text_put(call->reply, ",\"id\":1}");
}

static void fail(struct asic_call *call, int code, const char *msg)
{
	char text[128];
	snprintf(text, sizeof text, code == 45 ? "Access denied to '%.60s' command" : "%s",
	         code == 45 ? call->command : msg);
	begin(call, 'E', code, text);
	end(call);
}

static void version(struct asic_call *call)
{
	begin(call, 'S', 22, "CGMiner versions");
	text_put(call->reply, ",\"VERSION\":[{\"CGMiner\":\"4.11.1\",\"API\":\"3.7\"}]");
	end(call);
}

static void summary(struct asic_call *call)
{
	double mhs = plant_miner_hashrate_ghs(call->room->plant, call->miner, call->now_ms) * 1000.0;
	begin(call, 'S', 11, "Summary");
	text_put(call->reply, ",\"SUMMARY\":[{\"Elapsed\":%lld,\"MHS av\":%.2f,\"MHS 5s\":%.2f,\"MHS 1m\":%.2f,\"Found Blocks\":0,"
	         "\"Getworks\":10,\"Accepted\":0,\"Rejected\":0,\"Hardware Errors\":0,\"Utility\":0.00,\"Stale\":0,"
	         "\"Best Share\":0}]", (long long)(call->now_ms / 1000), mhs, mhs, mhs);
	end(call);
}

static void devs(struct asic_call *call)
{
	double mhs = plant_miner_hashrate_ghs(call->room->plant, call->miner, call->now_ms) * 1000.0 / ASIC_BOARDS;
	begin(call, 'S', 9, "3 ASC(s)");
	text_put(call->reply, ",\"DEVS\":[");
	for (int b = 0; b < ASIC_BOARDS; b++) {
		bool enabled = call->asic->boards >> b & 1;
		text_put(call->reply, "%s{\"ASC\":%d,\"Name\":\"BTM\",\"ID\":%d,\"Enabled\":\"%c\",\"Status\":\"Alive\","
		         "\"Temperature\":%.2f,\"MHS av\":%.2f,\"MHS 5s\":%.2f,\"Accepted\":0,\"Hardware Errors\":0}",
		         b ? "," : "", b, b, enabled ? 'Y' : 'N', enabled ? 62.0 : 31.0, mhs, mhs);
	}
	text_put(call->reply, "]");
	end(call);
}

static void stats(struct asic_call *call)
{
	begin(call, 'S', 70, "CGMiner stats");
	text_put(call->reply, ",\"STATS\":[{\"STATS\":0,\"ID\":\"BTM0\",\"Elapsed\":%lld,\"Calls\":0,\"Wait\":0.000000,"
	         "\"miner_count\":3,\"frequency\":\"650\",\"fan1\":5880,\"fan2\":5760}]", (long long)(call->now_ms / 1000));
	end(call);
}

static void config(struct asic_call *call)
{
	begin(call, 'S', 33, "CGMiner config");
	text_put(call->reply, ",\"CONFIG\":[{\"ASC Count\":3,\"PGA Count\":0,\"Pool Count\":1,\"Strategy\":\"Failover\","
	         "\"Log Interval\":5,\"Device Code\":\"BTM \",\"OS\":\"Linux\",\"Hotplug\":\"None\"}]");
	end(call);
}

static void privileged(struct asic_call *call)
{
	begin(call, 'S', 46, "Privileged access OK");
	end(call);
}

/* The whole unit follows its boards: none enabled is asleep, some enabled is that share of its watts. */
static bool follow_boards(struct asic_call *call)
{
	int enabled = __builtin_popcount(call->asic->boards);
	return plant_order(call->room->plant, call->miner, call->now_ms, enabled > 0,
	                   call->unit->full_w * enabled / ASIC_BOARDS);
}

static void answer_board(struct asic_call *call, char status, int code, const char *msg, bool moves)
{
	asic_tell(call, call->parameter, status, code, moves);
	begin(call, status, code, msg);
	end(call);
}

static void set_board(struct asic_call *call, bool enable)
{
	char *rest, msg[64];
	long board = strtol(call->parameter, &rest, 10);
	if (rest == call->parameter) {
		answer_board(call, 'E', 15, "Missing device id parameter", false);
		return;
	}
	if (*rest || board < 0 || board >= ASIC_BOARDS) {
		snprintf(msg, sizeof msg, "Invalid ASC id %ld - range is 0 - %d", board, ASIC_BOARDS - 1);
		answer_board(call, 'E', 107, msg, false);
		return;
	}
	uint8_t bit = (uint8_t)(1 << board);
	bool already = ((call->asic->boards & bit) != 0) == enable;
	snprintf(msg, sizeof msg, already ? "ASC %ld already %s" : "ASC %ld sent %s message", board,
	         already ? (enable ? "enabled" : "disabled") : (enable ? "enable" : "disable"));
	call->asic->boards = (uint8_t)(enable ? call->asic->boards | bit : call->asic->boards & ~bit);
	bool moves = !already && follow_boards(call);
	answer_board(call, 'I', already ? (enable ? 108 : 109) : (enable ? 110 : 111), msg, moves);
}

static void ascenable(struct asic_call *call)
{
	set_board(call, true);
}

static void ascdisable(struct asic_call *call)
{
	set_board(call, false);
}

static const struct asic_verb verbs[] = {
	{ "version", true, version }, { "summary", true, summary }, { "devs", true, devs }, { "stats", true, stats },
	{ "config", true, config }, { "privileged", false, privileged },
	{ "ascenable", false, ascenable }, { "ascdisable", false, ascdisable },
};

const struct asic_dialect_of asic_cgminer = { verbs, sizeof verbs / sizeof *verbs, fail };
