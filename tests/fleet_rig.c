#include "tests/fleet_rig.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void rig_die(const char *what, int err)
{
	fprintf(stderr, "bench_fleet: %s: %s\n", what, err < 0 ? uv_strerror(err) : "failed");
	exit(1);
}

/* ---- the broker ---- */

static void link_is_up(void *self) { ((struct rig *)self)->link_up = true; }
static void link_acked(void *self, int mid) { (void)self; (void)mid; }
static void link_subscribed(void *self, int mid, bool granted) { (void)self; (void)mid; (void)granted; }
static void link_closed(void *self) { ((struct rig *)self)->link = NULL; }

static void link_is_down(void *self, const char *why)
{
	(void)self;
	fprintf(stderr, "bench_fleet: broker: %s\n", why);
}

static void link_ready(void *self)
{
	struct rig *rig = self;
	int mid;
	if (!rig->order_waits)
		return;
	rig->order_waits = false;
	rig->ordered_ns = uv_hrtime();
	if (!link_publish(rig->link, "mullet/bench/order/qse", rig->order, strlen(rig->order), 1, false, &mid))
		rig->order_waits = true;
}

static void link_message(void *self, const char *topic, const char *text, size_t len, bool retained)
{
	(void)self;
	(void)topic;
	(void)retained;
	if (len < 4000 && memmem(text, len, "refused", 7))
		fprintf(stderr, "bench_fleet: %.*s\n", (int)len, text);
}

static void open_link(struct rig *rig)
{
	struct link_conf conf = { .host = "127.0.0.1", .port = rig->conf->broker_port, .client_id = "bench_fleet",
	                          .in_flight = 20, .backoff_ms = 100, .most_backoff_ms = 1000 };
	rig->link = link_open(&rig->loop, &conf, (struct link_user){ rig, link_is_up, link_is_down, link_ready, link_acked,
	                      link_subscribed, link_message, link_closed });
	for (int i = 0; i < 100 && !rig->link_up; i++)
		rig_turn(rig, 50);
	if (!rig->link_up)
		rig_die("the broker", UV_ETIMEDOUT);
	link_subscribe(rig->link, "mullet/bench/ack/qse", true);
}

static void write_time(char *text, size_t size, int64_t ahead_s)
{
	time_t at = time(NULL) + ahead_s;
	struct tm tm;
	strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
}

void rig_order(struct rig *rig, const char *kind, const char *more)
{
	static unsigned number;
	char issued[32], end[32];
	write_time(issued, sizeof issued, 0);
	write_time(end, sizeof end, 3600);
	snprintf(rig->order, sizeof rig->order, "{\"id\":\"b-%u-%s\",\"kind\":\"%s\",\"issued\":\"%s\",\"end\":\"%s\"%s}", ++number,
	         kind, kind, issued, end, more);
	rig->order_waits = true;
	link_wake(rig->link);
	for (int i = 0; i < 1000 && rig->order_waits; i++)
		uv_run(&rig->loop, UV_RUN_ONCE);
}

/* ---- minerfarm ---- */

