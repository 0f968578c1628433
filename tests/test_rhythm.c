/* Where a dip returns and has proved to, the rise at its end is foretold; nothing is of a load without rhythm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rhythm.h"
#include "sim/dice.h"
#include "sim/load.h"

enum { SLOT_MS = 500, SLOTS = 2 * 3600 * 2, TOP_SLOTS = 128, HOUR_MS = 3600000 };
enum { CAP_W = 50000000, HIGH_W = 45000000 };
enum { AHEAD_MS = 5000, SLACK_MS = 10000 };     /* what is asked for: a rise within 5 s; 10 s later it is late */
enum { NEAR_W = CAP_W / 1000 * 30 };            /* what is less below the level is no dip */

static struct {
	int64_t w[SLOTS], told_w[SLOTS];        /* the load in a slot, and what was told at its end */
	size_t n;
	struct rhythm rhythm;
	/* what play() saw */
	uint32_t told, broken;          /* slots in which a rise was told; and it did not come in time */
	int64_t first_ms, last_ms;      /* of these */
} it;

static void constant(int64_t lasts_ms)
{
	memset(&it, 0, sizeof(it));
	it.n = (size_t)(lasts_ms / SLOT_MS);
	assert_true(it.n <= SLOTS);
	for (size_t i = 0; i < it.n; i++)
		it.w[i] = HIGH_W;
}

static void dip(int64_t at_ms, int64_t lasts_ms, int64_t deep_w)
{
	for (int64_t i = at_ms / SLOT_MS; i < (at_ms + lasts_ms) / SLOT_MS; i++)
		if (i >= 0 && (size_t)i < it.n)
			it.w[i] -= deep_w;
}

static void dips(int64_t from_ms, int64_t to_ms, int64_t period_ms, int64_t lasts_ms, int64_t deep_w)
{
	for (int64_t at_ms = from_ms; at_ms < to_ms; at_ms += period_ms)
		dip(at_ms, lasts_ms, deep_w);
}

static void noise(int64_t within_w, uint64_t seed)
{
	for (size_t i = 0; i < it.n; i++)
		it.w[i] += (int64_t)((2 * dice_share(seed, 7, i) - 1) * (double)within_w);
}

static int64_t top_at(size_t i)
{
	int64_t top_w = 0;
	for (size_t k = i < TOP_SLOTS ? 0 : i + 1 - TOP_SLOTS; k <= i; k++)
		top_w = it.w[k] > top_w ? it.w[k] : top_w;
	return top_w;
}

/* Is the load back by what was told at the end of this slot? */
static bool comes_back(size_t i)
{
	for (size_t k = i + 1; k <= i + (AHEAD_MS + SLACK_MS) / SLOT_MS; k++)
		if (k >= it.n || it.w[k] > it.told_w[i] - NEAR_W)
			return true;
	return false;
}

static void play_until(size_t *i, int64_t until_ms)
{
	for (; *i < it.n && (int64_t)*i * SLOT_MS < until_ms; ++*i) {
		int64_t now_ms = (int64_t)(*i + 1) * SLOT_MS;
		rhythm_learn(&it.rhythm, it.w[*i], top_at(*i), CAP_W, now_ms);
		it.told_w[*i] = rhythm_rise(&it.rhythm, now_ms + AHEAD_MS);
		if (!it.told_w[*i])
			continue;
		it.first_ms = it.told ? it.first_ms : now_ms;
		it.last_ms = now_ms;
		it.told++;
		it.broken += !comes_back(*i);
	}
}

static void play(void)
{
	size_t i = 0;
	play_until(&i, INT64_MAX);
}

/* What was told all along in the AHEAD_MS before a rise; 0: nothing, or not always. */
static int64_t told_before(int64_t rise_ms)
{
	int64_t told_w = INT64_MAX;
	for (int64_t at_ms = rise_ms - AHEAD_MS; at_ms <= rise_ms; at_ms += SLOT_MS)
		told_w = it.told_w[at_ms / SLOT_MS - 1] < told_w ? it.told_w[at_ms / SLOT_MS - 1] : told_w;
	return told_w;
}

/* In how many of the slots between. */
static uint32_t told_within(int64_t from_ms, int64_t to_ms)
{
	uint32_t n = 0;
	for (int64_t i = from_ms / SLOT_MS; i < to_ms / SLOT_MS; i++)
		n += it.told_w[i] > 0;
	return n;
}

