#include "daemon/ctl_parts.h"

#include <stdio.h>
#include <string.h>

#include "daemon/ctl_chart.h"

#define LEFT 1
#define FIGURES_END 18                  /* where the column of figures ends */
#define NOTES 17                        /* how much stands behind a bar */

static enum ink state_ink(const struct ctl_model *model)
{
	if (*model->trouble || strcmp(model->state, "failsafe") == 0 || strcmp(model->state, "offline") == 0)
		return INK_ALARM;
	return strcmp(model->state, "running") == 0 ? INK_GOOD : INK_WARNING;
}

int part_title(struct canvas *canvas, int row, const struct ctl_model *model)
{
	char text[48], clock[9];
	const char *state = *model->trouble ? "no answer" : *model->state ? model->state : "unknown";
	int column = canvas_text_until(canvas, row, LEFT, canvas->width / 3, INK_BOLD, *model->site ? model->site : "mullet") + 2;
	canvas_sign(canvas, row, column, state_ink(model), 0x25CF, '*');
	column = canvas_text(canvas, row, column + 2, state_ink(model), state);
	if (model->dry_run)
		column = canvas_text(canvas, row, column + 2, INK_WARNING, "DRY RUN: no miner is commanded");
	if (!model->heard)
		return row + 1;
	if (!*model->trouble && model->uptime_ms != FIGURE_UNKNOWN) {
		format_duration(model->uptime_ms, text, sizeof(text));
		column = canvas_format(canvas, row, column + 2, INK_FAINT, "up %s", text);
	}
	snprintf(text, sizeof(text), "%.10s %s UTC", model->time, clock_of(model->time, clock));
	if (column + canvas_columns(text) + 3 > canvas->width)
		snprintf(text, sizeof(text), "%s UTC", clock);
	if (*clock != '-' && column + canvas_columns(text) + 2 <= canvas->width)
		canvas_text_right(canvas, row, canvas->width - 1, *model->trouble ? INK_FAINT : INK_PLAIN, text);
	return row + 1;
}

static int trouble_line(struct canvas *canvas, int row, int rows, enum ink ink, const char *name, const char *why)
{
	char text[400];
	canvas_sign(canvas, row, LEFT, ink, '!', '!');
	snprintf(text, sizeof(text), *name && *why ? "%s: %s" : "%s%s", name, why);
	int used = canvas_wrap(canvas, row, LEFT + 2, canvas->width - 1, rows, ink, text);
	return row + (used > 0 ? used : 1);
}

static int one_alarm(struct canvas *canvas, int row, int rows, const struct shown_alarm *alarm)
{
	char name[96], clock[9];
	snprintf(name, sizeof(name), *alarm->since ? "%s since %s" : "%s", alarm->name, clock_of(alarm->since, clock));
	return trouble_line(canvas, row, rows, alarm->critical ? INK_ALARM : INK_WARNING, name, alarm->why);
}

/* Critical ones first, in the order they came. */
static int alarm_lines(struct canvas *canvas, int row, int until, int rows_each, const struct ctl_model *model)
{
	int kept = model->n_alarms < MODEL_ALARMS ? model->n_alarms : MODEL_ALARMS, shown = 0;
	for (int critical = 1; critical >= 0; critical--)
		for (int i = 0; i < kept; i++) {
			if (model->alarms[i].critical != (bool)critical)
				continue;
			bool last_row = row == until - 1, more = shown < model->n_alarms - 1;
			if (last_row && more) {
				canvas_format(canvas, row, LEFT, INK_WARNING, "! %d more: mulletctl alarms",
				              model->n_alarms - shown);
				return row + 1;
			}
			int rows = until - row - more < rows_each ? until - row - more : rows_each;
			row = one_alarm(canvas, row, rows, &model->alarms[i]);
			shown++;
		}
	return row;
}

int part_trouble(struct canvas *canvas, int row, int max_rows, int rows_each, const struct ctl_model *model)
{
	int until = row + max_rows;
	if (*model->trouble)
		row = trouble_line(canvas, row, rows_each, INK_ALARM, model->trouble, "");
	else if (strcmp(model->state, "running") != 0 && *model->state_why)
		row = trouble_line(canvas, row, rows_each, state_ink(model), model->state, model->state_why);
	return row < until ? alarm_lines(canvas, row, until, rows_each, model) : row;
}

static bool by_operator(const struct shown_order *order)
{
	return strncmp(order->id, "operator", 8) == 0;
}

