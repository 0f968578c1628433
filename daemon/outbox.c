#include "daemon/outbox.h"

#include <string.h>

#include "daemon/xalloc.h"

static void queue_init(struct queue *queue)
{
	*queue = (struct queue){ .end = &queue->first };
}

static void append(struct queue *queue, struct message *message)
{
	message->next = NULL;
	*queue->end = message;
	queue->end = &message->next;
	queue->n++;
	queue->bytes += message->bytes;
}

static struct message *unlink_at(struct queue *queue, struct message **at)
{
	struct message *message = *at;
	*at = message->next;
	if (queue->end == &message->next)
		queue->end = at;
	queue->n--;
	queue->bytes -= message->bytes;
	return message;
}

static void drop_first(struct outbox *box, struct queue *queue)
{
	box->lost += queue->first->delivery != DELIVER_LATEST;
	free(unlink_at(queue, &queue->first));
	(*box->dropped)++;
}

static struct message *message_new(const char *topic, enum delivery delivery, const char *text, size_t len)
{
	size_t topic_size = strlen(topic) + 1;
	struct message *message = xcalloc(1, sizeof(*message) + topic_size + len);
	message->topic = (char *)(message + 1);
	message->text = message->topic + topic_size;
	message->len = len;
	message->bytes = topic_size + len;
	message->delivery = delivery;
	memcpy(message->topic, topic, topic_size);
	if (len)
		memcpy(message->text, text, len);
	return message;
}

void outbox_init(struct outbox *box, size_t most_events, size_t most_event_bytes, uint64_t *dropped)
{
	*box = (struct outbox){ .most_events = most_events, .most_event_bytes = most_event_bytes, .dropped = dropped };
	queue_init(&box->states);
	queue_init(&box->events);
}

static void put_event(struct outbox *box, struct message *message)
{
	append(&box->events, message);
	while (box->events.n > box->most_events || box->events.bytes > box->most_event_bytes)
		drop_first(box, &box->events);
}

/* What a newer state replaces is no loss: only the newest counts. */
static void put_state(struct outbox *box, struct message *message)
{
	for (struct message **at = &box->states.first; *at; at = &(*at)->next) {
		if (strcmp((*at)->topic, message->topic) == 0) {
			free(unlink_at(&box->states, at));
			break;
		}
	}
	append(&box->states, message);
	while (box->states.n > OUTBOX_STATES || box->states.bytes > box->most_event_bytes)
		drop_first(box, &box->states);
}

void outbox_put(struct outbox *box, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	struct message *message = message_new(topic, delivery, text, len);
	if (delivery == DELIVER_EVENT)
		put_event(box, message);
	else
		put_state(box, message);
}

struct message *outbox_take(struct outbox *box, bool latest)
{
	for (struct message **at = &box->states.first; *at; at = &(*at)->next)
		if (latest || (*at)->delivery != DELIVER_LATEST)
			return unlink_at(&box->states, at);
	return box->events.first ? unlink_at(&box->events, &box->events.first) : NULL;
}

void outbox_drop_latest(struct outbox *box)
{
	for (struct message **at = &box->states.first; *at; ) {
		if ((*at)->delivery == DELIVER_LATEST) {
			free(unlink_at(&box->states, at));
			(*box->dropped)++;
		} else {
			at = &(*at)->next;
		}
	}
}

size_t outbox_count(const struct outbox *box)
{
	return box->states.n + box->events.n;
}

size_t outbox_bytes(const struct outbox *box)
{
	return box->states.bytes + box->events.bytes;
}

void outbox_free(struct outbox *box)
{
	while (box->states.first)
		free(unlink_at(&box->states, &box->states.first));
	while (box->events.first)
		free(unlink_at(&box->events, &box->events.first));
}
