#include "daemon/plan.h"

#include <stdio.h>
#include <string.h>

#include "daemon/signal_json.h"
#include "daemon/xalloc.h"

#define SIGNAL_ALARM "signal/hpc-plan"

struct plan {
	char *topic;
	struct alarms *alarms;
	struct notice_book book;
};

struct plan *plan_new(const char *prefix, struct alarms *alarms, struct instant now)
{
	struct plan *plan = xcalloc(1, sizeof(*plan));
	size_t size = strlen(prefix) + sizeof("/hpc/plan");
	plan->topic = xcalloc(1, size);
	snprintf(plan->topic, size, "%s/hpc/plan", prefix);
	plan->alarms = alarms;
	alarms_declare(alarms, SIGNAL_ALARM, "hpc-plan", now);
	alarms_declare(alarms, "plan", "hpc-plan", now);
	return plan;
}

void plan_free(struct plan *plan, struct instant now)
{
	if (!plan)
		return;
	alarms_clear(plan->alarms, SIGNAL_ALARM, now);
	alarms_clear(plan->alarms, "plan", now);
	free(plan->topic);
	free(plan);
}

const char *plan_topic(const struct plan *plan)
{
	return plan->topic;
}

/* ---- messages ---- */

static void refuse(struct plan *plan, const char *id, const char *why, struct instant now)
{
	alarms_raise_passing(plan->alarms, SIGNAL_ALARM, "hpc-plan", now, "%s%s%s", id, *id ? ": " : "", why);
}

static const char *refusal(enum notice_answer answer)
{
	switch (answer) {
	case NOTICE_TAKEN:
	case NOTICE_KNOWN:
	case NOTICE_WITHDRAWN:
	case NOTICE_UNKNOWN:    /* what is over needs no withdrawal */
	case NOTICE_INSTEAD:
		break;
	case NOTICE_OVER: return "its time is over already";
	case NOTICE_FAR:  return "it lies more than a week ahead";
	case NOTICE_FULL: return "there are 64 notices already, none of which comes later";
	}
	return NULL;
}

/* Taken, or why not. */
static void enter(struct plan *plan, const struct notice *notice, struct instant now)
{
	char last[ORDER_ID_SIZE] = "", gone[ORDER_ID_SIZE + 80];
	if (plan->book.n)
		memcpy(last, plan->book.notices[plan->book.n - 1].id, sizeof(last));
	enum notice_answer answer = notices_take(&plan->book, notice, now.mono_ms);
	const char *why = refusal(answer);
	if (answer == NOTICE_INSTEAD) {
		snprintf(gone, sizeof(gone), "forgotten: there are %d notices, and %s comes sooner", NOTICES_MOST, notice->id);
		refuse(plan, last, gone, now);
	} else if (why) {
		refuse(plan, notice->id, why, now);
	} else {
		alarms_clear(plan->alarms, SIGNAL_ALARM, now);
	}
}

static void take(struct plan *plan, const char *text, size_t len, bool retained, struct instant now)
{
	struct notice notice;
	struct signal_fault fault;
	if (!signal_notice_parse(text, len, &notice, &fault)) {
		refuse(plan, fault.id, fault.why, now);
		return;
	}
	if (retained) {                 /* it may be as old as the broker */
		refuse(plan, notice.id, "it was delivered retained", now);
		return;
	}
	notice.at_ms += now.mono_ms - now.utc_ms;       /* from here on nobody's clock matters */
	enter(plan, &notice, now);
}

bool plan_message(struct plan *plan, const char *topic, const char *text, size_t len, bool retained, struct instant now)
{
	char why[80];
	if (strcmp(topic, plan->topic) != 0)
		return false;
	snprintf(why, sizeof(why), "%zu bytes are more than %d", len, SIGNAL_MOST_BYTES);
	if (!text)
		refuse(plan, "", why, now);
	else if (len > 0)               /* an empty one only clears what was retained */
		take(plan, text, len, retained, now);
	return true;
}

/* ---- what comes of them ---- */

const struct notice *plan_notices(const struct plan *plan, size_t *n)
{
	*n = plan->book.n;
	return plan->book.notices;
}

static void tell_false(struct plan *plan, const struct notice *notice, struct instant now)
{
	bool rise = notice->delta_w > 0;
	alarms_raise_passing(plan->alarms, "plan", "hpc-plan", now,
	                     "%s did not come true: it announced %.1f kW %s and %.1f kW came", notice->id,
	                     (double)(rise ? notice->delta_w : -notice->delta_w) / 1e3, rise ? "more" : "less",
	                     (double)notice->moved_w / 1e3);
}

void plan_observe(struct plan *plan, const struct picture *picture, struct instant now)
{
	struct notice ended;
	bool came_true;
	if (picture->failsafe)
		return;                 /* nobody knows what the GPUs do */
	notices_see(&plan->book, now.mono_ms, picture->planned_w - picture->announced_w, picture->recent_w,
	            picture->present_w);
	while (notices_pop(&plan->book, now.mono_ms, &ended, &came_true)) {
		if (came_true)
			alarms_clear(plan->alarms, "plan", now);
		else
			tell_false(plan, &ended, now);
	}
}
