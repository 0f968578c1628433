#include "drivers/modbus_codec.h"

enum {
	PREFIX_BYTES = 6,               /* transaction, protocol, length */
	SHORTEST_BODY = 3,              /* unit, function, one byte more */
	LONGEST_BODY = MODBUS_FRAME_BYTES - PREFIX_BYTES,
	FAILED = 0x80,                  /* set in the function of an exception */
	EXCEPTION_BODY = 3,
	EXCEPTION_GATEWAY_PATH = 10,
	EXCEPTION_GATEWAY_TARGET = 11,
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t x)
{
	p[0] = (uint8_t)(x >> 8);
	p[1] = (uint8_t)x;
}

void modbus_request_encode(const struct modbus_request *request, uint8_t bytes[MODBUS_REQUEST_BYTES])
{
	put16(bytes, request->transaction);
	put16(bytes + 2, 0);
	put16(bytes + 4, MODBUS_REQUEST_BYTES - PREFIX_BYTES);
	bytes[6] = request->unit;
	bytes[7] = request->read.function;
	put16(bytes + 8, request->read.address);
	put16(bytes + 10, request->read.count);
}

int modbus_frame_length(const uint8_t *bytes, size_t n)
{
	if (n >= 4 && get16(bytes + 2) != 0)
		return -1;
	if (n < PREFIX_BYTES)
		return 0;
	uint16_t body = get16(bytes + 4);
	if (body < SHORTEST_BODY || body > LONGEST_BODY)
		return -1;
	return n < (size_t)PREFIX_BYTES + body ? 0 : PREFIX_BYTES + body;
}

static enum modbus_verdict take_words(const struct modbus_read *read, const uint8_t *body, size_t length, uint16_t *words)
{
	if (read->count > MODBUS_MOST_REGISTERS || body[2] != 2 * read->count || length != (size_t)3 + body[2])
		return MODBUS_GARBLED;
	for (unsigned i = 0; i < read->count; i++)
		words[i] = get16(body + 3 + 2 * i);
	return MODBUS_VALUES;
}

enum modbus_verdict modbus_frame_judge(const struct modbus_request *request, const uint8_t *frame, size_t length,
                                       uint16_t *words, uint8_t *exception)
{
	if (length < PREFIX_BYTES + SHORTEST_BODY)
		return MODBUS_GARBLED;
	if (get16(frame) != request->transaction)
		return MODBUS_STRAY;
	const uint8_t *body = frame + PREFIX_BYTES;
	size_t n = length - PREFIX_BYTES;
	if (body[0] != request->unit)
		return MODBUS_GARBLED;
	if (body[1] == request->read.function)
		return take_words(&request->read, body, n, words);
	if (body[1] != (request->read.function | FAILED) || n != EXCEPTION_BODY)
		return MODBUS_GARBLED;
	*exception = body[2];
	return MODBUS_EXCEPTION;
}

enum fault modbus_exception_fault(uint8_t exception)
{
	if (exception == EXCEPTION_GATEWAY_PATH || exception == EXCEPTION_GATEWAY_TARGET)
		return FAULT_SILENT;
	return FAULT_REFUSED;
}
