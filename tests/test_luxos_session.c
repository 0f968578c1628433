/* How the LuxOS driver keeps a session at hand, found out by turning the room's time ahead. */
#include "drivers/cgminer_desk.h"
#include "drivers/miner_room.h"
#include "tests/luxos_bench.h"

#define OURS       { LOGON, "luxos_logon", SAY_AND_CLOSE }                                              /* AbCd1234 */
#define THEIRS     { LOGON, "luxos_busy", SAY_AND_CLOSE }, { SESSION, "luxos_session", SAY_AND_CLOSE }  /* zZ98yY76 */
#define SLEEP(id)  { CURTAIL(id ",sleep"), "luxos_sleep", SAY_AND_CLOSE }

static void poll_well(struct stage *stage)
{
	assert_int_equal(poll_now(stage)->fault, FAULT_NONE);
}

/* Time goes by until the miner was asked so many things in all. */
static void later(struct stage *stage, int64_t ms, unsigned asked)
{
	stage->owner.room->ahead_ms += ms;
	assert_true(loop_until(&stage->loop, &stage->miner.played, asked));
}

/* Time goes by, reminders come and go, and nothing is asked. */
static void nothing_within(struct stage *stage, int64_t ms)
{
	unsigned before = stage->miner.connections, ticks = 0;
	stage->owner.room->ahead_ms += ms;
	struct miner_room *room = stage->owner.room;
	int64_t until_at = miner_room_now_ms(room) / ROOM_CHIME_MS;
	uv_timer_t wake;
	uv_timer_init(&stage->loop, &wake);
	wake.data = &ticks;
	uv_timer_start(&wake, scripted_tick, 5, 5);
	while (uv_is_active((uv_handle_t *)&room->chime) && room->chimed_at < until_at)
		uv_run(&stage->loop, UV_RUN_ONCE);
	ticks = 0;
	while (ticks < 6)                               /* for what would come of it */
		uv_run(&stage->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&wake, NULL);
	uv_run(&stage->loop, UV_RUN_NOWAIT);
	assert_int_equal(stage->miner.connections, before);
}

static void who_does_not_keep_never_logs_on(void **state)
{
	static const struct act acts[] = { FIRST_POLL };
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2794);
	(void)state;
	poll_well(stage);
	nothing_within(stage, 100000);
	assert_true(stage_close(stage));
}

static void what_can_not_be_steered_is_not_logged_on_to(void **state)
{
	static const struct act acts[] = { { POLL, "luxos_poll_uncurtailable", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } };
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	nothing_within(stage, 100000);
	assert_true(stage_close(stage));
}

static void an_order_costs_one_connection(void **state)
{
	static const struct act acts[] = { FIRST_POLL, OURS, SLEEP("AbCd1234") };
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	nothing_within(stage, 0);
	later(stage, 22000, 3);
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(stage->miner.connections, 4);
	assert_true(stage_close(stage));
}

static void a_session_is_renewed_when_it_has_ended(void **state)
{
	static const struct act acts[] = { FIRST_POLL, OURS, OURS, SLEEP("AbCd1234"), OURS };
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	later(stage, 22000, 3);
	nothing_within(stage, 55000);
	later(stage, 8000, 4);
	nothing_within(stage, 40000);
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);       /* and lives a minute from here */
	nothing_within(stage, 50000);
	later(stage, 12000, 6);
	assert_true(stage_close(stage));
}

static void somebody_elses_session_is_found(void **state)
{
	static const struct act acts[] = { FIRST_POLL, THEIRS, SLEEP("zZ98yY76") };
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	later(stage, 22000, 4);
	nothing_within(stage, 50000);
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_true(stage_close(stage));
}

/* The old one is there still: once, it may be ours; after that it is somebody's, and asked for once a minute. */
static void a_session_that_does_not_end_is_not_asked_for_all_the_time(void **state)
{
	static const struct act acts[] = { FIRST_POLL, THEIRS, THEIRS, THEIRS, THEIRS, OURS };
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	later(stage, 22000, 4);
	later(stage, 62000, 6);
	later(stage, 4000, 8);
	nothing_within(stage, 50000);
	later(stage, 12000, 10);
	nothing_within(stage, 50000);
	later(stage, 12000, 11);
	assert_true(stage_close(stage));
}

