#include "policy/foretell.h"
#include "policy/internal.h"
#include "policy/replay.h"

#include <string.h>

#define OTHER_TAU_MS    10000   /* the rest of the site is learned in about this time */
#define DIP_TAU_MS      120000
#define FEED_FORWARD_MS 1000    /* a site sample older than this is carried forward by the GPU meters */
#define FROZEN_MS       10000   /* one value for so long, … */
#define FROZEN_ANSWERS  2       /* … and told again so often since the rest has moved */
#define MINERS_LATE_MS  3000    /* by which the model of miners under way may be off */
#define STEADY_SLOTS    4
#define AS_TOLD_FADES   0.9998  /* a half-second: half of a rise that notices told is forgotten in half an hour */
#define RETURN_FADES    0.99995 /* a half-second: half of a fall from which it came back is forgotten in two hours */
#define RETURNED_PART   5       /* but for such a part of it */
#define RISING_SLOTS    (LOAD_RISEN_MS / POLICY_SLOT_MS)
#define FALLEN_SLOTS    40      /* miners told by what is foretold have followed by then */
#define SETTLING_SLOTS  40      /* after a start the miners are still being found */
#define EASED_SLOTS     6       /* by such a part of what is left of the way an eased plan comes down, each half-second */
#define GAP_MS          10000   /* not measured for so long: what it was before is no past of what it is after */
#define LATER_SLOTS     10      /* … by which a rise that goes on to beyond the cap has got there */

static int64_t highest_between(const struct policy_state *state, uint32_t from, uint32_t to)
{
	int64_t highest_w = INT64_MIN;
	for (uint32_t age = from; age < to && age < state->n_loads; age++)
		highest_w = max64(highest_w, state->loads_w[(state->newest + POLICY_LOADS - age) % POLICY_LOADS]);
	return highest_w;
}

static int64_t lowest_between(const struct policy_state *state, uint32_t from, uint32_t to)
{
	int64_t lowest_w = INT64_MAX;
	for (uint32_t age = from; age < to && age < state->n_loads; age++)
		lowest_w = min64(lowest_w, state->loads_w[(state->newest + POLICY_LOADS - age) % POLICY_LOADS]);
	return lowest_w;
}

/* GPU meters are read a second after the site's, or tell what was half a minute ago: while the load moves, the difference
 * is not the rest of the site. By what the site's meter shows: where its values are old, what is carried forward by that
 * rest would say of itself that it moves. */
static bool steady(const struct policy_conf *conf, const struct policy_state *state, const struct metered *metered,
                   int64_t load_w)
{
	uint32_t late = (uint32_t)clamp64((metered->site_ms - metered->hpc_ms) / POLICY_SLOT_MS, 0, POLICY_LOADS);
	uint32_t slots = STEADY_SLOTS + late;
	int64_t highest_w = load_w, lowest_w = load_w;
	for (uint32_t age = 0; age < slots && age < state->n_loads; age++) {
		int64_t seen_w = state->seen_w[(state->newest + POLICY_LOADS - age) % POLICY_LOADS];
		highest_w = max64(highest_w, seen_w);
		lowest_w = min64(lowest_w, seen_w);
	}
	return state->n_loads >= min64(slots, POLICY_LOADS) && highest_w - lowest_w <= conf->cap_w / 100;
}

static void learn_other(struct policy_state *state, int64_t other_w, int64_t at_w, int64_t elapsed_ms)
{
	if (!state->other_known) {
		state->other_w = other_w;
		state->other_at_w = at_w;
		state->other_known = true;
		return;
	}
	state->other_w += (other_w - state->other_w) * min64(elapsed_ms, OTHER_TAU_MS) / OTHER_TAU_MS;
	state->other_at_w += (at_w - state->other_at_w) * min64(elapsed_ms, OTHER_TAU_MS) / OTHER_TAU_MS;
}

/* What GPUs draw that no meter shows, more than when the rest was learned. */
static int64_t no_meter_shows_w(const struct policy_state *state, const struct metered *metered)
{
	int64_t more_w = metered->hpc_w - state->other_at_w, part = metered->hpc_part_permille;
	return part ? more_w * (1000 - part) / part : 0;
}

static int64_t by_gpus_w(const struct policy_state *state, const struct metered *metered)
{
	return metered->hpc_last_w + state->other_w + no_meter_shows_w(state, metered);
}

