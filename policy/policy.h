/* policy/policy.h - the whole control law: a function from what is known to what to do.
 *
 * The uncontrolled load L = site - miners is what GPUs and the rest draw. The site meter gives it at once
 * while the miners stand still; while miners are on their way, the GPU meters carry it. Miners get what
 * the limit less the reserve, or the set point, leaves over the load planned for. README.md, "How it decides".
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stddef.h>

#include "policy/fusion.h"
#include "policy/reading.h"
#include "policy/rhythm.h"

#define POLICY_MAX_TRIES 3              /* then a miner that does not follow counts as faulty */
#define POLICY_FAULTY_MS (10 * 60000)   /* and is asked again after this */
#define POLICY_NONE INT64_MAX           /* of a limit or set point: there is none */

enum measures { MEASURES_SITE, MEASURES_HPC, MEASURES_OTHER };

struct policy_meter_group {
	enum measures measures;
	int16_t backup_of;              /* the group it stands in for while that is stale; -1: none, it always counts */
	int64_t nameplate_w;            /* of one device: what it is taken at while silent; 0 only on the site's meter */
	int64_t stale_ms;               /* older readings count as none */
};

struct policy_response { int64_t delay_ms, ramp_ms; };  /* from the order: dead time, then a ramp */

/* What a miner may be told: to sleep, to wake, or to hash on at another power. */
enum deed { DEED_SLEEP, DEED_WAKE, DEED_POWER, N_DEEDS };

struct policy_miner_group {
	int16_t priority;               /* lower is curtailed first */
	int32_t efficiency_mj_per_th;   /* within a priority the worst (highest) is curtailed first; 0: not told */
	int32_t nominal_w, asleep_w;    /* of one miner */
	int32_t partial_w;              /* the least power it is run at while hashing; 0: it knows only on and off */
	int32_t step_w;                 /* finest step of power between that and nominal_w; 0: 1 W */
	int32_t cycles_per_day;         /* 0: as many as it takes */
	int64_t min_awake_ms, min_asleep_ms;
	int64_t stale_ms;               /* not heard for so long: unreachable */
	struct policy_response sleep, wake, power;      /* declared; policy_step puts what it learned in their place */
	bool watched;                   /* none of them is ever told anything: how they would follow counts for nothing */
	int64_t sleep_spread_ms, wake_spread_ms, power_spread_ms;       /* standard deviation of single miners; 0: not known */
};

/* What is given for a flat site, in hash: nothing, or the more the higher the price for what it moves (policy/reserve.c). */
enum prefer { PREFER_BALANCED, PREFER_HASH, PREFER_FLAT, N_PREFERS };

#define POLICY_WINDOWS 4
struct policy_window { int64_t within_ms, change_w; };  /* in any time so long the site is moved no further on purpose */

struct policy_conf {                    /* constant while running; arrays are lent */
	int64_t cap_w;
	int64_t target_w;               /* POLICY_NONE: the limit less the reserve */
	int64_t reserve_w;              /* POLICY_NONE: learned */
	enum prefer prefer;             /* where it is learned, and miners know partial power */
	bool no_forecast;               /* the plan never goes by what the load's own past foretells, only by what it has been */
	int64_t ramp_up_w_per_min, ramp_down_w_per_min;         /* 0: as fast as may be */
	struct policy_window windows[POLICY_WINDOWS];
	size_t n_windows;
	const struct policy_meter_group *meter_groups;
	const uint16_t *meter_group;    /* of each meter */
	const struct policy_miner_group *miner_groups;
	const uint16_t *miner_group;    /* of each miner */
	const uint16_t *circuit;        /* of each miner: the feeder or phase that it stands on; NULL: not told */
	size_t n_meter_groups, n_meters, n_miner_groups, n_miners;
	size_t n_circuits;
};

/* What grid and operator want at this moment, already resolved (policy/orders.h). */
struct demand {
	int64_t limit_w;                /* most the site may draw; POLICY_NONE: only the cap */
	int64_t limit_soon_w;           /* the lowest that will be in force before a miner woken now has paid off */
	int64_t setpoint_w;             /* draw to hold; POLICY_NONE: the file's target */
	int64_t setpoint_ramp_w_per_min;        /* 0: none told */
	int64_t miners_w;               /* most the miners may draw; POLICY_NONE: free */
	int64_t miners_soon_w;
	bool shed;                      /* miners_w is a shed, not a share */
	bool by_operator;               /* the set point is an operator's */
	int16_t limit_from, setpoint_from, miners_from;         /* who says so: the caller's index; -1: nobody */
};

