/* The LuxOS driver against a miner on a real socket that follows a script, request by request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/cgminer_desk.h"
#include "drivers/miner_room.h"
#include "tests/miner_recording.h"
#include "tests/scripted_miner.h"

#define POLL     "{\"command\":\"power+config+summary\"}"
#define TABLES   "{\"command\":\"version+profiles\"}"
#define POWER    "{\"command\":\"power\"}"
#define CONFIG   "{\"command\":\"config\"}"
#define SUMMARY  "{\"command\":\"summary\"}"
#define VERSION  "{\"command\":\"version\"}"
#define PROFILES "{\"command\":\"profiles\"}"
#define LOGON    "{\"command\":\"logon\"}"
#define SESSION  "{\"command\":\"session\"}"
#define CURTAIL(what) "{\"command\":\"curtail\",\"parameter\":\"" what "\"}"
#define PROFILE(what) "{\"command\":\"profileset\",\"parameter\":\"" what "\"}"
#define ATM(what)     "{\"command\":\"atmset\",\"parameter\":\"" what "\"}"

struct stage {                          /* a loop, a miner, its owner */
	uv_loop_t loop;
	struct scripted miner;
	struct owner owner;
	struct act acts[24];
	struct recording said[24];
};

static struct stage *stage_open(const struct act *acts, size_t n, struct miner_conf conf)
{
	struct stage *stage = calloc(1, sizeof *stage);
	uv_loop_init(&stage->loop);
	for (size_t i = 0; i < n; i++) {
		stage->acts[i] = acts[i];
		if (!acts[i].reply)
			continue;
		stage->said[i] = recording(acts[i].reply);
		stage->acts[i].reply = stage->said[i].text;
	}
	scripted_open(&stage->miner, &stage->loop, stage->acts, n);
	conf.host = "127.0.0.1";
	conf.port = stage->miner.port;
	conf.timeout_ms = conf.timeout_ms ? conf.timeout_ms : 20000;
	owner_open(&stage->owner, "luxos", &stage->loop, &conf);
	return stage;
}
#define STAGE(acts, ...) stage_open(acts, sizeof acts / sizeof *acts, (struct miner_conf){ __VA_ARGS__ })

static bool stage_close(struct stage *stage)
{
	if (!stage->owner.closing)
		owner_close(&stage->owner);
	bool closed = loop_until(&stage->loop, &stage->owner.closed, 1);
	bool ended = all_ended(&stage->loop, &stage->miner);
	for (size_t i = 0; i < 24; i++)
		free(stage->said[i].text);
	free(stage);
	return closed && ended;
}

static void poll_now(struct stage *stage)
{
	owner_poll(&stage->owner);
	assert_true(loop_until(&stage->loop, &stage->owner.readings, stage->owner.readings + 1));
}

static enum fault order_now(struct stage *stage, bool hash, int32_t limit_w)
{
	struct owner *owner = &stage->owner;
	owner_order(owner, hash, limit_w);
	assert_true(loop_until(&stage->loop, &owner->answers, owner->answers + 1));
	return owner->answered[owner->answers - 1];
}

static void a_first_poll_reads_the_tables_and_a_second_does_not(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
		{ TABLES, "luxos_tables", SAY_AND_STAY },
		{ POLL, "luxos_poll_asleep", DRIBBLE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	(void)state;
	uint64_t before_ms = uv_now(&stage->loop);
	poll_now(stage);
	const struct miner_reading *last = &stage->owner.last;
	assert_int_equal(last->fault, FAULT_NONE);
	assert_int_equal(last->state, MINER_HASHING);
	assert_int_equal(last->power_w, 2761);
	assert_int_equal(last->awake_w, 2794);
	assert_true(last->knows_power && last->steerable);
	assert_in_range(last->at_ms, before_ms, uv_now(&stage->loop));
	poll_now(stage);
	assert_int_equal(last->state, MINER_ASLEEP);
	assert_int_equal(last->power_w, 24);
	assert_true(stage_close(stage));
}

static void who_only_watches_steers_nothing(void **state)
{
	static const struct act acts[] = { { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } };
	struct stage *stage = STAGE(acts, .steer = false);
	(void)state;
	poll_now(stage);
	assert_false(stage->owner.last.steerable);
	assert_int_equal(order_now(stage, false, 0), FAULT_REFUSED);
	assert_true(stage_close(stage));
}

static void what_can_not_curtail_is_not_steerable(void **state)
{
	static const struct act acts[][2] = {
		{ { POLL, "luxos_poll_uncurtailable", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } },
		{ { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "stock_tables", SAY_AND_CLOSE } },
	};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stage *stage = STAGE(acts[i], .steer = true);
		poll_now(stage);
		assert_int_equal(stage->owner.last.state, MINER_HASHING);
		assert_false(stage->owner.last.steerable);
		assert_true(stage_close(stage));
	}
}

