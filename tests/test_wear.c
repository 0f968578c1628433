/* How worn miners are, over a restart: by the same machine at the same place, whatever the clock says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/group_record.h"
#include "tests/scenario.h"

#define SEC      1000LL
#define HOUR     (3600 * SEC)
#define KW       1000LL
#define MINERS   30
#define CYCLES   16             /* a day: four at once, and each is paid for in two hours */
#define STRANGER 999

static void open_site(struct scenario *s)
{
	scenario_open(s, &(struct scenario_conf){
		.world = { .truth = { .seed = 1, .load = { .pattern = LOAD_CONSTANT, .peak_w = 100 * KW }, .n_pdus = 2,
		                      .house_w = 3000 } },
		.n_miners = MINERS, .cap_w = 400 * KW, .pdu_nameplate_w = 60 * KW, .cycles_per_day = CYCLES });
	for (size_t i = 0; i < MINERS; i++)
		sim_world_set_identity(s->world, i, 100 + i);
	scenario_run(s, 60 * SEC);
}

/* A member of the group's object, or of a miner's. */
static double member_of(const char *text, const char *name, const char *key)
{
	char quoted[40], member[40];
	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	snprintf(member, sizeof(member), "\"%s\":", key);
	const char *at = strstr(text, quoted);
	at = at ? strstr(at, member) : NULL;
	assert_non_null(at);
	return atof(at + strlen(member));
}

static double group_tells(const struct scenario *s, const char *key)
{
	struct json json = { 0 };
	site_groups_json(s->site, s->clock.at, &json);
	double value = member_of(json.text, "hall", key);
	json_free(&json);
	return value;
}

static int sleeps_of(const struct scenario *s, const char *miner)
{
	struct json json = { 0 };
	site_miners_json(s->site, NULL, s->clock.at, &json);
	int value = (int)member_of(json.text, miner, "sleeps");
	json_free(&json);
	return value;
}

static bool exchanged(const struct scenario *s)
{
	return s->alarms_seen.text && strstr(s->alarms_seen.text, "exchanged/hall true");
}

/* As the daemon does: through the file's text. */
static void keep(const struct scenario *s, struct kept *back)
{
	struct kept kept;
	struct json json = { 0 };
	char why[200] = "";
	site_keep(s->site, s->clock.at, &kept);
	kept_format(&kept, "test", &json);
	kept_free(&kept);
	if (!kept_parse(json.text, json.len, "test", back, why, sizeof(why)))
		fail_msg("%s", why);
	json_free(&json);
}

static void restart(struct scenario *s, struct kept *kept)
{
	keep(s, kept);
	s->recalled = kept;
	scenario_restart(s, 5 * SEC);
}

static void end(struct scenario *s, struct kept *kept)
{
	s->recalled = NULL;
	scenario_close(s);
	kept_free(kept);
}

static void a_restart_forgets_no_sleep(void **unused)
{
	struct scenario s;
	struct kept kept;
	open_site(&s);
	scenario_cycle(&s);
	scenario_cycle(&s);
	double left = group_tells(&s, "cycles_left");
	assert_true(left > 1.9 && left < 2.2);
	restart(&s, &kept);
	assert_int_equal(sleeps_of(&s, "hall/7"), 2);
	scenario_run(&s, SEC);
	assert_true(group_tells(&s, "sleeps_per_miner") == 2 && group_tells(&s, "sleeps_over_h") <= 2);
	assert_true(group_tells(&s, "cycles_left") >= left && group_tells(&s, "cycles_left") <= left + 0.1);
	scenario_run(&s, 60 * SEC);             /* all were heard by now */
	assert_int_equal(sleeps_of(&s, "hall/7"), 2);
	scenario_cycle(&s);
	scenario_cycle(&s);
	kept_free(&kept);
	restart(&s, &kept);
	scenario_run(&s, 60 * SEC);
	assert_int_equal(sleeps_of(&s, "hall/30"), 4);
	assert_true(group_tells(&s, "cycles_left") < 0.2);
	/* The day's cycles are spent: none is put to sleep for a set point, all are for a limit. */
	uint32_t before = s.n_sleeps;
	scenario_order(&s, "setpoint", "sp", 150 * KW, 0, 600 * SEC);
	scenario_run(&s, 30 * SEC);
	assert_int_equal(s.n_sleeps, before);
	scenario_order(&s, "cap", "cap", 150 * KW, 0, 600 * SEC);
	scenario_run(&s, 30 * SEC);
	assert_true(s.n_sleeps >= before + 15);
	end(&s, &kept);
	(void)unused;
}

