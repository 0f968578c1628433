/* What stands retained in the site's name: remembered, told again, and put right where an earlier run left it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/retained.h"
#include "daemon/xalloc.h"

#define T0 1795323843000LL              /* 2026-11-22T05:04:03Z */
#define BEFORE "\"2026-11-22T05:04:02.000Z\""
#define AFTER "\"2026-11-22T05:04:04.000Z\""

struct bench {
	struct sink sink;
	struct retained retained;
	int n;                          /* messages that came through */
	char all[100000], last[2000];   /* their topics and texts, a line each; the last */
};

static const struct instant now = { .mono_ms = 5000, .utc_ms = T0 };

static void put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	struct bench *b = (struct bench *)(void *)sink;
	size_t used = strlen(b->all);
	(void)delivery;
	snprintf(b->last, sizeof(b->last), "%s %.*s", topic, (int)len, text);
	snprintf(b->all + used, sizeof(b->all) - used, "%s\n", b->last);
	b->n++;
}

static int set_up(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	b->sink.put = put;
	retained_init(&b->retained, &b->sink);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	retained_free(&b->retained);
	free(b);
	return 0;
}

static void say(struct bench *b, const char *topic, enum delivery delivery, const char *text)
{
	b->retained.sink.put(&b->retained.sink, topic, delivery, text, strlen(text));
}

static void found(struct bench *b, const char *topic, const char *text)
{
	b->n = 0;
	b->last[0] = '\0';
	retained_found(&b->retained, topic, text, strlen(text), now);
}

static void repeat(struct bench *b)
{
	b->n = 0;
	b->all[0] = '\0';
	retained_repeat(&b->retained);
}

static void the_newest_of_each_topic_is_told_again(void **state)
{
	struct bench *b = *state;
	say(b, "alarm/cap", DELIVER_STATE, "old");
	say(b, "hpc/limit", DELIVER_STATE, "limit");
	say(b, "telemetry", DELIVER_LATEST, "t");
	say(b, "decision", DELIVER_EVENT, "d");
	say(b, "alarm/cap", DELIVER_STATE, "new");
	say(b, "group/gone", DELIVER_STATE, "g");
	say(b, "group/gone", DELIVER_STATE, "");
	assert_int_equal(b->n, 7);
	repeat(b);
	assert_string_equal(b->all, "hpc/limit limit\nalarm/cap new\n");
}

static void say_event(struct bench *b, int i, const char *status)
{
	char topic[40], text[80];
	snprintf(topic, sizeof(topic), "event/e%d", i);
	snprintf(text, sizeof(text), "{\"id\":\"e%d\",\"status\":\"%s\"}", i, status);
	say(b, topic, DELIVER_STATE, text);
}

static void of_many_events_those_that_are_over_go_first(void **state)
{
	struct bench *b = *state;
	say_event(b, 0, "active");
	say_event(b, 1, "missed");
	for (int i = 2; i < RETAINED_EVENTS + 10; i++)
		say_event(b, i, i % 2 ? "rejected" : "completed");
	assert_non_null(strstr(b->all, "event/e2 \n"));         /* it is gone at the broker, too */
	say(b, "alarm/cap", DELIVER_STATE, "raised");
	repeat(b);
	assert_int_equal(b->n, RETAINED_EVENTS + 1);
	assert_non_null(strstr(b->all, "event/e0 "));
	assert_non_null(strstr(b->all, "event/e1 "));
	assert_null(strstr(b->all, "event/e11 "));
	assert_non_null(strstr(b->all, "event/e12 "));
	for (int i = 0; i < 2 * RETAINED_EVENTS; i++)
		say_event(b, 1000 + i, "active");
	repeat(b);
	assert_int_equal(b->n, RETAINED_EVENTS + 1);    /* whatever they are */
}

static void an_alarm_that_nobody_raised_is_cleared(void **state)
{
	struct bench *b = *state;
	found(b, "alarm/meter/pdu/1", "{\"raised\":true,\"since\":" BEFORE ",\"why\":\"silent\",\"severity\":\"warning\",\"subject\":\"pdu/1\"}");
	assert_string_equal(b->last, "alarm/meter/pdu/1 {\"raised\":false,\"since\":\"2026-11-22T05:04:03.000Z\",\"why\":null,"
	                    "\"severity\":\"warning\",\"subject\":\"pdu/1\"}");
	found(b, "alarm/meter/pdu/1", "{\"raised\":false}");
	assert_int_equal(b->n, 0);
	repeat(b);
	assert_int_equal(b->n, 0);
	say(b, "alarm/cap", DELIVER_STATE, "{\"raised\":true}");
	found(b, "alarm/cap", "{\"raised\":true}");
	assert_int_equal(b->n, 0);
}

