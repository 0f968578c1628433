#include <stdarg.h>
#include <stdio.h>

#include "daemon/wire.h"

struct printer { void (*put)(void *self, const char *line); void *self; };

static void say(const struct printer *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct printer *to, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	to->put(to->self, line);
}

struct quantity_text { char text[32]; };

static struct quantity_text power(int64_t watts, const char *none)
{
	struct quantity_text q;
	if (watts == POLICY_NONE)
		snprintf(q.text, sizeof(q.text), "%s", none);
	else if (watts >= 1000000)
		snprintf(q.text, sizeof(q.text), "%.6g MW", (double)watts / 1e6);
	else if (watts >= 1000)
		snprintf(q.text, sizeof(q.text), "%.6g kW", (double)watts / 1e3);
	else
		snprintf(q.text, sizeof(q.text), "%lld W", (long long)watts);
	return q;
}

static struct quantity_text duration(int64_t ms)
{
	struct quantity_text q;
	if (ms % 60000 == 0 && ms)
		snprintf(q.text, sizeof(q.text), "%lld min", (long long)ms / 60000);
	else if (ms % 1000 == 0 && ms)
		snprintf(q.text, sizeof(q.text), "%lld s", (long long)ms / 1000);
	else
		snprintf(q.text, sizeof(q.text), "%lld ms", (long long)ms);
	return q;
}

static const char *measures_text(enum measures measures)
{
	switch (measures) {
	case MEASURES_SITE:  return "the site";
	case MEASURES_HPC:   return "the GPU side";
	case MEASURES_OTHER: return "other loads";
	}
	return "";
}

static void print_hosts(const struct printer *to, const char **hosts, size_t n)
{
	if (n == 1)
		say(to, "      at %s", hosts[0]);
	else if (n)
		say(to, "      at %s … %s", hosts[0], hosts[n - 1]);
}

static void print_snmp(const struct printer *to, const struct meter_group_conf *m)
{
	const struct snmp_conf *snmp = &m->snmp;
	if (!snmp->v3)
		say(to, "      SNMP 2c, UDP port %u", m->port);
	else
		say(to, "      SNMP 3, UDP port %u, as %s, %s%s, %s%s", m->port, snmp->user, snmp->auth ? "proved by " : "unproved",
		    snmp->auth ? snmp->auth : "", snmp->privacy ? "hidden by " : "readable on the way",
		    snmp->privacy ? snmp->privacy : "");
}

static void print_page(const struct printer *to, const struct meter_group_conf *m)
{
	const struct prometheus_conf *page = &m->prometheus;
	char labels[256] = "";
	for (size_t i = 0, used = 0; i < page->n_labels && used < sizeof(labels); i++)
		used += (size_t)snprintf(labels + used, sizeof(labels) - used, "%s%s=\"%s\"", i ? ", " : "{", page->labels[i].name,
		                         page->labels[i].value);
	say(to, "      %s://…:%u%s: sum of %u x %s%s%s, 1 is %.6g W", page->https ? "https" : "http", m->port, page->path,
	    page->expect, page->metric, labels, page->n_labels ? "}" : "", page->scale);
	say(to, "      what it shows is up to %s old, a mean over %s", duration(page->collected_every_ms).text,
	    duration(page->averaged_over_ms).text);
}

static void print_meters(const struct wired *wired, const struct printer *to)
{
	const struct config *config = wired->config;
	int64_t nameplate_w = 0;
	say(to, "meters");
	for (size_t g = 0; g < config->n_meters; g++) {
		const struct meter_group_conf *m = &config->meters[g];
		const char *map = m->registers.name ? m->registers.name : m->oids.name;
		say(to, "  %s: %zu x %s%s%s, measure%s %s%s%s", m->name, m->n_hosts, m->driver,
		    map ? " " : "", map ? map : "", m->n_hosts == 1 ? "s" : "",
		    measures_text(m->measures), m->backup_of ? ", while stale in place of " : "",
		    m->backup_of ? m->backup_of : "");
		print_hosts(to, m->hosts, m->n_hosts);
		if (m->prometheus.at.line)
			print_page(to, m);
		if (m->snmp.at.line)
			print_snmp(to, m);
		say(to, "      read every %s, stale after %s%s%s%s%s", duration(m->every_ms).text,
		    duration(m->stale_after_ms).text, m->averaged_over_ms ? ", each value a mean over " : "",
		    m->averaged_over_ms ? duration(m->averaged_over_ms).text : "", m->nameplate_w ? ", while silent each taken at " : "",
		    m->nameplate_w ? power(m->nameplate_w, "").text : "");
		if (m->measures == MEASURES_HPC && !m->backup_of)
			nameplate_w += m->nameplate_w * (int64_t)m->n_hosts;
	}
	say(to, "  nameplate of the GPU side: %s", power(nameplate_w, "").text);
}

