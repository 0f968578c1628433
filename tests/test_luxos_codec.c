/* What LuxOS says, and what an order to it takes: pure, no sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/luxos_errand.h"
#include "tests/miner_recording.h"

static enum fault read_as_luxos(const char *text, int32_t usual_w, struct miner_reading *reading)
{
	struct luxos_seen seen = { 0 };
	bool nothing;
	*reading = (struct miner_reading){ 0 };
	enum fault fault = luxos_decode(text, &seen, &nothing);
	return fault == FAULT_NONE ? luxos_judge(&seen, usual_w, reading) : fault;
}

static void what_a_luxos_says(void **state)
{
	static const struct { const char *name; enum fault fault; enum miner_state state; int32_t power_w, ghs; } cases[] = {
		{ "luxos_poll", FAULT_NONE, MINER_HASHING, 2761, 121456 },
		{ "luxos_poll_atm", FAULT_NONE, MINER_HASHING, 1051, 59756 },
		{ "luxos_poll_asleep", FAULT_NONE, MINER_ASLEEP, 24, 34 },
		{ "luxos_poll_ramping", FAULT_NONE, MINER_RAMPING, 612, 0 },
		{ "luxos_poll_absurd", FAULT_ABSURD, MINER_UNKNOWN, 0, 0 },
		{ "luxos_busy", FAULT_REFUSED, MINER_UNKNOWN, 0, 0 },
		{ "luxos_invalid", FAULT_REFUSED, MINER_UNKNOWN, 0, 0 },
		{ "luxos_power", FAULT_GARBLED, MINER_UNKNOWN, 0, 0 },
		{ "luxos_config", FAULT_NONE, MINER_HASHING, 0, 0 },
		{ "luxos_summary", FAULT_NONE, MINER_HASHING, 0, 121456 },
		{ "luxos_logon", FAULT_GARBLED, MINER_UNKNOWN, 0, 0 },
	};
	struct miner_reading reading;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct recording r = recording(cases[i].name);
		assert_int_equal(read_as_luxos(r.text, 2794, &reading), cases[i].fault);
		assert_int_equal(reading.state, cases[i].state);
		assert_int_equal(reading.power_w, cases[i].power_w);
		assert_int_equal(reading.knows_power, cases[i].power_w > 0);
		assert_int_equal(reading.hashrate_ghs, cases[i].ghs);
		free(r.text);
	}
}

#define POWER(watts) "\"POWER\":[{\"PSU\":true,\"Watts\":" watts "}]"
#define CONFIG(fields) "\"CONFIG\":[{" fields "}]"
#define SUMMARY(ghs) "\"SUMMARY\":[{\"GHS 5s\":" ghs "}]"
#define AWAKE "\"CurtailMode\":\"None\",\"IsPowerSupplyOn\":true"

static void state_and_power_by_example(void **state)
{
	static const struct { const char *text; int32_t usual_w; enum fault fault; enum miner_state state; bool knows; int32_t power_w; } cases[] = {
		{ POWER("3000") "," CONFIG(AWAKE) "," SUMMARY("1"), 1000, FAULT_NONE, MINER_HASHING, true, 3000 },
		{ POWER("3001") "," CONFIG(AWAKE) "," SUMMARY("1"), 1000, FAULT_ABSURD, MINER_UNKNOWN, false, 0 },
		{ POWER("-1") "," CONFIG(AWAKE) "," SUMMARY("1"), 1000, FAULT_ABSURD, MINER_UNKNOWN, false, 0 },
		{ POWER("50000") "," CONFIG(AWAKE), 0, FAULT_NONE, MINER_HASHING, true, 50000 },
		{ POWER("50001") "," CONFIG(AWAKE), 0, FAULT_ABSURD, MINER_UNKNOWN, false, 0 },
		{ POWER("0") "," CONFIG(AWAKE), 0, FAULT_NONE, MINER_HASHING, true, 0 },
		{ POWER("\" 2800.4\"") "," CONFIG(AWAKE), 0, FAULT_NONE, MINER_HASHING, true, 2800 },
		{ POWER("1e999") "," CONFIG(AWAKE), 0, FAULT_NONE, MINER_HASHING, false, 0 },
		{ POWER("nan") "," CONFIG(AWAKE), 0, FAULT_NONE, MINER_HASHING, false, 0 },
		{ POWER("\"\"") "," SUMMARY("5"), 0, FAULT_NONE, MINER_HASHING, false, 0 },
		{ SUMMARY("0"), 0, FAULT_NONE, MINER_UNKNOWN, false, 0 },
		{ CONFIG("\"CurtailMode\":\"Sleep\",\"IsPowerSupplyOn\":true") "," SUMMARY("5"), 0, FAULT_NONE, MINER_ASLEEP, false, 0 },
		{ CONFIG("\"CurtailMode\":\"idle\"") "," SUMMARY("5"), 0, FAULT_NONE, MINER_ASLEEP, false, 0 },
		{ CONFIG("\"CurtailMode\":\"None\",\"IsPowerSupplyOn\":\"false\"") "," SUMMARY("5"), 0, FAULT_NONE, MINER_ASLEEP, false, 0 },
		{ CONFIG("\"CurtailMode\":\"None\""), 0, FAULT_NONE, MINER_UNKNOWN, false, 0 },
		{ CONFIG("\"CurtailMode\":\"None\"") "," SUMMARY("0"), 0, FAULT_NONE, MINER_RAMPING, false, 0 },
		{ SUMMARY("-5"), 0, FAULT_ABSURD, MINER_UNKNOWN, false, 0 },
		{ SUMMARY("1e9"), 0, FAULT_ABSURD, MINER_UNKNOWN, false, 0 },
		{ "\"CONFIG\":[],\"SUMMARY\":7", 0, FAULT_GARBLED, MINER_UNKNOWN, false, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct miner_reading reading;
		char text[400];
		snprintf(text, sizeof text, "{%s,\"id\":1}", cases[i].text);
		assert_int_equal(read_as_luxos(text, cases[i].usual_w, &reading), cases[i].fault);
		assert_int_equal(reading.state, cases[i].state);
		assert_int_equal(reading.knows_power, cases[i].knows);
		assert_int_equal(reading.power_w, cases[i].power_w);
	}
}

static void a_cut_reply_says_nothing(void **state)
{
	static const char *const names[] = { "luxos_poll", "luxos_poll_asleep", "luxos_config", "luxos_summary", "luxos_tables" };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct recording r = recording(names[i]);
		struct miner_reading reading;
		for (size_t n = 0; n < r.len; n++) {
			struct luxos_tables tables = { 0 };
			bool nothing;
			char *cut = calloc(1, n + 1);
			memcpy(cut, r.text, n);
			assert_int_equal(read_as_luxos(cut, 2794, &reading), FAULT_GARBLED);
			assert_int_equal(luxos_decode_tables(cut, &tables, &nothing), FAULT_GARBLED);
			assert_true(nothing && tables.n == 0);
			free(cut);
		}
		free(r.text);
	}
}

static struct luxos_tables tables_of(const char *name)
{
	struct luxos_tables tables = { 0 };
	struct recording r = recording(name);
	bool nothing;
	assert_int_equal(luxos_decode_tables(r.text, &tables, &nothing), FAULT_NONE);
	assert_false(nothing);
	free(r.text);
	return tables;
}

static void the_ladder(void **state)
{
	static const struct { int32_t limit_w; const char *name; } cases[] = {
		{ 0, "190MHz" }, { 783, "190MHz" }, { 784, "190MHz" }, { 977, "190MHz" }, { 2793, "540MHz" }, { 2794, "default" }, { 100000, "690MHz" },
		{ 2484, "490MHz" },     /* not "3", which would be a board */
		{ 2160, "440MHz" },     /* not "-low", a step, nor "a,b", two fields */
	};
	(void)state;
	struct luxos_tables tables = tables_of("luxos_tables");
	assert_true(tables.knows_version && tables.is_luxos && tables.knows_profiles);
	assert_int_equal(tables.n, 14);
	assert_int_equal(luxos_profile_w(tables.rungs, tables.n, "default"), 2794);
	assert_int_equal(luxos_profile_w(tables.rungs, tables.n, "3"), 2480);
	assert_int_equal(luxos_profile_w(tables.rungs, tables.n, "unheard of"), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct luxos_rung *rung = luxos_rung_under(tables.rungs, tables.n, cases[i].limit_w);
		assert_string_equal(rung->name, cases[i].name);
	}
	assert_null(luxos_rung_under(tables.rungs, 0, 3000));
	for (size_t i = 0; i < tables.n; i++)
		assert_int_equal(tables.rungs[i].over, tables.rungs[i].power_w > 2794);         /* user profiles are on no step */
	tables = tables_of("luxos_version");
	assert_true(tables.knows_version && tables.is_luxos && !tables.knows_profiles);
	tables = tables_of("luxos_profiles");
	assert_true(!tables.knows_version && tables.n == 14);
}

