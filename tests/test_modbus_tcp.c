/* The Modbus TCP driver against libmodbus' own server, a witness that shares no code with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <modbus.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/meter_probe.h"
#include "tests/modbus_rogue.h"

enum { REGISTERS = 300, MOST_REQUESTS = 64 };

struct server {
	modbus_t *modbus;
	modbus_mapping_t *mapping;
	int listener;
	uint16_t port;
	atomic_bool stop;
	atomic_uint accepted, n_requests;
	uint8_t requests[MOST_REQUESTS][MODBUS_TCP_MAX_ADU_LENGTH];
	pthread_t thread;
};

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, 5) > 0;
}

static void serve_one(struct server *server)
{
	if (modbus_tcp_accept(server->modbus, &server->listener) < 0)
		return;
	server->accepted++;
	while (!server->stop) {
		uint8_t *request = server->requests[server->n_requests % MOST_REQUESTS];
		if (!readable(modbus_get_socket(server->modbus)))
			continue;
		int n = modbus_receive(server->modbus, request);
		if (n < 0)
			break;
		server->n_requests++;
		modbus_reply(server->modbus, request, n, server->mapping);
	}
	modbus_close(server->modbus);
}

static void *serve(void *arg)
{
	struct server *server = arg;
	while (!server->stop)
		if (readable(server->listener))
			serve_one(server);
	return NULL;
}

static void server_start(struct server *server)
{
	struct sockaddr_in bound;
	socklen_t size = sizeof bound;
	memset(server, 0, sizeof *server);
	server->modbus = modbus_new_tcp("127.0.0.1", 0);
	server->mapping = modbus_mapping_new(0, 0, REGISTERS, REGISTERS);
	server->listener = modbus_tcp_listen(server->modbus, 4);
	assert_true(server->listener >= 0);
	getsockname(server->listener, (struct sockaddr *)&bound, &size);
	server->port = ntohs(bound.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
	server->stop = true;
	pthread_join(server->thread, NULL);
	close(server->listener);
	modbus_mapping_free(server->mapping);
	modbus_free(server->modbus);
}

struct bench {
	struct server server;
	uv_loop_t loop;
	struct meter_room *room;
	struct probe probe;
};

static struct meter_conf conf_for(uint16_t port, const struct register_map *map)
{
	return (struct meter_conf){ .host = "127.0.0.1", .port = port, .unit = 17, .timeout_ms = 5000, .map = map };
}

static void bench_open(struct bench *bench, const struct register_map *map)
{
	server_start(&bench->server);
	uv_loop_init(&bench->loop);
	bench->room = meter_room_open(&bench->loop);
	struct meter_conf conf = conf_for(bench->server.port, map);
	probe_open(&bench->probe, bench->room, "modbus", &conf);
}

static void bench_close(struct bench *bench)
{
	assert_int_equal(probes_end(&bench->probe, 1, bench->room, &bench->loop), 0);
	server_stop(&bench->server);
}

static struct bench bench;

static const struct register_map mixed = {
	.power     = { .type = REGISTER_FLOAT32, .function = 4, .address = 52, .scale = 1000 },
	.frequency = { .type = REGISTER_FLOAT32, .function = 4, .address = 70, .low_word_first = true, .scale = 1 },
	.energy    = { .type = REGISTER_INT64, .function = 3, .address = 203, .scale = 1 },
};

/* By bits: the modbus_set_float_* of libmodbus 3.1.6 swap bytes that its modbus_get_float_* do not. */
static void fill(modbus_mapping_t *mapping)
{
	static const uint16_t power[2] = { 0xC49A, 0x5000 }, frequency[2] = { 0xEB85, 0x426F }, energy[4] = { 0x0003, 0x8D7E, 0xA4C6, 0x7FFF };
	memcpy(mapping->tab_input_registers + 52, power, sizeof power);
	memcpy(mapping->tab_input_registers + 70, frequency, sizeof frequency);
	memcpy(mapping->tab_registers + 203, energy, sizeof energy);
}

