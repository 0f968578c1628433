/* config/arena.h - memory that is taken piece by piece and given back at once. Aborts when there is none. */
#ifndef CONFIG_ARENA_H
#define CONFIG_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *);                        /* NULL is fine */
void *arena_take(struct arena *, size_t size);          /* zeroed, aligned for anything */
char *arena_text(struct arena *, const char *text, size_t len);         /* a copy, NUL-terminated */
char *arena_format(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
