/* daemon/signal_json.h - what orders, target messages and notices say: pure, from bytes, and strict (contract, section 4).
 *
 * A message is one JSON object of at most 64 KiB, valid UTF-8, nested at most 16 deep, exact in its grammar. Members
 * not known are ignored; members known must be there once, of the right type, finite and in range. */
#ifndef DAEMON_SIGNAL_JSON_H
#define DAEMON_SIGNAL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/notices.h"

#define SIGNAL_MOST_BYTES 65536
#define SIGNAL_MOST_DEPTH 16

struct signal_fault {
	char why[160];                  /* one sentence for a person */
	char id[ORDER_ID_SIZE];         /* of the order, if it could be read; else empty */
};

struct target_message { int32_t share_ppm; int64_t at_ms; };    /* of miner power; when it was sent, UTC */

/* True, or false with *fault filled. Results are written only on success; signal is left to the caller.
 * Fractions of a watt are cut off. */
bool signal_order_parse(const char *text, size_t len, struct order *, struct signal_fault *);
bool signal_target_parse(const char *text, size_t len, struct target_message *, struct signal_fault *);
/* at_ms is UTC; it may be missing where delta_w is 0, which withdraws. */
bool signal_notice_parse(const char *text, size_t len, struct notice *, struct signal_fault *);

bool signal_is_id(const char *text);    /* 1 to 64 of the signs an id, and so a topic, may have */

/* RFC 3339, years 1970 to 9999, any offset, fractions to the ms (further digits are cut off). */
bool rfc3339_parse(const char *text, int64_t *utc_ms);

#endif
