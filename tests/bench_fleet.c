/* tests/bench_fleet.c - mulletd before a mock fleet: scripts/bench-fleet starts it beside a broker and minerfarm.
 *
 * bench_fleet OPTIONS VERB[:N] ...; each verb prints one line of key=value. Without a mulletd to start it has nothing to say. */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fleet_rig.h"

#define CALM_LOAD_W 20000000            /* behind the meter where nothing is to happen */
#define PATIENCE_MS 120000
#define STEP_W (RIG_OWN_W - 25)         /* what one of our own miners gives when it falls asleep, by the site file */

struct bench {
	struct rig rig;
	uint32_t n_miners;              /* of the farm */
	int64_t cap_w;
	bool asleep;                    /* the fleet was put to sleep and not woken yet */
	int failed;
};

struct phases { uint32_t known, unknown, awake, waking, falling, asleep; bool running; };

static double number(const cJSON *tree, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, key);
	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static uint32_t count(const cJSON *tree, const char *key)
{
	return (uint32_t)number(tree, key);
}

static double most(double a, double b)
{
	return a > b ? a : b;
}

static struct phases ask_phases(struct bench *bench)
{
	cJSON *status = rig_ask(&bench->rig, "status");
	const cJSON *miners = cJSON_GetObjectItemCaseSensitive(status, "miners"), *item;
	const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(status, "state"));
	struct phases p = { .unknown = count(miners, "unknown"), .awake = count(miners, "awake"), .waking = count(miners, "waking"),
	                    .falling = count(miners, "falling"), .asleep = count(miners, "asleep"),
	                    .running = state && strcmp(state, "starting") != 0 };
	cJSON_ArrayForEach(item, miners)
		p.known += (uint32_t)item->valuedouble;
	p.known -= p.unknown;
	cJSON_Delete(status);
	return p;
}

