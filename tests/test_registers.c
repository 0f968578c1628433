/* Every type, both word orders, every way of not being a value. Expected numbers are worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "drivers/registers.h"

#define UNTOUCHED INT64_C(-4242424242)

struct row {
	enum register_type type;
	uint16_t words[4];              /* high word first */
	double scale;
	int32_t per_unit;
	uint8_t absent;
	enum register_found found;
	int64_t value;
};

static const struct row rows[] = {
	{ REGISTER_INT16,  { 0x0000 }, 1, 1, 7, REGISTER_VALUE, 0 },
	{ REGISTER_INT16,  { 0xFFFF }, 1, 1, 0, REGISTER_VALUE, -1 },
	{ REGISTER_INT16,  { 0x8000 }, 1, 1, 0, REGISTER_VALUE, -32768 },
	{ REGISTER_INT16,  { 0x8000 }, 1, 1, ABSENT_SMALLEST, REGISTER_ABSENT, 0 },
	{ REGISTER_INT16,  { 0x8001 }, 1, 1, ABSENT_SMALLEST, REGISTER_VALUE, -32767 },
	{ REGISTER_INT16,  { 0x7FFF }, 1, 1, ABSENT_LARGEST, REGISTER_ABSENT, 0 },
	{ REGISTER_INT16,  { 0x7FFF }, 1, 1, ABSENT_ALL_ONES | ABSENT_SMALLEST, REGISTER_VALUE, 32767 },
	{ REGISTER_UINT16, { 0xFFFF }, 1, 1, 0, REGISTER_VALUE, 65535 },
	{ REGISTER_UINT16, { 0xFFFF }, 1, 1, ABSENT_ALL_ONES, REGISTER_ABSENT, 0 },
	{ REGISTER_UINT16, { 0xFFFE }, 1, 1, ABSENT_ALL_ONES, REGISTER_VALUE, 65534 },
	{ REGISTER_UINT16, { 5998 },   0.01, 1000, 0, REGISTER_VALUE, 59980 },
	{ REGISTER_UINT16, { 125 },    0.01, 1, 0, REGISTER_VALUE, 1 },
	{ REGISTER_UINT16, { 150 },    0.01, 1, 0, REGISTER_VALUE, 2 },
	{ REGISTER_INT16,  { 0xFF6A }, 0.01, 1, 0, REGISTER_VALUE, -2 },         /* -150 */
	{ REGISTER_INT16,  { 0xFF6B }, 0.01, 1, 0, REGISTER_VALUE, -1 },         /* -149 */
	{ REGISTER_INT16,  { 3 },      1.5, 1, 0, REGISTER_VALUE, 5 },           /* 4.5, away from zero */
	{ REGISTER_INT16,  { 12 },     -10, 1, 0, REGISTER_VALUE, -120 },
	{ REGISTER_INT32,  { 0x0001, 0x86A0 }, 1, 1, 7, REGISTER_VALUE, 100000 },
	{ REGISTER_INT32,  { 0xFFFE, 0x7960 }, 1000, 1, 0, REGISTER_VALUE, -100000000 },
	{ REGISTER_INT32,  { 0x7FFF, 0xFFFF }, 0.1, 1, ABSENT_LARGEST, REGISTER_ABSENT, 0 },
	{ REGISTER_INT32,  { 0x7FFF, 0xFFFF }, 0.01, 1, 0, REGISTER_VALUE, 21474836 },
	{ REGISTER_INT32,  { 0x8000, 0x0000 }, 1, 1, ABSENT_SMALLEST, REGISTER_ABSENT, 0 },
	{ REGISTER_INT32,  { 0xFFFF, 0x7FFF }, 1, 1, ABSENT_LARGEST, REGISTER_VALUE, -32769 },
	{ REGISTER_UINT32, { 0xFFFF, 0xFFFF }, 1, 1, 0, REGISTER_VALUE, 4294967295 },
	{ REGISTER_UINT32, { 0xFFFF, 0xFFFF }, 1, 1, ABSENT_ALL_ONES, REGISTER_ABSENT, 0 },
	{ REGISTER_INT64,  { 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE }, 1, 1, 0, REGISTER_VALUE, -2 },
	{ REGISTER_INT64,  { 0x0020, 0x0000, 0x0000, 0x0001 }, 1, 1, 7, REGISTER_VALUE, 9007199254740993 },     /* 2^53 + 1 */
	{ REGISTER_INT64,  { 0x0163, 0x4578, 0x5D8A, 0x0007 }, 0.1, 1, 0, REGISTER_VALUE, 10000000000000001 },  /* 10^17 + 7 */
	{ REGISTER_INT64,  { 0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF }, 1, 1, 0, REGISTER_VALUE, INT64_MAX },
	{ REGISTER_INT64,  { 0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF }, 10, 1, 0, REGISTER_ABSURD, 0 },
	{ REGISTER_INT64,  { 0x8000, 0x0000, 0x0000, 0x0000 }, 1, 1, 0, REGISTER_VALUE, INT64_MIN },
	{ REGISTER_INT64,  { 0x8000, 0x0000, 0x0000, 0x0000 }, -1, 1, 0, REGISTER_ABSURD, 0 },
	{ REGISTER_INT64,  { 0x8000, 0x0000, 0x0000, 0x0000 }, 1, 1, ABSENT_SMALLEST, REGISTER_ABSENT, 0 },
	{ REGISTER_UINT64, { 0x7FFF, 0xFFFF, 0xFFFF, 0xFFFF }, 1, 1, ABSENT_LARGEST, REGISTER_ABSENT, 0 },
	{ REGISTER_UINT64, { 0x8000, 0x0000, 0x0000, 0x0000 }, 1, 1, 0, REGISTER_ABSURD, 0 },
	{ REGISTER_UINT64, { 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF }, 1, 1, ABSENT_ALL_ONES, REGISTER_ABSENT, 0 },
	{ REGISTER_UINT64, { 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF }, 0.001, 1, 0, REGISTER_VALUE, 18446744073709552 },
	{ REGISTER_UINT64, { 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF }, 9007199254740992.0, 1, 0, REGISTER_ABSURD, 0 },
	{ REGISTER_FLOAT32, { 0x4996, 0xB438 }, 1, 1, 7, REGISTER_VALUE, 1234567 },
	{ REGISTER_FLOAT32, { 0xC996, 0xB438 }, 1000, 1, 0, REGISTER_VALUE, -1234567000 },
	{ REGISTER_FLOAT32, { 0x426F, 0xEB85 }, 1, 1000, 0, REGISTER_VALUE, 59980 },            /* 59.98 */
	{ REGISTER_FLOAT32, { 0x0000, 0x0000 }, 1, 1, 0, REGISTER_VALUE, 0 },
	{ REGISTER_FLOAT32, { 0x8000, 0x0000 }, 1, 1, 0, REGISTER_VALUE, 0 },                   /* -0 */
	{ REGISTER_FLOAT32, { 0x8000, 0x0000 }, 1, 1, ABSENT_SMALLEST, REGISTER_ABSENT, 0 },
	{ REGISTER_FLOAT32, { 0x7FC0, 0x0000 }, 1, 1, 0, REGISTER_ABSENT, 0 },
	{ REGISTER_FLOAT32, { 0xFFFF, 0xFFFF }, 1, 1, 0, REGISTER_ABSENT, 0 },
	{ REGISTER_FLOAT32, { 0x7F80, 0x0000 }, 1, 1, 0, REGISTER_ABSURD, 0 },
	{ REGISTER_FLOAT32, { 0xFF80, 0x0000 }, 0, 1, 0, REGISTER_ABSURD, 0 },
	{ REGISTER_FLOAT32, { 0x7F7F, 0xFFFF }, 1, 1, 0, REGISTER_ABSURD, 0 },                  /* 3.4e38 */
	{ REGISTER_FLOAT32, { 0x5F00, 0x0000 }, 1, 1, 0, REGISTER_ABSURD, 0 },                  /* 2^63 */
	{ REGISTER_FLOAT32, { 0x5EFF, 0xFFFF }, 1, 1, 0, REGISTER_VALUE, 9223371487098961920 }, /* the float below */
	{ REGISTER_FLOAT64, { 0x4173, 0x12D0, 0x0800, 0x0000 }, 1, 1, 0, REGISTER_VALUE, 20000001 },    /* 20000000.5 */
	{ REGISTER_FLOAT64, { 0x7FF8, 0, 0, 0 }, 1, 1, 0, REGISTER_ABSENT, 0 },
	{ REGISTER_FLOAT64, { 0x7FF0, 0, 0, 0 }, 1, 1, 0, REGISTER_ABSURD, 0 },
	{ REGISTER_FLOAT64, { 0x7FEF, 0xFFFF, 0xFFFF, 0xFFFF }, 1000, 1, 0, REGISTER_ABSURD, 0 },
	{ REGISTER_NONE,   { 5 }, 1, 1, 0, REGISTER_ABSENT, 0 },
};

