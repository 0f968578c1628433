/* Which miners, where circuits are told: of equal ones each circuit gives its share, and gets it back. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/internal.h"
#include "policy/spread.h"
#include "tests/policy_says.h"
#include "tests/scenario.h"

#define KW 1000
#define MOST_MINERS 3000
#define MOST_CIRCUITS 100
#define FLEETS 3000

/* ---- the pick alone, of random fleets ---- */

struct fleet {
	struct policy_conf conf;
	struct policy_miner_group groups[2];
	uint16_t group[MOST_MINERS], circuit[MOST_MINERS];
	struct miner_track tracks[MOST_MINERS];
	struct candidate list[MOST_MINERS];
	struct pick pick;
	/* of each circuit: miners that take orders; asleep (awake, for a wake) before; candidates; picked */
	int64_t n[MOST_CIRCUITS], gone[MOST_CIRCUITS], may[MOST_CIRCUITS], told[MOST_CIRCUITS];
};

struct chance { uint64_t state; };

static uint64_t upto(struct chance *c, uint64_t most)
{
	c->state = c->state * 6364136223846793005u + 1442695040888963407u;
	return (c->state >> 33) % (most + 1);
}

/* size 0: each circuit another. */
static void make_fleet(struct chance *c, struct fleet *f, size_t n_circuits, size_t size, bool hash)
{
	size_t n = 0;
	*f = (struct fleet){ .groups = { { .priority = 50, .stale_ms = 60000 }, { .priority = 50, .stale_ms = 60000 } } };
	for (size_t k = 0; k < n_circuits; k++)
		for (size_t m = size ? size : 1 + upto(c, 28); m > 0; m--)
			f->circuit[n++] = (uint16_t)k;
	for (size_t i = n; i-- > 1; ) {                 /* no order of the file helps */
		size_t other = upto(c, i);
		uint16_t kept = f->circuit[i];
		f->circuit[i] = f->circuit[other];
		f->circuit[other] = kept;
	}
	for (size_t i = 0; i < n; i++) {
		f->tracks[i] = (struct miner_track){ .phase = hash ? PHASE_ASLEEP : PHASE_AWAKE, .steerable = true, .answers = true,
		                                     .awake_w = 3000, .drawn_w = hash ? 0 : 3000 };
	}
	f->conf = (struct policy_conf){ .miner_groups = f->groups, .miner_group = f->group, .n_miner_groups = 2, .n_miners = n,
	                                .circuit = f->circuit, .n_circuits = n_circuits };
	f->pick = (struct pick){ .conf = &f->conf, .tracks = f->tracks, .up = hash, .list = f->list };
}

/* Some have gone already, unevenly. */
static void move_some(struct chance *c, struct fleet *f)
{
	uint64_t more = upto(c, 3);
	for (size_t i = 0; i < f->conf.n_miners; i++)
		if (upto(c, 9) < more * (f->circuit[i] % 3)) {
			f->tracks[i].phase = f->pick.up ? PHASE_AWAKE : PHASE_ASLEEP;
			f->tracks[i].drawn_w = f->pick.up ? 3000 : 0;
		}
}

static void gather(struct fleet *f, int64_t round)
{
	f->pick.n = 0;
	memset(f->n, 0, sizeof(f->n));
	memset(f->gone, 0, sizeof(f->gone));
	memset(f->may, 0, sizeof(f->may));
	memset(f->told, 0, sizeof(f->told));
	for (uint32_t i = 0; i < f->conf.n_miners; i++) {
		bool may = f->tracks[i].phase == (f->pick.up ? PHASE_ASLEEP : PHASE_AWAKE);
		f->n[f->circuit[i]]++;
		f->gone[f->circuit[i]] += !may;
		f->may[f->circuit[i]] += may;
		if (may)
			pick_add(&f->pick, i, f->pick.up ? MOVE_WAKE : MOVE_SLEEP, f->tracks[i].awake_w);
	}
	spread_turns(&f->pick, round);
}

static void take(struct fleet *f, uint32_t n)
{
	for (uint32_t place = 0; place < n; place++)
		f->told[f->circuit[f->list[place].miner]]++;
}

