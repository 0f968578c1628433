/* mulletctl's screens as text: fixed answers of a daemon, drawn, compared with tests/screens/NAME.txt.
 * MULLET_UPDATE_SCREENS=1 writes the files anew; the diff is then to be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/ctl_decisions.h"
#include "daemon/ctl_event.h"
#include "daemon/ctl_groups.h"
#include "daemon/ctl_screen.h"
#include "daemon/ctl_table.h"
#include "daemon/xalloc.h"

#define NOW_MS 1000000

static const char status_format[] =
	"{\"time\":\"2026-11-22T05:04:03.021Z\",\"site\":\"pecos-1\",\"state\":\"running\",\"state_why\":\"\","
	"\"since\":\"2026-11-22T02:00:00.000Z\",\"version\":\"0.1.0\",\"dry_run\":false,\"uptime_s\":11043.5,"
	"\"site_w\":%lld,\"hpc_w\":%lld,\"miners_w\":%lld,\"other_w\":20000,\"cap_w\":%lld,\"cap_from\":\"%s\","
	"\"target_w\":%lld,\"reserve_w\":60000,\"headroom_w\":26000,\"curtailable_w\":880000,\"restorable_w\":40000,"
	"\"frequency_hz\":59.986,\"miners\":{\"awake\":287,\"waking\":4,\"falling_asleep\":3,\"asleep\":6,\"unreachable\":1,"
	"\"faulty\":0},\"nominal_miners_w\":930000,\"decisions\":1234,\"commands\":20480,\"broker\":\"connected\","
	"\"load_w\":1020000,\"planned_w\":1030000,\"doubt_w\":0,\"stale\":[],"
	"\"energy_wh\":{\"site\":5800000,\"hpc\":3000000,\"miners\":2700000}}";

static void feed(void (*add)(struct ctl_model *, const cJSON *), struct ctl_model *model, const char *text)
{
	cJSON *value = cJSON_Parse(text);
	assert_non_null(value);
	add(model, value);
	cJSON_Delete(value);
}

static void feed_status(struct ctl_model *model, const char *text, int64_t at_ms)
{
	cJSON *value = cJSON_Parse(text);
	assert_non_null(value);
	model_status(model, value, at_ms);
	cJSON_Delete(value);
}

/* Three minutes: dips of the GPUs that the miners fill, and an order to 1.2 MW half a minute ago. */
static void feed_minutes(struct ctl_model *model)
{
	for (int64_t ago_ms = 180000; ago_ms >= 0; ago_ms -= 500) {
		char text[1200];
		bool dip = ago_ms / 1000 % 11 < 2, ordered = ago_ms < 30000;
		long long hpc_w = dip ? 890000 : 1000000, cap_w = ordered ? 1200000 : 2000000;
		long long miners_w = cap_w - 86000 - hpc_w - 20000;
		if (ordered && ago_ms > 27000)
			miners_w = 400000;
		snprintf(text, sizeof(text), status_format, hpc_w + miners_w + 20000, hpc_w, miners_w, cap_w,
		         ordered ? "qse-0123" : "site", cap_w - 60000);
		feed_status(model, text, NOW_MS - ago_ms);
	}
}

static void feed_decisions(struct ctl_model *model)
{
	feed(model_add_decision, model, "{\"seq\":1232,\"time\":\"2026-11-22T04:59:58.100Z\",\"reason\":\"startup\","
	     "\"why\":\"All 301 miners were heard: they draw 12 kW.\",\"sleeps\":0,\"wakes\":0}");
	feed(model_add_decision, model, "{\"seq\":1233,\"time\":\"2026-11-22T05:01:10.900Z\",\"reason\":\"target\","
	     "\"why\":\"There is room for 126 kW: 40 miners are woken.\",\"sleeps\":0,\"wakes\":40,\"powers\":3,\"dry_run\":false}");
	feed(model_add_decision, model, "{\"seq\":1234,\"time\":\"2026-11-22T05:03:33.021Z\",\"reason\":\"cap\",\"why\":\"The "
	     "load rose by 173 kW to 993 kW: 56 miners are put to sleep so that the site draws at most 1,140 kW, which "
	     "leaves the reserve of 60 kW under the cap.\",\"sleeps\":56,\"wakes\":0}");
}

