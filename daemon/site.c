#include "daemon/site.h"

#include "daemon/site_parts.h"
#include "daemon/xalloc.h"

#define UNDER_WAY_POLL_MS 1000          /* a miner told something is watched at this pace */
#define FIRST_POLLS_MS    3000          /* first polls of all miners are spread over this */

/* ---- what devices say ---- */

static int64_t now_ms_of(const struct site *site)
{
	return site->rooms.clock->now(site->rooms.clock).mono_ms;
}

static void note_worst(int64_t *worst_ms, int64_t ms)
{
	if (ms > *worst_ms)
		*worst_ms = ms;
}

static void on_meter_reading(void *self, const struct meter_reading *reading)
{
	struct site_meter_state *meter = self;
	struct site *site = meter->site;
	size_t i = (size_t)(meter - site->meters);
	meter->polling = false;
	note_worst(&meter->worst_answer_ms, now_ms_of(site) - meter->asked_ms);
	meter->fault = reading->fault;
	if (reading->fault == FAULT_NONE)
		meter->newest = *reading;
	else if (meter->newest.fault != FAULT_NONE)
		meter->newest.fault = reading->fault;
	meter->faults += reading->fault != FAULT_NONE;
	const struct policy_conf *policy = &site->conf->policy;
	if (policy->meter_groups[policy->meter_group[i]].measures == MEASURES_SITE && !site->closing) {
		if (!site->prompted_ms && reading->fault == FAULT_NONE)
			site->prompted_ms = reading->at_ms;
		site->user.on_changed(site->user.self);
	}
}

static void on_miner_reading(void *self, const struct miner_reading *reading)
{
	struct site_miner_state *miner = self;
	struct miner_seen *seen = &miner->site->seen_miners[miner - miner->site->miners];
	miner->polling = false;
	note_worst(&miner->worst_answer_ms, now_ms_of(miner->site) - miner->asked_ms);
	miner->fault = reading->fault;
	miner->faults += reading->fault != FAULT_NONE;
	seen->reading = *reading;
}

static void on_ordered(void *self, enum fault fault)
{
	struct site_miner_state *miner = self;
	struct site *site = miner->site;
	uint32_t i = (uint32_t)(miner - site->miners);
	int64_t now_ms = now_ms_of(site);
	/* Every order is answered, also one that a newer one replaced: only the last answer is the newest order's. */
	if (--miner->orders_out > 0)
		return;
	note_worst(&miner->worst_order_ms, now_ms - miner->told_ms);
	site->seen_miners[i].heard = fault;
	site->seen_miners[i].heard_ms = now_ms;
	outcome_answered(site, i, fault, now_ms);
}

static void on_device_closed(struct site *site);

static void on_meter_closed(void *self) { on_device_closed(((struct site_meter_state *)self)->site); }
static void on_miner_closed(void *self) { on_device_closed(((struct site_miner_state *)self)->site); }

/* ---- polling ---- */

/* Plus or minus 1/32, so that thousands of devices do not fall into step. */
static int64_t jittered(struct site *site, int64_t every_ms)
{
	site->jitter = site->jitter * 1664525u + 1013904223u;
	return every_ms + every_ms * ((int64_t)(site->jitter >> 16 & 63) - 32) / 1024;
}

static int64_t poll_meters(struct site *site, int64_t now_ms)
{
	int64_t next_ms = INT64_MAX;
	for (size_t i = 0; i < site->conf->policy.n_meters; i++) {
		struct site_meter_state *meter = &site->meters[i];
		if (now_ms >= meter->next_ms && !meter->polling) {
			int64_t every_ms = site->conf->meters[i].every_ms;
			note_worst(&meter->worst_late_ms, now_ms - meter->next_ms);
			meter->asked_ms = now_ms;
			meter->next_ms += every_ms;
			if (meter->next_ms <= now_ms)           /* late by more than a period: do not catch up */
				meter->next_ms = now_ms + every_ms;
			meter->polling = true;
			meter->polls++;
			site->conf->meters[i].driver->poll(meter->meter);
		}
		if (!meter->polling && meter->next_ms < next_ms)
			next_ms = meter->next_ms;
	}
	return next_ms;
}