static double ms_between(uint64_t from_ns, uint64_t to_ns)
{
	return ((double)to_ns - (double)from_ns) / 1e6;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_samples(const char *verb, double *ms, unsigned n, unsigned wanted)
{
	printf("%s n=%u of=%u", verb, n, wanted);
	if (n) {
		printf(" all=");
		for (unsigned i = 0; i < n; i++)
			printf("%s%.1f", i ? "," : "", ms[i]);
		qsort(ms, n, sizeof *ms, by_size);
		printf(" p50=%.2f p99=%.2f max=%.2f min=%.2f", ms[n / 2], ms[(n * 99 + 99) / 100 - 1], ms[n - 1], ms[0]);
	}
	printf("\n");
	fflush(stdout);
}

/* ---- verbs ---- */

/* From exec until every miner was heard of, or was asked in vain, and every meter was heard. */
static void picture(struct bench *bench, unsigned n)
{
	struct rig *rig = &bench->rig;
	struct phases p = { 0 };
	uint32_t all = bench->n_miners + rig->conf->n_own;
	(void)n;
	rig_start_mulletd(rig);
	do {
		rig_turn(rig, 50);
		if (access(rig->conf->socket, F_OK) == 0)
			p = ask_phases(bench);
	} while (!rig->exited && !(p.running && p.known == all && !p.unknown) &&
	         ms_between(rig->started_ns, uv_hrtime()) < PATIENCE_MS);
	bool whole = p.running && p.known == all && !p.unknown;
	bench->failed += !whole;
	printf("picture ok=%d ms=%.0f known=%u of=%u awake=%u\n", whole, ms_between(rig->started_ns, uv_hrtime()), p.known, all, p.awake);
	fflush(stdout);
}

static bool farm_reaches(struct bench *bench, bool asleep, struct farm_status *status)
{
	uint64_t since_ns = uv_hrtime();
	do {
		rig_turn(&bench->rig, 20);
		if (!rig_farm(&bench->rig, "status", status))
			return false;
	} while (status->asleep != (asleep ? status->alive : 0) && ms_between(since_ns, uv_hrtime()) < PATIENCE_MS);
	return status->asleep == (asleep ? status->alive : 0);
}

static bool settles(struct bench *bench, bool asleep)
{
	uint64_t since_ns = uv_hrtime();
	struct farm_status farm;
	struct phases p;
	do {
		rig_turn(&bench->rig, 200);
		rig_farm(&bench->rig, "status", &farm);
		p = ask_phases(bench);
	} while ((p.falling || p.waking || (asleep ? p.asleep : p.awake) < farm.alive) && ms_between(since_ns, uv_hrtime()) < PATIENCE_MS);
	return !p.falling && !p.waking;
}

static bool wake_all(struct bench *bench)
{
	struct farm_status farm;
	if (!bench->asleep)
		return true;
	bench->asleep = false;
	settles(bench, true);
	rig_order(&bench->rig, "release", "");
	bool woken = farm_reaches(bench, false, &farm);
	if (!woken)
		fprintf(stderr, "bench_fleet: %u of %u miners did not wake\n", (unsigned)farm.asleep, (unsigned)farm.alive);
	return woken && settles(bench, false);
}

/* With the sessions of before; all of them forgotten by the miners; with our own miners dead since a moment ago. */
enum shed { WARM, COLD, DIED };

/* One shed of all; -1: not all that live were asleep in the end. */
static double shed_once(struct bench *bench, enum shed how)
{
	struct farm_status farm;
	if (!wake_all(bench))
		return -1;
	rig_turn(&bench->rig, 300 + (uint64_t)(rand() % 400));
	if (how == COLD)
		rig_farm(&bench->rig, "reset", NULL);
	bench->rig.own_hang = how == DIED;
	rig_order(&bench->rig, "shed", "");
	bench->asleep = true;
	uint64_t from_ns = bench->rig.ordered_ns;
	bool done = farm_reaches(bench, true, &farm);
	bench->rig.own_hang = false;
	if (!done)
		fprintf(stderr, "bench_fleet: %u of %u miners asleep, the last after %.0f ms\n", (unsigned)farm.asleep,
		        (unsigned)farm.alive, ms_between(from_ns, farm.last_ns));
	return done ? ms_between(from_ns, farm.last_ns) : -1;
}

static void sheds(struct bench *bench, const char *verb, unsigned n, enum shed how)
{
	double ms[100];
	unsigned good = 0;
	for (unsigned i = 0; i < n && i < 100; i++) {
		double took_ms = shed_once(bench, how);
		if (took_ms < 0)
			break;
		ms[good++] = took_ms;
	}
	bench->failed += good < n;
	print_samples(verb, ms, good, n);
}

static void first(struct bench *bench, unsigned n) { (void)n; sheds(bench, "first", 1, WARM); }
static void warm(struct bench *bench, unsigned n) { sheds(bench, "warm", n, WARM); }
static void cold(struct bench *bench, unsigned n) { sheds(bench, "cold", n, COLD); }
static void died(struct bench *bench, unsigned n) { sheds(bench, "died", n, DIED); }

/* The load rises by one miner of ours at a time, just over the cap: which has to go to sleep. */
static void sample(struct bench *bench, unsigned n)
{
	struct rig *rig = &bench->rig;
	double ms[200];
	unsigned good = 0;
	struct farm_status farm;
	rig_farm(rig, "status", &farm);
	int64_t room_w = 100;
	int64_t load_w = bench->cap_w - room_w - (int64_t)farm.alive * RIG_FARM_W - (int64_t)rig->conf->n_own * RIG_OWN_W;
	rig_set_load(rig, load_w);
	rig_turn(rig, 3000);
	for (unsigned i = 0; i < n && i < 200 && i < rig->conf->n_own; i++) {
		rig_turn(rig, 1500 + (uint64_t)(rand() % 300));
		load_w += STEP_W;
		rig_set_load(rig, load_w);
		for (int tries = 0; tries < 5000 && !rig->commanded_ns; tries++)
			rig_turn(rig, 1);
		if (rig->commanded_ns && rig->shown_ns && rig->commanded_ns > rig->shown_ns)
			ms[good++] = ms_between(rig->shown_ns, rig->commanded_ns);
		else
			fprintf(stderr, "bench_fleet: trial %u: %s\n", i, rig->commanded_ns ? "told before the value was shown" : "not told in 5 s");
	}
	bench->failed += good < n;
	print_samples("sample", ms, good, n);
	rig_set_load(rig, CALM_LOAD_W);
}

static double cpu_s(int pid)
{
	char path[64], line[1024] = "";
	unsigned long user = 0, system = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *file = fopen(path, "r");
	if (file && fgets(line, sizeof line, file) && strrchr(line, ')'))
		sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
	if (file)
		fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long status_kb(int pid, const char *key)
{
	char path[64], line[256];
	long kb = -1;
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *file = fopen(path, "r");
	while (file && kb < 0 && fgets(line, sizeof line, file))
		if (!strncmp(line, key, strlen(key)))
			kb = strtol(line + strlen(key) + 1, NULL, 10);
	if (file)
		fclose(file);
	return kb;
}

static unsigned descriptors(int pid)
{
	char path[64];
	unsigned n = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n > 2 ? n - 2 : 0;
}

static void steady(struct bench *bench, unsigned seconds)
{
	struct rig *rig = &bench->rig;
	int pid = rig->mulletd.pid;
	unsigned most_fds = 0;
	struct farm_status before = { 0 }, after = { 0 };
	rig_turn(rig, 5000);
	rig_farm(rig, "status", &before);
	rig_watch_reads(rig);
	uint64_t from_ns = uv_hrtime();
	double from_cpu_s = cpu_s(pid);
	for (unsigned i = 0; i < seconds * 10; i++) {
		rig_turn(rig, 100);
		unsigned fds = descriptors(pid);
		most_fds = fds > most_fds ? fds : most_fds;
	}
	double wall_s = ms_between(from_ns, uv_hrtime()) / 1000, busy_s = cpu_s(pid) - from_cpu_s;
	double late_ms = (double)(rig->worst_late_ns - rig->earliest_ns) / 1e6;
	double gap_ms = (double)rig->worst_gap_ns / 1e6 - RIG_METER_MS;
	unsigned long reads = rig->n_reads;
	rig_farm(rig, "status", &after);
	printf("steady s=%.1f cpu_pct=%.2f rss_kb=%ld peak_kb=%ld fds=%u reads=%lu meter_late_ms=%.1f meter_gap_ms=%.1f polls_per_s=%.0f\n",
	       wall_s, 100 * busy_s / wall_s, status_kb(pid, "VmRSS:"), status_kb(pid, "VmHWM:"), most_fds, reads, late_ms, gap_ms,
	       (double)(after.accepted - before.accepted) / wall_s);
	fflush(stdout);
}

/* What a reader of the meters would hold, asked at odd moments; PDUs tell the ms at which they were asked as their watts. */
static void meters(struct bench *bench, unsigned seconds)
{
	double worst_ms = 0, stamped_ms = 0, late_ms = 0;
	unsigned stale = 0, n = 0;
	for (unsigned i = 0; i < seconds * 10; i++) {
		rig_turn(&bench->rig, 70 + (uint64_t)(rand() % 60));
		cJSON *lines = rig_ask_all(&bench->rig, "meters");
		const cJSON *line;
		double now_ms = (double)(uv_hrtime() / 1000000);
		stale = n = 0;
		cJSON_ArrayForEach(line, lines) {
			bool silent = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "stale"));
			bool site = !strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, "name")), "main");
			n++;
			stale += silent;
			late_ms = most(late_ms, number(line, "worst_late_ms"));
			if (silent || site)
				continue;
			worst_ms = most(worst_ms, number(line, "age_ms"));
			stamped_ms = most(stamped_ms, now_ms - number(line, "power_w"));
		}
		cJSON_Delete(lines);
	}
	printf("meters n=%u stale=%u worst_age_ms=%.0f stamped_age_ms=%.0f worst_late_ms=%.0f\n", n, stale, worst_ms, stamped_ms, late_ms);
	fflush(stdout);
}

