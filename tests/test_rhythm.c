/* Where a dip returns and has proved to, the rise at its end is foretold. */
#include "tests/rhythm_course.h"

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
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 4500000 + 148500), 0);
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 4500000 + 149000), HIGH_W);
	play_until(&i, 4900000 + 152000);
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 4900000 + 157000), HIGH_W);
	play_until(&i, 4900000 + 165000);
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 4900000 + 170000), 0);
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
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 2500000 + 36500), 0);
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 2500000 + 37000), HIGH_W);
	play_until(&i, 2500000 + 50000);
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 2500000 + 60000), HIGH_W);
	play_until(&i, 2500000 + 52000);
	assert_int_equal(rhythm_rise(&it.rhythm, 0, 0, 2500000 + 60000), 0);
}

/* A slow climb is above one level after the other, each time by no more than it climbs while miners follow. */
static void from_a_slow_climb_it_rises_a_little(void **state)
{
	(void)state;
	constant(HOUR_MS);
	uint32_t told = 0;
	for (size_t i = 0; i < it.n; i++) {
		int64_t at_ms = (int64_t)i * SLOT_MS % 240000;  /* 20 MW down and up again, at 1 MW in 6 s */
		it.w[i] -= (at_ms < 120000 ? at_ms : 240000 - at_ms) / 1000 * 20000000 / 120;
	}
	play();
	for (size_t i = 0; i < it.n; i++) {
		told += it.told_w[i] > 0;
		assert_true(it.told_w[i] < it.w[i] + 4000000);
	}
	assert_true(told > 500);
	assert_int_equal(rhythm_rise(&it.rhythm, 2000000, AHEAD_MS, HOUR_MS), 0);
}

/* What is kept free for rises is for such. */
static void a_rise_that_is_kept_free_for_is_not_told(void **state)
{
	(void)state;
	size_t i = 0;
	constant(HOUR_MS);
	dips(100000, HOUR_MS, 200000, 30000, 20000000);
	play_until(&i, 2900000 + 28000);
	assert_int_equal(rhythm_rise(&it.rhythm, 17500000, AHEAD_MS, 2900000 + 28000), HIGH_W);
	assert_int_equal(rhythm_rise(&it.rhythm, 18000000, AHEAD_MS, 2900000 + 28000), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rise_is_told_once_the_dips_have_proved_to_return),
		cmocka_unit_test(a_rise_is_told_and_not_for_ever),
		cmocka_unit_test(it_is_told_the_earlier_the_more_they_differ),
		cmocka_unit_test(from_a_slow_climb_it_rises_a_little), cmocka_unit_test(a_rise_that_is_kept_free_for_is_not_told),
		cmocka_unit_test(it_rises_to_where_it_fell_from),
		cmocka_unit_test(dips_that_come_a_little_late_or_early_are_still_theirs),
		cmocka_unit_test(a_period_that_drifts_is_followed),
		cmocka_unit_test(two_rhythms_at_once),
		cmocka_unit_test(each_length_has_its_own),
		cmocka_unit_test(dips_too_short_for_miners_hide_nothing),
		cmocka_unit_test(a_dip_is_neither_short_nor_long_nor_shallow),
		cmocka_unit_test(frequent_dips_need_more_proofs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
