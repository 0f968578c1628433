#include "daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/xalloc.h"

struct client {
	uv_pipe_t pipe;
	uv_timer_t idle;
	uv_write_t write;
	struct control *control;
	struct client *next, *before;
	struct json out;                /* the answer on its way */
	char line[CONTROL_MAX_LINE + 1];
	size_t len;
	int open_handles;
	bool writing;
	bool ended;                     /* will ask no more, may still read */
	bool hang_up;                   /* close once the answer is out */
};

struct control {
	uv_loop_t *loop;
	uv_pipe_t listener;
	struct control_user user;
	uint64_t idle_ms;
	struct client *clients;
	unsigned n_clients;             /* those on their way out included */
	bool listening;                 /* the user has been handed this, and will hear of its end */
	bool listener_closed;
};

static void lend_line(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);
static void next_request(struct client *client);

static void free_when_done(struct control *control)
{
	if (!control->listener_closed || control->n_clients > 0)
		return;
	struct control_user user = control->user;
	bool tell = control->listening;
	free(control);
	if (tell)
		user.on_closed(user.self);
}

static void client_handle_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;
	if (--client->open_handles > 0)
		return;
	struct control *control = client->control;
	if (client->before)
		client->before->next = client->next;
	else
		control->clients = client->next;
	if (client->next)
		client->next->before = client->before;
	control->n_clients--;
	json_free(&client->out);
	free(client);
	free_when_done(control);
}

static void close_client(struct client *client)
{
	if (uv_is_closing((uv_handle_t *)&client->pipe))
		return;
	uv_close((uv_handle_t *)&client->pipe, client_handle_closed);
	uv_close((uv_handle_t *)&client->idle, client_handle_closed);
}

static void idle_too_long(uv_timer_t *timer)
{
	close_client(timer->data);
}

static void show_life(struct client *client)
{
	uv_timer_start(&client->idle, idle_too_long, client->control->idle_ms, 0);
}

static void written(uv_write_t *write, int status)
{
	struct client *client = write->data;
	client->writing = false;
	json_free(&client->out);
	if (status < 0 || client->hang_up) {
		close_client(client);
		return;
	}
	show_life(client);
	next_request(client);
}

/* Ends the answer with its verdict (error empty: it was done) and sends it. */
static void send_answer(struct client *client, const char *error)
{
	struct json *out = &client->out;
	if (*error)
		json_reset(out);
	else if (out->len > 0 && out->text[out->len - 1] != '\n')
		json_newline(out);
	json_open(out, NULL);
	json_bool(out, "ok", !*error);
	if (*error)
		json_string(out, "error", error);
	json_close(out);
	json_newline(out);

	client->writing = true;
	client->write.data = client;
	uv_read_stop((uv_stream_t *)&client->pipe);
	uv_buf_t buf = { .base = out->text, .len = out->len };
	if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buf, 1, written) < 0)
		close_client(client);
}

static void answer_line(struct client *client, const char *line, size_t len)
{
	struct control_user *user = &client->control->user;
	char error[CONTROL_ERROR_BYTES] = "";
	cJSON *request = strlen(line) == len ? cJSON_ParseWithOpts(line, NULL, 1) : NULL;
	const cJSON *verb = cJSON_GetObjectItemCaseSensitive(request, "verb");
	if (!cJSON_IsObject(request))
		snprintf(error, sizeof(error), "a request is one JSON object on one line");
	else if (!cJSON_IsString(verb))
		snprintf(error, sizeof(error), "a request needs a \"verb\"");
	else
		user->answer(user->self, verb->valuestring, request, &client->out, error, sizeof(error));
	send_answer(client, error);
	cJSON_Delete(request);
}

/* Answers the first whole line, or reads on where there is none. */
static void next_request(struct client *client)
{
	char *end = memchr(client->line, '\n', client->len);
	if (!end && client->len == CONTROL_MAX_LINE) {
		client->hang_up = true;
		send_answer(client, "a request is at most 4096 bytes long");
		return;
	}
	if (!end && client->ended && client->len > 0)
		end = client->line + client->len;
	if (!end && client->ended) {
		close_client(client);
		return;
	}
	if (!end) {
		uv_read_start((uv_stream_t *)&client->pipe, lend_line, on_read);        /* may be reading already */
		return;
	}
	*end = '\0';
	answer_line(client, client->line, (size_t)(end - client->line));
	size_t used = (size_t)(end - client->line) + 1;
	client->len = used < client->len ? client->len - used : 0;
	memmove(client->line, client->line + used, client->len);
}

