/* policy/rise.c - what rises faster than it was foretold, or has lately risen: told watt by watt as they come, the miners
 * would always be late. */
#include "policy/internal.h"

#define KEPT_PER_MILLE 5        /* of the cap, and … */
#define KEPT_PART      2        /* … of the reserve, kept over the load, however far below it is foretold, but no more than
                                 * for its peak; by its pace, all of it, while it climbs to where it never was */
#define BEYOND_PER_MILLE 3      /* of the cap, over the peak: by no more that is still the peak */
#define TAKES_PERCENT  67       /* of those that could stay, where the load rises as never before */

/* How far the load goes on, at its pace of late, until miners told now have followed. */
static int64_t goes_on_w(const struct step *step, int64_t risen_w)
{
	return risen_w * step->tracked.slowest_sleep_ms / LOAD_RISEN_MS;
}

int64_t rise_kept_w(const struct step *step)
{
	int64_t below_w = reserve_most_w(step->state, step->conf->cap_w) - step->load_w;
	int64_t part_w = clamp64(below_w, 0, step->reserve_w / KEPT_PART);
	int64_t climbs_w = goes_on_w(step, load_beyond(step->state, step->load_w));
	if (step->load_w + climbs_w > reserve_peak_w(step->state))
		part_w = clamp64(climbs_w, part_w, step->reserve_w);
	return max64(part_w, step->conf->cap_w / 1000 * KEPT_PER_MILLE);
}

/* Miners that turn out to be asleep make the load look as if it rose. */
static bool found_miners(const struct step *step)
{
	return step->state->finding_ms && step->seen->now_ms - step->state->finding_ms <= LOAD_RISEN_MS;
}

/* What was announced is no news; nor is, of what is foretold, what leaves the reserve as it is. */
static int64_t risen_w(const struct step *step)
{
	int64_t risen_w = load_risen(step->state, step->load_w), announced_w = step->state->announced_w;
	if (!step->site_usable || step->failsafe || found_miners(step))
		return 0;
	if (load_is_foretold(step->state)) {
		int64_t used_w = step->metered.site_w - (step->limit_w - step->reserve_w);
		return min64(risen_w, max64(used_w, 0));
	}
	if (!announced_w)
		return risen_w;
	/* What was expected two seconds ago: a rise that nobody announced moves what is expected now along with it. */
	int64_t expected_w = load_announced_before(step->state);
	return min64(risen_w, max64(step->load_w - (expected_w ? expected_w : announced_w), 0));
}

/* How far the load may be taken to go on: to its peak; where it is beyond that, no farther in all than it lately rose. */
static int64_t goes_on_at_most_w(const struct step *step, int64_t news_w)
{
	int64_t below_w = reserve_peak_w(step->state) - step->load_w;
	if (-below_w > step->conf->cap_w / 1000 * BEYOND_PER_MILLE)
		return max64(step->state->holds[0].reserve_w - news_w, 0);
	return max64(below_w, 0);
}

/* Where a climb beyond all there was has the site over its limit, what is told for each of its steps comes too late for the
 * next ones. It goes on as in the slower of its last two seconds: a step is over after one. No farther than by half. */
static int64_t climbs_w(const struct step *step, int64_t news_w)
{
	bool late = step->metered.site_w > step->limit_w && step->load_w >= reserve_peak_w(step->state);
	return late ? min64(goes_on_w(step, min64(news_w, load_rises_on(step->state, step->load_w))), news_w / 2) : 0;
}

/* Of the reserve, what is kept over a load that uses it up: all of it, or, as long as the limit holds, no more than for its
 * peak. */
static int64_t kept_in_a_rise_w(const struct step *step, bool crosses)
{
	int64_t below_w = reserve_most_w(step->state, step->conf->cap_w) - step->load_w;
	return crosses || below_w < 0 ? step->reserve_w : min64(step->reserve_w, below_w);
}

/* A rise that uses up the reserve is like none before: what is foretold knows nothing of it, and a reserve is kept over the
 * load as it is. One that has nearly used it up is taken to go on, within what there has been: what is told when it has come is
 * too late. What falls by power is too slow to count. */
void rise_see(struct step *step)
{
	int64_t drawn_w = step->load_w + step->doubt_w + step->tracked.settled_w + step->tracked.lowering_w;
	int64_t news_w = risen_w(step), more_w = news_w > step->reserve_w / 4 * 3 ? goes_on_w(step, news_w) : 0;
	more_w = min64(more_w, goes_on_at_most_w(step, news_w));
	if (!load_is_foretold(step->state))     /* what is held is planned for */
		more_w = min64(more_w, load_beyond(step->state, step->load_w));
	bool crosses = drawn_w > step->limit_w || step->metered.site_w > step->limit_w;
	int64_t over_plan_w = load_over_plan(step->state, step->load_w, step->tracked.slowest_sleep_ms);
	bool is_new = reserve_is_known(step->conf, step->state) && min64(news_w, over_plan_w) > step->reserve_w;
	bool climbs = is_new && drawn_w + climbs_w(step, news_w) > step->limit_w;
	step->is_over = climbs || (news_w > step->reserve_w / 2 && drawn_w + more_w > step->limit_w);
	if (step->is_over)
		step->rising_to_w = step->load_w + max64(kept_in_a_rise_w(step, crosses), more_w);
	step->is_unheard_of = is_new && step->is_over && crosses;
}

int64_t rise_leaves_w(const struct step *step, int64_t miners_w)
{
	int64_t least_w = step->tracked.settled_w - step->tracked.curtailable_w;
	return miners_w - max64(miners_w - least_w, 0) * TAKES_PERCENT / 100;
}