static void each_of_equal_circuits_gives_the_same(void **unused)
{
	static struct fleet f;
	struct chance c = { 1 };
	for (int i = 0; i < FLEETS; i++) {
		size_t n_circuits = 1 + upto(&c, MOST_CIRCUITS - 1), size = 1 + upto(&c, 28);
		make_fleet(&c, &f, n_circuits, size, i % 2);
		gather(&f, i);
		uint32_t want = (uint32_t)upto(&c, f.pick.n);
		uint32_t n = i % 4 < 2 ? pick_first(&f.pick, want * 3000) : pick_amount(&f.pick, want * 3000, i % 8 < 4);
		assert_int_equal(n, want);
		take(&f, n);
		for (size_t k = 0; k < n_circuits; k++)
			assert_in_range(f.told[k], want / n_circuits, (want + n_circuits - 1) / n_circuits);
	}
	(void)unused;
}

static void each_gives_as_much_as_it_is_large(void **unused)
{
	static struct fleet f;
	struct chance c = { 2 };
	double most = 0;
	for (int i = 0; i < FLEETS; i++) {
		size_t n_circuits = 1 + upto(&c, MOST_CIRCUITS - 1);
		make_fleet(&c, &f, n_circuits, 0, i % 2);
		gather(&f, i);
		uint32_t n = pick_first(&f.pick, (int64_t)upto(&c, f.pick.n) * 3000);
		take(&f, n);
		for (size_t k = 0; k < n_circuits; k++) {
			double even = (double)n * (double)f.n[k] / (double)f.conf.n_miners, off = (double)f.told[k] - even;
			most = off > most ? off : -off > most ? -off : most;
		}
	}
	printf("at most %.2f miners from the even share\n", most);
	assert_true(most < 1.5);
	(void)unused;
}

/* Whatever was before: no circuit that gave has gone further than one that could have given instead. */
static void what_has_gone_least_goes_next(void **unused)
{
	static struct fleet f;
	struct chance c = { 3 };
	for (int i = 0; i < FLEETS; i++) {
		size_t n_circuits = 1 + upto(&c, MOST_CIRCUITS - 1);
		make_fleet(&c, &f, n_circuits, 0, i % 2);
		move_some(&c, &f);
		gather(&f, i);
		take(&f, pick_first(&f.pick, (int64_t)upto(&c, f.pick.n) * 3000));
		for (size_t a = 0; a < n_circuits; a++)
			for (size_t b = 0; b < n_circuits; b++)
				if (f.told[a] && f.told[b] < f.may[b])
					assert_true((f.gone[a] + f.told[a] - 1) * f.n[b] < (f.gone[b] + f.told[b] + 1) * f.n[a]);
	}
	(void)unused;
}

/* A few of many: circuits that are neighbours in the file, as those of one feeder are, do not go together; nor do each
 * second or third, as those of one phase. And it is not always the same few. */
static void a_few_stand_far_apart(void **unused)
{
	enum { CIRCUITS = 96, SIZE = 20, TOLD = 12 };
	static struct fleet f;
	struct chance c = { 4 };
	uint32_t times[CIRCUITS] = { 0 };
	for (int round = 0; round < CIRCUITS; round++) {
		uint32_t of_feeder[4] = { 0 }, of_phase[3] = { 0 };
		make_fleet(&c, &f, CIRCUITS, SIZE, round % 2);
		gather(&f, round);
		take(&f, pick_first(&f.pick, TOLD * 3000));
		for (size_t k = 0; k < CIRCUITS; k++) {
			of_feeder[k / 24] += (uint32_t)f.told[k];
			of_phase[k % 3] += (uint32_t)f.told[k];
			times[k] += (uint32_t)f.told[k];
		}
		for (int feeder = 0; feeder < 4; feeder++)
			assert_in_range(of_feeder[feeder], 2, 4);       /* 3 each, within one */
		for (int phase = 0; phase < 3; phase++)
			assert_in_range(of_phase[phase], 3, 5);         /* 4 each */
	}
	for (size_t k = 0; k < CIRCUITS; k++)
		assert_in_range(times[k], TOLD - 2, TOLD + 2);
	(void)unused;
}

