#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "sim/dice.h"
#include "sim/zeroed.h"

static bool before(const struct due *a, const struct due *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static void push(struct sim_world *world, struct due due)
{
	if (world->n_due == world->room) {
		world->room = world->room ? world->room * 2 : 64;
		world->heap = realloc(world->heap, world->room * sizeof *world->heap);
		if (!world->heap)
			abort();
	}
	size_t i = world->n_due++;
	for (; i > 0 && before(&due, &world->heap[(i - 1) / 2]); i = (i - 1) / 2)
		world->heap[i] = world->heap[(i - 1) / 2];
	world->heap[i] = due;
}

static struct due pop(struct sim_world *world)
{
	struct due *heap = world->heap, first = heap[0], last = heap[--world->n_due];
	size_t i = 0;
	for (size_t child; (child = 2 * i + 1) < world->n_due; i = child) {
		if (child + 1 < world->n_due && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &last))
			break;
		heap[i] = heap[child];
	}
	heap[i] = last;
	return first;
}

void world_later(struct sim_device *device, int64_t in_ms, enum due_what what)
{
	struct sim_world *world = device->world;
	device->n_due++;
	push(world, (struct due){ world->now_ms + in_ms, world->seq++, device, what });
}

void world_device_closed(struct sim_device *device)
{
	device->world->n_open--;
	device->closed = true;
}

static void deliver(struct sim_world *world, struct due due)
{
	struct sim_device *device = due.device;
	device->n_due--;
	if (!device->closing || due.what == DUE_CLOSED) {
		world->now_ms = due.at_ms;
		device->on_due(device, due.what);
	}
	if (device->closed && device->n_due == 0)
		free(device->memory);
}

int64_t world_latency_ms(struct sim_world *world, int32_t about_ms)
{
	return about_ms + (int64_t)(dice_share(world->conf.truth.seed, world->seq, 0) * about_ms);
}

size_t world_number(const char *text, size_t n)
{
	char *end;
	if (*text < '0' || *text > '9')
		return n;
	unsigned long value = strtoul(text, &end, 10);
	return *end || value > n ? n : value;
}

struct sim_world *sim_world_open(const struct sim_world_conf *conf)
{
	struct sim_world *world = zeroed(1, sizeof *world);
	world->conf = *conf;
	world->conf.meter_refresh_ms = conf->meter_refresh_ms > 0 ? conf->meter_refresh_ms : 200;
	world->conf.pdu_refresh_ms = conf->pdu_refresh_ms > 0 ? conf->pdu_refresh_ms : 1000;
	world->conf.meter_latency_ms = conf->meter_latency_ms > 0 ? conf->meter_latency_ms : 5;
	world->conf.miner_latency_ms = conf->miner_latency_ms > 0 ? conf->miner_latency_ms : 30;
	world->now_ms = conf->begin_ms;
	world->n_meters = SIM_FIRST_PDU + conf->truth.n_pdus;
	world->meters = zeroed(world->n_meters, sizeof *world->meters);
	truth_init(&world->truth, &conf->truth);
	return world;
}

void sim_world_close(struct sim_world *world)
{
	while (world->n_due)
		deliver(world, pop(world));
	truth_free(&world->truth);
	free(world->meters);
	free(world->selves);
	free(world->heap);
	free(world);
}

struct meter_room *sim_world_room(struct sim_world *world)
{
	return (struct meter_room *)(void *)world;
}

struct miner_room *sim_world_miners(struct sim_world *world)
{
	return (struct miner_room *)(void *)world;
}

void sim_world_run(struct sim_world *world, int64_t now_ms)
{
	if (now_ms < world->now_ms)
		now_ms = world->now_ms;
	while (world->n_due && world->heap[0].at_ms <= now_ms)
		deliver(world, pop(world));
	world->now_ms = now_ms;
}

size_t sim_world_open_devices(const struct sim_world *world)
{
	return world->n_open;
}

uint64_t sim_world_orders(const struct sim_world *world)
{
	return world->orders;
}

struct truth *sim_world_truth(struct sim_world *world)
{
	return &world->truth;
}

int64_t sim_world_site_ms(const struct sim_world *world)
{
	return world->now_ms - world->conf.begin_ms;
}

void sim_world_set_meter_fault(struct sim_world *world, size_t meter, enum sim_meter_fault fault)
{
	world->meters[meter] = (struct sim_meter_state){ .fault = fault, .frozen_ms = sim_world_site_ms(world) };
}

void sim_world_scale_meter(struct sim_world *world, size_t meter, int32_t permille)
{
	sim_world_set_meter_fault(world, meter, SIM_METER_SCALED);
	world->meters[meter].factor_permille = permille;
}

void sim_world_set_miner_fault(struct sim_world *world, size_t miner, enum plant_fault fault)
{
	plant_set_fault(&world->truth.plant, miner, sim_world_site_ms(world), fault);
}

static struct sim_self *self_of(struct sim_world *world, size_t miner)
{
	if (miner >= world->n_selves) {
		size_t n = miner + 1;
		world->selves = realloc(world->selves, n * sizeof *world->selves);
		if (!world->selves)
			abort();
		memset(world->selves + world->n_selves, 0, (n - world->n_selves) * sizeof *world->selves);
		world->n_selves = n;
	}
	return &world->selves[miner];
}

void sim_world_set_identity(struct sim_world *world, size_t miner, uint64_t identity)
{
	self_of(world, miner)->identity = identity;
}

void sim_world_set_firmware(struct sim_world *world, size_t miner, uint64_t firmware)
{
	self_of(world, miner)->firmware = firmware;
}

bool sim_world_add_job(struct sim_world *world, int64_t in_ms, int64_t delta_w, int64_t over_ms)
{
	return load_add_job(&world->truth.conf.load,
	                    (struct load_job){ sim_world_site_ms(world) + in_ms, delta_w, over_ms });
}

int64_t sim_world_site_w(struct sim_world *world)
{
	return truth_site_w(&world->truth, sim_world_site_ms(world));
}

int64_t sim_world_hpc_w(struct sim_world *world)
{
	return truth_hpc_w(&world->truth, sim_world_site_ms(world));
}

int64_t sim_world_miners_w(struct sim_world *world)
{
	return truth_miners_w(&world->truth, sim_world_site_ms(world));
}

int64_t sim_world_other_w(struct sim_world *world)
{
	return truth_other_w(&world->truth, sim_world_site_ms(world));
}