static void check_row(const struct row *row, size_t i, bool low_word_first)
{
	unsigned n = register_width(row->type);
	uint16_t words[4];
	for (unsigned k = 0; k < n; k++)
		words[k] = row->words[low_word_first ? n - 1 - k : k];
	struct register_field field = { .type = row->type, .low_word_first = low_word_first, .absent = row->absent, .scale = row->scale };
	int64_t value = UNTOUCHED;
	enum register_found found = register_decode(&field, words, row->per_unit, &value);
	int64_t expected = row->found == REGISTER_VALUE ? row->value : UNTOUCHED;
	if (found != row->found || value != expected)
		fail_msg("row %zu, %s word first: found %d, value %lld", i, low_word_first ? "low" : "high", found, (long long)value);
}

static void test_every_type_in_both_word_orders(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		check_row(&rows[i], i, false);
		check_row(&rows[i], i, true);
	}
}

static void test_scales_that_are_no_numbers(void **state)
{
	(void)state;
	static const double scales[] = { NAN, INFINITY, -INFINITY };
	static const enum register_type types[] = { REGISTER_UINT16, REGISTER_FLOAT32 };
	static const uint16_t words[4] = { 0x4996, 0xB438 };
	for (size_t i = 0; i < 3; i++)
		for (size_t t = 0; t < 2; t++) {
			struct register_field field = { .type = types[t], .scale = scales[i] };
			int64_t value = UNTOUCHED;
			assert_int_equal(register_decode(&field, words, 1, &value), REGISTER_ABSURD);
			assert_int_equal(value, UNTOUCHED);
		}
}

