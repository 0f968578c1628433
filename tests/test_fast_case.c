/* What mulletsim --fast plays: its loads, its files, what is announced, and a restart. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/compose.h"
#include "sim/fast_main.h"
#include "sim/fast_site.h"

#define NEAR(a, b, by) assert_true(fabs((a) - (b)) <= (by))

/* ---- loads ---- */

static void loads_have_the_span_they_are_told(void **unused)
{
	static const struct compose_span span = { 600, 1000, 3600000 };
	struct load_trace traces[] = {
		compose_constant(&span), compose_square(&span, 60000), compose_triangle(&span, 60000),
		compose_steps(&span, 60000, 7), compose_noise(&span, 20000, 7), compose_stairs(&span, 60000),
		compose_failures(&span, 60000, 7), compose_stairs(&span, 2000), compose_failures(&span, 2000, 7),
		compose_stairs(&span, 7200000),
	};
	(void)unused;
	for (size_t k = 0; k < sizeof traces / sizeof *traces; k++) {
		int64_t least_w = INT64_MAX;
		for (size_t i = 0; i < traces[k].n; i++) {
			assert_true(i == 0 || traces[k].points[i].t_ms > traces[k].points[i - 1].t_ms);
			least_w = traces[k].points[i].power_w < least_w ? traces[k].points[i].power_w : least_w;
		}
		assert_true(least_w >= 600 && traces[k].peak_w <= 1000);
		assert_true(traces[k].points[traces[k].n - 1].t_ms >= 3600000);
		load_trace_free(&traces[k]);
	}
}

static void stairs_only_climb_and_failures_come_back(void **unused)
{
	static const struct compose_span span = { 400, 1000, 3600000 };
	struct load_trace stairs = compose_stairs(&span, 600000), failures = compose_failures(&span, 600000, 7);
	int64_t down_ms = 0;
	(void)unused;
	for (int64_t k = 0; k < 6; k++)
		assert_int_equal(load_trace_w(&stairs, k * 600000 + 300000, false), 400 + k * 120);
	for (size_t i = 1; i < failures.n; i++) {
		const struct load_point *from = &failures.points[i - 1], *to = &failures.points[i];
		if (to->power_w < from->power_w)
			assert_int_equal(to->t_ms - from->t_ms, 500);
		else if (to->power_w > from->power_w)
			assert_int_equal(to->t_ms - from->t_ms, 30000);
		else if (to->power_w == 400)
			assert_in_range(to->t_ms - from->t_ms, 99000, 400000);
		down_ms += to->power_w == 400 ? to->t_ms - from->t_ms : 0;
	}
	assert_in_range(down_ms, 400000, 2400000);
	load_trace_free(&stairs);
	load_trace_free(&failures);
}

static void noise_has_its_deviation(void **unused)
{
	static const struct compose_span span = { 0, 6000, 36000000 };
	struct load_trace noise = compose_noise(&span, 5000, 3);
	double sum = 0, squares = 0, together = 0;
	(void)unused;
	for (size_t i = 0; i < noise.n; i++) {
		double w = (double)noise.points[i].power_w - 3000;
		sum += w;
		squares += w * w;
		if (i >= 10)
			together += w * ((double)noise.points[i - 10].power_w - 3000);  /* 5 s before */
	}
	NEAR(sum / (double)noise.n, 0, 50);
	NEAR(sqrt(squares / (double)noise.n), 1000, 30);
	NEAR(together / squares, exp(-1), 0.03);
	load_trace_free(&noise);
}

