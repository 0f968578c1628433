/* daemon/wire_circuits.h - which miner stands on which circuit, as the file tells it. */
#ifndef DAEMON_WIRE_CIRCUITS_H
#define DAEMON_WIRE_CIRCUITS_H

#include "config/config.h"
#include "policy/policy.h"

/* Writes circuit and n_circuits, for the caller to free: NULL where no group tells of any, else those that do not are one
 * each. More than there are numbers for is a fault. */
void wire_circuits(const struct config *, struct policy_conf *, struct fault_list *);

#endif
