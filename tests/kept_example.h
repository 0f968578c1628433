/* tests/kept_example.h - what is remembered over a restart, by example, and whether it is still the same. */
#ifndef TESTS_KEPT_EXAMPLE_H
#define TESTS_KEPT_EXAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/kept.h"

static inline struct policy_quantity quantity(float seed)
{
	return (struct policy_quantity){ 1000.0F / seed, seed * seed / 3, (uint32_t)(seed * 7) };
}

static inline struct policy_actuator actuator(float seed)
{
	return (struct policy_actuator){
		.by_site = { quantity(seed), quantity(seed + 1) }, .by_polls = { quantity(seed + 2), quantity(seed + 3) },
		.works = { 1 / seed, 0.01F, 40 }, .watts = { 3499.5F + seed, seed, 4000000 },
	};
}

/* Its wear and orders are the test's: not to be freed. */
static inline struct kept example(void)
{
	static struct kept_order orders[] = {
		{ NULL, { .id = "operator-1795000000000", .kind = ORDER_SETPOINT, .by_operator = true, .begun = true, .watts = 700000,
		          .issued_ms = 1795000000000, .start_ms = 1795000000000, .end_ms = 1795000600000 }, 599000,
		  { .status = EVENT_MET, .received_utc_ms = 1795000000000, .first_command_utc_ms = 1795000000100,
		    .met_utc_ms = 1795000004000, .response_ms = 4000, .before_w = -5, .max_w = 900000, .energy_ws = -77, .known_ms = 5000 } },
		{ "qse", { .id = "q:1", .kind = ORDER_CAP, .priority = 3, .issued_ms = 1795000000000,
		           .start_ms = 1795000900000, .end_ms = ORDER_NO_END, .ramp_w_per_min = 60000 }, 0,
		  { .status = EVENT_ACTIVE, .received_utc_ms = 1795000000000, .response_ms = -1, .before_w = POLICY_NONE, .max_w = POLICY_NONE } },
	};
	static struct kept_target targets[] = {
		{ "maestro", 1795000000300, 1795000000000, 400000, false,
		  { .alive = true, .status = EVENT_MET, .limit_w = 4000000, .received_utc_ms = 1795000000000, .met_utc_ms = 1795000003000,
		    .response_ms = 3000, .before_w = 8000000, .max_w = 7900000, .energy_ws = 55, .known_ms = 9000 } },
		{ "other", 1795000000400, 1795000000100, 1000000, true, { .alive = false } },
	};
	static struct kept_miner miners[] = {
		{ "10.30.0.1", 0xFEDCBA9876543210, 4000000000, 7200000, 540000, .owned = false },
		{ "m-\"2\"", 0, 0, 0, 0, true, { "585\",MHz", true } },
		{ "fe80::1", 0x0A, 1, 86400000, -1, true, { "", true } },
	};
	static struct kept_wear wear[] = { { "hall-1", { 5, 0, 4000000000 }, 3, miners, 3 }, { "spare", { 0 }, 0, NULL, 0 } };
	struct kept kept = {
		.seq = 1234, .seq_reserved = 2234, .n_commands = 99999, .energy = { 1e9 + 0.5, 12345678.9, 0.1 }, .n_groups = 2,
		.wear_utc_ms = 1795000000123, .wear = wear, .n_wear = 2, .shown_utc_ms = 1795000000456,
		.shown = { .peaks_w = { 800000, 0, 123456789012 }, .n_peak_slots = 2399, .n_below_slots = 7200, .missed_w = { 0, 7000 },
		           .rises = { { { 1000, 0.001 }, { 2001, 123.456 } }, [POLICY_HOLDS - 1] = { { 3, 1 } } } },
		.orders = { .alive = orders, .n = 2, .newest = { { "qse", 1795000000000 }, { "utility", 17 } }, .n_newest = 2,
		            .targets = targets, .n_targets = 2 },
	};
	kept.groups[0] = (struct kept_group){ "hall-1", "luxos", "fast", { 1000, 4000 }, { 5000, 15000 }, 0xFEDCBA9876543210,
	                                      actuator(3), actuator(17), true, { 2000, 10000 }, actuator(5) };
	kept.groups[0].power.least = quantity(9);               /* of the others nothing was seen */
	kept.groups[1] = (struct kept_group){ "\"hall\" \303\244", "cgminer", NULL, { 0, 0 }, { 1, 2 }, 0, { .basis = 0 }, { .basis = 0 }, .partial = false };
	return kept;
}

