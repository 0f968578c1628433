/* How often miners were put to sleep, each of them and those of a group by the hour, and what is kept of miners over a
 * restart. */
#include "daemon/site_parts.h"
#include "daemon/xalloc.h"

#define HOUR_MS    (3600LL * 1000)
#define DAY_MS     (SLEEP_HOURS * HOUR_MS)
#define LONGEST_MS (366 * DAY_MS)       /* by the clock, longer ago than a daemon was ever away */

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

/* ---- groups, by the hour ---- */

/* Above 0 on the day before the machine started, too: an earlier run may have counted then. */
static int64_t hour_of(int64_t mono_ms)
{
	return (mono_ms + DAY_MS) / HOUR_MS + 1;
}

void wear_turn_hours(struct group_past *past, int64_t now_ms)
{
	int64_t hour = hour_of(now_ms);
	if (!past->hour)
		past->first_hour = past->hour = hour;
	int64_t turns = clamp(hour - past->hour, 0, SLEEP_HOURS);
	for (int64_t h = hour - turns + 1; h <= hour; h++)
		past->sleeps[h % SLEEP_HOURS] = 0;
	past->hour = hour;
}

void count_sleep(struct site *site, uint32_t miner, int64_t now_ms)
{
	struct group_past *past = &site->pasts[site->conf->policy.miner_group[miner]];
	wear_turn_hours(past, now_ms);
	past->sleeps[past->hour % SLEEP_HOURS]++;
}

static int64_t counted_hours(const struct group_past *past)
{
	return past->hour ? clamp(past->hour - past->first_hour + 1, 0, SLEEP_HOURS) : 0;
}

void wear_add_up(const struct group_past *past, int64_t now_ms, struct group_record *record)
{
	struct group_past turned = *past;
	wear_turn_hours(&turned, now_ms);
	for (int h = 0; h < SLEEP_HOURS; h++)
		record->sleeps += turned.sleeps[h];
	record->counted_h = counted_hours(&turned);
}

/* ---- kept ---- */

static void keep_hours(const struct group_past *past, int64_t now_ms, struct kept_wear *wear)
{
	struct group_past turned = *past;
	if (!past->hour)
		return;
	wear_turn_hours(&turned, now_ms);
	wear->n_hours = (size_t)counted_hours(&turned);
	for (size_t h = 0; h < wear->n_hours; h++)
		wear->sleeps[h] = turned.sleeps[(turned.hour - (int64_t)h) % SLEEP_HOURS];
}

/* What it was told just before the end it will have done by the next start. */
static struct kept_miner kept_miner_of(const struct site *site, size_t i, int64_t now_ms)
{
	const struct miner_track *track = &site->tracks[i];
	int64_t since_ms = track->under_way ? track->told_ms : track->settled_ms;
	struct kept_miner kept = {
		.host = site->conf->miners[i].conf.host, .identity = site->miners[i].identity, .sleeps = track->sleeps,
		.worn_ms = clamp(track->wear_ms - now_ms, 0, LONGEST_MS),
		.settled_ms = since_ms ? clamp(now_ms - since_ms, 0, LONGEST_MS) : -1,
	};
	const struct miner_driver *driver = site->conf->miners[i].driver;
	const struct miner *miner = site->miners[i].miner;
	if (miner && driver->tell_own && site->conf->policy.miner_groups[site->conf->policy.miner_group[i]].partial_w > 0)
		kept.owned = driver->tell_own(miner, &kept.own);
	return kept;
}

void keep_wear(const struct site *site, struct instant now, struct kept *kept)
{
	const struct policy_conf *policy = &site->conf->policy;
	kept->wear_utc_ms = now.utc_ms > 0 ? now.utc_ms : 0;
	kept->n_wear = policy->n_miner_groups;
	kept->wear = xcalloc(kept->n_wear, sizeof(*kept->wear));
	for (size_t i = 0; i < policy->n_miners; i++)
		kept->wear[policy->miner_group[i]].n_miners++;
	for (size_t g = 0; g < kept->n_wear; g++) {
		struct kept_wear *wear = &kept->wear[g];
		wear->group = site->conf->miner_groups[g];
		wear->miners = xcalloc(wear->n_miners, sizeof(*wear->miners));
		wear->n_miners = 0;
		keep_hours(&site->pasts[g], now.mono_ms, wear);
	}
	for (size_t i = 0; i < policy->n_miners; i++) {
		struct kept_wear *wear = &kept->wear[policy->miner_group[i]];
		struct kept_miner miner = kept_miner_of(site, i, now.mono_ms);
		if (miner.sleeps || miner.worn_ms || miner.settled_ms >= 0 || miner.owned)
			wear->miners[wear->n_miners++] = miner;
	}
}

/* ---- taken up again ---- */

