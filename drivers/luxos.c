#include "drivers/luxos.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/cgminer_desk.h"
#include "drivers/luxos_errand.h"
#include "drivers/luxos_ladder.h"

#define TABLES_EVERY_MS (60 * 60 * 1000)
#define SESSION_ENDS_MS (60 * 1000 + 200)
#define OLD_SESSION_MS  3000
#define SETTLES_MS      (60 * 1000)     /* a miner told to sleep may call itself awake for so long */
#define TABLES_AGAIN_MS (60 * 1000)     /* least time between two tries */

enum read {
	READ_JOINED,
	READ_POWER, READ_CONFIG, READ_SUMMARY,
	READ_TABLES,
	READ_VERSION, READ_PROFILES,
	READ_NOTHING,
};

static const char *const requests[] = {
	[READ_JOINED]   = "{\"command\":\"power+config+summary\"}",
	[READ_POWER]    = "{\"command\":\"power\"}",
	[READ_CONFIG]   = "{\"command\":\"config\"}",
	[READ_SUMMARY]  = "{\"command\":\"summary\"}",
	[READ_TABLES]   = "{\"command\":\"version+profiles\"}",
	[READ_VERSION]  = "{\"command\":\"version\"}",
	[READ_PROFILES] = "{\"command\":\"profiles\"}",
};

/* What is known of it, beside what is under way. */
struct luxos_past {
	bool unjoinable;                /* joined reads failed; tried again when the tables are */
	bool is_luxos;                  /* its version says so, or it was not asked yet */
	struct luxos_session session;
	bool outlived;                  /* the session was still there when it should have ended */
	bool awake, atm;                /* as last heard */
	bool tables_tried, tables_known;
	int64_t tables_tried_ms;
	int64_t slept_ms;               /* when it was told to sleep last; 0: never */
	uint64_t tables_of, tables_firmware;    /* fingerprint they were read at, and firmware */
	bool tables_wrong;              /* it refused a profile of theirs */
	char profile[LUXOS_NAME];       /* as last heard, or told since; empty: never */
	bool profile_heard;             /* … since it was last told one */
	char own[LUXOS_NAME];           /* the last one that was neither of our telling nor of ATM's */
	bool atm_was;                   /* on, when a limit was told: to be switched on with full power */
	struct luxos_ladder *ladder;    /* NULL: it told no profiles */
	uint64_t identity;              /* of the machine; 0: not told */
};

struct luxos {
	struct cgminer_desk desk;
	uint8_t reading;                /* enum read: the exchange under way */
	int64_t asked_ms;
	struct luxos_seen seen;         /* of the poll under way */
	char old_session[LUXOS_SESSION];        /* the one to be renewed */
	bool keeping;
	struct luxos_errand errand;
	struct luxos_past past;
};

static const struct luxos_rung *rungs_of(const struct luxos *luxos)
{
	return luxos->past.ladder ? luxos->past.ladder->rungs : NULL;
}

static size_t n_rungs_of(const struct luxos *luxos)
{
	return luxos->past.ladder ? luxos->past.ladder->n : 0;
}

/* Another profile of the same table is no reason to read it again: limits change profiles all day. */
static bool is_outdated(const struct luxos *luxos)
{
	const struct luxos_seen *seen = &luxos->seen;
	if (!luxos->past.tables_known || luxos->past.tables_wrong)
		return true;
	return luxos->past.tables_of != seen->fingerprint &&
	       (luxos->past.tables_firmware != seen->firmware ||
	        !luxos_profile_w(rungs_of(luxos), n_rungs_of(luxos), seen->profile));
}

static bool tables_due(const struct luxos *luxos)
{
	int64_t age_ms = cgminer_desk_now_ms(&luxos->desk) - luxos->past.tables_tried_ms;
	if (!luxos->past.tables_tried || age_ms >= TABLES_EVERY_MS)
		return true;
	return is_outdated(luxos) && age_ms >= TABLES_AGAIN_MS;
}

static void begin_poll(struct cgminer_desk *desk)
{
	struct luxos *luxos = (struct luxos *)desk;
	luxos->seen = (struct luxos_seen){ 0 };
	luxos->asked_ms = cgminer_desk_now_ms(desk);
	if (luxos->asked_ms - luxos->past.tables_tried_ms >= TABLES_EVERY_MS)
		luxos->past.unjoinable = false;
	luxos->reading = luxos->past.unjoinable ? READ_POWER : READ_JOINED;
}

static size_t poll_request(struct cgminer_desk *desk, char *text, size_t size)
{
	const char *request = requests[((struct luxos *)desk)->reading];
	size_t n = strlen(request);
	memcpy(text, request, n < size ? n : size);
	return n;
}

