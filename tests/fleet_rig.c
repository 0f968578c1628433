#include "tests/fleet_rig.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what, int err)
{
	fprintf(stderr, "bench_fleet: %s: %s\n", what, err < 0 ? uv_strerror(err) : "failed");
	exit(1);
}

/* ---- the site's meter: one int32 of watts at register 0 ---- */

static int64_t site_w(const struct rig *rig)
{
	int64_t watts = rig->load_w + rig->farm_awake * RIG_FARM_W + (int64_t)(rig->n_reads % 8);
	for (uint32_t i = 0; i < rig->conf->n_own; i++)
		watts += rig->own[i].asleep ? RIG_ASLEEP_W : RIG_OWN_W;
	return watts;
}

static void note_read(struct rig *rig, uint64_t now_ns)
{
	if (!rig->n_reads++)
		rig->read_first_ns = now_ns;
	else if (now_ns - rig->read_ns > rig->worst_gap_ns)
		rig->worst_gap_ns = now_ns - rig->read_ns;
	rig->read_ns = now_ns;
	int64_t off_ns = (int64_t)(now_ns - rig->read_first_ns) - (int64_t)(rig->n_reads - 1) * RIG_METER_MS * 1000000;
	if (rig->n_reads == 1 || off_ns < rig->earliest_ns)
		rig->earliest_ns = off_ns;
	if (rig->n_reads == 1 || off_ns > rig->worst_late_ns)
		rig->worst_late_ns = off_ns;
}

static int read_meter(struct modbus_server *server, uint8_t function, uint16_t address, uint16_t n, uint16_t *registers)
{
	struct rig *rig = server->self;
	(void)function;
	if (address != 0 || n != 2)
		return 2;
	note_read(rig, uv_hrtime());
	uint32_t watts = (uint32_t)site_w(rig);
	registers[0] = (uint16_t)(watts >> 16);
	registers[1] = (uint16_t)watts;
	if (!rig->shown_ns)
		rig->shown_ns = uv_hrtime();
	return 0;
}

static void meter_closed(struct modbus_server *server)
{
	(void)server;
}

void rig_watch_reads(struct rig *rig)
{
	rig->n_reads = rig->worst_gap_ns = 0;
}

void rig_set_load(struct rig *rig, int64_t load_w)
{
	rig->load_w = load_w;
	rig->load_ns = uv_hrtime();
	rig->shown_ns = rig->commanded_ns = 0;
}

/* ---- miners of our own: LuxOS enough for the driver ---- */

static const char *answer_to(struct rig_own *own, const char *command, size_t len, char *body, size_t size)
{
	const char *status = "\"STATUS\":[{\"Code\":1,\"Description\":\"LUXminer 2024.5.1\",\"Msg\":\"ok\",\"STATUS\":\"S\",\"When\":1}],\"id\":1}";
	bool sleeps = own->asleep;
	const char *text = NULL;
	if (len == 5 && !memcmp(command, "power", 5))
		text = sleeps ? "{\"POWER\":[{\"PSU\":true,\"Watts\":27}]," : "{\"POWER\":[{\"PSU\":true,\"Watts\":3000}],";
	else if (len == 6 && !memcmp(command, "config", 6))
		text = sleeps ? "{\"CONFIG\":[{\"CurtailMode\":\"Sleep\",\"IsPowerSupplyOn\":false,\"Model\":\"S19\",\"Profile\":\"default\"}],"
		              : "{\"CONFIG\":[{\"CurtailMode\":\"None\",\"IsPowerSupplyOn\":true,\"Model\":\"S19\",\"Profile\":\"default\"}],";
	else if (len == 7 && !memcmp(command, "summary", 7))
		text = sleeps ? "{\"SUMMARY\":[{\"GHS 5s\":0,\"GHS av\":0}]," : "{\"SUMMARY\":[{\"GHS 5s\":100000,\"GHS av\":100000}],";
	else if (len == 7 && !memcmp(command, "version", 7))
		text = "{\"VERSION\":[{\"API\":\"3.7\",\"LUXminer\":\"2024.5.1\",\"Type\":\"Antminer S19\"}],";
	else if (len == 8 && !memcmp(command, "profiles", 8))
		text = "{\"PROFILES\":[{\"Profile Name\":\"default\",\"Watts\":3000}],";
	else if ((len == 5 && !memcmp(command, "logon", 5)) || (len == 7 && !memcmp(command, "session", 7)))
		text = "{\"SESSION\":[{\"SessionID\":\"abcd1234\"}],";
	else if (len == 7 && !memcmp(command, "curtail", 7))
		text = "{\"CURTAIL\":[{\"Action\":\"done\"}],";
	if (text)
		snprintf(body, size, "%s%s", text, status);
	else
		snprintf(body, size, "{\"STATUS\":[{\"Code\":14,\"Description\":\"LUXminer\",\"Msg\":\"Invalid command\",\"STATUS\":\"E\",\"When\":1}],\"id\":1}");
	return body;
}

