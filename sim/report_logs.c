/* sim/report_logs.c - mulletsim's own logs, read back. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/report_run.h"

void *run_room(void *list, size_t n, size_t size)
{
	if (n & (n - 1))
		return list;            /* room doubles where n is a power of two */
	list = realloc(list, (n ? n * 2 : 1) * size);
	if (!list)
		abort();
	return list;
}

int64_t run_utc_ms(const char *text)
{
	struct tm utc = { 0 };
	int ms = 0, used = 0;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	if (!rest)
		return -1;
	if (*rest == '.' && (sscanf(rest, ".%3d%n", &ms, &used) != 1 || used != 4))
		return -1;
	return (int64_t)timegm(&utc) * 1000 + ms;
}

static FILE *open_file(const char *path, char *why, size_t size)
{
	FILE *file = fopen(path, "re");
	if (!file)
		snprintf(why, size, "%s: %s", path, strerror(errno));
	return file;
}

static int wrong(const char *path, size_t line, const char *what, char *why, size_t size)
{
	snprintf(why, size, "%s:%zu: %s", path, line, what);
	return -1;
}

static bool add_truth(struct run *run, const char *line)
{
	double t_s, site_w, hpc_w, miners_w;
	if (sscanf(line, "%lf,%lf,%lf,%lf", &t_s, &site_w, &hpc_w, &miners_w) != 4)
		return false;
	size_t n = run->n_truth;
	int64_t t_ms = llround(t_s * 1000);
	if (n == 0)
		run->truth_ms = t_ms;
	if (n == 1)
		run->step_ms = t_ms - run->truth_ms;
	if (n && (run->step_ms <= 0 || t_ms != run->truth_ms + (int64_t)n * run->step_ms))
		return false;
	run->site_w = run_room(run->site_w, n, sizeof *run->site_w);
	run->hpc_w = run_room(run->hpc_w, n, sizeof *run->hpc_w);
	run->miners_w = run_room(run->miners_w, n, sizeof *run->miners_w);
	run->site_w[n] = site_w;
	run->hpc_w[n] = hpc_w;
	run->miners_w[n] = miners_w;
	run->n_truth++;
	return true;
}

int run_read_truth(struct run *run, const char *path, char *why, size_t size)
{
	char line[160];
	size_t at = 0;
	int err = 0;
	FILE *file = open_file(path, why, size);
	if (!file)
		return -1;
	while (!err && fgets(line, sizeof line, file))
		if (++at > 1 && !add_truth(run, line))
			err = wrong(path, at, "not t_s,site_w,hpc_w,miners_w at even steps", why, size);
	fclose(file);
	if (!err && run->n_truth < 2)
		err = wrong(path, at, "too short to judge", why, size);
	return err;
}

/* N_DEEDS: the command moves nothing by itself. */
static enum deed meaning(const char *command, const char *parameter)
{
	if (strcmp(command, "curtail") == 0)
		return strcmp(parameter, "\"sleep\"") == 0 ? DEED_SLEEP : DEED_WAKE;
	if (strcmp(command, "ascdisable") == 0)
		return DEED_SLEEP;
	if (strcmp(command, "profileset") == 0 || strcmp(command, "atmset") == 0)
		return DEED_POWER;
	return strcmp(command, "begin") == 0 || strncmp(command, "log", 3) == 0 || strcmp(command, "kill") == 0 ? N_DEEDS : DEED_WAKE;
}

/* Cuts the next field out of a CSV line without quoted commas before it. */
static const char *field(char **rest)
{
	const char *text = strsep(rest, ",");
	return text ? text : "";
}

static bool add_command(struct run *run, char *line)
{
	double t_s;
	char *rest = line;
	const char *t_text = field(&rest), *time = field(&rest), *miner = field(&rest);
	field(&rest);           /* the host */
	const char *command = field(&rest), *parameter = field(&rest);
	int64_t utc_ms = run_utc_ms(time);
	if (sscanf(t_text, "%lf", &t_s) != 1 || utc_ms < 0)
		return false;
	int64_t at_ms = llround(t_s * 1000);
	run->begin_utc_ms = utc_ms - at_ms;
	enum deed deed = meaning(command, parameter);
	if (deed == N_DEEDS)
		return true;
	run->received = run_room(run->received, run->n_received, sizeof *run->received);
	struct run_command *told = &run->received[run->n_received++];
	*told = (struct run_command){ .at_ms = at_ms, .deed = deed };
	snprintf(told->miner, sizeof told->miner, "%s", miner);
	return true;
}

int run_read_commands(struct run *run, const char *path, char *why, size_t size)
{
	char line[1024];
	size_t at = 0;
	int err = 0;
	FILE *file = open_file(path, why, size);
	if (!file)
		return -1;
	while (!err && fgets(line, sizeof line, file))
		if (++at > 1 && !add_command(run, line))
			err = wrong(path, at, "not a line of --commands", why, size);
	fclose(file);
	if (!err && run->begin_utc_ms == 0)
		err = wrong(path, at, "does not say when the site's time began", why, size);
	return err;
}

void run_free(struct run *run)
{
	free(run->site_w);
	free(run->hpc_w);
	free(run->miners_w);
	free(run->received);
	free(run->published);
	free(run->views);
	free(run->decisions);
	free(run->outcomes);
	free(run->orders);
	free(run->alarms);
	*run = (struct run){ 0 };
}
