#include "daemon/ctl_discover.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/ctl_found.h"
#include "daemon/ctl_quantity.h"
#include "daemon/ctl_range.h"
#include "daemon/ctl_scan.h"
#include "daemon/ctl_table.h"
#include "daemon/xalloc.h"

#define PROGRESS_MS 250
#define MOST_RATE   10000
#define LEAST_TIMEOUT_MS 50
#define MOST_TIMEOUT_MS  60000

struct discovery {
	struct scan scan;
	struct found found;
	uv_signal_t interrupt, terminate;
	uint64_t shown_ms;
	bool on_terminal, broken_off;
};

static int wrong(const char *what)
{
	fprintf(stderr, "mulletctl: discover: %s\n", what);
	return 2;
}

/* ---- while it runs ---- */

static void on_found(void *self, size_t host, enum fault fault, const struct miner_identity *is)
{
	struct discovery *discovery = self;
	found_add(&discovery->found, host, discovery->scan.conf.hosts[host], fault, is);
}

static void on_tick(void *self)
{
	struct discovery *discovery = self;
	const struct scan *scan = &discovery->scan;
	uint64_t now_ms = uv_now(scan->tick.loop);
	if (!discovery->on_terminal || now_ms - discovery->shown_ms < PROGRESS_MS)
		return;
	discovery->shown_ms = now_ms;
	fprintf(stderr, "\r%zu of %zu addresses asked, %zu found \033[K", scan->n_ended, scan->conf.n, discovery->found.n);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct discovery *discovery = handle->data;
	(void)number;
	discovery->broken_off = true;
	scan_stop(&discovery->scan);
}

static void on_scan_closed(void *self)
{
	struct discovery *discovery = self;
	uv_close((uv_handle_t *)&discovery->interrupt, NULL);
	uv_close((uv_handle_t *)&discovery->terminate, NULL);
	if (discovery->on_terminal)
		fprintf(stderr, "\r\033[K");
}

static void listen_to(uv_loop_t *loop, uv_signal_t *handle, int number, struct discovery *discovery)
{
	uv_signal_init(loop, handle);
	handle->data = discovery;
	uv_signal_start(handle, on_signal, number);
}

/* ---- afterwards ---- */

static void print_lines(const cJSON *rows)
{
	const cJSON *row;
	cJSON_ArrayForEach(row, rows) {
		char *text = cJSON_PrintUnformatted(row);
		printf("%s\n", text);
		cJSON_free(text);
	}
}

static void print_found(const struct discovery *discovery, bool json)
{
	const struct scan *scan = &discovery->scan;
	cJSON *rows = found_rows(&discovery->found);
	if (json)
		print_lines(rows);
	else if (discovery->found.n > 0)
		table_print(stdout, LIST_FOUND, rows, table_width());
	cJSON_Delete(rows);
	if (discovery->broken_off)
		fprintf(stderr, "mulletctl: discover: broken off: %zu of %zu addresses were asked\n", scan->n_ended, scan->conf.n);
	else if (discovery->found.n == 0)
		fprintf(stderr, "mulletctl: discover: no miner: none of %zu addresses answers at port %u\n", scan->conf.n,
		        scan->conf.port);
	if (json || discovery->found.n == 0)
		return;
	printf("\n");
	found_print_block(stdout, &discovery->found, scan->conf.port);
}

static int look(const struct scan_conf *conf, bool json)
{
	uv_loop_t loop;
	struct discovery *discovery = xcalloc(1, sizeof(*discovery));
	discovery->on_terminal = isatty(STDERR_FILENO);
	if (uv_loop_init(&loop) != 0)
		abort();
	listen_to(&loop, &discovery->interrupt, SIGINT, discovery);
	listen_to(&loop, &discovery->terminate, SIGTERM, discovery);
	scan_open(&discovery->scan, &loop, conf, (struct scan_user){ discovery, on_found, on_tick, on_scan_closed });
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	found_sort(&discovery->found);
	print_found(discovery, json);
	int code = discovery->broken_off ? 1 : 0;
	found_free(&discovery->found);
	free(discovery);
	return code;
}

/* ---- the command line ---- */

static bool parse_count(const char *text, const char *suffix, long most, long *value)
{
	char *end;
	long number = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || strcmp(end, suffix) != 0 || number < 1 || number > most)
		return false;
	*value = number;
	return true;
}

int discover_run(const struct discover_conf *conf)
{
	long port = 4028, rate = DISCOVER_RATE_PER_S;
	int64_t timeout_ms = DISCOVER_TIMEOUT_MS;
	if (conf->n_ranges == 0)
		return wrong("which RANGE? 10.30.0.0/16, 10.30.0.1-10.30.0.254 or 10.30.[0-7].[1-254] will do");
	if (conf->port && !parse_count(conf->port, "", 65535, &port))
		return wrong("--port wants a number from 1 to 65535");
	if (conf->rate && !parse_count(conf->rate, "/s", MOST_RATE, &rate))
		return wrong("--rate wants addresses a second, from 1/s to 10000/s, like 300/s");
	if (conf->timeout && (!parse_duration(conf->timeout, &timeout_ms) || timeout_ms < LEAST_TIMEOUT_MS ||
	                      timeout_ms > MOST_TIMEOUT_MS))
		return wrong("--timeout wants a duration from 50 ms to 1 min, like \"2 s\"");
	struct arena *arena = arena_new();
	struct ctl_range range = { 0 };
	const char *why = NULL;
	for (int i = 0; i < conf->n_ranges && !why; i++)
		why = range_add(arena, &range, conf->ranges[i]);
	range_sort(&range);
	int code = why ? wrong(why) : look(&(struct scan_conf){
		.hosts = range.hosts, .n = range.n, .port = (uint16_t)port, .rate_per_s = (uint32_t)rate,
		.timeout_ms = (uint32_t)timeout_ms, .most_at_once = DISCOVER_AT_ONCE }, conf->json);
	arena_free(arena);
	return code;
}
