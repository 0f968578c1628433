/* A series taken apart by periods, and its largest change in a window. */
#include "tests/fast_bed.h"

static void a_wave_lies_in_its_band_whole(void **unused)
{
	static const double periods_s[] = { 4, 30, 200, 1200 };
	(void)unused;
	for (int p = 0; p < FAST_BANDS; p++) {
		static double x[18000];
		struct spectrum s;
		wave(x, 18000, 0.2, periods_s[p], 1000);
		spectrum_make(&s, x, 18000, 0.2);
		for (int b = 0; b < FAST_BANDS; b++) {
			double rms = spectrum_rms(&s, fast_band_s[b], fast_band_s[b + 1]);
			if (b == p)
				NEAR(rms, 1000 / sqrt(2), 0.1);
			else
				NEAR(rms, 0, 0.1);
		}
		spectrum_free(&s);
	}
}

static void the_bands_add_up_to_the_variance(void **unused)
{
	static double x[1000];
	double mean = 0, variance = 0;
	struct spectrum s;
	(void)unused;
	srand(1);
	for (int i = 0; i < 1000; i++)
		mean += (x[i] = rand() % 1000 + i) / 1000;
	for (int i = 0; i < 1000; i++)
		variance += (x[i] - mean) * (x[i] - mean) / 1000;
	spectrum_make(&s, x, 1000, 1);
	NEAR(spectrum_rms(&s, 0, INFINITY), sqrt(variance), 1e-6 * sqrt(variance));
	spectrum_free(&s);
}

/* 997 is prime: a few values at the end are left out, and no more. */
static void any_length_will_do(void **unused)
{
	static double x[997];
	struct spectrum s;
	(void)unused;
	wave(x, 997, 1, 20, 10);
	spectrum_make(&s, x, 997, 1);
	NEAR(spectrum_rms(&s, 10, 60), 10 / sqrt(2), 0.2);
	assert_int_equal(s.n, 973);             /* 972 = 2² 3⁵ */
	spectrum_free(&s);
}

static void a_drift_is_no_fast_movement(void **unused)
{
	static double x[18000];
	struct spectrum s;
	(void)unused;
	for (int i = 0; i < 18000; i++)
		x[i] = i;
	spectrum_make(&s, x, 18000, 0.2);
	NEAR(spectrum_rms(&s, 600, INFINITY), 18000 / sqrt(12), 20);
	assert_true(spectrum_rms(&s, 2, 10) < 1);
	spectrum_free(&s);
}

/* ---- largest change ---- */

static void the_largest_change_is_within_its_window(void **unused)
{
	static const double x[] = { 0, 1, 2, 3, 4, 5, 5, 5, 9, 5, 5, -2, 5 };
	(void)unused;
	NEAR(fast_largest_change(x, 13, 1), 7, 0);
	NEAR(fast_largest_change(x, 13, 2), 7, 0);
	NEAR(fast_largest_change(x, 13, 3), 11, 0);
	NEAR(fast_largest_change(x, 6, 3), 3, 0);
	NEAR(fast_largest_change(x, 13, 100), 11, 0);
	NEAR(fast_largest_change(x, 1, 5), 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wave_lies_in_its_band_whole),
		cmocka_unit_test(the_bands_add_up_to_the_variance),
		cmocka_unit_test(any_length_will_do),
		cmocka_unit_test(a_drift_is_no_fast_movement),
		cmocka_unit_test(the_largest_change_is_within_its_window),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
