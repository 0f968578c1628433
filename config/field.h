/* config/field.h - one row per setting. Reading, bounds, defaults and --help-config all go by the same tables. */
#ifndef CONFIG_FIELD_H
#define CONFIG_FIELD_H

#include "config/arena.h"
#include "config/config.h"
#include "config/tree.h"

enum kind {
	KIND_POWER, KIND_POWER_OR_AUTO, KIND_RAMP_OR_NONE, KIND_DURATION, KIND_DURATION_OR_TYPICAL, KIND_EFFICIENCY,
	KIND_INTEGER, KIND_NUMBER, KIND_BOOLEAN,
	KIND_ADDRESS,           /* of a register, 0-based */
	KIND_CHOICE,            /* one word of `choices`; stored as its number */
	KIND_LETTER,            /* one word of `choices`; stored as its first letter */
	KIND_CHOICES,           /* a list of them; stored as bits */
	KIND_TEXT, KIND_NAME, KIND_TOPIC, KIND_HOST,
	KIND_FILE,              /* relative to where the site file is */
	KIND_HOSTS,             /* hostlists, spelt out */
	KIND_REGISTERS,         /* a name of the catalogue, or a map in place */
	KIND_REGISTER,          /* one quantity of a map */
	KIND_OID,
	KIND_STATES,            /* a list of small numbers; stored as bits */
	KIND_OIDS,              /* a name of the catalogue, or a map in place */
	KIND_LABELS,            /* of a metric: names and the values they must have */
	KIND_SECTION,           /* keys of its own */
	KIND_GROUPS,            /* named sections; each element begins with its name and its mark */
	KIND_LIST,              /* sections without names, at most `max`; kept within the owner */
	KIND_LATER,             /* known, but nothing obeys it yet: refused */
};

struct field {
	const char *key;
	enum kind kind;
	const char *min, *max;          /* in the file's own words; NULL: none */
	const char *preset;             /* likewise; NULL: it must be told; "": it need not be, the member stays zero */
	const char *help;
	size_t offset, size;            /* of the member in its owner */
	size_t mark;                    /* offset of where to keep the value's place; 0: nowhere */
	size_t count;                   /* hosts, groups and lists: offset of how many */
	size_t stride;                  /* groups and lists: of one */
	const char *choices;            /* "site|hpc|other" */
	const char *later;              /* a choice that nothing obeys yet */
	const struct table *table;      /* of the keys inside */
};

struct reading;
struct table {
	const struct field *fields;
	size_t n;
	/* What a row cannot say: checks between keys, defaults that follow from others. path is at the section. */
	void (*finish)(struct reading *, struct node *map, void *owner);
};

#define MEMBER(owner, member) .offset = offsetof(struct owner, member), .size = sizeof(((struct owner *)0)->member)
#define FIELD(owner, member, k, name, low, high, dflt, text) \
	{.key = name, .kind = k, .min = low, .max = high, .preset = dflt, .help = text, MEMBER(owner, member)}
#define FIELD_AT(owner, member, place, k, name, low, high, dflt, text) \
	{.key = name, .kind = k, .min = low, .max = high, .preset = dflt, .help = text, MEMBER(owner, member), \
	 .mark = offsetof(struct owner, place)}
#define CHOICE(owner, member, k, name, words, dflt, text) \
	{.key = name, .kind = k, .choices = words, .preset = dflt, .help = text, MEMBER(owner, member)}
#define SECTION(where, name, inside, dflt, text) \
	{.key = name, .kind = KIND_SECTION, .offset = where, .table = inside, .preset = dflt, .help = text}
#define GROUPS(owner, member, number, element, name, inside, dflt, text) \
	{.key = name, .kind = KIND_GROUPS, MEMBER(owner, member), .count = offsetof(struct owner, number), \
	 .stride = sizeof(struct element), .table = inside, .preset = dflt, .help = text}
#define LIST(owner, member, number, element, name, most, inside, dflt, text) \
	{.key = name, .kind = KIND_LIST, .max = most, MEMBER(owner, member), .count = offsetof(struct owner, number), \
	 .stride = sizeof(struct element), .table = inside, .preset = dflt, .help = text}
#define LATER(name, text) {.key = name, .kind = KIND_LATER, .preset = "", .help = text}
#define TABLE(rows, then) {.fields = rows, .n = sizeof rows / sizeof rows[0], .finish = then}

struct reading {                        /* one file being read */
	struct arena *memory;           /* of the config */
	struct fault_list *faults;
	struct path path;
	const char *file;
	const char *const *catalogue;
	size_t n_devices;               /* so far */
};

/* key NULL: of what path names; otherwise of that key in it. */
void reading_fault(struct reading *, struct mark, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Fills OWNER, all of it, from MAP. */
void section_read(struct reading *, struct node *map, const struct table *, void *owner);
/* One value of any kind but sections and groups; false after adding a fault. */
bool value_read(struct reading *, const struct field *, struct node *, void *owner);
bool text_read(struct reading *, const struct field *, struct node *, void *owner);     /* text, name, topic, host, file */
bool hosts_read(struct reading *, const struct field *, struct node *, void *owner);
bool labels_read(struct reading *, const struct field *, struct node *, void *owner);
void value_preset(struct reading *, const struct field *, void *owner);
void value_describe(const struct field *, char *buf, size_t size);      /* "POWER, 1 kW to 5 GW" */
bool registers_read(struct reading *, struct node *, struct register_map_conf *);
bool oids_read(struct reading *, struct node *, struct oid_map_conf *);
bool states_read(struct reading *, const struct field *, struct node *, void *owner);
const char *oid_fault(const char *text);        /* what is wrong with it; NULL: nothing */
bool register_read(struct reading *, struct node *, const struct table *, struct register_conf *);
void table_print(const struct table *, const char *prefix, void (*put)(void *self, const char *line), void *self);

#endif
