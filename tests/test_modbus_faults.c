/* Modbus TCP devices that misbehave: each is told for what it is, and costs nobody else anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/meter_probe.h"
#include "tests/modbus_rogue.h"

enum { POWER_AT = 40, UNIT = 3, GOOD_W = POWER_AT + UNIT };

static const struct register_map map = { .power = { .type = REGISTER_UINT16, .function = 3, .address = POWER_AT, .scale = 1 } };

static struct meter_conf conf_for(uint16_t port, uint32_t timeout_ms)
{
	return (struct meter_conf){ .host = "127.0.0.1", .port = port, .unit = UNIT, .timeout_ms = timeout_ms, .map = &map };
}

#define IS(fault) (1u << (fault))
/* What may be said of each, and whether it keeps its connection. While a back-off lasts it is FAULT_SILENT. */
static const struct { enum rogue kind; unsigned faults, must; bool keeps; } table[] = {
	{ ROGUE_GOOD,              IS(FAULT_NONE), FAULT_NONE, true },
	{ ROGUE_MUTE,              IS(FAULT_SILENT), FAULT_SILENT, false },
	{ ROGUE_HANGS_UP,          IS(FAULT_SILENT), FAULT_SILENT, false },
	{ ROGUE_RESETS,            IS(FAULT_SILENT), FAULT_SILENT, false },
	{ ROGUE_CLOSES_AT_ONCE,    IS(FAULT_SILENT), FAULT_SILENT, false },
	{ ROGUE_WRONG_TRANSACTION, IS(FAULT_SILENT), FAULT_SILENT, false },
	{ ROGUE_WRONG_PROTOCOL,    IS(FAULT_SILENT) | IS(FAULT_GARBLED), FAULT_GARBLED, false },
	{ ROGUE_LENGTH_SHORT,      IS(FAULT_SILENT) | IS(FAULT_GARBLED), FAULT_GARBLED, false },
	{ ROGUE_LENGTH_LONG,       IS(FAULT_SILENT) | IS(FAULT_GARBLED), FAULT_GARBLED, false },
	{ ROGUE_WRONG_UNIT,        IS(FAULT_SILENT) | IS(FAULT_GARBLED), FAULT_GARBLED, false },
	{ ROGUE_WRONG_FUNCTION,    IS(FAULT_SILENT) | IS(FAULT_GARBLED), FAULT_GARBLED, false },
	{ ROGUE_WRONG_COUNT,       IS(FAULT_SILENT) | IS(FAULT_GARBLED), FAULT_GARBLED, false },
	{ ROGUE_DUPLICATES,        IS(FAULT_NONE), FAULT_NONE, true },
	{ ROGUE_STALLS,            IS(FAULT_SILENT), FAULT_SILENT, false },
	{ ROGUE_TRICKLES,          IS(FAULT_SILENT), FAULT_SILENT, false },
	{ ROGUE_HALF_AND_CLOSES,   IS(FAULT_SILENT), FAULT_SILENT, false },
	{ ROGUE_LATE,              IS(FAULT_SILENT), FAULT_SILENT, false },
	{ ROGUE_GARBAGE,           IS(FAULT_SILENT) | IS(FAULT_GARBLED), FAULT_GARBLED, false },
	{ ROGUE_FLOODS_FRAMES,     IS(FAULT_SILENT) | IS(FAULT_GARBLED), FAULT_GARBLED, false },
	{ ROGUE_FLOODS_ZEROS,      IS(FAULT_SILENT) | IS(FAULT_GARBLED), FAULT_GARBLED, false },
	{ ROGUE_REFUSES,           IS(FAULT_REFUSED), FAULT_REFUSED, true },
	{ ROGUE_BUSY,              IS(FAULT_REFUSED), FAULT_REFUSED, true },
	{ ROGUE_GATEWAY,           IS(FAULT_SILENT), FAULT_SILENT, true },
	{ ROGUE_CLOSES_AFTER,      IS(FAULT_NONE), FAULT_NONE, false },
	{ ROGUE_CUTS_IDLE,         IS(FAULT_NONE), FAULT_NONE, false },
};
enum { N_TABLE = sizeof table / sizeof *table, N_GOOD = 5, GOOD_POLLS = 40, BAD_POLLS = 4 };

struct site {
	uv_loop_t loop;
	uv_timer_t tick;
	struct meter_room *room;
	struct rogues rogues, good_ones;        /* on a thread each, so that a flood is not the good ones' excuse */
	struct probe probes[N_TABLE + N_GOOD];
	bool stop;
};

static bool enough(const struct site *site)
{
	for (size_t i = 0; i < N_TABLE + N_GOOD; i++)
		if (site->probes[i].answers < (i < N_TABLE ? BAD_POLLS : GOOD_POLLS))
			return false;
	return true;
}

