/* The control law by example, where miners are silent, disobedient or not what they say: watts before words. */
#include "tests/policy_says.h"

#define KW 1000
#define ALL RIG_MINERS

static bool told(const struct rig *rig, uint32_t miner)
{
	for (uint32_t c = 0; c < rig->out.n_commands; c++)
		if (rig->commands[c].miner == miner)
			return true;
	return false;
}

static void an_unreachable_miner_is_taken_at_the_most_it_may_draw(void **unused)
{
	struct rig rig;
	begin(&rig, 10);
	rig.gpus_w += 9 * KW + 20 * KW;
	rig_step(&rig);                         /* over: all sleep */
	assert_int_equal(rig.sleeps, 10);
	rig_run(&rig, 10000);
	rig.miners[0].mute = true;              /* asleep, told so: at nothing */
	rig.miners[40].hash = true;             /* woke by itself, never told: at what it drew */
	rig.miners[40].to_w = 2400;
	rig_run(&rig, 500);
	rig.miners[40].mute = true;
	rig_run(&rig, 59000);
	assert_int_equal(rig.out.picture.phases[PHASE_UNREACHABLE], 0);
	rig_run(&rig, 2000);
	assert_int_equal(rig.out.picture.phases[PHASE_UNREACHABLE], 2);
	assert_int_equal(rig.out.picture.settled_miners_w, 2400);
	begin(&rig, 0);
	rig.gpus_w -= 3 * KW;
	rig_run(&rig, 66000);
	assert_int_equal(rig.wakes, 1);
	rig.miners[rig.commands[0].miner].mute = true;
	for (uint32_t m = 0; m < ALL; m++)
		rig.miners[m].mute = rig.miners[m].hash;
	rig_run(&rig, 62000);                   /* told to wake and never heard again: at what it is allowed */
	assert_int_equal(rig.out.picture.settled_miners_w, RIG_MINER_W);
	assert_int_equal(rig.out.picture.curtailable_w, 0);
	(void)unused;
}

static void what_cannot_be_told_is_not_told(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	for (uint32_t m = 0; m < ALL; m++) {
		rig.miners[m].mute = m < 20;
		rig.miners[m].stubborn = m >= 20 && m < 60;
	}
	rig_step(&rig);
	assert_int_equal(rig.out.picture.curtailable_w, 12 * KW);
	rig.gpus_w += 100 * KW;
	rig_step(&rig);
	assert_int_equal(rig.out.n_commands, 4);
	for (uint32_t m = 60; m < ALL; m++)
		assert_true(told(&rig, m));
	(void)unused;
}

/* Three times are three times, however often it drops off in between. */
static void who_did_not_follow_and_drops_off_is_not_told_anew(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.miners[2].deaf = true;
	rig.gpus_w += 195 * KW;
	rig_run(&rig, 60000);
	assert_int_equal(rig.tracks[2].phase, PHASE_FAULTY);
	uint32_t sleeps = rig.sleeps;
	for (int turn = 0; turn < 3; turn++) {
		rig.miners[2].mute = true;
		rig_run(&rig, 61000);
		assert_int_equal(rig.tracks[2].phase, PHASE_UNREACHABLE);
		rig.miners[2].mute = false;
		rig_run(&rig, 20000);
		assert_int_equal(rig.tracks[2].phase, PHASE_FAULTY);
	}
	assert_int_equal(rig.sleeps, sleeps);
	(void)unused;
}

/* It was heard no more just as it was told, and did it all the same: that is no order that it did not follow. */
static void who_follows_unheard_has_followed(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.gpus_w += 195 * KW;
	rig_step(&rig);
	assert_int_equal(rig.sleeps, ALL);
	rig.miners[2].mute = true;
	rig_run(&rig, 65000);
	assert_int_equal(rig.tracks[2].phase, PHASE_UNREACHABLE);
	assert_int_equal(rig.tracks[2].tries, 1);
	rig.miners[2].mute = false;
	rig_run(&rig, 1000);
	assert_int_equal(rig.tracks[2].phase, PHASE_ASLEEP);
	assert_int_equal(rig.tracks[2].tries, 0);
	(void)unused;
}

