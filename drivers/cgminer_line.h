/* drivers/cgminer_line.h - carries one request at a time to one miner, and its reply back.
 *
 * One connection per exchange: connect, request in a single segment (the miner takes what its one recv() brings),
 * read until the reply has ended (drivers/cgminer_scan.h), reset. A line waits its turn in the room's queues, and
 * is asked for its request only then, so that what goes out is the newest that is known. Idle, it holds nothing.
 */
#ifndef DRIVERS_CGMINER_LINE_H
#define DRIVERS_CGMINER_LINE_H

#include "drivers/miner_room.h"

/* FAULT_NONE: text is all that was said, NUL-terminated, not empty.
 * FAULT_REFUSED: the miner took the connection and ended it without a word. That is how it turns away an address it
 *   does not like, and also how some end a command they did execute.
 * FAULT_SILENT: no connection, or no whole reply in time. FAULT_GARBLED: cut short, endless, or not this protocol. */
struct cgminer_reply {
	enum fault fault;
	const char *text;               /* lent for the call; NULL without FAULT_NONE */
	size_t len;
};

struct cgminer_line_user {              /* all called from the loop; each may ask, drop and close */
	void *self;
	size_t (*request)(void *self, char *text, size_t size); /* writes it, returns its length; 0: nothing to ask after all */
	void (*on_reply)(void *self, const struct cgminer_reply *);
	void (*on_closed)(void *self);
};

enum cgminer_turn {
	TURN_POLL,                      /* after all orders */
	TURN_ORDER,                     /* in the order in which they were asked */
	TURN_NEXT,                      /* before all others: goes on with an order that has begun */
};
enum cgminer_line_state { LINE_IDLE, LINE_WAITING, LINE_LOOKING_UP, LINE_OPEN, LINE_CLOSED };

struct cgminer_lookup;

struct cgminer_line {
	TAILQ_ENTRY(cgminer_line) link; /* waiting, or closed */
	LIST_ENTRY(cgminer_line) reminder;
	struct miner_room *room;
	struct cgminer_line_user user;
	void (*on_remind)(void *self);          /* what miner_room_remind promised; the user's to set */
	const char *host;               /* lent; NULL: an address, never looked up */
	struct cgminer_slot *slot;      /* of the exchange under way */
	struct cgminer_lookup *lookup;  /* NULL: none under way */
	uint32_t timeout_ms;
	uint16_t port;
	uint8_t state, turn;            /* enums */
	bool address_known, reminded;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
};

void cgminer_line_init(struct cgminer_line *, struct miner_room *, const char *host, uint16_t port, uint32_t timeout_ms,
                       struct cgminer_line_user);
/* The line has no exchange under way; if it waits already, it keeps the better turn. Ends in request() returning 0, or
 * in request() and then one on_reply, timeout_ms after its turn at the latest, and as much later where a name is to be
 * looked up; neither comes from inside this call. */
void cgminer_line_ask(struct cgminer_line *, enum cgminer_turn);
bool cgminer_line_under_way(const struct cgminer_line *);
void cgminer_line_drop(struct cgminer_line *);          /* breaks off what waits or is under way: no on_reply */
void cgminer_line_close(struct cgminer_line *);         /* no on_reply after this, only on_closed */

#endif
