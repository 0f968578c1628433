/* config/tree.h - YAML as a tree in which every value knows its place.
 *
 * Through libyaml's event API, which sets no limits of its own: size and depth are bounded here; anchors, aliases,
 * tags, second documents, doubled keys and NUL are refused. Every scalar is text, to be understood by who reads it. */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/arena.h"
#include "config/config.h"

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_type type;
	bool plain;             /* a scalar without quotes: the only kind that may be a number */
	bool bad;               /* a fault was found in it: no need to complain of what follows from that */
	struct mark at;
	struct mark key_at;     /* in a mapping: of its key */
	const char *key;        /* NULL in a list */
	const char *text;       /* of a scalar */
	struct node *children, *next;   /* in the order of the file */
	size_t n_children;
};

/* Returns the root, or NULL after adding at least one fault. Faults that leave the tree whole are only added. */
struct node *tree_read(struct arena *, const char *bytes, size_t len, struct fault_list *);
struct node *node_child(const struct node *map, const char *key);       /* NULL: not there */
bool node_is_empty(const struct node *);        /* a key without a value */
/* TEXT made fit for a message: short, and no control characters. */
const char *shown(struct arena *, const char *text);

/* Where in the tree: "meters.pdu.every". */
struct path { char text[1200]; size_t len; };   /* room for CONFIG_MAX_DEPTH keys, each cut at 64 */
size_t path_push(struct path *, const char *key);       /* returns what path_pop wants */
void path_pop(struct path *, size_t len);

#endif
