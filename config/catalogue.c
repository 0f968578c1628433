#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

char *file_read(struct arena *arena, const char *file, size_t *len)
{
	FILE *in = fopen(file, "rbe");
	if (!in)
		return NULL;
	char *bytes = arena_take(arena, CONFIG_MAX_BYTES + 1);
	*len = fread(bytes, 1, CONFIG_MAX_BYTES + 1, in);
	int error = ferror(in) ? errno : 0;
	fclose(in);
	errno = error;
	return error ? NULL : bytes;
}

/* Unit and scale of the file become one. */
static double in_base_unit(char unit)
{
	switch (unit) {
	case 'k': return 1e3;
	case 'M': return 1e6;
	case 'm': return 1e-3;
	}
	return 1;
}

bool register_read(struct reading *r, struct node *node, const struct table *table, struct register_conf *conf)
{
	struct register_row row = {.conf.at = node->at};
	size_t before = fault_list_count(r->faults);
	section_read(r, node, table, &row);
	if (row.type && strlen(row.type) >= sizeof conf->type)
		reading_fault(r, node_child(node, "type")->at, "type", "%s is no register type; float32, int32 "
		              "or the like belongs here", shown(r->memory, row.type));
	if (fault_list_count(r->faults) != before)
		return false;
	strcpy(row.conf.type, row.type);
	row.conf.scale *= in_base_unit(row.unit);
	row.conf.absent_all_ones = row.absent & 1;
	row.conf.absent_largest = row.absent & 2;
	row.conf.absent_smallest = row.absent & 4;
	*conf = row.conf;
	return true;
}

bool catalogue_read(struct arena *memory, const struct table *table, const char *file, const char *name,
                    struct fault_list *faults, struct catalogue_entry *entry)
{
	size_t before = fault_list_count(faults), len = 0;
	struct arena *scratch = arena_new();
	struct reading r = {.memory = memory, .faults = faults, .file = file};
	char *bytes = file_read(scratch, file, &len);
	if (!bytes)
		fault_list_add(faults, (struct mark){0, 0}, NULL, "cannot be read: %s", strerror(errno));
	struct node *root = bytes ? tree_read(scratch, bytes, len, faults) : NULL;
	if (root)
		section_read(&r, root, table, entry);
	if (fault_list_count(faults) == before && strcmp(entry->name, name) != 0)
		reading_fault(&r, node_child(root, "name")->at, "name", "%s is not what the file is called; %s belongs here",
		              shown(memory, entry->name), name);
	arena_free(scratch);
	return fault_list_count(faults) == before;
}

struct shelf { const char *folder, *what; const struct table *table; };
static const struct shelf registers_shelf = {"registers", "register map", &catalogue_file};
static const struct shelf oids_shelf = {"oids", "map of OIDs", &oid_catalogue_file};

/* The first directory that has NAME.yaml on that shelf; NULL: none has. */
static const char *find(struct reading *r, const struct shelf *shelf, const char *name)
{
	for (const char *const *directory = r->catalogue; directory && *directory; directory++) {
		const char *file = arena_format(r->memory, "%s/%s/%s.yaml", *directory, shelf->folder, name);
		FILE *in = fopen(file, "re");
		if (in) {
			fclose(in);
			return file;
		}
	}
	return NULL;
}

#define MAX_NAMES 200

static int in_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t names_add(struct reading *r, const char *directory, const char **names, size_t n)
{
	DIR *dir = opendir(directory);
	for (struct dirent *entry; dir && n < MAX_NAMES && (entry = readdir(dir)); ) {
		const char *end = strstr(entry->d_name, ".yaml");
		if (end && !end[5] && end != entry->d_name)
			names[n++] = arena_text(r->memory, entry->d_name, (size_t)(end - entry->d_name));
	}
	if (dir)
		closedir(dir);
	return n;
}

static void not_found(struct reading *r, const struct shelf *shelf, const struct node *node)
{
	const char *names[MAX_NAMES], *all = "";
	size_t n = 0;
	for (const char *const *directory = r->catalogue; directory && *directory; directory++)
		n = names_add(r, arena_format(r->memory, "%s/%s", *directory, shelf->folder), names, n);
	qsort(names, n, sizeof *names, in_order);
	const char *near = nearest(node->text, names, n);
	for (size_t i = 0; !near && i < n; i++)
		all = arena_format(r->memory, "%s%s%s", all, i ? ", " : "", names[i]);
	if (near)
		reading_fault(r, node->at, NULL, "no %s %s in the catalogue; is %s meant?", shelf->what, node->text, near);
	else
		reading_fault(r, node->at, NULL, "no %s %s in the catalogue; there are: %s", shelf->what, node->text,
		              n ? all : "none");
}

static bool look_up(struct reading *r, const struct shelf *shelf, const struct node *node, struct catalogue_entry *entry)
{
	struct fault_list faults;
	char line[512];
	const char *file = find(r, shelf, node->text);
	if (!file) {
		not_found(r, shelf, node);
		return false;
	}
	fault_list_init(&faults, file);
	bool fine = catalogue_read(r->memory, shelf->table, file, node->text, &faults, entry);
	fault_list_sort(&faults);
	for (size_t i = 0; i < faults.n; i++) {
		fault_format(&faults, i, line, sizeof line);
		reading_fault(r, node->at, NULL, "%s", line);
	}
	fault_list_free(&faults);
	return fine;
}

static bool is_entry_name(struct reading *r, const struct node *node)
{
	size_t n = strspn(node->text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (n > 0 && n <= 64 && !node->text[n])
		return true;
	reading_fault(r, node->at, NULL, "%s is not a name of the catalogue; a-z, 0-9 and dashes will do, or a map in place",
	              shown(r->memory, node->text));
	return false;
}

bool registers_read(struct reading *r, struct node *node, struct register_map_conf *map)
{
	size_t before = fault_list_count(r->faults);
	struct catalogue_entry entry = {0};
	if (node->type != NODE_SCALAR) {
		section_read(r, node, &register_map, map);
		return fault_list_count(r->faults) == before;
	}
	bool fine = is_entry_name(r, node) && look_up(r, &registers_shelf, node, &entry);
	*map = entry.map;
	map->name = entry.name;
	return fine;
}

bool oids_read(struct reading *r, struct node *node, struct oid_map_conf *map)
{
	size_t before = fault_list_count(r->faults);
	struct catalogue_entry entry = {0};
	if (node->type != NODE_SCALAR) {
		section_read(r, node, &oid_map, map);
		return fault_list_count(r->faults) == before;
	}
	bool fine = is_entry_name(r, node) && look_up(r, &oids_shelf, node, &entry);
	*map = entry.oids;
	map->name = entry.name;
	return fine;
}
