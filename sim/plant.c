#include "sim/plant.h"

#include <math.h>
#include <stdlib.h>

#include "sim/dice.h"

enum { DICE_WATTS = 1, DICE_TIMES, DICE_OWN, DICE_OWN_NOISE, DICE_FAULT };

static void *grown(void *old, size_t n, size_t size)
{
	void *p = realloc(old, (n ? n : 1) * size);
	if (!p)
		abort();
	return p;
}

void plant_init(struct plant *plant, uint64_t seed)
{
	*plant = (struct plant){ .seed = seed };
}

void plant_free(struct plant *plant)
{
	free(plant->miners);
	free(plant->moving);
	*plant = (struct plant){ 0 };
}

static struct plant_miner made(const struct plant *plant, const struct plant_miner_type *type, size_t i)
{
	double watts = dice_spread(plant->seed, i, DICE_WATTS);
	int32_t full_w = (int32_t)dice_about(type->full_w, type->watts_spread_permille, watts);
	double own = dice_share(plant->seed, i, DICE_OWN) * 2 - 1;
	return (struct plant_miner){
		.type = type, .hash = true, .told_hash = true, .full_w = full_w, .limit_w = full_w,
		.asleep_w = (int32_t)dice_about(type->asleep_w, 2 * type->watts_spread_permille, watts),
		.own_error_permille = (int32_t)lround(own * type->own_error_permille),
		.times_permille = 1000 + (int32_t)lround(dice_spread(plant->seed, i, DICE_TIMES) * type->times_spread_permille),
		.motion = { .from_w = full_w, .to_w = full_w }, .before = { .from_w = full_w, .to_w = full_w },
		.moving = -1,
	};
}

size_t plant_add(struct plant *plant, const struct plant_miner_type *type, size_t n)
{
	size_t first = plant->n;
	plant->n += n;
	plant->miners = grown(plant->miners, plant->n, sizeof *plant->miners);
	plant->moving = grown(plant->moving, plant->n, sizeof *plant->moving);
	for (size_t i = first; i < plant->n; i++) {
		plant->miners[i] = made(plant, type, i);
		plant->settled_w += plant->miners[i].full_w;
	}
	return first;
}

/* ---- shapes: share of the way done, at share x of the ramp's time ---- */

static double smooth(double x)
{
	x = fmin(fmax(x, 0), 1);
	return x * x * (3 - 2 * x);
}

static double fall(double x)
{
	return (1 - exp(-4 * x)) / (1 - exp(-4));
}

/* A quarter of the time the chips are found and clocked at a few per cent, then frequency rises in steps. */
static double rise(double x)
{
	static const double idle = 0.08, begin = 0.25, steps = 12;
	if (x < begin)
		return idle * smooth(x / 0.05);
	double s = smooth((x - begin) / (1 - begin)) * steps;
	return idle + (1 - idle) * (floor(s) + smooth((s - floor(s)) * 2)) / steps;
}

static int32_t motion_w(const struct plant_motion *motion, int64_t now_ms)
{
	int64_t t = now_ms - motion->start_ms - motion->dead_ms;
	if (motion->kind == MOTION_REST || t >= (int64_t)motion->ramp_ms + motion->settle_ms)
		return motion->to_w;
	if (t <= 0)
		return motion->from_w;
	double x = fmin((double)t / motion->ramp_ms, 1), done = x, over = 0;
	if (motion->kind == MOTION_FALL)
		done = fall(x);
	if (motion->kind == MOTION_RISE) {
		done = rise(x);
		over = motion->overshoot_w * smooth((x - 0.7) / 0.3);
	}
	if (t > motion->ramp_ms)
		over *= 1 - (double)(t - motion->ramp_ms) / motion->settle_ms;
	return motion->from_w + (int32_t)lround((motion->to_w - motion->from_w) * done + over);
}

static bool in_dead_time(const struct plant_motion *motion, int64_t now_ms)
{
	return motion->kind != MOTION_REST && now_ms < motion->start_ms + motion->dead_ms;
}

static bool is_over(const struct plant_motion *motion, int64_t now_ms)
{
	return now_ms >= motion->start_ms + motion->dead_ms + motion->ramp_ms + motion->settle_ms;
}

static int32_t true_w(const struct plant_miner *miner, int64_t now_ms)
{
	if (miner->fault == PLANT_DEAD)
		return 0;
	return motion_w(in_dead_time(&miner->motion, now_ms) ? &miner->before : &miner->motion, now_ms);
}

/* ---- at rest and moving ---- */

static void set_moving(struct plant *plant, struct plant_miner *miner, int64_t now_ms)
{
	if (miner->moving >= 0)
		return;
	plant->settled_w -= true_w(miner, now_ms);
	miner->moving = (int32_t)plant->n_moving;
	plant->moving[plant->n_moving++] = (uint32_t)(miner - plant->miners);
}

