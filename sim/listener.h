/* sim/listener.h - one listening socket and its connections, which a fault can take away and give back.
 *
 * The base of both simulated servers. A connection is a struct conn, embedded as first member by its owner, read in
 * pieces as they come; while as many are open as allowed, further ones wait in the kernel. */
#ifndef SIM_LISTENER_H
#define SIM_LISTENER_H

#include <stdbool.h>
#include <uv.h>

#define CONN_ROOM 4096

struct listener;
struct conn {
	uv_tcp_t tcp;
	uv_timer_t timer;               /* the owner's, for answers that take time */
	struct listener *listener;
	struct conn *next;
	int open_handles;
	bool closing;
	size_t n;                       /* bytes heard and not yet taken */
	char heard[CONN_ROOM + 1];
};

struct listener_user {
	size_t conn_size;               /* of what embeds struct conn */
	void (*on_bytes)(struct conn *);        /* more in heard; may conn_close */
	void (*on_conn_closed)(struct conn *);  /* before it is freed; may be NULL */
	void (*on_closed)(struct listener *);
};

struct listener {
	uv_tcp_t tcp;
	uv_loop_t *loop;
	struct listener_user user;
	void *self;                     /* the user's */
	const char *host;               /* lent; an address */
	uint16_t port;
	bool listening, wanted, closing, waiting;       /* waiting: the kernel holds a connection we have not taken */
	unsigned n_conns, most_conns;
	struct conn *conns;
};

void listener_init(struct listener *, uv_loop_t *, const char *host, uint16_t port, unsigned most_conns,
                   const struct listener_user *);
int listener_start(struct listener *);          /* 0 or a negative libuv code */
void listener_refuse(struct listener *);        /* no longer listens; connections are cut */
void listener_close(struct listener *);         /* on_closed when all is gone */

void conn_close(struct conn *);
/* Sends a copy; after it the connection is closed if `last`. */
void conn_send(struct conn *, const void *bytes, size_t n, bool last);

#endif
