#include "sim/site.h"

#include "sim/dice.h"

enum { DICE_FREQUENCY = 100 };

void site_init(struct site *site, const struct site_conf *conf)
{
	*site = (struct site){ .conf = *conf };
	site->conf.load.seed = conf->seed;
	load_split_init(&site->split, conf->n_pdus, conf->seed);
	plant_init(&site->plant, conf->seed);
}

void site_free(struct site *site)
{
	plant_free(&site->plant);
	load_split_free(&site->split);
}

int64_t site_hpc_w(const struct site *site, int64_t now_ms)
{
	return load_w(&site->conf.load, now_ms);
}

int64_t site_pdu_w(const struct site *site, size_t i, int64_t now_ms)
{
	return load_split_w(&site->split, site_hpc_w(site, now_ms), i, now_ms);
}

int64_t site_miners_w(struct site *site, int64_t now_ms)
{
	return plant_miners_w(&site->plant, now_ms);
}

/* Cooling follows the heat, not the watts: the mean of the load over the last half minute. */
int64_t site_other_w(const struct site *site, int64_t now_ms)
{
	enum { LOOKS = 6, APART_MS = 5000 };
	int64_t sum_w = 0;
	if (site->conf.house_permille == 0)
		return site->conf.house_w;
	for (int64_t k = 0; k < LOOKS; k++)
		sum_w += site_hpc_w(site, now_ms - k * APART_MS);
	return site->conf.house_w + sum_w / LOOKS * site->conf.house_permille / 1000;
}

int64_t site_site_w(struct site *site, int64_t now_ms)
{
	return site_hpc_w(site, now_ms) + site_miners_w(site, now_ms) + site_other_w(site, now_ms);
}

int32_t site_frequency_mhz(const struct site *site, int64_t now_ms)
{
	int64_t s = now_ms / 1000, in_ms = now_ms % 1000;
	int64_t a = 60000 + (int64_t)(20 * dice_spread(site->conf.seed, DICE_FREQUENCY, (uint64_t)s));
	int64_t b = 60000 + (int64_t)(20 * dice_spread(site->conf.seed, DICE_FREQUENCY, (uint64_t)s + 1));
	return (int32_t)(a + (b - a) * in_ms / 1000);
}
