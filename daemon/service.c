#include "daemon/service.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/xalloc.h"

#define STEP_MS    250                  /* at the latest; the site's meter makes it sooner */
#define STOP_MS    5000                 /* orders under way are given up after this */
#define END_MS     50
#define STATUS_MS  5000
#define OWN_DESCRIPTORS    128
#define FEWEST_CONNECTIONS 16
#define MOST_CONNECTIONS   4096

static struct instant now(void)
{
	return system_clock.now(&system_clock);
}

/* ---- stepping ---- */

static void on_poll_timer(uv_timer_t *timer);
static void on_step_timer(uv_timer_t *timer);

static void arm(uv_timer_t *timer, uv_timer_cb cb, int64_t at_ms)
{
	int64_t in_ms = at_ms - now().mono_ms;
	uv_update_time(timer->loop);
	uv_timer_start(timer, cb, in_ms > 0 ? (uint64_t)in_ms : 0, 0);
}

static void arm_poll(struct service *service, int64_t next_ms)
{
	int64_t latest_ms = now().mono_ms + STEP_MS;
	arm(&service->poll_timer, on_poll_timer, next_ms < latest_ms ? next_ms : latest_ms);
}

static void tell_systemd(struct service *service, int64_t now_ms)
{
	/* Only a finished step feeds the watchdog: a stuck loop must look stuck. */
	if (service->watchdog_ms && now_ms - service->fed_ms >= service->watchdog_ms / 4) {
		notify_watchdog();
		service->fed_ms = now_ms;
	}
	if (now_ms - service->status_ms < STATUS_MS)
		return;
	service->status_ms = now_ms;
	const struct picture *picture = &site_last_step(service->site)->picture;
	if (picture->site_w == POLICY_NONE)
		notify_status("the site's meter is not heard");
	else
		notify_status("site %lld kW of %lld kW, miners %lld kW", (long long)picture->site_w / 1000,
		              (long long)picture->limit_w / 1000, (long long)picture->miners_w / 1000);
}

static void step(struct service *service)
{
	struct instant at = now();
	service->step_now = false;
	if (service->stopping || service->reloading)
		return;
	site_step(service->site, at);
	service_keep_orders(service);
	service_tell_lost(service);
	service->step_due_ms = at.mono_ms + STEP_MS;
	arm(&service->step_timer, on_step_timer, service->step_due_ms);
	arm_poll(service, site_poll(service->site, at));
	tell_systemd(service, at.mono_ms);
}

static void on_step_timer(uv_timer_t *timer)
{
	step(timer->data);
}

static void on_poll_timer(uv_timer_t *timer)
{
	struct service *service = timer->data;
	if (!service->stopping && !service->reloading)
		arm_poll(service, site_poll(service->site, now()));
}

static void on_turn(uv_check_t *check)
{
	struct service *service = check->data;
	if (service->step_now)
		step(service);
}

static void on_site_changed(void *self)
{
	((struct service *)self)->step_now = true;
}

/* ---- what stands around the site ---- */

/* Notices stay over a reload; without hpc.plan there are none. */
static void set_plan(struct service *service)
{
	bool wanted = service->wired->config->hpc_plan;
	if (wanted && !service->plan) {
		service->plan = plan_new(service->wired->topic_prefix, service->alarms, now());
		if (service->bus)
			bus_subscribe(service->bus, plan_topic(service->plan));
	} else if (!wanted && service->plan) {
		if (service->bus)
			bus_unsubscribe(service->bus, plan_topic(service->plan));
		plan_free(service->plan, now());
		service->plan = NULL;
		service->plan_refused = false;
	}
}

static void on_alarm(void *self, const char *name, bool raised, enum severity severity, const char *why)
{
	struct service *service = self;
	if (service->stopping)
		return;                 /* all are cleared: nobody looks any more */
	if (!raised)
		log_notice("alarm %s cleared", name);
	else if (severity == SEVERITY_CRITICAL)
		log_error("alarm %s: %s", name, why);
	else
		log_warning("alarm %s: %s", name, why);
}

/* ---- the site, and swapping it ---- */

static void on_site_closed(void *self);

static void new_site(struct service *service)
{
	service->wired->site.dry_run = service->conf->dry_run;
	struct site_rooms rooms = { &system_clock, service->meters, service->miners, &service->retained.sink, service->alarms,
	                            service->signals, service->plan };
	service->site = site_new(&service->wired->site, &rooms,
	                         (struct site_user){ service, on_site_changed, on_site_closed }, now());
}

static void log_what_it_cannot(const struct service *service)
{
	const struct config *config = service->wired->config;
	for (size_t g = 0; g < config->n_miners; g++) {
		const struct miner_driver *driver = miner_driver_named(config->miners[g].driver);
		if (driver->cannot)
			log_notice("miners.%s: %s", config->miners[g].name, driver->cannot);
	}
}