static void tables_are_bounded(void **state)
{
	static char text[20000] = "{\"PROFILES\":[";
	struct luxos_tables tables = { 0 };
	bool nothing;
	(void)state;
	for (int i = 0; i < 200; i++)
		snprintf(text + strlen(text), 90, "{\"Profile Name\":\"%dMHz%s\",\"Watts\":%d},", i,
		         i % 4 ? "" : "................................", i % 5 ? 1000 + i : -1);
	strcat(text, "7]}");
	assert_int_equal(luxos_decode_tables(text, &tables, &nothing), FAULT_NONE);
	assert_int_equal(tables.n, LUXOS_MOST_RUNGS);
	assert_string_equal(tables.rungs[0].name, "1MHz");
}

static void the_fingerprint_knows_firmware_model_and_profile(void **state)
{
	static const char *const texts[] = {
		"{\"STATUS\":[{\"Description\":\"a\"}],\"CONFIG\":[{\"Model\":\"b\",\"Profile\":\"c\"}]}",
		"{\"STATUS\":[{\"Description\":\"x\"}],\"CONFIG\":[{\"Model\":\"b\",\"Profile\":\"c\"}]}",
		"{\"STATUS\":[{\"Description\":\"a\"}],\"CONFIG\":[{\"Model\":\"x\",\"Profile\":\"c\"}]}",
		"{\"STATUS\":[{\"Description\":\"a\"}],\"CONFIG\":[{\"Model\":\"b\",\"Profile\":\"x\"}]}",
		"{\"STATUS\":[{\"Description\":\"a\"}],\"CONFIG\":[{\"Model\":\"bc\",\"Profile\":\"\"}]}",
		"{\"STATUS\":[{\"Description\":\"\"}],\"CONFIG\":[{\"Model\":\"ab\",\"Profile\":\"c\"}]}",
	};
	struct luxos_seen seen[6] = { 0 };
	bool nothing;
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		luxos_decode(texts[i], &seen[i], &nothing);
		for (size_t j = 0; j < i; j++)
			assert_true(seen[i].fingerprint != seen[j].fingerprint);
	}
	struct luxos_seen again = { 0 };
	luxos_decode(texts[0], &again, &nothing);
	assert_true(again.fingerprint == seen[0].fingerprint);
}

