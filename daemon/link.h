/* daemon/link.h - one lasting connection to an MQTT broker: libmosquitto 2.0 driven from the loop.
 *
 * The library gets a socket, we watch it; when it breaks we connect again, waiting twice as long each time. What was
 * published with QoS 1 and not acknowledged the library keeps, and sends again by itself over the next connection.
 * Only the bus uses it. */
#ifndef DAEMON_LINK_H
#define DAEMON_LINK_H

#include <stdbool.h>
#include <uv.h>

#define LINK_WHY 320                    /* most bytes of a reason */

struct link_conf {                      /* strings are copied; NULL: none */
	const char *host;
	uint16_t port;
	const char *tls_ca, *tls_cert, *tls_key;
	const char *username, *password;
	const char *client_id;
	bool transient;
	const char *will_topic, *will;  /* full topic */
	int in_flight;                  /* messages the library may have unacknowledged */
	uint32_t backoff_ms, most_backoff_ms;
};

struct link_user {                      /* called from the loop, never from inside a call to the link */
	void *self;
	void (*on_up)(void *self);
	void (*on_down)(void *self, const char *why);   /* also when an attempt to connect fails */
	void (*on_ready)(void *self);   /* after every turn's work, and after link_wake: the time to publish */
	void (*on_acked)(void *self, int mid);
	void (*on_subscribed)(void *self, int mid, bool granted);
	void (*on_message)(void *self, const char *topic, const char *text, size_t len, bool retained);
	void (*on_closed)(void *self);
};

struct link;
struct link *link_open(uv_loop_t *, const struct link_conf *, struct link_user);
void link_wake(struct link *);                  /* on_ready, soon */
bool link_trying(const struct link *);          /* connected, or a connection is being made */
bool link_writable(const struct link *);        /* what was published before has left */
int link_subscribe(struct link *, const char *topic, int qos);  /* while up, as is the next; the mid that on_subscribed tells */
void link_unsubscribe(struct link *, const char *topic);

/* From inside on_ready only. True: the library has the message, and with QoS 1 will tell on_acked of *mid. */
bool link_publish(struct link *, const char *topic, const char *text, size_t len, int qos, bool retained, int *mid);
/* farewell: without it the broker publishes the will. A look-up under way is not waited for: it goes on by itself, and the
 * loop is to run until it is over. */
void link_close(struct link *, bool farewell);

#endif
