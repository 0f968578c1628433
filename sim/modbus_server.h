/* sim/modbus_server.h - a simulated Modbus TCP meter: functions 3 and 4, and every way to misbehave.
 *
 * Modbus Application Protocol V1.1b3 and Modbus Messaging on TCP/IP V1.0b: MBAP of transaction, protocol 0, length,
 * unit; exceptions 1 (function), 2 (address), 3 (quantity), 4 (device). */
#ifndef SIM_MODBUS_SERVER_H
#define SIM_MODBUS_SERVER_H

#include "sim/listener.h"
#include "sim/shows.h"

enum modbus_fault {
	MODBUS_SOUND,
	MODBUS_SILENT,          /* takes connections and requests, never answers */
	MODBUS_TRICKLING,       /* a byte every 100 ms */
	MODBUS_GARBAGE,         /* bytes that are no Modbus */
	MODBUS_WRONG_TID, MODBUS_WRONG_UNIT, MODBUS_WRONG_LENGTH,
	MODBUS_EXCEPTION,       /* 4, server device failure */
	MODBUS_STALLING,        /* half an answer, then nothing */
	MODBUS_REFUSING,        /* no listener */
	MODBUS_DUPLICATING,     /* every answer twice */
	MODBUS_LATE,            /* right, but 3 s after the request */
	MODBUS_FROZEN,          /* right in form, always the same value */
	MODBUS_ABSURD,          /* a value that cannot be */
	MODBUS_CLOSING,         /* ends the connection instead of answering */
	MODBUS_SCALED,          /* right in form, from here on: times a factor */
	MODBUS_JUMPING,         /* now and then ten times as much, or nothing */
	MODBUS_SWAPPED,         /* what another meter should show */
	N_MODBUS_FAULTS
};
const char *modbus_fault_name(enum modbus_fault);
enum modbus_fault modbus_fault_named(const char *name, size_t len);     /* N_MODBUS_FAULTS if unknown */
enum shows modbus_shows(enum modbus_fault);

enum { MODBUS_SERVER_CONNS = 4 };

struct modbus_server {
	struct listener listener;
	char host[16];
	enum modbus_fault fault;
	uint8_t unit;                   /* answers this one, 0 and 255 only */
	/* Fills n registers from address; 0 or the exception's code. Values that are wrong are its business. */
	int (*read)(struct modbus_server *, uint8_t function, uint16_t address, uint16_t n, uint16_t *registers);
	void (*on_closed)(struct modbus_server *);
	void *self;                     /* of read and on_closed */
	size_t index;
	uint64_t requests;
};

/* host, unit, read, on_closed and self are set before; 0 or a negative libuv code. */
int modbus_server_start(struct modbus_server *, uv_loop_t *, uint16_t port);
void modbus_server_set_fault(struct modbus_server *, enum modbus_fault);
void modbus_server_close(struct modbus_server *);       /* also where start failed; on_closed later */

#endif
