#include "sim/fast_site.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/dice.h"
#include "sim/zeroed.h"

enum { UTC_MS = 1000000, DICE_PDU_ERROR = 3000, PDU_ERROR_PERMILLE = 10, FIRST_POLLS_MS = 3000, PER_CENT_NAMEPLATE = 140 };

/* ---- as daemon/wire.c makes it of a site file ---- */

static void make_miner_groups(struct fast_site *site, const struct fast_wear *wear)
{
	size_t at = 0;
	for (size_t g = 0; g < site->of->n_types; g++) {
		const struct plant_miner_type *type = site->of->types[g];
		site->miner_groups[g] = (struct policy_miner_group){
			.priority = 50, .efficiency_mj_per_th = 17500, .nominal_w = type->full_w, .asleep_w = type->asleep_w,
			.cycles_per_day = wear->cycles_per_day, .min_awake_ms = wear->min_awake_ms,
			.min_asleep_ms = wear->min_asleep_ms, .stale_ms = 3 * FAST_MINER_EVERY_MS + 5000,
			.sleep = { type->sleep_dead_ms, type->sleep_fall_ms }, .wake = { type->wake_dead_ms, type->wake_ramp_ms },
			.power = { type->adjust_dead_ms, type->adjust_ms },
			.partial_w = site->of->whole ? 0 : type->least_w, .step_w = 1,
		};
		for (size_t i = 0; i < site->of->n_of[g]; i++)
			site->miner_group[at++] = (uint16_t)g;
		int64_t sleep_ms = type->sleep_dead_ms + type->sleep_fall_ms, wake_ms = type->wake_dead_ms + type->wake_ramp_ms;
		site->sleep_ms = sleep_ms > site->sleep_ms ? sleep_ms : site->sleep_ms;
		site->wake_ms = wake_ms > site->wake_ms ? wake_ms : site->wake_ms;
	}
}

static void make_policy(struct fast_site *site, const struct fast_wear *wear)
{
	size_t n_meters = FAST_PDUS + 1, n_miners = site->of->n_miners;
	site->meter_group = zeroed(n_meters, sizeof *site->meter_group);
	site->miner_group = zeroed(n_miners, sizeof *site->miner_group);
	for (size_t m = 1; m < n_meters; m++)
		site->meter_group[m] = 1;
	site->meter_groups[0] = (struct policy_meter_group){ .measures = MEASURES_SITE, .backup_of = -1, .stale_ms = 2000 };
	site->meter_groups[1] = (struct policy_meter_group){ .measures = MEASURES_HPC, .backup_of = -1, .stale_ms = 3000,
		.nameplate_w = site->of->load.peak_w / FAST_PDUS * PER_CENT_NAMEPLATE / 100 };
	make_miner_groups(site, wear);
	site->conf = (struct policy_conf){
		.cap_w = site->of->cap_w, .target_w = POLICY_NONE, .reserve_w = POLICY_NONE, .prefer = site->of->prefer,
		.meter_groups = site->meter_groups, .meter_group = site->meter_group,
		.miner_groups = site->miner_groups, .miner_group = site->miner_group,
		.n_meter_groups = 2, .n_meters = n_meters, .n_miner_groups = site->of->n_types, .n_miners = n_miners,
	};
}

static void take_orders(struct fast_site *site)
{
	for (size_t o = 0; o < site->of->n_orders; o++) {
		const struct fast_order *asked = &site->of->orders[o];
		struct order order = { .kind = (uint8_t)asked->kind, .watts = asked->watts, .issued_ms = UTC_MS,
			.start_ms = UTC_MS + asked->at_ms, .end_ms = UTC_MS + asked->at_ms + asked->lasts_ms };
		snprintf(order.id, sizeof order.id, "order-%zu", o + 1);
		if (orders_take(site->book, &order, UTC_MS, false).verdict != VERDICT_ACCEPTED)
			abort();
	}
}

