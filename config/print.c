#include <stdio.h>
#include <string.h>

#include "config/settings.h"

static const char *const kinds[] = {
	[KIND_POWER] = "POWER", [KIND_POWER_OR_AUTO] = "POWER or auto", [KIND_RAMP_OR_NONE] = "RAMP or none",
	[KIND_DURATION] = "DURATION", [KIND_DURATION_OR_TYPICAL] = "DURATION or typical",
	[KIND_EFFICIENCY] = "EFFICIENCY", [KIND_INTEGER] = "NUMBER", [KIND_NUMBER] = "NUMBER",
	[KIND_BOOLEAN] = "true or false", [KIND_ADDRESS] = "NUMBER", [KIND_CHOICE] = "", [KIND_LETTER] = "",
	[KIND_CHOICES] = "list of ", [KIND_TEXT] = "TEXT", [KIND_NAME] = "NAME", [KIND_TOPIC] = "TOPIC",
	[KIND_HOST] = "HOST", [KIND_FILE] = "FILE", [KIND_HOSTS] = "HOSTLIST or a list of them",
	[KIND_REGISTERS] = "NAME or a map", [KIND_REGISTER] = "mapping", [KIND_OID] = "OID", [KIND_STATES] = "list of NUMBER",
	[KIND_OIDS] = "NAME or a map", [KIND_LABELS] = "mapping of LABEL: TEXT",
	[KIND_SECTION] = "mapping",
	[KIND_GROUPS] = "named mappings", [KIND_LIST] = "list of mappings", [KIND_LATER] = "",
};

void value_describe(const struct field *field, char *buf, size_t size)
{
	const char *min = field->min ? field->min : "", *max = field->max ? field->max : "";
	int n = snprintf(buf, size, "%s%s%s%s%s%s", kinds[field->kind], field->choices ? field->choices : "",
	                 *min ? *max ? ", " : ", at least " : "", min, !*max ? "" : *min ? " to " : ", at most ", max);
	for (int i = 0; i < n && (size_t)i < size; i++)
		if (buf[i] == '|')
			buf[i] = '/';
}

static void field_print(const struct field *field, const char *prefix, void (*put)(void *, const char *), void *self)
{
	char key[96], kind[120], line[400];
	snprintf(key, sizeof key, "%s%s", prefix, field->key);
	value_describe(field, kind, sizeof kind);
	if (field->kind == KIND_LATER)
		snprintf(line, sizeof line, "%-42s not supported yet: %s", key, field->help);
	else
		snprintf(line, sizeof line, "%-42s %s; %s%s: %s", key, kind,
		         !field->preset ? "required" : *field->preset ? "default " : "optional",
		         field->preset ? field->preset : "", field->help);
	put(self, line);
}

void table_print(const struct table *table, const char *prefix, void (*put)(void *, const char *), void *self)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct field *field = &table->fields[i];
		char inside[80];
		field_print(field, prefix, put, self);
		snprintf(inside, sizeof inside, "%s%s.%s", prefix, field->key, field->kind == KIND_GROUPS ? "NAME." : "");
		if (field->table)
			table_print(field->table, inside, put, self);
		if (field->kind == KIND_REGISTERS)
			table_print(&register_map, inside, put, self);
		if (field->kind == KIND_OIDS)
			table_print(&oid_map, inside, put, self);
	}
}

void config_print_keys(void (*put)(void *self, const char *line), void *self)
{
	table_print(&site_file, "", put, self);
}
