#include "daemon/kept_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/json_strict.h"

#define DEPTH   8
#define MOST_MS (24 * 3600 * 1000.0)    /* no miner takes a day to follow */
#define MOST_W  100000.0                /* or draws more */
#define MOST_N  4294967295.0            /* and counts as POLICY_QUANTITY_MOST: earlier files counted on */
#define MOST_WH 1e15

/* The quantities of one way: where they stand, the most that is possible, and whether one is only there where it was seen. */
static const struct quantity { const char *motion, *key; size_t at; double most; bool may_miss; } quantities[] = {
	{ "by_site", "begin_ms", offsetof(struct policy_actuator, by_site.begin_ms), MOST_MS, false },
	{ "by_site", "end_ms", offsetof(struct policy_actuator, by_site.end_ms), MOST_MS, false },
	{ "by_polls", "begin_ms", offsetof(struct policy_actuator, by_polls.begin_ms), MOST_MS, false },
	{ "by_polls", "end_ms", offsetof(struct policy_actuator, by_polls.end_ms), MOST_MS, false },
	{ NULL, "works", offsetof(struct policy_actuator, works), 1, false },
	{ NULL, "watts", offsetof(struct policy_actuator, watts), MOST_W, false },
	{ NULL, "least", offsetof(struct policy_actuator, least), MOST_W, true },
};
#define N_QUANTITIES (sizeof(quantities) / sizeof(*quantities))

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_response(const struct policy_response *a, const struct policy_response *b)
{
	return a->delay_ms == b->delay_ms && a->ramp_ms == b->ramp_ms;
}

bool kept_same_group(const struct kept_group *a, const struct kept_group *b)
{
	return same_text(a->name, b->name) && same_text(a->driver, b->driver) && same_text(a->wake, b->wake) &&
	       same_response(&a->sleep, &b->sleep) && same_response(&a->wakes, &b->wakes);
}

bool kept_same_power(const struct kept_group *a, const struct kept_group *b)
{
	return a->partial && b->partial && same_response(&a->powers, &b->powers);
}

/* ---- writing ---- */

/* Nine digits bring every float back as it was. */
static void put_float(struct json *json, const char *key, float value)
{
	char text[32];
	json_raw(json, key, text, (size_t)snprintf(text, sizeof(text), "%.9g", (double)value));
}

static void put_quantity(struct json *json, const char *key, const struct policy_quantity *q)
{
	bool sound = isfinite(q->mean) && isfinite(q->variance);
	json_open(json, key);
	put_float(json, "mean", sound ? q->mean : 0);
	put_float(json, "variance", sound ? q->variance : 0);
	json_int(json, "n", sound ? q->n : 0);
	json_close(json);
}

static void put_way(struct json *json, const char *key, const struct policy_response *declared,
                    const struct policy_actuator *actuator)
{
	const char *motion = NULL;
	json_open(json, key);
	json_int(json, "delay_ms", declared->delay_ms);
	json_int(json, "ramp_ms", declared->ramp_ms);
	for (size_t i = 0; i < N_QUANTITIES; i++) {
		const struct quantity *row = &quantities[i];
		if (motion && !same_text(motion, row->motion))
			json_close(json);
		if (row->motion && !same_text(motion, row->motion))
			json_open(json, row->motion);
		motion = row->motion;
		const struct policy_quantity *q = (const void *)((const char *)actuator + row->at);
		if (q->n || !row->may_miss)
			put_quantity(json, row->key, q);
	}
	json_close(json);
}

static void put_origin(struct json *json, const char *site)
{
	json_open(json, NULL);
	json_int(json, "version", KEPT_VERSION);
	json_string(json, "site", site);
}

void kept_format_orders(const struct kept_orders *orders, const char *site, struct json *json)
{
	put_origin(json, site);
	kept_orders_format(orders, json);
	json_close(json);
	json_newline(json);
}

