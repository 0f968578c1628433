/* The control socket as its clients see it: raw sockets on one side, the loop pumped by hand on the other. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/control.h"
#include "daemon/ctl_client.h"
#include "daemon/xalloc.h"

#define PUMP_LIMIT_S 20

struct world {
	uv_loop_t loop;
	struct control *control;
	char path[64];
	int answers, closed;
};

static void answer(void *self, const char *verb, const cJSON *args, struct json *out, char *error, size_t error_size)
{
	struct world *world = self;
	world->answers++;
	if (strcmp(verb, "echo") == 0) {
		json_open(out, NULL);
		json_int(out, "n", (int64_t)cJSON_GetObjectItemCaseSensitive(args, "n")->valuedouble);
		json_close(out);
		json_newline(out);
	} else if (strcmp(verb, "big") == 0) {
		for (int i = 0; i < 16384; i++) {
			json_string(out, NULL, "sixty-four bytes a line make a megabyte of sixteen thousand li");
			json_newline(out);
		}
	} else if (strcmp(verb, "quiet") != 0) {
		json_string(out, NULL, "half an answer");
		snprintf(error, error_size, "no such verb \"%s\"", verb);
	}
}

static void on_closed(void *self)
{
	((struct world *)self)->closed++;
}

static struct control_user user_of(struct world *world)
{
	return (struct control_user){ .self = world, .answer = answer, .on_closed = on_closed };
}

static void open_world(struct world *world, uint64_t idle_ms)
{
	memset(world, 0, sizeof(*world));
	snprintf(world->path, sizeof(world->path), "/tmp/test-control-%d.sock", (int)getpid());
	uv_loop_init(&world->loop);
	struct control_conf conf = { .path = world->path, .idle_ms = idle_ms };
	assert_int_equal(control_open(&world->loop, &conf, user_of(world), &world->control), 0);
}

static void close_world(struct world *world)
{
	control_close(world->control);
	assert_int_equal(world->closed, 0);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(world->closed, 1);
	assert_int_equal(access(world->path, F_OK), -1);
	assert_int_equal(uv_loop_close(&world->loop), 0);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Pumps until n verdicts have come or the other side hung up; returns what came. Static: one at a time. */
static const char *hear(struct world *world, int fd, int n)
{
	static char text[4096];
	size_t len = 0;
	uint64_t end = uv_hrtime() + PUMP_LIMIT_S * 1000000000ull;
	for (int verdicts = 0; verdicts < n && uv_hrtime() < end; ) {
		uv_run(&world->loop, UV_RUN_NOWAIT);
		ssize_t got = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			break;
		len += got > 0 ? (size_t)got : 0;
		text[len] = '\0';
		verdicts = 0;
		for (const char *s = text; (s = strstr(s, "\"ok\":")); s++)
			verdicts++;
	}
	text[len] = '\0';
	return text;
}

/* Pumps until the other side hangs up, eating what it still says. */
static bool hangs_up(struct world *world, int fd)
{
	char waste[65536];
	uint64_t end = uv_hrtime() + PUMP_LIMIT_S * 1000000000ull;
	while (uv_hrtime() < end) {
		uv_run(&world->loop, UV_RUN_NOWAIT);
		ssize_t got = recv(fd, waste, sizeof(waste), 0);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return true;
	}
	return false;
}

static void test_answers_in_order(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, 0);
	int fd = connect_to(world.path);
	say(fd, "{\"verb\":\"echo\",\"n\":1}\n{\"verb\":\"quiet\"}\n{\"verb\":\"echo\",\"n\":2}\n{\"verb\":\"ec");
	assert_string_equal(hear(&world, fd, 3), "{\"n\":1}\n{\"ok\":true}\n{\"ok\":true}\n{\"n\":2}\n{\"ok\":true}\n");
	say(fd, "ho\",\"n\":3}\r\n");
	assert_string_equal(hear(&world, fd, 1), "{\"n\":3}\n{\"ok\":true}\n");
	close(fd);
	close_world(&world);
}

static void test_refusals_say_why_and_drop_the_half_answer(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, 0);
	int fd = connect_to(world.path);
	say(fd, "{\"verb\":\"dance\"}\n");
	assert_string_equal(hear(&world, fd, 1), "{\"ok\":false,\"error\":\"no such verb \\\"dance\\\"\"}\n");
	static const char *const wrong[] = { "\n", "[]\n", "{} x\n", "{\"verb\":7}\n", "{\"Verb\":\"quiet\"}\n", "\xff\n", "{\"verb\"\n" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		say(fd, wrong[i]);
		assert_non_null(strstr(hear(&world, fd, 1), "{\"ok\":false,\"error\":\"a request "));
	}
	send(fd, "{\"verb\":\"quiet\"}\0x\n", 19, 0);
	assert_non_null(strstr(hear(&world, fd, 1), "\"ok\":false"));
	assert_int_equal(world.answers, 1);
	say(fd, "{\"verb\":\"quiet\"}\n");
	assert_string_equal(hear(&world, fd, 1), "{\"ok\":true}\n");
	close(fd);
	close_world(&world);
}

