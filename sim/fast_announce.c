/* sim/fast_announce.c - what the GPU scheduler can tell ahead of a case's load. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compose.h"
#include "sim/fast_case.h"

enum { MARKS = 256, TOGETHER_MS = 1000, SAMPLES = 8, SETTLED_MS = 3000, OVER_MS = 2000, LEAST_PERMILLE = 50 };

/* Marks of a job's log that fall together: the moment is of the kind whose name comes first in the alphabet. */
struct mark { int64_t at_ms; char kind[24]; double moved_w; };

static void tell(struct fast_case *c, int64_t at_ms, int64_t over_ms, int64_t delta_w, int64_t lead_ms)
{
	c->notices = realloc(c->notices, (c->n_notices + 1) * sizeof *c->notices);
	if (!c->notices)
		abort();
	c->notices[c->n_notices++] = (struct fast_notice){ .told_ms = at_ms > lead_ms ? at_ms - lead_ms : 0, .at_ms = at_ms,
		.over_ms = over_ms, .delta_w = delta_w };
}

static int sooner(const void *a, const void *b)
{
	const struct fast_notice *x = a, *y = b;
	return x->told_ms != y->told_ms ? (x->told_ms > y->told_ms) - (x->told_ms < y->told_ms) :
	                                  (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

/* Of a load that is all levels and edges. */
static void tell_edges(struct fast_case *c, int64_t lead_ms)
{
	const struct load_trace *trace = &c->load.trace;
	for (size_t i = 0; i + 1 < trace->n && trace->points[i].t_ms < c->lasts_ms; i++) {
		const struct load_point *from = &trace->points[i], *to = from + 1;
		if (from->power_w != to->power_w)
			tell(c, from->t_ms, to->t_ms - from->t_ms, to->power_w - from->power_w, lead_ms);
	}
}

/* ---- the job's own log ---- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *x, size_t n)
{
	qsort(x, n, sizeof *x, by_size);
	return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static double level_w(const struct load_trace *trace, int64_t from_ms, int64_t long_ms)
{
	double w[SAMPLES];
	for (int k = 0; k < SAMPLES; k++)
		w[k] = (double)load_trace_w(trace, (from_ms + k * 1000 + long_ms) % long_ms, true);
	return median(w, SAMPLES);
}

static int64_t long_of(const struct load_trace *trace)
{
	return trace->points[trace->n - 1].t_ms - trace->points[0].t_ms;
}

/* What lies before the trace stands at its begin, for there it begins anew; what lies behind it is left out. */
static size_t read_marks(struct mark *marks, FILE *in, const struct load_trace *trace)
{
	char text[128], kind[24];
	double t;
	size_t n = 0;
	while (n < MARKS && fgets(text, sizeof text, in)) {
		if (sscanf(text, "%lf,%23s", &t, kind) != 2)
			continue;
		int64_t at_ms = llround(t * 1000) - trace->points[0].t_ms;
		at_ms = at_ms > 0 ? at_ms : 0;
		if (at_ms >= long_of(trace))
			break;
		if (n == 0 || at_ms - marks[n - 1].at_ms >= TOGETHER_MS)
			marks[n++] = (struct mark){ .at_ms = at_ms, .kind = "~" };
		if (strcmp(kind, marks[n - 1].kind) < 0)
			memcpy(marks[n - 1].kind, kind, sizeof kind);
	}
	return n;
}

/* What a scheduler knows beforehand of a mark is its kind: how far the load mostly moves at these. */
static double usual_w(const struct mark *marks, size_t n, const char *kind)
{
	double moved_w[MARKS];
	size_t of_kind = 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(marks[i].kind, kind) == 0)
			moved_w[of_kind++] = marks[i].moved_w;
	return median(moved_w, of_kind);
}

static void tell_mark(struct fast_case *c, const struct fast_file *file, const struct load_trace *trace, int64_t mark_ms,
                      int64_t delta_w)
{
	int64_t long_ms = long_of(trace);
	for (size_t j = 0; j < (size_t)file->jobs; j++) {
		int64_t at_ms = (mark_ms - compose_place_ms(trace, (size_t)file->jobs, j, file->begin_ms, c->seed)) % long_ms;
		for (at_ms += at_ms < 0 ? long_ms : 0; at_ms < c->lasts_ms; at_ms += long_ms)
			tell(c, at_ms, OVER_MS, delta_w, file->announce_ms);
	}
}

static void tell_marks(struct fast_case *c, const struct fast_file *file, const struct load_trace *trace, FILE *in)
{
	static const int64_t before_ms = -1000 * SAMPLES;
	struct mark marks[MARKS];
	size_t n = read_marks(marks, in, trace);
	double raw_w = 0;
	for (size_t j = 0; j < (size_t)file->jobs; j++)
		raw_w += (double)load_trace_w(trace, compose_place_ms(trace, (size_t)file->jobs, j, file->begin_ms, c->seed), true);
	for (size_t i = 0; i < n; i++)
		marks[i].moved_w = level_w(trace, marks[i].at_ms + SETTLED_MS, long_of(trace)) -
		                   level_w(trace, marks[i].at_ms + before_ms, long_of(trace));
	for (size_t i = 0; i < n; i++) {
		double moved_w = usual_w(marks, n, marks[i].kind);
		if (fabs(moved_w) * 1000 >= (double)trace->peak_w * LEAST_PERMILLE)
			tell_mark(c, file, trace, marks[i].at_ms, llround(moved_w * (double)c->load.trace.points[0].power_w / raw_w));
	}
}

static int tell_log(struct fast_case *c, const struct fast_file *file, const char *traces, char *why, size_t size)
{
	char path[600];
	struct load_trace trace;
	size_t line;
	snprintf(path, sizeof path, "%s/%.*s_events.csv", traces, (int)strcspn(file->load_file, "."), file->load_file);
	FILE *in = fopen(path, "re");
	if (!in) {
		snprintf(why, size, "%s is not here", path);
		return 1;
	}
	snprintf(path, sizeof path, "%s/%s", traces, file->load_file);
	bool ok = load_trace_read(&trace, path, &line) == 0;
	if (ok) {
		tell_marks(c, file, &trace, in);
		load_trace_free(&trace);
	} else {
		snprintf(why, size, "%s: cannot be read again", path);
	}
	fclose(in);
	return ok ? 0 : -1;
}

int fast_case_announce(struct fast_case *c, const struct fast_file *file, const char *traces, char *why, size_t size)
{
	int err = 0;
	if (file->announce_ms) {
		if (strcmp(file->load, "square") == 0 || strcmp(file->load, "steps") == 0 || strcmp(file->load, "stairs") == 0)
			tell_edges(c, file->announce_ms);
		if (strcmp(file->load, "trace") == 0)
			err = tell_log(c, file, traces, why, size);
		for (size_t j = 0; j < c->load.n_jobs; j++)
			tell(c, c->load.jobs[j].at_ms, c->load.jobs[j].over_ms, c->load.jobs[j].delta_w, file->announce_ms);
	}
	for (size_t i = 0; i < file->n_told; i++)
		tell(c, file->told[i].at_ms, file->told[i].over_ms, file->told[i].delta_w, file->told[i].at_ms - file->told[i].told_ms);
	if (c->n_notices)
		qsort(c->notices, c->n_notices, sizeof *c->notices, sooner);
	return err;
}
