#include "daemon/record.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- sentences ---- */

/* Watts for a person: 19.430 MW, 850.0 kW, 25 W. */
struct figure { char text[24]; };

static struct figure figure(int64_t watts)
{
	struct figure f;
	double w = (double)watts;
	if (watts == POLICY_NONE)
		snprintf(f.text, sizeof(f.text), "unknown");
	else if (fabs(w) >= 999500)
		snprintf(f.text, sizeof(f.text), "%.3f MW", w / 1e6);
	else if (fabs(w) >= 1000)
		snprintf(f.text, sizeof(f.text), "%.1f kW", w / 1e3);
	else
		snprintf(f.text, sizeof(f.text), "%.0f W", w);
	return f;
}

#define W(watts) figure(watts).text     /* lives to the end of the expression it stands in */

static void say(char *why, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(char *why, size_t size, const char *format, ...)
{
	size_t used = strlen(why);
	va_list args;
	va_start(args, format);
	if (used < size)
		vsnprintf(why + used, size - used, format, args);
	va_end(args);
}

/* Where what is planned for is more than the load. */
static const char *planned_as(const struct picture *p)
{
	if (p->load_w >= p->planned_w)
		return "";
	if (p->returns_to_w)
		return " after a dip";
	return p->hold_ms ? " within the last minute" : " as foretold";
}

static void say_cause(const struct decision *d, const char *event, char *why, size_t size)
{
	const struct picture *p = &d->picture;
	const char *limit = event ? event : "the cap";
	int64_t left_w = p->limit_w - p->planned_w - p->doubt_w - d->wanted_miners_w;
	switch (d->reason) {
	case REASON_CAP:
	case REASON_EVENT:
		if (d->serves == BINDING_PLAN)
			say(why, size, "The site is about to draw %s with what GPU jobs announce, %s of %s",
			    W(p->planned_w + p->doubt_w + p->settled_miners_w), limit, W(p->limit_w));
		else if (d->serves == BINDING_CAP || d->serves == BINDING_LIMIT)
			say(why, size, "The site would draw %s, over the %s of %s",
			    W(p->planned_w + p->doubt_w + p->settled_miners_w), W(p->limit_w), limit);
		else if (d->serves == BINDING_RISE)
			say(why, size, "The load rises to %s, by more than the %s kept free, and nobody knows how far: most miners fall, "
			    "for the site would draw %s and go on, over the %s of %s", W(p->load_w),
			    W(p->reserve_w - p->swing_w), W(p->load_w + p->doubt_w + p->settled_miners_w), W(p->limit_w), limit);
		else if (d->serves == BINDING_SETPOINT)
			say(why, size, "%s wants %s and the site is heading for %s", event ? event : "The set point",
			    W(p->target_w), W(p->load_w + p->settled_miners_w));
		else if (d->serves == BINDING_MINERS_LIMIT)
			say(why, size, "%s allows the miners %s and they are heading for %s", event ? event : "A signal",
			    W(d->wanted_miners_w), W(p->settled_miners_w));
		else
			say(why, size, "%s of %s less %s reserve leaves the miners %s beside a load of %s", limit,
			    W(p->limit_w), W(left_w > 0 ? left_w : 0),
			    W(d->wanted_miners_w), W(p->planned_w));
		break;
	case REASON_SHED:
		say(why, size, "%s has the miners shed to %s", event ? event : "An order", W(d->wanted_miners_w));
		break;
	case REASON_FAILSAFE:
		say(why, size, "Neither the site's meter nor all GPU meters answer: GPUs are taken at their nameplate, %s, "
		    "which leaves the miners %s", W(p->load_w), W(d->wanted_miners_w));
		break;
	case REASON_OPERATOR:
		say(why, size, "The operator holds %s and the site is heading for %s", W(p->target_w),
		    W(p->load_w + p->settled_miners_w));
		break;
	case REASON_STARTUP:
	case REASON_TARGET:
	case REASON_RAMP:
	case REASON_FREQUENCY:
	case REASON_PRICE:
	case REASON_NONE:
	case N_REASONS:
		say(why, size, "Load up to %s%s, %s on average, target %s: the miners may draw %s and are heading for %s",
		    W(p->planned_w), planned_as(p),
		    W(p->planned_w - p->swing_w), W(p->target_w), W(d->wanted_miners_w), W(p->settled_miners_w));
		break;
	}
}

static void say_doubt(const struct decision *d, char *why, size_t size)
{
	const struct picture *p = &d->picture;
	if (p->returns_to_w > 0)
		say(why, size, "; a dip that comes again and again is about to end, at %s", W(p->returns_to_w));
	if (p->announced_w > 0)
		say(why, size, "; GPU jobs announce %s of that load", W(p->announced_w));
	if (p->doubt_w > 0 && !p->failsafe)
		say(why, size, "; %u silent meter%s at nameplate keep%s %s free", p->stale_meters,
		    p->stale_meters == 1 ? "" : "s", p->stale_meters == 1 ? "s" : "", W(p->doubt_w));
	if (!p->site_known && !p->failsafe)
		say(why, size, "; the site's meter is lost, nothing is woken");
	if (d->binding == BINDING_METER_GAP)
		say(why, size, "; the site's meter fell alone, or was distrusted until lately: a few miners' moves are to show "
		    "whether it tells the truth");
}

/* Only what is worth waking an operator's curiosity: why the move is smaller than what is wanted. */
static const char *held_back(enum binding binding)
{
	switch (binding) {
	case BINDING_RAMP_UP:         return "ramp_up";
	case BINDING_RAMP_DOWN:       return "ramp_down";
	case BINDING_WINDOW:          return "windows";
	case BINDING_MIN_AWAKE:       return "min_awake";
	case BINDING_MIN_ASLEEP:      return "min_asleep";
	case BINDING_CYCLES:          return "cycles_per_day";
	case BINDING_WAKES_IN_FLIGHT: return "those that are waking";
	case BINDING_NONE:
	case BINDING_CAP:
	case BINDING_LIMIT:
	case BINDING_RUNNING_RESERVE:
	case BINDING_RESERVE:
	case BINDING_RISE:
	case BINDING_PLAN:
	case BINDING_TARGET:
	case BINDING_SETPOINT:
	case BINDING_MINERS_LIMIT:
	case BINDING_METER_LOST:
	case BINDING_METER_GAP:
	case BINDING_NO_MINERS:
	case N_BINDINGS:
		break;
	}
	return NULL;
}

enum move { MOVE_SLEEP, MOVE_LESS, MOVE_MORE, MOVE_WAKE, N_MOVES };      /* in the order in which they are told */

static enum move move_of(const struct command *command)
{
	if (command->deed == DEED_POWER)
		return command->to_w < command->from_w ? MOVE_LESS : MOVE_MORE;
	return command->deed == DEED_SLEEP ? MOVE_SLEEP : MOVE_WAKE;
}

static void say_moves(const struct decision *d, char *why, size_t size)
{
	static const char *const to[N_MOVES] = { "to sleep", "to less power", "to more power", "to wake" };
	uint32_t n[N_MOVES] = { 0 };
	int64_t moved_w[N_MOVES] = { 0 };
	for (uint32_t i = 0; i < d->n_commands; i++) {
		enum move move = move_of(&d->commands[i]);
		n[move]++;
		moved_w[move] += (int64_t)d->commands[i].to_w - d->commands[i].from_w;
	}
	for (enum move move = MOVE_SLEEP; move < N_MOVES; move++)
		if (n[move])
			say(why, size, "; %u miner%s %s, %s%s", n[move], n[move] == 1 ? "" : "s", to[move], move >= MOVE_MORE ? "+" : "",
			    W(moved_w[move]));
	if (d->n_repeats)
		say(why, size, ", %u of them told again", d->n_repeats);
	if (held_back(d->binding))
		say(why, size, "; more waits for %s", held_back(d->binding));
	if (d->cap_unreachable)
		say(why, size, "; all that may be shed is, and it is not enough");
	say(why, size, ".");
}

void record_why(const struct decision *decision, const char *event, char *why, size_t size)
{
	why[0] = '\0';
	say_cause(decision, event, why, size);
	say_doubt(decision, why, size);
	say_moves(decision, why, size);
	if (why[0] >= 'a' && why[0] <= 'z' && !event)
		why[0] = (char)(why[0] - 'a' + 'A');
}

/* ---- decisions ---- */

uint32_t record_parts(const struct decision *decision)
{
	return decision->n_commands ? (decision->n_commands + RECORD_COMMANDS - 1) / RECORD_COMMANDS : 1;
}

static void put_watts(struct json *json, const char *key, int64_t watts)
{
	json_int_or_null(json, key, watts, POLICY_NONE);
}

static void put_ages(const struct picture *p, struct json *json)
{
	json_open(json, "ages_ms");
	put_watts(json, "site", p->site_age_ms);
	put_watts(json, "hpc", p->hpc_age_ms);
	put_watts(json, "miners", p->miners_age_ms);
	json_close(json);
}

static void put_commands(const struct decision *d, uint32_t part, const struct record_names *names, struct json *json)
{
	uint32_t first = (part - 1) * RECORD_COMMANDS;
	uint32_t end = first + RECORD_COMMANDS < d->n_commands ? first + RECORD_COMMANDS : d->n_commands;
	json_open_array(json, "commands");
	for (uint32_t i = first; i < end; i++) {
		const struct command *c = &d->commands[i];
		json_open(json, NULL);
		json_string(json, "miner", names->miner(names->self, c->miner));
		json_string(json, "do", deed_name(c->deed));
		json_int(json, "from_w", c->from_w);
		json_int(json, "to_w", c->to_w);
		json_close(json);
	}
	json_close_array(json);
}

static void put_counts(const struct decision *d, struct json *json)
{
	uint32_t n[N_DEEDS] = { 0 };
	for (uint32_t i = 0; i < d->n_commands; i++)
		n[d->commands[i].deed]++;
	json_int(json, "n_commands", d->n_commands);
	json_int(json, "sleeps", n[DEED_SLEEP]);
	json_int(json, "wakes", n[DEED_WAKE]);
	json_int(json, "powers", n[DEED_POWER]);
}

void record_decision(const struct decision_record *record, uint32_t part, const struct record_names *names,
                     struct json *json)
{
	const struct decision *d = record->decision;
	const struct picture *p = &d->picture;
	char why[RECORD_WHY_SIZE];
	if (!record->why)
		record_why(d, record->event, why, sizeof(why));
	json_open(json, NULL);
	json_int(json, "seq", (int64_t)record->seq);
	json_time(json, "time", record->at.utc_ms);
	json_string(json, "reason", reason_name(d->reason));
	json_string(json, "why", record->why ? record->why : why);
	json_string(json, "binding", binding_name(d->binding));
	put_watts(json, "site_w", p->site_w);
	put_watts(json, "hpc_w", p->hpc_w);
	json_int(json, "miners_w", p->miners_w);
	json_int(json, "headroom_w", p->headroom_w);
	json_int(json, "target_w", p->target_w);
	json_int(json, "wanted_miners_w", d->wanted_miners_w);
	json_int(json, "expected_site_w", d->expected_site_w);
	put_ages(p, json);
	json_string(json, "event", record->event);
	json_bool(json, "dry_run", record->dry_run);
	if (part) {
		json_int(json, "part", part);
		json_int(json, "parts", record_parts(d));
		put_commands(d, part, names, json);
	} else {
		put_counts(d, json);
	}
	json_close(json);
}

/* ---- outcomes and telemetry ---- */

void record_outcome(const struct outcome_record *record, const struct record_names *names, struct json *json)
{
	json_open(json, NULL);
	json_int(json, "seq", (int64_t)record->seq);
	json_time(json, "time", record->at.utc_ms);
	json_int(json, "sent", record->sent);
	json_int(json, "confirmed", record->confirmed);
	json_int(json, "failed", record->failed);
	json_int(json, "elapsed_ms", record->elapsed_ms);
	json_open_array(json, "failures");
	for (uint32_t i = 0; i < record->n_failures; i++) {
		json_open(json, NULL);
		json_string(json, "miner", names->miner(names->self, record->failures[i].miner));
		json_string(json, "error", record->failures[i].error);
		json_close(json);
	}
	json_close_array(json);
	json_close(json);
}

void record_phases(const uint32_t phases[N_PHASES], struct json *json)
{
	json_open(json, "miners");
	for (int phase = PHASE_UNKNOWN; phase < N_PHASES; phase++)
		if (phase != PHASE_UNKNOWN || phases[phase])
			json_int(json, phase_name((enum miner_phase)phase), phases[phase]);
	json_close(json);
}

static void put_ripple(struct json *json, const char *key, const int64_t ripple_w[N_RIPPLES])
{
	static const char *const within_s[N_RIPPLES] = { "5", "15", "60" };
	json_open(json, key);
	for (int r = 0; r < N_RIPPLES; r++)
		put_watts(json, within_s[r], ripple_w[r]);
	json_close(json);
}

void record_telemetry(const struct telemetry_record *record, struct json *json)
{
	const struct picture *p = record->picture;
	json_time(json, "time", record->at.utc_ms);
	put_watts(json, "site_w", p->site_w);
	put_watts(json, "hpc_w", p->hpc_w);
	json_int(json, "miners_w", p->miners_w);
	put_watts(json, "other_w", p->other_w);
	json_int(json, "cap_w", p->limit_w);
	json_string(json, "cap_from", record->cap_from);
	json_int(json, "target_w", p->target_w);
	json_int(json, "reserve_w", p->reserve_w);
	json_int(json, "headroom_w", p->headroom_w);
	json_int(json, "curtailable_w", p->curtailable_w);
	json_int(json, "restorable_w", p->restorable_w);
	put_ripple(json, "ripple_w", p->ripple_w);
	put_ripple(json, "hpc_ripple_w", p->hpc_ripple_w);
	json_open(json, "reserve_by");
	json_int(json, "rise_w", p->rise_w);
	json_int(json, "hold_ms", p->hold_ms);
	json_int(json, "peak_w", p->peak_w);
	json_close(json);
	json_number(json, "frequency_hz", record->frequency_mhz ? record->frequency_mhz / 1000.0 : (double)NAN, 3);
	record_phases(p->phases, json);
	json_int_or_null(json, "miners_partial", record->partial, POLICY_NONE);
	json_open_array(json, "stale");
	for (size_t i = 0; i < record->n_stale; i++)
		json_string(json, NULL, record->stale[i]);
	json_close_array(json);
	json_open(json, "energy_wh");
	json_number(json, "site", record->energy.site_wh, 1);
	json_number(json, "hpc", record->energy.hpc_wh, 1);
	json_number(json, "miners", record->energy.miners_wh, 1);
	json_close(json);
}
