/* tests/rhythm_course.h - a course of a load with dips, half-second by half-second, and what is foretold of it. */
#ifndef TESTS_RHYTHM_COURSE_H
#define TESTS_RHYTHM_COURSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rhythm.h"
#include "sim/dice.h"
#include "sim/load.h"

enum { SLOT_MS = 500, SLOTS = 2 * 3600 * 2, TOP_SLOTS = 128, HOUR_MS = 3600000 };
enum { CAP_W = 50000000, HIGH_W = 45000000 };
enum { AHEAD_MS = 5000, SLACK_MS = 10000 };     /* what is asked for: a rise within 5 s; 10 s later it is late */
enum { NEAR_W = CAP_W / 1000 * 30 };            /* what is less below the level is no dip */

static struct {
	int64_t w[SLOTS], told_w[SLOTS];        /* the load in a slot, and what was told at its end */
	size_t n;
	struct rhythm rhythm;
	/* what play() saw */
	uint32_t told, broken;          /* slots in which a rise was told; and it did not come in time */
	int64_t first_ms, last_ms;      /* of these */
} it;

static inline void constant(int64_t lasts_ms)
{
	memset(&it, 0, sizeof(it));
	it.n = (size_t)(lasts_ms / SLOT_MS);
	assert_true(it.n <= SLOTS);
	for (size_t i = 0; i < it.n; i++)
		it.w[i] = HIGH_W;
}

static inline void dip(int64_t at_ms, int64_t lasts_ms, int64_t deep_w)
{
	for (int64_t i = at_ms / SLOT_MS; i < (at_ms + lasts_ms) / SLOT_MS; i++)
		if (i >= 0 && (size_t)i < it.n)
			it.w[i] -= deep_w;
}

static inline void dips(int64_t from_ms, int64_t to_ms, int64_t period_ms, int64_t lasts_ms, int64_t deep_w)
{
	for (int64_t at_ms = from_ms; at_ms < to_ms; at_ms += period_ms)
		dip(at_ms, lasts_ms, deep_w);
}

static inline void noise(int64_t within_w, uint64_t seed)
{
	for (size_t i = 0; i < it.n; i++)
		it.w[i] += (int64_t)((2 * dice_share(seed, 7, i) - 1) * (double)within_w);
}

static inline int64_t top_at(size_t i)
{
	int64_t top_w = 0;
	for (size_t k = i < TOP_SLOTS ? 0 : i + 1 - TOP_SLOTS; k <= i; k++)
		top_w = it.w[k] > top_w ? it.w[k] : top_w;
	return top_w;
}

/* Is the load back by what was told at the end of this slot? */
static inline bool comes_back(size_t i)
{
	for (size_t k = i + 1; k <= i + (AHEAD_MS + SLACK_MS) / SLOT_MS; k++)
		if (k >= it.n || it.w[k] > it.told_w[i] - NEAR_W)
			return true;
	return false;
}

static inline void play_until(size_t *i, int64_t until_ms)
{
	for (; *i < it.n && (int64_t)*i * SLOT_MS < until_ms; ++*i) {
		int64_t now_ms = (int64_t)(*i + 1) * SLOT_MS;
		rhythm_learn(&it.rhythm, it.w[*i], top_at(*i), CAP_W, AHEAD_MS, now_ms);
		it.told_w[*i] = rhythm_rise(&it.rhythm, 0, AHEAD_MS, now_ms);
		if (!it.told_w[*i])
			continue;
		it.first_ms = it.told ? it.first_ms : now_ms;
		it.last_ms = now_ms;
		it.told++;
		it.broken += !comes_back(*i);
	}
}

static inline void play(void)
{
	size_t i = 0;
	play_until(&i, INT64_MAX);
}

/* What was told all along in the AHEAD_MS before a rise; 0: nothing, or not always. */
static inline int64_t told_before(int64_t rise_ms)
{
	int64_t told_w = INT64_MAX;
	for (int64_t at_ms = rise_ms - AHEAD_MS; at_ms <= rise_ms; at_ms += SLOT_MS)
		told_w = it.told_w[at_ms / SLOT_MS - 1] < told_w ? it.told_w[at_ms / SLOT_MS - 1] : told_w;
	return told_w;
}

/* In how many of the slots between. */
static inline uint32_t told_within(int64_t from_ms, int64_t to_ms)
{
	uint32_t n = 0;
	for (int64_t i = from_ms / SLOT_MS; i < to_ms / SLOT_MS; i++)
		n += it.told_w[i] > 0;
	return n;
}

#endif
