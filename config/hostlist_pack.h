/* config/hostlist_pack.h - the way back from hosts to hostlist ranges: 10.30.0.1 … 10.30.7.254 to 10.30.[0-7].[1-254]. Pure. */
#ifndef CONFIG_HOSTLIST_PACK_H
#define CONFIG_HOSTLIST_PACK_H

#include "config/arena.h"

/* Returns how many hostlists it takes, and them in *lists, ascending. hostlist_expand() of all of them together gives
 * each of the hosts once, doubled ones too. Hosts are such that host_fault() has nothing to say against. */
size_t hostlist_pack(struct arena *, const char *const *hosts, size_t n, const char ***lists);

#endif
