/* daemon/pem.h - whether a certificate or key is there to be used: libmosquitto says no more than that an argument is wrong. */
#ifndef DAEMON_PEM_H
#define DAEMON_PEM_H

/* NULL: it is; else why not, valid until the next call of strerror. */
const char *pem_fault(const char *file);

#endif
