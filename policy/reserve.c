#include "policy/foretell.h"
#include "policy/internal.h"
#include "policy/paper.h"

#include <string.h>

/* What is planned for must hold until miners told now have followed. The highest load of the last so and so long, and the
 * most by which the load lately rose over that within their response, is such a bound, whatever the length: without a hold
 * the miners follow each fall of the load at once, and as much is kept free as it may rise again; with a long one dips are
 * left alone as long as they have lasted, and less is kept free over them. Which leaves the miners more depends on the load
 * and on how long they take to wake: so each is tried on paper, all the time, and the best is used.
 *
 * Where miners follow as quickly up as down, three more ways are tried. To plan for what is foretold (policy/foretell.h), with
 * the most by which that would have missed of late kept free (policy/replay.h), up to a little beyond the load's peak, and its
 * dips filled as far as power alone does it. The same, by weights of its own, with the reserve kept whatever the peak: that
 * keeps the site flat, and under its cap when the load goes to where it never was. And, for loads that wander and know no
 * past, such a reserve over the load as it is, which rises at once and comes down by and by, for the site is to be no worse in
 * its seconds. These two are no gain of hash but a price, paid where it is small beside what it takes off the site's moves
 * (policy/paper.h), as the operator prefers, and only where power alone does all of it, or, where a flat site is preferred, all
 * that comes and goes within a minute or two.
 *
 * Nothing that the site has shown of late is to put it over its cap: a step that came once counts for about an hour, one
 * that comes again for longer. */
#define MEMORY_SLOTS    5400.0          /* half-seconds that are remembered: three quarters of an hour, fading */
#define EXCEEDED        0.3             /* of them, in which a rise may be larger: 0.006 % */
#define FIRST_PER_MILLE 1               /* of the cap: the first bin. Each is … */
#define WIDER_PERCENT   8               /* … wider than the one before; 96 reach beyond the cap */
#define PEAK_SLOTS      2400            /* 20 minutes */
#define NEWS_PER_MILLE  20              /* so far the load may rise over all it has shown for hours, … */
#define OLD_NEWS_PER_MILLE 10           /* … less and less while that stands: down to so far … */
#define OLD_SLOTS       1500            /* … in twelve minutes, half of it in as many again, a third, …, … */
#define RECORD_PER_MILLE 3              /* … exceeded by no more than so much of it; … */
#define STAIR_SLOTS     12              /* … but as far as it went beyond, within six seconds, … */
#define STAIR_PERCENT   120             /* … and a little farther, once it did so twice … */
#define STAIR_FADES     9000.0          /* … of late: in 75 minutes two thirds are forgotten; … */
#define CLIMBS          16              /* … and at first, when so many half-seconds of late went beyond: as far as ever; … */
#define CLIMBS_MOST     60              /* … half a minute later that is over */
#define FORETOLD_PERCENT 115            /* of what foretelling missed by at most is kept free, … */
#define FORETOLD_PER_MILLE 3            /* … and of the cap, for miners follow a little otherwise than planned, … */
#define FORETOLD_MOST_PER_MILLE 8       /* … but on top of what it missed no more than so much, or than there would be without, … */
#define TRUSTED_PERCENT 65              /* … and no less than so much of what there would be without; to fill dips, all of it until … */
#define LIKE_PERCENT    60              /* … the load has risen so far of that, or farther, … */
#define LIKE_SLOTS      40.0            /* … for so many half-seconds: some five times */
#define FILLED_PERCENT  98              /* of a dip's part that power alone can fill */
#define LEAST_PER_MILLE 3               /* never less: miners are no better known; … */
#define LEAST_FORETOLD_PER_MILLE 10     /* … and what is foretold is no better known than so; … */
#define YOUNG_PER_MILLE 15              /* … and never less than this where little is known: … */
#define YOUNG_SLOTS     1080            /* … in the first nine minutes, for in ten all is to be in place */
#define KNOWN_SLOTS     900             /* not before they were tried for seven and a half minutes, … */
#define KNOWN_WORN_SLOTS 1200           /* … or ten, where it wears to change it, … */
#define TRIED_SLOTS     3600            /* … are holds compared, over half an hour, fading; the flat plans are before, with the longest */
#define BETTER_PER_MILLE 1              /* one by less is no reason to change */
#define LATELY_SLOTS 120
#define WORTH_OF_CHEAP  10              /* watts of hash for each of the site's moves, where it takes but a small part of it */
#define INSURED_PER_MILLE 4             /* of the cap, given for a reserve whatever the peak even if it flattens nothing, … */
#define INSURED_PART    4               /* … but no more than such a part of what the load rises by */
#define FORGOTTEN       1e-3            /* rises so rare are not kept over a restart */
#define SHY_PART        7               /* of the way to the reserve without a hold: a long hold sees few rises */

