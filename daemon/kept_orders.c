/* Orders alive and targets, as JSON: an object each, in which what is not known, or is not so, is left out. What cannot be
 * read is lost, and the rest is not: miners may stand still for an order, and for what is learned they only work less well. */
#include <math.h>
#include <string.h>

#include "daemon/kept_parts.h"
#include "daemon/signal_json.h"
#include "daemon/xalloc.h"

#define MOST_W ((double)ORDER_MOST_W)
#define MOST_UTC_MS 253402300799999.0   /* the year 9999 */
#define MOST_MS ((double)ORDER_MOST_AHEAD_MS)
#define MOST_WS (MOST_W * MOST_MS / 1000)
#define ALWAYS INT64_MIN                /* there is no figure that is left out */

static const char *const kinds[] = { [ORDER_CAP] = "cap", [ORDER_SETPOINT] = "setpoint", [ORDER_SHED] = "shed" };

struct figure { const char *key; size_t at; double least, most; int64_t left_out; };

static const struct figure order_figures[] = {
	{ "watts", offsetof(struct kept_order, order.watts), 0, MOST_W, ALWAYS },
	{ "ramp_w_per_min", offsetof(struct kept_order, order.ramp_w_per_min), 0, MOST_W, 0 },
	{ "issued_ms", offsetof(struct kept_order, order.issued_ms), 0, MOST_UTC_MS, ALWAYS },
	{ "start_ms", offsetof(struct kept_order, order.start_ms), 1, MOST_UTC_MS, ALWAYS },
	{ "end_ms", offsetof(struct kept_order, order.end_ms), 1, MOST_UTC_MS, ORDER_NO_END },
	{ "left_ms", offsetof(struct kept_order, left_ms), 1, MOST_MS, 0 },
};
static const struct figure event_figures[] = {
	{ "received_ms", offsetof(struct event, received_utc_ms), 0, MOST_UTC_MS, ALWAYS },
	{ "first_command_ms", offsetof(struct event, first_command_utc_ms), 1, MOST_UTC_MS, 0 },
	{ "met_ms", offsetof(struct event, met_utc_ms), 1, MOST_UTC_MS, 0 },
	{ "response_ms", offsetof(struct event, response_ms), 0, MOST_MS, -1 },
	{ "before_w", offsetof(struct event, before_w), -MOST_W, MOST_W, POLICY_NONE },
	{ "max_w", offsetof(struct event, max_w), -MOST_W, MOST_W, POLICY_NONE },
	{ "energy_ws", offsetof(struct event, energy_ws), -MOST_WS, MOST_WS, 0 },
	{ "known_ms", offsetof(struct event, known_ms), 0, MOST_MS, 0 },
};
static const struct figure target_figures[] = {
	{ "share_ppm", offsetof(struct kept_target, share_ppm), 0, 1000000, ALWAYS },
	{ "heard_ms", offsetof(struct kept_target, heard_utc_ms), 0, MOST_UTC_MS, ALWAYS },
	{ "at_ms", offsetof(struct kept_target, at_utc_ms), 0, MOST_UTC_MS, ALWAYS },
};
static const struct figure level_figures[] = { { "limit_w", offsetof(struct event, limit_w), 0, MOST_W, ALWAYS } };
#define COUNT(figures) (sizeof(figures) / sizeof(*(figures)))

/* ---- writing ---- */

static void put_figures(struct json *json, const void *from, const struct figure *figures, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = *(const int64_t *)(const void *)((const char *)from + figures[i].at);
		bool possible = (double)value >= figures[i].least && (double)value <= figures[i].most;
		if (value != figures[i].left_out && (possible || figures[i].left_out == ALWAYS))
			json_int(json, figures[i].key, value);
	}
}

static void put_order(struct json *json, const struct kept_order *kept)
{
	json_open(json, NULL);
	json_string(json, "id", kept->order.id);
	json_string(json, "signal", kept->signal);
	json_string(json, "kind", kinds[kept->order.kind]);
	json_int(json, "priority", kept->order.priority);
	json_bool(json, "begun", kept->order.begun);
	json_bool(json, "met", kept->event.status == EVENT_MET);
	put_figures(json, kept, order_figures, COUNT(order_figures));
	put_figures(json, &kept->event, event_figures, COUNT(event_figures));
	json_close(json);
}