static void a_firmware_that_does_not_join_is_read_piece_by_piece(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_invalid", SAY_AND_CLOSE },
		{ POWER, "luxos_power", SAY_AND_CLOSE }, { CONFIG, "luxos_config", SAY_NUL_AND_STAY },
		{ SUMMARY, "luxos_summary", SAY_AND_CLOSE },
		{ VERSION, "luxos_version", SAY_AND_CLOSE }, { PROFILES, "luxos_profiles", SAY_AND_CLOSE },
		{ POWER, "luxos_power", SAY_AND_CLOSE }, { CONFIG, "luxos_config", SAY_AND_CLOSE },
		{ SUMMARY, "luxos_summary", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	(void)state;
	for (int i = 0; i < 2; i++) {
		poll_now(stage);
		assert_int_equal(stage->owner.last.fault, FAULT_NONE);
		assert_int_equal(stage->owner.last.state, MINER_HASHING);
		assert_int_equal(stage->owner.last.power_w, 2761);
		assert_int_equal(stage->owner.last.awake_w, 2794);
	}
	assert_true(stage_close(stage));
}

static void tables_that_fail_do_not_spoil_the_reading(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_HALF_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .nominal_w = 3000, .steer = true);
	(void)state;
	for (int i = 0; i < 2; i++) {
		poll_now(stage);
		assert_int_equal(stage->owner.last.fault, FAULT_NONE);
		assert_int_equal(stage->owner.last.awake_w, 0);
		assert_int_equal(stage->owner.last.power_w, 2761);
	}
	assert_int_equal(order_now(stage, true, 2500), FAULT_REFUSED);          /* no profile is known */
	assert_true(stage_close(stage));
}

static void each_fault_of_a_read_has_its_name(void **state)
{
	static const struct { struct act act; enum fault fault; uint32_t timeout_ms; } cases[] = {
		{ { POLL, NULL, SILENT }, FAULT_SILENT, 150 },
		{ { POLL, NULL, CLOSE }, FAULT_REFUSED, 0 },
		{ { POLL, NULL, FLOOD }, FAULT_GARBLED, 0 },
		{ { POLL, "luxos_poll", SAY_HALF_AND_CLOSE }, FAULT_GARBLED, 0 },
		{ { POLL, "btminer_cut", SAY_NUL_AND_STAY }, FAULT_GARBLED, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct act acts[] = { cases[i].act };
		struct stage *stage = STAGE(acts, .timeout_ms = cases[i].timeout_ms);
		poll_now(stage);
		assert_int_equal(stage->owner.last.fault, cases[i].fault);
		assert_true(stage->owner.last.at_ms > 0);
		assert_true(stage_close(stage));
	}
}

static void absurd_watts_are_no_reading(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_absurd", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .nominal_w = 3000);
	(void)state;
	poll_now(stage);
	assert_int_equal(stage->owner.last.fault, FAULT_ABSURD);
	assert_true(stage_close(stage));
}

static void a_second_order_within_a_minute_is_one_connection(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_STAY },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	(void)state;
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(stage->miner.connections, 2);
	assert_int_equal(order_now(stage, true, 0), FAULT_NONE);
	assert_int_equal(stage->miner.connections, 3);
	assert_true(stage_close(stage));
}

