/* tests/bus_bench.h - a bus on a loop, a real broker on a private port, and mosquitto_sub and mosquitto_pub as independent
 * witnesses. */
#ifndef TESTS_BUS_BENCH_H
#define TESTS_BUS_BENCH_H

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
#include "daemon/xalloc.h"

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

static inline void on_connected(void *self)
{
	((struct bench *)self)->connected++;
}

static inline void on_lost(void *self, const char *why)
{
	struct bench *b = self;
	b->lost++;
	snprintf(b->why, sizeof(b->why), "%s", why);
}

static inline void on_subscribed(void *self, const char *topic, bool granted)
{
	struct bench *b = self;
	b->granted += granted;
	b->refused += !granted;
	snprintf(b->last_topic, sizeof(b->last_topic), "%s", topic);
}

static inline void on_message(void *self, const char *topic, const char *text, size_t len, bool retained)
{
	struct bench *b = self;
	b->messages++;
	b->last_len = len;
	b->last_null = text == NULL;
	b->last_retained = retained;
	snprintf(b->last_topic, sizeof(b->last_topic), "%s", topic);
	snprintf(b->last, sizeof(b->last), "%.*s", len < 199 ? (int)len : 199, text ? text : "");
}

static inline void on_closed(void *self)
{
	struct bench *b = self;
	b->closed++;
	b->bus = NULL;
}

static inline int free_port(void)
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

static inline pid_t run(const char *output, const char *const argv[])
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

static inline void stop(pid_t *pid, int signal)
{
	if (*pid > 0) {
		kill(*pid, signal);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static inline const char *path(const struct bench *b, const char *name)
{
	static char text[4][160];
	static int i;
	i = (i + 1) % 4;
	snprintf(text[i], sizeof(text[i]), "%s/%s", b->dir, name);
	return text[i];
}

static inline void turn(struct bench *b)
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

static inline bool listening(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool good = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	close(fd);
	return good;
}

static inline void start_broker(struct bench *b, const char *more)
{
	FILE *conf = fopen(path(b, "broker.conf"), "w");
	assert_non_null(conf);
	fprintf(conf, "user root\nlistener %d 127.0.0.1\npersistence true\npersistence_location %s/\n"
	        "max_queued_messages 0\nlog_type all\n%s\n", b->port, b->dir, more ? more : "allow_anonymous true");
	fclose(conf);
	b->broker = run(path(b, "broker.log"), (const char *[]){ BROKER, "-c", path(b, "broker.conf"), NULL });
	until(b, listening(b->port));
}

static inline const char *port_text(const struct bench *b)
{
	static char text[16];
	snprintf(text, sizeof(text), "%d", b->port);
	return text;
}

/* One line a message: topic, retained, QoS, text. Its session outlives the broker, which keeps what it has missed. */
static inline void start_witness(struct bench *b, const char *name)
{
	b->witness = run(path(b, name), (const char *[]){ "/usr/bin/mosquitto_sub", "-p", port_text(b), "-q", "1", "-c", "-i", name,
		"-F", "%t %r %q %p", "-t", "mullet/pecos-1/#", "-t", "probe/#", NULL });
}

/* Those with `part` in them; NULL: all but the probes. */
static inline int lines_with(const struct bench *b, const char *name, const char *part, char lines[][200])
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

static inline int lines_of(const struct bench *b, const char *name, char lines[][200])
{
	return lines_with(b, name, NULL, lines);
}

static inline bool probe_seen(const struct bench *b, const char *name)
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

static inline void publish(const struct bench *b, const char *topic, const char *option, const char *text, bool retain)
{
	const char *argv[] = { "/usr/bin/mosquitto_pub", "-p", port_text(b), "-q", "1", "-t", topic, option, text,
		retain ? "-r" : NULL, NULL };
	pid_t pid = run(NULL, argv);
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static inline void await_witness(struct bench *b, const char *name)
{
	start_witness(b, name);
	for (int i = 0; i < 200 && !probe_seen(b, name); i++) {
		publish(b, "probe/x", "-m", "x", false);
		usleep(20000);
	}
	assert_true(probe_seen(b, name));
}

static inline struct bus_conf conf_of(const struct bench *b)
{
	return (struct bus_conf){ .host = "127.0.0.1", .port = (uint16_t)b->port, .client_id = "mulletd-test",
		.prefix = "mullet/pecos-1", .will_topic = "state", .will = "will", .backoff_ms = 20, .most_backoff_ms = 200 };
}

static inline void open_bus(struct bench *b, const struct bus_conf *conf)
{
	struct bus_user user = { b, on_connected, on_lost, on_subscribed, on_message, on_closed };
	b->bus = bus_open(&b->loop, conf, user);
}

static inline void connect_bus(struct bench *b)
{
	struct bus_conf conf = conf_of(b);
	open_bus(b, &conf);
	until(b, b->connected > 0);
}

static inline void close_bus(struct bench *b)
{
	bus_close(b->bus);
	assert_int_equal(b->closed, 0);
	until(b, b->closed == 1);
}

static inline void put(struct bench *b, enum delivery delivery, const char *topic, const char *text)
{
	struct sink *sink = bus_sink(b->bus);
	sink->put(sink, topic, delivery, text, strlen(text));
}

static inline void put_numbers(struct bench *b, int from, int to)
{
	char text[20];
	for (int i = from; i < to; i++) {
		snprintf(text, sizeof(text), "%d", i);
		put(b, DELIVER_EVENT, "decision", text);
	}
}

static inline int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	snprintf(b->dir, sizeof(b->dir), "/tmp/mullet-bus-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	uv_loop_init(&b->loop);
	b->port = free_port();
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
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

static inline int log_count(const struct bench *b, const char *part)
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

/* Until it has stopped: what it reads between the signal and then would make room. */
static inline void freeze(struct bench *b)
{
	int status;
	kill(b->broker, SIGSTOP);
	assert_int_equal(waitpid(b->broker, &status, WUNTRACED), b->broker);
}

static inline const char *file_of(const struct bench *b, size_t size)
{
	FILE *file = fopen(path(b, "payload"), "w");
	for (size_t i = 0; i < size; i++)
		fputc('x', file);
	fclose(file);
	return path(b, "payload");
}

/* false: there is no broker on this machine, and it has been said. */
static inline bool broker_there(const char *program)
{
	if (access(BROKER, X_OK) == 0 && access("/usr/bin/mosquitto_sub", X_OK) == 0)
		return true;
	printf("skipped: %s needs %s and mosquitto_sub (packages mosquitto, mosquitto-clients)\n", program, BROKER);
	return false;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
