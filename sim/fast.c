#include "sim/fast.h"

#include <stdlib.h>

#include "sim/fast_site.h"
#include "sim/zeroed.h"

enum { THRESHOLD_MS = 30000, THRESHOLD_FREE_PERMILLE = 20 };

/* ---- the other ways ---- */

/* A ring of miners: those from `first` on, n of them, are asleep. */
struct ring { size_t first, n; };

static void order(struct fast_site *site, size_t miner, bool hash, int64_t now_ms)
{
	plant_order(&site->truth.plant, miner, now_ms, hash, 0);
	site->commands++;
}

static void threshold_step(struct fast_site *site, struct ring *ring, int64_t now_ms)
{
	size_t n = site->truth.plant.n;
	int64_t each_w = site->of->types[0]->full_w - site->of->types[0]->asleep_w;
	int64_t most_w = site->setpoint_w ? site->setpoint_w : site->limit_w;
	int64_t over_w = site->site_w - most_w, room_w = most_w / 1000 * (1000 - THRESHOLD_FREE_PERMILLE) - site->site_w;
	int64_t told_w = (int64_t)n * each_w - site->miners_limit_w;
	size_t least = told_w > 0 ? (size_t)(told_w / each_w) : 0;     /* that must sleep, whatever the site draws */
	for (; ring->n < n && (over_w > 0 || ring->n < least); over_w -= each_w, ring->n++)
		order(site, (ring->first + ring->n) % n, false, now_ms);
	for (; ring->n > least && room_w > each_w; room_w -= each_w, ring->n--, ring->first = (ring->first + 1) % n)
		order(site, ring->first, true, now_ms);
}

/* ---- the run ---- */

static void make_room(struct fast_run *run, size_t n)
{
	*run = (struct fast_run){ .n = n };
	run->site_w = zeroed(n, sizeof(double));
	run->hpc_w = zeroed(n, sizeof(double));
	run->miners_w = zeroed(n, sizeof(double));
	run->limit_w = zeroed(n, sizeof(double));
	run->setpoint_w = zeroed(n, sizeof(double));
	run->told_target_w = zeroed(n, sizeof(double));
}

static void sample(struct fast_run *run, const struct fast_site *site, size_t k)
{
	run->site_w[k] = (double)site->site_w;
	run->hpc_w[k] = (double)site->hpc_w;
	run->miners_w[k] = (double)site->miners_w;
	run->limit_w[k] = (double)site->limit_w;
	run->setpoint_w[k] = (double)site->setpoint_w;
	run->told_target_w[k] = (double)site->told_target_w;
}

/* Adds (sign 1) each miner's sleeps so far, or takes them off. */
static void count_sleeps(int64_t *sleeps, const struct plant *plant, int sign)
{
	for (size_t i = 0; i < plant->n; i++)
		sleeps[i] += sign * (int64_t)plant->miners[i].sleeps;
}

static void add_cycles(struct fast_run *run, const int64_t *sleeps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		run->sleeps += (uint64_t)sleeps[i];
		if (sleeps[i] > run->most_sleeps)
			run->most_sleeps = (uint32_t)sleeps[i];
	}
}

struct fast_wear fast_wear_of(int32_t cycles_per_day)
{
	return (struct fast_wear){ cycles_per_day, 600000, 180000 };
}

void fast_run(const struct fast_case *of, enum fast_control control, const struct fast_wear *wear, struct fast_run *run)
{
	struct fast_site *site = zeroed(1, sizeof *site);
	int64_t *sleeps = zeroed(of->n_miners, sizeof *sleeps);
	struct ring ring = { 0, 0 };
	make_room(run, (size_t)(of->lasts_ms / FAST_STEP_MS));
	fast_site_open(site, of, wear);
	site->listens = control == FAST_TOLD;
	site->conf.no_forecast = control == FAST_NO_FORECAST;
	for (size_t k = 0; k < run->n; k++) {
		int64_t now_ms = (int64_t)k * FAST_STEP_MS;
		if (now_ms == FAST_LEARN_MS)
			count_sleeps(sleeps, &site->truth.plant, -1);
		fast_site_turn(site, now_ms);
		switch (control) {
		case FAST_POLICY:
		case FAST_NO_FORECAST:
		case FAST_TOLD:
		case FAST_48:
		case FAST_12:
			fast_site_step(site, now_ms);
			break;
		case FAST_THRESHOLD:
			if (now_ms % THRESHOLD_MS == 0)
				threshold_step(site, &ring, now_ms + FAST_ORDER_MS);
			break;
		case FAST_LEFT:
		case N_FAST_CONTROLS:
			break;
		}
		sample(run, site, k);
	}
	run->commands = site->commands;
	run->came_true = site->came_true;
	run->came_false = site->came_false;
	count_sleeps(sleeps, &site->truth.plant, 1);
	add_cycles(run, sleeps, of->n_miners);
	free(sleeps);
	fast_site_close(site);
	free(site);
}

void fast_run_free(struct fast_run *run)
{
	free(run->site_w);
	free(run->hpc_w);
	free(run->miners_w);
	free(run->limit_w);
	free(run->setpoint_w);
	free(run->told_target_w);
	*run = (struct fast_run){ 0 };
}
