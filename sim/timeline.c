/* sim/timeline.c - what shall happen when: "30s:job=+400kW/2s", "60s:pdu=silent:7", "70s:meter=frozen",
 * "80s:meter=scaled*0.67", "80s:miner=lying:12", "80s:miner=dead:5%". Devices count from 1, as their names in a site file do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/options.h"
#include "sim/units.h"

enum { JOB_OVER_MS = 2000 };

static bool add_event(struct farm_conf *conf, struct farm_event event, char *why, size_t size)
{
	if (conf->n_events == FARM_EVENTS) {
		snprintf(why, size, "more than %d events", FARM_EVENTS);
		return false;
	}
	conf->events[conf->n_events++] = event;
	return true;
}

static bool add_job(struct farm_conf *conf, int64_t at_ms, char *what, char *why, size_t size)
{
	struct load_job job = { .at_ms = at_ms, .over_ms = JOB_OVER_MS };
	char *over = strchr(what, '/');
	if (over)
		*over++ = '\0';
	if (!units_watts(what, &job.delta_w) || (over && !units_ms(over, &job.over_ms))) {
		snprintf(why, size, "a job is a change of power and how long it takes, as in +400kW/2s");
		return false;
	}
	if (load_add_job(&conf->truth.load, job))
		return true;
	snprintf(why, size, "more than %d jobs", LOAD_JOBS);
	return false;
}

/* "7" from 1, "all", or nothing for all; miners also "5%". */
static bool which(const char *text, struct farm_event *event)
{
	int64_t number;
	event->device = FARM_ALL;
	if (!text || strcmp(text, "all") == 0)
		return true;
	if (event->what == FARM_MINER_FAULT && units_permille(text, &event->permille))
		return true;
	if (!units_count(text, LAYOUT_MOST, &number) || number == 0)
		return false;
	event->device = number - 1;
	return true;
}

static bool factor(const char *text, size_t len, struct farm_event *event)
{
	char number[16], *end;
	if (event->what == FARM_MINER_FAULT || event->fault != MODBUS_SCALED ||
	    snprintf(number, sizeof number, "%.*s", (int)len, text) >= (int)sizeof number)
		return false;
	double by = strtod(number, &end);
	event->factor_permille = by > 0 && by <= 1000000 ? (int32_t)(by * 1000 + 0.5) : 0;
	return !*end && event->factor_permille > 0;
}

static bool add_fault(struct farm_conf *conf, struct farm_event event, const char *what, char *why, size_t size)
{
	size_t n = strcspn(what, ":"), named = strcspn(what, ":*");
	bool miner = event.what == FARM_MINER_FAULT;
	event.fault = miner ? (int)plant_fault_named(what, n) : (int)modbus_fault_named(what, named);
	if (named < n && !factor(what + named + 1, n - named - 1, &event)) {
		snprintf(why, size, "\"%.*s\": a factor goes with scaled, as in scaled*0.67", (int)n, what);
		return false;
	}
	if (event.fault == (miner ? (int)N_PLANT_FAULTS : (int)N_MODBUS_FAULTS)) {
		snprintf(why, size, "no fault is called \"%.*s\"", (int)n, what);
		return false;
	}
	if (!which(what[n] ? what + n + 1 : NULL, &event)) {
		snprintf(why, size, "\"%s\": which one? a number from 1, or all", what);
		return false;
	}
	return add_event(conf, event, why, size);
}

bool timeline_add(struct farm_conf *conf, const char *entry, char *why, size_t size)
{
	char text[160];
	int64_t at_ms;
	if (snprintf(text, sizeof text, "%s", entry) >= (int)sizeof text) {
		snprintf(why, size, "longer than %zu", sizeof text - 1);
		return false;
	}
	char *what = strchr(text, ':'), *equals = what ? strchr(what, '=') : NULL;
	if (what)
		*what++ = '\0';
	if (!equals || !units_ms(text, &at_ms)) {
		snprintf(why, size, "not TIME:WHAT=…, as in 30s:job=+400kW");
		return false;
	}
	*equals++ = '\0';
	if (strcmp(what, "job") == 0)
		return add_job(conf, at_ms, equals, why, size);
	static const char *const kinds[] = { "meter", "pdu", "miner" };
	for (int k = 0; k < 3; k++)
		if (strcmp(what, kinds[k]) == 0)
			return add_fault(conf, (struct farm_event){ .at_ms = at_ms, .what = k }, equals, why, size);
	snprintf(why, size, "\"%s\" is none of job, meter, pdu, miner", what);
	return false;
}

bool timeline_read(struct farm_conf *conf, char *text, char *why, size_t size)
{
	int line = 1;
	for (char *entry; (entry = strsep(&text, "\n")); line++) {
		char told[160];
		entry += strspn(entry, " \t");
		entry[strcspn(entry, " \t\r")] = '\0';
		if (*entry == '\0' || *entry == '#' || timeline_add(conf, entry, told, sizeof told))
			continue;
		snprintf(why, size, "line %d: %s", line, told);
		return false;
	}
	return true;
}

bool timeline_fits(const struct farm_conf *conf, size_t n_pdus, size_t n_miners, char *why, size_t size)
{
	for (size_t e = 0; e < conf->n_events; e++) {
		const struct farm_event *event = &conf->events[e];
		bool miner = event->what == FARM_MINER_FAULT;
		size_t n = miner ? n_miners : n_pdus;
		if (event->what == FARM_METER_FAULT || event->device < (int64_t)n)
			continue;
		snprintf(why, size, "%s %lld of %zu is to fail", miner ? "miner" : "PDU", (long long)event->device + 1, n);
		return false;
	}
	return true;
}
