#include <stdio.h>

#include "daemon/site_parts.h"
#include "daemon/xalloc.h"

#define TELEMETRY_MS 1000
#define PART_MS      10                 /* between two messages of one decision */
#define WORDS_WAIT_MS 1000
#define SWAPS_MS     (10 * 60000)       /* since the last exchange of a miner, before its alarm is cleared */
#define CAP_CALM_MS  5000               /* under the limit for so long before the alarm is cleared */

const char *fault_text(enum fault fault)
{
	switch (fault) {
	case FAULT_NEVER:   return "not heard yet";
	case FAULT_NONE:    return "none";
	case FAULT_SILENT:  return "silent";
	case FAULT_GARBLED: return "garbled";
	case FAULT_REFUSED: return "refused";
	case FAULT_ABSURD:  return "absurd";
	}
	return "unknown";
}

static void put(struct site *site, const char *topic, enum delivery delivery)
{
	site->rooms.sink->put(site->rooms.sink, topic, delivery, site->json.text, site->json.len);
}

/* ---- decisions ---- */

static const char *event_behind(const struct site *site, const struct decision *decision, const struct demand *demand)
{
	int16_t from = -1;
	switch (decision->reason) {
	case REASON_EVENT:
	case REASON_SHED:
		from = decision->serves == BINDING_MINERS_LIMIT ? demand->miners_from :
		       decision->serves == BINDING_SETPOINT ? demand->setpoint_from : demand->limit_from;
		break;
	case REASON_OPERATOR:
		from = demand->setpoint_from;
		break;
	case REASON_NONE:
	case REASON_CAP:
	case REASON_TARGET:
	case REASON_RAMP:
	case REASON_FREQUENCY:
	case REASON_PRICE:
	case REASON_FAILSAFE:
	case REASON_STARTUP:
	case N_REASONS:
		break;
	}
	return from < 0 ? NULL : signals_event_id(site->rooms.signals, from);
}

static void keep_decision(struct site *site, const struct decision_record *record)
{
	struct json json = { 0 };
	char **place = &site->decisions[record->seq % DECISIONS_KEPT];
	record_decision(record, 0, NULL, &json);
	free(*place);
	*place = json.text;
}

static struct decision_record worded(const struct site *site)
{
	const struct words *words = &site->words;
	return (struct decision_record){
		.seq = words->seq, .at = words->at, .decision = &words->decision,
		.event = words->event[0] ? words->event : NULL, .why = words->why, .dry_run = site->conf->dry_run,
	};
}

static void tell_part(struct site *site)
{
	struct record_names names = { site_miner_name, site };
	struct decision_record record = worded(site);
	json_reset(&site->json);
	record_decision(&record, ++site->words.part, &names, &site->json);
	put(site, "decision", DELIVER_EVENT);
}

void tell_rest(struct site *site)
{
	while (site->words.part < site->words.parts)
		tell_part(site);
}

/* Words would take the time of deeds: while most miners have not answered, they wait. */
static bool deeds_under_way(const struct site *site, int64_t now_ms)
{
	const struct words *words = &site->words;
	return site->orders_out > words->decision.n_commands / 16 && now_ms - words->at.mono_ms < WORDS_WAIT_MS;
}

int64_t tell_more(struct site *site, int64_t now_ms)
{
	struct words *words = &site->words;
	if (words->part < words->parts && deeds_under_way(site, now_ms))
		words->next_ms = now_ms + PART_MS;
	if (words->part < words->parts && now_ms >= words->next_ms) {
		tell_part(site);
		words->next_ms = now_ms + PART_MS;
	}
	return words->part < words->parts ? words->next_ms : INT64_MAX;
}

void tell_decision(struct site *site, struct instant now)
{
	struct demand demand;
	struct words *words = &site->words;
	tell_rest(site);
	signals_demand(site->rooms.signals, now, &demand);
	const char *event = event_behind(site, &site->decision, &demand);
	words->at = now;
	words->seq = site->seq;
	words->decision = site->decision;
	words->decision.commands = words->commands;
	memcpy(words->commands, site->decision.commands, site->decision.n_commands * sizeof(*words->commands));
	snprintf(words->event, sizeof(words->event), "%s", event ? event : "");
	record_why(&words->decision, event, words->why, sizeof(words->why));
	words->part = 0;
	words->parts = record_parts(&words->decision);
	words->next_ms = now.mono_ms + PART_MS;
	struct decision_record record = worded(site);
	keep_decision(site, &record);
	if (words->parts == 1)
		tell_rest(site);
}