static int64_t poll_miners(struct site *site, int64_t now_ms)
{
	int64_t next_ms = INT64_MAX;
	for (size_t i = 0; i < site->conf->policy.n_miners; i++) {
		struct site_miner_state *miner = &site->miners[i];
		if (now_ms >= miner->next_ms && !miner->polling) {
			int64_t every_ms = site->conf->miners[i].every_ms;
			if (site->tracks[i].under_way && every_ms > UNDER_WAY_POLL_MS)
				every_ms = UNDER_WAY_POLL_MS;
			miner->next_ms = now_ms + jittered(site, every_ms);
			miner->asked_ms = now_ms;
			miner->polls++;
			miner->polling = true;
			site->conf->miners[i].driver->poll(miner->miner);
		}
		if (!miner->polling && miner->next_ms < next_ms)
			next_ms = miner->next_ms;
	}
	return next_ms;
}

int64_t site_poll(struct site *site, struct instant now)
{
	if (site->closing)
		return INT64_MAX;
	int64_t meters_ms = poll_meters(site, now.mono_ms);
	int64_t miners_ms = poll_miners(site, now.mono_ms);
	return meters_ms < miners_ms ? meters_ms : miners_ms;
}

/* ---- the step ---- */

static void give_orders(struct site *site, int64_t now_ms)
{
	const struct decision *decision = &site->decision;
	for (uint32_t c = 0; c < decision->n_commands; c++) {
		const struct command *command = &decision->commands[c];
		struct site_miner_state *miner = &site->miners[command->miner];
		struct miner_order order = { .hash = command->hash };
		site->seen_miners[command->miner].heard = FAULT_NEVER;
		miner->orders_out++;
		miner->told_ms = now_ms;
		site->conf->miners[command->miner].driver->order(miner->miner, &order);
		if (miner->next_ms > now_ms + UNDER_WAY_POLL_MS)
			miner->next_ms = now_ms + UNDER_WAY_POLL_MS;
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
	                         .meters = site->seen_meters, .miners = site->seen_miners };
	for (size_t i = 0; i < site->conf->policy.n_meters; i++)
		site->seen_meters[i] = site->meters[i].newest;
	site->decision.commands = site->commands;
	policy_step(&site->conf->policy, &site->state, site->tracks, &seen, site->scratch, &site->decision);
}

/* What the policy would do. No miner hears of it, so nothing of it may be remembered as told. */
static void step_dry(struct site *site, struct instant now, const struct demand *demand)
{
	struct miner_track *before = xcalloc(site->conf->policy.n_miners, sizeof(*before));
	memcpy(before, site->tracks, site->conf->policy.n_miners * sizeof(*before));
	step_policy(site, now, demand);
	for (uint32_t c = 0; c < site->decision.n_commands; c++) {
		uint32_t miner = site->decision.commands[c].miner;
		site->tracks[miner] = before[miner];
	}
	free(before);
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
			site->n_commands += site->decision.n_commands;
			outcome_begin(site, site->seq, &site->decision,
			              site->prompted_ms ? site->prompted_ms : now.mono_ms);
			give_orders(site, now.mono_ms);
		}
		tell_decision(site, now);
	}
	site->prompted_ms = 0;
	outcomes_settle(site, now);
	const struct picture *picture = &site->decision.picture;
	signals_observe(site->rooms.signals, now, picture->site_w, picture->miners_w, &site->decision);
	add_energy(site, now.mono_ms);
	tell_alarms(site, now);
	tell_state(site, now);
	tell_telemetry(site, now);
}

void site_prompted(struct site *site, struct instant now)
{
	if (!site->prompted_ms)
		site->prompted_ms = now.mono_ms;
}

bool site_busy(const struct site *site)
{
	for (size_t i = 0; i < site->conf->policy.n_miners; i++)
		if (site->miners[i].orders_out)
			return true;
	return false;
}

