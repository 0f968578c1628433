#include "sim/truth.h"

#include "sim/dice.h"

enum { DICE_FREQUENCY = 100 };

void truth_init(struct truth *truth, const struct truth_conf *conf)
{
	*truth = (struct truth){ .conf = *conf };
	truth->conf.load.seed = conf->seed;
	load_split_init(&truth->split, conf->n_pdus, conf->seed);
	plant_init(&truth->plant, conf->seed);
}

void truth_free(struct truth *truth)
{
	plant_free(&truth->plant);
	load_split_free(&truth->split);
}

int64_t truth_hpc_w(const struct truth *truth, int64_t now_ms)
{
	return load_w(&truth->conf.load, now_ms);
}

int64_t truth_pdu_w(const struct truth *truth, size_t i, int64_t now_ms)
{
	return load_split_w(&truth->split, truth_hpc_w(truth, now_ms), i, now_ms);
}

int64_t truth_miners_w(struct truth *truth, int64_t now_ms)
{
	return plant_miners_w(&truth->plant, now_ms);
}

/* Cooling follows the heat, not the watts: the mean of the load over the last half minute. */
int64_t truth_other_w(const struct truth *truth, int64_t now_ms)
{
	enum { LOOKS = 6, APART_MS = 5000 };
	int64_t sum_w = 0;
	if (truth->conf.house_permille == 0)
		return truth->conf.house_w;
	for (int64_t k = 0; k < LOOKS; k++)
		sum_w += truth_hpc_w(truth, now_ms - k * APART_MS);
	return truth->conf.house_w + sum_w / LOOKS * truth->conf.house_permille / 1000;
}

int64_t truth_site_w(struct truth *truth, int64_t now_ms)
{
	return truth_hpc_w(truth, now_ms) + truth_miners_w(truth, now_ms) + truth_other_w(truth, now_ms);
}

int32_t truth_frequency_mhz(const struct truth *truth, int64_t now_ms)
{
	int64_t s = now_ms / 1000, in_ms = now_ms % 1000;
	int64_t a = 60000 + (int64_t)(20 * dice_spread(truth->conf.seed, DICE_FREQUENCY, (uint64_t)s));
	int64_t b = 60000 + (int64_t)(20 * dice_spread(truth->conf.seed, DICE_FREQUENCY, (uint64_t)s + 1));
	return (int32_t)(a + (b - a) * in_ms / 1000);
}