static void own_heard(struct conn *conn)
{
	struct rig_own *own = (struct rig_own *)(void *)conn->listener;
	char reply[4096] = "", body[1024];
	conn->heard[conn->n] = '\0';
	const char *command = strstr(conn->heard, "\"command\":\"");
	if (!command || !strchr(conn->heard, '}'))
		return;
	command += 11;
	size_t len = strcspn(command, "\""), used = 0;
	if ((!memcmp(command, "logon", 5) || !memcmp(command, "curtail", 7)) && !own->rig->commanded_ns)
		own->rig->commanded_ns = uv_hrtime();
	if (!memcmp(command, "curtail", 7))
		own->asleep = strstr(command, ",sleep") != NULL;
	if (!memchr(command, '+', len)) {
		answer_to(own, command, len, reply, sizeof reply);
	} else {
		for (const char *part = command; part < command + len; ) {
			size_t n = strcspn(part, "+\"");
			used += (size_t)snprintf(reply + used, sizeof reply - used, "%s\"%.*s\":[%s]", used ? "," : "{", (int)n,
			                         part, answer_to(own, part, n, body, sizeof body));
			part += n + 1;
		}
		snprintf(reply + used, sizeof reply - used, ",\"id\":1}");
	}
	conn_send(conn, reply, strlen(reply) + 1, true);
}

static void open_own(struct rig *rig)
{
	static const struct listener_user user = { .conn_size = sizeof(struct conn), .on_bytes = own_heard };
	rig->own = calloc(rig->conf->n_own + 1, sizeof *rig->own);
	if (!rig->own)
		abort();
	for (uint32_t i = 0; i < rig->conf->n_own; i++) {
		struct rig_own *own = &rig->own[i];
		own->rig = rig;
		snprintf(own->host, sizeof own->host, "127.3.0.%u", (i + 1) & 255u);
		listener_init(&own->listener, &rig->loop, own->host, rig->conf->own_port, 8, &user);
		int err = listener_start(&own->listener);
		if (err)
			die("a miner of our own", err);
	}
}

/* ---- the broker ---- */

static void link_is_up(void *self) { ((struct rig *)self)->link_up = true; }
static void link_acked(void *self, int mid) { (void)self; (void)mid; }
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
	                      link_message, link_closed });
	for (int i = 0; i < 100 && !rig->link_up; i++)
		rig_turn(rig, 50);
	if (!rig->link_up)
		die("the broker", UV_ETIMEDOUT);
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
		die("minerfarm's control port", 0);
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
		die(conf->mulletd, err);
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
	rig->meter.unit = 1;
	rig->meter.read = read_meter;
	rig->meter.on_closed = meter_closed;
	rig->meter.self = rig;
	strcpy(rig->meter.host, "127.0.0.1");
	open_own(rig);
	int err = modbus_server_start(&rig->meter, &rig->loop, conf->meter_port);
	if (err)
		die("the meter", err);
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
	modbus_server_close(&rig->meter);
	for (uint32_t i = 0; i < rig->conf->n_own; i++)
		listener_close(&rig->own[i].listener);
	link_close(rig->link, true);
	close(rig->farm);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	free(rig->own);
	uv_loop_close(&rig->loop);
}
