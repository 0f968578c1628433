/* A site's meter that shows too little: it is noticed, wakes nobody, and teaches nothing; what is no lie is not taken for one. */
#include "tests/fusion_bench.h"

#include "policy/foretell.h"

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

/* Part of the GPUs has no meter, so the site moves farther than those say that have one: a fall of the site's meter alone is
 * not one move more of that kind. Where so many have none that the others are accused, the fall is noticed all the same. */
static void a_fall_is_no_move_of_gpus_without_a_meter(void **unused)
{
	static const struct { int64_t unmetered, site; enum lie before; } rows[] = {    /* site 0: it shows what the GPUs draw */
		{ 200, 0, LIE_NONE },
		{ 50, 750, LIE_NONE }, { 100, 500, LIE_NONE }, { 150, 667, LIE_NONE }, { 200, 500, LIE_NONE },
		{ 250, 500, LIE_NONE }, { 250, 667, LIE_NONE }, { 300, 500, LIE_SCALED }, { 300, 667, LIE_SCALED },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct bench b = { .lies.unmetered_permille = rows[r].unmetered };
		rig_init(&b.rig, 600 * KW, ALL);
		for (int i = 0; i < 24; i++) {
			b.rig.gpus_w = 700 * KW + (int64_t)(dice(5, 1, b.n) % 100) * KW;
			run(&b, 40 * SEC);
		}
		assert_int_equal(on_site(&b), LIE_NONE);
		assert_int_equal(on_hpc(&b), rows[r].before);
		b.lies.site_permille = rows[r].site;
		b.lies.swapped = !rows[r].site;
		for (int i = 0; i < 1600; i++) {
			if (i % 80 == 79)
				b.rig.gpus_w = 700 * KW + (int64_t)(dice(5, 1, b.n) % 100) * KW;
			step(&b);
			assert_true(rows[r].before != LIE_NONE || on_hpc(&b) == LIE_NONE);
			assert_true(i < 160 || rows[r].site != 500 || on_site(&b) != LIE_NONE);
			assert_true(true_w(&b) <= RIG_CAP_W);
		}
		assert_true(on_site(&b) != LIE_NONE || fusion(&b)->gap.since_ms);
	}
	(void)unused;
}

/* Meters that show a part of what GPUs move still tell what these draw when the site's is lost: as much more. */
static void gpu_meters_that_show_a_part_do_without_the_site(void **unused)
{
	for (int64_t unmetered = 300; unmetered <= 500; unmetered += 100) {
		struct bench b = { .lies.unmetered_permille = unmetered };
		rig_init(&b.rig, 600 * KW, ALL);
		for (int i = 0; i < 24; i++) {
			b.rig.gpus_w = 650 * KW + (int64_t)(dice(5, 1, b.n) % 100) * KW;
			run(&b, 40 * SEC);
		}
		assert_int_equal(on_hpc(&b), LIE_SCALED);
		b.rig.gpus_w = 650 * KW;
		run(&b, 60 * SEC);
		int64_t before_w = rig_miners_w(&b.rig);
		b.rig.mute[RIG_MAIN] = true;
		run(&b, 60 * SEC);
		assert_false(b.rig.out.picture.failsafe || b.rig.out.picture.site_known);
		assert_true(rig_miners_w(&b.rig) > before_w / 2);
		for (b.rig.gpus_w = 750 * KW; b.rig.gpus_w <= 950 * KW; b.rig.gpus_w += 50 * KW) {
			run(&b, 20 * SEC);
			assert_true(true_w(&b) <= RIG_CAP_W);
			assert_true(b.rig.gpus_w > 800 * KW || rig_miners_w(&b.rig) > 50 * KW);  /* and by no more */
		}
		b.rig.mute[RIG_MAIN] = false;
		b.rig.gpus_w = 750 * KW;
		run(&b, 200 * SEC);
		assert_in_range(true_w(&b), 900 * KW, RIG_CAP_W);
	}
	(void)unused;
}

/* But not before it is known what the rest draws beside that part. */
static void a_part_is_all_that_is_known_at_first(void **unused)
{
	struct bench b;
	open_bench(&b, 700 * KW);
	b.lies.pdu_permille = 600;
	int64_t level_w = 700 * KW;
	for (int i = 0; i < 2400 && on_hpc(&b) == LIE_NONE; i++) {
		if (i % 60 == 59)
			level_w = 650 * KW + (int64_t)(dice(5, 1, b.n) % 100) * KW;
		b.rig.gpus_w = level_w + i % 2 * 20 * KW;       /* never steady */
		step(&b);
	}
	assert_int_equal(on_hpc(&b), LIE_SCALED);
	b.rig.mute[RIG_MAIN] = true;
	for (int i = 0; i < 12; i++) {
		b.rig.gpus_w = level_w + i % 2 * 20 * KW;
		step(&b);
	}
	assert_true(b.rig.out.picture.failsafe);
	b.rig.mute[RIG_MAIN] = false;
	run(&b, 120 * SEC);
	b.rig.mute[RIG_MAIN] = true;
	run(&b, 6 * SEC);
	assert_false(b.rig.out.picture.failsafe || b.rig.out.picture.site_known);
	(void)unused;
}

