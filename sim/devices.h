/* sim/devices.h - a whole site's meters and miners in this process, in virtual time, behind the drivers' own interfaces.
 *
 * The world carries its own time: sim_world_run(world, now) sets it and delivers what is due by then, in order of
 * time. poll and order called between two runs happen at the time of the last one; nothing is ever delivered from
 * inside them. Nothing here touches a loop.
 *
 * Meters: sim_meter_driver, opened with sim_world_room(world); host "sim:site", "sim:hpc" (all PDUs), "sim:other"
 * or "sim:pdu:N". Miners: sim_luxos_driver or sim_cgminer_driver, opened with sim_world_miners(world); host
 * "sim:N". N counts from 0. A host that names nothing answers FAULT_SILENT. */
#ifndef SIM_DEVICES_H
#define SIM_DEVICES_H

#include "drivers/meter.h"
#include "drivers/miner.h"
#include "sim/truth.h"

enum sim_meter_fault {
	SIM_METER_SOUND, SIM_METER_SILENT,
	SIM_METER_FROZEN,       /* answers in time, always with the value it had when it froze */
	SIM_METER_ABSURD, SIM_METER_GARBLED, SIM_METER_REFUSING,
	SIM_METER_LATE,         /* answers just within its timeout */
	SIM_METER_SCALED, SIM_METER_JUMPING, SIM_METER_SWAPPED, /* sim/shows.h */
};

/* Index of a meter; PDU n is SIM_FIRST_PDU + n. */
enum { SIM_SITE_METER, SIM_HPC_METER, SIM_OTHER_METER, SIM_FIRST_PDU };

struct sim_world_conf {
	struct truth_conf truth;
	int64_t begin_ms;               /* monotonic time at which the site's time is 0; misses of the clock show */
	int32_t meter_refresh_ms, pdu_refresh_ms;       /* how often the registers change; 0: 200 and 1000 */
	int32_t meter_error_permille;   /* each meter's own, the same for ever */
	int32_t meter_latency_ms, miner_latency_ms;     /* request to answer; 0: 5 and 30; each answer up to twice that */
};

struct sim_world;
struct sim_world *sim_world_open(const struct sim_world_conf *);
void sim_world_close(struct sim_world *);       /* after the last on_closed */
struct meter_room *sim_world_room(struct sim_world *);          /* for sim_meter_driver only; not to be closed */
struct miner_room *sim_world_miners(struct sim_world *);        /* the same for the miners */

void sim_world_run(struct sim_world *, int64_t now_ms);         /* monotonic; a now before the last is taken as the last */
size_t sim_world_open_devices(const struct sim_world *);        /* opened and not yet on_closed */
uint64_t sim_world_orders(const struct sim_world *);            /* that reached a miner */

struct truth *sim_world_truth(struct sim_world *);              /* to add miners to its plant before opening them */
int64_t sim_world_site_ms(const struct sim_world *);            /* the site's own time, for plant_ calls */
void sim_world_set_meter_fault(struct sim_world *, size_t meter, enum sim_meter_fault);
void sim_world_scale_meter(struct sim_world *, size_t meter, int32_t permille);        /* scaled by so much */
void sim_world_set_miner_fault(struct sim_world *, size_t miner, enum plant_fault);
void sim_world_set_identity(struct sim_world *, size_t miner, uint64_t identity);      /* told from now on; 0: not told */
void sim_world_set_firmware(struct sim_world *, size_t miner, uint64_t firmware);      /* the same */
bool sim_world_add_job(struct sim_world *, int64_t in_ms, int64_t delta_w, int64_t over_ms);    /* from now */

/* Ground truth at the time of the last run. */
int64_t sim_world_site_w(struct sim_world *);
int64_t sim_world_hpc_w(struct sim_world *);
int64_t sim_world_miners_w(struct sim_world *);
int64_t sim_world_other_w(struct sim_world *);

extern const struct meter_driver sim_meter_driver;
extern const struct miner_driver sim_luxos_driver, sim_cgminer_driver;

#endif
