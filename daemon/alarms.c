#include "daemon/alarms.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/xalloc.h"

#define WHY_SIZE 256
#define MINUTE_MS 60000
#define TOLD_A_MINUTE 10                /* changes of one alarm: wrong messages in turn with right ones must not fill the log */

struct alarm {
	char *name, *subject;           /* subject may be NULL */
	char why[WHY_SIZE];
	enum severity severity;
	bool raised;
	int64_t passes_ms;              /* monotonic, cleared then; 0: it lasts */
	int64_t since_utc_ms;
	uint64_t order;                 /* of raising */
	int64_t minute_ms;              /* monotonic, when this minute's first change was told, */
	uint32_t changes;               /* and how many there were since; those beyond … */
	bool untold;                    /* … what may be told wait for the next minute */
};

struct alarms {
	struct sink *sink;
	struct alarms_user user;
	struct alarm *items;
	size_t n, size;
	uint64_t raisings;
	struct json json;
};

struct alarms *alarms_new(struct sink *sink, struct alarms_user user)
{
	struct alarms *alarms = xcalloc(1, sizeof(*alarms));
	alarms->sink = sink;
	alarms->user = user;
	return alarms;
}

void alarms_free(struct alarms *alarms)
{
	if (!alarms)
		return;
	for (size_t i = 0; i < alarms->n; i++) {
		free(alarms->items[i].name);
		free(alarms->items[i].subject);
	}
	free(alarms->items);
	json_free(&alarms->json);
	free(alarms);
}

static struct alarm *find(const struct alarms *alarms, const char *name)
{
	for (size_t i = 0; i < alarms->n; i++)
		if (strcmp(alarms->items[i].name, name) == 0)
			return &alarms->items[i];
	return NULL;
}

static struct alarm *find_or_add(struct alarms *alarms, const char *name, const char *subject)
{
	struct alarm *alarm = find(alarms, name);
	if (alarm || alarms->n == ALARMS_MOST)
		return alarm;
	if (alarms->n == alarms->size) {
		alarms->size = alarms->size ? alarms->size * 2 : 16;
		alarms->items = xrealloc(alarms->items, alarms->size * sizeof(*alarms->items));
	}
	alarm = &alarms->items[alarms->n++];
	*alarm = (struct alarm){ .name = xstrdup(name), .subject = subject ? xstrdup(subject) : NULL };
	return alarm;
}

static const char *severity_name(enum severity severity)
{
	switch (severity) {
	case SEVERITY_WARNING:  return "warning";
	case SEVERITY_CRITICAL: return "critical";
	}
	return "";
}

static void write_members(const struct alarm *alarm, struct json *json)
{
	json_bool(json, "raised", alarm->raised);
	json_time(json, "since", alarm->since_utc_ms);
	json_string(json, "why", alarm->raised ? alarm->why : NULL);
	json_string(json, "severity", severity_name(alarm->severity));
	json_string(json, "subject", alarm->subject);
}

static void publish(struct alarms *alarms, const struct alarm *alarm)
{
	char topic[512];
	snprintf(topic, sizeof(topic), "alarm/%s", alarm->name);
	json_reset(&alarms->json);
	json_open(&alarms->json, NULL);
	write_members(alarm, &alarms->json);
	json_close(&alarms->json);
	alarms->sink->put(alarms->sink, topic, DELIVER_STATE, alarms->json.text, alarms->json.len);
}

static void tell(const struct alarms *alarms, struct alarm *alarm, struct instant now)
{
	if (now.mono_ms - alarm->minute_ms >= MINUTE_MS) {
		alarm->minute_ms = now.mono_ms;
		alarm->changes = 0;
	}
	alarm->untold = ++alarm->changes > TOLD_A_MINUTE;
	if (!alarm->untold && alarms->user.on_change)
		alarms->user.on_change(alarms->user.self, alarm->name, alarm->raised, alarm->severity, alarm->why);
}

void alarms_declare(struct alarms *alarms, const char *name, const char *subject, struct instant now)
{
	struct alarm *alarm = find_or_add(alarms, name, subject);
	if (!alarm || alarm->raised)
		return;
	alarm->since_utc_ms = now.utc_ms;
	publish(alarms, alarm);
}

static const char *skip_figure(const char *s)
{
	return s + strspn(s, "0123456789.");
}

