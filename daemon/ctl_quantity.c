#include "daemon/ctl_quantity.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit { const char *name; double factor; };

static const struct unit power_units[] = {
	{ "W", 1 }, { "kW", 1e3 }, { "MW", 1e6 }, { "GW", 1e9 }, { NULL, 0 },
};
static const struct unit duration_units[] = {
	{ "ms", 1 }, { "s", 1e3 }, { "min", 60e3 }, { "h", 3600e3 }, { "d", 86400e3 }, { NULL, 0 },
};

static bool parse_quantity(const struct unit *units, const char *text, int64_t *out)
{
	char *end;
	while (isspace((unsigned char)*text))
		text++;
	if (!isdigit((unsigned char)*text) && *text != '.')
		return false;                   /* strtod would take "inf", "nan" and signs */
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return false;
	double value = strtod(text, &end);
	if (end == text)
		return false;
	while (isspace((unsigned char)*end))
		end++;
	for (const struct unit *unit = units; unit->name; unit++) {
		if (strcmp(unit->name, end) != 0)
			continue;
		double scaled = round(value * unit->factor);
		if (!(scaled < 9e15))
			return false;
		*out = (int64_t)scaled;
		return true;
	}
	return false;
}

bool parse_power(const char *text, int64_t *out_w)
{
	return parse_quantity(power_units, text, out_w);
}

bool parse_duration(const char *text, int64_t *out_ms)
{
	return parse_quantity(duration_units, text, out_ms);
}

/* strptime, all of it: a fraction of a second and a Z may follow. */
static bool reads_as(const char *text, const char *format, struct tm *tm)
{
	const char *end = strptime(text, format, tm);
	if (!end)
		return false;
	if (*end == '.' && isdigit((unsigned char)end[1]))
		end += 1 + strspn(end + 1, "0123456789");
	return strcmp(end, "") == 0 || strcmp(end, "Z") == 0;
}

static bool moment(const char *text, time_t now, time_t *at)
{
	static const char *const dated[] = {
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d",
	};
	static const char *const today[] = { "%H:%M:%S", "%H:%M" };
	for (size_t i = 0; i < sizeof(dated) / sizeof(*dated); i++) {
		struct tm tm = { 0 };
		if (reads_as(text, dated[i], &tm)) {
			*at = timegm(&tm);
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(today) / sizeof(*today); i++) {
		struct tm tm = { 0 };
		if (gmtime_r(&now, &tm) && reads_as(text, today[i], &tm)) {
			tm.tm_sec = i == 0 ? tm.tm_sec : 0;
			*at = timegm(&tm);
			*at -= *at > now ? 86400 : 0;
			return true;
		}
	}
	return false;
}

bool parse_since(const char *text, time_t now, char buf[SINCE_BYTES])
{
	int64_t ago_ms;
	struct tm tm;
	time_t at = now;
	if (parse_duration(text, &ago_ms))
		at -= (time_t)(ago_ms / 1000);
	else if (!moment(text, now, &at))
		return false;
	return gmtime_r(&at, &tm) && strftime(buf, SINCE_BYTES, "%Y-%m-%dT%H:%M:%S", &tm) > 0;
}

/* Four digits of the largest figure, five where it begins with a one or two. */
struct power_unit power_unit_for(int64_t largest_w)
{
	static const struct { int64_t from_w; struct power_unit unit; } steps[] = {
		{ 10000000000, { "GW", 1000000000, 2 } }, { 1000000000, { "MW", 1000000, 0 } },
		{ 100000000, { "MW", 1000000, 1 } }, { 10000000, { "MW", 1000000, 2 } },
		{ 1000000, { "MW", 1000000, 3 } }, { 100000, { "kW", 1000, 1 } },
		{ 10000, { "kW", 1000, 2 } }, { 0, { "W", 1, 0 } },
	};
	size_t i = 0;
	while (steps[i].from_w > largest_w && steps[i].from_w > 0)
		i++;
	return steps[i].unit;
}

const char *format_power_in(struct power_unit unit, int64_t w, char *buf, size_t size)
{
	double digits = pow(10, unit.decimals);
	double shown = round((double)w / (double)unit.w * digits) / digits + 0.0;      /* nothing has no sign */
	if (w == FIGURE_UNKNOWN)
		snprintf(buf, size, "- %s", unit.name);
	else
		snprintf(buf, size, "%.*f %s", unit.decimals, shown, unit.name);
	return buf;
}

/* Three digits, in the largest unit that leaves one before the point. */
static const char *format_scaled(int64_t value, const char *suffix, char *buf, size_t size)
{
	static const char prefixes[] = "\0kMGT";
	double scaled = (double)value;
	size_t p = 0;
	while (fabs(scaled) >= 999.5 && p < sizeof(prefixes) - 2) {
		scaled /= 1000;
		p++;
	}
	int decimals = p == 0 || fabs(scaled) >= 99.95 ? 0 : fabs(scaled) >= 9.995 ? 1 : 2;
	char prefix[2] = { prefixes[p], '\0' };
	snprintf(buf, size, "%.*f %s%s", decimals, scaled, prefix, suffix);
	return buf;
}

const char *format_power(int64_t w, char *buf, size_t size)
{
	if (w != FIGURE_UNKNOWN)
		return format_scaled(w, "W", buf, size);
	snprintf(buf, size, "-");
	return buf;
}

const char *format_energy(int64_t wh, char *buf, size_t size)
{
	if (wh != FIGURE_UNKNOWN)
		return format_scaled(wh, "Wh", buf, size);
	snprintf(buf, size, "-");
	return buf;
}

const char *format_duration(int64_t ms, char *buf, size_t size)
{
	int64_t s = ms / 1000;
	const char *major = s < 3600 ? "min" : s < 86400 ? "h" : "d", *minor = s < 3600 ? "s" : s < 86400 ? "min" : "h";
	int64_t minor_s = s < 3600 ? 1 : s < 86400 ? 60 : 3600, major_s = s < 86400 ? minor_s * 60 : 86400;
	if (ms == FIGURE_UNKNOWN)
		snprintf(buf, size, "-");
	else if (ms < 10000)
		snprintf(buf, size, "%.1f s", (double)ms / 1000);
	else if (s < 60)
		snprintf(buf, size, "%d s", (int)s);
	else if (s % major_s < minor_s)
		snprintf(buf, size, "%lld %s", (long long)(s / major_s), major);
	else
		snprintf(buf, size, "%lld %s %d %s", (long long)(s / major_s), major, (int)(s % major_s / minor_s), minor);
	return buf;
}
