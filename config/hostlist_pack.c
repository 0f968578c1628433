#include "config/hostlist_pack.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NUMBERS 4          /* of a host that may become ranges; the others are text */
#define MOST_DIGITS 9
#define MOST_TEXT 253           /* of a hostlist */
#define GAP '\1'                /* in a pattern: a number stands here; how wide says the letter behind it */

/* Hosts of one pattern, whose numbers are each in a set: a box in as many dimensions as there are numbers. */
struct box {
	const char *pattern;    /* "GAPa.GAPa.GAPa.GAPa" */
	int n;
	uint32_t low[MOST_NUMBERS];             /* least of the set */
	const char *set[MOST_NUMBERS];          /* "7", "[1-254]" */
};

#define UNPADDED 'a'            /* one letter on for each digit of a padded one: 01 and 1 share no range */

struct number { const char *at; int digits; };

static int find_numbers(const char *host, struct number found[MOST_NUMBERS])
{
	int n = 0;
	for (const char *c = host; *c; ) {
		int digits = (int)strspn(c, "0123456789");
		if (digits > 0 && digits <= MOST_DIGITS) {
			if (n == MOST_NUMBERS)
				memmove(found, found + 1, --n * sizeof *found);
			found[n++] = (struct number){ c, digits };
		}
		c += digits ? digits : 1;
	}
	return n;
}

static struct box box_of(struct arena *arena, const char *host)
{
	struct number numbers[MOST_NUMBERS];
	struct box box = { .n = find_numbers(host, numbers) };
	char *pattern = arena_take(arena, strlen(host) + 2 * MOST_NUMBERS + 1), *to = pattern;
	for (int i = 0; i < box.n; i++) {
		bool padded = numbers[i].at[0] == '0' && numbers[i].digits > 1;
		to = mempcpy(to, host, (size_t)(numbers[i].at - host));
		*to++ = GAP;
		*to++ = (char)(UNPADDED + (padded ? numbers[i].digits : 0));
		box.low[i] = (uint32_t)strtoul(numbers[i].at, NULL, 10);
		box.set[i] = arena_text(arena, numbers[i].at, (size_t)numbers[i].digits);
		host = numbers[i].at + numbers[i].digits;
	}
	strcpy(to, host);
	box.pattern = pattern;
	return box;
}

/* Boxes that differ in dimension `along` alone stand together, ascending in it. */
static int compare(const void *a, const void *b, void *along)
{
	const struct box *one = a, *two = b;
	int skip = *(int *)along, order = strcmp(one->pattern, two->pattern);
	for (int i = 0; i < one->n && order == 0; i++) {
		if (i == skip)
			continue;
		order = (one->low[i] > two->low[i]) - (one->low[i] < two->low[i]);
		if (order == 0)
			order = strcmp(one->set[i], two->set[i]);
	}
	if (order == 0 && skip < one->n)
		order = (one->low[skip] > two->low[skip]) - (one->low[skip] < two->low[skip]);
	return order;
}

static bool alike_but_for(const struct box *one, const struct box *two, int along)
{
	bool alike = strcmp(one->pattern, two->pattern) == 0;
	for (int i = 0; i < one->n && alike; i++)
		alike = i == along || strcmp(one->set[i], two->set[i]) == 0;
	return alike;
}

/* The single values of n boxes as one set: "7", "[1-254]", "[1,3-5]". */
static const char *set_of(struct arena *arena, const struct box *boxes, size_t n, int along)
{
	if (n == 1)
		return boxes[0].set[along];
	char *text = arena_take(arena, n * (MOST_DIGITS + 1) + 3), *to = text;
	*to++ = '[';
	for (size_t i = 0, last; i < n; i = last + 1) {
		for (last = i; last + 1 < n && boxes[last + 1].low[along] == boxes[last].low[along] + 1; )
			last++;
		to += sprintf(to, "%s%s", i ? "," : "", boxes[i].set[along]);
		if (last > i)
			to += sprintf(to, "-%s", boxes[last].set[along]);
	}
	strcpy(to, "]");
	return text;
}

static size_t merge(struct arena *arena, struct box *boxes, size_t n, int along)
{
	size_t kept = 0;
	qsort_r(boxes, n, sizeof *boxes, compare, &along);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && alike_but_for(&boxes[i], &boxes[end], along); )
			end++;
		struct box merged = boxes[i];
		if (along < merged.n)
			merged.set[along] = set_of(arena, &boxes[i], end - i, along);
		boxes[kept++] = merged;
	}
	return kept;
}

