/* Serial lines: libmodbus' own server at the far end of a pseudo terminal, and the lines that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <modbus.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/meter_probe.h"

enum { SERVED = 17, DEAD = 18, GARBLED = 19, SLOW = 20, SLOW_MS = 300, REGISTERS = 100 };

struct far_end {                        /* two terminals back to back: the driver's and the server's */
	int master_a, slave_a;
	char device[64];
	modbus_t *modbus;
	modbus_mapping_t *mapping;
	atomic_bool stop;
	atomic_uint requests;
	pthread_t thread;
};

static void answer(struct far_end *far, const uint8_t *request, size_t n)
{
	uint8_t unit = request[0];
	far->requests++;
	if (unit == DEAD)
		return;
	if (unit == GARBLED) {
		assert_int_equal(write(far->master_a, "\x13\x03\x02\x00\x01\xFF\xFF", 7), 7);   /* the checksum is wrong */
		return;
	}
	if (unit == SLOW)
		usleep(SLOW_MS * 1000);
	modbus_set_slave(far->modbus, unit);
	modbus_reply(far->modbus, request, (int)n, far->mapping);
}

/* Requests are eight bytes; the answer is written by libmodbus itself, checksum and all. */
static void *serve(void *arg)
{
	struct far_end *far = arg;
	uint8_t request[MODBUS_RTU_MAX_ADU_LENGTH];
	size_t n = 0;
	while (!far->stop) {
		struct pollfd p = { .fd = far->master_a, .events = POLLIN };
		if (poll(&p, 1, 5) <= 0 || !(p.revents & POLLIN))
			continue;
		ssize_t got = read(far->master_a, request + n, 8 - n);
		n += got > 0 ? (size_t)got : 0;
		if (n == 8) {
			answer(far, request, n);
			n = 0;
		}
	}
	return NULL;
}

static void far_start(struct far_end *far)
{
	memset(far, 0, sizeof *far);
	assert_int_equal(openpty(&far->master_a, &far->slave_a, far->device, NULL, NULL), 0);
	far->modbus = modbus_new_rtu("/dev/null", 19200, 'N', 8, 1);
	modbus_set_socket(far->modbus, far->master_a);
	far->mapping = modbus_mapping_new(0, 0, REGISTERS, REGISTERS);
	assert_int_equal(pthread_create(&far->thread, NULL, serve, far), 0);
}

static void far_stop(struct far_end *far)
{
	far->stop = true;
	pthread_join(far->thread, NULL);
	close(far->master_a);
	close(far->slave_a);
	modbus_mapping_free(far->mapping);
	modbus_free(far->modbus);
}

static const struct register_map map = {
	.power  = { .type = REGISTER_INT32, .function = 4, .address = 10, .scale = 0.1 },
	.energy = { .type = REGISTER_UINT32, .function = 3, .address = 20, .scale = 100 },
};

static struct meter_conf conf_for(const char *device, uint8_t unit)
{
	return (struct meter_conf){ .host = device, .unit = unit, .timeout_ms = 5000, .map = &map, .baud = 19200, .parity = 'N' };
}

struct bench {
	struct far_end far;
	uv_loop_t loop;
	struct meter_room *room;
	struct probe probes[3];
};
static struct bench bench;

static void bench_open(struct bench *b)
{
	memset(b, 0, sizeof *b);
	far_start(&b->far);
	b->far.mapping->tab_input_registers[10] = 0xFFFF;
	b->far.mapping->tab_input_registers[11] = 0xFF38;       /* -200 */
	b->far.mapping->tab_registers[21] = 7;
	uv_loop_init(&b->loop);
	b->room = meter_room_open(&b->loop);
}

static void bench_close(struct bench *b, size_t n)
{
	assert_int_equal(probes_end(b->probes, n, b->room, &b->loop), 0);
	far_stop(&b->far);
}

static void test_values(void **state)
{
	(void)state;
	bench_open(&bench);
	struct meter_conf conf = conf_for(bench.far.device, SERVED);
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &conf);
	for (int i = 0; i < 3; i++) {
		int64_t before_ms = (int64_t)(uv_hrtime() / 1000000);
		assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_NONE);
		assert_int_equal(bench.probes[0].last.import_w, -20);
		assert_true(bench.probes[0].last.knows_energy);
		assert_int_equal(bench.probes[0].last.import_wh, 700);
		assert_in_range(bench.probes[0].last.at_ms, before_ms, (int64_t)(uv_hrtime() / 1000000));
	}
	assert_int_equal(bench.far.requests, 6);
	bench_close(&bench, 1);
}

