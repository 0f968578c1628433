/* tests/farm_of_miners.h - many miners on the loop of what is tested: 127.1.0.1 and up, at one port. They answer anything
 * with as much JSON as they are told, at once, when released, or never. And one in a process of its own. */
#ifndef TESTS_FARM_OF_MINERS_H
#define TESTS_FARM_OF_MINERS_H

#include <arpa/inet.h>
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

struct farm_guest;
struct farm {
	uv_tcp_t listener;
	uint16_t port;
	unsigned holding;               /* miners below this number answer when released */
	size_t bytes;                   /* of a reply; 0: a short one */
	unsigned connections, now, most, requests;      /* now: open; most: of them at any time */
	char *reply;
	struct farm_guest *guests;
};

struct farm_guest {
	uv_tcp_t tcp;
	uv_write_t write;
	struct farm *farm;
	struct farm_guest *next;
	bool held;
	char in[256];
};

static inline void farm_guest_closed(uv_handle_t *handle)
{
	struct farm_guest *guest = handle->data, **at = &guest->farm->guests;
	while (*at != guest)
		at = &(*at)->next;
	*at = guest->next;
	guest->farm->now--;
	free(guest);
}

static inline void farm_hang_up(struct farm_guest *guest)
{
	if (!uv_is_closing((uv_handle_t *)&guest->tcp))
		uv_close((uv_handle_t *)&guest->tcp, farm_guest_closed);
}

static inline void farm_answer(struct farm_guest *guest)
{
	uv_buf_t buf = uv_buf_init(guest->farm->reply, (unsigned)strlen(guest->farm->reply));
	guest->held = false;
	uv_write(&guest->write, (uv_stream_t *)&guest->tcp, &buf, 1, NULL);
}

static inline void farm_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct farm_guest *guest = handle->data;
	(void)suggested;
	*buf = uv_buf_init(guest->in, sizeof guest->in);
}

static inline unsigned farm_number(const struct farm_guest *guest)
{
	struct sockaddr_in at;
	int len = sizeof at;
	uv_tcp_getsockname(&guest->tcp, (struct sockaddr *)&at, &len);
	return (ntohl(at.sin_addr.s_addr) & 0xffff) - 1;
}

static inline void farm_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct farm_guest *guest = stream->data;
	(void)buf;
	if (n < 0) {
		farm_hang_up(guest);
	} else if (n > 0) {
		guest->farm->requests++;
		guest->held = farm_number(guest) < guest->farm->holding;
		if (!guest->held)
			farm_answer(guest);
	}
}

static inline void farm_guest_came(uv_stream_t *listener, int status)
{
	struct farm *farm = listener->data;
	struct farm_guest *guest = calloc(1, sizeof *guest);
	assert(status == 0 && guest);
	uv_tcp_init(listener->loop, &guest->tcp);
	guest->tcp.data = guest;
	guest->farm = farm;
	guest->next = farm->guests;
	farm->guests = guest;
	farm->connections++;
	farm->most = ++farm->now > farm->most ? farm->now : farm->most;
	status = uv_accept(listener, (uv_stream_t *)&guest->tcp);
	assert(status == 0);
	uv_read_start((uv_stream_t *)&guest->tcp, farm_room, farm_read);
}

static inline char *farm_text(size_t bytes)
{
	size_t n = bytes > 20 ? bytes : 20;
	char *text = malloc(n + 1);
	assert(text);
	memset(text, 'x', n);
	memcpy(text, "{\"STATUS\":\"", 11);
	memcpy(text + n - 2, "\"}", 3);
	return text;
}

static inline void farm_release(struct farm *farm)
{
	farm->holding = 0;
	for (struct farm_guest *guest = farm->guests; guest; guest = guest->next) {
		if (guest->held)
			farm_answer(guest);
	}
}

static inline void farm_open(struct farm *farm, uv_loop_t *loop, const char *address, unsigned holding, size_t bytes)
{
	struct sockaddr_storage at;
	int len = sizeof at, rc;
	*farm = (struct farm){ .holding = holding, .bytes = bytes, .reply = farm_text(bytes) };
	if (uv_ip4_addr(address, 0, (struct sockaddr_in *)&at) != 0)
		uv_ip6_addr(address, 0, (struct sockaddr_in6 *)&at);
	uv_tcp_init(loop, &farm->listener);
	farm->listener.data = farm;
	rc = uv_tcp_bind(&farm->listener, (struct sockaddr *)&at, 0);
	assert(rc == 0);
	rc = uv_listen((uv_stream_t *)&farm->listener, 1024, farm_guest_came);
	assert(rc == 0);
	uv_tcp_getsockname(&farm->listener, (struct sockaddr *)&at, &len);
	farm->port = ntohs(((struct sockaddr_in *)&at)->sin_port);
}

static inline void farm_close(struct farm *farm)
{
	uv_close((uv_handle_t *)&farm->listener, NULL);
	for (struct farm_guest *guest = farm->guests; guest; guest = guest->next)
		farm_hang_up(guest);
	uv_run(farm->listener.loop, UV_RUN_DEFAULT);
	free(farm->reply);
}

/* A child that answers one connection after the other; it ends with us, or is ended by its pid. */
static inline pid_t farm_apart(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM, 0), rc;
	rc = bind(listener, (struct sockaddr *)&at, sizeof at) | listen(listener, 1024);
	rc |= getsockname(listener, (struct sockaddr *)&at, &len);
	assert(rc == 0);
	*port = ntohs(at.sin_port);
	pid_t child = fork();
	if (child == 0) {
		char in[256];
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
			if (recv(fd, in, sizeof in, 0) > 0)
				send(fd, "{\"STATUS\":[]}", 13, MSG_NOSIGNAL);
			recv(fd, in, sizeof in, 0);
		}
		_exit(0);
	}
	close(listener);
	return child;
}

static inline void farm_end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

#endif
