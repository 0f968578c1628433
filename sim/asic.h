/* sim/asic.h - the firmware of simulated miners: from a request's bytes to a reply's, and what that does to the plant.
 *
 * Pure but for the plant it is lent. LuxOS and classic CGMiner, in the shapes that real devices were recorded in:
 * keys, their order, codes; figures are the plant's. The transport (one request a connection, NUL, close) is
 * sim/asic_server.h's. */
#ifndef SIM_ASIC_H
#define SIM_ASIC_H

#include "sim/plant.h"
#include "sim/text.h"

enum asic_dialect { ASIC_LUXOS, ASIC_CGMINER };

#define ASIC_SESSION_MS 60000           /* a LuxOS session ends that long after its last use */
#define ASIC_BOARDS 3
#define ASIC_PROFILES 13                /* LuxOS: steps -12 … 0 */

struct asic {                           /* what one firmware remembers; asic_init to start */
	enum asic_dialect dialect;
	char session[9];                /* LuxOS: "" if none */
	int64_t session_used_ms;
	bool atm;                       /* LuxOS: it picks profiles by itself, an order for one does not hold */
	uint8_t profile;                /* LuxOS: 0 … ASIC_PROFILES - 1, the last is the default */
	uint8_t boards;                 /* CGMiner: a bit for each that is enabled */
	uint32_t sessions;              /* made so far */
};

struct asic_command {                   /* one that may change something, as the miner took it; lent for the call */
	size_t miner;
	const char *command, *parameter;        /* without the session */
	char status;                    /* 'S' or 'E', as answered */
	int code;
	bool moves;                     /* the plant does something about it */
};

struct asic_room {
	struct plant *plant;            /* lent */
	struct asic *asics;             /* lent, one for each miner of the plant */
	int64_t utc_s;                  /* what "When" says; the caller keeps it up to date */
	void (*on_command)(void *self, const struct asic_command *);    /* may be NULL */
	void *self;
};

void asic_init(struct asic *, enum asic_dialect);
/* The watts of the lowest LuxOS profile that units of this type can hold. */
int32_t asic_luxos_least_w(const struct plant_miner_type *);
/* Somebody else is logged on to a LuxOS miner, and has used the session just now. */
void asic_hold_session(struct asic *, int64_t now_ms);
/* Adds the reply, without the terminator. The request is all that one recv() brought. */
void asic_answer(struct asic_room *, size_t miner, int64_t now_ms, const char *request, size_t len, struct text *reply);

#endif
