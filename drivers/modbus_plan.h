/* drivers/modbus_plan.h - which reads a register map takes, and what they make of a meter. Pure. */
#ifndef DRIVERS_MODBUS_PLAN_H
#define DRIVERS_MODBUS_PLAN_H

#include "drivers/modbus_codec.h"
#include "drivers/registers.h"
#include "policy/reading.h"

enum { MODBUS_QUANTITIES = 3 };         /* power, energy, frequency */

struct modbus_plan {
	unsigned n;
	struct modbus_read reads[MODBUS_QUANTITIES];    /* the one that holds the power first */
};

/* As few reads as the device allows: one function each, never longer than max_read unless a single value is,
 * never splitting a value, and with no_gaps never across a register that is not mapped. */
void modbus_plan_make(struct modbus_plan *, const struct register_map *);

/* Puts what reads[i] brought into the reading, which is all zero before the first. Power that is absent, or beyond
 * most_w (0: beyond 1 TW), makes it FAULT_ABSURD; energy and frequency that are absent, or cannot be true,
 * are only not known. Leaves at_ms alone. */
void modbus_plan_take(const struct modbus_plan *, unsigned i, const uint16_t *words,
                      const struct register_map *, int64_t most_w, struct meter_reading *);

#endif
