/* The bus against a real broker: what it sends, what it hears, as whom, and how it ends. */
#include "daemon/outbox.h"
#include "tests/bus_bench.h"

static void test_quality_and_retention(void **state)
{
	struct bench *b = *state;
	static char lines[MOST_LINES][200];
	start_broker(b, NULL);
	await_witness(b, "live");
	connect_bus(b);
	put(b, DELIVER_LATEST, "telemetry", "t1");
	until(b, lines_of(b, "live", NULL) == 1);
	put(b, DELIVER_STATE, "state", "running");
	put(b, DELIVER_EVENT, "decision", "d1");
	until(b, lines_of(b, "live", lines) == 3);
	assert_string_equal(lines[0], "mullet/pecos-1/telemetry 0 0 t1");
	assert_string_equal(lines[1], "mullet/pecos-1/state 0 1 running");
	assert_string_equal(lines[2], "mullet/pecos-1/decision 0 1 d1");
	stop(&b->witness, SIGTERM);
	await_witness(b, "late");
	assert_int_equal(lines_of(b, "late", lines), 2);
	for (int i = 0; i < 2; i++)
		assert_non_null(strstr(lines[i], strstr(lines[i], "state") ? "state 1 1 running" : "telemetry 1 0 t1"));
	until(b, bus_stats(b->bus).waiting == 0);
	assert_int_equal(bus_stats(b->bus).dropped, 0);
	close_bus(b);
}

static void test_will_of_a_killed_client(void **state)
{
	struct bench *b = *state;
	static char lines[MOST_LINES][200];
	start_broker(b, NULL);
	await_witness(b, "live");
	pid_t child = fork();
	if (child == 0) {
		struct bench *mine = xcalloc(1, sizeof(*mine));
		uv_loop_init(&mine->loop);
		mine->port = b->port;
		struct bus_conf conf = conf_of(mine);
		open_bus(mine, &conf);
		put(mine, DELIVER_STATE, "state", "running");
		uv_run(&mine->loop, UV_RUN_DEFAULT);
		_exit(0);
	}
	until(b, lines_of(b, "live", NULL) == 1);
	stop(&child, SIGKILL);
	until(b, lines_of(b, "live", lines) == 2);
	assert_string_equal(lines[1], "mullet/pecos-1/state 0 1 will");
	stop(&b->witness, SIGTERM);
	await_witness(b, "late");
	assert_int_equal(lines_of(b, "late", lines), 1);
	assert_string_equal(lines[0], "mullet/pecos-1/state 1 1 will");
}

static void test_clean_close_sends_what_waits(void **state)
{
	struct bench *b = *state;
	static char lines[MOST_LINES][200];
	start_broker(b, NULL);
	await_witness(b, "live");
	connect_bus(b);
	put_numbers(b, 0, 300);
	put(b, DELIVER_STATE, "state", "offline");
	close_bus(b);
	until(b, lines_of(b, "live", lines) == 301);
	usleep(100000);
	assert_int_equal(lines_of(b, "live", lines), 301);
	for (int i = 0; i < 301; i++)
		assert_null(strstr(lines[i], "will"));
	assert_int_equal(b->lost, 0);
}

static void test_messages_in(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	start_broker(b, NULL);
	publish(b, "mullet/pecos-1/order/qse", "-m", "kept", true);
	open_bus(b, &conf);
	bus_subscribe(b->bus, "mullet/pecos-1/order/qse");
	until(b, b->messages == 1);
	assert_string_equal(b->last, "kept");
	assert_true(b->last_retained);
	bus_subscribe(b->bus, "maestro/target");
	for (int i = 0; i < 100 && b->messages < 2; i++) {
		publish(b, "maestro/target", "-m", "{}", false);
		for (int j = 0; j < 20 && b->messages < 2; j++)
			turn(b);
	}
	assert_string_equal(b->last_topic, "maestro/target");
	assert_false(b->last_retained);
	publish(b, "mullet/pecos-1/order/qse", "-f", file_of(b, BUS_MOST_BYTES), false);
	until(b, b->last_len == BUS_MOST_BYTES);
	assert_false(b->last_null);
	publish(b, "mullet/pecos-1/order/qse", "-f", file_of(b, BUS_MOST_BYTES + 1), false);
	until(b, b->last_len == BUS_MOST_BYTES + 1);
	assert_true(b->last_null);
	bus_unsubscribe(b->bus, "maestro/target");
	for (int i = 0; i < 50; i++)
		turn(b);
	int before = b->messages;
	publish(b, "maestro/target", "-m", "{}", false);
	publish(b, "mullet/pecos-1/order/qse", "-m", "after", false);
	until(b, strcmp(b->last, "after") == 0);
	assert_int_equal(b->messages, before + 1);
	close_bus(b);
}

