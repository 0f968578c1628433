/* Orders on a clock turned by hand: messages in, acknowledgements and events out. */
#include "tests/signals_bench.h"

static void test_life_of_a_cap(void **state)
{
	struct bench *b = *state;
	look_for(b, 60000, 15000000, 8000000);
	order(b, CAP_A);
	SAID(b,
	     "ack/qse event {\"id\":\"a\",\"result\":\"accepted\",\"why\":null,\"effective_w\":12000000,\"eta_s\":8.000,\"time\":\"2026-11-22T05:05:03.000Z\"}",
	     "event/a state {\"id\":\"a\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"active\",\"limit_w\":12000000,"
	     "\"received\":\"2026-11-22T05:05:03.000Z\",\"start\":\"2026-11-22T05:05:03.000Z\",\"end\":\"2026-11-22T05:09:03.000Z\","
	     "\"first_command\":null,\"met_at\":null,\"response_s\":null,\"before_w\":15000000,\"mean_w\":null,\"max_w\":null,"
	     "\"delivered_w\":null,\"not_drawn_wh\":null,\"why\":null}");
	look(b, 15000000, 8000000, 1);
	assert_int_equal(b->demand.limit_w, 12000000);
	assert_string_equal(signals_event_id(b->signals, b->demand.limit_from), "a");
	assert_null(signals_event_id(b->signals, -1));
	pass(b, 4000);
	look(b, 13000000, 6000000, 1);
	NOTHING_SAID(b);
	pass(b, 2500);
	look(b, 12000000, 5000000, 0);
	SAID(b, "event/a state {\"id\":\"a\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"met\",\"limit_w\":12000000,"
	     "\"received\":\"2026-11-22T05:05:03.000Z\",\"start\":\"2026-11-22T05:05:03.000Z\",\"end\":\"2026-11-22T05:09:03.000Z\","
	     "\"first_command\":\"2026-11-22T05:05:03.000Z\",\"met_at\":\"2026-11-22T05:05:09.500Z\",\"response_s\":6.500,"
	     "\"before_w\":15000000,\"mean_w\":14230769,\"max_w\":15000000,\"delivered_w\":769231,\"not_drawn_wh\":1388,\"why\":null}");
	pass(b, 233500);
	look(b, 12000000, 5000000, 0);
	SAID(b, "event/a state {\"id\":\"a\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"completed\",\"limit_w\":12000000,"
	     "\"received\":\"2026-11-22T05:05:03.000Z\",\"start\":\"2026-11-22T05:05:03.000Z\",\"end\":\"2026-11-22T05:09:03.000Z\","
	     "\"first_command\":\"2026-11-22T05:05:03.000Z\",\"met_at\":\"2026-11-22T05:05:09.500Z\",\"response_s\":6.500,"
	     "\"before_w\":15000000,\"mean_w\":12060416,\"max_w\":15000000,\"delivered_w\":2939584,\"not_drawn_wh\":195972,\"why\":null}");
	assert_int_equal(b->demand.limit_w, POLICY_NONE);
	look(b, 12000000, 5000000, 0);
	NOTHING_SAID(b);
}

