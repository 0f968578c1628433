#include "drivers/registers.h"

#include <math.h>
#include <string.h>

#define EXACT_IN_DOUBLE 9007199254740992.0      /* 2^53: every whole number up to here has a double of its own */
#define INT64_REACH     9223372036854775808.0   /* 2^63 */

typedef __int128 wide;

static const struct { const char *name; uint8_t width; } types[] = {
	[REGISTER_INT16]   = { "int16",   1 },
	[REGISTER_UINT16]  = { "uint16",  1 },
	[REGISTER_INT32]   = { "int32",   2 },
	[REGISTER_UINT32]  = { "uint32",  2 },
	[REGISTER_INT64]   = { "int64",   4 },
	[REGISTER_UINT64]  = { "uint64",  4 },
	[REGISTER_FLOAT32] = { "float32", 2 },
	[REGISTER_FLOAT64] = { "float64", 4 },
};

enum register_type register_type_named(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].name && !strcmp(types[i].name, name))
			return (enum register_type)i;
	return REGISTER_NONE;
}

const char *register_type_names(void)
{
	return "int16, uint16, int32, uint32, int64, uint64, float32, float64";
}

unsigned register_width(enum register_type type)
{
	return types[type].width;
}

static uint64_t join_words(const struct register_field *field, const uint16_t *words)
{
	unsigned n = register_width(field->type);
	uint64_t bits = 0;
	for (unsigned i = 0; i < n; i++)
		bits = bits << 16 | words[field->low_word_first ? n - 1 - i : i];
	return bits;
}

static bool says_absent(const struct register_field *field, uint64_t bits)
{
	uint64_t ones = UINT64_MAX >> (64 - 16 * register_width(field->type));
	uint64_t largest = ones >> 1;
	return (field->absent & ABSENT_ALL_ONES && bits == ones) ||
	       (field->absent & ABSENT_LARGEST && bits == largest) ||
	       (field->absent & ABSENT_SMALLEST && bits == largest + 1);
}

static enum register_found from_double(double x, int64_t *value)
{
	if (isnan(x))
		return REGISTER_ABSENT;
	if (!(x > -INT64_REACH && x < INT64_REACH))
		return REGISTER_ABSURD;
	*value = llround(x);
	return REGISTER_VALUE;
}

static enum register_found from_wide(wide x, int64_t *value)
{
	if (x < INT64_MIN || x > INT64_MAX)
		return REGISTER_ABSURD;
	*value = (int64_t)x;
	return REGISTER_VALUE;
}

static bool whole(double x)
{
	return fabs(x) <= EXACT_IN_DOUBLE && x == trunc(x);
}

static wide divide_rounded(wide x, wide by)
{
	wide half = (by < 0 ? -by : by) / 2;
	return (x < 0 ? x - half : x + half) / by;
}

static enum register_found scale_integer(wide raw, double factor, int64_t *value)
{
	if (!isfinite(factor))
		return REGISTER_ABSURD;
	if (whole(factor))
		return from_wide(raw * (wide)factor, value);
	if (whole(1 / factor))                  /* 0.1, 0.01: a division keeps a counter of 10^17 exact */
		return from_wide(divide_rounded(raw, (wide)(1 / factor)), value);
	return from_double((double)raw * factor, value);
}

static enum register_found scale_float(double raw, double factor, int64_t *value)
{
	if (isnan(raw))
		return REGISTER_ABSENT;
	if (isinf(raw) || !isfinite(factor))
		return REGISTER_ABSURD;
	return from_double(raw * factor, value);
}

static double as_float32(uint64_t bits)
{
	uint32_t low = (uint32_t)bits;
	float x;
	memcpy(&x, &low, sizeof x);
	return (double)x;
}

static double as_float64(uint64_t bits)
{
	double x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

enum register_found register_decode(const struct register_field *field, const uint16_t *words, int32_t per_unit, int64_t *value)
{
	if (field->type == REGISTER_NONE)
		return REGISTER_ABSENT;
	uint64_t bits = join_words(field, words);
	double factor = field->scale * per_unit;
	if (says_absent(field, bits))
		return REGISTER_ABSENT;
	switch (field->type) {
	case REGISTER_NONE:    break;
	case REGISTER_INT16:   return scale_integer((int16_t)bits, factor, value);
	case REGISTER_INT32:   return scale_integer((int32_t)bits, factor, value);
	case REGISTER_INT64:   return scale_integer((int64_t)bits, factor, value);
	case REGISTER_UINT16:
	case REGISTER_UINT32:
	case REGISTER_UINT64:  return scale_integer((wide)bits, factor, value);
	case REGISTER_FLOAT32: return scale_float(as_float32(bits), factor, value);
	case REGISTER_FLOAT64: return scale_float(as_float64(bits), factor, value);
	}
	return REGISTER_ABSENT;
}
