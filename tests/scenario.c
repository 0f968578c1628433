#include "tests/scenario.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/xalloc.h"

#define BEGIN_MONO_MS 5000000
#define BEGIN_UTC_MS  1795000000000LL
#define TICK_MS       10
#define STEP_MS       250

static void on_changed(void *self)
{
	((struct scenario *)self)->step_now = true;
}

static void on_closed(void *self)
{
	((struct scenario *)self)->closed = true;
}

/* The value of a member of one line of JSON, cut out as text. */
static void cut(const char *text, const char *key, char *out, size_t size)
{
	char quoted[64];
	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	const char *at = strstr(text, quoted);
	out[0] = '\0';
	if (!at)
		return;
	at += strlen(quoted);
	bool string = *at == '"';
	size_t n = string ? strcspn(++at, "\"") : strcspn(at, ",}");
	snprintf(out, size, "%.*s", (int)n, at);
}

static uint32_t count(const char *text, const char *what)
{
	uint32_t n = 0;
	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	return n;
}

static void put(struct sink *sink, const char *topic, enum delivery delivery, const char *text, size_t len)
{
	struct scenario *s = (struct scenario *)(void *)((char *)sink - offsetof(struct scenario, sink));
	(void)delivery;
	char line[640];
	double at_s = (double)scenario_now(s) / 1000;
	if (!strcmp(topic, "decision")) {
		char reason[24], why[400], binding[32];
		cut(text, "reason", reason, sizeof(reason));
		cut(text, "binding", binding, sizeof(binding));
		cut(text, "why", why, sizeof(why));
		s->n_decisions++;
		s->n_sleeps += count(text, "\"do\":\"sleep\"");
		s->n_wakes += count(text, "\"do\":\"wake\"");
		s->n_powers += count(text, "\"do\":\"power\"");
		snprintf(line, sizeof(line), "%7.1f %-8s %-16s %s", at_s, reason, binding, why);
		json_raw(&s->trace, NULL, line, strlen(line));
		json_newline(&s->trace);
	} else if (!strcmp(topic, "state")) {
		cut(text, "state", s->last_state, sizeof(s->last_state));
	} else if (!strncmp(topic, "ack/", 4)) {
		snprintf(s->last_ack, sizeof(s->last_ack), "%s", text);
	} else if (!strcmp(topic, "outcome")) {
		snprintf(s->last_outcome, sizeof(s->last_outcome), "%s", text);
	} else if (!strcmp(topic, "hpc/limit")) {
		snprintf(s->last_limit, sizeof(s->last_limit), "%s", text);
		s->n_limits++;
	} else if (!strncmp(topic, "group/", 6)) {
		json_raw(&s->groups_seen, NULL, topic, strlen(topic));
		json_raw(&s->groups_seen, NULL, text, len);
		json_newline(&s->groups_seen);
	} else if (!strncmp(topic, "event/", 6)) {
		snprintf(s->last_event, sizeof(s->last_event), "%s", text);
	} else if (!strncmp(topic, "alarm/", 6)) {
		char raised[8];
		cut(text, "raised", raised, sizeof(raised));
		snprintf(line, sizeof(line), "%.1f %s %s", at_s, topic + 6, raised);
		json_raw(&s->alarms_seen, NULL, line, strlen(line));
		json_newline(&s->alarms_seen);
	}
}

