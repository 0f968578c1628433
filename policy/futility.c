#include "policy/futility.h"

#include "policy/internal.h"

#define REST_TAU_MS   3000              /* GPU meters are read up to a second after the site's: swings show in the rest */
#define LEAST_PART    50                /* of the cap: smaller sheds drown in what else moves */
#define SHOWN_PERCENT 30                /* of what the miners say: less is as good as nothing */
#define GOOD_PERCENT  60                /* more, and the verdict is taken back */
#define SUSPECT_MS    5000              /* so long it must look so, beyond the time miners need */
#define CALM_MS       60000             /* after the last shed an episode is over … */
#define LONGEST_MS    (5 * 60000)       /* … and after so long: what else the site draws has moved on by then */
#define VERDICT_MS    (10 * 60000)      /* after the last shed a verdict falls … */
#define RETRIAL_MS    (30 * 60000)      /* … and after so long it has to prove itself again */

static void see_rest(struct futility *f, const struct picture *p, int64_t now_ms)
{
	int64_t rest_w = p->site_w - p->hpc_w;
	int64_t elapsed_ms = f->rest_ms ? clamp64(now_ms - f->rest_ms, 0, REST_TAU_MS) : REST_TAU_MS;
	f->rest_w += (rest_w - f->rest_w) * elapsed_ms / REST_TAU_MS;
	f->rest_ms = now_ms;
}

static int64_t told_down_w(const struct decision *d)
{
	int64_t sum_w = 0;
	for (uint32_t c = 0; c < d->n_commands; c++)
		if (d->commands[c].try_number == 1)
			sum_w += (int64_t)d->commands[c].from_w - d->commands[c].to_w;
	return sum_w;
}

static void begin(struct futility *f, const struct picture *p, int64_t now_ms)
{
	f->on = true;
	f->begin_ms = now_ms;
	f->told_w = f->followed_w = f->shown_w = 0;
	f->suspected = FUTILE_NOT;
	f->rest_before_w = f->rest_w;
	f->miners_before_w = p->miners_w;
}

static enum futile_cause looks_like(const struct futility *f, int64_t cap_w, bool landed)
{
	int64_t least_w = cap_w / LEAST_PART;
	if (f->followed_w >= least_w && f->shown_w < f->followed_w / 100 * SHOWN_PERCENT)
		return FUTILE_METER;
	if (landed && f->told_w >= least_w && f->followed_w < f->told_w / 100 * SHOWN_PERCENT)
		return FUTILE_MINERS;
	return FUTILE_NOT;
}

static bool is_well(const struct futility *f)
{
	int64_t said_w = f->cause == FUTILE_METER ? f->followed_w : f->told_w;
	int64_t came_w = f->cause == FUTILE_METER ? f->shown_w : f->followed_w;
	return came_w >= said_w / 100 * GOOD_PERCENT;
}

static bool is_over(const struct futility *f, int64_t now_ms)
{
	bool verdict = f->cause != FUTILE_NOT;
	return now_ms - f->last_shed_ms >= (verdict ? VERDICT_MS : CALM_MS) ||
	       (f->suspected == FUTILE_NOT && now_ms - f->begin_ms >= LONGEST_MS && !verdict) ||
	       now_ms - f->begin_ms >= RETRIAL_MS;
}

static void judge(struct futility *f, int64_t cap_w, int64_t response_ms, int64_t late_ms, int64_t now_ms)
{
	bool landed = now_ms - f->last_shed_ms > 2 * response_ms + SUSPECT_MS;
	enum futile_cause cause = looks_like(f, cap_w, landed);
	if (f->cause != FUTILE_NOT && is_well(f))
		f->cause = FUTILE_NOT;
	/* Orders under way count as followed, by the model: those of deaf miners would look like the meter's fault. */
	if (cause != f->suspected)
		f->suspect_ms = now_ms;
	f->suspected = cause;
	int64_t patience_ms = SUSPECT_MS + response_ms + (cause == FUTILE_METER ? late_ms : 0);
	if (cause != FUTILE_NOT && now_ms - f->suspect_ms >= patience_ms)
		f->cause = cause;
}

void futility_see(struct futility *f, const struct decision *d, int64_t cap_w, int64_t response_ms, int64_t late_ms,
                  int64_t now_ms)
{
	const struct picture *p = &d->picture;
	bool seen = p->site_known && p->site_w != POLICY_NONE && p->hpc_whole && p->hpc_w != POLICY_NONE;
	if (!seen) {
		f->suspected = FUTILE_NOT;
		f->rest_ms = 0;
		return;
	}
	see_rest(f, p, now_ms);
	int64_t down_w = told_down_w(d);
	if (f->on && is_over(f, now_ms)) {
		f->on = false;
		f->cause = FUTILE_NOT;
	}
	if (!f->on && down_w > 0)
		begin(f, p, now_ms);
	if (!f->on)
		return;
	f->told_w += down_w;
	if (down_w > 0)
		f->last_shed_ms = now_ms;
	f->followed_w = f->miners_before_w - p->miners_w;
	f->shown_w = f->rest_before_w - f->rest_w;
	judge(f, cap_w, response_ms, late_ms, now_ms);
}
