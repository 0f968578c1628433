#include "sim/snmp_agent.h"

#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/snmp_impl.h>
#include <stdlib.h>
#include <string.h>

#include "sim/dice.h"

enum { MOST_BYTES = 4096, MOST_VARIABLES = 64, MOST_LATE = 16, LATE_MS = 3000 };

struct snmp_socket {
	uv_udp_t udp;
	struct snmp_agent *agent;
	char heard[MOST_BYTES];
};

struct snmp_late {
	struct snmp_late *next;
	uint64_t due_ms;
	struct sockaddr_in to;
	size_t n;
	uint8_t bytes[];
};

static void *zeroed(size_t size)
{
	void *p = calloc(1, size);
	if (!p)
		abort();
	return p;
}

/* ---- what the objects say ---- */

/* The object of that name, or the first one after it; NULL: none. */
static const struct snmp_object *find(const struct snmp_make *make, const oid *name, size_t n, bool after)
{
	for (size_t i = 0; i < make->n; i++) {
		const struct snmp_object *object = &make->objects[i];
		int order = snmp_oid_compare(object->name, object->n, name, n);
		if (after ? order > 0 : order == 0)
			return object;
	}
	return NULL;
}

static void add_nothing(netsnmp_pdu *reply, const oid *name, size_t n, u_char why)
{
	snmp_pdu_add_variable(reply, name, n, why, NULL, 0);
}

static void add_object(struct snmp_agent *agent, netsnmp_pdu *reply, const struct snmp_object *object)
{
	if (agent->fault == AGENT_ABSENT) {
		add_nothing(reply, object->name, object->n, SNMP_NOSUCHINSTANCE);
	} else if (object->type == ASN_OCTET_STR) {
		snmp_pdu_add_variable(reply, object->name, object->n, object->type, object->text, strlen(object->text));
	} else {
		long value = agent->read(agent, object);
		snmp_pdu_add_variable(reply, object->name, object->n, object->type, &value, sizeof value);
	}
}

/* ---- operations ---- */

static void get(struct snmp_agent *agent, const netsnmp_pdu *request, netsnmp_pdu *reply)
{
	for (const netsnmp_variable_list *var = request->variables; var; var = var->next_variable) {
		const struct snmp_object *object = find(agent->make, var->name, var->name_length, false);
		if (object)
			add_object(agent, reply, object);
		else
			add_nothing(reply, var->name, var->name_length, SNMP_NOSUCHOBJECT);
	}
}

/* Moves the name on; false at the end of all objects. */
static bool add_next(struct snmp_agent *agent, netsnmp_pdu *reply, const oid **name, size_t *n)
{
	const struct snmp_object *object = find(agent->make, *name, *n, true);
	if (!object) {
		add_nothing(reply, *name, *n, SNMP_ENDOFMIBVIEW);
		return false;
	}
	add_object(agent, reply, object);
	*name = object->name;
	*n = object->n;
	return true;
}

/* RFC 3416, 4.2.3: the first variables once, the others as rows until all have come to their end. GETNEXT is the
 * case of no others. */
static void get_bulk(struct snmp_agent *agent, const netsnmp_pdu *request, netsnmp_pdu *reply, long once, long rows)
{
	struct { const oid *name; size_t n; } at[MOST_VARIABLES];
	size_t n_at = 0, n_said = 0;
	for (const netsnmp_variable_list *var = request->variables; var; var = var->next_variable) {
		const oid *name = var->name;
		size_t n = var->name_length;
		if (once-- > 0) {
			add_next(agent, reply, &name, &n);
			n_said++;
		} else {
			at[n_at].name = name;
			at[n_at++].n = n;
		}
	}
	bool more = n_at > 0;
	for (long row = 0; row < rows && more && n_said + n_at <= MOST_VARIABLES; row++) {
		more = false;
		for (size_t i = 0; i < n_at; i++, n_said++)
			more |= add_next(agent, reply, &at[i].name, &at[i].n);
	}
}

static void fail(netsnmp_pdu *reply, const netsnmp_pdu *request, long error)
{
	reply->errstat = error;
	reply->errindex = request->variables && error != SNMP_ERR_TOOBIG;
	if (error != SNMP_ERR_TOOBIG)
		reply->variables = snmp_clone_varbind(request->variables);
}

static size_t count(const netsnmp_variable_list *var)
{
	size_t n = 0;
	for (; var; var = var->next_variable)
		n++;
	return n;
}

