/* drivers/prometheus.h - a power meter that is a page of metrics over HTTP, such as dcgm-exporter's.
 *
 * Such a page is old when it comes: dcgm-exporter collects once in 1 to 30 s (--collect-interval), and NVML averages over
 * 1 s on most boards (NVML, nvmlDeviceGetPowerUsage). A reading's at_ms is the earliest time its value may be true of. */
#ifndef DRIVERS_PROMETHEUS_H
#define DRIVERS_PROMETHEUS_H

#include "drivers/meter.h"
#include "drivers/prometheus_codec.h"

struct prometheus_page {                /* strings are lent for the life of the meter */
	struct prometheus_query query;
	const char *path;               /* "/metrics" */
	bool https;
	const char *ca;                 /* file of whom to trust; NULL: whom the system trusts */
	int64_t collected_every_ms;     /* samples without a time of their own may be so old */
	int64_t averaged_over_ms;       /* and all are a mean over this */
};

enum { PROMETHEUS_PAGE_BYTES = 4 << 20 };       /* more is FAULT_GARBLED */

/* "prometheus": host, port, page. A page that is answered with anything but 200 is FAULT_REFUSED, as is a certificate that
 * is not trusted. The name of a host is looked up again after each silence. */
extern const struct meter_driver prometheus_driver;

#endif
