/* Orders begin and end by the wall clock: if that is set while they stand, somebody should know. */
#include "daemon/signals_inside.h"

#define STEP_MS 2000                    /* less is no matter of orders, and what is corrected slowly is no step */

/* Those that wait for their start, or all. */
static int alive_orders(const struct signals *signals, bool begun_too)
{
	int n = 0;
	for (int i = 0; i < ORDERS_LIVE; i++)
		n += signals->book.live[i].id[0] && (begun_too || !signals->book.live[i].begun);
	return n;
}

void settle_by_clock(struct signals *signals, struct instant now)
{
	int64_t ahead_ms = now.utc_ms - now.mono_ms, moved_ms = ahead_ms - signals->ahead_ms;
	int alive = alive_orders(signals, true), waiting = alive_orders(signals, false);
	signals->ahead_ms = ahead_ms;
	settle_orders(signals, NULL, now);
	if (moved_ms > -STEP_MS && moved_ms < STEP_MS)
		return;
	alarms_clear(signals->alarms, "clock", now);    /* or the next step would look like this one, but for its figures */
	alarms_raise_passing(signals->alarms, "clock", NULL, now,
	                     "it was set %s by %lld s: of %d orders alive %d began and %d ended with that", moved_ms < 0 ? "back" : "forward",
	                     (long long)(moved_ms < 0 ? -moved_ms : moved_ms) / 1000, alive,
	                     waiting - alive_orders(signals, false), alive - alive_orders(signals, true));
}