static void test_scheduled_then_cancelled(void **state)
{
	struct bench *b = *state;
	order(b, "{\"id\":\"s\",\"kind\":\"shed\",\"issued\":\"2026-11-22T05:04:03Z\",\"start\":\"2026-11-22T05:06:03Z\",\"end\":\"2026-11-22T06:00:00Z\"}");
	SAID(b,
	     "ack/qse event {\"id\":\"s\",\"result\":\"accepted\",\"why\":null,\"effective_w\":0,\"eta_s\":128.000,\"time\":\"2026-11-22T05:04:03.000Z\"}",
	     "event/s state {\"id\":\"s\",\"signal\":\"qse\",\"kind\":\"shed\",\"status\":\"scheduled\",\"limit_w\":0,"
	     "\"received\":\"2026-11-22T05:04:03.000Z\",\"start\":\"2026-11-22T05:06:03.000Z\",\"end\":\"2026-11-22T06:00:00.000Z\","
	     "\"first_command\":null,\"met_at\":null,\"response_s\":null,\"before_w\":null,\"mean_w\":null,\"max_w\":null,"
	     "\"delivered_w\":null,\"not_drawn_wh\":null,\"why\":null}");
	target(b, "100", T0);
	look(b, 15000000, 8000000, 0);
	assert_int_equal(b->demand.miners_w, POLICY_NONE);
	assert_int_equal(b->demand.miners_soon_w, 0);   /* it begins before a miner woken now would have paid off */
	pass(b, 112000);
	target(b, "100", b->now.utc_ms);
	look(b, 15000000, 8000000, 3);
	assert_int_equal(b->demand.miners_w, 0);        /* 8 s ahead, so that it holds at its start */
	assert_true(b->demand.shed);
	NOTHING_SAID(b);
	pass(b, 8000);
	look(b, 7000000, 300000, 0);
	assert_int_equal(b->n, 2);
	assert_non_null(strstr(b->lines[0], "\"status\":\"active\""));
	assert_non_null(strstr(b->lines[0], "\"first_command\":\"2026-11-22T05:05:55.000Z\""));
	assert_non_null(strstr(b->lines[1], "\"status\":\"met\""));
	assert_non_null(strstr(b->lines[1], "\"response_s\":0.000"));
	b->n = 0;
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"releases\":\"s\",\"issued\":\"2026-11-22T05:06:03Z\"}");
	assert_int_equal(b->n, 2);
	assert_string_equal(b->lines[0], "ack/qse event {\"id\":\"r\",\"result\":\"accepted\",\"why\":null,\"effective_w\":null,\"eta_s\":0.000,\"time\":\"2026-11-22T05:06:03.000Z\"}");
	assert_non_null(strstr(b->lines[1], "\"status\":\"cancelled\""));
	assert_non_null(strstr(b->lines[1], "\"why\":\"released by r\""));
	look(b, 7000000, 300000, 0);
	assert_int_equal(b->demand.miners_w, POLICY_NONE);
}

static void test_missed_and_late(void **state)
{
	struct bench *b = *state;
	order(b, CAP_A);
	b->n = 0;
	look_for(b, 80000, 13000000, 1000000);
	NOTHING_SAID(b);
	look(b, 13000000, 1000000, 0);                  /* ten times the miners' sleep has passed */
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "\"status\":\"missed\""));
	assert_non_null(strstr(b->lines[0], "\"why\":\"not met for 80 s\""));
	b->n = 0;
	pass(b, 10000);
	look(b, 11999999, 1000000, 0);
	assert_non_null(strstr(b->lines[0], "\"status\":\"met\""));
	assert_non_null(strstr(b->lines[0], "\"response_s\":90.000"));
	assert_non_null(strstr(b->lines[0], "\"why\":null"));
	b->n = 0;
	look_for(b, 80000, 12000001, 1000000);          /* over it again, for as long */
	NOTHING_SAID(b);
	look_for(b, 1000, 12000001, 1000000);
	assert_non_null(strstr(b->lines[0], "\"status\":\"missed\""));
	b->n = 0;
	look(b, 12000000, 1000000, 0);
	assert_non_null(strstr(b->lines[0], "\"response_s\":90.000"));         /* the first time counts */
	look_for(b, 81000, 12000001, 1000000);
	b->n = 0;
	pass(b, 300000);
	look(b, 12000001, 1000000, 0);
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "event/a state"));
	assert_non_null(strstr(b->lines[0], "\"status\":\"missed\""));
}

static void test_short_and_never_met(void **state)
{
	struct bench *b = *state;
	order(b, CAP_A);
	b->n = 0;
	look_for(b, 20000, POLICY_NONE, POLICY_NONE);
	NOTHING_SAID(b);
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"issued\":\"2026-11-22T05:04:03Z\"}");
	assert_non_null(strstr(b->lines[1], "\"status\":\"cancelled\""));
	assert_non_null(strstr(b->lines[1], "\"mean_w\":null,\"max_w\":null"));
	b->n = 0;
	order(b, "{\"id\":\"b\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:04:03Z\",\"end\":\"2026-11-22T05:04:33Z\"}");
	b->n = 0;
	look_for(b, 11000, 5, 0);
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "\"status\":\"missed\""));
	assert_non_null(strstr(b->lines[0], "\"why\":\"it ended before it was met\""));
}

