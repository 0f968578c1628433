/* The operator's hand: hold, shed and release, beside the grid and whatever the clock does; and what the log says of orders. */
#include <fcntl.h>
#include <unistd.h>

#include "tests/signals_bench.h"

static void test_operator(void **state)
{
	struct bench *b = *state;
	target(b, "100", T0);
	assert_true(hold(b, 9000000, 60000));
	assert_int_equal(b->n, 1);                      /* an event, and no ack: the operator is nobody's signal */
	assert_non_null(strstr(b->lines[0], "event/operator-1795323843000 state {\"id\":\"operator-1795323843000\",\"signal\":\"operator\",\"kind\":\"setpoint\",\"status\":\"active\",\"limit_w\":9000000"));
	b->n = 0;
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.setpoint_w, 9000000);
	assert_true(b->demand.by_operator);
	assert_true(hold(b, 8000000, 0));
	assert_int_equal(b->n, 2);
	assert_non_null(strstr(b->lines[0], "\"why\":\"a newer hold took its place\""));
	assert_non_null(strstr(b->lines[1], "event/operator-1795323843001 "));
	assert_non_null(strstr(b->lines[1], "\"end\":null"));
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.setpoint_w, 8000000);
	assert_false(hold(b, -1, 0));
	assert_string_equal(b->why, "-1e-06 MW is not from 0 to the site's cap of 20 MW");
	assert_false(hold(b, 20000001, 0));
	assert_string_equal(b->why, "20.000001 MW is not from 0 to the site's cap of 20 MW");
	assert_false(hold(b, 1, -1));
	assert_string_equal(b->why, "nothing is held for more than ten years, or less than no time");
	assert_false(hold(b, 1, ORDER_MOST_AHEAD_MS + 1));
	b->now.utc_ms -= 3600000;                       /* a clock set back does not shut the operator out */
	assert_true(shed(b));
	assert_true(shed(b));
	look(b, 15000000, 9000000, 0);
	assert_true(b->demand.shed);
	assert_int_equal(b->demand.miners_w, 0);
	b->n = 0;
	assert_true(release(b));
	assert_int_equal(b->n, 2);
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
	assert_int_equal(b->demand.miners_w, POLICY_NONE);
	assert_true(hold(b, 7000000, 60000));
	pass(b, 59999);
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.setpoint_w, 7000000);
	pass(b, 1);
	look(b, 15000000, 9000000, 0);
	assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
}

/* How long it is held is the operator's to say, and no clock's. */
static void test_hold_while_the_clock_is_set(void **state)
{
	struct bench *b = *state;
	for (int64_t step_ms = -3600000; step_ms <= 3600000; step_ms += 7200000) {
		assert_true(hold(b, 9000000, 600000));
		look(b, 9000000, 5000000, 0);
		b->n = 0;
		b->now.utc_ms += step_ms;
		pass(b, 599999);
		look(b, 9000000, 5000000, 0);
		assert_int_equal(b->demand.setpoint_w, 9000000);
		assert_int_equal(b->n, step_ms < 0 ? 2 : 3);    /* the event tells its end by the clock as it is now; and the alarm */
		assert_non_null(strstr(b->lines[0], step_ms < 0 ? "\"end\":\"2026-11-22T04:14:03.000Z\"" : "\"end\":\"2026-11-22T05:24:03.000Z\""));
		pass(b, 1);
		look(b, 9000000, 5000000, 0);
		assert_int_equal(b->demand.setpoint_w, POLICY_NONE);
		assert_non_null(strstr(b->lines[b->n - 1], "\"status\":\"completed\""));
	}
	assert_true(hold(b, 9000000, 0));
	b->now.utc_ms += 365LL * 24 * 3600 * 1000;
	look(b, 9000000, 5000000, 0);
	assert_int_equal(b->demand.setpoint_w, 9000000);
}

/* However many orders others have sent, the operator's take effect. */
static void test_operator_beside_a_full_book(void **state)
{
	struct bench *b = *state;
	char text[300];
	for (int i = 0; i <= ORDERS_SHARE; i++) {
		snprintf(text, sizeof(text), "{\"id\":\"q%d\",\"kind\":\"cap\",\"limit_w\":%d,\"issued\":\"2026-11-22T05:04:03Z\","
		         "\"start\":\"2026-11-23T00:00:00Z\",\"end\":\"2026-11-23T00:15:00Z\"}", i, 19000000 + i);
		const char *ack = ack_of(b, text);
		if (i == ORDERS_SHARE)
			assert_non_null(strstr(ack, "\"rejected\",\"why\":\"its signal has as many orders alive as one may have; release some first\""));
		else
			assert_non_null(strstr(ack, "\"accepted\""));
		b->n = 0;
	}
	assert_true(hold(b, 20000000, 0));
	assert_true(hold(b, 15000000, 60000));
	assert_true(shed(b));
	look(b, 15000000, 9000000, 0);
	assert_true(b->demand.shed && b->demand.setpoint_w == 15000000);
	assert_true(release(b));
	look(b, 15000000, 9000000, 0);
	assert_false(b->demand.shed);
}

