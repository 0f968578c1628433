#include "drivers/modbus_tcp.h"

#include <string.h>

#include "drivers/lookup.h"
#include "drivers/modbus_backoff.h"
#include "drivers/modbus_codec.h"
#include "drivers/modbus_room.h"

enum {
	CONNECT_MS = 3000,              /* two SYNs; the kernel alone would try for two minutes */
	GRACE_MS = 1,
	MOST_STRAYS = 16,               /* between two answers; more is a flood */
	MOST_ADDRESSES = 4,
};

enum conn_state { CONN_DOWN, CONN_LOOKING_UP, CONN_CONNECTING, CONN_UP, CONN_CLOSING };

struct modbus_conn {
	struct modbus_link link;
	LIST_ENTRY(modbus_conn) entry;
	struct meter_room *room;
	char *host;
	uint16_t port;

	enum conn_state state;
	bool ending;                    /* the last client has left */
	unsigned open_handles;
	uv_timer_t timer;
	uv_tcp_t tcp;
	struct lookup *lookup;          /* while CONN_LOOKING_UP */
	uv_connect_t connecting;
	uv_write_t writing;

	struct sockaddr_storage addresses[MOST_ADDRESSES];
	unsigned n_addresses, next_address;
	int64_t connect_until_ms;
	struct modbus_backoff backoff;

	bool answered;                  /* this connection has brought an answer */
	bool grace;                     /* the deadline has passed; what lies in the socket still counts */
	unsigned strays;
	uint16_t transaction;
	uint8_t request[MODBUS_REQUEST_BYTES];
	size_t n_bytes;
	uint8_t bytes[MODBUS_FRAME_BYTES];
};

static void conn_advance(struct modbus_conn *conn);
static void conn_turn(struct modbus_conn *conn);

static void conn_free(struct modbus_conn *conn)
{
	if (--conn->open_handles > 0)
		return;
	struct meter_room *room = conn->room;
	free(conn->host);
	free(conn);
	meter_room_left(room);
}

static void on_timer_closed(uv_handle_t *handle)
{
	conn_free(handle->data);
}

/* Ten timeouts, so that a fast meter that came back is not left alone for as long as a slow one may be. */
static int64_t most_delay(const struct modbus_conn *conn)
{
	int64_t most_ms = BACKOFF_MOST_MS;
	const struct modbus_client *client;
	LIST_FOREACH(client, &conn->link.clients, entry)
		if (10 * (int64_t)client->timeout_ms < most_ms)
			most_ms = 10 * (int64_t)client->timeout_ms;
	return most_ms > 1000 ? most_ms : 1000;
}

static void count_miss(struct modbus_conn *conn, unsigned misses)
{
	modbus_backoff_miss(&conn->backoff, misses, conn->link.n_clients, most_delay(conn), modbus_now_ms());
}

/* A connection that could not be made says more than a device that did not answer: it counts for all behind it. */
static void connect_failed(struct modbus_conn *conn)
{
	unsigned misses = conn->backoff.misses, all = conn->link.n_clients;
	count_miss(conn, misses < all ? all - misses : 1);
}

static void on_tcp_closed(uv_handle_t *handle)
{
	struct modbus_conn *conn = handle->data;
	conn->state = CONN_DOWN;
	if (conn->ending) {
		conn_free(conn);
		return;
	}
	conn->open_handles--;
	conn_turn(conn);
}

static void tcp_close(struct modbus_conn *conn)
{
	conn->state = CONN_CLOSING;
	uv_close((uv_handle_t *)&conn->tcp, on_tcp_closed);
}

/* Ends the connection; the one asked is told why once it is closed. */
static void conn_drop(struct modbus_conn *conn, enum fault fault)
{
	modbus_link_give_up(&conn->link, fault);
	if (conn->state == CONN_UP && !conn->answered)
		count_miss(conn, 1);
	if (conn->state == CONN_CONNECTING && conn->next_address == conn->n_addresses)
		connect_failed(conn);
	tcp_close(conn);
}

/* Many devices cut a session they think idle, just when a request is on its way: that is no reason to be silent. */
static void conn_lost(struct modbus_conn *conn)
{
	struct modbus_client *asked = conn->link.asked;
	if (asked && conn->answered && !asked->resent)
		modbus_link_resend(&conn->link);
	conn_drop(conn, FAULT_SILENT);
}

static void take_answer(struct modbus_conn *conn, enum fault fault, const uint16_t *words)
{
	conn->answered = true;
	conn->backoff.misses = 0;
	conn->strays = 0;
	modbus_link_answer(&conn->link, &(struct modbus_answer){ .fault = fault, .words = words, .came_ms = modbus_now_ms() });
}

static enum modbus_verdict judge(const struct modbus_conn *conn, size_t length, uint16_t *words, uint8_t *exception)
{
	const struct modbus_client *asked = conn->link.asked;
	if (!asked)
		return MODBUS_STRAY;
	struct modbus_request request = { conn->transaction, asked->unit, asked->read };
	return modbus_frame_judge(&request, conn->bytes, length, words, exception);
}

