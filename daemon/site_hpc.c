/* What the GPU side is asked for, on hpc/limit, and the alarm where shedding does not help. */
#include <stdio.h>
#include <string.h>

#include "daemon/site_parts.h"

#define ASK_AFTER_MS   2000             /* so long the miners alone are seen not to do */
#define CALM_MS        60000            /* so long there is room before the limit is withdrawn */
#define RAISE_MS       10000            /* between two that go up; one that goes down goes at once */
#define MARGIN_PERCENT 1                /* of the cap: asked for beyond what must be … */
#define ROOM_PERCENT   5                /* … and free before the GPU side is left alone again */

struct futile_words { const char *group; int group_size; int64_t rise_w; };

/* ---- the limit ---- */

static void publish_limit(struct site *site, int64_t limit_w, const char *why, struct instant now)
{
	struct hpc_asked *asked = &site->hpc_asked;
	asked->limit_w = limit_w;
	asked->told = true;
	asked->told_ms = now.mono_ms;
	json_reset(&site->json);
	json_open(&site->json, NULL);
	json_int_or_null(&site->json, "limit_w", limit_w, POLICY_NONE);
	json_string(&site->json, "why", why);
	json_time(&site->json, "time", now.utc_ms);
	json_close(&site->json);
	site->rooms.sink->put(site->rooms.sink, "hpc/limit", DELIVER_STATE, site->json.text, site->json.len);
}

/* What the limit leaves beside the miners, as they will be, and the rest of the site. */
static int64_t left_for_gpus_w(const struct site *site)
{
	const struct picture *p = &site->decision.picture;
	int64_t other_w = p->other_w == POLICY_NONE || p->other_w < 0 ? 0 : p->other_w;
	int64_t left_w = p->limit_w - p->settled_miners_w - other_w - site->conf->policy.cap_w / 100 * MARGIN_PERCENT;
	return left_w > 0 ? left_w : 0;
}

static void ask(struct site *site, int64_t limit_w, struct instant now)
{
	const struct picture *p = &site->decision.picture;
	char why[200];
	if (site->decision.cap_unreachable)
		snprintf(why, sizeof(why), "all miners that may be shed are, and the site would draw %.1f kW of %.1f kW",
		         (double)(p->recent_w + p->settled_miners_w) / 1e3, (double)p->limit_w / 1e3);
	else if (site->futility.cause != FUTILE_NOT)
		snprintf(why, sizeof(why), "shedding miners does not bring the site under %.1f kW", (double)p->limit_w / 1e3);
	else
		snprintf(why, sizeof(why), "the miners cannot make room for more under %.1f kW", (double)p->limit_w / 1e3);
	publish_limit(site, limit_w, why, now);
}

static bool worth_asking(const struct site *site, int64_t limit_w, int64_t now_ms)
{
	const struct hpc_asked *asked = &site->hpc_asked;
	int64_t least_w = site->conf->policy.cap_w / 100;
	return limit_w < asked->limit_w - least_w || (limit_w > asked->limit_w + least_w && now_ms - asked->told_ms >= RAISE_MS);
}

static void tell_limit(struct site *site, struct instant now)
{
	const struct decision *decision = &site->decision;
	const struct picture *p = &decision->picture;
	struct hpc_asked *asked = &site->hpc_asked;
	bool over = p->site_known && p->site_w > p->limit_w;
	bool needed = decision->cap_unreachable || (site->futility.cause != FUTILE_NOT && over);
	int64_t room_w = p->limit_w - p->recent_w - (p->settled_miners_w - p->curtailable_w);   /* miners give way */
	bool calm = !needed && room_w > site->conf->policy.cap_w / 100 * ROOM_PERCENT;
	asked->needed_ms = !needed ? 0 : asked->needed_ms ? asked->needed_ms : now.mono_ms;
	asked->calm_ms = !calm ? 0 : asked->calm_ms ? asked->calm_ms : now.mono_ms;
	int64_t limit_w = left_for_gpus_w(site);
	bool asks = asked->limit_w != POLICY_NONE;
	if (!asks && needed && now.mono_ms - asked->needed_ms >= ASK_AFTER_MS)
		ask(site, limit_w, now);
	/* What an earlier run that was killed asked for stands as well until there is room. */
	else if ((asks || !asked->told) && calm && now.mono_ms - asked->calm_ms >= CALM_MS)
		publish_limit(site, POLICY_NONE, NULL, now);
	else if (asks && worth_asking(site, limit_w, now.mono_ms))
		ask(site, limit_w, now);
}

/* ---- the alarm ---- */

