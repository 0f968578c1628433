/* What the service says to the broker and hears from it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/service.h"

#define LOOK_MS  5000                   /* after each connection */
#define ASIDE_MS 2000                   /* so long the broker may take to tell who is in charge */
#define BROKEN   "the connection broke" /* of a daemon that may hold the site all the same */

static struct instant now(void)
{
	return system_clock.now(&system_clock);
}

/* ---- what stands in the site's name ---- */

static void look_at_own(struct service *service, bool wanted)
{
	static const char *const own[] = { "alarm/#", "event/#", "group/#" };
	char topic[BUS_TOPIC_SIZE];
	for (size_t i = 0; service->bus && i < sizeof(own) / sizeof(own[0]); i++) {
		snprintf(topic, sizeof(topic), "%s/%s", service->wired->topic_prefix, own[i]);
		bus_look(service->bus, topic, wanted);
	}
}

static void on_look_timer(uv_timer_t *timer)
{
	look_at_own(timer->data, false);
}

/* All that is retained in the site's name is ours to say, and to put right; a dry run puts nothing right. */
static void speak_up(struct service *service)
{
	service->retained.aside = false;
	retained_repeat(&service->retained);
	if (service->conf->dry_run)
		return;
	look_at_own(service, true);
	uv_timer_start(&service->look_timer, on_look_timer, LOOK_MS, 0);
}

static void fall_silent(struct service *service)
{
	service->retained.aside = true;
	look_at_own(service, false);
	uv_timer_stop(&service->look_timer);
}

static void on_aside_timer(uv_timer_t *timer)
{
	speak_up(timer->data);
}

static bool was_stopped(const cJSON *state, const char *word)
{
	const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(state, "why"));
	return strcmp(word, "offline") == 0 && (!why || strcmp(why, BROKEN) != 0);
}

/* Another dry run, or this one, is in charge of nothing. */
static void see_who_is_in_charge(struct service *service, const char *text, size_t len)
{
	cJSON *state = cJSON_ParseWithLength(text, len);
	const char *word = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(state, "state"));
	if (word && cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(state, "dry_run"))) {
		bool before = service->in_charge_seen;
		service->in_charge_seen = !was_stopped(state, word);
		uv_timer_stop(&service->aside_timer);
		if (!service->in_charge_seen) {
			speak_up(service);
		} else if (!before) {
			log_notice("another mulletd is in charge: this dry run publishes its decisions and nothing else");
			fall_silent(service);
		}
	}
	cJSON_Delete(state);
}

/* ---- the connection ---- */

static void on_bus_connected(void *self)
{
	struct service *service = self;
	log_notice("broker %s:%u: connected", service->wired->config->mqtt.host, service->wired->config->mqtt.port);
	if (!service->conf->dry_run)
		speak_up(service);
	else
		uv_timer_start(&service->aside_timer, on_aside_timer, ASIDE_MS, 0);
}

static void on_bus_lost(void *self, const char *why)
{
	struct service *service = self;
	log_warning("broker %s:%u: %s; trying again", service->wired->config->mqtt.host,
	            service->wired->config->mqtt.port, why);
	uv_timer_stop(&service->look_timer);
	if (!service->conf->dry_run)
		return;
	service->in_charge_seen = false;
	uv_timer_stop(&service->aside_timer);
	fall_silent(service);
}

static void on_bus_subscribed(void *self, const char *topic, bool granted)
{
	struct service *service = self;
	signals_subscribed(service->signals, topic, granted, now());
	if (!service->plan || strcmp(topic, plan_topic(service->plan)) != 0 || granted == !service->plan_refused)
		return;
	service->plan_refused = !granted;
	if (granted)
		alarms_clear(service->alarms, "signal/hpc-plan", now());
	else
		alarms_raise(service->alarms, "signal/hpc-plan", SEVERITY_CRITICAL, "hpc-plan", now(), SIGNALS_REFUSED, topic);
}

