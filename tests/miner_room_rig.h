/* tests/miner_room_rig.h - a hall: a farm of miners, the room their lines share, and who asks them. */
#ifndef TESTS_MINER_ROOM_RIG_H
#define TESTS_MINER_ROOM_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/cgminer_line.h"
#include "tests/farm_of_miners.h"

#define MOST_CALLERS 512
#define TIMEOUT_MS 20000

struct caller {
	struct cgminer_line line;
	struct hall *hall;
	char host[32];
	unsigned replies, reminders;
	enum fault fault;
	size_t len;
	bool closed;
};

struct hall {                           /* a loop, a farm, a room, and who asks */
	uv_loop_t loop;
	uv_timer_t tick;
	struct farm farm;
	struct miner_room *room;
	struct caller callers[MOST_CALLERS];
	unsigned n, ticks, replies, closed, asked, most_open, most_polls;
	unsigned order[MOST_CALLERS];           /* who was asked for its request, one after the other */
	unsigned reminders, in_step, most_in_step;
	uint64_t reminded_ms;
	uint32_t dice;
	void (*oddly)(struct caller *);         /* called inside each callback of a caller; NULL: nothing */
};

static inline void hall_then(struct caller *caller)
{
	if (caller->hall->oddly)
		caller->hall->oddly(caller);
}

static inline void look(struct hall *hall)
{
	const struct miner_room *room = hall->room;
	if (!room)
		return;
	assert(room->young + room->younger <= ROOM_MOST_YOUNG && room->young + room->younger <= room->n_open);
	hall->most_open = room->n_open > hall->most_open ? room->n_open : hall->most_open;
	hall->most_polls = room->n_polls > hall->most_polls ? room->n_polls : hall->most_polls;
}

static inline size_t request(void *self, char *text, size_t size)
{
	struct caller *caller = self;
	struct hall *hall = caller->hall;
	look(hall);
	assert(caller->line.state == LINE_IDLE);
	hall->order[hall->asked++ % MOST_CALLERS] = (unsigned)(caller - hall->callers);
	hall_then(caller);
	return (size_t)snprintf(text, size, "{\"command\":\"version\"}");
}

static inline void on_reply(void *self, const struct cgminer_reply *reply)
{
	struct caller *caller = self;
	assert(caller->line.state == LINE_IDLE);
	caller->replies++;
	caller->hall->replies++;
	caller->fault = reply->fault;
	caller->len = reply->len;
	look(caller->hall);
	hall_then(caller);
}

static inline void on_closed(void *self)
{
	struct caller *caller = self;
	assert(!caller->closed);
	caller->closed = true;
	if (++caller->hall->closed < caller->hall->n)
		return;
	miner_room_close(caller->hall->room);
	caller->hall->room = NULL;
}

static inline void on_remind(void *self)
{
	struct caller *caller = self;
	struct hall *hall = caller->hall;
	caller->reminders++;
	hall->reminders++;
	hall->in_step = hall->reminded_ms == uv_now(&hall->loop) ? hall->in_step + 1 : 1;
	hall->reminded_ms = uv_now(&hall->loop);
	hall->most_in_step = hall->in_step > hall->most_in_step ? hall->in_step : hall->most_in_step;
	hall_then(caller);
}

static inline void on_tick(uv_timer_t *tick)
{
	((struct hall *)tick->data)->ticks++;
}

static inline struct caller *caller_add(struct hall *hall, const char *host, uint16_t port, uint32_t timeout_ms)
{
	struct caller *caller = &hall->callers[hall->n++];
	caller->hall = hall;
	snprintf(caller->host, sizeof caller->host, "%s", host);
	cgminer_line_init(&caller->line, hall->room, caller->host, port, timeout_ms,
	                  (struct cgminer_line_user){ caller, request, on_reply, on_closed });
	caller->line.on_remind = on_remind;
	return caller;
}

static inline struct hall *hall_open(uint32_t connections, unsigned n, unsigned holding, size_t bytes)
{
	struct hall *hall = calloc(1, sizeof *hall);
	assert(hall && n <= MOST_CALLERS);
	uv_loop_init(&hall->loop);
	uv_timer_init(&hall->loop, &hall->tick);
	hall->tick.data = hall;
	uv_timer_start(&hall->tick, on_tick, 5, 5);
	farm_open(&hall->farm, &hall->loop, "0.0.0.0", holding, bytes);
	hall->room = miner_room_open(&hall->loop, connections);
	while (hall->n < n) {
		char host[32];
		snprintf(host, sizeof host, "127.1.%u.%u", (hall->n + 1) >> 8, (hall->n + 1) & 255);
		caller_add(hall, host, hall->farm.port, TIMEOUT_MS);
	}
	return hall;
}

/* false: the count was not reached within 20 s. */
static inline bool wait_for(struct hall *hall, const unsigned *count, unsigned n)
{
	unsigned until = hall->ticks + 4000;
	while (*count < n && hall->ticks < until) {
		uv_run(&hall->loop, UV_RUN_ONCE);
		look(hall);
	}
	return *count >= n;
}

static inline void wait_ticks(struct hall *hall, unsigned n)
{
	assert_true(wait_for(hall, &hall->ticks, hall->ticks + n));
}

static inline void hall_close(struct hall *hall)
{
	for (unsigned i = 0; i < hall->n; i++) {
		if (hall->callers[i].line.state != LINE_CLOSED)
			cgminer_line_close(&hall->callers[i].line);
	}
	assert_int_equal(hall->room->n_open, 0);
	assert_int_equal(hall->room->n_polls, 0);
	assert_int_equal(hall->room->n_reminders, 0);
	assert_true(wait_for(hall, &hall->closed, hall->n));
	uv_close((uv_handle_t *)&hall->tick, NULL);
	farm_close(&hall->farm);
	assert_int_equal(uv_loop_close(&hall->loop), 0);
	free(hall);
}

static inline void ask_all(struct hall *hall, unsigned from, unsigned to, enum cgminer_turn turn)
{
	for (unsigned i = from; i < to; i++)
		cgminer_line_ask(&hall->callers[i].line, turn);
}

#endif