/* ---- rhythms ---- */

static void a_rise_is_told_once_the_dips_have_proved_to_return(void **state)
{
	(void)state;
	constant(HOUR_MS);
	dips(100000, HOUR_MS, 142000, 14000, 6000000);
	play();
	/* Three dips to find it, four to prove it; then the rise of each is told, and nothing between. */
	assert_int_equal(told_within(0, 100000 + 7 * 142000), 0);
	uint32_t told = 0;
	for (int64_t at_ms = 100000 + 7 * 142000; at_ms < HOUR_MS; at_ms += 142000) {
		assert_int_equal(told_before(at_ms + 14000), HIGH_W);
		assert_int_equal(told_within(at_ms, at_ms + 7000), 0);
		told += told_within(at_ms, at_ms + 14000);
	}
	assert_int_equal(it.told, told);
	assert_int_equal(it.broken, 0);
}

static void a_rise_is_told_and_not_for_ever(void **state)
{
	(void)state;
	size_t i = 0;
	constant(2 * HOUR_MS);
	dips(100000, 2 * HOUR_MS, 400000, 150000, 20000000);
	dip(100000 + 12 * 400000 + 150000, 200000, 20000000);   /* the thirteenth lasts longer */
	play_until(&i, 4500000 + 120000);                       /* the twelfth, which began at 4500 s */
	assert_int_equal(rhythm_rise(&it.rhythm, 4500000 + 148500), 0);
	assert_int_equal(rhythm_rise(&it.rhythm, 4500000 + 149000), HIGH_W);
	play_until(&i, 4900000 + 152000);
	assert_int_equal(rhythm_rise(&it.rhythm, 4900000 + 157000), HIGH_W);
	play_until(&i, 4900000 + 165000);
	assert_int_equal(rhythm_rise(&it.rhythm, 4900000 + 170000), 0);
}

static void it_is_told_the_earlier_the_more_they_differ(void **state)
{
	(void)state;
	size_t i = 0;
	constant(HOUR_MS);
	dips(100000, HOUR_MS, 200000, 40000, 20000000);
	dips(140000, HOUR_MS, 400000, 4000, 20000000);          /* every other one is longer */
	dip(2500000, 60000, 20000000);
	play_until(&i, 2500000 + 20000);
	assert_int_equal(rhythm_rise(&it.rhythm, 2500000 + 36500), 0);
	assert_int_equal(rhythm_rise(&it.rhythm, 2500000 + 37000), HIGH_W);
	play_until(&i, 2500000 + 50000);
	assert_int_equal(rhythm_rise(&it.rhythm, 2500000 + 60000), HIGH_W);
	play_until(&i, 2500000 + 52000);
	assert_int_equal(rhythm_rise(&it.rhythm, 2500000 + 60000), 0);
}

static void it_rises_to_where_it_fell_from(void **state)
{
	(void)state;
	constant(HOUR_MS);
	dips(100000, HOUR_MS, 200000, 30000, 20000000);
	dip(2420000, HOUR_MS, 5000000);                 /* from then on all is lower */
	play();
	assert_int_equal(told_before(2300000 + 30000), HIGH_W);
	for (int64_t at_ms = 2500000; at_ms < HOUR_MS; at_ms += 200000)
		assert_int_equal(told_before(at_ms + 30000), HIGH_W - 5000000);
	assert_int_equal(it.broken, 0);
}

static void dips_that_come_a_little_late_or_early_are_still_theirs(void **state)
{
	(void)state;
	constant(2 * HOUR_MS);
	int64_t at_ms = 50000;
	for (uint64_t k = 0; at_ms < 2 * HOUR_MS; k++) {
		dip(at_ms, 28000 + (int64_t)(dice_share(5, 2, k) * 4000), 25000000);
		at_ms += 240000 + (int64_t)((2 * dice_share(5, 1, k) - 1) * 3000);
	}
	noise(400000, 3);
	play();
	assert_in_range(it.told, 15 * 10, 30 * 24);
	assert_int_equal(it.broken, 0);
}

