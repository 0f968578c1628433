#include "sim/svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 1200, HEIGHT = 600, LEFT = 62, RIGHT = 1182, TOP = 112, BOTTOM = 528, ROWS = 3, MARKS = 64 };

struct plot {
	const struct report *report;
	const struct run *run;
	FILE *out;
	double begin_ms, end_ms, top_w;
	struct mark { double x; char label[112]; } marks[MARKS];
	size_t n_marks;
};

enum series { SITE, HPC, MINERS, OTHER, LEFT_HASHING, N_SERIES };
static const char *const classes[N_SERIES] = { "site", "hpc", "miners", "other", "left" };

static const char style[] =
"<style>\n"
"text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }\n"
".quiet { fill: #59636e } .end { text-anchor: end } .mid { text-anchor: middle } .strong { font-weight: 600 }\n"
".page { fill: #ffffff; stroke: #d1d9e0 } .grid { stroke: #d1d9e0; stroke-width: 0.7 }\n"
".line { fill: none; stroke-linejoin: round; stroke-linecap: round }\n"
".site { stroke: #0969da; stroke-width: 3 } .hpc { stroke: #8250df; stroke-width: 1.8 }\n"
".miners { stroke: #d4760a; stroke-width: 1.8 } .other { stroke: #8b949e; stroke-width: 1.4 }\n"
".left { stroke: #8b949e; stroke-width: 1.3; stroke-dasharray: 1 4 }\n"
".limit { stroke: #cf222e; stroke-width: 2 } .target { stroke: #cf222e; stroke-width: 1; stroke-dasharray: 5 4 }\n"
".order { fill: #cf222e; opacity: 0.09 } .mark { stroke: #59636e; stroke-width: 1; stroke-dasharray: 3 3 }\n"
".sleep { stroke: #d4760a; stroke-width: 1.6 } .wake { stroke: #1a7f37; stroke-width: 1.6 }\n"
".power { stroke: #0f7f94; stroke-width: 1.6 }\n"
"@media (prefers-color-scheme: dark) {\n"
"text { fill: #e6edf3 } .quiet { fill: #9198a1 } .page { fill: #0d1117; stroke: #3d444d } .grid { stroke: #2a313c }\n"
".site { stroke: #58a6ff } .hpc { stroke: #bc8cff } .miners, .sleep { stroke: #f0a03c }\n"
".limit, .target { stroke: #ff7b72 } .order { fill: #ff7b72; opacity: 0.13 } .mark { stroke: #9198a1 }\n"
".wake { stroke: #3fb950 } .power { stroke: #39c5cf }\n"
"}\n"
"</style>\n";

static double x_of(const struct plot *plot, double at_ms)
{
	return LEFT + (RIGHT - LEFT) * (at_ms - plot->begin_ms) / (plot->end_ms - plot->begin_ms);
}

static double y_of(const struct plot *plot, double w)
{
	return BOTTOM - (BOTTOM - TOP) * w / plot->top_w;
}

static double value_w(const struct plot *plot, enum series series, size_t i)
{
	const struct run *run = plot->run;
	switch (series) {
	case SITE:         return run->site_w[i];
	case HPC:          return run->hpc_w[i];
	case MINERS:       return run->miners_w[i];
	case OTHER:        return run->site_w[i] - run->hpc_w[i] - run->miners_w[i];
	case LEFT_HASHING: return run->site_w[i] - run->miners_w[i] + (double)plot->report->full_w;
	case N_SERIES:     break;
	}
	return 0;
}

/* A round step that divides `whole` into at most `most` parts. */
static double round_step(double whole, int most)
{
	static const double rounds[] = { 1, 2, 5, 10 };
	double step = pow(10, floor(log10(whole / most)));
	for (int r = 0; r < 4; r++)
		if (whole / (step * rounds[r]) <= most)
			return step * rounds[r];
	return step * 10;
}

/* ---- the ground ---- */

