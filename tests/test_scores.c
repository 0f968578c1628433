/* The scores of the control law, against those that sim/scores.json holds: virtual time is deterministic, so that a change
 * shows. make scores renews the file. Scenarios that need no trace always; the others where ../shared is. */
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "sim/fast_main.h"

#define SCORES "sim/scores.json"

/* Compilers may round a sum of squares differently; a decision at the edge may then fall a step later. */
enum { PERCENT = 3 };

static cJSON *read_json(const char *text)
{
	cJSON *json = cJSON_Parse(text);
	assert_non_null(json);
	return json;
}

static cJSON *read_scores(void)
{
	static char text[1 << 20];
	FILE *in = fopen(SCORES, "re");
	assert_non_null(in);
	text[fread(text, 1, sizeof text - 1, in)] = '\0';
	fclose(in);
	return read_json(text);
}

static cJSON *as_json(const struct fast_result *results, size_t n)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	fast_print_json(results, n, out);
	fclose(out);
	cJSON *json = read_json(text);
	free(text);
	return json;
}

/* What a column may be off by, besides the per cents: a step of time, a miner or two. */
static double slack(const char *key)
{
	static const struct { const char *ends; double by; } of[] = {
		{ "_s", 0.6 }, { "kwh", 0.1 }, { "kw", 12 }, { "percent", 0.3 }, { "day", 0.5 }, { "commands", 10 }, { "ratio", 0.05 },
		{ "_true", 1 }, { "_false", 1 },
	};
	size_t len = strlen(key);
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		size_t n = strlen(of[i].ends);
		if (len >= n && strcmp(key + len - n, of[i].ends) == 0)
			return of[i].by;
	}
	return 0;
}

static int differs(const char *name, const char *key, double was, double is)
{
	if (fabs(is - was) <= slack(key) + fabs(was) * PERCENT / 100)
		return 0;
	print_message("%s: %s was %g, is now %g\n", name, key, was, is);
	return 1;
}

static int compare(const char *name, const cJSON *was, const cJSON *is)
{
	int n = 0, at = 0;
	const cJSON *value, *item;
	cJSON_ArrayForEach(value, is) {
		const cJSON *before = cJSON_GetObjectItem(was, value->string);
		if (!before)
			n += differs(name, value->string, NAN, 0);
		else if (!cJSON_IsArray(value))
			n += differs(name, value->string, before->valuedouble, value->valuedouble);
		at = 0;
		if (before && cJSON_IsArray(value))
			cJSON_ArrayForEach(item, value)
				n += differs(name, value->string, cJSON_GetArrayItem(before, at++)->valuedouble, item->valuedouble);
	}
	return n;
}

static int compare_all(const cJSON *scores, const struct fast_result *results, size_t n)
{
	int off = 0;
	cJSON *now = as_json(results, n);
	for (size_t i = 0; i < n; i++) {
		const cJSON *is = cJSON_GetObjectItem(now, results[i].name), *was = cJSON_GetObjectItem(scores, results[i].name), *control;
		if (*results[i].skipped)
			continue;
		if (!was) {
			print_message("%s: not in " SCORES "\n", results[i].name);
			off++;
			continue;
		}
		cJSON_ArrayForEach(control, is) {
			char name[120];
			snprintf(name, sizeof name, "%s, %s", results[i].name, control->string);
			off += compare(name, cJSON_GetObjectItem(was, control->string), control);
		}
	}
	cJSON_Delete(now);
	return off;
}

static struct fast_result *play(const char *only, unsigned controls, size_t *n)
{
	char traces[512], why[300];
	glob_t found;
	assert_int_equal(glob("sim/scenarios/*.txt", 0, NULL, &found), 0);
	struct fast_options options = { .paths = (const char *const *)found.gl_pathv, .n_paths = found.gl_pathc,
		.traces = fast_traces(traces, sizeof traces), .only = only, .controls = controls };
	struct fast_result *results = fast_play(&options, n, why, sizeof why);
	if (!results)
		fail_msg("%s", why);
	globfree(&found);
	return results;
}

static void check(const char *only, unsigned controls)
{
	size_t n, skipped = 0;
	struct fast_result *results = play(only, controls, &n);
	cJSON *scores = read_scores();
	int off = compare_all(scores, results, n);
	for (size_t i = 0; i < n; i++)
		if (*results[i].skipped && !skipped++)
			printf("skipped: the scores of %s and others, %s\n", results[i].name, results[i].skipped);
	cJSON_Delete(scores);
	free(results);
	if (off)
		fail_msg("%d scores are not what " SCORES " holds; make scores renews it, and its diff shows what changed", off);
}

enum {
	PLAIN = 1 << FAST_LEFT | 1 << FAST_THRESHOLD | 1 << FAST_POLICY,
	TOLD = 1 << FAST_TOLD,
	NO_FORECAST = 1 << FAST_NO_FORECAST,
	WORN = 1 << FAST_48 | 1 << FAST_12,
};

/* Thousands of miners more say nothing of the law that a few do not; the bench plays all. */
static void every_small_fleet(void **unused)
{
	(void)unused;
	check("-300", PLAIN);
	check("fast-100", PLAIN);
}

static void told_what_comes(void **unused)
{
	(void)unused;
	check("fast-300", TOLD);
	check("fast-100", TOLD);
	check("steps-2min slow-300", TOLD);
}

static void without_a_forecast(void **unused)
{
	(void)unused;
	check("fast-100", NO_FORECAST);
	check("noise-20s fast-300", NO_FORECAST);
	check("square-60s", NO_FORECAST);
}

static void with_few_cycles(void **unused)
{
	(void)unused;
	check("fast-100", WORN);
	check("square-5min", WORN);
	check("failures-6min", WORN);
	check("stairs-5min fast-300", WORN);
	check("triangle-10min slow-300", WORN);
	check("miners-lying mixed-300", WORN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_small_fleet), cmocka_unit_test(told_what_comes), cmocka_unit_test(without_a_forecast),
		cmocka_unit_test(with_few_cycles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
