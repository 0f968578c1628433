/* What the service says to the broker and hears from it. */
#include <stdio.h>

#include "daemon/log.h"
#include "daemon/service.h"

static struct instant now(void)
{
	return system_clock.now(&system_clock);
}

static void relay_put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	struct service *service = (struct service *)(void *)((char *)sink - offsetof(struct service, relay));
	if (service->bus)
		bus_sink(service->bus)->put(bus_sink(service->bus), topic, delivery, text, len);
}

static void on_bus_connected(void *self)
{
	struct service *service = self;
	log_notice("broker %s:%u: connected", service->wired->config->mqtt.host, service->wired->config->mqtt.port);
}

static void on_bus_lost(void *self, const char *why)
{
	struct service *service = self;
	log_warning("broker %s:%u: %s; trying again", service->wired->config->mqtt.host,
	            service->wired->config->mqtt.port, why);
}

static void on_bus_message(void *self, const char *topic, const char *text, size_t len, bool retained)
{
	struct service *service = self;
	if (service->stopping)
		return;
	struct instant at = now();
	bool ours = signals_message(service->signals, topic, text, len, retained, at);
	if (service->plan)
		ours |= plan_message(service->plan, topic, text, len, retained, at);
	if (ours) {
		if (service->site)
			site_prompted(service->site, at);
		service->step_now = true;
	}
}

static void on_bus_closed(void *self)
{
	((struct service *)self)->bus = NULL;
}

void service_open_bus(struct service *service)
{
	const struct mqtt_conf *mqtt = &service->wired->config->mqtt;
	service->relay.put = relay_put;
	if (!mqtt->present)
		return;
	char client_id[128];
	snprintf(client_id, sizeof(client_id), "mulletd-%s", service->wired->site.name);
	struct bus_conf conf = {
		.host = mqtt->host, .port = mqtt->port, .tls_ca = mqtt->tls_ca, .tls_cert = mqtt->tls_cert,
		.tls_key = mqtt->tls_key, .username = mqtt->username, .password = service->password,
		.client_id = client_id, .prefix = service->wired->topic_prefix, .will_topic = "state",
		.will = "{\"state\":\"offline\",\"since\":null,\"why\":\"the connection broke\","
		        "\"version\":\"" MULLET_VERSION "\",\"dry_run\":false}",
	};
	service->bus = bus_open(&service->loop, &conf, (struct bus_user){
		service, on_bus_connected, on_bus_lost, on_bus_message, on_bus_closed });
}

void service_subscribe(struct service *service)
{
	for (size_t i = 0; service->bus && i < signals_count(service->signals); i++)
		bus_subscribe(service->bus, signals_topic(service->signals, i));
}

void service_say_offline(struct service *service, const char *why)
{
	struct json json = { 0 };
	json_open(&json, NULL);
	json_string(&json, "state", "offline");
	json_time(&json, "since", now().utc_ms);
	json_string(&json, "why", why);
	json_string(&json, "version", MULLET_VERSION);
	json_bool(&json, "dry_run", service->conf->dry_run);
	json_close(&json);
	service->relay.put(&service->relay, "state", DELIVER_STATE, json.text, json.len);
	json_free(&json);
}
