/* One exchange after another with a miner that behaves, and with all the ways in which miners do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/cgminer_line.h"
#include "tests/scripted_miner.h"
#include "tests/slow_names.h"

#define ASK "{\"command\":\"summary\"}"
#define SAID "{\"STATUS\":[{\"STATUS\":\"S\"}],\"id\":1}"

struct caller {
	struct miner_room *room;
	struct cgminer_line line;
	unsigned replies, closed, again;
	bool inside;
	enum fault fault;
	char text[200];
	size_t len;
};

static void ask(struct caller *caller)
{
	caller->inside = true;
	cgminer_line_ask(&caller->line, TURN_POLL);
	caller->inside = false;
}

static size_t request(void *self, char *text, size_t size)
{
	struct caller *caller = self;
	assert(!caller->inside && size >= strlen(ASK));
	memcpy(text, ASK, strlen(ASK));
	return strlen(ASK);
}

static void on_reply(void *self, const struct cgminer_reply *reply)
{
	struct caller *caller = self;
	assert(!caller->inside && caller->line.state == LINE_IDLE);
	caller->replies++;
	caller->fault = reply->fault;
	caller->len = reply->len;
	caller->text[0] = '\0';
	if (reply->text) {
		assert(strlen(reply->text) == reply->len);
		snprintf(caller->text, sizeof caller->text, "%.100s", reply->text);
	}
	if (caller->again > 0) {
		caller->again--;
		ask(caller);
	}
}

static void on_closed(void *self)
{
	struct caller *caller = self;
	assert(!caller->inside);
	miner_room_close(caller->room);
	caller->closed++;
}

static void caller_init(struct caller *caller, uv_loop_t *loop, const char *host, uint16_t port, uint32_t timeout_ms)
{
	*caller = (struct caller){ .room = miner_room_open(loop, 4) };
	cgminer_line_init(&caller->line, caller->room, host, port, timeout_ms,
	                  (struct cgminer_line_user){ caller, request, on_reply, on_closed });
}

static void caller_close(struct caller *caller, uv_loop_t *loop)
{
	caller->inside = true;
	cgminer_line_close(&caller->line);
	caller->inside = false;
	assert_true(loop_until(loop, &caller->closed, 1));
}

static void each_manner_has_its_outcome(void **state)
{
	static const struct { struct act act; enum fault fault; const char *text; unsigned resets; uint32_t timeout_ms; } cases[] = {
		{ { ASK, SAID, SAY_AND_CLOSE }, FAULT_NONE, SAID, 0, 20000 },
		{ { ASK, SAID, SAY_NUL_AND_CLOSE }, FAULT_NONE, SAID, 0, 20000 },
		{ { ASK, SAID, SAY_NUL_AND_STAY }, FAULT_NONE, SAID, 1, 20000 },
		{ { ASK, SAID, SAY_AND_STAY }, FAULT_NONE, SAID, 1, 20000 },
		{ { ASK, SAID "\n", SAY_NUL_AND_STAY }, FAULT_NONE, SAID, 1, 20000 },
		{ { ASK, SAID, DRIBBLE }, FAULT_NONE, SAID, 1, 20000 },
		{ { ASK, SAID, SAY_HALF_AND_CLOSE }, FAULT_NONE, "{\"STATUS\":[{\"STAT", 0, 20000 },
		{ { ASK, SAID, SAY_HALF_AND_STAY }, FAULT_SILENT, NULL, 1, 150 },
		{ { ASK, "STATUS=S|", SAY_NUL_AND_STAY }, FAULT_NONE, "STATUS=S|", 1, 20000 },
		{ { ASK, "HTTP/1.1 400 Bad Request\r\n\r\n", SAY_AND_STAY }, FAULT_GARBLED, NULL, 1, 20000 },
		{ { ASK, "", SAY_NUL_AND_STAY }, FAULT_REFUSED, NULL, 1, 20000 },
		{ { ASK, NULL, CLOSE }, FAULT_REFUSED, NULL, 0, 20000 },
		{ { ASK, NULL, RESET }, FAULT_REFUSED, NULL, 0, 20000 },
		{ { ASK, NULL, SILENT }, FAULT_SILENT, NULL, 1, 150 },
		{ { ASK, NULL, FLOOD }, FAULT_GARBLED, NULL, 0, 20000 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uv_loop_t loop;
		struct scripted miner;
		struct caller caller;
		uv_loop_init(&loop);
		scripted_open(&miner, &loop, &cases[i].act, 1);
		caller_init(&caller, &loop, "127.0.0.1", miner.port, cases[i].timeout_ms);
		ask(&caller);
		assert_true(loop_until(&loop, &caller.replies, 1));
		assert_int_equal(caller.fault, cases[i].fault);
		if (cases[i].text)
			assert_string_equal(caller.text, cases[i].text);
		if (cases[i].resets)
			assert_true(loop_until(&loop, &miner.resets, cases[i].resets));
		caller_close(&caller, &loop);
		assert_int_equal(caller.replies, 1);
		assert_true(all_ended(&loop, &miner));
	}
}

static void a_cut_reply_then_a_reset_is_garbled(void **state)
{
	uv_loop_t loop;
	struct scripted miner;
	struct caller caller;
	static const struct act acts[] = { { ASK, SAID, SAY_HALF_AND_STAY } };
	(void)state;
	uv_loop_init(&loop);
	scripted_open(&miner, &loop, acts, 1);
	caller_init(&caller, &loop, "127.0.0.1", miner.port, 20000);
	ask(&caller);
	while (miner.next < 1 || !miner.guests || miner.guests->write.handle == NULL)
		uv_run(&loop, UV_RUN_ONCE);
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	uv_tcp_close_reset(&miner.guests->tcp, scripted_guest_closed);
	assert_true(loop_until(&loop, &caller.replies, 1));
	assert_int_equal(caller.fault, FAULT_GARBLED);
	caller_close(&caller, &loop);
	assert_true(all_ended(&loop, &miner));
}

static uint16_t free_port(uv_loop_t *loop)
{
	struct scripted miner;
	scripted_open(&miner, loop, NULL, 0);
	uint16_t port = miner.port;
	scripted_close(&miner);
	uv_run(loop, UV_RUN_DEFAULT);
	return port;
}

static void nobody_there_is_silent(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1", "localhost", "not..a..name", "" };
	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		uv_loop_t loop;
		struct caller caller;
		uv_loop_init(&loop);
		caller_init(&caller, &loop, hosts[i], free_port(&loop), 20000);
		caller.again = 2;
		ask(&caller);
		assert_int_equal(caller.replies, 0);
		assert_true(loop_until(&loop, &caller.replies, 3));
		assert_int_equal(caller.fault, FAULT_SILENT);
		caller_close(&caller, &loop);
		assert_int_equal(uv_loop_close(&loop), 0);
	}
}

static void names_are_looked_up(void **state)
{
	static const struct act acts[] = { { ASK, SAID, SAY_AND_CLOSE }, { ASK, SAID, SAY_AND_CLOSE } };
	uv_loop_t loop;
	struct scripted miner;
	struct caller caller;
	(void)state;
	uv_loop_init(&loop);
	scripted_open(&miner, &loop, acts, 2);
	caller_init(&caller, &loop, "localhost", miner.port, 20000);
	caller.again = 1;
	ask(&caller);
	assert_true(loop_until(&loop, &caller.replies, 2));
	if (caller.line.address.any.sa_family == AF_INET)
		assert_int_equal(caller.fault, FAULT_NONE);
	else                            /* localhost is ::1 first here, where nobody listens */
		miner.next = miner.n;
	caller_close(&caller, &loop);
	assert_true(all_ended(&loop, &miner));
}

