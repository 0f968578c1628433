/* drivers/luxos_ladder.h - profile tables, one for all miners of a room that tell the same. */
#ifndef DRIVERS_LUXOS_LADDER_H
#define DRIVERS_LUXOS_LADDER_H

#include <sys/queue.h>

#include "drivers/luxos_codec.h"
#include "drivers/miner_room.h"

struct luxos_ladder {
	LIST_ENTRY(luxos_ladder) link;
	uint32_t users;
	uint16_t n;
	struct luxos_rung rungs[];
};

/* The room's ladder with these rungs; NULL where n is 0. Each take is ended by a drop. */
struct luxos_ladder *luxos_ladder_take(struct miner_room *, const struct luxos_rung *, size_t n);
void luxos_ladder_drop(struct luxos_ladder *);          /* NULL: nothing */

#endif