static int32_t usual_w(const struct luxos *luxos)
{
	int32_t most_w = luxos->desk.conf.nominal_w;
	const struct luxos_rung *rungs = rungs_of(luxos);
	for (size_t i = 0; i < n_rungs_of(luxos); i++)
		most_w = rungs[i].power_w > most_w ? rungs[i].power_w : most_w;
	return most_w;
}

/* ---- keeping the session ---- */

static int64_t session_left_ms(const struct luxos *luxos)
{
	if (!luxos->past.session.id[0])
		return 0;
	return luxos->past.session.used_ms + SESSION_ENDS_MS - cgminer_desk_now_ms(&luxos->desk);
}

static void remind(struct luxos *luxos, int64_t in_ms)
{
	miner_room_remind(luxos->desk.line.room, &luxos->desk.line, (uint32_t)in_ms);
}

/* A session can not be renewed without changing something: a new one is taken as soon as the old has ended. */
static void reminded(struct cgminer_desk *desk)
{
	int64_t left_ms = session_left_ms((struct luxos *)desk);
	if (left_ms > 0)
		remind((struct luxos *)desk, left_ms);
	else
		cgminer_desk_keep(desk);
}

/* While this waited for its turn an order may have taken a session. */
static bool begin_keep(struct cgminer_desk *desk)
{
	struct luxos *luxos = (struct luxos *)desk;
	int64_t left_ms = session_left_ms(luxos);
	if (left_ms > 0) {
		remind(luxos, left_ms);
		return false;
	}
	memcpy(luxos->old_session, luxos->past.session.id, sizeof luxos->old_session);
	luxos_errand_begin_logon(&luxos->errand);
	return true;
}

/* A session that is not new but found may be our own, with a little longer to live than we thought; if it outlives that
 * too, somebody else uses it. */
static void end_keep(struct cgminer_desk *desk)
{
	struct luxos *luxos = (struct luxos *)desk;
	bool found = session_left_ms(luxos) > 0 && luxos->errand.exchanges > 1;
	bool old = found && strcmp(luxos->past.session.id, luxos->old_session) == 0;
	bool dying = old && !luxos->past.outlived;
	luxos->past.outlived = old;
	if (dying)
		luxos->past.session.used_ms -= SESSION_ENDS_MS - OLD_SESSION_MS;
	remind(luxos, dying ? OLD_SESSION_MS : SESSION_ENDS_MS);
}

static void keep_session(struct luxos *luxos)
{
	if (luxos->keeping || !luxos->desk.conf.keep_session)
		return;
	luxos->keeping = true;
	remind(luxos, 1000 + miner_room_dice(luxos->desk.line.room) % 20000);   /* not all at once */
}

/* ---- reading ---- */

/* What was learned of another machine at this address does not hold for this one. */
static void meet(struct luxos *luxos, uint64_t identity)
{
	if (identity == 0 || identity == luxos->past.identity)
		return;
	if (luxos->past.identity) {
		luxos->past.session = (struct luxos_session){ 0 };
		luxos->past.tables_tried = luxos->past.tables_known = false;
		luxos_ladder_drop(luxos->past.ladder);
		luxos->past.ladder = NULL;
		luxos->past.slept_ms = 0;
		luxos->past.profile[0] = luxos->past.own[0] = '\0';
		luxos->past.atm_was = false;
	}
	luxos->past.identity = identity;
}

/* A profile that nobody here told it is its owner's choice, if it can be the full one: a restart may find it at a limit. */
static void hear_profile(struct luxos *luxos)
{
	const struct luxos_seen *seen = &luxos->seen;
	if (!seen->knows_config || !luxos->past.ladder)
		return;
	const struct luxos_rung *full = luxos_rung_full(rungs_of(luxos), n_rungs_of(luxos), luxos->desk.conf.nominal_w, seen->profile);
	bool news = strcmp(seen->profile, luxos->past.profile) != 0;
	if (news && !seen->atm && full && strcmp(full->name, seen->profile) == 0) {
		memcpy(luxos->past.own, seen->profile, sizeof luxos->past.own);
		luxos->past.atm_was = false;
	}
	memcpy(luxos->past.profile, seen->profile, sizeof luxos->past.profile);
	luxos->past.profile_heard = seen->profile[0];
}

