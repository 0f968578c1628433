#include "drivers/cgminer_desk.h"

#include <assert.h>

static void end_order(struct cgminer_desk *desk, enum fault fault)
{
	desk->order_runs = false;
	desk->miner.user.on_ordered(desk->miner.user.self, fault);
}

static void end_keep(struct cgminer_desk *desk)
{
	desk->keep_waits = desk->keep_runs = false;
	desk->trade->end_keep(desk);
}

static void end_poll(struct cgminer_desk *desk, const struct miner_reading *reading)
{
	desk->poll_runs = false;
	desk->poll_waits = false;
	desk->miner.user.on_reading(desk->miner.user.self, reading);
}

/* The user may order, poll and close in each of its callbacks. */
static void begin_order(struct cgminer_desk *desk)
{
	struct miner_order order = desk->order;
	uint32_t superseded = desk->superseded;
	desk->order_waits = false;
	desk->keep_runs = false;        /* broken off; it begins anew after the order */
	desk->superseded = 0;
	if (desk->order_runs)
		end_order(desk, FAULT_REFUSED);
	for (; superseded > 0 && !desk->closing; superseded--)
		end_order(desk, FAULT_REFUSED);
	if (desk->closing)
		return;
	enum fault fault = desk->order_waits ? FAULT_REFUSED : desk->trade->begin_order(desk, &order);
	if (fault == FAULT_NEVER)
		desk->order_runs = true;
	else
		end_order(desk, fault);
}

static void work(struct cgminer_desk *desk)
{
	if (desk->closing || cgminer_line_under_way(&desk->line))
		return;
	if (desk->order_runs)
		cgminer_line_ask(&desk->line, TURN_NEXT);
	else if (desk->order_waits)
		cgminer_line_ask(&desk->line, TURN_ORDER);
	else if (desk->poll_waits || desk->keep_waits)
		cgminer_line_ask(&desk->line, TURN_POLL);
}

static size_t ask_for(struct cgminer_desk *desk, enum cgminer_job job, char *text, size_t size)
{
	desk->asked = (uint8_t)job;
	if (job == JOB_POLL && !desk->poll_runs) {
		desk->poll_runs = true;
		desk->trade->begin_poll(desk);
	}
	if (job == JOB_KEEP && !desk->keep_runs) {
		desk->keep_waits = desk->keep_runs = desk->trade->begin_keep(desk);
		if (!desk->keep_runs)
			return 0;
	}
	return job == JOB_POLL ? desk->trade->poll_request(desk, text, size) : desk->trade->order_request(desk, text, size);
}

static size_t request(void *self, char *text, size_t size)
{
	struct cgminer_desk *desk = self;
	if (desk->order_waits)
		begin_order(desk);
	if (desk->closing)
		return 0;
	if (desk->order_waits) {
		work(desk);
		return 0;
	}
	if (desk->order_runs)
		return ask_for(desk, JOB_ORDER, text, size);
	if (desk->poll_waits)
		return ask_for(desk, JOB_POLL, text, size);
	return desk->keep_waits ? ask_for(desk, JOB_KEEP, text, size) : 0;
}

static void on_reply(void *self, const struct cgminer_reply *reply)
{
	struct cgminer_desk *desk = self;
	struct miner_reading reading = { .fault = FAULT_NEVER };
	if (desk->asked == JOB_POLL) {
		if (desk->trade->poll_reply(desk, reply, &reading))
			end_poll(desk, &reading);
	} else {
		enum fault fault = desk->trade->order_reply(desk, reply);
		if (fault != FAULT_NEVER && desk->asked == JOB_ORDER)
			end_order(desk, fault);
		else if (fault != FAULT_NEVER)
			end_keep(desk);
	}
	work(desk);
}

static void on_remind(void *self)
{
	struct cgminer_desk *desk = self;
	desk->trade->reminded(desk);
}

void cgminer_desk_keep(struct cgminer_desk *desk)
{
	desk->keep_waits = true;
	work(desk);
}

static void on_closed(void *self)
{
	struct cgminer_desk *desk = self;
	struct miner_user user = desk->miner.user;
	desk->trade->freed(desk);
	user.on_closed(user.self);
}

void cgminer_desk_init(struct cgminer_desk *desk, const struct miner_driver *driver, const struct cgminer_trade *trade,
                       struct miner_room *room, const struct miner_conf *conf, struct miner_user user)
{
	*desk = (struct cgminer_desk){ .miner = { driver, user }, .trade = trade, .conf = *conf };
	cgminer_line_init(&desk->line, room, conf->host, conf->port, conf->timeout_ms,
	                  (struct cgminer_line_user){ desk, request, on_reply, on_closed });
	desk->line.on_remind = on_remind;
}

void cgminer_desk_poll(struct miner *miner)
{
	struct cgminer_desk *desk = (struct cgminer_desk *)miner;
	assert(!desk->closing);
	desk->poll_waits = true;
	work(desk);
}

/* A poll under way gives way, and begins anew after the order. What keeps the way free does not: it helps the order. */
void cgminer_desk_order(struct miner *miner, const struct miner_order *order)
{
	struct cgminer_desk *desk = (struct cgminer_desk *)miner;
	assert(!desk->closing);
	desk->superseded += desk->order_waits;
	desk->order_waits = true;
	desk->order = *order;
	desk->poll_runs = false;
	if (cgminer_line_under_way(&desk->line) && desk->asked == JOB_POLL)
		cgminer_line_drop(&desk->line);
	work(desk);
}

void cgminer_desk_close(struct miner *miner)
{
	struct cgminer_desk *desk = (struct cgminer_desk *)miner;
	assert(!desk->closing);
	desk->closing = true;
	cgminer_line_close(&desk->line);
}

int64_t cgminer_desk_now_ms(const struct cgminer_desk *desk)
{
	return miner_room_now_ms(desk->line.room);
}
