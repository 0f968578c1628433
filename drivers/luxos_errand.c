#include "drivers/luxos_errand.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "drivers/cgminer_scan.h"

#define CODE_SESSION_BUSY 402

const char *const luxos_wakes[] = { "default", "safe", "unsafe", "fast", NULL };
static const char *const wake_options[] = { "", ",mode=safe", ",mode=unsafe", ",voltage_step=1,frequency_step=25" };

static const char *options_of(const char *wake)
{
	for (size_t i = 0; wake && luxos_wakes[i]; i++) {
		if (strcmp(wake, luxos_wakes[i]) == 0)
			return wake_options[i];
	}
	return "";
}

static bool has(const struct luxos_errand *errand, enum luxos_task task)
{
	return errand->left >> task & 1;
}

static void add(struct luxos_errand *errand, enum luxos_task task)
{
	errand->most = errand->left ? errand->most + 1 : LUXOS_MOST_EXCHANGES;
	errand->left |= (uint8_t)(1u << task);
}

enum luxos_task luxos_errand_task(const struct luxos_errand *errand)
{
	for (enum luxos_task task = TASK_SLEEP; task < N_TASKS; task++) {
		if (has(errand, task))
			return task;
	}
	return N_TASKS;
}

static bool is_full(const struct miner_order *order, const struct luxos_known *known)
{
	return known->nominal_w > 0 && order->limit_w >= known->nominal_w;
}

static const struct luxos_rung *rung_for(const struct miner_order *order, const struct luxos_known *known)
{
	const char *own = known->own ? known->own : "";
	const struct luxos_rung *full = known->nominal_w > 0 ?
		luxos_rung_full(known->rungs, known->n_rungs, known->nominal_w, own) : NULL;
	if (is_full(order, known))
		return full;
	bool beyond = full && order->limit_w > full->power_w;
	return luxos_rung_under(known->rungs, known->n_rungs, beyond ? full->power_w : order->limit_w);
}

static bool has_profile(const struct luxos_known *known, const struct luxos_rung *rung)
{
	return known->profile && strcmp(known->profile, rung->name) == 0;
}

enum fault luxos_errand_begin(struct luxos_errand *errand, const struct miner_order *order,
                              const struct luxos_known *known, const char *wake)
{
	*errand = (struct luxos_errand){ .step = STEP_TASK, .wake = wake, .plain_wake = options_of(wake)[0] == '\0' };
	if (!order->hash) {
		add(errand, TASK_SLEEP);
		return FAULT_NEVER;
	}
	bool full = is_full(order, known), atm_after = full && (known->atm || known->atm_was);
	const struct luxos_rung *rung = order->limit_w > 0 ? rung_for(order, known) : NULL;
	/* Without a table, full power is what it wakes to. */
	bool as_it_is = order->limit_w <= 0 || (full && !rung && !known->awake);
	if (!rung && !as_it_is)
		return FAULT_REFUSED;
	if (!known->awake || as_it_is)
		add(errand, TASK_WAKE);
	if (as_it_is || (!known->awake && has_profile(known, rung) && known->atm == atm_after))
		return FAULT_NEVER;
	memcpy(errand->profile, rung->name, sizeof errand->profile);
	add(errand, TASK_PROFILE);
	if (known->atm)
		add(errand, TASK_ATM_OFF);
	if (atm_after)
		add(errand, TASK_ATM_ON);
	errand->atm_on = atm_after;
	return FAULT_NEVER;
}

void luxos_errand_begin_logon(struct luxos_errand *errand)
{
	*errand = (struct luxos_errand){ .step = STEP_LOGON, .most = LUXOS_MOST_EXCHANGES };
}

static int write_task(const struct luxos_errand *errand, const char *id, char *text, size_t size)
{
	switch (luxos_errand_task(errand)) {
	case TASK_SLEEP:
		return snprintf(text, size, "{\"command\":\"curtail\",\"parameter\":\"%s,sleep\"}", id);
	case TASK_WAKE:
		return snprintf(text, size, "{\"command\":\"curtail\",\"parameter\":\"%s,wakeup%s\"}", id,
		                errand->plain_wake ? "" : options_of(errand->wake));
	case TASK_ATM_OFF:
		return snprintf(text, size, "{\"command\":\"atmset\",\"parameter\":\"%s,enabled=false\"}", id);
	case TASK_PROFILE:
		return snprintf(text, size, "{\"command\":\"profileset\",\"parameter\":\"%s,%s\"}", id, errand->profile);
	case TASK_ATM_ON:
		return snprintf(text, size, "{\"command\":\"atmset\",\"parameter\":\"%s,enabled=true\"}", id);
	case N_TASKS:
		break;
	}
	return 0;
}

static int write_step(const struct luxos_errand *errand, const char *id, char *text, size_t size)
{
	switch ((enum luxos_step)errand->step) {
	case STEP_TASK:
		return write_task(errand, id, text, size);
	case STEP_LOGON:
		return snprintf(text, size, "{\"command\":\"logon\"}");
	case STEP_SESSION:
		return snprintf(text, size, "{\"command\":\"session\"}");
	case STEP_KILL:
		return snprintf(text, size, "{\"command\":\"kill\"}");
	}
	return 0;
}