/* The MAC is it; where that is masked or missing, the serial number; where both are, nothing. */
static void a_machine_is_known_by_its_mac_or_its_serial(void **state)
{
	static const struct { const char *fields; bool told; } cases[] = {
		{ "\"MACAddr\":\"02:00:00:00:00:01\",\"SerialNumber\":\"SN1\"", true },
		{ "\"MACAddr\":\"02:00:00:00:00:02\",\"SerialNumber\":\"SN1\"", true },
		{ "\"MACAddr\":\"00:00:00:00:00:00\",\"SerialNumber\":\"SN1\"", true },
		{ "\"MACAddr\":\"00:00:00:00:00:00\",\"SerialNumber\":\"SN2\"", true },
		{ "\"MACAddr\":\"00:00:00:00:00:00\",\"SerialNumber\":\"000\"", false },
		{ "\"MACAddr\":\"\",\"SerialNumber\":\"\"", false },
		{ "\"MACAddr\":7,\"SerialNumber\":null", false },
		{ "\"Model\":\"b\"", false },
	};
	struct luxos_seen seen[8] = { 0 }, again = { 0 };
	struct miner_reading reading;
	char text[200];
	bool nothing;
	(void)state;
	for (size_t i = 0; i < 8; i++) {
		snprintf(text, sizeof text, "{\"CONFIG\":[{%s,\"CurtailMode\":\"None\",\"IsPowerSupplyOn\":true}]}", cases[i].fields);
		assert_int_equal(read_as_luxos(text, 3000, &reading), FAULT_NONE);
		luxos_decode(text, &seen[i], &nothing);
		assert_int_equal(seen[i].identity != 0, cases[i].told);
		assert_true(reading.identity == seen[i].identity);
		for (size_t j = 0; j < i && cases[i].told; j++)
			assert_true(seen[i].identity != seen[j].identity);
	}
	/* the same wherever its serial number, its profile or its firmware went */
	luxos_decode("{\"CONFIG\":[{\"Profile\":\"x\",\"MACAddr\":\"02:00:00:00:00:01\"}]}", &again, &nothing);
	assert_true(again.identity == seen[0].identity);
	again = (struct luxos_seen){ 0 };
	luxos_decode("{\"CONFIG\":[{\"SerialNumber\":\"SN1\"}]}", &again, &nothing);
	assert_true(again.identity == seen[2].identity);
}

/* Without config there is no mode: who hashes nothing on next to nothing sleeps. */
static void builds_without_config_sleep_too(void **state)
{
	static const struct { const char *text; enum miner_state state; } cases[] = {
		{ POWER("299") "," SUMMARY("0"), MINER_ASLEEP },
		{ POWER("300") "," SUMMARY("0"), MINER_UNKNOWN },
		{ POWER("24") "," SUMMARY("1"), MINER_HASHING },
		{ SUMMARY("0"), MINER_UNKNOWN },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct miner_reading reading;
		char text[200];
		snprintf(text, sizeof text, "{%s}", cases[i].text);
		assert_int_equal(read_as_luxos(text, 3000, &reading), FAULT_NONE);
		assert_int_equal(reading.state, cases[i].state);
	}
}

