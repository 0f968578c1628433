/* daemon/ctl_table.h - the daemon's lists as columns on stdout. */
#ifndef DAEMON_CTL_TABLE_H
#define DAEMON_CTL_TABLE_H

#include <cjson/cJSON.h>
#include <stdio.h>

enum ctl_list { LIST_MINERS, LIST_METERS, LIST_EVENTS, LIST_DECISIONS, LIST_ALARMS, LIST_FOUND, LIST_GROUPS };

/* rows: an array of the daemon's objects. Says so in a sentence where there are none. */
void table_print(FILE *, enum ctl_list, const cJSON *rows);

#endif
