/* The config's `miners:` block from what was found. */
#include <ctype.h>
#include <strings.h>

#include "config/hostlist_pack.h"
#include "daemon/ctl_found.h"
#include "daemon/xalloc.h"
#include "drivers/miner.h"

#define MOST_NAME 40
#define LEAST_W   10                    /* of a nominal, and of an efficiency the next, as the config bounds them */
#define LEAST_J_PER_TH 1
#define MOST_J_PER_TH  500

struct kept { const struct found_miner *miner; const char *driver; char model[MOST_NAME]; };

struct group { const struct kept *kept; size_t n; char name[2 * MOST_NAME]; };

/* "Antminer S19j Pro" is s19j-pro. */
static void name_of_model(const struct miner_identity *is, char name[MOST_NAME])
{
	const char *c = strncasecmp(is->model, "antminer ", 9) == 0 ? is->model + 9 : is->model;
	size_t n = 0;
	for (c = *c ? c : firmware_name(is->firmware); *c && n < MOST_NAME - 1; c++) {
		if (isalnum((unsigned char)*c))
			name[n++] = (char)tolower((unsigned char)*c);
		else if (n > 0 && name[n - 1] != '-')
			name[n++] = '-';
	}
	while (n > 0 && name[n - 1] == '-')
		n--;
	name[n] = '\0';
	if (n == 0)
		snprintf(name, MOST_NAME, "miners");
}

/* What can be steered first, what has no driver last; then by model, then as they were asked. */
static int compare(const void *a, const void *b)
{
	const struct kept *one = a, *two = b;
	int order = strcmp(two->driver, one->driver);
	if (order == 0 && !*one->driver)
		order = (int)one->miner->is.firmware - (int)two->miner->is.firmware;
	if (order == 0)
		order = strcmp(one->model, two->model);
	return order ? order : (one->miner->at > two->miner->at) - (one->miner->at < two->miner->at);
}

static bool same_group(const struct kept *one, const struct kept *two)
{
	return strcmp(one->driver, two->driver) == 0 && strcmp(one->model, two->model) == 0 &&
	       (*one->driver || one->miner->is.firmware == two->miner->is.firmware);
}

static struct kept *keep_miners(const struct found *found, size_t *n)
{
	struct kept *kept = xcalloc(found->n, sizeof(*kept));
	*n = 0;
	for (size_t i = 0; i < found->n; i++) {
		const struct found_miner *miner = &found->miners[i];
		const char *driver = firmware_driver(miner->is.firmware);
		if (miner->fault != FAULT_NONE)
			continue;
		kept[*n] = (struct kept){ miner, driver ? driver : "", "" };
		name_of_model(&miner->is, kept[(*n)++].model);
	}
	if (*n > 0)
		qsort(kept, *n, sizeof(*kept), compare);
	return kept;
}

/* Only a driver that tells watts stands ready; others want a nominal first. */
static bool tells_power(const struct kept *kept)
{
	const struct miner_driver *driver = *kept->driver ? miner_driver_named(kept->driver) : NULL;
	return driver && driver->tells_power;
}

/* ---- figures of a group ---- */

static int by_value(const void *a, const void *b)
{
	return (*(const int32_t *)a > *(const int32_t *)b) - (*(const int32_t *)a < *(const int32_t *)b);
}

static bool tells_awake(const struct miner_identity *is)
{
	return is->state == MINER_HASHING && is->knows_power && is->power_w >= LEAST_W;
}

/* The median, of what they draw awake or of what their profiles say; 0: nobody told. *n: of how many. */
static int32_t median_w(const struct group *group, bool measured, size_t *n)
{
	int32_t *values = xcalloc(group->n, sizeof(*values)), median = 0;
	*n = 0;
	for (size_t i = 0; i < group->n; i++) {
		const struct miner_identity *is = &group->kept[i].miner->is;
		if (measured ? tells_awake(is) : is->awake_w >= LEAST_W)
			values[(*n)++] = measured ? is->power_w : is->awake_w;
	}
	if (*n > 0) {
		qsort(values, *n, sizeof(*values), by_value);
		median = values[*n / 2];
	}
	free(values);
	return median;
}

static double joules_per_th(const struct group *group)
{
	double watts = 0, th_per_s = 0;
	for (size_t i = 0; i < group->n; i++) {
		const struct miner_identity *is = &group->kept[i].miner->is;
		if (!tells_awake(is) || !is->knows_rate)
			continue;
		watts += is->power_w;
		th_per_s += is->hashrate_ghs / 1000.0;
	}
	return th_per_s > 0 ? watts / th_per_s : 0;
}

/* ---- text ---- */

