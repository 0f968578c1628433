/* tests/modbus_rogue.h - Modbus TCP devices on loopback that do what real ones should not, on a thread of their own. */
#ifndef TESTS_MODBUS_ROGUE_H
#define TESTS_MODBUS_ROGUE_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum rogue {
	ROGUE_GOOD,             /* every register reads as its address plus the unit */
	ROGUE_MUTE, ROGUE_HANGS_UP, ROGUE_RESETS, ROGUE_CLOSES_AT_ONCE,
	ROGUE_WRONG_TRANSACTION, ROGUE_WRONG_PROTOCOL, ROGUE_LENGTH_SHORT, ROGUE_LENGTH_LONG,
	ROGUE_WRONG_UNIT, ROGUE_WRONG_FUNCTION, ROGUE_WRONG_COUNT,
	ROGUE_DUPLICATES, ROGUE_STALLS, ROGUE_TRICKLES, ROGUE_HALF_AND_CLOSES, ROGUE_LATE,
	ROGUE_GARBAGE, ROGUE_FLOODS_FRAMES, ROGUE_FLOODS_ZEROS,
	ROGUE_REFUSES, ROGUE_BUSY, ROGUE_GATEWAY,
	ROGUE_CLOSES_AFTER, ROGUE_CUTS_IDLE,
	ROGUE_KINDS
};

enum { ROGUE_DEVICES = 40, ROGUE_CONNS = 400 };

struct rogue_conn {
	int fd;
	unsigned device, requests;
	uint8_t in[12], out[600];
	size_t n_in, n_out, sent;
	int64_t next_ms;
	bool paced, floods, last;
};

struct rogues {
	struct { _Atomic enum rogue kind; int fd; uint16_t port; int silent_unit; atomic_uint accepted, requests; } devices[ROGUE_DEVICES];
	unsigned n;
	int64_t late_ms;
	struct rogue_conn conns[ROGUE_CONNS];
	unsigned n_conns;
	atomic_bool stop;
	pthread_t thread;
};

static inline int64_t rogue_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline uint16_t rogue_listen_on(struct rogues *rogues, unsigned i, int family, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0)
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, address, size) < 0 || listen(fd, 64) < 0) {
		close(fd);
		return 0;
	}
	struct sockaddr_in6 bound;
	size = sizeof bound;
	getsockname(fd, (struct sockaddr *)&bound, &size);
	rogues->devices[i].fd = fd;
	return rogues->devices[i].port = ntohs(bound.sin6_port);        /* at the same place in both families */
}

/* Before rogues_start. Returns the port; 0: no such address family here. */
static inline uint16_t rogues_add(struct rogues *rogues, enum rogue kind, int family)
{
	unsigned i = rogues->n++;
	assert(i < ROGUE_DEVICES);
	rogues->devices[i].kind = kind;
	rogues->devices[i].silent_unit = -1;
	return rogue_listen_on(rogues, i, family, 0);
}

static inline void rogue_put(struct rogue_conn *conn, const uint8_t *bytes, size_t n)
{
	if (conn->sent == conn->n_out)
		conn->sent = conn->n_out = 0;
	assert(conn->n_out + n <= sizeof conn->out);
	memcpy(conn->out + conn->n_out, bytes, n);
	conn->n_out += n;
}

static inline size_t rogue_answer(const struct rogue_conn *conn, uint8_t *frame)
{
	unsigned address = conn->in[8] << 8 | conn->in[9], count = conn->in[11];
	memcpy(frame, conn->in, 8);
	frame[4] = 0;
	frame[5] = (uint8_t)(3 + 2 * count);
	frame[8] = (uint8_t)(2 * count);
	for (unsigned k = 0; k < count; k++) {
		unsigned value = address + k + conn->in[6];
		frame[9 + 2 * k] = (uint8_t)(value >> 8);
		frame[10 + 2 * k] = (uint8_t)value;
	}
	return 9 + 2 * count;
}

static inline size_t rogue_exception(uint8_t *frame, uint8_t code)
{
	frame[5] = 3;
	frame[7] |= 0x80;
	frame[8] = code;
	return 9;
}

static inline void rogue_flood(struct rogue_conn *conn, enum rogue kind)
{
	uint8_t frame[512];
	memset(frame, kind == ROGUE_FLOODS_ZEROS ? 0 : 0xA5, sizeof frame);
	if (kind == ROGUE_FLOODS_FRAMES)
		for (size_t at = 0; at + 9 <= 504; at += 9)
			memcpy(frame + at, "\xEE\xEE\0\0\0\3\1\x83\2", 9);
	rogue_put(conn, frame, kind == ROGUE_FLOODS_FRAMES ? 504 : sizeof frame);
	conn->floods = true;
}

