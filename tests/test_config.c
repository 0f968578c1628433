#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

#define WRONG "tests/config"

static const char *const catalogue[] = {"tests/no-such-directory", "config", NULL};

/* All faults, one a line, and what is only counted. */
static char *faults_text(struct arena *memory, const struct fault_list *faults)
{
	size_t size = 64, len = 0;
	for (size_t i = 0; i < faults->n; i++)
		size += fault_format(faults, i, NULL, 0) + 1;
	char *text = arena_take(memory, size);
	for (size_t i = 0; i < faults->n; i++) {
		len += fault_format(faults, i, text + len, size - len);
		text[len++] = '\n';
	}
	if (faults->dropped)
		snprintf(text + len, size - len, "and %zu more\n", faults->dropped);
	return text;
}

static void assert_faults(const char *bytes, size_t len, const char *want)
{
	struct arena *memory = arena_new();
	struct fault_list faults;
	fault_list_init(&faults, "site.yaml");
	assert_null(config_read_text("site.yaml", bytes, len, catalogue, &faults));
	assert_string_equal(faults_text(memory, &faults), want);
	fault_list_free(&faults);
	arena_free(memory);
}

static struct config *must_read(const char *text)
{
	struct arena *memory = arena_new();
	struct fault_list faults;
	fault_list_init(&faults, "/etc/mulletd/site.yaml");
	struct config *config = config_read_text("/etc/mulletd/site.yaml", text, strlen(text), catalogue, &faults);
	if (faults.n)
		fail_msg("%s", faults_text(memory, &faults));
	assert_non_null(config);
	fault_list_free(&faults);
	arena_free(memory);
	return config;
}

/* ---- wrong files ---- */
static void compare(const char *name)
{
	struct arena *memory = arena_new();
	struct fault_list faults;
	size_t len, want_len;
	char *bytes = file_read(memory, arena_format(memory, WRONG "/%s.yaml", name), &len);
	char *want = file_read(memory, arena_format(memory, WRONG "/%s.expected", name), &want_len);
	assert_non_null(bytes);
	if (!want)
		fail_msg("%s.yaml has no %s.expected", name, name);
	char *label = arena_format(memory, "%s.yaml", name);
	fault_list_init(&faults, label);
	assert_null(config_read_text(label, bytes, len, catalogue, &faults));
	char *got = faults_text(memory, &faults);
	if (strcmp(got, want) != 0)
		print_error("%s.yaml gives:\n%s", name, got);
	assert_string_equal(got, want);
	fault_list_free(&faults);
	arena_free(memory);
}

static void wrong_files_get_all_their_faults_listed(void **state)
{
	(void)state;
	DIR *dir = opendir(WRONG);
	assert_non_null(dir);
	int n = 0;
	for (struct dirent *entry; (entry = readdir(dir)); ) {
		char name[256];
		snprintf(name, sizeof name, "%s", entry->d_name);
		char *end = strstr(name, ".yaml");
		if (!end)
			continue;
		*end = '\0';
		compare(name);
		n++;
	}
	closedir(dir);
	assert_true(n >= 30);
}

static void a_file_that_is_not_there(void **state)
{
	struct arena *memory = arena_new();
	struct fault_list faults;
	(void)state;
	fault_list_init(&faults, "tests/config/none.yaml");
	assert_null(config_read("tests/config/none.yaml", catalogue, &faults));
	assert_string_equal(faults_text(memory, &faults),
	                    "tests/config/none.yaml: cannot be read: No such file or directory\n");
	fault_list_free(&faults);
	fault_list_init(&faults, "tests/config");
	assert_null(config_read("tests/config", catalogue, &faults));
	assert_string_equal(faults_text(memory, &faults), "tests/config: cannot be read: Is a directory\n");
	fault_list_free(&faults);
	arena_free(memory);
}