static void test_the_dead_and_the_garbled_beside_a_good_one(void **state)
{
	(void)state;
	bench_open(&bench);
	struct meter_conf dead = conf_for(bench.far.device, DEAD), garbled = conf_for(bench.far.device, GARBLED);
	struct meter_conf good = conf_for(bench.far.device, SERVED);
	dead.timeout_ms = garbled.timeout_ms = 300;
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &dead);
	probe_open(&bench.probes[1], bench.room, "modbus-rtu", &garbled);
	probe_open(&bench.probes[2], bench.room, "modbus-rtu", &good);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 3; i++)
			probe_poll(&bench.probes[i]);
		for (size_t i = 0; i < 3; i++)
			while (bench.probes[i].polling)
				uv_run(&bench.loop, UV_RUN_ONCE);
		assert_int_equal(bench.probes[0].last.fault, FAULT_SILENT);
		assert_int_equal(bench.probes[2].last.fault, FAULT_NONE);
	}
	assert_true(bench.probes[1].faults[FAULT_GARBLED] >= 1);
	assert_int_equal(bench.probes[1].faults[FAULT_GARBLED] + bench.probes[1].faults[FAULT_SILENT], 3);
	bench_close(&bench, 3);
}

/* On a serial line an answer does not tell what it answers: the counter's, which came too late for its poll, looks like
 * the next poll's power. */
static void test_a_late_answer_is_not_taken_for_a_newer_one(void **state)
{
	(void)state;
	static const struct register_map alike = {
		.power  = { .type = REGISTER_INT32, .function = 4, .address = 10, .scale = 0.1 },
		.energy = { .type = REGISTER_UINT32, .function = 4, .address = 20, .scale = 100 },
		.no_gaps = true,
	};
	bench_open(&bench);
	bench.far.mapping->tab_input_registers[21] = 7;
	struct meter_conf conf = conf_for(bench.far.device, SLOW);
	conf.map = &alike;
	conf.timeout_ms = SLOW_MS * 5 / 3;
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &conf);
	for (int i = 0; i < 4; i++)
		if (probe_ask(&bench.probes[0], &bench.loop) == FAULT_NONE)
			assert_int_equal(bench.probes[0].last.import_w, -20);
	assert_true(bench.probes[0].faults[FAULT_NONE] > 1);
	bench_close(&bench, 1);
}

static void test_exceptions(void **state)
{
	(void)state;
	static const struct register_map beyond = { .power = { .type = REGISTER_INT32, .function = 3, .address = REGISTERS - 1, .scale = 1 } };
	bench_open(&bench);
	struct meter_conf conf = conf_for(bench.far.device, SERVED);
	conf.map = &beyond;
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &conf);
	assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_REFUSED);
	bench_close(&bench, 1);
}

static void test_another_speed_on_the_same_line(void **state)
{
	(void)state;
	bench_open(&bench);
	struct meter_conf first = conf_for(bench.far.device, SERVED), faster = first, even = first;
	faster.baud = 38400;
	even.parity = 'E';
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &first);
	probe_open(&bench.probes[1], bench.room, "modbus-rtu", &faster);
	probe_open(&bench.probes[2], bench.room, "modbus-rtu", &even);
	assert_int_equal(probe_ask(&bench.probes[1], &bench.loop), FAULT_REFUSED);
	assert_int_equal(probe_ask(&bench.probes[2], &bench.loop), FAULT_REFUSED);
	assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_NONE);
	assert_int_equal(bench.far.requests, 2);
	bench_close(&bench, 3);
}

static void test_no_such_line(void **state)
{
	(void)state;
	bench_open(&bench);
	struct meter_conf none = conf_for("/dev/no-such-line", SERVED), null = conf_for("/dev/null", SERVED);
	none.timeout_ms = null.timeout_ms = 200;
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &none);
	probe_open(&bench.probes[1], bench.room, "modbus-rtu", &null);
	assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_SILENT);
	assert_int_equal(probe_ask(&bench.probes[1], &bench.loop), FAULT_SILENT);
	bench_close(&bench, 2);
}

