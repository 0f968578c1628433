/* daemon/ctl_quantity.h - power and time as an operator writes and reads them. Pure. */
#ifndef DAEMON_CTL_QUANTITY_H
#define DAEMON_CTL_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define FIGURE_UNKNOWN INT64_MAX        /* of any quantity: not known, shown as a dash */

/* "19.4 MW", "350kW", "0 W"; "90 s", "15 min", "1.5 h", "2 d", "250 ms". A unit is required, nothing may follow.
 * False, *out untouched, where it is no such quantity, is negative, or does not fit. */
bool parse_power(const char *text, int64_t *out_w);
bool parse_duration(const char *text, int64_t *out_ms);

/* A moment in UTC: RFC 3339, with a blank for the T, without seconds, the date alone, the clock alone (the last time it showed
 * that), or how long ago. Written as the daemon writes times, which sort as text. False, buf untouched: it is none. */
#define SINCE_BYTES 32
bool parse_since(const char *text, time_t now, char buf[SINCE_BYTES]);

/* The unit that all figures of one screen share, so that they line up: by the largest of them. */
struct power_unit { const char *name; int64_t w; int decimals; };
struct power_unit power_unit_for(int64_t largest_w);

/* Into buf, which is returned. Unknown: "-". */
const char *format_power_in(struct power_unit, int64_t w, char *buf, size_t size);      /* "1.912 MW" */
const char *format_power(int64_t w, char *buf, size_t size);            /* in its own unit: "88 kW", "1.91 MW" */
const char *format_energy(int64_t wh, char *buf, size_t size);          /* "12.4 MWh" */
const char *format_duration(int64_t ms, char *buf, size_t size);        /* "0.4 s", "12 s", "3 min 5 s", "2 h 5 min", "4 d 3 h" */

#endif
