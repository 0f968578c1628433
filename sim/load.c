#include "sim/load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/dice.h"
#include "sim/zeroed.h"

enum { DICE_STEP = 1, DICE_EVAL, DICE_BURST, DICE_WANDER, DICE_SHARE, DICE_PDU };

static const char *const pattern_names[LOAD_TRACE] = { "constant", "idle", "training", "inference" };

enum load_pattern load_pattern_named(const char *name)
{
	for (unsigned p = 0; p < LOAD_TRACE; p++)
		if (strcmp(pattern_names[p], name) == 0)
			return (enum load_pattern)p;
	return N_LOAD_PATTERNS;
}

static double smooth(double x)
{
	x = fmin(fmax(x, 0), 1);
	return x * x * (3 - 2 * x);
}

/* 1 between begin and end, with edges of the given length inside. */
static double window(double t, double begin, double end, double edge)
{
	return fmin(smooth((t - begin) / edge), smooth((end - t) / edge));
}

static double training(uint64_t seed, double t)
{
	static const double step_s = 10.93, eval_s = 142, eval_long_s = 13;
	uint64_t step = (uint64_t)(t / step_s), eval = (uint64_t)(t / eval_s);
	double in_step = t - (double)step * step_s, in_eval = t - (double)eval * eval_s;
	double deep = 0.09 + 0.04 * dice_share(seed, DICE_STEP, step);
	double lasts = 2 + 2 * dice_share(seed, DICE_STEP, step + (1u << 30));
	double dip = deep * window(in_step, step_s - lasts, step_s, 0.8);
	double eval_deep = 0.10 + 0.20 * dice_share(seed, DICE_EVAL, eval);
	double eval_dip = eval_deep * window(in_eval, eval_s - eval_long_s - 5, eval_s - 5, 2.5);
	return 1 - fmax(dip, eval_dip);
}

/* Smooth noise: dice at whole multiples of period_s, eased between. */
static double wander(uint64_t seed, uint64_t what, double t, double period_s)
{
	uint64_t k = (uint64_t)(t / period_s);
	double a = dice_share(seed, what, k), b = dice_share(seed, what, k + 1);
	return a + (b - a) * smooth(t / period_s - (double)k);
}

static double inference(uint64_t seed, double t)
{
	double day = 0.5 - 0.5 * cos(2 * M_PI * t / 1800);      /* a day of half an hour */
	double slow = wander(seed, DICE_WANDER, t, 60), bursts = 0;
	for (uint64_t k = 0; k < 3; k++) {
		double period = 7 + 6 * (double)k, phase = fmod(t, period);
		uint64_t n = (uint64_t)(t / period);
		if (dice_share(seed, DICE_BURST + 16 * k, n) < 0.4)
			bursts += 0.07 * window(phase, 0, period * 0.6, 0.4);
	}
	return fmin(0.45 + 0.20 * day + 0.14 * slow + bursts, 1);
}

static double shape(const struct load *load, int64_t t_ms)
{
	double t = (double)t_ms / 1000;
	switch (load->pattern) {
	case LOAD_IDLE:
		return 0.25 + 0.01 * wander(load->seed, DICE_WANDER, t, 20);
	case LOAD_TRAINING:
		return training(load->seed, t);
	case LOAD_INFERENCE:
		return inference(load->seed, t);
	case LOAD_TRACE:
		return (double)load_trace_w(&load->trace, t_ms, !load->hold) / (double)load->trace.peak_w;
	case LOAD_CONSTANT:
	case N_LOAD_PATTERNS:
		break;
	}
	return 1;
}

bool load_add_job(struct load *load, struct load_job job)
{
	if (load->n_jobs == LOAD_JOBS)
		return false;
	load->jobs[load->n_jobs++] = job;
	return true;
}

int64_t load_w(const struct load *load, int64_t t_ms)
{
	double level_w = (double)load->peak_w;
	for (size_t j = 0; j < load->n_jobs; j++) {
		const struct load_job *job = &load->jobs[j];
		double over_ms = job->over_ms > 0 ? (double)job->over_ms : 1;
		level_w += (double)job->delta_w * smooth((double)(t_ms - job->at_ms) / over_ms);
	}
	return llround(fmax(level_w, 0) * shape(load, t_ms > 0 ? t_ms : 0));
}

void load_split_init(struct load_split *split, size_t n, uint64_t seed)
{
	double sum = 0;
	*split = (struct load_split){ .seed = seed, .n = n, .share = zeroed(n, sizeof(double)) };
	for (size_t i = 0; i < n; i++)
		sum += split->share[i] = 0.7 + 0.6 * dice_share(seed, DICE_SHARE, i);
	for (size_t i = 0; i < n; i++)
		split->share[i] /= sum;
}

void load_split_free(struct load_split *split)
{
	free(split->share);
	*split = (struct load_split){ 0 };
}

int64_t load_split_w(const struct load_split *split, int64_t load_w, size_t i, int64_t t_ms)
{
	double w = (double)load_w * split->share[i];
	size_t pair = i ^ 1;
	if (pair < split->n) {
		double smaller = fmin(split->share[i], split->share[pair]) * (double)load_w;
		double off = wander(split->seed, DICE_PDU + 16 * (i / 2), (double)t_ms / 1000, 3) - 0.5;
		w += (i & 1 ? -0.06 : 0.06) * off * smaller;
	}
	return llround(w);
}
