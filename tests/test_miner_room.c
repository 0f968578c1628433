/* The transport that all miners share: its window, its queues, its sockets, its deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <poll.h>
#include <sys/resource.h>

#include "drivers/cgminer_line.h"
#include "tests/farm_of_miners.h"

#define MOST_CALLERS 512
#define TIMEOUT_MS 20000

struct caller {
	struct cgminer_line line;
	struct hall *hall;
	char host[32];
	unsigned replies, reminders;
	enum fault fault;
	size_t len;
	bool closed;
};

struct hall {                           /* a loop, a farm, a room, and who asks */
	uv_loop_t loop;
	uv_timer_t tick;
	struct farm farm;
	struct miner_room *room;
	struct caller callers[MOST_CALLERS];
	unsigned n, ticks, replies, closed, asked, most_open, most_polls;
	unsigned order[MOST_CALLERS];           /* who was asked for its request, one after the other */
	unsigned reminders, in_step, most_in_step;
	uint64_t reminded_ms;
	uint32_t dice;                          /* 0: nobody does anything odd */
};

static void behave_oddly(struct caller *caller);

static void look(struct hall *hall)
{
	const struct miner_room *room = hall->room;
	if (!room)
		return;
	assert(room->young + room->younger <= ROOM_MOST_YOUNG && room->young + room->younger <= room->n_open);
	hall->most_open = room->n_open > hall->most_open ? room->n_open : hall->most_open;
	hall->most_polls = room->n_polls > hall->most_polls ? room->n_polls : hall->most_polls;
}

static size_t request(void *self, char *text, size_t size)
{
	struct caller *caller = self;
	struct hall *hall = caller->hall;
	look(hall);
	assert(caller->line.state == LINE_IDLE);
	hall->order[hall->asked++ % MOST_CALLERS] = (unsigned)(caller - hall->callers);
	behave_oddly(caller);
	return (size_t)snprintf(text, size, "{\"command\":\"version\"}");
}

static void on_reply(void *self, const struct cgminer_reply *reply)
{
	struct caller *caller = self;
	assert(caller->line.state == LINE_IDLE);
	caller->replies++;
	caller->hall->replies++;
	caller->fault = reply->fault;
	caller->len = reply->len;
	look(caller->hall);
	behave_oddly(caller);
}

static void on_closed(void *self)
{
	struct caller *caller = self;
	assert(!caller->closed);
	caller->closed = true;
	if (++caller->hall->closed < caller->hall->n)
		return;
	miner_room_close(caller->hall->room);
	caller->hall->room = NULL;
}

static void on_remind(void *self)
{
	struct caller *caller = self;
	struct hall *hall = caller->hall;
	caller->reminders++;
	hall->reminders++;
	hall->in_step = hall->reminded_ms == uv_now(&hall->loop) ? hall->in_step + 1 : 1;
	hall->reminded_ms = uv_now(&hall->loop);
	hall->most_in_step = hall->in_step > hall->most_in_step ? hall->in_step : hall->most_in_step;
	behave_oddly(caller);
}

static void on_tick(uv_timer_t *tick)
{
	((struct hall *)tick->data)->ticks++;
}

static struct caller *caller_add(struct hall *hall, const char *host, uint16_t port, uint32_t timeout_ms)
{
	struct caller *caller = &hall->callers[hall->n++];
	caller->hall = hall;
	snprintf(caller->host, sizeof caller->host, "%s", host);
	cgminer_line_init(&caller->line, hall->room, caller->host, port, timeout_ms,
	                  (struct cgminer_line_user){ caller, request, on_reply, on_closed });
	caller->line.on_remind = on_remind;
	return caller;
}

static struct hall *hall_open(uint32_t connections, unsigned n, unsigned holding, size_t bytes)
{
	struct hall *hall = calloc(1, sizeof *hall);
	assert(hall && n <= MOST_CALLERS);
	uv_loop_init(&hall->loop);
	uv_timer_init(&hall->loop, &hall->tick);
	hall->tick.data = hall;
	uv_timer_start(&hall->tick, on_tick, 5, 5);
	farm_open(&hall->farm, &hall->loop, "0.0.0.0", holding, bytes);
	hall->room = miner_room_open(&hall->loop, connections);
	while (hall->n < n) {
		char host[32];
		snprintf(host, sizeof host, "127.1.%u.%u", (hall->n + 1) >> 8, (hall->n + 1) & 255);
		caller_add(hall, host, hall->farm.port, TIMEOUT_MS);
	}
	return hall;
}

