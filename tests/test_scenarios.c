/* Scenarios in virtual time: the real site_step against the plant. What was decided, when and why is compared with
 * tests/traces/NAME.txt for the first seed (MULLET_GOLDEN=write renews them: read the diff); what must hold, for all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/golden.h"
#include "tests/scenario.h"

#define SEEDS   3
#define KW      1000LL
#define CAP_W   2000000LL
#define SEC     1000LL
#define SETTLED 120             /* s: by then a site has found its place */

struct tale { const char *name; struct scenario_conf conf; void (*tell)(struct scenario *); };

/* ---- looking ---- */

static double over_s(const struct scenario *s, int64_t from_s, int64_t to_s)
{
	double seconds = 0;
	for (size_t i = (size_t)from_s * 2; i < s->n_samples && i < (size_t)to_s * 2; i++)
		seconds += s->site_w[i] > s->limit_w[i] ? 0.5 : 0;
	return seconds;
}

static double mean_w(const struct scenario *s, int64_t from_s, int64_t to_s)
{
	double sum = 0;
	for (size_t i = (size_t)from_s * 2; i < (size_t)to_s * 2; i++)
		sum += s->site_w[i];
	return sum / (double)(2 * (to_s - from_s));
}

static int64_t now_s(const struct scenario *s) { return scenario_now(s) / 1000; }

static void assert_about(double got, double want, double permille)
{
	if (got < want * (1 - permille / 1000) || got > want * (1 + permille / 1000))
		fail_msg("%.0f is not within %.0f per mille of %.0f", got, permille, want);
}

/* The miners asked for the last, after a step of the load, have had their dead time and their fall. */
static void assert_over_at_most(const struct scenario *s, int64_t from_s, int64_t to_s, double most_s)
{
	double seconds = over_s(s, from_s, to_s);
	if (seconds > most_s)
		fail_msg("over the limit for %.1f s between %lld and %lld s", seconds, (long long)from_s, (long long)to_s);
}

static void note(struct scenario *s, const char *what)
{
	const struct picture *p = &site_last_step(s->site)->picture;
	scenario_note(s, "%s [site %lld kW of %lld, miners %lld kW, %s]", what, (long long)sim_world_site_w(s->world) / 1000,
	              (long long)p->limit_w / 1000, (long long)sim_world_miners_w(s->world) / 1000, s->last_state);
}

static void settle(struct scenario *s)
{
	scenario_run(s, SETTLED * SEC);
	note(s, "settled");
}

static bool raised(const struct scenario *s, const char *alarm)
{
	char line[80];
	snprintf(line, sizeof(line), " %s true", alarm);
	return s->alarms_seen.text && strstr(s->alarms_seen.text, line);
}

/* ---- jobs ---- */

/* 2.6 s are what a miner takes on average to be asleep: 0.4 MW, and less than a tenth more than they force. */
static void job_start(struct scenario *s)
{
	settle(s);
	uint32_t sleeps = s->n_sleeps;
	sim_world_add_job(s->world, 0, 400 * KW, 2 * SEC);
	scenario_run(s, 20 * SEC);
	note(s, "400 kW more since 20 s");
	assert_about((s->n_sleeps - sleeps) * 3475.0, (double)(400 * KW), 60);
	sleeps = s->n_sleeps;
	scenario_run(s, 280 * SEC);
	note(s, "end");
	struct score score;
	scenario_score(s, SETTLED * SEC, &score);
	assert_true(score.wh_over < 230);
	assert_over_at_most(s, SETTLED, 420, 5);
	assert_over_at_most(s, SETTLED + 6, 420, 0);
	assert_true(s->n_sleeps - sleeps <= 2 && s->n_wakes <= 2);
	assert_about(mean_w(s, 200, 420), CAP_W * 985 / 1000, 8);
}

static void job_stop(struct scenario *s)
{
	settle(s);
	uint32_t sleeps = s->n_sleeps, wakes = s->n_wakes;
	sim_world_add_job(s->world, 0, -400 * KW, 2 * SEC);
	scenario_run(s, 60 * SEC);
	assert_true(s->n_wakes == wakes);       /* it may come back within the minute */
	scenario_run(s, 300 * SEC);
	note(s, "400 kW less since 360 s");
	assert_over_at_most(s, SETTLED, now_s(s), 0);
	assert_true(s->n_sleeps - sleeps <= 2);
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
}

