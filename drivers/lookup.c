#include "drivers/lookup.h"

#include <stdio.h>
#include <stdlib.h>

struct lookup {
	uv_getaddrinfo_t req;
	void (*on_found)(void *self, const struct addrinfo *);  /* NULL: forgotten */
	void *self;
};

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct lookup *lookup = req->data;
	if (lookup->on_found)
		lookup->on_found(lookup->self, status == 0 ? found : NULL);
	uv_freeaddrinfo(found);
	free(lookup);
}

struct lookup *lookup_begin(uv_loop_t *loop, const char *host, uint16_t port, int socktype,
                            void (*on_found)(void *, const struct addrinfo *), void *self)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = socktype, .ai_flags = AI_NUMERICSERV };
	char service[8];
	snprintf(service, sizeof service, "%u", port);
	struct lookup *lookup = calloc(1, sizeof *lookup);
	if (!lookup)
		abort();
	lookup->req.data = lookup;
	lookup->on_found = on_found;
	lookup->self = self;
	if (uv_getaddrinfo(loop, &lookup->req, on_looked_up, host, service, &hints) == 0)
		return lookup;
	free(lookup);
	return NULL;
}

void lookup_forget(struct lookup *lookup)
{
	if (!lookup)
		return;
	lookup->on_found = NULL;
	uv_cancel((uv_req_t *)&lookup->req);
}
