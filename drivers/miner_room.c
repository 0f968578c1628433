#include "drivers/miner_room.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "drivers/cgminer_line.h"

#define DEFAULT_CONNECTIONS 4096
#define BURST               64          /* connections begun at once: more overflow accept queues */
#define EVENTS              384         /* read in a turn: an exchange makes three to four, and more must end than begin */
#define DRAINED             (4 * 4096 / EVENTS)
#define SPARE_KEPT          256         /* sockets, once it is calm */
#define SPARE_CLOSED        4           /* of the others, in a tick */
#define TEXT_KEPT           8192

static void start_clock(struct miner_room *room);

int64_t miner_room_now_ms(const struct miner_room *room)
{
	return (int64_t)uv_now(room->loop) + room->ahead_ms;
}

static void look_at_epoch(struct miner_room *room)
{
	int64_t epoch = (int64_t)uv_now(room->loop) / ROOM_YOUNG_MS;
	if (epoch == room->epoch)
		return;
	room->young = epoch == room->epoch + 1 ? room->younger : 0;
	room->younger = 0;
	room->epoch = epoch;
}

/* ---- slots ---- */

static struct cgminer_slot *new_slot(void)
{
	struct cgminer_slot *slot = calloc(1, sizeof *slot);
	if (!slot)
		abort();
	slot->fd = -1;
	return slot;
}

static void close_socket(struct cgminer_slot *slot)
{
	if (slot->fd >= 0)
		close(slot->fd);
	slot->fd = -1;
	slot->registered = false;
}

void miner_room_spare(struct miner_room *room, struct cgminer_slot *slot)
{
	if (slot->size > TEXT_KEPT) {
		free(slot->text);
		slot->text = NULL;
		slot->size = 0;
	}
	if (slot->fd >= 0)
		room->out_of_descriptors = false;
	LIST_INSERT_HEAD(&room->spare, slot, link);
	room->n_spare++;
}

static struct cgminer_slot *take_spare(struct miner_room *room)
{
	struct cgminer_slot *slot = LIST_FIRST(&room->spare);
	if (!slot)
		return NULL;
	LIST_REMOVE(slot, link);
	room->n_spare--;
	return slot;
}

static void free_spare(struct miner_room *room)
{
	struct cgminer_slot *slot = take_spare(room);
	close_socket(slot);
	free(slot->text);
	free(slot);
}

static bool ran_out(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Where a socket can not be had for good, as of IPv6 where there is none, the dialling will fail. */
struct cgminer_slot *miner_room_slot(struct miner_room *room, sa_family_t family)
{
	struct cgminer_slot *slot = take_spare(room);
	if (!slot)
		slot = new_slot();
	if (slot->fd >= 0 && slot->family != family)
		close_socket(slot);
	if (slot->fd < 0)
		slot->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (slot->fd < 0 && ran_out(errno)) {
		miner_room_spare(room, slot);
		room->out_of_descriptors = true;
		start_clock(room);
		return NULL;
	}
	slot->family = family;
	slot->connected = false;
	slot->len = 0;
	slot->scan = (struct cgminer_scan){ 0 };
	return slot;
}

void miner_room_occupy(struct miner_room *room, struct cgminer_slot *slot, uint32_t timeout_ms)
{
	start_clock(room);
	int64_t at = (miner_room_now_ms(room) + timeout_ms) / ROOM_DUE_MS;
	int64_t latest = room->due_at + ROOM_DUES - 1;
	at = at <= room->due_at ? room->due_at + 1 : at > latest ? latest : at;
	LIST_INSERT_HEAD(&room->due[at % ROOM_DUES], slot, link);
	room->n_open++;
	look_at_epoch(room);
	slot->epoch = room->epoch;
	room->younger++;
	room->n_polls += slot->for_poll;
}

bool miner_room_dial(struct miner_room *room, struct cgminer_slot *slot, const struct sockaddr *to)
{
	socklen_t size = to->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	if (connect(slot->fd, to, size) != 0 && errno != EINPROGRESS)
		return false;
	/* Not before it connects: until then it would report that it hangs. */
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = slot };
	if (!slot->registered && epoll_ctl(room->epoll, EPOLL_CTL_ADD, slot->fd, &event) != 0)
		return false;
	slot->registered = true;
	return true;
}

void miner_room_rearm(struct miner_room *room, struct cgminer_slot *slot)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = slot };
	epoll_ctl(room->epoll, EPOLL_CTL_MOD, slot->fd, &event);
}