/* 600 kW more in 60 s: the site lags behind until the reserve has learned how fast it rises, and not after. */
static void lasting_rise(struct scenario *s)
{
	settle(s);
	sim_world_add_job(s->world, 0, 600 * KW, 60 * SEC);
	scenario_run(s, 120 * SEC);
	note(s, "600 kW more since 60 s");
	assert_over_at_most(s, SETTLED, SETTLED + 30, 15);
	assert_over_at_most(s, SETTLED + 30, now_s(s), 0);
}

static void gpus_alone_over_the_cap(struct scenario *s)
{
	settle(s);
	sim_world_add_job(s->world, 0, 1200 * KW, 5 * SEC);
	scenario_run(s, 30 * SEC);
	note(s, "1200 kW more since 30 s");
	assert_true(site_last_step(s->site)->cap_unreachable);
	assert_true(sim_world_miners_w(s->world) < 300 * 40);
	assert_true(raised(s, "cap"));
	sim_world_add_job(s->world, 0, -1200 * KW, 5 * SEC);
	scenario_run(s, 400 * SEC);
	note(s, "1200 kW less since 400 s");
	assert_false(site_last_step(s->site)->cap_unreachable);
	assert_over_at_most(s, 160, now_s(s), 0);
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
}

/* ---- patterns ---- */

static void ten_minutes(struct scenario *s, double most_over_s)
{
	scenario_run(s, 60 * SEC);
	uint32_t moves = s->n_sleeps + s->n_wakes;
	scenario_run(s, 600 * SEC);
	note(s, "end");
	assert_over_at_most(s, 60, 660, most_over_s);
	moves = s->n_sleeps + s->n_wakes - moves;
	if (moves > 100)
		fail_msg("%u moves in 10 min", moves);
	struct score score;
	scenario_score(s, 60 * SEC, &score);
	assert_true(score.site_fast_w < score.hpc_fast_w * 1.01);
}

static void training(struct scenario *s) { ten_minutes(s, 0); }
/* Bursts are no habit before they have come for a while. */
static void inference(struct scenario *s) { ten_minutes(s, 3); }

/* ---- orders ---- */

static void cap_order_now(struct scenario *s)
{
	settle(s);
	scenario_order(s, "cap", "qse-1", 1600 * KW, 0, 300 * SEC);
	scenario_run(s, 300 * SEC);
	note(s, "the order ends");
	assert_over_at_most(s, 120, 420, 5);
	assert_over_at_most(s, 126, 420, 0);
	assert_about(mean_w(s, 130, 420), 1570 * KW, 10);
	scenario_run(s, 400 * SEC);
	note(s, "400 s later");
	assert_over_at_most(s, 420, 820, 0);
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
	assert_non_null(strstr(s->last_event, "\"completed\""));
}

static void cap_order_scheduled(struct scenario *s)
{
	settle(s);
	scenario_order(s, "cap", "qse-1", 1600 * KW, 60 * SEC, 180 * SEC);
	scenario_run(s, 50 * SEC);
	note(s, "10 s before its start");
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
	scenario_run(s, 10 * SEC);
	note(s, "its start");
	assert_true(sim_world_site_w(s->world) <= 1600 * KW);
	scenario_run(s, 120 * SEC);
	note(s, "its end");
	for (size_t i = 2 * 180; i < 2 * 299; i++)
		assert_true(s->site_w[i] <= 1600e3);
}

static void setpoint_with_ramp(struct scenario *s)
{
	settle(s);
	double from_w = mean_w(s, 100, 120);
	scenario_order(s, "setpoint", "qse-1", 1600 * KW, 0, 400 * SEC);
	scenario_run(s, 30 * SEC);
	note(s, "30 s of 300 kW/min");
	assert_about((double)sim_world_site_w(s->world), from_w - 150e3, 30);
	scenario_run(s, 90 * SEC);
	note(s, "120 s");
	assert_about((double)sim_world_site_w(s->world), 1600e3, 5);
	scenario_run(s, 600 * SEC);
	note(s, "end");
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
	assert_over_at_most(s, 0, now_s(s), 5);
}

