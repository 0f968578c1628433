#include "drivers/snmp_plan.h"

#include <string.h>

#define TRUE_POWER_W     INT64_C(1000000000000)         /* no meter measures more; sums of many stay in int64_t */
#define TRUE_ENERGY_WH   INT64_C(1000000000000000)
#define LEAST_FREQUENCY_MHZ  40000
#define MOST_FREQUENCY_MHZ   70000

static void fields_of(const struct snmp_map *map, const struct snmp_field *fields[SNMP_QUANTITIES])
{
	fields[0] = &map->power;
	fields[1] = &map->energy;
	fields[2] = &map->frequency;
}

static void ask_add(struct snmp_ask *ask, const struct snmp_oid *oid)
{
	if (oid->n)
		ask->oids[ask->n++] = *oid;
}

static void ask_field(struct snmp_ask *ask, const struct snmp_field *field)
{
	if (!field->value.n)
		return;
	ask_add(ask, &field->value);
	ask_add(ask, &field->digits);
	ask_add(ask, &field->status);
}

static void ask_step(struct snmp_plan *plan)
{
	const struct snmp_field *fields[SNMP_QUANTITIES], *walk = plan->walks[plan->step];
	plan->ask = (struct snmp_ask){ .walk = walk != NULL };
	plan->n_rows = 0;
	plan->sum = 0;
	plan->hole = false;
	fields_of(plan->map, fields);
	for (unsigned i = 0; i < SNMP_QUANTITIES; i++)
		if (walk ? fields[i] == walk : !fields[i]->sum)
			ask_field(&plan->ask, fields[i]);
	if (walk)
		plan->ask.rows = (uint8_t)(SNMP_MOST_VALUES / plan->ask.n);
}

void snmp_plan_start(struct snmp_plan *plan, const struct snmp_map *map)
{
	const struct snmp_field *fields[SNMP_QUANTITIES];
	bool instances = false;
	*plan = (struct snmp_plan){ .map = map };
	fields_of(map, fields);
	for (unsigned i = 0; i < SNMP_QUANTITIES; i++) {
		if (!fields[i]->value.n || (!fields[i]->sum && instances))
			continue;
		plan->walks[plan->n_steps++] = fields[i]->sum ? fields[i] : NULL;
		instances = instances || !fields[i]->sum;
	}
	ask_step(plan);
}

static bool within(int64_t x, int64_t least, int64_t most)
{
	return x >= least && x <= most;
}

static int32_t per_unit(const struct snmp_plan *plan, const struct snmp_field *field)
{
	return field == &plan->map->frequency ? 1000 : 1;
}

static void put(const struct snmp_plan *plan, const struct snmp_field *field, bool known, int64_t value, int64_t most_w,
                struct meter_reading *reading)
{
	if (field == &plan->map->power) {
		int64_t most = most_w > 0 && most_w < TRUE_POWER_W ? most_w : TRUE_POWER_W;
		reading->fault = known && within(value, -most, most) ? FAULT_NONE : FAULT_ABSURD;
		reading->import_w = reading->fault == FAULT_NONE ? value : 0;
	} else if (field == &plan->map->energy) {
		reading->knows_energy = known && within(value, -TRUE_ENERGY_WH, TRUE_ENERGY_WH);
		reading->import_wh = reading->knows_energy ? value : 0;
	} else {
		reading->knows_frequency = known && within(value, LEAST_FREQUENCY_MHZ, MOST_FREQUENCY_MHZ);
		reading->frequency_mhz = reading->knows_frequency ? (int32_t)value : 0;
	}
}

/* The values of one field as they were asked for: VALUES begins with its raw one. */
static bool decode_at(const struct snmp_plan *plan, const struct snmp_field *field, const struct snmp_value *values, int64_t *value)
{
	const struct snmp_value *digits = values + 1, *status = values + 1 + (field->digits.n != 0);
	return snmp_decode(field, values, digits, status, per_unit(plan, field), value);
}

