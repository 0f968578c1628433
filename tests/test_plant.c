/* The plant's physics and faults, and the GPU load. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "sim/load.h"
#include "sim/plant.h"

static const struct plant_miner_type *const types[] = { &plant_luxos_s21, &plant_luxos_s19kpro, &plant_cgminer_s19 };

static int64_t sum_of_miners_w(const struct plant *plant, int64_t now_ms)
{
	int64_t sum_w = 0;
	for (size_t i = 0; i < plant->n; i++)
		sum_w += plant_miner_w(plant, i, now_ms);
	return sum_w;
}

/* ---- physics ---- */

static void falls_steadily_and_sleeps_in_time(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		struct plant plant;
		plant_init(&plant, 7 + t);
		plant_add(&plant, types[t], 50);
		for (size_t i = 0; i < plant.n; i++) {
			int32_t last_w = plant_miner_w(&plant, i, 0);
			assert_in_range(last_w, types[t]->full_w * 95 / 100, types[t]->full_w * 105 / 100);
			assert_true(plant_order(&plant, i, 0, false, 0));
			assert_int_equal(plant_miner_w(&plant, i, types[t]->sleep_dead_ms / 2), last_w);
			for (int64_t ms = 0; ms <= 8000; ms += 50) {
				int32_t w = plant_miner_w(&plant, i, ms);
				assert_true(w <= last_w);
				last_w = w;
			}
			int64_t dead_ms = plant.miners[i].motion.dead_ms;
			assert_true(plant_miner_w(&plant, i, dead_ms) == plant.miners[i].full_w);
			assert_true(plant_miner_w(&plant, i, dead_ms + 100) < plant.miners[i].full_w);
			int64_t slowest_ms = (types[t]->sleep_dead_ms + types[t]->sleep_fall_ms) * 6 / 5 + 1;
			assert_int_equal(plant_miner_w(&plant, i, slowest_ms), plant.miners[i].asleep_w);
			assert_in_range(plant.miners[i].asleep_w, 10, 80);
			assert_int_equal(plant_miner_state(&plant, i, 8000), MINER_ASLEEP);
			assert_int_equal(plant_miner_hashrate_ghs(&plant, i, 8000), 0);
		}
		plant_free(&plant);
	}
}

static void wakes_through_idle_chips_and_overshoots(void **state)
{
	(void)state;
	struct plant plant;
	plant_init(&plant, 3);
	plant_add(&plant, &plant_luxos_s21, 20);
	for (size_t i = 0; i < plant.n; i++) {
		const struct plant_miner *miner = &plant.miners[i];
		plant_start_asleep(&plant, i);
		plant_order(&plant, i, 10000, true, 0);
		int64_t dead_ms = miner->motion.dead_ms, ramp_ms = miner->motion.ramp_ms, begin_ms = 10000 + dead_ms;
		assert_in_range(dead_ms, 3100, 4900);
		assert_in_range(ramp_ms, 7900, 12100);
		assert_int_equal(plant_miner_w(&plant, i, begin_ms), miner->asleep_w);
		assert_in_range(plant_miner_w(&plant, i, begin_ms + ramp_ms / 5), miner->full_w / 20, miner->full_w / 8);
		assert_int_equal(plant_miner_state(&plant, i, begin_ms + ramp_ms / 5), MINER_RAMPING);
		assert_int_equal(plant_miner_hashrate_ghs(&plant, i, begin_ms + ramp_ms / 5), 0);
		int32_t half_w = plant_miner_w(&plant, i, begin_ms + ramp_ms / 2);
		assert_in_range(half_w, miner->full_w / 5, miner->full_w / 2);  /* behind a straight line */
		assert_true(plant_miner_w(&plant, i, begin_ms + ramp_ms) > miner->full_w * 102 / 100);
		assert_int_equal(plant_miner_w(&plant, i, begin_ms + 2 * ramp_ms), miner->full_w);
		assert_int_equal(plant_miner_state(&plant, i, begin_ms + 2 * ramp_ms), MINER_HASHING);
	}
	assert_int_equal(plant_miners_w(&plant, 100000), sum_of_miners_w(&plant, 100000));
	assert_int_equal(plant.n_moving, 0);
	plant_free(&plant);
}

