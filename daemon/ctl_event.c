#include "daemon/ctl_event.h"

#include <string.h>

#include "daemon/ctl_canvas.h"
#include "daemon/ctl_model.h"

static bool ends_in(const char *key, const char *end)
{
	size_t n = strlen(key), m = strlen(end);
	return n > m && strcmp(key + n - m, end) == 0;
}

/* "first_command" as "first command"; the unit at its end is told with the figure. */
static void label_of(const char *key, const char *unit, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)(strlen(key) - strlen(unit)), key);
	for (char *c = buf; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	clean_text(buf);
}

/* "1.95 MW (1950119 W)": to read, and to settle by. */
static void figure_of(int64_t value, const char *shown, const char *unit, char *buf, size_t size)
{
	if (value == FIGURE_UNKNOWN || (value > -1000 && value < 1000))
		snprintf(buf, size, "%s", shown);
	else
		snprintf(buf, size, "%s (%lld %s)", shown, (long long)value, unit);
}

static void value_of(const cJSON *event, const char *key, const char *unit, char *buf, size_t size)
{
	const char *text = json_text(event, key);
	char clock[9], shown[32];
	int64_t value = json_figure(event, key);
	if (strcmp(unit, "_wh") == 0)
		figure_of(value, format_energy(value, shown, sizeof(shown)), "Wh", buf, size);
	else if (strcmp(unit, "_w") == 0)
		figure_of(value, format_power(value, shown, sizeof(shown)), "W", buf, size);
	else if (strcmp(unit, "_s") == 0)
		format_duration(json_scaled(event, key, 1000), buf, size);
	else if (strlen(text) >= 23 && text[10] == 'T' && strcmp(clock_of(text, clock), "--:--:--") != 0)
		snprintf(buf, size, "%.10s %s%.4s UTC", text, clock, text + 19);
	else
		snprintf(buf, size, "%s", *text ? text : "-");
	clean_text(buf);
}

void event_print(FILE *out, const cJSON *event)
{
	static const char *const units[] = { "_wh", "_w", "_s", "" };
	const cJSON *member;
	char label[64], value[512];
	cJSON_ArrayForEach(member, event) {
		size_t u = 0;
		while (*units[u] && !ends_in(member->string, units[u]))
			u++;
		label_of(member->string, units[u], label, sizeof(label));
		value_of(event, member->string, units[u], value, sizeof(value));
		fprintf(out, "%-14s %s\n", label, value);
	}
}
