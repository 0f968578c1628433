/* The bus against a real broker on a private port, with mosquitto_sub and mosquitto_pub as independent witnesses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/bus.h"
#include "daemon/outbox.h"
#include "daemon/xalloc.h"
#include "tests/slow_names.h"

#define BROKER "/usr/sbin/mosquitto"
#define LIMIT_MS 20000                  /* for anything to come true */
#define MOST_LINES 4000

struct bench {
	uv_loop_t loop;
	struct bus *bus;
	char dir[64];
	int port;
	pid_t broker, witness;
	int connected, lost, closed, messages, granted, refused;
	uint64_t longest_ns;            /* that a turn of the loop took */
	size_t last_len;
	bool last_null, last_retained;
	char why[160], last[200], last_topic[100];
};

static void on_connected(void *self)
{
	((struct bench *)self)->connected++;
}

static void on_lost(void *self, const char *why)
{
	struct bench *b = self;
	b->lost++;
	snprintf(b->why, sizeof(b->why), "%s", why);
}

static void on_subscribed(void *self, const char *topic, bool granted)
{
	struct bench *b = self;
	b->granted += granted;
	b->refused += !granted;
	snprintf(b->last_topic, sizeof(b->last_topic), "%s", topic);
}

static void on_message(void *self, const char *topic, const char *text, size_t len, bool retained)
{
	struct bench *b = self;
	b->messages++;
	b->last_len = len;
	b->last_null = text == NULL;
	b->last_retained = retained;
	snprintf(b->last_topic, sizeof(b->last_topic), "%s", topic);
	snprintf(b->last, sizeof(b->last), "%.*s", len < 199 ? (int)len : 199, text ? text : "");
}

static void on_closed(void *self)
{
	struct bench *b = self;
	b->closed++;
	b->bus = NULL;
}

static int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	getsockname(fd, (struct sockaddr *)&at, &size);
	close(fd);
	return ntohs(at.sin_port);
}

