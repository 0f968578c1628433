/* drivers/prometheus_codec.h - the sum of a metric's samples out of a page of metrics, as the page streams in. Pure.
 *
 * Text format 0.0.4 (prometheus.io, "Exposition formats") and OpenMetrics 1.0, whose timestamps are in seconds and whose
 * page ends with "# EOF". Only lines of the metric are understood; what others say does not matter. */
#ifndef DRIVERS_PROMETHEUS_CODEC_H
#define DRIVERS_PROMETHEUS_CODEC_H

#include <stddef.h>

#include "policy/reading.h"

enum { PROMETHEUS_MOST_LABELS = 16, PROMETHEUS_LINE_BYTES = 4096 };

struct prometheus_label {
	const char *name, *value;       /* value empty: of samples without that label */
};

struct prometheus_query {               /* strings are lent */
	const char *metric;             /* "DCGM_FI_DEV_POWER_USAGE" */
	struct prometheus_label labels[PROMETHEUS_MOST_LABELS]; /* all must match; others do not matter */
	size_t n_labels;
	uint32_t expect;                /* samples that must match: fewer would pass as less load, more as a doubled one */
	double scale;                   /* W = sample times scale */
};

struct prometheus_scan {                /* a page being read */
	const struct prometheus_query *query;
	bool openmetrics;
	bool garbled, absurd;           /* a line of the metric that does not parse; a sample that is no number */
	bool ended;                     /* "# EOF" was seen */
	bool skipping;                  /* to the end of a line that is too long to keep */
	uint32_t samples, timed;        /* that matched; of them, with a time of their own */
	double sum;
	double oldest_utc_ms;           /* of those timed */
	size_t n;
	char line[PROMETHEUS_LINE_BYTES];       /* the beginning of a line whose end has not come yet */
};

void prometheus_begin(struct prometheus_scan *, const struct prometheus_query *, bool openmetrics);
void prometheus_take(struct prometheus_scan *, const char *bytes, size_t n);
/* FAULT_NONE and the watts; FAULT_GARBLED: does not parse, or is cut off; FAULT_ABSURD: not the samples expected, one is no
 * number, or the sum is beyond most_w (0: no bound). */
enum fault prometheus_end(struct prometheus_scan *, int64_t most_w, int64_t *watts);

#endif
