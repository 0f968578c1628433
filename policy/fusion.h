/* policy/fusion.h - three figures for the same watts: the site's meter, the GPUs' meters, the miners' own. None is the
 * truth; a meter that lies is noticed by its disagreement with the other two.
 *
 * Jumping: a value that nothing on the site can draw, or next to nothing where much was drawn, is not taken before its third
 * reading; three that came back within five minutes are a verdict. Too low: the site's meter shows less than GPUs and miners
 * draw beyond all that their figures may be off by; or it has fallen, they have not, and all the rest that there was would
 * not explain it; or it has fallen alone, and then does not show what the miners do (gap.c). Scaled: the site moves as far as
 * the GPUs' meters do, or the miners, times a factor. Still: GPU meters say to the watt the same while the site moves.
 *
 * What follows has to be right even where the verdict is wrong. A suspected site's meter wakes no miner, and the load is
 * the higher of what it says and of what the GPUs' meters say. Suspected GPU meters carry no estimate: the site's does; if
 * that is lost too, they count as silent ones. A verdict falls when the figures have agreed again for a while. */
#ifndef POLICY_FUSION_H
#define POLICY_FUSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUSION_METERS 8                 /* groups of meters of which it is watched whether they stand still */
#define FUSION_MINERS 64                /* groups of miners whose own figures are judged: POLICY_GROUPS */
#define FUSION_SUMS (FUSION_MINERS + 1) /* … and one of all the others */
#define FUSION_LEAPS 3

enum lie { LIE_NONE, LIE_FROZEN, LIE_JUMPING, LIE_SCALED, LIE_SWAPPED, N_LIES };

struct fusion_verdict {                 /* zero: none */
	uint8_t lie;                    /* enum lie */
	bool by_moves;                  /* scaled: not by its level but by how far it moves */
	uint16_t group;                 /* of meters */
	int64_t since_ms, from_ms;      /* pronounced; it has been so since */
	int64_t shows_w;                /* jumping: the last leap */
	int64_t others_w;               /* what the others tell of the same; frozen: how far they have moved meanwhile */
	int32_t permille;               /* scaled: of the truth, by the others */
};

struct fusion_taken {                   /* a sum of meters, without its leaps */
	int64_t w, at_ms, now_ms;       /* what stands, measured at, taken at; now_ms 0: nothing yet */
	int64_t seen_w, seen_ms;        /* the newest, taken or not */
	int64_t leap_ms, leap_w;        /* since when values are held back, or were last; the newest of them */
	uint32_t held;                  /* how many */
	int64_t leaps_ms[FUSION_LEAPS]; /* of those that came back, newest first; 0: none */
};

struct fusion_block {                   /* means over some seconds; ms 0: none */
	int64_t ms, site_w, hpc_w, miners_w;
	int64_t others_w;               /* what else has a meter of its own */
	int64_t span_w;                 /* from the site's lowest to its highest */
	int64_t moving_w;               /* on their way, at its end */
	bool rest;                      /* no miner was on its way */
	int64_t of_w[FUSION_SUMS];      /* miners, by their own figures, of each group */
};

struct fusion_sums {                    /* of the block under way */
	int64_t begin_ms, site_w, hpc_w, miners_w, others_w, lowest_w, highest_w;
	uint32_t n, n_miners;
	bool moving, spoilt;
	int64_t of_w[FUSION_SUMS];
};

/* How far the site moves for what the others say they move: fading sums over moves, each as if of size 1. */
struct fusion_slope { double told, shown, both; uint32_t n; };

struct fusion_leap {                    /* from one block to the next; ms 0: none */
	int64_t ms, hpc_w, site_w;      /* from there … */
	int64_t told_w, shown_w;        /* … so far the GPUs' meters moved, and the site without its miners */
};

struct fusion_ratio { float mean, variance; uint32_t n; };              /* fading */

struct fusion_still {                   /* a group of GPU meters */
	int64_t w, since_ms;            /* its sum, since when */
	int64_t site_w, miners_w;       /* and what these were then */
	int64_t moves_ms;               /* since when it moves again; 0: it never stood still */
	uint32_t lively_permille;       /* of the seconds before, in how many it changed */
};

/* The site's meter fell, and nothing else that has one: what has none stopped, or a part of what there is is not shown any
 * more, as when one of three phases is lost. No miners rise into such a gap before moves of a few have told which it is. */
struct fusion_gap {
	int64_t since_ms;               /* 0: there is none, … */
	bool opens;                     /* … but it has just fallen: GPU meters, or the next block, will tell */
	int64_t idle_ms;                /* so long of it something else held the miners lower */
	struct fusion_block before;     /* the last before it; ms 0: none fell, but the meter was distrusted until then */
	int64_t wide_w, miners_w;       /* how far it fell; and what miners drew, or were to, when it was seen */
	int64_t stir_w;                 /* the GPUs, from rest to rest of the miners */
	int32_t per_gpu_permille;       /* before, the site moved so far for what the GPUs' meters say they moved, … */
	struct fusion_slope miners;     /* … and since then so far for what the miners do: … */
	int32_t least_permille;         /* … less is a lie */
	int64_t true_w;                 /* the widest that was true */
};

struct fusion {                         /* plain data, zero to start */
	struct fusion_taken site, hpc;
	uint64_t stood_for;             /* groups that a backup stands in for: what is compared is by the same meters */
	int64_t sample_ms;              /* the last look at the miners */
	int64_t fleet_w;                /* all miners awake */
	int64_t miners_w, heard_w;      /* by their own figures; what those heard from draw at least … */
	int64_t again_w;                /* … and those that have been heard from again since low_ms */
	int64_t least_w, mute_w;        /* … all of them before they follow upwards; of it, those not heard from since short_ms */
	int64_t moving_w, of_w[FUSION_SUMS];
	int64_t step_ms;
	struct fusion_sums sums;
	struct fusion_block last, level, rest;  /* the newest; the newest in which the site hardly moved; no miner moved */
	struct fusion_slope gpus, miners;
	struct fusion_leap leapt;       /* where they moved least alike of late */
	struct fusion_ratio bias[FUSION_MINERS];        /* true by told */
	struct fusion_still still[FUSION_METERS];
	int64_t low_ms;                 /* since when the site's meter shows too little; 0: it does not */
	int64_t short_ms;               /* since when it does, or has fallen farther than anything that stands there; 0: neither */
	struct fusion_block before;     /* the last before that; ms 0: they never agreed */
	int64_t other_w, other_at_w, then_miners_w;     /* what the policy had learned then of the rest, and of the miners */
	bool other_known;
	int64_t agree_ms;               /* since when blocks agree again; 0: they do not */
	struct fusion_gap gap;
	struct fusion_verdict on_site, on_hpc;
	uint32_t relapses;              /* each asks for a longer calm */
	int64_t lapsed_ms;
};

struct policy_state;
/* What the meters show of a group's moves, of what its miners say. */
struct policy_bias { int32_t permille, spread_permille; uint32_t seen; bool known; };
struct policy_bias policy_bias(const struct policy_state *, size_t group);

#endif
