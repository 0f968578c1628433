/* daemon/ctl_discover.h - mulletctl discover: which miners are there, and the config's block for them. Needs no daemon. */
#ifndef DAEMON_CTL_DISCOVER_H
#define DAEMON_CTL_DISCOVER_H

#include <stdbool.h>
#include <stdint.h>

/* A network segment of our own holds what it was asked about for 3 s, and 1024 such entries at most (gc_thresh3): 300 a
 * second leaves room for those who work there. */
#define DISCOVER_RATE_PER_S 300
#define DISCOVER_TIMEOUT_MS 2000
#define DISCOVER_AT_ONCE    900         /* connections; under the usual limit of 1024 descriptors */

struct discover_conf {                  /* as given on the command line; NULL: not */
	char *const *ranges;
	int n_ranges;
	const char *port, *rate, *timeout;
	bool json;
};

/* Returns the exit code: 0, also where nobody answers; 1 broken off; 2 a wrong command line, said on stderr. */
int discover_run(const struct discover_conf *);

#endif
