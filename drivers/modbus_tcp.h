/* drivers/modbus_tcp.h - a connection to a Modbus TCP device or gateway, on the loop.
 *
 * There is one for each host and port; the devices behind it share it and it stays open. It is opened when somebody
 * asks. An answer nobody waits for is dropped; an exception keeps the connection; a request that got no answer in time
 * and anything out of step end it, and the next is made at once, unless as many attempts in a row have failed as
 * there are devices behind it: then after 100 ms, doubling up to ten timeouts and at most 30 s, give or take a quarter. */
#ifndef DRIVERS_MODBUS_TCP_H
#define DRIVERS_MODBUS_TCP_H

#include "drivers/meter.h"
#include "drivers/modbus_link.h"

/* host is copied. The connection closes itself when its last client has left. */
void modbus_tcp_join(struct meter_room *, const char *host, uint16_t port, struct modbus_client *);

#endif
