#include "drivers/snmp_meter.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "drivers/lookup.h"
#include "drivers/modbus_room.h"
#include "drivers/snmp_link.h"

enum {
	MOST_SENDS = 8,                 /* of one question */
	MOST_ENGINES = 3,               /* found out in one poll; an agent that has more of them is playing */
	MOST_DRAINED = 16,              /* datagrams read at the deadline */
	SILENCES_TO_LOOK_UP = 10,       /* a name may by then stand for another address */
};

enum socket_state { SOCKET_NONE, SOCKET_OPEN, SOCKET_CLOSING };

struct snmp_meter {
	struct meter meter;
	struct meter_room *room;
	char *host;
	bool host_is_address;
	uint16_t port;
	uint32_t timeout_ms;
	int64_t most_w;
	const struct snmp_map *map;
	const struct snmp_access *access;
	struct snmp_keys *keys;

	unsigned open_handles;
	bool leaving;
	uv_timer_t timer;
	struct lookup *lookup;          /* NULL: none under way */
	uv_poll_t readable;
	enum socket_state socket;
	struct snmp_link *session;   /* while SOCKET_OPEN */
	unsigned silences;              /* in a row */

	bool polling;
	int64_t deadline_ms;
	struct snmp_plan plan;
	struct meter_reading reading;
	enum fault excuse;              /* what it was if no answer comes */
	unsigned n_engines;

	/* The question under way. Each time it is sent it has a tag of its own, so that answers tell what they answer. */
	uintptr_t next_tag;
	unsigned n_sends;
	int64_t sent_ms[MOST_SENDS];
	int64_t first_ms;               /* sends are spread from here to the deadline */
};

static int64_t now_ms(void)
{
	return (int64_t)(uv_hrtime() / 1000000);
}


/* ---- the end of a poll, and of the meter ---- */

static void handle_closed(struct snmp_meter *self)
{
	if (--self->open_handles > 0)
		return;
	struct meter_user user = self->meter.user;
	struct meter_room *room = self->room;
	snmp_keys_drop(&room->snmp_keys, self->keys);
	free(self->host);
	free(self);
	meter_room_left(room);
	user.on_closed(user.self);
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct snmp_meter *self = handle->data;
	self->socket = SOCKET_NONE;
	handle_closed(self);
}

static void socket_close(struct snmp_meter *self)
{
	self->socket = SOCKET_CLOSING;
	uv_close((uv_handle_t *)&self->readable, on_socket_closed);
	snmp_link_close(self->session);
	self->session = NULL;
}

static void finish(struct snmp_meter *self)
{
	struct meter_reading reading = self->reading;
	struct meter_user user = self->meter.user;
	self->polling = false;
	uv_timer_stop(&self->timer);
	self->silences = reading.fault == FAULT_SILENT ? self->silences + 1 : 0;
	if (self->silences >= SILENCES_TO_LOOK_UP && !self->host_is_address && self->socket == SOCKET_OPEN) {
		socket_close(self);
		self->silences = 0;
	}
	user.on_reading(user.self, &reading);
}

/* What comes after the power may fail without taking that away. */
static void finish_without(struct snmp_meter *self, enum fault fault)
{
	if (self->reading.fault != FAULT_NONE) {
		self->reading.fault = fault;
		self->reading.at_ms = now_ms();
	}
	finish(self);
}

/* ---- questions ---- */

/* One more time each at equal parts of the time there is, the last with two parts left to be answered. */
static void set_timer(struct snmp_meter *self)
{
	int64_t now = now_ms(), left = self->deadline_ms - self->first_ms, due = self->deadline_ms;
	if (self->n_sends && self->n_sends <= self->access->retries && self->n_sends < MOST_SENDS)
		due = self->first_ms + left * self->n_sends / (self->access->retries + 2);
	uv_update_time(self->timer.loop);
	uv_timer_start(&self->timer, self->timer.timer_cb, due > now ? (uint64_t)(due - now) : 0, 0);
}

static void put_question(struct snmp_meter *self)
{
	int64_t now = now_ms();
	self->sent_ms[self->n_sends++] = now;
	snmp_link_send(self->session, &self->plan.ask, self->next_tag++, self->deadline_ms - now);
	set_timer(self);
}

static void ask(struct snmp_meter *self)
{
	self->n_sends = 0;
	self->first_ms = now_ms();
	put_question(self);
}

/* ---- answers ---- */

/* When the send that TAG stands for left; 0: that was not of the question under way. */
static int64_t sent_of(const struct snmp_meter *self, uintptr_t tag)
{
	uintptr_t age = self->next_tag - tag;           /* 1: the last */
	return age >= 1 && age <= self->n_sends ? self->sent_ms[self->n_sends - age] : 0;
}

static void take_values(struct snmp_meter *self, const struct snmp_heard *heard, int64_t sent)
{
	if (self->plan.step == 0)
		self->reading.at_ms = sent + (now_ms() - sent) / 2;
	switch (snmp_plan_take(&self->plan, heard->values, heard->n, self->most_w, &self->reading)) {
	case SNMP_TAKEN:     ask(self); break;
	case SNMP_TAKEN_ALL: finish(self); break;
	case SNMP_NOT_ASKED: finish_without(self, FAULT_GARBLED); break;
	}
}

static void take_engine(struct snmp_meter *self)
{
	if (++self->n_engines > MOST_ENGINES)
		finish_without(self, FAULT_REFUSED);
	else
		ask(self);
}

/* It may be another device that stands there now: one that is known anew can still answer in time. */
static void take_noise(struct snmp_meter *self)
{
	self->excuse = FAULT_GARBLED;
	if (!snmp_link_ready(self->session) && self->n_engines++ < MOST_ENGINES)
		ask(self);
}

