/* Targets over a restart: kept as text, taken up by another daemon that knows nothing else. */
#include "tests/signals_bench.h"

#include <stdlib.h>

#include "daemon/kept.h"
#include "tests/signals_written.h"

#define MW 1000000LL
#define STALE_MS 90000
#define NONE POLICY_NONE

static struct signal_conf conf_for(enum when_stale when_stale)
{
	return (struct signal_conf){ .name = "maestro", .format = SIGNAL_TARGET, .topic = "maestro/target",
	                             .stale_after_ms = STALE_MS, .when_stale = when_stale };
}

static void begin(struct bench *b, const struct signal_conf *conf)
{
	memset(b, 0, sizeof(*b));
	build(b, conf, 1);
}

static void end(struct bench *b)
{
	signals_free(b->signals);
	alarms_free(b->alarms);
}

/* On a machine that was switched on a minute ago, when its clock shows that so much has passed. */
static void restart_from(struct bench *b, const char *text, int64_t away_ms, const struct signal_conf *conf)
{
	struct signals_conf all = conf_with(conf, 1);
	struct kept kept;
	char why[200];
	if (!kept_parse(text, strlen(text), "x", &kept, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(kept.orders.n_lost, 0);
	end(b);
	b->now = (struct instant){ .mono_ms = 60000, .utc_ms = b->now.utc_ms + away_ms };
	b->alarms = alarms_new(&b->sink, (struct alarms_user){ b, on_change });
	b->signals = signals_new(&all, &b->sink, b->alarms, b->now);
	b->n = 0;
	signals_recall(b->signals, &kept.orders, b->now);
	kept_free(&kept);
}

static void restart(struct bench *b, int64_t away_ms, const struct signal_conf *conf)
{
	char *text = signals_written(b->signals, b->now);
	restart_from(b, text, away_ms, conf);
	free(text);
}

static void assert_level(struct bench *b, int64_t miners_w, int64_t soon_w)
{
	signals_demand(b->signals, b->now, &b->demand);
	assert_int_equal(b->demand.miners_w, miners_w);
	assert_int_equal(b->demand.miners_soon_w, soon_w);
}

/* From one ms to the next it is stale, and what is left to the miners then is what its owner said. */
static void assert_stale_in(struct bench *b, int64_t ms, enum when_stale when_stale)
{
	static const int64_t stale_w[] = { [WHEN_STALE_CURTAIL] = 0, [WHEN_STALE_HOLD] = 4 * MW, [WHEN_STALE_RELEASE] = NONE };
	pass(b, ms - 1);
	signals_demand(b->signals, b->now, &b->demand);
	assert_int_equal(b->demand.miners_w, 4 * MW);
	assert_false(alarms_raised(b->alarms, "signal/maestro"));
	pass(b, 1);
	assert_level(b, stale_w[when_stale], stale_w[when_stale]);
	assert_true(alarms_raised(b->alarms, "signal/maestro"));
}

static const enum when_stale each[] = { WHEN_STALE_CURTAIL, WHEN_STALE_HOLD, WHEN_STALE_RELEASE };
#define FOR_EACH(i) for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)

static void a_fresh_target_is_in_force_for_as_long_as_without_a_restart(void **state)
{
	struct bench b;
	(void)state;
	FOR_EACH(i) {
		struct signal_conf conf = conf_for(each[i]);
		begin(&b, &conf);
		target(&b, "40", T0);
		pass(&b, 20000);
		restart(&b, 10000, &conf);
		assert_level(&b, 4 * MW, 4 * MW);
		restart(&b, 10000, &conf);      /* in a row, too */
		assert_level(&b, 4 * MW, 4 * MW);
		assert_stale_in(&b, STALE_MS - 45000 + 5000, each[i]);
		target(&b, "70", T0 + 120000);
		assert_level(&b, 7 * MW, 7 * MW);
		end(&b);
	}
}

/* Nobody listened: the sender has half of its time to be heard again, and nobody is woken on an old word. */
static void silence_that_nobody_listened_to_counts_by_half(void **state)
{
	struct bench b;
	(void)state;
	FOR_EACH(i) {
		struct signal_conf conf = conf_for(each[i]);
		int64_t soon_w = each[i] == WHEN_STALE_RELEASE ? 4 * MW : 0;
		begin(&b, &conf);
		target(&b, "40", T0);
		pass(&b, 20000);
		restart(&b, 69999, &conf);
		assert_level(&b, 4 * MW, 4 * MW);       /* but for a ms it is fresh */
		assert_stale_in(&b, STALE_MS / 2, each[i]);
		target(&b, "40", b.now.utc_ms);
		restart(&b, 3600000, &conf);
		assert_level(&b, 4 * MW, soon_w);
		assert_stale_in(&b, STALE_MS / 2, each[i]);
		end(&b);
	}
}

/* That silence was listened to: however often it is started again, it stays so. */
static void a_stale_target_is_stale_at_once(void **state)
{
	static const int64_t stale_w[] = { [WHEN_STALE_CURTAIL] = 0, [WHEN_STALE_HOLD] = 4 * MW, [WHEN_STALE_RELEASE] = NONE };
	struct bench b;
	(void)state;
	FOR_EACH(i) {
		struct signal_conf conf = conf_for(each[i]);
		begin(&b, &conf);
		target(&b, "40", T0);
		pass(&b, STALE_MS);
		assert_level(&b, stale_w[each[i]], stale_w[each[i]]);
		for (int j = 0; j < 2; j++) {
			restart(&b, 1000, &conf);
			assert_true(alarms_raised(b.alarms, "signal/maestro"));
			assert_level(&b, stale_w[each[i]], stale_w[each[i]]);
		}
		target(&b, "100", b.now.utc_ms);
		assert_level(&b, NONE, NONE);
		end(&b);
	}
}

/* Nor is it fresh by a clock that was set back. */
static void a_stale_target_is_stale_by_any_clock(void **state)
{
	struct signal_conf conf = conf_for(WHEN_STALE_CURTAIL);
	struct bench b;
	(void)state;
	begin(&b, &conf);
	target(&b, "100", T0);
	pass(&b, STALE_MS);
	assert_level(&b, 0, 0);
	restart(&b, 1000 - T0, &conf);
	assert_level(&b, 0, 0);
	assert_true(alarms_raised(b.alarms, "signal/maestro"));
	target(&b, "100", b.now.utc_ms);
	assert_level(&b, NONE, NONE);
	end(&b);
}

/* A machine without a clock of its own begins in 1970, until it hears what time it is. */
static void a_clock_that_was_set_back_ends_no_target(void **state)
{
	struct signal_conf conf = conf_for(WHEN_STALE_RELEASE);
	struct bench b;
	(void)state;
	begin(&b, &conf);
	target(&b, "40", T0);
	restart(&b, 1000 - T0, &conf);
	assert_level(&b, 4 * MW, 4 * MW);
	b.now.utc_ms = T0 + 5000;
	assert_stale_in(&b, STALE_MS, WHEN_STALE_RELEASE);
	end(&b);
}

static void its_event_and_its_newest_timestamp_go_on(void **state)
{
	struct signal_conf conf = conf_for(WHEN_STALE_HOLD), other = { .name = "maestro", .format = SIGNAL_ORDER };
	struct bench b;
	(void)state;
	begin(&b, &conf);
	look_for(&b, 60000, 15 * MW, 8 * MW);
	target(&b, "40", T0 + 60000);
	look_for(&b, 10000, 11 * MW, 4 * MW);
	restart(&b, 5000, &conf);
	assert_int_equal(b.n, 1);
	assert_non_null(strstr(b.lines[0], "event/maestro state {\"id\":\"maestro\",\"signal\":\"maestro\",\"kind\":\"share\","
		"\"status\":\"met\",\"limit_w\":4000000,\"received\":\"2026-11-22T05:05:03.000Z\",\"start\":\"2026-11-22T05:05:03.000Z\",\"end\":null,"
		"\"first_command\":null,\"met_at\":\"2026-11-22T05:05:03.000Z\",\"response_s\":0.000,\"before_w\":15000000,\"mean_w\":11000000"));
	assert_non_null(strstr(b.lines[0], "\"why\":\"target 40.00 %\""));
	target(&b, "100", T0 + 59000);          /* an older one that comes late */
	assert_level(&b, 4 * MW, 4 * MW);
	target(&b, "100", T0 + 61000);
	assert_level(&b, NONE, NONE);
	restart(&b, 1000, &conf);
	assert_level(&b, NONE, NONE);
	assert_int_equal(b.n, 0);               /* there is no event any more */
	target(&b, "40", T0 + 90000);
	restart(&b, 1000, &other);              /* of another format it is another signal */
	assert_level(&b, NONE, NONE);
	end(&b);
}

/* What only says the same again is noticed often enough to know that it is fresh. */
static void each_change_can_be_noticed(void **state)
{
	struct signal_conf conf = conf_for(WHEN_STALE_CURTAIL);
	struct bench b;
	(void)state;
	begin(&b, &conf);
	uint64_t before = signals_changes(b.signals);
#define CHANGED() ({ uint64_t was = before; before = signals_changes(b.signals); was != before; })
	target(&b, "40", b.now.utc_ms);
	assert_true(CHANGED());
	for (int i = 0; i < 29; i++) {
		pass(&b, 1000);
		target(&b, "40", b.now.utc_ms);
	}
	assert_false(CHANGED());
	pass(&b, 1000);
	target(&b, "40", b.now.utc_ms);
	assert_true(CHANGED());
	target(&b, "50", b.now.utc_ms);
	assert_true(CHANGED());
	target(&b, "49.99", b.now.utc_ms);
	assert_true(CHANGED());
	pass(&b, STALE_MS);
	signals_demand(b.signals, b.now, &b.demand);
	assert_true(CHANGED());
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_target_is_in_force_for_as_long_as_without_a_restart),
		cmocka_unit_test(silence_that_nobody_listened_to_counts_by_half),
		cmocka_unit_test(a_stale_target_is_stale_at_once),
		cmocka_unit_test(a_stale_target_is_stale_by_any_clock),
		cmocka_unit_test(a_clock_that_was_set_back_ends_no_target),
		cmocka_unit_test(its_event_and_its_newest_timestamp_go_on),
		cmocka_unit_test(each_change_can_be_noticed),
	};
	return cmocka_run_group_tests_name("targets_keep", tests, NULL, NULL);
}