struct seat { size_t group; const char *host; uint32_t i; };

static int by_seat(const void *a, const void *b)
{
	const struct seat *x = a, *y = b;
	return x->group != y->group ? x->group < y->group ? -1 : 1 : strcmp(x->host, y->host);
}

static struct seat *seats_of(const struct site *site)
{
	const struct policy_conf *policy = &site->conf->policy;
	struct seat *seats = xcalloc(policy->n_miners, sizeof(*seats));
	for (uint32_t i = 0; i < policy->n_miners; i++)
		seats[i] = (struct seat){ policy->miner_group[i], site->conf->miners[i].conf.host, i };
	qsort(seats, policy->n_miners, sizeof(*seats), by_seat);
	return seats;
}

/* n_miner_groups: there is none of that name any more. */
static size_t group_named(const struct site_conf *conf, const char *name)
{
	size_t g = 0;
	while (g < conf->policy.n_miner_groups && strcmp(conf->miner_groups[g], name) != 0)
		g++;
	return g;
}

static void recall_hours(struct group_past *past, const struct kept_wear *wear, int64_t now_ms, int64_t away_ms)
{
	if (!wear->n_hours)
		return;
	past->hour = hour_of(now_ms - clamp(away_ms, 0, DAY_MS));
	past->first_hour = past->hour - (int64_t)wear->n_hours + 1;
	for (size_t h = 0; h < wear->n_hours && past->hour > (int64_t)h; h++)
		past->sleeps[(past->hour - (int64_t)h) % SLEEP_HOURS] = wear->sleeps[h];
}

static void recall_track(struct miner_track *track, const struct kept_miner *miner, int64_t now_ms, int64_t away_ms)
{
	int64_t settled_ms = now_ms - miner->settled_ms - away_ms;
	track->sleeps = miner->sleeps;
	if (miner->worn_ms > away_ms)
		track->wear_ms = now_ms + miner->worn_ms - away_ms;
	if (miner->settled_ms >= 0)
		track->settled_ms = settled_ms ? settled_ms : -1;       /* 0 is not known */
}

/* For the driver, when the miner is opened. */
static void recall_own(struct site *site, uint32_t i, const struct kept_miner *miner)
{
	const struct miner_driver *driver = site->conf->miners[i].driver;
	if (!miner->owned || !driver->take_own)
		return;
	if (!site->memories)
		site->memories = xcalloc(site->conf->policy.n_miners, sizeof(*site->memories));
	driver->take_own(&site->memories[i], miner->identity, &miner->own);
}

static size_t count_miners(const struct kept *kept)
{
	size_t n = 0;
	for (size_t k = 0; k < kept->n_wear; k++)
		n += kept->wear[k].n_miners;
	return n;
}

/* Of `wear`'s miners, how many stand where they stood; the others may yet turn up at another place. */
static size_t recall_miners(struct site *site, const struct seat *seats, size_t g, const struct kept_wear *wear, int64_t now_ms,
                            int64_t away_ms)
{
	size_t placed = 0;
	for (size_t m = 0; m < wear->n_miners; m++) {
		const struct kept_miner *miner = &wear->miners[m];
		struct seat key = { g, miner->host, 0 };
		const struct seat *seat = bsearch(&key, seats, site->conf->policy.n_miners, sizeof(key), by_seat);
		if (seat) {
			recall_track(&site->tracks[seat->i], miner, now_ms, away_ms);
			site->miners[seat->i].identity = miner->identity;
			recall_own(site, seat->i, miner);
			placed++;
		} else if (miner->identity) {
			struct orphan *orphan = &site->orphans[site->n_orphans++];
			orphan->identity = miner->identity;
			recall_track(&orphan->track, miner, now_ms, away_ms);
		}
	}
	return placed;
}

/* By a clock that was set back nobody was away: nothing is forgiven. */
int64_t kept_ago_ms(struct instant now, int64_t kept_utc_ms)
{
	return clamp(now.utc_ms - kept_utc_ms, 0, LONGEST_MS);
}

size_t recall_wear(struct site *site, struct instant now, const struct kept *kept)
{
	struct seat *seats = seats_of(site);
	int64_t away_ms = kept_ago_ms(now, kept->wear_utc_ms);
	size_t placed = 0;
	site->orphans = xcalloc(count_miners(kept), sizeof(*site->orphans));
	for (size_t k = 0; k < kept->n_wear; k++) {
		const struct kept_wear *wear = &kept->wear[k];
		size_t g = group_named(site->conf, wear->group);
		if (g < site->conf->policy.n_miner_groups)
			recall_hours(&site->pasts[g], wear, now.mono_ms, away_ms);
		placed += recall_miners(site, seats, g, wear, now.mono_ms, away_ms);
	}
	orphans_sort(site);
	free(seats);
	return placed;
}