void fast_site_open(struct fast_site *site, const struct fast_case *of, const struct fast_wear *wear)
{
	struct truth_conf conf = { .seed = of->seed, .load = of->load, .n_pdus = FAST_PDUS, .house_w = of->house_w };
	site->of = of;
	truth_init(&site->truth, &conf);
	for (size_t t = 0; t < of->n_types; t++)
		plant_add(&site->truth.plant, of->types[t], of->n_of[t]);
	make_policy(site, wear);
	site->state = zeroed(1, sizeof *site->state);
	site->tracks = zeroed(of->n_miners, sizeof *site->tracks);
	site->meters = zeroed(site->conf.n_meters, sizeof *site->meters);
	site->miners = zeroed(of->n_miners, sizeof *site->miners);
	site->scratch = zeroed(of->n_miners, sizeof *site->scratch);
	site->commands_room = zeroed(of->n_miners, sizeof *site->commands_room);
	site->book = zeroed(1, sizeof *site->book);
	site->next_poll_ms = zeroed(of->n_miners, sizeof *site->next_poll_ms);
	site->meter_faults = zeroed(site->conf.n_meters, sizeof *site->meter_faults);
	site->meter_factors = zeroed(site->conf.n_meters, sizeof *site->meter_factors);
	site->frozen_w = zeroed(site->conf.n_meters, sizeof *site->frozen_w);
	site->happened = zeroed(of->n_events, sizeof *site->happened);
	for (size_t i = 0; i < of->n_miners; i++)
		site->next_poll_ms[i] = (int64_t)(FIRST_POLLS_MS * i / of->n_miners);
	take_orders(site);
}

void fast_site_close(struct fast_site *site)
{
	truth_free(&site->truth);
	free(site->meter_group);
	free(site->miner_group);
	free(site->state);
	free(site->tracks);
	free(site->meters);
	free(site->miners);
	free(site->scratch);
	free(site->commands_room);
	free(site->book);
	free(site->next_poll_ms);
	free(site->meter_faults);
	free(site->meter_factors);
	free(site->frozen_w);
	free(site->happened);
}

/* ---- what happens ---- */

static void meter_fault(struct fast_site *site, size_t meter, const struct farm_event *event)
{
	site->meter_faults[meter] = (enum modbus_fault)event->fault;
	site->meter_factors[meter] = event->factor_permille;
	site->frozen_w[meter] = site->meters[meter].import_w;
}

static void happen(struct fast_site *site, const struct farm_event *event, int64_t now_ms)
{
	struct plant *plant = &site->truth.plant;
	size_t from = event->device == FARM_ALL ? 0 : (size_t)event->device;
	size_t to = event->device == FARM_ALL ? SIZE_MAX : from + 1;
	switch (event->what) {
	case FARM_METER_FAULT:
		meter_fault(site, 0, event);
		break;
	case FARM_PDU_FAULT:
		for (size_t m = from; m < to && m < FAST_PDUS; m++)
			meter_fault(site, m + 1, event);
		break;
	case FARM_MINER_FAULT:
		if (event->permille)
			plant_spread_fault(plant, now_ms, (enum plant_fault)event->fault, event->permille);
		for (size_t i = from; !event->permille && i < to && i < plant->n; i++)
			plant_set_fault(plant, i, now_ms, (enum plant_fault)event->fault);
		break;
	}
}

static void events_happen(struct fast_site *site, int64_t now_ms)
{
	for (size_t e = 0; e < site->of->n_events; e++)
		if (!site->happened[e] && now_ms >= site->of->events[e].at_ms) {
			happen(site, &site->of->events[e], now_ms);
			site->happened[e] = true;
		}
}

/* ---- what is measured ---- */

/* Swapped, the site's meter shows what the GPUs draw, and a PDU its part of what the site does. */
static int64_t shown_w(const struct fast_site *site, size_t m, int64_t true_w, int64_t at_ms)
{
	enum shows shows = modbus_shows(site->meter_faults[m]);
	double error = dice_spread(site->of->seed, DICE_PDU_ERROR + m, 0);
	double swapped_w = m == 0 ? (double)site->hpc_w :
	                   site->hpc_w ? (double)true_w / (double)site->hpc_w * (double)site->site_w : 0;
	uint64_t slot = (uint64_t)(at_ms / (m ? FAST_PDU_EVERY_MS : FAST_STEP_MS));
	if (shows == SHOWS_FROZEN)
		return site->frozen_w[m];
	if (shows == SHOWS_TRUTH)
		return m == 0 ? true_w : dice_about(true_w, PDU_ERROR_PERMILLE, error);
	return llround(shows_w(shows, (double)true_w, swapped_w, site->meter_factors[m], site->of->seed, m, slot));
}

