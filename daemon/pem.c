#include "daemon/pem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BEGINS "-----BEGIN "

const char *pem_fault(const char *file)
{
	char line[1024];
	FILE *in = fopen(file, "re");
	if (!in)
		return strerror(errno);
	bool found = false;
	errno = 0;
	while (!found && fgets(line, sizeof(line), in))
		found = strncmp(line, BEGINS, strlen(BEGINS)) == 0;
	int error = ferror(in) ? errno : 0;
	fclose(in);
	return found ? NULL : error ? strerror(error) : "there is nothing in it that begins as PEM does";
}
