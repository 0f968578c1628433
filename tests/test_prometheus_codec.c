/* Pages of metrics: what the formats allow is understood, what would pass as less load is a fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/prometheus_codec.h"

static const struct prometheus_query plain = { .metric = "p", .expect = 1, .scale = 1 };

struct got { enum fault fault; int64_t watts; struct prometheus_scan scan; };

/* However the page is cut into pieces, it says the same. */
static struct got read_page(const struct prometheus_query *query, bool openmetrics, const char *page, size_t n)
{
	static struct got got, other;
	for (size_t piece = n ? n : 1; ; piece = piece > 7 ? piece / 7 : 1) {
		prometheus_begin(&other.scan, query, openmetrics);
		for (size_t at = 0; at < n; at += piece)
			prometheus_take(&other.scan, page + at, piece < n - at ? piece : n - at);
		other.watts = 0;
		other.fault = prometheus_end(&other.scan, 1000000, &other.watts);
		if (piece < n) {
			assert_int_equal(other.fault, got.fault);
			assert_int_equal(other.watts, got.watts);
		}
		got = other;
		if (piece == 1)
			return got;
	}
}

static struct got ask(const char *page)
{
	return read_page(&plain, false, page, strlen(page));
}

static void assert_watts(const char *page, int64_t watts)
{
	struct got got = ask(page);
	if (got.fault != FAULT_NONE || got.watts != watts)
		fail_msg("%s: fault %d, %lld W", page, got.fault, (long long)got.watts);
}

static void assert_fault(const char *page, enum fault fault)
{
	struct got got = ask(page);
	if (got.fault != fault)
		fail_msg("%s: fault %d, %lld W", page, got.fault, (long long)got.watts);
}

static void what_the_format_allows(void **state)
{
	(void)state;
	assert_watts("p 7\n", 7);
	assert_watts("p{} 7\n", 7);
	assert_watts("p{a=\"b\"} 7\n", 7);
	assert_watts("p{a=\"b\",} 7\n", 7);
	assert_watts(" \tp {  a = \"b\" , c=\"d\" , }\t 7 \t\n", 7);
	assert_watts("p{a=\"}\",b=\"{\\\"\\\\\\n,#\"} 7\n", 7);
	assert_watts("p{a=\"é 中\"} 7\n", 7);
	assert_watts("p{a=\"b\"} 7 1700000000000\n", 7);
	assert_watts("p 7 -1\n", 7);
	assert_watts("# HELP p p 9\n# TYPE p gauge\n#p 8\n\n\np 7\n# p 9\n", 7);
	assert_watts("pp 1\np_ 2\np:q 3\np2{a=\"\"} 4\nq{p=\"1\"} 5\np 7\n", 7);
	assert_watts("p +6.5e0\n", 7);
	assert_watts("p -2.5E+1\n", -25);
	assert_watts("p .4\n", 0);
	assert_watts("p 0\n", 0);
	assert_watts("p 1000000\n", 1000000);
	assert_watts("p 7\n# EOF\n", 7);
	assert_watts("q{ nonsense\nq 1 2 3 4\n\xff\xfe\np 7\n", 7);   /* what others say does not matter */
}

