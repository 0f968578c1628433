#include "policy/foretell.h"

#include <string.h>

#include "policy/bands.h"
#include "policy/internal.h"
#include "policy/replay.h"

enum { TAPS = FORETELL_TAPS, BANDS = FORETELL_BANDS, PAST = FORETELL_PAST };

#define SLOT_S      0.5
#define KEEPS       (1 - SLOT_S / 1800)         /* of what was learned, from half-second to half-second */
#define MEAN_S      1800.0                      /* over which the load's mean is taken */
#define SHRINK      0.01                        /* of the whole power: by so much taps are drawn towards the first ones, … */
#define WHOLE       10.0                        /* … and as hard to a sum of 1: a load that stands is foretold to stand */
#define YOUNG       600.0                       /* … and by more in so many half-seconds */
#define GROWS_MOST  1.5                         /* a second */
#define EASES       0.99
#define HEAVIEST    1e4
#define ENOUGH      600                         /* half-seconds */
#define REPLAYS     20                          /* every so many */
#define NOTHING     1e-6                        /* W²: it does not move */
#define PEAKS       0.1                         /* watts of rms that a watt of the worst moments is worth */
#define STIFF       400                         /* from so many half-seconds on … */
#define YIELDS      0.1                         /* … taps go so much of the way each second, not to shake what is kept free */

const uint8_t foretell_lags[TAPS] = { 0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 124 };
/* The best for steps at random times, and not bad for anything: to begin with, and where little tells otherwise. */
static const double first_taps[TAPS] = {
	0.675, -0.248, -0.220, 0.042, 0.187, 0.176, 0.136, 0.178, 0.157, 0.061, -0.008, -0.144,
	-0.189, -0.019, 0.107, 0.101, -0.099, 0.088, 0.058, -0.024, -0.002, -0.017, 0.042, -0.038,
};
/* Of a band's power, before its weight grows: as much as keeps it at its own once the load has changed a little. */
static const double most_left[BANDS] = { 1.04, 0.92, 1, 1 };

/* ---- the bands ---- */

static double past(const double *ring, uint32_t newest, uint32_t age)
{
	return ring[(newest + PAST - age) % PAST];
}

static void learn_band(struct policy_foretell *f, int b, double x)
{
	struct policy_normal *eq = &f->equations[b];
	double row[TAPS];
	for (int k = 0; k < TAPS; k++)
		row[k] = past(f->cancelled[b], f->newest, foretell_lags[k]);
	for (int k = 0; k < TAPS; k++) {
		for (int j = 0; j <= k; j++)
			eq->square[k][j] = KEEPS * eq->square[k][j] + row[k] * row[j];
		eq->product[k] = KEEPS * eq->product[k] + row[k] * x;
	}
	eq->power = KEEPS * eq->power + x * x;
}

/* ---- the weights ---- */

