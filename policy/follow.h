/* policy/follow.h - which orders leave the least error of a set point that is judged by its mean over each message.
 *
 * An order of now shows in a part of the present message's mean, and in all of those to come. Told at the message and half
 * way to the next, miners can make up within it for a part of what was not foretold: by more than is lastingly wanted, the
 * rest of which goes back half a message later. That takes power steps, which are quick both ways and wear nothing.
 * README.md, "How it decides". */
#ifndef POLICY_FOLLOW_H
#define POLICY_FOLLOW_H

#include "policy/internal.h"

/* Only where all miners know partial power and that is quick beside the messages. */
bool follow_may(const struct policy_setpoint *, const struct policy_conf *, const struct policy_response *power,
                int64_t now_ms);
/* Each step. Whether miners are to be told now. */
bool follow_is_due(struct policy_setpoint *, int64_t now_ms);
/* By how much they should head for more, or for less, than they do. */
int64_t follow_move_w(const struct policy_setpoint *, const struct policy_conf *, const struct miner_track *,
                      const struct policy_response *power, int64_t now_ms);

#endif
