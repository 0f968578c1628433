/* The LuxOS driver asked for several things at once: what goes first, what is broken off, and how it ends. */
#include "drivers/cgminer_desk.h"
#include "tests/luxos_bench.h"

static void the_third_alone_is_obeyed(struct stage *stage)
{
	const struct owner *owner = &stage->owner;
	assert_true(loop_until(&stage->loop, &stage->owner.answers, 3));
	assert_int_equal(owner->answered[0], FAULT_REFUSED);
	assert_int_equal(owner->answered[1], FAULT_REFUSED);
	assert_int_equal(owner->answered[2], FAULT_NONE);
}

static void a_newer_order_replaces_one_that_waits(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	(void)state;
	owner_order(owner, true, 0);
	owner_order(owner, true, 0);
	owner_order(owner, false, 0);
	the_third_alone_is_obeyed(stage);
	assert_true(stage_close(stage));
}

/* The order to wake is past its logon when the one to sleep comes: its wakeup is not sent any more. */
static void a_newer_order_breaks_off_the_one_under_way(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_logon", DRIBBLE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	(void)state;
	owner_order(owner, true, 0);
	assert_true(loop_until(&stage->loop, &stage->miner.connections, 1));
	assert_int_equal(owner->answers, 0);
	owner_order(owner, true, 0);
	owner_order(owner, false, 0);
	the_third_alone_is_obeyed(stage);
	assert_true(stage_close(stage));
}

/* The order breaks off the first poll, which begins anew after it; one answer serves all three polls. */
static void an_order_goes_before_a_poll_and_into_it(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SILENT },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_ramping", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	(void)state;
	owner_poll(owner);
	owner_poll(owner);
	assert_true(loop_until(&stage->loop, &stage->miner.played, 1));
	owner_order(owner, false, 0);
	owner_poll(owner);
	assert_true(loop_until(&stage->loop, &owner->readings, 1));
	assert_int_equal(owner->answers, 1);
	assert_int_equal(owner->last.state, MINER_HASHING);
	owner_poll(owner);
	owner_order(owner, true, 0);
	assert_true(loop_until(&stage->loop, &owner->readings, 2));
	assert_int_equal(owner->answers, 2);
	assert_int_equal(owner->last.state, MINER_RAMPING);
	assert_true(stage_close(stage));
}

/* A poll that waits for its next exchange begins anew as well: what it has read so far is older than the order. */
static void an_order_goes_between_two_exchanges_of_a_poll(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_ramping", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	struct cgminer_line *line = &((struct cgminer_desk *)owner->miner)->line;
	(void)state;
	owner_poll(owner);
	while (stage->miner.played == 0 || line->state != LINE_WAITING)
		uv_run(&stage->loop, UV_RUN_ONCE);
	owner_order(owner, false, 0);
	assert_true(loop_until(&stage->loop, &owner->readings, 1));
	assert_int_equal(owner->answers, 1);
	assert_int_equal(owner->last.state, MINER_RAMPING);
	assert_true(stage_close(stage));
}

