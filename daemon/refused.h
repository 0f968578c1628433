/* daemon/refused.h - the orders refused lately, for who asks what happened. Pure.
 *
 * Of each signal ten in a minute are kept, the rest is counted; and who has most of them here gives way first: a sender
 * that is wild pushes out nobody's but its own. */
#ifndef DAEMON_REFUSED_H
#define DAEMON_REFUSED_H

#include "daemon/events.h"

#define REFUSED_MOST 32
#define REFUSED_A_MINUTE 10

struct refused {                        /* zero to start */
	struct refusal {
		struct event event;
		int64_t at_ms;          /* monotonic */
		uint32_t more;          /* of its signal came within a minute, after it */
	} items[REFUSED_MOST];          /* oldest first */
	size_t n;
};

void refused_add(struct refused *, const struct event *, struct instant now);
void refused_json(const struct refused *, struct json *);      /* elements of an array, newest first */

#endif
