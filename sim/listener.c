#include "sim/listener.h"

#include <stdlib.h>
#include <string.h>

#include "sim/zeroed.h"

struct sending { uv_write_t request; bool last; char bytes[]; };

static void finish_if_gone(struct listener *listener);

/* ---- connections ---- */

static void conn_gone(uv_handle_t *handle)
{
	struct conn *conn = handle->data, **at = &conn->listener->conns;
	struct listener *listener = conn->listener;
	if (--conn->open_handles > 0)
		return;
	while (*at != conn)
		at = &(*at)->next;
	*at = conn->next;
	if (listener->user.on_conn_closed)
		listener->user.on_conn_closed(conn);
	free(conn);
	listener->n_conns--;
	finish_if_gone(listener);
}

void conn_close(struct conn *conn)
{
	if (conn->closing)
		return;
	conn->closing = true;
	uv_close((uv_handle_t *)&conn->tcp, conn_gone);
	uv_close((uv_handle_t *)&conn->timer, conn_gone);
}

static void sent(uv_write_t *request, int status)
{
	struct sending *sending = request->data;
	struct conn *conn = (struct conn *)(void *)request->handle;
	if (sending->last || status < 0)
		conn_close(conn);
	free(sending);
}

void conn_send(struct conn *conn, const void *bytes, size_t n, bool last)
{
	struct sending *sending = malloc(sizeof *sending + n);
	if (!sending)
		abort();
	if (conn->closing) {
		free(sending);
		return;
	}
	memcpy(sending->bytes, bytes, n);
	sending->last = last;
	sending->request.data = sending;
	uv_buf_t buf = uv_buf_init(sending->bytes, (unsigned)n);
	if (uv_write(&sending->request, (uv_stream_t *)&conn->tcp, &buf, 1, sent) != 0) {
		free(sending);
		conn_close(conn);
	}
}

static void lend(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct conn *conn = handle->data;
	(void)size;
	*buf = uv_buf_init(conn->heard + conn->n, (unsigned)(CONN_ROOM - conn->n));
}

static void heard(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *conn = stream->data;
	(void)buf;
	if (n < 0) {                    /* ended, broken, or no room left */
		conn_close(conn);
		return;
	}
	conn->n += (size_t)n;
	if (n > 0)
		conn->listener->user.on_bytes(conn);
}

static void take_connection(struct listener *listener)
{
	struct conn *conn = zeroed(1, listener->user.conn_size);
	listener->waiting = false;
	conn->listener = listener;
	conn->next = listener->conns;
	listener->conns = conn;
	listener->n_conns++;
	conn->open_handles = 2;
	uv_tcp_init(listener->loop, &conn->tcp);
	uv_timer_init(listener->loop, &conn->timer);
	conn->tcp.data = conn->timer.data = conn;
	if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&conn->tcp) != 0 ||
	    uv_read_start((uv_stream_t *)&conn->tcp, lend, heard) != 0)
		conn_close(conn);
	else
		uv_tcp_nodelay(&conn->tcp, 1);
}

/* ---- listening ---- */

static void on_connection(uv_stream_t *stream, int status)
{
	struct listener *listener = stream->data;
	if (status < 0)
		return;
	if (listener->n_conns >= listener->most_conns)
		listener->waiting = true;       /* libuv takes no further one until this is accepted */
	else
		take_connection(listener);
}

static void finish_if_gone(struct listener *listener)
{
	if (listener->waiting && listener->listening && listener->n_conns < listener->most_conns)
		take_connection(listener);
	if (listener->closing && !listener->listening && listener->n_conns == 0 && listener->user.on_closed)
		listener->user.on_closed(listener);
}

static void stopped(uv_handle_t *handle)
{
	struct listener *listener = handle->data;
	listener->listening = false;
	if (listener->wanted && !listener->closing)
		listener_start(listener);
	finish_if_gone(listener);
}

void listener_init(struct listener *listener, uv_loop_t *loop, const char *host, uint16_t port, unsigned most_conns,
                   const struct listener_user *user)
{
	void *self = listener->self;
	*listener = (struct listener){ .loop = loop, .user = *user, .self = self, .host = host, .port = port,
	                               .most_conns = most_conns };
}

int listener_start(struct listener *listener)
{
	struct sockaddr_in address;
	int err = uv_ip4_addr(listener->host, listener->port, &address);
	listener->wanted = true;
	if (err || listener->listening)
		return err;
	uv_tcp_init(listener->loop, &listener->tcp);
	listener->tcp.data = listener;
	listener->listening = true;
	err = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&address, 0);
	if (!err)
		err = uv_listen((uv_stream_t *)&listener->tcp, 100, on_connection);
	if (err)
		listener_refuse(listener);
	return err;
}

void listener_refuse(struct listener *listener)
{
	listener->wanted = listener->waiting = false;
	if (listener->listening && !uv_is_closing((uv_handle_t *)&listener->tcp))
		uv_close((uv_handle_t *)&listener->tcp, stopped);
	for (struct conn *conn = listener->conns; conn; conn = conn->next)
		conn_close(conn);
}

/* Whatever is left ends in a close callback, so that on_closed is never called from in here … */
void listener_close(struct listener *listener)
{
	if (!listener->listening) {     /* … also where nothing is left: a fresh handle is closed for its callback */
		uv_tcp_init(listener->loop, &listener->tcp);
		listener->tcp.data = listener;
		listener->listening = true;
	}
	listener_refuse(listener);
	listener->closing = true;
}
