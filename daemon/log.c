#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level most_detail = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	most_detail = level;
}

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:   return "error: ";
	case LOG_LEVEL_WARNING: return "warning: ";
	case LOG_LEVEL_NOTICE:
	case LOG_LEVEL_INFO:
	case LOG_LEVEL_DEBUG:   return "";
	}
	return "";
}

static void __attribute__((format(printf, 2, 0))) put_line(enum log_level level, const char *format, va_list args)
{
	if (level > most_detail)
		return;
	char line[LOG_LINE_BYTES + 2];
	int head = isatty(STDERR_FILENO)
		? snprintf(line, sizeof(line), "%s", level_word(level))
		: snprintf(line, sizeof(line), "<%d>", (int)level);
	int n = vsnprintf(line + head, LOG_LINE_BYTES - (size_t)head, format, args);
	size_t len = (size_t)head + (n > 0 ? (size_t)n : 0);
	if (len > LOG_LINE_BYTES - 1)
		len = LOG_LINE_BYTES - 1;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
			line[i] = '?';
	line[len++] = '\n';
	/* One write, so that lines of two threads do not mix. Where stderr is gone there is nobody to tell. */
	ssize_t written = write(STDERR_FILENO, line, len);
	(void)written;
}

#define LOG_AT(level) \
	do { \
		va_list args; \
		va_start(args, format); \
		put_line((level), format, args); \
		va_end(args); \
	} while (0)

void log_error(const char *format, ...)   { LOG_AT(LOG_LEVEL_ERROR); }
void log_warning(const char *format, ...) { LOG_AT(LOG_LEVEL_WARNING); }
void log_notice(const char *format, ...)  { LOG_AT(LOG_LEVEL_NOTICE); }
void log_info(const char *format, ...)    { LOG_AT(LOG_LEVEL_INFO); }
void log_debug(const char *format, ...)   { LOG_AT(LOG_LEVEL_DEBUG); }
