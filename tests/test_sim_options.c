/* What builds a simulated site: its command line, scenarios, names and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "sim/options.h"

static void assert_has(const char *reply, const char *part)
{
	if (!strstr(reply, part))
		fail_msg("%s\nlacks %s", reply, part);
}

static int read_line(struct options *options, char *why, const char *first, const char *second)
{
	char program[] = "mulletsim";
	char *argv[] = { program, (char *)(uintptr_t)first, (char *)(uintptr_t)second, NULL };
	why[0] = '\0';
	return options_read(options, second ? 3 : 2, argv, why, 300);
}

static void command_line_is_checked(void **state)
{
	static const char *const wrong[][2] = {
		{ "--peak", "400" }, { "--peak", "-1 kW" }, { "--faults", "silent=5" }, { "--faults", "moody=5%" },
		{ "--faults", "silent" }, { "--pdu-faults", "each=2" }, { "--pdu-faults", "silent=x" }, { "--miners", "s9:4" },
		{ "--miners", "luxos-s21:4,luxos-s21:4" }, { "--port", "0" }, { "--port", "70000" }, { "--at", "30:job=1kW" },
		{ "--at", "30s:job=fast" }, { "--at", "30s:pdu=lying:1" }, { "--at", "30s:miner=dead:0" }, { "--at", "1s:x=1" },
		{ "--mqtt", "1883" }, { "--name", "Pecos" }, { "--nope", NULL }, { "stray", NULL }, { "--peak", NULL },
		{ "--seed", "-1" }, { "--meter-refresh", "0 ms" }, { "--pattern", "trace" }, { "--pdus", "0" },
		{ "--snmp-pdus", "61" }, { "--snmp-pdus", "-1" }, { "--snmp-port", "0" },
		{ "--svg", "x.svg" }, { "--bus", "x.txt" }, { "--at", "1s:pdu=silent:61" }, { "--at", "1s:miner=dead:301" },
	};
	(void)state;
	struct options options;
	char why[300];
	for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
		if (read_line(&options, why, wrong[w][0], wrong[w][1]) != 2)
			fail_msg("%s %s was taken", wrong[w][0], wrong[w][1] ? wrong[w][1] : "");
		assert_true(why[0]);
		options_free(&options);
	}
	assert_int_equal(read_line(&options, why, "--trace", "/nowhere/at/all"), 1);
	assert_int_equal(read_line(&options, why, "--trace", "/tmp"), 1);
	assert_string_equal(why, "/tmp: illegal operation on a directory");
	assert_int_equal(read_line(&options, why, "--scenario", "/tmp"), 1);
	assert_string_equal(why, "/tmp: Is a directory");
	assert_int_equal(read_line(&options, why, "--at", "1s:miner=dead:300"), 0);
	assert_int_equal(read_line(&options, why, "--at", "1s:pdu=silent:all"), 0);
	assert_int_equal(read_line(&options, why, "--at", "1min:job=-0.4MW/500ms"), 0);
	assert_int_equal(options.farm.truth.load.jobs[0].at_ms, 60000);
	assert_int_equal(options.farm.truth.load.jobs[0].delta_w, -400000);
	assert_int_equal(options.farm.truth.load.jobs[0].over_ms, 500);
	assert_int_equal(read_line(&options, why, "--no-partial", NULL), 0);
	assert_true(options.farm.whole);
	assert_int_equal(read_line(&options, why, "--at", "2s:miner=dead:5%"), 0);
	assert_int_equal(options.farm.events[0].permille, 50);
}

static void scenario_is_read(void **state)
{
	(void)state;
	struct farm_conf conf = { 0 };
	char why[300];
	char good[] = "# a day\n\n  30s:job=+400kW\n60s:pdu=silent:7\r\n90s:meter=frozen\n95s:meter=scaled*0.67\n99s:pdu=scaled:3\n";
	char bad[] = "30s:job=+400kW\nsoon:pdu=silent:7\n";
	assert_true(timeline_read(&conf, good, why, sizeof why));
	assert_int_equal(conf.truth.load.n_jobs, 1);
	assert_int_equal(conf.n_events, 4);
	assert_int_equal(conf.events[0].what, FARM_PDU_FAULT);
	assert_int_equal(conf.events[0].device, 6);
	assert_int_equal(conf.events[1].fault, MODBUS_FROZEN);
	assert_int_equal(conf.events[2].fault, MODBUS_SCALED);
	assert_int_equal(conf.events[2].factor_permille, 670);
	assert_int_equal(conf.events[3].factor_permille, 0);
	assert_int_equal(conf.events[3].device, 2);
	static const char *const wrong[] = { "1s:meter=frozen*2", "1s:meter=scaled*", "1s:meter=scaled*-1", "1s:pdu=scaled*2x:3",
	                                     "1s:miner=lying*2:3" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(timeline_add(&conf, wrong[i], why, sizeof why));
	assert_false(timeline_read(&conf, bad, why, sizeof why));
	assert_has(why, "line 2: ");
}

static void layout_names_and_addresses(void **state)
{
	(void)state;
	struct layout layout = { 0 };
	char host[16], name[64], list[64];
	assert_int_equal(layout_add(&layout, "a", 30, 300), 0);
	assert_int_equal(layout_add(&layout, "b", 31, 1), 0);
	assert_int_equal(layout_add(&layout, "c", 32, 307), 0);         /* a prime: no rectangle */
	assert_int_equal(layout.n_groups, 4);
	layout_hostlist(&layout.groups[0], list, sizeof list);
	assert_string_equal(list, "127.30.[0-1].[1-150]");
	layout_hostlist(&layout.groups[1], list, sizeof list);
	assert_string_equal(list, "127.31.0.1");
	layout_hostlist(&layout.groups[3], list, sizeof list);
	assert_string_equal(list, "127.32.1.[1-57]");
	layout_host(&layout, 150, host);
	layout_name(&layout, 150, name, sizeof name);
	assert_string_equal(host, "127.30.1.1");
	assert_string_equal(name, "a/151");
	layout_name(&layout, 300, name, sizeof name);
	assert_string_equal(name, "b");
	layout_host(&layout, 301 + 306, host);
	layout_name(&layout, 301 + 306, name, sizeof name);
	assert_string_equal(host, "127.32.1.57");
	assert_string_equal(name, "c-rest/57");
}

