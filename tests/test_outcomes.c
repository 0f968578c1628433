/* What becomes of a decision's commands, on a whole site in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/scenario.h"

#define SEC 1000

struct counts { int sent, confirmed, failed, overtaken, did_not_follow; };

static int figure(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	return at ? atoi(at + strlen(key)) : 0;
}

static int times(const char *text, const char *part)
{
	int n = 0;
	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		n++;
	return n;
}

static void run(struct scenario *s, int64_t ms, struct counts *counts)
{
	for (int64_t at_ms = 0; at_ms < ms; at_ms += 100) {
		s->last_outcome[0] = '\0';
		scenario_run(s, 100);
		counts->sent += figure(s->last_outcome, "\"sent\":");
		counts->confirmed += figure(s->last_outcome, "\"confirmed\":");
		counts->failed += figure(s->last_outcome, "\"failed\":");
		counts->overtaken += times(s->last_outcome, "overtaken");
		counts->did_not_follow += times(s->last_outcome, "did not follow");
	}
}

static void open_partial(struct scenario *s, int64_t cap_w)
{
	struct scenario_conf conf = {
		.world.truth = { .load = { .pattern = LOAD_CONSTANT, .peak_w = 500000 }, .house_w = 20000, .n_pdus = 10 },
		.n_miners = 60, .cap_w = cap_w, .min_asleep_ms = 10 * SEC,
	};
	scenario_open(s, &conf);
	scenario_run(s, SEC);
	s->miner_group.partial_w = 1882;
	s->miner_group.step_w = 200;
	s->miner_group.power = (struct policy_response){ 2000, 10000 };
	scenario_restart(s, SEC);
}

/* It would go on by its ramp: what it has said before was told nobody, and leaves the ramp as it was. */
static void a_dry_run_spends_no_ramp(void **state)
{
	static struct scenario s;
	struct scenario_conf conf = {
		.world.truth = { .load = { .pattern = LOAD_CONSTANT, .peak_w = 500000 }, .house_w = 20000, .n_pdus = 10 },
		.n_miners = 60, .cap_w = 900000, .target_w = 600000, .ramp_down_w_per_min = 120000, .dry_run = true,
	};
	scenario_open(&s, &conf);
	scenario_run(&s, 60 * SEC);
	for (int k = 0; k < 100; k++) {
		scenario_run(&s, 100);
		const struct decision *would = site_last_step(s.site);
		assert_int_equal(would->binding, BINDING_RAMP_DOWN);
		assert_in_range(would->n_commands, 8, 9);       /* 30 kW: what is saved up in 15 s */
	}
	scenario_close(&s);
	(void)state;
}

/* Miners woken to their least are told more as soon as they are there: the wake has not failed for that. */
static void a_wake_that_is_done_is_confirmed(void **state)
{
	(void)state;
	struct scenario s;
	struct counts counts = { 0 };
	open_partial(&s, 760000);
	scenario_run(&s, 30 * SEC);
	scenario_order(&s, "cap", "low", 560000, 0, 30 * SEC);
	run(&s, 120 * SEC, &counts);
	assert_true(counts.sent > 60);
	assert_int_equal(counts.overtaken, 0);
	assert_true(counts.failed <= counts.sent / 20);
	assert_int_equal(counts.failed, counts.did_not_follow);
	scenario_close(&s);
}

/* The third one in a row included, after which the miner is left alone for ten minutes. */
static void an_order_for_another_power_that_changes_nothing_has_failed(void **state)
{
	(void)state;
	struct scenario s;
	struct counts counts = { 0 };
	open_partial(&s, 740000);
	for (size_t i = 0; i < s.conf.n_miners; i++)
		sim_world_set_miner_fault(s.world, i, PLANT_LYING);
	run(&s, 10 * 60 * SEC, &counts);
	assert_true(counts.sent > 0 && times(s.trace.text, "less power") > 0);
	assert_int_equal(counts.confirmed, 0);
	scenario_close(&s);
}

/* What mulletctl is told of the newest decision. */
static bool newest_says(const struct scenario *s, const char *outcome)
{
	struct json json = { 0 };
	site_decisions_json(s->site, 1, &json);
	bool says = strstr(json.text, outcome) != NULL && strstr(json.text, "}\n");
	if (!says)
		print_error("%s has no %s\n", json.text, outcome);
	json_free(&json);
	return says;
}

/* Also over a reload, which cuts off what is under way. */
static void the_operator_is_told_what_became_of_a_decision(void **state)
{
	(void)state;
	struct scenario s;
	struct scenario_conf conf = {
		.world.truth = { .load = { .pattern = LOAD_CONSTANT, .peak_w = 500000 }, .house_w = 20000, .n_pdus = 10 },
		.n_miners = 60, .cap_w = 900000,
	};
	scenario_open(&s, &conf);
	scenario_run(&s, 60 * SEC);
	scenario_order(&s, "shed", "qse-1", 0, 0, 600 * SEC);
	scenario_run(&s, 300);
	assert_true(newest_says(&s, "\"outcome\":{\"sent\":60,\"confirmed\":0,\"failed\":0,\"overtaken\":0,\"elapsed_ms\":null}"));
	scenario_run(&s, 30 * SEC);
	assert_true(newest_says(&s, "\"outcome\":{\"sent\":60,\"confirmed\":60,\"failed\":0,\"overtaken\":0,\"elapsed_ms\":"));
	scenario_reload(&s, &s.site_conf);
	assert_true(newest_says(&s, "\"outcome\":{\"sent\":60,\"confirmed\":60,\"failed\":0,"));
	scenario_close(&s);
	conf.dry_run = true;
	conf.target_w = 600000;
	scenario_open(&s, &conf);
	scenario_run(&s, 60 * SEC);
	assert_true(newest_says(&s, "\"outcome\":null}"));
	scenario_close(&s);
}

/* What a newer decision told the same miners has not failed. */
static void orders_overtaken_are_told_apart(void **state)
{
	(void)state;
	struct scenario s;
	struct json json = { 0 };
	open_partial(&s, 760000);
	scenario_run(&s, 30 * SEC);
	scenario_order(&s, "setpoint", "low", 660000, 0, 600 * SEC);
	scenario_run(&s, 300);
	scenario_order(&s, "shed", "all", 0, 0, 600 * SEC);
	scenario_run(&s, 300);
	site_decisions_json(s.site, 2, &json);
	int sent = figure(json.text, "\"sent\":");
	assert_true(sent > 0);
	assert_int_equal(figure(json.text, "\"failed\":"), sent);
	assert_int_equal(figure(json.text, "\"overtaken\":"), sent);
	json_free(&json);
	scenario_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dry_run_spends_no_ramp),
		cmocka_unit_test(a_wake_that_is_done_is_confirmed),
		cmocka_unit_test(orders_overtaken_are_told_apart),
		cmocka_unit_test(the_operator_is_told_what_became_of_a_decision),
		cmocka_unit_test(an_order_for_another_power_that_changes_nothing_has_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
