#include "sim/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/svg.h"
#include "sim/zeroed.h"

enum { CLOCKS_APART_MS = 50, COMMAND_STALE_MS = 60000 };

/* The newest view that is not after it; NULL: none was told yet. */
static const struct run_view *view_at(const struct run *run, int64_t at_ms)
{
	size_t low = 0, high = run->n_views;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (run->views[middle].at_ms <= at_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &run->views[low - 1] : NULL;
}

int64_t report_limit_w(const struct report *report, const struct run *run, int64_t at_ms)
{
	const struct run_view *view = view_at(run, at_ms);
	return view ? view->limit_w : report->cap_w;
}

/* ---- over the limit ---- */

struct watch {                          /* one pass over the truth */
	const struct report *report;
	const struct run *run;
	bool left;                      /* with all miners left hashing */
	bool cap;                       /* against the file's cap only */
};

static double watched_w(const struct watch *watch, size_t i)
{
	const struct run *run = watch->run;
	return watch->left ? run->site_w[i] - run->miners_w[i] + (double)watch->report->full_w : run->site_w[i];
}

static void count_over(struct report_over *over, double over_w, double seconds, int64_t at_ms, bool excused)
{
	over->seconds += seconds;
	over->wh += over_w * seconds / 3600;
	over->excused_s += excused ? seconds : 0;
	over->excused_wh += excused ? over_w * seconds / 3600 : 0;
	if (over_w > over->most_w) {
		over->most_w = over_w;
		over->most_ms = at_ms;
	}
}

static void grow_episode(struct report_episode *episode, double over_w, double seconds, int64_t end_ms, bool excused)
{
	episode->end_ms = end_ms;
	episode->most_w = over_w > episode->most_w ? over_w : episode->most_w;
	episode->over_s += seconds;
	episode->late_s += excused ? 0 : seconds;
}

/* episodes: NULL, or room for REPORT_EPISODES; the last one also takes what comes after it. */
static size_t judge_over(const struct watch *watch, struct report_over *over, struct report_episode *episodes)
{
	const struct run *run = watch->run;
	int64_t excused_ms = 0, last_ms = 0, limit_w = INT64_MAX, before_w;
	bool inside = false;
	size_t n = 0;
	for (size_t i = 0; i < run->n_truth; i++) {
		int64_t at_ms = run->truth_ms + (int64_t)i * run->step_ms;
		before_w = limit_w;
		limit_w = watch->cap ? watch->report->cap_w : report_limit_w(watch->report, run, at_ms);
		double over_w = watched_w(watch, i) - (double)limit_w, seconds = (double)run->step_ms / 1000;
		inside = inside && at_ms - last_ms < watch->report->response_ms;
		if (over_w <= 0 || at_ms < run->control_ms)
			continue;
		if (!inside && episodes && n < REPORT_EPISODES)
			episodes[n++] = (struct report_episode){ .begin_ms = at_ms };
		if (!inside || limit_w < before_w)
			excused_ms = at_ms + watch->report->response_ms;
		inside = true;
		last_ms = at_ms;
		count_over(over, over_w, seconds, at_ms, at_ms < excused_ms);
		if (episodes)
			grow_episode(&episodes[n - 1], over_w, seconds, at_ms + run->step_ms, at_ms < excused_ms);
	}
	return n;
}

/* ---- flat ---- */

static void judge_targets(struct report *report, const struct run *run, size_t from)
{
	double site = 0, left = 0;
	size_t n = 0;
	for (size_t i = from; i < run->n_truth; i++) {
		const struct run_view *view = view_at(run, run->truth_ms + (int64_t)i * run->step_ms);
		if (!view || !view->target_w)
			continue;
		double off_w = run->site_w[i] - (double)view->target_w;
		double left_off_w = off_w - run->miners_w[i] + (double)report->full_w;
		site += off_w * off_w;
		left += left_off_w * left_off_w;
		n++;
	}
	report->off_target_w = n ? sqrt(site / (double)n) : 0;
	report->left_off_target_w = n ? sqrt(left / (double)n) : 0;
}

static void judge_flatness(struct report *report, const struct run *run)
{
	int64_t skip_ms = report->flat_ms - run->truth_ms;
	size_t from = skip_ms > 0 ? (size_t)(skip_ms / run->step_ms) : 0;
	from = from < run->n_truth ? from : run->n_truth;
	size_t n = run->n_truth - from;
	struct score_series series = { run->site_w + from, run->hpc_w + from, n, run->step_ms };
	score_series(&series, (double)report->cap_w, NULL, REPORT_SPLIT_MS, &report->score);
	double *left_w = zeroed(n, sizeof *left_w);
	for (size_t i = 0; i < n; i++)
		left_w[i] = run->site_w[from + i] - run->miners_w[from + i];
	score_bands(left_w, n, REPORT_SPLIT_MS / (double)run->step_ms, &report->left_slow_w, &report->left_fast_w);
	free(left_w);
	judge_targets(report, run, from);
	for (size_t i = 0; i < run->n_truth; i++)
		report->miners_wh += run->miners_w[i] * (double)run->step_ms / 3600000;
	report->full_wh = (double)report->full_w * (double)run->n_truth * (double)run->step_ms / 3600000;
}

/* ---- commands ---- */

static int by_miner_and_time(const void *a, const void *b)
{
	const struct run_command *one = a, *other = b;
	int order = strcmp(one->miner, other->miner);
	return order ? order : one->at_ms < other->at_ms ? -1 : one->at_ms > other->at_ms;
}

/* The newest of the sorted commands that is for this miner and not after it; NULL: none. */
static const struct run_command *behind(const struct run_command *sorted, size_t n, const struct run_command *received)
{
	struct run_command latest = *received;
	size_t low = 0, high = n;
	latest.at_ms += CLOCKS_APART_MS;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (by_miner_and_time(&sorted[middle], &latest) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && strcmp(sorted[low - 1].miner, received->miner) == 0 ? &sorted[low - 1] : NULL;
}

static bool hashes(const struct run_command *command)
{
	return command->deed != DEED_SLEEP;
}

static void find_strays(struct report *report, const struct run *run)
{
	struct run_command *sorted = zeroed(run->n_published + 1, sizeof *sorted);
	if (run->n_published) {
		memcpy(sorted, run->published, run->n_published * sizeof *sorted);
		qsort(sorted, run->n_published, sizeof *sorted, by_miner_and_time);
	}
	for (size_t i = 0; i < run->n_received; i++) {
		const struct run_command *received = &run->received[i];
		const struct run_command *told = behind(sorted, run->n_published, received);
		if (told && hashes(told) == hashes(received) && received->at_ms - told->at_ms <= COMMAND_STALE_MS)
			continue;
		report->strays = run_room(report->strays, report->n_strays, sizeof *report->strays);
		report->strays[report->n_strays++] = i;
	}
	free(sorted);
}

static int by_size(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
	return one < other ? -1 : one > other;
}

static void judge_outcomes(struct report *report, const struct run *run)
{
	size_t n = run->n_outcomes;
	int64_t *elapsed_ms = zeroed(n + 1, sizeof *elapsed_ms);
	for (size_t i = 0; i < n; i++) {
		report->sent += run->outcomes[i].sent;
		report->confirmed += run->outcomes[i].confirmed;
		report->failed += run->outcomes[i].failed;
		elapsed_ms[i] = run->outcomes[i].elapsed_ms;
	}
	qsort(elapsed_ms, n, sizeof *elapsed_ms, by_size);
	report->median_ms = n ? elapsed_ms[n / 2] : -1;
	report->p99_ms = n ? elapsed_ms[(n * 99 + 99) / 100 - 1] : -1;
	report->worst_ms = n ? elapsed_ms[n - 1] : -1;
	free(elapsed_ms);
}

/* ---- all ---- */

static void describe_site(struct report *report, const struct farm_conf *conf)
{
	report->cap_w = farm_cap_w(conf);
	for (size_t t = 0; t < conf->n_types; t++) {
		const struct plant_miner_type *type = conf->types[t];
		int64_t slowest_ms = (int64_t)(type->sleep_dead_ms + type->sleep_fall_ms) * (1000 + type->times_spread_permille) / 1000;
		report->full_w += (int64_t)conf->n_of[t] * type->full_w;
		if (conf->n_of[t] && slowest_ms > report->response_ms)
			report->response_ms = slowest_ms;
	}
}

void report_judge(struct report *report, const struct run *run, const struct farm_conf *conf, int64_t flat_ms)
{
	*report = (struct report){ .flat_ms = flat_ms };
	describe_site(report, conf);
	report->n_episodes = judge_over(&(struct watch){ report, run, false, false }, &report->limit, report->episodes);
	judge_over(&(struct watch){ report, run, false, true }, &report->cap, NULL);
	judge_over(&(struct watch){ report, run, true, false }, &report->left_limit, NULL);
	judge_over(&(struct watch){ report, run, true, true }, &report->left_cap, NULL);
	judge_flatness(report, run);
	judge_outcomes(report, run);
	for (size_t i = 0; i < run->n_decisions; i++)
		for (enum deed deed = DEED_SLEEP; deed < N_DEEDS; deed++)
			report->told[deed] += run->decisions[i].told[deed];
	find_strays(report, run);
}

void report_free(struct report *report)
{
	free(report->strays);
	report->strays = NULL;
}

static int write_svg(const struct report *report, const struct run *run, const struct farm_conf *conf, const char *path)
{
	FILE *file = fopen(path, "we");
	if (!file) {
		perror(path);
		return -1;
	}
	svg_plot(report, run, conf, file);
	return fclose(file);
}

int report_make(const struct report_files *files, const struct farm_conf *conf, int64_t flat_ms)
{
	struct run run = { 0 };
	char why[300];
	int status = 1;
	if (run_read_truth(&run, files->truth, why, sizeof why) == 0 &&
	    run_read_commands(&run, files->commands, why, sizeof why) == 0 &&
	    run_read_bus(&run, files->bus, why, sizeof why) == 0) {
		struct report report;
		report_judge(&report, &run, conf, flat_ms);
		report_print(&report, &run, conf, stdout);
		status = report.n_strays > 0;
		if (files->svg && write_svg(&report, &run, conf, files->svg) != 0)
			status = 1;
		report_free(&report);
	} else {
		fprintf(stderr, "mulletsim: %s\n", why);
	}
	run_free(&run);
	return status;
}
