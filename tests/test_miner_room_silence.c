/* Those who do not answer in the room that all miners share, names among them: its deadlines. */
#include <poll.h>

#include "tests/miner_room_rig.h"

/* ---- those who do not answer ---- */

static int full_listener(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at) | listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	*port = ntohs(at.sin_port);
	return fd;
}

/* Some take the connection and say nothing, of others nothing comes back at all. */
static void the_dead_do_not_delay_the_living(void **state)
{
	struct hall *hall = hall_open(128, 200, 20, 0);
	uint16_t port;
	int listener = full_listener(&port);
	(void)state;
	for (int i = 0; i < 20; i++)
		caller_add(hall, "127.0.0.1", port, TIMEOUT_MS);
	ask_all(hall, 200, 220, TURN_POLL);
	ask_all(hall, 0, 200, TURN_POLL);
	assert_true(wait_for(hall, &hall->replies, 180));
	for (unsigned i = 0; i < 220; i++) {
		assert_int_equal(hall->callers[i].replies, i >= 20 && i < 200);
		assert_int_equal(hall->callers[i].fault, i >= 20 && i < 200 ? FAULT_NONE : FAULT_NEVER);
	}
	hall->room->ahead_ms += TIMEOUT_MS - 10000;
	wait_ticks(hall, 10);
	assert_int_equal(hall->replies, 180);
	hall->room->ahead_ms += 10000;
	assert_true(wait_for(hall, &hall->replies, 220));
	for (unsigned i = 0; i < 20; i++)
		assert_true(hall->callers[i].fault == FAULT_SILENT && hall->callers[200 + i].fault == FAULT_SILENT);
	close(listener);
	hall_close(hall);
}

/* Longer than the wheel of deadlines is round. */
static void who_sleeps_an_hour_wakes_to_silence_once(void **state)
{
	struct hall *hall = hall_open(64, 20, 20, 0);
	(void)state;
	ask_all(hall, 0, 20, TURN_POLL);
	assert_true(wait_for(hall, &hall->farm.requests, 20));
	hall->room->ahead_ms += 3600 * 1000;
	assert_true(wait_for(hall, &hall->replies, 20));
	hall->farm.holding = 0;
	ask_all(hall, 0, 20, TURN_POLL);
	assert_true(wait_for(hall, &hall->replies, 40));
	for (unsigned i = 0; i < 20; i++)
		assert_true(hall->callers[i].replies == 2 && hall->callers[i].fault == FAULT_NONE);
	hall_close(hall);
}

/* Nor does it come round to them too early. */
static void a_longer_timeout_than_the_wheel_is_cut(void **state)
{
	struct hall *hall = hall_open(4, 1, 1, 0);
	(void)state;
	hall->callers[0].line.timeout_ms = ROOM_DUES * ROOM_DUE_MS + 5000;
	ask_all(hall, 0, 1, TURN_POLL);
	assert_true(wait_for(hall, &hall->farm.requests, 1));
	hall->room->ahead_ms += ROOM_DUES * ROOM_DUE_MS / 2;
	wait_ticks(hall, 20);
	assert_int_equal(hall->replies, 0);
	hall->room->ahead_ms += ROOM_DUES * ROOM_DUE_MS / 2;
	assert_true(wait_for(hall, &hall->replies, 1));
	hall_close(hall);
}

static void an_answer_that_waits_for_us_is_no_silence(void **state)
{
	struct hall *hall = hall_open(4, 0, 0, 0);
	uint16_t port;
	pid_t child = farm_apart(&port);
	struct caller *caller = caller_add(hall, "127.0.0.1", port, 1000);
	(void)state;
	cgminer_line_ask(&caller->line, TURN_POLL);
	while (!caller->line.slot || !caller->line.slot->connected)
		uv_run(&hall->loop, UV_RUN_ONCE);
	struct pollfd there = { .fd = caller->line.slot->fd, .events = POLLIN };
	assert_int_equal(poll(&there, 1, 20000), 1);
	uv_sleep(4 * ROOM_DUE_MS);                      /* so that the deadlines are looked at first */
	hall->room->ahead_ms += 5000;
	assert_true(wait_for(hall, &hall->replies, 1));
	assert_int_equal(caller->fault, FAULT_NONE);
	farm_end(child);
	hall_close(hall);
}

static void a_family_that_is_not_there_is_silent(void **state)
{
	struct hall *hall = hall_open(2, 8, 0, 0);
	(void)state;
	hall->callers[0].line.address.any.sa_family = AF_MAX;
	ask_all(hall, 0, 1, TURN_ORDER);
	ask_all(hall, 1, 8, TURN_POLL);
	assert_true(wait_for(hall, &hall->replies, 8));
	assert_int_equal(hall->callers[0].fault, FAULT_SILENT);
	for (unsigned i = 1; i < 8; i++)
		assert_int_equal(hall->callers[i].fault, FAULT_NONE);
	hall_close(hall);
}

/* ---- names ---- */

struct resolver { uv_work_t work[4]; uv_sem_t go; unsigned done; };

static void hang(uv_work_t *work)
{
	uv_sem_wait(&((struct resolver *)work->data)->go);
}

static void hung(uv_work_t *work, int status)
{
	(void)status;
	((struct resolver *)work->data)->done++;
}

static void a_resolver_that_hangs_costs_the_timeout(void **state)
{
	struct hall *hall = hall_open(8, 4, 0, 0);
	struct resolver resolver;
	(void)state;
	uv_sem_init(&resolver.go, 0);
	resolver.done = 0;
	for (int i = 0; i < 4; i++) {
		resolver.work[i].data = &resolver;
		uv_queue_work(&hall->loop, &resolver.work[i], hang, hung);
	}
	for (int i = 0; i < 8; i++)
		caller_add(hall, "localhost", hall->farm.port, TIMEOUT_MS);
	ask_all(hall, 4, 12, TURN_POLL);
	wait_ticks(hall, 4);
	assert_int_equal(hall->room->n_open, 4);
	assert_true(hall->callers[4].line.state == LINE_LOOKING_UP);
	cgminer_line_ask(&hall->callers[5].line, TURN_ORDER);
	ask_all(hall, 0, 4, TURN_ORDER);
	assert_true(wait_for(hall, &hall->replies, 4));
	for (unsigned n = 8; n <= 12; n += 4) {
		hall->room->ahead_ms += TIMEOUT_MS + 100;
		assert_true(wait_for(hall, &hall->replies, n));
		wait_ticks(hall, 4);
	}
	for (unsigned i = 4; i < 12; i++)
		assert_true(hall->callers[i].replies == 1 && hall->callers[i].fault == FAULT_SILENT);
	for (int i = 0; i < 4; i++)
		uv_sem_post(&resolver.go);
	assert_true(wait_for(hall, &resolver.done, 4));
	uv_sem_destroy(&resolver.go);
	hall_close(hall);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dead_do_not_delay_the_living),
		cmocka_unit_test(who_sleeps_an_hour_wakes_to_silence_once),
		cmocka_unit_test(a_longer_timeout_than_the_wheel_is_cut),
		cmocka_unit_test(an_answer_that_waits_for_us_is_no_silence),
		cmocka_unit_test(a_family_that_is_not_there_is_silent),
		cmocka_unit_test(a_resolver_that_hangs_costs_the_timeout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
