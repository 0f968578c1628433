/* What is told of groups of miners, and what becomes of what was learned of them: over a restart, a reload that puts
 * them elsewhere in the file, another firmware. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/group_record.h"
#include "daemon/kept.h"
#include "tests/scenario.h"

#define SEC    1000LL
#define KW     1000LL
#define MINERS 30
#define DECLARED_MS 1000        /* dead time, and ramp, to sleep: the plant takes longer */

/* ---- the message ---- */

static struct group_record example(void)
{
	return (struct group_record){
		.name = "hall-1", .driver = "luxos", .n = 300,
		.phases = { [PHASE_AWAKE] = 287, [PHASE_FALLING] = 3, [PHASE_ASLEEP] = 10 },
		.power_w = 1001000, .hashrate_ghs = 57400000, .efficiency_mj_per_th = 17440,
		.sleep = { GROUP_BY_SITE, 2010, 3120, 400, 6, 240, 998, 340, 21, 310 },
		.wake = { GROUP_TYPICAL, 5000, 15000, POLICY_NONE, 0, 0, POLICY_NONE, 0, POLICY_NONE, 0 },
		.bias = { .permille = 942, .spread_permille = 20, .seen = 7, .known = true },
		.partial_w = POLICY_NONE, .sleeps = 390, .counted_h = 5, .cycles_per_day = 12, .cycles_left_milli = 10740,
	};
}

static void the_message_has_what_is_known(void **unused)
{
	struct group_record record = example();
	struct json json = { 0 };
	group_record_format(&record, (struct instant){ 1, 1795000000000 }, &json);
	assert_string_equal(json.text,
		"{\"time\":\"2026-11-18T11:06:40.000Z\",\"group\":\"hall-1\",\"driver\":\"luxos\",\"n_miners\":300,\"miners\":{"
		"\"awake\":287,\"waking\":0,\"falling_asleep\":3,\"asleep\":10,\"unreachable\":0,\"faulty\":0},\"power_w\":1001000,"
		"\"hashrate_ghs\":57400000,\"efficiency_mj_per_th\":17440,\"awake_w\":null,\"awake_readings\":0,\"asleep_w\":21,"
		"\"asleep_readings\":310,\"bias_percent\":-5.8,\"bias_seen\":7,\"sleep\":{\"dead_ms\":2010,\"ramp_ms\":3120,\"spread_ms\":400,\"basis\":\"learned by site\","
		"\"seen_by_site\":6,\"seen_by_polls\":240,\"works\":0.998,\"orders\":340},\"wake\":{\"dead_ms\":5000,\"ramp_ms\":15000,"
		"\"spread_ms\":null,\"basis\":\"typical\",\"seen_by_site\":0,\"seen_by_polls\":0,\"works\":null,\"orders\":0},"
		"\"partial_w\":null,\"power\":null,\"sleeps_per_miner\":1.300,\"sleeps_over_h\":5,\"cycles_per_day\":12,\"cycles_left\":10.7}");
	record.partial_w = 2000;
	record.power = (struct group_way){ GROUP_BY_POLLS, 1500, 8000, 700, 0, 120, 950, 60, POLICY_NONE, 0 };
	json_reset(&json);
	group_record_format(&record, (struct instant){ 1, 1795000000000 }, &json);
	assert_non_null(strstr(json.text, ",\"partial_w\":2000,\"power\":{\"dead_ms\":1500,\"ramp_ms\":8000,\"spread_ms\":700,"
		"\"basis\":\"learned by polls\",\"seen_by_site\":0,\"seen_by_polls\":120,\"works\":0.950,\"orders\":60},\"sleeps"));
	json_free(&json);
	(void)unused;
}