void kept_format(const struct kept *kept, const char *site, struct json *json)
{
	put_origin(json, site);
	json_int(json, "decisions", (int64_t)kept->seq);
	json_int(json, "decisions_reserved", (int64_t)kept->seq_reserved);
	json_int(json, "commands", (int64_t)kept->n_commands);
	json_open(json, "energy_wh");
	json_number(json, "site", kept->energy.site_wh, 1);
	json_number(json, "hpc", kept->energy.hpc_wh, 1);
	json_number(json, "miners", kept->energy.miners_wh, 1);
	json_close(json);
	json_open_array(json, "groups");
	for (size_t g = 0; g < kept->n_groups; g++) {
		const struct kept_group *group = &kept->groups[g];
		json_open(json, NULL);
		json_string(json, "name", group->name);
		json_string(json, "driver", group->driver);
		json_string(json, "waking", group->wake);
		json_format(json, "firmware", "%016" PRIx64, group->firmware);
		put_way(json, "sleep", &group->sleep, &group->down);
		put_way(json, "wake", &group->wakes, &group->up);
		if (group->partial)
			put_way(json, "power", &group->powers, &group->power);
		json_close(json);
	}
	json_close_array(json);
	kept_wear_format(kept, json);
	kept_shown_format(kept, json);
	kept_orders_format(&kept->orders, json);
	json_close(json);
	json_newline(json);
}

/* ---- reading ---- */

struct reader {
	const char *group;              /* being read; NULL: none */
	char *why;
	size_t why_size;
	bool failed;                    /* why tells the first thing that is wrong */
};

static void wrong(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void wrong(struct reader *reader, const char *format, ...)
{
	if (reader->failed)
		return;
	reader->failed = true;
	int n = reader->group ? snprintf(reader->why, reader->why_size, "group %.80s: ", reader->group) : 0;
	va_list args;
	va_start(args, format);
	vsnprintf(reader->why + n, reader->why_size - (size_t)n, format, args);
	va_end(args);
}

const cJSON *kept_member(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

bool kept_whole(const cJSON *item, double most, uint64_t *out)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= most))
		return false;
	*out = (uint64_t)item->valuedouble;
	return (double)*out == item->valuedouble;
}

static double number(struct reader *reader, const cJSON *object, const char *key, double least, double most)
{
	const cJSON *item = kept_member(object, key);
	/* Written so that what is no number at all fails, too. */
	if (cJSON_IsNumber(item) && item->valuedouble >= least && item->valuedouble <= most)
		return item->valuedouble;
	wrong(reader, "%s is no number from %.0f to %.0f", key, least, most);
	return 0;
}

static uint64_t count_of(struct reader *reader, const cJSON *object, const char *key, double most)
{
	double n = number(reader, object, key, 0, most);
	if (n != floor(n))
		wrong(reader, "%s is no whole number", key);
	return (uint64_t)n;
}

static const char *text_of(struct reader *reader, const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(kept_member(object, key));
	if (!text)
		wrong(reader, "%s is no text", key);
	return text;
}

static struct policy_quantity quantity_of(struct reader *reader, const cJSON *item, const struct quantity *row)
{
	if (!item && row->may_miss)
		return (struct policy_quantity){ 0 };
	if (!cJSON_IsObject(item))
		wrong(reader, "%s is missing", row->key);
	uint64_t n = count_of(reader, item, "n", MOST_N);
	return (struct policy_quantity){
		.mean = (float)number(reader, item, "mean", 0, row->most),
		.variance = (float)number(reader, item, "variance", 0, row->most * row->most),
		.n = n < POLICY_QUANTITY_MOST ? (uint32_t)n : POLICY_QUANTITY_MOST,
	};
}

static void read_way(struct reader *reader, const cJSON *item, struct policy_response *declared,
                     struct policy_actuator *actuator)
{
	declared->delay_ms = (int64_t)count_of(reader, item, "delay_ms", MOST_MS);
	declared->ramp_ms = (int64_t)count_of(reader, item, "ramp_ms", MOST_MS);
	for (size_t i = 0; i < N_QUANTITIES; i++) {
		const struct quantity *row = &quantities[i];
		const cJSON *in = row->motion ? kept_member(item, row->motion) : item;
		struct policy_quantity *out = (void *)((char *)actuator + row->at);
		*out = quantity_of(reader, kept_member(in, row->key), row);
	}
}

static void read_group(struct reader *reader, const cJSON *item, struct kept_group *group)
{
	int end = 0;
	group->name = text_of(reader, item, "name");
	reader->group = group->name;
	group->driver = text_of(reader, item, "driver");
	const cJSON *wake = kept_member(item, "waking");
	group->wake = cJSON_GetStringValue(wake);
	if (!group->wake && !cJSON_IsNull(wake))
		wrong(reader, "waking is neither text nor null");
	const char *firmware = text_of(reader, item, "firmware");
	if (firmware && (sscanf(firmware, "%16" SCNx64 "%n", &group->firmware, &end) != 1 || firmware[end] || end != 16))
		wrong(reader, "firmware is no hexadecimal number of 16 digits");
	read_way(reader, kept_member(item, "sleep"), &group->sleep, &group->down);
	read_way(reader, kept_member(item, "wake"), &group->wakes, &group->up);
	group->partial = kept_member(item, "power");         /* not in what was written before there was such a thing */
	if (group->partial)
		read_way(reader, kept_member(item, "power"), &group->powers, &group->power);
	reader->group = NULL;
}

