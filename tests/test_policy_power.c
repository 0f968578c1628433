/* Partial power by example: less power before sleep, more before waking, to the watt; and what is kept awake for it. */
#include "tests/policy_says.h"

#define KW 1000
#define SEC 1000
#define ALL RIG_MINERS
#define LEAST_W 1000
#define LOWERS_W (RIG_MINER_W - LEAST_W)
#define GPUS_W (ROOM_W - ALL * RIG_MINER_W)
#define DEAD_BAND_W (3 * KW)            /* more than it is */

static void set_up(struct rig *rig, int64_t gpus_w, uint32_t n_awake)
{
	rig_init(rig, gpus_w, n_awake);
	rig_partial(rig, 0, LEAST_W);
	rig_partial(rig, 1, LEAST_W);
}

/* All awake, at full power, and nothing to do. */
static void begin_partial(struct rig *rig)
{
	set_up(rig, GPUS_W, ALL);
	rig_run(rig, 75 * SEC);
	assert_int_equal(rig->sleeps + rig->wakes + rig->powers, 0);
}

/* Ten awake beside 700 kW, at the least power; the others asleep. */
static void begin_low(struct rig *rig)
{
	set_up(rig, 700 * KW, 10);
	rig->conf.target_w = 730 * KW;
	rig_run(rig, 75 * SEC);
	rig->conf.target_w = 710 * KW;
	rig_run(rig, 20 * SEC);
	assert_int_equal(rig->powers, 10);
	assert_int_equal(rig->sleeps + rig->wakes, 0);
	assert_int_equal(rig_miners_w(rig), 10 * LEAST_W);
}

static uint32_t n_told(const struct rig *rig, enum deed deed)
{
	uint32_t n = 0;
	for (uint32_t c = 0; c < rig->out.n_commands; c++)
		n += rig->commands[c].deed == deed;
	return n;
}

static void assert_told(const struct rig *rig, uint32_t sleeps, uint32_t wakes, uint32_t powers)
{
	assert_int_equal(n_told(rig, DEED_SLEEP), sleeps);
	assert_int_equal(n_told(rig, DEED_WAKE), wakes);
	assert_int_equal(n_told(rig, DEED_POWER), powers);
}

static uint32_t n_awake(const struct rig *rig)
{
	uint32_t n = 0;
	for (uint32_t m = 0; m < ALL; m++)
		n += rig->miners[m].hash;
	return n;
}

/* ---- down ---- */

