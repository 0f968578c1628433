/* What is told of a decision: its commands by name, how many of each, and one sentence with the figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/record.h"

static const char *name(const void *self, uint32_t miner)
{
	static const char *const names[] = { "hall/1", "hall/2", "hall/3", "hall/4", "hall/5" };
	(void)self;
	return names[miner];
}

static struct command to_sleep(uint32_t miner)
{
	return (struct command){ miner, DEED_SLEEP, false, 0, 1, 3500, 25 };
}

static struct command to_wake(uint32_t miner, int32_t limit_w)
{
	return (struct command){ miner, DEED_WAKE, true, limit_w, 1, 25, limit_w };
}

static struct command to_power(uint32_t miner, int32_t from_w, int32_t limit_w)
{
	return (struct command){ miner, DEED_POWER, true, limit_w, 1, from_w, limit_w };
}

/* How the sentence ends: from the first move on. */
static const char *moves_of(struct command *commands, uint32_t n, uint32_t n_repeats)
{
	static char why[RECORD_WHY_SIZE];
	struct decision decision = { .reason = REASON_SHED, .picture = { .site_known = true }, .commands = commands,
	                             .n_commands = n, .n_repeats = n_repeats };
	record_why(&decision, NULL, why, sizeof(why));
	const char *moves = strchr(why, ';');
	return moves ? moves : why;
}

static void the_sentence_tells_each_kind_of_move(void **state)
{
	(void)state;
	struct command sleeps[] = { to_sleep(0), to_sleep(1) };
	assert_string_equal(moves_of(sleeps, 2, 1), "; 2 miners to sleep, -7.0 kW, 1 of them told again.");
	struct command wakes[] = { to_wake(0, 3500) };
	assert_string_equal(moves_of(wakes, 1, 0), "; 1 miner to wake, +3.5 kW.");
	struct command less[] = { to_power(0, 3500, 2000), to_power(1, 3500, 2500), to_power(2, 2100, 2000) };
	assert_string_equal(moves_of(less, 3, 0), "; 3 miners to less power, -2.6 kW.");
	struct command more[] = { to_power(4, 2000, 2500) };
	assert_string_equal(moves_of(more, 1, 0), "; 1 miner to more power, +500 W.");
}

static void moves_may_be_mixed(void **state)
{
	(void)state;
	struct command down[] = { to_power(0, 3500, 2000), to_sleep(1), to_power(2, 3500, 3000) };
	assert_string_equal(moves_of(down, 3, 0), "; 1 miner to sleep, -3.5 kW; 2 miners to less power, -2.0 kW.");
	struct command up[] = { to_wake(0, 2000), to_power(1, 2000, 3500) };
	assert_string_equal(moves_of(up, 2, 0), "; 1 miner to more power, +1.5 kW; 1 miner to wake, +2.0 kW.");
	struct command both[] = { to_wake(0, 2000), to_power(1, 3500, 2000), to_wake(2, 2000) };
	assert_string_equal(moves_of(both, 3, 0), "; 1 miner to less power, -1.5 kW; 2 miners to wake, +4.0 kW.");
}

static void the_longest_sentence_is_whole(void **state)
{
	(void)state;
	char why[RECORD_WHY_SIZE];
	struct command all[] = { to_sleep(0), to_power(1, 3500, 2000), to_power(2, 2000, 3500), to_wake(3, 3500) };
	struct decision decision = {
		.reason = REASON_TARGET, .serves = BINDING_TARGET, .binding = BINDING_WAKES_IN_FLIGHT, .commands = all, .n_commands = 4,
		.n_repeats = 4, .wanted_miners_w = 4900000000, .cap_unreachable = true,
		.picture = { .planned_w = 4900000000, .load_w = 4800000000, .target_w = 4900000000, .settled_miners_w = 4900000000,
		             .announced_w = 4900000000, .returns_to_w = 4900000000, .doubt_w = 4900000000, .stale_meters = 99999 },
	};
	record_why(&decision, NULL, why, sizeof(why));
	assert_non_null(strstr(why, "it is not enough."));
	assert_true(strlen(why) + 1 < sizeof(why));
	decision.serves = decision.binding = BINDING_METER_GAP;
	decision.picture.site_known = true;
	record_why(&decision, NULL, why, sizeof(why));
	assert_non_null(strstr(why, "; the site's meter fell alone, or was distrusted until lately: a few miners' moves are to show "
	                            "whether it tells the truth; "));
	assert_non_null(strstr(why, "it is not enough."));
	assert_true(strlen(why) + 1 < sizeof(why));
}

