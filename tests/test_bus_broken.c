/* The bus where the broker is stopped, slow or away: nothing is lost that need not be, and all in order. */
#include "tests/bus_bench.h"

static void test_broker_restart_keeps_order(void **state)
{
	struct bench *b = *state;
	static char lines[MOST_LINES][200];
	char text[60];
	start_broker(b, NULL);
	await_witness(b, "live");
	connect_bus(b);
	put(b, DELIVER_STATE, "state", "running");
	put_numbers(b, 0, 50);
	until(b, bus_stats(b->bus).waiting == 0 && lines_of(b, "live", NULL) == 51);
	stop(&b->broker, SIGTERM);
	until(b, b->lost == 1);
	put_numbers(b, 50, 400);
	put(b, DELIVER_STATE, "alarm/cap", "old");
	put(b, DELIVER_STATE, "alarm/cap", "new");
	put(b, DELIVER_LATEST, "telemetry", "lost");
	assert_int_equal(bus_stats(b->bus).dropped, 1);
	assert_int_equal(bus_stats(b->bus).lost, 0);
	assert_int_equal(bus_stats(b->bus).waiting, 351);
	start_broker(b, NULL);
	until(b, lines_with(b, "live", "decision", NULL) >= 400 && bus_stats(b->bus).waiting == 0);
	/* In order and none lost; QoS 1 may bring what was in flight twice, should the machine be slow enough to cut us. */
	int n = (int)lines_with(b, "live", "decision", lines), next = 0;
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "mullet/pecos-1/decision 0 1 %d", next);
		if (strcmp(lines[i], text) == 0)
			next++;
	}
	assert_int_equal(next, 400);
	assert_in_range(n, 400, 420);
	assert_true(lines_with(b, "live", "alarm/cap", lines) >= 1);
	assert_non_null(strstr(lines[0], " new"));
	int states = lines_with(b, "live", "state", lines);
	assert_non_null(strstr(lines[states - 1], " running"));         /* the will has been taken back */
	assert_true(bus_stats(b->bus).connections >= 2);
	close_bus(b);
}

/* Cut in the middle of a stream: nothing is lost, first copies come in order, and only what was in flight is sent twice. */
static void test_broken_in_mid_stream(void **state)
{
	struct bench *b = *state;
	static char lines[MOST_LINES][200];
	int next = 0;
	start_broker(b, NULL);
	await_witness(b, "live");
	connect_bus(b);
	put_numbers(b, 0, 2000);
	while (bus_stats(b->bus).waiting > 1500)
		uv_run(&b->loop, UV_RUN_ONCE);
	stop(&b->broker, SIGTERM);
	until(b, b->lost == 1);
	assert_true(bus_stats(b->bus).waiting > 0);
	start_broker(b, NULL);
	until(b, bus_stats(b->bus).waiting == 0 && lines_with(b, "live", "decision 0 1 1999", NULL) > 0);
	int n = lines_with(b, "live", "decision", lines);
	for (int i = 0; i < n; i++) {
		int number = atoi(strrchr(lines[i], ' ') + 1);
		assert_true(number <= next);            /* more may come twice: the broker repeats to the witness too */
		next += number == next;
	}
	assert_int_equal(next, 2000);
	assert_in_range(log_count(b, "Received PUBLISH from mulletd-test (d0"), 1980, 2000);
	assert_in_range(log_count(b, "Received PUBLISH from mulletd-test (d1"), 0, 20);
	close_bus(b);
}

