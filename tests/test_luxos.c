/* The LuxOS driver against a miner that follows a script, request by request: what it reads, and what drivers are called. */
#include "drivers/miner_room.h"
#include "tests/luxos_bench.h"

static void a_first_poll_reads_the_tables_and_a_second_does_not(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
		{ TABLES, "luxos_tables", SAY_AND_STAY },
		{ POLL, "luxos_poll_asleep", DRIBBLE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	(void)state;
	uint64_t before_ms = uv_now(&stage->loop);
	poll_now(stage);
	const struct miner_reading *last = &stage->owner.last;
	assert_int_equal(last->fault, FAULT_NONE);
	assert_int_equal(last->state, MINER_HASHING);
	assert_int_equal(last->power_w, 2761);
	assert_int_equal(last->awake_w, 2794);
	assert_true(last->knows_power && last->steerable);
	assert_in_range(last->at_ms, before_ms, uv_now(&stage->loop));
	poll_now(stage);
	assert_int_equal(last->state, MINER_ASLEEP);
	assert_int_equal(last->power_w, 24);
	assert_true(stage_close(stage));
}

static void who_only_watches_steers_nothing(void **state)
{
	static const struct act acts[] = { { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } };
	struct stage *stage = STAGE(acts, .steer = false);
	(void)state;
	poll_now(stage);
	assert_false(stage->owner.last.steerable);
	assert_int_equal(order_now(stage, false, 0), FAULT_REFUSED);
	assert_true(stage_close(stage));
}

static void what_can_not_curtail_is_not_steerable(void **state)
{
	static const struct act acts[][2] = {
		{ { POLL, "luxos_poll_uncurtailable", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } },
		{ { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "stock_tables", SAY_AND_CLOSE } },
	};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = STAGE(acts[i], .steer = true);
		poll_now(stage);
		assert_int_equal(stage->owner.last.state, MINER_HASHING);
		assert_false(stage->owner.last.steerable);
		assert_true(stage_close(stage));
	}
}

static void a_firmware_that_does_not_join_is_read_piece_by_piece(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_invalid", SAY_AND_CLOSE },
		{ POWER, "luxos_power", SAY_AND_CLOSE }, { CONFIG, "luxos_config", SAY_NUL_AND_STAY },
		{ SUMMARY, "luxos_summary", SAY_AND_CLOSE },
		{ VERSION, "luxos_version", SAY_AND_CLOSE }, { PROFILES, "luxos_profiles", SAY_AND_CLOSE },
		{ POWER, "luxos_power", SAY_AND_CLOSE }, { CONFIG, "luxos_config", SAY_AND_CLOSE },
		{ SUMMARY, "luxos_summary", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	(void)state;
	for (int i = 0; i < 2; i++) {
		poll_now(stage);
		assert_int_equal(stage->owner.last.fault, FAULT_NONE);
		assert_int_equal(stage->owner.last.state, MINER_HASHING);
		assert_int_equal(stage->owner.last.power_w, 2761);
		assert_int_equal(stage->owner.last.awake_w, 2794);
	}
	assert_true(stage_close(stage));
}

static void tables_that_fail_do_not_spoil_the_reading(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_HALF_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .nominal_w = 3000, .steer = true);
	(void)state;
	for (int i = 0; i < 2; i++) {
		poll_now(stage);
		assert_int_equal(stage->owner.last.fault, FAULT_NONE);
		assert_int_equal(stage->owner.last.awake_w, 0);
		assert_int_equal(stage->owner.last.power_w, 2761);
	}
	assert_int_equal(order_now(stage, true, 2500), FAULT_REFUSED);          /* no profile is known */
	assert_true(stage_close(stage));
}

static void each_fault_of_a_read_has_its_name(void **state)
{
	static const struct { struct act act; enum fault fault; uint32_t timeout_ms; } cases[] = {
		{ { POLL, NULL, SILENT }, FAULT_SILENT, 150 },
		{ { POLL, NULL, CLOSE }, FAULT_REFUSED, 0 },
		{ { POLL, NULL, FLOOD }, FAULT_GARBLED, 0 },
		{ { POLL, "luxos_poll", SAY_HALF_AND_CLOSE }, FAULT_GARBLED, 0 },
		{ { POLL, "btminer_cut", SAY_NUL_AND_STAY }, FAULT_GARBLED, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct act acts[] = { cases[i].act };
		struct stage *stage = STAGE(acts, .timeout_ms = cases[i].timeout_ms);
		poll_now(stage);
		assert_int_equal(stage->owner.last.fault, cases[i].fault);
		assert_true(stage->owner.last.at_ms > 0);
		assert_true(stage_close(stage));
	}
}

static void absurd_watts_are_no_reading(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_absurd", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .nominal_w = 3000);
	(void)state;
	poll_now(stage);
	assert_int_equal(stage->owner.last.fault, FAULT_ABSURD);
	assert_true(stage_close(stage));
}

static void tables_are_read_again_where_they_are_wrong(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL,
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },  /* another profile of the same table */
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_refused", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2794);
	(void)state;
	poll_now(stage);
	stage->owner.room->ahead_ms += 61000;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_REFUSED);
	for (int i = 0; i < 2; i++) {
		stage->owner.room->ahead_ms += 61000;
		poll_now(stage);
	}
	assert_true(stage_close(stage));
}

static void drivers_have_names_and_words(void **state)
{
	(void)state;
	const struct miner_driver *luxos = miner_driver_named("luxos"), *cgminer = miner_driver_named("cgminer");
	assert_string_equal(luxos->name, "luxos");
	assert_string_equal(cgminer->name, "cgminer");
	assert_null(miner_driver_named("acme"));
	assert_string_equal(miner_driver_names(), "luxos, cgminer");
	assert_string_equal(luxos->wakes[2], "unsafe");
	assert_null(luxos->cannot);
	assert_non_null(strstr(cgminer->cannot, "reports no watts"));
	assert_int_equal(cgminer->step_w, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_poll_reads_the_tables_and_a_second_does_not),
		cmocka_unit_test(who_only_watches_steers_nothing),
		cmocka_unit_test(what_can_not_curtail_is_not_steerable),
		cmocka_unit_test(a_firmware_that_does_not_join_is_read_piece_by_piece),
		cmocka_unit_test(tables_that_fail_do_not_spoil_the_reading),
		cmocka_unit_test(each_fault_of_a_read_has_its_name),
		cmocka_unit_test(absurd_watts_are_no_reading),
		cmocka_unit_test(tables_are_read_again_where_they_are_wrong),
		cmocka_unit_test(drivers_have_names_and_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