static void what_does_not_parse(void **state)
{
	static const char *const pages[] = {
		"p\n", "p \n", "p{\n", "p{} \n", "p{a} 7\n", "p{a=} 7\n", "p{a=b} 7\n", "p{a=\"b} 7\n", "p{a=\"b\" c=\"d\"} 7\n",
		"p{,} 7\n", "p{=\"b\"} 7\n", "p{a=\"\\x\"} 7\n", "p{a=\"b\"", "p{a=\"b\"}\n", "p 7x\n", "p 0x7\n", "p seven\n", "p 7 8 9\n",
		"p 7 x\n", "p 7 1e99\n", "p 7 NaN\n", "p 7,5\n", "p 7\r\n", "p 7 # {a=\"b\"} 1\n", "p nan(1)\n", "p{a=\"b\\", "p --7\n",
		"p 0000000000000000000000000000000000000000000000000000000000000000000000000007\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		assert_fault(pages[i], FAULT_GARBLED);
	assert_fault("p 7\np{\n", FAULT_GARBLED);
	assert_fault("p{\np 7\n", FAULT_GARBLED);
	assert_int_equal(read_page(&plain, false, "p{a=\"\0\"} 7\n", 11).fault, FAULT_NONE);
}

static void a_page_that_is_cut_off(void **state)
{
	static const char page[] = "q 1\np 7123\nq 22\n";
	(void)state;
	for (size_t n = 0; n < sizeof page - 1; n++) {
		enum fault fault = read_page(&plain, false, page, n).fault;
		bool at_line = n == 0 || page[n - 1] == '\n';
		assert_int_equal(fault, !at_line ? FAULT_GARBLED : n < 11 ? FAULT_ABSURD : FAULT_NONE);
	}
}

static void what_cannot_be_true(void **state)
{
	(void)state;
	assert_fault("", FAULT_ABSURD);                         /* absent is never 0 W */
	assert_fault("q 7\n# HELP p\n", FAULT_ABSURD);
	assert_fault("p 7\np 7\n", FAULT_ABSURD);
	assert_fault("p NaN\n", FAULT_ABSURD);
	assert_fault("p nan\n", FAULT_ABSURD);
	assert_fault("p +Inf\n", FAULT_ABSURD);
	assert_fault("p -Inf\n", FAULT_ABSURD);
	assert_fault("p 1e400\n", FAULT_ABSURD);
	assert_fault("p 1000001\n", FAULT_ABSURD);
	assert_fault("p -1000001\n", FAULT_ABSURD);
	assert_fault("p 140737488355328\n", FAULT_ABSURD);      /* DCGM's "blank" */
}

static void labels_choose(void **state)
{
	struct prometheus_query query = { .metric = "p", .labels = { { "gpu", "1" }, { "pod", "" } }, .n_labels = 2, .expect = 1, .scale = 1 };
	static const char page[] =
		"p 1\n"
		"p{gpu=\"0\"} 2\n"
		"p{gpu=\"1\"} 4\n"
		"p{gpu=\"1\",pod=\"x\"} 8\n"
		"p{gpu=\"11\"} 16\n"
		"p{gpu=\"\"} 32\n"
		"p{xgpu=\"1\",gpux=\"1\"} 64\n"
		"p{pod=\"\",gpu=\"1\"} 128\n"
		"p{gpu=\"\\\\1\"} 256\n";
	(void)state;
	assert_int_equal(read_page(&query, false, page, sizeof page - 1).fault, FAULT_ABSURD);
	query.expect = 2;
	assert_int_equal(read_page(&query, false, page, sizeof page - 1).watts, 4 + 128);
	query.labels[0].value = "\\1";
	query.expect = 1;
	assert_int_equal(read_page(&query, false, page, sizeof page - 1).watts, 256);
	query.n_labels = 0;
	query.expect = 9;
	assert_int_equal(read_page(&query, false, page, sizeof page - 1).watts, 511);
}

static void times_are_of_the_oldest_sample(void **state)
{
	struct prometheus_query query = { .metric = "p", .expect = 3, .scale = 1 };
	static const char page[] = "p{a=\"1\"} 1 1700000002500\np{a=\"2\"} 1 1700000001500\np{a=\"3\"} 1\n";
	static const char open[] = "p{a=\"1\"} 1 1700000002.5\np{a=\"2\"} 1 1700000001.5 # {id=\"9\"} 0.5 17\np{a=\"3\"} 1 # {} 1\n# EOF\n";
	(void)state;
	struct got got = read_page(&query, false, page, sizeof page - 1);
	assert_int_equal(got.fault, FAULT_NONE);
	assert_int_equal(got.scan.timed, 2);
	assert_true(got.scan.oldest_utc_ms == 1700000001500.0);
	got = read_page(&query, true, open, sizeof open - 1);
	assert_int_equal(got.fault, FAULT_NONE);
	assert_int_equal(got.scan.timed, 2);
	assert_true(got.scan.oldest_utc_ms == 1700000001500.0);
}

static enum fault open_fault(const char *page)
{
	return read_page(&plain, true, page, strlen(page)).fault;
}

static void openmetrics_ends_with_eof(void **state)
{
	(void)state;
	assert_int_equal(open_fault("p 7\n# EOF\n"), FAULT_NONE);
	assert_int_equal(open_fault("p 7\n# EOF"), FAULT_NONE);
	assert_int_equal(open_fault("p 7\n"), FAULT_GARBLED);
	assert_int_equal(open_fault("p 7\n# EO"), FAULT_GARBLED);
	assert_int_equal(open_fault("p 7"), FAULT_GARBLED);
	assert_int_equal(open_fault(""), FAULT_GARBLED);
	assert_int_equal(open_fault("p 7\n# EOF\nq 1\n"), FAULT_GARBLED);
	assert_int_equal(open_fault("p 7\n# EOF\nq"), FAULT_GARBLED);
}

static void lines_may_be_long_but_ours_not_endless(void **state)
{
	static char page[3 * PROMETHEUS_LINE_BYTES];
	(void)state;
	for (int over = -1; over <= 1; over++) {
		size_t n = (size_t)(PROMETHEUS_LINE_BYTES + over), pad = n - strlen("p{a=\"\"} 7");
		int head = sprintf(page, "p{a=\"");
		memset(page + head, 'x', pad);
		sprintf(page + head + pad, "\"} 7\n");
		assert_int_equal(strlen(page), n + 1);
		assert_int_equal(ask(page).fault, over > 0 ? FAULT_GARBLED : FAULT_NONE);
		page[0] = 'q';
		strcat(page, "p 7\n");
		assert_int_equal(ask(page).fault, FAULT_NONE);
	}
}

static void a_page_of_dcgm_exporter(void **state)
{
	static char page[1 << 16];
	FILE *file = fopen("tests/recordings/prometheus/dcgm-exporter.txt", "r");
	struct prometheus_query query = { .metric = "DCGM_FI_DEV_POWER_USAGE", .labels = { { "Hostname", "gpu-01" } }, .n_labels = 1,
	                                  .expect = 8, .scale = 1 };
	(void)state;
	assert_non_null(file);
	size_t n = fread(page, 1, sizeof page, file);
	fclose(file);
	struct got got = read_page(&query, false, page, n);
	assert_int_equal(got.fault, FAULT_NONE);
	assert_int_equal(got.watts, 2169);
	assert_int_equal(got.scan.timed, 0);
	query.labels[1] = (struct prometheus_label){ "pod", "gpt-7b-worker-0" };
	query.n_labels = 2;
	assert_int_equal(read_page(&query, false, page, n).fault, FAULT_ABSURD);
	query.expect = 5;
	query.scale = 1e-3;                     /* as if it were milliwatts */
	assert_int_equal(read_page(&query, false, page, n).watts, 2);
	query.labels[1].value = "";
	query.expect = 3;
	query.scale = 1000;
	assert_int_equal(read_page(&query, false, page, n).watts, 202504);
	*strstr(page, "DCGM_FI_DEV_POWER_USAGE{gpu=\"6\"") = 'X';       /* one vanished */
	assert_int_equal(read_page(&query, false, page, n).fault, FAULT_ABSURD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_format_allows),
		cmocka_unit_test(what_does_not_parse),
		cmocka_unit_test(a_page_that_is_cut_off),
		cmocka_unit_test(what_cannot_be_true),
		cmocka_unit_test(labels_choose),
		cmocka_unit_test(times_are_of_the_oldest_sample),
		cmocka_unit_test(openmetrics_ends_with_eof),
		cmocka_unit_test(lines_may_be_long_but_ours_not_endless),
		cmocka_unit_test(a_page_of_dcgm_exporter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
