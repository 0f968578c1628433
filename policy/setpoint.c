#include "policy/setpoint.h"

#include "policy/internal.h"

#include <string.h>

#define MOVES_FIRST      5              /* changes in a row before it counts as moving */
#define SLOWEST_MS       20000          /* between two messages */
#define LASTS_MS         120000         /* a signal at its stop is still one */
#define TRUST_AFTER      30             /* messages */
#define TRUST_PERCENT    97             /* of the error of the last value told, at most */
#define KEEPS            0.998          /* of what was learned, from message to message: it fades in half an hour at 4 s */
#define FADES            0.99           /* the largest move */
#define FIRST_SPREAD     100.0
#define MOST_SPREAD      1e6            /* where the signal says nothing new for long, no weight may run away */
#define ERRORS_OVER      50.0           /* messages */

static double magnitude(double x) { return x < 0 ? -x : x; }
static double within(double x, double most) { return x > most ? most : x < -most ? -most : x; }

static double foretold(const struct policy_setpoint *sp, const double *moves_w)
{
	double move_w = 0;
	for (int k = 0; k < POLICY_LAGS; k++)
		move_w += sp->weights[k] * moves_w[k];
	return within(move_w, sp->largest_w);
}

/* The move just told, against those before it, in shares of the largest. */
static void learn(struct policy_setpoint *sp, double move_w)
{
	double x[POLICY_LAGS], gain[POLICY_LAGS], power = 0, error = move_w / sp->largest_w, trace = 0;
	for (int k = 0; k < POLICY_LAGS; k++) {
		x[k] = sp->moves_w[k] / sp->largest_w;
		error -= sp->weights[k] * x[k];
	}
	for (int k = 0; k < POLICY_LAGS; k++) {
		gain[k] = 0;
		for (int j = 0; j < POLICY_LAGS; j++)
			gain[k] += sp->spread[k][j] * x[j];
		power += x[k] * gain[k];
	}
	if (power <= 1e-9)
		return;
	for (int k = 0; k < POLICY_LAGS; k++) {
		sp->weights[k] += gain[k] / (KEEPS + power) * error;
		for (int j = 0; j < POLICY_LAGS; j++)
			sp->spread[k][j] -= gain[k] * gain[j] / (KEEPS + power);
		trace += sp->spread[k][k];
	}
	for (int k = 0; trace / KEEPS < MOST_SPREAD && k < POLICY_LAGS; k++)
		for (int j = 0; j < POLICY_LAGS; j++)
			sp->spread[k][j] /= KEEPS;
}

/* How far off what was foretold for this message was, and how far off the value told then. */
static void compare_with_foretold(struct policy_setpoint *sp)
{
	for (uint32_t h = 1; h < POLICY_AHEAD && h < sp->n; h++) {
		const double *then_w = sp->ahead_w[(sp->n - h) % POLICY_AHEAD];
		sp->error_w[h] += (magnitude((double)sp->told_w - then_w[h]) - sp->error_w[h]) / ERRORS_OVER;
		sp->held_error_w[h] += (magnitude((double)sp->told_w - then_w[0]) - sp->held_error_w[h]) / ERRORS_OVER;
	}
}

static void foretell(struct policy_setpoint *sp)
{
	double moves_w[POLICY_LAGS], *ahead_w = sp->ahead_w[sp->n % POLICY_AHEAD];
	memcpy(moves_w, sp->moves_w, sizeof(moves_w));
	ahead_w[0] = (double)sp->told_w;
	for (int h = 1; h < POLICY_AHEAD; h++) {
		double move_w = foretold(sp, moves_w);
		ahead_w[h] = ahead_w[h - 1] + move_w;
		memmove(moves_w + 1, moves_w, sizeof(moves_w) - sizeof(*moves_w));
		moves_w[0] = move_w;
	}
}

static void begin(struct policy_setpoint *sp, int64_t setpoint_w, int64_t load_w, int64_t now_ms)
{
	*sp = (struct policy_setpoint){ .on = true, .told_w = setpoint_w, .told_ms = now_ms, .changed_ms = now_ms,
	                                .load_ms = now_ms, .load_w = (double)load_w };
	for (int k = 0; k < POLICY_LAGS; k++)
		sp->spread[k][k] = FIRST_SPREAD;
}

