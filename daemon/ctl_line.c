#include "daemon/ctl_line.h"

#include <stdio.h>
#include <string.h>

#include "daemon/ctl_canvas.h"
#include "daemon/ctl_model.h"

int fail(int code, const char *what)
{
	fprintf(stderr, "mulletctl: %s\n", what);
	return code;
}

static void print_raw(void *self, const char *text, const cJSON *value)
{
	(void)self;
	(void)value;
	printf("%s\n", text);
}

struct ctl_listener printed(void)
{
	return (struct ctl_listener){ NULL, print_raw };
}

int ask_once(const struct command_line *line, const struct json *request, struct ctl_listener listener)
{
	struct ctl_client client;
	char error[300] = "";
	client_init(&client, line->socket);
	enum ctl_outcome outcome = client_ask(&client, request->text, ANSWER_MS, listener, error, sizeof(error));
	client_close(&client);
	clean_text(error);
	return outcome == CTL_DONE ? 0 : fail(1, error);
}

void begin_request(struct json *request, const char *verb)
{
	*request = (struct json){ 0 };
	json_open(request, NULL);
	json_string(request, "verb", verb);
}

static void collect(void *self, const char *text, const cJSON *value)
{
	(void)text;
	cJSON_AddItemToArray(self, cJSON_Duplicate(value, 1));
}

cJSON *asked(const struct command_line *line, struct json *request, int *code)
{
	cJSON *rows = cJSON_CreateArray();
	json_close(request);
	*code = ask_once(line, request, (struct ctl_listener){ rows, collect });
	json_free(request);
	return rows;
}

const cJSON *find_row(const cJSON *rows, const char *key, const char *text)
{
	const cJSON *row;
	cJSON_ArrayForEach(row, rows)
		if (strcmp(json_text(row, key), text) == 0)
			return row;
	return NULL;
}
