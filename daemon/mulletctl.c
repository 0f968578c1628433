/* mulletctl - the operator's hand: asks the daemon over its Unix socket, or tells it. */
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ctl_discover.h"
#include "daemon/ctl_line.h"
#include "daemon/ctl_screen.h"
#include "daemon/ctl_watch.h"
#include "daemon/xalloc.h"

#define DEFAULT_SOCKET "/run/mulletd/control.sock"

struct verb {
	const char *name, *args, *help;
	const char *options;            /* letters of those it takes: n, s(ince), f(or), p(ort), r(ate), t(imeout) */
	int max_words;
	int (*run)(const struct command_line *);        /* returns the exit code */
};

static enum colours status_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	bool plain = (no && *no) || !term || strcmp(term, "dumb") == 0 || !isatty(STDOUT_FILENO);
	return plain ? COLOURS_NONE : strstr(term, "256color") ? COLOURS_256 : COLOURS_16;
}

static int status_width(void)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col < SCREEN_MIN_WIDTH ? SCREEN_MIN_WIDTH : size.ws_col > 120 ? 120 : size.ws_col;
}

/* Less the line of the prompt; 0: no terminal. */
static int status_rows(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_row > 1 ? size.ws_row - 1 : 0;
}

static int run_status(const struct command_line *line)
{
	struct json request;
	begin_request(&request, "status");
	json_close(&request);
	if (line->json) {
		int code = ask_once(line, &request, printed());
		json_free(&request);
		return code;
	}
	json_free(&request);
	struct ctl_client client;
	struct ctl_model *model = xcalloc(1, sizeof(*model));
	client_init(&client, line->socket);
	bool heard = watch_refresh(&client, model, ANSWER_MS);
	client_close(&client);
	if (heard) {
		struct canvas canvas;
		canvas_init(&canvas, status_width(), STATUS_ROWS, line->ascii);
		screen_status(&canvas, model, status_rows());
		char *text = canvas_print(&canvas, status_colours(), "", "\n", false);
		printf("%s\n", text);
		free(text);
		canvas_free(&canvas);
	} else {
		clean_text(model->trouble);
		fail(1, model->trouble);
	}
	free(model);
	return heard ? 0 : 1;
}

static int run_watch(const struct command_line *line)
{
	struct ctl_client client;
	struct watch_conf conf = { .client = &client, .ascii = line->ascii, .json = line->json };
	if (line->for_how_long && !parse_duration(line->for_how_long, &conf.for_ms))
		return fail(2, "watch: --for wants a duration with its unit, like \"90 s\"");
	client_init(&client, line->socket);
	int code = watch_run(&conf);
	client_close(&client);
	return code;
}

static int tell(const struct command_line *line, struct json *request, const char *done)
{
	json_close(request);
	int code = ask_once(line, request, printed());
	json_free(request);
	if (code == 0)
		printf("%s\n", line->json ? "{\"ok\":true}" : done);
	return code;
}

/* "hold 19.4 MW" needs no quotes: the words are one quantity. */
static int run_hold(const struct command_line *line)
{
	struct json request;
	char quantity[64], power[32], duration[32], done[160];
	int64_t watts, for_ms = 0;
	snprintf(quantity, sizeof(quantity), line->n_words > 1 ? "%s %s" : "%s", line->n_words > 0 ? line->words[0] : "",
	         line->n_words > 1 ? line->words[1] : "");
	if (!parse_power(quantity, &watts))
		return fail(2, "hold: wants a power with its unit: W, kW, MW or GW, like 19.4 MW");
	if (line->for_how_long && (!parse_duration(line->for_how_long, &for_ms) || for_ms == 0))
		return fail(2, "hold: --for wants a duration with its unit: ms, s, min, h or d, like \"15 min\"");
	begin_request(&request, "hold");
	json_int(&request, "watts", watts);
	json_int(&request, "for_ms", for_ms);
	snprintf(done, sizeof(done), "holding %s %s%s", format_power(watts, power, sizeof(power)),
	         for_ms ? "for " : "until release", for_ms ? format_duration(for_ms, duration, sizeof(duration)) : "");
	return tell(line, &request, done);
}

static int run_release(const struct command_line *line)
{
	struct json request;
	begin_request(&request, "release");
	return tell(line, &request, "released: nothing of the operator's is in force");
}

static int run_shed(const struct command_line *line)
{
	struct json request;
	begin_request(&request, "shed");
	return tell(line, &request, "shed: all miners off until release");
}

