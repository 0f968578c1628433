/* Whatever bytes a device sends: frames out of the stream, judged against a request, decoded by a register map. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/modbus_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct register_field field_from(const uint8_t *p)
{
	static const double scales[] = { 1, 0.1, 0.01, 0.001, 1000, -1, 1e300, 1e-300, 0, 3.7, 1e15, 9007199254740992.0 };
	return (struct register_field){
		.type = (enum register_type)(p[0] % (REGISTER_FLOAT64 + 1)), .function = 3 + (p[0] >> 7),
		.address = p[1], .low_word_first = p[2] & 1, .absent = p[2] >> 1 & 7,
		.scale = scales[p[3] % (sizeof scales / sizeof *scales)],
	};
}

static void check_reading(const struct meter_reading *reading, int64_t most_w)
{
	if (reading->fault == FAULT_NONE && (reading->import_w > most_w || reading->import_w < -most_w))
		abort();
	if (reading->knows_frequency && (reading->frequency_mhz < 40000 || reading->frequency_mhz > 70000))
		abort();
}

static void take_stream(const uint8_t *data, size_t size, const struct register_map *map, const struct modbus_plan *plan)
{
	int64_t most_w = 20000000;
	struct meter_reading reading = { 0 };
	for (unsigned i = 0; i < plan->n; i++) {
		struct modbus_request request = { 0x0101, 1, plan->reads[i] };
		int length = modbus_frame_length(data, size);
		if (length <= 0)
			return;
		if ((size_t)length > size || length > MODBUS_FRAME_BYTES)
			abort();
		/* Exact copies, so that a byte too far is seen. */
		uint8_t *frame = malloc((size_t)length), exception;
		uint16_t *words = malloc(sizeof *words * MODBUS_MOST_REGISTERS), *exact = malloc(sizeof *words * plan->reads[i].count);
		memcpy(frame, data, (size_t)length);
		if (modbus_frame_judge(&request, frame, (size_t)length, words, &exception) == MODBUS_VALUES) {
			memcpy(exact, words, sizeof *words * plan->reads[i].count);
			modbus_plan_take(plan, i, exact, map, most_w, &reading);
			check_reading(&reading, most_w);
		}
		free(frame);
		free(words);
		free(exact);
		data += length;
		size -= (size_t)length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 14)
		return 0;
	struct register_map map = {
		.power = field_from(data), .energy = field_from(data + 4), .frequency = field_from(data + 8),
		.max_read = data[12], .no_gaps = data[13] & 1,
	};
	struct modbus_plan plan;
	modbus_plan_make(&plan, &map);
	take_stream(data + 14, size - 14, &map, &plan);
	return 0;
}