static void read_groups(struct reader *reader, const cJSON *list, struct kept *kept)
{
	const cJSON *item;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > KEPT_GROUPS) {
		wrong(reader, "groups is no list of at most %d", KEPT_GROUPS);
		return;
	}
	cJSON_ArrayForEach(item, list) {
		read_group(reader, item, &kept->groups[kept->n_groups]);
		kept->n_groups++;
	}
}

static void read_origin(struct reader *reader, const cJSON *tree, const char *site)
{
	double version = number(reader, tree, "version", 0, KEPT_MOST_COUNT);
	if (version != KEPT_VERSION)
		wrong(reader, "it is of version %.0f, and this reads %d", version, KEPT_VERSION);
	const char *of_site = text_of(reader, tree, "site");
	if (of_site && strcmp(of_site, site) != 0)
		wrong(reader, "it is of the site %.80s", of_site);
}

static void read_learned(struct reader *reader, const cJSON *tree, struct kept *kept)
{
	const cJSON *energy = kept_member(tree, "energy_wh");
	kept->seq = count_of(reader, tree, "decisions", KEPT_MOST_COUNT / 2);
	kept->seq_reserved = count_of(reader, tree, "decisions_reserved", KEPT_MOST_COUNT / 2);
	if (kept->seq_reserved < kept->seq)
		wrong(reader, "decisions_reserved is below decisions");
	kept->n_commands = count_of(reader, tree, "commands", KEPT_MOST_COUNT / 2);
	kept->energy.site_wh = number(reader, energy, "site", -MOST_WH, MOST_WH);
	kept->energy.hpc_wh = number(reader, energy, "hpc", -MOST_WH, MOST_WH);
	kept->energy.miners_wh = number(reader, energy, "miners", -MOST_WH, MOST_WH);
	read_groups(reader, kept_member(tree, "groups"), kept);
	const cJSON *wear = kept_member(tree, "wear");
	const cJSON *load = kept_member(tree, "load");       /* files were written before there were such things */
	const char *fault = wear ? kept_wear_parse(wear, kept) : NULL;
	if (!fault && load)
		fault = kept_shown_parse(load, kept);
	if (fault)
		wrong(reader, "%s", fault);
}

static void read_orders(const cJSON *tree, struct kept *kept)
{
	const cJSON *orders = kept_member(tree, "orders");
	if (orders)
		kept_orders_parse(orders, &kept->orders);
}

static void begin(struct reader *reader, const char *text, size_t len, const char *site, struct kept *kept)
{
	*kept = (struct kept){ 0 };
	const char *fault = len > KEPT_BYTES ? "it is too long" : json_strict_fault(text, len, DEPTH);
	kept->tree = fault ? NULL : cJSON_ParseWithLength(text, len);
	if (!kept->tree)
		wrong(reader, "%s", fault ? fault : "it is no JSON");
	else if (!cJSON_IsObject(kept->tree))
		wrong(reader, "it is no object");
	else
		read_origin(reader, kept->tree, site);
}

bool kept_parse(const char *text, size_t len, const char *site, struct kept *kept, char *why, size_t why_size)
{
	struct reader reader = { .why = why, .why_size = why_size };
	begin(&reader, text, len, site, kept);
	if (!reader.failed)
		read_learned(&reader, kept->tree, kept);
	if (reader.failed)
		kept_free(kept);
	else
		read_orders(kept->tree, kept);
	return !reader.failed;
}

bool kept_parse_orders(const char *text, size_t len, const char *site, struct kept *kept, char *why, size_t why_size)
{
	struct reader reader = { .why = why, .why_size = why_size };
	begin(&reader, text, len, site, kept);
	if (reader.failed)
		kept_free(kept);
	else
		read_orders(kept->tree, kept);
	return !reader.failed;
}

void kept_free(struct kept *kept)
{
	kept_wear_free(kept);
	kept_orders_free(&kept->orders);
	cJSON_Delete(kept->tree);
	*kept = (struct kept){ 0 };
}
