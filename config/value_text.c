#include <string.h>

#include "config/hostlist.h"
#include "config/settings.h"

static void store_text(struct reading *r, const struct field *field, void *owner, const char *text)
{
	const char *copy = arena_text(r->memory, text, strlen(text));
	memcpy((char *)owner + field->offset, &copy, sizeof copy);
}

/* What is wrong with TEXT as a kind of text; NULL: nothing. */
static const char *text_fault(enum kind kind, const char *text)
{
	size_t n;
	if (!*text)
		return "is empty; a text belongs here";
	if (kind == KIND_NAME) {
		n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
		if (text[n] || n > 64)
			return "is not a name; a-z, 0-9 and dashes will do, at most 64 of them";
	}
	if (kind == KIND_OID)
		return oid_fault(text);
	if (kind == KIND_TOPIC && strpbrk(text, "+#"))
		return "has wildcards; a topic without + and # belongs here";
	if (kind == KIND_TOPIC && (strlen(text) > 1024 || *text == '/' || text[strlen(text) - 1] == '/'))
		return "is no topic; at most 1024 characters, without a slash at either end, will do";
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 && kind != KIND_TEXT)
			return "has control characters; write it without";
	return NULL;
}

bool text_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	const char *text = node->text, *why = text_fault(field->kind, text), *slash = strrchr(r->file, '/');
	if (why) {
		reading_fault(r, node->at, NULL, "%s %s", shown(r->memory, text), why);
		return false;
	}
	if (field->kind == KIND_HOST && (why = host_fault(text))) {
		reading_fault(r, node->at, NULL, "%s: %s", shown(r->memory, text), why);
		return false;
	}
	if (field->kind == KIND_FILE && *text != '/' && slash)
		text = arena_format(r->memory, "%.*s/%s", (int)(slash - r->file), r->file, text);
	store_text(r, field, owner, text);
	return true;
}

struct hosts { const char **all; size_t n, room; };

/* Adds the hosts of one hostlist to those there are. */
static bool hosts_add(struct reading *r, const struct node *node, struct hosts *hosts)
{
	const char **more, *why;
	if (node->type != NODE_SCALAR) {
		reading_fault(r, node->at, NULL, "is not a host; a name or an address belongs here");
		return false;
	}
	size_t n = hostlist_expand(r->memory, node->text, CONFIG_MAX_DEVICES - r->n_devices, &more, &why);
	if (!n) {
		reading_fault(r, node->at, NULL, "%s: %s", shown(r->memory, node->text), why);
		return false;
	}
	if (hosts->n + n > hosts->room) {
		hosts->room = 2 * (hosts->n + n);
		const char **wider = arena_take(r->memory, hosts->room * sizeof *wider);
		if (hosts->n)
			memcpy(wider, hosts->all, hosts->n * sizeof *wider);
		hosts->all = wider;
	}
	memcpy(hosts->all + hosts->n, more, n * sizeof *more);
	hosts->n += n;
	r->n_devices += n;
	return true;
}

bool hosts_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	struct hosts hosts = {NULL, 0, 0};
	bool fine = true;
	if (node->type == NODE_LIST)
		for (struct node *item = node->children; item && !r->faults->dropped; item = item->next)
			fine = hosts_add(r, item, &hosts) && fine;
	else
		fine = hosts_add(r, node, &hosts);
	if (fine && hosts.n == 0)
		reading_fault(r, node->at, NULL, "is empty; a host belongs here");
	memcpy((char *)owner + field->offset, &hosts.all, sizeof hosts.all);
	memcpy((char *)owner + field->count, &hosts.n, sizeof hosts.n);
	return fine && hosts.n > 0;
}

static const char *label_fault(const struct node *label)
{
	size_t n = strspn(label->key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (n == 0 || label->key[n] || (*label->key >= '0' && *label->key <= '9'))
		return "is not the name of a label; letters, digits and _ will do, no digit first";
	if (node_is_empty(label))
		return "has no value; a text belongs here, or \"\" for samples without that label";
	return label->type == NODE_SCALAR ? NULL : "is not a single value; a text belongs here";
}

bool labels_read(struct reading *r, const struct field *field, struct node *map, void *owner)
{
	struct label_conf *labels = arena_take(r->memory, (map->n_children + 1) * sizeof *labels);
	size_t n = 0;
	bool fine = map->type == NODE_MAP && map->n_children <= CONFIG_MAX_LABELS;
	if (!fine)
		reading_fault(r, map->at, NULL, "at most %d labels belong here, as {NAME: VALUE}", CONFIG_MAX_LABELS);
	for (const struct node *label = fine ? map->children : NULL; label; label = label->next) {
		const char *why = label_fault(label);
		fine = fine && !why;
		if (why)
			reading_fault(r, label->key_at, shown(r->memory, label->key), "%s", why);
		else
			labels[n++] = (struct label_conf){arena_text(r->memory, label->key, strlen(label->key)),
			                                  arena_text(r->memory, label->text, strlen(label->text))};
	}
	memcpy((char *)owner + field->offset, &labels, sizeof labels);
	memcpy((char *)owner + field->count, &n, sizeof n);
	return fine;
}
