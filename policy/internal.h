/* policy/internal.h - the parts of the control law, in the order in which a step uses them. Only for policy/. */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include "policy/policy.h"

static inline int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t clamp64(int64_t x, int64_t low, int64_t high) { return max64(low, min64(x, high)); }
static inline int64_t abs64(int64_t x) { return x < 0 ? -x : x; }

/* ---- meters.c: what the meters know together ---- */
struct metered {
	int64_t site_w;                 /* holds where site_known */
	int64_t site_ms;                /* when it was measured */
	int64_t hpc_w;                  /* silent meters at their nameplate */
	int64_t hpc_last_w;             /* silent meters at what they last said */
	int64_t hpc_nameplate_w;
	int64_t hpc_ms;                 /* oldest reading used */
	int64_t doubt_w;                /* nameplate less last value, of silent meters but the site's */
	uint32_t stale;
	bool has_hpc, site_known, hpc_whole;
	bool hpc_waited_for;            /* some have not spoken yet since the start, and still have the time to */
};
/* running_ms: since the start. A meter that has not spoken yet gets its time to be stale before it counts as silent. */
void meters_add_up(const struct policy_conf *, const struct snapshot *, int64_t running_ms, struct metered *);

/* ---- tracks.c: what each miner draws and is on its way to ---- */
struct tracked {
	int64_t drawn_w;                /* all miners, by the model, when the site was measured */
	int64_t least_w, most_w;        /* bounds on it: miners under way may have moved or not */
	int64_t settled_w;              /* when all that is under way is done */
	int64_t now_w;                  /* drawn at now_ms */
	int64_t oldest_ms;
	int64_t curtailable_w, restorable_w, waking_w;
	uint32_t phases[N_PHASES];
	uint32_t unheard;               /* neither answer nor fault yet */
	int64_t slowest_sleep_ms;
};
/* Takes in the newest answers; then adds up. at_ms: when the site was measured. */
void tracks_update(const struct policy_conf *, struct miner_track *, const struct snapshot *);
void tracks_add_up(const struct policy_conf *, const struct miner_track *, const struct snapshot *, int64_t at_ms,
                   struct tracked *);
/* Whether the miner may be told to go to sleep (hash false) or to wake now, wear aside. */
bool track_may_be_told(const struct policy_miner_group *, const struct miner_track *, bool hash, int64_t now_ms);
/* Which wear limit forbids it; BINDING_NONE: none. */
enum binding track_wear(const struct policy_miner_group *, const struct miner_track *, bool hash, int64_t now_ms);
/* What it will draw once it has done what it was told. An order to sleep that is overdue is not counted on. */
int32_t track_settled_w(const struct policy_miner_group *, const struct miner_track *, int64_t now_ms);
/* The order is given. */
void track_tell(const struct policy_miner_group *, struct miner_track *, bool hash, int64_t now_ms);

/* ---- load.c: the uncontrolled load, and the one to plan for ---- */
int64_t load_estimate(const struct policy_conf *, struct policy_state *, const struct metered *, const struct tracked *,
                      bool site_usable, int64_t now_ms);
bool load_site_frozen(const struct policy_conf *, struct policy_state *, const struct metered *, const struct tracked *,
                      int64_t now_ms);
void load_remember(struct policy_state *, int64_t load_w, int64_t now_ms, int64_t response_ms, int64_t cap_w);
int64_t load_highest(const struct policy_state *, int64_t load_w);      /* of the last minute and now */

/* ---- reserve.c: how far the load rises before the miners have followed ---- */
void reserve_learn(struct policy_state *, int64_t rise_w, int64_t cap_w);       /* one half-second */

/* ---- pick.c: which miners ---- */
/* Sorts the first n of index so that the first to be put to sleep (hash false) or woken stands first. Those that did
 * not follow their last order come last where the watts are needed at once, and first where there is time to try. */
void pick_sort(const struct policy_conf *, const struct miner_track *, bool hash, bool at_once, uint32_t *index,
               uint32_t n);

#endif
