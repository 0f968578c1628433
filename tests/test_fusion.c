/* Meters and miners that do not agree: who is noticed, who is not, and that a wrong figure never does worse than cost hash. */
#include "tests/policy_says.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/foretell.h"
#include "policy/internal.h"
#include "sim/dice.h"
#include "tests/scenario.h"

#define KW  1000LL
#define SEC 1000LL
#define ALL RIG_MINERS
#define CAP_W 2000000LL

/* ---- the law alone, and meters that lie ---- */

struct lies {                           /* zero: all tell the truth, but for … */
	int64_t site_permille, pdu_permille;    /* 0: 1000 */
	int64_t own_permille[2];        /* … what miners of each group say, 0: 1000 */
	int64_t pdu_error_permille[2];  /* … each PDU's own error */
	bool swapped;                   /* the site's meter shows what GPUs draw, … */
	bool exchanged;                 /* … and the first PDU what all the others do not */
	bool frozen_pdus;
	int64_t leap_w;                 /* of the site's next value; 0: none */
	bool leaps;
};

struct bench { struct rig rig; struct lies lies; int64_t pdus_w[2]; uint64_t n; };

static int64_t scaled(int64_t w, int64_t permille) { return permille ? w * permille / 1000 : w; }

/* What flickers: a meter that shows the very same again and again is a frozen one. */
static int64_t flicker_w(struct bench *b, uint64_t what)
{
	return (int64_t)(dice(7, what, b->n) % 200);
}

static void spoil(struct bench *b)
{
	struct rig *rig = &b->rig;
	const struct lies *lies = &b->lies;
	for (int p = 0; p < 2; p++) {
		int64_t w = scaled(rig->meters[RIG_PDU_1 + p].import_w, 1000 + lies->pdu_error_permille[p]);
		if (lies->exchanged && !p)
			w += rig->meters[RIG_MAIN].import_w - rig->gpus_w;
		if (!lies->frozen_pdus)
			b->pdus_w[p] = scaled(w, lies->pdu_permille) + flicker_w(b, 1 + (uint64_t)p);
		rig->meters[RIG_PDU_1 + p].import_w = b->pdus_w[p];
	}
	int64_t *site_w = &rig->meters[RIG_MAIN].import_w;
	*site_w = scaled(lies->swapped || lies->exchanged ? rig->gpus_w : *site_w, lies->site_permille) + flicker_w(b, 9);
	if (lies->leaps)
		*site_w = lies->leap_w;
	for (uint32_t i = 0; i < ALL; i++)
		rig->seen[i].reading.power_w = (int32_t)scaled(rig->seen[i].reading.power_w, lies->own_permille[rig->miner_group[i]]);
}

static void step(struct bench *b)
{
	b->n++;
	b->rig.now_ms += RIG_STEP_MS;
	rig_read(&b->rig);
	spoil(b);
	rig_decide(&b->rig);
}

static void run(struct bench *b, int64_t ms)
{
	for (int64_t end_ms = b->rig.now_ms + ms; b->rig.now_ms < end_ms; )
		step(b);
}

static void open_bench(struct bench *b, int64_t gpus_w)
{
	*b = (struct bench){ .n = 0 };
	rig_init(&b->rig, gpus_w, ALL);
	b->rig.house_w = 10 * KW;
	run(b, 90 * SEC);
}

static const struct fusion *fusion(const struct bench *b) { return &b->rig.state.fusion; }
static enum lie on_site(const struct bench *b) { return (enum lie)fusion(b)->on_site.lie; }
static enum lie on_hpc(const struct bench *b) { return (enum lie)fusion(b)->on_hpc.lie; }

static void assert_no_lie(const struct bench *b)
{
	assert_string_equal(lie_name(on_site(b)), "none");
	assert_string_equal(lie_name(on_hpc(b)), "none");
}

static int64_t true_w(const struct bench *b)
{
	return b->rig.gpus_w + b->rig.house_w + rig_miners_w(&b->rig);
}

/* Runs until there is a verdict; how long that took, in s. */
static int64_t until(struct bench *b, enum lie site, enum lie hpc, int64_t most_s)
{
	int64_t begin_ms = b->rig.now_ms;
	while ((on_site(b) != site || on_hpc(b) != hpc) && b->rig.now_ms - begin_ms < most_s * SEC)
		step(b);
	if (on_site(b) != site || on_hpc(b) != hpc)
		fail_msg("site %s, GPUs %s after %lld s", lie_name(on_site(b)), lie_name(on_hpc(b)), (long long)most_s);
	return (b->rig.now_ms - begin_ms) / SEC;
}

