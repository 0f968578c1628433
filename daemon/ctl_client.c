#include "daemon/ctl_client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/xalloc.h"

#define LONGEST_LINE (16 << 20)

static int64_t mono_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void client_init(struct ctl_client *client, const char *path)
{
	*client = (struct ctl_client){ .path = path, .fd = -1 };
}

void client_close(struct ctl_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->bytes);
	client_init(client, client->path);
}

static void explain_connect(const char *path, int number, char *error, size_t size)
{
	if (number == ENOENT)
		snprintf(error, size, "no daemon at %s: there is no such socket; is mulletd running?", path);
	else if (number == ECONNREFUSED)
		snprintf(error, size, "no daemon at %s: nobody listens there any more", path);
	else if (number == EACCES)
		snprintf(error, size, "not allowed to use %s: its group may, and root", path);
	else
		snprintf(error, size, "cannot reach %s: %s", path, strerror(number));
}

/* Not blocking: a daemon that is stuck, its queue full, must not hold us. */
static bool connect_client(struct ctl_client *client, char *error, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (client->fd >= 0)
		return true;
	if (strlen(client->path) >= sizeof(address.sun_path)) {
		explain_connect(client->path, ENAMETOOLONG, error, size);
		return false;
	}
	strcpy(address.sun_path, client->path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd >= 0 && connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	explain_connect(client->path, errno, error, size);
	client_close(client);
	return false;
}

/* True once fd is ready; false when the time is over. */
static bool wait_for(int fd, short events, int64_t until_ms)
{
	struct pollfd wanted = { .fd = fd, .events = events };
	for (;;) {
		int64_t left = until_ms - mono_ms();
		if (left <= 0)
			return false;
		int n = poll(&wanted, 1, (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static bool send_all(struct ctl_client *client, const char *bytes, size_t n, int64_t until_ms)
{
	while (n > 0) {
		ssize_t sent = send(client->fd, bytes, n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (sent < 0 && !wait_for(client->fd, POLLOUT, until_ms))
			return false;
		bytes += sent > 0 ? sent : 0;
		n -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

/* The next line, its end cut off, in the client's memory until the next call; NULL: none will come. */
static char *next_line(struct ctl_client *client, size_t *used, int64_t until_ms)
{
	memmove(client->bytes, client->bytes + *used, client->len - *used);
	client->len -= *used;
	*used = 0;
	for (size_t seen = 0;;) {
		char *end = memchr(client->bytes + seen, '\n', client->len - seen);
		if (end) {
			*end = '\0';
			*used = (size_t)(end - client->bytes) + 1;
			return client->bytes;
		}
		seen = client->len;
		if (client->len > LONGEST_LINE)
			return NULL;
		if (client->size - client->len < 4096) {
			client->size = client->size * 2 + 65536;
			client->bytes = xrealloc(client->bytes, client->size);
		}
		ssize_t got = recv(client->fd, client->bytes + client->len, client->size - client->len, 0);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return NULL;
		if (got < 0 && !wait_for(client->fd, POLLIN, until_ms))
			return NULL;
		client->len += got > 0 ? (size_t)got : 0;
	}
}

static enum ctl_outcome hear_answer(struct ctl_client *client, int64_t until_ms, struct ctl_listener listener,
                                    char *error, size_t size)
{
	size_t used = 0;
	char *line;
	while ((line = next_line(client, &used, until_ms))) {
		cJSON *value = cJSON_Parse(line);
		const cJSON *ok = cJSON_GetObjectItemCaseSensitive(value, "ok");
		const cJSON *why = cJSON_GetObjectItemCaseSensitive(value, "error");
		if (!value)
			break;
		if (!ok) {
			listener.line(listener.self, line, value);
			cJSON_Delete(value);
			continue;
		}
		enum ctl_outcome outcome = cJSON_IsTrue(ok) ? CTL_DONE : CTL_REFUSED;
		snprintf(error, size, "%s", cJSON_IsString(why) ? why->valuestring : "the daemon refused and did not say why");
		cJSON_Delete(value);
		memmove(client->bytes, client->bytes + used, client->len - used);
		client->len -= used;
		return outcome;
	}
	snprintf(error, size, line ? "the daemon's answer is not JSON" :
	         mono_ms() >= until_ms ? "the daemon does not answer in time" : "the daemon hung up");
	return CTL_UNREACHED;
}

enum ctl_outcome client_ask(struct ctl_client *client, const char *request, int timeout_ms,
                            struct ctl_listener listener, char *error, size_t error_size)
{
	int64_t until_ms = mono_ms() + timeout_ms;
	if (!connect_client(client, error, error_size))
		return CTL_UNREACHED;
	enum ctl_outcome outcome = CTL_UNREACHED;
	if (!client->bytes) {
		client->size = 65536;
		client->bytes = xcalloc(1, client->size);
	}
	if (send_all(client, request, strlen(request), until_ms) && send_all(client, "\n", 1, until_ms))
		outcome = hear_answer(client, until_ms, listener, error, error_size);
	else
		snprintf(error, error_size, "the daemon hung up");
	if (outcome == CTL_UNREACHED)
		client_close(client);
	return outcome;
}