static void only_what_matters_is_news(void **unused)
{
	struct group_record told = example(), now = told;
	assert_false(group_record_news(&told, &now));
	now.power_w += 10000;                   /* 1 % */
	now.phases[PHASE_AWAKE] -= 2;
	now.phases[PHASE_ASLEEP] += 2;
	now.sleep.dead_ms += 90;
	now.sleep.answers += 50;
	now.wake.each_w = POLICY_NONE;
	assert_false(group_record_news(&told, &now));
	static const struct { size_t at; int64_t to; } rows[] = {
		{ offsetof(struct group_record, power_w), 1025000 },
		{ offsetof(struct group_record, n), 301 },
		{ offsetof(struct group_record, sleep.dead_ms), 2150 },
		{ offsetof(struct group_record, sleep.ramp_ms), 2900 },
		{ offsetof(struct group_record, sleep.works_permille), 990 },
		{ offsetof(struct group_record, sleep.moves), 7 },
		{ offsetof(struct group_record, sleep.spread_ms), POLICY_NONE },
		{ offsetof(struct group_record, wake.each_w), 3500 },
		{ offsetof(struct group_record, wake.answers), 1 },
		{ offsetof(struct group_record, cycles_left_milli), 10600 },
		{ offsetof(struct group_record, cycles_per_day), POLICY_NONE },
		{ offsetof(struct group_record, sleeps), 430 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		now = told;
		memcpy((char *)&now + rows[i].at, &rows[i].to, sizeof(int64_t));
		assert_true(group_record_news(&told, &now));
		assert_true(group_record_news(&now, &told));
	}
	now = told;
	now.bias.permille = 930;
	assert_true(group_record_news(&told, &now));
	now = told;
	now.bias.seen = 8;
	assert_true(group_record_news(&told, &now));
	now = told;
	now.wake.basis = GROUP_DECLARED;
	assert_true(group_record_news(&told, &now));
	now = told;
	now.power.dead_ms = 5000;               /* of what is never told */
	assert_false(group_record_news(&told, &now));
	now.partial_w = 2000;
	assert_true(group_record_news(&told, &now));
	told = now;
	now.power.ramp_ms = 9000;
	assert_true(group_record_news(&told, &now));
	told = example();
	now = told;
	now.phases[PHASE_AWAKE]--;
	now.phases[PHASE_FAULTY]++;             /* the first of its kind */
	assert_true(group_record_news(&told, &now));
	(void)unused;
}

static void the_basis_is_the_source_that_was_used(void **unused)
{
	struct policy_actuator a = { .basis = BASIS_DECLARED };
	assert_int_equal(group_basis_of(&a, true), GROUP_DECLARED);
	assert_int_equal(group_basis_of(&a, false), GROUP_TYPICAL);
	a.basis = BASIS_WORST;
	assert_int_equal(group_basis_of(&a, true), GROUP_WORST);
	a.basis = BASIS_LEARNED;
	a.by_site.end_ms = (struct policy_quantity){ 4550, 0, 6 };      /* 85 % of 2 s + 3 s */
	a.used = (struct policy_response){ 2000, 3000 };
	assert_int_equal(group_basis_of(&a, true), GROUP_BY_SITE);
	a.by_polls.end_ms = (struct policy_quantity){ 7600, 0, 90 };    /* 90 % of 4 s + 4 s */
	assert_int_equal(group_basis_of(&a, true), GROUP_BY_SITE);
	a.used = (struct policy_response){ 4000, 4000 };
	assert_int_equal(group_basis_of(&a, true), GROUP_BY_POLLS);
	a.by_site.end_ms.n = 0;
	assert_int_equal(group_basis_of(&a, true), GROUP_BY_POLLS);
	(void)unused;
}

/* ---- a site ---- */

static void open_declared(struct scenario *s, int64_t sleep_ms)
{
	scenario_open(s, &(struct scenario_conf){
		.world = { .truth = { .seed = 1, .load = { .pattern = LOAD_CONSTANT, .peak_w = 100 * KW }, .n_pdus = 2,
		                      .house_w = 3000 } },
		.n_miners = MINERS, .cap_w = 400 * KW, .pdu_nameplate_w = 60 * KW, .cycles_per_day = 24 });
	s->miner_group.sleep = (struct policy_response){ sleep_ms, sleep_ms };
	for (size_t i = 0; i < MINERS; i++)
		sim_world_set_firmware(s->world, i, 71);
	scenario_run(s, 60 * SEC);
}

static void open_learned(struct scenario *s)
{
	open_declared(s, DECLARED_MS);
	scenario_cycle(s);
	scenario_cycle(s);
}

/* Of a group's object, as mulletctl gets it: a member by its path, "sleep.basis"; empty: no such group. */
static struct cell { char text[80]; } told_of(const struct scenario *s, const char *group, const char *in, const char *key)
{
	struct json json = { 0 };
	struct cell cell = { "" };
	site_groups_json(s->site, s->clock.at, &json);
	for (char *line = strtok(json.text, "\n"); line; line = strtok(NULL, "\n")) {
		cJSON *object = cJSON_Parse(line);
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(object, "group"));
		const cJSON *way = in ? cJSON_GetObjectItem(object, in) : object;
		char *value = cJSON_PrintUnformatted(cJSON_GetObjectItem(way, key));
		if (name && !strcmp(name, group))
			snprintf(cell.text, sizeof(cell.text), "%s", value);
		cJSON_free(value);
		cJSON_Delete(object);
	}
	json_free(&json);
	return cell;
}

