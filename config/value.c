#include <stdlib.h>
#include <string.h>

#include "config/quantity.h"
#include "config/settings.h"

/* Kinds that are a number with a unit, some of which may be a word instead. */
static const struct trait { bool is; enum quantity quantity; const char *word; int64_t word_value; } traits[] = {
	[KIND_POWER]               = {true, QUANTITY_POWER, NULL, 0},
	[KIND_POWER_OR_AUTO]       = {true, QUANTITY_POWER, "auto", POLICY_NONE},
	[KIND_RAMP_OR_NONE]        = {true, QUANTITY_RAMP, "none", 0},
	[KIND_DURATION]            = {true, QUANTITY_DURATION, NULL, 0},
	[KIND_DURATION_OR_TYPICAL] = {true, QUANTITY_DURATION, "typical", -1},
	[KIND_EFFICIENCY]          = {true, QUANTITY_EFFICIENCY, NULL, 0},
	[KIND_LATER]               = {false, QUANTITY_POWER, NULL, 0},
};

static void store(const struct field *field, void *owner, int64_t value)
{
	char *to = (char *)owner + field->offset;
	uint8_t one = (uint8_t)value;
	uint16_t two = (uint16_t)value;
	uint32_t four = (uint32_t)value;
	switch (field->size) {
	case 1: memcpy(to, &one, 1); return;
	case 2: memcpy(to, &two, 2); return;
	case 4: memcpy(to, &four, 4); return;
	case 8: memcpy(to, &value, 8); return;
	}
	abort();
}

/* False where TEXT is no value of that kind; says nothing of bounds. */
static bool number_of(const struct field *field, const char *text, int64_t *value)
{
	const struct trait *trait = &traits[field->kind];
	if (!trait->is)
		return integer_parse(text, value);
	if (trait->word && strcmp(text, trait->word) == 0) {
		*value = trait->word_value;
		return true;
	}
	return quantity_parse(trait->quantity, text, value) == QUANTITY_FINE;
}

/* "100 ms to 1 h", "at least 1 W/min"; empty without bounds. */
static const char *bounds(struct reading *r, const struct field *field)
{
	if (field->min && field->max)
		return arena_format(r->memory, "%s to %s", field->min, field->max);
	return arena_format(r->memory, "%s%s", field->min ? "at least " : "", field->min ? field->min : "");
}

static bool in_bounds(struct reading *r, const struct field *field, const struct node *node, int64_t value)
{
	const struct trait *trait = &traits[field->kind];
	int64_t min = INT64_MIN, max = INT64_MAX;
	if (trait->is && trait->word && strcmp(node->text, trait->word) == 0)
		return true;
	if (field->min)
		number_of(field, field->min, &min);
	if (field->max)
		number_of(field, field->max, &max);
	if (value >= min && value <= max)
		return true;
	reading_fault(r, node->at, NULL, "%s is %s %s; %s will do", shown(r->memory, node->text),
	              value < min ? "below" : "above", value < min ? field->min : field->max, bounds(r, field));
	return false;
}

static const char *quoted(struct reading *r, const struct node *node)
{
	const char *text = shown(r->memory, node->text);
	return node->plain || !*node->text ? text : arena_format(r->memory, "\"%s\"", text);
}

/* "a power in W, kW, MW or GW belongs here, such as 20 MW, or auto"; of what is never so large, the bounds. */
static const char *wanted(struct reading *r, const struct field *field)
{
	const struct trait *trait = &traits[field->kind];
	const char *example = quantity_example(trait->quantity);
	int64_t value = 0, min = INT64_MIN, max = INT64_MAX;
	if (field->min)
		number_of(field, field->min, &min);
	if (field->max)
		number_of(field, field->max, &max);
	number_of(field, example, &value);
	bool fits = value >= min && value <= max;
	return arena_format(r->memory, "%s in %s belongs here, %s%s%s%s", quantity_name(trait->quantity),
	                    quantity_units(trait->quantity), fits ? "such as " : "", fits ? example : bounds(r, field),
	                    trait->word ? ", or " : "", trait->word ? trait->word : "");
}

