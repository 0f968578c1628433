/* Simulated SNMP PDUs before an independent witness, net-snmp's client; and their faults before a raw socket. */
#include <arpa/inet.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
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

#include "sim/dice.h"
#include "sim/options.h"

enum { PDUS = 40, SNMP_PDUS = 36, APCS = 18, PATIENCE_MS = 20000, SOON_MS = 200 };

#define POWERNET 1, 3, 6, 1, 4, 1, 318, 1, 1, 26
#define PDU2     1, 3, 6, 1, 4, 1, 13742, 6
#define OID(...) (oid[]){ __VA_ARGS__ }, sizeof((oid[]){ __VA_ARGS__ }) / sizeof(oid)
#define APC_POWER      OID(POWERNET, 4, 3, 1, 5, 1)
#define RARITAN_POWER  OID(PDU2, 5, 2, 3, 1, 4, 1, 1, 5)
#define RARITAN_DIGITS OID(PDU2, 3, 3, 4, 1, 7, 1, 1, 5)

struct fixture {
	struct options options;
	struct farm farm;
	uv_loop_t loop;
	uv_async_t end;
	pthread_t thread;
	char why[300];
};

/* Two runs at once do not meet; below the ports that clients are given. */
static uint16_t port(void)
{
	return (uint16_t)(10240 + getpid() % 20000);
}

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
	uv_run(&((struct fixture *)self)->loop, UV_RUN_DEFAULT);
	return NULL;
}

static void start_client(void)
{
	setenv("MIBS", "", 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	snmp_disable_log();
	init_snmp("test_sim_snmp");
}

/* Agent n - 1 has fault n, as a PDU over Modbus would have it; those beyond are sound. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char args[][20] = { "mulletsim", "--pdus", "40", "--snmp-pdus", "36", "--miners", "luxos-s21:2",
	                    "--pattern", "constant", "--pdu-refresh", "1 ms" };
	char *argv[sizeof args / sizeof *args + 1] = { 0 };
	for (size_t a = 0; a < sizeof args / sizeof *args; a++)
		argv[a] = args[a];
	assert_int_equal(options_read(&f->options, sizeof args / sizeof *args, argv, f->why, sizeof f->why), 0);
	f->options.farm.modbus_port = f->options.farm.miner_port = f->options.farm.snmp_port = port();
	f->options.farm.speed = 20;
	for (int fault = MODBUS_SOUND + 1; fault <= MODBUS_SCALED; fault++)     /* 127.22.0.1 and on; 16 and more are sound */
		f->options.farm.events[f->options.farm.n_events++] =
			(struct farm_event){ .what = FARM_PDU_FAULT, .fault = fault, .device = PDUS - SNMP_PDUS + fault - 1 };
	uv_loop_init(&f->loop);
	uv_async_init(&f->loop, &f->end, on_end);
	f->end.data = f;
	if (farm_open(&f->farm, &f->loop, &f->options.farm, f->why, sizeof f->why) != 0)
		fail_msg("%s", f->why);
	while (f->farm.next_event < f->options.farm.n_events)
		uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	start_client();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	uv_async_send(&f->end);
	pthread_join(f->thread, NULL);
	int busy = uv_loop_close(&f->loop);
	options_free(&f->options);
	free(f);
	snmp_shutdown("test_sim_snmp");
	return busy ? -1 : 0;
}

/* ---- net-snmp ---- */

static void *client(const char *host, const char *community, long timeout_ms)
{
	netsnmp_session want;
	char peer[64];
	snmp_sess_init(&want);
	snprintf(peer, sizeof peer, "udp:%s:%u", host, port());
	want.peername = peer;
	want.version = SNMP_VERSION_2c;
	want.community = (u_char *)(uintptr_t)community;
	want.community_len = strlen(community);
	want.timeout = timeout_ms * 1000;
	want.retries = 0;
	void *session = snmp_sess_open(&want);
	assert_non_null(session);
	return session;
}