static void test_words_beyond_the_value_do_not_count(void **state)
{
	(void)state;
	struct register_field field = { .type = REGISTER_INT32, .scale = 1 };
	int64_t value;
	assert_int_equal(register_decode(&field, (const uint16_t[]){ 0, 7, 0xFFFF, 0xFFFF }, 1, &value), REGISTER_VALUE);
	assert_int_equal(value, 7);
}

static void test_names(void **state)
{
	(void)state;
	static const struct { const char *name; enum register_type type; unsigned width; } names[] = {
		{ "int16", REGISTER_INT16, 1 }, { "uint16", REGISTER_UINT16, 1 }, { "int32", REGISTER_INT32, 2 },
		{ "uint32", REGISTER_UINT32, 2 }, { "int64", REGISTER_INT64, 4 }, { "uint64", REGISTER_UINT64, 4 },
		{ "float32", REGISTER_FLOAT32, 2 }, { "float64", REGISTER_FLOAT64, 4 },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(register_type_named(names[i].name), names[i].type);
		assert_int_equal(register_width(names[i].type), names[i].width);
		assert_non_null(strstr(register_type_names(), names[i].name));
	}
	assert_int_equal(register_type_named("float"), REGISTER_NONE);
	assert_int_equal(register_type_named(""), REGISTER_NONE);
	assert_int_equal(register_width(REGISTER_NONE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_in_both_word_orders),
		cmocka_unit_test(test_scales_that_are_no_numbers),
		cmocka_unit_test(test_words_beyond_the_value_do_not_count),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
