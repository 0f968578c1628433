/* daemon/control.h - the operator's hand inside the daemon: a Unix stream socket, one JSON object a line.
 *
 * A request is {"verb": "status", ...}; the answer is any number of lines and a last one, {"ok": true} or
 * {"ok": false, "error": "..."}. Requests of one client are answered in order, and the next is not looked at
 * before the answer to the last is out: a client that does not read costs one answer of memory and stalls nobody but
 * itself, and a burst is spread over turns of the loop (libuv finishes up to nine writes in one). The file's mode
 * (0660) decides who may. The process must ignore SIGPIPE. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include <cjson/cJSON.h>
#include <uv.h>

#include "daemon/json.h"

#define CONTROL_MAX_CLIENTS 32          /* one more is told so and closed */
#define CONTROL_MAX_LINE 4096           /* a longer request is refused and its client closed */
#define CONTROL_IDLE_MS (10 * 60 * 1000)        /* a client that neither asks nor reads is closed after this */
#define CONTROL_ERROR_BYTES 256

struct control_user {                   /* called from the loop, never from inside a call to the control socket */
	void *self;
	/* Appends whole lines (json_newline) to out, or puts into error why not: then out is dropped. args is the
	 * request, verb its "verb". Both are lent for the call. Must not wait. Must not close the control socket. */
	void (*answer)(void *self, const char *verb, const cJSON *args, struct json *out,
	               char *error, size_t error_size);
	void (*on_closed)(void *self);  /* after control_close: the socket is gone, its file too */
};

struct control_conf {
	const char *path;               /* lent for the call */
	uint64_t idle_ms;               /* 0: CONTROL_IDLE_MS */
};

/* Listens. 0, or a negative libuv code with *control untouched and no call ever made:
 * UV_EADDRINUSE somebody answers at that path, UV_EEXIST there is a file that is no socket, UV_ENOENT there is no such
 * directory, UV_ENAMETOOLONG, UV_EACCES … A socket on which nobody answers is left over from a killed daemon, and is
 * replaced. */
struct control;
int control_open(uv_loop_t *, const struct control_conf *, struct control_user, struct control **control);

/* Gives answers under way up and closes all clients; ends with on_closed. */
void control_close(struct control *);

#endif