/* What is told first for another reason, unevenly over the circuits, is spread for itself, and the rest after it. */
enum difference { PRIORITY, EFFICIENCY, WAKES_SOON, ON_ITS_WAY, FAILED, N_DIFFERENCES };

static void differ(struct fleet *f, uint32_t miner, enum difference by, bool first)
{
	struct miner_track *track = &f->tracks[miner];
	switch (by) {
	case PRIORITY:
	case EFFICIENCY:
	case WAKES_SOON:
		f->group[miner] = first;
		break;
	case ON_ITS_WAY:                /* up: it is turned round */
		track->under_way = track->told_hash = first;
		track->deed = first ? DEED_WAKE : DEED_SLEEP;
		track->to_w = 3000;
		break;
	case FAILED:
		track->tries = first;
		break;
	case N_DIFFERENCES:
		break;
	}
}

static void make_different(struct chance *c, struct fleet *f, enum difference by, bool hash, bool first_of[])
{
	make_fleet(c, f, 8, 24, hash);
	f->groups[1].priority = by == PRIORITY ? hash ? 60 : 40 : 50;
	f->groups[0].efficiency_mj_per_th = 20000;
	f->groups[1].efficiency_mj_per_th = by == EFFICIENCY ? hash ? 10000 : 30000 : 20000;
	f->groups[0].wake.ramp_ms = by == WAKES_SOON ? 9000 : 0;
	f->pick.quick_first = by == WAKES_SOON;
	f->pick.at_once = by == FAILED && hash;
	for (uint32_t m = 0; m < f->conf.n_miners; m++) {
		first_of[m] = upto(c, 7) < f->circuit[m];       /* none of the first circuit, nearly all of the last */
		differ(f, m, by, first_of[m] != f->pick.at_once);
	}
}

static void what_goes_first_is_spread_for_itself(void **unused)
{
	static struct fleet f;
	static bool first[MOST_MINERS];
	struct chance c = { 5 };
	for (int i = 0; i < FLEETS; i++) {
		enum difference by = (enum difference)(i % N_DIFFERENCES);
		make_different(&c, &f, by, by != ON_ITS_WAY && i / N_DIFFERENCES % 2, first);
		gather(&f, i);
		int64_t first_of[8] = { 0 };
		uint32_t n_first = 0;
		for (uint32_t m = 0; m < f.conf.n_miners; m++) {
			first_of[f.circuit[m]] += first[m];
			n_first += first[m];
		}
		uint32_t want = (uint32_t)upto(&c, f.pick.n);
		take(&f, pick_first(&f.pick, (int64_t)want * 3000));
		int64_t most = 0;
		for (uint32_t place = 0; place < want && place < n_first; place++)
			assert_true(want > n_first || first[f.list[place].miner]);
		for (size_t k = 0; k < 8; k++)
			most = f.told[k] > most && (want <= n_first || f.told[k] > first_of[k]) ? f.told[k] : most;
		for (size_t k = 0; k < 8; k++)          /* each gives as much as the others, or all that it has of those */
			assert_true(f.told[k] >= most - 1 || (want <= n_first && f.told[k] == first_of[k]));
	}
	(void)unused;
}

/* Those that take no orders are no part of the circuit's share. */
static void only_what_can_move_counts(void **unused)
{
	static struct fleet f;
	struct chance c = { 10 };
	make_fleet(&c, &f, 10, 24, false);
	for (uint32_t m = 0, left = 12; m < f.conf.n_miners; m++)
		if (f.circuit[m] == 0 && left > 0) {
			f.tracks[m].steerable = false;
			f.tracks[m].phase = PHASE_UNKNOWN;
			left--;
		}
	gather(&f, 0);
	take(&f, pick_first(&f.pick, 114 * 3000));
	assert_int_equal(f.told[0], 6);                 /* half of 12, of 9 times 24 */
	for (size_t k = 1; k < 10; k++)
		assert_int_equal(f.told[k], 12);
	(void)unused;
}

/* Half of a circuit is at less than its power already, and may yet be told to sleep: its turn is no later for that, nor, the
 * circuit once round, the first. */