static void a_period_that_drifts_is_followed(void **state)
{
	(void)state;
	constant(2 * HOUR_MS);
	uint32_t told = 0;
	int64_t ends_ms[45];
	for (int64_t k = 0; k < 45; k++) {
		int64_t at_ms = 100000 + k * 142000 + k * (k + 1) / 2 * 200;
		dip(at_ms, 14000, 6000000);
		ends_ms[k] = (at_ms + 14000) / SLOT_MS * SLOT_MS;
	}
	play();
	for (int64_t k = 0; k < 45; k++)
		told += told_before(ends_ms[k]) > 0;
	assert_int_equal(told, 45 - 3 - 4);
	assert_int_equal(it.broken, 0);
}

static void two_rhythms_at_once(void **state)
{
	(void)state;
	constant(2 * HOUR_MS);
	dips(60000, 2 * HOUR_MS, 110000, 12000, 6000000);
	dips(90000, 2 * HOUR_MS, 731000, 45000, 20000000);
	play();
	uint32_t often = 0, seldom = 0;
	for (int64_t at_ms = 60000; at_ms < 2 * HOUR_MS; at_ms += 110000)
		often += told_before(at_ms + 12000) > 0;
	for (int64_t at_ms = 90000; at_ms < 2 * HOUR_MS; at_ms += 731000)
		seldom += told_before(at_ms + 45000) > 0;
	assert_in_range(often, 35, 58);
	assert_in_range(seldom, 3, 4);
	assert_in_range(it.broken, 0, it.told / 20);    /* where one runs into the other */
}

static void each_length_has_its_own(void **state)
{
	(void)state;
	constant(2 * HOUR_MS);
	uint32_t told = 0, near_the_end = 0;
	for (int64_t k = 0; k < 50; k++)
		dip(30000 + k * 142000, 8000 << k % 4, 20000000);
	play();
	for (int64_t k = 0; k < 50; k++) {
		int64_t rise_ms = 30000 + k * 142000 + (8000 << k % 4);
		told += told_before(rise_ms) > 0;
		near_the_end += told_within(rise_ms - AHEAD_MS - 4000, rise_ms);
	}
	assert_in_range(told, 22, 26);
	assert_int_equal(it.told, near_the_end);
	assert_int_equal(it.broken, 0);
}

static void dips_too_short_for_miners_hide_nothing(void **state)
{
	(void)state;
	constant(HOUR_MS);
	uint32_t told = 0;
	for (int64_t block_ms = 0; block_ms < HOUR_MS; block_ms += 142000) {
		dips(block_ms, block_ms + 120000, 10930, 3000, 6000000);
		dip(block_ms + 127500, 13500, 5000000);
	}
	play();
	for (int64_t block_ms = 7 * 142000; block_ms + 142000 < HOUR_MS; block_ms += 142000) {
		assert_true(told_before(block_ms + 127500 + 13500));
		told += told_within(block_ms + 127500, block_ms + 142000);
	}
	assert_int_equal(it.told, told);
	assert_int_equal(it.broken, 0);
}

/* ---- what counts as a dip ---- */

/* Of dips that come again and again all alike. */
static uint32_t told_of(int64_t period_ms, int64_t lasts_ms, int64_t deep_w)
{
	constant(2 * HOUR_MS);
	dips(30000, 2 * HOUR_MS, period_ms, lasts_ms, deep_w);
	play();
	assert_int_equal(it.broken, 0);
	return it.told;
}

static void a_dip_is_neither_short_nor_long_nor_shallow(void **state)
{
	(void)state;
	assert_int_equal(told_of(60000, 5000, 6000000), 0);
	assert_in_range(told_of(60000, 6000, 6000000), 100 * 10, 120 * 12);
	assert_in_range(told_of(1000000, 9 * 60000, 6000000), 8, 2 * 60);
	assert_int_equal(told_of(1000000, 11 * 60000, 6000000), 0);
	assert_int_equal(told_of(60000, 10000, NEAR_W), 0);
	assert_in_range(told_of(60000, 10000, NEAR_W + 1000), 100 * 10, 120 * 14);
}

/* ---- when it is believed ---- */

