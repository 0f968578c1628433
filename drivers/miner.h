/* drivers/miner.h - watch a miner and tell it what to be. */
#ifndef DRIVERS_MINER_H
#define DRIVERS_MINER_H

#include <uv.h>

#include "policy/reading.h"

struct miner_conf {             /* strings are lent for the life of the miner */
	const char *host;
	uint16_t port;
	uint32_t timeout_ms;    /* of one exchange, connecting included */
	int32_t nominal_w;      /* awake, at its full profile: a limit from there on asks for that; 0: not told */
	const char *wake;       /* how to wake, as the driver knows it ("safe", "unsafe"); NULL: its default */
	bool steer;             /* false: only watch */
	bool keep_session;      /* where writes need one: hold it, so that an order costs one exchange */
};

struct miner_user {             /* called from the loop, never from inside a call to the driver */
	void *self;
	void (*on_reading)(void *self, const struct miner_reading *);   /* lent for the call */
	void (*on_ordered)(void *self, enum fault);     /* FAULT_NONE: heard, not yet done: belief waits for a reading */
	void (*on_closed)(void *self);
};

struct miner {                  /* each driver embeds this as its first member */
	const struct miner_driver *driver;
	struct miner_user user;
};

/* What the miners of one loop share: connections, of which at most `connections` are open at a time (0: 4096); polls
 * get half of them, orders all, and an order goes before every poll. */
struct miner_room;
struct miner_room *miner_room_open(uv_loop_t *, uint32_t connections);
void miner_room_limit(struct miner_room *, uint32_t connections);       /* another number from now on; those open stay */
void miner_room_close(struct miner_room *);     /* after the last on_closed; finishes on the loop, then frees */

struct miner_room_figures { uint32_t connections, most, orders_waiting, polls_waiting; };       /* now */
struct miner_room_figures miner_room_figures(const struct miner_room *);

/* What is worth knowing of a miner that is closed to be opened again, at the same address. */
struct miner_memory {           /* plain data; zero: nothing */
	const struct miner_driver *driver;      /* whose it is */
	_Alignas(8) unsigned char bytes[160];   /* only that one knows what they say */
};

/* What the owner of a miner set and its driver sets again with full power: a restart may find it at less. */
struct miner_own {
	char profile[24];               /* the full one; empty: not known */
	bool atm;                       /* it moves its profile by itself */
};

struct miner_response { uint32_t delay_ms, ramp_ms; };  /* from the order heard: dead time, then linear */

struct miner_driver {
	const char *name;               /* as the config spells it */
	int32_t step_w;                 /* finest limit it can hold; 0 if it knows only on and off */
	struct miner_response sleep, wake;      /* typical; the config may tell better */
	struct miner_response power;    /* to another limit while hashing, where step_w is not 0 */
	const char *const *wakes;       /* ways to wake that the config may name, NULL-terminated; NULL: no choice */
	bool tells_power;               /* the watts it draws; if not, the config must, and must ask for steering */
	const char *cannot;             /* one sentence for the operator at start; NULL: nothing to say */
	struct miner *(*open)(struct miner_room *, const struct miner_conf *, struct miner_user);       /* cannot fail */
	void (*poll)(struct miner *);   /* answered exactly once by on_reading; a poll while one is under way
	                                   is answered by that one's answer */
	void (*order)(struct miner *, const struct miner_order *);      /* answered exactly once by on_ordered;
	                                   goes before a waiting poll; a newer order replaces one not yet sent,
	                                   which is then answered FAULT_REFUSED */
	void (*remember)(const struct miner *, struct miner_memory *);  /* before the close; NULL: nothing is known */
	void (*recall)(struct miner *, struct miner_memory *);  /* ends what remember began: the miner is opened anew,
	                                   in the same room, and nothing was asked of it yet; NULL: it is not */
	bool (*tell_own)(const struct miner *, struct miner_own *);     /* false: nothing is known; NULL: there is no such */
	/* As if remembered of the machine of that identity (0: not told) in an earlier run; NULL exactly where tell_own is. */
	void (*take_own)(struct miner_memory *, uint64_t identity, const struct miner_own *);
	void (*close)(struct miner *);
};

const struct miner_driver *miner_driver_named(const char *name);        /* NULL if unknown */
const char *miner_driver_names(void);

#endif
