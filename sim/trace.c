/* sim/trace.c - the measured half of sim/load.h. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "sim/load.h"

/* Takes one line apart; false if it is none of ours. */
static bool read_point(const char *text, struct load_point *point)
{
	char *end;
	double t = strtod(text, &end);
	if (end == text || *end != ',')
		return false;
	const char *rest = end + 1;
	double w = strtod(rest, &end);
	while (isspace((unsigned char)*end))
		end++;
	if (end == rest || *end || !isfinite(t) || !isfinite(w) || fabs(t) > 1e9 || fabs(w) > 1e12)
		return false;
	*point = (struct load_point){ .t_ms = llround(t * 1000), .power_w = llround(w) };
	return true;
}

static void add_point(struct load_trace *trace, struct load_point point)
{
	if ((trace->n & (trace->n - 1)) == 0) {
		trace->points = realloc(trace->points, (trace->n ? trace->n * 2 : 1) * sizeof point);
		if (!trace->points)
			abort();
	}
	trace->points[trace->n++] = point;
	if (point.power_w > trace->peak_w)
		trace->peak_w = point.power_w;
}

static int read_lines(struct load_trace *trace, FILE *file, size_t *line)
{
	char text[256];
	for (*line = 1; fgets(text, sizeof text, file); ++*line) {
		struct load_point point;
		bool header = *line == 1 && isalpha((unsigned char)text[0]);
		if (header)
			continue;
		if (!read_point(text, &point) || (trace->n && point.t_ms <= trace->points[trace->n - 1].t_ms))
			return UV_EINVAL;
		add_point(trace, point);
	}
	if (ferror(file)) {
		*line = 0;
		return uv_translate_sys_error(errno);
	}
	return trace->n && trace->peak_w > 0 ? 0 : UV_EINVAL;
}

int load_trace_read(struct load_trace *trace, const char *path, size_t *line)
{
	*trace = (struct load_trace){ 0 };
	*line = 0;
	FILE *file = fopen(path, "re");
	if (!file)
		return uv_translate_sys_error(errno);
	int err = read_lines(trace, file, line);
	fclose(file);
	if (err)
		load_trace_free(trace);
	return err;
}

void load_trace_free(struct load_trace *trace)
{
	free(trace->points);
	*trace = (struct load_trace){ 0 };
}

/* The last point not after t. */
static size_t point_before(const struct load_trace *trace, int64_t t_ms)
{
	size_t low = 0, high = trace->n;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;
		if (trace->points[mid].t_ms <= t_ms)
			low = mid;
		else
			high = mid;
	}
	return low;
}

int64_t load_trace_w(const struct load_trace *trace, int64_t t_ms, bool loop)
{
	const struct load_point *points = trace->points;
	int64_t first_ms = points[0].t_ms, lasts_ms = points[trace->n - 1].t_ms - first_ms;
	t_ms += first_ms;
	if (loop && lasts_ms > 0)
		t_ms = first_ms + (t_ms - first_ms) % lasts_ms;
	size_t i = point_before(trace, t_ms);
	if (i + 1 == trace->n || t_ms <= points[i].t_ms)
		return points[i].power_w;
	int64_t over_ms = points[i + 1].t_ms - points[i].t_ms;
	return points[i].power_w + (points[i + 1].power_w - points[i].power_w) * (t_ms - points[i].t_ms) / over_ms;
}