static void feed_alarms(struct ctl_model *model)
{
	feed(model_add_alarm, model, "{\"name\":\"meter/pdu/7\",\"raised\":true,\"since\":\"2026-11-22T05:03:59.000Z\","
	     "\"severity\":\"warning\",\"why\":\"silent for 4.2 s: taken at its nameplate, 17.3 kW\"}");
	feed(model_add_alarm, model, "{\"name\":\"journal\",\"raised\":false,\"since\":\"2026-11-22T05:00:00.000Z\","
	     "\"severity\":\"warning\",\"why\":\"written again\"}");
	feed(model_add_alarm, model, "{\"name\":\"cap\",\"raised\":true,\"since\":\"2026-11-22T05:04:01.500Z\","
	     "\"severity\":\"critical\",\"why\":\"the site draws 23 kW more than the limit of 1.2 MW by qse-0123\"}");
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = xcalloc(1, 65536);
	if (file) {
		size_t n = fread(text, 1, 65535, file);
		text[n] = '\0';
		fclose(file);
	}
	return text;
}

static void compare(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "tests/screens/%s.txt", name);
	if (getenv("MULLET_UPDATE_SCREENS")) {
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		fputs(text, file);
		fclose(file);
	}
	char *wanted = read_file(path);
	if (strcmp(text, wanted) != 0)
		print_error("--- drawn:\n%s--- %s:\n%s", text, path, wanted);
	assert_string_equal(text, wanted);
	free(wanted);
}

static void check_screen(const char *name, const struct ctl_model *model, int width, int height, bool ascii,
                         void (*draw)(struct canvas *, const struct ctl_model *))
{
	struct canvas canvas;
	canvas_init(&canvas, width, height, ascii);
	draw(&canvas, model);
	char *text = canvas_print(&canvas, COLOURS_NONE, "\n", "", height != STATUS_ROWS);
	compare(name, text);
	free(text);
	canvas_free(&canvas);
}

static void status_in_a_pipe(struct canvas *canvas, const struct ctl_model *model)
{
	screen_status(canvas, model, 0);
}

static void status_in_24_rows(struct canvas *canvas, const struct ctl_model *model)
{
	screen_status(canvas, model, 23);
}

static struct ctl_model *model_of_a_good_day(void)
{
	struct ctl_model *model = xcalloc(1, sizeof(*model));
	feed_minutes(model);
	feed_decisions(model);
	return model;
}

/* Of the 287 that are awake, 87 were told less than full power. */
static void test_partial_power(void **state)
{
	(void)state;
	char text[1200];
	struct ctl_model *model = model_of_a_good_day();
	snprintf(text, sizeof(text), status_format, 1114000LL, 890000LL, 204000LL, 1200000LL, "qse-0123", 1140000LL);
	cJSON *status = cJSON_Parse(text);
	cJSON_AddNumberToObject(status, "miners_partial", 87);
	model_status(model, status, NOW_MS);
	check_screen("watch-partial", model, 120, 40, false, screen_watch);
	check_screen("watch-partial-80", model, 80, 24, false, screen_watch);
	check_screen("watch-partial-60-ascii", model, 60, 16, true, screen_watch);
	cJSON_SetNumberValue(cJSON_GetObjectItem(status, "miners_partial"), 288);       /* cannot be */
	model_status(model, status, NOW_MS);
	assert_int_equal(model->phases[SHOWN_AWAKE], 287);
	assert_int_equal(model->phases[SHOWN_PARTIAL], 0);
	cJSON_Delete(status);
	free(model);
}

/* Site, cap and target on rows of their own or none: with the site lower, cap and target would share one. */
static void test_names_do_not_overlap(void **state)
{
	(void)state;
	char text[1200];
	struct ctl_model *model = model_of_a_good_day();
	snprintf(text, sizeof(text), status_format, 800000LL, 600000LL, 180000LL, 2000000LL, "site", 1950000LL);
	feed_status(model, text, NOW_MS);
	struct canvas canvas;
	canvas_init(&canvas, 120, 40, true);
	screen_watch(&canvas, model);
	char *drawn = canvas_print(&canvas, COLOURS_NONE, "", "\n", false);
	assert_non_null(strstr(drawn, " cap\n"));
	assert_null(strstr(drawn, "capget"));
	free(drawn);
	canvas_free(&canvas);
	free(model);
}