/* The sooner they come again, the likelier chance is, and the more have to be seen. */
static void frequent_dips_need_more_proofs(void **state)
{
	(void)state;
	static const struct { int64_t period_ms, proofs; } cases[] = { { 300000, 3 }, { 142000, 4 }, { 30000, 5 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		told_of(cases[i].period_ms, 8000, 6000000);
		int64_t first_ms = 30000 + (3 + cases[i].proofs) * cases[i].period_ms;
		assert_in_range(it.first_ms, first_ms, first_ms + 8000);
	}
}

/* ---- rhythms that end, change, fail ---- */

static void a_dip_that_does_not_come_ends_the_belief(void **state)
{
	(void)state;
	for (int64_t missing = 1; missing <= 3; missing++) {
		constant(HOUR_MS);
		int64_t again_ms = 1946000 + missing * 142000;
		dips(100000, 1900000, 142000, 14000, 6000000);
		dips(again_ms, HOUR_MS, 142000, 14000, 6000000);
		play();
		/* Four prove it again; after three that did not come it has to be found first. */
		int64_t first_ms = again_ms + (missing < 3 ? 4 : 7) * 142000;
		assert_int_equal(told_before(1804000 + 14000), HIGH_W);
		assert_int_equal(told_within(1804000 + 14500, first_ms), 0);
		assert_int_equal(told_before(first_ms + 14000), HIGH_W);
		assert_int_equal(it.broken, 0);
	}
}

static void one_that_comes_late_is_not_believed(void **state)
{
	(void)state;
	constant(HOUR_MS);
	dips(100000, 1900000, 142000, 14000, 6000000);
	dips(1946000 + 2500, HOUR_MS, 142000, 14000, 6000000);
	play();
	assert_true(told_before(1804000 + 14000));
	assert_int_equal(told_within(1804000 + 14500, 1948500 + 142000), 0);
	assert_int_equal(it.broken, 0);
}

/* It ends the belief, but the length of those that are awaited is what it was. */
static void one_of_another_kind_is_not_taken_for_it(void **state)
{
	(void)state;
	for (int longer = 0; longer < 2; longer++) {
		constant(HOUR_MS);
		dips(100000, HOUR_MS, 142000, 14000, 6000000);
		if (longer)
			dip(1804000 + 14000, 20000, 6000000);
		else
			dip(1946000 - 2500, 1500, 6000000);     /* and then comes what was awaited */
		play();
		int64_t first_ms = 1946000 + 4 * 142000;
		assert_int_equal(told_within(1818000 + 10000, first_ms + 7000), 0);
		assert_int_equal(told_before(first_ms + 14000), HIGH_W);
	}
}

static void a_period_that_changes_is_found_again(void **state)
{
	(void)state;
	constant(2 * HOUR_MS);
	dips(100000, HOUR_MS, 142000, 14000, 6000000);
	dips(HOUR_MS + 30000, 2 * HOUR_MS, 97000, 14000, 6000000);
	play();
	uint32_t found = 0, n = 0;
	for (int64_t at_ms = HOUR_MS + 30000; at_ms + 14000 < 2 * HOUR_MS; at_ms += 97000, n++)
		found += told_before(at_ms + 14000) == HIGH_W;
	assert_in_range(found, 20, n - 3 - 3);
	assert_true(it.last_ms > 2 * HOUR_MS - 97000 - 14000);
	assert_int_equal(it.broken, 0);
}

static void a_dip_that_ends_early_ends_the_belief(void **state)
{
	(void)state;
	for (int64_t lasts_ms = 12000; lasts_ms <= 24000; lasts_ms += 12000) {  /* as if of another kind, and of this */
		constant(HOUR_MS);
		dips(100000, 2000000, 200000, 30000, 20000000);
		dip(2100000, lasts_ms, 20000000);
		dips(2300000, HOUR_MS, 200000, 30000, 20000000);
		play();
		assert_int_equal(told_before(1900000 + 30000), HIGH_W);
		assert_int_equal(told_within(2100000 + lasts_ms, 2700000 + 30000), 0);
		assert_int_equal(told_before(3100000 + 30000), HIGH_W);
	}
}

static void nothing_is_told_of_a_dip_that_has_ended(void **state)
{
	(void)state;
	size_t i = 0;
	constant(HOUR_MS);
	dips(100000, 2000000, 200000, 30000, 20000000);
	dip(2100000, 12000, 20000000);
	play_until(&i, 2112000);
	assert_int_equal(rhythm_rise(&it.rhythm, 2131000), HIGH_W);
	play_until(&i, 2112500);                                /* the first half-second above */
	assert_int_equal(rhythm_rise(&it.rhythm, 2131000), 0);
}

/* Played on after so long without values; is the rise of the next dip told? */
static bool told_after_gap(int64_t at_ms, int64_t gap_ms)
{
	size_t i = 0;
	constant(HOUR_MS);
	dips(100000, HOUR_MS, 200000, 30000, 20000000);
	play_until(&i, at_ms);
	i = (size_t)((at_ms + gap_ms) / SLOT_MS);
	play_until(&i, 2400000);
	return told_before(2300000 + 30000) > 0;
}

static void nothing_is_believed_over_a_gap(void **state)
{
	(void)state;
	assert_true(told_after_gap(2110000, 2500));
	assert_false(told_after_gap(2110000, 3000));
	assert_true(told_after_gap(2200000, 2500));
	assert_false(told_after_gap(2200000, 3000));
	assert_false(told_after_gap(2200000, -2 * SLOT_MS));    /* and none where time runs backwards */
}

static void nothing_is_told_of_a_dip_before_a_gap(void **state)
{
	(void)state;
	size_t i = 0;
	constant(HOUR_MS);
	dips(100000, HOUR_MS, 200000, 30000, 20000000);
	play_until(&i, 2110000);
	assert_int_equal(rhythm_rise(&it.rhythm, 2131000), HIGH_W);
	rhythm_learn(&it.rhythm, HIGH_W, HIGH_W, CAP_W, 2120000);
	assert_int_equal(rhythm_rise(&it.rhythm, 2131000), 0);
}

/* ---- no rhythm ---- */

static void nothing_of_a_constant_load(void **state)
{
	(void)state;
	constant(2 * HOUR_MS);
	noise(2000000, 11);
	play();
	assert_int_equal(it.told, 0);
}

/* Dips at random times, like none or each like the others: that one comes when it would by a rhythm proves none. */
static void next_to_nothing_of_random_dips(void **state)
{
	(void)state;
	uint32_t told = 0, dips_made = 0;
	for (uint64_t seed = 0; seed < 20; seed++) {
		constant(2 * HOUR_MS);
		int64_t at_ms = 0;
		for (uint64_t k = 0; at_ms < 2 * HOUR_MS; k++, dips_made++) {
			int64_t lasts_ms = seed % 2 ? 15000 : 5000 + (int64_t)(40000 * dice_share(seed, 1, k));
			at_ms += (int64_t)((seed % 4 < 2 ? 40000 : 150000) * 2 * dice_share(seed, 2, k)) + 2000;
			dip(at_ms, lasts_ms, 15000000);
			at_ms += lasts_ms;
		}
		play();
		told += it.told;
	}
	assert_true(dips_made > 1000);
	assert_in_range(told, 0, 24);
}

static void nothing_of_inference(void **state)
{
	(void)state;
	const char *shared = getenv("MULLET_SHARED");
	static const char *const files[] = { "inf_h200x8_dlrm_server", "inf_h200x8_llama2_70b_server" };
	for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
		struct load_trace trace;
		char path[512];
		size_t line;
		snprintf(path, sizeof(path), "%s/traces/%s.csv", shared ? shared : "../shared", files[f]);
		if (load_trace_read(&trace, path, &line)) {
			printf("skipped: no %s\n", path);
			continue;
		}
		constant(trace.points[trace.n - 1].t_ms);
		for (size_t i = 0; i < it.n; i++)
			it.w[i] = load_trace_w(&trace, (int64_t)i * SLOT_MS, false) * 1000 / (trace.peak_w / 1000) * HIGH_W / 1000000;
		play();
		assert_int_equal(it.told, 0);
		load_trace_free(&trace);
	}
}

