/* daemon/notify.h - tells systemd how the service is: sd_notify(3). Does nothing where systemd did not ask.
 *
 * Text is what `systemctl status` shows; one line, cut at 255 bytes. A message is one datagram; it is not waited for. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

void notify_ready(const char *format, ...) __attribute__((format(printf, 1, 2)));      /* started, or done reloading */
void notify_reloading(const char *format, ...) __attribute__((format(printf, 1, 2)));  /* notify_ready must follow */
void notify_stopping(const char *format, ...) __attribute__((format(printf, 1, 2)));
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How long systemd waits between two signs of life, 0 if it does not watch. Feed it at half of that or more often. */
int64_t notify_watchdog_ms(void);
void notify_watchdog(void);     /* a step was finished: the one sign of life there is */

#endif