static void sessions_are_taken_over_and_renewed(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_busy", SAY_AND_CLOSE }, { SESSION, "luxos_session", SAY_AND_CLOSE },
		{ CURTAIL("zZ98yY76,sleep"), "luxos_already", SAY_AND_CLOSE },
		{ CURTAIL("zZ98yY76,wakeup,mode=unsafe"), "luxos_expired", SAY_AND_CLOSE }, { LOGON, "luxos_logon", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup,mode=unsafe"), "luxos_refused", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .wake = "unsafe");
	(void)state;
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 0), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void a_limit_is_a_profile(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_atm", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { ATM("AbCd1234,enabled=false"), "luxos_atmset", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,490MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,190MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,190MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	(void)state;
	poll_now(stage);
	assert_int_equal(stage->owner.last.awake_w, 1188);
	assert_int_equal(order_now(stage, true, 2484), FAULT_NONE);
	poll_now(stage);                /* profile changed, but the tables were read less than a minute ago */
	assert_int_equal(stage->owner.last.awake_w, 2794);
	assert_int_equal(order_now(stage, true, 977), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 100), FAULT_NONE);     /* the least it knows */
	assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 3000), FAULT_NONE);
	assert_true(stage_close(stage));
}

#define FIRST_POLL { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE }

static void nominal_is_its_full_profile(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL,
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,540MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	/* What it measures is below its table: by the table alone, full would be 540MHz. */
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2600);
	(void)state;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);
	poll_now(stage);
	assert_int_equal(stage->owner.last.awake_w, 1916);
	assert_int_equal(stage->owner.last.power_w, 1890);
	assert_int_equal(order_now(stage, true, 2600), FAULT_NONE);
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2599), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 2600), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void a_faster_profile_of_its_own_comes_back(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_faster", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,640MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE },          /* somebody changed it: that is its own now */
		{ PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2800);
	(void)state;
	for (int i = 0; i < 2; i++) {
		poll_now(stage);
		assert_int_equal(order_now(stage, true, i ? 2800 : 2000), FAULT_NONE);
	}
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 2800), FAULT_NONE);
	assert_true(stage_close(stage));
}

/* Whoever starts beside a miner at a limit does not take that for full. */
static void a_limit_of_an_earlier_run_is_not_full(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2800);
	(void)state;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2800), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void atm_is_on_again_at_full_power(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll_atm", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE },
		{ ATM("AbCd1234,enabled=false"), "luxos_atmset", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE }, { ATM("AbCd1234,enabled=true"), "luxos_refused", SAY_AND_CLOSE },
		{ ATM("AbCd1234,enabled=false"), "luxos_atmset", SAY_AND_CLOSE },      /* it may be on */
		{ PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE }, { ATM("AbCd1234,enabled=true"), "luxos_atmset", SAY_AND_CLOSE },
		{ ATM("AbCd1234,enabled=false"), "luxos_atmset", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2800);
	(void)state;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2800), FAULT_REFUSED);
	assert_int_equal(order_now(stage, true, 2800), FAULT_NONE);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);    /* no poll in between: it is known to be on */
	assert_true(stage_close(stage));
}

static void sleeping_keeps_the_limit(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL,
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_profileset", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE }, { PROFILE("AbCd1234,default"), "luxos_profileset", SAY_AND_CLOSE },
	};
	static const int32_t wakes_w[] = { 2000, 0, 2794 };    /* as it is, in so many words and in none; and another power for one asleep */
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2794);
	(void)state;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_NONE);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(order_now(stage, false, 0), FAULT_NONE);
		if (i == 0)
			poll_now(stage);
		assert_int_equal(order_now(stage, true, wakes_w[i]), FAULT_NONE);
	}
	assert_true(stage_close(stage));
}

