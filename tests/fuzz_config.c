/* The reader from memory: any bytes give a config or faults, never both and never neither. */
#include <stdint.h>
#include <stdlib.h>

#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const catalogue[] = {"config", NULL};
	struct fault_list faults;
	char line[256];
	fault_list_init(&faults, "site.yaml");
	struct config *config = config_read_text("site.yaml", (const char *)bytes, len, catalogue, &faults);
	if (!config != (faults.n > 0))
		abort();
	for (size_t i = 0; i < faults.n; i++)
		fault_format(&faults, i, line, sizeof line);
	config_free(config);
	fault_list_free(&faults);
	return 0;
}
