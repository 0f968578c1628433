/* The SNMP driver against agents that break the rules, in datagrams made by hand; and what becomes of handles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "drivers/snmp_link.h"
#include "tests/meter_probe.h"
#include "tests/slow_names.h"

enum { TIMEOUT_MS = 300, LONG_MS = 20000, MOST = 512 };

/* An agent on the loop: what it gets is given to `on_request`, which answers as it likes. */
struct rogue {
	uv_udp_t socket, other;
	uint16_t port;
	unsigned n_requests;
	uint8_t first[MOST], last[MOST];        /* requests */
	size_t first_len, last_len;
	struct sockaddr_storage from;
	void (*on_request)(struct rogue *);
};

static uv_loop_t loop;
static struct meter_room *room;
static struct rogue rogue;
static struct probe probe;

static const struct snmp_access v2c = { .community = "public", .retries = 1 };
static struct snmp_map map;

/* ---- datagrams ---- */

static void put(uv_udp_t *from, const uint8_t *bytes, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);
	assert_int_equal(uv_udp_try_send(from, &buf, 1, (const struct sockaddr *)&rogue.from), (int)len);
}

/* Where the PDU is in a message with short lengths throughout. */
static size_t pdu_at(const uint8_t *message)
{
	size_t community = 2 + 3;
	return community + 2 + message[community + 1];
}

/* The answer to a question for one variable: an INTEGER of one byte. A NULL makes room for one byte more. */
static size_t answer_with(const uint8_t *request, size_t len, uint8_t value, uint8_t *answer)
{
	size_t pdu = pdu_at(request), id = pdu + 2, status = id + 2 + request[id + 1], list = status + 3 + 3, var = list + 2;
	memcpy(answer, request, len);
	answer[pdu] = 0xA2;
	answer[1]++, answer[pdu + 1]++, answer[list + 1]++, answer[var + 1]++;
	answer[len - 2] = 0x02;
	answer[len - 1] = 0x01;
	answer[len] = value;
	return len + 1;
}

static void answer(const uint8_t *request, size_t len, uint8_t value)
{
	uint8_t bytes[MOST + 1];
	put(&rogue.socket, bytes, answer_with(request, len, value, bytes));
}

static void answer_last(struct rogue *self)
{
	answer(self->last, self->last_len, 42);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	static char bytes[MOST];
	(void)handle;
	(void)hint;
	*buf = uv_buf_init(bytes, sizeof bytes);
}

static void on_recv(uv_udp_t *socket, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct rogue *self = socket->data;
	(void)flags;
	if (n <= 0 || !from)
		return;
	memcpy(&self->from, from, sizeof(struct sockaddr_in));
	memcpy(self->last, buf->base, (size_t)n);
	self->last_len = (size_t)n;
	if (!self->n_requests++) {
		memcpy(self->first, buf->base, (size_t)n);
		self->first_len = (size_t)n;
	}
	if (self->on_request)
		self->on_request(self);
}

/* ---- both ends ---- */

