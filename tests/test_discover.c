/* Discovery: which addresses are asked, how fast, what each is, and the block that comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/hostlist.h"
#include "config/settings.h"
#include "daemon/ctl_found.h"
#include "daemon/ctl_range.h"
#include "daemon/ctl_scan.h"
#include "tests/miner_recording.h"
#include "tests/scripted_miner.h"

#define COUNT(array) (sizeof array / sizeof *array)

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

/* ---- what they are ---- */

struct told { enum identity_read read; const char *text; };

static struct miner_identity identity_of(const struct told *told, size_t n)
{
	struct miner_inquiry inquiry = { 0 };
	for (size_t i = 0; i < n; i++)
		assert_int_equal(identity_take(&inquiry, told[i].read, told[i].text), FAULT_NONE);
	return inquiry.is;
}

#define VERSION(facts) "{\"STATUS\":[{\"STATUS\":\"S\",\"Code\":22}],\"VERSION\":[{" facts "}],\"id\":1}"

static void firmwares_are_told_apart_by_their_version(void **state)
{
	static const struct { const char *text; enum firmware firmware; const char *version, *model; } cases[] = {
		{ VERSION("\"LUXminer\":\"2025.7\",\"Miner\":\"x\",\"Type\":\"Antminer S21\""), FIRMWARE_LUXOS, "2025.7", "Antminer S21" },
		{ VERSION("\"BOSer\":\"boser-openwrt 25.07\""), FIRMWARE_BRAIINS, "boser-openwrt 25.07", "" },
		{ VERSION("\"BOSminer+\":\"0.2.0-36c56a9363\",\"API\":\"3.7\""), FIRMWARE_BRAIINS, "0.2.0-36c56a9363", "" },
		{ VERSION("\"BMMiner\":\"1.0.0\",\"Miner\":\"49.0.1.3\",\"Type\":\"Antminer S19 Pro\""), FIRMWARE_ANTMINER, "49.0.1.3",
		  "Antminer S19 Pro" },
		{ VERSION("\"BMMiner\":\"2.0.0\",\"Type\":\"Antminer S19j Pro (Vnish 1.2.6)\""), FIRMWARE_VNISH, "",
		  "Antminer S19j Pro (Vnish 1.2.6)" },
		{ VERSION("\"GCMiner\":\"0.5\",\"API\":\"1.0\""), FIRMWARE_AURADINE, "0.5", "" },
		{ VERSION("\"CGMiner\":\"4.11.1\",\"PROD\":\"AvalonMiner 15-194\",\"LVERSION\":\"25\",\"MAC\":\"AA:BB:CC:DD:EE:FF\""),
		  FIRMWARE_AVALON, "25", "AvalonMiner 15-194" },
		{ VERSION("\"CGMiner\":\"4.11.1\",\"API\":\"3.7\""), FIRMWARE_CGMINER, "4.11.1", "" },
		{ VERSION("\"CGMiner\":\"\\u001b[2J\\n'a\\u00e9\",\"API\":\"3.7\""), FIRMWARE_CGMINER, "?[2J?'a??", "" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct told told = { ASK_VERSION, cases[i].text };
		struct miner_identity is = identity_of(&told, 1);
		assert_int_equal(is.firmware, cases[i].firmware);
		assert_string_equal(is.version, cases[i].version);
		assert_string_equal(is.model, cases[i].model);
	}
}

static void what_is_not_of_this_api_is_garbled(void **state)
{
	static const char *const texts[] = { "{}", "[]", "{\"a\":1}", "SSH-2.0-OpenSSH_9.2", "{\"STATUS\":", "" };
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct miner_inquiry inquiry = { 0 };
		assert_int_equal(identity_take(&inquiry, ASK_JOINED, texts[i]), FAULT_GARBLED);
	}
}

static void nonsense_figures_are_not_known(void **state)
{
	static const struct told told = { ASK_SUMMARY, "{\"STATUS\":\"S\",\"Msg\":{\"Elapsed\":5,\"Power\":1983386.5,\"HS RT\":1.0,"
	                                               "\"MHS av\":-3,\"MAC\":\"zz\",\"Power Limit\":3600}}" };
	struct miner_identity is = identity_of(&told, 1);
	(void)state;
	assert_int_equal(is.firmware, FIRMWARE_WHATSMINER);
	assert_true(!is.knows_power && !is.knows_rate && !is.mac[0] && is.state == MINER_UNKNOWN);
}

