/* policy/replay.h - how far the load would have been over what is foretold, had it been foretold as it is now, in the last
 * hour.
 *
 * What must be kept free over a forecast is not the most that it ever missed by: while it was learned it missed by more, and
 * what it has learned since is no reason to keep that free. So what was seen is kept, and every ten seconds foretold anew,
 * with the miners following as they do. How far the load came over what the weights in use foretell of the minute before counts beside it. */
#ifndef POLICY_REPLAY_H
#define POLICY_REPLAY_H

#include "policy/foretell.h"

void replay_see(struct policy_replay *, const struct foretell_slot *);
/* The load was not seen for a while: of the minute before it is taken to have been no lower than it is found. */
void replay_resume(struct policy_replay *, double load_w);
/* What the filter would have foretold so many half-seconds ago; holds while there is the past for it. */
double replay_level_w(const struct policy_foretell *, enum foretell, uint32_t age);
/* The load now over what was foretold when miners have followed it by now. */
void replay_meet(struct policy_foretell *, const struct following *, double cap_w);
void replay_run(struct policy_foretell *, const struct following *, const struct foretell_slot *);

#endif
