#include "drivers/cgminer_line.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "drivers/lookup.h"

#define ROUNDS 4                        /* of reading from one miner before others have their turn */

struct cgminer_lookup {
	struct lookup *lookup;
	struct cgminer_slot place;      /* in the window, without a socket */
};

/* ---- the end of an exchange ---- */

static void finish(struct cgminer_slot *slot, enum fault fault, const char *text, size_t len)
{
	struct cgminer_line *line = slot->line;
	struct miner_room *room = line->room;
	struct cgminer_reply reply = { .fault = fault };
	if (fault == FAULT_NONE) {
		reply.text = text;
		reply.len = len;
	}
	if (!slot->connected && line->host)
		line->address_known = false;    /* a name may have moved: look it up again */
	line->slot = NULL;
	slot->line = NULL;
	line->state = LINE_IDLE;
	miner_room_hang_up(room, slot);
	line->user.on_reply(line->user.self, &reply);
	miner_room_spare(room, slot);
}

static void miner_ended_it(struct cgminer_slot *slot, bool properly)
{
	if (slot->len == 0)
		finish(slot, FAULT_REFUSED, NULL, 0);
	else
		finish(slot, properly ? FAULT_NONE : FAULT_GARBLED, slot->text, slot->len);
}

/* ---- bytes ---- */

static void append(struct cgminer_slot *slot, const char *bytes, size_t n)
{
	while (slot->size < slot->len + n + 1) {
		slot->size = slot->size ? 2 * slot->size : 4096;
		slot->text = realloc(slot->text, slot->size);
		if (!slot->text)
			abort();
	}
	memcpy(slot->text + slot->len, bytes, n);
	slot->len += n;
	slot->text[slot->len] = '\0';
}

/* A reply that comes in one piece, as nearly all do, is never copied. */
static void take_whole(struct cgminer_slot *slot, char *bytes, size_t n)
{
	if (slot->len > 0) {
		append(slot, bytes, n);
		bytes = slot->text;
		n = slot->len;
	}
	bytes[n] = '\0';
	finish(slot, n > 0 ? FAULT_NONE : FAULT_REFUSED, bytes, n);
}

static void take_bytes(struct cgminer_slot *slot, char *bytes, size_t n)
{
	size_t used;
	switch (cgminer_scan(&slot->scan, bytes, n, &used)) {
	case END_NOT_YET:
		append(slot, bytes, used);
		return;
	case END_VALUE:
	case END_NUL:
		take_whole(slot, bytes, used);
		return;
	case END_HTTP:
	case END_TOO_LONG:
		finish(slot, FAULT_GARBLED, NULL, 0);
		return;
	}
}

static void read_some(struct miner_room *room, struct cgminer_slot *slot, bool to_the_end)
{
	struct cgminer_line *line = slot->line;
	for (int i = 0; i < ROUNDS; i++) {
		ssize_t n = recv(slot->fd, room->bytes, ROOM_BYTES, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			miner_ended_it(slot, n == 0);
			return;
		}
		take_bytes(slot, room->bytes, (size_t)n);
		if (slot->line != line || (n < ROOM_BYTES && !to_the_end))
			return;
	}
	miner_room_rearm(room, slot);
}

/* A connection that is refused ends otherwise than one that was taken and broken off before we looked. */
static bool was_taken(const struct cgminer_slot *slot)
{
	int error = 0;
	socklen_t size = sizeof error;
	getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error == ECONNRESET || error == EPIPE;
}

static bool send_request(struct cgminer_slot *slot)
{
	return send(slot->fd, slot->request, slot->request_len, MSG_NOSIGNAL) == (ssize_t)slot->request_len;
}

void cgminer_slot_event(struct miner_room *room, struct cgminer_slot *slot, uint32_t events)
{
	if (!slot->line)
		return;                 /* of an exchange that has ended */
	bool broken = events & (EPOLLERR | EPOLLHUP);
	if (!slot->connected) {
		if (broken) {
			finish(slot, was_taken(slot) ? FAULT_REFUSED : FAULT_SILENT, NULL, 0);
			return;
		}
		if (!(events & EPOLLOUT))
			return;
		slot->connected = true;
		if (!send_request(slot)) {
			miner_ended_it(slot, false);
			return;
		}
	}
	if (broken || events & (EPOLLIN | EPOLLRDHUP))
		read_some(room, slot, broken || events & EPOLLRDHUP);
}

/* ---- whose turn has come ---- */

static struct cgminer_lines *queue_of(struct cgminer_line *line)
{
	return line->turn == TURN_POLL ? &line->room->polls : &line->room->orders;
}

static void leave_queue(struct cgminer_line *line)
{
	TAILQ_REMOVE(queue_of(line), line, link);
	line->state = LINE_IDLE;
}

/* What to ask, now that its turn has come; 0: nothing after all. */
static size_t take_request(struct cgminer_line *line, char *text)
{
	uint8_t turn = line->turn;
	size_t n = line->user.request(line->user.self, text, CGMINER_MOST_REQUEST);
	assert(n <= CGMINER_MOST_REQUEST);
	if (n == 0 || line->state == LINE_CLOSED)
		return 0;
	if (line->state == LINE_WAITING)        /* asked again meanwhile: this is it */
		leave_queue(line);
	line->turn = turn;
	return n;
}

