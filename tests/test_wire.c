/* The joint between config and drivers: what names nothing is refused at its place, what is told arrives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/wire.h"
#include "drivers/prometheus.h"

static const char *const catalogue[] = { "config", NULL };

static const char head[] =
	"site: {name: t, cap: 2 MW, prefer: hash, forecast: false}\n"
	"meters:\n"
	"  main: {measures: site, driver: modbus, host: 127.0.0.1, registers: janitza-umg96}\n";

static struct wired *read_site(const char *rest, char *faults_text, size_t size)
{
	char path[] = "/tmp/test_wire_XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	fprintf(file, "%s%s", head, rest);
	fclose(file);
	struct fault_list faults;
	fault_list_init(&faults, "site.yaml");
	struct config *config = config_read(path, catalogue, &faults);
	remove(path);
	struct wired *wired = config ? wire(config, &faults) : NULL;
	faults_text[0] = '\0';
	for (size_t i = 0, used = 0; i < faults.n && used < size; i++) {
		used += fault_format(&faults, i, faults_text + used, size - used);
		used += (size_t)snprintf(faults_text + used, used < size ? size - used : 0, "\n");
	}
	fault_list_free(&faults);
	return wired;
}

static void unknown_names_are_told_with_their_place(void **state)
{
	(void)state;
	char faults[2048];
	assert_null(read_site("  p: {measures: hpc, driver: modbsu, host: h, nameplate: 1 kW, registers: {power: {function: 3, "
	                 "address: 1, type: float33, unit: W}}}\n"
	                 "miners:\n"
	                 "  a: {driver: luxsos, host: m-1, nominal: 3 kW}\n"
	                 "  b: {driver: luxos, host: m-2, wake: gently}\n"
	                 "  c: {driver: cgminer, host: m-3}\n"
	                 "  d: {driver: cgminer, host: m-4, nominal: 3 kW, partial: 2 kW}\n", faults, sizeof(faults)));
	assert_non_null(strstr(faults, "site.yaml:4:30: meters.p.driver: no such driver \"modbsu\"; there are modbus, modbus-rtu"));
	assert_non_null(strstr(faults, "meters.p.registers.power.type: no such type \"float33\"; there are "));
	assert_non_null(strstr(faults, "site.yaml:6:15: miners.a.driver: no such driver \"luxsos\"; there are luxos, cgminer"));
	assert_non_null(strstr(faults, "miners.b.wake: luxos cannot wake \"gently\"; it knows default, safe, unsafe, fast"));
	assert_non_null(strstr(faults, "miners.c: cgminer does not tell what a miner draws; add nominal: 3.5 kW"));
	assert_non_null(strstr(faults, "site.yaml:9:59: miners.d.partial: cgminer knows only on and off, no power in between; leave "
	                       "the key out"));
}

static void a_serial_line_alone_has_a_speed(void **state)
{
	(void)state;
	char faults[1024];
	assert_null(read_site("  p: {measures: hpc, driver: modbus, host: h, nameplate: 1 kW, baud: 9600, registers: raritan-px3}\n",
	                 faults, sizeof(faults)));
	assert_non_null(strstr(faults, "meters.p: baud and parity belong to a serial line"));
}

static void a_page_is_for_its_driver_alone(void **state)
{
	(void)state;
	char faults[2048];
	assert_null(read_site("  p: {measures: hpc, driver: prometheus, host: h, nameplate: 1 kW}\n"
	                 "  q: {measures: hpc, driver: modbus, host: h, nameplate: 1 kW,\n"
	                 "      prometheus: {metric: m, unit: W, expect: 1}}\n"
	                 "  r: {measures: hpc, driver: prometheus, host: h, nameplate: 1 kW, registers: raritan-px3,\n"
	                 "      prometheus: {metric: m, unit: W, expect: 1}}\n", faults, sizeof(faults)));
	assert_non_null(strstr(faults, "site.yaml:4:3: meters.p.prometheus: missing; it is needed with driver: prometheus"));
	assert_non_null(strstr(faults, "site.yaml:5:3: meters.q.registers: missing; it is needed with driver: modbus"));
	assert_non_null(strstr(faults, "site.yaml:6:7: meters.q.prometheus: driver: modbus does not read it; leave it out"));
	assert_non_null(strstr(faults, "meters.r.registers: driver: prometheus does not read it; leave it out"));
}

static void append_line(void *self, const char *line)
{
	char *text = self;
	strcat(strncat(text, line, 4000 - strlen(text)), "\n");
}

static void a_page_arrives_and_is_printed(void **state)
{
	(void)state;
	char faults[1024], text[4096] = "";
	struct wired *wired = read_site(
		"  gpus: {measures: hpc, driver: prometheus, host: 'gpu-[1-2]', nameplate: 10 kW, every: 2 s, prometheus: {metric: POWER, "
		"labels: {Hostname: gpu, GPU_I_ID: \"\"}, unit: kW, scale: 0.5, expect: 8, path: /m, scheme: https, ca: /ca.pem, "
		"collected_every: 5 s, averaged_over: 100 ms}}\n", faults, sizeof(faults));
	assert_string_equal(faults, "");
	const struct meter_conf *conf = &wired->site.meters[2].conf;
	const struct prometheus_page *page = conf->page;
	assert_int_equal(conf->port, 9400);
	assert_string_equal(conf->host, "gpu-2");
	assert_string_equal(page->query.metric, "POWER");
	assert_int_equal(page->query.n_labels, 2);
	assert_string_equal(page->query.labels[0].name, "Hostname");
	assert_string_equal(page->query.labels[0].value, "gpu");
	assert_string_equal(page->query.labels[1].value, "");
	assert_true(page->query.scale == 500 && page->query.expect == 8 && page->https);
	assert_string_equal(page->path, "/m");
	assert_string_equal(page->ca, "/ca.pem");
	assert_true(page->collected_every_ms == 5000 && page->averaged_over_ms == 100);
	assert_int_equal(wired->site.policy.meter_groups[1].stale_ms, 3 * 2000 + 5000 + 100);
	wired_print(wired, append_line, text);
	assert_non_null(strstr(text, "prefers hash to a flat site"));
	assert_non_null(strstr(text, "not by what that foretells"));
	assert_non_null(strstr(text, "gpus: 2 x prometheus, measure the GPU side"));
	assert_non_null(strstr(text, "https://…:9400/m: sum of 8 x POWER{Hostname=\"gpu\", GPU_I_ID=\"\"}, 1 is 500 W"));
	assert_non_null(strstr(text, "what it shows is up to 5 s old, a mean over 100 ms"));
	wired_free(wired);
}

static void what_is_told_arrives(void **state)
{
	(void)state;
	char faults[1024];
	struct wired *wired = read_site(
		"  p: {measures: hpc, driver: modbus, host: 'pdu-[1-3]', nameplate: 17 kW, registers: raritan-px3}\n"
		"  q: {measures: hpc, driver: modbus, host: feed, backup_of: p, registers: eastron-sdm630}\n"
		"miners:\n"
		"  a: {driver: luxos, host: 'm-[1-4]', nominal: 3 kW, asleep: 30 W, priority: 7, efficiency: 20 J/TH, "
		"response: {wake_ramp: 90 s}}\n"
		"  b: {driver: cgminer, host: n, nominal: 2 kW}\n"
		"  c: {driver: cgminer, host: o, nominal: 2 kW, steer: true}\n"
		"  d: {driver: luxos, host: k, steer: false}\n", faults, sizeof(faults));
	assert_string_equal(faults, "");
	const struct policy_conf *policy = &wired->site.policy;
	assert_int_equal(policy->n_meters, 5);
	assert_int_equal(policy->n_miners, 7);
	assert_int_equal(policy->cap_w, 2000000);
	assert_true(policy->target_w == POLICY_NONE && policy->reserve_w == POLICY_NONE && policy->prefer == PREFER_HASH && policy->no_forecast);
	assert_int_equal(policy->meter_group[3], 1);
	assert_int_equal(policy->meter_group[4], 2);
	assert_int_equal(policy->meter_groups[2].backup_of, 1);
	assert_int_equal(policy->meter_groups[1].nameplate_w, 17000);
	assert_int_equal(policy->meter_groups[2].nameplate_w, 17000 * 3);
	assert_string_equal(wired->site.meters[2].name, "p/2");
	assert_string_equal(wired->site.meters[2].conf.host, "pdu-2");
	assert_int_equal(wired->site.meters[2].conf.map->power.address, 12306);
	assert_int_equal(wired->site.meters[0].conf.map->power.address, 19026);
	assert_int_equal(policy->miner_groups[0].priority, 7);
	assert_int_equal(policy->miner_groups[0].efficiency_mj_per_th, 20000);
	assert_int_equal(policy->miner_groups[0].wake.ramp_ms, 90000);
	assert_int_equal(policy->miner_groups[0].wake.delay_ms, miner_driver_named("luxos")->wake.delay_ms);
	assert_int_equal(policy->miner_groups[3].nominal_w, ASSUMED_NOMINAL_W);
	/* Where no watts are told, steering must be asked for. */
	assert_true(wired->site.miners[0].conf.steer);
	assert_false(wired->site.miners[4].conf.steer);
	assert_true(wired->site.miners[5].conf.steer);
	assert_false(wired->site.miners[6].conf.steer);
	for (size_t g = 0; g < 4; g++)
		assert_int_equal(policy->miner_groups[g].watched, g == 1 || g == 3);
	assert_int_equal(wired->signals.nominal_w, 4 * 3000 + 2000);
	assert_int_equal(wired->signals.wake_ms, policy->miner_groups[0].wake.delay_ms + 90000);
	wired_free(wired);
}

