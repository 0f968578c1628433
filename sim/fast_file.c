/* sim/fast_file.c - the text of a scenario. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/fast_case.h"
#include "sim/options.h"
#include "sim/units.h"

static char *trimmed(char *text)
{
	text += strspn(text, " \t");
	for (char *end = text + strlen(text); end > text && strchr(" \t\r\n", end[-1]); )
		*--end = '\0';
	return text;
}

static bool word(char *to, size_t size, const char *text)
{
	return *text && snprintf(to, size, "%s", text) < (int)size;
}

static bool count(const char *text, int64_t *n)
{
	return units_count(text, 1000000, n);
}

static bool jobs(const char *text, int64_t *n)
{
	return count(text, n) && *n > 0;
}

/* Loads are reckoned in thousandths of it. */
static bool peak(const char *text, int64_t *watts)
{
	return units_watts(text, watts) && *watts >= 1000;
}

static bool house(const char *text, int64_t *watts)
{
	return units_watts(text, watts) && *watts >= 0;
}

static bool within_a_week(const char *text, int64_t *ms)
{
	return units_ms(text, ms) && *ms <= 7 * 86400000LL;
}

static bool averaged(const char *text, int64_t *ms)
{
	return units_ms(text, ms) && *ms <= FAST_AVERAGED_MS;
}

/* A mean, a spectrum and a set point need a little. */
static bool lasts(const char *text, int64_t *ms)
{
	return within_a_week(text, ms) && *ms >= 10000;
}

/* "square 40s", "trace FILE", "noise 20s", "constant". */
static bool set_load(struct fast_file *file, char *text)
{
	char *rest = text + strcspn(text, " ");
	if (*rest)
		*rest++ = '\0';
	rest = trimmed(rest);
	if (!word(file->load, sizeof file->load, text))
		return false;
	if (strcmp(text, "trace") == 0)
		return word(file->load_file, sizeof file->load_file, rest);
	if (strcmp(text, "constant") == 0)
		return !*rest;
	static const char *const timed[] = { "square", "steps", "triangle", "stairs", "failures", "noise" };
	for (size_t k = 0; k < sizeof timed / sizeof *timed; k++)
		if (strcmp(text, timed[k]) == 0)
			return units_ms(rest, &file->load_ms) && file->load_ms >= 2000;
	return false;
}

static bool set_setpoint(struct fast_file *file, char *text)
{
	char *rest = text + strcspn(text, " ");
	if (*rest)
		*rest++ = '\0';
	rest = trimmed(rest);
	if (!word(file->setpoint, sizeof file->setpoint, text))
		return false;
	return strcmp(text, "trace") == 0 ? word(file->setpoint_file, sizeof file->setpoint_file, rest) :
	                                    strcmp(text, "ercot") == 0 && !*rest;
}

static bool add_fleet(struct fast_file *file, char *text)
{
	char *number = strchr(text, ':'), *peak_text = strchr(text, '/');
	int64_t n;
	if (!number || file->n_fleets == FAST_FLEETS)
		return false;
	*number++ = '\0';
	if (peak_text)
		*peak_text++ = '\0';
	bool mixed = strcmp(text, "mixed") == 0;
	struct fast_fleet *fleet = &file->fleets[file->n_fleets++];
	*fleet = (struct fast_fleet){ 0 };
	if (!count(number, &n) || n < (mixed ? 2 : 1) || (peak_text && !peak(peak_text, &fleet->peak_w)))
		return false;
	fleet->n = (size_t)n;
	return (mixed || strcmp(text, "fast") == 0 || strcmp(text, "slow") == 0) && word(fleet->kind, sizeof fleet->kind, text);
}

static bool set_fleets(struct fast_file *file, char *text)
{
	file->n_fleets = 0;
	for (char *item; (item = strsep(&text, ","));)
		if (!add_fleet(file, trimmed(item)))
			return false;
	return true;
}

/* "20min:cap=60MW/15min". */
static bool add_order(struct fast_file *file, char *text, enum order_kind kind)
{
	char *equals = strchr(text, '='), *over = strchr(text, '/');
	struct fast_order *order = &file->orders[file->n_orders];
	if (file->n_orders == FAST_ORDERS || !over)
		return false;
	*strchr(text, ':') = *equals = *over = '\0';
	*order = (struct fast_order){ .kind = kind };
	file->n_orders++;
	return within_a_week(text, &order->at_ms) && units_watts(equals + 1, &order->watts) && order->watts >= 0 &&
	       order->watts <= ORDER_MOST_W && within_a_week(over + 1, &order->lasts_ms) && order->lasts_ms > 0;
}

