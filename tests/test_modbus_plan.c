/* Register maps in, reads out; words in, readings out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/modbus_plan.h"

#define F32(f, a) { .type = REGISTER_FLOAT32, .function = (f), .address = (a), .scale = 1 }
#define I64(f, a) { .type = REGISTER_INT64, .function = (f), .address = (a), .scale = 1 }
#define U16(f, a) { .type = REGISTER_UINT16, .function = (f), .address = (a), .scale = 1 }

static const struct {
	const char *what;
	struct register_map map;
	struct modbus_plan plan;
} rows[] = {
	{ "power alone", { .power = F32(3, 100) }, { 1, { { 3, 100, 2 } } } },
	{ "all in one", { .power = F32(4, 52), .frequency = F32(4, 70), .energy = F32(4, 72) }, { 1, { { 4, 52, 22 } } } },
	{ "no gaps: neighbours stay together", { .power = F32(4, 52), .frequency = F32(4, 70), .energy = F32(4, 72), .no_gaps = true },
	  { 2, { { 4, 52, 2 }, { 4, 70, 4 } } } },
	{ "no gaps: one register between", { .power = F32(4, 52), .frequency = F32(4, 55), .no_gaps = true },
	  { 2, { { 4, 52, 2 }, { 4, 55, 2 } } } },
	{ "too far: power first", { .power = F32(3, 3059), .frequency = F32(3, 3109), .energy = I64(3, 3203), .max_read = 60 },
	  { 2, { { 3, 3059, 52 }, { 3, 3203, 4 } } } },
	{ "too far: power behind", { .power = F32(3, 500), .energy = F32(3, 10) }, { 2, { { 3, 500, 2 }, { 3, 10, 2 } } } },
	{ "power in the last of three", { .power = F32(3, 900), .energy = F32(3, 10), .frequency = F32(3, 500) },
	  { 3, { { 3, 900, 2 }, { 3, 500, 2 }, { 3, 10, 2 } } } },
	{ "functions apart", { .power = F32(4, 10), .energy = F32(3, 12), .frequency = U16(4, 12) },
	  { 2, { { 4, 10, 3 }, { 3, 12, 2 } } } },
	{ "125 just fits", { .power = F32(3, 0), .energy = F32(3, 123) }, { 1, { { 3, 0, 125 } } } },
	{ "126 does not", { .power = F32(3, 0), .energy = F32(3, 124) }, { 2, { { 3, 0, 2 }, { 3, 124, 2 } } } },
	{ "a map cannot raise the protocol's bound", { .power = F32(3, 0), .energy = F32(3, 124), .max_read = 200 },
	  { 2, { { 3, 0, 2 }, { 3, 124, 2 } } } },
	{ "max_read just fits", { .power = F32(3, 0), .energy = F32(3, 9), .max_read = 11 }, { 1, { { 3, 0, 11 } } } },
	{ "max_read does not", { .power = F32(3, 0), .energy = F32(3, 9), .max_read = 10 }, { 2, { { 3, 0, 2 }, { 3, 9, 2 } } } },
	{ "a value is never split", { .power = I64(3, 0), .energy = I64(3, 4), .max_read = 2 }, { 2, { { 3, 0, 4 }, { 3, 4, 4 } } } },
	{ "one inside the other", { .power = I64(3, 8), .frequency = U16(3, 9), .no_gaps = true }, { 1, { { 3, 8, 4 } } } },
	{ "the same twice", { .power = F32(3, 8), .energy = F32(3, 8) }, { 1, { { 3, 8, 2 } } } },
	{ "the end of the map", { .power = F32(3, 65534), .energy = U16(3, 65533) }, { 1, { { 3, 65533, 3 } } } },
};

static void test_plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct modbus_plan plan;
		modbus_plan_make(&plan, &rows[i].map);
		if (plan.n != rows[i].plan.n)
			fail_msg("%s: %u reads", rows[i].what, plan.n);
		for (unsigned k = 0; k < plan.n; k++) {
			const struct modbus_read *is = &plan.reads[k], *should = &rows[i].plan.reads[k];
			if (is->function != should->function || is->address != should->address || is->count != should->count)
				fail_msg("%s: read %u is %u %u %u", rows[i].what, k, is->function, is->address, is->count);
		}
	}
}

static struct meter_reading read_all(const struct register_map *map, const uint16_t *registers, int64_t most_w)
{
	struct modbus_plan plan;
	struct meter_reading reading = { 0 };
	modbus_plan_make(&plan, map);
	for (unsigned i = 0; i < plan.n; i++)
		modbus_plan_take(&plan, i, registers + plan.reads[i].address, map, most_w, &reading);
	return reading;
}

static const struct register_map small = {
	.power     = { .type = REGISTER_INT16, .function = 3, .address = 2, .scale = 1000, .absent = ABSENT_SMALLEST },
	.energy    = { .type = REGISTER_UINT64, .function = 3, .address = 4, .scale = 100, .absent = ABSENT_ALL_ONES },
	.frequency = { .type = REGISTER_UINT16, .function = 3, .address = 8, .scale = 0.01, .absent = ABSENT_ALL_ONES },
};

static void test_a_reading(void **state)
{
	(void)state;
	struct register_map apart = small;
	apart.max_read = 1;             /* the same from one read or from three */
	uint16_t registers[] = { 1, 1, (uint16_t)-17, 1, 0, 0, 1, 2, 6001, 1 };
	for (int i = 0; i < 2; i++) {
		struct meter_reading reading = read_all(i ? &apart : &small, registers, 20000);
		assert_int_equal(reading.fault, FAULT_NONE);
		assert_int_equal(reading.import_w, -17000);
		assert_true(reading.knows_energy);
		assert_int_equal(reading.import_wh, 6553800);
		assert_true(reading.knows_frequency);
		assert_int_equal(reading.frequency_mhz, 60010);
	}
}

