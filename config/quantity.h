/* config/quantity.h - quantities as a person writes them: a number, and its unit beside it. Pure. */
#ifndef CONFIG_QUANTITY_H
#define CONFIG_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

enum quantity {                 /* and the one unit each has inside */
	QUANTITY_POWER,         /* W */
	QUANTITY_RAMP,          /* W/min */
	QUANTITY_DURATION,      /* ms */
	QUANTITY_FREQUENCY,     /* mHz */
	QUANTITY_EFFICIENCY,    /* mJ/TH */
	QUANTITY_PERCENT,       /* hundredths of a per cent */
};

enum quantity_fault {
	QUANTITY_FINE,
	QUANTITY_NO_NUMBER,     /* does not begin with a decimal number */
	QUANTITY_NO_UNIT,       /* a bare number */
	QUANTITY_WRONG_UNIT,
	QUANTITY_TOO_FINE,      /* not zero, but less than half of the unit inside */
	QUANTITY_TOO_LONG,      /* more than 15 digits, or beyond int64_t */
};

/* The value, rounded to the unit inside, is written only when it is fine. Units are case-sensitive: mW is not MW. */
enum quantity_fault quantity_parse(enum quantity, const char *text, int64_t *value);
const char *quantity_name(enum quantity);       /* "a power" */
const char *quantity_units(enum quantity);      /* "W, kW, MW or GW" */
const char *quantity_example(enum quantity);    /* "20 MW" */
/* The unit that a wrong one was probably meant to be, as MW for mw and min for m; NULL: no idea. */
const char *quantity_unit_meant(enum quantity, const char *text);

/* Whole decimal or 0x numbers; no leading zeros, which some take for octal. */
bool integer_parse(const char *text, int64_t *value);
/* Decimal numbers with an optional exponent; finite. */
bool number_parse(const char *text, double *value);

#endif
