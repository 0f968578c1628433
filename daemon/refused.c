#include "daemon/refused.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS 60000

static bool same_signal(const struct refusal *a, const struct event *event)
{
	return strcmp(a->event.signal, event->signal) == 0;
}

/* Of the event's signal; the newest of them is the last. */
static size_t count_of(const struct refused *refused, const struct event *event, int64_t since_ms, size_t *last)
{
	size_t n = 0;
	for (size_t i = 0; i < refused->n; i++) {
		if (!same_signal(&refused->items[i], event) || refused->items[i].at_ms <= since_ms)
			continue;
		*last = i;
		n++;
	}
	return n;
}

/* The oldest of the signal that has most. */
static size_t first_to_go(const struct refused *refused)
{
	size_t most = 0, to_go = 0, last;
	for (size_t i = 0; i < refused->n; i++) {
		size_t n = count_of(refused, &refused->items[i].event, INT64_MIN, &last);
		if (n > most) {
			most = n;
			to_go = i;
		}
	}
	return to_go;
}

void refused_add(struct refused *refused, const struct event *event, struct instant now)
{
	size_t last = 0;
	if (count_of(refused, event, now.mono_ms - MINUTE_MS, &last) >= REFUSED_A_MINUTE) {
		refused->items[last].more++;
		return;
	}
	if (refused->n == REFUSED_MOST) {
		size_t i = first_to_go(refused);
		refused->n--;
		memmove(&refused->items[i], &refused->items[i + 1], (refused->n - i) * sizeof(refused->items[0]));
	}
	refused->items[refused->n++] = (struct refusal){ .event = *event, .at_ms = now.mono_ms };
}

void refused_json(const struct refused *refused, struct json *json)
{
	for (size_t i = refused->n; i-- > 0; ) {
		const struct refusal *item = &refused->items[i];
		struct event event = item->event;
		if (item->more)
			snprintf(event.why, sizeof(event.why), "%.140s; and %u more of this signal within a minute",
			         item->event.why, (unsigned)item->more);
		event_json(&event, json, NULL);
	}
}
