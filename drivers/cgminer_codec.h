/* drivers/cgminer_codec.h - what the replies of the classic CGMiner API say. Pure: from text to facts.
 * Source of names and codes: the API-README of cgminer, API 3.7. */
#ifndef DRIVERS_CGMINER_CODEC_H
#define DRIVERS_CGMINER_CODEC_H

#include "drivers/cgminer_json.h"
#include "policy/reading.h"

#define CGMINER_MOST_DEVICES 32

struct cgminer_status {
	char letter;                    /* 'S', 'W', 'I', 'E', 'F'; 0: the reply has none */
	int code;                       /* 0: none */
	const char *msg, *description;  /* lent from the tree, never NULL */
};
struct cgminer_status cgminer_status(const cJSON *reply);
bool cgminer_failed(const struct cgminer_status *);                     /* the device said no */
bool cgminer_says(const struct cgminer_status *, const char *word);     /* in its Msg, in any case */

/* The reply to one command inside a joined reply (firmwares wrap it in an array or not); a reply that is not joined
 * is its own. Then the section's first object in it; *empty: the section is there with nothing in it. */
const cJSON *cgminer_member(const cJSON *reply, const char *command);
const cJSON *cgminer_section(const cJSON *member, const char *section, bool *empty);

/* Hashing now: the shortest average there is ("MHS 5s", "GHS 5s"), else the one over the whole uptime. */
bool cgminer_rate_ghs(const cJSON *summary, double *ghs);

struct cgminer_device { bool pga, enabled; uint16_t id; };

struct cgminer_seen {                   /* of one poll; zero to start */
	bool denied;                    /* something was refused */
	bool knows_summary, no_summary; /* no_summary: told, but empty: stock Antminers say so while asleep */
	bool knows_rate, knows_devices;
	double ghs;
	uint8_t n_devices;
	struct cgminer_device devices[CGMINER_MOST_DEVICES];
};

/* Adds what one reply to summary, devs or summary+devs says. FAULT_NONE also where the reply is a refusal:
 * FAULT_GARBLED: not JSON. *unjoinable: this firmware does not take joined commands. */
enum fault cgminer_decode(const char *text, struct cgminer_seen *, bool *unjoinable);

/* What it comes to; values hold where the returned fault is FAULT_NONE. steerable, power and at_ms are the caller's. */
enum fault cgminer_judge(const struct cgminer_seen *, struct miner_reading *);

#endif