static void begin(void (*on_request)(struct rogue *), uint32_t timeout_ms)
{
	struct sockaddr_in at;
	int size = sizeof at;
	memset(&rogue, 0, sizeof rogue);
	memset(&map, 0, sizeof map);
	snmp_oid_parse("1.3.6.1.4.1.99999.1.1", &map.power.value);
	map.power.scale = 1;
	uv_loop_init(&loop);
	uv_ip4_addr("127.0.0.1", 0, &at);
	uv_udp_init(&loop, &rogue.socket);
	uv_udp_init(&loop, &rogue.other);
	rogue.socket.data = &rogue;
	rogue.on_request = on_request;
	assert_int_equal(uv_udp_bind(&rogue.socket, (struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_udp_bind(&rogue.other, (struct sockaddr *)&at, 0), 0);
	uv_udp_getsockname(&rogue.socket, (struct sockaddr *)&at, &size);
	rogue.port = ntohs(at.sin_port);
	uv_udp_recv_start(&rogue.socket, on_alloc, on_recv);
	room = meter_room_open(&loop);
	struct meter_conf conf = { .host = "127.0.0.1", .port = rogue.port, .timeout_ms = timeout_ms, .oids = &map, .access = &v2c };
	probe_open(&probe, room, "snmp", &conf);
}

static void end(void)
{
	uv_close((uv_handle_t *)&rogue.socket, NULL);
	uv_close((uv_handle_t *)&rogue.other, NULL);
	assert_int_equal(probes_end(&probe, 1, room, &loop), 0);
}

static void a_true_answer_is_taken(void **state)
{
	(void)state;
	begin(answer_last, LONG_MS);
	for (unsigned i = 1; i <= 20; i++) {
		assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
		assert_int_equal(probe.last.import_w, 42);
		assert_int_equal(rogue.n_requests, i);          /* one datagram a poll */
	}
	end();
}

/* ---- silence ---- */

static void silence_ends_with_the_timeout(void **state)
{
	(void)state;
	begin(NULL, TIMEOUT_MS);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
		assert_int_equal(rogue.n_requests, 2 * i);      /* one was sent again */
	}
	assert_true(probe.worst_ns >= (TIMEOUT_MS - 1) * UINT64_C(1000000));
	rogue.on_request = answer_last;
	assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
	end();
}

static void answer_second(struct rogue *self)
{
	if (self->n_requests == 2)
		answer_last(self);
}

static void a_lost_datagram_is_made_good(void **state)
{
	(void)state;
	begin(answer_second, 3000);
	assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
	assert_int_equal(rogue.n_requests, 2);
	/* Measured between the second question and its answer, not from the first. */
	assert_true(probe.last.at_ms >= (int64_t)(probe.asked_ns / 1000000) + 999);
	end();
}

static void answer_first_at_second(struct rogue *self)
{
	if (self->n_requests == 2)
		answer(self->first, self->first_len, 41);
}

static void an_answer_to_the_first_of_two_counts(void **state)
{
	(void)state;
	begin(answer_first_at_second, 3000);
	assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
	assert_int_equal(probe.last.import_w, 41);
	assert_true(probe.last.at_ms <= (int64_t)(probe.asked_ns / 1000000) + 999);
	end();
}

static void nobody_listens(void **state)
{
	(void)state;
	begin(NULL, TIMEOUT_MS);
	uv_udp_recv_stop(&rogue.socket);
	struct snmp_map other = map;
	struct meter_conf conf = { .host = "127.0.0.1", .port = 1, .timeout_ms = TIMEOUT_MS, .oids = &other, .access = &v2c };
	struct probe alone;
	probe_open(&alone, room, "snmp", &conf);
	assert_int_equal(probe_ask(&alone, &loop), FAULT_SILENT);
	assert_int_equal(probe_ask(&alone, &loop), FAULT_SILENT);
	probe_close(&alone);
	while (!alone.closed)
		uv_run(&loop, UV_RUN_ONCE);
	end();
}

static void on_gone(uv_handle_t *handle)
{
	*(bool *)handle->data = true;
}

/* While it is away the network says that nobody listens there. */
static void an_agent_that_comes_back_is_heard_at_once(void **state)
{
	struct sockaddr_in at;
	bool gone = false;
	(void)state;
	begin(answer_last, 3000);
	rogue.socket.data = &gone;
	uv_close((uv_handle_t *)&rogue.socket, on_gone);
	while (!gone)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
	uv_ip4_addr("127.0.0.1", rogue.port, &at);
	uv_udp_init(&loop, &rogue.socket);
	rogue.socket.data = &rogue;
	assert_int_equal(uv_udp_bind(&rogue.socket, (struct sockaddr *)&at, 0), 0);
	uv_udp_recv_start(&rogue.socket, on_alloc, on_recv);
	assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
	assert_int_equal(rogue.n_requests, 1);          /* it was not asked again */
	end();
}

/* ---- late, doubled, from elsewhere ---- */

static void answer_the_one_before(struct rogue *self)
{
	if (self->n_requests <= 2)
		return;                                 /* the first poll: silence */
	answer(self->first, self->first_len, 13);       /* late */
	if (self->n_requests == 4)
		answer_last(self);
}

static void a_late_answer_is_not_taken_for_a_newer_one(void **state)
{
	(void)state;
	begin(answer_the_one_before, TIMEOUT_MS);
	assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
	assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
	assert_int_equal(probe.last.import_w, 42);
	assert_int_equal(rogue.n_requests, 4);
	end();
}

static void answer_twice(struct rogue *self)
{
	answer(self->last, self->last_len, (uint8_t)self->n_requests);
	answer(self->last, self->last_len, 99);
}

static void a_second_answer_is_of_no_account(void **state)
{
	(void)state;
	begin(answer_twice, LONG_MS);
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
		assert_int_equal(probe.last.import_w, i);
	}
	end();
}

