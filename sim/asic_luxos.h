/* sim/asic_luxos.h - the two halves of simulated LuxOS: reports, and what needs a session. Inside sim/ only. */
#ifndef SIM_ASIC_LUXOS_H
#define SIM_ASIC_LUXOS_H

#include "sim/asic_request.h"

#define LUXOS_VERSION "2025.10.2.120000-5f3a1c0d"

/* payload is what stands between the brackets after key; it is freed. */
void luxos_answer(struct asic_call *, int code, const char *msg, const char *key, struct text *payload);
bool luxos_told_awake(const struct asic_call *);

/* Profiles are 25 MHz apart; the last is the default and the fastest. */
int luxos_profile_mhz(unsigned profile);
/* default, +1, -3, 2800W, 2.8kW, 490MHz; -1: none of them */
int luxos_profile_asked(const struct asic_call *, const char *text);
int32_t luxos_limit_w(const struct asic_call *);        /* this unit's under its profile; 0: as much as it can */

void luxos_version(struct asic_call *);
void luxos_power(struct asic_call *);
void luxos_config(struct asic_call *);
void luxos_summary(struct asic_call *);
void luxos_devs(struct asic_call *);
void luxos_profiles(struct asic_call *);
void luxos_atm(struct asic_call *);

#endif