/* " until 05:34:03", with the day where that is another; the operator's may have no end but a release. */
static void order_end(const struct shown_order *order, const char *now, char *buf, size_t size)
{
	char clock[9];
	if (strlen(order->end) < 19)
		snprintf(buf, size, "%s", by_operator(order) && order->end_known ? " until release" : "");
	else if (strncmp(order->end, now, 10) == 0)
		snprintf(buf, size, " until %s", clock_of(order->end, clock));
	else
		snprintf(buf, size, " until %.10s %s", order->end, clock_of(order->end, clock));
}

static void order_text(const struct shown_order *order, const char *now, char *buf, size_t size)
{
	char power[24], end[48];
	const char *what = strcmp(order->kind, "cap") == 0 ? "site at most " :
	                   strcmp(order->kind, "setpoint") == 0 ? "site held at " : "miners at most ";
	format_power(order->limit_w, power, sizeof(power));
	order_end(order, now, end, sizeof(end));
	if (strcmp(order->kind, "shed") == 0 && order->limit_w == 0)
		snprintf(buf, size, "all miners off%s", end);
	else
		snprintf(buf, size, "%s%s%s", what, power, end);
}

/* All that is in force, the operator's first, for the screen tells of a grid's cap elsewhere as well; a shed before a hold. */
static void orders_text(const struct ctl_model *model, char *buf, size_t size)
{
	char one[160];
	const char *who = "";
	size_t used = (size_t)snprintf(buf, size, "in force: ");
	for (int operators = 1; operators >= 0; operators--)
		for (int i = model->n_orders - 1; i >= 0 && used < size; i--) {
			const struct shown_order *order = &model->orders[i];
			const char *name = operators ? "the operator" : order->id;
			if (by_operator(order) != (bool)operators)
				continue;
			order_text(order, model->time, one, sizeof(one));
			if (strcmp(who, name) == 0)
				used += (size_t)snprintf(buf + used, size - used, ", %s", one);
			else
				used += (size_t)snprintf(buf + used, size - used, "%s%s: %s", *who ? "; " : "", name, one);
			who = name;
		}
}

int part_orders(struct canvas *canvas, int row, int max_rows, const struct ctl_model *model)
{
	char text[1024];
	if (model->n_orders == 0 || max_rows < 1 || *model->trouble)
		return row;
	orders_text(model, text, sizeof(text));
	canvas_sign(canvas, row, LEFT, INK_TARGET, 0x25B8, '>');
	return row + canvas_wrap(canvas, row, LEFT + 2, canvas->width - 1, max_rows, INK_TARGET, text);
}

struct bar { int row, from, until; int64_t full_w; };

static int bar_column(const struct bar *bar, int64_t w)
{
	int64_t cells = bar->until - bar->from;
	int64_t column = w < 0 ? 0 : w * cells / bar->full_w;
	return bar->from + (int)(column >= cells ? cells - 1 : column);
}

static void draw_bar(struct canvas *canvas, const struct bar *bar, int64_t w, enum ink ink, char plain)
{
	if (w == FIGURE_UNKNOWN || w <= 0)
		return;
	int64_t halves = w * (bar->until - bar->from) * 2 / bar->full_w;
	if (halves == 0)
		halves = 1;
	for (int column = bar->from; column < bar->until && halves > 0; column++, halves -= 2)
		canvas_sign(canvas, bar->row, column, ink, halves >= 2 ? 0x2584 : 0x2596, plain);
}

static void draw_mark(struct canvas *canvas, const struct bar *bar, int64_t w, enum ink ink, uint32_t sign, char plain)
{
	if (w != FIGURE_UNKNOWN)
		canvas_sign(canvas, bar->row, bar_column(bar, w), ink, sign, plain);
}

static void draw_figure(struct canvas *canvas, int row, const char *label, struct power_unit unit, int64_t w, enum ink ink)
{
	char text[32];
	canvas_text(canvas, row, LEFT, INK_PLAIN, label);
	canvas_text_right(canvas, row, FIGURES_END, w == FIGURE_UNKNOWN ? INK_FAINT : ink,
	                  format_power_in(unit, w, text, sizeof(text)));
}

static void site_note(struct canvas *canvas, int row, int column, const struct ctl_model *model)
{
	char text[24];
	if (model->site_w == FIGURE_UNKNOWN || model->cap_w == FIGURE_UNKNOWN || model->cap_w <= 0)
		return;
	if (model->site_w > model->cap_w)
		canvas_format(canvas, row, column, INK_ALARM, "%s OVER",
		              format_power(model->site_w - model->cap_w, text, sizeof(text)));
	else
		canvas_format(canvas, row, column, INK_PLAIN, "%.1f %% of cap",
		              100.0 * (double)model->site_w / (double)model->cap_w);
}