/* A miner told to sleep is not taken for awake because a reading, too early to show it, says so. */
static void an_old_reading_does_not_skip_the_wakeup(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SILENT },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,490MHz"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	(void)state;
	owner_poll(owner);
	assert_true(loop_until(&stage->loop, &stage->miner.played, 2));
	owner_order(owner, false, 0);
	assert_true(loop_until(&stage->loop, &owner->readings, 1));
	assert_int_equal(owner->last.state, MINER_HASHING);
	assert_int_equal(order_now(stage, true, 2400), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void ask_again(struct owner *owner)
{
	if (owner->polls < 6)
		owner_poll(owner);
	if (owner->orders < 6)
		owner_order(owner, false, 0);
}

static void the_owner_may_ask_from_inside_an_answer(void **state)
{
	struct act acts[16];
	size_t n = 0;
	(void)state;
	acts[n++] = (struct act){ POLL, "luxos_poll", SAY_AND_CLOSE };
	acts[n++] = (struct act){ TABLES, "luxos_tables", SAY_AND_CLOSE };
	acts[n++] = (struct act){ LOGON, "luxos_logon", SAY_AND_CLOSE };
	for (int i = 0; i < 6; i++)
		acts[n++] = (struct act){ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE };
	acts[n++] = (struct act){ POLL, "luxos_poll", SAY_AND_CLOSE };
	struct stage *stage = stage_open("luxos", acts, n, (struct miner_conf){ .steer = true });
	stage->owner.then = ask_again;
	owner_poll(&stage->owner);
	assert_true(loop_until(&stage->loop, &stage->owner.readings, 2));
	assert_int_equal(stage->owner.answers, 6);
	assert_true(stage_close(stage));
}

static void order_again(struct owner *owner)
{
	struct stage *stage = (struct stage *)(void *)((char *)owner - offsetof(struct stage, owner));
	if (owner->orders < 2)
		owner_order(owner, false, 0);
	else if (owner->answers == 2 && owner->readings == 0)
		assert(stage->miner.connections == 0 && !cgminer_line_under_way(&((struct cgminer_desk *)owner->miner)->line));
}

static void an_order_from_inside_an_answer_goes_before_a_poll(void **state)
{
	static const struct act acts[] = { { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } };
	struct stage *stage = STAGE(acts, .steer = false);
	(void)state;
	stage->owner.then = order_again;
	owner_poll(&stage->owner);
	owner_order(&stage->owner, true, 0);
	assert_true(loop_until(&stage->loop, &stage->owner.answers, 2));
	assert_true(loop_until(&stage->loop, &stage->owner.readings, 1));
	assert_true(stage_close(stage));
}

static void close_from_inside(struct owner *owner)
{
	owner_close(owner);
}

static void the_owner_may_close_from_inside_an_answer(void **state)
{
	static const struct act acts[] = { { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } };
	(void)state;
	for (int with_order = 0; with_order < 2; with_order++) {
		struct stage *stage = stage_open("luxos", acts, with_order ? 0 : 2, (struct miner_conf){ .steer = !with_order });
		stage->owner.then = close_from_inside;
		if (with_order) {
			owner_order(&stage->owner, true, 0);
			owner_order(&stage->owner, true, 0);
			owner_order(&stage->owner, true, 0);
		}
		owner_poll(&stage->owner);
		assert_true(loop_until(&stage->loop, &stage->owner.closed, 1));
		assert_true(stage_close(stage));
	}
}

static void closing_in_the_middle_of_everything(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_busy", SAY_AND_CLOSE }, { SESSION, "luxos_session", DRIBBLE },
		{ CURTAIL("zZ98yY76,sleep"), "luxos_sleep", SAY_AND_STAY },
		{ POLL, "luxos_poll", DRIBBLE }, { TABLES, "luxos_tables", SAY_NUL_AND_CLOSE },
	};
	(void)state;
	for (unsigned turns = 0; turns < 120; turns += 1 + turns / 10) {
		struct stage *stage = STAGE(acts, .steer = true);
		owner_poll(&stage->owner);
		owner_order(&stage->owner, false, 0);
		for (unsigned i = 0; i < turns; i++)
			uv_run(&stage->loop, UV_RUN_NOWAIT);
		owner_close(&stage->owner);
		assert_true(loop_until(&stage->loop, &stage->owner.closed, 1));
		assert_false(stage->miner.wrong);
		stage->miner.next = stage->miner.n;
		assert_true(stage_close(stage));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_newer_order_replaces_one_that_waits),
		cmocka_unit_test(a_newer_order_breaks_off_the_one_under_way),
		cmocka_unit_test(an_order_goes_before_a_poll_and_into_it),
		cmocka_unit_test(an_order_goes_between_two_exchanges_of_a_poll),
		cmocka_unit_test(an_old_reading_does_not_skip_the_wakeup),
		cmocka_unit_test(the_owner_may_ask_from_inside_an_answer),
		cmocka_unit_test(an_order_from_inside_an_answer_goes_before_a_poll),
		cmocka_unit_test(the_owner_may_close_from_inside_an_answer),
		cmocka_unit_test(closing_in_the_middle_of_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
