/* How flat a site can be in slow periods if no band may move more than the GPUs alone: sim/scenarios/waterbed.
 *
 * r(f) of sim/limits.h is what is left over if miners are told at once what the load does. A law may also filter what it
 * tells them: it may wait, or foretell from what it has seen. With a linear causal filter Q what is left over of a swing is
 * |1 - Q(f) e^(-j 2 pi f Td) / (1 + j 2 pi f tau)|; Q may be another one while the load rises, with Td and tau down, than
 * while it falls, and each counts half, as in r(f), which is Q = 1. Miners are as many as it takes. What is flattened in
 * slow periods rises in faster ones, as a waterbed does, and is best put where this load happens to have little. Sought is
 * the least slow rms with no band's rms above 1.005 of the GPUs' own:
 *     minimise over Q  slow(Q)  subject to  band_b(Q) <= 1.005² own_b,
 * squares all, which is convex. For multipliers of the bands Q is a least-squares solution; they are found one after
 * another, each where its band is just met, until none moves. Periods below 2 s are a band too, and a band of less than
 * a kilowatt may become one.
 *
 * Three times, always with Q chosen in hindsight for this very load: as a mix of first-order lags of 1 s to 17 min and
 * none, which is what a law can have that knows how fast a load moves and no rhythm of it; as one such lag and a gain, the
 * same up and down; and as the mix and taps a second apart over two minutes, which hold any rhythm that fits in there and
 * single lines of the spectrum. Beside these, how far telling at once (Q = 1) lifts the bands. */
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/fast_main.h"
#include "tests/foresight/each_case.h"

enum { TAPS = 120, LAGS = 11, N = TAPS + LAGS, WAYS = 2, BANDS = FAST_BANDS + 1, CLASSES = 2 * BANDS, ROUNDS = 60 };
static const double rounding = 1.005 * 1.005, kilowatt = 1000;

/* Of the load's power in a band and on one side of break-even: what a filter leaves is own - 2 v q + q G q. */
struct part { double own, gram[WAYS][N][N], v[WAYS][N]; };
struct bed {
	struct part parts[CLASSES];     /* band by band: below break-even, and slow */
	double own[BANDS], slow_own;
	double q[WAYS][N];
	int first_tap;                  /* the taps from 1 to before this are not used */
};

static double complex lag_of(int e, double w)
{
	return 1 / (1 + I * w * (1 << e));
}

static void add_swing(struct part *part, const struct limits_path *path, int way, double hz, double power)
{
	double w = 2 * M_PI * hz;
	double complex actuator = cexp(-I * w * path->dead_s) / (1 + I * w * path->lag_s), basis[N], tap = cexp(-I * w);
	basis[0] = actuator;
	for (int i = 1; i < TAPS; i++)
		basis[i] = basis[i - 1] * tap;
	for (int e = 0; e < LAGS; e++)
		basis[TAPS + e] = actuator * lag_of(e, w);
	for (int i = 0; i < N; i++)
		part->v[way][i] += power / WAYS * creal(basis[i]);
	/* Taps: by their distance alone, in the first row; spread when all are added. */
	for (int i = 0; i < TAPS; i++)
		part->gram[way][0][i] += power / WAYS * creal(conj(basis[0]) * basis[i]);
	for (int e = TAPS; e < N; e++)
		for (int i = 0; i < N; i++)
			part->gram[way][e][i] += power / WAYS * creal(conj(basis[e]) * basis[i]);
}

static void spread(struct part *part)
{
	for (int way = 0; way < WAYS; way++) {
		for (int i = 1; i < TAPS; i++)
			for (int k = 0; k < TAPS; k++)
				part->gram[way][i][k] = part->gram[way][0][abs(i - k)];
		for (int i = 0; i < TAPS; i++)
			for (int e = TAPS; e < N; e++)
				part->gram[way][i][e] = part->gram[way][e][i];
	}
}

static void fill(struct bed *bed, const struct limits *limits, const struct spectrum *load)
{
	*bed = (struct bed){ 0 };
	for (size_t k = 1; k < load->n; k++) {
		double hz = (double)k * load->hz, period_s = 1 / hz;
		bool slow = period_s >= limits->break_even_s;
		int b = 0;
		while (period_s >= fast_band_s[b])
			b++;
		struct part *part = &bed->parts[2 * b + slow];
		part->own += load->power[k];
		bed->own[b] += load->power[k];
		bed->slow_own += slow ? load->power[k] : 0;
		add_swing(part, &limits->down, 0, hz, load->power[k]);
		add_swing(part, &limits->up, 1, hz, load->power[k]);
	}
	for (int c = 0; c < CLASSES; c++)
		spread(&bed->parts[c]);
}

static double left_of(const struct bed *bed, int c)
{
	const struct part *part = &bed->parts[c];
	double left = part->own;
	for (int way = 0; way < WAYS; way++)
		for (int i = 0; i < N; i++) {
			double sum = -2 * part->v[way][i];
			for (int k = 0; k < N; k++)
				sum += part->gram[way][i][k] * bed->q[way][k];
			left += bed->q[way][i] * sum;
		}
	return left;
}

static double band_left(const struct bed *bed, int b)
{
	return left_of(bed, 2 * b) + left_of(bed, 2 * b + 1);
}

static double slow_left(const struct bed *bed)
{
	double left = 0;
	for (int b = 0; b < BANDS; b++)
		left += left_of(bed, 2 * b + 1);
	return left;
}