static bool learned(const struct scenario *s, const char *group)
{
	return strcmp(told_of(s, group, "sleep", "basis").text, "\"declared\"") != 0;
}

static int count(const char *text, const char *what)
{
	int n = 0;
	for (const char *at = text; at && (at = strstr(at, what)); at++)
		n++;
	return n;
}

static void a_group_is_told_when_there_is_news(void **unused)
{
	struct scenario s;
	open_declared(&s, DECLARED_MS);
	assert_true(count(s.groups_seen.text, "group/hall") >= 1);
	assert_non_null(strstr(s.groups_seen.text, "\"awake\":30"));
	assert_int_equal(strcmp(told_of(&s, "hall", "sleep", "basis").text, "\"declared\""), 0);
	json_reset(&s.groups_seen);
	scenario_run(&s, 120 * SEC);
	assert_true(count(s.groups_seen.text, "group/hall") <= 6);      /* that more readings agree */
	json_reset(&s.groups_seen);
	scenario_cycle(&s);
	int n = count(s.groups_seen.text, "group/hall");
	assert_in_range(n, 4, 110 / 5);
	assert_non_null(strstr(s.groups_seen.text, "\"asleep\":30"));
	assert_true(learned(&s, "hall"));
	assert_string_equal(told_of(&s, "hall", NULL, "sleeps_per_miner").text, "1");
	assert_string_equal(told_of(&s, "hall", NULL, "cycles_per_day").text, "24");
	assert_true(atof(told_of(&s, "hall", NULL, "cycles_left").text) < 23.1);
	assert_in_range(atoi(told_of(&s, "hall", NULL, "efficiency_mj_per_th").text), 10000, 30000);
	assert_in_range(atoi(told_of(&s, "hall", NULL, "awake_w").text), 3000, 4000);
	scenario_close(&s);
	(void)unused;
}

static void what_was_learned_survives_a_restart(void **unused)
{
	struct scenario s;
	struct kept kept, back;
	struct json json = { 0 };
	char why[200] = "";
	open_learned(&s);
	assert_true(learned(&s, "hall"));
	site_keep(s.site, s.clock.at, &kept);
	uint64_t seq = site_seq(s.site);
	assert_true(seq >= 2 && kept.seq == seq && kept.seq_reserved == seq);
	kept.seq_reserved += 1000;
	kept_format(&kept, "test", &json);
	assert_true(kept_parse(json.text, json.len, "test", &back, why, sizeof(why)));
	s.recalled = &back;
	scenario_restart(&s, 5 * SEC);
	scenario_run(&s, SEC);                  /* no miner was told anything yet */
	assert_true(learned(&s, "hall"));
	assert_int_equal(site_seq(s.site), seq + 1000);
	struct kept again;
	site_keep(s.site, s.clock.at, &again);
	assert_true(kept.shown.peaks_w[0] > 100000 && again.shown.peaks_w[0] >= kept.shown.peaks_w[0]);
	assert_true(again.shown.n_peak_slots >= kept.shown.n_peak_slots + 10);  /* those of the time away, too */
	assert_true(again.energy.site_wh >= kept.energy.site_wh && kept.energy.site_wh > 1000);
	assert_int_equal(again.groups[0].firmware, 71);
	/* Declared otherwise since: learned anew. */
	s.miner_group.sleep.ramp_ms++;
	scenario_restart(&s, 5 * SEC);
	scenario_run(&s, SEC);
	assert_false(learned(&s, "hall"));
	s.recalled = NULL;
	scenario_close(&s);
	kept_free(&kept);
	kept_free(&back);
	kept_free(&again);
	json_free(&json);
	(void)unused;
}