/* ---- what miners say of themselves ---- */

static void limit(struct bench *b, int64_t limit_w)
{
	b->rig.demand.limit_w = b->rig.demand.limit_soon_w = limit_w;
}

static void a_bias_is_learned_from_moves(void **unused)
{
	static const struct { int64_t says; int32_t low, high; } rows[] = { { 1150, 850, 900 }, { 850, 1130, 1200 }, { 1000, 980, 1020 } };
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct bench b;
		open_bench(&b, 700 * KW);
		b.rig.miner_groups[1].priority = 90;
		b.lies.own_permille[0] = rows[r].says;
		assert_int_equal(policy_bias(&b.rig.state, 0).seen, 0);
		for (int i = 0; i < 8; i++) {
			limit(&b, i % 2 ? POLICY_NONE : 850 * KW);
			run(&b, 120 * SEC);
		}
		struct policy_bias bias = policy_bias(&b.rig.state, 0), other = policy_bias(&b.rig.state, 1);
		assert_true(bias.known && bias.seen >= 5);
		assert_in_range(bias.permille, rows[r].low, rows[r].high);
		assert_true(!other.known && other.permille == 1000);
		assert_no_lie(&b);
		policy_forget(&b.rig.state, 0);
		assert_int_equal(policy_bias(&b.rig.state, 0).seen, 0);
	}
	assert_false(policy_bias(&(struct policy_state){ 0 }, 1000).known);
	(void)unused;
}

/* Without the site's meter: a fifth of what miners moved since is unsure, or less where it is known how far off they are. */
static void a_known_bias_narrows_the_doubt(void **unused)
{
	static const struct { struct fusion_ratio ratio; int64_t permille; } rows[] = {
		{ { 1.0F, 0, 0 }, 200 }, { { 1.0F, 0.0004F, 4 }, 200 }, { { 1.0F, 0.04F, 9 }, 200 }, { { 1.25F, 0.0001F, 9 }, 200 },
		{ { 1.0F, 0.0004F, 5 }, 60 }, { { 0.95F, 0.0004F, 9 }, 110 },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct rig rig;
		rig_init(&rig, 600 * KW, 20);
		rig.house_w = 30 * KW;
		rig.conf.target_w = 690 * KW;
		rig_run(&rig, 75000);
		rig.state.fusion.bias[0] = rig.state.fusion.bias[1] = rows[r].ratio;
		rig.mute[RIG_MAIN] = true;
		rig_run(&rig, 2250 + 20000);
		int64_t moved_w = rig.sleeps * RIG_MINER_W;
		assert_true(moved_w > 0);
		assert_in_range(rig.out.picture.load_w, 636 * KW + moved_w * rows[r].permille / 1000 - 2,
		                636 * KW + moved_w * rows[r].permille / 1000 + 2);
		assert_int_equal(rig.wakes, 0);
	}
	(void)unused;
}

/* ---- leaps ---- */

static void leap(struct bench *b, int64_t leap_w, int readings)
{
	b->lies.leap_w = leap_w;
	b->lies.leaps = true;
	run(b, readings * RIG_STEP_MS);
	b->lies.leaps = false;
	step(b);
}

static void a_leap_is_not_taken_at_once(void **unused)
{
	static const int64_t leaps_w[] = { 9500 * KW, 1900 * KW, 0, 90 * KW, -800 * KW, 9000000 * KW };
	for (size_t i = 0; i < sizeof(leaps_w) / sizeof(*leaps_w); i++)
		for (int readings = 1; readings <= 2; readings++) {
			struct bench b;
			open_bench(&b, 750 * KW);
			leap(&b, leaps_w[i], readings);
			run(&b, 60 * SEC);
			assert_int_equal(b.rig.sleeps + b.rig.wakes, 0);
			assert_no_lie(&b);
		}
	(void)unused;
}

/* What comes again is believed: at the third reading it is shed for. */
static void a_leap_that_stays_is_shed_for(void **unused)
{
	struct bench b;
	open_bench(&b, 750 * KW);
	b.lies.leaps = true;
	b.lies.leap_w = 1900 * KW;
	run(&b, 2 * RIG_STEP_MS);
	assert_int_equal(b.rig.sleeps, 0);
	step(&b);
	assert_int_equal(b.rig.sleeps, ALL);
	open_bench(&b, 750 * KW);               /* what GPUs can draw is no leap, however fast */
	b.rig.gpus_w = 990 * KW;
	step(&b);
	assert_in_range(b.rig.sleeps, 62, ALL);
	(void)unused;
}