static void draw_grid(const struct plot *plot)
{
	double step_w = round_step(plot->top_w, 9), span_s = (plot->end_ms - plot->begin_ms) / 1000;
	double step_s = span_s > 600 ? 60 * round_step(span_s / 60, 12) : round_step(span_s, 12);
	for (int k = 0; k * step_w <= plot->top_w; k++) {
		double y = y_of(plot, k * step_w);
		fprintf(plot->out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"quiet end\" x=\"%d\" y=\"%.1f\">%.*f</text>\n",
		        LEFT, y, RIGHT, LEFT - 8, y + 4.5, step_w < 1e5 ? 2 : 1, k * step_w / 1e6);
	}
	for (int k = 0; k * step_s <= span_s + 0.05; k++) {
		double at_s = k * step_s + plot->begin_ms / 1000, x = x_of(plot, at_s * 1000);
		fprintf(plot->out, "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text class=\"quiet mid\" x=\"%.1f\" y=\"%d\">%.4g%s</text>\n",
		        x, TOP, BOTTOM, fmin(x, RIGHT - 12), BOTTOM + 42, at_s, k == 0 ? " s" : "");
	}
	fprintf(plot->out, "<text class=\"quiet end\" x=\"%d\" y=\"%d\">MW</text>\n", LEFT - 8, TOP - 14);
}

static void draw_orders(const struct plot *plot)
{
	for (size_t i = 0; i < plot->run->n_orders; i++) {
		const struct run_order *order = &plot->run->orders[i];
		if (order->start_ms == RUN_NEVER || strcmp(order->status, "rejected") == 0)
			continue;
		double from = x_of(plot, fmax((double)order->start_ms, plot->begin_ms));
		double to = x_of(plot, fmin((double)order->end_ms, plot->end_ms));
		if (to > from)
			fprintf(plot->out, "<rect class=\"order\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", from, TOP,
			        to - from, BOTTOM - TOP);
	}
}

/* ---- lines ---- */

/* At most the lowest and the highest value of each column of pixels, so that no peak is lost. */
static void draw_series(const struct plot *plot, enum series series)
{
	const struct run *run = plot->run;
	size_t per_column = run->n_truth / (RIGHT - LEFT) + 1;
	char move = 'M';
	fprintf(plot->out, "<path class=\"line %s\" d=\"", classes[series]);
	for (size_t first = 0; first < run->n_truth; first += per_column) {
		size_t low = first, high = first;
		for (size_t i = first; i < first + per_column && i < run->n_truth; i++) {
			low = value_w(plot, series, i) < value_w(plot, series, low) ? i : low;
			high = value_w(plot, series, i) > value_w(plot, series, high) ? i : high;
		}
		size_t both[2] = { low < high ? low : high, low < high ? high : low };
		for (int k = 0; k < (low == high ? 1 : 2); k++) {
			double at_ms = (double)run->truth_ms + (double)both[k] * (double)run->step_ms;
			fprintf(plot->out, "%c%.1f %.1f", move, x_of(plot, at_ms), y_of(plot, value_w(plot, series, both[k])));
			move = 'L';
		}
	}
	fprintf(plot->out, "\"/>\n");
}

/* A line of steps; what is not known, 0, leaves a gap. */
static void draw_steps(const struct plot *plot, const char *class, bool target)
{
	const struct run *run = plot->run;
	double last_w = target ? 0 : (double)plot->report->cap_w;
	fprintf(plot->out, "<path class=\"line %s\" d=\"", class);
	if (last_w > 0)
		fprintf(plot->out, "M%d %.1f", LEFT, y_of(plot, last_w));
	for (size_t i = 0; i < run->n_views; i++) {
		double w = (double)(target ? run->views[i].target_w : run->views[i].limit_w);
		double x = x_of(plot, (double)run->views[i].at_ms);
		if (x < LEFT || x > RIGHT || w == last_w || (target && w == 0))
			continue;
		if (last_w > 0)
			fprintf(plot->out, "H%.1fV%.1f", x, y_of(plot, w));
		else
			fprintf(plot->out, "M%.1f %.1f", x, y_of(plot, w));
		last_w = w;
	}
	fprintf(plot->out, last_w > 0 ? "H%d\"/>\n" : "\"/>\n", RIGHT);
}

