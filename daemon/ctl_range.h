/* daemon/ctl_range.h - which addresses an operator means by a RANGE. Pure.
 *
 * A RANGE is CIDR (10.30.0.0/16; its network and broadcast addresses are left out up to /30), a dash range
 * (10.30.0.1-10.30.0.254 or 10.30.0.1-254), or a hostlist as in the config (10.30.[0-7].[1-254], miner-[001-250].example).
 */
#ifndef DAEMON_CTL_RANGE_H
#define DAEMON_CTL_RANGE_H

#include "config/arena.h"

#define RANGE_MOST 262144               /* addresses, of all ranges together: four times a /16 */

struct ctl_range { const char **hosts; size_t n, size; };       /* zero to start; all lives in the arena */

/* Adds what TEXT stands for. NULL, or what is wrong with it and what would be right; then nothing was added. */
const char *range_add(struct arena *, struct ctl_range *, const char *text);
/* Each once, IPv4 addresses ascending, then names. */
void range_sort(struct ctl_range *);

#endif
