/* Frames by recording: bytes written out by hand from the Modbus specifications, and what must become of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "drivers/modbus_codec.h"

static const struct modbus_request asked = { 0x1501, 0x11, { 4, 52, 2 } };
static const uint8_t answer[] = { 0x15, 0x01, 0, 0, 0, 7, 0x11, 4, 4, 0x49, 0x96, 0xB4, 0x38 };

static void test_a_request(void **state)
{
	(void)state;
	static const uint8_t expected[] = { 0x15, 0x01, 0, 0, 0, 6, 0x11, 3, 0x0B, 0xF3, 0, 0x7D };
	uint8_t bytes[MODBUS_REQUEST_BYTES];
	modbus_request_encode(&(struct modbus_request){ 0x1501, 0x11, { 3, 3059, 125 } }, bytes);
	assert_memory_equal(bytes, expected, sizeof expected);
}

static void test_values(void **state)
{
	(void)state;
	uint16_t words[MODBUS_MOST_REGISTERS];
	uint8_t exception = 99;
	assert_int_equal(modbus_frame_judge(&asked, answer, sizeof answer, words, &exception), MODBUS_VALUES);
	assert_int_equal(words[0], 0x4996);
	assert_int_equal(words[1], 0xB438);
	assert_int_equal(exception, 99);
}

/* Every split of two frames into three pieces: a frame is seen when its last byte is there, and not before. */
static void test_every_split(void **state)
{
	(void)state;
	uint8_t stream[2 * sizeof answer];
	memcpy(stream, answer, sizeof answer);
	memcpy(stream + sizeof answer, answer, sizeof answer);
	for (size_t a = 0; a <= sizeof stream; a++)
		for (size_t b = a; b <= sizeof stream; b++) {
			size_t cuts[] = { a, b, sizeof stream }, taken = 0, frames = 0;
			for (size_t c = 0; c < 3; c++)
				for (int n; (n = modbus_frame_length(stream + taken, cuts[c] - taken)) > 0; frames++) {
					assert_int_equal(n, sizeof answer);
					taken += (size_t)n;
				}
			assert_int_equal(frames, 2);
			assert_int_equal(taken, sizeof stream);
		}
	for (size_t n = 0; n < sizeof answer; n++)
		assert_int_equal(modbus_frame_length(answer, n), 0);
}