static pid_t run(const char *output, const char *const argv[])
{
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(output ? output : "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static void stop(pid_t *pid, int signal)
{
	if (*pid > 0) {
		kill(*pid, signal);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static const char *path(const struct bench *b, const char *name)
{
	static char text[4][160];
	static int i;
	i = (i + 1) % 4;
	snprintf(text[i], sizeof(text[i]), "%s/%s", b->dir, name);
	return text[i];
}

static void turn(struct bench *b)
{
	uint64_t before = uv_hrtime();
	uv_run(&b->loop, UV_RUN_NOWAIT);
	uint64_t took_ns = uv_hrtime() - before;
	if (took_ns > b->longest_ns)
		b->longest_ns = took_ns;
	usleep(2000);
}

#define until(b, condition) do { \
	int64_t end_ = (int64_t)(uv_hrtime() / 1000000) + LIMIT_MS; \
	while (!(condition) && (int64_t)(uv_hrtime() / 1000000) < end_) \
		turn(b); \
	assert_true(condition); \
} while (0)

static bool listening(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool good = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	close(fd);
	return good;
}

static void start_broker(struct bench *b, const char *more)
{
	FILE *conf = fopen(path(b, "broker.conf"), "w");
	assert_non_null(conf);
	fprintf(conf, "user root\nlistener %d 127.0.0.1\npersistence true\npersistence_location %s/\n"
	        "max_queued_messages 0\nlog_type all\n%s\n", b->port, b->dir, more ? more : "allow_anonymous true");
	fclose(conf);
	b->broker = run(path(b, "broker.log"), (const char *[]){ BROKER, "-c", path(b, "broker.conf"), NULL });
	until(b, listening(b->port));
}

static const char *port_text(const struct bench *b)
{
	static char text[16];
	snprintf(text, sizeof(text), "%d", b->port);
	return text;
}

/* One line a message: topic, retained, QoS, text. Its session outlives the broker, which keeps what it has missed. */
static void start_witness(struct bench *b, const char *name)
{
	b->witness = run(path(b, name), (const char *[]){ "/usr/bin/mosquitto_sub", "-p", port_text(b), "-q", "1", "-c", "-i", name,
		"-F", "%t %r %q %p", "-t", "mullet/pecos-1/#", "-t", "probe/#", NULL });
}

/* Those with `part` in them; NULL: all but the probes. */
static int lines_with(const struct bench *b, const char *name, const char *part, char lines[][200])
{
	FILE *file = fopen(path(b, name), "r");
	char line[200];
	int n = 0;
	while (file && fgets(line, sizeof(line), file) && n < MOST_LINES) {
		char *end = strchr(line, '\n');
		if (!end)                       /* not whole yet, or one of those that are too long to look at */
			continue;
		*end = '\0';
		if (strncmp(line, "probe/", 6) == 0 || strchr(line, ':') != NULL || (part && !strstr(line, part)))
			continue;
		if (lines)
			memcpy(lines[n], line, sizeof(line));
		n++;
	}
	if (file)
		fclose(file);
	return n;
}

static int lines_of(const struct bench *b, const char *name, char lines[][200])
{
	return lines_with(b, name, NULL, lines);
}

static bool probe_seen(const struct bench *b, const char *name)
{
	FILE *file = fopen(path(b, name), "r");
	char line[200];
	bool seen = false;
	while (file && fgets(line, sizeof(line), file))
		seen = seen || strncmp(line, "probe/", 6) == 0;
	if (file)
		fclose(file);
	return seen;
}

static void publish(const struct bench *b, const char *topic, const char *option, const char *text, bool retain)
{
	const char *argv[] = { "/usr/bin/mosquitto_pub", "-p", port_text(b), "-q", "1", "-t", topic, option, text,
		retain ? "-r" : NULL, NULL };
	pid_t pid = run(NULL, argv);
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void await_witness(struct bench *b, const char *name)
{
	start_witness(b, name);
	for (int i = 0; i < 200 && !probe_seen(b, name); i++) {
		publish(b, "probe/x", "-m", "x", false);
		usleep(20000);
	}
	assert_true(probe_seen(b, name));
}

static struct bus_conf conf_of(const struct bench *b)
{
	return (struct bus_conf){ .host = "127.0.0.1", .port = (uint16_t)b->port, .client_id = "mulletd-test",
		.prefix = "mullet/pecos-1", .will_topic = "state", .will = "will", .backoff_ms = 20, .most_backoff_ms = 200 };
}

static void open_bus(struct bench *b, const struct bus_conf *conf)
{
	struct bus_user user = { b, on_connected, on_lost, on_subscribed, on_message, on_closed };
	b->bus = bus_open(&b->loop, conf, user);
}

static void connect_bus(struct bench *b)
{
	struct bus_conf conf = conf_of(b);
	open_bus(b, &conf);
	until(b, b->connected > 0);
}

static void close_bus(struct bench *b)
{
	bus_close(b->bus);
	assert_int_equal(b->closed, 0);
	until(b, b->closed == 1);
}

static void put(struct bench *b, enum delivery delivery, const char *topic, const char *text)
{
	struct sink *sink = bus_sink(b->bus);
	sink->put(sink, topic, delivery, text, strlen(text));
}

static void put_numbers(struct bench *b, int from, int to)
{
	char text[20];
	for (int i = from; i < to; i++) {
		snprintf(text, sizeof(text), "%d", i);
		put(b, DELIVER_EVENT, "decision", text);
	}
}

static int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	snprintf(b->dir, sizeof(b->dir), "/tmp/mullet-bus-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	uv_loop_init(&b->loop);
	b->port = free_port();
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	char command[100];
	if (b->bus)
		bus_close(b->bus);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	stop(&b->witness, SIGKILL);
	stop(&b->broker, SIGKILL);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	int rc = system(command);
	int busy = uv_loop_close(&b->loop);
	free(b);
	return rc || busy;
}

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

static int log_count(const struct bench *b, const char *part)
{
	FILE *file = fopen(path(b, "broker.log"), "r");
	char line[400];
	int n = 0;
	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, part) != NULL;
	if (file)
		fclose(file);
	return n;
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

/* Until it has stopped: what it reads between the signal and then would make room. */
static void freeze(struct bench *b)
{
	int status;
	kill(b->broker, SIGSTOP);
	assert_int_equal(waitpid(b->broker, &status, WUNTRACED), b->broker);
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

static const char *file_of(const struct bench *b, size_t size)
{
	FILE *file = fopen(path(b, "payload"), "w");
	for (size_t i = 0; i < size; i++)
		fputc('x', file);
	fclose(file);
	return path(b, "payload");
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

static int listener(const struct bench *b)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)b->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

/* One packet of less than 128 bytes. */
static void read_packet(struct bench *b, int fd, uint8_t *packet)
{
	until(b, recv(fd, packet, 2, MSG_PEEK | MSG_DONTWAIT) == 2);
	assert_true(packet[1] < 128);
	until(b, recv(fd, packet, 2u + packet[1], MSG_PEEK | MSG_DONTWAIT) == 2 + packet[1]);
	assert_int_equal(recv(fd, packet, 2u + packet[1], 0), 2 + packet[1]);
}

/* Takes one connection and the one subscription that comes, and answers `code` to that. */
static int answer_subscription(struct bench *b, int server, uint8_t code)
{
	uint8_t packet[130];
	int fd = -1;
	until(b, fd >= 0 || (fd = accept(server, NULL, NULL)) >= 0);
	read_packet(b, fd, packet);
	assert_int_equal(packet[0], 0x10);              /* CONNECT */
	assert_int_equal(send(fd, "\x20\x02\x00\x00", 4, MSG_NOSIGNAL), 4);
	read_packet(b, fd, packet);
	assert_int_equal(packet[0], 0x82);              /* SUBSCRIBE */
	assert_int_equal(send(fd, (uint8_t[]){ 0x90, 3, packet[2], packet[3], code }, 5, MSG_NOSIGNAL), 5);
	return fd;
}

/* A broker may take the connection and refuse a topic; asked again at the next one it may have been taught better. */
static void test_subscription_refused(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	int server = listener(b);
	open_bus(b, &conf);
	bus_subscribe(b->bus, "maestro/target");
	int fd = answer_subscription(b, server, 0x80);
	until(b, b->refused == 1);
	assert_string_equal(b->last_topic, "maestro/target");
	close(fd);
	fd = answer_subscription(b, server, 1);
	until(b, b->granted == 1);
	assert_int_equal(b->refused, 1);
	close(fd);
	close(server);
	close_bus(b);
}

/* While what waits is sent at the end an order may come: acknowledged, it will not come again. */
static void test_message_while_closing(void **state)
{
	static const char order[] = "\x32\x06\x00\x01t\x00\x07x";      /* PUBLISH of x to t, QoS 1, 7 */
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	uint8_t packet[130], mid[2];
	int server = listener(b), fd = -1;
	open_bus(b, &conf);
	put(b, DELIVER_EVENT, "e", "1");
	until(b, fd >= 0 || (fd = accept(server, NULL, NULL)) >= 0);
	read_packet(b, fd, packet);
	assert_int_equal(send(fd, "\x20\x02\x00\x00", 4, MSG_NOSIGNAL), 4);
	read_packet(b, fd, packet);
	assert_int_equal(packet[0], 0x32);              /* our PUBLISH */
	memcpy(mid, packet + 2 + packet[1] - 3, 2);
	bus_close(b->bus);
	assert_int_equal(send(fd, order, sizeof(order) - 1, MSG_NOSIGNAL), sizeof(order) - 1);
	until(b, b->messages == 1);
	read_packet(b, fd, packet);
	assert_memory_equal(packet, "\x40\x02\x00\x07", 4);
	assert_int_equal(b->closed, 0);
	assert_int_equal(send(fd, (uint8_t[]){ 0x40, 2, mid[0], mid[1] }, 4, MSG_NOSIGNAL), 4);
	until(b, b->closed == 1);
	close(fd);
	close(server);
}

/* A peer that takes the connection and never speaks holds up neither the loop nor the end. */
static void test_silent_broker(void **state)
{
	struct bench *b = *state;
	int fd = listener(b);
	struct bus_conf conf = conf_of(b);
	open_bus(b, &conf);
	put_numbers(b, 0, 10);
	for (int i = 0; i < 20; i++)
		turn(b);
	uint64_t before = uv_hrtime();
	bus_close(b->bus);
	assert_int_equal(b->closed, 0);
	until(b, b->closed == 1);
	assert_in_range((uv_hrtime() - before) / 1000000, 1900, 15000);
	assert_int_equal(b->connected, 0);
	close(fd);
}

static void test_name_with_several_addresses(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	conf.host = "localhost";        /* on most machines also ::1, where nobody listens */
	start_broker(b, NULL);
	open_bus(b, &conf);
	until(b, b->connected == 1);
	close_bus(b);
}

static void test_close_at_once(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	conf.host = "localhost";
	open_bus(b, &conf);
	close_bus(b);
	b->closed = 0;
	open_bus(b, &conf);
	uv_run(&b->loop, UV_RUN_NOWAIT);        /* the look-up is under way */
	close_bus(b);
}

static bool make_certificate(const struct bench *b, const char *host, const char *key, const char *cert)
{
	char subject[80], alternative[80];
	snprintf(subject, sizeof(subject), "/CN=%s", host);
	snprintf(alternative, sizeof(alternative), "subjectAltName=DNS:%s", host);
	const char *argv[] = { "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
		"-subj", subject, "-addext", alternative, "-keyout", path(b, key), "-out", path(b, cert), NULL };
	int status;
	pid_t pid = run(NULL, argv);
	waitpid(pid, &status, 0);
	return status == 0;
}

static void publish_tls(const struct bench *b, int n)
{
	char command[600];
	snprintf(command, sizeof(command), "seq 1 %d | mosquitto_pub -h localhost -p %d --cafile %s -q 1 -l -t maestro/target",
	         n, b->port, path(b, "cert.pem"));
	assert_int_equal(system(command), 0);
}

/* One that calls itself `host`. */
static void start_tls_broker(struct bench *b, const char *host)
{
	char more[600];
	if (access("/usr/bin/openssl", X_OK) != 0) {
		print_message("skipped: the tests with TLS need openssl\n");
		skip();
	}
	assert_true(make_certificate(b, host, "key.pem", "cert.pem"));
	snprintf(more, sizeof(more), "allow_anonymous true\ncafile %s\ncertfile %s\nkeyfile %s", path(b, "cert.pem"),
	         path(b, "cert.pem"), path(b, "key.pem"));
	start_broker(b, more);
}

static void test_tls(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	start_tls_broker(b, "localhost");
	assert_true(make_certificate(b, "localhost", "other-key.pem", "other.pem"));
	conf.host = "localhost";
	conf.tls_ca = "/nowhere/ca.pem";
	open_bus(b, &conf);
	until(b, b->lost == 1);
	assert_string_equal(b->why, "/nowhere/ca.pem: No such file or directory");
	close_bus(b);
	b->closed = b->lost = 0;
	conf.tls_ca = path(b, "other.pem");
	open_bus(b, &conf);
	until(b, b->lost == 1);
	for (int i = 0; i < 100; i++)
		turn(b);
	assert_int_equal(b->connected, 0);
	close_bus(b);
	b->closed = 0;
	conf.tls_ca = path(b, "cert.pem");
	open_bus(b, &conf);
	bus_subscribe(b->bus, "maestro/target");
	until(b, b->connected == 1);
	for (int i = 0; i < 20; i++)
		turn(b);
	publish_tls(b, 500);
	until(b, b->messages == 500);           /* several packets come in one TLS record */
	assert_string_equal(b->last, "500");
	put_numbers(b, 0, 100);
	until(b, bus_stats(b->bus).waiting == 0);
	close_bus(b);
}

/* Half the name servers are dead: the loop goes on meanwhile, and the broker has its time to answer all the same. */
static void test_tls_by_a_late_name(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	start_tls_broker(b, "late.example");
	conf.host = "late.example";
	conf.tls_ca = path(b, "cert.pem");
	late_ms = 10100;
	n_lookups = 0;
	freeze(b);
	open_bus(b, &conf);
	uint64_t before = uv_hrtime();
	while ((uv_hrtime() - before) / 1000000 < 11600)
		turn(b);
	assert_int_equal(b->lost, 0);
	kill(b->broker, SIGCONT);
	until(b, b->connected == 1);
	assert_int_equal(n_lookups, 1);
	assert_true(b->longest_ns / 1000000 < 2000);
	close_bus(b);
}

/* Its certificate is good, but says another name than that by which we came. */
static void test_tls_of_another_name(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	start_tls_broker(b, "localhost");
	conf.host = "gpu-01.example";
	conf.tls_ca = path(b, "cert.pem");
	open_bus(b, &conf);
	until(b, b->lost == 1);
	for (int i = 0; i < 200; i++)
		turn(b);
	assert_int_equal(b->connected, 0);
	assert_int_equal(log_count(b, "New client connected"), 0);
	close_bus(b);
	b->closed = b->lost = 0;
	conf.host = "127.0.0.1";                /* nor does it say this */
	open_bus(b, &conf);
	until(b, b->lost == 1);
	assert_int_equal(log_count(b, "New client connected"), 0);
	close_bus(b);
}

/* What was begun goes on by itself, until after the bus is gone, and is in nobody's way. */
static void test_close_while_no_name_server_answers(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b), other = conf;
	conf.host = "slow.example";
	lookup_ended = false;
	n_lookups = 0;
	for (unsigned tls = 0; tls < 2; tls++) {
		conf.tls_ca = tls ? file_of(b, 1) : NULL;
		open_bus(b, &conf);
		until(b, n_lookups == tls + 1);
		uint64_t before = uv_hrtime();
		close_bus(b);
		assert_true((uv_hrtime() - before) / 1000000 < 1000);
		b->closed = 0;
	}
	start_broker(b, NULL);
	open_bus(b, &other);
	until(b, b->connected == 1);
	close_bus(b);
	assert_false(lookup_ended);
	lookup_ended = true;
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

int main(void)
{
	const struct CMUnitTest alone[] = { cmocka_unit_test(test_outbox) };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_close_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silent_broker, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_subscription_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_message_while_closing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_quality_and_retention, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_will_of_a_killed_client, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_clean_close_sends_what_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broker_restart_keeps_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broken_in_mid_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sending_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slow_broker, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_without_an_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounded_while_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_messages_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_topic_of_several, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tls_by_a_late_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tls_of_another_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_while_no_name_server_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_name_with_several_addresses, set_up, tear_down),
	};
	int failed = cmocka_run_group_tests_name("outbox", alone, NULL, NULL);
	if (access(BROKER, X_OK) != 0 || access("/usr/bin/mosquitto_sub", X_OK) != 0) {
		printf("skipped: test_bus needs %s and mosquitto_sub (packages mosquitto, mosquitto-clients)\n", BROKER);
		return failed;
	}
	return failed + cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