static void many_jobs_are_flatter_than_one(void **unused)
{
	static const struct compose_span span = { 0, 1000, 3600000 };
	struct load_trace square = compose_square(&span, 600000);
	struct load_trace one = compose_trace(&square, 1, 0, 3600000, 50000, 1), many = compose_trace(&square, 50, 0, 3600000, 50000, 1);
	double one_mean = 0, many_mean = 0, one_least = 50000, many_least = 50000;
	(void)unused;
	for (size_t i = 0; i < one.n; i++) {
		one_mean += (double)one.points[i].power_w / (double)one.n;
		many_mean += (double)many.points[i].power_w / (double)many.n;
		one_least = fmin(one_least, (double)one.points[i].power_w);
		many_least = fmin(many_least, (double)many.points[i].power_w);
	}
	assert_int_equal(one.peak_w, 50000);
	assert_int_equal(many.peak_w, 50000);
	NEAR(one_mean, 25000, 500);
	NEAR(one_least, 0, 0);
	assert_true(many_least > 10000 && many_mean > 30000);
	load_trace_free(&square);
	load_trace_free(&one);
	load_trace_free(&many);
}

/* ---- files ---- */

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void a_file_is_read_or_its_line_is_told(void **unused)
{
	static const struct { const char *text, *told; } bad[] = {
		{ "load = square 1s\nfleets = fast:1\n", ":1: load" }, { "fleets = fast:0\n", ":1: fleets" },
		{ "\n# so\nspeed = 3\n", ":3: speed" }, { "load = constant\n", "names no fleets" },
		{ "fleets = fast:3\nat = 3min:cap=1MW\n", ":2: at" }, { "fleets = fast:3\nat = 3min:mine=2\n", ":2: at" },
		{ "fleets = fast\n", ":1: fleets" }, { "fleets = fast:3\nsetpoint = tomorrow\n", ":2: setpoint" },
		{ "fleets = fast:3\nfloor = 120%\n", ":2: floor" },
		{ "fleets = fast:3\npartial = half\n", ":2: partial" }, { "fleets = fast:3\nat = 3min:notice=1MW\n", ":2: at" },
		{ "fleets = fast:3\nat = 3min:notice=1MW/1s/4min\n", ":2: at" }, { "fleets\n", ":1: fleets: not key = value" },
		{ "fleets = lame:3\n", ":1: fleets: \"lame:3\" will not do" }, { "fleets = mixed:1\n", ":1: fleets" },
		{ "fleets = fast:3/0kW\n", ":1: fleets" }, { "peak = 0 W\n", ":1: peak" }, { "house = -1kW\n", ":1: house" },
		{ "jobs = 0\n", ":1: jobs" }, { "lasts = 1s\n", ":1: lasts" }, { "lasts = 1000h\n", ":1: lasts" },
		{ "at = 3min:cap=-1MW/1min\n", ":1: at" }, { "at = 3min:shed=1MW/0s\n", ":1: at" },
		{ "at = 3min:miner=tired:5\n", "no fault is called \"tired\"" }, { "speed = 3\n", "no such key" },
	};
	char path[] = "/tmp/mullet-fast-XXXXXX", why[300];
	static struct fast_file file;
	(void)unused;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_file(path, bad[i].text);
		assert_int_equal(fast_file_read(&file, path, why, sizeof why), -1);
		assert_non_null(strstr(why, bad[i].told));
	}
	assert_int_equal(fast_file_read(&file, "/tmp", why, sizeof why), -1);
	assert_string_equal(why, "/tmp: Is a directory");
	write_file(path, "load = trace x.csv  # measured\njobs = 12\nfleets = fast:14000, slow:100/360kW\n"
	                 "at = 11min:cap=60MW/15min\nat = 12min:miner=dead:5%\nprice = p.csv\nbreakeven = 61.5\npartial = no\n"
	                 "announce = 30s\nrestart = 21min\nrefresh = 1s\naveraged = 3s\nunmetered = 20%\n"
	                 "at = 20min:notice=-300kW/1s\nat = 20min:notice=+300kW/1s/15min\n");
	assert_int_equal(fast_file_read(&file, path, why, sizeof why), 0);
	assert_string_equal(file.load_file, "x.csv");
	assert_int_equal(file.jobs, 12);
	assert_int_equal(file.n_fleets, 2);
	assert_int_equal(file.fleets[0].n, 14000);
	assert_int_equal(file.fleets[1].peak_w, 360000);
	assert_int_equal(file.n_orders, 1);
	assert_int_equal(file.orders[0].at_ms, 660000);
	assert_int_equal(file.orders[0].watts, 60000000);
	assert_int_equal(file.orders[0].lasts_ms, 900000);
	assert_int_equal(file.farm.n_events, 1);
	NEAR(file.breakeven, 61.5, 0);
	assert_true(file.whole);
	assert_int_equal(file.announce_ms, 30000);
	assert_int_equal(file.restart_ms, 1260000);
	assert_int_equal(file.refresh_ms, 1000);
	assert_int_equal(file.averaged_ms, 3000);
	assert_int_equal(file.unmetered_permille, 200);
	assert_int_equal(file.n_told, 2);
	assert_int_equal(file.told[0].told_ms, 1170000);
	assert_int_equal(file.told[0].delta_w, -300000);
	assert_int_equal(file.told[1].told_ms, 300000);
	assert_int_equal(file.told[1].at_ms, 1200000);
	assert_int_equal(file.told[1].over_ms, 1000);
	remove(path);
	close(fd);
}