static const struct verb { const char *name; unsigned n; void (*run)(struct bench *, unsigned n); } verbs[] = {
	{ "picture", 0, picture }, { "first", 1, first }, { "warm", 3, warm }, { "cold", 3, cold }, { "died", 3, died }, { "sample", 40, sample },
	{ "steady", 40, steady }, { "meters", 5, meters },
};

static bool run(struct bench *bench, const char *word)
{
	size_t len = strcspn(word, ":");
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strlen(verbs[i].name) != len || memcmp(verbs[i].name, word, len) != 0)
			continue;
		if (bench->rig.exited && verbs[i].run != picture)
			bench->failed++;
		else
			verbs[i].run(bench, word[len] ? (unsigned)atoi(word + len + 1) : verbs[i].n);
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "mulletd", 1, NULL, 'm' }, { "config", 1, NULL, 'c' }, { "socket", 1, NULL, 's' }, { "log", 1, NULL, 'l' },
		{ "broker", 1, NULL, 'b' }, { "meter", 1, NULL, 'p' }, { "farm", 1, NULL, 'f' }, { "own-port", 1, NULL, 'P' },
		{ "own", 1, NULL, 'o' }, { "miners", 1, NULL, 'n' }, { "cap", 1, NULL, 'w' }, { "agents", 1, NULL, 'a' }, { "bad-agents", 1, NULL, 'B' }, { "agent-port", 1, NULL, 'A' }, { NULL, 0, NULL, 0 },
	};
	struct rig_conf conf = { 0 };
	static struct bench bench;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1; ) {
		switch (c) {
		case 'm': conf.mulletd = optarg; break;
		case 'c': conf.config = optarg; break;
		case 's': conf.socket = optarg; break;
		case 'l': conf.log = optarg; break;
		case 'b': conf.broker_port = (uint16_t)atoi(optarg); break;
		case 'p': conf.meter_port = (uint16_t)atoi(optarg); break;
		case 'f': conf.farm_ctl_port = (uint16_t)atoi(optarg); break;
		case 'P': conf.own_port = (uint16_t)atoi(optarg); break;
		case 'o': conf.n_own = (uint32_t)atoi(optarg); break;
		case 'n': bench.n_miners = (uint32_t)atoi(optarg); break;
		case 'w': bench.cap_w = atoll(optarg); break;
		case 'a': conf.n_agents = (uint32_t)atoi(optarg); break;
		case 'A': conf.agent_port = (uint16_t)atoi(optarg); break;
		case 'B': conf.bad_agents_pct = (uint32_t)atoi(optarg); break;
		default: return 2;
		}
	}
	if (!conf.mulletd || !conf.config || !conf.socket || !conf.log || !bench.cap_w) {
		fprintf(stderr, "bench_fleet is started by scripts/bench-fleet\n");
		return 2;
	}
	rig_open(&bench.rig, &conf);
	bench.rig.farm_awake = bench.n_miners;
	rig_set_load(&bench.rig, CALM_LOAD_W);
	for (int i = optind; i < argc; i++) {
		if (!run(&bench, argv[i])) {
			fprintf(stderr, "bench_fleet: no such verb %s\n", argv[i]);
			bench.failed++;
		}
	}
	rig_close(&bench.rig);
	return bench.failed ? 1 : 0;
}
