#include "sim/fast_score.h"

#include <math.h>
#include <stdlib.h>

#include "sim/zeroed.h"

const double fast_band_s[FAST_BANDS + 1] = { 2, 10, 60, 600, INFINITY };
const int64_t fast_window_ms[FAST_WINDOWS] = { 5000, 15000, 60000 };

enum { SETPOINT_STEPS = 4000 / FAST_STEP_MS };

/* Two queues of places, of falling and of rising values: their heads are the extremes of the window. */
double fast_largest_change(const double *x, size_t n, size_t window)
{
	size_t *high = zeroed(2 * n + 1, sizeof *high), *low = high + n;
	size_t high_head = 0, high_tail = 0, low_head = 0, low_tail = 0;
	double most = 0;
	for (size_t i = 0; i < n; i++) {
		while (high_tail > high_head && x[high[high_tail - 1]] <= x[i])
			high_tail--;
		while (low_tail > low_head && x[low[low_tail - 1]] >= x[i])
			low_tail--;
		high[high_tail++] = i;
		low[low_tail++] = i;
		if (i - high[high_head] > window)
			high_head++;
		if (i - low[low_head] > window)
			low_head++;
		most = fmax(most, x[high[high_head]] - x[low[low_head]]);
	}
	free(high);
	return most;
}

static double target_w(const struct fast_case *of, const struct fast_run *run, size_t i)
{
	if (run->setpoint_w[i] > 0)
		return run->setpoint_w[i];
	return run->limit_w[i] < (double)of->cap_w ? run->limit_w[i] - (double)of->cap_w : 0;
}

static double by_least(double wh, double least_wh)
{
	return wh <= 0 ? 1 : least_wh > 0 ? wh / least_wh : INFINITY;
}

static void score_over(const struct limits *limits, const struct fast_run *run, size_t from, struct fast_score *score)
{
	struct limits_over all, late;
	limits_over(limits, run, 0, &all);
	limits_over(limits, run, from, &late);
	score->all_over_s = all.seconds;
	score->all_over_wh = all.wh;
	score->over_s = late.seconds;
	score->over_wh = late.wh;
	score->most_over_w = late.most_w;
	score->unexcused_s = late.seconds - late.excused_s;
	score->least_ratio = by_least(late.wh, late.least_wh);
	score->exact_ratio = by_least(late.exact_wh, late.least_wh);
}

/* The load is told about the whole target here, or about nothing. task: room for it. */
static double reach_w(const struct fast_case *of, const struct limits *limits, const struct fast_run *run, size_t from,
                      double *task)
{
	static const double at_setpoint;
	for (size_t i = from; i < run->n; i++)
		task[i - from] = run->site_w[i] - run->miners_w[i] - target_w(of, run, i);
	return limits_reach(limits, task, run->n - from, of->setpoint.n ? &at_setpoint : NULL, (double)of->cap_w);
}

static double *task_of(const struct fast_case *of, const struct fast_run *run, const double *w, size_t from)
{
	double *task = zeroed(run->n - from, sizeof *task);
	for (size_t i = from; i < run->n; i++)
		task[i - from] = w[i] - target_w(of, run, i);
	return task;
}

static void score_bands(const struct fast_case *of, const struct limits *limits, const struct fast_run *run, size_t from,
                        struct fast_score *score)
{
	double *about = task_of(of, run, run->site_w, from);
	struct spectrum site;
	spectrum_make(&site, about, run->n - from, FAST_STEP_MS / 1000.0);
	for (int b = 0; b < FAST_BANDS; b++)
		score->site_w[b] = spectrum_rms(&site, fast_band_s[b], fast_band_s[b + 1]);
	score->slow_w = spectrum_rms(&site, limits->break_even_s, INFINITY);
	spectrum_free(&site);
	free(about);
}

static void score_falls(const struct limits *limits, const struct fast_run *run, size_t from, struct fast_score *score)
{
	double *site_w = zeroed(run->n, sizeof *site_w);
	struct spectrum site;
	limits_falls(limits, run, from, site_w);
	spectrum_make(&site, site_w + from, run->n - from, FAST_STEP_MS / 1000.0);
	for (int b = 0; b < FAST_BANDS; b++)
		score->falls_w[b] = spectrum_rms(&site, fast_band_s[b], fast_band_s[b + 1]);
	spectrum_free(&site);
	free(site_w);
}

