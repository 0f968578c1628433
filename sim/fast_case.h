/* sim/fast_case.h - what mulletsim --fast plays: a scenario file, its load made ready, once for each fleet it names.
 *
 * A file is lines of "key = value", # begins a comment. Quantities as on the command line.
 *   load = trace FILE | square PERIOD | steps EVERY | stairs EVERY | failures EVERY | triangle PERIOD | noise TIME | constant
 *   jobs = N            of a trace: 1 (preset) plays it in step, more at N random places at once
 *   peak = 50 MW        the load's highest value; house = 500 kW beside it
 *   floor = 60%         of a load that is no trace: its lowest value
 *   lasts = 1h          begin = TIME into the trace; seed = N
 *   share = 30%         of the fleet has room under the cap while the load is highest
 *   fleets = NAME:N[/PEAK], …   names: fast, slow, mixed (half each); PEAK instead of the file's
 *   partial = no        miners know only on and off; else also any power from their type's least on
 *   announce = 30s      so long before it the GPU scheduler gives notice of each job that is told by at, of each edge of a
 *                       square, of steps or stairs, and of what the job's own log beside a trace (NAME_events.csv) marks:
 *                       of a mark it knows the kind, and by how much the load moves at half of these or more
 *   unmetered = 20%     of the GPUs, by no PDU
 *   refresh = 1s        so often the registers of the site's meter change (preset: at each step)
 *   averaged = 3s       each of its values is the mean of so long before, 10 s at most (preset: of an instant), and the
 *                       site's file says so
 *   restart = TIME      the controller ends then, and is there again 5 s later, with what it keeps over a restart
 *   setpoint = ercot | trace FILE    a set point every 4 s, of level ± span (per cents of the fleet)
 *   price = FILE        with breakeven = USD/MWh: above it the miners may draw nothing
 *   at = TIME:cap=POWER/TIME, TIME:shed=POWER/TIME, TIME:notice=POWER/TIME[/LEAD] (given LEAD before, preset 30 s; whether
 *        it comes true is another line's business), or as mulletsim --at has it, where a meter that answers late or wrong in form is
 *        silent here, and a miner that is slow to answer is sound. May be repeated
 * FILE is looked for in the directory of traces. The files foresight, waterbed and flat beside the scenarios hold, for each
 * case, what perfect foresight keeps, how flat any filter can be that lifts no band, and what is kept of the hash where the
 * site is as flat as it should be: tests/foresight/ solved it. */
#ifndef SIM_FAST_CASE_H
#define SIM_FAST_CASE_H

#include "policy/orders.h"
#include "sim/farm.h"

enum { FAST_TYPES = 2, FAST_FLEETS = 8, FAST_ORDERS = 16, FAST_PDUS = 60, FAST_AVERAGED_MS = 10000 };

struct fast_fleet {
	char kind[16];
	size_t n;
	int64_t peak_w;                 /* 0: the file's */
};

struct fast_order { int64_t at_ms, lasts_ms, watts; enum order_kind kind; };

struct fast_notice { int64_t told_ms, at_ms, over_ms, delta_w; };

struct fast_series { double *at; size_t n; int64_t step_ms; };  /* holds each value for step_ms */

struct fast_file {                      /* as read */
	char name[48];
	char load[64], load_file[128], setpoint[64], setpoint_file[128], price_file[128];
	int64_t load_ms;                /* the time in `load` */
	int64_t jobs, seed;
	int64_t peak_w, house_w, lasts_ms, begin_ms;
	int32_t floor_permille, share_permille, level_permille, span_permille, unmetered_permille;
	double breakeven;
	bool whole;                     /* miners know only on and off */
	struct fast_fleet fleets[FAST_FLEETS];
	size_t n_fleets;
	struct fast_order orders[FAST_ORDERS];
	size_t n_orders;
	int64_t announce_ms;            /* 0: the load's moves are not announced */
	int64_t restart_ms;             /* 0: the controller never ends */
	int64_t refresh_ms, averaged_ms;        /* of the site's meter; 0: at each step, of an instant */
	struct fast_notice told[FAST_ORDERS];   /* line by line */
	size_t n_told;
	struct farm_conf farm;          /* its events and jobs */
};

struct fast_case {                      /* a file and one of its fleets; owned but for the types */
	char name[80];                  /* "FILE KIND-N" */
	const struct plant_miner_type *types[FAST_TYPES];
	size_t n_of[FAST_TYPES], n_types, n_miners;
	int64_t fleet_w;                /* nominal */
	int64_t cap_w, house_w, lasts_ms, restart_ms, refresh_ms, averaged_ms;
	int32_t unmetered_permille;
	bool whole;                     /* miners know only on and off */
	enum prefer prefer;
	uint64_t seed;
	struct load load;
	struct fast_series setpoint, price;     /* n 0: none */
	double breakeven;
	double foresight;               /* share of fleet_w that perfect foresight keeps, solved beforehand; 0: not */
	double flat_kept;               /* share of it at most where slow moves are 1.25 times the bound; negative: not solved */
	double best_w, lag_w;           /* least slow rms of a filter that lifts no band, of lags and of one; 0: not solved */
	struct fast_order orders[FAST_ORDERS];
	size_t n_orders;
	struct farm_event events[FARM_EVENTS];
	size_t n_events;
	struct fast_notice *notices;    /* by told_ms */
	size_t n_notices;
};

/* 0, or -1 and why, with the line. */
int fast_file_read(struct fast_file *, const char *path, char *why, size_t size);
/* 0; 1: it needs a trace that is not there, and why says which; -1: it cannot be, and why. */
int fast_case_make(struct fast_case *, const struct fast_file *, size_t fleet, const char *traces, char *why, size_t size);
/* Its part of that, of the notices: once the load is made. */
int fast_case_announce(struct fast_case *, const struct fast_file *, const char *traces, char *why, size_t size);
/* Takes what is solved from the files foresight, waterbed and flat beside the scenario, as far as they are there. */
void fast_case_take_solved(struct fast_case *, const char *scenario);
void fast_case_free(struct fast_case *);
double fast_series_at(const struct fast_series *, int64_t at_ms);       /* the last one for ever */

extern const struct plant_miner_type fast_quick, fast_sluggish;

#endif