void site_decisions_json(const struct site *site, size_t n, struct json *json)
{
	if (n > DECISIONS_KEPT)
		n = DECISIONS_KEPT;
	uint64_t first = site->seq > n ? site->seq - n + 1 : 1;
	for (uint64_t seq = first; seq <= site->seq; seq++) {
		const char *text = site->decisions[seq % DECISIONS_KEPT];
		if (!text)
			continue;
		json_raw(json, NULL, text, strlen(text) - 1);   /* its last brace comes after the outcome */
		outcome_json(site, seq, json);
		json_close(json);
		json_newline(json);
	}
}

/* ---- telemetry ---- */

static bool is_stale(const struct site *site, size_t i, int64_t now_ms)
{
	const struct policy_conf *policy = &site->conf->policy;
	const struct meter_reading *r = &site->meters[i].newest;
	return r->fault != FAULT_NONE || now_ms - r->at_ms > policy->meter_groups[policy->meter_group[i]].stale_ms;
}

static int32_t frequency_mhz(const struct site *site, int64_t now_ms)
{
	const struct policy_conf *policy = &site->conf->policy;
	for (size_t i = 0; i < policy->n_meters; i++)
		if (policy->meter_groups[policy->meter_group[i]].measures == MEASURES_SITE &&
		    !is_stale(site, i, now_ms) && site->meters[i].newest.knows_frequency)
			return site->meters[i].newest.frequency_mhz;
	return 0;
}

static bool at_less(const struct site *site, size_t i)
{
	const struct policy_conf *policy = &site->conf->policy;
	const struct miner_track *track = &site->tracks[i];
	return phase_shown(track) == PHASE_AWAKE && track->limit_w > 0 &&
	       track->limit_w < policy->miner_groups[policy->miner_group[i]].nominal_w;
}

static int64_t count_partial(const struct site *site)
{
	const struct policy_conf *policy = &site->conf->policy;
	int64_t n = 0;
	bool ever = false;
	for (size_t g = 0; g < policy->n_miner_groups; g++)
		ever |= policy->miner_groups[g].partial_w > 0;
	for (size_t i = 0; ever && i < policy->n_miners; i++)
		n += at_less(site, i);
	return ever ? n : POLICY_NONE;
}

static void telemetry(const struct site *site, struct instant now, struct json *json)
{
	const struct picture *picture = &site->decision.picture;
	const char **stale = xcalloc(site->conf->policy.n_meters, sizeof(*stale));
	size_t n_stale = 0;
	for (size_t i = 0; i < site->conf->policy.n_meters; i++)
		if (is_stale(site, i, now.mono_ms))
			stale[n_stale++] = site->conf->meters[i].name;
	struct demand demand;
	signals_demand(site->rooms.signals, now, &demand);
	const char *event = picture->limit_w < site->conf->policy.cap_w && demand.limit_from >= 0 ?
		signals_event_id(site->rooms.signals, demand.limit_from) : NULL;
	struct telemetry_record record = {
		.at = now, .picture = picture, .partial = count_partial(site), .cap_from = event ? event : "site",
		.frequency_mhz = frequency_mhz(site, now.mono_ms), .energy = site->energy,
		.stale = stale, .n_stale = n_stale,
	};
	record_telemetry(&record, json);
	free(stale);
}

void tell_telemetry(struct site *site, struct instant now)
{
	if (site->told_ms && now.mono_ms - site->told_ms < TELEMETRY_MS)
		return;
	poll_pace_told(site, now.mono_ms - site->told_ms);
	bool late = !site->told_ms || now.mono_ms - site->told_ms >= 2 * TELEMETRY_MS;
	site->told_ms = late ? now.mono_ms : site->told_ms + TELEMETRY_MS;
	json_reset(&site->json);
	json_open(&site->json, NULL);
	telemetry(site, now, &site->json);
	json_close(&site->json);
	put(site, "telemetry", DELIVER_LATEST);
}

static int64_t worst_meter_late_ms(const struct site *site)
{
	int64_t worst_ms = 0;
	for (size_t i = 0; i < site->conf->policy.n_meters; i++)
		if (site->meters[i].worst_late_ms > worst_ms)
			worst_ms = site->meters[i].worst_late_ms;
	return worst_ms;
}

