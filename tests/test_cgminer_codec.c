/* Replies of the CGMiner family: where they end, how they are read, what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/cgminer_codec.h"
#include "drivers/cgminer_scan.h"
#include "tests/miner_recording.h"

static enum cgminer_end end_of(const char *bytes, size_t n, size_t *used)
{
	struct cgminer_scan scan = { 0 };
	return cgminer_scan(&scan, bytes, n, used);
}

static void a_reply_ends_at_the_first_of_value_and_nul(void **state)
{
	static const struct { const char *bytes; size_t n; enum cgminer_end end; size_t used; } cases[] = {
		{ "{}", 2, END_VALUE, 2 },
		{ "{}\0", 3, END_VALUE, 2 },
		{ " \r\n{\"a\":[1,{}]}\n", 16, END_VALUE, 15 },
		{ "[[]]x", 5, END_VALUE, 4 },
		{ "{\"a\":\"}\"", 8, END_NOT_YET, 8 },
		{ "{\"a\":\"\\\"}\"}", 11, END_VALUE, 11 },
		{ "{\"a\":\"\\\\\"}!", 11, END_VALUE, 10 },
		{ "{\"a\":1", 6, END_NOT_YET, 6 },
		{ "{\"a\":1\0}", 8, END_NUL, 6 },
		{ "\0", 1, END_NUL, 0 },
		{ "STATUS=S,}]", 11, END_NOT_YET, 11 },
		{ "STATUS=S|\0", 10, END_NUL, 9 },
		{ ",\"id\":1}\0", 9, END_NUL, 8 },
		{ "}{}", 3, END_NOT_YET, 3 },
		{ "HTTP/1.1 400", 12, END_HTTP, 4 },
		{ "HTTP", 4, END_NOT_YET, 4 },
		{ "xHTTP/", 6, END_NOT_YET, 6 },
		{ "{\"error_code\":[\"329\":\"x\"]}", 26, END_VALUE, 26 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t used = 999;
		assert_int_equal(end_of(cases[i].bytes, cases[i].n, &used), cases[i].end);
		assert_int_equal(used, cases[i].used);
	}
}

static void a_reply_has_a_bound(void **state)
{
	struct cgminer_scan scan = { 0 };
	size_t used, n = 0;
	(void)state;
	while (cgminer_scan(&scan, "[", 1, &used) == END_NOT_YET)
		assert_true(++n <= CGMINER_MOST_BYTES);
	assert_int_equal(n, CGMINER_MOST_BYTES);
}

static const char *const all[] = {
	"luxos_poll", "luxos_poll_atm", "luxos_poll_asleep", "luxos_poll_ramping", "luxos_tables", "luxos_power",
	"luxos_config", "luxos_summary", "luxos_busy", "luxos_logon", "luxos_sleep", "luxos_expired", "cgminer_poll",
	"cgminer_summary", "cgminer_devs", "cgminer_privileged", "cgminer_denied", "cgminer_nan", "bmminer_stats",
	"bmminer_lcd", "btminer_trailing", "btminer_newline", "btminer_errors",
};
#define N_ALL (sizeof all / sizeof *all)

/* However TCP cuts the bytes, the end is found at the same place. */
static void the_end_does_not_depend_on_the_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ALL; i++) {
		struct recording r = recording(all[i]);
		size_t whole, first, second;
		assert_int_equal(end_of(r.text, r.len, &whole), END_VALUE);
		for (size_t at = 0; at < whole; at++) {
			struct cgminer_scan scan = { 0 };
			assert_int_equal(cgminer_scan(&scan, r.text, at, &first), END_NOT_YET);
			assert_int_equal(cgminer_scan(&scan, r.text + at, r.len - at, &second), END_VALUE);
			assert_int_equal(at + second, whole);
		}
		free(r.text);
	}
}

static char *repaired(const char *text)
{
	static char out[4096];
	assert_true(strlen(text) * 2 < sizeof out);
	cgminer_json_repair(text, strlen(text), out);
	return out;
}

