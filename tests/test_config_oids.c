/* PDUs by SNMP in the site file: what is told arrives, what is wrong is refused at its place, secrets stay secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/wire.h"
#include "drivers/snmp_link.h"

static const char *const catalogue[] = { "config", NULL };
static char dir[] = "/tmp/test_oids_XXXXXX";

static const char head[] =
	"site: {name: t, cap: 2 MW}\n"
	"meters:\n"
	"  main: {measures: site, driver: modbus, host: 127.0.0.1, registers: janitza-umg96}\n";

static void write_file(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static struct wired *read_site(const char *rest, char *faults_text, size_t size)
{
	char path[128], text[4096];
	struct fault_list faults;
	snprintf(text, sizeof text, "%s%s", head, rest);
	write_file("site.yaml", text);
	snprintf(path, sizeof path, "%s/site.yaml", dir);
	fault_list_init(&faults, "site.yaml");
	struct config *config = config_read(path, catalogue, &faults);
	struct wired *wired = config ? wire(config, &faults) : NULL;
	faults_text[0] = '\0';
	for (size_t i = 0, used = 0; i < faults.n && used < size; i++) {
		used += fault_format(&faults, i, faults_text + used, size - used);
		used += (size_t)snprintf(faults_text + used, used < size ? size - used : 0, "\n");
	}
	fault_list_free(&faults);
	return wired;
}

static void refused(const char *meter, const char *fault)
{
	char line[1024], faults[4096];
	snprintf(line, sizeof line, "  p: {measures: hpc, host: h, nameplate: 1 kW, %s}\n", meter);
	assert_null(read_site(line, faults, sizeof faults));
	if (!strstr(faults, fault))
		fail_msg("not \"%s\" but:\n%s", fault, faults);
}

static void what_is_told_arrives(void **state)
{
	(void)state;
	char faults[2048];
	write_file("word", "sesame\n");
	write_file("auth", "correct horse\n");
	write_file("hidden", "battery staple\n");
	struct wired *wired = read_site(
		"  a: {measures: hpc, driver: snmp, host: 'a-[1-2]', nameplate: 1 kW, oids: raritan-pdu2, snmp: {version: 2c, community_file: word}}\n"
		"  b: {measures: hpc, driver: snmp, host: b-1, port: 1161, nameplate: 1 kW, snmp: {version: 3, user: u, auth: sha-256, auth_file: auth,\n"
		"      privacy: aes, privacy_file: hidden, retries: 3}, oids: {power: {oid: .1.3.6.1.4.1.7, unit: kW, scale: 0.01, digits: 1.3.6.1.4.1.8,\n"
		"      status: 1.3.6.1.4.1.9, good: [0, 14, 63], absent: negative, sum: true}, energy: {oid: 1.3.6.2, unit: kWh}}}\n",
		faults, sizeof faults);
	assert_string_equal(faults, "");
	assert_non_null(wired);
	const struct meter_conf *a = &wired->site.meters[1].conf, *b = &wired->site.meters[3].conf;
	assert_string_equal(wired->site.meters[2].driver->name, "snmp");
	assert_int_equal(a->port, 161);
	assert_false(a->access->v3);
	assert_string_equal(a->access->community, "sesame");
	assert_int_equal(a->access->retries, 1);
	assert_int_equal(a->oids->power.value.n, 16);
	assert_int_equal(a->oids->power.good, 2);
	assert_false(a->oids->power.sum);
	assert_int_equal(a->oids->frequency.value.arcs[15], 23);
	assert_int_equal(b->port, 1161);
	assert_true(b->access->v3);
	assert_string_equal(b->access->auth_secret, "correct horse");
	assert_string_equal(b->access->privacy_secret, "battery staple");
	assert_int_equal(b->access->retries, 3);
	assert_int_equal(b->oids->power.good, 1 | 1 << 14 | UINT64_C(1) << 63);
	assert_true(b->oids->power.scale == 10 && b->oids->energy.scale == 1000);
	assert_true(b->oids->power.sum && b->oids->power.negative_absent && !b->oids->energy.negative_absent);
	assert_int_equal(b->oids->frequency.value.n, 0);
	wired_free(wired);
}

static void credentials_stand_before_files(void **state)
{
	(void)state;
	char faults[2048], creds[128];
	snprintf(creds, sizeof creds, "%s/creds", dir);
	mkdir(creds, 0700);
	write_file("word", "sesame\n");
	write_file("creds/word", "open\n");
	setenv("CREDENTIALS_DIRECTORY", creds, 1);
	struct wired *wired = read_site("  a: {measures: hpc, driver: snmp, host: a, nameplate: 1 kW, oids: eaton-epdu, snmp: {version: 2c, community_file: word}}\n",
	                                faults, sizeof faults);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_non_null(wired);
	assert_string_equal(wired->site.meters[1].conf.access->community, "open");
	wired_free(wired);
}

static void each_mistake_is_told_at_its_place(void **state)
{
	(void)state;
#define SNMP_OK "snmp: {version: 2c, community: c}"
	refused("driver: snmp, " SNMP_OK, "site.yaml:4:3: meters.p.oids: missing; it is needed with driver: snmp");
	refused("driver: snmp, oids: apc-rpdu2", "site.yaml:4:3: meters.p.snmp: missing; it is needed with driver: snmp");
	refused("driver: snmp, oids: apc-rpdu2, registers: janitza-umg96, " SNMP_OK, "meters.p.registers: driver: snmp does not read it");
	refused("driver: modbus, registers: janitza-umg96, oids: apc-rpdu2", "meters.p.oids: driver: modbus does not read it; leave it out");
	refused("driver: modbus, registers: janitza-umg96, " SNMP_OK, "meters.p.snmp: driver: modbus does not read it; leave it out");
	refused("driver: snmp, " SNMP_OK ", oids: apc-rpdu", "site.yaml:4:103: meters.p.oids: no map of OIDs apc-rpdu in the catalogue; is apc-rpdu2 meant?");
	refused("driver: snmp, " SNMP_OK ", oids: {energy: {oid: 1.3.6, unit: Wh}}", "meters.p.oids.power: missing");
	refused("driver: snmp, " SNMP_OK ", oids: {power: {oid: 1.3.6.x, unit: W}}", "meters.p.oids.power.oid: 1.3.6.x is no OID; numbers with dots");
	refused("driver: snmp, " SNMP_OK ", oids: {power: {oid: 1.3..6, unit: W}}", "meters.p.oids.power.oid: 1.3..6 is no OID; numbers with dots");
	refused("driver: snmp, " SNMP_OK ", oids: {power: {oid: 1.3.4294967296, unit: W}}", "none of its numbers may be above 4294967295");
	refused("driver: snmp, " SNMP_OK ", oids: {power: {oid: 1.3.6.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1, unit: W}}", "at most 32 numbers will do");
	refused("driver: snmp, " SNMP_OK ", oids: {power: {oid: 9.3.6, unit: W}}", "meters.p.oids.power.oid: 9.3.6 is no OID of a device; those begin with 1.3.");
	refused("driver: snmp, " SNMP_OK ", oids: {power: {oid: 1.3.6, unit: Wh}}", "meters.p.oids.power.unit: Wh is none of them");
	refused("driver: snmp, " SNMP_OK ", oids: {power: {oid: 1.3.6, unit: W, status: 1.3.7}}", "meters.p.oids.power.good: missing; it is needed with status");
	refused("driver: snmp, " SNMP_OK ", oids: {power: {oid: 1.3.6, unit: W, good: [1]}}", "meters.p.oids.power.good: only with status");
	refused("driver: snmp, " SNMP_OK ", oids: {power: {oid: 1.3.6, unit: W, status: 1.3.7, good: [64]}}", "is no status; whole numbers from 0 to 63");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 1, community: c}", "meters.p.snmp.version: 1 is none of them; 2c or 3 will do");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 2c}", "meters.p.snmp.community: missing; it is needed with version: 2c");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 2c, community: c, community_file: f}", "one of the two will do");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 2c, community: c, user: u}", "meters.p.snmp.user: only with version: 3; leave it out");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 3, user: u, community: c}", "meters.p.snmp.community: only with version: 2c; leave it out");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 3}", "meters.p.snmp.user: missing; it is needed with version: 3");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 3, user: u, auth: sha}", "meters.p.snmp.auth_file: missing; it is needed with auth");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 3, user: u, privacy: aes, privacy_file: hidden}",
	        "meters.p.snmp.auth: missing; it is needed with privacy");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 3, user: u, auth: sha-2, auth_file: auth}",
	        "meters.p.snmp.auth: no such way; there are md5, sha, sha-224");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 3, user: u, auth: sha, auth_file: nowhere}",
	        "meters.p.snmp.auth_file: cannot be read: No such file");
	write_file("short", "seven77\n");
	write_file("empty", "\n");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 3, user: u, auth: sha, auth_file: short}", "shorter than the 8 characters");
	refused("driver: snmp, oids: apc-rpdu2, snmp: {version: 2c, community_file: empty}", "meters.p.snmp.community_file: cannot be read: No data");
}

static void a_device_belongs_in_one_place(void **state)
{
	(void)state;
	char faults[2048];
	assert_null(read_site(
		"  a: {measures: hpc, driver: snmp, host: a, nameplate: 1 kW, oids: eaton-epdu, " SNMP_OK "}\n"
		"  b: {measures: hpc, driver: snmp, host: a, nameplate: 1 kW, oids: eaton-epdu, " SNMP_OK "}\n", faults, sizeof faults));
	assert_non_null(strstr(faults, "site.yaml:5:42: meters.b.host: a, port 161, is a already; a device belongs in one place"));
	struct wired *wired = read_site(
		"  a: {measures: hpc, driver: snmp, host: a, nameplate: 1 kW, oids: {power: {oid: 1.3.6.1, unit: W}}, " SNMP_OK "}\n"
		"  b: {measures: hpc, driver: snmp, host: a, nameplate: 1 kW, oids: {power: {oid: 1.3.6.2, unit: W}}, " SNMP_OK "}\n",
		faults, sizeof faults);             /* two units that share a network port */
	assert_non_null(wired);
	wired_free(wired);
}

