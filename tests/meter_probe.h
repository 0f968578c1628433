/* tests/meter_probe.h - a meter and what it said, for tests of the drivers; aborts where a driver breaks its contract. */
#ifndef TESTS_METER_PROBE_H
#define TESTS_METER_PROBE_H

#include <assert.h>
#include <string.h>

#include "drivers/meter.h"

struct probe {
	struct meter *meter;
	unsigned polls, answers;        /* polls that were to be answered */
	unsigned faults[FAULT_ABSURD + 1];
	struct meter_reading last;
	bool polling, closing, closed, inside;
	uint64_t asked_ns, worst_ns;
	void (*then)(struct probe *);   /* called at the end of each answer; NULL: nothing */
};

static inline void probe_reading(void *self, const struct meter_reading *reading)
{
	struct probe *probe = self;
	assert(!probe->inside && !probe->closing && probe->polling);
	uint64_t took_ns = uv_hrtime() - probe->asked_ns;
	probe->worst_ns = took_ns > probe->worst_ns ? took_ns : probe->worst_ns;
	probe->polling = false;
	probe->answers++;
	probe->faults[reading->fault]++;
	probe->last = *reading;
	if (probe->then)
		probe->then(probe);
}

static inline void probe_closed(void *self)
{
	struct probe *probe = self;
	assert(probe->closing && !probe->closed && !probe->inside);
	probe->closed = true;
}

static inline void probe_open(struct probe *probe, struct meter_room *room, const char *driver, const struct meter_conf *conf)
{
	memset(probe, 0, sizeof *probe);
	probe->inside = true;
	probe->meter = meter_driver_named(driver)->open(room, conf, (struct meter_user){ probe, probe_reading, probe_closed });
	probe->inside = false;
}

static inline void probe_poll(struct probe *probe)
{
	probe->polls += !probe->polling;
	if (!probe->polling)
		probe->asked_ns = uv_hrtime();
	probe->polling = true;
	probe->inside = true;
	probe->meter->driver->poll(probe->meter);
	probe->inside = false;
}

static inline void probe_close(struct probe *probe)
{
	probe->closing = probe->inside = true;
	probe->meter->driver->close(probe->meter);
	probe->inside = false;
}

/* Runs the loop until the poll is answered; the drivers' own deadlines bound it. */
static inline enum fault probe_ask(struct probe *probe, uv_loop_t *loop)
{
	probe_poll(probe);
	while (probe->polling)
		uv_run(loop, UV_RUN_ONCE);
	return probe->last.fault;
}

/* Closes probes, room and loop; whatever is left over fails. */
static inline int probes_end(struct probe *probes, size_t n, struct meter_room *room, uv_loop_t *loop)
{
	for (size_t i = 0; i < n; i++)
		probe_close(&probes[i]);
	for (size_t i = 0; i < n; i++)
		while (!probes[i].closed)
			uv_run(loop, UV_RUN_ONCE);
	meter_room_close(room);
	uv_run(loop, UV_RUN_DEFAULT);
	return uv_loop_close(loop);
}

#endif
