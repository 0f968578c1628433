/* Simulated miners over raw sockets: sessions, curtailment, watts that move, the transport's manners, the logs.
 * The farm runs on a thread of its own; this side only knows TCP. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/options.h"

enum { SPEED = 10 };

/* Two runs at once do not meet; below the ports that clients are given. */
static uint16_t port(void)
{
	return (uint16_t)(10240 + getpid() % 20000);
}

struct fixture {
	struct options options;
	struct farm farm;
	uv_loop_t loop;
	uv_async_t end;
	pthread_t thread;
	char why[300];
};

static void farm_closed(struct farm *farm)
{
	(void)farm;
}

static void on_end(uv_async_t *async)
{
	struct fixture *f = async->data;
	farm_close(&f->farm, farm_closed);
	uv_close((uv_handle_t *)async, NULL);
}

static void *serve(void *self)
{
	struct fixture *f = self;
	uv_run(&f->loop, UV_RUN_DEFAULT);
	return NULL;
}

static struct fixture *start(int argc, char **argv)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	assert_int_equal(options_read(&f->options, argc, argv, f->why, sizeof f->why), 0);
	f->options.farm.modbus_port = f->options.farm.miner_port = port();
	f->options.farm.speed = SPEED;
	uv_loop_init(&f->loop);
	uv_async_init(&f->loop, &f->end, on_end);
	f->end.data = f;
	if (farm_open(&f->farm, &f->loop, &f->options.farm, f->why, sizeof f->why) != 0)
		fail_msg("%s", f->why);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	return f;
}

static void end_with(struct fixture *f, bool logs_broken)
{
	uv_async_send(&f->end);
	pthread_join(f->thread, NULL);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	assert_int_equal(f->farm.logs_broken, logs_broken);
	options_free(&f->options);
	free(f);
}

static void end(struct fixture *f)
{
	end_with(f, false);
}

#define START(...) start_with((const char *const[]){ "mulletsim", "--pdus", "1", "--latency", "0 ms", __VA_ARGS__, NULL })
static struct fixture *start_with(const char *const *args)
{
	char *argv[24];
	int argc = 0;
	for (; args[argc]; argc++)
		argv[argc] = (char *)(uintptr_t)args[argc];
	argv[argc] = NULL;
	return start(argc, argv);
}

/* ---- a client ---- */

static int dial(const char *host)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port()) };
	struct timeval limit = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	inet_pton(AF_INET, host, &address.sin_addr);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -errno;
}

/* All until the miner closes; -1 if it did not. */
static ssize_t drain(int fd, char *reply, size_t size)
{
	size_t n = 0;
	ssize_t got;
	while ((got = recv(fd, reply + n, size - 1 - n, 0)) > 0)
		n += (size_t)got;
	reply[n] = '\0';
	return got < 0 ? -1 : (ssize_t)n;
}

