/* sim/farm_snmp.c - what the SNMP agents of a simulated site's PDUs tell: two makes, as their MIBs lay them out.
 *
 * APC rPDU2: PowerNet-MIB, 1.3.6.1.4.1.318.1.1.26; power in hundredths of a kW, energy in tenths of a kWh.
 * Raritan PX: PDU2-MIB, 1.3.6.1.4.1.13742.6; a sensor's value and, in a table of its own, its decimal digits. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "sim/farm.h"
#include "sim/zeroed.h"

/* Read in thousandths: mW, mWh, mA, mV, mHz, ms. A constant's value is its scale. */
enum quantity { CONSTANT, TEXT, UPTIME, POWER, PHASE_POWER, APPARENT, ENERGY, VOLTAGE, CURRENT, FREQUENCY };

#define NAME(...) .name = { __VA_ARGS__ }, .n = sizeof((oid[]){ __VA_ARGS__ }) / sizeof(oid)
#define SYSTEM 1, 3, 6, 1, 2, 1, 1
#define DEVICE 1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 4, 3, 1
#define PHASE  1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 6, 3, 1
#define GROUP  1, 3, 6, 1, 4, 1, 318, 1, 1, 26, 11
#define DIGITS 1, 3, 6, 1, 4, 1, 13742, 6, 3, 3, 4, 1, 7, 1, 1
#define SENSOR 1, 3, 6, 1, 4, 1, 13742, 6, 5, 2, 3, 1

#define STRING(text_, ...) { NAME(__VA_ARGS__), .type = ASN_OCTET_STR, .quantity = TEXT, .text = text_ }
#define OBJECT(type_, quantity_, scale_, ...) \
	{ NAME(__VA_ARGS__), .type = type_, .quantity = quantity_, .scale = scale_ }
#define PHASES(column, quantity, scale) \
	OBJECT(ASN_INTEGER, quantity, scale, PHASE, column, 1), OBJECT(ASN_INTEGER, quantity, scale, PHASE, column, 2), \
	OBJECT(ASN_INTEGER, quantity, scale, PHASE, column, 3)

static const struct snmp_object apc[] = {
	STRING("APC Web/SNMP Management Card (simulated) MN:AP8886", SYSTEM, 1, 0),
	OBJECT(ASN_TIMETICKS, UPTIME, 10, SYSTEM, 3, 0),
	STRING("rack PDU", SYSTEM, 5, 0),
	OBJECT(ASN_INTEGER, CONSTANT, 1, DEVICE, 1, 1),         /* index */
	OBJECT(ASN_INTEGER, CONSTANT, 1, DEVICE, 2, 1),         /* module */
	STRING("rack PDU", DEVICE, 3, 1),
	OBJECT(ASN_INTEGER, CONSTANT, 2, DEVICE, 4, 1),         /* load state: normal */
	OBJECT(ASN_INTEGER, POWER, 10000, DEVICE, 5, 1),
	OBJECT(ASN_INTEGER, ENERGY, 100000, DEVICE, 9, 1),
	OBJECT(ASN_INTEGER, APPARENT, 10000, DEVICE, 16, 1),
	PHASES(5, CURRENT, 100),
	PHASES(6, VOLTAGE, 1000),
	PHASES(7, PHASE_POWER, 10000),
	OBJECT(ASN_INTEGER, CONSTANT, 0, GROUP, 2, 0),          /* watts of a group: a guest of one says 0 */
};

/* Tenths of a watt: who skips the digits is off by ten. Sensors: 1 current, 4 voltage, 5 active power, 6 apparent
 * power, 8 active energy, 23 frequency. */
#define IS(column, sensor, value) OBJECT(ASN_INTEGER, CONSTANT, value, SENSOR, column, 1, 1, sensor)
#define SENSORS_ARE(column, value) IS(column, 1, value), IS(column, 4, value), IS(column, 5, value), \
	IS(column, 6, value), IS(column, 8, value), IS(column, 23, value)

static const struct snmp_object raritan[] = {
	STRING("PX3-5190R (simulated)", SYSTEM, 1, 0),
	OBJECT(ASN_TIMETICKS, UPTIME, 10, SYSTEM, 3, 0),
	STRING("rack PDU", SYSTEM, 5, 0),
	OBJECT(ASN_UNSIGNED, CONSTANT, 3, DIGITS, 1),
	OBJECT(ASN_UNSIGNED, CONSTANT, 1, DIGITS, 4),
	OBJECT(ASN_UNSIGNED, CONSTANT, 1, DIGITS, 5),
	OBJECT(ASN_UNSIGNED, CONSTANT, 1, DIGITS, 6),
	OBJECT(ASN_UNSIGNED, CONSTANT, 0, DIGITS, 8),
	OBJECT(ASN_UNSIGNED, CONSTANT, 1, DIGITS, 23),
	SENSORS_ARE(2, 1),                                      /* available: true */
	SENSORS_ARE(3, 4),                                      /* state: normal */
	OBJECT(ASN_UNSIGNED, CURRENT, 1, SENSOR, 4, 1, 1, 1),
	OBJECT(ASN_UNSIGNED, VOLTAGE, 100, SENSOR, 4, 1, 1, 4),
	OBJECT(ASN_UNSIGNED, POWER, 100, SENSOR, 4, 1, 1, 5),
	OBJECT(ASN_UNSIGNED, APPARENT, 100, SENSOR, 4, 1, 1, 6),
	OBJECT(ASN_UNSIGNED, ENERGY, 1000, SENSOR, 4, 1, 1, 8),
	OBJECT(ASN_UNSIGNED, FREQUENCY, 100, SENSOR, 4, 1, 1, 23),
};

