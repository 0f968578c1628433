/* daemon/site_parts.h - what a site is made of; only for daemon/site*.c. */
#ifndef DAEMON_SITE_PARTS_H
#define DAEMON_SITE_PARTS_H

#include "daemon/group_record.h"
#include "daemon/record.h"
#include "daemon/schedule.h"
#include "daemon/site.h"
#include "policy/futility.h"
#include "policy/orders.h"
#include "policy/refresh.h"

struct site_meter_state {
	struct site *site;
	struct meter *meter;
	struct meter_reading newest;    /* the newest value, or why there never was one */
	struct refresh refresh;         /* how often its registers change; of the site's meters only */
	enum fault fault;               /* of the newest answer */
	int64_t next_ms, asked_ms;
	int64_t worst_answer_ms, worst_late_ms; /* from poll to answer; a poll behind its schedule */
	uint64_t polls, faults;
	bool polling, alarmed;
};

struct site_miner_state {
	struct site *site;
	struct miner *miner;
	enum fault fault;               /* of the newest answer */
	int64_t next_ms;
	uint64_t seq;                   /* of the decision whose command is under way; 0: none */
	int64_t asked_ms, told_ms;
	int64_t worst_answer_ms, worst_order_ms;        /* from poll, from order to answer */
	uint64_t polls, faults;
	uint64_t identity;              /* of the machine that stands there, as last told; 0: never told */
	uint64_t firmware;              /* as last told; 0: never told */
	uint32_t orders_out;            /* given to the driver and not yet answered */
	bool polling;
	bool watched;                   /* polled out of turn, as at the start: its turn is to be chosen anew */
	bool awaited;                   /* in the site's list of that name */
	bool cut;                       /* a reload came before the answer to its order, which is to be given again */
};

/* What a reload or a restart left without a place: taken up by the miner that turns out to be the same machine. */
struct orphan { uint64_t identity; bool taken; struct miner_track track; };

/* How many miners of a group are what an alarm speaks of; and those exchanged lately. */
struct group_count { uint32_t n, unreachable, faulty, swaps; int64_t swapped_ms; };

/* What a group of miners has been through; over a reload it goes with the group's name. */
struct group_past {
	uint64_t firmware;              /* of most of its miners; 0: not told */
	uint32_t sleeps[SLEEP_HOURS];   /* miners put to sleep, by hour modulo SLEEP_HOURS, up to `hour` */
	int64_t first_hour, hour;       /* monotonic, from a day before the machine's start; 0: nothing counted yet */
	struct group_record told;       /* on group/NAME; name NULL: nothing yet */
};

/* What is still to be told of the newest decision: the miners come first. */
struct words {
	struct decision decision;       /* with commands of its own */
	struct command *commands;       /* room for all miners */
	struct instant at;
	uint64_t seq;
	char event[ORDER_ID_SIZE], why[RECORD_WHY_SIZE];
	uint32_t part, parts;           /* told, of so many */
	int64_t next_ms;
};

/* What was asked of the GPU side last (site_hpc.c). */
struct hpc_asked {
	bool told;                      /* something was published */
	int64_t limit_w;                /* POLICY_NONE: nothing is asked */
	int64_t told_ms;
	int64_t needed_ms, calm_ms;     /* since when; 0: it is not */
};

#define OUTCOMES 256                    /* decisions whose commands are under way */
#define DECISIONS_KEPT 200

struct outcome {
	uint64_t seq;                   /* 0: free */
	int64_t caused_ms, answered_ms;
	uint32_t sent, ended, confirmed, overtaken, n_failures;
	struct outcome_failure *failures;       /* room for sent, at most RECORD_COMMANDS */
};

/* How the commands of a decision ended, or stand where a reload cut them off; for mulletctl. */
struct outcome_told { uint64_t seq; uint32_t sent, confirmed, failed, overtaken; int64_t elapsed_ms; };

/* How the miners' polls go; the rest is for the operator. */
struct fleet_pace {
	uint32_t moving;                /* told something and not there yet, or waking by themselves, at the last step; and those told since */
	uint64_t polls, polls_before;
	uint32_t polls_per_s;
	int64_t late_ms, late_now_ms;   /* the most a poll was behind its time: in the last whole second, in this one */
};

