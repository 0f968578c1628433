#include "config/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_DIGITS 15

struct unit { const char *name; int64_t times, per; };  /* value = number * times / per, in the unit inside */

static const struct unit power_units[] = {
	{"W", 1, 1}, {"kW", 1000, 1}, {"MW", 1000000, 1}, {"GW", 1000000000, 1}, {NULL, 0, 0},
};
static const struct unit ramp_units[] = {
	{"W/s", 60, 1}, {"kW/s", 60000, 1}, {"MW/s", 60000000, 1},
	{"W/min", 1, 1}, {"kW/min", 1000, 1}, {"MW/min", 1000000, 1},
	{"kW/h", 1000, 60}, {"MW/h", 1000000, 60}, {NULL, 0, 0},
};
static const struct unit duration_units[] = {
	{"ms", 1, 1}, {"s", 1000, 1}, {"min", 60000, 1}, {"h", 3600000, 1},
	{"d", 86400000, 1}, {"day", 86400000, 1}, {"days", 86400000, 1}, {NULL, 0, 0},
};
static const struct unit frequency_units[] = {{"mHz", 1, 1}, {"Hz", 1000, 1}, {NULL, 0, 0}};
static const struct unit efficiency_units[] = {{"J/TH", 1000, 1}, {NULL, 0, 0}};
static const struct unit percent_units[] = {{"%", 100, 1}, {NULL, 0, 0}};

static const struct words { const struct unit *units; const char *name, *list, *example; } words[] = {
	[QUANTITY_POWER]      = {power_units, "a power", "W, kW, MW or GW", "20 MW"},
	[QUANTITY_RAMP]       = {ramp_units, "a ramp",
	                         "W/s, kW/s, MW/s, W/min, kW/min, MW/min, kW/h or MW/h", "2 MW/min"},
	[QUANTITY_DURATION]   = {duration_units, "a duration", "ms, s, min, h or d", "250 ms"},
	[QUANTITY_FREQUENCY]  = {frequency_units, "a frequency", "mHz or Hz", "59.7 Hz"},
	[QUANTITY_EFFICIENCY] = {efficiency_units, "an efficiency", "J/TH", "17.5 J/TH"},
	[QUANTITY_PERCENT]    = {percent_units, "a share", "%", "5 %"},
};

const char *quantity_name(enum quantity q) { return words[q].name; }
const char *quantity_units(enum quantity q) { return words[q].list; }
const char *quantity_example(enum quantity q) { return words[q].example; }

/* number = mantissa / scale, exactly */
struct decimal { int64_t mantissa, scale; };

/* Returns what follows the number, or NULL; digits beyond what is exact make *fits false. */
static const char *decimal_parse(const char *text, struct decimal *number, bool *fits)
{
	const char *p = text;
	bool negative = *p == '-', point = false;
	int digits = 0;
	*number = (struct decimal){0, 1};
	*fits = true;
	for (p += negative; isdigit((unsigned char)*p) || (*p == '.' && !point); p++) {
		if (*p == '.') {
			if (!isdigit((unsigned char)p[1]))
				return NULL;
			point = true;
			continue;
		}
		if (digits == 0 && !point && p[0] == '0' && isdigit((unsigned char)p[1]))
			return NULL;
		if (++digits > MAX_DIGITS) {
			*fits = false;
			continue;
		}
		number->mantissa = number->mantissa * 10 + (*p - '0');
		number->scale *= point ? 10 : 1;
	}
	if (negative)
		number->mantissa = -number->mantissa;
	return digits && text[negative] != '.' ? p : NULL;
}

static enum quantity_fault convert(struct decimal number, const struct unit *unit, int64_t *value)
{
	__int128 up = (__int128)number.mantissa * unit->times;
	__int128 down = (__int128)number.scale * unit->per;
	__int128 rounded = (up + (up < 0 ? -down : down) / 2) / down;
	if (rounded > INT64_MAX || rounded < INT64_MIN)
		return QUANTITY_TOO_LONG;
	if (rounded == 0 && number.mantissa != 0)
		return QUANTITY_TOO_FINE;
	*value = (int64_t)rounded;
	return QUANTITY_FINE;
}

enum quantity_fault quantity_parse(enum quantity quantity, const char *text, int64_t *value)
{
	struct decimal number;
	bool fits;
	const char *unit = decimal_parse(text, &number, &fits);
	if (!unit)
		return QUANTITY_NO_NUMBER;
	if (!*unit)
		return QUANTITY_NO_UNIT;
	unit += *unit == ' ';
	for (const struct unit *u = words[quantity].units; u->name; u++)
		if (strcmp(unit, u->name) == 0)
			return fits ? convert(number, u, value) : QUANTITY_TOO_LONG;
	return QUANTITY_WRONG_UNIT;
}

const char *quantity_unit_meant(enum quantity quantity, const char *text)
{
	static const struct { const char *written, *meant; } durations[] = {
		{"sec", "s"}, {"secs", "s"}, {"second", "s"}, {"seconds", "s"}, {"m", "min"}, {"mins", "min"}, {"minute", "min"},
		{"minutes", "min"}, {"hr", "h"}, {"hour", "h"}, {"hours", "h"},
	};
	struct decimal number;
	bool fits;
	const char *unit = decimal_parse(text, &number, &fits);
	if (!unit)
		return NULL;
	unit += strspn(unit, " ");
	for (const struct unit *u = words[quantity].units; u->name; u++)
		if (strcasecmp(unit, u->name) == 0)
			return u->name;
	for (size_t i = 0; quantity == QUANTITY_DURATION && i < sizeof durations / sizeof *durations; i++)
		if (strcasecmp(unit, durations[i].written) == 0)
			return durations[i].meant;
	return NULL;
}

bool integer_parse(const char *text, int64_t *value)
{
	bool negative = *text == '-', hex = strncmp(text, "0x", 2) == 0;
	const char *digits = text + negative + (hex ? 2 : 0);
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	if (n == 0 || digits[n] || (!hex && n > 1 && digits[0] == '0'))
		return false;
	errno = 0;
	long long got = strtoll(text, NULL, hex ? 16 : 10);
	if (errno)
		return false;
	*value = got;
	return true;
}

bool number_parse(const char *text, double *value)
{
	struct decimal mantissa;
	bool fits;
	const char *p = decimal_parse(text, &mantissa, &fits);
	if (!p)
		return false;
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '-' || p[1] == '+');
		if (!isdigit((unsigned char)*p))
			return false;
		p += strspn(p, "0123456789");
	}
	double got = strtod(text, NULL);
	if (*p || !isfinite(got))
		return false;
	*value = got;
	return true;
}
