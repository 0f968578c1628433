/* The control law by law: random sites in random trouble, and what must hold at every step. MULLET_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/record.h"
#include "policy/internal.h"
#include "sim/dice.h"
#include "tests/policy_rig.h"

#define EPISODES 500
#define STEPS    240
#define LONG     16                     /* so much longer is one episode in LONG: what is foretold takes minutes to learn */
#define DAY_MS   (24LL * 3600 * 1000)

struct chance { uint64_t seed, n; };

static int64_t upto(struct chance *c, int64_t n)        /* 0 … n */
{
	return (int64_t)(dice(c->seed, c->n++, 0) % (uint64_t)(n + 1));
}

static bool one_in(struct chance *c, int64_t n)
{
	return upto(c, n - 1) == 0;
}

static void random_group(struct chance *c, struct policy_miner_group *group)
{
	*group = (struct policy_miner_group){
		.priority = (int16_t)upto(c, 2), .efficiency_mj_per_th = (int32_t)upto(c, 2) * 10000,
		.nominal_w = (int32_t)(500 + upto(c, 6000)), .asleep_w = (int32_t)upto(c, 100),
		.cycles_per_day = (int32_t)upto(c, 3) * 10,
		.min_awake_ms = upto(c, 1) * upto(c, 60000), .min_asleep_ms = upto(c, 1) * upto(c, 60000),
		.stale_ms = 5000 + upto(c, 60000),
		.sleep = { upto(c, 3000), upto(c, 5000) }, .wake = { upto(c, 10000), upto(c, 20000) },
	};
	if (one_in(c, 2))
		return;
	group->partial_w = group->asleep_w + 100 + (int32_t)upto(c, group->nominal_w - group->asleep_w - 150);
	group->step_w = (int32_t)(upto(c, 2) * upto(c, 100));
	group->power = (struct policy_response){ upto(c, 3000), upto(c, 10000) };
}

static void random_circuits(struct chance *c, struct rig *rig)
{
	static uint16_t circuit[RIG_MINERS];
	rig->conf.n_circuits = (size_t)(1 + upto(c, RIG_MINERS - 1));
	for (uint32_t i = 0; i < RIG_MINERS; i++)
		circuit[i] = (uint16_t)upto(c, (int64_t)rig->conf.n_circuits - 1);
	rig->conf.circuit = circuit;
}

static void random_site(struct chance *c, struct rig *rig)
{
	rig_init(rig, upto(c, 900000), (uint32_t)upto(c, RIG_MINERS));
	rig->house_w = upto(c, 1) * upto(c, 50000);
	rig->conf.n_miners = one_in(c, 20) ? 0 : (size_t)(1 + upto(c, RIG_MINERS - 1));
	for (int g = 0; g < 2; g++)
		random_group(c, &rig->miner_groups[g]);
	for (uint32_t i = 0; i < RIG_MINERS; i++)
		rig->miners[i].tells_no_watts = one_in(c, 8);
	rig->conf.cap_w = 500000 + upto(c, 800000);
	rig->conf.reserve_w = one_in(c, 2) ? POLICY_NONE : upto(c, 100000);
	rig->conf.target_w = one_in(c, 2) ? POLICY_NONE : upto(c, 1200000);
	rig->conf.ramp_up_w_per_min = one_in(c, 2) ? 0 : 1 + upto(c, 1000000);
	rig->conf.ramp_down_w_per_min = one_in(c, 2) ? 0 : 1 + upto(c, 1000000);
	rig->meter_groups[RIG_PDU].nameplate_w = upto(c, 600000);
	switch (upto(c, 5)) {
	case 0: rig->conf.n_meters = rig->conf.n_meter_groups = 1; break;
	case 1: rig->conf.n_meters = 4; rig->conf.n_meter_groups = 3; break;
	}
	if (one_in(c, 2))
		random_circuits(c, rig);
	for (; one_in(c, 3) && rig->conf.n_windows < POLICY_WINDOWS; rig->conf.n_windows++)
		rig->conf.windows[rig->conf.n_windows] = (struct policy_window){ 1000 + upto(c, 59000), 1 + upto(c, 400000) };
}

