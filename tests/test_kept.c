/* What is remembered over a restart, as text: what is written is read, and nothing else is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/kept_example.h"

static void assert_same_quantity(const struct policy_quantity *a, const struct policy_quantity *b)
{
	assert_true(a->mean == b->mean);
	assert_true(a->variance == b->variance);
	assert_int_equal(a->n, b->n);
}

static void assert_same_actuator(const struct policy_actuator *a, const struct policy_actuator *b)
{
	assert_same_quantity(&a->by_site.begin_ms, &b->by_site.begin_ms);
	assert_same_quantity(&a->by_site.end_ms, &b->by_site.end_ms);
	assert_same_quantity(&a->by_polls.begin_ms, &b->by_polls.begin_ms);
	assert_same_quantity(&a->by_polls.end_ms, &b->by_polls.end_ms);
	assert_same_quantity(&a->works, &b->works);
	assert_same_quantity(&a->watts, &b->watts);
	assert_same_quantity(&a->least, &b->least);
}

static void assert_same_shown(const struct kept *a, const struct kept *b)
{
	assert_int_equal(a->shown_utc_ms, b->shown_utc_ms);
	assert_memory_equal(a->shown.peaks_w, b->shown.peaks_w, sizeof(a->shown.peaks_w));
	assert_int_equal(a->shown.n_peak_slots, b->shown.n_peak_slots);
	assert_int_equal(a->shown.n_below_slots, b->shown.n_below_slots);
	assert_memory_equal(a->shown.missed_w, b->shown.missed_w, sizeof(a->shown.missed_w));
	for (size_t h = 0; h < POLICY_HOLDS; h++)
		for (size_t r = 0; r < POLICY_RISES; r++) {
			assert_int_equal(a->shown.rises[h][r].w, b->shown.rises[h][r].w);
			assert_true(a->shown.rises[h][r].often == b->shown.rises[h][r].often);
		}
}

static void what_is_written_is_read(void **unused)
{
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200] = "";
	kept_format(&kept, "pecos-1", &json);
	if (!kept_parse(json.text, json.len, "pecos-1", &back, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(back.seq, 1234);
	assert_int_equal(back.seq_reserved, 2234);
	assert_int_equal(back.n_commands, 99999);
	assert_true(back.energy.site_wh == 1e9 + 0.5 && back.energy.hpc_wh == 12345678.9 && back.energy.miners_wh == 0.1);
	assert_int_equal(back.n_groups, 2);
	for (size_t g = 0; g < 2; g++) {
		assert_true(kept_same_group(&kept.groups[g], &back.groups[g]));
		assert_true(kept.groups[g].firmware == back.groups[g].firmware);
		assert_same_actuator(&kept.groups[g].down, &back.groups[g].down);
		assert_same_actuator(&kept.groups[g].up, &back.groups[g].up);
		assert_int_equal(back.groups[g].partial, g == 0);
		assert_same_actuator(&kept.groups[g].power, &back.groups[g].power);
	}
	assert_false(kept_same_group(&kept.groups[0], &back.groups[1]));
	assert_true(kept_same_power(&kept.groups[0], &back.groups[0]));
	assert_false(kept_same_power(&kept.groups[1], &back.groups[1]));
	assert_same_wear(&kept, &back);
	assert_same_shown(&kept, &back);
	assert_same_orders(&kept.orders, &back.orders);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

/* Earlier daemons counted on, and refused the whole file when they read it back. */
static void a_count_beyond_any_other_is_the_most(void **unused)
{
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200] = "";
	kept.groups[0].up.watts.n = 4000000000u;
	kept_format(&kept, "pecos-1", &json);
	if (!kept_parse(json.text, json.len, "pecos-1", &back, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(back.groups[0].up.watts.n, POLICY_QUANTITY_MOST);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

/* A miner is worn a second longer rather than shorter, and has settled shorter rather than longer. */
static void wear_is_rounded_to_the_safe_side(void **unused)
{
	struct kept_miner miner = { "m", 0, 7, 1, 1999, .owned = false };
	struct kept_wear wear = { "hall", { 0 }, 0, &miner, 1 };
	struct kept kept = { .wear = &wear, .n_wear = 1 }, back;
	struct json json = { 0 };
	char why[200];
	kept_format(&kept, "t", &json);
	assert_non_null(strstr(json.text, "\"wear\":{\"utc_ms\":0,\"groups\":[{\"name\":\"hall\",\"sleeps_by_hour\":[],"
	                                  "\"miners\":[[\"m\",null,7,1,1]]}]}"));
	miner.worn_ms = INT64_MAX / 2;          /* more than anybody would believe */
	json_reset(&json);
	kept_format(&kept, "t", &json);
	assert_true(kept_parse(json.text, json.len, "t", &back, why, sizeof(why)));
	assert_int_equal(back.wear[0].miners[0].worn_ms, 366LL * 24 * 3600 * 1000);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

/* Earlier daemons did not keep how long the load's peak had stood. */
static void a_peak_that_nothing_tells_the_age_of_is_new(void **unused)
{
	static const char key[] = "\"below_slots\":7200,";
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200] = "";
	kept.shown.n_below_slots = UINT32_MAX;
	kept_format(&kept, "pecos-1", &json);
	assert_true(kept_parse(json.text, json.len, "pecos-1", &back, why, sizeof(why)));
	assert_int_equal(back.shown.n_below_slots, 1000000);    /* days ago */
	kept_free(&back);
	kept.shown.n_below_slots = 7200;
	json_reset(&json);
	kept_format(&kept, "pecos-1", &json);
	char *at = strstr(json.text, key), *after = at + strlen(key);
	memmove(at, after, strlen(after) + 1);
	assert_true(kept_parse(json.text, strlen(json.text), "pecos-1", &back, why, sizeof(why)));
	assert_int_equal(back.shown.n_below_slots, 0);
	assert_int_equal(back.shown.n_peak_slots, 2399);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

static void a_file_without_wear_load_and_orders_is_whole(void **unused)
{
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200];
	kept.wear = NULL;
	kept.shown_utc_ms = 0;
	kept.orders = (struct kept_orders){ .n = 0 };
	kept_format(&kept, "pecos-1", &json);
	assert_null(strstr(json.text, "orders\""));
	assert_null(strstr(json.text, "wear"));
	assert_null(strstr(json.text, "load"));
	assert_true(kept_parse(json.text, json.len, "pecos-1", &back, why, sizeof(why)));
	assert_null(back.wear);
	assert_int_equal(back.shown_utc_ms, 0);
	assert_int_equal(back.orders.n, 0);
	assert_null(back.orders.fault);
	assert_int_equal(back.n_groups, 2);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

/* 60 bytes a miner, and no more than a few ms of the loop for all of them. */
static void a_large_fleet_stays_small(void **unused)
{
	enum { MINERS = 30000 };
	static struct kept_miner miners[MINERS];
	static char hosts[MINERS][20];
	struct kept_wear wear = { "hall", { 0 }, SLEEP_HOURS, miners, MINERS };
	struct kept kept = { .wear = &wear, .n_wear = 1 }, back;
	struct json json = { 0 };
	char why[200];
	for (int i = 0; i < MINERS; i++) {
		snprintf(hosts[i], sizeof(hosts[i]), "10.%d.%d.%d", 100 + i / 10000, i / 100 % 100 + 100, i % 100 + 100);
		miners[i] = (struct kept_miner){ hosts[i], UINT64_MAX - (uint64_t)i, 10000, 86400000, 86400000, .owned = false };
	}
	kept_format(&kept, "t", &json);
	assert_in_range(json.len, MINERS * 40, MINERS * 60);
	assert_true(json.len * 10 < KEPT_BYTES);
	assert_true(kept_parse(json.text, json.len, "t", &back, why, sizeof(why)));
	assert_same_wear(&kept, &back);
	assert_same_shown(&kept, &back);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

static void a_group_is_its_words_and_its_times(void **unused)
{
	struct kept_group a = example().groups[0], b = a;
	assert_true(kept_same_group(&a, &b));
	b.firmware = 1;
	assert_true(kept_same_group(&a, &b));
	b.wake = NULL;
	assert_false(kept_same_group(&a, &b));
	b = a;
	b.driver = "cgminer";
	assert_false(kept_same_group(&a, &b));
	b = a;
	b.name = "hall-2";
	assert_false(kept_same_group(&a, &b));
	b = a;
	b.sleep.ramp_ms++;
	assert_false(kept_same_group(&a, &b));
	b = a;
	b.wakes.delay_ms++;
	assert_false(kept_same_group(&a, &b));
	b = a;
	b.powers.ramp_ms++;
	assert_true(kept_same_group(&a, &b));
	assert_false(kept_same_power(&a, &b));
	b = a;
	b.partial = false;
	assert_true(kept_same_group(&a, &b));
	assert_false(kept_same_power(&a, &b) || kept_same_power(&b, &a));
	(void)unused;
}

/* Nothing the law could come to makes a file that is not read again. */
static void no_number_is_written_that_is_none(void **unused)
{
	struct kept kept = example(), back;
	struct json json = { 0 };
	char why[200];
	kept.groups[0].down.works.mean = NAN;
	kept.groups[0].up.watts.variance = INFINITY;
	kept_format(&kept, "pecos-1", &json);
	assert_true(kept_parse(json.text, json.len, "pecos-1", &back, why, sizeof(why)));
	assert_int_equal(back.groups[0].down.works.n, 0);
	assert_int_equal(back.groups[0].up.watts.n, 0);
	assert_int_equal(back.groups[0].up.works.n, 40);
	kept_free(&back);
	json_free(&json);
	(void)unused;
}

static void assert_refused(const char *text, size_t len, const char *because)
{
	struct kept kept;
	char why[200] = "";
	assert_false(kept_parse(text, len, "pecos-1", &kept, why, sizeof(why)));
	assert_null(kept.tree);
	if (!*why || (because && !strstr(why, because)))
		fail_msg("refused with \"%s\", not \"%s\"", why, because);
}

static void a_damaged_text_is_refused(void **unused)
{
	struct kept kept = example();
	struct json json = { 0 };
	kept_format(&kept, "pecos-1", &json);
	for (size_t len = 0; len + 1 < json.len; len++)         /* the last byte ends the line */
		assert_refused(json.text, len, NULL);
	for (size_t at = 0; at < json.len; at++)                /* read, or refused; never anything else */
		for (int bit = 0; bit < 8; bit++) {
			struct kept back;
			char why[200];
			json.text[at] = (char)(json.text[at] ^ 1 << bit);
			if (kept_parse(json.text, json.len, "pecos-1", &back, why, sizeof(why)))
				kept_free(&back);
			json.text[at] = (char)(json.text[at] ^ 1 << bit);
		}
	assert_refused("[]", 2, "no object");
	assert_refused("null", 4, "no object");
	json_free(&json);
	(void)unused;
}

/* The text with one place changed. */
static void assert_change_refused(const char *from, const char *to, const char *because)
{
	struct kept kept = example();
	struct json json = { 0 };
	static char text[KEPT_BYTES];
	kept_format(&kept, "pecos-1", &json);
	const char *at = strstr(json.text, from);
	if (!at)
		fail_msg("no %s in it", from);
	int n = snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - json.text), json.text, to, at + strlen(from));
	assert_refused(text, (size_t)n, because);
	json_free(&json);
}

static void what_is_foreign_or_absurd_is_refused(void **unused)
{
	static const struct { const char *from, *to, *because; } rows[] = {
		{ "\"version\":1", "\"version\":2", "version 2" },
		{ "\"version\":1", "\"version\":\"1\"", "version" },
		{ "pecos-1", "pecos-2", "the site pecos-2" },
		{ "\"site\":\"pecos-1\"", "\"site\":7", "site is no text" },
		{ "\"decisions\":1234", "\"decisions\":-1", "decisions" },
		{ "\"decisions\":1234", "\"decisions\":12.5", "decisions is no whole number" },
		{ "\"decisions\":1234", "\"decisions\":1e300", "decisions" },
		{ "\"decisions\":1234", "\"decisions\":9999", "below decisions" },
		{ "\"hpc\":12345678.9", "\"hpc\":null", "hpc" },
		{ "\"groups\":[", "\"groups\":7,\"g\":[", "groups" },
		{ "\"driver\":\"luxos\"", "\"driver\":null", "group hall-1: driver" },
		{ "\"waking\":\"fast\"", "\"waking\":1", "waking" },
		{ "fedcba9876543210", "fedcba987654321", "firmware" },
		{ "fedcba9876543210", "fedcba987654321g", "firmware" },
		{ "\"delay_ms\":1000", "\"delay_ms\":86400001", "delay_ms" },
		{ "\"by_site\":{", "\"by_sight\":{", "begin_ms is missing" },
		{ "\"mean\":333.333344", "\"mean\":-1", "mean" },
		{ "\"mean\":333.333344", "\"mean\":86400001", "mean" },
		{ "\"mean\":333.333344", "\"mean\":\"333\"", "mean" },
		{ "\"mean\":0.333333343", "\"mean\":1.01", "mean" },
		{ "\"variance\":3,", "\"variance\":-3,", "variance" },
		{ "\"power\":{", "\"power\":[],\"p\":{", "delay_ms" },
		{ "\"n\":4000000", "\"n\":4294967296", "n is no number" },
		{ "\"n\":4000000", "\"n\":0.5", "n is no whole number" },
		{ "\"wear\":{", "\"wear\":7,\"w\":{", "wear tells no groups" },
		{ "\"utc_ms\":1795000000123", "\"utc_ms\":-1", "utc_ms" },
		{ "\"sleeps_by_hour\":[5,0", "\"sleeps_by_hour\":[5,-1", "no number of miners" },
		{ "\"sleeps_by_hour\":[5,", "\"sleeps_by_hour\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,", "a day" },
		{ "{\"name\":\"hall-1\",\"sleeps", "{\"name\":1,\"sleeps", "has no name" },
		{ "\"miners\":[[", "\"miners\":{}, \"m\":[[", "miners is no list" },
		{ "[\"10.30.0.1\",", "[10.3,", "one of the miners" },
		{ "\"000000000000000a\"", "\"00000000000000a\"", "one of the miners" },
		{ "\"000000000000000a\"", "\"0000000000000x0a\"", "one of the miners" },
		{ "\"000000000000000a\"", "10", "one of the miners" },
		{ "4000000000,7200,540]", "4294967296,7200,540]", "one of the miners" },
		{ "4000000000,7200,540]", "1.5,7200,540]", "one of the miners" },
		{ "4000000000,7200,540]", "1,31622401,540]", "one of the miners" },
		{ "4000000000,7200,540]", "1,7200,-1]", "one of the miners" },
		{ "4000000000,7200,540]", "1,7200]", "one of the miners" },
		{ "4000000000,7200,540]", "1,7200,540,0]", "one of the miners" },
		{ "4000000000,7200,540]", "1,7200,540,\"p\",1]", "one of the miners" },
		{ "4000000000,7200,540]", "1,7200,540,null,true]", "one of the miners" },
		{ "4000000000,7200,540]", "1,7200,540,\"p\",true,1]", "one of the miners" },
		{ "\"load\":{", "\"load\":7,\"l\":{", "load tells no utc_ms" },
		{ "\"utc_ms\":1795000000456", "\"utc_ms\":0", "load tells no utc_ms" },
		{ "\"peak_slots\":2399", "\"peak_slots\":-1", "peak_slots" },
		{ "\"peak_slots\":2399", "\"peak_slots\":1000001", "peak_slots" },
		{ "\"below_slots\":7200", "\"below_slots\":null", "below_slots" },
		{ "\"below_slots\":7200", "\"below_slots\":1000001", "below_slots" },
		{ "[800000,", "[800000.5,", "peaks_w" },
		{ "[800000,", "[1000000000001,", "peaks_w" },
		{ "[800000,", "[1,800000,", "peaks_w" },
		{ "[0,7000]", "[0]", "missed_w" },
		{ "[0,7000]", "[0,-7000]", "missed_w" },
		{ "\"rises\":[", "\"rises\":[[],", "rises is no list" },
		{ "[2001,123.456]", "[0,123.456]", "one of the rises" },
		{ "[2001,123.456]", "[2001,-1]", "one of the rises" },
		{ "[2001,123.456]", "[2001,1000001]", "one of the rises" },
		{ "[2001,123.456]", "[2001]", "one of the rises" },
		{ "[2001,123.456]", "[2001,1,1]", "one of the rises" },
		{ "[2001,123.456]", "2001", "one of the rises" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_change_refused(rows[i].from, rows[i].to, rows[i].because);
	(void)unused;
}

static void more_groups_than_there_is_room_for_are_refused(void **unused)
{
	struct json json = { 0 };
	struct kept kept = example();
	kept.n_groups = KEPT_GROUPS;
	kept.wear = NULL;                       /* the groups are last, then */
	kept.shown_utc_ms = 0;
	kept.orders = (struct kept_orders){ .n = 0 };
	for (size_t g = 0; g < KEPT_GROUPS; g++)
		kept.groups[g] = kept.groups[0];
	kept_format(&kept, "pecos-1", &json);
	struct kept back;
	char why[200];
	assert_true(kept_parse(json.text, json.len, "pecos-1", &back, why, sizeof(why)));
	kept_free(&back);
	char *more = calloc(json.len + 16, 1);
	memcpy(more, json.text, json.len);
	memcpy(strstr(more, "]}\n"), ",{}]}\n", 7);
	assert_refused(more, strlen(more), "groups is no list");
	free(more);
	json_free(&json);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_count_beyond_any_other_is_the_most),
		cmocka_unit_test(wear_is_rounded_to_the_safe_side),
		cmocka_unit_test(a_peak_that_nothing_tells_the_age_of_is_new),
		cmocka_unit_test(a_file_without_wear_load_and_orders_is_whole),
		cmocka_unit_test(a_large_fleet_stays_small),
		cmocka_unit_test(a_group_is_its_words_and_its_times),
		cmocka_unit_test(no_number_is_written_that_is_none),
		cmocka_unit_test(a_damaged_text_is_refused),
		cmocka_unit_test(what_is_foreign_or_absurd_is_refused),
		cmocka_unit_test(more_groups_than_there_is_room_for_are_refused),
	};
	return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