static void lend_line(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *client = handle->data;
	(void)suggested;
	*buf = uv_buf_init(client->line + client->len, (unsigned)(CONTROL_MAX_LINE - client->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *client = stream->data;
	(void)buf;
	if (n == 0)
		return;
	if (n < 0 && n != UV_EOF) {
		close_client(client);
		return;
	}
	if (n == UV_EOF)
		client->ended = true;
	else
		client->len += (size_t)n;
	show_life(client);
	next_request(client);
}

static void refuse_client(struct client *client)
{
	static const char text[] = "{\"ok\":false,\"error\":\"too many clients\"}\n";
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)text, sizeof(text) - 1);
	uv_try_write((uv_stream_t *)&client->pipe, &buf, 1);
	close_client(client);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *control = listener->data;
	if (status < 0)
		return;
	struct client *client = xcalloc(1, sizeof(*client));
	bool full = control->n_clients >= CONTROL_MAX_CLIENTS;
	client->control = control;
	client->next = control->clients;
	if (client->next)
		client->next->before = client;
	control->clients = client;
	control->n_clients++;
	uv_pipe_init(control->loop, &client->pipe, 0);
	uv_timer_init(control->loop, &client->idle);
	client->pipe.data = client->idle.data = client;
	client->open_handles = 2;
	if (uv_accept(listener, (uv_stream_t *)&client->pipe) < 0) {
		close_client(client);
	} else if (full) {
		refuse_client(client);
	} else {
		show_life(client);
		next_request(client);
	}
}

static void listener_closed(uv_handle_t *handle)
{
	struct control *control = handle->data;
	control->listener_closed = true;
	free_when_done(control);
}

/* libuv calls it a lack of permission. */
static bool directory_is_missing(const char *path)
{
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path)];
	snprintf(copy, sizeof(copy), "%s", path);
	return access(dirname(copy), F_OK) < 0 && errno == ENOENT;
}

/* 0 if the path is free, or was freed of a socket on which nobody answers. */
static int clear_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat file;
	if (strlen(path) >= sizeof(address.sun_path))
		return UV_ENAMETOOLONG;
	if (lstat(path, &file) < 0)
		return errno == ENOENT && !directory_is_missing(path) ? 0 : uv_translate_sys_error(errno);
	if (!S_ISSOCK(file.st_mode))
		return UV_EEXIST;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return uv_translate_sys_error(errno);
	strcpy(address.sun_path, path);
	/* EAGAIN: somebody listens, with many before us. */
	int error = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	if (error == 0 || error == EAGAIN)
		return UV_EADDRINUSE;
	if (error != ECONNREFUSED)
		return uv_translate_sys_error(error);
	return unlink(path) < 0 ? uv_translate_sys_error(errno) : 0;
}

/* The mode is set before anyone is let in: until listen, connecting is refused. */
static int listen_at(uv_pipe_t *listener, const char *path)
{
	int status = clear_path(path);
	if (status == 0)
		status = uv_pipe_bind(listener, path);
	if (status == 0 && chmod(path, 0660) < 0)
		status = uv_translate_sys_error(errno);
	if (status == 0)
		status = uv_listen((uv_stream_t *)listener, CONTROL_MAX_CLIENTS, on_connection);
	return status;
}

int control_open(uv_loop_t *loop, const struct control_conf *conf, struct control_user user, struct control **out)
{
	struct control *control = xcalloc(1, sizeof(*control));
	control->loop = loop;
	control->user = user;
	control->idle_ms = conf->idle_ms ? conf->idle_ms : CONTROL_IDLE_MS;
	uv_pipe_init(loop, &control->listener, 0);
	control->listener.data = control;
	int status = listen_at(&control->listener, conf->path);
	if (status < 0) {
		uv_close((uv_handle_t *)&control->listener, listener_closed);
		return status;
	}
	control->listening = true;
	*out = control;
	return 0;
}

void control_close(struct control *control)
{
	for (struct client *client = control->clients; client; client = client->next)
		close_client(client);
	uv_close((uv_handle_t *)&control->listener, listener_closed);
}
