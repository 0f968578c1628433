/* drivers/luxos_errand.h - one order to a LuxOS miner, from session to acknowledgement. Pure: replies in, requests out.
 *
 * A write needs a session, a miner has one at most, and it ends a minute after its last use. Ours is kept between
 * orders, so that the next within a minute costs one exchange; somebody else's is taken over (the vendor calls sessions
 * a co-ordination aid, and tells the id to whoever asks).
 *
 * A limit is a profile, by the watts of the model's table. From nominal on it is the full one: never more than that is
 * asked for. ATM moves the profile by itself, so it is switched off first, and on again where it was when the miner is
 * back at its full profile: there it looks after temperatures as its owner set it up to.
 */
#ifndef DRIVERS_LUXOS_ERRAND_H
#define DRIVERS_LUXOS_ERRAND_H

#include "drivers/luxos_codec.h"

#define LUXOS_SESSION 24
#define LUXOS_SESSION_MS 59500          /* it ends after 60 s; an id that is refused costs an exchange more than none */
#define LUXOS_MOST_EXCHANGES 5          /* of an order of one task, and one more for each further; what is left then is
                                         * answered FAULT_REFUSED */

struct luxos_session {                  /* zero to start */
	char id[LUXOS_SESSION];         /* empty: none */
	int64_t used_ms;
};

struct luxos_known {                    /* of the miner, from its last reading */
	bool awake, atm;
	const struct luxos_rung *rungs; /* lent for the call */
	size_t n_rungs;
	int32_t nominal_w;              /* a limit from there on is none; 0: not told, each is one */
	const char *own;                /* its full profile; NULL: not known */
	const char *profile;            /* the present one, heard since the last order; NULL: not known */
	bool atm_was;                   /* on, before it was switched off for a limit */
};

/* In the order in which they are done. A profile may be refused to a miner that sleeps, as its frequencies are. */
enum luxos_task { TASK_SLEEP, TASK_WAKE, TASK_ATM_OFF, TASK_PROFILE, TASK_ATM_ON, N_TASKS };
enum luxos_step { STEP_TASK, STEP_LOGON, STEP_SESSION, STEP_KILL };

struct luxos_errand {
	uint8_t left;                   /* bit per task */
	uint8_t step, exchanges, most;
	bool plain_wake, logged_on_again;
	bool atm_on;                    /* where it ends; profile empty: as it was */
	const char *wake;               /* lent: how to wake; NULL: plainly */
	char profile[LUXOS_NAME];
};

extern const char *const luxos_wakes[]; /* the ways to wake, NULL-terminated */

/* FAULT_NEVER: go on. FAULT_REFUSED: no profile is known; nothing is to be sent. */
enum fault luxos_errand_begin(struct luxos_errand *, const struct miner_order *, const struct luxos_known *,
                              const char *wake);
/* The task under way, or that was refused; N_TASKS: all are done. */
enum luxos_task luxos_errand_task(const struct luxos_errand *);
/* An errand of no task: it ends with a session at hand. */
void luxos_errand_begin_logon(struct luxos_errand *);
/* Writes the next request, returns its length. Size: at least 160. */
size_t luxos_errand_request(struct luxos_errand *, const struct luxos_session *, int64_t now_ms, char *text, size_t size);
/* text NULL: there was no reply, for the reason in fault. FAULT_NEVER: ask on; else the answer to the order. */
enum fault luxos_errand_reply(struct luxos_errand *, struct luxos_session *, int64_t now_ms, enum fault,
                              const char *text);

#endif
