#include "config/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct builder {
	struct arena *memory;
	struct fault_list *faults;
	struct path path;
	const char *bytes;
	size_t len;
	yaml_parser_t parser;
	int depth;
	bool failed;            /* nothing more can be read */
};

static struct mark mark_of(yaml_mark_t at)
{
	return (struct mark){(int32_t)at.line + 1, (int32_t)at.column + 1};
}

/* A reader error (bad UTF-8) has only an offset in bytes. */
static struct mark mark_at(const struct builder *b, size_t offset)
{
	struct mark at = {1, 1};
	for (size_t i = 0; i < offset && i < b->len; i++) {
		if (b->bytes[i] == '\n')
			at = (struct mark){at.line + 1, 1};
		else if (((unsigned char)b->bytes[i] & 0xC0) != 0x80)
			at.column++;
	}
	return at;
}

/* libyaml's own index counts characters. */
static char byte_at(const struct builder *b, struct mark place)
{
	struct mark at = {1, 1};
	for (size_t i = 0; i < b->len; i++) {
		if (((unsigned char)b->bytes[i] & 0xC0) == 0x80)
			continue;
		if (at.line == place.line && at.column == place.column)
			return b->bytes[i];
		at = b->bytes[i] == '\n' ? (struct mark){at.line + 1, 1} : (struct mark){at.line, at.column + 1};
	}
	return '\0';
}

/* What libyaml says of a missing blank or a wrong indent is right, and helps nobody. */
static const char *hint_for(const char *problem, char at)
{
	if (at == '\t')
		return "; indent with spaces, not with tabs";
	if (at == '@' || at == '`' || at == '%')
		return "; a text that begins so is written in quotes";
	if (strcmp(problem, "did not find expected key") == 0 ||
	    strcmp(problem, "mapping values are not allowed in this context") == 0)
		return "; is this line, or the one above, without a blank behind its colon, or indented otherwise than its neighbours?";
	return strcmp(problem, "could not find expected ':'") == 0 ? "; a key is followed by a colon and a blank" : "";
}

static void syntax_fault(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	const char *problem = p->problem ? p->problem : "it cannot be read";
	b->failed = true;
	if (p->error == YAML_READER_ERROR) {
		fault_list_add(b->faults, mark_at(b, p->problem_offset), NULL,
		               "not a UTF-8 text: %s", problem);
		return;
	}
	const char *hint = hint_for(problem, byte_at(b, mark_of(p->problem_mark)));
	if (p->context)
		fault_list_add(b->faults, mark_of(p->problem_mark), NULL,
		               "not YAML: %s, %s at line %zu, column %zu%s", problem, p->context,
		               p->context_mark.line + 1, p->context_mark.column + 1, hint);
	else
		fault_list_add(b->faults, mark_of(p->problem_mark), NULL, "not YAML: %s%s", problem, hint);
}

static bool next(struct builder *b, yaml_event_t *event)
{
	if (b->failed)
		return false;
	if (yaml_parser_parse(&b->parser, event))
		return true;
	syntax_fault(b);
	return false;
}

static void refuse(struct builder *b, const yaml_event_t *event, const char *what)
{
	fault_list_add(b->faults, mark_of(event->start_mark), b->path.text, "%s", what);
}

static void refuse_extras(struct builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
                          const yaml_char_t *tag)
{
	if (anchor)
		refuse(b, event, "anchors (&name) are refused; write the value out");
	if (tag)
		refuse(b, event, "tags (!name) are refused; write the value alone");
}

static struct node *node_new(struct builder *b, const yaml_event_t *event, enum node_type type)
{
	struct node *node = arena_take(b->memory, sizeof *node);
	node->type = type;
	node->at = mark_of(event->start_mark);
	return node;
}