static void take(struct snmp_meter *self, const struct snmp_heard *heard)
{
	int64_t sent = sent_of(self, heard->tag);
	switch (heard->event) {
	case SNMP_EMPTY:
	case SNMP_STRAY:
		break;
	case SNMP_NOISE:
		take_noise(self);
		break;
	case SNMP_VALUES:
		if (sent)
			take_values(self, heard, sent);
		break;
	case SNMP_NO:
		if (sent)
			finish_without(self, FAULT_REFUSED);
		break;
	case SNMP_ENGINE:
		take_engine(self);
		break;
	}
}

static bool read_once(struct snmp_meter *self)
{
	struct snmp_heard heard;
	enum snmp_event event = snmp_link_read(self->session, &heard);
	if (self->polling)
		take(self, &heard);
	return event != SNMP_EMPTY;
}

/* libuv stops at an error, such as that nobody listens there; reading takes the error off the socket. */
static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct snmp_meter *self = handle->data;
	(void)events;
	if (status < 0)
		uv_poll_start(handle, UV_READABLE, on_readable);
	read_once(self);
}

/* A loop that was held up may have the answer lying in the socket: that counts. */
static void drain(struct snmp_meter *self)
{
	for (unsigned i = 0; i < MOST_DRAINED && self->polling && self->session && read_once(self); i++)
		;
}

static void on_timer(uv_timer_t *timer)
{
	struct snmp_meter *self = timer->data;
	if (now_ms() < self->deadline_ms) {
		if (self->session && self->n_sends <= self->access->retries && self->n_sends < MOST_SENDS)
			put_question(self);
		else
			set_timer(self);
		return;
	}
	drain(self);
	if (!self->polling || now_ms() < self->deadline_ms)     /* answered, and perhaps polled again at once */
		return;
	if (self->session)
		snmp_link_expire(self->session);
	finish_without(self, self->excuse);
}

/* ---- the socket ---- */

static void socket_open(struct snmp_meter *self, const char *address)
{
	self->session = snmp_link_open(address, self->port, self->access, self->keys);
	if (!self->session)
		return;                         /* no descriptor left, or no route: as silent as can be */
	if (uv_poll_init(self->timer.loop, &self->readable, snmp_link_fd(self->session)) != 0) {
		snmp_link_close(self->session);
		self->session = NULL;
		return;
	}
	self->readable.data = self;
	self->open_handles++;
	self->socket = SOCKET_OPEN;
	uv_poll_start(&self->readable, UV_READABLE, on_readable);
}

static void on_found(void *of, const struct addrinfo *found)
{
	struct snmp_meter *self = of;
	char address[INET6_ADDRSTRLEN] = "";
	self->lookup = NULL;
	if (found && found->ai_family == AF_INET)
		uv_ip4_name((const struct sockaddr_in *)(const void *)found->ai_addr, address, sizeof address);
	else if (found && found->ai_family == AF_INET6)
		uv_ip6_name((const struct sockaddr_in6 *)(const void *)found->ai_addr, address, sizeof address);
	if (address[0])
		socket_open(self, address);
	if (self->session && self->polling)
		ask(self);
}

/* ---- the driver ---- */

static bool is_address(const char *host)
{
	unsigned char bytes[16];
	return uv_inet_pton(AF_INET, host, bytes) == 0 || uv_inet_pton(AF_INET6, host, bytes) == 0;
}

static struct meter *open_meter(struct meter_room *room, const struct meter_conf *conf, struct meter_user user)
{
	struct snmp_meter *self = room_alloc(sizeof *self);
	assert(conf->oids && conf->oids->power.value.n && conf->access);
	self->meter = (struct meter){ &snmp_driver, user };
	self->room = room;
	self->host = strdup(conf->host);
	if (!self->host)
		abort();
	self->host_is_address = is_address(conf->host);
	self->port = conf->port;
	self->timeout_ms = conf->timeout_ms ? conf->timeout_ms : 1;
	self->most_w = conf->most_w;
	self->map = conf->oids;
	self->access = conf->access;
	self->keys = snmp_keys_take(&room->snmp_keys, conf->access);
	self->next_tag = 1;
	uv_timer_init(room->loop, &self->timer);
	self->timer.data = self;
	self->timer.timer_cb = on_timer;
	self->open_handles = 1;
	room->n_open++;
	return &self->meter;
}

static void poll_meter(struct meter *meter)
{
	struct snmp_meter *self = (struct snmp_meter *)meter;
	if (self->polling)
		return;
	self->polling = true;
	self->deadline_ms = now_ms() + self->timeout_ms;
	self->reading = (struct meter_reading){ 0 };
	self->excuse = FAULT_SILENT;
	self->n_engines = self->n_sends = 0;
	snmp_plan_start(&self->plan, self->map);
	if (self->socket == SOCKET_NONE && self->host_is_address)
		socket_open(self, self->host);
	else if (self->socket == SOCKET_NONE && !self->lookup)
		self->lookup = lookup_begin(self->timer.loop, self->host, self->port, SOCK_DGRAM, on_found, self);
	if (!self->session) {
		set_timer(self);
		return;
	}
	snmp_link_expire(self->session);
	ask(self);
}

static void close_meter(struct meter *meter)
{
	struct snmp_meter *self = (struct snmp_meter *)meter;
	assert(!self->leaving);
	self->leaving = true;
	self->polling = false;
	if (self->socket == SOCKET_OPEN)
		socket_close(self);
	lookup_forget(self->lookup);
	uv_close((uv_handle_t *)&self->timer, on_timer_closed);
}

const struct meter_driver snmp_driver = {
	.name = "snmp", .reads = METER_READS_OIDS, .open = open_meter, .poll = poll_meter, .close = close_meter,
};
