/* The sockets that all miners share: used again, few, closed, and enough for long replies. */
#include <dirent.h>
#include <sys/resource.h>

#include "tests/miner_room_rig.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_share_the_sockets),
		cmocka_unit_test(out_of_descriptors_nothing_is_lost),
		cmocka_unit_test(sockets_are_used_again_and_nothing_lingers),
		cmocka_unit_test(spare_sockets_are_closed_when_it_is_calm),
		cmocka_unit_test(long_replies_come_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
