#include "daemon/ctl_table.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/ctl_canvas.h"
#include "daemon/ctl_model.h"

enum kind { KIND_TEXT, KIND_TIME, KIND_POWER, KIND_ENERGY, KIND_AGE, KIND_SECONDS, KIND_COUNT, KIND_HZ, KIND_STALE, KIND_RATE };

/* spare: where a terminal is too narrow the columns of the highest number are left out first; 0: never. */
struct column { const char *title, *key; enum kind kind; int spare; };

#define MAX_COLUMNS 13
#define CELL_BYTES 1024
#define LEAST_WHY 30                    /* a sentence in fewer columns is no reading: it goes below its row */
#define BELOW 4                         /* how far it is moved in there */

static const struct { const char *none; struct column columns[MAX_COLUMNS]; } tables[] = {
	[LIST_MINERS] = { "no miners", {
		{ "MINER", "name", KIND_TEXT, 0 }, { "STATE", "phase", KIND_TEXT, 0 }, { "POWER", "power_w", KIND_POWER, 0 },
		{ "HEARD", "age_ms", KIND_AGE, 0 }, { "TOLD", "told", KIND_TEXT, 0 }, { "LIMIT", "limit_w", KIND_POWER, 1 },
		{ "TRIES", "tries", KIND_COUNT, 2 }, { "SLEEPS", "sleeps", KIND_COUNT, 3 }, { "FAULT", "fault", KIND_TEXT, 0 },
		{ "HOST", "host", KIND_TEXT, 0 },
	} },
	[LIST_METERS] = { "no meters", {
		{ "METER", "name", KIND_TEXT, 0 }, { "MEASURES", "measures", KIND_TEXT, 3 }, { "POWER", "power_w", KIND_POWER, 0 },
		{ "AGE", "age_ms", KIND_AGE, 0 }, { "STATE", "stale", KIND_STALE, 0 }, { "FREQUENCY", "frequency_hz", KIND_HZ, 4 },
		{ "NAMEPLATE", "nameplate_w", KIND_POWER, 1 }, { "POLLS", "polls", KIND_COUNT, 5 }, { "FAULTS", "faults", KIND_COUNT, 2 },
		{ "FAULT", "fault", KIND_TEXT, 0 }, { "HOST", "host", KIND_TEXT, 0 },
	} },
	[LIST_EVENTS] = { "no orders or grid events", {
		{ "ID", "id", KIND_TEXT, 0 }, { "SIGNAL", "signal", KIND_TEXT, 4 }, { "KIND", "kind", KIND_TEXT, 2 },
		{ "STATUS", "status", KIND_TEXT, 0 }, { "LIMIT", "limit_w", KIND_POWER, 0 }, { "START (UTC)", "start", KIND_TIME, 0 },
		{ "END (UTC)", "end", KIND_TIME, 1 }, { "RESPONSE", "response_s", KIND_SECONDS, 0 }, { "MEAN", "mean_w", KIND_POWER, 6 },
		{ "MAX", "max_w", KIND_POWER, 3 }, { "NOT DRAWN", "not_drawn_wh", KIND_ENERGY, 5 }, { "WHY", "why", KIND_TEXT, 0 },
	} },
	[LIST_DECISIONS] = { "no decisions", {
		{ "SEQ", "seq", KIND_COUNT, 0 }, { "TIME (UTC)", "time", KIND_TIME, 0 }, { "REASON", "reason", KIND_TEXT, 0 },
		{ "BOUND BY", "binding", KIND_TEXT, 1 }, { "SLEEP", "sleeps", KIND_COUNT, 0 }, { "WAKE", "wakes", KIND_COUNT, 0 },
		{ "POWER", "powers", KIND_COUNT, 0 }, { "OUTCOME", "outcome", KIND_TEXT, 0 }, { "WHY", "why", KIND_TEXT, 0 },
	} },
	[LIST_ALARMS] = { "no alarms", {
		{ "SINCE (UTC)", "since", KIND_TIME, 0 }, { "SEVERITY", "severity", KIND_TEXT, 0 }, { "ALARM", "name", KIND_TEXT, 0 },
		{ "WHY", "why", KIND_TEXT, 0 },
	} },
	[LIST_FOUND] = { "no miners", {
		{ "ADDRESS", "host", KIND_TEXT, 0 }, { "MODEL", "model", KIND_TEXT, 0 }, { "FIRMWARE", "firmware", KIND_TEXT, 0 },
		{ "VERSION", "version", KIND_TEXT, 4 }, { "STATE", "state", KIND_TEXT, 0 }, { "POWER", "power_w", KIND_POWER, 0 },
		{ "HASHRATE", "hashrate_ghs", KIND_RATE, 1 }, { "MAC", "mac", KIND_TEXT, 2 }, { "SERIAL", "serial", KIND_TEXT, 3 },
		{ "CONTROL", "control", KIND_TEXT, 0 },
	} },
	[LIST_GROUPS] = { "no groups of miners", {
		{ "GROUP", "group", KIND_TEXT, 0 }, { "MINERS", "miners", KIND_TEXT, 0 }, { "TO", "order", KIND_TEXT, 0 },
		{ "DEAD TIME", "dead_ms", KIND_AGE, 0 }, { "RAMP", "ramp_ms", KIND_AGE, 0 }, { "SPREAD", "spread_ms", KIND_AGE, 4 },
		{ "BASIS", "basis", KIND_TEXT, 3 }, { "AT METER", "seen_by_site", KIND_COUNT, 5 },
		{ "BY POLLS", "seen_by_polls", KIND_COUNT, 6 },
		{ "OBEYED", "obeyed", KIND_TEXT, 0 }, { "DRAWS", "each_w", KIND_POWER, 2 }, { "WEAR", "wear", KIND_TEXT, 1 },
	} },
};

