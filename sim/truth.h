/* sim/truth.h - the ground truth of one grid connection: GPUs behind PDUs, miners, and the house around them. */
#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#include "sim/load.h"
#include "sim/plant.h"

struct truth_conf {
	uint64_t seed;
	struct load load;               /* its seed is set from this one; its trace is lent */
	size_t n_pdus;
	int64_t house_w;                /* cooling, light, losses: this much … */
	int32_t house_permille;         /* … and this much of the GPU load, following it over half a minute */
};

struct truth {
	struct truth_conf conf;
	struct load_split split;
	struct plant plant;
};

void truth_init(struct truth *, const struct truth_conf *);		/* without miners; plant_add them */
void truth_free(struct truth *);

int64_t truth_hpc_w(const struct truth *, int64_t now_ms);
int64_t truth_pdu_w(const struct truth *, size_t i, int64_t now_ms);
int64_t truth_miners_w(struct truth *, int64_t now_ms);
int64_t truth_other_w(const struct truth *, int64_t now_ms);		/* neither GPUs nor miners */
int64_t truth_site_w(struct truth *, int64_t now_ms);		/* the sum of the three */
int32_t truth_frequency_mhz(const struct truth *, int64_t now_ms);

#endif
