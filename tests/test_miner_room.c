/* The transport that all miners share: its window, whose turn it is, its reminders. */
#include "tests/miner_room_rig.h"

/* ---- whose turn it is ---- */

static void the_window_is_kept(void **state)
{
	struct hall *hall = hall_open(16, 80, 80, 0);
	(void)state;
	ask_all(hall, 0, 40, TURN_POLL);
	assert_true(wait_for(hall, &hall->farm.requests, 8));
	wait_ticks(hall, 4);
	assert_int_equal(hall->room->n_open, 8);        /* polls get half of it */
	ask_all(hall, 40, 60, TURN_ORDER);
	struct miner_room_figures figures = miner_room_figures(hall->room);
	assert_true(figures.connections == 8 && figures.most == 16);
	assert_true(figures.orders_waiting == 20 && figures.polls_waiting == 32);
	ask_all(hall, 40, 80, TURN_ORDER);
	assert_true(wait_for(hall, &hall->farm.requests, 16));
	wait_ticks(hall, 4);
	assert_int_equal(hall->farm.most, 16);
	farm_release(&hall->farm);
	assert_true(wait_for(hall, &hall->replies, 80));
	assert_int_equal(hall->most_open, 16);
	assert_true(hall->most_polls <= 16 / 2);
	hall_close(hall);
}

/* As by a reload: those that are open stay, whatever it is. */
static void another_window_counts_at_once(void **state)
{
	struct hall *hall = hall_open(4, 80, 80, 0);
	(void)state;
	ask_all(hall, 0, 80, TURN_ORDER);
	assert_true(wait_for(hall, &hall->farm.requests, 4));
	wait_ticks(hall, 4);
	assert_int_equal(hall->room->n_open, 4);
	miner_room_limit(hall->room, 16);
	assert_true(wait_for(hall, &hall->farm.requests, 16));
	wait_ticks(hall, 4);
	assert_int_equal(hall->room->n_open, 16);
	miner_room_limit(hall->room, 2);
	assert_int_equal(miner_room_figures(hall->room).most, 2);
	assert_int_equal(hall->room->n_open, 16);
	farm_release(&hall->farm);
	assert_true(wait_for(hall, &hall->replies, 80));
	assert_int_equal(hall->most_open, 16);
	hall_close(hall);
}

/* Those who do not answer at once leave their place among the young, and the window fills. */
static void the_young_are_few_and_grow_up(void **state)
{
	struct hall *hall = hall_open(MOST_CALLERS, MOST_CALLERS, MOST_CALLERS, 0);
	(void)state;
	ask_all(hall, 0, MOST_CALLERS, TURN_ORDER);
	assert_true(wait_for(hall, &hall->farm.requests, MOST_CALLERS));
	assert_true(hall->room->n_open == MOST_CALLERS && MOST_CALLERS > ROOM_MOST_YOUNG);
	farm_release(&hall->farm);
	assert_true(wait_for(hall, &hall->replies, MOST_CALLERS));
	hall_close(hall);
}

static void a_window_of_one_is_enough(void **state)
{
	struct hall *hall = hall_open(1, 20, 0, 0);
	(void)state;
	ask_all(hall, 0, 10, TURN_POLL);
	ask_all(hall, 10, 20, TURN_ORDER);
	assert_true(wait_for(hall, &hall->replies, 20));
	assert_int_equal(hall->most_open, 1);
	hall_close(hall);
}

static void orders_go_before_polls_and_in_the_order_given(void **state)
{
	struct hall *hall = hall_open(4, 240, 0, 0);
	(void)state;
	ask_all(hall, 0, 100, TURN_POLL);
	ask_all(hall, 100, 200, TURN_ORDER);
	ask_all(hall, 200, 201, TURN_NEXT);
	ask_all(hall, 40, 41, TURN_ORDER);              /* a better turn than it had */
	ask_all(hall, 100, 101, TURN_POLL);             /* it keeps the better */
	assert_true(wait_for(hall, &hall->replies, 201));
	assert_int_equal(hall->order[0], 200);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(hall->order[1 + i], 100 + i);
	assert_int_equal(hall->order[101], 40);
	for (unsigned i = 0; i < 99; i++)
		assert_int_equal(hall->order[102 + i], i < 40 ? i : i + 1);
	hall_close(hall);
}

