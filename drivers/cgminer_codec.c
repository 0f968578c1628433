#include "drivers/cgminer_codec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST_GHS 10e6                   /* ten times the largest miner made */

struct cgminer_status cgminer_status(const cJSON *reply)
{
	struct cgminer_status status = { .msg = "", .description = "" };
	const cJSON *item = cgminer_json_get(reply, "STATUS");
	const cJSON *object = cJSON_IsArray(item) ? item->child : cJSON_IsObject(item) ? item : reply;
	const char *text = cgminer_json_text(object, "STATUS");
	double code = 0;
	if (cgminer_json_number(object, "Code", &code) && code > 0 && code < 100000)
		status.code = (int)code;
	if (text)
		status.letter = text[0];
	if ((text = cgminer_json_text(object, "Msg")))
		status.msg = text;
	if ((text = cgminer_json_text(object, "Description")))
		status.description = text;
	return status;
}

bool cgminer_failed(const struct cgminer_status *status)
{
	return status->letter == 'E' || status->letter == 'F';
}

bool cgminer_says(const struct cgminer_status *status, const char *word)
{
	return strcasestr(status->msg, word) != NULL;
}

const cJSON *cgminer_member(const cJSON *reply, const char *command)
{
	const cJSON *item = cgminer_json_get(reply, command);
	if (!item)
		return reply;
	return cJSON_IsArray(item) ? item->child : item;
}

const cJSON *cgminer_section(const cJSON *member, const char *section, bool *empty)
{
	const cJSON *item = cgminer_json_get(member, section);
	*empty = cJSON_IsArray(item) && !item->child;
	if (cJSON_IsArray(item))
		item = item->child;
	return cJSON_IsObject(item) ? item : NULL;
}

static double ghs_per_unit(char prefix)
{
	switch (prefix) {
	case 'K': return 1e-6;
	case 'M': return 1e-3;
	case 'G': return 1;
	case 'T': return 1e3;
	}
	return 0;
}

/* The seconds are cgminer's own setting: "MHS 5s" by default, "MHS 20s" where an owner chose so. 0: no such key. */
static double rate_key(const char *key, long *seconds)
{
	char *end;
	double unit = ghs_per_unit(key[0]);
	if (unit == 0 || strncmp(key + 1, "HS ", 3) != 0)
		return 0;
	if (strcmp(key + 4, "av") == 0) {
		*seconds = 1000000;
		return unit;
	}
	if (!isdigit((unsigned char)key[4]))
		return 0;
	*seconds = strtol(key + 4, &end, 10);
	if (strcmp(end, "m") == 0)
		*seconds *= 60;
	else if (strcmp(end, "s") != 0)
		return 0;
	return unit;
}

bool cgminer_rate_ghs(const cJSON *summary, double *ghs)
{
	long shortest = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, summary) {
		long seconds;
		double value, unit = item->string ? rate_key(item->string, &seconds) : 0;
		if (unit == 0 || (shortest > 0 && seconds >= shortest) ||
		    !cgminer_json_number(summary, item->string, &value))
			continue;
		shortest = seconds > 0 ? seconds : 1;
		*ghs = value * unit;
	}
	return shortest > 0;
}

static void take_summary(const cJSON *member, struct cgminer_seen *seen)
{
	bool empty;
	const cJSON *summary = cgminer_section(member, "SUMMARY", &empty);
	struct cgminer_status status = cgminer_status(member);
	seen->no_summary |= empty && !cgminer_failed(&status);
	if (!summary)
		return;
	seen->knows_summary = true;
	seen->knows_rate = cgminer_rate_ghs(summary, &seen->ghs);
}

static void take_device(const cJSON *item, struct cgminer_seen *seen)
{
	struct cgminer_device *device = &seen->devices[seen->n_devices];
	const char *enabled = cgminer_json_text(item, "Enabled");
	double id;
	bool pga = cgminer_json_get(item, "PGA") != NULL;
	if (seen->n_devices == CGMINER_MOST_DEVICES || !cgminer_json_number(item, pga ? "PGA" : "ASC", &id) ||
	    id < 0 || id > 999)
		return;
	*device = (struct cgminer_device){ .pga = pga, .id = (uint16_t)id };
	device->enabled = !enabled || (enabled[0] != 'N' && enabled[0] != 'n');
	seen->n_devices++;
}

static void take_devices(const cJSON *member, struct cgminer_seen *seen)
{
	const cJSON *list = cgminer_json_get(member, "DEVS"), *item;
	struct cgminer_status status = cgminer_status(member);
	if (!cJSON_IsArray(list) || cgminer_failed(&status))
		return;
	seen->knows_devices = true;
	seen->n_devices = 0;
	cJSON_ArrayForEach(item, list)
		take_device(item, seen);
}

enum fault cgminer_decode(const char *text, struct cgminer_seen *seen, bool *unjoinable)
{
	cJSON *tree = cgminer_json_parse(text);
	if (!cJSON_IsObject(tree)) {
		cJSON_Delete(tree);
		return FAULT_GARBLED;
	}
	const cJSON *summary = cgminer_member(tree, "summary"), *devs = cgminer_member(tree, "devs");
	struct cgminer_status whole = cgminer_status(tree), part = cgminer_status(summary);
	take_summary(summary, seen);
	take_devices(devs, seen);
	seen->denied |= cgminer_failed(&whole) || cgminer_failed(&part);
	*unjoinable = cgminer_failed(&whole);
	cJSON_Delete(tree);
	return FAULT_NONE;
}

static bool all_disabled(const struct cgminer_seen *seen)
{
	for (size_t i = 0; i < seen->n_devices; i++) {
		if (seen->devices[i].enabled)
			return false;
	}
	return seen->knows_devices && seen->n_devices > 0;
}

/* Rates are averages that outlast the hashing: a miner whose boards are all disabled is asleep whatever they say. */
enum fault cgminer_judge(const struct cgminer_seen *seen, struct miner_reading *reading)
{
	if (!seen->knows_summary && !seen->no_summary)
		return seen->denied ? FAULT_REFUSED : FAULT_GARBLED;
	if (seen->knows_rate && (seen->ghs < 0 || seen->ghs > MOST_GHS))
		return FAULT_ABSURD;
	reading->hashrate_ghs = seen->knows_rate ? (int32_t)(seen->ghs + 0.5) : 0;
	if ((seen->no_summary && !seen->knows_summary) || all_disabled(seen))
		reading->state = MINER_ASLEEP;
	else if (!seen->knows_rate)
		reading->state = MINER_UNKNOWN;
	else
		reading->state = reading->hashrate_ghs > 0 ? MINER_HASHING : MINER_RAMPING;
	return FAULT_NONE;
}
