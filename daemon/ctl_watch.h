/* daemon/ctl_watch.h - the live screen: asks the daemon twice a second and shows what it knows, until told to stop. */
#ifndef DAEMON_CTL_WATCH_H
#define DAEMON_CTL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/ctl_client.h"
#include "daemon/ctl_model.h"

struct watch_conf {
	struct ctl_client *client;
	int64_t for_ms;                 /* 0: until q, SIGINT or SIGTERM */
	bool ascii, json;               /* json: the daemon's status, a line a second, no screen */
};

/* On a terminal: its whole screen, given back as it was. Elsewhere: a plain line a second. Returns the exit code. */
int watch_run(const struct watch_conf *);

/* Status, alarms and the newest decisions into the model; where that fails, model->trouble says why. */
bool watch_refresh(struct ctl_client *, struct ctl_model *, int timeout_ms);

#endif
