/* The control law where the GPUs are seen by a page of metrics, half a minute old: the site's meter stays what counts. */
#include "tests/policy_says.h"

#define KW 1000
#define COLLECTED_MS 30000
#define AVERAGED_MS 1000

struct page { int64_t collected_ms, gpus_w; };

/* Everything is read; then both PDUs say what stands on the page. At its age the driver can only tell the worst. */
static void page_step(struct rig *rig, struct page *page)
{
	rig->now_ms += RIG_STEP_MS;
	rig_read(rig);
	if (rig->now_ms - page->collected_ms >= COLLECTED_MS)
		*page = (struct page){ rig->now_ms, rig->gpus_w };
	for (size_t i = RIG_PDU_1; i <= RIG_PDU_2; i++)
		rig->meters[i] = (struct meter_reading){ .fault = FAULT_NONE, .import_w = page->gpus_w / 2,
		                                         .at_ms = rig->now_ms - COLLECTED_MS - AVERAGED_MS };
	rig_decide(rig);
}

static void page_rig(struct rig *rig, int64_t gpus_w, uint32_t awake)
{
	rig_init(rig, gpus_w, awake);
	rig->house_w = 30 * KW;
	rig->meter_groups[RIG_PDU].stale_ms = 2000 + COLLECTED_MS + AVERAGED_MS + 2000;
}

static int64_t load_w_at(int64_t ms)
{
	return (ms < 70000 ? 810 : ms < 110000 ? 870 : ms < 140000 ? 780 : 830) * KW;
}

static uint32_t over_cap(const struct rig *rig)
{
	return rig->gpus_w + rig->house_w + rig_miners_w(rig) > RIG_CAP_W;
}

/* Steps of the load at every phase of the page, beside PDUs that tell at once: while miners are under way it may put a few
 * more to sleep, for what the page lags behind looks like the rest; it never leaves more awake, nor is longer over the cap. */
static void a_slow_page_never_leaves_more_awake(void **unused)
{
	for (int64_t phase_ms = 0; phase_ms < COLLECTED_MS; phase_ms += 2750) {
		struct rig quick, slow;
		struct page page = { 0, 0 };
		uint32_t quick_over = 0, slow_over = 0;
		page_rig(&quick, 810 * KW, 45);
		page_rig(&slow, 810 * KW, 45);
		for (int64_t ms = 0; ms < 300000; ms += RIG_STEP_MS) {
			quick.gpus_w = slow.gpus_w = load_w_at(ms - phase_ms);
			rig_step(&quick);
			page_step(&slow, &page);
			quick_over += over_cap(&quick);
			slow_over += over_cap(&slow);
			assert_in_range(slow.sleeps + quick.wakes - quick.sleeps - slow.wakes, 0, 2);
			if (slow.out.picture.phases[PHASE_WAKING] + slow.out.picture.phases[PHASE_FALLING] == 0)
				assert_int_equal(slow.out.picture.load_w, slow.gpus_w + slow.house_w);
		}
		assert_true(slow.sleeps > 0 && slow.wakes > 0 && quick_over > 0);
		assert_in_range(slow_over, 0, quick_over);
	}
	(void)unused;
}

/* The page is as old as it says: its age is told, it is not stale, and it is no reason to call the site's meter frozen. */
static void an_old_page_is_no_silent_one(void **unused)
{
	struct rig rig;
	struct page page = { 0, 0 };
	page_rig(&rig, 800 * KW, 50);
	for (int64_t ms = 0; ms < 200000; ms += RIG_STEP_MS) {
		rig.gpus_w = (ms / 20000 % 2 ? 800 : 790) * KW;
		rig.house_w = (ms / 20000 % 2 ? 30 : 40) * KW;          /* the site stands still, the page does not */
		page_step(&rig, &page);
		assert_true(rig.out.picture.site_known && rig.out.picture.hpc_whole);
		assert_int_equal(rig.out.picture.stale_meters, 0);
		assert_int_equal(rig.out.picture.doubt_w, 0);
		assert_int_equal(rig.out.picture.hpc_age_ms, COLLECTED_MS + AVERAGED_MS);
	}
	(void)unused;
}

/* A page that is late beyond its time is a silent meter like any other: its nameplate is kept free. */
static void a_page_that_stays_away_is_doubted(void **unused)
{
	struct rig rig;
	struct page page = { 0, 0 };
	page_rig(&rig, 800 * KW, 50);
	for (int64_t ms = 0; ms < 75000; ms += RIG_STEP_MS)
		page_step(&rig, &page);
	assert_int_equal(rig.sleeps, 0);
	rig.mute[RIG_PDU_1] = rig.mute[RIG_PDU_2] = true;
	rig_run(&rig, 4000);
	assert_int_equal(rig.out.picture.doubt_w, 0);
	rig_step(&rig);
	assert_int_equal(rig.out.picture.doubt_w, 2 * 500 * KW - 800 * KW);
	assert_true(rig.sleeps > 0);
	(void)unused;
}

/* The site's meter falls silent while the page does not know yet of a rise that it had shown: the load stays what it was. */
static void a_slow_page_forgets_no_rise_with_the_site(void **unused)
{
	struct rig rig;
	struct page page = { 0, 0 };
	page_rig(&rig, 700 * KW, 40);
	for (int64_t ms = 0; ms < 61000 || rig.now_ms - page.collected_ms > 1000; ms += RIG_STEP_MS)
		page_step(&rig, &page);
	rig.gpus_w = 760 * KW;
	for (int64_t ms = 0; ms < 5000; ms += RIG_STEP_MS)
		page_step(&rig, &page);
	assert_int_equal(rig.out.picture.load_w, 790 * KW);
	rig.mute[RIG_MAIN] = true;
	for (int64_t ms = 0; ms < 10000; ms += RIG_STEP_MS) {
		page_step(&rig, &page);
		assert_true(rig.out.picture.load_w >= 790 * KW);
	}
	assert_false(rig.out.picture.site_known);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_page_never_leaves_more_awake),
		cmocka_unit_test(an_old_page_is_no_silent_one),
		cmocka_unit_test(a_page_that_stays_away_is_doubted),
		cmocka_unit_test(a_slow_page_forgets_no_rise_with_the_site),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