/* What the slip may have been: " (is MW meant?)" */
static const char *slip(struct reading *r, enum quantity quantity, const char *text)
{
	const char *unit = quantity_unit_meant(quantity, text);
	size_t digits = strspn(text, "0123456789.");
	if (unit)
		return arena_format(r->memory, " (is %s meant?)", unit);
	if (digits && text[digits] && strchr(",_' ", text[digits]) && text[digits + 1] >= '0' && text[digits + 1] <= '9')
		return " (decimals stand behind a point, and nothing between thousands)";
	return "";
}

static bool quantity_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	const struct trait *trait = &traits[field->kind];
	const char *text = shown(r->memory, node->text), *what = "";
	int64_t value;
	if (!node->plain) {
		reading_fault(r, node->at, NULL, "\"%s\" is quoted, so it is text; %s", text, wanted(r, field));
		return false;
	}
	if (number_of(field, node->text, &value)) {
		if (!in_bounds(r, field, node, value))
			return false;
		store(field, owner, value);
		return true;
	}
	switch (quantity_parse(trait->quantity, node->text, &value)) {
	case QUANTITY_FINE:       return false;
	case QUANTITY_NO_NUMBER:
	case QUANTITY_WRONG_UNIT: what = arena_format(r->memory, "is not %s%s", quantity_name(trait->quantity),
	                                                slip(r, trait->quantity, node->text)); break;
	case QUANTITY_NO_UNIT:    what = "has no unit"; break;
	case QUANTITY_TOO_FINE:   what = "is too little to count"; break;
	case QUANTITY_TOO_LONG:   what = "is too large or has too many digits"; break;
	}
	reading_fault(r, node->at, NULL, "%s %s; %s", text, what, wanted(r, field));
	return false;
}

static bool integer_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	int64_t value;
	if (!node->plain || !integer_parse(node->text, &value)) {
		reading_fault(r, node->at, NULL, "%s is not a whole number; %s will do", quoted(r, node), bounds(r, field));
		return false;
	}
	if (field->kind == KIND_ADDRESS && value > UINT16_MAX) {
		bool six = value > 400000 || (value > 300000 && value < 400000);
		reading_fault(r, node->at, NULL, "%s is above 65535; %s", shown(r->memory, node->text),
		              six ? "a number such as 4xxxxx or 3xxxxx names function 3 or 4 and counts from 1: "
		                    "write the function, and the last five digits less 1"
		                  : "write the 0-based address as it goes on the wire");
		return false;
	}
	if (!in_bounds(r, field, node, value))
		return false;
	store(field, owner, value);
	return true;
}

static bool number_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	double value;
	if (!node->plain || !number_parse(node->text, &value) || value == 0) {
		reading_fault(r, node->at, NULL, "%s is not a number to multiply by; write it as 0.1, 10 or 1e-3",
		              quoted(r, node));
		return false;
	}
	memcpy((char *)owner + field->offset, &value, sizeof value);
	return true;
}

static bool boolean_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	bool yes = strcmp(node->text, "true") == 0;
	if (!node->plain || (!yes && strcmp(node->text, "false") != 0)) {
		reading_fault(r, node->at, NULL, "%s is neither; true or false will do", quoted(r, node));
		return false;
	}
	store(field, owner, yes);
	return true;
}

/* The number of WORD in "one|two|three"; -1: none of them. */
static int choice_of(const char *choices, const char *word)
{
	size_t len = strlen(word);
	for (int i = 0; ; i++) {
		size_t n = strcspn(choices, "|");
		if (n == len && memcmp(choices, word, n) == 0)
			return i;
		if (!choices[n])
			return -1;
		choices += n + 1;
	}
}

static const char *listed(struct reading *r, const char *choices)
{
	const char *text = "";
	for (size_t n; ; choices += n + 1) {
		n = strcspn(choices, "|");
		bool last = !choices[n], first = !*text;
		text = arena_format(r->memory, "%s%s%.*s", text, first ? "" : last ? " or " : ", ", (int)n, choices);
		if (last)
			return text;
	}
}

