#include <math.h>

#include "sim/fast_main.h"

static const char *const control_names[N_FAST_CONTROLS] = {
	"no control", "30 s threshold", "mulletd", "no forecast", "mulletd, told", "48 cycles a day", "12 cycles a day",
};

static const char head[] =
"Over: seconds and kWh over the limit in force, from the begin, and after 10 min; odd: of these, not just after a rise larger than any before;\n"
"least: the energy by the least that dead time and fall allow. slow: rms in periods longer than break-even, MW; by the bound r(f) of miners that\n"
"are on or off; and by what is within this fleet's reach: r(f) of what its watts cover, and all of the rest. Bands: rms of the site by the GPUs'\n"
"own. kept: hash, as what miners draw, in % of perfect foresight, and of the most that a law without a forecast keeps. error: mean absolute, of\n"
"4 s means, in % of the set point (of the fleet). cycles: a miner and day, from less than a day mostly. change: largest in any 5, 15, 60 s, MW.\n"
"All after 10 min but the first two and the orders. no forecast: of what the load's own past foretells. told: with the GPU scheduler's notices.\n"
"Cycles a day: with 10 min awake and 3 min asleep at least; else no wear limits.\n";

static void print_over(const struct fast_score *s, FILE *out)
{
	fprintf(out, "%7.1f %7.1f|%6.1f %7.1f %6.1f", s->all_over_s, s->all_over_wh / 1000, s->over_s, s->over_wh / 1000,
	        s->unexcused_s);
	if (isinf(s->least_ratio))
		fprintf(out, "%6s|", "inf");
	else
		fprintf(out, "%6.2f|", s->least_ratio);
}

static double percent(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

/* By less than a kilowatt nothing is to be divided. */
static void print_ratio(bool means_something, double w, double by_w, int width, const char *end, FILE *out)
{
	if (means_something && by_w >= 1000)
		fprintf(out, "%*.2f%s", width, w / by_w, end);
	else
		fprintf(out, "%*s%s", width, "-", end);
}

static void print_line(const struct fast_score *s, const char *name, FILE *out)
{
	fprintf(out, "  %-15s", name);
	print_over(s, out);
	fprintf(out, "%6.2f ", s->slow_w / 1e6);
	print_ratio(s->flat, s->slow_w, s->bound_w, 6, " ", out);
	print_ratio(s->flat, s->slow_w, s->reach_w, 5, "|", out);
	for (int b = 0; b < FAST_BANDS; b++)
		print_ratio(s->flat, s->site_w[b], s->hpc_w[b], 5, " ", out);
	fprintf(out, "|%6.1f %6.1f|", percent(s->kept, s->foresight), percent(s->kept, s->causal));
	if (s->error_permille > 0)
		fprintf(out, "%5.2f %6.2f|", s->error_permille / 10, s->fleet_error_permille / 10);
	else
		fprintf(out, "%5s %6s|", "-", "-");
	fprintf(out, "%6.1f %6.1f %7.0f|%5.1f %5.1f %5.1f\n", s->cycles, s->most_cycles, s->commands, s->change_w[0] / 1e6,
	        s->change_w[1] / 1e6, s->change_w[2] / 1e6);
}

static void print_load(const struct fast_score *s, FILE *out)
{
	fprintf(out, "  %-15s GPUs: rms %.2f %.2f %.2f %.2f MW in 2-10 s, 10-60 s, 1-10 min, longer; change %.1f %.1f %.1f MW\n", "",
	        s->hpc_w[0] / 1e6, s->hpc_w[1] / 1e6, s->hpc_w[2] / 1e6, s->hpc_w[3] / 1e6, s->hpc_change_w[0] / 1e6,
	        s->hpc_change_w[1] / 1e6, s->hpc_change_w[2] / 1e6);
	fprintf(out, "  %-15s Slow, beyond %.0f s: r(f) leaves %.3f MW", "", s->break_even_s, s->bound_w / 1e6);
	if (s->reach_w > 1.05 * s->bound_w)
		fprintf(out, ", and with a fleet so small %.3f MW", s->reach_w / 1e6);
	if (s->best_w > 0)
		fprintf(out, "; if no band may be lifted, one lag leaves %.3f MW, a mix of lags %.3f MW", s->lag_w / 1e6, s->best_w / 1e6);
	fprintf(out, "\n  %-15s Hash: perfect foresight keeps %.1f %% of the fleet's watts, a law without a forecast %.1f %% at most\n", "",
	        100 * s->foresight, 100 * s->causal);
	if (s->flat_kept >= 0)
		fprintf(out, "  %-15s As flat as 1.25 times that, no more than %.1f %%\n", "", 100 * s->flat_kept);
}

void fast_print_table(const struct fast_result *results, size_t n, FILE *out)
{
	fputs(head, out);
	fprintf(out, "\n  %-15s%7s %7s|%6s %7s %6s%6s|%6s %6s %5s|%5s %5s %5s %5s |%6s %6s|%5s %6s|%6s %6s %7s|%5s %5s %5s\n", "", "over s", "kWh",
	        "over s", "kWh", "odd s", "least", "slow", "by r", "reach", "2-10s", "-60s", "-10m", ">10m", "kept %", "causal", "error", "fleet",
	        "cycles", "most", "orders", "5 s", "15 s", "60 s");
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s%s%s\n", results[i].name, *results[i].skipped ? ": skipped: " : "", results[i].skipped);
		if (*results[i].skipped)
			continue;
		print_load(&results[i].of[FAST_POLICY], out);
		for (unsigned c = 0; c < N_FAST_CONTROLS; c++)
			if (results[i].played[c])
				print_line(&results[i].of[c], control_names[c], out);
	}
	fast_print_gains(results, n, out);
	fast_print_bars(results, n, out);
}

