#include "policy/internal.h"

#define ROUNDS 4                        /* smaller miners fill up what larger ones leave */

static int compare64(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static bool is_waking(const struct miner_track *track)
{
	return track->under_way && track->deed == DEED_WAKE;
}

int pick_order(const struct pick *by, uint32_t a, uint32_t b)
{
	const struct miner_track *ta = &by->tracks[a], *tb = &by->tracks[b];
	const struct policy_miner_group *ga = &by->conf->miner_groups[by->conf->miner_group[a]];
	const struct policy_miner_group *gb = &by->conf->miner_groups[by->conf->miner_group[b]];
	int order = 0;
	if (!by->up && !by->at_once) {  /* less power wears less than sleep */
		order = compare64(ga->priority, gb->priority);
		order = order ? order : compare64(tb->move == MOVE_LOWER, ta->move == MOVE_LOWER);
	}
	if (!order && !by->up)          /* one that is still waking yields nothing yet */
		order = compare64(is_waking(tb), is_waking(ta));
	if (order)
		return order;
	order = compare64(ta->tries > 0, tb->tries > 0);
	if (order)
		return by->at_once ? order : -order;
	order = compare64(ga->priority, gb->priority);
	if (!order)
		order = compare64(tb->move == MOVE_LOWER, ta->move == MOVE_LOWER);
	if (!order)
		order = compare64(gb->efficiency_mj_per_th, ga->efficiency_mj_per_th);
	if (order)                      /* lowest priority and worst efficiency go first, and come back last */
		return by->up ? -order : order;
	return by->quick_first ? compare64(ga->wake.delay_ms + ga->wake.ramp_ms, gb->wake.delay_ms + gb->wake.ramp_ms) : 0;
}

int64_t pick_wear(const struct miner_track *track)
{
	bool by_power = track->move == MOVE_LOWER || track->move == MOVE_RAISE;
	return by_power ? track->moved_ms : track->sleeps;
}

/* Negative where a is to be told before b. */
static int compare(const struct pick *by, uint32_t a, uint32_t b)
{
	const struct miner_track *ta = &by->tracks[a], *tb = &by->tracks[b];
	int order = pick_order(by, a, b);
	if (!order && by->conf->circuit)
		order = compare64(ta->turn, tb->turn);
	if (!order)                     /* least worn sleeps first; most worn stays asleep longest */
		order = compare64(pick_wear(ta), pick_wear(tb));
	if (!order)
		order = compare64(ta->settled_ms, tb->settled_ms);
	return order ? order : compare64(a, b);
}

static int64_t gain_w(const struct pick *by, uint32_t place)
{
	return by->list[place].gain_w;
}

static int64_t gains_w(const struct pick *by, uint32_t from, uint32_t to)
{
	int64_t sum_w = 0;
	for (uint32_t place = from; place < to; place++)
		sum_w += gain_w(by, place);
	return sum_w;
}

static void swap(struct candidate *list, uint32_t a, uint32_t b)
{
	struct candidate kept = list[a];
	list[a] = list[b];
	list[b] = kept;
}

/* Splits [low, high) at one of them, drawn by lot lest any order of the fleet be a bad one. Returns where it stands. */
static uint32_t split(const struct pick *by, uint32_t low, uint32_t high, uint32_t *lot)
{
	*lot = *lot * 1664525 + 1013904223;     /* Knuth, TAOCP 2, 3.3.4: as good as any modulo 2^32 */
	swap(by->list, low + (uint32_t)((uint64_t)*lot * (high - low) >> 32), high - 1);
	uint32_t pivot = by->list[high - 1].miner, end = low;
	for (uint32_t place = low; place < high - 1; place++)
		if (compare(by, by->list[place].miner, pivot) < 0)
			swap(by->list, place, end++);
	swap(by->list, end, high - 1);
	return end;
}

uint32_t pick_first(const struct pick *by, int64_t need_w)
{
	uint32_t low = 0, high = by->n, lot = by->n;
	if (gains_w(by, 0, by->n) <= need_w)
		return by->n;
	while (low < high) {
		uint32_t middle = split(by, low, high, &lot);
		int64_t before_w = gains_w(by, low, middle);
		if (before_w >= need_w) {
			high = middle;
			continue;
		}
		need_w -= before_w + gain_w(by, middle);
		low = middle + 1;
		if (need_w <= 0)
			break;
	}
	return low;
}

/* ---- exact amounts ---- */

/* What one more command may do about what is left: nothing, one more miner, or one instead of a smaller one. */
struct finish { int64_t miss_w; uint32_t place; bool instead, near; };

static void consider(const struct pick *by, struct finish *best, struct finish other, bool may_exceed, int64_t step_w)
{
	if (other.miss_w < 0 && !may_exceed)
		return;
	other.miss_w = abs64(other.miss_w);
	other.near = other.miss_w < step_w;
	/* All that are near enough are equal: then one more goes before one instead, and by the order of the fleet. */
	bool better = other.near != best->near ? other.near :
	              !other.near ? other.miss_w < best->miss_w :
	              other.instead != best->instead ? best->instead :
	              compare(by, by->list[other.place].miner, by->list[best->place].miner) < 0;
	if (better)
		*best = other;
}

/* Of the first n the one whose place a larger one takes with the least loss to the order. */
static uint32_t smallest_of(const struct pick *by, uint32_t n)
{
	uint32_t smallest = 0;
	for (uint32_t place = 1; place < n; place++) {
		int64_t less_w = gain_w(by, place) - gain_w(by, smallest);
		if (less_w < 0 || (less_w == 0 && compare(by, by->list[place].miner, by->list[smallest].miner) > 0))
			smallest = place;
	}
	return smallest;
}

/* The first n are picked and leave left_w. */
static uint32_t finish(const struct pick *by, uint32_t n, int64_t left_w, bool may_exceed, int64_t step_w)
{
	if (left_w < step_w || n == by->n)
		return n;
	struct finish best = { .miss_w = left_w, .place = by->n };
	uint32_t smallest = smallest_of(by, n);
	int64_t smallest_w = n ? gain_w(by, smallest) : 0;
	for (uint32_t place = n; place < by->n; place++) {
		int64_t miss_w = left_w - gain_w(by, place);
		consider(by, &best, (struct finish){ miss_w, place, false, false }, may_exceed, step_w);
		if (n)
			consider(by, &best, (struct finish){ miss_w + smallest_w, place, true, false }, may_exceed, step_w);
	}
	if (best.place == by->n)
		return n;
	swap(by->list, best.place, best.instead ? smallest : n);
	return best.instead ? n : n + 1;
}

static int64_t least_gain_w(const struct pick *by)
{
	int64_t least_w = INT64_MAX;
	for (uint32_t place = 0; place < by->n; place++)
		least_w = min64(least_w, gain_w(by, place));
	return least_w;
}

/* Of those from `from` on brings those to the front that gain no more than left_w. Returns where they end. */
static uint32_t that_fit(const struct pick *by, uint32_t from, int64_t left_w)
{
	uint32_t end = from;
	for (uint32_t place = from; place < by->n; place++)
		if (gain_w(by, place) <= left_w)
			swap(by->list, place, end++);
	return end;
}

uint32_t pick_amount(const struct pick *by, int64_t amount_w, bool may_exceed)
{
	uint32_t n = 0;
	for (int round = 0; round < ROUNDS && n < by->n; round++) {
		struct pick rest = *by;
		rest.list += n;
		rest.n = that_fit(by, n, amount_w) - n;
		uint32_t more = pick_first(&rest, amount_w);
		int64_t gained_w = gains_w(&rest, 0, more);
		if (gained_w > amount_w)        /* the last of them does not fit any more */
			gained_w -= gain_w(&rest, --more);
		amount_w -= gained_w;
		n += more;
		if (!more)
			break;
	}
	/* Half a step is as near as one may ask; what may not be exceeded is near when no more fits. */
	int64_t least_w = least_gain_w(by);
	return finish(by, n, amount_w, may_exceed, may_exceed ? least_w / 2 + 1 : least_w);
}
