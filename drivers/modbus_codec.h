/* drivers/modbus_codec.h - Modbus TCP on the wire: requests to read registers, frames out of a stream of bytes.
 *
 * Pure: no allocation, no state. MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 (the MBAP header);
 * MODBUS Application Protocol V1.1b3, 6.3, 6.4 (functions 3 and 4) and 7 (exceptions). */
#ifndef DRIVERS_MODBUS_CODEC_H
#define DRIVERS_MODBUS_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "policy/reading.h"

enum {
	MODBUS_REQUEST_BYTES = 12,
	MODBUS_FRAME_BYTES = 260,       /* the longest frame there is */
	MODBUS_MOST_REGISTERS = 125,    /* in one read */
};

struct modbus_read { uint8_t function; uint16_t address, count; };
struct modbus_request { uint16_t transaction; uint8_t unit; struct modbus_read read; };

void modbus_request_encode(const struct modbus_request *, uint8_t bytes[MODBUS_REQUEST_BYTES]);

/* Of the frame that the n bytes begin with: its length once all of it is there, 0 while it is not,
 * -1 as soon as it cannot be one; whoever sent that is out of step for good. */
int modbus_frame_length(const uint8_t *bytes, size_t n);

enum modbus_verdict {
	MODBUS_VALUES,
	MODBUS_EXCEPTION,
	MODBUS_STRAY,                   /* answers another request, late or twice: to be dropped */
	MODBUS_GARBLED,                 /* answers this one, but wrongly */
};
/* What one whole frame is to a request. words: room for MODBUS_MOST_REGISTERS, written with MODBUS_VALUES;
 * *exception with MODBUS_EXCEPTION. A frame of our transaction from another unit is garbled, not a stray: nothing
 * better will follow it, and waiting would only hide a gateway that mixes up its devices. */
enum modbus_verdict modbus_frame_judge(const struct modbus_request *, const uint8_t *frame, size_t length,
                                       uint16_t *words, uint8_t *exception);

/* The gateway's 10 and 11 say that the device behind it is silent. All others are the device's own no; so are 5 and 6,
 * "later": the next poll is the next try. */
enum fault modbus_exception_fault(uint8_t exception);

#endif