static void what_was_settled_stays_so(void **unused)
{
	struct scenario s;
	struct kept kept;
	open_site(&s);
	s.miner_group.min_asleep_ms = 180 * SEC;
	scenario_order(&s, "shed", "o-1", 0, 0, 30 * SEC);
	scenario_run(&s, SEC);
	keep(&s, &kept);                        /* on their way: by the next start they are there */
	assert_in_range(kept.wear[0].miners[0].settled_ms, 0, SEC);
	kept_free(&kept);
	scenario_run(&s, 99 * SEC);
	restart(&s, &kept);
	uint32_t before = s.n_wakes;
	scenario_run(&s, 70 * SEC);             /* 170 to 175 s since they fell asleep, and the shed is long over */
	assert_int_equal(s.n_wakes, before);
	scenario_run(&s, 20 * SEC);
	assert_true(s.n_wakes > before);
	end(&s, &kept);
	(void)unused;
}

/* The wear is the machine's: it goes where that one goes, and no other gets it. */
static void another_machine_begins_anew(void **unused)
{
	struct scenario s;
	struct kept kept;
	open_site(&s);
	scenario_cycle(&s);
	sim_world_set_identity(s.world, 4, STRANGER);
	restart(&s, &kept);
	scenario_run(&s, 10 * SEC);
	assert_int_equal(sleeps_of(&s, "hall/5"), 0);
	assert_int_equal(sleeps_of(&s, "hall/6"), 1);
	assert_true(exchanged(&s));
	end(&s, &kept);
	(void)unused;
}

static void one_that_does_not_tell_is_known_by_its_place(void **unused)
{
	struct scenario s;
	struct kept kept;
	open_site(&s);
	scenario_cycle(&s);
	sim_world_set_identity(s.world, 4, 0);
	restart(&s, &kept);
	scenario_run(&s, 10 * SEC);
	assert_int_equal(sleeps_of(&s, "hall/5"), 1);
	kept_free(&kept);
	keep(&s, &kept);
	for (size_t m = 0; m < kept.wear[0].n_miners; m++)
		kept.wear[0].miners[m].identity = 0;    /* nor did it then */
	sim_world_set_identity(s.world, 4, STRANGER);
	scenario_restart(&s, 5 * SEC);
	scenario_run(&s, 10 * SEC);
	assert_int_equal(sleeps_of(&s, "hall/5"), 1);
	assert_false(exchanged(&s));
	end(&s, &kept);
	(void)unused;
}

/* Some hosts are gone from the file, and the machines that stood there stand at new ones. */
static void a_changed_list_of_hosts_keeps_the_rest(void **unused)
{
	struct scenario s;
	struct kept kept;
	open_site(&s);
	scenario_cycle(&s);
	keep(&s, &kept);
	for (size_t m = 0; m < kept.wear[0].n_miners; m++) {
		struct kept_miner *miner = &kept.wear[0].miners[m];
		if (!strcmp(miner->host, "sim:3"))
			miner->host = "sim:gone";
		if (!strcmp(miner->host, "sim:8"))
			miner->host = "sim:gone-as-well";
		if (!strcmp(miner->host, "sim:5")) {
			miner->host = "sim:gone-too";
			miner->identity = 0;
		}
		miner->sleeps += miner->identity == 103 ? 6 : 0;
	}
	struct kept_miner *miners = kept.wear[0].miners, third = miners[3];
	miners[3] = miners[8];                  /* in whatever order they were written */
	miners[8] = third;
	s.recalled = &kept;
	scenario_restart(&s, 5 * SEC);
	assert_int_equal(sleeps_of(&s, "hall/4"), 0);
	assert_int_equal(sleeps_of(&s, "hall/5"), 1);
	scenario_run(&s, 10 * SEC);
	assert_int_equal(sleeps_of(&s, "hall/4"), 7);   /* it said who it is */
	assert_int_equal(sleeps_of(&s, "hall/9"), 1);
	assert_int_equal(sleeps_of(&s, "hall/6"), 0);   /* this one had not, so nothing is known */
	assert_int_equal(sleeps_of(&s, "hall/7"), 1);
	assert_false(exchanged(&s));
	end(&s, &kept);
	(void)unused;
}