static void answer_from_elsewhere(struct rogue *self)
{
	uint8_t bytes[MOST + 1];
	put(&self->other, bytes, answer_with(self->last, self->last_len, 77, bytes));
}

static void only_the_agent_is_heard(void **state)
{
	(void)state;
	begin(answer_from_elsewhere, TIMEOUT_MS);
	assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
	end();
}

/* ---- nonsense ---- */

static void answer_half(struct rogue *self)
{
	uint8_t bytes[MOST + 1];
	put(&self->socket, bytes, answer_with(self->last, self->last_len, 42, bytes) / 2);
}

static void answer_other_oid(struct rogue *self)
{
	uint8_t bytes[MOST + 1];
	size_t len = answer_with(self->last, self->last_len, 42, bytes);
	bytes[len - 4]++;
	put(&self->socket, bytes, len);
}

static void answer_error(struct rogue *self)
{
	uint8_t bytes[MOST + 1];
	size_t len = answer_with(self->last, self->last_len, 42, bytes), id = pdu_at(bytes) + 2;
	bytes[id + 2 + bytes[id + 1] + 2] = 5;          /* genErr */
	put(&self->socket, bytes, len);
}

static void answer_null(struct rogue *self)
{
	self->last[pdu_at(self->last)] = 0xA2;
	put(&self->socket, self->last, self->last_len);
}

static void answer_noise_then_truth(struct rogue *self)
{
	static const uint8_t noise[] = "HTTP/1.1 400 Bad Request";
	put(&self->socket, noise, sizeof noise);
	put(&self->socket, noise, 0);
	answer_half(self);
	answer_last(self);
}

static void each_kind_of_nonsense_has_its_fault(void **state)
{
	(void)state;
	static const struct { void (*on_request)(struct rogue *); enum fault fault; } kinds[] = {
		{ answer_half, FAULT_GARBLED }, { answer_other_oid, FAULT_GARBLED }, { answer_error, FAULT_REFUSED },
		{ answer_null, FAULT_ABSURD }, { answer_noise_then_truth, FAULT_NONE },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		begin(kinds[i].on_request, TIMEOUT_MS);
		assert_int_equal(probe_ask(&probe, &loop), kinds[i].fault);
		rogue.on_request = answer_last;                 /* and the next is none the worse */
		assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
		end();
	}
}

/* Whatever a datagram is cut to or holds: a fault or a value, in time. */
static void cut_anywhere(struct rogue *self)
{
	uint8_t bytes[MOST + 1];
	size_t len = answer_with(self->last, self->last_len, 42, bytes);
	for (size_t n = 1; n < len; n++)
		put(&self->socket, bytes, n);
	for (size_t i = 0; i < len; i++) {
		uint8_t kept = bytes[i];
		bytes[i] ^= 0x55;
		if (i < pdu_at(bytes) || i > pdu_at(bytes) + 8)         /* what has our id would be an answer */
			put(&self->socket, bytes, len);
		bytes[i] = kept;
	}
	answer_last(self);
}

