/* drivers/miner_room.h - inside of struct miner_room: the connections that all miners of a loop share. Only for drivers/.
 *
 * What is to be asked waits in two queues, orders and polls, and gets a slot when its turn has come: a socket with
 * the exchange that uses it. Sockets live on: disconnected by connect(AF_UNSPEC), which resets, and connected to the
 * next miner; so thousands of orders leave nothing in TIME_WAIT and cost no descriptor each. They stand in an epoll
 * set of their own, registered once and edge-triggered, which is one handle of the loop.
 *
 * A wide window makes dead and slow miners free: they hold a slot until their time is up, and others go on beside
 * them. But only a few connections are begun in a turn of the loop, and only so many are young: who answers at once
 * keeps few sockets busy, and warm in the cache, where thousands would overflow the queues of the network. The
 * look-up of a name counts as a connection.
 */
#ifndef DRIVERS_MINER_ROOM_H
#define DRIVERS_MINER_ROOM_H

#include <netinet/in.h>
#include <sys/queue.h>

#include "drivers/cgminer_scan.h"
#include "drivers/miner.h"

#define CGMINER_MOST_REQUEST 160        /* bytes */
#define ROOM_BYTES (64 * 1024)
#define ROOM_DUE_MS 16                  /* deadlines are kept to so much */
#define ROOM_DUES 4096                  /* times that: the longest timeout, 65 s */
#define ROOM_YOUNG_MS 4                 /* an exchange is young for so long, up to twice that */
#define ROOM_MOST_YOUNG 384
#define ROOM_CHIME_MS 250
#define ROOM_CHIMES 512                 /* times that: the longest reminder, 128 s */

struct cgminer_line;
struct luxos_ladder;

struct cgminer_slot {
	LIST_ENTRY(cgminer_slot) link;  /* spare, or with others that are due at the same time */
	struct cgminer_line *line;      /* NULL: spare */
	int fd;                         /* -1: none */
	sa_family_t family;
	int64_t epoch;                  /* in which it was dialled */
	bool registered, connected, for_poll;   /* registered: in the epoll set */
	struct cgminer_scan scan;
	char *text;                     /* of a reply that comes in pieces */
	size_t len, size;
	size_t request_len;
	char request[CGMINER_MOST_REQUEST];
};

TAILQ_HEAD(cgminer_lines, cgminer_line);
LIST_HEAD(cgminer_slots, cgminer_slot);

struct miner_room {
	uv_loop_t *loop;
	uv_poll_t events;               /* of the epoll set */
	uv_idle_t pump;                 /* turns while there is something to begin */
	uv_timer_t clock;               /* ticks while there is a deadline */
	uv_timer_t chime;               /* while somebody wants to be reminded */
	int epoll;
	uint32_t most, most_polls;      /* connections at a time */
	uint32_t n_open, n_polls;       /* in use */
	uint32_t n_spare;
	int64_t epoch;                  /* in ROOM_YOUNG_MS */
	uint32_t young, younger;        /* in use, begun in the epoch before and in this one */
	uint32_t n_handles;             /* of the loop, not yet closed */
	bool out_of_descriptors;        /* until one is spare, or the next tick */
	struct cgminer_lines orders, polls, closed;     /* waiting; closed: their on_closed is due */
	LIST_HEAD(, luxos_ladder) ladders;
	struct cgminer_slots spare, due[ROOM_DUES];
	int64_t due_at;                 /* of the deadlines looked at last, in ROOM_DUE_MS */
	LIST_HEAD(, cgminer_line) reminders[ROOM_CHIMES];
	uint32_t n_reminders;
	int64_t chimed_at;              /* in ROOM_CHIME_MS */
	uint32_t dice;
	int64_t ahead_ms;               /* 0 but in tests, which have no minute to wait */
	char bytes[ROOM_BYTES + 1];     /* of the reply being read */
};

void miner_room_wake(struct miner_room *);      /* something waits */
int64_t miner_room_now_ms(const struct miner_room *);  /* the loop's monotonic time */
struct cgminer_slot *miner_room_slot(struct miner_room *, sa_family_t);        /* NULL: no descriptor is left */
/* In use from here on, until it is hung up. */
void miner_room_occupy(struct miner_room *, struct cgminer_slot *, uint32_t timeout_ms);
bool miner_room_dial(struct miner_room *, struct cgminer_slot *, const struct sockaddr *);     /* false: not reachable */
void miner_room_hang_up(struct miner_room *, struct cgminer_slot *);    /* no longer in use; its text still holds */
void miner_room_spare(struct miner_room *, struct cgminer_slot *);
uint32_t miner_room_dice(struct miner_room *);          /* to spread what would be in step */
/* Calls the line's on_remind then, or a little later: when thousands are due at once they are spread. Replaces an
 * earlier reminder; 0: none any more. */
void miner_room_remind(struct miner_room *, struct cgminer_line *, uint32_t in_ms);
void miner_room_rearm(struct miner_room *, struct cgminer_slot *);      /* there is more to read */

/* ---- cgminer_line.c ---- */
bool cgminer_line_begin(struct cgminer_line *);         /* its turn has come; false: out of descriptors */
void cgminer_slot_event(struct miner_room *, struct cgminer_slot *, uint32_t events);
void cgminer_slot_overdue(struct cgminer_slot *);

#endif
