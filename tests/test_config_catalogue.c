/* Every file of the catalogue against a table written from the same sources a second time, not from the files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/settings.h"
#include "drivers/registers.h"

#define HERE "config/registers"
#define NONE {0, 0, NULL, false, 0}
#define BIG false
#define LITTLE true

struct expected {
	const char *name;
	struct { int function, address; const char *type; bool low_word_first; double scale; } power, energy, frequency;
	int max_read;
	const char *absent;     /* of power, then energy, then frequency: - a l s */
};

static const struct expected table[] = {
	{"abb-b23-b24", {3, 23316, "int32", BIG, 0.01}, {3, 20480, "uint64", BIG, 10}, {3, 23340, "uint16", BIG, 0.01}, 125, "laa"},
	{"abb-m4m", {3, 23322, "int32", BIG, 0.01}, {3, 20480, "uint64", BIG, 10}, {3, 23346, "uint16", BIG, 0.01}, 125, "laa"},
	{"abb-m4m-1w", {3, 51994, "int32", BIG, 1}, {3, 20480, "uint64", BIG, 10}, {3, 23346, "uint16", BIG, 0.01}, 125, "laa"},
	{"carlo-gavazzi-em24-e1", {4, 40, "int32", LITTLE, 0.1}, {4, 52, "int32", LITTLE, 100}, {4, 51, "int16", BIG, 0.1}, 125, "---"},
	{"carlo-gavazzi-em24-rs485", {4, 40, "int32", LITTLE, 0.1}, {4, 66, "int32", LITTLE, 100}, {4, 55, "int16", BIG, 0.1}, 11, "ll-"},
	{"carlo-gavazzi-em340", {4, 40, "int32", LITTLE, 0.1}, {4, 52, "int32", LITTLE, 100}, {4, 51, "int16", BIG, 0.1}, 50, "ll-"},
	{"eastron-sdm630", {4, 52, "float32", BIG, 1}, {4, 72, "float32", BIG, 1000}, {4, 70, "float32", BIG, 1}, 80, "---"},
	{"eig-shark100", {3, 899, "float32", BIG, 1}, NONE, {3, 1025, "float32", BIG, 1}, 125, "---"},
	{"janitza-b23", {3, 19026, "float32", BIG, 1}, {3, 19068, "float32", BIG, 1}, {3, 19050, "float32", BIG, 1}, 125, "---"},
	{"janitza-umg511", {3, 3925, "float32", BIG, 1}, {3, 19068, "float32", BIG, 1}, {3, 3995, "float32", BIG, 1}, 125, "---"},
	{"janitza-umg604", {3, 1369, "float32", BIG, 1}, NONE, {3, 1439, "float32", BIG, 1}, 125, "---"},
	{"janitza-umg801", {3, 19012 + 14, "float32", BIG, 1}, NONE, {3, 19012 + 38, "float32", BIG, 1}, 125, "---"},
	{"janitza-umg806", {3, 19026, "float32", BIG, 1}, NONE, {3, 19050, "float32", BIG, 1}, 125, "---"},
	{"janitza-umg96", {3, 19026, "float32", BIG, 1}, {3, 19068, "float32", BIG, 1}, {3, 19050, "float32", BIG, 1}, 96, "---"},
	{"raritan-px3", {3, 0x3012, "float32", BIG, 1}, NONE, {3, 0x3022, "float32", BIG, 1}, 125, "---"},
	{"schneider-iem3000", {3, 3059, "float32", BIG, 1000}, {3, 3203, "int64", BIG, 1}, {3, 3109, "float32", BIG, 1}, 125, "---"},
	{"schneider-pm5xxx", {3, 3059, "float32", BIG, 1000}, {3, 3203, "int64", BIG, 1}, {3, 3109, "float32", BIG, 1}, 125, "-s-"},
	{"siemens-pac1600", {3, 57, "int32", BIG, 0.01}, {3, 6687, "uint32", BIG, 1}, {3, 49, "int32", BIG, 0.01}, 125, "---"},
	{"siemens-pac2200-3200-4200", {3, 65, "float32", BIG, 1}, NONE, {3, 55, "float32", BIG, 1}, 125, "---"},
	{"siemens-sicam-t", {3, 232, "float32", BIG, 1}, NONE, {3, 274, "float32", BIG, 1}, 125, "---"},
};
#define N_TABLE (sizeof table / sizeof table[0])

