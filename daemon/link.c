#include "daemon/link.h"

#include <errno.h>
#include <mosquitto.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "daemon/pem.h"
#include "daemon/tls_name.h"
#include "daemon/xalloc.h"

#define KEEPALIVE_S 10
#define STEADY_MS 10000                 /* a link that held so long starts the back-off afresh */
#define READS 20                        /* packets taken at a time, so that a flood cannot hold the loop */

#define ADDRESS_SIZE (INET6_ADDRSTRLEN + IF_NAMESIZE)  /* with the interface, where it is one of a link */

static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

struct link {
	uv_loop_t *loop;
	struct link_user user;
	struct mosquitto *mosq;
	char *host, *tls_ca, *tls_cert, *tls_key;
	struct ssl_ctx_st *tls_name;    /* the library's; NULL: without TLS, or the host is an address */
	uint16_t port;
	uv_poll_t poll;
	uv_timer_t misc, retry, turn;
	uv_getaddrinfo_t lookup;
	uv_work_t work;
	bool away;                      /* one of these two is on the pool; with TLS mosq is the pool's alone meanwhile */
	char fault[LINK_WHY];           /* of the last attempt; empty: none */
	int open;                       /* handles */
	int poll_events;
	bool polling, poll_closing, up, closed;
	int broken;                     /* the library's error while publishing; 0: none */
	int refused;                    /* the broker's answer to our greeting, if it was no */
	uint32_t first_backoff_ms, most_backoff_ms, backoff_ms;
	uint64_t tried_at_ms, up_at_ms;
	uint32_t failed;                /* attempts; the one that led to a connection is the first to be tried again */
};

/* Where no name server answers the pool keeps what it has begun for half a minute: the last of the two frees. */
static void free_when_idle(struct link *link)
{
	if (link->open > 0 || link->away)
		return;
	mosquitto_destroy(link->mosq);
	mosquitto_lib_cleanup();
	free(link->host);
	free(link->tls_ca);
	free(link->tls_cert);
	free(link->tls_key);
	free(link);
}

static void let_go(struct link *link)
{
	if (--link->open > 0)
		return;
	struct link_user user = link->user;
	free_when_idle(link);
	user.on_closed(user.self);
}

static void on_handle_closed(uv_handle_t *handle)
{
	let_go(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct link *link = handle->data;
	link->poll_closing = false;
	let_go(link);
}

/* To be called before the library closes its socket, or at once after: the number may be given away again. */
static void close_poll(struct link *link)
{
	if (!link->polling)
		return;
	link->polling = false;
	link->poll_closing = true;
	uv_close((uv_handle_t *)&link->poll, on_poll_closed);
}

static uint32_t jittered(uint32_t ms)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)uv_hrtime();
	return ms / 2 + random % (ms / 2 + 1);
}

static void on_poll(uv_poll_t *, int status, int events);
static void on_retry(uv_timer_t *);

static void lost(struct link *link, const char *why)
{
	close_poll(link);
	link->failed += !link->up;
	if (link->up && uv_now(link->loop) - link->up_at_ms >= STEADY_MS)
		link->backoff_ms = link->first_backoff_ms;
	link->up = false;
	link->broken = link->refused = 0;
	uv_timer_start(&link->retry, on_retry, jittered(link->backoff_ms), 0);
	link->backoff_ms = link->backoff_ms > link->most_backoff_ms / 2 ? link->most_backoff_ms : link->backoff_ms * 2;
	link->user.on_down(link->user.self, why);
}

static const char *error_text(const struct link *link, int rc)
{
	if (link->refused)
		return mosquitto_connack_string(link->refused);
	return rc == MOSQ_ERR_ERRNO && errno ? strerror(errno) : mosquitto_strerror(rc);
}

static void update_poll(struct link *link)
{
	int events = UV_READABLE | (mosquitto_want_write(link->mosq) ? UV_WRITABLE : 0);
	if (events == link->poll_events)
		return;
	link->poll_events = events;
	uv_poll_start(&link->poll, events, on_poll);
}

