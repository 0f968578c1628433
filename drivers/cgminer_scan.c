#include "drivers/cgminer_scan.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_http(struct cgminer_scan *scan, char c)
{
	static const char mark[] = "HTTP/";
	if (scan->not_http)
		return false;
	if (c != mark[scan->seen - 1])
		scan->not_http = true;
	return !scan->not_http && scan->seen == sizeof mark - 1;
}

static enum cgminer_end inside_string(struct cgminer_scan *scan, char c)
{
	if (scan->escaped)
		scan->escaped = false;
	else if (c == '\\')
		scan->escaped = true;
	else if (c == '"')
		scan->in_string = false;
	return END_NOT_YET;
}

/* Kinds of brackets are not told apart: one known firmware closes braces with brackets, and the parser will see. */
static enum cgminer_end outside_string(struct cgminer_scan *scan, char c)
{
	switch (c) {
	case '"':
		scan->in_string = true;
		return END_NOT_YET;
	case '{':
	case '[':
		scan->depth++;
		return END_NOT_YET;
	case '}':
	case ']':
		return --scan->depth == 0 ? END_VALUE : END_NOT_YET;
	}
	return END_NOT_YET;
}

static enum cgminer_end take(struct cgminer_scan *scan, char c)
{
	if (c == '\0')
		return END_NUL;
	if (++scan->seen > CGMINER_MOST_BYTES)
		return END_TOO_LONG;
	if (is_http(scan, c))
		return END_HTTP;
	if (!scan->began) {
		if (is_blank(c))
			return END_NOT_YET;
		scan->began = true;
		scan->structured = c == '{' || c == '[';
	}
	if (!scan->structured)
		return END_NOT_YET;
	return scan->in_string ? inside_string(scan, c) : outside_string(scan, c);
}

enum cgminer_end cgminer_scan(struct cgminer_scan *scan, const char *bytes, size_t n, size_t *used)
{
	for (size_t i = 0; i < n; i++) {
		enum cgminer_end end = take(scan, bytes[i]);
		if (end == END_NOT_YET)
			continue;
		*used = end == END_VALUE ? i + 1 : i;
		return end;
	}
	*used = n;
	return END_NOT_YET;
}
