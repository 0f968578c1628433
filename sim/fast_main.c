#include "sim/fast_main.h"

#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/units.h"

#define SCENARIOS "sim/scenarios/*.txt"

static const char help[] =
"usage: mulletsim --fast [OPTION]… [SCENARIO…]\n"
"\n"
"Plays the control law against the plant in virtual time: by default every " SCENARIOS ", each with the fleets it\n"
"names, and beside it the same site without control, with a threshold looked at every 30 s, by a law that foretells nothing\n"
"of the load (forecast: false), with the GPU scheduler's notices where the scenario has any, and with 48 and 12 cycles a day.\n"
"At the end: what forecasts gain, and which bars are met.\n"
"\n"
"  --only TEXT        only cases whose name contains it\n"
"  --cycles N         wear limits for all: N cycles a day, 10 min awake, 3 min asleep\n"
"  --no-partial       miners know only on and off\n"
"  --prefer WORD      as in a site file: balanced (default), hash or flat\n"
"  --json FILE        writes the results\n"
"  --svg DIR          writes a picture of each case\n"
"  --traces DIR       measured traces (default $MULLET_SHARED/traces or ../shared/traces)\n"
"  --threads N        (default: as many as there are processors)\n";

enum { KEY_ONLY = 256, KEY_CYCLES, KEY_WHOLE, KEY_PREFER, KEY_JSON, KEY_SVG, KEY_TRACES, KEY_THREADS, KEY_HELP };
static const struct option long_options[] = {
	{ "only", 1, NULL, KEY_ONLY }, { "cycles", 1, NULL, KEY_CYCLES }, { "no-partial", 0, NULL, KEY_WHOLE },
	{ "prefer", 1, NULL, KEY_PREFER },
	{ "json", 1, NULL, KEY_JSON },
	{ "svg", 1, NULL, KEY_SVG }, { "traces", 1, NULL, KEY_TRACES }, { "threads", 1, NULL, KEY_THREADS },
	{ "help", 0, NULL, KEY_HELP }, { NULL, 0, NULL, 0 },
};

const char *fast_traces(char *path, size_t size)
{
	const char *shared = getenv("MULLET_SHARED");
	snprintf(path, size, "%s/traces", shared ? shared : "../shared");
	return path;
}

static bool set_cycles(const char *text, struct fast_wear *wear)
{
	int64_t n;
	if (!units_count(text, 1000, &n) || n == 0)
		return false;
	*wear = fast_wear_of((int32_t)n);
	return true;
}

static bool set_prefer(const char *text, enum prefer *prefer)
{
	static const char *const words[N_PREFERS] = { [PREFER_BALANCED] = "balanced", [PREFER_HASH] = "hash", [PREFER_FLAT] = "flat" };
	for (int p = 0; p < N_PREFERS; p++)
		if (strcmp(text, words[p]) == 0)
			return *prefer = (enum prefer)p, true;
	return false;
}

static bool set_threads(const char *text, int *threads)
{
	int64_t n;
	if (!units_count(text, 64, &n) || n == 0)
		return false;
	*threads = (int)n;
	return true;
}

static bool take(struct fast_options *options, int key)
{
	switch (key) {
	case KEY_ONLY:    return (options->only = optarg);
	case KEY_CYCLES:  return set_cycles(optarg, &options->wear);
	case KEY_WHOLE:   return (options->whole = true);
	case KEY_PREFER:  return set_prefer(optarg, &options->prefer);
	case KEY_JSON:    return (options->json_file = optarg);
	case KEY_SVG:     return (options->svg_dir = optarg);
	case KEY_TRACES:  return (options->traces = optarg);
	case KEY_THREADS: return set_threads(optarg, &options->threads);
	}
	return false;
}

static int complain(const char *path)
{
	fprintf(stderr, "mulletsim: %s: %s\n", path, strerror(errno));
	return 1;
}

static int write_json(const char *path, const struct fast_result *results, size_t n)
{
	FILE *out = fopen(path, "we");
	if (!out)
		return complain(path);
	fast_print_json(results, n, out);
	return fclose(out) == 0 ? 0 : complain(path);
}

/* Before minutes of play; what is in them stays. */
static int try_outputs(const struct fast_options *options)
{
	FILE *json = options->json_file ? fopen(options->json_file, "ae") : NULL;
	if (options->json_file && !json)
		return complain(options->json_file);
	if (json)
		fclose(json);
	return options->svg_dir && access(options->svg_dir, W_OK | X_OK) != 0 ? complain(options->svg_dir) : 0;
}

static int play(const struct fast_options *options)
{
	char why[300];
	size_t n;
	if (try_outputs(options) != 0)
		return 1;
	struct fast_result *results = fast_play(options, &n, why, sizeof why);
	if (!results) {
		fprintf(stderr, "mulletsim: %s\n", why);
		return 2;
	}
	fast_print_table(results, n, stdout);
	int status = options->json_file ? write_json(options->json_file, results, n) : 0;
	free(results);
	return status;
}

static int refuse(const char *name, const char *what)
{
	fprintf(stderr, "mulletsim: --fast: %s: %s; see mulletsim --fast --help\n", name, what);
	return 2;
}

int fast_main(int argc, char **argv)
{
	char traces[512];
	int key, index = 0;
	struct fast_options options = { .traces = fast_traces(traces, sizeof traces) };
	glob_t found = { 0 };
	opterr = optind = 0;
	while ((key = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (key == KEY_HELP)
			return fputs(help, stdout) < 0;
		if (key == '?')
			return refuse(argv[optind - 1], "unknown, ambiguous, or its value is missing");
		if (!take(&options, key)) {
			fprintf(stderr, "mulletsim: --fast: --%s: \"%s\" will not do; see mulletsim --fast --help\n", long_options[index].name, optarg);
			return 2;
		}
	}
	options.paths = (const char *const *)argv + optind;
	options.n_paths = (size_t)(argc - optind);
	if (options.n_paths == 0 && glob(SCENARIOS, 0, NULL, &found) != 0)
		return refuse(SCENARIOS, "there are none here, and none was named");
	if (options.n_paths == 0) {
		options.paths = (const char *const *)found.gl_pathv;
		options.n_paths = found.gl_pathc;
	}
	int status = play(&options);
	globfree(&found);
	return status;
}
