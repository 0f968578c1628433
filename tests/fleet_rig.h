/* tests/fleet_rig.h - what surrounds mulletd while bench_fleet measures it: the site's meter, whoever gives orders over the
 * real broker, a few miners of our own that see commands arrive, minerfarm's control port, and mulletd as a child process.
 *
 * All on one loop of ours; times are uv_hrtime(), which is CLOCK_MONOTONIC as in minerfarm's answers. */
#ifndef TESTS_FLEET_RIG_H
#define TESTS_FLEET_RIG_H

#include "daemon/ctl_client.h"
#include "daemon/link.h"
#include "sim/modbus_server.h"
#include "sim/snmp_agent.h"

#define RIG_FARM_W 3250                 /* minerfarm's miners awake, by their own figure */
#define RIG_OWN_W 3000
#define RIG_ASLEEP_W 27
#define RIG_METER_MS 100                /* how often the site file has mulletd read the meter */

struct rig_conf {                       /* lent */
	const char *mulletd, *config, *socket, *log;
	uint16_t broker_port, meter_port, farm_ctl_port, own_port, agent_port;
	uint32_t n_own;                 /* on 127.3.0.1 upwards */
	uint32_t n_agents, bad_agents_pct;      /* PDUs that speak SNMP, on 127.2.0.1 upwards */
};

struct farm_status { uint64_t miners, alive, asleep, last_ns, accepted, commands, open_max; };

struct rig_own {
	struct listener listener;
	struct rig *rig;
	char host[16];
	bool asleep;
};

struct rig {
	const struct rig_conf *conf;
	uv_loop_t loop;
	struct modbus_server meter;
	int64_t load_w;                 /* behind the meter, besides miners */
	int64_t farm_awake;
	uint64_t load_ns, shown_ns;     /* when the load was set last; when a read first carried it */
	uint64_t read_ns, read_first_ns, n_reads, worst_gap_ns;
	int64_t worst_late_ns, earliest_ns;     /* of reads, on the grid that began with read_first_ns */
	struct rig_own *own;
	bool own_hang;                  /* they take connections and never answer */
	struct snmp_agent *agents;
	uint64_t commanded_ns;          /* the first command to one of our own since it was cleared */
	struct link *link;
	bool link_up, order_waits;
	char order[256];
	uint64_t ordered_ns;            /* just before the newest order was published */
	int farm;
	struct ctl_client control;
	uv_process_t mulletd;
	uint64_t started_ns;
	bool exited;
};

void rig_open(struct rig *, const struct rig_conf *);   /* ends the program where it cannot */
void rig_start_mulletd(struct rig *);
void rig_turn(struct rig *, uint64_t ms);               /* runs the loop for so long */
void rig_set_load(struct rig *, int64_t load_w);
void rig_order(struct rig *, const char *kind, const char *more);       /* returns once it is published */
void rig_watch_reads(struct rig *);                     /* forgets how late the meter's reads were */
bool rig_farm(struct rig *, const char *word, struct farm_status *);    /* also follows it on the meter */
/* One verb on the control socket; the first line of its answer, or NULL while mulletd does not answer. */
cJSON *rig_ask(struct rig *, const char *verb);
cJSON *rig_ask_all(struct rig *, const char *verb);     /* all lines, as an array */
void rig_close(struct rig *);                           /* mulletd is stopped, and all of the loop */

/* ---- inside: fleet_devices.c is the meter, the miners and the PDUs ---- */
void rig_open_devices(struct rig *);
void rig_close_devices(struct rig *);
void rig_die(const char *what, int err);

#endif
