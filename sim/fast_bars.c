/* sim/fast_bars.c - the table's end: what forecasts gain, and which bars are met by which cases. */
#include <math.h>

#include "sim/fast_main.h"

static const struct { const char *name; const char *what; double most, least; } bars[N_FAST_BARS] = {
	[BAR_ODD] = { "odd", "no second over the limit but just after a rise larger than any before", 0, -INFINITY },
	[BAR_LEAST] = { "least", "energy over the limit at most 1.15 times the least there is", 1.15, -INFINITY },
	[BAR_SLOW] = { "by r", "slow rms at most 1.25 times the bound r(f)", 1.25, -INFINITY },
	[BAR_REACH] = { "reach", "slow rms at most 1.25 times what is within the fleet's reach", 1.25, -INFINITY },
	/* Half a per cent is rounding. */
	[BAR_BAND] = { "band", "no band above the GPUs' own", 1.005, -INFINITY },
	[BAR_KEPT] = { "kept", "at least 97 % of the hash of perfect foresight", INFINITY, 97 },
	[BAR_CAUSAL] = { "causal", "at least 97 % of the most that a law without a forecast keeps", INFINITY, 97 },
	[BAR_ERROR] = { "error", "set points, quick miners: mean error at most 1.5 %", 1.5, -INFINITY },
	[BAR_ODD_48] = { "odd", "48 cycles a day: no such second over the limit", 0, -INFINITY },
	[BAR_BAND_48] = { "band", "48 cycles a day: no band above the GPUs' own", 1.005, -INFINITY },
	[BAR_CYCLES_48] = { "most", "48 cycles a day: no miner put to sleep more often: a quarter of them at once, the others evenly", 1, -INFINITY },
	[BAR_ODD_12] = { "odd", "12 cycles a day: no such second over the limit", 0, -INFINITY },
	[BAR_BAND_12] = { "band", "12 cycles a day: no band above the GPUs' own", 1.005, -INFINITY },
	[BAR_CYCLES_12] = { "most", "12 cycles a day: no miner put to sleep more often", 1, -INFINITY },
};

static enum fast_control control_of(enum fast_bar bar)
{
	switch (bar) {
	case BAR_ODD_48:
	case BAR_BAND_48:
	case BAR_CYCLES_48:
		return FAST_48;
	case BAR_ODD_12:
	case BAR_BAND_12:
	case BAR_CYCLES_12:
		return FAST_12;
	case BAR_ODD:
	case BAR_LEAST:
	case BAR_SLOW:
	case BAR_REACH:
	case BAR_BAND:
	case BAR_KEPT:
	case BAR_CAUSAL:
	case BAR_ERROR:
	case N_FAST_BARS:
		break;
	}
	return FAST_POLICY;
}

/* A site that follows a set point moves on purpose; by less than a kilowatt nothing is to be divided. */
static double worst_band(const struct fast_score *s, const double site_w[FAST_BANDS])
{
	double worst = NAN;
	for (int b = 0; b < FAST_BANDS && s->flat && !s->set_point; b++)
		if (s->hpc_w[b] >= 1000)
			worst = fmax(worst, site_w[b] / s->hpc_w[b]);
	return worst;
}

static double ratio(bool means_something, double w, double by_w)
{
	return means_something && by_w >= 1000 ? w / by_w : NAN;
}

/* Sleeps of the miner with most, by what so many cycles a day allow in a run that is shorter. */
static double worn(const struct fast_score *s, double per_day)
{
	return s->most_sleeps / (per_day * (1 + 3 * s->days) / 4);
}

static double figure_of(const struct fast_score *s, enum fast_bar bar)
{
	switch (bar) {
	case BAR_LEAST:  return s->least_ratio;
	case BAR_SLOW:   return ratio(s->flat, s->slow_w, s->bound_w);
	case BAR_REACH:  return ratio(s->flat, s->slow_w, s->reach_w);
	case BAR_KEPT:   return s->foresight > 0 ? 100 * s->kept / s->foresight : NAN;
	case BAR_CAUSAL: return s->causal > 0 ? 100 * s->kept / s->causal : NAN;
	case BAR_ERROR:  return s->set_point && s->quick ? s->error_permille / 10 : NAN;
	case BAR_ODD:
	case BAR_ODD_48:
	case BAR_ODD_12:
		return s->unexcused_s;
	case BAR_BAND:
	case BAR_BAND_48:
	case BAR_BAND_12:
		return worst_band(s, s->site_w);
	case BAR_CYCLES_48: return worn(s, 48);
	case BAR_CYCLES_12: return worn(s, 12);
	case N_FAST_BARS:
		break;
	}
	return NAN;
}

