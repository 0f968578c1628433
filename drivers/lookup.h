/* drivers/lookup.h - the addresses of a name, looked up on libuv's few threads.
 *
 * Where no name server answers that takes half a minute, and what a thread has begun can not be called back: a look-up
 * goes on by itself when nobody waits for it any more. */
#ifndef DRIVERS_LOOKUP_H
#define DRIVERS_LOOKUP_H

#include <uv.h>

struct lookup;
/* The host is copied. on_found comes once, from the loop; found, with the port in each address, is lent for the call,
 * NULL: there are none. NULL: nothing can be looked up. */
struct lookup *lookup_begin(uv_loop_t *, const char *host, uint16_t port, int socktype,
                            void (*on_found)(void *self, const struct addrinfo *found), void *self);
void lookup_forget(struct lookup *);    /* on_found does not come any more; NULL: nothing to forget */

#endif