static void recorded_units_are_read(void **state)
{
	struct luxos_seen seen = { 0 };
	struct luxos_tables tables = { 0 };
	struct miner_reading reading = { 0 };
	bool nothing;
	(void)state;
	static const char *const reads[] = { "power", "config", "summary" };
	for (size_t i = 0; i < 3; i++) {
		char name[60];
		snprintf(name, sizeof name, "luxos-2025.4-s19kpro/%s.json", reads[i]);
		struct recording r = shared_recording(name);
		if (!r.text)
			return;
		assert_int_equal(luxos_decode(r.text, &seen, &nothing), FAULT_NONE);
		assert_false(nothing);
		free(r.text);
	}
	struct recording r = shared_recording("luxos-2025.4-s19kpro/profiles.json");
	assert_int_equal(luxos_decode_tables(r.text, &tables, &nothing), FAULT_NONE);
	free(r.text);
	assert_int_equal(luxos_judge(&seen, 2794, &reading), FAULT_NONE);
	assert_int_equal(reading.state, MINER_HASHING);
	assert_int_equal(reading.power_w, 1051);
	assert_int_equal(reading.hashrate_ghs, 59756);
	assert_true(seen.atm && seen.can_curtail);
	assert_int_equal(tables.n, 25);
	assert_int_equal(luxos_profile_w(tables.rungs, tables.n, seen.profile), 1188);
	assert_string_equal(luxos_rung_under(tables.rungs, tables.n, 2800)->name, "default");
}

/* ---- orders ---- */

#define LOGON "{\"command\":\"logon\"}"
#define SESSION "{\"command\":\"session\"}"
#define KILL "{\"command\":\"kill\"}"
#define CURTAIL(what) "{\"command\":\"curtail\",\"parameter\":\"" what "\"}"

struct talk { const char *request, *reply; };   /* reply: a recording; NULL: closed without a word */

static const struct luxos_rung rungs[] = { { 784, false, "190MHz" }, { 2192, false, "490MHz" }, { 2794, false, "default" } };

struct errand_case {
	const char *title;
	struct miner_order order;
	const char *wake, *session;     /* ours; NULL: none */
	int64_t used_ms;                /* it was used so long ago */
	bool awake, atm;
	struct talk talk[9];            /* the last one empty */
	enum fault answer;
	const char *left;               /* the session we keep */
};