static void make_policy(struct scenario *s)
{
	const struct scenario_conf *c = &s->conf;
	const struct plant_miner_type *type = c->type;
	struct policy_conf *policy = &s->site_conf.policy;
	size_t n_pdus = c->world.truth.n_pdus;
	s->meter_groups[0] = (struct policy_meter_group){ MEASURES_SITE, -1, 0, 2000 };
	s->meter_groups[1] = (struct policy_meter_group){ MEASURES_HPC, -1, c->pdu_nameplate_w, 3000 };
	s->miner_group = (struct policy_miner_group){
		.priority = 50, .efficiency_mj_per_th = 17500, .nominal_w = type->full_w, .asleep_w = type->asleep_w,
		.cycles_per_day = c->cycles_per_day, .min_awake_ms = c->min_awake_ms, .min_asleep_ms = c->min_asleep_ms,
		.stale_ms = 95000,
		.sleep = { sim_luxos_driver.sleep.delay_ms, sim_luxos_driver.sleep.ramp_ms },
		.wake = { sim_luxos_driver.wake.delay_ms, sim_luxos_driver.wake.ramp_ms },
		.partial_w = c->partial_w, .step_w = c->partial_w ? sim_luxos_driver.step_w : 0,
		.power = { sim_luxos_driver.power.delay_ms, sim_luxos_driver.power.ramp_ms },
	};
	uint16_t *meter_group = xcalloc(n_pdus + 1, sizeof(*meter_group));
	uint16_t *miner_group = xcalloc(c->n_miners, sizeof(*miner_group));
	for (size_t i = 1; i <= n_pdus; i++)
		meter_group[i] = 1;
	*policy = (struct policy_conf){
		.cap_w = c->cap_w, .target_w = c->target_w ? c->target_w : POLICY_NONE,
		.reserve_w = c->reserve_w ? c->reserve_w : POLICY_NONE,
		.ramp_up_w_per_min = c->ramp_up_w_per_min, .ramp_down_w_per_min = c->ramp_down_w_per_min,
		.meter_groups = s->meter_groups, .meter_group = meter_group,
		.miner_groups = &s->miner_group, .miner_group = miner_group,
		.n_meter_groups = n_pdus ? 2 : 1, .n_meters = n_pdus + 1,
		.n_miner_groups = 1, .n_miners = c->n_miners,
	};
}

static char *numbered(const char *name, size_t i)
{
	char text[32];
	snprintf(text, sizeof(text), "%s%zu", name, i);
	return xstrdup(text);
}

static void make_devices(struct scenario *s)
{
	size_t n_pdus = s->conf.world.truth.n_pdus;
	struct site_meter *meters = xcalloc(n_pdus + 1, sizeof(*meters));
	struct site_miner *miners = xcalloc(s->conf.n_miners, sizeof(*miners));
	static const char *const groups[] = { "hall" };
	meters[0] = (struct site_meter){ "main", &sim_meter_driver, { .host = "sim:site", .timeout_ms = 200 }, 200, s->conf.averaged_ms };
	if (s->conf.no_site_meter)
		meters[0].conf.host = "sim:nobody";
	for (size_t i = 0; i < n_pdus; i++)
		meters[i + 1] = (struct site_meter){ numbered("pdu/", i + 1), &sim_meter_driver,
			{ .host = numbered("sim:pdu:", i), .timeout_ms = 1000 }, 1000, 0 };
	for (size_t i = 0; i < s->conf.n_miners; i++)
		miners[i] = (struct site_miner){ numbered("hall/", i + 1), &sim_luxos_driver,
			{ .host = numbered("sim:", i), .timeout_ms = 3000, .nominal_w = s->conf.type->full_w, .steer = true }, 30000 };
	s->site_conf.name = "test";
	s->site_conf.meters = meters;
	s->site_conf.miners = miners;
	s->site_conf.miner_groups = groups;
	s->site_conf.dry_run = s->conf.dry_run;
}

static struct signals *open_signals(struct scenario *s)
{
	static const struct signal_conf grid = { .name = "grid", .format = SIGNAL_ORDER };
	struct signals_conf conf = {
		.prefix = "mullet/test", .signals = &grid, .n_signals = 1, .cap_w = s->conf.cap_w,
		.nominal_w = (int64_t)s->conf.n_miners * s->miner_group.nominal_w,
		.asleep_w = (int64_t)s->conf.n_miners * s->miner_group.asleep_w,
		.sleep_ms = s->miner_group.sleep.delay_ms + s->miner_group.sleep.ramp_ms,
		.wake_ms = s->miner_group.wake.delay_ms + s->miner_group.wake.ramp_ms,
	};
	return signals_new(&conf, &s->sink, s->alarms, s->clock.at);
}

static void new_site(struct scenario *s, const struct site_conf *conf)
{
	struct site_rooms rooms = { &s->clock.clock, sim_world_room(s->world), sim_world_miners(s->world), &s->sink, s->alarms, s->signals, s->plan };
	s->site = site_new(conf, &rooms, (struct site_user){ s, on_changed, on_closed }, s->clock.at);
}

