/* sim/layout.h - which simulated device has which name and which loopback address. Pure.
 *
 * Devices of a kind fill a rectangle 127.NET.[0-R].[1-C], so that one hostlist names them all; where their number
 * has no such rectangle, the rest forms a group of its own. Names are as in a site file: GROUP/1 …, or just GROUP. */
#ifndef SIM_LAYOUT_H
#define SIM_LAYOUT_H

#include <stddef.h>

struct layout_group {
	char name[40];
	size_t first, n;                /* of all devices of the layout */
	unsigned net, row, rows, cols;
};

enum { LAYOUT_GROUPS = 16, LAYOUT_MOST = 60000 };
struct layout {
	struct layout_group groups[LAYOUT_GROUPS];
	size_t n_groups, n;
};

/* Adds n devices (at most LAYOUT_MOST) on 127.net; 0, or -1 where there is no room for more groups. */
int layout_add(struct layout *, const char *name, unsigned net, size_t n);
const struct layout_group *layout_group_of(const struct layout *, size_t device);
void layout_host(const struct layout *, size_t device, char host[16]);
void layout_name(const struct layout *, size_t device, char *name, size_t size);
void layout_hostlist(const struct layout_group *, char *text, size_t size);

#endif
