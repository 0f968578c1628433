/* What orders and target messages may say, and all the ways in which they may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/json_strict.h"
#include "daemon/signal_json.h"

#define ISSUED "\"issued\":\"2026-11-22T05:04:03.021Z\""
#define END "\"end\":\"2026-11-22T06:00:00Z\""
#define ISSUED_MS 1795323843021LL
#define END_MS 1795327200000LL

static struct order good(const char *text)
{
	struct order order;
	struct signal_fault fault;
	if (!signal_order_parse(text, strlen(text), &order, &fault))
		fail_msg("%s: %s", text, fault.why);
	return order;
}

static void test_cap(void **state)
{
	struct order order = good("{\"id\": \"qse-0123\", \"kind\": \"cap\", \"limit_w\": 12000000, " ISSUED
	                          ", \"start\": \"2026-11-22T00:30:00-05:00\", " END ", \"priority\": 7, \"note\": [{}, 1e5]}");
	(void)state;
	assert_string_equal(order.id, "qse-0123");
	assert_int_equal(order.kind, ORDER_CAP);
	assert_int_equal(order.watts, 12000000);
	assert_int_equal(order.issued_ms, ISSUED_MS);
	assert_int_equal(order.start_ms, 1795325400000LL);
	assert_int_equal(order.end_ms, END_MS);
	assert_int_equal(order.priority, 7);
	assert_false(order.by_operator || order.begun || order.cancelled);
}

static void test_other_kinds(void **state)
{
	(void)state;
	struct order order = good("{\"id\":\"a\",\"kind\":\"setpoint\",\"setpoint_w\":5e6,\"ramp_w_per_min\":250000.9,\"start\":null," ISSUED "," END "}");
	assert_int_equal(order.kind, ORDER_SETPOINT);
	assert_int_equal(order.watts, 5000000);
	assert_int_equal(order.ramp_w_per_min, 250000);
	assert_int_equal(order.start_ms, 0);
	order = good("{\"id\":\"a\",\"kind\":\"shed\"," ISSUED "," END "}");
	assert_int_equal(order.kind, ORDER_SHED);
	assert_int_equal(order.watts, 0);
	order = good("{\"id\":\"a\",\"kind\":\"shed\",\"keep_w\":5000000000," ISSUED "," END "}");
	assert_int_equal(order.watts, ORDER_MOST_W);
	order = good("{\"id\":\"a\",\"kind\":\"release\",\"releases\":null," ISSUED "}");
	assert_int_equal(order.kind, ORDER_RELEASE);
	assert_string_equal(order.releases, "");
	order = good("{\"id\":\"A.b:c_d-9\",\"kind\":\"release\",\"releases\":\"q:1\"," ISSUED "}");
	assert_string_equal(order.releases, "q:1");
	assert_string_equal(order.id, "A.b:c_d-9");
	order = good(" \t\r\n{\"id\":\"\\u0061\",\"kind\":\"cap\",\"limit_w\":0,\"n\\u00e9\":\"\xc3\xa9\xf0\x9f\x98\x80\"," ISSUED "," END "}\n");
	assert_string_equal(order.id, "a");
}

#define TAIL ISSUED "," END "}"
static const struct { const char *text, *why; } bad_orders[] = {
	{ "", "not JSON" },
	{ "garbage", "not JSON" },
	{ "12", "not a JSON object" },
	{ "[]", "not a JSON object" },
	{ "null", "not a JSON object" },
	{ "{", "not JSON: no name" },
	{ "{}", "id is missing" },
	{ "{}{}", "something follows" },
	{ "{\"id\":\"a\"} x", "something follows" },
	{ "\xef\xbb\xbf{}", "not JSON" },
	{ "{\"id\":\"a\",}", "no name" },
	{ "{\"id\" \"a\"}", "no colon" },
	{ "{\"id\":\"a\" \"kind\":1}", "bracket or comma" },
	{ "{\"x\":[1,2}", "bracket or comma" },
	{ "{\"x\":[1,]}", "not JSON" },
	{ "{\"id\":'a'}", "not JSON" },
	{ "{/**/}", "no name" },
	{ "{\"id\":\"a\nb\"}", "control character" },
	{ "{\"id\":\"a\\u0000b\"}", "NUL" },
	{ "{\"id\":\"a\\x\"}", "no such escape" },
	{ "{\"id\":\"\\u00g0\"}", "no such escape" },
	{ "{\"id\":\"a", "string without its end" },
	{ "{\"x\":\"\xff\"}", "not UTF-8" },
	{ "{\"x\":\"\xc0\xaf\"}", "not UTF-8" },
	{ "{\"x\":\"\xed\xa0\x80\"}", "not UTF-8" },
	{ "{\"x\":\"\xf4\x90\x80\x80\"}", "not UTF-8" },
	{ "{\"x\":\"\xc3\"}", "not UTF-8" },
	{ "{\"x\":01}", "bracket or comma" },
	{ "{\"x\":1.}", "decimal point" },
	{ "{\"x\":.5}", "not JSON" },
	{ "{\"x\":+1}", "not JSON" },
	{ "{\"x\":-}", "not JSON" },
	{ "{\"x\":1e}", "exponent" },
	{ "{\"x\":NaN}", "not JSON" },
	{ "{\"x\":Infinity}", "not JSON" },
	{ "{\"x\":0x10}", "bracket or comma" },
	{ "{\"x\":truE}", "not JSON" },
	{ "{\"id\":7,\"kind\":\"cap\",\"limit_w\":1," TAIL, "id is not a string" },
	{ "{\"id\":\"\",\"kind\":\"cap\",\"limit_w\":1," TAIL, "id must be" },
	{ "{\"id\":\"a/b\",\"kind\":\"cap\",\"limit_w\":1," TAIL, "id must be" },
	{ "{\"id\":\"a+\",\"kind\":\"cap\",\"limit_w\":1," TAIL, "id must be" },
	{ "{\"id\":\"#\",\"kind\":\"cap\",\"limit_w\":1," TAIL, "id must be" },
	{ "{\"id\":\"a b\",\"kind\":\"cap\",\"limit_w\":1," TAIL, "id must be" },
	{ "{\"id\":\"12345678901234567890123456789012345678901234567890123456789012345\",\"kind\":\"cap\",\"limit_w\":1," TAIL, "id must be" },
	{ "{\"id\":\"a\",\"id\":\"b\",\"kind\":\"cap\",\"limit_w\":1," TAIL, "id is there twice" },
	{ "{\"ID\":\"a\",\"kind\":\"cap\",\"limit_w\":1," TAIL, "id is missing" },
	{ "{\"id\":\"a\",\"limit_w\":1," TAIL, "kind is missing" },
	{ "{\"id\":\"a\",\"kind\":3,\"limit_w\":1," TAIL, "kind is not a string" },
	{ "{\"id\":\"a\",\"kind\":\"CAP\",\"limit_w\":1," TAIL, "no such kind \"CAP\"" },
	{ "{\"id\":\"a\",\"kind\":\"cap\"," TAIL, "limit_w is missing" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":null," TAIL, "limit_w is missing" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":\"5\"," TAIL, "limit_w is not a number" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":-1," TAIL, "limit_w is out of range" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":5000000001," TAIL, "limit_w is out of range" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":1e999," TAIL, "limit_w is not finite" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":1,\"limit_w\":2," TAIL, "limit_w is there twice" },
	{ "{\"id\":\"a\",\"kind\":\"setpoint\",\"limit_w\":1," TAIL, "setpoint_w is missing" },
	{ "{\"id\":\"a\",\"kind\":\"setpoint\",\"setpoint_w\":1,\"ramp_w_per_min\":-5," TAIL, "ramp_w_per_min is out of range" },
	{ "{\"id\":\"a\",\"kind\":\"shed\",\"keep_w\":true," TAIL, "keep_w is not a number" },
	{ "{\"id\":\"a\",\"kind\":\"release\",\"releases\":5," TAIL, "releases is not a string" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":1," END "}", "issued is missing" },
	{ "{\"id\":\"a\",\"kind\":\"release\"}", "issued is missing" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":1," ISSUED "}", "end is missing" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":1795323843," END "}", "issued is not a string" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"today\"," END "}", "issued is not a time" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":1,\"start\":\"2026-13-01T00:00:00Z\"," TAIL, "start is not a time" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":1,\"priority\":0.5," TAIL, "priority is not a whole number" },
	{ "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":1,\"priority\":2147483648," TAIL, "priority is out of range" },
};