static void tables_are_read_again_where_they_are_wrong(void **state)
{
	static const struct act acts[] = {
		FIRST_POLL,
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },  /* another profile of the same table */
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { PROFILE("AbCd1234,440MHz"), "luxos_refused", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_limited", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true, .nominal_w = 2794);
	(void)state;
	poll_now(stage);
	stage->owner.room->ahead_ms += 61000;
	poll_now(stage);
	assert_int_equal(order_now(stage, true, 2000), FAULT_REFUSED);
	for (int i = 0; i < 2; i++) {
		stage->owner.room->ahead_ms += 61000;
		poll_now(stage);
	}
	assert_true(stage_close(stage));
}

static void the_fault_of_an_order_has_its_name(void **state)
{
	static const struct { struct act act; enum fault fault; uint32_t timeout_ms; } cases[] = {
		{ { LOGON, NULL, SILENT }, FAULT_SILENT, 150 },
		{ { LOGON, NULL, CLOSE }, FAULT_SILENT, 0 },
		{ { LOGON, NULL, RESET }, FAULT_SILENT, 0 },
		{ { LOGON, "luxos_logon", SAY_HALF_AND_CLOSE }, FAULT_GARBLED, 0 },
		{ { LOGON, "luxos_invalid", SAY_AND_CLOSE }, FAULT_REFUSED, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct act acts[] = { cases[i].act };
		struct stage *stage = STAGE(acts, .steer = true, .timeout_ms = cases[i].timeout_ms);
		assert_int_equal(order_now(stage, false, 0), cases[i].fault);
		assert_true(stage_close(stage));
	}
}

static void a_newer_order_replaces_one_that_waits(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	(void)state;
	owner_order(owner, true, 0);
	owner_order(owner, true, 0);
	owner_order(owner, false, 0);
	assert_true(loop_until(&stage->loop, &owner->answers, 3));
	assert_int_equal(owner->answered[0], FAULT_REFUSED);
	assert_int_equal(owner->answered[1], FAULT_REFUSED);
	assert_int_equal(owner->answered[2], FAULT_NONE);
	assert_true(stage_close(stage));
}

/* The order to wake is past its logon when the one to sleep comes: its wakeup is not sent any more. */
static void a_newer_order_breaks_off_the_one_under_way(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_logon", DRIBBLE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	(void)state;
	owner_order(owner, true, 0);
	assert_true(loop_until(&stage->loop, &stage->miner.connections, 1));
	assert_int_equal(owner->answers, 0);
	owner_order(owner, true, 0);
	owner_order(owner, false, 0);
	assert_true(loop_until(&stage->loop, &owner->answers, 3));
	assert_int_equal(owner->answered[0], FAULT_REFUSED);
	assert_int_equal(owner->answered[1], FAULT_REFUSED);
	assert_int_equal(owner->answered[2], FAULT_NONE);
	assert_true(stage_close(stage));
}

/* The order breaks off the first poll, which begins anew after it; one answer serves all three polls. */
static void an_order_goes_before_a_poll_and_into_it(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SILENT },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_ramping", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	(void)state;
	owner_poll(owner);
	owner_poll(owner);
	assert_true(loop_until(&stage->loop, &stage->miner.played, 1));
	owner_order(owner, false, 0);
	owner_poll(owner);
	assert_true(loop_until(&stage->loop, &owner->readings, 1));
	assert_int_equal(owner->answers, 1);
	assert_int_equal(owner->last.state, MINER_HASHING);
	owner_poll(owner);
	owner_order(owner, true, 0);
	assert_true(loop_until(&stage->loop, &owner->readings, 2));
	assert_int_equal(owner->answers, 2);
	assert_int_equal(owner->last.state, MINER_RAMPING);
	assert_true(stage_close(stage));
}

/* A poll that waits for its next exchange begins anew as well: what it has read so far is older than the order. */
static void an_order_goes_between_two_exchanges_of_a_poll(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SAY_AND_CLOSE },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ POLL, "luxos_poll_ramping", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	struct cgminer_line *line = &((struct cgminer_desk *)owner->miner)->line;
	(void)state;
	owner_poll(owner);
	while (stage->miner.played == 0 || line->state != LINE_WAITING)
		uv_run(&stage->loop, UV_RUN_ONCE);
	owner_order(owner, false, 0);
	assert_true(loop_until(&stage->loop, &owner->readings, 1));
	assert_int_equal(owner->answers, 1);
	assert_int_equal(owner->last.state, MINER_RAMPING);
	assert_true(stage_close(stage));
}

