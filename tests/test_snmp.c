/* The SNMP driver against Debian's snmpd, which serves the OIDs of each make of the catalogue from a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <sys/resource.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "config/settings.h"
#include "daemon/wire_snmp.h"
#include "tests/meter_probe.h"
#include "tests/snmp_daemon.h"

enum { UP_MS = 20000, TIMEOUT_MS = 3000 };

static const struct snmp_access v2c = { .community = "secret-word", .retries = 2 };
static const struct snmp_access reader = {
	.v3 = true, .user = "reader", .auth = "sha-256", .auth_secret = "correct horse", .privacy = "aes",
	.privacy_secret = "battery staple", .retries = 2,
};

static struct snmp_daemon agent;
static uv_loop_t loop;
static struct meter_room *room;
static struct probe probe;

static int start_agent(void **state)
{
	(void)state;
	if (!snmp_daemon_there()) {
		printf("skipped: the SNMP driver against snmpd, which is not installed\n");
		return 0;
	}
	snmp_daemon_start(&agent);
	return 0;
}

static int stop_agent(void **state)
{
	(void)state;
	if (agent.pid)
		snmp_daemon_stop(&agent);
	return 0;
}

/* ---- maps ---- */

static struct snmp_oid oid_of(const char *text)
{
	struct snmp_oid read;
	assert_true(snmp_oid_parse(text, &read));
	return read;
}

static struct snmp_map catalogued(const char *name)
{
	char file[128];
	struct fault_list faults;
	struct arena *memory = arena_new();
	struct catalogue_entry entry = { 0 };
	struct wired_snmp wired = { 0 };
	snprintf(file, sizeof file, "config/oids/%s.yaml", name);
	fault_list_init(&faults, file);
	assert_true(catalogue_read(memory, &oid_catalogue_file, file, name, &faults, &entry));
	struct meter_group_conf group = { .name = "pdu", .oids = entry.oids };
	wire_snmp(&wired, &group, &faults);
	assert_int_equal(faults.n, 0);
	fault_list_free(&faults);
	arena_free(memory);
	return wired.map;
}

/* ---- asking ---- */

static void open_probe(const char *host, uint32_t timeout_ms, const struct snmp_map *map, const struct snmp_access *access)
{
	uv_loop_init(&loop);
	room = meter_room_open(&loop);
	struct meter_conf conf = { .host = host, .port = agent.port, .timeout_ms = timeout_ms, .oids = map, .access = access,
	                           .most_w = 50000 };
	probe_open(&probe, room, "snmp", &conf);
}

static void close_probe(void)
{
	assert_int_equal(probes_end(&probe, 1, room, &loop), 0);
}

/* snmpd takes a moment to start: until it answers silence is no finding. */
static enum fault ask_once_up(void)
{
	uint64_t until = uv_hrtime() + UP_MS * UINT64_C(1000000);
	while (probe_ask(&probe, &loop) == FAULT_SILENT && uv_hrtime() < until)
		;
	return probe.last.fault;
}

static enum fault ask(const struct snmp_map *map, const struct snmp_access *access)
{
	open_probe("127.0.0.1", TIMEOUT_MS, map, access);
	enum fault fault = ask_once_up();
	close_probe();
	return fault;
}

static void tell(const char *data)
{
	snmp_daemon_write(&agent, "data", data, 0600);
}

#define NEED_AGENT(state) do { (void)(state); if (!agent.pid) skip(); } while (0)

/* ---- the makes ---- */

