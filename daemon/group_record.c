#include "daemon/group_record.h"

#include <math.h>

#include "daemon/record.h"

#define NEWS_PHASE_PART 50              /* of the miners, in another phase */

/* ---- what the law learned ---- */

static int64_t off_by_ms(const struct policy_actuator *a, const struct policy_motion *motion, int64_t percent)
{
	int64_t end_ms = a->used.delay_ms + a->used.ramp_ms * percent / 100, seen_ms = (int64_t)motion->end_ms.mean;
	return end_ms > seen_ms ? end_ms - seen_ms : seen_ms - end_ms;
}

/* The law does not say which source it took: the line goes through what that one saw, at 85 and at 90 % of the way. */
enum group_basis group_basis_of(const struct policy_actuator *a, bool declared)
{
	switch ((enum policy_basis)a->basis) {
	case BASIS_WORST:
		return GROUP_WORST;
	case BASIS_LEARNED:
		if (!a->by_polls.end_ms.n)
			return GROUP_BY_SITE;
		if (!a->by_site.end_ms.n)
			return GROUP_BY_POLLS;
		return off_by_ms(a, &a->by_site, 85) <= off_by_ms(a, &a->by_polls, 90) ? GROUP_BY_SITE : GROUP_BY_POLLS;
	case BASIS_DECLARED:
	case N_BASES:
		break;
	}
	return declared ? GROUP_DECLARED : GROUP_TYPICAL;
}

struct group_way group_way_of(const struct policy_actuator *a, bool declared)
{
	return (struct group_way){
		.basis = group_basis_of(a, declared),
		.dead_ms = a->used.delay_ms, .ramp_ms = a->used.ramp_ms,
		.spread_ms = a->spread_ms ? a->spread_ms : POLICY_NONE,
		.moves = a->by_site.end_ms.n, .answers = a->by_polls.end_ms.n,
		.works_permille = a->works.n ? llroundf(a->works.mean * 1000) : POLICY_NONE, .orders = a->works.n,
		.each_w = a->watts.n ? llroundf(a->watts.mean) : POLICY_NONE, .readings = a->watts.n,
	};
}

/* ---- what is news ---- */

static bool moved(int64_t told, int64_t now, int64_t least, int64_t permille)
{
	if (told == POLICY_NONE || now == POLICY_NONE)
		return told != now;
	int64_t off = now > told ? now - told : told - now;
	return off >= least && off * 1000 >= permille * (told < 0 ? -told : told);
}

static bool way_news(const struct group_way *told, const struct group_way *now)
{
	return told->basis != now->basis || moved(told->dead_ms, now->dead_ms, 100, 50) ||
	       moved(told->ramp_ms, now->ramp_ms, 100, 50) || moved(told->spread_ms, now->spread_ms, 100, 100) ||
	       moved(told->works_permille, now->works_permille, 5, 0) || moved(told->each_w, now->each_w, 2, 10) ||
	       moved(told->moves, now->moves, 1, 100) || moved(told->answers, now->answers, 1, 250) ||
	       moved(told->orders, now->orders, 1, 250) || moved(told->readings, now->readings, 1, 500);
}

/* Some of a phase where there were none, or none where there were some, is news, however large the group. */
static bool phases_news(const struct group_record *told, const struct group_record *now)
{
	for (int phase = 0; phase < N_PHASES; phase++) {
		int64_t was = told->phases[phase], is = now->phases[phase];
		if (!was != !is || moved(was, is, now->n / NEWS_PHASE_PART + 1, 0))
			return true;
	}
	return false;
}

bool group_record_news(const struct group_record *told, const struct group_record *now)
{
	return told->n != now->n || phases_news(told, now) || way_news(&told->sleep, &now->sleep) ||
	       way_news(&told->wake, &now->wake) || told->partial_w != now->partial_w ||
	       (now->partial_w != POLICY_NONE && way_news(&told->power, &now->power)) || moved(told->power_w, now->power_w, 50, 20) ||
	       moved(told->efficiency_mj_per_th, now->efficiency_mj_per_th, 1, 20) ||
	       moved(told->bias.seen, now->bias.seen, 1, 100) || moved(told->bias.permille, now->bias.permille, 10, 0) ||
	       moved(told->sleeps, now->sleeps, now->n / 10 + 1, 0) || told->cycles_per_day != now->cycles_per_day ||
	       moved(told->cycles_left_milli, now->cycles_left_milli, 100, 0);
}

/* ---- as JSON ---- */

static const char *group_basis_name(enum group_basis basis)
{
	switch (basis) {
	case GROUP_DECLARED: return "declared";
	case GROUP_TYPICAL:  return "typical";
	case GROUP_BY_SITE:  return "learned by site";
	case GROUP_BY_POLLS: return "learned by polls";
	case GROUP_WORST:    return "worst";
	}
	return "unknown";
}

static double thousandths(int64_t value)
{
	return value == POLICY_NONE ? (double)NAN : (double)value / 1000;
}

static void put_way(const struct group_way *way, const char *key, struct json *json)
{
	json_open(json, key);
	json_int(json, "dead_ms", way->dead_ms);
	json_int(json, "ramp_ms", way->ramp_ms);
	json_int_or_null(json, "spread_ms", way->spread_ms, POLICY_NONE);
	json_string(json, "basis", group_basis_name(way->basis));
	json_int(json, "seen_by_site", way->moves);
	json_int(json, "seen_by_polls", way->answers);
	json_number(json, "works", thousandths(way->works_permille), 3);
	json_int(json, "orders", way->orders);
	json_close(json);
}

void group_record_format(const struct group_record *record, struct instant now, struct json *json)
{
	json_open(json, NULL);
	json_time(json, "time", now.utc_ms);
	json_string(json, "group", record->name);
	json_string(json, "driver", record->driver);
	json_int(json, "n_miners", record->n);
	record_phases(record->phases, json);
	json_int(json, "power_w", record->power_w);
	json_int_or_null(json, "hashrate_ghs", record->hashrate_ghs, POLICY_NONE);
	json_int_or_null(json, "efficiency_mj_per_th", record->efficiency_mj_per_th, POLICY_NONE);
	json_int_or_null(json, "awake_w", record->wake.each_w, POLICY_NONE);
	json_int(json, "awake_readings", record->wake.readings);
	json_int_or_null(json, "asleep_w", record->sleep.each_w, POLICY_NONE);
	json_int(json, "asleep_readings", record->sleep.readings);
	json_number(json, "bias_percent", record->bias.seen ? (double)(record->bias.permille - 1000) / 10 : (double)NAN, 1);
	json_int(json, "bias_seen", record->bias.seen);
	put_way(&record->sleep, "sleep", json);
	put_way(&record->wake, "wake", json);
	json_int_or_null(json, "partial_w", record->partial_w, POLICY_NONE);
	if (record->partial_w == POLICY_NONE)
		json_null(json, "power");
	else
		put_way(&record->power, "power", json);
	json_number(json, "sleeps_per_miner", record->n ? (double)record->sleeps / (double)record->n : (double)NAN, 3);
	json_int(json, "sleeps_over_h", record->counted_h);
	json_int_or_null(json, "cycles_per_day", record->cycles_per_day, POLICY_NONE);
	json_number(json, "cycles_left", thousandths(record->cycles_left_milli), 1);
	json_close(json);
}
