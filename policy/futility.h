/* policy/futility.h - notices that shedding does not move the site's meter, or that miners do not do what they are told.
 *
 * A shed episode begins with the first order to draw less after a calm. What the miners say they draw less since then
 * (followed) is held against what the site draws less beside the GPUs' own meters (shown). Figures of the miners are up
 * to a fifth off and meters are read at different times, so it takes a wide gap, of more than a fiftieth of the cap,
 * for a while. Without the GPUs' meters a rising load looks just the same: then there is no verdict.
 *
 * What follows from a verdict has to be right even where the verdict is wrong. While the site is over its limit, or
 * would be, every miner that may be shed is shed all the same: asleep it costs hash and nothing else, and it may yet
 * help. What stops is what wears and cannot help: no miner is woken into a site that does not answer, so none is shed
 * and woken in turns, and none is shed for a target alone. The rest is asked of the GPU side. */
#ifndef POLICY_FUTILITY_H
#define POLICY_FUTILITY_H

#include "policy/policy.h"

enum futile_cause {
	FUTILE_NOT,
	FUTILE_MINERS,                  /* they do not do what they are told */
	FUTILE_METER,                   /* they say they sleep, and the site draws as before */
};

struct futility {                       /* plain data, zero to start */
	bool on;                        /* an episode is under way */
	enum futile_cause cause;        /* of the standing verdict */
	int64_t rest_w;                 /* site less GPUs, smoothed over some seconds */
	int64_t rest_ms;                /* of the newest; 0: none */
	int64_t begin_ms, last_shed_ms;
	int64_t rest_before_w, miners_before_w;
	int64_t told_w;                 /* to go, net of wakes */
	int64_t followed_w, shown_w;    /* gone, as they say; gone, as the meters say */
	enum futile_cause suspected;
	int64_t suspect_ms;             /* since when */
};

/* After each step, with what it saw and decided. response_ms: until the slowest miners have
 * fallen. late_ms: of the GPUs' meters; what GPUs do meanwhile looks like miners' watts that do not show. */
void futility_see(struct futility *, const struct decision *, int64_t cap_w, int64_t response_ms, int64_t late_ms,
                  int64_t now_ms);

#endif
