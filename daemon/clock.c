#include "daemon/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct instant system_now(const struct clock *clock)
{
	(void)clock;
	return (struct instant){ .mono_ms = read_ms(CLOCK_MONOTONIC), .utc_ms = read_ms(CLOCK_REALTIME) };
}

static struct instant manual_now(const struct clock *clock)
{
	return ((const struct manual_clock *)(const void *)clock)->at;
}

const struct clock system_clock = { .now = system_now };

void manual_clock_init(struct manual_clock *manual, struct instant at)
{
	*manual = (struct manual_clock){ .clock = { .now = manual_now }, .at = at };
}
