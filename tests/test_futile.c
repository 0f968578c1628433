/* Where shedding does not help: noticed, said, asked of the GPU side; and never a reason to shed less than must be. */
#include "tests/policy_says.h"

#include <stdio.h>
#include <string.h>

#include "policy/futility.h"
#include "tests/scenario.h"

#define KW  1000LL
#define SEC 1000LL
#define ALL RIG_MINERS
#define CAP_W 2000000LL

/* ---- the verdict, in the small ---- */

struct bench {
	struct rig rig;
	struct futility futility;
	int64_t hidden_w;               /* the site draws it where no other meter looks; moves … */
	bool follows;                   /* … up as much as miners go down: their feeder is not the site's */
};

static void open_bench(struct bench *b, uint32_t awake)
{
	*b = (struct bench){ .hidden_w = 0 };
	begin(&b->rig, awake);
}

static void run(struct bench *b, int64_t ms)
{
	struct rig *rig = &b->rig;
	for (int64_t end_ms = rig->now_ms + ms; rig->now_ms < end_ms; ) {
		rig->now_ms += RIG_STEP_MS;
		int64_t asleep_w = ALL * RIG_MINER_W - rig_miners_w(rig);
		/* A meter that shows the very same value again and again would be a frozen one. */
		rig->house_w = b->hidden_w + (b->follows ? asleep_w : 0) + rig->now_ms / RIG_STEP_MS % 7 * 100;
		rig->futile = b->futility.cause != FUTILE_NOT;
		rig_read(rig);
		rig_decide(rig);
		futility_see(&b->futility, &rig->out, rig->conf.cap_w, 5000, 3000, rig->now_ms);
	}
}

static void sheds_that_show_are_not_futile(void **unused)
{
	struct bench b;
	open_bench(&b, ALL);
	for (int i = 0; i < 6; i++) {
		b.rig.gpus_w += (i % 2 ? -100 : 100) * KW;
		for (int k = 0; k < 100; k++) {
			run(&b, SEC);
			assert_int_equal(b.futility.cause, FUTILE_NOT);
		}
	}
	assert_true(b.rig.sleeps > 90 && b.rig.wakes > 60);
	(void)unused;
}

/* Unseen loads that rise at the same time, but not as fast: what is shed still shows in part. */
static void a_rise_beside_the_shed_is_not_futile(void **unused)
{
	struct bench b;
	open_bench(&b, ALL);
	b.rig.gpus_w += 120 * KW;
	run(&b, SEC);
	b.hidden_w = 40 * KW;
	run(&b, 60 * SEC);
	assert_int_equal(b.futility.cause, FUTILE_NOT);
	(void)unused;
}

/* All that must be shed is shed, though it does not help; then nothing is woken into a site that does not answer. */
static void a_site_that_does_not_answer(void **unused)
{
	struct bench b;
	open_bench(&b, ALL);
	b.follows = true;
	b.rig.gpus_w += 60 * KW;
	run(&b, 30 * SEC);
	assert_int_equal(b.futility.cause, FUTILE_METER);
	assert_in_range(b.futility.followed_w, 150 * KW, 192 * KW);
	assert_in_range(b.futility.shown_w + 60 * KW, 0, 120 * KW);
	assert_int_equal(rig_miners_w(&b.rig), 0);
	assert_int_equal(b.rig.sleeps, ALL);
	b.rig.gpus_w -= 300 * KW;
	run(&b, 200 * SEC);
	assert_int_equal(b.rig.wakes, 0);
	b.follows = false;
	run(&b, 120 * SEC);
	assert_int_equal(b.futility.cause, FUTILE_NOT);
	run(&b, 300 * SEC);                     /* the site's meter fell alone: some are lowered and raised again to test it */
	assert_int_equal(rig_miners_w(&b.rig), ALL * RIG_MINER_W);
	assert_in_range(b.rig.wakes, ALL, ALL + ALL / 3);
	(void)unused;
}

/* The verdict is wrong, the need is real: what must be shed is, at once. */
static void a_wrong_verdict_sheds_no_less(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.futile = true;
	rig.gpus_w += 100 * KW;
	rig_step(&rig);
	rig_step(&rig);
	assert_in_range(rig.sleeps * RIG_MINER_W, 100 * KW, 103 * KW);
	rig.conf.target_w = ROOM_W - 30 * KW;
	rig_run(&rig, 30 * SEC);
	assert_in_range(rig.sleeps * RIG_MINER_W, 100 * KW, 103 * KW);
	rig.futile = false;
	rig_run(&rig, 10 * SEC);
	assert_in_range(rig.sleeps * RIG_MINER_W, 128 * KW, 134 * KW);
	(void)unused;
}

static void deaf_miners_are_told_of(void **unused)
{
	struct bench b;
	open_bench(&b, ALL);
	for (uint32_t i = 0; i < ALL; i++)
		b.rig.miners[i].deaf = true;
	b.rig.gpus_w += 60 * KW;
	for (int i = 0; i < 120; i++) {
		run(&b, SEC);
		assert_int_not_equal(b.futility.cause, FUTILE_METER);
	}
	assert_int_equal(b.futility.cause, FUTILE_MINERS);
	assert_true(b.futility.told_w >= 180 * KW);
	assert_true(b.futility.followed_w < 20 * KW);
	(void)unused;
}

