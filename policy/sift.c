/* policy/sift.c - leaps of meters: values that are not taken before they have come again. */
#include "policy/internal.h"

#include <string.h>

#define HELD_MOST  2            /* values in a row that are held back: the third is taken … */
#define HELD_MS    1000         /* … and after so long any is, of a meter read seldom */
#define HARDLY     8            /* less than this part of what was drawn is as good as nothing … */
#define MUCH       8            /* … where that was more than this part of the cap */
#define LEAP_PART  10           /* of the cap: less is no leap */
#define FRESH_MS   1000         /* a site's value older than this says nothing of what the GPUs' meters say now */

/* All that stands there, at its most, and a quarter more: miners' own figures may be a fifth too low. */
static int64_t most_w(const struct policy_conf *conf, const struct policy_state *state, const struct metered *metered)
{
	int64_t gpus_w = metered->has_hpc ? max64(metered->hpc_nameplate_w, metered->hpc_w) : conf->cap_w;
	return (gpus_w + state->fusion.fleet_w + 2 * max64(state->other_w, 0)) * 5 / 4;
}

static bool site_leaps(const struct policy_conf *conf, const struct policy_state *state, const struct metered *metered)
{
	int64_t stands_w = state->fusion.site.w, now_w = metered->site_w;
	if (now_w > stands_w)
		return now_w - stands_w > conf->cap_w / LEAP_PART && now_w > most_w(conf, state, metered);
	return stands_w > conf->cap_w / MUCH && now_w < stands_w / HARDLY;
}

static void note_leap(struct fusion_taken *t)
{
	memmove(t->leaps_ms + 1, t->leaps_ms, (FUSION_LEAPS - 1) * sizeof(*t->leaps_ms));
	t->leaps_ms[0] = t->leap_ms;
}

static void take(struct fusion_taken *t, int64_t w, int64_t at_ms, int64_t now_ms)
{
	t->w = w;
	t->at_ms = at_ms;
	t->now_ms = now_ms;
	t->held = 0;
}

/* Whether the newest value is held back; if not, it stands from now on. */
static bool hold(struct fusion_taken *t, bool leaps, int64_t w, int64_t at_ms, uint32_t most, int64_t patience_ms,
                 int64_t now_ms)
{
	bool news = w != t->seen_w || at_ms != t->seen_ms;
	t->seen_w = w;
	t->seen_ms = at_ms;
	if (!leaps && t->held)
		note_leap(t);           /* it came back */
	if (leaps && !t->held)
		t->leap_ms = now_ms;
	t->held += leaps && (news || !t->held);
	if (leaps)
		t->leap_w = w;
	if (leaps && t->held <= most && now_ms - t->leap_ms < patience_ms)
		return true;
	take(t, w, at_ms, now_ms);
	return false;
}

void sift_site(const struct policy_conf *conf, struct policy_state *state, struct metered *metered, int64_t now_ms)
{
	struct fusion_taken *t = &state->fusion.site;
	if (!metered->site_known) {
		t->now_ms = t->held = 0;
		return;
	}
	bool leaps = t->now_ms && state->fusion.fleet_w && site_leaps(conf, state, metered);
	if (!hold(t, leaps, metered->site_w, metered->site_ms, HELD_MOST, HELD_MS, now_ms))
		return;
	metered->site_w = t->w;
	metered->site_ms = t->at_ms;
}

/* How far the site moved, but for miners, since the oldest of GPU meters' values may have been read. */
static int64_t stirred_w(const struct policy_state *state, const struct metered *metered, int64_t late_ms)
{
	int64_t highest_w = metered->site_w - state->fusion.miners_w, lowest_w = highest_w;
	for (uint32_t age = 0; age < state->n_loads && age * POLICY_SLOT_MS <= late_ms; age++) {
		int64_t seen_w = state->seen_w[(state->newest + POLICY_LOADS - age) % POLICY_LOADS];
		highest_w = max64(highest_w, seen_w);
		lowest_w = min64(lowest_w, seen_w);
	}
	return highest_w - lowest_w;
}

/* The site shows at once what GPUs do: a new sum of theirs that does not go with it, where the one before did, has leapt. */
static bool hpc_leaps(const struct policy_conf *conf, const struct policy_state *state, const struct metered *metered,
                      int64_t late_ms, int64_t now_ms)
{
	const struct fusion *f = &state->fusion;
	int64_t stands_w = f->hpc.w, now_w = metered->hpc_last_w, least_w = conf->cap_w / LEAP_PART;
	if (abs64(now_w - stands_w) <= least_w)
		return false;
	if (!metered->site_known)
		return now_w > metered->hpc_nameplate_w * 3 / 2 && stands_w <= metered->hpc_nameplate_w;
	if (!f->last.ms || now_ms - metered->site_ms > FRESH_MS)
		return false;
	int64_t should_w = metered->site_w - f->miners_w - (f->last.site_w - f->last.hpc_w - f->last.miners_w);
	int64_t off_w = abs64(now_w - should_w);
	return off_w > least_w + stirred_w(state, metered, late_ms) && off_w > 3 * abs64(stands_w - should_w);
}

void sift_hpc(const struct policy_conf *conf, struct policy_state *state, struct metered *metered, int64_t late_ms,
              int64_t now_ms)
{
	struct fusion_taken *t = &state->fusion.hpc;
	if (!metered->has_hpc || metered->hpc_waited_for || metered->hpc_ms == INT64_MAX) {
		t->now_ms = t->held = 0;
		return;
	}
	int64_t raw_w = metered->hpc_last_w;
	bool leaps = t->now_ms && hpc_leaps(conf, state, metered, late_ms, now_ms);
	if (!hold(t, leaps, raw_w, metered->hpc_ms, UINT32_MAX, late_ms + HELD_MS, now_ms))
		return;
	metered->hpc_last_w = t->w;
	metered->hpc_fresh_w += t->w - raw_w;
	metered->hpc_w += t->w - raw_w;
}
