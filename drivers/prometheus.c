#include "drivers/prometheus.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "drivers/lookup.h"
#include "drivers/modbus_room.h"
#include "drivers/prometheus_web.h"

enum {
	GRACE_MS = 1,                   /* what lies in the socket at the deadline still counts */
	MOST_ADDRESSES = 4,
};

struct prometheus_meter {
	struct meter meter;
	struct web *web;
	struct web_page page;
	struct prometheus_page conf;
	const char *host;
	uint16_t port;
	char *url;
	uint32_t timeout_ms;
	int64_t most_w;

	uv_timer_t timer;               /* the deadline of a poll */
	bool polling, fetching, grace;
	int64_t asked_ms;
	bool by_name;
	struct lookup *lookup;          /* goes on beyond the poll's deadline: the next poll has use for it; NULL: none */
	struct curl_slist *addresses;   /* of a host with a name, as libcurl wants them; NULL: to be looked up */
	size_t n_bytes;                 /* of the page, so far */
	struct prometheus_scan scan;
};

static int64_t mono_now_ms(void)
{
	return (int64_t)(uv_hrtime() / 1000000);
}

static double utc_now_ms(void)
{
	uv_timeval64_t now;
	uv_gettimeofday(&now);
	return (double)now.tv_sec * 1000 + (double)now.tv_usec / 1000;
}

static void forget_addresses(struct prometheus_meter *self)
{
	curl_easy_setopt(self->page.easy, CURLOPT_RESOLVE, NULL);
	curl_slist_free_all(self->addresses);
	self->addresses = NULL;
}

static void finish(struct prometheus_meter *self, const struct meter_reading *reading)
{
	struct meter_user user = self->meter.user;
	if (reading->fault == FAULT_SILENT && self->fetching)
		forget_addresses(self);
	self->polling = self->fetching = false;
	uv_timer_stop(&self->timer);
	user.on_reading(user.self, reading);
}

/* The earliest time of which the sum may be true: of all its samples, the oldest. A clock that is ahead gains nothing. */
static int64_t true_at_ms(const struct prometheus_meter *self)
{
	const struct prometheus_scan *scan = &self->scan;
	int64_t at_ms = self->asked_ms;
	if (scan->timed < scan->samples)
		at_ms -= self->conf.collected_every_ms;
	if (scan->timed) {
		int64_t timed_ms = mono_now_ms() - (int64_t)(utc_now_ms() - scan->oldest_utc_ms);
		at_ms = timed_ms < at_ms ? timed_ms : at_ms;
	}
	return at_ms - self->conf.averaged_over_ms;
}

static long status_of(CURL *easy)
{
	long status = 0;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static enum fault fault_of(const struct prometheus_meter *self, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return status_of(self->page.easy) == 200 ? FAULT_NONE : FAULT_REFUSED;
	case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_ISSUER_ERROR:
		return FAULT_REFUSED;
	case CURLE_WRITE_ERROR: case CURLE_PARTIAL_FILE: case CURLE_WEIRD_SERVER_REPLY: case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_SSL_CONNECT_ERROR: case CURLE_BAD_CONTENT_ENCODING:
		return FAULT_GARBLED;
	default:
		return status_of(self->page.easy) ? FAULT_GARBLED : FAULT_SILENT;
	}
}

static void on_done(struct web_page *page, CURLcode code)
{
	struct prometheus_meter *self = (void *)((char *)page - offsetof(struct prometheus_meter, page));
	struct meter_reading reading = { .fault = fault_of(self, code), .at_ms = self->asked_ms };
	if (reading.fault == FAULT_NONE && !self->n_bytes)
		prometheus_begin(&self->scan, &self->conf.query, false);
	if (reading.fault == FAULT_NONE)
		reading.fault = prometheus_end(&self->scan, self->most_w, &reading.import_w);
	if (reading.fault == FAULT_NONE)
		reading.at_ms = true_at_ms(self);
	finish(self, &reading);
}

static bool is_openmetrics(CURL *easy)
{
	static const char type[] = "application/openmetrics-text";
	const char *told = NULL;
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &told);
	return told && strncasecmp(told, type, strlen(type)) == 0;
}

/* Inside libcurl: anything but n ends the page with CURLE_WRITE_ERROR. The page of an error is read, so that its
 * connection can be kept, and left at that. */
static size_t on_bytes(char *bytes, size_t one, size_t n, void *user)
{
	struct prometheus_meter *self = user;
	(void)one;
	if (!self->n_bytes)
		prometheus_begin(&self->scan, &self->conf.query, is_openmetrics(self->page.easy));
	self->n_bytes += n;
	if (self->n_bytes > PROMETHEUS_PAGE_BYTES)
		return 0;
	if (status_of(self->page.easy) == 200)
		prometheus_take(&self->scan, bytes, n);
	return n;
}