static void take_frame(struct modbus_conn *conn, size_t length)
{
	uint16_t words[MODBUS_MOST_REGISTERS];
	uint8_t exception;
	enum modbus_verdict verdict = judge(conn, length, words, &exception);
	conn->n_bytes -= length;
	memmove(conn->bytes, conn->bytes + length, conn->n_bytes);
	switch (verdict) {
	case MODBUS_VALUES:
		take_answer(conn, FAULT_NONE, words);
		break;
	case MODBUS_EXCEPTION:
		take_answer(conn, modbus_exception_fault(exception), NULL);
		break;
	case MODBUS_STRAY:
		if (++conn->strays > MOST_STRAYS)
			conn_drop(conn, FAULT_GARBLED);
		break;
	case MODBUS_GARBLED:
		conn_drop(conn, FAULT_GARBLED);
		break;
	}
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	struct modbus_conn *conn = handle->data;
	(void)hint;
	*buf = uv_buf_init((char *)conn->bytes + conn->n_bytes, (unsigned)(sizeof conn->bytes - conn->n_bytes));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct modbus_conn *conn = stream->data;
	(void)buf;
	if (n < 0) {
		conn_lost(conn);
		return;
	}
	conn->n_bytes += (size_t)n;
	while (conn->state == CONN_UP) {
		int length = modbus_frame_length(conn->bytes, conn->n_bytes);
		if (length == 0)
			break;
		if (length < 0)
			conn_drop(conn, FAULT_GARBLED);
		else
			take_frame(conn, (size_t)length);
	}
	conn_advance(conn);
}

static void on_written(uv_write_t *request, int status)
{
	struct modbus_conn *conn = request->handle->data;
	if (status < 0 && conn->state == CONN_UP)
		conn_lost(conn);
}

static void send_request(struct modbus_conn *conn, struct modbus_client *client)
{
	struct modbus_request request = { ++conn->transaction, client->unit, client->read };
	uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
	uv_buf_t buf = uv_buf_init((char *)conn->request, sizeof conn->request);
	modbus_link_begin(&conn->link, client);
	conn->grace = false;
	conn->strays = 0;
	modbus_request_encode(&request, conn->request);
	int n = uv_try_write(stream, &buf, 1);
	if (n == (int)sizeof conn->request)
		return;
	/* A peer that answers without ever reading would have us write behind what it never took. */
	if ((n < 0 && n != UV_EAGAIN) || uv_stream_get_write_queue_size(stream)) {
		conn_lost(conn);
		return;
	}
	size_t sent = n > 0 ? (size_t)n : 0;
	buf = uv_buf_init((char *)conn->request + sent, (unsigned)(sizeof conn->request - sent));
	if (uv_write(&conn->writing, stream, &buf, 1, on_written) < 0)
		conn_lost(conn);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct modbus_conn *conn = request->handle->data;
	if (conn->state != CONN_CONNECTING)
		return;
	if (status < 0) {
		conn_drop(conn, FAULT_SILENT);
		return;
	}
	conn->state = CONN_UP;
	conn->next_address = conn->n_addresses;         /* the next connection begins with a new look-up */
	conn->n_bytes = 0;
	uv_tcp_nodelay(&conn->tcp, 1);
	if (uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) < 0)
		conn_drop(conn, FAULT_SILENT);
	conn_advance(conn);
}

static void connect_next(struct modbus_conn *conn)
{
	const struct sockaddr *address = (const struct sockaddr *)&conn->addresses[conn->next_address++];
	uv_tcp_init(conn->room->loop, &conn->tcp);
	conn->tcp.data = conn;
	conn->open_handles++;
	conn->state = CONN_CONNECTING;
	conn->connect_until_ms = modbus_now_ms() + CONNECT_MS;
	if (uv_tcp_connect(&conn->connecting, &conn->tcp, address, on_connected) < 0)
		conn_drop(conn, FAULT_SILENT);
}

static void on_found(void *self, const struct addrinfo *found)
{
	struct modbus_conn *conn = self;
	for (const struct addrinfo *a = found; a && conn->n_addresses < MOST_ADDRESSES; a = a->ai_next)
		memcpy(&conn->addresses[conn->n_addresses++], a->ai_addr, a->ai_addrlen);
	conn->state = CONN_DOWN;
	if (!conn->n_addresses)
		connect_failed(conn);
	conn_advance(conn);
}

static bool parse_literal(struct modbus_conn *conn)
{
	struct sockaddr_storage *address = &conn->addresses[0];
	conn->n_addresses = !uv_ip4_addr(conn->host, conn->port, (struct sockaddr_in *)address) ||
	                    !uv_ip6_addr(conn->host, conn->port, (struct sockaddr_in6 *)address);
	return conn->n_addresses;
}

/* Names are looked up anew for each round of attempts: the device may have moved. */
static void look_up(struct modbus_conn *conn)
{
	conn->n_addresses = conn->next_address = 0;
	if (parse_literal(conn)) {
		connect_next(conn);
		return;
	}
	conn->lookup = lookup_begin(conn->room->loop, conn->host, conn->port, SOCK_STREAM, on_found, conn);
	if (conn->lookup)
		conn->state = CONN_LOOKING_UP;
	else
		connect_failed(conn);
}

