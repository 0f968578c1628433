/* daemon/kept_parts.h - how the files of kept.h read JSON; inside them only. */
#ifndef DAEMON_KEPT_PARTS_H
#define DAEMON_KEPT_PARTS_H

#include "daemon/kept.h"

#define KEPT_MOST_COUNT 9007199254740991.0      /* 2^53 - 1: what JSON's numbers hold exactly */

const cJSON *kept_member(const cJSON *object, const char *key);         /* NULL: there is none */
/* False unless it is a whole number from 0 to most. */
bool kept_whole(const cJSON *item, double most, uint64_t *out);

#endif