static void goes_on_until_the_new_order_bites(void **state)
{
	(void)state;
	struct plant plant;
	plant_init(&plant, 4);
	plant_add(&plant, &plant_luxos_s21, 1);
	plant_order(&plant, 0, 0, false, 0);
	int64_t turned_ms = plant.miners[0].motion.dead_ms + 500;
	plant_order(&plant, 0, turned_ms, true, 0);
	int32_t at_w = plant_miner_w(&plant, 0, turned_ms);
	assert_true(plant_miner_w(&plant, 0, turned_ms + 1000) < at_w);         /* still falling */
	int32_t last_w = at_w;
	for (int64_t ms = turned_ms; ms < turned_ms + 40000; ms += 20) {        /* without a jump */
		int32_t w = plant_miner_w(&plant, 0, ms);
		assert_true(abs(w - last_w) < 350);
		last_w = w;
	}
	assert_int_equal(last_w, plant.miners[0].full_w);
	plant_order(&plant, 0, 60000, true, 2000);
	assert_int_equal(plant_miner_w(&plant, 0, 80000), 2000);
	plant_order(&plant, 0, 80000, true, 1);
	assert_int_equal(plant_miner_w(&plant, 0, 100000), plant_luxos_s21.least_w);
	plant_free(&plant);
}

/* A miner woken and told a limit, as LuxOS is: it wakes to that, as slowly as to any other. */
static void a_limit_told_during_the_wake_does_not_hasten_it(void **state)
{
	static const int64_t limited_ms[] = { 100, 6000 };      /* in the dead time; during the ramp */
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct plant plant;
		plant_init(&plant, 4);
		plant_add(&plant, &plant_luxos_s21, 2);
		plant_start_asleep(&plant, 0);
		plant_order(&plant, 0, 1000, true, 0);
		const struct plant_motion *motion = &plant.miners[0].motion;
		int64_t full_ms = motion->start_ms + motion->dead_ms + motion->ramp_ms;
		plant_order(&plant, 0, 1000 + limited_ms[i], true, 2000);
		assert_true(plant_miner_w(&plant, 0, full_ms - motion->ramp_ms / 3) < 1800);
		assert_int_equal(plant_miner_w(&plant, 0, full_ms + 10000), 2000);
		int32_t last_w = plant.miners[0].asleep_w;
		for (int64_t ms = 1000; ms < full_ms; ms += 20) {
			int32_t w = plant_miner_w(&plant, 0, ms);
			assert_true(abs(w - last_w) < 350 && w < 2100);
			last_w = w;
		}
		plant_free(&plant);
	}
}

static void same_seed_same_site(void **state)
{
	(void)state;
	int64_t sums_w[3];
	for (size_t run = 0; run < 3; run++) {
		struct plant plant;
		plant_init(&plant, run < 2 ? 11 : 12);
		plant_add(&plant, &plant_luxos_s19kpro, 300);
		plant_spread_fault(&plant, 0, PLANT_LYING, 100);
		for (size_t i = 0; i < 300; i++)
			plant_order(&plant, i, (int64_t)i, false, 0);
		sums_w[run] = plant_miners_w(&plant, 3000) * 1000003 + plant_miner_told_w(&plant, 17, 3000);
		plant_free(&plant);
	}
	assert_int_equal(sums_w[0], sums_w[1]);
	assert_int_not_equal(sums_w[0], sums_w[2]);
}