/* Without the GPUs' meters a rise looks just the same: then nobody is accused. */
static void without_gpu_meters_there_is_no_verdict(void **unused)
{
	struct bench b;
	open_bench(&b, ALL);
	b.rig.conf.n_meter_groups = b.rig.conf.n_meters = 1;
	b.follows = true;
	b.rig.gpus_w += 60 * KW;
	run(&b, 120 * SEC);
	assert_int_equal(rig_miners_w(&b.rig), 0);
	assert_int_equal(b.futility.cause, FUTILE_NOT);
	(void)unused;
}

static void a_verdict_falls_after_a_calm(void **unused)
{
	struct bench b;
	open_bench(&b, ALL);
	b.follows = true;
	b.rig.gpus_w += 60 * KW;
	run(&b, 60 * SEC);
	assert_int_equal(b.futility.cause, FUTILE_METER);
	b.rig.gpus_w -= 260 * KW;
	run(&b, 530 * SEC);
	assert_int_equal(b.futility.cause, FUTILE_METER);
	run(&b, 120 * SEC);
	assert_int_equal(b.futility.cause, FUTILE_NOT);
	(void)unused;
}

/* ---- the whole site ---- */

static void open_site(struct scenario *s, enum load_pattern pattern, int64_t hpc_w)
{
	struct scenario_conf conf = {
		.world = { .truth = { .seed = 7, .load = { .pattern = pattern, .peak_w = hpc_w }, .n_pdus = 20, .house_w = 30000 } },
		.n_miners = 300, .cap_w = CAP_W, .pdu_nameplate_w = 120 * KW, .cycles_per_day = 12, .plan = true,
	};
	scenario_open(s, &conf);
	scenario_run(s, 120 * SEC);
}

static bool said(const struct scenario *s, const char *alarm, bool raised)
{
	char line[80];
	snprintf(line, sizeof(line), " %s %s", alarm, raised ? "true" : "false");
	return s->alarms_seen.text && strstr(s->alarms_seen.text, line);
}

static int64_t asked_w(const struct scenario *s)
{
	long long limit_w = -1;
	return sscanf(s->last_limit, "{\"limit_w\":%lld", &limit_w) == 1 ? limit_w : -1;
}

static void the_gpu_side_is_asked_where_miners_do_not_do(void **unused)
{
	struct scenario s;
	open_site(&s, LOAD_CONSTANT, 900 * KW);
	assert_int_equal(s.n_limits, 1);        /* what an earlier run asked is taken back, though miners fill all the room */
	assert_int_equal(asked_w(&s), -1);
	sim_world_add_job(s.world, 0, 1300 * KW, 5 * SEC);
	scenario_run(&s, 30 * SEC);
	assert_in_range(asked_w(&s), CAP_W - 100 * KW, CAP_W - 20 * KW);
	assert_non_null(strstr(s.last_limit, "all miners that may be shed are, and the site would draw 2"));
	assert_true(s.n_limits <= 5);
	sim_world_add_job(s.world, 0, -1300 * KW - 900 * KW + asked_w(&s), 5 * SEC);   /* it obeys, to the watt */
	scenario_run(&s, 120 * SEC);
	assert_true(asked_w(&s) > 0);
	assert_true(sim_world_site_w(s.world) <= CAP_W);
	sim_world_add_job(s.world, 0, -400 * KW, 5 * SEC);
	scenario_run(&s, 50 * SEC);
	assert_true(asked_w(&s) > 0);
	scenario_run(&s, 30 * SEC);
	assert_int_equal(asked_w(&s), -1);
	uint32_t n = s.n_limits;
	scenario_run(&s, 300 * SEC);
	assert_int_equal(s.n_limits, n);
	assert_false(said(&s, "futile", true));
	scenario_close(&s);
	(void)unused;
}

/* Who was asked for less before a crash must not rise before the new run knows that there is room. */
static void what_an_earlier_run_asked_is_taken_back_after_a_calm(void **unused)
{
	struct scenario_conf conf = {
		.world = { .truth = { .seed = 7, .load = { .pattern = LOAD_CONSTANT, .peak_w = 500 * KW }, .n_pdus = 20 } },
		.n_miners = 300, .cap_w = CAP_W, .pdu_nameplate_w = 120 * KW,
	};
	struct scenario s;
	scenario_open(&s, &conf);
	scenario_run(&s, 55 * SEC);
	assert_int_equal(s.n_limits, 0);
	scenario_run(&s, 60 * SEC);
	assert_int_equal(s.n_limits, 1);
	assert_non_null(strstr(s.last_limit, "{\"limit_w\":null,\"why\":null,\"time\":\""));
	site_leave(s.site, s.clock.at);
	assert_int_equal(s.n_limits, 1);
	scenario_close(&s);
	(void)unused;
}

