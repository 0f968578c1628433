#include "sim/spectrum.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "sim/zeroed.h"

static size_t radix_of(size_t n)
{
	return n % 2 == 0 ? 2 : n % 3 == 0 ? 3 : n % 5 == 0 ? 5 : n;
}

/* out[k] = sum of in[i * stride] e^(-2 pi j i k / n); decimation in time, any radix. root: e^(-2 pi j i / n_all). */
static void transform(const double complex *in, double complex *out, size_t n, size_t stride, const double complex *root,
                      size_t n_all)
{
	if (n == 1) {
		out[0] = in[0];
		return;
	}
	size_t radix = radix_of(n), m = n / radix;
	double complex column[5];
	for (size_t r = 0; r < radix; r++)
		transform(in + r * stride, out + r * m, m, stride * radix, root, n_all);
	for (size_t k = 0; k < m; k++) {
		for (size_t r = 0; r < radix; r++)
			column[r] = out[k + r * m] * root[r * k * stride % n_all];
		for (size_t q = 0; q < radix; q++) {
			double complex sum = 0;
			for (size_t r = 0; r < radix; r++)
				sum += column[r] * root[q * r * m * stride % n_all];
			out[k + q * m] = sum;
		}
	}
}

static size_t smooth_below(size_t n)
{
	for (; n > 1; n--) {
		size_t rest = n;
		for (size_t p = 2; p <= 5; p += p == 2 ? 1 : 2)
			while (rest % p == 0)
				rest /= p;
		if (rest == 1)
			break;
	}
	return n;
}

void spectrum_make(struct spectrum *s, const double *x, size_t n, double step_s)
{
	n = smooth_below(n);
	size_t all = 2 * n;
	double mean = 0;
	double complex *in = zeroed(all, sizeof *in), *out = zeroed(all, sizeof *out), *root = zeroed(all, sizeof *root);
	for (size_t i = 0; i < n; i++)
		mean += x[i] / (double)n;
	for (size_t i = 0; i < all; i++) {
		in[i] = x[i < n ? i : all - 1 - i] - mean;
		root[i] = cexp(-2 * M_PI * I * (double)i / (double)all);
	}
	transform(in, out, all, 1, root, all);
	*s = (struct spectrum){ .power = zeroed(n + 1, sizeof *s->power), .n = n + 1, .hz = 1 / ((double)all * step_s) };
	for (size_t k = 1; k <= n; k++) {
		double size = cabs(out[k]) / (double)all;
		s->power[k] = (k == n ? 1 : 2) * size * size;
	}
	free(in);
	free(out);
	free(root);
}

void spectrum_free(struct spectrum *s)
{
	free(s->power);
	*s = (struct spectrum){ 0 };
}

double spectrum_rms(const struct spectrum *s, double short_s, double long_s)
{
	double sum = 0;
	for (size_t k = 1; k < s->n; k++) {
		double period_s = 1 / ((double)k * s->hz);
		if (period_s >= short_s && period_s < long_s)
			sum += s->power[k];
	}
	return sqrt(sum);
}
