/* The site's meter falls, and nothing else that has one: miners rise into that only once their own moves have shown that it is so. */
#include "tests/fusion_bench.h"

static void open_gap_bench(struct bench *b, int64_t house_w)
{
	*b = (struct bench){ .n = 0 };
	rig_init(&b->rig, 500 * KW, ALL);
	b->rig.house_w = house_w;
	run(b, 400 * SEC);
	assert_no_lie(b);
}

static bool in_gap(const struct bench *b) { return fusion(b)->gap.since_ms; }

/* One of three phases is lost, where as much may be drawn by what has no meter. */
static void a_lost_phase_wakes_nobody(void **unused)
{
	for (int64_t house_w = 250 * KW; house_w <= 400 * KW; house_w += 50 * KW) {
		struct bench b;
		open_gap_bench(&b, house_w);
		int64_t before_w = rig_miners_w(&b.rig);
		b.lies.site_permille = 667;
		for (int i = 0; i < 2400; i++) {
			step(&b);
			assert_true(rig_miners_w(&b.rig) <= before_w + 2 * KW);
		}
		assert_int_equal(on_site(&b), LIE_SCALED);
		assert_int_equal(on_hpc(&b), LIE_NONE);
		b.rig.gpus_w += 60 * KW;        /* what was known of the rest is known still */
		run(&b, 30 * SEC);
		assert_true(true_w(&b) <= RIG_CAP_W);
		b.rig.gpus_w -= 60 * KW;
		b.lies = (struct lies){ 0 };
		until(&b, LIE_NONE, LIE_NONE, 300);
		run(&b, 300 * SEC);
		assert_in_range(rig_miners_w(&b.rig), before_w - 20 * KW, before_w + 20 * KW);
	}
	(void)unused;
}

/* Nor after an order that held the miners down for an hour when it was lost. */
static void what_holds_miners_down_does_not_make_it_true(void **unused)
{
	for (int64_t house_w = 300 * KW; house_w <= 400 * KW; house_w += 50 * KW) {
		struct bench b;
		open_gap_bench(&b, house_w);
		b.rig.demand.miners_w = b.rig.demand.miners_soon_w = 30 * KW;
		run(&b, 60 * SEC);
		b.lies.site_permille = 667;
		run(&b, 3600 * SEC);
		b.rig.demand.miners_w = b.rig.demand.miners_soon_w = POLICY_NONE;
		for (int i = 0; i < 2400; i++) {
			step(&b);
			assert_true(true_w(&b) <= RIG_CAP_W);
		}
		assert_int_equal(on_site(&b), LIE_SCALED);
	}
	(void)unused;
}

static int64_t fall_and_wake_s(struct bench *b, int64_t to_w)
{
	int64_t before_w = rig_miners_w(&b->rig), fell_w = b->rig.house_w - to_w, begin_ms = b->rig.now_ms;
	b->rig.house_w = to_w;
	while (rig_miners_w(&b->rig) < before_w + fell_w * 9 / 10 && b->rig.now_ms - begin_ms < 1800 * SEC) {
		step(b);
		assert_no_lie(b);
		assert_true(true_w(b) <= RIG_CAP_W);
	}
	return (b->rig.now_ms - begin_ms) / SEC;
}

/* That costs some minutes, once: then such falls are known. */
static void a_true_fall_is_filled(void **unused)
{
	struct bench b;
	open_gap_bench(&b, 430 * KW);
	assert_in_range(fall_and_wake_s(&b, 310 * KW), 100, 420);
	assert_false(in_gap(&b));
	b.rig.house_w = 430 * KW;
	run(&b, 400 * SEC);
	assert_in_range(fall_and_wake_s(&b, 310 * KW), 10, 120);
	(void)unused;
}

/* It shows the GPUs only, which agrees with all there is while miners sleep; so it is believed again, but not before it has
 * shown a few of them. */
static void one_believed_again_while_miners_sleep_is_tested(void **unused)
{
	struct bench b;
	open_gap_bench(&b, 380 * KW);
	b.rig.gpus_w = 700 * KW;        /* over the cap without any miner */
	run(&b, 60 * SEC);
	assert_int_equal(rig_miners_w(&b.rig) / KW, 0);
	b.lies.swapped = true;
	run(&b, 20 * SEC);
	b.rig.gpus_w = 560 * KW;
	uint32_t believed = 0;
	for (int i = 0; i < 3600; i++) {
		enum lie before = on_site(&b);
		step(&b);
		believed += before != LIE_NONE && on_site(&b) == LIE_NONE;
		assert_true(true_w(&b) <= RIG_CAP_W * (believed ? 102 : 107) / 100);
	}
	assert_in_range(believed, 1, 5);
	b.lies = (struct lies){ 0 };
	run(&b, 1800 * SEC);
	assert_no_lie(&b);
	assert_in_range(true_w(&b), 970 * KW, RIG_CAP_W);
	(void)unused;
}

/* What has a meter of its own does not fall alone: the sun behind the site's meter comes out. */
static void what_has_a_meter_leaves_no_gap(void **unused)
{
	for (int metered = 0; metered < 2; metered++) {
		struct bench b;
		open_gap_bench(&b, 250 * KW);
		b.rig.meter_groups[RIG_BACKUP] = (struct policy_meter_group){ MEASURES_OTHER, -1, 1, 3000 };
		b.rig.conf.n_meters = 4;
		b.rig.conf.n_meter_groups = 3;
		bool gap = false;
		for (int i = 0; i < 800; i++) {
			b.rig.house_w = i < 400 ? 250 * KW : 100 * KW;
			look(&b);
			b.rig.meters[RIG_SPARE].import_w = metered ? b.rig.house_w - 250 * KW : 0;
			rig_decide(&b.rig);
			gap |= in_gap(&b) || fusion(&b)->gap.opens;
		}
		assert_int_equal(gap, !metered);
	}
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_phase_wakes_nobody),
		cmocka_unit_test(what_holds_miners_down_does_not_make_it_true),
		cmocka_unit_test(a_true_fall_is_filled),
		cmocka_unit_test(one_believed_again_while_miners_sleep_is_tested),
		cmocka_unit_test(what_has_a_meter_leaves_no_gap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
