/* Which machine is which: over a reload of the file, after a restart, and when another one answers where a known one stood. */
#include <stdio.h>

#include "daemon/site_parts.h"
#include "daemon/xalloc.h"

/* ---- exchanged ---- */

static int by_identity(const void *a, const void *b)
{
	uint64_t x = ((const struct orphan *)a)->identity, y = ((const struct orphan *)b)->identity;
	return x < y ? -1 : x > y;
}

void orphans_sort(struct site *site)
{
	qsort(site->orphans, site->n_orphans, sizeof(*site->orphans), by_identity);
}

/* Nothing learned of the predecessor holds; its own past, if a reload kept it, does. */
static void exchange(struct site *site, uint32_t i, struct instant now)
{
	uint16_t g = site->conf->policy.miner_group[i];
	struct group_count *group = &site->groups[g];
	char name[160];
	site->tracks[i] = (struct miner_track){ 0 };
	site->seen_miners[i].heard = FAULT_NEVER;
	outcome_end(site, i, "another miner stands there now");
	group->swaps++;
	group->swapped_ms = now.mono_ms;
	snprintf(name, sizeof(name), "exchanged/%s", site->conf->miner_groups[g]);
	alarms_raise(site->rooms.alarms, name, SEVERITY_WARNING, site->conf->miner_groups[g], now,
	             "%u miners stand where others stood, the last %s: what was known of those is dropped",
	             group->swaps, site->conf->miners[i].name);
}

void identity_read(struct site *site, uint32_t i, struct instant now)
{
	struct site_miner_state *miner = &site->miners[i];
	struct orphan key = { .identity = site->seen_miners[i].reading.identity };
	if (!key.identity)
		return;
	if (miner->identity)
		exchange(site, i, now);
	miner->identity = key.identity;
	if (!site->n_orphans)
		return;
	struct orphan *orphan = bsearch(&key, site->orphans, site->n_orphans, sizeof(key), by_identity);
	if (!orphan || orphan->taken)
		return;
	orphan->taken = true;
	site->tracks[i] = orphan->track;
}

/* ---- a reload ---- */

struct place { const struct miner_conf *conf; uint32_t i; };

static int by_address(const void *a, const void *b)
{
	const struct miner_conf *x = ((const struct place *)a)->conf, *y = ((const struct place *)b)->conf;
	int hosts = strcmp(x->host, y->host);
	return hosts ? hosts : (int)x->port - (int)y->port;
}

static struct place *places_of(const struct site *site)
{
	size_t n = site->conf->policy.n_miners;
	struct place *places = xcalloc(n, sizeof(*places));
	for (uint32_t i = 0; i < n; i++)
		places[i] = (struct place){ &site->conf->miners[i].conf, i };
	qsort(places, n, sizeof(*places), by_address);
	return places;
}

static void keep_orphan(struct site *site, uint64_t identity, const struct miner_track *track)
{
	if (identity)
		site->orphans[site->n_orphans++] = (struct orphan){ .identity = identity, .track = *track };
}

static void keep_orphans(struct site *site, const struct site *old, const bool *adopted)
{
	size_t n = old->conf->policy.n_miners;
	site->orphans = xcalloc(n + old->n_orphans, sizeof(*site->orphans));
	for (size_t k = 0; k < n; k++)
		if (!adopted[k])
			keep_orphan(site, old->miners[k].identity, &old->tracks[k]);
	for (size_t k = 0; k < old->n_orphans; k++)
		if (!old->orphans[k].taken)
			keep_orphan(site, old->orphans[k].identity, &old->orphans[k].track);
	orphans_sort(site);
}

static void remember(const struct site *old, uint32_t k, struct miner_memory *memory)
{
	const struct miner_driver *driver = old->conf->miners[k].driver;
	if (driver->remember)
		driver->remember(old->miners[k].miner, memory);
}

/* The same address is taken for the same machine, whatever its name, until it says otherwise. */
bool adopt_miners(struct site *site, const struct site *old)
{
	size_t n = old->conf->policy.n_miners, n_same = 0;
	struct place *places = places_of(old);
	bool *adopted = xcalloc(n, sizeof(*adopted));
	site->memories = xcalloc(site->conf->policy.n_miners, sizeof(*site->memories));
	for (uint32_t i = 0; i < site->conf->policy.n_miners; i++) {
		struct place key = { &site->conf->miners[i].conf, 0 };
		const struct place *found = bsearch(&key, places, n, sizeof(key), by_address);
		if (!found)
			continue;
		adopted[found->i] = true;
		n_same++;
		site->seen_miners[i] = old->seen_miners[found->i];
		site->tracks[i] = old->tracks[found->i];
		site->miners[i].identity = old->miners[found->i].identity;
		site->miners[i].firmware = old->miners[found->i].firmware;
		site->miners[i].cut = old->miners[found->i].orders_out > 0;
		remember(old, found->i, &site->memories[i]);
	}
	keep_orphans(site, old, adopted);
	free(adopted);
	free(places);
	return n_same == n && n_same == site->conf->policy.n_miners;
}

/* ---- meters: their names are theirs ---- */

struct meter_place { const struct site_meter *conf; uint32_t i; };

static int by_name(const void *a, const void *b)
{
	const struct site_meter *x = ((const struct meter_place *)a)->conf, *y = ((const struct meter_place *)b)->conf;
	int names = strcmp(x->name, y->name);
	return names ? names : strcmp(x->conf.host, y->conf.host);
}

/* Its alarm, and its group's with the last of them: nobody is left to clear them. */
static void clear_meter(struct site *site, const char *name)
{
	struct instant now = site->rooms.clock->now(site->rooms.clock);
	const struct site_conf *conf = site->conf;
	int group = (int)strcspn(name, "/");
	char alarm[160];
	snprintf(alarm, sizeof(alarm), "meter/%s", name);
	alarms_clear(site->rooms.alarms, alarm, now);
	for (size_t i = 0; i < conf->policy.n_meters; i++)
		if ((int)strcspn(conf->meters[i].name, "/") == group && !strncmp(conf->meters[i].name, name, (size_t)group))
			return;
	snprintf(alarm, sizeof(alarm), "meter/%.*s", group, name);
	alarms_clear(site->rooms.alarms, alarm, now);
}

void adopt_meters(struct site *site, const struct site *old)
{
	size_t n = old->conf->policy.n_meters;
	struct meter_place *places = xcalloc(n, sizeof(*places));
	bool *adopted = xcalloc(n, sizeof(*adopted));
	for (uint32_t i = 0; i < n; i++)
		places[i] = (struct meter_place){ &old->conf->meters[i], i };
	qsort(places, n, sizeof(*places), by_name);
	for (uint32_t i = 0; i < site->conf->policy.n_meters; i++) {
		struct meter_place key = { &site->conf->meters[i], 0 };
		const struct meter_place *found = bsearch(&key, places, n, sizeof(key), by_name);
		if (!found)
			continue;
		adopted[found->i] = true;
		site->meters[i].newest = old->meters[found->i].newest;
		site->meters[i].refresh = old->meters[found->i].refresh;
		site->meters[i].alarmed = old->meters[found->i].alarmed;
	}
	for (uint32_t k = 0; k < n; k++)
		if (!adopted[k])
			clear_meter(site, old->conf->meters[k].name);
	free(adopted);
	free(places);
}
