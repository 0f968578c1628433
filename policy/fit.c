#include "policy/fit.h"

#include <string.h>

#include "policy/internal.h"

enum { TAPS = FORETELL_TAPS, BANDS = FORETELL_BANDS };

#define STEPS       2           /* each time, … */
#define FIRST_STEPS 20          /* … and the first */
#define HALVES      8           /* of a step that goes too far */
#define ENOUGH      2e-4        /* of the cost: steps that gain less are not worth another */
#define DEPTH       5e-4        /* of the worst: by so much the worst moments are above the rounding, as a mean over all */
#define WORTH       1.0         /* W of what is planned for, for each W rms that the site moves less */
/* W for each W rms that the load moves, by the squares of: */
#define LIFTS       200.0       /* what a band has too much, as a part of it */
#define WHOLE       300.0       /* how far the sum is from 1: a load that stands is foretold to stand */
#define SHRINK      3e-3        /* how far the weights are from the first ones … */
#define YOUNG       600.0       /* … and more in so many half-seconds */
#define NOTHING     1e-6        /* W²: it does not move */
#define ROUNDS      30          /* for the rounding: it takes a few */

/* The best for steps at random times, and not bad for anything: where little tells otherwise. */
const double fit_first[TAPS] = {
	0.675, -0.248, -0.220, 0.042, 0.187, 0.176, 0.136, 0.178, 0.157, 0.061, -0.008, -0.144,
	-0.189, -0.019, 0.107, 0.101, -0.099, 0.088, 0.058, -0.024, -0.002, -0.017, 0.042, -0.038,
};
/* Of a band's power. Less than all of it: the past fits better than what comes, and miners follow a little otherwise. */
static const double most_left[N_FORETELLS][BANDS] = {
	[FORETELL_DIPS] = { 1.04, 0.92, 1, 1 }, [FORETELL_FLAT] = { 0.92, 0.92, 1, 1 },
};

struct fit {
	const struct policy_foretell *of;
	enum foretell which;
	const struct fit_past *past;
	double top, least_w, own_w, shrink;     /* own_w: what the load moves, rms */
	double soft_w, over_w;                  /* the rounding, and from where on what is missed by counts */
	bool is_missed;                         /* by more than least_w */
	bool is_free[POLICY_REPLAYED];          /* what is planned for is what the weights say */
	float planned[POLICY_REPLAYED], missed[POLICY_REPLAYED];
};

double fit_left(const struct policy_normal *eq, const double taps[TAPS])
{
	double left = eq->power;
	for (int k = 0; k < TAPS; k++) {
		left -= 2 * taps[k] * eq->product[k];
		for (int j = 0; j < k; j++)
			left += 2 * taps[k] * taps[j] * eq->square[k][j];
		left += taps[k] * taps[k] * eq->square[k][k];
	}
	return left;
}

/* ---- the plan, had it been by these weights ---- */

/* Some at a time, for a compiler to take them so: most of the time of a fit is spent here. */
static void foretell_some(const struct fit_past *past, const double taps[TAPS], uint32_t at, float planned[POLICY_REPLAYED])
{
	float sums[FIT_AT_ONCE] = { 0 };
	for (int k = 0; k < TAPS; k++) {
		const float *seen = &past->seen[at - foretell_lags[k]];
		float tap = (float)taps[k];
		for (uint32_t i = 0; i < FIT_AT_ONCE; i++)
			sums[i] += tap * seen[i];
	}
	for (uint32_t i = 0; i < FIT_AT_ONCE; i++) {
		float told = past->told[at + i];
		planned[at + i] = sums[i] > told ? sums[i] : told;
	}
}

void fit_foretell(const struct fit_past *past, const double taps[TAPS], float planned[POLICY_REPLAYED])
{
	for (uint32_t at = foretell_lags[TAPS - 1]; at < past->n; at += FIT_AT_ONCE)
		foretell_some(past, taps, at + FIT_AT_ONCE < past->n ? at : past->n - FIT_AT_ONCE, planned);
}

static void plan(struct fit *fit, const double taps[TAPS])
{
	const struct fit_past *past = fit->past;
	float most = (float)fit->top;
	fit_foretell(past, taps, fit->planned);
	for (uint32_t i = foretell_lags[TAPS - 1]; i < past->n; i++) {
		fit->is_free[i] = fit->planned[i] > past->told[i] && fit->planned[i] < most;
		fit->planned[i] = fit->planned[i] < most ? fit->planned[i] : most;
	}
}

/* By how much the load was over it once miners had followed. */
static void miss(struct fit *fit)
{
	const struct fit_past *past = fit->past;
	for (uint32_t i = past->first; i < past->n; i++)
		fit->missed[i] = past->highest[i];
	for (uint32_t a = 0; a < past->by->n; a++) {
		float share = (float)past->by->share[a];
		for (uint32_t i = past->first; i < past->n; i++)
			fit->missed[i] -= share * fit->planned[i - past->by->first - a];
	}
}

static void play(struct fit *fit, const double taps[TAPS])
{
	plan(fit, taps);
	miss(fit);
}

