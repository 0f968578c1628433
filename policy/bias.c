/* policy/bias.c - how far the site moves for what the others say they move. */
#include "policy/internal.h"

#define SLOPE_MEMORY 8          /* moves that weigh in a slope … */
#define BIAS_MEMORY  20         /* … and in a bias */
#define ENOUGH       5          /* of them, before a bias is used */
#define ALIKE        0.08F      /* its spread: more, and they do not agree */
#define GOES_WITH    0.85       /* of the squares is explained: less, and something else moved as well */
#define LEAST_RATIO  0.6F       /* beyond these something else moved */
#define MOST_RATIO   1.5F

/* Each counts the same, however large: one in which something else moved is outvoted by the others. */
void slope_observe(struct fusion_slope *slope, int64_t told_w, int64_t shown_w)
{
	double keep = 1 - 1.0 / SLOPE_MEMORY, per_w = 1 / (double)max64(max64(abs64(told_w), abs64(shown_w)), 1);
	double told = (double)told_w * per_w, shown = (double)shown_w * per_w;
	slope->told = slope->told * keep + told * told;
	slope->shown = slope->shown * keep + shown * shown;
	slope->both = slope->both * keep + told * shown;
	slope->n++;
}

bool slope_known(const struct fusion_slope *slope, uint32_t enough)
{
	return slope->n >= enough && slope->told > 0 && slope->both > 0 &&
	       slope->both * slope->both >= GOES_WITH * slope->told * slope->shown;
}

/* By the squares: what either side is off by counts the same. */
int slope_beyond(const struct fusion_slope *slope, int64_t low_permille, int64_t high_permille)
{
	double low = (double)low_permille / 1000, high = (double)high_permille / 1000;
	return slope->shown > high * high * slope->told ? 1 : slope->shown < low * low * slope->told ? -1 : 0;
}

int32_t slope_permille(const struct fusion_slope *slope)
{
	double permille = slope->told > 0 ? slope->both / slope->told * 1000 : 0;
	return (int32_t)(permille < 0 ? 0 : permille > 1e6 ? 1e6 : permille + 0.5);
}

void bias_observe(struct fusion_ratio *bias, int64_t told_w, int64_t shown_w)
{
	float ratio = told_w ? (float)shown_w / (float)told_w : 0;
	if (ratio < LEAST_RATIO || ratio > MOST_RATIO)
		return;
	ratio = ratio < 0.7F ? 0.7F : ratio > 1.3F ? 1.3F : ratio;
	float off = ratio - bias->mean, part = 1.0F / (float)min64(++bias->n, BIAS_MEMORY);
	bias->mean += off * part;
	bias->variance = (1 - part) * (bias->variance + part * off * off);
}

struct policy_bias policy_bias(const struct policy_state *state, size_t group)
{
	if (group >= FUSION_MINERS || !state->fusion.bias[group].n)
		return (struct policy_bias){ .permille = 1000 };
	const struct fusion_ratio *bias = &state->fusion.bias[group];
	return (struct policy_bias){
		.permille = (int32_t)(bias->mean * 1000 + 0.5F), .spread_permille = (int32_t)(root_of(bias->variance) * 1000 + 0.5),
		.seen = bias->n, .known = bias->n >= ENOUGH && bias->variance <= ALIKE * ALIKE,
	};
}

int64_t bias_doubt_permille(const struct policy_conf *conf, const struct policy_state *state)
{
	int64_t worst = 0;
	for (size_t g = 0; g < conf->n_miner_groups; g++) {
		struct policy_bias bias = policy_bias(state, g);
		int64_t off = abs64(bias.permille - 1000) + 2 * bias.spread_permille + BIAS_MARGIN_PERMILLE;
		worst = max64(worst, bias.known ? min64(off, BIAS_UNKNOWN_PERMILLE) : BIAS_UNKNOWN_PERMILLE);
	}
	return conf->n_miner_groups ? worst : BIAS_UNKNOWN_PERMILLE;
}

int64_t bias_least_permille(const struct policy_state *state, size_t group)
{
	struct policy_bias bias = policy_bias(state, group);
	return bias.known ? clamp64(bias.permille - max64(3 * bias.spread_permille, 50), 700, 950) : 700;
}