static void print_circuits(const struct printer *to, const struct miner_group_conf *m)
{
	size_t n = m->per_circuit ? (m->n_hosts + m->per_circuit - 1) / m->per_circuit : 0;
	if (m->feeder)
		say(to, "      on the feeder %s", m->feeder);
	if (n)
		say(to, "      %zu circuit%s of %u%s", n, n == 1 ? "" : "s", m->per_circuit,
		    m->n_hosts % m->per_circuit ? ", the last of less" : "");
}

static void print_miners(const struct wired *wired, const struct printer *to)
{
	const struct config *config = wired->config;
	const struct policy_conf *policy = &wired->site.policy;
	int64_t all_w = 0;
	size_t n = 0;
	say(to, "miners");
	for (size_t g = 0; g < config->n_miners; g++) {
		const struct miner_group_conf *m = &config->miners[g];
		const struct policy_miner_group *p = &policy->miner_groups[g];
		int64_t group_w = (int64_t)p->nominal_w * (int64_t)m->n_hosts;
		bool steered = m->n_hosts && wired->site.miners[n].conf.steer;
		say(to, "  %s: %zu x %s, %s%s each, %s together, priority %d%s", m->name, m->n_hosts, m->driver,
		    power(p->nominal_w, "").text, m->nominal_w ? "" : " (assumed until they tell)",
		    power(group_w, "").text, p->priority, steered ? "" : ", watched only");
		print_hosts(to, m->hosts, m->n_hosts);
		print_circuits(to, m);
		say(to, "      asleep %s after %s; awake after %s", power(p->asleep_w, "").text,
		    duration(p->sleep.delay_ms + p->sleep.ramp_ms).text, duration(p->wake.delay_ms + p->wake.ramp_ms).text);
		if (p->partial_w)
			say(to, "      or at partial power, down to %s in steps of about %s, there after %s", power(p->partial_w, "").text,
			    power(p->step_w, "").text, duration(p->power.delay_ms + p->power.ramp_ms).text);
		const struct miner_driver *driver = miner_driver_named(m->driver);
		if (driver && driver->cannot)
			say(to, "      %s", driver->cannot);
		all_w += group_w;
		n += m->n_hosts;
	}
	say(to, "  together: %zu miners, %s", n, power(all_w, "").text);
}

static void print_grid(const struct wired *wired, const struct printer *to)
{
	const struct config *config = wired->config;
	if (config->mqtt.present)
		say(to, "mqtt: %s:%u%s, topics %s/…", config->mqtt.host, config->mqtt.port,
		    config->mqtt.tls_ca ? " with TLS" : "", wired->topic_prefix);
	else
		say(to, "mqtt: none: decisions are published nowhere");
	say(to, "grid signals%s", config->n_signals ? "" : ": none");
	for (size_t i = 0; i < config->n_signals; i++) {
		const struct signal_conf *s = &config->signals[i];
		say(to, "  %s: %s on %s%s%s", s->name, s->format == SIGNAL_ORDER ? "orders" : "target",
		    s->topic ? s->topic : wired->topic_prefix, s->topic ? "" : "/order/", s->topic ? "" : s->name);
	}
	if (config->hpc_plan)
		say(to, "GPU scheduler: notices on %s/hpc/plan", wired->topic_prefix);
}

void wired_print(const struct wired *wired, void (*put)(void *self, const char *line), void *self)
{
	const struct printer to = { put, self };
	const struct policy_conf *policy = &wired->site.policy;
	say(&to, "site %s", wired->site.name);
	say(&to, "  cap %s, target %s, reserve %s", power(policy->cap_w, "").text,
	    power(policy->target_w, "auto (the cap less the reserve)").text,
	    power(policy->reserve_w, "auto (learned)").text);
	if (policy->prefer != PREFER_BALANCED)
		say(&to, "  prefers %s", policy->prefer == PREFER_HASH ? "hash to a flat site" : "a flat site to hash");
	if (policy->no_forecast)
		say(&to, "  goes by what the load has been, not by what that foretells");
	if (policy->ramp_up_w_per_min)
		say(&to, "  moved up at most %s a minute", power(policy->ramp_up_w_per_min, "").text);
	if (policy->ramp_down_w_per_min)
		say(&to, "  moved down at most %s a minute, sheds excepted", power(policy->ramp_down_w_per_min, "").text);
	for (size_t i = 0; i < policy->n_windows; i++)
		say(&to, "  moved on purpose at most %s in any %g s", power(policy->windows[i].change_w, "").text,
		    (double)policy->windows[i].within_ms / 1000);
	print_meters(wired, &to);
	print_miners(wired, &to);
	print_grid(wired, &to);
}
