/* Miners that are exchanged, renamed or moved: what was learned belongs to a machine, not to the place where it stood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/scenario.h"

#define SEC      1000LL
#define KW       1000LL
#define MINERS   30
#define STRANGER 999

static void open_told(struct scenario *s)
{
	scenario_open(s, &(struct scenario_conf){
		.world = { .truth = { .seed = 1, .load = { .pattern = LOAD_CONSTANT, .peak_w = 100 * KW }, .n_pdus = 2,
		                      .house_w = 3000 } },
		.n_miners = MINERS, .cap_w = 400 * KW, .pdu_nameplate_w = 60 * KW });
	for (size_t i = 0; i < MINERS; i++)
		sim_world_set_identity(s->world, i, 100 + i);
	scenario_run(s, 60 * SEC);
}

/* The member of a miner's line, as a number; null and "null" count as -1. */
static int64_t told_of(const struct scenario *s, const char *miner, const char *key)
{
	struct json json = { 0 };
	char name[40], member[40];
	site_miners_json(s->site, NULL, s->clock.at, &json);
	snprintf(name, sizeof(name), "\"%s\"", miner);
	snprintf(member, sizeof(member), "\"%s\":", key);
	const char *at = strstr(strstr(json.text, name), member) + strlen(member);
	int64_t value = *at >= '0' && *at <= '9' ? atoll(at) : *at == '"' ? 1 : -1;
	json_free(&json);
	return value;
}

static bool raised(const struct scenario *s, const char *alarm)
{
	return s->alarms_seen.text && strstr(s->alarms_seen.text, alarm);
}

static void an_exchanged_miner_begins_anew(void **unused)
{
	struct scenario s;
	open_told(&s);
	scenario_order(&s, "shed", "qse-1", 0, 0, 3600 * SEC);
	scenario_run(&s, 60 * SEC);
	assert_int_equal(told_of(&s, "hall/5", "sleeps"), 1);
	assert_int_equal(told_of(&s, "hall/6", "sleeps"), 1);
	assert_false(raised(&s, "exchanged/hall true"));
	sim_world_set_identity(s.world, 4, STRANGER);
	scenario_run(&s, 40 * SEC);
	assert_true(raised(&s, "exchanged/hall true"));
	assert_int_equal(told_of(&s, "hall/5", "sleeps"), 0);
	assert_int_equal(told_of(&s, "hall/5", "told"), -1);
	assert_int_equal(told_of(&s, "hall/6", "sleeps"), 1);
	assert_false(raised(&s, "exchanged/hall false"));
	scenario_run(&s, 620 * SEC);
	assert_true(raised(&s, "exchanged/hall false"));
	scenario_close(&s);
	(void)unused;
}

static void its_predecessors_command_has_failed(void **unused)
{
	struct scenario s;
	open_told(&s);
	scenario_order(&s, "shed", "qse-1", 0, 0, 3600 * SEC);
	scenario_run(&s, 200);
	sim_world_set_identity(s.world, 4, STRANGER);
	scenario_run(&s, 20 * SEC);
	assert_non_null(strstr(s.last_outcome, "{\"miner\":\"hall/5\",\"error\":\"another miner stands there now\"}"));
	assert_null(strstr(s.last_outcome, "hall/6"));
	scenario_run(&s, 20 * SEC);
	assert_true(sim_world_miners_w(s.world) < MINERS * 40);         /* the stranger was told for itself */
	scenario_close(&s);
	(void)unused;
}

/* A file in which two miners have each other's address, and a third has moved to where nobody stood. */
static void a_reload_follows_the_machines(void **unused)
{
	struct scenario s;
	open_told(&s);
	struct site_conf conf = s.site_conf;
	struct site_miner miners[MINERS];
	memcpy(miners, conf.miners, sizeof(miners));
	conf.miners = miners;
	scenario_order(&s, "shed", "qse-1", 60 * KW, 0, 3600 * SEC);    /* about half of them */
	scenario_run(&s, 60 * SEC);
	size_t slept = MINERS, moved = MINERS, awake = MINERS;
	for (size_t i = 0; i < MINERS; i++) {
		bool sleeps = told_of(&s, miners[i].name, "sleeps") > 0;
		moved = sleeps ? slept : moved;
		*(sleeps ? &slept : &awake) = i;
	}
	assert_true(slept < MINERS && awake < MINERS && moved < MINERS);
	miners[slept].conf.host = s.site_conf.miners[awake].conf.host;
	miners[awake].conf.host = s.site_conf.miners[slept].conf.host;
	miners[moved].conf.host = "sim:30";
	plant_add(&sim_world_truth(s.world)->plant, s.conf.type, 1);
	sim_world_set_identity(s.world, MINERS, 100 + moved);
	scenario_reload(&s, &conf);
	assert_int_equal(told_of(&s, miners[awake].name, "sleeps"), 1);
	assert_int_equal(told_of(&s, miners[slept].name, "sleeps"), 0);
	assert_int_equal(told_of(&s, miners[moved].name, "sleeps"), 0);
	assert_int_equal(told_of(&s, miners[moved].name, "age_ms"), -1);        /* nobody is known to stand there yet */
	scenario_run(&s, 10 * SEC);
	assert_int_equal(told_of(&s, miners[moved].name, "sleeps"), 1);
	assert_true(told_of(&s, miners[moved].name, "age_ms") >= 0);
	assert_false(raised(&s, "exchanged/hall true"));
	scenario_close(&s);
	(void)unused;
}

