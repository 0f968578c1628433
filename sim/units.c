#include "sim/units.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct unit { const char *name; double factor; };

static bool measure(const char *text, const struct unit *units, size_t n, double most, double *value)
{
	char *end;
	double number = strtod(text, &end);
	if (end == text || !isfinite(number))
		return false;
	while (*end == ' ')
		end++;
	for (size_t u = 0; u < n; u++)
		if (strcmp(end, units[u].name) == 0 && fabs(number) * units[u].factor <= most) {
			*value = number * units[u].factor;
			return true;
		}
	return false;
}

bool units_watts(const char *text, int64_t *watts)
{
	static const struct unit units[] = { { "W", 1 }, { "kW", 1e3 }, { "MW", 1e6 }, { "GW", 1e9 } };
	double value;
	if (!measure(text, units, 4, 1e11, &value))
		return false;
	*watts = llround(value);
	return true;
}

bool units_ms(const char *text, int64_t *ms)
{
	static const struct unit units[] = { { "ms", 1 }, { "s", 1e3 }, { "min", 6e4 }, { "h", 36e5 } };
	double value;
	if (!measure(text, units, 4, 1e12, &value) || value < 0)
		return false;
	*ms = llround(value);
	return true;
}

bool units_permille(const char *text, int32_t *permille)
{
	static const struct unit units[] = { { "%", 10 } };
	double value;
	if (!measure(text, units, 1, 1000, &value) || value < 0)
		return false;
	*permille = (int32_t)lround(value);
	return true;
}

bool units_count(const char *text, int64_t most, int64_t *count)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*count = strtoll(text, &end, 10);
	return errno == 0 && !*end && *count <= most;
}
