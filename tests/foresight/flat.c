/* How much hash is left where a site is as flat as r(f) allows: sim/scenarios/flat.
 *
 * Miners that fill the load's dips must be able to leave as fast as the load comes back: they draw no more at any time than
 * a law without a forecast may (limits_causal_w of sim/limits.h). Below that any course m is allowed here, though it be
 * known in hindsight and move in no time. Sought is, for the load L after the first ten minutes, in means over a second,
 *     the greatest mean of m   with   0 <= m <= most   and   rms of the slow part of L + m  <=  1.25 times the bound,
 * slow being what lies in periods longer than break-even, an orthogonal projection S. It is convex, and for every mu > 0
 *     mean m  <=  (B² / 2 - min over m of (|S (L + m)|² / 2 - mu sum m) / n) / mu,   B: the rms allowed,
 * the inner minimum over a box. That is found by steps along the gradient with momentum (Beck and Teboulle, FISTA), and
 * bounded from below by the gradient's own least value over the box (Frank and Wolfe), so that what comes out is a bound
 * for sure, wherever the steps were broken off. The best mu is where the rms allowed is just met. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/fast_main.h"
#include "tests/foresight/each_case.h"

enum { STEPS_A_SECOND = 1000 / FAST_STEP_MS, STEPS = 400, MUS = 22 };
static const double allowed = 1.25;

struct task {
	double *load, *most, *m, *ahead, *slow;
	double *waves;                  /* n_waves rows of n: the cosines of length 1 that are slow */
	size_t n, n_waves;
};

static double *room_for(size_t n)
{
	double *p = calloc(n ? n : 1, sizeof *p);
	if (!p)
		abort();
	return p;
}

static double *seconds_of(const double *x, size_t n)
{
	double *mean = room_for(n);
	for (size_t i = 0; i < n * STEPS_A_SECOND; i++)
		mean[i / STEPS_A_SECOND] += x[i] / STEPS_A_SECOND;
	return mean;
}

/* The components of sim/spectrum.h: of the series followed by its mirror image. */
static void make_waves(struct task *t, double longer_than_s)
{
	t->n_waves = (size_t)(2 * (double)t->n / longer_than_s);
	t->waves = room_for(t->n_waves * t->n);
	for (size_t k = 0; k < t->n_waves; k++)
		for (size_t i = 0; i < t->n; i++)
			t->waves[k * t->n + i] = sqrt(2 / (double)t->n) * cos(M_PI * (double)(k + 1) * ((double)i + 0.5) / (double)t->n);
}

/* Puts the slow part of L + m into slow; returns its square. */
static double slow_part(struct task *t, const double *m)
{
	double square = 0;
	for (size_t i = 0; i < t->n; i++)
		t->slow[i] = 0;
	for (size_t k = 0; k < t->n_waves; k++) {
		const double *wave = t->waves + k * t->n;
		double sum = 0;
		for (size_t i = 0; i < t->n; i++)
			sum += wave[i] * (t->load[i] + m[i]);
		for (size_t i = 0; i < t->n; i++)
			t->slow[i] += sum * wave[i];
		square += sum * sum;
	}
	return square;
}

/* From m on. Returns the square of the slow part; *least: no m in the box makes |S (L + m)|² / 2 - mu sum m less. */
static double minimise(struct task *t, double mu, double *least)
{
	double momentum = 1;
	for (size_t i = 0; i < t->n; i++)
		t->ahead[i] = t->m[i];
	for (int step = 0; step < STEPS; step++) {
		double next = (1 + sqrt(1 + 4 * momentum * momentum)) / 2;
		slow_part(t, t->ahead);
		for (size_t i = 0; i < t->n; i++) {
			double before = t->m[i];
			t->m[i] = fmin(fmax(t->ahead[i] - t->slow[i] + mu, 0), t->most[i]);
			t->ahead[i] = t->m[i] + (momentum - 1) / next * (t->m[i] - before);
		}
		momentum = next;
	}
	double square = slow_part(t, t->m);
	*least = square / 2;
	for (size_t i = 0; i < t->n; i++) {
		double slope = t->slow[i] - mu, best = slope < 0 ? t->most[i] : 0;
		*least += slope * (best - t->m[i]) - mu * t->m[i];
	}
	return square;
}

/* The bound on the mean of m, W. */
static double most_kept(struct task *t, double allowed_w)
{
	double low = allowed_w * 1e-5, high = allowed_w * 1e3, kept = 0, square = allowed_w * allowed_w * (double)t->n;
	for (size_t i = 0; i < t->n; i++)
		kept += (t->m[i] = t->most[i]) / (double)t->n;
	for (int k = 0; k < MUS; k++) {
		double mu = sqrt(low * high), least, slow = minimise(t, mu, &least);
		kept = fmin(kept, (square / 2 - least) / (double)t->n / mu);
		*(slow > square ? &high : &low) = mu;
	}
	return kept;
}

static double mean_of(const double *x, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i] / (double)n;
	return sum;
}

static void solve_case(const struct fast_file *file, size_t fleet, const struct fast_case *of)
{
	struct alone alone;
	(void)fleet;
	if (!alone_make(&alone, file, of))
		return;
	double *most = room_for(alone.run.n);
	limits_causal_w(&alone.limits, of, &alone.run, most);
	struct task t = { .n = (alone.run.n - alone.from) / STEPS_A_SECOND };
	t.load = seconds_of(alone.run.hpc_w + alone.from, t.n);
	t.most = seconds_of(most + alone.from, t.n);
	t.m = room_for(3 * t.n);
	t.ahead = t.m + t.n;
	t.slow = t.m + 2 * t.n;
	make_waves(&t, alone.limits.break_even_s);
	double causal_w = mean_of(t.most, t.n), kept_w = fmax(most_kept(&t, allowed * alone.bound_w), 0);
	printf("%s = %.5f, whatever the rms %.5f\n", of->name, kept_w / (double)of->fleet_w, causal_w / (double)of->fleet_w);
	fflush(stdout);
	free(t.load);
	free(t.most);
	free(t.m);
	free(t.waves);
	free(most);
	alone_free(&alone);
}

int main(int argc, char **argv)
{
	puts("# The most hash, as a share of the fleet's watts, of a site whose slow rms is 1.25 times the bound. Made by make flat.");
	return each_case(argc, argv, solve_case);
}
