/* Simulated meters before an independent witness, libmodbus's client; and their faults before a raw socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
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

enum { PDUS = 30 };

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
	uv_run(&((struct fixture *)self)->loop, UV_RUN_DEFAULT);
	return NULL;
}

/* PDU n has fault n; those beyond are sound. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char args[][40] = { "mulletsim", "--pdus", "30", "--miners", "luxos-s21:10",
	                    "--pattern", "constant", "--meter-refresh", "1 ms", "--pdu-refresh", "1 ms" };
	char *argv[sizeof args / sizeof *args + 1] = { 0 };
	for (size_t a = 0; a < sizeof args / sizeof *args; a++)
		argv[a] = args[a];
	assert_int_equal(options_read(&f->options, sizeof args / sizeof *args, argv, f->why, sizeof f->why), 0);
	f->options.farm.modbus_port = f->options.farm.miner_port = port();
	f->options.farm.speed = 20;
	for (int fault = MODBUS_SOUND + 1; fault < N_MODBUS_FAULTS; fault++)
		f->options.farm.events[f->options.farm.n_events++] =
			(struct farm_event){ .what = FARM_PDU_FAULT, .fault = fault, .device = fault - 1 };
	load_add_job(&f->options.farm.truth.load, (struct load_job){ 5000, 500000, 1000 });
	uv_loop_init(&f->loop);
	uv_async_init(&f->loop, &f->end, on_end);
	f->end.data = f;
	if (farm_open(&f->farm, &f->loop, &f->options.farm, f->why, sizeof f->why) != 0)
		fail_msg("%s", f->why);
	while (f->farm.next_event < f->options.farm.n_events)
		uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
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
	return busy ? -1 : 0;
}

/* ---- libmodbus ---- */

static modbus_t *client(const char *host, int unit)
{
	modbus_t *modbus = modbus_new_tcp(host, port());
	assert_non_null(modbus);
	modbus_set_slave(modbus, unit);
	modbus_set_response_timeout(modbus, 10, 0);
	assert_int_equal(modbus_connect(modbus), 0);
	return modbus;
}

static void drop(modbus_t *modbus)
{
	modbus_close(modbus);
	modbus_free(modbus);
}