/* The site meter bounds the load: the miners under way may have moved, or not. Between the bounds the GPU meters tell;
 * where all miners stand still the bounds meet. */
static int64_t load_from_site(const struct policy_conf *conf, struct policy_state *state, const struct metered *metered,
                              const struct tracked *tracked)
{
	int64_t load_w = metered->site_w - tracked->drawn_w;
	if (!metered->has_hpc || metered->hpc_waited_for || metered->hpc_suspect)
		return load_w;
	if (state->other_known)
		load_w = clamp64(by_gpus_w(state, metered), metered->site_w - tracked->most_w, metered->site_w - tracked->least_w);
	/* From each value of the site once: while none comes, what the GPUs do is not the rest's doing. */
	int64_t elapsed_ms = metered->site_ms - state->site_ms;
	if (elapsed_ms > 0 && !fusion_doubts(state) && steady(conf, state, metered, load_w))
		learn_other(state, load_w - metered->hpc_last_w, metered->hpc_last_w, elapsed_ms);
	state->site_ms = metered->site_ms;
	return load_w;
}

void load_measured(struct policy_state *state, const struct metered *metered, struct tracked *tracked)
{
	if (metered->site_ms != state->then.ms) {
		state->then.ms = metered->site_ms;
		state->then.drawn_w = tracked->drawn_w;
		state->then.least_w = tracked->least_w;
		state->then.most_w = tracked->most_w;
	}
	tracked->drawn_w = state->then.drawn_w;
	tracked->least_w = state->then.least_w;
	tracked->most_w = state->then.most_w;
}

int64_t load_estimate(const struct policy_conf *conf, struct policy_state *state, const struct metered *metered,
                      const struct tracked *tracked, bool site_usable, int64_t now_ms)
{
	if (site_usable) {
		int64_t load_w = load_from_site(conf, state, metered, tracked);
		/* Miners that have not answered yet count as awake: the site knows what all draw together. */
		bool old = now_ms - metered->site_ms > FEED_FORWARD_MS && !tracked->unheard;
		state->measured_w = load_w;
		state->measured_miners_w = tracked->now_w;
		bool forward = old && metered->has_hpc && !metered->hpc_suspect && state->other_known;
		return forward ? max64(load_w, by_gpus_w(state, metered)) : load_w;
	}
	/* Miners' own figures are up to a fifth off, or as is known of them. What they drew when the site was last measured is
	 * in what was learned of the rest; what they move since is not, and the rest itself may have moved as much. That GPUs
	 * which no meter shows draw less is not relied upon. */
	int64_t unsure_w = state->other_known ? abs64(tracked->settled_w - state->measured_miners_w) : tracked->now_w;
	int64_t rest_w = max64(state->other_w, 0) + max64(no_meter_shows_w(state, metered), 0);
	int64_t load_w = metered->hpc_w + rest_w +
	                 (unsure_w * bias_doubt_permille(conf, state) / BIAS_UNKNOWN_PERMILLE + rest_w) / 5;
	/* Suspected is not lost: where it shows more, it may be right. */
	if (fusion_distrusts_site(state) && metered->site_known)
		load_w = max64(load_w, metered->site_w - tracked->drawn_w);
	/* Until the GPUs' meters tell of a later time than the site's did, the load is not known to have fallen since. */
	bool news = !state->n_loads || metered->hpc_ms > state->site_ms;
	return news ? load_w : max64(load_w, state->loads_w[state->newest]);
}

/* The rest is read later than the site: what still comes in of a move that the site showed is no news. */
static int64_t slowest_ms(const struct policy_conf *conf)
{
	return max64(MINERS_LATE_MS, meters_stale_ms(conf, MEASURES_HPC));
}

