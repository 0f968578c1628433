/* Orders in what is remembered over a restart: a damaged one costs neither the others nor the rest, nor the rest them. */
#include <stdio.h>

#include "tests/kept_example.h"

/* With one place changed so many are left, and the rest of the file is read all the same. */
static void assert_left(const char *from, const char *to, size_t n, size_t n_newest, size_t n_targets, const char *because)
{
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200];
	kept_format(&kept, "pecos-1", &json);
	const char *at = strstr(json.text, "\"orders\":");
	at = at ? strstr(at, from) : NULL;
	if (!at)
		fail_msg("no %s in it", from);
	size_t size = json.len + strlen(to) + 1;
	char *text = calloc(size, 1);
	int len = snprintf(text, size, "%.*s%s%s", (int)(at - json.text), json.text, to, at + strlen(from));
	if (!kept_parse(text, (size_t)len, "pecos-1", &back, why, sizeof(why)))
		fail_msg("%s: %s", to, why);
	assert_int_equal(back.seq, 1234);
	assert_same_wear(&kept, &back);
	if (back.orders.n != n || back.orders.n_newest != n_newest || back.orders.n_targets != n_targets || !back.orders.fault || !strstr(back.orders.fault, because))
		fail_msg("%s: %zu orders, %zu newest, %zu targets, %s", to, back.orders.n, back.orders.n_newest,
		         back.orders.n_targets, back.orders.fault);
	assert_true(back.orders.n_lost > 0);
	kept_free(&back);
	json_free(&json);
	free(text);
}

