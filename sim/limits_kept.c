/* sim/limits_kept.c - the half of sim/limits.h that tells how much hash can be kept. */
#include <math.h>
#include <stdlib.h>

#include "sim/limits.h"
#include "sim/zeroed.h"

static double load_at(const struct fast_run *run, size_t i)
{
	return run->site_w[i] - run->miners_w[i];
}

static bool too_dear(const struct fast_case *of, size_t i)
{
	return of->price.n && fast_series_at(&of->price, (int64_t)i * FAST_STEP_MS) > of->breakeven;
}

double limits_allowed_w(const struct fast_case *of, const struct fast_run *run, size_t i)
{
	double target_w = run->setpoint_w[i] > 0 ? fmin(run->setpoint_w[i], run->limit_w[i]) : run->limit_w[i];
	double left_w = fmin(fmax(target_w - load_at(run, i), 0), (double)of->fleet_w);
	int64_t at_ms = (int64_t)i * FAST_STEP_MS;
	for (size_t o = 0; o < of->n_orders; o++) {
		const struct fast_order *order = &of->orders[o];
		if (order->kind == ORDER_SHED && at_ms >= order->at_ms && at_ms < order->at_ms + order->lasts_ms)
			left_w = fmin(left_w, (double)order->watts);
	}
	return too_dear(of, i) ? 0 : left_w;
}

static double mean_share(const struct fast_case *of, const double *w, size_t from, size_t n)
{
	double sum = 0;
	for (size_t i = from; i < n; i++)
		sum += w[i];
	return sum / (double)(n - from) / (double)of->fleet_w;
}

double limits_foresight(const struct limits *limits, const struct fast_case *of, const struct fast_run *run, size_t from)
{
	double *most = zeroed(run->n, sizeof(double));
	double rise_w = limits->rise_w_per_s * FAST_STEP_MS / 1000, fall_w = limits->fall_w_per_s * FAST_STEP_MS / 1000;
	for (size_t i = 0; i < run->n; i++)
		most[i] = limits_allowed_w(of, run, i);
	for (size_t i = 1; i < run->n; i++)
		most[i] = fmin(most[i], most[i - 1] + rise_w);
	for (size_t i = run->n - 1; i-- > 0;)
		most[i] = fmin(most[i], most[i + 1] + fall_w);
	double kept = mean_share(of, most, from, run->n);
	free(most);
	return kept;
}

/* ---- without a forecast ---- */

/* rise[k]: how far the load ever rises within k steps. Returns its peak. */
static double ever_rises(const struct fast_run *run, double *rise, size_t n)
{
	double peak_w = -INFINITY;
	for (size_t i = 0; i < run->n; i++) {
		double load_w = load_at(run, i);
		peak_w = fmax(peak_w, load_w);
		for (size_t k = 1; k < n && i + k < run->n; k++)
			rise[k] = fmax(rise[k], load_at(run, i + k) - load_w);
	}
	for (size_t k = 1; k < n; k++)
		rise[k] = fmax(rise[k], rise[k - 1]);
	return peak_w;
}

void limits_causal_w(const struct limits *limits, const struct fast_case *of, const struct fast_run *run, double *most)
{
	static const double none = 0.005, all = 0.98;
	size_t dead = 0, n = limits->n_down * LIMITS_STEP_MS / FAST_STEP_MS + 1;
	double *rise = zeroed(n, sizeof(double));
	double rise_w = limits->rise_w_per_s * FAST_STEP_MS / 1000, peak_w = ever_rises(run, rise, n);
	while (dead + 1 < n && limits_done_down(limits, dead + 1) <= none)
		dead++;
	for (size_t i = 0; i < run->n; i++)
		most[i] = limits_allowed_w(of, run, i);
	for (size_t i = 0; i + dead < run->n; i++)
		for (size_t k = dead; k < n && i + k < run->n && limits_done_down(limits, k) < all; k++) {
			double room_w = run->limit_w[i + k] - fmin(peak_w, load_at(run, i) + rise[k]);
			most[i + dead] = fmin(most[i + dead], fmax(room_w, 0) / (1 - limits_done_down(limits, k)));
		}
	for (size_t i = 1; i < run->n; i++)
		most[i] = fmin(most[i], most[i - 1] + rise_w);
	free(rise);
}

double limits_causal(const struct limits *limits, const struct fast_case *of, const struct fast_run *run, size_t from)
{
	double *most = zeroed(run->n, sizeof(double));
	limits_causal_w(limits, of, run, most);
	double kept = mean_share(of, most, from, run->n);
	free(most);
	return kept;
}