/* Asks, and insists on the manners: one NUL at the very end, then a close. */
static const char *ask(const char *host, const char *request)
{
	static char reply[16384];
	int fd = dial(host);
	assert_true(fd >= 0);
	assert_int_equal(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
	ssize_t n = drain(fd, reply, sizeof reply);
	assert_true(n > 1);
	assert_int_equal(strlen(reply), n - 1);
	close(fd);
	return reply;
}

static void assert_has(const char *reply, const char *part)
{
	if (!strstr(reply, part))
		fail_msg("%s\nlacks %s", reply, part);
}

static const char *ask_with(const char *host, const char *command, const char *session, const char *rest)
{
	char request[200];
	snprintf(request, sizeof request, "{\"command\":\"%s\",\"parameter\":\"%s%s%s\"}", command, session, *rest ? "," : "", rest);
	return ask(host, request);
}

static void log_on(const char *host, char session[9])
{
	const char *reply = ask(host, "{\"command\":\"logon\"}");
	assert_has(reply, "\"Code\":316");
	assert_int_equal(sscanf(strstr(reply, "SessionID"), "SessionID\":\"%8[^\"]", session), 1);
}

static long watts_of(const char *host)
{
	const char *reply = ask(host, "{\"command\":\"power\"}"), *at = strstr(reply, "\"Watts\":");
	assert_non_null(at);
	return strtol(at + 8, NULL, 10);
}

static bool wait_for_watts(const char *host, long least, long most)
{
	for (int tries = 0; tries < 2000; tries++, usleep(20000)) {
		long watts = watts_of(host);
		if (watts >= least && watts <= most)
			return true;
	}
	return false;
}

/* ---- LuxOS ---- */

static void luxos_reports(void **state)
{
	(void)state;
	struct fixture *f = START("--miners", "luxos-s21:2");
	const char *host = "127.30.0.1", *reply = ask(host, "{\"command\":\"version\"}");
	assert_has(reply, "{\"STATUS\":[{\"Code\":22,");
	assert_has(reply, "\"LUXminer\":\"2025.");
	reply = ask(host, "{\"command\":\"power+config+power+curtail\"}");
	assert_has(reply, "{\"power\":[{\"POWER\":[{\"PSU\":true,\"Watts\":");
	assert_has(reply, "\"config\":[{\"CONFIG\":[{");
	assert_has(reply, "\"CurtailMode\":\"None\"");
	assert_has(reply, "\"curtail\":[{\"STATUS\":[{\"Code\":45,");
	assert_has(reply, "\"id\":1}],\"id\":1}");
	assert_null(strstr(strstr(reply, "\"power\":[") + 1, "\"power\":["));    /* a repeated member once */
	assert_has(ask(host, "profiles"), "\"Profile Name\":\"590MHz\",\"Step\":\"0\"");
	assert_has(ask(host, "devs"), "\"IsRamping\":false");
	assert_has(ask(host, "nonsense"), "\"Code\":14,");
	assert_has(ask(host, "{\"command\""), "\"Code\":23,");
	assert_has(ask(host, "{\"commend\":1}"), "\"Code\":24,");
	end(f);
}

static void luxos_sessions(void **state)
{
	(void)state;
	struct fixture *f = START("--miners", "luxos-s21:2", "--held-sessions", "100%");
	const char *host = "127.30.0.2";
	char session[9], held[9];
	assert_has(ask(host, "{\"command\":\"logon\"}"), "\"Code\":402,");
	assert_int_equal(sscanf(strstr(ask(host, "session"), "SessionID"), "SessionID\":\"%8[^\"]", held), 1);
	assert_has(ask_with(host, "logoff", held, ""), "\"STATUS\":\"S\"");
	log_on(host, session);
	assert_has(ask_with(host, "curtail", "nobody", "sleep"), "Invalid session id");
	assert_has(ask_with(host, "curtail", "", ""), "Session id is required");
	assert_has(ask(host, "kill"), "\"STATUS\":\"S\"");
	assert_has(ask_with(host, "curtail", session, "sleep"), "\"STATUS\":\"E\"");
	assert_has(ask(host, "session"), "\"SessionID\":\"\"");
	log_on(host, session);
	end(f);
}

static void luxos_sessions_expire(void **state)
{
	(void)state;
	struct plant plant;
	struct asic asic;
	struct text reply = { 0 };
	struct asic_room room = { .plant = &plant, .asics = &asic };
	plant_init(&plant, 1);
	plant_add(&plant, &plant_luxos_s21, 1);
	asic_init(&asic, ASIC_LUXOS);
	asic_answer(&room, 0, 1000, "logon", 5, &reply);
	asic_answer(&room, 0, 1000 + ASIC_SESSION_MS - 1, "logon", 5, &reply);
	assert_has(reply.at, "\"Code\":402,");
	text_clear(&reply);
	asic_answer(&room, 0, 1000 + ASIC_SESSION_MS, "logon", 5, &reply);
	assert_has(reply.at, "\"Code\":316,");
	text_clear(&reply);
	plant_set_fault(&plant, 0, 1000, PLANT_BUSY);
	asic_answer(&room, 0, 500000, "session", 7, &reply);
	assert_has(reply.at, "\"SessionID\":\"Held");
	text_clear(&reply);
	asic_answer(&room, 0, 500001, "curtail|Held0000,sleep", 22, &reply);
	assert_has(reply.at, "Invalid session id");
	text_free(&reply);
	plant_free(&plant);
}

static void assert_answers(struct asic_room *room, int64_t now_ms, const char *request, const char *part)
{
	struct text reply = { 0 };
	asic_answer(room, 0, now_ms, request, strlen(request), &reply);
	assert_has(reply.at, part);
	text_free(&reply);
}

static void luxos_refuses_what_would_harm(void **state)
{
	(void)state;
	struct plant plant;
	struct asic asic;
	struct asic_room room = { .plant = &plant, .asics = &asic };
	plant_init(&plant, 1);
	plant_add(&plant, &plant_luxos_s21, 1);
	asic_init(&asic, ASIC_LUXOS);
	asic_hold_session(&asic, 0);                    /* Held0000, then Held0001 */
	assert_answers(&room, 1000, "curtail|Held0000,sleep", "\"Code\":335");
	assert_answers(&room, 9000, "rebootdevice|Held0000", "\"STATUS\":\"S\"");
	assert_answers(&room, 9500, "session", "\"SessionID\":\"\"");
	asic_hold_session(&asic, 10000);
	assert_answers(&room, 11000, "curtail|Held0001,wakeup,mode=unsafe", "after a restart");
	assert_answers(&room, 12000, "curtail|Held0001,doze", "Invalid curtail mode");
	assert_answers(&room, 12000, "curtail|Held0001,wakeup", "\"Action\":\"wake up\"");
	assert_answers(&room, 50000, "atmset|Held0001,enabled=true", "\"Enabled\":true");
	assert_answers(&room, 50000, "profileset|Held0001,2500W", "\"Code\":321");
	assert_answers(&room, 51000, "config", "\"IsAtmEnabled\":true");
	assert_answers(&room, 51000, "config", "\"Profile\":\"590MHz\"");         /* the tuner has its own mind */
	assert_answers(&room, 60000, "atmset|Held0001,enabled=false", "\"Enabled\":false");
	assert_answers(&room, 60000, "profileset|Held0001,2500W", "\"Profile\":\"465MHz\"");
	assert_answers(&room, 60000, "profileset|Held0001,+1", "\"Profile\":\"490MHz\"");
	assert_answers(&room, 60000, "profileset|Held0001,+9", "Profile not found");
	assert_answers(&room, 70000, "curtail|Held0001,sleep", "\"Code\":335");
	assert_answers(&room, 80000, "profileset|Held0001,2500W", "\"Profile\":\"465MHz\"");      /* for when it is awake */
	assert_answers(&room, 90000, "curtail|Held0001,wakeup,mode=unsafe", "\"Action\":\"wake up\"");
	assert_in_range(plant_miner_w(&plant, 0, 120000), 2200, 2500);
	plant_free(&plant);
}

/* What the site file tells as the least of a group: every unit takes it, and none draws more under it. */
static void luxos_holds_its_lowest_profile(void **state)
{
	static const struct plant_miner_type *const types[] = { &plant_luxos_s21, &plant_luxos_s19kpro };
	enum { UNITS = 50 };
	(void)state;
	for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
		struct plant plant;
		struct asic asic[UNITS];
		struct asic_room room = { .plant = &plant, .asics = asic };
		char request[64];
		int32_t least_w = asic_luxos_least_w(types[t]);
		plant_init(&plant, 1);
		plant_add(&plant, types[t], UNITS);
		snprintf(request, sizeof request, "profileset|Held0000,%dW", least_w);
		for (size_t i = 0; i < UNITS; i++) {
			struct text reply = { 0 };
			asic_init(&asic[i], ASIC_LUXOS);
			asic_hold_session(&asic[i], 0);
			asic_answer(&room, i, 1000, request, strlen(request), &reply);
			assert_has(reply.at, "\"Code\":321");
			text_free(&reply);
			int64_t share = (int64_t)least_w * plant.miners[i].full_w / types[t]->full_w;
			assert_in_range(plant_miner_w(&plant, i, 60000), share - 1, share + 1);
		}
		plant_free(&plant);
	}
}

