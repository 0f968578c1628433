/* config/hostlist.h - Slurm hostlist ranges, spelt out: 10.30.[0-7].[1-254], pdu-[001-250].example, rack[1,3-5]. Pure. */
#ifndef CONFIG_HOSTLIST_H
#define CONFIG_HOSTLIST_H

#include "config/arena.h"

/* Returns how many hosts TEXT stands for, the last range running fastest, and them in *hosts; or 0 and why not.
 * More than `most` are refused before any is spelt out. */
size_t hostlist_expand(struct arena *, const char *text, size_t most, const char ***hosts, const char **why);

/* NULL, or why this cannot be the name or address of one host (or the device file of a serial line). */
const char *host_fault(const char *host);

#endif