static bool choice_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	if (field->later && choice_of(field->later, node->text) >= 0) {
		reading_fault(r, node->at, NULL, "%s is not supported yet; %s will do", node->text,
		              listed(r, field->choices));
		return false;
	}
	int i = choice_of(field->choices, node->text);
	if (i < 0) {
		reading_fault(r, node->at, NULL, "%s is none of them; %s will do", shown(r->memory, node->text),
		              listed(r, field->choices));
		return false;
	}
	store(field, owner, field->kind == KIND_LETTER ? node->text[0] : i);
	return true;
}

static bool choices_read(struct reading *r, const struct field *field, struct node *list, void *owner)
{
	const char *words = listed(r, field->choices);
	int64_t bits = 0;
	bool fine = true;
	if (list->type != NODE_LIST) {
		reading_fault(r, list->at, NULL, "is not a list; write one in brackets, of %s", words);
		return false;
	}
	for (struct node *item = list->children; item; item = item->next) {
		int i = item->type == NODE_SCALAR ? choice_of(field->choices, item->text) : -1;
		if (i < 0)
			reading_fault(r, item->at, NULL, "is none of them; %s will do", words);
		fine = fine && i >= 0;
		bits |= i >= 0 ? INT64_C(1) << i : 0;
	}
	store(field, owner, bits);
	return fine;
}

static bool scalar_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	switch (field->kind) {
	case KIND_POWER: case KIND_POWER_OR_AUTO: case KIND_RAMP_OR_NONE: case KIND_DURATION:
	case KIND_DURATION_OR_TYPICAL: case KIND_EFFICIENCY:
		return quantity_read(r, field, node, owner);
	case KIND_INTEGER: case KIND_ADDRESS:
		return integer_read(r, field, node, owner);
	case KIND_NUMBER:
		return number_read(r, field, node, owner);
	case KIND_BOOLEAN:
		return boolean_read(r, field, node, owner);
	case KIND_CHOICE: case KIND_LETTER:
		return choice_read(r, field, node, owner);
	case KIND_TEXT: case KIND_NAME: case KIND_TOPIC: case KIND_HOST: case KIND_FILE: case KIND_OID:
		return text_read(r, field, node, owner);
	case KIND_CHOICES: case KIND_HOSTS: case KIND_LABELS: case KIND_REGISTERS: case KIND_REGISTER:
	case KIND_OIDS: case KIND_STATES: case KIND_SECTION: case KIND_GROUPS: case KIND_LIST: case KIND_LATER:
		break;
	}
	abort();
}

bool value_read(struct reading *r, const struct field *field, struct node *node, void *owner)
{
	char kind[120];
	if (field->mark)
		memcpy((char *)owner + field->mark, &node->at, sizeof node->at);
	if (node->bad)
		return false;
	if (node_is_empty(node)) {
		value_describe(field, kind, sizeof kind);
		reading_fault(r, node->key_at, NULL, "has no value; %s belongs here", kind);
		return false;
	}
	if (field->kind == KIND_HOSTS)
		return hosts_read(r, field, node, owner);
	if (field->kind == KIND_LABELS)
		return labels_read(r, field, node, owner);
	if (field->kind == KIND_CHOICES)
		return choices_read(r, field, node, owner);
	if (field->kind == KIND_REGISTERS)
		return registers_read(r, node, (void *)((char *)owner + field->offset));
	if (field->kind == KIND_STATES)
		return states_read(r, field, node, owner);
	if (field->kind == KIND_OIDS)
		return oids_read(r, node, (void *)((char *)owner + field->offset));
	if (node->type == NODE_SCALAR)
		return scalar_read(r, field, node, owner);
	value_describe(field, kind, sizeof kind);
	reading_fault(r, node->at, NULL, "is a %s; %s belongs here", node->type == NODE_LIST ? "list" : "mapping", kind);
	return false;
}

/* A preset is written as the file would; one that does not read is our mistake, and the tests find it. */
void value_preset(struct reading *r, const struct field *field, void *owner)
{
	struct node node = {.type = NODE_SCALAR, .plain = true, .text = field->preset};
	if (!scalar_read(r, field, &node, owner))
		abort();
}
