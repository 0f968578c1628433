/* daemon/json_strict.h - what cJSON lets pass and we do not: RFC 8259 to the letter, with a bound on nesting.
 *
 * cJSON takes 01 and 1., control characters and broken UTF-8 in strings, a leading byte order mark and whatever
 * follows the value; it cuts strings at \u0000, and recurses a thousand deep. */
#ifndef DAEMON_JSON_STRICT_H
#define DAEMON_JSON_STRICT_H

#include <stddef.h>

/* NULL if the text is one JSON value nested at most most_depth deep; else what is wrong. Pure; reads no byte beyond
 * len. \u0000 is refused. */
const char *json_strict_fault(const char *text, size_t len, int most_depth);

#endif
