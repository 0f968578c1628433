/* What one policy_step costs, at 300, 3,000 and 30,000 miners: while nothing is to be done, and while all the time is. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/xalloc.h"
#include "policy/policy.h"

enum { STEPS = 1000, STEP_MS = 250, PDUS = 60, MINER_W = 3500, ASLEEP_W = 25 };

struct bench {
	struct policy_conf conf;
	struct policy_meter_group meter_groups[2];
	struct policy_miner_group miner_group;
	struct policy_state state;
	struct miner_track *tracks;
	struct meter_reading *meters;
	struct miner_seen *miners;
	uint32_t *scratch;
	struct command *commands;
	struct motion { int64_t at_ms; bool told, hashes; } *motions;
	int64_t now_ms, swing_w;
	uint64_t n_commands;
};

static void open_bench(struct bench *b, size_t n, int64_t swing_w)
{
	*b = (struct bench){ .now_ms = 1000000, .swing_w = swing_w };
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
	b->scratch = xcalloc(n, sizeof *b->scratch);
	b->commands = xcalloc(n, sizeof *b->commands);
	b->motions = xcalloc(n, sizeof *b->motions);
	for (size_t i = 0; i < n; i++)
		b->motions[i] = (struct motion){ 0, true, true };
}

static void close_bench(struct bench *b)
{
	free((void *)b->conf.meter_group);
	free((void *)b->conf.miner_group);
	free(b->tracks);
	free(b->meters);
	free(b->miners);
	free(b->scratch);
	free(b->commands);
	free(b->motions);
}

/* Miners move some seconds after they were told, and are heard every ten, a few at each step; the load swings every 40 s. */
static void move_world(struct bench *b, int step)
{
	int64_t full_w = (int64_t)b->conf.n_miners * MINER_W, load_w = full_w + (step / 160 % 2 ? b->swing_w : 0), miners_w = 0;
	for (size_t i = 0; i < b->conf.n_miners; i++) {
		struct motion *motion = &b->motions[i];
		if (b->now_ms >= motion->at_ms)
			motion->hashes = motion->told;
		miners_w += motion->hashes ? MINER_W : ASLEEP_W;
		if ((int)(i % 40) == step % 40)
			b->miners[i].reading = (struct miner_reading){ .fault = FAULT_NONE, .at_ms = b->now_ms,
				.state = motion->hashes ? MINER_HASHING : MINER_ASLEEP, .knows_power = true, .steerable = true,
				.power_w = motion->hashes ? MINER_W : ASLEEP_W };
	}
	for (size_t m = 0; m <= PDUS; m++)
		b->meters[m] = (struct meter_reading){ .fault = FAULT_NONE, .at_ms = b->now_ms,
		                                       .import_w = m ? load_w / PDUS : load_w + miners_w };
}

static void obey(struct bench *b, const struct decision *decision)
{
	for (uint32_t c = 0; c < decision->n_commands; c++) {
		const struct command *command = &decision->commands[c];
		b->motions[command->miner].told = command->hash;
		b->motions[command->miner].at_ms = b->now_ms + (command->hash ? 12000 : 3000);
		b->miners[command->miner].heard = FAULT_NONE;
		b->miners[command->miner].heard_ms = b->now_ms;
	}
	b->n_commands += decision->n_commands;
}

static double step_us(struct bench *b, int step)
{
	struct timespec before, after;
	struct decision decision = { .commands = b->commands };
	b->now_ms += STEP_MS;
	move_world(b, step);
	struct snapshot seen = { .now_ms = b->now_ms, .meters = b->meters, .miners = b->miners,
		.demand = { .limit_w = POLICY_NONE, .limit_soon_w = POLICY_NONE, .setpoint_w = POLICY_NONE, .miners_w = POLICY_NONE,
		            .miners_soon_w = POLICY_NONE, .limit_from = -1, .setpoint_from = -1, .miners_from = -1 } };
	clock_gettime(CLOCK_MONOTONIC, &before);
	policy_step(&b->conf, &b->state, b->tracks, &seen, b->scratch, &decision);
	clock_gettime(CLOCK_MONOTONIC, &after);
	obey(b, &decision);
	return (double)(after.tv_sec - before.tv_sec) * 1e6 + (double)(after.tv_nsec - before.tv_nsec) / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;
	return one < other ? -1 : one > other;
}

static void measure(size_t n, const char *name, int64_t swing_w)
{
	static double us[STEPS];
	struct bench b;
	open_bench(&b, n, swing_w);
	for (int step = 0; step < STEPS; step++)
		us[step] = step_us(&b, step);
	qsort(us, STEPS, sizeof *us, by_size);
	printf("%8zu  %-14s %10.1f %10.1f %10.1f %10llu\n", n, name, us[STEPS / 2], us[STEPS * 99 / 100], us[STEPS - 1],
	       (unsigned long long)b.n_commands);
	close_bench(&b);
}

int main(void)
{
	static const size_t sizes[] = { 300, 3000, 30000 };
	printf("One policy_step, µs of %d steps\n%8s  %-14s %10s %10s %10s %10s\n", STEPS, "miners", "load", "median", "p99", "worst",
	       "commands");
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		measure(sizes[s], "steady", 0);
		measure(sizes[s], "swings by 30 %", (int64_t)sizes[s] * MINER_W * 3 / 10);
	}
	return 0;
}
