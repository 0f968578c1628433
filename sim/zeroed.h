/* sim/zeroed.h - memory, all zero. Where there is no more the simulator ends. */
#ifndef SIM_ZEROED_H
#define SIM_ZEROED_H

#include <stddef.h>
#include <stdlib.h>

static inline void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);
	if (!p)
		abort();
	return p;
}

#endif
