/* daemon/ctl_table.h - the daemon's lists as columns on stdout. */
#ifndef DAEMON_CTL_TABLE_H
#define DAEMON_CTL_TABLE_H

#include <cjson/cJSON.h>
#include <stdio.h>

enum ctl_list { LIST_MINERS, LIST_METERS, LIST_EVENTS, LIST_DECISIONS, LIST_ALARMS, LIST_FOUND, LIST_GROUPS };

/* rows: an array of the daemon's objects. Says so in a sentence where there are none. width: of the terminal: what does not
 * fit is folded, or left out and named; 0: as wide as it comes, as for a pipe. */
void table_print(FILE *, enum ctl_list, const cJSON *rows, int width);
int table_width(void);                  /* of the terminal that stdout is; 0: it is none */

#endif