struct miner_seen {
	struct miner_reading reading;   /* the newest answer, or why there was none */
	enum fault heard;               /* how the newest order was answered; FAULT_NEVER: not yet */
	int64_t heard_ms;               /* when */
};

struct notice;                          /* policy/notices.h */

struct snapshot {                       /* all that is known, at one instant; arrays are lent */
	int64_t now_ms;
	struct demand demand;
	const struct meter_reading *meters;     /* the newest value of each, whatever its age; the fault if there never was one */
	const struct miner_seen *miners;
	const struct notice *notices;   /* of the GPU scheduler, in force */
	size_t n_notices;
	bool futile;                    /* shedding is not seen to help (policy/futility.h): nothing is moved at ease */
};

enum miner_phase {
	PHASE_UNKNOWN, PHASE_AWAKE, PHASE_WAKING, PHASE_FALLING, PHASE_ASLEEP,
	PHASE_UNREACHABLE, PHASE_FAULTY,
	N_PHASES
};

/* What the policy remembers of one miner. Zero to start. */
struct miner_track {
	int64_t read_ms;                /* when it was last heard from; 0: never */
	int64_t told_ms;                /* when it was last told something; 0: never */
	int64_t settled_ms;             /* since when it is awake or asleep; 0: since before we knew it */
	int64_t wear_ms;                /* its cycles are paid for until then: each adds its share of a day */
	int32_t drawn_w;                /* at read_ms */
	int32_t awake_w;                /* what it draws, or drew, when hashing */
	int32_t from_w, to_w;           /* of the order under way */
	int32_t limit_w;                /* told, while it hashes; 0: none */
	uint16_t nearer_cs;             /* of the order under way: when it last came nearer to what it was told, 10 ms, … */
	uint8_t nearest;                /* … and how far it had come, per cent of the way */
	int64_t moved_ms;               /* when it was last told another power, and did it; 0: never */
	int64_t stuck_ms;               /* until then it is not told another power: it did not follow */
	int64_t low_until_ms;           /* … or not more: it did not rise, or fell again and again */
	int64_t fell_ms;                /* when it first did, by itself, … */
	uint8_t falls;                  /* … and how often since … */
	bool risen;                     /* … it was raised, or woken */
	uint32_t sleeps;                /* how often it was put to sleep */
	uint8_t tries;                  /* orders in a row that it did not follow, the one under way included */
	bool under_way;                 /* an order is */
	bool told_hash;
	uint8_t deed;                   /* enum deed, of the newest order */
	bool lost;                      /* the newest order was not answered at all */
	bool answers;                   /* its newest answer was no fault */
	bool steerable;
	uint8_t phase;                  /* enum miner_phase */
	uint8_t step;                   /* of the state, in which it was told last */
	uint8_t move;                   /* within a step only: what it may be told (policy/internal.h, enum move), … */
	uint16_t place;                 /* … where it stands among those picked (policy/moves.c), … */
	int32_t trim_w;                 /* … and the limit that goes with it; 0: the least, or the most */
	uint16_t begun_cs;              /* of the order under way: when a tenth of the way was done, 10 ms; 0: not yet */
	uint16_t earlier_cs;            /* since it was first told the same, before told_ms */
};

/* ---- what is learned of the miners (policy/learn.c); plain data, worth keeping over a restart ---- */

#define POLICY_QUANTITY_MOST 1000000000    /* observations are counted up to here */
struct policy_quantity { float mean, variance; uint32_t n; };           /* fading: what is long ago weighs nothing */
struct policy_motion { struct policy_quantity begin_ms, end_ms; };      /* a tenth of the way, and most of it, done */
enum policy_basis { BASIS_DECLARED, BASIS_LEARNED, BASIS_WORST, N_BASES };

struct policy_actuator {                /* a group of miners, one way */
	struct policy_motion by_site;   /* seen at the site's meter, when the group moved alone: to 85 % */
	struct policy_motion by_polls;  /* by the miners' own figures: to 90 %. These may run ahead, so they count only
	                                 * where they say it is slower than declared */
	struct policy_quantity works;   /* 0 or 1: the watts moved as told */
	struct policy_quantity watts;   /* of one miner that got there */
	struct policy_quantity least;   /* of one that was told the group's partial_w: by power only */
	struct policy_response used;    /* by the last step */
	int64_t spread_ms;
	uint8_t basis;                  /* enum policy_basis, of that */
};

#define POLICY_GROUPS 64                /* of miners that are learned of: with more, the declared values stand for all */

