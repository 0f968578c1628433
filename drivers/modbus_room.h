/* drivers/modbus_room.h - inside of struct meter_room: what the Modbus meters of one loop share. Only for drivers/. */
#ifndef DRIVERS_MODBUS_ROOM_H
#define DRIVERS_MODBUS_ROOM_H

#include <stdlib.h>
#include <sys/queue.h>

#include "drivers/meter.h"

enum { MODBUS_BUCKETS = 256 };

struct modbus_conn;
struct modbus_line;
struct snmp_keys;
struct web;
struct meter_room {
	uv_loop_t *loop;
	LIST_HEAD(, modbus_conn) conns[MODBUS_BUCKETS];         /* by host and port */
	LIST_HEAD(, modbus_line) lines;
	struct web *web;                /* of pages of metrics; NULL: none is open */
	struct snmp_keys *snmp_keys;    /* of the SNMPv3 users of the meters there are */
	unsigned n_open;                /* connections, lines, webs and SNMP meters not yet gone */
	bool closing;
	uint64_t dice;                  /* a seed for each connection's jitter */
};

void meter_room_left(struct meter_room *);      /* a connection or line is gone; may free the room */

static inline void *room_alloc(size_t size)     /* zeroed; never NULL */
{
	void *p = calloc(1, size);
	if (!p)
		abort();
	return p;
}

#endif