static void test_a_request_has_a_bound(void **state)
{
	(void)state;
	struct world world;
	char longest[CONTROL_MAX_LINE + 2];
	memset(longest, ' ', sizeof(longest));
	memcpy(longest, "{\"verb\":\"quiet\"}", 16);
	open_world(&world, 0);
	int fits = connect_to(world.path), too_long = connect_to(world.path);
	longest[CONTROL_MAX_LINE - 1] = '\n';
	assert_int_equal(send(fits, longest, CONTROL_MAX_LINE, 0), CONTROL_MAX_LINE);
	assert_string_equal(hear(&world, fits, 1), "{\"ok\":true}\n");
	longest[CONTROL_MAX_LINE - 1] = ' ';
	longest[CONTROL_MAX_LINE] = '\n';
	assert_int_equal(send(too_long, longest, CONTROL_MAX_LINE + 1, 0), CONTROL_MAX_LINE + 1);
	assert_non_null(strstr(hear(&world, too_long, 1), "at most 4096 bytes"));
	assert_true(hangs_up(&world, too_long));
	close(fits);
	close(too_long);
	close_world(&world);
}

static void test_the_last_line_may_end_with_the_stream(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, 0);
	int fd = connect_to(world.path);
	say(fd, "{\"verb\":\"quiet\"}\n{\"verb\":\"echo\",\"n\":4}");
	shutdown(fd, SHUT_WR);
	assert_string_equal(hear(&world, fd, 2), "{\"ok\":true}\n{\"n\":4}\n{\"ok\":true}\n");
	assert_true(hangs_up(&world, fd));
	close(fd);
	close_world(&world);
}

static void test_who_does_not_read_stalls_only_himself(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, 0);
	int deaf = connect_to(world.path), other = connect_to(world.path);
	for (int i = 0; i < 50; i++)
		say(deaf, "{\"verb\":\"big\"}\n");
	for (int i = 0; i < 50; i++) {
		say(other, "{\"verb\":\"quiet\"}\n");
		assert_string_equal(hear(&world, other, 1), "{\"ok\":true}\n");
	}
	assert_int_equal(world.answers, 51);
	close(deaf);
	close(other);
	close_world(&world);
}

static void test_a_burst_is_spread_over_turns(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, 0);
	int fd = connect_to(world.path);
	for (int i = 0; i < 100; i++)
		say(fd, "{\"verb\":\"quiet\"}\n");
	for (int before = 0; world.answers < 100; before = world.answers) {
		uv_run(&world.loop, UV_RUN_NOWAIT);
		assert_true(world.answers - before <= 10);
	}
	close(fd);
	close_world(&world);
}

static void test_clients_have_a_bound(void **state)
{
	(void)state;
	struct world world;
	int fds[CONTROL_MAX_CLIENTS];
	open_world(&world, 0);
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		fds[i] = connect_to(world.path);
		say(fds[i], "{\"verb\":\"quiet\"}\n");
		assert_string_equal(hear(&world, fds[i], 1), "{\"ok\":true}\n");
	}
	int extra = connect_to(world.path);
	assert_string_equal(hear(&world, extra, 1), "{\"ok\":false,\"error\":\"too many clients\"}\n");
	assert_true(hangs_up(&world, extra));
	close(extra);
	close(fds[7]);
	for (int i = 0; i < 10; i++)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	fds[7] = connect_to(world.path);
	say(fds[7], "{\"verb\":\"quiet\"}\n");
	assert_string_equal(hear(&world, fds[7], 1), "{\"ok\":true}\n");
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		close(fds[i]);
	close_world(&world);
}

static void test_the_idle_are_closed(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, 100);
	int mute = connect_to(world.path), deaf = connect_to(world.path);
	for (int i = 0; i < 10; i++)
		say(deaf, "{\"verb\":\"big\"}\n");
	assert_true(hangs_up(&world, mute));
	while (uv_loop_alive(&world.loop) && world.answers < 1)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	assert_true(hangs_up(&world, deaf));
	close(mute);
	close(deaf);
	close_world(&world);
}

static void test_closing_with_clients_at_work(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, 0);
	int writing = connect_to(world.path), mute = connect_to(world.path);
	say(writing, "{\"verb\":\"big\"}\n");
	while (world.answers < 1)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	close_world(&world);
	close(writing);
	close(mute);
}

