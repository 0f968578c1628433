#include "daemon/tls_name.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdlib.h>

/* Before anything is sent: the library has set the address here, which is no name to ask for. */
static void on_info(const SSL *ssl, int where, int value)
{
	(void)value;
	if (where & SSL_CB_HANDSHAKE_START)
		SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, (char *)SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

/* Whoever has no certificate of this name, that leads to the CA and is in date, is nobody to talk to. */
static void check_by(SSL_CTX *ctx, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (!X509_VERIFY_PARAM_set1_host(param, name, 0))
		abort();
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

struct ssl_ctx_st *tls_name_set(struct mosquitto *mosq, const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx)
		abort();
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_app_data(ctx, (void *)(uintptr_t)name);
	SSL_CTX_set_info_callback(ctx, on_info);
	check_by(ctx, name);
	/* Its own settings would have the library check against the address. Some versions forget one that is replaced. */
	if (mosquitto_int_option(mosq, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) != MOSQ_ERR_SUCCESS ||
	    mosquitto_void_option(mosq, MOSQ_OPT_SSL_CTX, ctx) != MOSQ_ERR_SUCCESS)
		abort();
	SSL_CTX_free(ctx);              /* the library has its own hold on it */
	return ctx;
}

bool tls_name_load(struct ssl_ctx_st *ctx, const struct tls_files *files)
{
	X509_STORE *trusted = X509_STORE_new();         /* only what is in the file now */
	if (!trusted)
		abort();
	SSL_CTX_set_cert_store(ctx, trusted);           /* which owns it */
	bool good = SSL_CTX_load_verify_file(ctx, files->ca) == 1;
	if (good && files->cert)
		good = SSL_CTX_use_certificate_chain_file(ctx, files->cert) == 1;
	if (good && files->key)
		good = SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(ctx) == 1;
	ERR_clear_error();
	return good;
}
