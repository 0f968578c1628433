#include "daemon/signal_json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/json_strict.h"

static bool refuse(struct signal_fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(struct signal_fault *fault, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(fault->why, sizeof(fault->why), format, args);
	va_end(args);
	return false;
}

static cJSON *parse(const char *text, size_t len, struct signal_fault *fault)
{
	*fault = (struct signal_fault){ .why = "" };
	if (len > SIGNAL_MOST_BYTES) {
		refuse(fault, "%zu bytes are more than %d", len, SIGNAL_MOST_BYTES);
		return NULL;
	}
	const char *wrong = json_strict_fault(text, len, SIGNAL_MOST_DEPTH);
	if (wrong) {
		refuse(fault, "%s", wrong);
		return NULL;
	}
	char *copy = malloc(len + 1);
	if (!copy)
		abort();
	memcpy(copy, text, len);
	copy[len] = '\0';
	cJSON *root = cJSON_ParseWithOpts(copy, NULL, true);
	free(copy);
	if (!root)
		refuse(fault, "not JSON");
	else if (!cJSON_IsObject(root))
		refuse(fault, "not a JSON object");
	else
		return root;
	cJSON_Delete(root);
	return NULL;
}

/* The member, or NULL where it is missing or null. False: it is there more than once. */
static bool member(const cJSON *root, const char *key, const cJSON **out, struct signal_fault *fault)
{
	const cJSON *found = NULL;
	for (const cJSON *item = root->child; item; item = item->next) {
		if (strcmp(item->string, key) != 0)
			continue;
		if (found)
			return refuse(fault, "%s is there twice", key);
		found = item;
	}
	*out = found && !cJSON_IsNull(found) ? found : NULL;
	return true;
}

bool signal_is_id(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-");
	return n >= 1 && n < ORDER_ID_SIZE && s[n] == '\0';
}

/* required false: a missing one leaves *out as it is. */
static bool take_id(const cJSON *root, const char *key, bool required, char out[ORDER_ID_SIZE], struct signal_fault *fault)
{
	const cJSON *item;
	if (!member(root, key, &item, fault))
		return false;
	if (!item)
		return required ? refuse(fault, "%s is missing", key) : true;
	if (!cJSON_IsString(item))
		return refuse(fault, "%s is not a string", key);
	if (!signal_is_id(item->valuestring))
		return refuse(fault, "%s must be 1 to %d of A-Z a-z 0-9 _ . : -", key, ORDER_ID_SIZE - 1);
	memcpy(out, item->valuestring, strlen(item->valuestring) + 1);
	return true;
}

static bool take_between(const cJSON *root, const char *key, bool required, double least, double most, double *out,
                         struct signal_fault *fault)
{
	const cJSON *item;
	if (!member(root, key, &item, fault))
		return false;
	if (!item)
		return required ? refuse(fault, "%s is missing", key) : true;
	if (!cJSON_IsNumber(item))
		return refuse(fault, "%s is not a number", key);
	if (!isfinite(item->valuedouble))
		return refuse(fault, "%s is not finite", key);
	if (item->valuedouble < least || item->valuedouble > most)
		return refuse(fault, "%s is out of range: %g is not within %.10g and %.10g", key, item->valuedouble, least, most);
	*out = item->valuedouble;
	return true;
}

static bool take_number(const cJSON *root, const char *key, bool required, double most, double *out,
                        struct signal_fault *fault)
{
	return take_between(root, key, required, 0, most, out, fault);
}

static bool take_watts(const cJSON *root, const char *key, bool required, int64_t *out, struct signal_fault *fault)
{
	double watts = (double)*out;
	if (!take_number(root, key, required, (double)ORDER_MOST_W, &watts, fault))
		return false;
	*out = (int64_t)watts;
	return true;
}

static bool take_time(const cJSON *root, const char *key, bool required, int64_t *out, struct signal_fault *fault)
{
	const cJSON *item;
	if (!member(root, key, &item, fault))
		return false;
	if (!item)
		return required ? refuse(fault, "%s is missing", key) : true;
	if (!cJSON_IsString(item))
		return refuse(fault, "%s is not a string", key);
	if (!rfc3339_parse(item->valuestring, out))
		return refuse(fault, "%s is not a time like 2026-11-22T05:04:03.021Z", key);
	return true;
}

static bool take_priority(const cJSON *root, struct order *order, struct signal_fault *fault)
{
	double priority = 0;
	if (!take_number(root, "priority", false, INT32_MAX, &priority, fault))
		return false;
	if (priority != floor(priority))
		return refuse(fault, "priority is not a whole number");
	order->priority = (int32_t)priority;
	return true;
}

static bool take_kind(const cJSON *root, struct order *order, struct signal_fault *fault)
{
	static const char *const names[] = {
		[ORDER_CAP] = "cap", [ORDER_SETPOINT] = "setpoint", [ORDER_SHED] = "shed", [ORDER_RELEASE] = "release",
	};
	const cJSON *item;
	if (!member(root, "kind", &item, fault))
		return false;
	if (!item || !cJSON_IsString(item))
		return refuse(fault, "kind is %s; there are cap, setpoint, shed, release", item ? "not a string" : "missing");
	for (uint8_t kind = 0; kind < sizeof(names) / sizeof(names[0]); kind++) {
		if (strcmp(names[kind], item->valuestring) == 0) {
			order->kind = kind;
			return true;
		}
	}
	return refuse(fault, "no such kind \"%.40s\"; there are cap, setpoint, shed, release", item->valuestring);
}

static bool take_figures(const cJSON *root, struct order *order, struct signal_fault *fault)
{
	switch ((enum order_kind)order->kind) {
	case ORDER_CAP:
		return take_watts(root, "limit_w", true, &order->watts, fault);
	case ORDER_SETPOINT:
		return take_watts(root, "setpoint_w", true, &order->watts, fault) &&
		       take_watts(root, "ramp_w_per_min", false, &order->ramp_w_per_min, fault);
	case ORDER_SHED:
		return take_watts(root, "keep_w", false, &order->watts, fault);
	case ORDER_RELEASE:
		return take_id(root, "releases", false, order->releases, fault);
	}
	return false;
}

static bool take_order(const cJSON *root, struct order *order, struct signal_fault *fault)
{
	if (!take_id(root, "id", true, order->id, fault))
		return false;
	memcpy(fault->id, order->id, sizeof(fault->id));
	return take_kind(root, order, fault) &&
	       take_figures(root, order, fault) &&
	       take_time(root, "issued", true, &order->issued_ms, fault) &&
	       take_time(root, "start", false, &order->start_ms, fault) &&
	       take_time(root, "end", order->kind != ORDER_RELEASE, &order->end_ms, fault) &&
	       take_priority(root, order, fault);
}

bool signal_order_parse(const char *text, size_t len, struct order *out, struct signal_fault *fault)
{
	struct order order = { .id = "" };
	cJSON *root = parse(text, len, fault);
	bool good = root && take_order(root, &order, fault);
	cJSON_Delete(root);
	if (good)
		*out = order;
	return good;
}

bool signal_target_parse(const char *text, size_t len, struct target_message *out, struct signal_fault *fault)
{
	double target = 0, timestamp = 0;
	double last_s = 253402300799.0;         /* the end of the year 9999 */
	cJSON *root = parse(text, len, fault);
	bool good = root && take_number(root, "target", true, 100, &target, fault) &&
	            take_number(root, "timestamp", true, last_s, &timestamp, fault);
	cJSON_Delete(root);
	if (good)
		*out = (struct target_message){ (int32_t)lround(target * 10000), (int64_t)(timestamp * 1000) };
	return good;
}

static bool take_notice(const cJSON *root, struct notice *notice, struct signal_fault *fault)
{
	double delta_w = 0, over_s = 0, most_w = (double)ORDER_MOST_W;
	if (!take_id(root, "id", true, notice->id, fault))
		return false;
	memcpy(fault->id, notice->id, sizeof(fault->id));
	if (!take_between(root, "delta_w", true, -most_w, most_w, &delta_w, fault) ||
	    !take_number(root, "over_s", false, NOTICE_MOST_OVER_MS / 1000, &over_s, fault))
		return false;
	notice->delta_w = (int64_t)delta_w;
	notice->over_ms = (int64_t)(over_s * 1000);
	return take_time(root, "at", notice->delta_w != 0, &notice->at_ms, fault);
}

bool signal_notice_parse(const char *text, size_t len, struct notice *out, struct signal_fault *fault)
{
	struct notice notice = { .id = "" };
	cJSON *root = parse(text, len, fault);
	bool good = root && take_notice(root, &notice, fault);
	cJSON_Delete(root);
	if (good)
		*out = notice;
	return good;
}

/* n digits as a number; -1 if they are not. */
static int digits(const char *s, int n)
{
	int value = 0;
	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

/* Days from 1970-01-01 of a date in the Gregorian calendar: years counted from March, so that leap days come last. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t since_march = (month + 9) % 12;
	return y * 365 + y / 4 - y / 100 + y / 400 + (since_march * 306 + 5) / 10 + day - 1 - 719468;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

static bool parse_date(const char *s, int64_t *days)
{
	if (strlen(s) < 20 || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != 't' && s[10] != ' '))
		return false;
	int year = digits(s, 4), month = digits(s + 5, 2), day = digits(s + 8, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
		return false;
	*days = days_of(year, month, day);
	return true;
}

/* A leap second is taken as the first moment of the next minute. */
static bool parse_clock(const char *s, int64_t *ms, const char **rest)
{
	int hour = digits(s, 2), minute = digits(s + 3, 2), second = digits(s + 6, 2);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || s[2] != ':' || s[5] != ':')
		return false;
	*ms = ((hour * 60LL + minute) * 60 + second) * 1000;
	s += 8;
	if (*s == '.') {
		int weight = 100;
		if (digits(++s, 1) < 0)
			return false;
		for (; digits(s, 1) >= 0; s++, weight /= 10)
			*ms += weight * digits(s, 1);
	}
	*rest = s;
	return true;
}

static bool parse_offset(const char *s, int64_t *ms)
{
	*ms = 0;
	if ((*s == 'Z' || *s == 'z') && s[1] == '\0')
		return true;
	if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':')
		return false;
	int hours = digits(s + 1, 2), minutes = digits(s + 4, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*ms = (hours * 60LL + minutes) * 60000 * (*s == '-' ? -1 : 1);
	return true;
}

bool rfc3339_parse(const char *text, int64_t *utc_ms)
{
	int64_t days, clock_ms, offset_ms;
	const char *rest;
	if (!parse_date(text, &days) || !parse_clock(text + 11, &clock_ms, &rest) || !parse_offset(rest, &offset_ms))
		return false;
	int64_t at_ms = days * 86400000 + clock_ms - offset_ms;
	if (at_ms < 0)
		return false;
	*utc_ms = at_ms;
	return true;
}
