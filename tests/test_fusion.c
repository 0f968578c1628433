/* Meters and miners that do not agree: who is noticed, who is not, and that a wrong figure never does worse than cost hash. */
#include "tests/fusion_bench.h"

#include <stdio.h>

#include "tests/scenario.h"

/* ---- what miners say of themselves ---- */

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

/* Those of all PDUs go silent, as when their switch fails: that is no standing still, and they are as good as before after it. */
static void gpu_meters_that_are_silent_do_not_lie(void **unused)
{
	struct bench b;
	open_bench(&b, 700 * KW);
	b.rig.mute[RIG_PDU_1] = b.rig.mute[RIG_PDU_2] = true;
	run(&b, 10 * SEC);
	b.rig.gpus_w += 60 * KW;
	for (int s = 0; s < 60; s++) {
		run(&b, SEC);
		assert_no_lie(&b);
	}
	b.rig.mute[RIG_PDU_1] = b.rig.mute[RIG_PDU_2] = false;
	run(&b, 2 * SEC);
	assert_no_lie(&b);
	assert_true(b.rig.out.picture.hpc_whole);
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

/* Of GPUs that move together not all have a meter: the site moves farther than those say, and is not accused of it, even
 * where it once moved while those did not. */
static void gpus_without_a_meter_move_along(void **unused)
{
	static const int64_t permille[] = { 120, 300, 480 };
	for (int r = 0; r < 9; r++) {
		struct bench b = { .lies.pdu_permille = permille[r / 3] };
		bool asleep = r % 3 == 1, alone = r % 3 == 2;
		rig_init(&b.rig, 800 * KW, asleep ? 0 : ALL);
		limit(&b, asleep ? 820 * KW : POLICY_NONE);
		run(&b, 90 * SEC);
		b.rig.house_w += alone ? 50 * KW : 0;
		run(&b, 40 * SEC);
		for (int i = 0; i < 20; i++) {
			b.rig.gpus_w += i % 2 ? 500 * KW : -500 * KW;
			for (int k = 0; k < 160; k++) {
				step(&b);
				assert_int_equal(on_site(&b), LIE_NONE);
			}
		}
		assert_int_equal(on_hpc(&b), LIE_SCALED);
		limit(&b, POLICY_NONE);
		run(&b, 150 * SEC);
		assert_in_range(true_w(&b), RIG_CAP_W - 2 * RIG_RESERVE_W, RIG_CAP_W);
	}
	(void)unused;
}

/* Where all miners are asleep for it, or hardly ever move, they cannot tell whose scale it is: how it began does. */
static void a_scale_is_told_by_its_beginning(void **unused)
{
	static const struct { int64_t site, pdu, gpus_w, house_w; enum lie on_site, on_hpc; } rows[] = {
		{ 3000, 0, 700 * KW, 10 * KW, LIE_SCALED, LIE_NONE }, { 0, 300, 700 * KW, 10 * KW, LIE_NONE, LIE_SCALED },
		{ 0, 2000, 200 * KW, 500 * KW, LIE_NONE, LIE_SCALED },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		struct bench b = { .n = 0 };
		rig_init(&b.rig, rows[r].gpus_w, ALL);
		b.rig.house_w = rows[r].house_w;
		run(&b, 90 * SEC);
		b.lies.site_permille = rows[r].site;
		b.lies.pdu_permille = rows[r].pdu;
		run(&b, 60 * SEC);
		for (int i = 0; i < 20; i++) {
			b.rig.gpus_w += i % 2 ? 150 * KW : -150 * KW;
			run(&b, 40 * SEC);
		}
		assert_int_equal(on_site(&b), rows[r].on_site);
		assert_int_equal(on_hpc(&b), rows[r].on_hpc);
	}
	(void)unused;
}

/* ---- the whole site ---- */

#define CAP_W 2000000LL

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
		cmocka_unit_test(gpu_meters_that_show_too_much),
		cmocka_unit_test(gpu_meters_that_stand_still),
		cmocka_unit_test(gpu_meters_that_are_silent_do_not_lie),
		cmocka_unit_test(scales_are_seen_by_moves),
		cmocka_unit_test(gpus_without_a_meter_move_along),
		cmocka_unit_test(a_scale_is_told_by_its_beginning),
		cmocka_unit_test(the_site_meter_is_told_of),
		cmocka_unit_test(gpu_meters_are_told_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
