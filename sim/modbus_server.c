#include "sim/modbus_server.h"

#include <string.h>

#include "sim/dice.h"

enum {
	MBAP = 7, MOST_REGISTERS = 125, MOST_REPLY = MBAP + 2 + 2 * MOST_REGISTERS, QUEUE = 4 * MOST_REPLY,
	TRICKLE_MS = 100, LATE_MS = 3000,
};

struct modbus_conn {
	struct conn conn;
	size_t n_queued;                /* bytes that wait for the timer */
	uint8_t queued[QUEUE];
};

static const char *const names[N_MODBUS_FAULTS] = {
	"sound", "silent", "trickling", "garbage", "wrong-tid", "wrong-unit", "wrong-length", "exception", "stalling",
	"refusing", "duplicating", "late", "frozen", "absurd", "closing",
	"scaled", "jumping", "swapped",
};

const char *modbus_fault_name(enum modbus_fault fault)
{
	return names[fault];
}

enum modbus_fault modbus_fault_named(const char *name, size_t len)
{
	unsigned f = 0;
	while (f < N_MODBUS_FAULTS && (strlen(names[f]) != len || memcmp(names[f], name, len) != 0))
		f++;
	return (enum modbus_fault)f;
}

enum shows modbus_shows(enum modbus_fault fault)
{
	return fault == MODBUS_FROZEN ? SHOWS_FROZEN : fault == MODBUS_SCALED ? SHOWS_SCALED :
	       fault == MODBUS_JUMPING ? SHOWS_JUMPING : fault == MODBUS_SWAPPED ? SHOWS_SWAPPED : SHOWS_TRUTH;
}

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put16(uint8_t *bytes, unsigned value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static size_t put_exception(uint8_t *reply, uint8_t function, int code)
{
	reply[MBAP] = function | 0x80;
	reply[MBAP + 1] = (uint8_t)code;
	return MBAP + 2;
}

/* The reply to one request whose frame is whole; its length. */
static size_t make_reply(struct modbus_server *server, const uint8_t *request, size_t len, uint8_t *reply)
{
	uint16_t registers[MOST_REGISTERS];
	uint8_t function = request[MBAP];
	size_t size = 0;
	int code = server->fault == MODBUS_EXCEPTION ? 4 : 0;
	memcpy(reply, request, MBAP);
	if (!code && function != 3 && function != 4)
		code = 1;
	if (!code && (len != MBAP + 5 || get16(request + 10) == 0 || get16(request + 10) > MOST_REGISTERS))
		code = 3;
	if (!code)
		code = server->read(server, function, get16(request + 8), get16(request + 10), registers);
	if (code) {
		size = put_exception(reply, function, code);
	} else {
		uint16_t n = get16(request + 10);
		reply[MBAP] = function;
		reply[MBAP + 1] = (uint8_t)(2 * n);
		for (size_t i = 0; i < n; i++)
			put16(reply + MBAP + 2 + 2 * i, registers[i]);
		size = MBAP + 2 + 2u * n;
	}
	put16(reply + 4, (unsigned)(size - 6));
	return size;
}

/* ---- slow answers ---- */

static void send_queued(struct modbus_conn *mc, size_t n)
{
	conn_send(&mc->conn, mc->queued, n, false);
	mc->n_queued -= n;
	memmove(mc->queued, mc->queued + n, mc->n_queued);
}

static void on_trickle(uv_timer_t *timer)
{
	struct modbus_conn *mc = timer->data;
	if (mc->n_queued)
		send_queued(mc, 1);
	if (!mc->n_queued)
		uv_timer_stop(timer);
}

static void on_late(uv_timer_t *timer)
{
	struct modbus_conn *mc = timer->data;
	send_queued(mc, mc->n_queued);
}

static void queue(struct modbus_conn *mc, const uint8_t *reply, size_t n, uv_timer_cb cb, uint64_t first_ms,
                  uint64_t then_ms)
{
	if (mc->n_queued + n > QUEUE)
		return;
	memcpy(mc->queued + mc->n_queued, reply, n);
	mc->n_queued += n;
	if (!uv_is_active((uv_handle_t *)&mc->conn.timer))
		uv_timer_start(&mc->conn.timer, cb, first_ms, then_ms);
}

/* ---- answering ---- */

static void send_garbage(struct conn *conn, uint64_t chance)
{
	uint8_t bytes[40];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)dice(chance, i, 0);
	conn_send(conn, bytes, sizeof bytes, false);
}