/* Sends the request, which it takes; the reply is the caller's; NULL: none in time. */
static netsnmp_pdu *ask(void *session, netsnmp_pdu *request)
{
	netsnmp_pdu *reply = NULL;
	int status = snmp_sess_synch_response(session, request, &reply);
	assert_int_equal(status == STAT_SUCCESS, reply != NULL);
	return reply;
}

static netsnmp_pdu *get(const char *host, const oid *name, size_t n)
{
	netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_GET);
	void *session = client(host, "public", PATIENCE_MS);
	snmp_add_null_var(request, name, n);
	netsnmp_pdu *reply = ask(session, request);
	assert_non_null(reply);
	snmp_sess_close(session);
	return reply;
}

static long get_number(const char *host, u_char type, const oid *name, size_t n)
{
	netsnmp_pdu *reply = get(host, name, n);
	assert_int_equal(reply->errstat, 0);
	assert_int_equal(snmp_oid_compare(reply->variables->name, reply->variables->name_length, name, n), 0);
	assert_int_equal(reply->variables->type, type);
	long value = *reply->variables->val.integer;
	snmp_free_pdu(reply);
	return value;
}

/* Told in steps of step_w, and true at some instant since then_ms. */
static void assert_was_true(const struct farm *farm, size_t pdu, long told, double step_w, int64_t then_ms)
{
	double least = 1e12, most = 0;
	for (int64_t ms = then_ms; ms <= farm_now_ms(farm); ms++) {
		double w = (double)truth_pdu_w(&farm->truth, pdu, ms);
		least = w < least ? w : least;
		most = w > most ? w : most;
	}
	if ((double)told * step_w < least - step_w / 2 - 0.1 || (double)told * step_w > most + step_w / 2 + 0.1)
		fail_msg("PDU %zu told %ld x %.1f W, but drew %.0f to %.0f W", pdu + 1, told, step_w, least, most);
}

static void two_makes_tell_the_truth(void **state)
{
	struct fixture *f = *state;
	size_t apc = PDUS - SNMP_PDUS + 16, raritan = PDUS - 1;
	int64_t then_ms = farm_now_ms(&f->farm);
	assert_was_true(&f->farm, apc, get_number("127.22.0.17", ASN_INTEGER, APC_POWER), 10, then_ms);
	assert_int_equal(get_number("127.22.0.17", ASN_INTEGER, OID(POWERNET, 4, 3, 1, 4, 1)), 2);
	then_ms = farm_now_ms(&f->farm);
	assert_was_true(&f->farm, raritan, get_number("127.23.0.18", ASN_GAUGE, RARITAN_POWER), 0.1, then_ms);
	assert_int_equal(get_number("127.23.0.18", ASN_GAUGE, RARITAN_DIGITS), 1);
	long hz = get_number("127.23.0.18", ASN_GAUGE, OID(PDU2, 5, 2, 3, 1, 4, 1, 1, 23));
	assert_in_range(hz, 599, 601);
}

static void energy_counts_up(void **state)
{
	(void)state;
	long first = get_number("127.23.0.17", ASN_GAUGE, OID(PDU2, 5, 2, 3, 1, 4, 1, 1, 8)), now = first;
	for (int tries = 0; tries < 500 && now < first + 5; tries++, usleep(10000)) {
		long next = get_number("127.23.0.17", ASN_GAUGE, OID(PDU2, 5, 2, 3, 1, 4, 1, 1, 8));
		assert_true(next >= now);
		now = next;
	}
	assert_true(now >= first + 5);          /* 25 kW, 20 times as fast as real: 140 Wh a second */
}

static void what_is_not_there(void **state)
{
	(void)state;
	netsnmp_pdu *reply = get("127.22.0.17", OID(POWERNET, 4, 3, 1, 5, 2));
	assert_int_equal(reply->errstat, 0);
	assert_int_equal(reply->variables->type, SNMP_NOSUCHOBJECT);
	snmp_free_pdu(reply);
	netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_SET);
	void *session = client("127.22.0.17", "public", PATIENCE_MS);
	long value = 1;
	snmp_pdu_add_variable(request, APC_POWER, ASN_INTEGER, &value, sizeof value);
	reply = ask(session, request);
	assert_int_equal(reply->errstat, SNMP_ERR_NOTWRITABLE);
	assert_int_equal(reply->errindex, 1);
	snmp_free_pdu(reply);
	snmp_sess_close(session);
}