static void set_at_rest(struct plant *plant, struct plant_miner *miner, int64_t now_ms)
{
	uint32_t last = plant->moving[--plant->n_moving];
	plant->moving[miner->moving] = last;
	plant->miners[last].moving = miner->moving;
	miner->moving = -1;
	miner->motion.kind = MOTION_REST;
	plant->settled_w += true_w(miner, now_ms);
}

static int32_t stretched(const struct plant_miner *miner, int32_t ms)
{
	return (int32_t)((int64_t)ms * miner->times_permille / 1000);
}

/* The newest order wins; what the one before set going continues until this one's dead time is over. */
static void move(struct plant *plant, struct plant_miner *miner, struct plant_motion next)
{
	int64_t begin_ms = next.start_ms + next.dead_ms;
	set_moving(plant, miner, next.start_ms);
	if (!in_dead_time(&miner->motion, next.start_ms))
		miner->before = miner->motion;
	next.from_w = motion_w(&miner->before, begin_ms);
	miner->motion = next;
}

static void start_wake(struct plant *plant, struct plant_miner *miner, int64_t now_ms, int32_t extra_ms, int32_t ramp_ms)
{
	const struct plant_miner_type *type = miner->type;
	miner->hash = true;
	miner->was_off = false;
	miner->wakes++;
	move(plant, miner, (struct plant_motion){
		.kind = MOTION_RISE, .start_ms = now_ms, .dead_ms = stretched(miner, type->wake_dead_ms) + extra_ms,
		.ramp_ms = stretched(miner, ramp_ms), .settle_ms = stretched(miner, ramp_ms) / 2,
		.overshoot_w = (int32_t)((int64_t)miner->limit_w * type->overshoot_permille / 1000),
		.to_w = miner->limit_w,
	});
	miner->awake_ms = miner->motion.start_ms + miner->motion.dead_ms + miner->motion.ramp_ms;
}

static void start_sleep(struct plant *plant, struct plant_miner *miner, int64_t now_ms)
{
	miner->hash = false;
	miner->sleeps++;
	move(plant, miner, (struct plant_motion){
		.kind = MOTION_FALL, .start_ms = now_ms, .dead_ms = stretched(miner, miner->type->sleep_dead_ms),
		.ramp_ms = stretched(miner, miner->type->sleep_fall_ms), .to_w = miner->asleep_w,
	});
}

/* One that is waking wakes to the new limit, no sooner for being told. */
static void start_adjust(struct plant *plant, struct plant_miner *miner, int64_t now_ms)
{
	const struct plant_miner_type *type = miner->type;
	struct plant_motion *motion = &miner->motion;
	if (motion->kind == MOTION_RISE && in_dead_time(motion, now_ms)) {
		motion->to_w = miner->limit_w;
		motion->overshoot_w = (int32_t)((int64_t)miner->limit_w * type->overshoot_permille / 1000);
		return;
	}
	int32_t dead_ms = stretched(miner, type->adjust_dead_ms), ramp_ms = stretched(miner, type->adjust_ms);
	int64_t rest_ms = miner->awake_ms - now_ms - dead_ms;
	move(plant, miner, (struct plant_motion){
		.kind = MOTION_ADJUST, .start_ms = now_ms, .dead_ms = dead_ms,
		.ramp_ms = rest_ms > ramp_ms ? (int32_t)rest_ms : ramp_ms, .to_w = miner->limit_w,
	});
}

void plant_start_asleep(struct plant *plant, size_t i)
{
	struct plant_miner *miner = &plant->miners[i];
	plant->settled_w -= true_w(miner, 0);
	miner->hash = miner->told_hash = false;
	miner->motion.to_w = miner->before.to_w = miner->asleep_w;
	plant->settled_w += true_w(miner, 0);
}

/* ---- faults ---- */

/* Cold: no watts beyond sleep until it has booted, then a wake of its own accord if it was hashing. */
static void boot(struct plant *plant, struct plant_miner *miner, int64_t now_ms)
{
	set_moving(plant, miner, now_ms);
	miner->motion = miner->before = (struct plant_motion){ .start_ms = now_ms, .to_w = miner->asleep_w };
	miner->was_off = !miner->hash;
	if (miner->hash)
		start_wake(plant, miner, now_ms, stretched(miner, miner->type->boot_ms), miner->type->wake_ramp_ms);
}

void plant_reboot(struct plant *plant, size_t i, int64_t now_ms)
{
	if (plant->miners[i].fault != PLANT_DEAD)
		boot(plant, &plant->miners[i], now_ms);
}

void plant_set_fault(struct plant *plant, size_t i, int64_t now_ms, enum plant_fault fault)
{
	struct plant_miner *miner = &plant->miners[i];
	bool revived = miner->fault == PLANT_DEAD && fault != PLANT_DEAD;
	if (miner->fault == PLANT_LYING)
		miner->told_hash = miner->hash;
	set_moving(plant, miner, now_ms);
	miner->fault = fault;
	if (revived)
		boot(plant, miner, now_ms);
}