/* Stopped in the middle of it: who is asked for less must not wait for somebody who is gone. */
static void what_is_asked_ends_with_the_daemon(void **unused)
{
	struct scenario s;
	open_site(&s, LOAD_CONSTANT, 900 * KW);
	site_leave(s.site, s.clock.at);
	assert_int_equal(s.n_limits, 1);        /* of an earlier run, it may be */
	sim_world_add_job(s.world, 0, 1300 * KW, 5 * SEC);
	scenario_run(&s, 30 * SEC);
	assert_true(asked_w(&s) > 0);
	site_leave(s.site, s.clock.at);
	assert_non_null(strstr(s.last_limit, "{\"limit_w\":null,\"why\":\"mulletd was stopped\""));
	scenario_close(&s);
	(void)unused;
}

static void lying_miners_are_an_alarm(void **unused)
{
	struct scenario s;
	open_site(&s, LOAD_INFERENCE, 900 * KW);        /* a site that draws the very same would be a frozen meter */
	for (size_t i = 0; i < 300; i++)
		sim_world_set_miner_fault(s.world, i, PLANT_LYING);
	sim_world_add_job(s.world, 0, 700 * KW, 5 * SEC);
	scenario_run(&s, 120 * SEC);
	assert_true(said(&s, "futile", true));
	assert_true(asked_w(&s) > 0);
	for (size_t i = 0; i < 300; i++)
		sim_world_set_miner_fault(s.world, i, PLANT_SOUND);
	scenario_run(&s, 1200 * SEC);
	assert_true(said(&s, "futile", false));
	assert_true(sim_world_site_w(s.world) <= CAP_W);
	scenario_close(&s);
	(void)unused;
}

/* The same job, on a site of 300 miners with meters and messages: announced, no second over the cap. */
static void announced_the_whole_site_stays_under(void **unused)
{
	for (int told = 0; told < 2; told++) {
		struct scenario s;
		struct score score;
		open_site(&s, LOAD_CONSTANT, 900 * KW);
		if (told)
			scenario_notice(&s, "job-77", 30 * SEC, 400 * KW, 2);
		sim_world_add_job(s.world, 30 * SEC, 400 * KW, 2 * SEC);
		scenario_run(&s, 120 * SEC);
		scenario_score(&s, 120 * SEC, &score);
		if (told)
			assert_true(score.seconds_over == 0);
		else
			assert_true(score.seconds_over >= 1);
		assert_int_equal(strstr(s.trace.text, " plan ") != NULL, told);
		assert_false(said(&s, "plan", true));
		scenario_close(&s);
	}
	(void)unused;
}

static void announced_for_nothing_is_an_alarm(void **unused)
{
	struct scenario s;
	open_site(&s, LOAD_CONSTANT, 900 * KW);
	scenario_notice(&s, "job-77", 30 * SEC, 400 * KW, 2);
	scenario_run(&s, 90 * SEC);
	assert_true(said(&s, "plan", true));
	scenario_notice(&s, "job-78", 30 * SEC, 200 * KW, 2);
	sim_world_add_job(s.world, 30 * SEC, 200 * KW, 2 * SEC);
	scenario_run(&s, 90 * SEC);
	assert_true(said(&s, "plan", false));
	scenario_close(&s);
	(void)unused;
}

/* Though no other notice comes, for weeks. */
static void the_alarm_of_a_notice_passes(void **unused)
{
	struct scenario s;
	open_site(&s, LOAD_CONSTANT, 900 * KW);
	scenario_notice(&s, "job-77", 30 * SEC, 400 * KW, 2);
	scenario_run(&s, 90 * SEC);
	assert_true(said(&s, "plan", true));
	scenario_run(&s, 3500 * SEC);
	assert_true(alarms_raised(s.alarms, "plan"));
	scenario_run(&s, 100 * SEC);
	assert_false(alarms_raised(s.alarms, "plan"));
	scenario_close(&s);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sheds_that_show_are_not_futile),
		cmocka_unit_test(a_rise_beside_the_shed_is_not_futile),
		cmocka_unit_test(a_site_that_does_not_answer),
		cmocka_unit_test(a_wrong_verdict_sheds_no_less),
		cmocka_unit_test(deaf_miners_are_told_of),
		cmocka_unit_test(without_gpu_meters_there_is_no_verdict),
		cmocka_unit_test(a_verdict_falls_after_a_calm),
		cmocka_unit_test(the_gpu_side_is_asked_where_miners_do_not_do),
		cmocka_unit_test(what_an_earlier_run_asked_is_taken_back_after_a_calm),
		cmocka_unit_test(what_is_asked_ends_with_the_daemon),
		cmocka_unit_test(lying_miners_are_an_alarm),
		cmocka_unit_test(announced_the_whole_site_stays_under),
		cmocka_unit_test(announced_for_nothing_is_an_alarm),
		cmocka_unit_test(the_alarm_of_a_notice_passes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
