#include "drivers/snmp_library.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/library/snmpusm.h>

struct algorithm { const char *name; const oid *id; size_t id_len; };

static const struct algorithm auths[] = {
	{ "md5",     usmHMACMD5AuthProtocol,       OID_LENGTH(usmHMACMD5AuthProtocol) },
	{ "sha",     usmHMACSHA1AuthProtocol,      OID_LENGTH(usmHMACSHA1AuthProtocol) },
	{ "sha-224", usmHMAC128SHA224AuthProtocol, OID_LENGTH(usmHMAC128SHA224AuthProtocol) },
	{ "sha-256", usmHMAC192SHA256AuthProtocol, OID_LENGTH(usmHMAC192SHA256AuthProtocol) },
	{ "sha-384", usmHMAC256SHA384AuthProtocol, OID_LENGTH(usmHMAC256SHA384AuthProtocol) },
	{ "sha-512", usmHMAC384SHA512AuthProtocol, OID_LENGTH(usmHMAC384SHA512AuthProtocol) },
};
static const struct algorithm privacies[] = {
	{ "des",     usmDESPrivProtocol,    OID_LENGTH(usmDESPrivProtocol) },
	{ "aes",     usmAESPrivProtocol,    OID_LENGTH(usmAESPrivProtocol) },
	{ "aes-192", usmAES192PrivProtocol, OID_LENGTH(usmAES192PrivProtocol) },
	{ "aes-256", usmAES256PrivProtocol, OID_LENGTH(usmAES256PrivProtocol) },
};

struct snmp_keys {
	struct snmp_keys *next;
	unsigned n_users;
	const struct snmp_access *access;               /* alive while anybody uses it, so its address tells it from others */
	const struct algorithm *auth, *privacy;         /* NULL: none */
	size_t auth_len, privacy_len;
	u_char auth_key[USM_AUTH_KU_LEN], privacy_key[USM_PRIV_KU_LEN];
};

static const struct algorithm *named(const struct algorithm *all, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

static const struct algorithm *auth_named(const char *name)
{
	return named(auths, sizeof auths / sizeof *auths, name);
}

static const struct algorithm *privacy_named(const char *name)
{
	return named(privacies, sizeof privacies / sizeof *privacies, name);
}

bool snmp_auth_known(const char *name)
{
	return auth_named(name) != NULL;
}

bool snmp_privacy_known(const char *name)
{
	return privacy_named(name) != NULL;
}

const char *snmp_auth_names(void)
{
	return "md5, sha, sha-224, sha-256, sha-384, sha-512";
}

const char *snmp_privacy_names(void)
{
	return "des, aes, aes-192, aes-256";
}

/* init_snmp takes the locale of the environment, for the sake of isprint(). */
void snmp_library_start(void)
{
	if (netsnmp_ds_get_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_APPTYPE))
		return;
	char *locale = setlocale(LC_CTYPE, NULL);
	locale = locale ? strdup(locale) : NULL;
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE, 1);
	char no_mibs[] = "mibs :";
	netsnmp_config_remember(no_mibs);
	netsnmp_set_mib_directory("");
	set_configuration_directory("/dev/null");       /* where it would look for certificates, too */
	set_persistent_directory("/dev/null");
	init_snmp("mulletd");
	netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);        /* without any it would be stderr */
	if (locale)
		setlocale(LC_CTYPE, locale);
	free(locale);
}

/* Hashes a megabyte: RFC 3414 A.2. */
static size_t make_key(const struct algorithm *auth, const char *secret, u_char *key, size_t room)
{
	size_t len = room;
	if (generate_Ku(auth->id, (u_int)auth->id_len, (const u_char *)secret, strlen(secret), key, &len) != SNMPERR_SUCCESS)
		return 0;
	return len;
}