static void test_watch(void **state)
{
	(void)state;
	struct ctl_model *model = model_of_a_good_day();
	check_screen("watch-80x24", model, 80, 24, false, screen_watch);
	check_screen("watch-120x40", model, 120, 40, false, screen_watch);
	check_screen("watch-80x24-ascii", model, 80, 24, true, screen_watch);
	check_screen("watch-60x16", model, 60, 16, false, screen_watch);
	check_screen("watch-too-small", model, 59, 16, false, screen_watch);
	free(model);
}

static void test_watch_in_trouble(void **state)
{
	(void)state;
	struct ctl_model *model = xcalloc(1, sizeof(*model));
	snprintf(model->trouble, sizeof(model->trouble), "no daemon at /run/mulletd/control.sock: there is no such socket");
	check_screen("watch-no-data", model, 80, 24, false, screen_watch);
	feed_minutes(model);
	feed_decisions(model);
	feed_alarms(model);
	check_screen("watch-alarms", model, 80, 24, false, screen_watch);
	snprintf(model->trouble, sizeof(model->trouble), "the daemon hung up");
	model->now_ms += 20000;
	check_screen("watch-went-away", model, 80, 24, false, screen_watch);
	free(model);
}

static void test_over_the_cap(void **state)
{
	(void)state;
	struct ctl_model *model = xcalloc(1, sizeof(*model));
	char text[1200];
	for (int i = 0; i < 40; i++) {
		long long miners_w = i < 30 ? 880000 : 1003000;
		snprintf(text, sizeof(text), status_format, miners_w + 1020000, 1000000LL, miners_w, 2000000LL, "site", 1940000LL);
		feed_status(model, text, NOW_MS + i * 500);
	}
	check_screen("watch-over-ascii", model, 80, 24, true, screen_watch);
	free(model);
}

static void test_nothing_known_and_texts_too_long(void **state)
{
	(void)state;
	struct ctl_model *model = xcalloc(1, sizeof(*model));
	feed_status(model, "{}", NOW_MS);
	check_screen("watch-empty-answer", model, 80, 24, false, screen_watch);
	check_screen("status-empty-answer", model, 80, STATUS_ROWS, false, status_in_a_pipe);
	feed_status(model, "{\"site\":\"a-site-with-a-name-that-is-as-long-as-names-of-sites-may-ever-become\",\"state\":\"degraded\","
	            "\"state_why\":\"meters pdu/1, pdu/2, pdu/3, pdu/4, pdu/5, pdu/6, pdu/7, pdu/8, pdu/9 and pdu/10 are silent\","
	            "\"dry_run\":true,\"site_w\":98765432109,\"cap_w\":1e300,\"miners\":{\"awake\":1e9,\"faulty\":-3},\"uptime_s\":1e8,"
	            "\"cap_from\":\"an-event-whose-id-goes-on-and-on\",\"stale\":[\"pdu/1\",7,\"pdu/2\"],\"time\":\"yesterday\","
	            "\"frequency_hz\":\"fifty\"}", NOW_MS + 500);
	feed(model_add_decision, model, "{\"reason\":\"no-such-reason-yet\",\"sleeps\":12345,\"wakes\":67890,\"time\":5,\"why\":\"tab\\t "
	     "escape \\u001b[2J bell \\u0007 right to left \\u202e wide \\u6f22 Ohm \\u03a9 "
	     "a-word-that-is-longer-than-the-whole-line-it-should-stand-on-and-so-has-to-be-broken-somewhere\"}");
	check_screen("watch-long", model, 80, 24, false, screen_watch);
	check_screen("status-long", model, 80, STATUS_ROWS, true, status_in_a_pipe);
	free(model);
}

