#include "policy/internal.h"

struct order_of { const struct policy_conf *conf; const struct miner_track *tracks; bool hash, at_once; };

static int compare64(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* Negative where a is to be told before b. */
static int compare(const struct order_of *by, uint32_t a, uint32_t b)
{
	const struct miner_track *ta = &by->tracks[a], *tb = &by->tracks[b];
	const struct policy_miner_group *ga = &by->conf->miner_groups[by->conf->miner_group[a]];
	const struct policy_miner_group *gb = &by->conf->miner_groups[by->conf->miner_group[b]];
	int order = compare64(ta->tries > 0, tb->tries > 0);
	if (order)
		return by->at_once ? order : -order;
	order = compare64(ga->priority, gb->priority);
	if (!order)
		order = compare64(gb->efficiency_mj_per_th, ga->efficiency_mj_per_th);
	if (order)                      /* lowest priority and worst efficiency go first, and come back last */
		return by->hash ? -order : order;
	order = compare64(ta->sleeps, tb->sleeps);
	if (order)                      /* least worn sleeps first; most worn stays asleep longest */
		return order;
	order = compare64(ta->settled_ms, tb->settled_ms);
	return order ? order : compare64(a, b);
}

static void sift(const struct order_of *by, uint32_t *index, uint32_t root, uint32_t n)
{
	for (;;) {
		uint32_t child = 2 * root + 1;
		if (child >= n)
			return;
		if (child + 1 < n && compare(by, index[child], index[child + 1]) < 0)
			child++;
		if (compare(by, index[root], index[child]) >= 0)
			return;
		uint32_t swap = index[root];
		index[root] = index[child];
		index[child] = swap;
		root = child;
	}
}

/* Heap sort: in place, no recursion, never worse than n log n. */
void pick_sort(const struct policy_conf *conf, const struct miner_track *tracks, bool hash, bool at_once,
               uint32_t *index, uint32_t n)
{
	const struct order_of by = { conf, tracks, hash, at_once };
	for (uint32_t root = n / 2; root-- > 0; )
		sift(&by, index, root, n);
	for (uint32_t end = n; end > 1; ) {
		uint32_t last = index[--end];
		index[end] = index[0];
		index[0] = last;
		sift(&by, index, 0, end);
	}
}