/* The adapter is unplugged and comes back. */
static void test_a_line_that_fails(void **state)
{
	(void)state;
	bench_open(&bench);
	char link[] = "/tmp/mullet-line-XXXXXX";
	close(mkstemp(link));
	unlink(link);
	assert_int_equal(symlink(bench.far.device, link), 0);
	struct meter_conf conf = conf_for(link, SERVED);
	conf.timeout_ms = 1000;
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &conf);
	assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_NONE);
	far_stop(&bench.far);
	assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_SILENT);
	far_start(&bench.far);
	unlink(link);
	assert_int_equal(symlink(bench.far.device, link), 0);
	while (probe_ask(&bench.probes[0], &bench.loop) != FAULT_NONE)
		;
	unlink(link);
	bench_close(&bench, 1);
}

static void test_closing_in_mid_request(void **state)
{
	(void)state;
	bench_open(&bench);
	struct meter_conf conf = conf_for(bench.far.device, DEAD);
	conf.timeout_ms = 300;
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &conf);
	probe_poll(&bench.probes[0]);
	while (!bench.far.requests)
		uv_run(&bench.loop, UV_RUN_NOWAIT);
	bench_close(&bench, 1);                 /* probe_reading asserts that no answer comes any more */
	assert_int_equal(bench.probes[0].answers, 0);
}

/* As a reload of the file does: the one who asks next finds the terminal as he set it up, not as the one before left it. */
static void test_a_reload_in_mid_request(void **state)
{
	(void)state;
	bench_open(&bench);
	struct meter_conf before = conf_for(bench.far.device, DEAD), after = conf_for(bench.far.device, SERVED);
	before.timeout_ms = 300;
	after.baud = 38400;
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &before);
	probe_poll(&bench.probes[0]);
	while (!bench.far.requests)
		uv_run(&bench.loop, UV_RUN_NOWAIT);
	probe_close(&bench.probes[0]);
	while (!bench.probes[0].closed)
		uv_run(&bench.loop, UV_RUN_ONCE);
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &after);
	for (int i = 0; i < 3; i++)
		assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_NONE);
	bench_close(&bench, 1);
}

static void open_next(void *conf)
{
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", conf);
}

/* The last that closes tells that all are; what comes next is opened from there. */
static void test_another_speed_after_a_reload(void **state)
{
	(void)state;
	bench_open(&bench);
	struct meter_conf before = conf_for(bench.far.device, SERVED), after = before;
	after.baud = 38400;
	struct meter *meter = meter_driver_named("modbus-rtu")->open(bench.room, &before, (struct meter_user){ &after, NULL, open_next });
	meter->driver->close(meter);
	while (!bench.probes[0].meter)
		uv_run(&bench.loop, UV_RUN_NOWAIT);     /* a timer may do it before the loop falls asleep */
	assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_NONE);
	bench_close(&bench, 1);
}

/* libmodbus waits in select(), which aborts above FD_SETSIZE: the line keeps the low number it began with. */
static void test_many_descriptors(void **state)
{
	(void)state;
	enum { MANY = 1100 };
	static int fds[MANY];
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
	bench_open(&bench);
	struct meter_conf conf = conf_for(bench.far.device, SERVED);
	probe_open(&bench.probes[0], bench.room, "modbus-rtu", &conf);
	assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_NONE);         /* so its thread runs */
	for (int i = 0; i < MANY; i++)
		fds[i] = dup(STDIN_FILENO);
	if (fds[MANY - 1] < FD_SETSIZE)
		printf("skipped: no more than %ld descriptors here\n", (long)limit.rlim_cur);
	assert_int_equal(probe_ask(&bench.probes[0], &bench.loop), FAULT_NONE);
	struct meter_conf late = conf_for("/dev/ptmx", SERVED);         /* a line that begins too late: refused work, no abort */
	late.timeout_ms = 200;
	probe_open(&bench.probes[1], bench.room, "modbus-rtu", &late);
	assert_int_equal(probe_ask(&bench.probes[1], &bench.loop), FAULT_SILENT);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	bench_close(&bench, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_the_dead_and_the_garbled_beside_a_good_one),
		cmocka_unit_test(test_a_late_answer_is_not_taken_for_a_newer_one),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_another_speed_on_the_same_line),
		cmocka_unit_test(test_no_such_line),
		cmocka_unit_test(test_a_line_that_fails),
		cmocka_unit_test(test_closing_in_mid_request),
		cmocka_unit_test(test_a_reload_in_mid_request),
		cmocka_unit_test(test_another_speed_after_a_reload),
		cmocka_unit_test(test_many_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
