#include "sim/limits.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "sim/plant.h"
#include "sim/zeroed.h"

/* ---- how the fleet moves ---- */

enum { SAMPLE = 400 };                  /* miners: as many as show the spread */

struct course { double *done; size_t n; };      /* the share of the way done at k LIMITS_STEP_MS */

static int64_t slowest_ms(const struct plant *plant, bool hash)
{
	int64_t slowest = 0;
	for (size_t i = 0; i < plant->n; i++) {
		const struct plant_miner_type *type = plant->miners[i].type;
		int64_t ms = hash ? type->wake_dead_ms + type->wake_ramp_ms * 3 / 2 : type->sleep_dead_ms + type->sleep_fall_ms;
		slowest = ms > slowest ? ms : slowest;
	}
	return slowest * 5 / 4;
}

/* All told at 0. */
static struct course course_of(struct plant *plant, bool hash)
{
	for (size_t i = 0; i < plant->n && hash; i++)
		plant_start_asleep(plant, i);
	double from_w = (double)plant_miners_w(plant, 0), to_w = 0;
	for (size_t i = 0; i < plant->n; i++) {
		plant_order(plant, i, 0, hash, 0);
		to_w += hash ? plant->miners[i].full_w : plant->miners[i].asleep_w;
	}
	struct course course = { .n = (size_t)(slowest_ms(plant, hash) / LIMITS_STEP_MS) + 1 };
	course.done = zeroed(course.n, sizeof(double));
	for (size_t k = 0; k < course.n; k++)
		course.done[k] = ((double)plant_miners_w(plant, (int64_t)k * LIMITS_STEP_MS) - from_w) / (to_w - from_w);
	return course;
}

static struct limits_path path_of(const struct plant_miner_type *type, uint64_t seed, bool hash)
{
	struct plant plant;
	double dead_s = (hash ? type->wake_dead_ms : type->sleep_dead_ms) / 1000.0, delay_s = 0;
	plant_init(&plant, seed);
	plant_add(&plant, type, SAMPLE);
	struct course course = course_of(&plant, hash);
	for (size_t k = 0; k < course.n; k++)
		delay_s += (1 - course.done[k]) * LIMITS_STEP_MS / 1000;
	free(course.done);
	plant_free(&plant);
	return (struct limits_path){ dead_s + LIMITS_SENSE_MS / 1000.0, fmax(delay_s - dead_s, 0) };
}

static struct course fall_of(const struct fast_case *of)
{
	struct plant plant;
	plant_init(&plant, of->seed);
	for (size_t t = 0; t < of->n_types; t++)
		plant_add(&plant, of->types[t], of->n_of[t] * SAMPLE / of->n_miners + 1);
	struct course course = course_of(&plant, false);
	plant_free(&plant);
	return course;
}

/* ---- r(f) ---- */

static double left(const struct limits_path *path, double hz)
{
	double w = 2 * M_PI * hz;
	return cabs(1 - cexp(-I * w * path->dead_s) / (1 + I * w * path->lag_s));
}

double limits_left(const struct limits *limits, double hz)
{
	double down = left(&limits->down, hz), up = left(&limits->up, hz);
	return sqrt((down * down + up * up) / 2);
}

double limits_break_even_s(const struct limits_path *down, const struct limits_path *up)
{
	double hz = 1e-5;
	while (hz < 10 && left(down, hz) < 1 && left(up, hz) < 1)
		hz *= 1.0005;
	return 1 / hz;
}

double limits_rms(const struct limits *limits, const struct spectrum *load)
{
	double sum = 0;
	for (size_t k = 1; k < load->n && 1 / ((double)k * load->hz) >= limits->break_even_s; k++) {
		double r = limits_left(limits, (double)k * load->hz);
		sum += load->power[k] * r * r;
	}
	return sqrt(sum);
}

/* ---- what the fleet can cover ---- */

static double clipped(double x, double low, double high)
{
	return fmin(fmax(x, low), high);
}

