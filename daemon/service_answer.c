#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/service.h"

static const char *broker_state(const struct service *service)
{
	if (!service->bus)
		return "none";
	return bus_stats(service->bus).connected ? "connected" : "away";
}

static void connections_json(const struct miner_room *room, struct json *out)
{
	struct miner_room_figures figures = miner_room_figures(room);
	json_open(out, "connections");
	json_int(out, "open", figures.connections);
	json_int(out, "most", figures.most);
	json_int(out, "orders_waiting", figures.orders_waiting);
	json_int(out, "polls_waiting", figures.polls_waiting);
	json_close(out);
}

static void in_force(const struct service *service, int16_t from, const char *kind, int64_t watts, struct json *out)
{
	const char *event = signals_event_id(service->signals, from);
	if (!event)
		return;
	json_open(out, NULL);
	json_string(out, "event", event);
	json_string(out, "kind", kind);
	json_int(out, "limit_w", watts);
	json_close(out);
}

/* Whose word holds now, besides the file's: of each sort that which binds. */
static void in_force_json(struct service *service, struct instant now, struct json *out)
{
	struct demand demand;
	signals_demand(service->signals, now, &demand);
	json_open_array(out, "in_force");
	if (demand.limit_w != POLICY_NONE)
		in_force(service, demand.limit_from, "cap", demand.limit_w, out);
	if (demand.setpoint_w != POLICY_NONE)
		in_force(service, demand.setpoint_from, "setpoint", demand.setpoint_w, out);
	if (demand.miners_w != POLICY_NONE)
		in_force(service, demand.miners_from, demand.shed ? "shed" : "target", demand.miners_w, out);
	json_close_array(out);
}

static void answer_status(struct service *service, struct instant now, struct json *out)
{
	json_open(out, NULL);
	site_status_json(service->site, now, out);
	in_force_json(service, now, out);
	connections_json(service->miners, out);
	json_string(out, "broker", broker_state(service));
	json_int(out, "messages_lost", (int64_t)service->lost);
	json_int(out, "alarms", (int64_t)alarms_count(service->alarms));
	json_close(out);
	json_newline(out);
}

/* The elements of an array that was written as JSON, a line each. */
static void lines_of(const struct json *array, struct json *out)
{
	cJSON *list = cJSON_Parse(array->text);
	const cJSON *item;
	const cJSON *elements = cJSON_GetObjectItemCaseSensitive(list, "list");
	cJSON_ArrayForEach(item, elements) {
		char *text = cJSON_PrintUnformatted(item);
		if (!text)
			abort();
		json_raw(out, NULL, text, strlen(text));
		json_newline(out);
		cJSON_free(text);
	}
	cJSON_Delete(list);
}

/* NAN: what is there is no number. */
static double number_of(const cJSON *args, const char *key, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(args, key);
	return !item ? otherwise : cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static void answer_decisions(const struct service *service, const cJSON *args, struct json *out, char *error, size_t size)
{
	double n = number_of(args, "n", 10);
	if (n >= 1 && n <= 1e6)
		site_decisions_json(service->site, (size_t)n, out);
	else
		snprintf(error, size, "decisions wants a number: n, from 1 to 1000000");
}

static void answer_hold(struct service *service, const cJSON *args, struct instant now, char *error, size_t size)
{
	double watts = number_of(args, "watts", NAN), for_ms = number_of(args, "for_ms", 0);
	char why[200];
	/* Written so that what is no number at all fails, too. */
	if (!(fabs(watts) < 1e12 && fabs(for_ms) < 1e12))
		snprintf(error, size, "hold wants numbers, not texts: watts, and for_ms if it is to end");
	else if (!signals_operator_hold(service->signals, (int64_t)watts, (int64_t)for_ms, now, why, sizeof(why)))
		snprintf(error, size, "hold: %s", why);
}

static void answer_shed(struct service *service, struct instant now, char *error, size_t size)
{
	char why[200];
	if (!signals_operator_shed(service->signals, now, why, sizeof(why)))
		snprintf(error, size, "shed: refused, so nothing is shed: %s", why);
}

static void answer_release(struct service *service, struct instant now, char *error, size_t size)
{
	char why[200];
	if (!signals_operator_release(service->signals, now, why, sizeof(why)))
		snprintf(error, size, "release: refused, so what is in force stays: %s", why);
}

/* The operator has spoken. */
static void prompt(struct service *service, struct instant now)
{
	site_prompted(service->site, now);
	service->step_now = true;
}

void service_answer(void *self, const char *verb, const cJSON *args, struct json *out, char *error, size_t error_size)
{
	struct service *service = self;
	struct instant now = system_clock.now(&system_clock);
	struct json list = { 0 };
	if (!service->site || service->stopping) {
		snprintf(error, error_size, "mulletd is stopping");
		return;
	}
	if (!strcmp(verb, "status")) {
		answer_status(service, now, out);
	} else if (!strcmp(verb, "decisions")) {
		answer_decisions(service, args, out, error, error_size);
	} else if (!strcmp(verb, "meters")) {
		site_meters_json(service->site, now, out);
	} else if (!strcmp(verb, "groups")) {
		site_groups_json(service->site, now, out);
	} else if (!strcmp(verb, "miners")) {
		const char *group = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "group"));
		if (!site_miners_json(service->site, group, now, out))
			snprintf(error, error_size, "no group of miners is called \"%s\"", group);
	} else if (!strcmp(verb, "alarms") || !strcmp(verb, "events")) {
		json_open(&list, NULL);
		if (verb[0] == 'a')
			alarms_json(service->alarms, &list, "list");
		else
			signals_events_json(service->signals, &list, "list");
		json_close(&list);
		lines_of(&list, out);
		json_free(&list);
	} else if (!strcmp(verb, "hold")) {
		answer_hold(service, args, now, error, error_size);
		prompt(service, now);
	} else if (!strcmp(verb, "shed")) {
		answer_shed(service, now, error, error_size);
		prompt(service, now);
	} else if (!strcmp(verb, "release")) {
		answer_release(service, now, error, error_size);
		prompt(service, now);
	} else if (!strcmp(verb, "reload")) {
		if (!service_reload(service))
			snprintf(error, error_size, "the file is wrong, the old one stays in force; see mulletctl alarms, or the log");
	} else {
		snprintf(error, error_size, "no such verb \"%s\"", verb);
	}
}
