/* policy/reading.h - what devices say and what may be asked of them: the words every room speaks. */
#ifndef POLICY_READING_H
#define POLICY_READING_H

#include <stdbool.h>
#include <stdint.h>

/* Why there is no value. Zero is "not heard yet", so blank memory is safe. */
enum fault {
	FAULT_NEVER,            /* not heard since start */
	FAULT_NONE,
	FAULT_SILENT,           /* no connection, or no answer in time */
	FAULT_GARBLED,          /* an answer that does not decode */
	FAULT_REFUSED,          /* the device said no */
	FAULT_ABSURD,           /* decodes, but cannot be true; or the device says "not available" */
};

/* What a power meter saw. Values hold only where fault == FAULT_NONE. */
struct meter_reading {
	enum fault fault;
	int64_t at_ms;          /* monotonic: when it was asked, or as near to when it was measured as the driver can tell; where
	                         * there never was a value, since when it is asked; 0: since the start */
	int64_t age_ms;         /* and so old was the value by then (policy/refresh.h); drivers leave it 0 */
	int64_t import_w;       /* drawn from the grid, or by the load; negative when feeding in */
	int64_t import_wh;      /* lifetime counter, if it has one */
	int32_t frequency_mhz;  /* mHz: 60 Hz is 60000 */
	bool knows_energy, knows_frequency;
};

enum miner_state {
	MINER_UNKNOWN,          /* answers, but does not say */
	MINER_HASHING,
	MINER_RAMPING,          /* on its way up */
	MINER_ASLEEP,
};

/* What a miner said of itself. Values hold only where fault == FAULT_NONE. */
struct miner_reading {
	enum fault fault;
	int64_t at_ms;          /* monotonic: when it was asked */
	enum miner_state state;
	bool knows_power;       /* false: power_w is not told by this firmware */
	bool steerable;         /* it will take orders (has the command, grants the right) */
	int32_t power_w;        /* drawn now, by its own figure (5 to 20 % off on real devices) */
	int32_t awake_w;        /* what its present profile draws when hashing, by its table: of a partial one so much less; 0: not told */
	int32_t hashrate_ghs;
	uint64_t identity;      /* of the machine, from its MAC or serial number; 0: not told */
	uint64_t firmware;      /* a hash of its firmware's version and its model, whatever the profile; 0: not told */
};

/* A state to be in, not a key to press. */
struct miner_order {
	bool hash;
	int32_t limit_w;        /* most it may draw while hashing; nominal or more: its full profile; 0: as its profile says */
};

#endif
