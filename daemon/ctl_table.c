#include "daemon/ctl_table.h"

#include <string.h>

#include "daemon/ctl_canvas.h"
#include "daemon/ctl_model.h"

enum kind { KIND_TEXT, KIND_TIME, KIND_POWER, KIND_AGE, KIND_SECONDS, KIND_COUNT, KIND_HZ, KIND_STALE, KIND_RATE };

struct column { const char *title, *key; enum kind kind; };

#define MAX_COLUMNS 12
#define CELL_BYTES 1024

static const struct { const char *none; struct column columns[MAX_COLUMNS]; } tables[] = {
	[LIST_MINERS] = { "no miners", {
		{ "MINER", "name", KIND_TEXT }, { "STATE", "phase", KIND_TEXT }, { "POWER", "power_w", KIND_POWER },
		{ "HEARD", "age_ms", KIND_AGE }, { "TOLD", "told", KIND_TEXT }, { "LIMIT", "limit_w", KIND_POWER }, { "TRIES", "tries", KIND_COUNT },
		{ "SLEEPS", "sleeps", KIND_COUNT }, { "FAULT", "fault", KIND_TEXT }, { "FIRMWARE", "firmware", KIND_TEXT },
	} },
	[LIST_METERS] = { "no meters", {
		{ "METER", "name", KIND_TEXT }, { "MEASURES", "measures", KIND_TEXT }, { "POWER", "power_w", KIND_POWER },
		{ "AGE", "age_ms", KIND_AGE }, { "STATE", "stale", KIND_STALE }, { "FREQUENCY", "frequency_hz", KIND_HZ },
		{ "NAMEPLATE", "nameplate_w", KIND_POWER }, { "POLLS", "polls", KIND_COUNT }, { "FAULTS", "faults", KIND_COUNT },
		{ "FAULT", "fault", KIND_TEXT },
	} },
	[LIST_EVENTS] = { "no orders or grid events", {
		{ "ID", "id", KIND_TEXT }, { "SIGNAL", "signal", KIND_TEXT }, { "KIND", "kind", KIND_TEXT },
		{ "STATUS", "status", KIND_TEXT }, { "LIMIT", "limit_w", KIND_POWER }, { "START (UTC)", "start", KIND_TIME },
		{ "END (UTC)", "end", KIND_TIME }, { "RESPONSE", "response_s", KIND_SECONDS }, { "WHY", "why", KIND_TEXT },
	} },
	[LIST_DECISIONS] = { "no decisions", {
		{ "SEQ", "seq", KIND_COUNT }, { "TIME (UTC)", "time", KIND_TIME }, { "REASON", "reason", KIND_TEXT },
		{ "BOUND BY", "binding", KIND_TEXT }, { "SLEEP", "sleeps", KIND_COUNT }, { "WAKE", "wakes", KIND_COUNT },
		{ "POWER", "powers", KIND_COUNT }, { "WHY", "why", KIND_TEXT },
	} },
	[LIST_ALARMS] = { "no alarms", {
		{ "SINCE (UTC)", "since", KIND_TIME }, { "SEVERITY", "severity", KIND_TEXT }, { "ALARM", "name", KIND_TEXT },
		{ "WHY", "why", KIND_TEXT },
	} },
	[LIST_FOUND] = { "no miners", {
		{ "ADDRESS", "host", KIND_TEXT }, { "MODEL", "model", KIND_TEXT }, { "FIRMWARE", "firmware", KIND_TEXT },
		{ "VERSION", "version", KIND_TEXT }, { "STATE", "state", KIND_TEXT }, { "POWER", "power_w", KIND_POWER },
		{ "HASHRATE", "hashrate_ghs", KIND_RATE }, { "MAC", "mac", KIND_TEXT }, { "SERIAL", "serial", KIND_TEXT },
		{ "CONTROL", "control", KIND_TEXT },
	} },
	[LIST_GROUPS] = { "no groups of miners", {
		{ "GROUP", "group", KIND_TEXT }, { "MINERS", "miners", KIND_TEXT }, { "TO", "order", KIND_TEXT },
		{ "DEAD TIME", "dead_ms", KIND_AGE }, { "RAMP", "ramp_ms", KIND_AGE }, { "SPREAD", "spread_ms", KIND_AGE },
		{ "BASIS", "basis", KIND_TEXT }, { "AT METER", "seen_by_site", KIND_COUNT },
		{ "BY POLLS", "seen_by_polls", KIND_COUNT },
		{ "OBEYED", "obeyed", KIND_TEXT }, { "DRAWS", "each_w", KIND_POWER }, { "WEAR", "wear", KIND_TEXT },
	} },
};