void miner_room_hang_up(struct miner_room *room, struct cgminer_slot *slot)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	LIST_REMOVE(slot, link);
	room->n_open--;
	look_at_epoch(room);
	if (slot->epoch == room->epoch)
		room->younger--;
	else if (slot->epoch == room->epoch - 1)
		room->young--;
	room->n_polls -= slot->for_poll;
	if (connect(slot->fd, &nobody, sizeof nobody) != 0)
		close_socket(slot);
	miner_room_wake(room);
}

/* ---- whose turn it is ---- */

static bool may_begin(const struct miner_room *room)
{
	if (room->out_of_descriptors || room->n_open >= room->most)
		return false;
	return !TAILQ_EMPTY(&room->orders) || (!TAILQ_EMPTY(&room->polls) && room->n_polls < room->most_polls);
}

static struct cgminer_line *next_line(struct miner_room *room)
{
	struct cgminer_lines *lines = TAILQ_EMPTY(&room->orders) ? &room->polls : &room->orders;
	struct cgminer_line *line = TAILQ_FIRST(lines);
	TAILQ_REMOVE(lines, line, link);
	line->state = LINE_IDLE;
	return line;
}

static void begin_some(struct miner_room *room)
{
	look_at_epoch(room);
	for (int i = 0; i < BURST && may_begin(room) && room->young + room->younger < ROOM_MOST_YOUNG; i++) {
		struct cgminer_line *line = next_line(room);
		bool is_order = line->turn != TURN_POLL;
		if (!cgminer_line_begin(line))
			cgminer_line_ask(line, is_order ? TURN_NEXT : TURN_POLL);
	}
}

static void tell_closed(struct miner_room *room)
{
	struct cgminer_line *line;
	while ((line = TAILQ_FIRST(&room->closed))) {
		TAILQ_REMOVE(&room->closed, line, link);
		line->user.on_closed(line->user.self);
	}
}

static uint32_t count(const struct cgminer_lines *lines)
{
	const struct cgminer_line *line;
	uint32_t n = 0;
	TAILQ_FOREACH(line, lines, link)
		n++;
	return n;
}

struct miner_room_figures miner_room_figures(const struct miner_room *room)
{
	return (struct miner_room_figures){ room->n_open, room->most, count(&room->orders), count(&room->polls) };
}

static void on_pump(uv_idle_t *pump)
{
	struct miner_room *room = pump->data;
	begin_some(room);
	tell_closed(room);
	if (!may_begin(room) && TAILQ_EMPTY(&room->closed))
		uv_idle_stop(pump);
}

void miner_room_wake(struct miner_room *room)
{
	if (may_begin(room) || !TAILQ_EMPTY(&room->closed))
		uv_idle_start(&room->pump, on_pump);
}

static bool take_events(struct miner_room *room)
{
	struct epoll_event ready[EVENTS];
	int n = epoll_wait(room->epoll, ready, EVENTS, 0);
	/* Nothing is dialled between these: no event is of an exchange before the one that its slot has now. */
	for (int i = 0; i < n; i++)
		cgminer_slot_event(room, ready[i].data.ptr, ready[i].events);
	return n == EVENTS;
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	struct miner_room *room = poll->data;
	(void)status;
	(void)events;
	take_events(room);
	miner_room_wake(room);
}

/* ---- deadlines ---- */

static void look_at_due(struct cgminer_slots *slots)
{
	struct cgminer_slot *slot;
	while ((slot = LIST_FIRST(slots)))
		cgminer_slot_overdue(slot);
}

/* Where the loop was held up, answers that came in time are not taken for silence. */
static void hear_out(struct miner_room *room, int64_t now_at)
{
	if (now_at - room->due_at <= 2)
		return;
	for (int i = 0; i < DRAINED && take_events(room); i++)
		;
}

static void on_clock(uv_timer_t *clock)
{
	struct miner_room *room = clock->data;
	int64_t now_at = miner_room_now_ms(room) / ROOM_DUE_MS;
	room->out_of_descriptors = false;
	hear_out(room, now_at);
	while (room->due_at < now_at)
		look_at_due(&room->due[++room->due_at % ROOM_DUES]);
	bool calm = TAILQ_EMPTY(&room->orders) && TAILQ_EMPTY(&room->polls);
	for (int i = 0; i < SPARE_CLOSED && calm && room->n_spare > SPARE_KEPT; i++)
		free_spare(room);
	miner_room_wake(room);
	if (room->n_open == 0 && room->n_spare <= SPARE_KEPT)
		uv_timer_stop(clock);
}