static void any_cut_is_survived(void **state)
{
	(void)state;
	begin(cut_anywhere, LONG_MS);
	probe_ask(&probe, &loop);
	rogue.on_request = answer_last;
	assert_int_equal(probe_ask(&probe, &loop), FAULT_NONE);
	end();
}

/* ---- handles ---- */

static void a_meter_may_close_at_any_time(void **state)
{
	(void)state;
	begin(NULL, LONG_MS);                   /* never polled */
	end();
	begin(NULL, LONG_MS);                   /* just asked */
	probe_poll(&probe);
	end();
	begin(NULL, LONG_MS);                   /* waiting */
	probe_poll(&probe);
	while (!rogue.n_requests)
		uv_run(&loop, UV_RUN_ONCE);
	end();
}

static void close_now(struct probe *self)
{
	probe_close(self);
}

static void a_meter_may_close_in_its_answer(void **state)
{
	(void)state;
	static void (*const kinds[])(struct rogue *) = { answer_last, answer_error, NULL };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		begin(kinds[i], TIMEOUT_MS);
		probe.then = close_now;
		probe_ask(&probe, &loop);
		while (!probe.closed)
			uv_run(&loop, UV_RUN_ONCE);
		uv_close((uv_handle_t *)&rogue.socket, NULL);
		uv_close((uv_handle_t *)&rogue.other, NULL);
		meter_room_close(room);
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&loop), 0);
	}
}

static void poll_again(struct probe *self)
{
	if (self->answers < 100)
		probe_poll(self);
}

static void a_meter_may_be_polled_in_its_answer(void **state)
{
	(void)state;
	begin(answer_last, LONG_MS);
	probe.then = poll_again;
	probe_poll(&probe);
	while (probe.answers < 100)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(probe.faults[FAULT_NONE], 100);
	end();
}

/* Where no name server answers. */
static void a_look_up_holds_nothing_up(void **state)
{
	(void)state;
	begin(NULL, LONG_MS);
	struct meter_conf conf = { .host = "slow.example", .port = rogue.port, .timeout_ms = TIMEOUT_MS, .oids = &map, .access = &v2c };
	struct probe named;
	probe_open(&named, room, "snmp", &conf);
	for (int i = 0; i < 3; i++)
		assert_int_equal(probe_ask(&named, &loop), FAULT_SILENT);
	assert_int_equal(n_lookups, 1);
	probe_poll(&named);
	probe_close(&named);
	while (!named.closed)
		uv_run(&loop, UV_RUN_ONCE);
	assert_false(lookup_ended);
	lookup_ended = true;
	end();
}

/* A poll while one is under way is answered by that one's answer. */
static void two_polls_have_one_answer(void **state)
{
	(void)state;
	begin(answer_last, LONG_MS);
	probe_poll(&probe);
	probe_poll(&probe);
	while (probe.polling)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(probe.answers, 1);
	assert_int_equal(rogue.n_requests, 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_true_answer_is_taken),
		cmocka_unit_test(silence_ends_with_the_timeout),
		cmocka_unit_test(a_lost_datagram_is_made_good),
		cmocka_unit_test(an_answer_to_the_first_of_two_counts),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(an_agent_that_comes_back_is_heard_at_once),
		cmocka_unit_test(a_late_answer_is_not_taken_for_a_newer_one),
		cmocka_unit_test(a_second_answer_is_of_no_account),
		cmocka_unit_test(only_the_agent_is_heard),
		cmocka_unit_test(each_kind_of_nonsense_has_its_fault),
		cmocka_unit_test(any_cut_is_survived),
		cmocka_unit_test(a_meter_may_close_at_any_time),
		cmocka_unit_test(a_meter_may_close_in_its_answer),
		cmocka_unit_test(a_meter_may_be_polled_in_its_answer),
		cmocka_unit_test(two_polls_have_one_answer),
		cmocka_unit_test(a_look_up_holds_nothing_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
