/* daemon/ctl_parts.h - the pieces of mulletctl's screens. Each is drawn from `row` on and returns the row after it. */
#ifndef DAEMON_CTL_PARTS_H
#define DAEMON_CTL_PARTS_H

#include "daemon/ctl_canvas.h"
#include "daemon/ctl_model.h"

int part_title(struct canvas *, int row, const struct ctl_model *);     /* site, state, time */

/* What is not as it should be: no answer, why the state is not "running", alarms, each on at most rows_each. No row where all
 * is well. */
int part_trouble(struct canvas *, int row, int max_rows, int rows_each, const struct ctl_model *);

/* Whose word holds besides the file's: orders, the operator's hold and shed, on at most max_rows. No row where there is none. */
int part_orders(struct canvas *, int row, int max_rows, const struct ctl_model *);

/* Site, GPUs, miners, other, one row each, on one scale; cap and target are marks on the site's bar. */
int part_bars(struct canvas *, int row, const struct ctl_model *);

int part_limits(struct canvas *, int row, const struct ctl_model *);    /* cap, target, reserve, headroom: 2 rows */
int part_miners(struct canvas *, int row, const struct ctl_model *);    /* one bar in segments, and its legend: 2 rows */
int part_totals(struct canvas *, int row, const struct ctl_model *);    /* energy, counts, broker, version: 2 rows */

/* The newest first, in at most max_rows rows, each sentence in at most rows_each. */
int part_decisions(struct canvas *, int row, int max_rows, int rows_each, int max_decisions, const struct ctl_model *);

#endif
