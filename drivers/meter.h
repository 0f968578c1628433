/* drivers/meter.h - ask a power meter, of whatever make, what it sees. */
#ifndef DRIVERS_METER_H
#define DRIVERS_METER_H

#include <uv.h>

#include "drivers/registers.h"
#include "policy/reading.h"

struct prometheus_page;
struct snmp_access;
struct snmp_map;
struct meter_conf {             /* strings are lent for the life of the meter */
	const char *host;       /* address or name; the device file of a serial line */
	uint16_t port;
	uint8_t unit;
	uint32_t timeout_ms;    /* of one poll, connecting included */
	const struct register_map *map;         /* Modbus only; copied */
	const struct snmp_map *oids;            /* snmp only; lent for the life of the meter, as is access */
	const struct snmp_access *access;
	int64_t most_w;         /* a reading beyond plus or minus this cannot be true; 0: no bound */
	uint32_t baud;          /* serial lines only */
	char parity;            /* serial lines only: 'N', 'E', 'O' */
	const struct prometheus_page *page;     /* prometheus only */
};

struct meter_user {             /* called from the loop, never from inside a call to the driver */
	void *self;
	void (*on_reading)(void *self, const struct meter_reading *);   /* lent for the call */
	void (*on_closed)(void *self);                                  /* the meter is gone */
};

struct meter {                  /* each driver embeds this as its first member */
	const struct meter_driver *driver;
	struct meter_user user;
};

/* What the meters of one loop share: connections to gateways, threads of serial lines. */
struct meter_room;
struct meter_room *meter_room_open(uv_loop_t *);
void meter_room_close(struct meter_room *);     /* after the last on_closed; finishes on the loop, then frees */

enum meter_reads { METER_READS_REGISTERS, METER_READS_OIDS, METER_READS_PAGE };
struct meter_driver {
	const char *name;               /* as the config spells it */
	enum meter_reads reads;         /* which part of the conf it goes by */
	bool serial;                    /* host is a device file; baud and parity count */
	struct meter *(*open)(struct meter_room *, const struct meter_conf *, struct meter_user);       /* cannot fail */
	void (*poll)(struct meter *);   /* answered exactly once, by a value or a fault, within timeout_ms;
	                                   a poll while one is under way is answered by that one's answer */
	void (*close)(struct meter *);  /* no reading after this, only on_closed */
};

const struct meter_driver *meter_driver_named(const char *name);        /* NULL if unknown */
const char *meter_driver_names(void);                                   /* "modbus, modbus-rtu, ..." for messages */

#endif
