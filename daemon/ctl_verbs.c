/* mulletctl's verbs that list something. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/ctl_decisions.h"
#include "daemon/ctl_event.h"
#include "daemon/ctl_groups.h"
#include "daemon/ctl_line.h"
#include "daemon/ctl_model.h"
#include "daemon/ctl_table.h"

#define KEPT_DECISIONS 200              /* by the daemon */
#define MOST_DECISIONS 100000           /* asked for where --since bounds them */

static void print_rows(enum ctl_list which, cJSON *rows)
{
	if (which == LIST_GROUPS)
		groups_as_rows(rows);
	if (which == LIST_DECISIONS)
		decisions_as_rows(rows);
	table_print(stdout, which, rows, table_width());
}

static void print_json(const cJSON *row)
{
	char *text = cJSON_PrintUnformatted(row);
	printf("%s\n", text);
	cJSON_free(text);
}

/* choose takes away what is not wanted; false: it has said why nothing is left. */
static int list(const struct command_line *line, enum ctl_list which, struct json *request,
                bool (*choose)(const struct command_line *, cJSON *))
{
	int code;
	if (line->json && !choose) {
		json_close(request);
		code = ask_once(line, request, printed());
		json_free(request);
		return code;
	}
	cJSON *rows = asked(line, request, &code);
	const cJSON *row;
	if (code == 0 && choose && !choose(line, rows))
		code = 1;
	if (code == 0 && line->json)
		cJSON_ArrayForEach(row, rows)
			print_json(row);
	else if (code == 0)
		print_rows(which, rows);
	cJSON_Delete(rows);
	return code;
}

static void keep_only(cJSON *rows, const char *key, const char *text)
{
	for (cJSON *row = rows->child, *next; row; row = next) {
		next = row->next;
		if (strcmp(json_text(row, key), text) != 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(rows, row));
	}
}

static bool keep_miner(const struct command_line *line, cJSON *rows)
{
	keep_only(rows, "name", line->words[0]);
	if (!rows->child)
		fprintf(stderr, "mulletctl: no miner is called \"%s\"\n", line->words[0]);
	return rows->child;
}

/* A group, or one miner of it as decisions and alarms name it. */
int run_miners(const struct command_line *line)
{
	struct json request;
	const char *name = line->n_words > 0 ? line->words[0] : "", *slash = strchr(name, '/');
	char group[256];
	snprintf(group, sizeof(group), "%.*s", (int)(slash ? (size_t)(slash - name) : strlen(name)), name);
	begin_request(&request, "miners");
	if (*name)
		json_string(&request, "group", group);
	return list(line, LIST_MINERS, &request, slash ? keep_miner : NULL);
}

int run_groups(const struct command_line *line)
{
	struct json request;
	begin_request(&request, "groups");
	return list(line, LIST_GROUPS, &request, NULL);
}

int run_meters(const struct command_line *line)
{
	struct json request;
	begin_request(&request, "meters");
	return list(line, LIST_METERS, &request, NULL);
}

/* What was decided for that event, of what is kept. */
static int print_decisions_of(const struct command_line *line, const char *id)
{
	struct json request;
	int code;
	begin_request(&request, "decisions");
	json_int(&request, "n", KEPT_DECISIONS);
	cJSON *rows = asked(line, &request, &code);
	keep_only(rows, "event", id);
	if (rows->child) {
		printf("\n");
		print_rows(LIST_DECISIONS, rows);
	}
	cJSON_Delete(rows);
	return code;
}

static int run_event(const struct command_line *line, const char *id)
{
	struct json request;
	int code;
	begin_request(&request, "events");
	cJSON *rows = asked(line, &request, &code);
	const cJSON *event = find_row(rows, "id", id);
	if (code == 0 && !event) {
		fprintf(stderr, "mulletctl: no order or event is called \"%s\"; mulletctl events lists them\n", id);
		code = 1;
	} else if (code == 0 && line->json) {
		print_json(event);
	} else if (code == 0) {
		event_print(stdout, event);
		code = print_decisions_of(line, id);
	}
	cJSON_Delete(rows);
	return code;
}

int run_events(const struct command_line *line)
{
	struct json request;
	if (line->n_words > 0)
		return run_event(line, line->words[0]);
	begin_request(&request, "events");
	return list(line, LIST_EVENTS, &request, NULL);
}

int run_alarms(const struct command_line *line)
{
	struct json request;
	begin_request(&request, "alarms");
	return list(line, LIST_ALARMS, &request, NULL);
}

static bool keep_since(const struct command_line *line, cJSON *rows)
{
	char since[SINCE_BYTES] = "";
	if (!line->since || !parse_since(line->since, time(NULL), since))
		return true;
	while (rows->child && strcmp(json_text(rows->child, "time"), since) < 0)
		cJSON_DeleteItemFromArray(rows, 0);
	return true;
}

int run_decisions(const struct command_line *line)
{
	struct json request;
	char since[SINCE_BYTES], *end = NULL;
	long n = line->n ? strtol(line->n, &end, 10) : line->since ? MOST_DECISIONS : 20;
	if (n < 1 || n > MOST_DECISIONS || (end && *end))
		return fail(2, "decisions: -n wants a number from 1 to 100000");
	if (line->since && !parse_since(line->since, time(NULL), since))
		return fail(2, "decisions: --since wants a UTC time like 2026-11-22T05:04:03Z, \"2026-11-22 05:04\" or 05:04, or how long "
		               "ago, like \"15 min\"");
	begin_request(&request, "decisions");
	json_int(&request, "n", n);
	if (line->since)
		json_string(&request, "since", since);
	return list(line, LIST_DECISIONS, &request, line->since ? keep_since : NULL);
}
