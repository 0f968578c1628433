#include <math.h>

#include "sim/fast_main.h"

enum { WIDTH = 1200, HEIGHT = 520, LEFT = 62, RIGHT = 1182, TOP = 76, BOTTOM = 470, POINTS = 1400 };

static const char style[] =
"<style>\n"
"text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }\n"
".quiet { fill: #59636e } .end { text-anchor: end } .mid { text-anchor: middle } .strong { font-weight: 600 }\n"
".page { fill: #ffffff; stroke: #d1d9e0 } .grid { stroke: #d1d9e0; stroke-width: 0.7 }\n"
".line { fill: none; stroke-linejoin: round } .site { stroke: #0969da; stroke-width: 1.6 }\n"
".hpc { stroke: #8250df; stroke-width: 1.1 } .miners { stroke: #d4760a; stroke-width: 1.1 }\n"
".limit { stroke: #cf222e; stroke-width: 1.6 } .target { stroke: #cf222e; stroke-width: 1; stroke-dasharray: 5 4 }\n"
"@media (prefers-color-scheme: dark) {\n"
"text { fill: #e6edf3 } .quiet { fill: #9198a1 } .page { fill: #0d1117; stroke: #3d444d } .grid { stroke: #2a313c }\n"
".site { stroke: #58a6ff } .hpc { stroke: #bc8cff } .miners { stroke: #f0a03c } .limit, .target { stroke: #ff7b72 }\n"
"}\n"
"</style>\n";

struct frame { const struct fast_run *run; double top_w; FILE *out; };

static double x_of(const struct frame *f, size_t i)
{
	return LEFT + (RIGHT - LEFT) * (double)i / (double)f->run->n;
}

static double y_of(const struct frame *f, double w)
{
	return BOTTOM - (BOTTOM - TOP) * w / f->top_w;
}

/* Where a point stands for many, the least and the greatest of them: no peak is lost. */
static void draw(const struct frame *f, const double *w, const char *class)
{
	size_t each = (f->run->n + POINTS - 1) / POINTS;
	fprintf(f->out, "<path class=\"line %s\" d=\"M", class);
	for (size_t i = 0; i < f->run->n; i += each) {
		double low = w[i], high = w[i];
		for (size_t k = i; k < i + each && k < f->run->n; k++) {
			low = fmin(low, w[k]);
			high = fmax(high, w[k]);
		}
		fprintf(f->out, "%s%.1f %.1f", i ? "L" : "", x_of(f, i), y_of(f, low));
		if (high - low > f->top_w / 2000)
			fprintf(f->out, "V%.1f", y_of(f, high));
	}
	fprintf(f->out, "\"/>\n");
}

static void draw_grid(const struct frame *f)
{
	double step_w = pow(10, floor(log10(f->top_w)));
	while (f->top_w / step_w < 5)
		step_w /= 2;
	for (double w = 0; w <= f->top_w; w += step_w)
		fprintf(f->out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"quiet end\" x=\"%d\" y=\"%.1f\">%.3g</text>\n",
		        LEFT, y_of(f, w), RIGHT, LEFT - 8, y_of(f, w) + 4.5, w / 1e6);
	double unit_s = (double)f->run->n * FAST_STEP_MS > 5 * 3600e3 ? 3600 : 60, lasts = (double)f->run->n * FAST_STEP_MS / 1000 / unit_s;
	for (double at = 0, step = unit_s > 60 ? 2 : lasts > 20 ? 10 : 1; at <= lasts; at += step)
		fprintf(f->out, "<text class=\"quiet mid\" x=\"%.1f\" y=\"%d\">%.0f%s</text>\n",
		        x_of(f, (size_t)(at * unit_s * 1000 / FAST_STEP_MS)), BOTTOM + 22, at, at > 0 ? "" : unit_s > 60 ? " h" : " min");
}

static void draw_head(const struct frame *f, const struct fast_case *of, const struct fast_score *scores)
{
	static const struct { const char *class, *text; int x; } entries[] = {
		{ "site", "site", 62 }, { "hpc", "GPUs", 140 }, { "miners", "miners", 220 }, { "limit", "limit in force", 310 },
		{ "target", "aimed at", 450 },
	};
	const struct fast_score *s = &scores[FAST_POLICY];
	fprintf(f->out, "<text class=\"strong\" x=\"%d\" y=\"24\">%s, MW</text>\n", LEFT, of->name);
	fprintf(f->out, "<text class=\"quiet end\" x=\"%d\" y=\"24\">after 10 min: %.1f s over, slow rms %.3f MW", RIGHT, s->over_s,
	        s->slow_w / 1e6);
	if (s->flat && s->bound_w >= 1000)
		fprintf(f->out, " (%.2f of the bound)", s->slow_w / s->bound_w);
	fprintf(f->out, ", %.1f %% of the hash of perfect foresight, %.0f cycles a day</text>\n",
	        s->foresight > 0 ? 100 * s->kept / s->foresight : 0, s->cycles);
	for (size_t e = 0; e < sizeof entries / sizeof *entries; e++)
		fprintf(f->out, "<path class=\"line %s\" d=\"M%d 48h22\"/><text x=\"%d\" y=\"52.5\">%s</text>\n", entries[e].class,
		        entries[e].x, entries[e].x + 28, entries[e].text);
}

void fast_plot(const struct fast_case *of, const struct fast_run *run, const struct fast_score *scores, FILE *out)
{
	struct frame f = { run, 0, out };
	for (size_t i = 0; i < run->n; i++)
		f.top_w = fmax(f.top_w, fmax(run->site_w[i], run->limit_w[i]) * 1.04);
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
	        "aria-label=\"Power over time: %s\">\n%s", WIDTH, HEIGHT, WIDTH, HEIGHT, of->name, style);
	fprintf(out, "<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", WIDTH - 1, HEIGHT - 1);
	draw_grid(&f);
	draw(&f, run->miners_w, "miners");
	draw(&f, run->hpc_w, "hpc");
	draw(&f, run->site_w, "site");
	draw(&f, run->limit_w, "limit");
	draw(&f, of->setpoint.n ? run->setpoint_w : run->told_target_w, "target");
	draw_head(&f, of, scores);
	fprintf(out, "</svg>\n");
}
