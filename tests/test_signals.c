/* Messages in, lines out, on a clock turned by hand. */
#include "daemon/refused.h"
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

static void test_target_levels(void **state)
{
	struct bench *b = *state;
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.miners_w, POLICY_NONE);
	assert_int_equal(b->demand.miners_soon_w, 0);   /* not heard yet: none is woken that may have to sleep */
	target(b, "50", T0);
	SAID(b, "event/maestro state {\"id\":\"maestro\",\"signal\":\"maestro\",\"kind\":\"share\",\"status\":\"active\",\"limit_w\":5000000,"
	     "\"received\":\"2026-11-22T05:04:03.000Z\",\"start\":\"2026-11-22T05:04:03.000Z\",\"end\":null,"
	     "\"first_command\":null,\"met_at\":null,\"response_s\":null,\"before_w\":15000000,\"mean_w\":null,\"max_w\":null,"
	     "\"delivered_w\":null,\"not_drawn_wh\":null,\"why\":\"target 50.00 %\"}");
	look(b, 15000000, 9000000, 2);
	assert_int_equal(b->demand.miners_w, 5000000);
	assert_int_equal(b->demand.miners_soon_w, 5000000);
	assert_false(b->demand.shed);
	assert_string_equal(signals_event_id(b->signals, b->demand.miners_from), "maestro");
	pass(b, 30000);
	target(b, "50", T0 + 30000);
	NOTHING_SAID(b);                                /* the same again is no news */
	look(b, 11000000, 5300001, 0);
	NOTHING_SAID(b);
	look(b, 11000000, 5300000, 0);                  /* 5 MW, 100 kW asleep, and 2 % */
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "\"status\":\"met\""));
	assert_non_null(strstr(b->lines[0], "\"first_command\":\"2026-11-22T05:04:03.000Z\""));
	b->n = 0;
	target(b, "33.3333", T0 + 30000);
	assert_non_null(strstr(b->lines[0], "\"status\":\"active\",\"limit_w\":3333330"));
	b->n = 0;
	target(b, "100", T0 + 31000);
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "\"status\":\"missed\""));
	assert_non_null(strstr(b->lines[0], "\"why\":\"target 100.00 %\""));
	look(b, 11000000, 5300000, 0);
	assert_int_equal(b->demand.miners_w, POLICY_NONE);
	assert_int_equal(b->demand.miners_soon_w, POLICY_NONE);
}

static void test_target_timestamps(void **state)
{
	struct bench *b = *state;
	target(b, "0", T0 - 86401000);
	assert_non_null(strstr(b->lines[0], "ignored: its timestamp is 86401 s off"));
	target(b, "50", T0 + 10000);
	b->n = 0;
	target(b, "100", T0 + 9000);
	SAID(b, "alarm/signal/maestro state {\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"ignored: its timestamp is 1 s older than the last one\",\"severity\":\"warning\",\"subject\":\"maestro\"}");
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 5000000);
	b->n = 0;
	target(b, "40", T0 + 10000);
	assert_non_null(strstr(b->lines[0], "alarm/signal/maestro state {\"raised\":false"));
	b->n = 0;
	target(b, "0", T0 + 86401000);
	assert_non_null(strstr(b->lines[0], "ignored: its timestamp is -86401 s off"));
	target(b, "0", T0 - 86401000);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 4000000);
	target(b, "30", T0 + 86400000);                 /* a day off, to the second, will do */
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 3000000);
}

static void test_target_retained(void **state)
{
	struct bench *b = *state;
	char text[100];
	snprintf(text, sizeof(text), "{\"target\":100,\"timestamp\":%lld}", (T0 - 90000) / 1000);
	assert_true(signals_message(b->signals, "maestro/target", text, strlen(text), true, b->now));
	assert_non_null(strstr(b->lines[0], "delivered retained, 90 s after it was sent"));
	snprintf(text, sizeof(text), "{\"target\":20,\"timestamp\":%lld}", (T0 - 80000) / 1000);
	signals_message(b->signals, "maestro/target", text, strlen(text), true, b->now);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 2000000);
	pass(b, 9000);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 2000000);
	pass(b, 1000);                                  /* its age counts */
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 0);
}