size_t luxos_errand_request(struct luxos_errand *errand, const struct luxos_session *session, int64_t now_ms,
                            char *text, size_t size)
{
	bool fresh = session->id[0] && now_ms - session->used_ms < LUXOS_SESSION_MS;
	if (errand->step == STEP_TASK && !fresh)
		errand->step = STEP_LOGON;
	errand->exchanges++;
	return (size_t)write_step(errand, session->id, text, size);
}

/* The id goes back to the miner inside a parameter, so only letters and digits are taken for one. */
static bool take_id(const cJSON *tree, struct luxos_session *session, int64_t now_ms)
{
	bool empty;
	const char *id = cgminer_json_text(cgminer_section(tree, "SESSION", &empty), "SessionID");
	size_t n = id ? strlen(id) : 0;
	if (n == 0 || n >= sizeof session->id)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)id[i]))
			return false;
	}
	memcpy(session->id, id, n + 1);
	session->used_ms = now_ms;
	return true;
}

static enum fault go_on(struct luxos_errand *errand, enum luxos_step step)
{
	errand->step = (uint8_t)step;
	if (step == STEP_TASK && !errand->left)
		return FAULT_NONE;
	return errand->exchanges < errand->most ? FAULT_NEVER : FAULT_REFUSED;
}

static enum fault task_done(struct luxos_errand *errand, struct luxos_session *session, int64_t now_ms)
{
	session->used_ms = now_ms;
	errand->left &= (uint8_t)~(1u << luxos_errand_task(errand));
	return errand->left ? go_on(errand, STEP_TASK) : FAULT_NONE;
}

/* The Code of a session that has run out is not documented; its Msg speaks of the session. */
static bool about_session(const struct cgminer_status *status)
{
	return status->code == CODE_SESSION_BUSY || cgminer_says(status, "session") || cgminer_says(status, "logon") ||
	       cgminer_says(status, "logged");
}

static enum fault task_refused(struct luxos_errand *errand, struct luxos_session *session, int64_t now_ms,
                               const struct cgminer_status *status)
{
	if (about_session(status)) {
		session->id[0] = '\0';
		if (errand->logged_on_again)
			return FAULT_REFUSED;
		errand->logged_on_again = true;
		return go_on(errand, STEP_LOGON);
	}
	if (cgminer_says(status, "already"))
		return task_done(errand, session, now_ms);
	if (luxos_errand_task(errand) == TASK_WAKE && !errand->plain_wake) {
		/* after a restart in its sleep it can not wake unsafely, and older builds know no options */
		errand->plain_wake = true;
		session->used_ms = now_ms;
		return go_on(errand, STEP_TASK);
	}
	return FAULT_REFUSED;
}

static enum fault take_answer(struct luxos_errand *errand, struct luxos_session *session, int64_t now_ms,
                              const cJSON *tree)
{
	struct cgminer_status status = cgminer_status(tree);
	bool failed = cgminer_failed(&status);
	if (!status.letter)
		return FAULT_GARBLED;
	switch ((enum luxos_step)errand->step) {
	case STEP_TASK:
		return failed ? task_refused(errand, session, now_ms, &status) : task_done(errand, session, now_ms);
	case STEP_LOGON:
		if (failed)
			return about_session(&status) ? go_on(errand, STEP_SESSION) : FAULT_REFUSED;
		return take_id(tree, session, now_ms) ? go_on(errand, STEP_TASK) : FAULT_GARBLED;
	case STEP_SESSION:
		if (failed)
			return FAULT_REFUSED;
		return go_on(errand, take_id(tree, session, now_ms) ? STEP_TASK : STEP_KILL);
	case STEP_KILL:
		return failed ? FAULT_REFUSED : go_on(errand, STEP_LOGON);
	}
	return FAULT_GARBLED;
}

/* The usual answer to a command, known without a tree, so that thousands at once allocate nothing. Inside a string
 * these quotes would be escaped. */
static bool plainly_done(const char *text)
{
	struct cgminer_scan scan = { 0 };
	size_t used;
	return strstr(text, "\"STATUS\":\"S\"") && cgminer_scan(&scan, text, strlen(text), &used) == END_VALUE;
}

/* A command that was followed by a close without a word may have been done: the watts will tell. */
enum fault luxos_errand_reply(struct luxos_errand *errand, struct luxos_session *session, int64_t now_ms,
                              enum fault fault, const char *text)
{
	if (fault != FAULT_NONE)
		return fault == FAULT_REFUSED ? FAULT_SILENT : fault;
	if (errand->step == STEP_TASK && plainly_done(text))
		return task_done(errand, session, now_ms);
	cJSON *tree = cgminer_json_parse(text);
	fault = tree ? take_answer(errand, session, now_ms, tree) : FAULT_GARBLED;
	cJSON_Delete(tree);
	return fault;
}