static void strangers_hear_nothing(void **state)
{
	static const char *const strangers[] = { "private", "publi", "publicity", "" };
	(void)state;
	for (size_t s = 0; s < sizeof strangers / sizeof *strangers; s++) {
		void *session = client("127.22.0.17", strangers[s], SOON_MS);
		netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_GET);
		snmp_add_null_var(request, APC_POWER);
		assert_null(ask(session, request));
		snmp_sess_close(session);
	}
}

/* The objects from the begin to the end, each after the last; how many. */
static size_t walk(const char *host, int command, long rows)
{
	oid name[MAX_OID_LEN] = { 1, 3 };
	size_t n = 2, seen = 0;
	void *session = client(host, "public", PATIENCE_MS);
	for (bool more = true; more;) {
		netsnmp_pdu *request = snmp_pdu_create(command);
		if (command == SNMP_MSG_GETBULK) {
			request->non_repeaters = 0;
			request->max_repetitions = rows;
		}
		snmp_add_null_var(request, name, n);
		netsnmp_pdu *reply = ask(session, request);
		assert_non_null(reply);
		assert_int_equal(reply->errstat, 0);
		for (const netsnmp_variable_list *var = reply->variables; var && more; var = var->next_variable) {
			more = var->type != SNMP_ENDOFMIBVIEW;
			assert_true(snmp_oid_compare(var->name, var->name_length, name, n) > 0 || !more);
			memcpy(name, var->name, var->name_length * sizeof *name);
			n = var->name_length;
			seen += more;
		}
		snmp_free_pdu(reply);
	}
	snmp_sess_close(session);
	return seen;
}

static void walks_see_all(void **state)
{
	(void)state;
	assert_int_equal(walk("127.22.0.17", SNMP_MSG_GETNEXT, 0), farm_make_of(FARM_NET_APC)->n);
	assert_int_equal(walk("127.23.0.18", SNMP_MSG_GETNEXT, 0), farm_make_of(FARM_NET_RARITAN)->n);
	assert_int_equal(walk("127.23.0.18", SNMP_MSG_GETBULK, 7), farm_make_of(FARM_NET_RARITAN)->n);
	assert_int_equal(walk("127.23.0.18", SNMP_MSG_GETBULK, 100000), farm_make_of(FARM_NET_RARITAN)->n);
}

/* RFC 3416, 4.2.3: one variable once, two by rows. */
static void bulk_is_by_rows(void **state)
{
	static const struct { oid last[3]; u_char type; } want[] = {
		{ { 1, 1, 5 }, ASN_GAUGE }, { { 1, 1, 5 }, ASN_GAUGE }, { { 1, 1, 23 }, ASN_INTEGER },
		{ { 1, 1, 6 }, ASN_GAUGE }, { { 1, 1, 1 }, ASN_GAUGE }, { { 1, 1, 8 }, ASN_GAUGE }, { { 1, 1, 4 }, ASN_GAUGE },
	};
	(void)state;
	void *session = client("127.23.0.18", "public", PATIENCE_MS);
	netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_GETBULK);
	request->non_repeaters = 1;
	request->max_repetitions = 3;
	snmp_add_null_var(request, OID(PDU2, 3, 3, 4, 1, 7, 1, 1, 4));
	snmp_add_null_var(request, OID(PDU2, 5, 2, 3, 1, 4, 1, 1, 4));
	snmp_add_null_var(request, OID(PDU2, 5, 2, 3, 1, 3, 1, 1, 8));
	netsnmp_pdu *reply = ask(session, request);
	assert_non_null(reply);
	const netsnmp_variable_list *var = reply->variables;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++, var = var->next_variable) {
		assert_non_null(var);
		assert_int_equal(var->type, want[i].type);
		assert_memory_equal(var->name + var->name_length - 3, want[i].last, sizeof want[i].last);
	}
	assert_null(var);
	snmp_free_pdu(reply);
	snmp_sess_close(session);
}

