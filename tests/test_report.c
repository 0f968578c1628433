/* A run judged: made-up truths with known faults, files as the programs write them, and the plot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/options.h"
#include "sim/report.h"
#include "sim/svg.h"

#define STEPS 600                       /* a minute at 100 ms */
#define MW 1e6

struct fixture {
	struct farm_conf conf;
	struct run run;
	struct report report;
	double site_w[STEPS], hpc_w[STEPS], miners_w[STEPS];
};

/* A site of 0.9 MW under a cap of 1 MW, with ten S21: they are asleep (1.5 s + 2.5 s) x 1.2 after a command. */
static void set_up(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	f->conf.types[0] = &plant_luxos_s21;
	f->conf.n_of[0] = 10;
	f->conf.n_types = 1;
	f->conf.cap_w = 1000000;
	f->conf.site_name = "test";
	for (size_t i = 0; i < STEPS; i++) {
		f->site_w[i] = 0.9 * MW;
		f->hpc_w[i] = 0.865 * MW;
		f->miners_w[i] = 17500;
	}
	f->run = (struct run){ .site_w = f->site_w, .hpc_w = f->hpc_w, .miners_w = f->miners_w, .n_truth = STEPS, .step_ms = 100 };
}

static void set_site(struct fixture *f, double from_s, double to_s, double w)
{
	for (size_t i = (size_t)(from_s * 10); i < (size_t)(to_s * 10); i++)
		f->site_w[i] = w;
}

static void judge(struct fixture *f)
{
	report_judge(&f->report, &f->run, &f->conf, 0);
}

#define assert_about(value, expected) assert_true((value) > (expected) - 1e-6 && (value) < (expected) + 1e-6)

static void time_over_the_limit(void **state)
{
	struct fixture f;
	(void)state;
	set_up(&f);
	set_site(&f, 10, 18, 1.1 * MW);
	judge(&f);
	assert_int_equal(f.report.response_ms, 4800);
	assert_about(f.report.limit.seconds, 8);
	assert_about(f.report.limit.excused_s, 4.8);
	assert_about(f.report.limit.wh, 1e5 * 8 / 3600);
	assert_about(f.report.limit.excused_wh, 1e5 * 4.8 / 3600);
	assert_about(f.report.limit.most_w, 1e5);
	assert_int_equal(f.report.limit.most_ms, 10000);
	assert_about(f.report.cap.seconds, 8);
	assert_int_equal(f.report.n_episodes, 1);
	assert_int_equal(f.report.episodes[0].begin_ms, 10000);
	assert_int_equal(f.report.episodes[0].end_ms, 18000);
	assert_about(f.report.episodes[0].late_s, 3.2);
}

static void exactly_at_the_limit_is_not_over(void **state)
{
	struct fixture f;
	(void)state;
	set_up(&f);
	set_site(&f, 10, 18, MW);
	judge(&f);
	assert_about(f.report.limit.seconds, 0);
	set_site(&f, 10, 18, MW + 1);
	judge(&f);
	assert_about(f.report.limit.seconds, 8);
}

/* Who swings around the limit is excused once, not at each crossing. */
static void an_episode_lasts_until_all_is_calm(void **state)
{
	struct fixture f;
	(void)state;
	set_up(&f);
	for (double s = 10; s < 20; s += 2)
		set_site(&f, s, s + 1, 1.1 * MW);
	set_site(&f, 40, 42, 1.1 * MW);
	judge(&f);
	assert_int_equal(f.report.n_episodes, 2);
	assert_about(f.report.episodes[0].over_s, 5);
	assert_about(f.report.episodes[0].late_s, 5 - 2.8);
	assert_about(f.report.episodes[1].late_s, 0);
}

static void nothing_is_judged_before_control_begins(void **state)
{
	struct fixture f;
	(void)state;
	set_up(&f);
	set_site(&f, 0, 8, 1.1 * MW);
	f.run.control_ms = 2000;
	judge(&f);
	assert_about(f.report.limit.seconds, 6);
	assert_about(f.report.limit.excused_s, 4.8);
}