/* ---- hostile files, too large to keep ---- */
static void an_overlong_file(void **state)
{
	(void)state;
	char *text = malloc(CONFIG_MAX_BYTES + 1);
	assert_non_null(text);
	memset(text, '#', CONFIG_MAX_BYTES + 1);
	assert_faults(text, CONFIG_MAX_BYTES + 1, "site.yaml:1:1: longer than 1 MiB; nothing here needs that\n");
	assert_faults(text, CONFIG_MAX_BYTES, "site.yaml:1:1: the file is empty; keys and values belong in it\n");
	free(text);
}

static void brackets_without_end(void **state)
{
	(void)state;
	char *text = malloc(100000);
	assert_non_null(text);
	memset(text, '[', 100000);
	assert_faults(text, 100000, "site.yaml:1:17: 1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1: nested deeper than 16; "
	              "nothing here needs that\n");
	for (size_t i = 0; i < 100000; i += 2)
		memcpy(text + i, "- ", 2);
	assert_faults(text, 100000, "site.yaml:1:33: 1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1: nested deeper than 16; "
	              "nothing here needs that\n");
	free(text);
}

static void depth_of_sixteen_is_read(void **state)
{
	(void)state;
	assert_faults("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", 32, "site.yaml:1:1: is a list; keys and values belong here\n");
}

/* Doubled and unknown keys by the hundred thousand: counted, in no more than a moment. */
static void keys_by_the_hundred_thousand(void **state)
{
	(void)state;
	struct fault_list faults;
	char *text = malloc(CONFIG_MAX_BYTES);
	size_t len = 0, keys = 0;
	assert_non_null(text);
	for (; len + 16 < CONFIG_MAX_BYTES; keys++)
		len += (size_t)sprintf(text + len, "k%zx: 1\n", keys / 2);
	fault_list_init(&faults, "site.yaml");
	assert_null(config_read_text("site.yaml", text, len, catalogue, &faults));
	assert_true(keys > 100000);
	assert_int_equal(faults.n, CONFIG_MAX_FAULTS);
	assert_int_equal(faults.n + faults.dropped, keys + 2);          /* half are doubled; site, meters are missing */
	fault_list_free(&faults);
	free(text);
}

static void every_register_of_a_full_fault_list(void **state)
{
	(void)state;
	struct fault_list faults;
	char *text = malloc(CONFIG_MAX_BYTES);
	size_t len = (size_t)sprintf(text, "meters:\n");
	for (int i = 0; i < 600; i++)
		len += (size_t)sprintf(text + len, " m%d: {registers: {power: {}, energy: 1}, x: 1}\n", i);
	fault_list_init(&faults, "site.yaml");
	assert_null(config_read_text("site.yaml", text, len, catalogue, &faults));
	assert_int_equal(faults.n, CONFIG_MAX_FAULTS);
	/* each: driver, host, measures; function, address, type, unit of power; energy is no mapping; x */
	assert_int_equal(faults.n + faults.dropped, 600 * 9 + 1);
	fault_list_free(&faults);
	free(text);
}

static void too_many_groups(void **state)
{
	(void)state;
	char *text = malloc(100000);
	size_t len = (size_t)sprintf(text, "site: {name: a, cap: 2 MW}\nmeters:\n");
	for (int i = 0; i <= 1000; i++)
		len += (size_t)sprintf(text + len, " m%d: {}\n", i);
	assert_faults(text, len, "site.yaml:3:2: meters: 1001 groups; at most 1000 will do\n");
	free(text);
}