/* To miners at a time: what the meters, the bus and the control socket leave. */
static uint32_t connections_at_most(const struct service *service)
{
	struct rlimit limit = { .rlim_cur = 1024 };
	if (service->wired->config->connections)
		return service->wired->config->connections;
	getrlimit(RLIMIT_NOFILE, &limit);
	size_t others = OWN_DESCRIPTORS + service->wired->site.policy.n_meters;
	size_t left = limit.rlim_cur > others ? limit.rlim_cur - others : 0;
	return left < FEWEST_CONNECTIONS ? FEWEST_CONNECTIONS : left > MOST_CONNECTIONS ? MOST_CONNECTIONS : (uint32_t)left;
}

static void finish_reload(struct service *service)
{
	service->reloading = false;
	miner_room_limit(service->miners, connections_at_most(service));
	site_start(service->site, now());
	alarms_clear(service->alarms, "config", now());
	log_notice("%s: reloaded", service->conf->file);
	log_what_it_cannot(service);
	notify_ready("reloaded");
	service->step_now = true;
	arm(&service->step_timer, on_step_timer, now().mono_ms);
	if (service->reload_again) {
		service->reload_again = false;
		service_reload(service);
	}
}

static void swap_signals(struct service *service)
{
	struct signals *old = service->signals;
	service->signals = signals_new(&service->wired->signals, &service->retained.sink, service->alarms, now());
	signals_adopt(service->signals, old, now());
	service_subscribe(service);     /* first: what stays is never without a listener */
	for (size_t i = 0; service->bus && i < signals_count(old); i++)
		bus_unsubscribe(service->bus, signals_topic(old, i));
	signals_free(old);
}

/* The old devices are closed before the new are opened: many meters take one connection only. */
bool service_reload(struct service *service)
{
	if (service->stopping)
		return true;
	if (service->reloading) {
		service->reload_again = true;
		return true;
	}
	notify_reloading("reading %s", service->conf->file);
	struct wired *wired = service_read_again(service);
	if (!wired) {
		notify_ready("the old configuration stays in force");
		return false;
	}
	service->reloading = true;
	service->next = service->wired; /* freed once the old site is gone */
	service->wired = wired;
	swap_signals(service);
	set_plan(service);
	struct site *old = service->site;
	new_site(service);
	site_adopt(service->site, old);
	site_close(old);
	return true;
}

/* ---- stopping ---- */

