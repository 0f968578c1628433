#include "drivers/cgminer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/cgminer_codec.h"
#include "drivers/cgminer_desk.h"

#define CODE_ACCESS_OK 46
#define PROBE_EVERY_MS (60 * 60 * 1000) /* of rights and of joined reads; both change when the owner reconfigures */

enum read { READ_JOINED, READ_SUMMARY, READ_DEVS, READ_RIGHTS, READ_NOTHING };

static const char *const requests[] = {
	[READ_JOINED]  = "{\"command\":\"summary+devs\"}",
	[READ_SUMMARY] = "{\"command\":\"summary\"}",
	[READ_DEVS]    = "{\"command\":\"devs\"}",
	[READ_RIGHTS]  = "{\"command\":\"privileged\"}",
};

/* What is known of it, beside what is under way. */
struct cgminer_past {
	bool unjoinable, privileged, probed;
	int64_t probed_ms;
	struct cgminer_device devices[CGMINER_MOST_DEVICES];    /* as last heard */
	uint8_t n_devices;
};

struct cgminer {
	struct cgminer_desk desk;
	uint8_t reading;                /* enum read: the exchange under way */
	int64_t asked_ms;
	struct cgminer_seen seen;       /* of the poll under way */
	uint8_t next;                   /* of the devices, for the order under way */
	bool enable;
	struct cgminer_past past;
};

static bool probe_due(const struct cgminer *cgminer)
{
	return !cgminer->past.probed || cgminer_desk_now_ms(&cgminer->desk) - cgminer->past.probed_ms >= PROBE_EVERY_MS;
}

static void begin_poll(struct cgminer_desk *desk)
{
	struct cgminer *cgminer = (struct cgminer *)desk;
	cgminer->seen = (struct cgminer_seen){ 0 };
	cgminer->asked_ms = cgminer_desk_now_ms(desk);
	if (probe_due(cgminer))
		cgminer->past.unjoinable = false;
	cgminer->reading = cgminer->past.unjoinable ? READ_SUMMARY : READ_JOINED;
}

static size_t poll_request(struct cgminer_desk *desk, char *text, size_t size)
{
	const char *request = requests[((struct cgminer *)desk)->reading];
	size_t n = strlen(request);
	memcpy(text, request, n < size ? n : size);
	return n;
}

static void take_rights(struct cgminer *cgminer, const struct cgminer_reply *reply)
{
	cJSON *tree = reply->fault == FAULT_NONE ? cgminer_json_parse(reply->text) : NULL;
	struct cgminer_status status = cgminer_status(tree);
	cgminer->past.privileged = status.code == CODE_ACCESS_OK && !cgminer_failed(&status);
	cJSON_Delete(tree);
	cgminer->past.probed = true;
	cgminer->past.probed_ms = cgminer_desk_now_ms(&cgminer->desk);
}

static enum read rights_or_nothing(struct cgminer *cgminer)
{
	if (!probe_due(cgminer))
		return READ_NOTHING;
	if (cgminer->desk.conf.steer)
		return READ_RIGHTS;
	cgminer->past.probed = true;
	cgminer->past.probed_ms = cgminer_desk_now_ms(&cgminer->desk);
	return READ_NOTHING;
}

/* Some firmwares refuse a joined read, others answer with neither part of it. */
static enum read after_read(struct cgminer *cgminer, bool refused)
{
	const struct cgminer_seen *seen = &cgminer->seen;
	switch ((enum read)cgminer->reading) {
	case READ_JOINED:
		cgminer->past.unjoinable = refused || (!seen->knows_summary && !seen->no_summary && !seen->knows_devices);
		return cgminer->past.unjoinable ? READ_SUMMARY : rights_or_nothing(cgminer);
	case READ_SUMMARY:
		return READ_DEVS;
	case READ_DEVS:
		return rights_or_nothing(cgminer);
	case READ_RIGHTS:
	case READ_NOTHING:
		break;
	}
	return READ_NOTHING;
}

static void judge(struct cgminer *cgminer, struct miner_reading *reading)
{
	const struct cgminer_seen *seen = &cgminer->seen;
	*reading = (struct miner_reading){ .at_ms = cgminer->asked_ms };
	reading->fault = cgminer_judge(seen, reading);
	if (seen->knows_devices) {
		cgminer->past.n_devices = seen->n_devices;
		memcpy(cgminer->past.devices, seen->devices, sizeof cgminer->past.devices);
	}
	reading->steerable = cgminer->desk.conf.steer && cgminer->past.privileged && cgminer->past.n_devices > 0;
}

