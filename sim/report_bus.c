/* sim/report_bus.c - what was recorded from the bus: decisions, outcomes, telemetry, orders, alarms (contract, 3). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "sim/report_run.h"

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *string_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(member(object, name));
	return text ? text : "";
}

static double number_of(const cJSON *object, const char *name, double otherwise)
{
	const cJSON *item = member(object, name);
	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static int64_t time_of(const struct run *run, const cJSON *object, const char *name, int64_t otherwise)
{
	int64_t utc_ms = run_utc_ms(string_of(object, name));
	return utc_ms < 0 ? otherwise : utc_ms - run->begin_utc_ms;
}

static void add_view(struct run *run, struct run_view view)
{
	run->views = run_room(run->views, run->n_views, sizeof *run->views);
	size_t at = run->n_views++;
	for (; at > 0 && run->views[at - 1].at_ms > view.at_ms; at--)
		run->views[at] = run->views[at - 1];
	run->views[at] = view;
}

static void take_telemetry(struct run *run, int64_t at_ms, const cJSON *said)
{
	struct run_view view = { time_of(run, said, "time", at_ms), (int64_t)number_of(said, "cap_w", 0),
	                         (int64_t)number_of(said, "target_w", 0) };
	if (view.limit_w > 0)
		add_view(run, view);
	if (run->control_ms == RUN_NEVER && cJSON_IsNumber(member(said, "site_w")))
		run->control_ms = view.at_ms;
}

static enum deed deed_of(const char *name)
{
	for (enum deed deed = DEED_SLEEP; deed < N_DEEDS; deed++)
		if (strcmp(name, deed_name(deed)) == 0)
			return deed;
	return DEED_WAKE;
}

static void take_decision(struct run *run, int64_t at_ms, const cJSON *said)
{
	const cJSON *command, *commands = member(said, "commands");
	at_ms = time_of(run, said, "time", at_ms);
	if (run->control_ms > at_ms)
		run->control_ms = at_ms;
	if (number_of(said, "part", 1) == 1) {
		run->decisions = run_room(run->decisions, run->n_decisions, sizeof *run->decisions);
		struct run_decision *fresh = &run->decisions[run->n_decisions++];
		*fresh = (struct run_decision){ .at_ms = at_ms };
		snprintf(fresh->reason, sizeof fresh->reason, "%s", string_of(said, "reason"));
	}
	cJSON_ArrayForEach(command, commands) {
		run->published = run_room(run->published, run->n_published, sizeof *run->published);
		struct run_command *told = &run->published[run->n_published++];
		*told = (struct run_command){ .at_ms = at_ms, .deed = deed_of(string_of(command, "do")) };
		snprintf(told->miner, sizeof told->miner, "%s", string_of(command, "miner"));
		if (run->n_decisions)
			run->decisions[run->n_decisions - 1].told[told->deed]++;
	}
}

static void take_outcome(struct run *run, int64_t at_ms, const cJSON *said)
{
	(void)at_ms;
	run->outcomes = run_room(run->outcomes, run->n_outcomes, sizeof *run->outcomes);
	run->outcomes[run->n_outcomes++] = (struct run_outcome){
		(uint32_t)number_of(said, "sent", 0), (uint32_t)number_of(said, "confirmed", 0),
		(uint32_t)number_of(said, "failed", 0), (int64_t)number_of(said, "elapsed_ms", 0),
	};
}

static struct run_order *order_named(struct run *run, const char *id)
{
	for (size_t i = 0; i < run->n_orders; i++)
		if (strcmp(run->orders[i].id, id) == 0)
			return &run->orders[i];
	run->orders = run_room(run->orders, run->n_orders, sizeof *run->orders);
	struct run_order *order = &run->orders[run->n_orders++];
	*order = (struct run_order){ .asked_ms = RUN_NEVER, .ack_ms = RUN_NEVER, .start_ms = RUN_NEVER, .end_ms = RUN_NEVER,
	                             .limit_w = -1, .delivered_w = INT64_MIN, .response_s = -1 };
	snprintf(order->id, sizeof order->id, "%s", id);
	return order;
}

static void take_order(struct run *run, int64_t at_ms, const cJSON *said)
{
	struct run_order *order = order_named(run, string_of(said, "id"));
	if (order->asked_ms == RUN_NEVER)
		order->asked_ms = at_ms;
	snprintf(order->kind, sizeof order->kind, "%s", string_of(said, "kind"));
}

static void take_ack(struct run *run, int64_t at_ms, const cJSON *said)
{
	struct run_order *order = order_named(run, string_of(said, "id"));
	if (order->ack_ms != RUN_NEVER)
		return;                 /* of a duplicate: the first answer is the answer */
	order->ack_ms = at_ms;
	snprintf(order->ack, sizeof order->ack, "%s", string_of(said, "result"));
}