/* As daemon/site_poll.c does. */
static void take_value(struct fast_site *site, size_t m, int64_t w, int64_t at_ms)
{
	int64_t age_ms = m ? 0 : refresh_age_ms(&site->refresh, w, at_ms) + site->of->averaged_ms / 2;
	site->meters[m] = (struct meter_reading){ .fault = FAULT_NONE, .at_ms = at_ms, .import_w = w, .age_ms = age_ms };
}

static void read_meter(struct fast_site *site, size_t m, int64_t true_w, int64_t at_ms)
{
	enum modbus_fault fault = site->meter_faults[m];
	struct meter_reading *reading = &site->meters[m];
	if (fault == MODBUS_SOUND || modbus_shows(fault) != SHOWS_TRUTH)
		take_value(site, m, shown_w(site, m, true_w, at_ms), at_ms + FAST_BEGIN_MS);
	else if (reading->fault != FAULT_NONE)  /* the newest value stands, whatever its age */
		reading->fault = FAULT_SILENT;
}

static int64_t pdu_w(struct fast_site *site, size_t m, int64_t seen_ms)
{
	return truth_pdu_w(&site->truth, m - 1, seen_ms) * (1000 - site->of->unmetered_permille) / 1000;
}

static int64_t measured_w(struct fast_site *site)
{
	const uint64_t n = sizeof site->sums_w / sizeof *site->sums_w;
	uint64_t steps = (uint64_t)(site->of->averaged_ms / FAST_STEP_MS);
	site->turns++;
	site->sums_w[site->turns % n] = site->sums_w[(site->turns - 1) % n] + site->site_w;
	if (steps < 2)
		return site->site_w;
	steps = steps < site->turns ? steps : site->turns;
	return (site->sums_w[site->turns % n] - site->sums_w[(site->turns - steps) % n]) / (int64_t)steps;
}

/* The site's each step, however seldom its registers change; PDUs in turn, spread over their second. */
static void read_meters(struct fast_site *site, int64_t now_ms, int64_t seen_ms)
{
	int64_t mean_w = measured_w(site);
	if (!site->of->refresh_ms || now_ms % site->of->refresh_ms < FAST_STEP_MS)
		site->register_w = mean_w;
	read_meter(site, 0, site->register_w, seen_ms);
	for (size_t m = 1; m < site->conf.n_meters; m++)
		if ((int64_t)(m % (FAST_PDU_EVERY_MS / FAST_STEP_MS)) == now_ms / FAST_STEP_MS % (FAST_PDU_EVERY_MS / FAST_STEP_MS))
			read_meter(site, m, pdu_w(site, m, seen_ms), seen_ms);
}

static enum fault answer_of(enum plant_fault fault)
{
	switch (fault) {
	case PLANT_SOUND:
	case PLANT_LYING:
	case PLANT_SLOW:
	case PLANT_BUSY:
		return FAULT_NONE;
	case PLANT_GARBLED:
		return FAULT_GARBLED;
	case PLANT_SILENT:
	case PLANT_REFUSING:
	case PLANT_DEAD:
	case N_PLANT_FAULTS:
		break;
	}
	return FAULT_SILENT;
}

static void read_miner(struct fast_site *site, size_t i, int64_t seen_ms)
{
	const struct plant *plant = &site->truth.plant;
	const struct plant_miner_type *type = plant->miners[i].type;
	struct miner_reading *reading = &site->miners[i].reading;
	*reading = (struct miner_reading){ .fault = answer_of(plant->miners[i].fault), .at_ms = seen_ms + FAST_BEGIN_MS };
	if (reading->fault != FAULT_NONE)
		return;
	reading->state = plant_miner_state(plant, i, seen_ms);
	reading->steerable = true;
	reading->knows_power = type->tells_power;
	reading->power_w = plant_miner_told_w(plant, i, seen_ms);
	reading->awake_w = type->full_w;
	reading->hashrate_ghs = plant_miner_hashrate_ghs(plant, i, seen_ms);
}

