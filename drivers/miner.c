#include "drivers/miner.h"

#include <string.h>

#include "drivers/cgminer.h"
#include "drivers/luxos.h"

static const struct miner_driver *const drivers[] = { &luxos_driver, &cgminer_driver };

const struct miner_driver *miner_driver_named(const char *name)
{
	for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	}
	return NULL;
}

const char *miner_driver_names(void)
{
	return "luxos, cgminer";
}
