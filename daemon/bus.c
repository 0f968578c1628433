#include "daemon/bus.h"

#include <stdio.h>
#include <string.h>

#include "daemon/link.h"
#include "daemon/outbox.h"
#include "daemon/xalloc.h"

#define IN_FLIGHT 20                    /* handed to the library and not acknowledged: its own default window */
#define FLUSH_MS 2000

struct topic { char *name; int users, mid; };   /* subscribed to; by so many; with what message */

struct bus {
	struct sink sink;
	struct bus_user user;
	struct link *link;
	uv_timer_t deadline;            /* of the flush when closing */
	char *prefix;
	struct topic *topics;
	size_t n_topics;
	struct outbox outbox;
	struct { int mid; size_t bytes; } in_flight[IN_FLIGHT];
	size_t n_in_flight;
	bool connected, closing, finished;
	uint64_t connections;
	char *will_topic, *told_state;  /* below the prefix; what was last put on it; NULL: no will, nothing */
	size_t told_state_len;
	char told[LINK_WHY];            /* why the link is down, as the user knows it */
};

static bool flushed(const struct bus *bus)
{
	return bus->n_in_flight == 0 && outbox_count(&bus->outbox) == 0;
}

static void finish(struct bus *bus)
{
	if (bus->finished)
		return;
	bus->finished = true;
	link_close(bus->link, flushed(bus));
}

static void send_message(struct bus *bus, const struct message *message)
{
	char topic[BUS_TOPIC_SIZE];
	int mid, qos = message->delivery == DELIVER_LATEST ? 0 : 1;
	snprintf(topic, sizeof(topic), "%s/%s", bus->prefix, message->topic);
	if (!link_publish(bus->link, topic, message->text, message->len, qos, message->delivery != DELIVER_EVENT, &mid)) {
		bus->sink.dropped++;
		bus->outbox.lost += qos > 0;
	} else if (qos > 0) {
		bus->in_flight[bus->n_in_flight].mid = mid;
		bus->in_flight[bus->n_in_flight++].bytes = message->bytes;
	}
}

/* Telemetry goes out only when all before it has left: behind a slow broker it waits here, where only the newest does. */
static void on_ready(void *self)
{
	struct bus *bus = self;
	while (bus->connected && bus->n_in_flight < IN_FLIGHT) {
		struct message *message = outbox_take(&bus->outbox, link_writable(bus->link));
		if (!message)
			break;
		send_message(bus, message);
		free(message);
	}
	if (bus->closing && (flushed(bus) || !link_trying(bus->link)))
		finish(bus);
}

static void on_up(void *self)
{
	struct bus *bus = self;
	bus->connected = true;
	bus->connections++;
	bus->told[0] = '\0';
	/* While we were away the broker published our will: what it said must be taken back. */
	if (bus->told_state)
		outbox_put(&bus->outbox, bus->will_topic, DELIVER_STATE, bus->told_state, bus->told_state_len);
	for (size_t i = 0; i < bus->n_topics; i++)
		bus->topics[i].mid = link_subscribe(bus->link, bus->topics[i].name, 1);
	if (!bus->closing)
		bus->user.on_connected(bus->user.self);
}

static void on_down(void *self, const char *why)
{
	struct bus *bus = self;
	bool news = bus->connected || strcmp(why, bus->told) != 0;
	bus->connected = false;
	outbox_drop_latest(&bus->outbox);
	snprintf(bus->told, sizeof(bus->told), "%s", why);
	if (bus->closing)
		finish(bus);
	else if (news)
		bus->user.on_lost(bus->user.self, bus->told);
}

static void on_acked(void *self, int mid)
{
	struct bus *bus = self;
	for (size_t i = 0; i < bus->n_in_flight; i++) {
		if (bus->in_flight[i].mid == mid) {
			bus->in_flight[i] = bus->in_flight[--bus->n_in_flight];
			return;
		}
	}
}

static void on_subscribed(void *self, int mid, bool granted)
{
	struct bus *bus = self;
	for (size_t i = 0; !bus->closing && i < bus->n_topics; i++)
		if (bus->topics[i].mid == mid)
			bus->user.on_subscribed(bus->user.self, bus->topics[i].name, granted);
}

static void on_message(void *self, const char *topic, const char *text, size_t len, bool retained)
{
	struct bus *bus = self;
	bus->user.on_message(bus->user.self, topic, len > BUS_MOST_BYTES ? NULL : text, len, retained);
}

static void on_deadline_closed(uv_handle_t *handle)
{
	struct bus *bus = handle->data;
	struct bus_user user = bus->user;
	for (size_t i = 0; i < bus->n_topics; i++)
		free(bus->topics[i].name);
	free(bus->topics);
	outbox_free(&bus->outbox);
	free(bus->prefix);
	free(bus->will_topic);
	free(bus->told_state);
	free(bus);
	user.on_closed(user.self);
}

static void on_link_closed(void *self)
{
	struct bus *bus = self;
	uv_close((uv_handle_t *)&bus->deadline, on_deadline_closed);
}

