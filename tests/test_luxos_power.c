/* Power in between, end to end: the LuxOS driver against a simulated miner over loopback, from the order to the watts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "sim/options.h"
#include "tests/scripted_miner.h"

enum { SPEED = 20, FULL_W = 3500, POLLS = 2000 };

struct stage {                          /* one S21 and its owner, on one loop */
	uv_loop_t loop;
	struct options options;
	struct farm farm;
	struct owner owner;
	struct miner_conf conf;
	unsigned farm_closed;
};

static void on_farm_closed(struct farm *farm)
{
	((struct stage *)farm->self)->farm_closed++;
}

static struct stage *stage_open(void)
{
	static const char *const args[] = { "mulletsim", "--pdus", "1", "--latency", "0 ms", "--miners", "luxos-s21:1" };
	char *argv[8] = { NULL };
	struct stage *stage = calloc(1, sizeof *stage);
	char why[300] = "";
	uint16_t port = (uint16_t)(10240 + getpid() % 20000);
	assert_non_null(stage);
	for (size_t i = 0; i < 7; i++)
		argv[i] = (char *)(uintptr_t)args[i];
	assert_int_equal(options_read(&stage->options, 7, argv, why, sizeof why), 0);
	struct farm_conf *conf = &stage->options.farm;
	conf->modbus_port = conf->miner_port = port;
	conf->speed = SPEED;
	uv_loop_init(&stage->loop);
	if (farm_open(&stage->farm, &stage->loop, conf, why, sizeof why) != 0)
		fail_msg("%s", why);
	stage->farm.self = stage;
	stage->conf = (struct miner_conf){
		.host = "127.30.0.1", .port = port, .timeout_ms = 20000, .nominal_w = FULL_W, .steer = true };
	owner_open(&stage->owner, "luxos", &stage->loop, &stage->conf);
	return stage;
}

static void stage_close(struct stage *stage)
{
	owner_close(&stage->owner);
	assert_true(loop_until(&stage->loop, &stage->owner.closed, 1));
	farm_close(&stage->farm, on_farm_closed);
	assert_true(loop_until(&stage->loop, &stage->farm_closed, 1));
	uv_run(&stage->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&stage->loop), 0);
	options_free(&stage->options);
	free(stage);
}

static void poll_now(struct stage *stage)
{
	owner_poll(&stage->owner);
	assert_true(loop_until(&stage->loop, &stage->owner.readings, stage->owner.readings + 1));
	assert_int_equal(stage->owner.last.fault, FAULT_NONE);
}

static void order_now(struct stage *stage, bool hash, int32_t limit_w)
{
	struct owner *owner = &stage->owner;
	owner_order(owner, hash, limit_w);
	assert_true(loop_until(&stage->loop, &owner->answers, owner->answers + 1));
	assert_int_equal(owner->answered[(owner->answers - 1) % 16], FAULT_NONE);
}

static void wait_a_little(struct stage *stage)
{
	unsigned ticks = 0;
	uv_timer_t tick;
	uv_timer_init(&stage->loop, &tick);
	tick.data = &ticks;
	uv_timer_start(&tick, scripted_tick, 10, 0);
	while (!ticks)
		uv_run(&stage->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&stage->loop, UV_RUN_NOWAIT);
}

static const struct plant_miner *unit(const struct stage *stage)
{
	return &stage->farm.truth.plant.miners[0];
}

/* In truth, and by its own word, which is up to 5 % off. */
static void draws(struct stage *stage, int32_t watts)
{
	int64_t told_w = 0, off_w = watts / 15 + 5;
	for (int polls = 0; polls < POLLS; polls++) {
		int32_t true_w = plant_miner_w(&stage->farm.truth.plant, 0, farm_now_ms(&stage->farm));
		poll_now(stage);
		told_w = stage->owner.last.power_w;
		if (true_w == watts && told_w >= watts - off_w && told_w <= watts + off_w)
			return;
		wait_a_little(stage);
	}
	fail_msg("it tells %lld W, not %d W", (long long)told_w, (int)watts);
}

static void a_miner_is_told_2_kw_and_draws_it(void **state)
{
	struct stage *stage = stage_open();
	(void)state;
	poll_now(stage);
	assert_true(stage->owner.last.steerable);
	assert_int_equal(stage->owner.last.awake_w, FULL_W);
	order_now(stage, true, 2000);
	int32_t limit_w = unit(stage)->limit_w;         /* of this unit, a little off its model's table */
	assert_in_range(limit_w, 1800, 2080);
	draws(stage, limit_w);
	assert_int_equal(stage->owner.last.state, MINER_HASHING);
	assert_in_range(stage->owner.last.awake_w, 1850, 2000);
	order_now(stage, true, FULL_W);
	draws(stage, unit(stage)->full_w);
	assert_int_equal(stage->owner.last.awake_w, FULL_W);
	stage_close(stage);
}

static void sleep_keeps_it_and_a_wake_brings_another(void **state)
{
	struct stage *stage = stage_open();
	(void)state;
	poll_now(stage);
	order_now(stage, true, 2000);
	int32_t limit_w = unit(stage)->limit_w;
	order_now(stage, false, 0);
	draws(stage, unit(stage)->asleep_w);
	assert_int_equal(stage->owner.last.state, MINER_ASLEEP);
	assert_in_range(stage->owner.last.awake_w, 1850, 2000);
	order_now(stage, true, 0);
	draws(stage, limit_w);
	order_now(stage, false, 0);
	draws(stage, unit(stage)->asleep_w);
	order_now(stage, true, 2600);                   /* another power for one that sleeps wakes it to that */
	draws(stage, unit(stage)->limit_w);
	assert_in_range(unit(stage)->limit_w, 2300, 2700);
	order_now(stage, false, 0);
	draws(stage, unit(stage)->asleep_w);
	order_now(stage, true, FULL_W);
	draws(stage, unit(stage)->full_w);
	stage_close(stage);
}

