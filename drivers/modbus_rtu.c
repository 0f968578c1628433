#include "drivers/modbus_rtu.h"

#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "drivers/modbus_room.h"

enum {
	GRACE_MS = 50,                  /* what a request may take beyond its time before the loop stops waiting for it */
	GAP_BITS = 39,                  /* 3.5 characters of 11 bits: MODBUS over Serial Line V1.02, 2.5.1.1 */
	LEAST_GAP_US = 1750,
	MOST_UNIT = 247,                /* 0 is all of them at once, and none answers; same document, 2.2 */
};

struct job {                            /* the loop writes the first half, the thread the second */
	uint32_t baud;
	char parity;
	uint8_t unit;
	struct modbus_read read;
	uint32_t timeout_ms;            /* what is left of the poll's time */
	uint32_t whole_ms;              /* what a device may take */
	enum fault fault;
	int64_t sent_ms, came_ms;
	uint16_t words[MODBUS_MOST_REGISTERS];
};

struct bus {                            /* the thread's own */
	modbus_t *modbus;               /* NULL: not open */
	uint32_t baud;
	char parity;
	int low_fd;                     /* kept below FD_SETSIZE: libmodbus waits in select() */
	uint8_t late_unit;              /* owes an answer that may come yet, until then; 0: none does */
	int64_t late_until_ms;
};

struct modbus_line {
	struct modbus_link link;
	LIST_ENTRY(modbus_line) entry;
	struct meter_room *room;
	char *device;
	uint32_t baud;                  /* of all who share it */
	char parity;
	uv_timer_t timer;
	uv_async_t done;                /* the thread has finished a job, or itself */
	unsigned open_handles;
	uv_thread_t thread;
	bool started;
	bool busy;                      /* the job is with the thread, or not yet taken back; or the thread is to end */

	uv_mutex_t mutex;               /* for what follows */
	uv_cond_t changed;
	bool job_ready, job_done, stop, ended;
	struct job job;
};

/* ---- on the thread ---- */

static void bus_close(struct bus *bus)
{
	if (!bus->modbus)
		return;
	/* Closing would give the low number away: put the placeholder back and let it close another. */
	int other = fcntl(bus->low_fd, F_DUPFD_CLOEXEC, 0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0)
		dup3(null, bus->low_fd, O_CLOEXEC);
	if (null >= 0)
		close(null);
	modbus_set_socket(bus->modbus, other);
	modbus_close(bus->modbus);
	modbus_free(bus->modbus);
	bus->modbus = NULL;
}

static bool move_low(struct bus *bus)
{
	int fd = modbus_get_socket(bus->modbus);
	bool moved = bus->low_fd >= 0 && bus->low_fd < FD_SETSIZE && dup3(fd, bus->low_fd, O_CLOEXEC) >= 0;
	if (moved) {
		close(fd);
		modbus_set_socket(bus->modbus, bus->low_fd);
	}
	return moved;
}

static bool bus_open(struct bus *bus, const char *device, const struct job *job)
{
	if (bus->modbus && bus->baud == job->baud && bus->parity == job->parity)
		return true;
	bus_close(bus);
	bus->baud = job->baud;
	bus->parity = job->parity;
	bus->modbus = modbus_new_rtu(device, (int)job->baud, job->parity, 8, 1);
	if (!bus->modbus)
		return false;
	modbus_set_error_recovery(bus->modbus, MODBUS_ERROR_RECOVERY_NONE);
	modbus_set_byte_timeout(bus->modbus, 0, 0);     /* the response timeout covers the whole answer */
	if (modbus_connect(bus->modbus) == 0) {
		if (move_low(bus))
			return true;
		modbus_close(bus->modbus);
	}
	modbus_free(bus->modbus);
	bus->modbus = NULL;
	return false;
}

static enum fault fault_of(int error)
{
	if (error > MODBUS_ENOBASE && error < EMBBADCRC)
		return modbus_exception_fault((uint8_t)(error - MODBUS_ENOBASE));
	return error >= EMBBADCRC && error <= EMBBADSLAVE ? FAULT_GARBLED : FAULT_SILENT;
}

static void set_timeout(modbus_t *modbus, uint32_t ms)
{
	modbus_set_response_timeout(modbus, ms / 1000, ms % 1000 * 1000);
}

/* An answer does not tell what it answers: a late one of the same unit would be taken for the answer to what is asked now.
 * False: no time is left to ask. */