/* A site that may be foretold. */
static void make_gentle(struct chance *c, struct rig *rig)
{
	rig->conf.reserve_w = rig->conf.target_w = POLICY_NONE;
	rig->conf.prefer = PREFER_FLAT;
	rig->gpus_w = upto(c, rig->conf.cap_w - rig->house_w);
	for (int g = 0; g < 2; g++)
		rig_partial(rig, g, rig->miner_groups[g].asleep_w + 100);
}

static void random_demand(struct chance *c, struct demand *demand)
{
	*demand = rig_no_demand();
	if (one_in(c, 3))
		demand->limit_w = demand->limit_soon_w = upto(c, 1200000);
	if (one_in(c, 4))
		demand->limit_soon_w = upto(c, demand->limit_w == POLICY_NONE ? 1200000 : demand->limit_w);
	if (one_in(c, 3)) {
		demand->setpoint_w = upto(c, 1200000);
		demand->setpoint_ramp_w_per_min = upto(c, 1) * upto(c, 1000000);
		demand->by_operator = one_in(c, 2);
	}
	if (one_in(c, 4)) {
		demand->miners_w = demand->miners_soon_w = upto(c, 200000);
		demand->shed = one_in(c, 2);
	}
}

static void random_trouble(struct chance *c, struct rig *rig, bool gentle)
{
	struct rig_miner *miner = &rig->miners[upto(c, RIG_MINERS - 1)];
	switch (gentle ? 2 + upto(c, 2) : upto(c, 12)) {
	case 0: case 1: rig->gpus_w = upto(c, 1000000); break;
	case 2: rig->gpus_w += rig->gpus_w / 20 - upto(c, rig->gpus_w / 10); break;
	case 3: rig->mute[upto(c, RIG_METERS - 1)] ^= true; break;
	case 4: memset(rig->mute, 0, sizeof(rig->mute)); break;
	case 5: miner->mute ^= true; break;
	case 6: miner->deaf ^= true; break;
	case 7: miner->stubborn ^= true; break;
	case 8: miner->answer = (enum fault)upto(c, FAULT_ABSURD); break;
	case 9: random_demand(c, &rig->demand); break;
	case 10: rig->demand = rig_no_demand(); break;
	case 11:
		for (uint32_t i = 0; i < RIG_MINERS; i++)
			rig->miners[i] = (struct rig_miner){ .hash = rig->miners[i].hash, .answer = FAULT_NONE,
				.deed = rig->miners[i].deed, .from_w = rig->miners[i].from_w, .to_w = rig->miners[i].to_w,
				.moved_ms = rig->miners[i].moved_ms };
		break;
	case 12: miner->deaf_to_power ^= true; break;
	}
}

/* What devices may say in their madness: anything an integer holds. */
static void random_madness(struct chance *c, struct rig *rig)
{
	if (one_in(c, 12))
		rig->meters[upto(c, 3)].import_w = (int64_t)dice(c->seed, c->n++, 1) >> upto(c, 40);
	if (one_in(c, 6)) {
		struct miner_reading *r = &rig->seen[upto(c, RIG_MINERS - 1)].reading;
		r->power_w = (int32_t)dice(c->seed, c->n++, 1) >> upto(c, 20);
		r->awake_w = (int32_t)dice(c->seed, c->n++, 1) >> upto(c, 20);
		r->state = (enum miner_state)upto(c, MINER_ASLEEP);
	}
	if (one_in(c, 2000)) {                  /* a restart */
		rig->state = (struct policy_state){ 0 };
		memset(rig->tracks, 0, sizeof(rig->tracks));
	}
}

static int64_t next_ms(struct chance *c, int64_t now_ms)
{
	if (one_in(c, 20))
		return now_ms;                  /* it stalls */
	return now_ms + (one_in(c, 100) ? upto(c, 60000) : 200 + upto(c, 100));
}

/* ---- the laws ---- */

static const struct policy_miner_group *group_of(const struct rig *rig, uint32_t miner)
{
	return &rig->miner_groups[rig->miner_group[miner]];
}

static bool is_up(const struct rig *rig, const struct command *command)
{
	return move_is_up((enum move)rig->tracks[command->miner].move);
}