static void a_meter_that_leaps_is_told_of(void **unused)
{
	struct bench b;
	open_bench(&b, 750 * KW);
	for (int i = 0; i < 3; i++) {
		assert_no_lie(&b);
		leap(&b, i % 2 ? 9500 * KW : 0, 1);
		run(&b, 20 * SEC);
	}
	assert_int_equal(on_site(&b), LIE_JUMPING);
	assert_false(b.rig.out.picture.site_known);
	assert_int_equal(b.rig.sleeps, 0);
	b.rig.gpus_w -= 100 * KW;               /* room, and nobody to wake; then a rise, to be shed for all the same */
	run(&b, 30 * SEC);
	b.rig.gpus_w += 200 * KW;
	run(&b, 30 * SEC);
	assert_true(b.rig.sleeps > 20 && !b.rig.wakes);
	assert_true(true_w(&b) <= RIG_CAP_W);
	b.rig.gpus_w -= 200 * KW;
	run(&b, 200 * SEC);
	assert_int_equal(b.rig.wakes, 0);
	run(&b, 200 * SEC);
	assert_no_lie(&b);
	assert_true(b.rig.wakes > 20);
	(void)unused;
}

/* ---- the site's meter shows too little ---- */

static void a_site_meter_that_shows_too_little(void **unused)
{
	static const struct { int64_t permille; bool swapped; enum lie lie; } rows[] = {
		{ 500, false, LIE_SCALED }, { 667, false, LIE_SCALED }, { 100, false, LIE_SCALED }, { 1, false, LIE_SCALED },
		{ 1000, true, LIE_SWAPPED }, { -1000, false, LIE_SCALED },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct bench b;
		open_bench(&b, 850 * KW);
		run(&b, 90 * SEC);
		uint32_t wakes = b.rig.wakes;
		b.lies.site_permille = rows[r].permille;
		b.lies.swapped = rows[r].swapped;
		assert_in_range(until(&b, rows[r].lie, LIE_NONE, 60), 15, 30);
		run(&b, 400 * SEC);
		assert_int_equal(on_site(&b), rows[r].lie);
		assert_int_equal(b.rig.wakes, wakes);
		assert_true(true_w(&b) <= RIG_CAP_W);
		assert_true(rig_miners_w(&b.rig) > 60 * KW);    /* the GPUs' meters and the miners still tell how things stand */
		b.rig.gpus_w += 60 * KW;
		run(&b, 20 * SEC);
		assert_true(true_w(&b) <= RIG_CAP_W);
		b.rig.gpus_w -= 100 * KW;
		b.lies = (struct lies){ 0 };
		assert_in_range(until(&b, LIE_NONE, LIE_NONE, 120), 60, 90);
		run(&b, 120 * SEC);
		assert_true(b.rig.wakes > wakes);
		assert_true(true_w(&b) <= RIG_CAP_W);
	}
	(void)unused;
}

/* Less than miners' own figures may be off by; but it fell at once, and nothing else did. The house may fall silent. */
static void a_site_meter_that_falls_short(void **unused)
{
	struct bench b;
	open_bench(&b, 500 * KW);
	run(&b, 60 * SEC);
	b.rig.house_w = 0;
	run(&b, 60 * SEC);
	assert_no_lie(&b);
	b.rig.house_w = 10 * KW;
	run(&b, 60 * SEC);
	b.lies.site_permille = 880;
	assert_in_range(until(&b, LIE_SCALED, LIE_NONE, 60), 15, 35);
	run(&b, 400 * SEC);
	assert_int_equal(on_site(&b), LIE_SCALED);
	b.lies.site_permille = 0;
	until(&b, LIE_NONE, LIE_NONE, 120);
	(void)unused;
}

