#include "tests/fleet_rig.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the site's meter: one int32 of watts at register 0 ---- */

static int64_t site_w(const struct rig *rig)
{
	int64_t watts = rig->load_w + rig->farm_awake * RIG_FARM_W + (int64_t)(rig->n_reads % 8);
	for (uint32_t i = 0; i < rig->conf->n_own; i++)
		watts += rig->own[i].asleep ? RIG_ASLEEP_W : RIG_OWN_W;
	return watts;
}

static void note_read(struct rig *rig, uint64_t now_ns)
{
	if (!rig->n_reads++)
		rig->read_first_ns = now_ns;
	else if (now_ns - rig->read_ns > rig->worst_gap_ns)
		rig->worst_gap_ns = now_ns - rig->read_ns;
	rig->read_ns = now_ns;
	int64_t off_ns = (int64_t)(now_ns - rig->read_first_ns) - (int64_t)(rig->n_reads - 1) * RIG_METER_MS * 1000000;
	if (rig->n_reads == 1 || off_ns < rig->earliest_ns)
		rig->earliest_ns = off_ns;
	if (rig->n_reads == 1 || off_ns > rig->worst_late_ns)
		rig->worst_late_ns = off_ns;
}

static int read_meter(struct modbus_server *server, uint8_t function, uint16_t address, uint16_t n, uint16_t *registers)
{
	struct rig *rig = server->self;
	(void)function;
	if (address != 0 || n != 2)
		return 2;
	note_read(rig, uv_hrtime());
	uint32_t watts = (uint32_t)site_w(rig);
	registers[0] = (uint16_t)(watts >> 16);
	registers[1] = (uint16_t)watts;
	if (!rig->shown_ns)
		rig->shown_ns = uv_hrtime();
	return 0;
}

static void meter_closed(struct modbus_server *server)
{
	(void)server;
}

void rig_watch_reads(struct rig *rig)
{
	rig->n_reads = rig->worst_gap_ns = 0;
}

void rig_set_load(struct rig *rig, int64_t load_w)
{
	rig->load_w = load_w;
	rig->load_ns = uv_hrtime();
	rig->shown_ns = rig->commanded_ns = 0;
}

/* ---- miners of our own: LuxOS enough for the driver ---- */

static const char *answer_to(struct rig_own *own, const char *command, size_t len, char *body, size_t size)
{
	const char *status = "\"STATUS\":[{\"Code\":1,\"Description\":\"LUXminer 2024.5.1\",\"Msg\":\"ok\",\"STATUS\":\"S\",\"When\":1}],\"id\":1}";
	bool sleeps = own->asleep;
	const char *text = NULL;
	if (len == 5 && !memcmp(command, "power", 5))
		text = sleeps ? "{\"POWER\":[{\"PSU\":true,\"Watts\":27}]," : "{\"POWER\":[{\"PSU\":true,\"Watts\":3000}],";
	else if (len == 6 && !memcmp(command, "config", 6))
		text = sleeps ? "{\"CONFIG\":[{\"CurtailMode\":\"Sleep\",\"IsPowerSupplyOn\":false,\"Model\":\"S19\",\"Profile\":\"default\"}],"
		              : "{\"CONFIG\":[{\"CurtailMode\":\"None\",\"IsPowerSupplyOn\":true,\"Model\":\"S19\",\"Profile\":\"default\"}],";
	else if (len == 7 && !memcmp(command, "summary", 7))
		text = sleeps ? "{\"SUMMARY\":[{\"GHS 5s\":0,\"GHS av\":0}]," : "{\"SUMMARY\":[{\"GHS 5s\":100000,\"GHS av\":100000}],";
	else if (len == 7 && !memcmp(command, "version", 7))
		text = "{\"VERSION\":[{\"API\":\"3.7\",\"LUXminer\":\"2024.5.1\",\"Type\":\"Antminer S19\"}],";
	else if (len == 8 && !memcmp(command, "profiles", 8))
		text = "{\"PROFILES\":[{\"Profile Name\":\"default\",\"Watts\":3000}],";
	else if ((len == 5 && !memcmp(command, "logon", 5)) || (len == 7 && !memcmp(command, "session", 7)))
		text = "{\"SESSION\":[{\"SessionID\":\"abcd1234\"}],";
	else if (len == 7 && !memcmp(command, "curtail", 7))
		text = "{\"CURTAIL\":[{\"Action\":\"done\"}],";
	if (text)
		snprintf(body, size, "%s%s", text, status);
	else
		snprintf(body, size, "{\"STATUS\":[{\"Code\":14,\"Description\":\"LUXminer\",\"Msg\":\"Invalid command\",\"STATUS\":\"E\",\"When\":1}],\"id\":1}");
	return body;
}