static char *spell(struct arena *arena, const struct box *box)
{
	size_t len = strlen(box->pattern);
	for (int i = 0; i < box->n; i++)
		len += strlen(box->set[i]);
	char *text = arena_take(arena, len + 1), *to = text;
	int n = 0;
	for (const char *c = box->pattern; *c; c++) {
		if (*c == GAP) {
			to = stpcpy(to, box->set[n++]);
			c++;
		} else {
			*to++ = *c;
		}
	}
	return text;
}

struct lists { struct arena *arena; const char **at; size_t n, size; };

static void put(struct lists *lists, const char *text)
{
	if (lists->n == lists->size) {
		const char **more = arena_take(lists->arena, 2 * (lists->size + 8) * sizeof *more);
		if (lists->n)
			memcpy(more, lists->at, lists->n * sizeof *more);
		lists->at = more;
		lists->size = 2 * (lists->size + 8);
	}
	lists->at[lists->n++] = text;
}

/* The comma nearest to the middle of the longest set; NULL: no set has one. */
static const char *comma_of(const struct box *box, int *dimension)
{
	*dimension = 0;
	for (int i = 1; i < box->n; i++) {
		if (strlen(box->set[i]) > strlen(box->set[*dimension]))
			*dimension = i;
	}
	const char *set = box->n ? box->set[*dimension] : "";
	const char *middle = set + strlen(set) / 2, *after = strchr(middle, ',');
	return after ? after : memrchr(set, ',', (size_t)(middle - set));
}

static void put_box(struct lists *lists, const struct box *box)
{
	int dimension;
	const char *text = spell(lists->arena, box), *comma = comma_of(box, &dimension);
	if (strlen(text) <= MOST_TEXT || !comma) {
		put(lists, text);
		return;
	}
	struct box left = *box, right = *box;
	const char *set = box->set[dimension];
	left.set[dimension] = arena_format(lists->arena, "%.*s]", (int)(comma - set), set);
	right.set[dimension] = arena_format(lists->arena, "[%s", comma + 1);
	put_box(lists, &left);
	put_box(lists, &right);
}

/* ---- 10 beside 09 is as good as padded ---- */

struct patterns { const char **at; size_t n; };

static struct patterns patterns_of(struct arena *arena, const struct box *boxes, size_t n)
{
	struct patterns patterns = { arena_take(arena, (n + 1) * sizeof *patterns.at), 0 };
	for (size_t i = 0; i < n; i++) {
		if (patterns.n == 0 || strcmp(boxes[i].pattern, patterns.at[patterns.n - 1]) != 0)
			patterns.at[patterns.n++] = boxes[i].pattern;
	}
	return patterns;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As if the numbers in the bit set `padded` were; false: some of them are padded anyway, or have one digit. */
static bool pad(const struct box *box, unsigned padded, char *pattern)
{
	int n = 0;
	strcpy(pattern, box->pattern);
	for (char *gap = pattern; (gap = strchr(gap, GAP)); gap++, n++) {
		size_t digits = strlen(box->set[n]);
		if (!(padded >> n & 1))
			continue;
		if (gap[1] != UNPADDED || digits == 1)
			return false;
		gap[1] = (char)(UNPADDED + digits);
	}
	return true;
}

static void join_padded(struct arena *arena, struct box *box, const struct patterns *patterns)
{
	char pattern[MOST_TEXT + 2 * MOST_NUMBERS + 1];
	const char *key = pattern;
	for (unsigned padded = (1u << box->n) - 1; padded > 0; padded--) {
		if (!pad(box, padded, pattern) || !bsearch(&key, patterns->at, patterns->n, sizeof key, by_text))
			continue;
		box->pattern = arena_text(arena, pattern, strlen(pattern));
		return;
	}
}

size_t hostlist_pack(struct arena *arena, const char *const *hosts, size_t n, const char ***lists)
{
	struct box *boxes = arena_take(arena, (n + 1) * sizeof *boxes);
	struct lists found = { .arena = arena };
	size_t distinct = 0;
	int along = MOST_NUMBERS;
	for (size_t i = 0; i < n; i++)
		boxes[i] = box_of(arena, hosts[i]);
	qsort_r(boxes, n, sizeof *boxes, compare, &along);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || compare(&boxes[i], &boxes[distinct - 1], &along) != 0)
			boxes[distinct++] = boxes[i];
	}
	struct patterns patterns = patterns_of(arena, boxes, distinct);
	for (size_t i = 0; i < distinct && patterns.n > 1; i++)
		join_padded(arena, &boxes[i], &patterns);
	for (along = MOST_NUMBERS - 1; along >= 0; along--)
		distinct = merge(arena, boxes, distinct, along);
	for (size_t i = 0; i < distinct; i++)
		put_box(&found, &boxes[i]);
	*lists = found.at;
	return found.n;
}