static void on_deadline(uv_timer_t *timer)
{
	finish(timer->data);
}

static void remember_state(struct bus *bus, const char *text, size_t len)
{
	bus->told_state = xrealloc(bus->told_state, len);
	memcpy(bus->told_state, text, len);
	bus->told_state_len = len;
}

/* Only queues: the library is called when the loop comes round, so that nothing it says comes back from in here. */
static void bus_put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	struct bus *bus = (struct bus *)(void *)sink;
	if (bus->finished || (delivery == DELIVER_LATEST && !bus->connected)) {
		bus->sink.dropped++;
		return;
	}
	outbox_put(&bus->outbox, topic, delivery, text, len);
	if (bus->will_topic && strcmp(topic, bus->will_topic) == 0)
		remember_state(bus, text, len);
	link_wake(bus->link);
}

static struct link *open_link(struct bus *bus, uv_loop_t *loop, const struct bus_conf *conf)
{
	char will_topic[BUS_TOPIC_SIZE];
	struct link_user user = { bus, on_up, on_down, on_ready, on_acked, on_subscribed, on_message, on_link_closed };
	struct link_conf link = {
		.host = conf->host, .port = conf->port,
		.tls_ca = conf->tls_ca, .tls_cert = conf->tls_cert, .tls_key = conf->tls_key,
		.username = conf->username, .password = conf->password, .client_id = conf->client_id,
		.transient = conf->transient,
		.will_topic = conf->will_topic ? will_topic : NULL, .will = conf->will,
		.in_flight = IN_FLIGHT,
		.backoff_ms = conf->backoff_ms ? conf->backoff_ms : 500,
		.most_backoff_ms = conf->most_backoff_ms ? conf->most_backoff_ms : 30000,
	};
	if (conf->will_topic)
		snprintf(will_topic, sizeof(will_topic), "%s/%s", conf->prefix, conf->will_topic);
	return link_open(loop, &link, user);
}

struct bus *bus_open(uv_loop_t *loop, const struct bus_conf *conf, struct bus_user user)
{
	struct bus *bus = xcalloc(1, sizeof(*bus));
	bus->sink.put = bus_put;
	bus->user = user;
	bus->prefix = xstrdup(conf->prefix);
	bus->will_topic = conf->will_topic ? xstrdup(conf->will_topic) : NULL;
	outbox_init(&bus->outbox, conf->most_events ? conf->most_events : 10000,
	            conf->most_event_bytes ? conf->most_event_bytes : 32 << 20, &bus->sink.dropped);
	uv_timer_init(loop, &bus->deadline);
	bus->deadline.data = bus;
	bus->link = open_link(bus, loop, conf);
	return bus;
}

static struct topic *find_topic(struct bus *bus, const char *name)
{
	for (size_t i = 0; i < bus->n_topics; i++)
		if (strcmp(bus->topics[i].name, name) == 0)
			return &bus->topics[i];
	return NULL;
}

/* Asked for again, the broker would send what is retained there again. */
void bus_subscribe(struct bus *bus, const char *name)
{
	struct topic *topic = find_topic(bus, name);
	if (topic) {
		topic->users++;
		return;
	}
	bus->topics = xrealloc(bus->topics, (bus->n_topics + 1) * sizeof(*bus->topics));
	topic = &bus->topics[bus->n_topics++];
	*topic = (struct topic){ .name = xstrdup(name), .users = 1 };
	if (bus->connected)
		topic->mid = link_subscribe(bus->link, name, 1);
}

void bus_unsubscribe(struct bus *bus, const char *name)
{
	struct topic *topic = find_topic(bus, name);
	if (!topic || --topic->users > 0)
		return;
	if (bus->connected)
		link_unsubscribe(bus->link, name);
	free(topic->name);
	*topic = bus->topics[--bus->n_topics];
}

/* Without a promise that all of it comes, so that it takes no room from what does. */
void bus_look(struct bus *bus, const char *topic, bool wanted)
{
	if (bus->connected && wanted)
		link_subscribe(bus->link, topic, 0);
	else if (bus->connected)
		link_unsubscribe(bus->link, topic);
}

struct sink *bus_sink(struct bus *bus)
{
	return &bus->sink;
}

struct bus_stats bus_stats(const struct bus *bus)
{
	struct bus_stats stats = {
		.connected = bus->connected, .connections = bus->connections, .dropped = bus->sink.dropped,
		.lost = bus->outbox.lost,
		.waiting = bus->n_in_flight + outbox_count(&bus->outbox),
		.waiting_bytes = outbox_bytes(&bus->outbox),
	};
	for (size_t i = 0; i < bus->n_in_flight; i++)
		stats.waiting_bytes += bus->in_flight[i].bytes;
	return stats;
}

void bus_close(struct bus *bus)
{
	if (bus->closing)
		return;
	bus->closing = true;
	uv_timer_start(&bus->deadline, on_deadline, FLUSH_MS, 0);
	link_wake(bus->link);
}
