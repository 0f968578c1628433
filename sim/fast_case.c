#include "sim/fast_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compose.h"
#include "sim/dice.h"
#include "sim/options.h"
#include "sim/zeroed.h"

enum { SETPOINT_MS = 4000, DICE_BASE_POINT = 2000 };

/* What issue and vendors tell of fleets: 2 s and 2 s down; 5 s and 5 s up, or 10 s and two minutes. */
const struct plant_miner_type fast_quick = {
	.name = "quick", .full_w = 3500, .least_w = 1800, .asleep_w = 25,
	.sleep_dead_ms = 2000, .sleep_fall_ms = 2000, .wake_dead_ms = 5000, .wake_ramp_ms = 5000, .wake_fast_ms = 5000,
	.adjust_dead_ms = 2000, .adjust_ms = 2000, .boot_ms = 40000, .overshoot_permille = 10,
	.watts_spread_permille = 40, .times_spread_permille = 100, .own_error_permille = 50,
	.own_noise_permille = 5, .own_every_ms = 1000, .hashrate_ghs = 200000, .tells_power = true,
};
const struct plant_miner_type fast_sluggish = {
	.name = "sluggish", .full_w = 3500, .least_w = 1800, .asleep_w = 25,
	.sleep_dead_ms = 2000, .sleep_fall_ms = 2000, .wake_dead_ms = 10000, .wake_ramp_ms = 120000, .wake_fast_ms = 120000,
	.adjust_dead_ms = 2000, .adjust_ms = 2000, .boot_ms = 60000, .overshoot_permille = 10,
	.watts_spread_permille = 40, .times_spread_permille = 100, .own_error_permille = 50,
	.own_noise_permille = 5, .own_every_ms = 1000, .hashrate_ghs = 200000, .tells_power = true,
};

static void make_fleet(struct fast_case *c, const struct fast_fleet *fleet)
{
	size_t quick = strcmp(fleet->kind, "fast") == 0 ? fleet->n : strcmp(fleet->kind, "mixed") == 0 ? fleet->n / 2 : 0;
	const struct plant_miner_type *const types[FAST_TYPES] = { &fast_quick, &fast_sluggish };
	const size_t numbers[FAST_TYPES] = { quick, fleet->n - quick };
	for (size_t t = 0; t < FAST_TYPES; t++) {
		if (numbers[t] == 0)
			continue;
		c->types[c->n_types] = types[t];
		c->n_of[c->n_types++] = numbers[t];
		c->fleet_w += (int64_t)numbers[t] * types[t]->full_w;
	}
	c->n_miners = fleet->n;
}

/* ---- files of the traces' directory ---- */

static int find(const char *traces, const char *name, char *path, size_t room, char *why, size_t size)
{
	if (snprintf(path, room, "%s/%s", traces, name) >= (int)room) {
		snprintf(why, size, "%s: too long a path", name);
		return -1;
	}
	FILE *file = fopen(path, "re");
	if (!file) {
		snprintf(why, size, "%s is not here", path);
		return 1;
	}
	fclose(file);
	return 0;
}

/* "t_s,value" at even steps. */
static int read_series(struct fast_series *series, const char *path, char *why, size_t size)
{
	char text[128];
	double t0 = 0, t, value;
	size_t room = 0;
	FILE *file = fopen(path, "re");
	*series = (struct fast_series){ 0 };
	while (file && fgets(text, sizeof text, file)) {
		if (sscanf(text, "%lf,%lf", &t, &value) != 2)
			continue;
		if (series->n == room) {
			room = room ? 2 * room : 1024;
			series->at = realloc(series->at, room * sizeof *series->at);
			if (!series->at)
				abort();
		}
		if (series->n == 0)
			t0 = t;
		if (series->n == 1)
			series->step_ms = llround((t - t0) * 1000);
		series->at[series->n++] = value;
	}
	if (file)
		fclose(file);
	if (series->n >= 2 && series->step_ms > 0)
		return 0;
	snprintf(why, size, "%s: no two values", path);
	free(series->at);
	*series = (struct fast_series){ 0 };
	return -1;
}

double fast_series_at(const struct fast_series *series, int64_t at_ms)
{
	size_t k = (size_t)(at_ms / series->step_ms);
	return series->at[k < series->n ? k : series->n - 1];
}