static void its_tuner_gives_way_and_comes_back(void **state)
{
	struct stage *stage = stage_open();
	struct asic *asic = &stage->farm.asics[0];
	(void)state;
	asic->atm = true;
	poll_now(stage);
	order_now(stage, true, 2000);
	assert_false(asic->atm);
	draws(stage, unit(stage)->limit_w);
	assert_in_range(unit(stage)->limit_w, 1800, 2080);
	order_now(stage, true, FULL_W);
	assert_true(asic->atm);
	draws(stage, unit(stage)->full_w);
	stage_close(stage);
}

static void reopen(struct stage *stage)
{
	owner_reopen(&stage->owner, &stage->loop, &stage->conf);
}

static void its_tuner_comes_back_after_a_reload(void **state)
{
	struct stage *stage = stage_open();
	struct asic *asic = &stage->farm.asics[0];
	(void)state;
	asic->atm = true;
	poll_now(stage);
	order_now(stage, true, 2000);
	assert_false(asic->atm);
	reopen(stage);
	poll_now(stage);
	order_now(stage, true, 2600);
	assert_false(asic->atm);
	reopen(stage);
	poll_now(stage);
	order_now(stage, true, FULL_W);
	assert_true(asic->atm);
	draws(stage, unit(stage)->full_w);
	stage_close(stage);
}

/* Told at once: what its profiles are must be known before it was heard again. */
static void an_order_right_after_a_reload_is_followed(void **state)
{
	struct stage *stage = stage_open();
	(void)state;
	poll_now(stage);
	order_now(stage, true, 2000);
	reopen(stage);
	order_now(stage, true, FULL_W);
	draws(stage, unit(stage)->full_w);
	reopen(stage);
	order_now(stage, true, 2000);
	draws(stage, unit(stage)->limit_w);
	stage_close(stage);
}

static void what_is_known_of_one_that_is_gone_is_let_go(void **state)
{
	struct stage *stage = stage_open();
	struct miner_memory memory = { 0 };
	(void)state;
	poll_now(stage);
	stage->owner.miner->driver->remember(stage->owner.miner, &memory);
	memory.driver->recall(NULL, &memory);
	assert_null(memory.driver);
	stage_close(stage);                     /* the room ends with no profile table left in it */
}

static void its_owners_profile_outlasts_a_reload(void **state)
{
	struct stage *stage = stage_open();
	(void)state;
	owner_close(&stage->owner);
	assert_true(loop_until(&stage->loop, &stage->owner.closed, 1));
	stage->conf.nominal_w = 3000;           /* below what it has: that is its owner's choice, and full power */
	owner_open(&stage->owner, "luxos", &stage->loop, &stage->conf);
	poll_now(stage);
	int32_t full_w = unit(stage)->full_w;
	order_now(stage, true, 2000);
	reopen(stage);
	poll_now(stage);
	order_now(stage, true, 3000);
	draws(stage, full_w);
	stage_close(stage);
}

/* As a restart of the daemon does: all that is left of it is what its owner set. */
static void start_anew(struct stage *stage)
{
	struct miner_memory memory = { 0 };
	struct miner_own own;
	struct owner *owner = &stage->owner;
	const struct miner_driver *driver = owner->miner->driver;
	assert_true(driver->tell_own(owner->miner, &own));
	owner->room_stays = true;
	owner_close(owner);
	assert_true(loop_until(&stage->loop, &owner->closed, 1));
	owner_open_in(owner, "luxos", owner->room, &stage->conf);
	driver->take_own(&memory, owner->last.identity, &own);
	driver->recall(owner->miner, &memory);
	poll_now(stage);
}

static void its_tuner_and_profile_outlast_a_restart(void **state)
{
	struct stage *stage = stage_open();
	struct asic *asic = &stage->farm.asics[0];
	(void)state;
	stage->conf.nominal_w = 3000;
	poll_now(stage);
	int32_t full_w = unit(stage)->full_w;
	asic->atm = true;
	poll_now(stage);
	order_now(stage, true, 2000);
	start_anew(stage);
	start_anew(stage);
	assert_false(asic->atm);
	order_now(stage, true, 3000);
	assert_true(asic->atm);
	draws(stage, full_w);
	stage_close(stage);
}

/* Found at full power, it is as its owner wants it now. */
static void an_owner_who_switched_the_tuner_off_meanwhile_is_heard(void **state)
{
	struct stage *stage = stage_open();
	struct asic *asic = &stage->farm.asics[0];
	(void)state;
	asic->atm = true;
	poll_now(stage);
	asic->atm = false;
	start_anew(stage);
	order_now(stage, true, 2000);
	order_now(stage, true, FULL_W);
	assert_false(asic->atm);
	stage_close(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_miner_is_told_2_kw_and_draws_it),
		cmocka_unit_test(sleep_keeps_it_and_a_wake_brings_another),
		cmocka_unit_test(its_tuner_gives_way_and_comes_back),
		cmocka_unit_test(its_tuner_comes_back_after_a_reload),
		cmocka_unit_test(its_owners_profile_outlasts_a_reload),
		cmocka_unit_test(its_tuner_and_profile_outlast_a_restart),
		cmocka_unit_test(an_owner_who_switched_the_tuner_off_meanwhile_is_heard),
		cmocka_unit_test(an_order_right_after_a_reload_is_followed),
		cmocka_unit_test(what_is_known_of_one_that_is_gone_is_let_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