static void test_malformed_orders(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_orders) / sizeof(bad_orders[0]); i++) {
		struct order order = { .watts = 77 };
		struct signal_fault fault;
		char *exact = malloc(strlen(bad_orders[i].text) + 1);   /* so that reading on is noticed */
		memcpy(exact, bad_orders[i].text, strlen(bad_orders[i].text));
		if (signal_order_parse(exact, strlen(bad_orders[i].text), &order, &fault) || !strstr(fault.why, bad_orders[i].why))
			fail_msg("%s: %s, not %s", bad_orders[i].text, fault.why, bad_orders[i].why);
		assert_int_equal(order.watts, 77);
		free(exact);
	}
}

static void test_the_id_is_told(void **state)
{
	struct order order;
	struct signal_fault fault;
	const char *text = "{\"id\":\"a1\",\"kind\":\"cap\",\"limit_w\":-1," TAIL;
	(void)state;
	assert_false(signal_order_parse(text, strlen(text), &order, &fault));
	assert_string_equal(fault.id, "a1");
	text = "{\"id\":\"a/1\"}";
	assert_false(signal_order_parse(text, strlen(text), &order, &fault));
	assert_string_equal(fault.id, "");
}

static bool nested(int depth, char open, char close)
{
	char text[600];
	struct order order;
	struct signal_fault fault;
	int n = snprintf(text, sizeof(text), "{\"id\":\"a\",\"kind\":\"shed\"," ISSUED "," END ",\"x\":");
	for (int i = 1; i < depth; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, open == '{' ? "{\"y\":" : "[");
	text[n++] = '1';
	for (int i = 1; i < depth; i++)
		text[n++] = close;
	text[n++] = '}';
	bool parsed = signal_order_parse(text, (size_t)n, &order, &fault);
	assert_true(parsed || strcmp(fault.why, "nested too deep") == 0);
	return parsed;
}

