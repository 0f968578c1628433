/* daemon/schedule.h - which of many is due next: a heap of times, one for each item that waits.
 *
 * Items are numbers below n. One that is not in the schedule waits for something else, such as the answer to its poll. */
#ifndef DAEMON_SCHEDULE_H
#define DAEMON_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule {
	struct schedule_entry { int64_t at_ms; uint32_t item; } *heap;  /* earliest first; at equal times the lower number */
	uint32_t *places;               /* of each item: its place in the heap and one; 0: not in it */
	uint32_t n;                     /* in the heap */
};

void schedule_init(struct schedule *, size_t n_items);
void schedule_free(struct schedule *);
void schedule_put(struct schedule *, uint32_t item, int64_t at_ms);     /* new, or moved to another time; O(log n) */
bool schedule_take(struct schedule *, int64_t now_ms, uint32_t *item);  /* the next that is due leaves; false: none is */
int64_t schedule_next_ms(const struct schedule *);                      /* INT64_MAX: nothing waits */

static inline bool schedule_has(const struct schedule *schedule, uint32_t item)
{
	return schedule->places[item] != 0;
}

#endif
