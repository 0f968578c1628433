#include "daemon/ctl_chart.h"

#include <stdio.h>
#include <string.h>

#include "daemon/xalloc.h"

#define CELL_S 2                        /* what one cell is wide */
#define BRIDGE_S 3                      /* a line is drawn on over gaps of so long */
#define LABELS_LEFT 9
#define LABELS_RIGHT 7

enum series { SERIES_CAP, SERIES_TARGET, SERIES_HPC, SERIES_MINERS, SERIES_SITE, N_SERIES };

/* In the order of drawing: what comes later colours a cell that both touch. */
static const struct style { const char *label; enum ink ink; char plain; int every; } styles[N_SERIES] = {
	[SERIES_CAP]    = { "cap",    INK_CAP,    '_', 1 },
	[SERIES_TARGET] = { "target", INK_TARGET, '.', 4 },
	[SERIES_HPC]    = { "GPUs",   INK_HPC,    'g', 1 },
	[SERIES_MINERS] = { "miners", INK_MINERS, 'm', 1 },
	[SERIES_SITE]   = { "site",   INK_SITE,   '*', 1 },
};
static const struct style site_over = { "site", INK_ALARM, '!', 1 };

/* What a series did within one dot's time; last_w FIGURE_UNKNOWN: nothing. */
struct span { int64_t low_w, high_w, last_w; bool over; };

struct plot {
	struct canvas *canvas;
	struct box box;                 /* of the lines alone */
	int64_t full_w;
	int per_cell_x, per_cell_y;     /* dots */
};

static int64_t sample_of(const struct sample *sample, enum series series)
{
	switch (series) {
	case SERIES_CAP:    return sample->cap_w;
	case SERIES_TARGET: return sample->target_w;
	case SERIES_HPC:    return sample->hpc_w;
	case SERIES_MINERS: return sample->miners_w;
	case SERIES_SITE:   return sample->site_w;
	case N_SERIES:      break;
	}
	return FIGURE_UNKNOWN;
}

int64_t model_most_w(const struct ctl_model *model)
{
	int64_t most_w = 1000;
	const struct sample *sample;
	for (int back = 0; (sample = model_sample(model, back)); back++)
		for (int series = 0; series < N_SERIES; series++) {
			int64_t w = sample_of(sample, (enum series)series);
			if (w != FIGURE_UNKNOWN && w > most_w)
				most_w = w;
		}
	return most_w;
}

/* What a series did within each dot's time, the newest at the right. */
static void gather(const struct ctl_model *model, enum series series, struct span *spans, int n, int dot_s)
{
	const struct sample *sample;
	int64_t now = model->now_ms / 1000 / dot_s;
	for (int i = 0; i < n; i++)
		spans[i].last_w = FIGURE_UNKNOWN;
	for (int back = 0; (sample = model_sample(model, back)); back++) {
		int64_t i = n - 1 - (now - sample->at_ms / 1000 / dot_s);
		int64_t w = sample_of(sample, series);
		if (i < 0 || i >= n || w == FIGURE_UNKNOWN)
			continue;
		if (spans[i].last_w == FIGURE_UNKNOWN)
			spans[i] = (struct span){ .low_w = w, .high_w = w, .last_w = w };
		spans[i].over |= series == SERIES_SITE && sample->cap_w != FIGURE_UNKNOWN && w > sample->cap_w;
		if (w < spans[i].low_w)
			spans[i].low_w = w;
		if (w > spans[i].high_w)
			spans[i].high_w = w;
	}
}

/* Which row of dots, from the top. */
static int dot_row(const struct plot *plot, int64_t w)
{
	int n = plot->box.rows * plot->per_cell_y;
	int from_bottom = (int)(w * n / plot->full_w);
	if (from_bottom < 0)
		from_bottom = 0;
	return from_bottom >= n ? 0 : n - 1 - from_bottom;
}

static void put_dot(struct plot *plot, int x, int y, const struct style *style)
{
	static const uint8_t bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };
	int row = plot->box.row + y / plot->per_cell_y, column = plot->box.column + x / plot->per_cell_x;
	uint32_t before = 0;
	if (row < plot->canvas->height && column < plot->canvas->width)
		before = plot->canvas->cells[row * plot->canvas->width + column].sign;
	uint32_t sign = (before & 0xFFFFFF00) == 0x2800 ? before : 0x2800;
	canvas_sign(plot->canvas, row, column, style->ink, sign | bits[y % 4][x % 2], style->plain);
}

static void draw_line(struct plot *plot, const struct span *spans, int n, const struct style *style, int dot_s)
{
	int before = -1, quiet = 0;
	for (int x = 0; x < n; x++) {
		if (spans[x].last_w == FIGURE_UNKNOWN) {
			if (++quiet * dot_s > BRIDGE_S)
				before = -1;
			continue;
		}
		quiet = 0;
		int top = dot_row(plot, spans[x].high_w), bottom = dot_row(plot, spans[x].low_w);
		if (before >= 0 && before < top)
			top = before + 1;
		if (before >= 0 && before > bottom)
			bottom = before - 1;
		before = dot_row(plot, spans[x].last_w);
		if (style->every > 1 && (n - 1 - x) % style->every != 0)
			continue;
		for (int y = top; y <= bottom; y++)
			put_dot(plot, x, y, spans[x].over ? &site_over : style);
	}
}

/* The cap lies between two rows of cells, rounded up: so a site that is held closely under it is seen under it, and
 * one that is over it is seen by its colour, however little it is. */