static void repairs_touch_only_what_is_broken(void **state)
{
	(void)state;
	assert_string_equal(repaired("[{}{}]"), "[{},{}]");
	assert_string_equal(repaired("[{}\n {\"a\":\"}{\"}]"), "[{}\n ,{\"a\":\"}{\"}]");
	assert_string_equal(repaired("[,{\"a\":\"[,{\"}]"), "[{\"a\":\"[,{\"}]");
	assert_string_equal(repaired("{\"a\":1 , }"), "{\"a\":1  }");
	assert_string_equal(repaired("{\"a\":[1,],\"b\":\",}\"}"), "{\"a\":[1],\"b\":\",}\"}");
	assert_string_equal(repaired("{\"a\":\"b\"\"c\":1}"), "{\"a\":\"b\",\"c\":1}");
	assert_string_equal(repaired("{\"a\":\"\",\"b\":\"\\\"\"}"), "{\"a\":\"\",\"b\":\"\\\"\"}");
	assert_string_equal(repaired("[\"1\":\"x\",\"2\":\"y\"]"), "{\"1\":\"x\",\"2\":\"y\"}");
	assert_string_equal(repaired("[\"1\":[\"x\"],\"2\":[]]"), "{\"1\":[\"x\"],\"2\":[]}");
	assert_string_equal(repaired("[\"1\",\"2\"]"), "[\"1\",\"2\"]");
	assert_string_equal(repaired("{\"a\":nan,\"b\":-nan,\"c\":[inf,-inf ],\"d\":NaN}"),
	                    "{\"a\":null,\"b\":null,\"c\":[null,null ],\"d\":null}");
	assert_string_equal(repaired("{\"a\":\"nan\",\"inf\":info,\"b\":nano}"), "{\"a\":\"nan\",\"inf\":info,\"b\":nano}");
	assert_string_equal(repaired(",\"id\":1}"), "{\"id\":1}");
	assert_string_equal(repaired("{\"a\":1"), "{\"a\":1");
	assert_string_equal(repaired(""), "");
}

static void a_valid_text_is_not_changed_by_repair(void **state)
{
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct recording r = recording(all[i]);
		char *out = malloc(2 * r.len + 1);
		assert_int_equal(cgminer_json_repair(r.text, r.len, out), r.len);
		assert_string_equal(out, r.text);
		free(out);
		free(r.text);
	}
}

static cJSON *parsed(const char *name)
{
	struct recording r = recording(name);
	cJSON *tree = cgminer_json_parse(r.text);
	free(r.text);
	return tree;
}

static void malformed_replies_are_read(void **state)
{
	double value = 0;
	bool empty;
	(void)state;
	cJSON *tree = parsed("bmminer_stats");
	assert_true(cgminer_json_number(cJSON_GetObjectItem(tree, "STATS")->child->next, "GHS 5s", &value));
	assert_int_equal(value * 10, 135128);
	assert_string_equal(cgminer_json_text(cJSON_GetObjectItem(tree, "STATS")->child->next, "chain_acs6"), " oooo }{ oooo");
	cJSON_Delete(tree);
	tree = parsed("bmminer_lcd");
	assert_string_equal(cgminer_json_text(cgminer_section(tree, "POOLS", &empty), "Note"), "[,{");
	cJSON_Delete(tree);
	tree = parsed("btminer_trailing");
	assert_true(cgminer_json_number(cgminer_json_get(tree, "Msg"), "power", &value));
	assert_int_equal(value, 3400);
	assert_int_equal(cgminer_status(tree).letter, 'S');
	cJSON_Delete(tree);
	tree = parsed("btminer_newline");
	assert_true(cgminer_json_number(cgminer_section(tree, "SUMMARY", &empty), "Power", &value));
	assert_int_equal(value, 3417);
	cJSON_Delete(tree);
	tree = parsed("btminer_temp0");
	assert_true(cgminer_json_number(cgminer_section(tree, "DEVS", &empty), "temp0", &value));
	assert_int_equal(value * 10, 615);
	cJSON_Delete(tree);
	tree = parsed("btminer_errors");
	assert_string_equal(cgminer_json_text(cgminer_json_get(cgminer_json_get(tree, "Msg"), "error_code"), "111"),
	                    "2022-01-17 11:30:00");
	cJSON_Delete(tree);
	tree = parsed("joined_fragment");
	assert_non_null(cgminer_section(tree, "SUMMARY", &empty));
	cJSON_Delete(tree);
	assert_null(parsed("btminer_cut"));
}