/* How they go to another power is kept beside the rest, and told where it counts; it holds as long as it is declared the
 * same, and does not take the rest along. */
static void another_power_is_kept_beside_the_rest(void **unused)
{
	struct scenario s;
	struct kept kept, back;
	struct json json = { 0 };
	char why[200] = "";
	open_learned(&s);
	assert_string_equal(told_of(&s, "hall", NULL, "power").text, "null");
	site_keep(s.site, s.clock.at, &kept);
	assert_false(kept.groups[0].partial);
	s.miner_group.partial_w = 2000;         /* from this run on */
	s.miner_group.power = (struct policy_response){ 2000, 8000 };
	kept_format(&kept, "test", &json);
	assert_true(kept_parse(json.text, json.len, "test", &back, why, sizeof(why)));
	s.recalled = &back;
	scenario_restart(&s, 5 * SEC);
	scenario_run(&s, SEC);
	assert_true(learned(&s, "hall"));
	assert_string_equal(told_of(&s, "hall", NULL, "partial_w").text, "2000");
	assert_string_equal(told_of(&s, "hall", "power", "basis").text, "\"declared\"");
	kept_free(&back);
	kept_free(&kept);
	site_keep(s.site, s.clock.at, &kept);
	assert_true(kept.groups[0].partial && kept.groups[0].powers.ramp_ms == 8000);
	kept.groups[0].power.works = (struct policy_quantity){ 0.5F, 0.1F, 17 };
	kept.groups[0].power.least = (struct policy_quantity){ 2700, 100, 10 };
	for (int64_t more_ms = 0; more_ms < 2; more_ms++) {     /* declared the same, then not */
		s.recalled = &kept;
		s.miner_group.power.ramp_ms += more_ms;
		scenario_restart(&s, 5 * SEC);
		scenario_run(&s, SEC);
		assert_true(learned(&s, "hall"));
		assert_string_equal(told_of(&s, "hall", "power", "orders").text, more_ms ? "0" : "17");
		assert_string_equal(told_of(&s, "hall", NULL, "partial_w").text, more_ms ? "2000" : "2700");
	}
	s.recalled = NULL;
	scenario_close(&s);
	kept_free(&kept);
	json_free(&json);
	(void)unused;
}

/* Two groups where there was one: what the first `n` miners belong to, and what the rest does. */
struct split {
	struct site_conf conf;
	struct policy_miner_group groups[2];
	const char *names[2];
	uint16_t group[MINERS];
};

static void split(struct split *split, const struct scenario *s, const char *first, const char *second, size_t n)
{
	*split = (struct split){ .conf = s->site_conf, .groups = { s->miner_group, s->miner_group },
	                         .names = { first, second } };
	for (size_t i = 0; i < MINERS; i++)
		split->group[i] = i >= n;
	split->conf.miner_groups = split->names;
	split->conf.policy.miner_groups = split->groups;
	split->conf.policy.miner_group = split->group;
	split->conf.policy.n_miner_groups = 2;
}