/* ---- right files ---- */
static void the_example_loads(void **state)
{
	(void)state;
	struct arena *memory = arena_new();
	struct fault_list faults;
	fault_list_init(&faults, "config/site.example.yaml");
	struct config *config = config_read("config/site.example.yaml", catalogue, &faults);
	if (!config)
		fail_msg("%s", faults_text(memory, &faults));
	assert_string_equal(config->site_name, "pecos-1");
	assert_int_equal(config->cap_w, 20000000);
	assert_int_equal(config->target_w, 19400000);
	assert_true(config->reserve_w == POLICY_NONE && config->prefer == PREFER_BALANCED && config->forecast);
	assert_int_equal(config->ramp_up_w_per_min, 2000000);
	assert_int_equal(config->ramp_down_w_per_min, 20000000);
	assert_int_equal(config->n_windows, 2);
	assert_int_equal(config->windows[0].within_ms, 15000);
	assert_int_equal(config->windows[0].change_w, 5000000);
	assert_int_equal(config->windows[1].within_ms, 5000);
	assert_int_equal(config->n_meters, 4);
	assert_int_equal(config->n_miners, 3);
	assert_int_equal(config->n_signals, 2);

	const struct meter_group_conf *main_meter = &config->meters[0], *spare = &config->meters[1], *pdu = &config->meters[2];
	assert_string_equal(main_meter->names[0], "main");
	assert_string_equal(main_meter->registers.name, "janitza-umg511");
	assert_int_equal(main_meter->backup_of_index, -1);
	assert_int_equal(main_meter->every_ms, 200);
	assert_int_equal(main_meter->timeout_ms, 200);
	assert_int_equal(spare->backup_of_index, 0);
	assert_null(spare->registers.name);
	assert_int_equal(spare->timeout_ms, 500);
	assert_int_equal(pdu->n_hosts, 250);
	assert_string_equal(pdu->names[249], "pdu/250");
	assert_string_equal(pdu->hosts[125], "10.21.1.1");
	assert_int_equal(pdu->measures, MEASURES_HPC);
	assert_int_equal(pdu->nameplate_w, 17300);
	assert_int_equal(pdu->stale_after_ms, 3000);
	assert_int_equal(config->miners[0].n_hosts, 8 * 254);
	assert_int_equal(config->miners[0].efficiency_mj_per_th, 17500);
	assert_int_equal(config->miners[0].per_circuit, 16);
	assert_false(config->miners[2].steer);
	assert_string_equal(config->miners[2].hosts[1], "bench-2.example");
	assert_string_equal(config->mqtt.password_file, "config/mqtt.password");
	assert_string_equal(config->signals[1].topic, "maestro/target");
	config_free(config);
	fault_list_free(&faults);
	arena_free(memory);
}

static const char smallest[] =
	"site: {name: a, cap: 2 MW}\n"
	"meters:\n"
	"  m: {measures: site, driver: modbus, host: h, registers: schneider-pm5xxx}\n"
	"miners:\n"
	"  x: {driver: luxos, host: 'x[1-2]'}\n";

static void what_is_not_told_has_its_default(void **state)
{
	(void)state;
	struct config *config = must_read(smallest);
	const struct meter_group_conf *meter = &config->meters[0];
	const struct miner_group_conf *miner = &config->miners[0];
	assert_true(config->target_w == POLICY_NONE && config->reserve_w == POLICY_NONE);
	assert_true(config->ramp_up_w_per_min == 0 && config->ramp_down_w_per_min == 0);
	assert_int_equal(config->n_windows, 0);
	assert_int_equal(meter->port, 502);
	assert_int_equal(meter->unit, 1);
	assert_int_equal(meter->every_ms, 1000);
	assert_int_equal(meter->timeout_ms, 1000);
	assert_int_equal(meter->stale_after_ms, 3000);
	assert_true(meter->nameplate_w == 0 && meter->baud == 0 && meter->parity == 0);
	assert_int_equal(meter->backup_of_index, -1);
	assert_int_equal(miner->port, 4028);
	assert_int_equal(miner->priority, 50);
	assert_true(miner->nominal_w == 0 && miner->efficiency_mj_per_th == 0);
	assert_int_equal(miner->asleep_w, 25);
	assert_int_equal(miner->min_awake_ms, 600000);
	assert_int_equal(miner->min_asleep_ms, 180000);
	assert_int_equal(miner->cycles_per_day, 12);
	assert_int_equal(miner->every_ms, 30000);
	assert_int_equal(miner->timeout_ms, 3000);
	assert_null(miner->wake);
	assert_true(!miner->steer_told);
	assert_true(!miner->per_circuit && !miner->feeder);
	assert_true(miner->sleep_delay_ms == -1 && miner->wake_ramp_ms == -1);
	assert_string_equal(miner->names[1], "x/2");
	assert_false(config->mqtt.present);
	assert_int_equal(meter->driver_at.line, 3);
	assert_int_equal(meter->driver_at.column, 31);
	assert_int_equal(meter->host_at.column, 45);
	assert_int_equal(meter->at.column, 3);
	assert_int_equal(meter->registers_at.column, 59);
	config_free(config);
}