static const struct errand_case errands[] = {
	{ "cold", { false, 0 }, NULL, NULL, 0, true, false,
	  { { LOGON, "luxos_logon" }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep" } }, FAULT_NONE, "AbCd1234" },
	{ "warm", { false, 0 }, NULL, "old1", 59499, true, false,
	  { { CURTAIL("old1,sleep"), "luxos_sleep" } }, FAULT_NONE, "old1" },
	{ "cooled", { false, 0 }, NULL, "old1", 59500, true, false,
	  { { LOGON, "luxos_logon" }, { CURTAIL("AbCd1234,sleep"), "luxos_sleep" } }, FAULT_NONE, "AbCd1234" },
	{ "already", { false, 0 }, NULL, "old1", 0, true, false,
	  { { CURTAIL("old1,sleep"), "luxos_already" } }, FAULT_NONE, "old1" },
	{ "taken over", { false, 0 }, NULL, NULL, 0, true, false,
	  { { LOGON, "luxos_busy" }, { SESSION, "luxos_session" },
	    { CURTAIL("zZ98yY76,sleep"), "luxos_sleep" } }, FAULT_NONE, "zZ98yY76" },
	{ "evicted", { false, 0 }, NULL, NULL, 0, true, false,
	  { { LOGON, "luxos_busy" }, { SESSION, "luxos_session_none" },
	    { KILL, "luxos_kill" }, { LOGON, "luxos_logon" },
	    { CURTAIL("AbCd1234,sleep"), "luxos_sleep" } }, FAULT_NONE, "AbCd1234" },
	{ "expired", { false, 0 }, NULL, "old1", 0, true, false,
	  { { CURTAIL("old1,sleep"), "luxos_expired" }, { LOGON, "luxos_logon" },
	    { CURTAIL("AbCd1234,sleep"), "luxos_sleep" } }, FAULT_NONE, "AbCd1234" },
	{ "expired and occupied", { false, 0 }, NULL, "old1", 0, true, false,
	  { { CURTAIL("old1,sleep"), "luxos_expired" }, { LOGON, "luxos_busy" },
	    { SESSION, "luxos_session" }, { CURTAIL("zZ98yY76,sleep"), "luxos_sleep" } }, FAULT_NONE, "zZ98yY76" },
	{ "expired twice", { false, 0 }, NULL, "old1", 0, true, false,
	  { { CURTAIL("old1,sleep"), "luxos_expired" }, { LOGON, "luxos_logon" },
	    { CURTAIL("AbCd1234,sleep"), "luxos_expired" } }, FAULT_REFUSED, "" },
	{ "never more than five", { false, 0 }, NULL, "old1", 0, true, false,
	  { { CURTAIL("old1,sleep"), "luxos_expired" }, { LOGON, "luxos_busy" },
	    { SESSION, "luxos_session_none" }, { KILL, "luxos_kill" },
	    { LOGON, "luxos_logon" } }, FAULT_REFUSED, "AbCd1234" },
	{ "wake", { true, 0 }, NULL, "old1", 0, false, false,
	  { { CURTAIL("old1,wakeup"), "luxos_wake" } }, FAULT_NONE, "old1" },
	{ "wake default", { true, 0 }, "default", "old1", 0, false, false,
	  { { CURTAIL("old1,wakeup"), "luxos_refused" } }, FAULT_REFUSED, "old1" },
	{ "wake safe", { true, 0 }, "safe", "old1", 0, false, false,
	  { { CURTAIL("old1,wakeup,mode=safe"), "luxos_wake" } }, FAULT_NONE, "old1" },
	{ "wake fast", { true, 0 }, "fast", "old1", 0, false, false,
	  { { CURTAIL("old1,wakeup,voltage_step=1,frequency_step=25"), "luxos_wake" } }, FAULT_NONE, "old1" },
	{ "unsafe refused", { true, 0 }, "unsafe", "old1", 0, false, false,
	  { { CURTAIL("old1,wakeup,mode=unsafe"), "luxos_refused" }, { CURTAIL("old1,wakeup"), "luxos_wake" } }, FAULT_NONE, "old1" },
	{ "unsafe refused twice", { true, 0 }, "unsafe", "old1", 0, false, false,
	  { { CURTAIL("old1,wakeup,mode=unsafe"), "luxos_refused" }, { CURTAIL("old1,wakeup"), "luxos_refused" } }, FAULT_REFUSED, "old1" },
	{ "unsafe but awake", { true, 0 }, "unsafe", "old1", 0, false, false,
	  { { CURTAIL("old1,wakeup,mode=unsafe"), "luxos_already" } }, FAULT_NONE, "old1" },
	{ "profile", { true, 2500 }, NULL, "old1", 0, true, false,
	  { { "{\"command\":\"profileset\",\"parameter\":\"old1,490MHz\"}", "luxos_profileset" } }, FAULT_NONE, "old1" },
	{ "profile against atm", { true, 2794 }, NULL, "old1", 0, true, true,
	  { { "{\"command\":\"atmset\",\"parameter\":\"old1,enabled=false\"}", "luxos_atmset" },
	    { "{\"command\":\"profileset\",\"parameter\":\"old1,default\"}", "luxos_profileset" } }, FAULT_NONE, "old1" },
	{ "atm stays", { true, 2794 }, NULL, "old1", 0, true, true,
	  { { "{\"command\":\"atmset\",\"parameter\":\"old1,enabled=false\"}", "luxos_refused" } }, FAULT_REFUSED, "old1" },
	{ "wake to a limit, cold", { true, 2500 }, "unsafe", NULL, 0, false, true,
	  { { LOGON, "luxos_logon" }, { CURTAIL("AbCd1234,wakeup,mode=unsafe"), "luxos_refused" },
	    { CURTAIL("AbCd1234,wakeup"), "luxos_wake" }, { "{\"command\":\"atmset\",\"parameter\":\"AbCd1234,enabled=false\"}", "luxos_atmset" },
	    { "{\"command\":\"profileset\",\"parameter\":\"AbCd1234,490MHz\"}", "luxos_profileset" } }, FAULT_NONE, "AbCd1234" },
	{ "a limit below the ladder", { true, 783 }, NULL, "old1", 0, true, false,
	  { { "{\"command\":\"profileset\",\"parameter\":\"old1,190MHz\"}", "luxos_profileset" } }, FAULT_NONE, "old1" },
	{ "no word", { false, 0 }, NULL, "old1", 0, true, false, { { CURTAIL("old1,sleep"), NULL } }, FAULT_SILENT, "old1" },
	{ "no STATUS", { false, 0 }, NULL, "old1", 0, true, false, { { CURTAIL("old1,sleep"), "joined_fragment" } }, FAULT_GARBLED, "old1" },
	{ "cut", { false, 0 }, NULL, "old1", 0, true, false, { { CURTAIL("old1,sleep"), "btminer_cut" } }, FAULT_GARBLED, "old1" },
	{ "no id", { false, 0 }, NULL, NULL, 0, true, false, { { LOGON, "luxos_sleep" } }, FAULT_GARBLED, "" },
	{ "no command", { false, 0 }, NULL, NULL, 0, true, false, { { LOGON, "luxos_invalid" } }, FAULT_REFUSED, "" },
};

static void run_errand(const struct errand_case *c, const struct luxos_known *known)
{
	struct luxos_session session = { .used_ms = 1000000 };
	struct luxos_errand errand;
	char text[160];
	int64_t now_ms = session.used_ms + c->used_ms;
	snprintf(session.id, sizeof session.id, "%s", c->session ? c->session : "");
	enum fault fault = luxos_errand_begin(&errand, &c->order, known, c->wake);
	const struct talk *talk = c->talk;
	for (; fault == FAULT_NEVER; talk++) {
		size_t n = luxos_errand_request(&errand, &session, now_ms, text, sizeof text);
		if (!talk->request || strcmp(text, talk->request) != 0)
			fail_msg("%s: asked %s", c->title, text);
		assert_int_equal(n, strlen(text));
		struct recording r = { 0 };
		if (talk->reply)
			r = recording(talk->reply);
		fault = luxos_errand_reply(&errand, &session, now_ms, r.text ? FAULT_NONE : FAULT_REFUSED, r.text);
		free(r.text);
	}
	if (talk->request || fault != c->answer)
		fail_msg("%s: ended with fault %d after %d requests", c->title, (int)fault, (int)(talk - c->talk));
	assert_string_equal(session.id, c->left);
	if (fault == FAULT_NONE)
		assert_int_equal(session.used_ms, now_ms);
}

static void orders_by_example(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof errands / sizeof *errands; i++)
		run_errand(&errands[i], &(struct luxos_known){ .awake = errands[i].awake, .atm = errands[i].atm, .rungs = rungs,
		                                               .n_rungs = sizeof rungs / sizeof *rungs });
}

/* ---- orders of a power, where it is told what is full ---- */

#define PROFILE(what) { "{\"command\":\"profileset\",\"parameter\":\"s," what "\"}", "luxos_profileset" }
#define ATM(what)     { "{\"command\":\"atmset\",\"parameter\":\"s,enabled=" what "\"}", "luxos_atmset" }
#define WAKE          { CURTAIL("s,wakeup"), "luxos_wake" }

static const struct luxos_rung ladder[] = {
	{ 784, false, "190MHz" }, { 1785, false, "415MHz" }, { 2485, false, "540MHz" }, { 2637, false, "565MHz" },
	{ 2794, false, "default" }, { 2954, true, "615MHz" }, { 3119, true, "640MHz" },
};

struct power_case {
	const char *title;
	int32_t limit_w, nominal_w;
	const char *own, *profile;
	bool asleep, atm, atm_was;
	struct talk talk[6];
	enum fault answer;
};

static const struct power_case powers[] = {
	{ "to a limit", 2000, 2794, "default", "default", false, false, false, { PROFILE("415MHz") }, FAULT_NONE },
	{ "back to full", 2794, 2794, "default", "415MHz", false, false, false, { PROFILE("default") }, FAULT_NONE },
	{ "back, and more than full", 99999, 2794, "default", "415MHz", false, false, false, { PROFILE("default") }, FAULT_NONE },
	{ "back, after a restart", 2794, 2794, NULL, "415MHz", false, false, false, { PROFILE("default") }, FAULT_NONE },
	{ "told a little less than its table", 2760, 2760, NULL, "415MHz", false, false, false, { PROFILE("default") }, FAULT_NONE },
	{ "told a lot less, and nobody knows its own", 2600, 2600, NULL, "415MHz", false, false, false, { PROFILE("565MHz") }, FAULT_NONE },
	{ "told a lot less, but it had its own", 2600, 2600, "default", "415MHz", false, false, false, { PROFILE("default") }, FAULT_NONE },
	{ "told more than its table: not faster than its model", 3000, 3000, NULL, "415MHz", false, false, false, { PROFILE("default") }, FAULT_NONE },
	{ "told more, a limit just below", 2990, 3000, NULL, "415MHz", false, false, false, { PROFILE("default") }, FAULT_NONE },
	{ "its owner drives it faster", 2954, 2954, "615MHz", "415MHz", false, false, false, { PROFILE("615MHz") }, FAULT_NONE },
	{ "its owner drives it faster, and it is limited", 3000, 3119, "640MHz", "640MHz", false, false, false, { PROFILE("615MHz") }, FAULT_NONE },
	{ "a limit it had is not its own", 2794, 2794, "415MHz", "415MHz", false, false, false, { PROFILE("default") }, FAULT_NONE },
	{ "its own is gone from the table", 2794, 2794, "mine", "415MHz", false, false, false, { PROFILE("default") }, FAULT_NONE },
	{ "told again", 2000, 2794, "default", "415MHz", false, false, false, { PROFILE("415MHz") }, FAULT_NONE },
	{ "a limit below the ladder", 783, 2794, "default", "default", false, false, false, { PROFILE("190MHz") }, FAULT_NONE },
	{ "a profile that is no more", 2000, 2794, "default", "default", false, false, false,
	  { { "{\"command\":\"profileset\",\"parameter\":\"s,415MHz\"}", "luxos_refused" } }, FAULT_REFUSED },
	{ "woken to a limit", 2000, 2794, "default", "default", true, false, false, { WAKE, PROFILE("415MHz") }, FAULT_NONE },
	{ "woken to the limit it has", 2000, 2794, "default", "415MHz", true, false, false, { WAKE }, FAULT_NONE },
	{ "woken to full from a limit", 2794, 2794, "default", "415MHz", true, false, false, { WAKE, PROFILE("default") }, FAULT_NONE },
	{ "woken to full, as it is", 2794, 2794, "default", "default", true, false, false, { WAKE }, FAULT_NONE },
	{ "woken, its profile not known", 2794, 2794, "default", NULL, true, false, false, { WAKE, PROFILE("default") }, FAULT_NONE },
	{ "woken without a limit", 0, 2794, "default", "415MHz", true, true, true, { WAKE }, FAULT_NONE },
	{ "ATM gives way to a limit", 2000, 2794, NULL, "default", false, true, false, { ATM("false"), PROFILE("415MHz") }, FAULT_NONE },
	{ "and comes back with full power", 2794, 2794, NULL, "415MHz", false, false, true, { PROFILE("default"), ATM("true") }, FAULT_NONE },
	{ "not with less", 2500, 2794, NULL, "415MHz", false, false, true, { PROFILE("540MHz") }, FAULT_NONE },
	{ "it went lower by itself", 2794, 2794, NULL, "415MHz", false, true, false,
	  { ATM("false"), PROFILE("default"), ATM("true") }, FAULT_NONE },
	{ "woken with ATM", 2794, 2794, NULL, "default", true, true, false, { WAKE }, FAULT_NONE },
	{ "woken, and ATM comes back", 2794, 2794, NULL, "default", true, false, true, { WAKE, PROFILE("default"), ATM("true") }, FAULT_NONE },
	{ "woken to the limit it has, ATM on", 2000, 2794, NULL, "415MHz", true, true, false,
	  { WAKE, ATM("false"), PROFILE("415MHz") }, FAULT_NONE },
	{ "ATM does not come back", 2794, 2794, NULL, "415MHz", false, false, true,
	  { PROFILE("default"), { "{\"command\":\"atmset\",\"parameter\":\"s,enabled=true\"}", "luxos_refused" } }, FAULT_REFUSED },
};

static void powers_by_example(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
		const struct power_case *c = &powers[i];
		struct errand_case errand = { .title = c->title, .order = { true, c->limit_w }, .session = "s", .answer = c->answer, .left = "s" };
		memcpy(errand.talk, c->talk, sizeof c->talk);
		run_errand(&errand, &(struct luxos_known){
			.awake = !c->asleep, .atm = c->atm, .atm_was = c->atm_was, .rungs = ladder, .n_rungs = sizeof ladder / sizeof *ladder,
			.nominal_w = c->nominal_w, .own = c->own, .profile = c->profile });
	}
}