/* Below PREFIX/SITE/; NULL: it is not of this site. */
static const char *own_topic(const struct service *service, const char *topic)
{
	size_t n = strlen(service->wired->topic_prefix);
	return strncmp(topic, service->wired->topic_prefix, n) == 0 && topic[n] == '/' ? topic + n + 1 : NULL;
}

static bool is_group(const struct service *service, const char *name)
{
	const struct site_conf *site = &service->wired->site;
	size_t g = 0;
	while (g < site->policy.n_miner_groups && strcmp(site->miner_groups[g], name) != 0)
		g++;
	return g < site->policy.n_miner_groups;
}

/* What we say ourselves comes back, too, but not as retained. */
static void look_back(struct service *service, const char *topic, const char *text, size_t len, bool retained)
{
	const char *own = own_topic(service, topic);
	if (!own || !text)
		return;
	if (service->conf->dry_run && strcmp(own, "state") == 0)
		see_who_is_in_charge(service, text, len);
	else if (retained && strncmp(own, "group/", 6) == 0 && !is_group(service, own + 6))
		service->retained.sink.put(&service->retained.sink, own, DELIVER_STATE, "", 0);
	else if (retained)
		retained_found(&service->retained, own, text, len, now());
}

/* While stopping, too: the broker will not send it again, and the next run is to know it. */
static void on_bus_message(void *self, const char *topic, const char *text, size_t len, bool retained)
{
	struct service *service = self;
	struct instant at = now();
	if (!service->stopping)
		look_back(service, topic, text, len, retained);
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
	struct service *service = self;
	service->bus = NULL;
	service->retained.to = NULL;
	service_keep(service);
}

void service_open_bus(struct service *service)
{
	const struct mqtt_conf *mqtt = &service->wired->config->mqtt;
	retained_init(&service->retained, NULL);
	if (!mqtt->present)
		return;
	char client_id[128], state_topic[BUS_TOPIC_SIZE];
	bool dry_run = service->conf->dry_run;
	if (dry_run)
		snprintf(client_id, sizeof(client_id), "mulletd-%s-dry-%d", service->wired->site.name, (int)getpid());
	else
		snprintf(client_id, sizeof(client_id), "mulletd-%s", service->wired->site.name);
	struct bus_conf conf = {
		.host = mqtt->host, .port = mqtt->port, .tls_ca = mqtt->tls_ca, .tls_cert = mqtt->tls_cert,
		.tls_key = mqtt->tls_key, .username = mqtt->username, .password = service->password,
		.client_id = client_id, .transient = dry_run, .prefix = service->wired->topic_prefix,
		.will_topic = dry_run ? NULL : "state",         /* it would speak for whoever is in charge */
		.will = "{\"state\":\"offline\",\"since\":null,\"why\":\"" BROKEN "\","
		        "\"version\":\"" MULLET_VERSION "\",\"dry_run\":false}",
	};
	service->bus = bus_open(&service->loop, &conf, (struct bus_user){
		service, on_bus_connected, on_bus_lost, on_bus_subscribed, on_bus_message, on_bus_closed });
	service->retained.to = bus_sink(service->bus);
	service->retained.aside = dry_run;
	snprintf(state_topic, sizeof(state_topic), "%s/state", service->wired->topic_prefix);
	if (dry_run)
		bus_subscribe(service->bus, state_topic);
}

void service_subscribe(struct service *service)
{
	for (size_t i = 0; service->bus && i < signals_count(service->signals); i++)
		bus_subscribe(service->bus, signals_topic(service->signals, i));
}

void service_tell_lost(struct service *service)
{
	uint64_t lost = service->bus ? bus_stats(service->bus).lost : service->lost;
	if (lost == service->lost)
		return;
	service->lost = lost;
	alarms_raise_passing(service->alarms, "bus_dropped", NULL, now(),
	                     "%llu messages for the broker are lost: it was away for longer than they may wait, or takes them too slowly",
	                     (unsigned long long)lost);
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
	service->retained.sink.put(&service->retained.sink, "state", DELIVER_STATE, json.text, json.len);
	json_free(&json);
}
