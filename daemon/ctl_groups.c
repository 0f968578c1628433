#include "daemon/ctl_groups.h"

#include <stdio.h>

#include "daemon/ctl_model.h"

struct cell { char text[64]; };

static struct cell awake_of(const cJSON *group)
{
	struct cell cell = { "" };
	int64_t awake = json_figure(cJSON_GetObjectItemCaseSensitive(group, "miners"), "awake");
	if (awake != FIGURE_UNKNOWN)
		snprintf(cell.text, sizeof(cell.text), "%lld awake", (long long)awake);
	return cell;
}

static struct cell count_of(const cJSON *group)
{
	struct cell cell = { "" };
	int64_t n = json_figure(group, "n_miners");
	if (n != FIGURE_UNKNOWN)
		snprintf(cell.text, sizeof(cell.text), "%lld", (long long)n);
	return cell;
}

static struct cell obeyed_of(const cJSON *way)
{
	struct cell cell = { "" };
	int64_t permille = json_scaled(way, "works", 1000), orders = json_figure(way, "orders");
	if (permille != FIGURE_UNKNOWN && orders != FIGURE_UNKNOWN)
		snprintf(cell.text, sizeof(cell.text), "%.1f %% of %lld", (double)permille / 10, (long long)orders);
	return cell;
}

static struct cell worn_of(const cJSON *group)
{
	struct cell cell = { "" };
	int64_t tenths = json_scaled(group, "sleeps_per_miner", 10), hours = json_figure(group, "sleeps_over_h");
	if (tenths != FIGURE_UNKNOWN && hours != FIGURE_UNKNOWN)
		snprintf(cell.text, sizeof(cell.text), "%.1f each in %lld h", (double)tenths / 10, (long long)hours);
	return cell;
}

static struct cell left_of(const cJSON *group)
{
	struct cell cell = { "" };
	int64_t tenths = json_scaled(group, "cycles_left", 10), most = json_figure(group, "cycles_per_day");
	if (tenths != FIGURE_UNKNOWN && most != FIGURE_UNKNOWN)
		snprintf(cell.text, sizeof(cell.text), "%.1f of %lld left", (double)tenths / 10, (long long)most);
	return cell;
}

static struct cell least_of(const cJSON *group)
{
	struct cell cell = { "" };
	char power[32];
	int64_t least_w = json_figure(group, "partial_w");
	if (least_w != FIGURE_UNKNOWN)
		snprintf(cell.text, sizeof(cell.text), "from %s", format_power(least_w, power, sizeof(power)));
	return cell;
}

static void copy_figure(cJSON *row, const cJSON *from, const char *key, const char *as)
{
	int64_t value = json_figure(from, key);
	if (value != FIGURE_UNKNOWN)
		cJSON_AddNumberToObject(row, as, (double)value);
}

static cJSON *way_row(const cJSON *group, const char *key, const char *each)
{
	const cJSON *way = cJSON_GetObjectItemCaseSensitive(group, key);
	cJSON *row = cJSON_CreateObject();
	cJSON_AddStringToObject(row, "order", key);
	copy_figure(row, way, "dead_ms", "dead_ms");
	copy_figure(row, way, "ramp_ms", "ramp_ms");
	copy_figure(row, way, "spread_ms", "spread_ms");
	copy_figure(row, way, "seen_by_site", "seen_by_site");
	copy_figure(row, way, "seen_by_polls", "seen_by_polls");
	if (each)
		copy_figure(row, group, each, "each_w");
	cJSON_AddStringToObject(row, "basis", json_text(way, "basis"));
	cJSON_AddStringToObject(row, "obeyed", obeyed_of(way).text);
	return row;
}

void groups_as_rows(cJSON *groups)
{
	for (int n = cJSON_GetArraySize(groups); n > 0; n--) {
		cJSON *group = cJSON_DetachItemFromArray(groups, 0);
		cJSON *down = way_row(group, "sleep", "asleep_w"), *up = way_row(group, "wake", "awake_w");
		cJSON_AddStringToObject(down, "group", json_text(group, "group"));
		cJSON_AddStringToObject(up, "group", json_text(group, "driver"));
		cJSON_AddStringToObject(down, "miners", count_of(group).text);
		cJSON_AddStringToObject(up, "miners", awake_of(group).text);
		cJSON_AddStringToObject(down, "wear", worn_of(group).text);
		cJSON_AddStringToObject(up, "wear", left_of(group).text);
		cJSON_AddItemToArray(groups, down);
		cJSON_AddItemToArray(groups, up);
		if (cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(group, "power"))) {
			cJSON *power = way_row(group, "power", NULL);
			cJSON_AddStringToObject(power, "miners", least_of(group).text);
			cJSON_AddItemToArray(groups, power);
		}
		cJSON_Delete(group);
	}
}
