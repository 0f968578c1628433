/* mulletd - holds a site's draw flat and under its cap by curtailing bitcoin miners. README.md tells the rest. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/service.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };

static const char usage[] =
	"mulletd - holds a site's draw flat and under its cap by curtailing bitcoin miners\n"
	"\n"
	"  mulletd [-c FILE]             run, in the foreground\n"
	"  mulletd [-c FILE] --check     read the file, print the site as it was understood, connect to nothing\n"
	"  mulletd [-c FILE] --dry-run   run, publish decisions, command no miner\n"
	"\n"
	"  -c, --config FILE   default /etc/mulletd/site.yaml\n"
	"      --socket PATH   of mulletctl; default $RUNTIME_DIRECTORY/control.sock, or /run/mulletd/control.sock\n"
	"      --no-socket     none\n"
	"      --state DIR     where it remembers over a restart; default $STATE_DIRECTORY, which systemd sets; else nowhere\n"
	"      --help-config   every key of the file, with units, bounds and defaults\n"
	"  -v, --verbose       log more\n"
	"      --version\n"
	"  -h, --help\n"
	"\n"
	"Exit codes: 0 done, 1 failed at run time, 2 wrong command line, 78 wrong configuration.\n";

static void print_line(void *self, const char *line)
{
	(void)self;
	puts(line);
}

static struct wired *read_site(const char *file, bool check)
{
	struct fault_list faults;
	fault_list_init(&faults, file);
	struct wired *wired = service_read(file, &faults);
	if (wired && check && !service_check_files(wired->config, &faults)) {
		wired_free(wired);
		wired = NULL;
	}
	for (size_t i = 0; i < faults.n; i++) {
		char line[1024];
		fault_format(&faults, i, line, sizeof(line));
		fprintf(stderr, "%s\n", line);
	}
	if (faults.dropped)
		fprintf(stderr, "%s: %zu more faults\n", file, faults.dropped);
	fault_list_free(&faults);
	return wired;
}

static const char *default_socket(char *buf, size_t size)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	snprintf(buf, size, "%s/control.sock", runtime ? runtime : "/run/mulletd");
	return buf;
}

/* systemd names as many directories as the unit does, with colons between them: the first is ours. */
static const char *default_state(char *buf, size_t size)
{
	const char *state = getenv("STATE_DIRECTORY");
	if (!state || !*state)
		return NULL;
	snprintf(buf, size, "%.*s", (int)strcspn(state, ":"), state);
	return buf;
}

int main(int argc, char **argv)
{
	enum { OPT_CHECK = 256, OPT_DRY_RUN, OPT_SOCKET, OPT_NO_SOCKET, OPT_STATE, OPT_HELP_CONFIG, OPT_VERSION };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, OPT_CHECK },
		{ "dry-run", no_argument, NULL, OPT_DRY_RUN }, { "socket", required_argument, NULL, OPT_SOCKET },
		{ "no-socket", no_argument, NULL, OPT_NO_SOCKET }, { "state", required_argument, NULL, OPT_STATE },
		{ "help-config", no_argument, NULL, OPT_HELP_CONFIG },
		{ "verbose", no_argument, NULL, 'v' }, { "version", no_argument, NULL, OPT_VERSION },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	char socket[512], state[512];
	struct service_conf conf = { .file = "/etc/mulletd/site.yaml", .socket = default_socket(socket, sizeof(socket)),
	                             .state = default_state(state, sizeof(state)) };
	bool check = false;
	for (int c; (c = getopt_long(argc, argv, "c:vh", options, NULL)) != -1; ) {
		switch (c) {
		case 'c':             conf.file = optarg; break;
		case OPT_CHECK:       check = true; break;
		case OPT_DRY_RUN:     conf.dry_run = true; break;
		case OPT_SOCKET:      conf.socket = optarg; break;
		case OPT_NO_SOCKET:   conf.socket = NULL; break;
		case OPT_STATE:       conf.state = optarg; break;
		case OPT_HELP_CONFIG: config_print_keys(print_line, NULL); return 0;
		case OPT_VERSION:     puts("mulletd " MULLET_VERSION); return 0;
		case 'v':             log_set_level(LOG_LEVEL_DEBUG); break;
		case 'h':             fputs(usage, stdout); return 0;
		default:              fputs("mulletd --help tells what there is\n", stderr); return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mulletd: what is \"%s\"? mulletd --help tells what there is\n", argv[optind]);
		return EXIT_USAGE;
	}
	struct wired *wired = read_site(conf.file, check);
	if (!wired)
		return EXIT_CONFIG;
	if (check) {
		wired_print(wired, print_line, NULL);
		wired_free(wired);
		return 0;
	}
	return service_run(&conf, wired);
}