static enum snmp_taken next_step(struct snmp_plan *plan, const struct meter_reading *reading)
{
	plan->step++;
	if (plan->step == plan->n_steps || reading->fault != FAULT_NONE)
		return SNMP_TAKEN_ALL;
	ask_step(plan);
	return SNMP_TAKEN;
}

static enum snmp_taken take_instances(struct snmp_plan *plan, const struct snmp_value *values, size_t n, int64_t most_w,
                                      struct meter_reading *reading)
{
	const struct snmp_field *fields[SNMP_QUANTITIES];
	if (n != plan->ask.n)
		return SNMP_NOT_ASKED;
	for (size_t i = 0; i < n; i++)
		if (!snmp_oid_same(&values[i].oid, &plan->ask.oids[i]))
			return SNMP_NOT_ASKED;
	fields_of(plan->map, fields);
	for (unsigned i = 0, at = 0; i < SNMP_QUANTITIES; i++) {
		int64_t value = 0;
		if (!fields[i]->value.n || fields[i]->sum)
			continue;
		bool known = decode_at(plan, fields[i], values + at, &value);
		put(plan, fields[i], known, value, most_w, reading);
		at += 1u + (fields[i]->digits.n != 0) + (fields[i]->status.n != 0);
	}
	return next_step(plan, reading);
}

/* Value, digits and status must be of the same row. */
static bool same_row(const struct snmp_oid *const columns[], const struct snmp_value *values, unsigned n)
{
	unsigned index = snmp_oid_row_of(columns[0], &values[0].oid);
	const uint32_t *row = values[0].oid.arcs + columns[0]->n;
	for (unsigned i = 1; i < n; i++)
		if (snmp_oid_row_of(columns[i], &values[i].oid) != index ||
		    memcmp(values[i].oid.arcs + columns[i]->n, row, index * sizeof *row) != 0)
			return false;
	return true;
}

static enum snmp_taken walk_done(struct snmp_plan *plan, const struct snmp_field *field, int64_t most_w, struct meter_reading *reading)
{
	put(plan, field, plan->n_rows > 0 && !plan->hole, plan->sum, most_w, reading);
	return next_step(plan, reading);
}

static enum snmp_taken take_rows(struct snmp_plan *plan, const struct snmp_field *field, const struct snmp_value *values, size_t n,
                                 int64_t most_w, struct meter_reading *reading)
{
	const struct snmp_oid *columns[3];
	unsigned width = 0;
	columns[width++] = &field->value;
	if (field->digits.n)
		columns[width++] = &field->digits;
	if (field->status.n)
		columns[width++] = &field->status;
	if (n < width)
		return SNMP_NOT_ASKED;
	for (; n >= width; n -= width, values += width) {
		int64_t value = 0;
		if (values[0].kind == SNMP_END || !snmp_oid_row_of(&field->value, &values[0].oid))
			return walk_done(plan, field, most_w, reading);
		if (snmp_oid_order(&values[0].oid, &plan->ask.oids[0]) <= 0 || plan->n_rows == SNMP_MOST_ROWS)
			return SNMP_NOT_ASKED;          /* an agent that goes back would be asked for ever */
		bool known = same_row(columns, values, width) && decode_at(plan, field, values, &value) &&
		             !__builtin_add_overflow(plan->sum, value, &plan->sum);
		plan->hole = plan->hole || !known;
		plan->n_rows++;
		for (unsigned i = 0; i < width; i++)
			plan->ask.oids[i] = values[i].oid;
	}
	return SNMP_TAKEN;
}

enum snmp_taken snmp_plan_take(struct snmp_plan *plan, const struct snmp_value *values, size_t n, int64_t most_w,
                               struct meter_reading *reading)
{
	const struct snmp_field *walk = plan->walks[plan->step];
	return walk ? take_rows(plan, walk, values, n, most_w, reading) : take_instances(plan, values, n, most_w, reading);
}
