/* policy/internal.h - the parts of the control law, in the order in which a step uses them. Only for policy/. */
#ifndef POLICY_INTERNAL_H
#define POLICY_INTERNAL_H

#include "policy/following.h"
#include "policy/notices.h"
#include "policy/policy.h"

static inline int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t clamp64(int64_t x, int64_t low, int64_t high) { return max64(low, min64(x, high)); }
static inline int64_t abs64(int64_t x) { return x < 0 ? -x : x; }

/* From the order to the end of the way. */
static inline int64_t whole_ms(const struct policy_response *r) { return r->delay_ms + r->ramp_ms; }

/* Newton, from above: the room may use no mathematics library. */
static inline double root_of(double x)
{
	double r = x > 1 ? x : 1;
	if (!(x > 0))
		return 0;
	for (double next = (r + x / r) / 2; next < r * 0.999999; next = (r + x / r) / 2)
		r = next;
	return r;
}

/* ---- meters.c: what the meters know together ---- */
struct metered {
	int64_t site_w;                 /* holds where site_known */
	int64_t site_heard_ms, site_age_ms;     /* when its meters were asked, and how old what they said was then; so it was … */
	int64_t site_ms;                /* … measured */
	int64_t hpc_w;                  /* silent meters at their nameplate */
	int64_t hpc_last_w;             /* silent meters at what they last said */
	int64_t hpc_nameplate_w;
	int64_t hpc_ms;                 /* oldest reading used */
	int64_t doubt_w;                /* nameplate less last value, of silent meters but the site's */
	int64_t hpc_fresh_w, hpc_silent_w;      /* of meters that are not silent; of the others at their nameplate */
	int64_t others_w;               /* what meters of the rest say, negative: fed in … */
	int64_t fed_w;                  /* … behind the site's meter, by those that say so */
	int64_t group_w[FUSION_METERS]; /* of each of the first groups, silent meters at what they last said */
	uint64_t stood_for;             /* a bit for each group that a backup stands in for; … */
	uint64_t silent;                /* … and for each of which some say nothing, and none stands in */
	uint32_t stale;
	bool has_hpc, site_known, hpc_whole;
	bool hpc_suspect;               /* they do not agree with the others (verdict.c), … */
	int32_t hpc_part_permille;      /* … or would if they did not show such a part of what GPUs move; 0: it is not known */
	bool hpc_waited_for;            /* some have not spoken yet since the start, and still have the time to */
	bool site_waited_for;           /* the same; or not since a pause */
};
/* A meter that has not spoken yet, or not since a pause, gets its time to be stale before it counts as silent. */
void meters_add_up(const struct policy_conf *, const struct policy_state *, const struct snapshot *, struct metered *);
int64_t meters_stale_ms(const struct policy_conf *, enum measures);     /* as late as the slowest that measure it may be */

/* ---- tracks.c: one miner, what it draws and is on its way to ---- */
#define TRACK_FAST_PERCENT 40           /* miners are between so much … */
#define TRACK_SLOW_PERCENT 200          /* … and so much of the times told, … */
#define TRACK_STEADY_FAST_PERCENT 80    /* … and where they only change their power, which is done all the time, … */
#define TRACK_STEADY_SLOW_PERCENT 130   /* … between these */

#define TRACK_BEGUN_PERCENT 10          /* of the way: it is on it */
#define TRACK_COARSE_PART 16            /* of nominal_w: no nearer is a miner's own figure to what it is told to draw */

/* The newest answer, or that there was none for long, or that the order was refused. */
void track_take_in(const struct policy_miner_group *, struct miner_track *, const struct miner_seen *, int64_t now_ms);
/* By the model, where it takes `percent` of the times told. */
int32_t track_drawn_w(const struct policy_miner_group *, const struct miner_track *, int64_t at_ms, int64_t percent);
/* The same between two instants, on average. */
int32_t track_mean_w(const struct policy_miner_group *, const struct miner_track *, int64_t from_ms, int64_t to_ms);
/* What may be asked of a miner. Lowering and raising are of the power at which it hashes. */
enum move { MOVE_SLEEP, MOVE_LOWER, MOVE_RAISE, MOVE_WAKE };
static inline bool move_is_up(enum move move) { return move == MOVE_RAISE || move == MOVE_WAKE; }
enum deed move_deed(enum move);
const struct policy_response *deed_response(const struct policy_miner_group *, enum deed);

