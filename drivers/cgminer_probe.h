/* drivers/cgminer_probe.h - asks one address what miner it is: reads alone, one connection after the other, at most six,
 * most often one. */
#ifndef DRIVERS_CGMINER_PROBE_H
#define DRIVERS_CGMINER_PROBE_H

#include "drivers/cgminer_identity.h"
#include "drivers/cgminer_line.h"

/* FAULT_NONE: a miner. FAULT_SILENT: nobody there, or too slow. FAULT_REFUSED: somebody who takes connections and ends
 * them without a word, as a miner does whose api-allow leaves us out. FAULT_GARBLED: something else lives there. */
struct cgminer_probe_user {             /* called from the loop, never from inside a call to the probe */
	void *self;
	void (*on_probed)(void *self, enum fault, const struct miner_identity *);       /* once; lent for the call */
	void (*on_closed)(void *self);
};

struct cgminer_probe {
	struct cgminer_line line;
	struct cgminer_probe_user user;
	enum identity_read read;        /* under way */
	enum fault fault;               /* so far */
	struct miner_inquiry inquiry;
};

/* host is lent for the life of the probe; timeout_ms is of one exchange. */
void cgminer_probe_open(struct cgminer_probe *, struct miner_room *, const char *host, uint16_t port,
                        uint32_t timeout_ms, struct cgminer_probe_user);
void cgminer_probe_close(struct cgminer_probe *);

#endif