static void open_site(struct scenario *s)
{
	new_site(s, &s->site_conf);
	if (s->recalled)
		site_recall(s->site, s->clock.at, s->recalled);
	site_start(s->site, s->clock.at);
}

static void close_site(struct scenario *s, struct site *site)
{
	s->closed = false;
	site_close(site);
	for (int i = 0; i < 1000000 && !s->closed; i++) {
		s->clock.at.mono_ms += TICK_MS;
		s->clock.at.utc_ms += TICK_MS;
		sim_world_run(s->world, s->clock.at.mono_ms);
		uv_run(&s->loop, UV_RUN_NOWAIT);
	}
	assert(s->closed);
}

void scenario_open(struct scenario *s, const struct scenario_conf *conf)
{
	*s = (struct scenario){ .conf = *conf, .sink = { .put = put } };
	if (!s->conf.type)
		s->conf.type = &plant_luxos_s21;
	s->conf.world.begin_ms = BEGIN_MONO_MS;
	manual_clock_init(&s->clock, (struct instant){ BEGIN_MONO_MS, BEGIN_UTC_MS });
	s->world = sim_world_open(&s->conf.world);
	plant_add(&sim_world_truth(s->world)->plant, s->conf.type, conf->n_miners);
	for (size_t i = 0; i < conf->n_asleep; i++)
		plant_start_asleep(&sim_world_truth(s->world)->plant, i);
	assert(uv_loop_init(&s->loop) == 0);
	make_policy(s);
	make_devices(s);
	s->alarms = alarms_new(&s->sink, (struct alarms_user){ 0 });
	s->signals = open_signals(s);
	if (conf->plan)
		s->plan = plan_new("mullet/test", s->alarms, s->clock.at);
	open_site(s);
	s->next_step_ms = s->next_poll_ms = s->next_sample_ms = BEGIN_MONO_MS;
}

static void sample(struct scenario *s)
{
	if (s->n_samples == s->room) {
		s->room = s->room ? s->room * 2 : 1024;
		s->site_w = xrealloc(s->site_w, s->room * sizeof(double));
		s->hpc_w = xrealloc(s->hpc_w, s->room * sizeof(double));
		s->limit_w = xrealloc(s->limit_w, s->room * sizeof(double));
	}
	s->site_w[s->n_samples] = (double)sim_world_site_w(s->world);
	s->hpc_w[s->n_samples] = (double)sim_world_hpc_w(s->world);
	int64_t limit_w = site_last_step(s->site)->picture.limit_w;
	s->limit_w[s->n_samples] = (double)(limit_w ? limit_w : s->conf.cap_w);
	s->n_samples++;
	s->next_sample_ms += SCENARIO_SAMPLE_MS;
}

static void tick(struct scenario *s)
{
	int64_t now_ms = s->clock.at.mono_ms;
	sim_world_run(s->world, now_ms);
	if (s->step_now || now_ms >= s->next_step_ms) {
		s->step_now = false;
		site_step(s->site, s->clock.at);
		s->next_step_ms = now_ms + STEP_MS;
		s->next_poll_ms = 0;
	}
	if (now_ms >= s->next_poll_ms)
		s->next_poll_ms = site_poll(s->site, s->clock.at);
	if (now_ms >= s->next_sample_ms)
		sample(s);
}

void scenario_run(struct scenario *s, int64_t ms)
{
	for (int64_t end_ms = s->clock.at.mono_ms + ms; s->clock.at.mono_ms < end_ms; ) {
		tick(s);
		s->clock.at.mono_ms += TICK_MS;
		s->clock.at.utc_ms += TICK_MS;
	}
}

void scenario_reload(struct scenario *s, const struct site_conf *conf)
{
	struct site *old = s->site;
	new_site(s, conf);
	site_adopt(s->site, old);
	close_site(s, old);
	site_start(s->site, s->clock.at);
	s->next_step_ms = s->next_poll_ms = s->clock.at.mono_ms;
}

void scenario_restart(struct scenario *s, int64_t away_ms)
{
	close_site(s, s->site);
	for (int64_t end_ms = s->clock.at.mono_ms + away_ms; s->clock.at.mono_ms < end_ms; ) {
		s->clock.at.mono_ms += TICK_MS;
		s->clock.at.utc_ms += TICK_MS;
		sim_world_run(s->world, s->clock.at.mono_ms);
	}
	open_site(s);
	while (s->next_sample_ms < s->clock.at.mono_ms)
		sample(s);
	s->next_step_ms = s->next_poll_ms = s->clock.at.mono_ms;
}

