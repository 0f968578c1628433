/* drivers/modbus_meter.h - a power meter that is a register map on a link, over TCP or on a serial line. */
#ifndef DRIVERS_MODBUS_METER_H
#define DRIVERS_MODBUS_METER_H

#include "drivers/meter.h"

/* Both take the power register as given: map->power.type is not REGISTER_NONE. */
extern const struct meter_driver modbus_tcp_driver;     /* "modbus": host, port, unit */
extern const struct meter_driver modbus_rtu_driver;     /* "modbus-rtu": host is the device file; baud, parity, unit */

#endif
