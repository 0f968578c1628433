/* When who is asked, and what they say. */
#include <stdlib.h>

#include "daemon/site_parts.h"

#define WATCH_MS      1000              /* a miner told something is looked at so often … */
#define WATCHES_PER_S 2000              /* … while they are few enough for that */
#define POLLS_PER_MS  3                 /* of miners, at most, … */
#define ROUND_MS      15000             /* … or as many as ask all of them within this: the policy waits 30 s for who was not heard */
#define TICK_MS       10                /* miners are polled so often: a handful at a time wakes the loop less */
#define MOST_TICK_MS  50                /* what a late tick makes up for */
#define FIRST_MS      3000              /* the first polls are spread over this, or longer where there are many */

static int64_t now_ms_of(const struct site *site)
{
	return site->rooms.clock->now(site->rooms.clock).mono_ms;
}

static void note_worst(int64_t *worst_ms, int64_t ms)
{
	if (ms > *worst_ms)
		*worst_ms = ms;
}

/* ---- what devices say ---- */

static void on_meter_reading(void *self, const struct meter_reading *reading)
{
	struct site_meter_state *meter = self;
	struct site *site = meter->site;
	uint32_t i = (uint32_t)(meter - site->meters);
	const struct policy_conf *policy = &site->conf->policy;
	bool of_site = policy->meter_groups[policy->meter_group[i]].measures == MEASURES_SITE;
	meter->polling = false;
	note_worst(&meter->worst_answer_ms, now_ms_of(site) - meter->asked_ms);
	meter->fault = reading->fault;
	if (reading->fault == FAULT_NONE) {
		meter->newest = *reading;
		/* What GPUs draw may well be the same for hours. */
		if (of_site)
			meter->newest.age_ms = refresh_age_ms(&meter->refresh, reading->import_w, reading->at_ms) +
			                       site->conf->meters[i].averaged_ms / 2;
	} else if (meter->newest.fault != FAULT_NONE) {
		meter->newest.fault = reading->fault;
	}
	meter->faults += reading->fault != FAULT_NONE;
	if (!schedule_has(&site->meters_due, i))
		schedule_put(&site->meters_due, i, meter->next_ms);
	if (of_site && !site->closing) {
		if (!site->prompted_ms && reading->fault == FAULT_NONE)
			site->prompted_ms = reading->at_ms;
		site->user.on_changed(site->user.self);
	}
}

static void on_miner_reading(void *self, const struct miner_reading *reading)
{
	struct site_miner_state *miner = self;
	struct site *site = miner->site;
	uint32_t i = (uint32_t)(miner - site->miners);
	struct instant now = site->rooms.clock->now(site->rooms.clock);
	miner->polling = false;
	note_worst(&miner->worst_answer_ms, now.mono_ms - miner->asked_ms);
	miner->fault = reading->fault;
	miner->faults += reading->fault != FAULT_NONE;
	site->seen_miners[i].reading = *reading;
	if (!schedule_has(&site->miners_due, i))
		schedule_put(&site->miners_due, i, miner->next_ms);
	if (reading->fault == FAULT_NONE && reading->identity != miner->identity)
		identity_read(site, i, now);
	if (reading->fault == FAULT_NONE && reading->firmware && reading->firmware != miner->firmware)
		firmware_read(site, i);
}

static void on_ordered(void *self, enum fault fault)
{
	struct site_miner_state *miner = self;
	struct site *site = miner->site;
	uint32_t i = (uint32_t)(miner - site->miners);
	int64_t now_ms = now_ms_of(site);
	site->orders_out--;
	/* Every order is answered, also one that a newer one replaced: only the last answer is the newest order's. */
	if (--miner->orders_out > 0)
		return;
	note_worst(&miner->worst_order_ms, now_ms - miner->told_ms);
	site->seen_miners[i].heard = fault;
	site->seen_miners[i].heard_ms = now_ms;
	outcome_answered(site, i, fault, now_ms);
}

static void on_meter_closed(void *self) { site_device_closed(((struct site_meter_state *)self)->site); }
static void on_miner_closed(void *self) { site_device_closed(((struct site_miner_state *)self)->site); }

/* ---- whose turn it is ---- */

static uint32_t roll(struct site *site, uint32_t n)
{
	site->jitter = site->jitter * 1664525u + 1013904223u;
	return (site->jitter >> 8) % n;
}