static void a_session_that_ended_early_is_taken_anew(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL, OURS, { CURTAIL("AbCd1234,sleep"), "luxos_expired", SAY_AND_CLOSE }, THEIRS, SLEEP("zZ98yY76"),
	};
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	later(stage, 22000, 3);
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(stage->miner.connections, 7);
	assert_true(stage_close(stage));
}

/* The log-on under way is awaited, not broken off: its id is what the order needs. */
static void an_order_during_the_log_on_uses_it(void **state)
{
	static const struct act acts[] = { FIRST_POLL, { LOGON, "luxos_logon", DRIBBLE }, SLEEP("AbCd1234") };
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	stage->owner.room->ahead_ms += 22000;
	assert_true(loop_until(&stage->loop, &stage->miner.connections, 3));
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(stage->miner.connections, 4);
	assert_true(stage_close(stage));
}

/* The poll takes the line, so the keeping waits; then the order takes a session, and the keeping lets it be. */
static void an_order_before_the_log_on_leaves_its_session(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL, { POLL, NULL, SILENT }, OURS, SLEEP("AbCd1234"), { POLL, "luxos_poll", SAY_AND_CLOSE }, SLEEP("AbCd1234"),
	};
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	struct owner *owner = &stage->owner;
	(void)state;
	poll_well(stage);
	owner_poll(owner);
	assert_true(loop_until(&stage->loop, &stage->miner.played, 3));
	nothing_within(stage, 15000);                   /* the poll's time is not up */
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_true(loop_until(&stage->loop, &owner->readings, 2));
	nothing_within(stage, 30000);
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void a_failed_log_on_is_tried_again(void **state)
{
	static const struct act acts[] = { FIRST_POLL, { LOGON, NULL, CLOSE }, OURS, SLEEP("AbCd1234") };
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	later(stage, 22000, 3);
	nothing_within(stage, 50000);
	later(stage, 12000, 4);
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void reopen(struct stage *stage)
{
	struct miner_conf conf = ((struct cgminer_desk *)stage->owner.miner)->conf;
	owner_reopen(&stage->owner, &stage->loop, &conf);
}

/* The old one is there still, once: it may be ours, and is asked for again soon. */
static void a_log_on_cut_by_a_reload_knows_the_old_session(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL, THEIRS, { LOGON, NULL, SILENT }, { POLL, "luxos_poll", SAY_AND_CLOSE }, THEIRS, THEIRS,
	};
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	later(stage, 22000, 4);
	later(stage, 62000, 5);
	reopen(stage);
	poll_well(stage);
	later(stage, 22000, 8);
	later(stage, 4000, 10);
	nothing_within(stage, 50000);
	assert_true(stage_close(stage));
}

static void a_log_on_cut_by_a_reload_knows_whose_session_it_was(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL, THEIRS, THEIRS, THEIRS, { LOGON, NULL, SILENT }, { POLL, "luxos_poll", SAY_AND_CLOSE }, THEIRS,
	};
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	(void)state;
	poll_well(stage);
	later(stage, 22000, 4);
	later(stage, 62000, 6);
	later(stage, 4000, 8);
	later(stage, 62000, 9);
	reopen(stage);
	poll_well(stage);
	later(stage, 22000, 12);
	nothing_within(stage, 50000);
	assert_true(stage_close(stage));
}

/* The recorded poll, with a MAC in it; the caller frees it. */
static char *poll_of(const char *name, const char *mac)
{
	struct recording r = recording(name);
	char *text = calloc(1, r.len + 100), *config = strstr(r.text, "\"CONFIG\":[{");
	assert_non_null(config);
	config += strlen("\"CONFIG\":[{");
	snprintf(text, r.len + 100, "%.*s\"MACAddr\":\"%s\",%s", (int)(config - r.text), r.text, mac, config);
	free(r.text);
	return text;
}

