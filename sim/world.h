/* sim/world.h - what sim/devices.h is made of: inside sim/ only. Devices wait in a heap of things to deliver. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/devices.h"

enum due_what { DUE_READ, DUE_ORDER_ARRIVES, DUE_ORDER_ANSWER, DUE_ORDER_REPLACED, DUE_CLOSED };

struct sim_device {                     /* first member of each device */
	struct sim_world *world;
	void (*on_due)(struct sim_device *, enum due_what);
	bool closing;                   /* only DUE_CLOSED is still delivered */
	bool closed;                    /* its user has let go; kept while something of it is still in the heap */
	uint32_t n_due;                 /* in the heap */
	size_t index;
	void *memory;                   /* what to free in the end */
};

struct due {
	int64_t at_ms;
	uint64_t seq;                   /* equal times: first come, first served */
	struct sim_device *device;
	enum due_what what;
};

struct sim_world {
	struct sim_world_conf conf;
	struct truth truth;
	int64_t now_ms;
	struct due *heap;
	size_t n_due, room;
	uint64_t seq, orders;
	size_t n_open;
	struct sim_meter_state { enum sim_meter_fault fault; int64_t frozen_ms, held_w; int32_t factor_permille; bool held; } *meters;
	size_t n_meters;
	struct sim_self { uint64_t identity, firmware; } *selves;       /* of miners, as far as they were set */
	size_t n_selves;
};

/* To be called for DUE_CLOSED, before the user's on_closed. */
void world_device_closed(struct sim_device *);
void world_later(struct sim_device *, int64_t in_ms, enum due_what);
int64_t world_latency_ms(struct sim_world *, int32_t about_ms);         /* the next answer's */
size_t world_number(const char *text, size_t n);        /* decimal below n, to the end of text; n if it is not */

#endif
