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

static uint64_t append(uint64_t rank, unsigned bits, int64_t value, bool most_first)
{
	int64_t most = (1 << bits) - 1, kept = clamp64(value, 0, most);
	return rank << bits | (uint64_t)(most_first ? most - kept : kept);
}

enum { FLAG_BITS = 1, PRIORITY_BITS = 16, EFFICIENCY_BITS = 20, TIME_BITS = 25 };       /* three flags: 64 in all */

static uint64_t rank_of(const struct pick *by, const struct policy_miner_group *group, const struct miner_track *track,
                        enum move move)
{
	bool lowers = move == MOVE_LOWER, tried = track->tries > 0;
	uint64_t rank = 0;
	if (by->up) {                   /* lowest priority and worst efficiency go first, and come back last */
		rank = append(rank, FLAG_BITS, tried, !by->at_once);
		rank = append(rank, PRIORITY_BITS, group->priority, true);
	} else if (by->at_once) {       /* one that is still waking yields nothing yet */
		rank = append(rank, FLAG_BITS, is_waking(track), true);
		rank = append(rank, FLAG_BITS, tried, false);
		rank = append(rank, PRIORITY_BITS, group->priority, false);
		rank = append(rank, FLAG_BITS, lowers, true);
	} else {                        /* less power wears less than sleep */
		rank = append(rank, PRIORITY_BITS, group->priority, false);
		rank = append(rank, FLAG_BITS, lowers, true);
		rank = append(rank, FLAG_BITS, is_waking(track), true);
		rank = append(rank, FLAG_BITS, tried, true);
	}
	rank = append(rank, EFFICIENCY_BITS, group->efficiency_mj_per_th, !by->up);
	return append(rank, TIME_BITS, by->quick_first ? whole_ms(&group->wake) : 0, false);
}

void pick_add(struct pick *pick, uint32_t miner, enum move move, int64_t gain_w)
{
	const struct miner_track *track = &pick->tracks[miner];
	bool by_power = move == MOVE_LOWER || move == MOVE_RAISE;
	pick->list[pick->n++] = (struct candidate){
		.rank = rank_of(pick, &pick->conf->miner_groups[pick->conf->miner_group[miner]], track, move),
		.wear = by_power ? track->moved_ms : track->sleeps, .miner = miner, .gain_w = (int32_t)gain_w };
}

/* Negative where a is to be told before b. */
static int compare(const struct pick *by, const struct candidate *a, const struct candidate *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->turn != b->turn)
		return a->turn < b->turn ? -1 : 1;
	if (a->wear != b->wear)         /* least worn sleeps first; most worn stays asleep longest */
		return a->wear < b->wear ? -1 : 1;
	int order = compare64(by->tracks[a->miner].settled_ms, by->tracks[b->miner].settled_ms);
	return order ? order : compare64(a->miner, b->miner);
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

/* Splits [low, high) at one of them, drawn by lot lest any order of the fleet be a bad one. Returns where it stands. */
static uint32_t split(const struct pick *by, uint32_t low, uint32_t high, uint32_t *lot)
{
	*lot = *lot * 1664525 + 1013904223;     /* Knuth, TAOCP 2, 3.3.4: as good as any modulo 2^32 */
	pick_swap(by->list, low + (uint32_t)((uint64_t)*lot * (high - low) >> 32), high - 1);
	struct candidate pivot = by->list[high - 1];
	uint32_t end = low;
	for (uint32_t place = low; place < high - 1; place++)
		if (compare(by, &by->list[place], &pivot) < 0)
			pick_swap(by->list, place, end++);
	pick_swap(by->list, end, high - 1);
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
	              compare(by, &by->list[other.place], &by->list[best->place]) < 0;
	if (better)
		*best = other;
}

/* Of the first n the one whose place a larger one takes with the least loss to the order. */
static uint32_t smallest_of(const struct pick *by, uint32_t n)
{
	uint32_t smallest = 0;
	for (uint32_t place = 1; place < n; place++) {
		int64_t less_w = gain_w(by, place) - gain_w(by, smallest);
		if (less_w < 0 || (less_w == 0 && compare(by, &by->list[place], &by->list[smallest]) > 0))
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
	pick_swap(by->list, best.place, best.instead ? smallest : n);
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
			pick_swap(by->list, place, end++);
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