/* What each kind makes of a good answer. */
static inline void rogue_reply(struct rogues *rogues, struct rogue_conn *conn)
{
	enum rogue kind = rogues->devices[conn->device].kind;
	uint8_t frame[264];
	size_t n = rogue_answer(conn, frame);
	conn->requests++;
	rogues->devices[conn->device].requests++;
	if (conn->in[6] == rogues->devices[conn->device].silent_unit)
		return;
	switch (kind) {
	case ROGUE_GOOD: break;
	case ROGUE_MUTE: return;
	case ROGUE_HANGS_UP: case ROGUE_CLOSES_AT_ONCE: conn->last = true; return;
	case ROGUE_RESETS:
		setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
		conn->last = true;
		return;
	case ROGUE_WRONG_TRANSACTION: frame[1] ^= 0x40; break;
	case ROGUE_WRONG_PROTOCOL: frame[3] = 7; break;
	case ROGUE_LENGTH_SHORT: frame[5] -= 2; break;
	case ROGUE_LENGTH_LONG: frame[4] = 2; break;
	case ROGUE_WRONG_UNIT: frame[6]++; break;
	case ROGUE_WRONG_FUNCTION: frame[7] ^= 7; break;
	case ROGUE_WRONG_COUNT: frame[5] -= 2; frame[8] -= 2; n -= 2; break;
	case ROGUE_DUPLICATES: rogue_put(conn, frame, n); break;
	case ROGUE_STALLS: n -= 3; break;
	case ROGUE_TRICKLES: conn->paced = true; break;
	case ROGUE_HALF_AND_CLOSES: n /= 2; conn->last = true; break;
	case ROGUE_LATE: conn->next_ms = rogue_now_ms() + rogues->late_ms; break;
	case ROGUE_GARBAGE: case ROGUE_FLOODS_FRAMES: case ROGUE_FLOODS_ZEROS: rogue_flood(conn, kind); return;
	case ROGUE_REFUSES: n = rogue_exception(frame, 2); break;
	case ROGUE_BUSY: n = rogue_exception(frame, 6); break;
	case ROGUE_GATEWAY: n = rogue_exception(frame, 11); break;
	case ROGUE_CLOSES_AFTER: conn->last = true; break;
	case ROGUE_CUTS_IDLE:
		conn->last = conn->requests > 1;
		if (conn->last)
			return;
		break;
	case ROGUE_KINDS: break;
	}
	rogue_put(conn, frame, n);
}

static inline bool rogue_read(struct rogues *rogues, struct rogue_conn *conn)
{
	ssize_t n = recv(conn->fd, conn->in + conn->n_in, sizeof conn->in - conn->n_in, MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	conn->n_in += (size_t)n;
	if (conn->n_in == sizeof conn->in) {
		conn->n_in = 0;
		rogue_reply(rogues, conn);
	}
	return true;
}

static inline bool rogue_write(struct rogue_conn *conn)
{
	if (conn->sent < conn->n_out && rogue_now_ms() >= conn->next_ms) {
		size_t left = conn->paced ? 1 : conn->n_out - conn->sent;
		ssize_t n = send(conn->fd, conn->out + conn->sent, left, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return false;
		conn->sent += n > 0 ? (size_t)n : 0;
		if (conn->paced)
			conn->next_ms = rogue_now_ms() + 60;
		if (conn->floods && conn->sent == conn->n_out)
			conn->sent = 0;
	}
	return !(conn->last && conn->sent == conn->n_out);
}

static inline void rogue_accept(struct rogues *rogues, unsigned device)
{
	int fd = accept4(rogues->devices[device].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	assert(rogues->n_conns < ROGUE_CONNS);
	rogues->devices[device].accepted++;
	rogues->conns[rogues->n_conns++] = (struct rogue_conn){ .fd = fd, .device = device,
		.last = rogues->devices[device].kind == ROGUE_CLOSES_AT_ONCE };
}

static inline void *rogues_run(void *arg)
{
	struct rogues *rogues = arg;
	while (!rogues->stop) {
		struct pollfd fds[ROGUE_DEVICES + ROGUE_CONNS];
		unsigned n = 0;
		for (; n < rogues->n; n++)
			fds[n] = (struct pollfd){ .fd = rogues->devices[n].fd, .events = POLLIN };
		for (unsigned i = 0; i < rogues->n_conns; i++)
			fds[n++] = (struct pollfd){ .fd = rogues->conns[i].fd, .events = POLLIN };
		poll(fds, n, 2);
		for (unsigned i = rogues->n_conns; i-- > 0; ) {
			struct rogue_conn *conn = &rogues->conns[i];
			if (rogue_read(rogues, conn) && rogue_write(conn))
				continue;
			close(conn->fd);
			*conn = rogues->conns[--rogues->n_conns];
		}
		for (unsigned i = 0; i < rogues->n; i++)
			if (fds[i].revents & POLLIN)
				rogue_accept(rogues, i);
	}
	return NULL;
}

static inline void rogues_start(struct rogues *rogues)
{
	assert(pthread_create(&rogues->thread, NULL, rogues_run, rogues) == 0);
}

static inline void rogues_stop(struct rogues *rogues)
{
	rogues->stop = true;
	pthread_join(rogues->thread, NULL);
	for (unsigned i = 0; i < rogues->n_conns; i++)
		close(rogues->conns[i].fd);
	for (unsigned i = 0; i < rogues->n; i++)
		close(rogues->devices[i].fd);
}

#endif
