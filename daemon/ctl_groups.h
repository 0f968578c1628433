/* daemon/ctl_groups.h - what the daemon tells of groups of miners, as rows for table_print. Pure. */
#ifndef DAEMON_CTL_GROUPS_H
#define DAEMON_CTL_GROUPS_H

#include <cjson/cJSON.h>

/* Of each group in the array two rows are made, in its place: how its miners fall asleep, and how they wake; and a third,
 * how they go to another power, where they are told to. */
void groups_as_rows(cJSON *groups);

#endif