static void own_heard(struct conn *conn)
{
	struct rig_own *own = (struct rig_own *)(void *)conn->listener;
	char reply[4096] = "", body[1024];
	conn->heard[conn->n] = '\0';
	if (own->rig->own_hang)
		return;
	const char *command = strstr(conn->heard, "\"command\":\"");
	if (!command || !strchr(conn->heard, '}'))
		return;
	command += 11;
	size_t len = strcspn(command, "\""), used = 0;
	if (!memcmp(command, "curtail", 7))
		own->asleep = strstr(command, ",sleep") != NULL;
	/* A log-on may be for the session's sake alone. */
	if (!memcmp(command, "curtail", 7) && own->asleep && !own->rig->commanded_ns)
		own->rig->commanded_ns = uv_hrtime();
	if (!memchr(command, '+', len)) {
		answer_to(own, command, len, reply, sizeof reply);
	} else {
		for (const char *part = command; part < command + len; ) {
			size_t n = strcspn(part, "+\"");
			used += (size_t)snprintf(reply + used, sizeof reply - used, "%s\"%.*s\":[%s]", used ? "," : "{", (int)n,
			                         part, answer_to(own, part, n, body, sizeof body));
			part += n + 1;
		}
		snprintf(reply + used, sizeof reply - used, ",\"id\":1}");
	}
	conn_send(conn, reply, strlen(reply) + 1, true);
}

static void open_own(struct rig *rig)
{
	static const struct listener_user user = { .conn_size = sizeof(struct conn), .on_bytes = own_heard };
	rig->own = calloc(rig->conf->n_own + 1, sizeof *rig->own);
	if (!rig->own)
		abort();
	for (uint32_t i = 0; i < rig->conf->n_own; i++) {
		struct rig_own *own = &rig->own[i];
		own->rig = rig;
		snprintf(own->host, sizeof own->host, "127.3.%u.%u", (i + 1) >> 8 & 255, (i + 1) & 255);
		listener_init(&own->listener, &rig->loop, own->host, rig->conf->own_port, 8, &user);
		int err = listener_start(&own->listener);
		if (err)
			rig_die("a miner of our own", err);
	}
}

/* ---- PDUs that speak SNMP: an inlet as the PDU2-MIB lays it out ---- */

enum { DIGITS_0, AVAILABLE, STAMP, NOTHING };

#define OBJECT(quantity_, ...) \
	{ .name = { 1, 3, 6, 1, 4, 1, 13742, 6, __VA_ARGS__ }, .n = 8 + sizeof((oid[]){ __VA_ARGS__ }) / sizeof(oid), \
	  .type = ASN_UNSIGNED, .quantity = quantity_ }

static const struct snmp_object inlet[] = {
	OBJECT(DIGITS_0, 3, 3, 4, 1, 7, 1, 1, 5), OBJECT(DIGITS_0, 3, 3, 4, 1, 7, 1, 1, 8), OBJECT(DIGITS_0, 3, 3, 4, 1, 7, 1, 1, 23),
	OBJECT(AVAILABLE, 5, 2, 3, 1, 2, 1, 1, 5), OBJECT(AVAILABLE, 5, 2, 3, 1, 2, 1, 1, 8), OBJECT(AVAILABLE, 5, 2, 3, 1, 2, 1, 1, 23),
	OBJECT(STAMP, 5, 2, 3, 1, 4, 1, 1, 5), OBJECT(NOTHING, 5, 2, 3, 1, 4, 1, 1, 8), OBJECT(NOTHING, 5, 2, 3, 1, 4, 1, 1, 23),
};
static const struct snmp_make make = { "raritan-pdu2", inlet, sizeof inlet / sizeof *inlet };

static long read_inlet(struct snmp_agent *agent, const struct snmp_object *object)
{
	(void)agent;
	switch (object->quantity) {
	case AVAILABLE: return 1;
	case STAMP:     return (long)(uv_hrtime() / 1000000);
	default:        return 0;
	}
}

static void agent_closed(struct snmp_agent *agent)
{
	(void)agent;
}

static void open_agents(struct rig *rig)
{
	static const enum agent_fault faults[] = { AGENT_SILENT, AGENT_GARBAGE, AGENT_WRONG_ID, AGENT_WRONG_LENGTH, AGENT_CUT,
	                                           AGENT_ERROR, AGENT_REFUSING, AGENT_DUPLICATING, AGENT_LATE, AGENT_ABSENT };
	uint32_t n = rig->conf->n_agents, bad = 0;
	rig->agents = calloc(n + 1, sizeof *rig->agents);
	if (!rig->agents)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		struct snmp_agent *agent = &rig->agents[i];
		*agent = (struct snmp_agent){ .community = "public", .make = &make, .read = read_inlet, .on_closed = agent_closed };
		if ((i + 1) * rig->conf->bad_agents_pct / 100 != i * rig->conf->bad_agents_pct / 100)
			agent->fault = faults[bad++ % (sizeof faults / sizeof *faults)];
		snprintf(agent->host, sizeof agent->host, "127.2.%u.%u", (i + 1) >> 8 & 255, (i + 1) & 255);
		int err = snmp_agent_start(agent, &rig->loop, rig->conf->agent_port);
		if (err)
			rig_die("an SNMP agent", err);
	}
}

void rig_open_devices(struct rig *rig)
{
	rig->meter.unit = 1;
	rig->meter.read = read_meter;
	rig->meter.on_closed = meter_closed;
	rig->meter.self = rig;
	strcpy(rig->meter.host, "127.0.0.1");
	open_own(rig);
	open_agents(rig);
	int err = modbus_server_start(&rig->meter, &rig->loop, rig->conf->meter_port);
	if (err)
		rig_die("the meter", err);
}

void rig_close_devices(struct rig *rig)
{
	modbus_server_close(&rig->meter);
	for (uint32_t i = 0; i < rig->conf->n_own; i++)
		listener_close(&rig->own[i].listener);
	for (uint32_t i = 0; i < rig->conf->n_agents; i++)
		snmp_agent_close(&rig->agents[i]);
}