static struct bench *rebuilt(struct bench *b, enum when_stale when_stale)
{
	struct signal_conf conf = signal_confs[1];
	conf.when_stale = when_stale;
	signals_free(b->signals);
	alarms_free(b->alarms);
	memset(b, 0, sizeof(*b));
	build(b, &conf, 1);
	return b;
}

static void test_target_goes_stale(void **state)
{
	static const struct { enum when_stale when; int64_t before_w, after_w; const char *why, *status; } cases[] = {
		{ WHEN_STALE_CURTAIL, 5000000, 0, "no message for 90 s: its miners are curtailed", "\"status\":\"active\",\"limit_w\":0" },
		{ WHEN_STALE_HOLD, 5000000, 5000000, "no message for 90 s: its last target holds", NULL },
		{ WHEN_STALE_RELEASE, 5000000, POLICY_NONE, "no message for 90 s: it is released", "\"status\":\"cancelled\"" },
	};
	for (size_t i = 0; i < 3; i++) {
		struct bench *b = rebuilt(*state, cases[i].when);
		target(b, "50", T0);
		pass(b, 89999);
		look(b, 15000000, 9000000, 0);
		assert_int_equal(b->demand.miners_w, cases[i].before_w);
		b->n = 0;
		pass(b, 1);
		look(b, 15000000, 9000000, 0);
		assert_int_equal(b->demand.miners_w, cases[i].after_w);
		assert_non_null(strstr(b->lines[0], cases[i].why));
		assert_non_null(strstr(b->lines[0], "\"severity\":\"critical\""));
		assert_int_equal(b->n, cases[i].status ? 2 : 1);
		if (cases[i].status)
			assert_non_null(strstr(b->lines[1], cases[i].status));
		pass(b, 1000000);
		look(b, 15000000, 9000000, 0);
		b->n = 0;
		target(b, "60", b->now.utc_ms);
		assert_non_null(strstr(b->lines[0], "alarm/signal/maestro state {\"raised\":false"));
		look(b, 15000000, 9000000, 0);
		assert_int_equal(b->demand.miners_w, 6000000);
	}
}

static void test_target_never_heard(void **state)
{
	static const struct { enum when_stale when; int64_t soon_w, miners_w, later_w; } cases[] = {
		{ WHEN_STALE_CURTAIL, 0, 0, 0 }, { WHEN_STALE_HOLD, 0, POLICY_NONE, 0 },
		{ WHEN_STALE_RELEASE, POLICY_NONE, POLICY_NONE, POLICY_NONE },
	};
	for (size_t i = 0; i < 3; i++) {
		struct bench *b = rebuilt(*state, cases[i].when);
		look(b, 1, 1, 0);
		assert_int_equal(b->demand.miners_w, POLICY_NONE);
		assert_int_equal(b->demand.miners_soon_w, cases[i].soon_w);
		pass(b, 90000);
		look(b, 1, 1, 0);
		assert_int_equal(b->demand.miners_w, cases[i].miners_w);
		assert_int_equal(b->demand.miners_soon_w, cases[i].later_w);
		assert_true(alarms_raised(b->alarms, "signal/maestro"));
	}
}

/* A sender whose clock was hours ahead and has been set right is heard again once its signal is stale. */
static void test_target_clock_set_back(void **state)
{
	struct bench *b = *state;
	target(b, "50", T0 + 7200000);
	target(b, "60", T0);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 5000000);
	pass(b, 90000);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 0);
	target(b, "100", T0);                           /* as old as staleness allows: still no */
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 0);
	target(b, "60", T0 + 60000);
	look(b, 1, 1, 0);
	assert_int_equal(b->demand.miners_w, 6000000);
}

