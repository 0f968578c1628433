/* sim/plant_types.c - the built-in types of miners, and the names of faults. */
#include <string.h>

#include "sim/plant.h"

const struct plant_miner_type plant_luxos_s21 = {
	.name = "luxos-s21", .full_w = 3500, .least_w = 1800, .asleep_w = 25,
	.sleep_dead_ms = 1500, .sleep_fall_ms = 2500, .wake_dead_ms = 4000, .wake_ramp_ms = 10000, .wake_fast_ms = 4000,
	.adjust_dead_ms = 1500, .adjust_ms = 6000, .boot_ms = 40000, .overshoot_permille = 25,
	.watts_spread_permille = 40, .times_spread_permille = 200, .own_error_permille = 50,
	.own_noise_permille = 5, .own_every_ms = 1000, .hashrate_ghs = 200000, .tells_power = true,
};
const struct plant_miner_type plant_luxos_s19kpro = {
	.name = "luxos-s19kpro", .full_w = 2794, .least_w = 784, .asleep_w = 28,
	.sleep_dead_ms = 1800, .sleep_fall_ms = 3000, .wake_dead_ms = 5000, .wake_ramp_ms = 12000, .wake_fast_ms = 5000,
	.adjust_dead_ms = 1500, .adjust_ms = 8000, .boot_ms = 50000, .overshoot_permille = 30,
	.watts_spread_permille = 40, .times_spread_permille = 200, .own_error_permille = 50,
	.own_noise_permille = 8, .own_every_ms = 1000, .hashrate_ghs = 121800, .tells_power = true,
};
const struct plant_miner_type plant_cgminer_s19 = {
	.name = "cgminer-s19", .full_w = 3250, .least_w = 1000, .asleep_w = 60,
	.sleep_dead_ms = 1000, .sleep_fall_ms = 2000, .wake_dead_ms = 8000, .wake_ramp_ms = 20000, .wake_fast_ms = 20000,
	.adjust_dead_ms = 1000, .adjust_ms = 3000, .boot_ms = 60000, .overshoot_permille = 30,
	.watts_spread_permille = 40, .times_spread_permille = 200, .own_error_permille = 50,
	.own_noise_permille = 8, .own_every_ms = 5000, .hashrate_ghs = 95000, .tells_power = false,
};

static const char *const fault_names[N_PLANT_FAULTS] = {
	"sound", "silent", "refusing", "lying", "garbled", "slow", "busy", "dead",
};

const char *plant_fault_name(enum plant_fault fault)
{
	return fault_names[fault];
}

enum plant_fault plant_fault_named(const char *name, size_t len)
{
	unsigned f = 0;
	while (f < N_PLANT_FAULTS && (strlen(fault_names[f]) != len || memcmp(fault_names[f], name, len) != 0))
		f++;
	return (enum plant_fault)f;
}
