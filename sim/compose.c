#include "sim/compose.h"

#include <math.h>

#include "sim/dice.h"
#include "sim/zeroed.h"

enum { DICE_PLACE = 1000, DICE_LEVEL, DICE_TIME, DICE_NOISE, DICE_DOWN = DICE_NOISE + 12 };

static struct load_trace room_for(size_t n)
{
	return (struct load_trace){ .points = zeroed(n, sizeof(struct load_point)) };
}

static void put(struct load_trace *trace, int64_t t_ms, double w)
{
	struct load_point point = { t_ms, llround(w) };
	trace->points[trace->n++] = point;
	if (point.power_w > trace->peak_w)
		trace->peak_w = point.power_w;
}

int64_t compose_place_ms(const struct load_trace *trace, size_t n, size_t j, int64_t begin_ms, uint64_t seed)
{
	int64_t long_ms = trace->points[trace->n - 1].t_ms - trace->points[0].t_ms;
	return n == 1 ? begin_ms : (int64_t)(dice_share(seed, DICE_PLACE, j) * (double)long_ms);
}

struct load_trace compose_trace(const struct load_trace *trace, size_t n, int64_t begin_ms, int64_t lasts_ms, int64_t peak_w,
                                uint64_t seed)
{
	enum { GRID_MS = 1000 };
	size_t points = (size_t)(lasts_ms / GRID_MS) + 2;
	struct load_trace sum = room_for(points);
	for (size_t i = 0; i < points; i++) {
		double w = 0;
		for (size_t j = 0; j < n; j++) {
			int64_t place_ms = compose_place_ms(trace, n, j, begin_ms, seed);
			w += (double)load_trace_w(trace, (int64_t)i * GRID_MS + place_ms, true);
		}
		put(&sum, (int64_t)i * GRID_MS, w);
	}
	double scale = (double)peak_w / (double)sum.peak_w;
	for (size_t i = 0; i < sum.n; i++)
		sum.points[i].power_w = llround((double)sum.points[i].power_w * scale);
	sum.peak_w = peak_w;
	return sum;
}

struct load_trace compose_constant(const struct compose_span *span)
{
	struct load_trace trace = room_for(2);
	put(&trace, 0, (double)span->peak_w);
	put(&trace, span->lasts_ms, (double)span->peak_w);
	return trace;
}

struct load_trace compose_square(const struct compose_span *span, int64_t period_ms)
{
	enum { EDGE_MS = 500 };
	int64_t half_ms = period_ms / 2;
	struct load_trace trace = room_for((size_t)(span->lasts_ms / half_ms + 2) * 2);
	bool high = true;
	for (int64_t t = 0; t <= span->lasts_ms; t += half_ms, high = !high) {
		double w = (double)(high ? span->peak_w : span->floor_w);
		put(&trace, t, w);
		put(&trace, t + half_ms - EDGE_MS, w);
	}
	return trace;
}

struct load_trace compose_triangle(const struct compose_span *span, int64_t period_ms)
{
	int64_t half_ms = period_ms / 2;
	struct load_trace trace = room_for((size_t)(span->lasts_ms / half_ms + 2));
	bool high = false;
	for (int64_t t = 0; t <= span->lasts_ms + half_ms; t += half_ms, high = !high)
		put(&trace, t, (double)(high ? span->peak_w : span->floor_w));
	return trace;
}

struct load_trace compose_steps(const struct compose_span *span, int64_t every_ms, uint64_t seed)
{
	enum { EDGE_MS = 2000 };
	struct load_trace trace = room_for((size_t)(span->lasts_ms / EDGE_MS + 4) * 2);
	int64_t t = 0;
	for (uint64_t k = 0; t <= span->lasts_ms; k++) {
		double wait_ms = -(double)every_ms * log(1 - dice_share(seed, DICE_TIME, k));
		double w = (double)span->floor_w + (double)(span->peak_w - span->floor_w) * dice_share(seed, DICE_LEVEL, k);
		if (k == 0)             /* the peak once, so that a cap that is set by it is never a surprise */
			w = (double)span->peak_w;
		put(&trace, t, w);
		t += EDGE_MS + llround(wait_ms);
		put(&trace, t, w);
		t += EDGE_MS;
	}
	return trace;
}

struct load_trace compose_stairs(const struct compose_span *span, int64_t every_ms)
{
	enum { EDGE_MS = 2000 };
	int64_t edge_ms = every_ms / 2 < EDGE_MS ? every_ms / 2 : EDGE_MS, last = span->lasts_ms / every_ms;
	struct load_trace trace = room_for((size_t)last * 2 + 2);
	for (int64_t k = 0; k <= last; k++) {
		double climbed = k + 1 < last ? (double)k / (double)(last - 1) : 1;
		double w = (double)span->floor_w + (double)(span->peak_w - span->floor_w) * climbed;
		put(&trace, k * every_ms, w);
		put(&trace, (k + 1) * every_ms - edge_ms, w);
	}
	return trace;
}

struct load_trace compose_failures(const struct compose_span *span, int64_t every_ms, uint64_t seed)
{
	enum { EDGE_MS = 500, LEAST_MS = 1000, BACK_MS = 30000 };
	struct load_trace trace = room_for((size_t)(span->lasts_ms / BACK_MS + 2) * 4);
	int64_t t = 0;
	for (uint64_t k = 0; t <= span->lasts_ms; k++) {
		put(&trace, t, (double)span->peak_w);
		t += EDGE_MS + llround(-(double)every_ms * log(1 - dice_share(seed, DICE_TIME, k)));
		put(&trace, t, (double)span->peak_w);
		put(&trace, t + EDGE_MS, (double)span->floor_w);
		t += every_ms / 6 > LEAST_MS ? every_ms / 6 : LEAST_MS;
		t += llround((double)every_ms / 2 * dice_share(seed, DICE_DOWN, k));
		put(&trace, t, (double)span->floor_w);
		t += BACK_MS;
	}
	put(&trace, t, (double)span->peak_w);
	return trace;
}

struct load_trace compose_noise(const struct compose_span *span, int64_t tau_ms, uint64_t seed)
{
	enum { GRID_MS = 500 };
	double middle_w = (double)(span->peak_w + span->floor_w) / 2, deviation_w = (double)(span->peak_w - span->floor_w) / 6;
	double keep = exp(-(double)GRID_MS / (double)tau_ms), x = 0;
	size_t points = (size_t)(span->lasts_ms / GRID_MS) + 2;
	struct load_trace trace = room_for(points);
	for (size_t i = 0; i < points; i++) {
		double push = 0;        /* twelve dice make a bell */
		for (uint64_t k = 0; k < 12; k++)
			push += dice_share(seed, DICE_NOISE + k, i);
		x = keep * x + sqrt(1 - keep * keep) * (push - 6);
		put(&trace, (int64_t)i * GRID_MS, middle_w + deviation_w * fmin(fmax(x, -3), 3));
	}
	return trace;
}
