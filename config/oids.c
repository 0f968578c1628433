#include <string.h>

#include "config/quantity.h"
#include "config/settings.h"

#define OID(member, kind, key, min, max, preset, help) FIELD(oid_conf, member, kind, key, min, max, preset, help)
#define OID_FIELDS(units) \
	OID(oid, KIND_OID, "oid", NULL, NULL, NULL, "of the instance, its index included; with sum of the column"), \
	CHOICE(oid_conf, unit, KIND_LETTER, "unit", units, NULL, "of value times scale"), \
	OID(scale, KIND_NUMBER, "scale", NULL, NULL, "1", "value = number told times scale"), \
	OID(digits, KIND_OID, "digits", NULL, NULL, "", "where it tells how many of the number's digits are decimals"), \
	OID(status, KIND_OID, "status", NULL, NULL, "", "where it tells whether the number holds"), \
	OID(good, KIND_STATES, "good", "0", "63", "", "statuses with which it does"), \
	CHOICE(oid_conf, absent, KIND_LETTER, "absent", "negative", "", "numbers that mean not available"), \
	OID(sum, KIND_BOOLEAN, "sum", NULL, NULL, "false", "all rows of the column are added up")

static const struct field power_fields[] = {OID_FIELDS("W|kW|MW|mW")};
static const struct field energy_fields[] = {OID_FIELDS("Wh|kWh|MWh")};
static const struct field frequency_fields[] = {OID_FIELDS("Hz|mHz")};
static const struct table power_table = TABLE(power_fields, oid_finish);
static const struct table energy_table = TABLE(energy_fields, oid_finish);
static const struct table frequency_table = TABLE(frequency_fields, oid_finish);

static const struct field map_fields[] = {
	SECTION(offsetof(struct oid_map_conf, power), "power", &power_table, NULL, "power drawn"),
	SECTION(offsetof(struct oid_map_conf, energy), "energy", &energy_table, "", "lifetime counter of energy drawn"),
	SECTION(offsetof(struct oid_map_conf, frequency), "frequency", &frequency_table, "", "of the grid"),
};
const struct table oid_map = TABLE(map_fields, NULL);

static const struct field catalogue_fields[] = {
	FIELD(catalogue_entry, name,   KIND_NAME, "name",   NULL, NULL, NULL, "as the site file says it; the file's name too"),
	FIELD(catalogue_entry, device, KIND_TEXT, "device", NULL, NULL, NULL, "make and models"),
	FIELD(catalogue_entry, source, KIND_TEXT, "source", NULL, NULL, NULL, "where the OIDs were read"),
	FIELD(catalogue_entry, note,   KIND_TEXT, "note",   NULL, NULL, "",   "what to set or check on the device"),
	SECTION(offsetof(struct catalogue_entry, oids), "oids", &oid_map, NULL, "the map"),
};
const struct table oid_catalogue_file = TABLE(catalogue_fields, NULL);

#define SNMP(member, kind, key, min, max, preset, help) FIELD(snmp_conf, member, kind, key, min, max, preset, help)
static const struct field snmp_fields[] = {
	CHOICE(snmp_conf, v3, KIND_CHOICE, "version", "2c|3", NULL, "of the protocol"),
	SNMP(community,      KIND_TEXT,    "community",      NULL, NULL, "",  "2c: the word that lets us in"),
	SNMP(community_file, KIND_FILE,    "community_file", NULL, NULL, "",  "2c: or where it is, or the file of that name in $CREDENTIALS_DIRECTORY"),
	SNMP(user,           KIND_TEXT,    "user",           NULL, NULL, "",  "3: as the device knows us"),
	FIELD_AT(snmp_conf, auth, auth_at, KIND_NAME, "auth", NULL, NULL, "", "3: sha-256 or the like; without it nothing is proved"),
	SNMP(auth_file,      KIND_FILE,    "auth_file",      NULL, NULL, "",  "3: its pass phrase, found like community_file"),
	FIELD_AT(snmp_conf, privacy, privacy_at, KIND_NAME, "privacy", NULL, NULL, "", "3: aes or the like; without it all can be read on the way"),
	SNMP(privacy_file,   KIND_FILE,    "privacy_file",   NULL, NULL, "",  "3: its pass phrase, found like community_file"),
	SNMP(retries,        KIND_INTEGER, "retries",        "0",  "5",  "1", "how often a question is sent again within one timeout"),
};
const struct table snmp_table = TABLE(snmp_fields, snmp_finish);

