/* What OIDs become requests, and answers a reading: pure, by example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "drivers/snmp_plan.h"

static struct snmp_oid oid_of(const char *text)
{
	struct snmp_oid oid;
	assert_true(snmp_oid_parse(text, &oid));
	return oid;
}

static struct snmp_value whole(const char *oid, int64_t value)
{
	return (struct snmp_value){ .oid = oid_of(oid), .kind = SNMP_WHOLE, .whole = value };
}

static struct snmp_value absent(const char *oid, enum snmp_kind kind)
{
	return (struct snmp_value){ .oid = oid_of(oid), .kind = kind };
}

static void an_oid_is_read_whole_or_not_at_all(void **state)
{
	(void)state;
	static const char *const none[] = {
		"", ".", "1", "1.", "1..3", "1.3.", "1.3.x", "1.3 ", "-1.3", "1.-3", "3.1", "1.40", "1.3.4294967296", "1.3.99999999999999999999",
		"1.3.6.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
	};
	struct snmp_oid oid = oid_of("1.3.6.1.4.1.318.0.4294967295");
	assert_int_equal(oid.n, 9);
	assert_int_equal(oid.arcs[6], 318);
	assert_int_equal(oid.arcs[8], UINT32_MAX);
	struct snmp_oid dotted = oid_of(".1.3.6.1.4.1.318.0.4294967295");
	assert_true(snmp_oid_same(&oid, &dotted));
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		struct snmp_oid kept = oid;
		assert_false(snmp_oid_parse(none[i], &kept));
		assert_true(snmp_oid_same(&kept, &oid));
	}
}

static void oids_are_ordered_as_agents_order_them(void **state)
{
	(void)state;
	static const char *const order[] = { "1.3.6", "1.3.6.1", "1.3.6.1.2", "1.3.6.1.10", "1.3.6.2", "1.3.10" };
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < 6; j++) {
			struct snmp_oid a = oid_of(order[i]), b = oid_of(order[j]);
			int got = snmp_oid_order(&a, &b);
			assert_int_equal((got > 0) - (got < 0), (i > j) - (i < j));
		}
	struct snmp_oid column = oid_of("1.3.6.1"), row = oid_of("1.3.6.1.7.2"), other = oid_of("1.3.6.2.7");
	assert_int_equal(snmp_oid_row_of(&column, &row), 2);
	assert_int_equal(snmp_oid_row_of(&column, &column), 0);
	assert_int_equal(snmp_oid_row_of(&column, &other), 0);
}

static void a_number_is_scaled_exactly(void **state)
{
	(void)state;
	static const struct { int64_t raw; double scale; int64_t digits; int32_t per_unit; int64_t value; } cases[] = {
		{ 731, 10, -1, 1, 7310 }, { 4294967295, 1, 1, 1, 429496730 }, { 4294967294, 1, 1, 1, 429496729 }, { -15, 1, 1, 1, -2 },
		{ 5998, 1, 2, 1000, 59980 }, { 601, 0.1, -1, 1000, 60100 }, { 123456, 100, -1, 1, 12345600 }, { 0, 10, -1, 1, 0 },
		{ 9007199254740993, 1, -1, 1, 9007199254740993 }, { 7, 1000, 3, 1, 7 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct snmp_field field = { .value = oid_of("1.3.6"), .scale = cases[i].scale };
		if (cases[i].digits >= 0)
			field.digits = oid_of("1.3.7");
		struct snmp_value raw = whole("1.3.6", cases[i].raw), digits = whole("1.3.7", cases[i].digits);
		int64_t value = 0;
		assert_true(snmp_decode(&field, &raw, &digits, &digits, cases[i].per_unit, &value));
		assert_int_equal(value, cases[i].value);
	}
	struct snmp_field field = { .value = oid_of("1.3.6"), .scale = 1000 };
	struct snmp_value real = { .oid = oid_of("1.3.6"), .kind = SNMP_REAL, .real = 7.3104 };
	int64_t value = 0;
	assert_true(snmp_decode(&field, &real, &real, &real, 1, &value));
	assert_int_equal(value, 7310);
}

static void absent_is_not_zero(void **state)
{
	(void)state;
	struct snmp_field field = { .value = oid_of("1.3.6"), .digits = oid_of("1.3.7"), .status = oid_of("1.3.8"), .good = 1 << 1 | 1 << 3,
	                            .negative_absent = true, .scale = 1 };
	struct snmp_value raw = whole("1.3.6", 50), digits = whole("1.3.7", 1), status = whole("1.3.8", 3), bad;
	int64_t value = 7;
	assert_true(snmp_decode(&field, &raw, &digits, &status, 1, &value));
	assert_int_equal(value, 5);
	static const int64_t bad_digits[] = { -1, 16, INT64_MIN }, bad_status[] = { 0, 2, -1, 64, 65, 67, INT64_MIN };
	for (size_t i = 0; i < 3; i++) {
		bad = whole("1.3.7", bad_digits[i]);
		assert_false(snmp_decode(&field, &raw, &bad, &status, 1, &value));
	}
	for (size_t i = 0; i < 7; i++) {
		bad = whole("1.3.8", bad_status[i]);
		assert_false(snmp_decode(&field, &raw, &digits, &bad, 1, &value));
	}
	bad = absent("1.3.6", SNMP_ABSENT);
	assert_false(snmp_decode(&field, &bad, &digits, &status, 1, &value));
	assert_false(snmp_decode(&field, &raw, &bad, &status, 1, &value));
	assert_false(snmp_decode(&field, &raw, &digits, &bad, 1, &value));
	bad = absent("1.3.6", SNMP_END);
	assert_false(snmp_decode(&field, &bad, &digits, &status, 1, &value));
	bad = whole("1.3.6", 0);                        /* that is a number */
	assert_true(snmp_decode(&field, &bad, &digits, &status, 1, &value));
	assert_int_equal(value, 0);
	bad = whole("1.3.6", -1);
	assert_false(snmp_decode(&field, &bad, &digits, &status, 1, &value));
	bad = (struct snmp_value){ .oid = oid_of("1.3.6"), .kind = SNMP_REAL, .real = -0.5 };
	assert_false(snmp_decode(&field, &bad, &digits, &status, 1, &value));
	assert_int_equal(value, 0);
}