static void shed_order(struct scenario *s)
{
	settle(s);
	scenario_order(s, "shed", "qse-1", 100 * KW, 0, 120 * SEC);
	scenario_run(s, 7 * SEC);
	note(s, "7 s after the order");
	assert_true(sim_world_miners_w(s->world) <= 106 * KW);
	scenario_run(s, 113 * SEC);
	note(s, "its end");
	assert_true(sim_world_miners_w(s->world) <= 106 * KW && sim_world_miners_w(s->world) > 90 * KW);
	scenario_run(s, 500 * SEC);
	note(s, "500 s later");
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
	assert_over_at_most(s, 10, now_s(s), 0);
}

/* An hour forth and back: what has begun stays begun, what has ended stays ended, and the law knows no wall clock. */
static void the_clock_is_set(struct scenario *s)
{
	settle(s);
	scenario_order(s, "cap", "qse-1", 1600 * KW, 0, 7200 * SEC);
	scenario_run(s, 30 * SEC);
	uint32_t moves = s->n_sleeps + s->n_wakes;
	scenario_shift_utc(s, -3600 * SEC);
	scenario_run(s, 60 * SEC);
	note(s, "an hour back since 60 s");
	scenario_shift_utc(s, 3600 * SEC);
	scenario_run(s, 60 * SEC);
	note(s, "and forth again");
	assert_true(s->n_sleeps + s->n_wakes - moves <= 2);
	for (size_t i = 2 * 130; i < s->n_samples; i++)
		assert_true(s->site_w[i] <= 1600e3);
	scenario_shift_utc(s, 7200 * SEC);
	scenario_run(s, 300 * SEC);
	note(s, "two hours forth since 300 s: it has ended");
	scenario_shift_utc(s, -7200 * SEC);
	scenario_run(s, 60 * SEC);
	note(s, "and back: it stays so");
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
}

/* ---- meters ---- */

static void pdu_silent_and_back(struct scenario *s)
{
	settle(s);
	double before_w = mean_w(s, 100, 120);
	for (size_t i = 0; i < 8; i++)
		sim_world_set_meter_fault(s->world, SIM_FIRST_PDU + i, SIM_METER_SILENT);
	scenario_run(s, 120 * SEC);
	note(s, "8 PDUs silent since 120 s");
	int64_t doubt_w = site_last_step(s->site)->picture.doubt_w;
	assert_in_range(doubt_w, 8 * 4 * KW, 8 * 14 * KW);
	assert_about(mean_w(s, 140, 240), before_w - (double)doubt_w, 8);
	assert_string_equal(s->last_state, "degraded");
	for (size_t i = 0; i < 8; i++)
		sim_world_set_meter_fault(s->world, SIM_FIRST_PDU + i, SIM_METER_SOUND);
	scenario_run(s, 300 * SEC);
	note(s, "heard again since 300 s");
	assert_about((double)sim_world_site_w(s->world), before_w, 8);
	assert_over_at_most(s, 10, now_s(s), 0);
	assert_string_equal(s->last_state, "running");
}

static void site_meter_silent_and_back(struct scenario *s)
{
	settle(s);
	uint32_t wakes = s->n_wakes;
	sim_world_set_meter_fault(s->world, SIM_SITE_METER, SIM_METER_SILENT);
	scenario_run(s, 15 * SEC);
	note(s, "silent since 15 s; now a job of 100 kW");
	sim_world_add_job(s->world, 0, 100 * KW, 2 * SEC);
	scenario_run(s, 15 * SEC);
	note(s, "silent since 30 s");
	assert_int_equal(s->n_wakes, wakes);
	assert_true(raised(s, "meter/main"));
	assert_over_at_most(s, 10, now_s(s), 5);        /* the GPU meters tell a second later */
	assert_over_at_most(s, 142, now_s(s), 0);
	sim_world_set_meter_fault(s->world, SIM_SITE_METER, SIM_METER_SOUND);
	scenario_run(s, 300 * SEC);
	note(s, "heard again since 300 s");
	assert_over_at_most(s, 142, now_s(s), 0);
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
}

