#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "policy/windows.h"

#define NOW 1000000

static const struct policy_response at_once = { 0, 1 }, quick = { 2000, 2000 }, slow = { 10000, 120000 };
static const struct policy_window five_s = { 5000, 1000000 };

static int64_t allow(struct policy_course *course, const struct policy_window *window, const struct policy_response *r,
                     bool up, int64_t now_ms)
{
	return windows_allow_w(course, window, 1, r, up, now_ms);
}

static void without_windows_all_is_allowed(void **state)
{
	(void)state;
	struct policy_course course = { 0 };
	assert_true(windows_allow_w(&course, NULL, 0, &quick, true, NOW) == POLICY_NONE);
}

static void a_window_allows_its_change_once(void **state)
{
	(void)state;
	struct policy_course course = { 0 };
	assert_int_equal(allow(&course, &five_s, &quick, true, NOW), 1000000);
	windows_note(&course, &quick, 400000, NOW);
	assert_int_equal(allow(&course, &five_s, &quick, true, NOW), 600000);
	windows_note(&course, &quick, 600000, NOW);
	assert_int_equal(allow(&course, &five_s, &quick, true, NOW), 0);
	assert_int_equal(allow(&course, &five_s, &quick, true, NOW + 4900), 0);
	/* A half-second for where windows begin, then what left it step by step. */
	int64_t partly_w = allow(&course, &five_s, &at_once, true, NOW + 2000 + 5000 + 1500);
	assert_in_range(partly_w, 200000, 800000);
	assert_int_equal(allow(&course, &five_s, &at_once, true, NOW + 4000 + 5500), 1000000);
}

static void up_and_down_are_counted_apart(void **state)
{
	(void)state;
	struct policy_course course = { 0 };
	windows_note(&course, &quick, -1000000, NOW);
	assert_int_equal(allow(&course, &five_s, &quick, false, NOW), 0);
	/* It may come back: from where it fell to, and no further. */
	assert_int_equal(allow(&course, &five_s, &quick, true, NOW + 2500), 1000000);
}

static void what_counts_is_when_the_meter_sees_it(void **state)
{
	(void)state;
	struct policy_course course = { 0 };
	windows_note(&course, &slow, 1000000, NOW);
	/* Ten seconds of dead time: an order that shows before is not hindered. */
	assert_int_equal(allow(&course, &five_s, &at_once, true, NOW), 1000000);
	/* Nothing much is seen in any 5 s of two minutes' ramp: 24 times as much may go, less half a second. */
	struct policy_course empty = { 0 };
	assert_in_range(allow(&empty, &five_s, &slow, true, NOW), 21000000, 24000000);
	/* The quick must fit beside the slow while these ramp. */
	int64_t beside_w = allow(&course, &five_s, &at_once, true, NOW + 60000);
	assert_in_range(beside_w, 1000000 - 1000000 / 21, 1000000 - 1000000 / 25);
}

static void the_strictest_window_binds(void **state)
{
	(void)state;
	const struct policy_window both[] = { { 15000, 1500000 }, { 5000, 1000000 } };
	struct policy_course course = { 0 };
	assert_int_equal(windows_allow_w(&course, both, 2, &at_once, true, NOW), 1000000);
	windows_note(&course, &at_once, 1000000, NOW);
	assert_int_equal(windows_allow_w(&course, both, 2, &at_once, true, NOW + 6000), 500000);
}

static void an_old_course_and_an_early_one_are_harmless(void **state)
{
	(void)state;
	struct policy_course course = { 0 };
	assert_int_equal(allow(&course, &five_s, &quick, true, 0), 1000000);
	windows_note(&course, &quick, 1000000, 0);
	assert_int_equal(allow(&course, &five_s, &quick, true, INT64_C(1) << 40), 1000000);
	const struct policy_response endless = { 3600000, 3600000 };
	windows_note(&course, &endless, 1000000, INT64_C(1) << 40);
	assert_int_equal(allow(&course, &five_s, &quick, true, INT64_C(1) << 40), 1000000);
}

/* The course itself, as a meter would see it, by half-seconds. */
static int64_t seen_w(const int64_t *cum, int64_t i) { return i < 0 ? 0 : cum[i]; }

/* By law: who moves all that is allowed, at random times and with random responses, breaks no window. */
static void moved_as_allowed_no_window_is_broken(void **state)
{
	(void)state;
	enum { STEPS = 2000, STEP_MS = 200, SLOTS = STEPS * STEP_MS / 100 + 3000 };
	static int64_t draw_w[SLOTS];
	const struct policy_window windows[] = { { 5000, 1000000 }, { 15000, 2000000 } };
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct policy_course course = { 0 };
		uint64_t moved = 0;
		srand(seed);
		memset(draw_w, 0, sizeof draw_w);
		for (int64_t step = 0; step < STEPS; step++) {
			const struct policy_response r = { rand() % 12000, 1 + rand() % (seed % 2 ? 8000 : 60000) };
			bool up = rand() % 2;
			int64_t now_ms = NOW + step * STEP_MS + rand() % STEP_MS;
			if (rand() % 8)
				continue;
			int64_t w = windows_allow_w(&course, windows, 2, &r, up, now_ms);
			w = rand() % 3 ? w : w / 2;
			windows_note(&course, &r, up ? w : -w, now_ms);
			moved += (uint64_t)w;
			for (int64_t i = 0; i < SLOTS; i++) {
				int64_t on_ms = i * 100 - (now_ms - NOW) - r.delay_ms;
				int64_t there_ms = on_ms < 0 ? 0 : on_ms > r.ramp_ms ? r.ramp_ms : on_ms;
				draw_w[i] += (up ? w : -w) * there_ms / r.ramp_ms;
			}
		}
		assert_true(moved > 20000000);
		for (size_t k = 0; k < 2; k++)
			for (int64_t i = 0; i < SLOTS; i++)
				for (int64_t back = 0; back <= windows[k].within_ms / 100; back++) {
					int64_t change_w = draw_w[i] - seen_w(draw_w, i - back);
					if (llabs(change_w) > windows[k].change_w + 100)
						fail_msg("seed %u: %lld W in %lld ms", seed, (long long)change_w, (long long)back * 100);
				}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_windows_all_is_allowed),
		cmocka_unit_test(a_window_allows_its_change_once),
		cmocka_unit_test(up_and_down_are_counted_apart),
		cmocka_unit_test(what_counts_is_when_the_meter_sees_it),
		cmocka_unit_test(the_strictest_window_binds),
		cmocka_unit_test(an_old_course_and_an_early_one_are_harmless),
		cmocka_unit_test(moved_as_allowed_no_window_is_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
