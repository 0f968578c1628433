/* What the load has shown, as JSON: rises are pairs of [W, how often], for each way to plan. */
#include "daemon/kept_parts.h"

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
	json_int(json, "below_slots", shown->n_below_slots < MOST_SLOTS ? shown->n_below_slots : (int64_t)MOST_SLOTS);
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

static bool read_watts(const cJSON *list, int64_t *watts, int n)
{
	const cJSON *item;
	uint64_t w;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != n)
		return false;
	cJSON_ArrayForEach(item, list) {
		if (!kept_whole(item, MOST_W, &w))
			return false;
		*watts++ = (int64_t)w;
	}
	return true;
}

static bool read_rise(const cJSON *item, struct policy_rise *rise)
{
	const cJSON *often = cJSON_GetArrayItem(item, 1);
	uint64_t w;
	if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 || !kept_whole(cJSON_GetArrayItem(item, 0), MOST_W, &w) || !w ||
	    !cJSON_IsNumber(often) || !(often->valuedouble >= 0 && often->valuedouble <= MOST_OFTEN))
		return false;
	*rise = (struct policy_rise){ (int64_t)w, often->valuedouble };
	return true;
}

static bool read_rises(const cJSON *list, struct policy_rise *rise)
{
	const cJSON *item;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > POLICY_RISES)
		return false;
	cJSON_ArrayForEach(item, list)
		if (!read_rise(item, rise++))
			return false;
	return true;
}

const char *kept_shown_parse(const cJSON *tree, struct kept *kept)
{
	const cJSON *rises = kept_member(tree, "rises"), *below = kept_member(tree, "below_slots"), *item;
	uint64_t utc_ms, slots, below_slots = 0;
	size_t h = 0;
	if (!kept_whole(kept_member(tree, "utc_ms"), KEPT_MOST_COUNT, &utc_ms) || !utc_ms)
		return "load tells no utc_ms";
	if (!kept_whole(kept_member(tree, "peak_slots"), MOST_SLOTS, &slots))
		return "load: peak_slots is no number of half-seconds";
	if (below && !kept_whole(below, MOST_SLOTS, &below_slots))      /* files of before it was kept have none */
		return "load: below_slots is no number of half-seconds";
	kept->shown_utc_ms = (int64_t)utc_ms;
	kept->shown.n_peak_slots = (uint32_t)slots;
	kept->shown.n_below_slots = (uint32_t)below_slots;
	if (!read_watts(kept_member(tree, "peaks_w"), kept->shown.peaks_w, POLICY_PEAKS) ||
	    !read_watts(kept_member(tree, "missed_w"), kept->shown.missed_w, N_FORETELLS))
		return "load: peaks_w or missed_w is not as many watts as there should be";
	if (!cJSON_IsArray(rises) || cJSON_GetArraySize(rises) != POLICY_HOLDS)
		return "load: rises is no list of one list for each way to plan";
	cJSON_ArrayForEach(item, rises)
		if (!read_rises(item, kept->shown.rises[h++]))
			return "load: one of the rises is not [W, how often]";
	return NULL;
}