static void who_does_not_follow_is_told_thrice_and_replaced(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	for (uint32_t m = 0; m < ALL; m++)
		rig.miners[m].deaf = m < 5;
	rig.gpus_w += 40 * KW;
	uint32_t tellings = 0;
	for (int64_t ms = 0; ms < 60000; ms += RIG_STEP_MS) {
		rig_step(&rig);
		tellings += told(&rig, 2);
		assert_true(tellings <= (ms + 7500) / 7500);    /* its time to follow first */
	}
	assert_int_equal(tellings, 3);
	assert_int_equal(rig.tracks[2].sleeps, 1);      /* it wore once at most, however often it was told */
	assert_int_equal(rig.out.picture.phases[PHASE_FAULTY], 5);
	assert_in_range(rig.out.picture.site_w, ROOM_W - 9 * KW, ROOM_W);       /* others have taken their place */
	rig.demand.shed = true;
	rig.demand.miners_w = rig.demand.miners_soon_w = 0;
	for (int64_t ms = 0; ms < 90000; ms += RIG_STEP_MS) {
		rig_step(&rig);
		tellings += told(&rig, 2);
	}
	assert_int_equal(tellings, 3);
	assert_int_equal(rig.out.picture.phases[PHASE_FAULTY], 5);
	assert_int_equal(rig.out.picture.settled_miners_w, 15 * KW);
	rig_run(&rig, 7 * 60000);
	assert_int_equal(rig.out.n_commands, 0);
	rig.miners[2].deaf = false;
	rig_run(&rig, 3 * 60000);               /* after ten minutes it is asked again */
	assert_int_equal(rig.out.picture.phases[PHASE_FAULTY], 4);
	assert_int_equal(rig.out.picture.settled_miners_w, 12 * KW);
	(void)unused;
}

/* Nobody else is left: they are told again and again, once in half a minute, for they may follow by now. */
static void who_did_not_follow_is_told_again_where_nobody_else_is_left(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	for (uint32_t m = 0; m < ALL; m++)
		rig.miners[m].deaf = true;
	rig.gpus_w += 150 * KW;
	rig_run(&rig, 60000);
	for (int64_t ms = 0; ms < 3 * 60000; ms += RIG_STEP_MS) {
		rig_step(&rig);
		assert_true(rig.out.cap_unreachable);
		for (uint32_t m = 0; m < ALL; m++)      /* told once more is not cured */
			assert_int_equal(rig.tracks[m].phase, PHASE_FAULTY);
	}
	assert_in_range(rig.sleeps, 5 * ALL, 9 * ALL);
	assert_int_equal(rig.tracks[2].sleeps, 1);
	for (uint32_t m = 0; m < ALL; m++)
		rig.miners[m].deaf = false;
	rig_run(&rig, 60000);
	assert_true(rig.out.picture.site_w <= RIG_CAP_W);
	(void)unused;
}

/* They may have done as told: until they have been looked at, nobody else is woken for the same room. */
static void a_wake_that_gives_no_answer_may_have_come(void **unused)
{
	static const enum fault answers[] = { FAULT_SILENT, FAULT_GARBLED };
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct rig rig;
		begin(&rig, 0);
		for (uint32_t m = 0; m < ALL; m++)
			rig.miners[m].answer = answers[i];
		rig.gpus_w -= 9 * KW;
		for (int64_t ms = 0; ms < 66000 && !rig.wakes; ms += RIG_STEP_MS)
			rig_step(&rig);
		uint32_t wakes = rig.wakes;
		assert_in_range(wakes, 1, 3);
		for (uint32_t m = 0; m < ALL; m++)
			rig.miners[m].mute = true;
		rig_run(&rig, 50000);
		assert_true(rig.wakes <= 3);
		assert_true(rig.out.picture.settled_miners_w >= wakes * RIG_MINER_W);
	}
	(void)unused;
}

static void a_refusal_counts_at_once(void **unused)
{
	static const enum fault answers[] = { FAULT_REFUSED, FAULT_GARBLED };
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.miners[0].answer = answers[i];
		rig.gpus_w += 21 * KW;
		rig_step(&rig);
		assert_int_equal(rig.out.n_commands, 7);
		assert_true(told(&rig, 0));
		rig_step(&rig);                 /* the other six will do what the reserve needs: nobody is over any more */
		assert_int_equal(rig.out.picture.settled_miners_w, (64 - 6) * RIG_MINER_W);
		assert_false(told(&rig, 0));
		rig_run(&rig, 5500);
		rig.gpus_w += 180 * KW;
		rig_run(&rig, 500);             /* when all are needed it is asked again */
		assert_true(rig.tracks[0].tries == 2);
	}
	(void)unused;
}

/* Sent again at once where the limit needs it, thrice at most; then asked again when it may be there again. */
static void an_order_lost_is_repeated_at_once(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.demand.shed = true;
	rig.demand.miners_w = rig.demand.miners_soon_w = 0;
	rig.miners[3].answer = FAULT_SILENT;
	rig_step(&rig);
	assert_int_equal(rig.out.n_commands, ALL);
	for (uint8_t n = 2; n <= POLICY_MAX_TRIES; n++) {
		rig_step(&rig);
		assert_int_equal(rig.out.n_commands, 1);
		assert_true(told(&rig, 3));
		assert_int_equal(rig.out.commands[0].try_number, n);
	}
	rig_run(&rig, 25000);
	assert_int_equal(rig.sleeps, ALL + POLICY_MAX_TRIES - 1);
	assert_int_equal(rig.out.picture.phases[PHASE_FAULTY], 1);
	assert_int_equal(rig.tracks[3].sleeps, 1);
	rig.miners[3].answer = FAULT_NONE;
	rig_run(&rig, 15000);
	assert_int_equal(rig.out.picture.phases[PHASE_ASLEEP], ALL);
	(void)unused;
}

