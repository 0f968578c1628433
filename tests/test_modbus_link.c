/* Whose turn it is on a shared link, how long it is waited for, and when a failing connection is tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/modbus_backoff.h"
#include "drivers/modbus_link.h"

enum { N = 3, TIMEOUT_MS = 100000 };

struct unit {
	struct modbus_client client;
	unsigned answers;
	enum fault fault;
	bool left;
};

static void on_answer(struct modbus_client *client, const struct modbus_answer *answer)
{
	struct unit *unit = (struct unit *)client;
	unit->answers++;
	unit->fault = answer->fault;
}

static void on_left(struct modbus_client *client)
{
	((struct unit *)client)->left = true;
}

static void join_all(struct modbus_link *link, struct unit *units)
{
	*link = (struct modbus_link){ 0 };
	for (int i = 0; i < N; i++) {
		units[i] = (struct unit){ .client = { .timeout_ms = TIMEOUT_MS, .on_answer = on_answer, .on_left = on_left } };
		modbus_link_join(link, &units[i].client);
	}
}

static void put(struct unit *unit, int64_t from_now_ms)
{
	modbus_link_put(&unit->client, &(struct modbus_read){ 3, 0, 1 }, modbus_now_ms() + from_now_ms);
}

static void ask(struct modbus_link *link, struct unit *unit, enum fault fault)
{
	put(unit, TIMEOUT_MS);
	modbus_link_begin(link, &unit->client);
	modbus_link_answer(link, &(struct modbus_answer){ .fault = fault });
}

static void test_first_come_first_served(void **state)
{
	(void)state;
	struct modbus_link link;
	struct unit units[N];
	join_all(&link, units);
	assert_null(modbus_link_next(&link));
	assert_true(modbus_link_due(&link) == INT64_MAX);
	put(&units[1], TIMEOUT_MS);
	put(&units[0], 10);
	put(&units[2], TIMEOUT_MS);
	assert_ptr_equal(modbus_link_next(&link), &units[1].client);
	assert_true(modbus_link_due(&link) == units[0].client.deadline_ms);
	modbus_link_begin(&link, &units[1].client);
	assert_ptr_equal(modbus_link_next(&link), &units[0].client);
	assert_true(link.patience_ms == units[1].client.deadline_ms);
	modbus_link_resend(&link);              /* keeps its place */
	assert_ptr_equal(modbus_link_next(&link), &units[1].client);
	assert_true(units[1].client.resent);
}

static void test_the_silent_go_last(void **state)
{
	(void)state;
	static const struct { enum fault fault; bool last; } faults[] = {
		{ FAULT_SILENT, true }, { FAULT_REFUSED, false }, { FAULT_NONE, false },
	};
	for (size_t i = 0; i < 3; i++) {
		struct modbus_link link;
		struct unit units[N];
		join_all(&link, units);
		ask(&link, &units[0], faults[i].fault);
		assert_int_equal(units[0].fault, faults[i].fault);
		put(&units[0], TIMEOUT_MS);
		put(&units[1], TIMEOUT_MS);
		assert_ptr_equal(modbus_link_next(&link), &units[faults[i].last].client);
	}
}

static void test_a_device_given_up_is_told_when_the_link_settles(void **state)
{
	(void)state;
	struct modbus_link link;
	struct unit units[N];
	join_all(&link, units);
	put(&units[0], TIMEOUT_MS);
	modbus_link_begin(&link, &units[0].client);
	modbus_link_give_up(&link, FAULT_GARBLED);
	modbus_link_give_up(&link, FAULT_SILENT);       /* nobody is asked: nothing happens */
	assert_int_equal(units[0].answers, 0);
	assert_true(modbus_link_due(&link) <= modbus_now_ms());
	assert_null(modbus_link_next(&link));
	modbus_link_settle(&link);
	assert_int_equal(units[0].answers, 1);
	assert_int_equal(units[0].fault, FAULT_GARBLED);
	modbus_link_settle(&link);
	assert_int_equal(units[0].answers, 1);
}

/* Passed over four times, a device thought dead has its turn like any other; once asked it goes last again. */
static void test_nobody_is_passed_over_for_ever(void **state)
{
	(void)state;
	struct modbus_link link;
	struct unit units[N];
	join_all(&link, units);
	ask(&link, &units[0], FAULT_SILENT);
	for (int i = 0; i < 4; i++) {
		put(&units[0], TIMEOUT_MS);
		put(&units[1], TIMEOUT_MS);
		assert_ptr_equal(modbus_link_next(&link), &units[1].client);
		put(&units[0], 0);
		modbus_link_settle(&link);
		assert_int_equal(units[0].fault, FAULT_SILENT);
	}
	put(&units[0], TIMEOUT_MS);
	put(&units[1], TIMEOUT_MS);
	assert_ptr_equal(modbus_link_next(&link), &units[0].client);
	ask(&link, &units[0], FAULT_SILENT);
	put(&units[0], TIMEOUT_MS);
	assert_ptr_equal(modbus_link_next(&link), &units[1].client);
}

