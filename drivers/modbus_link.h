/* drivers/modbus_link.h - whose turn it is on what several Modbus devices share: a connection to a gateway, a serial line.
 *
 * One request at a time. Devices that lately did not answer go last and, while others share the link, are mostly
 * waited for only half their time: the dead must not use up the others' deadlines. All runs on the loop. */
#ifndef DRIVERS_MODBUS_LINK_H
#define DRIVERS_MODBUS_LINK_H

#include <sys/queue.h>
#include <uv.h>

#include "drivers/modbus_codec.h"

struct modbus_answer {
	enum fault fault;
	const uint16_t *words;          /* of the read asked for; lent; only with FAULT_NONE */
	int64_t sent_ms, came_ms;
};

struct modbus_client {                  /* one device; embedded in its meter */
	struct modbus_link *link;
	uint8_t unit;
	uint32_t timeout_ms;
	void (*on_answer)(struct modbus_client *, const struct modbus_answer *);        /* once for each asking */
	void (*on_left)(struct modbus_client *);        /* the link has forgotten it */
	bool refused;                   /* cannot be on this link: whatever it asks is answered FAULT_REFUSED */

	LIST_ENTRY(modbus_client) entry;        /* from here on the link's own */
	struct modbus_read read;
	int64_t deadline_ms;
	uint64_t turn;                  /* order of asking; 0: asks nothing */
	enum fault verdict;             /* what it will be told, once that is known */
	unsigned misses;                /* times in a row that it was asked in vain */
	unsigned passed_over;           /* times in a row that its deadline passed without its being asked */
	bool resent, leaving;
};

struct modbus_link {                    /* each transport embeds this as its first member */
	void (*ask)(struct modbus_client *);            /* modbus_link_put was called: send if it is idle */
	void (*leave)(struct modbus_client *);          /* answers nothing more; on_left comes from the loop */
	LIST_HEAD(, modbus_client) clients;
	unsigned n_clients;
	uint64_t turns;
	struct modbus_client *asked;    /* whose request is under way */
	int64_t sent_ms, patience_ms;   /* of that: when it left, until when to wait */
};

static inline int64_t modbus_now_ms(void) { return (int64_t)(uv_hrtime() / 1000000); }

void modbus_link_join(struct modbus_link *, struct modbus_client *);
void modbus_link_put(struct modbus_client *, const struct modbus_read *, int64_t deadline_ms);
struct modbus_client *modbus_link_next(const struct modbus_link *);     /* NULL: nobody waits */
int64_t modbus_link_due(const struct modbus_link *);    /* when to settle next; INT64_MAX: nothing to wait for */

void modbus_link_begin(struct modbus_link *, struct modbus_client *);           /* its request leaves now */
void modbus_link_answer(struct modbus_link *, struct modbus_answer *);  /* of the one asked, at once; not from inside ask */
void modbus_link_give_up(struct modbus_link *, enum fault);     /* of the one asked; it is told when the link settles */
void modbus_link_resend(struct modbus_link *);          /* the one asked waits for its turn again */

/* Tells those whose verdict is known or whose deadline has passed, lets go those who left. Never from inside ask or leave. */
void modbus_link_settle(struct modbus_link *);

#endif
