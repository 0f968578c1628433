/* daemon/wire.h - joins the config and the drivers: from the tree that was read to the arrays a site is opened with. */
#ifndef DAEMON_WIRE_H
#define DAEMON_WIRE_H

#include "config/config.h"
#include "daemon/signals.h"
#include "daemon/site.h"

#define ASSUMED_NOMINAL_W 3600          /* of a miner whose nominal power neither the config nor it itself tells yet */

struct wired {                          /* all of it lives as long as the config */
	struct config *config;          /* owned */
	struct site_conf site;
	struct signals_conf signals;
	struct register_map *maps;      /* of each meter group */
	struct prometheus_page *pages;  /* likewise */
	struct wired_snmp *snmp;        /* likewise */
	char *topic_prefix;             /* "mullet/pecos-1" */
};

/* Takes the config over. NULL if it names what does not exist: then faults tell, and the config is freed. */
struct wired *wire(struct config *, struct fault_list *);
void wired_free(struct wired *);

/* --check: the site as it was understood, in lines for a person. */
void wired_print(const struct wired *, void (*put)(void *self, const char *line), void *self);

#endif