static const struct snmp_make makes[] = {
	{ "apc-rpdu2", apc, sizeof apc / sizeof *apc }, { "raritan-pdu2", raritan, sizeof raritan / sizeof *raritan },
};

const struct snmp_make *farm_make_of(unsigned net)
{
	return net == FARM_NET_PDU ? NULL : &makes[net - FARM_NET_APC];
}

/* ---- values ---- */

/* A counter is brought up to date when it is read; what it missed is counted at what is drawn now. */
static double counted_wh(struct farm_counter *counter, double w, int64_t shown_ms)
{
	if (shown_ms > counter->ms) {
		counter->wh += w * (double)(shown_ms - counter->ms) / 3.6e6;
		counter->ms = shown_ms;
	}
	return counter->wh;
}

static enum shows shows_of(enum agent_fault fault)
{
	return fault == AGENT_FROZEN ? SHOWS_FROZEN : fault == AGENT_SCALED ? SHOWS_SCALED :
	       fault == AGENT_JUMPING ? SHOWS_JUMPING : fault == AGENT_SWAPPED ? SHOWS_SWAPPED : SHOWS_TRUTH;
}

static double thousandths(struct farm *farm, const struct snmp_agent *agent, enum quantity quantity)
{
	size_t m = farm->n_meters + agent->index;
	enum shows shows = shows_of(agent->fault);
	int64_t shown_ms = farm_shown_ms(farm, m, shows);
	double w = farm_shown_pdu_w(farm, m, shows);
	switch (quantity) {
	case CONSTANT:
	case TEXT:              return 0;
	case UPTIME:            return (double)farm_now_ms(farm);
	case POWER:             return 1000 * w;
	case PHASE_POWER:       return 1000 * w / 3;
	case APPARENT:          return 1000 * w / 0.98;
	case ENERGY:            return 1000 * counted_wh(&farm->counters[agent->index], w, shown_ms);
	case VOLTAGE:           return 415000;
	case CURRENT:           return 1000 * w / 0.98 / 415 / 1.732;
	case FREQUENCY:         return truth_frequency_mhz(&farm->truth, shown_ms);
	}
	return 0;
}

static long read_object(struct snmp_agent *agent, const struct snmp_object *object)
{
	const long most = object->type == ASN_INTEGER ? INT32_MAX : UINT32_MAX;
	if (object->quantity == CONSTANT)
		return object->scale;
	if (agent->fault == AGENT_ABSURD && object->quantity != UPTIME)
		return most;
	double value = thousandths(agent->self, agent, (enum quantity)object->quantity) / object->scale + 0.5;
	return value < (double)most ? (long)value : most;
}

/* ---- the agents ---- */

static void agent_closed(struct snmp_agent *agent)
{
	struct farm *farm = agent->self;
	if (--farm->n_agents_open == 0)
		farm_agents_closed(farm);
}

void farm_build_agents(struct farm *farm)
{
	size_t n = farm->conf.n_snmp_pdus;
	farm->n_agents = n;
	farm->agents = zeroed(n, sizeof *farm->agents);
	farm->counters = zeroed(n, sizeof *farm->counters);
	for (size_t a = 0; a < n; a++) {
		struct snmp_agent *agent = &farm->agents[a];
		size_t pdu = farm->conf.truth.n_pdus - n + a;
		layout_host(&farm->pdus, pdu, agent->host);
		agent->make = farm_make_of(layout_group_of(&farm->pdus, pdu)->net);
		agent->community = "public";
		agent->read = read_object;
		agent->on_closed = agent_closed;
		agent->self = farm;
		agent->index = a;
	}
}

int farm_start_agents(struct farm *farm, char *why, size_t size)
{
	int err = 0;
	for (size_t a = 0; a < farm->n_agents && !err; a++) {
		farm->n_agents_open++;
		err = snmp_agent_start(&farm->agents[a], farm->loop, farm->conf.snmp_port);
		if (err)
			snprintf(why, size, "%s:%u: %s", farm->agents[a].host, farm->conf.snmp_port, uv_strerror(err));
	}
	return err;
}

void farm_set_agent_fault(struct farm *farm, size_t agent, enum modbus_fault fault)
{
	static const enum agent_fault over_udp[N_MODBUS_FAULTS] = {
		[MODBUS_SOUND] = AGENT_SOUND, [MODBUS_SILENT] = AGENT_SILENT, [MODBUS_TRICKLING] = AGENT_LATE,
		[MODBUS_GARBAGE] = AGENT_GARBAGE, [MODBUS_WRONG_TID] = AGENT_WRONG_ID,
		[MODBUS_WRONG_UNIT] = AGENT_WRONG_COMMUNITY, [MODBUS_WRONG_LENGTH] = AGENT_WRONG_LENGTH,
		[MODBUS_EXCEPTION] = AGENT_ERROR, [MODBUS_STALLING] = AGENT_CUT, [MODBUS_REFUSING] = AGENT_REFUSING,
		[MODBUS_DUPLICATING] = AGENT_DUPLICATING, [MODBUS_LATE] = AGENT_LATE, [MODBUS_FROZEN] = AGENT_FROZEN,
		[MODBUS_ABSURD] = AGENT_ABSURD, [MODBUS_CLOSING] = AGENT_ABSENT,
		[MODBUS_SCALED] = AGENT_SCALED, [MODBUS_JUMPING] = AGENT_JUMPING, [MODBUS_SWAPPED] = AGENT_SWAPPED,
	};
	snmp_agent_set_fault(&farm->agents[agent], over_udp[fault]);
}
