/* Dips that return are foretold once they have proved to; nothing is foretold of a load without rhythm. */
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

enum { SLOT_MS = 500, SLOTS = 2 * 3600 * 4, TOP_SLOTS = 128, HOUR_MS = 3600000 };
enum { CAP_W = 50000000, HIGH_W = 45000000 };
enum { AHEAD_MS = 5000, USE_MS = 6000 };        /* what is asked for: a claim from 5 s to 11 s ahead */

static struct {
	int64_t w[SLOTS];
	size_t n;
	struct rhythm rhythm;
	/* what play() saw */
	uint32_t claimed, broken;       /* slots in which a claim was made; and it did not hold */
	int64_t first_ms, last_ms;      /* of a claim; -1: none */
	int64_t deepest_w;
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

static bool holds(const struct rhythm_claim *claim, int64_t from_ms, int64_t to_ms)
{
	/* What is seen at (i + 1) slots fills the half-second before. */
	for (int64_t i = from_ms / SLOT_MS; i < to_ms / SLOT_MS && (size_t)i < it.n; i++)
		if (it.w[i] > claim->highest_w)
			return false;
	return true;
}

static void play_until(size_t *i, int64_t until_ms)
{
	for (; *i < it.n && (int64_t)*i * SLOT_MS < until_ms; ++*i) {
		int64_t now_ms = (int64_t)(*i + 1) * SLOT_MS;
		struct rhythm_claim claim;
		rhythm_learn(&it.rhythm, it.w[*i], top_at(*i), CAP_W, now_ms);
		if (!rhythm_below(&it.rhythm, now_ms + AHEAD_MS, now_ms + AHEAD_MS + USE_MS, &claim))
			continue;
		it.first_ms = it.claimed ? it.first_ms : now_ms;
		it.last_ms = now_ms;
		it.claimed++;
		it.broken += !holds(&claim, now_ms + AHEAD_MS, now_ms + AHEAD_MS + USE_MS);
		it.deepest_w = claim.at_stake_w > it.deepest_w ? claim.at_stake_w : it.deepest_w;
	}
}

static void play(void)
{
	size_t i = 0;
	play_until(&i, INT64_MAX);
}

/* ---- rhythms ---- */

static void dips_are_foretold_before_they_come(void **state)
{
	(void)state;
	constant(HOUR_MS);
	dips(100000, HOUR_MS, 142000, 14000, 6000000);
	play();
	/* Three dips to find it, four to prove it; then each is told while it is still ahead. */
	assert_in_range(it.first_ms, 100000 + 6 * 142000, 100000 + 8 * 142000);
	assert_int_equal(it.broken, 0);
	assert_in_range(it.claimed, 16 * 4, 18 * 14);
	assert_in_range(it.deepest_w, 4800000, 6000000);
	assert_int_equal(it.rhythm.late + it.rhythm.early, 0);
	assert_in_range(it.rhythm.kept, 15, 16 * RHYTHM_LEVELS);
}

static void a_claim_tells_when_and_how_much(void **state)
{
	(void)state;
	size_t i = 0;
	struct rhythm_claim claim;
	constant(HOUR_MS);
	dips(100000, HOUR_MS, 200000, 30000, 20000000);
	play_until(&i, 100000 + 12 * 200000 - 50000);
	assert_true(rhythm_next(&it.rhythm, (int64_t)i * SLOT_MS, &claim));
	assert_in_range(claim.from_ms, 2500000, 2502500);
	assert_int_equal(claim.known_ms, claim.from_ms);
	assert_in_range(claim.until_ms, 2526000, 2529500);
	assert_in_range(claim.period_ms, 199500, 200500);
	assert_int_equal(claim.highest_w + claim.at_stake_w, HIGH_W);
	assert_in_range(claim.at_stake_w, 16000000, 20000000);
	play_until(&i, 2505000);
	assert_true(rhythm_next(&it.rhythm, (int64_t)i * SLOT_MS, &claim));
	assert_in_range(claim.known_ms, 2499500, 2501000);      /* it has come, and when it ends is known the better for it */
	assert_in_range(claim.until_ms, 2527500, 2529500);
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
	assert_in_range(it.claimed, 15 * 8, SLOTS);
	assert_in_range(it.broken, 0, it.claimed / 50);
	assert_true(it.rhythm.kept > 20 * (it.rhythm.late + it.rhythm.early));
}

static void two_rhythms_at_once(void **state)
{
	(void)state;
	constant(2 * HOUR_MS);
	dips(60000, 2 * HOUR_MS, 110000, 12000, 6000000);
	dips(90000, 2 * HOUR_MS, 731000, 45000, 20000000);
	play();
	assert_in_range(it.deepest_w, 15000000, 26000000);
	assert_in_range(it.claimed, 40 * 2, SLOTS);
	assert_in_range(it.broken, 0, it.claimed / 50);
}

static void dips_too_short_for_miners_hide_nothing(void **state)
{
	(void)state;
	constant(HOUR_MS);
	for (int64_t block_ms = 0; block_ms < HOUR_MS; block_ms += 142000) {
		dips(block_ms, block_ms + 120000, 10930, 3000, 6000000);
		dip(block_ms + 127500, 13500, 5000000);
	}
	play();
	assert_in_range(it.claimed, 14, SLOTS);
	assert_int_equal(it.broken, 0);
	assert_in_range(it.deepest_w, 3000000, 5000000);
}

/* ---- rhythms that end, change, fail ---- */

static void a_dip_that_does_not_come_ends_the_belief(void **state)
{
	(void)state;
	size_t i = 0;
	struct rhythm_claim claim;
	constant(HOUR_MS);
	dips(100000, 1900000, 142000, 14000, 6000000);          /* the last at 1804 s, the next would be at 1946 s */
	play_until(&i, 1946000);
	assert_true(rhythm_below(&it.rhythm, 1949000, 1955000, &claim));
	play_until(&i, 1948000);
	assert_false(rhythm_below(&it.rhythm, 1949000, 1955000, &claim));
	play_until(&i, INT64_MAX);
	assert_in_range(it.last_ms, 1804000, 1946000 + 4000);
	assert_in_range(it.rhythm.late, 1, RHYTHM_LEVELS);
	assert_in_range(it.broken, 1, 20);                      /* the one claimed and not come, up to its time */
}

static void a_period_that_changes_is_found_again(void **state)
{
	(void)state;
	size_t i = 0;
	constant(2 * HOUR_MS);
	dips(100000, HOUR_MS, 142000, 14000, 6000000);
	dips(HOUR_MS + 30000, 2 * HOUR_MS, 97000, 14000, 6000000);
	play_until(&i, HOUR_MS);
	assert_true(it.claimed);
	it.claimed = it.broken = 0;
	play_until(&i, INT64_MAX);
	assert_in_range(it.claimed, 20 * 4, SLOTS);
	assert_in_range(it.broken, 0, 25);
	assert_true(it.last_ms > 2 * HOUR_MS - 200000);
}

static void a_dip_that_ends_early_takes_the_claim_with_it(void **state)
{
	(void)state;
	size_t i = 0;
	struct rhythm_claim claim;
	constant(HOUR_MS);
	dips(100000, 2000000, 200000, 30000, 20000000);
	dip(2100000, 12000, 20000000);
	play_until(&i, 2111500);
	assert_true(rhythm_below(&it.rhythm, 2112000, 2120000, &claim));
	play_until(&i, 2112500);                                /* the first half-second above */
	assert_false(rhythm_below(&it.rhythm, 2112500, 2120000, &claim));
	assert_false(rhythm_next(&it.rhythm, 2112500, &claim));
	assert_in_range(it.rhythm.early, 1, RHYTHM_LEVELS);
}

static void nothing_is_believed_over_a_gap(void **state)
{
	(void)state;
	size_t i = 0;
	struct rhythm_claim claim;
	constant(HOUR_MS);
	dips(100000, HOUR_MS, 200000, 30000, 20000000);
	play_until(&i, 2000000);
	assert_true(rhythm_next(&it.rhythm, 2000000, &claim));
	rhythm_learn(&it.rhythm, HIGH_W, HIGH_W, CAP_W, 2010000);
	assert_false(rhythm_next(&it.rhythm, 2010000, &claim));
}

static void a_rise_is_told_and_not_for_ever(void **state)
{
	(void)state;
	size_t i = 0;
	constant(2 * HOUR_MS);
	dips(100000, 2 * HOUR_MS, 400000, 150000, 20000000);
	dip(100000 + 12 * 400000 + 150000, 200000, 20000000);   /* the thirteenth lasts longer */
	play_until(&i, 4500000 + 120000);                       /* the twelfth, which began at 4500 s */
	assert_int_equal(rhythm_rise(&it.rhythm, 4500000 + 130000), 0);
	assert_int_equal(rhythm_rise(&it.rhythm, 4500000 + 151000), HIGH_W);
	play_until(&i, 4900000 + 165000);
	assert_int_equal(rhythm_rise(&it.rhythm, 4900000 + 170000), 0);
}

/* ---- no rhythm ---- */

static void nothing_of_a_constant_load(void **state)
{
	(void)state;
	constant(2 * HOUR_MS);
	noise(2000000, 11);
	play();
	assert_int_equal(it.claimed, 0);
}

/* Dips at random times, like none or each like the others: nothing is believed, and never for long. */
static void next_to_nothing_of_random_dips(void **state)
{
	(void)state;
	uint32_t claimed = 0, dips_made = 0;
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
		claimed += it.claimed;
	}
	assert_true(dips_made > 1000);
	assert_in_range(claimed, 0, 40);
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
		assert_int_equal(it.claimed, 0);
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
	assert_in_range(it.claimed, 100, SLOTS);
	assert_int_equal(it.broken, 0);
	assert_int_equal(it.rhythm.late + it.rhythm.early, 0);
}