/* NULL: no answer is due. */
static netsnmp_pdu *answer(struct snmp_agent *agent, const netsnmp_pdu *request)
{
	netsnmp_pdu *reply = snmp_pdu_create(SNMP_MSG_RESPONSE);
	if (!reply)
		abort();
	reply->version = SNMP_VERSION_2c;
	reply->reqid = request->reqid;
	reply->errstat = reply->errindex = 0;
	if (agent->fault == AGENT_ERROR)
		fail(reply, request, SNMP_ERR_GENERR);
	else if (count(request->variables) > MOST_VARIABLES)
		fail(reply, request, SNMP_ERR_TOOBIG);
	else if (request->command == SNMP_MSG_GET)
		get(agent, request, reply);
	else if (request->command == SNMP_MSG_GETNEXT)
		get_bulk(agent, request, reply, MOST_VARIABLES, 0);
	else if (request->command == SNMP_MSG_GETBULK)
		get_bulk(agent, request, reply, request->non_repeaters, request->max_repetitions);
	else if (request->command == SNMP_MSG_SET)
		fail(reply, request, SNMP_ERR_NOTWRITABLE);
	else
		snmp_free_pdu(reply), reply = NULL;
	return reply;
}

/* ---- bytes ---- */

static netsnmp_pdu *parse(const struct snmp_agent *agent, char *bytes, size_t n)
{
	u_char community[64];
	size_t length = sizeof community;
	long version;
	u_char *at = snmp_comstr_parse((u_char *)bytes, &n, community, &length, &version);
	if (!at || version != SNMP_VERSION_2c || length != strlen(agent->community) ||
	    memcmp(community, agent->community, length) != 0)
		return NULL;
	netsnmp_pdu *request = zeroed(sizeof *request);
	request->version = version;
	if (snmp_pdu_parse(request, at, &n) == 0)
		return request;
	snmp_free_pdu(request);
	return NULL;
}

/* How many bytes the message is; 0: more than there is room for. */
static size_t build(const struct snmp_agent *agent, netsnmp_pdu *pdu, uint8_t bytes[MOST_BYTES])
{
	char community[64];
	size_t room = MOST_BYTES, header = MOST_BYTES, length;
	long version = SNMP_VERSION_2c;
	snprintf(community, sizeof community, "%s", agent->fault == AGENT_WRONG_COMMUNITY ? "other" : agent->community);
	length = strlen(community);
	u_char *at = snmp_comstr_build(bytes, &room, (u_char *)community, &length, &version, 0);
	if (at)
		at = snmp_pdu_build(pdu, at, &room);
	if (!at)
		return 0;
	size_t n = (size_t)(at - bytes);        /* the length in front is four bytes, whatever it says */
	asn_build_sequence(bytes, &header, (u_char)(ASN_SEQUENCE | ASN_CONSTRUCTOR), n - 4);
	return n;
}

/* ---- sending ---- */

static void send_bytes(struct snmp_agent *agent, const struct sockaddr_in *to, const uint8_t *bytes, size_t n)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)n);
	if (agent->socket)
		uv_udp_try_send(&agent->socket->udp, &buf, 1, (const struct sockaddr *)to);     /* UDP: it may be lost */
}

static void send_garbage(struct snmp_agent *agent, const struct sockaddr_in *to)
{
	uint8_t bytes[40];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)dice(agent->requests, i, 0);
	send_bytes(agent, to, bytes, sizeof bytes);
}

static void on_late(uv_timer_t *timer)
{
	struct snmp_agent *agent = timer->data;
	uint64_t now_ms = uv_now(agent->loop);
	while (agent->late && agent->late->due_ms <= now_ms) {
		struct snmp_late *late = agent->late;
		agent->late = late->next;
		send_bytes(agent, &late->to, late->bytes, late->n);
		free(late);
	}
	if (agent->late)
		uv_timer_start(timer, on_late, agent->late->due_ms - now_ms, 0);
}

static void send_late(struct snmp_agent *agent, const struct sockaddr_in *to, const uint8_t *bytes, size_t n)
{
	struct snmp_late **end = &agent->late;
	size_t waiting = 0;
	for (; *end; end = &(*end)->next)
		waiting++;
	if (waiting >= MOST_LATE)
		return;
	*end = zeroed(sizeof **end + n);
	**end = (struct snmp_late){ .due_ms = uv_now(agent->loop) + LATE_MS, .to = *to, .n = n };
	memcpy((*end)->bytes, bytes, n);
	if (!waiting)
		uv_timer_start(&agent->timer, on_late, LATE_MS, 0);
}