/* Of a move told at told_ms, how much is done between two instants on average. */
double response_share(const struct policy_response *, int64_t told_ms, int64_t from_ms, int64_t to_ms);

/* Whether the miner may be told so now, wear aside. at_once: an order that was lost on the way is repeated without
 * delay, and one on its way to more power is turned round. */
bool track_may_be_told(const struct policy_miner_group *, const struct miner_track *, enum move, bool at_once,
                       int64_t now_ms);
/* Which wear limit forbids it; BINDING_NONE: none. */
enum binding track_wear(const struct policy_miner_group *, const struct miner_track *, enum move, int64_t now_ms);
/* As it stands, or by the order under way; one that was faulty and is asked again stays so until its watts move. */
enum miner_phase track_phase(const struct miner_track *);
/* What it will draw once it has done what it was told. One that should draw less by now and does not answer is not
 * counted on, nor one that is faulty. */
int32_t track_settled_w(const struct policy_miner_group *, const struct miner_track *, int64_t now_ms);
/* Of what it should draw less by now: nobody has looked since. Thousands are looked at in turn. */
int32_t track_unseen_w(const struct policy_miner_group *, const struct miner_track *, int64_t now_ms);
/* What it will draw less or more once it has followed. limit_w: as it is told; 0: the least when lowered, else the most. */
int64_t track_gain_w(const struct policy_miner_group *, const struct miner_track *, enum move, int32_t limit_w,
                     int64_t now_ms);
/* The order is given; with it goes the limit. */
void track_tell(const struct policy_miner_group *, struct miner_track *, enum move, int32_t limit_w, int64_t now_ms);
/* One that counts as faulty because it did not go to sleep may be told once more, half a minute after the last time. */
void track_ask_again(struct miner_track *, int64_t now_ms);

/* ---- learn.c: how the miners really follow ---- */
/* Writes the groups with what was learned in place of what was declared, where it may be used. */
void learn_apply(const struct policy_conf *, struct policy_state *, struct policy_miner_group *out);
/* What a miner's newest answer shows: `before` is its track without it. */
void learn_from_poll(struct policy_actuator actuators[N_DEEDS], const struct policy_miner_group *, const struct miner_track *before,
                     struct miner_track *after, const struct miner_reading *);
/* What the site's meter shows of the trial under way, if there is one. */
void learn_from_site(struct policy_state *, const struct metered *);
/* The step's orders: they end the trial under way, and may begin one. */
void learn_begin(const struct policy_conf *, struct policy_state *, const struct metered *, const struct decision *,
                 int64_t now_ms, bool undisturbed);

/* ---- fleet.c: all miners ---- */
struct tracked {
	int64_t drawn_w;                /* all miners, by the model, when the site was measured */
	int64_t least_w, most_w;        /* bounds on it: miners under way may have moved or not */
	int64_t settled_w;              /* when all that is under way is done */
	int64_t unseen_w;               /* of it, believed without a look */
	int64_t now_w;                  /* drawn at now_ms */
	int64_t oldest_ms;
	int64_t curtailable_w, restorable_w, waking_w;
	int64_t raisable_w, lowerable_w;        /* by power alone, of those awake … */
	int64_t raisable_soon_w;        /* … and of those on their way to a power below their most, … */
	int64_t lowerable_soon_w;       /* … or above their least */
	uint32_t changing;              /* on their way to another power */
	int64_t lowering_w;             /* … and that much above it yet */
	int64_t least_wake_w;           /* of any miner that may be woken, wear aside; INT64_MAX: none may */
	uint32_t phases[N_PHASES];
	uint32_t unheard;               /* neither answer nor fault yet: … */
	int64_t unheard_w;              /* … they count as awake; asleep, the load would be as much higher than it seems */
	int64_t slowest_sleep_ms;
};
/* Takes in what is new, learns from it and adds up, in one pass. at_ms: when the site was measured. */
void fleet_look(const struct policy_conf *, struct policy_state *, struct miner_track *, const struct snapshot *,
                int64_t at_ms, struct tracked *);

