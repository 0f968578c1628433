/* drivers/luxos.h - the driver for miners that run LuxOS (LUXminer). */
#ifndef DRIVERS_LUXOS_H
#define DRIVERS_LUXOS_H

#include "drivers/miner.h"

extern const struct miner_driver luxos_driver;

#endif