static void site_meter_frozen_and_back(struct scenario *s)
{
	settle(s);
	sim_world_set_meter_fault(s->world, SIM_SITE_METER, SIM_METER_FROZEN);
	scenario_run(s, 20 * SEC);
	note(s, "frozen since 20 s; now a job of 300 kW");
	sim_world_add_job(s->world, 0, 300 * KW, 2 * SEC);
	scenario_run(s, 60 * SEC);
	note(s, "60 s later");
	assert_over_at_most(s, SETTLED, now_s(s), 6);
	assert_over_at_most(s, SETTLED + 27, now_s(s), 0);
	sim_world_set_meter_fault(s->world, SIM_SITE_METER, SIM_METER_SOUND);
	scenario_run(s, 300 * SEC);
	note(s, "alive again since 300 s");
	assert_over_at_most(s, SETTLED + 27, now_s(s), 0);
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
}

static void both_lost_and_back(struct scenario *s)
{
	settle(s);
	sim_world_set_meter_fault(s->world, SIM_SITE_METER, SIM_METER_SILENT);
	sim_world_set_meter_fault(s->world, SIM_FIRST_PDU, SIM_METER_GARBLED);
	scenario_run(s, 30 * SEC);
	note(s, "both lost since 30 s");
	assert_string_equal(s->last_state, "failsafe");
	assert_true(raised(s, "failsafe"));
	assert_true(sim_world_miners_w(s->world) <= CAP_W - 58 * 24 * KW);
	sim_world_set_meter_fault(s->world, SIM_SITE_METER, SIM_METER_SOUND);
	sim_world_set_meter_fault(s->world, SIM_FIRST_PDU, SIM_METER_SOUND);
	scenario_run(s, 400 * SEC);
	note(s, "heard again since 400 s");
	assert_string_equal(s->last_state, "running");
	assert_over_at_most(s, 10, now_s(s), 0);
	assert_about((double)sim_world_site_w(s->world), CAP_W * 985 / 1000, 8);
}

/* ---- miners ---- */

static void fifth_faulty(struct scenario *s, enum plant_fault fault)
{
	scenario_run(s, 100 * SEC);
	plant_spread_fault(&sim_world_truth(s->world)->plant, sim_world_site_ms(s->world), fault, 200);
	scenario_run(s, 20 * SEC);
	note(s, "a fifth faulty since 20 s; now a job of 300 kW");
	sim_world_add_job(s->world, 0, 300 * KW, 2 * SEC);
	scenario_run(s, 300 * SEC);
	note(s, "300 s later");
	assert_over_at_most(s, 100, now_s(s), 20);
	assert_over_at_most(s, 150, now_s(s), 0);
	assert_true(s->n_sleeps + s->n_wakes < 700);
}

static void fifth_silent(struct scenario *s) { fifth_faulty(s, PLANT_SILENT); }
static void fifth_refusing(struct scenario *s) { fifth_faulty(s, PLANT_REFUSING); }
static void fifth_lying(struct scenario *s) { fifth_faulty(s, PLANT_LYING); }
static void fifth_garbled(struct scenario *s) { fifth_faulty(s, PLANT_GARBLED); }
static void fifth_slow(struct scenario *s) { fifth_faulty(s, PLANT_SLOW); }
static void fifth_busy(struct scenario *s) { fifth_faulty(s, PLANT_BUSY); }
static void fifth_dead(struct scenario *s) { fifth_faulty(s, PLANT_DEAD); }

static void a_miner_that_lies(struct scenario *s)
{
	settle(s);
	for (size_t i = 100; i < 103; i++)
		sim_world_set_miner_fault(s->world, i, PLANT_LYING);
	uint64_t orders = sim_world_orders(s->world);
	scenario_order(s, "shed", "qse-1", 0, 0, 180 * SEC);
	scenario_run(s, 170 * SEC);
	note(s, "shed since 170 s");
	assert_int_equal(site_last_step(s->site)->picture.phases[PHASE_FAULTY], 3);
	assert_in_range(sim_world_orders(s->world) - orders, 296 - 30 + 9, 300 + 6);
	assert_in_range(site_last_step(s->site)->picture.settled_miners_w, 3 * 3 * KW, 300 * 30 + 3 * 4 * KW);
}

/* ---- restarts ---- */

static void restart_in_peace(struct scenario *s)
{
	settle(s);
	uint32_t sleeps = s->n_sleeps, wakes = s->n_wakes;
	scenario_restart(s, 3 * SEC);
	scenario_note(s, "restarted");
	scenario_run(s, 120 * SEC);
	note(s, "120 s later");
	assert_true(s->n_sleeps - sleeps <= 2 && s->n_wakes - wakes <= 2);
	assert_over_at_most(s, 10, now_s(s), 0);
}

