#include "sim/farm.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/dice.h"
#include "sim/zeroed.h"

enum { DICE_PDU_FAULT = 300, DICE_HELD };

int64_t farm_now_ms(const struct farm *farm)
{
	return (int64_t)((uv_hrtime() - farm->begin_ns) / 1000000) * farm->conf.speed;
}

static int64_t now_ms(void *self)
{
	return farm_now_ms(self);
}

int farm_layout(const struct farm_conf *conf, struct layout *pdus, struct layout *miners)
{
	*pdus = *miners = (struct layout){ 0 };
	int err = layout_add(pdus, "pdu", FARM_NET_PDU, conf->truth.n_pdus - conf->n_snmp_pdus);
	if (!err)
		err = layout_add(pdus, "pdu-apc", FARM_NET_APC, conf->n_snmp_pdus - conf->n_snmp_pdus / 2);
	if (!err)
		err = layout_add(pdus, "pdu-raritan", FARM_NET_RARITAN, conf->n_snmp_pdus / 2);
	for (unsigned t = 0; t < conf->n_types && !err; t++)
		err = layout_add(miners, conf->types[t]->name, FARM_NET_MINER + t, conf->n_of[t]);
	return err;
}

/* ---- building the site ---- */

static void build_miners(struct farm *farm)
{
	const struct farm_conf *conf = &farm->conf;
	struct plant *plant = &farm->truth.plant;
	for (size_t t = 0; t < conf->n_types; t++)
		plant_add(plant, conf->types[t], conf->n_of[t]);
	farm->asics = zeroed(plant->n, sizeof *farm->asics);
	farm->fleet.servers = zeroed(plant->n, sizeof *farm->fleet.servers);
	for (size_t i = 0; i < plant->n; i++) {
		asic_init(&farm->asics[i], plant->miners[i].type == &plant_cgminer_s19 ? ASIC_CGMINER : ASIC_LUXOS);
		layout_host(&farm->miners, i, farm->fleet.servers[i].host);
		if ((int32_t)(dice(conf->truth.seed, DICE_HELD, i) % 1000) < conf->held_permille)
			asic_hold_session(&farm->asics[i], 0);
	}
	for (unsigned f = PLANT_SOUND + 1; f < N_PLANT_FAULTS; f++)
		plant_spread_fault(plant, 0, (enum plant_fault)f, conf->fault_permille[f]);
}

static void meter_closed(struct modbus_server *server);

static void build_meters(struct farm *farm)
{
	farm->n_meters = 1 + farm->conf.truth.n_pdus - farm->conf.n_snmp_pdus;
	farm->meters = zeroed(farm->n_meters, sizeof *farm->meters);
	farm->frozen_ms = zeroed(1 + farm->conf.truth.n_pdus, sizeof *farm->frozen_ms);
	farm->factor_permille = zeroed(1 + farm->conf.truth.n_pdus, sizeof *farm->factor_permille);
	for (size_t m = 0; m < farm->n_meters; m++) {
		struct modbus_server *server = &farm->meters[m];
		if (m == 0)
			strcpy(server->host, FARM_SITE_HOST);
		else
			layout_host(&farm->pdus, m - 1, server->host);
		server->unit = 1;
		server->read = farm_read_registers;
		server->on_closed = meter_closed;
		server->self = farm;
		server->index = m;
	}
}

/* m: 0 the site's meter, PDU n is n + 1, whatever it speaks. */
static void set_meter_fault(struct farm *farm, size_t m, enum modbus_fault fault, int32_t factor_permille)
{
	farm->factor_permille[m] = factor_permille;
	farm->frozen_ms[m] = farm_now_ms(farm);
	if (m < farm->n_meters)
		modbus_server_set_fault(&farm->meters[m], fault);
	else
		farm_set_agent_fault(farm, m - farm->n_meters, fault);
}

static bool is_sound(const struct farm *farm, size_t m)
{
	return m < farm->n_meters ? farm->meters[m].fault == MODBUS_SOUND
	                          : farm->agents[m - farm->n_meters].fault == AGENT_SOUND;
}

static void spread_pdu_faults(struct farm *farm)
{
	const struct farm_conf *conf = &farm->conf;
	for (unsigned f = MODBUS_SOUND + 1; f < N_MODBUS_FAULTS; f++) {
		size_t left = conf->pdu_faults[f];
		for (uint64_t draw = 0; left && draw < 64 * (1 + conf->truth.n_pdus); draw++) {
			size_t m = 1 + dice(conf->truth.seed, DICE_PDU_FAULT + f, draw) % conf->truth.n_pdus;
			if (!is_sound(farm, m))
				continue;
			set_meter_fault(farm, m, (enum modbus_fault)f, 0);
			left--;
		}
	}
}

/* ---- what happens when ---- */

static int by_time(const void *a, const void *b)
{
	const struct farm_event *one = a, *other = b;
	return one->at_ms < other->at_ms ? -1 : one->at_ms > other->at_ms;
}

static void set_miner_faults(struct farm *farm, const struct farm_event *event)
{
	struct plant *plant = &farm->truth.plant;
	int64_t at_ms = farm_now_ms(farm);
	enum plant_fault fault = (enum plant_fault)event->fault;
	if (event->permille)
		plant_spread_fault(plant, at_ms, fault, event->permille);
	for (size_t i = 0; i < plant->n; i++) {
		bool meant = !event->permille && (event->device == FARM_ALL || (size_t)event->device == i);
		if (meant)
			plant_set_fault(plant, i, at_ms, fault);
		if (meant || event->permille)
			asic_fleet_follow_fault(&farm->fleet, i);
	}
}