void site_status_json(const struct site *site, struct instant now, struct json *json)
{
	const struct picture *picture = &site->decision.picture;
	const struct policy_conf *policy = &site->conf->policy;
	int64_t nominal_w = 0;
	for (size_t i = 0; i < policy->n_miners; i++)
		nominal_w += policy->miner_groups[policy->miner_group[i]].nominal_w;
	json_string(json, "site", site->conf->name);
	json_string(json, "state", site->told_state ? site->told_state : "starting");
	json_string(json, "state_why", site->state_why);
	json_time(json, "since", site->state_since.utc_ms);
	json_string(json, "version", MULLET_VERSION);
	json_bool(json, "dry_run", site->conf->dry_run);
	json_int(json, "uptime_s", (now.mono_ms - site->opened.mono_ms) / 1000);
	telemetry(site, now, json);
	json_int(json, "nominal_miners_w", nominal_w);
	json_int(json, "load_w", picture->load_w);
	json_int(json, "planned_w", picture->planned_w);
	json_int(json, "announced_w", picture->announced_w);
	json_int(json, "doubt_w", picture->doubt_w);
	json_int_or_null(json, "hpc_limit_w", site->hpc_asked.limit_w, POLICY_NONE);
	json_int(json, "decisions", (int64_t)site->seq);
	json_int(json, "commands", (int64_t)site->n_commands);
	json_int(json, "commands_unanswered", site->orders_out);
	json_int(json, "miner_polls_per_s", site->pace.polls_per_s);
	json_int(json, "miner_polls_late_ms", site->pace.late_ms);
	json_int(json, "meter_polls_worst_late_ms", worst_meter_late_ms(site));
}

/* ---- state and alarms ---- */

/* Some meter has neither spoken yet nor had the time in which it would be stale. */
static bool waits_for_meters(const struct site *site, int64_t now_ms)
{
	const struct policy_conf *policy = &site->conf->policy;
	for (size_t i = 0; i < policy->n_meters; i++)
		if (site->meters[i].newest.fault != FAULT_NONE &&
		    now_ms - site->meters[i].newest.at_ms <= policy->meter_groups[policy->meter_group[i]].stale_ms)
			return true;
	return false;
}

static const char *state_now(const struct site *site, int64_t now_ms, const char **why)
{
	const struct picture *picture = &site->decision.picture;
	if (picture->failsafe) {
		*why = "neither the site's meter nor all GPU meters answer";
		return "failsafe";
	}
	if (site->state.fusion.on_site.lie > LIE_FROZEN) {
		*why = "the site's meter does not agree with the others";
		return "degraded";
	}
	if (!picture->site_known) {
		*why = site->state.n_loads ? "the site's meter is lost" : "waiting for the site's meter";
		return site->state.n_loads ? "degraded" : "starting";
	}
	if (waits_for_meters(site, now_ms)) {
		*why = "waiting for the meters";
		return "starting";
	}
	*why = "";
	if (site->state.fusion.on_hpc.lie != LIE_NONE) {
		*why = "GPU meters do not agree with the site's";
		return "degraded";
	}
	if (picture->stale_meters) {
		*why = "meters are silent, taken at their nameplate";
		return "degraded";
	}
	return "running";
}

void tell_state(struct site *site, struct instant now)
{
	const char *why;
	const char *state = state_now(site, now.mono_ms, &why);
	if (site->told_state && !strcmp(state, site->told_state) && !strcmp(why, site->state_why))
		return;
	if (!site->told_state || strcmp(state, site->told_state))
		site->state_since = now;
	site->told_state = state;
	snprintf(site->state_why, sizeof(site->state_why), "%s", why);
	json_reset(&site->json);
	json_open(&site->json, NULL);
	json_string(&site->json, "state", state);
	json_time(&site->json, "since", site->state_since.utc_ms);
	json_string(&site->json, "why", why);
	json_string(&site->json, "version", MULLET_VERSION);
	json_bool(&site->json, "dry_run", site->conf->dry_run);
	json_close(&site->json);
	put(site, "state", DELIVER_STATE);
}

/* It had the time to speak: since its last value, since it is asked at all, and since we last stood still ourselves. */
static bool is_overdue(const struct site *site, size_t i, int64_t now_ms)
{
	const struct policy_conf *policy = &site->conf->policy;
	int64_t stale_ms = policy->meter_groups[policy->meter_group[i]].stale_ms;
	return now_ms - policy_silent_since_ms(&site->state, site->meters[i].newest.at_ms, stale_ms) > stale_ms;
}