static void put_target(struct json *json, const struct kept_target *kept)
{
	json_open(json, NULL);
	json_string(json, "signal", kept->signal);
	json_bool(json, "stale", kept->stale);
	put_figures(json, kept, target_figures, COUNT(target_figures));
	if (kept->event.alive) {
		json_open(json, "event");
		json_bool(json, "met", kept->event.status == EVENT_MET);
		put_figures(json, &kept->event, level_figures, COUNT(level_figures));
		put_figures(json, &kept->event, event_figures, COUNT(event_figures));
		json_close(json);
	}
	json_close(json);
}

void kept_orders_format(const struct kept_orders *orders, struct json *json)
{
	if (!orders->n && !orders->n_newest && !orders->n_targets)
		return;
	json_open(json, "orders");
	json_open_array(json, "alive");
	for (size_t i = 0; i < orders->n; i++)
		put_order(json, &orders->alive[i]);
	json_close_array(json);
	json_open_array(json, "newest");
	for (size_t i = 0; i < orders->n_newest; i++) {
		json_open_array(json, NULL);
		json_string(json, NULL, orders->newest[i].signal);
		json_int(json, NULL, orders->newest[i].issued_ms);
		json_close_array(json);
	}
	json_close_array(json);
	if (orders->n_targets) {
		json_open_array(json, "targets");
		for (size_t i = 0; i < orders->n_targets; i++)
			put_target(json, &orders->targets[i]);
		json_close_array(json);
	}
	json_close(json);
}

/* ---- reading ---- */

static const char *read_figure(const cJSON *item, const struct figure *figure, int64_t *out)
{
	*out = figure->left_out;
	if (!item)
		return figure->left_out == ALWAYS ? "one lacks a figure" : NULL;
	/* Written so that what is no number at all fails, too. */
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= figure->least && item->valuedouble <= figure->most) ||
	    item->valuedouble != floor(item->valuedouble))
		return "a figure of one cannot be";
	*out = (int64_t)item->valuedouble;
	return NULL;
}

static const char *read_figures(const cJSON *item, const struct figure *figures, size_t n, void *to)
{
	const char *fault = NULL;
	for (size_t i = 0; i < n && !fault; i++)
		fault = read_figure(kept_member(item, figures[i].key), &figures[i], (int64_t *)(void *)((char *)to + figures[i].at));
	return fault;
}

static const char *read_kind(const cJSON *item, uint8_t *kind)
{
	const char *text = cJSON_GetStringValue(item);
	for (*kind = 0; text && *kind < ORDER_RELEASE; ++*kind)
		if (!strcmp(text, kinds[*kind]))
			return NULL;
	return "one is neither cap, setpoint nor shed";
}

/* Ids that begin like the operator's are the operator's. */
static const char *read_names(const cJSON *item, struct kept_order *kept)
{
	const cJSON *signal = kept_member(item, "signal");
	const char *id = cJSON_GetStringValue(kept_member(item, "id"));
	if (!id || !signal_is_id(id))
		return "one has no id";
	kept->signal = cJSON_GetStringValue(signal);
	kept->order.by_operator = cJSON_IsNull(signal);
	if ((!kept->signal && !cJSON_IsNull(signal)) || kept->order.by_operator != !strncmp(id, "operator", 8))
		return "one is nobody's";
	memcpy(kept->order.id, id, strlen(id) + 1);
	return NULL;
}

/* More than can have been drawn in that time: neither is told. */
static void check_energy(struct event *event)
{
	double most_ws = MOST_W * ((double)event->known_ms / 1000 + 1);
	if (!(fabs((double)event->energy_ws) <= most_ws))
		event->energy_ws = event->known_ms = 0;
}

static const char *read_event(const cJSON *item, struct event *event)
{
	const cJSON *met = kept_member(item, "met");
	const char *fault = read_figures(item, event_figures, COUNT(event_figures), event);
	event->status = cJSON_IsTrue(met) ? EVENT_MET : EVENT_ACTIVE;
	check_energy(event);
	return fault ? fault : cJSON_IsBool(met) ? NULL : "one does not tell whether it was met";
}

