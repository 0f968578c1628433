#include "sim/snmp_agent.h"

#include <stdlib.h>
#include <string.h>

#include "sim/dice.h"
#include "sim/zeroed.h"

enum { MOST_LATE = 16, LATE_MS = 3000 };

struct snmp_socket {
	uv_udp_t udp;
	struct snmp_agent *agent;
	char heard[AGENT_MOST_BYTES];
};

struct snmp_late {
	struct snmp_late *next;
	uint64_t due_ms;
	struct sockaddr_in to;
	size_t n;
	uint8_t bytes[];
};

/* ---- sending ---- */

static void send_bytes(struct snmp_agent *agent, const struct sockaddr_in *to, const uint8_t *bytes, size_t n)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)n);
	if (agent->socket)
		uv_udp_try_send(&agent->socket->udp, &buf, 1, (const struct sockaddr *)to);     /* UDP: it may be lost */
}

static void send_garbage(struct snmp_agent *agent, const struct sockaddr_in *to)
{
	uint8_t bytes[40];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)dice(agent->requests, i, 0);
	send_bytes(agent, to, bytes, sizeof bytes);
}

static void on_late(uv_timer_t *timer)
{
	struct snmp_agent *agent = timer->data;
	uint64_t now_ms = uv_now(agent->loop);
	while (agent->late && agent->late->due_ms <= now_ms) {
		struct snmp_late *late = agent->late;
		agent->late = late->next;
		send_bytes(agent, &late->to, late->bytes, late->n);
		free(late);
	}
	if (agent->late)
		uv_timer_start(timer, on_late, agent->late->due_ms - now_ms, 0);
}

static void send_late(struct snmp_agent *agent, const struct sockaddr_in *to, const uint8_t *bytes, size_t n)
{
	struct snmp_late **end = &agent->late;
	size_t waiting = 0;
	for (; *end; end = &(*end)->next)
		waiting++;
	if (waiting >= MOST_LATE)
		return;
	*end = zeroed(1, sizeof **end + n);
	**end = (struct snmp_late){ .due_ms = uv_now(agent->loop) + LATE_MS, .to = *to, .n = n };
	memcpy((*end)->bytes, bytes, n);
	if (!waiting)
		uv_timer_start(&agent->timer, on_late, LATE_MS, 0);
}

static void send_reply(struct snmp_agent *agent, const struct sockaddr_in *to, uint8_t *bytes, size_t n)
{
	switch (agent->fault) {
	case AGENT_SOUND:
	case AGENT_WRONG_ID:
	case AGENT_WRONG_COMMUNITY:
	case AGENT_ERROR:
	case AGENT_FROZEN:
	case AGENT_ABSURD:
	case AGENT_ABSENT:
	case AGENT_SCALED:
	case AGENT_JUMPING:
	case AGENT_SWAPPED:
		break;
	case AGENT_SILENT:
	case AGENT_REFUSING:
	case N_AGENT_FAULTS:
		return;
	case AGENT_GARBAGE:
		send_garbage(agent, to);
		return;
	case AGENT_WRONG_LENGTH:
		bytes[2]++;
		break;
	case AGENT_CUT:
		n /= 2;
		break;
	case AGENT_DUPLICATING:
		send_bytes(agent, to, bytes, n);
		break;
	case AGENT_LATE:
		send_late(agent, to, bytes, n);
		return;
	}
	send_bytes(agent, to, bytes, n);
}

/* ---- the socket ---- */

static void lend(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct snmp_socket *sock = handle->data;
	(void)size;
	*buf = uv_buf_init(sock->heard, sizeof sock->heard);
}

static void heard(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct snmp_agent *agent = ((struct snmp_socket *)udp->data)->agent;
	uint8_t answer[AGENT_MOST_BYTES];
	if (n <= 0 || !from || from->sa_family != AF_INET || flags & UV_UDP_PARTIAL)
		return;
	agent->requests++;
	size_t len = snmp_agent_answer(agent, buf->base, (size_t)n, answer);
	if (len)
		send_reply(agent, (const struct sockaddr_in *)(const void *)from, answer, len);
}

static void handle_gone(struct snmp_agent *agent)
{
	if (--agent->open_handles == 0)
		agent->on_closed(agent);
}

static void socket_gone(uv_handle_t *handle)
{
	struct snmp_socket *sock = handle->data;
	struct snmp_agent *agent = sock->agent;
	free(sock);
	handle_gone(agent);
}

static void timer_gone(uv_handle_t *handle)
{
	handle_gone(handle->data);
}

static void close_socket(struct snmp_agent *agent)
{
	if (agent->socket)
		uv_close((uv_handle_t *)&agent->socket->udp, socket_gone);
	agent->socket = NULL;
}

static int open_socket(struct snmp_agent *agent)
{
	struct sockaddr_in address;
	int err = uv_ip4_addr(agent->host, agent->port, &address);
	if (err || agent->socket)
		return err;
	agent->socket = zeroed(1, sizeof *agent->socket);
	agent->socket->agent = agent;
	agent->socket->udp.data = agent->socket;
	uv_udp_init(agent->loop, &agent->socket->udp);
	agent->open_handles++;
	err = uv_udp_bind(&agent->socket->udp, (const struct sockaddr *)&address, 0);
	if (!err)
		err = uv_udp_recv_start(&agent->socket->udp, lend, heard);
	if (err)
		close_socket(agent);
	return err;
}

int snmp_agent_start(struct snmp_agent *agent, uv_loop_t *loop, uint16_t port)
{
	agent->loop = loop;
	agent->port = port;
	agent->open_handles = 1;
	uv_timer_init(loop, &agent->timer);
	agent->timer.data = agent;
	return agent->fault == AGENT_REFUSING ? 0 : open_socket(agent);
}

void snmp_agent_set_fault(struct snmp_agent *agent, enum agent_fault fault)
{
	agent->fault = fault;
	if (fault == AGENT_REFUSING)
		close_socket(agent);
	else
		open_socket(agent);
}

void snmp_agent_close(struct snmp_agent *agent)
{
	for (struct snmp_late *late; (late = agent->late);) {
		agent->late = late->next;
		free(late);
	}
	close_socket(agent);
	uv_close((uv_handle_t *)&agent->timer, timer_gone);
}