static void conn_open(struct modbus_conn *conn)
{
	conn->answered = false;
	if (conn->next_address < conn->n_addresses)
		connect_next(conn);
	else
		look_up(conn);
}

static bool overdue(const struct modbus_conn *conn, int64_t now_ms)
{
	if (conn->state == CONN_CONNECTING)
		return now_ms >= conn->connect_until_ms;
	return conn->link.asked && now_ms >= conn->link.patience_ms;
}

static void on_timer(uv_timer_t *timer)
{
	struct modbus_conn *conn = timer->data;
	if (overdue(conn, modbus_now_ms())) {
		/* Timers run before sockets are read: after a busy turn of the loop the answer may lie there already. */
		if (!conn->grace && conn->state == CONN_UP) {
			conn->grace = true;
			uv_timer_start(timer, on_timer, GRACE_MS, 0);
			return;
		}
		conn_drop(conn, FAULT_SILENT);
	}
	conn_turn(conn);
}

static void arm(struct modbus_conn *conn)
{
	int64_t due_ms = modbus_link_due(&conn->link);
	if (conn->state == CONN_CONNECTING && conn->connect_until_ms < due_ms)
		due_ms = conn->connect_until_ms;
	if (conn->state == CONN_DOWN && modbus_link_next(&conn->link) && conn->backoff.retry_ms < due_ms)
		due_ms = conn->backoff.retry_ms;
	if (due_ms == INT64_MAX) {
		uv_timer_stop(&conn->timer);
		return;
	}
	int64_t wait_ms = due_ms - (int64_t)uv_now(conn->room->loop);
	/* Never 0: libuv 1.44 would run it again in the same turn. */
	uv_timer_start(&conn->timer, on_timer, wait_ms > 1 ? (uint64_t)wait_ms : 1, 0);
}

/* Does what can be done now; calls no user, so it may be called from inside a poll. */
static void conn_advance(struct modbus_conn *conn)
{
	struct modbus_client *next = modbus_link_next(&conn->link);
	if (conn->state == CONN_DOWN && next && modbus_now_ms() >= conn->backoff.retry_ms)
		conn_open(conn);
	else if (conn->state == CONN_UP && next && !conn->link.asked)
		send_request(conn, next);
	arm(conn);
}

static void conn_end(struct modbus_conn *conn)
{
	conn->ending = true;
	LIST_REMOVE(conn, entry);
	if (conn->state == CONN_LOOKING_UP)
		lookup_forget(conn->lookup);
	if (conn->state == CONN_CONNECTING || conn->state == CONN_UP)
		tcp_close(conn);
	uv_close((uv_handle_t *)&conn->timer, on_timer_closed);
}

static void conn_turn(struct modbus_conn *conn)
{
	modbus_link_settle(&conn->link);
	if (LIST_EMPTY(&conn->link.clients))
		conn_end(conn);
	else
		conn_advance(conn);
}

static void conn_ask(struct modbus_client *client)
{
	conn_advance((struct modbus_conn *)client->link);
}

static void conn_leave(struct modbus_client *client)
{
	struct modbus_conn *conn = (struct modbus_conn *)client->link;
	bool asked = conn->link.asked == client;
	client->leaving = true;
	client->turn = 0;
	/* Its answer would come while somebody else waits for his. */
	if (asked)
		conn_drop(conn, FAULT_SILENT);
	arm(conn);
}

static unsigned bucket(const char *host, uint16_t port)
{
	uint32_t hash = 2166136261u ^ port;     /* FNV-1a */
	for (; *host; host++)
		hash = (hash ^ (uint8_t)*host) * 16777619u;
	return hash % MODBUS_BUCKETS;
}

static struct modbus_conn *conn_new(struct meter_room *room, const char *host, uint16_t port)
{
	struct modbus_conn *conn = room_alloc(sizeof *conn);
	conn->link.ask = conn_ask;
	conn->link.leave = conn_leave;
	LIST_INIT(&conn->link.clients);
	conn->room = room;
	conn->port = port;
	conn->backoff.dice = room->dice++;
	conn->host = room_alloc(strlen(host) + 1);
	strcpy(conn->host, host);
	uv_timer_init(room->loop, &conn->timer);
	conn->timer.data = conn;
	conn->open_handles = 1;
	LIST_INSERT_HEAD(&room->conns[bucket(host, port)], conn, entry);
	room->n_open++;
	return conn;
}

void modbus_tcp_join(struct meter_room *room, const char *host, uint16_t port, struct modbus_client *client)
{
	struct modbus_conn *conn;
	LIST_FOREACH(conn, &room->conns[bucket(host, port)], entry)
		if (conn->port == port && !strcmp(conn->host, host))
			break;
	if (!conn)
		conn = conn_new(room, host, port);
	modbus_link_join(&conn->link, client);
}
