/* drivers/snmp_map.h - where in an SNMP agent the quantities are, and how what it says becomes numbers. Pure. */
#ifndef DRIVERS_SNMP_MAP_H
#define DRIVERS_SNMP_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SNMP_MOST_ARCS = 32 };

struct snmp_oid {
	uint8_t n;                      /* arcs; 0: none */
	uint32_t arcs[SNMP_MOST_ARCS];
};

struct snmp_field {
	struct snmp_oid value;          /* of an instance; with `sum` of a column; none: the device has no such quantity */
	struct snmp_oid digits;         /* tells how many of the value's digits are decimals; none: no digit is */
	struct snmp_oid status;         /* the value holds only while this is good; none: it always holds */
	uint64_t good;                  /* bit i: status i is */
	bool negative_absent;           /* below zero the device says "not available" */
	bool sum;                       /* the rows of a column are added up; digits and status are columns too */
	double scale;                   /* value = raw * 10^-digits * scale, in W, Wh or Hz */
};

struct snmp_map { struct snmp_field power, energy, frequency; };

enum snmp_kind {
	SNMP_ABSENT,                    /* no such object or instance, or of a type that is no number */
	SNMP_END,                       /* of a walk: nothing follows */
	SNMP_WHOLE,
	SNMP_REAL,
};

struct snmp_value {                     /* one variable of an answer */
	struct snmp_oid oid;
	enum snmp_kind kind;
	int64_t whole;
	double real;
};

/* "1.3.6.1.4.1.318", with or without a dot in front; false where it is none, or longer than fits. */
bool snmp_oid_parse(const char *text, struct snmp_oid *);
bool snmp_oid_same(const struct snmp_oid *, const struct snmp_oid *);
/* Where OID is a row of COLUMN: how many arcs of it are its index; else 0. */
unsigned snmp_oid_row_of(const struct snmp_oid *column, const struct snmp_oid *);
int snmp_oid_order(const struct snmp_oid *, const struct snmp_oid *);         /* as agents order them */

/* DIGITS and STATUS count only where the field has them. False where there is no value: absent (never to be taken
 * for zero), or beyond int64_t. *value is in the field's unit times per_unit, as in register_decode. */
bool snmp_decode(const struct snmp_field *, const struct snmp_value *raw, const struct snmp_value *digits,
                 const struct snmp_value *status, int32_t per_unit, int64_t *value);

#endif
