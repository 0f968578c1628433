/* drivers/snmp_link.h - one agent through net-snmp's single-session API: sends and reads, never waits.
 *
 * net-snmp reads no file here, loads no MIB, keeps no state on disk and writes nothing to stderr. */
#ifndef DRIVERS_SNMP_LINK_H
#define DRIVERS_SNMP_LINK_H

#include "drivers/snmp_plan.h"

struct snmp_access {                    /* how agents let us in; all is lent */
	bool v3;                        /* else v2c */
	const char *community;          /* v2c */
	const char *user;               /* v3, and what follows */
	const char *auth;               /* "sha-256", …; NULL: none, then no privacy either */
	const char *auth_secret;
	const char *privacy;            /* "aes", …; NULL: none */
	const char *privacy_secret;
	uint8_t retries;                /* requests sent again within one poll's time */
};
bool snmp_auth_known(const char *name);
bool snmp_privacy_known(const char *name);
const char *snmp_auth_names(void);      /* for messages */
const char *snmp_privacy_names(void);
enum { SNMP_LEAST_SECRET = 8 };         /* bytes of a v3 pass phrase: net-snmp and agents refuse shorter ones */

/* Keys from pass phrases take a megabyte of hashing each: made once for all agents of one access, counted by those who
 * took them. NULL without v3. */
struct snmp_keys;
struct snmp_keys *snmp_keys_take(struct snmp_keys **all, const struct snmp_access *);
void snmp_keys_drop(struct snmp_keys **all, struct snmp_keys *);

enum snmp_event {
	SNMP_EMPTY,                     /* nothing has come */
	SNMP_STRAY,                     /* what came is of no account: nobody waits for it */
	SNMP_NOISE,                     /* what came cannot be read, or is not from whom it says; v3: not ready any more */
	SNMP_VALUES,
	SNMP_NO,                        /* the agent refused: its error, or what it says of user and keys */
	SNMP_ENGINE,                    /* v3: the agent's engine is known now, or anew */
};
struct snmp_heard {
	enum snmp_event event;
	uintptr_t tag;                  /* of the request that is answered */
	size_t n;
	struct snmp_value values[SNMP_MOST_VALUES];
};

struct snmp_link;
/* ADDRESS is numeric. Access and keys are lent for the life of the session. NULL: no socket, see errno. */
struct snmp_link *snmp_link_open(const char *address, uint16_t port, const struct snmp_access *, const struct snmp_keys *);
void snmp_link_close(struct snmp_link *);
int snmp_link_fd(const struct snmp_link *);       /* never blocks */

/* v3 first has to find out the agent's engine: until then nothing can be asked but that. */
bool snmp_link_ready(const struct snmp_link *);
/* Sends what is asked, or the question for the engine while not ready; each is answered at most once, under its TAG, within
 * wait_ms. What could not be sent is as good as lost on the way. */
void snmp_link_send(struct snmp_link *, const struct snmp_ask *, uintptr_t tag, int64_t wait_ms);
/* One datagram. */
enum snmp_event snmp_link_read(struct snmp_link *, struct snmp_heard *);
void snmp_link_expire(struct snmp_link *);        /* forgets requests whose wait is over */

#endif