static double weighed(const struct policy_foretell *f, double peaks, int k, int j)
{
	double sum = peaks * f->replay.peaks.square[k][j];
	for (int b = 0; b < BANDS; b++)
		sum += f->weights[b] * f->equations[b].square[k][j];
	return sum;
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

static double left_of(const struct policy_foretell *f, int b)
{
	const struct policy_normal *eq = &f->equations[b];
	double left = eq->power;
	for (int k = 0; k < TAPS; k++) {
		left -= 2 * f->taps[k] * eq->product[k];
		for (int j = 0; j < k; j++)
			left += 2 * f->taps[k] * f->taps[j] * eq->square[k][j];
		left += f->taps[k] * f->taps[k] * eq->square[k][k];
	}
	return left;
}

/* What is least is a sum of squares. The worst moments come into it as squares too, with the slope that PEAKS times the
 * worst would have beside the rms. */
static double weight_of_peaks(const struct policy_foretell *f)
{
	double left = 0;
	for (int b = 0; b < BANDS; b++)
		left += left_of(f, b);
	return f->replay.missed_w > 0 ? PEAKS * root_of(left / f->counted) / f->replay.missed_w * f->counted : 0;
}

static void choose_taps(struct policy_foretell *f)
{
	double a[TAPS][TAPS], taps[TAPS], power = 0, peaks = weight_of_peaks(f);
	for (int b = 0; b < BANDS; b++)
		power += f->weights[b] * f->equations[b].power;
	if (power <= NOTHING)
		return;
	double shrink = SHRINK * power * (1 + YOUNG / (double)(f->n - PAST + 1)), whole = WHOLE * power;
	for (int k = 0; k < TAPS; k++) {
		for (int j = 0; j <= k; j++)
			a[k][j] = weighed(f, peaks, k, j) + whole + (k == j ? shrink : 0);
		taps[k] = shrink * first_taps[k] + whole + peaks * f->replay.peaks.product[k];
		for (int b = 0; b < BANDS; b++)
			taps[k] += f->weights[b] * f->equations[b].product[k];
	}
	solve(a, taps);
	double sum = 0;
	for (int k = 0; k < TAPS; k++)
		sum += taps[k];
	if (sum - sum != 0)             /* no number: those before it stay */
		return;
	for (int k = 0; k < TAPS; k++)
		f->taps[k] += (f->n > STIFF ? YIELDS : 1) * (taps[k] - f->taps[k]);
}

/* A band that would come out worse than it is weighs more from the next time on. */
static void weigh_bands(struct policy_foretell *f)
{
	for (int b = 0; b < BANDS; b++) {
		double most = most_left[b] * f->equations[b].power, left = left_of(f, b);
		if (f->equations[b].power <= 0)
			continue;
		double by = left > most ? left / most : EASES;
		f->weights[b] *= by > GROWS_MOST ? GROWS_MOST : by;
		f->weights[b] = f->weights[b] < 1 ? 1 : f->weights[b] > HEAVIEST ? HEAVIEST : f->weights[b];
	}
}

/* ---- the frame ---- */

static void begin(struct policy_foretell *f, double mean_w)
{
	f->mean_w = mean_w;
	memcpy(f->taps, first_taps, sizeof(first_taps));
	for (int b = 0; b < BANDS; b++)
		f->weights[b] = 1;
}

void foretell_see(struct policy_foretell *f, const struct foretell_slot *slot, const struct following *by)
{
	double over_s = (double)f->n * SLOT_S < MEAN_S ? (double)(f->n + 1) * SLOT_S : MEAN_S;
	if (!f->n)
		begin(f, slot->mean_w);
	f->mean_w += (slot->mean_w - f->mean_w) * SLOT_S / over_s;
	f->newest = (f->newest + 1) % PAST;
	replay_see(&f->replay, slot);
	for (int b = 0; b < BANDS; b++) {
		f->load[b][f->newest] = bands_pass(&f->bands, b, slot->mean_w - f->mean_w);
		f->cancelled[b][f->newest] = following_w(by, f->load[b], f->newest);
	}
	if (++f->n < PAST)
		return;
	f->counted = KEEPS * f->counted + 1;
	for (int b = 0; b < BANDS; b++)
		learn_band(f, b, f->load[b][f->newest]);
	if (f->n > ENOUGH)
		replay_meet(f, by, slot->cap_w);
	if (f->n % 2)
		return;
	if (f->n % REPLAYS == 0)
		replay_run(f, by, slot);
	choose_taps(f);
	weigh_bands(f);
}

bool foretell_tries(const struct policy_foretell *f)
{
	return f->replay.ran;
}

bool foretell_knows(const struct policy_foretell *f)
{
	return f->n >= ENOUGH;
}

int64_t foretell_level_w(const struct policy_foretell *f)
{
	return (int64_t)replay_level_w(f, 0);
}

int64_t foretell_missed_w(const struct policy_foretell *f, bool capped)
{
	const struct policy_replay *r = &f->replay;
	double most_w = r->came_w > r->missed_w ? r->came_w : r->missed_w;
	return (int64_t)(capped && r->capped_w > most_w ? r->capped_w : most_w);
}

double foretell_power(const struct policy_foretell *f, int band)
{
	return f->counted > 0 ? f->equations[band].power / f->counted : 0;
}

int32_t foretell_left_permille(const struct policy_foretell *f, int band)
{
	double power = f->equations[band].power;
	return power > 0 ? (int32_t)(1000 * left_of(f, band) / power) : 1000;
}
