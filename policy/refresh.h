/* policy/refresh.h - how old a meter's value is when it is read. A meter's registers change every so often, every 100 ms or
 * every 3 s, however often it is asked: the same value once more is no news, it was measured when it was first seen. Taken
 * for news, it would say that the load moved whenever the miners do. But what stands still may show the same again and again,
 * so no value is taken to be older than those before it became. README.md, "How it decides". */
#ifndef POLICY_REFRESH_H
#define POLICY_REFRESH_H

#include <stdint.h>

#define REFRESH_STANDS 16               /* of the latest values … */
#define REFRESH_ENOUGH 8                /* … so many, before it is known how old one becomes: until then, … */
#define REFRESH_MOST_MS 5000            /* … and ever, no older than this */

struct refresh {                        /* of one meter; plain data, zero to start */
	int64_t w, first_ms, last_ms;   /* the newest value, seen from … to …; last_ms 0: none yet */
	int64_t stood_ms[REFRESH_STANDS];       /* how long those before were seen to stand; a ring */
	uint32_t n, newest;             /* of them; and where the last is */
};

/* A value, as it was answered at at_ms: how old it was then. */
int64_t refresh_age_ms(struct refresh *, int64_t w, int64_t at_ms);
/* How old its values become; 0: each answer is a new value, or it is not known yet. */
int64_t refresh_every_ms(const struct refresh *);

#endif
