#include "drivers/modbus_backoff.h"

static uint32_t roll(struct modbus_backoff *backoff)
{
	backoff->dice = backoff->dice * 6364136223846793005u + 1442695040888963407u;    /* Knuth, MMIX */
	return (uint32_t)(backoff->dice >> 33);
}

void modbus_backoff_miss(struct modbus_backoff *backoff, unsigned misses, unsigned at_once, int64_t most_ms, int64_t now_ms)
{
	backoff->misses += misses;
	backoff->retry_ms = now_ms;
	if (backoff->misses < at_once)
		return;
	unsigned doublings = backoff->misses - at_once;
	int64_t delay_ms = doublings < 16 ? (int64_t)BACKOFF_LEAST_MS << doublings : most_ms;
	if (delay_ms > most_ms)
		delay_ms = most_ms;
	backoff->retry_ms += delay_ms * 3 / 4 + roll(backoff) % (delay_ms / 2 + 1);
}
