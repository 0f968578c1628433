/* What systemd and journald get to read: notify over a real datagram socket, log through a real pipe. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/log.h"
#include "daemon/notify.h"

static char heard[8192];

static const char *hear(int fd)
{
	ssize_t n = read(fd, heard, sizeof(heard) - 1);
	heard[n > 0 ? n : 0] = '\0';
	return heard;
}

static void test_notify(void **state)
{
	(void)state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/test-notify-%d.sock", (int)getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);

	notify_ready("holding %s", "pecos-1");
	assert_string_equal(hear(fd), "READY=1\nSTATUS=holding pecos-1");
	notify_status("over by %d kW\nREADY=1", 23);
	assert_string_equal(hear(fd), "STATUS=over by 23 kW READY=1");
	notify_reloading("reloading");
	assert_int_equal(strncmp(hear(fd), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	assert_non_null(strstr(heard, "\nSTATUS=reloading"));
	notify_watchdog();
	assert_string_equal(hear(fd), "WATCHDOG=1");
	notify_stopping("told to");
	assert_string_equal(hear(fd), "STOPPING=1\nSTATUS=told to");

	unsetenv("NOTIFY_SOCKET");
	notify_status("nobody listens");
	assert_string_equal(hear(fd), "");
	close(fd);
	unlink(address.sun_path);
}

static void test_watchdog_period(void **state)
{
	(void)state;
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "10000000", 1);
	assert_int_equal(notify_watchdog_ms(), 10000);
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ms(), 10000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void test_log(void **state)
{
	(void)state;
	int ends[2], before = dup(STDERR_FILENO);
	char longest[2 * LOG_LINE_BYTES];
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);

	log_error("no %s", "journal");
	log_warning("pdu/%d is silent", 7);
	log_notice("running");
	log_info("reloaded");
	log_debug("not written");
	char levels[256];
	snprintf(levels, sizeof(levels), "%s", hear(ends[0]));
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("a device says \"x\n<2>y\033[2J\177\"");
	char debug[256];
	snprintf(debug, sizeof(debug), "%s", hear(ends[0]));
	log_set_level(LOG_LEVEL_WARNING);
	log_notice("%s", longest);
	log_warning("%s", longest);
	hear(ends[0]);
	log_set_level(LOG_LEVEL_INFO);
	dup2(before, STDERR_FILENO);

	assert_string_equal(levels, "<3>no journal\n<4>pdu/7 is silent\n<5>running\n<6>reloaded\n");
	assert_string_equal(debug, "<7>a device says \"x?<2>y?[2J?\"\n");
	assert_int_equal(strncmp(heard, "<4>xxx", 6), 0);
	assert_int_equal(strlen(heard), LOG_LINE_BYTES);
	assert_int_equal(heard[LOG_LINE_BYTES - 1], '\n');
	close(ends[0]);
	close(ends[1]);
	close(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_watchdog_period),
		cmocka_unit_test(test_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
