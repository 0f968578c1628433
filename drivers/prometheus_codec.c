#include "drivers/prometheus_codec.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRUE_POWER_W 1e12               /* nothing draws more; sums of many stay in int64_t */
#define TRUE_UTC_MS  1e14               /* the year 5138 */

struct cursor { const char *at, *end; };

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
}

static bool take(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
}

/* What is written in quotes, decoded as it is compared. */
static bool quoted_is(struct cursor *c, const char *wanted, bool *same)
{
	*same = true;
	if (!take(c, '"'))
		return false;
	while (c->at < c->end && *c->at != '"') {
		char letter = *c->at++;
		if (letter == '\\') {
			if (c->at == c->end)
				return false;
			letter = *c->at++;
			if (letter == 'n')
				letter = '\n';
			else if (letter != '\\' && letter != '"')
				return false;
		}
		*same = *same && *wanted == letter && letter;
		wanted += *same;
	}
	*same = *same && !*wanted;
	return take(c, '"');
}

/* One name="value"; tells those of the query whether it is theirs. */
static bool take_label(struct cursor *c, const struct prometheus_query *query, bool *matched)
{
	const char *name = c->at, *value;
	while (c->at < c->end && is_name(*c->at))
		c->at++;
	size_t n = (size_t)(c->at - name);
	skip_blanks(c);
	if (!n || !take(c, '='))
		return false;
	skip_blanks(c);
	value = c->at;
	bool same;
	for (size_t i = 0; i < query->n_labels; i++) {
		const struct prometheus_label *label = &query->labels[i];
		if (strlen(label->name) != n || memcmp(label->name, name, n) != 0)
			continue;
		c->at = value;
		if (!quoted_is(c, label->value, &same))
			return false;
		matched[i] = same;
	}
	return c->at > value || quoted_is(c, "", &same);
}

static bool take_labels(struct cursor *c, const struct prometheus_query *query, bool *matched)
{
	for (size_t i = 0; i < query->n_labels; i++)
		matched[i] = !*query->labels[i].value;
	if (!take(c, '{'))
		return true;
	skip_blanks(c);
	while (!take(c, '}')) {
		if (!take_label(c, query, matched))
			return false;
		skip_blanks(c);
		bool more = take(c, ',');
		skip_blanks(c);
		if (!more && (c->at == c->end || *c->at != '}'))
			return false;
	}
	return true;
}

/* A number as both formats write it; infinities and NaN are numbers here. */
static bool take_number(struct cursor *c, double *value)
{
	char text[64], *end;
	size_t n = 0;
	while (c->at < c->end && *c->at != ' ' && *c->at != '\t' && n < sizeof text - 1)
		text[n++] = *c->at++;
	text[n] = '\0';
	bool cut = c->at < c->end && *c->at != ' ' && *c->at != '\t';
	if (!n || cut || strspn(text, "+-.0123456789eEINFTYAinftya") != n)
		return false;
	*value = strtod(text, &end);
	return !*end;
}

/* What may follow the value: a time, and in OpenMetrics an exemplar. */
static bool take_rest(struct cursor *c, bool openmetrics, bool *timed, double *utc_ms)
{
	skip_blanks(c);
	*timed = c->at < c->end && *c->at != '#';
	if (*timed && !take_number(c, utc_ms))
		return false;
	if (*timed && openmetrics)
		*utc_ms *= 1000;
	skip_blanks(c);
	return (!*timed || fabs(*utc_ms) <= TRUE_UTC_MS) && (c->at == c->end || (openmetrics && *c->at == '#'));
}

static void add_sample(struct prometheus_scan *scan, double value, bool timed, double utc_ms)
{
	scan->samples++;
	scan->absurd = scan->absurd || !isfinite(value);
	scan->sum += value;
	if (timed)
		scan->oldest_utc_ms = scan->timed++ && scan->oldest_utc_ms < utc_ms ? scan->oldest_utc_ms : utc_ms;
}