static double float_at(const uint16_t *registers)
{
	uint32_t bits = (uint32_t)registers[0] << 16 | registers[1];
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static double pdu_w(modbus_t *modbus)
{
	uint16_t registers[2];
	assert_int_equal(modbus_read_registers(modbus, 12306, 2, registers), 2);
	return float_at(registers);
}

static void site_meter_reads(void **state)
{
	(void)state;
	uint16_t registers[106];
	modbus_t *modbus = client(FARM_SITE_HOST, 1);
	assert_int_equal(modbus_read_input_registers(modbus, 52, 22, registers), 22);
	assert_in_range(float_at(registers), 1000000, 1700000);
	assert_in_range(float_at(registers + 18) * 1000, 59900, 60100);
	double kwh = float_at(registers + 20), site_w = float_at(registers);
	for (int tries = 0; tries < 500 && site_w < 1500000; tries++, usleep(10000)) {
		assert_int_equal(modbus_read_input_registers(modbus, 52, 22, registers), 22);
		site_w = float_at(registers);
	}
	assert_true(site_w >= 1500000);                 /* the job has started */
	assert_true(float_at(registers + 20) > kwh);
	assert_int_equal(modbus_read_input_registers(modbus, 0, 106, registers), 106);
	assert_int_equal(modbus_read_input_registers(modbus, 0, 107, registers), -1);
	assert_int_equal(errno, EMBXILADD);
	assert_int_equal(modbus_read_registers(modbus, 52, 2, registers), -1);
	assert_int_equal(errno, EMBXILFUN);
	assert_int_equal(modbus_write_register(modbus, 52, 1), -1);
	assert_int_equal(errno, EMBXILFUN);
	drop(modbus);
}

static void pdus_read_and_add_up(void **state)
{
	(void)state;
	uint16_t registers[2];
	modbus_t *first = client("127.21.0.30", 1), *second = client("127.21.0.30", 255);
	double w = pdu_w(first);
	assert_in_range(w, 1000000 / PDUS * 6 / 10, 1500000 / PDUS * 14 / 10);
	assert_in_range(pdu_w(second), 1000000 / PDUS * 6 / 10, 1500000 / PDUS * 14 / 10);
	assert_int_equal(modbus_read_registers(first, 12287, 2, registers), -1);
	assert_int_equal(errno, EMBXILADD);
	drop(first);
	drop(second);
}

static void faults_that_libmodbus_sees(void **state)
{
	(void)state;
	uint16_t registers[2];
	modbus_t *failing = client("127.21.0.7", 1), *mad = client("127.21.0.13", 1), *frozen = client("127.21.0.12", 1);
	assert_int_equal(modbus_read_registers(failing, 12306, 2, registers), -1);
	assert_int_equal(errno, EMBXSFAIL);
	assert_true(pdu_w(mad) > 1e12);
	modbus_t *sound = client("127.21.0.20", 1);
	double then_w = pdu_w(frozen), before_w = pdu_w(sound);
	bool moved = false;
	for (int tries = 0; tries < 500 && !moved; tries++, usleep(10000))
		moved = pdu_w(sound) != before_w;
	assert_true(moved);
	assert_true(pdu_w(frozen) == then_w);
	struct fixture *f = *state;
	modbus_t *scaled = client("127.21.0.15", 1);
	double half_w = pdu_w(scaled), whole_w = (double)truth_pdu_w(&f->farm.truth, 14, farm_now_ms(&f->farm));
	assert_true(half_w > 0.4 * whole_w && half_w < 0.6 * whole_w);
	drop(scaled);
	drop(failing);
	drop(mad);
	drop(frozen);
	drop(sound);
}

/* ---- a raw socket ---- */

static int dial(const char *host)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port()) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, host, &address.sin_addr);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -errno;
}

/* What comes back to a read of the PDU's watts, up to size bytes or until nothing more comes within_ms. */
static ssize_t reply_to(enum modbus_fault fault, uint8_t *reply, size_t size, int within_ms)
{
	static const uint8_t request[12] = { 0xAB, 0xCD, 0, 0, 0, 6, 1, 3, 0x30, 0x12, 0, 2 };
	struct timeval limit = { within_ms / 1000, within_ms % 1000 * 1000 };
	char host[16];
	snprintf(host, sizeof host, "127.21.0.%u", (unsigned)fault & 255);
	int fd = dial(host);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(send(fd, request, 5, 0), 5);   /* in two segments: TCP may do that */
	usleep(2000);
	assert_int_equal(send(fd, request + 5, 7, 0), 7);
	size_t n = 0;
	ssize_t got = 0;
	while (n < size && (got = recv(fd, reply + n, size - n, 0)) > 0)
		n += (size_t)got;
	close(fd);
	return n || got < 0 ? (ssize_t)n : -1;
}