static void on_tick(uv_timer_t *tick)
{
	struct site *site = tick->data;
	if (enough(site))
		site->stop = true;
	for (size_t i = 0; i < N_TABLE + N_GOOD && !site->stop; i++)
		if (!site->probes[i].polling)
			probe_poll(&site->probes[i]);
}

static bool quiet(const struct site *site)
{
	for (size_t i = 0; i < N_TABLE + N_GOOD; i++)
		if (site->probes[i].polling)
			return false;
	return true;
}

static void open_site(struct site *site)
{
	memset(site, 0, sizeof *site);
	uv_loop_init(&site->loop);
	site->room = meter_room_open(&site->loop);
	site->rogues.late_ms = 400;
	for (size_t i = 0; i < N_TABLE; i++) {
		struct meter_conf conf = conf_for(rogues_add(&site->rogues, table[i].kind, AF_INET), table[i].keeps || table[i].must == FAULT_NONE ? 5000 : 150);
		probe_open(&site->probes[i], site->room, "modbus", &conf);
	}
	for (size_t i = 0; i < N_GOOD; i++) {
		struct meter_conf conf = conf_for(rogues_add(&site->good_ones, ROGUE_GOOD, AF_INET), 5000);
		probe_open(&site->probes[N_TABLE + i], site->room, "modbus", &conf);
	}
	rogues_start(&site->rogues);
	rogues_start(&site->good_ones);
}

static void check_rogue(const struct site *site, size_t i)
{
	const struct probe *probe = &site->probes[i];
	for (unsigned fault = 0; fault <= FAULT_ABSURD; fault++)
		if (probe->faults[fault] && !(table[i].faults & IS(fault)))
			fail_msg("kind %d: %u times fault %u", table[i].kind, probe->faults[fault], fault);
	if (!probe->faults[table[i].must])
		fail_msg("kind %d: never fault %u", table[i].kind, table[i].must);
	unsigned accepted = site->rogues.devices[i].accepted;
	if (table[i].keeps ? accepted != 1 : accepted < 2)
		fail_msg("kind %d: %u connections", table[i].kind, accepted);
}

static void test_the_good_among_the_bad(void **state)
{
	(void)state;
	static struct site site;
	open_site(&site);
	uv_timer_init(&site.loop, &site.tick);
	site.tick.data = &site;
	uv_timer_start(&site.tick, on_tick, 0, 25);
	while (!site.stop || !quiet(&site))
		uv_run(&site.loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&site.tick, NULL);
	uint64_t worst_ns = 0;
	for (size_t i = N_TABLE; i < N_TABLE + N_GOOD; i++) {
		const struct probe *probe = &site.probes[i];
		assert_int_equal(probe->faults[FAULT_NONE], probe->polls);
		assert_int_equal(probe->last.import_w, GOOD_W);
		assert_int_equal(site.good_ones.devices[i - N_TABLE].accepted, 1);
		worst_ns = probe->worst_ns > worst_ns ? probe->worst_ns : worst_ns;
	}
	for (size_t i = 0; i < N_TABLE; i++)
		check_rogue(&site, i);
	for (size_t i = 0; i < N_TABLE + N_GOOD; i++)
		assert_int_equal(site.probes[i].answers, site.probes[i].polls);
	printf("information: %d good meters beside %d bad ones: worst answer after %.1f ms\n",
	       N_GOOD, N_TABLE - 3, (double)worst_ns / 1e6);
	assert_int_equal(probes_end(site.probes, N_TABLE + N_GOOD, site.room, &site.loop), 0);
	rogues_stop(&site.rogues);
	rogues_stop(&site.good_ones);
}

enum { UNITS = 6, ROUNDS = 6 };

struct gateway {
	uv_loop_t loop;
	struct meter_room *room;
	struct rogues rogues;
	struct probe units[UNITS];
};

static void gateway_open(struct gateway *gateway, int silent_unit, uint32_t timeout_ms)
{
	memset(gateway, 0, sizeof *gateway);
	uv_loop_init(&gateway->loop);
	gateway->room = meter_room_open(&gateway->loop);
	struct meter_conf conf = conf_for(rogues_add(&gateway->rogues, ROGUE_GOOD, AF_INET), timeout_ms);
	gateway->rogues.devices[0].silent_unit = silent_unit;
	for (uint8_t i = 0; i < UNITS; i++) {
		conf.unit = i;
		probe_open(&gateway->units[i], gateway->room, "modbus", &conf);
	}
	rogues_start(&gateway->rogues);
}

