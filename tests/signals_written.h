/* tests/signals_written.h - what orders.json would say of signals, for another daemon to take up. */
#ifndef TESTS_SIGNALS_WRITTEN_H
#define TESTS_SIGNALS_WRITTEN_H

#include "daemon/kept.h"
#include "daemon/signals.h"

/* The caller frees it. */
static inline char *signals_written(const struct signals *signals, struct instant now)
{
	struct kept kept = { .seq = 0 };
	struct json json = { 0 };
	signals_keep(signals, now, &kept.orders);
	kept_format(&kept, "x", &json);
	kept_free(&kept);
	return json.text;
}

#endif