/* Follows every call into the library, which closes its socket itself when it meets an error. */
static void after_library(struct link *link, int rc)
{
	if (rc == MOSQ_ERR_SUCCESS && mosquitto_socket(link->mosq) < 0)
		rc = MOSQ_ERR_CONN_LOST;
	if (rc == MOSQ_ERR_SUCCESS && !link->refused)
		link->user.on_ready(link->user.self);
	if (link->closed)
		return;
	if (rc || link->refused || link->broken)
		lost(link, error_text(link, rc ? rc : link->broken));
	else
		update_poll(link);
}

/* With TLS, packets may wait decrypted where poll cannot see them; so it reads until there is no more. */
static int read_packets(struct link *link)
{
	for (int i = 0; i < READS; i++) {
		errno = 0;
		int rc = mosquitto_loop_read(link->mosq, 1);
		if (rc || errno == EAGAIN || mosquitto_socket(link->mosq) < 0)
			return rc;
	}
	return MOSQ_ERR_SUCCESS;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct link *link = handle->data;
	int rc = MOSQ_ERR_SUCCESS, error = 0;
	socklen_t size = sizeof(error);
	if (status < 0) {
		getsockopt(mosquitto_socket(link->mosq), SOL_SOCKET, SO_ERROR, &error, &size);
		lost(link, error ? strerror(error) : "the connection broke");
		return;
	}
	if (events & UV_READABLE)
		rc = read_packets(link);
	if (rc == MOSQ_ERR_SUCCESS && events & UV_WRITABLE && mosquitto_socket(link->mosq) >= 0)
		rc = mosquitto_loop_write(link->mosq, 1);
	after_library(link, rc);
}

static void on_turn(uv_timer_t *timer)
{
	struct link *link = timer->data;
	if (link->polling)
		after_library(link, MOSQ_ERR_SUCCESS);
	else
		link->user.on_ready(link->user.self);
}

void link_wake(struct link *link)
{
	if (!link->closed && !uv_is_active((uv_handle_t *)&link->turn))
		uv_timer_start(&link->turn, on_turn, 0, 0);
}

static void on_misc(uv_timer_t *timer)
{
	struct link *link = timer->data;
	if (!link->polling)
		return;
	/* The library counts from before it looked the name up, which may have taken longer than it would wait. */
	if (!link->up && uv_now(link->loop) - link->tried_at_ms >= KEEPALIVE_S * 1000) {
		lost(link, "the broker does not answer");
		return;
	}
	int rc = link->up ? mosquitto_loop_misc(link->mosq) : MOSQ_ERR_SUCCESS;
	if (rc == MOSQ_ERR_SUCCESS && link->tls_ca)
		rc = read_packets(link);
	after_library(link, rc);
}

static void on_connect(struct mosquitto *mosq, void *self, int rc)
{
	struct link *link = self;
	(void)mosq;
	link->refused = rc;
	if (rc)
		return;
	link->up = true;
	link->up_at_ms = uv_now(link->loop);
	link->user.on_up(link->user.self);
}

static void on_disconnect(struct mosquitto *mosq, void *self, int rc)
{
	(void)mosq;
	(void)rc;
	close_poll(self);
}

static void on_publish(struct mosquitto *mosq, void *self, int mid)
{
	struct link *link = self;
	(void)mosq;
	link->user.on_acked(link->user.self, mid);
}

static void on_subscribe(struct mosquitto *mosq, void *self, int mid, int n, const int *granted_qos)
{
	struct link *link = self;
	(void)mosq;
	link->user.on_subscribed(link->user.self, mid, n > 0 && granted_qos[0] <= 2);
}

static void on_message(struct mosquitto *mosq, void *self, const struct mosquitto_message *message)
{
	struct link *link = self;
	(void)mosq;
	size_t len = message->payloadlen > 0 ? (size_t)message->payloadlen : 0;
	link->user.on_message(link->user.self, message->topic, len ? message->payload : "", len, message->retain);
}

static bool is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	return uv_inet_pton(AF_INET, host, address) == 0 || uv_inet_pton(AF_INET6, host, address) == 0;
}

/* False where no file is to blame. */
static bool blame_file(const struct link *link, char *why, size_t size)
{
	const char *const files[] = { link->tls_ca, link->tls_cert, link->tls_key };
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *fault = files[i] ? pem_fault(files[i]) : NULL;
		if (fault) {
			snprintf(why, size, "%s: %s", files[i], fault);
			return true;
		}
	}
	return false;
}

