#include "drivers/luxos_ladder.h"

#include <stdlib.h>
#include <string.h>

static bool same(const struct luxos_ladder *ladder, const struct luxos_rung *rungs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ladder->rungs[i].power_w != rungs[i].power_w || ladder->rungs[i].over != rungs[i].over ||
		    strcmp(ladder->rungs[i].name, rungs[i].name) != 0)
			return false;
	}
	return true;
}

struct luxos_ladder *luxos_ladder_take(struct miner_room *room, const struct luxos_rung *rungs, size_t n)
{
	struct luxos_ladder *ladder;
	if (n == 0)
		return NULL;
	LIST_FOREACH(ladder, &room->ladders, link) {
		if (ladder->n == n && same(ladder, rungs, n)) {
			ladder->users++;
			return ladder;
		}
	}
	ladder = calloc(1, sizeof *ladder + n * sizeof *rungs);
	if (!ladder)
		abort();
	ladder->users = 1;
	ladder->n = (uint16_t)n;
	memcpy(ladder->rungs, rungs, n * sizeof *rungs);
	LIST_INSERT_HEAD(&room->ladders, ladder, link);
	return ladder;
}

void luxos_ladder_drop(struct luxos_ladder *ladder)
{
	if (!ladder || --ladder->users > 0)
		return;
	LIST_REMOVE(ladder, link);
	free(ladder);
}