static void what_is_lower_may_still_go(void **unused)
{
	static struct fleet f;
	struct chance c = { 12 };
	make_fleet(&c, &f, 10, 24, false);
	for (uint32_t m = 0, left = 12; m < f.conf.n_miners; m++)
		if (f.circuit[m] == 0 && left > 0) {
			f.tracks[m].drawn_w = 1500;
			left--;
		}
	gather(&f, 0);
	take(&f, pick_first(&f.pick, 120 * 3000));
	for (size_t k = 0; k < 10; k++)
		assert_int_equal(f.told[k], 12);
	(void)unused;
}

static void clearly_less_worn_goes_first_wherever_it_stands(void **unused)
{
	static struct fleet f;
	struct chance c = { 6 };
	static const struct { uint32_t usual, other; bool first, last; } rows[] = {
		{ 100, 50, true, false }, { 100, 90, false, false }, { 100, 110, false, false }, { 100, 150, false, true },
		{ 3, 0, false, false }, { 0, 4, false, false }, { 0, 6, false, true }, { 8, 1, true, false },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		make_fleet(&c, &f, 40, 24, false);
		for (uint32_t m = 0; m < f.conf.n_miners; m++)  /* all of the first circuit are worn otherwise */
			f.tracks[m].sleeps = f.circuit[m] ? rows[r].usual : rows[r].other;
		gather(&f, (int64_t)r);
		take(&f, pick_first(&f.pick, 20 * 3000));
		assert_in_range(f.told[0], rows[r].first ? 20 : 0, rows[r].first ? 20 : 1);
		gather(&f, (int64_t)r);
		take(&f, pick_first(&f.pick, (int64_t)(f.pick.n - 24) * 3000));
		assert_in_range(f.told[0], rows[r].last ? 0 : rows[r].first ? 24 : 23, rows[r].last ? 0 : 24);
	}
	(void)unused;
}

static void on_a_circuit_the_least_worn_goes_first(void **unused)
{
	static struct fleet f;
	struct chance c = { 7 };
	for (int i = 0; i < 300; i++) {
		make_fleet(&c, &f, 10, 24, i % 2);
		for (uint32_t m = 0; m < f.conf.n_miners; m++)
			f.tracks[m].sleeps = 100 + (uint32_t)upto(&c, 10);
		gather(&f, i);
		uint32_t n = pick_first(&f.pick, (int64_t)upto(&c, f.pick.n) * 3000);
		take(&f, n);
		for (size_t k = 0; k < 10; k++) {
			uint32_t most_told = 0, least_left = UINT32_MAX;
			for (uint32_t place = 0; place < f.pick.n; place++) {
				uint32_t sleeps = f.tracks[f.list[place].miner].sleeps;
				if (f.circuit[f.list[place].miner] != k)
					continue;
				if (place < n)
					most_told = sleeps > most_told ? sleeps : most_told;
				else
					least_left = sleeps < least_left ? sleeps : least_left;
			}
			assert_true(most_told <= least_left);
			assert_in_range(f.told[k], n / 10, (n + 9) / 10);
		}
	}
	(void)unused;
}

static int64_t pick_w(struct fleet *f, int i, int64_t want_w)
{
	int64_t got_w = 0;
	f->pick.n = 0;
	for (uint32_t m = 0; m < f->conf.n_miners; m++)
		pick_add(&f->pick, m, f->pick.up ? MOVE_WAKE : MOVE_SLEEP, f->tracks[m].awake_w);
	spread_turns(&f->pick, i);
	uint32_t n = i % 4 < 2 ? pick_first(&f->pick, want_w) : pick_amount(&f->pick, want_w, i % 8 < 4);
	for (uint32_t place = 0; place < n; place++)
		got_w += f->tracks[f->list[place].miner].awake_w;
	return got_w;
}

