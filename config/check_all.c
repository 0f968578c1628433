#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/settings.h"

/* The node of group number I of SECTION; elements and children are in step. */
static const struct node *group_node(const struct node *root, const char *section, size_t i)
{
	const struct node *map = node_child(root, section);
	const struct node *child = map ? map->children : NULL;
	while (child && i-- > 0)
		child = child->next;
	return child;
}

static void backup_unknown(struct reading *r, const struct config *config, const struct node *node, const char *of)
{
	const char **names = arena_take(r->memory, (config->n_meters + 1) * sizeof *names);
	for (size_t i = 0; i < config->n_meters; i++)
		names[i] = config->meters[i].name;
	const char *near = nearest(of, names, config->n_meters);
	reading_fault(r, node->at, "backup_of", "no meters are called %s%s%s%s", of, near ? "; is " : "",
	              near ? near : "; the name of another group belongs here", near ? " meant?" : "");
}

static void backup_resolve(struct reading *r, struct config *config, size_t i, const struct node *group)
{
	const struct node *node = node_child(group, "backup_of");
	struct meter_group_conf *meter = &config->meters[i];
	if (!meter->backup_of)
		return;
	for (size_t k = 0; k < config->n_meters; k++)
		if (strcmp(config->meters[k].name, meter->backup_of) == 0)
			meter->backup_of_index = (int16_t)k;
	const struct meter_group_conf *of = &config->meters[meter->backup_of_index < 0 ? (int16_t)i : meter->backup_of_index];
	if (meter->backup_of_index < 0)
		backup_unknown(r, config, node, meter->backup_of);
	else if (of == meter)
		reading_fault(r, node->at, "backup_of", "it cannot stand in for itself; another group belongs here");
	else if (of->measures != meter->measures)
		reading_fault(r, node->at, "backup_of", "%s does not measure the same; a group with the same "
		              "`measures` belongs here", meter->backup_of);
}

/* Told once for each ring, at the group of it that comes first. */
static void backup_ring(struct reading *r, const struct config *config, size_t i, const struct node *group)
{
	int16_t at = config->meters[i].backup_of_index;
	for (size_t steps = 0; at >= 0 && steps < config->n_meters; steps++) {
		if ((size_t)at < i)
			return;
		if ((size_t)at == i && steps > 0) {
			reading_fault(r, node_child(group, "backup_of")->at, "backup_of",
			              "goes round in a ring, back to %s; one of them must stand alone",
			              config->meters[i].name);
			return;
		}
		if ((size_t)at == i)
			return;
		at = config->meters[at].backup_of_index;
	}
}

static void meters_check(struct reading *r, struct config *config, const struct node *root)
{
	const struct node *map = node_child(root, "meters");
	bool site = false, in_doubt = !map || map->bad;
	size_t top = path_push(&r->path, "meters");
	for (int pass = 0; pass < 2; pass++) {
		const struct node *group = map ? map->children : NULL;
		for (size_t i = 0; i < config->n_meters; i++, group = group->next) {
			size_t inner = path_push(&r->path, group->key);
			if (pass == 0)
				backup_resolve(r, config, i, group);
			else
				backup_ring(r, config, i, group);
			path_pop(&r->path, inner);
			const struct node *measures = node_child(group, "measures");
			const struct node *backup = node_child(group, "backup_of");
			in_doubt = in_doubt || group->bad || !measures || measures->bad || (backup && backup->bad);
			site = site || (config->meters[i].measures == MEASURES_SITE && !backup);
		}
	}
	if (!site && !in_doubt)
		reading_fault(r, map->key_at, NULL, "no group measures the site; one with `measures: site` is needed "
		              "that is not a backup");
	path_pop(&r->path, top);
}

static void names_check(struct reading *r, const struct config *config)
{
	for (size_t i = 0; i < config->n_miners; i++)
		for (size_t k = 0; k < config->n_meters; k++)
			if (strcmp(config->miners[i].name, config->meters[k].name) == 0)
				reading_fault(r, config->miners[i].at, NULL, "miners.%s: meters have that name too, at line "
				              "%d; another will do", config->miners[i].name,
				              (int)config->meters[k].at.line);
}

/* ---- the same device twice ---- */
struct device {
	const char *host, *name;
	const struct register_conf *power;      /* NULL: a miner */
	const struct prometheus_conf *page;     /* of a meter */
	const char *oid;                        /* of its power; NULL: does not speak SNMP */
	uint16_t port;
	uint8_t unit;
	size_t group, order;
};

/* One page may tell of many: what differs in metric or labels is not the same device. */
static int by_page(const struct prometheus_conf *a, const struct prometheus_conf *b)
{
	int order = (a->at.line > 0) - (b->at.line > 0);
	if (order || !a->at.line)
		return order;
	order = strcmp(a->path, b->path);
	order = order ? order : strcmp(a->metric ? a->metric : "", b->metric ? b->metric : "");
	order = order ? order : (a->n_labels > b->n_labels) - (a->n_labels < b->n_labels);
	for (size_t i = 0; !order && i < a->n_labels; i++) {
		order = strcmp(a->labels[i].name, b->labels[i].name);
		order = order ? order : strcmp(a->labels[i].value, b->labels[i].value);
	}
	return order;
}

