/* The block of settings and the rows that come of what was found. */
#include <stdlib.h>

#include "config/hostlist.h"
#include "config/settings.h"
#include "daemon/ctl_found.h"
#include "tests/discover_bench.h"

static void add(struct found *found, struct arena *arena, const char *hosts, struct miner_identity is)
{
	const char **spelt, *why;
	size_t n = hostlist_expand(arena, hosts, 10000, &spelt, &why);
	for (size_t i = 0; i < n; i++)
		found_add(found, found->n, spelt[i], FAULT_NONE, &is);
}

static char *block_of(const struct found *found, uint16_t port)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	found_print_block(out, found, port);
	fclose(out);
	return text;
}

/* The block in a minimal file; returns how many miners the file then has, all faults told. */
static size_t miners_of_file(const char *block)
{
	static const char head[] = "site: {name: x, cap: 20 MW}\nmeters:\n  main:\n    measures: site\n    driver: modbus\n"
	                           "    host: 10.20.0.5\n    registers:\n      power: {function: 4, address: 52, type: float32, unit: W}\n";
	static const char *const catalogue[] = { NULL };
	struct fault_list faults;
	char *file = NULL, line[500];
	int len = asprintf(&file, "%s%s", head, block);
	fault_list_init(&faults, "site.yaml");
	struct config *config = config_read_text("site.yaml", file, (size_t)len, catalogue, &faults);
	for (size_t i = 0; i < faults.n; i++) {
		fault_format(&faults, i, line, sizeof line);
		fprintf(stderr, "%s\n", line);
	}
	assert_int_equal(fault_list_count(&faults), 0);
	size_t n = 0;
	for (size_t g = 0; g < config->n_miners; g++)
		n += config->miners[g].n_hosts;
	config_free(config);
	fault_list_free(&faults);
	free(file);
	return n;
}

#define LUXOS(watts, ghs) { .firmware = FIRMWARE_LUXOS, .version = "2025.7", .model = "Antminer S21", .state = MINER_HASHING, \
	.knows_power = true, .knows_rate = true, .power_w = watts, .hashrate_ghs = ghs, .awake_w = 3400, .can_curtail = true }

static void the_block_groups_by_driver_and_model(void **state)
{
	static const char wanted[] =
		"miners:\n"
		"  s19k-pro:    # 3: Antminer S19k Pro, LuxOS 2025.4\n"
		"    # 3 of them told no curtail command: those can only be watched\n"
		"    driver: luxos\n"
		"    host:\n"
		"      - 10.31.0.1\n"
		"      - miner-[1-2].example\n"
		"    port: 4029\n"
		"    nominal: 2794 W        # by the profile of 3; none was seen awake\n"
		"  s21:    # 2033: Antminer S21, LuxOS 2025.7\n"
		"    driver: luxos\n"
		"    host:\n"
		"      - 10.30.[0-7].[1-254]\n"
		"      - 10.30.9.9\n"
		"    port: 4029\n"
		"    nominal: 3500 W        # median of 2033 awake\n"
		"    efficiency: 17.5 J/TH\n"
		"  # This firmware tells no watts: fill in the nominal of one, then take the # away. It is only watched;\n"
		"  # with steer: true its boards are disabled and enabled, which may or may not cut its power.\n"
		"  # s21-cgminer:    # 2: Antminer S21, Antminer 49\n"
		"  #   driver: cgminer\n"
		"  #   host: 10.32.0.[1-2]\n"
		"  #   port: 4029\n"
		"  #   nominal:\n"
		"  #   steer: false\n"
		"  # No driver yet:\n"
		"  # m60s:    # 2: M60S, WhatsMiner 2024\n"
		"  #   host: 10.33.0.[1-2]\n";
	struct arena *arena = arena_new();
	struct found found = { 0 };
	(void)state;
	add(&found, arena, "10.33.0.[1-2]", (struct miner_identity){ .firmware = FIRMWARE_WHATSMINER, .version = "2024", .model = "M60S" });
	add(&found, arena, "10.30.[0-7].[1-254]", (struct miner_identity)LUXOS(3500, 200000));
	add(&found, arena, "10.32.0.[1-2]", (struct miner_identity){ .firmware = FIRMWARE_ANTMINER, .version = "49", .model = "Antminer S21" });
	add(&found, arena, "10.30.9.9", (struct miner_identity)LUXOS(9000, 514286));
	add(&found, arena, "10.31.0.1", (struct miner_identity){ .firmware = FIRMWARE_LUXOS, .version = "2025.4",
		.model = "Antminer S19k Pro", .state = MINER_ASLEEP, .knows_power = true, .power_w = 25, .awake_w = 2794 });
	add(&found, arena, "miner-[1-2].example", (struct miner_identity){ .firmware = FIRMWARE_LUXOS, .version = "2025.4",
		.model = "Antminer S19k Pro", .awake_w = 2794 });
	found_add(&found, found.n, "10.33.0.9", FAULT_REFUSED, &(struct miner_identity){ 0 });
	char *block = block_of(&found, 4029);
	assert_string_equal(block, wanted);
	assert_int_equal(miners_of_file(block), 2036);
	free(block);
	found_free(&found);
	arena_free(arena);
}