/* What all miners will draw between two instants to come, on average, by the model. */
int64_t fleet_mean_w(const struct policy_conf *, const struct miner_track *, int64_t from_ms, int64_t to_ms);

/* How those follow another power that do so soonest; NULL: nobody is run at partial power. */
const struct policy_response *fleet_power(const struct policy_conf *);
/* Mean times of the group that moves soonest: a set point is followed by those. both_ways: how they follow another power,
 * or NULL. */
struct quickest { int64_t sleep_ms, wake_ms; const struct policy_response *both_ways; };
struct quickest fleet_quickest(const struct policy_conf *);
int64_t fleet_quickest_wake_ms(const struct policy_conf *);     /* until a whole group is awake: the first, … */
int64_t fleet_slowest_wake_ms(const struct policy_conf *);      /* … and the last */

/* ---- load.c: the uncontrolled load, and the one to plan for ---- */
/* The site's newest value: what miners drew then is what was known when it came. */
void load_measured(struct policy_state *, const struct metered *, struct tracked *);
int64_t load_estimate(const struct policy_conf *, struct policy_state *, const struct metered *, const struct tracked *,
                      bool site_usable, int64_t now_ms);
bool load_site_frozen(const struct policy_conf *, struct policy_state *, const struct metered *, const struct tracked *,
                      int64_t now_ms);
/* sleep_ms: of the slowest miners, until they have followed; wake_ms: of the quickest. both_ways: of miners that follow
 * up as well as down, or NULL; least_percent: of its most, what one of these draws at the least power. most_w: all miners'. */
struct load_timing {
	int64_t now_ms, sleep_ms, wake_ms;
	const struct policy_response *both_ways;
	int64_t least_percent, most_w;
};
void load_remember(struct policy_state *, int64_t load_w, const struct load_timing *, int64_t cap_w);
bool load_is_foretold(const struct policy_state *);     /* whether the plan is what is foretold, not what was */
int64_t load_planned(const struct policy_state *, int64_t load_w);      /* by the hold in use, and now */
int64_t load_within(const struct policy_state *, int64_t load_w, int64_t within_ms);    /* its highest, now included */
#define LOAD_RISEN_MS 2000
int64_t load_risen(const struct policy_state *, int64_t load_w);        /* since its lowest of the last two seconds */
int64_t load_rises_on(const struct policy_state *, int64_t load_w);     /* in two seconds, by the slower of the last two */
int64_t load_announced_before(const struct policy_state *);     /* to where, two seconds ago; 0: nothing was */
int64_t load_beyond(const struct policy_state *, int64_t load_w);       /* beyond its highest of the minute before these */
/* How far the load is over what was planned for when miners told then have followed by now: what a reserve is learned from. */
int64_t load_over_plan(const struct policy_state *, int64_t load_w, int64_t sleep_ms);
/* The load has fallen to so much for good: what was before NOTICE_LASTS_MS is not to be expected again. */
void load_forget(struct policy_state *, int64_t load_w, int64_t fallen_to_w);

/* ---- reserve.c: how far the load rises before the miners have followed ---- */
/* Of the ways to plan. The last two are to stay flat whatever the peak, and give up no part of the reserve above it: for what is
 * foretold, or for the load as it is, down by and by. */
