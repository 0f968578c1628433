/* tests/snmp_daemon.h - Debian's snmpd on a free loopback port, which tells what a file says. A witness that shares no code
 * with drivers/: the agent side of net-snmp, its own USM included. */
#ifndef TESTS_SNMP_DAEMON_H
#define TESTS_SNMP_DAEMON_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SNMPD "/usr/sbin/snmpd"

struct snmp_daemon {
	char dir[64];
	uint16_t port;
	pid_t pid;
};

/* A pass_persist handler: lines "OID TYPE VALUE" in the order of OIDs, read anew for each question. */
static const char snmp_daemon_script[] =
	"#!/bin/bash\n"
	"data=${0%/*}/data\n"
	"after() { # whether OID $1 comes after $2\n"
	"	local IFS=. i; local -a a=(${1#.}) b=(${2#.})\n"
	"	for ((i = 0; i < ${#a[@]}; i++)); do\n"
	"		[ $i -lt ${#b[@]} ] || return 0\n"
	"		[ ${a[i]} -eq ${b[i]} ] || { [ ${a[i]} -gt ${b[i]} ]; return; }\n"
	"	done\n"
	"	return 1\n"
	"}\n"
	"while read -r verb; do\n"
	"	[ \"$verb\" = PING ] && { echo PONG; continue; }\n"
	"	read -r asked; found=NONE\n"
	"	while read -r oid type value; do\n"
	"		if { [ \"$verb\" = get ] && [ .$oid = $asked ]; } || { [ \"$verb\" = getnext ] && after $oid $asked; }; then\n"
	"			found=\".$oid\n$type\n$value\"; break\n"
	"		fi\n"
	"	done < $data\n"
	"	echo \"$found\"\n"
	"done\n";

static inline void snmp_daemon_write(const struct snmp_daemon *daemon, const char *name, const char *text, mode_t mode)
{
	char path[128], part[128];
	snprintf(path, sizeof path, "%s/%s", daemon->dir, name);
	snprintf(part, sizeof part, "%s/part", daemon->dir);
	FILE *file = fopen(part, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(part, mode) != 0 || rename(part, path) != 0)
		abort();
}

static inline uint16_t snmp_daemon_free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		abort();
	close(fd);
	return ntohs(at.sin_port);
}

static inline void snmp_daemon_run(struct snmp_daemon *daemon)
{
	char persist[128], log[128], search[256];
	snprintf(persist, sizeof persist, "%s/state", daemon->dir);
	snprintf(log, sizeof log, "%s/log", daemon->dir);
	daemon->pid = fork();
	if (daemon->pid)
		return;
	setenv("SNMP_PERSISTENT_DIR", persist, 1);
	snprintf(search, sizeof search, "%s:%s", daemon->dir, persist);
	setenv("SNMPCONFPATH", search, 1);
	setenv("MIBS", "", 1);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(out, 1);
	dup2(out, 2);
	execl(SNMPD, "snmpd", "-f", "-Lo", "-I", "-smux", (char *)NULL);
	_exit(127);
}

static inline bool snmp_daemon_there(void)
{
	return access(SNMPD, X_OK) == 0;
}

static inline void snmp_daemon_start(struct snmp_daemon *daemon)
{
	char conf[2048];
	snprintf(daemon->dir, sizeof daemon->dir, "/tmp/test_snmp_XXXXXX");
	if (!mkdtemp(daemon->dir))
		abort();
	daemon->port = snmp_daemon_free_port();
	snprintf(conf, sizeof conf,
	         "agentaddress udp:127.0.0.1:%u\n"
	         "rocommunity secret-word 127.0.0.1\n"
	         "createUser nobody\n"
	         "createUser signer SHA \"correct horse\"\n"
	         "createUser reader SHA-256 \"correct horse\" AES \"battery staple\"\n"
	         "createUser modern SHA-512 \"correct horse\" AES-256 \"battery staple\"\n"
	         "rouser nobody noauth\nrouser signer auth\nrouser reader priv\nrouser modern priv\n"
	         "pass_persist .1.3.6.1.4.1 %s/tell\n", (unsigned)daemon->port, daemon->dir);
	snmp_daemon_write(daemon, "snmpd.conf", conf, 0600);
	snmp_daemon_write(daemon, "tell", snmp_daemon_script, 0700);
	snmp_daemon_write(daemon, "data", "", 0600);
	snmp_daemon_run(daemon);
}

static inline void snmp_daemon_kill(struct snmp_daemon *daemon)
{
	kill(daemon->pid, SIGTERM);
	waitpid(daemon->pid, NULL, 0);
}

/* The next start is of another engine: as if another device stood there. */
static inline void snmp_daemon_forget(const struct snmp_daemon *daemon)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s/state", daemon->dir);
	if (system(command) != 0)
		abort();
}

/* What it has counted so far. */
static inline void snmp_daemon_boots(const struct snmp_daemon *daemon, unsigned boots)
{
	char command[160];
	snprintf(command, sizeof command, "sed -i 's/^engineBoots .*/engineBoots %u/' %s/state/snmpd.conf", boots, daemon->dir);
	if (system(command) != 0)
		abort();
}

static inline void snmp_daemon_stop(struct snmp_daemon *daemon)
{
	char command[128];
	snmp_daemon_kill(daemon);
	snprintf(command, sizeof command, "rm -rf %s", daemon->dir);
	if (system(command) != 0)
		abort();
}

#endif
