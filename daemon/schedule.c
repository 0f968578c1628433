#include "daemon/schedule.h"

#include "daemon/xalloc.h"

static bool before(const struct schedule_entry *a, const struct schedule_entry *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->item < b->item;
}

static void set(struct schedule *schedule, uint32_t place, struct schedule_entry entry)
{
	schedule->heap[place] = entry;
	schedule->places[entry.item] = place + 1;
}

static void rise(struct schedule *schedule, uint32_t place, struct schedule_entry entry)
{
	for (; place > 0 && before(&entry, &schedule->heap[(place - 1) / 2]); place = (place - 1) / 2)
		set(schedule, place, schedule->heap[(place - 1) / 2]);
	set(schedule, place, entry);
}

static void sink_down(struct schedule *schedule, uint32_t place, struct schedule_entry entry)
{
	const struct schedule_entry *heap = schedule->heap;
	for (uint32_t child; (child = 2 * place + 1) < schedule->n; place = child) {
		if (child + 1 < schedule->n && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &entry))
			break;
		set(schedule, place, heap[child]);
	}
	set(schedule, place, entry);
}

void schedule_init(struct schedule *schedule, size_t n_items)
{
	*schedule = (struct schedule){ .heap = xcalloc(n_items, sizeof(*schedule->heap)),
	                               .places = xcalloc(n_items, sizeof(*schedule->places)) };
}

void schedule_free(struct schedule *schedule)
{
	free(schedule->heap);
	free(schedule->places);
	*schedule = (struct schedule){ 0 };
}

void schedule_put(struct schedule *schedule, uint32_t item, int64_t at_ms)
{
	struct schedule_entry entry = { at_ms, item };
	uint32_t place = schedule->places[item];
	if (!place)
		rise(schedule, schedule->n++, entry);
	else if (before(&entry, &schedule->heap[place - 1]))
		rise(schedule, place - 1, entry);
	else
		sink_down(schedule, place - 1, entry);
}

bool schedule_take(struct schedule *schedule, int64_t now_ms, uint32_t *item)
{
	if (!schedule->n || schedule->heap[0].at_ms > now_ms)
		return false;
	*item = schedule->heap[0].item;
	schedule->places[*item] = 0;
	struct schedule_entry last = schedule->heap[--schedule->n];
	if (schedule->n)
		sink_down(schedule, 0, last);
	return true;
}

int64_t schedule_next_ms(const struct schedule *schedule)
{
	return schedule->n ? schedule->heap[0].at_ms : INT64_MAX;
}