static void judge(struct luxos *luxos, struct miner_reading *reading)
{
	const struct luxos_seen *seen = &luxos->seen;
	*reading = (struct miner_reading){ .at_ms = luxos->asked_ms };
	reading->fault = luxos_judge(seen, usual_w(luxos), reading);
	reading->awake_w = luxos_profile_w(rungs_of(luxos), n_rungs_of(luxos), seen->profile);
	/* A build without config does not tell whether it can; the watts will. */
	bool able = seen->can_curtail || (!seen->knows_config && luxos->past.tables_known);
	reading->steerable = luxos->desk.conf.steer && able && luxos->past.is_luxos;
	if (reading->fault != FAULT_NONE)
		return;
	bool settled = luxos->asked_ms - luxos->past.slept_ms >= SETTLES_MS || luxos->past.slept_ms == 0;
	luxos->past.awake = settled && (reading->state == MINER_HASHING || reading->state == MINER_RAMPING);
	luxos->past.atm = seen->atm;
	hear_profile(luxos);
	if (reading->steerable)
		keep_session(luxos);
}

static void keep_tables(struct luxos *luxos, const struct luxos_tables *tables)
{
	if (tables->knows_version)
		luxos->past.is_luxos = tables->is_luxos;
	if (!tables->knows_profiles)
		return;
	luxos_ladder_drop(luxos->past.ladder);
	luxos->past.ladder = luxos_ladder_take(luxos->desk.line.room, tables->rungs, tables->n);
}

/* The tables are worth having but no part of the reading: what goes wrong with them is tried again in a while. */
static enum read after_tables(struct luxos *luxos, const struct cgminer_reply *reply)
{
	struct luxos_tables tables = { 0 };
	bool nothing = true;
	luxos->past.tables_tried = true;
	luxos->past.tables_tried_ms = cgminer_desk_now_ms(&luxos->desk);
	luxos->past.tables_of = luxos->seen.fingerprint;
	luxos->past.tables_firmware = luxos->seen.firmware;
	luxos->past.tables_wrong = false;
	luxos->past.tables_known = reply->fault == FAULT_NONE &&
	                      luxos_decode_tables(reply->text, &tables, &nothing) == FAULT_NONE;
	keep_tables(luxos, &tables);
	if (luxos->past.tables_known && nothing && luxos->reading == READ_TABLES)
		return READ_VERSION;
	return luxos->past.tables_known && luxos->reading == READ_VERSION ? READ_PROFILES : READ_NOTHING;
}

static enum read tables_or_nothing(const struct luxos *luxos)
{
	if (!tables_due(luxos))
		return READ_NOTHING;
	return luxos->past.unjoinable ? READ_VERSION : READ_TABLES;
}

static enum read after_state(struct luxos *luxos, bool nothing)
{
	switch ((enum read)luxos->reading) {
	case READ_JOINED:
		luxos->past.unjoinable = nothing;
		return nothing ? READ_POWER : tables_or_nothing(luxos);
	case READ_POWER:
		return READ_CONFIG;
	case READ_CONFIG:
		return READ_SUMMARY;
	case READ_SUMMARY:
		return luxos->seen.knows_config ? tables_or_nothing(luxos) : READ_NOTHING;
	case READ_TABLES:
	case READ_VERSION:
	case READ_PROFILES:
	case READ_NOTHING:
		break;
	}
	return READ_NOTHING;
}

static bool poll_reply(struct cgminer_desk *desk, const struct cgminer_reply *reply, struct miner_reading *reading)
{
	struct luxos *luxos = (struct luxos *)desk;
	bool nothing = true;
	if (luxos->reading >= READ_TABLES) {
		luxos->reading = (uint8_t)after_tables(luxos, reply);
	} else {
		enum fault fault = reply->fault;
		if (fault == FAULT_NONE)
			fault = luxos_decode(reply->text, &luxos->seen, &nothing);
		if (fault != FAULT_NONE) {
			*reading = (struct miner_reading){ .fault = fault, .at_ms = luxos->asked_ms };
			return true;
		}
		meet(luxos, luxos->seen.identity);
		luxos->reading = (uint8_t)after_state(luxos, nothing);
	}
	if (luxos->reading != READ_NOTHING)
		return false;
	judge(luxos, reading);
	return true;
}

static enum fault begin_order(struct cgminer_desk *desk, const struct miner_order *order)
{
	struct luxos *luxos = (struct luxos *)desk;
	struct luxos_known known = {
		luxos->past.awake, luxos->past.atm, rungs_of(luxos), n_rungs_of(luxos), desk->conf.nominal_w, luxos->past.own,
		luxos->past.profile_heard ? luxos->past.profile : NULL, luxos->past.atm_was,
	};
	if (!desk->conf.steer)
		return FAULT_REFUSED;
	enum fault fault = luxos_errand_begin(&luxos->errand, order, &known, desk->conf.wake);
	if (fault == FAULT_NEVER && luxos->errand.profile[0]) {         /* whether it is heard or not */
		memcpy(luxos->past.profile, luxos->errand.profile, sizeof luxos->past.profile);
		luxos->past.profile_heard = false;
		luxos->past.atm_was |= luxos->past.atm;
		luxos->past.atm |= luxos->errand.atm_on;
	}
	if (!order->hash) {
		luxos->past.awake = false;
		luxos->past.slept_ms = cgminer_desk_now_ms(desk);
	}
	return fault;
}