static void test_status(void **state)
{
	(void)state;
	struct ctl_model *model = model_of_a_good_day();
	check_screen("status-80", model, 80, STATUS_ROWS, false, status_in_a_pipe);
	check_screen("status-80x24", model, 80, STATUS_ROWS, false, status_in_24_rows);
	feed_alarms(model);
	model->n_stale = 1;
	snprintf(model->stale, sizeof(model->stale), "pdu/7");
	check_screen("status-alarms-120", model, 120, STATUS_ROWS, false, status_in_a_pipe);
	free(model);
}

/* The operator's hold and shed, an order, one whose end is not known yet. */
static void test_what_is_in_force(void **state)
{
	(void)state;
	char text[1200];
	struct ctl_model *model = model_of_a_good_day();
	snprintf(text, sizeof(text), status_format, 1114000LL, 890000LL, 204000LL, 1200000LL, "qse-0123", 1140000LL);
	cJSON *status = cJSON_Parse(text);
	cJSON_AddItemToObject(status, "in_force", cJSON_Parse("[{\"event\":\"qse-0123\",\"kind\":\"cap\",\"limit_w\":1200000},"
		"{\"event\":\"operator-1\",\"kind\":\"setpoint\",\"limit_w\":1140000},"
		"{\"event\":\"operator-2\",\"kind\":\"shed\",\"limit_w\":0}]"));
	model_status(model, status, NOW_MS);
	assert_true(model_wants_ends(model));
	check_screen("watch-orders-80x24", model, 80, 24, false, screen_watch);
	feed(model_add_event, model, "{\"id\":\"qse-0123\",\"end\":\"2026-11-22T05:34:03.000Z\"}");
	feed(model_add_event, model, "{\"id\":\"operator-1\",\"end\":\"2026-11-23T05:00:00.000Z\"}");
	feed(model_add_event, model, "{\"id\":\"other\",\"end\":\"2026-11-23T05:00:00.000Z\"}");
	feed(model_add_event, model, "{\"id\":\"operator-2\",\"end\":null}");
	assert_false(model_wants_ends(model));
	model_status(model, status, NOW_MS);            /* what is known stays known */
	assert_false(model_wants_ends(model));
	feed_alarms(model);
	check_screen("status-orders-80x24", model, 80, STATUS_ROWS, false, status_in_24_rows);
	check_screen("status-orders-80", model, 80, STATUS_ROWS, false, status_in_a_pipe);
	check_screen("watch-orders-60-ascii", model, 60, 16, true, screen_watch);
	cJSON_ReplaceItemInObject(status, "in_force", cJSON_Parse("[{\"event\":\"maestro\",\"kind\":\"target\",\"limit_w\":450000},7,{},null,{}]"));
	model_status(model, status, NOW_MS);
	assert_int_equal(model->n_orders, MODEL_ORDERS);
	cJSON_Delete(status);
	free(model);
}

static void test_every_size_is_drawn_within_the_sheet(void **state)
{
	(void)state;
	struct ctl_model *model = model_of_a_good_day();
	feed_alarms(model);
	for (int width = 1; width <= 200; width += 7)
		for (int height = 1; height <= 70; height += 3) {
			struct canvas canvas;
			canvas_init(&canvas, width, height, height % 2);
			screen_watch(&canvas, model);
			char *text = canvas_print(&canvas, COLOURS_256, "\033[K", "\r\n", true);
			int lines = 1;
			for (const char *s = text; (s = strchr(s, '\n')); s++)
				lines++;
			assert_int_equal(lines, height);
			free(text);
			canvas_free(&canvas);
		}
	free(model);
}

static void test_colours(void **state)
{
	(void)state;
	struct canvas canvas;
	canvas_init(&canvas, 10, 2, false);
	canvas_text(&canvas, 0, 0, INK_ALARM, "no");
	canvas_text(&canvas, 0, 3, INK_PLAIN, "ok");
	canvas_text(&canvas, 1, 1, INK_HPC, "x");
	char *text = canvas_print(&canvas, COLOURS_16, "", "|", true);
	assert_string_equal(text, "\033[0;1;31mno\033[0m ok| \033[0;34mx\033[0m");
	free(text);
	text = canvas_print(&canvas, COLOURS_NONE, "<", "|", true);
	assert_string_equal(text, "no ok<| x<");
	free(text);
	canvas_free(&canvas);
}