static void snmp_pdus_have_networks_of_their_own(void **state)
{
	(void)state;
	struct options options;
	struct layout pdus, miners;
	char why[300], host[16], name[64];
	assert_int_equal(read_line(&options, why, "--snmp-pdus", "60"), 0);
	assert_int_equal(farm_layout(&options.farm, &pdus, &miners), 0);
	assert_int_equal(pdus.n_groups, 2);
	assert_int_equal(read_line(&options, why, "--snmp-pdus", "25"), 0);
	assert_int_equal(farm_layout(&options.farm, &pdus, &miners), 0);
	assert_int_equal(pdus.n_groups, 3);
	assert_int_equal(pdus.n, 60);
	layout_host(&pdus, 34, host);
	assert_string_equal(host, "127.21.0.35");
	layout_host(&pdus, 35, host);
	layout_name(&pdus, 35, name, sizeof name);
	assert_string_equal(host, "127.22.0.1");
	assert_string_equal(name, "pdu-apc/1");
	layout_host(&pdus, 59, host);
	layout_name(&pdus, 59, name, sizeof name);
	assert_string_equal(host, "127.23.0.12");
	assert_string_equal(name, "pdu-raritan/12");
}

/* The daemon's own reader takes the printed site file, and sees the devices where the simulator puts them. */
static void site_file_is_one(void **state)
{
	static const char *const catalogue[] = { "config", NULL };
	(void)state;
	struct options options;
	char why[300], path[] = "/tmp/mullet-site-XXXXXX", host[16], name[64];
	struct text text = { 0 };
	struct fault_list faults;
	struct layout pdus, miners;
	assert_int_equal(read_line(&options, why, "--miners", "luxos-s21:307,cgminer-s19:40"), 0);
	options.farm.n_snmp_pdus = 25;
	farm_print_config(&options.farm, &text);
	int fd = mkstemp(path);
	assert_int_equal(write(fd, text.at, text.len), (ssize_t)text.len);
	close(fd);
	fault_list_init(&faults, path);
	struct config *config = config_read(path, catalogue, &faults);
	if (!config)
		fail_msg("%s", faults.items[0].text);
	farm_layout(&options.farm, &pdus, &miners);
	assert_int_equal(config->n_meters, 4);
	assert_string_equal(config->meters[0].hosts[0], FARM_SITE_HOST);
	assert_int_equal(config->meters[1].n_hosts, 35);
	assert_string_equal(config->meters[2].hosts[12], "127.22.0.13");
	assert_int_equal(config->meters[2].port, 1161);
	assert_string_equal(config->meters[2].oids.name, "apc-rpdu2");
	assert_string_equal(config->meters[3].oids.name, "raritan-pdu2");
	assert_string_equal(config->meters[3].names[11], "pdu-raritan/12");
	assert_int_equal(config->n_miners, 3);
	assert_int_equal(config->miners[0].partial_w, 1882);    /* the lowest profile that one can hold */
	assert_int_equal(config->miners[2].partial_w, 0);
	for (size_t g = 0, device = 0; g < config->n_miners; g++)
		for (size_t i = 0; i < config->miners[g].n_hosts; i++, device++) {
			layout_host(&miners, device, host);
			layout_name(&miners, device, name, sizeof name);
			assert_string_equal(config->miners[g].hosts[i], host);
			assert_string_equal(config->miners[g].names[i], name);
		}
	config_free(config);
	text.len = 0;
	options.farm.whole = true;
	farm_print_config(&options.farm, &text);
	assert_null(strstr(text.at, "partial:"));
	fault_list_free(&faults);
	text_free(&text);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_line_is_checked),
		cmocka_unit_test(scenario_is_read),
		cmocka_unit_test(layout_names_and_addresses),
		cmocka_unit_test(snmp_pdus_have_networks_of_their_own),
		cmocka_unit_test(site_file_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