static void what_is_no_json_stays_none(void **state)
{
	static const char *const texts[] = {
		"", "{", "}", "{\"a\":1", "{\"a\":1}}", "{\"a\":1} x", "STATUS=S,Code=11|", "{\"BYE\",\"id\":1}", "{\"a\":01x}",
		"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_null(cgminer_json_parse(texts[i]));
	cJSON *tree = cgminer_json_parse("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]");
	assert_non_null(tree);
	cJSON_Delete(tree);
}

static void numbers_are_read_with_tolerance_and_without_faith(void **state)
{
	double v = 7;
	bool b = false;
	(void)state;
	cJSON *o = cgminer_json_parse("{\"n\":1.5,\"s\":\"  5.0000 \",\"e\":\"\",\"i\":\"inf\",\"h\":\"0x10\",\"u\":\"58W\",\"x\":1e999,"
	                              "\"N\":2,\"t\":\"True\",\"f\":0,\"z\":null,\"m\":\"-2.5e1\",\"y\":\"1 2\",\"d\":\"1e999\"}");
	assert_true(cgminer_json_number(o, "n", &v) && v == 1.5);
	assert_true(cgminer_json_number(o, "s", &v) && v == 5);
	assert_true(cgminer_json_number(o, "N", &v) && v == 2);
	assert_true(cgminer_json_number(o, "m", &v) && v == -25);
	static const char *const none[] = { "e", "i", "h", "u", "x", "z", "y", "d", "t", "absent" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(cgminer_json_number(o, none[i], &v));
	assert_true(v == -25);
	assert_true(cgminer_json_bool(o, "t", &b) && b);
	assert_true(cgminer_json_bool(o, "f", &b) && !b);
	assert_false(cgminer_json_bool(o, "z", &b));
	assert_null(cgminer_json_get(NULL, "n"));
	cJSON_Delete(o);
}

static enum fault read_as_cgminer(const char *text, struct miner_reading *reading)
{
	struct cgminer_seen seen = { 0 };
	bool unjoinable;
	*reading = (struct miner_reading){ 0 };
	enum fault fault = cgminer_decode(text, &seen, &unjoinable);
	return fault == FAULT_NONE ? cgminer_judge(&seen, reading) : fault;
}

static void what_a_cgminer_says(void **state)
{
	static const struct { const char *name; enum fault fault; enum miner_state state; int32_t ghs; } cases[] = {
		{ "cgminer_poll", FAULT_NONE, MINER_HASHING, 14021 },
		{ "cgminer_poll_disabled", FAULT_NONE, MINER_ASLEEP, 2 },
		{ "cgminer_summary", FAULT_NONE, MINER_HASHING, 14021 },
		{ "cgminer_summary_empty", FAULT_NONE, MINER_ASLEEP, 0 },
		{ "cgminer_nan", FAULT_NONE, MINER_UNKNOWN, 0 },
		{ "cgminer_devs", FAULT_GARBLED, MINER_UNKNOWN, 0 },
		{ "cgminer_denied", FAULT_REFUSED, MINER_UNKNOWN, 0 },
		{ "cgminer_invalid", FAULT_REFUSED, MINER_UNKNOWN, 0 },
		{ "btminer_newline", FAULT_NONE, MINER_HASHING, 67000 },
		{ "btminer_cut", FAULT_GARBLED, MINER_UNKNOWN, 0 },
	};
	struct miner_reading reading;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct recording r = recording(cases[i].name);
		assert_int_equal(read_as_cgminer(r.text, &reading), cases[i].fault);
		assert_int_equal(reading.state, cases[i].state);
		assert_int_equal(reading.hashrate_ghs, cases[i].ghs);
		assert_false(reading.knows_power);
		free(r.text);
	}
}

static void rates_of_all_spellings(void **state)
{
	static const struct { const char *text; bool known; double ghs; } cases[] = {
		{ "{\"MHS av\":5000,\"MHS 20s\":7000}", true, 7 },
		{ "{\"MHS av\":5000}", true, 5 },
		{ "{\"GHS 30m\":9,\"GHS 5s\":\"15679.6\",\"GHS av\":2}", true, 15679.6 },
		{ "{\"THS 1m\":2,\"THS 15m\":3}", true, 2000 },
		{ "{\"MHS 5s\":null,\"MHS 1m\":4000}", true, 4 },
		{ "{\"MHS\":1,\"MHS 5x\":1,\"XHS 5s\":1}", false, -1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double ghs = -1;
		cJSON *tree = cgminer_json_parse(cases[i].text);
		assert_int_equal(cgminer_rate_ghs(tree, &ghs), cases[i].known);
		assert_true(ghs > cases[i].ghs - 1e-6 && ghs < cases[i].ghs + 1e-6);
		cJSON_Delete(tree);
	}
}

static void impossible_rates_are_absurd(void **state)
{
	struct miner_reading reading;
	(void)state;
	assert_int_equal(read_as_cgminer("{\"SUMMARY\":[{\"GHS 5s\":-1}]}", &reading), FAULT_ABSURD);
	assert_int_equal(read_as_cgminer("{\"SUMMARY\":[{\"GHS 5s\":1e12}]}", &reading), FAULT_ABSURD);
	assert_int_equal(read_as_cgminer("{\"SUMMARY\":[{\"GHS 5s\":0}]}", &reading), FAULT_NONE);
	assert_int_equal(reading.state, MINER_RAMPING);
}

static void devices_are_listed(void **state)
{
	struct cgminer_seen seen = { 0 };
	bool unjoinable = true;
	(void)state;
	assert_int_equal(cgminer_decode("{\"STATUS\":[{\"STATUS\":\"S\"}],\"DEVS\":[{\"ASC\":2,\"Enabled\":\"Y\"},"
	                                "{\"PGA\":0,\"Enabled\":\"N\"},{\"GPU\":1},{\"ASC\":-1},7]}", &seen, &unjoinable), FAULT_NONE);
	assert_false(unjoinable);
	assert_int_equal(seen.n_devices, 2);
	assert_true(!seen.devices[0].pga && seen.devices[0].id == 2 && seen.devices[0].enabled);
	assert_true(seen.devices[1].pga && seen.devices[1].id == 0 && !seen.devices[1].enabled);
	char many[4096] = "{\"DEVS\":[";
	for (int i = 0; i < 60; i++)
		snprintf(many + strlen(many), sizeof many - strlen(many), "%s{\"ASC\":%d}", i ? "," : "", i);
	strcat(many, "]}");
	assert_int_equal(cgminer_decode(many, &seen, &unjoinable), FAULT_NONE);
	assert_int_equal(seen.n_devices, CGMINER_MOST_DEVICES);
}

/* Whatever is cut off a reply, what is left is no reading. */
static void a_cut_reply_says_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ALL; i++) {
		struct recording r = recording(all[i]);
		struct miner_reading reading;
		size_t whole = strlen(r.text);
		while (whole > 0 && r.text[whole - 1] == '\n')
			whole--;
		for (size_t n = 0; n < whole; n++) {
			char *cut = calloc(1, n + 1);
			memcpy(cut, r.text, n);
			assert_int_not_equal(read_as_cgminer(cut, &reading), FAULT_NONE);
			free(cut);
		}
		free(r.text);
	}
}

