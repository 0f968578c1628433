#include "policy/follow.h"

#include "policy/setpoint.h"

#define MESSAGES 4                      /* the present one, and those to come that are aimed at */
#define ORDERS   6                      /* now, and each half message from now on */
#define LONGEST  2                      /* messages that power may take */
#define THRIFT   0.025                  /* the more, the less is ordered for what passes */

bool follow_may(const struct policy_setpoint *sp, const struct policy_conf *conf, const struct policy_response *power,
                int64_t now_ms)
{
	for (size_t g = 0; g < conf->n_miner_groups; g++)
		if (!conf->miner_groups[g].partial_w && !conf->miner_groups[g].watched)
			return false;
	return power && setpoint_moves(sp, now_ms) && whole_ms(power) <= LONGEST * sp->every_ms;
}

bool follow_is_due(struct policy_setpoint *sp, int64_t now_ms)
{
	int64_t since_ms = now_ms - sp->told_ms, half_ms = sp->every_ms / 2;
	int64_t turn_ms = sp->told_ms + (since_ms >= half_ms ? half_ms : 0);
	if (sp->ordered_ms >= turn_ms && sp->ordered_ms <= now_ms)
		return false;
	sp->ordered_ms = now_ms;
	return true;
}

/* What each message's mean will lack, by what is told and foretold, by what was seen of it and by what is under way. Where
 * the next is late, what it has had so far is taken to be as what is to come. */
static void lacking(const struct policy_setpoint *sp, const struct policy_conf *conf, const struct miner_track *tracks,
                    int64_t now_ms, double *lacking_w)
{
	for (int h = 0; h < MESSAGES; h++) {
		int64_t from_ms = sp->told_ms + h * sp->every_ms, to_ms = from_ms + sp->every_ms;
		int64_t wanted_w = h ? setpoint_ahead_w(sp, h * sp->every_ms) : sp->told_w;
		lacking_w[h] = 0;
		if (to_ms <= now_ms)
			continue;
		double mean_w = sp->load_w + (double)fleet_mean_w(conf, tracks, max64(from_ms, now_ms), to_ms);
		if (h == 0)
			mean_w = ((double)sp->seen_ws + mean_w * (double)(to_ms - now_ms)) / (double)sp->every_ms;
		lacking_w[h] = (double)wanted_w - mean_w;
	}
}

/* Of an order, how much shows in each message's mean. */
static void shares(const struct policy_setpoint *sp, const struct policy_response *power, int64_t at_ms, double *share)
{
	for (int h = 0; h < MESSAGES; h++) {
		int64_t from_ms = sp->told_ms + h * sp->every_ms;
		share[h] = response_share(power, at_ms, from_ms, from_ms + sp->every_ms);
	}
}

/* Gauss; the matrix is symmetric and, by its diagonal, positive. */
static void solve(double a[MESSAGES][MESSAGES], double *x)
{
	for (int i = 0; i < MESSAGES; i++)
		for (int r = i + 1; r < MESSAGES; r++) {
			double f = a[r][i] / a[i][i];
			for (int c = i; c < MESSAGES; c++)
				a[r][c] -= f * a[i][c];
			x[r] -= f * x[i];
		}
	for (int i = MESSAGES; i-- > 0;) {
		for (int c = i + 1; c < MESSAGES; c++)
			x[i] -= a[i][c] * x[c];
		x[i] /= a[i][i];
	}
}

/* Least squares of what lacks and, by THRIFT, of what is ordered: the first of those orders (Boyd and Vandenberghe, Convex
 * Optimization, 6.3). */
int64_t follow_move_w(const struct policy_setpoint *sp, const struct policy_conf *conf, const struct miner_track *tracks,
                      const struct policy_response *power, int64_t now_ms)
{
	double share[ORDERS][MESSAGES], square[MESSAGES][MESSAGES], rest_w[MESSAGES], move_w = 0;
	for (int o = 0; o < ORDERS; o++)
		shares(sp, power, now_ms + o * sp->every_ms / 2, share[o]);
	for (int h = 0; h < MESSAGES; h++)
		for (int k = 0; k < MESSAGES; k++) {
			square[h][k] = h == k ? THRIFT : 0;
			for (int o = 0; o < ORDERS; o++)
				square[h][k] += share[o][h] * share[o][k];
		}
	lacking(sp, conf, tracks, now_ms, rest_w);
	solve(square, rest_w);
	for (int h = 0; h < MESSAGES; h++)
		move_w += share[0][h] * rest_w[h];
	return (int64_t)move_w;
}
