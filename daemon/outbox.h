/* daemon/outbox.h - messages that wait for the broker: bounded, the oldest lost first and counted.
 *
 * Of topics that tell a state only the newest message is kept; events are kept in order. */
#ifndef DAEMON_OUTBOX_H
#define DAEMON_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/sink.h"

#define OUTBOX_STATES 4096              /* topics of which the newest message is kept */

struct message {
	struct message *next;
	char *topic;                    /* in the message's own memory, as is text */
	char *text;
	size_t len, bytes;              /* of the text; of all of it */
	enum delivery delivery;
};

struct queue { struct message *first, **end; size_t n, bytes; };

struct outbox {
	struct queue states, events;
	size_t most_events, most_event_bytes;
	uint64_t *dropped;              /* lent: counts what is lost, … */
	uint64_t lost;                  /* … and this what of it was to be kept */
};

void outbox_init(struct outbox *, size_t most_events, size_t most_event_bytes, uint64_t *dropped);
void outbox_put(struct outbox *, const char *topic, enum delivery, const char *text, size_t len);
/* The next to be sent, now the caller's to free(); NULL: none. States come first. latest: also DELIVER_LATEST. */
struct message *outbox_take(struct outbox *, bool latest);
void outbox_drop_latest(struct outbox *);       /* what is lost while the broker is away */
size_t outbox_count(const struct outbox *);
size_t outbox_bytes(const struct outbox *);
void outbox_free(struct outbox *);

#endif