/* The meter that stands in for the site's is off by a seventh, and was before: it has not fallen. */
static void a_backup_that_shows_less_has_not_fallen(void **unused)
{
	struct bench b;
	open_bench(&b, 500 * KW);
	run(&b, 60 * SEC);
	b.rig.meter_groups[RIG_BACKUP] = (struct policy_meter_group){ MEASURES_SITE, RIG_SITE, 0, 3000 };
	b.rig.conf.n_meters = 4;
	b.rig.conf.n_meter_groups = 3;
	for (int s = 0; s < 240; s++) {
		for (int i = 0; i < 4; i++) {
			b.n++;
			b.rig.now_ms += RIG_STEP_MS;
			rig_read(&b.rig);
			spoil(&b);
			b.rig.meters[RIG_SPARE] = b.rig.meters[RIG_MAIN];
			b.rig.meters[RIG_SPARE].import_w = b.rig.meters[RIG_MAIN].import_w * 88 / 100;
			if (s >= 60)
				b.rig.meters[RIG_MAIN].fault = FAULT_SILENT;
			rig_decide(&b.rig);
		}
		assert_no_lie(&b);
	}
	(void)unused;
}

/* The site's meter is exchanged with the GPUs' while all miners sleep, when that hardly shows: it does not move with those
 * that wake one after the other, and the GPUs' do, whose load rises meanwhile. */
static void meters_exchanged_while_miners_sleep(void **unused)
{
	for (int64_t per_s = 0; per_s <= 4 * KW; per_s += KW / 2) {
		struct bench b;
		open_bench(&b, 600 * KW);
		b.rig.conf.ramp_up_w_per_min = 80 * KW;
		b.rig.demand.shed = true;
		b.rig.demand.miners_w = b.rig.demand.miners_soon_w = 0;
		run(&b, 60 * SEC);
		b.lies.exchanged = true;
		run(&b, 60 * SEC);
		b.rig.demand.miners_w = b.rig.demand.miners_soon_w = POLICY_NONE;
		for (int s = 0; s < 600; s++) {
			b.rig.gpus_w = 600 * KW + (s % 60) * per_s;
			run(&b, SEC);
			assert_true(true_w(&b) <= RIG_CAP_W);
			assert_string_equal(lie_name(on_hpc(&b)), "none");
		}
		assert_int_not_equal(on_site(&b), LIE_NONE);
	}
	(void)unused;
}

/* What the load seemed to be while the meter lied, and that it is found again where it was, is nothing that it did. */
static void a_lie_teaches_no_reserve(void **unused)
{
	struct bench b;
	open_bench(&b, 850 * KW);
	b.rig.conf.reserve_w = POLICY_NONE;
	for (int g = 0; g < 2; g++)
		b.rig.miner_groups[g].partial_w = RIG_MINER_W / 2;
	for (int s = 0; s < 700; s++) {
		b.rig.gpus_w = (850 + s % 3) * KW;
		run(&b, SEC);
	}
	int64_t before_w = b.rig.state.holds[0].reserve_w;
	b.lies.site_permille = 500;
	until(&b, LIE_SCALED, LIE_NONE, 60);
	run(&b, 60 * SEC);
	b.lies.site_permille = 0;
	until(&b, LIE_NONE, LIE_NONE, 120);
	run(&b, 60 * SEC);
	assert_true(foretell_knows(&b.rig.state.foretell));
	assert_true(b.rig.state.holds[0].reserve_w <= before_w + KW);
	assert_true(foretell_missed_w(&b.rig.state.foretell, false) <= before_w + 5 * KW);
	(void)unused;
}

/* It comes back within the hour: each time it takes twice as long to be believed again. */
static void a_relapse_asks_for_a_longer_calm(void **unused)
{
	struct bench b;
	int64_t before_s = 30;
	open_bench(&b, 850 * KW);
	for (int i = 0; i < 3; i++) {
		b.lies.site_permille = 500;
		until(&b, LIE_SCALED, LIE_NONE, 60);
		b.lies.site_permille = 0;
		int64_t took_s = until(&b, LIE_NONE, LIE_NONE, 600);
		assert_true(took_s > before_s * 3 / 2);
		before_s = took_s;
	}
	(void)unused;
}

/* Half of the miners lose their feeder: the site draws less than they last said, and nobody's meter is to blame. */
static void a_dead_feeder_is_no_lie(void **unused)
{
	struct bench b;
	open_bench(&b, 700 * KW);
	for (uint32_t i = 0; i < ALL; i++) {
		b.rig.miners[i].from_w = b.rig.miners[i].to_w = 0;
		b.rig.miners[i].mute = true;
	}
	for (int i = 0; i < 300; i++) {
		run(&b, SEC);
		assert_no_lie(&b);
	}
	(void)unused;
}

