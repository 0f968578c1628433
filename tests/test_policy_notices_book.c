/* The book of notices: what is told again, withdrawn, a lie or too much. */
#include "tests/notices_play.h"

static void withdrawn_and_moved(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "gone", AT, 100 * KW, 0);
	notice(&play, "later", AT, 60 * KW, 0);
	run_to(&play, 5 * SEC);
	notice(&play, "gone", AT, 0, 0);
	notice(&play, "later", AT + 60 * SEC, 60 * KW, 0);
	notice(&play, "never told", AT, 0, 0);
	run_to(&play, AT + 45 * SEC);
	assert_int_equal(play.rig.sleeps, 0);
	assert_int_equal(play.book.n, 1);
	run_to(&play, AT + 60 * SEC);
	assert_in_range(rig_miners_w(&play.rig), 192 * KW - 63 * KW, 192 * KW - 60 * KW);
	notice(&play, "later", AT, 0, 0);
	run_to(&play, AT + 90 * SEC);
	assert_int_equal(rig_miners_w(&play.rig), 192 * KW);
	assert_int_equal(play.trues + play.falses, 0);
	(void)unused;
}

static void told_twice_is_told_once(void **unused)
{
	struct play play;
	open_play(&play, ALL);
	notice(&play, "job", AT, 100 * KW, 0);
	move(&play, AT, 100 * KW, 0);
	run_to(&play, AT + 10 * SEC);
	notice(&play, "job", AT, 100 * KW, 0);
	assert_int_equal(play.book.n, 1);
	assert_int_equal(play.book.notices[0].moved_w, 100 * KW);
	(void)unused;
}

static uint32_t drawn(uint32_t *lot)
{
	*lot = *lot * 1664525 + 1013904223;
	return *lot >> 8;
}

/* Lies of any kind beside a load that stands still: never over the cap, and in the end everybody is awake again. */
static void lies_never_cost_the_cap(void **unused)
{
	for (uint32_t seed = 1; seed <= 60; seed++) {
		struct play play;
		uint32_t lot = seed;
		char id[16];
		open_play(&play, ALL - 20);
		play.rig.conf.target_w = seed % 3 == 0 ? ROOM_W - 30 * KW : POLICY_NONE;
		for (int i = 0; i < 40; i++) {
			snprintf(id, sizeof(id), "job-%u", drawn(&lot) % 12);
			int64_t delta_w = ((int64_t)(drawn(&lot) % 801) - 400) * KW;
			int64_t at_ms = at_of(&play) + drawn(&lot) % 60000, over_ms = drawn(&lot) % 20000;
			notice(&play, id, at_ms, delta_w, over_ms);
			run_to(&play, at_of(&play) + drawn(&lot) % 10000);
		}
		assert_int_equal(play.over_ms, 0);
		run_to(&play, at_of(&play) + 300 * SEC);
		assert_int_equal(play.book.n, 0);
		assert_true(rig_miners_w(&play.rig) >= (ALL - 20) * RIG_MINER_W - (seed % 3 == 0 ? 33 * KW : 3 * KW));
	}
	(void)unused;
}

static void the_book_has_an_end(void **unused)
{
	struct notice_book book = { .n = 0 };
	struct notice n = { .id = "a", .at_ms = 100 * SEC, .delta_w = KW };
	assert_int_equal(notices_take(&book, &n, 130 * SEC), NOTICE_OVER);
	assert_int_equal(notices_take(&book, &n, 130 * SEC - 1), NOTICE_TAKEN);
	assert_int_equal(notices_take(&book, &n, 130 * SEC - 1), NOTICE_KNOWN);
	n.at_ms += NOTICE_MOST_AHEAD_MS;
	assert_int_equal(notices_take(&book, &n, 100 * SEC - 1), NOTICE_FAR);
	for (int i = 1; i < NOTICES_MOST; i++) {
		snprintf(n.id, sizeof(n.id), "n%d", i);
		n.at_ms = (300 - i) * SEC;
		assert_int_equal(notices_take(&book, &n, 0), NOTICE_TAKEN);
	}
	for (size_t i = 1; i < book.n; i++)
		assert_true(book.notices[i - 1].at_ms <= book.notices[i].at_ms);
	snprintf(n.id, sizeof(n.id), "one more");
	n.at_ms = book.notices[NOTICES_MOST - 1].at_ms;         /* no sooner than the last */
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_FULL);
	snprintf(n.id, sizeof(n.id), "n7");
	n.at_ms = SEC;
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_TAKEN);
	assert_string_equal(book.notices[0].id, "n7");
	assert_int_equal(book.n, NOTICES_MOST);
	(void)unused;
}

/* What comes in a minute is not kept out by what comes in days, but what is due already stays. */
static void in_a_full_book_the_last_gives_way_to_one_sooner(void **unused)
{
	struct notice_book book = { .n = 0 };
	struct notice n = { .delta_w = KW };
	for (int i = 0; i < NOTICES_MOST; i++) {
		snprintf(n.id, sizeof(n.id), "far%d", i);
		n.at_ms = (24 + i) * 3600 * SEC;
		assert_int_equal(notices_take(&book, &n, 0), NOTICE_TAKEN);
	}
	n = (struct notice){ .id = "job", .at_ms = 60 * SEC, .delta_w = 5000 * KW };
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_INSTEAD);
	assert_int_equal(book.n, NOTICES_MOST);
	assert_string_equal(book.notices[0].id, "job");
	assert_string_equal(book.notices[NOTICES_MOST - 1].id, "far62");
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_KNOWN);
	book.notices[NOTICES_MOST - 1].due = true;
	n = (struct notice){ .id = "job2", .at_ms = 120 * SEC, .delta_w = KW };
	assert_int_equal(notices_take(&book, &n, 0), NOTICE_FULL);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(withdrawn_and_moved),
		cmocka_unit_test(told_twice_is_told_once),
		cmocka_unit_test(lies_never_cost_the_cap),
		cmocka_unit_test(the_book_has_an_end),
		cmocka_unit_test(in_a_full_book_the_last_gives_way_to_one_sooner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
