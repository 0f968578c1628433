#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

#define MAX_GROUPS 1000

void reading_fault(struct reading *r, struct mark at, const char *key, const char *format, ...)
{
	char *text;
	va_list values;
	va_start(values, format);
	if (vasprintf(&text, format, values) < 0)
		abort();
	va_end(values);
	size_t top = key ? path_push(&r->path, key) : r->path.len;
	fault_list_add(r->faults, at, r->path.text, "%s", text);
	path_pop(&r->path, top);
	free(text);
}

size_t fault_list_count(const struct fault_list *faults)
{
	return faults->n + faults->dropped;
}

#define MAX_WORD 32

/* How many letters to put in, take out, change or swap with a neighbour, to make one word the other. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][MAX_WORD + 1], n = strlen(a), m = strlen(b);
	if (n > MAX_WORD || m > MAX_WORD)
		return MAX_WORD;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *swapped = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && swapped[j - 2] + 1 < best)
				best = swapped[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[n % 3][m];
}

const char *nearest(const char *word, const char *const *list, size_t n)
{
	const char *found = NULL;
	size_t best = strlen(word) <= 3 ? 2 : 1 + strlen(word) / 3;
	for (size_t i = 0; i < n; i++) {
		size_t far = distance(word, list[i]);
		if (far < best) {
			best = far;
			found = list[i];
		}
	}
	return found;
}

static void unknown_key(struct reading *r, const struct node *child, const struct table *table)
{
	const char *keys[32], *all = "";
	size_t n = 0;
	if (r->faults->n >= CONFIG_MAX_FAULTS) {        /* no words for what is only counted */
		r->faults->dropped++;
		return;
	}
	for (size_t i = 0; i < table->n && n < 32; i++)
		if (table->fields[i].kind != KIND_LATER)
			keys[n++] = table->fields[i].key;
	const char *near = nearest(child->key, keys, n);
	if (near) {
		reading_fault(r, child->key_at, child->key, "unknown key; is %s meant?", near);
		return;
	}
	for (size_t i = 0; i < n; i++)
		all = arena_format(r->memory, "%s%s%s", all, i ? ", " : "", keys[i]);
	reading_fault(r, child->key_at, child->key, "unknown key; known here: %s", all);
}

static const struct field *field_named(const struct table *table, const char *key)
{
	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->fields[i].key, key) == 0)
			return &table->fields[i];
	return NULL;
}

static bool is_map(struct reading *r, struct node *node)
{
	if (node->type == NODE_MAP)
		return true;
	if (!node->bad)
		reading_fault(r, node_is_empty(node) ? node->key_at : node->at, NULL, "%s; keys and values belong here",
		              node_is_empty(node) ? "has nothing in it" :
		              node->type == NODE_LIST ? "is a list" : "is a single value");
	return false;
}

static const char *name_fault(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (n == 0 || name[n])
		return "a name has a-z, 0-9 and dashes only";
	return n > 64 ? "a name has at most 64 characters" : NULL;
}

/* One element a child, bad ones too, so that the two stay in step. */
static bool groups_read(struct reading *r, const struct field *field, struct node *map, void *owner)
{
	if (!is_map(r, map))
		return false;
	if (map->n_children > MAX_GROUPS) {
		reading_fault(r, map->at, NULL, "%zu groups; at most %d will do", map->n_children, MAX_GROUPS);
		return false;
	}
	char *groups = arena_take(r->memory, (map->n_children + 1) * field->stride), *group = groups;
	for (struct node *child = map->children; child; child = child->next, group += field->stride) {
		const char *name = arena_text(r->memory, child->key, strlen(child->key));
		const char *why = name_fault(name);
		if (why)
			reading_fault(r, child->key_at, name, "%s", why);
		size_t top = path_push(&r->path, name);
		memcpy(group, &name, sizeof name);
		memcpy(group + sizeof name, &child->key_at, sizeof child->key_at);
		section_read(r, child, field->table, group);
		path_pop(&r->path, top);
	}
	memcpy((char *)owner + field->offset, &groups, sizeof groups);
	memcpy((char *)owner + field->count, &map->n_children, sizeof map->n_children);
	return true;
}
_Static_assert(offsetof(struct meter_group_conf, at) == sizeof(char *), "groups begin with name and place");
_Static_assert(offsetof(struct miner_group_conf, at) == sizeof(char *), "groups begin with name and place");
_Static_assert(offsetof(struct signal_conf, at) == sizeof(char *), "groups begin with name and place");

/* Its elements live within the owner; one that is bad leaves its place as the presets make it. */
static bool list_read(struct reading *r, const struct field *field, struct node *list, void *owner)
{
	size_t most = field->size / field->stride, n = 0;
	char number[16];
	if (list->type != NODE_LIST) {
		reading_fault(r, node_is_empty(list) ? list->key_at : list->at, NULL, "is not a list; one of mappings belongs here, each behind a dash");
		return false;
	}
	if (list->n_children > most) {
		reading_fault(r, list->at, NULL, "has %zu elements; at most %zu will do", list->n_children, most);
		return false;
	}
	for (struct node *item = list->children; item; item = item->next) {
		snprintf(number, sizeof number, "%zu", n + 1);
		size_t top = path_push(&r->path, number);
		section_read(r, item, field->table, (char *)owner + field->offset + n++ * field->stride);
		path_pop(&r->path, top);
	}
	memcpy((char *)owner + field->count, &n, sizeof n);
	return true;
}

static bool field_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	switch (field->kind) {
	case KIND_LATER:
		reading_fault(r, node->key_at, NULL, "not supported yet; leave it out");
		return false;
	case KIND_SECTION:
		section_read(r, node, field->table, (char *)owner + field->offset);
		return !node->bad;
	case KIND_GROUPS:
		return groups_read(r, field, node, owner);
	case KIND_LIST:
		return list_read(r, field, node, owner);
	case KIND_REGISTER:
		return register_read(r, node, field->table, (void *)((char *)owner + field->offset));
	default:
		return value_read(r, field, node, owner);
	}
}

static void presets(struct reading *r, const struct table *table, void *owner)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct field *field = &table->fields[i];
		if (field->kind == KIND_SECTION && field->preset)
			presets(r, field->table, (char *)owner + field->offset);
		else if (field->preset && *field->preset)
			value_preset(r, field, owner);
	}
}

static void missing(struct reading *r, const struct node *map, const struct table *table)
{
	struct mark at = map->key ? map->key_at : map->at;
	for (size_t i = 0; i < table->n; i++) {
		const struct field *field = &table->fields[i];
		if (!field->preset && !node_child(map, field->key))
			reading_fault(r, at, field->key, "missing; it is needed: %s", field->help);
	}
}

void section_read(struct reading *r, struct node *map, const struct table *table, void *owner)
{
	presets(r, table, owner);
	if (!is_map(r, map)) {
		map->bad = true;
		return;
	}
	for (struct node *child = map->children; child; child = child->next) {
		const struct field *field = field_named(table, child->key);
		if (!field) {
			unknown_key(r, child, table);
			continue;
		}
		size_t top = path_push(&r->path, child->key);
		if (!field_read(r, field, child, owner))
			child->bad = true;
		path_pop(&r->path, top);
	}
	missing(r, map, table);
	if (table->finish)
		table->finish(r, map, owner);
}