/* The sun behind the site's meter, where a meter of its own tells of it. */
static void what_is_fed_in_is_no_lie(void **unused)
{
	struct bench b;
	open_bench(&b, 850 * KW);
	b.rig.meter_groups[RIG_BACKUP] = (struct policy_meter_group){ MEASURES_OTHER, -1, 1, 3000 };
	b.rig.conf.n_meters = 4;
	b.rig.conf.n_meter_groups = 3;
	for (int s = 0; s < 200; s++) {
		b.rig.house_w = 10 * KW - 3 * KW * (s < 100 ? s : 100);
		b.n++;
		for (int i = 0; i < 4; i++) {
			b.rig.now_ms += RIG_STEP_MS;
			rig_read(&b.rig);
			spoil(&b);
			b.rig.meters[RIG_SPARE].import_w = b.rig.house_w - 10 * KW;
			rig_decide(&b.rig);
		}
		assert_no_lie(&b);
		assert_int_equal(fusion(&b)->low_ms, 0);
	}
	(void)unused;
}

/* ---- GPU meters ---- */

static void gpu_meters_that_show_too_much(void **unused)
{
	static const int64_t permille[] = { 2000, 10000, 1000000 };
	for (size_t r = 0; r < sizeof(permille) / sizeof(*permille); r++) {
		struct bench b;
		open_bench(&b, 700 * KW);
		b.lies.pdu_permille = permille[r];
		assert_in_range(until(&b, LIE_NONE, LIE_SCALED, 60), 15, 30);
		assert_true(b.rig.out.picture.site_known && !b.rig.out.picture.hpc_whole);
		run(&b, 60 * SEC);
		assert_int_equal(b.rig.sleeps, 0);      /* the site's meter carries the estimate */
		b.rig.gpus_w += 90 * KW;
		step(&b);
		assert_in_range(b.rig.sleeps, 3, 10);
		b.rig.mute[RIG_MAIN] = true;            /* and without it there is none */
		run(&b, 3 * SEC);
		assert_true(b.rig.out.picture.failsafe);
		b.rig.mute[RIG_MAIN] = false;
		b.lies.pdu_permille = 0;
		until(&b, LIE_NONE, LIE_NONE, 120);
	}
	(void)unused;
}

static void gpu_meters_that_stand_still(void **unused)
{
	struct bench b;
	open_bench(&b, 700 * KW);
	b.lies.frozen_pdus = true;
	run(&b, 60 * SEC);
	assert_no_lie(&b);                      /* nothing moves that they should show */
	b.rig.gpus_w += 60 * KW;
	assert_in_range(until(&b, LIE_NONE, LIE_FROZEN, 60), 0, 2);
	assert_in_range(fusion(&b)->on_hpc.others_w, 55 * KW, 65 * KW);
	assert_in_range(fusion(&b)->on_hpc.shows_w, 690 * KW, 710 * KW);
	assert_true(b.rig.out.picture.site_known && !b.rig.out.picture.hpc_whole);
	b.lies.frozen_pdus = false;
	assert_in_range(until(&b, LIE_NONE, LIE_NONE, 120), 60, 70);
	(void)unused;
}

/* Swings of the GPUs, in blocks; miners that are moved once in a while by an order. */
static void swing(struct bench *b, int turns)
{
	for (int i = 0; i < turns; i++) {
		b->rig.gpus_w = 700 * KW + (int64_t)(dice(5, 1, b->n) % 100) * KW;
		limit(b, i % 6 < 3 ? POLICY_NONE : 850 * KW);
		run(b, 30 * SEC);
	}
}

static void scales_are_seen_by_moves(void **unused)
{
	static const struct { int64_t site, pdu; enum lie on_site, on_hpc; int32_t low, high; } rows[] = {
		{ 0, 500, LIE_NONE, LIE_SCALED, 450, 550 }, { 0, 100, LIE_NONE, LIE_SCALED, 80, 120 },
		{ 2000, 0, LIE_SCALED, LIE_NONE, 1800, 2200 },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct bench b;
		open_bench(&b, 750 * KW);
		swing(&b, 20);
		assert_no_lie(&b);
		b.lies.site_permille = rows[r].site;
		b.lies.pdu_permille = rows[r].pdu;
		for (int i = 0; i < 60 && on_site(&b) == LIE_NONE && on_hpc(&b) == LIE_NONE; i++)
			swing(&b, 1);
		assert_int_equal(on_site(&b), rows[r].on_site);
		assert_int_equal(on_hpc(&b), rows[r].on_hpc);
		const struct fusion_verdict *verdict = rows[r].site ? &fusion(&b)->on_site : &fusion(&b)->on_hpc;
		assert_true(verdict->by_moves);
		swing(&b, 12);
		assert_in_range(verdict->permille, rows[r].low, rows[r].high);
		b.lies = (struct lies){ 0 };
		for (int i = 0; i < 80 && (on_site(&b) != LIE_NONE || on_hpc(&b) != LIE_NONE); i++)
			swing(&b, 1);
		assert_no_lie(&b);
	}
	(void)unused;
}