uint32_t reserve_slots(uint32_t hold)
{
	static const uint32_t slots[POLICY_HOLDS] = { 1, 10, 40, POLICY_LOADS, [HOLD_EASED] = 1 };
	return slots[hold];
}

/* ---- what the load has shown ---- */

static int64_t per_mille(int64_t cap_w, int64_t part)
{
	return cap_w * part / 1000;
}

static int64_t wider(int64_t edge_w)
{
	return edge_w + edge_w * WIDER_PERCENT / 100 + 1;
}

static int64_t highest_rise_w(const double *rises, int64_t cap_w)
{
	int64_t edge_w = per_mille(cap_w, FIRST_PER_MILLE), highest_w = 0;
	double within = 0, all = 0;
	for (int bin = 0; bin < POLICY_RISES; bin++)
		all += rises[bin];
	for (int bin = 0; bin < POLICY_RISES && all - within > EXCEEDED; bin++, edge_w = wider(edge_w)) {
		within += rises[bin];
		highest_w = edge_w;
	}
	return highest_w;
}

static int bin_of(int64_t rise_w, int64_t cap_w)
{
	int bin = 0;
	for (int64_t edge_w = per_mille(cap_w, FIRST_PER_MILLE); edge_w < rise_w && bin < POLICY_RISES - 1; bin++)
		edge_w = wider(edge_w);
	return bin;
}

static void keep_free(struct policy_state *state, uint32_t h, int64_t cap_w)
{
	struct policy_hold *hold = &state->holds[h];
	hold->reserve_w = highest_rise_w(hold->rises, cap_w);
	int64_t without_w = state->holds[0].reserve_w;
	if (reserve_slots(h) && without_w > hold->reserve_w)
		hold->reserve_w += (without_w - hold->reserve_w) / SHY_PART;
}

void reserve_learn(struct policy_state *state, uint32_t h, int64_t rise_w, int64_t cap_w)
{
	struct policy_hold *hold = &state->holds[h];
	for (int b = 0; b < POLICY_RISES; b++)
		hold->rises[b] *= 1 - 1 / MEMORY_SLOTS;
	if (rise_w > 0)
		hold->rises[bin_of(rise_w, cap_w)] += 1;
	keep_free(state, h, cap_w);
}

enum foretell reserve_filter(uint32_t hold)
{
	return hold == HOLD_FORETOLD ? FORETELL_DIPS : FORETELL_FLAT;
}

/* A rhythm that is foretold may fail: then the load rises as it does without. */
int64_t reserve_in_any_case_w(const struct policy_state *state)
{
	return state->holds[0].reserve_w * TRUSTED_PERCENT / 100;
}

static double risen_slots(const double *rises, int64_t from_w, int64_t cap_w)
{
	double slots = 0;
	for (int bin = bin_of(from_w, cap_w); bin < POLICY_RISES; bin++)
		slots += rises[bin];
	return slots;
}

