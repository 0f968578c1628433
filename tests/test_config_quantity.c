#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config/hostlist.h"
#include "config/quantity.h"

static void quantities_become_the_unit_inside(void **state)
{
	static const struct { enum quantity quantity; const char *text; int64_t value; } rows[] = {
		{QUANTITY_POWER, "20 MW", 20000000}, {QUANTITY_POWER, "20MW", 20000000},
		{QUANTITY_POWER, "19.4 MW", 19400000}, {QUANTITY_POWER, "0 W", 0}, {QUANTITY_POWER, "-3.5 kW", -3500},
		{QUANTITY_POWER, "17.3 kW", 17300}, {QUANTITY_POWER, "1.5 W", 2}, {QUANTITY_POWER, "1.4 W", 1},
		{QUANTITY_POWER, "-1.5 W", -2}, {QUANTITY_POWER, "0.1 GW", 100000000},
		{QUANTITY_POWER, "999999999999999 W", 999999999999999},
		{QUANTITY_POWER, "9223372036 GW", 9223372036000000000},
		{QUANTITY_RAMP, "2 MW/min", 2000000}, {QUANTITY_RAMP, "1 W/s", 60}, {QUANTITY_RAMP, "1.5 kW/s", 90000},
		{QUANTITY_RAMP, "6 MW/h", 100000}, {QUANTITY_RAMP, "1 MW/h", 16667},
		{QUANTITY_DURATION, "250 ms", 250}, {QUANTITY_DURATION, "2 s", 2000}, {QUANTITY_DURATION, "0.2 s", 200},
		{QUANTITY_DURATION, "10 min", 600000}, {QUANTITY_DURATION, "1.5 h", 5400000},
		{QUANTITY_DURATION, "90 days", 7776000000}, {QUANTITY_DURATION, "1 d", 86400000},
		{QUANTITY_FREQUENCY, "59.7 Hz", 59700}, {QUANTITY_FREQUENCY, "50 mHz", 50},
		{QUANTITY_EFFICIENCY, "17.5 J/TH", 17500}, {QUANTITY_PERCENT, "5 %", 500}, {QUANTITY_PERCENT, "0.25%", 25},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t value = -12345;
		if (quantity_parse(rows[i].quantity, rows[i].text, &value) != QUANTITY_FINE || value != rows[i].value)
			fail_msg("%s gave %lld", rows[i].text, (long long)value);
	}
}

static void what_is_no_quantity_is_refused(void **state)
{
	static const struct { enum quantity quantity; const char *text; enum quantity_fault fault; } rows[] = {
		{QUANTITY_POWER, "20", QUANTITY_NO_UNIT}, {QUANTITY_POWER, "20.5", QUANTITY_NO_UNIT},
		{QUANTITY_POWER, "20 mw", QUANTITY_WRONG_UNIT}, {QUANTITY_POWER, "20 mW", QUANTITY_WRONG_UNIT},
		{QUANTITY_POWER, "20 MWh", QUANTITY_WRONG_UNIT}, {QUANTITY_POWER, "20  MW", QUANTITY_WRONG_UNIT},
		{QUANTITY_POWER, "20 MW ", QUANTITY_WRONG_UNIT}, {QUANTITY_POWER, "20 ", QUANTITY_WRONG_UNIT},
		{QUANTITY_POWER, "1.2.3 W", QUANTITY_WRONG_UNIT}, {QUANTITY_POWER, "1e3 W", QUANTITY_WRONG_UNIT},
		{QUANTITY_POWER, "0x10 W", QUANTITY_WRONG_UNIT}, {QUANTITY_POWER, "1 000 W", QUANTITY_WRONG_UNIT},
		{QUANTITY_POWER, "", QUANTITY_NO_NUMBER}, {QUANTITY_POWER, "MW", QUANTITY_NO_NUMBER},
		{QUANTITY_POWER, "-", QUANTITY_NO_NUMBER}, {QUANTITY_POWER, "- 1 W", QUANTITY_NO_NUMBER},
		{QUANTITY_POWER, ".5 W", QUANTITY_NO_NUMBER}, {QUANTITY_POWER, "5. W", QUANTITY_NO_NUMBER},
		{QUANTITY_POWER, "+5 W", QUANTITY_NO_NUMBER}, {QUANTITY_POWER, "010 W", QUANTITY_NO_NUMBER},
		{QUANTITY_POWER, "nan W", QUANTITY_NO_NUMBER}, {QUANTITY_POWER, "inf W", QUANTITY_NO_NUMBER},
		{QUANTITY_POWER, "0.4 W", QUANTITY_TOO_FINE}, {QUANTITY_POWER, "-0.4 W", QUANTITY_TOO_FINE},
		{QUANTITY_POWER, "1000000000000000 W", QUANTITY_TOO_LONG},
		{QUANTITY_POWER, "9223372037 GW", QUANTITY_TOO_LONG}, {QUANTITY_POWER, "-9223372037 GW", QUANTITY_TOO_LONG},
		{QUANTITY_POWER, "0.0000000000000001 GW", QUANTITY_TOO_LONG},
		{QUANTITY_DURATION, "999999999999999 d", QUANTITY_TOO_LONG},
		{QUANTITY_RAMP, "2 MW", QUANTITY_WRONG_UNIT}, {QUANTITY_DURATION, "2 m", QUANTITY_WRONG_UNIT},
		{QUANTITY_FREQUENCY, "50 MHz", QUANTITY_WRONG_UNIT}, {QUANTITY_PERCENT, "0.5", QUANTITY_NO_UNIT},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t value = -12345;
		enum quantity_fault fault = quantity_parse(rows[i].quantity, rows[i].text, &value);
		if (fault != rows[i].fault || value != -12345)
			fail_msg("%s gave %d and %lld", rows[i].text, (int)fault, (long long)value);
	}
}

