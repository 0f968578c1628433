/* tests/slow_names.h - who looks names up is told this: slow.example takes its time, as where no name server answers, and
 * late.example as where only the last of several does; twice.example is 127.0.0.9 and then 127.0.0.1. */
#ifndef TESTS_SLOW_NAMES_H
#define TESTS_SLOW_NAMES_H

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static atomic_uint n_lookups;           /* of the names here */
static atomic_bool lookup_ended;        /* the slow one; set: it ends now */
static atomic_uint late_ms;             /* so long the late one takes; like the quick one it is 127.0.0.1 */

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	bool slow = name && strcmp(name, "slow.example") == 0, quick = name && strcmp(name, "gpu-01.example") == 0;
	bool late = name && strcmp(name, "late.example") == 0, twice = name && strcmp(name, "twice.example") == 0;
	n_lookups += slow || quick || late;
	if (late)
		usleep(late_ms * 1000);
	if (twice) {                    /* one list, freed as one: each is an allocation of its own */
		int rc = real("127.0.0.9", service, hints, found);
		return rc ? rc : real("127.0.0.1", service, hints, &(*found)->ai_next);
	}
	if (!slow)
		return real(quick || late ? "127.0.0.1" : name, service, hints, found);
	for (int i = 0; i < 1000 && !lookup_ended; i++)
		usleep(10000);
	lookup_ended = true;
	return EAI_AGAIN;
}

#endif