/* At ease there is time: five seconds, as for one that refused. */
static void an_order_lost_at_ease_waits(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	for (uint32_t m = 0; m < ALL; m++)
		rig.miners[m].answer = FAULT_SILENT;
	rig.gpus_w += 15 * KW;                  /* into the reserve, not over the limit */
	rig_step(&rig);
	uint32_t sleeps = rig.sleeps;
	assert_in_range(sleeps, 4, 5);
	for (uint32_t m = 0; m < sleeps; m++)
		assert_true(told(&rig, m));
	for (int step = 0; step < 18; step++) {
		rig_step(&rig);
		for (uint32_t c = 0; c < rig.out.n_commands; c++)
			assert_int_equal(rig.out.commands[c].try_number, 1);
	}
	(void)unused;
}

/* Thousands are looked at in turn: one that has not been looked at since it should have followed is no reason to send
 * another to sleep, unless the site's meter tells that it did not. */
static void a_sleep_not_looked_at_yet_stands(void **unused)
{
	for (int deaf = 0; deaf < 2; deaf++) {
		struct rig rig;
		begin(&rig, ALL);
		rig.gpus_w += 40 * KW;
		rig_step(&rig);
		uint32_t sleeps = rig.sleeps;
		for (uint32_t m = 0; m < sleeps && deaf; m++)
			rig.miners[m].to_w = rig.miners[m].from_w = RIG_MINER_W;
		struct miner_seen seen[RIG_MINERS];
		memcpy(seen, rig.seen, sizeof(seen));
		for (int64_t ms = 0; ms < 15000; ms += RIG_STEP_MS) {
			rig.now_ms += RIG_STEP_MS;
			rig_read(&rig);
			for (uint32_t m = 0; m < ALL; m++)
				rig.seen[m].reading = seen[m].reading;
			rig_decide(&rig);
			assert_true(deaf || rig.sleeps == sleeps);
		}
		assert_int_equal(rig.sleeps > sleeps, deaf);
	}
	(void)unused;
}

static void an_order_not_answered_yet_is_under_way(void **unused)
{
	struct rig rig;
	begin(&rig, ALL);
	rig.miners[0].answer = FAULT_NEVER;
	rig.gpus_w += 21 * KW;
	rig_run(&rig, 10000);
	assert_int_equal(rig.sleeps, 7);
	assert_int_equal(rig.out.picture.phases[PHASE_ASLEEP], 7);
	(void)unused;
}

static void firmware_without_watts_is_believed_by_its_state(void **unused)
{
	struct rig rig;
	rig_init(&rig, ROOM_W - ALL * RIG_MINER_W, ALL);
	for (uint32_t m = 0; m < ALL; m++)
		rig.miners[m].tells_no_watts = true;
	rig_run(&rig, 75000);
	assert_int_equal(rig.out.picture.miners_w, 192 * KW);
	rig.gpus_w += 60 * KW;
	rig_run(&rig, 20000);
	assert_int_equal(rig.sleeps, 20);
	assert_int_equal(rig.out.picture.phases[PHASE_ASLEEP], 20);
	assert_int_equal(rig.out.picture.settled_miners_w, 132 * KW);
	rig.gpus_w -= 60 * KW;
	rig_run(&rig, 120000);
	assert_int_equal(rig.wakes, 20);
	assert_int_equal(rig.out.picture.site_w, ROOM_W);
	(void)unused;
}

/* A miner that was caught at a few hundred watts on its way is not woken as if it drew no more. */
static void what_a_miner_will_draw_is_not_what_it_drew_on_its_way(void **unused)
{
	struct rig rig;
	begin(&rig, 1);
	rig.now_ms += RIG_STEP_MS;
	rig_read(&rig);
	rig.seen[0].reading.power_w = 200;
	rig_decide(&rig);
	assert_int_equal(rig.tracks[0].awake_w, RIG_MINER_W);
	rig.now_ms += RIG_STEP_MS;
	rig_read(&rig);
	rig.seen[0].reading.power_w = 2000;
	rig_decide(&rig);
	assert_int_equal(rig.tracks[0].awake_w, 2000);
	(void)unused;
}