static void epochs_of_retinanet_are_foretold(void **state)
{
	(void)state;
	const char *shared = getenv("MULLET_SHARED");
	char path[512];
	struct load_trace trace;
	size_t line;
	snprintf(path, sizeof(path), "%s/traces/train_b200x8_retinanet.csv", shared ? shared : "../shared");
	if (load_trace_read(&trace, path, &line)) {
		printf("skipped: no %s\n", path);
		return;
	}
	constant(2 * HOUR_MS);
	for (size_t i = 0; i < it.n; i++)
		it.w[i] = load_trace_w(&trace, (int64_t)i * SLOT_MS, true) * 1000 / (trace.peak_w / 1000) * HIGH_W / 1000000;
	play();
	load_trace_free(&trace);
	assert_in_range(it.first_ms, 1300000, 2700000);
	assert_in_range(it.told, 100, 1000);
	uint32_t n = 0, low = 0;        /* epochs that began since, after so many slots below half */
	for (size_t i = (size_t)(it.first_ms / SLOT_MS) - 40; i < it.n; i++) {
		bool epoch_begins = it.w[i] > HIGH_W / 2 && low > AHEAD_MS / SLOT_MS + 1;
		assert_true(!epoch_begins || told_before((int64_t)i * SLOT_MS));
		n += epoch_begins;
		low = it.w[i] > HIGH_W / 2 ? 0 : low + 1;
	}
	assert_in_range(n, 10, 20);
	assert_int_equal(it.broken, 0);
}

