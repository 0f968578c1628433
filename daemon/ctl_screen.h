/* daemon/ctl_screen.h - mulletctl's two screens: from what is known to a drawn sheet. Pure. */
#ifndef DAEMON_CTL_SCREEN_H
#define DAEMON_CTL_SCREEN_H

#include "daemon/ctl_canvas.h"
#include "daemon/ctl_model.h"

#define SCREEN_MIN_WIDTH 60             /* a narrower terminal is told so */
#define SCREEN_MIN_HEIGHT 16

void screen_watch(struct canvas *, const struct ctl_model *);   /* fills the sheet */
/* From the top; STATUS_ROWS are always enough. Of the decisions as many as fit into rows, those of the terminal, so that what
 * is wrong does not scroll away; rows 0: five. */
void screen_status(struct canvas *, const struct ctl_model *, int rows);

#define STATUS_ROWS 90

/* One line without an end, for a watch whose output is no terminal. Names a decision whose seq is above last_seq. */
void line_watch(const struct ctl_model *, int64_t last_seq, char *buf, size_t size);

#endif
