/* sim/units.h - quantities as a person writes them, "400 kW", "+1.5MW", "30s", "5%": whole texts, or false. */
#ifndef SIM_UNITS_H
#define SIM_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool units_watts(const char *text, int64_t *watts);     /* W, kW, MW, GW; a sign is allowed */
bool units_ms(const char *text, int64_t *ms);           /* ms, s, min, h; not negative */
bool units_permille(const char *text, int32_t *permille);       /* %, 0 to 100 */
bool units_count(const char *text, int64_t most, int64_t *count);       /* 0 to most */

#endif