static void sum_is_the_sum(void **state)
{
	(void)state;
	struct plant plant;
	plant_init(&plant, 5);
	for (size_t t = 0; t < 3; t++)
		plant_add(&plant, types[t], 100);
	uint64_t dice = 88172645463325252u;
	for (int64_t ms = 0; ms < 120000; ms += 100) {
		dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
		size_t i = dice % plant.n;
		switch (dice >> 32 & 7) {
		case 0:
			plant_set_fault(&plant, i, ms, (enum plant_fault)(dice >> 40 & 7));
			break;
		case 1:
			plant_reboot(&plant, i, ms);
			break;
		default:
			plant_order(&plant, i, ms, dice >> 35 & 1, 0);
		}
		assert_int_equal(plant_miners_w(&plant, ms), sum_of_miners_w(&plant, ms));
	}
	plant_free(&plant);
}

/* ---- faults ---- */

static void faults_do_what_they_say(void **state)
{
	(void)state;
	for (unsigned f = 0; f < N_PLANT_FAULTS; f++) {
		struct plant plant;
		bool obeys = f == PLANT_SOUND || f == PLANT_GARBLED || f == PLANT_SLOW;
		plant_init(&plant, 6);
		plant_add(&plant, &plant_luxos_s21, 1);
		plant_set_fault(&plant, 0, 0, (enum plant_fault)f);
		assert_int_equal(plant_order(&plant, 0, 0, false, 0), obeys);
		int32_t w = plant_miner_w(&plant, 0, 20000), full_w = plant.miners[0].full_w;
		assert_int_equal(w, f == PLANT_DEAD ? 0 : obeys ? plant.miners[0].asleep_w : full_w);
		bool says_asleep = plant_miner_state(&plant, 0, 20000) == MINER_ASLEEP;
		assert_int_equal(says_asleep, obeys || f == PLANT_LYING);
		assert_int_equal(plant_fault_named(plant_fault_name((enum plant_fault)f),
		                                   strlen(plant_fault_name((enum plant_fault)f))), f);
		plant_free(&plant);
	}
	assert_int_equal(plant_fault_named("lyin", 4), N_PLANT_FAULTS);
}

static void faults_are_spread_by_share(void **state)
{
	(void)state;
	struct plant plant;
	size_t count[N_PLANT_FAULTS] = { 0 };
	plant_init(&plant, 9);
	plant_add(&plant, &plant_luxos_s21, 200);
	assert_int_equal(plant_spread_fault(&plant, 0, PLANT_SILENT, 50), 10);
	assert_int_equal(plant_spread_fault(&plant, 0, PLANT_SLOW, 200), 40);
	for (size_t i = 0; i < plant.n; i++)
		count[plant.miners[i].fault]++;
	assert_int_equal(count[PLANT_SILENT], 10);
	assert_int_equal(count[PLANT_SLOW], 40);
	assert_int_equal(count[PLANT_SOUND], 150);
	assert_int_equal(plant_spread_fault(&plant, 0, PLANT_SOUND, 1000), 50);
	for (size_t i = 0; i < plant.n; i++)
		assert_int_equal(plant.miners[i].fault, PLANT_SOUND);
	plant_free(&plant);
}

/* A wake of a minute, told one limit or the other every five seconds. */
static void nor_do_many_limits(void **state)
{
	(void)state;
	struct plant plant;
	struct plant_miner_type slow = plant_luxos_s21;
	slow.wake_ramp_ms = 60000;
	plant_init(&plant, 4);
	plant_add(&plant, &slow, 1);
	plant_start_asleep(&plant, 0);
	plant_order(&plant, 0, 0, true, 0);
	const struct plant_motion *motion = &plant.miners[0].motion;
	int64_t full_ms = motion->dead_ms + motion->ramp_ms;
	for (int64_t ms = 5000; ms < full_ms - 5000; ms += 5000) {
		plant_order(&plant, 0, ms, true, ms % 10000 ? 2000 : 2010);
		assert_true(plant_miner_w(&plant, 0, ms + 5000) - plant_miner_w(&plant, 0, ms) < 300);
	}
	assert_in_range(plant_miner_w(&plant, 0, full_ms + 1), 2000, 2010);
	plant_free(&plant);
}

