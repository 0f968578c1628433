/* A whole site of in-process devices in virtual time, behind the drivers' own interfaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/devices.h"

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
	return sim_luxos_driver.open(sim_world_miners(f->world), &conf, f->miner_user);
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

/* The PDUs' registers change once a second: the third second of a job's rise is seen when it is over. */
static void registers_are_renewed_now_and_then(void **state)
{
	struct fixture *f = *state;
	struct meter *pdu = meter_at(f, "sim:pdu:0");
	struct truth *truth = sim_world_truth(f->world);
	sim_world_add_job(f->world, 0, 1000000, 8000);
	for (int64_t ms = 3000; ms < 4000; ms += 300) {
		sim_world_run(f->world, 1000000 + ms);
		pdu->driver->poll(pdu);
		sim_world_run(f->world, 1000000 + ms + 50);
		assert_int_equal(f->heard.meter.import_w, truth_pdu_w(truth, 0, 3000));
		assert_int_not_equal(f->heard.meter.import_w, truth_pdu_w(truth, 0, 4000));
	}
	pdu->driver->close(pdu);
	sim_world_run(f->world, 1004000);
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
	sim_world_scale_meter(f->world, SIM_SITE_METER, 667);
	sim_world_run(f->world, now_ms += 1000);
	site->driver->poll(site);
	sim_world_run(f->world, now_ms + 200);
	assert_in_range(f->heard.meter.import_w, before_w * 666 / 1000, before_w * 668 / 1000);
	sim_world_set_meter_fault(f->world, SIM_SITE_METER, SIM_METER_SWAPPED);
	sim_world_run(f->world, now_ms += 1000);
	site->driver->poll(site);
	sim_world_run(f->world, now_ms + 200);
	assert_int_equal(f->heard.meter.import_w, sim_world_hpc_w(f->world));
	sim_world_set_meter_fault(f->world, SIM_SITE_METER, SIM_METER_JUMPING);
	uint32_t tens = 0, noughts = 0;
	for (int i = 0; i < 400; i++) {
		sim_world_run(f->world, now_ms += 200);
		site->driver->poll(site);
		sim_world_run(f->world, now_ms + 190);
		tens += f->heard.meter.import_w > 5 * before_w;
		noughts += f->heard.meter.import_w == 0;
	}
	assert_in_range(tens, 1, 15);
	assert_in_range(noughts, 1, 15);
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
		cmocka_unit_test_setup_teardown(meters_show_the_site, set_up, tear_down),
		cmocka_unit_test_setup_teardown(registers_are_renewed_now_and_then, set_up, tear_down),
		cmocka_unit_test_setup_teardown(meter_faults_show, set_up, tear_down),
		cmocka_unit_test_setup_teardown(miners_obey_and_tell, set_up, tear_down),
		cmocka_unit_test_setup_teardown(miner_faults_show, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