struct site {
	const struct site_conf *conf;
	struct site_rooms rooms;
	struct site_user user;
	struct site_meter_state *meters;
	struct site_miner_state *miners;
	struct schedule meters_due, miners_due;         /* whose turn it is; one that is still asked then waits for the answer */
	int64_t polled_ms;              /* when miners were polled last */
	struct fleet_pace pace;
	struct miner_seen *seen_miners; /* of the snapshot */
	struct meter_reading *seen_meters;
	struct policy_state state;
	struct miner_track *tracks;
	struct candidate *scratch;
	struct decision decision;
	struct command *commands;
	struct miner_track *dry_tracks; /* dry run: before the step */
	struct group_count *groups;
	struct group_past *pasts;       /* of each group of miners */
	int64_t groups_told_ms;         /* when it was last looked whether there is news of them */
	bool reflashed;                 /* a miner told another firmware than before, since that was looked at */
	uint32_t *awaited;              /* miners whose command has not ended, or has since the last step */
	uint32_t n_awaited;
	uint32_t orders_out;            /* of all miners */
	struct miner_memory *memories;  /* what the drivers knew before a reload or restart, until they are open; NULL: nothing */
	struct orphan *orphans;         /* by identity */
	size_t n_orphans;
	struct words words;
	size_t open_devices;
	struct instant opened;
	int64_t prompted_ms;            /* what caused a step, before it was taken */
	uint64_t seq;                   /* of the newest decision */
	uint64_t n_commands;
	struct outcome outcomes[OUTCOMES];
	size_t n_outcomes;
	char *decisions[DECISIONS_KEPT];        /* JSON, newest at seq % DECISIONS_KEPT */
	struct outcome_told outcomes_told[DECISIONS_KEPT];      /* as those */
	struct json json;
	struct energy energy;
	int64_t told_ms;                /* telemetry */
	int64_t energy_ms;
	int64_t over_ms;                /* last seen over the limit */
	const char *told_state;
	char state_why[160];
	struct instant state_since;
	int64_t dry_ms, dry_wanted_w;   /* dry run: what was published last */
	enum reason dry_reason;
	uint32_t jitter;
	struct futility futility;
	struct hpc_asked hpc_asked;
	uint32_t lies_told;             /* which verdicts on meters the alarms tell (site_fusion.c); 0: none yet */
	int64_t *groups_before_w;       /* of each group of meters, when the shed under way began: */
	int64_t groups_noted_ms;
	bool closing;
};

static inline const char *site_miner_name(const void *self, uint32_t miner)
{
	return ((const struct site *)self)->conf->miners[miner].name;
}

/* What its newest order asks. The state to be in goes first: a law that knows only on and off tells nothing else. */
static inline enum deed deed_told(const struct miner_track *track)
{
	if (!track->told_hash)
		return DEED_SLEEP;
	return track->deed == DEED_POWER ? DEED_POWER : DEED_WAKE;
}

/* The phase, orders under way included: one that goes to another power is what it was, awake. */
static inline enum miner_phase phase_shown(const struct miner_track *track)
{
	if (!track->under_way || deed_told(track) == DEED_POWER)
		return track->phase;
	return track->told_hash ? PHASE_WAKING : PHASE_FALLING;
}

/* ---- site_poll.c ---- */
void poll_soon(struct site *, uint32_t miner, int64_t now_ms);         /* it was told something: it is to be watched */
void poll_pace_told(struct site *, int64_t over_ms);    /* the figures of one second, or so, are complete */
void site_device_closed(struct site *);

/* ---- site_identity.c ---- */
/* A reading tells another machine than the last one did. */
void identity_read(struct site *, uint32_t miner, struct instant now);
void orphans_sort(struct site *);
bool adopt_miners(struct site *, const struct site *old);        /* whether all of them are the same */
void adopt_meters(struct site *, const struct site *old);

/* ---- site_groups.c ---- */
void firmware_read(struct site *, uint32_t miner);      /* a reading tells another firmware than the last one did */
void tell_groups(struct site *, struct instant now);
void adopt_groups(struct site *, const struct site *old);       /* after the policy's state */

/* ---- site_wear.c ---- */
void count_sleep(struct site *, uint32_t miner, int64_t now_ms);       /* it is told to, for the first time */
void wear_turn_hours(struct group_past *, int64_t now_ms);
void wear_add_up(const struct group_past *, int64_t now_ms, struct group_record *);
int64_t kept_ago_ms(struct instant now, int64_t kept_utc_ms);
void keep_wear(const struct site *, struct instant now, struct kept *);
/* Before any miner was heard. Returns how many are where they were. */
size_t recall_wear(struct site *, struct instant now, const struct kept *);

/* ---- site_outcome.c ---- */
void outcome_begin(struct site *, uint64_t seq, const struct decision *, int64_t caused_ms);
void outcome_end(struct site *, uint32_t miner, const char *error);     /* error NULL: confirmed */
void outcome_answered(struct site *, uint32_t miner, enum fault, int64_t now_ms);
/* Commands that have ended since the last step, by their watts; publishes what is complete. */
void outcomes_settle(struct site *, struct instant now);
void outcomes_give_up(struct site *);   /* publishes the rest as it stands */
void outcomes_adopt(struct site *, const struct site *old);
void outcomes_free(struct site *);
/* One member, "outcome": an object, or null where no command was given or it is not known. */
void outcome_json(const struct site *, uint64_t seq, struct json *);

/* ---- site_hpc.c ---- */
void tell_hpc(struct site *, struct instant now);       /* whether shedding helps, and what is asked of the GPU side */

/* ---- site_fusion.c ---- */
void tell_fusion(struct site *, struct instant now);    /* meters that do not agree with the others */

/* ---- site_tell.c ---- */
/* Told at once where it fits one message; else bit by bit, while its commands are on their way. */
void tell_decision(struct site *, struct instant now);
int64_t tell_more(struct site *, int64_t now_ms);       /* one part, if it is time; returns when to call again */
void tell_rest(struct site *);          /* whatever may come after it on the bus comes after this */
void tell_telemetry(struct site *, struct instant now);
void tell_state(struct site *, struct instant now);
void tell_alarms(struct site *, struct instant now);
const char *fault_text(enum fault);

#endif
