/* drivers/registers.h - where in a Modbus device the quantities are, and how registers become numbers. */
#ifndef DRIVERS_REGISTERS_H
#define DRIVERS_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum register_type {
	REGISTER_NONE,          /* the device has no such quantity */
	REGISTER_INT16, REGISTER_UINT16,
	REGISTER_INT32, REGISTER_UINT32,
	REGISTER_INT64, REGISTER_UINT64,
	REGISTER_FLOAT32, REGISTER_FLOAT64,
};

/* Bit patterns by which a device says "not available", beyond NaN, which always does. */
enum register_absent {
	ABSENT_NONE     = 0,
	ABSENT_ALL_ONES = 1,    /* 0xFFFF… */
	ABSENT_LARGEST  = 2,    /* 0x7FFF… */
	ABSENT_SMALLEST = 4,    /* 0x8000… */
};

struct register_field {
	enum register_type type;
	uint8_t function;       /* 3 holding, 4 input */
	uint16_t address;       /* 0-based, as on the wire */
	bool low_word_first;    /* CDAB; bytes in a register are always big endian */
	uint8_t absent;         /* enum register_absent, or-ed */
	double scale;           /* value = raw * scale, in W, Wh or Hz */
};

struct register_map {
	struct register_field power, energy, frequency;
	uint16_t max_read;      /* most registers in one request; 0: 125 */
	bool no_gaps;           /* reads must not cross registers that are not mapped here */
};

enum register_type register_type_named(const char *name);       /* "float32", …; REGISTER_NONE if unknown */
const char *register_type_names(void);                          /* for messages */
unsigned register_width(enum register_type);                    /* in registers: 1, 2 or 4 */

enum register_found {
	REGISTER_VALUE,
	REGISTER_ABSENT,        /* the device says "not available": never to be taken for zero */
	REGISTER_ABSURD,        /* infinite, or beyond what int64_t holds once scaled */
};
/* words: register_width() of them in wire order, each as a number. *value is raw * scale * per_unit, rounded half
 * away from zero, and is written only with REGISTER_VALUE; per_unit 1 for W and Wh, 1000 for mHz from Hz.
 * Integers stay exact where scale * per_unit, or its inverse, is a whole number. */
enum register_found register_decode(const struct register_field *, const uint16_t *words, int32_t per_unit, int64_t *value);

#endif