static void test_energy_is_exact(void **state)
{
	struct bench *b = *state;
	order(b, "{\"id\":\"b\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:04:03Z\",\"end\":\"2026-11-22T05:04:04Z\"}");
	for (int i = 0; i < 1000; i++) {
		look(b, i < 500 ? 1999 : 1, 0, 0);
		pass(b, 1);
	}
	b->n = 0;
	look(b, 0, 0, 0);
	assert_non_null(strstr(b->lines[0], "\"mean_w\":1000,\"max_w\":1999"));
}

static void test_same_id_twice(void **state)
{
	struct bench *b = *state;
	char text[600];
	order(b, CAP_A);
	b->n = 0;
	pass(b, 5000);
	order(b, CAP_A);
	SAID(b, "ack/qse event {\"id\":\"a\",\"result\":\"duplicate\",\"why\":\"answered before; nothing is done again\",\"effective_w\":12000000,\"eta_s\":8.000,\"time\":\"2026-11-22T05:04:08.000Z\"}");
	signals_message(b->signals, ORDER_TOPIC, CAP_A, strlen(CAP_A), true, b->now);
	assert_non_null(strstr(b->lines[0], "\"result\":\"duplicate\""));
	b->n = 0;
	/* A refused one is refused again, in the same words, even if it would be good by now. */
	snprintf(text, sizeof(text), "%s", "{\"id\":\"f\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:06:03Z\",\"end\":\"2026-11-22T06:00:00Z\"}");
	order(b, text);
	assert_int_equal(b->n, 2);
	assert_string_equal(b->lines[0], "ack/qse event {\"id\":\"f\",\"result\":\"rejected\",\"why\":\"issued more than 60 s in the future: check both clocks\",\"effective_w\":null,\"eta_s\":null,\"time\":\"2026-11-22T05:04:08.000Z\"}");
	assert_non_null(strstr(b->lines[1], "event/f state"));
	assert_non_null(strstr(b->lines[1], "\"status\":\"rejected\""));
	b->n = 0;
	pass(b, 120000);
	order(b, text);
	SAID(b, "ack/qse event {\"id\":\"f\",\"result\":\"rejected\",\"why\":\"issued more than 60 s in the future: check both clocks\",\"effective_w\":null,\"eta_s\":null,\"time\":\"2026-11-22T05:06:08.000Z\"}");
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.limit_w, 12000000);
}

/* One turn by a clock that is an hour ahead ends all orders; what the grid then sends again is in force again. */
static void test_same_id_after_a_wrong_clock(void **state)
{
	struct bench *b = *state;
	order(b, CAP_A);
	b->now.utc_ms += 3600000;
	look(b, 15000000, 8000000, 0);
	assert_int_equal(b->demand.limit_w, POLICY_NONE);
	b->now.utc_ms -= 3600000;
	assert_non_null(strstr(ack_of(b, CAP_A), "\"result\":\"accepted\",\"why\":\"taken anew: a clock that was ahead"));
	look(b, 15000000, 8000000, 0);
	assert_int_equal(b->demand.limit_w, 12000000);
	assert_non_null(strstr(ack_of(b, CAP_A), "\"result\":\"duplicate\",\"why\":\"taken anew"));
	pass(b, 300000);
	look(b, 15000000, 8000000, 0);
	assert_non_null(strstr(ack_of(b, CAP_A), "\"result\":\"duplicate\""));
	assert_int_equal(b->demand.limit_w, POLICY_NONE);
}