/* The configuration is read again: what was ordered goes on, what belonged to a signal now gone ends. */
static void test_reload(void **state)
{
	struct bench *b = *state;
	struct signal_conf confs[] = { signal_confs[1], { .name = "iso", .format = SIGNAL_ORDER } };
	struct signals_conf conf = conf_with(confs, 2);
	conf.nominal_w = 8000000;
	order(b, CAP_A);
	target(b, "50", T0);
	hold(b, 9000000, 60000);
	order(b, "nonsense");
	look(b, 15000000, 9000000, 0);
	b->n = 0;
	struct signals *old = b->signals;
	b->signals = signals_new(&conf, &b->sink, b->alarms, b->now);
	signals_adopt(b->signals, old, b->now);
	signals_free(old);
	assert_non_null(strstr(b->lines[0], "alarm/signal/maestro state {\"raised\":false"));
	assert_non_null(strstr(b->lines[1], "alarm/signal/iso state {\"raised\":false"));
	assert_non_null(strstr(b->lines[2], "event/a state"));
	assert_non_null(strstr(b->lines[2], "\"status\":\"cancelled\""));
	assert_non_null(strstr(b->lines[3], "alarm/signal/qse state {\"raised\":false"));
	assert_non_null(strstr(b->lines[4], "event/maestro state"));
	assert_non_null(strstr(b->lines[4], "\"limit_w\":4000000"));
	assert_int_equal(b->n, 5);
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.limit_w, POLICY_NONE);
	assert_int_equal(b->demand.setpoint_w, 9000000);
	assert_int_equal(b->demand.miners_w, 4000000);
	assert_string_equal(signals_event_id(b->signals, b->demand.miners_from), "maestro");
	b->now.utc_ms -= 3600000;                       /* for how long it is to be held is known still */
	pass(b, 60000);
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
	b->now.utc_ms += 3600000 - 60000;
	assert_true(hold(b, 9000000, 0));
	assert_true(release(b));
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
	target(b, "49", T0 - 1000);
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.miners_w, 4000000);  /* the newest timestamp is remembered too */
	assert_false(message(b, ORDER_TOPIC, CAP_A));
	assert_string_equal(signals_topic(b->signals, 1), "mullet/pecos-1/order/iso");
	assert_int_equal(signals_count(b->signals), 2);
}

static void test_reload_keeps_orders(void **state)
{
	struct bench *b = *state;
	struct signal_conf confs[] = { signal_confs[1], signal_confs[0] };
	struct signals_conf conf = conf_with(confs, 2);
	order(b, CAP_A);
	struct signals *old = b->signals;
	b->signals = signals_new(&conf, &b->sink, b->alarms, b->now);
	signals_adopt(b->signals, old, b->now);
	signals_free(old);
	b->n = 0;
	order(b, CAP_A);
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "\"result\":\"duplicate\""));
	order(b, "{\"id\":\"o\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:04:02Z\",\"end\":\"2026-11-22T06:00:00Z\"}");
	assert_non_null(strstr(b->lines[1], "\"result\":\"stale\""));
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.limit_w, 12000000);
	b->n = 0;
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"issued\":\"2026-11-22T05:04:03Z\"}");
	assert_non_null(strstr(b->lines[1], "event/a state"));
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.limit_w, POLICY_NONE);
}

static void test_events_listed(void **state)
{
	struct bench *b = *state;
	struct json json = { .text = NULL };
	order(b, CAP_A);
	order(b, "{\"id\":\"b\",\"kind\":\"cap\",\"limit_w\":13000000," REST);
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"releases\":\"a\",\"issued\":\"2026-11-22T05:04:03Z\"}");
	signals_events_json(b->signals, &json, NULL);
	char *alive = strstr(json.text, "\"id\":\"b\""), *ended = strstr(json.text, "\"id\":\"a\"");
	assert_true(alive && ended && alive < ended);
	assert_null(strstr(json.text, "\"id\":\"r\""));
	json_free(&json);
}

