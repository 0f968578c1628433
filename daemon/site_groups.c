/* Groups of miners: what was learned of them, told and kept; over a reload, a restart, and another firmware. */
#include <stdio.h>

#include "daemon/log.h"
#include "daemon/site_parts.h"
#include "daemon/xalloc.h"

#define TELL_MS 5000                    /* at most so often on group/NAME */

/* ---- which group is which ---- */

/* All miners of a group are opened alike: the first speaks for it. */
static const struct site_miner *first_of(const struct site_conf *conf, size_t g)
{
	for (size_t i = 0; i < conf->policy.n_miners; i++)
		if (conf->policy.miner_group[i] == g)
			return &conf->miners[i];
	return NULL;
}

static struct kept_group group_of(const struct site_conf *conf, size_t g)
{
	const struct site_miner *first = first_of(conf, g);
	const struct policy_miner_group *policy = &conf->policy.miner_groups[g];
	return (struct kept_group){
		.name = conf->miner_groups[g], .driver = first ? first->driver->name : "",
		.wake = first ? first->conf.wake : NULL, .sleep = policy->sleep, .wakes = policy->wake,
		.partial = policy->partial_w > 0, .powers = policy->power,
	};
}

static size_t groups_learned(const struct site_conf *conf)
{
	return conf->policy.n_miner_groups < POLICY_GROUPS ? conf->policy.n_miner_groups : POLICY_GROUPS;
}

/* ---- kept ---- */

static struct kept_group keep_group(const struct site *site, size_t g)
{
	struct kept_group group = group_of(site->conf, g);
	group.firmware = site->pasts[g].firmware;
	group.down = site->state.actuators[g][DEED_SLEEP];
	group.up = site->state.actuators[g][DEED_WAKE];
	group.power = site->state.actuators[g][DEED_POWER];
	return group;
}

void site_keep(const struct site *site, struct instant now, struct kept *kept)
{
	*kept = (struct kept){ .seq = site->seq, .seq_reserved = site->seq, .n_commands = site->n_commands,
	                       .energy = site->energy, .n_groups = groups_learned(site->conf) };
	for (size_t g = 0; g < kept->n_groups; g++)
		kept->groups[g] = keep_group(site, g);
	keep_wear(site, now, kept);
	kept->shown_utc_ms = now.utc_ms;
	policy_keep_shown(&site->state, site->conf->policy.cap_w, &kept->shown);
}

static bool recall_group(struct site *site, size_t g, const struct kept_group *kept)
{
	struct kept_group group = group_of(site->conf, g);
	if (!kept_same_group(&group, kept))
		return false;
	site->state.actuators[g][DEED_SLEEP] = kept->down;
	site->state.actuators[g][DEED_WAKE] = kept->up;
	if (kept_same_power(&group, kept))
		site->state.actuators[g][DEED_POWER] = kept->power;
	site->pasts[g].firmware = kept->firmware;
	return true;
}

struct recalled site_recall(struct site *site, struct instant now, const struct kept *kept)
{
	struct recalled recalled = { 0 };
	site->seq = kept->seq_reserved;
	site->n_commands = kept->n_commands;
	site->energy = kept->energy;
	for (size_t g = 0; g < groups_learned(site->conf); g++)
		for (size_t k = 0; k < kept->n_groups; k++)
			recalled.groups += recall_group(site, g, &kept->groups[k]);
	if (kept->wear)
		recalled.miners = recall_wear(site, now, kept);
	if (kept->shown_utc_ms)
		recalled.peak_w = policy_recall_shown(&site->state, &kept->shown, site->conf->policy.cap_w,
		                                      kept_ago_ms(now, kept->shown_utc_ms));
	return recalled;
}

/* ---- a reload ---- */

/* Nobody is left to clear its alarms; and the broker forgets it. */
static void let_go(struct site *site, const char *group)
{
	static const char *const alarms[] = { "miners", "exchanged" };
	struct instant now = site->rooms.clock->now(site->rooms.clock);
	char name[160];
	for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s", alarms[i], group);
		alarms_clear(site->rooms.alarms, name, now);
	}
	snprintf(name, sizeof(name), "group/%s", group);
	site->rooms.sink->put(site->rooms.sink, name, DELIVER_STATE, "", 0);
}

