#include "drivers/cgminer_desk.h"

#include <assert.h>

static void work(struct cgminer_desk *desk);

static void end_order(struct cgminer_desk *desk, enum fault fault)
{
	desk->order_runs = false;
	desk->miner.user.on_ordered(desk->miner.user.self, fault);
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

static void ask(struct cgminer_desk *desk, bool for_order)
{
	char request[CGMINER_MOST_REQUEST];
	size_t n = for_order ? desk->trade->order_request(desk, request, sizeof request)
	                     : desk->trade->poll_request(desk, request, sizeof request);
	assert(n > 0 && n <= sizeof request);
	desk->asked_for_order = for_order;
	cgminer_line_ask(&desk->line, request, n);
}

static void work(struct cgminer_desk *desk)
{
	if (desk->closing || !cgminer_line_idle(&desk->line))
		return;
	if (desk->order_waits)
		begin_order(desk);
	if (desk->closing || desk->order_waits)
		return;
	if (desk->order_runs) {
		ask(desk, true);
		return;
	}
	if (desk->poll_waits && !desk->poll_runs) {
		desk->poll_runs = true;
		desk->trade->begin_poll(desk);
	}
	if (desk->poll_runs)
		ask(desk, false);
}

static void on_reply(void *self, const struct cgminer_reply *reply)
{
	struct cgminer_desk *desk = self;
	struct miner_reading reading = { .fault = FAULT_NEVER };
	if (desk->asked_for_order) {
		enum fault fault = desk->trade->order_reply(desk, reply);
		if (fault != FAULT_NEVER)
			end_order(desk, fault);
	} else if (desk->trade->poll_reply(desk, reply, &reading)) {
		end_poll(desk, &reading);
	}
	work(desk);
}

static void on_turn(uv_timer_t *timer)
{
	work(timer->data);
}

static void one_closed(struct cgminer_desk *desk)
{
	if (desk->line_open || desk->later_open)
		return;
	struct miner_user user = desk->miner.user;
	desk->trade->freed(desk);
	user.on_closed(user.self);
}

static void line_closed(void *self)
{
	struct cgminer_desk *desk = self;
	desk->line_open = false;
	one_closed(desk);
}

static void later_closed(uv_handle_t *handle)
{
	struct cgminer_desk *desk = handle->data;
	desk->later_open = false;
	one_closed(desk);
}

void cgminer_desk_init(struct cgminer_desk *desk, const struct miner_driver *driver, const struct cgminer_trade *trade,
                       uv_loop_t *loop, const struct miner_conf *conf, struct miner_user user)
{
	*desk = (struct cgminer_desk){
		.miner = { driver, user }, .trade = trade, .conf = *conf, .line_open = true, .later_open = true,
	};
	cgminer_line_init(&desk->line, loop, conf->host, conf->port, conf->timeout_ms,
	                  (struct cgminer_line_user){ desk, on_reply, line_closed });
	uv_timer_init(loop, &desk->later);
	desk->later.data = desk;
}

static void work_later(struct cgminer_desk *desk)
{
	if (cgminer_line_idle(&desk->line))
		uv_timer_start(&desk->later, on_turn, 0, 0);
}

void cgminer_desk_poll(struct miner *miner)
{
	struct cgminer_desk *desk = (struct cgminer_desk *)miner;
	assert(!desk->closing);
	desk->poll_waits = true;
	work_later(desk);
}

void cgminer_desk_order(struct miner *miner, const struct miner_order *order)
{
	struct cgminer_desk *desk = (struct cgminer_desk *)miner;
	assert(!desk->closing);
	desk->superseded += desk->order_waits;
	desk->order_waits = true;
	desk->order = *order;
	work_later(desk);
}

void cgminer_desk_close(struct miner *miner)
{
	struct cgminer_desk *desk = (struct cgminer_desk *)miner;
	assert(!desk->closing);
	desk->closing = true;
	cgminer_line_close(&desk->line);
	uv_close((uv_handle_t *)&desk->later, later_closed);
}

int64_t cgminer_desk_now_ms(const struct cgminer_desk *desk)
{
	return (int64_t)uv_now(desk->later.loop);
}