static void recorded_replies_are_recognized(void **state)
{
	static const struct {
		struct { enum identity_read read; const char *file; } told[5];
		enum firmware firmware;
		const char *version, *model, *mac, *serial;
		enum miner_state state;
		int32_t power_w, hashrate_ghs, awake_w;
	} cases[] = {
		{ { { ASK_VERSION, "luxos-2025.4-s19kpro/version.json" }, { ASK_CONFIG, "luxos-2025.4-s19kpro/config.json" },
		    { ASK_SUMMARY, "luxos-2025.4-s19kpro/summary.json" }, { ASK_POWER, "luxos-2025.4-s19kpro/power.json" },
		    { ASK_PROFILES, "luxos-2025.4-s19kpro/profiles.json" } },
		  FIRMWARE_LUXOS, "2025.4.8.220305-57b389c7", "Antminer S19k Pro", "62:f7:5e:b7:10:46", "JYZZB0UBDJABF06RB",
		  MINER_HASHING, 1051, 59756, 1188 },
		{ { { ASK_VERSION, "antminer-stock-s19pro/version.json" }, { ASK_SUMMARY, "antminer-stock-s19pro/summary.json" } },
		  FIRMWARE_ANTMINER, "49.0.1.3", "Antminer S19 Pro", "", "", MINER_HASHING, 0, 110567, 0 },
		{ { { ASK_VERSION, "antminer-mskminer-2.6.0.39/rpc_version.json" } },
		  FIRMWARE_ANTMINER, "0.0.1.3", "S19-88 v.2.6.0.39", "", "", MINER_UNKNOWN, 0, 0, 0 },
		{ { { ASK_SUMMARY, "whatsminer-m20s-2021.03/summary.json" }, { ASK_GET_VERSION, "whatsminer-m20s-2021.03/get_version.json" } },
		  FIRMWARE_WHATSMINER, "20210322.22.REL", "", "c4:08:28:00:a4:19", "", MINER_HASHING, 3427, 70668, 0 },
		{ { { ASK_GET_VERSION, "whatsminer-v2-testdata/get_version.json" }, { ASK_SUMMARY, "whatsminer-v2-testdata/summary.json" } },
		  FIRMWARE_WHATSMINER, "20230803.11.REL", "", "d4:01:02:03:04:05", "", MINER_HASHING, 3200, 125000, 0 },
		{ { { ASK_VERSION, "avalon-q/version.json" }, { ASK_SUMMARY, "avalon-q/summary.json" }, { ASK_STATS, "avalon-q/stats.json" } },
		  FIRMWARE_AVALON, "25052801_14a19a2", "Avalon Q", "aa:bb:cc:dd:ee:ff", "", MINER_ASLEEP, 146, 0, 0 },
		{ { { ASK_VERSION, "auradine-fluxos/version.json" }, { ASK_SUMMARY, "auradine-fluxos/summary.json" } },
		  FIRMWARE_AURADINE, "0.5", "", "", "", MINER_HASHING, 0, 20600, 0 },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct miner_inquiry inquiry = { 0 };
		bool all = true;
		for (size_t t = 0; t < 5 && cases[i].told[t].file; t++) {
			struct recording said = shared_recording(cases[i].told[t].file);
			all = all && said.text;
			if (said.text)
				assert_int_equal(identity_take(&inquiry, cases[i].told[t].read, said.text), FAULT_NONE);
			free(said.text);
		}
		if (!all)
			continue;
		assert_int_equal(inquiry.is.firmware, cases[i].firmware);
		assert_string_equal(inquiry.is.version, cases[i].version);
		assert_string_equal(inquiry.is.model, cases[i].model);
		assert_string_equal(inquiry.is.mac, cases[i].mac);
		assert_string_equal(inquiry.is.serial, cases[i].serial);
		assert_int_equal(inquiry.is.state, cases[i].state);
		assert_int_equal(inquiry.is.knows_power ? inquiry.is.power_w : 0, cases[i].power_w);
		assert_int_equal(inquiry.is.knows_rate ? inquiry.is.hashrate_ghs : 0, cases[i].hashrate_ghs);
		assert_int_equal(inquiry.is.awake_w, cases[i].awake_w);
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

/* ---- the block ---- */

static void add(struct found *found, struct arena *arena, const char *hosts, struct miner_identity is)
{
	const char **spelt, *why;
	size_t n = hostlist_expand(arena, hosts, 10000, &spelt, &why);
	for (size_t i = 0; i < n; i++)
		found_add(found, found->n, spelt[i], FAULT_NONE, &is);
}

static char *block_of(const struct found *found, uint16_t port)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	found_print_block(out, found, port);
	fclose(out);
	return text;
}

/* The block in a minimal file; returns how many miners the file then has, all faults told. */
static size_t miners_of_file(const char *block)
{
	static const char head[] = "site: {name: x, cap: 20 MW}\nmeters:\n  main:\n    measures: site\n    driver: modbus\n"
	                           "    host: 10.20.0.5\n    registers:\n      power: {function: 4, address: 52, type: float32, unit: W}\n";
	static const char *const catalogue[] = { NULL };
	struct fault_list faults;
	char *file = NULL, line[500];
	int len = asprintf(&file, "%s%s", head, block);
	fault_list_init(&faults, "site.yaml");
	struct config *config = config_read_text("site.yaml", file, (size_t)len, catalogue, &faults);
	for (size_t i = 0; i < faults.n; i++) {
		fault_format(&faults, i, line, sizeof line);
		fprintf(stderr, "%s\n", line);
	}
	assert_int_equal(fault_list_count(&faults), 0);
	size_t n = 0;
	for (size_t g = 0; g < config->n_miners; g++)
		n += config->miners[g].n_hosts;
	config_free(config);
	fault_list_free(&faults);
	free(file);
	return n;
}

#define LUXOS(watts, ghs) { .firmware = FIRMWARE_LUXOS, .version = "2025.7", .model = "Antminer S21", .state = MINER_HASHING, \
	.knows_power = true, .knows_rate = true, .power_w = watts, .hashrate_ghs = ghs, .awake_w = 3400, .can_curtail = true }