static void happen(struct farm *farm, const struct farm_event *event)
{
	switch (event->what) {
	case FARM_METER_FAULT:
		set_meter_fault(farm, 0, (enum modbus_fault)event->fault, event->factor_permille);
		break;
	case FARM_PDU_FAULT:
		for (size_t m = 1; m <= farm->conf.truth.n_pdus; m++)
			if (event->device == FARM_ALL || (size_t)event->device == m - 1)
				set_meter_fault(farm, m, (enum modbus_fault)event->fault, event->factor_permille);
		break;
	case FARM_MINER_FAULT:
		set_miner_faults(farm, event);
		break;
	}
}

static void arm(struct farm *farm);

/* One row every 100 ms of the site's time, on an absolute schedule, with those made up that a busy machine missed. */
static void on_tick(uv_timer_t *timer)
{
	struct farm *farm = timer->data;
	int64_t at_ms = farm_now_ms(farm);
	farm->room.utc_s = (farm->begin_utc_ms + at_ms) / 1000;
	while (farm->next_event < farm->conf.n_events && farm->conf.events[farm->next_event].at_ms <= at_ms)
		happen(farm, &farm->conf.events[farm->next_event++]);
	for (; farm->next_ms <= at_ms; farm->next_ms += FARM_TICK_MS) {
		farm->site_w = (double)truth_site_w(&farm->truth, farm->next_ms);
		farm->energy_wh += farm->site_w * FARM_TICK_MS / 3.6e6;
		farm_log_truth(farm, farm->next_ms);
	}
	arm(farm);
}

static void arm(struct farm *farm)
{
	int64_t in_ms = (farm->next_ms - farm_now_ms(farm)) / farm->conf.speed;
	uv_update_time(farm->loop);
	uv_timer_start(&farm->tick, on_tick, in_ms > 0 ? (uint64_t)in_ms : 0, 0);
}

/* ---- opening and closing ---- */

static void part_closed(struct farm *farm)
{
	if (--farm->open_parts > 0)
		return;
	farm_close_logs(farm);
	truth_free(&farm->truth);
	free(farm->asics);
	free(farm->fleet.servers);
	free(farm->meters);
	free(farm->agents);
	free(farm->counters);
	free(farm->frozen_ms);
	free(farm->factor_permille);
	farm->on_closed(farm);
}

static void meter_closed(struct modbus_server *server)
{
	struct farm *farm = server->self;
	if (--farm->n_meters_open == 0)
		part_closed(farm);
}

void farm_agents_closed(struct farm *farm)
{
	part_closed(farm);
}

static void fleet_closed(void *self)
{
	part_closed(self);
}

static void tick_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

static int start_servers(struct farm *farm, char *why, size_t size)
{
	size_t failed = 0;
	int err = 0;
	for (size_t m = 0; m < farm->n_meters && !err; m++) {
		farm->n_meters_open++;
		err = modbus_server_start(&farm->meters[m], farm->loop, farm->conf.modbus_port);
		if (err)
			snprintf(why, size, "%s:%u: %s", farm->meters[m].host, farm->conf.modbus_port, uv_strerror(err));
	}
	if (!err)
		err = farm_start_agents(farm, why, size);
	if (err)
		return err;
	err = asic_fleet_start(&farm->fleet, farm->conf.miner_port, &failed);
	if (err)
		snprintf(why, size, "%s:%u: %s", farm->fleet.servers[failed].host, farm->conf.miner_port, uv_strerror(err));
	return err;
}

int farm_open(struct farm *farm, uv_loop_t *loop, const struct farm_conf *conf, char *why, size_t size)
{
	struct timespec utc;
	*farm = (struct farm){ .conf = *conf, .loop = loop, .open_parts = 1 };
	qsort(farm->conf.events, conf->n_events, sizeof *conf->events, by_time);
	truth_init(&farm->truth, &conf->truth);
	farm_layout(conf, &farm->pdus, &farm->miners);
	build_miners(farm);
	build_meters(farm);
	farm_build_agents(farm);
	farm->room = (struct asic_room){ .plant = &farm->truth.plant, .asics = farm->asics, .self = farm,
	                                 .on_command = farm_log_command };
	farm->fleet.loop = loop;
	farm->fleet.room = &farm->room;
	farm->fleet.now_ms = now_ms;
	farm->fleet.on_closed = fleet_closed;
	farm->fleet.self = farm;
	farm->fleet.latency_ms = conf->latency_ms;
	farm->fleet.n = farm->truth.plant.n;
	uv_timer_init(loop, &farm->tick);
	farm->tick.data = farm;
	clock_gettime(CLOCK_REALTIME, &utc);
	farm->begin_utc_ms = (int64_t)utc.tv_sec * 1000 + utc.tv_nsec / 1000000;
	farm->begin_ns = uv_hrtime();
	int err = farm_open_logs(farm, why, size);
	if (!err)
		err = start_servers(farm, why, size);
	if (!err) {
		spread_pdu_faults(farm);
		arm(farm);
	}
	return err;
}

void farm_close(struct farm *farm, void (*on_closed)(struct farm *))
{
	farm->on_closed = on_closed;
	if (farm->n_meters_open)
		farm->open_parts++;
	if (farm->n_agents_open)
		farm->open_parts++;
	if (farm->fleet.n_open)
		farm->open_parts++;
	for (size_t m = 0, n = farm->n_meters_open; m < n; m++)
		modbus_server_close(&farm->meters[m]);
	for (size_t a = 0, n = farm->n_agents_open; a < n; a++)
		snmp_agent_close(&farm->agents[a]);
	asic_fleet_close(&farm->fleet);
	uv_close((uv_handle_t *)&farm->tick, tick_closed);
}
