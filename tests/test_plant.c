/* The plant's physics, and a whole site of in-process devices in virtual time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/devices.h"

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
	assert_true(plant_wake_unsafe(&plant, 0, 100000));
	assert_false(plant_wake_unsafe(&plant, 1, 100000));
	assert_true(plant_miner_w(&plant, 0, 110000) >= plant.miners[0].full_w);
	assert_true(plant_order(&plant, 1, 100000, true, 0));
	assert_true(plant_miner_w(&plant, 1, 110000) < plant.miners[1].full_w * 9 / 10);
	plant_order(&plant, 1, 200000, false, 0);
	plant_order(&plant, 1, 210000, true, 0);
	plant_reboot(&plant, 1, 212000);                /* in mid wake: cold, and up again by itself */
	assert_int_equal(plant_miner_w(&plant, 1, 220000), plant.miners[1].asleep_w);
	assert_int_equal(plant_miner_w(&plant, 1, 320000), plant.miners[1].full_w);
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

/* ---- devices in process ---- */

struct heard {
	struct meter_reading meter;
	struct miner_reading miner;
	enum fault ordered[4];
	size_t n_meter, n_miner, n_ordered, n_closed;
};

static void on_meter(void *self, const struct meter_reading *reading)
{
	struct heard *heard = self;
	heard->meter = *reading;
	heard->n_meter++;
}

static void on_miner(void *self, const struct miner_reading *reading)
{
	struct heard *heard = self;
	heard->miner = *reading;
	heard->n_miner++;
}

static void on_ordered(void *self, enum fault fault)
{
	struct heard *heard = self;
	heard->ordered[heard->n_ordered++] = fault;
}

static void on_closed(void *self)
{
	((struct heard *)self)->n_closed++;
}

struct fixture {
	struct sim_world *world;
	uv_loop_t loop;
	struct heard heard;
	struct meter_user meter_user;
	struct miner_user miner_user;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct sim_world_conf conf = {
		.truth = { .seed = 1, .load = { .pattern = LOAD_CONSTANT, .peak_w = 1000000 }, .n_pdus = 10, .house_w = 50000 },
		.begin_ms = 1000000,
	};
	f->world = sim_world_open(&conf);
	plant_add(&sim_world_truth(f->world)->plant, &plant_luxos_s21, 10);
	uv_loop_init(&f->loop);
	f->loop.data = f->world;
	f->meter_user = (struct meter_user){ &f->heard, on_meter, on_closed };
	f->miner_user = (struct miner_user){ &f->heard, on_miner, on_ordered, on_closed };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	size_t left = sim_world_open_devices(f->world);
	sim_world_close(f->world);
	int busy = uv_loop_close(&f->loop);
	free(f);
	return left || busy ? -1 : 0;
}

static struct meter *meter_at(struct fixture *f, const char *host)
{
	struct meter_conf conf = { .host = host, .timeout_ms = 200 };
	return sim_meter_driver.open(sim_world_room(f->world), &conf, f->meter_user);
}

static struct miner *miner_at(struct fixture *f, const char *host)
{
	struct miner_conf conf = { .host = host, .timeout_ms = 3000, .steer = true };
	return sim_luxos_driver.open(&f->loop, &conf, f->miner_user);
}

static void meters_show_the_site(void **state)
{
	struct fixture *f = *state;
	struct meter *site = meter_at(f, "sim:site"), *pdu = meter_at(f, "sim:pdu:9"), *none = meter_at(f, "sim:pdu:10");
	site->driver->poll(site);
	site->driver->poll(site);
	assert_int_equal(f->heard.n_meter, 0);          /* not from inside the call */
	sim_world_run(f->world, 1000100);
	assert_int_equal(f->heard.n_meter, 1);
	assert_int_equal(f->heard.meter.fault, FAULT_NONE);
	assert_in_range(f->heard.meter.at_ms, 1000005, 1000010);
	assert_int_equal(f->heard.meter.import_w, sim_world_site_w(f->world));
	assert_int_equal(sim_world_site_w(f->world), sim_world_hpc_w(f->world) + sim_world_miners_w(f->world) +
	                 sim_world_other_w(f->world));
	pdu->driver->poll(pdu);
	sim_world_run(f->world, 1000200);
	assert_in_range(f->heard.meter.import_w, 60000, 140000);
	none->driver->poll(none);
	sim_world_run(f->world, 1000399);
	assert_int_equal(f->heard.n_meter, 2);
	sim_world_run(f->world, 1000400);
	assert_int_equal(f->heard.meter.fault, FAULT_SILENT);
	site->driver->poll(site);
	site->driver->close(site);
	pdu->driver->close(pdu);
	none->driver->close(none);
	assert_int_equal(f->heard.n_closed, 0);
	sim_world_run(f->world, 1001000);
	assert_int_equal(f->heard.n_closed, 3);
	assert_int_equal(f->heard.n_meter, 3);          /* no reading after close */
}