static void send_reply(struct modbus_server *server, struct modbus_conn *mc, uint8_t *reply, size_t n)
{
	struct conn *conn = &mc->conn;
	switch (server->fault) {
	case MODBUS_SOUND:
	case MODBUS_EXCEPTION:
	case MODBUS_FROZEN:
	case MODBUS_ABSURD:
	case MODBUS_SCALED:
	case MODBUS_JUMPING:
	case MODBUS_SWAPPED:
		break;
	case MODBUS_SILENT:
	case MODBUS_REFUSING:
	case N_MODBUS_FAULTS:
		return;
	case MODBUS_TRICKLING:
		queue(mc, reply, n, on_trickle, TRICKLE_MS, TRICKLE_MS);
		return;
	case MODBUS_GARBAGE:
		send_garbage(conn, server->requests);
		return;
	case MODBUS_WRONG_TID:
		put16(reply, get16(reply) + 0x1234u);
		break;
	case MODBUS_WRONG_UNIT:
		reply[6] = (uint8_t)(reply[6] + 7);
		break;
	case MODBUS_WRONG_LENGTH:               /* the frame is whole, what is inside claims two bytes more */
		reply[MBAP + 1] = (uint8_t)(reply[MBAP + 1] + 2);
		break;
	case MODBUS_STALLING:
		n /= 2;
		break;
	case MODBUS_DUPLICATING:
		conn_send(conn, reply, n, false);
		break;
	case MODBUS_LATE:
		queue(mc, reply, n, on_late, LATE_MS, 0);
		return;
	case MODBUS_CLOSING:
		conn_close(conn);
		return;
	}
	conn_send(conn, reply, n, false);
}

/* The length of the frame that begins at bytes; 0: not whole yet; -1: not Modbus. */
static ssize_t frame_length(const uint8_t *bytes, size_t n)
{
	if (n < 6)
		return 0;
	size_t len = 6u + get16(bytes + 4);
	if (get16(bytes + 2) != 0 || len < MBAP + 1 || len > 260)
		return -1;
	return n < len ? 0 : (ssize_t)len;
}

static void on_bytes(struct conn *conn)
{
	struct modbus_server *server = (struct modbus_server *)(void *)conn->listener;
	uint8_t *bytes = (uint8_t *)conn->heard, reply[MOST_REPLY];
	ssize_t len;
	while (!conn->closing && (len = frame_length(bytes, conn->n)) > 0) {
		uint8_t unit = bytes[6];
		server->requests++;
		if (unit == server->unit || unit == 0 || unit == 255) {
			size_t n = make_reply(server, bytes, (size_t)len, reply);
			send_reply(server, (struct modbus_conn *)(void *)conn, reply, n);
		}
		conn->n -= (size_t)len;
		memmove(bytes, bytes + len, conn->n);
	}
	if (!conn->closing && frame_length(bytes, conn->n) < 0)
		conn_close(conn);
}

static void on_closed(struct listener *listener)
{
	struct modbus_server *server = (struct modbus_server *)(void *)listener;
	server->on_closed(server);
}

int modbus_server_start(struct modbus_server *server, uv_loop_t *loop, uint16_t port)
{
	static const struct listener_user user = {
		.conn_size = sizeof(struct modbus_conn), .on_bytes = on_bytes, .on_closed = on_closed,
	};
	listener_init(&server->listener, loop, server->host, port, MODBUS_SERVER_CONNS, &user);
	return server->fault == MODBUS_REFUSING ? 0 : listener_start(&server->listener);
}

void modbus_server_set_fault(struct modbus_server *server, enum modbus_fault fault)
{
	server->fault = fault;
	if (fault == MODBUS_REFUSING)
		listener_refuse(&server->listener);
	else
		listener_start(&server->listener);
}

void modbus_server_close(struct modbus_server *server)
{
	listener_close(&server->listener);
}