static bool right_aligned(enum kind kind)
{
	return kind == KIND_POWER || kind == KIND_ENERGY || kind == KIND_AGE || kind == KIND_SECONDS || kind == KIND_COUNT || kind == KIND_HZ ||
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
	case KIND_ENERGY:
		format_energy(value, buf, size);
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

/* What of a table is printed, and how. */
struct layout {
	const struct column *columns[MAX_COLUMNS];
	int widths[MAX_COLUMNS], n;
	int why_from, why_columns;      /* where the sentence that ends each row stands; columns 0: in its cell, as long as it is */
	bool below;                     /* on lines of its own, under the row */
};

static void measure(struct layout *layout, const struct column *columns, const cJSON *rows)
{
	char cell[CELL_BYTES];
	const cJSON *row;
	for (; layout->n < MAX_COLUMNS && columns[layout->n].title; layout->n++) {
		int i = layout->n;
		layout->columns[i] = &columns[i];
		layout->widths[i] = (int)strlen(columns[i].title);
		cJSON_ArrayForEach(row, rows) {
			format_cell(row, &columns[i], cell, sizeof(cell));
			int width = canvas_columns(cell);
			layout->widths[i] = width > layout->widths[i] ? width : layout->widths[i];
		}
	}
}

/* Of the first n columns, the blanks between them included. */
static int columns_taken(const struct layout *layout, int n)
{
	int taken = 0;
	for (int i = 0; i < n; i++)
		taken += layout->widths[i] + (i ? 2 : 0);
	return taken;
}

/* The column to be left out next; -1: none. */
static int most_spare(const struct layout *layout)
{
	int found = -1;
	for (int i = 0; i < layout->n; i++)
		if (layout->columns[i]->spare > (found < 0 ? 0 : layout->columns[found]->spare))
			found = i;
	return found;
}

static void leave_out(struct layout *layout, int i, char *left_out, size_t size)
{
	size_t used = strlen(left_out);
	snprintf(left_out + used, size - used, "%s%s", used ? ", " : "", layout->columns[i]->title);
	layout->n--;
	memmove(&layout->columns[i], &layout->columns[i + 1], (size_t)(layout->n - i) * sizeof(layout->columns[0]));
	memmove(&layout->widths[i], &layout->widths[i + 1], (size_t)(layout->n - i) * sizeof(layout->widths[0]));
}

/* Leaves out what is spare until the figures fit; a sentence at the end is folded, beside them or below. */
static void fit(struct layout *layout, int width, char *left_out, size_t size)
{
	const struct column *last = layout->columns[layout->n - 1];
	bool sentence = last->kind == KIND_TEXT && strcmp(last->key, "why") == 0;
	int spare;
	while (columns_taken(layout, layout->n - sentence) > width && (spare = most_spare(layout)) >= 0)
		leave_out(layout, spare, left_out, size);
	if (!sentence || columns_taken(layout, layout->n) <= width)
		return;
	layout->why_from = columns_taken(layout, layout->n - 1) + 2;
	layout->below = width - layout->why_from < LEAST_WHY;
	if (layout->below)
		layout->why_from = BELOW;
	layout->why_columns = width - layout->why_from;
}

static void put_sentence(FILE *out, const struct layout *layout, const char *text)
{
	for (bool first = !layout->below; *text; first = false) {
		int n = (int)text_that_fits(text, layout->why_columns);
		fprintf(out, "%*s%.*s\n", first ? 0 : layout->why_from, "", n, text);
		text += n;
		text += strspn(text, " ");
	}
}

/* row NULL: the titles. */
static void put_row(FILE *out, const struct layout *layout, const cJSON *row)
{
	char cell[CELL_BYTES];
	for (int i = 0; i < layout->n; i++) {
		const struct column *column = layout->columns[i];
		bool last = i == layout->n - 1, folded = last && layout->why_columns > 0;
		if (row)
			format_cell(row, column, cell, sizeof(cell));
		else
			snprintf(cell, sizeof(cell), "%s", folded && layout->below ? "" : column->title);
		if (row && folded && !(layout->below && strcmp(cell, "-") == 0))
			put_sentence(out, layout, cell);
		else if (!(folded && layout->below))
			put_cell(out, cell, layout->widths[i], right_aligned(column->kind), last || (layout->below && i == layout->n - 2));
	}
}

static void put_left_out(FILE *out, const char *left_out, int width)
{
	char text[240];
	struct layout note = { .why_from = 1, .why_columns = width - 1 };
	snprintf(text, sizeof(text), "(not shown, the terminal being too narrow: %s)", left_out);
	put_sentence(out, &note, text);
}

void table_print(FILE *out, enum ctl_list list, const cJSON *rows, int width)
{
	struct layout layout = { 0 };
	char left_out[160] = "";
	const cJSON *row;
	if (cJSON_GetArraySize(rows) == 0) {
		fprintf(out, "%s\n", tables[list].none);
		return;
	}
	measure(&layout, tables[list].columns, rows);
	if (width > 0)
		fit(&layout, width, left_out, sizeof(left_out));
	put_row(out, &layout, NULL);
	cJSON_ArrayForEach(row, rows)
		put_row(out, &layout, row);
	if (*left_out)
		put_left_out(out, left_out, width);
}

int table_width(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 0;
	return size.ws_col < 40 ? 40 : size.ws_col;
}
