/* Pages of metrics over HTTP: from lighttpd, whom nobody here wrote, and from sockets that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/prometheus.h"
#include "tests/meter_probe.h"
#include "tests/page_server.h"
#include "tests/slow_names.h"

enum { PATIENT_MS = 20000, SHORT_MS = 150 };

struct bench {
	uv_loop_t loop;
	struct meter_room *room;
	struct prometheus_page page;
	struct meter_conf conf;
	struct probe probe;
};
static struct bench bench;
static struct lighttpd server;

static void bench_open(uint16_t port, const char *path, uint32_t timeout_ms)
{
	uv_loop_init(&bench.loop);
	bench.room = meter_room_open(&bench.loop);
	bench.page = (struct prometheus_page){ .query = { .metric = "p", .expect = 1, .scale = 1 }, .path = path };
	bench.conf = (struct meter_conf){ .host = "127.0.0.1", .port = port, .timeout_ms = timeout_ms, .page = &bench.page };
}

static void bench_close(size_t probes)
{
	assert_int_equal(probes_end(&bench.probe, probes, bench.room, &bench.loop), 0);
}

static enum fault ask(void)
{
	return probe_ask(&bench.probe, &bench.loop);
}

static enum fault ask_once(uint16_t port, const char *path, uint32_t timeout_ms)
{
	bench_open(port, path, timeout_ms);
	probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
	enum fault fault = ask();
	bench_close(1);
	return fault;
}

static bool have_lighttpd(void)
{
	if (lighttpd_is_here())
		return true;
	print_message("skipped: lighttpd is not installed\n");
	return false;
}

/* ---- against lighttpd ---- */

static void a_page_of_dcgm_exporter_is_added_up(void **state)
{
	static char page[1 << 16];
	(void)state;
	if (!have_lighttpd())
		skip();
	FILE *file = fopen("tests/recordings/prometheus/dcgm-exporter.txt", "r");
	size_t n = fread(page, 1, sizeof page, file);
	fclose(file);
	page_write(&server, "metrics", page, n);
	bench_open(server.port, "/metrics", PATIENT_MS);
	bench.page.query.metric = "DCGM_FI_DEV_POWER_USAGE";
	bench.page.query.labels[0] = (struct prometheus_label){ "Hostname", "gpu-01" };
	bench.page.query.n_labels = 1;
	bench.page.query.expect = 8;
	bench.page.collected_every_ms = 30000;
	bench.page.averaged_over_ms = 1000;
	probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
	int64_t before_ms = (int64_t)(uv_hrtime() / 1000000);
	assert_int_equal(ask(), FAULT_NONE);
	int64_t after_ms = (int64_t)(uv_hrtime() / 1000000);
	assert_int_equal(bench.probe.last.import_w, 2169);
	assert_in_range(bench.probe.last.at_ms, before_ms - 31000, after_ms - 31000);
	assert_false(bench.probe.last.knows_energy || bench.probe.last.knows_frequency);
	*strstr(page, "DCGM_FI_DEV_POWER_USAGE{gpu=\"6\"") = 'X';
	page_write(&server, "metrics", page, n);
	assert_int_equal(ask(), FAULT_ABSURD);
	bench_close(1);
}

/* The page tells by which connection it went. */
static const char cgi[] = "printf 'Content-Type: text/plain\\r\\n\\r\\n'\nprintf 'p{x=\"1\"} 0\\n'\nsleep 0.02\necho p{x=\\\"2\\\"} $REMOTE_PORT\n";

static void connections_are_kept(void **state)
{
	enum { MANY = 12 };
	static struct probe probes[MANY];
	int64_t ports[MANY];
	(void)state;
	if (!have_lighttpd())
		skip();
	page_write(&server, "port.sh", cgi, sizeof cgi - 1);            /* chunked: its length is not known before */
	bench_open(server.port, "/port.sh", PATIENT_MS);
	bench.page.query.expect = 2;
	for (size_t i = 0; i < MANY; i++)
		probe_open(&probes[i], bench.room, "prometheus", &bench.conf);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MANY; i++)
			probe_poll(&probes[i]);
		for (size_t i = 0; i < MANY; i++)
			while (probes[i].polling)
				uv_run(&bench.loop, UV_RUN_ONCE);
		for (size_t i = 0; i < MANY; i++) {
			bool seen = false;
			assert_int_equal(probes[i].last.fault, FAULT_NONE);
			assert_true(probes[i].last.import_w > 0);
			for (size_t k = 0; k < MANY; k++)
				seen = seen || ports[k] == probes[i].last.import_w;
			assert_true(seen || round == 0);
		}
		for (size_t i = 0; i < MANY && round == 0; i++)
			ports[i] = probes[i].last.import_w;
	}
	assert_int_equal(probes_end(probes, MANY, bench.room, &bench.loop), 0);
}