static void take(struct policy_setpoint *sp, int64_t setpoint_w, int64_t at_ms)
{
	double move_w = (double)(setpoint_w - sp->told_w);
	int64_t since_ms = at_ms - sp->told_ms;
	sp->n = since_ms <= SLOWEST_MS ? sp->n + 1 : 0;
	sp->every_ms = sp->n <= 1 ? since_ms : sp->every_ms + (since_ms - sp->every_ms) / 8;
	sp->told_w = setpoint_w;
	sp->told_ms = at_ms;
	sp->seen_ws = 0;
	sp->largest_w = sp->largest_w * FADES > magnitude(move_w) ? sp->largest_w * FADES : magnitude(move_w);
	if (sp->largest_w < 1)
		return;
	learn(sp, move_w);
	memmove(sp->moves_w + 1, sp->moves_w, sizeof(sp->moves_w) - sizeof(*sp->moves_w));
	sp->moves_w[0] = move_w;
	compare_with_foretold(sp);
	foretell(sp);
}

int64_t setpoint_level_w(const struct policy_setpoint *sp, int64_t after_ms)
{
	return setpoint_ahead_w(sp, after_ms) - (int64_t)sp->load_w;
}

int64_t setpoint_error_w(const struct policy_setpoint *sp)
{
	return (int64_t)sp->error_w[1];
}

void setpoint_look(struct policy_setpoint *sp, int64_t setpoint_w, int64_t load_w, int64_t miners_w, int64_t response_ms,
                   int64_t now_ms)
{
	if (setpoint_w == POLICY_NONE) {
		sp->on = false;
		return;
	}
	if (!sp->on)
		begin(sp, setpoint_w, load_w, now_ms);
	int64_t elapsed_ms = max64(now_ms - sp->load_ms, 0);
	sp->load_w += ((double)load_w - sp->load_w) * (double)elapsed_ms / (double)(elapsed_ms + max64(response_ms, 1));
	sp->load_ms = now_ms;
	if (now_ms - sp->told_ms <= LASTS_MS)   /* later nobody asks, and the sum would have no end */
		sp->seen_ws += (load_w + miners_w) * (now_ms - max64(sp->seen_ms, sp->told_ms));
	sp->seen_ms = now_ms;
	if (setpoint_w != sp->told_w) {
		sp->changed_ms = now_ms;
		take(sp, setpoint_w, now_ms);
	} else if (setpoint_moves(sp, now_ms) && now_ms - sp->told_ms > sp->every_ms * 3 / 2) {
		take(sp, setpoint_w, sp->told_ms + sp->every_ms);       /* a message that changes nothing cannot be seen */
		sp->seen_ws = (load_w + miners_w) * max64(now_ms - sp->told_ms, 0);
	}
}

bool setpoint_moves(const struct policy_setpoint *sp, int64_t now_ms)
{
	return sp->on && sp->n >= MOVES_FIRST && now_ms - sp->changed_ms <= LASTS_MS;
}

int64_t setpoint_ahead_w(const struct policy_setpoint *sp, int64_t after_ms)
{
	int64_t every_ms = max64(sp->every_ms, 1);
	int64_t h = clamp64((after_ms + every_ms / 2) / every_ms, 1, POLICY_AHEAD - 1);
	bool trusted = sp->n > TRUST_AFTER && sp->error_w[h] * 100 < sp->held_error_w[h] * TRUST_PERCENT;
	return trusted ? (int64_t)sp->ahead_w[sp->n % POLICY_AHEAD][h] : sp->told_w;
}

int64_t setpoint_leaves_w(const struct policy_setpoint *sp, int64_t settled_w, int64_t sleep_ms, int64_t wake_ms)
{
	int64_t slept_w = setpoint_ahead_w(sp, sleep_ms) - (int64_t)sp->load_w;
	int64_t woken_w = setpoint_ahead_w(sp, wake_ms) - (int64_t)sp->load_w;
	if (woken_w > settled_w)
		return woken_w;
	/* What will be wanted again by the time it could be back need not go. */
	return min64(settled_w, max64(slept_w, woken_w));
}
