#include "sim/score.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

static double mean_of(const double *x, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return n ? sum / (double)n : 0;
}

/* Power of the k-th of n Fourier components: by Parseval the share it has in the mean square. */
static double component(const double *x, size_t n, double mean, size_t k)
{
	double re = 0, im = 0;
	for (size_t i = 0; i < n; i++) {
		double phase = 2 * pi * (double)(k * i % n) / (double)n;
		re += (x[i] - mean) * cos(phase);
		im += (x[i] - mean) * sin(phase);
	}
	return 2 * (re * re + im * im) / ((double)n * (double)n);
}

void score_bands(const double *x, size_t n, double split, double *slow_rms, double *fast_rms)
{
	double mean = mean_of(x, n), all = 0, slow = 0;
	for (size_t i = 0; i < n; i++)
		all += (x[i] - mean) * (x[i] - mean) / (double)n;
	for (size_t k = 1; k < n / 2 && (double)n / (double)k > split; k++)
		slow += component(x, n, mean, k);
	*slow_rms = sqrt(slow);
	*fast_rms = sqrt(fmax(all - slow, 0));
}

void score_series(const struct score_series *s, double cap_w, const double *limit_w, int64_t split_ms, struct score *out)
{
	*out = (struct score){ 0 };
	double seconds = (double)s->step_ms / 1000;
	for (size_t i = 0; i < s->n; i++) {
		double over_w = s->site_w[i] - (limit_w ? limit_w[i] : cap_w);
		if (over_w <= 0)
			continue;
		out->seconds_over += seconds;
		out->wh_over += over_w * seconds / 3600;
		out->most_over_w = fmax(out->most_over_w, over_w);
	}
	double split = (double)split_ms / (double)s->step_ms;
	score_bands(s->site_w, s->n, split, &out->site_slow_w, &out->site_fast_w);
	score_bands(s->hpc_w, s->n, split, &out->hpc_slow_w, &out->hpc_fast_w);
}