static void test_bounds(void **state)
{
	static char text[SIGNAL_MOST_BYTES + 2];
	struct order order;
	struct signal_fault fault;
	(void)state;
	assert_true(nested(16, '[', ']') && nested(16, '{', '}'));
	assert_false(nested(17, '[', ']') || nested(17, '{', '}'));
	memset(text, ' ', sizeof(text));
	int n = snprintf(text, sizeof(text), "{\"id\":\"a\",\"kind\":\"shed\"," TAIL);
	text[n] = ' ';
	assert_true(signal_order_parse(text, SIGNAL_MOST_BYTES, &order, &fault));
	assert_false(signal_order_parse(text, SIGNAL_MOST_BYTES + 1, &order, &fault));
	assert_string_equal(fault.why, "65537 bytes are more than 65536");
	memset(text, '[', sizeof(text));
	assert_false(signal_order_parse(text, SIGNAL_MOST_BYTES, &order, &fault));
	assert_string_equal(fault.why, "nested too deep");
	assert_non_null(json_strict_fault("[[1]]", 5, 1));
	assert_null(json_strict_fault("[[1],{},[]]", 11, 2));
	assert_null(json_strict_fault("-0.5e+10", 8, 0));
	assert_null(json_strict_fault("\"\"", 2, 0));
}