/* Why the last reload was refused, where an alarm says so. */
static void tell_why_refused(const struct command_line *line)
{
	struct json request;
	char why[700];
	int code;
	begin_request(&request, "alarms");
	cJSON *alarms = asked(line, &request, &code);
	const cJSON *alarm = find_row(alarms, "name", "config");
	if (alarm) {
		snprintf(why, sizeof(why), "%s", json_text(alarm, "why"));
		clean_text(why);
		fail(1, why);
	}
	cJSON_Delete(alarms);
}

static int run_reload(const struct command_line *line)
{
	struct json request;
	begin_request(&request, "reload");
	int code = tell(line, &request, "reloaded");
	if (code != 0)
		tell_why_refused(line);
	return code;
}

/* The mulletd of this mulletctl: beside it, in the sbin next door, or in PATH. Does not return where it is found. */
static int run_check(const struct command_line *line)
{
	static const char *const places[] = { "mulletd", "../sbin/mulletd" };
	char self[4096], path[4200];
	if (line->n_words < 1)
		return fail(2, "check: which FILE?");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - self), self, places[i]);
		execl(path, "mulletd", "-c", line->words[0], "--check", (char *)NULL);
	}
	execlp("mulletd", "mulletd", "-c", line->words[0], "--check", (char *)NULL);
	fprintf(stderr, "mulletctl: cannot run mulletd: %s\n", strerror(errno));
	return 1;
}

static int run_discover(const struct command_line *line)
{
	return discover_run(&(struct discover_conf){ .ranges = line->words, .n_ranges = line->n_words, .port = line->port,
		.rate = line->rate, .timeout = line->timeout, .json = line->json });
}

static const struct verb verbs[] = {
	{ "status",    "",                     "the site on one screen",                                "",   0, run_status },
	{ "watch",     "[--for DURATION]",     "the site live; q quits",                                "f",  0, run_watch },
	{ "miners",    "[GROUP[/N]]",              "each miner: state, power, what it was told",            "",   1, run_miners },
	{ "groups",    "",                     "each group of miners: what was learned of it",          "",   0, run_groups },
	{ "meters",    "",                     "each meter: power, age, faults",                        "",   0, run_meters },
	{ "events",    "[ID]",                 "orders and grid events; of one: all that it came to",   "",   1, run_events },
	{ "decisions", "[-n N] [--since T]",   "the newest decisions and why (20)",                     "ns", 0, run_decisions },
	{ "alarms",    "",                     "what is raised, and since when",                        "",   0, run_alarms },
	{ "hold",      "POWER [--for DURATION]", "hold the site at POWER; never above a limit",         "f",  2, run_hold },
	{ "release",   "",                     "end a hold or a shed",                                  "",   0, run_release },
	{ "shed",      "",                     "all miners off until release",                          "",   0, run_shed },
	{ "reload",    "",                     "read the configuration again",                          "",   0, run_reload },
	{ "check",     "FILE",                 "is FILE a right configuration? what site is it?",       "",   1, run_check },
	{ "discover",  "RANGE...",             "which miners are there; the file's block for them",     "prt", INT_MAX, run_discover },
};

static void usage(FILE *out)
{
	fprintf(out, "usage: mulletctl [--socket PATH] [--json] VERB\n\n");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		char left[64];
		snprintf(left, sizeof(left), "%s %s", verbs[i].name, verbs[i].args);
		fprintf(out, "  %-30s %s\n", left, verbs[i].help);
	}
	fprintf(out, "\n"
	        "  --socket PATH   of the daemon; default $MULLET_SOCKET, else " DEFAULT_SOCKET "\n"
	        "  --json          what the daemon says, one JSON object a line\n"
	        "  --ascii         no other signs, whatever the locale can; --unicode: the opposite\n"
	        "  --version, --help\n\n"
	        "discover needs no daemon. It asks each address of RANGE once, by reads alone, and no other: 10.30.0.0/16,\n"
	        "10.30.0.1-10.30.0.254, 10.30.[0-7].[1-254]. It ends with the miners: block to paste. Ctrl-C: what was found.\n"
	        "  --port N        where miners listen; default 4028\n"
	        "  --rate N/s      most addresses a second; default 300/s, at which a /16 takes 4 minutes\n"
	        "  --timeout T     longest wait for one answer; default 2 s\n\n"
	        "POWER: 19.4 MW, 350 kW. DURATION: 90 s, 15 min, 2 h. T: 2026-11-22T05:04:03Z, 05:04, or how long ago.\n"
	        "Exit codes: 0 done, 1 failed or refused, 2 wrong command line; check: 78 wrong configuration.\n");
}

