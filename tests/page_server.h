/* tests/page_server.h - whom a page of metrics is asked of in tests: lighttpd, and sockets that do what it never would. */
#ifndef TESTS_PAGE_SERVER_H
#define TESTS_PAGE_SERVER_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static inline int page_socket(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
	assert(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static inline uint16_t free_port(void)
{
	uint16_t port;
	close(page_socket(&port));
	return port;
}

/* ---- lighttpd ---- */
struct lighttpd {
	char directory[64];
	uint16_t port, tls_port;        /* tls_port 0: no TLS */
	pid_t pid;
};

static inline bool lighttpd_is_here(void)
{
	return access("/usr/sbin/lighttpd", X_OK) == 0;
}

static inline void page_write(const struct lighttpd *server, const char *name, const char *text, size_t n)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", server->directory, name);
	FILE *file = fopen(path, "w");
	assert(file && fwrite(text, 1, n, file) == n && fclose(file) == 0);
}

static inline void run(const char *const *argv)
{
	pid_t pid;
	int status;
	posix_spawn_file_actions_t quiet;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", 1, 0);
	assert(posix_spawn(&pid, argv[0], &quiet, NULL, (char *const *)argv, environ) == 0);
	assert(waitpid(pid, &status, 0) == pid && status == 0);
	posix_spawn_file_actions_destroy(&quiet);
}

static inline void lighttpd_make(struct lighttpd *server, bool tls)
{
	char conf[2048], pem[128];
	*server = (struct lighttpd){ .directory = "/tmp/mullet_pages_XXXXXX", .port = free_port() };
	assert(mkdtemp(server->directory));
	snprintf(pem, sizeof pem, "%s/both.pem", server->directory);
	int n = snprintf(conf, sizeof conf,
		"server.document-root = \"%s\"\nserver.bind = \"127.0.0.1\"\nserver.port = %u\n"
		"server.modules = (\"mod_cgi\", \"mod_openssl\")\nserver.errorlog = \"%s/error.log\"\n"
		"server.max-keep-alive-requests = 1000\nserver.max-keep-alive-idle = 30\nserver.stream-response-body = 1\nserver.stat-cache-engine = \"disable\"\n"
		"cgi.assign = (\".sh\" => \"/bin/sh\")\nmimetype.assign = (\".txt\" => \"text/plain; version=0.0.4\", "
		"\".om\" => \"application/openmetrics-text; version=1.0.0\", \"\" => \"text/plain\")\n",
		server->directory, server->port, server->directory);
	if (tls) {
		server->tls_port = free_port();
		const char *argv[] = { "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		                       "-nodes", "-days", "2", "-subj", "/CN=gpu-01", "-addext", "subjectAltName=IP:127.0.0.1",
		                       "-keyout", pem, "-out", pem, NULL };
		run(argv);
		snprintf(conf + n, sizeof conf - (size_t)n, "$SERVER[\"socket\"] == \"127.0.0.1:%u\" {\nssl.engine = \"enable\"\n"
		         "ssl.pemfile = \"%s\"\n}\n", server->tls_port, pem);
	}
	page_write(server, "lighttpd.conf", conf, strlen(conf));
}

static inline bool answers(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return yes;
}

static inline void lighttpd_start(struct lighttpd *server)
{
	char conf[128];
	snprintf(conf, sizeof conf, "%s/lighttpd.conf", server->directory);
	const char *argv[] = { "/usr/sbin/lighttpd", "-D", "-f", conf, NULL };
	assert(posix_spawn(&server->pid, argv[0], NULL, NULL, (char *const *)argv, environ) == 0);
	for (int i = 0; i < 1000 && !(answers(server->port) && (!server->tls_port || answers(server->tls_port))); i++)
		usleep(10000);
}

static inline void lighttpd_stop(struct lighttpd *server)
{
	kill(server->pid, SIGTERM);
	assert(waitpid(server->pid, NULL, 0) == server->pid);
}

static inline void lighttpd_remove(const struct lighttpd *server)
{
	const char *argv[] = { "/bin/rm", "-r", server->directory, NULL };
	run(argv);
}

/* ---- sockets ---- */
enum then { THEN_HOLDS, THEN_CLOSES, THEN_FLOODS, THEN_TRICKLES };

struct page_rogue {                     /* answers every request with `says`; one connection after the other */
	const char *says;
	enum then then;
	uint16_t port;
	int listener;
	atomic_bool stop;
	atomic_uint accepted;
	atomic_size_t flooded;          /* bytes */
	pthread_t thread;
};

static inline bool rogue_waits(struct page_rogue *rogue, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (!rogue->stop)
		if (poll(&p, 1, 5) > 0)
			return true;
	return false;
}

static inline void rogue_speak(struct page_rogue *rogue, int fd, const char *bytes, size_t n)
{
	send(fd, rogue->says, strlen(rogue->says), MSG_NOSIGNAL);
	while (rogue->then == THEN_FLOODS && !rogue->stop && send(fd, bytes, n, MSG_NOSIGNAL) > 0)
		rogue->flooded += n;
	while (rogue->then == THEN_TRICKLES && !rogue->stop && send(fd, "\n", 1, MSG_NOSIGNAL) > 0)
		usleep(5000);
}

static inline void *rogue_run(void *arg)
{
	struct page_rogue *rogue = arg;
	static const char flood[65536] = { 'x' };
	char request[4096];
	while (rogue_waits(rogue, rogue->listener)) {
		int fd = accept(rogue->listener, NULL, NULL);
		rogue->accepted++;
		if (rogue_waits(rogue, fd) && recv(fd, request, sizeof request, 0) > 0)
			rogue_speak(rogue, fd, flood, sizeof flood);
		while (rogue->then == THEN_HOLDS && rogue_waits(rogue, fd) && recv(fd, request, sizeof request, 0) > 0)
			;
		close(fd);
	}
	return NULL;
}

static inline void rogue_start(struct page_rogue *rogue, const char *says, enum then then)
{
	memset(rogue, 0, sizeof *rogue);
	rogue->says = says;
	rogue->then = then;
	rogue->listener = page_socket(&rogue->port);
	assert(listen(rogue->listener, 16) == 0);
	assert(pthread_create(&rogue->thread, NULL, rogue_run, rogue) == 0);
}

static inline void rogue_stop(struct page_rogue *rogue)
{
	rogue->stop = true;
	pthread_join(rogue->thread, NULL);
	close(rogue->listener);
}

#endif