const struct decision *site_last_step(const struct site *site)
{
	return &site->decision;
}

/* ---- opening and closing ---- */

static void open_meter(struct site *site, size_t i, int64_t now_ms)
{
	struct site_meter_state *meter = &site->meters[i];
	const struct site_meter *conf = &site->conf->meters[i];
	meter->site = site;
	/* Meters of a group start evenly spread over a period. */
	meter->next_ms = now_ms + conf->every_ms * (int64_t)(i % 64) / 64;
	meter->meter = conf->driver->open(site->rooms.meters, &conf->conf,
	                                  (struct meter_user){ meter, on_meter_reading, on_meter_closed });
	site->open_devices++;
}

static void open_miner(struct site *site, size_t i, int64_t now_ms)
{
	struct site_miner_state *miner = &site->miners[i];
	const struct site_miner *conf = &site->conf->miners[i];
	int64_t spread_ms = conf->every_ms < FIRST_POLLS_MS ? conf->every_ms : FIRST_POLLS_MS;
	miner->site = site;
	miner->next_ms = now_ms + spread_ms * (int64_t)i / (int64_t)site->conf->policy.n_miners;
	miner->miner = conf->driver->open(site->rooms.miners, &conf->conf,
	                                  (struct miner_user){ miner, on_miner_reading, on_ordered, on_miner_closed });
	site->open_devices++;
}

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
	site->commands = xcalloc(policy->n_miners, sizeof(*site->commands));
	site->jitter = (uint32_t)now.mono_ms;
	return site;
}

void site_start(struct site *site, struct instant now)
{
	for (size_t i = 0; i < site->conf->policy.n_meters; i++)
		open_meter(site, i, now.mono_ms);
	for (size_t i = 0; i < site->conf->policy.n_miners; i++)
		open_miner(site, i, now.mono_ms);
}

static void adopt_miner(struct site *site, size_t i, const struct site *old)
{
	for (size_t k = 0; k < old->conf->policy.n_miners; k++) {
		size_t at = (i + k) % old->conf->policy.n_miners;       /* mostly the same place */
		if (strcmp(site->conf->miners[i].name, old->conf->miners[at].name) ||
		    strcmp(site->conf->miners[i].conf.host, old->conf->miners[at].conf.host))
			continue;
		site->seen_miners[i] = old->seen_miners[at];
		site->tracks[i] = old->tracks[at];
		return;
	}
}

static void adopt_meter(struct site *site, size_t i, const struct site *old)
{
	for (size_t k = 0; k < old->conf->policy.n_meters; k++) {
		size_t at = (i + k) % old->conf->policy.n_meters;
		if (strcmp(site->conf->meters[i].name, old->conf->meters[at].name) ||
		    strcmp(site->conf->meters[i].conf.host, old->conf->meters[at].conf.host))
			continue;
		site->meters[i].newest = old->meters[at].newest;
		site->meters[i].alarmed = old->meters[at].alarmed;
		return;
	}
}

void site_adopt(struct site *site, const struct site *old)
{
	site->state = old->state;
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
	for (size_t i = 0; i < site->conf->policy.n_meters; i++)
		adopt_meter(site, i, old);
	for (size_t i = 0; i < site->conf->policy.n_miners; i++)
		adopt_miner(site, i, old);
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
	free(site->commands);
	free(site);
	user.on_closed(user.self);
}

static void on_device_closed(struct site *site)
{
	if (--site->open_devices == 0)
		site_free(site);
}

void site_close(struct site *site)
{
	const struct site_conf *conf = site->conf;
	size_t n_meters = conf->policy.n_meters, n_miners = conf->policy.n_miners;
	outcomes_give_up(site);
	site->closing = true;
	/* Nobody's on_closed fires inside close, so the site outlives both loops. */
	for (size_t i = 0; i < n_meters; i++)
		conf->meters[i].driver->close(site->meters[i].meter);
	for (size_t i = 0; i < n_miners; i++)
		conf->miners[i].driver->close(site->miners[i].miner);
}