/* Full power needs no table to be woken to; whatever else does. */
static void without_a_table_only_full_power_is_woken_to(void **state)
{
	static const struct errand_case woken = {
		.title = "no table", .order = { true, 2794 }, .session = "s", .talk = { WAKE }, .answer = FAULT_NONE, .left = "s" };
	static const struct errand_case refused[] = {
		{ .title = "no table, a limit", .order = { true, 2000 }, .session = "s", .answer = FAULT_REFUSED, .left = "s" },
		{ .title = "no table, awake", .order = { true, 2794 }, .session = "s", .answer = FAULT_REFUSED, .left = "s" },
	};
	(void)state;
	run_errand(&woken, &(struct luxos_known){ .nominal_w = 2794 });
	run_errand(&refused[0], &(struct luxos_known){ .nominal_w = 2794 });
	run_errand(&refused[1], &(struct luxos_known){ .awake = true, .nominal_w = 2794 });
}

/* The longest: four tasks, a session that somebody else keeps and does not tell, a way to wake that is not known. */
static void four_tasks_have_room_for_a_session(void **state)
{
	static const struct errand_case longest = {
		.title = "longest", .order = { true, 2794 }, .answer = FAULT_NONE, .left = "AbCd1234",
		.talk = { { LOGON, "luxos_busy" }, { SESSION, "luxos_session_none" }, { KILL, "luxos_kill" }, { LOGON, "luxos_logon" },
		          { CURTAIL("AbCd1234,wakeup"), "luxos_wake" },
		          { "{\"command\":\"atmset\",\"parameter\":\"AbCd1234,enabled=false\"}", "luxos_atmset" },
		          { "{\"command\":\"profileset\",\"parameter\":\"AbCd1234,default\"}", "luxos_profileset" },
		          { "{\"command\":\"atmset\",\"parameter\":\"AbCd1234,enabled=true\"}", "luxos_atmset" } },
	};
	(void)state;
	run_errand(&longest, &(struct luxos_known){ .atm = true, .rungs = ladder, .n_rungs = 5, .nominal_w = 2794, .profile = "190MHz" });
}

