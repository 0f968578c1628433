#include "config/hostlist.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 253            /* of a DNS name */
#define MAX_PARTS 16
#define MAX_DIGITS 9

struct range { uint32_t low, high; int width; };

struct part {                   /* text as it stands, then one of the values of its ranges */
	const char *text;
	size_t len;
	struct range *ranges;   /* none only in the last part */
	size_t n_ranges;
	uint64_t n_values;
};

struct hostlist { struct part parts[MAX_PARTS]; size_t n; };

/* Returns how many digits there are; 0 if none or too many. */
static int number(const char *p, uint32_t *value)
{
	int n = (int)strspn(p, "0123456789");
	if (n == 0 || n > MAX_DIGITS)
		return 0;
	*value = (uint32_t)strtoul(p, NULL, 10);
	return n;
}

/* "7", "1-254" or "001-250" at *p, which is moved behind it. */
static const char *range_parse(const char **p, struct range *range)
{
	const char *low = *p;
	int width = number(low, &range->low), high_width = width;
	if (!width)
		return "a range wants numbers of at most 9 digits, such as [1-254]";
	*p += width;
	range->high = range->low;
	if (**p == '-') {
		const char *high = ++*p;
		high_width = number(high, &range->high);
		if (!high_width)
			return "a range wants a number behind the dash, such as [1-254]";
		*p += high_width;
		if (*high == '0' && high_width > 1 && high_width != width)
			return "both ends of a zero-padded range want as many digits";
	}
	if (range->high < range->low)
		return "a range wants the lower number first";
	range->width = *low == '0' ? width : 0;
	return NULL;
}

/* The ranges behind a bracket at *p; *p is moved behind the closing one. */
static const char *ranges_parse(struct arena *arena, const char **p, struct part *part)
{
	size_t most = 1;
	for (const char *c = *p; *c && *c != ']'; c++)
		most += *c == ',';
	part->ranges = arena_take(arena, most * sizeof *part->ranges);
	do {
		struct range *range = &part->ranges[part->n_ranges++];
		++*p;
		const char *why = range_parse(p, range);
		if (why)
			return why;
		part->n_values += (uint64_t)range->high - range->low + 1;
	} while (**p == ',');
	if (**p != ']')
		return "a range is not closed, or holds more than numbers, dashes and commas";
	++*p;
	return NULL;
}

static const char *hostlist_parse(struct arena *arena, const char *text, struct hostlist *list)
{
	if (strlen(text) > MAX_TEXT)
		return "a host has at most 253 characters";
	do {
		if (list->n == MAX_PARTS)
			return "there are too many ranges in it";
		struct part *part = &list->parts[list->n++];
		part->text = text;
		part->len = strcspn(text, "[");
		part->n_values = 0;
		text += part->len;
		const char *why = *text == '[' ? ranges_parse(arena, &text, part) : NULL;
		if (why)
			return why;
	} while (*text);
	return NULL;
}

static size_t write_value(const struct part *part, uint64_t index, char *to, size_t size)
{
	for (size_t i = 0; i < part->n_ranges; i++) {
		const struct range *range = &part->ranges[i];
		uint64_t n = (uint64_t)range->high - range->low + 1;
		if (index < n)
			return (size_t)snprintf(to, size, "%0*u", range->width, (unsigned)(range->low + index));
		index -= n;
	}
	return 0;
}

#define MAX_HOST (MAX_TEXT + MAX_PARTS * MAX_DIGITS + 1)

/* Host number INDEX is a number whose digits are the values of the parts, the last the lowest. */
static size_t spell(const struct hostlist *list, uint64_t index, char host[MAX_HOST])
{
	uint64_t digits[MAX_PARTS];
	for (size_t i = list->n; i-- > 0; ) {
		uint64_t base = list->parts[i].n_ranges ? list->parts[i].n_values : 1;
		digits[i] = index % base;
		index /= base;
	}
	size_t len = 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct part *part = &list->parts[i];
		memcpy(host + len, part->text, part->len);
		len += part->len;
		len += write_value(part, digits[i], host + len, MAX_HOST - len);
	}
	host[len] = '\0';
	return len;
}

size_t hostlist_expand(struct arena *arena, const char *text, size_t most, const char ***hosts, const char **why)
{
	struct hostlist list = {0};
	char host[MAX_HOST];
	uint64_t count = 1;
	*why = hostlist_parse(arena, text, &list);
	if (*why)
		return 0;
	for (size_t i = 0; i < list.n && count <= most; i++)
		if (list.parts[i].n_ranges)
			count *= list.parts[i].n_values;
	if (count > most) {
		*why = "it stands for too many devices; all groups together may have 100000";
		return 0;
	}
	for (uint64_t i = 0; i < count; i++) {          /* all is checked before memory is taken for any */
		spell(&list, i, host);
		if ((*why = host_fault(host)))
			return 0;
	}
	const char **all = arena_take(arena, count * sizeof *all);
	for (uint64_t i = 0; i < count; i++) {
		size_t len = spell(&list, i, host);
		all[i] = arena_text(arena, host, len);
	}
	*hosts = all;
	return count;
}

/* Digits and dots alone are an address, or a slip of the finger. */
static bool ipv4_is_wrong(const char *host)
{
	if (strspn(host, "0123456789.") != strlen(host))
		return false;
	int octets = 0;
	for (const char *p = host; ; p++) {
		uint32_t value;
		int n = number(p, &value);
		if (n == 0 || n > 3 || value > 255)
			return true;
		octets++;
		p += n;
		if (*p != '.')
			break;
	}
	return octets != 4;
}

/* Names and addresses that nobody has: what was meant belongs in another key, or is written otherwise. */
static const char *host_slip(const char *host)
{
	const char *colon = strchr(host, ':'), *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : "";
	if (strstr(host, "://"))
		return "a host stands here without scheme and path, such as 10.20.0.5";
	if (host[0] != '/' && strchr(host, '/'))
		return "a host has no slash in it; a network is written as ranges, such as 10.30.[0-7].[1-254]";
	if (colon && !strchr(colon + 1, ':'))
		return "a port stands in `port`, not behind the host";
	if (strchr(last, '-') && strspn(last, "0123456789-") == strlen(last))
		return "a range is written in brackets, such as 10.30.0.[1-254]";
	return NULL;
}

const char *host_fault(const char *host)
{
	if (!*host)
		return "a host has at least one character";
	if (strlen(host) > MAX_TEXT)
		return "a host has at most 253 characters";
	for (const char *p = host; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._:/%+-", *p))
			return "a host has letters, digits and . _ : / % + - only";
	if (host[0] == '-')
		return "a host does not begin with a dash";
	if (ipv4_is_wrong(host))
		return "an address has four numbers of at most 255";
	return host_slip(host);
}
