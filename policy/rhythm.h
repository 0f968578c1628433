/* policy/rhythm.h - dips of the load that return: training jobs stop for an evaluation or a checkpoint every so often.
 *
 * The load is watched at RHYTHM_LEVELS depths below the highest of late. At each, a stretch below of five seconds to ten
 * minutes is a dip; three alike at equal distances make a train; a train foretells its next dip, when it comes and how long
 * it lasts, and is judged by it. It is believed after three or more right ones in a row (more where chance would often be
 * right), and not any longer from the instant on at which a dip is late, ends early or does not end; then it has to prove
 * itself again. Shorter dips are left out: no miner sleeps and wakes within them, and they would hide the others.
 *
 * What is foretold is how high the load will be again when a believed dip that has come ends, and the earliest it may: after
 * the shortest of the last dips, less half their spread. That is as far over the dip's level as it went at most, after the ends
 * of the last ones there, while miners follow: from a slow climb it is not far. Who plans for that has miners asleep in time.
 * Believed wrongly it costs what these would have drawn until the dip is overdue: after the longest of the last, half their
 * spread more and some seconds. That a next dip comes is not told.
 * Times are monotonic. No memory but struct rhythm; zero to start. */
#ifndef POLICY_RHYTHM_H
#define POLICY_RHYTHM_H

#include <stdbool.h>
#include <stdint.h>

enum { RHYTHM_LEVELS = 16, RHYTHM_TRAINS = 6, RHYTHM_DIPS = 24, RHYTHM_PAST = 8 };

struct rhythm_dip {
	int64_t fell_ms;
	int32_t lasts_ms;
	int64_t from_w, rose_w;         /* just before its end, below its level; and after it, while miners follow, so far above */
};

struct rhythm_train {                   /* of dips; period_ms 0: none */
	int64_t due_ms;                 /* the next fall; while the dip is under way, that fall */
	int32_t period_ms;
	int32_t error_ms[RHYTHM_PAST], lasts_ms[RHYTHM_PAST];   /* of the last dips: fall less due, and length */
	uint8_t n_past, newest;
	bool dipping;                   /* the dip under way at this level is this train's */
	uint8_t proofs, needed, misses; /* foretold right in a row; how many make it believed; wrong in a row */
};

struct rhythm_level {
	int64_t fell_ms, top_w;         /* of the dip under way, or the last; … */
	int64_t line_w;                 /* … what is less is below */
	bool below;
	int64_t rose_ms;                /* when the newest of `dips` ended, as long as it is watched how far it rises; else 0 */
	uint8_t n_dips, newest;
	struct rhythm_dip dips[RHYTHM_DIPS];
	struct rhythm_train trains[RHYTHM_TRAINS];
};

struct rhythm {
	int64_t last_ms, last_w;        /* of the last half-second learned */
	struct rhythm_level levels[RHYTHM_LEVELS];
};

/* Once for each half-second. highest_w: the load's within it; top_w: the highest of about the last minute. ahead_ms: until
 * miners told now have followed. */
void rhythm_learn(struct rhythm *, int64_t highest_w, int64_t top_w, int64_t cap_w, int64_t ahead_ms, int64_t now_ms);

/* The highest to which a believed dip under way may rise again within ahead_ms, at its end by much more than kept_w, which is
 * kept free for what rises; 0: none is under way, or it does not end by then. */
int64_t rhythm_rise(const struct rhythm *, int64_t kept_w, int64_t ahead_ms, int64_t now_ms);

#endif