static int64_t group_w(const struct site *site, size_t g)
{
	const struct policy_conf *policy = &site->conf->policy;
	int64_t sum_w = 0;
	for (size_t i = 0; i < policy->n_meters; i++)
		if (policy->meter_group[i] == g && site->meters[i].newest.fault == FAULT_NONE)
			sum_w += site->meters[i].newest.import_w;
	return sum_w;
}

static void note_groups(struct site *site)
{
	if (site->groups_noted_ms == site->futility.begin_ms)
		return;
	site->groups_noted_ms = site->futility.begin_ms;
	for (size_t g = 0; g < site->conf->policy.n_meter_groups; g++)
		site->groups_before_w[g] = group_w(site, g);
}

/* The group of meters, but the site's, that rose most since the shed began. */
static struct futile_words riser(const struct site *site)
{
	const struct policy_conf *policy = &site->conf->policy;
	struct futile_words words = { .group = NULL };
	for (size_t i = 0; i < policy->n_meters; i++) {
		size_t g = policy->meter_group[i];
		bool first = i == 0 || policy->meter_group[i - 1] != g;
		if (!first || policy->meter_groups[g].measures == MEASURES_SITE)
			continue;
		int64_t rise_w = group_w(site, g) - site->groups_before_w[g];
		if (rise_w > words.rise_w) {
			words.group = site->conf->meters[i].name;
			words.group_size = (int)strcspn(words.group, "/");
			words.rise_w = rise_w;
		}
	}
	return words;
}

static void alarm_futile(struct site *site, struct instant now)
{
	const struct futility *f = &site->futility;
	struct futile_words words = riser(site);
	char driver[120] = "loads that no meter but the site's sees";
	if (words.group && words.rise_w >= (f->followed_w - f->shown_w) / 3)
		snprintf(driver, sizeof(driver), "what meters.%.*s shows, %.1f kW more", words.group_size, words.group,
		         (double)words.rise_w / 1e3);
	switch (f->cause) {
	case FUTILE_NOT:
		alarms_clear(site->rooms.alarms, "futile", now);
		return;
	case FUTILE_MINERS:
		alarms_raise(site->rooms.alarms, "futile", SEVERITY_CRITICAL, site->conf->name, now,
		             "%.1f kW of miners were told to sleep and draw %.1f kW less: they do not follow",
		             (double)f->told_w / 1e3, (double)f->followed_w / 1e3);
		return;
	case FUTILE_METER:
		alarms_raise(site->rooms.alarms, "futile", SEVERITY_CRITICAL, site->conf->name, now,
		             "miners say they draw %.1f kW less, the site shows %.1f kW of it: it is driven by %s",
		             (double)f->followed_w / 1e3, (double)f->shown_w / 1e3, driver);
		return;
	}
}

static int64_t response_ms(const struct site *site)
{
	int64_t slowest_ms = 0;
	for (size_t g = 0; g < site->conf->policy.n_miner_groups; g++) {
		const struct policy_miner_group *group = &site->conf->policy.miner_groups[g];
		for (int deed = 0; deed < N_DEEDS; deed++) {
			const struct policy_response *told = deed == DEED_SLEEP ? &group->sleep : &group->power;
			const struct policy_response *used = g < POLICY_GROUPS ? &site->state.actuators[g][deed].used : told;
			int64_t told_ms = told->delay_ms + told->ramp_ms, used_ms = used->delay_ms + used->ramp_ms;
			if (deed == DEED_WAKE || (deed == DEED_POWER && !group->partial_w))
				continue;
			slowest_ms = told_ms > slowest_ms ? told_ms : slowest_ms;
			slowest_ms = used_ms > slowest_ms ? used_ms : slowest_ms;
		}
	}
	return slowest_ms;
}

static int64_t late_ms(const struct site *site)
{
	int64_t slowest_ms = 0;
	for (size_t g = 0; g < site->conf->policy.n_meter_groups; g++) {
		const struct policy_meter_group *group = &site->conf->policy.meter_groups[g];
		if (group->measures == MEASURES_HPC && group->stale_ms > slowest_ms)
			slowest_ms = group->stale_ms;
	}
	return slowest_ms;
}

/* A dry run commands nobody, so nothing can be futile, and asks nobody. */
void tell_hpc(struct site *site, struct instant now)
{
	if (site->conf->dry_run)
		return;
	futility_see(&site->futility, &site->decision, site->conf->policy.cap_w, response_ms(site), late_ms(site), now.mono_ms);
	note_groups(site);
	alarm_futile(site, now);
	tell_limit(site, now);
}

/* Nobody would say when there is room again. */
void site_leave(struct site *site, struct instant now)
{
	bool may_stand = !site->hpc_asked.told || site->hpc_asked.limit_w != POLICY_NONE;
	if (may_stand && !site->conf->dry_run)
		publish_limit(site, POLICY_NONE, "mulletd was stopped", now);
}
