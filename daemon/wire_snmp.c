#include "daemon/wire_snmp.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/secret.h"

static struct snmp_oid oid_of(const char *text)
{
	struct snmp_oid oid = { 0 };
	if (text && !snmp_oid_parse(text, &oid))
		assert(!"config takes no OID that drivers do not");
	return oid;
}

static struct snmp_field field_of(const struct oid_conf *conf)
{
	return (struct snmp_field){
		.value = oid_of(conf->oid), .digits = oid_of(conf->digits), .status = oid_of(conf->status), .good = conf->good,
		.negative_absent = conf->absent == 'n', .sum = conf->sum, .scale = conf->scale,
	};
}

static void fault(struct fault_list *faults, const struct meter_group_conf *group, struct mark at, const char *key,
                  const char *what, const char *more)
{
	char path[160];
	snprintf(path, sizeof(path), "meters.%s.snmp.%s", group->name, key);
	fault_list_add(faults, at.line ? at : group->snmp.at, path, "%s%s", what, more);
}

static char *read_secret(const struct meter_group_conf *group, const char *key, const char *file, size_t least, struct fault_list *faults)
{
	char *secret = file ? secret_read(file) : NULL;
	if (file && !secret) {
		fault(faults, group, group->snmp.at, key, "cannot be read: ", strerror(errno));
	} else if (secret && strlen(secret) < least) {
		fault(faults, group, group->snmp.at, key, "is shorter than the 8 characters that SNMPv3 wants of a pass phrase", "");
	}
	return secret;
}

void wire_snmp(struct wired_snmp *wired, const struct meter_group_conf *group, struct fault_list *faults)
{
	const struct snmp_conf *conf = &group->snmp;
	wired->map = (struct snmp_map){ field_of(&group->oids.power), field_of(&group->oids.energy), field_of(&group->oids.frequency) };
	if (!conf->at.line)
		return;
	if (conf->auth && !snmp_auth_known(conf->auth))
		fault(faults, group, conf->auth_at, "auth", "no such way; there are ", snmp_auth_names());
	if (conf->privacy && !snmp_privacy_known(conf->privacy))
		fault(faults, group, conf->privacy_at, "privacy", "no such way; there are ", snmp_privacy_names());
	wired->community = read_secret(group, "community_file", conf->community_file, 1, faults);
	wired->auth_secret = read_secret(group, "auth_file", conf->auth_file, SNMP_LEAST_SECRET, faults);
	wired->privacy_secret = read_secret(group, "privacy_file", conf->privacy_file, SNMP_LEAST_SECRET, faults);
	wired->access = (struct snmp_access){
		.v3 = conf->v3, .community = wired->community ? wired->community : conf->community, .user = conf->user,
		.auth = conf->auth, .auth_secret = wired->auth_secret,
		.privacy = conf->privacy, .privacy_secret = wired->privacy_secret, .retries = conf->retries,
	};
}

void wired_snmp_free(struct wired_snmp *wired)
{
	secret_free(wired->community);
	secret_free(wired->auth_secret);
	secret_free(wired->privacy_secret);
}