static void meter_faults_show(void **state)
{
	static const struct { enum sim_meter_fault set; enum fault told; } cases[] = {
		{ SIM_METER_SOUND, FAULT_NONE }, { SIM_METER_SILENT, FAULT_SILENT }, { SIM_METER_FROZEN, FAULT_NONE },
		{ SIM_METER_ABSURD, FAULT_ABSURD }, { SIM_METER_GARBLED, FAULT_GARBLED },
		{ SIM_METER_REFUSING, FAULT_REFUSED }, { SIM_METER_LATE, FAULT_NONE },
	};
	struct fixture *f = *state;
	struct meter *site = meter_at(f, "sim:site");
	int64_t now_ms = 1000000, before_w = sim_world_site_w(f->world);
	sim_world_add_job(f->world, 0, 500000, 0);
	for (size_t c = 0; c < 7; c++) {
		sim_world_run(f->world, now_ms += 1000);
		sim_world_set_meter_fault(f->world, SIM_SITE_METER, cases[c].set);
		site->driver->poll(site);
		sim_world_run(f->world, now_ms + 150);
		assert_int_equal(f->heard.n_meter, c + (cases[c].set != SIM_METER_SILENT && cases[c].set != SIM_METER_LATE));
		sim_world_run(f->world, now_ms + 200);
		assert_int_equal(f->heard.n_meter, c + 1);
		assert_int_equal(f->heard.meter.fault, cases[c].told);
	}
	sim_world_set_meter_fault(f->world, SIM_SITE_METER, SIM_METER_FROZEN);
	sim_world_add_job(f->world, 0, -500000, 0);
	sim_world_run(f->world, now_ms += 5000);
	site->driver->poll(site);
	sim_world_run(f->world, now_ms + 200);
	assert_int_equal(f->heard.meter.import_w, before_w + 500000);
	assert_int_equal(sim_world_site_w(f->world), before_w);
	site->driver->close(site);
	sim_world_run(f->world, now_ms + 300);
}

static void miners_obey_and_tell(void **state)
{
	struct fixture *f = *state;
	struct miner *miner = miner_at(f, "sim:3");
	int64_t before_w = sim_world_miners_w(f->world);
	miner->driver->order(miner, &(struct miner_order){ .hash = false });
	miner->driver->order(miner, &(struct miner_order){ .hash = true });     /* waits, and is replaced */
	miner->driver->order(miner, &(struct miner_order){ .hash = false });
	sim_world_run(f->world, 1001000);
	assert_int_equal(f->heard.n_ordered, 3);
	assert_int_equal(f->heard.ordered[0], FAULT_REFUSED);
	assert_int_equal(f->heard.ordered[1], FAULT_NONE);
	assert_int_equal(f->heard.ordered[2], FAULT_NONE);
	assert_int_equal(sim_world_orders(f->world), 2);
	sim_world_run(f->world, 1008000);
	assert_in_range(before_w - sim_world_miners_w(f->world), 3200, 3700);
	miner->driver->poll(miner);
	sim_world_run(f->world, 1008100);
	assert_int_equal(f->heard.miner.fault, FAULT_NONE);
	assert_int_equal(f->heard.miner.at_ms, 1008000);
	assert_int_equal(f->heard.miner.state, MINER_ASLEEP);
	assert_in_range(f->heard.miner.power_w, 15, 35);
	assert_int_equal(f->heard.miner.awake_w, 3500);
	miner->driver->order(miner, &(struct miner_order){ .hash = true });
	miner->driver->close(miner);
	sim_world_run(f->world, 1009000);
	assert_int_equal(f->heard.n_closed, 1);
	assert_int_equal(f->heard.n_ordered, 3);
}

static void miner_faults_show(void **state)
{
	static const struct { enum plant_fault set; enum fault poll, order; } cases[] = {
		{ PLANT_SOUND, FAULT_NONE, FAULT_NONE }, { PLANT_SILENT, FAULT_SILENT, FAULT_SILENT },
		{ PLANT_REFUSING, FAULT_SILENT, FAULT_SILENT }, { PLANT_LYING, FAULT_NONE, FAULT_NONE },
		{ PLANT_GARBLED, FAULT_GARBLED, FAULT_GARBLED }, { PLANT_SLOW, FAULT_NONE, FAULT_NONE },
		{ PLANT_BUSY, FAULT_NONE, FAULT_REFUSED }, { PLANT_DEAD, FAULT_SILENT, FAULT_SILENT },
	};
	struct fixture *f = *state;
	int64_t now_ms = 1000000;
	for (size_t c = 0; c < N_PLANT_FAULTS; c++) {
		char host[16];
		snprintf(host, sizeof host, "sim:%zu", c);
		struct miner *miner = miner_at(f, host);
		sim_world_set_miner_fault(f->world, c, cases[c].set);
		f->heard.n_ordered = f->heard.n_miner = 0;
		miner->driver->poll(miner);
		miner->driver->order(miner, &(struct miner_order){ .hash = false });
		sim_world_run(f->world, now_ms += 3000);
		assert_int_equal(f->heard.n_miner, 1);
		assert_int_equal(f->heard.miner.fault, cases[c].poll);
		assert_int_equal(f->heard.n_ordered, 1);
		assert_int_equal(f->heard.ordered[0], cases[c].order);
		miner->driver->close(miner);
		sim_world_run(f->world, ++now_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(falls_steadily_and_sleeps_in_time),
		cmocka_unit_test(wakes_through_idle_chips_and_overshoots),
		cmocka_unit_test(goes_on_until_the_new_order_bites),
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
		cmocka_unit_test_setup_teardown(meters_show_the_site, set_up, tear_down),
		cmocka_unit_test_setup_teardown(meter_faults_show, set_up, tear_down),
		cmocka_unit_test_setup_teardown(miners_obey_and_tell, set_up, tear_down),
		cmocka_unit_test_setup_teardown(miner_faults_show, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
