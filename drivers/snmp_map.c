#include "drivers/snmp_map.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/registers.h"

enum { MOST_DIGITS = 15 };              /* that a double is sure of */

bool snmp_oid_parse(const char *text, struct snmp_oid *oid)
{
	struct snmp_oid read = { 0 };
	text += *text == '.';
	do {
		char *end;
		if (!isdigit((unsigned char)*text) || read.n == SNMP_MOST_ARCS)
			return false;
		unsigned long long arc = strtoull(text, &end, 10);
		if (arc > UINT32_MAX || (*end && *end != '.'))
			return false;
		read.arcs[read.n++] = (uint32_t)arc;
		text = *end ? end + 1 : end;
		if (*end && !*text)
			return false;
	} while (*text);
	if (read.n < 2 || read.arcs[0] > 2 || (read.arcs[0] < 2 && read.arcs[1] >= 40))
		return false;
	*oid = read;
	return true;
}

bool snmp_oid_same(const struct snmp_oid *a, const struct snmp_oid *b)
{
	return a->n == b->n && !memcmp(a->arcs, b->arcs, a->n * sizeof a->arcs[0]);
}

unsigned snmp_oid_row_of(const struct snmp_oid *column, const struct snmp_oid *oid)
{
	bool under = oid->n > column->n && !memcmp(oid->arcs, column->arcs, column->n * sizeof column->arcs[0]);
	return under ? (unsigned)oid->n - column->n : 0;
}

int snmp_oid_order(const struct snmp_oid *a, const struct snmp_oid *b)
{
	for (unsigned i = 0; i < a->n && i < b->n; i++)
		if (a->arcs[i] != b->arcs[i])
			return a->arcs[i] < b->arcs[i] ? -1 : 1;
	return (a->n > b->n) - (a->n < b->n);
}

static bool is_good(const struct snmp_field *field, const struct snmp_value *status)
{
	return status->kind == SNMP_WHOLE && status->whole >= 0 && status->whole < 64 && field->good >> status->whole & 1;
}

/* 10^-digits; 0 where the device tells no such number. */
static double digits_scale(const struct snmp_value *digits)
{
	if (digits->kind != SNMP_WHOLE || digits->whole < 0 || digits->whole > MOST_DIGITS)
		return 0;
	return 1 / pow(10, (double)digits->whole);
}

/* Registers know how to scale without losing a digit. */
static bool scaled(const struct snmp_value *raw, double scale, int32_t per_unit, int64_t *value)
{
	struct register_field as = { .type = raw->kind == SNMP_REAL ? REGISTER_FLOAT64 : REGISTER_INT64, .scale = scale };
	uint64_t bits = (uint64_t)raw->whole;
	if (raw->kind == SNMP_REAL)
		memcpy(&bits, &raw->real, sizeof bits);
	uint16_t words[] = { (uint16_t)(bits >> 48), (uint16_t)(bits >> 32), (uint16_t)(bits >> 16), (uint16_t)bits };
	return register_decode(&as, words, per_unit, value) == REGISTER_VALUE;
}

bool snmp_decode(const struct snmp_field *field, const struct snmp_value *raw, const struct snmp_value *digits,
                 const struct snmp_value *status, int32_t per_unit, int64_t *value)
{
	double scale = field->digits.n ? field->scale * digits_scale(digits) : field->scale;
	if (raw->kind == SNMP_ABSENT || raw->kind == SNMP_END || scale == 0 || (field->status.n && !is_good(field, status)))
		return false;
	if (field->negative_absent && (raw->kind == SNMP_WHOLE ? raw->whole < 0 : raw->real < 0))
		return false;
	return scaled(raw, scale, per_unit, value);
}