/* Miners of all sizes: circuits say which, never how much. */
static void the_watts_are_what_they_were(void **unused)
{
	static struct fleet f;
	struct chance c = { 8 };
	int64_t sum_w = 0, sum_without_w = 0;
	for (int i = 0; i < FLEETS; i++) {
		make_fleet(&c, &f, 1 + upto(&c, 30), 0, i % 2);
		int64_t all_w = 0, most_w = 0;
		for (uint32_t m = 0; m < f.conf.n_miners; m++) {
			int32_t w = 1000 + (int32_t)upto(&c, 4) * 700;
			f.tracks[m].awake_w = w;
			f.tracks[m].drawn_w = f.pick.up ? 0 : w;
			f.tracks[m].sleeps = (uint32_t)upto(&c, 3);
			all_w += w;
			most_w = w > most_w ? w : most_w;
		}
		int64_t want_w = (int64_t)upto(&c, (uint64_t)all_w), with_w = pick_w(&f, i, want_w);
		f.conf.circuit = NULL;
		int64_t without_w = pick_w(&f, i, want_w);
		if (i % 4 < 2)
			assert_true(with_w >= want_w && with_w < want_w + most_w);
		else if (i % 8 >= 4)
			assert_true(with_w <= want_w);
		if (i % 4 >= 2) {
			sum_w += llabs(with_w - want_w);
			sum_without_w += llabs(without_w - want_w);
		}
	}
	assert_true(sum_w < sum_without_w * 11 / 10);
	(void)unused;
}

/* Any conf gives a decision: an index too large, more circuits than are told apart, none that takes orders. */
static void every_conf_is_borne(void **unused)
{
	static struct fleet f;
	struct chance c = { 9 };
	make_fleet(&c, &f, 50, 10, false);
	f.conf.n_circuits = 3;
	gather(&f, 1);
	assert_int_equal(pick_first(&f.pick, 30000), 10);
	make_fleet(&c, &f, 1, 500, false);
	for (uint32_t m = 0; m < 500; m++)
		f.circuit[m] = (uint16_t)(m * 131);
	f.conf.n_circuits = 65535;
	f.pick.n = 0;
	for (uint32_t m = 0; m < 500; m++)
		pick_add(&f.pick, m, MOVE_SLEEP, f.tracks[m].awake_w);
	f.tracks[7].steerable = false;
	spread_turns(&f.pick, INT64_MAX);
	assert_int_equal(pick_first(&f.pick, 30000), 10);
	f.conf.n_circuits = 0;
	spread_turns(&f.pick, 0);
	f.conf.circuit = NULL;                  /* a reload took them out of the file: what they told is no more */
	f.pick.n = 0;
	for (uint32_t m = 0; m < 500; m++)
		pick_add(&f.pick, m, MOVE_SLEEP, f.tracks[m].awake_w);
	spread_turns(&f.pick, 0);
	assert_int_equal(pick_first(&f.pick, 3000), 1);
	assert_int_equal(f.list[0].miner, 0);
	(void)unused;
}

/* ---- the whole law ---- */

static const uint16_t *in_a_row(uint32_t each)
{
	static uint16_t circuit[RIG_MINERS];
	for (uint32_t m = 0; m < RIG_MINERS; m++)
		circuit[m] = (uint16_t)(m / each);
	return circuit;
}

static void count_awake(const struct rig *rig, uint32_t awake[RIG_MINERS])
{
	memset(awake, 0, RIG_MINERS * sizeof(*awake));
	for (uint32_t m = 0; m < RIG_MINERS; m++)
		awake[rig->conf.circuit[m]] += rig->miners[m].hash;
}

static void assert_even(const struct rig *rig)
{
	uint32_t awake[RIG_MINERS], least = RIG_MINERS, most = 0;
	count_awake(rig, awake);
	for (size_t k = 0; k < rig->conf.n_circuits; k++) {
		least = awake[k] < least ? awake[k] : least;
		most = awake[k] > most ? awake[k] : most;
	}
	assert_true(most - least <= 1);
}

static void a_site_stays_even(void **unused)
{
	struct rig rig;
	begin(&rig, RIG_MINERS);
	rig.conf.circuit = in_a_row(8);
	rig.conf.n_circuits = RIG_MINERS / 8;
	for (int i = 0; i < 12; i++) {
		rig.conf.target_w = (i % 3 == 0 ? 930 : i % 3 == 1 ? 870 : 950) * KW;
		rig_run(&rig, 90000);
		assert_even(&rig);
	}
	rig.demand.limit_w = rig.demand.limit_soon_w = 900 * KW;
	rig_run(&rig, 60000);
	assert_even(&rig);
	assert_true(rig.sleeps > 60 && rig.wakes > 30);
	(void)unused;
}

