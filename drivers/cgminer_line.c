#include "drivers/cgminer_line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/cgminer_scan.h"

#define FIRST_BYTES 4096                /* most replies fit */

struct cgminer_exchange {
	struct cgminer_line *line;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	struct cgminer_scan scan;
	struct cgminer_reply reply;
	bool connected;
	char *text;
	size_t len, size;
	size_t request_len;
	char request[CGMINER_MOST_REQUEST];
};

/* Outlives its line where it must: a look-up under way can not always be called back. */
struct cgminer_lookup {
	uv_getaddrinfo_t req;
	struct cgminer_line *line;      /* NULL: nobody waits any more */
};

static void *room(size_t size)
{
	void *p = calloc(1, size);
	if (!p)
		abort();
	return p;
}

static void closed_if_all_is(struct cgminer_line *line)
{
	if (line->closing && !line->exchange && !line->deadline_open)
		line->user.on_closed(line->user.self);
}

static void exchange_closed(uv_handle_t *handle)
{
	struct cgminer_exchange *exchange = handle->data;
	struct cgminer_line *line = exchange->line;
	line->exchange = NULL;
	if (line->closing)
		closed_if_all_is(line);
	else
		line->user.on_reply(line->user.self, &exchange->reply);
	free(exchange->text);
	free(exchange);
}

/* The miner closes by itself where it was heard to; there a plain close leaves nothing behind. */
static void finish(struct cgminer_exchange *exchange, enum fault fault, bool miner_closed)
{
	uv_handle_t *handle = (uv_handle_t *)&exchange->tcp;
	if (uv_is_closing(handle))
		return;
	exchange->reply.fault = fault;
	if (fault == FAULT_NONE) {
		exchange->reply.text = exchange->text;
		exchange->reply.len = exchange->len;
	}
	if (!exchange->line->closing)
		uv_timer_stop(&exchange->line->deadline);
	if (!exchange->connected && exchange->line->host)
		exchange->line->address_known = false;          /* a name may have moved: look it up again */
	if (miner_closed || !exchange->connected || uv_tcp_close_reset(&exchange->tcp, exchange_closed) != 0)
		uv_close(handle, exchange_closed);
}

static void miner_ended_it(struct cgminer_exchange *exchange, bool properly)
{
	if (exchange->len == 0)
		finish(exchange, FAULT_REFUSED, true);
	else
		finish(exchange, properly ? FAULT_NONE : FAULT_GARBLED, true);
}

static void make_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct cgminer_exchange *exchange = handle->data;
	(void)suggested;
	if (exchange->size - exchange->len < FIRST_BYTES / 2) {
		exchange->size = exchange->size ? 2 * exchange->size : FIRST_BYTES;
		exchange->text = realloc(exchange->text, exchange->size);
		if (!exchange->text)
			abort();
	}
	*buf = uv_buf_init(exchange->text + exchange->len, (unsigned)(exchange->size - exchange->len - 1));
}

static void take_bytes(struct cgminer_exchange *exchange, size_t n)
{
	size_t used;
	enum cgminer_end end = cgminer_scan(&exchange->scan, exchange->text + exchange->len, n, &used);
	exchange->len += used;
	exchange->text[exchange->len] = '\0';
	switch (end) {
	case END_NOT_YET:
		return;
	case END_VALUE:
	case END_NUL:
		finish(exchange, exchange->len > 0 ? FAULT_NONE : FAULT_REFUSED, false);
		return;
	case END_HTTP:
	case END_TOO_LONG:
		finish(exchange, FAULT_GARBLED, false);
		return;
	}
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct cgminer_exchange *exchange = stream->data;
	(void)buf;
	if (n > 0)
		take_bytes(exchange, (size_t)n);
	else if (n < 0)
		miner_ended_it(exchange, n == UV_EOF);
}

static void on_written(uv_write_t *write, int status)
{
	struct cgminer_exchange *exchange = write->data;
	if (status < 0)
		miner_ended_it(exchange, false);
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct cgminer_exchange *exchange = connect->data;
	uv_stream_t *stream = (uv_stream_t *)&exchange->tcp;
	if (status < 0) {
		finish(exchange, FAULT_SILENT, true);
		return;
	}
	exchange->connected = true;
	uv_buf_t buf = uv_buf_init(exchange->request, (unsigned)exchange->request_len);
	exchange->write.data = exchange;
	if (uv_read_start(stream, make_room, on_bytes) != 0 || uv_write(&exchange->write, stream, &buf, 1, on_written) != 0)
		miner_ended_it(exchange, false);
}