static void alarm_meters(struct site *site, struct instant now)
{
	const struct policy_conf *policy = &site->conf->policy;
	for (size_t i = 0; i < policy->n_meters; i++) {
		const struct policy_meter_group *group = &policy->meter_groups[policy->meter_group[i]];
		bool stale = is_stale(site, i, now.mono_ms) && (site->meters[i].alarmed || is_overdue(site, i, now.mono_ms));
		if (stale == site->meters[i].alarmed)
			continue;
		char name[160];
		site->meters[i].alarmed = stale;
		snprintf(name, sizeof(name), "meter/%s", site->conf->meters[i].name);
		if (!stale)
			alarms_clear(site->rooms.alarms, name, now);
		else if (group->measures == MEASURES_SITE)
			alarms_raise(site->rooms.alarms, name, SEVERITY_CRITICAL, site->conf->meters[i].name, now,
			             "no value of the site's meter for %.1f s (%s): nothing is woken",
			             (double)group->stale_ms / 1e3, fault_text(site->meters[i].fault));
		else
			alarms_raise(site->rooms.alarms, name, SEVERITY_WARNING, site->conf->meters[i].name, now,
			             "no value for %.1f s (%s): taken at its nameplate, %.1f kW",
			             (double)group->stale_ms / 1e3, fault_text(site->meters[i].fault),
			             (double)group->nameplate_w / 1e3);
	}
}

static void count_groups(struct site *site)
{
	const struct policy_conf *policy = &site->conf->policy;
	for (size_t g = 0; g < policy->n_miner_groups; g++)
		site->groups[g].n = site->groups[g].unreachable = site->groups[g].faulty = 0;
	for (size_t i = 0; i < policy->n_miners; i++) {
		struct group_count *group = &site->groups[policy->miner_group[i]];
		group->n++;
		group->unreachable += site->tracks[i].phase == PHASE_UNREACHABLE;
		group->faulty += site->tracks[i].phase == PHASE_FAULTY;
	}
}

static void alarm_group(struct site *site, size_t g, struct instant now)
{
	struct group_count *group = &site->groups[g];
	char name[160];
	snprintf(name, sizeof(name), "miners/%s", site->conf->miner_groups[g]);
	if ((group->unreachable + group->faulty) * 50 > group->n)       /* more than 2 % */
		alarms_raise(site->rooms.alarms, name, SEVERITY_WARNING, site->conf->miner_groups[g], now,
		             "of %u miners %u unreachable, %u do not follow orders",
		             group->n, group->unreachable, group->faulty);
	else
		alarms_clear(site->rooms.alarms, name, now);
	if (!group->swaps || now.mono_ms - group->swapped_ms > SWAPS_MS) {
		group->swaps = 0;
		snprintf(name, sizeof(name), "exchanged/%s", site->conf->miner_groups[g]);
		alarms_clear(site->rooms.alarms, name, now);
	}
}

static void alarm_cap(struct site *site, struct instant now)
{
	const struct picture *picture = &site->decision.picture;
	if (picture->site_w != POLICY_NONE && picture->site_w > picture->limit_w) {
		site->over_ms = now.mono_ms;
		alarms_raise(site->rooms.alarms, "cap", SEVERITY_CRITICAL, site->conf->name, now,
		             "the site draws %.1f kW, limit %.1f kW%s", (double)picture->site_w / 1e3,
		             (double)picture->limit_w / 1e3,
		             site->decision.cap_unreachable ? ", and all miners that may be shed are" : "");
	} else if (now.mono_ms - site->over_ms > CAP_CALM_MS) {
		alarms_clear(site->rooms.alarms, "cap", now);
	}
}

void tell_alarms(struct site *site, struct instant now)
{
	alarm_meters(site, now);
	alarm_cap(site, now);
	if (site->told_ms && now.mono_ms - site->told_ms < TELEMETRY_MS)
		return;                 /* once a second is enough for what moves slowly */
	alarms_pass(site->rooms.alarms, now);
	count_groups(site);
	for (size_t g = 0; g < site->conf->policy.n_miner_groups; g++)
		alarm_group(site, g, now);
	if (site->decision.picture.failsafe)
		alarms_raise(site->rooms.alarms, "failsafe", SEVERITY_CRITICAL, site->conf->name, now,
		             "neither the site's meter nor all GPU meters answer");
	else
		alarms_clear(site->rooms.alarms, "failsafe", now);
}