static bool right_aligned(enum kind kind)
{
	return kind == KIND_POWER || kind == KIND_AGE || kind == KIND_SECONDS || kind == KIND_COUNT || kind == KIND_HZ ||
	       kind == KIND_RATE;
}

/* "2026-11-22T05:04:03.021Z" as "2026-11-22 05:04:03". */
static void format_time(const char *time, char *buf, size_t size)
{
	char clock[9];
	if (strlen(time) < 19 || time[10] != 'T')
		snprintf(buf, size, "%s", *time ? time : "-");
	else
		snprintf(buf, size, "%.10s %s", time, clock_of(time, clock));
}

static void format_cell(const cJSON *row, const struct column *column, char *buf, size_t size)
{
	int64_t value = json_figure(row, column->key);
	bool known = value != FIGURE_UNKNOWN;
	const cJSON *flag = cJSON_GetObjectItemCaseSensitive(row, column->key);
	const char *text = json_text(row, column->key);
	snprintf(buf, size, "-");
	switch (column->kind) {
	case KIND_TEXT:
		snprintf(buf, size, "%s", *text ? text : "-");
		break;
	case KIND_TIME:
		format_time(text, buf, size);
		break;
	case KIND_POWER:
		format_power(value, buf, size);
		break;
	case KIND_AGE:
		format_duration(value, buf, size);
		break;
	case KIND_SECONDS:
		format_duration(json_scaled(row, column->key, 1000), buf, size);
		break;
	case KIND_COUNT:
		if (known)
			snprintf(buf, size, "%lld", (long long)value);
		break;
	case KIND_HZ:
		if (known)
			snprintf(buf, size, "%.3f Hz", (double)json_scaled(row, column->key, 1000) / 1000);
		break;
	case KIND_RATE:
		if (known)
			snprintf(buf, size, "%.1f TH/s", (double)value / 1000);
		break;
	case KIND_STALE:
		if (cJSON_IsBool(flag))
			snprintf(buf, size, cJSON_IsTrue(flag) ? "stale" : "fresh");
		break;
	}
	clean_text(buf);
}

static void put_cell(FILE *out, const char *text, int width, bool right, bool last)
{
	int blank = width - canvas_columns(text);
	if (right)
		fprintf(out, "%*s%s", blank, "", text);
	else
		fprintf(out, "%s%*s", text, last ? 0 : blank, "");
	fputs(last ? "\n" : "  ", out);
}

void table_print(FILE *out, enum ctl_list list, const cJSON *rows)
{
	const struct column *columns = tables[list].columns;
	char cell[CELL_BYTES];
	int widths[MAX_COLUMNS] = { 0 }, n = 0;
	const cJSON *row;
	if (cJSON_GetArraySize(rows) == 0) {
		fprintf(out, "%s\n", tables[list].none);
		return;
	}
	while (n < MAX_COLUMNS && columns[n].title) {
		widths[n] = (int)strlen(columns[n].title);
		n++;
	}
	cJSON_ArrayForEach(row, rows)
		for (int i = 0; i < n; i++) {
			format_cell(row, &columns[i], cell, sizeof(cell));
			int width = canvas_columns(cell);
			widths[i] = width > widths[i] ? width : widths[i];
		}
	for (int i = 0; i < n; i++)
		put_cell(out, columns[i].title, widths[i], right_aligned(columns[i].kind), i == n - 1);
	cJSON_ArrayForEach(row, rows)
		for (int i = 0; i < n; i++) {
			format_cell(row, &columns[i], cell, sizeof(cell));
			put_cell(out, cell, widths[i], right_aligned(columns[i].kind), i == n - 1);
		}
}