static void what_needs_a_trace_that_is_not_there_says_so(void **unused)
{
	char why[300];
	struct fast_case made;
	struct fast_file file = { .name = "x", .load = "trace", .load_file = "no.csv", .seed = 1, .jobs = 1, .peak_w = 1000000,
		.lasts_ms = 60000, .n_fleets = 1, .fleets = { { .kind = "fast", .n = 3 } } };
	(void)unused;
	assert_int_equal(fast_case_make(&made, &file, 0, "/nowhere", why, sizeof why), 1);
	assert_string_equal(why, "/nowhere/no.csv is not here");
	file.farm.n_events = 1;
	file.farm.events[0] = (struct farm_event){ .what = FARM_MINER_FAULT, .fault = PLANT_DEAD, .device = 3 };
	assert_int_equal(fast_case_make(&made, &file, 0, "/nowhere", why, sizeof why), -1);
	assert_string_equal(why, "x fast-3: miner 4 of 3 is to fail");
}

/* ---- the command line ---- */

/* What it says on stderr. */
static void says(const char *option, const char *value, int status, const char *said)
{
	char name[] = "--fast", first[64], second[64], text[300] = "";
	char *argv[] = { name, first, second, NULL };
	snprintf(first, sizeof first, "%s", option);
	snprintf(second, sizeof second, "%s", value ? value : "");
	argv[2] = value ? second : NULL;
	FILE *file = tmpfile();
	int before = dup(2);
	assert_true(file && before >= 0);
	dup2(fileno(file), 2);
	int is = fast_main(value ? 3 : 2, argv);
	dup2(before, 2);
	close(before);
	rewind(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(is, status);
	assert_non_null(strstr(text, said));
}

static void a_wrong_option_is_named(void **unused)
{
	(void)unused;
	says("--bogus", NULL, 2, "mulletsim: --fast: --bogus: unknown");
	says("--json", NULL, 2, "mulletsim: --fast: --json: unknown, ambiguous, or its value is missing");
	says("--cycles", "0", 2, "mulletsim: --fast: --cycles: \"0\" will not do");
	says("--prefer", "gold", 2, "--prefer: \"gold\" will not do");
	says("--only", "no such case", 2, "no case's name contains \"no such case\"");
	says("/no/such.txt", NULL, 2, "/no/such.txt: No such file");
}

/* Not after minutes of play. */
static void what_cannot_be_written_is_told_first(void **unused)
{
	(void)unused;
	says("--json", "/no/such/scores", 1, "/no/such/scores: No such file");
	says("--svg", "/no/such", 1, "/no/such: No such file");
}

/* ---- notices ---- */

static void edges_and_jobs_are_announced(void **unused)
{
	char why[300];
	struct fast_case made;
	static struct fast_file file = { .name = "x", .load = "square", .load_ms = 120000, .floor_permille = 700, .seed = 1, .jobs = 1,
		.peak_w = 1000000, .lasts_ms = 180000, .announce_ms = 30000, .n_fleets = 1, .fleets = { { .kind = "fast", .n = 3 } } };
	(void)unused;
	load_add_job(&file.farm.truth.load, (struct load_job){ 100000, 50000, 2000 });
	file.told[file.n_told++] = (struct fast_notice){ 10000, 150000, 1000, 70000 };
	assert_int_equal(fast_case_make(&made, &file, 0, "", why, sizeof why), 0);
	static const struct fast_notice expected[] = {
		{ 10000, 150000, 1000, 70000 }, { 29500, 59500, 500, -300000 }, { 70000, 100000, 2000, 50000 },
		{ 89500, 119500, 500, 300000 }, { 149500, 179500, 500, -300000 },
	};
	assert_int_equal(made.n_notices, sizeof expected / sizeof *expected);
	assert_memory_equal(made.notices, expected, sizeof expected);
	fast_case_free(&made);
}

/* A job's log: two dips that it marks, by 40 and 60 kW, a mark without a move, and one behind the end. */
static void marks_are_announced_by_their_kind(void **unused)
{
	char dir[] = "/tmp/mullet-fast-XXXXXX", trace[60], marks[60], why[300];
	struct fast_case made;
	static struct fast_file file = { .name = "x", .load = "trace", .load_file = "t.csv", .seed = 1, .jobs = 1, .peak_w = 1000000,
		.lasts_ms = 300000, .announce_ms = 30000, .n_fleets = 1, .fleets = { { .kind = "fast", .n = 3 } } };
	(void)unused;
	assert_non_null(mkdtemp(dir));
	snprintf(trace, sizeof trace, "%s/t.csv", dir);
	snprintf(marks, sizeof marks, "%s/t_events.csv", dir);
	FILE *out = fopen(trace, "we");
	for (int t = 0; t <= 200; t++)
		fprintf(out, "%d,%d\n", t, 100000 - (t >= 50 && t < 70 ? 40000 : t >= 120 && t < 140 ? 60000 : 0));
	fclose(out);
	assert_int_equal(fast_case_make(&made, &file, 0, dir, why, sizeof why), 1);
	write_file(marks, "t_s,event\n50.0,eval_start\n70.0,eval_stop\n70.1,block_start\n90,look\n120,eval_start\n140,block_start\n900,x\n");
	assert_int_equal(fast_case_make(&made, &file, 0, dir, why, sizeof why), 0);
	static const struct fast_notice expected[] = {
		{ 20000, 50000, 2000, -500000 }, { 40000, 70000, 2000, 500000 }, { 90000, 120000, 2000, -500000 },
		{ 110000, 140000, 2000, 500000 }, { 220000, 250000, 2000, -500000 }, { 240000, 270000, 2000, 500000 },
	};
	assert_int_equal(made.n_notices, sizeof expected / sizeof *expected);
	assert_memory_equal(made.notices, expected, sizeof expected);
	fast_case_free(&made);
	remove(trace);
	remove(marks);
	rmdir(dir);
}

static double over_s(const struct fast_run *run)
{
	double s = 0;
	for (size_t i = FAST_LEARN_MS / FAST_STEP_MS; i < run->n; i++)
		s += run->site_w[i] > run->limit_w[i] ? FAST_STEP_MS / 1000.0 : 0;
	return s;
}

static void what_is_told_is_never_over(void **unused)
{
	char why[300];
	struct fast_case made;
	struct fast_run alone, told;
	static const struct fast_wear lifted;
	static struct fast_file file = { .name = "x", .load = "constant", .seed = 1, .peak_w = 800000, .lasts_ms = 800000,
		.share_permille = 800, .announce_ms = 30000, .n_fleets = 1, .fleets = { { .kind = "fast", .n = 300 } } };
	(void)unused;
	load_add_job(&file.farm.truth.load, (struct load_job){ 700000, 200000, 1000 });
	file.told[file.n_told++] = (struct fast_notice){ 720000, 750000, 1000, 100000 };
	assert_int_equal(fast_case_make(&made, &file, 0, "", why, sizeof why), 0);
	fast_run(&made, FAST_POLICY, &lifted, &alone);
	fast_run(&made, FAST_TOLD, &lifted, &told);
	assert_true(over_s(&alone) > 1);
	NEAR(over_s(&told), 0, 0);
	assert_int_equal(alone.came_true + alone.came_false, 0);
	assert_int_equal(told.came_true, 1);
	assert_int_equal(told.came_false, 1);
	fast_run_free(&alone);
	fast_run_free(&told);
	fast_case_free(&made);
}

/* ---- a restart ---- */

/* The load rises beyond the cap while the controller is away: that is met as soon as it is back, and with what it kept. */
static void a_restart_is_five_seconds_of_nothing(void **unused)
{
	enum { BEGIN = 660000 / FAST_STEP_MS, END = BEGIN + FAST_AWAY_MS / FAST_STEP_MS, RISE = BEGIN + 1000 / FAST_STEP_MS };
	char why[300];
	struct fast_case made;
	struct fast_run run;
	static const struct fast_wear lifted;
	static struct fast_file file = { .name = "x", .load = "constant", .seed = 1, .peak_w = 800000, .lasts_ms = 700000,
		.share_permille = 300, .restart_ms = 660000, .n_fleets = 1, .fleets = { { .kind = "fast", .n = 300 } } };
	(void)unused;
	load_add_job(&file.farm.truth.load, (struct load_job){ 661000, 200000, 1000 });
	assert_int_equal(fast_case_make(&made, &file, 0, "", why, sizeof why), 0);
	fast_run(&made, FAST_POLICY, &lifted, &run);
	for (size_t i = BEGIN + 1; i <= END; i++)
		NEAR(run.miners_w[i], run.miners_w[BEGIN], 100);
	assert_true(run.site_w[END] > run.limit_w[END] && run.site_w[RISE] <= run.limit_w[RISE]);
	assert_true(run.site_w[END + 10000 / FAST_STEP_MS] <= run.limit_w[END]);
	fast_run_free(&run);
	fast_case_free(&made);
}

/* The GPU scheduler has to give them again, as to mulletd. */
static void a_restart_forgets_notices(void **unused)
{
	enum { BEFORE = 680000 / FAST_STEP_MS, THEN = 689000 / FAST_STEP_MS };
	char why[300];
	struct fast_case made;
	struct fast_run run;
	static const struct fast_wear lifted;
	static struct fast_file file = { .name = "x", .load = "constant", .seed = 1, .peak_w = 800000, .lasts_ms = 700000,
		.share_permille = 300, .n_fleets = 1, .fleets = { { .kind = "fast", .n = 300 } } };
	(void)unused;
	file.told[file.n_told++] = (struct fast_notice){ 640000, 690000, 1000, 200000 };
	for (int restarted = 0; restarted < 2; restarted++) {
		file.restart_ms = restarted ? 660000 : 0;
		assert_int_equal(fast_case_make(&made, &file, 0, "", why, sizeof why), 0);
		fast_run(&made, FAST_TOLD, &lifted, &run);
		double fell_w = run.miners_w[BEFORE] - run.miners_w[THEN];
		assert_true(restarted ? fell_w < 20000 : fell_w > 150000);
		fast_run_free(&run);
		fast_case_free(&made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_have_the_span_they_are_told),
		cmocka_unit_test(stairs_only_climb_and_failures_come_back),
		cmocka_unit_test(noise_has_its_deviation),
		cmocka_unit_test(many_jobs_are_flatter_than_one),
		cmocka_unit_test(a_file_is_read_or_its_line_is_told),
		cmocka_unit_test(what_needs_a_trace_that_is_not_there_says_so),
		cmocka_unit_test(a_wrong_option_is_named),
		cmocka_unit_test(what_cannot_be_written_is_told_first),
		cmocka_unit_test(edges_and_jobs_are_announced),
		cmocka_unit_test(marks_are_announced_by_their_kind),
		cmocka_unit_test(what_is_told_is_never_over),
		cmocka_unit_test(a_restart_is_five_seconds_of_nothing),
		cmocka_unit_test(a_restart_forgets_notices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
