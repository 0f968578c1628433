/* tests/scripted_miner.h - a miner that follows a script, on the same loop as what is tested: it expects each request,
 * byte for byte and in one segment, and answers as the script says, well or badly. And an owner who keeps count. */
#ifndef TESTS_SCRIPTED_MINER_H
#define TESTS_SCRIPTED_MINER_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "drivers/miner.h"

enum manner {
	SAY_AND_CLOSE,                  /* the reply, then close */
	SAY_NUL_AND_CLOSE,
	SAY_NUL_AND_STAY,
	SAY_AND_STAY,                   /* no NUL, no close */
	DRIBBLE,                        /* a few bytes at a time, then stay */
	SAY_HALF_AND_CLOSE,
	SAY_HALF_AND_STAY,
	CLOSE,                          /* without a word */
	RESET,
	SILENT,
	FLOOD,                          /* a reply that never ends */
};

struct act { const char *expect, *reply; enum manner manner; };

struct scripted_guest;
struct scripted {
	uv_tcp_t listener;
	uint16_t port;
	const struct act *acts;
	size_t n, next;
	unsigned played;                /* acts; as next */
	unsigned connections, resets;   /* resets: connections the other side ended so */
	bool wrong;
	struct scripted_guest *guests;
};

struct scripted_guest {
	uv_tcp_t tcp;
	uv_write_t write;
	struct scripted *miner;
	struct scripted_guest *next;
	const char *rest;               /* dribbled: what is left to say */
	enum manner manner;
	char in[512];
};

static inline void scripted_guest_closed(uv_handle_t *handle)
{
	struct scripted_guest *guest = handle->data;
	struct scripted_guest **at = &guest->miner->guests;
	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	free(guest);
}

static inline void scripted_hang_up(struct scripted_guest *guest)
{
	if (!uv_is_closing((uv_handle_t *)&guest->tcp))
		uv_close((uv_handle_t *)&guest->tcp, scripted_guest_closed);
}

static inline void scripted_said(uv_write_t *write, int status)
{
	static char noise[4096];
	struct scripted_guest *guest = write->data;
	uv_buf_t buf = uv_buf_init(noise, sizeof noise);
	if (status != 0) {
		scripted_hang_up(guest);
		return;
	}
	if (guest->manner == FLOOD) {
		memset(noise, '[', sizeof noise);
	} else if (guest->manner == DRIBBLE && *guest->rest) {
		size_t n = strlen(guest->rest);
		buf = uv_buf_init((char *)(uintptr_t)guest->rest, n < 7 ? (unsigned)n : 7);
		guest->rest += buf.len;
	} else {
		if (guest->manner != DRIBBLE && guest->manner != SAY_AND_STAY && guest->manner != SAY_NUL_AND_STAY &&
		    guest->manner != SAY_HALF_AND_STAY)
			scripted_hang_up(guest);
		return;
	}
	uv_write(&guest->write, (uv_stream_t *)&guest->tcp, &buf, 1, scripted_said);
}

static inline void scripted_play(struct scripted_guest *guest, const struct act *act)
{
	size_t n = act->reply ? strlen(act->reply) : 0;
	guest->manner = act->manner;
	switch (act->manner) {
	case SAY_AND_CLOSE:
	case SAY_AND_STAY:
		break;
	case SAY_NUL_AND_CLOSE:
	case SAY_NUL_AND_STAY:
		n++;
		break;
	case SAY_HALF_AND_CLOSE:
	case SAY_HALF_AND_STAY:
		n /= 2;
		break;
	case DRIBBLE:
		guest->rest = act->reply;
		n = 0;
		break;
	case FLOOD:
		n = 0;
		break;
	case CLOSE:
		scripted_hang_up(guest);
		return;
	case RESET:
		uv_tcp_close_reset(&guest->tcp, scripted_guest_closed);
		return;
	case SILENT:
		return;
	}
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)(act->reply ? act->reply : ""), (unsigned)n);
	uv_write(&guest->write, (uv_stream_t *)&guest->tcp, &buf, 1, scripted_said);
}

static inline void scripted_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct scripted_guest *guest = handle->data;
	(void)suggested;
	*buf = uv_buf_init(guest->in, sizeof guest->in - 1);
}

static inline void scripted_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct scripted_guest *guest = stream->data;
	struct scripted *miner = guest->miner;
	if (n < 0) {
		miner->resets += n == UV_ECONNRESET;
		scripted_hang_up(guest);
		return;
	}
	if (n == 0)
		return;
	buf->base[n] = '\0';
	if (miner->next == miner->n || strcmp(buf->base, miner->acts[miner->next].expect) != 0) {
		fprintf(stderr, "request %zu: got      %s\n            expected %s\n", miner->next, buf->base,
		        miner->next == miner->n ? "none" : miner->acts[miner->next].expect);
		miner->wrong = true;
		scripted_hang_up(guest);
		return;
	}
	scripted_play(guest, &miner->acts[miner->next++]);
	miner->played++;
}

static inline void scripted_guest_came(uv_stream_t *listener, int status)
{
	struct scripted *miner = listener->data;
	struct scripted_guest *guest = calloc(1, sizeof *guest);
	assert(status == 0 && guest);
	uv_tcp_init(listener->loop, &guest->tcp);
	guest->tcp.data = guest->write.data = guest;
	guest->miner = miner;
	guest->next = miner->guests;
	miner->guests = guest;
	miner->connections++;
	status = uv_accept(listener, (uv_stream_t *)&guest->tcp);
	assert(status == 0);
	uv_tcp_nodelay(&guest->tcp, 1);
	uv_read_start((uv_stream_t *)&guest->tcp, scripted_room, scripted_read);
}

