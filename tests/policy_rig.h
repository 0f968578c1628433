/* tests/policy_rig.h - a small site around policy_step alone: what its meters show, and miners that obey to the letter
 * or not at all. A cap of 1 MW, a reserve of 20 kW, miners of 3 kW that sleep at nothing, two PDUs of 500 kW nameplate. */
#ifndef TESTS_POLICY_RIG_H
#define TESTS_POLICY_RIG_H

#include <string.h>

#include "policy/policy.h"
#include "policy/refresh.h"

#define RIG_MINERS 64
#define RIG_METERS 4
#define RIG_STEP_MS 250
#define RIG_MINER_W 3000
#define RIG_CAP_W 1000000
#define RIG_RESERVE_W 20000

enum { RIG_SITE, RIG_PDU, RIG_BACKUP };                 /* groups of meters, and the first meter of each: */
enum { RIG_MAIN, RIG_PDU_1, RIG_PDU_2, RIG_SPARE };

struct rig_miner {
	bool hash;                      /* the state it is in, or on its way to … */
	enum deed deed;                 /* … by the newest order that it followed */
	bool mute;                      /* does not answer */
	bool deaf;                      /* hears orders and does nothing */
	bool deaf_to_power;             /* hears those that tell another power, and does nothing */
	bool stubborn;                  /* does not take orders, and says so */
	bool tells_no_watts;
	int32_t own_error_permille;     /* of its own figure */
	int32_t least_w;                /* it hashes at no less, whatever it is told */
	enum fault answer;              /* to orders; FAULT_NEVER: none comes */
	int32_t from_w, to_w;
	int64_t moved_ms;
};

struct rig {
	struct policy_conf conf;
	struct policy_meter_group meter_groups[3];
	struct policy_miner_group miner_groups[2];      /* the first half of the miners, the second */
	uint16_t meter_group[RIG_METERS], miner_group[RIG_MINERS];
	struct policy_state state;
	struct miner_track tracks[RIG_MINERS];
	struct meter_reading meters[RIG_METERS];
	struct miner_seen seen[RIG_MINERS];
	struct demand demand;
	const struct notice *notices;
	size_t n_notices;
	bool futile;
	struct rig_miner miners[RIG_MINERS];
	int64_t now_ms, gpus_w, house_w;                /* half of the GPUs behind each PDU */
	bool mute[RIG_METERS];
	int64_t refresh_ms, register_w;                 /* so often the site's meter measures; 0: whenever it is asked */
	struct refresh refresh;
	struct candidate scratch[RIG_MINERS];
	struct command commands[RIG_MINERS];
	struct decision out;
	uint32_t sleeps, wakes, powers;                 /* told since the rig was made */
};

static inline struct demand rig_no_demand(void)
{
	return (struct demand){ .limit_w = POLICY_NONE, .limit_soon_w = POLICY_NONE, .setpoint_w = POLICY_NONE,
	                        .miners_w = POLICY_NONE, .miners_soon_w = POLICY_NONE,
	                        .limit_from = -1, .setpoint_from = -1, .miners_from = -1 };
}

static inline void rig_init(struct rig *rig, int64_t gpus_w, uint32_t n_awake)
{
	*rig = (struct rig){ .demand = rig_no_demand(), .now_ms = 100000, .gpus_w = gpus_w };
	rig->meter_groups[RIG_SITE] = (struct policy_meter_group){ MEASURES_SITE, -1, 0, 2000 };
	rig->meter_groups[RIG_PDU] = (struct policy_meter_group){ MEASURES_HPC, -1, 500000, 3000 };
	rig->meter_groups[RIG_BACKUP] = (struct policy_meter_group){ MEASURES_HPC, RIG_PDU, 1000000, 3000 };
	memcpy(rig->meter_group, (uint16_t[]){ RIG_SITE, RIG_PDU, RIG_PDU, RIG_BACKUP }, sizeof(rig->meter_group));
	for (int g = 0; g < 2; g++)
		rig->miner_groups[g] = (struct policy_miner_group){
			.priority = 50, .efficiency_mj_per_th = 20000, .nominal_w = RIG_MINER_W, .stale_ms = 60000,
			.sleep = { 2000, 3000 }, .wake = { 5000, 10000 } };
	for (uint32_t i = 0; i < RIG_MINERS; i++) {
		rig->miner_group[i] = i >= RIG_MINERS / 2;
		rig->miners[i].hash = i < n_awake;
		rig->miners[i].from_w = rig->miners[i].to_w = i < n_awake ? RIG_MINER_W : 0;
		rig->miners[i].answer = FAULT_NONE;
	}
	rig->conf = (struct policy_conf){
		.cap_w = RIG_CAP_W, .target_w = POLICY_NONE, .reserve_w = RIG_RESERVE_W,
		.meter_groups = rig->meter_groups, .meter_group = rig->meter_group,
		.miner_groups = rig->miner_groups, .miner_group = rig->miner_group,
		.n_meter_groups = 2, .n_meters = 3, .n_miner_groups = 2, .n_miners = RIG_MINERS };
}

/* The group's miners may be run at least_w, and follow such orders in six seconds, up and down. */
static inline void rig_partial(struct rig *rig, int group, int32_t least_w)
{
	rig->miner_groups[group].partial_w = least_w;
	rig->miner_groups[group].step_w = 1;
	rig->miner_groups[group].power = (struct policy_response){ 2000, 4000 };
}