static void test_headers_that_cannot_be(void **state)
{
	(void)state;
	static const struct { uint8_t bytes[6]; size_t n; int length; } rows[] = {
		{ { 0, 1, 0, 1 }, 4, -1 },              /* protocol 1; known as soon as it is there */
		{ { 0, 1, 7, 0 }, 4, -1 },
		{ { 0, 1, 7, 0 }, 3, 0 },
		{ { 0, 1, 0, 0, 0, 0 }, 6, -1 },
		{ { 0, 1, 0, 0, 0, 2 }, 6, -1 },
		{ { 0, 1, 0, 0, 0, 2 }, 5, 0 },
		{ { 0, 1, 0, 0, 0, 3 }, 6, 0 },
		{ { 0, 1, 0, 0, 0, 254 }, 6, 0 },
		{ { 0, 1, 0, 0, 0, 255 }, 6, -1 },
		{ { 0, 1, 0, 0, 1, 3 }, 6, -1 },
		{ { 0, 1, 0, 0, 0xFF, 0xFF }, 6, -1 },
		{ "GET / ", 6, -1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(modbus_frame_length(rows[i].bytes, rows[i].n), rows[i].length);
}

static void test_frames_at_the_bounds(void **state)
{
	(void)state;
	uint8_t bytes[MODBUS_FRAME_BYTES] = { 0, 1, 0, 0, 0, 3, 1, 0x83, 2 };
	assert_int_equal(modbus_frame_length(bytes, sizeof bytes), 9);
	bytes[5] = 254;
	assert_int_equal(modbus_frame_length(bytes, sizeof bytes), 260);
	assert_int_equal(modbus_frame_length(bytes, sizeof bytes - 1), 0);
}

static void test_the_longest_read(void **state)
{
	(void)state;
	static const struct modbus_request request = { 7, 1, { 3, 0, 125 } };
	uint8_t frame[259] = { 0, 7, 0, 0, 0, 253, 1, 3, 250 };
	uint16_t words[MODBUS_MOST_REGISTERS];
	uint8_t exception;
	frame[257] = 0xBE;
	frame[258] = 0xEF;
	assert_int_equal(modbus_frame_length(frame, sizeof frame), 259);
	assert_int_equal(modbus_frame_judge(&request, frame, sizeof frame, words, &exception), MODBUS_VALUES);
	assert_int_equal(words[124], 0xBEEF);
	struct modbus_request too_much = { 7, 1, { 3, 0, 126 } };
	frame[8] = 252;
	assert_int_equal(modbus_frame_judge(&too_much, frame, sizeof frame, words, &exception), MODBUS_GARBLED);
}

/* One byte of a good answer changed at a time: nothing but a value may pass for a value. */
static void test_one_byte_wrong(void **state)
{
	(void)state;
	static const enum modbus_verdict verdicts[] = {
		MODBUS_STRAY, MODBUS_STRAY, 0, 0, 0, 0, MODBUS_GARBLED, MODBUS_GARBLED, MODBUS_GARBLED,
	};
	for (size_t at = 0; at < 9; at++) {
		if (at >= 2 && at <= 5)
			continue;               /* modbus_frame_length looks at those */
		for (unsigned flip = 1; flip < 256; flip++) {
			uint8_t frame[sizeof answer];
			uint16_t words[MODBUS_MOST_REGISTERS];
			uint8_t exception;
			memcpy(frame, answer, sizeof answer);
			frame[at] ^= (uint8_t)flip;
			assert_int_equal(modbus_frame_judge(&asked, frame, sizeof frame, words, &exception), verdicts[at]);
		}
	}
}

static void test_length_against_byte_count(void **state)
{
	(void)state;
	uint8_t longer[sizeof answer + 2] = { 0 };
	uint16_t words[MODBUS_MOST_REGISTERS];
	uint8_t exception;
	memcpy(longer, answer, sizeof answer);
	assert_int_equal(modbus_frame_judge(&asked, longer, sizeof longer, words, &exception), MODBUS_GARBLED);
	assert_int_equal(modbus_frame_judge(&asked, answer, sizeof answer - 1, words, &exception), MODBUS_GARBLED);
	assert_int_equal(modbus_frame_judge(&asked, answer, 9, words, &exception), MODBUS_GARBLED);
	assert_int_equal(modbus_frame_judge(&asked, answer, 8, words, &exception), MODBUS_GARBLED);
}

static void test_exceptions(void **state)
{
	(void)state;
	uint8_t frame[] = { 0x15, 0x01, 0, 0, 0, 3, 0x11, 0x84, 2, 0 };
	uint16_t words[MODBUS_MOST_REGISTERS];
	uint8_t exception = 0;
	assert_int_equal(modbus_frame_judge(&asked, frame, 9, words, &exception), MODBUS_EXCEPTION);
	assert_int_equal(exception, 2);
	assert_int_equal(modbus_frame_judge(&asked, frame, 10, words, &exception), MODBUS_GARBLED);
	frame[7] = 0x83;                        /* of another function */
	assert_int_equal(modbus_frame_judge(&asked, frame, 9, words, &exception), MODBUS_GARBLED);
	for (unsigned code = 0; code < 256; code++)
		assert_int_equal(modbus_exception_fault((uint8_t)code), code == 10 || code == 11 ? FAULT_SILENT : FAULT_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_every_split),
		cmocka_unit_test(test_headers_that_cannot_be),
		cmocka_unit_test(test_frames_at_the_bounds),
		cmocka_unit_test(test_the_longest_read),
		cmocka_unit_test(test_one_byte_wrong),
		cmocka_unit_test(test_length_against_byte_count),
		cmocka_unit_test(test_exceptions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