struct policy_trial {                   /* one group moves and nothing else does: the site's meter shows how */
	bool on;
	enum deed deed;
	uint16_t group;
	int64_t told_ms, seen_ms, begin_ms;
	int64_t before_w, way_w, hpc_w, seen_w;
};

#define POLICY_SLOT_MS 500
#define POLICY_LOADS 128                /* half-seconds of load remembered: 64 s */
#define POLICY_RISES 96                 /* bins of how far the load rose within the miners' response */
#define POLICY_HOLDS 7                  /* ways to plan: for the highest load of so long, or for what is foretold */
#define POLICY_PEAKS 12                 /* stretches of 20 minutes whose highest load is known */

enum { FORETELL_TAPS = 24, FORETELL_BANDS = 4, FORETELL_PAST = 160, BANDS_STAGES = 6 };

struct policy_bands {                   /* of filters (policy/bands.h) */
	double low[FORETELL_BANDS - 1][BANDS_STAGES][2], high[FORETELL_BANDS - 1][BANDS_STAGES][2];
};

struct policy_paper {                   /* what a plan would leave the site to move (policy/paper.h) */
	uint32_t n, newest;             /* half-seconds */
	double kept_w[FORETELL_PAST];   /* from the miners, by the plan */
	double mean_w, left[FORETELL_BANDS];    /* W², by band, fading */
	struct policy_bands bands;
};

struct policy_hold {                    /* one such length; all are tried on paper, one is used (policy/reserve.c) */
	int64_t levels_w[POLICY_LOADS]; /* the load planned for in each half-second */
	double rises[POLICY_RISES];     /* how often, lately, the load rose so far over that before miners had followed */
	int64_t reserve_w;              /* the most it did */
	double dip_w;                   /* how far the load lies below the one planned for, on average */
	int64_t asked_w, reached_w;     /* what the plan keeps from the miners: as it is; and once these have followed */
	int64_t pending_w, n_pending;   /* it is less for so many half-seconds: at most so much */
	double kept_w, kept_lately_w;   /* the same on average, and over a minute … */
	uint32_t n_tried;               /* … of so many half-seconds */
	struct policy_range { double highest_w, lowest_w; } range, range_lately;       /* of what it keeps them from, fading */
	int64_t least_kept_w;           /* with less than that, what they draw would swing by more than power does */
	struct policy_paper paper;
	double moves_w;                 /* by that, rms */
};

struct policy_normal {                  /* normal equations; the lower half of `square` counts */
	double square[FORETELL_TAPS][FORETELL_TAPS], product[FORETELL_TAPS], power;
};
#define POLICY_REPLAYED 7200            /* half-seconds: an hour */

enum foretell {                         /* a filter for each plan by what is foretold: … */
	FORETELL_DIPS,                  /* … under a top, for as much as can be had below it; … */
	FORETELL_FLAT,                  /* … without one, for the site to be flat */
	N_FORETELLS
};
struct policy_filter {
	double taps[FORETELL_TAPS];     /* in use, … */
	double aim[FORETELL_TAPS];      /* … and what they go to, by and by (policy/fit.h) */
	double missed_w, came_w;        /* W over what is, or was, foretold, at most (policy/replay.h) */
};
struct policy_replay {                  /* policy/replay.h; rings, and what came of the last time */
	uint32_t n, newest;
	double mean_w[POLICY_REPLAYED];
	float highest_w[POLICY_REPLAYED], told_w[POLICY_REPLAYED];
	bool ran;
	enum foretell turn;             /* whose weights are fitted next */
};
struct policy_foretell {                /* policy/foretell.h */
	uint32_t n, newest;             /* half-seconds */
	double mean_w;
	struct policy_replay replay;
	double load[FORETELL_BANDS][FORETELL_PAST];             /* about its mean, in each band … */
	double cancelled[FORETELL_BANDS][FORETELL_PAST];        /* … and what miners would take off, told to follow it */
	struct policy_bands bands;
	struct policy_normal equations[FORETELL_BANDS];
	double counted;                 /* half-seconds in them, fading likewise */
	struct policy_filter filters[N_FORETELLS];
};

#define POLICY_SLOTS 512                /* half-seconds: a minute back, and as far ahead as most miners take to follow */

struct policy_course {                  /* what was moved on purpose, in each half-second as the site's meter shows it */
	int64_t slot;                   /* up to which it goes, since the epoch of now_ms */
	int64_t moved_w[2][POLICY_SLOTS];       /* [false] down, [true] up; both positive */
};