static void test_the_file(void **state)
{
	(void)state;
	struct world world, second = { .closed = 0 };
	struct stat file;
	open_world(&world, 0);
	assert_int_equal(stat(world.path, &file), 0);
	assert_true(S_ISSOCK(file.st_mode));
	assert_int_equal(file.st_mode & 07777, 0660);

	struct control_conf conf = { .path = world.path };
	assert_int_equal(control_open(&world.loop, &conf, user_of(&second), &second.control), UV_EADDRINUSE);
	assert_null(second.control);
	uv_run(&world.loop, UV_RUN_NOWAIT);
	int fd = connect_to(world.path);
	say(fd, "{\"verb\":\"quiet\"}\n");
	assert_string_equal(hear(&world, fd, 1), "{\"ok\":true}\n");
	close(fd);
	close_world(&world);
	assert_int_equal(second.closed, 0);
}

static int try_open(const char *path)
{
	struct world world = { .closed = 0 };
	uv_loop_init(&world.loop);
	struct control_conf conf = { .path = path };
	int status = control_open(&world.loop, &conf, user_of(&world), &world.control);
	if (status == 0)
		control_close(world.control);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world.loop), 0);
	return status;
}

static void test_what_was_there_before(void **state)
{
	(void)state;
	char path[64], too_long[200];
	snprintf(path, sizeof(path), "/tmp/test-control-%d.sock", (int)getpid());
	memset(too_long, 'x', sizeof(too_long));
	memcpy(too_long, "/tmp/", 5);
	too_long[sizeof(too_long) - 1] = '\0';

	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(try_open(path), 0);

	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(try_open(path), UV_EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	assert_int_equal(try_open(too_long), UV_ENAMETOOLONG);
	assert_int_equal(try_open("/nowhere/at/all.sock"), UV_ENOENT);
}

static void count_line(void *self, const char *text, const cJSON *value)
{
	(void)text;
	*(int *)self += cJSON_IsString(value) || cJSON_IsObject(value);
}

/* In a process of its own, since it waits. Returns which check failed, 0 if none. */
static int ask_as_mulletctl(const char *path)
{
	struct ctl_client client;
	char error[160];
	int lines = 0;
	struct ctl_listener listener = { &lines, count_line };
	client_init(&client, path);
	if (client_ask(&client, "{\"verb\":\"echo\",\"n\":1}", 20000, listener, error, sizeof(error)) != CTL_DONE || lines != 1)
		return 1;
	if (client_ask(&client, "{\"verb\":\"dance\"}", 20000, listener, error, sizeof(error)) != CTL_REFUSED)
		return 2;
	if (strcmp(error, "no such verb \"dance\"") != 0 || lines != 1)
		return 3;
	if (client_ask(&client, "{\"verb\":\"big\"}", 20000, listener, error, sizeof(error)) != CTL_DONE || lines != 16385)
		return 4;
	client_close(&client);
	client_init(&client, "/nowhere/at/all.sock");
	if (client_ask(&client, "{\"verb\":\"quiet\"}", 20000, listener, error, sizeof(error)) != CTL_UNREACHED)
		return 5;
	return strstr(error, "no daemon at /nowhere") ? 0 : 6;
}

static void test_the_real_client(void **state)
{
	(void)state;
	struct world world;
	open_world(&world, 0);
	pid_t child = fork();
	if (child == 0)
		_exit(ask_as_mulletctl(world.path));
	int status = -1;
	while (waitpid(child, &status, WNOHANG) == 0)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close_world(&world);
}

/* A daemon that listens and says nothing: the client gives up in its time. */
static void test_the_client_does_not_wait_for_ever(void **state)
{
	(void)state;
	struct world world;
	struct ctl_client client;
	char error[160];
	int lines = 0;
	open_world(&world, 0);
	client_init(&client, world.path);
	assert_int_equal(client_ask(&client, "{\"verb\":\"quiet\"}", 50, (struct ctl_listener){ &lines, count_line },
	                            error, sizeof(error)), CTL_UNREACHED);
	assert_string_equal(error, "the daemon does not answer in time");
	client_close(&client);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_in_order),
		cmocka_unit_test(test_refusals_say_why_and_drop_the_half_answer),
		cmocka_unit_test(test_a_request_has_a_bound),
		cmocka_unit_test(test_the_last_line_may_end_with_the_stream),
		cmocka_unit_test(test_who_does_not_read_stalls_only_himself),
		cmocka_unit_test(test_a_burst_is_spread_over_turns),
		cmocka_unit_test(test_clients_have_a_bound),
		cmocka_unit_test(test_the_idle_are_closed),
		cmocka_unit_test(test_closing_with_clients_at_work),
		cmocka_unit_test(test_the_file),
		cmocka_unit_test(test_what_was_there_before),
		cmocka_unit_test(test_the_real_client),
		cmocka_unit_test(test_the_client_does_not_wait_for_ever),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