static void test_stale_retained_and_reserved(void **state)
{
	struct bench *b = *state;
	order(b, CAP_A);
	b->n = 0;
	order(b, "{\"id\":\"o\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:04:02.999Z\",\"end\":\"2026-11-22T06:00:00Z\"}");
	assert_string_equal(b->lines[0], "ack/qse event {\"id\":\"o\",\"result\":\"stale\",\"why\":\"older than the newest order of its signal\",\"effective_w\":null,\"eta_s\":null,\"time\":\"2026-11-22T05:04:03.000Z\"}");
	assert_non_null(strstr(b->lines[1], "\"status\":\"rejected\""));
	b->n = 0;
	const char *kept = "{\"id\":\"k\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:04:03Z\",\"end\":\"2026-11-22T06:00:00Z\"}";
	signals_message(b->signals, ORDER_TOPIC, kept, strlen(kept), true, b->now);
	assert_int_equal(b->n, 1);                      /* what an earlier run said of this event stays */
	assert_non_null(strstr(b->lines[0], "\"result\":\"rejected\",\"why\":\"delivered retained"));
	b->n = 0;
	order(b, kept);                                 /* said anew and alive, it counts */
	assert_non_null(strstr(b->lines[0], "\"result\":\"accepted\""));
	b->n = 0;
	order(b, "{\"id\":\"maestro\",\"kind\":\"cap\",\"limit_w\":0,\"issued\":\"2026-11-22T05:04:03Z\",\"end\":\"2026-11-22T06:00:00Z\"}");
	order(b, "{\"id\":\"operator-1\",\"kind\":\"cap\",\"limit_w\":0,\"issued\":\"2026-11-22T05:04:03Z\",\"end\":\"2026-11-22T06:00:00Z\"}");
	assert_int_equal(b->n, 2);
	assert_non_null(strstr(b->lines[0], "ack/qse event {\"id\":\"maestro\",\"result\":\"rejected\""));
	assert_non_null(strstr(b->lines[1], "ack/qse event {\"id\":\"operator-1\",\"result\":\"rejected\""));
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.limit_w, 1);
}

static void test_partial_answers(void **state)
{
	struct bench *b = *state;
	look(b, 15000000, 8000000, 0);
	assert_non_null(strstr(ack_of(b, "{\"id\":\"1\",\"kind\":\"cap\",\"limit_w\":7100000," REST),
	                "\"result\":\"accepted\",\"why\":null,\"effective_w\":7100000,\"eta_s\":8.000"));
	assert_non_null(strstr(ack_of(b, "{\"id\":\"2\",\"kind\":\"cap\",\"limit_w\":7099999," REST),
	                "\"result\":\"partial\",\"why\":\"firm_load_floor: without its miners the site still draws 7100000 W\",\"effective_w\":7100000"));
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"issued\":\"2026-11-22T05:04:03Z\"}");
	assert_non_null(strstr(ack_of(b, "{\"id\":\"0\",\"kind\":\"cap\",\"limit_w\":15000000," REST),
	                "\"effective_w\":15000000,\"eta_s\":0.000"));
	order(b, "{\"id\":\"r0\",\"kind\":\"release\",\"issued\":\"2026-11-22T05:04:03Z\"}");
	assert_non_null(strstr(ack_of(b, "{\"id\":\"3\",\"kind\":\"cap\",\"limit_w\":30000000," REST),
	                "\"result\":\"accepted\",\"why\":\"a lower limit is in force, from site\",\"effective_w\":20000000,\"eta_s\":0.000"));
	assert_non_null(strstr(ack_of(b, "{\"id\":\"4\",\"kind\":\"cap\",\"limit_w\":12000000," REST),
	                "\"result\":\"accepted\",\"why\":null"));
	assert_non_null(strstr(ack_of(b, "{\"id\":\"5\",\"kind\":\"cap\",\"limit_w\":13000000," REST),
	                "\"result\":\"accepted\",\"why\":\"a lower limit is in force, from 4\",\"effective_w\":12000000"));
	assert_non_null(strstr(ack_of(b, "{\"id\":\"6\",\"kind\":\"setpoint\",\"setpoint_w\":14000000,\"priority\":1," REST),
	                "\"result\":\"partial\",\"why\":\"limit of 12000000 W in force, from 4\",\"effective_w\":12000000,\"eta_s\":8.000"));
	assert_non_null(strstr(ack_of(b, "{\"id\":\"7\",\"kind\":\"setpoint\",\"setpoint_w\":11000000,\"priority\":2," REST),
	                "\"result\":\"partial\",\"why\":\"higher_priority: set point 6 comes first\",\"effective_w\":12000000"));
	assert_non_null(strstr(ack_of(b, "{\"id\":\"8\",\"kind\":\"setpoint\",\"setpoint_w\":11500000,\"priority\":0," REST),
	                "\"result\":\"accepted\",\"why\":null,\"effective_w\":11500000"));
	assert_non_null(strstr(ack_of(b, "{\"id\":\"9\",\"kind\":\"release\",\"releases\":\"nobody\"," REST),
	                "\"result\":\"rejected\",\"why\":\"no such order of this signal is alive\""));
	assert_int_equal(b->n, 1);
}

