/* daemon/ctl_found.h - the miners that a scan has found: as rows for a table, and as the config's `miners:` block. */
#ifndef DAEMON_CTL_FOUND_H
#define DAEMON_CTL_FOUND_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "config/arena.h"
#include "drivers/cgminer_identity.h"

struct found_miner {
	size_t at;                      /* its host's place among all that were asked */
	const char *host;               /* lent */
	enum fault fault;               /* FAULT_NONE: a miner; else somebody who is none, or does not talk to us */
	struct miner_identity is;
};

struct found { struct found_miner *miners; size_t n, size; };   /* zero to start */

void found_add(struct found *, size_t at, const char *host, enum fault, const struct miner_identity *);
void found_sort(struct found *);        /* by their places */
void found_free(struct found *);

/* One object a miner: what was told, null where it was not. The caller deletes it. */
cJSON *found_rows(const struct found *);
/* The block to paste: a group for each driver and model; comments for what no driver can steer or nobody can place. */
void found_print_block(FILE *, const struct found *, uint16_t port);

#endif