static int by_place(const struct device *a, const struct device *b)
{
	int order = strcasecmp(a->host, b->host);
	if (order)
		return order;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->unit != b->unit)
		return a->unit < b->unit ? -1 : 1;
	if (!a->power || !b->power)
		return !!a->power - !!b->power;
	int page = by_page(a->page, b->page);
	if (page)
		return page;
	if (a->oid || b->oid)
		return strcmp(a->oid ? a->oid : "", b->oid ? b->oid : "");
	if (a->power->function != b->power->function)
		return a->power->function < b->power->function ? -1 : 1;
	return (a->power->address > b->power->address) - (a->power->address < b->power->address);
}

static int by_place_and_order(const void *a, const void *b)
{
	const struct device *one = a, *two = b;
	int order = by_place(one, two);
	return order ? order : (one->order > two->order) - (one->order < two->order);
}

/* How often a group repeats a device that stands further up, and the first of them. */
struct repeats { size_t n; const struct device *first, *of; };

static void repeats_count(const struct device *sorted, size_t n, struct repeats *repeats)
{
	for (size_t i = 1, first = 0; i < n; i++) {
		if (by_place(&sorted[i], &sorted[first]) != 0) {
			first = i;
			continue;
		}
		struct repeats *group = &repeats[sorted[i].group];
		if (group->n++ == 0 || sorted[i].order < group->first->order) {
			group->first = &sorted[i];
			group->of = &sorted[first];
		}
	}
}

static void repeats_tell(struct reading *r, const struct repeats *repeats, struct mark at, const char *section,
                         const char *group)
{
	if (!repeats->n)
		return;
	const char *path = arena_format(r->memory, "%s.%s.host", section, group);
	const char *more = repeats->n > 1 ? arena_format(r->memory, " (and %zu more so)", repeats->n - 1) : "";
	fault_list_add(r->faults, at, path, "%s, port %u%s, is %s already%s; a device belongs in one place",
	               repeats->first->host, (unsigned)repeats->first->port,
	               repeats->first->power && !repeats->first->page->at.line && !repeats->first->oid ?
	               arena_format(r->memory, ", unit %u", (unsigned)repeats->first->unit) : "",
	               repeats->of->name, more);
}

static void devices_check(struct reading *r, const struct config *config, const struct node *root)
{
	struct device *devices = arena_take(r->memory, (r->n_devices + 1) * sizeof *devices);
	struct repeats *repeats = arena_take(r->memory, (config->n_meters + config->n_miners + 1) * sizeof *repeats);
	size_t n = 0;
	for (size_t g = 0; g < config->n_meters; g++) {
		const struct meter_group_conf *group = &config->meters[g];
		for (size_t i = 0; i < group->n_hosts; i++, n++)
			devices[n] = (struct device){group->hosts[i], group->names[i], &group->registers.power, &group->prometheus,
			                             group->oids.power.oid, group->port, group->unit, g, n};
	}
	for (size_t g = 0; g < config->n_miners; g++) {
		const struct miner_group_conf *group = &config->miners[g];
		for (size_t i = 0; i < group->n_hosts; i++, n++)
			devices[n] = (struct device){group->hosts[i], group->names[i], NULL, NULL, NULL, group->port, 0,
			                             config->n_meters + g, n};
	}
	qsort(devices, n, sizeof *devices, by_place_and_order);
	repeats_count(devices, n, repeats);
	for (size_t g = 0; g < config->n_meters; g++)
		repeats_tell(r, &repeats[g], config->meters[g].host_at, "meters", config->meters[g].name);
	for (size_t g = 0; g < config->n_miners; g++) {
		const struct node *host = node_child(group_node(root, "miners", g), "host");
		repeats_tell(r, &repeats[config->n_meters + g], host ? host->at : config->miners[g].at, "miners",
		             config->miners[g].name);
	}
}

static void signals_check(struct reading *r, struct config *config, const struct node *root)
{
	const char **topics = arena_take(r->memory, (config->n_signals + 1) * sizeof *topics);
	const struct node *map = node_child(node_child(root, "grid"), "signals");
	if (config->n_signals && !node_child(root, "mqtt"))
		reading_fault(r, map->key_at, "grid.signals", "signals come over the broker; mqtt is needed");
	if (config->hpc_plan && !node_child(root, "mqtt"))
		reading_fault(r, node_child(root, "hpc")->key_at, "hpc.plan", "notices come over the broker; mqtt is needed");
	for (size_t i = 0; i < config->n_signals; i++) {
		const struct signal_conf *signal = &config->signals[i];
		topics[i] = signal->topic ? signal->topic :
		            arena_format(r->memory, "%s/%s/order/%s", config->mqtt.prefix,
		                         config->site_name ? config->site_name : "?", signal->name);
		for (size_t k = 0; k < i; k++)
			if (strcmp(topics[i], topics[k]) == 0)
				reading_fault(r, signal->at, NULL, "grid.signals.%s.topic: %s is the topic of %s "
				              "already; another will do", signal->name,
				              shown(r->memory, topics[i]), config->signals[k].name);
	}
}

void config_finish(struct reading *r, struct node *root, void *owner)
{
	struct config *config = owner;
	meters_check(r, config, root);
	names_check(r, config);
	devices_check(r, config, root);
	signals_check(r, config, root);
}