/* Slow: a site so flat keeps too little of the hash, or the best mix of lags that lifts no band leaves too much: then one bar
 * is met at the cost of another. Band: the same, where the slow one is met; or to be back under the limit lifts it. Kept: what
 * no forecast allows is too little. */
static bool is_beyond(const struct fast_score *s, enum fast_bar bar)
{
	bool flat_lifts = s->best_w > bars[BAR_SLOW].most * s->bound_w;
	if (bar == BAR_SLOW)
		return flat_lifts || (s->flat_kept >= 0 && 100 * s->flat_kept < bars[BAR_CAUSAL].least * s->causal);
	if (bar == BAR_BAND || bar == BAR_BAND_48 || bar == BAR_BAND_12)
		return worst_band(s, s->falls_w) > bars[bar].most || (flat_lifts && s->slow_w <= bars[BAR_SLOW].most * s->bound_w);
	return bar == BAR_KEPT && 100 * s->causal < bars[bar].least * s->foresight;
}

enum fast_verdict fast_bar(const struct fast_result *result, enum fast_bar bar, double *figure)
{
	enum fast_control control = control_of(bar);
	const struct fast_score *s = &result->of[control];
	*figure = *result->skipped || !result->played[control] ? NAN : figure_of(s, bar);
	if (bar >= N_FAST_BARS || isnan(*figure))
		return BAR_EMPTY;
	if (*figure <= bars[bar].most && *figure >= bars[bar].least)
		return BAR_MET;
	return is_beyond(s, bar) ? BAR_BEYOND : BAR_MISSED;
}

/* ---- which cases meet which ---- */

static void count(const struct fast_result *results, size_t n, enum fast_bar bar, size_t counts[BAR_BEYOND + 1])
{
	double figure;
	for (size_t i = 0; i < n; i++)
		counts[fast_bar(&results[i], bar, &figure)]++;
}

static void print_counts(const struct fast_result *results, size_t n, FILE *out)
{
	fprintf(out, "\nBars, and how many cases meet them:\n");
	for (unsigned b = 0; b < N_FAST_BARS; b++) {
		size_t counts[BAR_BEYOND + 1] = { 0 };
		count(results, n, (enum fast_bar)b, counts);
		if (counts[BAR_EMPTY] == n)
			continue;
		fprintf(out, "  %3zu of %3zu  %s", counts[BAR_MET], n - counts[BAR_EMPTY], bars[b].what);
		if (counts[BAR_BEYOND])
			fprintf(out, "; %zu of the others cannot be had*", counts[BAR_BEYOND]);
		fprintf(out, "\n");
	}
}

static void print_figure(enum fast_verdict verdict, enum fast_bar bar, double figure, FILE *out)
{
	int digits = bar == BAR_LEAST || bar == BAR_SLOW || bar == BAR_REACH || bar == BAR_ERROR || bar == BAR_CYCLES_48 ||
	             bar == BAR_CYCLES_12 ? 2 :
	             bar == BAR_BAND || bar == BAR_BAND_48 || bar == BAR_BAND_12 ? 3 : 1;
	if (verdict == BAR_EMPTY || verdict == BAR_MET)
		fprintf(out, " %7s ", verdict == BAR_MET ? "." : "");
	else
		fprintf(out, " %7.*f%s", digits, figure, verdict == BAR_BEYOND ? "*" : " ");
}

static void print_misses(const struct fast_result *result, FILE *out)
{
	double figures[N_FAST_BARS];
	enum fast_verdict verdicts[N_FAST_BARS], worst = BAR_EMPTY;
	for (unsigned b = 0; b < N_FAST_BARS; b++) {
		verdicts[b] = fast_bar(result, (enum fast_bar)b, &figures[b]);
		worst = verdicts[b] > worst ? verdicts[b] : worst;
	}
	if (worst <= BAR_MET)
		return;
	fprintf(out, "  %-30s", result->name);
	for (unsigned b = 0; b < N_FAST_BARS; b++)
		print_figure(verdicts[b], (enum fast_bar)b, figures[b], out);
	fprintf(out, "\n");
}

static void print_violations(const struct fast_result *results, size_t n, FILE *out)
{
	size_t counts[BAR_BEYOND + 1] = { 0 };
	for (unsigned b = BAR_ODD_48; b < N_FAST_BARS; b++)
		count(results, n, (enum fast_bar)b, counts);
	if (counts[BAR_EMPTY] < n * (N_FAST_BARS - BAR_ODD_48))
		fprintf(out, "Wear limits: %zu violations: odd seconds over, bands above the GPUs' own, miners put to sleep more often than "
		        "allowed\n", counts[BAR_MISSED] + counts[BAR_BEYOND]);
}