/* Weights that fit one dip foretell its end, and no other's: they are trusted as such rises come again and again. */
static int64_t not_trusted_w(const struct policy_state *state, int64_t cap_w)
{
	int64_t without_w = state->holds[0].reserve_w, trusted_w = without_w - reserve_in_any_case_w(state);
	double like = risen_slots(state->holds[0].rises, without_w * LIKE_PERCENT / 100, cap_w) / LIKE_SLOTS;
	return without_w - (like < 1 ? (int64_t)((double)trusted_w * like) : trusted_w);
}

void reserve_foretold(struct policy_state *state, uint32_t h, int64_t cap_w)
{
	int64_t missed_w = foretell_missed_w(&state->foretell, reserve_filter(h)), without_w = state->holds[0].reserve_w;
	int64_t little_w = per_mille(cap_w, FORETOLD_PER_MILLE);
	int64_t most_w = max64(missed_w + per_mille(cap_w, FORETOLD_MOST_PER_MILLE), without_w + little_w);
	int64_t kept_w = min64((missed_w + little_w) * FORETOLD_PERCENT / 100, most_w);
	int64_t least_w = h == HOLD_FORETOLD ? not_trusted_w(state, cap_w) : reserve_in_any_case_w(state);
	state->holds[h].reserve_w = max64(kept_w, least_w);
}

int64_t reserve_most_w(const struct policy_state *state, int64_t cap_w)
{
	return reserve_peak_w(state) + per_mille(cap_w, OLD_NEWS_PER_MILLE);
}

int64_t reserve_peak_w(const struct policy_state *state)
{
	int64_t peak_w = 0;
	for (int p = 0; p < POLICY_PEAKS; p++)
		peak_w = max64(peak_w, state->peaks_w[p]);
	return peak_w;
}

static bool is_young(const struct policy_state *state)
{
	return !state->peaks_w[1] && state->n_peak_slots < YOUNG_SLOTS;
}

int64_t reserve_dip_w(const struct policy_state *state)
{
	uint32_t hold = reserve_hold(state);
	return reserve_slots(hold) ? (int64_t)state->holds[hold].dip_w : 0;
}

int64_t reserve_rise_w(const struct policy_state *state)
{
	return state->holds[reserve_hold(state)].reserve_w;
}

bool reserve_is_known(const struct policy_conf *conf, const struct policy_state *state)
{
	return conf->reserve_w == POLICY_NONE && !is_young(state);
}

/* As far as notices said of late that it would rise. */
static int64_t highest_told_w(const struct policy_state *state)
{
	int64_t highest_w = 0;
	for (uint32_t slot = 0; slot < POLICY_LOADS; slot++)
		highest_w = max64(highest_w, state->told_w[slot]);
	return highest_w;
}

/* Where jobs begin one after the other each takes the load to where it never was: one of them is no reason to expect a next,
 * two are. Those that notices tell are expected by these. */
static void see_stairs(struct policy_state *state, int64_t load_w, int64_t peak_w)
{
	struct policy_stairs *stairs = &state->stairs;
	stairs->largest_w *= 1 - 1 / STAIR_FADES;
	stairs->second_w *= 1 - 1 / STAIR_FADES;
	if (!stairs->slots && load_w > peak_w) {
		stairs->from_w = max64(peak_w, highest_told_w(state));
		stairs->slots = STAIR_SLOTS;
	}
	if (!stairs->slots || --stairs->slots)
		return;
	double beyond_w = (double)(max64(load_w, peak_w) - stairs->from_w);
	if (beyond_w > stairs->largest_w) {
		stairs->second_w = stairs->largest_w;
		stairs->largest_w = beyond_w;
	} else if (beyond_w > stairs->second_w) {
		stairs->second_w = beyond_w;
	}
}

