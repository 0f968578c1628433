/* How old what the site's meter says is: as long as it has stood, and half of the time of which it is the mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/site_parts.h"
#include "tests/scenario.h"

#define SEC 1000LL
#define KW  1000LL

static int64_t age_ms(int64_t averaged_ms)
{
	struct scenario s;
	scenario_open(&s, &(struct scenario_conf){
		.world = { .truth = { .seed = 1, .load = { .pattern = LOAD_TRAINING, .peak_w = 100 * KW },
		                      .n_pdus = 2, .house_w = 3000 } },
		.n_miners = 10, .cap_w = 400 * KW, .pdu_nameplate_w = 60 * KW, .averaged_ms = averaged_ms });
	scenario_run(&s, 30 * SEC);
	assert_int_equal(s.site->meters[0].newest.fault, FAULT_NONE);
	assert_int_equal(s.site->meters[1].newest.age_ms, 0);
	int64_t age_ms = s.site->meters[0].newest.age_ms;
	scenario_close(&s);
	return age_ms;
}

static void a_mean_is_half_its_time_old(void **unused)
{
	int64_t stood_ms = age_ms(0);
	assert_in_range(stood_ms, 0, 400);
	assert_int_equal(age_ms(3000), stood_ms + 1500);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_mean_is_half_its_time_old) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
