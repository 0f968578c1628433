#include <errno.h>
#include <string.h>

#include "config/settings.h"

struct config *config_read_text(const char *file, const char *bytes, size_t len, const char *const *catalogue,
                                struct fault_list *faults)
{
	size_t before = fault_list_count(faults);
	struct arena *memory = arena_new(), *scratch = arena_new();
	struct reading r = {.memory = memory, .faults = faults, .file = file, .catalogue = catalogue};
	struct config *config = arena_take(memory, sizeof *config);
	config->file = arena_text(memory, file, strlen(file));
	config->memory = memory;
	struct node *root = tree_read(scratch, bytes, len, faults);
	if (root)
		section_read(&r, root, &site_file, config);
	arena_free(scratch);
	if (fault_list_count(faults) == before)
		return config;
	fault_list_sort(faults);
	config_free(config);
	return NULL;
}

struct config *config_read(const char *file, const char *const *catalogue, struct fault_list *faults)
{
	size_t len = 0;
	struct arena *scratch = arena_new();
	struct config *config = NULL;
	char *bytes = file_read(scratch, file, &len);
	if (bytes)
		config = config_read_text(file, bytes, len, catalogue, faults);
	else
		fault_list_add(faults, (struct mark){0, 0}, NULL, "cannot be read: %s", strerror(errno));
	arena_free(scratch);
	return config;
}

void config_free(struct config *config)
{
	if (config)
		arena_free(config->memory);
}
