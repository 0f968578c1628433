/* The service without a loop that runs: what the control socket's verbs make of their arguments, and what the bus lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/service.h"
#include "daemon/site_parts.h"

struct bench {
	struct sink sink;
	struct site site;               /* one that knows nothing */
	struct service service;
	char error[200];
};

static void put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	(void)sink, (void)topic, (void)delivery, (void)text, (void)len;
}

static int set_up(void **state)
{
	static struct bench b;
	static const struct signals_conf conf = { .prefix = "mullet/pecos-1", .cap_w = 20000000, .nominal_w = 10000000 };
	memset(&b, 0, sizeof(b));
	b.sink.put = put;
	b.service.site = &b.site;
	b.service.alarms = alarms_new(&b.sink, (struct alarms_user){ .self = NULL });
	b.service.signals = signals_new(&conf, &b.sink, b.service.alarms, (struct instant){ 1, 1 });
	*state = &b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	signals_free(b->service.signals);
	alarms_free(b->service.alarms);
	return 0;
}

static const char *answer(struct bench *b, const char *verb, const char *args)
{
	struct json out = { 0 };
	cJSON *parsed = cJSON_Parse(args);
	assert_non_null(parsed);
	b->error[0] = '\0';
	service_answer(&b->service, verb, parsed, &out, b->error, sizeof(b->error));
	cJSON_Delete(parsed);
	json_free(&out);
	return b->error;
}

static bool held(struct bench *b)
{
	struct demand demand;
	signals_demand(b->service.signals, system_clock.now(&system_clock), &demand);
	return demand.by_operator;
}

/* A hold that was to end must not last for ever because its time was misspelt. */
static void a_number_told_as_a_text_is_refused(void **state)
{
	static const char *const wrong[] = { "{\"watts\":1000000,\"for_ms\":\"3600000\"}", "{\"watts\":1000000,\"for_ms\":null}",
		"{\"watts\":\"1000000\"}", "{\"for_ms\":3600000}", "{}" };
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_string_equal(answer(b, "hold", wrong[i]),
		                    "hold wants numbers, not texts: watts, and for_ms if it is to end");
		assert_false(held(b));
	}
	assert_string_equal(answer(b, "hold", "{\"watts\":1000000,\"for_ms\":3600000}"), "");
	assert_true(held(b));
	assert_string_equal(answer(b, "decisions", "{\"n\":\"20\"}"), "decisions wants a number: n, from 1 to 1000000");
	assert_string_equal(answer(b, "decisions", "{\"n\":0}"), "decisions wants a number: n, from 1 to 1000000");
	assert_string_equal(answer(b, "decisions", "{\"n\":20}"), "");
	assert_string_equal(answer(b, "decisions", "{}"), "");
}

static void nothing(void *self) { (void)self; }
static void nothing_of(void *self, const char *why) { (void)self, (void)why; }

/* Telemetry that nobody can hear is no loss; decisions are. */
static void what_the_bus_lost_is_an_alarm(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = { .host = "127.0.0.1", .port = 1, .prefix = "mullet/pecos-1", .most_events = 10 };
	uv_loop_t loop;
	uv_loop_init(&loop);
	struct bus *bus = bus_open(&loop, &conf, (struct bus_user){ .on_lost = nothing_of, .on_closed = nothing });
	b->service.bus = bus;
	bus_sink(bus)->put(bus_sink(bus), "telemetry", DELIVER_LATEST, "t", 1);
	for (int i = 0; i < 10; i++)
		bus_sink(bus)->put(bus_sink(bus), "decision", DELIVER_EVENT, "d", 1);
	service_tell_lost(&b->service);
	assert_false(alarms_raised(b->service.alarms, "bus_dropped"));
	bus_sink(bus)->put(bus_sink(bus), "decision", DELIVER_EVENT, "d", 1);
	service_tell_lost(&b->service);
	assert_true(alarms_raised(b->service.alarms, "bus_dropped"));
	bus_close(bus);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_number_told_as_a_text_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_the_bus_lost_is_an_alarm, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
