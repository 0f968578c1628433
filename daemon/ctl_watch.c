#include "daemon/ctl_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ctl_screen.h"
#include "daemon/xalloc.h"

#define REFRESH_MS 500
#define PLAIN_MS 1000
#define ANSWER_MS 1000
#define ENTER "\033[?1049h\033[?25l\033[2J"     /* other screen, no cursor, blank */
#define LEAVE "\033[0m\033[?25h\033[?1049l"

struct watch {
	const struct watch_conf *conf;
	struct ctl_model *model;
	struct termios before;
	enum colours colours;
	int signals;                    /* signalfd */
	int64_t end_ms, next_ms;
	int64_t last_seq;
	bool keys;                      /* stdin is a terminal too */
	bool quit;
};

static int64_t mono_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_status(void *self, const char *text, const cJSON *value)
{
	(void)text;
	model_status(self, value, mono_ms());
}

static void on_alarm(void *self, const char *text, const cJSON *value)
{
	(void)text;
	model_add_alarm(self, value);
}

static void on_decision(void *self, const char *text, const cJSON *value)
{
	(void)text;
	model_add_decision(self, value);
}

static void on_event(void *self, const char *text, const cJSON *value)
{
	(void)text;
	model_add_event(self, value);
}

bool watch_refresh(struct ctl_client *client, struct ctl_model *model, int timeout_ms)
{
	char error[160], request[64];
	int64_t known = model->heard ? model->n_decisions : -1;
	struct ctl_listener status = { model, on_status }, alarms = { model, on_alarm }, decisions = { model, on_decision },
	                    events = { model, on_event };
	model->now_ms = mono_ms();
	enum ctl_outcome outcome = client_ask(client, "{\"verb\":\"status\"}", timeout_ms, status, error, sizeof(error));
	if (outcome == CTL_DONE) {
		model_clear_alarms(model);
		outcome = client_ask(client, "{\"verb\":\"alarms\"}", timeout_ms, alarms, error, sizeof(error));
	}
	if (outcome == CTL_DONE && (model->n_decisions != known || model->n_decisions == FIGURE_UNKNOWN)) {
		model_clear_decisions(model);
		snprintf(request, sizeof(request), "{\"verb\":\"decisions\",\"n\":%d}", MODEL_DECISIONS);
		outcome = client_ask(client, request, timeout_ms, decisions, error, sizeof(error));
	}
	if (outcome == CTL_DONE && model_wants_ends(model))
		outcome = client_ask(client, "{\"verb\":\"events\"}", timeout_ms, events, error, sizeof(error));
	if (outcome != CTL_DONE) {
		snprintf(model->trouble, sizeof(model->trouble), "%s", error);
		model->n_decisions = FIGURE_UNKNOWN;    /* ask for them again */
	}
	return outcome == CTL_DONE;
}

static void write_all(const char *bytes)
{
	size_t n = strlen(bytes);
	while (n > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, n);
		struct pollfd ready = { .fd = STDOUT_FILENO, .events = POLLOUT };
		if (written < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (written < 0)
			poll(&ready, 1, 100);
		bytes += written > 0 ? written : 0;
		n -= written > 0 ? (size_t)written : 0;
	}
}