static int run_verb(const struct command_line *line)
{
	const struct { char letter; const char *given, *name; } given[] = {
		{ 'n', line->n, "-n" }, { 's', line->since, "--since" }, { 'f', line->for_how_long, "--for" },
		{ 'p', line->port, "--port" }, { 'r', line->rate, "--rate" }, { 't', line->timeout, "--timeout" },
	};
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		const struct verb *verb = &verbs[i];
		if (strcmp(line->verb, verb->name) != 0)
			continue;
		for (size_t o = 0; o < sizeof(given) / sizeof(*given); o++)
			if (given[o].given && !strchr(verb->options, given[o].letter)) {
				fprintf(stderr, "mulletctl: %s takes no %s\n", verb->name, given[o].name);
				return 2;
			}
		if (line->n_words > verb->max_words) {
			fprintf(stderr, "mulletctl: %s: what is \"%s\"?\n", verb->name, line->words[verb->max_words]);
			return 2;
		}
		return verb->run(line);
	}
	fprintf(stderr, "mulletctl: no such verb \"%s\"; mulletctl --help lists them\n", line->verb);
	return 2;
}

/* "--for 15 min" needs no quotes, as "hold 19.4 MW" needs none: a unit that stands next is taken as well. */
static const char *duration_given(int argc, char **argv)
{
	static char joined[4][64];
	static int n;
	int64_t ms;
	if (optind >= argc || n == 4 || parse_duration(optarg, &ms) ||
	    snprintf(joined[n], sizeof(joined[n]), "%s %s", optarg, argv[optind]) >= (int)sizeof(joined[n]) ||
	    !parse_duration(joined[n], &ms))
		return optarg;
	optind++;
	return joined[n++];
}

static int wrong_option(int option, char **argv)
{
	char letter[3] = { '-', (char)optopt, '\0' };
	fprintf(stderr, option == ':' ? "mulletctl: %s wants a value; mulletctl --help tells which\n"
	                              : "mulletctl: what is \"%s\"? mulletctl --help tells what there is\n",
	        optopt > 0 && optopt < 128 ? letter : argv[optind - 1]);
	return 2;
}

int main(int argc, char **argv)
{
	enum { OPTION_SOCKET = 256, OPTION_JSON, OPTION_ASCII, OPTION_UNICODE, OPTION_SINCE, OPTION_FOR, OPTION_VERSION,
	       OPTION_PORT, OPTION_RATE, OPTION_TIMEOUT };
	static const struct option options[] = {
		{ "socket", required_argument, NULL, OPTION_SOCKET }, { "json", no_argument, NULL, OPTION_JSON },
		{ "ascii", no_argument, NULL, OPTION_ASCII }, { "unicode", no_argument, NULL, OPTION_UNICODE },
		{ "since", required_argument, NULL, OPTION_SINCE }, { "for", required_argument, NULL, OPTION_FOR },
		{ "port", required_argument, NULL, OPTION_PORT }, { "rate", required_argument, NULL, OPTION_RATE },
		{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
		{ "version", no_argument, NULL, OPTION_VERSION }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	/* Only the signs: figures are written and read with a point wherever we are. */
	setlocale(LC_CTYPE, "");
	const char *socket = getenv("MULLET_SOCKET");
	struct command_line line = { .socket = socket && *socket ? socket : DEFAULT_SOCKET };
	line.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	int option;
	while ((option = getopt_long(argc, argv, ":n:h", options, NULL)) >= 0)
		switch (option) {
		case 'n':            line.n = optarg; break;
		case OPTION_SOCKET:  line.socket = optarg; break;
		case OPTION_JSON:    line.json = true; break;
		case OPTION_ASCII:   line.ascii = true; break;
		case OPTION_UNICODE: line.ascii = false; break;
		case OPTION_SINCE:   line.since = duration_given(argc, argv); break;
		case OPTION_FOR:     line.for_how_long = duration_given(argc, argv); break;
		case OPTION_PORT:    line.port = optarg; break;
		case OPTION_RATE:    line.rate = optarg; break;
		case OPTION_TIMEOUT: line.timeout = duration_given(argc, argv); break;
		case OPTION_VERSION: printf("mulletctl %s\n", MULLET_VERSION); return 0;
		case 'h':            usage(stdout); return 0;
		default:             return wrong_option(option, argv);
		}
	if (optind >= argc) {
		usage(stderr);
		return 2;
	}
	line.verb = argv[optind];
	line.words = argv + optind + 1;
	line.n_words = argc - optind - 1;
	return run_verb(&line);
}