static void unsafe_wake_is_faster_but_not_after_a_restart(void **state)
{
	(void)state;
	struct plant plant;
	plant_init(&plant, 10);
	plant_add(&plant, &plant_luxos_s21, 2);
	for (size_t i = 0; i < 2; i++)
		plant_order(&plant, i, 0, false, 0);
	plant_reboot(&plant, 1, 20000);
	assert_true(plant_wake_unsafe(&plant, 0, 100000, 0));
	assert_false(plant_wake_unsafe(&plant, 1, 100000, 0));
	assert_true(plant_miner_w(&plant, 0, 110000) >= plant.miners[0].full_w);
	assert_true(plant_order(&plant, 1, 100000, true, 0));
	assert_true(plant_miner_w(&plant, 1, 110000) < plant.miners[1].full_w * 9 / 10);
	plant_order(&plant, 1, 200000, false, 0);
	plant_order(&plant, 1, 210000, true, 0);
	plant_reboot(&plant, 1, 212000);                /* in mid wake: cold, and up again by itself */
	assert_int_equal(plant_miner_w(&plant, 1, 220000), plant.miners[1].asleep_w);
	assert_int_equal(plant_miner_w(&plant, 1, 320000), plant.miners[1].full_w);
	plant_order(&plant, 1, 400000, false, 0);       /* it was awake since that restart in its sleep */
	assert_true(plant_wake_unsafe(&plant, 1, 410000, 2000));
	assert_int_equal(plant_miner_w(&plant, 1, 430000), 2000);
	plant_free(&plant);
}

static void own_figure_is_off_but_steady(void **state)
{
	(void)state;
	struct plant plant;
	plant_init(&plant, 12);
	plant_add(&plant, &plant_luxos_s21, 200);
	int32_t worst = 0;
	for (size_t i = 0; i < plant.n; i++) {
		int32_t off = plant_miner_told_w(&plant, i, 5000) - plant.miners[i].full_w;
		int32_t later = plant_miner_told_w(&plant, i, 905000) - plant.miners[i].full_w;
		worst = abs(off) > worst ? abs(off) : worst;
		assert_true(abs(off - later) <= 3500 / 100 + 4);
		assert_int_equal(plant_miner_told_w(&plant, i, 5001) - plant.miners[i].full_w, off);
	}
	assert_in_range(worst, 3500 * 30 / 1000, 3500 * 60 / 1000);
	plant_order(&plant, 0, 1000000, false, 0);      /* renewed once a second */
	assert_int_equal(plant_miner_told_w(&plant, 0, 1003000), plant_miner_told_w(&plant, 0, 1003999));
	assert_true(plant_miner_told_w(&plant, 0, 1003999) > plant_miner_told_w(&plant, 0, 1004000) + 100);
	plant_free(&plant);
}

/* ---- the GPU load ---- */

static int64_t least_w(const struct load *load, int64_t from_ms, int64_t to_ms)
{
	int64_t least = INT64_MAX;
	for (int64_t ms = from_ms; ms < to_ms; ms += 100)
		least = load_w(load, ms) < least ? load_w(load, ms) : least;
	return least;
}

static void training_dips_as_published(void **state)
{
	(void)state;
	struct load load = { .seed = 1, .pattern = LOAD_TRAINING, .peak_w = 1000000 };
	for (int64_t step = 0; step < 11; step++) {
		int64_t least = least_w(&load, step * 10930, (step + 1) * 10930);
		assert_in_range(least, 870000, 911000);
		assert_int_equal(load_w(&load, step * 10930 + 4000), 1000000);
	}
	int64_t eval = least_w(&load, 142000 - 18000, 142000 - 5000), mid_w = load_w(&load, 142000 - 11000);
	assert_in_range(eval, 700000, 901000);
	assert_in_range(mid_w, eval, 901000);
}

static void jobs_are_steps(void **state)
{
	(void)state;
	struct load load = { .seed = 1, .pattern = LOAD_CONSTANT, .peak_w = 600000 };
	assert_true(load_add_job(&load, (struct load_job){ 30000, 400000, 2000 }));
	assert_true(load_add_job(&load, (struct load_job){ 60000, -900000, 1000 }));
	assert_int_equal(load_w(&load, 30000), 600000);
	assert_int_equal(load_w(&load, 31000), 800000);
	assert_int_equal(load_w(&load, 32000), 1000000);
	assert_int_equal(load_w(&load, 61000), 100000);
	load_add_job(&load, (struct load_job){ 90000, -900000, 0 });
	assert_int_equal(load_w(&load, 91000), 0);
}