static uint32_t ups(const struct rig *rig)
{
	uint32_t n = 0;
	for (uint32_t c = 0; c < rig->out.n_commands; c++)
		n += is_up(rig, &rig->out.commands[c]);
	return n;
}

static uint32_t wakes(const struct rig *rig)
{
	uint32_t n = 0;
	for (uint32_t c = 0; c < rig->out.n_commands; c++)
		n += rig->out.commands[c].deed == DEED_WAKE;
	return n;
}

static bool has_partial(const struct rig *rig)
{
	return rig->miner_groups[0].partial_w || rig->miner_groups[1].partial_w;
}

/* The load that the site is to be under the limit with: the one planned for, and where it is foretold the one there is. */
static bool foretells(const struct rig *rig)
{
	return !rig->state.wary_slots && !reserve_slots(rig->state.chosen_hold);
}

static int64_t risked_w(const struct rig *rig)
{
	return foretells(rig) ? rig->out.picture.load_w : rig->out.picture.planned_w;
}

static bool is_over(const struct rig *rig)
{
	const struct picture *p = &rig->out.picture;
	return !p->failsafe && risked_w(rig) + p->doubt_w + p->settled_miners_w > p->limit_w;
}

static void law_of_deeds(const struct rig *rig, const struct command *command)
{
	const struct policy_miner_group *group = group_of(rig, command->miner);
	bool whole = !group->partial_w || command->deed == DEED_SLEEP;
	assert_true(command->deed < N_DEEDS && command->hash == (command->deed != DEED_SLEEP));
	assert_true(whole ? command->limit_w == 0 : command->limit_w >= group->partial_w && command->limit_w <= group->nominal_w);
	assert_true(command->deed != DEED_POWER || group->partial_w);
	if (command->deed == DEED_POWER)        /* one that hashes, as far as it is known */
		assert_true(rig->tracks[command->miner].phase == PHASE_AWAKE);
	if (command->deed == DEED_WAKE)
		assert_true(command->to_w > command->from_w || command->from_w > 0);
}

/* One way in one decision, but that some are woken to the least power while others are lowered by as much. */
static void law_of_ways(const struct rig *rig)
{
	uint32_t n_up = ups(rig), n = rig->out.n_commands;
	for (uint32_t c = 0; c < n && n_up && n_up < n; c++)
		assert_true(has_partial(rig) && rig->tracks[rig->out.commands[c].miner].move != MOVE_RAISE);
}

static void law_of_commands(const struct rig *rig, const struct miner_track *before)
{
	const struct decision *d = &rig->out;
	bool named[RIG_MINERS] = { false };
	assert_true(d->n_commands <= rig->conf.n_miners && d->n_repeats <= d->n_commands);
	assert_int_equal(d->reason == REASON_NONE, d->n_commands == 0);
	assert_true(d->reason < N_REASONS && d->binding < N_BINDINGS);
	for (uint32_t c = 0; c < d->n_commands; c++) {
		const struct command *command = &d->commands[c];
		assert_true(command->miner < rig->conf.n_miners && !named[command->miner]);
		named[command->miner] = true;
		const struct miner_reading *r = &rig->seen[command->miner].reading;
		law_of_deeds(rig, command);
		assert_true(r->fault == FAULT_NONE && (r->steerable || r->at_ms == before[command->miner].read_ms));    /* no news */
		assert_true(rig->now_ms - r->at_ms <= group_of(rig, command->miner)->stale_ms);
	}
	law_of_ways(rig);
}

/* Nothing is told again before it had its time, unless it was refused; what falls must land before it is woken, what is on
 * its way up may be turned round. */