static void what_was_learned_goes_with_the_name(void **unused)
{
	struct scenario s;
	struct split files[3];
	open_learned(&s);
	split(&files[0], &s, "annex", "hall", 10);      /* another one before it in the file */
	scenario_reload(&s, &files[0].conf);
	json_reset(&s.groups_seen);
	scenario_run(&s, 10 * SEC);
	assert_true(learned(&s, "hall"));
	assert_false(learned(&s, "annex"));
	assert_string_equal(told_of(&s, "annex", NULL, "n_miners").text, "10");
	assert_string_equal(told_of(&s, "hall", NULL, "sleeps_per_miner").text, "3"); /* 60 times, of now 20 */
	assert_true(count(s.groups_seen.text, "group/annex") >= 1 && count(s.groups_seen.text, "group/hall") >= 1);
	split(&files[1], &s, "hall", "annex", 10);      /* the other way round */
	scenario_reload(&s, &files[1].conf);
	scenario_run(&s, 10 * SEC);
	assert_true(learned(&s, "hall"));
	assert_false(learned(&s, "annex"));
	json_reset(&s.groups_seen);
	split(&files[2], &s, "hall-9", "annex", 10);    /* the name is gone, and the broker is told so */
	scenario_reload(&s, &files[2].conf);
	assert_non_null(strstr(s.groups_seen.text, "group/hall,\n"));
	scenario_run(&s, 10 * SEC);
	assert_false(learned(&s, "hall-9"));
	assert_false(learned(&s, "annex"));
	scenario_close(&s);
	(void)unused;
}

static void a_changed_response_in_the_file_ends_it(void **unused)
{
	struct scenario s;
	struct split file;
	open_learned(&s);
	split(&file, &s, "hall", "annex", 10);
	file.groups[0].wake.delay_ms++;
	scenario_reload(&s, &file.conf);
	scenario_run(&s, 10 * SEC);
	assert_false(learned(&s, "hall"));
	scenario_close(&s);
	(void)unused;
}

static void set_firmware(struct scenario *s, size_t n, uint64_t firmware)
{
	for (size_t i = 0; i < n; i++)
		sim_world_set_firmware(s->world, i, firmware);
	scenario_run(s, 45 * SEC);              /* each is polled once */
}

static void a_firmware_on_most_of_a_group_is_learned_anew(void **unused)
{
	struct scenario s;
	open_learned(&s);
	set_firmware(&s, 1, 72);
	assert_true(learned(&s, "hall"));
	set_firmware(&s, MINERS / 2, 72);       /* half is not most */
	assert_true(learned(&s, "hall"));
	set_firmware(&s, MINERS / 2 + 1, 72);
	assert_false(learned(&s, "hall"));
	assert_string_equal(told_of(&s, "hall", "sleep", "orders").text, "0");
	scenario_cycle(&s);
	assert_true(learned(&s, "hall"));
	set_firmware(&s, MINERS, 0);            /* they do not say any more: not another one */
	assert_true(learned(&s, "hall"));
	scenario_close(&s);
	(void)unused;
}

/* What an earlier run learned of another firmware holds no more, if it was changed in between. */
static void a_firmware_changed_while_away_is_noticed(void **unused)
{
	struct scenario s;
	struct kept kept;
	open_learned(&s);
	site_keep(s.site, s.clock.at, &kept);
	kept.groups[0].firmware = 70;
	s.recalled = &kept;
	scenario_restart(&s, 5 * SEC);
	scenario_run(&s, SEC);
	assert_true(learned(&s, "hall"));
	scenario_run(&s, 10 * SEC);             /* all were heard */
	assert_false(learned(&s, "hall"));
	s.recalled = NULL;
	scenario_close(&s);
	kept_free(&kept);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_message_has_what_is_known),
		cmocka_unit_test(only_what_matters_is_news),
		cmocka_unit_test(the_basis_is_the_source_that_was_used),
		cmocka_unit_test(a_group_is_told_when_there_is_news),
		cmocka_unit_test(what_was_learned_survives_a_restart),
		cmocka_unit_test(another_power_is_kept_beside_the_rest),
		cmocka_unit_test(what_was_learned_goes_with_the_name),
		cmocka_unit_test(a_changed_response_in_the_file_ends_it),
		cmocka_unit_test(a_firmware_on_most_of_a_group_is_learned_anew),
		cmocka_unit_test(a_firmware_changed_while_away_is_noticed),
	};
	return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