static void test_zero_is_a_value(void **state)
{
	(void)state;
	uint16_t registers[10] = { [8] = 5000 };
	struct meter_reading reading = read_all(&small, registers, 20000);
	assert_int_equal(reading.fault, FAULT_NONE);
	assert_int_equal(reading.import_w, 0);
	assert_true(reading.knows_energy);
	assert_int_equal(reading.import_wh, 0);
}

static void test_power_that_cannot_be(void **state)
{
	(void)state;
	static const struct { int16_t kw; int64_t most_w; enum fault fault; } powers[] = {
		{ INT16_MIN, 0, FAULT_ABSURD },
		{ INT16_MIN + 1, 0, FAULT_NONE },
		{ 17, 17000, FAULT_NONE }, { 18, 17000, FAULT_ABSURD }, { -17, 17000, FAULT_NONE }, { -18, 17000, FAULT_ABSURD },
	};
	for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
		uint16_t registers[10] = { [2] = (uint16_t)powers[i].kw };
		assert_int_equal(read_all(&small, registers, powers[i].most_w).fault, powers[i].fault);
	}
	struct register_map map = { .power = F32(3, 0) };
	assert_int_equal(read_all(&map, (const uint16_t[]){ 0x7FC0, 0 }, 0).fault, FAULT_ABSURD);
	assert_int_equal(read_all(&map, (const uint16_t[]){ 0x7F80, 0 }, 0).fault, FAULT_ABSURD);
	assert_int_equal(read_all(&map, (const uint16_t[]){ 0x5368, 0xD4A5 }, 0).fault, FAULT_NONE);   /* 1e12 less 4 k */
	assert_int_equal(read_all(&map, (const uint16_t[]){ 0x5368, 0xD4A6 }, 0).fault, FAULT_ABSURD);
	assert_int_equal(read_all(&map, (const uint16_t[]){ 0x5368, 0xD4A6 }, INT64_MAX).fault, FAULT_ABSURD);
}

static void test_frequency_and_energy_are_only_not_known(void **state)
{
	(void)state;
	static const struct { uint16_t centihertz; bool known; } rows_hz[] = {
		{ 0, false }, { 3999, false }, { 4000, true }, { 7000, true }, { 7001, false }, { 0xFFFF, false },
	};
	for (size_t i = 0; i < sizeof rows_hz / sizeof *rows_hz; i++) {
		uint16_t registers[10] = { 0, 0, 5, 0, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, rows_hz[i].centihertz };
		struct meter_reading reading = read_all(&small, registers, 20000);
		assert_int_equal(reading.fault, FAULT_NONE);
		assert_int_equal(reading.import_w, 5000);
		assert_false(reading.knows_energy);
		assert_int_equal(reading.knows_frequency, rows_hz[i].known);
	}
	uint16_t full[10] = { [4] = 0x00FF };
	assert_false(read_all(&small, full, 20000).knows_energy);
	struct meter_reading power_only = read_all(&(struct register_map){ .power = U16(3, 0) }, (const uint16_t[]){ 9 }, 0);
	assert_int_equal(power_only.import_w, 9);
	assert_false(power_only.knows_energy || power_only.knows_frequency);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_a_reading),
		cmocka_unit_test(test_zero_is_a_value),
		cmocka_unit_test(test_power_that_cannot_be),
		cmocka_unit_test(test_frequency_and_energy_are_only_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