static void what_is_dropped_makes_room(void **state)
{
	struct hall *hall = hall_open(4, 8, 8, 0);
	(void)state;
	ask_all(hall, 0, 8, TURN_POLL);
	assert_true(wait_for(hall, &hall->farm.requests, 2));
	cgminer_line_drop(&hall->callers[0].line);
	cgminer_line_drop(&hall->callers[5].line);      /* waits */
	assert_true(wait_for(hall, &hall->farm.requests, 3));
	farm_release(&hall->farm);
	assert_true(wait_for(hall, &hall->replies, 6));
	assert_int_equal(hall->callers[0].replies + hall->callers[5].replies, 0);
	hall_close(hall);
}

/* ---- reminders ---- */

static void reminders_are_spread(void **state)
{
	struct hall *hall = hall_open(4, 62, 0, 0);
	(void)state;
	for (unsigned i = 0; i < 62; i++)
		miner_room_remind(hall->room, &hall->callers[i].line, i < 60 ? 1000 : ROOM_CHIMES * ROOM_CHIME_MS + 3000);
	miner_room_remind(hall->room, &hall->callers[0].line, 0);       /* none any more */
	miner_room_remind(hall->room, &hall->callers[1].line, 2000);    /* later than it was */
	hall->room->ahead_ms += 900;
	wait_ticks(hall, 2);
	assert_int_equal(hall->reminders, 0);
	hall->room->ahead_ms += 5000;
	assert_true(wait_for(hall, &hall->reminders, 59));
	assert_int_equal(hall->most_in_step, 8);
	for (unsigned i = 0; i < 62; i++)
		assert_int_equal(hall->callers[i].reminders, i > 0 && i < 60);
	hall->room->ahead_ms += 130000;                 /* the longest there is is shorter than asked for */
	assert_true(wait_for(hall, &hall->reminders, 61));
	assert_false(uv_is_active((uv_handle_t *)&hall->room->chime));
	hall_close(hall);
}

/* ---- everything at once ---- */

static unsigned roll(struct hall *hall, unsigned sides)
{
	hall->dice = hall->dice * 1664525u + 1013904223u;
	return (hall->dice >> 8) % sides;
}

static void ask_somehow(struct caller *caller)
{
	if (caller->line.state == LINE_OPEN || caller->line.state == LINE_CLOSED)
		return;
	cgminer_line_ask(&caller->line, (enum cgminer_turn)roll(caller->hall, 3));
}

/* From inside a callback of one: something happens to it, or to another. */
static void behave_oddly(struct caller *caller)
{
	struct hall *hall = caller->hall;
	if (roll(hall, 2))
		caller = &hall->callers[roll(hall, hall->n)];
	if (caller->line.state == LINE_CLOSED)
		return;
	unsigned what = roll(hall, 100);
	if (what < 1)
		cgminer_line_close(&caller->line);
	else if (what < 5)
		cgminer_line_drop(&caller->line);
	else if (what < 20)
		miner_room_remind(hall->room, &caller->line, roll(hall, 3) * 200);
	else
		ask_somehow(caller);
}

static void anything_from_inside_anything(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 8; seed++) {
		struct hall *hall = hall_open(4 + seed % 5 * 6, 80, 5, seed % 3 ? 0 : 70000);
		for (int i = 0; i < 10; i++) {
			caller_add(hall, "localhost", hall->farm.port, TIMEOUT_MS);
			caller_add(hall, "not..a..name", hall->farm.port, TIMEOUT_MS);
			caller_add(hall, "127.0.0.1", 1, TIMEOUT_MS);
		}
		hall->dice = seed;
		hall->oddly = behave_oddly;
		for (unsigned until = hall->ticks + 4000; hall->asked < 600 && hall->ticks < until;) {
			ask_somehow(&hall->callers[roll(hall, hall->n)]);
			uv_run(&hall->loop, UV_RUN_ONCE);
			look(hall);
			hall->room->ahead_ms += roll(hall, 2000);
		}
		assert_true(hall->asked >= 600);
		assert_true(hall->most_open <= 4 + seed % 5 * 6);
		hall->oddly = NULL;
		hall_close(hall);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_is_kept),
		cmocka_unit_test(another_window_counts_at_once),
		cmocka_unit_test(the_young_are_few_and_grow_up),
		cmocka_unit_test(a_window_of_one_is_enough),
		cmocka_unit_test(orders_go_before_polls_and_in_the_order_given),
		cmocka_unit_test(what_is_dropped_makes_room),
		cmocka_unit_test(reminders_are_spread),
		cmocka_unit_test(anything_from_inside_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