static void damaged_orders_cost_no_more_than_themselves(void **unused)
{
	static const struct { const char *from, *to; size_t n, n_newest; const char *because; } rows[] = {
		{ "{\"alive\"", "{\"alife\"", 0, 2, "no list" },
		{ "\"newest\"", "\"newer\"", 2, 0, "no list" },
		{ "{\"alive\":[", "[7],\"o\":{\"alive\":[", 0, 0, "no list" },
		{ "\"alive\":[", "\"alive\":[7,", 2, 2, "no id" },
		{ "\"q:1\"", "\"q/1\"", 1, 2, "no id" },
		{ "\"q:1\"", "\"#\"", 1, 2, "no id" },
		{ "\"q:1\"", "null", 1, 2, "no id" },
		{ "\"q:1\"", "\"operator-7\"", 1, 2, "nobody's" },
		{ "\"signal\":null", "\"signal\":\"qse\"", 1, 2, "nobody's" },
		{ "\"signal\":null", "\"sign\":null", 1, 2, "nobody's" },
		{ "\"signal\":\"qse\"", "\"signal\":7", 1, 2, "nobody's" },
		{ "\"kind\":\"cap\"", "\"kind\":\"release\"", 1, 2, "neither cap" },
		{ "\"kind\":\"cap\"", "\"kind\":0", 1, 2, "neither cap" },
		{ "\"priority\":3", "\"priority\":-3", 1, 2, "no priority" },
		{ "\"begun\":true", "\"begun\":1", 1, 2, "begun" },
		{ "\"met\":true", "\"mat\":true", 1, 2, "met" },
		{ "\"watts\":700000", "\"watts\":-1", 1, 2, "cannot be" },
		{ "\"watts\":700000", "\"watts\":5000000001", 1, 2, "cannot be" },
		{ "\"watts\":700000", "\"watts\":0.5", 1, 2, "cannot be" },
		{ "\"watts\":700000", "\"watt\":700000", 1, 2, "lacks a figure" },
		{ "\"start_ms\":1795000900000", "\"start_ms\":0", 1, 2, "cannot be" },
		{ "\"end_ms\":1795000600000", "\"end_ms\":\"soon\"", 1, 2, "cannot be" },
		{ "\"end_ms\":1795000600000", "\"end_ms\":1e300", 1, 2, "cannot be" },
		{ "\"left_ms\":599000", "\"left_ms\":-1", 1, 2, "cannot be" },
		{ "\"energy_ws\":-77", "\"energy_ws\":-1e19", 1, 2, "cannot be" },
		{ "\"known_ms\":5000", "\"known_ms\":4e11", 1, 2, "cannot be" },
		{ "\"met_ms\":1795000004000", "\"met_ms\":253402300800000", 1, 2, "cannot be" },
		{ "[\"utility\",17]", "[\"utility\",-17]", 2, 1, "newest" },
		{ "[\"utility\",17]", "[\"utility\"]", 2, 1, "newest" },
		{ "[\"utility\",17]", "[7,17]", 2, 1, "newest" },
		{ "[\"utility\",17]", "{}", 2, 1, "newest" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_left(rows[i].from, rows[i].to, rows[i].n, rows[i].n_newest, strstr(rows[i].to, "[7],") ? 0 : 2, rows[i].because);
	(void)unused;
}

static void a_damaged_target_costs_no_more_than_itself(void **unused)
{
	static const struct { const char *from, *to; size_t n; const char *because; } rows[] = {
		{ "\"targets\":[", "\"targets\":7,\"t\":[", 0, "the targets are no list" },
		{ "\"targets\":[", "\"targets\":[7,", 2, "nobody's" },
		{ "{\"signal\":\"maestro\"", "{\"signal\":null", 1, "nobody's" },
		{ "\"stale\":false", "\"stale\":0", 1, "stale" },
		{ "\"share_ppm\":400000", "\"share_ppm\":1000001", 1, "cannot be" },
		{ "\"share_ppm\":400000", "\"share_ppm\":-1", 1, "cannot be" },
		{ "\"heard_ms\":1795000000300", "\"hard_ms\":1795000000300", 1, "lacks a figure" },
		{ "\"at_ms\":1795000000000", "\"at_ms\":1e300", 1, "cannot be" },
		{ "\"event\":{\"met\":true", "\"event\":{\"met\":1", 1, "met" },
		{ "\"event\":{\"met\":true,", "\"event\":7,\"e\":{", 1, "lacks a figure" },
		{ "\"limit_w\":4000000", "\"limit_w\":-4000000", 1, "cannot be" },
		{ "\"energy_ws\":55", "\"energy_ws\":0.5", 1, "cannot be" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_left(rows[i].from, rows[i].to, 2, 2, rows[i].n, rows[i].because);
	(void)unused;
}

static bool orders_alone(const char *from, const char *to)
{
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200];
	kept_format(&kept, "pecos-1", &json);
	const char *at = strstr(json.text, from);
	size_t size = json.len + strlen(to) + 1;
	char *text = calloc(size, 1);
	int len = snprintf(text, size, "%.*s%s%s", (int)(at - json.text), json.text, to, at + strlen(from));
	bool there = kept_parse_orders(text, (size_t)len, "pecos-1", &back, why, sizeof(why));
	if (there) {
		assert_same_orders(&kept.orders, &back.orders);
		assert_int_equal(back.seq, 0);
		assert_int_equal(back.n_groups, 0);
		kept_free(&back);
	}
	json_free(&json);
	free(text);
	return there;
}

static void orders_have_a_file_of_their_own(void **unused)
{
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200];
	kept_format_orders(&kept.orders, "pecos-1", &json);
	assert_ptr_equal(strstr(json.text, "{\"version\":1,\"site\":\"pecos-1\",\"orders\":{"), json.text);
	assert_true(kept_parse_orders(json.text, json.len, "pecos-1", &back, why, sizeof(why)));
	assert_same_orders(&kept.orders, &back.orders);
	kept_free(&back);
	assert_false(kept_parse_orders(json.text, json.len, "pecos-2", &back, why, sizeof(why)));
	assert_string_equal(why, "it is of the site pecos-1");
	assert_false(kept_parse_orders(json.text, json.len / 2, "pecos-1", &back, why, sizeof(why)));
	json_reset(&json);
	kept_format_orders(&(struct kept_orders){ .n = 0 }, "pecos-1", &json);
	assert_true(kept_parse_orders(json.text, json.len, "pecos-1", &back, why, sizeof(why)));
	assert_int_equal(back.orders.n, 0);
	assert_null(back.orders.fault);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

/* An earlier version wrote them with all else: damaged elsewhere it still tells what was ordered. */
static void orders_are_read_of_what_is_else_refused(void **unused)
{
	assert_true(orders_alone("\"decisions\":1234", "\"decisions\":-1"));
	assert_true(orders_alone("\"driver\":\"luxos\"", "\"driver\":null"));
	assert_true(orders_alone("\"miners\":[[", "\"miners\":{}, \"m\":[["));
	assert_false(orders_alone("\"version\":1", "\"version\":2"));
	assert_false(orders_alone("pecos-1", "pecos-2"));
	assert_false(orders_alone("\"groups\":[", "\"groups\":[["));
	(void)unused;
}

static void what_cannot_have_been_drawn_is_not_told(void **unused)
{
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200];
	kept.orders.alive[0].event.energy_ws = 2 * ORDER_MOST_W * 5;
	kept.orders.alive[0].event.max_w = ORDER_MOST_W + 1;    /* nor is that; the order is */
	kept_format(&kept, "pecos-1", &json);
	assert_true(kept_parse(json.text, json.len, "pecos-1", &back, why, sizeof(why)));
	assert_int_equal(back.orders.n, 2);
	assert_int_equal(back.orders.alive[0].event.known_ms, 0);
	assert_int_equal(back.orders.alive[0].event.energy_ws, 0);
	assert_int_equal(back.orders.alive[0].event.max_w, POLICY_NONE);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

static void more_orders_than_there_is_room_for_are_counted(void **unused)
{
	static struct kept_order many[ORDERS_LIVE + 3];
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200];
	for (int i = 0; i < ORDERS_LIVE + 3; i++)
		many[i] = kept.orders.alive[1];
	kept.orders.alive = many;
	kept.orders.n = ORDERS_LIVE + 3;
	kept_format(&kept, "pecos-1", &json);
	assert_true(kept_parse(json.text, json.len, "pecos-1", &back, why, sizeof(why)));
	assert_int_equal(back.orders.n, ORDERS_LIVE);
	assert_int_equal(back.orders.n_lost, 3);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_orders_cost_no_more_than_themselves),
		cmocka_unit_test(a_damaged_target_costs_no_more_than_itself),
		cmocka_unit_test(orders_have_a_file_of_their_own),
		cmocka_unit_test(orders_are_read_of_what_is_else_refused),
		cmocka_unit_test(what_cannot_have_been_drawn_is_not_told),
		cmocka_unit_test(more_orders_than_there_is_room_for_are_counted),
	};
	return cmocka_run_group_tests_name("kept_orders", tests, NULL, NULL);
}