static struct snmp_keys *keys_new(const struct snmp_access *access)
{
	struct snmp_keys *keys = calloc(1, sizeof *keys);
	if (!keys)
		abort();
	snmp_library_start();
	keys->access = access;
	keys->auth = auth_named(access->auth);
	keys->privacy = keys->auth ? privacy_named(access->privacy) : NULL;
	if (keys->auth)
		keys->auth_len = make_key(keys->auth, access->auth_secret, keys->auth_key, sizeof keys->auth_key);
	if (keys->privacy)
		keys->privacy_len = make_key(keys->auth, access->privacy_secret, keys->privacy_key, sizeof keys->privacy_key);
	return keys;
}

struct snmp_keys *snmp_keys_take(struct snmp_keys **all, const struct snmp_access *access)
{
	struct snmp_keys *keys = *all;
	if (!access->v3)
		return NULL;
	while (keys && keys->access != access)
		keys = keys->next;
	if (!keys) {
		keys = keys_new(access);
		keys->next = *all;
		*all = keys;
	}
	keys->n_users++;
	return keys;
}

void snmp_keys_drop(struct snmp_keys **all, struct snmp_keys *keys)
{
	if (!keys || --keys->n_users)
		return;
	while (*all != keys)
		all = &(*all)->next;
	*all = keys->next;
	explicit_bzero(keys, sizeof *keys);
	free(keys);
}

static void fill_v3(netsnmp_session *net, const struct snmp_access *access, const struct snmp_keys *keys)
{
	net->version = SNMP_VERSION_3;
	net->securityModel = SNMP_SEC_MODEL_USM;
	net->securityName = (char *)access->user;
	net->securityNameLen = strlen(access->user);
	net->securityLevel = !keys->auth ? SNMP_SEC_LEVEL_NOAUTH : !keys->privacy ? SNMP_SEC_LEVEL_AUTHNOPRIV : SNMP_SEC_LEVEL_AUTHPRIV;
	if (keys->auth) {
		net->securityAuthProto = (oid *)keys->auth->id;
		net->securityAuthProtoLen = keys->auth->id_len;
		net->securityAuthKeyLen = keys->auth_len;
		memcpy(net->securityAuthKey, keys->auth_key, keys->auth_len);
	}
	if (keys->privacy) {
		net->securityPrivProto = (oid *)keys->privacy->id;
		net->securityPrivProtoLen = keys->privacy->id_len;
		net->securityPrivKeyLen = keys->privacy_len;
		memcpy(net->securityPrivKey, keys->privacy_key, keys->privacy_len);
	}
}

void snmp_library_fill(netsnmp_session *net, const struct snmp_access *access, const struct snmp_keys *keys)
{
	if (access->v3) {
		fill_v3(net, access, keys);
		return;
	}
	net->version = SNMP_VERSION_2c;
	net->community = (u_char *)access->community;
	net->community_len = strlen(access->community);
}

static char *nobody(void)
{
	char *name = strdup("");
	if (!name)
		abort();
	return name;
}

/* RFC 3414 section 4: whoever is asked by nobody, without engine and key, answers with a report that names his engine. */
netsnmp_pdu *snmp_library_probe(void)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET);
	if (!pdu)
		abort();
	pdu->version = SNMP_VERSION_3;
	pdu->securityModel = SNMP_SEC_MODEL_USM;
	pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
	pdu->securityName = nobody();
	if (usm_get_user(NULL, 0, pdu->securityName))
		return pdu;
	struct usmUser *user = usm_create_user();       /* has neither key nor protocol */
	if (!user)
		abort();
	user->name = nobody();
	user->secName = nobody();
	usm_add_user(user);
	return pdu;
}

/* A user that is there already may have the keys of before the last reload. */
bool snmp_library_meet(netsnmp_session *net)
{
	struct usmUser *user = usm_get_user(net->securityEngineID, net->securityEngineIDLen, net->securityName);
	if (user) {
		usm_remove_user(user);
		usm_free_user(user);
	}
	net->flags &= ~(u_long)SNMP_FLAGS_USER_CREATED;
	return usm_create_user_from_session(net) == SNMPERR_SUCCESS;
}
