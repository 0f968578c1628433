#include "config/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 16384

struct chunk {
	struct chunk *older;
	size_t used, size;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct arena { struct chunk *newest; };

static void *taken(size_t size)
{
	void *p = calloc(1, size);
	if (!p)
		abort();
	return p;
}

struct arena *arena_new(void)
{
	return taken(sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->newest, *older; chunk; chunk = older) {
		older = chunk->older;
		free(chunk);
	}
	free(arena);
}

void *arena_take(struct arena *arena, size_t size)
{
	size_t room = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	struct chunk *chunk = arena->newest;
	if (!chunk || chunk->size - chunk->used < room) {
		size_t bytes = room > CHUNK ? room : CHUNK;
		chunk = taken(sizeof *chunk + bytes);
		chunk->size = bytes;
		chunk->older = arena->newest;
		arena->newest = chunk;
	}
	void *p = chunk->bytes + chunk->used;
	chunk->used += room;
	return p;
}

char *arena_text(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_take(arena, len + 1);
	memcpy(copy, text, len);
	return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list list, again;
	va_start(list, format);
	va_copy(again, list);
	int len = vsnprintf(NULL, 0, format, list);
	va_end(list);
	char *text = arena_take(arena, len < 0 ? 1 : (size_t)len + 1);
	if (len > 0)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}
