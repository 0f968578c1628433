#include "sim/asic_request.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAME = 64, MOST_PARAMETER = 256, MOST_JOINED = 16 };

struct asked {
	int error;                      /* 0, or the code to answer with */
	char command[MOST_NAME * 4], parameter[MOST_PARAMETER];
};

void asic_init(struct asic *asic, enum asic_dialect dialect)
{
	*asic = (struct asic){ .dialect = dialect, .profile = ASIC_PROFILES - 1, .boards = (1 << ASIC_BOARDS) - 1 };
}

void asic_hold_session(struct asic *asic, int64_t now_ms)
{
	snprintf(asic->session, sizeof asic->session, "Held%04u", asic->sessions++ % 10000);
	asic->session_used_ms = now_ms;
}

void asic_tell(const struct asic_call *call, const char *parameter, char status, int code, bool moves)
{
	struct asic_command told = { call->miner, call->command, parameter, status, code, moves };
	if (call->room->on_command)
		call->room->on_command(call->room->self, &told);
}

/* ---- requests ---- */

static void copy_value(char *to, size_t size, const cJSON *value)
{
	to[0] = '\0';
	if (cJSON_IsString(value))
		snprintf(to, size, "%s", value->valuestring);
	else if (cJSON_IsNumber(value))
		snprintf(to, size, "%.15g", value->valuedouble);
}

static void read_json(struct asked *asked, const char *text)
{
	cJSON *object = cJSON_ParseWithOpts(text, NULL, 1);
	const cJSON *command = cJSON_GetObjectItemCaseSensitive(object, "command");
	asked->error = !object ? 23 : !cJSON_IsString(command) ? 24 : 0;
	copy_value(asked->command, sizeof asked->command, command);
	copy_value(asked->parameter, sizeof asked->parameter, cJSON_GetObjectItemCaseSensitive(object, "parameter"));
	cJSON_Delete(object);
}

/* command|parameter, up to the end of the line. */
static void read_text(struct asked *asked, const char *text)
{
	size_t n = strcspn(text, "|\r\n");
	snprintf(asked->command, sizeof asked->command, "%.*s", (int)n, text);
	if (text[n] == '|')
		snprintf(asked->parameter, sizeof asked->parameter, "%.*s", (int)strcspn(text + n + 1, "\r\n"), text + n + 1);
}

static struct asked read_request(const char *request, size_t len)
{
	struct asked asked = { 0 };
	char *text = strndup(request, len);
	if (!text)
		abort();
	if (text[0] == '{')
		read_json(&asked, text);
	else
		read_text(&asked, text);
	free(text);
	return asked;
}

/* ---- running them ---- */

static const struct asic_verb *verb_named(const struct asic_dialect_of *dialect, const char *name)
{
	for (size_t v = 0; v < dialect->n; v++)
		if (strcmp(dialect->verbs[v].name, name) == 0)
			return &dialect->verbs[v];
	return NULL;
}

static void run_one(const struct asic_dialect_of *dialect, struct asic_call *call, bool joined)
{
	const struct asic_verb *verb = verb_named(dialect, call->command);
	if (!verb)
		dialect->fail(call, 14, "Invalid command");
	else if (joined && !verb->joinable)
		dialect->fail(call, 45, "Access denied to command in a join");
	else
		verb->run(call);
}

static bool seen_before(char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], names[n]) == 0)
			return true;
	return false;
}

/* {"a":[{…}],"b":[{…}],"id":1}: each member an array of one whole reply. */
static void run_joined(const struct asic_dialect_of *dialect, struct asic_call *call, char *names_text)
{
	char *names[MOST_JOINED], *rest = names_text;
	size_t n = 0;
	text_put(call->reply, "{");
	for (char *name; n < MOST_JOINED && (name = strsep(&rest, "+"));) {
		names[n] = name;
		if (!*name || seen_before(names, n))
			continue;
		n++;
		call->command = name;
		text_put_string(call->reply, name);
		text_put(call->reply, ":[");
		run_one(dialect, call, true);
		text_put(call->reply, "],");
	}
	text_put(call->reply, "\"id\":1}");
}

void asic_answer(struct asic_room *room, size_t miner, int64_t now_ms, const char *request, size_t len, struct text *reply)
{
	struct asic *asic = &room->asics[miner];
	const struct asic_dialect_of *dialect = asic->dialect == ASIC_LUXOS ? &asic_luxos : &asic_cgminer;
	struct asked asked = read_request(request, len);
	struct asic_call call = {
		.room = room, .asic = asic, .unit = &room->plant->miners[miner], .miner = miner, .now_ms = now_ms,
		.command = asked.command, .parameter = asked.parameter, .reply = reply,
	};
	if (asked.error)
		dialect->fail(&call, asked.error, asked.error == 23 ? "Invalid JSON" : "Missing JSON 'command'");
	else if (strchr(asked.command, '+'))
		run_joined(dialect, &call, asked.command);
	else
		run_one(dialect, &call, false);
}
