#include "drivers/snmp_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>
#include <net-snmp/library/lcd_time.h>

#include "drivers/snmp_library.h"

struct snmp_link {
	void *handle;                   /* net-snmp's */
	bool ready;
	uintptr_t last_probe;           /* its tag */
	struct snmp_heard *heard;       /* while reading */
};

static int on_event(int operation, netsnmp_session *net, int id, netsnmp_pdu *pdu, void *tag);

/* A connected socket takes datagrams from the agent alone. */
static bool connect_to(int fd, const char *address, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return false;
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return connect(fd, (struct sockaddr *)&v4, sizeof v4) == 0;
	return inet_pton(AF_INET6, address, &v6.sin6_addr) == 1 && connect(fd, (struct sockaddr *)&v6, sizeof v6) == 0;
}

struct snmp_link *snmp_link_open(const char *address, uint16_t port, const struct snmp_access *access,
                                       const struct snmp_keys *keys)
{
	char peer[96];
	netsnmp_session net;
	snmp_library_start();
	snmp_sess_init(&net);
	snprintf(peer, sizeof peer, strchr(address, ':') ? "udp6:[%s]:%u" : "udp:%s:%u", address, (unsigned)port);
	net.peername = peer;
	net.retries = 0;                /* one poll decides itself when to ask again */
	net.flags |= SNMP_FLAGS_DONT_PROBE;     /* that would wait for the answer */
	snmp_library_fill(&net, access, keys);
	struct snmp_link *self = calloc(1, sizeof *self);
	if (!self)
		abort();
	*self = (struct snmp_link){ .handle = snmp_sess_open(&net), .ready = !access->v3 };
	if (self->handle && connect_to(snmp_link_fd(self), address, port)) {
		snmp_sess_session(self->handle)->myvoid = self;
		snmp_sess_session(self->handle)->flags |= SNMP_FLAGS_DONT_PROBE;        /* opening took it off */
		return self;
	}
	int error = errno;
	snmp_link_close(self);
	errno = error;
	return NULL;
}

void snmp_link_close(struct snmp_link *self)
{
	if (self->handle)
		snmp_sess_close(self->handle);
	free(self);
}

int snmp_link_fd(const struct snmp_link *self)
{
	return snmp_sess_transport(self->handle)->sock;
}

bool snmp_link_ready(const struct snmp_link *self)
{
	return self->ready;
}

static void add_oid(netsnmp_pdu *pdu, const struct snmp_oid *asked)
{
	oid arcs[SNMP_MOST_ARCS];
	for (unsigned i = 0; i < asked->n; i++)
		arcs[i] = asked->arcs[i];
	snmp_add_null_var(pdu, arcs, asked->n);
}

static netsnmp_pdu *pdu_of(const struct snmp_ask *ask)
{
	netsnmp_pdu *pdu = snmp_pdu_create(ask->walk ? SNMP_MSG_GETBULK : SNMP_MSG_GET);
	if (!pdu)
		abort();
	if (ask->walk) {
		pdu->non_repeaters = 0;
		pdu->max_repetitions = ask->rows;
	}
	for (unsigned i = 0; i < ask->n; i++)
		add_oid(pdu, &ask->oids[i]);
	return pdu;
}

/* The agent at this address may be another than it was: its engine has to be found out anew, and its clock: one that was
 * reset counts from the beginning again. */
static void forget_engine(struct snmp_link *self, netsnmp_session *net)
{
	if (net->securityEngineIDLen)
		set_enginetime(net->securityEngineID, (u_int)net->securityEngineIDLen, 0, 0, TRUE);
	SNMP_FREE(net->securityEngineID);
	SNMP_FREE(net->contextEngineID);
	net->securityEngineIDLen = net->contextEngineIDLen = 0;
	self->ready = false;
}

void snmp_link_send(struct snmp_link *self, const struct snmp_ask *ask, uintptr_t tag, int64_t wait_ms)
{
	netsnmp_pdu *pdu = self->ready ? pdu_of(ask) : snmp_library_probe();
	if (!self->ready)
		self->last_probe = tag;
	snmp_sess_session(self->handle)->timeout = (long)(wait_ms > 0 ? wait_ms : 1) * 1000;
	if (!snmp_sess_async_send(self->handle, pdu, on_event, (void *)tag))
		snmp_free_pdu(pdu);
}

void snmp_link_expire(struct snmp_link *self)
{
	snmp_sess_timeout(self->handle);
}

/* ---- what is heard ---- */