static void begin_at(struct fast_series *series, int64_t begin_ms)
{
	size_t skip = (size_t)(begin_ms / series->step_ms);
	skip = skip < series->n ? skip : series->n - 1;
	series->n -= skip;
	memmove(series->at, series->at + skip, series->n * sizeof *series->at);
}

/* ---- the load ---- */

static int make_traced(struct fast_case *c, const struct fast_file *file, int64_t peak_w, const char *traces, char *why,
                       size_t size)
{
	char path[512];
	struct load_trace trace;
	size_t line;
	int err = find(traces, file->load_file, path, sizeof path, why, size);
	if (err)
		return err;
	if (load_trace_read(&trace, path, &line) != 0) {
		snprintf(why, size, "%s:%zu: not t_s,power_w with rising times", path, line);
		return -1;
	}
	c->load.trace = compose_trace(&trace, (size_t)file->jobs, file->begin_ms, file->lasts_ms, peak_w, c->seed);
	load_trace_free(&trace);
	return 0;
}

static int make_load(struct fast_case *c, const struct fast_file *file, int64_t peak_w, const char *traces, char *why,
                     size_t size)
{
	struct compose_span span = { peak_w / 1000 * file->floor_permille, peak_w, file->lasts_ms };
	int err = 0;
	if (strcmp(file->load, "trace") == 0)
		err = make_traced(c, file, peak_w, traces, why, size);
	else if (strcmp(file->load, "square") == 0)
		c->load.trace = compose_square(&span, file->load_ms);
	else if (strcmp(file->load, "triangle") == 0)
		c->load.trace = compose_triangle(&span, file->load_ms);
	else if (strcmp(file->load, "steps") == 0)
		c->load.trace = compose_steps(&span, file->load_ms, c->seed);
	else if (strcmp(file->load, "stairs") == 0)
		c->load.trace = compose_stairs(&span, file->load_ms);
	else if (strcmp(file->load, "failures") == 0)
		c->load.trace = compose_failures(&span, file->load_ms, c->seed);
	else if (strcmp(file->load, "noise") == 0)
		c->load.trace = compose_noise(&span, file->load_ms, c->seed);
	else
		c->load.trace = compose_constant(&span);
	c->load.pattern = LOAD_TRACE;
	c->load.peak_w = c->load.trace.peak_w;
	c->load.hold = true;
	for (size_t j = 0; j < file->farm.truth.load.n_jobs; j++)
		load_add_job(&c->load, file->farm.truth.load.jobs[j]);
	return err;
}

/* ---- what is asked of the site ---- */

/* After examples of ERCOT's: a base point that moves every five minutes in a ramp of four, and regulation around it
 * with a period of 80 s and another of 47 s, a twentieth of the span each. */
static double ercot(uint64_t seed, double t_s)
{
	static const double every_s = 300, ramp_s = 240;
	uint64_t k = (uint64_t)(t_s / every_s);
	double from = k ? dice_share(seed, DICE_BASE_POINT, k - 1) * 2 - 1 : 0;
	double to = dice_share(seed, DICE_BASE_POINT, k) * 2 - 1;
	double done = fmin((t_s - (double)k * every_s) / ramp_s, 1);
	return 0.9 * (from + (to - from) * done) + 0.05 * (sin(2 * M_PI * t_s / 80) + sin(2 * M_PI * t_s / 47));
}

static double mean_load_w(const struct fast_case *c)
{
	double sum = 0;
	int64_t n = c->lasts_ms / 1000;
	for (int64_t s = 0; s < n; s++)
		sum += (double)load_w(&c->load, s * 1000);
	return sum / (double)n;
}

static int make_setpoint(struct fast_case *c, const struct fast_file *file, const char *traces, char *why, size_t size)
{
	char path[512];
	struct fast_series signal = { 0 };
	if (!*file->setpoint)
		return 0;
	if (strcmp(file->setpoint, "trace") == 0) {
		int err = find(traces, file->setpoint_file, path, sizeof path, why, size);
		if (!err)
			err = read_series(&signal, path, why, size);
		if (err)
			return err;
		begin_at(&signal, file->begin_ms);
	}
	double level_w = mean_load_w(c) + (double)c->house_w + (double)c->fleet_w * file->level_permille / 1000;
	double span_w = (double)c->fleet_w * file->span_permille / 1000;
	c->setpoint = (struct fast_series){ .n = (size_t)(c->lasts_ms / SETPOINT_MS) + 1, .step_ms = SETPOINT_MS };
	c->setpoint.at = zeroed(c->setpoint.n, sizeof *c->setpoint.at);
	for (size_t i = 0; i < c->setpoint.n; i++) {
		size_t k = signal.n ? i * (size_t)SETPOINT_MS / (size_t)signal.step_ms % signal.n : 0;
		double at = signal.n ? signal.at[k] : ercot(c->seed, (double)i * SETPOINT_MS / 1000);
		c->setpoint.at[i] = level_w + span_w * at;
	}
	free(signal.at);
	return 0;
}

