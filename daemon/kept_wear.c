/* How worn each miner is, as JSON: an array a miner, for there may be tens of thousands.
 *
 * [host, identity, sleeps, paid for in s, settled for s], and where it is known what its owner set, [..., profile, atm]:
 * times count from when they were written, for the clock may be set in between, and a time that was never there would wear
 * a miner for years. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/kept_parts.h"
#include "daemon/xalloc.h"

#define MOST_S   (366LL * 24 * 3600)    /* a time is never told longer, nor a longer one believed */
#define COLUMNS  5
#define OWNED    7                      /* where the owner's are told */

/* ---- writing: a fleet in a few ms, for the loop waits ---- */

static char *put_number(char *to, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);
	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	memcpy(to, digits + i, sizeof(digits) - i);
	return to + sizeof(digits) - i;
}

static char *put_text(char *to, const char *text)
{
	size_t n = strlen(text);
	memcpy(to, text, n);
	return to + n;
}

static char *put_identity(char *to, uint64_t identity)
{
	if (!identity)
		return put_text(to, "null");
	*to++ = '"';
	for (int shift = 60; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[identity >> shift & 15];
	*to++ = '"';
	return to;
}

static uint64_t seconds(int64_t ms, int64_t round_ms)
{
	int64_t s = (ms + round_ms) / 1000;
	return (uint64_t)(s < 0 ? 0 : s < MOST_S ? s : MOST_S);
}

static void put_miner(struct json *json, const struct kept_miner *miner)
{
	char text[96], *end = put_identity(text, miner->identity);
	*end++ = ',';
	end = put_number(end, miner->sleeps);
	*end++ = ',';
	end = put_number(end, seconds(miner->worn_ms, 999));
	*end++ = ',';
	end = miner->settled_ms < 0 ? put_text(end, "null") : put_number(end, seconds(miner->settled_ms, 0));
	json_open_array(json, NULL);
	json_string(json, NULL, miner->host);
	json_raw(json, NULL, text, (size_t)(end - text));
	if (miner->owned) {
		json_string(json, NULL, miner->own.profile);
		json_bool(json, NULL, miner->own.atm);
	}
	json_close_array(json);
}

void kept_wear_format(const struct kept *kept, struct json *json)
{
	if (!kept->wear)
		return;
	json_open(json, "wear");
	json_int(json, "utc_ms", kept->wear_utc_ms);
	json_open_array(json, "groups");
	for (size_t g = 0; g < kept->n_wear; g++) {
		const struct kept_wear *wear = &kept->wear[g];
		json_open(json, NULL);
		json_string(json, "name", wear->group);
		json_open_array(json, "sleeps_by_hour");
		for (size_t h = 0; h < wear->n_hours; h++)
			json_int(json, NULL, wear->sleeps[h]);
		json_close_array(json);
		json_open_array(json, "miners");
		for (size_t m = 0; m < wear->n_miners; m++)
			put_miner(json, &wear->miners[m]);
		json_close_array(json);
		json_close(json);
	}
	json_close_array(json);
	json_close(json);
}

/* ---- reading ---- */

static bool read_identity(const cJSON *item, uint64_t *identity)
{
	const char *text = cJSON_GetStringValue(item);
	int end = 0;
	if (!text)
		return cJSON_IsNull(item);
	return strspn(text, "0123456789abcdef") == 16 && !text[16] && sscanf(text, "%16" SCNx64 "%n", identity, &end) == 1;
}

static bool read_own(const cJSON *profile, const cJSON *atm, struct kept_miner *miner)
{
	if (!cJSON_IsString(profile) || !cJSON_IsBool(atm))
		return false;
	miner->owned = true;
	miner->own.atm = cJSON_IsTrue(atm);
	if (strlen(profile->valuestring) < sizeof(miner->own.profile))
		memcpy(miner->own.profile, profile->valuestring, strlen(profile->valuestring) + 1);
	return true;
}

static bool read_miner(const cJSON *row, struct kept_miner *miner)
{
	const cJSON *cells[OWNED], *cell;
	uint64_t sleeps, worn_s, settled_s = 0;
	size_t n = 0;
	cJSON_ArrayForEach(cell, row) {
		if (n < OWNED)
			cells[n] = cell;
		n++;
	}
	if (!cJSON_IsArray(row) || (n != COLUMNS && n != OWNED) || !cJSON_IsString(cells[0]) || !read_identity(cells[1], &miner->identity) ||
	    !kept_whole(cells[2], UINT32_MAX, &sleeps) || !kept_whole(cells[3], (double)MOST_S, &worn_s) ||
	    !(cJSON_IsNull(cells[4]) || kept_whole(cells[4], (double)MOST_S, &settled_s)) ||
	    (n == OWNED && !read_own(cells[5], cells[6], miner)))
		return false;
	miner->host = cells[0]->valuestring;
	miner->sleeps = (uint32_t)sleeps;
	miner->worn_ms = (int64_t)worn_s * 1000;
	miner->settled_ms = cJSON_IsNull(cells[4]) ? -1 : (int64_t)settled_s * 1000;
	return true;
}

static const char *read_hours(const cJSON *list, struct kept_wear *wear)
{
	const cJSON *item;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > SLEEP_HOURS)
		return "wear: sleeps_by_hour is no list of at most a day";
	cJSON_ArrayForEach(item, list) {
		uint64_t sleeps;
		if (!kept_whole(item, UINT32_MAX, &sleeps))
			return "wear: sleeps_by_hour has what is no number of miners";
		wear->sleeps[wear->n_hours++] = (uint32_t)sleeps;
	}
	return NULL;
}

static const char *read_group(const cJSON *item, struct kept_wear *wear)
{
	const cJSON *miners = kept_member(item, "miners"), *row;
	wear->group = cJSON_GetStringValue(kept_member(item, "name"));
	if (!wear->group)
		return "wear: a group has no name";
	const char *fault = read_hours(kept_member(item, "sleeps_by_hour"), wear);
	if (fault)
		return fault;
	if (!cJSON_IsArray(miners))
		return "wear: miners is no list";
	wear->miners = xcalloc((size_t)cJSON_GetArraySize(miners), sizeof(*wear->miners));
	cJSON_ArrayForEach(row, miners)
		if (!read_miner(row, &wear->miners[wear->n_miners++]))
			return "wear: one of the miners is not [host, identity, sleeps, s, s] or [..., profile, atm]";
	return NULL;
}

const char *kept_wear_parse(const cJSON *tree, struct kept *kept)
{
	const cJSON *groups = kept_member(tree, "groups"), *item;
	uint64_t utc_ms;
	const char *fault = NULL;
	if (!kept_whole(kept_member(tree, "utc_ms"), KEPT_MOST_COUNT, &utc_ms) || !cJSON_IsArray(groups))
		return "wear tells no groups or no utc_ms";
	kept->wear_utc_ms = (int64_t)utc_ms;
	kept->wear = xcalloc((size_t)cJSON_GetArraySize(groups), sizeof(*kept->wear));
	cJSON_ArrayForEach(item, groups)
		if (!fault)
			fault = read_group(item, &kept->wear[kept->n_wear++]);
	return fault;
}

void kept_wear_free(struct kept *kept)
{
	for (size_t g = 0; g < kept->n_wear; g++)
		free(kept->wear[g].miners);
	free(kept->wear);
}