static void faults_are_as_named(void **state)
{
	(void)state;
	uint8_t sound[64], reply[64];
	assert_int_equal(reply_to((enum modbus_fault)25, sound, 13, 5000), 13);
	assert_memory_equal(sound, ((uint8_t[]){ 0xAB, 0xCD, 0, 0, 0, 7, 1, 3, 4 }), 9);
	assert_int_equal(reply_to(MODBUS_SILENT, reply, 64, 200), 0);
	assert_in_range(reply_to(MODBUS_TRICKLING, reply, 64, 350), 1, 13);
	assert_memory_equal(reply, sound, 1);
	assert_true(reply_to(MODBUS_GARBAGE, reply, 40, 5000) == 40 && memcmp(reply, sound, 6) != 0);
	assert_int_equal(reply_to(MODBUS_WRONG_TID, reply, 13, 5000), 13);
	assert_memory_not_equal(reply, sound, 2);
	assert_memory_equal(reply + 2, sound + 2, 7);
	assert_int_equal(reply_to(MODBUS_WRONG_UNIT, reply, 13, 5000), 13);
	assert_int_equal(reply[6], 8);
	assert_int_equal(reply_to(MODBUS_WRONG_LENGTH, reply, 13, 5000), 13);
	assert_int_equal(reply[8], 6);
	assert_int_equal(reply_to(MODBUS_EXCEPTION, reply, 9, 5000), 9);
	assert_memory_equal(reply + 5, ((uint8_t[]){ 3, 1, 0x83, 4 }), 4);
	assert_int_equal(reply_to(MODBUS_STALLING, reply, 64, 200), 6);
	assert_int_equal(reply_to(MODBUS_DUPLICATING, reply, 26, 5000), 26);
	assert_memory_equal(reply, reply + 13, 13);
	assert_int_equal(reply_to(MODBUS_LATE, reply, 64, 200), 0);
	assert_int_equal(reply_to(MODBUS_LATE, reply, 13, 10000), 13);
	assert_int_equal(reply_to(MODBUS_CLOSING, reply, 64, 5000), -1);
	assert_int_equal(dial("127.21.0.9"), -ECONNREFUSED);
	for (unsigned fault = 0; fault < N_MODBUS_FAULTS; fault++) {
		const char *name = modbus_fault_name((enum modbus_fault)fault);
		assert_int_equal(modbus_fault_named(name, strlen(name)), fault);
	}
}

/* What is no Modbus ends the connection; what is too much or for another unit does not stop the next request. */
static void nonsense_is_survived(void **state)
{
	(void)state;
	static const uint8_t requests[] = {
		0, 1, 0, 0, 0, 6, 9, 3, 0x30, 0x12, 0, 2,       /* another unit: no answer */
		0, 2, 0, 0, 0, 6, 1, 3, 0x30, 0x12, 0, 126,     /* too many */
		0, 3, 0, 0, 0, 3, 1, 3, 0x30,                   /* cut */
		0, 4, 0, 0, 0, 6, 1, 3, 0x30, 0x12, 0, 2,
		0, 5, 0, 1, 0, 6, 1, 3, 0x30, 0x12, 0, 2,       /* not protocol 0 */
	};
	uint8_t reply[128];
	size_t n = 0;
	struct timeval limit = { 10, 0 };
	int fd = dial("127.21.0.28");
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(send(fd, requests, sizeof requests, 0), (ssize_t)sizeof requests);
	ssize_t got;
	while ((got = recv(fd, reply + n, sizeof reply - n, 0)) > 0)
		n += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(n, 9 + 9 + 13);
	assert_memory_equal(reply, ((uint8_t[]){ 0, 2, 0, 0, 0, 3, 1, 0x83, 3, 0, 3, 0, 0, 0, 3, 1, 0x83, 3, 0, 4 }), 20);
	close(fd);
}

static void site_file_describes_the_site(void **state)
{
	struct fixture *f = *state;
	f->options.farm.modbus_port = 1502;
	f->options.farm.miner_port = 4028;
	struct text text = { 0 };
	farm_print_config(&f->options.farm, &text);
	assert_non_null(strstr(text.at, "    host: 127.20.0.5\n    port: 1502\n"));
	assert_non_null(strstr(text.at, "    host: 127.21.0.[1-30]\n    port: 1502\n"));
	assert_non_null(strstr(text.at, "    host: 127.30.0.[1-10]\n    port: 4028\n    nominal: 3500 W\n"));
	assert_non_null(strstr(text.at, "    nameplate: 70000 W\n"));   /* 1.5 MW over 30, and 1.4 */
	text_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(site_meter_reads),
		cmocka_unit_test(pdus_read_and_add_up),
		cmocka_unit_test(faults_that_libmodbus_sees),
		cmocka_unit_test(faults_are_as_named),
		cmocka_unit_test(nonsense_is_survived),
		cmocka_unit_test(site_file_describes_the_site),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
