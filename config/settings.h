/* config/settings.h - the tables of settings, and what a file of the catalogue holds. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/field.h"

extern const struct table site_file;            /* fills struct config */
extern const struct table register_map;         /* fills struct register_map_conf */
extern const struct table catalogue_file;       /* fills struct catalogue_entry: its map */
extern const struct table oid_map;              /* fills struct oid_map_conf */
extern const struct table oid_catalogue_file;   /* fills struct catalogue_entry: its oids */
extern const struct table snmp_table;           /* fills struct snmp_conf */

struct catalogue_entry {
	const char *name, *device, *source, *note;
	struct register_map_conf map;           /* one of the two */
	struct oid_map_conf oids;
};

/* Checks between keys, and defaults that follow from others; each is the `finish` of its table. */
void config_finish(struct reading *, struct node *, void *config);
void site_finish(struct reading *, struct node *, void *config);
void meter_finish(struct reading *, struct node *, void *meter_group_conf);
void oid_finish(struct reading *, struct node *, void *oid_conf);
void snmp_finish(struct reading *, struct node *, void *snmp_conf);
void prometheus_finish(struct reading *, struct node *, void *prometheus_conf);
void miner_finish(struct reading *, struct node *, void *miner_group_conf);
void signal_finish(struct reading *, struct node *, void *signal_conf);
void mqtt_finish(struct reading *, struct node *, void *mqtt_conf);
void tls_finish(struct reading *, struct node *, void *mqtt_conf);

/* A register as it is written, before unit and scale are one. */
struct register_row {
	struct register_conf conf;
	const char *type;
	char unit;              /* W k M, H m */
	uint8_t absent;         /* bits in the order of the words */
};

/* The whole of FILE, at most CONFIG_MAX_BYTES + 1 of it, in ARENA; NULL with errno. */
char *file_read(struct arena *, const char *file, size_t *len);
/* Reads one file of the catalogue, by one of its two tables; false after adding a fault. */
bool catalogue_read(struct arena *, const struct table *, const char *file, const char *name, struct fault_list *,
                    struct catalogue_entry *);
/* The site file from memory; FILE only names it. */
struct config *config_read_text(const char *file, const char *bytes, size_t len, const char *const *catalogue,
                                struct fault_list *);
size_t fault_list_count(const struct fault_list *);     /* those only counted too */
/* The word of the list that WORD was probably meant to be; NULL: none is near. */
const char *nearest(const char *word, const char *const *list, size_t n);

#endif