static inline int32_t rig_miner_w(const struct rig *rig, uint32_t i)
{
	const struct rig_miner *miner = &rig->miners[i];
	const struct policy_miner_group *group = &rig->miner_groups[rig->miner_group[i]];
	const struct policy_response *r = miner->deed == DEED_POWER ? &group->power : miner->hash ? &group->wake : &group->sleep;
	int64_t on_ms = rig->now_ms - miner->moved_ms - r->delay_ms;
	if (on_ms >= r->ramp_ms)
		return miner->to_w;
	return on_ms <= 0 ? miner->from_w : miner->from_w + (int32_t)((miner->to_w - miner->from_w) * on_ms / r->ramp_ms);
}

static inline int64_t rig_miners_w(const struct rig *rig)
{
	int64_t sum_w = 0;
	for (uint32_t i = 0; i < rig->conf.n_miners; i++)
		sum_w += rig_miner_w(rig, i);
	return sum_w;
}

static inline void rig_read_meter(struct rig *rig, size_t i, int64_t import_w)
{
	if (!rig->mute[i])
		rig->meters[i] = (struct meter_reading){ .fault = FAULT_NONE, .at_ms = rig->now_ms, .import_w = import_w };
	else if (rig->meters[i].fault != FAULT_NONE)
		rig->meters[i].fault = FAULT_SILENT;
}

static inline void rig_read_miner(struct rig *rig, uint32_t i)
{
	const struct rig_miner *miner = &rig->miners[i];
	int32_t power_w = rig_miner_w(rig, i);
	bool ramping = miner->hash && miner->deed != DEED_POWER && power_w < miner->to_w;
	struct miner_reading *r = &rig->seen[i].reading;
	if (miner->mute) {
		r->fault = FAULT_SILENT;
		return;
	}
	*r = (struct miner_reading){ .fault = FAULT_NONE, .at_ms = rig->now_ms, .steerable = !miner->stubborn,
		.state = ramping ? MINER_RAMPING : miner->hash ? MINER_HASHING : MINER_ASLEEP };
	if (!miner->tells_no_watts) {
		r->knows_power = true;
		r->power_w = power_w + (int32_t)((int64_t)power_w * miner->own_error_permille / 1000);
		r->awake_w = RIG_MINER_W;
	}
}

/* Everything is read now; what it shows may be spoilt before rig_decide. */
static inline void rig_read(struct rig *rig)
{
	if (!rig->refresh_ms || rig->now_ms % rig->refresh_ms < RIG_STEP_MS)
		rig->register_w = rig->gpus_w + rig->house_w + rig_miners_w(rig);
	rig_read_meter(rig, RIG_MAIN, rig->register_w);
	if (rig->refresh_ms && !rig->mute[RIG_MAIN])
		rig->meters[RIG_MAIN].age_ms = refresh_age_ms(&rig->refresh, rig->register_w, rig->now_ms);
	rig_read_meter(rig, RIG_PDU_1, rig->gpus_w / 2);
	rig_read_meter(rig, RIG_PDU_2, rig->gpus_w - rig->gpus_w / 2);
	rig_read_meter(rig, RIG_SPARE, rig->gpus_w);
	for (uint32_t i = 0; i < rig->conf.n_miners; i++)
		rig_read_miner(rig, i);
}

static inline void rig_order(struct rig *rig, const struct command *command)
{
	struct rig_miner *miner = &rig->miners[command->miner];
	rig->seen[command->miner].heard = miner->mute ? FAULT_SILENT : miner->answer;
	rig->seen[command->miner].heard_ms = rig->now_ms + 1;
	if (miner->mute || miner->deaf || (miner->deaf_to_power && command->deed == DEED_POWER))
		return;
	if (miner->answer != FAULT_NONE && miner->answer != FAULT_NEVER)
		return;
	miner->from_w = rig_miner_w(rig, command->miner);
	miner->to_w = !command->hash ? 0 : command->limit_w && command->limit_w < RIG_MINER_W ? command->limit_w : RIG_MINER_W;
	if (command->hash && miner->to_w < miner->least_w)
		miner->to_w = miner->least_w;
	miner->hash = command->hash;
	miner->deed = command->deed;
	miner->moved_ms = rig->now_ms;
}

static inline void rig_decide(struct rig *rig)
{
	struct snapshot seen = { .now_ms = rig->now_ms, .demand = rig->demand, .meters = rig->meters, .miners = rig->seen,
	                         .notices = rig->notices, .n_notices = rig->n_notices, .futile = rig->futile };
	rig->out.commands = rig->commands;
	policy_step(&rig->conf, &rig->state, rig->tracks, &seen, rig->scratch, &rig->out);
	for (uint32_t c = 0; c < rig->out.n_commands; c++) {
		uint32_t *told[N_DEEDS] = { [DEED_SLEEP] = &rig->sleeps, [DEED_WAKE] = &rig->wakes, [DEED_POWER] = &rig->powers };
		*told[rig->commands[c].deed] += 1;
		rig_order(rig, &rig->commands[c]);
	}
}

static inline void rig_step(struct rig *rig)
{
	rig->now_ms += RIG_STEP_MS;
	rig_read(rig);
	rig_decide(rig);
}

static inline void rig_run(struct rig *rig, int64_t ms)
{
	for (int64_t end_ms = rig->now_ms + ms; rig->now_ms < end_ms; )
		rig_step(rig);
}

#endif