static bool hear_out(struct bus *bus, struct job *job)
{
	uint8_t late[MODBUS_RTU_MAX_ADU_LENGTH];
	int64_t begun_ms = modbus_now_ms(), until_ms = bus->late_until_ms, deadline_ms = begun_ms + job->timeout_ms;
	if (bus->late_unit != job->unit || begun_ms >= until_ms)
		return true;
	set_timeout(bus->modbus, (uint32_t)((until_ms < deadline_ms ? until_ms : deadline_ms) - begun_ms));
	if (modbus_receive_confirmation(bus->modbus, late) >= 0)
		bus->late_unit = 0;
	int64_t left_ms = deadline_ms - modbus_now_ms();
	job->timeout_ms = left_ms > 0 ? (uint32_t)left_ms : 0;
	return left_ms > 0;
}

static int read_words(modbus_t *modbus, struct job *job)
{
	const struct modbus_read *read = &job->read;
	set_timeout(modbus, job->timeout_ms);
	if (modbus_set_slave(modbus, job->unit) < 0)
		return -1;
	modbus_flush(modbus);           /* what came too late for the one before */
	job->sent_ms = modbus_now_ms();
	int n = read->function == 4 ? modbus_read_input_registers(modbus, read->address, read->count, job->words)
	                            : modbus_read_registers(modbus, read->address, read->count, job->words);
	job->came_ms = modbus_now_ms();
	return n;
}

static void do_job(struct bus *bus, const char *device, struct job *job)
{
	unsigned gap_us = GAP_BITS * 1000000u / job->baud;
	job->fault = FAULT_SILENT;
	if (!bus_open(bus, device, job))
		return;
	usleep(gap_us > LEAST_GAP_US ? gap_us : LEAST_GAP_US);
	if (!hear_out(bus, job))
		return;
	if (read_words(bus->modbus, job) == job->read.count) {
		job->fault = FAULT_NONE;
		return;
	}
	int error = errno;
	if (error == ETIMEDOUT) {
		bus->late_unit = job->unit;
		bus->late_until_ms = job->sent_ms + job->whole_ms;
	}
	job->fault = fault_of(error);
	if (error < MODBUS_ENOBASE && error != ETIMEDOUT)       /* the device file itself failed: unplugged */
		bus_close(bus);
}

static bool wait_job(struct modbus_line *line, struct job *job)
{
	uv_mutex_lock(&line->mutex);
	while (!line->job_ready && !line->stop)
		uv_cond_wait(&line->changed, &line->mutex);
	bool stop = line->stop;
	line->job_ready = false;
	*job = line->job;
	uv_mutex_unlock(&line->mutex);
	return !stop;
}

static void put_back(struct modbus_line *line, const struct job *job, bool ended)
{
	uv_mutex_lock(&line->mutex);
	if (job)
		line->job = *job;
	line->job_done = job;
	line->ended = ended;
	uv_mutex_unlock(&line->mutex);
	uv_async_send(&line->done);
}

static void line_thread(void *arg)
{
	struct modbus_line *line = arg;
	struct bus bus = { .low_fd = open("/dev/null", O_RDWR | O_CLOEXEC) };
	struct job job;
	while (wait_job(line, &job)) {
		do_job(&bus, line->device, &job);
		put_back(line, &job, false);
	}
	bus_close(&bus);
	if (bus.low_fd >= 0)
		close(bus.low_fd);
	put_back(line, NULL, true);
}

/* ---- on the loop ---- */

static void line_turn(struct modbus_line *line);

static void on_handle_closed(uv_handle_t *handle)
{
	struct modbus_line *line = handle->data;
	if (--line->open_handles > 0)
		return;
	struct meter_room *room = line->room;
	uv_mutex_destroy(&line->mutex);
	uv_cond_destroy(&line->changed);
	free(line->device);
	free(line);
	meter_room_left(room);
}

static void line_close(struct modbus_line *line)
{
	LIST_REMOVE(line, entry);
	uv_close((uv_handle_t *)&line->timer, on_handle_closed);
	uv_close((uv_handle_t *)&line->done, on_handle_closed);
}

static void on_timer(uv_timer_t *timer)
{
	struct modbus_line *line = timer->data;
	if (line->link.asked && modbus_now_ms() >= line->link.patience_ms)
		modbus_link_give_up(&line->link, FAULT_SILENT);
	line_turn(line);
}

static void arm(struct modbus_line *line)
{
	int64_t due_ms = modbus_link_due(&line->link);
	if (due_ms == INT64_MAX) {
		uv_timer_stop(&line->timer);
		return;
	}
	int64_t wait_ms = due_ms - (int64_t)uv_now(line->room->loop);
	uv_timer_start(&line->timer, on_timer, wait_ms > 1 ? (uint64_t)wait_ms : 1, 0);
}

