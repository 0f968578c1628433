/* daemon/state_file.h - a file the daemon remembers by: replaced whole or not at all.
 *
 * Written on the loop's pool of threads, never on the loop: a disk may take seconds to have it, and commands do not
 * wait for disks. The new text goes to PATH.new, is brought to the disk, then renamed over the old. */
#ifndef DAEMON_STATE_FILE_H
#define DAEMON_STATE_FILE_H

#include <stdbool.h>
#include <uv.h>

struct state_file_user {
	void *self;
	void (*on_written)(void *self, int error);      /* from the loop: 0, or libuv's code; the last write tells */
};

struct state_file {                     /* in its owner, where it stays while a write is under way */
	char *path;                     /* NULL: there is none */
	uv_loop_t *loop;
	struct state_file_user user;
	uv_work_t work;
	char *writing, *next;           /* being written; to be written after it */
	size_t len, next_len;
	int error;
};

void state_file_init(struct state_file *, uv_loop_t *, const char *dir, const char *name, struct state_file_user);
/* 0 and its text, NUL-terminated, the caller's to free(); UV_ENOENT: there is none; UV_E2BIG: longer than most.
 * Waits for the disk: for the start only. */
int state_file_read(const struct state_file *, size_t most, char **text, size_t *len);
/* Renames it to a free name beside it, which is told. Waits, too. */
int state_file_put_aside(const struct state_file *, char *to, size_t to_size);
/* The text is copied. Of several put while one is being written only the newest is written. */
void state_file_write(struct state_file *, const char *text, size_t len);
bool state_file_busy(const struct state_file *);
void state_file_free(struct state_file *);      /* once no write is under way */

#endif