static void luxos_sleeps_and_wakes(void **state)
{
	(void)state;
	struct fixture *f = START("--miners", "luxos-s21:3");
	const char *host = "127.30.0.3";
	char session[9];
	log_on(host, session);
	assert_in_range(watts_of(host), 3100, 3900);
	assert_has(ask_with(host, "curtail", session, "wakeup"), "already");
	assert_has(ask_with(host, "curtail", session, "sleep"), "\"Action\":\"sleep mode\"");
	assert_has(ask_with(host, "curtail", session, "sleep"), "already");
	assert_has(ask(host, "config"), "\"CurtailMode\":\"Sleep\"");
	assert_true(watts_of(host) > 3000);             /* heard is not done */
	assert_true(wait_for_watts(host, 10, 40));
	assert_has(ask_with(host, "curtail", session, "wakeup,mode=unsafe"), "\"Action\":\"wake up\"");
	assert_has(ask(host, "devs"), "\"IsRamping\":true");
	assert_true(wait_for_watts(host, 3100, 4000));
	assert_has(ask_with(host, "profileset", session, "490MHz"), "\"Profile\":\"490MHz\"");
	assert_has(ask(host, "config"), "\"Profile\":\"490MHz\",\"ProfileStep\":\"-4\"");
	assert_true(wait_for_watts(host, 2300, 2900));
	assert_has(ask_with(host, "profileset", session, "2MHz"), "Profile not found");
	end(f);
}

