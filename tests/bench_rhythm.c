/* What rhythm in the load brings: for each measured trace under MULLET_SHARED or ../shared, in step and as twelve jobs,
 * played twice over, how the dips were foretold, and what fast miners (2 s + 2 s down, 5 s + 5 s up) that live only in
 * what is below the highest load of the last minute could draw by it; beside it, what they could if every edge were
 * known. Over: while the load was above their line, in per cent of the load's peak. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/rhythm.h"
#include "sim/compose.h"

enum { SLOT_MS = 500, TOP_SLOTS = 128, LATE_SLOTS = 12, PLAY_S = 7200 };
enum { DOWN_DEAD_MS = 2000, DOWN_MS = 4000, UP_DEAD_MS = 5000, UP_MS = 10000 };
enum { BANDS = 64 };                    /* of miners, each a step of peak / BANDS deeper */

struct series { int64_t *w, *top_w; size_t n; int64_t peak_w; };

struct miners {                         /* of one band */
	bool on;
	double drawn;                   /* 0 .. 1 */
	int64_t told_ms;
	uint32_t wakes;
};

struct result { double gain, over, over_s, cycles_per_day; };

static struct series sample(const struct load_trace *trace)
{
	struct series s = { .n = PLAY_S * 1000 / SLOT_MS, .peak_w = trace->peak_w };
	s.w = calloc(s.n, sizeof *s.w);
	s.top_w = calloc(s.n, sizeof *s.top_w);
	if (!s.w || !s.top_w)
		abort();
	for (size_t i = 0; i < s.n; i++) {
		for (int64_t ms = 0; ms < SLOT_MS; ms += 100) {
			int64_t w = load_trace_w(trace, (int64_t)i * SLOT_MS + ms, true);
			s.w[i] = w > s.w[i] ? w : s.w[i];
		}
		for (size_t k = i < TOP_SLOTS ? 0 : i + 1 - TOP_SLOTS; k <= i; k++)
			s.top_w[i] = s.w[k] > s.top_w[i] ? s.w[k] : s.top_w[i];
	}
	return s;
}

/* ---- who tells: an oracle or the rhythm ---- */

static bool oracle(const struct series *s, size_t i, int64_t line_w, int64_t from_ms, int64_t to_ms)
{
	(void)i;
	for (int64_t k = from_ms / SLOT_MS; k <= to_ms / SLOT_MS; k++)
		if (k < 0 || (size_t)k >= s->n || s->w[k] > line_w)
			return false;
	return true;
}

static bool foretold(const struct rhythm *rhythm, int64_t line_w, int64_t from_ms, int64_t to_ms, int64_t sure_by_ms)
{
	struct rhythm_claim claim;
	return rhythm_below(rhythm, from_ms, to_ms, &claim) && claim.highest_w <= line_w && claim.known_ms <= sure_by_ms;
}

static void move(struct miners *m, int64_t now_ms)
{
	int64_t since_ms = now_ms - m->told_ms;
	if (m->on && since_ms > UP_DEAD_MS)
		m->drawn += (double)SLOT_MS / (UP_MS - UP_DEAD_MS);
	if (!m->on && since_ms > DOWN_DEAD_MS)
		m->drawn -= (double)SLOT_MS / (DOWN_MS - DOWN_DEAD_MS);
	m->drawn = m->drawn > 1 ? 1 : m->drawn < 0 ? 0 : m->drawn;
}

static void order(struct miners *m, bool on, int64_t now_ms)
{
	if (m->on == on)
		return;
	m->wakes += on;
	m->on = on;
	m->told_ms = now_ms;
}

static void play_slot(const struct series *s, size_t i, const struct rhythm *rhythm, struct miners *bands, struct result *sum)
{
	int64_t now_ms = (int64_t)(i + 1) * SLOT_MS;
	int64_t before_w = s->top_w[i > LATE_SLOTS ? i - LATE_SLOTS : 0];      /* a top just forgotten is still planned for */
	bool over = false;
	before_w = before_w > s->top_w[i] ? before_w : s->top_w[i];
	for (size_t b = 0; b < BANDS; b++) {
		struct miners *m = &bands[b];
		int64_t depth_w = s->peak_w * (int64_t)(b + 1) / BANDS, line_w = s->top_w[i] - depth_w;
		int64_t first_ms = m->told_ms + UP_DEAD_MS > now_ms ? m->told_ms + UP_DEAD_MS : now_ms;
		int64_t wake_ms = now_ms + UP_DEAD_MS, full_ms = now_ms + UP_MS + DOWN_MS, gone_ms = now_ms + DOWN_MS + SLOT_MS;
		if (m->on && gone_ms > first_ms)
			order(m, rhythm ? foretold(rhythm, line_w, first_ms, gone_ms, INT64_MAX) : oracle(s, i, line_w, first_ms, gone_ms),
			      now_ms);
		else if (!m->on && m->drawn <= 0)
			order(m, rhythm ? foretold(rhythm, line_w, wake_ms, full_ms, wake_ms - DOWN_DEAD_MS - SLOT_MS)
			                : oracle(s, i, line_w, wake_ms, full_ms), now_ms);
		move(m, now_ms);
		sum->gain += m->drawn / BANDS;
		if (i + 1 < s->n && s->w[i + 1] > before_w - depth_w && m->drawn > 0) {
			sum->over += m->drawn / BANDS;
			over = true;
		}
	}
	sum->over_s += over * (SLOT_MS / 1000.0);
}

