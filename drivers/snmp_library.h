/* drivers/snmp_library.h - inside of snmp_link: net-snmp as a whole, and its users and keys. Only for drivers/. */
#ifndef DRIVERS_SNMP_LIBRARY_H
#define DRIVERS_SNMP_LIBRARY_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "drivers/snmp_link.h"

void snmp_library_start(void);          /* what was started already stays as it is */
/* What the session is opened with. All is lent for the call; net-snmp copies. */
void snmp_library_fill(netsnmp_session *, const struct snmp_access *, const struct snmp_keys *);
netsnmp_pdu *snmp_library_probe(void);  /* asks whoever hears it for his engine */
/* The session has learned the agent's engine: makes the user's keys for it. False where they cannot be. */
bool snmp_library_meet(netsnmp_session *);

#endif
