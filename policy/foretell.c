#include "policy/foretell.h"

#include <string.h>

#include "policy/bands.h"
#include "policy/fit.h"
#include "policy/internal.h"
#include "policy/replay.h"

enum { TAPS = FORETELL_TAPS, BANDS = FORETELL_BANDS, PAST = FORETELL_PAST };

#define SLOT_S      0.5
#define KEEPS       (1 - SLOT_S / 1800)         /* of what was learned, from half-second to half-second */
#define MEAN_S      1800.0                      /* over which the load's mean is taken */
#define ENOUGH      600                         /* half-seconds */
#define REPLAYS     20                          /* every so many */
#define STIFF       400                         /* from so many half-seconds on … */
#define YIELDS      0.1                         /* … taps go so much of the way each second, not to shake what is kept free */

const uint8_t foretell_lags[TAPS] = { 0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 124 };

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

/* ---- the frame ---- */

static void begin(struct policy_foretell *f, double mean_w)
{
	f->mean_w = mean_w;
	for (int which = 0; which < N_FORETELLS; which++) {
		memcpy(f->filters[which].taps, fit_first, sizeof fit_first);
		memcpy(f->filters[which].aim, fit_first, sizeof fit_first);
	}
}

static void go_on(struct policy_filter *filter, double part)
{
	for (int k = 0; k < TAPS; k++)
		filter->taps[k] += part * (filter->aim[k] - filter->taps[k]);
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
	for (int which = 0; which < N_FORETELLS; which++)
		go_on(&f->filters[which], f->n > STIFF ? YIELDS : 1);
}

bool foretell_tries(const struct policy_foretell *f)
{
	return f->replay.ran;
}

bool foretell_knows(const struct policy_foretell *f)
{
	return f->n >= ENOUGH;
}

int64_t foretell_level_w(const struct policy_foretell *f, enum foretell which)
{
	return (int64_t)replay_level_w(f, which, 0);
}

int64_t foretell_missed_w(const struct policy_foretell *f, enum foretell which)
{
	const struct policy_filter *filter = &f->filters[which];
	return (int64_t)(filter->came_w > filter->missed_w ? filter->came_w : filter->missed_w);
}

double foretell_power(const struct policy_foretell *f, int band)
{
	return f->counted > 0 ? f->equations[band].power / f->counted : 0;
}
