/* drivers/cgminer_line.h - carries one request at a time to one miner, and its reply back.
 *
 * One connection per exchange: connect, request in a single segment (the miner takes what its one recv() brings),
 * drain until the reply has ended (drivers/cgminer_scan.h), close. Where we close first we do so by reset, so that
 * thousands of miners leave no thousands of sockets in TIME_WAIT. A line with nothing to do holds no buffer.
 */
#ifndef DRIVERS_CGMINER_LINE_H
#define DRIVERS_CGMINER_LINE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "policy/reading.h"

#define CGMINER_MOST_REQUEST 160        /* bytes */

/* FAULT_NONE: text is all that was said, NUL-terminated, not empty.
 * FAULT_REFUSED: the miner took the connection and ended it without a word. That is how it turns away an address it
 *   does not like, and also how some end a command they did execute.
 * FAULT_SILENT: no connection, or no whole reply in time. FAULT_GARBLED: cut short, endless, or not this protocol. */
struct cgminer_reply {
	enum fault fault;
	const char *text;               /* lent for the call; NULL without FAULT_NONE */
	size_t len;
};

struct cgminer_line_user {
	void *self;
	void (*on_reply)(void *self, const struct cgminer_reply *);     /* may ask again from inside */
	void (*on_closed)(void *self);
};

struct cgminer_exchange;
struct cgminer_lookup;

struct cgminer_line {
	uv_timer_t deadline;            /* of the exchange under way */
	struct cgminer_line_user user;
	const char *host;               /* lent */
	uint32_t timeout_ms;
	uint16_t port;
	bool address_known, closing, deadline_open;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	struct cgminer_exchange *exchange;      /* NULL: idle */
	struct cgminer_lookup *lookup;          /* NULL: none under way */
};

void cgminer_line_init(struct cgminer_line *, uv_loop_t *, const char *host, uint16_t port, uint32_t timeout_ms,
                       struct cgminer_line_user);
/* The line must be idle. Answered exactly once by on_reply, within timeout_ms, never from inside this call. */
void cgminer_line_ask(struct cgminer_line *, const char *request, size_t len);
bool cgminer_line_idle(const struct cgminer_line *);
void cgminer_line_close(struct cgminer_line *);         /* no on_reply after this, only on_closed */

#endif