static void close_handle(uv_handle_t *handle, void *self)
{
	(void)self;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void count_handle(uv_handle_t *handle, void *n)
{
	(void)handle;
	++*(int *)n;
}

/* With all else closed and written only look-ups are left, which nobody can call back. */
static void on_end_timer(uv_timer_t *timer)
{
	struct service *service = timer->data;
	int n = 0;
	uv_walk(&service->loop, count_handle, &n);
	if (n == 1 && !service_keep_busy(service))
		uv_stop(&service->loop);
}

static void close_rest(struct service *service)
{
	alarms_clear_all(service->alarms, now());
	service_say_offline(service, "stopped");
	meter_room_close(service->meters);
	miner_room_close(service->miners);
	if (service->bus)
		bus_close(service->bus);
	else
		service_keep(service);
	if (service->control)
		control_close(service->control);
	uv_handle_t *const own[] = {
		(uv_handle_t *)&service->step_timer, (uv_handle_t *)&service->poll_timer,
		(uv_handle_t *)&service->stop_timer, (uv_handle_t *)&service->keep_timer,
		(uv_handle_t *)&service->look_timer, (uv_handle_t *)&service->aside_timer,
		(uv_handle_t *)&service->turn, (uv_handle_t *)&service->hup, (uv_handle_t *)&service->term,
		(uv_handle_t *)&service->intr,
	};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		close_handle(own[i], NULL);
	uv_timer_start(&service->end_timer, on_end_timer, END_MS, END_MS);
	uv_unref((uv_handle_t *)&service->end_timer);
}

static void on_site_closed(void *self)
{
	struct service *service = self;
	if (service->next) {            /* the one before the reload */
		wired_free(service->next);
		service->next = NULL;
		if (service->stopping)
			site_start(service->site, now());       /* so that it can be closed */
		else
			finish_reload(service);
		return;
	}
	service->site = NULL;
	close_rest(service);
}

static void on_stop_timer(uv_timer_t *timer)
{
	struct service *service = timer->data;
	if (service->next)
		return;                 /* a reload is on its last metres */
	if (site_busy(service->site) && now().mono_ms < service->step_due_ms)
		return;
	uv_timer_stop(timer);
	service_keep_site(service);
	site_leave(service->site, now());
	site_close(service->site);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct service *service = handle->data;
	if (number == SIGHUP) {
		service_reload(service);
		return;
	}
	if (service->stopping)
		return;
	log_notice("stopping: miners stay as they are");
	notify_stopping("stopping");
	service->stopping = true;
	service->step_due_ms = now().mono_ms + STOP_MS;
	uv_timer_start(&service->stop_timer, on_stop_timer, 0, 50);
}

/* ---- starting ---- */

static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void on_control_closed(void *self)
{
	((struct service *)self)->control = NULL;
}

static bool open_control(struct service *service)
{
	if (!service->conf->socket)
		return true;
	struct control_conf conf = { .path = service->conf->socket };
	struct control_user user = { service, service_answer, on_control_closed };
	int rc = control_open(&service->loop, &conf, user, &service->control);
	if (rc == UV_EADDRINUSE)
		log_error("%s: another mulletd answers there; only one may control a site", service->conf->socket);
	else if (rc == UV_ENOENT)
		log_error("%s: cannot listen: its directory is not there, which systemd makes for the service; by hand --socket tells "
		          "another place, or --no-socket", service->conf->socket);
	else if (rc)
		log_error("%s: cannot listen: %s", service->conf->socket, uv_strerror(rc));
	return rc == 0;
}

static void open_handles(struct service *service)
{
	uv_loop_t *loop = &service->loop;
	uv_timer_init(loop, &service->step_timer);
	uv_timer_init(loop, &service->poll_timer);
	uv_timer_init(loop, &service->stop_timer);
	uv_timer_init(loop, &service->keep_timer);
	uv_timer_init(loop, &service->look_timer);
	uv_timer_init(loop, &service->aside_timer);
	uv_timer_init(loop, &service->end_timer);
	uv_check_init(loop, &service->turn);
	uv_signal_init(loop, &service->hup);
	uv_signal_init(loop, &service->term);
	uv_signal_init(loop, &service->intr);
	service->step_timer.data = service->poll_timer.data = service->stop_timer.data = service->keep_timer.data = service;
	service->look_timer.data = service->aside_timer.data = service->end_timer.data = service;
	service->turn.data = service->hup.data = service->term.data = service->intr.data = service;
	uv_check_start(&service->turn, on_turn);
	uv_signal_start(&service->hup, on_signal, SIGHUP);
	uv_signal_start(&service->term, on_signal, SIGTERM);
	uv_signal_start(&service->intr, on_signal, SIGINT);
}

static void start(struct service *service)
{
	open_handles(service);
	service_open_bus(service);
	service->alarms = alarms_new(&service->retained.sink, (struct alarms_user){ service, on_alarm });
	service->signals = signals_new(&service->wired->signals, &service->retained.sink, service->alarms, now());
	service_subscribe(service);
	set_plan(service);
	service->meters = meter_room_open(&service->loop);
	service->miners = miner_room_open(&service->loop, connections_at_most(service));
	new_site(service);
	service_recall(service);
	site_start(service->site, now());
	log_what_it_cannot(service);
	service->watchdog_ms = notify_watchdog_ms();
	step(service);
	log_notice("%s: %zu meters, %zu miners%s", service->wired->site.name, service->wired->site.policy.n_meters,
	           service->wired->site.policy.n_miners, service->conf->dry_run ? ", dry run: no miner is commanded" : "");
	notify_ready("started");
}

/* A process that returns from main waits for its threads. */
static void leave_lookups(struct service *service)
{
	uv_run(&service->loop, UV_RUN_NOWAIT);  /* closes what is left to close */
	if (!uv_loop_alive(&service->loop))
		return;
	log_notice("the look-up of a name goes on, for no name server answers: not waited for");
	_exit(0);
}

int service_run(const struct service_conf *conf, struct wired *wired)
{
	struct service *service = xcalloc(1, sizeof(*service));
	int code = 1;
	service->conf = conf;
	service->wired = wired;
	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	uv_loop_init(&service->loop);
	if (service_password(service) && open_control(service)) {
		start(service);
		uv_run(&service->loop, UV_RUN_DEFAULT);
		uv_close((uv_handle_t *)&service->end_timer, NULL);
		signals_free(service->signals);
		plan_free(service->plan, now());
		alarms_free(service->alarms);
		retained_free(&service->retained);
		service_keep_free(service);
		code = 0;
		leave_lookups(service);
	}
	uv_run(&service->loop, UV_RUN_DEFAULT);
	uv_loop_close(&service->loop);
	if (service->password)
		explicit_bzero(service->password, strlen(service->password));
	free(service->password);
	wired_free(service->wired);
	free(service);
	return code;
}