static void read_miners(struct fast_site *site, int64_t now_ms)
{
	int64_t seen_ms = now_ms - FAST_ANSWER_MS;
	for (size_t i = 0; i < site->of->n_miners; i++) {
		if (seen_ms < site->next_poll_ms[i])
			continue;
		bool watched = site->tracks[i].under_way;
		/* Plus or minus 1/32, so that thousands do not fall into step. */
		double off = dice_share(site->of->seed, i, (uint64_t)now_ms) / 16 - 1.0 / 32;
		int64_t every_ms = watched ? FAST_WATCH_EVERY_MS : FAST_MINER_EVERY_MS;
		site->next_poll_ms[i] = seen_ms + every_ms + (int64_t)((double)every_ms * off);
		read_miner(site, i, seen_ms);
	}
}

/* ---- what is asked ---- */

/* The policy knows no price: one above the break-even is a limit on what the miners draw. */
static void ask_by_price(struct fast_site *site, int64_t now_ms, int64_t horizon_ms)
{
	bool now = fast_series_at(&site->of->price, now_ms) > site->of->breakeven;
	bool soon = now || fast_series_at(&site->of->price, now_ms + horizon_ms) > site->of->breakeven;
	site->book->levels[0] = (struct order_level){ .set = true, .miners_w = now ? 0 : POLICY_NONE,
	                                              .miners_soon_w = soon ? 0 : POLICY_NONE };
}

static void ask(struct fast_site *site, int64_t now_ms)
{
	struct order ended;
	struct demand true_demand;
	int place;
	int64_t utc_ms = UTC_MS + now_ms, horizon_ms = 2 * (site->sleep_ms + site->wake_ms);
	if (site->of->price.n)
		ask_by_price(site, now_ms, horizon_ms);
	orders_begin(site->book, utc_ms);
	while (orders_pop_ended(site->book, utc_ms, &ended, &place))
		;
	orders_resolve(site->book, utc_ms, 0, 0, &true_demand);
	orders_resolve(site->book, utc_ms, site->sleep_ms, horizon_ms, &site->demand);
	site->limit_w = true_demand.limit_w < site->of->cap_w ? true_demand.limit_w : site->of->cap_w;
	site->miners_limit_w = true_demand.miners_w;
	if (site->of->setpoint.n) {
		site->setpoint_w = (int64_t)fast_series_at(&site->of->setpoint, now_ms);
		site->demand.setpoint_w = site->setpoint_w;
		site->demand.setpoint_from = 0;
	}
}

void fast_site_turn(struct fast_site *site, int64_t now_ms)
{
	int64_t seen_ms = now_ms > FAST_METER_MS ? now_ms - FAST_METER_MS : 0;
	events_happen(site, seen_ms);
	site->hpc_w = truth_hpc_w(&site->truth, seen_ms);
	site->miners_w = truth_miners_w(&site->truth, seen_ms);
	site->site_w = site->hpc_w + site->miners_w + truth_other_w(&site->truth, seen_ms);
	ask(site, now_ms);
}

/* ---- the step ---- */

static void obey(struct fast_site *site, const struct command *command, int64_t now_ms)
{
	struct plant *plant = &site->truth.plant;
	struct miner_order order = { .hash = command->hash, .limit_w = command->hash ? command->limit_w : 0 };
	struct miner_seen *seen = &site->miners[command->miner];
	enum plant_fault fault = plant->miners[command->miner].fault;
	seen->heard = fault == PLANT_BUSY ? FAULT_REFUSED : answer_of(fault);
	seen->heard_ms = now_ms + FAST_ORDER_MS + FAST_BEGIN_MS;
	if (fault != PLANT_REFUSING && fault != PLANT_DEAD)
		plant_order(plant, command->miner, now_ms + FAST_ORDER_MS, order.hash, order.limit_w);
	int64_t watch_ms = now_ms + FAST_WATCH_EVERY_MS;
	if (site->next_poll_ms[command->miner] > watch_ms)
		site->next_poll_ms[command->miner] = watch_ms;
}