/* The broker is gone and nobody has noticed: what the library could not send it keeps, and it is sent once. */
static void test_sending_fails(void **state)
{
	struct bench *b = *state;
	static char lines[MOST_LINES][200];
	start_broker(b, NULL);
	await_witness(b, "live");
	connect_bus(b);
	stop(&b->broker, SIGTERM);
	put_numbers(b, 0, 5);
	until(b, b->lost == 1);
	assert_int_equal(bus_stats(b->bus).dropped, 0);
	assert_int_equal(bus_stats(b->bus).waiting, 5);
	start_broker(b, NULL);
	until(b, lines_with(b, "live", "decision", NULL) >= 5 && bus_stats(b->bus).waiting == 0);
	assert_int_equal(lines_with(b, "live", "decision", lines), 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(atoi(strrchr(lines[i], ' ') + 1), i);
	close_bus(b);
}

static void put_large(struct bench *b, size_t size)
{
	char *text = xcalloc(1, size + 1);
	memset(text, 'x', size);
	put(b, DELIVER_EVENT, "large", text);
	free(text);
}

/* A broker that does not read: telemetry does not pile up behind what waits, only its newest goes out. */
static void test_slow_broker(void **state)
{
	struct bench *b = *state;
	static char lines[MOST_LINES][200];
	char text[20];
	start_broker(b, NULL);
	await_witness(b, "live");
	connect_bus(b);
	freeze(b);
	for (int i = 0; i < 19; i++)
		put_large(b, 500000);
	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "%d", i);
		turn(b);
		put(b, DELIVER_LATEST, "telemetry", text);
	}
	assert_int_equal(bus_stats(b->bus).waiting, 20);
	kill(b->broker, SIGCONT);
	until(b, lines_with(b, "live", "telemetry", NULL) > 0);
	until(b, bus_stats(b->bus).waiting == 0);
	assert_int_equal(lines_with(b, "live", "telemetry", lines), 1);
	assert_string_equal(lines[0], "mullet/pecos-1/telemetry 0 0 49");
	assert_int_equal(bus_stats(b->bus).dropped, 0);
	freeze(b);
	for (int i = 0; i < 19; i++)
		put_large(b, 500000);
	turn(b);
	put(b, DELIVER_LATEST, "telemetry", "lost");
	turn(b);
	stop(&b->broker, SIGKILL);
	until(b, b->lost == 1);
	/* How much the kernel takes on before it says no is its own affair: the last may have left with it. */
	assert_in_range(bus_stats(b->bus).dropped, 0, 1);
	assert_int_equal(bus_stats(b->bus).waiting, 19);
}

/* What could not be sent before the end makes it no clean end: the broker tells the will. */
static void test_close_without_an_answer(void **state)
{
	struct bench *b = *state;
	static char lines[MOST_LINES][200];
	start_broker(b, NULL);
	await_witness(b, "live");
	connect_bus(b);
	kill(b->broker, SIGSTOP);
	put(b, DELIVER_STATE, "state", "offline");
	uint64_t before = uv_hrtime();
	close_bus(b);
	assert_in_range((uv_hrtime() - before) / 1000000, 1900, 15000);
	kill(b->broker, SIGCONT);
	until(b, lines_with(b, "live", "state", lines) == 2);
	assert_string_equal(lines[1], "mullet/pecos-1/state 0 1 will");
}

static void test_bounded_while_away(void **state)
{
	struct bench *b = *state;
	static char lines[MOST_LINES][200];
	char text[60];
	struct bus_conf conf = conf_of(b);
	conf.most_events = 100;
	start_broker(b, NULL);
	await_witness(b, "live");
	stop(&b->broker, SIGTERM);
	open_bus(b, &conf);
	put_numbers(b, 0, 250);
	assert_int_equal(bus_sink(b->bus)->dropped, 150);
	assert_int_equal(bus_stats(b->bus).lost, 150);
	assert_int_equal(bus_stats(b->bus).waiting, 100);
	until(b, b->lost == 1);
	assert_string_equal(b->why, "Connection refused");
	for (int i = 0; i < 100; i++)
		turn(b);
	assert_int_equal(b->lost, 1);           /* told once, though tried again and again */
	start_broker(b, NULL);
	until(b, lines_of(b, "live", lines) >= 100 && bus_stats(b->bus).waiting == 0);
	assert_int_equal(lines_of(b, "live", lines), 100);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "mullet/pecos-1/decision 0 1 %d", 150 + i);
		assert_string_equal(lines[i], text);
	}
	close_bus(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_broker_restart_keeps_order),
		TEST(test_broken_in_mid_stream),
		TEST(test_sending_fails),
		TEST(test_slow_broker),
		TEST(test_close_without_an_answer),
		TEST(test_bounded_while_away),
	};
	if (!broker_there("test_bus_broken"))
		return 0;
	return cmocka_run_group_tests_name("bus broken", tests, NULL, NULL);
}