static void a_mean_arrives_and_is_printed(void **state)
{
	(void)state;
	char faults[1024], text[4096] = "";
	struct wired *wired = read_site("  spare: {measures: site, backup_of: main, driver: modbus, host: s, registers: raritan-px3, "
	                                "averaged_over: 3 s}\n", faults, sizeof(faults));
	assert_string_equal(faults, "");
	assert_int_equal(wired->site.meters[0].averaged_ms, 0);
	assert_int_equal(wired->site.meters[1].averaged_ms, 3000);
	wired_print(wired, append_line, text);
	assert_non_null(strstr(text, "stale after 3 s, each value a mean over 3 s"));
	wired_free(wired);
}

static void partial_power_arrives_and_is_printed(void **state)
{
	(void)state;
	char faults[1024], text[4096] = "";
	struct wired *wired = read_site(
		"miners:\n"
		"  a: {driver: luxos, host: a, nominal: 3.5 kW, partial: 2 kW}\n"
		"  b: {driver: luxos, host: b, nominal: 3 kW, partial: 1.2 kW, response: {power_delay: 9 s, power_ramp: 30 s}}\n"
		"  c: {driver: luxos, host: c, nominal: 3 kW}\n", faults, sizeof(faults));
	assert_string_equal(faults, "");
	const struct miner_driver *driver = miner_driver_named("luxos");
	const struct policy_miner_group *groups = wired->site.policy.miner_groups;
	assert_int_equal(groups[0].partial_w, 2000);
	assert_int_equal(groups[0].step_w, driver->step_w);
	assert_true(groups[0].power.delay_ms == driver->power.delay_ms && groups[0].power.ramp_ms == driver->power.ramp_ms);
	assert_int_equal(groups[1].partial_w, 1200);
	assert_true(groups[1].power.delay_ms == 9000 && groups[1].power.ramp_ms == 30000);
	assert_true(groups[2].partial_w == 0 && groups[2].step_w == 0);
	assert_true(!wired->site.told[0].power && wired->site.told[1].power);
	/* A limit may be met by less power: the slowest of that has to begin in time, too. */
	assert_int_equal(wired->signals.sleep_ms, 39000);
	wired_print(wired, append_line, text);
	assert_non_null(strstr(text, "      or at partial power, down to 2 kW in steps of about 200 W, there after 12 s\n"));
	assert_non_null(strstr(text, "      or at partial power, down to 1.2 kW in steps of about 200 W, there after 39 s\n"));
	assert_null(strstr(strstr(text, "c: 1 x luxos"), "partial"));
	wired_free(wired);
}

