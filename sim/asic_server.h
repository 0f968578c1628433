/* sim/asic_server.h - miners on sockets: one address each, one request a connection, a NUL and a close after the reply. */
#ifndef SIM_ASIC_SERVER_H
#define SIM_ASIC_SERVER_H

#include "sim/asic.h"
#include "sim/listener.h"

struct asic_server {                    /* of one miner */
	struct listener listener;
	struct asic_fleet *fleet;
	size_t miner;
	char host[16];
	uint32_t answers;
};

struct asic_fleet {
	uv_loop_t *loop;
	struct asic_room *room;         /* lent */
	int64_t (*now_ms)(void *self);  /* the site's time */
	void (*on_closed)(void *self);  /* the last server is gone */
	void *self;
	int32_t latency_ms;             /* of a sound miner's answer; up to twice that */
	struct asic_server *servers;
	size_t n, n_open;
};

/* servers: room for n, lent; hosts are written by the caller before. 0, or a negative libuv code and *failed. */
int asic_fleet_start(struct asic_fleet *, uint16_t port, size_t *failed);
void asic_fleet_follow_fault(struct asic_fleet *, size_t miner);        /* after its fault in the plant has changed */
void asic_fleet_close(struct asic_fleet *);     /* on_closed later; never where no server was begun */

#endif
