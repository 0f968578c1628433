/* The classic CGMiner driver against a miner on a real socket that follows a script. */
#include "tests/scripted_stage.h"

#define POLL    "{\"command\":\"summary+devs\"}"
#define SUMMARY "{\"command\":\"summary\"}"
#define DEVS    "{\"command\":\"devs\"}"
#define RIGHTS  "{\"command\":\"privileged\"}"
#define DISABLE(n) "{\"command\":\"ascdisable\",\"parameter\":\"" n "\"}"
#define ENABLE(n)  "{\"command\":\"ascenable\",\"parameter\":\"" n "\"}"

#define STAGE(acts, steers) stage_open("cgminer", acts, sizeof acts / sizeof *acts, (struct miner_conf){ .steer = steers })

static void it_is_watched(void **state)
{
	static const struct act acts[] = {
		{ POLL, "cgminer_poll", SAY_NUL_AND_CLOSE }, { POLL, "cgminer_poll", SAY_AND_STAY },
	};
	struct stage *stage = STAGE(acts, false);
	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct miner_reading *reading = poll_now(stage);
		assert_int_equal(reading->fault, FAULT_NONE);
		assert_int_equal(reading->state, MINER_HASHING);
		assert_int_equal(reading->hashrate_ghs, 14021);
		assert_true(!reading->knows_power && !reading->steerable && reading->awake_w == 0);
	}
	assert_int_equal(order_now(stage, false, 0), FAULT_REFUSED);
	assert_true(stage_close(stage));
}

