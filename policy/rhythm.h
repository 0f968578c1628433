/* policy/rhythm.h - dips of the load that return: training jobs stop for an evaluation or a checkpoint every so often.
 *
 * The load is watched at RHYTHM_LEVELS depths below the highest of late. At each, a stretch below is a dip; three alike
 * at equal distances make a train; a train foretells its next dip, and each foretelling is judged when its time has come.
 * It is believed after RHYTHM_PROOFS or more right ones in a row (more where chance would often be right), and not any
 * longer from the instant on at which a dip is late or ends early; then it has to prove itself again.
 *
 * What is said is a bound: from .. until the load stays at or below highest_w. It comes from the extremes of the last dips
 * and half their spread more. Believed wrongly it costs at most at_stake_w over what was planned, from the instant on at
 * which the load is back until the miners are asleep: rhythm_learn takes the claim back with the same half-second.
 * Shorter dips than RHYTHM_SHORTEST_MS are left out: no miner sleeps and wakes within them, and they would hide the others.
 * Times are monotonic. No memory but struct rhythm; zero to start. */
#ifndef POLICY_RHYTHM_H
#define POLICY_RHYTHM_H

#include <stdbool.h>
#include <stdint.h>

enum { RHYTHM_LEVELS = 16, RHYTHM_TRAINS = 6, RHYTHM_DIPS = 24, RHYTHM_PAST = 8, RHYTHM_PROOFS = 3 };
enum { RHYTHM_SHORTEST_MS = 5000, RHYTHM_LONGEST_MS = 10 * 60000 };     /* of a dip */

struct rhythm_dip { int64_t fell_ms; int32_t lasts_ms; };

struct rhythm_train {                   /* of dips; period_ms 0: none */
	int64_t due_ms;                 /* the next fall; while the dip is under way, that fall */
	int32_t period_ms;
	int32_t error_ms[RHYTHM_PAST], lasts_ms[RHYTHM_PAST];   /* of the last dips: fall less due, and length */
	uint8_t n_past, newest;
	bool dipping;                   /* the dip under way at this level is this train's */
	uint8_t proofs, needed, misses; /* foretold right in a row; how many make it believed; wrong in a row */
};

struct rhythm_level {
	int64_t fell_ms, top_w;         /* of the dip under way */
	bool below;
	uint8_t n_dips, newest;
	struct rhythm_dip dips[RHYTHM_DIPS];
	struct rhythm_train trains[RHYTHM_TRAINS];
};

struct rhythm {
	int64_t last_ms;
	int64_t top_w, cap_w;           /* by the last half-second */
	uint32_t kept, late, early;     /* believed dips: as foretold; not come in time; ended before their time */
	struct rhythm_level levels[RHYTHM_LEVELS];
};

struct rhythm_claim {
	int64_t from_ms, until_ms;      /* between them the load stays at or below highest_w */
	int64_t known_ms;               /* by then the fall has been seen or the claim is gone; in the past: it has been seen */
	int64_t highest_w, at_stake_w;  /* at_stake_w: what it is below the highest of late */
	int64_t period_ms;
};

/* Once for each half-second. highest_w: the load's within it; top_w: the highest of about the last minute. */
void rhythm_learn(struct rhythm *, int64_t highest_w, int64_t top_w, int64_t cap_w, int64_t now_ms);

/* The deepest claim that holds for all of from_ms .. to_ms; false: there is none, plan for the highest of late.
 * A miner may be woken for a dip if it is asleep again by until_ms; and if the first of it that can be drawn comes after
 * known_ms and the dead time of a countermand, a dip that does not come costs nothing. */
bool rhythm_below(const struct rhythm *, int64_t from_ms, int64_t to_ms, struct rhythm_claim *);

/* The highest to which a believed dip under way may rise again by to_ms; 0: none is under way, or it does not end by then. */
int64_t rhythm_rise(const struct rhythm *, int64_t to_ms);

/* The believed claim with the most energy in it that has not ended; for telemetry. */
bool rhythm_next(const struct rhythm *, int64_t now_ms, struct rhythm_claim *);

#endif