/* ---- CGMiner ---- */

static void cgminer_reports_and_boards(void **state)
{
	(void)state;
	struct fixture *f = START("--miners", "cgminer-s19:1");
	const char *host = "127.30.0.1";
	assert_has(ask(host, "{\"command\":\"version\"}"), "{\"STATUS\":[{\"STATUS\":\"S\",");
	assert_has(ask(host, "summary+devs"), "\"summary\":[{\"STATUS\"");
	assert_has(ask(host, "summary+privileged"), "\"Code\":45,\"Msg\":\"Access denied to 'privileged' command\"");
	assert_has(ask(host, "privileged"), "\"Code\":46,");
	assert_has(ask(host, "{\"command\":\"ascdisable\",\"parameter\":0}"), "\"Code\":111,");
	assert_has(ask(host, "ascdisable|0"), "\"Code\":109,");
	assert_has(ask(host, "ascdisable|3"), "\"Code\":107,");
	assert_has(ask(host, "ascdisable"), "\"Code\":15,");
	assert_has(ask(host, "ascdisable|1"), "\"Code\":111,");
	assert_has(ask(host, "ascdisable|2"), "\"Code\":111,");
	bool silent = false;
	for (int tries = 0; tries < 2000 && !silent; tries++, usleep(20000))
		silent = strstr(ask(host, "summary"), "\"MHS 5s\":0.00,");
	assert_true(silent);
	assert_has(ask(host, "devs"), "\"Enabled\":\"N\"");
	assert_has(ask(host, "ascenable|1"), "\"Code\":110,");
	end(f);
}