static void bulk_goes_on_until_all_have_ended(void **state)
{
	(void)state;
	void *session = client("127.23.0.18", "public", PATIENCE_MS);
	netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_GETBULK);
	request->non_repeaters = 0;
	request->max_repetitions = 20;
	snmp_add_null_var(request, OID(PDU2, 5, 2, 3, 1, 4, 1, 1, 4));
	snmp_add_null_var(request, OID(PDU2, 5, 2, 3, 1, 4, 1, 1, 8));
	netsnmp_pdu *reply = ask(session, request);
	assert_non_null(reply);
	size_t n = 0;
	for (const netsnmp_variable_list *var = reply->variables; var; var = var->next_variable, n++)
		assert_int_equal(var->type, n < 2 || (n < 8 && n % 2 == 0) ? ASN_GAUGE : SNMP_ENDOFMIBVIEW);
	assert_int_equal(n, 10);
	snmp_free_pdu(reply);
	snmp_sess_close(session);
}

static void bulk_is_cut_where_an_answer_is_full(void **state)
{
	(void)state;
	void *session = client("127.23.0.18", "public", PATIENCE_MS);
	netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_GETBULK);
	request->non_repeaters = 0;
	request->max_repetitions = INT32_MAX;
	for (int i = 0; i < 3; i++)
		snmp_add_null_var(request, OID(1, 3));
	netsnmp_pdu *reply = ask(session, request);
	assert_non_null(reply);
	size_t n = 0;
	for (const netsnmp_variable_list *var = reply->variables; var; var = var->next_variable)
		n++;
	assert_int_equal(n, 63);                /* whole rows, at most 64 variables */
	snmp_free_pdu(reply);
	snmp_sess_close(session);
}

/* ---- a raw socket ---- */

/* GET of an APC's watts, community "public", request id 0x11223344. */
static const uint8_t request_bytes[] = {
	0x30, 0x30, 2, 1, 1, 4, 6, 'p', 'u', 'b', 'l', 'i', 'c', 0xA0, 0x23, 2, 4, 0x11, 0x22, 0x33, 0x44, 2, 1, 0, 2, 1, 0,
	0x30, 0x15, 0x30, 0x13, 6, 15, 0x2B, 6, 1, 4, 1, 0x82, 0x3E, 1, 1, 26, 4, 3, 1, 5, 1, 5, 0,
};