static void circuits_are_told_in_a_row_or_by_name(void **state)
{
	(void)state;
	static const uint16_t expected[] = { 0, 0, 0, 1, 1, 1, 2, 3, 3, 4, 4, 4, 3, 3, 5 };
	char faults[1024], text[4096] = "";
	struct wired *wired = read_site("miners:\n"
		"  a: {driver: luxos, host: 'a-[1-7]', per_circuit: 3}\n"
		"  b: {driver: luxos, host: 'b-[1-2]', feeder: MV-1}\n"
		"  c: {driver: luxos, host: 'c-[1-3]'}\n"                /* one for itself */
		"  d: {driver: luxos, host: 'd-[1-2]', feeder: MV-1}\n"
		"  e: {driver: luxos, host: e, feeder: mv-1}\n", faults, sizeof(faults));
	assert_string_equal(faults, "");
	assert_int_equal(wired->site.policy.n_circuits, 6);
	assert_int_equal(wired->site.policy.n_miners, 15);
	assert_memory_equal(wired->site.policy.circuit, expected, sizeof(expected));
	wired_print(wired, append_line, text);
	assert_non_null(strstr(text, "3 circuits of 3, the last of less"));
	assert_non_null(strstr(text, "on the feeder MV-1"));
	wired_free(wired);
	wired = read_site("miners:\n  a: {driver: luxos, host: 'a-[1-7]'}\n", faults, sizeof(faults));
	assert_null(wired->site.policy.circuit);
	wired_free(wired);
}

