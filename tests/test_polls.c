/* Whose turn it is among very many miners: all are asked before the policy stops to wait for them, and evenly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/site.h"
#include "daemon/xalloc.h"

#define EVERY_MS 30000
#define HEARD_BY_MS 20000               /* of the 30 s that the policy waits; the slowest answers need some, too */

struct fake { struct miner miner; uint32_t polls; };

static struct rig {
	struct manual_clock clock;
	struct fake *miners;
	size_t n, n_heard, n_asked, n_polls;
	struct fake **asked;            /* and not answered yet */
} rig;

static struct miner *fake_open(struct miner_room *room, const struct miner_conf *conf, struct miner_user user)
{
	struct fake *fake = &rig.miners[rig.n++];
	fake->miner.user = user;
	(void)room;
	(void)conf;
	return &fake->miner;
}

static void fake_poll(struct miner *miner)
{
	struct fake *fake = (struct fake *)(void *)miner;
	rig.n_heard += !fake->polls++;
	rig.n_polls++;
	rig.asked[rig.n_asked++] = fake;
}

static void fake_close(struct miner *miner)
{
	(void)miner;                    /* told later */
}

static const struct miner_driver driver = { .open = fake_open, .poll = fake_poll, .close = fake_close };

static struct instant now(const struct clock *clock)
{
	return ((const struct manual_clock *)(const void *)clock)->at;
}

static void answer_all(void)
{
	struct miner_reading reading = { .fault = FAULT_NONE, .at_ms = rig.clock.at.mono_ms, .state = MINER_HASHING, .power_w = 3500 };
	while (rig.n_asked > 0) {
		struct miner *miner = &rig.asked[--rig.n_asked]->miner;
		miner->user.on_reading(miner->user.self, &reading);
	}
}

static void on_closed(void *self)
{
	*(bool *)self = true;
}

/* Until so long after the start; the most polls that came within 10 ms. */
static size_t run_until(struct site *site, int64_t *next_ms, int64_t end_ms)
{
	size_t most = 0;
	while (*next_ms <= end_ms) {
		size_t before = rig.n_polls;
		rig.clock.at.mono_ms = *next_ms;
		int64_t soonest_ms = *next_ms + 1, at_ms = site_poll(site, rig.clock.at);
		*next_ms = at_ms > soonest_ms ? at_ms : soonest_ms;
		most = rig.n_polls - before > most ? rig.n_polls - before : most;
		answer_all();
	}
	return most;
}

/* The most polls within 10 ms. */
static size_t find_all(size_t n)
{
	static const struct policy_miner_group group = { .nominal_w = 3500, .stale_ms = 95000 };
	struct site_miner *miners = xcalloc(n, sizeof(*miners));
	uint16_t *groups = xcalloc(n, sizeof(*groups));
	bool closed = false;
	for (size_t i = 0; i < n; i++)
		miners[i] = (struct site_miner){ .name = "hall/1", .driver = &driver, .every_ms = EVERY_MS };
	struct site_conf conf = { .name = "test", .miners = miners, .policy = {
		.cap_w = 1000000000, .miner_groups = &group, .n_miner_groups = 1, .miner_group = groups, .n_miners = n } };
	rig = (struct rig){ .clock = { .clock = { now }, .at = { .mono_ms = 1000 } },
	                    .miners = xcalloc(n, sizeof(*rig.miners)), .asked = xcalloc(n, sizeof(*rig.asked)) };
	struct site_rooms rooms = { .clock = &rig.clock.clock };
	struct site *site = site_new(&conf, &rooms, (struct site_user){ &closed, NULL, on_closed }, rig.clock.at);
	int64_t began_ms = rig.clock.at.mono_ms, next_ms = began_ms;
	site_start(site, rig.clock.at);
	size_t most = run_until(site, &next_ms, began_ms + HEARD_BY_MS);
	assert_int_equal(rig.n_heard, n);
	run_until(site, &next_ms, began_ms + HEARD_BY_MS + 3 * EVERY_MS);
	for (size_t i = 0; i < n; i++)
		assert_true(rig.miners[i].polls >= 3);
	site_close(site);
	for (size_t i = 0; i < n; i++)
		rig.miners[i].miner.user.on_closed(rig.miners[i].miner.user.self);
	assert_true(closed);
	free(rig.miners);
	free(rig.asked);
	free(miners);
	free(groups);
	return most;
}

static void all_are_asked_in_time_however_many(void **unused)
{
	assert_true(find_all(30000) <= 33);     /* as before: three a millisecond */
	find_all(80000);
	find_all(150000);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_are_asked_in_time_however_many) };
	return cmocka_run_group_tests_name("polls", tests, NULL, NULL);
}