static size_t order_request(struct cgminer_desk *desk, char *text, size_t size)
{
	struct luxos *luxos = (struct luxos *)desk;
	return luxos_errand_request(&luxos->errand, &luxos->past.session, cgminer_desk_now_ms(desk), text, size);
}

static enum fault order_reply(struct cgminer_desk *desk, const struct cgminer_reply *reply)
{
	struct luxos *luxos = (struct luxos *)desk;
	struct luxos_errand *errand = &luxos->errand;
	enum fault fault = luxos_errand_reply(errand, &luxos->past.session, cgminer_desk_now_ms(desk), reply->fault, reply->text);
	if (fault == FAULT_NONE && errand->profile[0]) {
		luxos->past.atm = errand->atm_on;
		luxos->past.atm_was &= !errand->atm_on;
	}
	if (fault == FAULT_REFUSED && luxos_errand_task(errand) == TASK_PROFILE)
		luxos->past.tables_wrong = true;
	return fault;
}

/* ---- opened again ---- */

_Static_assert(sizeof(struct luxos_past) <= sizeof ((struct miner_memory *)0)->bytes, "a memory has room for it");

static void luxos_remember(const struct miner *miner, struct miner_memory *memory)
{
	const struct luxos *luxos = (const struct luxos *)miner;
	memory->driver = &luxos_driver;
	memcpy(memory->bytes, &luxos->past, sizeof luxos->past);
	if (luxos->past.ladder)
		luxos->past.ladder->users++;
}

static void luxos_recall(struct miner *miner, struct miner_memory *memory)
{
	struct luxos *luxos = (struct luxos *)miner;
	struct luxos_past past;
	memcpy(&past, memory->bytes, sizeof past);
	if (luxos)
		luxos->past = past;
	else
		luxos_ladder_drop(past.ladder);
	memory->driver = NULL;
}

_Static_assert(sizeof ((struct miner_own *)0)->profile == LUXOS_NAME, "a profile's name fits");

static bool luxos_tell_own(const struct miner *miner, struct miner_own *own)
{
	const struct luxos_past *past = &((const struct luxos *)miner)->past;
	*own = (struct miner_own){ .atm = past->atm || past->atm_was };
	memcpy(own->profile, past->own, sizeof own->profile);
	return own->atm || own->profile[0];
}

static void luxos_take_own(struct miner_memory *memory, uint64_t identity, const struct miner_own *own)
{
	struct luxos_past past = { .is_luxos = true, .identity = identity, .atm_was = own->atm };
	memcpy(past.own, own->profile, sizeof past.own);
	memory->driver = &luxos_driver;
	memcpy(memory->bytes, &past, sizeof past);
}

static void freed(struct cgminer_desk *desk)
{
	struct luxos *luxos = (struct luxos *)desk;
	luxos_ladder_drop(luxos->past.ladder);
	free(luxos);
}

static const struct cgminer_trade trade = {
	begin_poll, poll_request, poll_reply, begin_order, order_request, order_reply, begin_keep, end_keep, reminded, freed,
};

static struct miner *luxos_open(struct miner_room *room, const struct miner_conf *conf, struct miner_user user)
{
	struct luxos *luxos = calloc(1, sizeof *luxos);
	if (!luxos)
		abort();
	cgminer_desk_init(&luxos->desk, &luxos_driver, &trade, room, conf, user);
	luxos->past.is_luxos = true;
	return &luxos->desk.miner;
}

/* The vendor claims under 5 s to sleep and under 10 s to wake with fast steps; the default wake initialises and ramps
 * all chips "like a reboot". Profiles stand 25 MHz apart: 90 to 190 W on an S19k Pro, 75 to 265 W on an S19j Pro (recorded
 * tables). How long a change of profile takes is documented nowhere; these times are the slower ones of what the
 * simulated plant assumes, and what is learned takes their place. */
const struct miner_driver luxos_driver = {
	.name = "luxos",
	.step_w = 200,
	.sleep = { .delay_ms = 1000, .ramp_ms = 4000 },
	.wake = { .delay_ms = 5000, .ramp_ms = 15000 },
	.power = { .delay_ms = 2000, .ramp_ms = 10000 },
	.wakes = luxos_wakes,
	.tells_power = true,
	.open = luxos_open,
	.poll = cgminer_desk_poll,
	.order = cgminer_desk_order,
	.remember = luxos_remember,
	.recall = luxos_recall,
	.tell_own = luxos_tell_own,
	.take_own = luxos_take_own,
	.close = cgminer_desk_close,
};
