/* daemon/tls_name.h - TLS over a connection made to an address, with the broker known by its name.
 *
 * libmosquitto asks for the certificate of what it was told to connect to, and checks it against that: told a name, it looks
 * that up itself and only ever takes the first of its addresses. So it is told an address, and OpenSSL the name. */
#ifndef DAEMON_TLS_NAME_H
#define DAEMON_TLS_NAME_H

#include <mosquitto.h>
#include <stdbool.h>

struct tls_files { const char *ca, *cert, *key; };      /* PEM; the last two may be NULL */
struct ssl_ctx_st;

/* Before the first connection; name is lent for as long as mosq lives, and what it returns lives as long. */
struct ssl_ctx_st *tls_name_set(struct mosquitto *mosq, const char *name);
/* Before each, in place of mosquitto_tls_set. False: one of the files cannot be used. */
bool tls_name_load(struct ssl_ctx_st *, const struct tls_files *);

#endif
