#include "daemon/wire_circuits.h"

#include <stdio.h>

#include "daemon/xalloc.h"

#define MOST_CIRCUITS UINT16_MAX

static bool any_told(const struct config *config, size_t *n_miners)
{
	bool told = false;
	*n_miners = 0;
	for (size_t g = 0; g < config->n_miners; g++) {
		*n_miners += config->miners[g].n_hosts;
		told |= config->miners[g].per_circuit || config->miners[g].feeder;
	}
	return told;
}

/* The group before this one that names the same feeder; itself: it is the first. */
static size_t first_on_feeder(const struct config *config, size_t g)
{
	for (size_t k = 0; k < g && config->miners[g].feeder; k++)
		if (config->miners[k].feeder && !strcmp(config->miners[k].feeder, config->miners[g].feeder))
			return k;
	return g;
}

static size_t circuits_of(const struct miner_group_conf *group)
{
	return group->per_circuit ? (group->n_hosts + group->per_circuit - 1) / group->per_circuit : 1;
}

static void too_many(const struct miner_group_conf *group, struct fault_list *faults)
{
	char path[160];
	snprintf(path, sizeof(path), "miners.%s%s", group->name, group->per_circuit ? ".per_circuit" : "");
	fault_list_add(faults, group->per_circuit ? group->per_circuit_at : group->at, path,
	               "with it there are more than %d circuits; more miners on each will do", MOST_CIRCUITS);
}

void wire_circuits(const struct config *config, struct policy_conf *policy, struct fault_list *faults)
{
	size_t n_miners, n = 0, at = 0;
	if (!any_told(config, &n_miners))
		return;
	uint16_t *circuit = xcalloc(n_miners, sizeof(*circuit));
	size_t *first = xcalloc(config->n_miners, sizeof(*first));      /* circuit of each group */
	for (size_t g = 0; g < config->n_miners; g++) {
		const struct miner_group_conf *group = &config->miners[g];
		size_t shared = first_on_feeder(config, g), each = group->per_circuit ? group->per_circuit : group->n_hosts;
		first[g] = shared < g ? first[shared] : n;
		n += shared < g ? 0 : circuits_of(group);
		if (n > MOST_CIRCUITS) {
			too_many(group, faults);
			break;
		}
		for (size_t h = 0; h < group->n_hosts; h++)
			circuit[at++] = (uint16_t)(first[g] + h / each);
	}
	free(first);
	policy->circuit = circuit;
	policy->n_circuits = n;
}
