#include "daemon/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

/* A line feed in the text would start a field of its own. */
static void __attribute__((format(printf, 2, 0))) format_text(char text[256], const char *format, va_list args)
{
	vsnprintf(text, 256, format, args);
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

#define NOTIFY(before) \
	do { \
		char text[256]; \
		va_list args; \
		va_start(args, format); \
		format_text(text, format, args); \
		va_end(args); \
		sd_notifyf(0, before "STATUS=%s", text); \
	} while (0)

void notify_ready(const char *format, ...)    { NOTIFY("READY=1\n"); }
void notify_stopping(const char *format, ...) { NOTIFY("STOPPING=1\n"); }
void notify_status(const char *format, ...)   { NOTIFY(""); }

void notify_reloading(const char *format, ...)
{
	char text[256];
	struct timespec now;
	va_list args;
	va_start(args, format);
	format_text(text, format, args);
	va_end(args);
	/* The time is what Type=notify-reload (systemd 253) asks for; older ones pass over it. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	long long usec = (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=%s", usec, text);
}

int64_t notify_watchdog_ms(void)
{
	uint64_t usec = 0;
	return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)(usec / 1000) : 0;
}

void notify_watchdog(void)
{
	sd_notify(0, "WATCHDOG=1");
}