static void gateway_round(struct gateway *gateway)
{
	for (size_t i = 0; i < UNITS; i++)
		probe_poll(&gateway->units[i]);
	for (size_t i = 0; i < UNITS; i++)
		while (gateway->units[i].polling)
			uv_run(&gateway->loop, UV_RUN_ONCE);
}

/* Unit 0 is dead and asked first: that may cost the others the first round, never another. */
static void test_a_dead_unit_behind_a_shared_gateway(void **state)
{
	(void)state;
	static struct gateway gateway;
	gateway_open(&gateway, 0, 600);
	for (int round = 0; round < ROUNDS; round++)
		gateway_round(&gateway);
	assert_int_equal(gateway.units[0].faults[FAULT_SILENT], ROUNDS);
	for (size_t i = 1; i < UNITS; i++) {
		assert_true(gateway.units[i].faults[FAULT_NONE] >= ROUNDS - 1);
		assert_int_equal(gateway.units[i].last.import_w, POWER_AT + (int)i);
	}
	assert_true(gateway.rogues.devices[0].requests > ROUNDS * (UNITS - 1));         /* the dead one is still asked */
	assert_int_equal(probes_end(gateway.units, UNITS, gateway.room, &gateway.loop), 0);
	rogues_stop(&gateway.rogues);
}

static void test_units_of_a_gateway_share_one_connection(void **state)
{
	(void)state;
	static struct gateway gateway;
	gateway_open(&gateway, -1, 5000);
	for (int round = 0; round < 3; round++)
		gateway_round(&gateway);
	for (size_t i = 0; i < UNITS; i++)
		assert_int_equal(gateway.units[i].faults[FAULT_NONE], 3);
	assert_int_equal(gateway.rogues.devices[0].accepted, 1);
	assert_int_equal(gateway.rogues.devices[0].requests, 3 * UNITS);
	assert_int_equal(probes_end(gateway.units, UNITS, gateway.room, &gateway.loop), 0);
	rogues_stop(&gateway.rogues);
}

/* A meter of a gateway leaves while its request is under way: the others do not notice. */
static void test_one_leaves_in_mid_poll(void **state)
{
	(void)state;
	static struct gateway gateway;
	gateway_open(&gateway, 0, 5000);
	for (size_t i = 0; i < UNITS; i++)
		probe_poll(&gateway.units[i]);
	while (!gateway.rogues.devices[0].requests)
		uv_run(&gateway.loop, UV_RUN_NOWAIT);
	probe_close(&gateway.units[0]);
	for (size_t i = 1; i < UNITS; i++) {
		while (gateway.units[i].polling)
			uv_run(&gateway.loop, UV_RUN_ONCE);
		assert_int_equal(gateway.units[i].last.fault, FAULT_NONE);
	}
	assert_true(gateway.units[0].closed);
	assert_int_equal(gateway.units[0].answers, 0);
	assert_int_equal(probes_end(gateway.units + 1, UNITS - 1, gateway.room, &gateway.loop), 0);
	rogues_stop(&gateway.rogues);
}

/* Polled far more often than may be dialled: attempts grow rarer. Fewer of them on a slow machine, never more. */
static void test_back_off(void **state)
{
	(void)state;
	static struct rogues rogues;
	uv_loop_t loop;
	struct probe probe;
	uv_loop_init(&loop);
	struct meter_room *room = meter_room_open(&loop);
	struct meter_conf conf = conf_for(rogues_add(&rogues, ROGUE_HANGS_UP, AF_INET), 20);
	rogues_start(&rogues);
	probe_open(&probe, room, "modbus", &conf);
	uint64_t end_ns = uv_hrtime() + 1000000000;
	while (uv_hrtime() < end_ns)
		assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
	/* At the soonest after 0, 75, 225, 525 and 1125 ms. */
	assert_in_range(rogues.devices[0].accepted, 1, 5);
	assert_int_equal(probes_end(&probe, 1, room, &loop), 0);
	rogues_stop(&rogues);
}

/* One answer and the back-off begins anew: without that, the last poll would not live to see the next attempt. */
static void test_an_answer_resets_the_back_off(void **state)
{
	(void)state;
	static struct rogues rogues;
	uv_loop_t loop;
	struct probe probe;
	uv_loop_init(&loop);
	struct meter_room *room = meter_room_open(&loop);
	struct meter_conf conf = conf_for(rogues_add(&rogues, ROGUE_HANGS_UP, AF_INET), 2000);
	rogues_start(&rogues);
	probe_open(&probe, room, "modbus", &conf);
	for (int i = 0; i < 5; i++)
		assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
	rogues.devices[0].kind = ROGUE_GOOD;
	while (probe_ask(&probe, &loop) != FAULT_NONE)
		;
	rogues.devices[0].kind = ROGUE_HANGS_UP;
	assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
	rogues.devices[0].kind = ROGUE_GOOD;
	assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
	assert_int_equal(probes_end(&probe, 1, room, &loop), 0);
	rogues_stop(&rogues);
}