/* a x = b, a symmetric and positive: Cholesky, in place. */
static void solve_linear(double a[N][N], double *x)
{
	for (int i = 0; i < N; i++)
		for (int k = 0; k <= i; k++) {
			double sum = a[i][k];
			for (int j = 0; j < k; j++)
				sum -= a[i][j] * a[k][j];
			a[i][k] = i == k ? sqrt(fmax(sum, 1e-300)) : sum / a[k][k];
		}
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < i; j++)
			x[i] -= a[i][j] * x[j];
		x[i] /= a[i][i];
	}
	for (int i = N; i-- > 0;) {
		for (int j = i + 1; j < N; j++)
			x[i] -= a[j][i] * x[j];
		x[i] /= a[i][i];
	}
}

/* The best filter where a band counts weight[b] times, by its own power, beside what is slow. */
static void choose(struct bed *bed, const double *weight)
{
	static double sum[N][N];
	for (int way = 0; way < WAYS; way++) {
		double trace = 0, of[CLASSES];
		for (int c = 0; c < CLASSES; c++)
			of[c] = (bed->own[c / 2] > 0 ? weight[c / 2] / bed->own[c / 2] : 0) + (c % 2 ? 1 / bed->slow_own : 0);
		for (int i = 0; i < N; i++) {
			bed->q[way][i] = 0;
			for (int c = 0; c < CLASSES; c++)
				bed->q[way][i] += of[c] * bed->parts[c].v[way][i];
			for (int k = 0; k < N; k++) {
				sum[i][k] = 0;
				for (int c = 0; c < CLASSES; c++)
					sum[i][k] += of[c] * bed->parts[c].gram[way][i][k];
			}
			trace += sum[i][i];
		}
		for (int i = 0; i < N; i++)
			sum[i][i] += 1e-9 * trace / N;
		for (int i = 1; i < bed->first_tap; i++) {
			memset(sum[i], 0, sizeof sum[i]);
			for (int k = 0; k < N; k++)
				sum[k][i] = 0;
			sum[i][i] = 1;
			bed->q[way][i] = 0;
		}
		solve_linear(sum, bed->q[way]);
	}
}

static double allowed(const struct bed *bed, int b)
{
	return rounding * bed->own[b] + (bed->own[b] < kilowatt * kilowatt ? kilowatt * kilowatt : 0);
}

/* The least weight with which the band is no higher than it may be; the others' stand. */
static bool meet(struct bed *bed, double *weight, int b)
{
	double before = weight[b], low = 1e-6, high = 1e6;
	weight[b] = 0;
	choose(bed, weight);
	if (band_left(bed, b) <= allowed(bed, b))
		return before > 1e-6;
	while (high > low * 1.001) {
		weight[b] = sqrt(low * high);
		choose(bed, weight);
		*(band_left(bed, b) > allowed(bed, b) ? &low : &high) = weight[b];
	}
	weight[b] = high;
	return fabs(high - before) > 0.005 * high;
}

static double least_slow(struct bed *bed)
{
	double weight[BANDS] = { 0 };
	bool moved = true;
	for (int round = 0; round < ROUNDS && moved; round++) {
		moved = false;
		for (int b = 0; b < BANDS; b++)
			moved |= meet(bed, weight, b);
	}
	choose(bed, weight);
	return sqrt(slow_left(bed));
}

static bool lifts_none(const struct bed *bed)
{
	for (int b = 0; b < BANDS; b++)
		if (band_left(bed, b) > allowed(bed, b))
			return false;
	return true;
}

/* One lag, or none, and one gain. */
static double least_slow_of_one(struct bed *bed)
{
	double least = bed->slow_own;
	for (int e = -1; e < LAGS; e++)
		for (double gain = 0.02; gain < 1.2; gain += 0.02) {
			memset(bed->q, 0, sizeof bed->q);
			for (int way = 0; way < WAYS; way++)
				bed->q[way][e < 0 ? 0 : TAPS + e] = gain;
			if (lifts_none(bed))
				least = fmin(least, slow_left(bed));
		}
	return sqrt(least);
}

static void print_bands_at_once(struct bed *bed)
{
	memset(bed->q, 0, sizeof bed->q);
	bed->q[0][0] = bed->q[1][0] = 1;
	for (int b = 1; b < BANDS; b++)
		printf(" %.2f", bed->own[b] >= kilowatt * kilowatt ? sqrt(band_left(bed, b) / bed->own[b]) : 0);
}

static void solve_case(const struct fast_file *file, size_t fleet, const struct fast_case *of)
{
	static struct bed bed;
	struct alone alone;
	(void)fleet;
	if (!alone_make(&alone, file, of))
		return;
	fill(&bed, &alone.limits, &alone.load);
	double rhythm_w = least_slow(&bed);
	bed.first_tap = TAPS;
	double best_w = least_slow(&bed), one_w = least_slow_of_one(&bed), own_w = sqrt(bed.slow_own);
	printf("%s = %.0f one lag %.0f rhythm %.0f, by r %.2f %.2f %.2f, GPUs %.2f; at once bands", of->name, best_w, one_w, rhythm_w,
	       best_w / alone.bound_w, one_w / alone.bound_w, rhythm_w / alone.bound_w, own_w / alone.bound_w);
	print_bands_at_once(&bed);
	printf("\n");
	fflush(stdout);
	alone_free(&alone);
}

int main(int argc, char **argv)
{
	puts("# The least slow rms, W, of any linear filter that lifts no band above the GPUs' own. Made by make waterbed.");
	return each_case(argc, argv, solve_case);
}
