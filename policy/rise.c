/* policy/rise.c - what rises faster than it was foretold, or has lately risen: told watt by watt as they come, the miners
 * would always be late. */
#include "policy/internal.h"

#define KEPT_PER_MILLE 5        /* of the cap, and … */
#define KEPT_PART      4        /* … of the reserve, kept over the load, however far below it is foretold; … */
#define CLIMB_PART     2        /* … while it climbs to where it was not within the minute, at most so much of it */
#define TAKES_PERCENT  67       /* of those that could stay, where the load rises as never before */

/* How far the load goes on, at its pace of late, until miners told now have followed. */
static int64_t goes_on_w(const struct step *step, int64_t risen_w)
{
	return risen_w * step->tracked.slowest_sleep_ms / LOAD_RISEN_MS;
}

int64_t rise_kept_w(const struct step *step)
{
	int64_t climbs_w = 2 * goes_on_w(step, load_beyond(step->state, step->load_w));        /* power is slower than sleep */
	int64_t part_w = clamp64(climbs_w, step->reserve_w / KEPT_PART, step->reserve_w / CLIMB_PART);
	return max64(part_w, step->conf->cap_w / 1000 * KEPT_PER_MILLE);
}

/* What was announced or foretold is no news. */
static int64_t risen_w(const struct step *step)
{
	int64_t known_w = max64(step->state->announced_w, load_is_foretold(step->state) ? step->planned_w : 0);
	if (!step->site_usable || step->failsafe)
		return 0;
	int64_t risen_w = load_risen(step->state, step->load_w);
	return known_w ? min64(risen_w, max64(step->load_w - known_w, 0)) : risen_w;
}

/* A rise that uses up the reserve is like none before: what is foretold knows nothing of it, and a whole reserve is kept
 * over the load as it is. One that has nearly used it up is taken to go on, but not beyond the peak: what is told when it
 * has come is too late. What falls by power is too slow to count. */
void rise_see(struct step *step)
{
	int64_t drawn_w = step->load_w + step->doubt_w + step->tracked.settled_w + step->tracked.lowering_w;
	int64_t news_w = risen_w(step), more_w = news_w > step->reserve_w / 4 * 3 ? goes_on_w(step, news_w) : 0;
	more_w = min64(more_w, max64(reserve_peak_w(step->state) - step->load_w, 0));
	if (!load_is_foretold(step->state))     /* what is held is planned for */
		more_w = min64(more_w, load_beyond(step->state, step->load_w));
	step->is_over = news_w > step->reserve_w / 2 && drawn_w + more_w > step->limit_w;
	if (step->is_over)
		step->rising_to_w = step->load_w + max64(step->reserve_w, more_w);
	bool crosses = drawn_w > step->limit_w || step->metered.site_w > step->limit_w;
	int64_t over_plan_w = load_over_plan(step->state, step->load_w, step->tracked.slowest_sleep_ms);
	step->is_unheard_of = reserve_is_known(step->conf, step->state) && step->is_over && crosses &&
	                      min64(news_w, over_plan_w) > step->reserve_w;
}

int64_t rise_leaves_w(const struct step *step, int64_t miners_w)
{
	int64_t least_w = step->tracked.settled_w - step->tracked.curtailable_w;
	return miners_w - max64(miners_w - least_w, 0) * TAKES_PERCENT / 100;
}
