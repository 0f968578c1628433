#include "daemon/site.h"

#include "daemon/site_parts.h"
#include "daemon/xalloc.h"

/* ---- the step ---- */

static void give_orders(struct site *site, int64_t now_ms)
{
	const struct decision *decision = &site->decision;
	site->n_commands += decision->n_commands;
	site->orders_out += decision->n_commands;
	site->pace.moving += decision->n_commands;
	for (uint32_t c = 0; c < decision->n_commands; c++) {
		const struct command *command = &decision->commands[c];
		struct site_miner_state *miner = &site->miners[command->miner];
		struct miner_order order = { .hash = command->hash, .limit_w = command->limit_w };
		site->seen_miners[command->miner].heard = FAULT_NEVER;
		miner->orders_out++;
		miner->told_ms = now_ms;
		if (command->deed == DEED_SLEEP && command->try_number == 1)
			count_sleep(site, command->miner, now_ms);
		site->conf->miners[command->miner].driver->order(miner->miner, &order);
		poll_soon(site, command->miner, now_ms);
	}
}

static bool worth_telling_dry(struct site *site, int64_t now_ms)
{
	const struct decision *decision = &site->decision;
	int64_t moved_w = decision->wanted_miners_w - site->dry_wanted_w;
	bool same = site->dry_ms && decision->reason == site->dry_reason && now_ms - site->dry_ms < 60000 &&
	            (moved_w < 0 ? -moved_w : moved_w) < site->conf->policy.cap_w / 100;
	if (same)
		return false;
	site->dry_ms = now_ms;
	site->dry_wanted_w = decision->wanted_miners_w;
	site->dry_reason = decision->reason;
	return true;
}

static void step_policy(struct site *site, struct instant now, const struct demand *demand)
{
	struct snapshot seen = { .now_ms = now.mono_ms, .demand = *demand,
	                         .meters = site->seen_meters, .miners = site->seen_miners,
	                         .futile = site->futility.cause != FUTILE_NOT };
	if (site->rooms.plan)
		seen.notices = plan_notices(site->rooms.plan, &seen.n_notices);
	for (size_t i = 0; i < site->conf->policy.n_meters; i++)
		site->seen_meters[i] = site->meters[i].newest;
	site->decision.commands = site->commands;
	policy_step(&site->conf->policy, &site->state, site->tracks, &seen, site->scratch, &site->decision);
	/* Those on their way to another power are in no phase of their own, but their commands have not ended. */
	uint32_t phases = site->decision.picture.phases[PHASE_WAKING] + site->decision.picture.phases[PHASE_FALLING];
	site->pace.moving = phases > site->n_awaited ? phases : site->n_awaited;
}

/* What the policy would do. No miner hears of it, so nothing of it may be remembered as told. */
static void step_dry(struct site *site, struct instant now, const struct demand *demand)
{
	const struct miner_track *before = site->dry_tracks;
	struct policy_moved moved = site->state.moved;
	memcpy(site->dry_tracks, site->tracks, site->conf->policy.n_miners * sizeof(*before));
	step_policy(site, now, demand);
	for (uint32_t c = 0; c < site->decision.n_commands; c++) {
		uint32_t miner = site->decision.commands[c].miner;
		site->tracks[miner] = before[miner];
	}
	if (!site->decision.n_commands)
		return;
	moved.up_budget_w = moved.down_budget_w = INT64_MAX / 4;        /* all that a ramp can save up, as nothing was moved */
	site->state.moved = moved;
}

static void add_energy(struct site *site, int64_t now_ms)
{
	const struct picture *picture = &site->decision.picture;
	double hours = site->energy_ms ? (double)(now_ms - site->energy_ms) / 3600000.0 : 0;
	site->energy_ms = now_ms;
	if (picture->site_w != POLICY_NONE)
		site->energy.site_wh += (double)picture->site_w * hours;
	if (picture->hpc_w != POLICY_NONE)
		site->energy.hpc_wh += (double)picture->hpc_w * hours;
	site->energy.miners_wh += (double)picture->miners_w * hours;
}

void site_step(struct site *site, struct instant now)
{
	if (site->closing)
		return;
	site_poll(site, now);
	struct demand demand;
	signals_demand(site->rooms.signals, now, &demand);
	if (site->conf->dry_run)
		step_dry(site, now, &demand);
	else
		step_policy(site, now, &demand);
	bool decided = site->decision.reason != REASON_NONE;
	if (decided && site->conf->dry_run)
		decided = worth_telling_dry(site, now.mono_ms);
	if (decided) {
		site->seq++;
		if (!site->conf->dry_run) {
			give_orders(site, now.mono_ms);
			outcome_begin(site, site->seq, &site->decision,
			              site->prompted_ms ? site->prompted_ms : now.mono_ms);
		}
		tell_decision(site, now);
	}
	site->prompted_ms = 0;
	outcomes_settle(site, now);
	const struct picture *picture = &site->decision.picture;
	signals_observe(site->rooms.signals, now, picture->site_w, picture->miners_w, &site->decision);
	if (site->rooms.plan)
		plan_observe(site->rooms.plan, picture, now);
	add_energy(site, now.mono_ms);
	tell_alarms(site, now);
	tell_fusion(site, now);
	tell_hpc(site, now);
	tell_state(site, now);
	tell_telemetry(site, now);
	tell_groups(site, now);
}