static void miners_note(struct canvas *canvas, int row, int column, const struct ctl_model *model)
{
	char text[24];
	if (model->nominal_miners_w != FIGURE_UNKNOWN && model->nominal_miners_w > 0)
		canvas_format(canvas, row, column, INK_FAINT, "of %s",
		              format_power(model->nominal_miners_w, text, sizeof(text)));
}

static void hpc_note(struct canvas *canvas, int row, int column, const struct ctl_model *model)
{
	char text[24];
	if (model->hpc_limit_w != FIGURE_UNKNOWN)
		canvas_format(canvas, row, column, INK_ALARM, "%s asked", format_power(model->hpc_limit_w, text, sizeof(text)));
	else if (model->doubt_w != FIGURE_UNKNOWN && model->doubt_w > 0)
		canvas_format(canvas, row, column, INK_WARNING, "%s unseen", format_power(model->doubt_w, text, sizeof(text)));
	else if (model->announced_w != FIGURE_UNKNOWN && model->announced_w > 0)
		canvas_format(canvas, row, column, INK_PLAIN, "+%s soon", format_power(model->announced_w, text, sizeof(text)));
}

int part_bars(struct canvas *canvas, int row, const struct ctl_model *model)
{
	const struct { const char *label; int64_t w; enum ink ink; char plain; } bars[] = {
		{ "Site", model->site_w, INK_SITE, '=' }, { "GPUs", model->hpc_w, INK_HPC, 'g' },
		{ "Miners", model->miners_w, INK_MINERS, 'm' }, { "Other", model->other_w, INK_OTHER, 'o' },
	};
	int64_t most_w = model_most_w(model), full_w = most_w + most_w / 16;
	struct power_unit unit = power_unit_for(most_w);
	int until = canvas->width - NOTES - 1;
	for (int i = 0; i < 4; i++) {
		struct bar bar = { row + i, FIGURES_END + 2, until, full_w };
		draw_figure(canvas, row + i, bars[i].label, unit, bars[i].w, i == 0 ? INK_BOLD : INK_PLAIN);
		draw_bar(canvas, &bar, bars[i].w, bars[i].ink, bars[i].plain);
		if (i == 0) {
			draw_mark(canvas, &bar, model->target_w, INK_TARGET, 0x2502, ':');
			draw_mark(canvas, &bar, model->cap_w, INK_CAP, 0x2503, '|');
		}
	}
	site_note(canvas, row, until + 2, model);
	hpc_note(canvas, row + 1, until + 2, model);
	miners_note(canvas, row + 2, until + 2, model);
	return row + 4;
}

struct item { const char *label; int64_t w; enum ink ink; };

static void limit_item(struct canvas *canvas, int row, int column, int figure_end, struct power_unit unit, struct item item)
{
	char text[32];
	canvas_text(canvas, row, column, INK_FAINT, item.label);
	canvas_text_right(canvas, row, figure_end, item.ink, format_power_in(unit, item.w, text, sizeof(text)));
}

int part_limits(struct canvas *canvas, int row, const struct ctl_model *model)
{
	char text[80];
	bool over = model->headroom_w != FIGURE_UNKNOWN && model->headroom_w < 0;
	bool narrow = canvas->width < 80;
	struct power_unit unit = power_unit_for(model_most_w(model));
	const struct item items[2][3] = {
		{ { "Cap", model->cap_w, INK_CAP }, { "Headroom", model->headroom_w, over ? INK_WARNING : INK_PLAIN },
		  { "Can shed", model->curtailable_w, INK_PLAIN } },
		{ { "Target", model->target_w, INK_TARGET }, { "Reserve", model->reserve_w, INK_PLAIN },
		  { "Can wake", model->restorable_w, INK_PLAIN } },
	};
	for (int line = 0; line < 2; line++) {
		limit_item(canvas, row + line, LEFT, FIGURES_END, unit, items[line][0]);
		limit_item(canvas, row + line, FIGURES_END + 3, FIGURES_END + 22, unit, items[line][1]);
		if (!narrow)
			limit_item(canvas, row + line, FIGURES_END + 25, FIGURES_END + 44, unit, items[line][2]);
	}
	int column = FIGURES_END + (narrow ? 25 : 47);
	if (*model->cap_from && strcmp(model->cap_from, "site") != 0) {
		snprintf(text, sizeof(text), "by %s", model->cap_from);
		canvas_text_until(canvas, row, column, canvas->width - 1, INK_WARNING, text);
	}
	if (model->frequency_mhz != FIGURE_UNKNOWN)
		canvas_format(canvas, row + 1, column, INK_PLAIN, "%.3f Hz", (double)model->frequency_mhz / 1000);
	return row + 2;
}
