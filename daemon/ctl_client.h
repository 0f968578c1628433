/* daemon/ctl_client.h - mulletctl's end of the control socket. Blocks, but never longer than it was told. */
#ifndef DAEMON_CTL_CLIENT_H
#define DAEMON_CTL_CLIENT_H

#include <cjson/cJSON.h>
#include <stddef.h>

struct ctl_client {                     /* init, then ask as often as wanted; it connects when it must */
	const char *path;               /* lent */
	int fd;                         /* -1: not connected */
	char *bytes;                    /* read and not yet used */
	size_t len, size;
};

struct ctl_listener {                   /* told each line of an answer but the verdict; both are lent for the call */
	void *self;
	void (*line)(void *self, const char *text, const cJSON *value);
};

enum ctl_outcome {
	CTL_DONE,
	CTL_REFUSED,                    /* the daemon said no, error is its own words */
	CTL_UNREACHED,                  /* no connection, no whole answer in time, or one that is not to be understood */
};

void client_init(struct ctl_client *, const char *path);
void client_close(struct ctl_client *); /* may be asked again */

/* request: one JSON object, without a line end. timeout_ms is for the whole exchange. */
enum ctl_outcome client_ask(struct ctl_client *, const char *request, int timeout_ms, struct ctl_listener,
                            char *error, size_t error_size);

#endif