void scenario_shift_utc(struct scenario *s, int64_t by_ms)
{
	s->clock.at.utc_ms += by_ms;
}

void scenario_note(struct scenario *s, const char *format, ...)
{
	char text[200], line[240];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(line, sizeof(line), "%7.1f -------- %s", (double)scenario_now(s) / 1000, text);
	json_raw(&s->trace, NULL, line, strlen(line));
	json_newline(&s->trace);
}

int64_t scenario_now(const struct scenario *s)
{
	return s->clock.at.mono_ms - BEGIN_MONO_MS;
}

void scenario_order(struct scenario *s, const char *kind, const char *id, int64_t watts, int64_t start_in_ms,
                    int64_t end_in_ms)
{
	const char *field = !strcmp(kind, "cap") ? "limit_w" : !strcmp(kind, "shed") ? "keep_w" : "setpoint_w";
	struct json json = { 0 };
	json_open(&json, NULL);
	json_string(&json, "id", id);
	json_string(&json, "kind", kind);
	json_int(&json, field, watts);
	if (!strcmp(kind, "setpoint") && s->conf.setpoint_ramp_w_per_min)
		json_int(&json, "ramp_w_per_min", s->conf.setpoint_ramp_w_per_min);
	json_time(&json, "issued", s->clock.at.utc_ms);
	json_time(&json, "start", start_in_ms ? s->clock.at.utc_ms + start_in_ms : 0);
	json_time(&json, "end", s->clock.at.utc_ms + end_in_ms);
	json_close(&json);
	signals_message(s->signals, "mullet/test/order/grid", json.text, json.len, false, s->clock.at);
	site_prompted(s->site, s->clock.at);
	s->step_now = true;
	json_free(&json);
}

void scenario_cycle(struct scenario *s)
{
	char id[32];
	snprintf(id, sizeof(id), "o-%lld", (long long)scenario_now(s));
	scenario_order(s, "shed", id, 0, 0, 30000);
	scenario_run(s, 110000);
}

void scenario_notice(struct scenario *s, const char *id, int64_t in_ms, int64_t delta_w, int64_t over_s)
{
	struct json json = { 0 };
	json_open(&json, NULL);
	json_string(&json, "id", id);
	json_time(&json, "at", s->clock.at.utc_ms + in_ms);
	json_int(&json, "delta_w", delta_w);
	json_int(&json, "over_s", over_s);
	json_close(&json);
	plan_message(s->plan, "mullet/test/hpc/plan", json.text, json.len, false, s->clock.at);
	s->step_now = true;
	json_free(&json);
}

void scenario_score(const struct scenario *s, int64_t from_ms, struct score *score)
{
	size_t from = (size_t)(from_ms / SCENARIO_SAMPLE_MS);
	struct score_series series = { s->site_w + from, s->hpc_w + from, s->n_samples - from, SCENARIO_SAMPLE_MS };
	score_series(&series, (double)s->conf.cap_w, s->limit_w + from, 60000, score);
}

void scenario_close(struct scenario *s)
{
	close_site(s, s->site);
	signals_free(s->signals);
	plan_free(s->plan, s->clock.at);
	alarms_free(s->alarms);
	sim_world_close(s->world);
	assert(uv_loop_close(&s->loop) == 0);
	for (size_t i = 0; i < s->conf.n_miners; i++) {
		free((char *)s->site_conf.miners[i].name);
		free((char *)s->site_conf.miners[i].conf.host);
	}
	for (size_t i = 1; i < s->site_conf.policy.n_meters; i++) {
		free((char *)s->site_conf.meters[i].name);
		free((char *)s->site_conf.meters[i].conf.host);
	}
	free((void *)s->site_conf.meters);
	free((void *)s->site_conf.miners);
	free((void *)s->site_conf.policy.meter_group);
	free((void *)s->site_conf.policy.miner_group);
	free(s->site_w);
	free(s->hpc_w);
	free(s->limit_w);
	json_free(&s->trace);
	json_free(&s->alarms_seen);
	json_free(&s->groups_seen);
}