static bool poll_reply(struct cgminer_desk *desk, const struct cgminer_reply *reply, struct miner_reading *reading)
{
	struct cgminer *cgminer = (struct cgminer *)desk;
	bool refused = false;
	if (cgminer->reading == READ_RIGHTS) {
		take_rights(cgminer, reply);
		cgminer->reading = READ_NOTHING;
	} else {
		enum fault fault = reply->fault;
		if (fault == FAULT_NONE)
			fault = cgminer_decode(reply->text, &cgminer->seen, &refused);
		if (fault != FAULT_NONE) {
			*reading = (struct miner_reading){ .fault = fault, .at_ms = cgminer->asked_ms };
			return true;
		}
		cgminer->reading = (uint8_t)after_read(cgminer, refused);
	}
	if (cgminer->reading != READ_NOTHING)
		return false;
	judge(cgminer, reading);
	return true;
}

static enum fault begin_order(struct cgminer_desk *desk, const struct miner_order *order)
{
	struct cgminer *cgminer = (struct cgminer *)desk;
	if (!desk->conf.steer || !cgminer->past.privileged || cgminer->past.n_devices == 0)
		return FAULT_REFUSED;
	cgminer->next = 0;
	cgminer->enable = order->hash;
	return FAULT_NEVER;
}

static size_t order_request(struct cgminer_desk *desk, char *text, size_t size)
{
	const struct cgminer *cgminer = (struct cgminer *)desk;
	const struct cgminer_device *device = &cgminer->past.devices[cgminer->next];
	return (size_t)snprintf(text, size, "{\"command\":\"%s%s\",\"parameter\":\"%u\"}", device->pga ? "pga" : "asc",
	                        cgminer->enable ? "enable" : "disable", (unsigned)device->id);
}

/* A device that already is as ordered is told as information, by some forks as an error. */
static enum fault order_reply(struct cgminer_desk *desk, const struct cgminer_reply *reply)
{
	struct cgminer *cgminer = (struct cgminer *)desk;
	if (reply->fault != FAULT_NONE)
		return reply->fault == FAULT_REFUSED ? FAULT_SILENT : reply->fault;
	cJSON *tree = cgminer_json_parse(reply->text);
	struct cgminer_status status = cgminer_status(tree);
	bool refused = cgminer_failed(&status) && !cgminer_says(&status, "already");
	bool garbled = !status.letter;
	cJSON_Delete(tree);
	if (garbled || refused)
		return garbled ? FAULT_GARBLED : FAULT_REFUSED;
	return ++cgminer->next < cgminer->past.n_devices ? FAULT_NEVER : FAULT_NONE;
}

/* ---- opened again ---- */

_Static_assert(sizeof(struct cgminer_past) <= sizeof ((struct miner_memory *)0)->bytes, "a memory has room for it");

static void cgminer_remember(const struct miner *miner, struct miner_memory *memory)
{
	const struct cgminer *cgminer = (const struct cgminer *)miner;
	struct cgminer_past past = cgminer->past;
	past.probed &= cgminer->desk.conf.steer;        /* who only watches does not ask for rights */
	memory->driver = &cgminer_driver;
	memcpy(memory->bytes, &past, sizeof past);
}

static void cgminer_recall(struct miner *miner, struct miner_memory *memory)
{
	if (miner)
		memcpy(&((struct cgminer *)miner)->past, memory->bytes, sizeof(struct cgminer_past));
	memory->driver = NULL;
}

static void freed(struct cgminer_desk *desk)
{
	free(desk);
}

static const struct cgminer_trade trade = {
	begin_poll, poll_request, poll_reply, begin_order, order_request, order_reply, NULL, NULL, NULL, freed,
};

static struct miner *cgminer_open(struct miner_room *room, const struct miner_conf *conf, struct miner_user user)
{
	struct cgminer *cgminer = calloc(1, sizeof *cgminer);
	if (!cgminer)
		abort();
	cgminer_desk_init(&cgminer->desk, &cgminer_driver, &trade, room, conf, user);
	return &cgminer->desk.miner;
}

/* No source tells how fast boards answer to ascdisable: the response is a cautious guess, the config may know. */
const struct miner_driver cgminer_driver = {
	.name = "cgminer",
	.sleep = { .delay_ms = 2000, .ramp_ms = 8000 },
	.wake = { .delay_ms = 5000, .ramp_ms = 60000 },
	.cannot = "the classic CGMiner API reports no watts and has no sleep and no profiles: such a miner is watched, is "
	          "counted at its nominal power while it hashes, and is steered (by disabling its boards) only where the "
	          "config says steer: true, because whether that cuts its power depends on the hardware",
	.open = cgminer_open,
	.poll = cgminer_desk_poll,
	.order = cgminer_desk_order,
	.remember = cgminer_remember,
	.recall = cgminer_recall,
	.close = cgminer_desk_close,
};