/* Equal but for figures: a figure is digits and points, so that 9.5 and 1012 are the same to it. */
static bool same_but_figures(const char *a, const char *b)
{
	for (;;) {
		bool figures = *a >= '0' && *a <= '9' && *b >= '0' && *b <= '9';
		if (figures) {
			a = skip_figure(a);
			b = skip_figure(b);
		} else if (*a != *b) {
			return false;
		} else if (*a == '\0') {
			return true;
		} else {
			a++;
			b++;
		}
	}
}

static void clear(struct alarms *alarms, struct alarm *alarm, struct instant now)
{
	if (!alarm->raised)
		return;
	alarm->raised = false;
	alarm->passes_ms = 0;
	alarm->since_utc_ms = now.utc_ms;
	publish(alarms, alarm);
	tell(alarms, alarm, now);
}

__attribute__((format(printf, 7, 0)))
static void raise_as(struct alarms *alarms, const char *name, enum severity severity, const char *subject, struct instant now,
                     bool passes, const char *format, va_list args)
{
	char why[WHY_SIZE];
	vsnprintf(why, sizeof(why), format, args);
	struct alarm *alarm = find_or_add(alarms, name, subject);
	if (!alarm)
		return;
	bool lasts = alarm->raised && !alarm->passes_ms;
	alarm->passes_ms = passes && !lasts ? now.mono_ms + ALARMS_PASSING_MS : 0;
	bool same = alarm->raised && alarm->severity == severity && same_but_figures(alarm->why, why);
	memcpy(alarm->why, why, sizeof(alarm->why));
	alarm->severity = severity;
	if (same)
		return;
	if (!alarm->raised) {
		alarm->since_utc_ms = now.utc_ms;
		alarm->order = ++alarms->raisings;
	}
	alarm->raised = true;
	publish(alarms, alarm);
	tell(alarms, alarm, now);
}

void alarms_raise(struct alarms *alarms, const char *name, enum severity severity, const char *subject,
                  struct instant now, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	raise_as(alarms, name, severity, subject, now, false, format, args);
	va_end(args);
}

void alarms_raise_passing(struct alarms *alarms, const char *name, const char *subject, struct instant now,
                          const char *format, ...)
{
	va_list args;
	va_start(args, format);
	raise_as(alarms, name, SEVERITY_WARNING, subject, now, true, format, args);
	va_end(args);
}

void alarms_pass(struct alarms *alarms, struct instant now)
{
	for (size_t i = 0; i < alarms->n; i++) {
		struct alarm *alarm = &alarms->items[i];
		if (alarm->passes_ms && now.mono_ms >= alarm->passes_ms)
			clear(alarms, alarm, now);
		if (alarm->untold && now.mono_ms - alarm->minute_ms >= MINUTE_MS)
			tell(alarms, alarm, now);
	}
}

void alarms_clear(struct alarms *alarms, const char *name, struct instant now)
{
	struct alarm *alarm = find(alarms, name);
	if (alarm)
		clear(alarms, alarm, now);
}

void alarms_clear_all(struct alarms *alarms, struct instant now)
{
	for (size_t i = 0; i < alarms->n; i++)
		clear(alarms, &alarms->items[i], now);
}

bool alarms_raised(const struct alarms *alarms, const char *name)
{
	const struct alarm *alarm = find(alarms, name);
	return alarm && alarm->raised;
}

size_t alarms_count(const struct alarms *alarms)
{
	size_t n = 0;
	for (size_t i = 0; i < alarms->n; i++)
		n += alarms->items[i].raised;
	return n;
}

/* The raised one that was raised next after `order`; NULL: none. */
static const struct alarm *next_raised(const struct alarms *alarms, uint64_t order)
{
	const struct alarm *next = NULL;
	for (size_t i = 0; i < alarms->n; i++) {
		const struct alarm *alarm = &alarms->items[i];
		if (alarm->raised && alarm->order > order && (!next || alarm->order < next->order))
			next = alarm;
	}
	return next;
}

void alarms_json(const struct alarms *alarms, struct json *json, const char *key)
{
	json_open_array(json, key);
	for (const struct alarm *a = next_raised(alarms, 0); a; a = next_raised(alarms, a->order)) {
		json_open(json, NULL);
		json_string(json, "name", a->name);
		write_members(a, json);
		json_close(json);
	}
	json_close_array(json);
}