static void test_values(void **state)
{
	(void)state;
	bench_open(&bench, &mixed);
	fill(bench.server.mapping);
	int64_t before_ms = (int64_t)(uv_hrtime() / 1000000);
	assert_int_equal(probe_ask(&bench.probe, &bench.loop), FAULT_NONE);
	int64_t after_ms = (int64_t)(uv_hrtime() / 1000000);
	const struct meter_reading *reading = &bench.probe.last;
	const uint16_t *inputs = bench.server.mapping->tab_input_registers;
	assert_int_equal(reading->import_w, -1234500);
	assert_int_equal(reading->import_w, lrintf(1000 * modbus_get_float_abcd(inputs + 52)));
	assert_true(reading->knows_frequency);
	assert_int_equal(reading->frequency_mhz, 59980);
	assert_int_equal(reading->frequency_mhz, lrintf(1000 * modbus_get_float_cdab(inputs + 70)));
	assert_true(reading->knows_energy);
	assert_true(reading->import_wh == 999999999999999);
	assert_in_range(reading->at_ms, before_ms, after_ms);
	bench_close(&bench);
}

/* What libmodbus made of our bytes: it answers only what it could read. */
static void test_requests_as_the_server_saw_them(void **state)
{
	(void)state;
	static const uint8_t first[] = { 0, 6, 17, 4, 0, 52, 0, 20 }, second[] = { 0, 6, 17, 3, 0, 203, 0, 4 };
	bench_open(&bench, &mixed);
	for (int i = 0; i < 10; i++)
		probe_ask(&bench.probe, &bench.loop);
	assert_int_equal(bench.server.n_requests, 20);
	assert_int_equal(bench.server.accepted, 1);
	for (int i = 0; i < 20; i++)
		assert_memory_equal(bench.server.requests[i] + 4, i % 2 ? second : first, 8);
	bench_close(&bench);
}

static void test_an_exception_keeps_the_connection(void **state)
{
	(void)state;
	static const struct register_map beyond = { .power = { .type = REGISTER_INT32, .function = 3, .address = REGISTERS - 1, .scale = 1 } };
	bench_open(&bench, &beyond);
	for (int i = 0; i < 3; i++)
		assert_int_equal(probe_ask(&bench.probe, &bench.loop), FAULT_REFUSED);
	assert_int_equal(bench.server.accepted, 1);
	bench_close(&bench);
}

static void test_power_survives_a_refused_counter(void **state)
{
	(void)state;
	static const struct register_map map = {
		.power  = { .type = REGISTER_INT32, .function = 3, .address = 10, .scale = 1 },
		.energy = { .type = REGISTER_INT32, .function = 3, .address = REGISTERS - 1, .scale = 1 },
	};
	bench_open(&bench, &map);
	bench.server.mapping->tab_registers[11] = 777;
	assert_int_equal(probe_ask(&bench.probe, &bench.loop), FAULT_NONE);
	assert_int_equal(bench.probe.last.import_w, 777);
	assert_false(bench.probe.last.knows_energy);
	bench_close(&bench);
}

static void test_not_a_number_is_absurd(void **state)
{
	(void)state;
	bench_open(&bench, &mixed);
	bench.server.mapping->tab_input_registers[52] = 0x7FC0;
	assert_int_equal(probe_ask(&bench.probe, &bench.loop), FAULT_ABSURD);
	assert_int_equal(bench.server.n_requests, 1);           /* and there is no reason to ask for the rest */
	bench_close(&bench);
}

static void test_two_polls_at_once_are_one(void **state)
{
	(void)state;
	bench_open(&bench, &mixed);
	probe_poll(&bench.probe);
	probe_poll(&bench.probe);
	probe_poll(&bench.probe);
	while (bench.probe.polling)
		uv_run(&bench.loop, UV_RUN_ONCE);
	assert_int_equal(probe_ask(&bench.probe, &bench.loop), FAULT_NONE);
	assert_int_equal(bench.probe.answers, 2);
	assert_int_equal(bench.server.n_requests, 4);
	bench_close(&bench);
}

static void poll_again(struct probe *probe)
{
	if (probe->answers < 20)
		probe_poll(probe);
}

static void test_polling_from_the_answer(void **state)
{
	(void)state;
	bench_open(&bench, &mixed);
	bench.probe.then = poll_again;
	probe_poll(&bench.probe);
	while (bench.probe.answers < 20)
		uv_run(&bench.loop, UV_RUN_ONCE);
	assert_int_equal(bench.probe.faults[FAULT_NONE], 20);
	bench_close(&bench);
}

static void close_now(struct probe *probe)
{
	probe_close(probe);
}

static void test_closing_from_the_answer(void **state)
{
	(void)state;
	bench_open(&bench, &mixed);
	bench.probe.then = close_now;
	probe_poll(&bench.probe);
	while (!bench.probe.closed)
		uv_run(&bench.loop, UV_RUN_ONCE);
	assert_int_equal(probes_end(NULL, 0, bench.room, &bench.loop), 0);
	server_stop(&bench.server);
}