static void circuits_have_an_end(void **state)
{
	(void)state;
	char faults[1024];
	assert_null(read_site("miners:\n"
		"  a: {driver: luxos, host: 'a-[1-65535]', per_circuit: 1}\n"
		"  b: {driver: luxos, host: 'b-[1-2]', per_circuit: 2}\n", faults, sizeof(faults)));
	assert_string_equal(faults, "site.yaml:6:52: miners.b.per_circuit: with it there are more than 65535 circuits; "
	                            "more miners on each will do\n");
	struct wired *wired = read_site("miners:\n  a: {driver: luxos, host: 'a-[1-65535]', per_circuit: 1}\n", faults, sizeof(faults));
	assert_int_equal(wired->site.policy.circuit[65534], 65534);
	wired_free(wired);
}

static void count_line(void *self, const char *line)
{
	char *text = self;
	strncat(text, line, 4000 - strlen(text));
	strncat(text, "\n", 4000 - strlen(text));
}

static void the_site_is_printed_as_understood(void **state)
{
	(void)state;
	char faults[1024], text[4096] = "";
	struct wired *wired = read_site("miners:\n  a: {driver: luxos, host: 'm-[1-4]', nominal: 3 kW}\n", faults, sizeof(faults));
	assert_non_null(wired);
	wired_print(wired, count_line, text);
	assert_non_null(strstr(text, "cap 2 MW, target auto"));
	assert_non_null(strstr(text, "main: 1 x modbus janitza-umg96, measures the site"));
	assert_non_null(strstr(text, "a: 4 x luxos, 3 kW each, 12 kW together, priority 50"));
	assert_non_null(strstr(text, "together: 4 miners, 12 kW"));
	assert_non_null(strstr(text, "mqtt: none"));
	wired_free(wired);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_names_are_told_with_their_place),
		cmocka_unit_test(a_serial_line_alone_has_a_speed),
		cmocka_unit_test(a_page_is_for_its_driver_alone),
		cmocka_unit_test(a_page_arrives_and_is_printed),
		cmocka_unit_test(what_is_told_arrives),
		cmocka_unit_test(a_mean_arrives_and_is_printed),
		cmocka_unit_test(partial_power_arrives_and_is_printed),
		cmocka_unit_test(circuits_are_told_in_a_row_or_by_name),
		cmocka_unit_test(circuits_have_an_end),
		cmocka_unit_test(the_site_is_printed_as_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