static void test_set_point_met(void **state)
{
	struct bench *b = *state;
	order(b, "{\"id\":\"p\",\"kind\":\"setpoint\",\"setpoint_w\":10000000,\"ramp_w_per_min\":60000," REST);
	b->n = 0;
	look(b, 9799999, 5000000, 1);
	assert_int_equal(b->demand.setpoint_w, 10000000);
	assert_int_equal(b->demand.setpoint_ramp_w_per_min, 60000);
	look(b, 10200001, 5000000, 1);
	NOTHING_SAID(b);
	look(b, 10200000, 5000000, 0);
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "\"status\":\"met\""));
}

static void test_malformed(void **state)
{
	struct bench *b = *state;
	order(b, "{\"id\":\"x\",\"kind\":\"cap\",\"limit_w\":-5," REST);
	SAID(b,
	     "alarm/signal/qse state {\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"limit_w is out of range: -5 is not within 0 and 5000000000\",\"severity\":\"warning\",\"subject\":\"qse\"}",
	     "ack/qse event {\"id\":\"x\",\"result\":\"rejected\",\"why\":\"limit_w is out of range: -5 is not within 0 and 5000000000\",\"effective_w\":null,\"eta_s\":null,\"time\":\"2026-11-22T05:04:03.000Z\"}");
	order(b, "{\"id\":\"x\",\"kind\":\"cap\",\"limit_w\":-6," REST);
	assert_int_equal(b->n, 1);                      /* the same alarm but for its figures */
	b->n = 0;
	order(b, "nonsense");
	assert_int_equal(b->n, 2);
	assert_non_null(strstr(b->lines[0], "\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"not JSON\""));
	assert_non_null(strstr(b->lines[1], "ack/qse event {\"id\":null,\"result\":\"rejected\""));
	b->n = 0;
	assert_true(signals_message(b->signals, ORDER_TOPIC, NULL, 70000, false, b->now));
	assert_int_equal(b->n, 2);
	assert_non_null(strstr(b->lines[0], "\"why\":\"70000 bytes are more than 65536\""));
	assert_true(signals_message(b->signals, "maestro/target", NULL, 70000, false, b->now));
	assert_int_equal(b->n, 3);
	assert_int_equal(b->changes, 4);
	b->n = 0;
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.limit_w, POLICY_NONE);
	order(b, CAP_A);
	assert_non_null(strstr(b->lines[0], "alarm/signal/qse state {\"raised\":false,"));
	assert_false(alarms_raised(b->alarms, "signal/qse"));
	assert_true(alarms_raised(b->alarms, "signal/maestro"));
	assert_false(message(b, "somebody/else", CAP_A));
	assert_false(message(b, "mullet/pecos-1/order", CAP_A));
}

/* A sender clears what it had left retained: the broker hands that on to all who listen, and nothing is meant by it. */
static void test_empty(void **state)
{
	struct bench *b = *state;
	order(b, CAP_A);
	target(b, "40", T0);
	look(b, 15000000, 9000000, 0);
	b->n = b->changes = 0;
	order(b, "");
	assert_true(signals_message(b->signals, ORDER_TOPIC, "", 0, true, b->now));
	assert_true(message(b, "maestro/target", ""));
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->n, 0);
	assert_int_equal(b->changes, 0);
	assert_int_equal(b->demand.limit_w, 12000000);
	assert_int_equal(b->demand.miners_w, 4000000);
	pass(b, 90000);                         /* nor was it a word of a sender that is there */
	look(b, 15000000, 9000000, 0);
	assert_true(alarms_raised(b->alarms, "signal/maestro"));
	order(b, "nonsense");
	b->n = b->changes = 0;
	order(b, "");                           /* nor a good one after a bad one */
	assert_int_equal(b->n, 0);
	assert_true(alarms_raised(b->alarms, "signal/qse"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ORDERS(test_life_of_a_cap), TEST(test_scheduled_then_cancelled), ORDERS(test_missed_and_late),
		ORDERS(test_short_and_never_met), ORDERS(test_energy_is_exact), TEST(test_same_id_twice), TEST(test_same_id_after_a_wrong_clock),
		TEST(test_stale_retained_and_reserved),
		TEST(test_partial_answers), TEST(test_set_point_met), TEST(test_malformed), TEST(test_empty),
	};
	return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