/* ---- by law ---- */

struct chance { uint64_t seed, n; };

static int64_t upto(struct chance *c, int64_t n)
{
	return (int64_t)(dice(c->seed, c->n++, 0) % (uint64_t)(n + 1));
}

static uint64_t seed_of(void)
{
	const char *told = getenv("MULLET_SEED");
	return told ? strtoull(told, NULL, 0) : 20261127;
}

/* Miners a fifth off, PDUs one per cent, house and GPUs that move as they like: with dips, jobs, orders. */
static void random_bench(struct chance *c, struct bench *b)
{
	*b = (struct bench){ .n = (uint64_t)upto(c, 1000000) };
	rig_init(&b->rig, 300 * KW + upto(c, 600) * KW, (uint32_t)upto(c, ALL));
	b->rig.house_w = upto(c, 60) * KW;
	b->rig.conf.reserve_w = upto(c, 1) ? POLICY_NONE : RIG_RESERVE_W;
	b->rig.conf.target_w = upto(c, 3) ? POLICY_NONE : 700 * KW + upto(c, 300) * KW;
	b->rig.miner_groups[1].priority = (int16_t)(40 + upto(c, 1) * 20);
	for (int i = 0; i < 2; i++) {
		b->lies.own_permille[i] = 800 + upto(c, 400);
		b->lies.pdu_error_permille[i] = upto(c, 20) - 10;
	}
}

struct life { int64_t level_w, house_w, dip_w, period_ms, dip_ms, heat_w, cooling_permille; };

static struct life new_life(struct chance *c, const struct bench *b)
{
	return (struct life){ .level_w = b->rig.gpus_w, .heat_w = b->rig.gpus_w, .house_w = b->rig.house_w,
	                      .cooling_permille = upto(c, 1) * upto(c, 250) };
}

static void live(struct chance *c, struct bench *b, struct life *life, bool rises)
{
	if (upto(c, 400) == 0) {
		int64_t level_w = 200 * KW + upto(c, 700) * KW;
		life->level_w = rises || level_w < life->level_w ? level_w : life->level_w;
		life->dip_w = (upto(c, 2) == 0) * upto(c, 30) * life->level_w / 100;
		life->period_ms = 2000 + upto(c, 40000);
		life->dip_ms = life->period_ms * upto(c, 60) / 100;
	}
	if (rises && upto(c, 2000) == 0)
		life->house_w = upto(c, 150) * KW;
	life->heat_w += (b->rig.gpus_w - life->heat_w) / 120;   /* cooling follows over half a minute */
	if (upto(c, 300) == 0)
		limit(b, upto(c, 1) ? POLICY_NONE : true_w(b) - upto(c, 70) * KW);
	bool dips = life->period_ms && b->rig.now_ms % life->period_ms < life->dip_ms;
	b->rig.gpus_w = life->level_w - (dips ? life->dip_w : 0) + upto(c, 4) * KW;
	b->rig.house_w = life->house_w + life->heat_w / 1000 * life->cooling_permille;
	uint32_t miner = (uint32_t)upto(c, ALL - 1);
	if (upto(c, 300) == 0)          /* one goes dark, or comes back */
		b->rig.miners[miner].mute ^= true;
}

/* Read one after the other, each second. */
static void sound_step(struct chance *c, struct bench *b, struct life *life, bool rises)
{
	struct meter_reading before[RIG_METERS];
	memcpy(before, b->rig.meters, sizeof(before));
	live(c, b, life, rises);
	b->n++;
	b->rig.now_ms += RIG_STEP_MS;
	rig_read(&b->rig);
	spoil(b);
	for (int p = RIG_PDU_1; p <= RIG_PDU_2; p++)
		if (before[p].fault == FAULT_NONE && (b->rig.now_ms / RIG_STEP_MS + p) % 4)
			b->rig.meters[p] = before[p];
	rig_decide(&b->rig);
}

