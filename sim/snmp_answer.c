/* sim/snmp_answer.c - from a request's bytes to an answer's. */
#include "sim/snmp_agent.h"

#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/snmp_impl.h>
#include <stdlib.h>
#include <string.h>

#include "sim/zeroed.h"

enum { MOST_VARIABLES = 64 };

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
	netsnmp_pdu *request = zeroed(1, sizeof *request);
	request->version = version;
	if (snmp_pdu_parse(request, at, &n) == 0)
		return request;
	snmp_free_pdu(request);
	return NULL;
}

/* How many bytes the message is; 0: more than there is room for. */
static size_t build(const struct snmp_agent *agent, netsnmp_pdu *pdu, uint8_t bytes[AGENT_MOST_BYTES])
{
	char community[64];
	size_t room = AGENT_MOST_BYTES, header = AGENT_MOST_BYTES, length;
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

size_t snmp_agent_answer(struct snmp_agent *agent, char *bytes, size_t n, uint8_t answer_bytes[AGENT_MOST_BYTES])
{
	size_t len = 0;
	netsnmp_pdu *request = parse(agent, bytes, n), *reply = request ? answer(agent, request) : NULL;
	if (reply) {
		if (agent->fault == AGENT_WRONG_ID)
			reply->reqid ^= 0x1234;
		len = build(agent, reply, answer_bytes);
		snmp_free_pdu(reply);
	}
	if (request)
		snmp_free_pdu(request);
	return len;
}