/* false: the count was not reached within 20 s. */
static bool wait_for(struct hall *hall, const unsigned *count, unsigned n)
{
	unsigned until = hall->ticks + 4000;
	while (*count < n && hall->ticks < until) {
		uv_run(&hall->loop, UV_RUN_ONCE);
		look(hall);
	}
	return *count >= n;
}

static void wait_ticks(struct hall *hall, unsigned n)
{
	assert_true(wait_for(hall, &hall->ticks, hall->ticks + n));
}

static void hall_close(struct hall *hall)
{
	for (unsigned i = 0; i < hall->n; i++) {
		if (hall->callers[i].line.state != LINE_CLOSED)
			cgminer_line_close(&hall->callers[i].line);
	}
	assert_int_equal(hall->room->n_open, 0);
	assert_int_equal(hall->room->n_polls, 0);
	assert_int_equal(hall->room->n_reminders, 0);
	assert_true(wait_for(hall, &hall->closed, hall->n));
	uv_close((uv_handle_t *)&hall->tick, NULL);
	farm_close(&hall->farm);
	assert_int_equal(uv_loop_close(&hall->loop), 0);
	free(hall);
}

static void ask_all(struct hall *hall, unsigned from, unsigned to, enum cgminer_turn turn)
{
	for (unsigned i = from; i < to; i++)
		cgminer_line_ask(&hall->callers[i].line, turn);
}

