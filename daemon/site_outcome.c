#include <string.h>

#include "daemon/site_parts.h"
#include "daemon/xalloc.h"

static struct outcome *outcome_of(struct site *site, uint64_t seq)
{
	struct outcome *outcome = &site->outcomes[seq % OUTCOMES];
	return seq && outcome->seq == seq ? outcome : NULL;
}

static struct outcome_told told_of(const struct outcome *outcome)
{
	return (struct outcome_told){
		.seq = outcome->seq, .sent = outcome->sent, .confirmed = outcome->confirmed,
		.failed = outcome->ended - outcome->confirmed, .overtaken = outcome->overtaken,
		.elapsed_ms = outcome->answered_ms ? outcome->answered_ms - outcome->caused_ms : 0,
	};
}

/* One that ended late may be of a decision that is no longer kept: the place is then another's. */
static void remember(struct site *site, struct outcome_told told)
{
	struct outcome_told *place = &site->outcomes_told[told.seq % DECISIONS_KEPT];
	if (told.seq >= place->seq && told.seq + DECISIONS_KEPT > site->seq)
		*place = told;
}

static void publish(struct site *site, struct outcome *outcome, struct instant now)
{
	struct record_names names = { site_miner_name, site };
	struct outcome_told told = told_of(outcome);
	struct outcome_record record = {
		.seq = told.seq, .at = now, .sent = told.sent, .confirmed = told.confirmed, .failed = told.failed,
		.elapsed_ms = told.elapsed_ms,
		.failures = outcome->failures, .n_failures = outcome->n_failures,
	};
	remember(site, told);
	tell_rest(site);
	json_reset(&site->json);
	record_outcome(&record, &names, &site->json);
	site->rooms.sink->put(site->rooms.sink, "outcome", DELIVER_EVENT, site->json.text, site->json.len);
	free(outcome->failures);
	*outcome = (struct outcome){ 0 };
	site->n_outcomes--;
}

static const char did_not_follow[] = "its watts did not follow", overtaken[] = "overtaken by a newer decision";

void outcome_end(struct site *site, uint32_t miner, const char *error)
{
	struct outcome *outcome = outcome_of(site, site->miners[miner].seq);
	site->miners[miner].seq = 0;
	if (!outcome)
		return;
	outcome->ended++;
	outcome->overtaken += error == overtaken;
	if (!error)
		outcome->confirmed++;
	else if (outcome->n_failures < RECORD_COMMANDS)
		outcome->failures[outcome->n_failures++] = (struct outcome_failure){ miner, error };
}

/* The law judges an order before it gives the next, often in the same step: that is how the one before ended. */
static const char *error_before(const struct site *site, const struct command *next)
{
	const struct miner_track *track = &site->tracks[next->miner];
	if (next->try_number > 1)
		return did_not_follow;
	bool done = track->settled_ms == site->state.last_ms || track->moved_ms == site->state.last_ms;
	return done ? NULL : overtaken;
}

/* Of an order that is no more under way. One for another power is given up without a mark on its tries. */
static const char *error_of(const struct site *site, const struct miner_track *track)
{
	bool stuck = track->deed == DEED_POWER && track->stuck_ms > site->state.last_ms;
	return track->tries || stuck ? did_not_follow : NULL;
}

void outcome_begin(struct site *site, uint64_t seq, const struct decision *decision, int64_t caused_ms)
{
	struct outcome *outcome = &site->outcomes[seq % OUTCOMES];
	for (uint32_t c = 0; c < decision->n_commands; c++) {
		uint32_t miner = decision->commands[c].miner;
		if (site->miners[miner].seq)
			outcome_end(site, miner, error_before(site, &decision->commands[c]));
		site->miners[miner].seq = seq;
		if (!site->miners[miner].awaited)
			site->awaited[site->n_awaited++] = miner;
		site->miners[miner].awaited = true;
	}
	if (outcome->seq)               /* 256 decisions back and still not over: told as it stands */
		publish(site, outcome, site->rooms.clock->now(site->rooms.clock));
	uint32_t room = decision->n_commands < RECORD_COMMANDS ? decision->n_commands : RECORD_COMMANDS;
	*outcome = (struct outcome){ .seq = seq, .caused_ms = caused_ms, .sent = decision->n_commands,
	                             .failures = xcalloc(room, sizeof(*outcome->failures)) };
	site->n_outcomes++;
}

void outcome_answered(struct site *site, uint32_t miner, enum fault fault, int64_t now_ms)
{
	struct outcome *outcome = outcome_of(site, site->miners[miner].seq);
	if (!outcome)
		return;
	outcome->answered_ms = now_ms;
	if (fault != FAULT_NONE)
		outcome_end(site, miner, fault_text(fault));
}

void outcomes_settle(struct site *site, struct instant now)
{
	if (!site->n_outcomes)
		return;
	uint32_t n = 0;
	for (uint32_t k = 0; k < site->n_awaited; k++) {
		uint32_t i = site->awaited[k];
		const struct miner_track *track = &site->tracks[i];
		if (site->miners[i].seq && !track->under_way)
			outcome_end(site, i, error_of(site, track));
		site->miners[i].awaited = site->miners[i].seq != 0;
		if (site->miners[i].awaited)
			site->awaited[n++] = i;
	}
	site->n_awaited = n;
	for (size_t k = 0; k < OUTCOMES && site->n_outcomes; k++)
		if (site->outcomes[k].seq && site->outcomes[k].ended >= site->outcomes[k].sent)
			publish(site, &site->outcomes[k], now);
}

void outcomes_give_up(struct site *site)
{
	for (size_t k = 0; k < OUTCOMES && site->n_outcomes; k++)
		if (site->outcomes[k].seq)
			publish(site, &site->outcomes[k], site->rooms.clock->now(site->rooms.clock));
}

void outcomes_free(struct site *site)
{
	for (size_t k = 0; k < OUTCOMES; k++)
		free(site->outcomes[k].failures);
}

void outcomes_adopt(struct site *site, const struct site *old)
{
	memcpy(site->outcomes_told, old->outcomes_told, sizeof(site->outcomes_told));
	for (size_t k = 0; k < OUTCOMES; k++)
		if (old->outcomes[k].seq)
			remember(site, told_of(&old->outcomes[k]));
}

void outcome_json(const struct site *site, uint64_t seq, struct json *json)
{
	const struct outcome *outcome = &site->outcomes[seq % OUTCOMES];
	bool under_way = outcome->seq == seq;
	struct outcome_told told = under_way ? told_of(outcome) : site->outcomes_told[seq % DECISIONS_KEPT];
	if (told.seq != seq) {
		json_null(json, "outcome");
		return;
	}
	json_open(json, "outcome");
	json_int(json, "sent", told.sent);
	json_int(json, "confirmed", told.confirmed);
	json_int(json, "failed", told.failed);
	json_int(json, "overtaken", told.overtaken);    /* of those */
	json_int_or_null(json, "elapsed_ms", under_way ? POLICY_NONE : told.elapsed_ms, POLICY_NONE);
	json_close(json);
}
