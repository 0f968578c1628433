#include "policy/spread.h"

#define GOLDEN 2654435769u              /* 2^32 over the golden ratio: multiples lie evenly, however many there are */

struct circuit { uint32_t n, gone; };   /* its miners, and those that are already where the others are to go */

enum wear { LESS_WORN, AS_WORN, MORE_WORN };

/* Wear within a quarter of what is usual here, and four sleeps, is equal: else there would be nothing to spread. */
static enum wear wear_of(const struct miner_track *track, uint64_t mean)
{
	uint64_t fourfold = 4 * (uint64_t)track->sleeps;
	return fourfold + 16 < 3 * mean ? LESS_WORN : fourfold > 5 * mean + 16 ? MORE_WORN : AS_WORN;
}

static uint64_t mean_sleeps(const struct pick *by)
{
	uint64_t sum = 0;
	for (uint32_t place = 0; place < by->n; place++)
		sum += by->tracks[by->list[place].miner].sleeps;
	return sum / by->n;
}

static size_t circuit_of(const struct policy_conf *conf, uint32_t miner)
{
	size_t circuit = (size_t)min64(conf->circuit[miner], (int64_t)conf->n_circuits - 1);
	return conf->n_circuits <= POLICY_CIRCUITS ? circuit : circuit * POLICY_CIRCUITS / conf->n_circuits;
}

/* Asleep, at less than its power, or on its way there. Those that may yet be told more of it are not there. */
static bool is_low(const struct miner_track *track)
{
	int32_t drawn_w = track->under_way ? track->to_w : track->drawn_w;
	return drawn_w < track->awake_w / 4 * 3;
}

static void count(const struct pick *by, struct circuit *circuits)
{
	for (uint32_t i = 0; i < by->conf->n_miners; i++) {
		const struct miner_track *track = &by->tracks[i];
		struct circuit *circuit = &circuits[circuit_of(by->conf, i)];
		if (!track->steerable)
			continue;
		circuit->n++;
		circuit->gone += is_low(track) != by->up;
	}
}

static int compare(const struct candidate *a, const struct candidate *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->wear < b->wear ? -1 : a->wear > b->wear;
}

/* Most are equal, so whatever equals the pivot is done with: once through them all, and again for each doubling of the
 * number of those that differ. */
static void sort(const struct pick *by, uint32_t low, uint32_t high)
{
	uint32_t lot = high;
	while (high - low > 1) {
		lot = lot * 1664525 + 1013904223;
		struct candidate pivot = by->list[low + (uint32_t)((uint64_t)lot * (high - low) >> 32)];
		uint32_t less = low, more = high;
		for (uint32_t at = low; at < more; ) {
			int order = compare(&by->list[at], &pivot);
			if (order > 0)
				pick_swap(by->list, at, --more);
			else if (order < 0)
				pick_swap(by->list, at++, less++);
			else
				at++;
		}
		bool left_is_small = less - low < high - more;  /* so no deeper than the logarithm */
		sort(by, left_is_small ? low : more, left_is_small ? less : high);
		*(left_is_small ? &low : &high) = left_is_small ? more : less;
	}
}

void spread_turns(const struct pick *by, int64_t round)
{
	struct circuit circuits[POLICY_CIRCUITS];
	if (!by->conf->circuit || !by->conf->n_circuits || !by->n)
		return;
	for (size_t c = 0; c < by->conf->n_circuits && c < POLICY_CIRCUITS; c++)
		circuits[c] = (struct circuit){ 0 };
	count(by, circuits);
	for (uint32_t place = 0; place < by->n; place++)
		circuits[circuit_of(by->conf, by->list[place].miner)].gone -= is_low(&by->tracks[by->list[place].miner]) != by->up;
	sort(by, 0, by->n);
	uint64_t mean = mean_sleeps(by);
	for (uint32_t place = 0; place < by->n; place++) {
		struct candidate *one = &by->list[place];
		size_t c = circuit_of(by->conf, one->miner);
		/* Where this one's turn lies between its neighbours' on the circuit, by the circuit: as ticks of clocks that are out
		 * of step, so that a few that are told stand far apart and a large circuit gives as much as it is large. */
		uint32_t phase = ((uint32_t)c + (uint32_t)round) * GOLDEN;
		uint64_t share = ((uint64_t)circuits[c].gone++ << 32 | phase) / (uint64_t)max64(circuits[c].n, 1);
		one->turn = (uint32_t)wear_of(&by->tracks[one->miner], mean) << 30 | (uint32_t)(share >> 2 & 0x3FFFFFFF);
	}
}