/* Another machine answers at the address: neither the session nor the profiles of the one before are used. */
static void another_machine_is_met_afresh(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL, OURS, { PROFILE("AbCd1234,490MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, NULL, CLOSE },
		THEIRS, SLEEP("zZ98yY76"),
	};
	struct stage *stage = STAGE(acts, .steer = true, .keep_session = true);
	char *one = poll_of("luxos_poll", "02:00:00:00:00:01"), *another = poll_of("luxos_poll", "02:00:00:00:00:02");
	(void)state;
	stage->acts[0].reply = one;
	stage->acts[4].reply = another;
	poll_well(stage);
	uint64_t identity = stage->owner.last.identity;
	later(stage, 22000, 3);
	assert_int_equal(order_now(stage, true, 2400), FAULT_NONE);
	poll_well(stage);
	assert_true(identity && stage->owner.last.identity && identity != stage->owner.last.identity);
	assert_int_equal(stage->owner.last.awake_w, 0);
	assert_int_equal(order_now(stage, true, 2400), FAULT_REFUSED);
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_true(stage_close(stage));
	free(one);
	free(another);
}

/* What was kept over a restart is the machine's, not the address's. */
static void what_another_machines_owner_set_is_not_this_ones(void **state)
{
	static const struct act acts[] = { { POLL, NULL, SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } };
	static const struct miner_own kept = { "190MHz", true };
	char *poll = poll_of("luxos_poll_limited", "02:00:00:00:00:01");
	uint64_t identity = 0;
	(void)state;
	for (int i = 0; i < 3; i++) {           /* of one that did not tell, of another, of the same */
		struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2794);
		struct miner *miner = stage->owner.miner;
		struct miner_memory memory = { 0 };
		struct miner_own own;
		stage->acts[0].reply = poll;
		miner->driver->take_own(&memory, i == 1 ? ~identity : identity, &kept);
		miner->driver->recall(miner, &memory);
		poll_well(stage);
		identity = stage->owner.last.identity;
		assert_true(miner->driver->tell_own(miner, &own) == (i != 1));
		assert_string_equal(own.profile, i == 1 ? "" : "190MHz");
		assert_int_equal(own.atm, i != 1);
		assert_true(stage_close(stage));
	}
	free(poll);
}

/* ---- a name that is not found ---- */

static void a_name_that_is_not_found_answers_what_was_asked(void **state)
{
	struct stage *stage = stage_open("luxos", NULL, 0, (struct miner_conf){ .host = "not..a..name", .steer = true });
	struct owner *owner = &stage->owner;
	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		owner_poll(owner);
		assert_true(loop_until(&stage->loop, &owner->readings, i));
		assert_int_equal(owner->last.fault, FAULT_SILENT);
		assert_int_equal(order_now(stage, false, 0), FAULT_SILENT);
	}
	owner_poll(owner);
	assert_int_equal(order_now(stage, true, 0), FAULT_SILENT);
	assert_true(loop_until(&stage->loop, &owner->readings, 4));
	assert_true(stage_close(stage));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_does_not_keep_never_logs_on),
		cmocka_unit_test(what_can_not_be_steered_is_not_logged_on_to),
		cmocka_unit_test(an_order_costs_one_connection),
		cmocka_unit_test(a_session_is_renewed_when_it_has_ended),
		cmocka_unit_test(somebody_elses_session_is_found),
		cmocka_unit_test(a_session_that_does_not_end_is_not_asked_for_all_the_time),
		cmocka_unit_test(a_session_that_ended_early_is_taken_anew),
		cmocka_unit_test(an_order_during_the_log_on_uses_it),
		cmocka_unit_test(an_order_before_the_log_on_leaves_its_session),
		cmocka_unit_test(a_failed_log_on_is_tried_again),
		cmocka_unit_test(a_log_on_cut_by_a_reload_knows_the_old_session),
		cmocka_unit_test(a_log_on_cut_by_a_reload_knows_whose_session_it_was),
		cmocka_unit_test(another_machine_is_met_afresh),
		cmocka_unit_test(what_another_machines_owner_set_is_not_this_ones),
		cmocka_unit_test(a_name_that_is_not_found_answers_what_was_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