bool load_site_frozen(const struct policy_conf *conf, struct policy_state *state, const struct metered *metered,
                      const struct tracked *tracked, int64_t now_ms)
{
	int64_t beside_w = metered->hpc_last_w + tracked->now_w;
	bool gathering = tracked->unheard || metered->hpc_waited_for || !state->frozen_since_ms;
	if (gathering || !metered->site_known || metered->site_w != state->frozen_w) {
		state->frozen_w = metered->site_w;
		state->frozen_since_ms = now_ms;
		state->frozen = false;
	}
	if (now_ms - state->frozen_since_ms <= slowest_ms(conf) && !state->frozen)
		state->frozen_beside_w = beside_w;
	bool rest_moved = abs64(beside_w - state->frozen_beside_w) > conf->cap_w / 50;
	bool told_again = metered->site_heard_ms != state->frozen_heard_ms;
	state->frozen_heard_ms = metered->site_heard_ms;
	state->frozen_answers = !rest_moved ? 0 : (uint32_t)min64(state->frozen_answers + told_again, FROZEN_ANSWERS);
	/* It stays so until its value moves: miners that make up for the rest would hide it. */
	if (state->frozen_answers >= FROZEN_ANSWERS && now_ms - state->frozen_since_ms > FROZEN_MS)
		state->frozen = true;
	return state->frozen;
}

bool load_is_foretold(const struct policy_state *state)
{
	return !reserve_slots(reserve_hold(state));
}

int64_t load_planned(const struct policy_state *state, int64_t load_w)
{
	int64_t level_w = state->holds[reserve_hold(state)].levels_w[state->newest];
	if (load_is_foretold(state))
		return level_w;
	return max64(max64(load_w, state->slot_n ? state->slot_highest_w : load_w), level_w);
}

int64_t load_within(const struct policy_state *state, int64_t load_w, int64_t within_ms)
{
	return max64(max64(load_w, state->slot_n ? state->slot_highest_w : load_w),
	             highest_between(state, 0, (uint32_t)(within_ms / POLICY_SLOT_MS)));
}

int64_t load_risen(const struct policy_state *state, int64_t load_w)
{
	return state->n_loads ? max64(load_w - lowest_between(state, 0, RISING_SLOTS), 0) : 0;
}

int64_t load_rises_on(const struct policy_state *state, int64_t load_w)
{
	if (state->n_loads <= RISING_SLOTS)
		return 0;
	int64_t half_w = lowest_between(state, 0, RISING_SLOTS / 2);
	return max64(2 * min64(load_w - half_w, half_w - lowest_between(state, 0, RISING_SLOTS)), 0);
}

int64_t load_announced_before(const struct policy_state *state)
{
	return state->n_loads > RISING_SLOTS ? state->told_w[(state->newest + POLICY_LOADS - RISING_SLOTS) % POLICY_LOADS] : 0;
}

int64_t load_beyond(const struct policy_state *state, int64_t load_w)
{
	return state->n_loads > RISING_SLOTS ? max64(load_w - highest_between(state, RISING_SLOTS, POLICY_LOADS), 0) : 0;
}

/* What was planned for by this hold, in a slot of the ring, or announced. */
static int64_t planned_in(const struct policy_state *state, uint32_t h, uint32_t slot)
{
	return max64(state->holds[h].levels_w[slot], state->told_w[slot]);
}

static uint32_t response_slots(int64_t sleep_ms)
{
	return (uint32_t)min64(sleep_ms / POLICY_SLOT_MS + 1, POLICY_LOADS / 2);
}

int64_t load_over_plan(const struct policy_state *state, int64_t load_w, int64_t sleep_ms)
{
	uint32_t response = response_slots(sleep_ms), told = (state->newest + POLICY_LOADS - response) % POLICY_LOADS;
	return state->n_loads > response ? load_w - planned_in(state, reserve_hold(state), told) : 0;
}

void load_forget(struct policy_state *state, int64_t load_w, int64_t fallen_to_w)
{
	int64_t most_w = max64(load_within(state, load_w, NOTICE_LASTS_MS), fallen_to_w);
	for (uint32_t age = NOTICE_LASTS_MS / POLICY_SLOT_MS; age < state->n_loads; age++) {
		int64_t *old_w = &state->loads_w[(state->newest + POLICY_LOADS - age) % POLICY_LOADS];
		*old_w = min64(*old_w, most_w);
	}
}

static void push(struct policy_state *state, int64_t load_w)
{
	state->newest = (state->newest + 1) % POLICY_LOADS;
	state->loads_w[state->newest] = load_w;
	state->seen_w[state->newest] = state->slot_seen_w;
	if (state->n_loads < POLICY_LOADS)
		state->n_loads++;
}

/* How far the load lies below the one planned for, on average; never more than it did within that time, so that a job's
 * end is no dip once it has passed. */