/* The limit is in force from the moment that the event says; telemetry follows within its second. */
static void note_limit(struct run *run, const struct run_order *order)
{
	int64_t limit_w = INT64_MAX;
	for (size_t i = 0; i < run->n_views && run->views[i].at_ms <= order->start_ms; i++)
		limit_w = run->views[i].limit_w;
	if (order->limit_w < limit_w)
		add_view(run, (struct run_view){ order->start_ms, order->limit_w, 0 });
}

static void take_event(struct run *run, int64_t at_ms, const cJSON *said)
{
	struct run_order *order = order_named(run, string_of(said, "id"));
	bool was_active = strcmp(order->status, "active") == 0;
	snprintf(order->kind, sizeof order->kind, "%s", string_of(said, "kind"));
	snprintf(order->status, sizeof order->status, "%s", string_of(said, "status"));
	order->start_ms = time_of(run, said, "start", at_ms);
	order->end_ms = time_of(run, said, "end", RUN_NEVER);
	if (strcmp(order->status, "cancelled") == 0 || strcmp(order->status, "completed") == 0)
		order->end_ms = order->end_ms < at_ms ? order->end_ms : at_ms;
	order->limit_w = (int64_t)number_of(said, "limit_w", -1);
	order->response_s = number_of(said, "response_s", -1);
	order->delivered_w = (int64_t)number_of(said, "delivered_w", (double)INT64_MIN);
	if (strcmp(order->status, "active") == 0 && !was_active && order->limit_w >= 0 && strcmp(order->kind, "cap") == 0)
		note_limit(run, order);
}

static void take_alarm(struct run *run, int64_t at_ms, const char *name, const cJSON *said)
{
	struct run_alarm *last = NULL;
	bool raised = cJSON_IsTrue(member(said, "raised"));
	for (size_t i = 0; i < run->n_alarms; i++)
		if (strcmp(run->alarms[i].name, name) == 0)
			last = &run->alarms[i];
	bool stands = last && last->cleared_ms == RUN_NEVER;
	if (!raised && stands)
		last->cleared_ms = at_ms;
	if (!raised || stands)
		return;
	run->alarms = run_room(run->alarms, run->n_alarms, sizeof *run->alarms);
	last = &run->alarms[run->n_alarms++];
	*last = (struct run_alarm){ .raised_ms = at_ms, .cleared_ms = RUN_NEVER };
	snprintf(last->name, sizeof last->name, "%s", name);
	snprintf(last->why, sizeof last->why, "%s", string_of(said, "why"));
}

/* What stands behind PREFIX/SITE/ of a topic. */
static void take(struct run *run, int64_t at_ms, const char *topic, const cJSON *said)
{
	static const struct { const char *name; void (*take)(struct run *, int64_t, const cJSON *); } kinds[] = {
		{ "/telemetry", take_telemetry }, { "/decision", take_decision }, { "/outcome", take_outcome },
		{ "/order/", take_order }, { "/ack/", take_ack }, { "/event/", take_event },
	};
	const char *alarm = strstr(topic, "/alarm/");
	if (alarm)
		take_alarm(run, at_ms, alarm + strlen("/alarm/"), said);
	for (size_t k = 0; !alarm && k < sizeof kinds / sizeof *kinds; k++)
		if (strstr(topic, kinds[k].name)) {
			kinds[k].take(run, at_ms, said);
			return;
		}
}

static bool add_message(struct run *run, char *line)
{
	char *rest = line, *time = strsep(&rest, " "), *topic = strsep(&rest, " ");
	double utc_s;
	if (topic && topic[0] && !topic[1])
		topic = strsep(&rest, " ");     /* that was %r */
	if (!rest || sscanf(time, "%lf", &utc_s) != 1)
		return false;
	cJSON *said = cJSON_Parse(rest);
	if (cJSON_IsObject(said))
		take(run, llround(utc_s * 1000) - run->begin_utc_ms, topic, said);
	bool whole = cJSON_IsObject(said);
	cJSON_Delete(said);
	return whole;
}

/* Telemetry tells a second late that an order's limit is gone: the step belongs where the order ended. */
static void place_ends(struct run *run)
{
	for (size_t i = 0; i < run->n_orders; i++)
		for (size_t v = 1; v < run->n_views; v++) {
			int64_t end_ms = run->orders[i].end_ms;
			bool around = run->views[v - 1].at_ms <= end_ms && end_ms < run->views[v].at_ms;
			if (around && run->views[v].limit_w != run->views[v - 1].limit_w)
				run->views[v].at_ms = end_ms;
		}
}

int run_read_bus(struct run *run, const char *path, char *why, size_t size)
{
	char *line = NULL;
	size_t room = 0;
	run->control_ms = RUN_NEVER;
	FILE *file = fopen(path, "re");
	if (!file) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	while (getline(&line, &room, file) > 0)
		if (!add_message(run, line))
			run->bad_lines++;
	free(line);
	fclose(file);
	place_ends(run);
	if (run->n_views)
		return 0;
	snprintf(why, size, "%s: mulletd told nothing", path);
	return -1;
}
