#include "drivers/modbus_plan.h"

#include <string.h>

#define TRUE_POWER_W     INT64_C(1000000000000)         /* no meter measures more; sums of many stay in int64_t */
#define TRUE_ENERGY_WH   INT64_C(1000000000000000)
#define LEAST_FREQUENCY_MHZ  40000
#define MOST_FREQUENCY_MHZ   70000

static unsigned end_of(const struct register_field *field)
{
	return field->address + register_width(field->type);
}

/* Fields in the order of their place; the unmapped are left out. */
static unsigned sort_fields(const struct register_map *map, const struct register_field *sorted[MODBUS_QUANTITIES])
{
	const struct register_field *fields[] = { &map->power, &map->energy, &map->frequency };
	unsigned n = 0;
	for (unsigned i = 0; i < MODBUS_QUANTITIES; i++) {
		if (fields[i]->type == REGISTER_NONE)
			continue;
		unsigned at = n++;
		for (; at > 0 && (sorted[at - 1]->function > fields[i]->function ||
		       (sorted[at - 1]->function == fields[i]->function && sorted[at - 1]->address > fields[i]->address)); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = fields[i];
	}
	return n;
}

static bool fits(const struct modbus_read *read, const struct register_field *field, const struct register_map *map)
{
	unsigned most = map->max_read && map->max_read < MODBUS_MOST_REGISTERS ? map->max_read : MODBUS_MOST_REGISTERS;
	unsigned end = read->address + read->count;
	if (read->function != field->function)
		return false;
	if (end_of(field) <= end)
		return true;
	return end_of(field) - read->address <= most && !(map->no_gaps && field->address > end);
}

static bool holds(const struct modbus_read *read, const struct register_field *field)
{
	return field->type != REGISTER_NONE && read->function == field->function &&
	       read->address <= field->address && end_of(field) <= (unsigned)read->address + read->count;
}

static void power_first(struct modbus_plan *plan, const struct register_field *power)
{
	for (unsigned i = 1; i < plan->n; i++) {
		if (holds(&plan->reads[0], power) || !holds(&plan->reads[i], power))
			continue;
		struct modbus_read read = plan->reads[0];
		plan->reads[0] = plan->reads[i];
		plan->reads[i] = read;
	}
}

void modbus_plan_make(struct modbus_plan *plan, const struct register_map *map)
{
	const struct register_field *fields[MODBUS_QUANTITIES];
	unsigned n = sort_fields(map, fields);
	memset(plan, 0, sizeof *plan);
	for (unsigned i = 0; i < n; i++) {
		struct modbus_read *last = plan->n ? &plan->reads[plan->n - 1] : NULL;
		if (!last || !fits(last, fields[i], map)) {
			last = &plan->reads[plan->n++];
			last->function = fields[i]->function;
			last->address = fields[i]->address;
		}
		if (end_of(fields[i]) > (unsigned)last->address + last->count)
			last->count = (uint16_t)(end_of(fields[i]) - last->address);
	}
	power_first(plan, &map->power);
}

static bool within(int64_t x, int64_t least, int64_t most)
{
	return x >= least && x <= most;
}

static void take_power(const struct register_field *field, const uint16_t *words, int64_t most_w, struct meter_reading *reading)
{
	int64_t most = most_w > 0 && most_w < TRUE_POWER_W ? most_w : TRUE_POWER_W;
	bool good = register_decode(field, words, 1, &reading->import_w) == REGISTER_VALUE &&
	            within(reading->import_w, -most, most);
	reading->fault = good ? FAULT_NONE : FAULT_ABSURD;
}

void modbus_plan_take(const struct modbus_plan *plan, unsigned i, const uint16_t *words,
                      const struct register_map *map, int64_t most_w, struct meter_reading *reading)
{
	const struct modbus_read *read = &plan->reads[i];
	if (holds(read, &map->power))
		take_power(&map->power, words + (map->power.address - read->address), most_w, reading);
	if (holds(read, &map->energy))
		reading->knows_energy = register_decode(&map->energy, words + (map->energy.address - read->address), 1,
		                                        &reading->import_wh) == REGISTER_VALUE &&
		                        within(reading->import_wh, -TRUE_ENERGY_WH, TRUE_ENERGY_WH);
	int64_t mhz;
	if (holds(read, &map->frequency) &&
	    register_decode(&map->frequency, words + (map->frequency.address - read->address), 1000, &mhz) == REGISTER_VALUE &&
	    within(mhz, LEAST_FREQUENCY_MHZ, MOST_FREQUENCY_MHZ)) {
		reading->frequency_mhz = (int32_t)mhz;
		reading->knows_frequency = true;
	}
}