static void print_hosts(FILE *out, const char *prefix, const struct group *group)
{
	struct arena *arena = arena_new();
	const char **hosts = arena_take(arena, group->n * sizeof(*hosts)), **lists;
	for (size_t i = 0; i < group->n; i++)
		hosts[i] = group->kept[i].miner->host;
	size_t n = hostlist_pack(arena, hosts, group->n, &lists);
	fprintf(out, "%s  host:%s", prefix, n > 1 ? "\n" : "");
	for (size_t i = 0; i < n; i++) {
		bool plain = isalnum((unsigned char)lists[i][0]) && !strchr(lists[i], ':');
		if (n > 1)
			fprintf(out, "%s    -", prefix);
		fprintf(out, plain ? " %s\n" : " \"%s\"\n", lists[i]);
	}
	arena_free(arena);
}

static void print_figures(FILE *out, const char *prefix, const struct group *group)
{
	size_t n;
	int32_t watts = median_w(group, true, &n);
	double efficiency = joules_per_th(group);
	if (watts > 0)
		fprintf(out, "%s  nominal: %d W        # median of %zu awake\n", prefix, (int)watts, n);
	else if ((watts = median_w(group, false, &n)) > 0)
		fprintf(out, "%s  nominal: %d W        # by the profile of %zu; none was seen awake\n", prefix, (int)watts, n);
	if (efficiency >= LEAST_J_PER_TH && efficiency <= MOST_J_PER_TH)
		fprintf(out, "%s  efficiency: %.1f J/TH\n", prefix, efficiency);
}

static void print_port(FILE *out, const char *prefix, uint16_t port)
{
	if (port != 4028)
		fprintf(out, "%s  port: %u\n", prefix, port);
}

static void print_title(FILE *out, const char *prefix, const struct group *group)
{
	const struct miner_identity *is = &group->kept->miner->is;
	fprintf(out, "%s%s:    # %zu: %s, %s %s\n", prefix, group->name, group->n, is->model[0] ? is->model : "model not told",
	        firmware_name(is->firmware), is->version);
}

static void print_ready(FILE *out, const struct group *group, uint16_t port)
{
	size_t uncurtailable = 0;
	for (size_t i = 0; i < group->n; i++)
		uncurtailable += group->kept[i].miner->is.firmware == FIRMWARE_LUXOS && !group->kept[i].miner->is.can_curtail;
	print_title(out, "  ", group);
	if (uncurtailable > 0)
		fprintf(out, "    # %zu of them told no curtail command: those can only be watched\n", uncurtailable);
	fprintf(out, "    driver: %s\n", group->kept->driver);
	print_hosts(out, "  ", group);
	print_port(out, "  ", port);
	print_figures(out, "  ", group);
}

/* Such a group is wrong without a nominal, which nobody but the operator knows. */
static void print_watched(FILE *out, const struct group *group, uint16_t port)
{
	fprintf(out, "  # This firmware tells no watts: fill in the nominal of one, then take the # away. It is only watched;\n"
	             "  # with steer: true its boards are disabled and enabled, which may or may not cut its power.\n");
	print_title(out, "  # ", group);
	fprintf(out, "  #   driver: %s\n", group->kept->driver);
	print_hosts(out, "  # ", group);
	print_port(out, "  # ", port);
	fprintf(out, "  #   nominal:\n  #   steer: false\n");
}

static void print_undriven(FILE *out, const struct group *group)
{
	fprintf(out, "  # No driver yet:\n");
	print_title(out, "  # ", group);
	print_hosts(out, "  # ", group);
}

static void print_group(FILE *out, const struct group *group, uint16_t port)
{
	if (!*group->kept->driver)
		print_undriven(out, group);
	else if (tells_power(group->kept))
		print_ready(out, group, port);
	else
		print_watched(out, group, port);
}

static size_t end_of_group(const struct kept *kept, size_t n, size_t from)
{
	size_t end = from + 1;
	while (end < n && same_group(&kept[from], &kept[end]))
		end++;
	return end;
}

/* A model that runs more than one firmware has a group of each, which then needs a name of its own. */
static void name_group(struct group *group, const struct kept *all, size_t n)
{
	const struct kept *kept = group->kept;
	bool taken = false;
	for (size_t i = 0; i < n && !taken; i++)
		taken = strcmp(all[i].model, kept->model) == 0 && !same_group(&all[i], kept);
	snprintf(group->name, sizeof(group->name), taken && strcmp(kept->driver, "luxos") != 0 ? "%s-%s" : "%s",
	         kept->model, *kept->driver ? kept->driver : "other");
}

void found_print_block(FILE *out, const struct found *found, uint16_t port)
{
	size_t n;
	struct kept *kept = keep_miners(found, &n);
	bool any_ready = false;
	for (size_t i = 0; i < n; i++)
		any_ready |= tells_power(&kept[i]);
	if (n > 0)
		fprintf(out, any_ready ? "miners:\n" : "# miners:\n");
	for (size_t from = 0, end; from < n; from = end) {
		end = end_of_group(kept, n, from);
		struct group group = { .kept = &kept[from], .n = end - from };
		name_group(&group, kept, n);
		print_group(out, &group, port);
	}
	free(kept);
}