static void all_instances_are_one_question(void **state)
{
	(void)state;
	struct snmp_map map = {
		.power = { .value = oid_of("1.3.1"), .digits = oid_of("1.3.2"), .status = oid_of("1.3.3"), .good = 2, .scale = 1 },
		.energy = { .value = oid_of("1.3.4"), .scale = 100 },
		.frequency = { .value = oid_of("1.3.5"), .digits = oid_of("1.3.6"), .scale = 1 },
	};
	struct snmp_plan plan;
	struct meter_reading reading = { 0 };
	snmp_plan_start(&plan, &map);
	assert_int_equal(plan.n_steps, 1);
	assert_false(plan.ask.walk);
	assert_int_equal(plan.ask.n, 6);
	struct snmp_value values[6] = { whole("1.3.1", 73106), whole("1.3.2", 1), whole("1.3.3", 1), whole("1.3.4", 9), whole("1.3.5", 5001),
	                                whole("1.3.6", 2) };
	assert_int_equal(snmp_plan_take(&plan, values, 6, 0, &reading), SNMP_TAKEN_ALL);
	assert_int_equal(reading.fault, FAULT_NONE);
	assert_int_equal(reading.import_w, 7311);
	assert_int_equal(reading.import_wh, 900);
	assert_int_equal(reading.frequency_mhz, 50010);
	assert_true(reading.knows_energy && reading.knows_frequency);

	values[3].kind = SNMP_ABSENT;                   /* the power stays */
	values[4].whole = 7500;                         /* 75 Hz */
	reading = (struct meter_reading){ 0 };
	snmp_plan_start(&plan, &map);
	assert_int_equal(snmp_plan_take(&plan, values, 6, 7311, &reading), SNMP_TAKEN_ALL);
	assert_int_equal(reading.fault, FAULT_NONE);
	assert_false(reading.knows_energy || reading.knows_frequency);
	reading = (struct meter_reading){ 0 };
	snmp_plan_start(&plan, &map);
	assert_int_equal(snmp_plan_take(&plan, values, 6, 7310, &reading), SNMP_TAKEN_ALL);
	assert_int_equal(reading.fault, FAULT_ABSURD);
	assert_int_equal(reading.import_w, 0);

	snmp_plan_start(&plan, &map);
	assert_int_equal(snmp_plan_take(&plan, values, 5, 0, &reading), SNMP_NOT_ASKED);
	values[5].oid = oid_of("1.3.7");
	assert_int_equal(snmp_plan_take(&plan, values, 6, 0, &reading), SNMP_NOT_ASKED);
	assert_int_equal(snmp_plan_take(&plan, values, 0, 0, &reading), SNMP_NOT_ASKED);
}