/* Asking again and again must not push the deadline away, neither of a request under way nor of one that waits. */
static void test_an_impatient_user(void **state)
{
	(void)state;
	static struct gateway gateway;
	gateway_open(&gateway, 1, 100);
	for (int listens = 1; listens >= 0; listens--) {
		unsigned before = gateway.units[1].answers;
		probe_poll(&gateway.units[1]);
		uint64_t end_ns = uv_hrtime() + 10000000000;
		while (gateway.units[1].polling && uv_hrtime() < end_ns) {
			probe_poll(&gateway.units[1]);
			uv_run(&gateway.loop, UV_RUN_NOWAIT);
		}
		assert_int_equal(gateway.units[1].answers, before + 1);
		if (listens)
			rogues_stop(&gateway.rogues);
	}
	assert_int_equal(probes_end(gateway.units, UNITS, gateway.room, &gateway.loop), 0);
}

static void test_a_device_that_comes_back(void **state)
{
	(void)state;
	static struct rogues before, after;
	uv_loop_t loop;
	struct probe probe;
	uv_loop_init(&loop);
	struct meter_room *room = meter_room_open(&loop);
	uint16_t port = rogues_add(&before, ROGUE_GOOD, AF_INET);
	struct meter_conf conf = conf_for(port, 100);
	rogues_start(&before);
	probe_open(&probe, room, "modbus", &conf);
	while (probe_ask(&probe, &loop) != FAULT_NONE)
		;
	rogues_stop(&before);
	for (int i = 0; i < 3; i++)
		assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
	rogues_add(&after, ROGUE_GOOD, AF_INET6);
	close(after.devices[0].fd);
	assert_int_equal(rogue_listen_on(&after, 0, AF_INET, port), port);
	rogues_start(&after);
	while (probe_ask(&probe, &loop) != FAULT_NONE)
		;
	assert_int_equal(probe.last.import_w, GOOD_W);
	assert_int_equal(probes_end(&probe, 1, room, &loop), 0);
	rogues_stop(&after);
}

/* A listener whose queue is full drops SYNs: connecting takes for ever, the poll does not. */
static void test_a_connection_that_is_never_made(void **state)
{
	(void)state;
	uv_loop_t loop;
	struct probe probes[8];
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fillers[4];
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 0), 0);
	getsockname(listener, (struct sockaddr *)&address, &size);
	for (int i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(fillers[i], (struct sockaddr *)&address, size);
	}
	uv_loop_init(&loop);
	struct meter_room *room = meter_room_open(&loop);
	struct meter_conf conf = conf_for(ntohs(address.sin_port), 60);
	probe_open(&probes[0], room, "modbus", &conf);
	for (int i = 0; i < 3; i++)
		assert_int_equal(probe_ask(&probes[0], &loop), FAULT_SILENT);
	assert_int_equal(probes_end(probes, 1, room, &loop), 0);
	for (int i = 0; i < 4; i++)
		close(fillers[i]);
	close(listener);
}

/* The loop was kept busy past the deadline, while the answer lay in the socket: it came in time. */
static void test_a_busy_loop_loses_no_answer(void **state)
{
	(void)state;
	static struct gateway gateway;
	gateway_open(&gateway, -1, 300);
	while (probe_ask(&gateway.units[1], &gateway.loop) != FAULT_NONE)
		;
	unsigned before = gateway.rogues.devices[0].requests;
	probe_poll(&gateway.units[1]);
	while (gateway.rogues.devices[0].requests == before)
		uv_sleep(1);
	uv_sleep(500);
	while (gateway.units[1].polling)
		uv_run(&gateway.loop, UV_RUN_ONCE);
	assert_int_equal(gateway.units[1].last.fault, FAULT_NONE);
	assert_int_equal(probes_end(gateway.units, UNITS, gateway.room, &gateway.loop), 0);
	rogues_stop(&gateway.rogues);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_good_among_the_bad),
		cmocka_unit_test(test_a_dead_unit_behind_a_shared_gateway),
		cmocka_unit_test(test_units_of_a_gateway_share_one_connection),
		cmocka_unit_test(test_one_leaves_in_mid_poll),
		cmocka_unit_test(test_a_busy_loop_loses_no_answer),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_an_answer_resets_the_back_off),
		cmocka_unit_test(test_an_impatient_user),
		cmocka_unit_test(test_a_device_that_comes_back),
		cmocka_unit_test(test_a_connection_that_is_never_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