void site_prompted(struct site *site, struct instant now)
{
	if (!site->prompted_ms)
		site->prompted_ms = now.mono_ms;
}

bool site_busy(const struct site *site)
{
	return site->orders_out > 0;
}

uint64_t site_seq(const struct site *site)
{
	return site->seq;
}

const struct decision *site_last_step(const struct site *site)
{
	return &site->decision;
}

/* ---- opening and closing ---- */

struct site *site_new(const struct site_conf *conf, const struct site_rooms *rooms, struct site_user user,
                      struct instant now)
{
	struct site *site = xcalloc(1, sizeof(*site));
	const struct policy_conf *policy = &conf->policy;
	site->conf = conf;
	site->rooms = *rooms;
	site->user = user;
	site->opened = now;
	site->meters = xcalloc(policy->n_meters, sizeof(*site->meters));
	site->seen_meters = xcalloc(policy->n_meters, sizeof(*site->seen_meters));
	site->miners = xcalloc(policy->n_miners, sizeof(*site->miners));
	site->seen_miners = xcalloc(policy->n_miners, sizeof(*site->seen_miners));
	site->tracks = xcalloc(policy->n_miners, sizeof(*site->tracks));
	site->scratch = xcalloc(policy->n_miners, sizeof(*site->scratch));
	site->groups_before_w = xcalloc(policy->n_meter_groups, sizeof(*site->groups_before_w));
	site->hpc_asked.limit_w = POLICY_NONE;
	site->commands = xcalloc(policy->n_miners, sizeof(*site->commands));
	if (conf->dry_run)
		site->dry_tracks = xcalloc(policy->n_miners, sizeof(*site->dry_tracks));
	site->awaited = xcalloc(policy->n_miners, sizeof(*site->awaited));
	site->groups = xcalloc(policy->n_miner_groups, sizeof(*site->groups));
	site->pasts = xcalloc(policy->n_miner_groups, sizeof(*site->pasts));
	site->words.commands = xcalloc(policy->n_miners, sizeof(*site->words.commands));
	schedule_init(&site->meters_due, policy->n_meters);
	schedule_init(&site->miners_due, policy->n_miners);
	site->jitter = (uint32_t)now.mono_ms;
	return site;
}

void site_adopt(struct site *site, const struct site *old)
{
	site->state = old->state;
	if (site->conf->policy.cap_w != old->conf->policy.cap_w)
		policy_change_cap(&site->state, old->conf->policy.cap_w, site->conf->policy.cap_w);
	site->futility = old->futility;
	site->hpc_asked = old->hpc_asked;
	site->energy = old->energy;
	site->energy_ms = old->energy_ms;
	site->seq = old->seq;
	site->n_commands = old->n_commands;
	site->opened = old->opened;
	site->told_state = old->told_state;
	memcpy(site->state_why, old->state_why, sizeof(site->state_why));
	site->state_since = old->state_since;
	for (size_t i = 0; i < DECISIONS_KEPT; i++)
		site->decisions[i] = old->decisions[i] ? xstrdup(old->decisions[i]) : NULL;
	outcomes_adopt(site, old);
	adopt_meters(site, old);
	if (!adopt_miners(site, old))
		policy_change_miners(&site->state, site->conf->policy.cap_w);
	adopt_groups(site, old);
}

static void site_free(struct site *site)
{
	struct site_user user = site->user;
	outcomes_free(site);
	for (size_t i = 0; i < DECISIONS_KEPT; i++)
		free(site->decisions[i]);
	json_free(&site->json);
	free(site->meters);
	free(site->seen_meters);
	free(site->miners);
	free(site->seen_miners);
	free(site->tracks);
	free(site->scratch);
	free(site->groups_before_w);
	free(site->commands);
	free(site->dry_tracks);
	free(site->awaited);
	free(site->groups);
	free(site->pasts);
	free(site->memories);
	free(site->orphans);
	free(site->words.commands);
	schedule_free(&site->meters_due);
	schedule_free(&site->miners_due);
	free(site);
	user.on_closed(user.self);
}

void site_device_closed(struct site *site)
{
	if (--site->open_devices == 0)
		site_free(site);
}

void site_close(struct site *site)
{
	const struct site_conf *conf = site->conf;
	size_t n_meters = conf->policy.n_meters, n_miners = conf->policy.n_miners;
	tell_rest(site);
	outcomes_give_up(site);
	site->closing = true;
	/* Nobody's on_closed fires inside close, so the site outlives both loops. */
	for (size_t i = 0; i < n_meters; i++)
		conf->meters[i].driver->close(site->meters[i].meter);
	for (size_t i = 0; i < n_miners; i++)
		conf->miners[i].driver->close(site->miners[i].miner);
}