struct policy_moved {                   /* what follows from orders: of those that nobody hears, as in a dry run, nothing does */
	int64_t up_budget_w, down_budget_w;     /* what the ramps allow to be moved now … */
	int64_t up_rest, down_rest;     /* … and the part of a watt beside it, W ms */
	int64_t held_back_ms;           /* when a ramp or a window last kept miners from what was foretold; 0: never */
	struct policy_course course;    /* kept where windows are told */
	struct policy_trial trial;
};

#define POLICY_LAGS 8                   /* moves of a set point by which the next are foretold */
#define POLICY_AHEAD 5                  /* messages: the newest, and what the next four will tell */

struct policy_setpoint {                /* told every few seconds (policy/setpoint.c) */
	bool on;
	int64_t told_w, told_ms, changed_ms, every_ms;
	uint32_t n;                     /* messages in a row */
	double moves_w[POLICY_LAGS], largest_w;                 /* newest first; the largest fades */
	double weights[POLICY_LAGS], spread[POLICY_LAGS][POLICY_LAGS];
	double ahead_w[POLICY_AHEAD][POLICY_AHEAD];             /* foretold at the last messages */
	double error_w[POLICY_AHEAD], held_error_w[POLICY_AHEAD];       /* so many messages ahead; of the value told then */
	double load_w;                  /* the load, smoothed over the miners' response */
	int64_t load_ms;
	int64_t seen_ws;                /* the site since told_ms, W by ms … */
	int64_t seen_ms;                /* … until then */
	int64_t ordered_ms;             /* when miners were last to be told */
	bool followed;                  /* by power, at the last step (policy/follow.c) */
};

#define POLICY_RIPPLES 120              /* half-seconds: a minute */

struct policy_span { int64_t highest_w, lowest_w; };
struct policy_ripple {                  /* of something's draw; n 0: nothing is known */
	int64_t slot_ms;
	uint32_t n, newest;
	struct policy_span spans[POLICY_RIPPLES];
};

struct policy_fall {                    /* of the load, as it never rose */
	int64_t w, from_w;              /* it has not come back from this yet; 0: there is none */
	uint32_t slots;                 /* half-seconds ago */
	double returned_w;              /* from such a one it has, at its own pace; fading */
};

struct policy_stairs {                  /* the load's rises to beyond its peak */
	double largest_w, second_w;     /* of late, fading */
	int64_t from_w;                 /* the peak before the one that is under way, or as far as it was told, … */
	uint32_t slots;                 /* … for so many more half-seconds; 0: none is */
};

struct policy_state {                   /* plain data, no pointers, zero to start */
	bool started;
	int64_t started_ms, last_ms;
	int64_t away_ms, back_ms;       /* the last step before the last pause, and the first after it; 0: there was none */
	int64_t finding_ms;             /* when miners were last being found, after the start; 0: never */
	int64_t other_w;                /* neither GPUs nor miners, learned … */
	int64_t other_at_w;             /* … where GPU meters showed this */
	bool other_known;
	int64_t site_ms;                /* of the site's value it was learned from last */
	int64_t measured_w, measured_miners_w;  /* the load and the miners, when the site was last measured */
	/* The same by the model, when that was news, and bounds on it: of those that have arrived since nobody knows it any more. */
	struct { int64_t ms, drawn_w, least_w, most_w; } then;
	int64_t usable_since_ms;        /* since when the site's meter has spoken without a break */
	int64_t above_since_ms;         /* since when the miners head for more than they should draw: now, if they do not */
	int64_t room_since_ms;          /* since when for less */
	int64_t lately_w;               /* the highest load of the five seconds until then */
	int64_t announced_w;            /* where notices said the load would be by now; 0: nothing */
	int64_t loads_w[POLICY_LOADS];  /* the highest of each half-second, newest at `newest` */
	int64_t told_w[POLICY_LOADS];   /* … and how high notices said it would be when miners told then had followed */
	int64_t seen_w[POLICY_LOADS];   /* … and by the site's meter alone */
	uint32_t n_loads, newest;
	int64_t slot_ms, slot_highest_w, slot_seen_w, slot_sum_w;       /* the half-second being filled */
	uint32_t slot_n;
	struct policy_hold holds[POLICY_HOLDS];
	uint32_t chosen_hold;           /* that in use may be another: reserve_hold() */
	struct policy_foretell foretell;
	struct rhythm rhythm;           /* of dips that last too long for that */
	double rose_as_told_w;          /* the most it lately rose before miners had followed, where notices told it */
	uint32_t wary_slots;            /* for so many half-seconds the longest is, for the load fell as it never rose */
	struct policy_fall fall;
	int64_t peaks_w[POLICY_PEAKS];  /* the highest load of each 20 minutes, newest first; 0: not known */
	uint32_t n_peak_slots;          /* half-seconds in the newest */
	uint32_t n_below_slots;         /* half-seconds since it went beyond them by more than a little */
	uint32_t climbs;                /* of the latest half-seconds, how many went beyond all of these */
	struct policy_stairs stairs;
	bool recalled;                  /* these, and how far it rises, are known from before a restart */
	struct policy_ripple site_ripple, load_ripple;
	int64_t wishes_w[POLICY_LOADS]; /* what the miners should draw, in each half-second … */
	uint32_t n_wishes, newest_wish;
	int64_t wish_ms;
	double low_wish_w;              /* … the lowest of them of late, fading … */
	double climb_w;                 /* … and how far they lately climbed while a wake would have taken, fading */
	struct policy_setpoint setpoint;
	struct policy_moved moved;
	int64_t frozen_w, frozen_since_ms, frozen_beside_w;     /* the site's last value, since when, and the rest then */
	int64_t frozen_heard_ms;        /* its newest answer … */
	uint32_t frozen_answers;        /* … and how many since told the same, up to as many as count */
	bool frozen;                    /* the rest has moved since, and the value has not */
	int64_t decisions;
	uint8_t step;                   /* steps, round and round */
	struct policy_actuator actuators[POLICY_GROUPS][N_DEEDS];       /* of each miner group */
	struct fusion fusion;           /* whether meters and miners agree */
};