/* Whatever a miner answers, an order ends within its exchanges, and no reply is taken for more than it is. */
static void orders_end_whatever_is_answered(void **state)
{
	static const char *const replies[] = {
		"luxos_logon", "luxos_busy", "luxos_session", "luxos_session_none", "luxos_kill", "luxos_sleep", "luxos_expired",
		"luxos_refused", "luxos_invalid", "luxos_already",
	};
	struct recording r[10];
	uint32_t dice = 1;
	(void)state;
	for (size_t i = 0; i < 10; i++)
		r[i] = recording(replies[i]);
	for (int round = 0; round < 5000; round++) {
		struct miner_order order = { dice >> 9 & 1, dice >> 10 & 1 ? 2500 : 0 };
		struct luxos_known known = { .awake = dice >> 11 & 1, .atm = dice >> 12 & 1, .atm_was = dice >> 13 & 1, .rungs = rungs,
		                             .n_rungs = 3, .nominal_w = dice >> 14 & 1 ? 2500 : 2800 };
		struct luxos_session session = { 0 };
		struct luxos_errand errand;
		char text[160];
		int exchanges = 0;
		enum fault fault = luxos_errand_begin(&errand, &order, &known, "unsafe");
		while (fault == FAULT_NEVER) {
			dice = dice * 1664525u + 1013904223u;
			assert_true(luxos_errand_request(&errand, &session, 0, text, sizeof text) > 0);
			fault = luxos_errand_reply(&errand, &session, 0, FAULT_NONE, r[(dice >> 16) % 10].text);
			exchanges++;
		}
		assert_true(exchanges <= errand.most && errand.most <= LUXOS_MOST_EXCHANGES + 3);
		if (fault == FAULT_NONE)
			assert_int_equal(errand.left, 0);
	}
	for (size_t i = 0; i < 10; i++)
		free(r[i].text);
}