/* Plus or minus 1/32, so that thousands of devices do not fall into step. */
static int64_t jittered(struct site *site, int64_t every_ms)
{
	return every_ms + every_ms * ((int64_t)roll(site, 64) - 32) / 1024;
}

static int64_t watch_ms(const struct site *site)
{
	int64_t ms = (int64_t)site->pace.moving * 1000 / WATCHES_PER_S;
	return ms > WATCH_MS ? ms : WATCH_MS;
}

static int64_t pause_ms(struct site *site, uint32_t i)
{
	struct site_miner_state *miner = &site->miners[i];
	int64_t every_ms = site->conf->miners[i].every_ms, soon_ms = watch_ms(site);
	if (site->tracks[i].under_way) {
		miner->watched = true;
		return jittered(site, every_ms < soon_ms ? every_ms : soon_ms);
	}
	if (!miner->watched)
		return jittered(site, every_ms);
	/* Thousands that started, or were told something, at the same time are not to be asked at the same time for ever. */
	miner->watched = false;
	return every_ms / 3 + roll(site, (uint32_t)every_ms * 2 / 3 + 1);
}

void poll_soon(struct site *site, uint32_t i, int64_t now_ms)
{
	struct site_miner_state *miner = &site->miners[i];
	const struct policy_conf *policy = &site->conf->policy;
	const struct policy_miner_group *group = &policy->miner_groups[policy->miner_group[i]];
	const struct policy_response *responses[N_DEEDS] = { &group->sleep, &group->wake, &group->power };
	const struct policy_response *response = responses[deed_told(&site->tracks[i])];
	int64_t done_ms = response->delay_ms + response->ramp_ms, in_ms = watch_ms(site);
	/* Of many, each is looked at for the first time when it can be there, not sooner: the next look is far off. */
	if (in_ms > WATCH_MS && in_ms > done_ms)
		in_ms = done_ms > WATCH_MS ? done_ms : WATCH_MS;
	if (miner->next_ms <= now_ms + in_ms)
		return;
	miner->next_ms = now_ms + in_ms;
	if (schedule_has(&site->miners_due, i))
		schedule_put(&site->miners_due, i, miner->next_ms);
}

/* ---- polling ---- */

static void poll_meter(struct site *site, uint32_t i, int64_t now_ms)
{
	struct site_meter_state *meter = &site->meters[i];
	int64_t every_ms = site->conf->meters[i].every_ms;
	if (meter->polling)
		return;                 /* comes back with its answer */
	note_worst(&meter->worst_late_ms, now_ms - meter->next_ms);
	meter->asked_ms = now_ms;
	meter->next_ms += every_ms;
	if (meter->next_ms <= now_ms)   /* late by more than a period: do not catch up */
		meter->next_ms = now_ms + every_ms;
	schedule_put(&site->meters_due, i, meter->next_ms);
	meter->polling = true;
	meter->polls++;
	site->conf->meters[i].driver->poll(meter->meter);
}

static void poll_miner(struct site *site, uint32_t i, int64_t now_ms)
{
	struct site_miner_state *miner = &site->miners[i];
	if (miner->polling)
		return;
	note_worst(&site->pace.late_now_ms, now_ms - miner->next_ms);
	miner->asked_ms = now_ms;
	miner->next_ms = now_ms + pause_ms(site, i);
	schedule_put(&site->miners_due, i, miner->next_ms);
	miner->polling = true;
	miner->polls++;
	site->pace.polls++;
	site->conf->miners[i].driver->poll(miner->miner);
}

static int64_t polls_per_ms(const struct site *site)
{
	int64_t needed = ((int64_t)site->conf->policy.n_miners + ROUND_MS - 1) / ROUND_MS;
	return needed > POLLS_PER_MS ? needed : POLLS_PER_MS;
}

/* As many as the time since the last tick allows; those that are due longest go first. */
static int64_t poll_miners(struct site *site, int64_t now_ms)
{
	int64_t since_ms = now_ms - site->polled_ms, next_ms = now_ms + TICK_MS;
	uint32_t i;
	if (since_ms < TICK_MS)
		return site->polled_ms + TICK_MS;
	site->polled_ms = now_ms;
	if (since_ms > MOST_TICK_MS)
		since_ms = MOST_TICK_MS;
	for (int64_t room = since_ms * polls_per_ms(site); room > 0 && schedule_take(&site->miners_due, now_ms, &i); room--)
		poll_miner(site, i, now_ms);
	return schedule_next_ms(&site->miners_due) > next_ms ? schedule_next_ms(&site->miners_due) : next_ms;
}