enum reason {
	REASON_NONE,
	REASON_CAP, REASON_SHED, REASON_TARGET, REASON_RAMP, REASON_EVENT, REASON_FREQUENCY,
	REASON_PRICE, REASON_FAILSAFE, REASON_OPERATOR, REASON_STARTUP,
	N_REASONS
};

enum binding {                          /* the limit that bound */
	BINDING_NONE,
	BINDING_CAP, BINDING_LIMIT, BINDING_RESERVE, BINDING_PLAN, BINDING_TARGET, BINDING_SETPOINT, BINDING_MINERS_LIMIT,
	BINDING_RISE,                   /* as never before: most miners go along */
	BINDING_RAMP_UP, BINDING_RAMP_DOWN, BINDING_WINDOW, BINDING_MIN_AWAKE, BINDING_MIN_ASLEEP, BINDING_CYCLES,
	BINDING_WAKES_IN_FLIGHT, BINDING_RUNNING_RESERVE, BINDING_METER_LOST, BINDING_METER_GAP, BINDING_NO_MINERS,
	N_BINDINGS
};

enum { RIPPLE_5_S, RIPPLE_15_S, RIPPLE_60_S, N_RIPPLES };

/* What is believed at this instant; for telemetry and for the decision's figures. POLICY_NONE: not known. */
struct picture {
	int64_t site_w, hpc_w, miners_w, other_w;       /* hpc_w: silent meters at their nameplate */
	int64_t site_age_ms, hpc_age_ms, miners_age_ms; /* of the oldest answer used */
	int64_t load_w;                 /* L, now */
	int64_t planned_w;              /* L planned for: the highest of hold_ms, or what is foretold; and what is announced */
	int64_t announced_w;            /* of it */
	int64_t returns_to_w;           /* of it: where a dip that comes again and again is about to end; 0: none is */
	int64_t recent_w, present_w;    /* L's highest of the last 15 s, and 1.5 s */
	int64_t swing_w;                /* how far L lies below that, on average */
	int64_t doubt_w;                /* nameplate less last known draw, of silent meters: kept free */
	int64_t limit_w, target_w;      /* target_w: what the site should draw on average */
	int64_t reserve_w;              /* kept free; if learned, swing_w included: by … */
	int64_t hold_ms;                /* … how long a dip of the load must last before miners fill it … */
	int64_t rise_w;                 /* … the most by which the load lately rose over that before miners followed … */
	int64_t peak_w;                 /* … and its highest of the last hours: it is not kept free much beyond that */
	int64_t ripple_w[N_RIPPLES];    /* from peak to peak within so long, at the site's meter … */
	int64_t hpc_ripple_w[N_RIPPLES];        /* … and without the miners: what GPUs and the rest would have done alone */
	int64_t headroom_w;             /* what the plan leaves the miners beyond what they will draw when all under way is done */
	int64_t settled_miners_w;       /* the miners, when all that is under way is done */
	int64_t curtailable_w, restorable_w;
	uint32_t phases[N_PHASES];
	uint32_t stale_meters;
	bool site_known, hpc_whole, failsafe;
};