static void an_order_is_a_limit_of_its_own(void **state)
{
	struct fixture f;
	struct run_view views[] = { { 1000, 1000000, 0 }, { 30000, 800000, 0 }, { 50000, 1000000, 0 } };
	(void)state;
	set_up(&f);
	f.run.views = views;
	f.run.n_views = 3;
	set_site(&f, 32, 50, 0.7 * MW);
	judge(&f);
	assert_about(f.report.limit.seconds, 2);
	assert_about(f.report.limit.excused_s, 2);
	assert_int_equal(f.report.limit.most_ms, 30000);
	assert_about(f.report.cap.seconds, 0);
	assert_int_equal(report_limit_w(&f.report, &f.run, 0), 1000000);
	assert_int_equal(report_limit_w(&f.report, &f.run, 29999), 1000000);
	assert_int_equal(report_limit_w(&f.report, &f.run, 30000), 800000);
	assert_int_equal(report_limit_w(&f.report, &f.run, 99000), 1000000);
	/* A limit that falls while the site is over it begins a new time to follow. */
	set_up(&f);
	f.run.views = views;
	f.run.n_views = 3;
	set_site(&f, 27, 34, 1.1 * MW);
	set_site(&f, 34, 50, 0.7 * MW);
	judge(&f);
	assert_int_equal(f.report.n_episodes, 1);
	assert_about(f.report.episodes[0].late_s, 0);
}

static void without_control_all_miners_hash(void **state)
{
	struct fixture f;
	(void)state;
	set_up(&f);                     /* half of 35 kW is asleep: left hashing, the site draws 17.5 kW more */
	set_site(&f, 10, 20, 0.99 * MW);
	judge(&f);
	assert_about(f.report.limit.seconds, 0);
	assert_about(f.report.left_cap.seconds, 10);
	assert_about(f.report.left_cap.most_w, 7500);
	assert_about(f.report.miners_wh / f.report.full_wh, 0.5);
}

static struct run_command command(int64_t at_ms, bool hash, const char *miner)
{
	struct run_command made = { .at_ms = at_ms, .deed = hash ? DEED_WAKE : DEED_SLEEP };
	snprintf(made.miner, sizeof made.miner, "%s", miner);
	return made;
}

