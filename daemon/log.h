/* daemon/log.h - lines to stderr as journald reads them: "<4>text", one line each. Only daemon/ logs, and only changes.
 *
 * A line is written at once and whole. Control characters in it (a device may have sent them) become '?'.
 * Where stderr is a terminal the priority is left out, and warnings and errors say so in words. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

enum log_level {                        /* the figures are journald's priorities */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

#define LOG_LINE_BYTES 2048             /* a longer line is cut */

void log_set_level(enum log_level);     /* what is less urgent is not written; LOG_LEVEL_INFO to start */

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