struct candidate {                      /* within a step: a miner that may be told something */
	uint64_t rank;                  /* the lower, the sooner: by priority, efficiency and the like (policy/pick.c); … */
	uint32_t turn;                  /* … of equal ones its turn among circuits (policy/spread.h), … */
	int64_t wear;                   /* … then the least worn: by its sleeps, or since when it draws what it does */
	uint32_t miner;
	int32_t gain_w;                 /* what it will draw less, or more */
};

struct command {
	uint32_t miner;
	enum deed deed;
	bool hash;                      /* the state to be in, of a miner_order … */
	int32_t limit_w;                /* … and its limit: 0 where the group has no partial_w */
	uint8_t try_number;             /* 1 for a new order; more: told again, it did not follow */
	int32_t from_w, to_w;
};

struct decision {
	enum reason reason;             /* REASON_NONE: nothing to do */
	enum binding serves;            /* the limit or set point that asks for wanted_miners_w */
	enum binding binding;           /* what bound in the end: that, or what held the move back */
	struct picture picture;         /* always filled */
	int64_t wanted_miners_w;        /* what they should draw once settled */
	int64_t expected_site_w;        /* the site, once this is done and the load stays as it is */
	struct command *commands;       /* caller's room for n_miners */
	uint32_t n_commands;
	uint32_t n_repeats;             /* of them, told again */
	bool cap_unreachable;           /* all that may be shed is told to, and the limit will still not hold */
};

/* Total: every input gives a safe decision, there is no error to return. Same arguments, same decision.
 * tracks: n_miners, zero to start; scratch: room for n_miners. */
void policy_step(const struct policy_conf *, struct policy_state *, struct miner_track *tracks,
                 const struct snapshot *, struct candidate *scratch, struct decision *);

/* Sleeps that are left to it for now, of a group with cycles_per_day, in thousandths. */
int64_t track_cycles_left_milli(const struct policy_miner_group *, const struct miner_track *, int64_t now_ms);

/* Since when a meter counts as silent that last spoke at at_ms: nobody was asked in a pause, so one that was not silent before it
 * has its whole time again. */
int64_t policy_silent_since_ms(const struct policy_state *, int64_t at_ms, int64_t stale_ms);

/* The least power that miners of the group hash at: as declared, or what they were seen to hold when told that. */
int32_t policy_partial_w(const struct policy_state *, const struct policy_conf *, size_t group);

/* What the load has shown, to outlast a restart: what rose before will rise again. */
struct policy_shown {                   /* plain data */
	int64_t peaks_w[POLICY_PEAKS];  /* as the state has them, but none below 0; all 0: it has shown nothing */
	uint32_t n_peak_slots, n_below_slots;   /* as the state has them */
	/* How often it lately rose so far over what each hold planned for. 0 W: there are no more. */
	struct policy_rise { int64_t w; double often; } rises[POLICY_HOLDS][POLICY_RISES];
	int64_t missed_w[N_FORETELLS];  /* by so much what was foretold lately missed at most */
};
void policy_keep_shown(const struct policy_state *, int64_t cap_w, struct policy_shown *);
/* To a state that has seen nothing yet. The cap may be another; away_ms: since it was kept. Returns the highest load of the
 * last hours; 0: it is too long ago, and nothing of it is used. */
int64_t policy_recall_shown(struct policy_state *, const struct policy_shown *, int64_t cap_w, int64_t away_ms);

/* The cap is another: how far the load rose is counted by parts of it. */
void policy_change_cap(struct policy_state *, int64_t from_w, int64_t to_w);
/* Some miners are no more this site's, or others are: what they draw, or are not yet known not to draw, would be a move of the
 * load. It begins anew as after a restart. */
void policy_change_miners(struct policy_state *, int64_t cap_w);
/* The group got another firmware, or is another group after a reload: what was learned of it does not hold. */
void policy_forget(struct policy_state *, size_t group);
/* The meters are others, or may be: what they said holds no more, and new ones get the time to answer. */
void policy_forget_meters(struct policy_state *);

const char *deed_name(enum deed);                /* as in the decision's JSON */
const char *reason_name(enum reason);           /* as in the decision's JSON */
const char *binding_name(enum binding);
const char *phase_name(enum miner_phase);

#endif