static double most_missed_w(const struct fit *fit)
{
	float most = 0;
	for (uint32_t i = fit->past->first; i < fit->past->n; i++)
		most = fit->missed[i] > most ? fit->missed[i] : most;
	return (double)most;
}

/* The same, rounded off: from where all that is over it sums up to the rounding. That is no less far than for the most alone. */
static double worst_w(struct fit *fit)
{
	float worst[POLICY_REPLAYED];
	double square = 0, least_w = most_missed_w(fit) - fit->soft_w;
	uint32_t n_worst = 0;
	for (uint32_t i = fit->past->first; i < fit->past->n; i++)
		if ((double)fit->missed[i] > least_w)
			worst[n_worst++] = fit->missed[i];
	fit->over_w = least_w;
	for (int round = 0; round < ROUNDS; round++) {
		double sum = 0, n = 0;
		square = 0;
		for (uint32_t i = 0; i < n_worst; i++) {
			double by = (double)worst[i] - fit->over_w;
			if (by <= 0)
				continue;
			sum += by;
			square += by * by;
			n++;
		}
		if (sum <= fit->soft_w * 1.0001)
			break;
		fit->over_w += (sum - fit->soft_w) / n;
	}
	return fit->over_w + square / (2 * fit->soft_w);
}

/* ---- what it costs, W, as it was played ---- */

static double all_left_w(const struct policy_foretell *f, const double taps[TAPS])
{
	double left = 0;
	for (int b = 0; b < BANDS; b++)
		left += fit_left(&f->equations[b], taps);
	return root_of(left / f->counted);
}

static double sum_of(const double taps[TAPS])
{
	double sum = 0;
	for (int k = 0; k < TAPS; k++)
		sum += taps[k];
	return sum;
}

static double lifted(const struct fit *fit, int b, const double taps[TAPS])
{
	const struct policy_normal *eq = &fit->of->equations[b];
	double by = eq->power > NOTHING ? fit_left(eq, taps) / eq->power - most_left[fit->which][b] : 0;
	return by > 0 ? by : 0;
}

static double cost_w(struct fit *fit, const double taps[TAPS])
{
	double kept = 0, far = 0, uneven = sum_of(taps) - 1, lifts = 0;
	for (int k = 0; k < TAPS; k++)
		far += (taps[k] - fit_first[k]) * (taps[k] - fit_first[k]);
	for (int b = 0; b < BANDS; b++)
		lifts += lifted(fit, b, taps) * lifted(fit, b, taps);
	for (uint32_t i = fit->past->first; i < fit->past->n; i++)
		kept += (double)fit->planned[i];
	double most_w = worst_w(fit);
	fit->is_missed = most_w > fit->least_w;
	return kept / (fit->past->n - fit->past->first) + (fit->is_missed ? most_w : fit->least_w) +
	       WORTH * all_left_w(fit->of, taps) + fit->own_w * (LIFTS * lifts + WHOLE * uneven * uneven + fit->shrink * far);
}

/* ---- Newton's step ---- */

struct newton { double bends[TAPS][TAPS], falls[TAPS]; };       /* the lower half; falls: against the slope */

/* Of each stretch whose plan is what the weights say: what was seen until its end, less what was until its begin. */
static void add_planned(const struct fit *fit, struct newton *to)
{
	const struct fit_past *past = fit->past;
	double until[POLICY_REPLAYED + 1], sums[TAPS] = { 0 };
	until[0] = 0;
	for (uint32_t i = 0; i < past->n; i++)
		until[i + 1] = until[i] + (double)past->seen[i];
	for (uint32_t i = past->first; i <= past->n; i++) {
		bool was = i > past->first && fit->is_free[i - 1], is = i < past->n && fit->is_free[i];
		for (int k = 0; k < TAPS && is != was; k++)
			sums[k] += was ? until[i - foretell_lags[k]] : -until[i - foretell_lags[k]];
	}
	for (int k = 0; k < TAPS; k++)
		to->falls[k] -= sums[k] / (past->n - past->first);
}

static void followed_row(const struct fit *fit, uint32_t i, double row[TAPS])
{
	const struct following *by = fit->past->by;
	memset(row, 0, TAPS * sizeof *row);
	for (uint32_t a = 0; a < by->n; a++) {
		uint32_t at = i - by->first - a;
		for (int k = 0; k < TAPS && fit->is_free[at]; k++)
			row[k] += by->share[a] * (double)fit->past->seen[at - foretell_lags[k]];
	}
}

static void add_worst(const struct fit *fit, struct newton *to)
{
	double rows[TAPS] = { 0 }, row[TAPS], n = 0;
	for (uint32_t i = fit->past->first; i < fit->past->n; i++) {
		double by = (double)fit->missed[i] - fit->over_w;
		if (by <= 0)
			continue;
		followed_row(fit, i, row);
		n++;
		for (int k = 0; k < TAPS; k++) {
			rows[k] += row[k];
			to->falls[k] += by / fit->soft_w * row[k];
			for (int j = 0; j <= k; j++)
				to->bends[k][j] += row[k] * row[j] / fit->soft_w;
		}
	}
	for (int k = 0; k < TAPS && n > 0; k++)
		for (int j = 0; j <= k; j++)
			to->bends[k][j] -= rows[k] * rows[j] / n / fit->soft_w;
}

