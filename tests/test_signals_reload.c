/* Signals over a reload: what was ordered goes on, what is gone ends, and what the broker refuses stays said. */
#include "tests/signals_bench.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reload), TEST(test_reload_keeps_orders), TEST(test_topic_refused),
	};
	return cmocka_run_group_tests_name("signals reload", tests, NULL, NULL);
}
