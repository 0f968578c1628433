/* drivers/modbus_rtu.h - a serial line of Modbus RTU devices: libmodbus, which waits, on a thread of its own.
 *
 * There is one for each device file, with 8 data bits, 1 stop bit and the speed and parity of the first to join;
 * whoever joins with others is refused. The line is opened when somebody asks, and again after it failed. */
#ifndef DRIVERS_MODBUS_RTU_H
#define DRIVERS_MODBUS_RTU_H

#include "drivers/meter.h"
#include "drivers/modbus_link.h"

/* device is copied; baud 0 is 9600, parity 0 is 'N'. The line closes itself when its last client has left and the
 * request under way has ended. */
void modbus_rtu_join(struct meter_room *, const char *device, uint32_t baud, char parity, struct modbus_client *);

#endif
