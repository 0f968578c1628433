#include "sim/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void reserve(struct text *text, size_t more)
{
	if (text->len + more + 1 <= text->size)
		return;
	text->size = (text->len + more + 1) * 2;
	text->at = realloc(text->at, text->size);
	if (!text->at)
		abort();
}

void text_put(struct text *text, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	if (n < 0)
		abort();
	reserve(text, (size_t)n);
	vsnprintf(text->at + text->len, (size_t)n + 1, format, again);
	text->len += (size_t)n;
	va_end(again);
	va_end(args);
}

void text_put_string(struct text *text, const char *string)
{
	text_put(text, "\"");
	for (; *string; string++) {
		unsigned char c = (unsigned char)*string;
		if (c == '"' || c == '\\')
			text_put(text, "\\%c", c);
		else if (c < 0x20)
			text_put(text, "\\u%04x", c);
		else
			text_put(text, "%c", c);
	}
	text_put(text, "\"");
}

void text_clear(struct text *text)
{
	text->len = 0;
	if (text->at)
		text->at[0] = '\0';
}

void text_free(struct text *text)
{
	free(text->at);
	*text = (struct text){ 0 };
}