/* A miner told to sleep is not taken for awake because a reading, too early to show it, says so. */
static void an_old_reading_does_not_skip_the_wakeup(void **state)
{
	static const struct act acts[] = {
		{ POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SILENT },
		{ LOGON, "luxos_logon", SAY_AND_CLOSE }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE },
		{ POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE },
		{ CURTAIL("AbCd1234,wakeup"), "luxos_wake", SAY_AND_CLOSE },
		{ PROFILE("AbCd1234,490MHz"), "luxos_profileset", SAY_AND_CLOSE },
	};
	struct stage *stage = STAGE(acts, .steer = true);
	struct owner *owner = &stage->owner;
	(void)state;
	owner_poll(owner);
	assert_true(loop_until(&stage->loop, &stage->miner.played, 2));
	owner_order(owner, false, 0);
	assert_true(loop_until(&stage->loop, &owner->readings, 1));
	assert_int_equal(owner->last.state, MINER_HASHING);
	assert_int_equal(order_now(stage, true, 2400), FAULT_NONE);
	assert_true(stage_close(stage));
}

static void ask_again(struct owner *owner)
{
	if (owner->polls < 6)
		owner_poll(owner);
	if (owner->orders < 6)
		owner_order(owner, false, 0);
}

static void the_owner_may_ask_from_inside_an_answer(void **state)
{
	struct act acts[16];
	size_t n = 0;
	(void)state;
	acts[n++] = (struct act){ POLL, "luxos_poll", SAY_AND_CLOSE };
	acts[n++] = (struct act){ TABLES, "luxos_tables", SAY_AND_CLOSE };
	acts[n++] = (struct act){ LOGON, "luxos_logon", SAY_AND_CLOSE };
	for (int i = 0; i < 6; i++)
		acts[n++] = (struct act){ CURTAIL("AbCd1234,sleep"), "luxos_sleep", SAY_AND_CLOSE };
	acts[n++] = (struct act){ POLL, "luxos_poll", SAY_AND_CLOSE };
	struct stage *stage = stage_open(acts, n, (struct miner_conf){ .steer = true });
	stage->owner.then = ask_again;
	owner_poll(&stage->owner);
	assert_true(loop_until(&stage->loop, &stage->owner.readings, 2));
	assert_int_equal(stage->owner.answers, 6);
	assert_true(stage_close(stage));
}

static void order_again(struct owner *owner)
{
	struct stage *stage = (struct stage *)(void *)((char *)owner - offsetof(struct stage, owner));
	if (owner->orders < 2)
		owner_order(owner, false, 0);
	else if (owner->answers == 2 && owner->readings == 0)
		assert(stage->miner.connections == 0 && !cgminer_line_under_way(&((struct cgminer_desk *)owner->miner)->line));
}

static void an_order_from_inside_an_answer_goes_before_a_poll(void **state)
{
	static const struct act acts[] = { { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } };
	struct stage *stage = STAGE(acts, .steer = false);
	(void)state;
	stage->owner.then = order_again;
	owner_poll(&stage->owner);
	owner_order(&stage->owner, true, 0);
	assert_true(loop_until(&stage->loop, &stage->owner.answers, 2));
	assert_true(loop_until(&stage->loop, &stage->owner.readings, 1));
	assert_true(stage_close(stage));
}

static void close_from_inside(struct owner *owner)
{
	owner_close(owner);
}

static void the_owner_may_close_from_inside_an_answer(void **state)
{
	static const struct act acts[] = { { POLL, "luxos_poll", SAY_AND_CLOSE }, { TABLES, "luxos_tables", SAY_AND_CLOSE } };
	(void)state;
	for (int with_order = 0; with_order < 2; with_order++) {
		struct stage *stage = stage_open(acts, with_order ? 0 : 2, (struct miner_conf){ .steer = !with_order });
		stage->owner.then = close_from_inside;
		if (with_order) {
			owner_order(&stage->owner, true, 0);
			owner_order(&stage->owner, true, 0);
			owner_order(&stage->owner, true, 0);
		}
		owner_poll(&stage->owner);
		assert_true(loop_until(&stage->loop, &stage->owner.closed, 1));
		assert_true(stage_close(stage));
	}
}