static void a_server_that_was_restarted(void **state)
{
	(void)state;
	if (!have_lighttpd())
		skip();
	page_write(&server, "p.txt", "p 7\n", 4);
	bench_open(server.port, "/p.txt", PATIENT_MS);
	probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
	assert_int_equal(ask(), FAULT_NONE);
	lighttpd_stop(&server);
	lighttpd_start(&server);
	assert_int_equal(ask(), FAULT_NONE);
	assert_int_equal(bench.probe.last.import_w, 7);
	lighttpd_stop(&server);
	assert_int_equal(ask(), FAULT_SILENT);
	lighttpd_start(&server);
	assert_int_equal(ask(), FAULT_NONE);
	bench_close(1);
}

static void what_is_not_there_is_refused(void **state)
{
	(void)state;
	if (!have_lighttpd())
		skip();
	page_write(&server, "broken.sh", "printf 'Status: 503\\r\\n\\r\\np 7\\n'\n", 33);
	page_write(&server, "empty.txt", "", 0);
	assert_int_equal(ask_once(server.port, "/nothing", PATIENT_MS), FAULT_REFUSED);
	assert_int_equal(ask_once(server.port, "/broken.sh", PATIENT_MS), FAULT_REFUSED);
	assert_int_equal(ask_once(server.port, "/empty.txt", PATIENT_MS), FAULT_ABSURD);
}

static void openmetrics_is_told_by_its_type(void **state)
{
	static const char page[] = "p 7 1700000000.5\n# EOF\n";
	(void)state;
	if (!have_lighttpd())
		skip();
	page_write(&server, "p.om", page, sizeof page - 1);
	assert_int_equal(ask_once(server.port, "/p.om", PATIENT_MS), FAULT_NONE);
	page_write(&server, "p.om", page, 17);
	assert_int_equal(ask_once(server.port, "/p.om", PATIENT_MS), FAULT_GARBLED);
}

static void samples_may_bring_their_time(void **state)
{
	static const int64_t ago_ms[] = { 5000, -60000 };       /* a clock that is ahead does not make it newer than the request */
	(void)state;
	if (!have_lighttpd())
		skip();
	for (size_t i = 0; i < 2; i++) {
		char page[64];
		uv_timeval64_t utc;
		uv_gettimeofday(&utc);
		int64_t mono_ms = (int64_t)(uv_hrtime() / 1000000);
		int n = snprintf(page, sizeof page, "p 7 %lld\n", (long long)utc.tv_sec * 1000 + utc.tv_usec / 1000 - (long long)ago_ms[i]);
		page_write(&server, "p.txt", page, (size_t)n);
		bench_open(server.port, "/p.txt", PATIENT_MS);
		bench.page.collected_every_ms = 30000;
		bench.page.averaged_over_ms = 400;
		probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
		assert_int_equal(ask(), FAULT_NONE);
		int64_t expected_ms = mono_ms - 400 - (i ? 0 : ago_ms[0]);
		assert_in_range(bench.probe.last.at_ms, expected_ms - 3, expected_ms + (i ? 5000 : 3));
		bench_close(1);
	}
}

static enum fault ask_tls(uint16_t port, const char *ca)
{
	bench_open(port, "/p.txt", PATIENT_MS);
	bench.page.https = true;
	bench.page.ca = ca;
	probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
	enum fault fault = ask();
	fault = fault == FAULT_NONE ? ask() : fault;
	bench_close(1);
	return fault;
}

