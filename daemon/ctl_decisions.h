/* daemon/ctl_decisions.h - decisions as rows of a table: what became of the commands of each, in words. Pure. */
#ifndef DAEMON_CTL_DECISIONS_H
#define DAEMON_CTL_DECISIONS_H

#include <cjson/cJSON.h>

void decisions_as_rows(cJSON *decisions);       /* in place: the object "outcome" becomes a text */

#endif
