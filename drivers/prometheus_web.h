/* drivers/prometheus_web.h - libcurl's multi interface on the loop: the pages of one room, over kept connections.
 *
 * Nothing waits: hosts are addresses, or names whose addresses the page's easy handle was told (CURLOPT_RESOLVE). */
#ifndef DRIVERS_PROMETHEUS_WEB_H
#define DRIVERS_PROMETHEUS_WEB_H

#include <curl/curl.h>

#include "drivers/meter.h"

struct web;
struct web_page {                       /* embedded in who wants it */
	CURL *easy;                     /* the page's own, set up by web_join for nothing but its URL */
	void (*on_done)(struct web_page *, CURLcode);   /* from the loop, once for each web_get that was not given up */
};

/* The first page of a room opens its web; the last that leaves closes it. Abort where memory is out. */
struct web *web_join(struct meter_room *, struct web_page *);
void web_leave(struct web *, struct web_page *);        /* nothing of it is under way */
void web_get(struct web *, struct web_page *);
void web_give_up(struct web *, struct web_page *);      /* its connection ends, on_done does not come */

#endif
