/* What one policy_step costs: while nothing is to be done, while all the time is, and when half or all of the fleet must
 * go at once. The time for 300 to 30,000 miners; and, as `bench_policy LOAD MINERS`, a few steps whose instructions
 * tests/count_instructions has counted. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/xalloc.h"
#include "policy/policy.h"

enum { STEPS = 1000, SHEDS = 20, STEP_MS = 250, SWING_STEPS = 160, QUIET = 12, COUNTED = 8, CIRCUIT = 48, PDUS = 60, MINER_W = 3500, ASLEEP_W = 25 };

struct bench {
	struct policy_conf conf;
	struct policy_meter_group meter_groups[2];
	struct policy_miner_group miner_group;
	struct policy_state state;
	struct miner_track *tracks;
	struct meter_reading *meters;
	struct miner_seen *miners;
	struct candidate *scratch;
	struct command *commands;
	uint16_t *circuit;
	struct motion { int64_t at_ms; int32_t told_w, w; } *motions;
	int64_t now_ms, swing_w;
	uint64_t n_commands;
	struct demand demand;
};

static const struct demand no_demand = { .limit_w = POLICY_NONE, .limit_soon_w = POLICY_NONE, .setpoint_w = POLICY_NONE,
	.miners_w = POLICY_NONE, .miners_soon_w = POLICY_NONE, .limit_from = -1, .setpoint_from = -1, .miners_from = -1 };

static void open_bench(struct bench *b, size_t n, int64_t swing_w)
{
	*b = (struct bench){ .now_ms = 1000000, .swing_w = swing_w, .demand = no_demand };
	b->meter_groups[0] = (struct policy_meter_group){ MEASURES_SITE, -1, 0, 2000 };
	b->meter_groups[1] = (struct policy_meter_group){ MEASURES_HPC, -1, (int64_t)n * MINER_W / PDUS * 2, 3000 };
	b->miner_group = (struct policy_miner_group){ .priority = 50, .efficiency_mj_per_th = 17500, .nominal_w = MINER_W,
		.asleep_w = ASLEEP_W, .stale_ms = 95000, .sleep = { 2000, 3000 }, .wake = { 5000, 15000 } };
	uint16_t *meter_group = xcalloc(PDUS + 1, sizeof *meter_group);
	for (size_t m = 1; m <= PDUS; m++)
		meter_group[m] = 1;
	b->conf = (struct policy_conf){ .cap_w = (int64_t)n * MINER_W * 17 / 10, .target_w = POLICY_NONE, .reserve_w = POLICY_NONE,
		.meter_groups = b->meter_groups, .meter_group = meter_group, .miner_groups = &b->miner_group,
		.miner_group = xcalloc(n, sizeof *b->conf.miner_group), .n_meter_groups = 2, .n_meters = PDUS + 1,
		.n_miner_groups = 1, .n_miners = n };
	b->tracks = xcalloc(n, sizeof *b->tracks);
	b->meters = xcalloc(PDUS + 1, sizeof *b->meters);
	b->miners = xcalloc(n, sizeof *b->miners);
	b->circuit = xcalloc(n, sizeof *b->circuit);
	b->scratch = xcalloc(n, sizeof *b->scratch);
	b->commands = xcalloc(n, sizeof *b->commands);
	b->motions = xcalloc(n, sizeof *b->motions);
	memset(b->scratch, 1, n * sizeof *b->scratch);          /* in use before: the kernel has given the pages */
	memset(b->commands, 1, n * sizeof *b->commands);
	for (size_t i = 0; i < n; i++)
		b->motions[i] = (struct motion){ 0, MINER_W, MINER_W };
}

static void close_bench(struct bench *b)
{
	free((void *)b->conf.meter_group);
	free((void *)b->conf.miner_group);
	free(b->tracks);
	free(b->meters);
	free(b->miners);
	free(b->circuit);
	free(b->scratch);
	free(b->commands);
	free(b->motions);
}

/* Miners move some seconds after they were told, and are heard at once and then every ten, a few at each step; the load
 * swings every 40 s. */
static void move_world(struct bench *b, int step)
{
	int64_t full_w = (int64_t)b->conf.n_miners * MINER_W, load_w = full_w + (step / SWING_STEPS % 2 ? b->swing_w : 0), miners_w = 0;
	for (size_t i = 0; i < b->conf.n_miners; i++) {
		struct motion *motion = &b->motions[i];
		if (b->now_ms >= motion->at_ms)
			motion->w = motion->told_w;
		miners_w += motion->w;
		if (!b->miners[i].reading.at_ms || (int)(i % 40) == step % 40)
			b->miners[i].reading = (struct miner_reading){ .fault = FAULT_NONE, .at_ms = b->now_ms,
				.state = motion->w > ASLEEP_W ? MINER_HASHING : MINER_ASLEEP, .knows_power = true, .steerable = true,
				.power_w = motion->w };
	}
	for (size_t m = 0; m <= PDUS; m++)
		b->meters[m] = (struct meter_reading){ .fault = FAULT_NONE, .at_ms = b->now_ms,
		                                       .import_w = m ? load_w / PDUS : load_w + miners_w };
}