void reserve_see(struct policy_state *state, int64_t load_w)
{
	int64_t peak_w = reserve_peak_w(state);
	state->n_below_slots = load_w > peak_w + per_mille(peak_w, RECORD_PER_MILLE) ? 0 : state->n_below_slots + 1;
	if (load_w <= peak_w)
		state->climbs -= state->climbs > 0;
	else if (state->n_loads > 1 && state->climbs < CLIMBS_MOST)
		state->climbs++;
	if (!is_young(state) && state->n_loads == POLICY_LOADS)        /* after a start or a reload miners are being found */
		see_stairs(state, load_w, peak_w);
	state->peaks_w[0] = state->n_peak_slots ? max64(state->peaks_w[0], load_w) : load_w;
	if (++state->n_peak_slots < PEAK_SLOTS)
		return;
	for (int p = POLICY_PEAKS - 1; p > 0; p--)
		state->peaks_w[p] = state->peaks_w[p - 1];
	state->n_peak_slots = 0;
}

/* ---- what is made of it ---- */

static int64_t least_per_mille(uint32_t hold, bool little_known)
{
	if (little_known)
		return YOUNG_PER_MILLE;
	return reserve_slots(hold) ? LEAST_PER_MILLE : LEAST_FORETOLD_PER_MILLE;
}

static bool is_flat(uint32_t hold)
{
	return hold == HOLD_FLAT || hold == HOLD_EASED;
}

static bool climbs_anew(const struct policy_state *state)
{
	return is_young(state) && state->climbs > CLIMBS;
}

/* The longer a record stands the less likely is a next one, and in inverse proportion: of n values the last is the highest once
 * in n times. */
static int64_t news_w(const struct policy_state *state, int64_t cap_w)
{
	int64_t new_w = per_mille(cap_w, NEWS_PER_MILLE), old_w = per_mille(cap_w, OLD_NEWS_PER_MILLE), slots = state->n_below_slots;
	return slots < OLD_SLOTS ? new_w - (new_w - old_w) * slots / OLD_SLOTS : old_w * OLD_SLOTS / slots;
}

static int64_t over(const struct policy_state *state, uint32_t hold, int64_t level_w, int64_t coarse_w, int64_t cap_w)
{
	int64_t stair_w = (int64_t)state->stairs.second_w * STAIR_PERCENT / 100;
	int64_t least_w = per_mille(cap_w, least_per_mille(hold, is_young(state)));
	int64_t beyond_w = max64(news_w(state, cap_w), max64(stair_w, least_w));
	int64_t most_w = is_flat(hold) || climbs_anew(state) ? INT64_MAX : max64(reserve_peak_w(state) - level_w, 0) + beyond_w;
	if (hold == HOLD_FORETOLD || hold == HOLD_EASED)
		least_w = max64(least_w, state->holds[hold].least_kept_w - level_w);
	return max64(min64(state->holds[hold].reserve_w + coarse_w, most_w), least_w);
}

uint32_t reserve_hold(const struct policy_state *state)
{
	return state->wary_slots ? HOLD_LONGEST : state->chosen_hold;
}

int64_t reserve_over(const struct policy_state *state, int64_t planned_w, int64_t coarse_w, int64_t cap_w)
{
	return over(state, reserve_hold(state), planned_w, coarse_w, cap_w);
}

/* Those that are awake at their least power where the least is left to them can draw so much more and no more, until others
 * wake. With these asleep in between, each swing would wear them, and they would be late. Nor quite so much, for no more is
 * known of a miner's power. */
static int64_t least_kept_w(const struct policy_hold *hold, int64_t least_percent, int64_t cap_w)
{
	double left_w = (double)cap_w - hold->range.highest_w;
	if (left_w >= (double)cap_w || !least_percent)
		return 0;
	return cap_w - (left_w > 0 ? (int64_t)left_w * FILLED_PERCENT / least_percent : 0);
}

