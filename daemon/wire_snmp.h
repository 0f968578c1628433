/* daemon/wire_snmp.h - inside of wire: what SNMP meters of one group are opened with. */
#ifndef DAEMON_WIRE_SNMP_H
#define DAEMON_WIRE_SNMP_H

#include "config/config.h"
#include "drivers/snmp_link.h"

struct wired_snmp {
	struct snmp_map map;
	struct snmp_access access;
	char *community, *auth_secret, *privacy_secret;         /* read from files; NULL: none */
};

/* Of a group that does not speak SNMP nothing is taken. */
void wire_snmp(struct wired_snmp *, const struct meter_group_conf *, struct fault_list *);
void wired_snmp_free(struct wired_snmp *);

#endif
