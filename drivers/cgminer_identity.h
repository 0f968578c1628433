/* drivers/cgminer_identity.h - what a miner at port 4028 is, from what it answers to reads. Pure: from text to facts.
 *
 * All firmwares speak some dialect of the CGMiner API, and none is asked for more than reports: nothing here logs on or
 * changes anything. Sources of the names: the API-README of cgminer 3.7, docs.luxor.tech, the WhatsMiner API manual 2.0.5,
 * the Avalon A10 API manual 0.4, Braiins OS documentation of the BOSminer API, and recorded replies.
 */
#ifndef DRIVERS_CGMINER_IDENTITY_H
#define DRIVERS_CGMINER_IDENTITY_H

#include "drivers/luxos_codec.h"

#define IDENTITY_TEXT 48

enum firmware {
	FIRMWARE_UNKNOWN,               /* speaks the API, but does not say what it is */
	FIRMWARE_LUXOS,
	FIRMWARE_CGMINER,               /* of any hand-built kind */
	FIRMWARE_ANTMINER,              /* Bitmain's own, and others that call themselves bmminer */
	FIRMWARE_BRAIINS,
	FIRMWARE_VNISH,
	FIRMWARE_WHATSMINER,
	FIRMWARE_AVALON,
	FIRMWARE_AURADINE,
};
const char *firmware_name(enum firmware);               /* "LuxOS" */
const char *firmware_driver(enum firmware);             /* "luxos", as the config spells it; NULL: none yet */

enum identity_read {                    /* in the order in which they are of use */
	ASK_JOINED,                     /* all a LuxOS has to tell; others answer parts of it, or refuse */
	ASK_VERSION, ASK_GET_VERSION,
	ASK_SUMMARY, ASK_POWER, ASK_CONFIG, ASK_PROFILES,
	ASK_DEVDETAILS, ASK_STATS, ASK_TUNER,
	ASK_NOTHING,
};
const char *identity_request(enum identity_read);       /* "version", …; NULL for ASK_NOTHING */

struct miner_identity {                 /* texts are printable ASCII, empty where not told */
	enum firmware firmware;
	char version[IDENTITY_TEXT], model[IDENTITY_TEXT], mac[18], serial[IDENTITY_TEXT];
	enum miner_state state;
	bool knows_power, knows_rate;
	int32_t power_w;                /* drawn now, by its own figure */
	int32_t hashrate_ghs;
	int32_t awake_w;                /* LuxOS: what its profile draws by the model's table; 0: not told */
	uint16_t n_profiles;            /* LuxOS */
	bool can_curtail;               /* LuxOS: has sleep and wake */
	bool atm;                       /* LuxOS: moves its profile by itself */
};

struct miner_inquiry {                  /* under way; zero to start */
	struct miner_identity is;       /* so far */
	uint16_t asked, told;           /* bits of enum identity_read: told are those that brought facts */
	struct luxos_seen luxos;
	struct luxos_tables tables;
};

/* What to ask next of this one; marks it as asked. ASK_NOTHING: all is known that can be. */
enum identity_read identity_next(struct miner_inquiry *);
/* Takes the reply to it. FAULT_NONE also where the reply is a refusal; FAULT_GARBLED: not of this API. */
enum fault identity_take(struct miner_inquiry *, enum identity_read, const char *text);

#endif