/* The site itself takes it back, once there is room. */
static void a_limit_of_an_earlier_run_stands(void **state)
{
	struct bench *b = *state;
	found(b, "hpc/limit", "{\"limit_w\":367072,\"why\":\"all miners are shed\"}");
	assert_int_equal(b->n, 0);
}

static void an_event_that_nobody_follows_is_cancelled(void **state)
{
	static const struct { const char *status, *end; bool alive; } cases[] = {
		{ "scheduled", AFTER, true }, { "active", AFTER, true }, { "met", AFTER, true }, { "active", BEFORE, true },
		{ "missed", AFTER, true }, { "missed", "null", true }, { "missed", BEFORE, false },
		{ "completed", AFTER, false }, { "cancelled", AFTER, false }, { "rejected", AFTER, false },
	};
	struct bench *b = *state;
	char text[200], expected[300];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{\"id\":\"q\",\"status\":\"%s\",\"limit_w\":5000000000,\"end\":%s,\"why\":null}",
		         cases[i].status, cases[i].end);
		snprintf(expected, sizeof(expected), "event/q {\"id\":\"q\",\"status\":\"cancelled\",\"limit_w\":5000000000,"
		         "\"end\":%s,\"why\":\"mulletd was started anew and does not follow it\"}", cases[i].end);
		found(b, "event/q", text);
		assert_string_equal(b->last, cases[i].alive ? expected : "");
	}
	say(b, "event/q", DELIVER_STATE, "{\"status\":\"active\"}");
	found(b, "event/q", "{\"status\":\"active\"}");
	assert_int_equal(b->n, 0);
}

static void an_event_of_long_ago_goes(void **state)
{
	static const struct { const char *status, *end, *received; bool goes; } cases[] = {
		{ "completed", "\"2026-11-21T05:04:02Z\"", BEFORE, true }, { "missed", "\"2026-11-21T05:04:02Z\"", BEFORE, true },
		{ "completed", "\"2026-11-21T05:04:04Z\"", "\"2026-11-01T00:00:00Z\"", false },
		{ "cancelled", "null", "\"2026-11-21T05:04:02Z\"", true }, { "cancelled", "null", BEFORE, false },
		{ "rejected", "null", "null", false }, { "rejected", "\"2026-12-22T00:00:00Z\"", "\"2026-11-21T05:04:02Z\"", true },
		{ "rejected", "\"2026-12-22T00:00:00Z\"", BEFORE, false },
		{ "cancelled", "\"2026-12-22T00:00:00Z\"", "\"2026-11-01T00:00:00Z\"", false },
	};
	struct bench *b = *state;
	char text[200];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{\"id\":\"q\",\"status\":\"%s\",\"received\":%s,\"end\":%s}", cases[i].status,
		         cases[i].received, cases[i].end);
		found(b, "event/q", text);
		assert_string_equal(b->last, cases[i].goes ? "event/q " : "");
	}
}

static void what_is_not_ours_is_left_alone(void **state)
{
	static const char *const texts[] = { "", "{", "raised", "[]", "[{\"raised\":true}]", "null", "{\"status\":7,\"raised\":1,\"limit_w\":\"1\"}",
		"{\"raised\":true,\"raised\":true} x", "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]" };
	static const char *const topics[] = { "alarm/x", "event/x", "hpc/limit", "state", "hpc/plan", "alarm", "" };
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t k = 0; k < sizeof(topics) / sizeof(topics[0]); k++) {
			found(b, topics[k], texts[i]);
			assert_int_equal(b->n, 0);
		}
	}
	found(b, "state", "{\"raised\":true,\"status\":\"active\",\"limit_w\":1}");
	assert_int_equal(b->n, 0);
}

static void aside_it_only_decides(void **state)
{
	struct bench *b = *state;
	b->retained.aside = true;
	say(b, "state", DELIVER_STATE, "running");
	say(b, "telemetry", DELIVER_LATEST, "t");
	say(b, "ack/qse", DELIVER_EVENT, "a");
	found(b, "alarm/x", "{\"raised\":true}");
	repeat(b);
	assert_int_equal(b->n, 0);
	say(b, "decision", DELIVER_EVENT, "d");
	assert_string_equal(b->all, "decision d\n");
	b->retained.aside = false;
	repeat(b);
	assert_string_equal(b->all, "state running\n");
}

static void without_a_bus_it_goes_nowhere(void **state)
{
	struct bench *b = *state;
	b->retained.to = NULL;
	say(b, "alarm/cap", DELIVER_STATE, "raised");
	found(b, "alarm/x", "{\"raised\":true}");
	repeat(b);
	assert_int_equal(b->n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_of_each_topic_is_told_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_many_events_those_that_are_over_go_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_alarm_that_nobody_raised_is_cleared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_limit_of_an_earlier_run_stands, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_event_that_nobody_follows_is_cancelled, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_event_of_long_ago_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_ours_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(aside_it_only_decides, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_bus_it_goes_nowhere, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("retained", tests, NULL, NULL);
}