static void cgminer_serves_one_after_the_other(void **state)
{
	(void)state;
	struct fixture *f = START("--miners", "cgminer-s19:1");
	char reply[4096];
	int idle = dial("127.30.0.1"), second = dial("127.30.0.1");
	assert_true(idle >= 0 && second >= 0);
	send(second, "version", 7, 0);
	struct timeval soon = { .tv_usec = 300000 };
	setsockopt(second, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
	assert_true(recv(second, reply, sizeof reply, 0) < 0);          /* the idle client is in the way */
	close(idle);
	soon.tv_sec = 20;
	setsockopt(second, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
	assert_true(drain(second, reply, sizeof reply) > 1);
	assert_has(reply, "CGMiner versions");
	close(second);
	end(f);
}

/* ---- faults ---- */

static void silent_miners_take_and_say_nothing(void **state)
{
	(void)state;
	struct fixture *f = START("--miners", "luxos-s21:1", "--faults", "silent=100%");
	char reply[64];
	int fd = dial("127.30.0.1");
	struct timeval soon = { .tv_usec = 300000 };
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
	send(fd, "power", 5, 0);
	assert_int_equal(recv(fd, reply, sizeof reply, 0), -1);
	assert_int_equal(errno, EAGAIN);
	close(fd);
	end(f);
}

static void refusing_miners_come_back(void **state)
{
	(void)state;
	struct fixture *f = START("--miners", "luxos-s21:1", "--faults", "refusing=100%", "--at", "5s:miner=sound:1");
	int fd = dial("127.30.0.1");
	assert_int_equal(fd, -ECONNREFUSED);
	for (int tries = 0; tries < 200 && fd < 0; tries++, usleep(50000))
		fd = dial("127.30.0.1");
	assert_true(fd >= 0);
	close(fd);
	assert_true(watts_of("127.30.0.1") > 3000);
	end(f);
}

static void lying_miners_acknowledge_and_draw_on(void **state)
{
	(void)state;
	struct fixture *f = START("--miners", "luxos-s21:1", "--faults", "lying=100%");
	char session[9];
	log_on("127.30.0.1", session);
	assert_has(ask_with("127.30.0.1", "curtail", session, "sleep"), "\"Action\":\"sleep mode\"");
	assert_has(ask("127.30.0.1", "config"), "\"CurtailMode\":\"Sleep\"");
	for (int tries = 0; tries < 50; tries++, usleep(20000))
		assert_true(watts_of("127.30.0.1") > 3000);
	end(f);
}

static void garbled_replies_are_garbled(void **state)
{
	(void)state;
	struct fixture *f = START("--miners", "luxos-s21:1", "--faults", "garbled=100%");
	for (int i = 0; i < 12; i++) {
		char reply[4096];
		int fd = dial("127.30.0.1");
		assert_true(fd >= 0);
		send(fd, "power", 5, 0);
		assert_true(drain(fd, reply, sizeof reply) > 0);
		assert_null(strstr(reply, "\"id\":1}"));
		close(fd);
	}
	end(f);
}

/* ---- logs ---- */

static char *file_text(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void logs_tell_the_truth_and_the_commands(void **state)
{
	(void)state;
	char truth[] = "/tmp/mullet-truth-XXXXXX", commands[] = "/tmp/mullet-commands-XXXXXX", session[9];
	close(mkstemp(truth));
	close(mkstemp(commands));
	struct fixture *f = START("--miners", "luxos-s21:1,cgminer-s19:2", "--log", truth, "--commands", commands,
	                          "--pattern", "constant", "--peak", "100 kW");
	log_on("127.30.0.1", session);
	ask_with("127.30.0.1", "curtail", session, "sleep");
	ask("127.31.0.2", "ascdisable|1");
	for (int tries = 0; tries < 100 && farm_now_ms(&f->farm) < 1500; tries++)
		usleep(50000);
	end(f);
	const char *text = file_text(truth);
	assert_has(text, "t_s,site_w,hpc_w,miners_w\n0.0,");
	assert_has(text, "\n0.9,");
	assert_has(text, ",100000,");
	text = file_text(commands);
	assert_has(text, ",luxos-s21,127.30.0.1,logon,\"\",S,316,0\n");
	assert_has(text, ",luxos-s21,127.30.0.1,curtail,\"sleep\",S,335,1\n");
	assert_has(text, ",cgminer-s19/2,127.31.0.2,ascdisable,\"1\",I,111,1\n");
	unlink(truth);
	unlink(commands);
}

static void a_log_that_is_cut_short_is_noted(void **state)
{
	(void)state;
	end_with(START("--miners", "luxos-s21:1", "--log", "/dev/full"), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(luxos_reports),
		cmocka_unit_test(luxos_sessions),
		cmocka_unit_test(luxos_sessions_expire),
		cmocka_unit_test(luxos_refuses_what_would_harm),
		cmocka_unit_test(luxos_holds_its_lowest_profile),
		cmocka_unit_test(luxos_sleeps_and_wakes),
		cmocka_unit_test(cgminer_reports_and_boards),
		cmocka_unit_test(cgminer_serves_one_after_the_other),
		cmocka_unit_test(silent_miners_take_and_say_nothing),
		cmocka_unit_test(refusing_miners_come_back),
		cmocka_unit_test(lying_miners_acknowledge_and_draw_on),
		cmocka_unit_test(garbled_replies_are_garbled),
		cmocka_unit_test(logs_tell_the_truth_and_the_commands),
		cmocka_unit_test(a_log_that_is_cut_short_is_noted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
