/* sim/asic_request.h - what both dialects share: requests taken apart, and the frame of a reply. Inside sim/ only. */
#ifndef SIM_ASIC_REQUEST_H
#define SIM_ASIC_REQUEST_H

#include "sim/asic.h"

struct asic_call {                      /* one command being answered */
	struct asic_room *room;
	struct asic *asic;
	const struct plant_miner *unit;
	size_t miner;
	int64_t now_ms;
	const char *command, *parameter;        /* parameter "" if none */
	struct text *reply;
};

struct asic_verb {
	const char *name;
	bool joinable;                  /* a report: may stand in a+b */
	void (*run)(struct asic_call *);
};

struct asic_dialect_of {
	const struct asic_verb *verbs;
	size_t n;
	void (*fail)(struct asic_call *, int code, const char *msg);
};
extern const struct asic_dialect_of asic_luxos, asic_cgminer;

void asic_tell(const struct asic_call *, const char *parameter, char status, int code, bool moves);

#endif
