/* daemon/ctl_chart.h - the last minutes as moving lines: site, GPUs, miners, and the cap and target they are held by. */
#ifndef DAEMON_CTL_CHART_H
#define DAEMON_CTL_CHART_H

#include "daemon/ctl_canvas.h"
#include "daemon/ctl_model.h"

struct box { int row, column, rows, columns; };

/* What cap and site have reached within the minutes that are known: the scale of bars and chart. At least 1 kW. */
int64_t model_most_w(const struct ctl_model *);

/* One second a dot: a braille cell is two seconds wide and four dots high; on an ASCII sheet a cell is one dot.
 * Where the site was over its cap it is drawn in red, or with '!'. The last row is the time axis. */
void chart_draw(struct canvas *, struct box, const struct ctl_model *);

#endif
