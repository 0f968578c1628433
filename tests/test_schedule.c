/* The schedule against the plainest one there is: an array looked through from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/schedule.h"

#define ITEMS 200

static uint32_t roll(uint32_t *dice, uint32_t n)
{
	*dice = *dice * 1664525u + 1013904223u;
	return (*dice >> 8) % n;
}

static void nothing_is_due_in_an_empty_one(void **unused)
{
	struct schedule schedule;
	uint32_t item;
	schedule_init(&schedule, 0);
	assert_true(schedule_next_ms(&schedule) == INT64_MAX);
	assert_false(schedule_take(&schedule, INT64_MAX, &item));
	schedule_free(&schedule);
	(void)unused;
}

static void equal_times_come_in_order_of_number(void **unused)
{
	struct schedule schedule;
	uint32_t item;
	schedule_init(&schedule, ITEMS);
	for (uint32_t i = ITEMS; i-- > 0; )
		schedule_put(&schedule, i, 70);
	assert_false(schedule_take(&schedule, 69, &item));
	for (uint32_t i = 0; i < ITEMS; i++) {
		assert_true(schedule_has(&schedule, i));
		assert_true(schedule_take(&schedule, 70, &item));
		assert_int_equal(item, i);
		assert_false(schedule_has(&schedule, i));
	}
	assert_false(schedule_take(&schedule, 70, &item));
	schedule_free(&schedule);
	(void)unused;
}

/* INT64_MAX: does not wait. */
static uint32_t earliest(const int64_t *times)
{
	uint32_t first = 0;
	for (uint32_t i = 1; i < ITEMS; i++)
		if (times[i] < times[first])
			first = i;
	return first;
}

static void any_moves_keep_the_order(void **unused)
{
	struct schedule schedule;
	int64_t times[ITEMS], now_ms = 0;
	uint32_t dice = 1;
	schedule_init(&schedule, ITEMS);
	for (uint32_t i = 0; i < ITEMS; i++)
		times[i] = INT64_MAX;
	for (int turn = 0; turn < 50000; turn++) {
		uint32_t item = roll(&dice, ITEMS), first = earliest(times);
		assert_true(schedule_next_ms(&schedule) == times[first]);
		if (roll(&dice, 5) < 3) {
			times[item] = now_ms + (int64_t)roll(&dice, 1000);
			schedule_put(&schedule, item, times[item]);
		} else if (times[first] <= now_ms) {
			assert_true(schedule_take(&schedule, now_ms, &item));
			assert_int_equal(item, first);
			times[first] = INT64_MAX;
		} else {
			assert_false(schedule_take(&schedule, now_ms, &item));
			now_ms += roll(&dice, 20);
		}
	}
	schedule_free(&schedule);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_in_an_empty_one),
		cmocka_unit_test(equal_times_come_in_order_of_number),
		cmocka_unit_test(any_moves_keep_the_order),
	};
	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