static void closing_in_the_middle_of_everything(void **state)
{
	static const struct act acts[] = {
		{ LOGON, "luxos_busy", SAY_AND_CLOSE }, { SESSION, "luxos_session", DRIBBLE },
		{ CURTAIL("zZ98yY76,sleep"), "luxos_sleep", SAY_AND_STAY },
		{ POLL, "luxos_poll", DRIBBLE }, { TABLES, "luxos_tables", SAY_NUL_AND_CLOSE },
	};
	(void)state;
	for (unsigned turns = 0; turns < 120; turns += 1 + turns / 10) {
		struct stage *stage = STAGE(acts, .steer = true);
		owner_poll(&stage->owner);
		owner_order(&stage->owner, false, 0);
		for (unsigned i = 0; i < turns; i++)
			uv_run(&stage->loop, UV_RUN_NOWAIT);
		owner_close(&stage->owner);
		assert_true(loop_until(&stage->loop, &stage->owner.closed, 1));
		assert_false(stage->miner.wrong);
		stage->miner.next = stage->miner.n;
		assert_true(stage_close(stage));
	}
}

static void drivers_have_names_and_words(void **state)
{
	(void)state;
	const struct miner_driver *luxos = miner_driver_named("luxos"), *cgminer = miner_driver_named("cgminer");
	assert_string_equal(luxos->name, "luxos");
	assert_string_equal(cgminer->name, "cgminer");
	assert_null(miner_driver_named("acme"));
	assert_string_equal(miner_driver_names(), "luxos, cgminer");
	assert_string_equal(luxos->wakes[2], "unsafe");
	assert_null(luxos->cannot);
	assert_non_null(strstr(cgminer->cannot, "reports no watts"));
	assert_int_equal(cgminer->step_w, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_poll_reads_the_tables_and_a_second_does_not),
		cmocka_unit_test(who_only_watches_steers_nothing),
		cmocka_unit_test(what_can_not_curtail_is_not_steerable),
		cmocka_unit_test(a_firmware_that_does_not_join_is_read_piece_by_piece),
		cmocka_unit_test(tables_that_fail_do_not_spoil_the_reading),
		cmocka_unit_test(each_fault_of_a_read_has_its_name),
		cmocka_unit_test(absurd_watts_are_no_reading),
		cmocka_unit_test(a_second_order_within_a_minute_is_one_connection),
		cmocka_unit_test(sessions_are_taken_over_and_renewed),
		cmocka_unit_test(a_limit_is_a_profile),
		cmocka_unit_test(nominal_is_its_full_profile),
		cmocka_unit_test(a_faster_profile_of_its_own_comes_back),
		cmocka_unit_test(a_limit_of_an_earlier_run_is_not_full),
		cmocka_unit_test(atm_is_on_again_at_full_power),
		cmocka_unit_test(sleeping_keeps_the_limit),
		cmocka_unit_test(tables_are_read_again_where_they_are_wrong),
		cmocka_unit_test(the_fault_of_an_order_has_its_name),
		cmocka_unit_test(a_newer_order_replaces_one_that_waits),
		cmocka_unit_test(a_newer_order_breaks_off_the_one_under_way),
		cmocka_unit_test(an_order_goes_before_a_poll_and_into_it),
		cmocka_unit_test(an_order_goes_between_two_exchanges_of_a_poll),
		cmocka_unit_test(an_old_reading_does_not_skip_the_wakeup),
		cmocka_unit_test(the_owner_may_ask_from_inside_an_answer),
		cmocka_unit_test(an_order_from_inside_an_answer_goes_before_a_poll),
		cmocka_unit_test(the_owner_may_close_from_inside_an_answer),
		cmocka_unit_test(closing_in_the_middle_of_everything),
		cmocka_unit_test(drivers_have_names_and_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