/* Orders begin and end by the wall clock: who asks why one did finds that it was set. */
static void test_clock_set(void **state)
{
	struct bench *b = *state;
	order(b, CAP_A);
	order(b, "{\"id\":\"b\",\"kind\":\"cap\",\"limit_w\":13000000,\"start\":\"2026-11-22T05:09:00Z\"," REST);
	order(b, "{\"id\":\"c\",\"kind\":\"cap\",\"limit_w\":13000000,\"start\":\"2026-11-22T05:50:00Z\"," REST);
	for (int i = 0; i < 100; i++) {         /* slowly corrected */
		look(b, 15000000, 9000000, 0);
		pass(b, 250);
		b->now.utc_ms += 50;
		b->n = 0;
	}
	b->now.utc_ms -= 1999;
	look(b, 15000000, 9000000, 0);
	assert_false(alarms_raised(b->alarms, "clock"));
	b->n = 0;
	b->now.utc_ms += 300000;
	look(b, 15000000, 9000000, 0);
	assert_non_null(strstr(b->lines[b->n - 1], "alarm/clock state {\"raised\":true,"));
	assert_non_null(strstr(b->lines[b->n - 1], "\"why\":\"it was set forward by 300 s: of 3 orders alive 1 began and 1 ended with that\",\"severity\":\"warning\""));
	int changes = b->changes;
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->changes, changes);
	b->n = 0;
	b->now.utc_ms += 2000;                  /* once more: said anew */
	look(b, 15000000, 9000000, 0);
	assert_true(b->changes > changes);
	assert_non_null(strstr(b->lines[b->n - 1], "set forward by 2 s: of 2 orders alive 0 began and 0 ended"));
	b->now.utc_ms -= 3600000;
	look(b, 15000000, 9000000, 0);
	assert_non_null(strstr(b->lines[b->n - 1], "set back by 3600 s: of 2 orders alive 0 began and 0 ended"));
	b->n = 0;
	b->now.mono_ms += ALARMS_PASSING_MS;
	b->now.utc_ms += ALARMS_PASSING_MS;
	alarms_pass(b->alarms, b->now);
	assert_false(alarms_raised(b->alarms, "clock"));
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;
	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

/* Who asks what happened is to find it there, with its reason. */
static void test_refused_listed(void **state)
{
	static const char old[] = "{\"id\":\"old\",\"kind\":\"shed\",\"keep_w\":7,\"issued\":\"2026-11-22T05:04:02Z\",\"end\":\"2026-11-22T06:00:00Z\"}";
	struct bench *b = *state;
	struct json json = { .text = NULL };
	order(b, CAP_A);
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"releases\":null," REST);
	order(b, old);
	order(b, old);                          /* answered before */
	pass(b, 1000);
	signals_message(b->signals, ORDER_TOPIC, CAP_A, strlen(CAP_A), true, b->now);
	order(b, "{\"id\":\"x\",\"kind\":\"cap\",\"limit_w\":-5," REST);
	order(b, "{\"id\":\"maestro\",\"kind\":\"cap\",\"limit_w\":5," REST);
	order(b, "{\"id\":\"r9\",\"kind\":\"release\",\"releases\":\"nobody\"," REST);
	b->n = 0;
	assert_true(signals_message(b->signals, ORDER_TOPIC, NULL, 70000, false, b->now));
	signals_events_json(b->signals, &json, NULL);
	assert_int_equal(count(json.text, "\"status\":\"rejected\""), 5);
	static const char *const there[] = {
		"\"id\":\"a\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"cancelled\"",
		"{\"id\":null,\"signal\":\"qse\",\"kind\":null,\"status\":\"rejected\",\"limit_w\":null,\"received\":\"2026-11-22T05:04:04.000Z\","
			"\"start\":\"2026-11-22T05:04:04.000Z\",\"end\":null,",
		"\"why\":\"70000 bytes are more than 65536\"}", "{\"id\":\"r9\",\"signal\":\"qse\",\"kind\":\"release\",",
		"\"why\":\"no such order of this signal is alive\"}", "{\"id\":\"maestro\",", "kept for events of other origin\"}",
		"{\"id\":\"x\",", "limit_w is out of range: -5",
		"{\"id\":\"old\",\"signal\":\"qse\",\"kind\":\"shed\",\"status\":\"rejected\",\"limit_w\":7,\"received\":\"2026-11-22T05:04:03.000Z\"",
		"\"why\":\"older than the newest order of its signal\"}",
	};
	const char *at = json.text;
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
		at = strstr(at, there[i]);
		if (!at)
			fail_msg("not there, or not in its place: %s in %s", there[i], json.text);
	}
	json_free(&json);
}