static void score_load_bands(const struct fast_case *of, const struct limits *limits, const struct fast_run *run, size_t from,
                             struct fast_score *score)
{
	double *task = task_of(of, run, run->hpc_w, from);
	struct spectrum hpc, moves;
	spectrum_make(&hpc, run->hpc_w + from, run->n - from, FAST_STEP_MS / 1000.0);
	spectrum_make(&moves, task, run->n - from, FAST_STEP_MS / 1000.0);
	for (int b = 0; b < FAST_BANDS; b++)
		score->hpc_w[b] = spectrum_rms(&hpc, fast_band_s[b], fast_band_s[b + 1]);
	score->break_even_s = limits->break_even_s;
	score->bound_w = limits_rms(limits, &moves);
	score->reach_w = reach_w(of, limits, run, from, task);
	score->best_w = of->best_w;
	score->lag_w = of->lag_w;
	score->flat_kept = of->flat_kept;
	spectrum_free(&hpc);
	spectrum_free(&moves);
	free(task);
}

static void score_error(const struct fast_case *of, const struct fast_run *run, size_t from, struct fast_score *score)
{
	double off_w = 0, setpoint_w = 0;
	size_t n = 0;
	for (size_t i = from; i + SETPOINT_STEPS <= run->n; i += SETPOINT_STEPS) {
		double sum = 0;
		for (size_t k = i; k < i + SETPOINT_STEPS; k++)
			sum += run->site_w[k] - run->setpoint_w[k];
		off_w += fabs(sum / SETPOINT_STEPS);
		setpoint_w += run->setpoint_w[i];
		n++;
	}
	if (!of->setpoint.n || !n)
		return;
	score->error_permille = 1000 * off_w / setpoint_w;
	score->fleet_error_permille = 1000 * off_w / (double)n / (double)of->fleet_w;
}

static size_t judged_from(const struct fast_run *run)
{
	size_t from = FAST_LEARN_MS / FAST_STEP_MS;
	return run->n > from + 1 ? from : 0;
}

void fast_score_load(const struct fast_case *of, const struct limits *limits, const struct fast_run *run, struct fast_score *score)
{
	size_t from = judged_from(run);
	*score = (struct fast_score){ .flat = of->n_orders == 0 && of->price.n == 0, .set_point = of->setpoint.n > 0,
		.quick = of->n_types == 1 && of->types[0] == &fast_quick };
	score_load_bands(of, limits, run, from, score);
	score->foresight = of->foresight > 0 ? of->foresight : limits_foresight(limits, of, run, from);
	score->causal = fmin(limits_causal(limits, of, run, from), score->foresight);
	for (int w = 0; w < FAST_WINDOWS; w++)
		score->hpc_change_w[w] = fast_largest_change(run->hpc_w + from, run->n - from, (size_t)(fast_window_ms[w] / FAST_STEP_MS));
}

void fast_score_run(const struct fast_case *of, const struct limits *limits, const struct fast_run *run, struct fast_score *score)
{
	size_t from = judged_from(run);
	double miners_w = 0;
	score_over(limits, run, from, score);
	score_bands(of, limits, run, from, score);
	score_falls(limits, run, from, score);
	score_error(of, run, from, score);
	for (size_t i = from; i < run->n; i++)
		miners_w += run->miners_w[i];
	score->kept = miners_w / (double)(run->n - from) / (double)of->fleet_w;
	score->most_sleeps = run->most_sleeps;
	score->days = (double)(run->n - from) * FAST_STEP_MS / 86400000;
	score->notices_true = (double)run->came_true;
	score->notices_false = (double)run->came_false;
	score->cycles = (double)run->sleeps / (double)of->n_miners / score->days;
	score->most_cycles = run->most_sleeps / score->days;
	score->commands = (double)run->commands;
	for (int w = 0; w < FAST_WINDOWS; w++)
		score->change_w[w] = fast_largest_change(run->site_w + from, run->n - from, (size_t)(fast_window_ms[w] / FAST_STEP_MS));
}

void fast_score(const struct fast_case *of, const struct limits *limits, const struct fast_run *run, struct fast_score *score)
{
	fast_score_load(of, limits, run, score);
	fast_score_run(of, limits, run, score);
}
