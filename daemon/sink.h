/* daemon/sink.h - where messages go: the MQTT bus, or a buffer in a test. */
#ifndef DAEMON_SINK_H
#define DAEMON_SINK_H

#include <stddef.h>
#include <stdint.h>

enum delivery {
	DELIVER_LATEST,                 /* QoS 0, retained: only the newest counts; lost while the broker is away */
	DELIVER_STATE,                  /* QoS 1, retained: the newest of each topic is kept for the broker's return */
	DELIVER_EVENT,                  /* QoS 1: kept in order for the broker's return, up to a bound */
};

struct sink {                           /* whoever implements it embeds this as its first member */
	void (*put)(struct sink *, const char *topic, enum delivery, const char *text, size_t len);     /* never blocks;
	                                   topic is below PREFIX/SITE/; text is lent */
	uint64_t dropped;               /* may lose messages, must count them */
};

#endif