static void sound_sites_are_not_accused(void **unused)
{
	struct chance c = { seed_of(), 0 };
	uint32_t moves = 0, seen = 0, known = 0;
	printf("seed %llu (MULLET_SEED)\n", (unsigned long long)c.seed);
	for (int site = 0; site < 40; site++) {
		struct bench b;
		random_bench(&c, &b);
		struct life life = new_life(&c, &b);
		for (int i = 0; i < 10000; i++) {
			sound_step(&c, &b, &life, true);
			assert_no_lie(&b);
		}
		moves += fusion(&b)->gpus.n;
		for (size_t g = 0; g < 2; g++) {
			struct policy_bias bias = policy_bias(&b.rig.state, g);
			seen += bias.seen;
			int64_t truth = 1000000 / b.lies.own_permille[g];
			if (!bias.known)
				continue;
			known++;
			assert_in_range(bias.permille, truth - 120, truth + 120);
		}
	}
	printf("%u moves of GPUs and %u of miners compared, %u biases known\n", moves, seen, known);
	assert_true(moves > 1000 && known + seen > 20);
	(void)unused;
}

/* The GPUs do not rise any more, and a meter begins to lie: the site is never farther over its cap than what the miners'
 * own error and the little that no other meter sees can hide, and a suspected site's meter wakes nobody. */
static void a_lie_never_puts_the_site_far_over(void **unused)
{
	struct chance c = { seed_of() + 1, 0 };
	uint32_t verdicts = 0;
	for (int site = 0; site < 200; site++) {
		struct bench b;
		random_bench(&c, &b);
		struct life life = new_life(&c, &b);
		for (int i = 0; i < 800; i++)
			sound_step(&c, &b, &life, true);
		life.house_w = life.house_w > 60 * KW ? 60 * KW : life.house_w;
		life.cooling_permille = 0;
		switch (upto(&c, 5)) {
		case 0: b.lies.site_permille = 300 + upto(&c, 650); break;
		case 1: b.lies.site_permille = 1100 + upto(&c, 9000); break;
		case 2: b.lies.pdu_permille = 100 + upto(&c, 3000); break;
		case 3: b.lies.swapped = true; break;
		case 4: b.lies.frozen_pdus = true; break;
		case 5: b.lies.exchanged = true; break;
		}
		limit(&b, POLICY_NONE);
		for (int i = 0; i < 2000; i++) {
			sound_step(&c, &b, &life, false);
			limit(&b, POLICY_NONE);
			bool settled = i > 80;
			if (settled && true_w(&b) > RIG_CAP_W * 115 / 100)
				fail_msg("site %d: %lld W at step %d", site, (long long)true_w(&b), i);
			if (on_site(&b) != LIE_NONE)
				assert_true(!b.rig.out.n_commands || !b.rig.out.commands[0].hash);
		}
		verdicts += on_site(&b) != LIE_NONE || on_hpc(&b) != LIE_NONE;
	}
	printf("%u of 200 lies noticed\n", verdicts);
	assert_true(verdicts > 60);
	(void)unused;
}

/* ---- the whole site ---- */

static void open_site(struct scenario *s, enum load_pattern pattern)
{
	struct scenario_conf conf = {
		.world = { .truth = { .seed = 7, .load = { .pattern = pattern, .peak_w = 900 * KW }, .n_pdus = 20, .house_w = 30000 },
		           .meter_error_permille = 2 },
		.n_miners = 300, .cap_w = CAP_W, .pdu_nameplate_w = 70 * KW, .cycles_per_day = 12,
	};
	scenario_open(s, &conf);
	scenario_run(s, 180 * SEC);
}

static bool said(const struct scenario *s, const char *alarm, bool raised)
{
	char line[80];
	snprintf(line, sizeof(line), " %s %s", alarm, raised ? "true" : "false");
	return s->alarms_seen.text && strstr(s->alarms_seen.text, line);
}

static bool why_has(struct scenario *s, const char *text)
{
	struct json json = { 0 };
	json_open(&json, NULL);
	alarms_json(s->alarms, &json, "alarms");
	bool has = strstr(json.text, text) != NULL;
	if (!has)
		print_message("%s\n", json.text);
	json_free(&json);
	return has;
}

