/* sim/report_print.c - the report as a person reads it. */
#include <string.h>

#include "sim/report.h"

struct figure { char text[24]; };

static struct figure watts(double w)
{
	struct figure f;
	if (w >= 999500 || w <= -999500)
		snprintf(f.text, sizeof f.text, "%.3f MW", w / 1e6);
	else
		snprintf(f.text, sizeof f.text, "%.1f kW", w / 1e3);
	return f;
}

static struct figure ratio(double part, double whole)
{
	struct figure f;
	if (whole > 0)
		snprintf(f.text, sizeof f.text, "%.2f", part / whole);
	else
		snprintf(f.text, sizeof f.text, "-");
	return f;
}

#define W(w) watts((double)(w)).text    /* lives to the end of the expression it stands in */
#define RATIO(part, whole) ratio(part, whole).text

static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

static size_t miners_of(const struct farm_conf *conf)
{
	size_t n = 0;
	for (size_t t = 0; t < conf->n_types; t++)
		n += conf->n_of[t];
	return n;
}

static void print_head(const struct report *report, const struct run *run, const struct farm_conf *conf, FILE *out)
{
	fprintf(out, "Site %s, %.0f s: cap %s, %zu miners of %s together", conf->site_name,
	        (double)run->n_truth * seconds(run->step_ms), W(report->cap_w), miners_of(conf), W(report->full_w));
	if (run->control_ms != RUN_NEVER)
		fprintf(out, "; judged from %.1f s, when mulletd first spoke", seconds(run->control_ms));
	fprintf(out, "\n\n");
}

static void print_over(const char *name, const struct report_over *over, const struct report_over *left, FILE *out)
{
	fprintf(out, "%-34s %12s %24s\n", name, "with mulletd", "all miners left hashing");
	fprintf(out, "  over it                          %10.1f s %22.1f s\n", over->seconds, left->seconds);
	fprintf(out, "  … before miners could follow *   %10.1f s %24s\n", over->excused_s, "");
	fprintf(out, "  … later                          %10.1f s %24s\n", over->seconds - over->excused_s, "");
	fprintf(out, "  energy over it                   %10.3f kWh %20.3f kWh\n", over->wh / 1000, left->wh / 1000);
	fprintf(out, "  … before miners could follow *   %10.3f kWh\n", over->excused_wh / 1000);
	fprintf(out, "  largest overshoot                %12s %24s\n", W(over->most_w), W(left->most_w));
}

static void print_episodes(const struct report *report, FILE *out)
{
	for (size_t i = 0; i < report->n_episodes; i++) {
		const struct report_episode *e = &report->episodes[i];
		fprintf(out, "  %6.1f s to %.1f s: over it for %.1f s, by up to %s", seconds(e->begin_ms), seconds(e->end_ms),
		        e->over_s, W(e->most_w));
		if (e->late_s > 0)
			fprintf(out, "; %.1f s of them later than they needed", e->late_s);
		fprintf(out, "\n");
	}
	fprintf(out, "  * The first %.1f s of each time over the limit in force, or after a further fall of it: so long the\n"
	        "    slowest miner takes from the command to asleep.\n\n", seconds(report->response_ms));
}

static bool was_ordered(const struct run *run)
{
	for (size_t i = 0; i < run->n_orders; i++)
		if (run->orders[i].start_ms != RUN_NEVER && strcmp(run->orders[i].status, "rejected") != 0)
			return true;
	return false;
}

static void print_flatness(const struct report *report, const struct run *run, FILE *out)
{
	const struct score *s = &report->score;
	fprintf(out, "Flatness from %.0f s on, rms           site    left hashing      GPUs alone    site/GPUs\n",
	        seconds(report->flat_ms));
	fprintf(out, "  off the target in force    %12s %15s\n", W(report->off_target_w), W(report->left_off_target_w));
	if (was_ordered(run)) {                 /* a move on purpose is no disturbance */
		fprintf(out, "  (by periods it is told for runs without an order)\n");
	} else {
		if (s->hpc_slow_w > 0)          /* else the run is too short to hold any */
			fprintf(out, "  periods over 60 s          %12s %15s %15s %12s\n", W(s->site_slow_w),
			        W(report->left_slow_w), W(s->hpc_slow_w), RATIO(s->site_slow_w, s->hpc_slow_w));
		fprintf(out, "  shorter ones               %12s %15s %15s %12s\n", W(s->site_fast_w),
		        W(report->left_fast_w), W(s->hpc_fast_w), RATIO(s->site_fast_w, s->hpc_fast_w));
	}
	fprintf(out, "Hash kept: %.1f %% of what the miners could have drawn, %.1f of %.1f kWh\n\n",
	        report->full_wh > 0 ? 100 * report->miners_wh / report->full_wh : 0, report->miners_wh / 1000,
	        report->full_wh / 1000);
}

