/* drivers/cgminer_desk.h - one miner's desk: what is asked of it waits here, and is done one exchange at a time.
 *
 * An order goes before a poll, and breaks off one under way, which begins anew after it. A newer order takes the
 * place of the one that waits, and breaks off the one under way at its next exchange; either is then answered
 * FAULT_REFUSED. Orders are answered in the order they came.
 */
#ifndef DRIVERS_CGMINER_DESK_H
#define DRIVERS_CGMINER_DESK_H

#include "drivers/cgminer_line.h"
#include "drivers/miner.h"

struct cgminer_desk;

/* What a driver knows of its firmware. None of these waits, asks or calls the user.
 * The two that end a job answer FAULT_NEVER while there is more to ask. */
struct cgminer_trade {
	void (*begin_poll)(struct cgminer_desk *);
	size_t (*poll_request)(struct cgminer_desk *, char *text, size_t size); /* returns its length, at least 1 */
	bool (*poll_reply)(struct cgminer_desk *, const struct cgminer_reply *, struct miner_reading *); /* true: done */
	enum fault (*begin_order)(struct cgminer_desk *, const struct miner_order *);
	size_t (*order_request)(struct cgminer_desk *, char *text, size_t size);
	enum fault (*order_reply)(struct cgminer_desk *, const struct cgminer_reply *);
	/* What keeps the way free for the next order, without an order: asked for by cgminer_desk_keep, carried by
	 * order_request and order_reply, ended here. NULL: nothing is kept. */
	bool (*begin_keep)(struct cgminer_desk *);              /* false: it is free already */
	void (*end_keep)(struct cgminer_desk *);
	void (*reminded)(struct cgminer_desk *);                /* of miner_room_remind */
	void (*freed)(struct cgminer_desk *);   /* the desk is closed: frees the driver's struct */
};

enum cgminer_job { JOB_ORDER, JOB_POLL, JOB_KEEP };      /* in the order in which they go */

struct cgminer_desk {                   /* embedded by the driver as its first member */
	struct miner miner;
	const struct cgminer_trade *trade;
	struct cgminer_line line;
	bool closing;
	bool poll_waits, poll_runs, order_waits, order_runs;
	bool keep_waits, keep_runs;
	uint8_t asked;                  /* enum cgminer_job: the exchange under way */
	uint32_t superseded;            /* orders replaced while they waited, not yet answered */
	struct miner_order order;       /* the one that waits */
	struct miner_conf conf;
};

void cgminer_desk_init(struct cgminer_desk *, const struct miner_driver *, const struct cgminer_trade *, struct miner_room *,
                       const struct miner_conf *, struct miner_user);

/* The miner's poll, order and close (drivers/miner.h). */
void cgminer_desk_poll(struct miner *);
void cgminer_desk_order(struct miner *, const struct miner_order *);
void cgminer_desk_close(struct miner *);

void cgminer_desk_keep(struct cgminer_desk *);

int64_t cgminer_desk_now_ms(const struct cgminer_desk *);       /* the loop's monotonic time */

#endif