static void connect_now(struct cgminer_exchange *exchange)
{
	exchange->connect.data = exchange;
	if (uv_tcp_connect(&exchange->connect, &exchange->tcp, &exchange->line->address.any, on_connected) != 0)
		finish(exchange, FAULT_SILENT, true);
}

static void keep_address(struct cgminer_line *line, const struct sockaddr *found)
{
	if (found->sa_family == AF_INET) {
		memcpy(&line->address.v4, found, sizeof line->address.v4);
		line->address.v4.sin_port = htons(line->port);
	} else {
		memcpy(&line->address.v6, found, sizeof line->address.v6);
		line->address.v6.sin6_port = htons(line->port);
	}
	line->address_known = true;
}

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct cgminer_lookup *lookup = req->data;
	struct cgminer_line *line = lookup->line;
	if (line) {
		struct cgminer_exchange *exchange = line->exchange;
		line->lookup = NULL;
		if (status == 0)
			keep_address(line, found->ai_addr);
		if (exchange && status == 0 && !uv_is_closing((uv_handle_t *)&exchange->tcp))
			connect_now(exchange);
		else if (exchange)
			finish(exchange, FAULT_SILENT, true);
	}
	uv_freeaddrinfo(found);
	free(lookup);
}

static int look_up(struct cgminer_line *line)
{
	static const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	if (line->lookup)
		return 0;
	struct cgminer_lookup *lookup = room(sizeof *lookup);
	lookup->req.data = lookup;
	lookup->line = line;
	int rc = uv_getaddrinfo(line->deadline.loop, &lookup->req, on_looked_up, line->host, NULL, &hints);
	if (rc == 0)
		line->lookup = lookup;
	else
		free(lookup);
	return rc;
}

static void on_deadline(uv_timer_t *timer)
{
	struct cgminer_line *line = timer->data;
	finish(line->exchange, FAULT_SILENT, false);
}

static void deadline_closed(uv_handle_t *handle)
{
	struct cgminer_line *line = handle->data;
	line->deadline_open = false;
	closed_if_all_is(line);
}

void cgminer_line_init(struct cgminer_line *line, uv_loop_t *loop, const char *host, uint16_t port,
                       uint32_t timeout_ms, struct cgminer_line_user user)
{
	*line = (struct cgminer_line){ .user = user, .host = host, .port = port, .timeout_ms = timeout_ms };
	line->address_known = uv_ip4_addr(host, port, &line->address.v4) == 0 ||
	                      uv_ip6_addr(host, port, &line->address.v6) == 0;
	if (line->address_known)
		line->host = NULL;      /* never looked up */
	uv_timer_init(loop, &line->deadline);
	line->deadline.data = line;
	line->deadline_open = true;
}

void cgminer_line_ask(struct cgminer_line *line, const char *request, size_t len)
{
	assert(!line->exchange && !line->closing && len > 0 && len <= CGMINER_MOST_REQUEST);
	struct cgminer_exchange *exchange = room(sizeof *exchange);
	exchange->line = line;
	exchange->request_len = len;
	memcpy(exchange->request, request, len);
	uv_tcp_init(line->deadline.loop, &exchange->tcp);
	exchange->tcp.data = exchange;
	line->exchange = exchange;
	uv_update_time(line->deadline.loop);
	uv_timer_start(&line->deadline, on_deadline, line->timeout_ms, 0);
	if (line->address_known)
		connect_now(exchange);
	else if (look_up(line) != 0)
		finish(exchange, FAULT_SILENT, true);
}

bool cgminer_line_idle(const struct cgminer_line *line)
{
	return !line->exchange;
}

void cgminer_line_close(struct cgminer_line *line)
{
	assert(!line->closing);
	line->closing = true;
	if (line->lookup) {
		uv_cancel((uv_req_t *)&line->lookup->req);
		line->lookup->line = NULL;
		line->lookup = NULL;
	}
	if (line->exchange)
		finish(line->exchange, FAULT_SILENT, false);
	uv_close((uv_handle_t *)&line->deadline, deadline_closed);
}