size_t plant_spread_fault(struct plant *plant, int64_t now_ms, enum plant_fault fault, int32_t permille)
{
	size_t want = (plant->n * (size_t)permille + 500) / 1000, given = 0;
	for (uint64_t draw = 0; given < want && draw < plant->n * 64; draw++) {
		size_t i = (size_t)(dice(plant->seed, draw * N_PLANT_FAULTS + fault, DICE_FAULT) % plant->n);
		if ((plant->miners[i].fault == PLANT_SOUND) == (fault == PLANT_SOUND))
			continue;
		plant_set_fault(plant, i, now_ms, fault);
		given++;
	}
	return given;
}

static bool obeys(enum plant_fault fault)
{
	return fault == PLANT_SOUND || fault == PLANT_GARBLED || fault == PLANT_SLOW;
}

/* ---- orders ---- */

static bool heard(struct plant_miner *miner, bool hash)
{
	miner->orders++;
	if (miner->fault == PLANT_LYING || obeys(miner->fault))
		miner->told_hash = hash;
	return obeys(miner->fault);
}

static int32_t allowed_w(const struct plant_miner *miner, int32_t limit_w)
{
	if (limit_w <= 0 || limit_w > miner->full_w)
		return miner->full_w;
	return limit_w < miner->type->least_w ? miner->type->least_w : limit_w;
}

static bool order(struct plant *plant, struct plant_miner *miner, int64_t now_ms, bool hash, int32_t limit_w, int32_t ramp_ms)
{
	if (!heard(miner, hash))
		return false;
	int32_t new_w = allowed_w(miner, limit_w), old_w = miner->limit_w;
	if (hash)
		miner->limit_w = new_w;
	if (hash && !miner->hash)
		start_wake(plant, miner, now_ms, 0, ramp_ms);
	else if (!hash && miner->hash)
		start_sleep(plant, miner, now_ms);
	else if (hash && new_w != old_w)
		start_adjust(plant, miner, now_ms);
	return true;
}

bool plant_order(struct plant *plant, size_t i, int64_t now_ms, bool hash, int32_t limit_w)
{
	struct plant_miner *miner = &plant->miners[i];
	return order(plant, miner, now_ms, hash, limit_w, miner->type->wake_ramp_ms);
}

bool plant_wake_unsafe(struct plant *plant, size_t i, int64_t now_ms, int32_t limit_w)
{
	struct plant_miner *miner = &plant->miners[i];
	return !miner->was_off && order(plant, miner, now_ms, true, limit_w, miner->type->wake_fast_ms);
}

/* ---- what is so, and what is said ---- */

int32_t plant_miner_w(const struct plant *plant, size_t i, int64_t now_ms)
{
	return true_w(&plant->miners[i], now_ms);
}

int32_t plant_miner_told_w(const struct plant *plant, size_t i, int64_t now_ms)
{
	const struct plant_miner *miner = &plant->miners[i];
	int64_t renewed_ms = now_ms - now_ms % miner->type->own_every_ms;
	int64_t asked_ms = renewed_ms > miner->motion.start_ms ? renewed_ms : miner->motion.start_ms;
	double tremble = dice_spread(plant->seed, i, (uint64_t)renewed_ms * 8 + DICE_OWN_NOISE);
	int64_t w = dice_about(true_w(miner, asked_ms), miner->own_error_permille, 1);
	return (int32_t)dice_about(w, miner->type->own_noise_permille, tremble);
}

enum miner_state plant_miner_state(const struct plant *plant, size_t i, int64_t now_ms)
{
	const struct plant_miner *miner = &plant->miners[i];
	const struct plant_motion *motion = &miner->motion;
	if (!miner->told_hash)
		return MINER_ASLEEP;
	if (motion->kind == MOTION_RISE && now_ms < motion->start_ms + motion->dead_ms + motion->ramp_ms)
		return MINER_RAMPING;
	return MINER_HASHING;
}

int32_t plant_miner_hashrate_ghs(const struct plant *plant, size_t i, int64_t now_ms)
{
	const struct plant_miner *miner = &plant->miners[i];
	int64_t over_w = true_w(miner, now_ms) - miner->asleep_w, span_w = miner->full_w - miner->asleep_w;
	if (over_w <= 0 || over_w < span_w / 5)         /* chips idle below that */
		return 0;
	return (int32_t)(over_w * miner->type->hashrate_ghs / span_w);
}

int64_t plant_miners_w(struct plant *plant, int64_t now_ms)
{
	int64_t sum_w = 0;
	for (size_t m = plant->n_moving; m-- > 0;) {
		struct plant_miner *miner = &plant->miners[plant->moving[m]];
		if (is_over(&miner->motion, now_ms))
			set_at_rest(plant, miner, now_ms);
		else
			sum_w += true_w(miner, now_ms);
	}
	return plant->settled_w + sum_w;
}