static void the_plan_says_where_it_comes_from(void **state)
{
	(void)state;
	char why[RECORD_WHY_SIZE];
	static const struct { int64_t load_w, hold_ms, returns_to_w; const char *starts, *says; } plans[] = {
		{ 820000, 0, 0, "Load up to 820.0 kW, ", "heading for" },
		{ 700000, 60000, 0, "Load up to 820.0 kW within the last minute, ", "heading for" },
		{ 700000, 0, 0, "Load up to 820.0 kW as foretold, ", "heading for" },
		{ 700000, 60000, 820000, "Load up to 820.0 kW after a dip, ",
		  "; a dip that comes again and again is about to end, at 820.0 kW" },
	};
	for (size_t k = 0; k < sizeof(plans) / sizeof(*plans); k++) {
		struct decision decision = { .reason = REASON_TARGET, .picture = { .planned_w = 820000, .load_w = plans[k].load_w,
			.hold_ms = plans[k].hold_ms, .returns_to_w = plans[k].returns_to_w, .site_known = true } };
		record_why(&decision, NULL, why, sizeof(why));
		assert_memory_equal(why, plans[k].starts, strlen(plans[k].starts));
		assert_non_null(strstr(why, plans[k].says));
		assert_int_equal(strstr(why, "about to end") != NULL, plans[k].returns_to_w > 0);
	}
}

static void a_rise_like_none_before_says_why_most_fall(void **state)
{
	(void)state;
	char why[RECORD_WHY_SIZE];
	struct decision decision = { .reason = REASON_CAP, .serves = BINDING_RISE, .binding = BINDING_RISE,
		.picture = { .load_w = 41200000, .reserve_w = 900000, .swing_w = 100000, .settled_miners_w = 9300000,
		             .limit_w = 50000000, .site_known = true } };
	record_why(&decision, NULL, why, sizeof(why));
	assert_string_equal(why, "The load rises to 41.200 MW, by more than the 800.0 kW kept free, and nobody knows how far: most "
	                         "miners fall, for the site would draw 50.500 MW and go on, over the 50.000 MW of the cap.");
}

static void the_message_names_the_deeds(void **state)
{
	(void)state;
	struct command commands[] = { to_sleep(0), to_power(1, 3500, 2000), to_wake(2, 2000), to_power(3, 2000, 2500), to_power(4, 2500, 2600) };
	struct decision decision = { .reason = REASON_TARGET, .commands = commands, .n_commands = 5 };
	struct decision_record record = { .seq = 7, .at = { 1, 1795000000000 }, .decision = &decision, .why = "why" };
	struct record_names names = { name, NULL };
	struct json json = { 0 };
	record_decision(&record, 1, &names, &json);
	assert_non_null(strstr(json.text, "\"commands\":[{\"miner\":\"hall/1\",\"do\":\"sleep\",\"from_w\":3500,\"to_w\":25},"
	                                  "{\"miner\":\"hall/2\",\"do\":\"power\",\"from_w\":3500,\"to_w\":2000},"
	                                  "{\"miner\":\"hall/3\",\"do\":\"wake\",\"from_w\":25,\"to_w\":2000},"));
	json_reset(&json);
	record_decision(&record, 0, NULL, &json);
	assert_non_null(strstr(json.text, "\"n_commands\":5,\"sleeps\":1,\"wakes\":1,\"powers\":3}"));
	json_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sentence_tells_each_kind_of_move),
		cmocka_unit_test(moves_may_be_mixed),
		cmocka_unit_test(the_longest_sentence_is_whole),
		cmocka_unit_test(the_plan_says_where_it_comes_from),
		cmocka_unit_test(a_rise_like_none_before_says_why_most_fall),
		cmocka_unit_test(the_message_names_the_deeds),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