/* It narrows towards what is kept on average. */
static void widen(struct policy_range *range, double kept_w, double mean_w, double slots)
{
	range->highest_w -= (range->highest_w - mean_w) / slots;
	range->lowest_w += (mean_w - range->lowest_w) / slots;
	range->highest_w = kept_w > range->highest_w ? kept_w : range->highest_w;
	range->lowest_w = kept_w < range->lowest_w ? kept_w : range->lowest_w;
}

/* More is kept from the miners at once, less only when it has been less for as long as they take to wake. */
void reserve_try(struct policy_state *state, uint32_t h, const struct load_timing *timing, int64_t cap_w)
{
	struct policy_hold *hold = &state->holds[h];
	int64_t wake_slots = timing->wake_ms / POLICY_SLOT_MS;
	int64_t level_w = hold->levels_w[state->newest], planned_w = max64(level_w, state->told_w[state->newest]);
	int64_t kept_w = planned_w + over(state, h, planned_w, 0, cap_w);
	hold->pending_w = hold->n_pending ? max64(hold->pending_w, kept_w) : kept_w;
	hold->n_pending++;
	if (kept_w >= hold->reached_w || hold->n_pending > wake_slots) {
		hold->reached_w = hold->pending_w;
		hold->n_pending = 0;
	}
	hold->n_tried += hold->n_tried < TRIED_SLOTS;
	if (hold->n_tried < 2) {
		hold->range = hold->range_lately = (struct policy_range){ (double)kept_w, (double)kept_w };
	} else if (!climbs_anew(state)) {       /* as much as ever is kept then, but for once */
		widen(&hold->range, (double)kept_w, hold->kept_w, TRIED_SLOTS);
		widen(&hold->range_lately, (double)kept_w, hold->kept_lately_w, LATELY_SLOTS);
	}
	hold->least_kept_w = least_kept_w(hold, timing->least_percent, cap_w);
	hold->kept_w += ((double)hold->reached_w - hold->kept_w) / (double)hold->n_tried;
	hold->kept_lately_w += ((double)hold->reached_w - hold->kept_lately_w) / min64(hold->n_tried, LATELY_SLOTS);
	hold->asked_w = kept_w;
}

void reserve_sketch(struct policy_state *state, uint32_t h, int64_t mean_w, int64_t least_w, const struct following *by)
{
	struct policy_hold *hold = &state->holds[h];
	paper_see(&hold->paper, (double)mean_w, (double)max64(hold->asked_w, least_w), by);
	hold->moves_w = paper_moves_w(&hold->paper, &state->foretell);
}

/* What the miners are kept from, and what is paid with it for wearing them. */
static double costs_w(const struct policy_state *state, uint32_t h, int64_t cap_w)
{
	static const int64_t dearer_per_mille[POLICY_HOLDS] = { 8, 4, 2 };  /* a short hold wears the miners more */
	int64_t dearer = dearer_per_mille[h] - (h == state->chosen_hold ? BETTER_PER_MILLE : 0);
	return state->holds[h].kept_w + (double)per_mille(cap_w, dearer);
}

/* What is given for a flat plan by what it takes off the site's moves; in the long run no more than a part of the hash, and at
 * no time half of it: a job that begins may make it far too dear at once. */
static const struct price {
	double worth;           /* watts of hash for each of the site's moves, … */
	int cheap_percent;      /* … or more, if it is so little of what miners would draw anyway, … */
	int most_percent;       /* … of what miners would draw at most so much, … */
	int lately_percent;     /* … for a minute, so much */
} prices[N_PREFERS] = {
	[PREFER_BALANCED] = { 1.5, 8, 20, 40 }, [PREFER_HASH] = { 0, 0, 20, 40 }, [PREFER_FLAT] = { 10, 8, 35, 60 },
};

static double load_moves_w(const struct policy_foretell *f)
{
	double power = 0;
	for (int b = 0; b < FORETELL_BANDS; b++)
		power += foretell_power(f, b);
	return root_of(power);
}