static void test_the_line_for_no_terminal(void **state)
{
	(void)state;
	struct ctl_model *model = model_of_a_good_day();
	char line[512], whole[1100] = "";
	line_watch(model, 1233, line, sizeof(line));
	strcat(strcat(whole, line), "\n");
	line_watch(model, 1234, line, sizeof(line));
	strcat(strcat(whole, line), "\n");
	feed_alarms(model);
	line_watch(model, 1234, line, sizeof(line));
	strcat(strcat(whole, line), "\n");
	compare("lines", whole);
	free(model);
}

static const struct { enum ctl_list list; const char *rows; } tables[] = {
	{ LIST_MINERS, "[{\"name\":\"hall-2/1\",\"phase\":\"awake\",\"power_w\":3111,\"age_ms\":1234,\"told\":\"power\",\"limit_w\":3200,\"tries\":0,"
	  "\"sleeps\":7,\"fault\":\"none\",\"host\":\"10.30.0.1\"},{\"name\":\"hall-2/1000\",\"phase\":\"unreachable\","
	  "\"power_w\":null,\"age_ms\":754000,\"told\":\"sleep\",\"tries\":3,\"sleeps\":12,\"fault\":\"silent\"}]" },
	{ LIST_METERS, "[{\"name\":\"main\",\"measures\":\"site\",\"power_w\":1914000,\"age_ms\":130,\"stale\":false,"
	  "\"frequency_hz\":59.991,\"nameplate_w\":null,\"polls\":99999,\"faults\":0,\"fault\":\"none\",\"host\":\"10.20.0.5\"},{\"name\":\"pdu/7\","
	  "\"measures\":\"hpc\",\"power_w\":null,\"age_ms\":null,\"stale\":true,\"nameplate_w\":17300,\"polls\":12,\"faults\":12,"
	  "\"fault\":\"silent\"}]" },
	{ LIST_EVENTS, "[{\"id\":\"qse-0123\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"active\",\"limit_w\":1200000,"
	  "\"start\":null,\"end\":\"2026-11-22T05:34:03.021Z\",\"response_s\":2.31,\"mean_w\":1187000,\"max_w\":1198000,\"not_drawn_wh\":402500,\"why\":\"met\\u001b[2J\"}]" },
	{ LIST_DECISIONS, "[{\"seq\":1234,\"time\":\"2026-11-22T05:03:33.021Z\",\"reason\":\"cap\",\"binding\":\"limit\","
	  "\"sleeps\":56,\"wakes\":0,\"powers\":7,\"outcome\":{\"sent\":63,\"confirmed\":61,\"failed\":2,\"elapsed_ms\":64},\"why\":\"The load rose.\"},"
  "{\"seq\":1233,\"outcome\":null,\"why\":\"-\"},{\"seq\":1232,\"outcome\":{\"sent\":63,\"confirmed\":63,\"failed\":0}},"
  "{\"seq\":1235,\"time\":\"2026-11-22T05:03:41.000Z\",\"reason\":\"target\",\"binding\":\"wakes_in_flight\",\"sleeps\":0,"
  "\"wakes\":15,\"powers\":0,\"outcome\":{\"sent\":15,\"confirmed\":9,\"failed\":3,\"overtaken\":2,\"elapsed_ms\":null},\"why\":\"Load up to 1.417 MW within the last minute, 1.402 MW on average, target 1.945 MW: the "
  "miners may draw 543.0 kW and are heading for 443.0 kW; 15 miners to wake, +50.6 kW; more waits for those that are waking.\"}]" },
	{ LIST_ALARMS, "[{\"name\":\"cap\",\"raised\":true,\"since\":\"2026-11-22T05:04:01.500Z\",\"severity\":\"critical\","
	  "\"why\":\"over\"}]" },
	{ LIST_ALARMS, "[]" },
	{ LIST_GROUPS, "[{\"group\":\"hall-1\",\"driver\":\"luxos\",\"n_miners\":300,\"miners\":{\"awake\":287,\"asleep\":13},"
	  "\"awake_w\":3480,\"asleep_w\":21,\"sleep\":{\"dead_ms\":2010,\"ramp_ms\":3120,\"spread_ms\":400,\"basis\":"
	  "\"learned by site\",\"seen_by_site\":6,\"seen_by_polls\":240,\"works\":0.998,\"orders\":340},\"wake\":{"
	  "\"dead_ms\":5000,\"ramp_ms\":15000,\"spread_ms\":null,\"basis\":\"typical\",\"seen_by_site\":0,\"seen_by_polls\":0,"
	  "\"works\":null,\"orders\":0},\"partial_w\":2000,\"power\":{\"dead_ms\":1500,\"ramp_ms\":8000,\"spread_ms\":700,"
	  "\"basis\":\"learned by polls\",\"seen_by_site\":0,\"seen_by_polls\":120,\"works\":0.95,\"orders\":60},"
	  "\"sleeps_per_miner\":1.3,\"sleeps_over_h\":5,\"cycles_per_day\":12,"
	  "\"cycles_left\":10.7},{\"group\":\"old\",\"sleep\":7,\"miners\":null,\"power\":null},null]" },
	{ LIST_GROUPS, "[]" },
};