static void put_line(void *self, const char *line)
{
	char *text = self;
	strncat(text, line, 4000 - strlen(text));
	strncat(text, "\n", 4000 - strlen(text));
}

static void the_site_is_printed_without_its_secrets(void **state)
{
	(void)state;
	char faults[2048], text[4096] = "";
	write_file("auth", "correct horse\n");
	write_file("hidden", "battery staple\n");
	struct wired *wired = read_site(
		"  a: {measures: hpc, driver: snmp, host: 'a-[1-250]', nameplate: 1 kW, oids: apc-rpdu2, snmp: {version: 2c, community: sesame}}\n"
		"  b: {measures: hpc, driver: snmp, host: b, nameplate: 1 kW, oids: vertiv-geist, snmp: {version: 3, user: u, auth: sha-256,\n"
		"      auth_file: auth, privacy: aes, privacy_file: hidden}}\n", faults, sizeof faults);
	assert_non_null(wired);
	wired_print(wired, put_line, text);
	assert_non_null(strstr(text, "a: 250 x snmp apc-rpdu2, measure the GPU side"));
	assert_non_null(strstr(text, "SNMP 2c, UDP port 161"));
	assert_non_null(strstr(text, "SNMP 3, UDP port 161, as u, proved by sha-256, hidden by aes"));
	assert_null(strstr(text, "sesame"));
	assert_null(strstr(text, "horse"));
	wired_free(wired);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_arrives),
		cmocka_unit_test(credentials_stand_before_files),
		cmocka_unit_test(each_mistake_is_told_at_its_place),
		cmocka_unit_test(a_device_belongs_in_one_place),
		cmocka_unit_test(the_site_is_printed_without_its_secrets),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