/* ---- the GPU scheduler's notices, as daemon/plan.c takes them ---- */

static void hear(struct fast_site *site, int64_t now_ms)
{
	for (; site->listens && site->n_told < site->of->n_notices; site->n_told++) {
		const struct fast_notice *told = &site->of->notices[site->n_told];
		struct notice notice = { .at_ms = told->at_ms + FAST_BEGIN_MS, .over_ms = told->over_ms, .delta_w = told->delta_w };
		if (told->told_ms > now_ms)
			break;
		snprintf(notice.id, sizeof notice.id, "notice-%zu", site->n_told + 1);
		notices_take(&site->notices, &notice, now_ms + FAST_BEGIN_MS);
	}
}

static void observe(struct fast_site *site, const struct picture *picture, int64_t now_ms)
{
	struct notice ended;
	bool came_true;
	if (picture->failsafe)
		return;
	notices_see(&site->notices, now_ms, picture->planned_w - picture->announced_w, picture->recent_w,
	            picture->present_w);
	while (notices_pop(&site->notices, now_ms, &ended, &came_true))
		*(came_true ? &site->came_true : &site->came_false) += 1;
}

/* ---- a restart, as daemon/site_groups.c and daemon/site_wear.c keep and recall; notices are forgotten ---- */

static void forget_devices(struct fast_site *site, int64_t now_ms)
{
	for (size_t i = 0; i < site->of->n_miners; i++) {
		const struct miner_track *worn = &site->tracks[i];
		site->tracks[i] = (struct miner_track){ .wear_ms = worn->wear_ms, .sleeps = worn->sleeps, .settled_ms = worn->settled_ms };
		site->miners[i] = (struct miner_seen){ 0 };
		site->next_poll_ms[i] = now_ms + (int64_t)(FIRST_POLLS_MS * i / site->of->n_miners);
	}
	for (size_t m = 0; m < site->conf.n_meters; m++)
		site->meters[m] = (struct meter_reading){ 0 };
	site->refresh = (struct refresh){ 0 };
}

static void restart(struct fast_site *site, int64_t now_ms)
{
	struct policy_shown shown;
	struct policy_state *state = zeroed(1, sizeof *state);
	policy_keep_shown(site->state, site->conf.cap_w, &shown);
	policy_recall_shown(state, &shown, site->conf.cap_w, FAST_AWAY_MS);
	memcpy(state->actuators, site->state->actuators, sizeof state->actuators);
	free(site->state);
	site->state = state;
	site->notices = (struct notice_book){ 0 };
	forget_devices(site, now_ms);
}

static bool is_away(const struct fast_site *site, int64_t now_ms)
{
	int64_t end_ms = site->of->restart_ms;
	return end_ms && now_ms >= end_ms && now_ms < end_ms + FAST_AWAY_MS;
}

/* ---- all of it ---- */

void fast_site_step(struct fast_site *site, int64_t now_ms)
{
	bool was_away = site->away;
	site->away = is_away(site, now_ms);
	if (site->away)
		return;
	if (was_away)
		restart(site, now_ms);
	int64_t seen_ms = now_ms > FAST_METER_MS ? now_ms - FAST_METER_MS : 0;
	struct snapshot seen = { .now_ms = now_ms + FAST_BEGIN_MS, .demand = site->demand, .meters = site->meters,
	                         .miners = site->miners, .notices = site->notices.notices };
	struct decision decision = { .commands = site->commands_room };
	read_meters(site, now_ms, seen_ms);
	read_miners(site, now_ms);
	hear(site, now_ms);
	seen.n_notices = site->notices.n;
	policy_step(&site->conf, site->state, site->tracks, &seen, site->scratch, &decision);
	for (uint32_t c = 0; c < decision.n_commands; c++)
		obey(site, &decision.commands[c], now_ms);
	observe(site, &decision.picture, seen.now_ms);
	site->commands += decision.n_commands;
	site->told_target_w = decision.picture.target_w == POLICY_NONE ? 0 : decision.picture.target_w;
}
