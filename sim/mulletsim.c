/* sim/mulletsim.c - a simulated site as a process of its own. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "sim/fast_main.h"
#include "sim/options.h"
#include "sim/report.h"
#include "sim/zeroed.h"

struct simulator {
	uv_loop_t loop;
	uv_signal_t on_int, on_term;
	uv_timer_t stop;
	struct farm farm;
	bool stopping;
};

static void farm_closed(struct farm *farm)
{
	(void)farm;
}

static void stop(struct simulator *sim)
{
	if (sim->stopping)
		return;
	sim->stopping = true;
	uv_close((uv_handle_t *)&sim->on_int, NULL);
	uv_close((uv_handle_t *)&sim->on_term, NULL);
	uv_close((uv_handle_t *)&sim->stop, NULL);
	farm_close(&sim->farm, farm_closed);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	stop(handle->data);
}

static void on_stop(uv_timer_t *timer)
{
	stop(timer->data);
}

/* A listener and a connection for each device, and some. */
static void raise_descriptor_limit(size_t devices)
{
	struct rlimit limit;
	rlim_t want = (rlim_t)devices * 2 + 256;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > want ? want : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void print_ready(const struct farm *farm)
{
	char utc_text[32];
	time_t utc_s = (time_t)(farm->begin_utc_ms / 1000);
	struct tm utc;
	strftime(utc_text, sizeof utc_text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&utc_s, &utc));
	printf("mulletsim: ready: site meter " FARM_SITE_HOST ":%u, %zu PDUs, %zu miners on port %u, t=0 at %s.%03lldZ\n",
	       farm->conf.modbus_port, farm->conf.truth.n_pdus, farm->truth.plant.n, farm->conf.miner_port, utc_text,
	       (long long)(farm->begin_utc_ms % 1000));
	fflush(stdout);
}

static void start_signals(struct simulator *sim, int64_t stop_ms)
{
	uv_signal_init(&sim->loop, &sim->on_int);
	uv_signal_init(&sim->loop, &sim->on_term);
	uv_timer_init(&sim->loop, &sim->stop);
	sim->on_int.data = sim->on_term.data = sim->stop.data = sim;
	uv_signal_start(&sim->on_int, on_signal, SIGINT);
	uv_signal_start(&sim->on_term, on_signal, SIGTERM);
	if (stop_ms)
		uv_timer_start(&sim->stop, on_stop, (uint64_t)stop_ms, 0);
}

static size_t miners_of(const struct farm_conf *conf)
{
	size_t n = 0;
	for (size_t t = 0; t < conf->n_types; t++)
		n += conf->n_of[t];
	return n;
}

static int run(const struct options *options)
{
	char why[300];
	struct simulator *sim = zeroed(1, sizeof *sim);
	raise_descriptor_limit(options->farm.truth.n_pdus + miners_of(&options->farm));
	uv_loop_init(&sim->loop);
	start_signals(sim, options->stop_ms);
	int err = farm_open(&sim->farm, &sim->loop, &options->farm, why, sizeof why);
	if (err) {
		fprintf(stderr, "mulletsim: %s\n", why);
		stop(sim);
	} else {
		print_ready(&sim->farm);
	}
	uv_run(&sim->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&sim->loop) != 0)
		abort();
	if (sim->farm.logs_broken) {
		fputs("mulletsim: --log or --commands could not be written to the end\n", stderr);
		err = 1;
	}
	free(sim);
	return err ? 1 : 0;
}

static int print_config(const struct farm_conf *conf)
{
	struct text text = { 0 };
	farm_print_config(conf, &text);
	bool ok = fwrite(text.at, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
	text_free(&text);
	return ok ? 0 : 1;
}

static int report(const struct options *options)
{
	struct report_files files = { options->farm.log_file, options->farm.commands_file, options->bus_file, options->svg_file };
	return report_make(&files, &options->farm, options->flat_ms);
}

static int obey(const struct options *options)
{
	if (options->help)
		return fputs(options_help, stdout) < 0;
	if (options->version)
		return puts("mulletsim " MULLET_VERSION) < 0;
	if (options->fast) {
		fputs("mulletsim: --fast comes first, with options of its own: mulletsim --fast --help\n", stderr);
		return 2;
	}
	if (options->print_config)
		return print_config(&options->farm);
	if (options->report)
		return report(options);
	return run(options);
}

int main(int argc, char **argv)
{
	struct options options;
	char why[300];
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "--fast") == 0)
		return fast_main(argc - 1, argv + 1);
	int status = options_read(&options, argc, argv, why, sizeof why);
	if (status)
		fprintf(stderr, "mulletsim: %s\n", why);
	else
		status = obey(&options);
	options_free(&options);
	return status;
}