static int set_tls(struct link *link)
{
	struct tls_files files = { link->tls_ca, link->tls_cert, link->tls_key };
	if (link->tls_name)
		return tls_name_load(link->tls_name, &files) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_TLS;
	return mosquitto_tls_set(link->mosq, files.ca, NULL, files.cert, files.key, NULL);
}

static void try_connect(struct link *link, const char *address)
{
	errno = 0;
	int rc = link->tls_ca ? set_tls(link) : MOSQ_ERR_SUCCESS;
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_connect_async(link->mosq, address, link->port, KEEPALIVE_S);
	if (rc == MOSQ_ERR_SUCCESS && mosquitto_socket(link->mosq) < 0)
		rc = MOSQ_ERR_CONN_LOST;
	link->fault[0] = '\0';
	if (rc != MOSQ_ERR_SUCCESS && !blame_file(link, link->fault, sizeof(link->fault)))
		snprintf(link->fault, sizeof(link->fault), "%s", error_text(link, rc));
}

static void after_try(struct link *link)
{
	if (link->fault[0]) {
		lost(link, link->fault);
		return;
	}
	int rc = uv_poll_init(link->loop, &link->poll, mosquitto_socket(link->mosq));
	if (rc < 0) {
		lost(link, uv_strerror(rc));
		return;
	}
	link->poll.data = link;
	link->open++;
	link->polling = true;
	link->tried_at_ms = uv_now(link->loop);
	link->poll_events = UV_READABLE | UV_WRITABLE;
	uv_poll_start(&link->poll, link->poll_events, on_poll);
}

/* A name may stand for several addresses of which some never answer: after each that fails comes the next. */
static void pick_address(const struct addrinfo *found, uint32_t turn, char address[ADDRESS_SIZE])
{
	uint32_t n = 0;
	for (const struct addrinfo *a = found; a; a = a->ai_next)
		n++;
	for (turn = n ? turn % n : 0; turn > 0; turn--)
		found = found->ai_next;
	getnameinfo(found->ai_addr, found->ai_addrlen, address, ADDRESS_SIZE, NULL, 0, NI_NUMERICHOST);
}

/* On the pool. */
static void work(uv_work_t *req)
{
	struct link *link = req->data;
	char address[ADDRESS_SIZE] = "";
	struct addrinfo *found = NULL;
	if (is_address(link->host)) {
		try_connect(link, link->host);
		return;
	}
	int rc = getaddrinfo(link->host, NULL, &hints, &found);
	if (rc) {
		snprintf(link->fault, sizeof(link->fault), "%.100s: %s", link->host, gai_strerror(rc));
		return;
	}
	pick_address(found, link->failed, address);
	freeaddrinfo(found);
	try_connect(link, address);
}

static void on_worked(uv_work_t *req, int status)
{
	struct link *link = req->data;
	link->away = false;
	if (link->closed)
		free_when_idle(link);
	else if (status < 0)
		lost(link, uv_strerror(status));
	else
		after_try(link);
}

static void on_resolved(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
	struct link *link = lookup->data;
	char address[ADDRESS_SIZE] = "", why[160];
	link->away = false;
	if (found)
		pick_address(found, link->failed, address);
	uv_freeaddrinfo(found);
	snprintf(why, sizeof(why), "%.100s: %s", link->host, status ? uv_strerror(status) : "");
	if (link->closed) {
		free_when_idle(link);
	} else if (status) {
		lost(link, why);
	} else {
		try_connect(link, address);
		after_try(link);
	}
}

/* Always by address, so that a broker that has moved is found. With TLS all of it is done on the pool: files are read. */
static void on_retry(uv_timer_t *timer)
{
	struct link *link = timer->data;
	if (link->poll_closing) {
		uv_timer_start(&link->retry, on_retry, 1, 0);
		return;
	}
	if (!link->tls_ca && is_address(link->host)) {
		try_connect(link, link->host);
		after_try(link);
		return;
	}
	link->lookup.data = link->work.data = link;
	int rc = link->tls_ca ? uv_queue_work(link->loop, &link->work, work, on_worked)
	                      : uv_getaddrinfo(link->loop, &link->lookup, on_resolved, link->host, NULL, &hints);
	if (rc < 0)
		lost(link, uv_strerror(rc));
	else
		link->away = true;
}