/* A wake that takes longer than told but goes on is waited for, and counted whole. */
static void a_slow_wake_is_not_told_again(void **unused)
{
	struct rig rig;
	begin(&rig, 0);
	rig.gpus_w -= 3 * KW;
	for (int64_t ms = 0; ms < 300000; ms += RIG_STEP_MS) {
		rig.now_ms += RIG_STEP_MS;
		rig_read(&rig);
		for (uint32_t m = 0; m < ALL; m++)
			if (rig.miners[m].hash) {
				rig.seen[m].reading.state = MINER_HASHING;
				rig.seen[m].reading.power_w = 500;
				rig.meters[RIG_MAIN].import_w -= rig_miner_w(&rig, m) - 500;
			}
		rig_decide(&rig);
	}
	assert_int_equal(rig.wakes, 1);
	assert_int_equal(rig.out.picture.settled_miners_w, RIG_MINER_W);
	assert_int_equal(rig.out.picture.phases[PHASE_WAKING], 1);
	(void)unused;
}

/* Silence is no rest: who was put to sleep just before stays asleep for its time. */
static void wear_outlasts_a_silence(void **unused)
{
	struct rig rig;
	begin(&rig, 10);
	for (int g = 0; g < 2; g++)
		rig.miner_groups[g].min_asleep_ms = 600000;
	for (uint32_t m = 10; m < ALL; m++)
		rig.miners[m].stubborn = true;
	rig.gpus_w += 30 * KW;
	rig_run(&rig, 10000);
	for (uint32_t m = 0; m < 10; m++)
		rig.miners[m].mute = true;
	rig_run(&rig, 70000);
	assert_int_equal(rig.out.picture.phases[PHASE_UNREACHABLE], 10);
	for (uint32_t m = 0; m < 10; m++)
		rig.miners[m].mute = false;
	rig.gpus_w -= 30 * KW;
	rig_run(&rig, 300000);
	assert_int_equal(rig.wakes, 0);
	rig_run(&rig, 300000);
	assert_int_equal(rig.wakes, 10);
	(void)unused;
}

/* How those would follow that nobody tells anything is no matter: a set point told every 4 s is followed by power all the same. */
static void who_is_only_watched_slows_nobody_down(void **unused)
{
	struct rig with, without;
	uint32_t half = ALL / 2;
	rig_init(&without, 700 * KW, half);
	rig_partial(&without, 0, 1000);
	without.miner_groups[0].power = (struct policy_response){ 1000, 3000 };
	without.conf.n_miners = half;
	without.conf.n_miner_groups = 1;
	rig_init(&with, 700 * KW, half);
	rig_partial(&with, 0, 1000);
	with.miner_groups[0].power = (struct policy_response){ 1000, 3000 };
	with.miner_groups[1].watched = true;
	with.miner_groups[1].priority = 90;
	with.miner_groups[1].sleep = with.miner_groups[1].wake = (struct policy_response){ 30000, 60000 };
	for (uint32_t m = half; m < ALL; m++)
		with.miners[m].stubborn = true;
	for (int64_t k = 0; k < 600; k++) {
		with.demand.setpoint_w = without.demand.setpoint_w = (760 + k * 7 % 13) * KW;
		rig_run(&with, 4000);
		rig_run(&without, 4000);
	}
	assert_true(without.powers > 600);
	assert_int_equal(with.powers, without.powers);
	assert_int_equal(with.sleeps + with.wakes, without.sleeps + without.wakes);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unreachable_miner_is_taken_at_the_most_it_may_draw),
		cmocka_unit_test(what_cannot_be_told_is_not_told),
		cmocka_unit_test(who_is_only_watched_slows_nobody_down),
		cmocka_unit_test(who_does_not_follow_is_told_thrice_and_replaced),
		cmocka_unit_test(who_did_not_follow_and_drops_off_is_not_told_anew),
		cmocka_unit_test(who_follows_unheard_has_followed),
		cmocka_unit_test(who_did_not_follow_is_told_again_where_nobody_else_is_left),
		cmocka_unit_test(a_wake_that_gives_no_answer_may_have_come),
		cmocka_unit_test(a_refusal_counts_at_once),
		cmocka_unit_test(an_order_lost_is_repeated_at_once),
		cmocka_unit_test(an_order_lost_at_ease_waits),
		cmocka_unit_test(a_sleep_not_looked_at_yet_stands),
		cmocka_unit_test(an_order_not_answered_yet_is_under_way),
		cmocka_unit_test(firmware_without_watts_is_believed_by_its_state),
		cmocka_unit_test(what_a_miner_will_draw_is_not_what_it_drew_on_its_way),
		cmocka_unit_test(a_slow_wake_is_not_told_again),
		cmocka_unit_test(wear_outlasts_a_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