static size_t indent(const char *line, size_t n)
{
	size_t i = 0;
	while (i < n && (line[i] == ' ' || line[i] == '\t'))
		i++;
	return i;
}

static bool is_ours(const struct prometheus_scan *scan, const char *line, size_t n)
{
	size_t skip = indent(line, n), length = strlen(scan->query->metric);
	if (n - skip < length || memcmp(line + skip, scan->query->metric, length) != 0)
		return false;
	return n - skip == length || !is_name(line[skip + length]);
}

static bool sample_read(struct prometheus_scan *scan, const char *line, size_t n)
{
	struct cursor c = { line + indent(line, n) + strlen(scan->query->metric), line + n };
	bool matched[PROMETHEUS_MOST_LABELS], timed, all = true;
	double value, utc_ms = 0;
	skip_blanks(&c);
	if (!take_labels(&c, scan->query, matched))
		return false;
	skip_blanks(&c);
	if (!take_number(&c, &value) || !take_rest(&c, scan->openmetrics, &timed, &utc_ms))
		return false;
	for (size_t i = 0; i < scan->query->n_labels; i++)
		all = all && matched[i];
	if (all)
		add_sample(scan, value, timed, utc_ms);
	return true;
}

/* Lines too long to be kept are refused however they come, so that the page alone decides, not how it was cut. */
static void take_line(struct prometheus_scan *scan, const char *line, size_t n)
{
	if (scan->ended)
		scan->garbled = true;
	else if (scan->openmetrics && n == 5 && memcmp(line, "# EOF", 5) == 0)
		scan->ended = true;
	else if (n > PROMETHEUS_LINE_BYTES)
		scan->garbled = scan->garbled || is_ours(scan, line, PROMETHEUS_LINE_BYTES);
	else if (is_ours(scan, line, n))
		scan->garbled = !sample_read(scan, line, n) || scan->garbled;
}

/* The beginning of a line, or more of it. */
static void keep(struct prometheus_scan *scan, const char *bytes, size_t n)
{
	size_t room = sizeof scan->line - scan->n;
	memcpy(scan->line + scan->n, bytes, n < room ? n : room);
	scan->n += n < room ? n : room;
	if (n <= room)
		return;
	take_line(scan, scan->line, PROMETHEUS_LINE_BYTES + 1);
	scan->skipping = true;
}

void prometheus_begin(struct prometheus_scan *scan, const struct prometheus_query *query, bool openmetrics)
{
	assert(query->n_labels <= PROMETHEUS_MOST_LABELS);
	memset(scan, 0, offsetof(struct prometheus_scan, line));
	scan->query = query;
	scan->openmetrics = openmetrics;
}

void prometheus_take(struct prometheus_scan *scan, const char *bytes, size_t n)
{
	for (const char *end = bytes + n; bytes < end; ) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t length = (size_t)((newline ? newline : end) - bytes);
		bool kept = scan->n > 0;
		if (!scan->skipping && (!newline || kept))
			keep(scan, bytes, length);
		if (!newline)
			return;
		if (!scan->skipping)
			take_line(scan, kept ? scan->line : bytes, kept ? scan->n : length);
		scan->skipping = false;
		scan->n = 0;
		bytes = newline + 1;
	}
}

enum fault prometheus_end(struct prometheus_scan *scan, int64_t most_w, int64_t *watts)
{
	double most = most_w > 0 && (double)most_w < TRUE_POWER_W ? (double)most_w : TRUE_POWER_W;
	double sum_w = scan->sum * scan->query->scale;
	bool cut = scan->n > 0;
	if (scan->openmetrics && cut && !scan->skipping)        /* its last line may end without a newline */
		take_line(scan, scan->line, scan->n);
	if (scan->openmetrics)
		cut = !scan->ended || scan->skipping;
	if (scan->garbled || cut)
		return FAULT_GARBLED;
	if (scan->samples != scan->query->expect || scan->absurd || !(fabs(sum_w) <= most))
		return FAULT_ABSURD;
	*watts = llround(sum_w);
	return FAULT_NONE;
}