/* One sender is wild for ten minutes: what it pushes out is its own, and neither the others nor what ended. */
static void test_refused_without_end(void **state)
{
	static const struct signal_conf confs[] = { { .name = "qse", .format = SIGNAL_ORDER }, { .name = "wild", .format = SIGNAL_ORDER } };
	struct bench *b = *state;
	struct json json = { .text = NULL };
	struct signals_conf conf = conf_with(confs, 2);
	signals_free(b->signals);
	b->signals = signals_new(&conf, &b->sink, b->alarms, b->now);
	order(b, CAP_A);
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"releases\":null," REST);
	order(b, "nonsense");
	for (int i = 0; i < 6000; i++) {
		pass(b, 100);
		b->n = 0;
		assert_true(message(b, "mullet/pecos-1/order/wild", "[]"));
	}
	signals_events_json(b->signals, &json, NULL);
	assert_int_equal(count(json.text, "\"signal\":\"wild\""), REFUSED_MOST - 1);
	assert_int_equal(count(json.text, "\"signal\":\"qse\""), 2);
	assert_int_equal(count(json.text, "; and 590 more of this signal within a minute\""), 4);
	pass(b, 60000);
	b->n = 0;
	for (int i = 0; i < 20; i++)
		order(b, "nonsense");
	json_reset(&json);
	signals_events_json(b->signals, &json, NULL);
	assert_int_equal(count(json.text, "\"status\":\"rejected\",") , REFUSED_MOST);
	assert_int_equal(count(json.text, "\"signal\":\"qse\""), 12);
	assert_int_equal(count(json.text, "; and 10 more of this signal within a minute\""), 1);
	json_free(&json);
}

static void test_before_is_the_last_quarter_hour(void **state)
{
	struct bench *b = *state;
	look_for(b, 900000, 10000000, 5000000);
	look_for(b, 450000, 20000000, 5000000);
	order(b, "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":12000000,\"issued\":\"2026-11-22T05:26:33Z\",\"end\":\"2026-11-22T06:09:03Z\"}");
	char *before = strstr(b->lines[b->n - 1], "\"before_w\":");
	assert_non_null(before);
	assert_in_range(atoi(before + 11), 14900000, 15100000);
	pass(b, 1200000);                               /* nothing known for 20 min: what was before is too old */
	look(b, 9000000, 5000000, 0);
	order(b, "{\"id\":\"b\",\"kind\":\"cap\",\"limit_w\":12000000,\"issued\":\"2026-11-22T05:26:33Z\",\"end\":\"2026-11-22T06:09:03Z\"}");
	assert_non_null(strstr(b->lines[b->n - 1], "\"before_w\":9000000"));
}