static void received_and_published(void **state)
{
	struct fixture f;
	struct run_command published[] = { command(1000, false, "s21/1"), command(1000, false, "s21/10"), command(20000, true, "s21/1") };
	struct run_command received[] = {
		command(1040, false, "s21/1"), command(21000, true, "s21/1"), command(79000, true, "s21/1"),   /* decided on */
		command(960, false, "s21/10"),          /* clocks may be a little apart */
		command(900, false, "s21/1"),           /* 4: before any decision */
		command(5000, true, "s21/1"),           /* 5: the opposite of the decision */
		command(22000, false, "s21/1"),         /* 6: of an older decision than the newest */
		command(80001, true, "s21/1"),          /* 7: long after */
		command(1040, false, "s21/2"),          /* 8: nobody decided on it */
		command(1040, false, "s21/100"),        /* 9: nor on this */
	};
	(void)state;
	set_up(&f);
	f.run.published = published;
	f.run.n_published = sizeof published / sizeof *published;
	f.run.received = received;
	f.run.n_received = sizeof received / sizeof *received;
	judge(&f);
	assert_int_equal(f.report.n_strays, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(f.report.strays[i], i + 4);
	report_free(&f.report);
}

/* A wake brings its power along; what is decided on a miner that sleeps wakes it. */
static void another_power_is_hashing(void **state)
{
	struct fixture f;
	struct run_command published[] = {
		{ 1000, DEED_POWER, "s21/1" }, { 1000, DEED_WAKE, "s21/2" }, { 1000, DEED_SLEEP, "s21/3" },
	};
	struct run_command received[] = {
		{ 1040, DEED_POWER, "s21/1" }, { 1040, DEED_WAKE, "s21/1" }, { 1040, DEED_POWER, "s21/2" },     /* decided on */
		{ 1040, DEED_SLEEP, "s21/1" }, { 1040, DEED_POWER, "s21/3" }, { 1040, DEED_POWER, "s21/4" },
	};
	struct run_decision decision = { .told = { 1, 1, 1 }, .reason = "target" };
	char text[20000];
	(void)state;
	set_up(&f);
	f.run.published = published;
	f.run.n_published = sizeof published / sizeof *published;
	f.run.received = received;
	f.run.n_received = sizeof received / sizeof *received;
	f.run.decisions = &decision;
	f.run.n_decisions = 1;
	judge(&f);
	assert_int_equal(f.report.n_strays, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(f.report.strays[i], i + 3);
	FILE *out = fmemopen(text, sizeof text, "w");
	report_print(&f.report, &f.run, &f.conf, out);
	fclose(out);
	assert_non_null(strstr(text, "with 1 sleeps and 1 wakes, and 1 times another power\n"));
	assert_non_null(strstr(text, "s21/4 told to hash at another power\n"));
	assert_non_null(strstr(text, "Commands: 6 received by miners, 4 of them for another power; 3 published in decisions,\n  3 received that NO "));
	report_free(&f.report);
}

static void outcomes_add_up(void **state)
{
	struct fixture f;
	struct run_outcome outcomes[100];
	(void)state;
	set_up(&f);
	judge(&f);
	assert_int_equal(f.report.median_ms, -1);
	for (int i = 0; i < 100; i++)
		outcomes[i] = (struct run_outcome){ 3, 2, 1, 100 - i };
	f.run.outcomes = outcomes;
	f.run.n_outcomes = 100;
	judge(&f);
	assert_int_equal(f.report.sent, 300);
	assert_int_equal(f.report.confirmed, 200);
	assert_int_equal(f.report.failed, 100);
	assert_int_equal(f.report.median_ms, 51);
	assert_int_equal(f.report.p99_ms, 99);
	assert_int_equal(f.report.worst_ms, 100);
}

/* ---- files ---- */

static char path[3][40];

static const char *file_with(int n, const char *text)
{
	snprintf(path[n], sizeof path[n], "/tmp/mullet-report-%d-%d", (int)getpid(), n);
	FILE *file = fopen(path[n], "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path[n];
}

static const char truth_text[] = "t_s,site_w,hpc_w,miners_w\n0.5,900000,865000,17500\n0.6,900001,865000,17500\n0.7,900002,865000,17500\n";
static const char commands_text[] =
	"t_s,time,miner,host,command,parameter,status,code,moves\n"
	"0.000,2026-11-22T05:00:00.250Z,,,begin,\"\",S,0,0\n"
	"1.100,2026-11-22T05:00:01.350Z,s21/1,127.30.0.1,logon,\"\",S,316,0\n"
	"1.200,2026-11-22T05:00:01.450Z,s21/1,127.30.0.1,curtail,\"sleep\",S,335,1\n"
	"1.300,2026-11-22T05:00:01.550Z,s21/2,127.30.0.2,curtail,\"wakeup\",S,335,1\n"
	"1.400,2026-11-22T05:00:01.650Z,cg/1,127.32.0.1,ascdisable,\"0\",I,111,1\n"
	"1.500,2026-11-22T05:00:01.750Z,cg/1,127.32.0.1,ascenable,\"0\",I,111,1\n"
	"1.600,2026-11-22T05:00:01.850Z,s21/3,127.30.0.3,atmset,\"enabled=false\",S,340,0\n"
	"1.601,2026-11-22T05:00:01.851Z,s21/3,127.30.0.3,profileset,\"490MHz\",S,321,1\n";

static const char bus_text[] =
	"1795323600.300000000 mullet/t/state {\"state\":\"starting\"}\n"
	"1795323600.400000000 mullet/t/telemetry {\"time\":\"2026-11-22T05:00:00.350Z\",\"site_w\":null,\"cap_w\":1000000,\"target_w\":0}\n"
	"1795323601.300000000 mullet/t/telemetry {\"time\":\"2026-11-22T05:00:01.250Z\",\"site_w\":900000,\"cap_w\":1000000,\"target_w\":970000}\n"
	"1795323601.400000000 mullet/t/decision {\"seq\":1,\"time\":\"2026-11-22T05:00:01.300Z\",\"reason\":\"cap\",\"part\":1,\"parts\":2,"
	"\"commands\":[{\"miner\":\"s21/1\",\"do\":\"sleep\"}]}\n"
	"1795323601.400000000 0 mullet/t/decision {\"seq\":1,\"time\":\"2026-11-22T05:00:01.300Z\",\"reason\":\"cap\",\"part\":2,\"parts\":2,"
	"\"commands\":[{\"miner\":\"s21/2\",\"do\":\"wake\"},{\"miner\":\"s21/3\",\"do\":\"power\"}]}\n"
	"1795323601.500000000 mullet/t/outcome {\"seq\":1,\"sent\":3,\"confirmed\":2,\"failed\":1,\"elapsed_ms\":42}\n"
	"1795323602.250000000 mullet/t/order/qse {\"id\":\"q<1>\",\"kind\":\"cap\",\"limit_w\":800000}\n"
	"1795323602.253000000 mullet/t/ack/qse {\"id\":\"q<1>\",\"result\":\"accepted\"}\n"
	"1795323602.254000000 mullet/t/event/q<1> {\"id\":\"q<1>\",\"kind\":\"cap\",\"status\":\"active\",\"limit_w\":800000,"
	"\"start\":\"2026-11-22T05:00:02.250Z\",\"end\":\"2026-11-22T05:00:07.250Z\",\"response_s\":null,\"delivered_w\":null}\n"
	"1795323603.300000000 mullet/t/telemetry {\"time\":\"2026-11-22T05:00:03.250Z\",\"site_w\":1,\"cap_w\":800000,\"target_w\":770000}\n"
	"1795323607.254000000 mullet/t/event/q<1> {\"id\":\"q<1>\",\"kind\":\"cap\",\"status\":\"completed\",\"limit_w\":800000,"
	"\"start\":\"2026-11-22T05:00:02.250Z\",\"end\":\"2026-11-22T05:00:07.250Z\",\"response_s\":1.5,\"delivered_w\":90000}\n"
	"1795323608.300000000 mullet/t/telemetry {\"time\":\"2026-11-22T05:00:08.250Z\",\"site_w\":1,\"cap_w\":1000000,\"target_w\":970000}\n"
	"1795323608.300000000 mullet/t/alarm/meter/pdu/7 {\"raised\":true,\"why\":\"silent\"}\n"
	"1795323609.250000000 mullet/t/alarm/meter/pdu/7 {\"raised\":false,\"why\":null}\n"
	"1795323609.250000000 mullet/t/alarm/cap {\"raised\":false,\"why\":null}\n"
	"garbage\n"
	"1795323609.250000000 mullet/t/order/qse not json\n";

static void read_files(struct run *run, const char *truth, const char *commands, const char *bus)
{
	char why[300];
	assert_int_equal(run_read_truth(run, file_with(0, truth), why, sizeof why), 0);
	assert_int_equal(run_read_commands(run, file_with(1, commands), why, sizeof why), 0);
	assert_int_equal(run_read_bus(run, file_with(2, bus), why, sizeof why), 0);
}

static void the_logs_are_read(void **state)
{
	struct run run = { 0 };
	static const struct { int64_t at_ms; enum deed deed; const char *miner; } expected[] = {
		{ 1200, DEED_SLEEP, "s21/1" }, { 1300, DEED_WAKE, "s21/2" }, { 1400, DEED_SLEEP, "cg/1" }, { 1500, DEED_WAKE, "cg/1" },
		{ 1600, DEED_POWER, "s21/3" }, { 1601, DEED_POWER, "s21/3" },
	};
	(void)state;
	read_files(&run, truth_text, commands_text, bus_text);
	assert_int_equal(run.n_truth, 3);
	assert_int_equal(run.truth_ms, 500);
	assert_int_equal(run.step_ms, 100);
	assert_about(run.site_w[2], 900002);
	assert_int_equal(run.begin_utc_ms, 1795323600250);
	assert_int_equal(run.n_received, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(run.received[i].at_ms, expected[i].at_ms);
		assert_int_equal(run.received[i].deed, expected[i].deed);
		assert_string_equal(run.received[i].miner, expected[i].miner);
	}
	run_free(&run);
}

static void the_bus_is_read(void **state)
{
	struct run run = { 0 };
	(void)state;
	read_files(&run, truth_text, commands_text, bus_text);
	assert_int_equal(run.control_ms, 1000);
	assert_int_equal(run.n_decisions, 1);
	assert_int_equal(run.decisions[0].told[DEED_SLEEP], 1);
	assert_int_equal(run.decisions[0].told[DEED_WAKE], 1);
	assert_int_equal(run.decisions[0].told[DEED_POWER], 1);
	assert_int_equal(run.n_published, 3);
	assert_int_equal(run.published[0].at_ms, 1050);
	assert_int_equal(run.n_outcomes, 1);
	assert_int_equal(run.outcomes[0].elapsed_ms, 42);
	assert_int_equal(run.n_orders, 1);
	assert_int_equal(run.orders[0].asked_ms, 2000);
	assert_int_equal(run.orders[0].ack_ms, 2003);
	assert_int_equal(run.orders[0].delivered_w, 90000);
	assert_string_equal(run.orders[0].status, "completed");
	assert_int_equal(run.n_views, 5);
	assert_int_equal(run.views[2].at_ms, 2000);     /* at once, not with the next telemetry */
	assert_int_equal(run.views[2].limit_w, 800000);
	assert_int_equal(run.views[4].at_ms, 7000);     /* the same at its end */
	assert_int_equal(run.n_alarms, 1);
	assert_int_equal(run.alarms[0].raised_ms, 8050);
	assert_int_equal(run.alarms[0].cleared_ms, 9000);
	assert_int_equal(run.bad_lines, 2);
	run_free(&run);
}

static void wrong_files_are_refused(void **state)
{
	struct run run = { 0 };
	char why[300];
	(void)state;
	assert_int_equal(run_read_truth(&run, "/nowhere", why, sizeof why), -1);
	assert_non_null(strstr(why, "/nowhere: No such file"));
	assert_int_equal(run_read_truth(&run, file_with(0, "t_s\n0.1,1,2,3\n0.2,1,2,3\n0.4,1,2,3\n"), why, sizeof why), -1);
	assert_non_null(strstr(why, ":4: not t_s,site_w,hpc_w,miners_w at even steps"));
	run_free(&run);
	assert_int_equal(run_read_truth(&run, file_with(0, "t_s\n0.1,1,2,3\n"), why, sizeof why), -1);
	run_free(&run);
	assert_int_equal(run_read_commands(&run, file_with(1, "t_s\nx\n"), why, sizeof why), -1);
	assert_int_equal(run_read_commands(&run, file_with(1, "t_s\n"), why, sizeof why), -1);
	assert_non_null(strstr(why, "does not say when"));
	assert_int_equal(run_read_bus(&run, file_with(2, "1.0 mullet/t/state {}\n"), why, sizeof why), -1);
	assert_non_null(strstr(why, "mulletd told nothing"));
	run_free(&run);
	assert_int_equal(run_utc_ms("2026-11-22T05:00:00Z"), 1795323600000);
	assert_int_equal(run_utc_ms("2026-11-22T05:00:00.5Z"), -1);
	assert_int_equal(run_utc_ms("today"), -1);
}

static char *text_of(FILE *file)
{
	static char text[65536];
	rewind(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void it_is_told_and_drawn(void **state)
{
	struct fixture f;
	struct run run = { 0 };
	(void)state;
	set_up(&f);
	read_files(&run, truth_text, commands_text, bus_text);
	run.orders[0].start_ms = 600;
	f.conf.truth.load.jobs[0] = (struct load_job){ .at_ms = 550, .delta_w = -400000 };
	f.conf.truth.load.n_jobs = 1;
	report_judge(&f.report, &run, &f.conf, 0);
	FILE *file = tmpfile();
	report_print(&f.report, &run, &f.conf, file);
	const char *text = text_of(file);
	assert_non_null(strstr(text, "Order q<1>: cap 800.0 kW from 0.6 s to 7.0 s; accepted after 3 ms, met after 1.5 s, now completed; 90.0 kW delivered\n"));
	assert_non_null(strstr(text, "8.1 s meter/pdu/7: silent (until 9.0 s)\n"));
	assert_non_null(strstr(text, "Decisions: 1 (1 cap), with 1 sleeps and 1 wakes, and 1 times another power\n"));
	assert_non_null(strstr(text, "2 received that NO published decision names\n     1.4 s cg/1 told to sleep\n"));
	file = tmpfile();
	svg_plot(&f.report, &run, &f.conf, file);
	text = text_of(file);
	assert_non_null(strstr(text, "order q&lt;1>: cap 0.80 MW"));
	assert_non_null(strstr(text, "GPU job ends, -400 kW"));
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	assert_string_equal(text + strlen(text) - 7, "</svg>\n");
	report_free(&f.report);
	run_free(&run);
}

static void the_exit_code_tells_of_strays(void **state)
{
	struct fixture f;
	char sound[1024];
	(void)state;
	set_up(&f);
	snprintf(sound, sizeof sound, "%.*s", (int)(strstr(commands_text, "1.400") - commands_text), commands_text);
	struct report_files files = { file_with(0, truth_text), file_with(1, sound), file_with(2, bus_text), NULL };
	assert_int_equal(report_make(&files, &f.conf, 0), 0);
	file_with(1, commands_text);
	assert_int_equal(report_make(&files, &f.conf, 0), 1);
	files.bus = "/nowhere";
	file_with(1, sound);
	assert_int_equal(report_make(&files, &f.conf, 0), 1);
	for (int n = 0; n < 3; n++)
		unlink(path[n]);
}

static void a_report_needs_its_files(void **state)
{
	struct options options;
	char why[300];
	char words[][12] = { "mulletsim", "--report", "--log", "a", "--commands", "b", "--bus", "c", "--flat-from", "10s" };
	char *argv[11] = { NULL };
	(void)state;
	for (int w = 0; w < 10; w++)
		argv[w] = words[w];
	assert_int_equal(options_read(&options, 10, argv, why, sizeof why), 0);
	assert_true(options.report);
	assert_int_equal(options.flat_ms, 10000);
	options_free(&options);
	argv[6] = NULL;
	assert_int_equal(options_read(&options, 6, argv, why, sizeof why), 2);
	assert_string_equal(why, "--report reads --log, --commands and --bus: name all three");
	options_free(&options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_over_the_limit),
		cmocka_unit_test(exactly_at_the_limit_is_not_over),
		cmocka_unit_test(an_episode_lasts_until_all_is_calm),
		cmocka_unit_test(nothing_is_judged_before_control_begins),
		cmocka_unit_test(an_order_is_a_limit_of_its_own),
		cmocka_unit_test(without_control_all_miners_hash),
		cmocka_unit_test(received_and_published),
		cmocka_unit_test(another_power_is_hashing),
		cmocka_unit_test(outcomes_add_up),
		cmocka_unit_test(the_logs_are_read),
		cmocka_unit_test(the_bus_is_read),
		cmocka_unit_test(wrong_files_are_refused),
		cmocka_unit_test(it_is_told_and_drawn),
		cmocka_unit_test(the_exit_code_tells_of_strays),
		cmocka_unit_test(a_report_needs_its_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
