#include "daemon/retained.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "daemon/json.h"
#include "daemon/json_strict.h"
#include "daemon/signal_json.h"
#include "daemon/xalloc.h"

struct retained_text {
	TAILQ_ENTRY(retained_text) link;
	char *topic, *text;             /* in its own memory */
	size_t len;
	bool over;                      /* an event that is */
};

_Static_assert(RETAINED_EVENTS > ORDERS_LIVE + ORDERS_SIGNALS, "what is alive is remembered");

static bool is_below(const char *topic, const char *room)
{
	return strncmp(topic, room, strlen(room)) == 0;
}

/* ---- events, as they were told ---- */

static cJSON *parse(const char *text, size_t len)
{
	return json_strict_fault(text, len, SIGNAL_MOST_DEPTH) ? NULL : cJSON_ParseWithLength(text, len);
}

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
	return text ? text : "";
}

static bool is_one_of(const char *text, const char *const *list)
{
	while (*list && strcmp(text, *list) != 0)
		list++;
	return *list != NULL;
}

/* One that is missed may yet be met, until its end. */
static bool is_alive(const cJSON *event, int64_t utc_ms)
{
	static const char *const alive[] = { "scheduled", "active", "met", NULL };
	int64_t end_ms;
	const char *status = text_of(event, "status");
	if (strcmp(status, "missed") == 0)
		return !rfc3339_parse(text_of(event, "end"), &end_ms) || end_ms > utc_ms;
	return is_one_of(status, alive);
}

static bool is_over(const char *text, size_t len)
{
	static const char *const over[] = { "completed", "cancelled", "rejected", NULL };
	cJSON *event = parse(text, len);
	bool is = is_one_of(text_of(event, "status"), over);
	cJSON_Delete(event);
	return is;
}

/* ---- what was said ---- */

static struct retained_text *find(const struct retained *retained, const char *topic)
{
	struct retained_text *item;
	TAILQ_FOREACH(item, &retained->texts, link)
		if (strcmp(item->topic, topic) == 0)
			return item;
	return NULL;
}

static void forget(struct retained *retained, struct retained_text *item)
{
	retained->n_events -= is_below(item->topic, "event/");
	TAILQ_REMOVE(&retained->texts, item, link);
	free(item);
}

static void pass(struct retained *retained, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	bool decides = delivery == DELIVER_EVENT && strcmp(topic, "decision") == 0;
	if (retained->to && (!retained->aside || decides))
		retained->to->put(retained->to, topic, delivery, text, len);
}

/* By the broker, too: whoever comes, and we with each look, would be handed those of years. */
static void forget_an_event(struct retained *retained)
{
	struct retained_text *item, *first = NULL;
	TAILQ_FOREACH(item, &retained->texts, link) {
		if (!is_below(item->topic, "event/"))
			continue;
		first = first ? first : item;
		if (item->over)
			break;
	}
	item = item ? item : first;
	pass(retained, item->topic, DELIVER_STATE, "", 0);
	forget(retained, item);
}

static void remember(struct retained *retained, const char *topic, const char *text, size_t len)
{
	size_t topic_size = strlen(topic) + 1;
	struct retained_text *item = xcalloc(1, sizeof(*item) + topic_size + len);
	item->topic = (char *)(item + 1);
	item->text = item->topic + topic_size;
	item->len = len;
	memcpy(item->topic, topic, topic_size);
	memcpy(item->text, text, len);
	TAILQ_INSERT_TAIL(&retained->texts, item, link);
	if (is_below(topic, "event/")) {
		retained->n_events++;
		item->over = is_over(text, len);
	}
	if (retained->n_events > RETAINED_EVENTS)
		forget_an_event(retained);
}

static void put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	struct retained *retained = (struct retained *)(void *)sink;
	struct retained_text *before = delivery == DELIVER_STATE ? find(retained, topic) : NULL;
	if (before)
		forget(retained, before);
	if (delivery == DELIVER_STATE && len > 0)
		remember(retained, topic, text, len);
	pass(retained, topic, delivery, text, len);
}

void retained_init(struct retained *retained, struct sink *to)
{
	*retained = (struct retained){ .sink = { .put = put }, .to = to };
	TAILQ_INIT(&retained->texts);
}

void retained_free(struct retained *retained)
{
	while (!TAILQ_EMPTY(&retained->texts))
		forget(retained, TAILQ_FIRST(&retained->texts));
}

void retained_repeat(struct retained *retained)
{
	const struct retained_text *item;
	TAILQ_FOREACH(item, &retained->texts, link)
		pass(retained, item->topic, DELIVER_STATE, item->text, item->len);
}

/* ---- what was found ---- */

static void clear_alarm(const cJSON *found, struct instant now, struct json *json)
{
	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(found, "raised")))
		return;
	json_open(json, NULL);
	json_bool(json, "raised", false);
	json_time(json, "since", now.utc_ms);
	json_null(json, "why");
	json_string(json, "severity", cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(found, "severity")));
	json_string(json, "subject", cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(found, "subject")));
	json_close(json);
}

static void set_string(cJSON *object, const char *key, const char *value)
{
	cJSON *item = cJSON_CreateString(value);
	if (!cJSON_ReplaceItemInObjectCaseSensitive(object, key, item))
		cJSON_AddItemToObject(object, key, item);
}

static void cancel_event(cJSON *found, struct instant now, struct json *json)
{
	if (!is_alive(found, now.utc_ms))
		return;
	set_string(found, "status", "cancelled");
	set_string(found, "why", "mulletd was started anew and does not follow it");
	char *text = cJSON_PrintUnformatted(found);
	if (!text)
		abort();
	json_raw(json, NULL, text, strlen(text));
	cJSON_free(text);
}

/* What was cancelled stays until it would have ended, for whom it may concern; what was rejected never began. */
static bool is_old(const cJSON *event, int64_t utc_ms)
{
	int64_t at_ms;
	bool rejected = strcmp(text_of(event, "status"), "rejected") == 0;
	bool known = (!rejected && rfc3339_parse(text_of(event, "end"), &at_ms)) ||
	             rfc3339_parse(text_of(event, "received"), &at_ms);
	return known && at_ms < utc_ms - RETAINED_MS;
}

/* It is not remembered: what is put right here has no part in this run. */
void retained_found(struct retained *retained, const char *topic, const char *text, size_t len, struct instant now)
{
	struct json json = { 0 };
	cJSON *found = find(retained, topic) ? NULL : parse(text, len);
	if (found && is_below(topic, "alarm/"))
		clear_alarm(found, now, &json);
	else if (found && is_below(topic, "event/"))
		cancel_event(found, now, &json);
	if (json.len || (found && is_below(topic, "event/") && is_old(found, now.utc_ms)))
		pass(retained, topic, DELIVER_STATE, json.text, json.len);
	cJSON_Delete(found);
	json_free(&json);
}
