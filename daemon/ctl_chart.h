/* daemon/ctl_chart.h - the last minutes as moving lines: site, GPUs, miners, and the cap and target they are held by. */
#ifndef DAEMON_CTL_CHART_H
#define DAEMON_CTL_CHART_H

#include "daemon/ctl_canvas.h"
#include "daemon/ctl_model.h"

struct box { int row, column, rows, columns; };

/* The top of every scale of a screen: what cap and site have reached within its chart, and some air. */
int64_t model_full_w(const struct ctl_model *);

/* One second a dot: a braille cell is two seconds wide and four dots high; on an ASCII sheet a cell is one dot. */
void chart_draw(struct canvas *, struct box, const struct ctl_model *, int64_t full_w);

#endif