static void the_site_meter_is_told_of(void **unused)
{
	static const struct { enum sim_meter_fault fault; int32_t permille; const char *says; } rows[] = {
		{ SIM_METER_SCALED, 667, "where GPUs and miners tell of" }, { SIM_METER_SWAPPED, 0, "what GPUs draw, where with the miners" },
		{ SIM_METER_JUMPING, 0, "and back, 3 times and more in 5 minutes: nothing is woken" },
		{ SIM_METER_FROZEN, 0, " s while the rest moved by " },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct scenario s;
		open_site(&s, LOAD_TRAINING);
		uint32_t wakes = s.n_wakes;
		assert_false(said(&s, "meter/main", true));
		if (rows[r].permille)
			sim_world_scale_meter(s.world, SIM_SITE_METER, rows[r].permille);
		else
			sim_world_set_meter_fault(s.world, SIM_SITE_METER, rows[r].fault);
		scenario_run(&s, 60 * SEC);
		assert_true(said(&s, "meter/main", true));
		assert_true(why_has(&s, rows[r].says));
		assert_string_equal(s.last_state, "degraded");
		assert_int_equal(s.n_wakes, wakes);
		sim_world_add_job(s.world, 0, 300 * KW, 2 * SEC);
		scenario_run(&s, 60 * SEC);
		assert_true(sim_world_site_w(s.world) <= CAP_W);
		assert_int_equal(s.n_wakes, wakes);
		sim_world_add_job(s.world, 0, -300 * KW, 2 * SEC);
		sim_world_set_meter_fault(s.world, SIM_SITE_METER, SIM_METER_SOUND);
		scenario_run(&s, 600 * SEC);
		assert_true(said(&s, "meter/main", false));
		assert_false(alarms_raised(s.alarms, "meter/main"));
		assert_true(s.n_wakes > wakes);
		assert_string_equal(s.last_state, "running");
		assert_false(said(&s, "meter/pdu", true));
		scenario_close(&s);
	}
	(void)unused;
}

static void gpu_meters_are_told_of(void **unused)
{
	struct scenario s;
	open_site(&s, LOAD_TRAINING);
	for (size_t i = 0; i < 20; i++)
		sim_world_set_meter_fault(s.world, SIM_FIRST_PDU + i, SIM_METER_FROZEN);
	scenario_run(&s, 120 * SEC);
	assert_true(said(&s, "meter/pdu", true));
	assert_true(why_has(&s, " s while the site moved by "));
	assert_string_equal(s.last_state, "degraded");
	for (size_t i = 0; i < 20; i++)
		sim_world_scale_meter(s.world, SIM_FIRST_PDU + i, 3000);
	scenario_run(&s, 200 * SEC);
	assert_true(why_has(&s, "where the site and the miners tell of"));
	uint32_t sleeps = s.n_sleeps;
	scenario_run(&s, 100 * SEC);
	assert_true(s.n_sleeps - sleeps < 20);
	for (size_t i = 0; i < 20; i++)
		sim_world_set_meter_fault(s.world, SIM_FIRST_PDU + i, SIM_METER_SOUND);
	scenario_run(&s, 300 * SEC);
	assert_false(alarms_raised(s.alarms, "meter/pdu"));
	assert_false(said(&s, "meter/main", true));
	scenario_close(&s);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bias_is_learned_from_moves),
		cmocka_unit_test(a_known_bias_narrows_the_doubt),
		cmocka_unit_test(a_leap_is_not_taken_at_once),
		cmocka_unit_test(a_leap_that_stays_is_shed_for),
		cmocka_unit_test(a_meter_that_leaps_is_told_of),
		cmocka_unit_test(a_site_meter_that_shows_too_little),
		cmocka_unit_test(a_site_meter_that_falls_short),
		cmocka_unit_test(a_backup_that_shows_less_has_not_fallen),
		cmocka_unit_test(meters_exchanged_while_miners_sleep),
		cmocka_unit_test(a_lie_teaches_no_reserve),
		cmocka_unit_test(a_relapse_asks_for_a_longer_calm),
		cmocka_unit_test(a_dead_feeder_is_no_lie),
		cmocka_unit_test(what_is_fed_in_is_no_lie),
		cmocka_unit_test(gpu_meters_that_show_too_much),
		cmocka_unit_test(gpu_meters_that_stand_still),
		cmocka_unit_test(scales_are_seen_by_moves),
		cmocka_unit_test(sound_sites_are_not_accused),
		cmocka_unit_test(a_lie_never_puts_the_site_far_over),
		cmocka_unit_test(the_site_meter_is_told_of),
		cmocka_unit_test(gpu_meters_are_told_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