static void what_is_told_is_kept(void **state)
{
	(void)state;
	struct config *config = must_read(
		"site: {name: a, cap: 2 MW, target: auto, reserve: 0 W, prefer: flat, forecast: false, ramp_up: none, ramp_down: 1 kW/s}\n"
		"meters:\n"
		"  m:\n"
		"    measures: other\n"
		"    nameplate: 10 kW\n"
		"    driver: modbus-rtu\n"
		"    host: /dev/ttyUSB0\n"
		"    unit: 7\n"
		"    baud: 19200\n"
		"    parity: even\n"
		"    every: 10 s\n"
		"    registers:\n"
		"      power: {function: 3, address: 0x10, type: int32, word_order: little, unit: kW, scale: 0.1,\n"
		"              absent: [all-ones, smallest]}\n"
		"      frequency: {function: 4, address: 65535, type: uint16, unit: mHz}\n"
		"      max_read: 4\n"
		"      no_gaps: true\n"
		"  s: {measures: site, driver: modbus, host: h, registers: raritan-px3}\n"
		"miners:\n"
		"  x:\n"
		"    driver: luxos\n"
		"    host: [10.0.0.1, '10.0.0.[3-4]']\n"
		"    wake: unsafe\n"
		"    steer: true\n"
		"    nominal: 3 kW\n"
		"    partial: 1.8 kW\n"
		"    response: {sleep_delay: 0 s, wake_ramp: 8 min, power_delay: 3 s}\n"
		"mqtt: {host: broker, username: u, password_file: secret, tls: {ca: /ca.pem}, prefix: a/b}\n"
		"grid:\n"
		"  signals:\n"
		"    t: {format: target, topic: t}\n"
		"    o: {format: order}\n");
	const struct meter_group_conf *meter = &config->meters[0];
	const struct register_conf *power = &meter->registers.power;
	assert_true(config->reserve_w == 0 && config->prefer == PREFER_FLAT && !config->forecast && config->ramp_up_w_per_min == 0);
	assert_int_equal(config->ramp_down_w_per_min, 60000);
	assert_true(meter->unit == 7 && meter->baud == 19200 && meter->parity == 'E');
	assert_int_equal(meter->timeout_ms, 1000);
	assert_int_equal(meter->stale_after_ms, 30000);
	assert_true(power->function == 3 && power->address == 16 && power->low_word_first);
	assert_string_equal(power->type, "int32");
	assert_true(power->scale > 99.999999 && power->scale < 100.000001);
	assert_true(power->absent_all_ones && !power->absent_largest && power->absent_smallest);
	assert_true(meter->registers.frequency.scale > 0.000999 && meter->registers.frequency.scale < 0.001001);
	assert_int_equal(meter->registers.frequency.at.line, 15);
	assert_string_equal(meter->registers.energy.type, "");
	assert_true(meter->registers.max_read == 4 && meter->registers.no_gaps);
	const struct miner_group_conf *miner = &config->miners[0];
	assert_int_equal(miner->n_hosts, 3);
	assert_string_equal(miner->hosts[2], "10.0.0.4");
	assert_string_equal(miner->wake, "unsafe");
	assert_int_equal(miner->wake_at.line, 23);
	assert_true(miner->steer && miner->steer_told);
	assert_true(miner->sleep_delay_ms == 0 && miner->sleep_ramp_ms == -1);
	assert_true(miner->wake_delay_ms == -1 && miner->wake_ramp_ms == 480000);
	assert_true(miner->power_delay_ms == 3000 && miner->power_ramp_ms == -1);
	assert_true(miner->partial_w == 1800 && miner->partial_at.line == 26);
	assert_true(config->mqtt.present && config->mqtt.port == 8883);
	assert_string_equal(config->mqtt.tls_ca, "/ca.pem");
	assert_string_equal(config->mqtt.password_file, "/etc/mulletd/secret");
	assert_string_equal(config->mqtt.prefix, "a/b");
	assert_int_equal(config->signals[0].format, SIGNAL_TARGET);
	assert_int_equal(config->signals[0].stale_after_ms, 90000);
	assert_int_equal(config->signals[0].when_stale, WHEN_STALE_CURTAIL);
	assert_null(config->signals[1].topic);
	config_free(config);
}

