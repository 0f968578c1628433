#include "daemon/ctl_range.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/hostlist.h"

static void reserve(struct arena *arena, struct ctl_range *range, size_t n)
{
	if (range->n + n <= range->size)
		return;
	range->size = 2 * (range->n + n);
	const char **more = arena_take(arena, range->size * sizeof *more);
	if (range->n)
		memcpy(more, range->hosts, range->n * sizeof *more);
	range->hosts = more;
}

static bool address_of(const char *text, size_t len, uint32_t *address)
{
	char copy[16];
	struct in_addr in;
	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, &in) != 1)
		return false;
	*address = ntohl(in.s_addr);
	return true;
}

static const char *address_text(struct arena *arena, uint32_t address)
{
	return arena_format(arena, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

static const char *too_many(struct arena *arena, const char *text, uint64_t n, size_t had)
{
	return arena_format(arena, "%s is %llu addresses%s; at most %d are looked at in one go, which is a /14", text,
	                    (unsigned long long)n, had ? " more" : "", RANGE_MOST);
}

static const char *add_between(struct arena *arena, struct ctl_range *range, const char *text, uint32_t low,
                               uint32_t high)
{
	uint64_t n = (uint64_t)high - low + 1;
	if (n > RANGE_MOST - range->n)
		return too_many(arena, text, n, range->n);
	reserve(arena, range, n);
	for (uint64_t i = 0; i < n; i++)
		range->hosts[range->n++] = address_text(arena, (uint32_t)(low + i));
	return NULL;
}

static const char *add_cidr(struct arena *arena, struct ctl_range *range, const char *text, const char *slash)
{
	uint32_t low;
	char *end;
	long bits = strtol(slash + 1, &end, 10);
	if (!address_of(text, (size_t)(slash - text), &low))
		return arena_format(arena, "%s: before the / belongs an IPv4 address, like 10.30.0.0/16", text);
	if (strspn(slash + 1, "0123456789") != strlen(slash + 1) || end == slash + 1 || bits > 32)
		return arena_format(arena, "%s: behind the / belongs a length from 0 to 32, like 10.30.0.0/16", text);
	uint32_t inside = bits == 0 ? UINT32_MAX : bits == 32 ? 0 : UINT32_MAX >> bits;
	if (low & inside)
		return arena_format(arena, "%s begins inside the network; is %s/%ld meant?", text,
		                    address_text(arena, low & ~inside), bits);
	if (bits > 30)
		return add_between(arena, range, text, low, low | inside);
	return add_between(arena, range, text, low + 1, (low | inside) - 1);
}

static const char *add_dash(struct arena *arena, struct ctl_range *range, const char *text, const char *dash)
{
	uint32_t low, high;
	const char *last = dash + 1;
	if (!address_of(text, (size_t)(dash - text), &low))
		return arena_format(arena, "%s: before the - belongs an IPv4 address, like 10.30.0.1-254", text);
	if (!strchr(last, '.'))
		last = arena_format(arena, "%u.%u.%u.%s", low >> 24, low >> 16 & 255, low >> 8 & 255, last);
	if (!address_of(last, strlen(last), &high))
		return arena_format(arena, "%s: behind the - belongs an IPv4 address or the last number of one, like "
		                    "10.30.0.1-10.30.0.254 or 10.30.0.1-254", text);
	if (high < low)
		return arena_format(arena, "%s: the lower address belongs first", text);
	return add_between(arena, range, text, low, high);
}

static const char *add_hostlist(struct arena *arena, struct ctl_range *range, const char *text)
{
	const char **hosts, *why;
	size_t n = hostlist_expand(arena, text, RANGE_MOST, &hosts, &why);
	if (n == 0)
		return strstr(why, "too many") ? arena_format(arena, "%s stands for more than %d addresses", text, RANGE_MOST)
		                               : arena_format(arena, "%s: %s", text, why);
	if (n > RANGE_MOST - range->n)
		return too_many(arena, text, n, range->n);
	reserve(arena, range, n);
	memcpy(range->hosts + range->n, hosts, n * sizeof *hosts);
	range->n += n;
	return NULL;
}

const char *range_add(struct arena *arena, struct ctl_range *range, const char *text)
{
	const char *slash = strchr(text, '/'), *dash = strchr(text, '-');
	if (slash)
		return add_cidr(arena, range, text, slash);
	if (dash && strspn(text, "0123456789.-") == strlen(text))
		return add_dash(arena, range, text, dash);
	return add_hostlist(arena, range, text);
}

static int compare(const void *a, const void *b)
{
	const char *one = *(const char *const *)a, *two = *(const char *const *)b;
	uint32_t first = 0, second = 0;
	bool is_address = address_of(one, strlen(one), &first), is_too = address_of(two, strlen(two), &second);
	if (is_address && is_too)
		return (first > second) - (first < second);
	return is_address != is_too ? is_too - is_address : strcmp(one, two);
}

void range_sort(struct ctl_range *range)
{
	size_t kept = 0;
	if (range->n == 0)
		return;
	qsort(range->hosts, range->n, sizeof *range->hosts, compare);
	for (size_t i = 0; i < range->n; i++) {
		if (kept == 0 || compare(&range->hosts[i], &range->hosts[kept - 1]) != 0)
			range->hosts[kept++] = range->hosts[i];
	}
	range->n = kept;
}