static void recorded_antminers_are_read(void **state)
{
	struct miner_reading reading;
	(void)state;
	struct recording r = shared_recording("antminer-stock-s19pro/summary.json");
	if (!r.text)
		return;
	assert_int_equal(read_as_cgminer(r.text, &reading), FAULT_NONE);
	assert_int_equal(reading.state, MINER_HASHING);
	assert_int_equal(reading.hashrate_ghs, 110567);
	free(r.text);
	r = shared_recording("antminer-stock-s19pro/devs.json");
	struct cgminer_seen seen = { 0 };
	bool unjoinable;
	assert_int_equal(cgminer_decode(r.text, &seen, &unjoinable), FAULT_NONE);
	assert_int_equal(seen.n_devices, 1);
	free(r.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_ends_at_the_first_of_value_and_nul),
		cmocka_unit_test(a_reply_has_a_bound),
		cmocka_unit_test(the_end_does_not_depend_on_the_pieces),
		cmocka_unit_test(repairs_touch_only_what_is_broken),
		cmocka_unit_test(a_valid_text_is_not_changed_by_repair),
		cmocka_unit_test(malformed_replies_are_read),
		cmocka_unit_test(what_is_no_json_stays_none),
		cmocka_unit_test(numbers_are_read_with_tolerance_and_without_faith),
		cmocka_unit_test(what_a_cgminer_says),
		cmocka_unit_test(rates_of_all_spellings),
		cmocka_unit_test(impossible_rates_are_absurd),
		cmocka_unit_test(devices_are_listed),
		cmocka_unit_test(a_cut_reply_says_nothing),
		cmocka_unit_test(recorded_antminers_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