static double in_base_unit(char unit)
{
	return unit == 'k' ? 1e3 : unit == 'M' ? 1e6 : unit == 'm' ? 1e-3 : 1;
}

void oid_finish(struct reading *r, struct node *map, void *owner)
{
	struct oid_conf *conf = owner;
	const struct node *status = node_child(map, "status"), *good = node_child(map, "good");
	conf->scale *= in_base_unit(conf->unit);
	if (status && !good)
		reading_fault(r, status->key_at, "good", "missing; it is needed with status: those with which the number holds, as in [0]");
	if (good && !status)
		reading_fault(r, good->key_at, "good", "only with status: where the device tells it; leave it out");
}

static void needs(struct reading *r, const struct node *map, const char *key, const char *needed)
{
	const struct node *node = node_child(map, key);
	if (node && !node_child(map, needed))
		reading_fault(r, node->key_at, needed, "missing; it is needed with %s", key);
}

static void only_for(struct reading *r, const struct node *map, const char *const *keys, const char *version)
{
	for (; *keys; keys++) {
		const struct node *node = node_child(map, *keys);
		if (node)
			reading_fault(r, node->key_at, *keys, "only with version: %s; leave it out", version);
	}
}

void snmp_finish(struct reading *r, struct node *map, void *owner)
{
	static const char *const of_v2c[] = {"community", "community_file", NULL};
	static const char *const of_v3[] = {"user", "auth", "auth_file", "privacy", "privacy_file", NULL};
	struct snmp_conf *snmp = owner;
	const struct node *version = node_child(map, "version");
	const struct node *community = node_child(map, "community"), *file = node_child(map, "community_file");
	snmp->at = map->key_at;
	if (!version || version->bad)
		return;
	only_for(r, map, snmp->v3 ? of_v2c : of_v3, snmp->v3 ? "2c" : "3");
	if (!snmp->v3 && !community && !file)
		reading_fault(r, map->key_at, "community", "missing; it is needed with version: 2c, or community_file");
	if (!snmp->v3 && community && file)
		reading_fault(r, file->key_at, "community_file", "there is community already; one of the two will do");
	if (!snmp->v3)
		return;
	if (!node_child(map, "user"))
		reading_fault(r, map->key_at, "user", "missing; it is needed with version: 3");
	needs(r, map, "auth", "auth_file");
	needs(r, map, "auth_file", "auth");
	needs(r, map, "privacy", "auth");
	needs(r, map, "privacy", "privacy_file");
	needs(r, map, "privacy_file", "privacy");
}

bool states_read(struct reading *r, const struct field *field, struct node *list, void *owner)
{
	uint64_t states = 0;
	bool fine = true;
	if (list->type != NODE_LIST) {
		reading_fault(r, list->at, NULL, "is not a list; write one in brackets, as in [0]");
		return false;
	}
	for (const struct node *item = list->children; item; item = item->next) {
		int64_t state = -1;
		bool good = item->type == NODE_SCALAR && item->plain && integer_parse(item->text, &state) && state >= 0 && state < 64;
		if (!good)
			reading_fault(r, item->at, NULL, "is no status; whole numbers from %s to %s will do", field->min, field->max);
		states |= good ? UINT64_C(1) << state : 0;
		fine = fine && good;
	}
	memcpy((char *)owner + field->offset, &states, sizeof states);
	return fine;
}

/* What is wrong with TEXT as an OID; NULL: nothing. */
const char *oid_fault(const char *text)
{
	const char *start = text + (*text == '.');
	unsigned n = 0;
	for (text = start; ; text++) {
		size_t digits = strspn(text, "0123456789");
		if (!digits || (text[digits] && text[digits] != '.'))
			return "is no OID; numbers with dots between them belong here, such as 1.3.6.1.4.1.318.1.1.26.4.3.1.5.1";
		if (digits > 10 || (digits == 10 && strncmp(text, "4294967295", 10) > 0))
			return "is no OID; none of its numbers may be above 4294967295";
		n++;
		text += digits;
		if (!*text)
			break;
	}
	if (strncmp(start, "1.3.", 4) != 0)
		return "is no OID of a device; those begin with 1.3.";
	return n > 32 ? "is too long; at most 32 numbers will do" : NULL;
}
