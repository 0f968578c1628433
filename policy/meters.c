#include "policy/internal.h"

#include <string.h>

#define MOST_W 10000000000LL    /* 10 GW, either way: no meter sees more, whatever it says */

struct group_sum { int64_t fresh_w, silent_w, last_w, doubt_w, nameplate_w, oldest_ms, least_age_ms; uint32_t fresh, stale, waited_for; };

static bool has_value(const struct meter_reading *r)
{
	return r->fault == FAULT_NONE && abs64(clamp64(r->import_w, -MOST_W - 1, MOST_W + 1)) <= MOST_W;
}

int64_t policy_silent_since_ms(const struct policy_state *state, int64_t at_ms, int64_t stale_ms)
{
	bool excused = at_ms < state->back_ms && state->away_ms - at_ms <= stale_ms;
	return excused ? state->back_ms : at_ms;
}

static bool is_fresh(const struct meter_reading *r, int64_t stale_ms, int64_t now_ms)
{
	return has_value(r) && now_ms - r->at_ms <= stale_ms;
}

/* Old, but only by a pause of ours. */
static bool is_excused(const struct policy_state *state, const struct meter_reading *r, int64_t stale_ms, int64_t now_ms)
{
	return has_value(r) && now_ms - policy_silent_since_ms(state, r->at_ms, stale_ms) <= stale_ms;
}

/* One that never gave a value, since it was first asked. */
static bool had_time(const struct policy_state *state, const struct meter_reading *r, int64_t stale_ms, int64_t now_ms)
{
	return now_ms - max64(state->started_ms, r->fault == FAULT_NONE ? 0 : r->at_ms) > stale_ms;
}

static void add_meter(struct group_sum *sum, const struct policy_meter_group *group, const struct meter_reading *r,
                      const struct policy_state *state, int64_t now_ms)
{
	bool excused = is_excused(state, r, group->stale_ms, now_ms);
	sum->nameplate_w += group->nameplate_w;
	/* What GPUs draw is as before then; what the site does has to be asked. */
	if (is_fresh(r, group->stale_ms, now_ms) || (excused && group->measures != MEASURES_SITE)) {
		sum->fresh++;
		sum->fresh_w += r->import_w;
		sum->last_w += r->import_w;
		sum->oldest_ms = min64(sum->oldest_ms, r->at_ms);
		sum->least_age_ms = min64(sum->least_age_ms, r->age_ms);
		return;
	}
	sum->stale++;
	/* One that never gave a value may stand before nothing yet and everything soon; but first it gets time to answer. */
	int64_t last_w = has_value(r) ? r->import_w : 0, worst_w = max64(last_w, group->nameplate_w);
	sum->last_w += last_w;
	sum->silent_w += worst_w;
	if (!excused && (has_value(r) || had_time(state, r, group->stale_ms, now_ms)))
		sum->doubt_w += worst_w - last_w;
	else
		sum->waited_for++;
}

static struct group_sum sum_group(const struct policy_conf *conf, const struct policy_state *state,
                                  const struct snapshot *seen, size_t g)
{
	struct group_sum sum = { .oldest_ms = INT64_MAX, .least_age_ms = INT64_MAX };
	for (size_t i = 0; i < conf->n_meters; i++)
		if (conf->meter_group[i] == g)
			add_meter(&sum, &conf->meter_groups[g], &seen->meters[i], state, seen->now_ms);
	return sum;
}

/* A whole backup of the group, or a backup's. They stand in no ring. */
static bool sum_backup(const struct policy_conf *conf, const struct policy_state *state, const struct snapshot *seen, size_t g,
                       struct group_sum *sum)
{
	for (size_t b = 0; b < conf->n_meter_groups; b++) {
		if (conf->meter_groups[b].backup_of != (int16_t)g)
			continue;
		*sum = sum_group(conf, state, seen, b);
		if ((!sum->stale && sum->fresh) || sum_backup(conf, state, seen, b, sum))
			return true;
	}
	return false;
}

/* A group with a stale member is stood in for by a whole backup, if it has one. */
static struct group_sum sum_or_backup(const struct policy_conf *conf, const struct policy_state *state,
                                      const struct snapshot *seen, size_t g, uint64_t *stood_for)
{
	struct group_sum sum = sum_group(conf, state, seen, g), backup;
	if (!sum.stale || !sum_backup(conf, state, seen, g, &backup))
		return sum;
	backup.nameplate_w = sum.nameplate_w;
	*stood_for |= UINT64_C(1) << g % 64;
	return backup;
}

static void add_group(struct metered *all, enum measures measures, const struct group_sum *sum)
{
	if (measures != MEASURES_SITE)
		all->doubt_w += sum->doubt_w;
	switch (measures) {
	case MEASURES_SITE:
		all->site_w += sum->fresh_w;
		all->site_heard_ms = min64(all->site_heard_ms, sum->oldest_ms);
		all->site_age_ms = min64(all->site_age_ms, sum->least_age_ms);
		all->site_waited_for |= sum->waited_for > 0;
		if (sum->stale || !sum->fresh)
			all->site_known = false;
		break;
	case MEASURES_HPC:
		all->has_hpc = true;
		all->hpc_w += sum->fresh_w + sum->silent_w;
		all->hpc_last_w += sum->last_w;
		all->hpc_fresh_w += sum->fresh_w;
		all->hpc_silent_w += sum->silent_w;
		all->hpc_nameplate_w += sum->nameplate_w;
		all->hpc_waited_for |= sum->waited_for > 0;
		if (sum->fresh)
			all->hpc_ms = min64(all->hpc_ms, sum->oldest_ms);
		if (sum->stale)
			all->hpc_whole = false;
		break;
	case MEASURES_OTHER:
		all->others_w += sum->last_w;
		all->fed_w += max64(-sum->last_w, 0);
		break;
	}
}

void meters_add_up(const struct policy_conf *conf, const struct policy_state *state, const struct snapshot *seen,
                   struct metered *all)
{
	*all = (struct metered){ .site_known = true, .hpc_whole = true, .site_heard_ms = INT64_MAX, .site_age_ms = INT64_MAX,
		.hpc_ms = INT64_MAX };
	bool has_site = false;
	for (size_t g = 0; g < conf->n_meter_groups; g++) {
		const struct policy_meter_group *group = &conf->meter_groups[g];
		if (group->backup_of >= 0)
			continue;
		struct group_sum sum = sum_or_backup(conf, state, seen, g, &all->stood_for);
		has_site |= group->measures == MEASURES_SITE;
		add_group(all, group->measures, &sum);
		if (g < FUSION_METERS)
			all->group_w[g] = sum.last_w;
		if (sum.stale)
			all->silent |= UINT64_C(1) << g % 64;
	}
	for (size_t i = 0; i < conf->n_meters; i++)
		all->stale += !is_fresh(&seen->meters[i], conf->meter_groups[conf->meter_group[i]].stale_ms, seen->now_ms);
	all->site_known &= has_site;
	/* Of two feeders one may well stand still: what moves tells how old the sum is. */
	all->site_ms = all->site_known ? all->site_heard_ms - all->site_age_ms : INT64_MAX;
	all->hpc_whole &= all->has_hpc;
}

int64_t meters_stale_ms(const struct policy_conf *conf, enum measures measures)
{
	int64_t ms = 0;
	for (size_t g = 0; g < conf->n_meter_groups; g++)
		if (conf->meter_groups[g].measures == measures)
			ms = max64(ms, conf->meter_groups[g].stale_ms);
	return ms;
}
