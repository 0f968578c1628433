#include "drivers/prometheus_web.h"

#include "drivers/modbus_room.h"

struct web {
	struct meter_room *room;
	CURLM *multi;
	struct curl_slist *headers;
	uv_timer_t timer;
	unsigned n_pages;
	unsigned open_handles;          /* the timer, and a uv_poll_t for each socket in use */
};

struct web_socket {
	uv_poll_t poll;
	struct web *web;
	curl_socket_t fd;
};

static void web_free(struct web *web)
{
	if (--web->open_handles > 0)
		return;
	struct meter_room *room = web->room;
	curl_slist_free_all(web->headers);
	free(web);
	curl_global_cleanup();
	meter_room_left(room);
}

static void on_timer_closed(uv_handle_t *handle)
{
	web_free(handle->data);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct web_socket *socket = handle->data;
	struct web *web = socket->web;
	free(socket);
	web_free(web);
}

/* What is done is told here, never from inside libcurl: who is told may start, give up and leave. */
static void tell(struct web *web)
{
	int left;
	for (CURLMsg *message; (message = curl_multi_info_read(web->multi, &left)); ) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;
		struct web_page *page;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&page);
		curl_multi_remove_handle(web->multi, easy);
		page->on_done(page, code);
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct web_socket *socket = poll->data;
	struct web *web = socket->web;
	int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;
	flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	curl_multi_socket_action(web->multi, socket->fd, flags, &running);
	tell(web);
}

static void on_time(uv_timer_t *timer)
{
	struct web *web = timer->data;
	int running;
	curl_multi_socket_action(web->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	tell(web);
}

static int set_timer(CURLM *multi, long ms, void *self)
{
	struct web *web = self;
	(void)multi;
	if (ms < 0)
		return uv_timer_stop(&web->timer);
	uv_update_time(web->room->loop);
	return uv_timer_start(&web->timer, on_time, (uint64_t)ms, 0);
}

/* NULL where the loop cannot watch it: its page then ends at its deadline. */
static struct web_socket *socket_open(struct web *web, curl_socket_t fd)
{
	struct web_socket *socket = room_alloc(sizeof *socket);
	if (uv_poll_init_socket(web->room->loop, &socket->poll, fd) < 0) {
		free(socket);
		return NULL;
	}
	socket->poll.data = socket;
	socket->web = web;
	socket->fd = fd;
	web->open_handles++;
	curl_multi_assign(web->multi, fd, socket);
	return socket;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *of_socket)
{
	struct web_socket *socket = of_socket;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket)
			uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
		return 0;
	}
	if (!socket)
		socket = socket_open(self, fd);
	int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	if (socket)
		uv_poll_start(&socket->poll, events, on_ready);
	return 0;
}

static struct web *web_open(struct meter_room *room)
{
	struct web *web = room_alloc(sizeof *web);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	web->room = room;
	web->multi = curl_multi_init();
	web->headers = curl_slist_append(NULL, "Accept: text/plain;version=0.0.4");
	if (!web->multi || !web->headers)
		abort();
	uv_timer_init(room->loop, &web->timer);
	web->timer.data = web;
	web->open_handles = 1;
	curl_multi_setopt(web->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(web->multi, CURLMOPT_SOCKETDATA, web);
	curl_multi_setopt(web->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(web->multi, CURLMOPT_TIMERDATA, web);
	room->web = web;
	room->n_open++;
	return web;
}

/* Its own default keeps four connections for each page under way, which are none between two polls. */
static void keep_connections(struct web *web)
{
	curl_multi_setopt(web->multi, CURLMOPT_MAXCONNECTS, (long)web->n_pages + 1);
}

struct web *web_join(struct meter_room *room, struct web_page *page)
{
	struct web *web = room->web ? room->web : web_open(room);
	page->easy = curl_easy_init();
	if (!page->easy)
		abort();
	web->n_pages++;
	keep_connections(web);
	curl_easy_setopt(page->easy, CURLOPT_PRIVATE, (char *)page);
	curl_easy_setopt(page->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(page->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(page->easy, CURLOPT_HTTPHEADER, web->headers);
	curl_easy_setopt(page->easy, CURLOPT_USERAGENT, "mulletd");
	curl_easy_setopt(page->easy, CURLOPT_PROXY, "");        /* whatever the environment says */
	return web;
}

void web_leave(struct web *web, struct web_page *page)
{
	curl_easy_cleanup(page->easy);
	if (--web->n_pages > 0)
		return;
	web->room->web = NULL;
	curl_multi_cleanup(web->multi);
	uv_close((uv_handle_t *)&web->timer, on_timer_closed);
}

void web_get(struct web *web, struct web_page *page)
{
	curl_multi_add_handle(web->multi, page->easy);
}

void web_give_up(struct web *web, struct web_page *page)
{
	curl_multi_remove_handle(web->multi, page->easy);
}