static void the_block_groups_by_driver_and_model(void **state)
{
	static const char wanted[] =
		"miners:\n"
		"  s19k-pro:    # 3: Antminer S19k Pro, LuxOS 2025.4\n"
		"    # 3 of them told no curtail command: those can only be watched\n"
		"    driver: luxos\n"
		"    host:\n"
		"      - 10.31.0.1\n"
		"      - miner-[1-2].example\n"
		"    port: 4029\n"
		"    nominal: 2794 W        # by the profile of 3; none was seen awake\n"
		"  s21:    # 2033: Antminer S21, LuxOS 2025.7\n"
		"    driver: luxos\n"
		"    host:\n"
		"      - 10.30.[0-7].[1-254]\n"
		"      - 10.30.9.9\n"
		"    port: 4029\n"
		"    nominal: 3500 W        # median of 2033 awake\n"
		"    efficiency: 17.5 J/TH\n"
		"  # This firmware tells no watts: fill in the nominal of one, then take the # away. It is only watched;\n"
		"  # with steer: true its boards are disabled and enabled, which may or may not cut its power.\n"
		"  # s21-cgminer:    # 2: Antminer S21, Antminer 49\n"
		"  #   driver: cgminer\n"
		"  #   host: 10.32.0.[1-2]\n"
		"  #   port: 4029\n"
		"  #   nominal:\n"
		"  #   steer: false\n"
		"  # No driver yet:\n"
		"  # m60s:    # 2: M60S, WhatsMiner 2024\n"
		"  #   host: 10.33.0.[1-2]\n";
	struct arena *arena = arena_new();
	struct found found = { 0 };
	(void)state;
	add(&found, arena, "10.33.0.[1-2]", (struct miner_identity){ .firmware = FIRMWARE_WHATSMINER, .version = "2024", .model = "M60S" });
	add(&found, arena, "10.30.[0-7].[1-254]", (struct miner_identity)LUXOS(3500, 200000));
	add(&found, arena, "10.32.0.[1-2]", (struct miner_identity){ .firmware = FIRMWARE_ANTMINER, .version = "49", .model = "Antminer S21" });
	add(&found, arena, "10.30.9.9", (struct miner_identity)LUXOS(9000, 514286));
	add(&found, arena, "10.31.0.1", (struct miner_identity){ .firmware = FIRMWARE_LUXOS, .version = "2025.4",
		.model = "Antminer S19k Pro", .state = MINER_ASLEEP, .knows_power = true, .power_w = 25, .awake_w = 2794 });
	add(&found, arena, "miner-[1-2].example", (struct miner_identity){ .firmware = FIRMWARE_LUXOS, .version = "2025.4",
		.model = "Antminer S19k Pro", .awake_w = 2794 });
	found_add(&found, found.n, "10.33.0.9", FAULT_REFUSED, &(struct miner_identity){ 0 });
	char *block = block_of(&found, 4029);
	assert_string_equal(block, wanted);
	assert_int_equal(miners_of_file(block), 2036);
	free(block);
	found_free(&found);
	arena_free(arena);
}

