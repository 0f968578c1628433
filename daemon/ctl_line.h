/* daemon/ctl_line.h - mulletctl's command line, and how its verbs ask the daemon. */
#ifndef DAEMON_CTL_LINE_H
#define DAEMON_CTL_LINE_H

#include "daemon/ctl_client.h"
#include "daemon/json.h"

#define ANSWER_MS 10000

struct command_line {
	const char *socket;
	bool json, ascii;
	const char *n, *since, *for_how_long;   /* as given; NULL: not */
	const char *port, *rate, *timeout;      /* of discover */
	const char *verb;
	char **words;                   /* after the verb */
	int n_words;
};

int fail(int code, const char *what);   /* says what is wrong; returns the code */

/* Begins {"verb":NAME; whoever calls adds members. What asks closes it. */
void begin_request(struct json *request, const char *verb);
/* These return the exit code; why it is not 0 was said. */
int ask_once(const struct command_line *, const struct json *request, struct ctl_listener);
struct ctl_listener printed(void);      /* each answer goes out as it came */
/* Answers as an array, to be deleted. Frees the request. */
cJSON *asked(const struct command_line *, struct json *request, int *code);
const cJSON *find_row(const cJSON *rows, const char *key, const char *text);    /* NULL: none has that text */

/* ---- verbs that list something (ctl_verbs.c) ---- */
int run_miners(const struct command_line *);
int run_groups(const struct command_line *);
int run_meters(const struct command_line *);
int run_events(const struct command_line *);
int run_alarms(const struct command_line *);
int run_decisions(const struct command_line *);

#endif