/* Under the plot, up to 18 pixels high: how many miners each decision moved; its kinds side by side. */
static void draw_decisions(const struct plot *plot)
{
	for (size_t i = 0; i < plot->run->n_decisions; i++) {
		const struct run_decision *d = &plot->run->decisions[i];
		double x = x_of(plot, (double)d->at_ms);
		for (enum deed deed = DEED_SLEEP; deed < N_DEEDS && x >= LEFT && x <= RIGHT; deed++)
			if (d->told[deed])
				fprintf(plot->out, "<path class=\"%s\" d=\"M%.1f %dv%.1f\"/>\n", deed_name(deed), x + 2 * (int)deed, BOTTOM + 4,
				        fmin(18, 3 + 3 * log2((double)d->told[deed])));
	}
}

/* ---- words ---- */

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++)
		if (*text == '<' || *text == '&')
			fputs(*text == '<' ? "&lt;" : "&amp;", out);
		else if ((unsigned char)*text >= 0x20)
			fputc(*text, out);
}

static void add_mark(struct plot *plot, int64_t at_ms, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add_mark(struct plot *plot, int64_t at_ms, const char *format, ...)
{
	va_list args;
	double x = x_of(plot, (double)at_ms);
	if (x < LEFT || x > RIGHT || plot->n_marks == MARKS)
		return;
	struct mark *mark = &plot->marks[plot->n_marks++];
	mark->x = x;
	va_start(args, format);
	vsnprintf(mark->label, sizeof mark->label, format, args);
	va_end(args);
}

static void mark_orders(struct plot *plot)
{
	for (size_t i = 0; i < plot->run->n_orders; i++) {
		const struct run_order *order = &plot->run->orders[i];
		if (order->start_ms == RUN_NEVER)
			continue;
		if (order->limit_w >= 0)
			add_mark(plot, order->start_ms, "order %s: %s %.2f MW", order->id, order->kind, (double)order->limit_w / 1e6);
		else
			add_mark(plot, order->start_ms, "order %s: %s", order->id, order->kind);
	}
}

static void mark_event(struct plot *plot, const struct farm_event *event)
{
	static const char *const kinds[] = { "site meter", "PDU", "miner" };
	const char *kind = kinds[event->what];
	const char *fault = event->what == FARM_MINER_FAULT ? plant_fault_name((enum plant_fault)event->fault) :
	                    modbus_fault_name((enum modbus_fault)event->fault);
	if (event->permille)
		add_mark(plot, event->at_ms, "%.1f %% of the miners %s", event->permille / 10.0, fault);
	else if (event->what == FARM_METER_FAULT)
		add_mark(plot, event->at_ms, "%s %s", kind, fault);
	else if (event->device == FARM_ALL)
		add_mark(plot, event->at_ms, "all %ss %s", kind, fault);
	else
		add_mark(plot, event->at_ms, "%s %lld %s", kind, (long long)event->device + 1, fault);
}

static int by_place(const void *a, const void *b)
{
	const struct mark *one = a, *other = b;
	return one->x < other->x ? -1 : one->x > other->x;
}

/* Each label in the first row above the plot in which there is room. */
static void draw_marks(struct plot *plot, const struct farm_conf *conf)
{
	double row_end[ROWS] = { 0 };
	for (size_t j = 0; j < conf->truth.load.n_jobs; j++) {
		const struct load_job *job = &conf->truth.load.jobs[j];
		add_mark(plot, job->at_ms, "GPU job %s, %+.0f kW", job->delta_w < 0 ? "ends" : "starts", (double)job->delta_w / 1e3);
	}
	for (size_t e = 0; e < conf->n_events; e++)
		mark_event(plot, &conf->events[e]);
	mark_orders(plot);
	qsort(plot->marks, plot->n_marks, sizeof *plot->marks, by_place);
	for (size_t m = 0; m < plot->n_marks; m++) {
		const struct mark *mark = &plot->marks[m];
		double width = 7.0 * (double)strlen(mark->label) + 10, from = fmin(mark->x, RIGHT - width);
		int row = 0;
		while (row < ROWS - 1 && row_end[row] > from)
			row++;
		row_end[row] = from + width;
		double y = 98 - 17 * row;
		fprintf(plot->out, "<path class=\"mark\" d=\"M%.1f %.1fV%d\"/><text x=\"%.1f\" y=\"%.1f\">", mark->x, y + 4, BOTTOM,
		        from, y);
		put_escaped(plot->out, mark->label);
		fprintf(plot->out, "</text>\n");
	}
}

static void draw_legend(const struct plot *plot)
{
	static const struct { const char *class, *text; int width; } entries[] = {
		{ "site", "site", 70 }, { "hpc", "GPUs", 78 }, { "miners", "miners", 84 }, { "other", "other", 76 },
		{ "limit", "cap or limit in force", 172 }, { "target", "target", 82 }, { "left", "site without control", 172 },
	};
	double x = LEFT;
	for (size_t e = 0; e < sizeof entries / sizeof *entries; e++) {
		fprintf(plot->out, "<path class=\"line %s\" d=\"M%.0f 30h22\"/><text%s x=\"%.0f\" y=\"34.5\">%s</text>\n",
		        entries[e].class, x, e == 0 ? " class=\"strong\"" : "", x + 28, entries[e].text);
		x += entries[e].width;
	}
	fprintf(plot->out, "<path class=\"sleep\" d=\"M%.0f 23v14\"/><text x=\"%.0f\" y=\"34.5\">miners put to sleep</text>\n",
	        x + 4, x + 12);
	fprintf(plot->out, "<path class=\"wake\" d=\"M%.0f 23v14\"/><text x=\"%.0f\" y=\"34.5\">woken</text>\n", x + 150, x + 158);
	if (plot->report->told[DEED_POWER])
		fprintf(plot->out, "<path class=\"power\" d=\"M%.0f 23v14\"/><text x=\"%.0f\" y=\"34.5\">another power</text>\n", x + 210,
		        x + 218);
}

static double highest_w(const struct plot *plot)
{
	double high_w = (double)plot->report->cap_w;
	for (size_t i = 0; i < plot->run->n_truth; i++)
		high_w = fmax(high_w, fmax(plot->run->site_w[i], value_w(plot, LEFT_HASHING, i)));
	return high_w;
}

void svg_plot(const struct report *report, const struct run *run, const struct farm_conf *conf, FILE *out)
{
	struct plot plot = { .report = report, .run = run, .out = out, .begin_ms = (double)run->truth_ms };
	plot.end_ms = plot.begin_ms + (double)(run->n_truth - 1) * (double)run->step_ms;
	plot.top_w = highest_w(&plot) * 1.04;
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
	        "aria-label=\"Power of site %s over time\">\n%s", WIDTH, HEIGHT, WIDTH, HEIGHT, conf->site_name, style);
	fprintf(out, "<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", WIDTH - 1, HEIGHT - 1);
	draw_grid(&plot);
	draw_orders(&plot);
	draw_marks(&plot, conf);
	draw_series(&plot, LEFT_HASHING);
	draw_steps(&plot, "target", true);
	draw_steps(&plot, "limit", false);
	draw_series(&plot, OTHER);
	draw_series(&plot, MINERS);
	draw_series(&plot, HPC);
	draw_series(&plot, SITE);
	draw_decisions(&plot);
	draw_legend(&plot);
	fprintf(out, "</svg>\n");
}