/* All tables below each other, as they come out on a terminal of that width; 0: in a pipe. */
static void check_tables(const char *name, int width)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		cJSON *rows = cJSON_Parse(tables[i].rows);
		assert_non_null(rows);
		if (tables[i].list == LIST_GROUPS)
			groups_as_rows(rows);
		if (tables[i].list == LIST_DECISIONS)
			decisions_as_rows(rows);
		table_print(out, tables[i].list, rows, width);
		cJSON_Delete(rows);
	}
	fclose(out);
	compare(name, text);
	free(text);
}

static void test_tables(void **state)
{
	(void)state;
	check_tables("tables", 0);
	check_tables("tables-120", 120);
	check_tables("tables-80", 80);
	check_tables("tables-40", 40);
}

static void test_one_event(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size = 0;
	cJSON *event = cJSON_Parse("{\"id\":\"qse-1\",\"signal\":\"qse\",\"kind\":\"cap\",\"status\":\"completed\",\"limit_w\":1600000,"
		"\"received\":\"2026-11-30T10:10:30.061Z\",\"end\":\"2026-11-30T10:11:10.000Z\",\"first_command\":null,"
		"\"response_s\":3.526,\"before_w\":1950119,\"delivered_w\":245407,\"not_drawn_wh\":472,\"why\":\"a\\u001b[2J\"}");
	FILE *out = open_memstream(&text, &size);
	event_print(out, event);
	event_print(out, NULL);
	fclose(out);
	compare("event", text);
	free(text);
	cJSON_Delete(event);
}

static void test_quantities(void **state)
{
	(void)state;
	static const struct { const char *text; int64_t w; } powers[] = {
		{ "19.4 MW", 19400000 }, { "350kW", 350000 }, { " 0 W ", -1 }, { "0 W", 0 }, { "1.5GW", 1500000000 },
		{ ".5 kW", 500 }, { "5", -1 }, { "", -1 }, { "MW", -1 }, { "-1 MW", -1 }, { "inf W", -1 }, { "nan W", -1 },
		{ "0x10 W", -1 }, { "1 mW", -1 }, { "1 MWh", -1 }, { "1e99 W", -1 }, { "10 s", -1 }, { "9e15 W", -1 },
	};
	for (size_t i = 0; i < sizeof(powers) / sizeof(*powers); i++) {
		int64_t w = -1;
		assert_int_equal(parse_power(powers[i].text, &w), powers[i].w >= 0);
		assert_int_equal(w, powers[i].w);
	}
	static const struct { const char *text; int64_t ms; } durations[] = {
		{ "250 ms", 250 }, { "90 s", 90000 }, { "15min", 900000 }, { "1.5 h", 5400000 }, { "2 d", 172800000 },
		{ "15", -1 }, { "15 m", -1 }, { "15 min 3 s", -1 },
	};
	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
		int64_t ms = -1;
		assert_int_equal(parse_duration(durations[i].text, &ms), durations[i].ms >= 0);
		assert_int_equal(ms, durations[i].ms);
	}
}

