/* drivers/snmp_meter.h - meters that speak SNMP over UDP, v2c or v3: most rack PDUs. */
#ifndef DRIVERS_SNMP_METER_H
#define DRIVERS_SNMP_METER_H

#include "drivers/meter.h"

extern const struct meter_driver snmp_driver;

#endif
