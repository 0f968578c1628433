/* policy/setpoint.h - a set point told every few seconds, followed ahead of itself as far as its own past foretells it.
 *
 * Miners follow one or two messages late. What helps is to order for the time at which they will have followed: moves
 * of the set point are foretold from its last moves by recursive least squares (Haykin, Adaptive Filter Theory, ch. 10),
 * over as many messages as an order takes. Used only while it has lately come nearer than the last value told;
 * a foretold move is never larger than any told of late. A set point that does not move is not this file's business. */
#ifndef POLICY_SETPOINT_H
#define POLICY_SETPOINT_H

#include "policy/policy.h"

/* Each step: setpoint_w POLICY_NONE where none is told. miners_w: as they draw now; response_ms: mean time of the quickest
 * of them, both ways. */
void setpoint_look(struct policy_setpoint *, int64_t setpoint_w, int64_t load_w, int64_t miners_w, int64_t response_ms,
                   int64_t now_ms);
bool setpoint_moves(const struct policy_setpoint *, int64_t now_ms);
/* What the set point will be when miners told now have followed, on average after_ms from now. */
int64_t setpoint_ahead_w(const struct policy_setpoint *, int64_t after_ms);
int64_t setpoint_level_w(const struct policy_setpoint *, int64_t after_ms);      /* of it, what is left for the miners */
int64_t setpoint_error_w(const struct policy_setpoint *);       /* by which the next message is missed on average */
/* What miners heading for settled_w should head for instead. A sleep shows after sleep_ms, a wake after wake_ms. */
int64_t setpoint_leaves_w(const struct policy_setpoint *, int64_t settled_w, int64_t sleep_ms, int64_t wake_ms);

#endif