static struct snmp_value value_of(const netsnmp_variable_list *var)
{
	struct snmp_value value = { .kind = SNMP_ABSENT };
	value.oid.n = var->name_length <= SNMP_MOST_ARCS ? (uint8_t)var->name_length : 0;       /* longer was never asked */
	for (unsigned i = 0; i < value.oid.n; i++)
		value.oid.arcs[i] = (uint32_t)var->name[i];
	switch (var->type) {
	case ASN_INTEGER:
		value.kind = SNMP_WHOLE;
		value.whole = *var->val.integer;
		break;
	case ASN_GAUGE:
	case ASN_COUNTER:
		value.kind = SNMP_WHOLE;
		value.whole = (int64_t)(uint32_t)*var->val.integer;
		break;
	case ASN_COUNTER64:
	case ASN_OPAQUE_U64:
	case ASN_OPAQUE_COUNTER64:
		value.kind = var->val.counter64->high >> 31 & 1 ? SNMP_ABSENT : SNMP_WHOLE;     /* no device counted so far */
		value.whole = (int64_t)((uint64_t)(uint32_t)var->val.counter64->high << 32 | (uint32_t)var->val.counter64->low);
		break;
	case ASN_OPAQUE_FLOAT:
		value.kind = SNMP_REAL;
		value.real = (double)*var->val.floatVal;
		break;
	case ASN_OPAQUE_DOUBLE:
		value.kind = SNMP_REAL;
		value.real = *var->val.doubleVal;
		break;
	case SNMP_ENDOFMIBVIEW:
		value.kind = SNMP_END;
		break;
	}
	return value;
}

static void take_values(struct snmp_heard *heard, const netsnmp_pdu *pdu)
{
	heard->event = pdu->errstat == SNMP_ERR_NOERROR ? SNMP_VALUES : SNMP_NO;
	for (const netsnmp_variable_list *var = pdu->variables; var && heard->n < SNMP_MOST_VALUES; var = var->next_variable)
		heard->values[heard->n++] = value_of(var);
}

/* Ours is out of step with the clock of the engine: net-snmp has set it and asks again, once. */
static bool asks_again(netsnmp_pdu *pdu)
{
	return snmpv3_get_report_type(pdu) == SNMPERR_NOT_IN_TIME_WINDOW;
}

static void take_report(struct snmp_link *self, netsnmp_session *net, netsnmp_pdu *pdu)
{
	if (snmpv3_get_report_type(pdu) == SNMPERR_UNKNOWN_ENG_ID) {
		if (self->ready && self->heard->tag <= self->last_probe)
			return;                         /* two probes were answered; one will do */
		if (self->ready)
			forget_engine(self, net);
		self->heard->event = SNMP_ENGINE;
	} else if (!asks_again(pdu)) {
		self->heard->event = SNMP_NO;
	}
}

/* Called by net-snmp while it reads, sends, or forgets; only while it reads there is something to hear. */
static int on_event(int operation, netsnmp_session *net, int id, netsnmp_pdu *pdu, void *tag)
{
	struct snmp_link *self = net->myvoid;
	(void)id;
	if (!self->heard)
		return 1;
	self->heard->tag = (uintptr_t)tag;
	if (operation == NETSNMP_CALLBACK_OP_SEC_ERROR && asks_again(pdu))
		self->heard->event = SNMP_NOISE;        /* it has been asked again already: we never agree on its clock */
	else if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu->command == SNMP_MSG_REPORT)
		take_report(self, net, pdu);
	else if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE)
		take_values(self->heard, pdu);
	return 1;
}

static void read_one(struct snmp_link *self)
{
	netsnmp_large_fd_set set;               /* an fd_set alone ends at 1,023 */
	int fd = snmp_link_fd(self);
	netsnmp_large_fd_set_init(&set, fd + 1);
	NETSNMP_LARGE_FD_SET(fd, &set);
	bool bad = snmp_sess_read2(self->handle, &set) != 0;
	netsnmp_large_fd_set_cleanup(&set);
	if (bad)
		self->heard->event = snmp_sess_session(self->handle)->s_snmp_errno == SNMPERR_BAD_RECVFROM ? SNMP_EMPTY : SNMP_NOISE;
}

enum snmp_event snmp_link_read(struct snmp_link *self, struct snmp_heard *heard)
{
	heard->event = SNMP_STRAY;
	heard->n = 0;
	self->heard = heard;
	read_one(self);
	self->heard = NULL;
	netsnmp_session *net = snmp_sess_session(self->handle);
	/* The report of an engine that it is another comes in the name of a user that we do not know there. */
	if (heard->event == SNMP_NOISE && net->version == SNMP_VERSION_3)
		forget_engine(self, net);
	if (heard->event == SNMP_ENGINE && net->securityEngineIDLen)
		self->ready = snmp_library_meet(net);
	return heard->event;
}