/* They were told to sleep, and the connections on which they are told are closed. */
static void a_reload_loses_no_order(void **unused)
{
	struct scenario s;
	open_told(&s);
	struct site_conf conf = s.site_conf;
	uint64_t orders = sim_world_orders(s.world);
	scenario_order(&s, "shed", "qse-1", 0, 0, 3600 * SEC);
	while (s.n_sleeps < MINERS)
		scenario_run(&s, 1);
	assert_int_equal(sim_world_orders(s.world), orders);    /* none has heard it */
	scenario_reload(&s, &conf);
	scenario_run(&s, 5 * SEC);
	assert_true(sim_world_miners_w(s.world) < MINERS * 40);
	assert_int_equal(s.n_sleeps, MINERS);   /* in no new decision */
	scenario_close(&s);
	(void)unused;
}

/* They go on drawing, and are the load's from now on: that is no rise to keep free for. */
static void miners_taken_out_are_no_rise(void **unused)
{
	struct scenario s;
	open_told(&s);
	scenario_run(&s, 180 * SEC);
	struct site_conf conf = s.site_conf;
	int64_t rise_w = site_last_step(s.site)->picture.rise_w, load_w = site_last_step(s.site)->picture.load_w;
	conf.policy.n_miners = MINERS / 2;
	scenario_reload(&s, &conf);
	scenario_run(&s, 180 * SEC);
	assert_true(site_last_step(s.site)->picture.load_w > load_w + 30 * KW);
	assert_true(site_last_step(s.site)->picture.rise_w <= rise_w);
	scenario_close(&s);
	(void)unused;
}

/* The file named a PDU and a hall that do not answer, by mistake; then it names them no longer. */
static void what_a_reload_takes_out_leaves_no_alarm(void **unused)
{
	static const char *const names[] = { "hall-2" };
	struct scenario s;
	open_told(&s);
	sim_world_set_meter_fault(s.world, SIM_FIRST_PDU + 1, SIM_METER_SILENT);
	for (size_t i = 0; i < MINERS / 2; i++)
		sim_world_set_miner_fault(s.world, i, PLANT_SILENT);
	sim_world_set_identity(s.world, MINERS - 1, STRANGER);
	scenario_run(&s, 200 * SEC);
	assert_true(raised(&s, "meter/pdu/2 true") && raised(&s, "miners/hall true") && raised(&s, "exchanged/hall true"));
	struct site_conf conf = s.site_conf;
	conf.policy.n_meters--;
	conf.miner_groups = names;
	scenario_reload(&s, &conf);
	assert_true(raised(&s, "meter/pdu/2 false") && raised(&s, "miners/hall false") && raised(&s, "exchanged/hall false"));
	assert_false(alarms_raised(s.alarms, "meter/pdu/1"));
	scenario_run(&s, 200 * SEC);
	assert_true(alarms_raised(s.alarms, "miners/hall-2"));
	assert_false(alarms_raised(s.alarms, "miners/hall"));
	scenario_close(&s);
	(void)unused;
}

/* Another meter of the same name: what was wrong with the old one says nothing of it. */
static void a_meter_at_another_host_starts_without_alarm(void **unused)
{
	struct scenario s;
	open_told(&s);
	sim_world_set_meter_fault(s.world, SIM_FIRST_PDU + 1, SIM_METER_SILENT);
	scenario_run(&s, 20 * SEC);
	assert_true(alarms_raised(s.alarms, "meter/pdu/2"));
	struct site_conf conf = s.site_conf;
	struct site_meter meters[3];
	memcpy(meters, conf.meters, sizeof(meters));
	meters[2].conf.host = "sim:pdu:0";
	conf.meters = meters;
	scenario_reload(&s, &conf);
	scenario_run(&s, 20 * SEC);
	assert_false(alarms_raised(s.alarms, "meter/pdu/2"));
	scenario_close(&s);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exchanged_miner_begins_anew),
		cmocka_unit_test(its_predecessors_command_has_failed),
		cmocka_unit_test(a_reload_follows_the_machines),
		cmocka_unit_test(a_reload_loses_no_order),
		cmocka_unit_test(miners_taken_out_are_no_rise),
		cmocka_unit_test(what_a_reload_takes_out_leaves_no_alarm),
		cmocka_unit_test(a_meter_at_another_host_starts_without_alarm),
	};
	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