static void open_farm(struct rig *rig)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(rig->conf->farm_ctl_port),
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 1 };
	rig->farm = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (rig->farm < 0 || connect(rig->farm, (struct sockaddr *)&to, sizeof to) < 0)
		rig_die("minerfarm's control port", 0);
	setsockopt(rig->farm, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static uint64_t figure(const cJSON *tree, const char *key)
{
	return (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(tree, key));
}

bool rig_farm(struct rig *rig, const char *word, struct farm_status *status)
{
	char text[2048];
	if (send(rig->farm, word, strlen(word), 0) < 0)
		return false;
	ssize_t n = recv(rig->farm, text, sizeof text - 1, 0);
	if (n <= 0 || !status)
		return n > 0;
	text[n] = '\0';
	cJSON *tree = cJSON_Parse(text);
	*status = (struct farm_status){ figure(tree, "miners"), figure(tree, "alive"), figure(tree, "asleep"), figure(tree, "last_ns"),
	                                figure(tree, "accepted"), figure(tree, "commands"), figure(tree, "open_max") };
	cJSON_Delete(tree);
	rig->farm_awake = (int64_t)(status->alive - status->asleep);
	return true;
}

/* ---- mulletd ---- */

static void on_exit_of_mulletd(uv_process_t *process, int64_t code, int signal)
{
	struct rig *rig = process->data;
	rig->exited = true;
	if (code || (signal && signal != SIGTERM))
		fprintf(stderr, "bench_fleet: mulletd ended with %d, signal %d; its log is %s\n", (int)code, signal, rig->conf->log);
	uv_close((uv_handle_t *)process, NULL);
}

void rig_start_mulletd(struct rig *rig)
{
	const struct rig_conf *conf = rig->conf;
	char *args[] = { (char *)conf->mulletd, (char *)"-c", (char *)conf->config, (char *)"--socket", (char *)conf->socket, NULL };
	uv_fs_t req;
	int log = uv_fs_open(&rig->loop, &req, conf->log, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_TRUNC, 0644, NULL);
	uv_fs_req_cleanup(&req);
	uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE }, { .flags = UV_INHERIT_FD, .data.fd = log },
	                                  { .flags = UV_INHERIT_FD, .data.fd = log } };
	uv_process_options_t options = { .exit_cb = on_exit_of_mulletd, .file = conf->mulletd, .args = args, .stdio = stdio,
	                                 .stdio_count = 3 };
	rig->mulletd.data = rig;
	rig->exited = false;
	rig->started_ns = uv_hrtime();
	int err = uv_spawn(&rig->loop, &rig->mulletd, &options);
	if (err)
		rig_die(conf->mulletd, err);
	close(log);
}

static void collect(void *self, const char *text, const cJSON *value)
{
	(void)text;
	cJSON_AddItemToArray(self, cJSON_Duplicate(value, 1));
}

cJSON *rig_ask_all(struct rig *rig, const char *verb)
{
	char request[64], error[300];
	cJSON *lines = cJSON_CreateArray();
	snprintf(request, sizeof request, "{\"verb\":\"%s\"}", verb);
	if (client_ask(&rig->control, request, 10000, (struct ctl_listener){ lines, collect }, error, sizeof error) == CTL_DONE)
		return lines;
	cJSON_Delete(lines);
	return NULL;
}

cJSON *rig_ask(struct rig *rig, const char *verb)
{
	cJSON *lines = rig_ask_all(rig, verb);
	cJSON *first = lines ? cJSON_DetachItemFromArray(lines, 0) : NULL;
	cJSON_Delete(lines);
	return first;
}

/* ---- the whole ---- */

static void on_time(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

void rig_turn(struct rig *rig, uint64_t ms)
{
	bool over = false;
	uv_timer_t timer;
	uv_timer_init(&rig->loop, &timer);
	uv_update_time(&rig->loop);
	timer.data = &over;
	uv_timer_start(&timer, on_time, ms, 0);
	while (!over)
		uv_run(&rig->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&rig->loop, UV_RUN_NOWAIT);
}

void rig_open(struct rig *rig, const struct rig_conf *conf)
{
	*rig = (struct rig){ .conf = conf, .exited = true };
	uv_loop_init(&rig->loop);
	rig_open_devices(rig);
	open_link(rig);
	open_farm(rig);
	client_init(&rig->control, conf->socket);
}

void rig_close(struct rig *rig)
{
	if (!rig->exited)
		uv_process_kill(&rig->mulletd, SIGTERM);
	client_close(&rig->control);
	for (int i = 0; i < 100 && !rig->exited; i++)
		rig_turn(rig, 100);
	if (!rig->exited)
		uv_process_kill(&rig->mulletd, SIGKILL);
	rig_close_devices(rig);
	link_close(rig->link, true);
	close(rig->farm);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	free(rig->own);
	free(rig->agents);
	uv_loop_close(&rig->loop);
}
