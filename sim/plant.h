/* sim/plant.h - what miners really do: dead times, falls, wakes that are not ramps, units that differ, and faults.
 *
 * Pure: time comes as an argument and must not go back; chance comes from the seed. It knows nothing of what a
 * controller believes of miners. The built-in types have the watts of published models; their times are what
 * the vendor claims (asleep in under 5 s, awake in about 10 s) and a little more. */
#ifndef SIM_PLANT_H
#define SIM_PLANT_H

#include <stddef.h>

#include "policy/reading.h"

enum plant_fault {
	PLANT_SOUND,
	PLANT_SILENT,           /* accepts the connection, never answers, does nothing */
	PLANT_REFUSING,         /* refuses the connection */
	PLANT_LYING,            /* acknowledges every order; its watts do not move */
	PLANT_GARBLED,          /* obeys, answers what does not decode */
	PLANT_SLOW,             /* obeys, answers after seconds */
	PLANT_BUSY,             /* somebody else holds its session and does not let go */
	PLANT_DEAD,             /* without power */
	N_PLANT_FAULTS
};
const char *plant_fault_name(enum plant_fault);         /* "silent", as on the command line */
enum plant_fault plant_fault_named(const char *name, size_t len);       /* N_PLANT_FAULTS if unknown */

struct plant_miner_type {
	const char *name;
	int32_t full_w, least_w, asleep_w;      /* least_w: the lowest limit it holds while hashing */
	int32_t sleep_dead_ms, sleep_fall_ms;   /* nothing, then an exponential fall that is over after fall_ms */
	int32_t wake_dead_ms, wake_ramp_ms;     /* nothing, then chips at low watts, then steps along an S to the top */
	int32_t wake_fast_ms;                   /* the ramp when woken unsafely */
	int32_t adjust_dead_ms, adjust_ms;      /* another limit while hashing: linear; while waking no sooner than the wake */
	int32_t boot_ms;                        /* from power to the begin of a wake */
	int32_t overshoot_permille;             /* fans at full, until half a ramp after the wake */
	int32_t watts_spread_permille, times_spread_permille;   /* from unit to unit */
	int32_t own_error_permille;             /* by which its own figure is off, the same for ever */
	int32_t own_noise_permille, own_every_ms;       /* its own figure trembles, and is renewed so often */
	int32_t hashrate_ghs;
	bool tells_power;
};
extern const struct plant_miner_type plant_luxos_s21, plant_luxos_s19kpro, plant_cgminer_s19;

struct plant_motion {
	int64_t start_ms;               /* when the order came; nothing moves for dead_ms more */
	int32_t dead_ms, ramp_ms, settle_ms, overshoot_w;
	int32_t from_w, to_w;
	enum { MOTION_REST, MOTION_FALL, MOTION_RISE, MOTION_ADJUST } kind;
};

struct plant_miner {
	const struct plant_miner_type *type;    /* lent */
	enum plant_fault fault;
	bool hash, told_hash;           /* what it does, and what it says it does */
	bool was_off;                   /* restarted while asleep: the next wake cannot be unsafe */
	int32_t full_w, asleep_w, limit_w;      /* of this unit */
	int32_t own_error_permille, times_permille;
	struct plant_motion before, motion;     /* before: what goes on while the newest order is in its dead time */
	int64_t awake_ms;               /* when its newest wake is over, whatever limits it was told since */
	int32_t moving;                 /* index in plant.moving; -1: at rest */
	uint32_t sleeps, wakes, orders;
};

struct plant {
	uint64_t seed;
	struct plant_miner *miners;
	size_t n;
	uint32_t *moving;               /* those not at rest; the sum walks only them */
	size_t n_moving;
	int64_t settled_w;              /* of all at rest */
};

void plant_init(struct plant *, uint64_t seed);
void plant_free(struct plant *);
/* Adds n miners, hashing at full power and at rest; returns the index of the first. */
size_t plant_add(struct plant *, const struct plant_miner_type *, size_t n);
void plant_start_asleep(struct plant *, size_t i);      /* before any time has passed */

void plant_set_fault(struct plant *, size_t i, int64_t now_ms, enum plant_fault);
/* Gives `fault` to the share of the miners, chosen by the seed among the sound ones, PLANT_SOUND among the others; returns to
 * how many. */
size_t plant_spread_fault(struct plant *, int64_t now_ms, enum plant_fault, int32_t permille);
void plant_reboot(struct plant *, size_t i, int64_t now_ms);    /* one that slept sleeps on, others wake by themselves */

/* Asks for a state; limit_w 0: as much as it can. Returns whether the miner does something about it. */
bool plant_order(struct plant *, size_t i, int64_t now_ms, bool hash, int32_t limit_w);
/* To wake in one step; false as well when was_off. */
bool plant_wake_unsafe(struct plant *, size_t i, int64_t now_ms, int32_t limit_w);

int32_t plant_miner_w(const struct plant *, size_t i, int64_t now_ms);          /* true */
int32_t plant_miner_told_w(const struct plant *, size_t i, int64_t now_ms);     /* what it says */
enum miner_state plant_miner_state(const struct plant *, size_t i, int64_t now_ms);     /* what it says */
int32_t plant_miner_hashrate_ghs(const struct plant *, size_t i, int64_t now_ms);
int64_t plant_miners_w(struct plant *, int64_t now_ms);         /* true, of all */

#endif