void fast_print_bars(const struct fast_result *results, size_t n, FILE *out)
{
	print_counts(results, n, out);
	fputs("Where they are missed, and by what; . is met, * cannot be had:\n"
	      "  by r   but at the cost of another bar: the best mix of lags that lifts no band leaves more than 1.25 times the bound,\n"
	      "         or a site so flat keeps less than 97 % of what a law without a forecast could: what fills a dip must be able\n"
	      "         to leave in time\n"
	      "  band   after a rise larger than any before, to be back under the limit lifts a band by itself; or the slow moves are\n"
	      "         within 1.25 times the bound, and no mix of lags has them there without\n"
	      "  kept   by a law without a forecast: it keeps less than 97 % of it\n", out);
	fprintf(out, "  %-30s", "");
	for (unsigned b = 0; b < N_FAST_BARS; b++)
		fprintf(out, " %*s%s ", b >= BAR_ODD_48 ? 4 : 7, bars[b].name, b >= BAR_ODD_12 ? " 12" : b >= BAR_ODD_48 ? " 48" : "");
	fprintf(out, "\n");
	for (size_t i = 0; i < n; i++)
		print_misses(&results[i], out);
	print_violations(results, n, out);
}

/* ---- what forecasts gain ---- */

/* Without and with it; what is not a number says nothing. */
static void print_pair(double alone, double told, int digits, const char *end, FILE *out)
{
	if (isfinite(alone) && isfinite(told))
		fprintf(out, "%7.*f %7.*f%s", digits, alone, digits, told, end);
	else
		fprintf(out, "%7s %7s%s", "-", "-", end);
}

static bool are_alike(const struct fast_score *a, const struct fast_score *b)
{
	return a->commands == b->commands && a->kept == b->kept && a->over_s == b->over_s;
}

struct gain { const char *what, *with; enum fast_control without, by; };

/* Only where it changed anything. */
static void print_gain(const struct gain *gain, const struct fast_result *results, size_t n, FILE *out)
{
	size_t played = 0, changed = 0;
	double kept[2] = { 0, 0 }, odd_s[2] = { 0, 0 };
	for (size_t i = 0; i < n; i++) {
		const struct fast_score *a = &results[i].of[gain->without], *b = &results[i].of[gain->by];
		if (!results[i].played[gain->without] || !results[i].played[gain->by])
			continue;
		if (!played++)
			fprintf(out, "\n%s, without and with: 'kept' is of foresight\n  %-30s|%7s %7s|%7s %7s|%7s %7s|%7s %7s|%7s %7s\n", gain->what,
			        "", "kept %", gain->with, "over s", gain->with, "odd s", gain->with, "slow", gain->with, "band", gain->with);
		kept[0] += a->causal > 0 ? a->kept / a->causal : 1;
		kept[1] += b->causal > 0 ? b->kept / b->causal : 1;
		odd_s[0] += a->unexcused_s;
		odd_s[1] += b->unexcused_s;
		if (are_alike(a, b))
			continue;
		changed++;
		fprintf(out, "  %-30s|", results[i].name);
		print_pair(100 * a->kept / a->foresight, 100 * b->kept / b->foresight, 1, "|", out);
		print_pair(a->over_s, b->over_s, 1, "|", out);
		print_pair(a->unexcused_s, b->unexcused_s, 1, "|", out);
		print_pair(a->slow_w / 1e6, b->slow_w / 1e6, 3, "|", out);
		print_pair(worst_band(a, a->site_w), worst_band(b, b->site_w), 2, "", out);
		if (b->notices_true + b->notices_false > 0)
			fprintf(out, "|%5.0f came true, %.0f did not", b->notices_true, b->notices_false);
		fprintf(out, "\n");
	}
	if (!played)
		return;
	fprintf(out, "  %zu of %zu, the others are the same. Of all: kept, of what a law without a forecast could, %.1f and %.1f %%; odd %.1f and "
	        "%.1f s\n", changed, played, 100 * kept[0] / (double)played, 100 * kept[1] / (double)played, odd_s[0], odd_s[1]);
}

void fast_print_gains(const struct fast_result *results, size_t n, FILE *out)
{
	static const struct gain gains[] = {
		{ "What foretelling the load by its own past gains", "by it", FAST_NO_FORECAST, FAST_POLICY },
		{ "What the GPU scheduler's notices gain", "told", FAST_POLICY, FAST_TOLD },
	};
	for (size_t g = 0; g < sizeof gains / sizeof *gains; g++)
		print_gain(&gains[g], results, n, out);
}
