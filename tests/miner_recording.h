/* tests/miner_recording.h - replies of miners from files, and cutting them to pieces. Run from the checkout's root. */
#ifndef TESTS_MINER_RECORDING_H
#define TESTS_MINER_RECORDING_H

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct recording { char *text; size_t len; };   /* as on the wire, and a NUL more */

static inline struct recording recording_of(const char *path)
{
	struct recording r = { 0 };
	FILE *file = fopen(path, "rb");
	if (!file)
		return r;
	r.text = calloc(1, 1 << 17);
	r.len = fread(r.text, 1, (1 << 17) - 1, file);
	fclose(file);
	return r;
}

static inline struct recording recording(const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "tests/recordings/miners/%s.json", name);
	struct recording r = recording_of(path);
	if (!r.text)
		fprintf(stderr, "cannot read %s\n", path);
	assert(r.text);
	return r;
}

/* From the replies beside the checkout; text NULL, aloud, where there are none. */
static inline struct recording shared_recording(const char *name)
{
	const char *shared = getenv("MULLET_SHARED");
	char path[500];
	snprintf(path, sizeof path, "%s/replies/%s", shared ? shared : "../shared", name);
	struct recording r = recording_of(path);
	if (!r.text)
		fprintf(stderr, "skipped: no %s\n", path);
	return r;
}

#endif