/* The same site and troubles with circuits and without: the same watts in each decision. */
static void circuits_change_no_decision(void **unused)
{
	struct rig with, without;
	begin(&without, 30);
	with = without;
	with.conf.meter_groups = with.meter_groups;
	with.conf.meter_group = with.meter_group;
	with.conf.miner_groups = with.miner_groups;
	with.conf.miner_group = with.miner_group;
	with.conf.circuit = in_a_row(5);
	with.conf.n_circuits = (RIG_MINERS + 4) / 5;
	for (int i = 0; i < 4000; i++) {
		with.gpus_w = without.gpus_w += i % 1000 == 100 ? -60 * KW : i % 1000 == 600 ? 60 * KW : 0;
		rig_step(&with);
		rig_step(&without);
		assert_int_equal(moved_w(&with), moved_w(&without));
		assert_int_equal(with.out.reason, without.out.reason);
	}
	assert_true(with.sleeps > 20 && with.wakes > 20);
	(void)unused;
}

/* ---- a site, and another file ---- */

static void assert_asleep(const struct scenario *s, size_t n_circuits, size_t size, uint32_t least, uint32_t most)
{
	const struct plant *plant = &sim_world_truth(s->world)->plant;
	for (size_t k = 0; k < n_circuits; k++) {
		uint32_t asleep = 0;
		for (size_t m = 0; m < size; m++)
			asleep += plant_miner_w(plant, k * size + m, s->clock.at.mono_ms) < 1000;
		assert_in_range(asleep, least, most);
	}
}

static void a_reload_tells_of_other_circuits(void **unused)
{
	enum { MINERS = 60 };
	struct scenario s;
	uint16_t by_10[MINERS], by_20[MINERS];
	for (size_t m = 0; m < MINERS; m++) {
		by_10[m] = (uint16_t)(m / 10);
		by_20[m] = (uint16_t)(m / 20);
	}
	scenario_open(&s, &(struct scenario_conf){
		.world = { .truth = { .seed = 1, .load = { .pattern = LOAD_CONSTANT, .peak_w = 100 * KW }, .n_pdus = 2,
		                      .house_w = 3000 } },
		.n_miners = MINERS, .cap_w = 600 * KW, .pdu_nameplate_w = 60 * KW });
	struct site_conf with = s.site_conf, other = s.site_conf;
	with.policy.circuit = by_10;
	with.policy.n_circuits = 6;
	other.policy.circuit = by_20;
	other.policy.n_circuits = 3;
	scenario_run(&s, 60000);
	scenario_reload(&s, &with);
	scenario_run(&s, 10000);
	scenario_order(&s, "shed", "o-1", MINERS / 2 * 3500, 0, 3600000);
	scenario_run(&s, 30000);
	assert_asleep(&s, 6, 10, 4, 6);
	scenario_reload(&s, &s.site_conf);
	scenario_run(&s, 10000);
	scenario_reload(&s, &other);
	scenario_order(&s, "shed", "o-2", MINERS / 4 * 3500, 0, 3600000);
	scenario_run(&s, 40000);
	assert_asleep(&s, 3, 20, 14, 16);
	scenario_close(&s);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_of_equal_circuits_gives_the_same),
		cmocka_unit_test(each_gives_as_much_as_it_is_large),
		cmocka_unit_test(what_has_gone_least_goes_next),
		cmocka_unit_test(a_few_stand_far_apart),
		cmocka_unit_test(what_goes_first_is_spread_for_itself),
		cmocka_unit_test(only_what_can_move_counts),
		cmocka_unit_test(what_is_lower_may_still_go),
		cmocka_unit_test(clearly_less_worn_goes_first_wherever_it_stands),
		cmocka_unit_test(on_a_circuit_the_least_worn_goes_first),
		cmocka_unit_test(the_watts_are_what_they_were),
		cmocka_unit_test(every_conf_is_borne),
		cmocka_unit_test(a_site_stays_even),
		cmocka_unit_test(circuits_change_no_decision),
		cmocka_unit_test(a_reload_tells_of_other_circuits),
	};
	return cmocka_run_group_tests_name("policy_spread", tests, NULL, NULL);
}
