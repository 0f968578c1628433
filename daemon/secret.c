#include "daemon/secret.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/xalloc.h"

/* systemd hands credentials over in a directory of its own; they stand before the file that the config names. */
static FILE *open_secret(const char *named)
{
	char path[PATH_MAX], copy[PATH_MAX];
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	snprintf(copy, sizeof(copy), "%s", named);
	snprintf(path, sizeof(path), "%s/%s", credentials ? credentials : "", basename(copy));
	FILE *file = credentials ? fopen(path, "re") : NULL;
	return file ? file : fopen(named, "re");
}

char *secret_read(const char *named)
{
	char line[1024] = "";
	FILE *file = open_secret(named);
	if (!file)
		return NULL;
	setvbuf(file, NULL, _IONBF, 0);         /* no copy is left in a buffer */
	bool read = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	char *secret = read && line[0] ? xstrdup(line) : NULL;
	explicit_bzero(line, sizeof(line));
	if (!secret)
		errno = ENODATA;
	return secret;
}

void secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}