static bool worth_flat(const struct policy_state *state, enum prefer prefer, uint32_t h, uint32_t best, int64_t cap_w)
{
	const struct policy_hold *flat = &state->holds[h], *other = &state->holds[best];
	const struct price *most = &prices[prefer];
	double price_w = flat->kept_w - other->kept_w, lately_w = flat->kept_lately_w - other->kept_lately_w;
	double gain_w = other->moves_w - flat->moves_w, all_w = load_moves_w(&state->foretell);
	double easier = state->chosen_hold == h ? 1 : 0.75;    /* once it is, it stays so for a while */
	double miners_w = ((double)cap_w - other->kept_w) * easier;
	double worth = price_w <= miners_w * most->cheap_percent / 100 ? WORTH_OF_CHEAP : most->worth * easier;
	int64_t insured_w = min64(per_mille(cap_w, INSURED_PER_MILLE), state->holds[0].reserve_w / INSURED_PART);
	double given_w = (gain_w < 0 ? 0 : gain_w > all_w ? all_w : gain_w) * worth + (double)insured_w;
	return price_w <= given_w && price_w <= miners_w * most->most_percent / 100 &&
	       lately_w <= ((double)cap_w - other->kept_lately_w) * most->lately_percent / 100 * easier;
}

/* Whether power alone does it, from the least that the plan leaves the miners to the most. Where a flat site is preferred some
 * may sleep for it, too, but not by the minute: that is not flat. */
static bool is_within_power(const struct policy_hold *hold, int64_t least_percent, enum prefer prefer, int64_t cap_w)
{
	const struct policy_range *kept = prefer == PREFER_FLAT ? &hold->range_lately : &hold->range;
	return ((double)cap_w - kept->highest_w) * 100 >= ((double)cap_w - kept->lowest_w) * (double)least_percent;
}

/* Of the flat plans the better one; POLICY_HOLDS: neither may be. */
static uint32_t best_flat(const struct policy_conf *conf, const struct policy_state *state, int64_t least_percent)
{
	uint32_t best = POLICY_HOLDS;
	double least_w = 0;
	for (uint32_t h = conf->no_forecast ? HOLD_EASED : HOLD_FLAT; h <= HOLD_EASED; h++) {
		const struct policy_hold *hold = &state->holds[h];
		double w = costs_w(state, h, conf->cap_w) + prices[conf->prefer].worth * hold->moves_w;
		if (!is_within_power(hold, least_percent, conf->prefer, conf->cap_w))
			continue;
		if (best == POLICY_HOLDS || w < least_w) {
			best = h;
			least_w = w;
		}
	}
	return best;
}

void reserve_choose(const struct policy_conf *conf, struct policy_state *state, int64_t load_w, int64_t least_percent)
{
	bool by_power = least_percent && foretell_knows(&state->foretell);
	uint32_t flat = by_power ? best_flat(conf, state, least_percent) : POLICY_HOLDS;
	/* What rises far beyond the last minute was not foretold: no plan begins then that goes by it, but the flat one, which keeps
	 * all of its reserve whatever comes. */
	bool begins = state->chosen_hold != HOLD_FORETOLD && load_beyond(state, load_w) > per_mille(conf->cap_w, NEWS_PER_MILLE);
	uint32_t last = by_power && !conf->no_forecast && !begins ? HOLD_FORETOLD : HOLD_LONGEST;
	bool no_past = state->recalled && state->n_loads < POLICY_LOADS;        /* a dip may have begun before the restart */
	uint32_t best = no_past ? 0 : HOLD_LONGEST;
	if (state->holds[HOLD_LONGEST].n_tried >= (by_power ? KNOWN_SLOTS : KNOWN_WORN_SLOTS))
		for (uint32_t h = 0; h <= last; h++)
			if (costs_w(state, h, conf->cap_w) < costs_w(state, best, conf->cap_w))
				best = h;
	state->chosen_hold = flat < POLICY_HOLDS && worth_flat(state, conf->prefer, flat, best, conf->cap_w) ? flat : best;
}