/* Variance of what lies outside of the reach below that level, by every `each` value. */
static double outside(const double *task_w, size_t n, size_t each, double reach_w, double level_w)
{
	double sum = 0, squares = 0, looked = 0;
	for (size_t i = 0; i < n; i += each, looked++) {
		double w = task_w[i] - clipped(task_w[i], level_w - reach_w, level_w);
		sum += w;
		squares += w * w;
	}
	return squares / looked - sum / looked * sum / looked;
}

static double best_level(const double *task_w, size_t n, double reach_w, double highest_w)
{
	enum { LEVELS = 200 };
	double low = INFINITY, high = -INFINITY, best = 0, least = INFINITY;
	for (size_t i = 0; i < n; i++) {
		low = fmin(low, task_w[i]);
		high = fmax(high, task_w[i]);
	}
	high = fmin(high, highest_w);
	for (int k = 0; k <= LEVELS; k++) {
		double level_w = high - (high - low) * k / LEVELS, left = outside(task_w, n, n / 4000 + 1, reach_w, level_w);
		if (left >= least)
			continue;
		least = left;
		best = level_w;
	}
	return best;
}

double limits_reach(const struct limits *limits, const double *task_w, size_t n, const double *level_w, double highest_w)
{
	double *covered = zeroed(2 * n, sizeof(double)), *left = covered + n;
	double at_w = level_w ? *level_w : best_level(task_w, n, limits->reach_w, highest_w);
	struct spectrum of_covered, of_left;
	for (size_t i = 0; i < n; i++) {
		covered[i] = clipped(task_w[i], at_w - limits->reach_w, at_w);
		left[i] = task_w[i] - covered[i];
	}
	spectrum_make(&of_covered, covered, n, FAST_STEP_MS / 1000.0);
	spectrum_make(&of_left, left, n, FAST_STEP_MS / 1000.0);
	double rms = hypot(limits_rms(limits, &of_covered), spectrum_rms(&of_left, limits->break_even_s, INFINITY));
	spectrum_free(&of_covered);
	spectrum_free(&of_left);
	free(covered);
	return rms;
}

/* ---- of a case ---- */

void limits_make(struct limits *limits, const struct fast_case *of)
{
	struct course fall = fall_of(of);
	double reach_w = 0;
	*limits = (struct limits){ .done_down = fall.done, .n_down = fall.n, .break_even_s = INFINITY };
	for (size_t t = 0; t < of->n_types; t++) {
		struct limits_path down = path_of(of->types[t], of->seed, false), up = path_of(of->types[t], of->seed, true);
		double type_w = (double)of->n_of[t] * of->types[t]->full_w, even_s = limits_break_even_s(&down, &up);
		reach_w += (double)of->n_of[t] * (of->types[t]->full_w - of->types[t]->asleep_w);
		/* A straight ramp of the same lag is twice as long. */
		limits->rise_w_per_s += type_w / fmax(2 * up.lag_s, 1);
		limits->fall_w_per_s += type_w / fmax(2 * down.lag_s, 1);
		if (even_s >= limits->break_even_s)
			continue;
		limits->break_even_s = even_s;
		limits->down = down;
		limits->up = up;
	}
	limits->reach_w = reach_w;
}

void limits_free(struct limits *limits)
{
	free(limits->done_down);
}

/* ---- over the limit ---- */

double limits_done_down(const struct limits *limits, size_t steps)
{
	size_t k = steps * FAST_STEP_MS / LIMITS_STEP_MS;
	return k < limits->n_down ? limits->done_down[k] : 1;
}

static double load_at(const struct fast_run *run, size_t i)
{
	return run->site_w[i] - run->miners_w[i];
}

