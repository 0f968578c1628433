/* Hosts to hostlists and back again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/hostlist.h"
#include "config/hostlist_pack.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t distinct(const char **texts, size_t n)
{
	size_t kept = 0;
	qsort(texts, n, sizeof *texts, by_text);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || strcmp(texts[i], texts[kept - 1]) != 0)
			texts[kept++] = texts[i];
	}
	return kept;
}

/* Packs them, spells all of it out again, and expects each host once. Returns how many hostlists it took. */
static size_t round_trip(struct arena *arena, const char **hosts, size_t n, const char ***lists)
{
	size_t n_lists = hostlist_pack(arena, hosts, n, lists), n_spelt = 0;
	const char **spelt = arena_take(arena, (n + 1) * sizeof *spelt);
	for (size_t i = 0; i < n_lists; i++) {
		const char **some, *why;
		size_t got = hostlist_expand(arena, (*lists)[i], n - n_spelt, &some, &why);
		if (got == 0)
			fail_msg("%s: %s", (*lists)[i], why);
		memcpy(spelt + n_spelt, some, got * sizeof *some);
		n_spelt += got;
	}
	const char **wanted = arena_take(arena, (n + 1) * sizeof *wanted);
	memcpy(wanted, hosts, n * sizeof *wanted);
	size_t n_wanted = distinct(wanted, n);
	assert_int_equal(n_spelt, n_wanted);
	assert_int_equal(distinct(spelt, n_spelt), n_wanted);
	for (size_t i = 0; i < n_wanted; i++)
		assert_string_equal(spelt[i], wanted[i]);
	return n_lists;
}

static void spelt_out_lists_come_back(void **state)
{
	static const char *const texts[] = {
		"10.30.[0-7].[1-254]", "10.30.0.7", "pdu-[001-250].example", "rack[1,3-5].example", "10.[30-31].[0-3,8].[1-20]",
		"m[01-12]", "[1-3].example", "miner", "a[1-2]b[1-2]c[1-2]d[1-2]", "fe80::[1-9]", "hall2-row[1-4]-[01-40].site7.example",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct arena *arena = arena_new();
		const char **hosts, *why, **lists;
		size_t n = hostlist_expand(arena, texts[i], 10000, &hosts, &why);
		assert_true(n > 0);
		assert_int_equal(round_trip(arena, hosts, n, &lists), 1);
		assert_string_equal(lists[0], texts[i]);
		arena_free(arena);
	}
}

static void what_is_no_rectangle_takes_several(void **state)
{
	static const char *hosts[] = { "10.0.0.3", "10.0.1.1", "10.0.0.1", "10.0.0.2", "10.0.0.1", "host-b", "10.0.1.2", "host-a" };
	static const char *const wanted[] = { "10.0.0.[1-3]", "10.0.1.[1-2]", "host-a", "host-b" };
	struct arena *arena = arena_new();
	const char **lists;
	(void)state;
	assert_int_equal(round_trip(arena, hosts, sizeof hosts / sizeof *hosts, &lists), 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(lists[i], wanted[i]);
	arena_free(arena);
}

static void zeros_in_front_are_kept_apart(void **state)
{
	static const char *hosts[] = { "m1", "m01", "m001", "m2", "m02", "m10", "m010", "m0", "m00", "m9", "m100" };
	struct arena *arena = arena_new();
	const char **lists;
	(void)state;
	assert_int_equal(round_trip(arena, hosts, sizeof hosts / sizeof *hosts, &lists), 3);
	arena_free(arena);
}

static void long_ones_are_cut(void **state)
{
	struct arena *arena = arena_new();
	const char *hosts[400], **lists;
	(void)state;
	for (unsigned i = 0; i < 400; i++)      /* every other address of three networks and a bit */
		hosts[i] = arena_format(arena, "10.1.%u.%u", i / 127, i % 127 * 2);
	size_t n = round_trip(arena, hosts, 400, &lists);
	assert_in_range(n, 2, 12);
	for (size_t i = 0; i < n; i++)
		assert_true(strlen(lists[i]) <= 253);
	arena_free(arena);
}

static void numbers_beyond_the_fourth_and_long_ones_are_text(void **state)
{
	static const char *hosts[] = { "1-2-3-4-5-6", "1-2-3-4-5-7", "9-2-3-4-5-7", "s1234567890-1", "s1234567890-2", "s1234567891-2" };
	struct arena *arena = arena_new();
	const char **lists;
	(void)state;
	assert_int_equal(round_trip(arena, hosts, sizeof hosts / sizeof *hosts, &lists), 4);
	arena_free(arena);
}

static void none_is_none(void **state)
{
	struct arena *arena = arena_new();
	const char **lists;
	(void)state;
	assert_int_equal(hostlist_pack(arena, NULL, 0, &lists), 0);
	arena_free(arena);
}

static void any_fleet_comes_back(void **state)
{
	unsigned seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : 20261122;
	(void)state;
	printf("seed %u\n", seed);
	for (int round = 0; round < 60; round++) {
		struct arena *arena = arena_new();
		const char *hosts[600], **lists;
		size_t n = 1 + (size_t)(rand_r(&seed) % 600);
		unsigned wide = 2 + (unsigned)(rand_r(&seed) % 30);
		for (size_t i = 0; i < n; i++) {
			unsigned a = (unsigned)rand_r(&seed) % 3, b = (unsigned)rand_r(&seed) % wide, c = (unsigned)rand_r(&seed) % wide;
			hosts[i] = rand_r(&seed) % 4 ? arena_format(arena, "10.%u.%u.%u", a, b, c)
			                             : arena_format(arena, "m%0*u-%u.x", (int)a + 1, b, c);
		}
		round_trip(arena, hosts, n, &lists);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spelt_out_lists_come_back), cmocka_unit_test(what_is_no_rectangle_takes_several),
		cmocka_unit_test(zeros_in_front_are_kept_apart), cmocka_unit_test(long_ones_are_cut),
		cmocka_unit_test(numbers_beyond_the_fourth_and_long_ones_are_text), cmocka_unit_test(none_is_none),
		cmocka_unit_test(any_fleet_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
