#include "sim/asic_server.h"

#include <string.h>

#include "sim/dice.h"

enum { LUXOS_CONNS = 8, CGMINER_CONNS = 1 };    /* classic CGMiner serves one, then the next */

static struct asic_server *server_of(struct conn *conn)
{
	return (struct asic_server *)(void *)conn->listener;
}

static enum plant_fault fault_of(const struct asic_server *server)
{
	return server->fleet->room->plant->miners[server->miner].fault;
}

/* Breaks a reply in one of the ways that no parser can mend. */
static void garble(struct text *reply, uint64_t dice)
{
	size_t cut = reply->len / 4 + (size_t)(dice >> 8) % (reply->len / 2 + 1);
	switch (dice % 3) {
	case 0:
		reply->len = cut;
		break;
	case 1:
		for (size_t i = 0; i < reply->len; i++)
			reply->at[i] = (char)(1 + (dice >> (i % 56)) % 127);
		break;
	case 2:
		memset(reply->at + cut, '{', reply->len - cut);
		break;
	}
}

static void answer(struct conn *conn)
{
	struct asic_server *server = server_of(conn);
	struct asic_fleet *fleet = server->fleet;
	struct text reply = { 0 };
	asic_answer(fleet->room, server->miner, fleet->now_ms(fleet->self), conn->heard, conn->n, &reply);
	if (fault_of(server) == PLANT_GARBLED)
		garble(&reply, dice(server->miner, server->answers, 0));
	server->answers++;
	conn_send(conn, reply.at, reply.len + 1, true);         /* the NUL is part of it */
	text_free(&reply);
}

static void on_timer(uv_timer_t *timer)
{
	answer(timer->data);
}

/* One recv() is the whole request; what comes after it is not looked at. */
static void on_bytes(struct conn *conn)
{
	struct asic_server *server = server_of(conn);
	int64_t in_ms = server->fleet->latency_ms;
	uint64_t chance = dice(server->miner, server->answers, 1);
	conn->heard[conn->n] = '\0';
	if (fault_of(server) == PLANT_SILENT) {
		conn->n = 0;
		return;
	}
	uv_read_stop((uv_stream_t *)&conn->tcp);
	if (in_ms > 0)
		in_ms += (int64_t)(chance % (uint64_t)in_ms);
	if (fault_of(server) == PLANT_SLOW)
		in_ms = 2000 + (int64_t)(chance % 4000);
	if (in_ms == 0)
		answer(conn);
	else
		uv_timer_start(&conn->timer, on_timer, (uint64_t)in_ms, 0);
}

static void on_closed(struct listener *listener)
{
	struct asic_fleet *fleet = ((struct asic_server *)(void *)listener)->fleet;
	if (--fleet->n_open == 0)
		fleet->on_closed(fleet->self);
}

static bool takes_connections(enum plant_fault fault)
{
	return fault != PLANT_REFUSING && fault != PLANT_DEAD;
}

int asic_fleet_start(struct asic_fleet *fleet, uint16_t port, size_t *failed)
{
	static const struct listener_user user = {
		.conn_size = sizeof(struct conn), .on_bytes = on_bytes, .on_closed = on_closed,
	};
	for (size_t i = 0; i < fleet->n; i++) {
		struct asic_server *server = &fleet->servers[i];
		bool luxos = fleet->room->asics[i].dialect == ASIC_LUXOS;
		server->fleet = fleet;
		server->miner = i;
		listener_init(&server->listener, fleet->loop, server->host, port, luxos ? LUXOS_CONNS : CGMINER_CONNS, &user);
		fleet->n_open++;
		int err = takes_connections(fault_of(server)) ? listener_start(&server->listener) : 0;
		if (err) {
			*failed = i;
			return err;
		}
	}
	return 0;
}

void asic_fleet_follow_fault(struct asic_fleet *fleet, size_t miner)
{
	struct asic_server *server = &fleet->servers[miner];
	if (takes_connections(fault_of(server)))
		listener_start(&server->listener);
	else
		listener_refuse(&server->listener);
}

void asic_fleet_close(struct asic_fleet *fleet)
{
	for (size_t i = 0, n = fleet->n_open; i < n; i++)
		listener_close(&fleet->servers[i].listener);
}