static unsigned descriptors(void)
{
	unsigned n = 0;
	DIR *dir = opendir("/proc/self/fd");
	assert(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static rlim_t first_free(void)
{
	int fd = dup(STDOUT_FILENO);
	close(fd);
	return (rlim_t)fd;
}

static unsigned in_time_wait(uint16_t port)
{
	char line[300];
	unsigned local, remote, state, n = 0;
	FILE *file = fopen("/proc/net/tcp", "r");
	assert(file);
	while (fgets(line, sizeof line, file)) {
		if (sscanf(line, "%*s %*[^:]:%x %*[^:]:%x %x", &local, &remote, &state) == 3)
			n += state == 6 && (local == port || remote == port);
	}
	fclose(file);
	return n;
}

/* ---- whose turn it is ---- */

static void the_window_is_kept(void **state)
{
	struct hall *hall = hall_open(16, 80, 80, 0);
	(void)state;
	ask_all(hall, 0, 40, TURN_POLL);
	assert_true(wait_for(hall, &hall->farm.requests, 8));
	wait_ticks(hall, 4);
	assert_int_equal(hall->room->n_open, 8);        /* polls get half of it */
	ask_all(hall, 40, 60, TURN_ORDER);
	struct miner_room_figures figures = miner_room_figures(hall->room);
	assert_true(figures.connections == 8 && figures.most == 16);
	assert_true(figures.orders_waiting == 20 && figures.polls_waiting == 32);
	ask_all(hall, 40, 80, TURN_ORDER);
	assert_true(wait_for(hall, &hall->farm.requests, 16));
	wait_ticks(hall, 4);
	assert_int_equal(hall->farm.most, 16);
	farm_release(&hall->farm);
	assert_true(wait_for(hall, &hall->replies, 80));
	assert_int_equal(hall->most_open, 16);
	assert_true(hall->most_polls <= 16 / 2);
	hall_close(hall);
}

/* As by a reload: those that are open stay, whatever it is. */
static void another_window_counts_at_once(void **state)
{
	struct hall *hall = hall_open(4, 80, 80, 0);
	(void)state;
	ask_all(hall, 0, 80, TURN_ORDER);
	assert_true(wait_for(hall, &hall->farm.requests, 4));
	wait_ticks(hall, 4);
	assert_int_equal(hall->room->n_open, 4);
	miner_room_limit(hall->room, 16);
	assert_true(wait_for(hall, &hall->farm.requests, 16));
	wait_ticks(hall, 4);
	assert_int_equal(hall->room->n_open, 16);
	miner_room_limit(hall->room, 2);
	assert_int_equal(miner_room_figures(hall->room).most, 2);
	assert_int_equal(hall->room->n_open, 16);
	farm_release(&hall->farm);
	assert_true(wait_for(hall, &hall->replies, 80));
	assert_int_equal(hall->most_open, 16);
	hall_close(hall);
}

/* Those who do not answer at once leave their place among the young, and the window fills. */
static void the_young_are_few_and_grow_up(void **state)
{
	struct hall *hall = hall_open(MOST_CALLERS, MOST_CALLERS, MOST_CALLERS, 0);
	(void)state;
	ask_all(hall, 0, MOST_CALLERS, TURN_ORDER);
	assert_true(wait_for(hall, &hall->farm.requests, MOST_CALLERS));
	assert_true(hall->room->n_open == MOST_CALLERS && MOST_CALLERS > ROOM_MOST_YOUNG);
	farm_release(&hall->farm);
	assert_true(wait_for(hall, &hall->replies, MOST_CALLERS));
	hall_close(hall);
}

static void a_window_of_one_is_enough(void **state)
{
	struct hall *hall = hall_open(1, 20, 0, 0);
	(void)state;
	ask_all(hall, 0, 10, TURN_POLL);
	ask_all(hall, 10, 20, TURN_ORDER);
	assert_true(wait_for(hall, &hall->replies, 20));
	assert_int_equal(hall->most_open, 1);
	hall_close(hall);
}

static void orders_go_before_polls_and_in_the_order_given(void **state)
{
	struct hall *hall = hall_open(4, 240, 0, 0);
	(void)state;
	ask_all(hall, 0, 100, TURN_POLL);
	ask_all(hall, 100, 200, TURN_ORDER);
	ask_all(hall, 200, 201, TURN_NEXT);
	ask_all(hall, 40, 41, TURN_ORDER);              /* a better turn than it had */
	ask_all(hall, 100, 101, TURN_POLL);             /* it keeps the better */
	assert_true(wait_for(hall, &hall->replies, 201));
	assert_int_equal(hall->order[0], 200);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(hall->order[1 + i], 100 + i);
	assert_int_equal(hall->order[101], 40);
	for (unsigned i = 0; i < 99; i++)
		assert_int_equal(hall->order[102 + i], i < 40 ? i : i + 1);
	hall_close(hall);
}

static void what_is_dropped_makes_room(void **state)
{
	struct hall *hall = hall_open(4, 8, 8, 0);
	(void)state;
	ask_all(hall, 0, 8, TURN_POLL);
	assert_true(wait_for(hall, &hall->farm.requests, 2));
	cgminer_line_drop(&hall->callers[0].line);
	cgminer_line_drop(&hall->callers[5].line);      /* waits */
	assert_true(wait_for(hall, &hall->farm.requests, 3));
	farm_release(&hall->farm);
	assert_true(wait_for(hall, &hall->replies, 6));
	assert_int_equal(hall->callers[0].replies + hall->callers[5].replies, 0);
	hall_close(hall);
}

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

static void both_families_share_the_sockets(void **state)
{
	struct hall *hall = hall_open(1, 4, 0, 0);
	struct farm six;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool there = fd >= 0 && bind(fd, (struct sockaddr *)&here, sizeof here) == 0;
	(void)state;
	if (fd >= 0)
		close(fd);
	if (!there) {
		hall_close(hall);
		fprintf(stderr, "skipped: no ::1 here\n");
		skip();
	}
	farm_open(&six, &hall->loop, "::1", 0, 0);
	for (int i = 0; i < 4; i++)
		caller_add(hall, "::1", six.port, TIMEOUT_MS);
	for (unsigned i = 0; i < 4; i++) {
		ask_all(hall, i, i + 1, TURN_POLL);
		ask_all(hall, 4 + i, 5 + i, TURN_POLL);
	}
	assert_true(wait_for(hall, &hall->replies, 8));
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(hall->callers[i].fault, FAULT_NONE);
	assert_int_equal(hall->room->n_spare, 1);
	assert_int_equal(six.connections, 4);
	uv_close((uv_handle_t *)&six.listener, NULL);
	free(six.reply);
	hall_close(hall);
}

/* ---- sockets ---- */

static void out_of_descriptors_nothing_is_lost(void **state)
{
	struct hall *hall = hall_open(64, 0, 0, 0);
	struct rlimit limit, low;
	uint16_t port;
	pid_t child = farm_apart(&port);
	rlim_t few = first_free() + 3;
	(void)state;
	for (int i = 0; i < 120; i++)
		caller_add(hall, "127.0.0.1", port, TIMEOUT_MS);
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = 3;                               /* none at all: they wait for better times */
	setrlimit(RLIMIT_NOFILE, &low);
	ask_all(hall, 0, 60, TURN_POLL);
	ask_all(hall, 60, 120, TURN_ORDER);
	wait_ticks(hall, 20);
	assert_int_equal(hall->asked, 0);
	low.rlim_cur = few;
	setrlimit(RLIMIT_NOFILE, &low);
	assert_true(wait_for(hall, &hall->replies, 120));
	assert_in_range(hall->most_open, 1, 3);
	setrlimit(RLIMIT_NOFILE, &limit);
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(hall->order[i], 60 + i);
	for (unsigned i = 0; i < 120; i++)
		assert_true(hall->callers[i].replies == 1 && hall->callers[i].fault == FAULT_NONE);
	farm_end(child);
	hall_close(hall);
}

static void sockets_are_used_again_and_nothing_lingers(void **state)
{
	struct hall *hall = hall_open(8, 100, 0, 0);
	/* Another process may have had that port a minute ago. */
	unsigned before = descriptors(), lingered = in_time_wait(hall->farm.port);
	(void)state;
	for (unsigned round = 1; round <= 10; round++) {
		ask_all(hall, 0, 100, TURN_ORDER);
		assert_true(wait_for(hall, &hall->replies, 100 * round));
	}
	while (hall->farm.now > 0)
		uv_run(&hall->loop, UV_RUN_ONCE);
	assert_int_equal(hall->farm.connections, 1000);
	assert_true(hall->room->n_spare <= 8);
	assert_true(descriptors() <= before + 8);
	assert_true(in_time_wait(hall->farm.port) <= lingered);
	hall_close(hall);
	assert_true(descriptors() < before);
}

static void spare_sockets_are_closed_when_it_is_calm(void **state)
{
	struct hall *hall = hall_open(300, 300, 300, 0);
	(void)state;
	ask_all(hall, 0, 300, TURN_ORDER);
	assert_true(wait_for(hall, &hall->farm.requests, 300));
	farm_release(&hall->farm);
	assert_true(wait_for(hall, &hall->replies, 300));
	assert_true(hall->room->n_spare > 256);
	for (unsigned until = hall->ticks + 4000; hall->room->n_spare > 256 && hall->ticks < until;)
		uv_run(&hall->loop, UV_RUN_ONCE);
	assert_int_equal(hall->room->n_spare, 256);
	wait_ticks(hall, 10);
	assert_int_equal(hall->room->n_spare, 256);
	assert_false(uv_is_active((uv_handle_t *)&hall->room->clock));
	assert_false(uv_is_active((uv_handle_t *)&hall->room->pump));
	hall_close(hall);
}

static void long_replies_come_whole(void **state)
{
	static const size_t sizes[] = { 65535, 65536, 65537, 131072, 200000, 256 * 1024, 256 * 1024 + 1 };
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct hall *hall = hall_open(4, 8, 0, sizes[i]);
		bool whole = sizes[i] <= CGMINER_MOST_BYTES;
		ask_all(hall, 0, 8, TURN_POLL);
		assert_true(wait_for(hall, &hall->replies, 8));
		for (unsigned j = 0; j < 8; j++) {
			assert_int_equal(hall->callers[j].fault, whole ? FAULT_NONE : FAULT_GARBLED);
			assert_int_equal(hall->callers[j].len, whole ? sizes[i] : 0);
		}
		hall_close(hall);
	}
}

/* ---- reminders ---- */

static void reminders_are_spread(void **state)
{
	struct hall *hall = hall_open(4, 62, 0, 0);
	(void)state;
	for (unsigned i = 0; i < 62; i++)
		miner_room_remind(hall->room, &hall->callers[i].line, i < 60 ? 1000 : ROOM_CHIMES * ROOM_CHIME_MS + 3000);
	miner_room_remind(hall->room, &hall->callers[0].line, 0);       /* none any more */
	miner_room_remind(hall->room, &hall->callers[1].line, 2000);    /* later than it was */
	hall->room->ahead_ms += 900;
	wait_ticks(hall, 2);
	assert_int_equal(hall->reminders, 0);
	hall->room->ahead_ms += 5000;
	assert_true(wait_for(hall, &hall->reminders, 59));
	assert_int_equal(hall->most_in_step, 8);
	for (unsigned i = 0; i < 62; i++)
		assert_int_equal(hall->callers[i].reminders, i > 0 && i < 60);
	hall->room->ahead_ms += 130000;                 /* the longest there is is shorter than asked for */
	assert_true(wait_for(hall, &hall->reminders, 61));
	assert_false(uv_is_active((uv_handle_t *)&hall->room->chime));
	hall_close(hall);
}

/* ---- everything at once ---- */

static unsigned roll(struct hall *hall, unsigned sides)
{
	hall->dice = hall->dice * 1664525u + 1013904223u;
	return (hall->dice >> 8) % sides;
}

static void ask_somehow(struct caller *caller)
{
	if (caller->line.state == LINE_OPEN || caller->line.state == LINE_CLOSED)
		return;
	cgminer_line_ask(&caller->line, (enum cgminer_turn)roll(caller->hall, 3));
}

/* From inside a callback of one: something happens to it, or to another. */
static void behave_oddly(struct caller *caller)
{
	struct hall *hall = caller->hall;
	if (!hall->dice)
		return;
	if (roll(hall, 2))
		caller = &hall->callers[roll(hall, hall->n)];
	if (caller->line.state == LINE_CLOSED)
		return;
	unsigned what = roll(hall, 100);
	if (what < 1)
		cgminer_line_close(&caller->line);
	else if (what < 5)
		cgminer_line_drop(&caller->line);
	else if (what < 20)
		miner_room_remind(hall->room, &caller->line, roll(hall, 3) * 200);
	else
		ask_somehow(caller);
}

static void anything_from_inside_anything(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 8; seed++) {
		struct hall *hall = hall_open(4 + seed % 5 * 6, 80, 5, seed % 3 ? 0 : 70000);
		for (int i = 0; i < 10; i++) {
			caller_add(hall, "localhost", hall->farm.port, TIMEOUT_MS);
			caller_add(hall, "not..a..name", hall->farm.port, TIMEOUT_MS);
			caller_add(hall, "127.0.0.1", 1, TIMEOUT_MS);
		}
		hall->dice = seed;
		for (unsigned until = hall->ticks + 4000; hall->asked < 600 && hall->ticks < until;) {
			ask_somehow(&hall->callers[roll(hall, hall->n)]);
			uv_run(&hall->loop, UV_RUN_ONCE);
			look(hall);
			hall->room->ahead_ms += roll(hall, 2000);
		}
		assert_true(hall->asked >= 600);
		assert_true(hall->most_open <= 4 + seed % 5 * 6);
		hall->dice = 0;
		hall_close(hall);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_is_kept),
		cmocka_unit_test(another_window_counts_at_once),
		cmocka_unit_test(the_young_are_few_and_grow_up),
		cmocka_unit_test(a_window_of_one_is_enough),
		cmocka_unit_test(orders_go_before_polls_and_in_the_order_given),
		cmocka_unit_test(what_is_dropped_makes_room),
		cmocka_unit_test(the_dead_do_not_delay_the_living),
		cmocka_unit_test(who_sleeps_an_hour_wakes_to_silence_once),
		cmocka_unit_test(a_longer_timeout_than_the_wheel_is_cut),
		cmocka_unit_test(an_answer_that_waits_for_us_is_no_silence),
		cmocka_unit_test(a_family_that_is_not_there_is_silent),
		cmocka_unit_test(a_resolver_that_hangs_costs_the_timeout),
		cmocka_unit_test(both_families_share_the_sockets),
		cmocka_unit_test(out_of_descriptors_nothing_is_lost),
		cmocka_unit_test(sockets_are_used_again_and_nothing_lingers),
		cmocka_unit_test(spare_sockets_are_closed_when_it_is_calm),
		cmocka_unit_test(long_replies_come_whole),
		cmocka_unit_test(reminders_are_spread),
		cmocka_unit_test(anything_from_inside_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
