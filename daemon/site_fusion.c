/* Meters that do not agree with the others: the alarm meter/NAME, of a meter or of its group. */
#include <stdio.h>
#include <string.h>

#include "daemon/site_parts.h"

/* The first meter of a group stands for it: "pdu" of "pdu/1". */
static size_t first_of(const struct site *site, size_t group)
{
	const struct policy_conf *policy = &site->conf->policy;
	size_t i = 0;
	while (i < policy->n_meters && policy->meter_group[i] != group)
		i++;
	return i;
}

struct subject { char name[128], alarm[140]; bool silent; };   /* silent: another alarm has that name now */

static bool find_subject(const struct site *site, size_t group, struct subject *subject)
{
	size_t i = first_of(site, group);
	if (i == site->conf->policy.n_meters)
		return false;
	const char *name = site->conf->meters[i].name;
	size_t len = strcspn(name, "/");
	snprintf(subject->name, sizeof(subject->name), "%.*s", (int)len, name);
	snprintf(subject->alarm, sizeof(subject->alarm), "meter/%s", subject->name);
	subject->silent = !name[len] && site->meters[i].alarmed;
	return true;
}

static double kw(int64_t w) { return (double)w / 1e3; }

/* Figures only where the sentence is the same: an alarm is told anew when its words change. */
static void word_lie(const struct fusion_verdict *v, bool site, int64_t now_ms, char *why, size_t size)
{
	const char *then = site ? "nothing is woken" : "the site's meter is used alone";
	const char *others = site ? "GPUs and miners" : "the site and the miners";
	switch ((enum lie)v->lie) {
	case LIE_FROZEN:
		snprintf(why, size, "has said %.1f kW for %lld s while %s moved by %.1f kW: %s", kw(v->shows_w),
		         (long long)((now_ms - v->from_ms) / 1000), site ? "the rest" : "the site", kw(v->others_w), then);
		return;
	case LIE_JUMPING:
		snprintf(why, size, "leaps: %.1f kW beside %.1f kW, and back, %d times and more in 5 minutes: %s", kw(v->shows_w),
		         kw(v->others_w), FUSION_LEAPS, then);
		return;
	case LIE_SCALED:
		if (v->by_moves && site)
			snprintf(why, size, "moves %.2f times as far as what stands behind it: %s", (double)v->permille / 1e3, then);
		else if (v->by_moves)
			snprintf(why, size, "moves %.2f times as far as the site does for it, or not all GPUs stand behind it: %s",
			         (double)v->permille / 1e3, then);
		else
			snprintf(why, size, "shows %.1f kW where %s tell of %.1f kW: %s", kw(v->shows_w), others, kw(v->others_w), then);
		return;
	case LIE_SWAPPED:
		snprintf(why, size, "shows %.1f kW, what GPUs draw, where with the miners there are %.1f kW: %s", kw(v->shows_w),
		         kw(v->others_w), then);
		return;
	case LIE_NONE:
	case N_LIES:
		break;
	}
	why[0] = '\0';
}

static void raise_lie(struct site *site, const struct fusion_verdict *verdict, bool is_site, struct instant now)
{
	struct subject subject;
	char why[200];
	if (!find_subject(site, verdict->group, &subject) || subject.silent)
		return;
	word_lie(verdict, is_site, now.mono_ms, why, sizeof(why));
	alarms_raise(site->rooms.alarms, subject.alarm, is_site ? SEVERITY_CRITICAL : SEVERITY_WARNING, subject.name, now,
	             "%s", why);
}

/* Also what the site before a reload had raised: alarms outlive it. */
static void clear_others(struct site *site, struct instant now)
{
	const struct policy_conf *policy = &site->conf->policy;
	const struct fusion *f = &site->state.fusion;
	for (size_t i = 0; i < policy->n_meters; i++) {
		size_t g = policy->meter_group[i];
		struct subject subject;
		bool first = i == 0 || policy->meter_group[i - 1] != g;
		bool lies = (f->on_site.lie && f->on_site.group == g) || (f->on_hpc.lie && f->on_hpc.group == g);
		if (first && !lies && find_subject(site, g, &subject) && !subject.silent)
			alarms_clear(site->rooms.alarms, subject.alarm, now);
	}
}

void tell_fusion(struct site *site, struct instant now)
{
	const struct fusion *f = &site->state.fusion;
	uint32_t told = 1 + (uint32_t)(f->on_site.lie * N_LIES + f->on_hpc.lie);
	if (told != site->lies_told)
		clear_others(site, now);
	site->lies_told = told;
	if (f->on_site.lie != LIE_NONE)
		raise_lie(site, &f->on_site, true, now);
	if (f->on_hpc.lie != LIE_NONE)
		raise_lie(site, &f->on_hpc, false, now);
}