/* At every stage of a poll: before the loop ran, while connecting, with the request under way. */
static void test_closing_at_any_moment(void **state)
{
	(void)state;
	for (int turns = 0; turns < 8; turns++) {
		bench_open(&bench, &mixed);
		probe_poll(&bench.probe);
		for (int i = 0; i < turns && bench.probe.polling; i++)
			uv_run(&bench.loop, UV_RUN_NOWAIT);
		bench_close(&bench);
	}
	bench_open(&bench, &mixed);             /* and never polled at all */
	bench_close(&bench);
}

static enum fault ask_host(const char *host, uint16_t port, uint32_t timeout_ms, struct probe *probe)
{
	static const struct register_map map = { .power = { .type = REGISTER_UINT16, .function = 3, .address = 40, .scale = 1 } };
	struct meter_conf conf = conf_for(port, &map);
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct meter_room *room = meter_room_open(&loop);
	conf.host = host;
	conf.timeout_ms = timeout_ms;
	probe_open(probe, room, "modbus", &conf);
	probe_ask(probe, &loop);
	assert_int_equal(probes_end(probe, 1, room, &loop), 0);
	return probe->last.fault;
}

/* The name may give ::1 first, where nobody listens: then the other address is tried. */
static void test_a_host_by_name(void **state)
{
	(void)state;
	static struct rogues rogues;
	struct probe probe;
	uint16_t port = rogues_add(&rogues, ROGUE_GOOD, AF_INET);
	rogues_start(&rogues);
	assert_int_equal(ask_host("localhost", port, 10000, &probe), FAULT_NONE);
	assert_int_equal(probe.last.import_w, 57);
	rogues_stop(&rogues);
}

static void test_a_host_on_ipv6(void **state)
{
	(void)state;
	static struct rogues rogues;
	struct probe probe;
	uint16_t port = rogues_add(&rogues, ROGUE_GOOD, AF_INET6);
	if (!port) {
		printf("skipped: no IPv6 on this machine\n");
		return;
	}
	rogues_start(&rogues);
	assert_int_equal(ask_host("::1", port, 5000, &probe), FAULT_NONE);
	rogues_stop(&rogues);
}

static void test_hosts_that_are_not_there(void **state)
{
	(void)state;
	static struct rogues rogues;
	struct probe probe;
	char endless[400] = { 0 };
	memset(endless, 'a', sizeof endless - 1);
	assert_int_equal(ask_host("nowhere.invalid", 502, 50, &probe), FAULT_SILENT);
	assert_int_equal(ask_host(endless, 502, 50, &probe), FAULT_SILENT);
	assert_int_equal(ask_host("", 502, 50, &probe), FAULT_SILENT);
	uint16_t port = rogues_add(&rogues, ROGUE_GOOD, AF_INET);
	close(rogues.devices[0].fd);
	assert_int_equal(ask_host("127.0.0.1", port, 50, &probe), FAULT_SILENT);
	assert_int_equal(ask_host("255.255.255.255", 502, 50, &probe), FAULT_SILENT);   /* refused by connect itself */
}

static void test_the_table_of_drivers(void **state)
{
	(void)state;
	assert_string_equal(meter_driver_named("modbus")->name, "modbus");
	assert_string_equal(meter_driver_named("modbus-rtu")->name, "modbus-rtu");
	assert_null(meter_driver_named("modbu"));
	assert_null(meter_driver_named(""));
	assert_string_equal(meter_driver_names(), "modbus, modbus-rtu, snmp, prometheus");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_requests_as_the_server_saw_them),
		cmocka_unit_test(test_an_exception_keeps_the_connection),
		cmocka_unit_test(test_power_survives_a_refused_counter),
		cmocka_unit_test(test_not_a_number_is_absurd),
		cmocka_unit_test(test_two_polls_at_once_are_one),
		cmocka_unit_test(test_polling_from_the_answer),
		cmocka_unit_test(test_closing_from_the_answer),
		cmocka_unit_test(test_closing_at_any_moment),
		cmocka_unit_test(test_a_host_by_name),
		cmocka_unit_test(test_a_host_on_ipv6),
		cmocka_unit_test(test_hosts_that_are_not_there),
		cmocka_unit_test(test_the_table_of_drivers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
