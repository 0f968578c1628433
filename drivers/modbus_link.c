#include "drivers/modbus_link.h"

#include <string.h>

enum {
	PASSED_OVER_ENOUGH = 4,         /* then even a device thought dead has its turn */
	PATIENT_EVERY = 4,              /* so often it gets its whole time: it may only have become slow */
};

void modbus_link_join(struct modbus_link *link, struct modbus_client *client)
{
	client->link = link;
	LIST_INSERT_HEAD(&link->clients, client, entry);
	link->n_clients++;
}

void modbus_link_put(struct modbus_client *client, const struct modbus_read *read, int64_t deadline_ms)
{
	client->read = *read;
	client->deadline_ms = deadline_ms;
	client->turn = ++client->link->turns;
	client->verdict = FAULT_NEVER;
	if (client->refused)
		client->deadline_ms = modbus_now_ms() + 1;
	client->resent = false;
}

static bool waits(const struct modbus_link *link, const struct modbus_client *client)
{
	return client->turn && client != link->asked && client->verdict == FAULT_NEVER;
}

static bool goes_last(const struct modbus_client *client)
{
	return client->misses > 0 && client->passed_over < PASSED_OVER_ENOUGH;
}

struct modbus_client *modbus_link_next(const struct modbus_link *link)
{
	struct modbus_client *client, *best = NULL;
	LIST_FOREACH(client, &link->clients, entry) {
		if (client->refused || !waits(link, client))
			continue;
		if (!best || goes_last(client) < goes_last(best) ||
		    (goes_last(client) == goes_last(best) && client->turn < best->turn))
			best = client;
	}
	return best;
}

int64_t modbus_link_due(const struct modbus_link *link)
{
	int64_t due = link->asked ? link->patience_ms : INT64_MAX;
	const struct modbus_client *client;
	LIST_FOREACH(client, &link->clients, entry) {
		if (client->leaving || (client->turn && client->verdict != FAULT_NEVER))
			return 0;
		if (waits(link, client) && client->deadline_ms < due)
			due = client->deadline_ms;
	}
	return due;
}

void modbus_link_begin(struct modbus_link *link, struct modbus_client *client)
{
	link->asked = client;
	link->sent_ms = modbus_now_ms();
	link->patience_ms = client->deadline_ms;
	if (link->n_clients < 2 || client->misses % PATIENT_EVERY == 0)
		return;
	int64_t half_ms = link->sent_ms + client->timeout_ms / 2;
	if (half_ms < link->patience_ms)
		link->patience_ms = half_ms;
}

static void tell(struct modbus_client *client, const struct modbus_answer *answer)
{
	client->turn = 0;
	client->on_answer(client, answer);
}

void modbus_link_answer(struct modbus_link *link, struct modbus_answer *answer)
{
	struct modbus_client *client = link->asked;
	link->asked = NULL;
	client->misses = answer->fault == FAULT_SILENT ? client->misses + 1 : 0;
	client->passed_over = 0;
	answer->sent_ms = link->sent_ms;
	tell(client, answer);
}

void modbus_link_give_up(struct modbus_link *link, enum fault fault)
{
	struct modbus_client *client = link->asked;
	if (!client)
		return;
	link->asked = NULL;
	client->misses++;
	client->passed_over = 0;
	client->verdict = fault;
}

void modbus_link_resend(struct modbus_link *link)
{
	link->asked->resent = true;
	link->asked = NULL;
}

static struct modbus_client *find_due(const struct modbus_link *link, int64_t now_ms)
{
	struct modbus_client *client;
	LIST_FOREACH(client, &link->clients, entry)
		if (client->turn && (client->verdict != FAULT_NEVER || (waits(link, client) && client->deadline_ms <= now_ms)))
			return client;
	return NULL;
}

static struct modbus_client *find_leaving(const struct modbus_link *link)
{
	struct modbus_client *client;
	LIST_FOREACH(client, &link->clients, entry)
		if (client->leaving)
			return client;
	return NULL;
}

void modbus_link_settle(struct modbus_link *link)
{
	int64_t now_ms = modbus_now_ms();
	struct modbus_client *client;
	/* Whoever asks again from its callback has a deadline after now_ms, so this ends. */
	while ((client = find_due(link, now_ms))) {
		if (client->verdict == FAULT_NEVER) {
			client->verdict = client->refused ? FAULT_REFUSED : FAULT_SILENT;
			client->passed_over++;
		}
		tell(client, &(struct modbus_answer){ .fault = client->verdict });
	}
	while ((client = find_leaving(link))) {
		LIST_REMOVE(client, entry);
		link->n_clients--;
		client->on_left(client);
	}
}
