/* sim/options.h - mulletsim's command line, read whole: a conf, or one line that says what is wrong with it. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "sim/farm.h"

struct options {
	struct farm_conf farm;
	bool help, version, print_config, fast, report;
	const char *bus_file, *svg_file;        /* of the report */
	int64_t flat_ms;
	int64_t stop_ms;                /* 0: run until told to stop */
};

/* 0; 2: the command line is wrong; 1: a file it names cannot be read. The texts of argv are lent for good. */
int options_read(struct options *, int argc, char **argv, char *why, size_t size);
void options_free(struct options *);
extern const char options_help[];

/* Inside sim/ only: one entry "TIME:WHAT=…" of --at or of a scenario. */
bool timeline_add(struct farm_conf *, const char *entry, char *why, size_t size);
/* Whether the devices that are to fail are there. */
bool timeline_fits(const struct farm_conf *, size_t n_pdus, size_t n_miners, char *why, size_t size);
/* A whole scenario: an entry a line; empty lines and those that begin with # say nothing. */
bool timeline_read(struct farm_conf *, char *text, char *why, size_t size);

#endif