/* "20min:notice=+300kW/1s", "20min:notice=+300kW/1s/15min". */
static bool add_notice(struct fast_file *file, char *text)
{
	enum { LEAD_MS = 30000 };
	char *equals = strchr(text, '='), *over = strchr(text, '/'), *lead = over ? strchr(over + 1, '/') : NULL;
	struct fast_notice *notice = &file->told[file->n_told];
	int64_t lead_ms = LEAD_MS;
	if (file->n_told == FAST_ORDERS || !over)
		return false;
	*strchr(text, ':') = *equals = *over = '\0';
	if (lead)
		*lead = '\0';
	file->n_told++;
	if (!units_ms(text, &notice->at_ms) || !units_watts(equals + 1, &notice->delta_w) || !units_ms(over + 1, &notice->over_ms) ||
	    (lead && !units_ms(lead + 1, &lead_ms)) || lead_ms > notice->at_ms)
		return false;
	notice->told_ms = notice->at_ms - lead_ms;
	return true;
}

static bool add_happening(struct fast_file *file, char *text, char *why, size_t size)
{
	if (strstr(text, ":cap="))
		return add_order(file, text, ORDER_CAP);
	if (strstr(text, ":shed="))
		return add_order(file, text, ORDER_SHED);
	if (strstr(text, ":notice="))
		return add_notice(file, text);
	return timeline_add(&file->farm, text, why, size);
}

static bool set_number(const char *text, double *value)
{
	char *end;
	*value = strtod(text, &end);
	return end != text && !*end;
}

static bool set_partial(struct fast_file *file, char *text)
{
	file->whole = strcmp(text, "no") == 0;
	return file->whole || strcmp(text, "yes") == 0;
}

/* Else why not. */
static bool take(struct fast_file *file, const char *key, char *value, char *why, size_t size)
{
	const struct { const char *key; int64_t *to; bool (*read)(const char *, int64_t *); } plain[] = {
		{ "jobs", &file->jobs, jobs }, { "seed", &file->seed, count }, { "peak", &file->peak_w, peak },
		{ "house", &file->house_w, house }, { "lasts", &file->lasts_ms, lasts },
		{ "begin", &file->begin_ms, units_ms }, { "announce", &file->announce_ms, units_ms },
		{ "restart", &file->restart_ms, units_ms }, { "refresh", &file->refresh_ms, units_ms },
		{ "averaged", &file->averaged_ms, averaged },
	};
	const struct { const char *key; int32_t *to; } shares[] = {
		{ "floor", &file->floor_permille }, { "share", &file->share_permille },
		{ "level", &file->level_permille }, { "span", &file->span_permille },
		{ "unmetered", &file->unmetered_permille },
	};
	const struct { const char *key; bool (*read)(struct fast_file *, char *); } parsed[] = {
		{ "load", set_load }, { "fleets", set_fleets }, { "setpoint", set_setpoint }, { "partial", set_partial },
	};
	snprintf(why, size, "\"%s\" will not do", value);
	for (size_t k = 0; k < sizeof plain / sizeof *plain; k++)
		if (strcmp(key, plain[k].key) == 0)
			return plain[k].read(value, plain[k].to);
	for (size_t k = 0; k < sizeof shares / sizeof *shares; k++)
		if (strcmp(key, shares[k].key) == 0)
			return units_permille(value, shares[k].to);
	for (size_t k = 0; k < sizeof parsed / sizeof *parsed; k++)
		if (strcmp(key, parsed[k].key) == 0)
			return parsed[k].read(file, value);
	if (strcmp(key, "at") == 0)
		return add_happening(file, value, why, size);
	if (strcmp(key, "breakeven") == 0)
		return set_number(value, &file->breakeven);
	if (strcmp(key, "price") == 0)
		return word(file->price_file, sizeof file->price_file, value);
	snprintf(why, size, "there is no such key in a scenario");
	return false;
}

static void set_defaults(struct fast_file *file, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	*file = (struct fast_file){ .load = "constant", .jobs = 1, .seed = 1, .peak_w = 50000000, .house_w = 500000,
		.lasts_ms = 3600000, .floor_permille = 600, .share_permille = 300, .level_permille = 500, .span_permille = 300 };
	snprintf(file->name, sizeof file->name, "%.*s", (int)strcspn(base, "."), base);
}

/* 0, or -1 and why. */
static int take_line(struct fast_file *file, char *text, char *why, size_t size)
{
	char told[160] = "not key = value";
	text[strcspn(text, "#")] = '\0';
	char *key = trimmed(text), *value = strchr(key, '=');
	if (!*key)
		return 0;
	if (value)
		*value++ = '\0';
	key = trimmed(key);
	if (value && take(file, key, trimmed(value), told, sizeof told))
		return 0;
	snprintf(why, size, "%s: %s", key, told);
	return -1;
}

int fast_file_read(struct fast_file *file, const char *path, char *why, size_t size)
{
	char text[512], told[300];
	FILE *in = fopen(path, "re");
	int line = 0, err = 0;
	set_defaults(file, path);
	while (in && !err && fgets(text, sizeof text, in)) {
		line++;
		err = take_line(file, text, told, sizeof told);
	}
	if (!in || ferror(in))
		err = snprintf(why, size, "%s: %s", path, strerror(errno));
	else if (err)
		snprintf(why, size, "%s:%d: %s", path, line, told);
	else if (file->n_fleets == 0)
		err = snprintf(why, size, "%s: names no fleets", path);
	if (in)
		fclose(in);
	return err ? -1 : 0;
}