static void test_moments(void **state)
{
	(void)state;
	const time_t now = 1763787843;          /* 2025-11-22T05:04:03Z */
	static const struct { const char *text, *since; } moments[] = {
		{ "2025-11-22T05:04:03.021Z", "2025-11-22T05:04:03" }, { "2025-11-22T05:04:03", "2025-11-22T05:04:03" },
		{ "2025-11-22 05:04:03", "2025-11-22T05:04:03" }, { "2025-11-22 05:04", "2025-11-22T05:04:00" },
		{ "2025-11-22", "2025-11-22T00:00:00" }, { "05:04:03", "2025-11-22T05:04:03" }, { "05:04", "2025-11-22T05:04:00" },
		{ "05:05", "2025-11-21T05:05:00" }, { "15 min", "2025-11-22T04:49:03" }, { "1d", "2025-11-21T05:04:03" },
		{ "yesterday", NULL }, { "", NULL }, { "2025-11-22T05:04:03+02:00", NULL }, { "2025-11-22T05:04:03.", NULL },
		{ "2025-11-22T05:04ZZ", NULL }, { "25:00", NULL }, { "2025-13-01", NULL }, { "5", NULL },
	};
	for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
		char buf[SINCE_BYTES] = "";
		assert_int_equal(parse_since(moments[i].text, now, buf), moments[i].since != NULL);
		assert_string_equal(buf, moments[i].since ? moments[i].since : "");
	}
}

static void test_figures(void **state)
{
	(void)state;
	static const struct { int64_t w; const char *text; } powers[] = {
		{ 0, "0 W" }, { 999, "999 W" }, { 1000, "1.00 kW" }, { 9994, "9.99 kW" }, { 9996, "10.0 kW" }, { 99960, "100 kW" },
		{ 999499, "999 kW" }, { 999600, "1.00 MW" }, { -25000, "-25.0 kW" }, { 20000000000, "20.0 GW" }, { FIGURE_UNKNOWN, "-" },
	};
	static const struct { int64_t ms; const char *text; } durations[] = {
		{ 0, "0.0 s" }, { 9990, "10.0 s" }, { 10000, "10 s" }, { 59999, "59 s" }, { 60000, "1 min" }, { 185000, "3 min 5 s" },
		{ 3600000, "1 h" }, { 7500000, "2 h 5 min" }, { 86400000, "1 d" }, { 356400000, "4 d 3 h" }, { FIGURE_UNKNOWN, "-" },
	};
	static const struct { int64_t largest_w; const char *text; } shared[] = {
		{ 500, "1912345 W" }, { 50000, "1912.35 kW" }, { 2000000, "1.912 MW" }, { 20000000, "1.91 MW" }, { 2000000000, "2 MW" },
	};
	char buf[32];
	for (size_t i = 0; i < sizeof(powers) / sizeof(*powers); i++)
		assert_string_equal(format_power(powers[i].w, buf, sizeof(buf)), powers[i].text);
	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++)
		assert_string_equal(format_duration(durations[i].ms, buf, sizeof(buf)), durations[i].text);
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++)
		assert_string_equal(format_power_in(power_unit_for(shared[i].largest_w), 1912345, buf, sizeof(buf)), shared[i].text);
	assert_string_equal(format_power_in(power_unit_for(2000000), -400, buf, sizeof(buf)), "0.000 MW");
	assert_string_equal(format_power_in(power_unit_for(2000000), -600, buf, sizeof(buf)), "-0.001 MW");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watch), cmocka_unit_test(test_partial_power), cmocka_unit_test(test_names_do_not_overlap),
		cmocka_unit_test(test_watch_in_trouble),
		cmocka_unit_test(test_over_the_cap),
		cmocka_unit_test(test_nothing_known_and_texts_too_long),
		cmocka_unit_test(test_status), cmocka_unit_test(test_what_is_in_force),
		cmocka_unit_test(test_every_size_is_drawn_within_the_sheet),
		cmocka_unit_test(test_colours),
		cmocka_unit_test(test_the_line_for_no_terminal),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_one_event),
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_figures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