static void learn_dip(struct policy_state *state, uint32_t h, int64_t mean_w)
{
	struct policy_hold *hold = &state->holds[h];
	int64_t level_w = hold->levels_w[state->newest];
	double most_w = (double)(level_w - lowest_between(state, 0, (uint32_t)max64(reserve_slots(h), 1)));
	if (!reserve_slots(h))          /* it is the mean */
		return;
	hold->dip_w += ((double)(level_w - mean_w) - hold->dip_w) * POLICY_SLOT_MS / DIP_TAU_MS;
	if (hold->dip_w > most_w)
		hold->dip_w = most_w;
}

/* Nothing is kept free for rises that come as told; but the load is known to rise so far. */
static void see_told_rise(struct policy_state *state, uint32_t response)
{
	uint32_t told = (state->newest + POLICY_LOADS - response) % POLICY_LOADS;
	int64_t level_w = state->holds[0].levels_w[told], rose_w = state->loads_w[state->newest] - level_w;
	state->rose_as_told_w *= AS_TOLD_FADES;
	if (state->n_loads > response && state->told_w[told] > level_w && (double)rose_w > state->rose_as_told_w)
		state->rose_as_told_w = (double)rose_w;
}

static bool is_beyond(int64_t fell_w, int64_t known_w, int64_t cap_w)
{
	return fell_w > known_w * 5 / 4 + cap_w / 100;
}

/* A fall such as the load never rose may be a dip such as there was none yet: it is left alone for a minute. Where it came
 * back from such a one, however slowly, it is none. */
static void beware(struct policy_state *state, uint32_t within, int64_t cap_w)
{
	struct policy_fall *fall = &state->fall;
	int64_t load_w = state->loads_w[state->newest], from_w = highest_between(state, 0, within), fell_w = from_w - load_w;
	int64_t rose_w = max64(state->holds[0].reserve_w, (int64_t)state->rose_as_told_w);
	state->wary_slots -= state->wary_slots > 0;
	fall->returned_w *= RETURN_FADES;
	fall->slots++;
	if (is_beyond(fell_w, rose_w, cap_w)) {
		if (is_beyond(fell_w, (int64_t)fall->returned_w, cap_w))
			state->wary_slots = POLICY_LOADS;
		if (fell_w > fall->w || fall->slots > POLICY_LOADS)     /* on, or another after one that lasts */
			*fall = (struct policy_fall){ .w = fell_w, .from_w = from_w, .returned_w = fall->returned_w };
	}
	if (fall->w && load_w >= fall->from_w - fall->w / RETURNED_PART) {
		fall->returned_w = max64(fall->w, (int64_t)fall->returned_w);
		fall->w = 0;
	}
}

/* How far the load rose over what was planned for when miners told then would have followed. Looked at a little later:
 * if it went on to where no reserve would have helped, it is no reason for one. */
static void learn_rise(struct policy_state *state, uint32_t h, uint32_t response, int64_t cap_w)
{
	uint32_t then = (state->newest + POLICY_LOADS - LATER_SLOTS) % POLICY_LOADS;
	uint32_t told = (then + POLICY_LOADS - response) % POLICY_LOADS;
	bool lost = highest_between(state, 0, LATER_SLOTS) > cap_w;
	if (state->n_loads > SETTLING_SLOTS + response && !lost)
		reserve_learn(state, h, state->loads_w[then] - planned_in(state, h, told), cap_w);
}

/* What is planned for by this hold, as the newest half-second is over. */
static int64_t hold_level_w(const struct policy_state *state, uint32_t h, bool foretold)
{
	int64_t level_w = highest_between(state, 0, reserve_slots(h) ? reserve_slots(h) : POLICY_LOADS);
	if (foretold)           /* no deeper a fall is believed than there was just now, and no rise to beyond the peak */
		return clamp64(foretell_level_w(&state->foretell, reserve_filter(h)), lowest_between(state, 0, FALLEN_SLOTS),
		               reserve_peak_w(state));
	if (h != HOLD_EASED)
		return level_w;
	int64_t before_w = state->holds[h].levels_w[(state->newest + POLICY_LOADS - 1) % POLICY_LOADS];
	return level_w + max64(before_w - level_w, 0) * (EASED_SLOTS - 1) / EASED_SLOTS;
}