static void nothing_breaks_it(void **state)
{
	(void)state;
	constant(HOUR_MS);
	for (size_t i = 0; i < 200000; i++) {
		int64_t w = (int64_t)(dice_share(1, 1, i) * 2e8) - 100000000;
		int64_t now_ms = (int64_t)(dice_share(1, 2, i / 50) * 1e12) + (int64_t)(i * 500);
		rhythm_learn(&it.rhythm, w, w + (int64_t)(i % 3) * 10000000, (int64_t)(i % 5) * 20000000, now_ms);
		assert_int_equal(rhythm_rise(&it.rhythm, now_ms + 5000), 0);
	}
}

/* Dips that come again, of a cap, depth, period and length that change, with noise, gaps and a clock that steps back. */
static void no_more_is_told_than_was_ever_drawn(void **state)
{
	(void)state;
	uint32_t told = 0;
	constant(HOUR_MS);
	int64_t now_ms = 0, top_w = 0;
	for (uint64_t i = 0; i < 200000; i++) {
		uint64_t phase = i / 20000;
		int64_t period_ms = 20000 + (int64_t)(dice_share(2, 1, phase) * 300000);
		bool low = now_ms % period_ms < 6000 + (int64_t)(dice_share(2, 2, phase) * (double)period_ms / 2);
		int64_t deep_w = (int64_t)(dice_share(2, 3, phase) * HIGH_W), cap_w = CAP_W / (int64_t)(1 + phase % 3);
		int64_t w = HIGH_W - (low ? deep_w : 0) - (int64_t)(dice_share(2, 4, i) * 1000000);
		now_ms += dice_share(2, 5, i) < 0.9999 ? SLOT_MS : (int64_t)(dice_share(2, 6, i) * 10000) - 2000;
		top_w = w > top_w - 5000 ? w : top_w - 5000;
		rhythm_learn(&it.rhythm, w, top_w, cap_w, now_ms);
		int64_t told_w = rhythm_rise(&it.rhythm, now_ms + AHEAD_MS);
		assert_in_range(told_w, 0, HIGH_W);
		told += told_w > 0;
	}
	assert_in_range(told, 1000, 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rise_is_told_once_the_dips_have_proved_to_return),
		cmocka_unit_test(a_rise_is_told_and_not_for_ever),
		cmocka_unit_test(it_is_told_the_earlier_the_more_they_differ),
		cmocka_unit_test(it_rises_to_where_it_fell_from),
		cmocka_unit_test(dips_that_come_a_little_late_or_early_are_still_theirs),
		cmocka_unit_test(a_period_that_drifts_is_followed),
		cmocka_unit_test(two_rhythms_at_once),
		cmocka_unit_test(each_length_has_its_own),
		cmocka_unit_test(dips_too_short_for_miners_hide_nothing),
		cmocka_unit_test(a_dip_is_neither_short_nor_long_nor_shallow),
		cmocka_unit_test(frequent_dips_need_more_proofs),
		cmocka_unit_test(a_dip_that_does_not_come_ends_the_belief),
		cmocka_unit_test(one_that_comes_late_is_not_believed),
		cmocka_unit_test(one_of_another_kind_is_not_taken_for_it),
		cmocka_unit_test(a_period_that_changes_is_found_again),
		cmocka_unit_test(a_dip_that_ends_early_ends_the_belief),
		cmocka_unit_test(nothing_is_told_of_a_dip_that_has_ended),
		cmocka_unit_test(nothing_is_believed_over_a_gap),
		cmocka_unit_test(nothing_is_told_of_a_dip_before_a_gap),
		cmocka_unit_test(nothing_of_a_constant_load),
		cmocka_unit_test(next_to_nothing_of_random_dips),
		cmocka_unit_test(nothing_of_inference),
		cmocka_unit_test(epochs_of_retinanet_are_foretold),
		cmocka_unit_test(nothing_breaks_it),
		cmocka_unit_test(no_more_is_told_than_was_ever_drawn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