static void obey(struct bench *b, const struct decision *decision)
{
	for (uint32_t c = 0; c < decision->n_commands; c++) {
		const struct command *command = &decision->commands[c];
		b->motions[command->miner].told_w = command->to_w;
		b->motions[command->miner].at_ms = b->now_ms + (command->deed == DEED_WAKE ? 12000 : 3000);
		b->miners[command->miner].heard = FAULT_NONE;
		b->miners[command->miner].heard_ms = b->now_ms;
	}
	b->n_commands += decision->n_commands;
}

static struct decision decide(struct bench *b)
{
	struct decision decision = { .commands = b->commands };
	struct snapshot seen = { .now_ms = b->now_ms, .demand = b->demand, .meters = b->meters, .miners = b->miners };
	policy_step(&b->conf, &b->state, b->tracks, &seen, b->scratch, &decision);
	return decision;
}

/* Returns what it took, in µs. */
static double step(struct bench *b, int step)
{
	struct timespec before, after;
	b->now_ms += STEP_MS;
	move_world(b, step);
	clock_gettime(CLOCK_MONOTONIC, &before);
	struct decision decision = decide(b);
	clock_gettime(CLOCK_MONOTONIC, &after);
	obey(b, &decision);
	return (double)(after.tv_sec - before.tv_sec) * 1e6 + (double)(after.tv_nsec - before.tv_nsec) / 1e3;
}

static int by_us(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;
	return one < other ? -1 : one > other;
}

enum { STEADY, SWINGS, BY_POWER, HALF, BY_CIRCUIT, ALL, LOADS };
static const char *const loads[LOADS] = { "steady", "swings by 30 %", "so, by power", "curtail half", "so, by circuit",
                                          "curtail all" };

static void open_load(struct bench *b, size_t n, int load)
{
	open_bench(b, n, load == SWINGS || load == BY_POWER ? (int64_t)n * MINER_W * 3 / 10 : 0);
	if (load == BY_POWER) {
		b->miner_group.partial_w = MINER_W / 2;
		b->miner_group.power = (struct policy_response){ 2000, 2000 };
	}
	if (load == BY_CIRCUIT) {               /* and worn unequally */
		b->conf.n_circuits = (n + CIRCUIT - 1) / CIRCUIT;
		b->conf.circuit = b->circuit;
		for (size_t i = 0; i < n; i++) {
			b->circuit[i] = (uint16_t)(i / CIRCUIT);
			b->tracks[i].sleeps = (uint32_t)(i * 7919 % 50);
		}
	}
}

static void order(struct bench *b, int load)
{
	b->demand.shed = true;
	b->demand.miners_w = b->demand.miners_soon_w = load == ALL ? 0 : (int64_t)b->conf.n_miners * MINER_W / 2;
}

static void run_quiet(struct bench *b, int steps)
{
	for (int k = 0; k < steps; k++)
		step(b, k);
}

/* The miners must go all, or half, while the whole fleet is awake; again and again, each time on a fleet that is new. */
static void curtail(size_t n, int load, double *costs)
{
	for (int k = 0; k < SHEDS; k++) {
		struct bench b;
		open_load(&b, n, load);
		b.conf.cap_w *= 2;
		run_quiet(&b, 60);
		order(&b, load);
		uint64_t before = b.n_commands;
		costs[k] = step(&b, 60);
		assert(b.n_commands - before >= n / 2);
		close_bench(&b);
	}
}

static int measure(size_t n, int load, double *costs)
{
	struct bench b;
	if (load >= HALF) {
		curtail(n, load, costs);
		return SHEDS;
	}
	open_load(&b, n, load);
	for (int k = 0; k < STEPS; k++)
		costs[k] = step(&b, k);
	close_bench(&b);
	return STEPS;
}

static void print_time(size_t n)
{
	static double costs[STEPS];
	for (int load = 0; load < LOADS; load++) {
		int steps = measure(n, load, costs);
		qsort(costs, (size_t)steps, sizeof *costs, by_us);
		printf("%8zu  %-14s %10.1f %10.1f %10.1f\n", n, loads[load], costs[steps / 2], costs[steps * 99 / 100],
		       costs[steps - 1]);
	}
}

/* ---- instructions ---- */

/* What is done under this name is counted, and nothing else. */
static __attribute__((noinline)) struct decision counted(struct bench *b)
{
	return decide(b);
}

/* The load rises, or the miners must go, at the first of the steps that are counted. */
static void run_counted(size_t n, int load)
{
	struct bench b;
	open_load(&b, n, load);
	b.conf.cap_w = b.conf.cap_w * 5 / 4;
	for (int k = SWING_STEPS - QUIET; k < SWING_STEPS; k++)
		step(&b, k);
	uint64_t before = b.n_commands;
	if (load >= HALF)
		order(&b, load);
	for (int k = SWING_STEPS; k < SWING_STEPS + COUNTED; k++) {
		b.now_ms += STEP_MS;
		move_world(&b, k);
		struct decision decision = counted(&b);
		obey(&b, &decision);
	}
	assert(load == STEADY || b.n_commands - before >= n / 10);
	close_bench(&b);
	printf("%d steps\n", COUNTED);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 300, 3000, 30000 };
	if (argc == 3) {
		int load = 0;
		while (load < LOADS && strcmp(argv[1], loads[load]) != 0)
			load++;
		if (load < LOADS)
			run_counted(strtoul(argv[2], NULL, 10), load);
		return load < LOADS ? 0 : 2;
	}
	printf("One policy_step, µs\n%8s  %-14s %10s %10s %10s\n", "miners", "load", "median", "p99", "worst");
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
		print_time(sizes[s]);
	return 0;
}
