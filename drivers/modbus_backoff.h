/* drivers/modbus_backoff.h - when to try again what keeps failing. Pure. */
#ifndef DRIVERS_MODBUS_BACKOFF_H
#define DRIVERS_MODBUS_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_LEAST_MS = 100, BACKOFF_MOST_MS = 30000 };

struct modbus_backoff {
	unsigned misses;                /* in a row */
	int64_t retry_ms;               /* not to be tried before */
	uint64_t dice;                  /* state of the jitter's random numbers; any seed */
};

/* Failed once more, or `misses` times more. The next try may be made at once while there were fewer than `at_once`
 * in a row; then after 100 ms, doubling up to most_ms, give or take a quarter, so that many do not come back together. */
void modbus_backoff_miss(struct modbus_backoff *, unsigned misses, unsigned at_once, int64_t most_ms, int64_t now_ms);

#endif
