/* Everything that reads what a miner sent, fed with anything. The first byte picks where TCP cut it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/cgminer_identity.h"
#include "drivers/cgminer_scan.h"
#include "drivers/luxos_errand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void scan_in_two(const char *text, size_t n, size_t at)
{
	struct cgminer_scan whole = { 0 }, pieces = { 0 };
	size_t used, first, second = 0;
	enum cgminer_end end = cgminer_scan(&whole, text, n, &used);
	enum cgminer_end again = cgminer_scan(&pieces, text, at, &first);
	if (again == END_NOT_YET)
		again = cgminer_scan(&pieces, text + at, n - at, &second);
	assert(end == again && used == first + second && used <= n);
}

static void read_as_cgminer(const char *text)
{
	struct cgminer_seen seen = { 0 };
	struct miner_reading reading = { 0 };
	bool unjoinable;
	if (cgminer_decode(text, &seen, &unjoinable) != FAULT_NONE || cgminer_judge(&seen, &reading) != FAULT_NONE)
		return;
	assert(!reading.knows_power && reading.hashrate_ghs >= 0 && reading.hashrate_ghs <= 10000000);
}

static void read_as_luxos(const char *text)
{
	static struct luxos_tables tables;
	struct luxos_seen seen = { 0 };
	struct miner_reading reading = { 0 };
	bool nothing;
	tables = (struct luxos_tables){ 0 };
	luxos_decode_tables(text, &tables, &nothing);
	const struct luxos_rung *rung = luxos_rung_under(tables.rungs, tables.n, 3000);
	assert(tables.n <= LUXOS_MOST_RUNGS && (!rung || rung->power_w > 0));
	if (luxos_decode(text, &seen, &nothing) != FAULT_NONE || luxos_judge(&seen, 3000, &reading) != FAULT_NONE)
		return;
	assert(reading.power_w >= 0 && reading.power_w <= 9000 && reading.hashrate_ghs >= 0);
}

static bool is_text(const char *text, size_t size)
{
	size_t n = strnlen(text, size);
	for (size_t i = 0; i < n; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	return n < size;
}

/* Anything for an answer, to every question: the questions end, and what is learned can be printed. */
static void identify(const char *text)
{
	static struct miner_inquiry about;
	enum identity_read read;
	int asked = 0;
	about = (struct miner_inquiry){ 0 };
	while ((read = identity_next(&about)) != ASK_NOTHING) {
		assert(identity_request(read) && ++asked <= ASK_NOTHING);
		identity_take(&about, read, text);
	}
	const struct miner_identity *is = &about.is;
	assert(is_text(is->version, sizeof is->version) && is_text(is->model, sizeof is->model));
	assert(is_text(is->mac, sizeof is->mac) && is_text(is->serial, sizeof is->serial));
	assert(is->power_w >= 0 && is->hashrate_ghs >= 0 && is->awake_w >= 0 && firmware_name(is->firmware));
}

/* Anything for an answer, to each step of an order: the next request is still one whole command. */
static void answer_an_order(const char *text)
{
	for (uint8_t step = STEP_TASK; step <= STEP_KILL; step++) {
		struct luxos_session session = { "AbCd1234", 0 };
		struct luxos_errand errand = { .left = 1u << TASK_WAKE, .step = step, .most = LUXOS_MOST_EXCHANGES,
		                                .wake = "unsafe" };
		char request[160];
		if (luxos_errand_reply(&errand, &session, 0, FAULT_NONE, text) != FAULT_NEVER)
			continue;
		size_t n = luxos_errand_request(&errand, &session, 0, request, sizeof request);
		cJSON *tree = cgminer_json_parse(request);
		assert(n == strlen(request) && cgminer_json_text(tree, "command"));
		cJSON_Delete(tree);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	size_t n = size - 1;
	char *text = calloc(1, n + 1);
	if (!text)
		return 0;
	memcpy(text, data + 1, n);
	scan_in_two(text, n, n * data[0] / 255);
	read_as_cgminer(text);
	read_as_luxos(text);
	answer_an_order(text);
	identify(text);
	free(text);
	return 0;
}