enum { HOLD_LONGEST = 3, HOLD_FORETOLD = 4, HOLD_FLAT = 5, HOLD_EASED = 6 };
uint32_t reserve_slots(uint32_t hold);  /* half-seconds whose highest load is planned for; 0: what is foretold is */
uint32_t reserve_hold(const struct policy_state *);     /* in use: the one chosen; while the load may be in a dip, the longest */
/* Each half-second: its highest load; then, of each hold, how far that is over what was planned for when miners told then
 * would have followed by now; then whether another hold is to be used. */
void reserve_see(struct policy_state *, int64_t load_w);
void reserve_learn(struct policy_state *, uint32_t hold, int64_t rise_w, int64_t cap_w);
/* By which a plan goes that is foretold. */
enum foretell reserve_filter(uint32_t hold);
/* What is kept free over what is foretold, be it as good as it may. */
int64_t reserve_in_any_case_w(const struct policy_state *);
void reserve_foretold(struct policy_state *, uint32_t hold, int64_t cap_w);     /* instead, of what is foretold */
int64_t reserve_most_w(const struct policy_state *, int64_t cap_w);     /* what is kept for a load that goes no higher than ever */
void reserve_try(struct policy_state *, uint32_t hold, const struct load_timing *, int64_t cap_w);
/* Where miners follow both ways: what that leaves the site to move. mean_w: the load's, of the half-second; least_w: what is
 * kept from the miners whatever is planned, for they are no more. */
void reserve_sketch(struct policy_state *, uint32_t hold, int64_t mean_w, int64_t least_w, const struct following *);
/* least_percent: as above; 0: none knows but on and off. */
void reserve_choose(const struct policy_conf *, struct policy_state *, int64_t load_w, int64_t least_percent);
/* What to keep free over the load planned for: as far as it rises, but not much beyond the highest it has shown. The miners
 * are left alone within coarse_w of where they should be. */
int64_t reserve_over(const struct policy_state *, int64_t planned_w, int64_t coarse_w, int64_t cap_w);
int64_t reserve_peak_w(const struct policy_state *);    /* the highest load of the last hours */
int64_t reserve_dip_w(const struct policy_state *);     /* how far the load lies below the plan, on average; … */
int64_t reserve_rise_w(const struct policy_state *);    /* … and the most by which it lately rose over it */
bool reserve_is_known(const struct policy_conf *, const struct policy_state *); /* learned for nine minutes, or before */

/* ---- spare.c: the running reserve: how much those awake should be able to rise by power alone ---- */
/* Each step: what the miners should draw. wake_ms: how long waking takes instead. */
void spare_see(struct policy_state *, int64_t wish_w, int64_t wake_ms, int64_t now_ms);
void spare_forget(struct policy_state *);               /* what is wanted from now on is something else */
/* By how much what is there, and on its way, falls short of what was lately needed. */
int64_t spare_lacking_w(const struct policy_state *, const struct tracked *);

/* The same for a set point that moves. */
int64_t spare_lacking_to_follow_w(const struct policy_state *, const struct tracked *);

/* ---- ripple.c: how far a draw goes up and down ---- */
void ripple_see(struct policy_ripple *, int64_t w, int64_t now_ms);
/* From peak to peak in the last within_ms, at most a minute; POLICY_NONE: it has not been seen for so long. */
int64_t ripple_w(const struct policy_ripple *, int64_t within_ms);

/* ---- pick.c: which miners ---- */
/* Lowest priority, worst efficiency, least worn sleep first, and are woken last. Those that did not follow their last
 * order come last where the watts are needed at once, and first where there is time to try. */
struct pick {
	const struct policy_conf *conf;
	const struct miner_track *tracks;       /* each with its move */
	bool up, at_once;
	bool quick_first;               /* of equal priority and efficiency those that wake soonest go, and come, first */
	struct candidate *list;         /* miners that may be told and gain something; the picked go to the front */
	uint32_t n;
};
static inline void pick_swap(struct candidate *list, uint32_t a, uint32_t b)
{
	struct candidate kept = list[a];
	list[a] = list[b];
	list[b] = kept;
}
/* Adds a miner that is to be told `move` and gains so much by it. */
void pick_add(struct pick *, uint32_t miner, enum move, int64_t gain_w);
/* Those that come first and together gain need_w or more; all, if they do not. The last in order stands last where
 * they gain more. Returns how many; takes about 3 n comparisons. */