static inline void assert_same_wear(const struct kept *a, const struct kept *b)
{
	assert_int_equal(a->wear_utc_ms, b->wear_utc_ms);
	assert_int_equal(a->n_wear, b->n_wear);
	for (size_t g = 0; g < a->n_wear; g++) {
		const struct kept_wear *x = &a->wear[g], *y = &b->wear[g];
		assert_string_equal(x->group, y->group);
		assert_int_equal(x->n_hours, y->n_hours);
		assert_memory_equal(x->sleeps, y->sleeps, sizeof(x->sleeps));
		assert_int_equal(x->n_miners, y->n_miners);
		for (size_t m = 0; m < x->n_miners; m++) {
			assert_string_equal(x->miners[m].host, y->miners[m].host);
			assert_true(x->miners[m].identity == y->miners[m].identity);
			assert_int_equal(x->miners[m].sleeps, y->miners[m].sleeps);
			assert_int_equal(x->miners[m].worn_ms, y->miners[m].worn_ms);
			assert_int_equal(x->miners[m].settled_ms, y->miners[m].settled_ms);
			assert_int_equal(x->miners[m].owned, y->miners[m].owned);
			assert_string_equal(x->miners[m].own.profile, y->miners[m].own.profile);
			assert_int_equal(x->miners[m].own.atm, y->miners[m].own.atm);
		}
	}
}

static inline void assert_same_event(const struct event *a, const struct event *b)
{
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->received_utc_ms, b->received_utc_ms);
	assert_int_equal(a->first_command_utc_ms, b->first_command_utc_ms);
	assert_int_equal(a->met_utc_ms, b->met_utc_ms);
	assert_int_equal(a->response_ms, b->response_ms);
	assert_int_equal(a->before_w, b->before_w);
	assert_int_equal(a->max_w, b->max_w);
	assert_int_equal(a->energy_ws, b->energy_ws);
	assert_int_equal(a->known_ms, b->known_ms);
}

static inline void assert_same_order(const struct kept_order *a, const struct kept_order *b)
{
	assert_true(a->signal == b->signal || !strcmp(a->signal, b->signal));
	assert_string_equal(a->order.id, b->order.id);
	assert_int_equal(a->order.kind, b->order.kind);
	assert_int_equal(a->order.by_operator, b->order.by_operator);
	assert_int_equal(a->order.begun, b->order.begun);
	assert_int_equal(a->order.priority, b->order.priority);
	assert_int_equal(a->order.watts, b->order.watts);
	assert_int_equal(a->order.ramp_w_per_min, b->order.ramp_w_per_min);
	assert_int_equal(a->order.issued_ms, b->order.issued_ms);
	assert_int_equal(a->order.start_ms, b->order.start_ms);
	assert_int_equal(a->order.end_ms, b->order.end_ms);
	assert_int_equal(a->left_ms, b->left_ms);
	assert_same_event(&a->event, &b->event);
}

static inline void assert_same_target(const struct kept_target *a, const struct kept_target *b)
{
	assert_string_equal(a->signal, b->signal);
	assert_int_equal(a->heard_utc_ms, b->heard_utc_ms);
	assert_int_equal(a->at_utc_ms, b->at_utc_ms);
	assert_int_equal(a->share_ppm, b->share_ppm);
	assert_int_equal(a->stale, b->stale);
	assert_int_equal(a->event.alive, b->event.alive);
	assert_int_equal(a->event.limit_w, b->event.limit_w);
	if (a->event.alive)
		assert_same_event(&a->event, &b->event);
}

static inline void assert_same_orders(const struct kept_orders *a, const struct kept_orders *b)
{
	assert_null(b->fault);
	assert_int_equal(b->n_lost, 0);
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_same_order(&a->alive[i], &b->alive[i]);
	assert_int_equal(a->n_newest, b->n_newest);
	for (size_t i = 0; i < a->n_newest; i++) {
		assert_string_equal(a->newest[i].signal, b->newest[i].signal);
		assert_int_equal(a->newest[i].issued_ms, b->newest[i].issued_ms);
	}
	assert_int_equal(a->n_targets, b->n_targets);
	for (size_t i = 0; i < a->n_targets; i++)
		assert_same_target(&a->targets[i], &b->targets[i]);
}

#endif