static void test_half_the_patience_with_the_silent(void **state)
{
	(void)state;
	struct modbus_link link;
	struct unit units[N];
	join_all(&link, units);
	for (unsigned misses = 0; misses < 9; misses++) {
		bool whole = misses % 4 == 0;
		put(&units[0], TIMEOUT_MS);
		modbus_link_begin(&link, &units[0].client);
		assert_true(link.patience_ms == (whole ? units[0].client.deadline_ms : link.sent_ms + TIMEOUT_MS / 2));
		modbus_link_answer(&link, &(struct modbus_answer){ .fault = FAULT_SILENT });
	}
	put(&units[0], 10);                     /* never longer than its deadline */
	modbus_link_begin(&link, &units[0].client);
	assert_true(link.patience_ms == units[0].client.deadline_ms);
}

static void test_alone_there_is_no_haste(void **state)
{
	(void)state;
	struct modbus_link link = { 0 };
	struct unit unit = { .client = { .timeout_ms = TIMEOUT_MS, .on_answer = on_answer, .on_left = on_left } };
	modbus_link_join(&link, &unit.client);
	ask(&link, &unit, FAULT_SILENT);
	put(&unit, TIMEOUT_MS);
	modbus_link_begin(&link, &unit.client);
	assert_true(link.patience_ms == unit.client.deadline_ms);
}

static void test_the_refused_are_never_asked(void **state)
{
	(void)state;
	struct modbus_link link;
	struct unit units[N];
	join_all(&link, units);
	units[0].client.refused = true;
	put(&units[0], TIMEOUT_MS);
	assert_null(modbus_link_next(&link));
	while (!units[0].answers)
		modbus_link_settle(&link);
	assert_int_equal(units[0].fault, FAULT_REFUSED);
}

static void test_leaving(void **state)
{
	(void)state;
	struct modbus_link link;
	struct unit units[N];
	join_all(&link, units);
	units[0].client.leaving = units[2].client.leaving = true;
	assert_true(modbus_link_due(&link) <= modbus_now_ms());
	modbus_link_settle(&link);
	assert_true(units[0].left && !units[1].left && units[2].left);
	assert_int_equal(link.n_clients, 1);
	assert_true(modbus_link_due(&link) == INT64_MAX);
}

static void test_back_off_doubles_within_its_jitter(void **state)
{
	(void)state;
	static const int64_t delays_ms[] = { 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000 };
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct modbus_backoff backoff = { .dice = seed };
		for (int i = 1; i < 5; i++) {
			modbus_backoff_miss(&backoff, 1, 5, BACKOFF_MOST_MS, 7000);
			assert_true(backoff.retry_ms == 7000);
		}
		for (size_t i = 0; i < sizeof delays_ms / sizeof *delays_ms; i++) {
			modbus_backoff_miss(&backoff, 1, 5, BACKOFF_MOST_MS, 7000);
			assert_in_range(backoff.retry_ms - 7000, delays_ms[i] * 3 / 4, delays_ms[i] * 5 / 4);
		}
		modbus_backoff_miss(&backoff, 1000, 5, 2000, 0);
		assert_in_range(backoff.retry_ms, 1500, 2500);
	}
}

static void test_seeds_side_by_side_do_not_come_back_together(void **state)
{
	(void)state;
	unsigned early = 0;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct modbus_backoff backoff = { .dice = 0x123456789ABCDEF + seed };
		modbus_backoff_miss(&backoff, 1, 1, BACKOFF_MOST_MS, 0);
		early += backoff.retry_ms < BACKOFF_LEAST_MS;
	}
	assert_in_range(early, 300, 700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_come_first_served),
		cmocka_unit_test(test_the_silent_go_last),
		cmocka_unit_test(test_a_device_given_up_is_told_when_the_link_settles),
		cmocka_unit_test(test_nobody_is_passed_over_for_ever),
		cmocka_unit_test(test_half_the_patience_with_the_silent),
		cmocka_unit_test(test_alone_there_is_no_haste),
		cmocka_unit_test(test_the_refused_are_never_asked),
		cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_back_off_doubles_within_its_jitter),
		cmocka_unit_test(test_seeds_side_by_side_do_not_come_back_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
