/* drivers/cgminer_scan.h - where a reply of the CGMiner family ends.
 *
 * The protocol has no length field. Firmwares end a reply with a NUL, by closing, or just by having said it all:
 * the first of these counts. Waiting for the NUL alone or for the close alone hangs on one or another of them.
 */
#ifndef DRIVERS_CGMINER_SCAN_H
#define DRIVERS_CGMINER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGMINER_MOST_BYTES (256u * 1024)        /* of a reply; the longest recorded is 29 kB */

enum cgminer_end {
	END_NOT_YET,
	END_VALUE,              /* a JSON object or array is complete */
	END_NUL,
	END_HTTP,               /* a web server lives at this port */
	END_TOO_LONG,
};

struct cgminer_scan {           /* zero to start */
	uint32_t seen, depth;
	bool began, structured;         /* the first byte that is no blank was seen; it was a bracket */
	bool in_string, escaped;
	bool not_http;
};

/* Takes the next n bytes, in pieces of any size. *used: how many of them belong to the reply, its NUL not counted. */
enum cgminer_end cgminer_scan(struct cgminer_scan *, const char *bytes, size_t n, size_t *used);

#endif