/* ---- lists for mulletctl ---- */

static const char *measures_name(enum measures measures)
{
	switch (measures) {
	case MEASURES_SITE:  return "site";
	case MEASURES_HPC:   return "hpc";
	case MEASURES_OTHER: return "other";
	}
	return "unknown";
}

void site_meters_json(const struct site *site, struct instant now, struct json *json)
{
	const struct policy_conf *policy = &site->conf->policy;
	for (size_t i = 0; i < policy->n_meters; i++) {
		const struct site_meter_state *meter = &site->meters[i];
		const struct policy_meter_group *group = &policy->meter_groups[policy->meter_group[i]];
		bool known = meter->newest.fault == FAULT_NONE;
		json_open(json, NULL);
		json_string(json, "name", site->conf->meters[i].name);
		json_string(json, "host", site->conf->meters[i].conf.host);
		json_string(json, "measures", measures_name(group->measures));
		json_int_or_null(json, "power_w", known ? meter->newest.import_w : POLICY_NONE, POLICY_NONE);
		json_int_or_null(json, "age_ms", known ? now.mono_ms - meter->newest.at_ms : POLICY_NONE, POLICY_NONE);
		json_int_or_null(json, "refresh_ms", refresh_every_ms(&meter->refresh), 0);
		json_string(json, "fault", fault_text(meter->fault));
		bool tells = known && meter->newest.knows_frequency;
		json_number(json, "frequency_hz", tells ? meter->newest.frequency_mhz / 1000.0 : 0.0 / 0.0, 3);
		bool counts = known && meter->newest.knows_energy;
		json_int_or_null(json, "import_wh", counts ? meter->newest.import_wh : POLICY_NONE, POLICY_NONE);
		json_int_or_null(json, "nameplate_w", group->nameplate_w, 0);
		json_int(json, "polls", (int64_t)meter->polls);
		json_int(json, "faults", (int64_t)meter->faults);
		json_int(json, "worst_answer_ms", meter->worst_answer_ms);
		json_int(json, "worst_late_ms", meter->worst_late_ms);
		json_bool(json, "stale", is_stale(site, i, now.mono_ms));
		json_close(json);
		json_newline(json);
	}
}

bool site_miners_json(const struct site *site, const char *group, struct instant now, struct json *json)
{
	static const char *const told_words[N_DEEDS] = { [DEED_SLEEP] = "sleep", [DEED_WAKE] = "hash", [DEED_POWER] = "power" };
	const struct policy_conf *policy = &site->conf->policy;
	bool found = !group;
	for (size_t i = 0; i < policy->n_miners; i++) {
		const struct miner_track *track = &site->tracks[i];
		if (group && strcmp(group, site->conf->miner_groups[policy->miner_group[i]]))
			continue;
		found = true;
		json_open(json, NULL);
		json_string(json, "name", site->conf->miners[i].name);
		json_string(json, "host", site->conf->miners[i].conf.host);
		json_string(json, "phase", phase_name(phase_shown(track)));
		json_int_or_null(json, "power_w", track->read_ms ? track->drawn_w : POLICY_NONE, POLICY_NONE);
		json_int_or_null(json, "age_ms", track->read_ms ? now.mono_ms - track->read_ms : POLICY_NONE, POLICY_NONE);
		json_string(json, "told", !track->told_ms ? NULL : told_words[deed_told(track)]);
		json_int_or_null(json, "limit_w", track->told_hash && track->limit_w ? track->limit_w : POLICY_NONE, POLICY_NONE);
		json_int(json, "tries", track->tries);
		json_int(json, "sleeps", track->sleeps);
		json_string(json, "fault", fault_text(site->miners[i].fault));
		json_int(json, "polls", (int64_t)site->miners[i].polls);
		json_int(json, "faults", (int64_t)site->miners[i].faults);
		json_int(json, "worst_answer_ms", site->miners[i].worst_answer_ms);
		json_int(json, "worst_order_ms", site->miners[i].worst_order_ms);
		json_bool(json, "steerable", track->steerable);
		json_close(json);
		json_newline(json);
	}
	return found;
}