static void nothing_breaks_it(void **state)
{
	(void)state;
	struct rhythm_claim claim;
	constant(HOUR_MS);
	for (size_t i = 0; i < 200000; i++) {
		int64_t w = (int64_t)(dice_share(1, 1, i) * 2e8) - 100000000;
		int64_t now_ms = (int64_t)(dice_share(1, 2, i / 50) * 1e12) + (int64_t)(i * 500);
		rhythm_learn(&it.rhythm, w, w + (int64_t)(i % 3) * 10000000, (int64_t)(i % 5) * 20000000, now_ms);
		rhythm_below(&it.rhythm, now_ms, now_ms + 5000, &claim);
		rhythm_rise(&it.rhythm, now_ms + 5000);
		assert_false(rhythm_next(&it.rhythm, now_ms, &claim));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dips_are_foretold_before_they_come),
		cmocka_unit_test(a_claim_tells_when_and_how_much),
		cmocka_unit_test(dips_that_come_a_little_late_or_early_are_still_theirs),
		cmocka_unit_test(two_rhythms_at_once),
		cmocka_unit_test(dips_too_short_for_miners_hide_nothing),
		cmocka_unit_test(a_dip_that_does_not_come_ends_the_belief),
		cmocka_unit_test(a_period_that_changes_is_found_again),
		cmocka_unit_test(a_dip_that_ends_early_takes_the_claim_with_it),
		cmocka_unit_test(nothing_is_believed_over_a_gap),
		cmocka_unit_test(a_rise_is_told_and_not_for_ever),
		cmocka_unit_test(nothing_of_a_constant_load),
		cmocka_unit_test(next_to_nothing_of_random_dips),
		cmocka_unit_test(nothing_of_inference),
		cmocka_unit_test(epochs_of_retinanet_are_foretold),
		cmocka_unit_test(nothing_breaks_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
