/* The cases of sim/scenarios, one after another: of the file whose name holds argv[1], or of all. */
#ifndef TESTS_FORESIGHT_EACH_CASE_H
#define TESTS_FORESIGHT_EACH_CASE_H

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "sim/fast_main.h"

/* 0, or 1 where a file is bad; a case that cannot be made, as without its trace, is skipped with a word on stderr. */
static int each_case(int argc, char **argv, void (*solve)(const struct fast_file *, size_t fleet, const struct fast_case *))
{
	char traces[512], why[300];
	static struct fast_file file;
	glob_t found;
	if (glob("sim/scenarios/*.txt", 0, NULL, &found) != 0)
		return 1;
	for (size_t p = 0; p < found.gl_pathc; p++) {
		if (argc > 1 && !strstr(found.gl_pathv[p], argv[1]))
			continue;
		if (fast_file_read(&file, found.gl_pathv[p], why, sizeof why) != 0)
			return fprintf(stderr, "%s\n", why), 1;
		for (size_t f = 0; f < file.n_fleets; f++) {
			struct fast_case made;
			if (fast_case_make(&made, &file, f, fast_traces(traces, sizeof traces), why, sizeof why) != 0) {
				fprintf(stderr, "skipped: %s\n", why);
				continue;
			}
			solve(&file, f, &made);
			fast_case_free(&made);
		}
	}
	globfree(&found);
	return 0;
}

/* A load as it is without any miners' doing, and what r(f) leaves of it after the first ten minutes. */
struct alone {
	struct limits limits;
	struct fast_run run;
	struct spectrum load;
	size_t from;                    /* the first step that counts */
	double bound_w;
};

static inline void alone_free(struct alone *alone)
{
	spectrum_free(&alone->load);
	fast_run_free(&alone->run);
	limits_free(&alone->limits);
}

/* False, and nothing owned, where somebody asks the site to move, or r(f) leaves less than a kilowatt. */
static inline bool alone_make(struct alone *alone, const struct fast_file *file, const struct fast_case *of)
{
	static const struct fast_wear lifted;
	if (*file->setpoint || *file->price_file || file->n_orders)
		return false;
	*alone = (struct alone){ .from = FAST_LEARN_MS / FAST_STEP_MS };
	limits_make(&alone->limits, of);
	fast_run(of, FAST_LEFT, &lifted, &alone->run);
	spectrum_make(&alone->load, alone->run.hpc_w + alone->from, alone->run.n - alone->from, FAST_STEP_MS / 1000.0);
	alone->bound_w = limits_rms(&alone->limits, &alone->load);
	if (alone->bound_w < 1000)
		alone_free(alone);
	return alone->bound_w >= 1000;
}

#endif