static void tls_trusts_only_whom_it_is_told(void **state)
{
	char ca[128];
	(void)state;
	if (!have_lighttpd())
		skip();
	if (!server.tls_port) {
		print_message("skipped: openssl or lighttpd's mod_openssl is not installed\n");
		skip();
	}
	page_write(&server, "p.txt", "p 7\n", 4);
	snprintf(ca, sizeof ca, "%s/both.pem", server.directory);
	assert_int_equal(ask_tls(server.tls_port, ca), FAULT_NONE);
	assert_int_equal(ask_tls(server.tls_port, NULL), FAULT_REFUSED);
	assert_int_equal(ask_tls(server.tls_port, "/nowhere.pem"), FAULT_REFUSED);
	assert_int_equal(ask_tls(server.port, ca), FAULT_GARBLED);
}

/* ---- against sockets ---- */

static void what_misbehaves_is_a_fault_in_time(void **state)
{
#define OK "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	static const struct { const char *says; enum then then; enum fault fault; } rows[] = {
		{ "", THEN_HOLDS, FAULT_SILENT },
		{ "", THEN_CLOSES, FAULT_SILENT },
		{ "HTTP/1.1 200 OK\r\nContent-", THEN_HOLDS, FAULT_SILENT },
		{ OK "Content-Length: 8\r\n\r\np 7\n", THEN_HOLDS, FAULT_SILENT },
		{ OK "Content-Length: 1000\r\n\r\np 7\n", THEN_TRICKLES, FAULT_SILENT },
		{ OK "Content-Length: 8\r\n\r\np 7\n", THEN_CLOSES, FAULT_GARBLED },
		{ OK "Transfer-Encoding: chunked\r\n\r\n4\r\np 7\n\r\n", THEN_CLOSES, FAULT_GARBLED },
		{ OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", THEN_HOLDS, FAULT_GARBLED },
		{ OK "Transfer-Encoding: chunked\r\n\r\n2\r\np \r\n2\r\n7\n\r\n0\r\n\r\n", THEN_HOLDS, FAULT_NONE },
		{ OK "\r\np 7\n", THEN_CLOSES, FAULT_NONE },
		{ OK "\r\np 7\nq 1", THEN_CLOSES, FAULT_GARBLED },
		{ OK "\r\np 7\nq 1", THEN_FLOODS, FAULT_GARBLED },
		{ "HTTP/1.1 200 OK\r\n\r\np 7\n", THEN_CLOSES, FAULT_NONE },
		{ "p 7\n", THEN_CLOSES, FAULT_GARBLED },
		{ "\x15\x03\x01\x00\x02\x02\x46", THEN_CLOSES, FAULT_GARBLED },
		{ OK "Content-Length: 6\r\n\r\np NaN\n", THEN_HOLDS, FAULT_ABSURD },
		{ "HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\np 7\n", THEN_HOLDS, FAULT_REFUSED },
		{ "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 4\r\n\r\np 7\n", THEN_HOLDS, FAULT_REFUSED },
		{ "HTTP/1.1 204 No Content\r\n\r\n", THEN_HOLDS, FAULT_REFUSED },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct page_rogue rogue;
		rogue_start(&rogue, rows[i].says, rows[i].then);
		enum fault fault = ask_once(rogue.port, "/metrics", rows[i].fault == FAULT_SILENT ? SHORT_MS : PATIENT_MS);
		if (fault != rows[i].fault)
			fail_msg("%s: fault %d", rows[i].says, fault);
		rogue_stop(&rogue);
		assert_true(rogue.flooded < 16 * PROMETHEUS_PAGE_BYTES);        /* what sockets hold included */
	}
	assert_int_equal(ask_once(free_port(), "/metrics", PATIENT_MS), FAULT_SILENT);
}

static void a_sum_beyond_the_most_cannot_be(void **state)
{
	struct page_rogue rogue;
	(void)state;
	rogue_start(&rogue, OK "Content-Length: 7\r\n\r\np 7001\n", THEN_HOLDS);
	bench_open(rogue.port, "/", PATIENT_MS);
	bench.conf.most_w = 7000;
	probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
	assert_int_equal(ask(), FAULT_ABSURD);
	bench_close(1);
	rogue_stop(&rogue);
}

