/* sim/site.h - the ground truth of one grid connection: GPUs behind PDUs, miners, and the house around them. */
#ifndef SIM_SITE_H
#define SIM_SITE_H

#include "sim/load.h"
#include "sim/plant.h"

struct site_conf {
	uint64_t seed;
	struct load load;               /* its seed is set from this one; its trace is lent */
	size_t n_pdus;
	int64_t house_w;                /* cooling, light, losses: this much … */
	int32_t house_permille;         /* … and this much of the GPU load, following it over half a minute */
};

struct site {
	struct site_conf conf;
	struct load_split split;
	struct plant plant;
};

void site_init(struct site *, const struct site_conf *);        /* without miners; plant_add them */
void site_free(struct site *);

int64_t site_hpc_w(const struct site *, int64_t now_ms);
int64_t site_pdu_w(const struct site *, size_t i, int64_t now_ms);
int64_t site_miners_w(struct site *, int64_t now_ms);
int64_t site_other_w(const struct site *, int64_t now_ms);      /* neither GPUs nor miners */
int64_t site_site_w(struct site *, int64_t now_ms);             /* the sum of the three */
int32_t site_frequency_mhz(const struct site *, int64_t now_ms);

#endif