/* "13 cap, 5 target", in the order in which the reasons first came. */
static void print_reasons(const struct run *run, FILE *out)
{
	const char *between = "";
	for (size_t i = 0; i < run->n_decisions; i++) {
		size_t n = 0, earlier = 0;
		for (size_t k = 0; k < run->n_decisions; k++) {
			bool same = strcmp(run->decisions[k].reason, run->decisions[i].reason) == 0;
			n += same;
			earlier += same && k < i;
		}
		if (earlier)
			continue;
		fprintf(out, "%s%zu %s", between, n, run->decisions[i].reason);
		between = ", ";
	}
}

static void print_decisions(const struct report *report, const struct run *run, FILE *out)
{
	fprintf(out, "Decisions: %zu", run->n_decisions);
	if (run->n_decisions) {
		fprintf(out, " (");
		print_reasons(run, out);
		fprintf(out, ")");
	}
	fprintf(out, ", with %u sleeps and %u wakes", report->told[DEED_SLEEP], report->told[DEED_WAKE]);
	if (report->told[DEED_POWER])
		fprintf(out, ", and %u times another power", report->told[DEED_POWER]);
	fprintf(out, "\n");
	fprintf(out, "Outcomes: %u commands sent, %u confirmed, %u failed", report->sent, report->confirmed, report->failed);
	if (report->median_ms >= 0)
		fprintf(out, "\n  from the reading to the last miner's answer %lld ms (median), %lld ms (p99), %lld ms (worst)",
		        (long long)report->median_ms, (long long)report->p99_ms, (long long)report->worst_ms);
	fprintf(out, "\n");
}

static void print_order(const struct run_order *order, FILE *out)
{
	fprintf(out, "Order %s: %s", order->id, order->kind);
	if (order->limit_w >= 0)
		fprintf(out, " %s", W(order->limit_w));
	if (order->start_ms != RUN_NEVER)
		fprintf(out, " from %.1f s", seconds(order->start_ms));
	if (order->end_ms != RUN_NEVER)
		fprintf(out, " to %.1f s", seconds(order->end_ms));
	if (order->ack_ms != RUN_NEVER && order->asked_ms != RUN_NEVER)
		fprintf(out, "; %s after %lld ms", order->ack, (long long)(order->ack_ms - order->asked_ms));
	else
		fprintf(out, "; no answer seen");
	if (order->response_s >= 0)
		fprintf(out, ", met after %.1f s", order->response_s);
	else
		fprintf(out, ", not met");
	if (order->status[0])
		fprintf(out, ", now %s", order->status);
	if (order->delivered_w != INT64_MIN)
		fprintf(out, "; %s delivered", W(order->delivered_w));
	fprintf(out, "\n");
}

static void print_alarms(const struct run *run, FILE *out)
{
	fprintf(out, "Alarms:%s\n", run->n_alarms ? "" : " none");
	for (size_t i = 0; i < run->n_alarms; i++) {
		const struct run_alarm *alarm = &run->alarms[i];
		fprintf(out, "  %6.1f s %s: %s", seconds(alarm->raised_ms), alarm->name, alarm->why);
		if (alarm->cleared_ms != RUN_NEVER)
			fprintf(out, " (until %.1f s)\n", seconds(alarm->cleared_ms));
		else
			fprintf(out, " (still)\n");
	}
}

static void print_strays(const struct report *report, const struct run *run, FILE *out)
{
	enum { SHOWN = 10 };
	size_t powers = 0;
	for (size_t i = 0; i < run->n_received; i++)
		powers += run->received[i].deed == DEED_POWER;
	fprintf(out, "Commands: %zu received by miners", run->n_received);
	if (powers)
		fprintf(out, ", %zu of them for another power", powers);
	fprintf(out, "; %zu published in decisions,\n  ", run->n_published);
	if (!report->n_strays)
		fprintf(out, "each one received stands in a published decision\n");
	else
		fprintf(out, "%zu received that NO published decision names\n", report->n_strays);
	for (size_t i = 0; i < report->n_strays && i < SHOWN; i++) {
		const struct run_command *stray = &run->received[report->strays[i]];
		fprintf(out, "  %6.1f s %s told to %s\n", seconds(stray->at_ms), stray->miner,
		        stray->deed == DEED_POWER ? "hash at another power" : deed_name(stray->deed));
	}
	if (report->n_strays > SHOWN)
		fprintf(out, "  and %zu more\n", report->n_strays - SHOWN);
}

void report_print(const struct report *report, const struct run *run, const struct farm_conf *conf, FILE *out)
{
	char name[48];
	print_head(report, run, conf, out);
	print_over("The limit in force", &report->limit, &report->left_limit, out);
	print_episodes(report, out);
	snprintf(name, sizeof name, "The file's cap, %s", W(report->cap_w));
	print_over(name, &report->cap, &report->left_cap, out);
	fprintf(out, "\n");
	print_flatness(report, run, out);
	print_decisions(report, run, out);
	for (size_t i = 0; i < run->n_orders; i++)
		print_order(&run->orders[i], out);
	print_alarms(run, out);
	if (run->bad_lines)
		fprintf(out, "(%zu lines of the bus are no messages)\n", run->bad_lines);
	print_strays(report, run, out);
}