/* What the sun takes off in half an hour is no fall, even if the meter stands still then: what stood before an earlier doubt does
 * not count any more. */
static void an_earlier_doubt_does_not_count(void **unused)
{
	struct bench b;
	open_bench(&b, 500 * KW);
	run(&b, 60 * SEC);
	b.lies.site_permille = 880;
	run(&b, 5 * SEC);
	assert_true(fusion(&b)->short_ms);
	b.lies.site_permille = 0;
	for (int64_t s = 0; s < 1800; s++) {
		b.rig.house_w = 10 * KW - 100 * KW * s / 1800;
		run(&b, SEC);
		assert_no_lie(&b);
	}
	b.lies.leaps = true;
	b.lies.leap_w = true_w(&b);
	run(&b, 10 * SEC);
	b.rig.gpus_w -= 40 * KW;
	until(&b, LIE_FROZEN, LIE_NONE, 60);
	run(&b, 10 * SEC);
	b.lies.leaps = false;
	for (int i = 0; i < 240; i++) {
		run(&b, SEC);
		assert_no_lie(&b);
	}
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
			look(&b);
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
			assert_int_equal(on_hpc(&b), LIE_NONE);
		}
		assert_true(on_site(&b) != LIE_NONE || fusion(&b)->gap.since_ms);
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
	assert_true(foretell_missed_w(&b.rig.state.foretell, FORETELL_FLAT) <= before_w + 5 * KW);
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
/* So large a part that the rest of the site does not explain it: the others wake all the same, once it has lasted. */
static void a_dead_feeder_stops_nobody_else_for_long(void **unused)
{
	struct rig rig;
	rig_init(&rig, ROOM_W - 40 * RIG_MINER_W, 40);
	rig_run(&rig, 600 * SEC);
	assert_int_equal(rig.wakes, 0);
	for (int i = 0; i < 30; i++) {
		rig.miners[i].mute = true;
		rig.miners[i].from_w = rig.miners[i].to_w = 0;
	}
	rig_run(&rig, 60 * SEC);
	rig.gpus_w -= 200 * KW;
	rig_run(&rig, 180 * SEC);
	assert_int_equal(rig.wakes, 0);
	rig_run(&rig, 300 * SEC);
	assert_int_equal(rig.wakes, 24);
	assert_int_equal(rig.state.fusion.on_site.lie, LIE_NONE);
	(void)unused;
}

static void what_is_fed_in_is_no_lie(void **unused)
{
	struct bench b;
	open_bench(&b, 850 * KW);
	b.rig.meter_groups[RIG_BACKUP] = (struct policy_meter_group){ MEASURES_OTHER, -1, 1, 3000 };
	b.rig.conf.n_meters = 4;
	b.rig.conf.n_meter_groups = 3;
	for (int s = 0; s < 200; s++) {
		b.rig.house_w = 10 * KW - 3 * KW * (s < 100 ? s : 100);
		for (int i = 0; i < 4; i++) {
			look(&b);
			b.rig.meters[RIG_SPARE].import_w = b.rig.house_w - 10 * KW;
			rig_decide(&b.rig);
		}
		assert_no_lie(&b);
		assert_int_equal(fusion(&b)->low_ms, 0);
	}
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_meter_that_shows_too_little),
		cmocka_unit_test(a_site_meter_that_falls_short),
		cmocka_unit_test(a_fall_is_no_move_of_gpus_without_a_meter),
		cmocka_unit_test(gpu_meters_that_show_a_part_do_without_the_site),
		cmocka_unit_test(a_part_is_all_that_is_known_at_first),
		cmocka_unit_test(an_earlier_doubt_does_not_count),
		cmocka_unit_test(a_backup_that_shows_less_has_not_fallen),
		cmocka_unit_test(meters_exchanged_while_miners_sleep),
		cmocka_unit_test(a_lie_teaches_no_reserve),
		cmocka_unit_test(a_relapse_asks_for_a_longer_calm),
		cmocka_unit_test(a_dead_feeder_is_no_lie),
		cmocka_unit_test(a_dead_feeder_stops_nobody_else_for_long),
		cmocka_unit_test(what_is_fed_in_is_no_lie),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