static struct result play(const struct series *s, struct rhythm *rhythm, double *first_s)
{
	struct miners bands[BANDS] = { 0 };
	struct result sum = { 0 };
	struct rhythm_claim claim;
	for (size_t i = 0; i < s->n; i++) {
		int64_t now_ms = (int64_t)(i + 1) * SLOT_MS;
		if (rhythm)
			rhythm_learn(rhythm, s->w[i], s->top_w[i], s->peak_w, now_ms);
		if (rhythm && *first_s < 0 && rhythm_next(rhythm, now_ms, &claim))
			*first_s = (double)now_ms / 1000;
		play_slot(s, i, rhythm, bands, &sum);
	}
	double most = 0;
	for (size_t b = 0; b < BANDS; b++)
		most = bands[b].wakes > most ? bands[b].wakes : most;
	return (struct result){ 100 * sum.gain / (double)s->n, 100 * sum.over / (double)s->n, sum.over_s, most * 86400 / PLAY_S };
}

static void print_row(const char *name, const struct load_trace *trace)
{
	static struct rhythm rhythm;
	struct series s = sample(trace);
	double first_s = -1;
	memset(&rhythm, 0, sizeof(rhythm));
	clock_t begin = clock();
	for (size_t i = 0; i < s.n; i++)
		rhythm_learn(&rhythm, s.w[i], s.top_w[i], s.peak_w, (int64_t)(i + 1) * SLOT_MS);
	double us = (double)(clock() - begin) * 1e6 / CLOCKS_PER_SEC / (double)s.n;
	memset(&rhythm, 0, sizeof(rhythm));
	struct result by_rhythm = play(&s, &rhythm, &first_s), best = play(&s, NULL, NULL);
	printf("%-34s %7.0f %5u %5u %5u %8.3f %8.3f %8.4f %7.1f %8.0f %8.0f %6.2f\n", name, first_s, rhythm.kept, rhythm.late,
	       rhythm.early, by_rhythm.gain, best.gain, by_rhythm.over, by_rhythm.over_s, by_rhythm.cycles_per_day,
	       best.cycles_per_day, us);
	free(s.w);
	free(s.top_w);
}

static void print_trace(const char *file)
{
	const char *shared = getenv("MULLET_SHARED");
	char path[512], name[80];
	struct load_trace trace;
	size_t line;
	snprintf(path, sizeof(path), "%s/traces/%s.csv", shared ? shared : "../shared", file);
	if (load_trace_read(&trace, path, &line)) {
		printf("skipped: no %s\n", path);
		return;
	}
	for (size_t jobs = 1; jobs <= 12; jobs += 11) {
		struct load_trace sum = compose_trace(&trace, jobs, 0, PLAY_S * 1000, 50000000, 1);
		snprintf(name, sizeof(name), "%.26s x %zu", file, jobs);
		print_row(name, &sum);
		load_trace_free(&sum);
	}
	load_trace_free(&trace);
}

static void print_made(void)
{
	struct compose_span span = { 30000000, 50000000, PLAY_S * 1000 };
	struct { const char *name; struct load_trace trace; } made[] = {
		{ "square, 60 s", compose_square(&span, 60000) }, { "square, 5 min", compose_square(&span, 300000) },
		{ "random steps, 30 s apart", compose_steps(&span, 30000, 3) }, { "noise of 20 s", compose_noise(&span, 20000, 5) },
		{ "noise of 2 min", compose_noise(&span, 120000, 6) },
	};
	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		print_row(made[i].name, &made[i].trace);
		load_trace_free(&made[i].trace);
	}
}

int main(void)
{
	static const char *const traces[] = {
		"train_h100x512_gpt3_cluster", "train_b200x8_retinanet", "train_h100x64_llama2_lora_cluster",
		"inf_h200x8_dlrm_server", "inf_h200x8_llama2_70b_server",
	};
	printf("rhythm, two hours each%12s %7s %17s %17s %16s %17s %6s\n", "", "first", "dips foretold", "gain, % of peak", "over the line",
	       "cycles a day", "cost");
	printf("%-34s %7s %5s %5s %5s %8s %8s %8s %7s %8s %8s %6s\n", "", "s", "kept", "late", "early", "rhythm", "perfect", "%", "s",
	       "rhythm", "perfect", "us");
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++)
		print_trace(traces[i]);
	print_made();
	return 0;
}
