/* What one policy_step costs: while nothing is to be done, while all the time is, and when half or all of the fleet must
 * go at once. Time for 300 to 30,000 miners; instructions, which tell how it grows, for 1,000 to 100,000. */
#include <assert.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daemon/xalloc.h"
#include "policy/policy.h"

enum { STEPS = 1000, SHEDS = 20, STEP_MS = 250, PDUS = 60, MINER_W = 3500, ASLEEP_W = 25 };

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
	struct motion { int64_t at_ms; int32_t told_w, w; } *motions;
	int64_t now_ms, swing_w;
	uint64_t n_commands;
	struct demand demand;
	int counter;                    /* of instructions; -1: the kernel has none for us */
};

static const struct demand no_demand = { .limit_w = POLICY_NONE, .limit_soon_w = POLICY_NONE, .setpoint_w = POLICY_NONE,
	.miners_w = POLICY_NONE, .miners_soon_w = POLICY_NONE, .limit_from = -1, .setpoint_from = -1, .miners_from = -1 };

static int open_counter(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE, .size = sizeof attr,
		.config = PERF_COUNT_HW_INSTRUCTIONS, .exclude_kernel = 1, .exclude_hv = 1 };
	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t instructions(int counter)
{
	uint64_t n = 0;
	return counter >= 0 && read(counter, &n, sizeof n) == (ssize_t)sizeof n ? n : 0;
}

static void open_bench(struct bench *b, size_t n, int64_t swing_w)
{
	*b = (struct bench){ .now_ms = 1000000, .swing_w = swing_w, .demand = no_demand, .counter = open_counter() };
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
		b->motions[i] = (struct motion){ 0, MINER_W, MINER_W };
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
	if (b->counter >= 0)
		close(b->counter);
}

/* Miners move some seconds after they were told, and are heard every ten, a few at each step; the load swings every 40 s. */
static void move_world(struct bench *b, int step)
{
	int64_t full_w = (int64_t)b->conf.n_miners * MINER_W, load_w = full_w + (step / 160 % 2 ? b->swing_w : 0), miners_w = 0;
	for (size_t i = 0; i < b->conf.n_miners; i++) {
		struct motion *motion = &b->motions[i];
		if (b->now_ms >= motion->at_ms)
			motion->w = motion->told_w;
		miners_w += motion->w;
		if ((int)(i % 40) == step % 40)
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

struct cost { double us, instructions; };

static struct cost step(struct bench *b, int step)
{
	struct timespec before, after;
	struct decision decision = { .commands = b->commands };
	b->now_ms += STEP_MS;
	move_world(b, step);
	struct snapshot seen = { .now_ms = b->now_ms, .demand = b->demand, .meters = b->meters, .miners = b->miners };
	uint64_t began = instructions(b->counter);
	clock_gettime(CLOCK_MONOTONIC, &before);
	policy_step(&b->conf, &b->state, b->tracks, &seen, b->scratch, &decision);
	clock_gettime(CLOCK_MONOTONIC, &after);
	uint64_t ended = instructions(b->counter);
	obey(b, &decision);
	return (struct cost){ (double)(after.tv_sec - before.tv_sec) * 1e6 + (double)(after.tv_nsec - before.tv_nsec) / 1e3,
	                      (double)(ended - began) };
}

static int by_us(const void *a, const void *b)
{
	double one = ((const struct cost *)a)->us, other = ((const struct cost *)b)->us;
	return one < other ? -1 : one > other;
}

static void run_quiet(struct bench *b, int steps)
{
	for (int k = 0; k < steps; k++)
		step(b, k);
}

/* The miners must go all, or half, while the whole fleet is awake; again and again, each time on a fleet that is new. */
static void curtail(size_t n, int64_t keep_w, struct cost *costs)
{
	for (int k = 0; k < SHEDS; k++) {
		struct bench b;
		open_bench(&b, n, 0);
		b.conf.cap_w *= 2;
		run_quiet(&b, 60);
		b.demand.miners_w = b.demand.miners_soon_w = keep_w;
		b.demand.shed = true;
		uint64_t before = b.n_commands;
		costs[k] = step(&b, 60);
		assert(b.n_commands - before >= n / 2);
		close_bench(&b);
	}
}

static void run(size_t n, int64_t swing_w, int32_t partial_w, struct cost *costs)
{
	struct bench b;
	open_bench(&b, n, swing_w);
	b.miner_group.partial_w = partial_w;
	b.miner_group.power = (struct policy_response){ 2000, 2000 };
	for (int k = 0; k < STEPS; k++)
		costs[k] = step(&b, k);
	close_bench(&b);
}

enum { LOADS = 5, SWINGS = 3 };
static const char *const loads[LOADS] = { "steady", "swings by 30 %", "so, by power", "curtail half", "curtail all" };

static int measure(size_t n, int load, struct cost *costs)
{
	if (load < SWINGS) {
		run(n, load ? (int64_t)n * MINER_W * 3 / 10 : 0, load == 2 ? MINER_W / 2 : 0, costs);
		return STEPS;
	}
	curtail(n, load == SWINGS ? (int64_t)n * MINER_W / 2 : 0, costs);
	return SHEDS;
}

static void print_time(size_t n)
{
	static struct cost costs[STEPS];
	for (int load = 0; load < LOADS; load++) {
		int steps = measure(n, load, costs);
		qsort(costs, (size_t)steps, sizeof *costs, by_us);
		printf("%8zu  %-14s %10.1f %10.1f %10.1f\n", n, loads[load], costs[steps / 2].us, costs[steps * 99 / 100].us,
		       costs[steps - 1].us);
	}
}

static double mean_instructions(size_t n, int load)
{
	static struct cost costs[STEPS];
	int steps = measure(n, load, costs);
	double sum = 0;
	for (int k = 0; k < steps; k++)
		sum += costs[k].instructions;
	return sum / steps;
}

static void print_growth(void)
{
	static const size_t sizes[] = { 1000, 10000, 100000 };
	printf("\nInstructions per miner and step, mean; with n log n they would grow by a third, then by a quarter\n");
	printf("%-14s %10zu %10zu %10zu\n", "load", sizes[0], sizes[1], sizes[2]);
	for (int load = 0; load < LOADS; load++) {
		printf("%-14s", loads[load]);
		for (int s = 0; s < 3; s++)
			printf(" %10.1f", mean_instructions(sizes[s], load) / (double)sizes[s]);
		printf("\n");
	}
}

int main(void)
{
	static const size_t sizes[] = { 300, 3000, 30000 };
	printf("One policy_step, µs\n%8s  %-14s %10s %10s %10s\n", "miners", "load", "median", "p99", "worst");
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
		print_time(sizes[s]);
	int counter = open_counter();
	if (counter < 0) {
		printf("skipped: instruction counts: the kernel gives us no counter (perf_event_paranoid, or no such hardware)\n");
		return 0;
	}
	close(counter);
	print_growth();
	return 0;
}
