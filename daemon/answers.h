/* daemon/answers.h - what was answered to which order: published on ack/SIGNAL, and said again to the same id. */
#ifndef DAEMON_ANSWERS_H
#define DAEMON_ANSWERS_H

#include "daemon/clock.h"
#include "daemon/json.h"
#include "daemon/sink.h"
#include "policy/orders.h"

enum ack_result { ACK_ACCEPTED, ACK_PARTIAL, ACK_REJECTED, ACK_DUPLICATE, ACK_STALE };

struct ack {
	char id[ORDER_ID_SIZE];         /* empty: it could not be read */
	enum ack_result result;
	char why[200];                  /* empty: nothing to say */
	int64_t effective_w;            /* what will really bind; POLICY_NONE: nothing will */
	int64_t eta_ms;                 /* until it is reached; -1: not known, or never */
};

struct answers {                        /* zero to start */
	struct ack acks[ORDERS_REMEMBERED];
	uint32_t next;
};

void answers_keep(struct answers *, const struct ack *);
const struct ack *answers_find(const struct answers *, const char *id);  /* NULL: not remembered */
void ack_publish(const struct ack *, const char *signal, struct instant now, struct json *scratch, struct sink *);

#endif