uint32_t pick_first(const struct pick *, int64_t need_w);
/* As near to amount_w as the smallest among them allows, mostly by those that come first. Returns how many. */
uint32_t pick_amount(const struct pick *, int64_t amount_w, bool may_exceed);

/* ---- moves.c: orders to miners ---- */
struct step {
	const struct policy_conf *conf;
	struct policy_state *state;
	struct miner_track *tracks;
	const struct snapshot *seen;
	struct candidate *scratch;
	struct decision *out;
	struct metered metered;
	struct tracked tracked;
	struct forecast forecast;
	int64_t minute_up_w, minute_down_w;     /* what the ramps leave any minute; 0: there is none */
	int64_t limit_w, reserve_w, load_w, planned_w, doubt_w;
	int64_t announced_w;            /* of planned_w: what notices add … */
	int64_t announced_soon_w;       /* … and will, before miners could be up and down again */
	int64_t returns_to_w;           /* planned_w is no less, for a dip is about to end; 0: none is */
	int64_t rising_to_w;            /* the load now and as announced, and some more (rise.c); no less is planned for */
	int64_t spare_w;                /* by so much those awake should be able to rise more than they are */
	bool site_usable, failsafe;
	bool follows;                   /* a set point that moves, by power: … */
	int64_t follow_w;               /* … so much more than they head for, or less */
	bool is_over;                   /* the limit, by a rise, whatever the plan is: now, or within a moment */
	bool is_unheard_of;             /* and all of a learned reserve went with it, and the site crosses its limit */
	bool has_partial;               /* some miners may be told their power */
	bool finds_miners;              /* it has just started, and some are not heard from yet */
	struct policy_conf learned;     /* conf, with what was learned */
	struct policy_miner_group groups[POLICY_GROUPS];
};
/* Sheds at least need_w at once, about need_w at ease, or all there is: by less power where that will do, else by sleep.
 * Returns what it sheds; forbidden: what held it back, if anything. The commands stand in the order in which the watts
 * fall. */
int64_t move_down(struct step *, int64_t need_w, bool at_once, bool lower_only, enum binding *forbidden);
/* Lets those awake draw at most room_w more. Returns what they will. */
int64_t move_raise(struct step *, int64_t room_w, bool ramped, enum binding *forbidden);
/* Wakes at most room_w: to the least power where `sparing`, so that they may be raised. Returns what it wakes. */
int64_t move_wake(struct step *, int64_t room_w, bool sparing, bool ramped, enum binding *forbidden);

/* ---- wish.c: what the miners should draw ---- */
struct wish { int64_t miners_w; enum binding binding; };        /* and what asks for it */
void wish_lower(struct wish *, int64_t miners_w, enum binding);
/* Under the site's limit and the miners' own: all that is allowed, and what is to be aimed at, set point included. */
struct wish wish_most(const struct step *, int64_t limit_w, int64_t miners_limit_w);
struct wish wish_under(const struct step *, int64_t limit_w, int64_t miners_limit_w);
int64_t wish_dead_band_w(const struct step *);          /* so near to it they are left alone */
/* The set point in force: the grid's or the operator's stands before the file's. What it leaves the miners: one that moves
 * is followed, any other held on average. POLICY_NONE: there is none. */
int64_t wish_setpoint_w(const struct step *);
int64_t wish_by_setpoint_w(const struct step *);

/* ---- decide.c: what is told for it ---- */
void decide(struct step *);

/* ---- rise.c: what rises faster than it was foretold, or has lately risen ---- */
int64_t rise_kept_w(const struct step *);               /* over the load as it is, whatever is foretold */
void rise_see(struct step *);                           /* is_over, rising_to_w where it is, is_unheard_of */
/* How far a rise goes that takes all of a learned reserve nobody knows, and all miners take as long to fall: the more of
 * them, the sooner the site is back under its limit. Most of those that could stay go as well, until they have followed.
 * miners_w: what the limit leaves them. Returns what this does. */