/* ---- over a reload, and a restart ---- */

void policy_change_cap(struct policy_state *state, int64_t from_w, int64_t to_w)
{
	for (uint32_t h = 0; h < POLICY_HOLDS; h++) {
		double rises[POLICY_RISES];
		int64_t edge_w = per_mille(from_w, FIRST_PER_MILLE);
		memcpy(rises, state->holds[h].rises, sizeof rises);
		memset(state->holds[h].rises, 0, sizeof rises);
		for (int bin = 0; bin < POLICY_RISES; bin++, edge_w = wider(edge_w))
			state->holds[h].rises[bin_of(edge_w, to_w)] += rises[bin];
		keep_free(state, h, to_w);
	}
}

void policy_change_miners(struct policy_state *state, int64_t cap_w)
{
	struct policy_shown shown;
	policy_keep_shown(state, cap_w, &shown);
	memset(state->holds, 0, sizeof state->holds);
	memset(&state->foretell, 0, sizeof state->foretell);
	memset(&state->rhythm, 0, sizeof state->rhythm);
	state->n_loads = state->slot_n = state->wary_slots = state->n_wishes = state->load_ripple.n = 0;
	state->slot_ms = state->slot_sum_w = 0;
	state->low_wish_w = state->climb_w = state->rose_as_told_w = 0;
	state->fall.w = state->stairs.slots = 0;
	state->started_ms = state->last_ms;
	policy_recall_shown(state, &shown, cap_w, 0);
}

void policy_keep_shown(const struct policy_state *state, int64_t cap_w, struct policy_shown *shown)
{
	*shown = (struct policy_shown){ .n_peak_slots = state->n_peak_slots, .n_below_slots = state->n_below_slots };
	for (int p = 0; p < POLICY_PEAKS; p++)
		shown->peaks_w[p] = max64(state->peaks_w[p], 0);
	for (uint32_t h = 0; h < POLICY_HOLDS; h++) {
		struct policy_rise *rise = shown->rises[h];
		int64_t edge_w = per_mille(cap_w, FIRST_PER_MILLE);
		for (int bin = 0; bin < POLICY_RISES; bin++, edge_w = wider(edge_w))
			if (state->holds[h].rises[bin] > FORGOTTEN)
				*rise++ = (struct policy_rise){ edge_w, state->holds[h].rises[bin] };
	}
	for (int which = 0; which < N_FORETELLS; which++)
		shown->missed_w[which] = foretell_missed_w(&state->foretell, (enum foretell)which);
}

int64_t policy_recall_shown(struct policy_state *state, const struct policy_shown *shown, int64_t cap_w, int64_t away_ms)
{
	int64_t slots = shown->n_peak_slots + away_ms / POLICY_SLOT_MS, turns = min64(slots / PEAK_SLOTS, POLICY_PEAKS);
	for (int64_t p = turns; p < POLICY_PEAKS; p++)
		state->peaks_w[p] = shown->peaks_w[p - turns];
	state->recalled = reserve_peak_w(state) > 0;
	if (!state->recalled)
		return 0;
	state->n_peak_slots = (uint32_t)(slots % PEAK_SLOTS);
	state->n_below_slots = shown->n_below_slots;            /* what it did while nobody looked is not known */
	for (uint32_t h = 0; h < POLICY_HOLDS; h++) {
		const struct policy_rise *rise = shown->rises[h];
		for (int r = 0; r < POLICY_RISES && rise[r].w; r++)
			state->holds[h].rises[bin_of(rise[r].w, cap_w)] += rise[r].often;
		keep_free(state, h, cap_w);
	}
	for (int which = 0; which < N_FORETELLS; which++)
		state->foretell.filters[which].came_w = (double)shown->missed_w[which];
	return reserve_peak_w(state);
}