static void hand_over(struct modbus_line *line, struct modbus_client *client)
{
	modbus_link_begin(&line->link, client);
	int64_t left_ms = line->link.patience_ms - line->link.sent_ms;
	line->link.patience_ms += GRACE_MS;
	line->busy = true;
	uv_mutex_lock(&line->mutex);
	line->job = (struct job){ .baud = line->baud, .parity = line->parity, .unit = client->unit, .read = client->read,
	                          .timeout_ms = left_ms > 1 ? (uint32_t)left_ms : 1, .whole_ms = client->timeout_ms };
	line->job_ready = true;
	uv_cond_signal(&line->changed);
	uv_mutex_unlock(&line->mutex);
}

static void line_advance(struct modbus_line *line)
{
	struct modbus_client *next = line->busy || !line->started ? NULL : modbus_link_next(&line->link);
	if (next)
		hand_over(line, next);
	arm(line);
}

static void line_start(struct modbus_line *line)
{
	line->busy = line->stop = line->ended = false;
	line->started = uv_thread_create(&line->thread, line_thread, line) == 0;
}

/* Until its thread has ended it is found by who joins: of two that have the terminal open, the one that closes it would
 * put back what it found, under the other. */
static void line_end(struct modbus_line *line)
{
	uv_timer_stop(&line->timer);
	if (!line->started) {
		line_close(line);
		return;
	}
	line->busy = true;
	uv_mutex_lock(&line->mutex);
	line->stop = true;
	uv_cond_signal(&line->changed);
	uv_mutex_unlock(&line->mutex);
}

static void line_go_on(struct modbus_line *line)
{
	if (!LIST_EMPTY(&line->link.clients))
		line_advance(line);
	else if (!line->busy)
		line_end(line);
}

static void line_turn(struct modbus_line *line)
{
	modbus_link_settle(&line->link);
	line_go_on(line);
}

static void on_ended(struct modbus_line *line)
{
	uv_thread_join(&line->thread);          /* it has nothing left to do but return */
	if (LIST_EMPTY(&line->link.clients)) {
		line_close(line);
		return;
	}
	line_start(line);
	line_advance(line);
}

static void on_done(uv_async_t *async)
{
	struct modbus_line *line = async->data;
	uv_mutex_lock(&line->mutex);
	bool job_done = line->job_done, ended = line->ended;
	struct job job = line->job;
	line->job_done = false;
	uv_mutex_unlock(&line->mutex);
	if (ended) {
		on_ended(line);
		return;
	}
	if (!job_done)
		return;
	line->busy = false;
	if (line->link.asked) {
		line->link.sent_ms = job.sent_ms;
		modbus_link_answer(&line->link, &(struct modbus_answer){ .fault = job.fault, .words = job.words, .came_ms = job.came_ms });
	}
	line_go_on(line);
}

static void line_ask(struct modbus_client *client)
{
	line_advance((struct modbus_line *)client->link);
}

static void line_leave(struct modbus_client *client)
{
	struct modbus_line *line = (struct modbus_line *)client->link;
	client->leaving = true;
	client->turn = 0;
	if (line->link.asked == client)         /* the thread's answer will find nobody */
		line->link.asked = NULL;
	arm(line);
}

static struct modbus_line *line_new(struct meter_room *room, const char *device)
{
	struct modbus_line *line = room_alloc(sizeof *line);
	line->link.ask = line_ask;
	line->link.leave = line_leave;
	LIST_INIT(&line->link.clients);
	line->room = room;
	line->device = room_alloc(strlen(device) + 1);
	strcpy(line->device, device);
	uv_timer_init(room->loop, &line->timer);
	uv_async_init(room->loop, &line->done, on_done);
	line->timer.data = line->done.data = line;
	line->open_handles = 2;
	uv_mutex_init(&line->mutex);
	uv_cond_init(&line->changed);
	line_start(line);
	LIST_INSERT_HEAD(&room->lines, line, entry);
	room->n_open++;
	return line;
}

void modbus_rtu_join(struct meter_room *room, const char *device, uint32_t baud, char parity, struct modbus_client *client)
{
	struct modbus_line *line;
	baud = baud ? baud : 9600;
	parity = parity ? parity : 'N';
	LIST_FOREACH(line, &room->lines, entry)
		if (!strcmp(line->device, device))
			break;
	if (!line)
		line = line_new(room, device);
	if (LIST_EMPTY(&line->link.clients)) {
		line->baud = baud;
		line->parity = parity;
	}
	client->refused = line->baud != baud || line->parity != parity || client->unit < 1 || client->unit > MOST_UNIT;
	modbus_link_join(&line->link, client);
}