#define RARITAN "1.3.6.1.4.1.13742.6."
static const struct make {
	const char *name, *data;
	int64_t w, wh;          /* wh -1: not known */
	int32_t mhz;            /* 0: not known */
} makes[] = {
	{ "apc-rpdu2", "1.3.6.1.4.1.318.1.1.26.4.3.1.5.1 integer 731\n1.3.6.1.4.1.318.1.1.26.4.3.1.9.1 gauge 123456\n",
	  7310, 12345600, 0 },
	{ "raritan-pdu2",
	  RARITAN "3.3.4.1.7.1.1.5 gauge 1\n" RARITAN "3.3.4.1.7.1.1.8 gauge 0\n" RARITAN "3.3.4.1.7.1.1.23 gauge 2\n"
	  RARITAN "5.2.3.1.2.1.1.5 integer 1\n" RARITAN "5.2.3.1.2.1.1.8 integer 1\n" RARITAN "5.2.3.1.2.1.1.23 integer 1\n"
	  RARITAN "5.2.3.1.4.1.1.5 gauge 73106\n" RARITAN "5.2.3.1.4.1.1.8 gauge 4000000000\n" RARITAN "5.2.3.1.4.1.1.23 gauge 5998\n",
	  7311, 4000000000, 59980 },
	{ "servertech-sentry4",
	  "1.3.6.1.4.1.1718.4.1.3.3.1.3.1.1 integer 7312\n1.3.6.1.4.1.1718.4.1.3.3.1.4.1.1 integer 0\n"
	  "1.3.6.1.4.1.1718.4.1.3.3.1.10.1.1 integer 55\n1.3.6.1.4.1.1718.4.1.3.3.1.11.1.1 integer 601\n",
	  7312, 5500, 60100 },
	{ "vertiv-geist", /* phases and outlets tell the same watts again */
	  "1.3.6.1.4.1.21239.5.2.3.1.1.9.1 gauge 7313\n1.3.6.1.4.1.21239.5.2.3.1.1.12.1 gauge 99\n"
	  "1.3.6.1.4.1.21239.5.2.3.2.1.12.1 gauge 2437\n1.3.6.1.4.1.21239.5.2.3.2.1.12.2 gauge 2438\n"
	  "1.3.6.1.4.1.21239.5.2.3.6.1.12.1 gauge 7313\n",
	  7313, 99, 0 },
	{ "eaton-epdu", "1.3.6.1.4.1.534.6.6.7.3.1.1.3.0.1 integer 499\n1.3.6.1.4.1.534.6.6.7.3.5.1.4.0.1 integer 7314\n",
	  7314, -1, 49900 },
	{ "eaton-epdu-sum", "1.3.6.1.4.1.534.6.6.7.3.1.1.3.0.1 integer -1\n1.3.6.1.4.1.534.6.6.7.3.4.1.4.0.1.4 integer 7315\n",
	  7315, -1, 0 },
};
#define N_MAKES (sizeof makes / sizeof *makes)

static void each_make_is_read_as_its_mib_says(void **state)
{
	NEED_AGENT(state);
	for (size_t i = 0; i < N_MAKES; i++) {
		const struct make *make = &makes[i];
		struct snmp_map map = catalogued(make->name);
		tell(make->data);
		int64_t before_ms = (int64_t)(uv_hrtime() / 1000000);
		assert_int_equal(ask(&map, &v2c), FAULT_NONE);
		assert_in_range(probe.last.at_ms, before_ms, uv_hrtime() / 1000000);
		assert_int_equal(probe.last.import_w, make->w);
		assert_int_equal(probe.last.knows_energy, make->wh >= 0);
		assert_int_equal(probe.last.import_wh, make->wh >= 0 ? make->wh : 0);
		assert_int_equal(probe.last.knows_frequency, make->mhz > 0);
		assert_int_equal(probe.last.frequency_mhz, make->mhz);
	}
}

static void every_file_of_the_catalogue_is_tried(void **state)
{
	(void)state;
	size_t n = 0;
	DIR *dir = opendir("config/oids");
	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir)); )
		n += strstr(entry->d_name, ".yaml") != NULL;
	closedir(dir);
	assert_int_equal(n, N_MAKES);
}

