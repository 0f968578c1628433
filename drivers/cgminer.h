/* drivers/cgminer.h - the driver for miners with the classic CGMiner API and nothing beyond it. */
#ifndef DRIVERS_CGMINER_H
#define DRIVERS_CGMINER_H

#include "drivers/miner.h"

extern const struct miner_driver cgminer_driver;

#endif