static void enter_screen(struct watch *watch)
{
	struct termios raw = watch->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (watch->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	write_all(ENTER);
}

static void leave_screen(struct watch *watch)
{
	write_all(LEAVE);
	if (watch->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &watch->before);
}

static void paint(const struct watch *watch)
{
	struct winsize size = { .ws_col = 80, .ws_row = 24 };
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	int width = size.ws_col < 1 ? 80 : size.ws_col > 400 ? 400 : size.ws_col;
	int height = size.ws_row < 1 ? 24 : size.ws_row > 200 ? 200 : size.ws_row;
	struct canvas canvas;
	canvas_init(&canvas, width, height, watch->conf->ascii);
	screen_watch(&canvas, watch->model);
	char *text = canvas_print(&canvas, watch->colours, "\033[K", "\r\n", true);
	write_all("\033[H");
	write_all(text);
	free(text);
	canvas_free(&canvas);
}

/* SIGTSTP was taken from the shell, so that the screen can be given back before stopping. */
static void suspend(struct watch *watch)
{
	leave_screen(watch);
	raise(SIGSTOP);
	enter_screen(watch);
}

static void read_signal(struct watch *watch)
{
	struct signalfd_siginfo info;
	if (read(watch->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGTSTP)
		suspend(watch);
	else if (info.ssi_signo == SIGWINCH)
		write_all("\033[2J");
	else
		watch->quit = true;
}

static void read_keys(struct watch *watch)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
	if (n == 0 || (n < 0 && errno == EIO))
		watch->quit = true;             /* the terminal is gone */
	for (ssize_t i = 0; i < n; i++)
		if (keys[i] == 'q' || keys[i] == 'Q')
			watch->quit = true;
}

static void open_signals(struct watch *watch)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum colours colours_wanted(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM"), *more = getenv("COLORTERM");
	if ((no && *no) || !term || strcmp(term, "dumb") == 0)
		return COLOURS_NONE;
	return strstr(term, "256color") || (more && *more) ? COLOURS_256 : COLOURS_16;
}

static void run_screen(struct watch *watch)
{
	watch->colours = colours_wanted();
	watch->keys = tcgetattr(STDIN_FILENO, &watch->before) == 0;
	open_signals(watch);
	enter_screen(watch);
	while (!watch->quit && mono_ms() < watch->end_ms) {
		int64_t left = watch->next_ms - mono_ms();
		if (left <= 0) {
			watch_refresh(watch->conf->client, watch->model, ANSWER_MS);
			paint(watch);
			watch->next_ms = mono_ms() + REFRESH_MS;
			left = REFRESH_MS;
		}
		struct pollfd ready[] = { { .fd = watch->signals, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
		if (poll(ready, watch->keys ? 2 : 1, (int)left) <= 0)
			continue;
		if (ready[0].revents)
			read_signal(watch);
		if (watch->keys && ready[1].revents)
			read_keys(watch);
		if (ready[0].revents && !watch->quit)
			paint(watch);
	}
	leave_screen(watch);
	close(watch->signals);
}

static void on_json(void *self, const char *text, const cJSON *value)
{
	(void)self;
	(void)value;
	printf("%s\n", text);
}

static void print_line(struct watch *watch, char *before, size_t size)
{
	struct ctl_model *model = watch->model;
	char line[1024];
	line_watch(model, watch->last_seq, line, sizeof(line));
	clean_text(line);
	if (strcmp(line, before) != 0 || !*model->trouble)
		printf("%s\n", line);
	snprintf(before, size, "%s", line);
	if (model->n_seen_decisions > 0 && !*model->trouble)
		watch->last_seq = model->decisions[model->n_seen_decisions - 1].seq;
}

/* Trouble is printed once; a figure a second is the record that was asked for. */
static void run_plain(struct watch *watch)
{
	char before[1024] = "", error[160];
	for (; mono_ms() < watch->end_ms; ) {
		struct ctl_listener json = { NULL, on_json };
		if (watch->conf->json) {
			if (client_ask(watch->conf->client, "{\"verb\":\"status\"}", ANSWER_MS, json, error, sizeof(error)) != CTL_DONE)
				fprintf(stderr, "mulletctl: %s\n", error);
		} else {
			watch_refresh(watch->conf->client, watch->model, ANSWER_MS);
			print_line(watch, before, sizeof(before));
		}
		if (fflush(stdout) != 0)
			return;
		watch->next_ms += PLAIN_MS;
		int64_t left = watch->next_ms - mono_ms();
		if (left > 0)
			poll(NULL, 0, (int)left);
	}
}

int watch_run(const struct watch_conf *conf)
{
	struct watch watch = { .conf = conf, .next_ms = mono_ms(), .last_seq = -1 };
	watch.end_ms = conf->for_ms > 0 ? watch.next_ms + conf->for_ms : INT64_MAX;
	watch.model = xcalloc(1, sizeof(*watch.model));
	if (isatty(STDOUT_FILENO) && !conf->json)
		run_screen(&watch);
	else
		run_plain(&watch);
	free(watch.model);
	return 0;
}