static void a_block_with_nothing_to_steer_is_a_comment(void **state)
{
	struct arena *arena = arena_new();
	struct found found = { 0 };
	(void)state;
	add(&found, arena, "10.33.0.[1-2]", (struct miner_identity){ .firmware = FIRMWARE_UNKNOWN, .model = "???" });
	char *block = block_of(&found, 4028);
	assert_string_equal(block, "# miners:\n  # No driver yet:\n  # miners:    # 2: ???, unknown \n  #   host: 10.33.0.[1-2]\n");
	assert_int_equal(miners_of_file(block), 0);
	free(block);
	found_free(&found);
	arena_free(arena);
}

static void a_strange_model_makes_a_name_and_no_mischief(void **state)
{
	static const char *const models[] = { "", "--", "S19-88 v.2.6.0.39 ", "a: b # c", "{[&*!|>'\"%@`", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct arena *arena = arena_new();
	struct found found = { 0 };
	(void)state;
	for (size_t i = 0; i < COUNT(models); i++) {
		struct miner_identity is = LUXOS(3500, 200000);
		snprintf(is.model, sizeof is.model, "%s", models[i]);
		found_add(&found, i, arena_format(arena, i % 2 ? "10.0.0.%zu" : "fe80::%zu", i), FAULT_NONE, &is);
	}
	char *block = block_of(&found, 4028);
	assert_int_equal(miners_of_file(block), COUNT(models));
	free(block);
	found_free(&found);
	arena_free(arena);
}

static void rows_say_null_for_what_is_not_told(void **state)
{
	static const char wanted[] = "[{\"host\":\"a\",\"fault\":null,\"firmware\":\"LuxOS\",\"version\":\"2025.7\",\"model\":\"Antminer S21\","
		"\"mac\":null,\"serial\":null,\"state\":\"hashing\",\"power_w\":3500,\"hashrate_ghs\":200000,\"awake_w\":3400,\"profiles\":0,"
		"\"driver\":\"luxos\",\"control\":\"sleep, wake, 0 profiles\"},{\"host\":\"b\",\"fault\":\"refused\",\"firmware\":null,"
		"\"version\":null,\"model\":null,\"mac\":null,\"serial\":null,\"state\":null,\"power_w\":null,\"hashrate_ghs\":null,"
		"\"awake_w\":null,\"profiles\":null,\"driver\":null,\"control\":\"none: it turns us away; does its api-allow name this address?\"}]";
	struct found found = { 0 };
	(void)state;
	found_add(&found, 1, "b", FAULT_REFUSED, &(struct miner_identity){ 0 });
	found_add(&found, 0, "a", FAULT_NONE, &(struct miner_identity)LUXOS(3500, 200000));
	found_sort(&found);
	cJSON *rows = found_rows(&found);
	char *text = cJSON_PrintUnformatted(rows);
	assert_string_equal(text, wanted);
	cJSON_free(text);
	cJSON_Delete(rows);
	found_free(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_what_they_say), cmocka_unit_test(wrong_ranges_say_what_would_be_right),
		cmocka_unit_test(an_address_named_twice_is_asked_once), cmocka_unit_test(the_rate_holds_whatever_the_ticks_do),
		cmocka_unit_test(firmwares_are_told_apart_by_their_version), cmocka_unit_test(what_is_not_of_this_api_is_garbled),
		cmocka_unit_test(nonsense_figures_are_not_known), cmocka_unit_test(recorded_replies_are_recognized),
		cmocka_unit_test(a_hall_is_looked_through_by_reads_alone), cmocka_unit_test(only_so_many_are_asked_at_once),
		cmocka_unit_test(nobody_there_is_no_error), cmocka_unit_test(broken_off_it_keeps_what_it_has),
		cmocka_unit_test(the_block_groups_by_driver_and_model), cmocka_unit_test(a_block_with_nothing_to_steer_is_a_comment),
		cmocka_unit_test(a_strange_model_makes_a_name_and_no_mischief), cmocka_unit_test(rows_say_null_for_what_is_not_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