/* One poll is answered once, whatever is asked meanwhile; a new one after a silence works. */
static void a_poll_under_way_is_the_answer(void **state)
{
	struct page_rogue rogue;
	(void)state;
	rogue_start(&rogue, "", THEN_HOLDS);
	bench_open(rogue.port, "/", SHORT_MS);
	probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
	probe_poll(&bench.probe);
	probe_poll(&bench.probe);
	assert_int_equal(ask(), FAULT_SILENT);
	assert_int_equal(bench.probe.answers, 1);
	assert_true(bench.probe.worst_ns >= SHORT_MS * 1000000ull);
	rogue.says = OK "Content-Length: 4\r\n\r\np 9\n";
	assert_int_equal(ask(), FAULT_NONE);
	assert_int_equal(bench.probe.last.import_w, 9);
	bench_close(1);
	rogue_stop(&rogue);
}

static void closing_stops_what_is_under_way(void **state)
{
	struct page_rogue rogue;
	(void)state;
	rogue_start(&rogue, "HTTP/1.1 200 OK\r\n", THEN_HOLDS);
	for (int turns = 0; turns < 4; turns++) {
		bench_open(rogue.port, "/", PATIENT_MS);
		probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
		if (turns)
			probe_poll(&bench.probe);
		for (int i = 1; i < turns; i++)
			uv_run(&bench.loop, UV_RUN_ONCE);
		bench_close(1);
		assert_int_equal(bench.probe.answers, 0);
	}
	rogue_stop(&rogue);
}

/* A name server that does not answer stops neither the loop nor a close, and is not asked by more and more threads. */
static void a_look_up_holds_nothing_up(void **state)
{
	(void)state;
	bench_open(9, "/", SHORT_MS);
	bench.conf.host = "slow.example";
	probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
	n_lookups = 0;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ask(), FAULT_SILENT);
		assert_false(lookup_ended);
		assert_int_equal(n_lookups, 1);
	}
	probe_poll(&bench.probe);
	probe_close(&bench.probe);
	while (!bench.probe.closed)
		uv_run(&bench.loop, UV_RUN_ONCE);
	assert_false(lookup_ended);
	lookup_ended = true;
	bench_close(0);
}

static void names_are_looked_up_until_they_answer(void **state)
{
	struct page_rogue rogue;
	(void)state;
	rogue_start(&rogue, OK "Content-Length: 4\r\n\r\np 9\n", THEN_HOLDS);
	bench_open(rogue.port, "/", PATIENT_MS);
	bench.conf.host = "gpu-01.example";
	probe_open(&bench.probe, bench.room, "prometheus", &bench.conf);
	n_lookups = 0;
	assert_int_equal(ask(), FAULT_NONE);
	rogue_stop(&rogue);
	assert_int_equal(n_lookups, 1);
	assert_int_equal(ask(), FAULT_SILENT);
	assert_int_equal(n_lookups, 1);
	assert_int_equal(ask(), FAULT_SILENT);
	assert_int_equal(n_lookups, 2);
	bench_close(1);
}

static int begin(void **state)
{
	(void)state;
	if (!lighttpd_is_here())
		return 0;
	bool tls = access("/usr/bin/openssl", X_OK) == 0 && access("/usr/lib/lighttpd/mod_openssl.so", R_OK) == 0;
	lighttpd_make(&server, tls);
	lighttpd_start(&server);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (!lighttpd_is_here())
		return 0;
	lighttpd_stop(&server);
	lighttpd_remove(&server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_of_dcgm_exporter_is_added_up),
		cmocka_unit_test(connections_are_kept),
		cmocka_unit_test(a_server_that_was_restarted),
		cmocka_unit_test(what_is_not_there_is_refused),
		cmocka_unit_test(openmetrics_is_told_by_its_type),
		cmocka_unit_test(samples_may_bring_their_time),
		cmocka_unit_test(tls_trusts_only_whom_it_is_told),
		cmocka_unit_test(what_misbehaves_is_a_fault_in_time),
		cmocka_unit_test(a_sum_beyond_the_most_cannot_be),
		cmocka_unit_test(a_poll_under_way_is_the_answer),
		cmocka_unit_test(closing_stops_what_is_under_way),
		cmocka_unit_test(a_look_up_holds_nothing_up),
		cmocka_unit_test(names_are_looked_up_until_they_answer),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
