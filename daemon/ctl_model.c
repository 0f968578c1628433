#include "daemon/ctl_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int64_t json_scaled(const cJSON *object, const char *key, double factor)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	if (!cJSON_IsNumber(item) || !(fabs(item->valuedouble * factor) < 9e15))
		return FIGURE_UNKNOWN;
	return (int64_t)llround(item->valuedouble * factor);
}

int64_t json_figure(const cJSON *object, const char *key)
{
	return json_scaled(object, key, 1);
}

const char *json_text(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsString(item) ? item->valuestring : "";
}

const char *clock_of(const char *rfc3339, char buf[9])
{
	bool is_time = strlen(rfc3339) >= 19 && rfc3339[10] == 'T' && rfc3339[13] == ':' && rfc3339[16] == ':';
	memcpy(buf, is_time ? rfc3339 + 11 : "--:--:--", 8);
	buf[8] = '\0';
	return buf;
}

#define COPY_TEXT(member, object, key) snprintf((member), sizeof(member), "%s", json_text((object), (key)))

static void read_texts(struct ctl_model *model, const cJSON *status)
{
	COPY_TEXT(model->site, status, "site");
	COPY_TEXT(model->state, status, "state");
	COPY_TEXT(model->state_why, status, "state_why");
	COPY_TEXT(model->since, status, "since");
	COPY_TEXT(model->version, status, "version");
	COPY_TEXT(model->broker, status, "broker");
	COPY_TEXT(model->time, status, "time");
	COPY_TEXT(model->cap_from, status, "cap_from");
	model->dry_run = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(status, "dry_run"));
}

static void read_figures(struct ctl_model *model, const cJSON *status)
{
	model->uptime_ms = json_scaled(status, "uptime_s", 1000);
	model->site_w = json_figure(status, "site_w");
	model->hpc_w = json_figure(status, "hpc_w");
	model->miners_w = json_figure(status, "miners_w");
	model->other_w = json_figure(status, "other_w");
	model->cap_w = json_figure(status, "cap_w");
	model->target_w = json_figure(status, "target_w");
	model->reserve_w = json_figure(status, "reserve_w");
	model->headroom_w = json_figure(status, "headroom_w");
	model->curtailable_w = json_figure(status, "curtailable_w");
	model->restorable_w = json_figure(status, "restorable_w");
	model->nominal_miners_w = json_figure(status, "nominal_miners_w");
	model->load_w = json_figure(status, "load_w");
	model->planned_w = json_figure(status, "planned_w");
	model->doubt_w = json_figure(status, "doubt_w");
	model->announced_w = json_figure(status, "announced_w");
	model->hpc_limit_w = json_figure(status, "hpc_limit_w");
	model->frequency_mhz = json_scaled(status, "frequency_hz", 1000);
	model->n_decisions = json_figure(status, "decisions");
	model->n_commands = json_figure(status, "commands");
	const cJSON *energy = cJSON_GetObjectItemCaseSensitive(status, "energy_wh");
	model->site_wh = json_figure(energy, "site");
	model->hpc_wh = json_figure(energy, "hpc");
	model->miners_wh = json_figure(energy, "miners");
}

static void read_phases(struct ctl_model *model, const cJSON *status)
{
	static const char *const keys[N_SHOWN] = {
		[SHOWN_AWAKE] = "awake", [SHOWN_WAKING] = "waking", [SHOWN_FALLING] = "falling_asleep",
		[SHOWN_ASLEEP] = "asleep", [SHOWN_UNREACHABLE] = "unreachable", [SHOWN_FAULTY] = "faulty",
	};
	const cJSON *miners = cJSON_GetObjectItemCaseSensitive(status, "miners");
	int64_t partial = json_figure(status, "miners_partial"), *awake = &model->phases[SHOWN_AWAKE];
	for (int i = 0; i < N_SHOWN; i++) {
		int64_t n = keys[i] ? json_figure(miners, keys[i]) : 0;
		model->phases[i] = n == FIGURE_UNKNOWN || n < 0 ? 0 : n;
	}
	model->has_partial = partial != FIGURE_UNKNOWN && partial >= 0 && partial <= *awake;
	if (!model->has_partial)
		return;
	model->phases[SHOWN_PARTIAL] = partial;
	*awake -= partial;
}

