#include "daemon/answers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void answers_keep(struct answers *answers, const struct ack *ack)
{
	answers->acks[answers->next] = *ack;
	answers->next = (answers->next + 1) % ORDERS_REMEMBERED;
}

/* The newest, of one that was taken twice. */
const struct ack *answers_find(const struct answers *answers, const char *id)
{
	for (size_t i = 1; i <= ORDERS_REMEMBERED; i++) {
		const struct ack *ack = &answers->acks[(answers->next + ORDERS_REMEMBERED - i) % ORDERS_REMEMBERED];
		if (*id && strcmp(ack->id, id) == 0)
			return ack;
	}
	return NULL;
}

static const char *result_name(enum ack_result result)
{
	switch (result) {
	case ACK_ACCEPTED:  return "accepted";
	case ACK_PARTIAL:   return "partial";
	case ACK_REJECTED:  return "rejected";
	case ACK_DUPLICATE: return "duplicate";
	case ACK_STALE:     return "stale";
	}
	return "";
}

void ack_publish(const struct ack *ack, const char *signal, struct instant now, struct json *scratch, struct sink *sink)
{
	char topic[512];
	snprintf(topic, sizeof(topic), "ack/%s", signal);
	json_reset(scratch);
	json_open(scratch, NULL);
	json_string(scratch, "id", ack->id[0] ? ack->id : NULL);
	json_string(scratch, "result", result_name(ack->result));
	json_string(scratch, "why", ack->why[0] ? ack->why : NULL);
	json_int_or_null(scratch, "effective_w", ack->effective_w, POLICY_NONE);
	json_number(scratch, "eta_s", ack->eta_ms < 0 ? NAN : (double)ack->eta_ms / 1000, 3);
	json_time(scratch, "time", now.utc_ms);
	json_close(scratch);
	sink->put(sink, topic, DELIVER_EVENT, scratch->text, scratch->len);
}
