/* tests/signals_bench.h - signals on a clock turned by hand: messages in, lines out. */
#ifndef TESTS_SIGNALS_BENCH_H
#define TESTS_SIGNALS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/signals.h"
#include "daemon/xalloc.h"
#include "policy/orders.h"

#define T0 1795323843000LL              /* 2026-11-22T05:04:03Z */
#define ORDER_TOPIC "mullet/pecos-1/order/qse"

struct bench {
	struct sink sink;               /* writes each message as a line: topic, how, text */
	char lines[40][900];
	int n;
	struct alarms *alarms;
	struct signals *signals;
	struct instant now;
	struct demand demand;
	int changes;
	char why[200];                  /* of the operator's last refusal */
};

static inline void put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	static const char *const how[] = { "latest", "state", "event" };
	struct bench *b = (struct bench *)(void *)sink;
	assert_true(b->n < 40);
	snprintf(b->lines[b->n++], sizeof(b->lines[0]), "%s %s %.*s", topic, how[delivery], (int)len, text);
}

static inline void on_change(void *self, const char *name, bool raised, enum severity severity, const char *why)
{
	(void)name;
	(void)raised;
	(void)severity;
	(void)why;
	((struct bench *)self)->changes++;
}

static const struct signal_conf signal_confs[] = {
	{ .name = "qse", .format = SIGNAL_ORDER },
	{ .name = "maestro", .format = SIGNAL_TARGET, .topic = "maestro/target", .stale_after_ms = 90000, .when_stale = WHEN_STALE_CURTAIL },
};

static inline struct signals_conf conf_with(const struct signal_conf *confs, size_t n)
{
	return (struct signals_conf){
		.prefix = "mullet/pecos-1", .signals = confs, .n_signals = n, .cap_w = 20000000,
		.nominal_w = 10000000, .asleep_w = 100000, .sleep_ms = 8000, .wake_ms = 120000,
	};
}

static inline void build(struct bench *b, const struct signal_conf *confs, size_t n)
{
	struct signals_conf conf = conf_with(confs, n);
	b->sink.put = put;
	b->now = (struct instant){ .mono_ms = 5000000, .utc_ms = T0 };
	b->alarms = alarms_new(&b->sink, (struct alarms_user){ b, on_change });
	b->signals = signals_new(&conf, &b->sink, b->alarms, b->now);
	b->n = 0;
}

static inline int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	build(b, signal_confs, 2);
	*state = b;
	return 0;
}

static inline int set_up_orders(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	build(b, signal_confs, 1);
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bench *b = *state;
	signals_free(b->signals);
	alarms_free(b->alarms);
	free(b);
	return 0;
}

static inline void pass(struct bench *b, int64_t ms)
{
	b->now.mono_ms += ms;
	b->now.utc_ms += ms;
}

/* One turn of the site. */
static inline void look(struct bench *b, int64_t site_w, int64_t miners_w, uint32_t n_commands)
{
	struct decision decided = { .n_commands = n_commands };
	signals_demand(b->signals, b->now, &b->demand);
	signals_observe(b->signals, b->now, site_w, miners_w, &decided);
}

static inline void look_for(struct bench *b, int64_t ms, int64_t site_w, int64_t miners_w)
{
	for (int64_t t = 0; t < ms; t += 1000) {
		look(b, site_w, miners_w, 0);
		pass(b, 1000);
	}
}

static inline bool hold(struct bench *b, int64_t watts, int64_t duration_ms)
{
	b->why[0] = '\0';
	return signals_operator_hold(b->signals, watts, duration_ms, b->now, b->why, sizeof(b->why));
}

static inline bool shed(struct bench *b)
{
	return signals_operator_shed(b->signals, b->now, b->why, sizeof(b->why));
}

static inline bool release(struct bench *b)
{
	return signals_operator_release(b->signals, b->now, b->why, sizeof(b->why));
}

static inline bool message(struct bench *b, const char *topic, const char *text)
{
	return signals_message(b->signals, topic, text, strlen(text), false, b->now);
}

static inline void order(struct bench *b, const char *text)
{
	assert_true(message(b, ORDER_TOPIC, text));
}

static inline void target(struct bench *b, const char *share, int64_t at_ms)
{
	char text[100];
	snprintf(text, sizeof(text), "{\"target\":%s,\"timestamp\":%lld}", share, (long long)(at_ms / 1000));
	assert_true(message(b, "maestro/target", text));
}

/* All that was said since the last call. */
static inline void said(struct bench *b, const char *const *lines)
{
	int i;
	for (i = 0; i < b->n && lines[i]; i++)
		assert_string_equal(b->lines[i], lines[i]);
	if (lines[i])
		fail_msg("not said: %s", lines[i]);
	if (i < b->n)
		fail_msg("said too: %s", b->lines[i]);
	b->n = 0;
}

#define SAID(b, ...) said(b, (const char *const[]){ __VA_ARGS__, NULL })
#define NOTHING_SAID(b) said(b, (const char *const[]){ NULL })

#define CAP_A "{\"id\":\"a\",\"kind\":\"cap\",\"limit_w\":12000000,\"issued\":\"2026-11-22T05:04:03Z\",\"start\":null,\"end\":\"2026-11-22T05:09:03Z\",\"priority\":0}"

#define REST "\"issued\":\"2026-11-22T05:04:03Z\",\"end\":\"2026-11-22T06:00:00Z\"}"

static inline const char *ack_of(struct bench *b, const char *text)
{
	b->n = 0;
	order(b, text);
	return b->lines[0];
}

#define ORDERS(name) cmocka_unit_test_setup_teardown(name, set_up_orders, tear_down)
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