static char absent(const struct register_conf *conf)
{
	return conf->absent_all_ones ? 'a' : conf->absent_largest ? 'l' : conf->absent_smallest ? 's' : '-';
}

#define SAME(got, want) do { \
	assert_string_equal((got).type, (want).type ? (want).type : ""); \
	assert_int_equal((got).function, (want).function); \
	assert_int_equal((got).address, (want).address); \
	assert_true((got).low_word_first == (want).low_word_first); \
	assert_true(fabs((got).scale - (want).scale) <= 1e-12 * (want).scale); \
	assert_true(!(want).type || register_type_named((got).type) != REGISTER_NONE); \
} while (0)

static void check(const struct expected *want)
{
	struct arena *memory = arena_new();
	struct catalogue_entry got = {0};
	struct fault_list faults;
	char file[200], line[400];
	snprintf(file, sizeof file, HERE "/%s.yaml", want->name);
	fault_list_init(&faults, file);
	bool fine = catalogue_read(memory, &catalogue_file, file, want->name, &faults, &got);
	for (size_t i = 0; i < faults.n; i++) {
		fault_format(&faults, i, line, sizeof line);
		print_error("%s\n", line);
	}
	assert_true(fine);
	assert_string_equal(got.name, want->name);
	assert_true(strlen(got.source) > 10 && strlen(got.device) > 5);
	SAME(got.map.power, want->power);
	SAME(got.map.energy, want->energy);
	SAME(got.map.frequency, want->frequency);
	assert_int_equal(got.map.max_read, want->max_read);
	char marks[] = {absent(&got.map.power), absent(&got.map.energy), absent(&got.map.frequency), '\0'};
	assert_string_equal(marks, want->absent);
	fault_list_free(&faults);
	arena_free(memory);
}

static void every_entry_says_what_its_source_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_TABLE; i++)
		check(&table[i]);
}

static void every_file_is_in_the_table(void **state)
{
	(void)state;
	DIR *dir = opendir(HERE);
	assert_non_null(dir);
	size_t n = 0;
	for (struct dirent *entry; (entry = readdir(dir)); ) {
		size_t len = strlen(entry->d_name), i = 0;
		if (entry->d_name[0] == '.')
			continue;
		while (i < N_TABLE && (strlen(table[i].name) + 5 != len ||
		                       strncmp(table[i].name, entry->d_name, len - 5) != 0))
			i++;
		if (i == N_TABLE)
			fail_msg("%s is not in the table", entry->d_name);
		n++;
	}
	closedir(dir);
	assert_int_equal(n, N_TABLE);
}

static void an_entry_goes_by_the_name_of_its_file(void **state)
{
	(void)state;
	struct arena *memory = arena_new();
	struct catalogue_entry got = {0};
	struct fault_list faults;
	fault_list_init(&faults, HERE "/abb-m4m.yaml");
	assert_false(catalogue_read(memory, &catalogue_file, HERE "/abb-m4m.yaml", "abb-b23-b24", &faults, &got));
	assert_int_equal(faults.n, 1);
	assert_string_equal(faults.items[0].text, "name: abb-m4m is not what the file is called; abb-b23-b24 belongs here");
	fault_list_free(&faults);
	arena_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_says_what_its_source_says),
		cmocka_unit_test(every_file_is_in_the_table),
		cmocka_unit_test(an_entry_goes_by_the_name_of_its_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