static char *copy_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static void open_timer(struct link *link, uv_timer_t *timer)
{
	uv_timer_init(link->loop, timer);
	timer->data = link;
	link->open++;
}

static void open_mosquitto(struct link *link, const struct link_conf *conf)
{
	mosquitto_lib_init();
	/* With a name of our own the broker keeps orders for us while we are away; each says until when it holds. */
	link->mosq = mosquitto_new(conf->client_id, conf->transient || !conf->client_id, link);
	if (!link->mosq)
		abort();
	/* An ack behind a decision would wait 40 ms for the broker's delayed ACK. */
	mosquitto_int_option(link->mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(link->mosq, on_connect);
	mosquitto_disconnect_callback_set(link->mosq, on_disconnect);
	mosquitto_publish_callback_set(link->mosq, on_publish);
	mosquitto_subscribe_callback_set(link->mosq, on_subscribe);
	mosquitto_message_callback_set(link->mosq, on_message);
	mosquitto_max_inflight_messages_set(link->mosq, (unsigned)conf->in_flight);
	if (conf->username)
		mosquitto_username_pw_set(link->mosq, conf->username, conf->password);
	if (conf->will_topic)
		mosquitto_will_set(link->mosq, conf->will_topic, (int)strlen(conf->will), conf->will, 1, true);
}

struct link *link_open(uv_loop_t *loop, const struct link_conf *conf, struct link_user user)
{
	struct link *link = xcalloc(1, sizeof(*link));
	link->loop = loop;
	link->user = user;
	link->host = xstrdup(conf->host);
	link->tls_ca = copy_or_null(conf->tls_ca);
	link->tls_cert = copy_or_null(conf->tls_cert);
	link->tls_key = copy_or_null(conf->tls_key);
	link->port = conf->port;
	link->first_backoff_ms = link->backoff_ms = conf->backoff_ms;
	link->most_backoff_ms = conf->most_backoff_ms;
	open_mosquitto(link, conf);
	if (link->tls_ca && !is_address(link->host))
		link->tls_name = tls_name_set(link->mosq, link->host);
	open_timer(link, &link->misc);
	open_timer(link, &link->retry);
	open_timer(link, &link->turn);
	uv_timer_start(&link->misc, on_misc, 1000, 1000);
	uv_timer_start(&link->retry, on_retry, 0, 0);
	return link;
}

bool link_trying(const struct link *link)
{
	return link->polling;
}

bool link_writable(const struct link *link)
{
	return !mosquitto_want_write(link->mosq);
}

int link_subscribe(struct link *link, const char *topic, int qos)
{
	int mid = 0;
	mosquitto_subscribe(link->mosq, &mid, topic, qos);
	link_wake(link);
	return mid;
}

void link_unsubscribe(struct link *link, const char *topic)
{
	mosquitto_unsubscribe(link->mosq, NULL, topic);
	link_wake(link);
}

bool link_publish(struct link *link, const char *topic, const char *text, size_t len, int qos, bool retained, int *mid)
{
	errno = 0;
	int rc = mosquitto_publish(link->mosq, mid, topic, (int)len, text, qos, retained);
	switch (rc) {
	case MOSQ_ERR_SUCCESS:
		return true;
	case MOSQ_ERR_NO_CONN:
	case MOSQ_ERR_CONN_LOST:
	case MOSQ_ERR_ERRNO:
	case MOSQ_ERR_TLS:
		link->broken = rc;
		return qos > 0;         /* not sent, but kept for the next connection */
	}
	return false;
}

void link_close(struct link *link, bool farewell)
{
	if (link->closed)
		return;
	link->closed = true;
	close_poll(link);
	if (link->up && farewell)
		mosquitto_disconnect(link->mosq);
	link->up = false;
	if (link->away) {
		uv_cancel(link->tls_ca ? (uv_req_t *)&link->work : (uv_req_t *)&link->lookup);
	} else {
		mosquitto_destroy(link->mosq);
		link->mosq = NULL;
	}
	uv_close((uv_handle_t *)&link->misc, on_handle_closed);
	uv_close((uv_handle_t *)&link->retry, on_handle_closed);
	uv_close((uv_handle_t *)&link->turn, on_handle_closed);
}
