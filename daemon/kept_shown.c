/* What the load has shown, as JSON: rises are pairs of [W, how often], for each way to plan. */
#include "daemon/kept.h"

#define MOST_UTC   9007199254740991.0   /* 2^53 - 1: what JSON's numbers hold exactly */
#define MOST_W     1e12
#define MOST_OFTEN 1e6
#define MOST_SLOTS 1e6

/* ---- writing ---- */

static void put_watts(struct json *json, const char *key, const int64_t *watts, size_t n)
{
	json_open_array(json, key);
	for (size_t i = 0; i < n; i++)
		json_int(json, NULL, watts[i]);
	json_close_array(json);
}

void kept_shown_format(const struct kept *kept, struct json *json)
{
	const struct policy_shown *shown = &kept->shown;
	if (!kept->shown_utc_ms)
		return;
	json_open(json, "load");
	json_int(json, "utc_ms", kept->shown_utc_ms);
	put_watts(json, "peaks_w", shown->peaks_w, POLICY_PEAKS);
	json_int(json, "peak_slots", shown->n_peak_slots);
	put_watts(json, "missed_w", shown->missed_w, N_FORETELLS);
	json_open_array(json, "rises");
	for (size_t h = 0; h < POLICY_HOLDS; h++) {
		json_open_array(json, NULL);
		for (size_t r = 0; r < POLICY_RISES && shown->rises[h][r].w; r++) {
			json_open_array(json, NULL);
			json_int(json, NULL, shown->rises[h][r].w);
			json_number(json, NULL, shown->rises[h][r].often, 3);
			json_close_array(json);
		}
		json_close_array(json);
	}
	json_close_array(json);
	json_close(json);
}

/* ---- reading ---- */

static const cJSON *member(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool number(const cJSON *item, double least, double most, double *out)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= least && item->valuedouble <= most))
		return false;
	*out = item->valuedouble;
	return true;
}

static bool whole(const cJSON *item, double least, double most, int64_t *out)
{
	double value;
	if (!number(item, least, most, &value))
		return false;
	*out = (int64_t)value;
	return (double)*out == value;
}

static bool read_watts(const cJSON *list, int64_t *watts, int n)
{
	const cJSON *item;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != n)
		return false;
	cJSON_ArrayForEach(item, list)
		if (!whole(item, 0, MOST_W, watts++))
			return false;
	return true;
}

static bool read_rises(const cJSON *list, struct policy_rise *rise)
{
	const cJSON *item;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > POLICY_RISES)
		return false;
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 ||
		    !whole(cJSON_GetArrayItem(item, 0), 1, MOST_W, &rise->w) ||
		    !number(cJSON_GetArrayItem(item, 1), 0, MOST_OFTEN, &rise->often))
			return false;
		rise++;
	}
	return true;
}

const char *kept_shown_parse(const cJSON *tree, struct kept *kept)
{
	const cJSON *rises = member(tree, "rises"), *item;
	int64_t slots;
	size_t h = 0;
	if (!whole(member(tree, "utc_ms"), 1, MOST_UTC, &kept->shown_utc_ms))
		return "load tells no utc_ms";
	if (!whole(member(tree, "peak_slots"), 0, MOST_SLOTS, &slots))
		return "load: peak_slots is no number of half-seconds";
	kept->shown.n_peak_slots = (uint32_t)slots;
	if (!read_watts(member(tree, "peaks_w"), kept->shown.peaks_w, POLICY_PEAKS) ||
	    !read_watts(member(tree, "missed_w"), kept->shown.missed_w, N_FORETELLS))
		return "load: peaks_w or missed_w is not as many watts as there should be";
	if (!cJSON_IsArray(rises) || cJSON_GetArraySize(rises) != POLICY_HOLDS)
		return "load: rises is no list of one list for each way to plan";
	cJSON_ArrayForEach(item, rises)
		if (!read_rises(item, kept->shown.rises[h++]))
			return "load: one of the rises is not [W, how often]";
	return NULL;
}
