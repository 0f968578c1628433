/* sim/meters.c - the meters of sim/devices.h. */
#include <math.h>
#include <string.h>

#include "sim/dice.h"
#include "sim/shows.h"
#include "sim/world.h"
#include "sim/zeroed.h"

enum { DICE_METER = 200 };

struct sim_meter {
	struct meter meter;
	struct sim_device device;
	uint32_t timeout_ms;
	bool polling;
};

static struct sim_meter *of_device(struct sim_device *device)
{
	return (struct sim_meter *)(void *)((char *)device - offsetof(struct sim_meter, device));
}

/* Which meter a host names; n_meters: none. */
static size_t index_of(const struct sim_world *world, const char *host)
{
	static const char *const names[] = { "sim:site", "sim:hpc", "sim:other" };
	for (size_t i = 0; i < SIM_FIRST_PDU; i++)
		if (strcmp(host, names[i]) == 0)
			return i;
	if (strncmp(host, "sim:pdu:", 8) != 0)
		return world->n_meters;
	return SIM_FIRST_PDU + world_number(host + 8, world->n_meters - SIM_FIRST_PDU);
}

static int64_t truth_w(struct sim_world *world, size_t index, int64_t site_ms)
{
	switch (index) {
	case SIM_SITE_METER:
		return truth_site_w(&world->truth, site_ms);
	case SIM_HPC_METER:
		return truth_hpc_w(&world->truth, site_ms);
	case SIM_OTHER_METER:
		return truth_other_w(&world->truth, site_ms);
	default:
		return truth_pdu_w(&world->truth, index - SIM_FIRST_PDU, site_ms);
	}
}

static enum shows shows_of(enum sim_meter_fault fault)
{
	return fault == SIM_METER_SCALED ? SHOWS_SCALED : fault == SIM_METER_JUMPING ? SHOWS_JUMPING :
	       fault == SIM_METER_SWAPPED ? SHOWS_SWAPPED : SHOWS_TRUTH;
}

/* The site's meter shows what GPUs draw, the GPUs' what the site does, a PDU its part of that. */
static double swapped_w(struct sim_world *world, size_t index, int64_t w, int64_t ms)
{
	int64_t hpc_w = truth_hpc_w(&world->truth, ms);
	if (index == SIM_SITE_METER)
		return (double)hpc_w;
	double site_w = (double)truth_site_w(&world->truth, ms);
	return index < SIM_FIRST_PDU ? site_w : hpc_w ? (double)w / (double)hpc_w * site_w : 0;
}

static int64_t lied_w(struct sim_world *world, size_t index, int64_t w, int64_t ms, int64_t refresh_ms)
{
	const struct sim_meter_state *state = &world->meters[index];
	enum shows shows = shows_of(state->fault);
	double other_w = shows == SHOWS_SWAPPED ? swapped_w(world, index, w, ms) : 0;
	return llround(shows_w(shows, (double)w, other_w, state->factor_permille, world->conf.truth.seed, index,
	                       (uint64_t)(ms / refresh_ms)));
}

/* What stands in the registers: renewed at whole multiples of the refresh, off by the meter's own error. */
static int64_t shown_w(struct sim_world *world, size_t index)
{
	struct sim_meter_state *state = &world->meters[index];
	int64_t ms = state->fault == SIM_METER_FROZEN ? state->frozen_ms : sim_world_site_ms(world);
	int32_t refresh_ms = index < SIM_FIRST_PDU ? world->conf.meter_refresh_ms : world->conf.pdu_refresh_ms;
	ms -= ms % refresh_ms;
	double error = dice_spread(world->conf.truth.seed, DICE_METER + index, 0);
	int64_t w = dice_about(truth_w(world, index, ms), world->conf.meter_error_permille, error);
	if (state->fault != SIM_METER_FROZEN)
		return lied_w(world, index, w, ms, refresh_ms);
	if (!state->held)               /* the plant does not remember how it was then */
		state->held_w = w;
	state->held = true;
	return state->held_w;
}

static enum fault answer_of(enum sim_meter_fault fault)
{
	switch (fault) {
	case SIM_METER_SOUND:
	case SIM_METER_FROZEN:
	case SIM_METER_LATE:
	case SIM_METER_SCALED:
	case SIM_METER_JUMPING:
	case SIM_METER_SWAPPED:
		return FAULT_NONE;
	case SIM_METER_SILENT:
		return FAULT_SILENT;
	case SIM_METER_ABSURD:
		return FAULT_ABSURD;
	case SIM_METER_GARBLED:
		return FAULT_GARBLED;
	case SIM_METER_REFUSING:
		return FAULT_REFUSED;
	}
	return FAULT_SILENT;
}

static void read_out(struct sim_meter *meter)
{
	struct sim_world *world = meter->device.world;
	struct meter_reading reading = { .fault = FAULT_SILENT, .at_ms = world->now_ms };
	meter->polling = false;
	if (meter->device.index < world->n_meters)
		reading.fault = answer_of(world->meters[meter->device.index].fault);
	if (reading.fault == FAULT_NONE) {
		reading.import_w = shown_w(world, meter->device.index);
		reading.frequency_mhz = truth_frequency_mhz(&world->truth, sim_world_site_ms(world));
		reading.knows_frequency = true;
	}
	meter->meter.user.on_reading(meter->meter.user.self, &reading);
}

static void on_due(struct sim_device *device, enum due_what what)
{
	struct sim_meter *meter = of_device(device);
	if (what == DUE_READ) {
		read_out(meter);
		return;
	}
	world_device_closed(device);
	meter->meter.user.on_closed(meter->meter.user.self);
}

static struct meter *meter_open(struct meter_room *room, const struct meter_conf *conf, struct meter_user user)
{
	struct sim_world *world = (struct sim_world *)(void *)room;
	struct sim_meter *meter = zeroed(1, sizeof *meter);
	meter->meter = (struct meter){ &sim_meter_driver, user };
	meter->device = (struct sim_device){ .world = world, .on_due = on_due, .index = index_of(world, conf->host) };
	meter->device.memory = meter;
	meter->timeout_ms = conf->timeout_ms;
	world->n_open++;
	return &meter->meter;
}

static void meter_poll(struct meter *handle)
{
	struct sim_meter *meter = (struct sim_meter *)(void *)handle;
	struct sim_world *world = meter->device.world;
	int64_t in_ms = world_latency_ms(world, world->conf.meter_latency_ms);
	if (meter->polling)
		return;
	enum sim_meter_fault fault = SIM_METER_SILENT;
	if (meter->device.index < world->n_meters)
		fault = world->meters[meter->device.index].fault;
	if (fault == SIM_METER_SILENT || in_ms > meter->timeout_ms)
		in_ms = meter->timeout_ms;
	if (fault == SIM_METER_LATE)
		in_ms = meter->timeout_ms - meter->timeout_ms / 10;
	meter->polling = true;
	world_later(&meter->device, in_ms, DUE_READ);
}

static void meter_close(struct meter *handle)
{
	struct sim_meter *meter = (struct sim_meter *)(void *)handle;
	if (meter->device.closing)
		return;
	meter->device.closing = true;
	world_later(&meter->device, 0, DUE_CLOSED);
}

const struct meter_driver sim_meter_driver = {
	.name = "sim", .open = meter_open, .poll = meter_poll, .close = meter_close,
};