static void draw_cap(struct plot *plot, const struct span *spans, int n)
{
	for (int x = 0; x < n; x++) {
		if (spans[x].last_w == FIGURE_UNKNOWN)
			continue;
		int64_t from_bottom = (spans[x].last_w * plot->box.rows + plot->full_w - 1) / plot->full_w;
		int row = plot->box.rows - 1 - (int)from_bottom;
		canvas_sign(plot->canvas, plot->box.row + (row < 0 ? 0 : row), plot->box.column + x / plot->per_cell_x,
		            INK_CAP, 0x2581, '_');
	}
}

static void draw_scale(const struct plot *plot)
{
	static const int64_t steps[] = { 1, 2, 5 };
	int64_t step_w = 1;
	int least_rows = plot->box.rows > 10 ? 3 : 2;
	for (int64_t decade = 1; decade < 1000000000000 && plot->full_w / step_w * least_rows > plot->box.rows; decade *= 10)
		for (int i = 0; i < 3 && plot->full_w / step_w * least_rows > plot->box.rows; i++)
			step_w = decade * steps[i];
	for (int i = 0; i < plot->box.rows; i++)
		canvas_sign(plot->canvas, plot->box.row + i, plot->box.column - 1, INK_FAINT, 0x2502, '|');
	for (int64_t w = 0; w < plot->full_w; w += step_w) {
		char text[24];
		int row = plot->box.row + dot_row(plot, w) / plot->per_cell_y;
		canvas_text_right(plot->canvas, row, plot->box.column - 2, INK_FAINT, format_power(w, text, sizeof(text)));
		canvas_sign(plot->canvas, row, plot->box.column - 1, INK_FAINT, 0x2524, '+');
	}
}

static void draw_name(const struct plot *plot, int row, enum series series)
{
	canvas_text(plot->canvas, plot->box.row + row, plot->box.column + plot->box.columns + 1,
	            styles[series].ink, styles[series].label);
}

/* Moves rows that meet apart, the first upmost, within [0, rows). */
static void spread_rows(int *at, int n, int rows)
{
	for (int i = 1; i < n; i++)
		if (at[i] <= at[i - 1])
			at[i] = at[i - 1] + 1;
	for (int i = n - 1, most = rows - 1; i >= 0; i--, most--)
		if (at[i] > most)
			at[i] = most;
}

/* Names at the lines' right ends, higher lines above; cap and target only where there is room beside the others. */
static void draw_names(const struct plot *plot, const int64_t last_w[N_SERIES])
{
	static const enum series lines[] = { SERIES_SITE, SERIES_HPC, SERIES_MINERS };
	enum series shown[3];
	int at[5], n = 0;
	for (int i = 0; i < 3; i++) {
		int place = n;
		if (last_w[lines[i]] == FIGURE_UNKNOWN)
			continue;
		for (; place > 0 && last_w[shown[place - 1]] < last_w[lines[i]]; place--)
			shown[place] = shown[place - 1];
		shown[place] = lines[i];
		n++;
	}
	for (int i = 0; i < n; i++)
		at[i] = dot_row(plot, last_w[shown[i]]) / plot->per_cell_y;
	spread_rows(at, n, plot->box.rows);
	for (int i = 0; i < n; i++)
		draw_name(plot, at[i], shown[i]);
	for (int i = 0; i < 2; i++) {
		enum series series = i == 0 ? SERIES_CAP : SERIES_TARGET;
		if (last_w[series] == FIGURE_UNKNOWN)
			continue;
		int row = dot_row(plot, last_w[series]) / plot->per_cell_y;
		bool free_here = true, free_above = row > 0;
		for (int line = 0; line < n; line++) {
			free_here &= at[line] != row;
			free_above &= at[line] != row - 1;
		}
		if (!free_here && (!free_above || series == SERIES_TARGET))
			continue;
		at[n] = free_here ? row : row - 1;
		draw_name(plot, at[n++], series);
	}
}

static void draw_time(const struct plot *plot)
{
	char ago[24];
	int row = plot->box.row + plot->box.rows, end = plot->box.column + plot->box.columns;
	canvas_sign(plot->canvas, row, plot->box.column - 1, INK_FAINT, 0x2514, '+');
	canvas_rule(plot->canvas, row, plot->box.column, end, INK_FAINT);
	for (int s = 60; s / CELL_S < plot->box.columns; s += 60) {
		snprintf(ago, sizeof(ago), " -%d min ", s / 60);
		int column = end - s / CELL_S;
		if (column - 4 > plot->box.column)
			canvas_text(plot->canvas, row, column - 4, INK_FAINT, ago);
	}
	canvas_text(plot->canvas, row, end + 1, INK_FAINT, "now");
}

void chart_draw(struct canvas *canvas, struct box box, const struct ctl_model *model)
{
	struct plot plot = {
		.canvas = canvas,
		.box = { box.row, box.column + LABELS_LEFT, box.rows - 1, box.columns - LABELS_LEFT - LABELS_RIGHT },
		.per_cell_x = canvas->ascii ? 1 : 2, .per_cell_y = canvas->ascii ? 1 : 4,
	};
	if (plot.box.rows < 2 || plot.box.columns < 10)
		return;
	/* The most stands between the first row and the second, where a cap is drawn. */
	plot.full_w = (model_most_w(model) * plot.box.rows + plot.box.rows - 2) / (plot.box.rows - 1);
	int n = plot.box.columns * plot.per_cell_x, dot_s = CELL_S / plot.per_cell_x;
	int64_t last_w[N_SERIES];
	struct span *spans = xcalloc((size_t)n, sizeof(*spans));
	draw_scale(&plot);
	for (int series = 0; series < N_SERIES; series++) {
		gather(model, (enum series)series, spans, n, dot_s);
		if (series == SERIES_CAP)
			draw_cap(&plot, spans, n);
		else
			draw_line(&plot, spans, n, &styles[series], dot_s);
		last_w[series] = spans[n - 1].last_w;
	}
	free(spans);
	draw_names(&plot, last_w);
	draw_time(&plot);
}