static void on_deadline(uv_timer_t *timer)
{
	struct prometheus_meter *self = timer->data;
	if (self->fetching && !self->grace) {
		self->grace = true;
		uv_timer_start(timer, on_deadline, GRACE_MS, 0);
		return;
	}
	if (self->fetching)
		web_give_up(self->web, &self->page);
	finish(self, &(struct meter_reading){ .fault = FAULT_SILENT, .at_ms = self->asked_ms });
}

static void fetch(struct prometheus_meter *self)
{
	self->fetching = true;
	web_get(self->web, &self->page);
}

/* "NAME:PORT:ADDRESS,ADDRESS" */
static struct curl_slist *resolved(const struct prometheus_meter *self, const struct addrinfo *found)
{
	char line[512], address[64];
	int n = snprintf(line, sizeof line, "%s:%u:", self->host, self->port);
	for (int i = 0; found && i < MOST_ADDRESSES; i++, found = found->ai_next) {
		const void *bytes = found->ai_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)found->ai_addr)->sin6_addr
		                                                 : &((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr;
		uv_inet_ntop(found->ai_family, bytes, address, sizeof address);
		n += snprintf(line + n, sizeof line - (size_t)n, "%s%s", i ? "," : "", address);
	}
	return curl_slist_append(NULL, line);
}

static void on_found(void *of, const struct addrinfo *found)
{
	struct prometheus_meter *self = of;
	self->lookup = NULL;
	if (found) {
		self->addresses = resolved(self, found);
		curl_easy_setopt(self->page.easy, CURLOPT_RESOLVE, self->addresses);
	}
	if (self->polling && found)
		fetch(self);
	else if (self->polling)
		finish(self, &(struct meter_reading){ .fault = FAULT_SILENT, .at_ms = self->asked_ms });
}

/* libcurl's own look-ups are a thread each, as many as there are hosts where no name server answers. */
static void look_up(struct prometheus_meter *self)
{
	if (!self->lookup)
		self->lookup = lookup_begin(self->timer.loop, self->host, self->port, SOCK_STREAM, on_found, self);
}

static void poll_page(struct meter *meter)
{
	struct prometheus_meter *self = (struct prometheus_meter *)meter;
	if (self->polling)
		return;
	self->polling = true;
	self->grace = false;
	self->n_bytes = 0;
	self->asked_ms = mono_now_ms();
	if (self->by_name && !self->addresses)
		look_up(self);
	else
		fetch(self);
	uv_update_time(self->timer.loop);
	uv_timer_start(&self->timer, on_deadline, self->timeout_ms, 0);
}

static char *url_of(const struct meter_conf *conf)
{
	const char *scheme = conf->page->https ? "https" : "http";
	bool six = strchr(conf->host, ':');
	size_t size = strlen(conf->host) + strlen(conf->page->path) + 32;
	char *url = room_alloc(size);
	snprintf(url, size, "%s://%s%s%s:%u%s", scheme, six ? "[" : "", conf->host, six ? "]" : "", conf->port, conf->page->path);
	return url;
}

static bool is_name(const char *host)
{
	struct in6_addr address;
	return uv_inet_pton(AF_INET, host, &address) != 0 && !strchr(host, ':');
}

static struct meter *open_page(struct meter_room *room, const struct meter_conf *conf, struct meter_user user)
{
	assert(conf->page);
	struct prometheus_meter *self = room_alloc(sizeof *self);
	self->meter = (struct meter){ &prometheus_driver, user };
	self->conf = *conf->page;
	self->host = conf->host;
	self->port = conf->port;
	self->url = url_of(conf);
	self->by_name = is_name(conf->host);
	self->timeout_ms = conf->timeout_ms ? conf->timeout_ms : 1;
	self->most_w = conf->most_w;
	self->page.on_done = on_done;
	self->web = web_join(room, &self->page);
	uv_timer_init(room->loop, &self->timer);
	self->timer.data = self;
	curl_easy_setopt(self->page.easy, CURLOPT_URL, self->url);
	curl_easy_setopt(self->page.easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(self->page.easy, CURLOPT_WRITEDATA, self);
	if (self->conf.ca)
		curl_easy_setopt(self->page.easy, CURLOPT_CAINFO, self->conf.ca);
	return &self->meter;
}

static void on_closed(uv_handle_t *handle)
{
	struct prometheus_meter *self = handle->data;
	struct meter_user user = self->meter.user;
	forget_addresses(self);
	web_leave(self->web, &self->page);
	free(self->url);
	free(self);
	user.on_closed(user.self);
}

static void close_page(struct meter *meter)
{
	struct prometheus_meter *self = (struct prometheus_meter *)meter;
	self->polling = false;
	web_give_up(self->web, &self->page);
	lookup_forget(self->lookup);
	uv_close((uv_handle_t *)&self->timer, on_closed);
}

const struct meter_driver prometheus_driver = {
	.name = "prometheus", .reads = METER_READS_PAGE, .open = open_page, .poll = poll_page, .close = close_page,
};