/* What a device does not tell is never taken for 0 W. */
static void what_is_absent_is_no_zero(void **state)
{
	NEED_AGENT(state);
	static const struct { const char *make, *data; } absent[] = {
		{ "apc-rpdu2", "" },
		{ "apc-rpdu2", "1.3.6.1.4.1.318.1.1.26.4.3.1.5.1 integer -1\n" },
		{ "apc-rpdu2", "1.3.6.1.4.1.318.1.1.26.4.3.1.5.1 string 7 kW\n" },
		{ "apc-rpdu2", "1.3.6.1.4.1.318.1.1.26.4.3.1.5.2 integer 500\n" },
		{ "eaton-epdu", "1.3.6.1.4.1.534.6.6.7.3.5.1.4.0.1 integer -1\n" },
		{ "servertech-sentry4", "1.3.6.1.4.1.1718.4.1.3.3.1.3.1.1 integer 7312\n" },
		{ "servertech-sentry4", "1.3.6.1.4.1.1718.4.1.3.3.1.3.1.1 integer 7312\n1.3.6.1.4.1.1718.4.1.3.3.1.4.1.1 integer 5\n" },
		{ "raritan-pdu2", RARITAN "5.2.3.1.2.1.1.5 integer 1\n" RARITAN "5.2.3.1.4.1.1.5 gauge 73106\n" },
		{ "raritan-pdu2", RARITAN "3.3.4.1.7.1.1.5 gauge 1\n" RARITAN "5.2.3.1.2.1.1.5 integer 2\n" RARITAN "5.2.3.1.4.1.1.5 gauge 73106\n" },
	};
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
		struct snmp_map map = catalogued(absent[i].make);
		tell(absent[i].data);
		assert_int_equal(ask(&map, &v2c), FAULT_ABSURD);
	}
}

static void more_than_can_be_is_absurd(void **state)
{
	NEED_AGENT(state);
	struct snmp_map map = catalogued("apc-rpdu2");
	tell("1.3.6.1.4.1.318.1.1.26.4.3.1.5.1 integer 5000\n");
	assert_int_equal(ask(&map, &v2c), FAULT_NONE);
	assert_int_equal(probe.last.import_w, 50000);
	tell("1.3.6.1.4.1.318.1.1.26.4.3.1.5.1 integer 5001\n");
	assert_int_equal(ask(&map, &v2c), FAULT_ABSURD);
}

/* ---- sums ---- */

static void put_rows(char *data, size_t size, unsigned n, unsigned hole)
{
	size_t used = 0;
	for (unsigned column = 1; column <= 2; column++)
		for (unsigned i = 1; i <= n; i++)
			used += (size_t)snprintf(data + used, size - used, "1.3.6.1.4.1.99999.1.%u.%u gauge %u\n", column, i,
			                         column == 1 ? 100 + i : i == hole ? 7u : 0u);
	snprintf(data + used, size - used, "1.3.6.1.4.1.99999.1.3.1 gauge 4711\n1.3.6.1.4.1.99999.9.0 gauge 600\n");
}

static void the_rows_of_a_column_are_added_up(void **state)
{
	NEED_AGENT(state);
	struct snmp_map map = {
		.power = { .value = oid_of("1.3.6.1.4.1.99999.1.1"), .status = oid_of("1.3.6.1.4.1.99999.1.2"), .good = 1, .sum = true, .scale = 1 },
		.energy = { .value = oid_of("1.3.6.1.4.1.99999.1.1"), .sum = true, .scale = 1000 },
		.frequency = { .value = oid_of("1.3.6.1.4.1.99999.9.0"), .scale = 0.1 },
	};
	char data[8192];
	put_rows(data, sizeof data, 54, 0);
	tell(data);
	assert_int_equal(ask(&map, &v2c), FAULT_NONE);
	assert_int_equal(probe.last.import_w, 54 * 100 + 54 * 55 / 2);
	assert_int_equal(probe.last.import_wh, 1000 * (54 * 100 + 54 * 55 / 2));
	assert_int_equal(probe.last.frequency_mhz, 60000);
	put_rows(data, sizeof data, 54, 33);            /* one outlet does not know: then neither do we */
	tell(data);
	assert_int_equal(ask(&map, &v2c), FAULT_ABSURD);
	tell("1.3.6.1.4.1.99999.1.3.1 gauge 4711\n");
	assert_int_equal(ask(&map, &v2c), FAULT_ABSURD);
	tell("1.3.6.1.4.1.99999.1.1.1 gauge 4711\n1.3.6.1.4.1.99999.1.2.1 gauge 0\n");   /* the end of all there is */
	assert_int_equal(ask(&map, &v2c), FAULT_NONE);
	assert_int_equal(probe.last.import_w, 4711);
}