/* The GPUs' load falls and comes back while nobody looks: nothing is woken blindly, and what is over is shed at once. */
static void restart_into_trouble(struct scenario *s)
{
	settle(s);
	sim_world_add_job(s->world, 1 * SEC, 300 * KW, 1 * SEC);
	scenario_restart(s, 3 * SEC);
	scenario_note(s, "restarted; 300 kW more since 2 s");
	int64_t from_s = now_s(s);
	uint32_t wakes = s->n_wakes;
	scenario_run(s, 60 * SEC);
	note(s, "60 s later");
	assert_over_at_most(s, from_s, now_s(s), 9);    /* the miners are asked over 3 s, then fall */
	assert_over_at_most(s, from_s + 10, now_s(s), 0);
	assert_true(s->n_wakes - wakes <= 3);
	assert_about(mean_w(s, from_s + 30, from_s + 60), CAP_W * 985 / 1000, 15);
}

/* ---- the trace of a real cluster ---- */

static int64_t scaled(struct load_trace *trace)
{
	int64_t peak_w = 0;
	for (size_t i = 0; i < trace->n; i++)
		peak_w = trace->points[i].power_w > peak_w ? trace->points[i].power_w : peak_w;
	for (size_t i = 0; i < trace->n; i++)
		trace->points[i].power_w = trace->points[i].power_w * 1000000 / peak_w;
	return trace->peak_w = 1000000;
}

static void real_training_is_held_flat(void **unused)
{
	const char *shared = getenv("MULLET_SHARED");
	double slow = 0, fast = 0;
	char path[400];
	snprintf(path, sizeof(path), "%s/traces/train_h100x512_gpt3_cluster.csv", shared ? shared : "../shared");
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct load_trace trace;
		size_t line;
		if (load_trace_read(&trace, path, &line) != 0) {
			print_message("skipped: no %s\n", path);
			skip();
		}
		struct scenario_conf conf = {
			.world = { .truth = { .seed = seed, .n_pdus = 58, .house_w = 30000 }, .meter_error_permille = 2 },
			.n_miners = 300, .cap_w = CAP_W, .pdu_nameplate_w = 17300,
			.min_awake_ms = 600 * SEC, .min_asleep_ms = 180 * SEC, .cycles_per_day = 12 };
		conf.world.truth.load = (struct load){ .pattern = LOAD_TRACE, .peak_w = scaled(&trace), .trace = trace };
		struct scenario s;
		struct score score;
		scenario_open(&s, &conf);
		scenario_run(&s, 660 * SEC);
		scenario_score(&s, 60 * SEC, &score);
		scenario_close(&s);
		load_trace_free(&trace);
		assert_true(score.seconds_over == 0);
		print_message("seed %d: rms of the site against the GPUs', slower than 60 s %.3f, faster %.4f\n", (int)seed,
		              score.site_slow_w / score.hpc_slow_w, score.site_fast_w / score.hpc_fast_w);
		assert_true(score.site_slow_w < score.hpc_slow_w * 1.03);
		assert_true(score.site_fast_w < score.hpc_fast_w * 1.01);
		slow += score.site_slow_w / score.hpc_slow_w / 4;
		fast += score.site_fast_w / score.hpc_fast_w / 4;
	}
	assert_true(slow < 1);
	assert_true(fast < 1.005);
	(void)unused;
}

/* ---- partial power ---- */

/* A set point is followed by power alone, and so is its end; a shed takes sleep as well; what comes back is raised before
 * any is woken. */