static void what_is_just_inside_the_bounds_is_taken(void **state)
{
	(void)state;
	struct config *config = must_read(
		"site: {name: a, cap: 2 MW, target: 2000 kW, reserve: 1999999 W, ramp_up: 1 W/min}\n"
		"meters:\n"
		"  m: {measures: site, driver: modbus, host: h, registers: raritan-px3, every: 100 ms, timeout: 100 ms,\n"
		"      stale_after: 200 ms, port: 1, unit: 0}\n"
		"  n: {measures: site, driver: modbus, host: i, registers: raritan-px3, every: 700 ms, port: 65535, unit: 255}\n"
		"  o: {measures: site, driver: modbus, host: j, registers: raritan-px3, every: 600 ms}\n"
		"miners:\n"
		"  x: {driver: luxos, host: x, priority: 0, cycles_per_day: 0, min_awake: 0 s, every: 3 s, nominal: 26 W}\n"
		"  y: {driver: luxos, host: y, priority: 1000, cycles_per_day: 1000, min_asleep: 24 h, every: 1 h,\n"
		"      timeout: 1 min}\n");
	assert_int_equal(config->target_w, config->cap_w);
	assert_int_equal(config->meters[0].stale_after_ms, 200);
	assert_int_equal(config->meters[1].timeout_ms, 700);
	assert_int_equal(config->meters[1].stale_after_ms, 2100);
	assert_int_equal(config->meters[1].unit, 255);
	assert_int_equal(config->meters[2].stale_after_ms, 2000);
	assert_int_equal(config->miners[1].min_asleep_ms, 86400000);
	config_free(config);
}

static void a_thousand_groups(void **state)
{
	(void)state;
	char *text = malloc(100000);
	assert_non_null(text);
	size_t len = (size_t)sprintf(text, "%s", smallest);
	for (int i = 1; i < 1000; i++)
		len += (size_t)sprintf(text + len, "  x%d: {driver: luxos, host: y%d}\n", i, i);
	struct config *config = must_read(text);
	assert_int_equal(config->n_miners, 1000);
	assert_string_equal(config->miners[999].names[0], "x999");
	config_free(config);
	free(text);
}

static void faults_of_the_catalogue_name_its_file(void **state)
{
	static const char *const broken[] = {"tests/config", NULL};
	struct arena *memory = arena_new();
	struct fault_list faults;
	(void)state;
	fault_list_init(&faults, "site.yaml");
	assert_null(config_read_text("site.yaml", smallest, strlen(smallest), broken, &faults));
	assert_string_equal(faults_text(memory, &faults),
	                    "site.yaml:3:59: meters.m.registers: tests/config/registers/schneider-pm5xxx.yaml:1:1: "
	                    "source: missing; it is needed: where the addresses were read\n"
	                    "site.yaml:3:59: meters.m.registers: tests/config/registers/schneider-pm5xxx.yaml:4:42: "
	                    "registers.power.unit: VA is none of them; W, kW or MW will do\n");
	fault_list_free(&faults);
	fault_list_init(&faults, "site.yaml");
	assert_null(config_read_text("site.yaml", smallest, strlen(smallest), NULL, &faults));
	assert_string_equal(faults_text(memory, &faults), "site.yaml:3:59: meters.m.registers: no register map "
	                    "schneider-pm5xxx in the catalogue; there are: none\n");
	fault_list_free(&faults);
	arena_free(memory);
}

