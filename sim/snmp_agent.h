/* sim/snmp_agent.h - a simulated PDU's SNMP agent: v2c GET, GETNEXT and GETBULK over UDP, and every way to misbehave.
 *
 * RFC 3416 (operations), RFC 3417 (over UDP). A SET is answered notWritable; other versions and communities not at
 * all. The encoding is net-snmp's own. */
#ifndef SIM_SNMP_AGENT_H
#define SIM_SNMP_AGENT_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/types.h>
#include <stdbool.h>
#include <uv.h>

enum agent_fault {
	AGENT_SOUND,
	AGENT_SILENT,           /* hears requests, never answers */
	AGENT_GARBAGE,          /* bytes that are no SNMP */
	AGENT_WRONG_ID,         /* the answer to another request */
	AGENT_WRONG_COMMUNITY,
	AGENT_WRONG_LENGTH,     /* claims more bytes than there are */
	AGENT_CUT,              /* half an answer */
	AGENT_ERROR,            /* genErr */
	AGENT_REFUSING,         /* no socket: ICMP says so */
	AGENT_DUPLICATING,      /* every answer twice */
	AGENT_LATE,             /* right, but 3 s after the request */
	AGENT_FROZEN,           /* right in form, always the same values */
	AGENT_ABSURD,           /* a value that cannot be */
	AGENT_ABSENT,           /* every object is noSuchInstance */
	AGENT_SCALED, AGENT_JUMPING, AGENT_SWAPPED,     /* sim/shows.h */
	N_AGENT_FAULTS
};

struct snmp_object {
	oid name[20];
	uint8_t n;              /* of name */
	uint8_t type;           /* ASN_INTEGER, ASN_GAUGE, … */
	uint8_t quantity;       /* read's word for what it tells; nothing to the agent */
	int32_t scale;          /* likewise */
	const char *text;       /* of an ASN_OCTET_STR; then read is not asked */
};
struct snmp_make { const char *oids; const struct snmp_object *objects; size_t n; };    /* in the order of their names */

struct snmp_socket;
struct snmp_late;
struct snmp_agent {
	char host[16];
	const char *community;
	const struct snmp_make *make;
	enum agent_fault fault;
	/* Values that are wrong are its business. */
	long (*read)(struct snmp_agent *, const struct snmp_object *);
	void (*on_closed)(struct snmp_agent *);
	void *self;                     /* of read and on_closed */
	size_t index;                   /* likewise */
	uint64_t requests;
	uv_loop_t *loop;                /* from here on the agent's own */
	uint16_t port;
	struct snmp_socket *socket;     /* NULL: refusing, or never opened */
	uv_timer_t timer;               /* of the first late answer */
	struct snmp_late *late;         /* in order of time */
	unsigned open_handles;
};

/* host, community, make, read, on_closed and self are set before; 0 or a negative libuv code. */
int snmp_agent_start(struct snmp_agent *, uv_loop_t *, uint16_t port);
void snmp_agent_set_fault(struct snmp_agent *, enum agent_fault);
void snmp_agent_close(struct snmp_agent *);     /* also where start failed; on_closed later */

/* Inside sim/ only: the length of the answer to a datagram; 0: none is due, or it would be too long. */
enum { AGENT_MOST_BYTES = 4096 };
size_t snmp_agent_answer(struct snmp_agent *, char *bytes, size_t n, uint8_t answer[AGENT_MOST_BYTES]);

#endif
