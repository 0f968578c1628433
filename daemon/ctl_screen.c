#include "daemon/ctl_screen.h"

#include <stdio.h>

#include "daemon/ctl_chart.h"
#include "daemon/ctl_parts.h"

static int heading(struct canvas *canvas, int row, const char *name, const char *right)
{
	int end = canvas->width - 1;
	canvas_rule(canvas, row, 1, end, INK_FAINT);
	canvas_format(canvas, row, 3, INK_BOLD, " %s ", name);
	if (*right) {
		char text[64];
		snprintf(text, sizeof(text), " %s ", right);
		canvas_text_right(canvas, row, end - 2, INK_FAINT, text);
	}
	return row + 1;
}

static void count_text(const struct ctl_model *model, const char *hint, char *buf, size_t size)
{
	if (model->heard && model->n_decisions != FIGURE_UNKNOWN)
		snprintf(buf, size, "%lld in all%s%s", (long long)model->n_decisions, *hint ? ", " : "", hint);
	else
		snprintf(buf, size, "%s", hint);
}

static void miners_text(const struct ctl_model *model, char *buf, size_t size)
{
	int64_t all = 0;
	for (int i = 0; i < N_SHOWN; i++)
		all += model->phases[i];
	snprintf(buf, size, "%lld in all", (long long)all);
}

/* How the rows that bars, figures and miners leave are shared: the chart gets the larger half. */
static int chart_rows(int rows_left)
{
	int rows = rows_left * 2 / 3;
	return rows < 4 ? 0 : rows;
}

void screen_watch(struct canvas *canvas, const struct ctl_model *model)
{
	char text[64];
	if (canvas->width < SCREEN_MIN_WIDTH || canvas->height < SCREEN_MIN_HEIGHT) {
		canvas_format(canvas, 0, 0, INK_WARNING, "%dx%d is too small, %dx%d is the least; q quits",
		              canvas->width, canvas->height, SCREEN_MIN_WIDTH, SCREEN_MIN_HEIGHT);
		return;
	}
	int row = part_title(canvas, 0, model);
	int most = canvas->height / 8, after = part_orders(canvas, row, 1, model);
	after = part_trouble(canvas, after, most - (after - row), 1, model);
	row = after > row ? after : row + 1;
	if (!model->heard) {
		canvas_text_right(canvas, canvas->height - 1, canvas->width - 1, INK_FAINT, "q quits");
		return;
	}
	bool roomy = canvas->height >= 30;
	row = part_bars(canvas, row + roomy, model);
	row = part_limits(canvas, row + roomy, model) + roomy;
	/* miners: heading and 2 rows, decisions: heading and the rest */
	int rows = chart_rows(canvas->height - row - 4 - roomy);
	chart_draw(canvas, (struct box){ row, 0, rows, canvas->width - 1 }, model);
	row += rows + roomy;
	miners_text(model, text, sizeof(text));
	row = heading(canvas, row, "Miners", text);
	row = part_miners(canvas, row, model) + roomy;
	count_text(model, "q quits", text, sizeof(text));
	row = heading(canvas, row, "Decisions", text);
	part_decisions(canvas, row, canvas->height - row, 2, MODEL_DECISIONS, model);
}

static int stale_meters(struct canvas *canvas, int row, const struct ctl_model *model)
{
	char text[256];
	if (model->n_stale == 0)
		return row;
	snprintf(text, sizeof(text), "%d stale meter%s: %s", model->n_stale, model->n_stale == 1 ? "" : "s", model->stale);
	canvas_sign(canvas, row, 1, INK_WARNING, '!', '!');
	canvas_text_until(canvas, row, 3, canvas->width - 1, INK_WARNING, text);
	return row + 1;
}

void screen_status(struct canvas *canvas, const struct ctl_model *model, int rows)
{
	char text[64];
	int row = part_title(canvas, 0, model);
	int after = part_orders(canvas, row, 4, model);
	after = part_trouble(canvas, after, 3 * MODEL_ALARMS, 3, model);
	after = stale_meters(canvas, after, model);
	row = part_bars(canvas, after + 1, model);
	row = part_limits(canvas, row + 1, model);
	row = part_totals(canvas, row + 1, model);
	miners_text(model, text, sizeof(text));
	row = heading(canvas, row + 1, "Miners", text);
	row = part_miners(canvas, row, model);
	int left = rows > 0 && rows < canvas->height ? rows - row : canvas->height - row;
	if (left < 4)                   /* a blank row, the heading, and a decision */
		return;
	count_text(model, "", text, sizeof(text));
	row = heading(canvas, row + 1, "Decisions", text);
	part_decisions(canvas, row, left - 2, 6, 5, model);
}

void line_watch(const struct ctl_model *model, int64_t last_seq, char *buf, size_t size)
{
	char clock[9], site[32], cap[32], hpc[32], miners[32], headroom[32];
	if (*model->trouble) {
		snprintf(buf, size, "%s", model->trouble);
		return;
	}
	struct power_unit unit = power_unit_for(model->cap_w == FIGURE_UNKNOWN ? 0 : model->cap_w);
	int n = snprintf(buf, size, "%s %s  site %s of %s  GPUs %s  miners %s  headroom %s", clock_of(model->time, clock),
	                 model->state, format_power_in(unit, model->site_w, site, sizeof(site)),
	                 format_power_in(unit, model->cap_w, cap, sizeof(cap)),
	                 format_power_in(unit, model->hpc_w, hpc, sizeof(hpc)),
	                 format_power_in(unit, model->miners_w, miners, sizeof(miners)),
	                 format_power_in(unit, model->headroom_w, headroom, sizeof(headroom)));
	if (model->n_alarms > 0 && n > 0 && (size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, "  alarms %d (%s)", model->n_alarms, model->alarms[0].name);
	if (model->n_seen_decisions == 0 || n < 0 || (size_t)n >= size)
		return;
	const struct shown_decision *decision = &model->decisions[model->n_seen_decisions - 1];
	if (decision->seq != FIGURE_UNKNOWN && decision->seq > last_seq)
		snprintf(buf + n, size - (size_t)n, "  #%lld %s: %s", (long long)decision->seq, decision->reason, decision->why);
}