static void test_targets(void **state)
{
	static const struct { const char *text; int32_t share_ppm; int64_t at_ms; } cases[] = {
		{ "{\"target\": 0, \"timestamp\": 1778539005}", 0, 1778539005000 },
		{ "{\"target\": 100, \"timestamp\": 1778539005.25}", 1000000, 1778539005250 },
		{ "{\"target\": 12.5, \"timestamp\": 1, \"x\": null}", 125000, 1000 },
		{ "{\"target\": 1.13, \"timestamp\": 1}", 11300, 1000 },        /* which no double is */
	};
	static const struct { const char *text, *why; } bad[] = {
		{ "{\"target\": \"0\", \"timestamp\": 1}", "target is not a number" },
		{ "{\"target\": 0}", "timestamp is missing" },
		{ "{\"timestamp\": 0}", "target is missing" },
		{ "{\"target\": 100.01, \"timestamp\": 1}", "target is out of range" },
		{ "{\"target\": -0.1, \"timestamp\": 1}", "target is out of range" },
		{ "{\"target\": 1e400, \"timestamp\": 1}", "target is not finite" },
		{ "{\"target\": true, \"timestamp\": 1}", "target is not a number" },
		{ "{\"target\": 1, \"timestamp\": \"1\"}", "timestamp is not a number" },
		{ "{\"target\": 1, \"timestamp\": 1778539005000}", "timestamp is out of range" },
		{ "{\"target\": 1, \"target\": 2, \"timestamp\": 1}", "target is there twice" },
	};
	struct target_message message;
	struct signal_fault fault;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(signal_target_parse(cases[i].text, strlen(cases[i].text), &message, &fault));
		assert_int_equal(message.share_ppm, cases[i].share_ppm);
		assert_int_equal(message.at_ms, cases[i].at_ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(signal_target_parse(bad[i].text, strlen(bad[i].text), &message, &fault));
		assert_non_null(strstr(fault.why, bad[i].why));
	}
}

static void test_times(void **state)
{
	static const struct { const char *text; int64_t ms; } cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "2026-11-22T05:04:03.021Z", ISSUED_MS },
		{ "2026-11-22t05:04:03.0219999999999z", ISSUED_MS },
		{ "2026-11-22 05:04:03.5-00:30", 1795325643500 },
		{ "2000-02-29T23:59:59Z", 951868799000 },
		{ "2100-02-28T00:00:00Z", 4107456000000 },
		{ "2016-12-31T23:59:60Z", 1483228800000 },
		{ "9999-12-31T23:59:59.999Z", 253402300799999 },
	};
	static const char *const bad[] = {
		"", "2026", "2026-11-22", "2026-11-22T05:04:03", "2026-11-22T05:04Z", "2026-11-22T05:04:03.Z", "2026-11-22T05:04:03+1:00",
		"2026-11-22T05:04:03+0100", "2026-11-22T24:00:00Z", "2026-11-22T05:60:00Z", "2026-11-22T05:04:61Z", "2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01", "2026-11-22T05:04:03Z ", "2026-11-22T05:04:03+24:00", "2026-11-22T05:04:03+01:60",
		"2026-11-22X05:04:03Z", "2026/11/22T05:04:03Z", "2026-11-22T05-04-03Z", "-026-11-22T05:04:03Z", "2026-11-22T05:04:03.021ZZ",
	};
	int64_t ms;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(rfc3339_parse(cases[i].text, &ms));
		assert_int_equal(ms, cases[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (rfc3339_parse(bad[i], &ms))
			fail_msg("%s", bad[i]);
}

/* The examples of the reference, where they are at hand. */
static void test_examples(void **state)
{
	static const struct { const char *file; int32_t share_ppm; } cases[] = {
		{ "target_on.json", 1000000 }, { "target_off.json", 0 }, { "bad_target_50.json", 500000 },     /* we take shares */
		{ "bad_string_target.json", -1 }, { "bad_missing_timestamp.json", -1 }, { "bad_future_48h.json", 0 },
	};
	const char *shared = getenv("MULLET_SHARED") ? getenv("MULLET_SHARED") : "../shared";
	char path[400], text[1000];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target_message message = { .share_ppm = -1 };
		struct signal_fault fault;
		snprintf(path, sizeof(path), "%s/examples/maestro_target/%s", shared, cases[i].file);
		FILE *file = fopen(path, "r");
		if (!file) {
			print_message("skipped: no %s\n", path);
			skip();
		}
		size_t n = fread(text, 1, sizeof(text), file);
		fclose(file);
		assert_int_equal(signal_target_parse(text, n, &message, &fault), cases[i].share_ppm >= 0);
		assert_int_equal(message.share_ppm, cases[i].share_ppm);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_malformed_orders),
		cmocka_unit_test(test_the_id_is_told),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_examples),
	};
	return cmocka_run_group_tests_name("signal_json", tests, NULL, NULL);
}
