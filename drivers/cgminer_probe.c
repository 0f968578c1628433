#include "drivers/cgminer_probe.h"

#include <stdio.h>

static size_t request(void *self, char *text, size_t size)
{
	struct cgminer_probe *probe = self;
	return (size_t)snprintf(text, size, "{\"command\":\"%s\"}", identity_request(probe->read));
}

static void end(struct cgminer_probe *probe)
{
	probe->user.on_probed(probe->user.self, probe->fault, &probe->inquiry.is);
}

static void ask_next(struct cgminer_probe *probe)
{
	probe->read = identity_next(&probe->inquiry);
	if (probe->read == ASK_NOTHING)
		end(probe);
	else
		cgminer_line_ask(&probe->line, TURN_POLL);
}

/* Some end the connection at a command they do not know, so one that is silent at once is asked a simpler one; but who
 * lets the time pass is not asked again, and what has told something stays a miner whatever fails later. */
static void on_reply(void *self, const struct cgminer_reply *reply)
{
	struct cgminer_probe *probe = self;
	bool is_miner = probe->fault == FAULT_NONE;
	enum fault fault = reply->fault;
	if (fault == FAULT_NONE)
		fault = identity_take(&probe->inquiry, probe->read, reply->text);
	if (!is_miner)
		probe->fault = fault;
	if (fault == FAULT_SILENT || (!is_miner && fault != FAULT_NONE && probe->read != ASK_JOINED))
		end(probe);
	else
		ask_next(probe);
}

static void on_closed(void *self)
{
	struct cgminer_probe *probe = self;
	probe->user.on_closed(probe->user.self);
}

void cgminer_probe_open(struct cgminer_probe *probe, struct miner_room *room, const char *host, uint16_t port,
                        uint32_t timeout_ms, struct cgminer_probe_user user)
{
	*probe = (struct cgminer_probe){ .user = user };
	cgminer_line_init(&probe->line, room, host, port, timeout_ms, (struct cgminer_line_user){
		probe, request, on_reply, on_closed });
	ask_next(probe);
}

void cgminer_probe_close(struct cgminer_probe *probe)
{
	cgminer_line_close(&probe->line);
}