static void start_clock(struct miner_room *room)
{
	if (uv_is_active((uv_handle_t *)&room->clock))
		return;
	room->due_at = miner_room_now_ms(room) / ROOM_DUE_MS;
	uv_timer_start(&room->clock, on_clock, ROOM_DUE_MS, ROOM_DUE_MS);
}

/* ---- reminders ---- */

/* At most twice as many as come evenly spread over a minute, so that what was in step falls out of it. */
static void on_chime(uv_timer_t *chime)
{
	struct miner_room *room = chime->data;
	int64_t now_at = miner_room_now_ms(room) / ROOM_CHIME_MS;
	uint32_t most = 8 + room->n_reminders / (30000 / ROOM_CHIME_MS);
	while (room->chimed_at < now_at && most > 0) {
		struct cgminer_line *line = LIST_FIRST(&room->reminders[(room->chimed_at + 1) % ROOM_CHIMES]);
		if (!line) {
			room->chimed_at++;
			continue;
		}
		most--;
		miner_room_remind(room, line, 0);
		line->on_remind(line->user.self);
	}
	if (room->n_reminders == 0)
		uv_timer_stop(chime);
}

void miner_room_remind(struct miner_room *room, struct cgminer_line *line, uint32_t in_ms)
{
	if (line->reminded) {
		LIST_REMOVE(line, reminder);
		room->n_reminders--;
	}
	line->reminded = in_ms > 0;
	if (in_ms == 0)
		return;
	if (room->n_reminders++ == 0 && !uv_is_active((uv_handle_t *)&room->chime)) {
		room->chimed_at = miner_room_now_ms(room) / ROOM_CHIME_MS;
		uv_timer_start(&room->chime, on_chime, ROOM_CHIME_MS, ROOM_CHIME_MS);
	}
	int64_t at = (miner_room_now_ms(room) + in_ms) / ROOM_CHIME_MS + 1;
	int64_t latest = room->chimed_at + ROOM_CHIMES - 1;
	LIST_INSERT_HEAD(&room->reminders[(at < latest ? at : latest) % ROOM_CHIMES], line, reminder);
}

uint32_t miner_room_dice(struct miner_room *room)
{
	room->dice = room->dice * 1664525u + 1013904223u;
	return room->dice >> 8;
}

/* ---- opening and closing ---- */

static void set_most(struct miner_room *room, uint32_t connections)
{
	room->most = connections ? connections : DEFAULT_CONNECTIONS;
	room->most_polls = room->most > 1 ? room->most / 2 : 1;
}

void miner_room_limit(struct miner_room *room, uint32_t connections)
{
	set_most(room, connections);
	miner_room_wake(room);
}

struct miner_room *miner_room_open(uv_loop_t *loop, uint32_t connections)
{
	struct miner_room *room = calloc(1, sizeof *room);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!room || epoll < 0)
		abort();
	room->loop = loop;
	room->epoll = epoll;
	set_most(room, connections);
	TAILQ_INIT(&room->orders);
	TAILQ_INIT(&room->polls);
	TAILQ_INIT(&room->closed);
	uv_poll_init(loop, &room->events, epoll);
	uv_idle_init(loop, &room->pump);
	uv_timer_init(loop, &room->clock);
	uv_timer_init(loop, &room->chime);
	room->events.data = room->pump.data = room->clock.data = room->chime.data = room;
	room->n_handles = 4;
	uv_poll_start(&room->events, UV_READABLE, on_events);
	return room;
}

static void handle_closed(uv_handle_t *handle)
{
	struct miner_room *room = handle->data;
	if (--room->n_handles > 0)
		return;
	assert(room->n_open == 0 && LIST_EMPTY(&room->ladders));
	while (room->n_spare > 0)
		free_spare(room);
	close(room->epoll);
	free(room);
}

void miner_room_close(struct miner_room *room)
{
	uv_close((uv_handle_t *)&room->events, handle_closed);
	uv_close((uv_handle_t *)&room->pump, handle_closed);
	uv_close((uv_handle_t *)&room->clock, handle_closed);
	uv_close((uv_handle_t *)&room->chime, handle_closed);
}
