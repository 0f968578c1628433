/* Discovery: which addresses are asked, how fast, and what is heard of them. */
#include "daemon/ctl_found.h"
#include "daemon/ctl_range.h"
#include "daemon/ctl_scan.h"
#include "tests/discover_bench.h"
#include "tests/scripted_miner.h"

/* ---- ranges ---- */

static void ranges_are_what_they_say(void **state)
{
	static const struct { const char *text; size_t n; const char *first, *last; } cases[] = {
		{ "10.30.0.0/16", 65534, "10.30.0.1", "10.30.255.254" }, { "10.30.0.0/30", 2, "10.30.0.1", "10.30.0.2" },
		{ "10.30.0.0/31", 2, "10.30.0.0", "10.30.0.1" }, { "10.30.0.9/32", 1, "10.30.0.9", "10.30.0.9" },
		{ "10.30.0.1-10.30.1.2", 258, "10.30.0.1", "10.30.1.2" }, { "10.30.0.7-9", 3, "10.30.0.7", "10.30.0.9" },
		{ "10.30.[0-7].[1-254]", 2032, "10.30.0.1", "10.30.7.254" }, { "10.30.0.4", 1, "10.30.0.4", "10.30.0.4" },
		{ "miner-[08-11].example", 4, "miner-08.example", "miner-11.example" }, { "miner-a", 1, "miner-a", "miner-a" },
		{ "10.0.0.0/14", RANGE_MOST - 2, "10.0.0.1", "10.3.255.254" },
		{ "255.255.255.254-255", 2, "255.255.255.254", "255.255.255.255" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena *arena = arena_new();
		struct ctl_range range = { 0 };
		assert_null(range_add(arena, &range, cases[i].text));
		range_sort(&range);
		assert_int_equal(range.n, cases[i].n);
		assert_string_equal(range.hosts[0], cases[i].first);
		assert_string_equal(range.hosts[range.n - 1], cases[i].last);
		arena_free(arena);
	}
}

static void wrong_ranges_say_what_would_be_right(void **state)
{
	static const char *const cases[][2] = {
		{ "10.30.4.0/16", "is 10.30.0.0/16 meant?" }, { "10.30.0.0/33", "from 0 to 32" }, { "10.30.0.0/", "from 0 to 32" },
		{ "10.30.0.0/-1", "from 0 to 32" }, { "10.30.0.0/1 6", "from 0 to 32" }, { "10.30.0/16", "before the /" },
		{ "10.0.0.0/8", "16777214 addresses; at most 262144" }, { "0.0.0.0/0", "4294967294 addresses" },
		{ "10.30.0.9-10.30.0.1", "lower address belongs first" }, { "10.30.0.9-1", "lower address belongs first" },
		{ "10.30.0.1-", "behind the -" }, { "10.30.0.1-256", "behind the -" }, { "10.30.1-5", "before the -" },
		{ "10.30.0.[1-254", "not closed" }, { "10.30.0.[9-1]", "lower number first" }, { "10.30.0", "four numbers" },
		{ "10.30.0.256", "at most 255" }, { "", "at least one character" }, { "10.[0-255].[0-255].[0-255]", "more than 262144" },
		{ "fe80::/64", "IPv4" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena *arena = arena_new();
		struct ctl_range range = { 0 };
		const char *why = range_add(arena, &range, cases[i][0]);
		if (!why || !strstr(why, cases[i][1]))
			fail_msg("%s: %s", cases[i][0], why ? why : "taken");
		assert_int_equal(range.n, 0);
		arena_free(arena);
	}
}

static void an_address_named_twice_is_asked_once(void **state)
{
	static const char *const wanted[] = { "9.9.9.9", "10.0.0.1", "10.0.0.2", "10.0.0.3", "a", "b" };
	static const char *const texts[] = { "b", "10.0.0.1-3", "10.0.0.0/30", "9.9.9.9", "a", "b" };
	struct arena *arena = arena_new();
	struct ctl_range range = { 0 };
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_null(range_add(arena, &range, texts[i]));
	range_sort(&range);
	assert_int_equal(range.n, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_string_equal(range.hosts[i], wanted[i]);
	assert_non_null(range_add(arena, &range, "10.0.0.0/14"));       /* with what there is, too many */
	assert_int_equal(range.n, COUNT(wanted));
	arena_free(arena);
}

/* ---- rate ---- */

static void the_rate_holds_whatever_the_ticks_do(void **state)
{
	static const uint32_t rates[] = { 1, 7, 300, 10000 };
	unsigned seed = 7;
	(void)state;
	for (size_t r = 0; r < COUNT(rates); r++) {
		struct pace pace = { 0 };
		int64_t now_ms = 5000, begun = 0, most = (int64_t)rates[r] * 2 * SCAN_TICK_MS / 1000;
		assert_int_equal(pace_due(&pace, rates[r], now_ms), 0);
		for (int i = 0; i < 100000; i++) {
			now_ms += rand_r(&seed) % 50 ? rand_r(&seed) % (SCAN_TICK_MS + 1) : 5000;        /* at times it stands still */
			uint32_t due = pace_due(&pace, rates[r], now_ms);
			assert_true(due <= (most > 1 ? most : 1));      /* and does not make up for it */
			begun += due;
			assert_true(begun * 1000 <= (now_ms - 5000) * rates[r]);
		}
		struct pace even = { 0 };
		pace_due(&even, rates[r], 1);
		begun = 0;
		for (int64_t t = 1; t <= 100000; t += SCAN_TICK_MS)
			begun += pace_due(&even, rates[r], t);
		assert_in_range(begun, (int64_t)rates[r] * 99, (int64_t)rates[r] * 100);
	}
}

/* ---- on sockets ---- */

#define ASK(command) "{\"command\":\"" command "\"}"
#define JOINED  ASK("version+power+config+summary+profiles")
#define REFUSAL "{\"STATUS\":[{\"STATUS\":\"E\",\"When\":1,\"Code\":14,\"Msg\":\"Invalid command\"}],\"id\":1}"
#define SUMMARY(facts) "{\"STATUS\":[{\"STATUS\":\"S\",\"Code\":11}],\"SUMMARY\":[{" facts "}],\"id\":1}"
#define PART(name, section, facts) "\"" name "\":[{\"" section "\":[" facts "],\"STATUS\":[{\"Code\":1,\"STATUS\":\"S\"}],\"id\":1}]"
#define LUXOS_TELLS(watts, ghs, curtail, on) "{" \
	PART("config", "CONFIG", "{\"CurtailMode\":\"" curtail "\",\"IsAtmEnabled\":false,\"IsPowerSupplyOn\":" on "," \
	     "\"MACAddr\":\"00:11:22:33:44:55\",\"Model\":\"Antminer S21\",\"Profile\":\"default\",\"SerialNumber\":\"SN1\"}") "," \
	PART("power", "POWER", "{\"PSU\":true,\"Watts\":" watts "}") "," \
	PART("profiles", "PROFILES", "{\"Profile Name\":\"default\",\"Watts\":3400},{\"Profile Name\":\"290MHz\",\"Watts\":1188}") "," \
	PART("summary", "SUMMARY", "{\"GHS 5s\":" ghs "}") "," \
	PART("version", "VERSION", "{\"LUXminer\":\"2025.7.1\",\"Type\":\"Antminer S21\"}") ",\"id\":1}"

#define MOST 8
struct hall {                           /* addresses 127.0.1.1 and on, of which the first n have something at their port */
	uv_loop_t loop;
	struct scripted miners[MOST];
	size_t n;
	struct scan scan;
	struct found found;
	const char *hosts[64];
	char texts[64][16];
	unsigned ticks, closed;
	size_t stop_at;                 /* found; 0: never */
};

static void hall_found(void *self, size_t host, enum fault fault, const struct miner_identity *is)
{
	struct hall *hall = self;
	found_add(&hall->found, host, hall->hosts[host], fault, is);
	if (hall->found.n == hall->stop_at)
		scan_stop(&hall->scan);
}

static void hall_tick(void *self)
{
	((struct hall *)self)->ticks++;
}

static void hall_closed(void *self)
{
	((struct hall *)self)->closed++;
}

static void open_at(struct scripted *miner, uv_loop_t *loop, const struct act *acts, size_t n, const char *host, uint16_t port)
{
	struct sockaddr_in at;
	int len = sizeof at;
	*miner = (struct scripted){ .acts = acts, .n = n };
	uv_ip4_addr(host, port, &at);
	uv_tcp_init(loop, &miner->listener);
	miner->listener.data = miner;
	assert_int_equal(uv_tcp_bind(&miner->listener, (struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&miner->listener, 64, scripted_guest_came), 0);
	uv_tcp_getsockname(&miner->listener, (struct sockaddr *)&at, &len);
	miner->port = ntohs(at.sin_port);
}

static struct hall *hall_open(const struct act (*acts)[8], size_t n)
{
	struct hall *hall = calloc(1, sizeof *hall);
	uv_loop_init(&hall->loop);
	hall->n = n;
	for (unsigned i = 0; i < 64; i++) {
		snprintf(hall->texts[i], sizeof hall->texts[i], "127.0.1.%u", i + 1);
		hall->hosts[i] = hall->texts[i];
	}
	for (size_t i = 0; i < n; i++) {
		size_t n_acts = 0;
		while (n_acts < 8 && acts[i][n_acts].expect)
			n_acts++;
		open_at(&hall->miners[i], &hall->loop, acts[i], n_acts, hall->hosts[i], i ? hall->miners[0].port : 0);
	}
	return hall;
}

static void hall_look(struct hall *hall, size_t n_hosts, uint32_t at_once, uint32_t timeout_ms)
{
	struct scan_conf conf = { .hosts = hall->hosts, .n = n_hosts, .port = hall->miners[0].port, .rate_per_s = 10000,
		.timeout_ms = timeout_ms, .most_at_once = at_once };
	scan_open(&hall->scan, &hall->loop, &conf, (struct scan_user){ hall, hall_found, hall_tick, hall_closed });
	assert_true(loop_until(&hall->loop, &hall->closed, 1));
	found_sort(&hall->found);
}

static bool hall_close(struct hall *hall)
{
	bool played = true;
	for (size_t i = 0; i < hall->n; i++) {
		played = played && !hall->miners[i].wrong && hall->miners[i].next == hall->miners[i].n;
		scripted_close(&hall->miners[i]);
	}
	uv_run(&hall->loop, UV_RUN_DEFAULT);
	bool closed = uv_loop_close(&hall->loop) == 0;
	found_free(&hall->found);
	free(hall);
	return played && closed;
}

static void a_hall_is_looked_through_by_reads_alone(void **state)
{
	static const struct act acts[][8] = {
		{ { JOINED, LUXOS_TELLS("3520", "201000", "None", "true"), SAY_NUL_AND_CLOSE } },
		{ { JOINED, LUXOS_TELLS("24", "0", "Sleep", "false"), SAY_AND_STAY } },
		{ { JOINED, REFUSAL, SAY_NUL_AND_CLOSE },
		  { ASK("version"), VERSION("\"BMMiner\":\"1.0.0\",\"Type\":\"Antminer S19 Pro\""), SAY_NUL_AND_CLOSE },
		  { ASK("summary"), "{\"STATUS\":[{\"STATUS\":\"S\",\"Code\":11}],\"SUMMARY\":[],\"id\":1}", SAY_NUL_AND_CLOSE } },
		{ { JOINED, NULL, CLOSE }, { ASK("version"), REFUSAL, SAY_AND_CLOSE },
		  { ASK("get_version"), "{\"STATUS\":\"S\",\"Code\":131,\"Msg\":{\"api_ver\":\"2.0.5\",\"fw_ver\":\"2024\",\"miner_type\":\"M60S\"}}",
		    SAY_AND_STAY },
		  { ASK("summary"), SUMMARY("\"MHS av\":180000000.0,\"Power\":3400,\"Power Limit\":3600"), SAY_AND_CLOSE },
		  { ASK("devdetails"), REFUSAL, SAY_AND_CLOSE } },
		{ { JOINED, NULL, CLOSE }, { ASK("version"), NULL, RESET } },
		{ { JOINED, "HTTP/1.1 400 Bad Request\r\n\r\n", SAY_AND_CLOSE }, { ASK("version"), "HTTP/1.1 400 Bad Request\r\n\r\n", SAY_AND_CLOSE } },
		{ { JOINED, VERSION("\"BOSer\":\"25.07\""), SAY_NUL_AND_CLOSE }, { ASK("summary"), SUMMARY("\"MHS 5s\":1.0e8"), SAY_NUL_AND_CLOSE },
		  { ASK("devdetails"), "{\"STATUS\":[{\"STATUS\":\"S\"}],\"DEVDETAILS\":[{\"Model\":\"Antminer S19 XP\"}],\"id\":1}", DRIBBLE },
		  { ASK("tunerstatus"), "{\"STATUS\":[{\"STATUS\":\"S\"}],\"TUNERSTATUS\":[{\"ApproximateMinerPowerConsumption\":3010}],\"id\":1}",
		    SAY_HALF_AND_CLOSE } },
	};
	static const struct { enum fault fault; enum firmware firmware; enum miner_state state; int32_t power_w; unsigned connections; } wanted[] = {
		{ FAULT_NONE, FIRMWARE_LUXOS, MINER_HASHING, 3520, 1 }, { FAULT_NONE, FIRMWARE_LUXOS, MINER_ASLEEP, 24, 1 },
		{ FAULT_NONE, FIRMWARE_ANTMINER, MINER_ASLEEP, 0, 3 }, { FAULT_NONE, FIRMWARE_WHATSMINER, MINER_HASHING, 3400, 5 },
		{ FAULT_REFUSED, FIRMWARE_UNKNOWN, MINER_UNKNOWN, 0, 2 }, { FAULT_GARBLED, FIRMWARE_UNKNOWN, MINER_UNKNOWN, 0, 2 },
		{ FAULT_NONE, FIRMWARE_BRAIINS, MINER_HASHING, 0, 4 },
	};
	struct hall *hall = hall_open(acts, COUNT(acts));
	(void)state;
	hall_look(hall, 40, 100, 20000);
	assert_int_equal(hall->found.n, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++) {
		const struct found_miner *miner = &hall->found.miners[i];
		assert_string_equal(miner->host, hall->hosts[i]);
		assert_int_equal(miner->fault, wanted[i].fault);
		assert_int_equal(miner->is.firmware, wanted[i].firmware);
		assert_int_equal(miner->is.state, wanted[i].state);
		assert_int_equal(miner->is.power_w, wanted[i].power_w);
		assert_int_equal(hall->miners[i].connections, wanted[i].connections);
	}
	assert_int_equal(hall->scan.n_ended, 40);
	assert_string_equal(hall->found.miners[0].is.mac, "00:11:22:33:44:55");
	assert_int_equal(hall->found.miners[0].is.awake_w, 3400);
	assert_int_equal(hall->found.miners[0].is.n_profiles, 2);
	assert_string_equal(hall->found.miners[3].is.model, "M60S");
	assert_string_equal(hall->found.miners[6].is.model, "Antminer S19 XP");
	assert_true(hall_close(hall));
}

static void only_so_many_are_asked_at_once(void **state)
{
	static const struct act acts[][8] = { { { JOINED, NULL, SILENT } }, { { JOINED, NULL, SILENT } }, { { JOINED, NULL, SILENT } } };
	struct hall *hall = hall_open(acts, COUNT(acts));
	(void)state;
	hall_look(hall, 64, 2, 100);
	assert_int_equal(hall->scan.most_under_way, 2);
	assert_int_equal(hall->scan.n_ended, 64);
	assert_int_equal(hall->found.n, 0);             /* who does not answer is not found */
	for (size_t i = 0; i < COUNT(acts); i++)
		assert_int_equal(hall->miners[i].connections, 1);
	assert_true(hall_close(hall));
}

static void nobody_there_is_no_error(void **state)
{
	struct hall *hall = hall_open(NULL, 0);
	(void)state;
	hall->miners[0].port = 9;               /* nothing listens there */
	hall_look(hall, 64, 64, 1000);
	assert_int_equal(hall->found.n, 0);
	assert_true(hall_close(hall));
}

static void broken_off_it_keeps_what_it_has(void **state)
{
	static const struct act acts[][8] = {
		{ { JOINED, NULL, SILENT } }, { { JOINED, LUXOS_TELLS("24", "0", "Sleep", "false"), SAY_AND_STAY } },
	};
	struct hall *hall = hall_open(acts, COUNT(acts));
	(void)state;
	hall->stop_at = 1;
	hall_look(hall, 2, 100, 60000);         /* the first would hold it for a minute */
	assert_int_equal(hall->found.n, 1);
	assert_int_equal(hall->scan.n_ended, 1);
	assert_true(hall_close(hall));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_what_they_say), cmocka_unit_test(wrong_ranges_say_what_would_be_right),
		cmocka_unit_test(an_address_named_twice_is_asked_once), cmocka_unit_test(the_rate_holds_whatever_the_ticks_do),
		cmocka_unit_test(a_hall_is_looked_through_by_reads_alone), cmocka_unit_test(only_so_many_are_asked_at_once),
		cmocka_unit_test(nobody_there_is_no_error), cmocka_unit_test(broken_off_it_keeps_what_it_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