/* Of the cost, by what is left in a band: its slope, and how that grows. */
static void add_band(const struct fit *fit, int b, const double taps[TAPS], double left_w, struct newton *to)
{
	const struct policy_normal *eq = &fit->of->equations[b];
	double by = lifted(fit, b, taps), slope[TAPS], lifts = 2 * LIFTS * fit->own_w;
	double worth = (left_w > 0 ? WORTH / (2 * left_w * fit->of->counted) : 0) + (by > 0 ? lifts * by / eq->power : 0);
	for (int k = 0; k < TAPS; k++) {
		slope[k] = -2 * eq->product[k];
		for (int j = 0; j < TAPS; j++)
			slope[k] += 2 * (j <= k ? eq->square[k][j] : eq->square[j][k]) * taps[j];
	}
	for (int k = 0; k < TAPS; k++) {
		to->falls[k] -= worth * slope[k];
		for (int j = 0; j <= k; j++)
			to->bends[k][j] += worth * 2 * eq->square[k][j] +
			                   (by > 0 ? lifts * slope[k] / eq->power * slope[j] / eq->power : 0);
	}
}

static void add_rest(const struct fit *fit, const double taps[TAPS], struct newton *to)
{
	double uneven = sum_of(taps) - 1;
	for (int k = 0; k < TAPS; k++) {
		to->falls[k] -= 2 * fit->own_w * (WHOLE * uneven + fit->shrink * (taps[k] - fit_first[k]));
		for (int j = 0; j <= k; j++)
			to->bends[k][j] += 2 * fit->own_w * (WHOLE + (j == k ? fit->shrink : 0));
	}
}

/* L D L' (Golub and Van Loan, 4.1.2), in place: the lower half of `a` becomes L, its diagonal D. */
static void solve(double a[TAPS][TAPS], double *x)
{
	for (int k = 0; k < TAPS; k++) {
		for (int j = 0; j < k; j++) {
			double sum = a[k][j];
			for (int i = 0; i < j; i++)
				sum -= a[k][i] * a[j][i] * a[i][i];
			a[k][j] = sum / a[j][j];
			a[k][k] -= a[k][j] * a[k][j] * a[j][j];
			x[k] -= a[k][j] * x[j];
		}
	}
	for (int k = TAPS; k-- > 0;) {
		x[k] /= a[k][k];
		for (int i = k + 1; i < TAPS; i++)
			x[k] -= a[i][k] * x[i];
	}
}

/* Whether it gained enough to go on. The fit is of these taps, which cost *was_w; both are new then. */
static bool improve(struct fit *fit, double taps[TAPS], double *was_w)
{
	struct newton newton = { 0 };
	double step[TAPS], then[TAPS], falls_w = 0, left_w = all_left_w(fit->of, taps);
	add_planned(fit, &newton);
	if (fit->is_missed)
		add_worst(fit, &newton);
	for (int b = 0; b < BANDS; b++)
		add_band(fit, b, taps, left_w, &newton);
	add_rest(fit, taps, &newton);
	memcpy(step, newton.falls, sizeof step);
	solve(newton.bends, step);
	for (int k = 0; k < TAPS; k++)
		falls_w += newton.falls[k] * step[k];
	double share = 1;
	for (int h = 0; h < HALVES; h++, share /= 2) {
		for (int k = 0; k < TAPS; k++)
			then[k] = taps[k] + share * step[k];
		play(fit, then);
		double now_w = cost_w(fit, then), gain_w = *was_w - now_w;
		if (!(gain_w > share * falls_w * 1e-4))         /* nor if it is no number */
			continue;
		memcpy(taps, then, sizeof then);
		*was_w = now_w;
		return gain_w > ENOUGH * (fit->own_w + most_missed_w(fit));
	}
	return false;
}

void fit_taps(struct policy_foretell *f, enum foretell which, const struct fit_past *past, double top, double least_w)
{
	struct fit fit = { .of = f, .which = which, .past = past, .top = top, .least_w = least_w };
	double power = 0, *taps = f->filters[which].aim, n = past->n - past->first;
	for (int b = 0; b < BANDS; b++)
		power += f->equations[b].power;
	if (f->counted <= 0 || power / f->counted <= NOTHING || past->n < past->first + FIT_AT_ONCE)
		return;
	fit.own_w = root_of(power / f->counted);
	fit.shrink = SHRINK * (1 + YOUNG / n);
	play(&fit, taps);
	fit.soft_w = DEPTH * n * (most_missed_w(&fit) + fit.own_w / 100);
	double now_w = cost_w(&fit, taps);
	int most = f->replay.ran ? STEPS : FIRST_STEPS;
	for (int s = 0; s < most && improve(&fit, taps, &now_w); s++)
		;
}