int64_t site_poll(struct site *site, struct instant now)
{
	uint32_t i;
	if (site->closing)
		return INT64_MAX;
	while (schedule_take(&site->meters_due, now.mono_ms, &i))
		poll_meter(site, i, now.mono_ms);
	int64_t miners_ms = poll_miners(site, now.mono_ms);
	int64_t words_ms = tell_more(site, now.mono_ms);
	int64_t next_ms = schedule_next_ms(&site->meters_due);
	next_ms = miners_ms < next_ms ? miners_ms : next_ms;
	return words_ms < next_ms ? words_ms : next_ms;
}

void poll_pace_told(struct site *site, int64_t over_ms)
{
	struct fleet_pace *pace = &site->pace;
	pace->polls_per_s = (uint32_t)((pace->polls - pace->polls_before) * 1000 / (uint64_t)(over_ms > 0 ? over_ms : 1));
	pace->polls_before = pace->polls;
	pace->late_ms = pace->late_now_ms;
	pace->late_now_ms = 0;
}

/* ---- opening ---- */

static void open_meter(struct site *site, uint32_t i, int64_t now_ms)
{
	struct site_meter_state *meter = &site->meters[i];
	const struct site_meter *conf = &site->conf->meters[i];
	meter->site = site;
	if (meter->newest.fault == FAULT_NEVER && !meter->newest.at_ms)
		meter->newest.at_ms = now_ms;
	/* Meters of a group start evenly spread over a period. */
	meter->next_ms = now_ms + conf->every_ms * (int64_t)(i % 64) / 64;
	schedule_put(&site->meters_due, i, meter->next_ms);
	meter->meter = conf->driver->open(site->rooms.meters, &conf->conf,
	                                  (struct meter_user){ meter, on_meter_reading, on_meter_closed });
	site->open_devices++;
}

/* The same address may be told another driver now. */
static void recall(struct miner_memory *memory, struct miner *miner)
{
	const struct miner_driver *driver = memory->driver;
	if (driver)
		driver->recall(driver == miner->driver ? miner : NULL, memory);
}

static void open_miner(struct site *site, uint32_t i, int64_t now_ms)
{
	struct site_miner_state *miner = &site->miners[i];
	const struct site_miner *conf = &site->conf->miners[i];
	int64_t n = (int64_t)site->conf->policy.n_miners;
	int64_t spread_ms = conf->every_ms < FIRST_MS ? conf->every_ms : FIRST_MS;
	if (spread_ms < n / polls_per_ms(site))
		spread_ms = n / polls_per_ms(site);
	miner->site = site;
	miner->watched = true;
	miner->next_ms = now_ms + spread_ms * (int64_t)i / n;
	schedule_put(&site->miners_due, i, miner->next_ms);
	miner->miner = conf->driver->open(site->rooms.miners, &conf->conf,
	                                  (struct miner_user){ miner, on_miner_reading, on_ordered, on_miner_closed });
	if (site->memories)
		recall(&site->memories[i], miner->miner);
	site->open_devices++;
}

/* Whether it was heard is not known; an order says what to be, so that once more does no harm. */
static void order_again(struct site *site, uint32_t i, int64_t now_ms)
{
	struct site_miner_state *miner = &site->miners[i];
	struct miner_order order = { .hash = site->tracks[i].told_hash, .limit_w = site->tracks[i].limit_w };
	miner->cut = false;
	miner->orders_out++;
	miner->told_ms = now_ms;
	site->orders_out++;
	site->conf->miners[i].driver->order(miner->miner, &order);
}

void site_start(struct site *site, struct instant now)
{
	for (uint32_t i = 0; i < site->conf->policy.n_meters; i++)
		open_meter(site, i, now.mono_ms);
	for (uint32_t i = 0; i < site->conf->policy.n_miners; i++)
		open_miner(site, i, now.mono_ms);
	for (uint32_t i = 0; i < site->conf->policy.n_miners; i++)
		if (site->miners[i].cut)
			order_again(site, i, now.mono_ms);
	free(site->memories);
	site->memories = NULL;
}