static void a_column_is_walked_and_added_up(void **state)
{
	(void)state;
	struct snmp_map map = { .power = { .value = oid_of("1.3.1"), .status = oid_of("1.3.2"), .good = 1, .sum = true, .scale = 1 },
	                        .energy = { .value = oid_of("1.3.9.0"), .scale = 1 } };
	struct snmp_plan plan;
	struct meter_reading reading = { 0 };
	snmp_plan_start(&plan, &map);
	assert_int_equal(plan.n_steps, 2);
	assert_true(plan.ask.walk);
	assert_int_equal(plan.ask.n, 2);
	assert_true(plan.ask.n * plan.ask.rows <= SNMP_MOST_VALUES);
	struct snmp_value first[] = { whole("1.3.1.1", 10), whole("1.3.2.1", 0), whole("1.3.1.2", 20), whole("1.3.2.2", 0), whole("1.3.1.5", 40) };
	assert_int_equal(snmp_plan_take(&plan, first, 5, 0, &reading), SNMP_TAKEN);     /* cut in the middle of a row */
	struct snmp_oid last = oid_of("1.3.1.2");
	assert_true(snmp_oid_same(&plan.ask.oids[0], &last));
	struct snmp_value second[] = { whole("1.3.1.5", 40), whole("1.3.2.5", 0), whole("1.3.2.1", 0), whole("1.3.3.1", 0) };
	assert_int_equal(snmp_plan_take(&plan, second, 4, 0, &reading), SNMP_TAKEN);    /* the energy is still to come */
	assert_int_equal(reading.fault, FAULT_NONE);
	assert_int_equal(reading.import_w, 70);
	assert_false(plan.ask.walk);
	struct snmp_value energy = whole("1.3.9.0", 5);
	assert_int_equal(snmp_plan_take(&plan, &energy, 1, 0, &reading), SNMP_TAKEN_ALL);
	assert_int_equal(reading.import_wh, 5);
}

static enum snmp_taken walk(const struct snmp_value *values, size_t n, struct meter_reading *reading)
{
	static struct snmp_map map;
	map = (struct snmp_map){ .power = { .value = oid_of("1.3.1"), .status = oid_of("1.3.2"), .good = 1, .sum = true, .scale = 1 } };
	struct snmp_plan plan;
	*reading = (struct meter_reading){ 0 };
	snmp_plan_start(&plan, &map);
	return snmp_plan_take(&plan, values, n, 0, reading);
}

static void a_sum_with_a_hole_is_none(void **state)
{
	(void)state;
	struct meter_reading reading;
	struct snmp_value end = absent("1.3.1.2", SNMP_END);
	struct snmp_value good[] = { whole("1.3.1.1", 10), whole("1.3.2.1", 0), end, end };
	assert_int_equal(walk(good, 4, &reading), SNMP_TAKEN_ALL);
	assert_int_equal(reading.fault, FAULT_NONE);
	struct snmp_value status[] = { whole("1.3.1.1", 10), whole("1.3.2.1", 1), end, end };
	assert_int_equal(walk(status, 4, &reading), SNMP_TAKEN_ALL);
	assert_int_equal(reading.fault, FAULT_ABSURD);
	struct snmp_value first[] = { whole("1.3.1.1", 10), whole("1.3.2.1", 1), whole("1.3.1.2", 10), whole("1.3.2.2", 0), end, end };
	assert_int_equal(walk(first, 6, &reading), SNMP_TAKEN_ALL);
	assert_int_equal(reading.fault, FAULT_ABSURD);
	struct snmp_value other_row[] = { whole("1.3.1.1", 10), whole("1.3.2.2", 0), end, end };
	assert_int_equal(walk(other_row, 4, &reading), SNMP_TAKEN_ALL);
	assert_int_equal(reading.fault, FAULT_ABSURD);
	assert_int_equal(walk(&end, 1, &reading), SNMP_NOT_ASKED);
	assert_int_equal(walk(good + 2, 2, &reading), SNMP_TAKEN_ALL);         /* no row at all */
	assert_int_equal(reading.fault, FAULT_ABSURD);
	struct snmp_value back[] = { whole("1.3.1.2", 10), whole("1.3.2.2", 0), whole("1.3.1.2", 10), whole("1.3.2.2", 0) };
	assert_int_equal(walk(back, 4, &reading), SNMP_NOT_ASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_oid_is_read_whole_or_not_at_all),
		cmocka_unit_test(oids_are_ordered_as_agents_order_them),
		cmocka_unit_test(a_number_is_scaled_exactly),
		cmocka_unit_test(absent_is_not_zero),
		cmocka_unit_test(all_instances_are_one_question),
		cmocka_unit_test(a_column_is_walked_and_added_up),
		cmocka_unit_test(a_sum_with_a_hole_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