static void forget_foretold(struct policy_state *state)
{
	memset(&state->foretell, 0, sizeof(state->foretell));
	for (uint32_t h = 0; h < POLICY_HOLDS; h++)
		memset(&state->holds[h].paper, 0, sizeof(state->holds[h].paper));
}

static void learn(struct policy_state *state, int64_t mean_w, const struct load_timing *timing, int64_t cap_w)
{
	uint32_t response = response_slots(timing->sleep_ms);
	state->told_w[state->newest] = state->announced_w;
	reserve_see(state, state->loads_w[state->newest]);
	see_told_rise(state, response);
	beware(state, response, cap_w);
	rhythm_learn(&state->rhythm, state->loads_w[state->newest], highest_between(state, 0, POLICY_LOADS), cap_w,
	             timing->sleep_ms, timing->now_ms);
	/* While a whole fleet falls at the start, that would look like a move of the load. */
	bool begun = state->n_loads > min64(2 * response, POLICY_LOADS - 1);
	struct following by = { 0 };
	if (timing->both_ways)
		by = following_of(timing->both_ways);
	else if (state->foretell.n)     /* should they run at partial power again, the past would have a gap */
		forget_foretold(state);
	if (timing->both_ways && begun)
		foretell_see(&state->foretell, &(struct foretell_slot){
			.mean_w = (double)mean_w, .highest_w = (double)state->loads_w[state->newest],
			.told_w = (double)max64(state->announced_w, lowest_between(state, 0, FALLEN_SLOTS)),
			.most_w = (double)reserve_most_w(state, cap_w), .kept_w = (double)reserve_in_any_case_w(state),
			.cap_w = (double)cap_w }, &by);
	for (uint32_t h = 0; h < POLICY_HOLDS; h++) {
		bool foretold = !reserve_slots(h) && foretell_tries(&state->foretell);
		state->holds[h].levels_w[state->newest] = hold_level_w(state, h, foretold);
		learn_rise(state, h, response, cap_w);
		if (foretold)
			reserve_foretold(state, h, cap_w);
		learn_dip(state, h, mean_w);
		reserve_try(state, h, timing, cap_w);
		if (timing->both_ways)
			reserve_sketch(state, h, mean_w, cap_w - timing->most_w, &by);
	}
}

/* Miners could follow, in the meantime, to where the load is found again; and what is not believed now may have been
 * remembered for a while. So it is taken to have been no lower. */
static void resume(struct policy_state *state, int64_t load_w, int64_t now_ms)
{
	for (uint32_t at = 0; at < POLICY_LOADS; at++) {
		state->loads_w[at] = max64(state->loads_w[at], load_w);
		state->seen_w[at] = max64(state->seen_w[at], load_w);
		for (uint32_t h = 0; h < POLICY_HOLDS; h++)
			state->holds[h].levels_w[at] = max64(state->holds[h].levels_w[at], load_w);
	}
	replay_resume(&state->foretell.replay, (double)load_w);
	state->slot_ms = now_ms;
	state->slot_n = 0;
	state->slot_sum_w = 0;
}

void load_remember(struct policy_state *state, int64_t load_w, const struct load_timing *timing, int64_t cap_w)
{
	if (!state->slot_ms)
		state->slot_ms = timing->now_ms;
	if (timing->now_ms - state->slot_ms > GAP_MS)
		resume(state, load_w, timing->now_ms);
	if (timing->now_ms - state->slot_ms >= POLICY_SLOT_MS && state->slot_n) {
		push(state, state->slot_highest_w);
		learn(state, state->slot_sum_w / state->slot_n, timing, cap_w);
		/* Steps do not fall on half-seconds: but what is counted in half-seconds must not drift. */
		bool late = timing->now_ms - state->slot_ms >= 2 * POLICY_SLOT_MS;
		state->slot_ms = late ? timing->now_ms : state->slot_ms + POLICY_SLOT_MS;
		state->slot_n = 0;
		state->slot_sum_w = 0;
	}
	state->slot_highest_w = state->slot_n ? max64(state->slot_highest_w, load_w) : load_w;
	state->slot_seen_w = state->slot_n ? max64(state->slot_seen_w, state->measured_w) : state->measured_w;
	state->slot_sum_w += load_w;
	state->slot_n++;
}
