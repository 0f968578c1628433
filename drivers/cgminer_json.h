/* drivers/cgminer_json.h - reads the JSON that miners send, also where it is none.
 *
 * The text is parsed strictly first. Only what fails is repaired and parsed again, so a repair never touches a valid
 * reply. Nothing is ever closed that was left open: a cut reply stays unreadable.
 */
#ifndef DRIVERS_CGMINER_JSON_H
#define DRIVERS_CGMINER_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define CGMINER_MOST_DEPTH 16

/* Text is NUL-terminated. NULL: not JSON, not repairable, or nested too deep. The caller deletes the tree. */
cJSON *cgminer_json_parse(const char *text);

/* The repair alone: text of len bytes into out, which has room for 2 * len + 1; returns the length, NUL added. */
size_t cgminer_json_repair(const char *text, size_t len, char *out);

/* Lookups take NULL for the object, and give NULL for what is not there. The first of equal keys counts. */
const cJSON *cgminer_json_get(const cJSON *object, const char *key);
const char *cgminer_json_text(const cJSON *object, const char *key);    /* NULL: no string */
/* A finite number, also one in a string with blanks around it; *value is left alone otherwise. */
bool cgminer_json_number(const cJSON *object, const char *key, double *value);
/* true, false, the same in a string in any case, or a number; *value is left alone otherwise. */
bool cgminer_json_bool(const cJSON *object, const char *key, bool *value);

#endif