static void less_power_before_sleep_to_the_watt(void **unused)
{
	static const struct { int64_t less_w; uint32_t powers, sleeps; } rows[] = {
		{ 20000, 10, 0 }, { 20700, 11, 0 }, { 21000, 11, 0 }, { 21999, 11, 0 }, { 128000, 64, 0 },
		{ 129000, 63, 1 }, { 140000, 52, 12 }, { 192000, 0, 64 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		begin_partial(&rig);
		rig.conf.target_w = ROOM_W - rows[i].less_w;
		rig_step(&rig);
		assert_did(&rig, -rows[i].less_w, REASON_STARTUP, BINDING_TARGET);
		assert_told(&rig, rows[i].sleeps, 0, rows[i].powers);
		rig_run(&rig, 30 * SEC);
		assert_int_equal(rig.out.picture.site_w, ROOM_W - rows[i].less_w);
		assert_int_equal(rig.powers + rig.sleeps, rows[i].powers + rows[i].sleeps);
		assert_int_equal(rig.out.picture.settled_miners_w, rig_miners_w(&rig));
	}
	(void)unused;
}

/* What a miner cannot be told to the watt is less than its step. */
static void a_step_is_rounded_to_less_of_a_move(void **unused)
{
	struct rig rig;
	begin_partial(&rig);
	rig.miner_groups[0].step_w = rig.miner_groups[1].step_w = 200;
	rig.conf.target_w = ROOM_W - 21100;
	rig_step(&rig);
	assert_int_equal(moved_w(&rig), -21000);
	rig_run(&rig, 20 * SEC);
	rig.conf.target_w = ROOM_W - 21100 + 5500;
	rig_step(&rig);
	assert_int_equal(n_told(&rig, DEED_WAKE) + n_told(&rig, DEED_SLEEP), 0);
	assert_in_range(moved_w(&rig), 5200, 5500);
	for (uint32_t c = 0; c < rig.out.n_commands; c++)
		assert_int_equal(rig.commands[c].limit_w % 200, 0);
	(void)unused;
}

/* Those of the lower priority first: less power, and once they have no more to give of that, sleep. What makes the amount
 * exact is of their group, too. */
static void priority_comes_before_less_power(void **unused)
{
	for (uint16_t low = 0; low < 2; low++) {
		struct rig rig;
		begin_partial(&rig);
		rig.miner_groups[low].priority = 10;
		for (uint32_t m = 0; m < ALL; m++)      /* whoever was told another power last */
			rig.tracks[m].moved_ms = rig.miner_group[m] == low ? rig.now_ms : 0;
		rig.conf.target_w = ROOM_W - 31 * KW;
		rig_step(&rig);
		assert_told(&rig, 0, 0, 16);
		assert_int_equal(moved_w(&rig), -31 * KW);
		for (uint32_t c = 0; c < rig.out.n_commands; c++)
			assert_int_equal(rig.miner_group[rig.commands[c].miner], low);
		rig_run(&rig, 20 * SEC);
		rig.conf.target_w = ROOM_W - 64 * KW;
		rig_run(&rig, 20 * SEC);
		assert_int_equal(rig.powers, 33);
		rig.conf.target_w = ROOM_W - 74 * KW;
		rig_step(&rig);
		assert_told(&rig, 10, 0, 0);
		for (uint32_t c = 0; c < rig.out.n_commands; c++)
			assert_int_equal(rig.miner_group[rig.commands[c].miner], low);
	}
	(void)unused;
}

/* What must be shed at once is by both; where less power takes longer than sleep, by sleep alone. */
static void a_shed_order_uses_both(void **unused)
{
	for (int slow = 0; slow < 2; slow++) {
		struct rig rig;
		begin_partial(&rig);
		for (int g = 0; g < 2 && slow; g++)
			rig.miner_groups[g].power.ramp_ms = 20 * SEC;
		rig.demand.miners_w = rig.demand.miners_soon_w = 50 * KW;
		rig.demand.shed = true;
		rig_step(&rig);
		assert_string_equal(reason_name(rig.out.reason), "shed");
		if (slow)
			assert_told(&rig, 48, 0, 0);
		else
			assert_told(&rig, 14, 0, 50);
		rig_run(&rig, 20 * SEC);
		assert_in_range(rig_miners_w(&rig), 48 * KW, 50 * KW);
	}
	(void)unused;
}

/* A rise over the limit is met by what falls soonest, whatever it wears. */
static void over_the_cap_sleep_is_quickest(void **unused)
{
	struct rig rig;
	begin_partial(&rig);
	rig.gpus_w += 30 * KW;
	rig_step(&rig);
	assert_int_equal(n_told(&rig, DEED_POWER), 0);
	assert_in_range(n_told(&rig, DEED_SLEEP), 10, 14);
	assert_string_equal(reason_name(rig.out.reason), "cap");
	(void)unused;
}

/* What falls by power does not count while a rise takes the site over its limit, however little it will draw then. */
static void a_rise_is_not_left_to_power(void **unused)
{
	struct rig rig;
	begin_partial(&rig);
	rig.conf.target_w = GPUS_W + ALL * RIG_MINER_W - 60 * KW;
	rig_step(&rig);
	assert_told(&rig, 0, 0, 30);
	rig_run(&rig, 1 * SEC);
	rig.gpus_w += 70 * KW;
	rig_step(&rig);
	assert_told(&rig, n_told(&rig, DEED_SLEEP), 0, 0);
	assert_in_range(n_told(&rig, DEED_SLEEP), 3, 6);
	(void)unused;
}

/* ---- up ---- */

static void more_power_before_waking_to_the_watt(void **unused)
{
	static const struct { int64_t more_w; uint32_t powers; bool wakes; } rows[] = {
		{ 6000, 3, false }, { 15000, 8, false }, { 15700, 8, false }, { 20000, 10, false },
		{ 29000, 10, true }, { 31000, 10, true }, { 34567, 10, true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		begin_low(&rig);
		rig.conf.target_w = 710 * KW + rows[i].more_w;
		rig_step(&rig);
		assert_told(&rig, 0, n_told(&rig, DEED_WAKE), rows[i].powers);
		assert_int_equal(n_told(&rig, DEED_WAKE) > 0, rows[i].wakes);
		/* One that wakes draws the least power at least. */
		assert_in_range(moved_w(&rig), rows[i].more_w - (rows[i].wakes ? LEAST_W : 0), rows[i].more_w);
		rig_run(&rig, 60 * SEC);
		assert_in_range(rig.out.picture.site_w, 710 * KW + rows[i].more_w - DEAD_BAND_W, 710 * KW + rows[i].more_w + DEAD_BAND_W);
	}
	(void)unused;
}

/* What comes soon is met by as little as it takes to lower them again; who sleeps is not woken for so short a time. */
static void raised_beside_limits_that_come_soon(void **unused)
{
	struct rig rig;
	begin_low(&rig);
	rig.conf.target_w = POLICY_NONE;
	rig.demand.limit_soon_w = 736 * KW;
	rig_step(&rig);
	assert_told(&rig, 0, 0, 10);
	assert_int_equal(moved_w(&rig), 10 * LOWERS_W);
	rig_run(&rig, 60 * SEC);
	assert_int_equal(rig.wakes, 0);
	rig.demand.limit_w = 736 * KW;
	rig_run(&rig, 10 * SEC);
	assert_int_equal(rig.sleeps, 0);
	assert_in_range(rig_miners_w(&rig), 10 * LEAST_W, 16 * KW);
	(void)unused;
}

static void those_of_the_higher_priority_are_raised_first(void **unused)
{
	struct rig rig;
	begin_partial(&rig);
	rig.conf.target_w = ROOM_W - 128 * KW;
	rig_run(&rig, 20 * SEC);
	rig.miner_groups[0].priority = 10;
	rig.conf.target_w = ROOM_W - 101 * KW;
	rig_step(&rig);
	assert_told(&rig, 0, 0, 14);
	assert_int_equal(moved_w(&rig), 27 * KW);
	for (uint32_t c = 0; c < rig.out.n_commands; c++)
		assert_int_equal(rig.miner_group[rig.commands[c].miner], 1);
	(void)unused;
}

/* ---- those that do not follow, and what they say ---- */

static void who_does_not_follow_power_still_sleeps(void **unused)
{
	struct rig rig;
	begin_partial(&rig);
	uint32_t tellings = 0;
	for (uint32_t m = 0; m < 5; m++)
		rig.miners[m].deaf_to_power = true;
	rig.conf.target_w = ROOM_W - 20 * KW;
	for (int64_t ms = 0; ms < 180 * SEC; ms += RIG_STEP_MS) {
		rig_step(&rig);
		for (uint32_t c = 0; c < rig.out.n_commands; c++)
			tellings += rig.commands[c].miner == 2;
	}
	assert_in_range(tellings, 1, POLICY_MAX_TRIES); /* then it is left alone with it … */
	assert_int_equal(rig.out.picture.phases[PHASE_AWAKE], ALL);     /* … without being faulty … */
	assert_int_equal(rig.sleeps, 0);
	assert_in_range(rig.out.picture.site_w, ROOM_W - 20 * KW - DEAD_BAND_W, ROOM_W - 20 * KW + DEAD_BAND_W);  /* … others do it … */
	rig.demand.miners_w = rig.demand.miners_soon_w = 0;
	rig.demand.shed = true;
	rig_run(&rig, 60 * SEC);
	assert_int_equal(rig.sleeps, ALL);              /* … and it sleeps as well as any. */
	assert_int_equal(rig_miners_w(&rig), 0);
	(void)unused;
}

static void own_figures_a_little_off_are_no_disobedience(void **unused)
{
	static const int32_t errors[] = { -50, -30, 30, 50 };
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		struct rig rig;
		uint32_t repeats = 0;
		set_up(&rig, GPUS_W, ALL);
		for (uint32_t m = 0; m < ALL; m++)
			rig.miners[m].own_error_permille = errors[i];
		rig_run(&rig, 75 * SEC);
		for (int turn = 0; turn < 6; turn++) {
			rig.conf.target_w = ROOM_W - (turn % 2 ? 15 : 75) * KW;
			for (int64_t ms = 0; ms < 60 * SEC; ms += RIG_STEP_MS) {
				rig_step(&rig);
				repeats += rig.out.n_repeats;
			}
			assert_in_range(rig.out.picture.site_w, rig.conf.target_w - DEAD_BAND_W, rig.conf.target_w + DEAD_BAND_W);
		}
		assert_int_equal(repeats, 0);
		assert_int_equal(rig.sleeps + rig.wakes, 0);
		assert_int_equal(rig.out.picture.phases[PHASE_AWAKE], ALL);
	}
	(void)unused;
}

/* Nothing is remembered: what a miner could draw is its nominal power, and what it draws is what it says. */
static void a_restart_finds_them_where_they_are(void **unused)
{
	struct rig rig;
	begin_partial(&rig);
	rig.conf.target_w = ROOM_W - 41 * KW;
	rig_run(&rig, 20 * SEC);
	uint32_t powers = rig.powers;
	memset(rig.tracks, 0, sizeof(rig.tracks));
	rig.state = (struct policy_state){ 0 };
	rig_run(&rig, 75 * SEC);
	assert_int_equal(rig.powers, powers);
	assert_int_equal(rig.sleeps + rig.wakes, 0);
	assert_int_equal(rig.out.picture.settled_miners_w, 151 * KW);
	rig.conf.target_w = ROOM_W - 10 * KW;
	rig_step(&rig);
	assert_told(&rig, 0, 0, 16);
	assert_int_equal(moved_w(&rig), 31 * KW);
	rig_run(&rig, 20 * SEC);
	assert_int_equal(rig.out.picture.site_w, ROOM_W - 10 * KW);
	(void)unused;
}

/* In the middle of a move, too: none is told to sleep or wake for it, and the site ends where it should. */
static void a_restart_under_way_does_no_harm(void **unused)
{
	struct rig rig;
	begin_partial(&rig);
	rig.conf.target_w = ROOM_W - 60 * KW;
	rig_run(&rig, 3500);
	memset(rig.tracks, 0, sizeof(rig.tracks));
	rig.state = (struct policy_state){ 0 };
	rig_run(&rig, 120 * SEC);
	assert_int_equal(rig.sleeps + rig.wakes, 0);
	assert_in_range(rig.out.picture.site_w, ROOM_W - 60 * KW - DEAD_BAND_W, ROOM_W - 60 * KW + DEAD_BAND_W);
	(void)unused;
}

/* One that was told its power and says no more draws that, or what it drew last, whichever is more. */
static void a_silent_miner_counts_as_what_it_was_allowed(void **unused)
{
	struct rig rig;
	begin_low(&rig);
	rig.miners[0].mute = true;
	rig_run(&rig, 70 * SEC);
	assert_int_equal(rig.out.picture.phases[PHASE_UNREACHABLE], 1);
	assert_int_equal(rig.out.picture.settled_miners_w, 10 * LEAST_W);
	rig.miners[1].mute = true;              /* told more, and not heard since */
	rig.conf.target_w = 730 * KW;
	rig_step(&rig);
	rig.miners[1].mute = false;
	rig_run(&rig, 30 * SEC);
	uint32_t low = 0;
	while (low < 10 && (rig.tracks[low].limit_w == LEAST_W || rig.miners[low].mute))
		low++;
	rig.miners[low].mute = true;
	rig.tracks[low].drawn_w = LEAST_W;
	rig_run(&rig, 70 * SEC);
	assert_int_equal(rig.out.picture.phases[PHASE_UNREACHABLE], 2);
	assert_int_equal(rig.tracks[low].drawn_w, rig.tracks[low].limit_w);
	(void)unused;
}

/* Some stand at the least power already: they are not put to sleep for what others leave, as near as that may fit. */
static void none_sleeps_while_power_may_be_taken(void **unused)
{
	struct rig rig;
	begin_partial(&rig);
	for (int i = 1; i <= 30; i++) {
		rig.conf.target_w = ROOM_W - i * 4100;
		rig_run(&rig, 15 * SEC);
		assert_int_equal(rig.sleeps, 0);
		assert_in_range(rig.out.picture.site_w, rig.conf.target_w, rig.conf.target_w + 200);
	}
	(void)unused;
}

/* ---- meters lost ---- */

static void without_meters_power_is_only_taken(void **unused)
{
	struct rig rig;
	begin_partial(&rig);
	rig.conf.target_w = ROOM_W - 10 * KW;
	rig_run(&rig, 20 * SEC);
	rig.conf.target_w = POLICY_NONE;
	rig.meter_groups[RIG_PDU].nameplate_w = 410 * KW;       /* of two: all miners may draw 160 kW, by nameplates */
	memset(rig.mute, true, sizeof(rig.mute));
	uint32_t wakes = rig.wakes;
	for (int64_t ms = 0, before_w = INT64_MAX; ms < 60 * SEC; ms += RIG_STEP_MS) {
		rig_step(&rig);
		assert_true(rig_miners_w(&rig) <= before_w);
		before_w = ms > 8 * SEC ? rig_miners_w(&rig) : INT64_MAX;
	}
	assert_true(rig.out.picture.failsafe);
	assert_int_equal(rig.wakes, wakes);
	assert_int_equal(rig.sleeps, 0);
	assert_in_range(rig_miners_w(&rig), 158 * KW, 160 * KW);
	memset(rig.mute, false, sizeof(rig.mute));
	rig_run(&rig, 90 * SEC);
	assert_in_range(rig.out.picture.site_w, ROOM_W - DEAD_BAND_W, ROOM_W);
	(void)unused;
}

/* ---- limits on what is moved on purpose ---- */

enum { MINUTE = 60 * SEC / RIG_STEP_MS };

static void windows_and_ramps_count_power(void **unused)
{
	static const struct { struct policy_window window; int64_t ramp_w; } rows[] = { { { 10 * SEC, 20 * KW }, 0 }, { { 60 * SEC, 0 }, 30 * KW } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		int64_t course_w[3 * MINUTE], within = (rows[i].window.within_ms - SEC) / RIG_STEP_MS, most_w = 0;
		begin_partial(&rig);
		rig.conf.windows[0] = rows[i].window;
		rig.conf.n_windows = rows[i].ramp_w ? 0 : 1;
		rig.conf.ramp_up_w_per_min = rig.conf.ramp_down_w_per_min = rows[i].ramp_w;
		int64_t change_w = rows[i].ramp_w ? rows[i].ramp_w : rows[i].window.change_w;
		rig_run(&rig, 5 * SEC);
		for (int way = 0; way < 2; way++) {
			rig.conf.target_w = ROOM_W - (way ? 0 : 60 * KW);
			for (int k = 0; k < 3 * MINUTE; k++) {
				rig_step(&rig);
				course_w[k] = rig_miners_w(&rig);
				if (k < within)
					continue;
				int64_t moved = way ? course_w[k] - course_w[k - within] : course_w[k - within] - course_w[k];
				most_w = moved > most_w ? moved : most_w;
				assert_true(moved <= change_w);
			}
			assert_in_range(rig.out.picture.site_w, rig.conf.target_w - DEAD_BAND_W, rig.conf.target_w + DEAD_BAND_W);
		}
		assert_true(most_w > change_w / 2 && !rig.sleeps && !rig.wakes);
	}
	(void)unused;
}

/* ---- the running reserve ---- */

static void rises_then_falls(struct rig *rig, int64_t by_w)
{
	rig->gpus_w += by_w;
	rig_run(rig, 150 * SEC);
	rig->gpus_w -= by_w;
	rig_run(rig, 150 * SEC);
}

static int64_t raisable_w(const struct rig *rig)
{
	return (int64_t)n_awake(rig) * RIG_MINER_W - rig_miners_w(rig);
}

/* What is left for the miners was seen to climb sooner than they wake: enough are woken for it, to the least power, and
 * others lowered by as much. It costs no watts. */
static void some_are_woken_to_be_raised(void **unused)
{
	struct rig rig;
	uint32_t both = 0;
	set_up(&rig, 890 * KW, 30);
	rig_run(&rig, 75 * SEC);
	rig.state.climb_w = 60 * KW;
	for (int64_t ms = 0; ms < 300 * SEC; ms += RIG_STEP_MS) {
		rig_step(&rig);
		const struct decision *d = &rig.out;
		int64_t after_w = d->expected_site_w - d->picture.load_w;
		both += n_told(&rig, DEED_WAKE) && n_told(&rig, DEED_POWER);
		assert_true(after_w <= d->wanted_miners_w + DEAD_BAND_W + RIG_CAP_W / 100);
		assert_true(rig_miners_w(&rig) <= 90 * KW + DEAD_BAND_W + RIG_CAP_W / 100);
		assert_true((int64_t)n_awake(&rig) * LEAST_W <= d->wanted_miners_w);
		for (uint32_t c = 0; c < d->n_commands; c++)
			assert_true(rig.commands[c].deed != DEED_WAKE || rig.commands[c].to_w == LEAST_W);
	}
	assert_true(both > 0 && !rig.sleeps);
	assert_in_range(rig_miners_w(&rig), 90 * KW - DEAD_BAND_W, 90 * KW + DEAD_BAND_W);
	assert_in_range(raisable_w(&rig), 40 * KW, 65 * KW);
	(void)unused;
}

/* A quick rise puts many to sleep. Those that wake again wake to the least power, so that the next climb takes seconds. */
static void what_climbed_is_kept_awake_for(void **unused)
{
	struct rig rig;
	set_up(&rig, 890 * KW - 60 * KW, 50);
	rig_run(&rig, 75 * SEC);
	rises_then_falls(&rig, 60 * KW);
	rig.gpus_w += 60 * KW;
	rig_run(&rig, 150 * SEC);
	assert_in_range(rig_miners_w(&rig), 90 * KW - DEAD_BAND_W, 90 * KW + DEAD_BAND_W);
	assert_true(raisable_w(&rig) >= 40 * KW);
	rig.gpus_w -= 60 * KW;
	uint32_t wakes = rig.wakes;
	rig_run(&rig, 60 * SEC);
	assert_int_equal(rig.wakes, wakes);
	rig_run(&rig, 6 * SEC + 8 * SEC);       /* the plan's hold, and power's time */
	assert_in_range(rig_miners_w(&rig), 130 * KW, 150 * KW);
	(void)unused;
}

static void nobody_is_woken_without_need(void **unused)
{
	struct rig rig;
	begin_low(&rig);
	rig_run(&rig, 600 * SEC);
	assert_int_equal(rig.wakes + rig.sleeps, 0);
	assert_int_equal(rig.powers, 10);
	(void)unused;
}

/* Without the site's meter none is woken for it, nor while shedding is not seen to help. */
static void not_where_the_site_is_not_known(void **unused)
{
	for (int lost = 0; lost < 2; lost++) {
		struct rig rig;
		set_up(&rig, 890 * KW - 60 * KW, 50);
		rig_run(&rig, 75 * SEC);
		rises_then_falls(&rig, 60 * KW);
		rig.gpus_w += 60 * KW;
		rig_run(&rig, 2 * SEC);
		uint32_t wakes = rig.wakes;
		rig.mute[RIG_MAIN] = lost;
		rig.futile = !lost;
		rig_run(&rig, 120 * SEC);
		assert_int_equal(rig.wakes, wakes);
	}
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(less_power_before_sleep_to_the_watt),
		cmocka_unit_test(a_step_is_rounded_to_less_of_a_move),
		cmocka_unit_test(none_sleeps_while_power_may_be_taken),
		cmocka_unit_test(priority_comes_before_less_power),
		cmocka_unit_test(a_shed_order_uses_both),
		cmocka_unit_test(over_the_cap_sleep_is_quickest),
		cmocka_unit_test(a_rise_is_not_left_to_power),
		cmocka_unit_test(more_power_before_waking_to_the_watt),
		cmocka_unit_test(raised_beside_limits_that_come_soon),
		cmocka_unit_test(those_of_the_higher_priority_are_raised_first),
		cmocka_unit_test(who_does_not_follow_power_still_sleeps),
		cmocka_unit_test(own_figures_a_little_off_are_no_disobedience),
		cmocka_unit_test(a_restart_finds_them_where_they_are),
		cmocka_unit_test(a_restart_under_way_does_no_harm),
		cmocka_unit_test(a_silent_miner_counts_as_what_it_was_allowed),
		cmocka_unit_test(without_meters_power_is_only_taken),
		cmocka_unit_test(windows_and_ramps_count_power),
		cmocka_unit_test(some_are_woken_to_be_raised),
		cmocka_unit_test(what_climbed_is_kept_awake_for),
		cmocka_unit_test(nobody_is_woken_without_need),
		cmocka_unit_test(not_where_the_site_is_not_known),
	};
	return cmocka_run_group_tests_name("policy_power", tests, NULL, NULL);
}