/* rises[i]: the largest rise of the load within the miners' fall, up to the step i; by the lowest of a window. */
static double *rises(const struct fast_run *run, size_t window)
{
	double *rise = zeroed(run->n, sizeof(double)), most = 0;
	for (size_t i = 0; i < run->n; i++) {
		double low = load_at(run, i);
		for (size_t back = 1; back <= window && back <= i; back++)
			low = fmin(low, load_at(run, i - back));
		rise[i] = most = fmax(most, load_at(run, i) - low);
	}
	return rise;
}

/* From the step at which the site goes over its limit to the last at which it is, with no quiet as long as miners fall. */
struct crossing { size_t begin, last; };

static bool next_crossing(const struct fast_run *run, size_t from, size_t window, struct crossing *c)
{
	while (from < run->n && run->site_w[from] <= run->limit_w[from])
		from++;
	*c = (struct crossing){ from, from };
	for (size_t i = from; i < run->n && i - c->last <= window; i++)
		if (run->site_w[i] > run->limit_w[i])
			c->last = i;
	return from < run->n;
}

/* What the miners would draw at the end of their fall if no more of them were told than it takes. */
static double needed_w(const struct fast_run *run, const struct crossing *c)
{
	double left_w = run->miners_w[c->begin];
	for (size_t i = c->begin; i <= c->last; i++)
		left_w = fmin(left_w, run->limit_w[i] - load_at(run, i));
	return fmax(left_w, 0);
}

/* Over the limit at step i, where the miners are on their way from what they drew at the begin to `end_w`. */
static double over_w(const struct limits *limits, const struct fast_run *run, const struct crossing *c, size_t i, size_t late,
                     double end_w)
{
	double done = i - c->begin < late ? 0 : limits_done_down(limits, i - c->begin - late), begin_w = run->miners_w[c->begin];
	double miners_w = fmin(begin_w - (begin_w - end_w) * done, run->miners_w[i]);
	return fmax(load_at(run, i) + miners_w - run->limit_w[i], 0);
}

/* Whether the load rose further than ever before, to step i and from so long before that. */
static bool is_news(const double *rise, size_t before, size_t i)
{
	return rise[i] > rise[i > before ? i - before : 0] + 1;
}

static size_t window_of(const struct limits *limits)
{
	return limits->n_down * LIMITS_STEP_MS / FAST_STEP_MS;
}

void limits_falls(const struct limits *limits, const struct fast_run *run, size_t from, double *site_w)
{
	size_t window = window_of(limits);
	double *rise = rises(run, window);
	for (size_t i = 0; i < run->n; i++)
		site_w[i] = load_at(run, i);
	for (struct crossing c; next_crossing(run, from, window, &c); from = c.last + 1) {
		if (!is_news(rise, c.last - c.begin + window, c.last))
			continue;
		double falls_w = run->miners_w[c.begin] - needed_w(run, &c);
		for (size_t i = c.begin; i < run->n; i++)
			site_w[i] -= falls_w * limits_done_down(limits, i - c.begin);
	}
	free(rise);
}

void limits_over(const struct limits *limits, const struct fast_run *run, size_t from, struct limits_over *over)
{
	static const double step_s = FAST_STEP_MS / 1000.0;
	enum { LATE = LIMITS_SENSE_MS / FAST_STEP_MS };
	size_t window = window_of(limits);
	double *rise = rises(run, window);
	*over = (struct limits_over){ 0 };
	for (struct crossing c; next_crossing(run, from, window, &c); from = c.last + 1) {
		double end_w = needed_w(run, &c);
		for (size_t i = c.begin; i <= c.last; i++) {
			double by_w = run->site_w[i] - run->limit_w[i];
			if (by_w <= 0)
				continue;
			over->seconds += step_s;
			over->wh += by_w * step_s / 3600;
			over->least_wh += over_w(limits, run, &c, i, 0, 0) * step_s / 3600;
			over->exact_wh += over_w(limits, run, &c, i, LATE, end_w) * step_s / 3600;
			over->most_w = fmax(over->most_w, by_w);
			if (is_news(rise, window, i))
				over->excused_s += step_s;
		}
	}
	free(rise);
}
