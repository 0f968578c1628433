#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/pem.h"
#include "daemon/service.h"
#include "daemon/xalloc.h"

struct wired *service_read(const char *file, struct fault_list *faults)
{
	char beside[PATH_MAX], exe[PATH_MAX], built[PATH_MAX + 32], installed[PATH_MAX + 32], copy[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", file);
	snprintf(beside, sizeof(beside), "%s", dirname(copy));
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	char *home = dirname(exe);
	snprintf(installed, sizeof(installed), "%s/../share/mulletd", home);
	snprintf(built, sizeof(built), "%s/../config", home);
	const char *catalogue[] = { beside, "/etc/mulletd", installed, built, NULL };
	struct config *config = config_read(file, catalogue, faults);
	return config ? wire(config, faults) : NULL;
}

/* For --check alone: a daemon in charge of a site goes on without its broker, and tells why it cannot reach it. */
bool service_check_files(const struct config *config, struct fault_list *faults)
{
	const struct mqtt_conf *mqtt = &config->mqtt;
	const struct { const char *key, *file; } files[] = {
		{ "mqtt.tls.ca", mqtt->tls_ca }, { "mqtt.tls.cert", mqtt->tls_cert }, { "mqtt.tls.key", mqtt->tls_key },
	};
	size_t before = faults->n;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *why = files[i].file ? pem_fault(files[i].file) : NULL;
		if (why)
			fault_list_add(faults, mqtt->at, files[i].key, "%s: %s; a PEM file that mulletd can read will do", files[i].file, why);
	}
	return faults->n == before;
}

/* systemd hands credentials over in a directory of its own; they stand before the file that the config names. */
static FILE *open_password(const char *named)
{
	char path[PATH_MAX], copy[PATH_MAX];
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	snprintf(copy, sizeof(copy), "%s", named ? named : "mqtt.password");
	snprintf(path, sizeof(path), "%s/%s", credentials ? credentials : "", basename(copy));
	FILE *file = credentials ? fopen(path, "r") : NULL;
	return file || !named ? file : fopen(named, "r");
}

bool service_password(struct service *service)
{
	const struct mqtt_conf *mqtt = &service->wired->config->mqtt;
	if (!mqtt->present || !mqtt->username)
		return true;
	FILE *file = open_password(mqtt->password_file);
	if (!file && !mqtt->password_file)
		return true;                    /* a user without a password */
	if (!file) {
		log_error("mqtt.password_file: cannot read %s: %s", mqtt->password_file, strerror(errno));
		return false;
	}
	char line[1024] = "";
	bool read = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0])
		service->password = xstrdup(line);
	explicit_bzero(line, sizeof(line));
	if (!read)
		log_error("mqtt.password_file: nothing to be read in it");
	return read;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The connection to the broker and its topics last as long as the process. */
static bool same_bus(const struct config *a, const struct config *b)
{
	const struct mqtt_conf *m = &a->mqtt, *n = &b->mqtt;
	return same_text(a->site_name, b->site_name) && m->present == n->present && same_text(m->host, n->host) &&
	       m->port == n->port && same_text(m->tls_ca, n->tls_ca) && same_text(m->tls_cert, n->tls_cert) &&
	       same_text(m->tls_key, n->tls_key) && same_text(m->username, n->username) &&
	       same_text(m->password_file, n->password_file) && same_text(m->prefix, n->prefix);
}

struct wired *service_read_again(struct service *service)
{
	struct fault_list faults;
	fault_list_init(&faults, service->conf->file);
	struct wired *wired = service_read(service->conf->file, &faults);
	if (wired && !same_bus(wired->config, service->wired->config)) {
		fault_list_add(&faults, wired->config->mqtt.at, "mqtt",
		               "mqtt and site.name cannot change while running; restart the service for that");
		wired_free(wired);
		wired = NULL;
	}
	char line[512] = "";
	for (size_t i = 0; i < faults.n; i++) {
		fault_format(&faults, i, line, sizeof(line));
		log_error("%s", line);
	}
	if (!wired) {
		fault_format(&faults, 0, line, sizeof(line));
		alarms_raise(service->alarms, "config", SEVERITY_WARNING, service->conf->file, system_clock.now(&system_clock),
		             "the old configuration stays in force: %s%s", line, faults.n > 1 ? ", and more" : "");
	}
	fault_list_free(&faults);
	return wired;
}