static void law_of_flight(const struct rig *rig, const struct miner_track *before)
{
	for (uint32_t c = 0; c < rig->out.n_commands; c++) {
		const struct command *command = &rig->out.commands[c];
		const struct miner_track *track = &before[command->miner];
		const struct policy_miner_group *group = group_of(rig, command->miner);
		const struct miner_seen *seen = &rig->seen[command->miner];
		bool refused = seen->heard != FAULT_NONE && seen->heard != FAULT_NEVER && seen->heard_ms >= track->told_ms;
		const struct policy_response *r = deed_response(group, track->deed);
		bool in_flight = track->under_way && rig->now_ms - track->told_ms < (r->delay_ms + r->ramp_ms) * 2 / 5;
		if (in_flight && !refused)
			assert_true(track->told_hash && !is_up(rig, command) &&
			            (command->deed == DEED_SLEEP || track->to_w > track->from_w));
		if (track->phase == PHASE_FAULTY && track->told_hash == command->hash && track->tries >= POLICY_MAX_TRIES)
			assert_true(rig->now_ms - track->settled_ms >= POLICY_FAULTY_MS || rig->tracks[command->miner].tries == 1);
	}
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t lowest_lately_w(const struct rig *rig)          /* of the last 20 s */
{
	int64_t lowest_w = INT64_MAX;
	for (uint32_t age = 0; age < 40 && age < rig->state.n_loads; age++)
		lowest_w = least(lowest_w, rig->state.loads_w[(rig->state.newest + POLICY_LOADS - age) % POLICY_LOADS]);
	return lowest_w;
}
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t reserve_kept_w(const struct rig *rig)
{
	const struct picture *p = &rig->out.picture;
	return p->reserve_w - (rig->conf.reserve_w == POLICY_NONE ? p->swing_w : 0);
}

/* The miners, settled, if those do as told who were faulty, of whom that is not expected. */
static int64_t after_w(const struct rig *rig)
{
	int64_t sum_w = rig->out.expected_site_w - rig->out.picture.load_w;
	for (uint32_t c = 0; c < rig->out.n_commands; c++) {
		const struct miner_track *track = &rig->tracks[rig->out.commands[c].miner];
		sum_w -= track_phase(track) == PHASE_FAULTY ? track->from_w - track->to_w : 0;
	}
	return sum_w;
}

/* What is woken for others to be lowered is above what there is room for by a dead band and a hundredth of the cap at most. */
static int64_t spare_w(const struct rig *rig)
{
	int64_t largest_w = most(rig->miner_groups[0].nominal_w, rig->miner_groups[1].nominal_w);
	return largest_w / 2 + rig->conf.cap_w / 1000 + rig->conf.cap_w / 100;
}

static int64_t left_under_w(const struct rig *rig, int64_t limit_w, int64_t miners_w)
{
	const struct picture *p = &rig->out.picture;
	return least(limit_w - reserve_kept_w(rig) - p->doubt_w - p->planned_w, miners_w);
}

/* All of it into what is left now, and what is woken into what will be left soon. */
static void law_of_going_up(const struct rig *rig)
{
	const struct picture *p = &rig->out.picture;
	const struct demand *demand = &rig->demand;
	if (!ups(rig))
		return;
	assert_true(p->site_known && !p->failsafe);
	int64_t settled_w = p->settled_miners_w, woken_w = 0;
	int64_t now_w = left_under_w(rig, p->limit_w, demand->miners_w);
	int64_t soon_w = left_under_w(rig, least(p->limit_w, demand->limit_soon_w), least(demand->miners_w, demand->miners_soon_w));
	int64_t over_w = wakes(rig) && has_partial(rig) ? spare_w(rig) : 0;
	for (uint32_t c = 0; c < rig->out.n_commands; c++) {
		const struct command *command = &rig->out.commands[c];
		int64_t settled_ms = rig->tracks[command->miner].settled_ms;
		if (command->deed != DEED_WAKE)
			continue;
		woken_w += command->to_w - command->from_w;
		assert_true(!settled_ms || rig->now_ms - settled_ms >= group_of(rig, command->miner)->min_asleep_ms);
	}
	assert_true(after_w(rig) <= most(now_w, settled_w) + over_w && (over_w || after_w(rig) >= settled_w));
	assert_true(!woken_w || settled_w + woken_w <= most(soon_w, settled_w) + over_w);
	if (rig->conf.ramp_up_w_per_min)
		assert_true(rig->state.moved.up_budget_w >= 0);
}

static int64_t slowest_sleep_ms(const struct rig *rig)
{
	int64_t slowest_ms = 0;
	for (size_t g = 0; g < rig->conf.n_miner_groups; g++)
		for (enum deed deed = 0; deed < N_DEEDS; deed++) {
			const struct policy_response *used = &rig->state.actuators[g][deed].used;
			if (deed == DEED_SLEEP || (deed == DEED_POWER && rig->conf.miner_groups[g].partial_w))
				slowest_ms = most(slowest_ms, used->delay_ms + used->ramp_ms);
		}
	return slowest_ms;
}

/* A rise that has used up the reserve, or nearly, and then would go on until miners have followed, up to the peak, or beyond
 * it as far as it lately rose. Returns what is to be kept over the load for it; 0: it is none. */
static int64_t kept_for_rise_w(const struct rig *rig)
{
	const struct picture *p = &rig->out.picture;
	int64_t risen_w = p->site_known ? load_risen(&rig->state, p->load_w) : 0, reserve_w = reserve_kept_w(rig);
	if (foretells(rig))
		risen_w = least(risen_w, most(p->load_w - p->planned_w, 0));
	int64_t goes_on_w = risen_w > reserve_w / 4 * 3 ? risen_w * slowest_sleep_ms(rig) / 2000 : 0;
	bool beyond = p->load_w - p->peak_w > rig->conf.cap_w / 1000 * 3;
	goes_on_w = least(goes_on_w, most(beyond ? rig->state.holds[0].reserve_w - risen_w : p->peak_w - p->load_w, 0));
	if (!foretells(rig))
		goes_on_w = least(goes_on_w, load_beyond(&rig->state, p->load_w));
	bool rises = risen_w > reserve_w / 2 && p->load_w + p->doubt_w + p->settled_miners_w + goes_on_w > p->limit_w;
	return rises ? most(reserve_w, goes_on_w) : 0;
}

/* What must be gone: to be under the limit with the reserve, over the load as it is where a rise has used that up. */
static int64_t needed_w(const struct rig *rig)
{
	const struct picture *p = &rig->out.picture;
	int64_t allowed_w = rig->demand.miners_w;
	int64_t rising_w = kept_for_rise_w(rig);
	int64_t load_w = most(p->planned_w + reserve_kept_w(rig), p->load_w + rising_w);
	if (is_over(rig) || rising_w)
		allowed_w = least(allowed_w, p->limit_w - p->doubt_w - load_w);
	return p->settled_miners_w - most(0, allowed_w);
}

static int64_t largest_gain_w(const struct rig *rig)
{
	int64_t largest_w = 0;
	for (uint32_t c = 0; c < rig->out.n_commands; c++) {
		const struct command *command = &rig->out.commands[c];
		largest_w = most(largest_w, most(command->from_w, rig->tracks[command->miner].awake_w) - command->to_w);
	}
	return largest_w;
}

/* What must go, goes in the step in which it is known, and hardly more; what need not, keeps to wear and ramps. */
static void law_of_shedding(const struct rig *rig, bool waiting)
{
	const struct picture *p = &rig->out.picture;
	int64_t shed_w = p->settled_miners_w - after_w(rig), need_w = needed_w(rig);
	bool must = is_over(rig) || p->settled_miners_w > rig->demand.miners_w;
	if (rig->out.serves == BINDING_RISE)
		assert_true(rig->conf.reserve_w == POLICY_NONE && load_risen(&rig->state, p->load_w) > reserve_kept_w(rig));
	if (must && !p->failsafe && !waiting && need_w > 0) {
		if (rig->out.serves == BINDING_RISE)    /* as never before: two thirds of the others as well */
			need_w += most(p->curtailable_w - need_w, 0) * 67 / 100;
		assert_true(shed_w >= least(need_w, p->curtailable_w));
		if (foretells(rig))             /* up to a reserve is kept over the load as it is, whatever is foretold */
			need_w = most(need_w, p->load_w + reserve_kept_w(rig) + p->doubt_w + p->settled_miners_w - p->limit_w);
		assert_true(!rig->out.n_commands || shed_w - largest_gain_w(rig) < need_w);
		assert_true(!is_over(rig) || p->load_w + after_w(rig) + p->doubt_w <= p->limit_w || shed_w >= p->curtailable_w);
		return;
	}
	/* So near to the limit it counts as over it. */
	bool near = risked_w(rig) + p->doubt_w + p->settled_miners_w > p->limit_w - most(rig->conf.cap_w / 100, reserve_kept_w(rig) / 2);
	near |= kept_for_rise_w(rig) > 0;
	for (uint32_t c = 0; c < rig->out.n_commands && !p->failsafe && !near; c++) {
		uint32_t m = rig->out.commands[c].miner;
		const struct miner_track *track = &rig->tracks[m];
		if (rig->out.commands[c].deed != DEED_SLEEP)
			continue;
		assert_true(!track->settled_ms || rig->now_ms - track->settled_ms >= group_of(rig, m)->min_awake_ms);
		if (group_of(rig, m)->cycles_per_day)
			assert_true(track->wear_ms <= rig->now_ms + DAY_MS);
	}
	if (rig->out.n_commands > ups(rig) && rig->conf.ramp_down_w_per_min && !p->failsafe && !near)
		assert_true(rig->state.moved.down_budget_w >= 0);
}

static void law_of_the_picture(const struct rig *rig)
{
	const struct picture *p = &rig->out.picture;
	uint32_t n = 0;
	for (int phase = 0; phase < N_PHASES; phase++)
		n += p->phases[phase];
	assert_int_equal(n, rig->conf.n_miners);
	assert_true(p->curtailable_w >= 0 && p->restorable_w >= 0 && p->doubt_w >= 0 && p->swing_w >= 0 && p->reserve_w >= 0);
	assert_true(p->curtailable_w <= p->settled_miners_w);
	assert_true(risked_w(rig) >= p->load_w);
	assert_true(!rig->state.n_loads || p->planned_w >= lowest_lately_w(rig));
	assert_true(p->limit_w <= rig->conf.cap_w && p->limit_w <= rig->demand.limit_w && p->target_w <= p->limit_w);
	assert_true(p->headroom_w <= p->limit_w - p->doubt_w - p->planned_w - p->settled_miners_w);
	if (!rig->out.n_commands)
		assert_int_equal(rig->out.expected_site_w, p->load_w + p->settled_miners_w);
	assert_true(rig->out.wanted_miners_w >= 0);
	if (!p->site_known)
		assert_int_equal(ups(rig), 0);
	if (p->failsafe)
		assert_true(!p->hpc_whole && !p->site_known);
}

/* ---- the same step again, as it was or with something lost ---- */

static const char *name(const void *self, uint32_t miner)
{
	(void)self;
	(void)miner;
	return "m";
}

static void as_text(const struct decision *decision, struct json *json)
{
	struct record_names names = { name, NULL };
	struct decision_record record = { .seq = 1, .decision = decision };
	struct telemetry_record telemetry = { .picture = &decision->picture, .cap_from = "site" };
	record_decision(&record, 1, &names, json);
	json_open(json, NULL);
	record_telemetry(&telemetry, json);
	json_close(json);
	for (uint32_t c = 0; c < decision->n_commands; c++)
		json_int(json, "miner", decision->commands[c].miner * 1000000LL + decision->commands[c].limit_w);
}

static void decide_again(const struct rig *before, struct rig *again)
{
	struct snapshot seen = { .now_ms = again->now_ms, .demand = again->demand, .meters = again->meters, .miners = again->seen };
	again->state = before->state;
	memcpy(again->tracks, before->tracks, sizeof(again->tracks));
	again->out.commands = again->commands;
	policy_step(&again->conf, &again->state, again->tracks, &seen, again->scratch, &again->out);
}

static void relink(struct rig *copy)
{
	copy->conf.meter_groups = copy->meter_groups;
	copy->conf.meter_group = copy->meter_group;
	copy->conf.miner_groups = copy->miner_groups;
	copy->conf.miner_group = copy->miner_group;
	copy->out.commands = copy->commands;
}

static void law_of_sameness(const struct rig *before, const struct decision *decided)
{
	static struct rig again;
	struct json one = { 0 }, two = { 0 };
	again = *before;
	relink(&again);
	memset(again.scratch, 0x5a, sizeof(again.scratch));
	decide_again(before, &again);
	as_text(decided, &one);
	as_text(&again.out, &two);
	assert_string_equal(one.text, two.text);
	json_free(&one);
	json_free(&two);
}

static void law_of_loss(struct chance *c, const struct rig *before, const struct decision *whole)
{
	static struct rig lost;
	lost = *before;
	relink(&lost);
	size_t meter = (size_t)upto(c, 2);
	const struct policy_meter_group *group = &lost.meter_groups[lost.meter_group[meter]];
	if (meter >= lost.conf.n_meters)
		return;
	/* A pause excuses none that was silent before it. */
	int64_t since_ms = lost.state.back_ms && lost.state.away_ms < lost.state.last_ms ? lost.state.away_ms : lost.state.last_ms;
	lost.meters[meter].at_ms = since_ms - group->stale_ms - 1;
	decide_again(before, &lost);
	const struct decision *d = &lost.out;
	if (meter == RIG_MAIN) {
		assert_false(d->picture.site_known);
		assert_int_equal(ups(&lost), 0);
		assert_true(d->wanted_miners_w <= d->picture.settled_miners_w);
	} else if (whole->picture.site_known && lost.conf.n_meters < 4) {
		assert_true(d->wanted_miners_w <= whole->wanted_miners_w);
	}
}

static void all_laws_hold(void **unused)
{
	static struct rig rig, before;
	const char *told = getenv("MULLET_SEED");
	struct chance c = { told ? strtoull(told, NULL, 0) : 20261122, 0 };
	uint64_t steps = 0, commands = 0, up = 0, failsafes = 0, powers = 0, mixed = 0, foretold = 0;
	printf("seed %llu (MULLET_SEED)\n", (unsigned long long)c.seed);
	for (int episode = 0; episode < EPISODES; episode++) {
		random_site(&c, &rig);
		int64_t calm = 1 + upto(&c, 40);
		int n = episode % LONG == LONG - 1 ? STEPS * LONG : STEPS;
		bool gentle = n > STEPS && one_in(&c, 2);
		if (gentle)
			make_gentle(&c, &rig);
		steps += (uint64_t)n;
		for (int i = 0; i < n; i++) {
			rig.now_ms = next_ms(&c, rig.now_ms);
			if (one_in(&c, calm))
				random_trouble(&c, &rig, gentle);
			rig_read(&rig);
			if (calm < 10)
				random_madness(&c, &rig);
			before = rig;
			rig_decide(&rig);
			/* Orders are answered after the step: the laws look at what the step saw. */
			struct rig after = rig;
			memcpy(after.seen, before.seen, sizeof(after.seen));
			relink(&after);
			bool begins = !rig.state.n_loads && !rig.state.slot_n;
			bool shed = rig.demand.miners_w < rig.out.picture.settled_miners_w;
			int64_t since_ms = begins ? rig.state.started_ms : shed ? 0 : rig.state.back_ms;
			bool waiting = !rig.out.picture.site_known && since_ms && rig.now_ms - since_ms <= 2000;
			law_of_commands(&after, before.tracks);
			law_of_flight(&after, before.tracks);
			law_of_going_up(&after);
			law_of_shedding(&after, waiting);
			law_of_the_picture(&after);
			if (i % 4 == 0) {
				law_of_sameness(&before, &after.out);
				law_of_loss(&c, &before, &after.out);
			}
			commands += rig.out.n_commands;
			up += ups(&rig) > 0;
			for (uint32_t k = 0; k < rig.out.n_commands; k++)
				powers += rig.out.commands[k].deed == DEED_POWER;
			mixed += ups(&rig) && ups(&rig) < rig.out.n_commands;
			foretold += rig.state.n_loads && !reserve_slots(rig.state.chosen_hold);
			failsafes += rig.out.picture.failsafe;
		}
	}
	printf("%llu steps, %llu in failsafe, %llu foretold; %llu commands, %llu of them of power; %llu times up, %llu both ways\n",
	       (unsigned long long)steps, (unsigned long long)failsafes, (unsigned long long)foretold, (unsigned long long)commands,
	       (unsigned long long)powers, (unsigned long long)up, (unsigned long long)mixed);
	assert_true(commands > 10000 && up > 500 && failsafes > 500 && powers > 2000);
	assert_true(foretold > 100 || told);            /* few sites live long enough for it */
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_laws_hold) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