static const char *read_order(const cJSON *item, struct kept_order *kept)
{
	const cJSON *begun = kept_member(item, "begun");
	uint64_t priority;
	*kept = (struct kept_order){ .signal = NULL };
	const char *fault = read_names(item, kept);
	if (!fault)
		fault = read_kind(kept_member(item, "kind"), &kept->order.kind);
	if (!fault && !cJSON_IsBool(begun))
		fault = "one does not tell whether it was begun";
	if (!fault && !kept_whole(kept_member(item, "priority"), INT32_MAX, &priority))
		fault = "one has no priority";
	if (fault)
		return fault;
	kept->order.priority = (int32_t)priority;
	kept->order.begun = cJSON_IsTrue(begun);
	fault = read_figures(item, order_figures, COUNT(order_figures), kept);
	return fault ? fault : read_event(item, &kept->event);
}

static const char *read_target(const cJSON *item, struct kept_target *kept)
{
	const cJSON *stale = kept_member(item, "stale"), *event = kept_member(item, "event");
	*kept = (struct kept_target){ .signal = cJSON_GetStringValue(kept_member(item, "signal")) };
	if (!kept->signal || !cJSON_IsBool(stale))
		return "a target is nobody's, or does not tell whether it was stale";
	kept->stale = cJSON_IsTrue(stale);
	const char *fault = read_figures(item, target_figures, COUNT(target_figures), kept);
	if (fault || !event)
		return fault;
	kept->event.alive = true;
	fault = read_figures(event, level_figures, COUNT(level_figures), &kept->event);
	return fault ? fault : read_event(event, &kept->event);
}

static const char *read_newest(const cJSON *item, struct kept_newest *newest)
{
	uint64_t issued_ms;
	newest->signal = cJSON_GetStringValue(cJSON_GetArrayItem(item, 0));
	if (!newest->signal || !kept_whole(cJSON_GetArrayItem(item, 1), KEPT_MOST_COUNT, &issued_ms))
		return "when the newest of a signal was issued is not told";
	newest->issued_ms = (int64_t)issued_ms;
	return NULL;
}

static void lose(struct kept_orders *orders, const char *fault)
{
	orders->n_lost++;
	if (!orders->fault)
		orders->fault = fault;
}

void kept_orders_parse(const cJSON *tree, struct kept_orders *orders)
{
	const cJSON *alive = kept_member(tree, "alive"), *newest = kept_member(tree, "newest"), *item;
	const cJSON *targets = kept_member(tree, "targets");
	const char *fault;
	if (!cJSON_IsArray(alive) || !cJSON_IsArray(newest))
		lose(orders, "those alive are no list, or the newest");
	if (targets && !cJSON_IsArray(targets))
		lose(orders, "the targets are no list");
	orders->alive = xcalloc(ORDERS_LIVE, sizeof(*orders->alive));
	orders->targets = xcalloc(ORDERS_SIGNALS, sizeof(*orders->targets));
	cJSON_ArrayForEach(item, alive) {
		fault = orders->n < ORDERS_LIVE ? read_order(item, &orders->alive[orders->n]) : "there are more than there is room for";
		if (fault)
			lose(orders, fault);
		else
			orders->n++;
	}
	cJSON_ArrayForEach(item, newest) {
		fault = orders->n_newest < ORDERS_SIGNALS ? read_newest(item, &orders->newest[orders->n_newest])
		                                          : "there are more signals than may be";
		if (fault)
			lose(orders, fault);
		else
			orders->n_newest++;
	}
	cJSON_ArrayForEach(item, targets) {
		fault = orders->n_targets < ORDERS_SIGNALS ? read_target(item, &orders->targets[orders->n_targets])
		                                           : "there are more signals than may be";
		if (fault)
			lose(orders, fault);
		else
			orders->n_targets++;
	}
}

void kept_orders_free(struct kept_orders *orders)
{
	free(orders->alive);
	free(orders->targets);
}