static void session_ids_are_not_trusted(void **state)
{
	static const char *const ids[] = { "a,b", "a\\\"b", "aaaaaaaaaaaaaaaaaaaaaaaa", "", "a b", "\\u00e9" };
	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct luxos_session session = { 0 };
		struct luxos_errand errand = { .left = 1, .step = STEP_LOGON, .most = LUXOS_MOST_EXCHANGES };
		char reply[200];
		snprintf(reply, sizeof reply, "{\"SESSION\":[{\"SessionID\":\"%s\"}],\"STATUS\":[{\"STATUS\":\"S\"}]}", ids[i]);
		assert_int_equal(luxos_errand_reply(&errand, &session, 0, FAULT_NONE, reply), FAULT_GARBLED);
		assert_string_equal(session.id, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_luxos_says),
		cmocka_unit_test(state_and_power_by_example),
		cmocka_unit_test(a_cut_reply_says_nothing),
		cmocka_unit_test(the_ladder),
		cmocka_unit_test(tables_are_bounded),
		cmocka_unit_test(the_fingerprint_knows_firmware_model_and_profile),
		cmocka_unit_test(a_machine_is_known_by_its_mac_or_its_serial),
		cmocka_unit_test(builds_without_config_sleep_too),
		cmocka_unit_test(recorded_units_are_read),
		cmocka_unit_test(orders_by_example),
		cmocka_unit_test(powers_by_example),
		cmocka_unit_test(without_a_table_only_full_power_is_woken_to),
		cmocka_unit_test(four_tasks_have_room_for_a_session),
		cmocka_unit_test(orders_end_whatever_is_answered),
		cmocka_unit_test(session_ids_are_not_trusted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