static void integers(void **state)
{
	static const struct { const char *text; bool fine; int64_t value; } rows[] = {
		{"0", true, 0}, {"502", true, 502}, {"-7", true, -7}, {"0x3012", true, 0x3012}, {"0xff", true, 255},
		{"9223372036854775807", true, INT64_MAX}, {"9223372036854775808", false, 0},
		{"0x10000000000000000", false, 0}, {"", false, 0}, {"-", false, 0}, {"0x", false, 0}, {"012", false, 0},
		{"1.0", false, 0}, {"1e3", false, 0}, {" 1", false, 0}, {"1 ", false, 0}, {"+1", false, 0}, {"--1", false, 0},
		{"-0x1", false, 0}, {"12a", false, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t value = -12345;
		bool fine = integer_parse(rows[i].text, &value);
		if (fine != rows[i].fine || value != (fine ? rows[i].value : -12345))
			fail_msg("%s gave %d and %lld", rows[i].text, fine, (long long)value);
	}
}

static void numbers(void **state)
{
	static const struct { const char *text; bool fine; double value; } rows[] = {
		{"1", true, 1}, {"0.1", true, 0.1}, {"-2.5", true, -2.5}, {"1e-3", true, 1e-3}, {"1.5E+2", true, 150},
		{"1e", false, 0}, {"1e+", false, 0}, {"e1", false, 0}, {"nan", false, 0}, {"inf", false, 0}, {"0x1p3", false, 0},
		{"1e999", false, 0}, {"1,5", false, 0}, {"", false, 0}, {"1 ", false, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		double value = -12345;
		bool fine = number_parse(rows[i].text, &value);
		double want = fine ? rows[i].value : -12345;
		if (fine != rows[i].fine || value < want || value > want)
			fail_msg("%s gave %d and %g", rows[i].text, fine, value);
	}
}

/* "a b c" of what TEXT stands for, or "! why". */
static void assert_hosts(const char *text, size_t most, const char *want)
{
	struct arena *memory = arena_new();
	const char **hosts, *why, *got = "";
	size_t n = hostlist_expand(memory, text, most, &hosts, &why);
	for (size_t i = 0; i < n; i++)
		got = arena_format(memory, "%s%s%s", got, i ? " " : "", hosts[i]);
	if (n == 0)
		got = arena_format(memory, "! %s", why);
	assert_string_equal(got, want);
	arena_free(memory);
}

static void hostlists_are_spelt_out_in_order(void **state)
{
	(void)state;
	assert_hosts("10.0.0.1", 1, "10.0.0.1");
	assert_hosts("10.0.0.[9-11]", 10, "10.0.0.9 10.0.0.10 10.0.0.11");
	assert_hosts("10.0.[0-1].[1-2]", 10, "10.0.0.1 10.0.0.2 10.0.1.1 10.0.1.2");
	assert_hosts("pdu-[008-011].example", 10, "pdu-008.example pdu-009.example pdu-010.example pdu-011.example");
	assert_hosts("r[1,3-4,07]x", 10, "r1x r3x r4x r07x");
	assert_hosts("r[1-2][3-4]", 4, "r13 r14 r23 r24");
	assert_hosts("[1-2]-[3-4]", 4, "1-3 1-4 2-3 2-4");
	assert_hosts("n[0-2]", 3, "n0 n1 n2");
	assert_hosts("n[00-02]", 3, "n00 n01 n02");
	assert_hosts("n[98-101]", 9, "n98 n99 n100 n101");
	assert_hosts("/dev/ttyUSB[0-1]", 9, "/dev/ttyUSB0 /dev/ttyUSB1");
	assert_hosts("a[1][1][1][1][1][1][1][1][1][1][1][1][1][1][1]b", 1, "a111111111111111b");
	assert_hosts("fe80::1%eth0", 1, "fe80::1%eth0");
}

static void hostlists_that_will_not_do(void **state)
{
	(void)state;
	const char *many = "! it stands for too many devices; all groups together may have 100000";
	assert_hosts("n[0-3]", 3, many);
	assert_hosts("n[0-1][0-1]", 3, many);
	assert_hosts("n", 0, many);
	assert_hosts("n[0-999999999]", 100000, many);
	assert_hosts("n[0-999999999][0-999999999][0-999999999][0-999999999][0-999999999][0-999999999]x", 100000, many);
	assert_hosts("n[0-9999999999]", 100000, "! a range wants a number behind the dash, such as [1-254]");
	assert_hosts("n[1-]", 9, "! a range wants a number behind the dash, such as [1-254]");
	assert_hosts("n[-1]", 9, "! a range wants numbers of at most 9 digits, such as [1-254]");
	assert_hosts("n[", 9, "! a range wants numbers of at most 9 digits, such as [1-254]");
	assert_hosts("n[1,]", 9, "! a range wants numbers of at most 9 digits, such as [1-254]");
	assert_hosts("n[2-1]", 9, "! a range wants the lower number first");
	assert_hosts("n[1-01]", 9, "! both ends of a zero-padded range want as many digits");
	assert_hosts("n[1-2", 9, "! a range is not closed, or holds more than numbers, dashes and commas");
	assert_hosts("n[1-2-3]", 9, "! a range is not closed, or holds more than numbers, dashes and commas");
	assert_hosts("n]", 9, "! a host has letters, digits and . _ : / % + - only");
	assert_hosts("a,b", 9, "! a host has letters, digits and . _ : / % + - only");
	assert_hosts("", 9, "! a host has at least one character");
	assert_hosts("-n", 9, "! a host does not begin with a dash");
	assert_hosts("10.0.0.[250-256]", 9, "! an address has four numbers of at most 255");
	assert_hosts("10.0.0", 9, "! an address has four numbers of at most 255");
	assert_hosts("10.0.0.1.2", 9, "! an address has four numbers of at most 255");
	assert_hosts("10.0.0.1.", 9, "! an address has four numbers of at most 255");
	assert_hosts("10.0.0.0001", 9, "! an address has four numbers of at most 255");
	assert_hosts("a[1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1]b", 9, "! there are too many ranges in it");
}

static void a_long_host(void **state)
{
	char text[400];
	(void)state;
	memset(text, 'x', sizeof text);
	text[253] = '\0';
	assert_hosts(text, 1, text);
	memcpy(text + 253, "y", 2);
	assert_hosts(text, 1, "! a host has at most 253 characters");
	memcpy(text + 244, "[100-101]", 10);            /* fits as written, and spelt out */
	struct arena *memory = arena_new();
	const char **hosts, *why;
	assert_int_equal(hostlist_expand(memory, text, 9, &hosts, &why), 2);
	assert_int_equal(strlen(hosts[1]), 247);
	arena_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities_become_the_unit_inside),
		cmocka_unit_test(what_is_no_quantity_is_refused),
		cmocka_unit_test(integers),
		cmocka_unit_test(numbers),
		cmocka_unit_test(hostlists_are_spelt_out_in_order),
		cmocka_unit_test(hostlists_that_will_not_do),
		cmocka_unit_test(a_long_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
