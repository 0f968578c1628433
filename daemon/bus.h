/* daemon/bus.h - the MQTT connection: libmosquitto 2.0 driven from the loop, never blocking, never growing.
 *
 * Messages wait in queues of our own and are handed to the library a few at a time, each exactly once: what the
 * broker has not acknowledged when the link breaks, the library sends again by itself. Names are looked up on the
 * loop's pool, and after each attempt that fails comes the next of their addresses. */
#ifndef DAEMON_BUS_H
#define DAEMON_BUS_H

#include <stdbool.h>
#include <uv.h>

#include "daemon/sink.h"

#define BUS_MOST_BYTES 65536            /* of a message received: longer ones are told of, not handed on */
#define BUS_TOPIC_SIZE 1280             /* of a whole topic: a prefix of 1024, a site's name, a word, an id */

struct bus_conf {                       /* all strings are copied; the password is kept until the bus is gone */
	const char *host;
	uint16_t port;
	const char *tls_ca, *tls_cert, *tls_key;        /* tls_ca NULL: plain TCP */
	const char *username, *password;                /* NULL: none */
	const char *client_id;          /* NULL: any */
	bool transient;                 /* the broker keeps nothing for us while we are away, as it does where there is no client_id */
	const char *prefix;             /* "mullet/pecos-1" */
	const char *will_topic;         /* below the prefix; QoS 1, retained; NULL: no will. What was
	                                   last put there is published again with each new connection */
	const char *will;
	size_t most_events, most_event_bytes;           /* kept while away; 0: 10,000 and 32 MiB */
	uint32_t backoff_ms, most_backoff_ms;           /* between attempts, doubling, half of it random; 0: 500 and 30,000 */
};

struct bus_user {                       /* called from the loop, never from inside a call to the bus */
	void *self;
	void (*on_connected)(void *self);
	void (*on_lost)(void *self, const char *why);   /* also when connecting fails; once for each new reason */
	/* The broker's answer to bus_subscribe, with each connection; refused, no message will come. */
	void (*on_subscribed)(void *self, const char *topic, bool granted);
	/* text is lent for the call and not NUL-terminated; NULL if the message was longer than BUS_MOST_BYTES. */
	void (*on_message)(void *self, const char *topic, const char *text, size_t len, bool retained);
	void (*on_closed)(void *self);                  /* the bus is gone */
};

struct bus;
struct bus *bus_open(uv_loop_t *, const struct bus_conf *, struct bus_user);    /* cannot fail: it keeps trying */
void bus_subscribe(struct bus *, const char *topic);    /* full topic, QoS 1; remembered over reconnections */
void bus_unsubscribe(struct bus *, const char *topic);  /* once for each time it was subscribed to */
/* What the broker has retained there, for as long as it is wanted on this connection; QoS 0. */
void bus_look(struct bus *, const char *topic, bool wanted);
struct sink *bus_sink(struct bus *);    /* lives as long as the bus */

struct bus_stats {
	bool connected;
	uint64_t connections;           /* made since it was opened */
	size_t waiting, waiting_bytes;  /* not acknowledged, or not yet sent */
	uint64_t dropped;
	uint64_t lost;                  /* of them; the rest is telemetry while the broker was away */
};
struct bus_stats bus_stats(const struct bus *);

/* Sends what waits, for at most 2 s, then disconnects, frees and tells on_closed. If all was acknowledged the will
 * is taken back; if not, the link is cut and the broker publishes it. What comes until then is handed on, for the library has
 * acknowledged it; what is put is sent if there is still time. */
void bus_close(struct bus *);

#endif