static void a_group_of_another_name_is_another(void **unused)
{
	struct scenario s;
	struct kept kept;
	open_site(&s);
	scenario_cycle(&s);
	keep(&s, &kept);
	kept.wear[0].group = "annex";
	for (size_t m = 0; m < kept.wear[0].n_miners; m++)
		kept.wear[0].miners[m].identity = 0;
	s.recalled = &kept;
	scenario_restart(&s, 5 * SEC);
	scenario_run(&s, 10 * SEC);
	assert_int_equal(sleeps_of(&s, "hall/4"), 0);
	assert_true(group_tells(&s, "sleeps_per_miner") == 0);
	end(&s, &kept);
	(void)unused;
}

static void time_away_is_time_to_recover(void **unused)
{
	static const struct { int64_t clock_ms; double left, sleeps; } rows[] = {
		{ 0, 3, 1 },
		{ 1 * HOUR, 3.5, 1 },           /* it was away so long */
		{ -3 * HOUR, 3, 1 },            /* somebody set the clock back: nothing is forgiven, nothing is added */
		{ -20 * 365 * 24 * HOUR, 3, 1 },
		{ 25 * HOUR, 4, 0 },
		{ 9000 * 24 * HOUR, 4, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scenario s;
		struct kept kept;
		open_site(&s);
		scenario_cycle(&s);
		keep(&s, &kept);
		s.recalled = &kept;
		scenario_shift_utc(&s, rows[i].clock_ms);
		scenario_restart(&s, SEC);
		double left = group_tells(&s, "cycles_left");
		if (left < rows[i].left - 0.05 || left > rows[i].left + 0.15)
			fail_msg("%.1f cycles are left by a clock moved by %lld h", left, (long long)(rows[i].clock_ms / HOUR));
		assert_true(group_tells(&s, "sleeps_per_miner") == rows[i].sleeps);
		assert_int_equal(sleeps_of(&s, "hall/1"), 1);   /* what it went through stays */
		end(&s, &kept);
	}
	(void)unused;
}

/* The hours, too: none lost, none counted twice, and those before the machine's own start with the rest. */
static void a_group_goes_on_counting_by_the_hour(void **unused)
{
	struct scenario s;
	struct kept kept;
	open_site(&s);
	scenario_cycle(&s);
	scenario_run(&s, HOUR);
	scenario_cycle(&s);
	keep(&s, &kept);
	struct kept_wear *wear = &kept.wear[0];
	assert_in_range(wear->n_hours, 2, 3);
	assert_int_equal(wear->sleeps[0], MINERS);
	assert_int_equal(wear->sleeps[wear->n_hours - 1], MINERS);
	s.recalled = &kept;
	scenario_restart(&s, SEC);
	assert_true(group_tells(&s, "sleeps_per_miner") == 2);
	assert_int_equal((int)group_tells(&s, "sleeps_over_h"), wear->n_hours);
	/* A whole day, of a machine that is up for some hours. */
	wear->n_hours = SLEEP_HOURS;
	for (size_t h = 0; h < SLEEP_HOURS; h++)
		wear->sleeps[h] = MINERS;
	scenario_restart(&s, SEC);
	assert_int_equal((int)group_tells(&s, "sleeps_per_miner"), SLEEP_HOURS);
	scenario_shift_utc(&s, 5 * HOUR);       /* away so long, nobody slept: the oldest hours are over */
	scenario_restart(&s, SEC);
	assert_int_equal((int)group_tells(&s, "sleeps_per_miner"), SLEEP_HOURS - 5);
	assert_int_equal((int)group_tells(&s, "sleeps_over_h"), SLEEP_HOURS);
	scenario_cycle(&s);
	assert_int_equal((int)group_tells(&s, "sleeps_per_miner"), SLEEP_HOURS - 4);
	end(&s, &kept);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_forgets_no_sleep),
		cmocka_unit_test(what_was_settled_stays_so),
		cmocka_unit_test(another_machine_begins_anew),
		cmocka_unit_test(one_that_does_not_tell_is_known_by_its_place),
		cmocka_unit_test(a_changed_list_of_hosts_keeps_the_rest),
		cmocka_unit_test(a_group_of_another_name_is_another),
		cmocka_unit_test(time_away_is_time_to_recover),
		cmocka_unit_test(a_group_goes_on_counting_by_the_hour),
	};
	return cmocka_run_group_tests_name("wear", tests, NULL, NULL);
}
