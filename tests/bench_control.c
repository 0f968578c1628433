/* How well a site is held, in virtual time: ten minutes of site_step against the plant, for several seeds and places of
 * the load where they begin. 1 MW of GPUs, 300 miners of 3.5 kW, a cap of 1.75 MW: no job ever needs more than there is.
 *
 * Besides the built-in training pattern, the measured load $MULLET_SHARED/traces/… or ../shared/traces/… where it is. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/scenario.h"

enum { RUN_MS = 600000, FIRST_MS = 60000, MINERS = 300, MINER_W = 3500 };

struct result {
	double seconds_over, most_over_w, slow_ratio, fast_ratio, cycles_a_day, hash_kept;
	uint32_t decisions;
};

static void print_head(const char *load)
{
	printf("\n%s, 10 min in virtual time\n%6s %8s %13s %13s %11s %11s %10s %11s %10s\n", load, "seed", "begin", "over the cap",
	       "by at most", "> 60 s", "shorter", "cycles", "hash kept", "decisions");
}

static void print_result(const char *seed, const char *begin, const struct result *r)
{
	printf("%6s %8s %11.1f s %10.1f kW %11.3f %11.3f %8.1f/d %9.1f %% %10u\n", seed, begin, r->seconds_over,
	       r->most_over_w / 1000, r->slow_ratio, r->fast_ratio, r->cycles_a_day, 100 * r->hash_kept, r->decisions);
	fflush(stdout);
}

static void run(const struct load *load, uint64_t seed, struct result *result)
{
	static struct scenario s;
	struct scenario_conf conf = {
		.world = { .truth = { .seed = seed, .load = *load, .n_pdus = 60, .house_w = 20000 },
		           .meter_error_permille = 5 },
		.n_miners = MINERS, .cap_w = 1750000, .pdu_nameplate_w = 23400, .min_asleep_ms = 180000, .min_awake_ms = 600000,
		.cycles_per_day = 12,
	};
	struct score score;
	double miners_w = 0;
	uint32_t sleeps = 0;
	scenario_open(&s, &conf);
	for (int64_t at_ms = 0; at_ms < RUN_MS; at_ms += SCENARIO_SAMPLE_MS) {
		scenario_run(&s, SCENARIO_SAMPLE_MS);
		if (at_ms < FIRST_MS)
			sleeps = s.n_sleeps;
		else
			miners_w += (double)sim_world_miners_w(s.world);
	}
	scenario_score(&s, FIRST_MS, &score);
	double samples = (double)(RUN_MS - FIRST_MS) / SCENARIO_SAMPLE_MS;
	*result = (struct result){
		.seconds_over = score.seconds_over, .most_over_w = score.most_over_w, .decisions = s.n_decisions,
		.slow_ratio = score.site_slow_w / score.hpc_slow_w, .fast_ratio = score.site_fast_w / score.hpc_fast_w,
		.cycles_a_day = (double)(s.n_sleeps - sleeps) / MINERS * 86400000 / (RUN_MS - FIRST_MS),
		.hash_kept = miners_w / samples / ((double)MINERS * MINER_W),
	};
	scenario_close(&s);
}

static void keep_worst(struct result *worst, const struct result *r)
{
#define WORSE(member, sign) if (r->member sign worst->member) worst->member = r->member
	WORSE(seconds_over, >);
	WORSE(most_over_w, >);
	WORSE(slow_ratio, >);
	WORSE(fast_ratio, >);
	WORSE(cycles_a_day, >);
	WORSE(hash_kept, <);
	WORSE(decisions, >);
#undef WORSE
}

static void training(void)
{
	struct result worst = { .hash_kept = 1 };
	struct load load = { .pattern = LOAD_TRAINING, .peak_w = 1000000 };
	print_head("Built-in training pattern");
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct result result;
		char text[16];
		load.seed = seed;
		run(&load, seed, &result);
		keep_worst(&worst, &result);
		snprintf(text, sizeof text, "%d", (int)seed);
		print_result(text, "0 s", &result);
	}
	print_result("worst", "", &worst);
}

/* The same trace, begun at another place. */
static void begin_at(const struct load_trace *whole, int64_t begin_ms, struct load_trace *part)
{
	*part = (struct load_trace){ .points = calloc(whole->n, sizeof *part->points), .peak_w = whole->peak_w };
	if (!part->points)
		abort();
	for (size_t i = 0; i < whole->n; i++)
		if (whole->points[i].t_ms - whole->points[0].t_ms >= begin_ms) {
			part->points[part->n] = whole->points[i];
			part->points[part->n++].t_ms -= begin_ms;
		}
}

static void measured(void)
{
	char path[512], seed_text[16], begin_text[16];
	size_t line;
	struct result worst = { .hash_kept = 1 };
	struct load load = { .pattern = LOAD_TRACE, .peak_w = 1000000 };
	struct load_trace whole;
	const char *shared = getenv("MULLET_SHARED");
	snprintf(path, sizeof path, "%s/traces/train_h100x512_gpt3_cluster.csv", shared ? shared : "../shared");
	if (load_trace_read(&whole, path, &line) != 0) {
		printf("\nskipped: the measured load, %s is not here\n", path);
		return;
	}
	print_head("Measured: GPT-3 training on 512 GPUs, scaled to 1 MW");
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct result result;
		int64_t begin_ms = (int64_t)(seed - 1) * 397000;        /* no multiple of any of its periods */
		begin_at(&whole, begin_ms, &load.trace);
		load.seed = seed;
		run(&load, seed, &result);
		free(load.trace.points);
		keep_worst(&worst, &result);
		snprintf(seed_text, sizeof seed_text, "%d", (int)seed);
		snprintf(begin_text, sizeof begin_text, "%d s", (int)(begin_ms / 1000));
		print_result(seed_text, begin_text, &result);
	}
	print_result("worst", "", &worst);
	load_trace_free(&whole);
}

int main(void)
{
	puts("> 60 s, shorter: rms of the site's draw over that of the GPUs alone, in periods so long. All after the first minute.");
	training();
	measured();
	return 0;
}