/* A topic that two listen to, or one before and after a reload: the broker hears of the first and of the last. */
static void test_topic_of_several(void **state)
{
	struct bench *b = *state;
	start_broker(b, NULL);
	publish(b, "maestro/target", "-m", "kept", true);
	connect_bus(b);
	bus_subscribe(b->bus, "maestro/target");
	until(b, b->messages == 1);
	bus_subscribe(b->bus, "maestro/target");
	bus_unsubscribe(b->bus, "maestro/target");
	bus_subscribe(b->bus, "mullet/pecos-1/order/qse");
	publish(b, "maestro/target", "-m", "{}", false);
	until(b, b->messages == 2);
	assert_string_equal(b->last, "{}");             /* what is retained did not come again */
	until(b, log_count(b, "Sending SUBACK to mulletd-test") == 2);
	assert_int_equal(log_count(b, "Sending UNSUBACK to mulletd-test"), 0);
	bus_unsubscribe(b->bus, "maestro/target");
	until(b, log_count(b, "Sending UNSUBACK to mulletd-test") == 1);
	close_bus(b);
}

static void test_password(void **state)
{
	struct bench *b = *state;
	char more[200];
	FILE *file = fopen(path(b, "passwords"), "w");
	fprintf(file, "mulletd:right\n");
	fclose(file);
	pid_t pid = run(NULL, (const char *[]){ "/usr/bin/mosquitto_passwd", "-U", path(b, "passwords"), NULL });
	waitpid(pid, NULL, 0);
	snprintf(more, sizeof(more), "password_file %s", path(b, "passwords"));
	start_broker(b, more);
	struct bus_conf conf = conf_of(b);
	conf.username = "mulletd";
	conf.password = "wrong";
	open_bus(b, &conf);
	until(b, b->lost == 1);
	assert_non_null(strstr(b->why, "not authorised"));
	for (int i = 0; i < 200; i++)
		turn(b);
	assert_int_equal(b->lost, 1);
	assert_int_equal(b->connected, 0);
	close_bus(b);
	b->closed = 0;
	conf.password = "right";
	open_bus(b, &conf);
	until(b, b->connected == 1);
	close_bus(b);
}

static void test_outbox(void **state)
{
	struct outbox box;
	uint64_t dropped = 0;
	(void)state;
	outbox_init(&box, 10, 60, &dropped);
	outbox_put(&box, "e", DELIVER_EVENT, "1", 1);
	outbox_put(&box, "s", DELIVER_STATE, "a", 1);
	outbox_put(&box, "t", DELIVER_LATEST, "x", 1);
	outbox_put(&box, "s", DELIVER_STATE, "b", 1);
	outbox_put(&box, "e", DELIVER_EVENT, "2", 1);
	assert_int_equal(outbox_count(&box), 4);
	assert_int_equal(dropped, 0);
	struct message *message = outbox_take(&box, false);
	assert_memory_equal(message->text, "b", 1);
	free(message);
	message = outbox_take(&box, false);
	assert_memory_equal(message->text, "1", 1);
	free(message);
	outbox_drop_latest(&box);
	assert_int_equal(dropped, 1);
	outbox_put(&box, "e", DELIVER_EVENT, "12345678901234567890", 20);
	outbox_put(&box, "e", DELIVER_EVENT, "12345678901234567890", 20);
	assert_int_equal(outbox_bytes(&box), 47);
	outbox_put(&box, "e", DELIVER_EVENT, "12345678901234567890", 20);
	assert_int_equal(dropped, 3);           /* 69 bytes are too many, 47 are not: "2" and one more went */
	assert_int_equal(outbox_count(&box), 2);
	outbox_free(&box);
}

/* As long as a file may have it: what is said goes where it was meant to. */
static void test_long_prefix(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	char prefix[1025] = "", topic[1100];
	memset(prefix, 'p', sizeof(prefix) - 1);
	snprintf(topic, sizeof(topic), "%s/decision", prefix);
	conf.prefix = prefix;
	start_broker(b, NULL);
	open_bus(b, &conf);
	bus_subscribe(b->bus, topic);
	until(b, b->granted == 1);
	put(b, DELIVER_EVENT, "decision", "1");
	until(b, b->messages == 1);
	close_bus(b);
}

int main(void)
{
	const struct CMUnitTest alone[] = { cmocka_unit_test(test_outbox) };
	const struct CMUnitTest tests[] = {
		TEST(test_long_prefix),
		TEST(test_quality_and_retention),
		TEST(test_will_of_a_killed_client),
		TEST(test_clean_close_sends_what_waits),
		TEST(test_messages_in),
		TEST(test_topic_of_several),
		TEST(test_password),
	};
	int failed = cmocka_run_group_tests_name("outbox", alone, NULL, NULL);
	if (!broker_there("test_bus"))
		return failed;
	return failed + cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
