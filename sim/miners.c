/* sim/miners.c - the miners of sim/devices.h. */
#include <string.h>

#include "sim/world.h"
#include "sim/zeroed.h"

struct sim_miner {
	struct miner miner;
	struct sim_device device;
	uint32_t timeout_ms;
	int64_t asked_ms;
	bool steer;
	bool polling, ordering, waiting;        /* waiting: next goes when the order under way is answered */
	struct miner_order order, next;
	enum fault order_answer;
};

static struct sim_miner *of_device(struct sim_device *device)
{
	return (struct sim_miner *)(void *)((char *)device - offsetof(struct sim_miner, device));
}

static struct plant *plant_of(const struct sim_miner *miner)
{
	return &miner->device.world->truth.plant;
}

static enum plant_fault fault_of(const struct sim_miner *miner)
{
	const struct plant *plant = plant_of(miner);
	return miner->device.index < plant->n ? plant->miners[miner->device.index].fault : PLANT_DEAD;
}

static enum fault answer_to_poll(enum plant_fault fault)
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

static enum fault answer_to_order(enum plant_fault fault)
{
	return fault == PLANT_BUSY ? FAULT_REFUSED : answer_to_poll(fault);
}

/* How long until it answers, or until it is given up. */
static int64_t answer_in_ms(const struct sim_miner *miner)
{
	struct sim_world *world = miner->device.world;
	int64_t in_ms = world_latency_ms(world, world->conf.miner_latency_ms);
	enum plant_fault fault = fault_of(miner);
	if (fault == PLANT_SLOW)
		in_ms += 2000;
	if (fault == PLANT_SILENT || fault == PLANT_DEAD || in_ms > miner->timeout_ms)
		in_ms = miner->timeout_ms;
	return in_ms;
}

/* ---- readings ---- */

static struct miner_reading reading_of(const struct sim_miner *miner)
{
	const struct plant *plant = plant_of(miner);
	size_t i = miner->device.index;
	int64_t site_ms = sim_world_site_ms(miner->device.world);
	struct miner_reading reading = { .fault = answer_to_poll(fault_of(miner)), .at_ms = miner->asked_ms };
	if (reading.fault != FAULT_NONE)
		return reading;
	const struct plant_miner_type *type = plant->miners[i].type;
	reading.state = plant_miner_state(plant, i, site_ms);
	reading.steerable = miner->steer;
	if (i < miner->device.world->n_selves) {
		reading.identity = miner->device.world->selves[i].identity;
		reading.firmware = miner->device.world->selves[i].firmware;
	}
	reading.knows_power = type->tells_power;
	if (type->tells_power) {
		reading.power_w = plant_miner_told_w(plant, i, site_ms);
		const struct plant_miner *unit = &plant->miners[i];     /* the table's figure for the type, not this unit's */
		reading.awake_w = (int32_t)((int64_t)type->full_w * unit->limit_w / unit->full_w);
	}
	reading.hashrate_ghs = plant_miner_hashrate_ghs(plant, i, site_ms);
	return reading;
}

static void read_out(struct sim_miner *miner)
{
	struct miner_reading reading = reading_of(miner);
	miner->polling = false;
	miner->miner.user.on_reading(miner->miner.user.self, &reading);
}

static void miner_poll(struct miner *handle)
{
	struct sim_miner *miner = (struct sim_miner *)(void *)handle;
	if (miner->polling)
		return;
	miner->polling = true;
	miner->asked_ms = miner->device.world->now_ms;
	world_later(&miner->device, answer_in_ms(miner), DUE_READ);
}

/* ---- orders: halfway to the answer the miner hears it ---- */

static void send_order(struct sim_miner *miner)
{
	int64_t in_ms = answer_in_ms(miner);
	miner->ordering = true;
	miner->order_answer = FAULT_SILENT;
	world_later(&miner->device, fault_of(miner) == PLANT_SLOW ? 0 : in_ms / 2, DUE_ORDER_ARRIVES);
	world_later(&miner->device, in_ms, DUE_ORDER_ANSWER);
}