static inline void scripted_open(struct scripted *miner, uv_loop_t *loop, const struct act *acts, size_t n)
{
	struct sockaddr_in any, at;
	int len = sizeof at, rc;
	*miner = (struct scripted){ .acts = acts, .n = n };
	uv_ip4_addr("127.0.0.1", 0, &any);
	uv_tcp_init(loop, &miner->listener);
	miner->listener.data = miner;
	rc = uv_tcp_bind(&miner->listener, (struct sockaddr *)&any, 0);
	assert(rc == 0);
	rc = uv_listen((uv_stream_t *)&miner->listener, 64, scripted_guest_came);
	assert(rc == 0);
	uv_tcp_getsockname(&miner->listener, (struct sockaddr *)&at, &len);
	miner->port = ntohs(at.sin_port);
}

static inline void scripted_close(struct scripted *miner)
{
	uv_close((uv_handle_t *)&miner->listener, NULL);
	for (struct scripted_guest *guest = miner->guests; guest; guest = guest->next)
		scripted_hang_up(guest);
}

struct owner {                          /* of the miner under test; aborts where the driver breaks its contract */
	struct miner_room *room;
	struct miner *miner;
	unsigned polls, readings, orders, answers, closed;
	bool inside, closing, room_stays;
	struct miner_reading last;
	enum fault answered[16];        /* orders, in the order of the answers */
	void (*then)(struct owner *);   /* called at the end of each answer; NULL: nothing */
};

static inline void owner_read(void *self, const struct miner_reading *reading)
{
	struct owner *owner = self;
	assert(!owner->inside && !owner->closing && owner->readings < owner->polls);
	owner->readings++;
	owner->last = *reading;
	if (owner->then)
		owner->then(owner);
}

static inline void owner_answered(void *self, enum fault fault)
{
	struct owner *owner = self;
	assert(!owner->inside && !owner->closing && owner->answers < owner->orders && fault != FAULT_NEVER);
	owner->answered[owner->answers++ % 16] = fault;
	if (owner->then)
		owner->then(owner);
}

static inline void owner_closed(void *self)
{
	struct owner *owner = self;
	assert(!owner->inside && owner->closing);
	if (!owner->room_stays)
		miner_room_close(owner->room);
	owner->closed++;
}

static inline void owner_open_in(struct owner *owner, const char *driver, struct miner_room *room, const struct miner_conf *conf)
{
	*owner = (struct owner){ .inside = true, .room = room };
	owner->miner = miner_driver_named(driver)->open(owner->room, conf, (struct miner_user){ owner, owner_read, owner_answered, owner_closed });
	owner->inside = false;
}

static inline void owner_open(struct owner *owner, const char *driver, uv_loop_t *loop, const struct miner_conf *conf)
{
	owner_open_in(owner, driver, miner_room_open(loop, 16), conf);
}

static inline void owner_poll(struct owner *owner)
{
	owner->inside = true;
	owner->polls++;
	owner->miner->driver->poll(owner->miner);
	owner->inside = false;
}

static inline void owner_order(struct owner *owner, bool hash, int32_t limit_w)
{
	struct miner_order order = { hash, limit_w };
	owner->inside = true;
	owner->orders++;
	owner->miner->driver->order(owner->miner, &order);
	owner->inside = false;
}

static inline void owner_close(struct owner *owner)
{
	owner->inside = owner->closing = true;
	owner->miner->driver->close(owner->miner);
	owner->inside = false;
}

static inline void scripted_tick(uv_timer_t *timer)
{
	++*(unsigned *)timer->data;
}

/* Turns the loop until *count has reached n; false: it did not within 20 s. The tick wakes a loop that a timer,
 * run before it fell asleep, had brought to its goal. */
static inline bool loop_until(uv_loop_t *loop, const unsigned *count, unsigned n)
{
	unsigned ticks = 0;
	uv_timer_t tick;
	uv_timer_init(loop, &tick);
	tick.data = &ticks;
	uv_timer_start(&tick, scripted_tick, 5, 5);
	while (*count < n && ticks < 4000)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
	return *count >= n;
}

/* As a reload of the file does: closed, and opened again by the same driver in the same room, with what it remembers. */
static inline void owner_reopen(struct owner *owner, uv_loop_t *loop, const struct miner_conf *conf)
{
	const struct miner_driver *driver = owner->miner->driver;
	struct miner_memory memory = { 0 };
	driver->remember(owner->miner, &memory);
	assert(memory.driver == driver);
	owner->room_stays = true;
	owner_close(owner);
	bool closed = loop_until(loop, &owner->closed, 1);
	assert(closed);
	owner_open_in(owner, driver->name, owner->room, conf);
	driver->recall(owner->miner, &memory);
	assert(!memory.driver);
}

/* All has ended as it should: the script was played to its end, nothing is left on the loop. */
static inline bool all_ended(uv_loop_t *loop, struct scripted *miner)
{
	bool played = !miner->wrong && miner->next == miner->n;
	scripted_close(miner);
	uv_run(loop, UV_RUN_DEFAULT);
	return uv_loop_close(loop) == 0 && played;
}

#endif