static void it_is_steered_where_told_and_granted(void **state)
{
	static const struct act acts[] = {
		{ POLL, "cgminer_poll", SAY_NUL_AND_CLOSE }, { RIGHTS, "cgminer_privileged", SAY_NUL_AND_CLOSE },
		{ DISABLE("0"), "cgminer_disabled", SAY_NUL_AND_CLOSE }, { DISABLE("1"), "cgminer_disabled", SAY_NUL_AND_STAY },
		{ POLL, "cgminer_poll_disabled", SAY_NUL_AND_CLOSE },
		{ ENABLE("0"), "cgminer_enabled", SAY_NUL_AND_CLOSE }, { ENABLE("1"), "luxos_already", SAY_NUL_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, true);
	(void)state;
	assert_int_equal(order_now(stage, false, 0), FAULT_REFUSED);       /* its boards are not known yet */
	assert_true(poll_now(stage)->steerable);
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(poll_now(stage)->state, MINER_ASLEEP);
	assert_int_equal(order_now(stage, true, 0), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void reopen(struct stage *stage, bool steer)
{
	struct miner_conf conf = { .host = "127.0.0.1", .port = stage->miner.port, .timeout_ms = 20000, .steer = steer };
	owner_reopen(&stage->owner, &stage->loop, &conf);
}

static void an_order_right_after_a_reload_is_followed(void **state)
{
	static const struct act acts[] = {
		{ POLL, "cgminer_poll", SAY_NUL_AND_CLOSE }, { RIGHTS, "cgminer_privileged", SAY_NUL_AND_CLOSE },
		{ DISABLE("0"), "cgminer_disabled", SAY_NUL_AND_CLOSE }, { DISABLE("1"), "cgminer_disabled", SAY_NUL_AND_CLOSE },
		{ POLL, "cgminer_poll_disabled", SAY_NUL_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, true);
	(void)state;
	poll_now(stage);
	reopen(stage, true);
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_true(poll_now(stage)->steerable);
	assert_true(stage_close(stage));
}

static void a_reload_that_begins_to_steer_asks_for_the_right(void **state)
{
	static const struct act acts[] = {
		{ POLL, "cgminer_poll", SAY_NUL_AND_CLOSE },
		{ POLL, "cgminer_poll", SAY_NUL_AND_CLOSE }, { RIGHTS, "cgminer_privileged", SAY_NUL_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, false);
	(void)state;
	poll_now(stage);
	reopen(stage, true);
	assert_int_equal(order_now(stage, false, 0), FAULT_REFUSED);
	assert_true(poll_now(stage)->steerable);
	assert_true(stage_close(stage));
}

static void it_is_not_steered_without_the_right(void **state)
{
	static const struct act acts[] = {
		{ POLL, "cgminer_poll", SAY_NUL_AND_CLOSE }, { RIGHTS, "cgminer_denied", SAY_NUL_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, true);
	(void)state;
	const struct miner_reading *reading = poll_now(stage);
	assert_int_equal(reading->fault, FAULT_NONE);
	assert_false(reading->steerable);
	assert_int_equal(order_now(stage, false, 0), FAULT_REFUSED);
	assert_true(stage_close(stage));
}

static void it_is_not_steered_without_boards(void **state)
{
	static const struct act acts[] = {
		{ POLL, "cgminer_invalid", SAY_NUL_AND_CLOSE }, { SUMMARY, "cgminer_summary_empty", SAY_NUL_AND_CLOSE },
		{ DEVS, "cgminer_devs_empty", SAY_NUL_AND_CLOSE }, { RIGHTS, "cgminer_privileged", SAY_NUL_AND_CLOSE },
		{ SUMMARY, "cgminer_summary", SAY_NUL_AND_CLOSE }, { DEVS, "cgminer_devs", SAY_NUL_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, true);
	(void)state;
	const struct miner_reading *reading = poll_now(stage);
	assert_int_equal(reading->fault, FAULT_NONE);
	assert_int_equal(reading->state, MINER_ASLEEP);
	assert_false(reading->steerable);
	assert_int_equal(poll_now(stage)->state, MINER_HASHING);
	assert_true(reading->steerable);
	assert_true(stage_close(stage));
}

static void an_order_ends_at_the_first_board_that_fails(void **state)
{
	static const struct { struct act act; enum fault fault; } cases[] = {
		{ { DISABLE("0"), "cgminer_denied", SAY_NUL_AND_CLOSE }, FAULT_REFUSED },
		{ { DISABLE("0"), NULL, CLOSE }, FAULT_SILENT },
		{ { DISABLE("0"), "btminer_cut", SAY_AND_CLOSE }, FAULT_GARBLED },
		{ { DISABLE("0"), "joined_fragment", SAY_NUL_AND_CLOSE }, FAULT_GARBLED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct act acts[] = {
			{ POLL, "cgminer_poll", SAY_NUL_AND_CLOSE }, { RIGHTS, "cgminer_privileged", SAY_NUL_AND_CLOSE },
			cases[i].act,
		};
		struct stage *stage = STAGE(acts, true);
		poll_now(stage);
		assert_int_equal(order_now(stage, false, 0), cases[i].fault);
		assert_true(stage_close(stage));
	}
}

static void faults_of_a_read(void **state)
{
	static const struct act acts[] = {
		{ POLL, NULL, CLOSE }, { POLL, "btminer_cut", SAY_AND_CLOSE }, { POLL, "cgminer_nan", SAY_NUL_AND_CLOSE },
	};
	static const enum fault faults[] = { FAULT_REFUSED, FAULT_GARBLED, FAULT_NONE };
	struct stage *stage = STAGE(acts, false);
	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(poll_now(stage)->fault, faults[i]);
	assert_int_equal(stage->owner.last.state, MINER_UNKNOWN);
	assert_true(stage_close(stage));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_watched),
		cmocka_unit_test(it_is_steered_where_told_and_granted),
		cmocka_unit_test(an_order_right_after_a_reload_is_followed),
		cmocka_unit_test(a_reload_that_begins_to_steer_asks_for_the_right),
		cmocka_unit_test(it_is_not_steered_without_the_right),
		cmocka_unit_test(it_is_not_steered_without_boards),
		cmocka_unit_test(an_order_ends_at_the_first_board_that_fails),
		cmocka_unit_test(faults_of_a_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