static void inference_stays_in_bounds(void **state)
{
	(void)state;
	struct load load = { .seed = 2, .pattern = LOAD_INFERENCE, .peak_w = 1000000 };
	int64_t least = INT64_MAX, most = 0;
	for (int64_t ms = 0; ms < 3600000; ms += 500) {
		int64_t w = load_w(&load, ms);
		least = w < least ? w : least, most = w > most ? w : most;
	}
	assert_in_range(least, 400000, 600000);
	assert_in_range(most, 800000, 1000000);
}

static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void trace_is_read_and_interpolated(void **state)
{
	(void)state;
	char good[] = "/tmp/mullet-trace-XXXXXX", bad[] = "/tmp/mullet-trace-XXXXXX";
	struct load_trace trace;
	size_t line;
	write_file(good, "t_s,power_w\n10,100\n12,300\n14.5,200\r\n");
	assert_int_equal(load_trace_read(&trace, good, &line), 0);
	assert_int_equal(trace.n, 3);
	struct load load = { .pattern = LOAD_TRACE, .peak_w = 3000, .trace = trace };
	assert_int_equal(load_w(&load, 0), 1000);       /* a trace begins at its first point */
	assert_int_equal(load_w(&load, 1000), 2000);
	assert_int_equal(load_w(&load, 2000), 3000);
	assert_int_equal(load_w(&load, 4500 + 1000), 2000);
	load.hold = true;
	assert_int_equal(load_w(&load, 4500 + 1000), 2000);
	assert_int_equal(load_w(&load, 99000), 2000);
	load_trace_free(&trace);
	write_file(bad, "t_s,power_w\n10,100\n9,300\n");
	assert_int_equal(load_trace_read(&trace, bad, &line), UV_EINVAL);
	assert_int_equal(line, 3);
	assert_int_equal(load_trace_read(&trace, "/nowhere/at/all", &line), UV_ENOENT);
	unlink(good);
	unlink(bad);
}

static void pdus_add_up_and_differ(void **state)
{
	(void)state;
	struct load_split split;
	load_split_init(&split, 60, 4);
	for (int64_t ms = 0; ms < 60000; ms += 777) {
		int64_t sum_w = 0;
		for (size_t i = 0; i < 60; i++)
			sum_w += load_split_w(&split, 1000000, i, ms);
		assert_true(llabs(sum_w - 1000000) <= 60);
	}
	assert_int_not_equal(load_split_w(&split, 1000000, 0, 0), load_split_w(&split, 1000000, 2, 0));
	assert_int_not_equal(load_split_w(&split, 1000000, 0, 0), load_split_w(&split, 1000000, 0, 9000));
	load_split_free(&split);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(falls_steadily_and_sleeps_in_time),
		cmocka_unit_test(wakes_through_idle_chips_and_overshoots),
		cmocka_unit_test(goes_on_until_the_new_order_bites),
		cmocka_unit_test(a_limit_told_during_the_wake_does_not_hasten_it),
		cmocka_unit_test(nor_do_many_limits),
		cmocka_unit_test(same_seed_same_site),
		cmocka_unit_test(sum_is_the_sum),
		cmocka_unit_test(faults_do_what_they_say),
		cmocka_unit_test(faults_are_spread_by_share),
		cmocka_unit_test(unsafe_wake_is_faster_but_not_after_a_restart),
		cmocka_unit_test(own_figure_is_off_but_steady),
		cmocka_unit_test(training_dips_as_published),
		cmocka_unit_test(jobs_are_steps),
		cmocka_unit_test(inference_stays_in_bounds),
		cmocka_unit_test(trace_is_read_and_interpolated),
		cmocka_unit_test(pdus_add_up_and_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