static void send_reply(struct snmp_agent *agent, const struct sockaddr_in *to, uint8_t *bytes, size_t n)
{
	switch (agent->fault) {
	case AGENT_SOUND:
	case AGENT_WRONG_ID:
	case AGENT_WRONG_COMMUNITY:
	case AGENT_ERROR:
	case AGENT_FROZEN:
	case AGENT_ABSURD:
	case AGENT_ABSENT:
		break;
	case AGENT_SILENT:
	case AGENT_REFUSING:
	case N_AGENT_FAULTS:
		return;
	case AGENT_GARBAGE:
		send_garbage(agent, to);
		return;
	case AGENT_WRONG_LENGTH:
		bytes[2]++;
		break;
	case AGENT_CUT:
		n /= 2;
		break;
	case AGENT_DUPLICATING:
		send_bytes(agent, to, bytes, n);
		break;
	case AGENT_LATE:
		send_late(agent, to, bytes, n);
		return;
	}
	send_bytes(agent, to, bytes, n);
}

static void respond(struct snmp_agent *agent, const struct sockaddr_in *to, const netsnmp_pdu *request)
{
	uint8_t bytes[MOST_BYTES];
	netsnmp_pdu *reply = answer(agent, request);
	if (!reply)
		return;
	if (agent->fault == AGENT_WRONG_ID)
		reply->reqid ^= 0x1234;
	size_t n = build(agent, reply, bytes);
	if (n)
		send_reply(agent, to, bytes, n);
	snmp_free_pdu(reply);
}

/* ---- the socket ---- */

static void lend(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct snmp_socket *sock = handle->data;
	(void)size;
	*buf = uv_buf_init(sock->heard, sizeof sock->heard);
}

static void heard(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct snmp_agent *agent = ((struct snmp_socket *)udp->data)->agent;
	if (n <= 0 || !from || from->sa_family != AF_INET || flags & UV_UDP_PARTIAL)
		return;
	agent->requests++;
	netsnmp_pdu *request = parse(agent, buf->base, (size_t)n);
	if (!request)
		return;
	respond(agent, (const struct sockaddr_in *)(const void *)from, request);
	snmp_free_pdu(request);
}

static void handle_gone(struct snmp_agent *agent)
{
	if (--agent->open_handles == 0)
		agent->on_closed(agent);
}

static void socket_gone(uv_handle_t *handle)
{
	struct snmp_socket *sock = handle->data;
	struct snmp_agent *agent = sock->agent;
	free(sock);
	handle_gone(agent);
}

static void timer_gone(uv_handle_t *handle)
{
	handle_gone(handle->data);
}

static void close_socket(struct snmp_agent *agent)
{
	if (agent->socket)
		uv_close((uv_handle_t *)&agent->socket->udp, socket_gone);
	agent->socket = NULL;
}

static int open_socket(struct snmp_agent *agent)
{
	struct sockaddr_in address;
	int err = uv_ip4_addr(agent->host, agent->port, &address);
	if (err || agent->socket)
		return err;
	agent->socket = zeroed(sizeof *agent->socket);
	agent->socket->agent = agent;
	agent->socket->udp.data = agent->socket;
	uv_udp_init(agent->loop, &agent->socket->udp);
	agent->open_handles++;
	err = uv_udp_bind(&agent->socket->udp, (const struct sockaddr *)&address, 0);
	if (!err)
		err = uv_udp_recv_start(&agent->socket->udp, lend, heard);
	if (err)
		close_socket(agent);
	return err;
}

int snmp_agent_start(struct snmp_agent *agent, uv_loop_t *loop, uint16_t port)
{
	agent->loop = loop;
	agent->port = port;
	agent->open_handles = 1;
	uv_timer_init(loop, &agent->timer);
	agent->timer.data = agent;
	return agent->fault == AGENT_REFUSING ? 0 : open_socket(agent);
}

void snmp_agent_set_fault(struct snmp_agent *agent, enum agent_fault fault)
{
	agent->fault = fault;
	if (fault == AGENT_REFUSING)
		close_socket(agent);
	else
		open_socket(agent);
}

void snmp_agent_close(struct snmp_agent *agent)
{
	for (struct snmp_late *late; (late = agent->late);) {
		agent->late = late->next;
		free(late);
	}
	close_socket(agent);
	uv_close((uv_handle_t *)&agent->timer, timer_gone);
}
