/* A rhythm that ends, changes or fails is not believed any longer, and nothing is foretold of a load without one. */
#include "tests/rhythm_course.h"

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
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 2131000), HIGH_W);
	play_until(&i, 2112500);                                /* the first half-second above */
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 2131000), 0);
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
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 2131000), HIGH_W);
	rhythm_learn(&it.rhythm, HIGH_W, HIGH_W, CAP_W, AHEAD_MS, 2120000);
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 2131000), 0);
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
		rhythm_learn(&it.rhythm, w, w + (int64_t)(i % 3) * 10000000, (int64_t)(i % 5) * 20000000, AHEAD_MS, now_ms);
		assert_int_equal(rhythm_rise(&it.rhythm, 0, AHEAD_MS, now_ms), 0);
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
		rhythm_learn(&it.rhythm, w, top_w, cap_w, AHEAD_MS, now_ms);
		int64_t told_w = rhythm_rise(&it.rhythm, 0, AHEAD_MS, now_ms);
		assert_in_range(told_w, 0, HIGH_W);
		told += told_w > 0;
	}
	assert_in_range(told, 1000, 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
