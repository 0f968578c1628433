/* tests/golden.h - a trace against the text that tests/traces/NAME.txt holds; MULLET_GOLDEN=write renews the file.
 * Include cmocka.h first. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/json.h"

static inline char *golden_read(const char *name)
{
	char path[200];
	snprintf(path, sizeof(path), "tests/traces/%s.txt", name);
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 18);
	size_t n = file && text ? fread(text, 1, (1 << 18) - 1, file) : 0;
	text[n] = '\0';
	if (file)
		fclose(file);
	return text;
}

static inline void golden_renew(const char *name, const struct json *trace)
{
	char path[200];
	snprintf(path, sizeof(path), "tests/traces/%s.txt", name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fwrite(trace->text, 1, trace->len, file);
	fclose(file);
}

static inline void golden_compare(const char *name, const struct json *trace)
{
	const char *mode = getenv("MULLET_GOLDEN");
	if (mode && !strcmp(mode, "write")) {
		golden_renew(name, trace);
		return;
	}
	char *want = golden_read(name);
	const char *a = want, *b = trace->text;
	for (int line = 1; *a || *b; line++) {
		size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
		if (n != m || memcmp(a, b, n) != 0)
			fail_msg("tests/traces/%s.txt:%d: was  %.*s\n  is now  %.*s\n  (MULLET_GOLDEN=write renews it)", name, line,
			         (int)n, a, (int)m, b);
		a += n + (a[n] == '\n');
		b += m + (b[m] == '\n');
	}
	free(want);
}

#endif