int64_t rise_leaves_w(const struct step *, int64_t miners_w);

/* ---- foresee.c: what notices mean for the plan ---- */
/* Takes them in. wake_ms: of the quickest miners. A load that has fallen for good, as told, is forgotten. */
void foresee(struct step *, int64_t wake_ms);
/* How far they take the load beyond planned_w, which may know of it already: it has been so high before. */
void foresee_rises(struct step *);

/* ---- sift.c: leaps are held back; before the site's sum is used, and before the GPUs' is ---- */
void sift_site(const struct policy_conf *, struct policy_state *, struct metered *, int64_t now_ms);
void sift_hpc(const struct policy_conf *, struct policy_state *, struct metered *, int64_t late_ms, int64_t now_ms);

/* ---- bias.c: how far the site moves for what the others say they move ---- */
#define BIAS_UNKNOWN_PERMILLE 200       /* miners' own figures are off by a fifth */
#define BIAS_MARGIN_PERMILLE  20
void slope_observe(struct fusion_slope *, int64_t told_w, int64_t shown_w);
bool slope_known(const struct fusion_slope *, uint32_t enough);         /* enough moves, and they agree */
int slope_beyond(const struct fusion_slope *, int64_t low_permille, int64_t high_permille);    /* -1 below, 1 above */
int32_t slope_permille(const struct fusion_slope *);
void bias_observe(struct fusion_ratio *, int64_t told_w, int64_t shown_w);
int64_t bias_doubt_permille(const struct policy_conf *, const struct policy_state *);  /* of what any miners say */
int64_t bias_least_permille(const struct policy_state *, size_t group);                /* of what these say, for certain */

/* ---- fusion.c: what meters and miners say, in means that can be compared ---- */
#define FUSION_ODD_PART 50              /* of the cap: meters disagree by less all the time */
#define FUSION_LEAPT_MS (60 * 60000)    /* so long a leap tells with whom a scale began */
#define FUSION_MOVES_GPUS 8             /* that tell how far the site moves for what the GPUs' meters say they move */
#define FUSION_REST_FAR_MS (5 * 60000)  /* between two rests compared: what else the site draws has moved on after that */
#define FUSION_BLOCK_LATES 4            /* means are over so many times what the slowest GPU meters are late by */
bool fusion_look(const struct step *, struct fusion *);        /* whether the miners were looked at */

/* ---- gap.c: the site's meter fell alone ---- */
/* From one block to the next. settled_w: what the miners draw or are told to. */
void gap_see(struct fusion *, const struct policy_conf *, const struct fusion_block *was, const struct fusion_block *is,
             int64_t settled_w);
/* Between two blocks; or, was->ms 0, because the site's meter was distrusted until then. */
void gap_begin(struct fusion *, const struct fusion_block *was, const struct fusion_block *is, int64_t settled_w);
void gap_forget(struct fusion_gap *);           /* but not what was true */
bool gap_opens(const struct fusion *, int64_t cap_w, const struct fusion_block *was, const struct fusion_block *is);
bool gap_is_lie(const struct fusion_gap *);     /* it does not show what the miners do since */
int64_t gap_most_w(const struct policy_conf *, const struct fusion *);         /* of the miners; POLICY_NONE: any */

/* ---- verdict.c: which meter does not agree with the others ---- */
/* After the miners are known. Returns whether the site's meter may be believed as far as to wake miners by it. */
bool fusion_judge(struct step *);
int32_t fusion_hpc_part(const struct fusion *);         /* such a part of GPUs' moves is all their meters show; 0: not so */
bool fusion_distrusts_site(const struct policy_state *);
bool fusion_doubts(const struct policy_state *);        /* the site's meter shows too little now, or fell alone: wake none */
void fusion_forget(struct fusion *);                    /* the meters are others; biases stay */

#endif
