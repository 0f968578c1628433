/* Whatever a page says and however it is cut: the same answer, and never a sum beyond what can be. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/prometheus_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fault read_page(const struct prometheus_query *query, bool openmetrics, const uint8_t *data, size_t size, size_t piece,
                            int64_t *watts)
{
	struct prometheus_scan scan;
	prometheus_begin(&scan, query, openmetrics);
	for (size_t at = 0; at < size; at += piece) {
		size_t n = piece < size - at ? piece : size - at;
		char *exact = malloc(n);        /* so that a byte too far is seen */
		memcpy(exact, data + at, n);
		prometheus_take(&scan, exact, n);
		free(exact);
	}
	return prometheus_end(&scan, 20000000, watts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct prometheus_query query = { .metric = "p", .labels = { { "a", "b" }, { "c", "" }, { "d", "\"\\\n" } },
	                                  .n_labels = data[0] & 3, .expect = 1 + (data[0] >> 3 & 1), .scale = data[0] & 16 ? 1e-3 : 1e3 };
	int64_t whole_w = 0, pieces_w = 0;
	enum fault whole = read_page(&query, data[0] & 4, data + 2, size - 2, size, &whole_w);
	enum fault pieces = read_page(&query, data[0] & 4, data + 2, size - 2, 1 + data[1], &pieces_w);
	if (whole != pieces || whole_w != pieces_w || whole_w > 20000000 || whole_w < -20000000)
		abort();
	if (whole != FAULT_NONE && whole != FAULT_GARBLED && whole != FAULT_ABSURD)
		abort();
	return 0;
}
