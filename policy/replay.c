#include "policy/replay.h"

#include <string.h>

enum { TAPS = FORETELL_TAPS, N = POLICY_REPLAYED };

#define LEAST       120         /* half-seconds that must have been seen */
#define HIGH        0.3         /* of the worst: from there on they have a share … */
#define LEAST_SHARE 0.02        /* … of no less than this of an equal one, … */
#define TOO_SMALL   1e-5        /* … but not for so little */
#define LATER       10          /* half-seconds within which what rises has got to where it goes */
#define EASES       0.98        /* each time, as long as nothing is missed by it */
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
	r->share[r->newest] = 0;
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

double replay_level_w(const struct policy_foretell *f, uint32_t age)
{
	double level_w = f->mean_w;
	for (int k = 0; k < TAPS; k++)
		level_w += f->taps[k] * (f->replay.mean_w[place(&f->replay, age + foretell_lags[k])] - f->mean_w);
	return level_w;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

void replay_meet(struct policy_foretell *f, const struct following *by, double cap_w)
{
	struct policy_replay *r = &f->replay;
	double planned_w = 0;
	for (uint32_t k = 0; k < by->n; k++) {
		uint32_t age = by->first + k;
		planned_w += by->share[k] * larger(replay_level_w(f, age), r->told_w[place(r, age)]);
	}
	r->came_w *= FADES;
	if (r->highest_w[r->newest] <= cap_w)
		r->came_w = larger(r->came_w, r->highest_w[r->newest] - planned_w);
}

/* In order of time, about the mean. */
struct past {
	uint32_t n, first;              /* from the first on there is past enough */
	float seen[N], planned[N], highest[N];
};

static void foretell_anew(const struct policy_foretell *f, const struct following *by, double cap_w, struct past *past)
{
	const struct policy_replay *r = &f->replay;
	uint32_t longest = foretell_lags[TAPS - 1];
	past->n = r->n;
	past->first = longest + by->first + by->n;
	for (uint32_t i = 0; i < past->n; i++) {
		uint32_t at = place(r, past->n - 1 - i);
		past->seen[i] = (float)(r->mean_w[at] - f->mean_w);
		past->highest[i] = (float)(r->highest_w[at] - f->mean_w);
		past->planned[i] = 0;
		for (uint32_t before = 0; r->highest_w[at] > cap_w && before <= LATER && before <= i; before++)
			past->highest[i - before] = (float)-cap_w;
	}
	for (int k = 0; k < TAPS; k++) {
		float tap = (float)f->taps[k];
		for (uint32_t i = longest; i < past->n; i++)
			past->planned[i] += tap * past->seen[i - foretell_lags[k]];
	}
	for (uint32_t i = longest; i < past->n; i++)
		past->planned[i] = (float)larger(past->planned[i], r->told_w[place(r, past->n - 1 - i)] - f->mean_w);
}

/* The load over what was planned for, with so much kept free over that but no more than `top` in all. */
static double over(const struct past *past, const struct following *by, uint32_t i, double kept, double top)
{
	double planned = 0;
	for (uint32_t k = 0; k < by->n; k++) {
		double to = past->planned[i - by->first - k] + kept;
		planned += by->share[k] * (to < top ? to : top);
	}
	return past->highest[i] - planned;
}

static double most_over(const struct past *past, const struct following *by, double kept, double top)
{
	double most = 0;
	for (uint32_t i = past->first; i < past->n; i++)
		most = larger(most, over(past, by, i, kept, top));
	return most;
}

static void add(struct policy_normal *eq, const struct past *past, const struct following *by, uint32_t i, double share)
{
	double row[TAPS] = { 0 };
	for (int k = 0; k < TAPS; k++)
		for (uint32_t a = 0; a < by->n; a++)
			row[k] += by->share[a] * past->seen[i - by->first - a - foretell_lags[k]];
	for (int k = 0; k < TAPS; k++) {
		for (int j = 0; j <= k; j++)
			eq->square[k][j] += share * row[k] * row[j];
		eq->product[k] += share * row[k] * past->highest[i];
	}
}

/* Of each half-second, how much it counts among the worst: more each time, as long as it is one of them. */
static void share_out(struct policy_replay *r, const struct past *past, const struct following *by)
{
	double least = LEAST_SHARE / (past->n - past->first), sum = 0;
	for (uint32_t i = past->first; i < past->n; i++) {
		float *share = &r->share[place(r, past->n - 1 - i)];
		double part = over(past, by, i, 0, NO_TOP) / r->missed_w;
		*share = part < HIGH ? 0 : (float)(larger(*share, least) * part);
		sum += *share;
	}
	memset(&r->peaks, 0, sizeof r->peaks);
	for (uint32_t i = past->first; i < past->n && sum > 0; i++) {
		float *share = &r->share[place(r, past->n - 1 - i)];
		*share = (float)(*share / sum);
		if (*share >= TOO_SMALL)
			add(&r->peaks, past, by, i, *share);
	}
}

void replay_run(struct policy_foretell *f, const struct following *by, const struct foretell_slot *slot)
{
	struct policy_replay *r = &f->replay;
	struct past past;
	foretell_anew(f, by, slot->cap_w, &past);
	if (past.n < past.first + LEAST)
		return;
	r->ran = true;
	r->missed_w = most_over(&past, by, 0, NO_TOP);
	double top = slot->most_w - f->mean_w, lacks = most_over(&past, by, r->capped_w, top);
	if (lacks > 0)
		r->capped_w += lacks;
	else if (most_over(&past, by, r->capped_w * EASES, top) <= 0)
		r->capped_w *= EASES;
	if (r->missed_w > 0)
		share_out(r, &past, by);
}
