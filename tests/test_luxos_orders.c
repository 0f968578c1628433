/* The LuxOS driver against a miner that follows a script, request by request: what it sends for an order. */
#include "tests/luxos_bench.h"

static void a_second_order_within_a_minute_is_one_connection(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_STAY },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	(void)state;
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(stage->miner.connections, 2);
	assert_int_equal(order_now(stage, true, 0), FAULT_NONE);
	assert_int_equal(stage->miner.connections, 3);
	assert_true(stage_close(stage));
}

static void sessions_are_taken_over_and_renewed(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_busy", SAY_AND_CLOSE }, { SESSION, "luxos_session", SAY_AND_CLOSE },
		{ CURTAIL("zZ98yY76,sleep"), "luxos_already", SAY_AND_CLOSE },
		{ CURTAIL("zZ98yY76,wakeup,mode=unsafe"), "luxos_expired", SAY_AND_CLOSE }, { LOGON, "luxos_logon", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup,mode=unsafe"), "luxos_refused", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .wake = "unsafe");
	(void)state;
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 0), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void a_limit_is_a_profile(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_atm", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { ATM("AbCd1234,enabled=false"), "luxos_atmset", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,490MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,190MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,190MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	(void)state;
	poll_now(stage);
	assert_int_equal(stage->owner.last.awake_w, 1188);
	assert_int_equal(order_now(stage, true, 2484), FAULT_NONE);
	poll_now(stage);                /* profile changed, but the tables were read less than a minute ago */
	assert_int_equal(stage->owner.last.awake_w, 2794);
	assert_int_equal(order_now(stage, true, 977), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 100), FAULT_NONE);     /* the least it knows */
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 3000), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void nominal_is_its_full_profile(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL,
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,540MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	/* What it measures is below its table: by the table alone, full would be 540MHz. */
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2600);
	(void)state;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);
	poll_now(stage);
	assert_int_equal(stage->owner.last.awake_w, 1916);
	assert_int_equal(stage->owner.last.power_w, 1890);
	assert_int_equal(order_now(stage, true, 2600), FAULT_NONE);
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2599), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 2600), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void a_faster_profile_of_its_own_comes_back(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_faster", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,640MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE },          /* somebody changed it: that is its own now */
		{ PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2800);
	(void)state;
	for (int i = 0; i < 2; i++) {
		poll_now(stage);
		assert_int_equal(order_now(stage, true, i ? 2800 : 2000), FAULT_NONE);
	}
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 2800), FAULT_NONE);
	assert_true(stage_close(stage));
}

/* Whoever starts beside a miner at a limit does not take that for full. */
static void a_limit_of_an_earlier_run_is_not_full(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2800);
	(void)state;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2800), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void atm_is_on_again_at_full_power(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_atm", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE },
		{ ATM("AbCd1234,enabled=false"), "luxos_atmset", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE }, { ATM("AbCd1234,enabled=true"), "luxos_refused", SAY_AND_CLOSE },
		{ ATM("AbCd1234,enabled=false"), "luxos_atmset", SAY_AND_CLOSE },      /* it may be on */
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE }, { ATM("AbCd1234,enabled=true"), "luxos_atmset", SAY_AND_CLOSE },
		{ ATM("AbCd1234,enabled=false"), "luxos_atmset", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2800);
	(void)state;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2800), FAULT_REFUSED);
	assert_int_equal(order_now(stage, true, 2800), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);    /* no poll in between: it is known to be on */
	assert_true(stage_close(stage));
}

static void sleeping_keeps_the_limit(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL,
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE }, { PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	static const int32_t wakes_w[] = { 2000, 0, 2794 };    /* as it is, in so many words and in none; and another power for one asleep */
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2794);
	(void)state;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
		if (i == 0)
			poll_now(stage);
		assert_int_equal(order_now(stage, true, wakes_w[i]), FAULT_NONE);
	}
	assert_true(stage_close(stage));
}

static void the_fault_of_an_order_has_its_name(void **state)
{
	static const struct { struct act act; enum fault fault; uint32_t timeout_ms; } cases[] = {
		{ { LOGON, NULL, SILENT }, FAULT_SILENT, 150 },
		{ { LOGON, NULL, CLOSE }, FAULT_SILENT, 0 },
		{ { LOGON, NULL, RESET }, FAULT_SILENT, 0 },
		{ { LOGON, "luxos_logon", SAY_HALF_AND_CLOSE }, FAULT_GARBLED, 0 },
		{ { LOGON, "luxos_invalid", SAY_AND_CLOSE }, FAULT_REFUSED, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct act acts[] = { cases[i].act };
		struct stage *stage = STAGE(acts, .steer = true, .timeout_ms = cases[i].timeout_ms);
		assert_int_equal(order_now(stage, false, 0), cases[i].fault);
		assert_true(stage_close(stage));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_order_within_a_minute_is_one_connection),
		cmocka_unit_test(sessions_are_taken_over_and_renewed),
		cmocka_unit_test(a_limit_is_a_profile),
		cmocka_unit_test(nominal_is_its_full_profile),
		cmocka_unit_test(a_faster_profile_of_its_own_comes_back),
		cmocka_unit_test(a_limit_of_an_earlier_run_is_not_full),
		cmocka_unit_test(atm_is_on_again_at_full_power),
		cmocka_unit_test(sleeping_keeps_the_limit),
		cmocka_unit_test(the_fault_of_an_order_has_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