static void partial_power(struct scenario *s)
{
	settle(s);
	uint32_t sleeps = s->n_sleeps, wakes = s->n_wakes;
	scenario_order(s, "setpoint", "sp-1", 1700 * KW, 0, 120 * SEC);
	scenario_run(s, 60 * SEC);
	note(s, "60 s after the set point");
	assert_about((double)sim_world_site_w(s->world), (double)(1700 * KW), 8);
	scenario_run(s, 180 * SEC);
	note(s, "its end, two minutes ago");
	assert_true(s->n_sleeps == sleeps && s->n_wakes == wakes);
	assert_true(s->n_powers > 100);
	assert_about((double)sim_world_site_w(s->world), CAP_W * 980 / 1000, 12);
	scenario_order(s, "shed", "qse-1", 300 * KW, 0, 60 * SEC);
	scenario_run(s, 15 * SEC);
	note(s, "15 s after the shed");
	assert_true(sim_world_miners_w(s->world) < 330 * KW && s->n_sleeps > sleeps);
	sleeps = s->n_sleeps;
	scenario_run(s, 45 * SEC);
	assert_true(s->n_sleeps - sleeps <= 5);         /* its figures tremble: that is no reason to sleep */
	assert_true(sim_world_miners_w(s->world) < 310 * KW);
	scenario_run(s, 180 * SEC);
	note(s, "its end, three minutes ago");
	assert_over_at_most(s, SETTLED, now_s(s), 0);
	assert_about((double)sim_world_site_w(s->world), CAP_W * 980 / 1000, 12);
}

/* ---- telling ---- */

static void told(void **state)
{
	const struct tale *tale = *state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct scenario s;
		struct scenario_conf conf = tale->conf;
		conf.world.truth.seed = seed;
		scenario_open(&s, &conf);
		tale->tell(&s);
		if (seed == 1)
			golden_compare(tale->name, &s.trace);
		scenario_close(&s);
	}
}

#define SITE(pattern_, peak, asleep) { \
	.world = { .truth = { .load = { .pattern = pattern_, .peak_w = peak }, .n_pdus = 58, .house_w = 30000 }, \
	           .meter_error_permille = 2 }, \
	.n_miners = 300, .n_asleep = asleep, .cap_w = CAP_W, .pdu_nameplate_w = 24000, .cycles_per_day = 12, \
	.setpoint_ramp_w_per_min = 300 * KW }
#define CALM   SITE(LOAD_CONSTANT, 900 * KW, 0)
#define PARTIAL { \
	.world = { .truth = { .load = { .pattern = LOAD_CONSTANT, .peak_w = 900 * KW }, .n_pdus = 58, .house_w = 30000 }, \
	           .meter_error_permille = 2 }, \
	.n_miners = 300, .cap_w = CAP_W, .pdu_nameplate_w = 24000, .cycles_per_day = 12, .partial_w = 1800 }
#define TALE(name, conf) { #name, conf, name }

static const struct tale tales[] = {
	TALE(job_start, CALM),
	TALE(job_stop, SITE(LOAD_CONSTANT, 1300 * KW, 110)),
	TALE(lasting_rise, CALM),
	TALE(gpus_alone_over_the_cap, CALM),
	TALE(training, SITE(LOAD_TRAINING, 1100 * KW, 30)),
	TALE(inference, SITE(LOAD_INFERENCE, 1100 * KW, 0)),
	TALE(cap_order_now, CALM),
	TALE(cap_order_scheduled, CALM),
	TALE(setpoint_with_ramp, CALM),
	TALE(shed_order, CALM),
	TALE(the_clock_is_set, CALM),
	TALE(pdu_silent_and_back, CALM),
	TALE(site_meter_silent_and_back, CALM),
	TALE(site_meter_frozen_and_back, CALM),
	TALE(both_lost_and_back, CALM),
	TALE(fifth_silent, CALM), TALE(fifth_refusing, CALM), TALE(fifth_lying, CALM), TALE(fifth_garbled, CALM),
	TALE(fifth_slow, CALM), TALE(fifth_busy, CALM), TALE(fifth_dead, CALM),
	TALE(a_miner_that_lies, CALM),
	TALE(restart_in_peace, CALM),
	TALE(restart_into_trouble, CALM),
	TALE(partial_power, PARTIAL),
};
#define TALES (sizeof(tales) / sizeof(*tales))

int main(void)
{
	struct CMUnitTest tests[TALES + 1];
	for (size_t i = 0; i < TALES; i++)
		tests[i] = (struct CMUnitTest){ tales[i].name, told, NULL, NULL, (void *)(uintptr_t)&tales[i] };
	tests[TALES] = (struct CMUnitTest)cmocka_unit_test(real_training_is_held_flat);
	return cmocka_run_group_tests_name("scenarios", tests, NULL, NULL);
}
