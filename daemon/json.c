#include "daemon/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/xalloc.h"

static void put(struct json *json, const char *bytes, size_t n)
{
	if (json->len + n + 1 > json->size) {
		json->size = (json->len + n + 1) * 2;
		json->text = xrealloc(json->text, json->size);
	}
	memcpy(json->text + json->len, bytes, n);
	json->len += n;
	json->text[json->len] = '\0';
}

/* Length of the UTF-8 sequence at s, 0 if it is none. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct { unsigned char mask, lead; size_t n; uint32_t least; } forms[] = {
		{ 0xE0, 0xC0, 2, 0x80 }, { 0xF0, 0xE0, 3, 0x800 }, { 0xF8, 0xF0, 4, 0x10000 },
	};
	if (s[0] < 0x80)
		return 1;
	for (size_t f = 0; f < 3; f++) {
		if ((s[0] & forms[f].mask) != forms[f].lead)
			continue;
		uint32_t c = s[0] & (unsigned char)~forms[f].mask;
		for (size_t i = 1; i < forms[f].n; i++) {
			if ((s[i] & 0xC0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3F);
		}
		bool surrogate = c >= 0xD800 && c < 0xE000;
		return c >= forms[f].least && c <= 0x10FFFF && !surrogate ? forms[f].n : 0;
	}
	return 0;
}

static void put_quoted(struct json *json, const char *value)
{
	put(json, "\"", 1);
	for (const unsigned char *s = (const unsigned char *)value; *s; ) {
		size_t n = utf8_length(s);
		char escape[8];
		if (n == 0) {
			put(json, "\\ufffd", 6);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			escape[0] = '\\';
			escape[1] = (char)*s;
			put(json, escape, 2);
		} else if (*s < 0x20 || *s == 0x7F) {
			put(json, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", *s));
		} else {
			put(json, (const char *)s, n);
		}
		s += n;
	}
	put(json, "\"", 1);
}

static void begin(struct json *json, const char *key)
{
	if (json->comma)
		put(json, ",", 1);
	if (key) {
		put_quoted(json, key);
		put(json, ":", 1);
	}
	json->comma = true;
}

void json_reset(struct json *json)
{
	json->len = 0;
	json->comma = false;
	if (json->text)
		json->text[0] = '\0';
}

void json_free(struct json *json)
{
	free(json->text);
	*json = (struct json){ 0 };
}

static void open_with(struct json *json, const char *key, const char *bracket)
{
	begin(json, key);
	put(json, bracket, 1);
	json->comma = false;
}

static void close_with(struct json *json, const char *bracket)
{
	put(json, bracket, 1);
	json->comma = true;
}

void json_open(struct json *json, const char *key)       { open_with(json, key, "{"); }
void json_open_array(struct json *json, const char *key) { open_with(json, key, "["); }
void json_close(struct json *json)                       { close_with(json, "}"); }
void json_close_array(struct json *json)                 { close_with(json, "]"); }

void json_raw(struct json *json, const char *key, const char *text, size_t len)
{
	begin(json, key);
	put(json, text, len);
}

void json_null(struct json *json, const char *key)
{
	json_raw(json, key, "null", 4);
}

void json_bool(struct json *json, const char *key, bool value)
{
	json_raw(json, key, value ? "true" : "false", value ? 4 : 5);
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (!value) {
		json_null(json, key);
		return;
	}
	begin(json, key);
	put_quoted(json, value);
}

void json_format(struct json *json, const char *key, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_string(json, key, text);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	char text[32];
	json_raw(json, key, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)value));
}

void json_int_or_null(struct json *json, const char *key, int64_t value, int64_t unknown)
{
	if (value == unknown)
		json_null(json, key);
	else
		json_int(json, key, value);
}

void json_number(struct json *json, const char *key, double value, int decimals)
{
	char text[352];                 /* DBL_MAX has 309 digits before its point */
	if (!isfinite(value))
		json_null(json, key);
	else
		json_raw(json, key, text, (size_t)snprintf(text, sizeof(text), "%.*f", decimals, value));
}

void json_time(struct json *json, const char *key, int64_t utc_ms)
{
	if (utc_ms == 0) {
		json_null(json, key);
		return;
	}
	time_t s = (time_t)(utc_ms / 1000);
	struct tm tm;
	char text[40];
	if (!gmtime_r(&s, &tm)) {
		json_null(json, key);
		return;
	}
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(utc_ms % 1000));
	json_string(json, key, text);
}

void json_newline(struct json *json)
{
	put(json, "\n", 1);
	json->comma = false;
}
