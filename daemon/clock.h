/* daemon/clock.h - where time enters; it travels on as a value. */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include <stdint.h>

struct instant { int64_t mono_ms, utc_ms; };    /* the first for arithmetic, the second for people and orders */

struct clock { struct instant (*now)(const struct clock *); };
struct manual_clock { struct clock clock; struct instant at; };         /* tests turn the hands */

extern const struct clock system_clock;
void manual_clock_init(struct manual_clock *, struct instant at);

#endif