static void read_stale(struct ctl_model *model, const cJSON *status)
{
	const cJSON *name;
	size_t len = 0;
	model->n_stale = 0;
	model->stale[0] = '\0';
	cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(status, "stale")) {
		if (!cJSON_IsString(name))
			continue;
		size_t room = sizeof(model->stale) - len;
		int n = snprintf(model->stale + len, room, "%s%s", model->n_stale ? ", " : "", name->valuestring);
		len += n > 0 && (size_t)n < room ? (size_t)n : room - 1;
		model->n_stale++;
	}
}

/* What was learned of an order stays known for as long as it is in force. */
static void read_orders(struct ctl_model *model, const cJSON *status)
{
	struct shown_order before[MODEL_ORDERS];
	int n_before = model->n_orders;
	const cJSON *item;
	memcpy(before, model->orders, sizeof(before));
	model->n_orders = 0;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(status, "in_force")) {
		if (model->n_orders == MODEL_ORDERS)
			return;
		struct shown_order *order = &model->orders[model->n_orders++];
		*order = (struct shown_order){ .limit_w = json_figure(item, "limit_w") };
		COPY_TEXT(order->id, item, "event");
		COPY_TEXT(order->kind, item, "kind");
		for (int i = 0; i < n_before; i++)
			if (strcmp(before[i].id, order->id) == 0 && before[i].end_known) {
				memcpy(order->end, before[i].end, sizeof(order->end));
				order->end_known = true;
			}
	}
}

bool model_wants_ends(const struct ctl_model *model)
{
	for (int i = 0; i < model->n_orders; i++)
		if (!model->orders[i].end_known)
			return true;
	return false;
}

void model_add_event(struct ctl_model *model, const cJSON *event)
{
	for (int i = 0; i < model->n_orders; i++) {
		struct shown_order *order = &model->orders[i];
		if (order->end_known || strcmp(order->id, json_text(event, "id")) != 0)
			continue;
		COPY_TEXT(order->end, event, "end");
		order->end_known = true;
	}
}

static void take_sample(struct ctl_model *model)
{
	model->newest = (model->newest + 1) % MODEL_SAMPLES;
	if (model->n_samples < MODEL_SAMPLES)
		model->n_samples++;
	model->samples[model->newest] = (struct sample){
		.at_ms = model->now_ms, .site_w = model->site_w, .hpc_w = model->hpc_w, .miners_w = model->miners_w,
		.cap_w = model->cap_w, .target_w = model->target_w,
	};
}

const struct sample *model_sample(const struct ctl_model *model, int back)
{
	if (back >= model->n_samples)
		return NULL;
	return &model->samples[(model->newest - back + MODEL_SAMPLES) % MODEL_SAMPLES];
}

void model_status(struct ctl_model *model, const cJSON *status, int64_t now_ms)
{
	model->heard = true;
	model->trouble[0] = '\0';
	model->now_ms = now_ms;
	read_texts(model, status);
	read_figures(model, status);
	read_phases(model, status);
	read_stale(model, status);
	read_orders(model, status);
	take_sample(model);
}

void model_clear_decisions(struct ctl_model *model)
{
	model->n_seen_decisions = 0;
}

void model_add_decision(struct ctl_model *model, const cJSON *decision)
{
	if (model->n_seen_decisions == MODEL_DECISIONS) {
		memmove(model->decisions, model->decisions + 1, sizeof(model->decisions) - sizeof(model->decisions[0]));
		model->n_seen_decisions--;
	}
	struct shown_decision *shown = &model->decisions[model->n_seen_decisions++];
	shown->seq = json_figure(decision, "seq");
	shown->sleeps = json_figure(decision, "sleeps");
	shown->wakes = json_figure(decision, "wakes");
	shown->powers = json_figure(decision, "powers");
	shown->dry_run = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(decision, "dry_run"));
	COPY_TEXT(shown->time, decision, "time");
	COPY_TEXT(shown->reason, decision, "reason");
	COPY_TEXT(shown->why, decision, "why");
}

void model_clear_alarms(struct ctl_model *model)
{
	model->n_alarms = 0;
}

void model_add_alarm(struct ctl_model *model, const cJSON *alarm)
{
	if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(alarm, "raised")))
		return;
	if (model->n_alarms++ >= MODEL_ALARMS)
		return;
	struct shown_alarm *shown = &model->alarms[model->n_alarms - 1];
	COPY_TEXT(shown->name, alarm, "name");
	COPY_TEXT(shown->since, alarm, "since");
	COPY_TEXT(shown->why, alarm, "why");
	shown->critical = strcmp(json_text(alarm, "severity"), "critical") == 0;
}