/* ---- who may read ---- */

static void each_level_of_v3_reads(void **state)
{
	NEED_AGENT(state);
	static const struct snmp_access levels[] = {
		{ .v3 = true, .user = "nobody", .retries = 2 },
		{ .v3 = true, .user = "signer", .auth = "sha", .auth_secret = "correct horse", .retries = 2 },
		{ .v3 = true, .user = "reader", .auth = "sha-256", .auth_secret = "correct horse", .privacy = "aes",
		  .privacy_secret = "battery staple", .retries = 2 },
		{ .v3 = true, .user = "modern", .auth = "sha-512", .auth_secret = "correct horse", .privacy = "aes-256",
		  .privacy_secret = "battery staple", .retries = 2 },
	};
	struct snmp_map map = catalogued("apc-rpdu2");
	tell(makes[0].data);
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		assert_int_equal(ask(&map, &levels[i]), FAULT_NONE);
		assert_int_equal(probe.last.import_w, makes[0].w);
	}
}

static void who_may_not_read_is_told_so(void **state)
{
	NEED_AGENT(state);
	static const struct snmp_access wrong[] = {
		{ .v3 = true, .user = "stranger", .retries = 1 },
		{ .v3 = true, .user = "reader", .auth = "sha-256", .auth_secret = "incorrect horse", .privacy = "aes",
		  .privacy_secret = "battery staple", .retries = 1 },
		{ .v3 = true, .user = "reader", .auth = "sha", .auth_secret = "correct horse", .privacy = "aes",
		  .privacy_secret = "battery staple", .retries = 1 },
		{ .v3 = true, .user = "signer", .auth = "sha", .auth_secret = "correct horse", .privacy = "aes",
		  .privacy_secret = "battery staple", .retries = 1 },
	};
	struct snmp_map map = catalogued("apc-rpdu2");
	tell(makes[0].data);
	assert_int_equal(ask(&map, &v2c), FAULT_NONE);          /* it is up */
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(ask(&map, &wrong[i]), FAULT_REFUSED);
		assert_int_equal(ask(&map, &reader), FAULT_NONE);       /* and the right one is none the worse */
	}
}

/* v2c has no word for no. */
static void a_wrong_community_is_met_with_silence(void **state)
{
	NEED_AGENT(state);
	static const struct snmp_access wrong = { .community = "public", .retries = 1 };
	struct snmp_map map = catalogued("apc-rpdu2");
	struct meter_conf conf = { .host = "127.0.0.1", .port = agent.port, .timeout_ms = 400, .oids = &map, .access = &wrong };
	tell(makes[0].data);
	assert_int_equal(ask(&map, &v2c), FAULT_NONE);          /* it is up */
	uv_loop_init(&loop);
	room = meter_room_open(&loop);
	probe_open(&probe, room, "snmp", &conf);
	assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
	assert_true(probe.worst_ns >= 399 * UINT64_C(1000000));
	close_probe();
}

/* ---- life ---- */

static void an_agent_that_restarts_is_read_on(void **state)
{
	NEED_AGENT(state);
	struct snmp_map map = catalogued("apc-rpdu2");
	tell(makes[0].data);
	open_probe("127.0.0.1", 500, &map, &reader);
	assert_int_equal(ask_once_up(), FAULT_NONE);
	snmp_daemon_kill(&agent);               /* the same engine, booted once more: its clock is another */
	snmp_daemon_run(&agent);
	assert_int_equal(ask_once_up(), FAULT_NONE);
	snmp_daemon_kill(&agent);               /* another device at the same address */
	snmp_daemon_forget(&agent);
	snmp_daemon_run(&agent);
	if (ask_once_up() == FAULT_GARBLED)     /* that it is another came too late in a poll to ask it anew */
		ask_once_up();
	assert_int_equal(probe.last.fault, FAULT_NONE);
	assert_int_equal(probe.last.import_w, makes[0].w);
	close_probe();
}

