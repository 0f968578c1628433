#include "drivers/cgminer_json.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* cJSON recurses as deep as the text nests, up to 1000. */
static bool too_deep(const char *text)
{
	int depth = 0;
	bool in_string = false;
	for (const char *c = text; *c; c++) {
		if (in_string) {
			if (*c == '\\' && c[1])
				c++;
			else if (*c == '"')
				in_string = false;
		} else if (*c == '"') {
			in_string = true;
		} else if (*c == '{' || *c == '[') {
			if (++depth > CGMINER_MOST_DEPTH)
				return true;
		} else if (*c == '}' || *c == ']') {
			depth--;
		}
	}
	return false;
}

struct repair {
	const char *at, *end;           /* of the input */
	char *out;
	size_t n;
	uint64_t swapped;               /* bit per depth: the bracket there became a brace */
	unsigned depth;
	char last;                      /* byte put last that is no blank; 0: none yet */
};

static void put(struct repair *r, char c)
{
	r->out[r->n++] = c;
	if (!strchr(" \t\r\n", c))
		r->last = c;
}

static const char *skip_blanks(const struct repair *r, const char *c)
{
	while (c < r->end && (*c == ' ' || *c == '\t' || *c == '\r' || *c == '\n'))
		c++;
	return c;
}

static const char *string_end(const struct repair *r, const char *quote)
{
	const char *c = quote + 1;
	while (c < r->end && *c != '"')
		c += *c == '\\' && c + 1 < r->end ? 2 : 1;
	return c < r->end ? c + 1 : r->end;
}

/* ["329":"2022-01-17 11:28:11"]: WhatsMiner's list of errors is an object in an array's brackets. */
static bool holds_pairs(const struct repair *r, const char *bracket)
{
	const char *c = skip_blanks(r, bracket + 1);
	if (c == r->end || *c != '"')
		return false;
	c = skip_blanks(r, string_end(r, c));
	return c < r->end && *c == ':';
}

static void repair_open(struct repair *r)
{
	char c = *r->at;
	if (r->last == '}')             /* bmminer's stats: no comma after the version */
		put(r, ',');
	uint64_t bit = r->depth < 64 ? UINT64_C(1) << r->depth : 0;
	r->swapped &= ~bit;
	if (c == '[' && holds_pairs(r, r->at)) {
		r->swapped |= bit;
		c = '{';
	}
	r->depth++;
	put(r, c);
	r->at++;
}

static void repair_close(struct repair *r)
{
	char c = *r->at++;
	if (r->depth > 0)
		r->depth--;
	bool swapped = r->depth < 64 && r->swapped >> r->depth & 1;
	put(r, c == ']' && swapped ? '}' : c);
}

static void repair_comma(struct repair *r)
{
	const char *next = skip_blanks(r, r->at + 1);
	bool before_close = next < r->end && (*next == '}' || *next == ']');
	bool after_open = r->last == '{' || r->last == '[';
	if (r->last == 0)               /* a fragment: ,"id":1} */
		put(r, '{');
	else if (!before_close && !after_open)
		put(r, ',');
	r->at++;
}

static void repair_string(struct repair *r)
{
	if (r->last == '"')             /* two strings with nothing between them */
		put(r, ',');
	const char *end = string_end(r, r->at);
	memcpy(r->out + r->n, r->at, (size_t)(end - r->at));
	r->n += (size_t)(end - r->at);
	r->at = end;
	r->last = '"';
}

/* What C prints for a number that is none. */
static bool repair_word(struct repair *r)
{
	static const char *const words[] = { "-nan", "nan", "-inf", "inf" };
	if (r->last != ':' && r->last != '[' && r->last != ',')
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = strlen(words[i]);
		if ((size_t)(r->end - r->at) <= n || strncasecmp(r->at, words[i], n) != 0 ||
		    !strchr(",}] \t\r\n", r->at[n]))
			continue;
		memcpy(r->out + r->n, "null", 4);
		r->n += 4;
		r->at += n;
		r->last = 'l';
		return true;
	}
	return false;
}

/* No step puts out more than two bytes for each it reads. */
size_t cgminer_json_repair(const char *text, size_t len, char *out)
{
	struct repair r = { .at = text, .end = text + len, .out = out };
	while (r.at < r.end) {
		char c = *r.at;
		if (c == '"')
			repair_string(&r);
		else if (c == '{' || c == '[')
			repair_open(&r);
		else if (c == '}' || c == ']')
			repair_close(&r);
		else if (c == ',')
			repair_comma(&r);
		else if (!repair_word(&r))
			put(&r, *r.at++);
	}
	out[r.n] = '\0';
	return r.n;
}

static cJSON *parse_strictly(const char *text)
{
	return too_deep(text) ? NULL : cJSON_ParseWithOpts(text, NULL, 1);
}

cJSON *cgminer_json_parse(const char *text)
{
	cJSON *tree = parse_strictly(text);
	if (tree)
		return tree;
	size_t len = strlen(text);
	char *repaired = malloc(2 * len + 1);
	if (!repaired)
		abort();
	cgminer_json_repair(text, len, repaired);
	tree = parse_strictly(repaired);
	free(repaired);
	return tree;
}

const cJSON *cgminer_json_get(const cJSON *object, const char *key)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const char *cgminer_json_text(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cgminer_json_get(object, key));
}

/* strtod alone would take "inf", "nan" and "0x10" too. */
static bool text_number(const char *text, double *value)
{
	size_t blanks = strspn(text, " \t");
	size_t n = strspn(text + blanks, "+-.0123456789eE");
	char *end;
	double number = strtod(text + blanks, &end);
	if (n == 0 || end != text + blanks + n || end[strspn(end, " \t")] != '\0' || !isfinite(number))
		return false;
	*value = number;
	return true;
}

bool cgminer_json_number(const cJSON *object, const char *key, double *value)
{
	const cJSON *item = cgminer_json_get(object, key);
	if (cJSON_IsString(item))
		return text_number(item->valuestring, value);
	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
		return false;
	*value = item->valuedouble;
	return true;
}

bool cgminer_json_bool(const cJSON *object, const char *key, bool *value)
{
	const cJSON *item = cgminer_json_get(object, key);
	double number;
	if (cJSON_IsBool(item))
		*value = cJSON_IsTrue(item);
	else if (cJSON_IsString(item) && strcasecmp(item->valuestring, "true") == 0)
		*value = true;
	else if (cJSON_IsString(item) && strcasecmp(item->valuestring, "false") == 0)
		*value = false;
	else if (cgminer_json_number(object, key, &number))
		*value = number != 0;
	else
		return false;
	return true;
}