static void print_list(const char *key, const double *w, int n, FILE *out)
{
	fprintf(out, ",\"%s\":[", key);
	for (int i = 0; i < n; i++)
		fprintf(out, "%s%.2f", i ? "," : "", w[i] / 1000);
	fprintf(out, "]");
}

/* Not a number in JSON: least_ratio is -1 where physics allows nothing and there was something. */
static void print_score(const struct fast_score *s, FILE *out)
{
	fprintf(out, "{\"all_over_s\":%.1f,\"all_over_kwh\":%.2f,\"over_s\":%.1f,\"over_kwh\":%.2f,\"odd_s\":%.1f,\"least_ratio\":%.3f,\"exact_ratio\":%.3f",
	        s->all_over_s, s->all_over_wh / 1000, s->over_s, s->over_wh / 1000, s->unexcused_s,
	        isinf(s->least_ratio) ? -1 : s->least_ratio, isinf(s->exact_ratio) ? -1 : s->exact_ratio);
	fprintf(out, ",\"slow_kw\":%.1f,\"bound_kw\":%.1f,\"reach_kw\":%.1f,\"best_kw\":%.1f,\"one_lag_kw\":%.1f", s->slow_w / 1000, s->bound_w / 1000,
	        s->reach_w / 1000, s->best_w / 1000, s->lag_w / 1000);
	print_list("bands_kw", s->site_w, FAST_BANDS, out);
	print_list("gpu_bands_kw", s->hpc_w, FAST_BANDS, out);
	fprintf(out, ",\"kept_percent\":%.2f,\"kept_of_causal_percent\":%.2f,\"foresight_percent\":%.2f,\"causal_percent\":%.2f",
	        percent(s->kept, s->foresight), percent(s->kept, s->causal), 100 * s->foresight, 100 * s->causal);
	if (s->flat_kept >= 0)
		fprintf(out, ",\"flat_percent\":%.2f", 100 * s->flat_kept);
	fprintf(out, ",\"error_percent\":%.3f,\"fleet_error_percent\":%.3f", s->error_permille / 10, s->fleet_error_permille / 10);
	fprintf(out, ",\"cycles_per_day\":%.2f,\"most_cycles_per_day\":%.1f,\"commands\":%.0f", s->cycles, s->most_cycles, s->commands);
	if (s->notices_true + s->notices_false > 0)
		fprintf(out, ",\"notices_true\":%.0f,\"notices_false\":%.0f", s->notices_true, s->notices_false);
	print_list("change_kw", s->change_w, FAST_WINDOWS, out);
	fprintf(out, "}");
}

void fast_print_json(const struct fast_result *results, size_t n, FILE *out)
{
	static const char *const keys[N_FAST_CONTROLS] = { "left", "threshold", "policy", "no_forecast", "told", "cycles_48", "cycles_12" };
	bool first = true;
	fprintf(out, "{\n");
	for (size_t i = 0; i < n; i++) {
		if (*results[i].skipped)
			continue;
		fprintf(out, "%s\"%s\":{", first ? "" : ",\n", results[i].name);
		const char *comma = "";
		for (unsigned c = 0; c < N_FAST_CONTROLS; c++) {
			if (!results[i].played[c])
				continue;
			fprintf(out, "%s\n \"%s\":", comma, keys[c]);
			print_score(&results[i].of[c], out);
			comma = ",";
		}
		fprintf(out, "}");
		first = false;
	}
	fprintf(out, "\n}\n");
}