/* Reset to its factory settings it is the same engine, but counts its boots from one again. */
static void an_agent_that_was_reset_is_read_on(void **state)
{
	NEED_AGENT(state);
	struct snmp_map map = catalogued("apc-rpdu2");
	tell(makes[0].data);
	open_probe("127.0.0.1", 500, &map, &reader);
	snmp_daemon_kill(&agent);
	snmp_daemon_boots(&agent, 7);
	snmp_daemon_run(&agent);
	assert_int_equal(ask_once_up(), FAULT_NONE);
	snmp_daemon_kill(&agent);
	snmp_daemon_boots(&agent, 0);
	snmp_daemon_run(&agent);
	if (ask_once_up() == FAULT_GARBLED)     /* found out too late in a poll to ask it anew */
		ask_once_up();
	assert_int_equal(probe.last.fault, FAULT_NONE);
	close_probe();
}

static void a_name_is_looked_up(void **state)
{
	NEED_AGENT(state);
	struct snmp_map map = catalogued("apc-rpdu2");
	tell(makes[0].data);
	open_probe("ip4-loopback.invalid", 500, &map, &v2c);
	assert_int_equal(probe_ask(&probe, &loop), FAULT_SILENT);
	close_probe();
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *first;
	assert_int_equal(getaddrinfo("localhost", NULL, &hints, &first), 0);
	bool v4 = first->ai_family == AF_INET;
	freeaddrinfo(first);
	if (!v4)
		return;                         /* the agent listens at 127.0.0.1 only */
	open_probe("localhost", TIMEOUT_MS, &map, &v2c);
	assert_int_equal(ask_once_up(), FAULT_NONE);
	close_probe();
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* select() and its fd_set end at 1,023. */
static void many_descriptors_are_no_hindrance(void **state)
{
	NEED_AGENT(state);
	enum { MANY = 1100 };
	static int taken[MANY];
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < MANY + 200)
		skip();
	limit.rlim_cur = MANY + 200;
	setrlimit(RLIMIT_NOFILE, &limit);
	struct snmp_map map = catalogued("apc-rpdu2");
	unsigned before = open_descriptors();
	tell(makes[0].data);
	for (unsigned i = 0; i < MANY; i++)
		assert_true((taken[i] = dup(0)) >= 0);
	assert_int_equal(ask(&map, &reader), FAULT_NONE);
	assert_int_equal(ask(&map, &v2c), FAULT_NONE);
	for (unsigned i = 0; i < MANY; i++)
		close(taken[i]);
	assert_int_equal(open_descriptors(), before);
}

static void it_reads_no_file_of_its_own(void **state)
{
	NEED_AGENT(state);
	oid name[MAX_OID_LEN];
	size_t len = MAX_OID_LEN;
	assert_false(read_objid("SNMPv2-MIB::sysDescr.0", name, &len));         /* no MIB is known */
	assert_string_equal(get_persistent_directory(), "/dev/null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_of_the_catalogue_is_tried),
		cmocka_unit_test(each_make_is_read_as_its_mib_says),
		cmocka_unit_test(what_is_absent_is_no_zero),
		cmocka_unit_test(more_than_can_be_is_absurd),
		cmocka_unit_test(the_rows_of_a_column_are_added_up),
		cmocka_unit_test(each_level_of_v3_reads),
		cmocka_unit_test(who_may_not_read_is_told_so),
		cmocka_unit_test(a_wrong_community_is_met_with_silence),
		cmocka_unit_test(an_agent_that_restarts_is_read_on),
		cmocka_unit_test(an_agent_that_was_reset_is_read_on),
		cmocka_unit_test(a_name_is_looked_up),
		cmocka_unit_test(many_descriptors_are_no_hindrance),
		cmocka_unit_test(it_reads_no_file_of_its_own),
	};
	return cmocka_run_group_tests(tests, start_agent, stop_agent);
}
