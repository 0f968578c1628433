/* daemon/ctl_event.h - the life of one order or grid event, a line each figure. Pure but for the file. */
#ifndef DAEMON_CTL_EVENT_H
#define DAEMON_CTL_EVENT_H

#include <cjson/cJSON.h>
#include <stdio.h>

/* Whatever members the daemon tells: by the end of their names they are powers, energies, times of response. */
void event_print(FILE *, const cJSON *event);

#endif
