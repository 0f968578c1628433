/* sim/svg.h - a recorded run as a picture: 1200 x 600, without scripts or fonts of its own, for light and dark pages. */
#ifndef SIM_SVG_H
#define SIM_SVG_H

#include <stdio.h>

#include "sim/report.h"

void svg_plot(const struct report *, const struct run *, const struct farm_conf *, FILE *);

#endif