static void adopt_past(struct site *site, const struct site *old, size_t h)
{
	for (size_t g = 0; g < site->conf->policy.n_miner_groups; g++) {
		if (strcmp(site->conf->miner_groups[g], old->conf->miner_groups[h]) != 0)
			continue;
		site->pasts[g] = old->pasts[h];
		site->pasts[g].told = (struct group_record){ 0 };       /* its texts are the old file's */
		if (h >= POLICY_GROUPS || g >= POLICY_GROUPS)
			return;
		struct kept_group kept = keep_group(old, h);
		if (recall_group(site, g, &kept))
			site->state.fusion.bias[g] = old->state.fusion.bias[h];
		return;
	}
	let_go(site, old->conf->miner_groups[h]);
}

void adopt_groups(struct site *site, const struct site *old)
{
	/* The policy knows groups by their place in the file, and the file may have others there now. */
	for (size_t g = 0; g < POLICY_GROUPS; g++)
		policy_forget(&site->state, g);
	policy_forget_meters(&site->state);
	for (size_t h = 0; h < old->conf->policy.n_miner_groups; h++)
		adopt_past(site, old, h);
	site->reflashed = true;
}

/* ---- firmware ---- */

void firmware_read(struct site *site, uint32_t i)
{
	site->miners[i].firmware = site->seen_miners[i].reading.firmware;
	site->reflashed = true;
}

struct vote { uint64_t firmware; uint32_t lead, n, all; };

/* What more than half have is what is left when all others are set off against each other (Boyer and Moore). */
static void count_votes(const struct site *site, struct vote *votes)
{
	const struct policy_conf *policy = &site->conf->policy;
	for (size_t i = 0; i < policy->n_miners; i++) {
		struct vote *vote = &votes[policy->miner_group[i]];
		if (!vote->lead)
			vote->firmware = site->miners[i].firmware;
		vote->lead += site->miners[i].firmware == vote->firmware ? 1u : -1u;
		vote->all++;
	}
	for (size_t i = 0; i < policy->n_miners; i++)
		votes[policy->miner_group[i]].n += site->miners[i].firmware == votes[policy->miner_group[i]].firmware;
}

static void firmware_follow(struct site *site)
{
	size_t n_groups = site->conf->policy.n_miner_groups;
	if (!site->reflashed)
		return;
	site->reflashed = false;
	struct vote *votes = xcalloc(n_groups, sizeof(*votes));
	count_votes(site, votes);
	for (size_t g = 0; g < n_groups; g++) {
		struct group_past *past = &site->pasts[g];
		const struct vote *vote = &votes[g];
		if (!vote->firmware || vote->n * 2 <= vote->all || vote->firmware == past->firmware)
			continue;
		if (past->firmware) {
			policy_forget(&site->state, g);
			log_notice("miners.%s: %u of %u run another firmware now: how they follow is learned anew",
			           site->conf->miner_groups[g], vote->n, vote->all);
		}
		past->firmware = vote->firmware;
	}
	free(votes);
}

/* ---- figures ---- */

struct sums { int64_t ghs, rated_w, rated_ghs, cycles_milli; };     /* rated: of those that hash and tell both */

static void add_miner(const struct site *site, size_t i, int64_t now_ms, struct group_record *record, struct sums *sums)
{
	const struct miner_track *track = &site->tracks[i];
	const struct miner_reading *reading = &site->seen_miners[i].reading;
	record->driver = site->conf->miners[i].driver->name;
	record->n++;
	record->phases[phase_shown(track)]++;
	record->power_w += track->drawn_w;
	const struct policy_miner_group *group = &site->conf->policy.miner_groups[site->conf->policy.miner_group[i]];
	if (group->cycles_per_day)
		sums->cycles_milli += track_cycles_left_milli(group, track, now_ms);
	if (reading->fault != FAULT_NONE || reading->hashrate_ghs <= 0)
		return;
	sums->ghs += reading->hashrate_ghs;
	if (reading->state != MINER_HASHING || !reading->knows_power)
		return;
	sums->rated_ghs += reading->hashrate_ghs;
	sums->rated_w += reading->power_w;
}