static struct node *scalar(struct builder *b, const yaml_event_t *event)
{
	struct node *node = node_new(b, event, NODE_SCALAR);
	const char *text = (const char *)event->data.scalar.value;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_text(b->memory, text, event->data.scalar.length);
	refuse_extras(b, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (memchr(text, '\0', event->data.scalar.length)) {
		refuse(b, event, "a NUL character is refused; leave it out");
		node->bad = true;
	}
	return node;
}

static struct node *build(struct builder *b, const yaml_event_t *event);

static int by_key(const void *a, const void *b)
{
	const struct node *one = *(struct node *const *)a, *two = *(struct node *const *)b;
	int order = strcmp(one->key, two->key);
	if (order)
		return order;
	if (one->key_at.line != two->key_at.line)
		return one->key_at.line < two->key_at.line ? -1 : 1;
	return (one->key_at.column > two->key_at.column) - (one->key_at.column < two->key_at.column);
}

/* Sorted, because a hostile file has room for 200,000 keys. The first of a kind stays. */
static void refuse_doubled(struct builder *b, struct node *map)
{
	if (map->n_children < 2)
		return;
	struct node **sorted = arena_take(b->memory, map->n_children * sizeof(struct node *));
	size_t n = 0;
	for (struct node *child = map->children; child; child = child->next)
		sorted[n++] = child;
	qsort(sorted, n, sizeof(struct node *), by_key);
	bool doubled = false;
	for (size_t i = 1, first = 0; i < n; i++) {
		if (strcmp(sorted[i]->key, sorted[first]->key) != 0) {
			first = i;
			continue;
		}
		size_t top = path_push(&b->path, sorted[i]->key);
		fault_list_add(b->faults, sorted[i]->key_at, b->path.text,
		               "given twice, first at line %d; keep one", (int)sorted[first]->key_at.line);
		path_pop(&b->path, top);
		sorted[i]->key = NULL;
		doubled = true;
	}
	for (struct node **link = &map->children; doubled && *link; ) {
		if ((*link)->key) {
			link = &(*link)->next;
		} else {
			*link = (*link)->next;
			map->n_children--;
		}
	}
}

/* A key and its value; NULL where the key will not do or the file ends. */
static struct node *pair(struct builder *b, const yaml_event_t *key_event)
{
	struct node *key = build(b, key_event), *value = NULL;
	if (!key)
		return NULL;
	bool usable = key->type == NODE_SCALAR && !key->bad;
	if (!usable && !key->bad)
		refuse(b, key_event, "a key is a single word; write KEY: VALUE");
	size_t top = path_push(&b->path, usable ? key->text : "?");
	yaml_event_t event;
	if (next(b, &event)) {
		value = build(b, &event);
		yaml_event_delete(&event);
	}
	path_pop(&b->path, top);
	if (!value || !usable)
		return NULL;
	value->key = key->text;
	value->key_at = key->at;
	return value;
}

static struct node *item(struct builder *b, const yaml_event_t *event, size_t index)
{
	char name[24];
	snprintf(name, sizeof name, "%zu", index + 1);
	size_t top = path_push(&b->path, name);
	struct node *node = build(b, event);
	path_pop(&b->path, top);
	return node;
}

static struct node *collection(struct builder *b, const yaml_event_t *start, enum node_type type)
{
	yaml_event_type_t end = type == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
	struct node *node = node_new(b, start, type), **link = &node->children;
	if (++b->depth > CONFIG_MAX_DEPTH) {
		refuse(b, start, "nested deeper than 16; nothing here needs that");
		b->failed = true;
	}
	yaml_event_t event;
	while (next(b, &event)) {
		bool ended = event.type == end;
		struct node *child = NULL;
		if (!ended)
			child = type == NODE_MAP ? pair(b, &event) : item(b, &event, node->n_children);
		yaml_event_delete(&event);
		if (ended)
			break;
		if (child) {
			*link = child;
			link = &child->next;
			node->n_children++;
		}
	}
	b->depth--;
	if (type == NODE_MAP && !b->failed)
		refuse_doubled(b, node);
	return node;
}

static struct node *build(struct builder *b, const yaml_event_t *event)
{
	struct node *node;
	switch ((int)event->type) {
	case YAML_SCALAR_EVENT:
		return scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		refuse_extras(b, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
		return collection(b, event, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		refuse_extras(b, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
		return collection(b, event, NODE_MAP);
	case YAML_ALIAS_EVENT:
		refuse(b, event, "aliases (*name) are refused; write the value out");
		node = node_new(b, event, NODE_SCALAR);
		node->text = "";
		node->bad = true;
		return node;
	}
	return NULL;            /* libyaml sends nothing else inside a document */
}

static struct node *documents(struct builder *b)
{
	struct node *root = NULL;
	size_t n = 0;
	for (bool ended = false; !ended; ) {
		yaml_event_t event;
		if (!next(b, &event))
			return NULL;
		ended = event.type == YAML_STREAM_END_EVENT;
		if (event.type == YAML_DOCUMENT_START_EVENT && ++n == 2) {
			refuse(b, &event, "a second document begins here; a file holds one");
			b->failed = true;
		} else if (event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT ||
		           event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT) {
			root = build(b, &event);
		}
		yaml_event_delete(&event);
	}
	if (root && !node_is_empty(root))
		return root;
	fault_list_add(b->faults, (struct mark){1, 1}, NULL, "the file is empty; keys and values belong in it");
	return NULL;
}

struct node *tree_read(struct arena *memory, const char *bytes, size_t len, struct fault_list *faults)
{
	if (len > CONFIG_MAX_BYTES) {
		fault_list_add(faults, (struct mark){1, 1}, NULL, "longer than 1 MiB; nothing here needs that");
		return NULL;
	}
	struct builder b = {.memory = memory, .faults = faults, .bytes = bytes, .len = len};
	if (!yaml_parser_initialize(&b.parser))
		abort();
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)bytes, len);
	struct node *root = documents(&b);
	yaml_parser_delete(&b.parser);
	return b.failed ? NULL : root;
}

struct node *node_child(const struct node *map, const char *key)
{
	struct node *child = map && map->type == NODE_MAP ? map->children : NULL;
	while (child && strcmp(child->key, key) != 0)
		child = child->next;
	return child;
}

bool node_is_empty(const struct node *node)
{
	return node->type == NODE_SCALAR && node->plain && !*node->text;
}

#define SHOWN 40

/* Copies at most MOST bytes of TEXT, whole characters only, without control characters; returns how many. */
static size_t clean(char *to, const char *text, size_t most)
{
	size_t n = strlen(text);
	if (n > most)
		for (n = most; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80; )
			n--;
	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '?' : text[i];
	return n;
}

const char *shown(struct arena *memory, const char *text)
{
	char *copy = arena_take(memory, SHOWN + 4);
	if (!*text)
		return "\"\"";
	size_t n = clean(copy, text, SHOWN);
	strcpy(copy + n, text[n] ? "..." : "");
	return copy;
}

size_t path_push(struct path *path, const char *key)
{
	size_t before = path->len;
	if (path->len + 1 + 64 >= sizeof path->text)
		return before;
	if (path->len > 0)
		path->text[path->len++] = '.';
	path->len += clean(path->text + path->len, key, 64);
	path->text[path->len] = '\0';
	return before;
}

void path_pop(struct path *path, size_t len)
{
	path->len = len;
	path->text[len] = '\0';
}
