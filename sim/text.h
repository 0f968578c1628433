/* sim/text.h - text that grows; for replies and for what is printed. Zero to start, text_free to end. */
#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stddef.h>

struct text { char *at; size_t len, size; };    /* at is NUL-terminated once anything was put */

void text_put(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_put_string(struct text *, const char *);      /* as a JSON string, quoted */
void text_clear(struct text *);                         /* empty, memory kept */
void text_free(struct text *);

#endif
