/* daemon/json.h - writes JSON in the order it is told, into a buffer that grows. Reading JSON is cJSON's. */
#ifndef DAEMON_JSON_H
#define DAEMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {                           /* zero to start; text is NUL-terminated once anything was written */
	char *text;
	size_t len, size;
	bool comma;                     /* the next member needs one before it */
};

void json_reset(struct json *);         /* empty, memory kept */
void json_free(struct json *);

/* key NULL inside arrays and for the outermost value. */
void json_open(struct json *, const char *key);         /* { */
void json_close(struct json *);                         /* } */
void json_open_array(struct json *, const char *key);
void json_close_array(struct json *);
void json_string(struct json *, const char *key, const char *value);    /* NULL: null; bytes that are not UTF-8 become U+FFFD */
void json_format(struct json *, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
void json_int(struct json *, const char *key, int64_t value);
void json_int_or_null(struct json *, const char *key, int64_t value, int64_t unknown);  /* null where value == unknown */
void json_number(struct json *, const char *key, double value, int decimals);           /* null where not finite */
void json_bool(struct json *, const char *key, bool value);
void json_null(struct json *, const char *key);
void json_time(struct json *, const char *key, int64_t utc_ms);         /* RFC 3339, UTC, ms; null where 0 */
void json_raw(struct json *, const char *key, const char *text, size_t len);            /* JSON that was written before */
void json_newline(struct json *);       /* ends a line of JSON lines; the next value starts afresh */

#endif