/* ---- the rest ---- */
static void faults_are_sorted_by_place(void **state)
{
	struct arena *memory = arena_new();
	struct fault_list faults;
	(void)state;
	fault_list_init(&faults, "f");
	fault_list_add(&faults, (struct mark){2, 5}, "b", "%d", 3);
	fault_list_add(&faults, (struct mark){2, 1}, "", "second");
	fault_list_add(&faults, (struct mark){10, 1}, NULL, "last");
	fault_list_add(&faults, (struct mark){2, 5}, "a", "after its like");
	fault_list_add(&faults, (struct mark){0, 0}, NULL, "no place");
	fault_list_sort(&faults);
	assert_string_equal(faults_text(memory, &faults),
	                    "f: no place\nf:2:1: second\nf:2:5: b: 3\nf:2:5: a: after its like\nf:10:1: last\n");
	fault_list_free(&faults);
	arena_free(memory);
}

static void collect(void *self, const char *line)
{
	char *text = self;
	assert_true(strlen(text) + strlen(line) + 2 < 20000);
	strcat(strcat(text, line), "\n");
}

static void every_key_can_be_printed(void **state)
{
	(void)state;
	char *text = calloc(1, 20000);
	assert_non_null(text);
	config_print_keys(collect, text);
	assert_non_null(strstr(text, "\nmeters.NAME.every                          DURATION, 100 ms to 1 h; default 1 s: "));
	assert_non_null(strstr(text, "\nsite.cap                                   POWER, 1 kW to 5 GW; required: "));
	assert_non_null(strstr(text, "\nmqtt.tls.ca "));
	assert_non_null(strstr(text, "\nmeters.NAME.registers.power.absent "));
	assert_non_null(strstr(text, "\njournal                                    not supported yet: "));
	free(text);
}

static void the_nearest_word(void **state)
{
	static const char *const words[] = {"every", "host", "port", "prefix", "driver"};
	(void)state;
	assert_string_equal(nearest("evry", words, 5), "every");
	assert_string_equal(nearest("eveyr", words, 5), "every");
	assert_string_equal(nearest("drivers", words, 5), "driver");
	assert_string_equal(nearest("hsot", words, 5), "host");
	assert_null(nearest("cap", words, 5));
	assert_null(nearest("", words, 5));
	assert_null(nearest("a-word-that-is-longer-than-thirty-two-letters", words, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_files_get_all_their_faults_listed),
		cmocka_unit_test(a_file_that_is_not_there),
		cmocka_unit_test(an_overlong_file),
		cmocka_unit_test(brackets_without_end),
		cmocka_unit_test(depth_of_sixteen_is_read),
		cmocka_unit_test(keys_by_the_hundred_thousand),
		cmocka_unit_test(every_register_of_a_full_fault_list),
		cmocka_unit_test(too_many_groups),
		cmocka_unit_test(the_example_loads),
		cmocka_unit_test(what_is_not_told_has_its_default),
		cmocka_unit_test(what_is_told_is_kept),
		cmocka_unit_test(what_is_just_inside_the_bounds_is_taken),
		cmocka_unit_test(a_thousand_groups),
		cmocka_unit_test(faults_of_the_catalogue_name_its_file),
		cmocka_unit_test(faults_are_sorted_by_place),
		cmocka_unit_test(every_key_can_be_printed),
		cmocka_unit_test(the_nearest_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