static int make_price(struct fast_case *c, const struct fast_file *file, const char *traces, char *why, size_t size)
{
	char path[512];
	if (!*file->price_file)
		return 0;
	int err = find(traces, file->price_file, path, sizeof path, why, size);
	if (!err)
		err = read_series(&c->price, path, why, size);
	if (!err)
		begin_at(&c->price, file->begin_ms);
	c->breakeven = file->breakeven;
	return err;
}

int fast_case_make(struct fast_case *c, const struct fast_file *file, size_t fleet, const char *traces, char *why, size_t size)
{
	const struct fast_fleet *of = &file->fleets[fleet];
	int64_t peak_w = of->peak_w ? of->peak_w : file->peak_w;
	*c = (struct fast_case){ .seed = (uint64_t)file->seed, .lasts_ms = file->lasts_ms, .restart_ms = file->restart_ms,
		.refresh_ms = file->refresh_ms, .averaged_ms = file->averaged_ms, .unmetered_permille = file->unmetered_permille,
		.whole = file->whole, .flat_kept = -1 };
	snprintf(c->name, sizeof c->name, "%s %s-%zu", file->name, of->kind, of->n);
	make_fleet(c, of);
	c->house_w = file->house_w * (peak_w / 1000) / (file->peak_w / 1000);
	c->cap_w = peak_w + c->house_w + c->fleet_w * file->share_permille / 1000;
	memcpy(c->orders, file->orders, sizeof c->orders);
	c->n_orders = file->n_orders;
	memcpy(c->events, file->farm.events, sizeof c->events);
	c->n_events = file->farm.n_events;
	char told[100];
	if (!timeline_fits(&file->farm, FAST_PDUS, c->n_miners, told, sizeof told)) {
		snprintf(why, size, "%s: %s", c->name, told);
		return -1;
	}
	int err = make_load(c, file, peak_w, traces, why, size);
	if (!err)
		err = make_setpoint(c, file, traces, why, size);
	if (!err)
		err = make_price(c, file, traces, why, size);
	if (!err)
		err = fast_case_announce(c, file, traces, why, size);
	if (err)
		fast_case_free(c);
	return err;
}

/* The figures of "NAME = FIGURES" in a file beside the scenario; empty: none. */
static void find_solved(const struct fast_case *c, const char *scenario, const char *what, char *text, size_t size)
{
	char path[600];
	const char *slash = strrchr(scenario, '/');
	size_t name = strlen(c->name);
	bool found = false;
	snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - scenario + 1) : 0, scenario, what);
	FILE *in = fopen(path, "re");
	while (in && !found && fgets(text, (int)size, in))
		found = strncmp(text, c->name, name) == 0 && strncmp(text + name, " = ", 3) == 0;
	if (in)
		fclose(in);
	if (found)
		memmove(text, text + name + 3, strlen(text + name + 3) + 1);
	else
		*text = '\0';
}

void fast_case_take_solved(struct fast_case *c, const char *scenario)
{
	char text[300];
	find_solved(c, scenario, "foresight", text, sizeof text);
	c->foresight = strtod(text, NULL);
	find_solved(c, scenario, "waterbed", text, sizeof text);
	if (sscanf(text, "%lf one lag %lf", &c->best_w, &c->lag_w) != 2)
		c->best_w = c->lag_w = 0;
	find_solved(c, scenario, "flat", text, sizeof text);
	c->flat_kept = *text ? strtod(text, NULL) : -1;
}

void fast_case_free(struct fast_case *c)
{
	load_trace_free(&c->load.trace);
	free(c->setpoint.at);
	free(c->price.at);
	free(c->notices);
}