static int dial(const char *host)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port()) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, host, &address.sin_addr);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* The datagram that comes within_ms; negative: none. */
static ssize_t hear(int fd, uint8_t bytes[4096], int within_ms)
{
	struct timeval limit = { within_ms / 1000, within_ms % 1000 * 1000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	ssize_t n = recv(fd, bytes, 4096, 0);
	return n < 0 ? -errno : n;
}

static ssize_t reply_to(enum modbus_fault fault, uint8_t bytes[4096], int within_ms)
{
	char host[16];
	snprintf(host, sizeof host, "127.22.0.%u", (unsigned)fault & 255);
	int fd = dial(host);
	assert_int_equal(send(fd, request_bytes, sizeof request_bytes, 0), sizeof request_bytes);
	ssize_t n = hear(fd, bytes, within_ms);
	close(fd);
	return n;
}

static bool has(const uint8_t *bytes, ssize_t n, const char *part, size_t len)
{
	return n > 0 && memmem(bytes, (size_t)n, part, len);
}
#define HAS(part) has(reply, n, part, sizeof(part) - 1)

static void faults_are_as_named(void **state)
{
	(void)state;
	uint8_t reply[4096];
	ssize_t n = reply_to((enum modbus_fault)17, reply, PATIENCE_MS), whole = n;
	assert_true(HAS("\x02\x04\x11\x22\x33\x44\x02\x01\x00\x02\x01\x00") && HAS("public"));
	assert_int_equal(reply_to(MODBUS_SILENT, reply, SOON_MS), -EAGAIN);
	n = reply_to(MODBUS_GARBAGE, reply, PATIENCE_MS);
	assert_true(n == 40 && !HAS("public"));
	n = reply_to(MODBUS_WRONG_TID, reply, PATIENCE_MS);
	assert_true(n == whole && HAS("public") && !HAS("\x11\x22\x33\x44"));
	n = reply_to(MODBUS_WRONG_UNIT, reply, PATIENCE_MS);
	assert_true(HAS("\x11\x22\x33\x44") && !HAS("public"));
	n = reply_to(MODBUS_WRONG_LENGTH, reply, PATIENCE_MS);
	assert_true(n == whole && reply[1] == 0x82 && 4 + (reply[2] << 8 | reply[3]) > n);
	assert_int_equal(reply_to(MODBUS_STALLING, reply, PATIENCE_MS), whole / 2);
	n = reply_to(MODBUS_EXCEPTION, reply, PATIENCE_MS);
	assert_true(HAS("\x11\x22\x33\x44\x02\x01\x05\x02\x01\x01"));   /* genErr, at the first */
	assert_int_equal(reply_to(MODBUS_REFUSING, reply, PATIENCE_MS), -ECONNREFUSED);
	n = reply_to(MODBUS_CLOSING, reply, PATIENCE_MS);
	assert_true(HAS("\x11\x22\x33\x44\x02\x01\x00") && HAS("\x05\x01\x81\x00"));    /* noSuchInstance */
	assert_int_equal(reply_to(MODBUS_LATE, reply, SOON_MS), -EAGAIN);
	assert_int_equal(reply_to(MODBUS_LATE, reply, PATIENCE_MS), whole);
}

static void only_2c_is_spoken(void **state)
{
	(void)state;
	uint8_t bytes[sizeof request_bytes], reply[4096];
	int fd = dial("127.22.0.17");
	memcpy(bytes, request_bytes, sizeof bytes);
	for (bytes[4] = 0; bytes[4] < 4; bytes[4]++) {
		assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
		assert_int_equal(hear(fd, reply, bytes[4] == 1 ? PATIENCE_MS : SOON_MS) > 0, bytes[4] == 1);
	}
	close(fd);
}

static void twice_is_twice(void **state)
{
	(void)state;
	uint8_t first[4096], second[4096];
	int fd = dial("127.22.0.10");
	assert_int_equal(MODBUS_DUPLICATING, 10);
	assert_int_equal(send(fd, request_bytes, sizeof request_bytes, 0), sizeof request_bytes);
	ssize_t n = hear(fd, first, PATIENCE_MS);
	assert_true(n > 0 && hear(fd, second, PATIENCE_MS) == n);
	assert_memory_equal(first, second, (size_t)n);
	assert_int_equal(hear(fd, second, SOON_MS), -EAGAIN);
	close(fd);
}

static void frozen_absurd_and_scaled(void **state)
{
	assert_int_equal(MODBUS_FROZEN, 12);
	long then = get_number("127.22.0.12", ASN_INTEGER, APC_POWER), before = get_number("127.22.0.17", ASN_INTEGER, APC_POWER);
	bool moved = false;
	for (int tries = 0; tries < 1000 && !moved; tries++, usleep(10000))
		moved = get_number("127.22.0.17", ASN_INTEGER, APC_POWER) != before;
	assert_true(moved);
	assert_int_equal(get_number("127.22.0.12", ASN_INTEGER, APC_POWER), then);
	assert_int_equal(MODBUS_ABSURD, 13);
	assert_int_equal(get_number("127.22.0.13", ASN_INTEGER, APC_POWER), INT32_MAX);
	struct fixture *f = *state;
	size_t scaled = PDUS - SNMP_PDUS + MODBUS_SCALED - 1;
	long half = get_number("127.22.0.15", ASN_INTEGER, APC_POWER);
	double whole_w = (double)truth_pdu_w(&f->farm.truth, scaled, farm_now_ms(&f->farm));
	assert_true((double)half * 10 > 0.4 * whole_w && (double)half * 10 < 0.6 * whole_w);
}

/* Requests with a few bytes changed, or cut: none stops the next one. */
static void nonsense_is_survived(void **state)
{
	(void)state;
	uint8_t bytes[sizeof request_bytes], reply[4096];
	int fd = dial("127.22.0.17");
	for (uint64_t seed = 0; seed < 5000; seed++) {
		size_t n = dice(seed, 0, 0) % 4 ? sizeof bytes : dice(seed, 1, 0) % sizeof bytes;
		memcpy(bytes, request_bytes, sizeof bytes);
		for (uint64_t change = 0; change < 1 + dice(seed, 2, 0) % 3; change++)
			bytes[dice(seed, 3, change) % sizeof bytes] = (uint8_t)dice(seed, 4, change);
		bytes[13] = (uint8_t)(seed % 3 ? 0xA0 + seed % 9 : bytes[13]);
		assert_int_equal(send(fd, bytes, n, 0), (ssize_t)n);
		while (recv(fd, reply, sizeof reply, MSG_DONTWAIT) > 0)
			continue;
	}
	close(fd);
	for (int tries = 0; tries < 100; tries++)       /* the kernel drops what it has no room for */
		if (reply_to((enum modbus_fault)17, reply, SOON_MS) > 0)
			return;
	fail_msg("no answer any more");
}

/* ---- one agent alone ---- */

static long say_seven(struct snmp_agent *agent, const struct snmp_object *object)
{
	(void)agent, (void)object;
	return 7;
}

static void agent_closed(struct snmp_agent *agent)
{
	*(bool *)agent->self = true;
}

static ssize_t exchange(uv_loop_t *loop, int fd, uint8_t reply[4096])
{
	ssize_t n = -EAGAIN;
	assert_int_equal(send(fd, request_bytes, sizeof request_bytes, 0), sizeof request_bytes);
	for (int tries = 0; tries < 2000 && n == -EAGAIN; tries++) {
		uv_run(loop, UV_RUN_NOWAIT);
		n = hear(fd, reply, 1);
	}
	return n;
}

static void refusal_comes_and_goes(void **state)
{
	static const struct snmp_object objects[] = {
		{ .name = { POWERNET, 4, 3, 1, 5, 1 }, .n = 15, .type = ASN_INTEGER },
	};
	static const struct snmp_make make = { "one", objects, 1 };
	(void)state;
	uv_loop_t loop;
	uint8_t reply[4096];
	bool closed = false;
	struct snmp_agent agent = { .host = "127.22.1.1", .community = "public", .make = &make, .read = say_seven,
	                            .on_closed = agent_closed, .self = &closed };
	uv_loop_init(&loop);
	assert_int_equal(snmp_agent_start(&agent, &loop, port()), 0);
	int fd = dial(agent.host);
	ssize_t n = exchange(&loop, fd, reply);
	assert_true(HAS("\x02\x01\x07"));
	snmp_agent_set_fault(&agent, AGENT_REFUSING);
	assert_int_equal(exchange(&loop, fd, reply), -ECONNREFUSED);
	snmp_agent_set_fault(&agent, AGENT_LATE);
	for (uint64_t before = agent.requests; agent.requests < before + 3;)
		assert_int_equal(hear(fd, reply, send(fd, request_bytes, sizeof request_bytes, 0) > 0), -EAGAIN),
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_non_null(agent.late);
	snmp_agent_set_fault(&agent, AGENT_SOUND);
	n = exchange(&loop, fd, reply);
	assert_true(HAS("\x02\x01\x07"));
	snmp_agent_close(&agent);
	assert_false(closed);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(closed);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_makes_tell_the_truth),
		cmocka_unit_test(energy_counts_up),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(strangers_hear_nothing),
		cmocka_unit_test(walks_see_all),
		cmocka_unit_test(bulk_is_by_rows),
		cmocka_unit_test(bulk_goes_on_until_all_have_ended),
		cmocka_unit_test(bulk_is_cut_where_an_answer_is_full),
		cmocka_unit_test(faults_are_as_named),
		cmocka_unit_test(only_2c_is_spoken),
		cmocka_unit_test(twice_is_twice),
		cmocka_unit_test(frozen_absurd_and_scaled),
		cmocka_unit_test(nonsense_is_survived),
		cmocka_unit_test(refusal_comes_and_goes),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