static void arrive(struct sim_miner *miner)
{
	struct sim_world *world = miner->device.world;
	if (miner->device.index >= world->truth.plant.n)
		return;
	miner->order_answer = answer_to_order(fault_of(miner));
	if (fault_of(miner) == PLANT_REFUSING || fault_of(miner) == PLANT_DEAD)
		return;
	world->orders++;
	plant_order(&world->truth.plant, miner->device.index, sim_world_site_ms(world), miner->order.hash, miner->order.limit_w);
}

static void answer_order(struct sim_miner *miner)
{
	enum fault answer = miner->order_answer;
	miner->ordering = miner->waiting;
	if (miner->waiting) {
		miner->waiting = false;
		miner->order = miner->next;
		send_order(miner);
	}
	miner->miner.user.on_ordered(miner->miner.user.self, answer);
}

static void order_replaced(struct sim_miner *miner)
{
	miner->miner.user.on_ordered(miner->miner.user.self, FAULT_REFUSED);
}

static void miner_order(struct miner *handle, const struct miner_order *order)
{
	struct sim_miner *miner = (struct sim_miner *)(void *)handle;
	if (miner->ordering && miner->waiting)
		world_later(&miner->device, 0, DUE_ORDER_REPLACED);
	if (miner->ordering) {
		miner->next = *order;
		miner->waiting = true;
		return;
	}
	miner->order = *order;
	send_order(miner);
}

/* ---- opening and closing ---- */

static void closed(struct sim_miner *miner)
{
	world_device_closed(&miner->device);
	miner->miner.user.on_closed(miner->miner.user.self);
}

static void on_due(struct sim_device *device, enum due_what what)
{
	struct sim_miner *miner = of_device(device);
	switch (what) {
	case DUE_READ:
		read_out(miner);
		break;
	case DUE_ORDER_ARRIVES:
		arrive(miner);
		break;
	case DUE_ORDER_ANSWER:
		answer_order(miner);
		break;
	case DUE_ORDER_REPLACED:
		order_replaced(miner);
		break;
	case DUE_CLOSED:
		closed(miner);
		break;
	}
}

static struct miner *open_as(const struct miner_driver *driver, struct miner_room *room, const struct miner_conf *conf,
                             struct miner_user user)
{
	struct sim_world *world = (struct sim_world *)room;
	struct sim_miner *miner = zeroed(1, sizeof *miner);
	miner->miner = (struct miner){ driver, user };
	miner->device = (struct sim_device){ .world = world, .on_due = on_due, .index = SIZE_MAX };
	if (strncmp(conf->host, "sim:", 4) == 0)
		miner->device.index = world_number(conf->host + 4, SIZE_MAX);
	miner->device.memory = miner;
	miner->timeout_ms = conf->timeout_ms;
	miner->steer = conf->steer;
	world->n_open++;
	return &miner->miner;
}

static struct miner *luxos_open(struct miner_room *room, const struct miner_conf *conf, struct miner_user user)
{
	return open_as(&sim_luxos_driver, room, conf, user);
}

static struct miner *cgminer_open(struct miner_room *room, const struct miner_conf *conf, struct miner_user user)
{
	return open_as(&sim_cgminer_driver, room, conf, user);
}

static void miner_close(struct miner *handle)
{
	struct sim_miner *miner = (struct sim_miner *)(void *)handle;
	if (miner->device.closing)
		return;
	miner->device.closing = true;
	world_later(&miner->device, 0, DUE_CLOSED);
}

const struct miner_driver sim_luxos_driver = {
	.name = "sim-luxos", .step_w = 1, .sleep = { 2000, 3000 }, .wake = { 5000, 12000 }, .power = { 2000, 8000 },
	.open = luxos_open, .poll = miner_poll, .order = miner_order, .close = miner_close,
};
const struct miner_driver sim_cgminer_driver = {
	.name = "sim-cgminer", .step_w = 0, .sleep = { 1500, 2500 }, .wake = { 10000, 24000 },
	.open = cgminer_open, .poll = miner_poll, .order = miner_order, .close = miner_close,
};