/* Where no name server answers, whoever asks is answered in time, and a line closes. */
static void a_look_up_holds_nothing_up(void **state)
{
	uv_loop_t loop;
	struct caller caller;
	(void)state;
	uv_loop_init(&loop);
	caller_init(&caller, &loop, "slow.example", 1, 100);
	caller.again = 2;
	ask(&caller);
	while (caller.replies < 2)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(caller.fault, FAULT_SILENT);
	caller_close(&caller, &loop);
	assert_false(lookup_ended);
	lookup_ended = true;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void exchanges_follow_each_other_from_inside_the_reply(void **state)
{
	struct act acts[50];
	uv_loop_t loop;
	struct scripted miner;
	struct caller caller;
	(void)state;
	for (size_t i = 0; i < 50; i++)
		acts[i] = (struct act){ ASK, SAID, (enum manner)(i % (DRIBBLE + 1)) };
	uv_loop_init(&loop);
	scripted_open(&miner, &loop, acts, 50);
	caller_init(&caller, &loop, "127.0.0.1", miner.port, 20000);
	caller.again = 49;
	ask(&caller);
	assert_true(loop_until(&loop, &caller.replies, 50));
	assert_int_equal(miner.connections, 50);
	caller_close(&caller, &loop);
	assert_true(all_ended(&loop, &miner));
}

/* Closed after any number of turns: while looking up, connecting, waiting, being answered. */
static void closing_in_the_middle_of_everything(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	static const struct act dribble[] = { { ASK, SAID, DRIBBLE } };
	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		uv_loop_t loop;
		struct scripted miner;
		struct caller caller;
		uv_loop_init(&loop);
		scripted_open(&miner, &loop, dribble, 1);
		caller_init(&caller, &loop, hosts[i % 2], miner.port, 20000);
		ask(&caller);
		for (unsigned turn = 0; turn < i / 2; turn++)
			uv_run(&loop, UV_RUN_NOWAIT);
		unsigned replies = caller.replies;
		caller_close(&caller, &loop);
		assert_int_equal(caller.replies, replies);
		miner.next = miner.n;
		assert_true(all_ended(&loop, &miner));
	}
}

static void an_idle_line_closes_and_weighs_little(void **state)
{
	uv_loop_t loop;
	struct caller caller;
	(void)state;
	uv_loop_init(&loop);
	caller_init(&caller, &loop, "127.0.0.1", 1, 1000);
	assert_true(caller.line.state == LINE_IDLE);
	caller_close(&caller, &loop);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_true(sizeof(struct cgminer_line) <= 320);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_manner_has_its_outcome),
		cmocka_unit_test(a_cut_reply_then_a_reset_is_garbled),
		cmocka_unit_test(nobody_there_is_silent),
		cmocka_unit_test(names_are_looked_up),
		cmocka_unit_test(a_look_up_holds_nothing_up),
		cmocka_unit_test(exchanges_follow_each_other_from_inside_the_reply),
		cmocka_unit_test(closing_in_the_middle_of_everything),
		cmocka_unit_test(an_idle_line_closes_and_weighs_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