/* ---- names ---- */

/* The request is taken all the same: it settles what is answered. */
static void not_found(struct cgminer_line *line)
{
	char text[CGMINER_MOST_REQUEST];
	struct cgminer_reply reply = { .fault = FAULT_SILENT };
	if (take_request(line, text) > 0)
		line->user.on_reply(line->user.self, &reply);
}

static void end_lookup(struct cgminer_line *line)
{
	miner_room_hang_up(line->room, &line->lookup->place);
	free(line->lookup);
	line->lookup = NULL;
	line->state = LINE_IDLE;
}

static void on_found(void *self, const struct addrinfo *found)
{
	struct cgminer_line *line = self;
	end_lookup(line);
	if (!found || found->ai_addrlen > sizeof line->address) {
		not_found(line);
		return;
	}
	memcpy(&line->address, found->ai_addr, found->ai_addrlen);
	line->address_known = true;
	cgminer_line_ask(line, line->turn == TURN_POLL ? TURN_POLL : TURN_NEXT);
}

static bool look_up(struct cgminer_line *line)
{
	struct lookup *lookup = lookup_begin(line->room->loop, line->host, line->port, SOCK_STREAM, on_found, line);
	if (!lookup)
		return false;
	line->lookup = calloc(1, sizeof *line->lookup);
	if (!line->lookup)
		abort();
	line->lookup->lookup = lookup;
	line->lookup->place = (struct cgminer_slot){ .line = line, .fd = -1, .for_poll = line->turn == TURN_POLL };
	line->state = LINE_LOOKING_UP;
	miner_room_occupy(line->room, &line->lookup->place, line->timeout_ms);
	return true;
}

/* A resolver may take longer than we want to wait. */
static void forget_lookup(struct cgminer_line *line)
{
	if (!line->lookup)
		return;
	lookup_forget(line->lookup->lookup);
	end_lookup(line);
}

void cgminer_slot_overdue(struct cgminer_slot *slot)
{
	struct cgminer_line *line = slot->line;
	if (line->lookup) {
		forget_lookup(line);
		not_found(line);
	} else {
		finish(slot, FAULT_SILENT, NULL, 0);
	}
}

/* ---- asking ---- */

void cgminer_line_ask(struct cgminer_line *line, enum cgminer_turn turn)
{
	assert(line->state != LINE_OPEN && line->state != LINE_CLOSED);
	if (line->state != LINE_IDLE && line->turn >= turn)
		return;
	if (line->state == LINE_WAITING)
		leave_queue(line);
	line->turn = (uint8_t)turn;
	if (line->state == LINE_LOOKING_UP)
		return;
	line->state = LINE_WAITING;
	if (turn == TURN_NEXT)
		TAILQ_INSERT_HEAD(queue_of(line), line, link);
	else
		TAILQ_INSERT_TAIL(queue_of(line), line, link);
	miner_room_wake(line->room);
}

static void exchange(struct cgminer_line *line, struct cgminer_slot *slot)
{
	slot->line = line;
	slot->for_poll = line->turn == TURN_POLL;
	line->slot = slot;
	line->state = LINE_OPEN;
	miner_room_occupy(line->room, slot, line->timeout_ms);
	if (!miner_room_dial(line->room, slot, &line->address.any))
		finish(slot, FAULT_SILENT, NULL, 0);
}

bool cgminer_line_begin(struct cgminer_line *line)
{
	struct miner_room *room = line->room;
	if (!line->address_known) {
		if (!look_up(line))
			not_found(line);
		return true;
	}
	struct cgminer_slot *slot = miner_room_slot(room, line->address.any.sa_family);
	if (!slot)
		return false;
	slot->request_len = take_request(line, slot->request);
	if (slot->request_len > 0)
		exchange(line, slot);
	else
		miner_room_spare(room, slot);
	return true;
}

/* ---- opening and closing ---- */

void cgminer_line_init(struct cgminer_line *line, struct miner_room *room, const char *host, uint16_t port,
                       uint32_t timeout_ms, struct cgminer_line_user user)
{
	*line = (struct cgminer_line){ .room = room, .user = user, .host = host, .port = port, .timeout_ms = timeout_ms };
	line->address_known = uv_ip4_addr(host, port, &line->address.v4) == 0 ||
	                      uv_ip6_addr(host, port, &line->address.v6) == 0;
	if (line->address_known)
		line->host = NULL;
}

bool cgminer_line_under_way(const struct cgminer_line *line)
{
	return line->state == LINE_OPEN;
}

void cgminer_line_drop(struct cgminer_line *line)
{
	struct cgminer_slot *slot = line->slot;
	forget_lookup(line);
	if (line->state == LINE_WAITING)
		leave_queue(line);
	if (slot) {
		line->slot = NULL;
		slot->line = NULL;
		miner_room_hang_up(line->room, slot);
		miner_room_spare(line->room, slot);
	}
	line->state = LINE_IDLE;
}

void cgminer_line_close(struct cgminer_line *line)
{
	assert(line->state != LINE_CLOSED);
	cgminer_line_drop(line);
	miner_room_remind(line->room, line, 0);
	line->state = LINE_CLOSED;
	TAILQ_INSERT_TAIL(&line->room->closed, line, link);
	miner_room_wake(line->room);
}