/* Where there is no room for a limit, one that it makes void is over, and said to be. */
static void test_a_void_order_gives_way(void **state)
{
	struct bench *b = *state;
	char text[300];
	for (int i = 0; i <= ORDERS_SHARE; i++) {
		snprintf(text, sizeof(text), "{\"id\":\"q%d\",\"kind\":\"cap\",\"limit_w\":%d,\"issued\":\"2026-11-22T05:04:03Z\","
		         "\"end\":\"2026-11-22T06:00:00Z\"}", i, 19000000 - i);
		assert_non_null(strstr(ack_of(b, text), "\"accepted\""));
	}
	assert_int_equal(b->n, 3);
	assert_non_null(strstr(b->lines[1], "event/q0 "));
	assert_non_null(strstr(b->lines[1], "\"status\":\"cancelled\""));
	assert_non_null(strstr(b->lines[1], "\"why\":\"a newer one leaves nothing to it, and there was no more room\"}"));
	look(b, 20000000, 5000000, 0);
	assert_int_equal(b->demand.limit_w, 19000000 - ORDERS_SHARE);
}

/* What was said to the journal, since the last call, while stderr was `log`. */
static const char *logged(int log)
{
	static char text[65536];
	ssize_t n = read(log, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void test_orders_in_the_log(void **state)
{
	struct bench *b = *state;
	int ends[2], stderr_before = dup(STDERR_FILENO);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);
	order(b, CAP_A);
	order(b, CAP_A);                                /* again: nothing new */
	char accepted[2000], refused_once[2000], operated[2000];
	snprintf(accepted, sizeof(accepted), "%s", logged(ends[0]));
	for (int i = 0; i < 2; i++)
		order(b, "{\"id\":\"f\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:06:03Z\",\"end\":\"2026-11-22T06:00:00Z\"}");
	order(b, "{\"id\":\"operator-1\",\"kind\":\"cap\",\"limit_w\":1," REST);
	snprintf(refused_once, sizeof(refused_once), "%s", logged(ends[0]));
	b->n = 0;
	hold(b, 9000000, 60000);
	shed(b);
	release(b);
	snprintf(operated, sizeof(operated), "%s", logged(ends[0]));
	for (int i = 0; i < 1000; i++) {
		char text[300];
		b->n = 0;
		snprintf(text, sizeof(text), "{\"id\":\"f%d\",\"kind\":\"cap\",\"limit_w\":1,\"issued\":\"2026-11-22T05:06:03Z\",\"end\":\"2026-11-22T06:00:00Z\"}", i);
		order(b, text);
	}
	const char *wild = logged(ends[0]);
	int lines = 0;
	for (const char *at = wild; (at = strchr(at, '\n')); at++)
		lines++;
	pass(b, 60000);
	order(b, "{\"id\":\"r\",\"kind\":\"release\",\"releases\":\"x\",\"issued\":\"2026-11-22T05:04:03Z\"}");
	wild = logged(ends[0]);
	dup2(stderr_before, STDERR_FILENO);
	assert_string_equal(accepted, "<6>order a of qse: accepted, cap of 12.000 MW, for 300 s\n");
	assert_string_equal(refused_once, "<4>order f of qse: refused, issued more than 60 s in the future: check both clocks\n"
	                    "<4>order operator-1 of qse: refused, its id is kept for events of other origin\n");
	assert_string_equal(operated, "<5>the operator: set point of 9.000 MW, for 60 s\n"
	                    "<5>the operator: shed to 0.000 MW, until released\n<5>the operator: release of all\n");
	assert_int_equal(lines, 198);                   /* no more than 200 a minute */
	assert_string_equal(wild, "<5>802 more orders were refused in a minute\n"
	                    "<4>order r of qse: refused, no such order of this signal is alive\n");
	close(ends[0]);
	close(ends[1]);
	close(stderr_before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_operator), ORDERS(test_hold_while_the_clock_is_set), TEST(test_operator_beside_a_full_book),
		TEST(test_a_void_order_gives_way), ORDERS(test_orders_in_the_log),
	};
	return cmocka_run_group_tests_name("signals_operator", tests, NULL, NULL);
}
