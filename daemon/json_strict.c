#include "daemon/json_strict.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DEPTH_LIMIT 64

struct scan {
	const unsigned char *at, *end;
	const char *fault;
};

static bool fail(struct scan *scan, const char *fault)
{
	scan->fault = fault;
	return false;
}

static bool next_is(const struct scan *scan, unsigned char c)
{
	return scan->at < scan->end && *scan->at == c;
}

static bool skip(struct scan *scan, unsigned char c)
{
	bool there = next_is(scan, c);
	scan->at += there;
	return there;
}

static void skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
		scan->at++;
}

static size_t skip_digits(struct scan *scan)
{
	const unsigned char *from = scan->at;
	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return (size_t)(scan->at - from);
}

static bool scan_number(struct scan *scan)
{
	skip(scan, '-');
	if (!skip(scan, '0') && skip_digits(scan) == 0)
		return fail(scan, "not JSON");
	if (skip(scan, '.') && skip_digits(scan) == 0)
		return fail(scan, "not JSON: no digit after a decimal point");
	if (skip(scan, 'e') || skip(scan, 'E')) {
		if (!skip(scan, '+'))
			skip(scan, '-');
		if (skip_digits(scan) == 0)
			return fail(scan, "not JSON: a number without its exponent");
	}
	return true;
}

/* One character beyond ASCII: shortest form, no surrogates, nothing above U+10FFFF (RFC 3629). */
static bool scan_utf8(struct scan *scan)
{
	static const struct { unsigned char mask, lead; size_t more; uint32_t least; } forms[] = {
		{ 0xE0, 0xC0, 1, 0x80 }, { 0xF0, 0xE0, 2, 0x800 }, { 0xF8, 0xF0, 3, 0x10000 },
	};
	for (size_t f = 0; f < 3; f++) {
		if ((*scan->at & forms[f].mask) != forms[f].lead || (size_t)(scan->end - scan->at) <= forms[f].more)
			continue;
		uint32_t c = *scan->at++ & (unsigned char)~forms[f].mask;
		for (size_t i = 0; i < forms[f].more; i++, scan->at++) {
			if ((*scan->at & 0xC0) != 0x80)
				return fail(scan, "not UTF-8");
			c = c << 6 | (*scan->at & 0x3F);
		}
		bool surrogate = c >= 0xD800 && c < 0xE000;
		return c >= forms[f].least && c <= 0x10FFFF && !surrogate ? true : fail(scan, "not UTF-8");
	}
	return fail(scan, "not UTF-8");
}

static bool scan_escape(struct scan *scan)
{
	if (scan->at < scan->end && *scan->at && strchr("\"\\/bfnrt", *scan->at)) {
		scan->at++;
		return true;
	}
	if (!skip(scan, 'u') || scan->end - scan->at < 4)
		return fail(scan, "not JSON: no such escape");
	for (int i = 0; i < 4; i++)
		if (!scan->at[i] || !strchr("0123456789abcdefABCDEF", scan->at[i]))
			return fail(scan, "not JSON: no such escape");
	if (memcmp(scan->at, "0000", 4) == 0)
		return fail(scan, "a NUL character in a string");
	scan->at += 4;
	return true;
}

static bool scan_string(struct scan *scan)
{
	if (!skip(scan, '"'))
		return fail(scan, "not JSON: no name where a member begins");
	while (scan->at < scan->end) {
		if (skip(scan, '"'))
			return true;
		if (*scan->at < 0x20)
			return fail(scan, "not JSON: a control character in a string");
		bool good = skip(scan, '\\') ? scan_escape(scan) : *scan->at >= 0x80 ? scan_utf8(scan) : scan->at++ != NULL;
		if (!good)
			return false;
	}
	return fail(scan, "not JSON: a string without its end");
}

static bool scan_word(struct scan *scan)
{
	static const char *const words[] = { "true", "false", "null" };
	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);
		if ((size_t)(scan->end - scan->at) >= n && memcmp(scan->at, words[i], n) == 0) {
			scan->at += n;
			return true;
		}
	}
	return fail(scan, "not JSON");
}

static bool scan_scalar(struct scan *scan)
{
	if (next_is(scan, '"'))
		return scan_string(scan);
	bool number = next_is(scan, '-') || (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9');
	return number ? scan_number(scan) : scan_word(scan);
}

static bool scan_name(struct scan *scan)
{
	skip_blanks(scan);
	if (!scan_string(scan))
		return false;
	skip_blanks(scan);
	return skip(scan, ':') ? true : fail(scan, "not JSON: no colon after a name");
}

/* Leaves what ends after a value; true with *depth 0 when that was the outermost, with more to come otherwise. */
static bool scan_after(struct scan *scan, const char *closers, int *depth)
{
	for (;;) {
		skip_blanks(scan);
		if (*depth == 0)
			return scan->at == scan->end ? true : fail(scan, "not JSON: something follows the value");
		if (skip(scan, ','))
			return closers[*depth - 1] == '}' ? scan_name(scan) : true;
		if (!skip(scan, (unsigned char)closers[*depth - 1]))
			return fail(scan, "not JSON: a bracket or comma is missing");
		--*depth;
	}
}

/* At '{' or '['. *empty: it was closed at once. */
static bool scan_open(struct scan *scan, char *closer, bool *empty)
{
	*closer = *scan->at++ == '{' ? '}' : ']';
	skip_blanks(scan);
	*empty = skip(scan, (unsigned char)*closer);
	return *empty || *closer == ']' || scan_name(scan);
}

const char *json_strict_fault(const char *text, size_t len, int most_depth)
{
	const unsigned char *start = (const unsigned char *)text;
	struct scan scan = { .at = start, .end = start + len };
	char closers[DEPTH_LIMIT];
	int depth = 0;
	do {
		skip_blanks(&scan);
		bool empty = false;
		if (next_is(&scan, '{') || next_is(&scan, '[')) {
			if (depth == most_depth || depth == DEPTH_LIMIT)
				return "nested too deep";
			if (!scan_open(&scan, &closers[depth], &empty))
				return scan.fault;
			if (!empty) {
				depth++;
				continue;
			}
		} else if (!scan_scalar(&scan)) {
			return scan.fault;
		}
		if (!scan_after(&scan, closers, &depth))
			return scan.fault;
	} while (depth > 0);
	return NULL;
}
