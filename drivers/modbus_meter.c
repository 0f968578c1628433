#include "drivers/modbus_meter.h"

#include <assert.h>

#include "drivers/modbus_link.h"
#include "drivers/modbus_plan.h"
#include "drivers/modbus_room.h"
#include "drivers/modbus_rtu.h"
#include "drivers/modbus_tcp.h"

struct modbus_meter {
	struct meter meter;
	struct modbus_client client;
	struct register_map map;
	struct modbus_plan plan;
	int64_t most_w;
	bool polling;
	unsigned step;                  /* which read of the plan is under way */
	struct meter_reading reading;
};

static struct modbus_meter *meter_of(struct modbus_client *client)
{
	return (struct modbus_meter *)(void *)((char *)client - offsetof(struct modbus_meter, client));
}

static void ask(struct modbus_meter *self, int64_t deadline_ms)
{
	modbus_link_put(&self->client, &self->plan.reads[self->step], deadline_ms);
	self->client.link->ask(&self->client);
}

static void finish(struct modbus_meter *self)
{
	struct meter_reading reading = self->reading;
	struct meter_user user = self->meter.user;
	self->polling = false;
	user.on_reading(user.self, &reading);
}

/* The first read brings the power; what comes after may fail without taking that away. */
static void on_answer(struct modbus_client *client, const struct modbus_answer *answer)
{
	struct modbus_meter *self = meter_of(client);
	if (self->step == 0) {
		self->reading.fault = answer->fault;
		self->reading.at_ms = answer->sent_ms + (answer->came_ms - answer->sent_ms) / 2;
	}
	if (answer->fault == FAULT_NONE)
		modbus_plan_take(&self->plan, self->step, answer->words, &self->map, self->most_w, &self->reading);
	self->step++;
	if (answer->fault == FAULT_NONE && self->reading.fault == FAULT_NONE && self->step < self->plan.n)
		ask(self, client->deadline_ms);
	else
		finish(self);
}

static void on_left(struct modbus_client *client)
{
	struct modbus_meter *self = meter_of(client);
	struct meter_user user = self->meter.user;
	free(self);
	user.on_closed(user.self);
}

static struct modbus_meter *open_meter(const struct meter_driver *driver, const struct meter_conf *conf, struct meter_user user)
{
	assert(conf->map->power.type != REGISTER_NONE);
	struct modbus_meter *self = room_alloc(sizeof *self);
	self->meter = (struct meter){ driver, user };
	self->map = *conf->map;
	self->most_w = conf->most_w;
	self->client = (struct modbus_client){
		.unit = conf->unit, .timeout_ms = conf->timeout_ms ? conf->timeout_ms : 1,
		.on_answer = on_answer, .on_left = on_left,
	};
	modbus_plan_make(&self->plan, conf->map);
	return self;
}

static struct meter *open_tcp(struct meter_room *room, const struct meter_conf *conf, struct meter_user user)
{
	struct modbus_meter *self = open_meter(&modbus_tcp_driver, conf, user);
	modbus_tcp_join(room, conf->host, conf->port, &self->client);
	return &self->meter;
}

static struct meter *open_rtu(struct meter_room *room, const struct meter_conf *conf, struct meter_user user)
{
	struct modbus_meter *self = open_meter(&modbus_rtu_driver, conf, user);
	modbus_rtu_join(room, conf->host, conf->baud, conf->parity, &self->client);
	return &self->meter;
}

static void poll_meter(struct meter *meter)
{
	struct modbus_meter *self = (struct modbus_meter *)meter;
	if (self->polling)
		return;
	self->polling = true;
	self->step = 0;
	self->reading = (struct meter_reading){ 0 };
	ask(self, modbus_now_ms() + self->client.timeout_ms);
}

static void close_meter(struct meter *meter)
{
	struct modbus_meter *self = (struct modbus_meter *)meter;
	assert(!self->client.leaving);
	self->client.link->leave(&self->client);
}

const struct meter_driver modbus_tcp_driver = {
	.name = "modbus", .open = open_tcp, .poll = poll_meter, .close = close_meter,
};
const struct meter_driver modbus_rtu_driver = {
	.name = "modbus-rtu", .serial = true, .open = open_rtu, .poll = poll_meter, .close = close_meter,
};