static void a_block_with_nothing_to_steer_is_a_comment(void **state)
{
	struct arena *arena = arena_new();
	struct found found = { 0 };
	(void)state;
	add(&found, arena, "10.33.0.[1-2]", (struct miner_identity){ .firmware = FIRMWARE_UNKNOWN, .model = "???" });
	char *block = block_of(&found, 4028);
	assert_string_equal(block, "# miners:\n  # No driver yet:\n  # miners:    # 2: ???, unknown \n  #   host: 10.33.0.[1-2]\n");
	assert_int_equal(miners_of_file(block), 0);
	free(block);
	found_free(&found);
	arena_free(arena);
}

static void a_strange_model_makes_a_name_and_no_mischief(void **state)
{
	static const char *const models[] = { "", "--", "S19-88 v.2.6.0.39 ", "a: b # c", "{[&*!|>'\"%@`", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct arena *arena = arena_new();
	struct found found = { 0 };
	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		struct miner_identity is = LUXOS(3500, 200000);
		snprintf(is.model, sizeof is.model, "%s", models[i]);
		found_add(&found, i, arena_format(arena, i % 2 ? "10.0.0.%zu" : "fe80::%zu", i), FAULT_NONE, &is);
	}
	char *block = block_of(&found, 4028);
	assert_int_equal(miners_of_file(block), COUNT(models));
	free(block);
	found_free(&found);
	arena_free(arena);
}

static void rows_say_null_for_what_is_not_told(void **state)
{
	static const char wanted[] = "[{\"host\":\"a\",\"fault\":null,\"firmware\":\"LuxOS\",\"version\":\"2025.7\",\"model\":\"Antminer S21\","
		"\"mac\":null,\"serial\":null,\"state\":\"hashing\",\"power_w\":3500,\"hashrate_ghs\":200000,\"awake_w\":3400,\"profiles\":0,"
		"\"driver\":\"luxos\",\"control\":\"sleep, wake, 0 profiles\"},{\"host\":\"b\",\"fault\":\"refused\",\"firmware\":null,"
		"\"version\":null,\"model\":null,\"mac\":null,\"serial\":null,\"state\":null,\"power_w\":null,\"hashrate_ghs\":null,"
		"\"awake_w\":null,\"profiles\":null,\"driver\":null,\"control\":\"none: it turns us away; does its api-allow name this address?\"}]";
	struct found found = { 0 };
	(void)state;
	found_add(&found, 1, "b", FAULT_REFUSED, &(struct miner_identity){ 0 });
	found_add(&found, 0, "a", FAULT_NONE, &(struct miner_identity)LUXOS(3500, 200000));
	found_sort(&found);
	cJSON *rows = found_rows(&found);
	char *text = cJSON_PrintUnformatted(rows);
	assert_string_equal(text, wanted);
	cJSON_free(text);
	cJSON_Delete(rows);
	found_free(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_block_groups_by_driver_and_model), cmocka_unit_test(a_block_with_nothing_to_steer_is_a_comment),
		cmocka_unit_test(a_strange_model_makes_a_name_and_no_mischief), cmocka_unit_test(rows_say_null_for_what_is_not_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
