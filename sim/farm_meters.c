/* sim/farm_meters.c - what stands in the registers of a simulated site's meters.
 *
 * The site's meter is laid out like an Eastron SDM630 (function 4, float32: W at 52, Hz at 70, kWh imported at 72),
 * a PDU like a Raritan PX3 (function 3, float32, inlet 1 from 0x3000: W at 12306, Hz at 12322). */
#include <string.h>

#include "sim/farm.h"

struct block { uint8_t function; uint16_t first, n; };
static const struct block site_block = { 4, 0, 106 }, pdu_block = { 3, 12288, 40 };

static void put_float(uint16_t *image, const struct block *block, uint16_t address, double value)
{
	float single = (float)value;
	uint32_t bits;
	memcpy(&bits, &single, sizeof bits);
	image[address - block->first] = (uint16_t)(bits >> 16);
	image[address - block->first + 1] = (uint16_t)bits;
}

static int64_t refresh_ms(const struct farm *farm, size_t m)
{
	return m ? farm->conf.pdu_refresh_ms : farm->conf.meter_refresh_ms;
}

int64_t farm_shown_ms(const struct farm *farm, size_t m, enum shows shows)
{
	int64_t ms = shows == SHOWS_FROZEN ? farm->frozen_ms[m] : farm_now_ms(farm);
	return ms - ms % refresh_ms(farm, m);
}

static double shown_of(const struct farm *farm, size_t m, enum shows shows, double true_w, double swapped_w)
{
	uint64_t slot = (uint64_t)(farm_shown_ms(farm, m, shows) / refresh_ms(farm, m));
	return shows_w(shows, true_w, swapped_w, farm->factor_permille[m], farm->conf.truth.seed, m, slot);
}

/* Swapped, its part of what the site draws, the miners as they are now. */
double farm_shown_pdu_w(const struct farm *farm, size_t m, enum shows shows)
{
	int64_t ms = farm_shown_ms(farm, m, shows);
	double w = (double)truth_pdu_w(&farm->truth, m - 1, ms), hpc_w = (double)truth_hpc_w(&farm->truth, ms);
	return shown_of(farm, m, shows, w, hpc_w > 0 ? w / hpc_w * farm->site_w : 0);
}

static int64_t shown_ms(const struct farm *farm, const struct modbus_server *server)
{
	return farm_shown_ms(farm, server->index, modbus_shows(server->fault));
}

static double shown_w(struct farm *farm, const struct modbus_server *server)
{
	if (server->fault == MODBUS_ABSURD)
		return 3e12;
	if (server->index)
		return farm_shown_pdu_w(farm, server->index, modbus_shows(server->fault));
	int64_t ms = shown_ms(farm, server);
	double w = (double)truth_site_w(&farm->truth, ms), hpc_w = (double)truth_hpc_w(&farm->truth, ms);
	return shown_of(farm, 0, modbus_shows(server->fault), w, hpc_w);
}

static void fill_site(struct farm *farm, const struct modbus_server *server, uint16_t *image)
{
	double w = shown_w(farm, server);
	for (uint16_t phase = 0; phase < 3; phase++) {
		put_float(image, &site_block, (uint16_t)(2 * phase), 277);
		put_float(image, &site_block, (uint16_t)(12 + 2 * phase), w / 3);
	}
	put_float(image, &site_block, 52, w);
	put_float(image, &site_block, 70, truth_frequency_mhz(&farm->truth, shown_ms(farm, server)) / 1000.0);
	put_float(image, &site_block, 72, farm->energy_wh / 1000);
}

static void fill_pdu(struct farm *farm, const struct modbus_server *server, uint16_t *image)
{
	double w = shown_w(farm, server);
	put_float(image, &pdu_block, 12296, 415);
	put_float(image, &pdu_block, 12298, w / 415 / 1.732);
	put_float(image, &pdu_block, 12306, w);
	put_float(image, &pdu_block, 12308, w / 0.98);
	put_float(image, &pdu_block, 12310, 0.98);
	put_float(image, &pdu_block, 12322, truth_frequency_mhz(&farm->truth, shown_ms(farm, server)) / 1000.0);
}

int farm_read_registers(struct modbus_server *server, uint8_t function, uint16_t address, uint16_t n, uint16_t *registers)
{
	uint16_t image[128] = { 0 };
	const struct block *block = server->index ? &pdu_block : &site_block;
	if (function != block->function)
		return 1;
	if (address < block->first || (uint32_t)address + n > (uint32_t)block->first + block->n)
		return 2;
	if (server->index)
		fill_pdu(server->self, server, image);
	else
		fill_site(server->self, server, image);
	memcpy(registers, image + (address - block->first), n * sizeof *registers);
	return 0;
}