static void conclude(const struct site *site, size_t g, int64_t now_ms, const struct sums *sums, struct group_record *record)
{
	const struct policy_conf *policy = &site->conf->policy;
	const struct site_told *told = site->conf->told ? &site->conf->told[g] : &(struct site_told){ true, true, true };
	static const struct policy_actuator unlearned;
	struct policy_actuator down = g < POLICY_GROUPS ? site->state.actuators[g][DEED_SLEEP] : unlearned;
	struct policy_actuator up = g < POLICY_GROUPS ? site->state.actuators[g][DEED_WAKE] : unlearned;
	struct policy_actuator power = g < POLICY_GROUPS ? site->state.actuators[g][DEED_POWER] : unlearned;
	int64_t cycles = policy->miner_groups[g].cycles_per_day;
	if (g >= POLICY_GROUPS) {
		down.used = policy->miner_groups[g].sleep;
		up.used = policy->miner_groups[g].wake;
		power.used = policy->miner_groups[g].power;
	}
	record->name = site->conf->miner_groups[g];
	record->sleep = group_way_of(&down, told->sleep);
	record->wake = group_way_of(&up, told->wake);
	record->power = group_way_of(&power, told->power);
	record->partial_w = policy->miner_groups[g].partial_w ? policy_partial_w(&site->state, policy, g) : POLICY_NONE;
	record->hashrate_ghs = sums->ghs ? sums->ghs : POLICY_NONE;
	record->efficiency_mj_per_th = sums->rated_ghs ? sums->rated_w * 1000000 / sums->rated_ghs : POLICY_NONE;
	record->cycles_per_day = cycles ? cycles : POLICY_NONE;
	bool counted = cycles && record->n;
	record->cycles_left_milli = counted ? sums->cycles_milli / record->n : POLICY_NONE;
	record->bias = policy_bias(&site->state, g);
	wear_add_up(&site->pasts[g], now_ms, record);
}

/* For the caller to free. */
static struct group_record *gather(const struct site *site, int64_t now_ms)
{
	const struct policy_conf *policy = &site->conf->policy;
	struct group_record *records = xcalloc(policy->n_miner_groups, sizeof(*records));
	struct sums *sums = xcalloc(policy->n_miner_groups, sizeof(*sums));
	for (size_t i = 0; i < policy->n_miners; i++)
		add_miner(site, i, now_ms, &records[policy->miner_group[i]], &sums[policy->miner_group[i]]);
	for (size_t g = 0; g < policy->n_miner_groups; g++)
		conclude(site, g, now_ms, &sums[g], &records[g]);
	free(sums);
	return records;
}

static void tell_group(struct site *site, const struct group_record *record, struct instant now)
{
	char topic[160];
	snprintf(topic, sizeof(topic), "group/%s", record->name);
	json_reset(&site->json);
	group_record_format(record, now, &site->json);
	site->rooms.sink->put(site->rooms.sink, topic, DELIVER_STATE, site->json.text, site->json.len);
}

void tell_groups(struct site *site, struct instant now)
{
	if (!site->groups_told_ms)
		site->groups_told_ms = now.mono_ms;     /* nothing was heard yet: what the broker has is better */
	if (now.mono_ms - site->groups_told_ms < TELL_MS)
		return;
	site->groups_told_ms = now.mono_ms;
	firmware_follow(site);
	struct group_record *records = gather(site, now.mono_ms);
	for (size_t g = 0; g < site->conf->policy.n_miner_groups; g++) {
		struct group_past *past = &site->pasts[g];
		wear_turn_hours(past, now.mono_ms);
		if (past->told.name && !group_record_news(&past->told, &records[g]))
			continue;
		past->told = records[g];
		tell_group(site, &records[g], now);
	}
	free(records);
}

void site_groups_json(const struct site *site, struct instant now, struct json *json)
{
	struct group_record *records = gather(site, now.mono_ms);
	for (size_t g = 0; g < site->conf->policy.n_miner_groups; g++) {
		group_record_format(&records[g], now, json);
		json_newline(json);
	}
	free(records);
}
