#include "policy/replay.h"

#include "policy/fit.h"

enum { TAPS = FORETELL_TAPS, N = POLICY_REPLAYED };

#define LEAST       120         /* half-seconds that must have been seen */
#define LATER       10          /* half-seconds within which what rises has got to where it goes */
#define EASES       0.98        /* each time, as long as nothing is missed by it */
#define SPARE       0.003       /* of the cap: so much below the top, for miners follow a little otherwise than planned */
#define LEFT_PART   2           /* of what is kept free in any case: what comes may miss by more than what has been */
#define NO_TOP      1e18        /* W: what is planned for may be as high as it will */
#define FADES       (1 - 1 / 7200.0)    /* a half-second: an hour */

static uint32_t place(const struct policy_replay *r, uint32_t age)
{
	return (r->newest + N - age) % N;
}

void replay_see(struct policy_replay *r, const struct foretell_slot *slot)
{
	r->newest = (r->newest + 1) % N;
	r->mean_w[r->newest] = slot->mean_w;
	r->highest_w[r->newest] = (float)slot->highest_w;
	r->told_w[r->newest] = (float)slot->told_w;
	r->n += r->n < N;
}

void replay_resume(struct policy_replay *r, double load_w)
{
	for (uint32_t age = 0; age <= foretell_lags[TAPS - 1]; age++) {
		uint32_t at = place(r, age);
		r->mean_w[at] = r->mean_w[at] > load_w ? r->mean_w[at] : load_w;
		r->highest_w[at] = r->highest_w[at] > (float)load_w ? r->highest_w[at] : (float)load_w;
	}
}

double replay_level_w(const struct policy_foretell *f, enum foretell which, uint32_t age)
{
	const double *taps = f->filters[which].taps;
	double level_w = f->mean_w;
	for (int k = 0; k < TAPS; k++)
		level_w += taps[k] * (f->replay.mean_w[place(&f->replay, age + foretell_lags[k])] - f->mean_w);
	return level_w;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

void replay_meet(struct policy_foretell *f, const struct following *by, double cap_w)
{
	struct policy_replay *r = &f->replay;
	for (int which = 0; which < N_FORETELLS; which++) {
		struct policy_filter *filter = &f->filters[which];
		double planned_w = 0;
		for (uint32_t k = 0; k < by->n; k++) {
			uint32_t age = by->first + k;
			planned_w += by->share[k] * larger(replay_level_w(f, which, age), (double)r->told_w[place(r, age)]);
		}
		filter->came_w *= FADES;
		if ((double)r->highest_w[r->newest] <= cap_w)
			filter->came_w = larger(filter->came_w, (double)r->highest_w[r->newest] - planned_w);
	}
}

/* What was seen; and, about the mean, what is foretold of it now. fit.highest is as if each rise came a half-second sooner: a
 * fit is to leave that much time, and so is a plan that is held at a top and comes from far below it. */
struct past { struct fit_past fit; float highest[N], planned[N]; };

static void look_back(const struct policy_foretell *f, const struct following *by, double cap_w, struct past *past)
{
	const struct policy_replay *r = &f->replay;
	struct fit_past *fit = &past->fit;
	fit->by = by;
	fit->n = r->n;
	fit->first = foretell_lags[TAPS - 1] + by->first + by->n;
	for (uint32_t i = 0; i < fit->n; i++) {
		uint32_t at = place(r, fit->n - 1 - i);
		fit->seen[i] = (float)(r->mean_w[at] - f->mean_w);
		fit->told[i] = (float)((double)r->told_w[at] - f->mean_w);
		past->highest[i] = (float)((double)r->highest_w[at] - f->mean_w);
		for (uint32_t before = 0; (double)r->highest_w[at] > cap_w && before <= LATER && before <= i; before++)
			past->highest[i - before] = (float)-cap_w;
	}
	for (uint32_t i = 0; i < fit->n; i++) {
		float next = past->highest[i + 1 < fit->n ? i + 1 : i];
		fit->highest[i] = next > past->highest[i] ? next : past->highest[i];
	}
}

/* The load over what was planned for, with so much kept free over that but no more than `top` in all. */
static double most_over(const struct past *past, const float *highest, double kept, double top)
{
	const struct following *by = past->fit.by;
	double most = -1e18;
	for (uint32_t i = past->fit.first; i < past->fit.n; i++) {
		double planned = 0;
		for (uint32_t k = 0; k < by->n; k++) {
			double to = (double)past->planned[i - by->first - k] + kept;
			planned += by->share[k] * (to < top ? to : top);
		}
		most = larger(most, (double)highest[i] - planned);
	}
	return most;
}

/* Under a top more must be kept free than it missed by: what was held there came from below. No more than the cap helps. */
static double kept_under(const struct past *past, double kept, double top, double cap_w)
{
	double spare = cap_w * SPARE, lacks = most_over(past, past->fit.highest, kept, top) + spare;
	if (lacks > 0)
		return kept + lacks < cap_w ? kept + lacks : cap_w;
	return most_over(past, past->fit.highest, kept * EASES, top) + spare > 0 ? kept : kept * EASES;
}

void replay_run(struct policy_foretell *f, const struct following *by, const struct foretell_slot *slot)
{
	const double tops[N_FORETELLS] = { [FORETELL_DIPS] = slot->most_w - f->mean_w, [FORETELL_FLAT] = NO_TOP };
	struct past past;
	look_back(f, by, slot->cap_w, &past);
	if (past.fit.n < past.fit.first + LEAST)
		return;
	for (int which = 0; which < N_FORETELLS; which++) {
		struct policy_filter *filter = &f->filters[which];
		fit_foretell(&past.fit, filter->taps, past.planned);
		double missed = most_over(&past, past.highest, 0, NO_TOP);
		double kept = which == FORETELL_DIPS ? kept_under(&past, filter->missed_w, tops[which], slot->cap_w) : 0;
		filter->missed_w = larger(larger(missed, kept), 0);
		if (!f->replay.ran || f->replay.turn == (enum foretell)which)
			fit_taps(f, (enum foretell)which, &past.fit, tops[which] - slot->kept_w, slot->kept_w / LEFT_PART);
	}
	f->replay.turn = (f->replay.turn + 1) % N_FORETELLS;
	f->replay.ran = true;
}
