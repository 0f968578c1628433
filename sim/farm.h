/* sim/farm.h - a whole site on loopback sockets: the truth, the servers that show it, what happens when, and the logs. */
#ifndef SIM_FARM_H
#define SIM_FARM_H

#include <stdio.h>

#include "sim/asic_server.h"
#include "sim/layout.h"
#include "sim/modbus_server.h"
#include "sim/snmp_agent.h"
#include "sim/truth.h"

enum { FARM_TYPES = 4, FARM_EVENTS = 128, FARM_TICK_MS = 100, FARM_ALL = -1, FARM_NET_MINER = 30 };
enum { FARM_NET_PDU = 21, FARM_NET_APC, FARM_NET_RARITAN };     /* over Modbus; over SNMP */
#define FARM_SITE_HOST "127.20.0.5"

struct farm_event {
	int64_t at_ms;
	enum { FARM_METER_FAULT, FARM_PDU_FAULT, FARM_MINER_FAULT } what;
	int fault;                      /* enum modbus_fault or plant_fault */
	int64_t device;                 /* from 0; FARM_ALL */
	int32_t permille;               /* FARM_MINER_FAULT: of the sound ones, where not 0 */
	int32_t factor_permille;        /* of a meter that is scaled; 0: half */
};

struct farm_conf {
	struct truth_conf truth;
	const struct plant_miner_type *types[FARM_TYPES];
	size_t n_of[FARM_TYPES], n_types;
	size_t n_snmp_pdus;             /* the last ones of the PDUs; the others speak Modbus */
	uint16_t modbus_port, snmp_port, miner_port;
	int64_t meter_refresh_ms, pdu_refresh_ms;
	int32_t speed;                  /* how many times faster than real the site's time runs; at least 1 */
	int32_t latency_ms;             /* of a miner's answer */
	int32_t fault_permille[N_PLANT_FAULTS], held_permille;  /* held: a session by somebody who comes no more */
	size_t pdu_faults[N_MODBUS_FAULTS];     /* how many PDUs of each, drawn by the seed */
	struct farm_event events[FARM_EVENTS];  /* in any order */
	size_t n_events;
	const char *log_file, *commands_file;   /* NULL: none */
	const char *site_name, *mqtt_host;      /* of the site file to print */
	uint16_t mqtt_port;
	int64_t cap_w, min_asleep_ms;   /* 0: left to mulletd */
	bool whole;                     /* no miner runs at partial power */
};

struct farm {
	struct farm_conf conf;
	uv_loop_t *loop;
	struct truth truth;
	struct layout pdus, miners;
	struct modbus_server *meters;   /* 0: the site's; PDU n is n + 1 */
	struct snmp_agent *agents;      /* the PDUs after those */
	struct farm_counter { double wh; int64_t ms; } *counters;       /* of each agent */
	int64_t *frozen_ms;             /* of each meter, then each agent */
	int32_t *factor_permille;       /* likewise, where it is scaled */
	double site_w;                  /* at the last tick */
	size_t n_meters, n_agents, n_meters_open, n_agents_open;
	struct asic *asics;
	struct asic_room room;
	struct asic_fleet fleet;
	uv_timer_t tick;
	uint64_t begin_ns;
	int64_t begin_utc_ms, next_ms, flushed_ms;
	size_t next_event;
	double energy_wh;
	FILE *log, *commands;
	bool logs_broken;               /* something could not be written; when they are closed */
	void (*on_closed)(struct farm *);
	void *self;                     /* of on_closed */
	int open_parts;
};

/* 0, or a negative libuv code and why; to be closed in both cases. The site's time begins to run at once. */
int farm_open(struct farm *, uv_loop_t *, const struct farm_conf *, char *why, size_t size);
void farm_close(struct farm *, void (*on_closed)(struct farm *));       /* logs are complete when on_closed comes */
int64_t farm_now_ms(const struct farm *);       /* the site's time */

/* Which devices a conf stands for, in their groups. 0, or -1 where they are too many. */
int farm_layout(const struct farm_conf *, struct layout *pdus, struct layout *miners);
/* The cap in that file: --cap, or what leaves room for 7 of 10 miners. */
int64_t farm_cap_w(const struct farm_conf *);
/* A complete site file of mulletd for the site that conf describes. */
void farm_print_config(const struct farm_conf *, struct text *);

/* Inside sim/ only: what stands in the registers of meter `server->index` of farm `server->self`. */
int farm_read_registers(struct modbus_server *server, uint8_t function, uint16_t address, uint16_t n, uint16_t *registers);
/* The instant whose values meter m (0 the site's, PDU n is n + 1) shows, and that PDU's watts then. */
int64_t farm_shown_ms(const struct farm *, size_t m, enum shows);
double farm_shown_pdu_w(const struct farm *, size_t m, enum shows);
const struct snmp_make *farm_make_of(unsigned net);     /* of the PDUs there; NULL: they speak Modbus */
void farm_build_agents(struct farm *);
int farm_start_agents(struct farm *, char *why, size_t size);
void farm_set_agent_fault(struct farm *, size_t agent, enum modbus_fault);      /* or what comes next to it over UDP */
void farm_agents_closed(struct farm *);         /* the last of them; farm.c's */
int farm_open_logs(struct farm *, char *why, size_t size);
void farm_log_truth(struct farm *, int64_t now_ms);
void farm_log_command(void *farm, const struct asic_command *);
void farm_close_logs(struct farm *);

#endif