/* A broker that refuses a topic: said until it is granted, through a reload, and together with what the silence means. */
static void test_topic_refused(void **state)
{
	struct bench *b = *state;
	signals_subscribed(b->signals, ORDER_TOPIC, true, b->now);
	NOTHING_SAID(b);
	signals_subscribed(b->signals, ORDER_TOPIC, false, b->now);
	signals_subscribed(b->signals, "maestro/target", false, b->now);
	assert_int_equal(b->n, 2);
	assert_non_null(strstr(b->lines[0], "alarm/signal/qse state {\"raised\":true"));
	assert_non_null(strstr(b->lines[0], "the broker refuses the topic mullet/pecos-1/order/qse: no order sent there arrives"));
	assert_non_null(strstr(b->lines[0], "\"severity\":\"critical\""));
	signals_subscribed(b->signals, ORDER_TOPIC, false, b->now);
	pass(b, 90000);
	b->n = 0;
	look(b, 1, 1, 0);
	assert_non_null(strstr(b->lines[0], "no message for 90 s, for the broker refuses its topic: its miners are curtailed"));
	struct signals *old = b->signals;
	struct signals_conf conf = conf_with(signal_confs, 2);
	b->signals = signals_new(&conf, &b->sink, b->alarms, b->now);
	signals_adopt(b->signals, old, b->now);
	signals_free(old);
	b->n = 0;
	signals_subscribed(b->signals, ORDER_TOPIC, true, b->now);
	assert_int_equal(b->n, 1);
	assert_non_null(strstr(b->lines[0], "alarm/signal/qse state {\"raised\":false"));
	signals_subscribed(b->signals, "maestro/target", true, b->now);
	b->n = 0;
	look(b, 1, 1, 0);
	assert_int_equal(b->n, 1);                      /* it is silent still */
	assert_non_null(strstr(b->lines[0], "no message for 90 s: its miners are curtailed"));
}

static void test_alarms(void **state)
{
	struct bench *b = *state;
	struct json json = { .text = NULL };
	alarms_raise(b->alarms, "cap", SEVERITY_WARNING, NULL, b->now, "%d kW over", 12);
	SAID(b, "alarm/cap state {\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"12 kW over\",\"severity\":\"warning\",\"subject\":null}");
	pass(b, 1000);
	alarms_raise(b->alarms, "cap", SEVERITY_WARNING, NULL, b->now, "%.1f kW over", 113.5);
	NOTHING_SAID(b);
	alarms_raise(b->alarms, "cap", SEVERITY_CRITICAL, NULL, b->now, "%d kW over", 13);
	SAID(b, "alarm/cap state {\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"13 kW over\",\"severity\":\"critical\",\"subject\":null}");
	alarms_raise(b->alarms, "meter/main", SEVERITY_WARNING, "main", b->now, "silent");
	b->n = 0;
	alarms_json(b->alarms, &json, NULL);
	assert_string_equal(json.text, "[{\"name\":\"cap\",\"raised\":true,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":\"13 kW over\",\"severity\":\"critical\",\"subject\":null},"
	                    "{\"name\":\"meter/main\",\"raised\":true,\"since\":\"2026-11-22T05:04:04.000Z\",\"why\":\"silent\",\"severity\":\"warning\",\"subject\":\"main\"}]");
	json_free(&json);
	assert_int_equal(alarms_count(b->alarms), 2);
	alarms_clear(b->alarms, "cap", b->now);
	SAID(b, "alarm/cap state {\"raised\":false,\"since\":\"2026-11-22T05:04:04.000Z\",\"why\":null,\"severity\":\"critical\",\"subject\":null}");
	alarms_clear(b->alarms, "cap", b->now);
	alarms_clear(b->alarms, "never", b->now);
	NOTHING_SAID(b);
	assert_int_equal(b->changes, 4);
	assert_int_equal(alarms_count(b->alarms), 1);
	alarms_declare(b->alarms, "meter/main", "main", b->now);
	NOTHING_SAID(b);                                /* raised stays raised */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ORDERS(test_life_of_a_cap), TEST(test_scheduled_then_cancelled), ORDERS(test_missed_and_late),
		ORDERS(test_short_and_never_met), ORDERS(test_energy_is_exact), TEST(test_same_id_twice), TEST(test_same_id_after_a_wrong_clock),
		TEST(test_stale_retained_and_reserved),
		TEST(test_partial_answers), TEST(test_set_point_met), TEST(test_malformed),
		TEST(test_target_levels), TEST(test_target_timestamps), TEST(test_target_retained),
		TEST(test_target_goes_stale), TEST(test_target_never_heard), TEST(test_target_clock_set_back),
		TEST(test_reload), TEST(test_reload_keeps_orders), TEST(test_events_listed), TEST(test_clock_set), TEST(test_refused_listed), TEST(test_refused_without_end),
		TEST(test_before_is_the_last_quarter_hour), TEST(test_topic_refused), TEST(test_alarms),
	};
	return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
