#include "drivers/meter.h"

#include <string.h>
#include <unistd.h>

#include "drivers/modbus_meter.h"
#include "drivers/modbus_room.h"
#include "drivers/prometheus.h"
#include "drivers/snmp_meter.h"

static const struct meter_driver *const drivers[] = { &modbus_tcp_driver, &modbus_rtu_driver, &snmp_driver, &prometheus_driver };

const struct meter_driver *meter_driver_named(const char *name)
{
	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
		if (!strcmp(drivers[i]->name, name))
			return drivers[i];
	return NULL;
}

const char *meter_driver_names(void)
{
	return "modbus, modbus-rtu, snmp, prometheus";
}

struct meter_room *meter_room_open(uv_loop_t *loop)
{
	struct meter_room *room = room_alloc(sizeof *room);
	room->loop = loop;
	room->dice = uv_hrtime() ^ (uint64_t)getpid() << 32;
	for (size_t i = 0; i < MODBUS_BUCKETS; i++)
		LIST_INIT(&room->conns[i]);
	LIST_INIT(&room->lines);
	return room;
}

void meter_room_close(struct meter_room *room)
{
	room->closing = true;
	if (!room->n_open)
		free(room);
}

void meter_room_left(struct meter_room *room)
{
	room->n_open--;
	if (room->closing && !room->n_open)
		free(room);
}
